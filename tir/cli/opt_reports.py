"""What tir-opt's flags let watch the passes: each function gives the instrumentations that the flags ask for."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tir.cli.common import write_output
from tir.cli.opt_run import OptRun
from tir.ir.errors import Renderer
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, verify_behind
from tir.lazy import TYPE_CHECKING, LazyModule

if TYPE_CHECKING:
    from tir.cli import ir_tree, rewrite_log
    from tir.cli import remarks as remark_text
    from tir.ir import instrumentations
    from tir.ir import remarks as remark_log
else:
    ir_tree = LazyModule("tir.cli.ir_tree")
    rewrite_log = LazyModule("tir.cli.rewrite_log")
    remark_text = LazyModule("tir.cli.remarks")
    remark_log = LazyModule("tir.ir.remarks")
    instrumentations = LazyModule("tir.ir.instrumentations")

__all__ = [
    "Culprit", "log_rewrites", "max_rewrites", "print_ir", "remarks", "statistics", "timing", "verify_each", "verify_end",
]  # fmt: skip


def remarks(run: OptRun) -> Iterator[Instrumentation]:
    """--remarks and --remarks-file; --verify-diagnostics compares those that would be printed."""
    options = run.options
    if options.verify_diagnostics is not None:
        yield remark_log.RemarkLog(options.remarks or ["missed"], run.remark)
    if options.remarks_file is not None:
        found: list[remark_log.Remark] = []
        run.at_end.append(lambda: remark_text.write_remarks(found, options.remarks_file, options.remarks_format or "yaml"))
        yield remark_log.RemarkLog(options.remarks or ["all"], found.append)
    elif options.remarks is not None and options.verify_diagnostics is None:
        text_of = remark_text.text_maker(options.remarks_format or "text", run.sources.colour)
        yield remark_log.RemarkLog(options.remarks, lambda remark: _print(text_of(remark)))


def print_ir(run: OptRun) -> Iterator[Instrumentation]:
    """--print-ir-before, --print-ir-after and their kin."""
    options = run.options
    before = {name for names in options.print_ir_before for name in names}
    after = {name for names in options.print_ir_after for name in names}
    before_all, after_all = options.print_ir_before_all, options.print_ir_after_all
    if not (before or after or before_all or after_all or options.print_ir_after_failure):
        return
    only_failed = options.print_ir_after_failure
    _warn_of_passes_not_run(run)
    yield instrumentations.PrintIR(
        ir_tree.IRTree(options.print_ir_tree_dir).write if options.print_ir_tree_dir else _to_standard_error,
        before_pass=lambda step: before_all or step.name in before,
        after_pass=lambda step: not only_failed and (after_all or step.name in after),
        only_changed=options.print_ir_after_change,
        on_failure=only_failed,
        module_scope=options.print_ir_module_scope,
        text_of=run.text_of,
        fingerprint=run.fingerprint,
    )


def _warn_of_passes_not_run(run: OptRun) -> None:
    """One flag may serve several pipelines, so that a pass that is in none of this one's places is no error."""
    names = {step.name for step in run.pipeline.passes()}
    for flag, given in (("before", run.options.print_ir_before), ("after", run.options.print_ir_after)):
        for name in dict.fromkeys(name for some in given for name in some if name not in names):
            message = f"--print-ir-{flag}: the pass {name} is not in the pipeline, so nothing is printed for it"
            _print(Renderer(colour=run.sources.colour).head("tir-opt", "warning", message) + "\n")


def _to_standard_error(text: str, step: Pass, op: Op) -> None:
    sys.stderr.write(text)


def statistics(run: OptRun) -> Iterator[Instrumentation]:
    """--pass-statistics."""
    if not run.options.pass_statistics:
        return
    counted = instrumentations.Statistics()
    run.at_end.append(lambda: _print(counted.report(run.pipeline, run.options.pass_statistics_display)))
    yield counted


def verify_each(run: OptRun) -> Iterator[Instrumentation]:
    """--verify-each."""
    if run.options.verify_each:
        yield instrumentations.Verify(run.timing.scope)


def verify_end(module: Op, run: OptRun) -> None:
    """The module is verified once at the end; PassBug if a pass broke it."""
    with run.timing.scope("Verify"):
        verify_behind(f"the pipeline {run.pipeline}", module)


def max_rewrites(run: OptRun) -> Iterator[Instrumentation]:
    """--max-rewrites."""
    if run.options.max_rewrites is not None:
        yield instrumentations.Limit(run.options.max_rewrites)


def log_rewrites(run: OptRun) -> Iterator[Instrumentation]:
    """--log-rewrites. It comes behind --max-rewrites, which refuses changes. A file appears when all is done."""
    path = run.options.log_rewrites
    if path is None:
        return
    lines: list[str] = []
    if path:
        run.at_end.append(lambda: write_output("".join(lines), path))
    yield rewrite_log.RewriteLog(lines.append if path else _print)


def timing(run: OptRun) -> Iterator[Instrumentation]:
    """--timing. It is last in the list, to time a pass and nothing else."""
    if not run.options.timing:
        return
    run.at_end.append(lambda: _print(run.timing.report(run.options.timing_display)))
    yield run.timing


def _print(text: str) -> None:
    sys.stderr.write(text)


class Culprit(Instrumentation):
    """Remembers the pass that failed."""

    step: Pass | None = None

    def failed(self, step: Pass, op: Op, root: Op, error: Exception) -> None:
        self.step = step
