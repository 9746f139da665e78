"""numpy's functions of elements on traced arrays. numpy itself says what element type each computes in."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tir.dialects.tir.elements import fits_exactly
from tir.ir.errors import TirError
from tir.ir.types import F16, F32, F64, I1, I64, FloatType, IntegerType, type_of_dtype
from tir.lazy import np
from tir.numpy.arrays import Array, as_array, is_bool
from tir.numpy.common import as_operand, cast, element_of, fits_all, fitting, promoted, refuse, resolved, traced

__all__ = ["FUNCTIONS", "astype", "clip", "fix", "i0", "isclose", "nan_to_num", "round_", "sinc", "where"]


# --- functions in terms of others ------------------------------------------------------------------------------------


def _hypot(b: Any, x: Any, y: Any) -> Any:
    """sqrt(x^2 + y^2) without overflow; an infinity beside nan is infinite."""
    x, y = b.abs(x), b.abs(y)
    large, small = b.maximum(x, y), b.minimum(x, y)
    is_flat = b.or_(b.cmp("eq", large, 0), b.is_inf(large))
    ratio = b.div(small, b.select(is_flat, b.full_like(large, 1), large))
    found = b.select(is_flat, large, b.mul(large, b.sqrt(b.add(b.mul(ratio, ratio), 1))))
    return b.select(b.or_(b.is_inf(x), b.is_inf(y)), b.full_like(x, float("inf")), found)


def _logaddexp(b: Any, x: Any, y: Any) -> Any:
    """log(exp(x) + exp(y)); equal infinities are the result."""
    same = b.cmp("eq", x, y)
    gap = b.select(same, b.full_like(x, 0), b.sub(x, y))
    return b.add(b.maximum(x, y), b.log1p(b.exp(b.neg(b.abs(gap)))))


def _logaddexp2(b: Any, x: Any, y: Any) -> Any:
    same = b.cmp("eq", x, y)
    gap = b.select(same, b.full_like(x, 0), b.sub(x, y))
    log1p = b.mul(b.log1p(b.exp2(b.neg(b.abs(gap)))), 1.4426950408889634)  # 1 / log(2)
    return b.add(b.maximum(x, y), log1p)


def _heaviside(b: Any, x: Any, at_zero: Any) -> Any:
    step = b.select(b.cmp("gt", x, 0), b.full_like(x, 1), b.full_like(x, 0))
    return b.select(b.is_nan(x), x, b.select(b.cmp("eq", x, 0), at_zero, step))


def _fmax(b: Any, x: Any, y: Any) -> Any:
    if is_bool(x):
        return b.or_(x, y)
    return b.select(b.is_nan(x), y, b.select(b.is_nan(y), x, b.maximum(x, y)))


def _fmin(b: Any, x: Any, y: Any) -> Any:
    if is_bool(x):
        return b.and_(x, y)
    return b.select(b.is_nan(x), y, b.select(b.is_nan(y), x, b.minimum(x, y)))


def _logical(method: str) -> Callable[..., Any]:
    def joined(b: Any, *xs: Any) -> Any:
        return getattr(b, method)(*(cast(b, x, I1) for x in xs))

    return joined


def _compared(predicate: str) -> Callable[..., Any]:
    def compared(b: Any, x: Any, y: Any) -> Any:
        if x.type.element is y.type.element:
            return b.cmp(predicate, x, y)
        # i64 beside ui64: a negative number is below all others, any other is the same number in both.
        signed, is_left = (x, True) if x.type.element is I64 else (y, False)
        below = b.full(predicate in ("ne", "lt", "le") if is_left else predicate in ("ne", "gt", "ge"), b.shape(x), I1)
        unsigned = element_of("uint64")
        same = b.cmp(predicate, b.cast(x, unsigned), b.cast(y, unsigned))
        return b.select(b.cmp("lt", signed, 0), below, same)

    return compared


def _gcd(b: Any, x: Any, y: Any) -> Any:
    """The greatest common divisor, by Euclid: all pairs go on until the last is done."""

    def step(x: Any, y: Any) -> list[Any]:
        is_done = b.cmp("eq", y, 0)
        rest = b.rem(x, b.select(is_done, b.full_like(y, 1), y))
        return [b.select(is_done, x, y), b.select(is_done, y, rest)]

    return b.abs(b.while_loop(lambda x, y: b.any(b.cmp("ne", y, 0)), step, [x, y])[0])


def _lcm(b: Any, x: Any, y: Any) -> Any:
    divisor = _gcd(b, x, y)
    return b.abs(b.mul(b.div(x, b.select(b.cmp("eq", divisor, 0), b.full_like(x, 1), divisor)), y))


def _ldexp(b: Any, x: Any, exponent: Any) -> Any:
    """x 2^exponent, rounded once: the powers of two of each step are exact, and whatever follows a rounding is 0."""
    most = {F16: 14, F64: 1000}.get(x.type.element, 120)
    rest = b.clamp(b.cast(exponent, I64), -3 * most, 3 * most)
    for _ in range(3):
        part = b.clamp(rest, -most, most)
        x, rest = b.mul(x, b.exp2(b.cast(part, x.type.element))), b.sub(rest, part)
    return x


def _nextafter(b: Any, x: Any, y: Any) -> Any:
    """The number beside x on the way to y; as whole numbers, the bits of neighbours differ by 1."""
    element = x.type.element
    bits = b.bitcast(x, type_of_dtype(f"int{element.width}"))
    one = b.full_like(bits, 1)
    from_zero = b.cmp("eq", b.cmp("gt", x, 0), b.cmp("lt", x, y))
    found = b.bitcast(b.select(from_zero, b.add(bits, one), b.sub(bits, one)), element)
    found = b.select(b.cmp("eq", x, 0), b.copysign(b.bitcast(one, element), y), found)
    found = b.select(b.cmp("eq", x, y), y, found)
    return b.select(b.or_(b.is_nan(x), b.is_nan(y)), b.add(x, y), found)


def _bitwise_count(b: Any, x: Any) -> Any:
    """How many bits of |x| are 1: sums of neighbours, in pairs, fours and bytes (Warren, Hacker's Delight, 5-1)."""
    if is_bool(x):
        return x
    unsigned = type_of_dtype(f"uint{x.type.element.width}")
    x = b.cast(b.cast(x if x.type.element is unsigned else b.abs(x), unsigned), element_of("uint64"))

    def every(mask: int, shift: int) -> Any:
        return b.and_(b.shr(x, b.full_like(x, shift)) if shift else x, b.full_like(x, mask * (2**64 // 255)))

    for mask, shift in ((0x55, 1), (0x33, 2), (0x0F, 4)):
        x = b.add(every(mask, 0), every(mask, shift))
    return b.shr(b.mul(x, b.full_like(x, 2**64 // 255)), b.full_like(x, 56))


def _power(b: Any, x: Any, y: Any) -> Any:
    return b.pow(x, y)


def _reciprocal(b: Any, x: Any) -> Any:
    return b.reciprocal(x) if isinstance(x.type.element, FloatType) else b.div(b.full_like(x, 1), x)


def _on_bools(name: str, of_bools: str) -> Callable[..., Any]:
    """A method, and the one that numpy means of truth values."""
    return lambda b, *xs: getattr(b, of_bools if is_bool(xs[0]) else name)(*xs)


def _itself(b: Any, x: Any) -> Any:
    return x


#: What each function makes of operands of the element type that numpy computes in, and of one shape.
MAKERS: dict[str, str | Callable[..., Any]] = {
    "add": _on_bools("add", "or_"), "subtract": "sub", "multiply": _on_bools("mul", "and_"), "divide": "div",
    "true_divide": "div", "floor_divide": "floordiv", "remainder": "mod", "mod": "mod", "fmod": "rem", "power": _power,
    "float_power": _power, "maximum": _on_bools("maximum", "or_"), "minimum": _on_bools("minimum", "and_"), "fmax": _fmax,
    "fmin": _fmin, "hypot": _hypot, "arctan2": "atan2", "copysign": "copysign", "logaddexp": _logaddexp,
    "logaddexp2": _logaddexp2, "heaviside": _heaviside,
    "negative": "neg", "positive": _itself, "absolute": lambda b, x: x if is_bool(x) else b.abs(x), "fabs": "abs",
    "sign": "sign", "square": lambda b, x: x if is_bool(x) else b.square(x), "reciprocal": _reciprocal, "sqrt": "sqrt",
    "cbrt": "cbrt", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10",
    "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "degrees": lambda b, x: b.mul(x, 57.29577951308232), "radians": lambda b, x: b.mul(x, 0.017453292519943295),
    "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "round",
    "equal": _compared("eq"), "not_equal": _compared("ne"), "less": _compared("lt"), "less_equal": _compared("le"),
    "greater": _compared("gt"), "greater_equal": _compared("ge"), "logical_and": _logical("and_"),
    "logical_or": _logical("or_"), "logical_xor": _logical("xor"), "logical_not": _logical("not_"),
    "bitwise_and": "and_", "bitwise_or": "or_", "bitwise_xor": "xor", "invert": "not_", "left_shift": "shl",
    "right_shift": "shr", "isnan": "is_nan", "isinf": "is_inf", "isfinite": "is_finite",
    "conjugate": _itself, "gcd": _gcd, "lcm": _lcm, "ldexp": _ldexp, "nextafter": _nextafter,
    "bitwise_count": _bitwise_count,
    "signbit": lambda b, x: b.cmp("lt", b.copysign(b.full_like(x, 1), x), 0),
}  # fmt: skip
#: Other names of the same.
SAME = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "bitwise_invert": "invert", "bitwise_left_shift": "left_shift",
    "bitwise_not": "invert", "bitwise_right_shift": "right_shift", "conj": "conjugate", "deg2rad": "radians", "pow": "power",
    "rad2deg": "degrees",
}  # fmt: skip
#: What Python's operators on its own numbers give is a number of the same kind.
KEEP_WEAK = {
    "add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "remainder", "power", "negative", "absolute",
    "positive",
}  # fmt: skip


def _function(name: str) -> Callable[..., Any]:
    count = getattr(np, name).nin
    maker = MAKERS[name]

    def of_elements(
        b: Any, *xs: Any, out: Any = None, where: Any = True, dtype: Any = None, casting: Any = None, order: Any = None,
        subok: Any = None,
    ) -> Any:  # fmt: skip
        refuse(out=out, where=None if where is True else where)
        if len(xs) != count:
            raise TirError(f"takes {count} arrays, got {len(xs)}")
        operands = _checked(name, [as_operand(b, x) for x in xs])
        if name in COMPARED and (sign := _beyond(operands)):
            x = next(x for x in operands if isinstance(x, Array))
            is_left = isinstance(operands[0], Array)
            answer = COMPARED[name](-sign if is_left else sign, 0)
            return Array(b, b.full(answer, b.shape(x), I1).value)
        if name == "power" and dtype is None and _is_square(*operands):
            return FUNCTIONS["square"](operands[0])
        if dtype is not None:
            operands = [cast(b, as_array(b, x), element_of(dtype)) for x in operands]
        *types, result = resolved(name, operands)
        if name in COMPARED:
            types = _types_to_compare(operands, types)
        tensors = _same_shape(b, name, operands, types)
        made = getattr(b, maker)(*tensors) if isinstance(maker, str) else maker(b, *tensors)
        is_weak = name in KEEP_WEAK and all(not isinstance(x, Array) or x.is_weak for x in operands)
        return Array(b, b.cast(made, result).value, is_weak)

    of_elements.__name__ = name
    return traced(of_elements)


def _checked(name: str, operands: list[Any]) -> list[Any]:
    """The operands; TirError for a whole number to a negative whole power, which numpy refuses, too."""
    if name == "power" and type(operands[1]) is int and operands[1] < 0:
        x = operands[0]
        if isinstance(x, Array) and isinstance(x.type.element, IntegerType):
            raise TirError(f"a whole number has no power {operands[1]} that is whole", hint=f"write x ** {operands[1]}.0")
    return operands


#: Comparisons in Python.
COMPARED = {
    "equal": operator.eq, "not_equal": operator.ne, "less": operator.lt, "less_equal": operator.le,
    "greater": operator.gt, "greater_equal": operator.ge,
}  # fmt: skip


def _beyond(operands: list[Any]) -> int:
    """1 for a Python number that is above all of the whole numbers of the array beside it, -1 below; else 0."""
    numbers = [x for x in operands if type(x) is int]
    arrays = [x for x in operands if isinstance(x, Array) and isinstance(x.type.element, IntegerType) and not x.is_weak]
    if len(numbers) != 1 or len(arrays) != 1 or is_bool(arrays[0]) or fits_exactly(numbers[0], arrays[0].type.element):
        return 0
    return 1 if numbers[0] > 0 else -1


def _types_to_compare(operands: list[Any], types: list[Any]) -> list[Any]:
    """The types in which operands are compared: i64 for whole numbers of the caller's, which need not fit the array."""
    weak = [isinstance(x, Array) and x.is_weak and x.type.element is I64 for x in operands]
    small = [isinstance(type, IntegerType) and 1 < type.width and fits_all(type, I64) for type in types]
    return [I64] * len(types) if any(weak) and all(small) else types


def _is_square(x: Any, y: Any) -> bool:
    """y is the number 2, which changes nothing about the element type of x."""
    if not isinstance(x, Array) or x.is_weak or isinstance(y, (bool, Array)) or y != 2:
        return False
    return isinstance(y, int) or isinstance(x.type.element, FloatType)


def _same_shape(b: Any, name: str, operands: list[Any], types: list[Any]) -> list[Any]:
    """The operands in these element types and in one shape."""
    known = [cast(b, fitting(b, x, type), type) if isinstance(x, Array) else x for x, type in zip(operands, types)]
    for x, type in zip(known, types):
        if not isinstance(x, Array) and not fits_exactly(x, type):
            raise TirError(f"the number {x} is no {type}", hint="x.astype(..) converts the array beside it")
    arrays = [x for x in known if isinstance(x, Array)]
    shape = b._common_shape(arrays)
    return [b.broadcast_to(x, shape) if isinstance(x, Array) else b.full(x, shape, type) for x, type in zip(known, types)]


#: All of them by the name that numpy has.
FUNCTIONS = {name: _function(name) for name in MAKERS}
FUNCTIONS |= {name: FUNCTIONS[other] for name, other in SAME.items()}


# --- others ----------------------------------------------------------------------------------------------------------


@traced
def astype(b: Any, x: Any, dtype: Any, copy: bool = True, device: Any = None) -> Array:
    return cast(b, as_array(b, x), element_of(dtype))


@traced
def where(b: Any, condition: Any, x: Any = None, y: Any = None) -> Array:
    if x is None or y is None:
        message = "without two arrays to choose from it cannot be traced: how many places it finds only run time knows"
        raise TirError(message, hint="write numpy.where(condition, x, y)")
    chosen = cast(b, as_array(b, condition), I1)
    first, second = promoted(b, [x, y])
    shape = b._common_shape([chosen, first, second])
    found = b.select(*(b.broadcast_to(one, shape) for one in (chosen, first, second)))
    return Array(b, found.value, first.is_weak)


@traced
def clip(
    b: Any, a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None
) -> Array:
    refuse(out=out)
    found = as_array(b, a)
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    low = None if _beyond([found, low]) == -1 else low
    high = None if _beyond([found, high]) == 1 else high
    if low is not None:
        found = FUNCTIONS["maximum"](found, low)
    return found if high is None else FUNCTIONS["minimum"](found, high)


@traced
def round_(b: Any, a: Any, decimals: int = 0, out: Any = None) -> Array:
    refuse(out=out)
    x = as_array(b, a)
    if not isinstance(x.type.element, FloatType):
        if decimals < 0:
            raise TirError("whole numbers are not rounded to tens", hint="x.astype(float) converts")
        return cast(b, x, F16) if is_bool(x) else x
    if decimals == 0:
        return Array(b, b.round(x).value)
    scale = float(10 ** abs(decimals))
    return FUNCTIONS["rint"](x * scale) / scale if decimals > 0 else FUNCTIONS["rint"](x / scale) * scale


@traced
def nan_to_num(b: Any, x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    x = as_array(b, x)
    if not isinstance(x.type.element, FloatType):
        return x
    most = {F16: 65504.0, F32: float(np.finfo(np.float32).max), F64: float(np.finfo(np.float64).max)}
    largest = most.get(x.type.element, 3.3895313892515355e38)  # of bf16
    found = where(FUNCTIONS["isnan"](x), nan, x)
    found = where(x == float("inf"), largest if posinf is None else posinf, found)
    return where(x == -float("inf"), -largest if neginf is None else neginf, found)


@traced
def sinc(b: Any, x: Any) -> Array:
    y = FUNCTIONS["multiply"](x, float(np.pi))
    safe = where(y == 0, 1.0, y)
    return where(y == 0, 1.0, FUNCTIONS["sin"](safe) / safe)


#: From where on the series of i0 for large numbers is exact to rounding in f64.
I0_SERIES_FROM = 20.0


@traced
def i0(b: Any, x: Any) -> Array:
    """Bessel's function of order 0 with imaginary argument: Abramowitz and Stegun, 9.6.12 and for large x 9.7.1.

    Computed in f64, so that f32 is infinite only where the result is, and f64 where exp(x) is, as in numpy.
    """
    given = as_array(b, x)
    element = given.type.element if isinstance(given.type.element, FloatType) else F64
    x = FUNCTIONS["absolute"](cast(b, given, F64))
    # Each branch sees numbers of its own alone, so that what is not chosen has no infinite gradient.
    small, large = FUNCTIONS["minimum"](x, I0_SERIES_FROM), FUNCTIONS["maximum"](x, I0_SERIES_FROM)
    near, far = x * 0.0 + 1.0, x * 0.0 + 1.0
    for k in range(50, 0, -1):
        near = 1.0 + near * (small * small) * (0.25 / k**2)
    for k in range(30, 0, -1):
        far = 1.0 + far * ((2 * k - 1) ** 2 / (8.0 * k)) / large
    far = FUNCTIONS["exp"](large) * far / (FUNCTIONS["sqrt"](large) * float(np.sqrt(2 * np.pi)))
    return cast(b, where(x > I0_SERIES_FROM, far, where(FUNCTIONS["isnan"](x), x, near)), element)


@traced
def fix(b: Any, x: Any, out: Any = None) -> Array:
    return FUNCTIONS["trunc"](x, out=out)


@traced
def isclose(b: Any, a: Any, b_: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Array:
    x, y = as_array(b, a), as_array(b, b_)
    if is_bool(x) and is_bool(y):
        return FUNCTIONS["equal"](x, y)
    near = FUNCTIONS["absolute"](x - y) <= atol + rtol * FUNCTIONS["absolute"](y)
    found = where(FUNCTIONS["isfinite"](y), near, x == y)
    return found | (FUNCTIONS["isnan"](x) & FUNCTIONS["isnan"](y)) if equal_nan else found


@traced
def divmod_(b: Any, x1: Any, x2: Any) -> tuple[Array, Array]:
    return FUNCTIONS["floor_divide"](x1, x2), FUNCTIONS["remainder"](x1, x2)


@traced
def modf(b: Any, x: Any) -> tuple[Array, Array]:
    x = as_array(b, x)
    x = cast(b, x, resolved("modf", [x])[0])
    whole = FUNCTIONS["trunc"](x)
    part = where(FUNCTIONS["isinf"](x), 0.0, x - whole)
    return FUNCTIONS["copysign"](part, x), whole


def __getattr__(name: str) -> Any:
    """The functions of `FUNCTIONS`, as attributes of the module."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    raise AttributeError(name)
