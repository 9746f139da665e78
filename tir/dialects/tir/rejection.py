"""Random numbers that are drawn by trial: gamma and binomial. Each element tries until a number is accepted.

Each element has blocks of its own (domain 3 in `random.py`), one a try, so that the numbers do not depend on the order
of the elements or on how many tries others take. The tries are computed in f64 whatever the type: levels whose
logarithms differ by an ulp then decide differently once in 10^13 elements or so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tir.dialects.normal_quantile import upper_quantile, upper_quantiles
from tir.dialects.tir.base import NotDifferentiable, Sequential, Shaped, known_sizes
from tir.dialects.tir.distributions import WithParameters
from tir.dialects.tir.elements import FLOAT_TENSOR, INTEGER_TENSOR
from tir.dialects.tir.random import (
    KEY,
    TRIES,
    UI64,
    Keyed,
    block,
    block_words,
    open_uniform,
    open_uniforms,
    side,
    sides,
)
from tir.ir.affine import AffineExpr
from tir.ir.define import operand, result
from tir.ir.types import F64, I64, Type
from tir.lazy import np

__all__ = ["OPS"]


class _ByTrial(WithParameters, Keyed, Shaped, Sequential):
    """An op that tries: `number` in scalar ops and `numbers` on arrays say how one element is made."""

    domain = TRIES

    def result_shape(self, key: Any, *parameters: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return known_sizes(*parameters)

    def program(self, p: Any, key: Any, *parameters: Any) -> list[Any]:
        out, words = p.result(), [p.load(key, [i]) for i in range(2)]
        sizes = [p.size(parameters[0], axis) for axis in range(parameters[0].type.rank)]

        def one(places: Sequence[Any]) -> None:
            position = p.const(0, I64)
            for place, size in zip(places, sizes):
                position = p.add(p.mul(position, p.cast(size, I64)), p.cast(place, I64))

            def words_of(k: Any) -> Any:
                return block(p, words, position, TRIES, k)

            p.store(out, places, self.number(p, words_of, *(p.load(x, places) for x in parameters)))

        p.nest(sizes, one, changes=[out])
        return [out]

    def reference(self, key: Any, *parameters: Any) -> Any:
        def words_of(position: Any, k: Any) -> Any:
            return block_words(key, position, TRIES, k)

        with np.errstate(all="ignore"):
            found = self.numbers(words_of, *(np.asarray(x).ravel() for x in parameters))
        return found.reshape(np.shape(parameters[0]))

    def number(self, p: Any, words_of: Callable[[Any], Any], *parameters: Any) -> Any:
        """One element; `words_of(k)` are the words of its try k."""
        raise AssertionError(f"{self.name} has no program")

    def numbers(self, words_of: Callable[[Any, Any], Any], *parameters: Any) -> Any:
        """All elements; `words_of(i, k)` are the words of try k of the elements i."""
        raise AssertionError(f"{self.name} has no meaning")


def _until_accepted(p: Any, attempt: Callable[[Any], Any]) -> Any:
    """What `attempt(k)` gives for the first k from 1 on for which that is not negative."""

    def step(k: Any, found: Any) -> list[Any]:
        return [p.add(k, p.const(1, k)), attempt(k)]

    start = [p.const(1, UI64), p.const(-1.0, F64)]
    return p.repeat(lambda k, found: p.cmp("lt", found, p.const(0.0, found)), step, carry=start)[1]


def _all_until_accepted(places: Any, attempt: Callable[[Any, int], Any]) -> Any:
    """The same for arrays: `attempt(i, k)` for the places that are left over."""
    found = np.full(np.size(places), -1.0)
    k, left = 1, np.arange(np.size(places))
    while left.size:
        found[left] = attempt(left, k)
        k, left = k + 1, left[found[left] < 0]
    return found


# --- gamma ---------------------------------------------------------------------------------------------------------


class RngGamma(_ByTrial):
    """A number of the gamma distribution with the shape `alpha`, and scale 1: density ~ x^(alpha-1) exp(-x).

    `tir.rng_gamma %key, %alpha : tensor<4xf32>`. 0 for alpha = 0, inf for inf, nan below 0 and for nan. Where the
    number is below the least of the type, as for small alpha it often is, it is 0. With another scale it is `scale *
    x`; chi-square, beta and Dirichlet numbers are made of it. Marsaglia and Tsang, "A simple method for generating
    gamma variables" (2000): 1.05 tries at most on average; below alpha = 1 a number of alpha + 1 times U^(1/alpha)
    (their section 6).
    """

    name = "tir.rng_gamma"
    key = operand(KEY)
    alpha = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$key `,` $alpha attr-dict `:` type($result)"
    grad = NotDifferentiable(
        "the number moves with alpha by the derivative of the incomplete gamma function by its parameter, which has no "
        "closed form"
    )

    def number(self, p: Any, words_of: Callable[[Any], Any], alpha: Any) -> Any:
        a = p.cast(alpha, F64)
        zero, one = p.const(0.0, a), p.const(1.0, a)
        is_number, is_small = p.and_(p.cmp("gt", a, zero), p.is_finite(a)), p.cmp("lt", a, one)
        shape = p.select(is_number, p.select(is_small, p.add(a, one), a), one)
        d = p.sub(shape, p.const(1 / 3, a))
        c = p.div(one, p.sqrt(p.mul(d, 9.0)))

        def attempt(k: Any) -> Any:
            words = words_of(k)
            x = _normal(p, words[:2])
            y = p.mul(c, x)
            root = p.add(y, one)
            # log(v) - (v - 1) for v = (1 + y)^3.
            growth = p.sub(p.mul(p.log1p(y), 3.0), p.mul(y, p.fma(p.add(y, 3.0), y, p.const(3.0, y))))
            bound = p.add(p.mul(p.mul(x, x), 0.5), p.mul(d, growth))
            accepted = p.and_(p.cmp("gt", root, zero), p.cmp("lt", p.log(open_uniform(p, words[2], words[3])), bound))
            return p.select(accepted, p.mul(p.mul(root, root), root), p.const(-1.0, y))

        found = p.mul(d, _until_accepted(p, attempt))
        words = words_of(0)
        factor = p.exp(p.div(p.log(open_uniform(p, words[0], words[1])), a))
        found = p.select(is_small, p.mul(found, factor), found)
        edge = p.select(p.cmp("ge", a, zero), a, p.const(math.nan, a))  # 0 and inf are themselves
        return p.cast(p.select(is_number, found, edge), alpha.type)

    def numbers(self, words_of: Callable[[Any, Any], Any], alpha: Any) -> Any:
        a = alpha.astype(np.float64)
        is_number, is_small = (a > 0) & np.isfinite(a), a < 1
        d = np.where(is_number, np.where(is_small, a + 1, a), 1.0) - 1 / 3
        c = 1 / np.sqrt(9 * d)

        def attempt(i: Any, k: int) -> Any:
            words = words_of(i, k)
            x = _normals(words[:2])
            y = c[i] * x
            bound = x * x / 2 + d[i] * (3 * np.log1p(y) - y * (3 + y * (3 + y)))
            accepted = (1 + y > 0) & (np.log(open_uniforms(words[2], words[3])) < bound)
            return np.where(accepted, (1 + y) ** 3, -1.0)

        found = d * _all_until_accepted(a, attempt)
        words = words_of(np.arange(a.size), 0)
        found = np.where(is_small, found * np.exp(np.log(open_uniforms(words[0], words[1])) / a), found)
        return np.where(is_number, found, np.where(a >= 0, a, np.nan)).astype(alpha.dtype)


def _normal(s: Any, words: Sequence[Any]) -> Any:
    """A normal number of two words, as of `tir.rng_normal` in f64."""
    is_lower, t = side(s, words)
    z = upper_quantile(s, t)
    return s.select(is_lower, s.neg(z), z)


def _normals(words: Sequence[Any]) -> Any:
    is_lower, t = sides(words)
    return np.where(is_lower, -1, 1) * upper_quantiles(t)


# --- binomial ------------------------------------------------------------------------------------------------------

#: log(k!) - (k + 1/2) log(k + 1) + (k + 1) - log(2 pi) / 2 for k from 0 to 9.
STIRLING_TAILS = tuple(
    math.lgamma(k + 1) - (k + 0.5) * math.log(k + 1) + (k + 1) - math.log(2 * math.pi) / 2 for k in range(10)
)
LEAST_MEAN = 10.0  # from here on numbers are drawn by transformed rejection


class RngBinomial(_ByTrial):
    """How many of `n` trials succeed, each with the probability `p`.

    `tir.rng_binomial %key, %n, %p : tensor<4xi32>, tensor<4xf32>`: the result has the type of n. 0 where n <= 0, p <= 0
    or p is nan; n where p >= 1. With n p or n (1 - p) below 10 the gaps between successes are added up, in as many
    steps as there are successes; above, transformed rejection takes 1.2 tries or so (Hörmann, "The generation of
    binomial random variates", 1993, algorithm BTRS). Probabilities are right to about n 2^-53 of themselves.
    """

    name = "tir.rng_binomial"
    key = operand(KEY)
    n = operand(INTEGER_TENSOR)
    p = operand(FLOAT_TENSOR)
    result = result(INTEGER_TENSOR)
    format = "$key `,` $n `,` $p attr-dict `:` type($result) `,` type($p)"
    grad = NotDifferentiable("whole numbers change in jumps")

    def result_element(self) -> Type:
        return self.n.type.element

    def number(self, p: Any, words_of: Callable[[Any], Any], n: Any, probability: Any) -> Any:
        count, chance = p.cast(n, F64), p.cast(probability, F64)
        zero, one = p.const(0.0, chance), p.const(1.0, chance)
        has_trials = p.cmp("gt", count, zero)
        is_random = p.and_(has_trials, p.and_(p.cmp("gt", chance, zero), p.cmp("lt", chance, one)))
        is_likely = p.cmp("gt", chance, p.const(0.5, chance))
        rare = p.select(is_random, p.select(is_likely, p.sub(one, chance), chance), p.const(0.25, chance))
        trials = p.select(is_random, count, one)
        (found,) = p.when(
            p.cmp("ge", p.mul(trials, rare), p.const(LEAST_MEAN, rare)),
            lambda: [_by_rejection(p, words_of, trials, rare)],
            lambda: [_by_gaps(p, words_of, trials, rare)],
            like=[zero],
        )
        found = p.select(is_likely, p.sub(trials, found), found)
        always = p.select(p.and_(has_trials, p.cmp("ge", chance, one)), n, p.const(0, n))
        # Where n is rounded to f64, it is not exceeded all the same.
        return p.select(is_random, p.minimum(p.cast(found, n.type), n), always)

    def numbers(self, words_of: Callable[[Any, Any], Any], n: Any, probability: Any) -> Any:
        count, chance = n.astype(np.float64), probability.astype(np.float64)
        is_random, is_likely = (count > 0) & (chance > 0) & (chance < 1), chance > 0.5
        rare = np.where(is_random, np.where(is_likely, 1 - chance, chance), 0.25)
        trials = np.where(is_random, count, 1)
        is_large = trials * rare >= LEAST_MEAN
        found = np.zeros(n.shape)
        for way, chosen in ((_all_by_rejection, is_large), (_all_by_gaps, ~is_large)):
            (places,) = np.nonzero(chosen)
            found[places] = way(partial(_words_at, words_of, places), trials[places], rare[places])
        found = np.where(is_likely, trials - found, found)
        found = np.minimum(np.where(is_random, found, 0).astype(n.dtype), n)
        return np.where(is_random, found, np.where((count > 0) & (chance >= 1), n, 0)).astype(n.dtype)


def _words_at(words_of: Callable[[Any, Any], Any], places: Any, i: Any, k: Any) -> Any:
    return words_of(places[i], k)


def _by_gaps(p: Any, words_of: Callable[[Any], Any], n: Any, chance: Any) -> Any:
    """Successes are as far apart as geometric numbers say: their count up to trial n."""
    rate = p.log1p(p.neg(chance))

    def step(k: Any, trial: Any) -> list[Any]:
        words = words_of(k)
        gap = p.ceil(p.div(p.log(open_uniform(p, words[0], words[1])), rate))
        return [p.add(k, p.const(1, k)), p.add(trial, gap)]

    k, _ = p.repeat(lambda k, trial: p.cmp("le", trial, n), step, carry=[p.const(0, UI64), p.const(0.0, n)])
    return p.cast(p.sub(k, p.const(1, k)), F64)


def _all_by_gaps(words_of: Callable[[Any, Any], Any], n: Any, chance: Any) -> Any:
    rate, trial, found = np.log1p(-chance), np.zeros(n.shape), np.full(n.shape, -1.0)
    k, left = 0, np.arange(n.size)
    while left.size:
        words = words_of(left, k)
        trial[left] += np.ceil(np.log(open_uniforms(words[0], words[1])) / rate[left])
        found[left] += 1
        k, left = k + 1, left[trial[left] <= n[left]]
    return found


def _by_rejection(p: Any, words_of: Callable[[Any], Any], n: Any, chance: Any) -> Any:
    """BTRS, with the names of the paper; n chance must be 10 or more, and chance at most 1/2."""

    def number(x: float) -> Any:
        return p.const(x, n)

    rest = p.sub(number(1.0), chance)
    deviation = p.sqrt(p.mul(p.mul(n, chance), rest))
    b = p.add(p.mul(deviation, 2.53), 1.15)
    a = p.add(p.add(p.mul(b, 0.0248), p.mul(chance, 0.01)), -0.0873)
    c = p.add(p.mul(n, chance), 0.5)
    alpha = p.mul(p.add(p.div(number(5.1), b), 2.83), deviation)
    certain = p.sub(number(0.92), p.div(number(4.2), b))
    odds, mode = p.div(chance, rest), p.floor(p.mul(p.add(n, 1.0), chance))
    at_mode = p.add(_stirling_tail(p, mode), _stirling_tail(p, p.sub(n, mode)))

    def is_below_density(v: Any, us: Any, k: Any) -> Any:
        hat = p.div(alpha, p.add(p.div(a, p.mul(us, us)), b))
        m1, k1, nm1, nk1 = (p.add(x, 1.0) for x in (mode, k, p.sub(n, mode), p.sub(n, k)))
        terms = [
            p.mul(p.add(mode, 0.5), p.log(p.div(m1, p.mul(odds, nm1)))),
            p.mul(p.add(n, 1.0), p.log(p.div(nm1, nk1))),
            p.mul(p.add(k, 0.5), p.log(p.div(p.mul(odds, nk1), k1))),
            p.sub(at_mode, p.add(_stirling_tail(p, k), _stirling_tail(p, p.sub(n, k)))),
        ]
        bound = p.add(p.add(terms[0], terms[1]), p.add(terms[2], terms[3]))
        return p.cmp("le", p.log(p.mul(v, hat)), bound)

    def attempt(try_number: Any) -> Any:
        words = words_of(try_number)
        u, v = p.sub(open_uniform(p, words[0], words[1]), number(0.5)), open_uniform(p, words[2], words[3])
        us = p.sub(number(0.5), p.abs(u))
        k = p.floor(p.fma(p.add(p.div(p.add(a, a), us), b), u, c))
        inside = p.and_(p.cmp("ge", k, number(0.0)), p.cmp("le", k, n))
        is_certain = p.and_(p.cmp("ge", us, number(0.07)), p.cmp("le", v, certain))
        looks_closer = p.and_(inside, p.not_(is_certain))
        (accepted,) = p.when(
            looks_closer, lambda: [is_below_density(v, us, k)], lambda: [is_certain], like=[is_certain]
        )
        return p.select(p.and_(inside, accepted), k, number(-1.0))

    return _until_accepted(p, attempt)


def _stirling_tail(p: Any, k: Any) -> Any:
    """What Stirling's formula for log(k!) leaves out: by a table, from 10 on by a series in 1 / (k + 1)^2."""
    k1 = p.add(k, 1.0)
    square = p.mul(k1, k1)
    rest = p.sub(p.const(1 / 360, k), p.div(p.const(1 / 1260, k), square))
    found = p.div(p.sub(p.const(1 / 12, k), p.div(rest, square)), k1)
    for i, tail in enumerate(STIRLING_TAILS):
        found = p.select(p.cmp("eq", k, p.const(float(i), k)), p.const(tail, k), found)
    return found


def _all_by_rejection(words_of: Callable[[Any, Any], Any], n: Any, chance: Any) -> Any:
    rest = 1 - chance
    deviation = np.sqrt(n * chance * rest)
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    c, alpha, certain = n * chance + 0.5, (2.83 + 5.1 / b) * deviation, 0.92 - 4.2 / b
    odds, mode = chance / rest, np.floor((n + 1) * chance)
    at_mode = _stirling_tails(mode) + _stirling_tails(n - mode)

    def attempt(i: Any, number: int) -> Any:
        words = words_of(i, number)
        u, v = open_uniforms(words[0], words[1]) - 0.5, open_uniforms(words[2], words[3])
        us, m, all_ = 0.5 - np.abs(u), mode[i], n[i]
        k = np.floor((2 * a[i] / us + b[i]) * u + c[i])
        inside = (k >= 0) & (k <= all_)
        safe = np.where(inside, k, 0)
        bound = (
            (m + 0.5) * np.log((m + 1) / (odds[i] * (all_ - m + 1)))
            + (all_ + 1) * np.log((all_ - m + 1) / (all_ - safe + 1))
            + (safe + 0.5) * np.log(odds[i] * (all_ - safe + 1) / (safe + 1))
            + at_mode[i] - _stirling_tails(safe) - _stirling_tails(all_ - safe)
        )  # fmt: skip
        is_below = np.log(v * alpha[i] / (a[i] / (us * us) + b[i])) <= bound
        accepted = inside & (((us >= 0.07) & (v <= certain[i])) | is_below)
        return np.where(accepted, k, -1.0)

    return _all_until_accepted(n, attempt)


def _stirling_tails(k: Any) -> Any:
    square = (k + 1) ** 2
    series = (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
    table = np.asarray(STIRLING_TAILS)
    return np.where(k < len(table), table[np.clip(k, 0, len(table) - 1).astype(np.int64)], series)


#: The ops of the family, in the order of the documentation.
OPS = (RngGamma, RngBinomial)
