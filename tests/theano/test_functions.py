"""Functions of `T` that go element by element, against numpy and scipy: values, hard numbers, shapes, and all dtypes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from scipy import special

import tir
import tir.tensor as T
from tests.theano.cases import (
    AS_FLOAT,
    DTYPES,
    FLOATS,
    HARD,
    INF,
    INTS,
    MATRIX,
    MODES,
    NAN,
    SHAPES,
    TOGETHER,
    Case,
    check,
    computed,
)

# --- functions of one number -----------------------------------------------------------------------------------------

SINGLE = {
    "sqrt": np.sqrt, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "arcsinh": np.arcsinh, "arccosh": np.arccosh,
    "arctanh": np.arctanh, "erf": special.erf, "erfc": special.erfc, "erfcx": special.erfcx, "erfinv": special.erfinv,
    "gammaln": special.gammaln, "gamma": special.gamma, "psi": special.psi, "inv": np.reciprocal, "deg2rad": np.deg2rad,
    "rad2deg": np.rad2deg, "ceil": np.ceil, "floor": np.floor, "trunc": np.trunc,
}  # fmt: skip
EXACT = ("sqrt", "inv", "ceil", "floor", "trunc")
#: Made of two functions, of which the first is 71 where the second is e^71: an error of 71 units.
ROUGH = {("gamma", "float32"): 1e-5}


def single_cases() -> Iterable[Case]:
    for name, reference in SINGLE.items():
        function = getattr(T, name)
        for dtype in DTYPES:
            x = HARD[dtype]
            tolerance = 0.0 if name in EXACT else ROUGH.get((name, dtype))
            expected = computed(reference, AS_FLOAT[dtype], x)
            yield Case(f"{name} of {dtype}", function, (x,), expected, tolerance, dtype in ("float32", "float64"))
        for label, x in SHAPES.items():
            yield Case(f"{name} of {label}", function, (x,), computed(reference, "float64", x), None, label == "every other")


#: Functions that keep the dtype: abs and sgn of all, the rest of numbers.
KEEPING: dict[str, Callable[..., Any]] = {
    "abs": np.abs, "sgn": np.sign, "sqr": lambda x: x * x, "neg": np.negative, "round": lambda x: np.round(x) if x.dtype.kind == "f" else x,
    "conj": lambda x: x, "real": lambda x: x, "zeros_like": np.zeros_like, "ones_like": np.ones_like,
}  # fmt: skip
TRUTH = {"isnan": np.isnan, "isinf": np.isinf}


def keeping_cases() -> Iterable[Case]:
    for name, reference in KEEPING.items():
        for dtype in DTYPES[1:]:
            with np.errstate(all="ignore"):
                expected = reference(HARD[dtype])
            yield Case(f"{name} of {dtype}", getattr(T, name), (HARD[dtype],), expected, 0.0, dtype in ("int8", "float32"))
    for name, truth in TRUTH.items():
        for dtype in FLOATS:
            yield Case(f"{name} of {dtype}", getattr(T, name), (HARD[dtype],), truth(HARD[dtype]))
    halves = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, -0.0, INF, NAN])
    away = np.array([-3, -2, -1, 1, 2, 3, 0.0, -0.0, INF, NAN])
    yield Case("round half away", T.round_half_away_from_zero, (halves,), away, 0.0)
    yield Case("abs of bool", T.abs, (HARD["bool"],), HARD["bool"])
    yield Case("angle", T.angle, (HARD["float32"],), np.angle(HARD["float32"].astype("float64")))
    yield Case("imag", lambda x: x.imag, (HARD["float32"],), np.zeros(len(HARD["float32"]), "float32"))
    yield Case("bitwise not", lambda x: ~x, (HARD["uint8"],), ~HARD["uint8"])
    yield Case("not", T.invert, (HARD["bool"],), ~HARD["bool"])
    for to, x in itertools.product(
        DTYPES, (np.array([0, 1, 3, 100], "int16"), np.array([0.0, 0.5, 2.75, 100.25], "float32"))
    ):
        yield Case(f"cast of {x.dtype} to {to}", lambda v, to=to: T.cast(v, to), (x,), x.astype(to), 0.0, to == "int8")


@pytest.mark.parametrize("mode", MODES)
def test_functions_of_one_number(mode: str) -> None:
    check(single_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_functions_that_keep_the_dtype(mode: str) -> None:
    check(keeping_cases(), mode)


# --- functions of two numbers ----------------------------------------------------------------------------------------

PAIRED: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
    "int_div": np.floor_divide, "mod": np.mod,
}  # fmt: skip
ORDERS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "neq": np.not_equal,
}  # fmt: skip
BITS = {"and_": np.bitwise_and, "or_": np.bitwise_or, "xor": np.bitwise_xor}


def pair_of(first: str, second: str) -> tuple[Any, Any]:
    """Numbers of two dtypes, none of them 0 in the second."""
    x = np.array([0, 1, 2, 5, 7, 100] if first != "bool" else [0, 1, 0, 1, 1, 0], first)
    y = np.array([3, 1, 2, 2, 100, 7] if second != "bool" else [1] * 6, second)
    return x, y


def paired_cases() -> Iterable[Case]:
    same = {(dtype, dtype): dtype for dtype in DTYPES[1:]}
    backwards = {(second, first): to for (first, second), to in TOGETHER.items()}
    for (first, second), to in (same | TOGETHER | backwards).items():
        x, y = pair_of(first, second)
        for name, reference in PAIRED.items():
            with np.errstate(all="ignore"):
                expected = reference(x.astype(to), y.astype(to))
            is_short = (first, second) in (("int8", "int8"), ("float32", "float32"), ("int32", "float32"))
            yield Case(f"{name} of {first} and {second}", getattr(T, name), (x, y), expected, None, is_short)
        for name, order in ORDERS.items():
            yield Case(f"{name} of {first} and {second}", getattr(T, name), (x, y), order(x, y), 0.0, first == "int8")
    for dtype, (name, bits) in itertools.product(("bool", *INTS), BITS.items()):
        x, y = pair_of(dtype, dtype)
        yield Case(f"{name} of {dtype}", getattr(T, name), (x, y), bits(x, y), 0.0, dtype == "bool")


def truth_cases() -> Iterable[Case]:
    """Truth values add up as `or`, multiply as `and`; a power of them is int8."""
    x, y = np.array([[False, True, False, True], [False, False, False, True]]), np.array([[False, False, True, True]] * 2)
    for name, reference in {"add": np.add, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum}.items():
        yield Case(name, getattr(T, name), (x, y), reference(x, y))
    yield Case("operators", lambda u, v: u * v + ~u * v, (x, y), x & y | ~x & y)
    yield Case("sqr", T.sqr, (x,), x)
    yield Case("**", lambda u: u**2, (x,), x.astype("int8"))
    yield Case("beside numbers", lambda u, v: u * v + 1, (x, y.astype("float32")), (x * y + 1).astype("float32"))
    yield Case("max", lambda u: T.max(u, axis=0), (x,), x.max(0))
    yield Case("min", lambda u: u.min(1, keepdims=True), (x,), x.min(1, keepdims=True))
    yield Case("argmax", lambda u: T.argmax(u, axis=1), (x,), x.argmax(1))
    yield Case("argmin", T.argmin, (x,), np.asarray(x.argmin()))
    yield Case("dot", lambda u, v: T.dot(u, v.T), (x, y), x @ y.T)
    yield Case("set", lambda u: T.set_subtensor(u[0], True), (x,), np.array([[True] * 4, x[1]]))
    yield Case(
        "set 1 in uint8", lambda u: T.set_subtensor(u[0], 1), (x.astype("uint8"),), np.array([[1] * 4, x[1]], "uint8")
    )


def quotient_cases() -> Iterable[Case]:
    """Division of integers gives floatX, which is float64 here; its signs; powers."""
    for dtype in INTS:
        x, y = pair_of(dtype, dtype)
        yield Case(f"true_div of {dtype}", lambda u, v: u / v, (x, y), x.astype("float64") / y, None, dtype == "int8")
        with np.errstate(all="ignore"):
            squares = x[:4] ** np.array(2, dtype)
        yield Case(f"power of {dtype}", lambda u, two: u**two, (x[:4], np.array(2, dtype)), squares, None, dtype == "int8")
    signed = np.array([7, -7, 7, -7, 0], "int32"), np.array([2, 2, -2, -2, 3], "int32")
    floats = tuple(x.astype("float64") / 2 for x in signed)
    for label, (x, y) in (("int32", signed), ("float64", floats)):
        yield Case(f"signs of // of {label}", lambda u, v: u // v, (x, y), x // y)
        yield Case(f"signs of % of {label}", lambda u, v: u % v, (x, y), x % y)
    yield Case("true_div of both kinds", lambda u, v: u / v, (signed[0], floats[1]), signed[0] / floats[1])
    x, y = HARD["float64"][:, None], HARD["float64"][None, :]
    with np.errstate(all="ignore"):
        for name, reference in {
            "true_div": np.true_divide,
            "maximum": np.maximum,
            "minimum": np.minimum,
            "arctan2": np.arctan2,
        }.items():
            yield Case(f"{name} of hard numbers", getattr(T, name), (x, y), reference(x, y))
        powers = [0.0, 0.5, 1.0, 2.0, -1.5, 3.0, NAN, INF, -INF]
        p = np.array(powers)[:, None]
        yield Case("powers of hard numbers", lambda u, v: u**v, (p, p.T), np.power(p, p.T))
        finite = HARD["float64"][~np.isnan(HARD["float64"]) & (np.abs(HARD["float64"]) < 1e300)]
        sums = np.logaddexp(finite[:, None], finite)
        yield Case("logaddexp", T.logaddexp, (finite[:, None], finite), sums)


def choice_cases() -> Iterable[Case]:
    x, mask = HARD["float64"], np.arange(21) % 3 == 0
    yield Case("switch", T.switch, (mask, x, -x), np.where(mask, x, -x), 0.0)
    yield Case("switch by integers", T.where, (mask * 7, x, -x), np.where(mask, x, -x), 0.0)
    yield Case("switch between dtypes", T.switch, (mask, np.arange(21, dtype="int8"), HARD["float32"]),
               np.where(mask, np.arange(21), HARD["float32"]).astype("float32"), 0.0)  # fmt: skip
    yield Case("clip", lambda u: T.clip(u, -1.0, 2.0), (x,), np.clip(x, -1, 2), 0.0)
    yield Case(
        "clip of int8 by floats", lambda u: u.clip(0, 1.5), (HARD["int8"],), np.clip(HARD["int8"], 0, 1.5).astype("float32")
    )
    yield Case("isclose", lambda u, v: T.isclose(u, v), (x, x * (1 - 1e-6)), np.isclose(x, x * (1 - 1e-6)))
    yield Case("isclose with nan", lambda u: T.isclose(u, u, equal_nan=True), (x,), np.full(21, True))
    yield Case("allclose", lambda u: T.allclose(u, u + 1), (MATRIX,), np.array(False))
    yield Case("second", T.second, (MATRIX, np.array(3.0)), np.full((4, 6), 3.0))
    yield Case("fill", lambda u: u.fill(3), (MATRIX,), np.full((4, 6), 3, "int8"))
    yield Case("identity_like", T.identity_like, (MATRIX,), np.eye(4, 6))
    yield Case("largest", T.largest, (x, -x, np.full(21, 0.5)), np.maximum(np.maximum(x, -x), 0.5), 0.0)
    yield Case("smallest", T.smallest, (x, -x), np.minimum(x, -x), 0.0)
    yield Case("ceil_intdiv", T.ceil_intdiv, (np.array([0, 1, 7, 8, 9]), np.array(8)), np.array([0, 1, 1, 1, 2]))


@pytest.mark.parametrize("mode", MODES)
def test_functions_of_two_numbers_and_their_dtypes(mode: str) -> None:
    check(paired_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_truth_values_as_numbers(mode: str) -> None:
    check(truth_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_quotients_remainders_and_powers(mode: str) -> None:
    check(quotient_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_choices(mode: str) -> None:
    check(choice_cases(), mode)


#: dtype, expression, and what comes out under floatX=float32 and float64. A Python number is as small as it can be; a
#: float is a floatX under float32, and under float64 of float32 if that has it.
BESIDE_NUMBERS: list[tuple[str, Callable[..., Any], str, str]] = [
    ("int8", lambda x: x + 1, "int8", "int8"),
    ("int8", lambda x: x + 200, "int16", "int16"),
    ("uint8", lambda x: x + 1, "int16", "int16"),
    ("int32", lambda x: x * 2, "int32", "int32"),
    ("int64", lambda x: 3 - x, "int64", "int64"),
    ("int8", lambda x: x * 0.5, "float32", "float32"),
    ("int32", lambda x: x * 0.5, "float64", "float64"),
    ("int8", lambda x: x * 0.1, "float32", "float64"),
    ("float32", lambda x: x * 2, "float32", "float32"),
    ("float32", lambda x: x * 0.5, "float32", "float32"),
    ("float32", lambda x: x * 0.1, "float32", "float64"),
    ("float32", lambda x: x + 100000000, "float64", "float64"),  # an int32 beside float32
    ("float64", lambda x: x * 0.1, "float64", "float64"),
    ("float16", lambda x: x * 2, "float16", "float16"),
    ("int8", lambda x: x / 2, "float32", "float64"),
    ("int64", lambda x: x / 2, "float32", "float64"),
    ("int8", lambda x: x // 2, "int8", "int8"),
    ("int8", lambda x: x % 2, "int8", "int8"),
    ("float32", lambda x: x**2, "float32", "float32"),
    ("int8", lambda x: x**2, "int8", "int8"),
    ("float32", lambda x: x**0.5, "float32", "float32"),
    ("int8", lambda x: x**0.5, "float32", "float32"),
    ("float32", lambda x: T.maximum(x, 0.0), "float32", "float32"),
    ("float32", lambda x: T.switch(x > 0, x, 0), "float32", "float32"),
    ("float32", lambda x: T.clip(x, 0, 1), "float32", "float32"),
    ("float32", lambda x: T.nnet.relu(x), "float32", "float32"),
    ("float32", lambda x: T.nnet.sigmoid(x), "float32", "float32"),
    ("int64", lambda x: T.nnet.sigmoid(x), "float64", "float64"),
    ("float32", lambda x: T.nnet.hard_sigmoid(x), "float32", "float32"),
    ("float32", lambda x: x + np.float64(1), "float64", "float64"),
    ("float32", lambda x: x * np.ones(1), "float64", "float64"),
    ("float32", lambda x: x + True, "float32", "float32"),
    ("float32", lambda x: x > 1, "bool", "bool"),
    ("float32", lambda x: T.cast(x, "floatX"), "float32", "float64"),
    ("int32", lambda x: T.zeros_like(x, dtype="floatX"), "float32", "float64"),
    ("int32", lambda x: T.to_one_hot(x, 3), "float32", "float64"),
    ("int64", lambda x: T.eye(x.shape[0]), "float32", "float64"),
    ("int64", lambda x: T.zeros(x.shape), "float32", "float64"),
    ("float16", lambda x: x.mean(), "float16", "float16"),
    ("int32", lambda x: x.mean(), "float64", "float64"),
    ("int8", lambda x: x.var(), "float64", "float64"),
    ("float32", lambda x: x.std(), "float32", "float32"),
    ("float32", lambda x: T.arange(5), "int64", "int64"),
    ("float32", lambda x: x.argmax(), "int64", "int64"),
    ("float32", lambda x: x.shape, "int64", "int64"),
]


@pytest.mark.parametrize("row", range(len(BESIDE_NUMBERS)))
def test_dtypes_beside_numbers(row: int) -> None:
    dtype, build, narrow, wide = BESIDE_NUMBERS[row]
    for floatX, expected in (("float32", narrow), ("float64", wide)):
        with tir.config.change_flags(floatX=floatX):
            assert build(T.vector("x", dtype=dtype)).dtype == expected, floatX


def test_x_log_y_is_zero_where_x_is() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    values = [np.array([0.0, 0.0, 0.0, 0.0, 2.0, -1.0]), np.array([0.0, -1.0, np.inf, 3.0, 3.0, 0.5])]
    product = T.xlogx.xlogy0(x, y)
    found, by_x, by_y = tir.function([x, y], [product, *T.grad(product.sum(), [x, y])], mode="FAST_COMPILE")(*values)
    np.testing.assert_allclose(found, [0, 0, 0, 0, 2 * np.log(3), -np.log(0.5)], rtol=1e-12)
    np.testing.assert_allclose(by_x, [0, 0, 0, np.log(3), np.log(3), np.log(0.5)], rtol=1e-12)
    np.testing.assert_allclose(by_y, [0, 0, 0, 0, 2 / 3, -2], rtol=1e-12)
    np.testing.assert_allclose(tir.function([x], T.xlogx.xlogx(x))([0.0, 2.0]), [0, 2 * np.log(2)], rtol=1e-12)


def test_dtype_of_several_together() -> None:
    assert tir.scalar.upcast("int32", "float32") == "float64"
    assert tir.scalar.upcast("int8", "float32", "bool") == "float32"


def test_gradient_of_the_cross_entropy_leaves_the_probabilities_of_other_classes_alone() -> None:
    p, y = T.dmatrix("p"), T.lvector("y")
    slope = T.grad(T.nnet.categorical_crossentropy(p, y).sum(), p)
    found = tir.function([p, y], slope)(np.array([[0.4, 0.6, 0.0], [0.1, 0.8, 0.1]]), [0, 1])
    np.testing.assert_allclose(found, [[-2.5, 0, 0], [0, -1.25, 0]], rtol=1e-12)
