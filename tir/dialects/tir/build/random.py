"""Builder methods for random numbers. A key is a tensor<2xi32>, and gives the same numbers whenever it is used.

    keys = b.rng_split(b.rng_key(7), 2)
    noise = b.rng_normal(keys[0], (4, 3), mean=1, stddev=0.5)
    kept = b.rng_bernoulli(keys[1], 0.9, (4, 3))

Parameters may be numbers or tensors and broadcast as elsewhere. Where there is a `shape`, they are repeated up to it;
of parameters alone it is their common one. Gradients flow through places, scales and bounds.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

from tir.dialects.tir import distributions, random, rejection
from tir.dialects.tir.build.core import Extent, Tensor, TensorLike
from tir.dialects.tir.build.losses import LossBuilder
from tir.dialects.tir.elements import wide_type
from tir.ir.types import F32, I32, I64, Type
from tir.lazy import np

__all__ = ["RandomBuilder"]

Shape = Sequence[Extent]
Key = TensorLike  # a tensor<2xi32>


class RandomBuilder(LossBuilder):
    """Keys, bits and numbers from distributions."""

    # --- keys --------------------------------------------------------------------------------------------------------

    def rng_key(self, seed: int) -> Tensor:
        """The key for a seed, of which 64 bits count: two words, the low one first."""
        seed = operator.index(seed)  # numpy's integers may not hold the masks
        words = [seed & random.LOW, seed >> 32 & random.LOW]
        return self.constant(np.array(words, np.uint32).view(np.int32))

    def rng_split(self, key: Key, count: Extent | Shape = 2) -> Tensor:
        """New keys, `[i]` being key i; the old one is not to be split again."""
        shape = count if isinstance(count, (list, tuple, np.ndarray)) else [count]
        return self._sized(random.RngSplit, self.tensor(key), shape=[*shape, 2], element=I32)

    def rng_fold_in(self, key: Key, number: TensorLike) -> Tensor:
        """The key for a number, such as that of a step; of a tensor of numbers one key each."""
        return self.make(random.RngFoldIn, self.tensor(key), self.tensor(number))

    # --- bits and standard distributions -----------------------------------------------------------------------------

    def rng_bits(self, key: Key, shape: Shape, element: Type = random.UI32) -> Tensor:
        """Random bits: integers of 32 or 64."""
        return self._sized(random.RngBits, self.tensor(key), shape=shape, element=element)

    def rng_uniform(
        self, key: Key, shape: Shape, element: Type = F32, low: TensorLike = 0, high: TensorLike = 1
    ) -> Tensor:
        """Random floats from low to below high (or high, where that is rounded to)."""
        return self._moved(random.RngUniform, key, shape, element, low, self._difference(high, low))

    def rng_normal(
        self, key: Key, shape: Shape, element: Type = F32, mean: TensorLike = 0, stddev: TensorLike = 1
    ) -> Tensor:
        """Normal numbers, mean + stddev * z: with stddev = 0 the mean; its sign does not change the distribution."""
        return self._moved(distributions.RngNormal, key, shape, element, mean, stddev)

    def rng_exponential(self, key: Key, shape: Shape, element: Type = F32, scale: TensorLike = 1) -> Tensor:
        """Exponential numbers with the mean `scale`, one over the rate."""
        return self._moved(distributions.RngExponential, key, shape, element, 0, scale)

    def rng_gumbel(
        self, key: Key, shape: Shape, element: Type = F32, location: TensorLike = 0, scale: TensorLike = 1
    ) -> Tensor:
        """Gumbel numbers, location + scale * x."""
        return self._moved(distributions.RngGumbel, key, shape, element, location, scale)

    def rng_laplace(
        self, key: Key, shape: Shape, element: Type = F32, location: TensorLike = 0, scale: TensorLike = 1
    ) -> Tensor:
        """Laplace numbers, location + scale * x."""
        return self._moved(distributions.RngLaplace, key, shape, element, location, scale)

    def rng_cauchy(
        self, key: Key, shape: Shape, element: Type = F32, location: TensorLike = 0, scale: TensorLike = 1
    ) -> Tensor:
        """Cauchy numbers, location + scale * x."""
        return self._moved(distributions.RngCauchy, key, shape, element, location, scale)

    def _moved(
        self, cls: type[random.Standard], key: Key, shape: Shape, element: Type, location: TensorLike,
        scale: TensorLike,
    ) -> Tensor:  # fmt: skip
        """location + scale * x. f16 and bf16 are drawn in f32 and rounded, where a uniform number may become high."""
        x = self._sized(cls, self.tensor(key), shape=shape, element=wide_type(element))
        x = x if _is(scale, 1) else x * self._of_element(scale, wide_type(element))
        x = x if _is(location, 0) else x + self._of_element(location, wide_type(element))
        return self.cast(x, element)

    def _of_element(self, x: TensorLike, element: Type) -> TensorLike:
        return x if isinstance(x, (int, float)) else self.cast(x, element)

    def _difference(self, x: TensorLike, y: TensorLike) -> TensorLike:
        return x - y if isinstance(x, (int, float)) and isinstance(y, (int, float)) else self.sub(x, y)

    # --- distributions with parameters -------------------------------------------------------------------------------

    def rng_bernoulli(self, key: Key, p: TensorLike, shape: Shape | None = None) -> Tensor:
        """Truth values that are true with the probability p: never for p <= 0 and nan, always for p >= 1."""
        (p,) = self._parameters(shape, None, p)
        return self.make(distributions.RngBernoulli, self.tensor(key), p)

    def rng_randint(
        self, key: Key, low: TensorLike, high: TensorLike, shape: Shape | None = None, element: Type = I64
    ) -> Tensor:
        """Whole numbers from low to below high, low where there are none; element: if both are Python numbers."""
        low, high = self._parameters(shape, element, low, high)
        return self.make(distributions.RngRandint, self.tensor(key), low, high)

    def rng_binomial(
        self, key: Key, n: TensorLike, p: TensorLike, shape: Shape | None = None, element: Type = I64
    ) -> Tensor:
        """How many of n trials succeed, each with the probability p; element: if n is a Python number."""
        (n,), (p,) = self._parameters(None, element, n), self._parameters(None, None, p)
        shape = self._common_shape([n, p]) if shape is None else shape
        n, p = (self.broadcast_to(x, shape) for x in (n, p))
        return self.make(rejection.RngBinomial, self.tensor(key), n, p)

    def rng_truncated_normal(
        self, key: Key, low: TensorLike, high: TensorLike, shape: Shape | None = None, element: Type = F32,
        mean: TensorLike = 0, stddev: TensorLike = 1,
    ) -> Tensor:  # fmt: skip
        """Normal numbers between low and high; nan if low is above high. element: if all are Python numbers."""
        low, high, mean, stddev = self._parameters(shape, element, low, high, mean, stddev)
        z = self.make(distributions.RngTruncatedNormal, self.tensor(key), (low - mean) / stddev, (high - mean) / stddev)
        return mean + stddev * z

    def rng_gamma(
        self, key: Key, alpha: TensorLike, shape: Shape | None = None, element: Type = F32, scale: TensorLike = 1
    ) -> Tensor:
        """Gamma numbers with the shape parameter alpha; element: if it is a Python number."""
        (alpha,) = self._parameters(shape, element, alpha)
        x = self.make(rejection.RngGamma, self.tensor(key), alpha)
        return x if _is(scale, 1) else x * scale

    def _parameters(self, shape: Shape | None, element: Type | None, *xs: TensorLike) -> list[Tensor]:
        """Tensors of one type and of the shape; Python numbers alone become numbers of `element`."""
        kept, found = self._promote(*xs)
        if element is not None and all(isinstance(x, (int, float)) for x in xs):
            kept, found = [self.constant(x, element) for x in xs], element
        tensors = self._one_shape(kept, found)
        return tensors if shape is None else [self.broadcast_to(x, shape) for x in tensors]

    # --- choices -----------------------------------------------------------------------------------------------------

    def rng_categorical(self, key: Key, logits: TensorLike, axis: int = -1) -> Tensor:
        """A class for each slice along the axis, as i64, with the probabilities of the softmax of the logits.

        The argmax of logits + Gumbel noise. A logit of -inf is never chosen; if all are, class 0 is; a nan always is.
        """
        (logits,), element = self._promote(self.tensor(logits), floats=True)
        noise = self.rng_gumbel(key, self.shape(logits), wide_type(element))
        return self.argmax(self.cast(logits, wide_type(element)) + noise, axis)

    def rng_permutation(self, key: Key, size: Extent) -> Tensor:
        """The numbers from 0 to below size in random order, as i64.

        The order of 64 random bits each; of equal ones, which n numbers hold with a probability of n^2 / 2^65, the
        lower number comes first. The same at every level.
        """
        return self.argsort(self.rng_bits(key, [size], random.UI64), 0)

    def rng_shuffle(self, key: Key, x: TensorLike, axis: int = 0) -> Tensor:
        """The slices of x along the axis in random order."""
        x = self.tensor(x)
        return self.take(x, self.rng_permutation(key, self.shape(x)[self.axis_of(x, axis)]), axis)


def _is(x: TensorLike, number: int) -> bool:
    return isinstance(x, (int, float)) and x == number
