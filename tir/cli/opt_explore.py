"""tir-opt --explore: the passes are recorded, and a page shows every level and every rewrite."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tir.cli.common import CommandLineError, write_output
from tir.cli.opt_run import OptRun
from tir.ir.pass_manager import Instrumentation
from tir.lazy import TYPE_CHECKING, LazyModule

if TYPE_CHECKING:
    from tir.viz import explore as recorder
    from tir.viz import page as pages
else:
    recorder = LazyModule("tir.viz.explore")
    pages = LazyModule("tir.viz.page")

__all__ = ["explore"]


def explore(run: OptRun) -> Iterator[Instrumentation]:
    """--explore. It must be the last of what watches: other instrumentations see locations as the user gave them."""
    if run.options.explore is None:
        return
    if run.options.split_input_file is not None:
        raise CommandLineError("--explore shows one module; it cannot go with --split-input-file")
    explorer = recorder.Explorer()
    run.at_end.append(lambda: _write(explorer, run))
    yield explorer


def _write(explorer: recorder.Explorer, run: OptRun) -> None:
    if not explorer.levels:
        return  # the module could not be read
    path, name = run.options.explore, run.options.input
    write_output(pages.page(explorer, "standard input" if name == "-" else name, ["tir-opt", *run.argv]), path)
    if path != "-":
        steps = f"{explorer.budget.steps} rewrite{'s' if explorer.budget.steps != 1 else ''}"
        levels = f"{len(explorer.levels)} level{'s' if len(explorer.levels) != 1 else ''}"
        sys.stderr.write(f"wrote {path}: {levels}, {steps}\n")
