"""Streams of random numbers: `RandomStreams`, which is Theano's `shared_randomstreams` and `rng_mrg` in one.

    srng = RandomStreams(seed=234)
    noise = srng.normal((3, 4))

Each call of a method makes a stream of its own: a shared variable that holds a key, and that functions which use the numbers
update (`no_default_updates=True` keeps it, so that the numbers stay). The generator is Philox4x32-10: equal seeds give equal
numbers, at every level and on every machine; they are not those of Theano's generators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.build.core import Extent, Tensor
from tir.graph import elementwise, shape
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.shared import SharedVariable
from tir.graph.typing import element_of, float_x, promoted
from tir.ir.types import I64, FloatType, Type
from tir.lazy import np

__all__ = ["MRG_RandomStreams", "RandomStreams"]


class Key(np.ndarray):
    """The state of a stream: two words of 32 bits, which `seed` sets."""

    def seed(self, seed: int) -> None:
        """Starts the stream anew."""
        self[...] = key_of(seed)


def key_of(seed: int) -> Any:
    """The key for a seed."""
    words = [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF]
    return np.array(words, np.uint32).view(np.int32)


class RandomStateVariable(SharedVariable):
    """The shared variable that holds the key of a stream."""

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        return super().get_value(borrow).view(Key)


class RandomStreams:
    """Makes streams of random numbers from one seed. state_updates: the stream of each call, and its next state."""

    @located
    def __init__(self, seed: int | Sequence[int] | None = 12345, use_cuda: bool | None = None) -> None:
        self.default_instance_seed = seed
        self.state_updates: list[tuple[RandomStateVariable, Tensor]] = []
        self._seeds = np.random.RandomState(self._checked(seed))

    @staticmethod
    def _checked(seed: Any) -> Any:
        try:
            np.random.RandomState(seed)
        except (TypeError, ValueError):
            raise GraphTypeError(
                f"the seed of random streams must be a whole number from 0 to 2^32 - 1, got {seed!r}"
            ) from None
        return seed

    def _next_seed(self) -> int:
        return int(self._seeds.randint(0, 2**31 - 1)) << 32 | int(self._seeds.randint(0, 2**31 - 1))

    @located
    def seed(self, seed: int | None = None) -> None:
        """Starts all streams anew, from this seed or the first one."""
        self._seeds = np.random.RandomState(self._checked(self.default_instance_seed if seed is None else seed))
        for state, _ in self.state_updates:
            state.set_value(key_of(self._next_seed()))

    set_rstate = seed

    def updates(self) -> list[tuple[RandomStateVariable, Tensor]]:
        """The streams and their next states."""
        return list(self.state_updates)

    def _key(self) -> tuple[Tensor, RandomStateVariable, Tensor]:
        """The key for the numbers of a new stream, its state and the next one."""
        state = RandomStateVariable(key_of(self._next_seed()))
        keys = b.rng_split(state, 2)
        state.default_update = b.index(keys, 0)
        self.state_updates.append((state, state.default_update))
        return b.index(keys, 1), state, state.default_update

    def _drawn(self, key: tuple[Tensor, RandomStateVariable, Tensor], x: Tensor) -> Tensor:
        """The numbers, which know their stream: `x.rng`, `x.update`."""
        x.rng, x.update = key[1], key[2]  # type: ignore[attr-defined]
        return x

    # --- distributions -----------------------------------------------------------------------------------------------

    @located
    def uniform(
        self, size: Any = None, low: Any = 0.0, high: Any = 1.0, ndim: int | None = None, dtype: Any = None, **options: Any
    ) -> Tensor:
        """Floats from low to below high; of floatX, or as wide as the bounds."""
        key = self._key()
        element = _float_of(dtype, low, high)
        sizes = _sizes(size, low, high)
        return self._drawn(key, b.cast(b.rng_uniform(key[0], sizes, element, _part(low), _part(high)), element))

    @located
    def normal(
        self, size: Any = None, avg: Any = 0.0, std: Any = 1.0, ndim: int | None = None, dtype: Any = None, **options: Any
    ) -> Tensor:
        """Normal numbers; of floatX, or as wide as avg and std."""
        key = self._key()
        element = _float_of(dtype, avg, std)
        sizes = _sizes(size, avg, std)
        return self._drawn(key, b.cast(b.rng_normal(key[0], sizes, element, _part(avg), _part(std)), element))

    @located
    def truncated_normal(self, size: Any, avg: Any = 0.0, std: Any = 1.0, dtype: Any = None, **options: Any) -> Tensor:
        """Normal numbers within two standard deviations of avg."""
        key = self._key()
        element = _float_of(dtype, avg, std)
        z = b.rng_truncated_normal(key[0], -2.0, 2.0, _sizes(size, avg, std), element)
        return self._drawn(key, elementwise.cast(elementwise.add(avg, elementwise.mul(std, z)), element))

    @located
    def binomial(
        self, size: Any = None, n: Any = 1, p: Any = 0.5, ndim: int | None = None, dtype: Any = "int64",
        prob: Any = None, **options: Any,
    ) -> Tensor:  # fmt: skip
        """How many of n trials succeed, each with the probability p."""
        key = self._key()
        chance = b.tensor(p if prob is None else prob)
        chance = chance if isinstance(chance.type.element, FloatType) else b.cast(chance, float_x())
        sizes = _sizes(size, n, chance)
        if not isinstance(n, Tensor) and np.ndim(n) == 0 and n == 1:
            return self._drawn(key, elementwise.cast(b.rng_bernoulli(key[0], chance, sizes), dtype))
        count = b.cast(b.tensor(n), I64)
        return self._drawn(key, elementwise.cast(b.rng_binomial(key[0], count, chance, sizes), dtype))

    @located
    def random_integers(
        self, size: Any = None, low: Any = 0, high: Any = 1, ndim: int | None = None, dtype: Any = "int64", **options: Any
    ) -> Tensor:
        """Whole numbers from low to high, both included."""
        key = self._key()
        low, high = (b.cast(b.tensor(x), I64) for x in (low, high))
        found = b.rng_randint(key[0], low, b.add(high, b.constant(1, I64)), _sizes(size, low, high))
        return self._drawn(key, elementwise.cast(found, dtype))

    @located
    def integers(self, low: Any, high: Any = None, size: Any = None, dtype: Any = "int64", **options: Any) -> Tensor:
        """Whole numbers from low (0) to below high."""
        low, high = (0, low) if high is None else (low, high)
        return self.random_integers(size, low, elementwise.sub(high, 1), dtype=dtype)

    @located
    def multinomial(
        self, size: Any = None, n: Any = 1, pvals: Any = None, ndim: int | None = None, dtype: Any = "int64", **options: Any
    ) -> Tensor:
        """How often each class comes up in n draws with the probabilities of each row of pvals."""
        key = self._key()
        p = b.tensor(pvals)
        count = shape.get_scalar_constant_value(n)
        logits = elementwise.log(p)
        draws = []
        for i in range(int(count)):
            one = b.rng_fold_in(key[0], b.constant(i, I64)) if count != 1 else key[0]
            chosen = b.rng_categorical(one, _repeated(logits, size))
            draws.append(b.one_hot(chosen, b.shape(p)[-1], element_of(dtype)))
        found = draws[0] if draws else b.full_like(elementwise.cast(_repeated(p, size), dtype), 0)
        for draw in draws[1:]:
            found = b.add(found, draw)
        return self._drawn(key, elementwise.cast(found, dtype))

    @located
    def choice(
        self,
        size: Any = 1,
        a: Any = None,
        replace: bool = True,
        p: Any = None,
        ndim: int | None = None,
        dtype: Any = "int64",
        **options: Any,
    ) -> Tensor:
        """Numbers below a, or elements of the vector a, with the probabilities p."""
        key = self._key()
        values = a if isinstance(a, Tensor) or np.ndim(a) else None
        count = b.shape(b.tensor(values))[0] if values is not None else shape.extent_of(a)
        sizes = _sizes(size)
        if not replace:
            order = b.rng_permutation(key[0], count)
            total = b.full(0, sizes, I64)
            taken = b.count(total, range(len(sizes)), I64)
            places = b.dynamic_slice(order, [0], [taken if isinstance(taken, int) else b.to_index(taken)])
            places = b.reshape(places, sizes)
        elif p is None:
            limit = b.constant(count, I64) if isinstance(count, int) else b.extent_count(count)
            places = b.rng_randint(key[0], b.constant(0, I64), limit, sizes)
        else:
            logits = elementwise.log(b.tensor(p))
            places = b.rng_categorical(key[0], b.broadcast_to(logits, [*sizes, *b.shape(logits)]))
        found = places if values is None else b.take(values, places, 0)
        return self._drawn(key, found if values is not None else elementwise.cast(found, dtype))

    @located
    def permutation(
        self, size: Any = None, n: Any = 1, ndim: int | None = None, dtype: Any = "int64", **options: Any
    ) -> Tensor:
        """The numbers below n in random order; with a size, as many orders."""
        key = self._key()
        extent = shape.extent_of(n)
        sizes = _sizes(size)
        if not sizes:
            return self._drawn(key, elementwise.cast(b.rng_permutation(key[0], extent), dtype))
        bits = b.rng_bits(key[0], [*sizes, extent], element_of("uint64"))
        return self._drawn(key, elementwise.cast(b.argsort(bits, -1), dtype))

    @located
    def shuffle_row_elements(self, input: Any) -> Tensor:
        """The elements of each row in random order of their own."""
        key = self._key()
        x = b.tensor(input)
        order = b.argsort(b.rng_bits(key[0], b.shape(x), element_of("uint64")), -1)
        return self._drawn(key, b.take_along_axis(x, order, x.type.rank - 1))

    @located
    def exponential(self, size: Any = None, scale: Any = 1.0, dtype: Any = None, **options: Any) -> Tensor:
        """Exponential numbers with the mean `scale`."""
        key = self._key()
        element = _float_of(dtype, scale)
        return self._drawn(key, b.cast(b.rng_exponential(key[0], _sizes(size, scale), element, _part(scale)), element))

    @located
    def gumbel(self, size: Any = None, loc: Any = 0.0, scale: Any = 1.0, dtype: Any = None, **options: Any) -> Tensor:
        """Gumbel numbers."""
        key = self._key()
        element = _float_of(dtype, loc, scale)
        return self._drawn(
            key, b.cast(b.rng_gumbel(key[0], _sizes(size, loc, scale), element, _part(loc), _part(scale)), element)
        )

    @located
    def gamma(self, size: Any = None, shape: Any = 1.0, scale: Any = 1.0, dtype: Any = None, **options: Any) -> Tensor:
        """Gamma numbers with this shape parameter and scale."""
        key = self._key()
        element = _float_of(dtype, shape, scale)
        alpha = b.cast(b.tensor(shape), element)
        found = b.rng_gamma(key[0], alpha, _sizes(size, shape, scale))
        return self._drawn(key, elementwise.cast(elementwise.mul(found, scale), element))


MRG_RandomStreams = RandomStreams


def _part(x: Any) -> Any:
    return x if isinstance(x, (int, float)) else b.tensor(x)


def _float_of(dtype: Any, *parameters: Any) -> Type:
    """The dtype asked for, or floatX, or one as wide as the parameters that are tensors."""
    if dtype is not None:
        element = element_of(dtype)
        if not isinstance(element, FloatType):
            raise GraphTypeError(f"the dtype must be one of floats, got {dtype}")
        return element
    given = [b.tensor(x).type.element for x in parameters if not isinstance(x, (int, float))]
    floats = [element for element in given if isinstance(element, FloatType)]
    return promoted([float_x(), *floats])


def _sizes(size: Any, *parameters: Any) -> list[Extent]:
    """The shape of what is drawn: the one given, or that of the parameters."""
    if size is not None:
        found = shape.extents_of(size)
        if any(isinstance(one, int) and one < 0 for one in found):
            raise GraphValueError(f"a size must be at least 0, got {size!r}")
        return found
    tensors = [b.tensor(x) for x in parameters if not isinstance(x, (int, float))]
    return list(b._common_shape(tensors)) if tensors else []


def _repeated(x: Tensor, size: Any) -> Tensor:
    """x, or as many rows of it as `size` says where it has one alone."""
    if size is None or x.type.rank != 1:
        return x
    return b.broadcast_to(x, [*shape.extents_of(size), *b.shape(x)])
