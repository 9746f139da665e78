"""`--check-semantics`: the instrumentation that checks each pass of a pipeline, and what it says about a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tir.ir.actions import Action
from tir.ir.errors import Location, TirError
from tir.ir.execution import NUMPY_ERRORS
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, verify_behind
from tir.ir.printer import print_op
from tir.reducer.driver import count_ops
from tir.semantics.bisect import Culprit, bisect
from tir.semantics.check import After, PassCheck, kept_gradients, path_of
from tir.semantics.gradients import gradients_of, put_stand_ins
from tir.semantics.judge import Difference, Tally
from tir.semantics.outcome import Draw, Outcome, Program, draw_inputs, open_sizes
from tir.semantics.shrink import shrink

__all__ = ["CheckSemantics", "WrongPass"]

Remark = Callable[[str, Location | None], None]


class WrongPass(Exception):
    """A pass changed what the program computes: a bug in tir, or in the pass of a user.

    step: the pass; difference: what it makes of the program; culprit: its first wrong change, if that was found;
    reduced: a smaller module for which the pass is wrong, if is_reduced, else the module before the pass. sizes: those
    that were given and are still open in it.
    """

    def __init__(
        self, step: Pass, difference: Difference, culprit: Culprit | None, reduced: Op | None, before: Op,
        sizes: Mapping[str, int],
    ) -> None:  # fmt: skip
        super().__init__(f"pass {step} changes what {difference}")
        self.step, self.difference, self.culprit = step, difference, culprit
        self.is_reduced = reduced is not None
        self.reduced = before if reduced is None else reduced
        self.sizes = sizes

    @property
    def ops(self) -> int:
        """How many ops the reduced module has."""
        return count_ops(self.reduced)

    @property
    def rule_place(self) -> Location | None:
        """Where the rule stands that made the first wrong change, if it is one from a file."""
        return None if self.culprit is None else self.culprit.place

    def notes(self) -> list[tuple[str, Location | None]]:
        """What is to be said besides, each with where it belongs."""
        return [(f"the inputs are: {self.difference.draw}", None), self._culprit_note()]

    def _culprit_note(self) -> tuple[str, Location | None]:
        found = self.culprit
        if found is None:
            return "run again on the same module, the pass is right: what it does depends on more than the module", None
        if not found.number:
            return f"it is wrong even without the {found.total} changes that it announces", None
        sentence = f": {found.sentence}" if found.sentence else ""
        which = f"its first wrong change is {found.number} of {found.total}"
        return f"{which}, {found.name}{sentence}, of {found.text}", found.location


@dataclass
class CheckSemantics(Instrumentation):
    """Runs the module before and after each pass on generated inputs and state; WrongPass for the first that is wrong.

    seed, draws, sizes: of the inputs (see `draw_inputs`). max_steps: ops that a run may execute; what takes more is not
    checked. remark: is told what could not be checked, with a location or None. reduce_tests, reduce_seconds: how long
    smaller modules are looked for for which a wrong pass is wrong. tally: what was compared. seen_sizes: the names of
    the sizes of all modules seen, None before the first; those in `sizes` that no module has are for the caller to report.
    """

    remark: Remark
    seed: int = 0
    draws: int = 6
    sizes: Mapping[str, int] = field(default_factory=dict)
    max_steps: int = 300_000
    reduce_tests: int = 5000
    reduce_seconds: float | None = 40.0
    tally: Tally = field(default_factory=Tally)
    checked: int = 0
    seen_sizes: set[str] | None = None
    _inputs: list[Draw] | None = None
    _text: str = ""
    _grads: Sequence[Op] = ()
    _check: PassCheck | None = None
    _changes: int = 0
    _said: set[str] = field(default_factory=set)
    _root: Op | None = None
    _known: Mapping[int, Outcome] = field(default_factory=dict)

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self._changes = 0
        if root is not self._root:
            self._root, self._inputs, self._known = root, None, {}
            self.checked, self.tally, self._said = 0, Tally(), set()
        if self._inputs is None:
            self._inputs = self._draw(root)
        if not self._inputs:
            return
        self._text, self._grads = print_op(root), gradients_of(root)
        path = path_of(op, root)
        self._check = PassCheck(root.clone(), step, path, self._inputs, self.max_steps, self.tally, self._known)

    def changed(self, action: Action) -> None:
        self._changes += 1

    def after(self, step: Pass, op: Op, root: Op) -> None:
        check, self._check = self._check, None
        if check is None or not self._inputs:
            return
        verify_behind(f"pass {step.name}", root)  # what does not verify must not be run
        if print_op(root) == self._text:
            self.checked += 1
            return
        difference = self._difference(check, step, root)
        for sentence in check.unchecked:
            self._say(f"check-semantics: pass {step}: {sentence}")
        if difference is not None:
            culprit = bisect(check, self._changes)
            small = shrink(check, difference.draw, self.seed, self.sizes, self.reduce_tests, self.reduce_seconds)
            sizes = {name: size for name, size in self.sizes.items() if small is None or name in open_sizes(small)}
            raise WrongPass(step, difference, culprit, small, check.before, sizes)
        self._known = check.outcomes
        self.checked += check.is_checked

    def _difference(self, check: PassCheck, step: Pass, root: Op) -> Difference | None:
        """The difference that the pass makes; a remark if the module behind it cannot be run."""
        error = Program(root, self.max_steps).cannot_run()
        if error is not None:
            said = f"check-semantics: pass {step} and those behind it are not checked: {error.message}"
            self._say(said, error.location)
            self._inputs = []
            return None
        return check.difference(After(root, self._changes, kept_gradients(self._grads, root)))

    def finished(self, root: Op) -> None:
        if self._inputs:
            passes = {0: "no pass was seen to keep", 1: "1 pass keeps"}.get(self.checked, f"{self.checked} passes keep")
            self._say(f"check-semantics: {passes} what the program computes; {self.tally}")

    def _draw(self, root: Op) -> list[Draw]:
        """Inputs for the whole pipeline."""
        try:
            program = Program(put_stand_ins(root.clone()), self.max_steps)
            self.seen_sizes = (self.seen_sizes or set()) | open_sizes(program.module)
            found, reasons = draw_inputs(program, self.seed, self.draws, self.sizes)
        except (TirError, *NUMPY_ERRORS) as error:
            found, reasons = [], [f"nothing is checked: {error}"]
        for reason in reasons:
            self._say(f"check-semantics: {reason}")
        if not found and not reasons:
            self._say("check-semantics: nothing is checked: the module has no public function with a body")
        return found

    def _say(self, sentence: str, location: Location | None = None) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self.remark(sentence, location)
