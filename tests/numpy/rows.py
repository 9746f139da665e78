"""Calls of numpy's functions: each is made by numpy on arrays and by tir on traced ones, which must agree.

A row is a function of a module (numpy, or tir.numpy) and of arrays; `ROWS` has them by the name of the function that
they are about, with the arrays that they take from `ARRAYS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["ARRAYS", "ROWS", "Row"]

random = np.random.default_rng(5)
NAN, INF = float("nan"), float("inf")

#: By what rows call them: a number is the rank.
ARRAYS: dict[str, Any] = {
    "x0": np.float32(1.5),
    "x1": np.array([0.5, -1.5, 2.25, 3.0, -0.25], np.float32),
    "x2": random.normal(size=(3, 4)).astype(np.float32),
    "y2": random.normal(size=(3, 4)).astype(np.float32),
    "x3": random.normal(size=(2, 3, 4)),
    "row": random.normal(size=(1, 4)).astype(np.float32),
    "v4": random.normal(size=4).astype(np.float32),
    "i1": np.array([3, 1, 2, 0, 1], np.int64),
    "i2": random.integers(-9, 9, (3, 4)).astype(np.int32),
    "u1": np.array([0, 7, 255], np.uint8),
    "j1": np.array([5, 0, 3], np.int8),
    "big": np.array([-1, 0, 5, 2**62]),
    "ubig": np.array([2**64 - 1, 0, 5, 2**62], np.uint64),
    "p1": np.array([True, False, True, True, False]),
    "p2": random.normal(size=(3, 4)) > 0,
    "hard": np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-30, 3e38, NAN, INF, -INF], np.float32),
    "tiny": np.array([5e-324, -5e-324, 0.0, -0.0, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, NAN, INF, -INF, 1.0, 0.1]),
    "tiny32": np.array([1e-45, -1e-45, 0.0, -0.0, 1.1754944e-38, 3.4028235e38, -3.4028235e38, NAN, INF, -INF, 1.0, 0.1], np.float32),
    "infinite": np.array([[INF, -INF, 2.0, INF], [-0.0, 4.0, INF, 5.0], [INF, INF, -INF, -INF]]),
    "other": np.array([0.0, 1.0, -0.0, 2.0, NAN, 0.5, -1e-30, 3e38, 1.0, INF, 3.0], np.float32),
    "d1": np.array([0.25, -0.5, 0.125, 0.75]),
    "h1": np.array([0.5, 2.0, -1.0], np.float16),
    "e2": np.zeros((0, 3), np.float32),
    "nan2": np.array([[1.0, NAN, 3.0], [NAN, NAN, 2.0], [4.0, 5.0, 6.0]], np.float32),
    "sq": np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]]),
    "sq3": np.stack([np.eye(3) * 2 + 0.5, np.eye(3) + 0.25]),
    "v3": np.array([1.0, -2.0, 0.5]),
    "sorted": np.array([-1.0, 0.0, 0.5, 0.5, 2.0], np.float32),
}


class Row(NamedTuple):
    """A call. rtol: 0 where the results must be equal."""

    name: str
    takes: tuple[str, ...]
    call: Callable[..., Any]
    rtol: float = 0.0

    def __str__(self) -> str:
        return f"{self.name}-{'-'.join(self.takes)}"


def row(name: str, takes: str, call: Callable[..., Any], rtol: float = 0.0) -> Row:
    return Row(name, tuple(takes.split()), call, rtol)


def _of(name: str) -> Callable[..., Any]:
    def call(m: Any, *xs: Any) -> Any:
        for part in name.split("."):
            m = getattr(m, part)
        return m(*xs)

    return call


def _with_signs(m: Any, x: Any) -> Any:
    """Numbers with their signs, which tell 0 from -0."""
    return m.stack([x, m.where(m.isnan(x), 1, m.copysign(1, x)).astype(x.dtype)])


CLOSE = 2e-6  # 16 ulp of f32: the same function from other steps
EXACT_ONE = "absolute abs fabs negative positive sign square floor ceil trunc rint isnan isinf isfinite signbit reciprocal sqrt logical_not"
CLOSE_ONE = """
    exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh cbrt degrees
    radians deg2rad rad2deg acos acosh asin asinh atan atanh sinc
"""
EXACT_TWO = """
    add subtract multiply divide true_divide floor_divide remainder mod fmod maximum minimum fmax fmin copysign equal
    not_equal less less_equal greater greater_equal logical_and logical_or logical_xor heaviside
"""
CLOSE_TWO = "power pow float_power hypot arctan2 atan2 logaddexp logaddexp2"
BITS = "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift"

ELEMENTWISE = [
    *(row(name, takes, _of(name)) for name in EXACT_ONE.split() for takes in ("hard", "x2", "x0", "e2")),
    *(row(name, takes, _of(name), CLOSE) for name in CLOSE_ONE.split() for takes in ("hard", "d1")),
    *(row(name, takes, _of(name)) for name in EXACT_TWO.split() for takes in ("hard other", "x2 v4", "x2 x0", "row x3")),
    *(row(name, takes, _of(name), CLOSE) for name in CLOSE_TWO.split() for takes in ("hard other", "x2 v4")),
    *(row(name, takes, _of(name)) for name in BITS.split() for takes in ("i1 i1", "u1 u1", "j1 u1")),
    # Element types: small integers compute in small floats, truth values in what they can.
    *(row(name, takes, _of(name), 1e-3) for name in ("exp", "sqrt", "sin", "arctan") for takes in ("u1", "j1", "i1", "h1", "p1")),
    *(row(name, takes, _of(name)) for name in ("floor", "ceil", "trunc", "absolute", "sign", "square", "isnan", "isfinite")
      for takes in ("i1", "u1", "j1", "h1")),
    *(row(name, takes, _of(name)) for name in ("add", "multiply", "maximum", "minimum", "equal", "less", "divide", "logical_and")
      for takes in ("i2 i2", "u1 j1", "p1 p1", "h1 u1", "i1 p1", "h1 x0")),
    *(row(name, takes, _of(name)) for name in ("subtract", "floor_divide", "remainder", "fmod") for takes in ("i2 v4", "u1 j1", "i1 x0")),
    row("floor_divide", "i1", lambda m, x: (7 // x, x // 0, -7 % x, x % 0)),
    row("power", "i1", lambda m, x: (x**2, x**3, 2**x, x**0.5), CLOSE),
    row("bitwise_invert", "i1", _of("bitwise_invert")), row("invert", "p1", _of("invert")), row("bitwise_not", "u1", _of("bitwise_not")),
    row("sqrt", "j1", lambda m, x: m.sqrt(x, dtype="float64"), CLOSE),
    *(row(name, takes, _of(name)) for name in ("conj", "conjugate") for takes in ("hard", "i1", "p1")),
    *(row("fix", takes, _of("fix")) for takes in ("hard", "i1")),
    *(row(name, takes, _of(name)) for name in ("gcd", "lcm") for takes in ("i2 i2", "u1 j1")),
    row("gcd", "big", lambda m, x: (m.gcd(x, 6), m.gcd(0, x), m.gcd(x, -x))), row("lcm", "i1", lambda m, x: (m.lcm(x, 4), m.lcm(x, -x))),
    row("ldexp", "hard", lambda m, x: [m.ldexp(x, n) for n in (0, 3, -5, 90, -150, 400)]),
    row("ldexp", "d1 i2", lambda m, x, n: [m.ldexp(x, n[0] * k) for k in (1, 100, -100, 200)]), row("ldexp", "h1 j1", _of("ldexp")),
    *(row("nextafter", takes, lambda m, x: [_with_signs(m, m.nextafter(x, y)) for y in (x[::-1], 0.0, -0.0, INF, -INF, NAN, 0.5, x)])
      for takes in ("hard", "tiny", "tiny32", "h1")),
    row("nextafter", "x2 v4", _of("nextafter")), row("nextafter", "i1 d1", lambda m, i, x: m.nextafter(i[:4], x)),
    *(row("i0", takes, lambda m, x: m.i0(x), CLOSE) for takes in ("hard", "tiny32", "x2", "x0", "e2")),
    row("i0", "tiny", lambda m, x: m.i0(x), 1e-15), row("i0", "v3", lambda m, x: [m.i0(x * n) for n in (1, 8, 19.9, 20, 40, 300, 800)], 1e-14),
    row("i0", "i1", _of("i0"), 1e-15), row("i0", "h1", _of("i0"), 1e-3),
    *(row("bitwise_count", takes, _of("bitwise_count")) for takes in ("i1", "i2", "u1", "j1", "big", "ubig", "p1")),
    row("bitwise_count", "i1", lambda m, x: [m.bitwise_count(x - x + n) for n in (2**63 - 1, -(2**63), -1, 0)]),
    row("bitwise_count", "j1", lambda m, x: [m.bitwise_count(x * 0 + n) for n in (127, -128)]),
    row("divmod", "x1", lambda m, x: m.divmod(x, 0.75)), row("modf", "hard", _of("modf")),
    row("where", "p2 x2 i2", _of("where")), row("where", "p1 x1", lambda m, p, x: m.where(p, x, 0)),
    row("where", "p1 x1", lambda m, p, x: m.where(p[:, None], x, 1)), row("where", "i2 x2 row", _of("where")),
    *(row(name, takes, _of(name)) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
      for takes in ("big ubig", "ubig big")),
    row("less", "u1", lambda m, x: (x < -1, x < 300, x != 256, 300 > x, -1 >= x, m.clip(x, -5, 9), m.clip(x, 3, 999))),
    row("square", "p1", lambda m, x: (x**2, m.square(x), m.fmax(x, x), m.isclose(x, x))),
    row("clip", "x2", lambda m, x: m.clip(x, -0.5, 0.5)), row("clip", "x2 v4", lambda m, x, v: m.clip(x, v, None)),
    row("clip", "i2", lambda m, x: (m.clip(x, -2, 3), x.clip(-2, 3))),
    row("round", "hard", _of("round")), row("round", "x2", lambda m, x: m.round(x, 2), CLOSE), row("around", "x2", lambda m, x: m.around(x, 1), CLOSE),
    row("round", "i1", _of("round")),
    row("nan_to_num", "hard", _of("nan_to_num")), row("nan_to_num", "hard", lambda m, x: m.nan_to_num(x, nan=1.0, posinf=2.0, neginf=-3.0)),
    row("isclose", "hard other", _of("isclose")), row("isclose", "hard hard", lambda m, x, y: m.isclose(x, y, equal_nan=True)),
    row("astype", "hard", lambda m, x: (m.astype(x, m.bool), x.astype(m.float64))), row("astype", "i2", lambda m, x: x.astype("float16")),
]  # fmt: skip

REDUCTIONS = [
    *(row(name, takes, _of(name), CLOSE) for name in ("sum", "prod", "mean", "var", "std") for takes in ("x2", "x0", "x3", "h1")),
    *(row(name, takes, _of(name), CLOSE) for name in ("sum", "prod", "mean", "max", "min", "any", "all", "ptp", "argmax", "argmin")
      for takes in ("i2", "u1", "j1", "x3") if not (name == "ptp" and takes == "p1")),
    *(row(name, "p2", _of(name), CLOSE) for name in ("sum", "prod", "mean", "max", "min", "any", "all", "argmax", "argmin", "cumsum", "cumprod")),
    *(row(name, "x3", lambda m, x, name=name: (getattr(m, name)(x, axis=1), getattr(m, name)(x, axis=-1, keepdims=True),
                                               getattr(m, name)(x, axis=(0, 2)), getattr(m, name)(x, axis=(-1, 0), keepdims=True),
                                               getattr(m, name)(x, axis=())), CLOSE)
      for name in ("sum", "prod", "mean", "max", "amax", "min", "amin", "any", "all", "var", "std")),
    *(row(name, "x3", lambda m, x, name=name: (getattr(m, name)(x, axis=1), getattr(m, name)(x, axis=-1, keepdims=True),
                                               getattr(m, name)(x, keepdims=True)), CLOSE)
      for name in ("argmax", "argmin", "ptp", "count_nonzero", "median")),
    *(row(name, "hard", _of(name), CLOSE) for name in ("max", "min", "argmax", "argmin", "nansum", "nanmax", "nanmin", "nanmean")),
    *(row(name, "nan2", lambda m, x, name=name: (getattr(m, name)(x, axis=0), getattr(m, name)(x, axis=1, keepdims=True),
                                                 getattr(m, name)(x)), CLOSE)
      for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd")),
    row("sum", "e2", lambda m, x: (m.sum(x), m.sum(x, 0), m.sum(x, 1))), row("prod", "e2", _of("prod")),
    row("any", "e2", lambda m, x: (m.any(x, 0), m.all(x))), row("max", "e2", lambda m, x: (m.max(x, 1), m.max(x, initial=-1))),
    row("sum", "x2 p2", lambda m, x, p: (m.sum(x, where=p), m.sum(x, 0, initial=2.0), m.prod(x, where=p), m.mean(x, where=p),
                                         m.max(x, where=p, initial=-9), m.any(x > 1, where=p), m.all(x > -5, where=p)), CLOSE),
    row("sum", "i2", lambda m, x: (m.sum(x, dtype="int32"), m.sum(x, dtype=m.float64), m.mean(x, dtype="float32"), x.sum(1), x.mean(0))),
    row("var", "x2", lambda m, x: (m.var(x, 0, ddof=1), m.std(x, ddof=2), x.var(1), x.std(), m.var(x, correction=1)), CLOSE),
    row("average", "x2 y2", lambda m, x, y: (m.average(x), m.average(x, 0, m.abs(y)), m.average(x, 1, m.abs(y)[0])), CLOSE),
    row("average", "x2", lambda m, x: m.average(x, 1, returned=True), CLOSE),
    *(row(name, "x3", lambda m, x, name=name: (getattr(m, name)(x), getattr(m, name)(x, 1), getattr(m, name)(x, -1, dtype="float32")), CLOSE)
      for name in ("cumsum", "cumprod")),
    row("cumsum", "u1", lambda m, x: (m.cumsum(x), x.cumsum(), m.cumprod(x))),
    row("cumulative_sum", "x3", lambda m, x: (m.cumulative_sum(x, axis=1), m.cumulative_sum(x, axis=0, include_initial=True)), CLOSE),
    row("cumulative_prod", "v4", lambda m, x: (m.cumulative_prod(x), m.cumulative_prod(x, include_initial=True)), CLOSE),
    *(row(name, takes, _of(name)) for name in ("nancumsum", "nancumprod") for takes in ("x1", "i1", "nan2")),
    row("nancumsum", "nan2", lambda m, x: (m.nancumsum(x, axis=0), m.nancumsum(x, 1, "float64"))),
    row("gradient", "x2", lambda m, x: (*m.gradient(x), m.gradient(x[0], 0.5), m.gradient(x, 2.0, axis=1)), CLOSE),
    row("gradient", "i1", _of("gradient")), row("gradient", "x3", lambda m, x: m.gradient(x, 1.0, m.array([0.0, 1.0, 3.0]), 0.5), CLOSE),
    row("gradient", "x2 v3", lambda m, x, p: m.gradient(x, 0.5 * m.cumsum(m.abs(p)), axis=0), CLOSE),
    row("unwrap", "x1", lambda m, x: (m.unwrap(x * 5), m.unwrap(x, period=2.0), m.unwrap(x * 3, discont=5.0)), CLOSE),
    row("unwrap", "i2", lambda m, x: (m.unwrap(x, period=4), m.unwrap(x, period=5, axis=0))), row("unwrap", "x2", lambda m, x: m.unwrap(x * 9, axis=0), CLOSE),
    row("diff", "x2", lambda m, x: (m.diff(x), m.diff(x, axis=0), m.diff(x, 2))), row("diff", "p1", _of("diff")),
    row("ediff1d", "x2", _of("ediff1d")),
    row("trapezoid", "x2", lambda m, x: (m.trapezoid(x), m.trapezoid(x, dx=0.5, axis=0)), CLOSE),
    row("trapezoid", "x2 sorted", lambda m, x, s: m.trapezoid(x, s[:4]), CLOSE),
    row("quantile", "x2", lambda m, x: (m.quantile(x, 0.3), m.quantile(x, 0.5, axis=1), m.quantile(x, 0.25, axis=0, keepdims=True)), CLOSE),
    row("quantile", "x3", lambda m, x: (m.quantile(x, [0.1, 0.9], axis=(0, 2)), m.quantile(x, [0.0, 1.0])), CLOSE),
    *(row("quantile", "x2", lambda m, x, method=method: m.quantile(x, 0.35, 0, method=method), CLOSE)
      for method in ("lower", "higher", "midpoint", "nearest")),
    row("quantile", "i2", lambda m, x: (m.quantile(x, 0.3, method="lower"), m.quantile(x, [0.2, 0.4]), m.quantile(x, 0.5))),
    row("quantile", "x2", lambda m, x: (m.quantile(x, [0.2, 0.4]), m.percentile(x, np.array([20, 40]))), CLOSE),
    # What lies between two infinities is as numpy has it; the hard arrays have a nan, which is left out or wins.
    row("quantile", "infinite", lambda m, x: (m.quantile(x, 0.3, 1), m.quantile(x, [0.1, 0.9], 0), m.median(x, 0), m.median(x)), CLOSE),
    *(row(name, takes, lambda m, x, name=name, part=part: (getattr(m, name)(x, part * 0.3), getattr(m, name)(x, [part * 0.1, part * 0.9])), CLOSE)
      for name, part in (("nanquantile", 1.0), ("nanpercentile", 100.0)) for takes in ("hard", "nan2", "infinite", "d1", "i2", "h1")),
    row("nanquantile", "nan2", lambda m, x: (m.nanquantile(x, 0.3, 0), m.nanquantile(x, 0.3, 1, keepdims=True), m.nanquantile(x, np.array([[0.0, 0.25], [0.6, 1.0]]), axis=1)), CLOSE),
    row("nanquantile", "nan2", lambda m, x: (m.nanquantile(x[1:2, :2], 0.5), m.nanquantile(x * NAN, 0.5, 0)), CLOSE),
    *(row("nanquantile", "nan2", lambda m, x, method=method: m.nanquantile(x, 0.35, 0, method=method), CLOSE)
      for method in ("linear", "lower", "higher", "midpoint", "nearest")),
    row("nanpercentile", "x3", lambda m, x: (m.nanpercentile(x, 40, axis=(0, 2)), m.nanpercentile(x, [10, 90], axis=1, keepdims=True)), CLOSE),
    *(row("nanmedian", takes, _of("nanmedian"), CLOSE) for takes in ("hard", "nan2", "infinite", "e2", "i2", "h1", "x3")),
    row("nanmedian", "nan2", lambda m, x: (m.nanmedian(x, 0), m.nanmedian(x, axis=1, keepdims=True), m.nanmedian(x[:, :0], 1)), CLOSE),
    row("percentile", "x3", lambda m, x: m.percentile(x, 40, axis=1), CLOSE), row("median", "nan2", lambda m, x: m.median(x, 0)),
    row("cov", "x2", lambda m, x: (m.cov(x), m.cov(x, rowvar=False), m.cov(x, bias=True), m.cov(x[0])), 1e-5),
    row("cov", "x2 y2", _of("cov"), 1e-5), row("corrcoef", "x2", _of("corrcoef"), 1e-5),
    row("add.reduce", "x2", lambda m, x: (np.add.reduce(x), np.add.reduce(x, 1), np.multiply.reduce(x), np.maximum.reduce(x, axis=None),
                                          np.logical_or.reduce(x > 0), np.logical_and.reduce(x > 0), np.minimum.reduce(x)), CLOSE),
    row("add.accumulate", "x2", lambda m, x: (np.add.accumulate(x), np.multiply.accumulate(x, 1), np.maximum.accumulate(x),
                                              np.minimum.accumulate(x)), CLOSE),
]  # fmt: skip

SHAPES = [
    row("reshape", "x3", lambda m, x: (m.reshape(x, (6, 4)), m.reshape(x, -1), x.reshape(4, -1), x.reshape((2, -1)), x.flatten(), x.ravel())),
    row("reshape", "x0", lambda m, x: (m.reshape(x, (1, 1)), m.ravel(x))), row("ravel", "x3", _of("ravel")),
    row("transpose", "x3", lambda m, x: (m.transpose(x), m.transpose(x, (1, 0, 2)), x.T, x.transpose(2, 0, 1), x.transpose((0, 2, 1)), x.mT)),
    row("permute_dims", "x3", lambda m, x: m.permute_dims(x, (2, 0, 1))), row("matrix_transpose", "x3", _of("matrix_transpose")),
    row("swapaxes", "x3", lambda m, x: (m.swapaxes(x, 0, -1), x.swapaxes(1, 2))),
    row("moveaxis", "x3", lambda m, x: (m.moveaxis(x, 0, -1), m.moveaxis(x, (0, 1), (-1, 0)))),
    row("rollaxis", "x3", lambda m, x: (m.rollaxis(x, 2), m.rollaxis(x, 0, 3), m.rollaxis(x, 1, 1))),
    row("expand_dims", "x2", lambda m, x: (m.expand_dims(x, 0), m.expand_dims(x, -1), m.expand_dims(x, (0, 2)))),
    row("squeeze", "row", lambda m, x: (m.squeeze(x), m.squeeze(x, 0), x.squeeze())),
    row("concatenate", "x2 y2", lambda m, x, y: (m.concatenate([x, y]), m.concatenate((x, y), 1), m.concatenate([x, y], axis=None))),
    row("concatenate", "x2 i2", lambda m, x, y: (m.concatenate([x, y]), m.concatenate([x, y], dtype="float64"))),
    row("concat", "x2 row", lambda m, x, y: m.concat([x, y])), row("stack", "x2 y2", lambda m, x, y: (m.stack([x, y]), m.stack([x, y], -1))),
    row("block", "x2 v4", lambda m, x, y: (m.block([[x, x[:, :1]], [x * 2, x[:, 1:2]]]), m.block([y, 2.0, y]), m.block([[[x]], [[x]]]))),
    row("vstack", "v4 x2", lambda m, x, y: m.vstack([x, y])), row("hstack", "x2 y2", lambda m, x, y: (m.hstack([x, y]), m.hstack([x[0], y[0]]))),
    row("dstack", "x2 y2", lambda m, x, y: m.dstack([x, y])), row("column_stack", "v4 v4", lambda m, x, y: m.column_stack([x, y])),
    row("append", "x2 v4", lambda m, x, v: (m.append(x, v), m.append(x, v[None], 0))),
    row("insert", "x2", lambda m, x: (m.insert(x, 1, 9.0, axis=0), m.insert(x, -1, 9.0, axis=1), m.insert(x, 2, 5))),
    row("delete", "x2", lambda m, x: (m.delete(x, 1, 0), m.delete(x, [0, 2], 1), m.delete(x, 3))),
    row("split", "x2", lambda m, x: (m.split(x, 2, 1), m.split(x, [1], 0), m.split(x, 3))),
    row("array_split", "v4", lambda m, x: (m.array_split(x, 3), m.array_split(x, [1, 3]))),
    row("hsplit", "x2", lambda m, x: m.hsplit(x, 2)), row("vsplit", "x2", lambda m, x: m.vsplit(x, 3)),
    row("dsplit", "x3", lambda m, x: m.dsplit(x, 2)), row("unstack", "x2", lambda m, x: (m.unstack(x), m.unstack(x, axis=1))),
    row("tile", "x2", lambda m, x: (m.tile(x, 2), m.tile(x, (2, 1)), m.tile(x, (2, 1, 3)))),
    row("repeat", "x2", lambda m, x: (m.repeat(x, 2), m.repeat(x, 3, 0), m.repeat(x, [1, 0, 2], axis=0), x.repeat(2, axis=1))),
    row("roll", "x2", lambda m, x: (m.roll(x, 1), m.roll(x, -1, 0), m.roll(x, (1, 2), (0, 1)), m.roll(x, 9, 1))),
    row("flip", "x3", lambda m, x: (m.flip(x), m.flip(x, 1), m.flip(x, (0, 2)))), row("fliplr", "x2", _of("fliplr")),
    row("flipud", "x2", _of("flipud")), row("rot90", "x2", lambda m, x: [m.rot90(x, k) for k in range(-1, 4)]),
    row("rot90", "x3", lambda m, x: m.rot90(x, 1, (1, 2))),
    row("broadcast_to", "row", lambda m, x: (m.broadcast_to(x, (3, 4)), m.broadcast_to(x, (2, 1, 4)))),
    row("broadcast_arrays", "row x3", lambda m, x, y: tuple(m.broadcast_arrays(x, y))),
    row("atleast_1d", "x0", _of("atleast_1d")), row("atleast_2d", "v4", _of("atleast_2d")),
    row("atleast_3d", "v4 x2", lambda m, x, y: (m.atleast_3d(x), m.atleast_3d(y))),
    row("pad", "x2", lambda m, x: (m.pad(x, 1), m.pad(x, ((1, 0), (0, 2)), constant_values=2), m.pad(x, (2, 1), constant_values=(3, 4)))),
    *(row("pad", "x2", lambda m, x, mode=mode: m.pad(x, ((2, 1), (1, 2)), mode=mode)) for mode in ("edge", "wrap", "reflect", "symmetric")),
    row("pad", "i2", lambda m, x: m.pad(x, ((1, 1), (0, 0)) if isinstance(x, np.ndarray) else {0: (1, 1)})), row("pad", "p1", lambda m, x: m.pad(x, 1)),
    row("shape", "x3", lambda m, x: np.zeros(m.shape(x))), row("ndim", "x3", lambda m, x: x * m.ndim(x)), row("size", "x3", lambda m, x: x / m.size(x)),
    row("iscomplexobj", "x1", lambda m, x: x * m.iscomplexobj(x)), row("isrealobj", "x1", lambda m, x: x * m.isrealobj(x)),
    row("real", "x1", _of("real")), row("real_if_close", "x1", _of("real_if_close")),
    row("copy", "x1", _of("copy")), row("array", "x1", lambda m, x: (m.array([x, x]), m.array([x[0], 2.0]), m.array([[x[0], 1], [2, x[1]]]), m.array(x, dtype=float))),
    row("asarray", "x1", lambda m, x: (m.asarray(x), m.asarray(x, dtype="float64"))), row("asanyarray", "x1", _of("asanyarray")),
    row("ascontiguousarray", "x2", lambda m, x: m.ascontiguousarray(x.T)),
    row("zeros_like", "x2", lambda m, x: (m.zeros_like(x), m.zeros_like(x, dtype=int), m.zeros_like(x, shape=(2,)))),
    row("ones_like", "i2", _of("ones_like")), row("full_like", "x2", lambda m, x: (m.full_like(x, 3), m.full_like(x, 0.5, dtype="float64"))),
    row("empty_like", "x2", lambda m, x: m.empty_like(x) * 0), row("full", "x0", lambda m, x: (m.full((2, 3), x), m.full(3, x, dtype="float64"))),
    row("linspace", "x0", lambda m, x: (m.linspace(0, x, 5), m.linspace(x, 2.0, 4, endpoint=False), m.linspace(x, 3, 1)), CLOSE),
    row("logspace", "x0", lambda m, x: m.logspace(0, x, 3), 1e-5),
    row("meshgrid", "x1 v4", lambda m, x, y: (*m.meshgrid(x, y), *m.meshgrid(x, y, indexing="ij"), *m.meshgrid(x, y, sparse=True))),
    *(row(name, "x0", lambda m, x, name=name: x + getattr(m, name)(3)) for name in ("zeros", "ones", "eye", "identity", "tri", "arange")),
    row("empty", "x0", lambda m, x: x + 0 * m.empty(3)),
]  # fmt: skip

INDEXING = [
    row("getitem", "x3", lambda m, x: (x[0], x[-1, 1], x[..., 2], x[:, None, 1:], x[::-1], x[:, ::2, -1:0:-2], x[1, 2, 3], x[()], x[:, [0, 2]])),
    row("getitem", "x3 i1", lambda m, x, i: (x[:, :, i], x[0, i % 3], x[i % 2, i % 3], x[i % 2, :, i % 4], x[-(i % 2)], x[i[0] % 2, 0])),
    row("getitem", "x2", lambda m, x: (x[np.array([True, False, True])], x[np.arange(12).reshape(3, 4) % 2 == 0], x[:, [True, False, True, True]])),
    row("getitem", "x2", lambda m, x: tuple(row * 2 for row in x)),
    row("take", "x2 i1", lambda m, x, i: (m.take(x, i), m.take(x, i, 1), x.take(i % 3, axis=0), m.take(x, i + 3, 1, mode="clip"),
                                          m.take(x, i - 7, mode="wrap"), m.take(x, [0, 1], 1), m.take(x, 2))),
    row("take_along_axis", "x2", lambda m, x: (m.take_along_axis(x, m.argsort(x, 1), 1), m.take_along_axis(x, m.argmax(x, 0, keepdims=True), 0))),
    row("select", "x2 i2", lambda m, x, i: (m.select([x > 1, x < -1], [x, i]), m.select([x > 0], [x * 2], 7.0))),
    row("choose", "i1 x1", lambda m, i, x: m.choose(i, [x, -x, x * 2], mode="clip")),
    row("choose", "i1 x1", lambda m, i, x: m.choose(i, [x, -x, x * 2], mode="wrap")),
    row("compress", "x2", lambda m, x: m.compress([True, False, True], x, axis=0)),
    row("diagonal", "x3", lambda m, x: (m.diagonal(x), m.diagonal(x, 1, 1, 2), x.diagonal(-1))),
    row("trace", "x3", lambda m, x: (m.trace(x), m.trace(x, 1, 1, 2), x.trace()), CLOSE), row("trace", "i2", _of("trace")),
    row("diag", "v4 x2", lambda m, v, x: (m.diag(v), m.diag(v, 1), m.diag(x), m.diag(x, -1))), row("diagflat", "x2", _of("diagflat")),
    row("tril", "x2", lambda m, x: (m.tril(x), m.tril(x, 1))), row("triu", "p2", lambda m, x: (m.triu(x), m.triu(x, -1))), row("tril", "v4", _of("tril")),
    *(row("sort", takes, lambda m, x: (m.sort(x), m.sort(x, axis=None))) for takes in ("hard", "i2", "p1", "x3", "h1")),
    row("sort", "x3", lambda m, x: m.sort(x, 1)), row("argsort", "x3", lambda m, x: (m.argsort(x), m.argsort(x, 0, kind="stable"), x.argsort())),
    row("argsort", "i1", lambda m, x: m.argsort(x, kind="stable")), row("argsort", "p1", lambda m, x: m.argsort(x, kind="stable")),
    row("partition", "x2", lambda m, x: m.partition(x, 1)[:, 1]), row("argpartition", "x1", lambda m, x: x[m.argpartition(x, 2)[2]]),
    row("lexsort", "i1 x1", lambda m, i, x: (m.lexsort((x, i)), m.lexsort((i, x)))),
    row("searchsorted", "sorted hard", lambda m, s, v: (m.searchsorted(s, v), m.searchsorted(s, v, "right"), s.searchsorted(v))),
    row("searchsorted", "sorted", lambda m, s: (m.searchsorted(s, 0.5), m.searchsorted(s, [[0.5, 9.0]]))),
    row("digitize", "x2 sorted", lambda m, x, s: (m.digitize(x, [0.0, 0.5]), m.digitize(x, [1.0, 0.0]), m.digitize(x, s, right=True))),
    row("isin", "i2", lambda m, x: (m.isin(x, [1, 2, -3]), m.isin(x, [0], invert=True))),
    row("interp", "d1", lambda m, x: (m.interp(x, [-0.25, 0.0, 0.5], [1.0, 3.0, 2.0]), m.interp(x, [0.0, 0.5], [3.0, 2.0], left=9.0, right=-9.0)), CLOSE),
    row("array_equal", "x2 y2", lambda m, x, y: (m.array_equal(x, y), m.array_equal(x, x), m.array_equal(x, x[0]))),
    row("array_equal", "hard hard", lambda m, x, y: (m.array_equal(x, y), m.array_equal(x, y, equal_nan=True))),
    row("allclose", "x2 y2", lambda m, x, y: (m.allclose(x, y), m.allclose(x, x + 1e-9))),
]  # fmt: skip

LINEAR = [
    row("matmul", "x2 y2", lambda m, x, y: (m.matmul(x, y.T), x @ y.T, x @ y[0], x[0] @ y.T), CLOSE),
    row("matmul", "x3 sq3", lambda m, x, y: m.matmul(m.swapaxes(x, 1, 2), y), CLOSE), row("matmul", "i2 i2", lambda m, x, y: x @ y.T),
    row("matmul", "p2 p2", lambda m, x, y: m.matmul(x, y.T)), row("matmul", "x2 i2", lambda m, x, y: x @ y.T, CLOSE),
    row("dot", "x2 x3 v4", lambda m, x, y, v: (m.dot(x, v), m.dot(v, v), m.dot(y, v), m.dot(x, y.transpose(0, 2, 1)), m.dot(x, 2.0), x.dot(v)), 1e-5),
    row("vdot", "x2 y2", _of("vdot"), 1e-5), row("vecdot", "x2 y2", lambda m, x, y: (m.vecdot(x, y), m.vecdot(x, y, axis=0)), 1e-5),
    row("matvec", "x3 v4", _of("matvec"), CLOSE), row("vecmat", "v3 x3", _of("vecmat"), CLOSE),
    row("inner", "x3 x2", lambda m, x, y: (m.inner(x, y), m.inner(y[0], y[1]), m.inner(y, 2)), CLOSE), row("outer", "x2 v4", _of("outer")),
    row("kron", "x2 v4", lambda m, x, y: (m.kron(x, y), m.kron(y, x), m.kron(x, x))),
    row("cross", "v3 sq", lambda m, x, y: (m.cross(x, y), m.cross(y, x), m.cross(y, y[::-1], axis=0)), CLOSE),
    row("tensordot", "x3 x2", lambda m, x, y: (m.tensordot(x, y, 2), m.tensordot(x, y, ([1], [0])), m.tensordot(x, y, [[1, 2], [0, 1]]), m.tensordot(x, y, 0)), CLOSE),
    row("einsum", "x2 y2", lambda m, x, y: (m.einsum("ij,kj->ik", x, y), m.einsum("ij,ij", x, y), m.einsum("ij->ji", x), m.einsum("...j,...j->...", x, y)), 1e-5),
    row("einsum", "sq", lambda m, x: (m.einsum("ii", x), m.einsum("ii->i", x), m.einsum("ij,jk,kl->il", x, x, x)), CLOSE),
    row("vander", "v4 i1", lambda m, x, i: (m.vander(x), m.vander(x, 3), m.vander(i, 3, increasing=True)), CLOSE),
    row("polyval", "x1 v4", lambda m, x, p: (m.polyval(p, x), m.polyval([1, 0, 2], x)), 1e-5),
    *(row(name, "x1 v4 v3", lambda m, x, y, z, name=name: [getattr(m, name)(a, c, mode) for mode in ("full", "same", "valid")
                                                           for a, c in ((x, y), (y, x), (x, z), (z, x))], 1e-5)
      for name in ("convolve", "correlate")),
    row("linalg.norm", "x2 v3", lambda m, x, v: (m.linalg.norm(x), m.linalg.norm(v), m.linalg.norm(x, axis=1), m.linalg.norm(x, 1), m.linalg.norm(x, "fro"),
                                                 m.linalg.norm(x, np.inf, (0, 1), True), m.linalg.norm(v, 3), m.linalg.norm(v, 0), m.linalg.norm(v, -np.inf)), CLOSE),
    row("linalg.vector_norm", "x2", lambda m, x: (m.linalg.vector_norm(x), m.linalg.vector_norm(x, axis=1, ord=1)), CLOSE),
    row("linalg.matrix_norm", "x3", lambda m, x: (m.linalg.matrix_norm(x), m.linalg.matrix_norm(x, ord=-1)), CLOSE),
    row("linalg.solve", "sq v3 sq3", lambda m, a, v, b: (m.linalg.solve(a, v), m.linalg.solve(a, a + 1), m.linalg.solve(b, a)), 1e-5),
    row("linalg.solve", "sq v3", lambda m, a, v: m.linalg.solve(a.astype("float32"), m.ones_like(v, dtype="int8")), 1e-5),
    row("linalg.inv", "sq3", _of("linalg.inv"), 1e-5), row("linalg.det", "sq3", _of("linalg.det"), 1e-5), row("linalg.slogdet", "sq", _of("linalg.slogdet"), 1e-5),
    row("linalg.cholesky", "sq", lambda m, x: (m.linalg.cholesky(x), m.linalg.cholesky(x, upper=True)), 1e-5),
    row("linalg.matrix_power", "sq", lambda m, x: [m.linalg.matrix_power(x, n) for n in (0, 1, 3, -2)], 1e-5),
    row("linalg.multi_dot", "x2 y2", lambda m, x, y: m.linalg.multi_dot([x, y.T, x]), 1e-5), row("linalg.matmul", "sq sq", _of("linalg.matmul"), CLOSE),
    row("linalg.outer", "v3 v4", _of("linalg.outer")), row("linalg.tensordot", "x2 y2", _of("linalg.tensordot"), 1e-5),
    row("linalg.vecdot", "x2 y2", _of("linalg.vecdot"), 1e-5), row("linalg.cross", "sq sq", lambda m, x, y: m.linalg.cross(x, y[::-1]), CLOSE),
    row("linalg.trace", "x3", _of("linalg.trace"), CLOSE), row("linalg.diagonal", "x3", _of("linalg.diagonal")),
    row("linalg.matrix_transpose", "x3", _of("linalg.matrix_transpose")),
    row("add.outer", "v3 v4", lambda m, x, y: (np.add.outer(x, y), np.multiply.outer(x, y), np.subtract.outer(x, y), np.divide.outer(x, y))),
]  # fmt: skip

ROWS = [*ELEMENTWISE, *REDUCTIONS, *SHAPES, *INDEXING, *LINEAR]
