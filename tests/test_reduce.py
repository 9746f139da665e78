"""Reducing a module: what is not interesting goes, whatever it is, and the rest still verifies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.random_programs import random_program
from tir.api import parse
from tir.dialects.all import REGISTRY
from tir.ir import actions
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.ir.printer import print_op
from tir.ir.types import ShapedType
from tir.ir.verify import check
from tir.parser.parse import parse_text
from tir.passes.pipelines import default
from tir.reducer import Progress, Reduction, reduce_module
from tir.reducer.driver import EDITS, cost, count_ops


def has(*names: str) -> Callable[[Op], bool]:
    """The module has an op of each name."""
    return lambda module: set(names) <= {op.name for op in module.walk()}


def reduced(text: str, is_interesting: Callable[[Op], bool], **options: object) -> Op:
    module = reduce_module(parse(text), is_interesting, **options)
    assert is_interesting(module) and not check(module)
    return module


def text_of(module: Op) -> list[str]:
    """The lines inside the module."""
    return [line.strip() for line in print_op(module).splitlines()[1:-1]]


CHAIN = """
tir.shared @w : tensor<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
func.func private @unused(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @main(%x: tensor<[B]x4xf32> {tir.name = "x"}, %y: tensor<[B]x4xf32>, %key: tensor<2xi32>) -> (tensor<[B]x4xf32>, tensor<4xf32>) {
  %w = tir.read @w : tensor<4xf32>
  %0 = tir.add %x, %y : tensor<[B]x4xf32>
  %1 = tir.exp %0 : tensor<[B]x4xf32>
  %2 = tir.mul %1, %x : tensor<[B]x4xf32>
  %3 = tir.sum %2 over [0] : tensor<4xf32>
  %4 = tir.add %3, %w : tensor<4xf32>
  tir.update @w, %4 : tensor<4xf32>
  return %2, %4 : tensor<[B]x4xf32>, tensor<4xf32>
}
"""


def test_one_op_is_left_of_a_program_with_state() -> None:
    assert text_of(reduced(CHAIN, has("tir.exp"))) == [
        "func.func @main(%arg0: tensor<1x1xf32>) {", "%0 = tir.exp %arg0 : tensor<1x1xf32>", "return", "}"
    ]


def test_an_update_keeps_its_variable_alone() -> None:
    module = reduced(CHAIN, has("tir.update"))
    assert [op.name for op in module.walk()][1:] == ["tir.shared", "func.func", "tir.update", "func.return"]


def test_a_data_flow_is_kept() -> None:
    def sum_of_exp(module: Op) -> bool:
        sums = [op for op in module.walk() if op.name == "tir.sum"]
        return any(_reaches(op.operand(0), "tir.exp") for op in sums)

    module = reduced(CHAIN, sum_of_exp)
    assert [op.name for op in module.walk()][1:] == ["func.func", "tir.exp", "tir.sum", "func.return"]


def _reaches(value, name: str) -> bool:  # noqa: ANN001
    while value.op is not None:
        if value.op.name == name:
            return True
        value = value.op.operand(0) if value.op.operands else value.op.results[0]
        if value.op is None or not value.op.operands:
            return value.op is not None and value.op.name == name
    return False


def test_what_nobody_used_before_is_not_swept_away() -> None:
    text = "func.func @f(%x: f32) { %0 = math.exp %x : f32 %1 = math.log %x : f32 return }"
    assert "math.log" in print_op(reduced(text, has("math.log")))


def test_everything_can_go() -> None:
    assert count_ops(reduced(CHAIN, lambda module: True)) == 0


def test_results_arguments_and_facts_go() -> None:
    def main_is_there(module: Op) -> bool:
        functions = [op for op in module.walk() if op.name == "func.func" and not op.is_declaration]
        return any(op.sym_name == "main" for op in functions)

    assert text_of(reduced(CHAIN, main_is_there)) == ["func.func @main() {", "return", "}"]


def test_a_result_may_be_returned_earlier() -> None:
    def exp_is_returned(module: Op) -> bool:
        return any(v.op is not None and v.op.name == "tir.exp" or _uses_exp(v) for op in module.walk()
                   if op.name == "func.return" for v in op.operands)

    def _uses_exp(value) -> bool:  # noqa: ANN001
        return value.op is not None and any(v.op is not None and v.op.name == "tir.exp" for v in value.op.operands)

    module = reduced(CHAIN, exp_is_returned)
    assert [op.name for op in module.walk()][1:] == ["func.func", "tir.exp", "func.return"]


def test_loops_and_branches_are_opened() -> None:
    text = """
        func.func @f(%x: memref<8x8xf32>, %n: index, %c: i1) {
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : index
          scf.for %i = %c0 to %n step %c1 {
            scf.parallel (%j) = (%c0) to (%n) step (%c1) {
              scf.if %c {
                %0 = memref.load %x[%i, %j] : memref<8x8xf32>
                %1 = math.exp %0 : f32
                memref.store %1, %x[%i, %j] : memref<8x8xf32>
              }
            }
          }
          return
        }
    """
    assert text_of(reduced(text, has("math.exp"))) == [
        "func.func @f(%arg0: f32) {", "%0 = math.exp %arg0 : f32", "return", "}"
    ]
    assert count_ops(reduced(text, has("memref.store"))) == 3


def test_what_a_loop_carries_becomes_plain_values() -> None:
    text = """
        func.func @f(%a: f32, %n: index) -> f32 {
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : index
          %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %a) -> (f32) {
            %0 = arith.mulf %s, %a : f32
            scf.yield %0 : f32
          }
          return %r : f32
        }
    """

    def product_is_returned(module: Op) -> bool:
        ends = [op for op in module.walk() if op.name == "func.return"]
        return any(v.op is not None and v.op.name == "arith.mulf" for op in ends for v in op.operands)

    # The loop's own result is not the product: the test needs both to become one.
    start = parse(text)
    opened = reduce_module(start, has("arith.mulf", "func.return"))
    assert "scf.for" not in print_op(opened)
    assert not product_is_returned(start)


def test_blocks_go() -> None:
    text = """
        func.func @f(%c: i1, %x: f32) -> f32 {
          cf.cond_br %c, ^bb1(%x : f32), ^bb2
        ^bb1(%a: f32):
          %0 = math.exp %a : f32
          cf.br ^bb3(%0 : f32)
        ^bb2:
          %1 = math.log %x : f32
          cf.br ^bb3(%1 : f32)
        ^bb3(%r: f32):
          return %r : f32
        }
    """
    module = reduced(text, has("math.exp"))
    assert "math.log" not in print_op(module) and "cond_br" not in print_op(module)


def test_calls_are_inlined_or_dropped() -> None:
    text = """
        func.func private @inner(%x: f32) -> f32 {
          %0 = math.exp %x : f32
          return %0 : f32
        }
        func.func @main(%x: f32) -> f32 {
          %0 = call @inner(%x) : (f32) -> f32
          return %0 : f32
        }
    """
    assert count_ops(reduced(text, has("math.exp"))) == 3
    assert count_ops(reduced(text, has("func.call"))) == 4


def sizes_of(module: Op) -> set[str]:
    values = [v for op in module.walk() for v in (*op.results, *(a for r in op.regions for b in r.blocks for a in b.arguments))]
    return {str(dim) for v in values if isinstance(v.type, ShapedType) for dim in v.type.shape}


def test_sizes_become_small_everywhere_at_once() -> None:
    text = """
        func.func @f(%x: tensor<64x[N]xf32>, %w: tensor<[N]x10xf32>, %n: tensor<?xf32>) -> tensor<64x10xf32> {
          %0 = tir.dot %x, %w : tensor<64x10xf32>
          %1 = tir.sum %n over [0] : tensor<f32>
          %2 = tir.broadcast %1 along [] : tensor<f32> -> tensor<64x10xf32>
          %3 = tir.add %0, %2 : tensor<64x10xf32>
          return %3 : tensor<64x10xf32>
        }
    """
    def wanted(module: Op) -> bool:
        adds = [op for op in module.walk() if op.name == "tir.add"]
        return any([v.op.name if v.op else "" for v in op.operands] == ["tir.dot", "tir.broadcast"] for op in adds)

    assert sizes_of(reduced(text, wanted)) == {"1"}


def test_a_size_that_matters_stays() -> None:
    text = "func.func @f(%x: tensor<12x7xf32>) -> tensor<12x7xf32> { %0 = tir.exp %x : tensor<12x7xf32> return %0 : tensor<12x7xf32> }"

    def has_seven(module: Op) -> bool:
        return has("tir.exp")(module) and "7" in sizes_of(module)

    assert sizes_of(reduced(text, has_seven)) == {"1", "7"}


def test_constants_become_one_number_and_are_cut_with_their_type() -> None:
    text = """
        func.func @f() -> tensor<3x2xf32> {
          %0 = tir.constant dense<[[1.5, 2.5], [3.5, 4.5], [5.5, 6.5]]> : tensor<3x2xf32>
          %1 = tir.exp %0 : tensor<3x2xf32>
          return %1 : tensor<3x2xf32>
        }
    """
    module = reduced(text, has("tir.constant", "tir.exp"))
    assert "tir.constant dense<1.5> : tensor<1x1xf32>" in print_op(module)


def test_an_attribute_that_is_not_declared_goes() -> None:
    module = reduced('func.func @f(%x: f32) { %0 = math.exp %x {my.note = "x"} : f32 return }', has("math.exp"))
    assert "my.note" not in print_op(module)


def test_unregistered_ops_are_reduced_too() -> None:
    text = '"test.a"() : () -> () %0 = "test.b"() ({ "test.c"() : () -> () }) {k = 1} : () -> i32 "test.d"(%0) : (i32) -> ()'
    module = parse_text(text, REGISTRY, allow_unregistered=True)
    small = reduce_module(module, has("test.c"))
    assert [op.name for op in small.walk()][1:] == ["test.c"]


# --- how it works ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_each_candidate_of_a_random_program_verifies_and_the_last_is_minimal(seed: int) -> None:
    module = parse(random_program(seed).text)
    wanted = sorted({op.name for op in module.walk()} - {"builtin.module", "func.func", "func.return"})[-1]
    seen: list[int] = []

    def interesting(candidate: Op) -> bool:
        assert not check(candidate)
        seen.append(count_ops(candidate))
        return has(wanted)(candidate)

    small = reduce_module(module, interesting)
    assert seen and count_ops(small) <= 5, print_op(small)
    assert print_op(reduce_module(small, has(wanted))) == print_op(small)


@pytest.mark.slow
def test_a_module_at_the_level_of_loops_is_reduced() -> None:
    module = parse(random_program(3).text)
    run_pipeline(default(), module)
    name = "arith.addf" if has("arith.addf")(module) else "memref.store"
    assert count_ops(reduce_module(module, has(name))) <= 5


def test_few_tests_are_needed_for_a_long_program() -> None:
    lines = "\n".join(f"%v{i + 1} = arith.addf %v{i}, %v{i} : f32" for i in range(500))
    text = f"func.func @f(%v0: f32) -> f32 {{ {lines} %e = math.exp %v250 : f32 return %v500 : f32 }}"
    reduction = Reduction(parse(text), has("math.exp"))
    assert count_ops(reduction.run()) == 3
    assert reduction.tests < 100


def test_the_same_module_gives_the_same_result_and_tests() -> None:
    runs = [Reduction(parse(CHAIN), has("tir.sum")) for _ in range(2)]
    texts = [print_op(run.run()) for run in runs]
    assert texts[0] == texts[1] and runs[0].tests == runs[1].tests


def test_the_module_that_was_given_stays_as_it_is() -> None:
    module = parse(CHAIN)
    before = print_op(module)
    reduce_module(module, has("tir.exp"))
    assert print_op(module) == before


def test_no_module_is_tested_twice() -> None:
    texts: list[str] = []

    def interesting(module: Op) -> bool:
        texts.append(print_op(module))
        return has("tir.mul")(module)

    reduce_module(parse(CHAIN), interesting)
    assert len(texts) == len(set(texts))


def test_each_module_that_is_kept_is_smaller() -> None:
    costs: list[tuple[int, ...]] = [cost(parse(CHAIN))]
    reduce_module(parse(CHAIN), has("tir.mul"), improved=lambda module, progress: costs.append(cost(module)))
    assert len(costs) > 3 and costs == sorted(costs, reverse=True) and len(set(costs)) == len(costs)


def test_the_budget_of_tests_ends_it() -> None:
    reduction = Reduction(parse(CHAIN), has("tir.mul"), max_tests=3)
    reduction.run()
    assert reduction.tests == 3 and reduction.stopped
    assert not Reduction(parse(CHAIN), has("tir.mul")).stopped


def test_the_budget_of_time_ends_it() -> None:
    reduction = Reduction(parse(CHAIN), has("tir.mul"), seconds=0.0)
    assert print_op(reduction.run()) == print_op(parse(CHAIN)) and reduction.stopped


def test_progress_tells_tests_and_ops() -> None:
    seen: list[Progress] = []
    reduce_module(parse(CHAIN), has("tir.mul"), improved=lambda module, progress: seen.append(progress))
    assert [p.tests for p in seen] == sorted({p.tests for p in seen}) and seen[-1].ops == 3
    assert {p.edit for p in seen} <= {name for name, _ in EDITS}


def test_what_watches_passes_outside_does_not_see_the_inside() -> None:
    class Refuse:
        def allows(self, action: actions.Action) -> bool:
            return False

        def changed(self, action: actions.Action) -> None:
            raise AssertionError

    text = "func.func @f(%x: f32) -> f32 { %0 = math.exp %x : f32 return %0 : f32 }"
    with actions.watched_by([Refuse()]):
        assert count_ops(reduce_module(parse(text), has("func.func"))) == 1


def test_an_interrupt_leaves_the_best_so_far() -> None:
    def interesting(module: Op) -> bool:
        if reduction.tests > 4:
            raise KeyboardInterrupt
        return has("tir.exp")(module)

    reduction = Reduction(parse(CHAIN), interesting)
    with pytest.raises(KeyboardInterrupt):
        reduction.run()
    assert has("tir.exp")(reduction.best) and count_ops(reduction.best) < count_ops(parse(CHAIN))
