"""fuse-rows: ops that need whole rows of each other share one loop, with the same numbers; what stays apart is a remark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, first_disagreement, module_at, run
from tests.passes.row_programs import row_program
from tir.dialects import linalg, memref, scf
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.bufferize import Bufferize
from tir.passes.canonicalize import Canonicalize
from tir.passes.dce import Dce
from tir.passes.fuse_rows import FuseRows
from tir.passes.fuse_structured import FuseStructured
from tir.passes.lower_structured import LowerStructured

ROWS = "tensor<[N]x100xf32>"
EACH = "tensor<[N]xf32>"


def structured(text: str) -> Op:
    module = parse_text(text, REGISTRY, file="m.tir")
    run_pipeline(Pipeline([LowerStructured(), Canonicalize()]), module)
    return module


def fused(text: str, *arguments: Any) -> tuple[Op, list[str]]:
    """The module behind the pass, and its remarks. Where arguments are given, the results must keep their bits."""
    module = structured(text)
    before = Interpreter(module).run("main", arguments) if arguments else []
    step = FuseRows()
    step.run(module)
    verify(module)
    after = Interpreter(module).run("main", arguments) if arguments else []
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    return module, [text for _, text in step.remarks]


def function(lines: str, arguments: str = f"%x: {ROWS}", result: str = ROWS) -> str:
    return f"func.func @main({arguments}) -> {result} {{\n{lines}\n  return %r : {result}\n}}\n"


def loops(module: Op) -> list[scf.ForAll]:
    return [op for op in module.walk() if isinstance(op, scf.ForAll)]


def outside(module: Op) -> list[linalg.Generic]:
    """The structured ops that are in no loop over rows."""
    return [op for op in module.walk() if isinstance(op, linalg.Generic) and not isinstance(op.parent_op, scf.ForAll)]


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


SOFTMAX = function(f"  %r = tir.softmax %x over [1] : {ROWS}")
LAYER_NORM = function(
    f"  %r = tir.layer_norm %x, %s, %o over [1] epsilon 1.0e-05 : f32 : {ROWS}",
    f"%x: {ROWS}, %s: tensor<100xf32>, %o: tensor<100xf32>",
)
CENTRED = function(f"""\
  %m = tir.mean %x over [1] : {EACH}
  %b = tir.broadcast %m along [0] : {EACH} -> {ROWS}
  %r = tir.sub %x, %b : {ROWS}""")
GRADIENT = function(
    f"""\
  %p = tir.softmax %x over [1] : {ROWS}
  %g = tir.mul %p, %d : {ROWS}
  %s = tir.sum %g over [1] : {EACH}
  %b = tir.broadcast %s along [0] : {EACH} -> {ROWS}
  %c = tir.sub %d, %b : {ROWS}
  %r = tir.mul %p, %c : {ROWS}""",
    f"%x: {ROWS}, %d: {ROWS}",
)


@pytest.mark.parametrize("text", [SOFTMAX, LAYER_NORM, CENTRED, GRADIENT], ids=["softmax", "norm", "centred", "gradient"])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_what_needs_whole_rows_is_one_loop(text: str, rows: int) -> None:
    count = text.split("->")[0].count("tensor<")
    arguments = [numbers(rows, 100, seed=i) for i in range(count)]
    if "%s: tensor<100" in text:
        arguments[1:] = [numbers(100, seed=1), numbers(100, seed=2)]
    module, remarks = fused(text, *arguments)
    (loop,) = loops(module)
    assert loop.rank == 1 and outside(module) == [] and remarks == []


def test_hard_numbers_keep_their_bits() -> None:
    x = numbers(6, 100)
    x[0, 3], x[1, 0], x[2, :], x[3, 5], x[4, :] = np.nan, np.inf, -np.inf, -0.0, 3e38
    for text in (SOFTMAX, CENTRED):
        fused(text, x)


def test_buffers_between_the_ops_are_rows() -> None:
    for text in (SOFTMAX, GRADIENT):
        module, _ = fused(text)
        run_pipeline(Pipeline([FuseStructured(), Canonicalize(), Dce(), Bufferize()]), module)
        made = [op for op in module.walk() if isinstance(op, memref.Alloc)]
        assert made and all(isinstance(op, memref.Alloca) and op.memref.type.count <= 100 for op in made)
        (loop,) = (op for op in module.walk() if isinstance(op, scf.Parallel))
        assert not any(isinstance(op, memref.Copy) for op in loop.walk())  # each part is computed where it belongs


def test_several_results_and_several_common_loops() -> None:
    type, part = "tensor<3x[N]x100xf32>", "tensor<3x[N]xf32>"
    text = f"""
func.func @main(%x: {type}) -> ({type}, {part}) {{
  %m = tir.max %x over [2] : {part}
  %b = tir.broadcast %m along [0, 1] : {part} -> {type}
  %r = tir.sub %x, %b : {type}
  %e = tir.exp %m : {part}
  return %r, %e : {type}, {part}
}}
"""
    module, _ = fused(text, numbers(3, 4, 100))
    (loop,) = loops(module)
    assert loop.rank == 2 and len(loop.results) == 2 and outside(module) == []


def test_reductions_along_other_axes_stay_apart() -> None:
    text = f"""
func.func @main(%x: {ROWS}) -> (tensor<100xf32>, {ROWS}) {{
  %p = tir.softmax %x over [1] : {ROWS}
  %c = tir.sum %p over [0] : tensor<100xf32>
  return %c, %p : tensor<100xf32>, {ROWS}
}}
"""
    module, _ = fused(text, numbers(5, 100))
    (loop,) = loops(module)
    assert any(op.iterator_types == ("reduction", "parallel") or not op.is_all_parallel for op in outside(module))
    assert len(loop.results) == 1


COLUMNS = function(
    """\
  %m = tir.mean %x over [0] : tensor<70xf32>
  %b = tir.broadcast %m along [1] : tensor<70xf32> -> tensor<200x70xf32>
  %r = tir.sub %x, %b : tensor<200x70xf32>""",
    "%x: tensor<200x70xf32>",
    "tensor<200x70xf32>",
)
WHOLE = function(
    f"""\
  %m = tir.max %x over [0, 1] : tensor<f32>
  %b = tir.broadcast %m along [] : tensor<f32> -> {ROWS}
  %r = tir.sub %x, %b : {ROWS}"""
)
TURNED = function(
    """\
  %s = tir.sum %x over [1] : tensor<100xf32>
  %b = tir.broadcast %s along [1] : tensor<100xf32> -> tensor<100x100xf32>
  %r = tir.sub %x, %b : tensor<100x100xf32>""",
    "%x: tensor<100x100xf32>",
    "tensor<100x100xf32>",
)
SHORT = SOFTMAX.replace("100", "10")


@pytest.mark.parametrize(("text", "reason"), [
    (COLUMNS, "the common loops run along the innermost axis, so that rows would be columns"),
    (WHOLE, "no parallel loop is common to the ops"),
    (TURNED, "the common loops run along the innermost axis, so that rows would be columns"),
    (SHORT, "the rows have less than 64 elements, they have 10"),
], ids=["columns", "whole", "turned", "short"])  # fmt: skip
def test_what_stays_apart_says_why(text: str, reason: str) -> None:
    shape = {"200x70": (200, 70), "100x100": (100, 100), "x10x": (5, 10)}
    found = next((sizes for name, sizes in shape.items() if name in text), (5, 100))
    module, remarks = fused(text, numbers(*found))
    assert loops(module) == [] and f"not fused: {reason}" in remarks


def test_an_op_between_that_needs_one_and_is_needed_by_the_other() -> None:
    text = function(
        f"""\
  %s = tir.sum %x over [1] : {EACH}
  %t = tir.sort %s axis 0 : {EACH}
  %b = tir.broadcast %s along [0] : {EACH} -> {ROWS}
  %c = tir.broadcast %t along [0] : {EACH} -> {ROWS}
  %d = tir.sub %x, %b : {ROWS}
  %r = tir.mul %d, %c : {ROWS}"""
    )
    fused(text, numbers(5, 100))


CUBE, SQUARE = "tensor<7x7x80xf32>", "tensor<7x7xf32>"


def cube(lines: str) -> str:
    """What is made of %x and %m, the largest of each of its rows, %t being %x with its first axes exchanged."""
    head = f"  %m = tir.max %x over [2] : {SQUARE}\n  %t = tir.transpose %x by [1, 0, 2] : {CUBE}\n"
    return function(head + lines, f"%x: {CUBE}", CUBE)


def test_a_row_of_another_iteration_is_not_that_of_this_one() -> None:
    text = cube(f"""\
  %u = tir.transpose %m by [1, 0] : {SQUARE}
  %b = tir.broadcast %u along [0, 1] : {SQUARE} -> {CUBE}
  %r = tir.sub %x, %b : {CUBE}""")
    module, _ = fused(text, numbers(7, 7, 80))
    assert len(loops(module)) == 1  # a step makes the row that needs what it has made, at another place
    both = text.replace("  %r = tir.sub %x, %b", f"  %a = tir.broadcast %m along [0, 1] : {SQUARE} -> {CUBE}\n"
                        f"  %c = tir.sub %x, %a : {CUBE}\n  %r = tir.sub %c, %b")  # fmt: skip
    fused(both, numbers(7, 7, 80))


def test_one_tensor_may_have_several_slices() -> None:
    text = cube(f"""\
  %b = tir.broadcast %m along [0, 1] : {SQUARE} -> {CUBE}
  %c = tir.sub %x, %b : {CUBE}
  %r = tir.add %c, %t : {CUBE}""")
    module, _ = fused(text, numbers(7, 7, 80))
    (loop,) = loops(module)
    assert sum(op.name == "tensor.extract_slice" for op in loop.body) == 2


def test_positions_are_those_of_the_whole() -> None:
    text = function("""\
  %m = tir.max %x over [1] : tensor<6xf32>
  %b = tir.broadcast %m along [0] : tensor<6xf32> -> tensor<6x100xf32>
  %c = tir.sub %x, %b : tensor<6x100xf32>
  %i = tir.iota axis 0 : tensor<6x100xf32>
  %j = tir.iota axis 1 : tensor<6x100xf32>
  %d = tir.mul %c, %i : tensor<6x100xf32>
  %r = tir.add %d, %j : tensor<6x100xf32>""", "%x: tensor<6x100xf32>", "tensor<6x100xf32>")
    module = structured(text)
    FuseStructured().run(module)  # the positions stand in the bodies of others then
    want = Interpreter(module).run("main", [numbers(6, 100)])
    FuseRows().run(module)
    assert len(loops(module)) == 1
    np.testing.assert_array_equal(Interpreter(module).run("main", [numbers(6, 100)])[0], want[0])


def test_one_row_is_no_loop() -> None:
    module, remarks = fused(SOFTMAX.replace("[N]", "1"), numbers(1, 100))
    assert loops(module) == [] and "not fused: no parallel loop is common to the ops" in remarks


QUICK = range(40)
SLOW = [range(start, start + 100) for start in range(40, 1_040, 100)]


def errors_of_products(text: str, arguments: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Room for what the errors of a hundred factors add up to, of a few roundings each."""
    if "tir.prod" not in text:
        return {}
    arrays = run(module_at(text, LEVELS["tensor"][0]()), "interpret", "main", arguments).arrays
    return {name: 300 * np.finfo(x.dtype).eps * np.abs(x) for name, x in arrays.items() if x.dtype.kind == "f"}


def check(seed: int) -> int:
    """Compares a program before and behind the pass to the bit, and on the machine; how many loops over rows it has."""
    program = row_program(seed)
    module, _ = fused(program.text, *program.arguments)
    names = {f"{name}": x for name, x in zip("xy", program.arguments)}
    uncertain = errors_of_products(program.text, names)
    found = first_disagreement(program.text, names, uncertain, levels=["tensor", "cpu"])
    assert found is None, f"seed {seed}: {found}\n{program.text}"
    return len(loops(module))


def test_random_programs_of_rows() -> None:
    assert sum(check(seed) > 0 for seed in QUICK) > len(QUICK) // 4


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_of_rows(seeds: range) -> None:
    for seed in seeds:
        check(seed)
