"""Runs the RUN lines of a lit test in this process, without starting the tools anew for each line.

A line is read by lit's own parser, so it means here what it means under `lit tests/lit`: pipes (a failure anywhere
fails the line), `not`, `<`, `>`, `>>`, `2>`, `2>&1`, `&&`, `;`, a `\\` at the line's end, `%s`, `%S`, `%t`, `%%`.
`tir-opt`, `tir-reduce`, `tir-run`, `tir-translate` and FileCheck run inside this process; any other command is started as a process.

One difference is on purpose: an exception that leaves a tool fails the test even under `not`. A traceback is never the
right answer to bad input.

Not supported: lit's keywords other than RUN, shell variables, globs.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filecheck.main import main as filecheck_main
from lit.ShCommands import Command, Pipeline, Seq
from lit.ShUtil import ShParser

ROOT = Path(__file__).resolve().parent.parent
LIT_ROOT = ROOT / "tests" / "lit"
EXCLUDED_FOLDERS = ("Inputs", "Output")  # also in lit.cfg.py, which cannot import this file; a test compares them
CRASHED = -1

RUN_LINE = re.compile(r"//\s*RUN:(.*)")
OTHER_KEYWORD = re.compile(r"//\s*(XFAIL|REQUIRES|UNSUPPORTED|DEFINE|REDEFINE|END)[:.]")


class LitError(Exception):
    """A lit file, not a tool, is wrong: no RUN line, or something that this runner does not support."""


@dataclass
class Step:
    """What one command of a pipeline did. `code` is the command's own, before a `not` turns it round."""

    args: list[str]
    code: int
    stdout: bytes
    stderr: bytes
    negated: bool = False

    @property
    def ok(self) -> bool:
        return self.code != CRASHED and (self.code != 0) == self.negated

    def __str__(self) -> str:
        wanted = "failure" if self.negated else "success"
        got = "a crash" if self.code == CRASHED else f"exit code {self.code}"
        return f"$ {' '.join(self.args)}\n  {got}, {wanted} wanted\n{self.stderr.decode('utf-8', 'replace')}"


@dataclass
class Outcome:
    """The steps of one RUN line, in order."""

    line: str
    steps: list[Step] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(step.ok for step in self.steps)

    def __str__(self) -> str:
        return f"RUN: {self.line}\n" + "\n".join(str(step) for step in self.steps)


def discover(root: Path = LIT_ROOT) -> list[Path]:
    """Every test file under `root`, sorted; files in `Inputs` folders are inputs of tests, not tests."""
    return sorted(path for path in root.rglob("*.tir") if not set(path.relative_to(root).parts) & set(EXCLUDED_FOLDERS))


def run_lines(path: Path) -> list[str]:
    """The commands of the file's RUN lines, continued lines joined, before `%s` and its like are replaced."""
    text = path.read_text(encoding="utf-8")
    if keyword := OTHER_KEYWORD.search(text):
        raise LitError(f"{path}: {keyword[1]} is not supported by the in-process runner")
    lines: list[str] = []
    continued = ""
    for match in RUN_LINE.finditer(text):
        line = continued + match[1].strip()
        continued = line[:-1] if line.endswith("\\") else ""
        if not continued:
            lines.append(line)
    if continued:
        raise LitError(f"{path}: the last RUN line ends with a backslash")
    if not lines:
        raise LitError(f"{path}: no RUN line")
    return lines


def substitute(line: str, path: Path, temporary: Path) -> str:
    """`line` with `%s` (the file), `%S` (its folder), `%t` (a name for temporary files) and `%%` replaced."""
    values = {"s": str(path), "S": str(path.parent), "t": str(temporary), "%": "%"}
    return re.sub(r"%([sSt%])", lambda match: values[match[1]], line)


def run_file(path: Path, folder: Path) -> Iterator[Outcome]:
    """Runs the RUN lines of `path` in turn, in the current directory; temporary files go to `folder`.

    The caller stops at the first outcome that is not ok, as lit does.
    """
    for line in run_lines(path):
        outcome = run_line(substitute(line, path, folder / f"{path.name}.tmp"))
        outcome.line = line
        yield outcome


def run_line(line: str) -> Outcome:
    """Runs a command line in the current directory; the examples of docs/ use it, too."""
    outcome = Outcome(line)
    _run(ShParser(line, pipefail=True).parse(), outcome)
    return outcome


def _run(command: Seq | Pipeline, outcome: Outcome) -> bool:
    """Runs `a && b`, `a ; b` or a pipeline, adding its steps to `outcome`; whether it succeeded."""
    if isinstance(command, Pipeline):
        return _run_pipeline(command, outcome)
    if command.op not in ("&&", ";"):
        raise LitError(f"RUN: {outcome.line}: {command.op!r} is not supported by the in-process runner")
    succeeded = _run(command.lhs, outcome)
    return _run(command.rhs, outcome) if succeeded or command.op == ";" else False


def _run_pipeline(pipeline: Pipeline, outcome: Outcome) -> bool:
    if pipeline.negate:
        raise LitError(f"RUN: {outcome.line}: write 'not' in place of '!'")
    data = b""
    succeeded = True
    for command in pipeline.commands:
        step = _run_command(command, data)
        outcome.steps.append(step)
        data = step.stdout
        succeeded = succeeded and step.ok
    return succeeded


def _run_command(command: Command, data: bytes) -> Step:
    args = [str(arg) for arg in command.args]
    negated = False
    while args[0] == "not":
        args, negated = args[1:], not negated
    streams = _Redirects(command)
    if streams.stdin is not None:
        data = streams.stdin.read_bytes()
    step = _run_tool(args, data, streams.merge)
    step.negated = negated
    streams.write(step)
    return step


class _Redirects:
    """The `<`, `>`, `>>`, `2>` and `2>&1` of one command."""

    def __init__(self, command: Command):
        self.stdin: Path | None = None
        self.merge = False
        self.outputs: list[tuple[str, str, Path]] = []  # (stream, mode, file)
        for operator, target in command.redirects:
            self._add(tuple(operator), str(target))

    def _add(self, operator: tuple[str, ...], target: str) -> None:
        if operator == ("<",):
            self.stdin = Path(target)
        elif operator == (">&", 2) and target == "1":
            self.merge = True
        elif operator in ((">",), (">>",)):
            self.outputs.append(("stdout", "ab" if operator[0] == ">>" else "wb", Path(target)))
        elif operator in ((">", 2), (">>", 2)):
            self.outputs.append(("stderr", "ab" if operator[0] == ">>" else "wb", Path(target)))
        else:
            raise LitError(f"redirection {operator} to {target} is not supported by the in-process runner")

    def write(self, step: Step) -> None:
        """Moves the redirected output of `step` to its files."""
        for stream, mode, path in self.outputs:
            with open(path, mode) as file:
                file.write(step.stdout if stream == "stdout" else step.stderr)
            if stream == "stdout":
                step.stdout = b""


def _run_tool(args: list[str], data: bytes, merge: bool) -> Step:
    name, arguments = args[0], args[1:]
    if name in ("FileCheck", "filecheck"):
        return _call(args, lambda: filecheck_main(["filecheck", *arguments]), data, merge)
    if name in ("tir-opt", "tir-reduce", "tir-run", "tir-translate"):
        module = importlib.import_module(f"tir.cli.{name.removeprefix('tir-')}")
        return _call(args, lambda: module.main(arguments), data, merge)
    done = subprocess.run(args, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT if merge else subprocess.PIPE, env=environment(), check=False)
    return Step(args, done.returncode, done.stdout, done.stderr or b"")


def environment() -> dict[str, str]:
    """The environment in which both this runner and lit start processes: our tools and this Python's come first."""
    path = os.pathsep.join([str(ROOT / "tools"), str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path}


def _call(args: list[str], main: Callable[[], int | None], data: bytes, merge: bool) -> Step:
    """Runs a tool's main function with its standard streams replaced."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = out if merge else io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _exit_code(main)
    finally:
        sys.stdin = before
    return Step(args, code, out.buffer.getvalue(), b"" if merge else err.buffer.getvalue())


def _exit_code(main: Callable[[], int | None]) -> int:
    try:
        return int(main() or 0)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception:
        traceback.print_exc()
        return CRASHED
