"""tir-translate: what a module of any level is outside of tir: LLVM IR, assembly, an object file, or a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tir.cli.arrays import write_file
from tir.cli.common import (
    OK,
    CommandLineError,
    Sources,
    ToolParser,
    read_input,
    refuse_same_files,
    refuse_unwritable,
    run_tool,
    write_output,
)  # fmt: skip
from tir.ir.errors import TirError
from tir.ir.externs import PARALLEL_FOR
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.ir.symbols import SymbolTable
from tir.ir.traits import FunctionLike
from tir.machines import lowered_for
from tir.passes.pipelines import default
from tir.passes.vectorize import Vectorize
from tir.runtime.jit import code_target, emit_assembly, emit_object
from tir.runtime.targets import HOST, NAMED_TARGETS
from tir.viz import dot, picture

__all__ = ["main"]

EPILOG = """\
For machine code the module may be of any level: what is missing of the pipeline `default` (tir-opt --fuse --lower-cpu)
runs first. A picture shows the module as it is.

  tir-translate --to-llvm model.tir
  tir-opt --fuse model.tir | tir-translate --to-asm
  tir-translate --to-obj --cpu aarch64 model.tir -o model.o
  tir-translate --to-svg model.tir -o model.svg
  tir-opt --fuse model.tir | tir-translate --to-png --function train --depth 0 -o fused.png
"""

KINDS = {
    "llvm": "LLVM IR", "asm": "assembly of a machine", "obj": "an ELF object file",
    "dot": "a picture as Graphviz text", "svg": "a picture as SVG (needs the extra `viz`)",
    "png": "a picture as PNG (needs the extra `viz`)",
}  # fmt: skip
PICTURES = ("dot", "svg", "png")
BINARY = ("obj", "png")


def main(argv: Sequence[str] | None = None) -> int:
    """The tool; returns its exit code."""
    return run_tool("tir-translate", sys.argv[1:] if argv is None else argv, _run)


def _run(argv: Sequence[str], sources: Sources) -> int:
    options = _parser().parse(argv)
    _check(options)
    text = read_input(options.input)
    module = sources.parse(text, "<stdin>" if options.input == "-" else options.input)
    output = _picture(module, options) if options.kind in PICTURES else _machine_code(module, options.kind, options.cpu)
    if isinstance(output, str):
        write_output(output, options.output)
    else:
        _write_bytes(output, options.output)
    return OK


def _check(options: argparse.Namespace) -> None:
    """CommandLineError for flags that do not fit together."""
    if options.kind is None:
        *kinds, last = (f"--to-{kind}" for kind in KINDS)
        raise CommandLineError(f"what to make is missing: {', '.join(kinds)} or {last}")
    if options.kind in BINARY and options.output == "-" and sys.stdout.isatty():
        what = "an object file" if options.kind == "obj" else "a PNG picture"
        raise CommandLineError(f"--to-{options.kind}: {what} is no text for a terminal; give -o FILE")
    refuse_same_files(options.input, {"-o": options.output})
    refuse_unwritable({"-o": options.output})
    for flag, value in (("--function", options.function), ("--depth", options.depth)):
        if value is not None and options.kind not in PICTURES:
            raise CommandLineError(f"{flag} is for pictures: --to-dot, --to-svg or --to-png")
    if options.cpu != HOST and options.kind in PICTURES:
        raise CommandLineError("--cpu is for machine code: --to-llvm, --to-asm or --to-obj")


def _machine_code(module: Op, kind: str, cpu: str) -> str | bytes:
    target = code_target() if cpu == HOST else NAMED_TARGETS[cpu]
    pipeline = default()
    for step in pipeline.passes():
        if isinstance(step, Vectorize):
            step.masks = target.masks
    run_pipeline(pipeline, module)
    lowered = lowered_for(module, target)
    if kind == "obj":
        if "pool" in lowered.grants:
            print(f"tir-translate: note: the object calls {PARALLEL_FOR}: see docs/tools.md", file=sys.stderr)
        return emit_object(lowered.text, lowered.grants, lowered.passes, target)
    return lowered.text if kind == "llvm" else emit_assembly(lowered.text, lowered.grants, lowered.passes, target)


def _picture(module: Op, options: argparse.Namespace) -> str | bytes:
    function = None
    if options.function is not None:
        name = options.function.removeprefix("@")
        function = SymbolTable(module).get(name)
        if not isinstance(function, FunctionLike):
            raise TirError(f"@{name} is no function, it is a {function.name}", function.location)
    title = "" if options.input == "-" else options.input
    text = dot.to_dot(module, function=function, depth=options.depth, title=title)
    return text if options.kind == "dot" else picture.picture(text, options.kind)


def _write_bytes(data: bytes, path: str) -> None:
    if path != "-":
        write_file(path, data)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def _parser() -> ToolParser:
    description = "Translates a module of any level to LLVM IR, machine code or a picture."
    parser = ToolParser("tir-translate", description, EPILOG)
    add = parser.add_argument
    add("input", nargs="?", default="-", metavar="FILE.tir", help="standard input without it or for -")
    kinds = parser.add_mutually_exclusive_group()
    for kind, what in KINDS.items():
        kinds.add_argument(f"--to-{kind}", dest="kind", action="store_const", const=kind, help=f"write {what}")
    add("-o", dest="output", default="-", metavar="FILE", help="write there instead of to standard output")
    cpus = (HOST, *NAMED_TARGETS)
    add("--cpu", choices=cpus, default=HOST, help="the machine that code is for: this one (host), or one by its name")
    add("--function", metavar="NAME", help="draw this function alone")
    add("--depth", type=_depth, metavar="N",
        help="draw what stands in at most N regions of a function; an op whose inside is left out is one node")
    return parser


def _depth(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"must be an integer, 0 or more, got '{text[:40]}'")
    return int(text)
