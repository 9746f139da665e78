"""Runs the examples of the documentation and compares what they print. `--update` writes what they print into the pages.

    python tools/doc_examples.py [--update] [docs/overview.md ..]

A page's fenced blocks are run in order, in a folder of its own that looks like the project root:

    console              lines `$ command`, each followed by what it prints; a line `...` stands for any lines, `...`
                         inside a line for any text
    python               a program of its own; the `text` block behind it, if there is one, is what it prints
    mlir                 a module that parses and verifies; `mlir fragment` is a part of one, of which only the form
                         and the names of the ops are checked; `mlir wrong` is refused, and the `text` block behind it
                         is what is said about the file model.tir
    diff                 a change of the file named by its first line `--- FILE`; hunks are separated by `@@`
    LANGUAGE new=FILE    a file that the reader makes
    LANGUAGE into=FILE above="LINE"   code that the reader puts above the line that starts so
    LANGUAGE end=FILE    text that the reader puts at the end of a file

A page with one of the last four changes a copy of the project, in which its commands then run.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.lit_runner import CRASHED, environment, run_line  # noqa: E402
from tir.dialects.all import REGISTRY  # noqa: E402
from tir.ir.errors import TirError, render  # noqa: E402
from tir.ir.syntax import RawOp  # noqa: E402
from tir.parser.parse import parse_text  # noqa: E402
from tir.parser.raw import read_text  # noqa: E402

#: What commands of a page may read; a page with changes gets a copy of it.
PARTS = ("tir", "tests", "tools", "docs", "examples", "pyproject.toml")
ELISION = "..."
FENCE = re.compile(r"```(.*)")


@dataclass
class Block:
    """A fenced block. line: of its fence, from 1; kind and words: what stands behind the fence."""

    line: int
    kind: str
    words: list[str]
    lines: list[str]

    def option(self, name: str) -> str | None:
        """The value of `name=value` behind the fence."""
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), None)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def changes_files(self) -> bool:
        return self.kind == "diff" or any(self.option(name) is not None for name in ("new", "into", "end"))


@dataclass
class Page:
    """A page that was run: its text with what the examples print now, and what is wrong with them."""

    path: Path
    text: str
    problems: list[str] = field(default_factory=list)


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page."""
    found: list[Block] = []
    open_block: Block | None = None
    for number, line in enumerate(text.split("\n"), 1):
        fence = FENCE.match(line)
        if fence is None:
            if open_block is not None:
                open_block.lines.append(line)
        elif open_block is None:
            words = shlex.split(fence[1])
            open_block = Block(number, words[0] if words else "", words[1:], [])
        else:
            found.append(open_block)
            open_block = None
    return found


# --- a page ----------------------------------------------------------------------------------------------------------


def run_page(path: Path) -> Page:
    """Runs all examples of a page."""
    text = path.read_text(encoding="utf-8")
    blocks = blocks_of(text)
    page = Page(path, text)
    with tempfile.TemporaryDirectory(prefix="tir-docs-") as name:
        folder = Path(name)
        changes = any(block.changes_files for block in blocks)
        _fill(folder, copied=changes)
        new = {}
        for i, block in enumerate(blocks):
            try:
                new |= _run_block(block, blocks[i + 1 : i + 2], folder, changes)
            except (TirError, LookupError, OSError) as error:
                page.problems.append(f"{path}:{block.line}: {error}")
    page.text = _with_blocks(text, new)
    return page


def _fill(folder: Path, copied: bool) -> None:
    """Makes the folder look like the project root: by links, or by copies that may be changed."""
    for name in PARTS:
        source = ROOT / name
        if not copied:
            (folder / name).symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "out", ".*"))
        else:
            shutil.copy(source, folder / name)


def _run_block(block: Block, following: Sequence[Block], folder: Path, changed: bool) -> dict[int, list[str]]:
    """Runs one block: the new lines of blocks that print something else now, by the line of their fence."""
    if block.changes_files:
        change_file(block, folder)
    elif block.kind == "console":
        return {block.line: _console(block, folder, as_processes=changed)}
    elif block.kind == "python":
        printed = _python(block, folder)
        if following and following[0].kind == "text" and _is_adjacent(block, following[0]):
            return {following[0].line: merged(following[0].lines, printed)}
    elif block.kind == "mlir" and "wrong" in block.words:
        if not following or following[0].kind != "text":
            raise LookupError("behind `mlir wrong` stands a text block with what is said")
        return {following[0].line: merged(following[0].lines, said_about(block.text))}
    elif block.kind == "mlir":
        check_fragment(block.text) if "fragment" in block.words else parse_text(block.text, REGISTRY, file="block")
    elif block.kind != "text":
        raise LookupError(f"a block of kind '{block.kind}' is not run; make it console, python, mlir, diff or text")
    return {}


def _is_adjacent(block: Block, following: Block) -> bool:
    """Only an empty line is between the two."""
    return following.line - (block.line + len(block.lines) + 1) <= 2


def _with_blocks(text: str, new: dict[int, list[str]]) -> str:
    """The page with other lines in some blocks."""
    lines = text.split("\n")
    for block in reversed(blocks_of(text)):
        if block.line in new:
            lines[block.line : block.line + len(block.lines)] = new[block.line]
    return "\n".join(lines)


# --- console and python ----------------------------------------------------------------------------------------------


def _console(block: Block, folder: Path, as_processes: bool) -> list[str]:
    """The lines of the block with what its commands print now."""
    found: list[str] = []
    code = 0
    for command, expected in _commands(block.lines):
        found += command
        line = " ".join(part.removeprefix("$ ").removesuffix("\\").strip() for part in command)
        if line == "echo $?":
            printed = [str(code)]
        elif as_processes:
            code, printed = _run_process(["sh", "-c", line], folder)
        else:
            code, printed = _run_here(line, folder)
        found += merged(expected, printed)
    return found


def _commands(lines: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """The lines of each command, and those that it is said to print."""
    command: list[str] = []
    printed: list[str] = []
    for line in lines:
        if line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = [line], []
        elif not printed and command and command[-1].endswith("\\"):
            command.append(line)
        elif command:
            printed.append(line)
        else:
            raise LookupError(f"a console block begins with a command, not with '{line}'")
    yield command, printed


def _run_here(line: str, folder: Path) -> tuple[int, list[str]]:
    """The exit code of a command line, and what it prints; our tools run in this process."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        steps = run_line(line).steps
    finally:
        os.chdir(before)
    if any(step.code == CRASHED for step in steps):
        raise LookupError(f"'{line}' ends in a traceback: {steps[-1].stderr.decode()}")
    data = steps[-1].stdout + b"".join(step.stderr for step in steps)
    return steps[-1].code, data.decode("utf-8").splitlines()


def _run_process(command: Sequence[str], folder: Path, text: str = "") -> tuple[int, list[str]]:
    env = {name: value for name, value in environment().items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    env["PATH"] = f"{folder / 'tools'}{os.pathsep}{env['PATH']}"
    done = subprocess.run(command, cwd=folder, env=env, input=text, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)  # fmt: skip
    return done.returncode, done.stdout.splitlines()


def _python(block: Block, folder: Path) -> list[str]:
    """What the program prints."""
    code, printed = _run_process([sys.executable, "-"], folder, block.text)
    if code:
        raise LookupError("the program ends with an error:\n" + "\n".join(printed))
    return printed


# --- expected and printed --------------------------------------------------------------------------------------------


def merged(expected: Sequence[str], printed: Sequence[str]) -> list[str]:
    """The expected lines, if they match what was printed; else what was printed, with the same parts left out.

    A part between two `...` begins and ends where a line equals its first and its last line; without such lines it is
    where most lines are equal up to numbers; if there is no such place, nothing is left out any more.
    """
    if matches(expected, printed):
        return list(expected)
    parts = _split(expected)
    if len(parts) == 1:
        return list(printed)
    found: list[str] = []
    at = 0
    for i, part in enumerate(parts):
        found += [ELISION] if i else []
        if part:
            start, stop = _place(printed, part, at, is_first=i == 0, is_last=i == len(parts) - 1)
            if stop < 0:
                return list(printed)
            found += printed[start:stop]
            at = stop
    return found


def _place(printed: Sequence[str], part: Sequence[str], at: int, is_first: bool, is_last: bool) -> tuple[int, int]:
    """Where a part of what was expected is in what was printed; (-1, -1) if nowhere."""
    start = 0 if is_first else _find(printed, part[0], at)
    stop = len(printed) - 1 if is_last else _find(printed, part[-1], start)
    if start >= 0 and stop >= start:
        return start, stop + 1
    masked, wanted = [_mask(line) for line in printed], [_mask(line) for line in part]
    scores = [(sum(a == b for a, b in zip(masked[i:], wanted)), -i) for i in range(at, len(printed))]
    best, place = max(scores, default=(0, 0))
    return (-place, -place + len(part)) if 2 * best >= len(part) else (-1, -1)


def _mask(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def matches(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """The printed lines are the expected ones, where `...` stands for anything."""
    pattern = ["(?:.*\n)*?" if line == ELISION else _line_pattern(line) for line in expected]
    return re.fullmatch("".join(pattern), "".join(f"{line}\n" for line in printed)) is not None


def _line_pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split(ELISION)) + "\n"


def _split(lines: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line == ELISION:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _find(lines: Sequence[str], line: str, start: int) -> int:
    """The position of a line, -1 if it is not there."""
    pattern = re.compile(_line_pattern(line))
    return next((i for i in range(max(start, 0), len(lines)) if pattern.fullmatch(lines[i] + "\n")), -1)


# --- files and fragments ---------------------------------------------------------------------------------------------


def change_file(block: Block, folder: Path) -> None:
    """Does to a file what the reader is told to do."""
    if (name := block.option("new")) is not None:
        path = folder / name
        if path.exists():
            raise LookupError(f"{name} is there already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    elif (name := block.option("into")) is not None:
        _insert(folder / name, block.lines, block.option("above") or "")
    elif (name := block.option("end")) is not None:
        with open(folder / name, "a", encoding="utf-8") as file:
            file.write(f"\n{block.text}")
    else:
        _apply_diff(folder, block.lines)


def _insert(path: Path, new: Sequence[str], above: str) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    places = [i for i, line in enumerate(lines) if above and line.startswith(above)]
    if len(places) != 1:
        raise LookupError(f"{path.name} has {len(places)} lines that begin with '{above}'")
    lines[places[0] : places[0]] = [*new, "", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _apply_diff(folder: Path, lines: Sequence[str]) -> None:
    if not lines or not lines[0].startswith("--- "):
        raise LookupError("a diff block begins with a line '--- FILE'")
    name = lines[0].removeprefix("--- ")
    text = (folder / name).read_text(encoding="utf-8")
    for hunk in "\n".join(lines[1:]).split("\n@@\n"):
        before = "".join(f"{line[1:]}\n" for line in hunk.split("\n") if line[:1] != "+")
        after = "".join(f"{line[1:]}\n" for line in hunk.split("\n") if line[:1] != "-")
        if text.count(before) != 1:
            raise LookupError(f"{name} has the lines to change {text.count(before)} times:\n{before}")
        text = text.replace(before, after)
    (folder / name).write_text(text, encoding="utf-8")


def said_about(text: str) -> list[str]:
    """What is said about a wrong file model.tir. LookupError if nothing is wrong with it."""
    try:
        parse_text(text, REGISTRY, file="model.tir")
    except TirError as error:
        return render(error, {"model.tir": text}).split("\n")
    raise LookupError("nothing is wrong with a block that is said to be wrong")


def check_fragment(text: str) -> None:
    """TirError unless the text has the form of tir and each op in it is known."""
    raw = read_text(text, "block")
    if raw.errors:
        raise raw.errors[0]
    pending: list[RawOp] = list(raw.ops)
    while pending:
        op = pending.pop()
        name = {"return": "func.return", "module": "builtin.module"}.get(op.name, op.name)
        if REGISTRY.op_class(name) is None:
            raise TirError(f"there is no op {name}", raw.location(op.pos))
        pending += [inner for blocks in op.regions or () for block in blocks for inner in block.ops]


# --- the command -----------------------------------------------------------------------------------------------------


def pages() -> list[Path]:
    """The pages with examples; README.md is one of them."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def main(arguments: Sequence[str]) -> int:
    """Runs the pages; 1 if something is wrong, or without `--update` not up to date."""
    update = "--update" in arguments
    chosen = [Path(name).resolve() for name in arguments if name != "--update"] or pages()
    failed = False
    for path in chosen:
        page = run_page(path)
        for problem in page.problems:
            print(problem)
        stale = page.text != path.read_text(encoding="utf-8")
        if stale and update:
            path.write_text(page.text, encoding="utf-8")
        if stale:
            print(f"{'updated' if update else 'not up to date:'} {path.name}")
        failed = failed or bool(page.problems) or (stale and not update)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
