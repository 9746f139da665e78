"""One pass on one module, checked: results, and what gradients it computes.

The pass can be run again on a copy, with only its first changes: `bisect.py` finds the wrong one by that.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.ir.actions import Action, watched_by
from tir.ir.ir import Op
from tir.ir.numerics import EXACT, Numerics
from tir.ir.pass_manager import Pass
from tir.ir.symbols import symbol_name
from tir.ir.traits import FunctionLike
from tir.semantics.gradients import (
    exact_gradients,
    expanded_gradients,
    gradients_of,
    observed,
    put_stand_ins,
    seen_gradients,
    slope_difference,
    slopes,
    slopes_differ,
    subject,
)
from tir.semantics.judge import Difference, Judge, Tally
from tir.semantics.outcome import HARD, Draw, Outcome, Program, Values

__all__ = ["After", "First", "PassCheck", "kept_gradients", "numerics_of", "path_of"]

SLOPE_DRAWS = 2  # slopes are measured on so many draws: each takes dozens of runs


class First:
    """Lets a pass make its first `count` changes. last: the last one that it made, as a sentence can tell it."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count
        self.made = 0
        self.wanted = 0

    def allows(self, action: Action) -> bool:
        self.wanted += 1
        return self.count is None or self.wanted <= self.count

    def changed(self, action: Action) -> None:
        self.made += 1


def numerics_of(step: Pass) -> Numerics:
    """The numeric class of a pass with its options; one that declares none must be exact."""
    if getattr(step, "fp_mode", None) == "strict":
        return EXACT
    return step.numerics or EXACT


def path_of(op: Op, root: Op) -> list[tuple[int, int, int]]:
    """How to come from `root` to `op`: region, block and place for each step."""
    path = []
    while op is not root:
        block, parent = op.parent, op.parent_op
        assert block is not None and block.parent is not None and parent is not None
        region = block.parent
        path.append((parent.regions.index(region), region.blocks.index(block), block.ops.index(op)))
        op = parent
    return path[::-1]


def op_at(root: Op, path: Sequence[tuple[int, int, int]]) -> Op:
    """The op that `path_of` led to, in a copy."""
    for region, block, place in path:
        root = root.regions[region].blocks[block].ops[place]
    return root


@dataclass(frozen=True)
class After:
    """The module behind a pass. changes: how many it has made; kept: for each derivative that it has kept, by the number
    before it, the number behind it."""

    module: Op
    changes: int
    kept: Mapping[int, int]


def kept_gradients(grads: Sequence[Op], module: Op) -> dict[int, int]:
    """Which of the ops are still in the module: number before -> number now."""
    now = {op: i for i, op in enumerate(gradients_of(module))}
    return {i: now[op] for i, op in enumerate(grads) if op in now}


@dataclass
class PassCheck:
    """A pass about to run on the op at `path` in the module `before`. draws: the inputs to run it on.

    known: what the module computes on some draws (by their `id`), so that it need not be run again; outcomes: the same
    for the module behind the pass, once it was checked. unchecked: sentences about what could not be checked; is_checked:
    something was.
    """

    before: Op
    step: Pass
    path: Sequence[tuple[int, int, int]]
    draws: Sequence[Draw]
    max_steps: int | None = None
    tally: Tally = field(default_factory=Tally)
    known: Mapping[int, Outcome] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)
    is_checked: bool = False

    def __post_init__(self) -> None:
        self.judge = Judge(self.before, numerics_of(self.step), self.max_steps, self.tally, dict(self.known))

    def run_on(self, module: Op, handler: First) -> Op:
        """Runs the pass on a copy of the module before it; a pass of its own, because a pass may keep notes."""
        with watched_by([handler]):
            dataclasses.replace(self.step).run(op_at(module, self.path))
        return module

    def run_again(self, count: int | None = None) -> After:
        """The module behind the pass, or behind its first `count` changes."""
        module, handler = self.before.clone(), First(count)
        grads = gradients_of(module)
        self.run_on(module, handler)
        return After(module, handler.made, kept_gradients(grads, module))

    def difference(self, after: After) -> Difference | None:
        """The first difference that the pass makes."""
        grads = gradients_of(self.before)
        if len(gradients_of(after.module)) >= len(grads):
            return self._results(after.module, {}) or self._kept_gradients(after)
        watched = self.run_on(observed(self.before), First(after.changes))
        expanded = expanded_gradients(watched)
        seen = {id(draw): self._seen(watched, expanded, draw) for draw in self.draws} if expanded else {}
        found = self._results(after.module, seen) or self._gradients(watched, expanded)
        return found or self._kept_gradients(after)

    def _seen(self, watched: Op, expanded: set[int], draw: Draw) -> dict[int, list[list[Any]]]:
        found = seen_gradients(watched, draw, self.max_steps)
        return {number: found[number] for number in expanded}

    def _results(self, after: Op, stand_ins: Mapping[int, Mapping[int, list[list[Any]]]]) -> Difference | None:
        program = Program(put_stand_ins(after.clone()), self.max_steps)
        self.outcomes.clear()
        self.is_checked = False
        spent: Counter[str] = Counter()
        for draw in self.draws:
            if self.max_steps is not None and spent[draw.entry] > self.max_steps:
                continue
            outcome = self.outcomes[id(draw)] = program.run(draw)
            spent[draw.entry] += program.steps
            found = self.judge.first_difference(outcome, draw, stand_ins.get(id(draw)))
            if found is not None:
                return found
            self.is_checked |= isinstance(outcome, Values) and isinstance(self.judge.outcome(draw), Values)
        if left := len(self.draws) - sum(isinstance(one, Values) for one in self.outcomes.values()):
            self.unchecked.append(
                f"{left} of {len(self.draws)} inputs are left out: runs take more than {self.max_steps} ops "
                "(--check-semantics-steps)"
            )
        return None

    # --- gradients ---------------------------------------------------------------------------------------------------

    def _smooth_draws(self, grad: Op) -> list[Draw]:
        """Inputs with ordinary numbers for the function that the derivative is in."""
        around = [symbol_name(op) for op in grad.ancestors() if isinstance(op, FunctionLike)]
        return [draw for draw in self.draws if draw.kind != HARD and draw.entry in around][:SLOPE_DRAWS]

    def _kept_gradients(self, after: After) -> Difference | None:
        """The first derivative that the pass has kept and whose cost or values have another slope now.

        One that uses others is left out where some are expanded: a stand-in has no right slope.
        """
        grads = gradients_of(self.before)
        are_all_kept = len(after.kept) == len(grads)
        for old, new in after.kept.items():
            if not are_all_kept and _uses_gradient(grads[old]):
                continue
            for draw in self._smooth_draws(grads[old]):
                before, _ = slopes(self.before, old, draw, self.max_steps, old)
                behind, _ = slopes(after.module, new, draw, self.max_steps, old)
                for i, (first, second) in enumerate(zip(before, behind)):
                    if first is not None and second is not None and slopes_differ(first, second):
                        what = f"the slope of {subject(grads[old])} of {self._label(old)}, direction {i}"
                        return Difference(draw, what, f"{first.value:.9g}", f"{second.value:.9g}")
        return None

    def _gradients(self, watched: Op, expanded: set[int]) -> Difference | None:
        """The first derivative that is not the slope of its cost or values."""
        for number in sorted(expanded):
            found, reason = self._gradient(watched, number)
            if found is not None:
                return found
            if reason:
                self.unchecked.append(f"{self._label(number)} is not checked: {reason}")
        return None

    def _label(self, number: int) -> str:
        grad = gradients_of(self.before)[number]
        where = grad.location.file_location()
        return f"the {grad.name} at {where}" if where is not None else f"derivative number {number + 1}"

    def _gradient(self, watched: Op, number: int) -> tuple[Difference | None, str]:
        """The first draw for which the derivative is wrong; why it could not be checked on any."""
        reason = "it is in no function that was run on ordinary numbers"
        is_checked = False
        module, at = self._cost_of(number)
        if module is None:
            return None, "it uses another derivative, which the pass does not expand first"
        grad = gradients_of(self.before)[number]
        for draw in self._smooth_draws(grad):
            measured, why = slopes(module, at, draw, self.max_steps)
            gradients = exact_gradients(watched, draw, self.max_steps).get(number, [])
            reason = why or reason
            if not any(measured) or len(gradients) != 1:
                continue
            is_checked = True
            for i, slope in enumerate(measured):
                said = slope_difference(slope, gradients[0], grad) if slope is not None else None
                if said is not None:
                    what = f"{self._label(number)}, direction {i}"
                    return Difference(draw, what, *said), ""
        return None, "" if is_checked else reason

    def _cost_of(self, number: int) -> tuple[Op | None, int]:
        """The module in which to run what is differentiated, and the number of the derivative there.

        One that uses others needs these expanded; they have been checked before.
        """
        grads = gradients_of(self.before)
        if not _uses_gradient(grads[number]):
            return self.before, number
        module = self.run_again(number).module
        return (module, 0) if len(gradients_of(module)) == len(grads) - number else (None, 0)


def _uses_gradient(grad: Op) -> bool:
    """It depends on the result of another derivative."""
    pending, seen = list(grad.operands), set()
    others = {result for other in gradients_of(grad.root) if other is not grad for result in other.results}
    while pending:
        value = pending.pop()
        if value in others:
            return True
        if value not in seen and value.op is not None:
            seen.add(value)
            pending.extend(value.op.operands)
    return False
