"""Random numbers as pure functions of a key: Philox4x32-10, counter based.

Element i of the result, counted in row-major order, takes words of the block with the counter (i // words per block):
the same bits at every level, in any order and for any split of the work. A new key gives new numbers.

Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.base import NotDifferentiable, Sized, Structure, Structured, fail
from tir.ir.affine import AffineConstant, AffineMap
from tir.ir.define import operand, result
from tir.ir.ir import Value
from tir.ir.kinds import INDEX_KIND, TypeKind, exactly, tensor_of
from tir.ir.types import F32, F64, I32, IntegerType, TensorType, Type
from tir.lazy import np

__all__ = ["OPS", "philox", "philox_scalars"]

UI32 = IntegerType(32, "u")
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10

KEY = TypeKind("tensor<2xi32>", lambda t: t is TensorType((2,), I32))


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """The four words of a block. All words are uint64 arrays (or numbers) below 2^32."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    m0, m1 = (np.uint64(m) for m in MULTIPLIERS)
    for _ in range(ROUNDS):
        first, second = m0 * c0, m1 * c2
        c0, c1, c2, c3 = (second >> half) ^ c1 ^ k0, second & low, (first >> half) ^ c3 ^ k1, first & low
        k0, k1 = (k0 + np.uint64(KEY_STEPS[0])) & low, (k1 + np.uint64(KEY_STEPS[1])) & low
    return c0, c1, c2, c3


def philox_scalars(s: Any, counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """The same in scalar ops on ui32."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(ROUNDS):
        low0, high0 = s.mul_extended_unsigned(c0, MULTIPLIERS[0])
        low1, high1 = s.mul_extended_unsigned(c2, MULTIPLIERS[1])
        c0, c1, c2, c3 = s.xor(s.xor(high1, c1), k0), low1, s.xor(s.xor(high0, c3), k1), low0
        k0, k1 = s.add(k0, KEY_STEPS[0]), s.add(k1, KEY_STEPS[1])
    return c0, c1, c2, c3


class _Random(Sized, Structured):
    """Numbers from a key. Only the first size of the result may be unknown before run time."""

    key = operand(KEY)
    sizes = operand(INDEX_KIND, variadic=True)
    format = "$key (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($result)"
    grad = NotDifferentiable("the bits of a random number do not depend on its key smoothly")

    def verify_shape(self) -> None:
        if not all(isinstance(dim, int) for dim in self.result_type.shape[1:]):
            fail(self, f"only the first size may be unknown, got {self.result_type}")

    def inputs(self) -> list[Value]:
        return [self.key, self.key]

    def structure(self) -> Structure:
        rank = self.result_type.rank
        words = tuple(AffineMap(rank, 0, (AffineConstant(i),)) for i in range(2))
        return Structure(("parallel",) * rank, words, (AffineMap.identity(rank),))

    def words(self, counter: Any, key: Any) -> tuple[Any, Any, Any, Any]:
        """The words of the blocks with these counters (an array)."""
        counter = np.asarray(counter, np.uint64)
        k0, k1 = np.asarray(key).view(np.uint32).astype(np.uint64)
        zero = np.zeros_like(counter)
        return philox((counter & np.uint64(0xFFFFFFFF), counter >> np.uint64(32), zero, zero), (k0, k1))

    def block(self, s: Any, counter: Any, key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
        """The words of the block with this counter (an i64)."""
        zero = s.const(0, UI32)
        high = s.cast(s.shr_unsigned(counter, s.const(32, counter)), UI32)
        k0, k1 = (s.bitcast(word, UI32) for word in key)
        return philox_scalars(s, (s.cast(counter, UI32), high, zero, zero), (k0, k1))

    def position(self, s: Any) -> Any:
        """The number of the element at hand in row-major order, as i64."""
        found = s.const(0, "i64")
        for axis, dim in enumerate(self.result_type.shape):
            found = (
                s.cast(s.index(axis), "i64") if axis == 0 else s.add(s.mul(found, dim), s.cast(s.index(axis), "i64"))
            )
        return found


class RngBits(_Random):
    """32 random bits: element i is word i % 4 of the block with the counter i // 4."""

    name = "tir.rng_bits"
    result = result(tensor_of(exactly(I32, UI32)))

    def compute(self, shape: tuple[int, ...], key: Any) -> Any:
        count = int(np.prod(shape, dtype=np.int64))
        words = np.stack(self.words(np.arange(-(-count // 4)), key), axis=-1)
        bits = words.reshape(-1)[:count].astype(np.uint32).reshape(shape)
        return bits if self.result_type.element is UI32 else bits.view(np.int32)

    def element(self, s: Any, *key: Any) -> Any:
        position = self.position(s)
        words = self.block(s, s.shr_unsigned(position, s.const(2, position)), key)
        within = s.and_(position, s.const(3, position))
        chosen = words[3]
        for i in (2, 1, 0):
            chosen = s.select(s.cmp("eq", within, s.const(i, within)), words[i], chosen)
        return s.bitcast(chosen, self.result_type.element)


class RngUniform(_Random):
    """A float in [0, 1), a multiple of 2^-24 (f32) or 2^-53 (f64).

    f32: the upper 24 bits of element i of `tir.rng_bits`. f64: the upper 27 and 26 bits of its elements 2i and 2i + 1.
    """

    name = "tir.rng_uniform"
    result = result(tensor_of(exactly(F32, F64)))

    def compute(self, shape: tuple[int, ...], key: Any) -> Any:
        count = int(np.prod(shape, dtype=np.int64))
        per_block = 4 if self.result_type.element is F32 else 2
        words = self.words(np.arange(-(-count // per_block)), key)
        if self.result_type.element is F32:
            numbers = [(word >> np.uint64(8)).astype(np.float32) * np.float32(2**-24) for word in words]
        else:
            pairs = ((words[0], words[1]), (words[2], words[3]))
            numbers = [((a >> np.uint64(5)) * 2.0**26 + (b >> np.uint64(6))) * 2.0**-53 for a, b in pairs]
        return np.stack(numbers, axis=-1).reshape(-1)[:count].reshape(shape)

    def element(self, s: Any, *key: Any) -> Any:
        position = self.position(s)
        element: Type = self.result_type.element
        shift = 2 if element is F32 else 1
        words = self.block(s, s.shr_unsigned(position, s.const(shift, position)), key)
        within = s.and_(position, s.const((1 << shift) - 1, position))
        if element is F32:
            chosen = words[3]
            for i in (2, 1, 0):
                chosen = s.select(s.cmp("eq", within, s.const(i, within)), words[i], chosen)
            return s.mul(_upper(s, chosen, 8, element), 2.0**-24)
        is_first = s.cmp("eq", within, s.const(0, within))
        upper, lower = s.select(is_first, words[0], words[2]), s.select(is_first, words[1], words[3])
        return s.mul(s.add(s.mul(_upper(s, upper, 5, element), 2.0**26), _upper(s, lower, 6, element)), 2.0**-53)


def _upper(s: Any, word: Any, shift: int, element: Type) -> Any:
    """word >> shift as a float. Read as signed, for which machines have a faster conversion; it is below 2^31."""
    return s.cast(s.bitcast(s.shr_unsigned(word, s.const(shift, word)), "i32"), element)


#: The ops of the family, in the order of the documentation.
OPS = (RngBits, RngUniform)
