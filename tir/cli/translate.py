"""tir-translate: machine-side output of a module of any level: LLVM IR, assembly, or an object file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tir.cli.arrays import write_file
from tir.cli.common import OK, CommandLineError, Sources, ToolParser, read_input, run_tool, write_output
from tir.ir.pass_manager import run_pipeline
from tir.lower.llvm import lower_to_llvm
from tir.passes.pipelines import default
from tir.runtime.jit import emit_assembly, emit_object, host_target

__all__ = ["main"]

EPILOG = """\
The module may be of any level: what is missing of the pipeline `default` (tir-opt --fuse --lower-cpu) runs first.

  tir-translate --to-llvm model.tir
  tir-opt --fuse model.tir | tir-translate --to-asm
  tir-translate --to-obj model.tir -o model.o
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The tool; returns its exit code."""
    return run_tool("tir-translate", sys.argv[1:] if argv is None else argv, _run)


def _run(argv: Sequence[str], sources: Sources) -> int:
    options = _parser().parse(argv)
    if options.kind is None:
        raise CommandLineError("what to make is missing: --to-llvm, --to-asm or --to-obj")
    if options.kind == "obj" and options.output == "-" and sys.stdout.isatty():
        raise CommandLineError("--to-obj: an object file is no text for a terminal; give -o FILE")
    text = read_input(options.input)
    module = sources.parse(text, "<stdin>" if options.input == "-" else options.input)
    run_pipeline(default(), module)
    llvm_text = lower_to_llvm(module, host_target().vector_bytes * 8).text
    if options.kind == "obj":
        _write_bytes(emit_object(llvm_text), options.output)
    else:
        write_output(llvm_text if options.kind == "llvm" else emit_assembly(llvm_text), options.output)
    return OK


def _write_bytes(data: bytes, path: str) -> None:
    if path != "-":
        write_file(path, data)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def _parser() -> ToolParser:
    parser = ToolParser("tir-translate", "Translates a module of any level to LLVM IR or machine code.", EPILOG)
    add = parser.add_argument
    add("input", nargs="?", default="-", metavar="FILE.tir", help="standard input without it or for -")
    kinds = parser.add_mutually_exclusive_group()
    for kind, what in (("llvm", "LLVM IR text"), ("asm", "assembly for this machine"), ("obj", "an ELF object file")):
        kinds.add_argument(f"--to-{kind}", dest="kind", action="store_const", const=kind, help=f"write {what}")
    add("-o", dest="output", default="-", metavar="FILE", help="write there instead of to standard output")
    return parser
