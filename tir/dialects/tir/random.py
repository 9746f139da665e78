"""Random numbers as pure functions of a key: Philox4x32-10, counter based; keys, bits, and what distributions stand on.

Philox makes a *block*, four words of 32 bits, out of a counter of four words and a key of two; for one key no two
counters give the same block. Element i of a result, counted in row-major order, takes words of blocks that depend on i
alone: the same bits at every level, in any order and for any split of the work. A new key gives new numbers.

The last word of the counter says what a block is for, so that no two uses of one key ever meet:

    0  the bits of a tensor: counter (i, i >> 32, 0, 0) for block i
    1  `tir.rng_split`: key i is made of block (i, i >> 32, 0, 1)
    2  `tir.rng_fold_in`: the key for a number n of block (n, n >> 32, 0, 2)
    3  numbers that take an unknown count of tries: try k of element i has block (i, i >> 32, k, 3)

Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Keys are as in JAX: split, folded
in, and used once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import NotDifferentiable, Shaped, Sized, Structure, Structured, fail
from tir.dialects.tir.elements import INTEGER_TENSOR
from tir.ir.affine import AffineConstant, AffineExpr, AffineMap, affine
from tir.ir.define import operand, result
from tir.ir.ir import Value
from tir.ir.kinds import INDEX_KIND, TypeKind, exactly, tensor_of
from tir.ir.types import F32, F64, I32, I64, IntegerType, TensorType, Type
from tir.lazy import np

__all__ = [
    "KEY", "LOW", "OPS", "TRIES", "UI32", "UI64", "Keyed", "RandomOp", "Standard", "block", "block_words", "drawn",
    "open_uniform", "open_uniforms", "philox", "philox_scalars", "side", "sides", "uniform", "uniforms",
]  # fmt: skip

UI32, UI64 = IntegerType(32, "u"), IntegerType(64, "u")
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW, HIGHEST = 0xFFFFFFFF, 1 << 31
#: What a block is for: the last word of its counter.
BITS, SPLIT, FOLD_IN, TRIES = range(4)

KEY = TypeKind("tensor<2xi32>", lambda t: t is TensorType((2,), I32))


# --- Philox --------------------------------------------------------------------------------------------------------


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """The four words of a block. All words are uint64 arrays (or numbers) below 2^32."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    low, half = np.uint64(LOW), np.uint64(32)
    m0, m1 = (np.uint64(m) for m in MULTIPLIERS)
    for _ in range(ROUNDS):
        first, second = m0 * c0, m1 * c2
        c0, c1, c2, c3 = (second >> half) ^ c1 ^ k0, second & low, (first >> half) ^ c3 ^ k1, first & low
        k0, k1 = (k0 + np.uint64(KEY_STEPS[0])) & low, (k1 + np.uint64(KEY_STEPS[1])) & low
    return c0, c1, c2, c3


def philox_scalars(s: Any, counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """The same in scalar ops, of ui64 below 2^32 too: vector units multiply the low halves of 64 bits in one step.

    A million uniform f32 took 4.1 ms with products of 32-bit numbers in two halves, which are put together lane by
    lane, and 1.6 ms with these.
    """
    (c0, c1, c2, c3), (k0, k1) = counter, key
    low, half = s.const(LOW, UI64), s.const(32, UI64)
    for _ in range(ROUNDS):
        first, second = s.mul(c0, MULTIPLIERS[0]), s.mul(c2, MULTIPLIERS[1])
        c0, c1 = s.xor(s.xor(s.shr_unsigned(second, half), c1), k0), s.and_(second, low)
        c2, c3 = s.xor(s.xor(s.shr_unsigned(first, half), c3), k1), s.and_(first, low)
        k0, k1 = s.and_(s.add(k0, KEY_STEPS[0]), low), s.and_(s.add(k1, KEY_STEPS[1]), low)
    return c0, c1, c2, c3


def block_words(key: Any, counter: Any, domain: int, part: Any = 0) -> tuple[Any, Any, Any, Any]:
    """The words of the blocks with these counters (an array of 64-bit integers), as uint64. part: the third word."""
    counter = np.asarray(counter).astype(np.uint64)
    k0, k1 = np.asarray(key).view(np.uint32).astype(np.uint64)
    third, last = np.broadcast_to(np.asarray(part, np.uint64), counter.shape), np.full(counter.shape, domain, np.uint64)
    return philox((counter & np.uint64(LOW), counter >> np.uint64(32), third, last), (k0, k1))


def block(s: Any, key: Sequence[Any], counter: Any, domain: int, part: Any = 0) -> tuple[Any, Any, Any, Any]:
    """The words, as ui64, of the block with this counter (an i64). part: the third word, a ui64."""
    counter = s.bitcast(counter, UI64)
    first, second = s.and_(counter, s.const(LOW, UI64)), s.shr_unsigned(counter, s.const(32, UI64))
    third = s.const(part, UI64) if isinstance(part, int) else part
    k0, k1 = (s.cast(s.bitcast(word, UI32), UI64) for word in key)
    return philox_scalars(s, (first, second, third, s.const(domain, UI64)), (k0, k1))


def drawn(shape: tuple[int, ...], key: Any, count: int) -> list[Any]:
    """`count` words for each element of a tensor of this shape, as uint64: 1, 2 or 4."""
    size = int(np.prod(shape, dtype=np.int64))
    words = np.stack(block_words(key, np.arange(-(-size * count // 4)), BITS), axis=-1).reshape(-1)
    return [words[i : size * count : count].reshape(shape) for i in range(count)]


# --- floats of words -------------------------------------------------------------------------------------------------
#
# Of one word f32, of two f64; in scalar ops, and on arrays.


def uniform(s: Any, words: Sequence[Any]) -> Any:
    """A number in [0, 1): the 24 upper bits of a word, or the 27 and 26 upper bits of two."""
    if len(words) == 1:
        return s.mul(_float_of(s, words[0], 8, F32), 2.0**-24)
    return s.mul(s.add(s.mul(_float_of(s, words[0], 5, F64), 2.0**26), _float_of(s, words[1], 6, F64)), 2.0**-53)


def uniforms(words: Sequence[Any]) -> Any:
    if len(words) == 1:
        return (words[0] >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)
    return ((words[0] >> np.uint64(5)) * 2.0**26 + (words[1] >> np.uint64(6))) * 2.0**-53


def open_uniform(s: Any, first: Any, second: Any) -> Any:
    """A number in (0, 1) with neither end: (n + 1/2) 2^-52 for the 26 upper bits of two words."""
    n = s.add(s.mul(_float_of(s, first, 6, F64), 2.0**26), _float_of(s, second, 6, F64))
    return s.mul(s.add(n, 0.5), 2.0**-52)


def open_uniforms(first: Any, second: Any) -> Any:
    return ((first >> np.uint64(6)) * 2.0**26 + (second >> np.uint64(6)) + 0.5) * 2.0**-52


def side(s: Any, words: Sequence[Any]) -> tuple[Any, Any]:
    """A random probability that is as fine at 1 as at 0: whether it is t or 1 - t, and t, in (0, 1/2].

    The highest bit says the side. t = (n + 1/2) 2^-32 of the other 31 bits, or (n + 1/2) 2^-63 of these and the 31
    upper ones of the next word, rounded to the type.
    """
    element = F32 if len(words) == 1 else F64
    n = _float_of(s, s.and_(words[0], s.const(HIGHEST - 1, UI64)), 0, element)
    if element is F64:
        n = s.add(s.mul(n, 2.0**31), _float_of(s, words[1], 1, element))
    is_lower = s.cmp("ge", words[0], s.const(HIGHEST, UI64))
    return is_lower, s.mul(s.add(n, 0.5), 2.0**-32 if element is F32 else 2.0**-63)


def sides(words: Sequence[Any]) -> tuple[Any, Any]:
    n, is_lower = words[0] & np.uint64(HIGHEST - 1), words[0] >= HIGHEST
    if len(words) == 1:
        return is_lower, (n.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)
    return is_lower, (n * 2.0**31 + (words[1] >> np.uint64(1)) + 0.5) * 2.0**-63


def _float_of(s: Any, word: Any, shift: int, element: Type) -> Any:
    """word >> shift as a float. Read as signed, for which machines have a faster conversion; it must be below 2^31."""
    return s.cast(s.cast(s.shr_unsigned(word, s.const(shift, word)), I32), element)


# --- what random ops share -------------------------------------------------------------------------------------------


class Keyed:
    """An op whose numbers come from the operand `key`.

    domain: of the blocks that they are made of. Two ops with one key in one domain give numbers that hang together.
    """

    __slots__ = ()
    key: Any
    domain: ClassVar[int] = BITS

    def chosen_by(self) -> list[Value]:
        """Operands that say which blocks are taken: with others, the numbers have nothing to do with these."""
        return []


class RandomOp(Keyed, Structured):
    """A loop nest whose elements take words of the bits of a key."""

    def inputs(self) -> list[Value]:
        return [self.key, self.key, *self.parameters()]

    def parameters(self) -> list[Value]:
        """Operands that give one element each."""
        return []

    def structure(self) -> Structure:
        rank = self.result_type.rank
        words = tuple(AffineMap(rank, 0, (AffineConstant(i),)) for i in range(2))
        identity = AffineMap.identity(rank)
        return Structure(("parallel",) * rank, (*words, *(identity,) * len(self.parameters())), (identity,))

    def draw(self, s: Any, key: Sequence[Any], count: int) -> list[Any]:
        """The words of the element at hand, as ui64."""
        position = self.position(s)
        if count == 4:
            return list(block(s, key, position, BITS))
        shift = 2 if count == 1 else 1
        words = block(s, key, s.shr_unsigned(position, s.const(shift, position)), BITS)
        within = s.and_(position, s.const((1 << shift) - 1, position))
        chosen = list(words[-count:])
        for start in range(4 - 2 * count, -1, -count):
            is_here = s.cmp("eq", within, s.const(start // count, within))
            chosen = [s.select(is_here, words[start + i], other) for i, other in enumerate(chosen)]
        return chosen

    def position(self, s: Any) -> Any:
        """The number of the element at hand in row-major order, as i64."""
        found = s.const(0, I64)
        for axis in range(self.result_type.rank):
            index = s.cast(s.index(axis), I64)
            found = index if axis == 0 else s.add(s.mul(found, s.cast(s.size(self.results[0], axis), I64)), index)
        return found


class Standard(Sized, RandomOp):
    """Numbers without parameters: the result type says how many."""

    key = operand(KEY)
    sizes = operand(INDEX_KIND, variadic=True)
    result = result(tensor_of(exactly(F32, F64)))
    format = "$key (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($result)"
    grad = NotDifferentiable("the bits of a random number do not depend on its key smoothly")

    @property
    def words(self) -> int:
        """How many words an element takes: one for 32 bits."""
        return self.result_type.element.width // 32  # type: ignore[attr-defined]


# --- keys ----------------------------------------------------------------------------------------------------------


class RngSplit(Standard):
    """New keys, independent of each other and of the numbers of the old one: `tir.rng_split %key : tensor<3x2xi32>`.

    Key i consists of the first two words of the Philox block with the counter (i, i >> 32, 0, 1); bits have a 0 in the
    last place. So it is the same however many keys there are. The result has one key along its last axis, of size 2;
    the axes before it count in row-major order.
    """

    name = "tir.rng_split"
    domain = SPLIT
    result = result(tensor_of(exactly(I32)))

    def verify_shape(self) -> None:
        if self.result_type.shape[-1:] != (2,):
            fail(self, f"the last axis of the result is a key and must have size 2, got {self.result_type}")

    def compute(self, shape: tuple[int, ...], key: Any) -> Any:
        count = int(np.prod(shape[:-1], dtype=np.int64))
        return _keys(block_words(key, np.arange(count), SPLIT), shape)

    def element(self, s: Any, *key: Any) -> Any:
        position = self.position(s)
        one = s.const(1, position)
        first, second, *_ = block(s, key, s.shr_unsigned(position, one), SPLIT)
        return _key_word(s, s.and_(position, one), first, second)


class RngFoldIn(Shaped, RandomOp):
    """A new key for each number, from one key: `tir.rng_fold_in %key, %step : tensor<i64> -> tensor<2xi32>`.

    number: integers of any type and shape S; the result is tensor<Sx2xi32>. Equal numbers give equal keys, in any type:
    the number is widened to 64 bits first. The key is made of the first two words of the block (n, n >> 32, 0, 2),
    which bits and `tir.rng_split` never use. A loop that folds in the count of its steps has a new key in each.
    """

    name = "tir.rng_fold_in"
    domain = FOLD_IN
    key = operand(KEY)
    number = operand(INTEGER_TENSOR)
    result = result(tensor_of(exactly(I32)))
    format = "$key `,` $number attr-dict `:` type($number) `->` type($result)"
    grad = NotDifferentiable("the bits of a key do not depend on another key or a number smoothly")

    def result_shape(self, key: Any, number: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return [*number, affine(2)]

    def chosen_by(self) -> list[Value]:
        return [self.number]

    def reference(self, key: Any, number: Any) -> Any:
        return _keys(block_words(key, np.asarray(number).astype(np.int64), FOLD_IN), (*np.shape(number), 2))

    def parameters(self) -> list[Value]:
        return [self.number]

    def structure(self) -> Structure:
        found, rank = super().structure(), self.result_type.rank
        number = AffineMap.of_dims(rank, list(range(rank - 1)))
        return Structure(found.iterators, (*found.input_maps[:2], number), found.output_maps)

    def element(self, s: Any, k0: Any, k1: Any, number: Any) -> Any:
        first, second, *_ = block(s, (k0, k1), s.cast(number, I64), FOLD_IN)
        return _key_word(s, s.cast(s.index(self.result_type.rank - 1), I64), first, second)


def _keys(words: Sequence[Any], shape: tuple[int, ...]) -> Any:
    return np.stack(words[:2], axis=-1).reshape(shape).astype(np.uint32).view(np.int32)


def _key_word(s: Any, place: Any, first: Any, second: Any) -> Any:
    chosen = s.select(s.cmp("eq", place, s.const(0, place)), first, second)
    return s.bitcast(s.cast(chosen, UI32), I32)


# --- bits ----------------------------------------------------------------------------------------------------------


class RngBits(Standard):
    """Random bits: element i of 32 bits is word i % 4 of the block with the counter i // 4.

    An element of 64 bits is two words, the first above: 2 (i % 2) and the next of block i // 2.
    """

    name = "tir.rng_bits"
    result = result(tensor_of(exactly(I32, UI32, I64, UI64)))

    def compute(self, shape: tuple[int, ...], key: Any) -> Any:
        words = drawn(shape, key, self.words)
        bits = words[0].astype(np.uint32) if self.words == 1 else words[0] << np.uint64(32) | words[1]
        return bits if self.result_type.element in (UI32, UI64) else bits.view(f"i{bits.itemsize}")

    def element(self, s: Any, *key: Any) -> Any:
        words = self.draw(s, key, self.words)
        if self.words == 1:
            return s.bitcast(s.cast(words[0], UI32), self.result_type.element)
        return s.bitcast(s.or_(s.shl(words[0], s.const(32, UI64)), words[1]), self.result_type.element)


class RngUniform(Standard):
    """A float in [0, 1), a multiple of 2^-24 (f32) or 2^-53 (f64).

    f32: the upper 24 bits of element i of `tir.rng_bits`. f64: the upper 27 and 26 bits of its elements 2i and 2i + 1.
    `low + (high - low) u` is in [low, high), or high where it is rounded up.
    """

    name = "tir.rng_uniform"

    def compute(self, shape: tuple[int, ...], key: Any) -> Any:
        return uniforms(drawn(shape, key, self.words))

    def element(self, s: Any, *key: Any) -> Any:
        return uniform(s, self.draw(s, key, self.words))


#: The ops of the family, in the order of the documentation.
OPS = (RngSplit, RngFoldIn, RngBits, RngUniform)
