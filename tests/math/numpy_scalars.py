"""The builder `s` of the expansions on numpy arrays: it computes at once, with an emulated fma."""

from __future__ import annotations

import math

import numpy as np

TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}
NAMES = {np.dtype(numpy_type): name for name, numpy_type in TYPES.items()}


def two_sum(a, b):
    """a + b = total + lost, exactly."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a, b):
    """a * b = product + lost, exactly unless it over- or underflows (Dekker)."""
    product = a * b
    a_scaled, b_scaled = a * 134217729.0, b * 134217729.0  # 2^27 + 1
    a_high = a_scaled - (a_scaled - a)
    b_high = b_scaled - (b_scaled - b)
    a_low, b_low = a - a_high, b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def rounded_to_odd(total, lost):
    """total + lost as one f64 with its last bit set if inexact: rounding it again then makes no second error."""
    is_even = total.view(np.int64) & 1 == 0
    return np.where(is_even & (lost != 0), np.nextafter(total, np.copysign(np.inf, lost)), total)


def fma(a, b, c):
    """a * b + c rounded once."""
    if a.dtype == np.float32:
        product, c = a.astype(np.float64) * b, c.astype(np.float64)  # the product is exact
        total, lost = two_sum(product, c)
        plain = total
        exact = rounded_to_odd(total, lost)
    else:
        product, product_lost = two_product(a, b)
        total, lost = two_sum(product, c)
        plain = a * b + c
        exact = total + rounded_to_odd(*two_sum(lost, product_lost))
    return np.where(np.isfinite(exact), exact, plain).astype(a.dtype)


class NumpyScalars:
    """The builder `s`. It has only what the expansions may use, and no cast but between f32 and f64."""

    fma = staticmethod(fma)
    abs = staticmethod(np.abs)
    copysign = staticmethod(np.copysign)
    select = staticmethod(np.where)
    sqrt = staticmethod(np.sqrt)

    def dtype(self, x):
        return NAMES[x.dtype]

    def const(self, number, like):
        value = like.dtype.type(number)
        assert value == number or math.isnan(number), f"{number!r} is not a number of type {like.dtype}"
        return np.full_like(like, value)

    def add(self, a, b):
        return a + b

    def sub(self, a, b):
        return a - b

    def mul(self, a, b):
        return a * b

    def div(self, a, b):
        return a / b

    def neg(self, a):
        return -a

    def cmp(self, predicate, a, b):
        return {"eq": a == b, "lt": a < b, "gt": a > b, "ge": a >= b}[predicate]

    def and_(self, a, b):
        return a & b

    def or_(self, a, b):
        return a | b

    def xor(self, a, b):
        return a ^ b

    def shl(self, a, b):
        return a << b

    def shr_unsigned(self, a, b):
        unsigned = a.dtype.str.replace("i", "u")
        return (a.view(unsigned) >> b.view(unsigned)).view(a.dtype)

    def bitcast(self, x, name):
        return x.view(TYPES[name])

    def cast(self, x, name):
        assert {self.dtype(x), name} == {"f32", "f64"}
        return x.astype(TYPES[name])
