"""Passes and pipelines.

    @dataclass
    class Canonicalize(Pass):
        \"\"\"Simplifies by rules until none fits. ...\"\"\"
        name = "canonicalize"
        max_iterations: int = -1
        def run(self, op): ...

The fields of the dataclass are the options: `canonicalize{max-iterations=10}` in a pipeline. A pipeline may nest by op
(`pipeline_text.py` has the text of that). Instrumentations see each pass before and after it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from tir.ir.actions import Action, watched_by
from tir.ir.errors import PassError, TirErrors
from tir.ir.ir import Op
from tir.ir.numerics import Numerics
from tir.ir.pass_options import options_text
from tir.ir.traits import IsolatedFromAbove
from tir.ir.verify import verify

__all__ = ["ANY", "Instrumentation", "Pass", "PassBug", "Pipeline", "run_pipeline"]

#: The anchor of a pipeline that runs on each op directly inside that uses nothing from around it.
ANY = "any"


@dataclass
class Pass:
    """A transformation of the ops inside one op. `run` changes it in place and raises TirError for what it cannot take.

    needs_module: it must be given the whole module, not one function of it.
    statistics: what its actions (`tir.ir.actions`) count, by their names; rules of rewriting need not be listed.
    numerics: what it may do to the numbers that a program computes; a pass that says nothing may change no bit.
    obeys_user: what it does is what its user has written; where that is wrong, tir has no bug.
    """

    name: ClassVar[str]
    needs_module: ClassVar[bool] = False
    statistics: ClassVar[Mapping[str, str]] = {}
    numerics: ClassVar[Numerics | None] = None
    obeys_user: ClassVar[bool] = False

    def run(self, op: Op) -> None:
        raise AssertionError(type(self))

    def __str__(self) -> str:
        return self.name + options_text(self)


@dataclass
class Pipeline:
    """Passes and nested pipelines, run in order on each op called `anchor` directly inside ("" is the op given)."""

    steps: list[Pass | Pipeline] = field(default_factory=list)
    anchor: str = ""

    def flattened(self, root: str = "") -> Iterator[Pass | Pipeline]:
        """The steps, with those of nested pipelines for the same op in their place: that called `root`, if given."""
        pending = [(step, root) for step in reversed(self.steps)]
        while pending:
            step, same = pending.pop()
            if isinstance(step, Pipeline) and step.anchor in ("", same):
                pending += [(one, same if step.anchor == "" else "") for one in reversed(step.steps)]
            else:
                yield step

    def anchored(self, root: str) -> Pipeline:
        """The same with the outermost op spelled out, which is called `root`: `cse` is `builtin.module(cse)`."""
        steps = list(self.flattened())
        if len(steps) == 1 and isinstance(steps[0], Pipeline) and steps[0].anchor == ANY:
            return steps[0]  # the outermost `any` stands for the op given, as its name does
        return Pipeline(list(self.flattened(root)), root)

    def passes(self) -> Iterator[Pass]:
        """All passes, in the order of the text."""
        pending: list[Pass | Pipeline] = [self]
        while pending:
            step = pending.pop()
            if isinstance(step, Pass):
                yield step
            else:
                pending.extend(reversed(step.steps))

    def __str__(self) -> str:
        out: list[str] = []
        pending: list[Pass | Pipeline | str] = [self]
        while pending:
            step = pending.pop()
            if not isinstance(step, Pipeline):
                out.append(str(step))
                continue
            inside = [part for one in step.flattened() for part in (",", one)][1:]
            pending += [")", *reversed(inside), f"{step.anchor}("] if step.anchor else reversed(inside)
        return "".join(out)


class Instrumentation:
    """Sees the passes run. `root` is the whole module. One that overrides `allows` or `changed` sees each change, too.

    Those that come later in a list are nearer to the pass: `before` is called in order, all else in reverse.
    """

    def enter(self, pipeline: Pipeline, op: Op) -> None:
        """The pipeline nested in another is about to run on `op`."""

    def leave(self, pipeline: Pipeline, op: Op) -> None:
        """The nested pipeline has run on `op`."""

    def before(self, step: Pass, op: Op, root: Op) -> None:
        """A pass is about to run on `op`."""

    def after(self, step: Pass, op: Op, root: Op) -> None:
        """A pass has run on `op`."""

    def failed(self, step: Pass, op: Op, root: Op, error: Exception) -> None:
        """A pass, or an instrumentation behind it, has raised `error`; `op` may be left half changed."""

    def allows(self, action: Action) -> bool:
        """Whether a pass may make this change."""
        return True

    def changed(self, action: Action) -> None:
        """A pass has made this change."""

    def finished(self, root: Op) -> None:
        """All passes have run."""


class PassBug(Exception):
    """A pass left a module that breaks a rule of the IR: a mistake in tir, not in the program."""


def run_pipeline(
    pipeline: Pipeline, root: Op, instrumentations: Sequence[Instrumentation] = (), *, verify_end: bool = True
) -> None:
    """Runs the passes on `root`, and verifies the result once at the end: PassBug if it is wrong."""
    with watched_by([one for one in instrumentations if _watches_actions(one)]):
        _Run(root, instrumentations).run(pipeline)
    if verify_end:
        verify_behind(f"the pipeline {pipeline}", root)
    for one in reversed(instrumentations):
        one.finished(root)


def verify_behind(what: str, root: Op) -> None:
    """Verifies the module; PassBug says that it is wrong behind `what`."""
    try:
        verify(root)
    except TirErrors as errors:
        raise PassBug(f"the module is wrong behind {what}: {errors}") from None


def _watches_actions(one: Instrumentation) -> bool:
    kind = type(one)
    return kind.allows is not Instrumentation.allows or kind.changed is not Instrumentation.changed


class _Run:
    """One run of a pipeline. `pending` holds what is to be done, the next on top."""

    def __init__(self, root: Op, instrumentations: Sequence[Instrumentation]) -> None:
        self.root = root
        self.instrumentations = instrumentations
        self.pending: list[Callable[[], None]] = []

    def run(self, pipeline: Pipeline) -> None:
        self.push(pipeline.anchored(self.root.name).flattened(), self.root)
        while self.pending:
            self.pending.pop()()

    def push(self, steps: Iterable[Pass | Pipeline], op: Op) -> None:
        self.pending += [partial(self.run_step, step, op) for step in steps][::-1]

    def run_step(self, step: Pass | Pipeline, op: Op) -> None:
        if isinstance(step, Pass):
            self.run_pass(step, op)
        else:
            self.nest(step, op)

    def nest(self, pipeline: Pipeline, op: Op) -> None:
        """Runs a nested pipeline on each op inside `op` that it is for."""
        for one in reversed(_anchors(op, pipeline.anchor)):
            self.pending.append(partial(self.enter, pipeline, one))

    def enter(self, pipeline: Pipeline, op: Op) -> None:
        if op.parent is None:
            return  # erased meanwhile
        for one in self.instrumentations:
            one.enter(pipeline, op)
        self.pending.append(partial(self.leave, pipeline, op))
        self.push(pipeline.flattened(), op)

    def leave(self, pipeline: Pipeline, op: Op) -> None:
        for one in reversed(self.instrumentations):
            one.leave(pipeline, op)

    def run_pass(self, step: Pass, op: Op) -> None:
        if step.needs_module and op is not self.root:
            raise PassError(f"pass {step.name} runs on the module, not on {op.name}", op.location)
        for one in self.instrumentations:
            one.before(step, op, self.root)
        try:
            step.run(op)
            for one in reversed(self.instrumentations):
                one.after(step, op, self.root)
        except Exception as error:
            for one in reversed(self.instrumentations):
                one.failed(step, op, self.root, error)
            raise


def _anchors(op: Op, name: str) -> list[Op]:
    inside = [child for region in op.regions for block in region.blocks for child in block]
    if name == ANY:
        return [child for child in inside if isinstance(child, IsolatedFromAbove)]
    return [child for child in inside if child.name == name]
