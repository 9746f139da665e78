"""What the tools share: reading input, exit codes, and how errors reach a person.

Exit codes: 0 all is well, 1 the input is wrong, 2 the command line is wrong, 3 a bug in tir (a reproducer is written).
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tir.dialects.all import REGISTRY
from tir.ir.errors import TirError, TirErrors, escape_controls, nearest, render
from tir.ir.ir import Op
from tir.parser.parse import decode_source, folder_of, parse_text, read_source
from tir.version import __version__

__all__ = ["CommandLineError", "Sources", "ToolParser", "read_input", "replacing", "run_tool", "write_output"]

OK, WRONG_INPUT, WRONG_COMMAND, BUG, INTERRUPTED = 0, 1, 2, 3, 130


class CommandLineError(Exception):
    """The command line is wrong; the text says how."""


@dataclass
class Sources:
    """The texts that were read, by file name: errors show their lines."""

    texts: dict[str, str] = field(default_factory=dict)

    def parse(self, text: str, file: str, first_line: int = 1, allow_unregistered: bool = False) -> Op:
        """The verified module of a text."""
        self.texts.setdefault(file, text)
        folder = None if file.startswith("<") else folder_of(file)
        return parse_text(
            text, REGISTRY, file=file, first_line=first_line, allow_unregistered=allow_unregistered, folder=folder
        )


class ToolParser(argparse.ArgumentParser):
    """argparse with our sentences: the nearest flag is named, abbreviations are refused."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=prog, description=description, epilog=epilog, allow_abbrev=False, exit_on_error=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        self.add_argument("--version", action="version", version=f"{prog} {__version__}")

    def error(self, message: str) -> None:  # type: ignore[override]
        raise CommandLineError(message)

    def parse(self, argv: Sequence[str], more_flags: Sequence[str] = ()) -> argparse.Namespace:
        """The arguments; CommandLineError names what is wrong and the nearest flag."""
        try:
            known, unknown = self.parse_known_args(argv)
        except argparse.ArgumentError as error:
            raise CommandLineError(str(error)) from None
        if unknown:
            flags = [*more_flags, *(flag for action in self._actions for flag in action.option_strings)]
            hint = nearest(unknown[0].partition("=")[0], flags)
            raise CommandLineError(f"unknown argument '{unknown[0]}'" + (f"; {hint}" if hint else ""))
        return known


def read_input(path: str) -> str:
    """The text of a file, or of standard input for `-`."""
    if path != "-":
        return read_source(path)
    return decode_source(sys.stdin.buffer, "<stdin>") if hasattr(sys.stdin, "buffer") else sys.stdin.read()


def write_output(text: str, path: str) -> None:
    """Writes to a file, or to standard output for `-`. A file appears whole or not at all."""
    if path == "-":
        sys.stdout.write(text)
        return
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A temporary file that takes the place of `path` at the end of the `with`; TirError if it cannot be written.

    A link stays, and the file that it leads to is replaced. A device or a pipe, such as /dev/stdout, is written to.
    """
    target = Path(path)
    if target.is_dir():
        raise TirError(f"cannot write {path}: it is a directory")
    in_place = target.exists() and not target.is_file()
    if not in_place:
        target = target.resolve()
    temporary = target if in_place else target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
        if not in_place:
            temporary.replace(target)
    except OSError as error:
        raise TirError(f"cannot write {path}: {error.strerror}") from None
    finally:
        if not in_place:
            temporary.unlink(missing_ok=True)


def run_tool(tool: str, argv: Sequence[str], body: Callable[[Sequence[str], Sources], int]) -> int:
    """Runs a tool's body and turns what it raises into a message and an exit code."""
    sources = Sources()
    try:
        code = body(argv, sources)
        sys.stdout.flush()
        return code
    except SystemExit as done:  # argparse's --help and --version
        return int(done.code or 0)
    except CommandLineError as error:
        text = escape_controls(str(error))
        print(f"{tool}: error: {text}{'' if text.endswith('?') else ';'} see `{tool} --help`", file=sys.stderr)
        return WRONG_COMMAND
    except TirError as error:
        print(_prefixed(tool, error, sources), file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print(f"{tool}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    except MemoryError:
        print(f"{tool}: error: out of memory", file=sys.stderr)
        return WRONG_INPUT
    except Exception as error:
        print(_report_bug(tool, argv, sources, error), file=sys.stderr)
        return BUG


def _prefixed(tool: str, error: TirError, sources: Sources) -> str:
    text = render(error, sources.texts)
    errors = error.errors if isinstance(error, TirErrors) else (error,)
    where = errors[0].location.file_location() if errors[0].location is not None else None
    return text if where is not None else f"{tool}: {text}"


def _report_bug(tool: str, argv: Sequence[str], sources: Sources, error: Exception) -> str:
    """Writes the input and the traceback to a file, and says so."""
    path = Path(f"{tool}-bug.tir-reproducer")
    lines = [f"// {tool} {' '.join(argv)}", f"// tir {__version__}, Python {sys.version.split()[0]}"]
    lines += [f"// {line}" for line in "".join(traceback.format_exception(error)).split("\n")]
    try:
        path.write_text("\n".join(lines) + "\n" + "\n".join(sources.texts.values()), encoding="utf-8")
        kept = f"; what led to it is in {path}"
    except OSError:
        kept = ""
    return escape_controls(f"{tool}: bug in tir: {type(error).__name__}: {error}{kept}")
