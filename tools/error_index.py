#!/usr/bin/env python3
"""Compares docs/errors.md with the error messages in tir/: each stands in the index, and nothing else does.

    python tools/error_index.py            # what is missing and what is stale
    python tools/error_index.py --list     # all messages, by file

A message is what the source says, with `{..}` for each part that differs from case to case. They are collected from the
calls that make errors (`TirError(..)`, `SizeRule(..)`, `self.error(..)`, `fail(op, ..)`, any `_.._error(..)`) and from
variables called `message` or `problem`. Some begin with the name of the op, `tir.dot: `, which `fail` puts there.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "docs" / "errors.md"
ENTRY = re.compile(r"^- (?:``(.+)``|`([^`\n]+)`)$", re.MULTILINE)

#: Calls whose first text argument is a message. Errors of other kinds (AssertionError, ..) are bugs in tir, not messages.
MAKERS = frozenset((
    "TirError", "ParseError", "VerifyError", "PassError", "ExecutionError", "LimitError", "CommandLineError", "CodegenError",
    "ElfError", "ExpressionError", "MisusedValue", "NoSuchNameError", "RuleMistake", "SizeRule", "UnknownYetError",
    "ArgumentTypeError", "PassBug", "GraphTypeError", "GraphValueError", "GradientError", "DisconnectedInputError",
    "NotScalarConstantError", "Refusal", "ScheduleError", "Undone", "error", "fail", "limit", "_fail_use",
))  # fmt: skip
#: Calls whose text argument says what was expected: `expected {..}, got {..}`.
EXPECTING = frozenset(("expected",))
#: Names of variables that hold a message before it is raised.
VARIABLES = frozenset(("message", "problem"))


def pattern_of(node: ast.expr) -> str | None:
    """The text of a string or f-string, with `{..}` for what is put in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{..}" for part in node.values]
        return re.sub(r"(?:\{\.\.\})+", "{..}", "".join(map(str, parts)))
    return None


def messages(tree: ast.AST) -> Iterator[str]:
    """The messages in a file, in no order."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in VARIABLES for t in node.targets):
            yield from _texts(node.value)


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in MAKERS and name not in EXPECTING and not (name.startswith("_") and name.endswith("error")):
        return
    for argument in node.args[:1] if name in EXPECTING else node.args:
        texts = list(_texts(argument))
        if texts:
            yield from (f"expected {text}, got {{..}}" if name in EXPECTING else text for text in texts)
            return


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _texts(node.left)
    elif (text := pattern_of(node)) is not None and _is_message(text):
        yield text


def _is_message(text: str) -> bool:
    """Not the file name or label that a call has beside its message."""
    words = text.replace("{..}", "")
    return " " in text.strip() and re.search(r"[a-z]{2}", words) is not None


def collected() -> dict[str, set[str]]:
    """message -> the files that can say it."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tir").rglob("*.py")):
        for text in messages(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(text.replace("\n", " "), set()).add(str(path.relative_to(ROOT)))
    return found


def indexed(page: str) -> list[str]:
    """The messages of the index."""
    return [(found[1] or found[2]).strip() for found in ENTRY.finditer(page)]


def main() -> int:
    found = collected()
    if "--list" in sys.argv:
        for text, files in sorted(found.items(), key=lambda item: (sorted(item[1]), item[0])):
            print(f"{sorted(files)[0]}\t{text}")
        return 0
    entries = indexed(INDEX.read_text(encoding="utf-8"))
    missing, stale = sorted(set(found) - set(entries)), sorted(set(entries) - set(found))
    for text in missing:
        print(f"missing: {text}   ({', '.join(sorted(found[text]))})")
    for text in stale:
        print(f"stale: {text}")
    return int(bool(missing or stale))


if __name__ == "__main__":
    sys.exit(main())
