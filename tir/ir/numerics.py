"""What a pass may do to numbers: its numeric class, as `--check-semantics` enforces it.

`exact`: same bits, nan, infinities and -0.0 included. `accurate`: as if each float op of the program, and each number
that it reads from an argument for a sum, had been off by at most so many ulp (units in the last place of its type); a
sum of n terms may be taken in any order, which is n more ulp of each term.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EXACT", "Numerics", "accurate"]


@dataclass(frozen=True)
class Numerics:
    """A numeric class. ulps: of an accurate pass, for one op; reason: why its results may differ at all."""

    kind: str
    ulps: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.kind} within {self.ulps:g} ulp an op ({self.reason})" if self.reason else self.kind


EXACT = Numerics("exact")


def accurate(ulps: float, reason: str) -> Numerics:
    """The class of a pass that computes the same numbers another way."""
    return Numerics("accurate", ulps, reason)
