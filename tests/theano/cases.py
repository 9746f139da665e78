"""Cases for functions of `T`: an expression of variables, arrays for these, and the array that must come out.

The cases of a family are compiled together, once without rewrites by the interpreter and once as machine code. The dtypes
that must come out are written here by hand, from Theano's rules; numpy is not asked for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tir
import tir.tensor as T

AT_ONCE = 150  # a function of machine code has a limit
MODES = ("FAST_COMPILE", "FAST_RUN")
NAN, INF = float("nan"), float("inf")

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
DTYPES = ("bool", *INTS, *FLOATS)

#: A function of floats takes other numbers as these.
AS_FLOAT = {
    "bool": "float32", "int8": "float32", "int16": "float32", "int32": "float64", "int64": "float64", "uint8": "float32",
    "uint16": "float32", "uint32": "float64", "uint64": "float64", "float16": "float16", "float32": "float32",
    "float64": "float64",
}  # fmt: skip
#: In which integers add up.
AS_SUM = {
    "bool": "int64", "int8": "int64", "int16": "int64", "int32": "int64", "int64": "int64", "uint8": "uint64",
    "uint16": "uint64", "uint32": "uint64", "uint64": "uint64", "float16": "float16", "float32": "float32",
    "float64": "float64",
}  # fmt: skip
AS_MEAN = {dtype: dtype if dtype in FLOATS else "float64" for dtype in DTYPES}
#: What two dtypes become together, beside those that are equal; the other way round too.
TOGETHER = {
    ("bool", "int8"): "int8", ("bool", "uint16"): "uint16", ("bool", "float16"): "float16", ("int8", "int16"): "int16",
    ("int8", "uint8"): "int16", ("int16", "uint16"): "int32", ("int32", "uint32"): "int64", ("int64", "uint64"): "float64",
    ("int8", "uint64"): "float64", ("uint8", "uint32"): "uint32", ("uint8", "int32"): "int32", ("int8", "float16"): "float16",
    ("int16", "float16"): "float32", ("int32", "float16"): "float64", ("int16", "float32"): "float32",
    ("int32", "float32"): "float64", ("int64", "float32"): "float64", ("uint16", "float32"): "float32",
    ("int64", "float64"): "float64", ("float16", "float32"): "float32", ("float32", "float64"): "float64",
}  # fmt: skip

#: How far a result may be from the one that is computed in float64 and rounded: a few units in the last place.
TOLERANCES = {"float16": 3e-3, "float32": 2e-6, "float64": 1e-12}


@dataclass(frozen=True)
class Case:
    """An expression of variables, the arrays for these, and the array that must come out.

    tolerance: relative, by the dtype without. is_short: it runs as machine code too, which takes longer to compile.
    """

    label: str
    build: Callable[..., Any]
    arguments: tuple[Any, ...]
    expected: Any
    tolerance: float | None = None
    is_short: bool = True


def check(cases: Iterable[Case], mode: str) -> None:
    """Compiles the cases, many in one function, and compares what comes out; one failure tells all that is wrong."""
    RNG.bit_generator.state = START  # the same numbers, whichever tests ran before
    kept = [case for case in cases if case.is_short or mode == "FAST_COMPILE"]
    wrong = [told for start in range(0, len(kept), AT_ONCE) for told in problems(kept[start : start + AT_ONCE], mode)]
    assert not wrong, f"{len(wrong)} of {len(kept)} cases:\n" + "\n".join(wrong[:60])


def problems(kept: list[Case], mode: str) -> list[str]:
    """What is wrong with these cases."""
    variables: dict[int, Any] = {}
    arrays: dict[int, Any] = {}
    outputs = []
    for case in kept:
        for array in case.arguments:
            if id(array) not in variables:
                variables[id(array)] = T.tensor(array.dtype.name, [size == 1 for size in array.shape])
                arrays[id(array)] = array
        outputs.append(case.build(*(variables[id(array)] for array in case.arguments)))
    inputs = list(variables)
    f = tir.function([variables[i] for i in inputs], outputs, mode=mode, on_unused_input="ignore")
    wrong = []
    for case, found in zip(kept, f(*(arrays[i] for i in inputs))):
        problem = difference(np.asarray(found), np.asarray(case.expected), case.tolerance)
        if problem:
            wrong.append(f"{case.label}: {problem}")
    return wrong


def difference(found: Any, expected: Any, tolerance: float | None) -> str | None:
    """What differs: dtype, shape, or the worst element; 0.0 and -0.0 are not the same where the result is exact."""
    if found.dtype != expected.dtype:
        return f"dtype {found.dtype}, not {expected.dtype}"
    if found.shape != expected.shape:
        return f"shape {found.shape}, not {expected.shape}"
    bound = TOLERANCES.get(found.dtype.name, 0.0) if tolerance is None else tolerance
    with np.errstate(all="ignore"):
        wide, want = (x.astype(np.float64) if x.dtype.kind == "f" else x for x in (found, expected))
        same = (wide == want) | (wide != wide) & (want != want)
        if bound:
            tiny = float(np.finfo(found.dtype).tiny) if found.dtype.kind == "f" else 0.0
            same |= np.abs(wide - want) <= bound * np.abs(want) + tiny
    if same.all():
        return None
    place = tuple(int(i) for i in np.argwhere(~same)[0])
    return f"{found[place]!r} at {place}, not {expected[place]!r}"


# --- sample arrays ---------------------------------------------------------------------------------------------------


def hard(dtype: str) -> Any:
    """A vector with the ends of the dtype, both zeros, nan, infinities, halves."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.array([False, True])
    if kind.kind in "iu":
        info = np.iinfo(kind)
        return np.array([0, 1, 2, 3, 7, 100, info.max, info.min, info.max - 1], kind)
    info = np.finfo(kind)
    numbers = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 0.1, -0.7, 3.75, -8.25, 30.0, NAN, INF, -INF]
    return np.array([*numbers, info.max, -info.max, info.tiny, info.eps], kind)


HARD = {dtype: hard(dtype) for dtype in DTYPES}
RNG = np.random.default_rng(5)
START = RNG.bit_generator.state
MATRIX = RNG.normal(size=(4, 6))
CUBE = RNG.normal(size=(2, 3, 4))
#: Shapes of float64: no axes, nothing, one element, three axes, not in one piece.
SHAPES = {
    "0-d": np.array(0.625), "empty": np.zeros((0, 3)), "one": np.array([[0.25]]), "three axes": RNG.normal(size=(2, 3, 4)),
    "every other": MATRIX[::2, ::3], "transposed": MATRIX.T, "backwards": MATRIX[::-1, ::-1],
}  # fmt: skip


def computed(reference: Callable[..., Any], dtype: str, *arrays: Any) -> Any:
    """The reference in float64, on the numbers as floats of the dtype, rounded to it."""
    with np.errstate(all="ignore"):
        wide = [x.astype(dtype).astype(np.float64) for x in arrays]
        return np.asarray(reference(*wide)).astype(dtype)
