"""Random numbers from distributions: standard ones, whose result type says how many, and ones with parameters.

A standard distribution has neither place nor scale: `mean + stddev * normal` is a sum and a product, gradients
included, and the builder has methods for it. Parameters that are operands have the shape of the result; one number
comes from one of each, so each element has a distribution of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tir.dialects.normal_quantile import upper_quantile, upper_quantiles
from tir.dialects.numeric import each
from tir.dialects.tir.base import Composite, NotDifferentiable, Place, common_element, merge_shapes, same_shapes
from tir.dialects.tir.elements import BOOL_TENSOR, FLOAT_TENSOR, INTEGER_TENSOR
from tir.dialects.tir.random import KEY, UI32, UI64, Keyed, RandomOp, Standard, drawn, side, sides, uniform, uniforms
from tir.ir.define import operand, result
from tir.ir.ir import Value
from tir.ir.types import F64, I1, TensorType, Type
from tir.lazy import np

__all__ = ["OPS", "WithParameters"]


# --- standard distributions ----------------------------------------------------------------------------------------


class _Quantile(Standard):
    """The quantile of a random probability P, which is t (`is_lower`) or 1 - t: see `side`."""

    def compute(self, shape: tuple[int, ...], key: Any) -> Any:
        is_lower, t = sides(drawn(shape, key, self.words))
        return self.quantiles(is_lower, t).astype(t.dtype)

    def element(self, s: Any, *key: Any) -> Any:
        return self.quantile(s, *side(s, self.draw(s, key, self.words)))

    def quantiles(self, is_lower: Any, t: Any) -> Any:
        """The quantiles, of arrays."""
        raise AssertionError(f"{self.name} has no meaning")

    def quantile(self, s: Any, is_lower: Any, t: Any) -> Any:
        """The quantile, in scalar ops."""
        raise AssertionError(f"{self.name} has no element")


class RngNormal(_Quantile):
    """A number of the normal distribution with mean 0 and variance 1, by its quantile function.

    Each element takes one word (f32) or two (f64) of `tir.rng_bits`, and is monotone in it. Within 4 ulp of the
    quantile. In f32 from -6.4 to 6.4, in f64 from -9.1 to 9.1: what is farther out has a probability below 2^-32 or
    2^-63. Computed by the polynomials of tir.erfinv, in f64 by AS 241 (Wichura, 1988).
    """

    name = "tir.rng_normal"

    def quantiles(self, is_lower: Any, t: Any) -> Any:
        return np.where(is_lower, -1, 1) * upper_quantiles(t.astype(np.float64))

    def quantile(self, s: Any, is_lower: Any, t: Any) -> Any:
        z = upper_quantile(s, t)
        return s.select(is_lower, s.neg(z), z)


class RngExponential(_Quantile):
    """A number of the exponential distribution with mean 1: -log(1 - P) of a random probability P. Above 0, never inf.

    Within 3 ulp. At most 22.9 in f32 and 44.4 in f64. With the rate r it is `x / r`.
    """

    name = "tir.rng_exponential"

    def quantiles(self, is_lower: Any, t: Any) -> Any:
        return np.where(is_lower, -np.log1p(-t), -np.log(t))

    def quantile(self, s: Any, is_lower: Any, t: Any) -> Any:
        return s.neg(s.select(is_lower, s.log1p(s.neg(t)), s.log(t)))


class RngGumbel(_Quantile):
    """A number of the Gumbel distribution: -log(-log(P)) of a random probability P, finite.

    Within 4 ulp of the larger of 1 and the result. `argmax(logits + gumbel)` draws a class with the probabilities of
    the softmax of the logits. From -3.2 to 22.9 in f32, from -3.8 to 44.4 in f64.
    """

    name = "tir.rng_gumbel"

    def quantiles(self, is_lower: Any, t: Any) -> Any:
        return -np.log(np.where(is_lower, -np.log(t), -np.log1p(-t)))

    def quantile(self, s: Any, is_lower: Any, t: Any) -> Any:
        return s.neg(s.log(s.neg(s.select(is_lower, s.log(t), s.log1p(s.neg(t))))))


class RngLaplace(_Quantile):
    """A number of the Laplace distribution, of density exp(-|x|) / 2: mean 0 and variance 2.

    log(2P) or -log(2 (1 - P)) of a random probability P, within 3 ulp; at most 22.2 in f32 and 43.7 in f64.
    """

    name = "tir.rng_laplace"

    def quantiles(self, is_lower: Any, t: Any) -> Any:
        return np.where(is_lower, np.log(t + t), -np.log(t + t))

    def quantile(self, s: Any, is_lower: Any, t: Any) -> Any:
        size = s.log(s.add(t, t))
        return s.select(is_lower, size, s.neg(size))


class RngCauchy(_Quantile):
    """A number of the Cauchy distribution, of density 1 / (pi (1 + x^2)), which has no mean: tan(pi (P - 1/2)).

    Within 6 ulp; at most 2.8e9 in f32 and 5.9e18 in f64.
    """

    name = "tir.rng_cauchy"

    def quantiles(self, is_lower: Any, t: Any) -> Any:
        wide = t.astype(np.float64)
        # The smaller angle has the accurate tangent: near t = 1/2 it is that to the vertical.
        tangent = np.tan(np.pi * np.minimum(wide, 0.5 - wide))
        return np.where(is_lower, -1, 1) * np.where(wide < 0.25, 1 / tangent, tangent)

    def quantile(self, s: Any, is_lower: Any, t: Any) -> Any:
        rest = s.sub(s.const(0.5, t), t)
        is_outside = s.cmp("lt", t, s.const(0.25, t))
        tangent = s.tan(s.mul(s.select(is_outside, t, rest), math.pi))
        size = s.select(is_outside, s.div(s.const(1.0, t), tangent), tangent)
        return s.select(is_lower, s.neg(size), size)


# --- distributions with parameters ---------------------------------------------------------------------------------


class WithParameters:
    """The shapes of an op whose operands behind the key have the shape of the result."""

    __slots__ = ()

    def named_parameters(self) -> list[tuple[str, TensorType]]:
        """The names and types of the operands behind the key."""
        fields = self.definition.operands[1:]  # type: ignore[attr-defined]
        return [(field.name, getattr(self, field.name).type) for field in fields]

    def result_element(self) -> Type:
        """The element type of the result; here that of the parameters, which must agree."""
        return common_element(self, *self.named_parameters())  # type: ignore[arg-type]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        """The parameters have one shape."""
        return same_shapes(self.operands[1:])  # type: ignore[attr-defined]

    def infer(self) -> Sequence[Type]:
        shape = merge_shapes(self, *self.named_parameters())  # type: ignore[arg-type]
        return [TensorType(shape, self.result_element())]


class RngBernoulli(WithParameters, Keyed, Composite):
    """True with the probability p of each element: `tir.rng_bernoulli %key, %p : tensor<4xf32> -> tensor<4xi1>`.

    Where element i of `tir.rng_bits`, a number below 2^32, is below 2^32 p: the same bits at every level, with a
    probability that is less than 2^-32 too large. Never for p <= 0 and nan, always for p >= 1.
    """

    name = "tir.rng_bernoulli"
    key = operand(KEY)
    p = operand(FLOAT_TENSOR)
    result = result(BOOL_TENSOR)
    format = "$key `,` $p attr-dict `:` type($p) `->` type($result)"
    grad = NotDifferentiable("a truth value jumps where p passes the random number")

    def result_element(self) -> Type:
        return I1

    def reference(self, key: Any, p: Any) -> Any:
        (word,) = drawn(np.shape(p), key, 1)
        return word < np.asarray(p).astype(np.float64) * 2.0**32

    def decompose(self, b: Any, key: Any, p: Any) -> Any:
        number = b.cast(b.rng_bits(key, b.shape(p), UI32), F64)
        return b.cmp("lt", number, b.cast(p, F64) * 2.0**32)


class RngRandint(WithParameters, RandomOp):
    """Whole numbers from `low` to below `high`: `tir.rng_randint %key, %low, %high : tensor<4xi32>`, or any integer.

    low + floor(u (high - low)) for a u in [0, 1) of 64 random bits, or of 128 for integers of 64 bits: no probability
    is off by more than 2^-32 of itself, or 2^-64. Where high is not above low the result is low. The same bits at every
    level.
    """

    name = "tir.rng_randint"
    key = operand(KEY)
    low = operand(INTEGER_TENSOR)
    high = operand(INTEGER_TENSOR)
    result = result(INTEGER_TENSOR)
    format = "$key `,` $low `,` $high attr-dict `:` type($result)"
    grad = NotDifferentiable("whole numbers change in jumps")

    @property
    def words(self) -> int:
        """How many words of 32 bits an element takes."""
        return 4 if self.result_type.element.width == 64 else 2  # type: ignore[attr-defined]

    def parameters(self) -> list[Value]:
        return [self.low, self.high]

    def reference(self, key: Any, low: Any, high: Any) -> Any:
        low, high = np.asarray(low), np.asarray(high)
        span = np.where(low < high, high.astype(np.uint64) - low.astype(np.uint64), np.uint64(0))
        words = drawn(low.shape, key, self.words)
        numbers = [a << np.uint64(32) | b for a, b in zip(words[::2], words[1::2])]
        found = _high_product(numbers[0], span)
        if len(numbers) == 2:
            low_product = numbers[0] * span
            found = found + (low_product + _high_product(numbers[1], span) < low_product)
        return (low.astype(np.uint64) + found).astype(low.dtype)

    def element(self, s: Any, k0: Any, k1: Any, low: Any, high: Any) -> Any:
        wide_low, wide_high = s.cast(low, UI64), s.cast(high, UI64)
        span = s.select(s.cmp("lt", low, high), s.sub(wide_high, wide_low), s.const(0, UI64))
        words = self.draw(s, (k0, k1), self.words)
        half = s.const(32, UI64)
        if self.words == 2:  # the span is below 2^32, so no sum overflows
            carry = s.shr_unsigned(s.mul(words[1], span), half)
            found = s.shr_unsigned(s.add(s.mul(words[0], span), carry), half)
        else:
            upper, lower = (s.or_(s.shl(a, half), b) for a, b in zip(words[::2], words[1::2]))
            low_product, found = s.mul_extended_unsigned(upper, span)
            total = s.add(low_product, s.mul_extended_unsigned(lower, span)[1])
            found = s.add(found, s.cast(s.cmp("lt", total, low_product), UI64))
        return s.cast(s.add(wide_low, found), low.type)


def _high_product(x: Any, y: Any) -> Any:
    """The upper half of the bits of the product of two uint64 arrays."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    middle = (x >> half) * (y & low) + ((x & low) * (y & low) >> half)
    other = (x & low) * (y >> half) + (middle & low)
    return (x >> half) * (y >> half) + (middle >> half) + (other >> half)


TINY = 1e-300  # the least probability whose quantile is asked for
FARTHEST = 37.0  # beyond it the probabilities of f64 are no longer normal numbers
UNIT = 2.0**-53  # of uniform numbers in f64; half of it keeps them off 0


class RngTruncatedNormal(WithParameters, RandomOp):
    """A standard normal number between `low` and `high`, if all others are thrown away, by its quantile function.

    `tir.rng_truncated_normal %key, %low, %high : tensor<4xf32>`; bounds may be infinite; nan where one is nan or low is
    above high. Computed in f64 from two words of `tir.rng_bits`, whatever the type; far from 0 tails are measured from
    their end. Where both bounds lie beyond 37 on one side, where the probabilities of f64 end, the density is
    x exp(-x^2 / 2), which is off by less than 1 / 37^2 of itself.

    Gradient, with the probability u within the interval: (1 - u) exp((x^2 - low^2) / 2) of low, u exp((x^2 - high^2) /
    2) of high: what moves x while its probability stays.
    """

    name = "tir.rng_truncated_normal"
    key = operand(KEY)
    low = operand(FLOAT_TENSOR)
    high = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$key `,` $low `,` $high attr-dict `:` type($result)"

    def parameters(self) -> list[Value]:
        return [self.low, self.high]

    def reference(self, key: Any, low: Any, high: Any) -> Any:
        u = np.minimum(uniforms(drawn(np.shape(low), key, 2)) + UNIT / 2, 1 - UNIT)
        a, b = (np.asarray(x).astype(np.float64) for x in (low, high))
        with np.errstate(all="ignore"):
            below, above = _tails(-a), _tails(b)
            inside = np.where(a > 0, _tails(a) - above, np.where(b < 0, _tails(-b) - below, 1 - below - above))
            p, q = below + u * inside, above + (1 - u) * inside
            z = np.where(p < q, -1, 1) * upper_quantiles(np.maximum(np.minimum(p, q), TINY))
            near, beyond, v = np.where(a > 0, a, -b), np.where(a > 0, b, -a), np.where(a > 0, u, 1 - u)
            energy = -np.log1p(v * np.expm1((near - beyond) * (near + beyond) / 2))
            far = np.where(a > 0, 1, -1) * near * np.sqrt(1 + 2 * energy / (near * near))
            z = np.clip(np.where(near > FARTHEST, far, z), a, b)
        return np.where(a <= b, z, np.nan).astype(np.asarray(low).dtype)

    def element(self, s: Any, k0: Any, k1: Any, low: Any, high: Any) -> Any:
        u = s.minimum(s.add(uniform(s, self.draw(s, (k0, k1), 2)), UNIT / 2), 1 - UNIT)
        a, b = s.cast(low, F64), s.cast(high, F64)
        one, zero = s.const(1.0, u), s.const(0.0, u)
        is_right, is_left, v = s.cmp("gt", a, zero), s.cmp("lt", b, zero), s.sub(one, u)
        near, beyond = s.select(is_right, a, s.neg(b)), s.select(is_right, b, s.neg(a))
        below, above = _tail(s, s.neg(a)), _tail(s, b)
        of_side = s.sub(_tail(s, near), _tail(s, beyond))
        inside = s.select(s.or_(is_right, is_left), of_side, s.sub(s.sub(one, below), above))
        p, q = s.add(below, s.mul(u, inside)), s.add(above, s.mul(v, inside))
        size = upper_quantile(s, s.maximum(s.minimum(p, q), TINY))
        z = s.select(s.cmp("lt", p, q), s.neg(size), size)
        gap = s.mul(s.mul(s.sub(near, beyond), s.add(near, beyond)), 0.5)
        energy = s.neg(s.log1p(s.mul(s.select(is_right, u, v), s.expm1(gap))))
        size = s.mul(near, s.sqrt(s.add(s.div(s.add(energy, energy), s.mul(near, near)), one)))
        far = s.select(is_right, size, s.neg(size))
        z = s.minimum(s.maximum(s.select(s.cmp("gt", near, s.const(FARTHEST, near)), far, z), a), b)
        return s.cast(s.select(s.cmp("le", a, b), z, s.const(math.nan, z)), low.type)

    def grad(self, b: Any, g: Any, key: Any, low: Any, high: Any) -> list[Any]:
        u = b.minimum(b.rng_uniform(key, b.shape(self.result), F64) + UNIT / 2, 1 - UNIT)
        x, low, high = (b.cast(y, F64) for y in (b.tensor(self.result), low, high))
        by_low = (1 - u) * b.exp((x - low) * (x + low) / 2)
        by_high = u * b.exp((x - high) * (x + high) / 2)
        return [None, *(g * b.cast(part, g.type.element) for part in (by_low, by_high))]


def _tail(s: Any, x: Any) -> Any:
    """The probability that a standard normal number is above x."""
    return s.mul(s.erfc(s.mul(x, math.sqrt(0.5))), 0.5)


def _tails(x: Any) -> Any:
    return each(math.erfc, x * math.sqrt(0.5)) / 2


#: The ops of the family, in the order of the documentation.
OPS = (
    RngNormal, RngExponential, RngGumbel, RngLaplace, RngCauchy, RngBernoulli, RngRandint, RngTruncatedNormal,
)  # fmt: skip
