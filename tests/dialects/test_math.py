"""math: the references against mpmath, exact fractions and the values that C's Annex F lists."""

from __future__ import annotations

import math as pymath
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from tests.dialects.straight_line import assert_same, make, run
from tir.dialects import math, numeric
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.traits import is_pure
from tir.ir.types import F32, F64, I1, I32, VectorType
from tir.ir.verify import verify

NAN, INF, PI = pymath.nan, pymath.inf, pymath.pi


# --- against mpmath --------------------------------------------------------------------------------------------------

EVERYWHERE = (-700.0, 700.0)
FUNCTIONS: dict[type[Op], tuple[Callable[..., Any], tuple[float, float]]] = {
    math.Sqrt: (mpmath.sqrt, (0.0, 1e300)),
    math.Rsqrt: (lambda x: 1 / mpmath.sqrt(x), (1e-30, 1e30)),
    math.Cbrt: (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), EVERYWHERE),
    math.Exp: (mpmath.exp, (-80.0, 80.0)),
    math.Exp2: (lambda x: mpmath.mpf(2) ** x, (-120.0, 120.0)),
    math.ExpM1: (mpmath.expm1, (-1.0, 1.0)),
    math.Log: (mpmath.log, (1e-30, 1e30)),
    math.Log2: (lambda x: mpmath.log(x, 2), (1e-30, 1e30)),
    math.Log10: (mpmath.log10, (1e-30, 1e30)),
    math.Log1p: (mpmath.log1p, (-0.9, 1.0)),
    math.Sin: (mpmath.sin, EVERYWHERE),
    math.Cos: (mpmath.cos, EVERYWHERE),
    math.Tan: (mpmath.tan, EVERYWHERE),
    math.Sinh: (mpmath.sinh, (-80.0, 80.0)),
    math.Cosh: (mpmath.cosh, (-80.0, 80.0)),
    math.Tanh: (mpmath.tanh, (-5.0, 5.0)),
    math.Asin: (mpmath.asin, (-1.0, 1.0)),
    math.Acos: (mpmath.acos, (-1.0, 1.0)),
    math.Atan: (mpmath.atan, EVERYWHERE),
    math.Asinh: (mpmath.asinh, EVERYWHERE),
    math.Acosh: (mpmath.acosh, (1.0, 700.0)),
    math.Atanh: (mpmath.atanh, (-0.99, 0.99)),
    math.Erf: (mpmath.erf, (-5.0, 5.0)),
    math.Erfc: (mpmath.erfc, (-5.0, 9.0)),
}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("cls", FUNCTIONS)
def test_function_is_within_4_ulp_of_mpmath(cls: type[Op], kind: Any) -> None:
    function, (low, high) = FUNCTIONS[cls]
    x = np.random.default_rng(1).uniform(low, min(high, 1e30), 200)
    x = np.concatenate([x, x[(x * 1e-6 > low) & (x > 0)] * 1e-6]).astype(kind)
    got = run(cls, x)
    assert got.dtype == kind
    with mpmath.workdps(60):
        for one, answer in zip(x.tolist(), got):
            want = function(mpmath.mpf(one))
            # numpy promises no more than 4 ulp for its vectorised functions.
            assert abs(mpmath.mpf(float(answer)) - want) <= 4 * float(np.spacing(abs(kind(want)))), one


@pytest.mark.parametrize(
    ("cls", "function"), [(math.PowF, lambda x, y: x**y), (math.Atan2, mpmath.atan2)], ids=["powf", "atan2"]
)
def test_function_of_two_is_within_4_ulp_of_mpmath(cls: type[Op], function: Callable[..., Any]) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0.01, 30.0, 200), rng.uniform(-20.0, 20.0, 200)
    with mpmath.workdps(60):
        want = np.array([float(function(mpmath.mpf(a), mpmath.mpf(b))) for a, b in zip(x.tolist(), y.tolist())])
    np.testing.assert_array_max_ulp(run(cls, x, y), want, maxulp=4)


# --- the edges -------------------------------------------------------------------------------------------------------

# C23 Annex F: what each function gives for the arguments of the first row.
ARGUMENTS = (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN)
EDGES: dict[type[Op], tuple[float, ...]] = {
    math.AbsF: (0.0, 0.0, 1.0, 1.0, INF, INF, NAN),
    math.Ceil: (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN),
    math.Floor: (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN),
    math.Trunc: (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN),
    math.Round: (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN),
    math.RoundEven: (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN),
    math.Sqrt: (0.0, -0.0, 1.0, NAN, INF, NAN, NAN),
    math.Rsqrt: (INF, -INF, 1.0, NAN, 0.0, NAN, NAN),
    math.Cbrt: (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN),
    math.Exp: (1.0, 1.0, pymath.e, 1 / pymath.e, INF, 0.0, NAN),
    math.Exp2: (1.0, 1.0, 2.0, 0.5, INF, 0.0, NAN),
    math.ExpM1: (0.0, -0.0, pymath.expm1(1), pymath.expm1(-1), INF, -1.0, NAN),
    math.Log: (-INF, -INF, 0.0, NAN, INF, NAN, NAN),
    math.Log2: (-INF, -INF, 0.0, NAN, INF, NAN, NAN),
    math.Log10: (-INF, -INF, 0.0, NAN, INF, NAN, NAN),
    math.Log1p: (0.0, -0.0, pymath.log(2), -INF, INF, NAN, NAN),
    math.Sin: (0.0, -0.0, pymath.sin(1), -pymath.sin(1), NAN, NAN, NAN),
    math.Cos: (1.0, 1.0, pymath.cos(1), pymath.cos(1), NAN, NAN, NAN),
    math.Tan: (0.0, -0.0, pymath.tan(1), -pymath.tan(1), NAN, NAN, NAN),
    math.Sinh: (0.0, -0.0, pymath.sinh(1), -pymath.sinh(1), INF, -INF, NAN),
    math.Cosh: (1.0, 1.0, pymath.cosh(1), pymath.cosh(1), INF, INF, NAN),
    math.Tanh: (0.0, -0.0, pymath.tanh(1), -pymath.tanh(1), 1.0, -1.0, NAN),
    math.Asin: (0.0, -0.0, PI / 2, -PI / 2, NAN, NAN, NAN),
    math.Acos: (PI / 2, PI / 2, 0.0, PI, NAN, NAN, NAN),
    math.Atan: (0.0, -0.0, PI / 4, -PI / 4, PI / 2, -PI / 2, NAN),
    math.Asinh: (0.0, -0.0, pymath.asinh(1), -pymath.asinh(1), INF, -INF, NAN),
    math.Acosh: (NAN, NAN, 0.0, NAN, INF, NAN, NAN),
    math.Atanh: (0.0, -0.0, INF, -INF, NAN, NAN, NAN),
    math.Erf: (0.0, -0.0, pymath.erf(1), -pymath.erf(1), 1.0, -1.0, NAN),
    math.Erfc: (1.0, 1.0, pymath.erfc(1), pymath.erfc(-1), 0.0, 2.0, NAN),
}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("cls", EDGES)
def test_function_at_zeros_ones_infinities_and_nan(cls: type[Op], kind: Any) -> None:
    got = run(cls, np.array(ARGUMENTS, kind))
    for one, answer, want in zip(ARGUMENTS, got, EDGES[cls]):
        expected = kind(want)
        if pymath.isfinite(want) and want not in (0.0, 1.0, -1.0):
            assert abs(answer - expected) <= 2 * np.spacing(abs(expected)), one
        else:
            assert_same(answer, expected)
        assert_same(run(cls, kind(one)), answer)


@pytest.mark.parametrize("cls", EDGES)
def test_function_keeps_shape_and_dtype(cls: type[Op]) -> None:
    assert run(cls, np.ones((0, 3), np.float32)).shape == (0, 3)
    assert run(cls, np.ones((2, 1), np.float16).T).dtype == np.float16
    assert isinstance(run(cls, np.float32(1)), np.float32)


@pytest.mark.parametrize(
    ("cls", "x", "want"),
    [
        (math.Round, 0.5, 1.0), (math.Round, -0.5, -1.0), (math.Round, 2.5, 3.0), (math.Round, -0.25, -0.0),
        (math.Round, 0.49999999999999994, 0.0), (math.Round, 4503599627370497.5, 4503599627370498.0),
        (math.Round, 2.0**53 + 2, 2.0**53 + 2), (math.RoundEven, 0.5, 0.0), (math.RoundEven, -0.5, -0.0),
        (math.RoundEven, 2.5, 2.0), (math.RoundEven, 3.5, 4.0), (math.Ceil, -0.5, -0.0), (math.Floor, -0.5, -1.0),
        (math.Trunc, -1.9, -1.0), (math.Exp, 1000.0, INF), (math.Exp, -1000.0, 0.0),
        (math.ExpM1, 1e-300, 1e-300), (math.Log1p, -1e-300, -1e-300),
    ],
)  # fmt: skip
def test_function_at_hard_arguments(cls: type[Op], x: float, want: float) -> None:
    assert_same(run(cls, np.float64(x)), np.float64(want))


@pytest.mark.parametrize(("cls", "x", "want"), [(math.Log, 5e-324, -744.4400719213812), (math.Erfc, 27.0, 5.24e-319)])
def test_function_of_or_at_a_subnormal(cls: type[Op], x: float, want: float) -> None:
    assert run(cls, np.float64(x)) == pytest.approx(want, rel=1e-3 if want > 0 else 1e-15)


@pytest.mark.parametrize(
    ("x", "y", "want"),
    [(1.0, NAN, 1.0), (NAN, 0.0, 1.0), (NAN, -0.0, 1.0), (-8.0, 1 / 3, NAN), (-0.0, -1.0, -INF), (0.0, -2.0, INF),
     (-1.0, INF, 1.0), (-2.0, 3.0, -8.0), (0.5, -INF, INF), (-INF, 3.0, -INF), (NAN, 1.0, NAN)],
)  # fmt: skip
def test_powf_at_the_edge(x: float, y: float, want: float) -> None:
    assert_same(run(math.PowF, np.float32(x), np.float32(y)), np.float32(want))


@pytest.mark.parametrize(
    ("y", "x", "want"),
    [(0.0, 0.0, 0.0), (-0.0, 0.0, -0.0), (0.0, -0.0, PI), (-0.0, -0.0, -PI), (1.0, 0.0, PI / 2),
     (INF, -INF, 3 * PI / 4), (0.0, -1.0, PI), (NAN, 1.0, NAN)],
)  # fmt: skip
def test_atan2_at_the_edge(y: float, x: float, want: float) -> None:
    assert_same(run(math.Atan2, np.float64(y), np.float64(x)), np.float64(want))


def test_copysign_takes_the_sign_bit_of_zero_and_nan() -> None:
    x, sign = np.array([1.0, -1.0, NAN, 2.0], np.float32), np.array([-0.0, 0.0, -1.0, -NAN], np.float32)
    assert np.signbit(run(math.CopySign, x, sign)).tolist() == np.signbit(sign).tolist()


def test_classes_of_floats() -> None:
    x = np.array([0.0, -1.0, INF, -INF, NAN, 5e-324])
    assert run(math.IsNaN, x).tolist() == [False, False, False, False, True, False]
    assert run(math.IsInf, x).tolist() == [False, False, True, True, False, False]
    assert run(math.IsFinite, x).tolist() == [True, True, False, False, False, True]
    assert make(math.IsNaN, [VectorType((4,), F32)]).result.type is VectorType((4,), I1)


# --- fma -------------------------------------------------------------------------------------------------------------


def rounded(exact: Fraction, kind: Any) -> Any:
    """`exact`, not 0, rounded to nearest even; computed on integers."""
    info = np.finfo(kind)
    digits = info.nmant + 1
    power = abs(exact).numerator.bit_length() - exact.denominator.bit_length()
    power -= abs(exact) < Fraction(2) ** power
    unit = Fraction(2) ** max(power - digits + 1, info.minexp - info.nmant)
    whole = round(exact / unit)  # a Fraction rounds to nearest even
    if not whole:
        return kind(-0.0 if exact < 0 else 0.0)
    if abs(whole) * unit > Fraction(float(info.max)):
        return kind(INF if whole > 0 else -INF)
    return kind(float(whole * unit))


def assert_fma_is_exact(x: Any, y: Any, z: Any) -> None:
    got = run(math.Fma, x, y, z)
    for a, b, c, answer in zip(x, y, z, got):
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        if exact:
            assert_same(answer, rounded(exact, x.dtype.type))
        else:
            assert answer == 0


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_fma_rounds_once(kind: Any) -> None:
    rng = np.random.default_rng(3)
    x, y, z = (rng.standard_normal(300).astype(kind) for _ in range(3))
    assert_fma_is_exact(x, y, z)
    assert_fma_is_exact(x, y, -(x * y))  # what is left is the rounding error of the product
    assert_fma_is_exact(x, y, z * kind(1e3))
    assert_fma_is_exact(x, y, -(x * y) * (1 + np.finfo(kind).eps))


def test_fma_of_f32_is_not_spoilt_by_f64() -> None:
    # The sum is just below a tie of f32 by less than f64 can see.
    x, y, z = np.float32(1 + 2**-23), np.float32(1 - 2**-23), np.float32(2**24 + 2)
    assert_same(run(math.Fma, x, y, z), np.float32(2**24 + 2))
    assert_same(run(math.Fma, -x, y, -z), np.float32(-(2**24) - 2))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_fma_of_huge_and_tiny_numbers(kind: Any) -> None:
    info = np.finfo(kind)
    extremes = [float(v) for v in (info.max, info.tiny, info.smallest_subnormal, info.eps, 1.0, np.sqrt(info.max), 3.0)]
    extremes += [float(kind(v * 1.7)) for v in extremes if v < 1e30] + [-v for v in extremes]
    cases = np.array([(a, b, c) for a in extremes for b in extremes for c in extremes], kind)
    assert_fma_is_exact(*np.ascontiguousarray(cases[:: 3 if kind is np.float64 else 1].T))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("x", "y", "z", "want"),
    [(INF, 0.0, 1.0, NAN), (INF, 1.0, -INF, NAN), (1e30, 1e30, -INF, -INF), (NAN, 0.0, 1.0, NAN), (1.0, 1.0, INF, INF),
     (0.0, 5.0, -0.0, 0.0), (-0.0, 5.0, -0.0, -0.0), (1.0, 1.0, -1.0, 0.0), (2.0, 3.0, -0.0, 6.0),
     (0.0, -1.0, 2.5, 2.5)],
)  # fmt: skip
def test_fma_of_zeros_infinities_and_nan(x: float, y: float, z: float, want: float, kind: Any) -> None:
    assert_same(run(math.Fma, kind(x), kind(y), kind(z)), kind(want))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_fma_that_underflows_keeps_its_sign(kind: Any) -> None:
    tiny = np.finfo(kind).smallest_subnormal
    assert_same(run(math.Fma, -tiny, tiny, kind(0.0)), kind(-0.0))


def test_fma_broadcasts() -> None:
    assert_same(run(math.Fma, np.ones((2, 1)), np.float64(2), np.ones(3)), np.full((2, 3), 3.0))
    assert run(math.Fma, np.ones((0, 3)), np.ones((0, 3)), np.ones((0, 3))).shape == (0, 3)


# --- integers --------------------------------------------------------------------------------------------------------


def test_bits_are_counted_as_python_counts_them() -> None:
    x = np.arange(-128, 128, dtype=np.int8)
    bits = [f"{v % 256:08b}" for v in x.tolist()]
    assert run(math.CtPop, x).tolist() == [b.count("1") for b in bits]
    assert run(math.CtLz, x).tolist() == [len(b) - len(b.lstrip("0")) for b in bits]
    assert run(math.CtTz, x).tolist() == [len(b) - len(b.rstrip("0")) for b in bits]


@pytest.mark.parametrize("kind", [np.bool_, np.int8, np.int16, np.int32, np.int64])
def test_bits_of_zero_one_and_all_ones(kind: Any) -> None:
    width = 1 if kind is np.bool_ else np.iinfo(kind).bits
    for number, (ones, leading, trailing) in {0: (0, width, width), 1: (1, width - 1, 0), -1: (width, 0, 0)}.items():
        got = [run(cls, kind(number)) for cls in (math.CtPop, math.CtLz, math.CtTz)]
        assert_same(np.array(got), np.array([ones, leading, trailing]).astype(kind))


def test_absi_of_the_smallest_number_is_itself() -> None:
    assert_same(run(math.AbsI, np.array([-128, -5, 0, 127], np.int8)), np.array([-128, 5, 0, 127], np.int8))
    assert run(math.AbsI, np.True_) is np.True_


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64])
def test_ipowi_is_pythons_power_modulo_two_to_the_width(kind: Any) -> None:
    bases, powers = (-128, -3, -2, -1, 0, 1, 2, 3, 7, 127), (-3, -2, -1, 0, 1, 2, 3, 5, 31, 100, 127)
    pairs = [(x, y) for x in bases for y in powers]
    want = [x**y if y >= 0 else {0: 0, 1: 1, -1: 1 if y % 2 == 0 else -1}.get(x, 0) for x, y in pairs]
    width = np.iinfo(kind).bits
    wrapped = [(w + (1 << (width - 1))) % (1 << width) - (1 << (width - 1)) for w in want]
    got = run(math.IPowI, np.array([x for x, _ in pairs], kind), np.array([y for _, y in pairs], kind))
    assert_same(got, np.array(wrapped, kind))
    assert_same(run(math.IPowI, kind(-2), kind(3)), kind(-8))


# --- declarations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "types", "message"),
    [
        (math.Exp, [I32], "'x' must be a float"),
        (math.AbsI, [F32], "'x' must be a signless integer"),
        (math.Fma, [F32, F32, F64], "must have one type, got f32 and f64"),
        (math.PowF, [F32, F64], "must have one type"),
        (math.IsNaN, [I1], "'x' must be a float"),
    ],
)
def test_what_the_verifier_refuses(cls: type[Op], types: Any, message: str) -> None:
    with pytest.raises(TirError, match=message):
        verify(make(cls, types))


def test_all_ops_are_pure_and_named_once() -> None:
    names = [op.name for op in math.DIALECT.ops]
    assert len(set(names)) == len(names) == 42
    assert all(name.startswith("math.") for name in names)
    assert is_pure(make(math.Exp, [F32]))
    assert set(EDGES) >= {op for op in math.DIALECT.ops if issubclass(op, math.FloatUnary)}


def test_bits_of_a_half_survive_erf() -> None:
    x = np.float16(0.5)
    assert_same(run(math.Erf, x), np.float16(struct.unpack("e", struct.pack("e", pymath.erf(0.5)))[0]))


def test_power_of_a_half_is_that_of_C_for_scalars_and_arrays_alike() -> None:
    for x, want in ((-np.inf, np.inf), (-0.0, 0.0), (0.0, 0.0), (np.inf, np.inf), (4.0, 2.0)):  # C99 F.10.4.4
        for base in (np.float64(x), np.full(3, x), np.full(1, np.float32(x))):
            with np.errstate(all="ignore"):
                got = numeric.power(base, base.dtype.type(0.5))
            assert np.all(got == want) and not np.any(np.signbit(got))
