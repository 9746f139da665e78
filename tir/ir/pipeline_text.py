"""Pipelines as text: `builtin.module(func.func(cse,canonicalize{max-iterations=3}),any(dce),symbol-dce)`.

An op's name with parentheses holds what runs on each op of that name directly inside; `any` holds what runs on each op
directly inside that uses nothing from around it. The outermost op may be left out, and stands for the op that is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tir.ir.errors import PassError, nearest
from tir.ir.ir import Op
from tir.ir.pass_manager import ANY, Pass, Pipeline
from tir.ir.pass_options import OptionError, closing_brace, option_values, pass_options
from tir.ir.registry import Registry
from tir.ir.traits import IsolatedFromAbove, SymbolTable

__all__ = ["Lookup", "make_pass", "parse_pipeline", "pretty_pipeline"]

#: By name: a Pass class, or a function that makes a pipeline.
Lookup = Mapping[str, Callable[..., "Pass | Pipeline"]]

MAX_TEXT = 1 << 16
MAX_NESTING = 256  # as deep as text of IR may nest
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[\w.$-]+")
SHOWN = 60


def make_pass(name: str, options: str, passes: Lookup) -> Pass | Pipeline:
    """The pass called `name` with options such as `a=1 b=x`, in braces or without."""
    make = passes.get(name)
    if make is None:
        raise PassError(f"unknown pass '{name}'", hint=nearest(name, passes))
    shift = 0
    if options.startswith("{") and closing_brace(options, 0) == len(options) - 1:
        options, shift = options[1:-1], 1
    try:
        return make(**option_values(name, options, pass_options(make)))
    except OptionError as error:
        error.offset += shift
        raise


def parse_pipeline(text: str, passes: Lookup, registry: Registry | None = None) -> Pipeline:
    """The pipeline that `text` spells. PassError names what is wrong and at which character.

    registry: the ops that exist; what can never run (an unknown op, an op that uses values from around it, a pass for
    the module inside of a function) is then an error, too.
    """
    if len(text) > MAX_TEXT:
        raise PassError(f"pipeline: a text has at most {MAX_TEXT} characters, and this has {len(text)}")
    return _Reader(text, passes, registry).read()


@dataclass
class _Reader:
    """Reads one text. `open` holds the pipelines whose parentheses are open, with where each began."""

    text: str
    passes: Lookup
    registry: Registry | None
    at: int = 0
    open: list[tuple[Pipeline, int]] = field(default_factory=list)

    def read(self) -> Pipeline:
        self.open = [(Pipeline(), 0)]
        self.skip_space()
        if self.at == len(self.text):
            return self.open[0][0]
        while True:
            self.element()
            self.closing()
            if self.at == len(self.text):
                break
            if not self.accept(","):
                raise self.error("expected ',' or ')'")
        if len(self.open) > 1:
            pipeline, start = self.open[-1]
            raise self.error(f"expected ')' to close '{pipeline.anchor}(' of character {start + 1}")
        return self.open[0][0]

    def element(self) -> None:
        """A pass, or all that opens up to and including the first pass inside."""
        while True:
            match = _NAME.match(self.text, self.at)
            if match is None:
                raise self.error("expected a pass")
            start, self.at = self.at, match.end()
            self.skip_space()
            if not self.accept("("):
                self.add_pass(match[0], start)
                return
            self.enter(match[0], start)
            if self.text.startswith(")", self.at):
                return

    def closing(self) -> None:
        while self.text.startswith(")", self.at):
            if len(self.open) == 1:
                raise self.error("')' without '('")
            self.open.pop()
            self.accept(")")

    def enter(self, anchor: str, start: int) -> None:
        if len(self.open) > MAX_NESTING:
            raise self.error(f"pipelines nest at most {MAX_NESTING} deep", start)
        if self.registry is not None and (wrong := _wrong_anchor(anchor, self.passes, self.registry)) is not None:
            raise self.error(wrong[0], start, wrong[1])
        nested = Pipeline(anchor=anchor)
        self.open[-1][0].steps.append(nested)
        self.open.append((nested, start))

    def add_pass(self, name: str, start: int) -> None:
        begin = self.at
        try:
            if self.text.startswith("{", begin):
                self.at = closing_brace(self.text, begin) + 1
            made = make_pass(name, self.text[begin : self.at], self.passes)
        except OptionError as error:
            # Inside of the braces the offset counts from their text; a brace that is not closed is at its own place.
            offset = error.offset if self.at == begin else begin + error.offset
            raise self.error(error.message, offset, error.hint) from None
        except PassError as error:
            raise self.error(error.message, start, error.hint) from None
        self.skip_space()
        if self.registry is not None and (where := self.not_a_module()) is not None:
            for one in made.passes() if isinstance(made, Pipeline) else [made]:
                if one.needs_module:
                    raise self.error(f"pass {one.name} runs on the module, not on {where}", start)
        self.open[-1][0].steps.append(made)

    def not_a_module(self) -> str | None:
        """The op around, unless it is the outermost one, and a module."""
        anchors = [pipeline.anchor for pipeline, _ in self.open[1:]]
        if not anchors or (len(anchors) == 1 and (anchors[0] == ANY or _is_module(anchors[0], self.registry))):
            return None
        return anchors[-1] if len(anchors) == 1 else f"{anchors[-1]} in {anchors[-2]}"

    def accept(self, mark: str) -> bool:
        if not self.text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        self.skip_space()
        return True

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def error(self, message: str, at: int | None = None, hint: str | None = None) -> PassError:
        at = self.at if at is None else at
        start = max(0, min(at - SHOWN // 2, len(self.text) - SHOWN))
        shown = self.text[start : start + SHOWN]
        before, behind = "..." if start else "", "..." if start + SHOWN < len(self.text) else ""
        return PassError(f"pipeline: {message} at character {at + 1} of '{before}{shown}{behind}'", hint=hint)


def _is_module(anchor: str, registry: Registry | None) -> bool:
    cls = registry.op_class(anchor) if registry is not None else None
    return cls is not None and issubclass(cls, SymbolTable)


def _wrong_anchor(anchor: str, passes: Lookup, registry: Registry) -> tuple[str, str | None] | None:
    """Why passes cannot run on ops of this name, and a hint."""
    if anchor == ANY:
        return None
    cls = registry.op_class(anchor)
    if cls is None:
        if anchor in passes:
            return f"'{anchor}' is a pass, not an op", "the options of a pass stand in braces"
        return f"unknown op '{anchor}'", registry.hint(anchor)
    if issubclass(cls, IsolatedFromAbove):
        return None
    fitting = [name for name in registry.op_names() if issubclass(registry.op_class(name) or Op, IsolatedFromAbove)]
    why = f"it may use values from around it; passes can run on {', '.join(fitting)}"
    return f"passes cannot run on '{anchor}' alone", why


def pretty_pipeline(pipeline: Pipeline) -> str:
    """The pipeline, which is `anchored`, with one pass a line; `parse_pipeline` reads it back."""
    out: list[str] = []
    pending: list[tuple[Pass | Pipeline | str, int]] = [(pipeline, 0)]
    while pending:
        part, depth = pending.pop()
        if not isinstance(part, Pipeline):
            out.append(f"{'  ' * depth}{part}" if isinstance(part, Pass) else part)
            continue
        inside = list(part.flattened())
        if not inside:
            out.append(f"{'  ' * depth}{part.anchor}()")
            continue
        out.append(f"{'  ' * depth}{part.anchor}(\n")
        pending.append((f"\n{'  ' * depth})", depth))
        for i, step in enumerate(reversed(inside)):
            pending += [(",\n", 0)] * (i > 0) + [(step, depth + 1)]
    return "".join(out)
