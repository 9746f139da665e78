"""All passes and pipelines. Names on the command line, documentation and completeness tests come from these tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from tir.ir.errors import escape_controls
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, Pipeline
from tir.passes.autodiff import Autodiff
from tir.passes.bufferize import Bufferize
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce
from tir.passes.expand_math import ExpandMath
from tir.passes.fuse_structured import FuseStructured
from tir.passes.inline import Inline
from tir.passes.lower_loops import LowerLoops
from tir.passes.lower_structured import LowerStructured
from tir.passes.state_to_arguments import StateToArguments
from tir.passes.symbol_dce import SymbolDce

__all__ = ["PASSES", "PIPELINES", "Remarks", "default", "fuse", "lower_cpu", "to_structured"]

PASSES: dict[str, type[Pass]] = {
    one.name: one
    for one in (
        Autodiff, Canonicalize, Cse, Dce, Inline, SymbolDce, StateToArguments, LowerStructured, FuseStructured,
        Bufferize, ExpandMath, LowerLoops,
    )
}  # fmt: skip


def to_structured() -> list[Pass]:
    """From the tensor level to the structured one. Each pass leaves alone what is at its level already."""
    return [
        Inline(),  # first: state and tensors do not cross calls below
        Canonicalize(),  # before autodiff: less to differentiate
        Autodiff(),
        Canonicalize(),
        Cse(),  # forward, backward and updates share expressions
        Dce(),
        StateToArguments(),
        Inline(),  # first values that other functions compute
        LowerStructured(),
        Canonicalize(),
        Cse(),
        Dce(),
    ]


def fuse() -> Pipeline:
    """From any level above loops to fused structured ops."""
    return Pipeline([*to_structured(), FuseStructured(), Canonicalize(), Cse(), Dce()])


def lower_cpu() -> Pipeline:
    """From any level to loops that are ready for LLVM; does not fuse (`--fuse --lower-cpu` does)."""
    return Pipeline(
        [
            *to_structured(),
            Bufferize(),
            LowerLoops(),
            ExpandMath(),  # behind lower-loops: what is invariant in a loop is still one op there
            Canonicalize(),
            Cse(),
            Dce(),
        ]
    )


def default() -> Pipeline:
    """What `tir-run --target cpu` runs: fuse, then lower-cpu."""
    return Pipeline([fuse(), lower_cpu()])


PIPELINES: dict[str, Callable[[], Pipeline]] = {"fuse": fuse, "lower-cpu": lower_cpu, "default": default}


@dataclass
class Remarks(Instrumentation):
    """Prints what passes did not do, and why: a pass may collect `remarks`, pairs of a location and a sentence."""

    stream: TextIO

    def after(self, step: Pass, op: Op, root: Op) -> None:
        for location, text in getattr(step, "remarks", ()):
            where = location.file_location()
            self.stream.write(f"{where}: remark: {escape_controls(text)}\n" if where else f"remark: {text}\n")
