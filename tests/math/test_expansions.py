"""The expansions of elementary functions, run on numpy with an emulated fma, against numpy in f64 and mpmath."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

from tir.dialects.math_expansions import EXPANSIONS, F32, F64

TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}
NAMES = {np.dtype(numpy_type): name for name, numpy_type in TYPES.items()}
FUNCTIONS = sorted(EXPANSIONS)

# Largest error in ULP: what the docstrings promise. f32 was measured on all 2^32 bit patterns.
BOUNDS = {
    "exp": (1.02, 1.1),
    "exp2": (1.02, 1.15),
    "expm1": (1.05, 1.35),
    "log": (1.0, 1.0),
    "log1p": (1.0, 1.2),
    "log2": (1.15, 1.3),
    "tanh": (0.98, 1.5),
}

# ---- the operations on numpy arrays ----------------------------------------------------------------------------------


def two_sum(a, b):
    """a + b = total + lost, exactly."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a, b):
    """a * b = product + lost, exactly unless it over- or underflows (Dekker)."""
    product = a * b
    a_scaled, b_scaled = a * 134217729.0, b * 134217729.0  # 2^27 + 1
    a_high = a_scaled - (a_scaled - a)
    b_high = b_scaled - (b_scaled - b)
    a_low, b_low = a - a_high, b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def rounded_to_odd(total, lost):
    """total + lost as one f64 with its last bit set if inexact: rounding it again then makes no second error."""
    is_even = total.view(np.int64) & 1 == 0
    return np.where(is_even & (lost != 0), np.nextafter(total, np.copysign(np.inf, lost)), total)


def fma(a, b, c):
    """a * b + c rounded once."""
    if a.dtype == np.float32:
        product, c = a.astype(np.float64) * b, c.astype(np.float64)  # the product is exact
        total, lost = two_sum(product, c)
        plain = total
        exact = rounded_to_odd(total, lost)
    else:
        product, product_lost = two_product(a, b)
        total, lost = two_sum(product, c)
        plain = a * b + c
        exact = total + rounded_to_odd(*two_sum(lost, product_lost))
    return np.where(np.isfinite(exact), exact, plain).astype(a.dtype)


class NumpyScalars:
    """The builder `s`, which computes at once. It has only what the expansions may use, and no cast among it."""

    fma = staticmethod(fma)
    abs = staticmethod(np.abs)
    copysign = staticmethod(np.copysign)
    select = staticmethod(np.where)

    def dtype(self, x):
        return NAMES[x.dtype]

    def const(self, number, like):
        value = like.dtype.type(number)
        assert value == number or math.isnan(number), f"{number!r} is not a number of type {like.dtype}"
        return np.full_like(like, value)

    def add(self, a, b):
        return a + b

    def sub(self, a, b):
        return a - b

    def mul(self, a, b):
        return a * b

    def div(self, a, b):
        return a / b

    def neg(self, a):
        return -a

    def cmp(self, predicate, a, b):
        return {"eq": a == b, "lt": a < b, "gt": a > b}[predicate]

    def and_(self, a, b):
        return a & b

    def or_(self, a, b):
        return a | b

    def shl(self, a, b):
        return a << b

    def shr_unsigned(self, a, b):
        unsigned = a.dtype.str.replace("i", "u")
        return (a.view(unsigned) >> b.view(unsigned)).view(a.dtype)

    def bitcast(self, x, name):
        return x.view(TYPES[name])


def run(name, values, numpy_type):
    with np.errstate(all="ignore"):
        return EXPANSIONS[name](NumpyScalars(), np.asarray(values, numpy_type))


def test_emulated_f64_fma_rounds_once():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2000))
    c = -a * b * (1 + rng.normal(size=2000) * 2.0 ** rng.integers(-60, 3, 2000))
    with mpmath.workprec(200):
        exact = [float(mpmath.mpf(x) * mpmath.mpf(y) + mpmath.mpf(z)) for x, y, z in zip(a, b, c)]
    assert np.array_equal(fma(a, b, c), exact)


# ---- accuracy --------------------------------------------------------------------------------------------------------


def errors_f32(name, x):
    """Errors in ULP; infinite where a nan, an infinity or the sign of a zero is not that of the truth."""
    y = run(name, x, np.float32)
    with np.errstate(all="ignore"):
        truth = getattr(np, name)(x.astype(np.float64))
        rounded = truth.astype(np.float32)
        ulp = np.ldexp(1.0, np.maximum(np.frexp(truth)[1] - 24, -149))
        errors = np.abs(y - truth) / ulp
    is_special = ~np.isfinite(rounded) | ~np.isfinite(y) | (truth == 0)
    is_same = (np.isnan(y) & np.isnan(rounded)) | ((y == rounded) & (np.signbit(y) == np.signbit(rounded)))
    return np.where(is_special, np.where(is_same, 0.0, np.inf), errors)


def worst_f32(name, x):
    errors = errors_f32(name, x)
    worst = np.argmax(errors)
    return errors[worst], x[worst]


def ulp_f64(truth):
    return mpmath.ldexp(1, max(mpmath.frexp(truth)[1] - 53, -1074))


def worst_f64(name, x):
    """The largest error in ULP, and where; `x` must lie inside the domain."""
    function = {"exp2": lambda v: mpmath.mpf(2) ** v, "log2": lambda v: mpmath.log(v) / mpmath.log(2)}
    function = function.get(name) or getattr(mpmath, name)
    worst = (0.0, None)
    with mpmath.workdps(40):
        for argument, result in zip(x.tolist(), run(name, x, np.float64).tolist()):
            truth = function(mpmath.mpf(argument))
            error = 0.0 if truth == result else float(abs(result - truth) / ulp_f64(truth))
            worst = max(worst, (error, argument))
    return worst


# Where arguments are dense: the reductions change, results cancel or saturate.
DENSE = {
    "exp": [(-750, 711), (-105, 90), (-2, 2), (-0.4, 0.4)],
    "exp2": [(-1080, 1025), (-151, 129), (-2, 2), (-0.6, 0.6)],
    "expm1": [(-45, 711), (-2, 2), (-0.4, 0.4), (0.34, 0.37), (15, 19)],
    "log": [(0, 10), (0.5, 2), (0.69, 0.72), (1.4, 1.43), (0.999, 1.001)],
    "log1p": [(-1, 10), (-0.5, 1), (-0.3, -0.24), (-0.001, 0.001)],
    "log2": [(0, 10), (0.5, 2), (0.69, 0.72), (1.35, 1.43), (0.999, 1.001)],
    "tanh": [(-23, 23), (-2, 2), (-0.4, 0.4), (0.12, 0.126), (0.06, 0.0626), (0.99, 1.1)],
}
DOMAIN = {"log": 0.0, "log2": 0.0, "log1p": -1.0}


def samples(name, count, numpy_type):
    """Arguments in the domain: `count` in each dense interval, and all magnitudes of both signs."""
    rng = np.random.default_rng(1)
    info = np.finfo(numpy_type)
    magnitudes = 2.0 ** rng.uniform(math.log2(float(info.smallest_subnormal)), info.maxexp, 2 * count)
    wide = magnitudes * rng.choice([-1.0, 1.0], 2 * count)
    dense = [rng.uniform(low, high, count) for low, high in DENSE[name]]
    with np.errstate(over="ignore"):
        x = np.concatenate([wide, *dense]).astype(numpy_type)
    return x[np.isfinite(x) & (x > DOMAIN.get(name, -math.inf))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_f32_error_is_within_the_stated_bound(name):
    error, where = worst_f32(name, samples(name, 4000, np.float32))
    assert error <= BOUNDS[name][0], where


@pytest.mark.parametrize("name", FUNCTIONS)
def test_f64_error_is_within_the_stated_bound(name):
    x = samples(name, 600, np.float64)
    with np.errstate(all="ignore"):
        x = x[np.isfinite(getattr(np, name)(x))]
    error, where = worst_f64(name, x)
    assert error <= BOUNDS[name][1], where


@pytest.mark.parametrize("name", FUNCTIONS)
def test_f32_error_is_within_the_stated_bound_on_random_bit_patterns(name):
    patterns = np.random.default_rng(2).integers(0, 2**32, 1 << 18, dtype=np.uint32)  # nan and infinities among them
    error, where = worst_f32(name, patterns.view(np.float32))
    assert error <= BOUNDS[name][0], where


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_f32_error_is_within_the_stated_bound_on_all_bit_patterns(name):
    chunk = 1 << 20
    for start in range(0, 2**32, chunk):
        patterns = np.arange(start, start + chunk, dtype=np.uint64).astype(np.uint32)
        error, where = worst_f32(name, patterns.view(np.float32))
        assert error <= BOUNDS[name][0], where


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstring_states_the_tested_bound(name):
    f32, f64 = BOUNDS[name]
    assert f"within {f32} ULP in f32 and {f64} in f64" in EXPANSIONS[name].__doc__


# ---- special values --------------------------------------------------------------------------------------------------

INF, NAN = math.inf, math.nan
SPECIALS = {
    "exp": [(NAN, NAN), (INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "exp2": [(NAN, NAN), (INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "expm1": [(NAN, NAN), (INF, INF), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e4, INF), (-1e4, -1.0)],
    "log": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (1.0, 0.0)],
    "log1p": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN)],
    "log2": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (1.0, 0.0)],
    "tanh": [(NAN, NAN), (INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e4, 1.0), (-1e4, -1.0)],
}


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values(name, numpy_type):
    arguments, expected = np.array(SPECIALS[name], numpy_type).T
    result = run(name, arguments, numpy_type)
    assert np.array_equal(result, expected, equal_nan=True)
    is_number = ~np.isnan(expected)
    assert np.array_equal(np.signbit(result[is_number]), np.signbit(expected[is_number]))


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh"])
def test_zeros_and_subnormals_stay_where_the_function_is_x_near_zero(name, numpy_type):
    info = np.finfo(numpy_type)
    x = np.array([0.0, info.smallest_subnormal, 3 * info.smallest_subnormal, info.tiny, 5 * info.tiny], numpy_type)
    x = np.concatenate([x, -x])
    result = run(name, x, numpy_type)
    assert np.array_equal(result, x) and np.array_equal(np.signbit(result), np.signbit(x))


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_exp2_of_integers_and_log2_of_powers_of_two_are_exact(numpy_type):
    info = np.finfo(numpy_type)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp)
    powers = np.ldexp(numpy_type(1), exponents)
    assert np.array_equal(run("exp2", exponents, numpy_type), powers)
    assert np.array_equal(run("log2", powers, numpy_type), exponents)


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_largest_finite_results_do_not_overflow(numpy_type):
    largest = np.finfo(numpy_type).max
    below = np.nextafter(np.log(largest), numpy_type(0))
    above = numpy_type(np.log(largest) * (1 + 1e-5))
    for name in ("exp", "expm1"):
        assert np.array_equal(np.isfinite(run(name, [below, above], numpy_type)), [True, False])
    assert np.allclose(run("log", [largest], numpy_type), np.log(largest), rtol=1e-6)
    assert np.allclose(run("log1p", [largest], numpy_type), np.log(largest), rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_shape(name, shape):
    assert run(name, np.ones(shape), np.float64).shape == shape


# ---- constants -------------------------------------------------------------------------------------------------------


def test_stored_constants_are_those_that_the_tool_fits():
    path = Path(__file__).parents[2] / "tools" / "fit_math.py"
    spec = importlib.util.spec_from_file_location("fit_math", path)
    fit_math = sys.modules["fit_math"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fit_math)
    for form in (F32, F64):
        for name, values in fit_math.tables(form.float_type).items():
            assert getattr(form, name) == tuple(values), (form.float_type, name)
