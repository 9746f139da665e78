"""asin, acos, atan and atan2 for `expand-math`.

`math_expansions.py` says what the builder `s` and its values are. `tools/fit_math.py` computes the constants.
"""

from __future__ import annotations

from tir.dialects.math_expansions_base import (
    Scalars,
    Value,
    by_format,
    floats,
    format_of,
    polynomial,
    two_sum,
)

__all__ = [
    "ASIN_F32", "ASIN_F64", "ATAN_F32", "ATAN_F64", "ATAN_HALF_F32", "ATAN_HALF_F64", "HALF_PI_F32", "HALF_PI_F64",
    "acos", "asin", "atan", "atan2",
]  # fmt: skip

# asin(x) = x + x^3 ASIN(x^2) for |x| up to 1/2, atan(x) = x + x^3 ATAN(x^2) for |x| up to 1/3.
ASIN_F32 = floats(  # within 2^-27.57
    "0x1.5555c8p-3 0x1.330246p-4 0x1.747212p-5 0x1.8caecep-6 0x1.58f460p-5"
)
ASIN_F64 = floats(  # within 2^-55.83
    "0x1.5555555555399p-3 0x1.333333336d0c6p-4 0x1.6db6db438bf1dp-5 0x1.f1c72bdb3836fp-6 0x1.6e89fd4d337c6p-6 "
    "0x1.1c6b575742861p-6 0x1.c70876a6feda2p-7 0x1.8e7ce740fc94ep-7 0x1.ae2946e15bc09p-8 0x1.3e5cdb40af60fp-6 "
    "-0x1.075a90079030dp-6 0x1.04975b2137fa3p-5"
)
ATAN_F32 = floats(  # within 2^-28.4
    "-0x1.555520p-2 0x1.99753ep-3 -0x1.20a748p-3 0x1.6f767ep-4"
)
ATAN_F64 = floats(  # within 2^-61.06
    "-0x1.555555555554bp-2 0x1.999999999766dp-3 -0x1.2492492345009p-3 0x1.c71c7102fb63bp-4 -0x1.745cf5fffd59cp-4 "
    "0x1.3b102f91ca4b7p-4 -0x1.10d432be8d90ep-4 0x1.dc893a772df11p-5 -0x1.8915154333152p-5 0x1.c9655e53a0fc9p-6"
)
# Each a high and a low part.
HALF_PI_F32 = floats("0x1.921fb6p+0 -0x1.777a5cp-25")
HALF_PI_F64 = floats("0x1.921fb54442d18p+0 0x1.1a62633145c07p-54")
ATAN_HALF_F32 = floats("0x1.dac670p-2 0x1.586ed4p-28")
ATAN_HALF_F64 = floats("0x1.dac670561bb4fp-2 0x1.a2b7f222f65e2p-56")


def asin(s: Scalars, x: Value) -> Value:
    """The inverse sine, within 1.2 ULP in f32 and 1.2 in f64. Keeps -0.0; nan for |x| > 1."""
    u, v, is_large = _asin_of_half_angle(s, x)
    half_pi, half_pi_low = (s.const(part, x) for part in by_format(s, x, HALF_PI_F32, HALF_PI_F64))
    two = s.const(-2.0, x)
    leading = s.fma(u, two, half_pi)
    lost = s.fma(u, two, s.sub(half_pi, leading))
    large = s.add(leading, s.fma(v, two, s.add(lost, half_pi_low)))
    return s.copysign(s.select(is_large, large, s.add(u, v)), x)


def acos(s: Scalars, x: Value) -> Value:
    """The inverse cosine, within 1.2 ULP in f32 and 1.15 in f64. 0.0 for 1; nan for |x| > 1.

    pi / 2 - asin(x) up to 1/2, above 2 asin(sqrt((1 - x) / 2)), and pi minus that for -x below -1/2.
    """
    u, v, is_large = _asin_of_half_angle(s, x)
    half_pi, half_pi_low = by_format(s, x, HALF_PI_F32, HALF_PI_F64)
    factor = s.copysign(s.select(is_large, s.const(2.0, x), s.const(-1.0, x)), x)
    factor = s.select(is_large, factor, s.neg(s.copysign(s.const(1.0, x), x)))
    is_negative = s.cmp("lt", x, s.const(0.0, x))

    def start(part: float) -> Value:
        far = s.select(is_negative, s.const(2 * part, x), s.const(0.0, x))
        return s.select(is_large, far, s.const(part, x))

    leading = s.fma(u, factor, start(half_pi))
    lost = s.fma(u, factor, s.sub(start(half_pi), leading))
    return s.add(leading, s.fma(v, factor, s.add(lost, start(half_pi_low))))


def _asin_of_half_angle(s: Scalars, x: Value) -> tuple[Value, Value, Value]:
    """asin(u) = u + v and whether |x| > 1/2; u is |x| or, there, sqrt((1 - |x|) / 2)."""
    size, half = s.abs(x), s.const(0.5, x)
    is_large = s.cmp("gt", size, half)
    square = s.select(is_large, s.fma(size, s.const(-0.5, x), half), s.mul(size, size))
    u = s.select(is_large, s.sqrt(square), size)
    return u, s.mul(u, s.mul(square, polynomial(s, square, by_format(s, x, ASIN_F32, ASIN_F64)))), is_large


def atan(s: Scalars, x: Value) -> Value:
    """The inverse tangent, within 1.0 ULP in f32 and 1.0 in f64. Keeps -0.0."""
    size, one = s.abs(x), s.const(1.0, x)
    is_steep = s.cmp("gt", size, one)
    near, far = s.select(is_steep, one, size), s.select(is_steep, size, one)
    # Of a number so large that adding to it could overflow, the inverse does not count.
    limit = s.const(2.0 ** (2 * format_of(s, x).fraction_bits), x)
    far = s.select(s.cmp("gt", far, limit), limit, far)
    return s.copysign(_angle(s, near, far, is_steep, None), x)


def atan2(s: Scalars, y: Value, x: Value) -> Value:
    """The angle of the point (x, y), within 1.1 ULP in f32 and 1.1 in f64.

    Special cases are those of C99's atan2: with zeros and infinities the signs choose one of the eight directions.
    """
    zero, one = s.const(0.0, x), s.const(1.0, x)
    is_steep = s.cmp("gt", s.abs(y), s.abs(x))
    near = s.select(is_steep, s.abs(x), s.abs(y))
    far = s.select(is_steep, s.abs(y), s.abs(x))
    near, far = _in_safe_range(s, near, far)
    is_left = s.cmp("lt", s.copysign(one, x), zero)
    result = s.copysign(_angle(s, near, far, is_steep, is_left), y)
    return s.select(s.cmp("eq", x, x), s.select(s.cmp("eq", y, y), result, y), x)


def _in_safe_range(s: Scalars, near: Value, far: Value) -> tuple[Value, Value]:
    """Numbers of the same quotient, near <= far, that neither overflow when added nor lose digits when halved."""
    form = format_of(s, near)
    one, zero = s.const(1.0, near), s.const(0.0, near)
    digits = form.fraction_bits + 4
    infinity = s.const(float("inf"), near)
    both = s.select(s.cmp("eq", near, infinity), one, zero)
    is_infinite = s.cmp("eq", far, infinity)
    near, far = s.select(is_infinite, both, near), s.select(is_infinite, one, far)
    far = s.select(s.cmp("eq", far, zero), one, far)
    is_huge = s.cmp("gt", far, s.const(2.0 ** (form.bias - 2), near))
    is_tiny = s.cmp("lt", far, s.const(form.smallest_normal * 2.0**digits, near))
    scale = s.select(is_huge, s.const(2.0**-digits, near), s.select(is_tiny, s.const(2.0**digits, near), one))
    return s.mul(near, scale), s.mul(far, scale)


def _angle(s: Scalars, near: Value, far: Value, is_steep: Value, is_left: Value | None) -> Value:
    """atan(near / far) for 0 <= near <= far; pi / 2 minus it if steep; then pi minus it if left.

    For a quotient t above 1/3, atan(t) = atan(1/2) + atan((t - 1/2) / (1 + t / 2)); near - far / 2 is exact.
    """
    half = s.const(0.5, far)
    is_middle = s.cmp("gt", near, s.mul(far, s.const(0.3359375, far)))
    above = s.select(is_middle, s.fma(far, s.neg(half), near), near)
    below = s.select(is_middle, s.fma(near, half, far), far)
    t = s.div(above, below)
    square = s.mul(t, t)
    tail = s.mul(t, s.mul(square, polynomial(s, square, by_format(s, t, ATAN_F32, ATAN_F64))))
    zero = s.const(0.0, t)
    middle, middle_low = (s.const(part, t) for part in by_format(s, t, ATAN_HALF_F32, ATAN_HALF_F64))
    angle, lost = two_sum(s, s.select(is_middle, middle, zero), t)
    angle_low = s.add(lost, s.add(s.select(is_middle, middle_low, zero), tail))
    turned = is_steep if is_left is None else s.xor(is_steep, is_left)
    angle, angle_low = (s.select(turned, s.neg(part), part) for part in (angle, angle_low))
    start, start_low = (
        _start(s, part, t, is_steep, is_left) for part in by_format(s, t, HALF_PI_F32, HALF_PI_F64)
    )
    total, lost = two_sum(s, start, angle)
    return s.add(total, s.add(lost, s.add(start_low, angle_low)))


def _start(s: Scalars, half_pi: float, like: Value, is_steep: Value, is_left: Value | None) -> Value:
    """What the angle is added to: 0, or pi if left; pi / 2 if steep."""
    flat = s.const(0.0, like)
    if is_left is not None:
        flat = s.select(is_left, s.const(2 * half_pi, like), flat)
    return s.select(is_steep, s.const(half_pi, like), flat)
