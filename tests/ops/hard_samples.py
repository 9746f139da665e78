"""More rows in the form of `samples.py`: every op with every element type, on the numbers where types end.

These are too many for every path; `test_levels.py` runs them through all levels.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import scipy.special

from tests.ops.samples.activations import elu, gelu, gelu_by_tanh, keeping_zero, leaky_relu, sigmoid, silu, softplus
from tests.ops.samples.arithmetic import clamp, divide, floor_divide, integer_power, modulo, rest, sign
from tests.ops.samples.base import (
    DTYPES,
    INF,
    NAN,
    ULP,
    Sample,
    array,
    each,
    exact_sum,
    larger,
    logarithm,
    precise,
    random,
    row,
    smaller,
    type_of,
)
from tests.ops.samples.functions import FUNCTIONS, half_away, log1mexp, root_inverse, rounded
from tests.ops.samples.logic import CLASSES, converted, shift_bits, shift_left, shift_right
from tests.ops.samples.reduce import BITWISE, extreme, fold, highest_of, lowest_of, product
from tests.ops.samples.scan import running
from tests.ops.samples.sorting import sorts
from tests.ops.samples.statistics import NORMS, variance

FLOATS = ("f16", "f32", "f64")
INTEGERS = ("i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64")
NUMBERS = (*FLOATS, *INTEGERS)
ELEMENTS = (*NUMBERS, "i1")


def edges(name: str) -> np.ndarray:
    """The numbers at which something changes: limits, zeros, halves, the smallest, what is next to one."""
    if name == "i1":
        return np.array([False, True])
    if name in ULP:
        info = np.finfo(DTYPES[name])
        largest, tiny, least, eps = (float(v) for v in (info.max, info.tiny, info.smallest_subnormal, info.eps))
        positive = [0.0, 1.0, 0.5, 1.5, 2.0, 2.5, 3.0, 1 / 3, 0.1, 100.75, 1 + eps, 1 - eps / 2, largest, largest / 2,
                    math.sqrt(largest), tiny, tiny - least, least, 5 * least, 2.0**15, 700.0, INF]  # fmt: skip
        return array([NAN, *positive, *(-v for v in positive)], name)
    info = np.iinfo(DTYPES[name])
    bits = info.bits
    numbers = [0, 1, 2, 3, 5, 7, 10, 100, info.max, info.max - 1, info.max // 2, info.max // 3, 1 << (bits // 2)]
    numbers += [info.min, info.min + 1, info.min // 2, -1, -2, -3, -7, -100] if info.min else [1 << (bits - 1), bits - 1]
    return np.array(numbers, DTYPES[name])


def least(name: str) -> float:
    """What rounding may lose where numbers are too small for an ulp of their own."""
    return 4 * float(np.finfo(DTYPES[name]).smallest_subnormal) if name in ULP else 0.0


def power(x: float, y: float) -> float:
    """pow of C."""
    is_odd = math.isfinite(y) and math.fmod(abs(y), 2) == 1
    if x == 0 and y < 0:
        return math.copysign(INF, x) if is_odd else INF
    try:
        return math.pow(x, y)
    except ValueError:
        return NAN
    except OverflowError:
        return -INF if x < 0 and is_odd else INF


def log1p(x: Any) -> Any:
    return mpmath.log1p(x) if x > -1 else logarithm(1 + x)


# --- elementwise -----------------------------------------------------------------------------------------------------

EXACT_UNARY: dict[str, tuple[Callable[[Any], Any], Sequence[str]]] = {
    "tir.neg": (operator.neg, NUMBERS),
    "tir.abs": (abs, NUMBERS),
    "tir.sign": (sign, NUMBERS),
    "tir.square": (lambda x: x * x, NUMBERS),
    "tir.sqrt": (lambda x: math.sqrt(x) if x >= 0 else NAN, FLOATS),
    "tir.relu": (lambda x: larger(x, 0.0), FLOATS),
    "tir.not": (operator.invert, INTEGERS),
    "tir.reciprocal": (lambda x: divide(1.0, x), FLOATS),
    "tir.floor": (rounded(math.floor), FLOATS),
    "tir.ceil": (rounded(math.ceil), FLOATS),
    "tir.trunc": (rounded(math.trunc), FLOATS),
    "tir.round": (rounded(round), FLOATS),
}
CLOSE_UNARY: dict[str, Callable[[float], float]] = {
    "tir.sigmoid": precise(sigmoid),
    **{f"tir.{name}": precise(function) for name, (function, _, _) in FUNCTIONS.items()},
    "tir.rsqrt": root_inverse,
    "tir.log1mexp": log1mexp,
    "tir.log1p": precise(log1p),
    "tir.softplus": precise(softplus),
    "tir.leaky_relu": leaky_relu(0.01),
    "tir.elu": keeping_zero(elu(1.0)),
    "tir.silu": keeping_zero(silu),
}
BINARY: dict[str, tuple[Callable[[Any, Any], Any], Sequence[str]]] = {
    "tir.add": (operator.add, NUMBERS),
    "tir.sub": (operator.sub, NUMBERS),
    "tir.mul": (operator.mul, NUMBERS),
    "tir.div": (divide, NUMBERS),
    "tir.maximum": (larger, NUMBERS),
    "tir.minimum": (smaller, NUMBERS),
    "tir.and": (operator.and_, ("i1", *INTEGERS)),
    "tir.or": (operator.or_, ("i1", *INTEGERS)),
    "tir.xor": (operator.xor, ("i1", *INTEGERS)),
    "tir.floordiv": (floor_divide, INTEGERS),
    "tir.rem": (rest, NUMBERS),
    "tir.mod": (modulo, INTEGERS),
    "tir.pow": (integer_power, INTEGERS),
    "tir.copysign": (math.copysign, FLOATS),
}


def unary_rows() -> Iterator[Sample]:
    for op, (function, names) in EXACT_UNARY.items():
        for name in names:
            x = edges(name)
            yield row(op, "%0 : {r}", [x], each(function, x))
    for (op, function), name in itertools.product(CLOSE_UNARY.items(), FLOATS):
        x = np.concatenate([edges(name), random((500,), name, -20, 20), random((500,), name, -1, 1, seed=1)])
        # sigmoid is 0 where exp(-x) overflows; silu is x times a number that may have few places.
        lost = {"tir.sigmoid": 2 / float(np.finfo(x.dtype).max), "tir.silu": 200 * least(name)}.get(op, least(name))
        yield replace(row(op, "%0 : {r}", [x], each(function, x)), rtol=4 * ULP[name], atol=lost)


def pairs(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Each number with each."""
    x = edges(name)
    return np.repeat(x, x.size), np.tile(x, x.size)


def binary_rows() -> Iterator[Sample]:
    for op, (function, names) in BINARY.items():
        for name in names:
            x, y = pairs(name)
            yield row(op, "%0, %1 : {r}", [x, y], each(function, x, y))
    for name in FLOATS:
        x, y = pairs(name)
        yield replace(row("tir.pow", "%0, %1 : {r}", [x, y], each(power, x, y)), rtol=4 * ULP[name], atol=least(name))
    for name, predicate in itertools.product(ELEMENTS, ("eq", "ne", "lt", "le", "gt", "ge")):
        x, y = pairs(name)
        want = each(getattr(operator, predicate), x, y, name="i1")
        yield row("tir.cmp", f"{predicate} %0, %1 : {{0}}", [x, y], want)
    for name in ELEMENTS:
        x, y = pairs(name)
        condition = np.arange(x.size) % 3 == 0
        yield row("tir.select", "%0, %1, %2 : {r}", [condition, x, y], np.where(condition, x, y))
    for name in FLOATS:
        x, y = pairs(name)
        want = each(math.atan2, x, y)
        yield replace(row("tir.atan2", "%0, %1 : {r}", [x, y], want), rtol=4 * ULP[name], atol=least(name))
    for name in NUMBERS:
        x, y = pairs(name)
        for z in (x[::-1].copy(), np.roll(x, 5), np.roll(y, 11)):
            yield row("tir.clamp", "%0, %1, %2 : {r}", [x, y, z], each(clamp, x, y, z))
    for name in INTEGERS:
        yield from shift_rows(name)


def shift_rows(name: str) -> Iterator[Sample]:
    bits = int(name.lstrip("ui"))
    x, y = pairs(name)
    small = (y.astype(np.int64) % (bits + 3)).astype(y.dtype)
    functions = (("shl", "", shift_left), ("shr", "", shift_right), ("shr", " logical", shift_bits))
    for (op, head, function), amount in itertools.product(functions, (y, small)):
        want = each(lambda a, b, f=function: f(a, b % (1 << bits), bits), x, amount)
        yield row(f"tir.{op}", f"%0, %1{head} : {{r}}", [x, amount], want)


def activation_rows() -> Iterator[Sample]:
    """What allows more than 4 ulp, gives truth values, or has attributes."""
    for name in FLOATS:
        x = edges(name)
        for op, test in CLASSES.items():
            yield row(f"tir.{op}", "%0 : {0}", [x], each(test, x, name="i1"))
        yield row("tir.round", "%0 half away : {r}", [x], each(rounded(half_away), x))
        x = np.concatenate([x[np.abs(x) < 1e4], array((INF, -INF, NAN), name), random((500,), name, -6, 6)])
        for text, function in (("", gelu), (" approximate tanh", gelu_by_tanh)):
            # Down to -6 the exponent is up to 18 (tanh: 17), and its rounding as many times that of the result.
            want = each(keeping_zero(function), x)
            allowed = {"rtol": (4 + 2 * 36) * ULP[name], "atol": max(least(name), float(np.finfo(x.dtype).tiny))}
            yield replace(row("tir.gelu", f"%0{text} : {{r}}", [x], want), **allowed)


def cast_rows() -> Iterator[Sample]:
    for source, target in itertools.product(ELEMENTS, repeat=2):
        numbers = edges(source)
        if source in ULP:
            limits = [2.0**k + d for k in (7, 8, 15, 16, 31, 32, 63, 64) for d in (-0.5, 0.0, 0.5)]
            numbers = np.concatenate([numbers, array(limits, source), -array(limits, source)])
        want = array([as_element(v, target) for v in numbers.tolist()], target)
        yield row("tir.cast", "%0 : {0} -> {r}", [numbers], want)


def as_element(value: Any, name: str) -> Any:
    """A Python number in another type; an integer is rounded once, not by way of f64."""
    if isinstance(value, int) and name in ULP:
        with mpmath.workprec({"f16": 11, "f32": 24, "f64": 53}[name]):
            return float(mpmath.mpf(value))
    if isinstance(value, int) and name != "i1":
        return int(np.array([value & (2**64 - 1)], np.uint64).astype(DTYPES[name])[0])
    return converted(value, name)


# --- reductions ------------------------------------------------------------------------------------------------------

SHAPES = ((), (1,), (0,), (5,), (33,), (1, 1), (0, 3), (3, 0), (4, 17), (70, 3), (2, 3, 4), (2, 0, 3), (2, 1, 3, 2))


def subsets(rank: int) -> Iterator[list[int]]:
    for count in range(rank + 1):
        for axes in itertools.combinations(range(rank), count):
            yield list(axes)


def reduction_rows() -> Iterator[Sample]:
    for name, shape in itertools.product(NUMBERS, SHAPES):
        x = random(shape, name)
        extremes = mixed(shape, name)
        for axes in subsets(len(shape)):
            count = math.prod(shape[axis] for axis in axes)
            text = f"%0 over {axes} : {{r}}"
            rounding = 2 * count * ULP.get(name, 0)
            terms = rounding * float(fold(exact_sum, np.abs(x).astype("f8"), axes).max(initial=0)) if name in ULP else 0
            yield replace(row("tir.sum", text, [x], fold(exact_sum, x, axes)), rtol=rounding, atol=terms)
            small = x if name not in ULP else (1 + x / 64).astype(x.dtype)
            yield replace(row("tir.prod", text, [small], fold(product, small, axes)), rtol=rounding)
            yield row("tir.max", text, [extremes], fold(extreme(larger, lowest_of, name), extremes, axes))
            yield row("tir.min", text, [extremes], fold(extreme(smaller, highest_of, name), extremes, axes))
            if name in ULP:
                mean = fold(lambda v: math.fsum(v) / len(v) if v else NAN, x, axes)
                yield replace(row("tir.mean", text, [x], mean), rtol=rounding + ULP[name], atol=terms)
    for shape in SHAPES:
        x = mixed(shape, "i1")
        for axes in subsets(len(shape)):
            yield row("tir.all", f"%0 over {axes} : {{r}}", [x], fold(all, x, axes))
            yield row("tir.any", f"%0 over {axes} : {{r}}", [x], fold(any, x, axes))


def mixed(shape: Sequence[int], name: str, seed: int = 0) -> np.ndarray:
    """Edges in random order: nan, ties, infinities and both zeros."""
    return np.random.default_rng([seed, *shape]).choice(edges(name), tuple(shape))


def first_largest(values: list[Any]) -> int:
    """Where the first nan is, or else the first of the largest."""
    nans = [i for i, v in enumerate(values) if v != v]
    return nans[0] if nans else values.index(max(values))


def argmax_rows() -> Iterator[Sample]:
    for name, shape in itertools.product(NUMBERS, ((1,), (7,), (3, 1), (20, 6), (0, 3), (2, 3, 4))):
        for axis in (axis for axis, size in enumerate(shape) if size):
            choices = edges(name)[:5] if name in ULP else edges(name)[7:10]
            with_nan, ties = mixed(shape, name), np.random.default_rng(list(shape)).choice(choices[1:], shape)
            for x in (with_nan, ties):
                yield row("tir.argmax", f"%0 axis {axis} : {{r}}", [x], fold(first_largest, x, [axis], "i64"))


def order_rows() -> Iterator[Sample]:
    """Positions, records and sorts of every element type, with nan, infinities, both zeros and many equals."""
    for name, descending in itertools.product(NUMBERS, (False, True)):
        x = mixed((3, 23), name)
        yield from sorts(x, 1, descending)
        yield from sorts(x, 0, descending)
        words = f"axis 1{' exclusive reverse' * descending}"
        for op, first, best in (("tir.cummax", lowest_of, larger), ("tir.cummin", highest_of, smaller)):
            want = running(x, name, 1, descending, descending, first(name), best)
            yield row(op, f"%0 {words} : {{r}}", [x], want)
    for name in NUMBERS:
        x = mixed((5, 7), name)
        yield row("tir.argmin", "%0 axis 1 : {r}", [x], fold(first_smallest, x, [1], "i64"))
    for name, (op, start, step) in itertools.product((*INTEGERS, "i1"), BITWISE):
        x = mixed((3, 4), name)
        first = highest_of(name) if start and name[0] == "u" else bool(start) if name == "i1" else start
        yield row(op, "%0 over [1] : {r}", [x], fold(lambda v, a=first, f=step: functools.reduce(f, v, a), x, [1]))


def first_smallest(values: list[Any]) -> int:
    """The first nan, or the first of the smallest."""
    return next((i for i, v in enumerate(values) if v != v), values.index(min(values)))


def spread_rows() -> Iterator[Sample]:
    """Variance and norms of f16, which is computed in f32 and rounded once."""
    x = random((7, 5), "f16")
    for ddof in (0, 1):
        want = fold(lambda v, ddof=ddof: variance(v, ddof), x, [1])
        yield row("tir.var", f"%0 over [1]{' ddof 1' * ddof} : {{r}}", [x], want, rtol=ULP["f16"])
    for order, norm in NORMS.items():
        yield row("tir.norm", f"%0 {order} over [0] : {{r}}", [x], fold(norm, x, [0]), rtol=ULP["f16"])


def softmax_rows() -> Iterator[Sample]:
    for name, shape in itertools.product(FLOATS, ((1,), (5,), (4, 17), (0, 3), (2, 3, 4))):
        x = random(shape, name, -9, 9)
        wide, rtol = x.astype("f8"), 64 * ULP[name]
        for axes in list(subsets(len(shape)))[1:]:
            plain = scipy.special.softmax(wide, tuple(axes)) if x.size else wide
            logs = scipy.special.log_softmax(wide, tuple(axes)) if x.size else wide
            yield row("tir.softmax", f"%0 over {axes} : {{r}}", [x], plain.astype(x.dtype), rtol=rtol)
            yield row("tir.log_softmax", f"%0 over {axes} : {{r}}", [x], logs.astype(x.dtype), rtol=rtol)
    for name in FLOATS:
        big = float(np.finfo(DTYPES[name]).max)
        hard = array([[-INF] * 3, [-INF, 0, -INF], [NAN, 0, 0], [INF, 0, 0], [-big, -big, -INF], [big, big, -big]], name)
        soft = array([[0] * 3, [0, 1, 0], [NAN] * 3, [NAN] * 3, [0.5, 0.5, 0], [0.5, 0.5, 0]], name)
        yield row("tir.softmax", "%0 over [1] : {r}", [hard[:4]], soft[:4], rtol=4 * ULP[name])
        yield row("tir.softmax", "%0 over [1] : {r}", [hard[4:]], soft[4:], rtol=4 * ULP[name])
        yield row("tir.softmax", "%0 over [0] : {r}", [hard[4:].T.copy()], soft[4:].T.copy(), rtol=4 * ULP[name])


def cross_entropy_rows() -> Iterator[Sample]:
    for name, label in itertools.product(FLOATS, INTEGERS):
        x, y = mixed((40, 5), name), np.random.default_rng(1).choice(edges(label), 40)
        want = array([cross_entropy(scores, int(k)) for scores, k in zip(x.tolist(), y)], name)
        rounding = 8 * ULP[name]
        yield replace(row("tir.softmax_cross_entropy", "%0, %1 : {r}", [x, y], want), rtol=rounding, atol=rounding)


def cross_entropy(scores: list[float], label: int) -> float:
    """log(sum(exp(x - x[label]))); nan for a label that is none, and for a row with nan or +inf."""
    if not 0 <= label < len(scores) or any(v != v or v == INF for v in scores):
        return NAN
    if scores[label] == -INF:
        return INF
    with mpmath.workdps(60):
        return float(mpmath.log(sum(mpmath.exp(mpmath.mpf(v) - scores[label]) for v in scores if v != -INF)))


# --- products --------------------------------------------------------------------------------------------------------

#: Rows, inner size, columns: below, at and behind the sizes of tiles, which are 8 rows of 16 or 32 columns.
PRODUCTS = (
    (1, 1, 1), (1, 5, 16), (7, 3, 15), (8, 1, 16), (8, 8, 32), (9, 2, 17), (15, 16, 31), (16, 33, 32), (17, 7, 33),
    (8, 64, 8), (24, 5, 48), (23, 9, 63), (33, 17, 65), (64, 10, 1), (1, 100, 64), (2, 3, 128), (40, 0, 32), (0, 3, 16),
)  # fmt: skip


def dot_rows() -> Iterator[Sample]:
    for name, (m, k, n) in itertools.product(NUMBERS, PRODUCTS):
        if name not in ("f32", "f64") and max(m, k, n) > 33:
            continue
        for left, right in (((m, k), (k, n)), ((m, k), (k,)), ((k,), (k, n)), ((k,), (k,))):
            x, y = random(left, name), random(right, name, seed=1)
            yield product_row(x, y)
    for name, (m, k, n) in itertools.product(("f32", "f64"), PRODUCTS):
        x, y = random((m, k), name), random((k, n), name, seed=1)
        yield product_row(x, y, dims=[("[M]", "[K]"), ("[K]", "?")], result=("[M]", "?"))
        yield product_row(x, y, dims=[(m, "[K]"), ("[K]", n)], result=(m, n))
    for name in FLOATS:  # no tile may see what belongs to another row or column
        x, y = np.ones((9, 4), DTYPES[name]), np.ones((4, 33), DTYPES[name])
        x[8, 0], y[0, 32], x[3, 1] = NAN, INF, -INF
        yield product_row(x, y)


def product_row(x: np.ndarray, y: np.ndarray, **facts: Any) -> Sample:
    """x @ y, allowed to be wrong by n * eps * sum(|x| |y|)."""
    is_float = x.dtype.kind == "f"
    with np.errstate(all="ignore"):
        wide = [v.astype("f8") if is_float else v for v in (x, y)]
        want = np.asarray(wide[0] @ wide[1]).astype(x.dtype)
        terms = [np.where(np.isfinite(v), np.abs(v), 0) for v in wide]
        size = float(np.max(terms[0] @ terms[1], initial=0)) if is_float else 0.0
    eps = (x.shape[-1] + 1) * ULP["f16" if x.dtype == np.float16 else "f32" if x.dtype == np.float32 else "f64"]
    return replace(row("tir.dot", "%0, %1 : {r}", [x, y], want, **facts), rtol=eps * is_float, atol=eps * size)


# --- creation --------------------------------------------------------------------------------------------------------


def creation_rows() -> Iterator[Sample]:
    for name, count in itertools.product(NUMBERS, (1, 300, 3000)):  # 8 bits wrap, f16 rounds
        numbers = array([as_element(i, name) for i in range(count)], name)
        yield row("tir.iota", "axis 0 : {r}", [], numbers)
        yield row("tir.iota", "axis 1 : {r}", [], np.stack([numbers[:9]] * 2))
    for label, name in itertools.product(INTEGERS, ELEMENTS):
        x = edges(label)
        want = np.equal.outer(x.astype(object), list(range(11))).astype(DTYPES[name])
        yield row("tir.one_hot", "%0 : {0} -> {r}", [x], want)
    for name in ELEMENTS:
        yield from (row("tir.constant", f"{dense(x)} : {{r}}", [], x) for x in (edges(name), edges(name)[:0]))


def dense(x: np.ndarray) -> str:
    """The bytes of an array as a dense literal; a truth value takes one."""
    return f'dense<"0x{x.tobytes().hex()}">'


# --- moves -----------------------------------------------------------------------------------------------------------


def move_rows() -> Iterator[Sample]:
    """Slices, pads, transposes, reshapes and broadcasts of random shapes."""
    rng = np.random.default_rng(0)
    for i in range(60):
        name = ELEMENTS[i % len(ELEMENTS)]
        shape = tuple(int(n) for n in rng.integers(0 if i % 5 == 0 else 1, 7, rng.integers(1, 4)))
        x = mixed(shape, name, seed=i)
        rank = len(shape)
        order = [int(k) for k in rng.permutation(rank)]
        yield row("tir.transpose", f"%0 by {order} : {{r}}", [x], x.transpose(order).copy())
        yield row("tir.reshape", "%0 : {0} -> {r}", [x], x.reshape(-1))
        yield row("tir.reshape", "%0 : {0} -> {r}", [x], x.reshape(1, *shape[::-1], 1))
        starts = [int(rng.integers(0, n + 1)) for n in shape]
        limits = [int(rng.integers(a, n + 1)) for a, n in zip(starts, shape)]
        steps = [int(k) for k in rng.integers(1, 4, rank)]
        want = x[tuple(slice(a, b, k) for a, b, k in zip(starts, limits, steps))].copy()
        # A limit that is 0 or negative counts from the end.
        ends = [b if b else -n for b, n in zip(limits, shape)]
        if all(e or not n for e, n in zip(ends, shape)):
            yield row("tir.slice", f"%0 from {starts} to {ends} step {steps} : {{r}}", [x], want)
        yield pad_row(x, [int(k) for k in rng.integers(0, 3, rank)], [int(k) for k in rng.integers(0, 3, rank)], steps)
        yield broadcast_row(x, rng)


def pad_row(x: np.ndarray, before: list[int], after: list[int], steps: list[int]) -> Sample:
    value = {"b": "true", "f": "-0.0", "i": "-5", "u": "200"}[x.dtype.kind]
    fill = {"b": True, "f": -0.0, "i": -5, "u": 200}[x.dtype.kind]
    shape = [a + (max(n - 1, 0) * k + 1 if n else 0) + b for n, a, b, k in zip(x.shape, before, after, steps)]
    want = np.full(shape, fill, x.dtype)
    want[tuple(slice(a, m - b, k) for a, b, k, m in zip(before, after, steps, shape))] = x
    name = type_of(x).removesuffix(">").split("x")[-1].removeprefix("tensor<")
    with_type = value if x.dtype.kind == "b" else f"{value} : {name}"
    ends = [-b for b in after]
    return row("tir.pad", f"%0 with {with_type} from {before} to {ends} step {steps} : {{0}} -> {{r}}", [x], want)


def broadcast_row(x: np.ndarray, rng: np.random.Generator) -> Sample:
    rank = x.ndim + int(rng.integers(0, 3))
    along = sorted(int(k) for k in rng.choice(rank, x.ndim, replace=False))
    shape = [int(n) for n in rng.integers(1, 4, rank)]
    placed = [1] * rank
    for axis, size in zip(along, x.shape):
        placed[axis] = size
        shape[axis] = size if size != 1 else shape[axis]
    want = np.broadcast_to(x.reshape(placed), shape).copy()
    return row("tir.broadcast", f"%0 along {along} : {{0}} -> {{r}}", [x], want)


HARD: list[Sample] = [
    *unary_rows(), *binary_rows(), *activation_rows(), *cast_rows(), *reduction_rows(), *argmax_rows(), *order_rows(),
    *spread_rows(), *softmax_rows(), *cross_entropy_rows(), *dot_rows(), *creation_rows(), *move_rows(),
]  # fmt: skip
