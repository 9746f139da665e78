"""Theano's elementwise functions: operators, functions of floats, comparison, choice and casts.

Shapes broadcast as numpy's, but an axis of open size never stretches. Element types are those of `tir/graph/typing.py`.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.shape import stretched
from tir.graph.typing import element_of
from tir.ir.errors import TirError
from tir.ir.types import F32, F64, I1, Type
from tir.lazy import np

__all__ = [
    "abs", "abs_", "add", "and_", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "cast", "ceil", "clip", "conj", "cos", "cosh", "deg2rad",
    "digamma", "divmod", "eq", "erf", "erfc", "erfcx", "erfinv", "exp", "exp2", "expm1", "fill", "floor", "floor_div",
    "gamma", "gammaln", "ge", "gt", "identity_like", "imag", "int_div", "inv", "invert", "isclose", "allclose", "isinf",
    "isnan", "le", "log", "log10", "log1p", "log2", "logaddexp", "lt", "maximum", "minimum", "mod", "mul", "neg", "neq",
    "or_", "polygamma", "pow", "power", "psi", "rad2deg", "real", "reciprocal", "round", "round_half_away_from_zero",
    "round_half_to_even", "second", "sgn", "sign", "sin", "sinh", "sqr", "square", "sqrt", "sub", "switch", "tan", "tanh",
    "tri_gamma", "true_div", "trunc", "where", "xor",
]  # fmt: skip

# --- arithmetic ------------------------------------------------------------------------------------------------------


@located
def add(x: Any, *others: Any) -> Tensor:
    """x plus all others."""
    for y in others:
        x = b.add(x, y)
    return b.tensor(x)


@located
def mul(x: Any, *others: Any) -> Tensor:
    """x times all others."""
    for y in others:
        x = b.mul(x, y)
    return b.tensor(x)


@located
def sub(x: Any, y: Any) -> Tensor:
    """x - y."""
    return b.sub(x, y)


@located
def true_div(x: Any, y: Any) -> Tensor:
    """x / y with the fraction; of integers in floatX."""
    return b.true_div(x, y)


@located
def int_div(x: Any, y: Any) -> Tensor:
    """x / y rounded down."""
    return b.floordiv(x, y)


floor_div = int_div


@located
def mod(x: Any, y: Any) -> Tensor:
    """The rest of x / y rounded down, with the sign of y."""
    return b.mod(x, y)


@located
def divmod(x: Any, y: Any) -> list[Tensor]:
    """The quotient rounded down, and the rest."""
    return [int_div(x, y), mod(x, y)]


@located
def pow(x: Any, y: Any) -> Tensor:
    """x to the power of y."""
    return b.pow(x, y)


power = pow


@located
def neg(x: Any) -> Tensor:
    """-x."""
    return b.neg(x)


@located
def maximum(x: Any, y: Any) -> Tensor:
    """The larger; where they are equal the gradient goes to x."""
    return b.maximum(x, y)


@located
def minimum(x: Any, y: Any) -> Tensor:
    """The smaller; where they are equal the gradient goes to x."""
    return b.minimum(x, y)


@located
def clip(x: Any, min: Any, max: Any) -> Tensor:
    """x, but at least min and at most max."""
    return b.clamp(x, min, max)


@located
def abs(x: Any) -> Tensor:
    """|x|; its gradient at 0 is 0."""
    x = b.tensor(x)
    return x if x.type.element is I1 else b.abs(x)


abs_ = abs


@located
def sgn(x: Any) -> Tensor:
    """-1, 0 or 1."""
    return b.sign(x)


sign = sgn


@located
def sqr(x: Any) -> Tensor:
    """x * x."""
    return b.square(x)


square = sqr


@located
def inv(x: Any) -> Tensor:
    """1 / x."""
    return b.reciprocal(x)


reciprocal = inv

# --- functions of floats ---------------------------------------------------------------------------------------------


def _of_floats(name: str, method: str, doc: str) -> Any:
    """The function of the builder, under Theano's name."""

    def function(x: Any) -> Tensor:
        (x,), _ = b._promote(b.tensor(x), floats=True)
        return getattr(b, method)(x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return located(function)


sqrt = _of_floats("sqrt", "sqrt", "The root; nan below 0.")
exp = _of_floats("exp", "exp", "e to the power of x.")
exp2 = _of_floats("exp2", "exp2", "2 to the power of x.")
expm1 = _of_floats("expm1", "expm1", "exp(x) - 1, accurate for small x.")
log = _of_floats("log", "log", "The natural logarithm; -inf at 0, nan below.")
log2 = _of_floats("log2", "log2", "The logarithm to base 2.")
log10 = _of_floats("log10", "log10", "The logarithm to base 10.")
log1p = _of_floats("log1p", "log1p", "log(1 + x), accurate for small x.")
sin = _of_floats("sin", "sin", "The sine of an angle in radians.")
cos = _of_floats("cos", "cos", "The cosine of an angle in radians.")
tan = _of_floats("tan", "tan", "The tangent of an angle in radians.")
sinh = _of_floats("sinh", "sinh", "The hyperbolic sine.")
cosh = _of_floats("cosh", "cosh", "The hyperbolic cosine.")
tanh = _of_floats("tanh", "tanh", "The hyperbolic tangent.")
arcsin = _of_floats("arcsin", "asin", "The angle whose sine is x.")
arccos = _of_floats("arccos", "acos", "The angle whose cosine is x.")
arctan = _of_floats("arctan", "atan", "The angle whose tangent is x.")
arcsinh = _of_floats("arcsinh", "asinh", "The inverse of sinh.")
arccosh = _of_floats("arccosh", "acosh", "The inverse of cosh.")
arctanh = _of_floats("arctanh", "atanh", "The inverse of tanh.")
erf = _of_floats("erf", "erf", "The error function.")
erfc = _of_floats("erfc", "erfc", "1 - erf(x), accurate for large x.")
erfinv = _of_floats("erfinv", "erfinv", "The inverse of erf.")
gammaln = _of_floats("gammaln", "lgamma", "log |gamma(x)|.")
psi = _of_floats("psi", "digamma", "The derivative of gammaln.")
digamma = psi


#: From where on the series of erfcx for large x is exact to rounding, and exp(x^2) has not overflowed yet.
SERIES_FROM = {F32: 6.0, F64: 12.0}


@located
def erfcx(x: Any) -> Tensor:
    """exp(x^2) erfc(x), which for large x is the series of Abramowitz and Stegun 7.1.23."""
    (x,), element = b._promote(b.tensor(x), floats=True)
    if element not in SERIES_FROM:
        return b.cast(erfcx(b.cast(x, F32)), element)
    end = SERIES_FROM[element]
    # Each branch sees numbers of its own alone, so that what is not chosen has no infinite gradient.
    small, large = minimum(x, end), maximum(x, end)
    half = true_div(0.5, sqr(large))
    series = b.full_like(x, 1)
    for k in range(8, 0, -1):
        series = sub(1, mul(2 * k - 1, mul(half, series)))
    far = true_div(series, mul(large, _number(np.sqrt(np.pi), element)))
    return switch(lt(x, end), mul(exp(sqr(small)), erfc(small)), far)


@located
def gamma(x: Any) -> Tensor:
    """The gamma function: nan at whole numbers below 0, where it has poles on both sides."""
    (x,), element = b._promote(b.tensor(x), floats=True)
    size, below = exp(gammaln(x)), floor(x)
    signed = switch(and_(lt(x, 0), eq(mod(below, 2), 1)), neg(size), size)
    zero = eq(x, 0)
    at_zero = switch(zero, reciprocal(switch(zero, x, b.full_like(x, 1))), signed)  # -inf at -0.0
    return switch(and_(lt(x, 0), eq(below, x)), _number(float("nan"), element), at_zero)


@located
def polygamma(n: int, x: Any) -> Tensor:
    """The n-th derivative of psi."""
    return b.polygamma(x, n)


@located
def tri_gamma(x: Any) -> Tensor:
    """The derivative of psi."""
    return b.polygamma(x, 1)


@located
def arctan2(y: Any, x: Any) -> Tensor:
    """The angle of the point (x, y)."""
    return b.atan2(y, x)


@located
def logaddexp(x: Any, y: Any) -> Tensor:
    """log(exp(x) + exp(y)) without overflow."""
    (x, y), element = b._promote(b.tensor(x), b.tensor(y), floats=True)
    high, low = maximum(x, y), minimum(x, y)
    return switch(eq(high, low), add(high, _number(np.log(2.0), element)), add(high, log1p(exp(sub(low, high)))))


@located
def deg2rad(x: Any) -> Tensor:
    """Degrees in radians."""
    return _scaled(x, np.pi / 180)


@located
def rad2deg(x: Any) -> Tensor:
    """Radians in degrees."""
    return _scaled(x, 180 / np.pi)


def _scaled(x: Any, factor: float) -> Tensor:
    """x times a number, in the floats of x."""
    (x,), element = b._promote(b.tensor(x), floats=True)
    return b.mul(x, _number(factor, element))


def _number(number: float, element: Type) -> Tensor:
    """A number in this element type, whatever the dtype that Python's floats count as."""
    return b.cast(b.constant(number, F64), element)


# --- rounding --------------------------------------------------------------------------------------------------------

floor = _of_floats("floor", "floor", "The next whole number below, as a float.")
ceil = _of_floats("ceil", "ceil", "The next whole number above, as a float.")
trunc = _of_floats("trunc", "trunc", "The whole number without the fraction, as a float.")


@located
def round(x: Any, mode: str = "half_to_even") -> Tensor:
    """The nearest whole number. mode: "half_to_even" or "half_away_from_zero"."""
    ways = {"half_to_even": "even", "half_away_from_zero": "away"}
    if mode not in ways:
        raise GraphTypeError(f"the mode must be one of {', '.join(ways)}, got {mode!r}")
    return b.round(x, ways[mode])


@located
def round_half_to_even(x: Any) -> Tensor:
    """The nearest whole number, of two the even one."""
    return b.round(x)


@located
def round_half_away_from_zero(x: Any) -> Tensor:
    """The nearest whole number, of two the one away from 0."""
    return b.round(x, "away")


# --- comparison and choice -------------------------------------------------------------------------------------------


def _comparison(name: str, predicate: str) -> Any:
    def function(x: Any, y: Any) -> Tensor:
        return b.cmp(predicate, x, y)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Whether x {predicate} y, element by element, as booleans."
    return located(function)


lt, le, gt, ge = (_comparison(name, name) for name in ("lt", "le", "gt", "ge"))
eq, neq = _comparison("eq", "eq"), _comparison("neq", "ne")


@located
def isnan(x: Any) -> Tensor:
    """Whether x is nan."""
    return b.is_nan(x)


@located
def isinf(x: Any) -> Tensor:
    """Whether x is an infinity."""
    return b.is_inf(x)


@located
def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x - y| <= atol + rtol |y|; infinities are close to themselves."""
    x, y = b.tensor(x), b.tensor(y)
    near = and_(le(abs(x - y), atol + rtol * abs(y)), and_(b.is_finite(x), b.is_finite(y)))
    found = or_(near, eq(x, y))
    return or_(found, and_(isnan(x), isnan(y))) if equal_nan else found


@located
def allclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all are close."""
    return b.all(isclose(x, y, rtol, atol, equal_nan))


@located
def switch(condition: Any, x: Any, y: Any) -> Tensor:
    """x where the condition holds (is not 0), else y; both are computed."""
    condition = b.tensor(condition)
    if condition.type.element is not I1:
        condition = b.cmp("ne", condition, 0)
    return b.select(condition, x, y)


@located
def where(condition: Any, x: Any = None, y: Any = None) -> Tensor:
    """As `switch`."""
    if x is None or y is None:
        message = "a condition alone chooses a number of elements that only run time knows"
        raise GraphTypeError(message, hint="write T.where(condition, x, y)")
    return switch(condition, x, y)


# --- bits ------------------------------------------------------------------------------------------------------------


@located
def and_(x: Any, y: Any) -> Tensor:
    """Both, bit by bit."""
    return b.and_(x, y)


@located
def or_(x: Any, y: Any) -> Tensor:
    """One or both, bit by bit."""
    return b.or_(x, y)


@located
def xor(x: Any, y: Any) -> Tensor:
    """One but not both, bit by bit."""
    return b.xor(x, y)


@located
def invert(x: Any) -> Tensor:
    """The other bits."""
    return b.not_(x)


bitwise_and, bitwise_or, bitwise_xor, bitwise_not = and_, or_, xor, invert

# --- element types ---------------------------------------------------------------------------------------------------


@located
def cast(x: Any, dtype: Any) -> Tensor:
    """x in another dtype ("floatX" is the configured one); floats lose their fraction in integers, bool is x != 0."""
    x, element = b.tensor(x), element_of(dtype)
    if element is I1 and x.type.element is not I1:
        return b.cmp("ne", x, 0)
    return b.cast(x, element)


@located
def real(x: Any) -> Tensor:
    """x itself: there are no complex numbers."""
    return b.tensor(x)


conj = real


@located
def imag(x: Any) -> Tensor:
    """0 everywhere: there are no complex numbers."""
    return b.full_like(x, 0)


@located
def angle(x: Any) -> Tensor:
    """0 for positive numbers, pi for negative ones, as float64."""
    x = b.cast(b.tensor(x), F64)
    return b.atan2(b.full_like(x, 0), x)


@located
def fill(x: Any, value: Any) -> Tensor:
    """A tensor of the shape of x, full of a number."""
    return second(x, value)


@located
def second(x: Any, value: Any) -> Tensor:
    """`value`, broadcast to the shape of x and its own."""
    x, value = b.tensor(x), b.tensor(value)
    return stretched(value, b._common_shape([x, value]))


@located
def identity_like(x: Any) -> Tensor:
    """1 on the diagonal of a matrix of the shape of x, 0 elsewhere."""
    x = b.tensor(x)
    if x.type.rank != 2:
        raise TirError(f"needs a matrix, got {x.type}")
    rows, columns = b.shape(x)
    return b.eye(rows, columns, 0, x.type.element)
