"""Running loops-level text natively and on the interpreter, for the tests of the lowering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.lower.llvm import LoweredModule, lower_to_llvm
from tir.parser.parse import parse_text
from tir.runtime.calls import NativeFunction
from tir.runtime.jit import compile_text


def lowered(text: str) -> LoweredModule:
    """The LLVM IR of a module."""
    return lower_to_llvm(parse_text(text, REGISTRY))


def compiled(text: str, name: str = "f") -> NativeFunction:
    """The function `name` as machine code."""
    module = lowered(text)
    library = compile_text(module.text, module.exports)
    return NativeFunction(name, library, module.functions[name], module.asserts)


def run_both(text: str, arguments: Sequence[Any], name: str = "f") -> list[Any]:
    """Runs @f both ways on copies of the arguments; gives its results and the arguments afterwards, once they agree.

    Floats agree if they are equal, sign of zero included, or both nan.
    """
    outcomes = []
    for run in (compiled(text, name), lambda values: Interpreter(parse_text(text, REGISTRY)).run(name, values)):
        values = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]
        outcomes.append([*run(values), *values])
    for native, interpreted in zip(*outcomes):
        assert_same(native, interpreted)
    return outcomes[0]


def assert_same(got: Any, want: Any) -> None:
    """Equal arrays or scalars of one dtype, nan equal to nan and -0.0 different from 0.0."""
    got, want = np.asarray(got), np.asarray(want)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == want.dtype
    if got.dtype.kind == "f":
        number = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])
