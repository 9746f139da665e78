"""What the passes that change loops one by one have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tir.ir import actions
from tir.ir.errors import Location
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.passes.loop_numbers import Refusal

__all__ = ["LoopPass"]


@dataclass
class LoopPass(Pass):
    """A pass that changes loops, and says in `remarks` of which it did not and why."""

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str]] = []

    def change(
        self, name: str, loops: Iterable[Any], check: Callable[[Any], object], change: Callable[[Any], object], done: str
    ) -> list[Op]:
        """Changes the loops that `check` does not refuse; those. name: of the action; done: as in `not done: why`."""
        changed = []
        for loop in loops:
            try:
                check(loop)
            except Refusal as refusal:
                assert refusal.location is not None
                self.remarks.append((refusal.location, f"not {done}: {refusal.message}"))
                continue
            if actions.begin(name, loop):
                change(loop)
                actions.end()
                changed.append(loop)
        return changed
