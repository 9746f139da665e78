"""tir-opt: read a module, run passes on it, print it."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Sequence

from tir.cli.common import CommandLineError, Sources, ToolParser, read_input, run_tool, write_output
from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError, TirError, TirErrors
from tir.ir.ir import Op
from tir.ir.pass_manager import (
    Instrumentation,
    Lookup,
    Pass,
    Pipeline,
    PrintAfter,
    Verify,
    make_pass,
    parse_pipeline,
    pass_options,
    run_pipeline,
)
from tir.ir.printer import print_op
from tir.parser.raw import split_file
from tir.passes.pipelines import PASSES, PIPELINES, Remarks

__all__ = ["main"]

ALL: Lookup = {**PASSES, **PIPELINES}
EPILOG = """\
Passes and pipelines are flags, run in the order given; options follow an equals sign:

  tir-opt --cse --canonicalize=max-iterations=3 model.tir
  tir-opt --fuse --lower-cpu model.tir
  tir-opt --pass-pipeline='builtin.module(func.func(cse,canonicalize))' model.tir
  tir-opt --list-passes
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The tool; returns its exit code."""
    return run_tool("tir-opt", sys.argv[1:] if argv is None else argv, _run)


def _run(argv: Sequence[str], sources: Sources) -> int:
    passes, rest = _split_passes(argv)
    options = _parser().parse(rest, [f"--{name}" for name in ALL])
    if options.list_passes:
        sys.stdout.write(_pass_list())
        return 0
    if options.pass_pipeline and passes.steps:
        raise CommandLineError("give passes as flags or as --pass-pipeline, not both")
    pipeline = _command_line(lambda: parse_pipeline(options.pass_pipeline, ALL)) if options.pass_pipeline else passes
    if not options.allow_unregistered_dialect:
        _check_anchors(pipeline)
    text = read_input(options.input)
    file = "<stdin>" if options.input == "-" else options.input
    sources.texts[file] = text
    parts = split_file(text) if options.split_input_file else [(1, text)]
    outputs: list[str] = []
    errors: list[TirError] = []
    for first_line, part in parts:
        try:
            outputs.append(_transform(part, file, first_line, pipeline, options, sources))
        except TirErrors as several:
            errors += several.errors
    write_output("// -----\n".join(outputs), options.output)
    if errors:
        raise TirErrors(errors)
    return 0


def _transform(
    text: str, file: str, first_line: int, pipeline: Pipeline, options: argparse.Namespace, sources: Sources
) -> str:
    """The text of the module after the passes. All errors come as TirErrors."""
    try:
        module = sources.parse(text, file, first_line, options.allow_unregistered_dialect)
        run_pipeline(pipeline, module, _instrumentations(options))
    except TirErrors:
        raise
    except PassError as error:
        raise TirErrors([error]) from None
    return _print(module, options)


def _print(module: Op, options: argparse.Namespace) -> str:
    return print_op(module, generic=options.print_generic, locations=options.print_locations)


def _instrumentations(options: argparse.Namespace) -> list[Instrumentation]:
    found: list[Instrumentation] = []
    if options.verify_each:
        found.append(Verify())
    if options.print_ir_after_all:
        found.append(PrintAfter(sys.stderr, options.print_generic))
    if options.remarks:
        found.append(Remarks(sys.stderr))
    return found


def _parser() -> ToolParser:
    parser = ToolParser("tir-opt", "Reads a module, runs passes on it and prints it.", EPILOG)
    add = parser.add_argument
    add("input", nargs="?", default="-", help="the .tir file; standard input without it or for -")
    add("-o", dest="output", default="-", metavar="FILE", help="write there instead of to standard output")
    add("--pass-pipeline", metavar="TEXT", help="passes as text, nested by op: builtin.module(func.func(cse))")
    add("--list-passes", action="store_true", help="print all passes and pipelines with their options, and end")
    add("--print-generic", action="store_true", help="print MLIR's generic form")
    add("--print-locations", action="store_true", help="print where each op comes from")
    add("--split-input-file", action="store_true", help="take the parts between lines `// -----` as separate modules")
    add("--verify-each", action="store_true", help="verify the module behind each pass")
    add("--print-ir-after-all", action="store_true", help="print the module behind each pass, on standard error")
    add("--remarks", action="store_true", help="print what passes did not do, and why, on standard error")
    add("--allow-unregistered-dialect", action="store_true", help="accept unknown ops in generic form")
    return parser


def _split_passes(argv: Sequence[str]) -> tuple[Pipeline, list[str]]:
    """The passes given as flags, in order, and all other arguments."""
    pipeline, rest = Pipeline(), []
    for argument in argv:
        name, _, options = argument[2:].partition("=") if argument.startswith("--") else ("", "", "")
        if name in ALL:
            pipeline.steps.append(_command_line(lambda n=name, o=options: make_pass(n, o, ALL)))  # type: ignore[misc]
        else:
            rest.append(argument)
    return pipeline, rest


def _check_anchors(pipeline: Pipeline) -> None:
    """A pipeline nested in an op that does not exist would run on nothing, in silence."""
    pending: list[Pass | Pipeline] = [pipeline]
    while pending:
        step = pending.pop()
        if not isinstance(step, Pipeline):
            continue
        if step.anchor not in ("", "any") and REGISTRY.op_class(step.anchor) is None:
            hint = REGISTRY.hint(step.anchor)
            raise CommandLineError(f"pipeline: unknown op '{step.anchor}'" + (f"; {hint}" if hint else ""))
        pending += step.steps


def _command_line(make: Callable[[], Pass | Pipeline]) -> Pipeline:
    """What `make` gives; a mistake in it is one of the command line."""
    try:
        return make()  # type: ignore[return-value]
    except PassError as error:
        message = f"{error.message}; {error.hint}" if error.hint else error.message
        raise CommandLineError(f"{message} (`tir-opt --list-passes` shows all)") from None


def _pass_list() -> str:
    lines = ["passes:"]
    lines += [line for name in sorted(PASSES) for line in _describe(name, PASSES[name])]
    lines.append("pipelines:")
    lines += [line for name in sorted(PIPELINES) for line in _describe(name, PIPELINES[name])]
    return "\n".join(lines) + "\n"


def _describe(name: str, make: Callable[..., object]) -> list[str]:
    summary = (inspect.getdoc(make) or "").split("\n")[0]
    options = [f"      {o}={str(default).lower()}" for o, default in pass_options(make).items()]
    return [f"  --{name:22} {summary}", *options]
