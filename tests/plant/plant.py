"""Plants bugs, one at a time, in a copy of the project, and sees that the tests of the planted part notice.

    make plant                     all of them
    python tests/plant/plant.py 3 swap    number 3, and those with `swap` in their name

Prints a table. Exits with 1 if more than one bug goes unnoticed, if the text that a bug replaces is not found exactly
once, or if the tests fail without any bug.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.plant.bugs import BUGS, Bug  # noqa: E402  (the project is found first)

WORKERS = 2
ALLOWED_TO_ESCAPE = 1
TIMEOUT_S = 300
COPIED = ("tir", "tests", "tools", "examples", "docs", "pyproject.toml", "Makefile")
TESTS_FAILED = 1  # pytest's exit code; others mean that it could not run them


@dataclass(frozen=True)
class Outcome:
    """What the tests said about a bug."""

    bug: Bug
    result: str
    seconds: float
    output: str = ""

    @property
    def caught(self) -> bool:
        return self.result == "caught"


def misplaced(bugs: Sequence[Bug]) -> list[str]:
    """A sentence for each bug whose text does not stand exactly once in its file."""
    wrong = []
    for bug in bugs:
        path = ROOT / bug.file
        count = path.read_text(encoding="utf-8").count(bug.old) if path.exists() else 0
        if count != 1:
            wrong.append(f"{bug.name}: its text stands {count} times in {bug.file}, not once; see tests/plant/bugs.py")
    return wrong


def copy_project(folder: Path) -> None:
    """What the tests need, without caches."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "out", "*.npz")
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.exists():
            shutil.copy2(source, folder / name)


@contextmanager
def planted(bug: Bug, folder: Path) -> Iterator[None]:
    """The bug is in the copy meanwhile."""
    path = folder / bug.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def run_tests(tests: Sequence[str], folder: Path) -> tuple[int | None, str]:
    """pytest's exit code (None when it takes too long) and the end of what it printed."""
    # -B: two versions of a file of one size, written in one second, would share their compiled form.
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    try:
        done = subprocess.run(
            [*command, "-m", "not slow", *tests], cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return None, f"more than {TIMEOUT_S} s"
    return done.returncode, "\n".join((done.stdout + done.stderr).splitlines()[-15:])


def judged(bug: Bug, folder: Path) -> Outcome:
    """Plants the bug and runs its tests."""
    start = time.monotonic()
    with planted(bug, folder):
        code, output = run_tests(bug.tests, folder)
    seconds = time.monotonic() - start
    if code == TESTS_FAILED or code is None:
        return Outcome(bug, "caught", seconds)
    return Outcome(bug, "NOT CAUGHT" if code == 0 else f"pytest ended with {code}", seconds, output)


def judge_all(bugs: Sequence[Bug], folders: Sequence[Path]) -> Iterator[Outcome]:
    """The outcomes in the order of the bugs; each folder holds one bug at a time."""
    free: SimpleQueue[Path] = SimpleQueue()
    for folder in folders:
        free.put(folder)

    def one(bug: Bug) -> Outcome:
        folder = free.get()
        try:
            return judged(bug, folder)
        finally:
            free.put(folder)

    with ThreadPoolExecutor(len(folders)) as pool:
        yield from pool.map(one, bugs)


def chosen(words: Sequence[str]) -> list[Bug]:
    """The bugs with these numbers (from 1) or with one of the words in their names; all for none."""
    numbered = enumerate(BUGS, 1)
    return [bug for i, bug in numbered if not words or any(w == str(i) or (w in bug.name and not w.isdigit()) for w in words)]


def main(words: Sequence[str]) -> int:
    bugs = chosen(words)
    if wrong := misplaced(BUGS):
        print("\n".join(wrong))
        return 1
    if not bugs:
        print(f"no bug has one of {', '.join(words)} in its name")
        return 1
    with TemporaryDirectory() as name:
        folders = [Path(name) / str(i) for i in range(min(WORKERS, len(bugs)))]
        for folder in folders:
            copy_project(folder)
        outcomes = []
        for outcome in judge_all(bugs, folders):
            outcomes.append(outcome)
            print(f"{len(outcomes):2}  {outcome.result:12}  {outcome.seconds:5.0f} s  {outcome.bug.name}", flush=True)
        escaped = [outcome for outcome in outcomes if not outcome.caught]
        for outcome in escaped:
            print(f"\n{outcome.bug.name} ({outcome.bug.file}), tests {' '.join(outcome.bug.tests)}:\n{outcome.output}")
        print(f"{len(outcomes) - len(escaped)} of {len(outcomes)} bugs caught")
        return int(len(escaped) > ALLOWED_TO_ESCAPE or any(o.result.startswith("pytest") for o in escaped))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
