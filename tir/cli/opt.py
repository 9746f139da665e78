"""tir-opt: read a module, run passes on it, print it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from tir.cli import opt_reports
from tir.cli.common import BugReported, CommandLineError, Sources, read_input, run_tool, write_output
from tir.cli.opt_check import check_semantics
from tir.cli.opt_explain import explain
from tir.cli.opt_explore import explore
from tir.cli.opt_flags import check_flags, is_given, opt_parser
from tir.cli.opt_run import OptRun, Part
from tir.dialects.all import REGISTRY
from tir.dialects.builtin import Module
from tir.ir.errors import PassError, TirError, TirErrors, warnings_to
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, Pipeline, run_pipeline
from tir.ir.pass_options import option_text, pass_options
from tir.ir.pipeline_text import make_pass, parse_pipeline, pretty_pipeline
from tir.lazy import TYPE_CHECKING, LazyModule
from tir.parser.raw import split_file
from tir.passes.pipelines import ALL, PASSES, PIPELINES

if TYPE_CHECKING:
    from tir.cli import opt_rules, reproducer
else:
    opt_rules = LazyModule("tir.cli.opt_rules")
    reproducer = LazyModule("tir.cli.reproducer")

__all__ = ["WATCHERS", "main"]

#: The flag that stands for a pass with files, and the pass.
RULES_FLAG, RULES_PASS = "rules", "apply-rules"

#: What watches the passes, made once a run from its flags. The last is nearest to the pass: see `Instrumentation`.
WATCHERS: tuple[Callable[[OptRun], Iterable[Instrumentation]], ...] = (
    opt_reports.remarks, opt_reports.print_ir, opt_reports.statistics, check_semantics, opt_reports.verify_each,
    opt_reports.max_rewrites, opt_reports.log_rewrites, opt_reports.timing, explain, explore,
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """The tool; returns its exit code."""
    return run_tool("tir-opt", sys.argv[1:] if argv is None else argv, _run)


def _run(argv: Sequence[str], sources: Sources) -> int:
    flags, rest = _split_passes(argv)
    options = opt_parser().parse(rest, [f"--{name}" for name in ALL])
    check_flags(options, list(PASSES), list(PIPELINES))
    if options.list_passes or options.show_dialects:
        sys.stdout.write(_pass_list() if options.list_passes else _dialect_list())
        return 0
    if options.check_rules:
        if flags.steps or options.input != "-":
            raise CommandLineError("--check-rules proves rules and runs nothing: give it without passes and without a FILE")
        return opt_rules.check_rules([file for files in options.check_rules for file in files], sources)
    run = OptRun(options, flags, sources, argv)
    parts = _parts(run)
    run.pipeline = _pipeline(run, parts)
    _read_rules(run)
    for flag in ("--log-rewrites", "--max-rewrites"):
        if is_given(options, flag) and next(iter(run.pipeline.passes()), None) is None:
            raise CommandLineError(f"{flag} needs a pass")
    if options.dump_pass_pipeline:
        sys.stderr.write(pretty_pipeline(run.pipeline.anchored(Module.name)) + "\n")
    watchers = [one for make in WATCHERS for one in make(run)]
    outputs = [_process(part, run, watchers) for part in parts]
    for check in run.before_output:
        check()
    _write(f"{options.output_split_marker}\n".join(outputs), run)
    for report in run.at_end:
        report()
    if run.errors:
        raise TirErrors(run.errors)
    return 0


def _write(text: str, run: OptRun) -> None:
    """What is printed goes to standard output even if a part has errors; a file appears only if none has."""
    options = run.options
    shows_other = (options.explore is not None or bool(options.explain)) and options.output == "-"
    if not shows_other and (options.output == "-" or not run.errors):
        write_output(text, options.output)


def _parts(run: OptRun) -> list[Part]:
    path, marker = run.options.input, run.options.split_input_file
    text = read_input(path)
    file = "<stdin>" if path == "-" else path
    run.sources.texts[file] = text
    pieces = split_file(text, marker) if marker is not None else [(1, text)]
    return [Part(piece, file, first_line) for first_line, piece in pieces]


def _process(part: Part, run: OptRun, watchers: Sequence[Instrumentation]) -> str:
    """The text of the part behind the passes; "" if there are errors, which `run.errors` has then."""
    run.begin(part)
    try:
        with run.timing.scope("Parser"):
            module = run.parse(part)
        with warnings_to(run.warn):
            _run_passes(module, part, run, watchers)
        with run.timing.scope("Output"):
            return run.text_of(module)
    except TirError as error:
        run.fail(error)
    finally:
        run.end()
    return ""


def _run_passes(module: Op, part: Part, run: OptRun, watchers: Sequence[Instrumentation]) -> None:
    """A bug in what runs here leaves a reproducer."""
    culprit = opt_reports.Culprit()
    try:
        run_pipeline(run.pipeline, module, [*watchers, culprit], verify_end=False)
        opt_reports.verify_end(module, run)
    except (TirError, MemoryError, OSError, BugReported, CommandLineError):
        raise
    except Exception as error:
        raise reproducer.reported(error, culprit.step, part, run) from error


# --- the pipeline ----------------------------------------------------------------------------------------------------


def _pipeline(run: OptRun, parts: Sequence[Part]) -> Pipeline:
    """What to run: the passes given as flags, as text, or in the file."""
    options = run.options
    given = [bool(run.pipeline.steps), options.pass_pipeline is not None, options.run_reproducer]
    if sum(given) > 1:
        ways = "as flags, as --pass-pipeline or in a file by --run-reproducer"
        raise CommandLineError(f"give passes {ways}, not by two of these")
    if options.run_reproducer:
        return reproducer.stated_pipeline(parts, run, ALL)
    if options.pass_pipeline is None:
        return run.pipeline
    return _command_line(lambda: parse_pipeline(options.pass_pipeline, ALL, REGISTRY))  # type: ignore[return-value]


def _split_passes(argv: Sequence[str]) -> tuple[Pipeline, list[str]]:
    """The passes given as flags, in order, and all other arguments."""
    pipeline, rest = Pipeline(), []
    words = iter(argv)
    for argument in words:
        name, equals, options = argument[2:].partition("=") if argument.startswith("--") else ("", "", "")
        if name == RULES_FLAG:
            files = options if equals else next(words, None)
            if files:
                name, options = RULES_PASS, f"files={option_text(tuple(files.split(',')))}"
            elif files is not None:
                argument = f"--{RULES_FLAG}="  # which is told as any other flag's
        if name in ALL:
            pipeline.steps.append(_command_line(lambda n=name, o=options: make_pass(n, o, ALL)))  # type: ignore[misc]
        else:
            rest.append(argument)
    return pipeline, rest


def _read_rules(run: OptRun) -> None:
    """The rules of the pipeline, read before the module is; messages show their lines."""
    for step in run.pipeline.passes():
        if step.name == RULES_PASS:
            opt_rules.read_rules_of(step, run.sources)


def _command_line(make: Callable[[], Pass | Pipeline]) -> Pass | Pipeline:
    """What `make` gives; a mistake in it is one of the command line."""
    try:
        return make()
    except PassError as error:
        message = f"{error.message}; {error.hint}" if error.hint else error.message
        all_passes = " (`tir-opt --list-passes` shows all)" if "unknown pass" in message or "no option" in message else ""
        raise CommandLineError(f"{message}{all_passes}") from None


# --- lists -----------------------------------------------------------------------------------------------------------


def _dialect_list() -> str:
    return "".join(f"{name}\n" for name in sorted(dialect.name for dialect in REGISTRY.dialects))


def _pass_list() -> str:
    lines = ["passes:"]
    lines += [line for name in sorted(PASSES) for line in _describe(name, PASSES[name])]
    lines.append("pipelines:")
    lines += [line for name in sorted(PIPELINES) for line in _describe(name, PIPELINES[name])]
    return "\n".join(lines) + "\n"


def _describe(name: str, make: Callable[..., object]) -> list[str]:
    summary = (make.__doc__ or "").strip().split("\n")[0]
    options = [f"      {o}={option_text(default)}" for o, default in pass_options(make).items()]
    return [f"  --{name:22} {summary}", *options]
