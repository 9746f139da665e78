"""Rewrite rules, one fact each, and the driver that applies them until none fits.

    @rule(Log)
    def log_of_one_plus(log, b):
        \"\"\"log(1 + x) -> log1p(x)   accurate: 1 + x keeps no digit of x once |x| < eps/2\"\"\"
        match log.x.op:
            case Add(lhs=Value(op=Constant(is_one=True)), rhs=x):
                return b.log1p(x)

A rule gets the root op and a builder in front of it. It returns the value (or values) that replace the results, or None.
Its docstring is `before -> after   class: reason`, where the class says what happens to numbers: `exact` (same bits, nan,
inf and -0.0 included), `accurate` (differs; the error is not larger) or `fast` (only under an op's fast-math flag).
"""

from __future__ import annotations

import inspect
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.ir import actions
from tir.ir.builder import Builder
from tir.ir.errors import FileLocation, Location, PassError, TirError, fused_location
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Op, Value
from tir.ir.lineage import Lineage
from tir.ir.traits import Terminator, is_removable

__all__ = ["CLASSES", "FP_MODES", "Rewriter", "Rule", "check_fp_mode", "rewrite", "rule"]

CLASSES = ("exact", "accurate", "fast")
FP_MODES = {"strict": ("exact",), "stable": ("exact", "accurate"), "fast": CLASSES}
MOST_MAKERS = 3  # operands whose makers decide which rules are tried
_DOC = re.compile(r"(?P<before>.+?) -> (?P<after>.+?)\s{2,}(?P<kind>exact|accurate|fast)(?:: (?P<reason>.+))?\Z", re.S)


#: For each operand, in its order, the classes of which the op that makes it may be; None is any, and no op at all.
Makers = tuple[tuple[type[Op], ...] | None, ...]


@dataclass(frozen=True)
class Rule:
    """A rule, with what its docstring states. Calling it tries it on one op.

    makers: the rule can fit only if what makes the operands is one of these; with none it may always fit.
    """

    name: str
    roots: tuple[type[Op], ...]
    apply: Callable[[Any, Any], Any]
    before: str
    after: str
    kind: str
    reason: str
    declaration: Any = None  # of a rule from text
    makers: Sequence[Makers] = ()
    examples: tuple[str, ...] = ()  # of one in Python: expressions that it fits and, behind `not`, that it must not fit

    @property
    def place(self) -> Location | None:
        """Where the rule stands, if it is one from text."""
        return None if self.declaration is None else self.declaration.location

    def __call__(self, op: Op, b: Builder) -> Sequence[Value] | None:
        """The values that replace the results of `op`, or None if the rule does not fit."""
        found = self.apply(op, b)
        if found is None:
            return None
        return [found] if isinstance(found, Value) else list(found)


def check_fp_mode(name: str, mode: str) -> None:
    """PassError unless the mode is one of `FP_MODES`. name: of the pass that has it as an option."""
    if mode not in FP_MODES:
        raise PassError(f"pass {name}: option 'fp-mode' must be one of {', '.join(FP_MODES)}, got '{mode[:40]}'")


def rule(*roots: type[Op], examples: Sequence[str] = ()) -> Callable[[Callable[[Any, Any], Any]], Rule]:
    """Makes a rule of a function; `roots` are the op classes that it may fit. examples: see `Rule`."""

    def make(function: Callable[[Any, Any], Any]) -> Rule:
        stated = _DOC.match(" ".join((inspect.getdoc(function) or "").split("\n")))
        if stated is None:
            message = f"rule {function.__name__}: the docstring must be `before -> after   class: reason`"
            place = FileLocation(function.__code__.co_filename, function.__code__.co_firstlineno, 1)
            raise TirError(message, place, hint=f"two blanks before the class, which is one of {', '.join(CLASSES)}")
        return Rule(
            function.__name__, roots, function, stated["before"].strip(), stated["after"].strip(),
            stated["kind"], stated["reason"] or "", examples=tuple(examples),
        )  # fmt: skip

    return make


@dataclass
class Rewriter:
    """Applies rules inside one op with a worklist.

    fold: constant folding; tried before the rules; returns like a rule.
    limit: rewrites allowed; None is 10 for each op and 1,000 more. Rules that undo each other are found long before.
    max_iterations: the ops are gone through so often at most: all of them once, then those that a change has touched.
    counts: how often each rule was applied.
    """

    rules: Sequence[Rule]
    fold: Callable[[Op, Builder], Sequence[Value] | None] | None = None
    builder: type[Builder] = Builder
    fp_mode: str = "stable"
    limit: int | None = None
    max_iterations: int | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def run(self, root: Op) -> bool:
        """Rewrites until nothing fits (or `max_iterations` is reached); tells whether anything changed."""
        with collector_relaxed():
            return self._run(root)

    def _run(self, root: Op) -> bool:
        work = _Worklist(root, self.max_iterations)
        index = _index_of(self.rules, self.fp_mode)
        limit = self.limit if self.limit is not None else 10 * len(work.known) + 1000
        lineage, applied, changed = Lineage(), 0, False
        while (op := work.pop()) is not None:
            if _remove_if_dead(op, work):
                changed = True
                continue
            name = self._step(op, index.rules_of(op), work, lineage)
            if name is None:
                continue
            changed = True
            self.counts[name] += 1
            applied += 1
            if applied > limit:
                raise lineage.endless(op, limit)
        return changed

    def _step(self, op: Op, rules: Iterable[Rule], work: _Worklist, lineage: Lineage) -> str | None:
        """Applies the first thing that fits to `op`; its name."""
        last_before = op.previous
        b = self.builder(op.parent, op, op.location)
        if self.fold is not None and (values := self.fold(op, b)) is not None and actions.begin("fold", op):
            _replace(op, values, _new_ops(op, last_before), work)
            return "fold"
        for one in rules:
            _drop_new_ops(op, last_before)
            if (values := one(op, b)) is not None and actions.begin(one.name, op, one):
                new = _new_ops(op, last_before)
                lineage.note(one, op, new)
                _replace(op, values, new, work)
                return one.name
        _drop_new_ops(op, last_before)
        return None


def rewrite(root: Op, rules: Sequence[Rule], **options: Any) -> bool:
    """Applies `rules` inside `root` until none fits; tells whether anything changed."""
    return Rewriter(rules, **options).run(root)


class _Index:
    """The rules that may fit an op, in their order, looked up once for its class and those of what makes its operands."""

    def __init__(self, rules: Sequence[Rule], kinds: Sequence[str]) -> None:
        self.given = tuple(rules)  # as long as they are here, no other rules have their ids
        self.rules = [r for r in rules if r.kind in kinds]
        self.known: dict[tuple[type, ...], list[Rule]] = {}

    def rules_of(self, op: Op) -> list[Rule]:
        key = (type(op), *[type(value.op) for value in op.operands[:MOST_MAKERS]])
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = [r for r in self.rules if issubclass(key[0], r.roots) and _may_fit(r, key[1:])]
        return found


#: What was looked up for the same rules before: by the mode and the ids of the rules.
_INDICES: dict[tuple[Any, ...], _Index] = {}
MOST_INDICES = 64


def _index_of(rules: Sequence[Rule], fp_mode: str) -> _Index:
    key = (fp_mode, *map(id, rules))
    found = _INDICES.get(key)
    if found is None:
        if len(_INDICES) >= MOST_INDICES:
            _INDICES.clear()
        found = _INDICES[key] = _Index(rules, FP_MODES[fp_mode])
    return found


def _may_fit(rule: Rule, made: Sequence[type]) -> bool:
    """What makes the operands is what the rule needs in one of its orders."""
    if not rule.makers:
        return True
    return any(all(allowed is None or kind in allowed for allowed, kind in zip(order, made)) for order in rule.makers)


class _Worklist:
    """Ops to look at, in the order of the text first; each stands in it once.

    An iteration takes what stands in it at the beginning; what is pushed meanwhile belongs to the next one.
    """

    def __init__(self, root: Op, iterations: int | None) -> None:
        self.queue: deque[Op] = deque(op for op in root.walk() if op is not root)
        self.known = set(self.queue)
        self.iterations_left = iterations
        self.ops_left = 0

    def pop(self) -> Op | None:
        while self.queue:
            if self.ops_left == 0:
                if self.iterations_left == 0:
                    return None
                self.ops_left = len(self.queue)
                if self.iterations_left is not None:
                    self.iterations_left -= 1
            self.ops_left -= 1
            op = self.queue.popleft()
            if op in self.known:
                self.known.discard(op)
                if op.parent is not None:
                    return op
        return None

    def push(self, op: Op | None) -> None:
        if op is not None and op not in self.known:
            self.known.add(op)
            self.queue.append(op)

    def push_maker(self, value: Value) -> None:
        """The value has a use less: the op that makes it, or that around the block that receives it, and its last user."""
        self.push(_maker(value))
        for use in value.each_use() if value.has_one_use else ():
            self.push(use.owner)

    def push_user(self, op: Op) -> None:
        """An operand of the op is another one; what a block hands on is a matter of the op around it."""
        self.push(op)
        if isinstance(op, Terminator):
            self.push(op.parent_op)

    def forget(self, op: Op) -> list[Value]:
        """The op and those inside it are about to go; what they use from outside."""
        if not op.regions:
            self.known.discard(op)
            return list(op.operands)
        gone = dict.fromkeys(op.walk())  # in the order of the text
        self.known.difference_update(gone)
        return [value for inner in gone for value in inner.operands if _maker(value) not in gone]


def _maker(value: Value) -> Op | None:
    """The op that makes the value, or the one around the block that receives it."""
    block = value.block
    return block.parent_op if value.op is None and block is not None else value.op


def _remove_if_dead(op: Op, work: _Worklist) -> bool:
    if op.is_used or not is_removable(op) or not actions.begin("erase", op):
        return False
    used = work.forget(op)
    op.erase()
    for value in used:
        work.push_maker(value)
    actions.end()
    return True


def _replace(op: Op, values: Sequence[Value], new_ops: Sequence[Op], work: _Worklist) -> None:
    """Puts the values in place of the results; what is new or has changed is looked at again."""
    for new in new_ops:
        for inner in new.walk():
            work.push(inner)
    users = [user for result in op.results for user in result.users]
    used = work.forget(op)
    op.replace_with(values)
    _keep_locations(used, new_ops)
    for user in users:
        work.push_user(user)
    for value in used:
        work.push_maker(value)
    for value in values:
        work.push(value.op)
    actions.end()


def _keep_locations(used: Sequence[Value], new_ops: Sequence[Op]) -> None:
    """The new ops stand for what only the old one used, too: constants aside, they come from its lines as well."""
    makers = dict.fromkeys(value.op for value in used if value.op is not None and value.op.operands)
    more = [maker.location for maker in makers if all(map(_is_left_over, maker.results))]
    for new in new_ops if more else ():
        new.location = fused_location(new.location, *more)


def _is_left_over(value: Value) -> bool:
    """Nobody uses the value, but for ops that nobody uses."""
    return all(use.owner.results and not use.owner.is_used for use in value.each_use())


def _new_ops(op: Op, last_before: Op | None) -> list[Op]:
    found = []
    new = op.previous
    while new is not last_before and new is not None:
        found.append(new)
        new = new.previous
    return found[::-1]


def _drop_new_ops(op: Op, last_before: Op | None) -> None:
    """A rule that gave up must leave nothing behind."""
    if op.previous is last_before:
        return
    for new in reversed(_new_ops(op, last_before)):
        new.erase()

