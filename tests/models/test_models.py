"""Whole models as text, from layers and losses to filters and statistics: each gives what numpy gives, at every level.

`expected.py` has the same model in numpy by the name of the file, written independently. A new model is a file with
`@main`, its sizes small and mostly named, and a function there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, first_disagreement
from tests.models.expected import EXPECTED
from tir.check import InputSpec, Tolerance, first_difference, generate_inputs, input_ranges
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.parser.parse import parse_text

FOLDER = Path(__file__).resolve().parent
MODELS = sorted(path.stem for path in FOLDER.glob("*.tir"))
#: Sizes that a model needs, as by its windows; all others are drawn.
SIZES: dict[str, dict[str, int]] = {"sobel": {"H": 5, "W": 4}, "moving_average": {"T": 6}}
SEEDS = range(3)
#: Roundings of the narrowest type on the way, where it is not that of the result.
NARROW = {"bf16_dense": 2.0**-8}
#: The levels that `make test` runs; a slow test runs them all.
QUICK = ("tensor", "cpu")
#: What LLVM compiles for a second or two: each has a smaller relative among the others.
LARGE = (
    "contrastive_loss", "cross_attention", "fourier", "gpt_block", "haversine", "inception", "lenet",
    "mixed_precision_attention", "multi_head_attention", "pooling_heads", "sobel",
)  # fmt: skip


def read(name: str) -> str:
    return (FOLDER / f"{name}.tir").read_text(encoding="utf-8")


def arguments(function: Op, name: str, seed: int) -> Mapping[str, Any]:
    """Generated arguments of a model."""
    types = function.function_type.inputs  # type: ignore[attr-defined]
    names = [function.argument_attributes(i)["tir.name"].value for i in range(len(types))]  # type: ignore[attr-defined]
    specs = [InputSpec(*facts) for facts in zip(names, types, input_ranges(function))]
    return generate_inputs(specs, seed, SIZES.get(name))


def main_of(module: Op) -> Op:
    return next(op for op in module.body if op.name == "func.func")  # type: ignore[attr-defined]


def widened(array: Any) -> Any:
    """Floats as float64, to compute what is wanted without roundings of their own."""
    array = np.asarray(array)
    return array if array.dtype.kind in "biu" else array.astype(np.float64)


def test_each_model_has_its_function_in_numpy() -> None:
    assert MODELS == sorted(EXPECTED)
    assert len(MODELS) >= 60


@pytest.mark.parametrize("name", MODELS)
def test_model_gives_what_numpy_gives(name: str) -> None:
    module = parse_text(read(name), REGISTRY)
    program = Executable(module, "interpret")
    for seed in SEEDS:
        given = arguments(main_of(module), name, seed)
        want = EXPECTED[name](*(widened(array) for array in given.values()))
        wants = want if isinstance(want, tuple) else (want,)
        for i, (got, exact) in enumerate(zip(program.call("main", given), wants, strict=True)):
            difference = first_difference(np.asarray(exact, widened(got).dtype), widened(got), tolerance(name, got))
            assert difference is None, f"seed {seed}, result {i}: {difference}"


def tolerance(name: str, got: Any) -> Tolerance:
    """256 roundings of the largest number: sums of up to 50 terms, a few layers deep. In units of float64."""
    got = np.asarray(got)
    if got.dtype.kind in "biu":
        return Tolerance(0)
    unit = NARROW.get(name, float(np.finfo(got.dtype).eps))
    roundings = 8 if unit > 1e-3 else 256
    return Tolerance(roundings * unit / float(np.finfo(np.float64).eps), by_array=True)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in LARGE][::2])
def test_levels_agree(name: str) -> None:
    assert_levels_agree(name, 0, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MODELS)
def test_all_levels_agree(name: str, seed: int) -> None:
    assert_levels_agree(name, seed, tuple(LEVELS))


def assert_levels_agree(name: str, seed: int, levels: tuple[str, ...]) -> None:
    text = read(name)
    given = arguments(main_of(parse_text(text, REGISTRY)), name, seed)
    found = first_disagreement(text, given, levels=levels)
    assert found is None, found
