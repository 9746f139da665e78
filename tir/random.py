"""Random numbers from keys: the same key gives the same numbers, on every machine and at every level.

    key = tir.random.key(0)
    key, one = tir.random.split(key)
    noise = tir.random.normal(one, (3, 4))

A key is an array of two int32. Nothing is remembered between calls: who wants other numbers splits the key first. The
functions work on arrays, where each is compiled at its first call, and in traced functions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache, wraps
from inspect import signature
from typing import Any

from tir.api import caller_location
from tir.calls import wrong_call
from tir.dialects.tir.build.core import Tensor, told
from tir.ir.errors import TirError
from tir.ir.types import I32, I64
from tir.lazy import np
from tir.numpy.arrays import Array, as_array, builder_of
from tir.numpy.common import element_of, shape_of, traced
from tir.tracing import Jitted

__all__ = [
    "bernoulli", "binomial", "bits", "categorical", "cauchy", "choice", "exponential", "fold_in", "gamma", "gumbel", "key",
    "laplace", "normal", "permutation", "randint", "split", "truncated_normal", "uniform",
]  # fmt: skip

#: Arguments that the program is made for.
_STATIC = ("shape", "dtype", "axis", "count", "size")


def _random(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a builder as one of arrays, traced or not."""
    build = traced(function)
    static = [name for name in _STATIC if name in list(signature(build).parameters)]

    @cache
    def compiled() -> Jitted:
        return Jitted(build, f"tir.random.{function.__name__}", static_argnames=static)

    @wraps(build)
    def call(*given: Any, **named: Any) -> Any:
        if builder_of(given, named) is not None:
            return build(*given, **named)
        try:
            bound = signature(build).bind(*given, **named).arguments
        except TypeError:
            raise wrong_call(f"tir.random.{function.__name__}", build, given, named) from None
        if not _is_key(bound["key"]):
            message = f"tir.random.{function.__name__}: key must be a key, an array of two int32, got {told(bound['key'])}"
            raise TirError(message, caller_location(), hint="tir.random.key(0) makes one")
        return compiled()(**{name: _hashable(x) if name in static else x for name, x in bound.items()})

    return call


def _is_key(x: Any) -> bool:
    array = np.asarray(x)
    return array.dtype == np.int32 and array.shape == (2,)


def _hashable(x: Any) -> Any:
    return tuple(x) if isinstance(x, list) else np.dtype(x) if isinstance(x, type) else x


def key(seed: Any) -> Any:
    """The key for a seed, a whole number of which 64 bits count."""
    if isinstance(seed, Tensor):
        b = seed.builder
        whole = b.cast(seed, I64)
        words = [b.cast(whole, I32), b.cast(b.shr(whole, 32), I32)]
        return Array(b, b.stack(words).value)
    try:
        number = operator.index(seed)
    except TypeError:
        raise TirError(f"tir.random.key: the seed must be a whole number, got {told(seed)}", caller_location()) from None
    return np.array([number & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF], np.uint32).view(np.int32)


@_random
def split(b: Any, key: Any, count: Any = 2) -> Any:
    """New keys, `[i]` being key i; the old one is not to be used again."""
    return Array(b, b.rng_split(as_array(b, key), shape_of(count)).value)


@_random
def fold_in(b: Any, key: Any, number: Any) -> Any:
    """The key for a number, such as that of a step; of an array of numbers one key each."""
    return Array(b, b.rng_fold_in(as_array(b, key), as_array(b, number)).value)


@_random
def bits(b: Any, key: Any, shape: Any = (), dtype: Any = "uint32") -> Any:
    """Random bits: unsigned integers of 32 or 64."""
    return Array(b, b.rng_bits(as_array(b, key), shape_of(shape), element_of(dtype)).value)


@_random
def uniform(b: Any, key: Any, shape: Any = (), dtype: Any = "float64", minval: Any = 0.0, maxval: Any = 1.0) -> Any:
    """Floats from minval to below maxval."""
    return Array(b, b.rng_uniform(as_array(b, key), shape_of(shape), element_of(dtype), minval, maxval).value)


def _standard(method: str, words: str) -> Callable[..., Any]:
    def draw(b: Any, key: Any, shape: Any = (), dtype: Any = "float64") -> Any:
        return Array(b, getattr(b, method)(as_array(b, key), shape_of(shape), element_of(dtype)).value)

    draw.__name__, draw.__doc__ = method.removeprefix("rng_"), words
    return _random(draw)


normal = _standard("rng_normal", "Numbers of the normal distribution with mean 0 and variance 1.")
exponential = _standard("rng_exponential", "Exponential numbers with mean 1.")
gumbel = _standard("rng_gumbel", "Gumbel numbers.")
laplace = _standard("rng_laplace", "Laplace numbers.")
cauchy = _standard("rng_cauchy", "Cauchy numbers.")


@_random
def truncated_normal(b: Any, key: Any, lower: Any, upper: Any, shape: Any = (), dtype: Any = "float64") -> Any:
    """Normal numbers between lower and upper."""
    low, high = (b.cast(as_array(b, x), element_of(dtype)) for x in (lower, upper))
    return Array(b, b.rng_truncated_normal(as_array(b, key), low, high, shape_of(shape)).value)


@_random
def gamma(b: Any, key: Any, a: Any, shape: Any = None, dtype: Any = "float64") -> Any:
    """Gamma numbers with the shape parameter a."""
    alpha = b.cast(as_array(b, a), element_of(dtype))
    return Array(b, b.rng_gamma(as_array(b, key), alpha, None if shape is None else shape_of(shape)).value)


@_random
def bernoulli(b: Any, key: Any, p: Any = 0.5, shape: Any = None) -> Any:
    """Truth values that are true with the probability p."""
    return Array(b, b.rng_bernoulli(as_array(b, key), as_array(b, p), None if shape is None else shape_of(shape)).value)


@_random
def binomial(b: Any, key: Any, n: Any, p: Any, shape: Any = None) -> Any:
    """How many of n trials succeed, each with the probability p."""
    sizes = None if shape is None else shape_of(shape)
    return Array(b, b.rng_binomial(as_array(b, key), as_array(b, n), as_array(b, p), sizes).value)


@_random
def randint(b: Any, key: Any, minval: Any, maxval: Any, shape: Any = (), dtype: Any = "int64") -> Any:
    """Whole numbers from minval to below maxval."""
    low, high = (b.cast(as_array(b, x), element_of(dtype)) for x in (minval, maxval))
    return Array(b, b.rng_randint(as_array(b, key), low, high, shape_of(shape)).value)


@_random
def categorical(b: Any, key: Any, logits: Any, axis: int = -1) -> Any:
    """A class for each slice along the axis, with the probabilities of the softmax of the logits."""
    return Array(b, b.rng_categorical(as_array(b, key), as_array(b, logits), axis).value)


@_random
def permutation(b: Any, key: Any, x: Any, axis: int = 0) -> Any:
    """The slices of x along the axis in random order."""
    return Array(b, b.rng_shuffle(as_array(b, key), as_array(b, x), axis).value)


@_random
def choice(b: Any, key: Any, a: Any, shape: Any = ()) -> Any:
    """Elements of a along axis 0, each as likely as the others, with repetition."""
    x = as_array(b, a)
    places = b.rng_randint(as_array(b, key), b.constant(np.int64(0)), b.tensor(b.count(x, [0], I64)), shape_of(shape))
    return Array(b, b.take(x, places, 0).value)
