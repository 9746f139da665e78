"""fuse-structured: fewer ops, the same bits; what stays apart is a remark."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.random_programs import random_program
from tir.dialects import linalg
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff
from tir.passes.fuse_structured import FuseStructured
from tir.passes.lower_structured import LowerStructured
from tir.passes.state_to_arguments import StateToArguments


def structured(text: str) -> Op:
    module = parse_text(text, REGISTRY, file="m.tir")
    LowerStructured().run(module)
    return module


def generics(module: Op, *, fills: bool = False) -> list[linalg.Generic]:
    """The structured ops in order; without those that have no inputs."""
    return [op for op in module.walk() if isinstance(op, linalg.Generic) and (fills or op.inputs)]


def body(op: linalg.Generic) -> list[str]:
    return [inner.name for inner in op.body]


def fused(text: str, *arguments: Any, **options: Any) -> tuple[Op, list[str]]:
    """The module behind the pass, and its remarks. Where arguments are given, the results must keep their bits."""
    module = structured(text)
    before = Interpreter(module).run("f", arguments) if arguments else []
    step = FuseStructured(**options)
    step.run(module)
    verify(module)
    after = Interpreter(module).run("f", arguments) if arguments else []
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    return module, [f"{where.file_location()}: {text}" for where, text in step.remarks]


def function(lines: Sequence[str], *, arguments: str, results: str) -> str:
    """@f that returns %r0, %r1, .. of these types."""
    types = results.split("; ")
    values = ", ".join(f"%r{i}" for i in range(len(types)))
    inside = "\n".join(f"  {line}" for line in lines)
    return f"func.func @f({arguments}) -> ({', '.join(types)}) {{\n{inside}\n  return {values} : {', '.join(types)}\n}}"


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


V, M = "tensor<?xf32>", "tensor<?x4xf32>"


def test_a_chain_of_elementwise_ops_becomes_one_op() -> None:
    text = function(
        [f"%0 = tir.exp %x : {V}", f"%1 = tir.neg %0 : {V}", f"%r0 = tir.mul %1, %x : {V}"],
        arguments=f"%x: {V}",
        results=V,
    )
    module, remarks = fused(text, numbers(5))
    (op,) = generics(module, fills=True)
    assert body(op) == ["math.exp", "arith.negf", "arith.mulf", "linalg.yield"]
    assert len(op.inputs) == 1  # %x is read once
    assert remarks == []


def test_a_producer_goes_into_a_reduction_and_what_reads_the_reduction_stays_apart() -> None:
    text = function(
        [f"%0 = tir.exp %x : {M}", f"%1 = tir.sum %0 over [1] : {V}", f"%r0 = tir.log %1 : {V}"],
        arguments=f"%x: {M}", results=V,
    )  # fmt: skip
    module, remarks = fused(text, numbers(3, 4))
    assert [body(op) for op in generics(module)] == [
        ["math.exp", "arith.addf", "linalg.yield"],
        ["math.log", "linalg.yield"],
    ]
    assert remarks == ["m.tir:4:3: not fused: the producer is a reduction"]


@pytest.mark.parametrize(
    ("op", "max_cost", "ops"), [("square", 16, 2), ("tanh", 16, 3), ("tanh", 27, 2), ("square", 1, 3)]
)
def test_a_producer_with_two_uses_is_computed_twice_only_if_that_is_cheap(op: str, max_cost: int, ops: int) -> None:
    text = function(
        [f"%0 = tir.{op} %x : {M}", f"%r0 = tir.sum %0 over [1] : {V}", "%r1 = tir.sum %0 over [0] : tensor<4xf32>"],
        arguments=f"%x: {M}", results=f"{V}; tensor<4xf32>",
    )  # fmt: skip
    module, remarks = fused(text, numbers(3, 4), max_cost=max_cost)
    assert len(generics(module)) == ops
    if ops == 3:
        cost = 27 if op == "tanh" else 2
        assert (
            f"not fused: the producer costs {cost} and would be computed 2 times; max-cost is {max_cost}" in remarks[0]
        )


def test_a_costly_value_of_a_row_is_not_computed_again_for_each_column() -> None:
    text = function(
        [
            f"%0 = tir.log %x : {V}",
            f"%1 = tir.broadcast %0 along [0] sizes(%n) : {V} -> {M}",
            f"%r0 = tir.sub %y, %1 : {M}",
        ],
        arguments=f"%x: {V}, %y: {M}, %n: index", results=M,
    )  # fmt: skip
    module, remarks = fused(text, numbers(3), numbers(3, 4), 3)
    assert [body(op)[0] for op in generics(module)] == ["math.log", "arith.subf"]
    again = "would be computed again for each point of a loop that it does not need"
    assert remarks == [f"m.tir:4:3: not fused: the producer costs 19 and {again}"]
    cheap, _ = fused(text.replace("tir.log", "tir.neg"), numbers(3), numbers(3, 4), 3)
    assert [body(op)[:2] for op in generics(cheap)] == [["arith.negf", "arith.subf"]]


def test_a_matrix_product_takes_in_transposes_and_no_arithmetic() -> None:
    square = "tensor<4x4xf32>"
    text = function(
        [
            f"%0 = tir.transpose %x by [1, 0] : {square}",
            f"%1 = tir.neg %y : {square}",
            f"%r0 = tir.dot %0, %1 : {square}",
        ],
        arguments=f"%x: {square}, %y: {square}", results=square,
    )  # fmt: skip
    module, remarks = fused(text, numbers(4, 4), numbers(4, 4, seed=1))
    negated, product = generics(module)
    assert body(product) == ["arith.mulf", "arith.addf", "linalg.yield"]
    assert str(product.input_maps[0]) == "(d0, d1, d2) -> (d2, d0)"
    assert remarks == ["m.tir:4:3: not fused: the consumer is a contraction, into which only moves are fused"]


def test_numbers_everywhere_become_numbers_in_the_body() -> None:
    text = function(
        ["%0 = tir.constant dense<2.0> : tensor<3xf32>", "%1 = tir.full 3.0 : f32 -> tensor<3xf32>",
         "%2 = tir.mul %0, %1 : tensor<3xf32>", "%r0 = tir.add %x, %2 : tensor<3xf32>"],
        arguments="%x: tensor<3xf32>", results="tensor<3xf32>",
    )  # fmt: skip
    module, _ = fused(text, numbers(3))
    (op,) = generics(module, fills=True)
    assert len(op.inputs) == 1
    assert not any(
        isinstance(inner, linalg.Generic) or "dense" in str(inner.properties)
        for inner in module.walk()
        if inner is not op
    )


def test_a_loop_keeps_an_operand_that_says_its_length() -> None:
    text = function(
        ["%n = tir.dim %x axis 0 : tensor<?xf32>", "%0 = tir.full 3.0 : f32 sizes(%n) -> tensor<?xf32>",
         "%r0 = tir.sum %0 over [0] : tensor<f32>"],
        arguments="%x: tensor<?xf32>", results="tensor<f32>",
    )  # fmt: skip
    module, remarks = fused(text, numbers(7))
    assert len(generics(module, fills=True)) == 3
    assert remarks == [
        "m.tir:4:3: not fused: without the producer's result nothing says how long a loop of the consumer is"
    ]


def test_a_known_length_is_said_by_an_input_that_nobody_reads() -> None:
    text = function(
        ["%0 = tir.full 3.0 : f32 -> tensor<7xf32>", "%r0 = tir.sum %0 over [0] : tensor<f32>"],
        arguments="%x: tensor<f32>", results="tensor<f32>",
    )  # fmt: skip
    module, remarks = fused(text, numbers())
    (op,) = generics(module)
    assert [str(value.type) for value in op.inputs] == ["tensor<7xi1>"]
    assert not any(argument.is_used for argument in op.input_arguments)
    assert remarks == []


WINDOWS = "%0 = tir.windows %x window [3, 3] strides [2, 1] : tensor<4x6x3x3xf32>"


def test_windows_are_read_where_they_lie() -> None:
    text = function(
        [WINDOWS, "%r0 = tir.max %0 over [2, 3] : tensor<4x6xf32>"],
        arguments="%x: tensor<9x8xf32>", results="tensor<4x6xf32>",
    )  # fmt: skip
    module, _ = fused(text, numbers(9, 8))
    (op,) = generics(module)
    assert str(op.input_maps[0]) == "(d0, d1, d2, d3) -> (d0 * 2 + d2, d1 + d3)"


@pytest.mark.parametrize(("outputs", "count"), [(4, 2), (1, 1)])
def test_windows_become_columns_where_a_product_of_matrices_reads_them(outputs: int, count: int) -> None:
    text = function(
        [WINDOWS, f'%r0 = tir.einsum "oij,pqij->opq" %w, %0 : tensor<{outputs}x4x6xf32>'],
        arguments=f"%x: tensor<9x8xf32>, %w: tensor<{outputs}x3x3xf32>", results=f"tensor<{outputs}x4x6xf32>",
    )  # fmt: skip
    module, _ = fused(text, numbers(9, 8), numbers(outputs, 3, 3))
    assert len(generics(module)) == count


OPTIMIZER = function(
    [f"%gg = tir.square %g : {V}", f"%r0 = tir.add %a, %gg : {V}", f"%s = tir.sqrt %r0 : {V}",
     f"%u = tir.div %g, %s : {V}", f"%r1 = tir.sub %w, %u : {V}"],
    arguments=f"%w: {V}, %g: {V}, %a: {V}", results=f"{V}; {V}",
)  # fmt: skip


def test_an_optimizer_update_becomes_one_op_with_two_results() -> None:
    module, _ = fused(OPTIMIZER, *(np.abs(numbers(5, seed=i)) for i in range(3)))
    (op,) = generics(module)
    assert len(op.results) == 2 and len(op.inputs) == 3
    assert body(op).count("arith.mulf") == 1  # the square is not computed twice


def test_reductions_of_one_input_share_its_loop() -> None:
    text = function(
        [
            f"%0 = tir.square %x : {M}",
            "%r0 = tir.sum %x over [0] : tensor<4xf32>",
            "%r1 = tir.sum %0 over [0] : tensor<4xf32>",
        ],
        arguments=f"%x: {M}", results="tensor<4xf32>; tensor<4xf32>",
    )  # fmt: skip
    module, _ = fused(text, numbers(3, 4))
    (op,) = generics(module)
    assert len(op.results) == 2


def test_siblings_that_depend_on_each_other_through_a_third_op_stay_apart() -> None:
    # The sum needs the first exp, and the second exp needs the sum.
    text = function(
        [f"%r0 = tir.exp %x : {V}", "%s = tir.sum %r0 over [0] : tensor<f32>",
         f"%b = tir.broadcast %s along [] sizes(%n) : tensor<f32> -> {V}", f"%m = tir.mul %x, %b : {V}",
         f"%r1 = tir.exp %m : {V}"],
        arguments=f"%x: {V}, %n: index", results=f"{V}; {V}",
    )  # fmt: skip
    module, remarks = fused(text, numbers(3), 3)
    assert len(generics(module)) == 3
    assert "m.tir:6:3: not fused: an op between two siblings needs the first and is needed by the second" in remarks


def test_what_needs_the_first_sibling_moves_behind_the_merged_op() -> None:
    text = function(
        [f"%r0 = tir.exp %x : {V}", "%0 = tir.sum %r0 over [0] : tensor<f32>", "%r1 = tir.neg %0 : tensor<f32>",
         f"%r2 = tir.neg %x : {V}"],
        arguments=f"%x: {V}", results=f"{V}; tensor<f32>; {V}",
    )  # fmt: skip
    module, _ = fused(text, numbers(3))
    assert [len(op.results) for op in generics(module)] == [2, 1, 1]


def test_pure_ops_fuse_across_asserts_which_keep_their_order() -> None:
    text = function(
        [
            f"%0 = tir.exp %x : {V}",
            f"%1 = tir.add %0, %y : {V}",
            f"%2 = tir.neg %1 : {V}",
            f"%r0 = tir.mul %2, %z : {V}",
        ],
        arguments=f"%x: {V}, %y: {V}, %z: {V}", results=V,
    )  # fmt: skip
    module, _ = fused(text, *(numbers(3, seed=i) for i in range(3)))
    (op,) = generics(module)
    assert [one.name for one in module.walk()].count("cf.assert") == 2
    with pytest.raises(Exception, match="tir.add: axis 0 of rhs must have the size of axis 0 of lhs"):
        Interpreter(module).run("f", [numbers(3), numbers(2), numbers(1)])


def test_positions_follow_the_loops() -> None:
    text = function(
        ["%0 = tir.iota axis 0 : tensor<2x3xf32>", "%1 = tir.transpose %0 by [1, 0] : tensor<3x2xf32>",
         "%r0 = tir.add %1, %x : tensor<3x2xf32>"],
        arguments="%x: tensor<3x2xf32>", results="tensor<3x2xf32>",
    )  # fmt: skip
    module, _ = fused(text, numbers(3, 2))
    (op,) = generics(module, fills=True)
    assert [inner.dim for inner in op.body if isinstance(inner, linalg.Index)] == [1]


MAPS = 'indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]'
FROM_EXP = f"""
func.func @f(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {{
  %0 = linalg.generic {{{MAPS}}} ins(%x : tensor<3xf32>) outs(%y : tensor<3xf32>) {{
  ^bb0(%a: f32, %b: f32):
    %1 = math.exp %a : f32
    %2 = arith.addf %1, %b : f32
    linalg.yield %2 : f32
  }} -> tensor<3xf32>
  %3 = linalg.generic {{{MAPS}}} ins(%x : tensor<3xf32>) outs(%0 : tensor<3xf32>) {{
  ^bb0(%a: f32, %b: f32):
    %4 = arith.mulf %a, %b : f32
    linalg.yield %4 : f32
  }} -> tensor<3xf32>
  return %3 : tensor<3xf32>
}}"""


def test_a_producer_goes_into_a_consumer_that_reads_it_by_two_maps() -> None:
    text = function(
        ["%0 = tir.full 7 : i32 -> tensor<2xi32>", "%r0 = tir.rng_bits %0 : tensor<5xui32>"],
        arguments="%x: tensor<f32>", results="tensor<5xui32>",
    )  # fmt: skip
    module, remarks = fused(text, np.float32(0))
    assert len(generics(module, fills=True)) == 1 and remarks == []


def test_a_producer_that_is_an_output_of_its_consumer_stays() -> None:
    module, _ = fused(FROM_EXP, numbers(3), numbers(3, seed=1))
    assert len(generics(module)) == 2


def test_a_producer_that_starts_from_its_output_brings_it_along_as_an_input() -> None:
    text = FROM_EXP.replace("ins(%x : tensor<3xf32>) outs(%0 ", "ins(%0 : tensor<3xf32>) outs(%x ")
    module, _ = fused(text, numbers(3), numbers(3, seed=1))
    (op,) = generics(module)
    assert body(op) == ["math.exp", "arith.addf", "arith.mulf", "linalg.yield"]


def test_ops_on_buffers_are_left_alone() -> None:
    text = f"""
    func.func @f(%x: memref<3xf32>, %y: memref<3xf32>) {{
      linalg.generic {{{MAPS}}} ins(%x : memref<3xf32>) outs(%y : memref<3xf32>) {{
      ^bb0(%a: f32, %b: f32):
        linalg.yield %a : f32
      }}
      linalg.generic {{{MAPS}}} ins(%y : memref<3xf32>) outs(%x : memref<3xf32>) {{
      ^bb0(%a: f32, %b: f32):
        linalg.yield %b : f32
      }}
      return
    }}"""
    before = print_op(parse_text(text, REGISTRY))
    assert print_op(fused(text)[0]) == before


def test_results_that_nobody_uses_go_with_what_they_need() -> None:
    maps = MAPS.replace(" affine_map", " affine_map<(d0) -> (d0)>, affine_map", 1)
    text = f"""
    func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {{
      %e = tensor.empty() : tensor<3xf32>
      %0:2 = linalg.generic {{{maps}}} ins(%x : tensor<3xf32>) outs(%e, %e : tensor<3xf32>, tensor<3xf32>) {{
      ^bb0(%a: f32, %b: f32, %c: f32):
        %1 = math.exp %a : f32
        %2 = arith.negf %a : f32
        linalg.yield %1, %2 : f32, f32
      }} -> (tensor<3xf32>, tensor<3xf32>)
      return %0#1 : tensor<3xf32>
    }}"""
    module, _ = fused(text, numbers(3))
    (op,) = generics(module)
    assert body(op) == ["arith.negf", "linalg.yield"]


def test_accumulators_that_another_one_needs_stay() -> None:
    text = function(["%r0 = tir.argmax %x axis 1 : tensor<?xi64>"], arguments=f"%x: {M}", results="tensor<?xi64>")
    module, _ = fused(text, numbers(5, 4))
    assert len(generics(module)[0].results) == 2


def test_a_loop_body_does_not_take_in_what_stands_outside_of_it() -> None:
    text = f"""
    func.func @f(%x: {V}, %n: index) -> {V} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %e = tir.exp %x : {V}
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%y = %x) -> ({V}) {{
        %0 = tir.add %y, %e : {V}
        %1 = tir.neg %0 : {V}
        scf.yield %1 : {V}
      }}
      return %r : {V}
    }}"""
    module, _ = fused(text, numbers(3), 2)
    assert [body(op)[0] for op in generics(module)] == ["math.exp", "arith.addf"]


def test_the_result_is_the_same_text_each_time() -> None:
    texts = {print_op(fused(OPTIMIZER)[0]) for _ in range(5)}
    assert len(texts) == 1


@pytest.mark.parametrize("line", ["tir.neg %{0} : {2}", "tir.mul %{0}, %{0} : {2}", "tir.add %{0}, %{1} : {2}"])
def test_long_programs_take_neither_the_stack_nor_quadratic_time(line: str) -> None:
    count = 1000
    lines = [f"%{i} = " + line.format(i - 1, max(0, i - 2), V) for i in range(1, count)]
    module = structured(function(
        [f"%0 = tir.exp %x : {V}", *lines, f"%r0 = tir.neg %{count - 1} : {V}"], arguments=f"%x: {V}", results=V
    ))  # fmt: skip
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    start = time.perf_counter()
    try:
        FuseStructured().run(module)
    finally:
        sys.setrecursionlimit(limit)
    assert time.perf_counter() - start < 20  # about 0.5 s on an idle machine; quadratic time would be minutes
    assert len(generics(module)) == 1
    verify(module)


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_give_the_same_bits(seed: int) -> None:
    program = random_program(seed)
    module = parse_text(program.text, REGISTRY)
    try:
        Autodiff().run(module)
    except PassError:
        pytest.skip("the program has no gradient")
    StateToArguments().run(module)
    LowerStructured().run(module)
    (main,) = (one for one in module.body if one.sym_name == "main")
    arguments = []
    for i in range(len(main.function_type.inputs)):
        shared = main.argument_attribute(i, "tir.shared")
        if shared is not None:
            arguments.append(Interpreter(module).run(shared.root)[0])
        else:
            value = np.asarray(program.arguments(seed)[main.argument_attribute(i, "tir.name").value])
            arguments.append(value.view(value.dtype.str.replace("u", "i")) if value.dtype.kind == "u" else value)
    before = Interpreter(module).run("main", arguments)
    FuseStructured(max_cost=(0, 16, 1000)[seed % 3]).run(module)
    verify(module)
    for one, other in zip(before, Interpreter(module).run("main", arguments), strict=True):
        np.testing.assert_array_equal(one, other)
