"""lgamma, digamma, polygamma and erfinv, run on numpy, against mpmath and scipy; and as ops, in f16 too."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.special

from tests.dialects.straight_line import compute
from tests.math.numpy_scalars import NumpyScalars
from tests.math.ulps import ulp
from tir.dialects import math_special, numeric_special
from tir.dialects.math_expansions import EXPANSIONS
from tir.ir.types import F16, F32

INF, NAN = math.inf, math.nan


class WithFunctions(NumpyScalars):
    """The builder with the functions of math that these are made of, by their expansions."""

    round = staticmethod(np.rint)

    def __getattr__(self, name):
        return lambda x: EXPANSIONS[name](self, x)


def run(name, x):
    with np.errstate(all="ignore"):
        return getattr(math_special, name)(WithFunctions(), np.asarray(x))


OF_MPMATH = {
    "digamma": mpmath.digamma,
    "erfinv": mpmath.erfinv,
    "lgamma": lambda x: mpmath.re(mpmath.loggamma(x)),
}


def size_of_terms(name, x, truth):
    """What the docstrings measure errors by, the zeros of the functions apart."""
    with mpmath.workdps(30):
        x = mpmath.mpf(x)
        if x > 0 or name == "erfinv":
            return abs(truth) if name == "erfinv" else max(1, abs(truth))
        if name == "lgamma":
            return max(1, abs(truth), mpmath.loggamma(1 - x))
        return max(1, abs(mpmath.digamma(1 - x)), abs(mpmath.pi / mpmath.tan(mpmath.pi * x)))


def check(name, x, bound, relative=False):
    """In f64 the error is within `bound` ULP of the size of the terms, or of the result."""
    for argument, result in zip(x.tolist(), run(name, x).tolist()):
        with mpmath.workdps(50):
            truth = OF_MPMATH[name](mpmath.mpf(argument))
            size = truth if relative else size_of_terms(name, argument, truth)
            assert abs(result - truth) <= bound * ulp(size), argument


def uniform(low, high, count=150):
    return np.random.default_rng(6).uniform(low, high, count)


def powers(low, high, count=150):
    return 2.0 ** uniform(low, high, count)


@pytest.mark.parametrize("x", [uniform(0, 3), uniform(2, 8), uniform(7, 30), powers(-1074, 0), powers(5, 1014)])
def test_lgamma_of_positive_numbers(x):
    check("lgamma", x, 2)


@pytest.mark.parametrize("x", [uniform(0.9, 1.1), uniform(1.9, 2.1), 1 + powers(-52, -3), 2 - powers(-52, -3)])
def test_lgamma_keeps_all_digits_near_its_zeros(x):
    check("lgamma", x, 5, relative=True)


DIGAMMA_ZERO = 1.4616321449683623


@pytest.mark.parametrize(("name", "zero"), [("lgamma", 1.0), ("lgamma", 2.0), ("digamma", DIGAMMA_ZERO)])
def test_references_keep_all_digits_near_zeros(name, zero):
    reference = np.errstate(all="ignore")(getattr(numeric_special, name))
    x = np.concatenate([zero + powers(-52, -1), zero - powers(-53, -1), [zero]])
    for argument, result in zip(x.tolist(), reference(x).tolist()):
        with mpmath.workdps(50):
            truth = OF_MPMATH[name](mpmath.mpf(argument))
            assert abs(result - truth) <= ulp(truth), argument


@pytest.mark.parametrize("x", [uniform(-1, 0), uniform(-10, 0), uniform(-100, -10), -powers(-1074, 0)])
def test_lgamma_of_negative_numbers(x):
    check("lgamma", x, 5)


@pytest.mark.parametrize("x", [uniform(0, 2), uniform(2, 8), uniform(7, 30), powers(-1020, 0), powers(5, 1014)])
def test_digamma_of_positive_numbers(x):
    check("digamma", x, 4)


def test_digamma_keeps_all_digits_near_its_zero():
    check("digamma", uniform(1.45, 1.475), 3, relative=True)
    check("digamma", DIGAMMA_ZERO + powers(-40, -8), 3, relative=True)


@pytest.mark.parametrize("x", [uniform(-1, 0), uniform(-10, 0), uniform(-100, -10), -powers(-1020, 0)])
def test_digamma_of_negative_numbers(x):
    check("digamma", x, 4)


@pytest.mark.parametrize("x", [uniform(-1, 1), uniform(0.49, 0.51), -powers(-1074, 0), 1 - powers(-53, -1), powers(-1074, -960)])
def test_erfinv(x):
    check("erfinv", x[np.abs(x) < 1], 1.7)


ORDERS = [1, 2, 3, 4, 5, 8, 15, 30, 60, 99, 100]


def hurwitz(power, x):
    """The sum of (x + k)^-power over k = 0, 1, ..; for x > 0, by Euler and Maclaurin's formula with 40 terms."""
    high = x + 40
    total = sum((x + k) ** -power for k in range(40)) + high ** (1 - power) / (power - 1) + high**-power / 2
    for j in range(2, 42, 2):
        total += mpmath.bernoulli(j) / mpmath.factorial(j) * mpmath.rf(power, j - 1) * high ** (1 - power - j)
    return total


def true_polygamma(order, x):
    """The value, and the larger of the two terms that it is the sum of for negative x."""
    factor, sign = mpmath.factorial(order), (-1) ** (order + 1)
    if x > 0:
        return sign * factor * hurwitz(order + 1, x), factor * hurwitz(order + 1, x)
    rest = x - mpmath.nint(x)
    distance = abs(rest)
    both_sides = hurwitz(order + 1, distance) + sign * hurwitz(order + 1, 1 - distance)
    both_sides *= sign if rest < 0 else 1
    left = sign * hurwitz(order + 1, 1 - x)
    return sign * factor * (both_sides - left), factor * max(abs(both_sides), abs(left))


def check_polygamma(order, x, bound):
    with np.errstate(all="ignore"):
        compiled = math_special.polygamma(WithFunctions(), x, order)
        reference = numeric_special.polygamma(x, order)
    for argument, got, meant in zip(x.tolist(), compiled.tolist(), reference.tolist()):
        with mpmath.workdps(100):
            truth, size = true_polygamma(order, mpmath.mpf(argument))
            if size > np.finfo(np.float64).max:
                assert math.isinf(got), argument
                continue
            assert abs(got - truth) <= bound * ulp(size), argument
            assert abs(meant - truth) <= ulp(size), argument


def test_polygamma_of_mpmath_is_what_is_compared_with():
    for order, x in ((1, "0.3"), (2, "7.25"), (3, "-2.3"), (4, "-0.6")):
        with mpmath.workdps(60):
            x = mpmath.mpf(x)
            assert abs(true_polygamma(order, x)[0] / mpmath.psi(order, x) - 1) < 1e-30


@pytest.mark.parametrize("order", ORDERS)
def test_polygamma_of_positive_numbers(order):
    reach = 1000 / (order + 1)
    x = np.concatenate([uniform(0, 3, 30), uniform(2, 30, 30), powers(-reach, reach, 30)])
    check_polygamma(order, x, 5 + 1.25 * order)


@pytest.mark.parametrize("order", ORDERS)
def test_polygamma_of_negative_numbers_near_poles_and_between_them_too(order):
    near_poles, near_halves = -powers(-1000 / (order + 1), 6, 20), -7.5 + powers(-40, -2, 20)
    x = np.concatenate([uniform(-1, 0, 30), uniform(-10, 0, 30), near_poles, near_halves])
    check_polygamma(order, x, 8 + 2.5 * order)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_polygamma_of_f32_is_the_true_result_rounded_but_for_near_ties(order):
    x = uniform(0.01, 40, 5000).astype(np.float32)
    truth = scipy.special.polygamma(order, x.astype(np.float64))
    with np.errstate(all="ignore"):
        errors = np.abs(math_special.polygamma(WithFunctions(), x, order) - truth) / np.ldexp(1.0, np.frexp(truth)[1] - 24)
    assert errors.max() <= 0.51, x[errors.argmax()]


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (0, [NAN, INF, NAN, -INF, INF, NAN, NAN, NAN]),
        (1, [NAN, 0.0, NAN, INF, INF, INF, INF, INF]),
        (2, [NAN, -0.0, NAN, -INF, INF, NAN, NAN, NAN]),
        (99, [NAN, 0.0, NAN, INF, INF, INF, INF, INF]),
        (100, [NAN, -0.0, NAN, -INF, INF, NAN, NAN, NAN]),
    ],
)
def test_special_values_of_polygamma(order, expected, numpy_type):
    x = np.array([NAN, INF, -INF, 0.0, -0.0, -1.0, -7.0, -1e30], numpy_type)
    with np.errstate(all="ignore"):
        found = [math_special.polygamma(WithFunctions(), x, order), numeric_special.polygamma(x, order)]
    for result in found:
        assert result.dtype == numpy_type
        np.testing.assert_array_equal(result, expected)
        is_number = ~np.isnan(expected)
        assert np.array_equal(np.signbit(result[is_number]), np.signbit(expected)[is_number])


OF_SCIPY = {"digamma": scipy.special.digamma, "erfinv": scipy.special.erfinv, "lgamma": scipy.special.gammaln}
RANGES_F32 = {"digamma": (1e-3, 40), "erfinv": (-1, 1), "lgamma": (1e-3, 40)}


@pytest.mark.parametrize("name", sorted(OF_SCIPY))
def test_f32_is_the_true_result_rounded_but_for_near_ties(name):
    x = uniform(*RANGES_F32[name], 20000).astype(np.float32)
    truth = OF_SCIPY[name](x.astype(np.float64))
    errors = np.abs(run(name, x) - truth) / np.ldexp(1.0, np.frexp(truth)[1] - 24)
    assert errors.max() <= 0.51, x[errors.argmax()]


SPECIALS = {
    "digamma": [(NAN, NAN), (INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, INF), (-1.0, NAN), (-7.0, NAN), (-1e30, NAN)],
    "erfinv": [(NAN, NAN), (INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (-1.5, NAN)],
    "lgamma": [(NAN, NAN), (INF, INF), (-INF, INF), (0.0, INF), (-0.0, INF), (-1.0, INF), (-7.0, INF), (-1e30, INF),
               (1.0, 0.0), (2.0, 0.0)],
}  # fmt: skip


@pytest.mark.parametrize("numpy_type", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(SPECIALS))
def test_special_values(name, numpy_type):
    arguments, expected = np.array(SPECIALS[name], numpy_type).T
    result = run(name, arguments)
    assert np.array_equal(result, expected, equal_nan=True)
    is_number = ~np.isnan(expected)
    assert np.array_equal(np.signbit(result[is_number]), np.signbit(expected[is_number]))


def test_lgamma_overflows_where_it_must():
    assert np.array_equal(np.isinf(run("lgamma", [2.5e305, 2.6e305, 1e308])), [False, True, True])
    assert np.isinf(run("lgamma", np.float32([4.1e36]))).all() and np.isfinite(run("lgamma", np.float32([4.0e36]))).all()


@pytest.mark.parametrize(("type", "numpy_type"), [(F16, np.float16), (F32, np.float32)])
@pytest.mark.parametrize("name", sorted(OF_SCIPY))
def test_as_ops_of_any_float_type(name, type, numpy_type):
    x = np.array([0.125, 0.5, 0.75, -0.25], numpy_type)
    got = compute([type], getattr(math_special, name), x)
    want = OF_SCIPY[name](x.astype(np.float64)).astype(numpy_type)
    assert got.dtype == numpy_type
    np.testing.assert_array_max_ulp(got, want, maxulp=1)
