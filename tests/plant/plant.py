"""Plants bugs, one at a time, in a copy of the project, and sees that the tests of the planted part notice.

    make plant                     all of them
    python tests/plant/plant.py 3 swap    number 3, and those with `swap` in their name

Prints a table. Exits with 1 if more than one bug of twenty goes unnoticed, if the text that a bug replaces is not found exactly
once, or if the tests fail without any bug.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.plant.bug import Bug  # noqa: E402  (the project is found first)
from tests.plant.bugs import PROGRAM_BUGS  # noqa: E402
from tests.plant.call_bugs import CALL_BUGS  # noqa: E402
from tests.plant.derivative_bugs import DERIVATIVE_BUGS  # noqa: E402
from tests.plant.expression_bugs import EXPRESSION_BUGS  # noqa: E402
from tests.plant.flow_bugs import FLOW_BUGS  # noqa: E402
from tests.plant.gradient_bugs import GRADIENT_BUGS  # noqa: E402
from tests.plant.graph_bugs import GRAPH_BUGS  # noqa: E402
from tests.plant.look_bugs import LOOK_BUGS  # noqa: E402
from tests.plant.memory_bugs import MEMORY_BUGS  # noqa: E402
from tests.plant.op_bugs import OP_BUGS  # noqa: E402
from tests.plant.rewrite_bugs import REWRITE_BUGS  # noqa: E402
from tests.plant.row_bugs import ROW_BUGS  # noqa: E402
from tests.plant.schedule_bugs import SCHEDULE_BUGS  # noqa: E402
from tests.plant.size_bugs import SIZE_BUGS  # noqa: E402
from tests.plant.target_bugs import TARGET_BUGS  # noqa: E402
from tests.plant.thread_bugs import THREAD_BUGS  # noqa: E402
from tests.plant.tool_bugs import TOOL_BUGS  # noqa: E402
from tests.plant.vector_bugs import VECTOR_BUGS  # noqa: E402

BUGS = (
    *PROGRAM_BUGS, *CALL_BUGS, *GRADIENT_BUGS, *DERIVATIVE_BUGS, *EXPRESSION_BUGS, *FLOW_BUGS, *GRAPH_BUGS, *LOOK_BUGS,
    *OP_BUGS, *REWRITE_BUGS, *ROW_BUGS, *SCHEDULE_BUGS, *SIZE_BUGS, *THREAD_BUGS, *TOOL_BUGS,
    *VECTOR_BUGS, *MEMORY_BUGS, *TARGET_BUGS,
)  # fmt: skip

WORKERS = 2
CAUGHT_OF_TWENTY = 19
TIMEOUT_S = 300
COPIED = ("tir", "tests", "tools", "examples", "docs", "editors", "pyproject.toml", "Makefile")
TESTS_FAILED = 1  # pytest's exit code; others mean that it could not run them


@dataclass(frozen=True)
class Outcome:
    """What the tests said about a bug. test: the first that failed."""

    bug: Bug
    result: str
    seconds: float
    test: str = ""
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
            wrong.append(f"{bug.name}: its text stands {count} times in {bug.file}, not once; see tests/plant")
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
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
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
    failed = re.search(r"^FAILED \S*?(\w+\.py::\S+)", output, re.MULTILINE)
    if code == TESTS_FAILED or code is None:
        return Outcome(bug, "caught", seconds, failed[1] if failed else output)
    return Outcome(bug, "NOT CAUGHT" if code == 0 else f"pytest ended with {code}", seconds, "", output)


def healthy(bug: Bug, folder: Path) -> str:
    """Why the tests of the bug say nothing: they fail without it; "" if all is well."""
    code, output = run_tests(bug.tests, folder)
    return "" if code == 0 else f"the tests of '{bug.name}' fail without it:\n{output}"


def for_each(bugs: Sequence[Bug], folders: Sequence[Path], work: Callable[[Bug, Path], Any]) -> Iterator[Any]:
    """`work(bug, folder)` in the order of the bugs; no folder is used by two at one time."""
    free: SimpleQueue[Path] = SimpleQueue()
    for folder in folders:
        free.put(folder)

    def one(bug: Bug) -> Any:
        folder = free.get()
        try:
            return work(bug, folder)
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
        print(f"running the tests of {len(bugs)} bugs without them", flush=True)
        distinct = list({bug.tests: bug for bug in bugs}.values())
        if sick := [text for text in for_each(distinct, folders, healthy) if text]:
            print("\n".join(sick))
            return 1
        return report(for_each(bugs, folders, judged))


def report(outcomes: Iterable[Outcome]) -> int:
    """Prints the table; the exit code."""
    seen = []
    for outcome in outcomes:
        seen.append(outcome)
        line = f"{len(seen):2}  {outcome.result:10}  {outcome.seconds:4.0f} s  {outcome.bug.name}"
        print(f"{line}  ({outcome.test})" if outcome.test else line, flush=True)
    escaped = [outcome for outcome in seen if not outcome.caught]
    for outcome in escaped:
        print(f"\n{outcome.bug.name} ({outcome.bug.file}), tests {' '.join(outcome.bug.tests)}:\n{outcome.output}")
    print(f"{len(seen) - len(escaped)} of {len(seen)} bugs caught")
    return int(20 * len(escaped) > (20 - CAUGHT_OF_TWENTY) * len(seen) or any(o.result != "NOT CAUGHT" for o in escaped))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
