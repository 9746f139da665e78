"""How functions compile: the modes of Theano.

FAST_RUN        all passes, machine code
FAST_COMPILE    no rewrites, the interpreter on numpy
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tir.api import for_this_machine
from tir.compile import Executable
from tir.configuration import config
from tir.graph.building import Built
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.ir.errors import nearest
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.verify import verify
from tir.passes.pipelines import PASSES, without_derivatives
from tir.state import Holder

__all__ = ["Mode", "mode_of"]


class Mode:
    """FAST_RUN: all passes, then machine code."""

    name = "FAST_RUN"
    target = "cpu"

    def pipeline(self, module: Op) -> Pipeline:
        """The passes."""
        return for_this_machine()

    def compile(self, module: Op, holders: Mapping[str, Holder]) -> Executable:
        """The module, ready to run on the state in the holders."""
        verify(module)
        steps = self.pipeline(module)
        return Executable(module, self.target, lambda copy: run_pipeline(steps, copy), shared=holders)

    def run(self, executable: Executable, built: Built, arguments: Sequence[Any]) -> list[Any]:
        """The results of a call."""
        return executable.call(built.entry, arguments)

    def __repr__(self) -> str:
        return f"<mode {self.name}>"


class FastCompile(Mode):
    """FAST_COMPILE: derivatives are expanded, nothing is rewritten, and the interpreter runs it."""

    name = "FAST_COMPILE"
    target = "interpret"

    def pipeline(self, module: Op) -> Pipeline:
        return Pipeline([*without_derivatives(fp_mode="strict"), PASSES["inline"](), PASSES["state-to-arguments"]()])


MODES: dict[str, Mode] = {mode.name: mode for mode in (Mode(), FastCompile())}


def mode_of(given: Any) -> Mode:
    """The mode for a name, for None (as configured), or for a mode."""
    if isinstance(given, Mode):
        return given
    name = config.mode if given is None else given
    if not isinstance(name, str):
        raise GraphTypeError(f"the mode must be a name or a Mode, got {given!r}")
    if name not in MODES:
        raise GraphValueError(f"there is no mode {name!r}", hint=nearest(name, MODES))
    return MODES[name]
