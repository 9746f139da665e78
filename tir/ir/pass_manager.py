"""Passes and pipelines.

    @dataclass
    class Canonicalize(Pass):
        \"\"\"Simplifies by rules until none fits. ...\"\"\"
        name = "canonicalize"
        max_iterations: int = -1
        def run(self, op): ...

The fields of the dataclass are the options: `canonicalize{max-iterations=10}` in a pipeline. A pipeline may nest by op:
`builtin.module(func.func(cse,canonicalize),symbol-dce)`. Instrumentations see each pass before and after it runs.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TextIO

from tir.ir.actions import Action, watched_by
from tir.ir.errors import PassError, TirErrors, nearest
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify

__all__ = [
    "Instrumentation", "Lookup", "Pass", "PassBug", "Pipeline", "PrintAfter", "Timing", "Verify", "make_pass",
    "parse_pipeline", "pass_options", "run_pipeline",
]  # fmt: skip


@dataclass
class Pass:
    """A transformation of the ops inside one op. `run` changes it in place and raises TirError for what it cannot take.

    needs_module: it must be given the whole module, not one function of it.
    """

    name: ClassVar[str]
    needs_module: ClassVar[bool] = False

    def run(self, op: Op) -> None:
        raise AssertionError(type(self))

    def __str__(self) -> str:
        changed = [
            f"{f.name.replace('_', '-')}={_option_text(getattr(self, f.name))}"
            for f in dataclasses.fields(self)
            if getattr(self, f.name) != f.default
        ]
        return f"{self.name}{{{' '.join(changed)}}}" if changed else self.name


@dataclass
class Pipeline:
    """Passes and nested pipelines, run in order on each op called `anchor` ("" is the op given)."""

    steps: list[Pass | Pipeline] = field(default_factory=list)
    anchor: str = ""

    def __str__(self) -> str:
        inside = ",".join(map(str, self.steps))
        return f"{self.anchor}({inside})" if self.anchor else inside


class Instrumentation:
    """Sees the passes run. `root` is the whole module. One that overrides `allows` or `changed` sees each change, too."""

    def before(self, step: Pass, op: Op, root: Op) -> None:
        """A pass is about to run on `op`."""

    def after(self, step: Pass, op: Op, root: Op) -> None:
        """A pass has run on `op`."""

    def allows(self, action: Action) -> bool:
        """Whether a pass may make this change."""
        return True

    def changed(self, action: Action) -> None:
        """A pass has made this change."""

    def finished(self, root: Op) -> None:
        """All passes have run."""


class Verify(Instrumentation):
    """Verifies the module behind each pass; an error names the pass."""

    def after(self, step: Pass, op: Op, root: Op) -> None:
        _verify_behind(f"pass {step.name}", root)


class PassBug(Exception):
    """A pass left a module that breaks a rule of the IR: a mistake in tir, not in the program."""


def _verify_behind(what: str, root: Op) -> None:
    try:
        verify(root)
    except TirErrors as errors:
        raise PassBug(f"the module is wrong behind {what}: {errors}") from None


@dataclass
class PrintAfter(Instrumentation):
    """Prints the module behind each pass, as `// -----// IR after name //----- //`."""

    stream: TextIO
    generic: bool = False

    def after(self, step: Pass, op: Op, root: Op) -> None:
        self.stream.write(f"// -----// IR after {step.name} //----- //\n{print_op(root, generic=self.generic)}\n")


@dataclass
class Timing(Instrumentation):
    """Seconds spent in each pass, in the order of their first run."""

    seconds: dict[str, float] = field(default_factory=dict)
    _start: float = 0.0

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self._start = time.perf_counter()

    def after(self, step: Pass, op: Op, root: Op) -> None:
        self.seconds[step.name] = self.seconds.get(step.name, 0.0) + time.perf_counter() - self._start


def run_pipeline(
    pipeline: Pipeline, root: Op, instrumentations: Sequence[Instrumentation] = (), *, verify_end: bool = True
) -> None:
    """Runs the passes on `root`, and verifies the result once at the end: PassBug if it is wrong."""
    pending: list[tuple[Pass | Pipeline, Op]] = [(pipeline, root)]
    with watched_by([one for one in instrumentations if _watches_actions(one)]):
        while pending:
            step, op = pending.pop()
            if isinstance(step, Pass):
                _run_pass(step, op, root, instrumentations)
            else:
                anchors = [op] if step.anchor in ("", op.name) else _children(op, step.anchor)
                pending.extend((inner, one) for one in reversed(anchors) for inner in reversed(step.steps))
    if verify_end:
        _verify_behind(f"the pipeline {pipeline}", root)
    for one in instrumentations:
        one.finished(root)


def _watches_actions(one: Instrumentation) -> bool:
    kind = type(one)
    return kind.allows is not Instrumentation.allows or kind.changed is not Instrumentation.changed


def _run_pass(step: Pass, op: Op, root: Op, instrumentations: Sequence[Instrumentation]) -> None:
    if step.needs_module and op is not root:
        raise PassError(f"pass {step.name} runs on the module, not on {op.name}", op.location)
    for one in instrumentations:
        one.before(step, op, root)
    step.run(op)
    for one in reversed(instrumentations):
        one.after(step, op, root)


def _children(op: Op, name: str) -> list[Op]:
    return [c for region in op.regions for block in region.blocks for c in block if name in (c.name, "any")]


# --- text ----------------------------------------------------------------------------------------------------------

_PIECE = re.compile(r"\s*(?:(?P<name>[\w.-]+)\s*(?P<options>\{[^{}]*\})?|(?P<mark>[(),]))")
Lookup = Mapping[str, Callable[..., "Pass | Pipeline"]]


def parse_pipeline(text: str, passes: Lookup) -> Pipeline:
    """The pipeline that `text` spells: `cse,canonicalize{max-iterations=3}` or `builtin.module(func.func(cse))`.

    passes: by name, a Pass class, or a function that makes a pipeline. PassError names what is wrong and where.
    """
    stack = [Pipeline()]
    expect_item = True
    at = 0
    while at < len(text.rstrip()):
        match = _PIECE.match(text, at)
        if match is None:
            raise _pipeline_error(text, at, "expected a pass")
        name, mark = match["name"], match["mark"]
        opens = name is not None and text[match.end() :].lstrip().startswith("(")
        if (name is not None or mark == "(") != expect_item or mark == "(":
            raise _pipeline_error(text, match.start(), "expected ',' or ')'" if name else "expected a pass")
        if opens:
            stack[-1].steps.append(nested := Pipeline(anchor=name))
            stack.append(nested)
            at = text.index("(", match.end()) + 1
            continue
        if name is not None:
            stack[-1].steps.append(make_pass(name, match["options"] or "", passes))
        elif mark == ")":
            if len(stack) == 1:
                raise _pipeline_error(text, match.start(), "')' without '('")
            stack.pop()
        expect_item = mark == ","
        at = match.end()
    if len(stack) > 1 or (expect_item and text.strip()):
        raise _pipeline_error(text, len(text), "expected ')'" if len(stack) > 1 else "expected a pass")
    return stack[0]


def _pipeline_error(text: str, at: int, message: str) -> PassError:
    return PassError(f"pipeline: {message} at character {at + 1} of '{text}'")


def make_pass(name: str, options: str, passes: Lookup) -> Pass | Pipeline:
    """The pass called `name` with options such as `{a=1 b=x}`."""
    make = passes.get(name)
    if make is None:
        raise PassError(f"unknown pass '{name}'", hint=nearest(name, passes))
    given = dict(_split_option(part) for part in options.strip("{} ").replace(",", " ").split())
    known = pass_options(make)
    for option in given:
        if option not in known:
            hint = nearest(option, known)
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise PassError(f"pass {name} has no option '{option}'; {has}", hint=hint)
    return make(**{o.replace("-", "_"): _option_value(name, o, v, known[o]) for o, v in given.items()})


def _split_option(part: str) -> tuple[str, str | None]:
    option, equals, value = part.partition("=")
    return option, value if equals else None


def pass_options(make: Callable[..., Any]) -> dict[str, Any]:
    """The options of a pass by name in the text, each with its default."""
    parameters = inspect.signature(make).parameters.values()
    return {p.name.replace("_", "-"): p.default for p in parameters}


def _option_value(name: str, option: str, text: str | None, default: Any) -> Any:
    """`text` as a value of the type of the option's default; a switch needs none."""
    try:
        if isinstance(default, bool):
            return {None: True, "true": True, "false": False, "1": True, "0": False}[text]
        if text is not None:
            return type(default)(text)
    except (KeyError, ValueError):
        pass
    kind = {bool: "true or false", int: "an integer", float: "a number"}.get(type(default), "text")
    got = f"got '{text}'" if text is not None else "got nothing"
    raise PassError(f"pass {name}: option '{option}' must be {kind}, {got}")


def _option_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
