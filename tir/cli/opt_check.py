"""tir-opt --check-semantics: each pass is checked by running the program, and a wrong one is explained."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tir.cli.common import BugReported, CommandLineError, write_output
from tir.cli.opt_run import OptRun
from tir.ir.errors import Location, PassError, Renderer, nearest
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass
from tir.ir.pass_options import options_text
from tir.ir.printer import print_op
from tir.lazy import TYPE_CHECKING, LazyModule

if TYPE_CHECKING:
    import shlex

    from tir.semantics import instrument
else:
    shlex = LazyModule("shlex")
    instrument = LazyModule("tir.semantics.instrument")

__all__ = ["check_semantics"]


def check_semantics(run: OptRun) -> Iterator[Instrumentation]:
    """--check-semantics."""
    options = run.options
    if options.check_semantics:
        renderer = Renderer(run.sources.texts, run.sources.colour)

        def remark(sentence: str, location: Location | None) -> None:
            sys.stderr.write("\n".join(renderer.diagnostic("remark", sentence, location)) + "\n")

        checked = instrument.CheckSemantics(
            remark, options.check_semantics_seed, options.check_semantics_inputs, _sizes(options.check_semantics_size),
            options.check_semantics_steps,
        )  # fmt: skip
        run.before_output.append(lambda: _refuse_unknown_sizes(checked, run))
        yield _Reporting(checked, run, renderer)


def _sizes(words: list[str]) -> dict[str, int]:
    """NAME=SIZE as numbers by name; `?` is the size of what has no name."""
    found: dict[str, int] = {}
    for word in words:
        name, equals, size = word.partition("=")
        if not (equals and name and size.isascii() and size.isdigit() and len(size) < 10):
            raise CommandLineError(f"--check-semantics-size must be NAME=SIZE, such as B=4, got '{word[:40]}'")
        name = name.strip("[]")
        if found.setdefault(name, int(size)) != int(size):
            raise CommandLineError(f"--check-semantics-size: {name} is given twice, with {found[name]} and {int(size)}")
    return found


def _refuse_unknown_sizes(checked: instrument.CheckSemantics, run: OptRun) -> None:
    """CommandLineError for a size that no module has. Which there are is known when all were seen, and could be read."""
    seen = checked.seen_sizes
    if seen is None or run.errors:
        return
    for name in checked.sizes:
        if name not in seen:
            hint = nearest(name, seen)
            message = f"--check-semantics-size: no function has an argument with a size named '{name}'"
            raise CommandLineError(message + (f"; {hint}" if hint else ""))


class _Reporting(Instrumentation):
    """What the check finds becomes messages, and a file."""

    def __init__(self, checked: instrument.CheckSemantics, run: OptRun, renderer: Renderer) -> None:
        self.checked, self.run, self.renderer = checked, run, renderer
        # Not to be asked about each change in vain: the pass manager looks for these.
        self.before, self.finished = checked.before, checked.finished  # type: ignore[method-assign]

    def changed(self, action: object) -> None:
        self.checked.changed(action)  # type: ignore[arg-type]

    def after(self, step: Pass, op: Op, root: Op) -> None:
        try:
            self.checked.after(step, op, root)
        except instrument.WrongPass as wrong:
            raise self._reported(wrong) from wrong

    def _reported(self, wrong: instrument.WrongPass) -> BugReported | PassError:
        """Writes the reduced module; the message."""
        path = self.run.options.check_semantics_output or _default_path(self.run.options.input)
        write_output(f"{print_op(wrong.reduced).rstrip()}\n", path)
        shows = f"`{self._command(wrong, path)}` shows it" if wrong.is_reduced else f"{path} has the module before the pass"
        notes = [*wrong.notes(), (f"{shows}, in {wrong.ops} ops", None)]
        if wrong.step.obeys_user:
            return PassError(str(wrong), wrong.rule_place, notes)
        lines = [line for text, location in notes for line in self.renderer.diagnostic("note", text, location)]
        return BugReported(f"bug in tir: {wrong}", *lines)

    def _command(self, wrong: instrument.WrongPass, path: str) -> str:
        options = options_text(wrong.step)[1:-1].replace(" ", ",")
        words = ["tir-opt", f"--{wrong.step.name}" + (f"={options}" if options else ""), "--check-semantics"]
        if self.run.options.check_semantics_seed:
            words.append(f"--check-semantics-seed={self.run.options.check_semantics_seed}")
        words += [f"--check-semantics-size={name}={size}" for name, size in wrong.sizes.items()]
        return shlex.join([*words, path])


def _default_path(source: str) -> str:
    """The reduced module goes to the current folder."""
    return f"{Path(source).stem if source != '-' else 'stdin'}.reduced.tir"
