"""What has changed between two texts, as replaced lines."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Change", "apply_changes", "differences"]

MAX_CELLS = 1_000_000  # of lines compared with lines: beyond it what lies between the first and the last change is one


class Change(NamedTuple):
    """`removed` lines from line `at` of the old text on become `added`."""

    at: int
    removed: int
    added: list[str]


def differences(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """The changes that make `new` of `old`, in order."""
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    a, b = list(old[start : len(old) - end]), list(new[start : len(new) - end])
    if not a and not b:
        return []
    if len(a) * len(b) > MAX_CELLS:
        return [Change(start, len(a), b)]
    codes = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return [Change(start + i, j - i, b[k:m]) for kind, i, j, k, m in codes if kind != "equal"]


def apply_changes(old: Sequence[str], changes: Sequence[Change]) -> list[str]:
    """The new text."""
    new: list[str] = []
    at = 0
    for change in changes:
        new += [*old[at : change.at], *change.added]
        at = change.at + change.removed
    return [*new, *old[at:]]


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines at the start are the same."""
    return next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
