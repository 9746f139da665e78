"""Random numbers: rows, by Philox in Python's integers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tests.ops.samples.base import Sample, Smooth, array, row

MASK = 0xFFFFFFFF


def philox_block(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox4x32-10 in Python's integers, after the paper."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def words(count: int, key: Sequence[int]) -> list[int]:
    """The first words for a key."""
    return [philox_block([i // 4, 0, 0, 0], [k & MASK for k in key])[i % 4] for i in range(count)]


def rows() -> list[Sample]:
    rows = []
    for key, shape in (((0, 0), (4,)), ((-1, 7), (3, 3)), ((5, -2), ()), ((1, 2), (0, 3))):
        count = math.prod(shape)
        found, k = words(2 * count, key), array(key, "i32")
        bits = np.array(found[:count], np.uint32).reshape(shape)
        single = np.array([(w >> 8) / 2**24 for w in found[:count]], np.float32).reshape(shape)
        double = [((a >> 5) * 2**26 + (b >> 6)) / 2**53 for a, b in zip(found[::2], found[1::2])]
        rows += [
            row("tir.rng_bits", "%0 : {r}", [k], bits),
            row("tir.rng_bits", "%0 : {r}", [k], bits.view(np.int32)),
            row("tir.rng_uniform", "%0 : {r}", [k], single),
            row("tir.rng_uniform", "%0 : {r}", [k], np.array(double, np.float64).reshape(shape)),
        ]
    return rows


def points() -> list[Smooth]:
    return []
