"""What a planted bug is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bug"]


@dataclass(frozen=True)
class Bug:
    """One mistake, as somebody might make it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
