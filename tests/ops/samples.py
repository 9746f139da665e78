"""One row or more for each op of the tensor dialect: text, inputs, and what an independent source says comes out.

Whoever tests a path (text, interpreter, a lowering, a back end) runs it on `SAMPLES`. A new op needs its rows here, and
a point in `smooth.py` if it has a gradient.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import scipy.special

NAN, INF = math.nan, math.inf
HARD_FLOATS = (NAN, INF, -INF, 0.0, -0.0, 1.5, -2.0)
ULP = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23, "f64": 2.0**-52}
DTYPES = {
    "f16": "float16", "bf16": ml_dtypes.bfloat16, "f32": "float32", "f64": "float64", "i1": "bool", "i8": "int8", "i16": "int16", "i32": "int32",
    "i64": "int64", "ui8": "uint8", "ui16": "uint16", "ui32": "uint32", "ui64": "uint64",
}  # fmt: skip
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
INTEGERS = ("i8", "i32", "i64", "ui8", "ui32")


@dataclass(frozen=True)
class Sample:
    """`op text` on inputs of these types gives `want`, of type `result`.

    rtol: of the value; atol: of the terms, where some are added up; both 0 means equal bits (any nan is a nan).
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

    def __post_init__(self) -> None:
        """What runs a row gives and takes bf16 as numbers in float32."""
        object.__setattr__(self, "inputs", tuple(map(widened, self.inputs)))
        object.__setattr__(self, "want", widened(self.want))

    def __str__(self) -> str:
        return f"{self.op}-{self.note}{','.join(self.types)}".replace("tensor", "")

    def module(self) -> str:
        """The text of a module with the sample as the function @f."""
        arguments = ", ".join(f"%{i}: {type}" for i, type in enumerate(self.types))
        body = f"  %r = {self.op} {self.text}\n  return %r : {self.result}\n"
        return f"func.func @f({arguments}) -> {self.result} {{\n{body}}}\n"


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


SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (2, 3))


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


def hard_numbers(name: str) -> Sequence[Any]:
    """Numbers at the edges of a type."""
    if name in ULP:
        return HARD_FLOATS
    if name == "i1":
        return (False, True)
    info = np.iinfo(DTYPES[name])
    return [info.min, info.min + 1, 0, 1, 2, 7, info.max] + ([-1, -7] if info.min else [])


# --- what an element is, in Python's numbers ------------------------------------------------------------------------


def divide(x: Any, y: Any) -> Any:
    if isinstance(x, int):
        return 0 if y == 0 else abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    if y != 0:
        return x / y
    return NAN if x == 0 or math.isnan(x) else math.copysign(INF, x) * math.copysign(1, y)


def power(x: float, y: float) -> float:
    if x == 0 and y < 0:
        return INF
    try:
        return math.pow(x, y)
    except ValueError:
        return NAN


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


def sign(x: Any) -> Any:
    return x if x == 0 or x != x else math.copysign(1.0, x) if isinstance(x, float) else (1 if x > 0 else -1)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def converted(x: Any, name: str) -> Any:
    """A Python number in another element type."""
    if name == "i1":
        return x != 0
    if name in ULP or not isinstance(x, float):
        return x
    info = np.iinfo(DTYPES[name])
    return 0 if math.isnan(x) else info.max if x > info.max else info.min if x < info.min else int(x)


# --- rows: elementwise -------------------------------------------------------------------------------------------

SMALL = ("f16", "bf16")
FLOATS, NUMBERS = ("f32", "f64", *SMALL), ("f32", "f64", *SMALL, *INTEGERS)
SPECIALS = (NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 1000.0, -1000.0, 1e-30)


def elementwise_rows() -> list[Sample]:
    rows = [
        *unary("tir.neg", operator.neg, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.neg", operator.neg, FLOATS, hard=SPECIALS),
        *unary("tir.abs", abs, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.abs", abs, ("i8", "i64"), hard=(-128, 127, 0)),
        *unary("tir.abs", abs, FLOATS, hard=SPECIALS),
        *unary("tir.sign", sign, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.sign", sign, FLOATS, hard=SPECIALS),
        *unary("tir.square", lambda x: x * x, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.square", lambda x: x * x, FLOATS, hard=(NAN, INF, -INF, 0.0, -0.0)),
        *unary("tir.sqrt", precise(root), FLOATS, low=0, hard=(NAN, INF, -INF, 0.0, -0.0, -1.0), ulps=0.5),
        *unary("tir.exp", precise(mpmath.exp), ("f16", *FLOATS), hard=SPECIALS, ulps=4),
        *unary("tir.log", precise(logarithm), FLOATS, low=0.1, hard=SPECIALS, ulps=4),
        *unary("tir.log1p", precise(lambda x: logarithm(1 + x)), FLOATS, low=-0.9, hard=SPECIALS, ulps=4),
        *unary("tir.tanh", precise(mpmath.tanh), FLOATS, hard=SPECIALS, ulps=4),
        *unary("tir.sigmoid", precise(sigmoid), FLOATS, hard=(NAN, INF, -INF, 0.0, 80.0, -80.0, 1000.0), ulps=4),
        *unary("tir.relu", lambda x: larger(x, 0.0), FLOATS, hard=SPECIALS),
        *binary("tir.add", operator.add, NUMBERS),
        *binary("tir.sub", operator.sub, NUMBERS),
        *binary("tir.mul", operator.mul, NUMBERS),
        *binary("tir.div", divide, NUMBERS),
        *binary("tir.pow", power, FLOATS, ulps=4, low=0.1),
        *binary("tir.maximum", larger, NUMBERS),
        *binary("tir.minimum", smaller, NUMBERS),
        *binary("tir.and", operator.and_, ("i1", *INTEGERS)),
        *binary("tir.or", operator.or_, ("i1", *INTEGERS)),
        *unary("tir.not", lambda x: not x, ("i1",), hard=(False, True)),
        *unary("tir.not", operator.invert, INTEGERS, hard=(0, 1, 100)),
    ]
    for predicate in ("eq", "ne", "lt", "le", "gt", "ge"):
        relation = getattr(operator, predicate)
        rows += binary("tir.cmp", relation, ("i1", *NUMBERS), head=f"{predicate} ", result="i1")
    return rows + select_rows() + cast_rows()


def root(x: Any) -> Any:
    return x if x != x or x == 0 else mpmath.nan if x < 0 else mpmath.sqrt(x)


def logarithm(x: Any) -> Any:
    return mpmath.nan if x != x or x < 0 else -mpmath.inf if x == 0 else mpmath.log(x)


def select_rows() -> list[Sample]:
    rows = []
    for name, shape in itertools.product(("f32", *SMALL, "i64", "i1", "ui8"), SHAPES):
        condition, x, y = random(shape, "i1", seed=2), random(shape, name), random(shape, name, seed=1)
        want = each(lambda c, a, b: a if c else b, condition, x, y, name=name)
        types = (type_of(condition), type_of(x), type_of(y))
        rows.append(Sample("tir.select", f"%0, %1, %2 : {types[1]}", types, (condition, x, y), types[1], want))
    return rows


def cast_rows() -> list[Sample]:
    rows = []
    edges = (NAN, INF, -INF, 0.0, -0.0, 0.9, -0.9, 255.5, 1e10, -1e10, 1e25, -1e25)
    for source, target in itertools.product(("f32", "f64", *SMALL, "i1", "i8", "ui8", "i64", "ui32"), (*NUMBERS, "i1")):
        x = array(edges if source in ULP else hard_numbers(source), source)
        want = each(lambda v, t=target: converted(v, t), x, name=target)
        types = (type_of(x),)
        rows.append(Sample("tir.cast", f"%0 : {types[0]} -> {type_of(want)}", types, (x,), type_of(want), want))
    return rows


# --- rows: shapes and creation -----------------------------------------------------------------------------------


def shape_rows() -> list[Sample]:
    x, v, one = random((2, 3), "f32"), random((3,), "i32"), random((2, 1), "f64")
    n, cube = random((4, 2), "f32"), random((2, 3, 4), "i8")
    rows = [
        row("tir.broadcast", "%0 along [1] : {0} -> {r}", [v], np.stack([v, v])),
        row("tir.broadcast", "%0 along [0] : {0} -> {r}", [v], np.stack([v, v], 1)),
        row("tir.broadcast", "%0 along [] : {0} -> {r}", [random((), "f32")], np.full((2, 0), random((), "f32"))),
        row("tir.broadcast", "%0 along [] : {0} -> {r}", [random((), "f32")], random((), "f32")),
        row("tir.broadcast", "%0 along [0, 1] : {0} -> {r}", [one], np.concatenate([one] * 3, 1)),
        row("tir.broadcast", "%0 along [0, 2] : {0} -> {r}", [one], np.concatenate([one[:, None]] * 3, 2)),
        row("tir.transpose", "%0 by [1, 0] : {r}", [x], np.array([[x[i, j] for i in range(2)] for j in range(3)])),
        row("tir.transpose", "%0 by [2, 0, 1] : {r}", [cube], np.moveaxis(cube, 2, 0)),
        row("tir.transpose", "%0 by [] : {r}", [random((), "f32")], random((), "f32")),
        row("tir.transpose", "%0 by [1, 0] : {r}", [n], n.T, dims=[("[N]", 2)], result=(2, "[N]")),
        row("tir.reshape", "%0 : {0} -> {r}", [x], np.array(x.ravel().tolist(), np.float32).reshape(3, 2)),
        row("tir.reshape", "%0 : {0} -> {r}", [x], x.ravel()),
        row("tir.reshape", "%0 : {0} -> {r}", [random((1, 1), "i64")], random((1, 1), "i64")[0, 0]),
        row("tir.reshape", "%0 : {0} -> {r}", [random((0, 3), "f32")], np.zeros((2, 0), np.float32)),
        row("tir.reshape", "%0 : {0} -> {r}", [n], n.reshape(8), dims=[("[N]", 2)], result=("[N * 2]",)),
        row("tir.slice", "%0 from [0, 1] to [1, 3] step [1, 1] : {r}", [x], np.array([[x[0, 1], x[0, 2]]])),
        row("tir.slice", "%0 from [0, 0] to [0, 0] step [1, 2] : {r}", [x], np.array([[r[0], r[2]] for r in x])),
        row("tir.slice", "%0 from [1, 2] to [1, 2] step [1, 1] : {r}", [x], np.zeros((0, 0), np.float32)),
        row("tir.slice", "%0 from [1, 0] to [-1, 0] step [2, 1] : {r}", [n], n[1:2], dims=[("[N]", 2)],
            result=("[(N - 2) ceildiv 2]", 2)),
        row("tir.slice", "%0 from [1, 0] to [3, 0] step [1, 1] : {r}", [n], n[1:3], dims=[("?", 2)], result=(2, 2)),
        row("tir.slice", "%0 from [2, 0] to [0, 0] step [1, 1] : {r}", [n], n[2:], dims=[("?", 2)], result=("?", 2)),
        row("tir.pad", "%0 with 7.0 : f32 from [1, 0] to [-2, 0] step [1, 2] : {0} -> {r}", [x], padded(x)),
        row("tir.pad", "%0 with 0 : i32 from [0] to [3] step [1] : {0} -> {r}", [v], np.array([*v, 0, 0], np.int32)),
        row("tir.pad", "%0 with true from [1] to [0] step [1] : {0} -> {r}", [np.zeros(0, bool)], np.ones(1, bool)),
        row("tir.dim", "%0 axis 1 : {0}", [x], np.int64(3), result="index"),
        row("tir.dim", "%0 axis 0 : {0}", [n], np.int64(4), dims=[("?", 2)], result="index"),
        row("tir.constant", "dense<[1.0, -0.0]> : {r}", [], array([1, -0.0], "f32")),
        row("tir.constant", "dense<true> : {r}", [], np.ones((2, 2), bool)),
        row("tir.constant", "dense<> : {r}", [], np.zeros((0, 3), np.int32)),
        row("tir.full", "0x7FC00000 : f32 -> {r}", [], array([NAN, NAN], "f32")),
        row("tir.full", "-3 : i8 -> {r}", [], np.array(-3, np.int8)),
        row("tir.full", "255 : ui8 -> {r}", [], np.full((2, 1), 255, np.uint8)),
        row("tir.full", "true -> {r}", [], np.ones(3, bool)),
        row("tir.iota", "axis 1 : {r}", [], array([[0, 1, 2], [0, 1, 2]], "i32")),
        row("tir.iota", "axis 0 : {r}", [], array([[0, 0], [1, 1]], "f64")),
        row("tir.iota", "axis 0 : {r}", [], np.zeros((0, 2), np.uint8)),
        row("tir.one_hot", "%0 : {0} -> {r}", [array([2, 0, -1, 3], "i32")],
            array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]], "f32")),
        row("tir.one_hot", "%0 : {0} -> {r}", [array([[200]], "ui8")],
            array(np.arange(201) == 200, "i1").reshape(1, 1, 201)),
        row("tir.one_hot", "%0 : {0} -> {r}", [array(1, "i64")], array([0, 1], "ui8")),
    ]  # fmt: skip
    return rows + small_shape_rows()


def small_shape_rows() -> list[Sample]:
    """Moving and making numbers of 16 bits."""
    rows = []
    for name in SMALL:
        x = random((2, 3), name)
        counts = array([[i] for i in range(600)], name)  # above 256 not every whole number is one of bf16
        rows += [
            row("tir.broadcast", "%0 along [0, 1] : {0} -> {r}", [x], np.stack([x, x], 2)),
            row("tir.transpose", "%0 by [1, 0] : {r}", [x], x.T.copy()),
            row("tir.reshape", "%0 : {0} -> {r}", [x], x.reshape(3, 2)),
            row("tir.slice", "%0 from [0, 1] to [1, 3] step [1, 1] : {r}", [x], x[:1, 1:].copy()),
            row("tir.pad", f"%0 with 0.1 : {name} from [0, 0] to [0, -1] step [1, 1] : {{0}} -> {{r}}", [x],
                np.concatenate([x, array([[0.1], [0.1]], name)], 1)),
            row("tir.constant", "dense<[0.1, -0.0, 0x7F80]> : {r}", [], array([0.1, -0.0, INF], name))
            if name == "bf16"
            else row("tir.constant", "dense<[0.1, -0.0, 0x7C00]> : {r}", [], array([0.1, -0.0, INF], name)),
            row("tir.full", f"0.1 : {name} -> {{r}}", [], array([0.1, 0.1], name)),
            row("tir.iota", "axis 0 : {r}", [], counts),
            row("tir.one_hot", "%0 : {0} -> {r}", [array([2, 0], "i32")], array([[0, 0, 1], [1, 0, 0]], name)),
        ]  # fmt: skip
    return rows


def row(
    op: str, text: str, inputs: Sequence[Any], want: Any, *, dims: Sequence[Sequence[int | str]] = (),
    result: Sequence[int | str] | str | None = None, rtol: float = 0.0,
) -> Sample:  # fmt: skip
    """A row; `{0}` in the text is the type of input 0, `{r}` that of the result.

    dims: shapes with names, for the types. rtol: of the value and of the largest input.
    """
    arrays = tuple(np.asarray(x) for x in inputs)
    types = tuple(type_of(x, dims[i] if i < len(dims) else None) for i, x in enumerate(arrays))
    type = result if isinstance(result, str) else type_of(np.asarray(want), result)
    floats = [x for x in map(widened, arrays) if x.dtype.kind == "f"]
    largest = max([1.0, *(float(np.max(np.abs(x[np.isfinite(x)]), initial=0)) for x in floats)])
    return Sample(op, text.format(*types, r=type), types, arrays, type, np.asarray(want), rtol, rtol * largest)


def padded(x: np.ndarray) -> np.ndarray:
    """One row in front, two behind, and a column between each two, all 7."""
    found = [[7.0] * 5 for _ in range(5)]
    for i, j in np.ndindex(2, 3):
        found[i + 1][2 * j] = float(x[i, j])
    return np.array(found, np.float32)


# --- rows: reductions, products, composites ------------------------------------------------------------------------

REDUCED = (((), []), ((3,), [0]), ((1,), [0]), ((0,), [0]), ((2, 0), [1]), ((2, 3), []), ((2, 3), [0]), ((2, 3), [1]),
           ((2, 3), [0, 1]), ((2, 3, 4), [0, 2]))  # fmt: skip


def fold(function: Callable[[list[Any]], Any], x: np.ndarray, axes: Sequence[int], name: str | None = None) -> np.ndarray:
    """The function on the list of the numbers along the axes, for each place of the others."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    name = name or NAMES[x.dtype]
    found = np.zeros([x.shape[axis] for axis in kept], DTYPES[name])
    for place in np.ndindex(found.shape):
        at: list[Any] = [slice(None)] * x.ndim
        for axis, position in zip(kept, place):
            at[axis] = position
        value = function(widened(x[tuple(at)]).ravel().tolist())
        found[place] = wrap(int(value), name) if name[0] in "iu" and name != "i1" else value
    return found


def product(values: list[Any]) -> Any:
    found = 1
    for value in values:
        found = found * value
    return found


def extreme(best: Callable[[Any, Any], Any], first: Callable[[str], Any], name: str) -> Callable[[list[Any]], Any]:
    def over(values: list[Any]) -> Any:
        found = first(name)
        for value in values:
            found = best(found, value)
        return found

    return over


def lowest_of(name: str) -> Any:
    return -INF if name in ULP else np.iinfo(DTYPES[name]).min


def highest_of(name: str) -> Any:
    return INF if name in ULP else np.iinfo(DTYPES[name]).max


def exact_sum(values: list[Any]) -> Any:
    return math.fsum(values) if values and isinstance(values[0], float) else sum(values)


def reduction_rows() -> list[Sample]:
    rows = []
    for name, (shape, axes) in itertools.product(("f32", "f64", *SMALL, "i8", "ui8", "i64"), REDUCED):
        x = random(shape, name)
        text = f"%0 over {axes} : {{r}}"
        rtol = (0.51 if name in SMALL else 16) * ULP.get(name, 0)  # at most 8 terms; small types accumulate in f32
        rows += [
            row("tir.sum", text, [x], fold(exact_sum, x, axes), rtol=rtol),
            row("tir.prod", text, [x], fold(product, x, axes), rtol=rtol),
            row("tir.max", text, [x], fold(extreme(larger, lowest_of, name), x, axes)),
            row("tir.min", text, [x], fold(extreme(smaller, highest_of, name), x, axes)),
        ]
        if name in ULP:
            mean = fold(lambda v: math.fsum(v) / len(v) if v else NAN, x, axes)
            rows.append(row("tir.mean", text, [x], mean, rtol=rtol))
    for shape, axes in REDUCED:
        x = random(shape, "i1", low=-1, high=3)
        rows += [
            row("tir.all", f"%0 over {axes} : {{r}}", [x], fold(all, x, axes)),
            row("tir.any", f"%0 over {axes} : {{r}}", [x], fold(any, x, axes)),
        ]
    hard = array([[NAN, 1, INF], [-0.0, 0.0, -0.0], [0.0, -0.0, 0.0], [-INF, -INF, -INF], [-0.0, -0.0, -0.0]], "f32")
    rows += [
        row("tir.max", "%0 over [1] : {r}", [hard], array([NAN, 0.0, 0.0, -INF, -0.0], "f32")),
        row("tir.min", "%0 over [1] : {r}", [hard], array([NAN, -0.0, -0.0, -INF, -0.0], "f32")),
        row("tir.sum", "%0 over [1] : {r}", [hard], array([NAN, 0, 0, -INF, 0], "f32")),
        row("tir.argmax", "%0 axis 1 : {r}", [hard], array([0, 0, 0, 0, 0], "i64")),
        row("tir.argmax", "%0 axis 0 : {r}", [array([1, NAN, 3, NAN], "f64")], array(1, "i64")),
        row("tir.argmax", "%0 axis 0 : {r}", [array([[1, 5], [3, 5], [3, 2]], "i8")], array([1, 0], "i64")),
        row("tir.argmax", "%0 axis 0 : {r}", [array([0, 200, 100], "ui8")], array(1, "i64")),
        row("tir.argmax", "%0 axis 1 : {r}", [random((3, 4), "f32")], np.argmax(random((3, 4), "f32"), 1),
            dims=[("[N]", 4)], result=("[N]",)),
    ]  # fmt: skip
    x = random((2, 3), "f32")
    for op, want in (("tir.sum", x.astype(float).sum(0)), ("tir.mean", x.astype(float).mean(0)), ("tir.max", x.max(0))):
        for dim in ("[N]", "?"):
            rows.append(
                row(
                    op,
                    "%0 over [0] : {r}",
                    [x],
                    want.astype(np.float32),
                    dims=[(dim, 3)],
                    result=(3,),
                    rtol=4 * ULP["f32"],
                )
            )
    return rows


def dot_rows() -> list[Sample]:
    rows = []
    shapes = (((2, 3), (3, 4)), ((2, 3), (3,)), ((3,), (3, 4)), ((3,), (3,)), ((1, 1), (1, 1)), ((2, 0), (0, 3)),
              ((0,), (0,)), ((0, 3), (3, 2)))  # fmt: skip
    for name, (left, right) in itertools.product(("f32", "f64", *SMALL, "i32", "i8"), shapes):
        x, y = random(left, name), random(right, name, seed=1)
        want = np.einsum(
            f"{'ik'[2 - len(left) :]},{'kj'[: len(right)]}->{'i' * (len(left) - 1)}{'j' * (len(right) - 1)}",
            *((v if name not in ULP else v.astype("float64")) for v in (x, y)),
        )
        rtol = (1 if name in SMALL else 16) * ULP.get(name, 0)  # small types accumulate in f32, and are rounded once
        rows.append(row("tir.dot", "%0, %1 : {r}", [x, y], want.astype(x.dtype), rtol=rtol))
    x, y = random((2, 3), "f64"), random((3, 4), "f64", seed=1)
    want = np.einsum("ik,kj->ij", x, y)
    rows.append(row("tir.dot", "%0, %1 : {r}", [x, y], want, dims=[("[N]", "?"), (3, 4)], result=("[N]", 4), rtol=1e-15))
    return rows


def softmax_rows() -> list[Sample]:
    rows = []
    for name, (shape, axes) in itertools.product(FLOATS, [case for case in REDUCED if case[1]]):
        x = random(shape, name, -30, 30)
        # An error of half an ulp in x - max, of up to 60; small types are computed in f32, and rounded once.
        exact, rtol = x.astype("float64"), (1 if name in SMALL else 64) * ULP[name]
        plain = scipy.special.softmax(exact, tuple(axes)) if x.size else exact
        logs = scipy.special.log_softmax(exact, tuple(axes)) if x.size else exact
        rows.append(row("tir.softmax", f"%0 over {axes} : {{r}}", [x], plain.astype(x.dtype), rtol=rtol))
        rows.append(row("tir.log_softmax", f"%0 over {axes} : {{r}}", [x], logs.astype(x.dtype), rtol=rtol))
    hard = array([[1e4, 1e4, -1e4], [-INF, 0, -INF], [-INF, -INF, -INF], [NAN, 0, 0], [-3e38, -3e38, -INF]], "f32")
    soft = array([[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0], [NAN, NAN, NAN], [0.5, 0.5, 0]], "f32")
    half = -math.log(2)
    logs = array([[half, half, half - 2e4], [-INF, 0, -INF], [-INF] * 3, [NAN] * 3, [half, half, -INF]], "f32")
    rows.append(row("tir.softmax", "%0 over [1] : {r}", [hard], soft, rtol=1e-6))
    rows.append(row("tir.log_softmax", "%0 over [1] : {r}", [hard], logs, rtol=1e-6))
    x = random((2, 3), "f32")
    want = scipy.special.softmax(x.astype("float64"), 1).astype(np.float32)
    rows.append(row("tir.softmax", "%0 over [1] : {r}", [x], want, dims=[("[N]", "?")], result=("[N]", "?"), rtol=1e-6))
    return rows + cross_entropy_rows()


def cross_entropy_rows() -> list[Sample]:
    rows = []
    form = "%0, %1 : {r}"
    for name, label in (("f32", "i32"), ("f64", "i64"), ("f32", "ui8")):
        x, y = random((3, 4), name, -5, 5), array([0, 3, 1], label)
        logs = scipy.special.log_softmax(x.astype("float64"), 1)
        want = -np.array([logs[i, int(j)] for i, j in enumerate(y)]).astype(x.dtype)
        rows.append(row("tir.softmax_cross_entropy", form, [x, y], want, rtol=16 * ULP[name]))
        rows.append(
            row(
                "tir.softmax_cross_entropy",
                form,
                [x, y],
                want,
                dims=[("[N]", 4), ("[N]",)],
                result=("[N]",),
                rtol=16 * ULP[name],
            )  # fmt: skip
        )
        p = scipy.special.softmax(random((3, 4), name, seed=3), 1)
        want = -(p.astype("float64") * logs).sum(1).astype(x.dtype)
        rows.append(row("tir.softmax_cross_entropy", form, [x, p], want, rtol=16 * ULP[name]))
    far = array([[0, 200], [0, 200], [-INF, 0], [0, 0]], "f32")
    rows += [
        row("tir.softmax_cross_entropy", form, [far, array([0, 1, 0, 7], "i32")], array([200, 0, INF, NAN], "f32")),
        row("tir.softmax_cross_entropy", form, [far[2:3], array([[0, 1]], "f32")], array([0], "f32")),
        row("tir.softmax_cross_entropy", form, [far[0], array(0, "i8")], array(200, "f32")),
        row(
            "tir.softmax_cross_entropy",
            form,
            [np.zeros((0, 4), "float32"), np.zeros(0, "int32")],
            np.zeros(0, "float32"),
        ),
    ]
    return rows


# --- rows: random numbers ----------------------------------------------------------------------------------------

MASK = 0xFFFFFFFF


def philox_block(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox4x32-10 in Python's integers, after the paper."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def words(count: int, key: Sequence[int]) -> list[int]:
    """The first words for a key."""
    return [philox_block([i // 4, 0, 0, 0], [k & MASK for k in key])[i % 4] for i in range(count)]


def random_rows() -> list[Sample]:
    rows = []
    for key, shape in (((0, 0), (4,)), ((-1, 7), (3, 3)), ((5, -2), ()), ((1, 2), (0, 3))):
        count = math.prod(shape)
        found, k = words(2 * count, key), array(key, "i32")
        bits = np.array(found[:count], np.uint32).reshape(shape)
        single = np.array([(w >> 8) / 2**24 for w in found[:count]], np.float32).reshape(shape)
        double = [((a >> 5) * 2**26 + (b >> 6)) / 2**53 for a, b in zip(found[::2], found[1::2])]
        rows += [
            row("tir.rng_bits", "%0 : {r}", [k], bits),
            row("tir.rng_bits", "%0 : {r}", [k], bits.view(np.int32)),
            row("tir.rng_uniform", "%0 : {r}", [k], single),
            row("tir.rng_uniform", "%0 : {r}", [k], np.array(double, np.float64).reshape(shape)),
        ]
    return rows


SAMPLES: list[Sample] = [
    *elementwise_rows(), *shape_rows(), *reduction_rows(), *dot_rows(), *softmax_rows(), *random_rows(),
]  # fmt: skip
