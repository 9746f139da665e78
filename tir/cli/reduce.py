"""tir-reduce: makes a module smaller as long as a test command finds it interesting."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tir.cli.common import OK, CommandLineError, Sources, ToolParser, read_input, refuse_unwritable, run_tool, write_output
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.reducer import Progress, Reduction
from tir.reducer.driver import count_ops

__all__ = ["main"]

INTERRUPTED = 130
DESCRIPTION = "Makes a module smaller, and keeps what a test command finds interesting (delta debugging)."
EPILOG = """\
The test command gets the name of a .tir file as its last argument. Exit code 0 means that the file is interesting, as
for creduce and llvm-reduce; --interesting-exit says otherwise. It is run without a shell, in the current folder.

examples:
  tir-reduce --test='grep -q tir.exp' model.tir -o small.tir
  tir-reduce --test=./crashes.sh model.tir -o small.tir           a script with the file as $1
  tir-reduce --test='tir-opt --fuse --lower-cpu' --interesting-exit=3 model.tir -o small.tir
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The tool; returns its exit code."""
    return run_tool("tir-reduce", sys.argv[1:] if argv is None else argv, _run)


def _run(argv: Sequence[str], sources: Sources) -> int:
    options = _parser().parse(argv)
    command = _command(options.test)
    refuse_unwritable({"-o": options.output})
    text = read_input(options.input)
    file = "<stdin>" if options.input == "-" else options.input
    module = sources.parse(text, file, 1, options.allow_unregistered_dialect)
    with tempfile.TemporaryDirectory(prefix="tir-reduce-") as folder:
        path = Path(folder) / "candidate.tir"
        test = _Test(command, path, options.interesting_exit, options.timeout, options.print_generic)
        if not test(module.clone()):
            raise TirError(f"the test does not find {file} interesting: {test.said}; wanted is {test.wanted_text}")
        return _reduce(module, test, options)


def _reduce(module: Op, test: _Test, options: argparse.Namespace) -> int:
    """Reduces and writes; Ctrl-C leaves what there is so far."""
    start, ops = time.monotonic(), count_ops(module)
    reduction = Reduction(
        module, test, options.max_tests, options.time_limit, lambda best, progress: _improved(best, progress, options)
    )
    interrupted = False
    try:
        reduction.run()
    except KeyboardInterrupt:
        interrupted = True
    write_output(_text(reduction.best, options.print_generic), options.output)
    left = f"{count_ops(reduction.best)} of {ops} ops left, {reduction.tests} tests, {time.monotonic() - start:.1f} s"
    why = "interrupted: " if interrupted else "stopped at the limit: " if reduction.stopped else ""
    sys.stderr.write(f"tir-reduce: {why}{left}\n")
    return INTERRUPTED if interrupted else OK


def _improved(best: Op, progress: Progress, options: argparse.Namespace) -> None:
    """The best so far is always in the output file."""
    if options.output != "-":
        write_output(_text(best, options.print_generic), options.output)
    if not options.quiet:
        sys.stderr.write(f"tir-reduce: test {progress.tests}: {progress.ops} ops left ({progress.edit})\n")


def _text(module: Op, generic: bool) -> str:
    return print_op(module, generic=generic).rstrip("\n") + "\n"


# --- the test --------------------------------------------------------------------------------------------------------


@dataclass
class _Test:
    """The test command. wanted: the exit code of what is interesting, None for any but 0. said: how it went last."""

    command: Sequence[str]
    path: Path
    wanted: int | None
    timeout: float
    generic: bool
    said: str = ""

    @property
    def wanted_text(self) -> str:
        return "any exit code but 0" if self.wanted is None else f"exit code {self.wanted}"

    def __call__(self, module: Op) -> bool:
        self.path.write_text(_text(module, self.generic), encoding="utf-8")
        code = self._exit_code()
        self.said = f"no end within {self.timeout:g} s" if code is None else f"exit code {code}"
        return code is not None and (code != 0 if self.wanted is None else code == self.wanted)

    def _exit_code(self) -> int | None:
        """None if it takes too long. All that the command has started ends with it."""
        try:
            process = subprocess.Popen(
                [*self.command, str(self.path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise CommandLineError(f"--test: cannot run {self.command[0]}: {error.strerror}") from None
        try:
            return process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and its children: they are a group of their own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _command(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise CommandLineError(f"--test: {str(error).lower()} in '{text[:60]}'") from None
    if not words:
        raise CommandLineError("--test: the command is empty")
    return words


# --- the command line ------------------------------------------------------------------------------------------------


def _parser() -> ToolParser:
    parser = ToolParser("tir-reduce", DESCRIPTION, EPILOG)
    parser.usage = "tir-reduce --test=COMMAND [flags] [FILE]"
    add = parser.add_argument_group("input and output").add_argument
    add("input", nargs="?", default="-", metavar="FILE", help="the .tir file; standard input without it or for -")
    add("-o", dest="output", default="-", metavar="FILE",
        help="write there instead of to standard output; it always has the smallest module so far")
    add("--allow-unregistered-dialect", action="store_true", help="accept unknown ops in generic form")
    add("--print-generic", action="store_true", help="write MLIR's generic form, for the test too")
    add("--quiet", action="store_true", help="print no progress, only how much is left in the end")
    add = parser.add_argument_group("test").add_argument
    add("--test", required=True, metavar="COMMAND", help="the command; a .tir file is added as its last argument")
    add("--interesting-exit", type=_exit_code, default=0, metavar="CODE|nonzero",
        help="the exit code that says that the file is interesting (0), or nonzero for any other")
    add("--timeout", type=_seconds, default=10.0, metavar="SECONDS",
        help="a test that takes longer is ended, and what it was run on is not interesting (10)")
    add("--max-tests", type=_count, metavar="N", help="stop behind N tests")
    add("--time-limit", type=_seconds, metavar="SECONDS", help="stop behind so many seconds")
    return parser


def _exit_code(text: str) -> int | None:
    if text == "nonzero":
        return None
    if not (text.isascii() and text.isdigit() and int(text) < 256):
        raise argparse.ArgumentTypeError(f"must be 0 to 255 or nonzero, got '{text[:40]}'")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got '{text[:40]}'")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"must be an integer, 0 or more, got '{text[:40]}'")
    return int(text)
