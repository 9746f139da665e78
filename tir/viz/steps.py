"""The single rewrites of a pass, each as what it changes in the text of the function that it touches.

Values without a name are numbered by the printer, so that taking away one op renumbers all behind it. Here a value keeps
the number that it has in the text before the pass, and what replaces it takes that number over: a step shows what the
rewrite did and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tir.ir.actions import Action
from tir.ir.ir import Op, Value
from tir.ir.printer import print_op
from tir.ir.symbols import symbol_name
from tir.ir.traits import Symbol
from tir.viz.difference import Change, differences

__all__ = ["Budget", "Chain", "Listing", "Step", "Steps", "function_name"]

_PREFIX = "_."
_PLACEHOLDER = re.compile(r'"(?:[^"\\]|\\.)*"|%_\.(\d+)')
_COLLIDED = re.compile(r"%_\.(\d+)_\d+")  # a number that is taken, as the printer makes it another
_DEFINED = re.compile(r"%([\w$.-]+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$.-]*\Z")  # a hint of another form is no name: the printer gives a number


def function_name(op: Op) -> str:
    """How a person calls an op of the module: `@train`."""
    return f"@{symbol_name(op)}" if isinstance(op, Symbol) and "sym_name" in op.properties else op.name


class Listing:
    """The text of a module at one moment.

    starts: op -> the line on which it begins; tops: the functions and other symbols by name, or the module alone if it
    holds other ops, too; functions: name of one of these -> its first line and that behind it.
    """

    def __init__(self, root: Op) -> None:
        self.starts: dict[Op, int] = {}
        self.text = print_op(root, lines=self.starts)
        self.lines = self.text.rstrip("\n").split("\n")
        symbols = [op for region in root.regions for block in region.blocks for op in block]
        self.is_whole = not all(isinstance(op, Symbol) for op in symbols)
        tops, last = ([root], len(self.lines)) if self.is_whole else (symbols, len(self.lines) - 1)
        ends = [*(self.starts[op] for op in tops[1:]), last]
        self.tops = {function_name(op): op for op in tops}
        self.functions = {function_name(op): (self.starts[op], end) for op, end in zip(tops, ends)}

    def function(self, name: str) -> list[str]:
        """The lines of a function; none if it is not there."""
        start, end = self.functions.get(name, (0, 0))
        return self.lines[start:end]


@dataclass
class Budget:
    """How much is recorded in all: beyond it steps are counted only, or have no text."""

    max_steps: int = 2000
    max_function_lines: int = 2000  # a longer function is not printed at each step
    max_printed_lines: int = 600_000
    steps: int = 0
    printed_lines: int = 0


@dataclass
class Chain:
    """The steps of one pass in one function. `base` is its text before the pass, `lines` that behind the last step."""

    function: str
    base: list[str]
    lines: list[str]
    has_text: bool
    names: dict[Value, str] = field(default_factory=dict)
    next_number: int = 0


@dataclass
class Step:
    """One rewrite, or what a pass did at once (then there is no action).

    op: its number before the pass; None if the pass made it. changes: None where the text is not shown.
    """

    chain: Chain
    action: Action | None
    op_name: str
    op: int | None
    place: str
    changes: list[Change] | None


@dataclass
class _Current:
    """The action between `begin` and `end`."""

    action: Action
    top: Op
    chain: Chain
    op_name: str
    place: str
    uses: list[tuple[Value, Op, int]]


@dataclass
class Steps:
    """Collects the steps of one pass on the module `root`. `before` is its text, `numbers` its ops."""

    root: Op
    before: Listing
    numbers: dict[Op, int]
    budget: Budget
    replaced: dict[Op, list[Op]] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)
    found: list[Step] = field(default_factory=list)
    _current: _Current | None = None

    def begin(self, action: Action) -> None:
        """The action is about to be made."""
        op, top = action.op, self._top(action.op)
        uses: list[tuple[Value, Op, int]] = [(result, use.owner, use.index) for result in op.results for use in result.uses]
        where = op.location.file_location()
        self._current = _Current(action, top, self._chain(top), op.name, str(where or ""), uses)

    def end(self) -> None:
        """The action has been made."""
        current, self._current = self._current, None
        assert current is not None
        if current.action.op.parent is None:
            self._note_replacements(current)
        changes = self._changes(current.chain, current.top)
        number = self.numbers.get(current.action.op)
        self._add(Step(current.chain, current.action, current.op_name, number, current.place, changes))

    def finish(self, after: Listing) -> None:
        """The pass is over: what it did without an action is one more step for each function."""
        for name in dict.fromkeys([*self.before.functions, *after.functions]):
            known = self.chains.get(name)
            chain = known or self._new_chain(name)
            if not chain.has_text:
                continue
            top = after.tops.get(name)
            lines = self._text(chain, top) if known and top is not None else after.function(name)
            if lines != chain.lines:
                self._add(Step(chain, None, "", None, "", differences(chain.lines, lines)))

    def _add(self, step: Step) -> None:
        self.budget.steps += 1
        if self.budget.steps <= self.budget.max_steps:
            self.found.append(step)

    # --- functions ---------------------------------------------------------------------------------------------------

    def _top(self, op: Op) -> Op:
        """The op of the module in which `op` stands."""
        if self.before.is_whole:
            return self.root
        while (around := op.parent_op) is not None and around is not self.root:
            op = around
        return op

    def _chain(self, top: Op) -> Chain:
        name = function_name(top)
        if name not in self.chains:
            chain = self.chains[name] = self._new_chain(name)
            self._read_names(chain, top)
        return self.chains[name]

    def _new_chain(self, name: str) -> Chain:
        lines = self.before.function(name)
        if len(lines) > self.budget.max_function_lines:
            return Chain(name, [], [], has_text=False)
        return Chain(name, lines, lines, has_text=True)

    def _read_names(self, chain: Chain, top: Op) -> None:
        """The numbers that the text before the pass gives to values without a name."""
        for op in top.walk() if chain.has_text else ():
            line = self.before.starts.get(op)
            if line is None or not op.results:
                continue
            names = _DEFINED.findall(self.before.lines[line].partition(" = ")[0])
            chain.names.update((v, name) for v, name in zip(_named(op), names) if not _has_name(v) and name.isdigit())
        chain.next_number = max((int(name) + 1 for name in chain.names.values()), default=0)

    def _note_replacements(self, current: _Current) -> None:
        """Where the results of an op that is gone were used, other values stand now: the op became those."""
        names = current.chain.names
        for old, owner, index in current.uses:
            operands = owner.operands
            new = operands[index] if index < len(operands) else old
            if new is old:
                continue
            if new.op is not None:
                self.replaced.setdefault(current.action.op, []).append(new.op)
                if old in names and new not in names and not _has_name(new) and new in _named(new.op):
                    names[new] = names[old]

    # --- text --------------------------------------------------------------------------------------------------------

    def _changes(self, chain: Chain, top: Op) -> list[Change] | None:
        """What changed in the text of the function since the last step; None if that is not shown."""
        chain.has_text &= self.budget.steps < self.budget.max_steps
        chain.has_text &= self.budget.printed_lines <= self.budget.max_printed_lines
        if not chain.has_text:
            return None
        before, chain.lines = chain.lines, self._text(chain, top)
        return differences(before, chain.lines)

    def _text(self, chain: Chain, top: Op) -> list[str]:
        """The text of the function as it is now."""
        if top.parent is None and top is not self.root:
            return []
        text = self._print(chain, top)
        if collided := set(_COLLIDED.findall(text)):  # two regions had the number, and have become one
            self._separate(chain, top, collided)
            text = self._print(chain, top)
        indent = "" if top is self.root else "  "
        lines = [indent + line for line in _PLACEHOLDER.sub(_number, text).rstrip("\n").split("\n")]
        self.budget.printed_lines += len(lines)
        return lines

    def _print(self, chain: Chain, top: Op) -> str:
        hidden = self._set_names(chain, top)
        try:
            return print_op(top)
        finally:
            for value, hint in hidden:
                value.hint = hint

    def _separate(self, chain: Chain, top: Op, numbers: set[str]) -> None:
        """Leaves each of the numbers to the first value that has it."""
        seen: set[str] = set()
        for value in (value for op in top.walk() for value in op.results if value in chain.names):
            name = chain.names[value]
            if name in numbers and name in seen:
                chain.names[value] = str(chain.next_number)
                chain.next_number += 1
            seen.add(name)

    def _set_names(self, chain: Chain, top: Op) -> list[tuple[Value, str | None]]:
        """Gives each value without a name its number as one; the values, and the hints that they had."""
        hidden: list[tuple[Value, str | None]] = []
        for op in top.walk():
            if not op.results:
                continue
            is_group = not _have_own_names(op)
            for value in _named(op):
                if _has_name(value):
                    continue
                hidden.append((value, value.hint))
                if value not in chain.names:
                    chain.names[value] = str(chain.next_number)
                    chain.next_number += 1
                value.hint = f"{_PREFIX}{chain.names[value]}"
            if is_group and _have_own_names(op):  # the new name must not make several of one
                hidden.append((op.results[1], op.results[1].hint))
                op.results[1].hint = None
        return hidden


def _have_own_names(op: Op) -> bool:
    """Each result is printed with a name of its own: `%a, %b`, and not `%0:2`."""
    return len(op.results) == 1 or all(result.hint is not None for result in op.results)


def _named(op: Op) -> Sequence[Value]:
    """The results whose names stand in front of `=`."""
    return op.results if _have_own_names(op) else op.results[:1]


def _has_name(value: Value) -> bool:
    return value.hint is not None and _NAME.match(value.hint) is not None


def _number(match: re.Match[str]) -> str:
    return f"%{match[1]}" if match[1] is not None else match[0]
