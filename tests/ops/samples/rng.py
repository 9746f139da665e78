"""Random numbers: rows, by Philox in Python's integers, quantiles of mpmath and tries in Python's numbers; smooth points."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from tests.ops.samples.base import FORMS, INF, NAN, ULP, Sample, Smooth, array, random, row, smooth

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
    return [block(key, i // 4)[i % 4] for i in range(count)]


def block(key: Sequence[int], counter: int, domain: int = 0, part: int = 0) -> list[int]:
    """A block of a use of the key; the counter has 64 bits."""
    return philox_block([counter & MASK, counter >> 32 & MASK, part, domain], [k & MASK for k in key])


def rows() -> list[Sample]:
    return [*bits(), *keys(), *standard(), *bernoulli(), *integers(), *truncated(), *gamma(), *binomial()]


def bits() -> list[Sample]:
    rows = []
    for key, shape in (((0, 0), (4,)), ((-1, 7), (3, 3)), ((5, -2), ()), ((1, 2), (0, 3))):
        count = math.prod(shape)
        found, k = words(2 * count, key), array(key, "i32")
        bits = np.array(found[:count], np.uint32).reshape(shape)
        wide = np.array([a << 32 | b for a, b in zip(found[::2], found[1::2])], np.uint64).reshape(shape)
        single = np.array([(w >> 8) / 2**24 for w in found[:count]], np.float32).reshape(shape)
        double = [((a >> 5) * 2**26 + (b >> 6)) / 2**53 for a, b in zip(found[::2], found[1::2])]
        rows += [row("tir.rng_bits", "%0 : {r}", [k], x) for x in (bits, bits.view(np.int32), wide, wide.view(np.int64))]
        rows += [row("tir.rng_uniform", "%0 : {r}", [k], x) for x in (single, np.array(double, np.float64).reshape(shape))]
    return rows


def keys() -> list[Sample]:
    rows = []
    for key, shape in (((0, 0), ()), ((-1, 7), (3,)), ((1, 2), (2, 2)), ((1, 2), (0,))):
        found = [block(key, i, domain=1)[:2] for i in range(math.prod(shape))]
        want = np.array(found, np.uint32).reshape(*shape, 2).view(np.int32)
        rows.append(row("tir.rng_split", "%0 : {r}", [array(key, "i32")], want))
    for name, numbers in (("i64", [0, 1, -1, 2**40]), ("i8", [3, -3]), ("ui32", [2**32 - 1]), ("i32", []), ("i32", 5)):
        number = array(numbers, name)
        found = [block((3, -4), int(n), domain=2)[:2] for n in number.ravel()]
        want = np.array(found, np.uint32).reshape(*number.shape, 2).view(np.int32)
        rows.append(row("tir.rng_fold_in", "%0, %1 : {1} -> {r}", [array((3, -4), "i32"), number], want))
    x = array([4, 5], "ui8")
    want = np.array([block((0, 1), n, domain=2)[:2] for n in (4, 5)], np.uint32).view(np.int32)
    given = [array((0, 1), "i32"), x]
    return [*rows, row("tir.rng_fold_in", "%0, %1 : {1} -> {r}", given, want, dims=[(2,), ("[N]",)], result=("[N]", 2))]


# --- standard distributions ------------------------------------------------------------------------------------------

#: The quantile of a probability, which mpmath has exactly; and the error in ulp.
QUANTILES: dict[str, tuple[Callable[[Any], Any], float]] = {
    "normal": (lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1), 4),
    "exponential": (lambda p: -mpmath.log(1 - p), 3),
    "gumbel": (lambda p: -mpmath.log(-mpmath.log(p)), 4),
    "laplace": (lambda p: mpmath.log(2 * p) if p <= 0.5 else -mpmath.log(2 * (1 - p)), 3),
    "cauchy": (lambda p: mpmath.tan(mpmath.pi * (p - mpmath.mpf(1) / 2)), 6),
}


def probabilities(count: int, key: Sequence[int], name: str) -> list[Any]:
    """P of each element, as the dialect says: fine at both ends, and rounded to the type there."""
    found = words(2 * count, key)
    pairs = [(w, 0, 2.0**-32, np.float32) for w in found] if name == "f32" else [
        (a, b >> 1, 2.0**-63, np.float64) for a, b in zip(found[::2], found[1::2])
    ]  # fmt: skip
    made = []
    for first, low, unit, dtype in pairs[:count]:
        n = dtype((first & 0x7FFFFFFF) * (1 if name == "f32" else 2**31) + low)
        t = mpmath.mpf(float((n + dtype(0.5)) * dtype(unit)))
        made.append(t if first >> 31 else 1 - t)
    return made


def standard() -> list[Sample]:
    rows = []
    with mpmath.workdps(60):
        for op, (quantile, ulps) in QUANTILES.items():
            for name, key, shape in (("f32", (1, 2), (7, 3)), ("f64", (-1, 7), (11,)), ("f32", (0, 3), ()), ("f64", (1, 2), (0,))):
                found = [float(quantile(p)) for p in probabilities(math.prod(shape), key, name)]
                want = array(found, name).reshape(shape)
                rows.append(row(f"tir.rng_{op}", "%0 : {r}", [array(key, "i32")], want, rtol=ulps * ULP[name]))
    return [dataclasses.replace(row, atol=ULP[row.result[-4:-1]]) for row in rows]


# --- distributions with parameters -----------------------------------------------------------------------------------

KEY = array((8, -9), "i32")


def bernoulli() -> list[Sample]:
    rows = []
    chances = [0.5, 0.1, 0.9, 0.0, -0.0, 1.0, 2.0, -1.0, NAN, INF, -INF, 1e-30, 0.25, 0.75]
    for name, values in (("f64", chances), ("f32", chances), ("bf16", chances), ("f32", []), ("f64", 0.5)):
        p = array(values, name)
        want = np.array([w < float(x) * 2**32 for w, x in zip(words(p.size, KEY.tolist()), p.ravel())], bool)
        rows.append(row("tir.rng_bernoulli", "%0, %1 : {1} -> {r}", [KEY, p], want.reshape(p.shape)))
    p = random((3, 4), "f32", 0, 1)
    want = (np.array(words(12, KEY.tolist())).reshape(3, 4) < p.astype(np.float64) * 2**32)
    form = {"dims": [(2,), ("[N]", "?")], "result": ("[N]", "?")}
    return [*rows, row("tir.rng_bernoulli", "%0, %1 : {1} -> {r}", [KEY, p], want, **form)]  # type: ignore[arg-type]


def integers() -> list[Sample]:
    rows = []
    for name in ("i32", "i64", "ui8", "ui64", "i16", "i8", "ui32"):
        info = np.iinfo(name.replace("ui", "uint") if name[0] == "u" else name.replace("i", "int"))
        # The last ones have spans at which every second sum of partial products has a carry.
        low = array([0, info.min, 5, 7, 0, info.min, info.max, 3, 3, *[info.min] * 6], name)
        high = array([10, info.max, 6, 7, 100, 0, info.min, 2, 90, *[info.max] * 6], name)
        wide = name.endswith("64")
        each = 4 if wide else 2
        found = words(each * low.size, KEY.tolist())
        want = []
        for i, (a, b) in enumerate(zip(low.tolist(), high.tolist())):
            digits = int("".join(f"{w:08x}" for w in found[each * i : each * i + each]), 16)
            want.append(a + (digits * max(b - a, 0) >> 32 * each))
        rows.append(row("tir.rng_randint", "%0, %1, %2 : {r}", [KEY, low, high], array(want, name)))
    empty = array([], "i32")
    return [*rows, row("tir.rng_randint", "%0, %1, %2 : {r}", [KEY, empty, empty], empty)]


def normal_quantile(upper: Any) -> Any:
    """The number that a normal one is above with this probability."""
    return -mpmath.sqrt(2) * mpmath.erfinv(2 * upper - 1)


def truncated_number(u: float, low: float, high: float) -> float:
    if not low <= high:
        return NAN
    if low > 37 or high < -37:
        near, far, v = (low, high, u) if low > 37 else (-high, -low, 1 - u)
        rest = mpmath.exp((mpmath.mpf(near) ** 2 - mpmath.mpf(far) ** 2) / 2) if far < INF else 0
        found = mpmath.sqrt(mpmath.mpf(near) ** 2 - 2 * mpmath.log(1 - v * (1 - rest)))
        return float(found if low > 37 else -found)
    a, b = (mpmath.ncdf(-mpmath.mpf(x)) for x in (low, high))
    upper = b + (1 - mpmath.mpf(u)) * (a - b)
    return min(max(float(normal_quantile(upper)), low), high)


def truncated() -> list[Sample]:
    pairs = [
        (-1, 2), (-INF, INF), (0, INF), (3, 4), (-INF, -5), (8, INF), (8, 8.001), (-9, -8.5), (1, 1), (2, 1), (NAN, 1), (1, NAN),
        (-0.5, 0.25), (40, 41), (-INF, -39), (0, 0), (-1e-3, 1e-3),
    ]  # fmt: skip
    rows = []
    for name in ("f64", "f32", "f16", "bf16"):
        low, high = (array(list(x), name) for x in zip(*pairs))
        found = words(2 * low.size, KEY.tolist())
        us = [((a >> 5) * 2**26 + (b >> 6)) / 2**53 + 2**-54 for a, b in zip(found[::2], found[1::2])]
        with mpmath.workdps(60):
            want = [truncated_number(u, float(a), float(b)) for u, a, b in zip(us, low, high)]
        # Tails of the far bounds lose digits to the logarithm of their probability.
        rows.append(row("tir.rng_truncated_normal", "%0, %1, %2 : {r}", [KEY, low, high], array(want, name), rtol=2 * ULP[name]))
    rows[0] = dataclasses.replace(rows[0], rtol=1e-13, atol=1e-13)
    empty = array([], "f32")
    return [*rows, row("tir.rng_truncated_normal", "%0, %1, %2 : {r}", [KEY, empty, empty], empty)]


def open_uniform(first: int, second: int) -> float:
    return ((first >> 6) * 2**26 + (second >> 6) + 0.5) / 2**52


def gamma_number(i: int, alpha: float) -> float:
    """Marsaglia and Tsang, in Python's numbers."""
    if not 0 < alpha < INF:
        return alpha if alpha >= 0 else NAN
    key = KEY.tolist()
    d = (alpha + (alpha < 1)) - 1 / 3
    for k in itertools.count(1):
        a, b, c, e = block(key, i, 3, k)
        t = (((a & 0x7FFFFFFF) << 31 | b >> 1) + 0.5) * 2.0**-63
        x = statistics.NormalDist().inv_cdf(t) * (1 if a >> 31 else -1)
        v = (1 + x / math.sqrt(9 * d)) ** 3
        if v > 0 and math.log(open_uniform(c, e)) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v * (open_uniform(*block(key, i, 3, 0)[:2]) ** (1 / alpha) if alpha < 1 else 1)
    raise AssertionError


def gamma() -> list[Sample]:
    rows = []
    alphas = [1, 0.5, 0.1, 2.5, 10, 100, 0, -0.0, -1, NAN, INF, -INF, 1e4, 0.01, 1e-10]
    for name, values in (("f64", alphas), ("f32", alphas), ("f16", [1, 0.5, 20]), ("bf16", [1, 0.5, 20]), ("f32", [])):
        alpha = array(values, name)
        want = array([gamma_number(i, float(a)) for i, a in enumerate(alpha)], name)
        # U^(1 / alpha) has the error of 1 / alpha logarithms.
        rows.append(row("tir.rng_gamma", "%0, %1 : {r}", [KEY, alpha], want, rtol=max(2 * ULP[name], 1e-12)))
        rows[-1] = dataclasses.replace(rows[-1], atol=0.0)
    x = random((2, 3), "f64", 0.5, 4)
    want = np.array([gamma_number(i, a) for i, a in enumerate(x.ravel())]).reshape(2, 3)
    rows.append(row("tir.rng_gamma", "%0, %1 : {r}", [KEY, x], want, rtol=1e-12, dims=[(2,), ("[N]", "?")], result=("[N]", "?")))
    return rows


def binomial_number(i: int, n: int, p: float) -> int:
    """By gaps, or by BTRS with log(k!) as it is."""
    if n <= 0 or not p > 0 or p >= 1:
        return max(n, 0) if p >= 1 else 0
    key, chance = KEY.tolist(), 1 - p if p > 0.5 else p
    k = by_rejection(key, i, n, chance) if n * chance >= 10 else by_gaps(key, i, n, chance)
    return n - k if p > 0.5 else k


def by_gaps(key: Sequence[int], i: int, n: int, p: float) -> int:
    trial = 0.0
    for k in itertools.count():
        trial += math.ceil(math.log(open_uniform(*block(key, i, 3, k)[:2])) / math.log1p(-p))
        if trial > n:
            return k
    raise AssertionError


def by_rejection(key: Sequence[int], i: int, n: int, p: float) -> int:
    deviation = math.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a, alpha, mode = -0.0873 + 0.0248 * b + 0.01 * p, (2.83 + 5.1 / b) * deviation, math.floor((n + 1) * p)

    def log_mass(k: int) -> float:
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        return ways + k * math.log(p) + (n - k) * math.log1p(-p)

    for number in itertools.count(1):
        found = block(key, i, 3, number)
        u, v = open_uniform(*found[:2]) - 0.5, open_uniform(*found[2:])
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + n * p + 0.5)
        if not 0 <= k <= n:
            continue
        if us >= 0.07 and v <= 0.92 - 4.2 / b:
            return k
        if math.log(v * alpha / (a / us**2 + b)) <= log_mass(k) - log_mass(mode):
            return k
    raise AssertionError


def binomial() -> list[Sample]:
    cases = [
        (10, 0.3), (10, 0.9), (100, 0.5), (1000, 0.02), (100, 0.02), (7, 0.0), (7, 1.0), (7, 2.0), (7, -1.0), (7, NAN), (0, 0.5),
        (-3, 0.5), (-3, 1.0), (120, 0.999), (1, 0.5), (120, 0.25), (60, 0.75), (127, 1e-30),
    ]  # fmt: skip
    rows = []
    for name, of_p in (("i32", "f64"), ("i64", "f32"), ("ui16", "f64")):
        n, p = array([max(c[0], 0) if name[0] == "u" else c[0] for c in cases], name), array([c[1] for c in cases], of_p)
        want = array([binomial_number(i, int(a), float(b)) for i, (a, b) in enumerate(zip(n, p))], name)
        rows.append(row("tir.rng_binomial", "%0, %1, %2 : {r}, {2}", [KEY, n, p], want))
    n, p = array([], "i32"), array([], "f32")
    return [*rows, row("tir.rng_binomial", "%0, %1, %2 : {r}, {2}", [KEY, n, p], n)]


def points() -> list[Smooth]:
    low, high = np.array([-1.0, 0.5, -3.0, 2.0, 5.0]), np.array([1.5, 3.0, -2.0, 2.5, 7.0])
    return [smooth("tir.rng_truncated_normal", "%0, %1, %2 : {r}", [KEY, low, high], (5,), wrt=(1, 2))]


def more_points() -> list[Smooth]:
    found = []
    for shape, sizes in FORMS:
        low = random(shape, "f64", -3, 3)
        inputs, dims = [KEY, low, low + random(shape, "f64", 0.3, 3, seed=1)], {1: sizes, 2: sizes}
        found.append(smooth("tir.rng_truncated_normal", "%0, %1, %2 : {r}", inputs, sizes, wrt=(1, 2), dims=dims))
    return found
