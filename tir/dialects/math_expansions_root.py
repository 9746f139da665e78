"""The cube root for `expand-math`. `math_expansions.py` says what the builder `s` and its values are."""

from __future__ import annotations

import math

from tir.dialects.math_expansions_base import (
    F64,
    Scalars,
    Value,
    by_format,
    floats,
    format_of,
    polynomial,
    power_of_two,
    round_to_whole,
    split_any,
)

__all__ = ["CBRT_F32", "CBRT_F64", "cbrt"]

# The cube root of 1 + f for 1 + f in [1 / sqrt(2), sqrt(2)), to start from.
CBRT_F32 = floats(  # within 2^-16.55
    "0x1.000058p+0 0x1.553904p-2 -0x1.c92bb8p-4 0x1.0ce00ap-4 -0x1.3064a0p-5"
)
CBRT_F64 = floats(  # within 2^-16.55
    "0x1.00005882bd893p+0 0x1.55390801b8b51p-2 -0x1.c92cab07de77dp-4 0x1.0cdf15317cd04p-4 -0x1.305832d0d5253p-5"
)
# With the few digits that the start needs.
THIRD, CBRT_2, CBRT_HALF = floats("0x1.555554p-2 0x1.428a30p+0 0x1.965feap-1")


def cbrt(s: Scalars, x: Value) -> Value:
    """The cube root, within 0.51 ULP in f32 and 0.51 in f64. Keeps -0.0.

    |x| = 2^(3 n + j) (1 + f), with j -1, 0 or 1: the root of 1 + f from a polynomial, times that of 2^j. A step of
    Halley's iteration triples the digits (f64 needs it), a last step of Newton's takes what the root lacks with fma.
    """
    form, size = format_of(s, x), s.abs(x)
    k, f = split_any(s, size)
    n, bits = round_to_whole(s, k, THIRD, form.bias)
    j = s.fma(n, s.const(-3.0, x), k)
    is_up, is_down = s.cmp("gt", j, s.const(0.5, x)), s.cmp("lt", j, s.const(-0.5, x))

    def by_rest(up: float, down: float) -> Value:
        return s.select(is_up, s.const(up, x), s.select(is_down, s.const(down, x), s.const(1.0, x)))

    cube = s.mul(s.add(f, s.const(1.0, x)), by_rest(2.0, 0.5))
    root = s.mul(polynomial(s, f, by_format(s, x, CBRT_F32, CBRT_F64)), by_rest(CBRT_2, CBRT_HALF))
    if form is F64:
        third_power = s.mul(s.mul(root, root), root)
        step = s.div(s.sub(cube, third_power), s.fma(third_power, s.const(2.0, x), cube))
        root = s.fma(root, step, root)
    square = s.mul(root, root)
    square_low = s.fma(root, root, s.neg(square))
    rest = s.fma(s.neg(square_low), root, s.fma(s.neg(square), root, cube))
    root = s.add(root, s.div(rest, s.mul(square, s.const(3.0, x))))
    result = s.copysign(s.mul(root, power_of_two(s, bits, form)), x)
    is_number = s.and_(s.cmp("gt", size, s.const(0.0, x)), s.cmp("lt", size, s.const(math.inf, x)))
    return s.select(is_number, result, x)
