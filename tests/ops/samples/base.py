"""What the rows and the smooth points of all families are made with."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import mpmath
import numpy as np

NAN, INF = math.nan, math.inf
HARD_FLOATS = (NAN, INF, -INF, 0.0, -0.0, 1.5, -2.0)
SPECIALS = (NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 1000.0, -1000.0, 1e-30)
ULP = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23, "f64": 2.0**-52}
DTYPES = {
    "f16": "float16", "bf16": ml_dtypes.bfloat16, "f32": "float32", "f64": "float64", "i1": "bool", "i8": "int8",
    "i16": "int16", "i32": "int32", "i64": "int64", "ui8": "uint8", "ui16": "uint16", "ui32": "uint32", "ui64": "uint64",
}  # fmt: skip
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
INTEGERS = ("i8", "i32", "i64", "ui8", "ui32")
SMALL = ("f16", "bf16")
FLOATS, NUMBERS = ("f32", "f64", *SMALL), ("f32", "f64", *SMALL, *INTEGERS)
SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (2, 3))


@dataclass(frozen=True)
class Sample:
    """`op text` on inputs of these types gives `want`, of type `result`.

    rtol: of the value; atol: of the terms, where some are added up; both 0 means equal bits (any nan is a nan).
    names: the results; the one called %r is meant.
    """

    op: str
    text: str
    types: tuple[str, ...]
    inputs: tuple[np.ndarray, ...]
    result: str
    want: np.ndarray
    rtol: float = 0.0
    atol: float = 0.0
    note: str = ""
    names: str = "%r"

    def __post_init__(self) -> None:
        """What runs a row gives and takes bf16 as numbers in float32."""
        object.__setattr__(self, "inputs", tuple(map(widened, self.inputs)))
        object.__setattr__(self, "want", widened(self.want))

    def __str__(self) -> str:
        return f"{self.op}-{self.note}{self.names.removeprefix('%r')}{','.join(self.types)}".replace("tensor", "")

    def module(self) -> str:
        """The text of a module with the sample as the function @f."""
        arguments = ", ".join(f"%{i}: {type}" for i, type in enumerate(self.types))
        body = f"  {self.names} = {self.op} {self.text}\n  return %r : {self.result}\n"
        return f"func.func @f({arguments}) -> {self.result} {{\n{body}}}\n"


def row(
    op: str, text: str, inputs: Sequence[Any], want: Any, *, dims: Sequence[Sequence[int | str]] = (),
    result: Sequence[int | str] | str | None = None, rtol: float = 0.0, names: str = "%r",
) -> Sample:  # fmt: skip
    """A row; `{0}` in the text is the type of input 0, `{r}` that of the result.

    dims: shapes with names, for the types. rtol: of the value and of the largest input.
    """
    arrays = tuple(np.asarray(x) for x in inputs)
    types = tuple(type_of(x, dims[i] if i < len(dims) else None) for i, x in enumerate(arrays))
    type = result if isinstance(result, str) else type_of(np.asarray(want), result)
    floats = [x for x in map(widened, arrays) if x.dtype.kind == "f"]
    largest = max([1.0, *(float(np.max(np.abs(x[np.isfinite(x)]), initial=0)) for x in floats)])
    return Sample(op, text.format(*types, r=type), types, arrays, type, np.asarray(want), rtol, rtol * largest, names=names)


@dataclass(frozen=True)
class Smooth:
    """An op at a point where it is smooth, in f64, by the operands in `wrt`. order: of the derivatives to test.

    names: the results; the one called %r is differentiated.
    """

    op: str
    text: str
    types: tuple[str, ...]
    inputs: tuple[np.ndarray, ...]
    result: str
    wrt: tuple[int, ...] = (0,)
    order: int = 2
    names: str = "%r"

    def __str__(self) -> str:
        return f"{self.op}-{','.join(self.types)}".replace("tensor", "")


def smooth(op: str, text: str, inputs: Sequence[np.ndarray], result: Sequence[int | str], **facts: Any) -> Smooth:
    """A point; `{0}` is the type of input 0, `{r}` that of the result, an f64 tensor of this shape."""
    dims = facts.pop("dims", {})
    types = tuple(type_of(x, dims.get(i)) for i, x in enumerate(inputs))
    type = type_of(np.zeros(()), result)
    return Smooth(op, text.format(*types, r=type), types, tuple(map(np.asarray, inputs)), type, **facts)


#: Shapes with sizes as types have them: 0-d, size one, empty, odd, named and open, of ranks 0 to 4.
FORMS: tuple[tuple[tuple[int, ...], tuple[int | str, ...]], ...] = (
    ((), ()), ((1,), (1,)), ((0,), ("[N]",)), ((5,), ("?",)), ((7,), ("[N]",)), ((3, 1), (3, 1)), ((1, 4), ("[N]", 4)),
    ((2, 3), ("[N]", "?")), ((3, 0), ("?", 0)), ((2, 1, 3), (2, 1, 3)), ((1, 1, 1), ("[N]", "[M]", "?")),
    ((2, 3, 1, 2), (2, "[N]", 1, "?")),
)  # fmt: skip


def over_forms(op: str, text: str, *makers: Callable[[tuple[int, ...]], np.ndarray], **facts: Any) -> list[Smooth]:
    """A point for each of the forms, of an op whose operands and result have one shape."""
    facts = {"wrt": tuple(range(len(makers))), **facts}
    found = []
    for shape, sizes in FORMS:
        dims = {i: sizes for i in range(len(makers))}
        found.append(smooth(op, text, [make(shape) for make in makers], sizes, dims=dims, **facts))
    return found


# --- arrays ----------------------------------------------------------------------------------------------------------


def widened(x: np.ndarray) -> np.ndarray:
    """bf16 numbers in float32; anything else as it is."""
    return x.astype(np.float32) if x.dtype == ml_dtypes.bfloat16 else x


def array(values: Any, name: str) -> np.ndarray:
    """The values (which may overflow to inf) in the dtype of an element type."""
    with np.errstate(all="ignore"):
        return np.array(values, DTYPES[name])


def type_of(x: np.ndarray, dims: Sequence[int | str] | None = None) -> str:
    """`tensor<2x3xf32>`; dims: in the place of the shape, such as ("[N]", 3)."""
    return f"tensor<{''.join(f'{d}x' for d in (x.shape if dims is None else dims))}{NAMES[x.dtype]}>"


def each(function: Callable[..., Any], *xs: np.ndarray, name: str | None = None) -> np.ndarray:
    """The function on Python numbers, element by element; the result in the dtype of the first, or of `name`."""
    flat = [function(*values) for values in zip(*(widened(x).ravel().tolist() for x in xs))]
    name = name or NAMES[xs[0].dtype]
    if name[0] in "iu" and name != "i1":
        flat = [wrap(int(v), name) for v in flat]
    return array(flat, name).reshape(xs[0].shape)


def wrap(value: int, name: str) -> int:
    """The low bits of an integer, as a number of the type."""
    bits = int(name.lstrip("ui"))
    low = value & ((1 << bits) - 1)
    return low - (1 << bits) if name[0] == "i" and low >> (bits - 1) else low


def precise(function: Callable[[Any], Any]) -> Callable[[float], float]:
    """A function of mpmath, with 60 digits, rounded once; what is 0 at 0 keeps the sign of zero, which mpmath lacks."""

    def rounded(x: float) -> float:
        with mpmath.workdps(60):
            found = float(function(mpmath.mpf(x)))
        return x if x == found == 0 else found

    return rounded


def random(shape: tuple[int, ...], name: str, low: float = -2, high: float = 2, seed: int = 0) -> np.ndarray:
    """Numbers in a range, of any element type."""
    numbers = np.random.default_rng([seed, *shape]).uniform(low, high, shape)
    if name in ULP:
        return numbers.astype(DTYPES[name])
    if name == "i1":
        return numbers > 0
    return np.round(numbers * 20).astype("int64").astype(DTYPES[name])


def between(low: float, high: float, seed: int = 0) -> Callable[[tuple[int, ...]], np.ndarray]:
    """A maker of f64 numbers in a range."""
    return lambda shape: random(shape, "f64", low, high, seed)


def apart(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Numbers of both signs, no two of them of nearly one size and none near 0: small steps change no order."""
    rng = np.random.default_rng([seed, *shape])
    count = math.prod(shape)
    sizes = 0.2 * (1 + rng.permutation(count) + rng.uniform(-0.2, 0.2, count))
    return (sizes * rng.choice([-1, 1], count)).reshape(shape)


def apart_from_others(number: int, count: int) -> Callable[[tuple[int, ...]], np.ndarray]:
    """A maker of the operand `number` of `count` ones, whose numbers all together are `apart`."""
    return lambda shape: apart((count, *shape))[number]


def hard_numbers(name: str) -> Sequence[Any]:
    """Numbers at the edges of a type."""
    if name in ULP:
        return HARD_FLOATS
    if name == "i1":
        return (False, True)
    info = np.iinfo(DTYPES[name])
    return [info.min, info.min + 1, 0, 1, 2, 7, info.max] + ([-1, -7] if info.min else [])


# --- rows of elementwise ops -----------------------------------------------------------------------------------------


def unary(
    op: str, function: Callable[[Any], Any], names: Sequence[str], *, low: float = -2, high: float = 2, ulps: float = 0,
    hard: Sequence[Any] = (),
) -> list[Sample]:  # fmt: skip
    """Rows for an elementwise op of one operand: random numbers in each shape, and the hard ones."""
    rows = []
    for name in names:
        rtol = ulps * ULP.get(name, 0)
        for x in [random(shape, name, low, high) for shape in SHAPES] + ([array(hard, name)] if len(hard) else []):
            text = f"%0 : {type_of(x)}"
            rows.append(Sample(op, text, (type_of(x),), (x,), type_of(x), each(function, x), rtol))
    x = random((2, 3), names[0], low, high)
    for dims in (("[N]", 3), ("?", 3)):
        type = type_of(x, dims)
        rows.append(Sample(op, f"%0 : {type}", (type,), (x,), type, each(function, x), ulps * ULP.get(names[0], 0)))
    return rows


def binary(
    op: str, function: Callable[[Any, Any], Any], names: Sequence[str], *, ulps: float = 0,
    hard: Callable[[str], Sequence[Any]] | None = None, head: str = "", result: str | None = None, low: float = -2,
) -> list[Sample]:  # fmt: skip
    """Rows for an elementwise op of two operands: random numbers in each shape, and all pairs of hard ones."""
    rows = []
    hard = hard or hard_numbers
    for name in names:
        pairs = np.array(list(itertools.product(array(hard(name), name), repeat=2)), DTYPES[name]).T
        cases = [(random(s, name, low), random(s, name, low, seed=1)) for s in SHAPES] + [(pairs[0], pairs[1])]
        for x, y in cases:
            want = each(function, x, y, name=result)
            type = type_of(x if head else want)
            rows.append(
                Sample(
                    op,
                    f"{head}%0, %1 : {type}",
                    (type_of(x),) * 2,
                    (x, y),
                    type_of(want),
                    want,
                    ulps * ULP.get(name, 0),
                    note=head,
                )  # fmt: skip
            )
    x, y = random((2, 3), names[0], low), random((2, 3), names[0], low, seed=1)
    want = each(function, x, y, name=result)
    known, unknown = ("[N]", 3), ("?", "?")
    type = type_of(x, known) if head else type_of(want, known)
    types = (type_of(x, known), type_of(y, unknown))
    rows.append(Sample(op, f"{head}%0, %1 : {type}", types, (x, y), type_of(want, known), want, ulps * ULP.get(names[0], 0)))
    return rows


# --- functions that several families compare with --------------------------------------------------------------------


def larger(x: Any, y: Any) -> Any:
    if x != x or y != y:
        return NAN
    if x == y == 0 and isinstance(x, float):
        return x if math.copysign(1, x) > 0 else y
    return x if x > y else y


def smaller(x: Any, y: Any) -> Any:
    if x != x or y != y:
        return NAN
    if x == y == 0 and isinstance(x, float):
        return x if math.copysign(1, x) < 0 else y
    return x if x < y else y


def logarithm(x: Any) -> Any:
    return mpmath.nan if x != x or x < 0 else -mpmath.inf if x == 0 else mpmath.log(x)


def exact_sum(values: list[Any]) -> Any:
    return math.fsum(values) if values and isinstance(values[0], float) else sum(values)
