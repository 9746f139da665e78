"""scf.forall: run, verified, put on buffers, and compared at the levels below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.dialects.programs import function, module, run_body, run_error, verify_error
from tests.levels import first_disagreement
from tir.dialects import memref, scf
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.passes.bufferize import Bufferize
from tir.passes.pipelines import lower_cpu

ROWS = "tensor<?x4xf32>"
X = np.arange(12, dtype=np.float32).reshape(3, 4)


def loop(body: str, head: str = "(%i) in (%n)", written: str = "%row into %o[%i, 0] [1, 4] [1, 1]") -> str:
    """A body that hands on %r, which the loop makes of %x, row by row."""
    return f"""
      %r = scf.forall {head} shared_outs(%o = %init) -> ({ROWS}) {{
        {body}
        scf.forall.in_parallel {{
          tensor.parallel_insert_slice {written} : tensor<4xf32> into {ROWS}
        }}
      }}
      return %r : {ROWS}
    """


SIGNATURE = f"(%x: {ROWS}, %init: {ROWS}, %n: index) -> {ROWS}"
READ = f"%row = tensor.extract_slice %x[%i, 0] [1, 4] [1, 1] : {ROWS} to tensor<4xf32>"
NEGATED = f"""
        {READ.replace("%row", "%s")}
        %e = tensor.empty() : tensor<4xf32>
        %row = linalg.generic {{indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
            iterator_types = ["parallel"]}} ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>) {{
        ^bb0(%a: f32, %b: f32):
          %c = arith.negf %a : f32
          linalg.yield %c : f32
        }} -> tensor<4xf32>"""


def test_parts_replace_those_of_the_first_value() -> None:
    init = np.full((3, 4), 9, np.float32)
    for count in (0, 2, 3):
        (found,) = run_body(SIGNATURE, loop(READ), X, init, count)
        np.testing.assert_array_equal(found, np.concatenate([X[:count], init[count:]]))
    np.testing.assert_array_equal(init, 9)


def test_bounds_and_steps() -> None:
    (found,) = run_body(
        SIGNATURE, loop(READ, "(%i) = (1) to (%n) step (2)"), np.tile(X, (2, 1)), np.zeros((6, 4), np.float32), 6
    )
    np.testing.assert_array_equal(found[1::2], np.tile(X, (2, 1))[1::2])
    assert not found[::2].any()
    text = function(SIGNATURE, loop(READ, "(%i) = (0) to (%n) step (%n)"))
    assert run_error(text, X, X, 0).message == "scf.forall: the step must be at least 1, got 0"


def test_what_is_read_of_a_shared_tensor_stood_there_before() -> None:
    body = f"%row = tensor.extract_slice %o[%j, 0] [1, 4] [1, 1] : {ROWS} to tensor<4xf32>"
    turned = f"""
        %one = arith.constant 1 : index
        %last = arith.subi %n, %one : index
        %j = arith.subi %last, %i : index
        {body}"""
    (found,) = run_body(SIGNATURE, loop(turned), X, X.copy(), 3)
    np.testing.assert_array_equal(found, X[::-1])
    assert first_disagreement(main(loop(turned)), {"x": X, "init": X.copy(), "n": 3}, levels=LEVELS) is None


def test_what_is_read_of_a_shared_tensor_in_memory_of_its_own_stays() -> None:
    made = (
        NEGATED.replace("%row", "%w").replace("tensor<4xf32>", ROWS).replace("%e = tensor.empty()", "%e = tensor.empty(%n)")
    )
    made = (
        made[made.index("%e = ") :]
        .replace("%s", "%x")
        .replace("(d0)", "(d0, d1)")
        .replace('["parallel"]', '["parallel", "parallel"]')
    )
    turned = f"""
        %one = arith.constant 1 : index
        %last = arith.subi %n, %one : index
        %j = arith.subi %last, %i : index
        %row = tensor.extract_slice %o[%j, 0] [1, 4] [1, 1] : {ROWS} to tensor<4xf32>"""
    text = main(made + loop(turned).replace("%o = %init", "%o = %w"))
    assert first_disagreement(text, {"x": X, "init": X.copy(), "n": 3}, levels=LEVELS) is None


LEVELS = ["tensor", "bufferized", "loops, not fused", "cpu"]


def main(body: str) -> str:
    return function(SIGNATURE, body).replace("@f(", "@main(")


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("body", [READ, NEGATED], ids=["move", "compute"])
def test_every_level_computes_the_same(body: str, count: int) -> None:
    arguments = {"x": X, "init": np.full((3, 4), 9, np.float32), "n": count}
    for head in ("(%i) in (%n)", "(%i) = (0) to (%n) step (2)"):
        assert first_disagreement(main(loop(body, head)), arguments, levels=LEVELS) is None


def ops_on_buffers(text: str) -> Sequence[Op]:
    found = module(text)
    Bufferize().run(found)
    return list(found.walk())


def test_a_part_is_computed_where_it_belongs() -> None:
    text = function(SIGNATURE, f"%new = tensor.empty(%n) : {ROWS}" + loop(NEGATED).replace("%o = %init", "%o = %new"))
    ops = ops_on_buffers(text)
    assert sum(isinstance(op, memref.Alloc) for op in ops) <= 1  # the result, if it is no argument
    assert not any(isinstance(op, memref.Copy) for op in ops)
    assert [op.name for op in ops if isinstance(op, (scf.ForAll, scf.Parallel))] == ["scf.parallel"]


def test_rows_of_known_size_are_on_the_stack_and_each_iteration_has_its_own() -> None:
    twice = NEGATED.replace("%row", "%t") + NEGATED.split("%e = ")[1].replace(
        "tensor.empty() : tensor<4xf32>", "", 1
    ).replace("%s", "%t")
    ops = ops_on_buffers(function(SIGNATURE, loop(twice)))
    rooms = [op for op in ops if isinstance(op, memref.Alloca)]
    assert rooms and all(isinstance(op.parent_op, scf.Parallel) for op in rooms)
    assert not any(isinstance(op, memref.Dealloc) and op.operand(0) in [one.memref for one in rooms] for op in ops)


def test_large_rows_are_not_on_the_stack() -> None:
    twice = NEGATED.replace("%row", "%t") + NEGATED.split("%e = ")[1].replace(
        "tensor.empty() : tensor<4xf32>", "", 1
    ).replace("%s", "%t")
    for size, is_small in ((16_000, True), (17_000, False)):
        text = function(SIGNATURE, loop(twice)).replace("4xf32>", f"{size}xf32>").replace("[1, 4]", f"[1, {size}]")
        assert any(isinstance(op, memref.Alloca) for op in ops_on_buffers(text)) == is_small


WRONG: list[tuple[str, str]] = [
    (loop(READ, "(%i) = (0) to (%n) step (0)"), "scf.forall: the step must be at least 1, got 0"),
    (f"scf.forall () in () {{\n}}\nreturn %x : {ROWS}", "scf.forall: needs at least one loop"),
    (loop(READ, "(%i) = (0, 0) to (%n) step (1)"), "scf.forall: must have 1 lower bound, got 2"),
    (loop(READ, written="%row into %init[%i, 0] [1, 4] [1, 1]"),
     "scf.forall.in_parallel: each tensor that is written must be one of shared_outs of the scf.forall around"),
    (loop(READ, written="%row into %o[%i, 0] [1, 3] [1, 1]"),
     "tensor.parallel_insert_slice: the slice has sizes 1x3, which cannot be tensor<4xf32> (axes of size 1 may be left out)"),
    (loop(READ).replace("tensor.parallel_insert_slice", "%z = arith.constant 1 : index\ntensor.parallel_insert_slice"),
     "scf.forall.in_parallel: may only have tensor.parallel_insert_slice inside, got arith.constant"),
    ("%s = tensor.extract_slice %x[0, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>\n"
     "tensor.parallel_insert_slice %s into %x[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<?x4xf32>\nreturn %x : tensor<?x4xf32>",
     "tensor.parallel_insert_slice: must stand in scf.forall.in_parallel, got func.func"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_wrong_loops_are_told(body: str, message: str) -> None:
    assert verify_error(function(SIGNATURE, body)) == message


def test_a_part_that_does_not_fit_is_an_error_of_the_run() -> None:
    error = run_error(function(SIGNATURE, loop(READ, "(%i) in (4)")), X, X, 3)
    assert "axis 0" in error.message and "3" in error.message


def test_types_are_counted() -> None:
    text = function(SIGNATURE, loop(READ).replace(f"-> ({ROWS})", f"-> ({ROWS}, {ROWS})"))
    with pytest.raises(Exception, match="shared_outs has 1 tensors, and there are 2 types behind '->'"):
        module(text)


def test_loops_level_is_parallel() -> None:
    found: Any = module(main(loop(NEGATED)))
    run_pipeline(lower_cpu(), found)
    assert any(isinstance(op, scf.Parallel) for op in found.walk())
