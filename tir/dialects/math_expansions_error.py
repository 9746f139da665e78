"""erf and erfc for `expand-math`. `math_expansions.py` says what the builder `s` and its values are.

`tools/fit_math.py` computes the constants.
"""

from __future__ import annotations

from tir.dialects.math_expansions_base import (
    Scalars,
    Value,
    at_most,
    by_format,
    exp_of_sum,
    floats,
    format_of,
    polynomial,
    round_to_whole,
    two_powers,
    two_sum,
    without_log_2,
)

__all__ = [
    "ERF_F32", "ERF_F64", "LOG_ERFC_F32", "LOG_ERFC_F64", "SCALED_ERFC_F32", "SCALED_ERFC_F64", "erf", "erfc",
]  # fmt: skip

# erf(x) = x + x ERF(x^2) for |x| up to 1; erfc(x) = e^-LOG_ERFC(x - 1) from there on; and for every x >= 0
# erfc(x) = e^-(x^2) SCALED_ERFC((x - 4) / (x + 4)) / (1 + 2 x).
ERF_F32 = floats(  # within 2^-29.34
    "0x1.06eba8p-3 -0x1.81273ep-2 0x1.ce2cf0p-4 -0x1.b7f858p-6 0x1.53ff92p-8 -0x1.a3c95cp-11 0x1.48edeep-14"
)
ERF_F64 = floats(  # within 2^-56.34
    "0x1.06eba8214db69p-3 -0x1.812746b0379fdp-2 0x1.ce2f21a043610p-4 -0x1.b82ce312ab114p-6 0x1.565bcd126eb03p-8 "
    "-0x1.c02db49267ac7p-11 0x1.f9a334289efeap-14 -0x1.f4d31e13b86f4p-17 0x1.b9ed791a90f17p-20 "
    "-0x1.5f8e89288ca2ap-23 0x1.fc0fdaf91b897p-27 -0x1.453261200b184p-30 0x1.2600810671331p-34"
)
LOG_ERFC_F32 = floats(  # within 2^-26.91
    "0x1.d97fc0p+0 0x1.51c99ep+1 0x1.afaf10p-1 0x1.5370cep-5 -0x1.3e9986p-7 0x1.9b87aap-10 0x1.47469cp-15 "
    "-0x1.ad82ecp-14 0x1.36fb56p-16"
)
LOG_ERFC_F64 = floats(  # within 2^-56.78
    "0x1.d97fbf27aa2a1p+0 0x1.51c9b0006c226p+1 0x1.afabc11a2aaa3p-1 0x1.5477f099f84c8p-5 -0x1.48c9d386ba1d6p-7 "
    "0x1.033f5a846b154p-9 -0x1.f1b05ca7639a1p-13 -0x1.b92cf0f3ae639p-16 0x1.c851d1f338f03p-16 "
    "-0x1.4483ed59c3b6bp-17 0x1.1e2847d246157p-19 -0x1.b82f48bd17350p-23 -0x1.f13b9571c9441p-25 "
    "0x1.1e519fe3ebda7p-25 -0x1.24152a89e77dep-27 0x1.69a45094fe9a7p-30 -0x1.0590c4a37ae5cp-33 "
    "0x1.5510a3cca9dc6p-38"
)
SCALED_ERFC_F32 = floats(  # within 2^-31.3; the first coefficient has two parts, here and below
    "0x1.3ba592p+0 -0x1.21a1eap-25 -0x1.1df1aep-3 0x1.f7f5acp-7 0x1.16ed3ep-4 -0x1.9dda28p-4 0x1.7fea62p-4 "
    "-0x1.0fbe60p-4 0x1.308e62p-5 -0x1.082528p-6 0x1.4cd520p-8 -0x1.d30da4p-11 -0x1.b0e044p-12 0x1.201e5ep-14"
)
SCALED_ERFC_F64 = floats(  # within 2^-59.39
    "0x1.3ba5916e9fd7fp+0 -0x1.a0a9ae508ae63p-55 -0x1.1df1ad154a28fp-3 0x1.f7f5df66fd6d0p-7 0x1.16ecefcfa5464p-4 "
    "-0x1.9ddb23c3e898cp-4 0x1.7fee004e10598p-4 -0x1.0fb06dfe54bb6p-4 0x1.3079edf6c7601p-5 -0x1.09623882ba6eap-6 "
    "0x1.49c672723c6c8p-8 -0x1.8d4a9c2b55d43p-11 -0x1.a1df17e37021dp-13 0x1.3be0693f9977ep-13 -0x1.995aa88cdc492p-16 "
    "-0x1.788d447f3c9e3p-17 0x1.7f3396597772cp-18 0x1.3bb8e9a1dd443p-22 -0x1.bb6c767dfeabap-21 0x1.3edc866a4ffd5p-24 "
    "0x1.d9f687fafb866p-24 -0x1.2d6df6d389d24p-26 -0x1.e474661fa35d8p-27 0x1.d1179af6a292cp-30 0x1.4b6c94d9d22adp-30"
)
# Where erf(x) is 1, and where erfc(x) is 0.
ERF_IS_ONE = {"f32": 4.0, "f64": 6.0}
ERFC_IS_ZERO = {"f32": 10.25, "f64": 27.25}


def erf(s: Scalars, x: Value) -> Value:
    """The error function, within 1.0 ULP in f32 and 1.05 in f64. Keeps -0.0."""
    form, size, one = format_of(s, x), s.abs(x), s.const(1.0, x)
    square = s.mul(size, size)
    small = s.fma(size, polynomial(s, square, by_format(s, x, ERF_F32, ERF_F64)), size)
    beyond = s.sub(at_most(s, size, ERF_IS_ONE[form.float_type]), one)
    power = s.neg(polynomial(s, beyond, by_format(s, x, LOG_ERFC_F32, LOG_ERFC_F64)))
    n, bits = round_to_whole(s, power, form.log2_e[0], 2 * form.bias)
    high, low = form.log_2
    r = s.fma(n, s.const(-low, x), s.fma(n, s.const(-high, x), power))
    large = s.sub(one, exp_of_sum(s, r, bits))
    return s.copysign(s.select(s.cmp("lt", size, one), small, large), x)


def erfc(s: Scalars, x: Value) -> Value:
    """1 - erf(x), within 1.05 ULP in f32 and 1.0 in f64: all digits in the tail, down to subnormal results."""
    size = s.abs(x)
    one, two = s.const(1.0, x), s.const(2.0, x)
    near_one, lost = two_sum(s, one, s.neg(size))
    square = s.mul(size, size)
    erf_rest = polynomial(s, square, by_format(s, x, ERF_F32, ERF_F64))
    near = s.add(near_one, s.fma(s.neg(size), erf_rest, lost))
    positive = s.select(s.cmp("lt", size, s.const(0.75, x)), near, _erfc_tail(s, size))
    return s.select(s.cmp("lt", x, s.const(0.0, x)), s.sub(two, positive), positive)


def _erfc_tail(s: Scalars, x: Value) -> Value:
    """erfc(x) for x >= 0, where it is not near 1.

    An error of x^2 or of its reduction counts in full in e^-(x^2), so both are carried as two numbers.
    """
    form = format_of(s, x)
    x = at_most(s, x, ERFC_IS_ZERO[form.float_type])
    factor, factor_low = _scaled_erfc(s, x)
    square = s.mul(x, x)
    square_low = s.fma(x, x, s.neg(square))
    n, bits = round_to_whole(s, square, -form.log2_e[0], 2 * form.bias)
    r, lost = without_log_2(s, s.neg(square), n)
    r_low = s.sub(lost, square_low)
    # e^(r + r_low) is 1 + r + bent, since it is e^r (1 + r_low); factor (1 + r) is carried as two numbers.
    r_square = s.mul(r, r)
    rest = polynomial(s, r, form.exp)
    bent = s.fma(r_square, rest, s.fma(r_low, s.fma(r_square, rest, r), r_low))
    leading = s.fma(factor, r, factor)
    lost = s.fma(factor, r, s.sub(factor, leading))
    product = s.add(leading, s.add(lost, s.fma(factor, bent, s.fma(factor_low, r, factor_low))))
    first, second = two_powers(s, bits, form)
    return s.mul(s.mul(product, first), second)


def _scaled_erfc(s: Scalars, x: Value) -> tuple[Value, Value]:
    """e^(x^2) erfc(x) as high and low part, for x >= 0."""
    above, below = s.sub(x, s.const(4.0, x)), s.add(x, s.const(4.0, x))
    table = by_format(s, x, SCALED_ERFC_F32, SCALED_ERFC_F64)
    t = s.div(above, below)
    start, start_low, *tail = table
    rest = s.mul(t, polynomial(s, t, tuple(tail)))
    scaled, scaled_low = two_sum(s, s.const(start, x), rest)
    scaled_low = s.add(scaled_low, s.const(start_low, x))
    divisor = s.fma(x, s.const(2.0, x), s.const(1.0, x))
    divisor_low = s.fma(x, s.const(2.0, x), s.sub(s.const(1.0, x), divisor))
    quotient = s.div(scaled, divisor)
    lost = s.fma(s.neg(quotient), divisor, scaled)
    lost = s.fma(s.neg(quotient), divisor_low, s.add(lost, scaled_low))
    return quotient, s.div(lost, divisor)
