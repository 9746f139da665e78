"""Rules that undo each other, found while they do.

Each op that a rule makes knows the op in whose place it came, and so on back to one of the program. Rules that go in a
circle make the same op again in its own line: the same class, attributes and operands, where operands that rules have
made are compared by what they are, since each round makes new ones. Lines are mostly shorter than `PATIENCE`, and up to
there nothing is compared.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tir.ir.errors import Location, PassError
from tir.ir.ir import Op, Value

__all__ = ["Lineage", "never_ends"]

PATIENCE = 16  # rewrites in a line before ops are compared,
LONGEST_CIRCLE = 16  # rewrites back that they are compared with,
MOST_COMPARED = 40  # ops that an op is made of, as far as rules have made those


@dataclass(frozen=True, eq=False)
class _Made:
    """How ops came to be: by a rule, in place of an op that came to be as `before` says. keys: what the ops are."""

    rule: Any
    before: _Made | None
    length: int
    keys: frozenset[Hashable] = frozenset()

    def line(self) -> Iterator[_Made]:
        """This and what came before, the latest first."""
        one: _Made | None = self
        while one is not None:
            yield one
            one = one.before


class Lineage:
    """The lines of the ops that rules have made in one run."""

    def __init__(self) -> None:
        self._made: dict[Op, _Made] = {}

    def note(self, rule: Any, op: Op, new: Sequence[Op]) -> None:
        """The rule is about to put `new` in place of `op`. PassError if it closes a circle."""
        before = self._made.pop(op, None)
        length = 1 if before is None else before.length + 1
        if length <= PATIENCE:
            made = _Made(rule, before, length)
            self._made.update((one, made) for one in new)
            return
        assert before is not None
        self._made.update((one, before) for one in new)  # so that they are compared by what they are
        keys = frozenset(self._key(one) for one in new)
        circle = [rule]
        for _, one in zip(range(LONGEST_CIRCLE), before.line()):
            if not keys.isdisjoint(one.keys):
                raise never_ends(list(reversed(circle)), op.location)
            circle.append(one.rule)
        made = _Made(rule, before, length, keys)
        self._made.update((one, made) for one in new)

    def _key(self, op: Op) -> Hashable:
        """What the op is: in the order in which they are met, the ops below it that rules have made, and other operands."""
        places: dict[Op, int] = {op: 0}
        parts: list[Hashable] = []
        pending = [op]
        while pending:
            one = pending.pop()
            parts.append((type(one), one.name, _facts(one), len(one.operands)))
            for value in one.operands:
                parts.append(self._operand(value, places, pending))
        return tuple(parts)

    def _operand(self, value: Value, places: dict[Op, int], pending: list[Op]) -> Hashable:
        op = value.op
        if op is None or op not in self._made or op.regions or len(places) > MOST_COMPARED:
            return value
        if op not in places:
            places[op] = len(places)
            pending.append(op)
        return places[op], op.results.index(value)

    def endless(self, op: Op, limit: int) -> PassError:
        """The error that rules did not end, which went on growing what they made of `op`."""
        longest = max(self._made.values(), key=lambda made: made.length, default=None)
        made = [] if longest is None else [one.rule for _, one in zip(range(LONGEST_CIRCLE), longest.line())]
        rules = _once(reversed(made))
        message = f"rewriting did not end after {limit} rewrites; the last rules are {_listed(rules)}"
        return PassError(message, op.location, _notes(rules))


def _facts(op: Op) -> Hashable:
    if op.regions:
        return op  # not compared by what it is
    return tuple(op.properties.items()), tuple(op.attributes.items()), tuple(result.type for result in op.results)


def never_ends(circle: Sequence[Any], location: Location | None) -> PassError:
    """The error that these rules, one behind the other, lead back to where they began."""
    rules = _once(circle)
    if len(rules) == 1:
        message = f"rewriting would not end: the rule {rules[0].name} fits what it makes"
    elif len(rules) == 2:
        message = f"rewriting would not end: the rules {_listed(rules)} undo each other"
    else:
        message = f"rewriting would not end: the rules {_listed(rules)} lead back to where they began"
    return PassError(message, location, [note for note in _notes(rules) if note[1] is None or note[1] is not location])


def _once(rules: Iterable[Any]) -> list[Any]:
    return list({rule.name: rule for rule in rules}.values())


def _listed(rules: Sequence[Any]) -> str:
    names = [rule.name for rule in rules]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _notes(rules: Sequence[Any]) -> list[tuple[str, Location | None]]:
    return [(f"{rule.name}: {rule.before} -> {rule.after}", rule.place) for rule in rules]
