"""Fits the constants that `tir/dialects/math_expansions.py` stores, and prints them. Run by hand; needs mpmath.

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
PRECISION = {"f32": 24, "f64": 53}


@dataclass(frozen=True)
class Fit:
    """A polynomial in x, `count` coefficients, close to `target` on [low, high].

    An error of the polynomial, times `weight`, is the relative error of the function it is a part of.
    """

    name: str
    target: Function
    weight: Function
    low: mp.mpf
    high: mp.mpf
    count: int


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


# A little more than half of log(2): the reduced argument may lie outside by a rounding error.
HALF_LOG_2 = mp.log(2) / 2 * (1 + mp.mpf(2) ** -20)
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
        found.append(rounded(best[0], dtype))
        rest = [y - found[power] * x**power for x, y in zip(nodes, rest)]
    return found


def relative_error(fit: Fit, found: list[float]) -> mp.mpf:
    points = chebyshev_nodes(fit.low, fit.high, 301)
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


def tables(dtype: str) -> dict[str, list[float]]:
    """Every stored table of the format by its name, as Python floats."""
    found = {"log_2": split(mp.log(2), dtype), "log2_e": split(1 / mp.log(2), dtype)}
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
