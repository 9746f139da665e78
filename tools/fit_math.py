"""Fits the constants that `tir/dialects/math_expansions*.py` store, and prints them. Run by hand; needs mpmath.

    python tools/fit_math.py

A polynomial is fitted by weighted least squares on Chebyshev nodes in 50-digit arithmetic, which is within a quarter of
the best possible maximum error. Its coefficients are rounded to the target format one by one, lowest power first, and
the remaining ones are fitted again each time, so that they take up the rounding error. Every table is printed with the
base-2 logarithm of its largest relative error, rounding of the coefficients included.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

mp.mp.dps = 50

Function = Callable[[mp.mpf], mp.mpf]
# The constants of powf, sin and cos have f64 as format, their f32 versions included; so have those of `special`.
PRECISION = {
    "f32": 24, "f64": 53, "pow": 53, "trig": 53, "log_f32": 24, "log_f64": 53, "inverse_f32": 24, "inverse_f64": 53,
    "hyperbolic_f32": 24, "hyperbolic_f64": 53, "root_f32": 24, "root_f64": 53, "error_f32": 24, "error_f64": 53,
    "special": 53,
}  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """A polynomial in x, `count` coefficients, close to `target` on [low, high].

    An error of the polynomial, times `weight`, is the relative error of the function it is a part of. split_start: the
    first coefficient is stored as high and low part.
    """

    name: str
    target: Function
    weight: Function
    low: mp.mpf
    high: mp.mpf
    count: int
    split_start: bool = False


def exp_tail(r: mp.mpf) -> mp.mpf:
    return (mp.expm1(r) - r) / r**2


def log_tail(f: mp.mpf) -> mp.mpf:
    return (mp.log1p(f) - f) / f**2


def atanh_tail(z: mp.mpf) -> mp.mpf:
    """(2 atanh(s) / s - 2) / z with z = s^2."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def tanh_tail(z: mp.mpf) -> mp.mpf:
    """(tanh(x) / x - 1) / z with z = x^2."""
    x = mp.sqrt(z)
    return (mp.tanh(x) / x - 1) / z


def expm1_half_tail(r: mp.mpf) -> mp.mpf:
    return (mp.expm1(2 * r) / 2 - r) / r**2


def log2_ratio(z: mp.mpf) -> mp.mpf:
    """log2((1 + s) / (1 - s)) / s with z = s^2."""
    return sum(z**i / (2 * i + 1) for i in range(60)) * 2 / mp.log(2)


def log2_ratio_tail(z: mp.mpf) -> mp.mpf:
    """log2_ratio without its first two terms, by z^2."""
    return sum(z**i / (2 * i + 5) for i in range(60)) * 2 / mp.log(2)


def exp2_tail(r: mp.mpf) -> mp.mpf:
    """(2^r - 1) / r."""
    return mp.expm1(r * mp.log(2)) / r


def sin_tail(z: mp.mpf) -> mp.mpf:
    """(sin(r) / r - 1) / z with z = r^2."""
    r = mp.sqrt(z)
    return (mp.sin(r) / r - 1) / z


def cos_tail(z: mp.mpf) -> mp.mpf:
    """(cos(r) - 1 + z / 2) / z^2 with z = r^2."""
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def sin_of_turn(z: mp.mpf) -> mp.mpf:
    """sin(pi / 2 t) / t with z = t^2."""
    t = mp.sqrt(z)
    return mp.sin(mp.pi / 2 * t) / t


def cos_of_turn(z: mp.mpf) -> mp.mpf:
    """cos(pi / 2 t) with z = t^2."""
    return mp.cos(mp.pi / 2 * mp.sqrt(z))


def asin_tail(z: mp.mpf) -> mp.mpf:
    """(asin(x) / x - 1) / z with z = x^2."""
    x = mp.sqrt(z)
    return (mp.asin(x) / x - 1) / z


def atan_tail(z: mp.mpf) -> mp.mpf:
    """(atan(x) / x - 1) / z with z = x^2."""
    x = mp.sqrt(z)
    return (mp.atan(x) / x - 1) / z


def sinh_tail(z: mp.mpf) -> mp.mpf:
    """(sinh(r) / r - 1) / z with z = r^2."""
    r = mp.sqrt(z)
    return (mp.sinh(r) / r - 1) / z


def cosh_tail(z: mp.mpf) -> mp.mpf:
    """(cosh(r) - 1) / z with z = r^2."""
    return (mp.cosh(mp.sqrt(z)) - 1) / z


def cbrt_of_sum(f: mp.mpf) -> mp.mpf:
    return mp.cbrt(1 + f)


def erf_tail(z: mp.mpf) -> mp.mpf:
    """erf(x) / x - 1 with z = x^2."""
    x = mp.sqrt(z)
    return mp.erf(x) / x - 1


def minus_log_erfc(t: mp.mpf) -> mp.mpf:
    """-log(erfc(1 + t))."""
    return -mp.log(mp.erfc(1 + t))


def scaled_erfc(t: mp.mpf) -> mp.mpf:
    """(1 + 2 x) e^(x^2) erfc(x) with t = (x - 4) / (x + 4)."""
    x = 4 * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x**2) * mp.erfc(x)


def lgamma_ratio(t: mp.mpf) -> mp.mpf:
    """log(gamma(2 + t)) / t."""
    return mp.loggamma(2 + t) / t if abs(t) > mp.mpf(10) ** -20 else mp.digamma(2)


def stirling_rest(z: mp.mpf) -> mp.mpf:
    """(log(gamma(x)) - (x - 1/2) log(x) + x - log(2 pi) / 2) x with z = 1 / x^2."""
    x = 1 / mp.sqrt(z)
    return (mp.loggamma(x) - (x - 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2) * x


DIGAMMA_ROOT = mp.findroot(mp.digamma, 1.4616)


def digamma_ratio(t: mp.mpf) -> mp.mpf:
    """digamma(x) / (x - root) with x = t + 3/2."""
    return mp.digamma(t + 1.5) / (t + 1.5 - DIGAMMA_ROOT)


def digamma_rest(z: mp.mpf) -> mp.mpf:
    """(log(x) - 1 / (2 x) - digamma(x)) x^2 with z = 1 / x^2."""
    x = 1 / mp.sqrt(z)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) * x**2


def erfinv_ratio(w: mp.mpf) -> mp.mpf:
    """erfinv(x) / x with w = -log(1 - x^2)."""
    x = mp.sqrt(-mp.expm1(-w))
    return mp.erfinv(x) / x


def erfinv_center(t: mp.mpf) -> mp.mpf:
    return erfinv_ratio(t + 3)


def erfinv_outside(t: mp.mpf) -> mp.mpf:
    """erfinv(x) / x with t = sqrt(-log(1 - x^2)) - 4."""
    return erfinv_ratio((t + 4) ** 2)


def exp_weight(r: mp.mpf) -> mp.mpf:
    return r**2 / mp.exp(r)


def expm1_weight(r: mp.mpf) -> mp.mpf:
    return abs(r**2 / mp.expm1(r))


def log_weight(f: mp.mpf) -> mp.mpf:
    return abs(f**2 / mp.log1p(f))


def atanh_weight(z: mp.mpf) -> mp.mpf:
    s = mp.sqrt(z)
    return z * s / (2 * mp.atanh(s))


def tanh_weight(z: mp.mpf) -> mp.mpf:
    x = mp.sqrt(z)
    return z * x / mp.tanh(x)


def expm1_half_weight(r: mp.mpf) -> mp.mpf:
    return abs(r**2 / (mp.expm1(2 * r) / 2))


def log2_ratio_tail_weight(z: mp.mpf) -> mp.mpf:
    return z**2 / log2_ratio(z)


def exp2_weight(r: mp.mpf) -> mp.mpf:
    return abs(r) / mp.mpf(2) ** r


def sin_weight(z: mp.mpf) -> mp.mpf:
    r = mp.sqrt(z)
    return z * r / mp.sin(r)


def cos_weight(z: mp.mpf) -> mp.mpf:
    return z**2 / mp.cos(mp.sqrt(z))


def asin_weight(z: mp.mpf) -> mp.mpf:
    x = mp.sqrt(z)
    return z * x / mp.asin(x)


def atan_weight(z: mp.mpf) -> mp.mpf:
    x = mp.sqrt(z)
    return z * x / mp.atan(x)


def sinh_weight(z: mp.mpf) -> mp.mpf:
    r = mp.sqrt(z)
    return z * r / mp.sinh(r)


def cosh_weight(z: mp.mpf) -> mp.mpf:
    return z / mp.cosh(mp.sqrt(z))


def erf_weight(z: mp.mpf) -> mp.mpf:
    x = mp.sqrt(z)
    return x / mp.erf(x)


def erfc_weight(t: mp.mpf) -> mp.mpf:
    return mp.erfc(1 + t)


def stirling_weight(z: mp.mpf) -> mp.mpf:
    x = 1 / mp.sqrt(z)
    return 1 / (x * mp.loggamma(x))


def digamma_rest_weight(z: mp.mpf) -> mp.mpf:
    return z / mp.digamma(1 / mp.sqrt(z))


def relative_weight(function: Function) -> Function:
    """The weight of a polynomial that is the whole function."""
    return lambda x: 1 / function(x)


# A little more than half of log(2): the reduced argument may lie outside by a rounding error.
HALF_LOG_2 = mp.log(2) / 2 * (1 + mp.mpf(2) ** -20)
LITTLE_MORE = 1 + mp.mpf(2) ** -20
HALF = mp.mpf(1) / 2 * LITTLE_MORE
# For 1 + f in [1 / sqrt(2), sqrt(2)), the square of f / (2 + f).
LOG2_END = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * LITTLE_MORE
TRIG_END = (mp.pi / 4 * LITTLE_MORE) ** 2
QUARTER = mp.mpf(1) / 4
NINTH = mp.mpf(1) / 9 * LITTLE_MORE
SQUARE_OF_HALF_LOG_2 = HALF_LOG_2**2
FROM_ROOT_OF_HALF = (mp.sqrt(mp.mpf(1) / 2) - 1, (mp.sqrt(2) - 1) * LITTLE_MORE)
TO_ONE = (mp.mpf(0), mp.mpf(1))
# erfc underflows at 10.06 in f32 and at 26.55 in f64: here as (x - 4) / (x + 4).
ERFC_F32 = (mp.mpf(-1), mp.mpf(0.44))
ERFC_F64 = (mp.mpf(-1), mp.mpf(0.74))
FROM_EIGHT = (mp.mpf(2) ** -40, mp.mpf(1) / 64)
# 1 + f is in [1 / sqrt(2), sqrt(2)) for log and log2 and in [3/4, 3/2) for log1p, so f / (2 + f) is in [-0.172, 1/5].
FITS = {
    "f32": [
        Fit("exp", exp_tail, exp_weight, -HALF_LOG_2, HALF_LOG_2, 5),
        Fit("expm1", exp_tail, expm1_weight, -HALF_LOG_2, HALF_LOG_2, 6),
        Fit("log", log_tail, log_weight, mp.sqrt(0.5) - 1, mp.mpf(1) / 2, 9),
        Fit("tanh", tanh_tail, tanh_weight, mp.mpf(0), mp.mpf(1), 7),
    ],
    "f64": [
        Fit("exp", exp_tail, exp_weight, -HALF_LOG_2, HALF_LOG_2, 10),
        Fit("expm1", exp_tail, expm1_weight, -HALF_LOG_2, HALF_LOG_2, 11),
        Fit("log", atanh_tail, atanh_weight, mp.mpf(0), mp.mpf(1) / 25, 7),
        Fit("tanh", expm1_half_tail, expm1_half_weight, -(mp.mpf(2) ** -12), HALF_LOG_2, 11),
    ],
    "pow": [
        Fit("log2_tail", log2_ratio_tail, log2_ratio_tail_weight, mp.mpf(0), LOG2_END, 8),
        Fit("log2_f32", log2_ratio, relative_weight(log2_ratio), mp.mpf(0), LOG2_END, 6),
        Fit("exp2_f32", exp2_tail, exp2_weight, -HALF, HALF, 7),
    ],
    "trig": [
        Fit("sin", sin_tail, sin_weight, mp.mpf(0), TRIG_END, 6),
        Fit("cos", cos_tail, cos_weight, mp.mpf(0), TRIG_END, 6),
        Fit("sin_f32", sin_of_turn, relative_weight(sin_of_turn), mp.mpf(0), HALF**2, 6),
        Fit("cos_f32", cos_of_turn, relative_weight(cos_of_turn), mp.mpf(0), HALF**2, 6),
    ],
    "log_f32": [],
    "log_f64": [],
    "inverse_f32": [
        Fit("asin_f32", asin_tail, asin_weight, mp.mpf(0), QUARTER, 5),
        Fit("atan_f32", atan_tail, atan_weight, mp.mpf(0), NINTH, 4),
    ],
    "inverse_f64": [
        Fit("asin_f64", asin_tail, asin_weight, mp.mpf(0), QUARTER, 12),
        Fit("atan_f64", atan_tail, atan_weight, mp.mpf(0), NINTH, 10),
    ],
    "hyperbolic_f32": [
        Fit("sinh_f32", sinh_tail, sinh_weight, mp.mpf(0), SQUARE_OF_HALF_LOG_2, 3),
        Fit("cosh_f32", cosh_tail, cosh_weight, mp.mpf(0), SQUARE_OF_HALF_LOG_2, 3),
    ],
    "hyperbolic_f64": [
        Fit("sinh_f64", sinh_tail, sinh_weight, mp.mpf(0), SQUARE_OF_HALF_LOG_2, 5),
        Fit("cosh_f64", cosh_tail, cosh_weight, mp.mpf(0), SQUARE_OF_HALF_LOG_2, 5),
    ],
    "root_f32": [Fit("cbrt_f32", cbrt_of_sum, relative_weight(cbrt_of_sum), *FROM_ROOT_OF_HALF, 5)],
    "root_f64": [Fit("cbrt_f64", cbrt_of_sum, relative_weight(cbrt_of_sum), *FROM_ROOT_OF_HALF, 5)],
    "error_f32": [
        Fit("erf_f32", erf_tail, erf_weight, *TO_ONE, 7),
        Fit("log_erfc_f32", minus_log_erfc, erfc_weight, mp.mpf(0), mp.mpf(3), 9),
        Fit("scaled_erfc_f32", scaled_erfc, relative_weight(scaled_erfc), *ERFC_F32, 13, split_start=True),
    ],
    "error_f64": [
        Fit("erf_f64", erf_tail, erf_weight, *TO_ONE, 13),
        Fit("log_erfc_f64", minus_log_erfc, erfc_weight, mp.mpf(0), mp.mpf(5), 18),
        Fit("scaled_erfc_f64", scaled_erfc, relative_weight(scaled_erfc), *ERFC_F64, 24, split_start=True),
    ],
    "special": [
        Fit("lgamma", lgamma_ratio, relative_weight(lgamma_ratio), -HALF, HALF, 19),
        Fit("lgamma_rest", stirling_rest, stirling_weight, *FROM_EIGHT, 6),
        Fit("digamma", digamma_ratio, relative_weight(digamma_ratio), -HALF, HALF, 22),
        Fit("digamma_rest", digamma_rest, digamma_rest_weight, *FROM_EIGHT, 6),
        Fit("erfinv_center", erfinv_center, relative_weight(erfinv_center), mp.mpf(-3), mp.mpf(3), 13),
        Fit("erfinv_outside", erfinv_outside, relative_weight(erfinv_outside), mp.mpf(-1.6), mp.mpf(2.1), 14),
    ],
}


def rounded(value: mp.mpf, dtype: str) -> mp.mpf:
    """`value` to nearest in the format `dtype` (which never under- or overflows here)."""
    with mp.workprec(PRECISION[dtype]):
        return +value


def chebyshev_nodes(low: mp.mpf, high: mp.mpf, count: int) -> list[mp.mpf]:
    angles = [mp.pi * (i + mp.mpf(1) / 2) / count for i in range(count)]
    return [(low + high) / 2 + (high - low) / 2 * mp.cos(angle) for angle in angles]


def least_squares(rows: list[list[mp.mpf]], wanted: list[mp.mpf]) -> list[mp.mpf]:
    """The x with the least |rows x - wanted|, by the normal equations (the digits suffice)."""
    matrix = mp.matrix(rows)
    return list(mp.lu_solve(matrix.T * matrix, matrix.T * mp.matrix(wanted)))


def coefficients(fit: Fit, dtype: str) -> list[mp.mpf]:
    nodes = chebyshev_nodes(fit.low, fit.high, 4 * fit.count)
    weights = [fit.weight(x) for x in nodes]
    rest = [fit.target(x) for x in nodes]
    found: list[mp.mpf] = []
    for power in range(fit.count):
        rows = [[w * x**k for k in range(power, fit.count)] for x, w in zip(nodes, weights)]
        best = least_squares(rows, [w * y for w, y in zip(weights, rest)])
        parts = split(best[0], dtype) if fit.split_start and power == 0 else [rounded(best[0], dtype)]
        found += parts
        rest = [y - sum(parts) * x**power for x, y in zip(nodes, rest)]
    return found


def relative_error(fit: Fit, found: list[float]) -> mp.mpf:
    points = chebyshev_nodes(fit.low, fit.high, 301)
    if fit.split_start:
        found = [mp.mpf(found[0]) + found[1], *found[2:]]
    return max(abs(fit.weight(x) * (mp.polyval(found[::-1], x) - fit.target(x))) for x in points)


def split(value: mp.mpf, dtype: str) -> list[mp.mpf]:
    """high + low = `value` to twice the precision of the format."""
    high = rounded(value, dtype)
    return [high, rounded(value - high, dtype)]


def show(name: str, values: list[float], comment: str) -> None:
    print(f"    {name}=_floats({comment}")
    lines = textwrap.wrap(" ".join(value.hex().replace("0000000p", "p") for value in values), width=100)
    print("\n".join(f'        "{line}{" " if line is not lines[-1] else ""}"' for line in lines))
    print("    ),")


def two_over_pi(count: int) -> list[mp.mpf]:
    """The binary digits of 2 / pi after the point, 53 by 53, as integers."""
    with mp.workprec(53 * count + 64):
        digits = int(mp.ldexp(2 / mp.pi, 53 * count))
    return [mp.mpf(digits >> 53 * place & (1 << 53) - 1) for place in reversed(range(count))]


def short_split(value: mp.mpf, dtype: str) -> list[mp.mpf]:
    """As `split`, the high part so short that its product with any exponent of the format is exact."""
    exponent_digits = {24: 8, 53: 11}[PRECISION[dtype]]
    with mp.workprec(PRECISION[dtype] - exponent_digits):
        high = +value
    return [high, rounded(value - high, dtype)]


def exact_constants(dtype: str) -> dict[str, list[mp.mpf]]:
    """The constants that are not fitted."""
    log2_e = 1 / mp.log(2)
    if dtype == "pow":
        return {"log2_first": split(2 * log2_e, dtype), "log2_second": split(2 * log2_e / 3, dtype)}
    if dtype == "trig":
        return {"two_over_pi": two_over_pi(23), "half_pi": split(mp.pi / 2, dtype)}
    family, _, form = dtype.partition("_")
    if family == "log":
        return {
            f"log10_2_{form}": short_split(mp.log10(2), dtype),
            f"log10_e_{form}": split(1 / mp.log(10), dtype),
        }
    if family == "inverse":
        return {f"half_pi_{form}": split(mp.pi / 2, dtype), f"atan_half_{form}": split(mp.atan(0.5), dtype)}
    if family in ("hyperbolic", "root", "error"):
        return {}
    if dtype == "special":
        return {"digamma_root": split(DIGAMMA_ROOT, dtype)}
    return {"log_2": split(mp.log(2), dtype), "log2_e": split(log2_e, dtype)}


def tables(dtype: str) -> dict[str, list[float]]:
    """Every stored table of the format, or of the family of functions, by its name; as Python floats."""
    found = exact_constants(dtype)
    found.update({fit.name: coefficients(fit, dtype) for fit in FITS[dtype]})
    return {name: [float(value) for value in values] for name, values in found.items()}


def main() -> None:
    for dtype, fits in FITS.items():
        print(f"{dtype}:")
        by_name = {fit.name: fit for fit in fits}
        for name, values in tables(dtype).items():
            error = mp.log(relative_error(by_name[name], values), 2) if name in by_name else None
            show(name, values, "" if error is None else f"  # within 2^{mp.nstr(error, 4)}")


if __name__ == "__main__":
    main()
