"""tir-lsp: the language server for .tir files, on standard input and output."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tir.cli.common import OK, WRONG_INPUT, CommandLineError, Sources, ToolParser, run_tool

try:
    from tir.lsp import server
except ModuleNotFoundError as error:  # pygls comes with an extra
    if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol", "cattrs", "attrs", "attr"):
        raise
    server = None  # type: ignore[assignment]

__all__ = ["main"]

EPILOG = """\
An editor starts it; docs/editors.md says how to tell yours. It speaks the language server protocol: mistakes while you
type, definitions and uses, types and documentation, completion, renaming, outline.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The tool; returns its exit code."""
    return run_tool("tir-lsp", sys.argv[1:] if argv is None else argv, _run)


def _run(argv: Sequence[str], sources: Sources) -> int:
    _parser().parse(argv)
    if server is None:
        raise CommandLineError("pygls is not installed: pip install 'tir-compiler[lsp]'")
    return OK if server.serve() else WRONG_INPUT


def _parser() -> ToolParser:
    parser = ToolParser("tir-lsp", "The language server for .tir files.", EPILOG)
    parser.add_argument("--stdio", action="store_true", help="speak on standard input and output, as it always does")
    return parser
