"""Writes docs/ops.md, passes.md and rewrites.md from docstrings and rules, docs/cli.md from the parsers of the tools.

The text of an op that docs/ops.md shows is the first in the test of its dialect's text, tests/lit/dialects/DIALECT.tir.

What docs/ops.md says of levels is out of docs/ops-status.json, which `make ops-status` writes; what docs/rewrites.md says
of proofs is out of docs/rules-status.json, which `make rules-status` writes.

`--check` only says whether they are up to date.

    python tools/gen_docs.py [--check]
"""

from __future__ import annotations

import inspect
import itertools
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tir.cli.reference import TOOLS, Flag, parser_of, pass_flags, topics, usage_of  # noqa: E402
from tir.dialects.all import DIALECTS, REGISTRY  # noqa: E402
from tir.dialects.tir.base import TensorOp  # noqa: E402
from tir.ir.ir import Op  # noqa: E402
from tir.ir.pass_options import pass_options  # noqa: E402
from tir.ir.printer import print_op  # noqa: E402
from tir.parser.parse import parse_text  # noqa: E402
from tir.passes.pipelines import PASSES, PIPELINES  # noqa: E402
from tools.gen_ops_table import gradient_text, lowering_text, table  # noqa: E402
from tools.gen_rewrites import rewrites_page  # noqa: E402

EXAMPLES = ROOT / "tests" / "lit" / "dialects"
NOTE = "<!-- Written by tools/gen_docs.py from the docstrings: change those, then run `make docs`. -->\n"


def main() -> int:
    """Writes or checks the pages; 1 if a page is not up to date."""
    pages = {"ops.md": ops_page(), "passes.md": passes_page(), "rewrites.md": rewrites_page(NOTE), "cli.md": cli_page()}
    stale = [name for name, text in pages.items() if read(name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is not up to date: run `make docs`")
        return 1 if stale else 0
    for name in stale:
        (ROOT / "docs" / name).write_text(pages[name], encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def read(name: str) -> str | None:
    path = ROOT / "docs" / name
    return path.read_text(encoding="utf-8") if path.exists() else None


# --- ops -------------------------------------------------------------------------------------------------------------


def ops_page() -> str:
    lines = ["# Ops", "", NOTE]
    lines += [
        "The `tir` dialect is the tensor level. The others have upstream MLIR's names, operands, attributes and meaning;",
        "what is said of them here is what the interpreter and the CPU code do, also where upstream leaves it undefined.",
        "",
    ]
    lines += table()
    for dialect in sorted(DIALECTS.values(), key=lambda d: (d.name != "tir", d.name)):
        lines += [f"## {dialect.name}", "", dialect.summary, ""]
        shown = examples(dialect.name)
        for op in dialect.ops:
            lines += op_lines(op, shown[op.name])
    return "\n".join(lines)


def op_lines(op: type[Op], example: Sequence[str]) -> list[str]:
    lines = [f"### {op.name}", "", inspect.cleandoc(op.__doc__ or ""), ""]
    lines += [*(f"    {line}" for line in example), ""]
    signature = [*field_lines(op)]
    if issubclass(op, TensorOp):
        signature.append(f"- gradient: {gradient_text(op)}; levels below: {lowering_text(op)}")
    return lines + (signature + [""] if signature else [])


def examples(dialect: str, text: str | None = None) -> dict[str, list[str]]:
    """The text of one op of each name, as tir prints it, out of the test of the dialect's text, or of another text.

    It is the first there; of ops with regions, such as functions, the shortest. A result without a name is called %r, not
    by a number, which every op in front would change.
    """
    path = EXAMPLES / f"{dialect}.tir"
    module = parse_text(path.read_text(encoding="utf-8") if text is None else text, REGISTRY, file=str(path))
    starts: dict[Op, int] = {}
    lines = print_op(module, lines=starts).splitlines()
    found: dict[str, list[str]] = {}
    for op, start in starts.items():
        text = lines_of(op, lines[start:])
        if op.name not in found or op.regions and len(text) < len(found[op.name]):
            found[op.name] = text
    return found


def lines_of(op: Op, lines: Sequence[str]) -> list[str]:
    """The lines of the op at the start of these, without their indentation."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    inside = rf" {{{indent}}}( |\}}|\^)" if op.regions else r"$^"
    more = itertools.takewhile(lambda line: re.match(inside, line), lines[1:])
    return [re.sub(r"^%\d+", "%r", lines[0][indent:]), *(line[indent:] for line in more)]


def field_lines(op: type[Op]) -> list[str]:
    d = op.definition
    lines = [f"- operand `{f.name}`{many(f.many)}: {f.kind.text}" for f in d.operands]
    for f in d.attributes.values():
        default = f", `{f.default}` if not given" if f.default is not None else ""
        lines.append(f"- attribute `{f.name}`{many(f.many)}: {f.kind.text}{default}")
    return lines + [f"- result `{f.name}`{many(f.many)}: {f.kind.text}" for f in d.results]


def many(mark: str) -> str:
    return {"": "", "?": " (optional)", "*": " (any number)"}[mark]


# --- passes ----------------------------------------------------------------------------------------------------------


def passes_page() -> str:
    lines = ["# Passes", "", NOTE, "Flags of `tir-opt`, in the order in which they are given.", ""]
    for name in sorted(PASSES):
        lines += described(name, PASSES[name])
    lines += ["The rules of the passes that rewrite are in [rewrites.md](rewrites.md).", "", "## Pipelines", ""]
    for name, make in PIPELINES.items():
        lines += [f"### --{name}", "", inspect.cleandoc(make.__doc__ or ""), "", f"`{make()}`", ""]
    return "\n".join(lines)


def described(name: str, make: Callable[..., object]) -> list[str]:
    lines = [f"## --{name}", "", inspect.cleandoc(make.__doc__ or ""), ""]
    options = pass_options(make)
    return lines + [f"- option `{o}`, `{str(v).lower()}` if not given" for o, v in options.items()] + [""] * bool(options)


# --- the command line ------------------------------------------------------------------------------------------------

CLI_NOTE = "<!-- Written by tools/gen_docs.py from the parsers of the tools: change those, then run `make docs`. -->\n"


def cli_page() -> str:
    lines = ["# Command line", "", CLI_NOTE]
    lines += [
        "Every flag of every tool, as `--help` groups them. A value in brackets, `[=VALUE]`, may be left out and follows an",
        "equals sign alone; any other may also be the next word. [tools.md](tools.md) explains the tools with examples.",
        "",
    ]
    for tool in TOOLS:
        lines += tool_lines(tool)
    return "\n".join(lines)


def tool_lines(tool: str) -> list[str]:
    parser = parser_of(tool)
    lines = [f"## {tool}", "", f"    {usage_of(parser)}", "", parser.description or "", ""]
    for topic in topics(parser):
        lines += [f"### {tool}: {topic.title}", ""] + [topic.description, ""] * bool(topic.description)
        lines += [*map(flag_line, topic.flags), ""]
    if tool == "tir-opt":
        lines += [f"### {tool}: passes and pipelines, in the order of the flags", ""]
        lines += ["[passes.md](passes.md) says what each of them does.", "", *map(flag_line, pass_flags()), ""]
    return lines


def flag_line(flag: Flag) -> str:
    options = ". Options: " + ", ".join(f"`{option}`" for option in flag.options) if flag.options else ""
    return f"- `{flag.usage}`: {flag.help.rstrip('.')}{options}"


if __name__ == "__main__":
    sys.exit(main())
