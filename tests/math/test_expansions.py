"""The expansions of elementary functions, run on numpy with an emulated fma, against numpy in f64 and mpmath."""

from __future__ import annotations

import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
import scipy.special

from tests.dialects.straight_line import compute
from tests.math.numpy_scalars import TYPES, NumpyScalars, fma
from tests.math.ulps import ulp
from tests.scripts import load
from tir.api import executable, parse
from tir.dialects import (
    math_expansions_error,
    math_expansions_hyperbolic,
    math_expansions_inverse,
    math_expansions_log,
    math_expansions_pow,
    math_expansions_root,
    math_expansions_trig,
    math_special,
)
from tir.dialects.math_expansions import EXPANSIONS, F32, F64
from tir.ir import types as ir_types

FUNCTIONS = sorted(set(EXPANSIONS) - {"atan2", "powf"})  # of one operand

INF, NAN = math.inf, math.nan

# Largest error in ULP: what the docstrings promise. f32 was measured on all 2^32 bit patterns, powf apart.
BOUNDS = {
    "acos": (1.2, 1.15),
    "acosh": (1.1, 1.0),
    "asin": (1.2, 1.2),
    "asinh": (1.1, 1.1),
    "atan": (1.0, 1.0),
    "atan2": (1.1, 1.1),
    "atanh": (1.1, 1.0),
    "cbrt": (0.51, 0.51),
    "cos": (0.51, 0.85),
    "cosh": (0.85, 0.85),
    "erf": (1.0, 1.05),
    "erfc": (1.05, 1.0),
    "exp": (1.02, 1.1),
    "exp2": (1.02, 1.15),
    "expm1": (1.05, 1.35),
    "log": (1.0, 1.0),
    "log10": (1.0, 0.95),
    "log1p": (1.0, 1.2),
    "log2": (1.15, 1.3),
    "powf": (0.51, 0.9),
    "sin": (0.51, 0.85),
    "sinh": (0.95, 0.95),
    "tan": (0.51, 1.1),
    "tanh": (0.98, 1.5),
}

# ---- running them -----------------------------------------------------------------------------------------------------


def run(name, values, numpy_type, *others):
    with np.errstate(all="ignore"):
        return EXPANSIONS[name](NumpyScalars(), *(np.asarray(x, numpy_type) for x in (values, *others)))


def run_powf(x, y, numpy_type):
    return run("powf", x, numpy_type, y)


def test_emulated_f64_fma_rounds_once():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2000))
    c = -a * b * (1 + rng.normal(size=2000) * 2.0 ** rng.integers(-60, 3, 2000))
    with mpmath.workprec(200):
        exact = [float(mpmath.mpf(x) * mpmath.mpf(y) + mpmath.mpf(z)) for x, y, z in zip(a, b, c)]
    assert np.array_equal(fma(a, b, c), exact)


# ---- accuracy --------------------------------------------------------------------------------------------------------


def numpy_function(name):
    return getattr(np, name, None) or getattr(scipy.special, name)


def errors_f32(name, x, y):
    """Errors of the results y in ULP; infinite where a nan, an infinity or the sign of a zero is not that of the truth."""
    with np.errstate(all="ignore"):
        truth = numpy_function(name)(x.astype(np.float64))
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


OF_MPMATH = {
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "erfc": lambda x: mpmath.erfc(x) if abs(x) < 40 else mpmath.mpf(1 - mpmath.sign(x)),  # mpmath fails for 1e300
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "log10": lambda x: mpmath.log(x) / mpmath.log(10),
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
}


def worst_f64(name, x):
    """The largest error in ULP, and where; `x` must lie inside the domain. mpmath reduces large angles exactly."""
    function = OF_MPMATH.get(name) or getattr(mpmath, name)
    worst = (0.0, None)
    with mpmath.workdps(40):
        for argument, result in zip(x.tolist(), run(name, x, np.float64).tolist()):
            truth = function(mpmath.mpf(argument))
            error = 0.0 if truth == result else float(abs(result - truth) / ulp(truth))
            worst = max(worst, (error, argument))
    return worst


# Where arguments are dense: the reductions change, results cancel or saturate.
DENSE = {
    "acos": [(-1, 1), (-0.55, -0.45), (0.45, 0.55), (0.5, 0.75), (0.999, 1), (-1, -0.99)],
    "acosh": [(1, 1.001), (1, 2), (1, 30), (500, 5000), (1e9, 1e10)],
    "asin": [(-1, 1), (-0.55, -0.45), (0.45, 0.55), (0.5, 0.6), (0.999, 1)],
    "asinh": [(-2, 2), (-0.4, 0.4), (-0.001, 0.001), (0, 30), (500, 5000), (1e9, 1e10)],
    "atan": [(-3, 3), (-0.4, 0.4), (0.33, 0.35), (0.99, 1.01), (2.9, 3.0), (-100, 100)],
    "atanh": [(-1, 1), (-0.4, 0.4), (-0.001, 0.001), (0.99, 1)],
    "cbrt": [(-10, 10), (0.125, 1), (1, 8), (0.69, 0.72), (1.4, 1.43), (2.82, 2.84)],
    "cos": [(-10, 10), (-0.8, 0.8), (0.75, 0.8), (1e5, 1e6), (1e15, 1e18)],
    "cosh": [(-720, 720), (-90, 90), (-10, 10), (-2, 2), (0.34, 0.36), (-0.4, 0.4)],
    "erf": [(-7, 7), (-2, 2), (-0.4, 0.4), (0.8, 1.2), (3.8, 4.1)],
    "erfc": [(-7, 7), (-2, 2), (0.7, 0.8), (0.7, 4), (8, 10.2), (25, 27.3)],
    "exp": [(-750, 711), (-105, 90), (-2, 2), (-0.4, 0.4)],
    "exp2": [(-1080, 1025), (-151, 129), (-2, 2), (-0.6, 0.6)],
    "expm1": [(-45, 711), (-2, 2), (-0.4, 0.4), (0.34, 0.37), (15, 19)],
    "log": [(0, 10), (0.5, 2), (0.69, 0.72), (1.4, 1.43), (0.999, 1.001)],
    "log10": [(0, 10), (0.5, 2), (0.69, 0.72), (1.35, 1.43), (0.999, 1.001)],
    "log1p": [(-1, 10), (-0.5, 1), (-0.3, -0.24), (-0.001, 0.001)],
    "log2": [(0, 10), (0.5, 2), (0.69, 0.72), (1.35, 1.43), (0.999, 1.001)],
    "sin": [(-10, 10), (-0.8, 0.8), (0.75, 0.8), (1e5, 1e6), (1e15, 1e18)],
    "sinh": [(-720, 720), (-90, 90), (-10, 10), (-2, 2), (0.34, 0.36), (-0.001, 0.001)],
    "tan": [(-10, 10), (-0.8, 0.8), (0.75, 0.8), (1.5, 1.6), (1e5, 1e6), (1e15, 1e18)],
    "tanh": [(-23, 23), (-2, 2), (-0.4, 0.4), (0.12, 0.126), (0.06, 0.0626), (0.99, 1.1)],
}
# Where results are finite; both ends belong to CLOSED and none to OPEN.
OPEN = {"atanh": (-1.0, 1.0), "log": (0.0, INF), "log10": (0.0, INF), "log1p": (-1.0, INF), "log2": (0.0, INF)}
CLOSED = {"acos": (-1.0, 1.0), "acosh": (1.0, INF), "asin": (-1.0, 1.0)}


def samples(name, count, numpy_type):
    """Arguments in the domain: `count` in each dense interval, and all magnitudes of both signs."""
    rng = np.random.default_rng(1)
    info = np.finfo(numpy_type)
    magnitudes = 2.0 ** rng.uniform(math.log2(float(info.smallest_subnormal)), info.maxexp, 2 * count)
    wide = magnitudes * rng.choice([-1.0, 1.0], 2 * count)
    dense = [rng.uniform(low, high, count) for low, high in DENSE[name]]
    with np.errstate(over="ignore"):
        x = np.concatenate([wide, *dense]).astype(numpy_type)
    low, high = CLOSED.get(name, (-INF, INF))
    x = x[np.isfinite(x) & (x >= low) & (x <= high)]
    low, high = OPEN.get(name, (-INF, INF))
    return x[(x > low) & (x < high)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_f32_error_is_within_the_stated_bound(name):
    error, where = worst_f32(name, samples(name, 4000, np.float32))
    assert error <= BOUNDS[name][0], where


@pytest.mark.parametrize("name", FUNCTIONS)
def test_f64_error_is_within_the_stated_bound(name):
    x = samples(name, 600, np.float64)
    with np.errstate(all="ignore"):
        x = x[np.isfinite(numpy_function(name)(x))]
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


BITS = """
func.func @f(%%x: memref<%dx%s>, %%y: memref<%dx%s>, %%out: memref<%dx%s> {tir.out}) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%%x, %%y : memref<%dx%s>, memref<%dx%s>) outs(%%out : memref<%dx%s>) {
  ^bb0(%%a: %s, %%b: %s, %%o: %s):
    %%r = math.%s %s : %s
    linalg.yield %%r : %s
  }
  return
}
"""


FORMATS = {"f32": ir_types.F32, "f64": ir_types.F64}


@pytest.mark.parametrize("type", FORMATS)
@pytest.mark.parametrize("name", sorted(EXPANSIONS))
def test_machine_code_gives_the_bits_of_the_interpreter(name, type):
    """The order of the operations is all: nothing is contracted, nothing calls a library."""
    numpy_type = np.dtype(type.replace("f", "float"))
    rng = np.random.default_rng(7)
    with np.errstate(over="ignore"):
        hard = np.array([0.0, 0.5, 1.0, 1.5, 27.0, 1e-310, 1e-40, 1e-20, 700.0, 1e20, 1e300, INF, NAN]).astype(numpy_type)
    hard = np.concatenate([hard, -hard])
    x = np.concatenate([hard, rng.normal(0, 10, 500), rng.uniform(-1, 1, 500), rng.choice(hard, 50)]).astype(numpy_type)
    y = rng.permutation(x)
    operands = [x, y] if name in ("atan2", "powf") else [x]
    facts = (len(x), type) * 6 + (type,) * 3 + (name, "%a, %b" if len(operands) == 2 else "%a", type, type)
    (result,) = executable(parse(BITS % facts)).call("f", [x, y])
    expected = compute([FORMATS[type]] * len(operands), lambda s, *values: EXPANSIONS[name](s, *values), *operands)
    is_number = ~np.isnan(expected)
    assert np.array_equal(is_number, ~np.isnan(result))
    integers = type.replace("f", "i")
    assert np.array_equal(result[is_number].view(TYPES[integers]), expected[is_number].view(TYPES[integers]))


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

SPECIALS = {
    "acos": [(NAN, NAN), (INF, NAN), (-INF, NAN), (1.0, 0.0), (1.5, NAN), (-1.5, NAN), (1e30, NAN)],
    "acosh": [(NAN, NAN), (INF, INF), (-INF, NAN), (1.0, 0.0), (0.5, NAN), (0.0, NAN), (-1.0, NAN), (-1e30, NAN)],
    "asin": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (1.5, NAN), (-1.5, NAN), (1e30, NAN)],
    "asinh": [(NAN, NAN), (INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0)],
    "atan": [(NAN, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "atanh": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (-1.5, NAN)],
    "cbrt": [(NAN, NAN), (INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (27.0, 3.0), (-0.125, -0.5)],
    "cos": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 1.0), (-0.0, 1.0), (1e-30, 1.0), (-1e-30, 1.0)],
    "cosh": [(NAN, NAN), (INF, INF), (-INF, INF), (0.0, 1.0), (-0.0, 1.0), (1e-30, 1.0), (1e4, INF), (-1e30, INF)],
    "erf": [(NAN, NAN), (INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e30, 1.0), (-1e30, -1.0)],
    "erfc": [(NAN, NAN), (INF, 0.0), (-INF, 2.0), (0.0, 1.0), (-0.0, 1.0), (1e30, 0.0), (-1e30, 2.0), (1e-30, 1.0)],
    "exp": [(NAN, NAN), (INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "exp2": [(NAN, NAN), (INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "expm1": [(NAN, NAN), (INF, INF), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e4, INF), (-1e4, -1.0)],
    "log": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (1.0, 0.0)],
    "log10": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (1.0, 0.0)],
    "log1p": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN)],
    "log2": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (1.0, 0.0)],
    "sin": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (1e-30, 1e-30), (-1e-30, -1e-30)],
    "sinh": [(NAN, NAN), (INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (1e4, INF), (-1e4, -INF), (1e30, INF)],
    "tan": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (1e-30, 1e-30), (-1e-30, -1e-30)],
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
@pytest.mark.parametrize("name", ["asin", "asinh", "atan", "atanh", "expm1", "log1p", "sin", "sinh", "tan", "tanh"])
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
def test_cube_roots_of_cubes_are_exact(numpy_type):
    roots = np.arange(-200, 201, dtype=numpy_type)
    assert np.array_equal(run("cbrt", roots**3, numpy_type), roots)


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_largest_finite_results_do_not_overflow(numpy_type):
    largest = np.finfo(numpy_type).max
    below = np.nextafter(np.log(largest), numpy_type(0))
    above = numpy_type(np.log(largest) * (1 + 1e-5))
    for name in ("cosh", "sinh"):
        near = np.log(largest) + numpy_type(math.log(2))
        near = np.array([np.nextafter(near, numpy_type(0)), near * numpy_type(1 + 1e-5)])
        assert np.array_equal(np.isfinite(run(name, near, numpy_type)), [True, False])
    for name in ("exp", "expm1"):
        assert np.array_equal(np.isfinite(run(name, [below, above], numpy_type)), [True, False])
    assert np.allclose(run("log", [largest], numpy_type), np.log(largest), rtol=1e-6)
    assert np.allclose(run("log1p", [largest], numpy_type), np.log(largest), rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_shape(name, shape):
    assert run(name, np.ones(shape), np.float64).shape == shape


# ---- sin, cos and tan of hard angles --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("name", ["cos", "sin", "tan"])
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
            assert abs(result - truth) <= bound * ulp(truth, numpy_type), (base, exponent)


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


# ---- atan2 -----------------------------------------------------------------------------------------------------------


def atan2_samples(count, numpy_type):
    """Points in all directions, near the axes and the changes of the reduction, of all sizes."""
    rng = np.random.default_rng(5)
    info = np.finfo(numpy_type)
    y, x = 2.0 ** rng.uniform(info.minexp - info.nmant, info.maxexp, (2, count))
    slopes = [rng.uniform(0, 3, count), rng.uniform(0.33, 0.34, count), rng.uniform(0.99, 1.01, count)]
    slopes += [2.0 ** rng.uniform(-info.nmant - 3, info.nmant + 3, count)]
    sizes = 2.0 ** rng.uniform(info.minexp, info.maxexp - 5, (4, count))
    with np.errstate(over="ignore", under="ignore"):
        y = np.concatenate([y, *(slope * size for slope, size in zip(slopes, sizes))]).astype(numpy_type)
    x = np.concatenate([x, *sizes]).astype(numpy_type)
    keep = np.isfinite(y) & np.isfinite(x)
    signs = rng.choice([-1.0, 1.0], (2, keep.sum())).astype(numpy_type)
    return y[keep] * signs[0], x[keep] * signs[1]


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_atan2_error_is_within_the_stated_bound(numpy_type):
    y, x = atan2_samples(700, numpy_type)
    bound = BOUNDS["atan2"][numpy_type is np.float64]
    for b, a, result in zip(y.tolist(), x.tolist(), run("atan2", y, numpy_type, x).tolist()):
        with mpmath.workdps(60):
            truth = mpmath.atan2(b, a)
            assert abs(result - truth) <= bound * ulp(truth, numpy_type), (b, a)


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
def test_atan2_of_hard_operands_is_that_of_numpy(numpy_type):
    """Among them all the cases of C99, F.9.1.4."""
    info = np.finfo(numpy_type)
    hard = [0.0, 1.0, 3.0, info.smallest_subnormal, 3 * info.smallest_subnormal, info.tiny, info.max, info.max / 3, INF, NAN]
    hard = np.array(hard, numpy_type)
    y, x = (grid.ravel() for grid in np.meshgrid(np.concatenate([hard, -hard]), np.concatenate([hard, -hard])))
    with np.errstate(all="ignore"):
        expected = np.arctan2(y, x)
    result = run("atan2", y, numpy_type, x)
    is_number = ~np.isnan(expected)
    assert np.array_equal(is_number, ~np.isnan(result))
    assert np.array_equal(np.signbit(result[is_number]), np.signbit(expected[is_number]))
    np.testing.assert_array_max_ulp(result[is_number], expected[is_number], maxulp=1)


# ---- constants -------------------------------------------------------------------------------------------------------


MODULES = {
    "pow": math_expansions_pow,
    "trig": math_expansions_trig,
    "special": math_special,
    **{f"log_{form}": math_expansions_log for form in ("f32", "f64")},
    **{f"inverse_{form}": math_expansions_inverse for form in ("f32", "f64")},
    **{f"hyperbolic_{form}": math_expansions_hyperbolic for form in ("f32", "f64")},
    **{f"root_{form}": math_expansions_root for form in ("f32", "f64")},
    **{f"error_{form}": math_expansions_error for form in ("f32", "f64")},
}


SLOW_FITS = ("special", "error_f64")  # functions that mpmath needs seconds for


@pytest.mark.parametrize(
    "table", [pytest.param(table, marks=[pytest.mark.slow] * (table in SLOW_FITS)) for table in ("f32", "f64", *MODULES)]
)
def test_stored_constants_are_those_that_the_tool_fits(table):
    fit_math = load(Path(__file__).parents[2] / "tools" / "fit_math.py")
    form = {"f32": F32, "f64": F64}.get(table)
    for name, values in fit_math.tables(table).items():
        stored = getattr(form, name) if form else getattr(MODULES[table], name.upper())
        assert stored == tuple(values), (table, name)
