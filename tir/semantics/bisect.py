"""The first change of a wrong pass that is wrong: the pass is run again with more and fewer of its changes."""

from __future__ import annotations

from dataclasses import dataclass

from tir.ir.actions import Action
from tir.ir.errors import Location, TirError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import check
from tir.semantics.check import First, PassCheck
from tir.semantics.judge import Difference

__all__ = ["Culprit", "bisect"]

MAX_TEXT = 160


@dataclass(frozen=True)
class Culprit:
    """Change number `number` of `total`: with one less the program computes the same as before.

    name: the rule's, or the pass's word for what it did; text: the op that was changed, as it stood; sentence: the rule's
    `before -> after` and its class, "" if the change is no rule; place: where a rule from text stands. number is 0 if
    the pass is wrong beside the changes that it announces.
    """

    number: int
    total: int
    name: str = ""
    text: str = ""
    location: Location | None = None
    sentence: str = ""
    place: Location | None = None
    difference: Difference | None = None


class _Watch(First):
    """Notes what the last change is about, before it is made."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.found: tuple[Action, str] | None = None

    def allows(self, action: Action) -> bool:
        is_allowed = super().allows(action)
        if self.wanted == self.count:
            self.found = action, _text_of(action.op)
        return is_allowed


def _text_of(op: Op) -> str:
    lines = print_op(op).strip().split("\n")
    return lines[0][:MAX_TEXT] + (" .." if len(lines) > 1 or len(lines[0]) > MAX_TEXT else "")


def bisect(check: PassCheck, total: int) -> Culprit | None:
    """The first wrong change; None if the pass is not wrong when it is run again.

    total: how many changes it made. The first N changes are good and N + 1 are bad for the N that is found: both are
    run. What cannot be judged (the pass fails there, or leaves a module that does not verify) counts as neither, and its
    neighbours are tried.
    """
    worst = _difference(check, total)
    if not isinstance(worst, Difference):
        return None
    if isinstance(_difference(check, 0), Difference):
        return Culprit(0, total, difference=worst)
    good, bad = 0, total
    while bad - good > 1:
        middle = (good + bad) // 2
        for count in [*range(middle, bad), *range(middle - 1, good, -1)]:
            found = _difference(check, count)
            if found is not UNKNOWN:
                break
        else:
            break  # nothing in between can be judged: the change is one of several
        if isinstance(found, Difference):
            bad, worst = count, found
        else:
            good = count
    return _culprit(check, bad, total, worst)


UNKNOWN = "unknown"


def _difference(pass_check: PassCheck, count: int) -> Difference | str | None:
    """What the first `count` changes make of the program, or UNKNOWN."""
    try:
        after = pass_check.run_again(count)
        if check(after.module):
            return UNKNOWN
        return pass_check.difference(after)
    except (TirError, AssertionError):
        return UNKNOWN


def _culprit(check: PassCheck, number: int, total: int, difference: Difference) -> Culprit:
    watch = _Watch(number)
    check.run_on(check.before.clone(), watch)
    assert watch.found is not None
    action, text = watch.found
    rule = action.rule
    sentence = f"{rule.before} -> {rule.after}   {rule.kind}" if rule is not None else ""
    place = rule.place if rule is not None else None
    return Culprit(number, total, action.name, text, action.op.location, sentence, place, difference)
