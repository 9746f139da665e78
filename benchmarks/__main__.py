"""`python -m benchmarks`: tir's own benchmarks by name, and the table of tir beside its peers."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported: tir runs on one thread too

from benchmarks import (  # noqa: E402
    blas,
    calls,
    canonicalize,
    conv,
    dot,
    gradients,
    lapack,
    ops,
    python_api,
    rng,
    scale,
    startup,
    step,
    threads,
    wrong_pass,
)
from benchmarks.peers import picture, runner, table  # noqa: E402
from benchmarks.peers.contestant import PEERS  # noqa: E402
from benchmarks.peers.worker import CLOCKS  # noqa: E402
from benchmarks.peers.workloads import chosen  # noqa: E402
from tir.ir.errors import nearest  # noqa: E402

BENCHMARKS = {
    "blas": blas.run,
    "calls": calls.run,
    "canonicalize": canonicalize.run,
    "conv": conv.run,
    "dot": dot.run,
    "gradients": gradients.run,
    "lapack": lapack.run,
    "ops": ops.run,
    "python_api": python_api.run,
    "rng": rng.run,
    "scale": scale.run,
    "startup": startup.run,
    "step": step.run,
    "threads": threads.run,
    "wrong_pass": wrong_pass.run,
}
EXAMPLE = """\
examples:
  python -m benchmarks                               all that there is
  python -m benchmarks conv scale 1000 10000         two benchmarks, the latter for these sizes
  python -m benchmarks --peers numpy,jax --only 'E5,S*' --threads 1
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"benchmarks: error: {message}\n")


def parser() -> argparse.ArgumentParser:
    made = _Parser("benchmarks", description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(BENCHMARKS)
    made.add_argument("names", nargs="*", metavar="NAME", help=f"one of {names}, peers; `scale` takes sizes behind it")
    peers = made.add_argument_group("the table of peers")
    peers.add_argument("--peers", metavar="PEER,..", help=f"beside tir, of {', '.join(PEERS)} (all)")
    peers.add_argument("--only", metavar="PATTERN,..", help="workloads by id or by its part before a dot, as E5 or S* (all)")
    peers.add_argument("--threads", type=_positive, default=1, help="of every library (1)")
    peers.add_argument("--seconds", type=_seconds, default=1.0, help="for each cell, once it is compiled (1)")
    peers.add_argument("--clock", choices=CLOCKS, default="wall", help="processor: without what other processes take (wall)")
    where = runner.DEFAULT_FILE.relative_to(runner.ROOT)
    peers.add_argument("--lines", type=Path, default=runner.DEFAULT_FILE, metavar="FILE", help=f"for JSON lines ({where})")
    peers.add_argument("--table", type=Path, metavar="FILE", help="measure nothing: the table of these JSON lines")
    return made


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return seconds


def main(words: list[str] | None = None) -> int:
    made = parser()
    given = made.parse_args(words)
    if given.table is not None:
        return _show(given.table, made)
    names = [word for word in given.names if not word.isdigit()]
    sizes = [int(word) for word in given.names if word.isdigit()]
    has_options = given.peers is not None or given.only is not None
    if not names:
        names = ["peers"] if has_options else [*BENCHMARKS, "peers"]
    _known(names, [*BENCHMARKS, "peers"], "benchmark", made)
    peers = list(PEERS) if given.peers is None else given.peers.split(",")
    _known(peers, PEERS, "peer", made)
    try:
        workloads = chosen((given.only or "*").split(","))
    except ValueError as error:
        made.error(str(error))
    for name in names:
        if name == "peers":
            runner.run(workloads, runner.present(peers), given.threads, given.seconds, given.clock, given.lines)
            _show(given.lines, made)
        else:
            BENCHMARKS[name](*(sizes if name == "scale" else ()))
    return 0


def _known(names: list[str], choices: object, what: str, made: argparse.ArgumentParser) -> None:
    """One clear error for the first name that there is not."""
    unknown = next((name for name in names if name not in choices), None)  # type: ignore[operator]
    if unknown is not None:
        hint = nearest(unknown, choices)  # type: ignore[arg-type]
        made.error(f"there is no {what} {unknown!r}; {hint or 'there are ' + ', '.join(choices)}")  # type: ignore[arg-type]


def _show(file: Path, made: argparse.ArgumentParser) -> int:
    """Prints the table of a file, and draws it beside where matplotlib is installed."""
    try:
        found = table.rows(table.read_cells(file))
    except (OSError, ValueError, KeyError) as error:
        made.error(f"--table: {file} holds no results: {error}")
    print(table.text(found))
    try:
        picture.draw(found, file.with_suffix(".png"))
    except ModuleNotFoundError:
        print("no picture: matplotlib is not installed")
    else:
        print(f"the ratios as a picture: {file.with_suffix('.png')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
