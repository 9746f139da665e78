"""What one run of tir-opt has in hand: the flags, the pipeline, and what watches the passes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tir.cli.common import Sources
from tir.ir.elide import without_large_constants
from tir.ir.errors import TirError, TirErrors, TirWarning
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline
from tir.ir.printer import print_op
from tir.ir.timing import Timing
from tir.lazy import TYPE_CHECKING, LazyModule

if TYPE_CHECKING:
    from tir.cli import verify_diagnostics
    from tir.cli.verify_diagnostics import DiagnosticVerifier
    from tir.ir.remarks import Remark
else:
    verify_diagnostics = LazyModule("tir.cli.verify_diagnostics")

__all__ = ["OptRun", "Part"]


@dataclass(frozen=True)
class Part:
    """A piece of the input that is a module of its own."""

    text: str
    file: str
    first_line: int


@dataclass
class OptRun:
    """The state of a run.

    before_output: called when all parts are done, before anything is written; they raise what is wrong with the flags.
    at_end: called behind the output, also if there were errors; they write reports.
    """

    options: argparse.Namespace
    pipeline: Pipeline
    sources: Sources
    argv: Sequence[str] = ()
    timing: Timing = field(default_factory=Timing)
    before_output: list[Callable[[], None]] = field(default_factory=list)
    at_end: list[Callable[[], None]] = field(default_factory=list)
    errors: list[TirError] = field(default_factory=list)
    verifier: DiagnosticVerifier | None = None

    def begin(self, part: Part) -> None:
        """The part is about to be read: with --verify-diagnostics, its comments say what it must give."""
        mode = self.options.verify_diagnostics
        if mode is not None:
            self.verifier = verify_diagnostics.DiagnosticVerifier(
                part.text, part.file, part.first_line, mode == "only-expected", self.options.remarks is not None
            )

    def fail(self, error: TirError) -> None:
        """The part that was begun has an error, or several."""
        if self.verifier is not None:
            self.verifier.error(error)
        else:
            self.errors += error.errors if isinstance(error, TirErrors) else (error,)

    def remark(self, remark: Remark) -> None:
        """The part that was begun has a remark, which --verify-diagnostics compares."""
        if self.verifier is not None:
            self.verifier.remark(remark.location, remark.text)

    def warn(self, warning: TirWarning) -> None:
        """The part that was begun has a warning: it is compared, or printed at once."""
        if self.verifier is not None:
            self.verifier.warning(warning.location, warning.message)
        else:
            self.sources.warn(warning)

    def end(self) -> None:
        """The part is done."""
        if self.verifier is not None:
            self.errors += self.verifier.finish()

    def parse(self, part: Part) -> Op:
        """The verified module of a part."""
        return self.sources.parse(part.text, part.file, part.first_line, self.options.allow_unregistered_dialect)

    def fingerprint(self, op: Op) -> str:
        """What tells whether an op has changed in what the flags of printing can show; nothing is left out."""
        return print_op(op, locations=self.options.print_locations)

    def text_of(self, op: Op) -> str:
        """The op as the flags of printing want it."""
        options = self.options
        limit = options.elide_large_constants
        shown = op if limit is None else without_large_constants(op, limit)
        try:
            return print_op(shown, generic=options.print_generic, locations=options.print_locations)
        finally:
            if shown is not op:
                shown.drop_uses()
