"""What the tools share: reading input, exit codes, and how errors reach a person.

Exit codes: 0 all is well, 1 the input is wrong, 2 the command line is wrong, 3 a bug in tir (a reproducer is written).
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

from tir.dialects.all import REGISTRY
from tir.ir.errors import Renderer, TirError, TirErrors, TirWarning, escape_controls, nearest, warnings_to
from tir.ir.ir import Op
from tir.ir.source_files import decode_source, read_source
from tir.lazy import TYPE_CHECKING, LazyModule
from tir.parser.parse import folder_of, parse_text
from tir.version import __version__

if TYPE_CHECKING:
    from tir.cli import completion
else:
    completion = LazyModule("tir.cli.completion")

__all__ = [
    "BugReported", "CommandLineError", "Sources", "ToolParser", "read_input", "refuse_same_files", "refuse_unwritable",
    "refuse_unwritable_folder", "replacing", "run_tool", "wants_colour", "write_output",
]  # fmt: skip

SHELLS = ("bash", "zsh", "fish")
COLOUR_CHOICES = ("auto", "always", "never")
OK, WRONG_INPUT, WRONG_COMMAND, BUG, INTERRUPTED = 0, 1, 2, 3, 130


class CommandLineError(Exception):
    """The command line is wrong; the text says how."""


class BugReported(Exception):
    """A bug in tir, for which all that is needed to repeat it has been written; the text says so. notes: lines for below."""

    def __init__(self, text: str, *notes: str) -> None:
        super().__init__(text)
        self.notes = notes


@dataclass
class Sources:
    """The texts that were read, by file name: errors show their lines. colour: whether standard error takes colours."""

    texts: dict[str, str] = field(default_factory=dict)
    colour: bool = False

    def parse(self, text: str, file: str, first_line: int = 1, allow_unregistered: bool = False) -> Op:
        """The verified module of a text."""
        self.texts.setdefault(file, text)
        folder = None if file.startswith("<") else folder_of(file)
        return parse_text(
            text, REGISTRY, file=file, first_line=first_line, allow_unregistered=allow_unregistered, folder=folder
        )

    def warn(self, warning: TirWarning) -> None:
        """Prints the warning on standard error, with the line that it is about."""
        lines = Renderer(self.texts, self.colour).diagnostic("warning", warning.message, warning.location)
        sys.stderr.write("\n".join(lines) + "\n")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """A value that may be left out is shown as it is written: `--color[=WHEN]`."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if action.nargs != "?" or not action.option_strings:
            return super()._format_action_invocation(action)
        return ", ".join(f"{flag}[={action.metavar}]" for flag in action.option_strings)


class _StoreOnce(argparse._StoreAction):
    """A flag with one value may come again, but not with another value: nothing says which of the two is meant.

    The namespace's `given` has the flags of the command line and their values. That of --color may be overruled, since
    it often stands in an alias of the shell.
    """

    def __call__(self, parser: object, namespace: argparse.Namespace, values: Any, flag: str | None = None) -> None:
        if flag is not None:
            before = namespace.given.setdefault(self.dest, values)
            if before != values and self.dest != "color":
                raise CommandLineError(f"{flag} is given twice, with {_quoted(before)} and {_quoted(values)}")
        super().__call__(parser, namespace, values, flag)  # type: ignore[arg-type]


def _quoted(value: object) -> str:
    """A value as it is written on the command line."""
    text = ",".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text[:40]}'"


class _PrintCompletion(argparse.Action):
    """--completion: prints the script and ends, as --help does."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: object, shell: Any, flag: object = None) -> NoReturn:
        sys.stdout.write(completion.completion_script(parser, shell))
        parser.exit()


class ToolParser(argparse.ArgumentParser):
    """argparse with our sentences: the nearest flag is named, abbreviations are refused.

    elsewhere: flags of tools of the same kind, and what they are called here.
    """

    elsewhere: Mapping[str, str] = {}

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=prog, description=description, epilog=epilog, allow_abbrev=False, exit_on_error=False,
            formatter_class=_HelpFormatter,
        )  # fmt: skip
        self._optionals.title = "general"
        self.register("action", None, _StoreOnce)
        self.register("action", "store", _StoreOnce)
        self.add_argument("--version", action="version", version=f"{prog} {__version__}")
        self.add_argument(
            "--color", nargs="?", choices=COLOUR_CHOICES, const="always", default="auto", metavar="|".join(COLOUR_CHOICES),
            help="colours in messages: auto (on a terminal; the default), always (also without a value) or never",
        )  # fmt: skip
        self.add_argument(
            "--completion", action=_PrintCompletion, choices=SHELLS, metavar="|".join(SHELLS),
            help="print a script that completes the flags of this tool in that shell, and end",
        )  # fmt: skip

    def error(self, message: str) -> None:  # type: ignore[override]
        raise CommandLineError(message)

    def parse(self, argv: Sequence[str], more_flags: Sequence[str] = ()) -> argparse.Namespace:
        """The arguments; CommandLineError names what is wrong and the nearest flag."""
        try:
            known, unknown = self.parse_known_args(self._completed(argv), argparse.Namespace(given={}))
        except argparse.ArgumentError as error:
            raise CommandLineError(self._sentence(error)) from None
        if unknown:
            flags = [*more_flags, *(flag for action in self._actions for flag in action.option_strings)]
            name = unknown[0].partition("=")[0]
            here = self.elsewhere.get(name)
            hint = f"here it is '{here}'" if here is not None else nearest(name, flags)
            raise CommandLineError(f"unknown argument '{unknown[0]}'" + (f"; {hint}" if hint else ""))
        values = {action.dest: (getattr(known, action.dest, None), action.default) for action in self._actions}
        known.given |= {name: value for name, (value, default) in values.items() if value != default}
        return known

    def _sentence(self, error: argparse.ArgumentError) -> str:
        """What argparse says of a value, with what the flag takes and the nearest of that."""
        flags = (error.argument_name or "").split("/")
        action = next((one for one in self._actions if flags[0] in one.option_strings), None)
        got = error.message.partition(":")[2].partition("(")[0].strip(" '\"")
        if action is None:
            return str(error)
        if error.message.startswith("expected one argument"):
            return f"argument {error.argument_name}: expected one argument, {action.metavar or 'a value'}"
        if error.message.startswith("ignored explicit argument"):
            return f"argument {error.argument_name}: it takes no value, got {error.message.rpartition('argument ')[2]}"
        if action.choices is None or not error.message.startswith("invalid choice"):
            return str(error)
        choices = [str(choice) for choice in action.choices]
        hint = nearest(got, choices)
        rule = f"must be {', '.join(choices[:-1])} or {choices[-1]}, got '{got}'"
        return f"argument {error.argument_name}: {rule}" + (f"; {hint}" if hint else "")

    def _completed(self, argv: Sequence[str]) -> list[str]:
        """A flag whose value may be left out (`nargs="?"`) takes one behind `=` alone: the next word is the input."""
        alone = {flag: action.const for action in self._actions if action.nargs == "?" for flag in action.option_strings}
        end = argv.index("--") if "--" in argv else len(argv)
        given = [f"{word}={alone[word]}" if word in alone else word for word in argv[:end]]
        return [*given, *argv[end:]]


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


def refuse_same_files(source: str, outputs: Mapping[str, str | None], output: str = "-") -> None:
    """CommandLineError if a flag of `outputs` would overwrite the input, or if two of them, or -o, name one file."""
    written = {os.path.realpath(output): "-o"} if output != "-" else {}
    for flag, path in outputs.items():
        if path is None or path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
            continue
        real = os.path.realpath(path)
        if source != "-" and real == os.path.realpath(source):
            raise CommandLineError(f"{flag}: {path} is the input, which would be lost")
        if real in written:
            raise CommandLineError(f"{written[real]} and {flag} name the same file, {path}")
        written[real] = flag


def refuse_unwritable(outputs: Mapping[str, str | None]) -> None:
    """CommandLineError if a flag of `outputs` names a file that cannot be written, which is said before the work."""
    for flag, path in outputs.items():
        problem = _why_unwritable(path) if path is not None and path != "-" else None
        if problem is not None:
            raise CommandLineError(f"{flag}: cannot write {path}: {problem}")


def refuse_unwritable_folder(flag: str, path: str) -> None:
    """CommandLineError if files cannot be written into the folder, which is made later if it is not there."""
    folder = Path(path).absolute()
    try:
        there = next(one for one in (folder, *folder.parents) if one.exists())
        problem = _why_unwritable(str(there / "x")) if there.is_dir() else f"{there} is not a directory"
    except OSError as error:
        problem = error.strerror
    if problem is not None:
        raise CommandLineError(f"{flag}: cannot make the folder {path}: {problem}")


def _why_unwritable(path: str) -> str | None:
    """What stands against `replacing(path)`; None if nothing does. Rights say less than trying: a disk may be read-only."""
    target = Path(path)
    try:
        if target.is_dir():
            return "it is a directory"
        if target.exists() and not target.is_file():
            return None if os.access(target, os.W_OK) else os.strerror(errno.EACCES)
        temporary = _temporary(target.resolve())
        temporary.touch()
        temporary.unlink()
    except OSError as error:
        return error.strerror
    return None


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


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
    temporary = target if in_place else _temporary(target)
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


def wants_colour(choice: str, stream: TextIO) -> bool:
    """Whether to print colours on a stream: `choice` is that of --color, then the environment has a say.

    NO_COLOR (https://no-color.org) wins over FORCE_COLOR and CLICOLOR_FORCE, which win over what the stream is.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("CLICOLOR") == "0":
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return os.environ.get("TERM", "") not in ("", "dumb") and stream.isatty()


def _colour_choice(argv: Sequence[str]) -> str:
    """What --color says, before the command line is read: it may be wrong, and the message wants a colour."""
    given = {f"--color={choice}": choice for choice in COLOUR_CHOICES} | {"--color": "always"}
    return next((given[word] for word in reversed(argv) if word in given), "auto")


def run_tool(tool: str, argv: Sequence[str], body: Callable[[Sequence[str], Sources], int]) -> int:
    """Runs a tool's body and turns what it raises into a message and an exit code."""
    sources = Sources(colour=wants_colour(_colour_choice(argv), sys.stderr))
    head = Renderer(colour=sources.colour).head
    try:
        for stream, what in ((sys.stdin, "input"), (sys.stdout, "output")):
            if stream is None:
                raise TirError(f"standard {what} is closed")
        with warnings_to(sources.warn):
            code = body(argv, sources)
        sys.stdout.flush()
        return code
    except SystemExit as done:  # argparse's --help and --version
        return int(done.code or 0)
    except CommandLineError as error:
        text = str(error)
        text = f"{text}{'' if text.endswith('?') else ';'} see `{tool} --help`"
        print(head(tool, "error", text), file=sys.stderr)
        return WRONG_COMMAND
    except TirError as error:
        print(_rendered(tool, error, sources), file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print(f"{tool}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    except MemoryError:
        print(head(tool, "error", "out of memory"), file=sys.stderr)
        return WRONG_INPUT
    except OSError as error:  # files report their own: what is left is standard input and output
        print(head(tool, "error", f"cannot read or write: {error.strerror or error}"), file=sys.stderr)
        sys.stdout.close()
        return WRONG_INPUT
    except BugReported as bug:
        print("\n".join([head(tool, "error", str(bug)), *bug.notes]), file=sys.stderr)
        return BUG
    except Exception as error:
        print(_report_bug(tool, argv, sources, error), file=sys.stderr)
        return BUG


def _rendered(tool: str, error: TirError, sources: Sources) -> str:
    """The text of all errors; those without a place begin with the tool's name."""
    renderer = Renderer(sources.texts, sources.colour)
    lines: list[str] = []
    for one in error.errors if isinstance(error, TirErrors) else (error,):
        lines += renderer.error(one, tool)
    return "\n".join(lines)


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
