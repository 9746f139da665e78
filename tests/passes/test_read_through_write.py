"""read-through-write: what is read and what stands in buffers at the end is the same, and what fails still fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.levels import bits
from tests.lit_runner import LIT_ROOT
from tests.passes.random_memory import random_memory
from tir.dialects.all import REGISTRY
from tir.dialects.func import Func
from tir.interpret import Interpreter
from tir.ir.errors import TirError
from tir.ir.execution import numpy_dtype
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.types import I1, INDEX, ShapedType, element_type
from tir.parser.parse import parse_text
from tir.passes.pipelines import PASSES
from tir.passes.read_through_write import ReadThroughWrite

QUICK = range(40)
SLOW = [range(start, start + 300) for start in range(40, 1_240, 300)]


def memory_of(module: Op, seed: int, same: bool) -> list[object]:
    """What @main gives, and what stands in its arguments behind it; `same`: both are one buffer."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-99, 99, 4, dtype=np.int32), rng.integers(-99, 99, 4, dtype=np.int32)
    b = a if same else b
    found = Interpreter(module).run("main", [a, b, np.int64(seed % 3), np.bool_(seed % 2)])
    return [int(found[0]), a.tolist(), b.tolist()]


def check_memory(seed: int, *names: str) -> bool:
    """The passes change nothing that the program computes; whether they change the program."""
    text = random_memory(seed)
    module = parse_text(text, REGISTRY)
    changed = module.clone()
    run_pipeline(Pipeline([PASSES[name]() for name in names]), changed)
    for same in (False, True):
        for draw in range(4):
            want, got = memory_of(module, draw, same), memory_of(changed, draw, same)
            assert got == want, f"seed {seed}, draw {draw}, one buffer: {same}\n{text}\n{print_op(changed)}"
    return print_op(changed) != print_op(module)


@pytest.mark.parametrize("names", [("licm",), ("licm", "read-through-write", "sccp", "dce")], ids=str)
def test_random_programs_on_buffers_compute_the_same(names: tuple[str, ...]) -> None:
    assert sum(check_memory(seed, *names) for seed in QUICK) > len(QUICK) // 3


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("names", [("read-through-write",), ("licm", "read-through-write", "sccp", "dce")], ids=str)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_on_buffers_compute_the_same(seeds: range, names: tuple[str, ...]) -> None:
    assert sum(check_memory(seed, *names) for seed in seeds) > len(seeds) // 3


# --- the rules -------------------------------------------------------------------------------------------------------

LIT = (LIT_ROOT / "passes" / "read-through-write.tir").read_text(encoding="utf-8")
SIZE_OF_N = 5


def inputs_of(function: Func, rng: np.random.Generator) -> list[Any]:
    """Random inputs: indices inside and outside, and floats that are special."""
    found: list[Any] = []
    for argument in function.arguments:
        type = argument.type
        element = element_type(type)
        shape = [size if isinstance(size, int) else SIZE_OF_N for size in type.shape] if isinstance(type, ShapedType) else []
        if element is INDEX:
            numbers = rng.integers(0, 5) if argument.hint == "n" else rng.integers(-1, 6)
        elif element is I1:
            numbers = rng.integers(0, 2, shape).astype(bool)
        elif str(element) == "f32":
            numbers = rng.choice(np.array([np.nan, np.inf, -0.0, 0.0, 1.5, -2.0], np.float32), shape)
        elif "unique" in LIT.partition(f"@{function.sym_name}(")[2].partition("\n}")[0]:
            numbers = rng.permutation(7)[: int(np.prod(shape))].reshape(shape) - 1  # as the op is promised
        else:
            numbers = rng.integers(-1, 6, shape).astype(np.int32)
        array = np.asarray(numbers, numpy_dtype(element))
        found.append(array if isinstance(type, ShapedType) else array[()])
    return found


def outcome_of(module: Op, name: str, arguments: list[Any]) -> Any:
    """The bits of the results and of the buffers; the word "error" where the program fails."""
    given = [np.array(x) if isinstance(x, np.ndarray) else x for x in arguments]
    try:
        results = Interpreter(module).run(name, given)
    except TirError:
        return "error"
    return [bits(x) for x in (*results, *given)]


def functions_of(module: Op) -> dict[str, Func]:
    return {op.sym_name: op for op in module.body if isinstance(op, Func) and not op.is_declaration}


@pytest.mark.parametrize("name", [name for name in functions_of(parse_text(LIT, REGISTRY)) if name != "call"])  # of no body
def test_function_of_the_text_test_gives_the_same_for_any_inputs(name: str) -> None:
    module = parse_text(LIT, REGISTRY)
    changed = module.clone()
    run_pipeline(Pipeline([ReadThroughWrite()]), changed)
    rng = np.random.default_rng(1)
    failed = 0
    for _ in range(40):
        arguments = inputs_of(functions_of(module)[name], rng)
        want, got = outcome_of(module, name, arguments), outcome_of(changed, name, arguments)
        assert got == want, (name, arguments)
        failed += want == "error"
    assert failed < 40


def test_functions_of_the_text_test_fail_too() -> None:
    """Some of the inputs above are outside, or the test would not say that failures stay."""
    module, rng = parse_text(LIT, REGISTRY), np.random.default_rng(1)
    for name in ("slice_of_update", "slice_of_update_that_nobody_else_uses", "update_of_update", "put_of_put", "take_of_put"):
        found = [outcome_of(module, name, inputs_of(functions_of(module)[name], rng)) for _ in range(40)]
        assert "error" in found and any(one != "error" for one in found), name


def test_buffers_that_are_apart_are_known_to_be() -> None:
    lines = ["func.func @f(%x: f32) -> f32 {", "  %c1 = arith.constant 1 : index"]
    lines += [f"  %m{i} = memref.alloca() : memref<4xf32>" for i in range(300)]
    lines += [f"  memref.store %x, %m{i}[%c1] : memref<4xf32>" for i in range(300)]
    lines += [f"  %v{i} = memref.load %m{i}[%c1] : memref<4xf32>" for i in range(300)]
    module = parse_text("\n".join([*lines, "  return %v299 : f32", "}"]), REGISTRY)
    run_pipeline(Pipeline([ReadThroughWrite()]), module)
    assert "memref" not in print_op(module)
