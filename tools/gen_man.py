"""Writes a manual page for each tool, from its parser: `man build/man/tir-opt.1`.

    python tools/gen_man.py [FOLDER]      build/man if not given

The pages are not committed. `make wheel` puts them into the wheel, which pip installs as share/man/man1/.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tir.cli.reference import TOOLS, Flag, parser_of, pass_flags, topics, usage_of  # noqa: E402
from tir.version import __version__  # noqa: E402

EXIT_CODES = (
    ("0", "All is well."),
    ("1", "The input is wrong: a file, the program in it, an array, or a check that failed."),
    ("2", "The command line is wrong."),
    ("3", "There is a bug in tir; the message names a file with all that is needed to repeat it."),
    ("130", "Interrupted by Ctrl-C."),
)
ENVIRONMENT = (
    ("NO_COLOR", "If set and not empty, messages have no colours unless --color asks for them."),
    ("FORCE_COLOR, CLICOLOR_FORCE", "If set and neither empty nor 0, messages have colours also where no terminal is."),
    ("TERM", "On a terminal called dumb, messages have no colours."),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the pages; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "man"
    folder.mkdir(parents=True, exist_ok=True)
    for tool in TOOLS:
        (folder / f"{tool}.1").write_text(man_page(tool), encoding="utf-8")
    return 0


def man_page(tool: str) -> str:
    """The page of a tool, in the man macros of roff."""
    parser = parser_of(tool)
    description = parser.description or ""
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    date = time.strftime("%Y-%m-%d", time.gmtime(seconds))
    lines = [f'.TH {tool.upper()} 1 "{date}" "tir {__version__}" "tir"']
    lines += [".SH NAME", f"{tool} \\- {escaped(description[:1].lower() + description[1:].rstrip('.'))}"]
    lines += [".SH SYNOPSIS", f".B {escaped(tool)}", escaped(usage_of(parser).removeprefix(tool).strip()) or "."]
    prose, example_lines = epilog_parts(parser.epilog or "")
    lines += [".SH DESCRIPTION", *wrapped(description)]
    lines += [line for paragraph in prose for line in (".PP", *wrapped(paragraph))]
    lines += [".SH OPTIONS"]
    lines += ["A value in brackets may be left out; it follows an equals sign alone."]
    for topic in topics(parser):
        lines += [f".SS {escaped(topic.title.capitalize())}", *wrapped(topic.description)]
        lines += [line for flag in topic.flags for line in entry(bold_names(flag), sentence(flag))]
    if tool == "tir-opt":
        lines += [".SH PASSES AND PIPELINES", "They are flags, run in the order in which they are given."]
        lines += [line for flag in pass_flags() for line in entry(bold_names(flag), sentence(flag))]
    if example_lines:
        lines += [".SH EXAMPLES", ".EX", *(escaped(line) or ".sp" for line in example_lines), ".EE"]
    for title, rows in (("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", ENVIRONMENT)):
        lines += [f".SH {title}", *(line for name, text in rows for line in entry(f"\\fB{escaped(name)}\\fR", text))]
    others = [f".BR {escaped(other)} (1)" for other in TOOLS if other != tool]
    lines += [".SH SEE ALSO", *(f"{line}," for line in others[:-1]), others[-1]]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text that roff prints as it is. A dot or quote that begins a line would be a command."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def bold_names(flag: Flag) -> str:
    """The flag's names in bold, what is to be filled in in italics."""
    if not flag.names:
        return f"\\fI{escaped(flag.metavar)}\\fR"
    value = f"\\fI{escaped(flag.metavar)}\\fR"
    value = "" if not flag.metavar else f"[={value}]" if flag.optional else f" {value}"
    return ", ".join(f"\\fB{escaped(name)}\\fR{value}" for name in flag.names)


def sentence(flag: Flag) -> str:
    """The flag's help as sentences; the options of a pass follow."""
    text = flag.help[:1].upper() + flag.help[1:].rstrip(".") + "."
    return f"{text} Options: {', '.join(flag.options)}." if flag.options else text


def entry(head: str, text: str) -> list[str]:
    return [".TP", head, *wrapped(text)]


def wrapped(text: str) -> list[str]:
    """Lines that are short before anything is escaped; roff fills them anew."""
    return [escaped(line) for line in textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False)]


def epilog_parts(epilog: str) -> tuple[list[str], list[str]]:
    """What stands below --help: paragraphs, and lines with examples."""
    prose, _, shown = epilog.rpartition("examples:\n")  # without that line all is shown as it is, if a command is in it
    if "\n  " not in epilog:
        prose, shown = epilog, ""
    paragraphs = [" ".join(paragraph.split()) for paragraph in prose.split("\n\n") if paragraph.strip()]
    return paragraphs, shown.strip("\n").split("\n") if shown else []


if __name__ == "__main__":
    sys.exit(main())
