"""What must hold of sizes and indices that only run time knows, as data: every level checks it, in the same words.

On numpy the two sides are numbers, which `check_rules` compares; below the tensor level they are computed, and an assert
compares them (`tir/passes/sizes.py`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tir.ir.affine import AffineConstant, AffineExpr
from tir.ir.execution import ExecutionError
from tir.ir.native import with_numbers

__all__ = ["SizeRule", "check_rules"]

_HOLDS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq, "le": operator.le, "lt": operator.lt, "ge": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class SizeRule:
    """lhs and rhs are in the relation eq, le, lt or ge. text: says so, lhs first; behind it a message has both numbers.

    The 0 of `ge 0` is left out of the message: the text says it. enough: another rule that suffices, and that holds
    wherever this one does.
    """

    lhs: AffineExpr
    relation: str
    rhs: AffineExpr
    text: str
    enough: SizeRule | None = None

    @property
    def slack(self) -> AffineExpr:
        """What is at least 0 where the rule, which is no equality, holds."""
        if self.relation == "ge":
            return self.lhs - self.rhs
        return self.rhs - self.lhs - (1 if self.relation == "lt" else 0)

    def holds(self) -> bool:
        """Whether the numbers are in the relation."""
        if _HOLDS[self.relation](_number(self.lhs), _number(self.rhs)):
            return True
        return self.enough is not None and self.enough.holds()

    def broken(self) -> ExecutionError:
        """What is said where it does not hold."""
        lhs, rhs = _number(self.lhs), _number(self.rhs)
        return ExecutionError(with_numbers(self.text, [lhs] if (self.relation, rhs) == ("ge", 0) else [lhs, rhs]))


def check_rules(rules: Iterable[SizeRule]) -> None:
    """ExecutionError for the first rule, of numbers, that does not hold."""
    for rule in rules:
        if not rule.holds():
            raise rule.broken()


def _number(size: AffineExpr) -> int:
    assert isinstance(size, AffineConstant), size
    return size.value
