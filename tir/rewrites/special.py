"""Rules of the family `special` in Python: powers with whole exponents that have no rule of their own in `special.rules`."""

from __future__ import annotations

from functools import reduce
from operator import mul
from typing import Any

from tir.dialects.tir.arithmetic import Pow
from tir.dialects.tir.shape import number_of
from tir.ir.ir import Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import FloatType

__all__ = ["RULES"]

#: Theano's limit too (`local_pow_specialize_device`): with each doubling of the exponent the error doubles.
LARGEST_EXPONENT = 512


@rule(Pow, examples=[
    "x ** 12",
    "x ** -7",
    "x ** 3",
    "not x ** 2.5",
    "not x ** 513",
])  # fmt: skip
def power_by_squaring(op: Pow, b: Any) -> Value | None:
    """x ** n -> products of x, x ** 2, x ** 4, .., and 1 divided by them for n < 0   fast"""
    exponent = number_of(op.rhs)
    if not isinstance(op.result_type.element, FloatType) or exponent is None or exponent != round(exponent, 0):
        return None
    if not 2 < abs(exponent) <= LARGEST_EXPONENT:
        return None
    power, factors, rest = b.tensor(op.lhs), [], int(abs(exponent))
    while rest:
        factors += [power] * (rest % 2)
        rest //= 2
        power = b.square(power) if rest else power
    found = reduce(mul, factors)
    return (b.reciprocal(found) if exponent < 0 else found).value


RULES: tuple[Rule, ...] = (power_by_squaring,)
