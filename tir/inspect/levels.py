"""`ir_at`: a module as text at one of the levels that it passes on its way to the machine.

The passes are those of `tir.executable` on this machine, cut where a level ends, so that what is shown is what runs.
"""

from __future__ import annotations

import html
import re

from tir.api import caller_location, check_fp_mode, check_module, for_this_machine
from tir.dialects.tir.build.core import told
from tir.ir.errors import TirError, escape_controls, nearest
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.machines import lowered_for
from tir.runtime.jit import emit_assembly

__all__ = ["LEVELS", "IRText", "advance", "ir_at", "passes_between"]

#: level -> the pass in front of which it ends; "" for the level as given, None behind the last pass.
_ENDS: dict[str, str | None] = {
    "tensor": "", "optimized": "state-to-arguments", "structured": "fuse-rows", "fused": "bufferize",
    "buffers": "lower-loops", "loops": None,
}  # fmt: skip
#: The levels that `ir_at` shows, from the program to the machine.
LEVELS = ("tensor", "optimized", "structured", "fused", "buffers", "loops", "llvm", "asm")
MAX_SHOWN_LINES = 2000
MAX_SHOWN_CHARACTERS = 400  # of a line


def ir_at(module: Op, level: str, *, locations: bool = False, fp_mode: str = "stable") -> IRText:
    """The text of a module at a level; the module itself is not changed.

    level: "tensor" as given; "optimized" with rules applied and derivatives expanded; "structured" loops around scalar
    bodies; "fused" those that share loops merged, and calls of libraries chosen; "buffers" tensors laid out in memory;
    "loops" over that; "llvm"; "asm" for this machine.
    locations: with the lines of the program that each op comes from, in LLVM IR as comments. fp_mode: of
    `tir.executable`.
    """
    check_module("ir_at", module)
    if level not in LEVELS:
        hint = nearest(level, LEVELS) if isinstance(level, str) else None
        raise TirError(f"ir_at: level must be one of {', '.join(LEVELS)}, got {told(level)}", caller_location(), hint=hint)
    check_fp_mode("ir_at", fp_mode)
    if locations and level == "asm":
        message = "ir_at: assembly has no lines of the program"
        raise TirError(message, caller_location(), hint='level="llvm" has them')
    verify(module)
    copy = module.clone()
    reached = level if level in _ENDS else "loops"
    advance(copy, "tensor", reached, fp_mode)
    if level in _ENDS:
        return IRText(print_op(copy, locations=locations))
    lowered = lowered_for(copy, locations=locations)
    return IRText(lowered.text if level == "llvm" else emit_assembly(lowered.text, lowered.grants, lowered.passes))


def passes_between(first: str, last: str, fp_mode: str = "stable") -> Pipeline:
    """What `tir.executable` runs from one level to another; both are levels of tir's own text."""
    steps = list(for_this_machine(fp_mode).passes())
    names = [step.name for step in steps]
    start, end = (_end_of(level, names) for level in (first, last))
    return Pipeline([*steps[start:end]])


def _end_of(level: str, names: list[str]) -> int:
    """How many passes lead to the level."""
    end = _ENDS[level]
    return len(names) if end is None else names.index(end) if end else 0


def advance(
    module: Op, first: str, last: str, fp_mode: str = "stable", watching: tuple[Instrumentation, ...] = ()
) -> None:
    """Takes a module from one level to another, in place."""
    run_pipeline(passes_between(first, last, fp_mode), module, watching)


class IRText(str):
    """The text of a program. It is shown as it is, and by a notebook in colours; long lines and texts are cut there."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(escape_controls, _shown_lines(self)))

    def _repr_html_(self) -> str:
        return f"<pre>{'<br>'.join(map(_coloured, _shown_lines(self)))}</pre>"


def _shown_lines(text: str) -> list[str]:
    lines = text.rstrip("\n").split("\n")
    shown = [_cut(line) for line in lines[:MAX_SHOWN_LINES]]
    return shown if len(lines) <= MAX_SHOWN_LINES else [*shown, f"... {len(lines) - MAX_SHOWN_LINES:,} more lines"]


def _cut(line: str) -> str:
    more = len(line) - MAX_SHOWN_CHARACTERS
    return line if more <= 0 else f"{line[:MAX_SHOWN_CHARACTERS]} ... {more:,} more characters"


_TOKENS = re.compile(
    r'(?P<comment>//.*|(?<!\S);.*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<value>%[\w$.#-]+)|(?P<symbol>@[\w$.-]+|\^\w+)'
    r"|(?P<op>\b[a-z_]+\.[a-z_0-9.]+)|(?P<type>\b(?:tensor|memref|vector)<[^<>]*(?:<[^<>]*>[^<>]*)*>|\b(?:index|b?f\d+|u?i\d+)\b)"
    r"|(?P<number>(?<![\w.])-?\d[\w.+]*)"
)
#: They keep their distance on light and on dark ground.
_COLOURS = {
    "comment": "#7a8594", "string": "#2e8b57", "value": "#3f6fd1", "symbol": "#b07a00", "op": "#8249c4", "type": "#178a8a",
    "number": "#c46a14",
}  # fmt: skip


def _coloured(line: str) -> str:
    """A line as HTML; whatever a program puts into its names stays text."""
    line = escape_controls(line)
    out: list[str] = []
    at = 0
    for token in _TOKENS.finditer(line):
        assert token.lastgroup is not None
        out.append(html.escape(line[at : token.start()]))
        out.append(f'<span style="color:{_COLOURS[token.lastgroup]}">{html.escape(token[0])}</span>')
        at = token.end()
    return "".join([*out, html.escape(line[at:])])
