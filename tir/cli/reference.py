"""What the tools can do, read out of their parsers: the CLI reference, man pages and shell completion are made from it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from tir.cli.common import ToolParser
from tir.cli.opt_flags import REMARK_KINDS
from tir.ir.pass_options import option_text, pass_options
from tir.lazy import LazyTable
from tir.passes.pipelines import PASSES, PIPELINES

__all__ = ["TOOLS", "Flag", "Topic", "Values", "parser_of", "pass_flags", "topics", "usage_of"]

#: Tool -> what makes its parser.
TOOLS = LazyTable({
    "tir-opt": "tir.cli.opt_flags:opt_parser",
    "tir-run": "tir.cli.run:_parser",
    "tir-translate": "tir.cli.translate:_parser",
    "tir-lsp": "tir.cli.lsp:_parser",
    "tir-reduce": "tir.cli.reduce:_parser",
})  # fmt: skip


@dataclass(frozen=True)
class Values:
    """What a value may be, as far as a shell can help.

    kind: text (no help), words (one of them), list (several, commas between), options (of a pass: `name=value` or `name=`,
    commas between), file (with one of these endings; any without), folder.
    """

    kind: str = "text"
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """A flag, or what stands without one (names is empty then).

    metavar: what its value is called, "" if it takes none. optional: the value may be left out, and follows `=` alone.
    """

    names: tuple[str, ...]
    metavar: str
    optional: bool
    help: str
    values: Values

    @property
    def options(self) -> list[str]:
        """The options of a pass: `fp-mode=strict|stable|fast`, `max-cost=..`."""
        if self.values.kind != "options":
            return []
        found: dict[str, list[str]] = {}
        for name, _, value in (word.partition("=") for word in self.values.words):
            found.setdefault(name, []).append(value or "..")
        return [f"{name}={'|'.join(values)}" for name, values in found.items()]

    @property
    def usage(self) -> str:
        """`-o FILE`, `--color[=WHEN]`."""
        if not self.metavar or not self.names:
            return ", ".join(self.names) or self.metavar
        value = f"[={self.metavar}]" if self.optional else f" {self.metavar}"
        return ", ".join(f"{name}{value}" for name in self.names)


@dataclass(frozen=True)
class Topic:
    """Flags that stand together in --help."""

    title: str
    description: str
    flags: tuple[Flag, ...]


def parser_of(tool: str) -> ToolParser:
    """The parser of a tool."""
    parser: ToolParser = TOOLS[tool]()
    return parser


def usage_of(parser: argparse.ArgumentParser) -> str:
    """How the tool is called: `tir-opt [passes and flags] [FILE]`."""
    if parser.usage is not None:
        return parser.usage
    words = [flag.usage for topic in topics(parser) for flag in topic.flags if not flag.names]
    return " ".join([parser.prog, "[flags]", *(f"[{word}]" for word in words)])


def topics(parser: argparse.ArgumentParser) -> list[Topic]:
    """The flags of a tool by topic, in the order of --help."""
    groups = [(group, [_flag(action) for action in group._group_actions]) for group in parser._action_groups]
    return [Topic(group.title or "", group.description or "", tuple(flags)) for group, flags in groups if flags]


def _flag(action: argparse.Action) -> Flag:
    takes_value = action.nargs != 0
    metavar = action.metavar if isinstance(action.metavar, str) else (action.metavar or [""])[0]
    choices = tuple(map(str, action.choices or ()))
    if not metavar and takes_value:
        metavar = "|".join(choices) or action.dest.upper()
    optional = bool(action.option_strings) and action.nargs == "?"
    help_text = (action.help or "") % {**vars(action), "prog": ""} if "%(" in (action.help or "") else action.help or ""
    values = _values(metavar, choices) if takes_value else Values()
    return Flag(tuple(action.option_strings), metavar if takes_value else "", optional, help_text, values)


def _values(metavar: str, choices: tuple[str, ...]) -> Values:
    """What a metavar says about the value: `tree|list`, `FILE.npz`, `DIR`, `PASS,..`."""
    if choices or "|" in metavar:
        return Values("words", choices or tuple(metavar.split("|")))
    name, dot, ending = metavar.partition(".")
    if name == "FILE":
        return Values("file", (ending,) if dot else ())
    known = {
        "PASS,..": Values("list", tuple(PASSES)), "KIND,..": Values("list", REMARK_KINDS),
        "BOOL": Values("words", ("true", "false")), "DIR": Values("folder"),
    }  # fmt: skip
    return known.get(metavar, Values())


# --- passes are flags of tir-opt -------------------------------------------------------------------------------------


def pass_flags() -> list[Flag]:
    """A flag for each pass and pipeline."""
    return [_pass_flag(name, table[name]) for table in (PASSES, PIPELINES) for name in table]


def _pass_flag(name: str, make: Callable[..., object]) -> Flag:
    options = pass_options(make)
    summary = (make.__doc__ or "").strip().split("\n")[0]
    words = tuple(word for option, default in options.items() for word in _option_words(make, option, default))
    return Flag((f"--{name}",), "OPTION=VALUE,.." if options else "", bool(options), summary, Values("options", words))


def _option_words(make: Callable[..., object], option: str, default: Any) -> Iterator[str]:
    """`name=value` for each value that the option may have, or `name=` where any number or text will do."""
    choices = _option_choices(make, option) or (("true", "false") if isinstance(default, bool) else ("",))
    return (f"{option}={choice if isinstance(choice, str) else option_text(choice)}" for choice in choices)


def _option_choices(make: Callable[..., object], option: str) -> tuple[str, ...]:
    """What the field's metadata say that its values may be."""
    if not is_dataclass(make):
        return ()
    return next((tuple(f.metadata.get("choices", ())) for f in fields(make) if f.name == option.replace("-", "_")), ())
