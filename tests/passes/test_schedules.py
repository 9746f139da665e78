"""Schedules: what each op does to handles and to the program, and the errors of those that cannot be run."""

from __future__ import annotations

import inspect
import random
import sys
from typing import Any

import numpy as np
import pytest

from tests.passes.schedule_texts import PROGRAMS, numbered, random_arguments, random_schedule_text, with_schedule
from tir.api import executable, parse
from tir.dialects.all import REGISTRY
from tir.ir.errors import TirError, TirErrors
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.pipelines import to_structured
from tir.passes.transform_interpreter import TransformInterpreter

QUICK, SLOW = range(60), [range(start, start + 300) for start in range(60, 2_460, 300)]
ANY = "!transform.any_op"
TO_ONE = f"({ANY}) -> {ANY}"

LOOPS = """
  func.func @f(%m: memref<?x8xf32>, %n: index, %x: f32) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    scf.for %i = %c0 to %n step %c1 {
      scf.for %j = %c0 to %c8 step %c1 {
        memref.store %x, %m[%i, %j] : memref<?x8xf32>
      } {inner}
    } {outer}
    return
  }
  func.func @g(%x: f32) -> f32 {
    %0 = arith.addf %x, %x : f32
    %1 = arith.mulf %0, %x : f32
    %2 = arith.mulf %0, %1 : f32
    return %2 : f32
  }
"""
INNER = f"%inner = transform.structured.match attributes{{inner}} in %root : {TO_ONE}\n"
OUTER = f"%outer = transform.structured.match attributes{{outer}} in %root : {TO_ONE}\n"
SUM = f'%sum = transform.structured.match ops{{["arith.addf"]}} in %root : {TO_ONE}\n'
PRODUCTS = f'%products = transform.structured.match ops{{["arith.mulf"]}} in %root : {TO_ONE}\n'


def module_of(schedule: str, payload: str = LOOPS, more: str = "", argument: str = "") -> Op:
    return parse_text(f"""
    module attributes {{transform.with_named_sequence}} {{
      {payload}
      {more}
      transform.named_sequence @__transform_main(%root: {ANY}{argument}) {{
        {schedule}
        transform.yield
      }}
    }}
    """, REGISTRY)  # fmt: skip


def run(schedule: str, payload: str = LOOPS, more: str = "", **options: Any) -> tuple[Op, list[tuple[Any, ...]]]:
    """The module behind its schedule, and the remarks."""
    module, step = module_of(schedule, payload, more), TransformInterpreter(**options)
    step.run(module)
    verify(module)
    return module, step.remarks


def marked(module: Op, mark: str = "here") -> list[str]:
    """The names of the ops with an attribute."""
    return [op.name for op in module.walk() if mark in op.attributes]


def found(schedule: str, handle: str, payload: str = LOOPS) -> list[str]:
    """The names of the ops that a handle leads to at the end of the schedule, in the order of the text."""
    return marked(run(f'{schedule}\ntransform.annotate {handle} "here" : {ANY}', payload)[0])


def error_of(schedule: str, payload: str = LOOPS, more: str = "", **options: Any) -> TirError:
    with pytest.raises(TirError) as caught:
        run(schedule, payload, more, **options)
    return caught.value.errors[0] if isinstance(caught.value, TirErrors) else caught.value


# --- random schedules ------------------------------------------------------------------------------------------------


def check(seed: int, with_machine_code: bool) -> bool:
    """Whether the schedule has changed the program, which computes what it did."""
    r = random.Random(seed)
    name, element, is_open = r.choice(list(PROGRAMS)), r.choice(["f32", "i32"]), r.random() < 0.5
    smallest = 1 if name in ("columns", "first largest") else 0  # of nothing there is no largest
    sizes = (r.choice([0, 1, 3, 8]), max(smallest, r.choice([0, 1, 2, 5, 9])), r.choice([0, 1, 3, 8]))
    text, count = numbered(name, element, sizes, is_open)
    arguments = random_arguments(seed, element, sizes)
    whole = with_schedule(text, random_schedule_text(seed, count))
    module = parse_text(whole, REGISTRY)
    before = print_op(module)
    TransformInterpreter().run(module)
    verify(module)
    after = print_op(module)
    want = executable(parse(text), "interpret").call("f", arguments)
    for target in ("interpret", "cpu") if with_machine_code else ("interpret",):
        got = executable(parse(after), target).call("f", arguments)
        for one, other in zip(want, got):  # whole numbers: sums are exact in any order
            np.testing.assert_array_equal(other, one, f"seed {seed}, {target}:\n{whole}\n{after}")
    return before != after


@pytest.mark.parametrize("first", QUICK[::20])
def test_random_schedules_of_structured_programs_change_no_result(first: int) -> None:
    assert sum(check(seed, seed % 5 == 0) for seed in range(first, first + 20)) > 4


@pytest.mark.slow
@pytest.mark.parametrize("seeds", SLOW, ids=str)
def test_many_random_schedules_change_no_result(seeds: range) -> None:
    assert sum(check(seed, seed % 10 == 0) for seed in seeds) > len(seeds) // 4


# --- handles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "handle", "names"), [
    (f'%h = transform.structured.match ops{{["scf.for", "arith.addf"]}} in %root : {TO_ONE}', "%h", ["scf.for", "scf.for", "arith.addf"]),
    (f"%h = transform.structured.match interface{{LoopLikeInterface}} in %root : {TO_ONE}", "%h", ["scf.for"] * 2),
    (f"%h = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}", "%h", []),
    (f'%h = transform.structured.match ops{{["scf.for"]}} attributes{{inner}} in %root : {TO_ONE}', "%h", ["scf.for"]),
    (f"%h = transform.structured.match attributes{{inner = 1 : i64}} in %root : {TO_ONE}", "%h", []),
    (f"%h = transform.structured.match filter_result_type = f32 in %root : {TO_ONE}", "%h", ["arith.addf", "arith.mulf", "arith.mulf"]),
    (INNER + f"%h = transform.get_parent_op %inner : {TO_ONE}", "%h", ["scf.for"]),
    (INNER + f'%h = transform.get_parent_op %inner {{op_name = "func.func"}} : {TO_ONE}', "%h", ["func.func"]),
    (INNER + f"%h = transform.get_parent_op %inner {{isolated_from_above, nth_parent = 2 : i64}} : {TO_ONE}", "%h", ["builtin.module"]),
    (INNER + f"%h = transform.get_parent_op %inner {{nth_parent = 9 : i64, allow_empty_results}} : {TO_ONE}", "%h", []),
    (PRODUCTS + f"%h = transform.get_producer_of_operand %products[0] : {TO_ONE}", "%h", ["arith.addf"]),
    (SUM + f"%h = transform.get_consumers_of_result %sum[0] : {TO_ONE}", "%h", ["arith.mulf", "arith.mulf"]),
    (SUM + f"%v = transform.get_result %sum[all] : ({ANY}) -> !transform.any_value\n"
     f"%h = transform.get_defining_op %v : (!transform.any_value) -> {ANY}", "%h", ["arith.addf"]),
    (PRODUCTS + f"%v = transform.get_operand %products[except(0)] : ({ANY}) -> !transform.any_value\n"
     f"%w, %u = transform.split_handle %v : (!transform.any_value) -> (!transform.any_value, !transform.any_value)\n"
     f"%h = transform.get_defining_op %u : (!transform.any_value) -> {ANY}", "%h", ["arith.mulf"]),
    (SUM + PRODUCTS + f"%h = transform.merge_handles %products, %sum : {ANY}", "%h", ["arith.addf", "arith.mulf", "arith.mulf"]),
    (SUM + PRODUCTS + f"%a = transform.merge_handles %products, %sum : {ANY}\n"
     f'%h = transform.select "arith.addf" in %a : {TO_ONE}', "%h", ["arith.addf"]),
    (PRODUCTS + f"%g, %h = transform.split_handle %products : ({ANY}) -> ({ANY}, {ANY})", "%h", ["arith.mulf"]),
    (PRODUCTS + f"%h, %g = transform.split_handle %products {{overflow_result = 0 : i64}} : ({ANY}) -> ({ANY}, {ANY})", "%h", ["arith.mulf"]),
    (SUM + f"%g, %h = transform.split_handle %sum {{fail_on_payload_too_small = false}} : ({ANY}) -> ({ANY}, {ANY})", "%h", []),
    (INNER + f'%c = transform.cast %inner : {ANY} to !transform.op<"scf.for">\n%h = transform.cast %c : !transform.op<"scf.for"> to {ANY}',
     "%h", ["scf.for"]),
])  # fmt: skip
def test_what_handles_lead_to(schedule: str, handle: str, names: list[str]) -> None:
    assert found(schedule, handle) == names


def parameter(schedule: str) -> list[str]:
    """The texts of the remarks about %p."""
    _, remarks = run(f"{schedule}\ntransform.debug.emit_param_as_remark %p : !transform.param<i64>")
    assert {kind for _, _, kind in remarks} == {"analysis"}
    return [text for _, text, _ in remarks]


def test_numbers_of_ops() -> None:
    to_number = f"({ANY}) -> !transform.param<i64>"
    assert parameter(PRODUCTS + f"%p = transform.num_associations %products : {to_number}") == ["2 : i64"]
    twice = PRODUCTS + f"%all = transform.merge_handles %products, %products : {ANY}\n"
    assert parameter(twice + f"%p = transform.num_associations %all : {to_number}") == ["4 : i64"]
    once = twice + f"%each = transform.merge_handles deduplicate %all, %products : {ANY}\n"
    assert parameter(once + f"%p = transform.num_associations %each : {to_number}") == ["2 : i64"]
    copies = SUM + twice + f"%sums = transform.replicate num(%all) %sum : {ANY}, {ANY}\n"
    assert parameter(copies + f"%p = transform.num_associations %sums : {to_number}") == ["4 : i64"]


def test_parents_that_ops_share_come_once_if_so_asked() -> None:
    for words, count in (("", "2"), (", deduplicate", "1")):
        get = f'%h = transform.get_parent_op %products {{op_name = "func.func"{words}}} : {TO_ONE}\n'
        assert parameter(PRODUCTS + get + f"%p = transform.num_associations %h : ({ANY}) -> !transform.param<i64>") == [
            f"{count} : i64"
        ]


def test_foreach_goes_through_the_ops_one_by_one_and_puts_results_together() -> None:
    schedule = (
        PRODUCTS
        + SUM
        + f"""
    %sums = transform.replicate num(%products) %sum : {ANY}, {ANY}
    %h = transform.foreach %products, %sums : {ANY}, {ANY} -> {ANY} {{
    ^bb0(%a: {ANY}, %b: {ANY}):
      %n = transform.num_associations %a : ({ANY}) -> !transform.param<i64>
      transform.debug.emit_param_as_remark %n, "ops" at %a : !transform.param<i64>, {ANY}
      %c = transform.merge_handles %a, %b : {ANY}
      transform.yield %c : {ANY}
    }}
    %p = transform.num_associations %h : ({ANY}) -> !transform.param<i64>
    """
    )
    assert parameter(schedule) == ["ops 1 : i64", "ops 1 : i64", "4 : i64"]


def test_include_runs_another_sequence_and_gives_its_results() -> None:
    more = f"""transform.named_sequence private @loops(%m: {ANY} {{transform.readonly}}) -> {ANY} {{
      %l = transform.structured.match ops{{["scf.for"]}} in %m : {TO_ONE}
      transform.yield %l : {ANY}
    }}"""
    schedule = f"""%h = transform.include @loops failures(propagate) (%root) : {TO_ONE}
    %g = transform.include @loops failures(propagate) (%root) : {TO_ONE}
    transform.annotate %h "here" : {ANY}"""
    assert marked(run(schedule, more=more)[0]) == ["scf.for", "scf.for"]


def test_remarks_stand_at_the_op_and_annotations_have_values() -> None:
    schedule = (
        INNER
        + f"""%p = transform.param.constant 7 : i64 -> !transform.param<i64>
    transform.annotate %inner "size" = %p : {ANY}, !transform.param<i64>
    %v = transform.get_operand %inner[0] : ({ANY}) -> !transform.any_value
    transform.debug.emit_remark_at %inner, "the inner loop" : {ANY}
    transform.debug.emit_remark_at %v, "its lower bound" : !transform.any_value"""
    )
    module, remarks = run(schedule)
    assert [text for _, text, _ in remarks] == ["the inner loop", "its lower bound"]
    loop = next(op for op in module.walk() if "size" in op.attributes)
    assert str(loop.attributes["size"]) == "7 : i64"
    assert remarks[0][0] == loop.location
    assert remarks[1][0] == loop.operands[0].op.location  # type: ignore[union-attr]


def test_print_shows_ops_and_the_whole_program(capsys: pytest.CaptureFixture[str]) -> None:
    run(
        SUM
        + f'transform.print %sum {{name = "the sum"}} : {ANY}\ntransform.print %sum : {ANY}\ntransform.print {{name = "all"}}'
    )
    printed = capsys.readouterr().err
    assert printed.startswith("[[[ IR printer: the sum ]]]\n%0 = arith.addf")
    assert "\n[[[ IR printer: ]]]\n" in printed
    assert "\n[[[ IR printer: all top-level ]]]\nmodule attributes" in printed


# --- what is done to ops ---------------------------------------------------------------------------------------------


def names_in(module: Op, function: str) -> list[str]:
    (op,) = (op for op in module.body if getattr(op, "sym_name", "") == function)
    return [inner.name for inner in op.walk()][1:]


DOUBLE = """
  func.func @f(%x: f32) -> f32 {
    %0 = arith.addf %x, %x : f32
    %1 = arith.addf %x, %x : f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.negf %0 : f32
    return %2 : f32
  }
"""
FUNCTION = f'%f = transform.structured.match ops{{["func.func"]}} in %root : {TO_ONE}\n'


@pytest.mark.parametrize(("schedule", "left"), [
    (f"transform.apply_cse to %f : {ANY}", ["arith.addf", "arith.mulf", "arith.negf", "func.return"]),
    (f"transform.apply_dce to %f : {ANY}", ["arith.addf", "arith.addf", "arith.mulf", "func.return"]),
    (f"transform.apply_patterns to %f {{ transform.apply_patterns.canonicalization }} : {ANY}",
     ["arith.addf", "arith.addf", "arith.mulf", "func.return"]),
    (f"transform.apply_patterns to %f {{ transform.apply_patterns.canonicalization }} {{apply_cse}} : {ANY}",
     ["arith.addf", "arith.mulf", "func.return"]),
    (f'%g = transform.apply_registered_pass "dce" to %f : {TO_ONE}\n%h = transform.apply_registered_pass "cse" to %g : {TO_ONE}',
     ["arith.addf", "arith.mulf", "func.return"]),
    (f'%g = transform.apply_registered_pass "canonicalize" with options = {{"fp-mode" = "strict", "max-iterations" = 2}} to %f : {TO_ONE}',
     ["arith.addf", "arith.addf", "arith.mulf", "func.return"]),
])  # fmt: skip
def test_passes_run_on_the_ops_of_a_handle(schedule: str, left: list[str]) -> None:
    assert names_in(run(FUNCTION + schedule, DOUBLE)[0], "f") == left


def test_passes_on_loops_say_what_they_refused() -> None:
    schedule = (
        FUNCTION
        + f'%g = transform.apply_registered_pass "loop-tile" with options = {{"tile-sizes" = "4,2"}} to %f : {TO_ONE}'
    )
    module, remarks = run(schedule)
    assert names_in(module, "f").count("scf.for") == 4
    assert remarks == []
    schedule = schedule.replace(
        '"loop-tile" with options = {"tile-sizes" = "4,2"}', '"loop-unroll" with options = {full = true}'
    )
    module, remarks = run(schedule)
    assert names_in(module, "f").count("memref.store") == 8
    assert remarks == []


def test_loops_are_unrolled_peeled_and_coalesced() -> None:
    module, _ = run(INNER + f"transform.loop.unroll %inner {{factor = 3}} : {ANY}")
    assert names_in(module, "f").count("memref.store") == 4
    module, _ = run(INNER + f"transform.loop.unroll %inner {{factor = 8}} : {ANY}\n"
                    f"%h = transform.structured.match attributes{{inner}} in %root : {TO_ONE}\n"
                    f"transform.loop.promote_if_one_iteration %h : {ANY}")  # fmt: skip
    assert (names_in(module, "f").count("memref.store"), names_in(module, "f").count("scf.for")) == (8, 1)
    module, _ = run(OUTER + f'%c = transform.loop.coalesce %outer : {TO_ONE}\ntransform.annotate %c "here" : {ANY}')
    assert marked(module) == ["scf.for"]
    assert names_in(module, "f").count("scf.for") == 1
    as_for = f'%c = transform.cast %outer : {ANY} to !transform.op<"scf.for">\n'
    peel = f'%a, %b = transform.loop.peel %c {{peel_front = true}} : (!transform.op<"scf.for">) -> ({ANY}, {ANY})\n'
    module, _ = run(OUTER + as_for + peel + f'transform.annotate %a "many" : {ANY}\ntransform.annotate %b "one" : {ANY}')
    loops = [
        op for op in module.walk() if op.name == "scf.for" and op.parent_op is not None and op.parent_op.name == "func.func"
    ]
    assert ["one" in op.attributes for op in loops] == [True, False]
    assert ["many" in op.attributes for op in loops] == [False, True]


def test_peeling_a_loop_whose_step_divides_leaves_no_rest() -> None:
    as_for = f'%c = transform.cast %inner : {ANY} to !transform.op<"scf.for">\n'
    peel = f'%a, %b = transform.loop.peel %c : (!transform.op<"scf.for">) -> ({ANY}, {ANY})\n'
    counted = f"%p = transform.num_associations %b : ({ANY}) -> !transform.param<i64>"
    assert parameter(INNER + as_for + peel + counted) == ["0 : i64"]
    strict = peel.replace("%c :", "%c {fail_if_already_divisible = true} :")
    assert "not done: its step divides its length" in error_of(INNER + as_for + strict).message


COALESCED = """
  func.func @f(%m: memref<64xi32>, %a: index, %b: index, %c: index, %d: index) -> i32 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c8 = arith.constant 8 : index
    %one = arith.constant 1 : i32
    %0 = scf.for %i = %a to %b step %c1 iter_args(%s = %one) -> (i32) {
      %1 = scf.for %j = %c to %d step %c3 iter_args(%t = %s) -> (i32) {
        %k = arith.muli %i, %c8 : index
        %p = arith.addi %k, %j : index
        %v = memref.load %m[%p] : memref<64xi32>
        %w = arith.shli %t, %one : i32
        %u = arith.addi %w, %v : i32
        memref.store %u, %m[%p] : memref<64xi32>
        scf.yield %u : i32
      }
      scf.yield %1 : i32
    } {outer}
    return %0 : i32
  }
"""


@pytest.mark.parametrize(
    "bounds", [(0, 8, 0, 8), (1, 4, 2, 7), (3, 3, 0, 8), (0, 4, 5, 1), (4, 1, 6, 2), (2, 3, 1, 2)], ids=str
)
def test_coalesced_loops_take_the_same_iterations_in_the_same_order(bounds: tuple[int, ...]) -> None:
    module, _ = run(OUTER + f"%c = transform.loop.coalesce %outer : {TO_ONE}", COALESCED)
    assert names_in(module, "f").count("scf.for") == 1
    rng = np.random.default_rng(0)
    given = rng.integers(-9, 9, 64).astype(np.int32)
    outcomes = []
    for text, target in ((COALESCED, "interpret"), (print_op(module), "interpret"), (print_op(module), "cpu")):
        array = given.copy()
        (total,) = executable(parse(text), target).call("f", [array, *bounds])
        outcomes.append((int(total), array.tolist()))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_structured_op_on_buffers_becomes_loops_in_the_order_of_its_dimensions() -> None:
    text = """
  func.func @f(%x: memref<3x4xf32>, %s: memref<4xf32>) {
    linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>],
                    iterator_types = ["reduction", "parallel"]} ins(%x : memref<3x4xf32>) outs(%s : memref<4xf32>) {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      linalg.yield %0 : f32
    }
    return
  }
"""
    match = f"%g = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}\n"
    module, _ = run(
        match + f'%l = transform.structured.convert_to_loops %g : {TO_ONE}\ntransform.annotate %l "here" : {ANY}', text
    )
    assert marked(module) == ["scf.for", "scf.for"]
    x, s = np.arange(12, dtype=np.float32).reshape(3, 4), np.zeros(4, np.float32)
    executable(parse(print_op(module)), "cpu").call("f", [x, s])
    np.testing.assert_array_equal(s, x.sum(axis=0))
    tiled = f"%t, %l:2 = transform.structured.tile_using_for %g tile_sizes [2, 3] : ({ANY}) -> ({ANY}, {ANY}, {ANY})"
    module, _ = run(match + tiled, text)
    s = np.zeros(4, np.float32)
    executable(parse(print_op(module)), "cpu").call("f", [x, s])
    np.testing.assert_array_equal(s, x.sum(axis=0))
    module, _ = run(match + f"%t, %l = transform.structured.tile_using_forall %g tile_sizes [0, 3] : ({ANY}) -> ({ANY}, {ANY})\n"
                    f"%p = transform.loop.forall_to_parallel %l : {TO_ONE}", text)  # fmt: skip
    assert names_in(module, "f").count("scf.parallel") == 1
    s = np.zeros(4, np.float32)
    executable(parse(print_op(module)), "cpu").call("f", [x, s])
    np.testing.assert_array_equal(s, x.sum(axis=0))


WINDOW = """
  func.func @f(%x: tensor<{0}xf32>, %w: tensor<3xf32>, %o: tensor<{1}xf32>) -> tensor<{1}xf32> {{
    %0 = linalg.generic {{indexing_maps = [affine_map<(d0, d1) -> (d0 * 2 + d1 + 1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0)>],
                    iterator_types = ["parallel", "reduction"]}} ins(%x, %w : tensor<{0}xf32>, tensor<3xf32>) outs(%o : tensor<{1}xf32>) {{
    ^bb0(%a: f32, %b: f32, %c: f32):
      %1 = arith.mulf %a, %b : f32
      %2 = arith.addf %c, %1 : f32
      linalg.yield %2 : f32
    }} -> tensor<{1}xf32>
    return %0 : tensor<{1}xf32>
  }}
"""


@pytest.mark.parametrize("how", ["tile_using_for %g tile_sizes [3, 2]", "tile_using_forall %g tile_sizes [3]", "tile_using_for %g tile_sizes [0, 1]",
                                 "tile_using_forall %g num_threads [5]", "tile_using_forall %g num_threads [3]"])  # fmt: skip
@pytest.mark.parametrize("count", [1, 6, 7])
@pytest.mark.parametrize("is_open", [False, True])
def test_windows_that_overlap_are_cut_into_tiles(how: str, count: int, is_open: bool) -> None:
    length = 2 * (count - 1) + 2 + 1 + 1
    text = WINDOW.format(*("??" if is_open else (length, count)))
    match = f"%g = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}\n"
    module, _ = run(match + f"%t, %l = transform.structured.{how} : ({ANY}) -> ({ANY}, {ANY})", text)
    rng = np.random.default_rng(count)
    x, w, o = (rng.integers(-5, 5, n).astype(np.float32) for n in (length, 3, count))
    want = o + [sum(x[2 * i + j + 1] * w[j] for j in range(3)) for i in range(count)]
    for target in ("interpret", "cpu"):
        (got,) = executable(parse(print_op(module)), target).call("f", [x, w, o])
        np.testing.assert_array_equal(got, want)


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "message", "notes"), [
    (INNER + OUTER + f"transform.loop.unroll %outer {{factor = 2}} : {ANY}\ntransform.loop.unroll %inner {{factor = 2}} : {ANY}",
     "transform.loop.unroll: %inner leads to nothing any more, since transform.loop.unroll has ended it", ["it was ended here", "with this op"]),
    (INNER + f"transform.loop.unroll %inner {{factor = 2}} : {ANY}\ntransform.loop.unroll %inner {{factor = 2}} : {ANY}",
     "transform.loop.unroll: %inner leads to nothing any more", ["it was ended here", "with this op"]),
    (INNER + f"%v = transform.get_operand %inner[0] : ({ANY}) -> !transform.any_value\n{FUNCTION}"
     f'%g = transform.apply_registered_pass "cse" to %f : {TO_ONE}\ntransform.debug.emit_remark_at %v, "x" : !transform.any_value',
     "transform.debug.emit_remark_at: %v leads to nothing any more, since transform.apply_registered_pass has ended it",
     ["it was ended here", "with this op"]),
    (PRODUCTS + FUNCTION + f"%k = transform.structured.match ops{{[\"arith.constant\"]}} in %root : {TO_ONE}\n"
     f"transform.apply_patterns to %root {{ transform.apply_patterns.canonicalization }} {{apply_cse}} : {ANY}\n"
     f"transform.loop.unroll %outer {{factor = 2}} : {ANY}", "", []),
    (SUM + f"transform.loop.unroll %sum {{factor = 2}} : {ANY}", "transform.loop.unroll: not done: takes scf.for, got arith.addf", ["of this op"]),
    (SUM + f"%l = transform.structured.interchange %sum iterator_interchange = [0] : {TO_ONE}",
     "transform.structured.interchange: not done: takes linalg.generic, got arith.addf", ["of this op"]),
    (SUM + f"%l = transform.loop.forall_to_for %sum : {TO_ONE}", "transform.loop.forall_to_for: not done: takes scf.forall, got arith.addf", ["of this op"]),
    (SUM + f'%c = transform.cast %sum : {ANY} to !transform.op<"scf.for">',
     'transform.cast: a handle of type !transform.op<"scf.for"> leads to scf.for, got arith.addf', ["this one"]),
    (f"%c = transform.cast %root : {ANY} to !transform.any_param", "transform.cast: a handle is no parameter", []),
    (SUM + f'%p = transform.get_parent_op %sum {{op_name = "scf.for"}} : {TO_ONE}',
     "transform.get_parent_op: there is no scf.for of this kind around the op", ["of this op"]),
    (SUM + f"%p = transform.get_producer_of_operand %sum[0] : {TO_ONE}", "transform.get_producer_of_operand: operand 0 is made by no op", ["of this op"]),
    (SUM + f"%p = transform.get_producer_of_operand %sum[2] : {TO_ONE}", "transform.get_producer_of_operand: there is no operand 2, the op has 2", ["of this op"]),
    (SUM + f"%v = transform.get_operand %sum[all] : ({ANY}) -> !transform.any_value\n%d = transform.get_defining_op %v : (!transform.any_value) -> {ANY}",
     "transform.get_defining_op: an argument of a block is made by no op", []),
    (PRODUCTS + f"%c = transform.get_consumers_of_result %products[0] : {TO_ONE}",
     "transform.get_consumers_of_result: %products must lead to one op, and has 2", []),
    (PRODUCTS + f"%a, %b, %c = transform.split_handle %products : ({ANY}) -> ({ANY}, {ANY}, {ANY})",
     "transform.split_handle: %products leads to 2 ops, and is split in 3", []),
    (PRODUCTS + f"%a = transform.split_handle %products : {TO_ONE}", "transform.split_handle: %products leads to 2 ops, and is split in 1", []),
    (PRODUCTS + f"%c = transform.replicate num(%products) %products : {ANY}, {ANY}", "transform.replicate: %products must lead to one op, and has 2", []),
    (SUM + PRODUCTS + f"transform.foreach %sum, %products : {ANY}, {ANY} {{\n^bb0(%a: {ANY}, %b: {ANY}):\ntransform.yield\n}}",
     "transform.foreach: handles must lead to as many ops, got 1, 2", []),
    (INNER + f"transform.apply_cse to %inner : {ANY}", "transform.apply_cse: scf.for may use values from around it; passes run on functions and modules", ["of this op"]),
    (FUNCTION + f'%g = transform.apply_registered_pass "ces" to %f : {TO_ONE}', "transform.apply_registered_pass: unknown pass 'ces'", []),
    (FUNCTION + f'%g = transform.apply_registered_pass "cse" with options = {{x = 1}} to %f : {TO_ONE}',
     "transform.apply_registered_pass: pass cse has no option 'x'", []),
    (FUNCTION + f'%g = transform.apply_registered_pass "loop-tile" with options = {{"tile-sizes" = [4, 2]}} to %f : {TO_ONE}',
     "transform.apply_registered_pass: an option is a string, a number, true or false, got [4, 2]", []),
    (FUNCTION + f'%g = transform.apply_registered_pass "symbol-dce" to %f : {TO_ONE}',
     "transform.apply_registered_pass: pass symbol-dce runs on the module, not on func.func", ["of this op"]),
    (FUNCTION + '%p = transform.param.constant "x" -> !transform.param<i64>\ntransform.debug.emit_remark_at %p, "x" : !transform.param<i64>',
     "transform.debug.emit_remark_at: a parameter stands nowhere", []),
])  # fmt: skip
def test_schedules_that_cannot_be_run(schedule: str, message: str, notes: list[str]) -> None:
    if not message:
        with pytest.raises(TirError, match="outer"):
            run(schedule)
        return
    error = error_of(schedule)
    assert error.message.startswith(message)
    assert error.location is not None and error.location.file_location() is not None
    assert [note for note, _ in error.notes] == notes


STRUCTURED = """
  func.func @f(%x: tensor<4x6xf32>, %o: tensor<4xi64>, %p: tensor<?xf32>) -> (tensor<4xi64>, tensor<?xf32>) {
    %zero = arith.constant 0 : i64
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                    iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x6xf32>) outs(%o : tensor<4xi64>) {
    ^bb0(%a: f32, %b: i64):
      %1 = arith.subi %b, %b : i64
      linalg.yield %1 : i64
    } -> tensor<4xi64>
    %2 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0 floordiv 2)>],
                    iterator_types = ["parallel"]} ins(%p : tensor<?xf32>) outs(%p : tensor<?xf32>) attrs = {halves} {
    ^bb0(%a: f32, %b: f32):
      linalg.yield %a : f32
    } -> tensor<?xf32>
    return %0, %2 : tensor<4xi64>, tensor<?xf32>
  }
"""
BOTH = f"%g, %h = transform.split_handle %all : ({ANY}) -> ({ANY}, {ANY})\n"
BOTH = f"%all = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}\n" + BOTH
TILED = f": ({ANY}) -> ({ANY}, {ANY})"


@pytest.mark.parametrize(("schedule", "why"), [
    (f"%t, %l = transform.structured.tile_using_for %g tile_sizes [1, 2] interchange = [0, 0] {TILED}",
     "the interchange must have each of 2 dimensions once, got [0, 0]"),
    (f"%t, %l = transform.structured.tile_using_for %g tile_sizes [1, 2, 3] {TILED}", "it has 2 dimensions, and there are 3 tile sizes"),
    (f"%t, %l = transform.structured.tile_using_forall %g tile_sizes [0, 2] {TILED}", "dimension 1 is a reduction, whose tiles depend on each other"),
    (f"%t, %l = transform.structured.tile_using_forall %g tile_sizes [0, 0] {TILED}", "no dimension is tiled"),
    (f"%t, %l = transform.structured.tile_using_for %h tile_sizes [2] {TILED}", "axis 0 of operand 1 goes by d0 floordiv 2, of which no part is a slice"),
    (f"%i = transform.structured.interchange %g iterator_interchange = [1, 0, 2] : {TO_ONE}", "the interchange must have each of 2 dimensions once, got [1, 0, 2]"),
    (f"%i = transform.structured.convert_to_loops %g : {TO_ONE}", "it is on tensors, and loops are on buffers"),
    (f"%t, %l = transform.structured.tile_using_forall %g tile_sizes [2] {TILED}\n%p = transform.loop.forall_to_parallel %l : {TO_ONE}",
     "it makes tensors, and scf.parallel works on buffers; run bufferize first"),
    (f"%t, %l = transform.structured.tile_using_forall %g tile_sizes [2] {TILED}\n"
     f"%f, %m = transform.structured.fuse_into_containing_op %h into %l : ({ANY}, {ANY}) -> ({ANY}, {ANY})", "the loop takes no slice of its results"),
    (f"%t, %l = transform.structured.tile_using_forall %g tile_sizes [2] {TILED}\n"
     f"%f, %m = transform.structured.fuse_into_containing_op %t into %l : ({ANY}, {ANY}) -> ({ANY}, {ANY})", "it stands in the loop already"),
])  # fmt: skip
def test_structured_transformations_that_are_refused(schedule: str, why: str) -> None:
    error = error_of(BOTH + schedule, STRUCTURED)
    assert error.message.endswith(f"not done: {why}")
    assert [note for note, _ in error.notes] == ["of this op"]


CHOICE = """
  func.func @f(%x: tensor<4x6xf32>, %o: tensor<f32>) -> tensor<f32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> ()>],
                    iterator_types = ["reduction", "reduction"]} ins(%x : tensor<4x6xf32>) outs(%o : tensor<f32>) {
    ^bb0(%a: f32, %b: f32):
      %1 = arith.subf %a, %b : f32
      linalg.yield %1 : f32
    } -> tensor<f32>
    return %0 : tensor<f32>
  }
"""


def test_reduction_whose_order_counts_keeps_it() -> None:
    match = f"%g = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}\n"
    for refused in (f"%t, %l = transform.structured.tile_using_for %g tile_sizes [2, 2] {TILED}",
                    f"%t, %l = transform.structured.tile_using_for %g tile_sizes [0, 2] {TILED}",
                    f"%i = transform.structured.interchange %g iterator_interchange = [1, 0] : {TO_ONE}"):  # fmt: skip
        assert error_of(match + refused, CHOICE).message.endswith("its result depends on the order of its reductions")
    run(match + f"%t, %l = transform.structured.tile_using_for %g tile_sizes [3] {TILED}", CHOICE)
    free = CHOICE.replace("arith.subf", "arith.addf")
    run(match + f"%t, %l = transform.structured.tile_using_for %g tile_sizes [2, 2] {TILED}", free)


def test_parameters_must_be_numbers_for_sizes() -> None:
    schedule = (
        BOTH
        + f"""%p = transform.param.constant "four" -> !transform.param<i64>
    %t, %l = transform.structured.tile_using_for %g tile_sizes [%p] : ({ANY}, !transform.param<i64>) -> ({ANY}, {ANY})"""
    )
    assert error_of(schedule, STRUCTURED).message == (
        'transform.structured.tile_using_for: %p must be one number of 0 or more, got "four"'
    )
    made = (
        BOTH
        + f"""%p = transform.param.constant 0 : i64 -> !transform.param<i64>
    %t, %l, %m = transform.structured.tile_using_for %g tile_sizes [2, %p] : ({ANY}, !transform.param<i64>) -> ({ANY}, {ANY}, {ANY})"""
    )
    assert (
        error_of(made, STRUCTURED).message
        == "transform.structured.tile_using_for: makes 1 loops, and has 2 handles for them"
    )


def test_what_is_left_undone_may_be_passed_over() -> None:
    body = f"transform.loop.unroll %a {{factor = 2}} : {ANY}"
    inside = f"transform.sequence %sum : {ANY} failures(MODE) {{\n^bb0(%a: {ANY}):\n{body}\ntransform.yield\n}}\n"
    behind = f'transform.annotate %root "here" : {ANY}'
    assert marked(run(SUM + inside.replace("MODE", "suppress") + behind)[0]) == ["builtin.module"]
    assert "takes scf.for" in error_of(SUM + inside.replace("MODE", "propagate") + behind).message
    gone = (
        f"transform.sequence %inner : {ANY} failures(suppress) {{\n^bb0(%a: {ANY}):\n{body}\n{body}\ntransform.yield\n}}\n"
    )
    assert "leads to nothing any more" in error_of(INNER + gone).message  # a wrong schedule is never passed over


def test_ops_that_rules_replace_end_handles() -> None:
    more = f'transform.apply_cse to %root : {ANY}\ntransform.annotate %adds "here" : {ANY}'
    error = error_of(f'%adds = transform.structured.match ops{{["arith.addf"]}} in %root : {TO_ONE}\n' + more, DOUBLE)
    assert error.message == "transform.annotate: %adds leads to nothing any more, since transform.apply_cse has ended it"


def test_wrong_programs_and_passes_that_fail_say_where_the_schedule_runs_them() -> None:
    schedule = f'%g = transform.apply_registered_pass "lower-loops" to %root : {TO_ONE}'
    error = error_of(schedule, STRUCTURED)
    assert error.message == "lower-loops: linalg.generic is on tensors; run bufferize first"
    assert error.notes[-1][0] == "the schedule runs the pass here"
    error = error_of(
        FUNCTION + f'%g = transform.apply_registered_pass "loop-unroll" with options = {{factor = 0}} to %f : {TO_ONE}'
    )
    assert error.message == "transform.apply_registered_pass: pass loop-unroll: option 'factor' must be 1 or more, got 0"


def test_verify_in_a_schedule_finds_what_an_annotation_breaks() -> None:
    schedule = INNER + f'transform.annotate %inner "tir.shrot" : {ANY}\ntransform.verify %root : {ANY}'
    error = error_of(schedule)
    assert "has no attribute 'tir.shrot'" in error.message
    assert error.notes[-1][0] == "the schedule verifies it here"


def test_recursion_of_sequences_is_an_error() -> None:
    more = f"""transform.named_sequence @again(%m: {ANY} {{transform.readonly}}) {{
      transform.include @again failures(propagate) (%m) : ({ANY}) -> ()
      transform.yield
    }}"""
    include = f"transform.include @again failures(propagate) (%root) : ({ANY}) -> ()"
    assert error_of(include, more=more).message == "transform.include: @again includes itself"


def test_sequences_in_each_other_need_no_stack() -> None:
    depth = 120
    begin = "".join(
        f"transform.sequence %a{i} : {ANY} failures(propagate) {{\n^bb0(%a{i + 1}: {ANY}):\n" for i in range(depth)
    )
    body = f'transform.annotate %a{depth} "here" : {ANY}\n' + "transform.yield\n}\n" * depth
    copy = f"%a0 = transform.merge_handles %root : {ANY}\n"
    module = module_of(copy + begin + body)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        TransformInterpreter().run(module)
        verify(module)
    finally:
        sys.setrecursionlimit(limit)
    assert marked(module) == ["builtin.module"]


def test_entry_point_and_root_of_the_payload_can_be_chosen() -> None:
    more = f"""transform.named_sequence @other(%f: {ANY}) {{
      transform.annotate %f "here" : {ANY}
      transform.yield
    }}"""
    payload = LOOPS.replace(
        "func.func @g(%x: f32) -> f32 {", 'func.func @g(%x: f32) -> f32 attributes {transform.target_tag = "g"} {'
    )
    module, _ = run("", payload, more, entry_point="other", debug_payload_root_tag="g")
    assert marked(module) == ["func.func"]
    assert error_of("", payload, more, debug_payload_root_tag="x").message == (
        'pass transform-interpreter: 0 ops have transform.target_tag = "x", and one is needed'
    )
    error = error_of("", entry_point="__transform_mian")
    assert error.message == "pass transform-interpreter: there is no transform.named_sequence @__transform_mian"
    assert error.hint == "did you mean '__transform_main'?"
    more = more.replace(f"(%f: {ANY})", f"(%f: {ANY}, %g: {ANY})")
    assert (
        "a schedule that is run takes one handle and gives nothing" in error_of("", more=more, entry_point="other").message
    )


@pytest.mark.parametrize(("text", "message"), [
    ("transform.named_sequence @s(%a: i32) {\ntransform.yield\n}", "arguments and results must be a handle or a parameter, got i32"),
    (f"transform.named_sequence @s(%a: {ANY} {{transform.readonly, transform.consumed}}) {{\ntransform.yield\n}}",
     "argument 0 cannot be both readonly and consumed"),
    (f"transform.named_sequence @s(%a: {ANY} {{transform.readonly = 1 : i64}}) {{\ntransform.yield\n}}",
     "argument 0: transform.readonly must have no value, got 1 : i64"),
    (f"transform.named_sequence @s(%a: {ANY} {{transform.readonly}}) {{\ntransform.loop.unroll %a {{factor = 2}} : {ANY}\ntransform.yield\n}}",
     "argument 0 is consumed in the body but is not marked as such"),
    (f"transform.named_sequence @s(%a: {ANY}) {{\ntransform.yield %a : {ANY}\n}}", f"the sequence yields ({ANY}), and its type has ()"),
    (f"transform.named_sequence @s(%a: {ANY}) {{\ntransform.include @t failures(propagate) (%a) : ({ANY}) -> ()\ntransform.yield\n}}",
     "there is no transform.named_sequence @t"),
    (f"transform.named_sequence @s(%a: {ANY}) {{\ntransform.yield\n}}\ntransform.named_sequence @t(%a: {ANY}) {{\n"
     f"transform.include @s failures(propagate) (%a) : ({ANY}) -> ()\ntransform.yield\n}}",
     "argument 0 of an included sequence must be transform.readonly or transform.consumed"),
    (f"transform.named_sequence @s(%a: {ANY} {{transform.readonly}}) {{\ntransform.yield\n}}\ntransform.named_sequence @t(%a: {ANY}) {{\n"
     f"%b = transform.include @s failures(propagate) (%a) : {TO_ONE}\ntransform.yield\n}}",
     f"@s has type ({ANY}) -> (), included as {TO_ONE}"),
    (f"transform.named_sequence @s(%a: {ANY} {{transform.consumed}}) {{\ntransform.yield\n}}\n"
     f"transform.named_sequence @t(%a: {ANY} {{transform.readonly}}) {{\n"
     f"transform.include @s failures(propagate) (%a) : ({ANY}) -> ()\ntransform.yield\n}}",
     "argument 0 is consumed in the body but is not marked as such"),
    (f"transform.named_sequence @s(%a: {ANY} {{transform.readonly}}) {{\ntransform.foreach %a : {ANY} {{\n^bb0(%b: {ANY}):\n"
     f"transform.sequence %b : {ANY} failures(propagate) {{\n^bb0(%c: {ANY}):\ntransform.loop.unroll %c {{factor = 2}} : {ANY}\n"
     "transform.yield\n}\ntransform.yield\n}\ntransform.yield\n}", "argument 0 is consumed in the body but is not marked as such"),
    (f'"transform.named_sequence"() <{{function_type = ({ANY}) -> (), sym_name = "s"}}> ({{\n^bb0(%a: !transform.any_value):\n'
     '"transform.yield"() : () -> ()\n}) : () -> ()', f"the body must take ({ANY}), got (!transform.any_value)"),
])  # fmt: skip
def test_wrong_sequences(text: str, message: str) -> None:
    with pytest.raises(TirErrors) as caught:
        verify(parse_text(f"module attributes {{transform.with_named_sequence}} {{\n{text}\n}}", REGISTRY))
    assert message in str(caught.value)


@pytest.mark.parametrize(("op", "message"), [
    (f"transform.loop.unroll %a {{factor = 0}} : {ANY}", "the factor must be 1 or more, got 0"),
    (f"%x, %y = transform.loop.peel %a : ({ANY}) -> ({ANY}, {ANY})", 'must be a handle to loops, !transform.op<"scf.for">, got !transform.any_op'),
    (f"%x = transform.get_parent_op %a {{nth_parent = 0}} : {TO_ONE}", "nth_parent must be 1 or more, got 0"),
    (f"%x = transform.get_result %a[0, 0] : ({ANY}) -> !transform.any_value", "each position stands there once, got 0, 0"),
    (f'%x = "transform.get_result"(%a) <{{is_all, raw_position_list = array<i64: 0>}}> : ({ANY}) -> !transform.any_value', "all stands alone, without positions"),
    (f'%x = "transform.get_result"(%a) <{{raw_position_list = array<i64>}}> : ({ANY}) -> !transform.any_value', "needs a position, or all"),
    (f'%x = "transform.merge_handles"() : () -> {ANY}', "needs handles of one type, got ()"),
    (f"%x, %y = transform.split_handle %a {{overflow_result = 2}} : ({ANY}) -> ({ANY}, {ANY})", "overflow_result must be 0 to 1, got 2"),
    (f"%x = transform.structured.interchange %a iterator_interchange = [0, 2] : {TO_ONE}", "iterator_interchange must have each number from 0 on once, got [0, 2]"),
    (f"%x, %y = transform.structured.tile_using_for %a tile_sizes [4, 2, 3] : ({ANY}) -> ({ANY}, {ANY}, {ANY})".replace("%y", "%y:2"),
     "has 3 loops, and so as many handles, or one for all, got 2"),
    (f"%x, %y = transform.structured.tile_using_for %a tile_sizes [-4] : ({ANY}) -> ({ANY}, {ANY})", "a tile size must be 0 or more, got -4"),
    (f"%x, %y = transform.structured.tile_using_forall %a num_threads [-4] : ({ANY}) -> ({ANY}, {ANY})", "a number of threads must be 0 or more, got -4"),
    (f'%x, %y = "transform.structured.tile_using_forall"(%a) <{{operandSegmentSizes = array<i32: 1, 0, 0, 0, 0>}}> : ({ANY}) -> ({ANY}, {ANY})',
     "needs num_threads or tile_sizes"),
    (f'%x, %y = "transform.structured.tile_using_forall"(%a) <{{operandSegmentSizes = array<i32: 1, 0, 0, 0, 0>, '
     f"static_num_threads = array<i64: 2>, static_tile_sizes = array<i64: 2>}}> : ({ANY}) -> ({ANY}, {ANY})", "takes num_threads or tile_sizes, not both"),
    (f"transform.sequence %a : {ANY} failures(propagate) {{\n^bb0(%x: !transform.any_value):\ntransform.yield\n}}",
     f"the body must take ({ANY}), got (!transform.any_value)"),
    (f"transform.foreach %a : {ANY} {{\n^bb0(%x: {ANY}):\ntransform.yield %x : {ANY}\n}}", f"the body yields ({ANY}), and the op has ()"),
    ("transform.sequence failures(propagate) {\ntransform.yield\n}", "needs the handle that it runs on"),
    ('"transform.foreach"() ({\n"transform.yield"() : () -> ()\n}) : () -> ()', "needs a handle"),
    (f"transform.apply_patterns to %a {{ transform.print }} : {ANY}", "takes rules such as transform.apply_patterns.canonicalization, got transform.print"),
    (f"%x, %y = transform.structured.tile_using_for %a tile_sizes [[4]] : ({ANY}) -> ({ANY}, {ANY})", "sizes that the machine scales, [4], are not supported"),
    (f'%x, %y = "transform.structured.tile_using_for"(%a) <{{scalable_sizes = array<i1: true>, static_sizes = array<i64: 4>}}> : ({ANY}) -> ({ANY}, {ANY})',
     "sizes that the machine scales, [4], are not supported"),
    (f"%x = transform.structured.match ops{{[4]}} in %a : {TO_ONE}", 'the names of ops stand in brackets, as in ops{["scf.for"]}'),
    (f"%x = transform.structured.match interface{{Linalg}} in %a : {TO_ONE}", "expected 'LinalgOp' or 'TilingInterface' or 'LoopLikeInterface'"),
    (f'"transform.structured.tile_using_forall"(%a, %p) <{{operandSegmentSizes = array<i32: 1, 0, 0, 1, 0>, '
     f"static_num_threads = array<i64: 2>}}> : ({ANY}, !transform.param<i64>) -> ({ANY}, {ANY})", "sizes in one parameter, *(%sizes), are not supported"),
])  # fmt: skip
def test_wrong_ops_of_schedules(op: str, message: str) -> None:
    with pytest.raises(TirError) as caught:
        verify(module_of("%p = transform.param.constant 4 : i64 -> !transform.param<i64>\n" + op.replace("%a", "%root")))
    assert message in str(caught.value)


def test_sequences_stand_in_modules_that_say_so() -> None:
    with pytest.raises(TirErrors, match="must stand in a module with the attribute transform.with_named_sequence"):
        verify(parse_text(f"transform.named_sequence @s(%a: {ANY}) {{\ntransform.yield\n}}", REGISTRY))


def test_pass_runs_on_modules_alone() -> None:
    module = module_of("")
    function = next(op for op in module.walk() if op.name == "func.func")
    with pytest.raises(TirError, match="runs on a module, which holds a schedule, not on func.func"):
        TransformInterpreter().run(function)


def test_schedule_that_is_not_run_changes_nothing_and_goes_to_machine_code_with_its_program() -> None:
    module = module_of(INNER, DOUBLE)
    assert executable(module, "cpu").call("f", [np.float32(3)]) == executable(parse(DOUBLE), "cpu").call(
        "f", [np.float32(3)]
    )


SLICES = """
  func.func @f(%x: tensor<8x6xf32>, %o: tensor<8x6xf32>, %p: tensor<8x8xf32>) -> (tensor<8x6xf32>, tensor<8x8xf32>) {
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    %eight = arith.constant 8 : index
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                    iterator_types = ["parallel", "parallel"]} ins(%x : tensor<8x6xf32>) outs(%o : tensor<8x6xf32>) {
    ^bb0(%a: f32, %b: f32):
      %5 = arith.negf %a : f32
      linalg.yield %5 : f32
    } -> tensor<8x6xf32>
    %1 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0, d0)>], iterator_types = ["parallel"]} outs(%p : tensor<8x8xf32>) {
    ^bb0(%a: f32):
      %5 = arith.negf %a : f32
      linalg.yield %5 : f32
    } -> tensor<8x8xf32>
    %2:2 = scf.for %i = %zero to %eight step %two iter_args(%s = %o, %t = %p) -> (tensor<8x6xf32>, tensor<8x8xf32>) {
      %part = tensor.extract_slice %0[%i, 0] [2, 6] [1, 1] : tensor<8x6xf32> to tensor<2x6xf32>
      %other = tensor.extract_slice %1[%i, 0] [2, 8] [1, 1] : tensor<8x8xf32> to tensor<2x8xf32>
      %u = tensor.insert_slice %part into %s[%i, 0] [2, 6] [1, 1] : tensor<2x6xf32> into tensor<8x6xf32>
      %v = tensor.insert_slice %other into %t[%i, 0] [2, 8] [1, 1] : tensor<2x8xf32> into tensor<8x8xf32>
      scf.yield %u, %v : tensor<8x6xf32>, tensor<8x8xf32>
    } {outer}
    return %2#0, %2#1 : tensor<8x6xf32>, tensor<8x8xf32>
  }
"""
FUSE = OUTER + f"%f, %l = transform.structured.fuse_into_containing_op %g into %outer : ({ANY}, {ANY}) -> ({ANY}, {ANY})"


def test_producer_is_fused_into_a_loop_in_order_and_gone() -> None:
    module, _ = run(BOTH + FUSE, SLICES)
    assert names_in(module, "f").count("linalg.generic") == 2
    x, o, p = np.arange(48, dtype=np.float32).reshape(8, 6), np.zeros((8, 6), np.float32), np.ones((8, 8), np.float32)
    got, other = executable(parse(print_op(module)), "cpu").call("f", [x, o, p])
    np.testing.assert_array_equal(got, -x)
    np.testing.assert_array_equal(other, 1 - 2 * np.eye(8))


def test_slices_that_are_no_parts_of_iterations_are_refused() -> None:
    diagonal = (BOTH + FUSE).replace("%g into", "%h into")
    assert error_of(diagonal, SLICES).message.endswith("a slice of its result is no part of its iterations")
    steps = SLICES.replace("%0[%i, 0] [2, 6] [1, 1]", "%0[0, 0] [2, 6] [%two, 1]")
    assert error_of(BOTH + FUSE, steps).message.endswith(
        "a slice with steps, or with fewer axes, is no part of its iterations"
    )


def test_loops_that_cannot_be_coalesced() -> None:
    assert error_of(INNER + f"%c = transform.loop.coalesce %inner : {TO_ONE}").message.endswith(
        "there is no loop in it that would go with it"
    )
    huge = LOOPS.replace("%c8 = arith.constant 8", "%c8 = arith.constant 9000000000000000000").replace(
        "%c0 to %n", "%c0 to %c8"
    )
    assert (
        "iterations are more than there are numbers of type index"
        in error_of(OUTER + f"%c = transform.loop.coalesce %outer : {TO_ONE}", huge).message
    )


def test_handles_are_no_parameters_and_an_annotation_is_one_value() -> None:
    error = error_of(f"%c = transform.cast %root : {ANY} to !transform.any_param")
    assert error.message == "transform.cast: a handle is no parameter, from !transform.any_op to !transform.any_param"
    two = (
        SUM
        + f"""%n = transform.num_associations %sum : ({ANY}) -> !transform.param<i64>
    %two = transform.merge_handles %n, %n : !transform.param<i64>
    transform.annotate %sum "size" = %two : {ANY}, !transform.param<i64>"""
    )
    assert error_of(two).message == "transform.annotate: %two must be one value, and is 2"


def test_buffers_with_a_layout_that_is_no_strides_are_not_cut() -> None:
    text = """
  func.func @f(%m: memref<8xf32, affine_map<(d0) -> (d0 mod 4)>>) {
    %x = arith.constant 1.0 : f32
    linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        outs(%m : memref<8xf32, affine_map<(d0) -> (d0 mod 4)>>) {
    ^bb0(%a: f32):
      linalg.yield %x : f32
    }
    return
  }
"""
    match = f"%g = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}\n"
    error = error_of(match + f"%t, %l = transform.structured.tile_using_for %g tile_sizes [2] {TILED}", text)
    assert error.message.endswith("not done: operand 0 is laid out by a map, of which no part is a slice")


def test_positions_in_a_tile_are_those_in_the_whole() -> None:
    text, _ = numbered("positions", "i32", (5, 7, 1), False)
    match = f"%g = transform.structured.match attributes{{n = 0 : i64}} in %root : {TO_ONE}\n"
    for how in (
        "tile_using_for %g tile_sizes [3]",
        "tile_using_forall %g tile_sizes [3]",
        "tile_using_forall %g num_threads [2]",
    ):
        module = parse_text(with_schedule(text, match + f"%t, %l = transform.structured.{how} {TILED}"), REGISTRY)
        TransformInterpreter().run(module)
        x = np.ones((5, 7), np.int32)
        (got,) = executable(parse(print_op(module)), "interpret").call("f", [x, np.zeros((7, 1), np.int32)])
        np.testing.assert_array_equal(got, np.tile(np.arange(7), (5, 1)))


def test_dimension_p_becomes_what_dimension_interchange_p_was() -> None:
    text = """
  func.func @f(%x: memref<2x3x4xf32>, %y: memref<2xf32>) {
    linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0)>],
                    iterator_types = ["parallel", "reduction", "reduction"]} ins(%x : memref<2x3x4xf32>) outs(%y : memref<2xf32>) {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      linalg.yield %0 : f32
    }
    return
  }
"""
    match = f"%g = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}\n"
    module, _ = run(match + f"%i = transform.structured.interchange %g iterator_interchange = [2, 0, 1] : {TO_ONE}", text)
    (op,) = (op for op in module.walk() if op.name == "linalg.generic")
    assert op.iterator_types == ("reduction", "parallel", "reduction")  # type: ignore[attr-defined]
    assert [str(map) for map in op.maps] == ["(d0, d1, d2) -> (d1, d2, d0)", "(d0, d1, d2) -> (d1)"]  # type: ignore[attr-defined]


def test_iterations_of_a_forall_in_order_see_what_stood_there_before() -> None:
    text = """
  func.func @f(%x: tensor<6xf32>) -> tensor<6xf32> {
    %0 = scf.forall (%i) = (1) to (6) step (1) shared_outs(%o = %x) -> (tensor<6xf32>) {
      %one = arith.constant 1 : index
      %before = arith.subi %i, %one : index
      %part = tensor.extract_slice %o[%before] [1] [1] : tensor<6xf32> to tensor<1xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %part into %o[%i] [1] [1] : tensor<1xf32> into tensor<6xf32>
      }
    }
    return %0 : tensor<6xf32>
  }
"""
    match = f'%l = transform.structured.match ops{{["scf.forall"]}} in %root : {TO_ONE}\n'
    module, _ = run(match + f"%f = transform.loop.forall_to_for %l : {TO_ONE}", text)
    assert names_in(module, "f").count("scf.for") == 1
    for target in ("interpret", "cpu"):
        (got,) = executable(parse(print_op(module)), target).call("f", [np.arange(6, dtype=np.float32)])
        np.testing.assert_array_equal(got, [0, 0, 1, 2, 3, 4])
    two = match + f"%f, %g = transform.loop.forall_to_for %l : ({ANY}) -> ({ANY}, {ANY})"
    assert error_of(two, text).message == "transform.loop.forall_to_for: makes 1 loops, and has 2 results"


def test_fuse_tiles_an_op_and_computes_what_it_reads_in_the_loops() -> None:
    text, count = numbered("product", "f32", (8, 6, 12), True)
    assert count == 3
    match = f"%g = transform.structured.match attributes{{n = 2 : i64}} in %root : {TO_ONE}\n"
    x, y = random_arguments(0, "f32", (8, 6, 12))
    for how, loops in (
        ("tile_sizes [3, 5] interchange [1, 0]", 2),
        ("tile_sizes [3]", 1),
        ("tile_sizes [3, 5] {use_forall}", 0),
    ):
        module = parse_text(with_schedule(text, match + f"%t, %l = transform.structured.fuse %g {how} {TILED}"), REGISTRY)
        TransformInterpreter().run(module)
        around = [op.parent_op.name for op in module.walk() if op.name == "linalg.generic" and op.parent_op is not None]
        assert around == ["scf.for" if loops else "scf.forall"] * 3
        assert names_in(module, "f").count("scf.for") == loops
        (got,) = executable(parse(print_op(module)), "cpu").call("f", [x, y])
        np.testing.assert_array_equal(got, (x @ y) ** 2)


@pytest.mark.parametrize(("op", "message"), [
    (f"%x, %y = transform.structured.fuse %root tile_sizes [2] interchange [0] {{use_forall}} {TILED}", "have no order, so that there is no interchange"),
    (f"%x, %y:2 = transform.structured.fuse %root tile_sizes [2] : ({ANY}) -> ({ANY}, {ANY}, {ANY})", "has 1 loops, and so as many handles, or one for all, got 2"),
    (f"%x, %y = transform.structured.fuse %root tile_sizes [-2] {TILED}", "a tile size must be 0 or more, got -2"),
    (f'%x = "transform.structured.fuse"(%root, %p) <{{operandSegmentSizes = array<i32: 1, 0, 0, 1>}}> : ({ANY}, !transform.param<i64>) -> {ANY}',
     "inner_tile_alignments are not supported"),
])  # fmt: skip
def test_wrong_ways_to_fuse(op: str, message: str) -> None:
    with pytest.raises(TirError) as caught:
        verify(module_of("%p = transform.param.constant 4 : i64 -> !transform.param<i64>\n" + op))
    assert message in str(caught.value)


def test_parent_of_an_op_is_not_the_op_itself() -> None:
    get = f'%h = transform.get_parent_op %inner {{op_name = "scf.for"}} : {TO_ONE}\n'
    module, _ = run(INNER + get + f'transform.annotate %h "here" : {ANY}')
    assert [sorted(op.attributes) for op in module.walk() if "here" in op.attributes] == [["here", "outer"]]


def test_schedules_that_would_never_end_are_errors() -> None:
    again = f'%x = transform.apply_registered_pass "transform-interpreter" to %root : {TO_ONE}'
    assert error_of(again).message.endswith("a schedule is run by transform-interpreter, and runs no others by it")
    doubled = [f"%h{i + 1} = transform.merge_handles %h{i}, %h{i} : {ANY}" for i in range(60)]
    schedule = "\n".join([f"%h0 = transform.merge_handles %root : {ANY}", *doubled])
    assert error_of(schedule).message == "transform.merge_handles: %h17 leads to more than 100000 ops"
    include = "transform.include @s{} failures(propagate) (%a) : (!transform.any_op) -> ()\n"
    more = "".join(
        f"transform.named_sequence @s{i}(%a: {ANY} {{transform.readonly}}) {{\n{include.format(i + 1) * 2 if i < 40 else ''}transform.yield\n}}\n"
        for i in range(41)
    )
    error = error_of(include.format(0).replace("%a", "%root"), more=more)
    assert error.message == "transform.include: the schedule takes more than 100000 steps"


def test_softmax_is_fused_into_rows_and_nothing_is_computed_twice() -> None:
    text = "func.func @f(%x: tensor<7x5xf64>) -> tensor<7x5xf64> {\n%0 = tir.softmax %x over [1] : tensor<7x5xf64>\nreturn %0 : tensor<7x5xf64>\n}"
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline(list(to_structured())), module)
    count = sum(op.name == "linalg.generic" for op in module.walk())
    split = f"%a = transform.structured.match interface{{LinalgOp}} in %root : {TO_ONE}\n"
    split += f"%b, %g = transform.split_handle %a {{overflow_result = 0}} : ({ANY}) -> ({ANY}, {ANY})\n"
    fuse = f"%t, %l = transform.structured.fuse %g tile_sizes [3] {{use_forall}} {TILED}"
    module = parse_text(with_schedule(print_op(module), split + fuse), REGISTRY)
    TransformInterpreter().run(module)
    places = [op.parent_op.name for op in module.walk() if op.name == "linalg.generic" and op.parent_op is not None]
    assert count > 5
    assert places == ["scf.forall"] * count
    x = np.random.default_rng(0).normal(size=(7, 5))
    for target in ("interpret", "cpu"):
        (got,) = executable(parse(print_op(module)), target).call("f", [x])
        np.testing.assert_allclose(got, np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), rtol=1e-14)
