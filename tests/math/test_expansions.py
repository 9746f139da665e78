"""The expansions of elementary functions, run on numpy with an emulated fma, against numpy in f64 and mpmath."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

from tir.api import executable, parse
from tir.dialects import math_expansions_pow, math_expansions_trig
from tir.dialects.math_expansions import EXPANSIONS, F32, F64

TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}
NAMES = {np.dtype(numpy_type): name for name, numpy_type in TYPES.items()}
FUNCTIONS = sorted(set(EXPANSIONS) - {"powf"})  # of one operand

# Largest error in ULP: what the docstrings promise. f32 was measured on all 2^32 bit patterns, powf apart.
BOUNDS = {
    "cos": (0.51, 0.85),
    "exp": (1.02, 1.1),
    "exp2": (1.02, 1.15),
    "expm1": (1.05, 1.35),
    "log": (1.0, 1.0),
    "log1p": (1.0, 1.2),
    "log2": (1.15, 1.3),
    "powf": (0.51, 0.9),
    "sin": (0.51, 0.85),
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
    """The builder `s`, which computes at once. It has only what the expansions may use, and no cast but between f32 and f64."""

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
        return {"eq": a == b, "lt": a < b, "gt": a > b, "ge": a >= b}[predicate]

    def and_(self, a, b):
        return a & b

    def or_(self, a, b):
        return a | b

    def xor(self, a, b):
        return a ^ b

    def shl(self, a, b):
        return a << b

    def shr_unsigned(self, a, b):
        unsigned = a.dtype.str.replace("i", "u")
        return (a.view(unsigned) >> b.view(unsigned)).view(a.dtype)

    def bitcast(self, x, name):
        return x.view(TYPES[name])

    def cast(self, x, name):
        assert {self.dtype(x), name} == {"f32", "f64"}
        return x.astype(TYPES[name])


def run(name, values, numpy_type):
    with np.errstate(all="ignore"):
        return EXPANSIONS[name](NumpyScalars(), np.asarray(values, numpy_type))


def run_powf(x, y, numpy_type):
    with np.errstate(all="ignore"):
        return EXPANSIONS["powf"](NumpyScalars(), np.asarray(x, numpy_type), np.asarray(y, numpy_type))


def test_emulated_f64_fma_rounds_once():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2000))
    c = -a * b * (1 + rng.normal(size=2000) * 2.0 ** rng.integers(-60, 3, 2000))
    with mpmath.workprec(200):
        exact = [float(mpmath.mpf(x) * mpmath.mpf(y) + mpmath.mpf(z)) for x, y, z in zip(a, b, c)]
    assert np.array_equal(fma(a, b, c), exact)


# ---- accuracy --------------------------------------------------------------------------------------------------------


def errors_f32(name, x, y):
    """Errors of the results y in ULP; infinite where a nan, an infinity or the sign of a zero is not that of the truth."""
    with np.errstate(all="ignore"):
        truth = getattr(np, name)(x.astype(np.float64))
        rounded = truth.astype(np.float32)
        ulp = np.ldexp(1.0, np.maximum(np.frexp(truth)[1] - 24, -149))
        errors = np.abs(y - truth) / ulp
    is_special = ~np.isfinite(rounded) | ~np.isfinite(y) | (truth == 0)
    is_same = (np.isnan(y) & np.isnan(rounded)) | ((y == rounded) & (np.signbit(y) == np.signbit(rounded)))
    return np.where(is_special, np.where(is_same, 0.0, np.inf), errors)


def worst_f32(name, x):
    errors = errors_f32(name, x, run(name, x, np.float32))
    worst = np.argmax(errors)
    return errors[worst], x[worst]


def ulp_f64(truth):
    return mpmath.ldexp(1, max(mpmath.frexp(truth)[1] - 53, -1074))


def worst_f64(name, x):
    """The largest error in ULP, and where; `x` must lie inside the domain. mpmath reduces large angles exactly."""
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
    "cos": [(-10, 10), (-0.8, 0.8), (0.75, 0.8), (1e5, 1e6), (1e15, 1e18)],
    "exp": [(-750, 711), (-105, 90), (-2, 2), (-0.4, 0.4)],
    "exp2": [(-1080, 1025), (-151, 129), (-2, 2), (-0.6, 0.6)],
    "expm1": [(-45, 711), (-2, 2), (-0.4, 0.4), (0.34, 0.37), (15, 19)],
    "log": [(0, 10), (0.5, 2), (0.69, 0.72), (1.4, 1.43), (0.999, 1.001)],
    "log1p": [(-1, 10), (-0.5, 1), (-0.3, -0.24), (-0.001, 0.001)],
    "log2": [(0, 10), (0.5, 2), (0.69, 0.72), (1.35, 1.43), (0.999, 1.001)],
    "sin": [(-10, 10), (-0.8, 0.8), (0.75, 0.8), (1e5, 1e6), (1e15, 1e18)],
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


CHUNK = 1 << 20
KERNEL = """
func.func @f(%%x: memref<1048576xf32> {tir.name = "x"}, %%out: memref<1048576xf32> {tir.out}) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%%x : memref<1048576xf32>) outs(%%out : memref<1048576xf32>) {
  ^bb0(%%a: f32, %%o: f32):
    %%r = math.%s %%a : f32
    linalg.yield %%r : f32
  }
  return
}
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_f32_error_of_machine_code_is_within_the_stated_bound_on_all_bit_patterns(name):
    program = executable(parse(KERNEL % name))
    for start in range(0, 2**32, CHUNK):
        x = np.arange(start, start + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)
        (result,) = program.call("f", [x])
        errors = errors_f32(name, x, result)
        worst = np.argmax(errors)
        assert errors[worst] <= BOUNDS[name][0], x[worst]


@pytest.mark.parametrize("name", sorted(EXPANSIONS))
def test_docstring_states_the_tested_bound(name):
    f32, f64 = BOUNDS[name]
    assert f"within {f32} ULP in f32 and {f64} in f64" in EXPANSIONS[name].__doc__


# ---- special values --------------------------------------------------------------------------------------------------

INF, NAN = math.inf, math.nan
SPECIALS = {
    "cos": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 1.0), (-0.0, 1.0), (1e-30, 1.0), (-1e-30, 1.0)],
    "exp": [(NAN, NAN), (INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "exp2": [(NAN, NAN), (INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "expm1": [(NAN, NAN), (INF, INF), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e4, INF), (-1e4, -1.0)],
    "log": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (1.0, 0.0)],
    "log1p": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN)],
    "log2": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (1.0, 0.0)],
    "sin": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (1e-30, 1e-30), (-1e-30, -1e-30)],
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
@pytest.mark.parametrize("name", ["expm1", "log1p", "sin", "tanh"])
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


# ---- sin and cos of hard angles --------------------------------------------------------------------------------------


def nearest_to_quarter_turns(digits, exponents):
    """For each exponent e, the whole numbers m of `digits` binary digits with m 2^e 2/pi nearest to a whole number.

    They are denominators of the continued fraction of 2^e 2/pi.
    """
    found = []
    with mpmath.workprec(1300):
        for e in exponents:
            rest = mpmath.frac(mpmath.ldexp(2 / mpmath.pi, e))
            before, m = 1, 0
            while m < 2**digits:
                if m >= 2 ** (digits - 1):
                    found.append(math.ldexp(m, e))
                before, m = m, before + int(rest) * m
                rest = 1 / mpmath.frac(rest) if m else 1 / rest
    return np.array(found)


@pytest.mark.parametrize("name", ["cos", "sin"])
def test_angles_nearest_to_quarter_turns_keep_all_digits(name):
    f32 = nearest_to_quarter_turns(24, range(-23, 104)).astype(np.float32)
    assert worst_f32(name, f32)[0] <= BOUNDS[name][0]
    f64 = nearest_to_quarter_turns(53, range(-52, 971, 3))
    assert len(f64) > 200
    error, where = worst_f64(name, f64)
    assert error <= BOUNDS[name][1], where


def test_hardest_f64_angle():
    angle = np.ldexp(6381956970095103.0, 797)  # Muller et al., Handbook of Floating-Point Arithmetic, 11.3
    assert np.allclose(run("cos", [angle, -angle], np.float64), -4.68716592425462761112e-19, rtol=2e-16, atol=0)


# ---- powf ------------------------------------------------------------------------------------------------------------


def powf_samples(count, numpy_type):
    """Operands whose power is a number of the format or just outside; the bases everywhere, near 1, near sqrt(1/2)."""
    rng = np.random.default_rng(3)
    info = np.finfo(numpy_type)
    lowest = info.minexp - info.nmant
    near = 1 + rng.choice([-1, 1], count) * 2.0 ** -rng.uniform(1, info.nmant, count)
    wide = 2.0 ** rng.uniform(lowest, info.maxexp, count)
    x = np.concatenate([wide, near, rng.uniform(0.69, 0.73, count), rng.uniform(0, 10, count)]).astype(numpy_type)
    x = x[(x > 0) & (x != 1)]
    y = rng.uniform(lowest, info.maxexp, len(x)) / np.log2(x.astype(np.float64))
    y[-count // 2 :] = rng.uniform(-3, 3, count // 2)
    return x, y.astype(numpy_type)


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_powf_error_is_within_the_stated_bound(numpy_type):
    info = np.finfo(numpy_type)
    x, y = powf_samples(1000, numpy_type)
    bound = BOUNDS["powf"][numpy_type is np.float64]
    for base, exponent, result in zip(x.tolist(), y.tolist(), run_powf(x, y, numpy_type).tolist()):
        with mpmath.workdps(60):
            truth = mpmath.power(base, exponent)
            if math.isinf(result):
                assert truth > float(info.max), (base, exponent)
                continue
            ulp = mpmath.ldexp(1, max(mpmath.frexp(truth)[1] - info.nmant - 1, info.minexp - info.nmant))
            assert abs(result - truth) <= bound * ulp, (base, exponent)


HARD_OPERANDS = [0.0, 0.5, 1.0, 1.0 + 2.0**-23, 1.0 - 2.0**-24, 2.0, 2.5, 3.0, 1e-45, 1e-40, 1e10, 1e38, INF, NAN]
HARD_OPERANDS += [2.0**23 + 1, 2.0**24 - 1, 2.0**24 + 2, 2.0**52 + 1, 2.0**53 - 1, 2.0**53 + 2]  # even and odd


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_powf_of_hard_operands_is_that_of_numpy(numpy_type):
    """Among them all the cases of C99, F.9.4.4."""
    hard = np.array(HARD_OPERANDS, numpy_type)
    x, y = (grid.ravel() for grid in np.meshgrid(np.concatenate([hard, -hard]), np.concatenate([hard, -hard])))
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    result = run_powf(x, y, numpy_type)
    is_number = ~np.isnan(expected)
    assert np.array_equal(np.signbit(result[is_number]), np.signbit(expected[is_number]))
    is_exact = ~np.isfinite(expected) | (expected == 0) | (np.abs(expected) == 1)
    assert np.array_equal(result[is_exact], expected[is_exact], equal_nan=True)
    np.testing.assert_array_max_ulp(result[~is_exact], expected[~is_exact], maxulp=1)


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_powf_is_exact_where_the_power_is_a_number(numpy_type):
    digits = np.finfo(numpy_type).nmant + 1
    pairs = [(x, y) for x in range(-40, 41) for y in range(17) if abs(x**y) < 2**digits]
    x, y = np.array(pairs).T
    assert np.array_equal(run_powf(x, y, numpy_type), [float(base**exponent) for base, exponent in pairs])
    anything = np.random.default_rng(4).lognormal(0.0, 9.0, 5000).astype(numpy_type)
    assert np.array_equal(run_powf(anything, np.ones(5000), numpy_type), anything)


# ---- constants -------------------------------------------------------------------------------------------------------


def test_stored_constants_are_those_that_the_tool_fits():
    path = Path(__file__).parents[2] / "tools" / "fit_math.py"
    spec = importlib.util.spec_from_file_location("fit_math", path)
    fit_math = sys.modules["fit_math"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fit_math)
    for form in (F32, F64):
        for name, values in fit_math.tables(form.float_type).items():
            assert getattr(form, name) == tuple(values), (form.float_type, name)
    for table, module in (("pow", math_expansions_pow), ("trig", math_expansions_trig)):
        for name, values in fit_math.tables(table).items():
            assert getattr(module, name.upper()) == tuple(values), (table, name)
