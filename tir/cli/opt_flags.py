"""The flags of tir-opt, by topic. `--help`, the reference, man pages and shell completion are made from them.

A new flag is a line in its topic here. What it does, if it watches the passes, is a function in `opt.WATCHERS`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tir.cli.common import CommandLineError, ToolParser, refuse_same_files, refuse_unwritable, refuse_unwritable_folder
from tir.cli.opt_explain import EXPLAINED
from tir.ir.errors import nearest

__all__ = ["UPSTREAM_NAMES", "check_flags", "is_given", "opt_parser"]

EPILOG = """\
examples:
  tir-opt model.tir                                        check a module and print it
  tir-opt --cse --canonicalize=max-iterations=3 model.tir  passes are flags, run in the order given
  tir-opt --fuse --lower-cpu model.tir -o loops.tir        from the tensor level to fused loops
  tir-opt --pass-pipeline='builtin.module(func.func(cse,canonicalize{fp-mode=strict}),symbol-dce)' model.tir
  tir-opt --fuse --dump-pass-pipeline model.tir            what --fuse runs, as text for --pass-pipeline
  tir-opt --fuse --remarks model.tir                       why something was not fused
  tir-opt --lower-cpu --print-ir-after-all --print-ir-after-change --print-ir-tree-dir=steps model.tir
  tir-opt --lower-cpu --timing model.tir -o /dev/null      where the time goes
  tir-opt --stabilize --log-rewrites model.tir             what each rule changed, one a line
  tir-opt --cse --rules my.rules --dce model.tir           rewrite rules of your own, between passes
  tir-opt --check-rules my.rules                           are they right? each is tried on programs made from it
  tir-opt --stabilize --cse --explain @f:%0 model.tir      which rules made this value, and of what
  tir-opt --explore out.html --fuse --lower-cpu model.tir  see every level and every rewrite
  tir-opt --run-reproducer tir-opt-reproducer.tir          run again what failed
  tir-opt --lower-cpu --check-semantics model.tir          does each pass keep what the program computes?
  tir-opt --list-passes                                    all passes and pipelines with their options
"""

#: What flags of mlir-opt are called here, where the name alone does not tell.
UPSTREAM_NAMES = {
    "--mlir-elide-elementsattrs-if-larger": "--elide-large-constants",
    "--mlir-elide-resource-strings-if-larger": "--elide-large-constants",
    "--mlir-pass-pipeline-crash-reproducer": "--reproducer",
    "--mlir-print-debuginfo": "--print-locations",
    "--mlir-print-op-generic": "--print-generic",
    "--remark-format": "--remarks-format",
    "--remarks-filter": "--remarks",
    "--remarks-output-file": "--remarks-file",
}
Add = Callable[..., Any]
DEFAULT_MARKER = "// -----"
DEFAULT_ELIDED = 16
REMARK_KINDS = ("missed", "passed", "analysis", "all")


def opt_parser() -> ToolParser:
    """The parser, with a group for each topic. Passes are no flags of it: see `opt.split_passes`."""
    parser = ToolParser("tir-opt", "Reads a module, runs passes on it and prints it.", EPILOG)
    parser.elsewhere = UPSTREAM_NAMES
    parser.usage = "tir-opt [passes and flags] [FILE]"
    parser.set_defaults(recorded_failure=None)  # of a reproducer, which sets it
    for title, description, add_flags in TOPICS:
        add_flags(parser.add_argument_group(title, description).add_argument)
    return parser


# --- the flags -------------------------------------------------------------------------------------------------------


def _input_and_output(add: Add) -> None:
    add("input", nargs="?", default="-", metavar="FILE", help="the .tir file; standard input without it or for -")
    add("-o", dest="output", default="-", metavar="FILE", help="write there instead of to standard output")
    add("--split-input-file", nargs="?", const=DEFAULT_MARKER, type=_marker, metavar="MARK",
        help=f"take the parts between lines that are MARK (`{DEFAULT_MARKER}`) as separate modules")
    add("--output-split-marker", default=DEFAULT_MARKER, type=_marker, metavar="MARK",
        help=f"the line between the modules printed with --split-input-file (`{DEFAULT_MARKER}`)")
    add("--allow-unregistered-dialect", action="store_true", help="accept unknown ops in generic form")


def _passes(add: Add) -> None:
    add("--rules", metavar="FILE,..", action="append", default=[], type=_names,
        help="apply the rewrite rules in these files, at this place among the passes: it stands for "
             "--apply-rules=files=FILE,..")
    add("--pass-pipeline", metavar="TEXT", help="passes as text, nested by op: builtin.module(func.func(cse),symbol-dce)")
    add("--dump-pass-pipeline", action="store_true",
        help="print the pipeline that is run, on standard error, as --pass-pipeline reads it")
    add("--list-passes", action="store_true", help="print all passes and pipelines with their options, and end")
    add("--show-dialects", action="store_true", help="print the names of all dialects, one a line, and end")


def _printing(add: Add) -> None:
    add("--print-generic", action="store_true", help="print MLIR's generic form")
    add("--print-locations", action="store_true", help="print where each op comes from")
    add("--elide-large-constants", nargs="?", const=str(DEFAULT_ELIDED), type=_count, metavar="N",
        help=f"leave out the elements of constants that have more than N ({DEFAULT_ELIDED}); cannot be read back")
    add("--print-ir-before", action="append", type=_names, default=[], metavar="PASS,..",
        help="print the IR before these passes, on standard error")
    add("--print-ir-after", action="append", type=_names, default=[], metavar="PASS,..",
        help="print the IR behind these passes, on standard error")
    add("--print-ir-before-all", action="store_true", help="print the IR before each pass, on standard error")
    add("--print-ir-after-all", action="store_true", help="print the IR behind each pass, on standard error")
    add("--print-ir-after-change", action="store_true", help="with --print-ir-after or -all: only if the pass changed it")
    add("--print-ir-after-failure", action="store_true", help="print the IR behind a pass only if the pass failed")
    add("--print-ir-module-scope", action="store_true", help="print the whole module, not the op that the pass ran on")
    add("--print-ir-tree-dir", metavar="DIR",
        help="print the IR to files there: folders nested as the ops, file names that number the passes")


def _checking(add: Add) -> None:
    add("--verify-each", nargs="?", const="true", default=False, type=_switch, metavar="true|false",
        help="verify the module behind each pass, to name the one that broke it")
    add("--verify-diagnostics", nargs="?", const="all", type=_choice("all", "only-expected"), metavar="all|only-expected",
        help="compare what is reported with the comments `expected-error {{..}}` of the file (warning, note and remark, "
             "too), in place of printing it; only-expected: what no comment expects is no mistake")


def _check_semantics(add: Add) -> None:
    add("--check-semantics", action="store_true",
        help="run the program before and behind each pass on generated inputs; the first pass that changes a result is "
             "named, with its first wrong change, and a reduced file is written (exit code 3)")
    add("--check-semantics-seed", type=_count, default=0, metavar="N", help="the seed of the inputs (0)")
    add("--check-semantics-inputs", type=_positive, default=6, metavar="N",
        help="how many inputs each public function is run on (6): ordinary numbers, sizes 1, hard numbers, in turn")
    add("--check-semantics-size", action="append", default=[], metavar="NAME=SIZE",
        help="the size of a named dimension, or ?=SIZE for those without a name; other sizes are drawn")
    add("--check-semantics-steps", type=_count, default=300_000, metavar="N",
        help="ops that the runs behind a pass may execute (300000); what takes more is not checked, and a remark says so")
    add("--check-semantics-output", metavar="FILE",
        help="where to write the reduced module (the input's name with .reduced.tir, in the current folder)")


def _check_rules(add: Add) -> None:
    add("--check-rules", action="append", default=[], type=_names, metavar="FILE,..",
        help="prove the rewrite rules in these files on programs made from them, print what was tried or a counterexample "
             "for each, and end; exit code 1 if one is wrong")


def _debugging(add: Add) -> None:
    add("--max-rewrites", type=_count, metavar="N", help="stop behind N changes of all passes together; to bisect")
    add("--log-rewrites", nargs="?", const="", metavar="FILE",
        help="write a line for each change of a pass: its number (as --max-rewrites counts), pass, rule, place, op before "
             "=> ops behind it; on standard error without FILE")
    add("--reproducer", metavar="FILE",
        help="where to write what repeats a bug of a pass (tir-opt-reproducer.tir)")
    add("--explain", action="append", default=[], type=_value_name, metavar="VALUE",
        help="print the chain of rules and passes that made the value of this name behind the passes, which follows "
             "@FUNCTION: if several functions have it; the module itself is then printed only with -o FILE")
    add("--explore", metavar="PAGE",
        help="write a web page that shows the module at every level, where each op comes from, and each rewrite; the "
             "module itself is then printed only with -o FILE")
    add("--run-reproducer", action="store_true", help="run the pipeline that stands in the file, a reproducer")


def _measuring(add: Add) -> None:
    add("--timing", action="store_true", help="print where the time went, on standard error")
    add("--timing-display", type=_choice("tree", "list"), default="tree", metavar="tree|list",
        help="nested as the pipeline (the default), or one line a name, the longest first")
    add("--pass-statistics", action="store_true", help="print what each pass counted, on standard error")
    add("--pass-statistics-display", type=_choice("pipeline", "list"), default="pipeline", metavar="pipeline|list",
        help="nested as the pipeline (the default), or one entry a pass, by name")
    add("--remarks", nargs="?", const="missed", type=_remark_kinds, metavar="KIND,..",
        help="print remarks, on standard error: missed (what a pass did not do, and why; the default), passed (what it "
             "did), analysis, all")
    add("--remarks-file", metavar="FILE", help="write the remarks there; all kinds, if --remarks does not choose")
    add("--remarks-format", type=_choice("text", "yaml"), metavar="text|yaml",
        help="sentences, or LLVM's YAML; text on standard error and yaml in a file, if not given")


TOPICS: tuple[tuple[str, str | None, Callable[[Add], None]], ...] = (
    ("input and output", None, _input_and_output),
    ("passes", "--NAME or --NAME=OPTION=VALUE,.. runs a pass or a pipeline; --list-passes prints them all.", _passes),
    ("printing", None, _printing),
    ("checking", None, _checking),
    ("checking what passes compute", None, _check_semantics),
    ("checking rewrite rules", None, _check_rules),
    ("debugging", None, _debugging),
    ("measuring", None, _measuring),
)  # fmt: skip


# --- values ----------------------------------------------------------------------------------------------------------


def _choice(*words: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in words:
            raise _wrong(f"must be {' or '.join(words)}", text, words)
        return text

    return check


def _wrong(rule: str, text: str, words: Iterable[str] = ()) -> argparse.ArgumentTypeError:
    hint = nearest(text, words)
    return argparse.ArgumentTypeError(f"{rule}, got '{text[:40]}'" + (f"; {hint}" if hint else ""))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _wrong("must be an integer, 0 or more", text)
    return int(text)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:19]) < 10**6):
        raise _wrong("must be an integer, 1 to 999999", text)
    return int(text)


def _switch(text: str) -> bool:
    found = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
    if text not in found:
        raise _wrong("must be true or false", text, found)
    return found[text]


def _marker(text: str) -> str:
    if not text.strip() or "\n" in text:
        raise _wrong("must be a line that is not empty", text)
    return text


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise _wrong("must be names with commas between", text)
    return names


def _value_name(text: str) -> str:
    if not EXPLAINED.fullmatch(text):
        raise _wrong("must be a value such as %7 or @f:%7", text)
    return text


def _remark_kinds(text: str) -> list[str]:
    kinds = _names(text)
    for kind in kinds:
        if kind not in REMARK_KINDS:
            raise _wrong(f"must be of {', '.join(REMARK_KINDS)}", kind, REMARK_KINDS)
    return kinds


# --- flags that need each other --------------------------------------------------------------------------------------

#: A flag, and those of which it needs one.
NEEDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("--print-ir-after-change", ("--print-ir-after", "--print-ir-after-all")),
    ("--print-ir-module-scope", ("--print-ir-before", "--print-ir-after", "--print-ir-before-all", "--print-ir-after-all",
                                 "--print-ir-after-failure")),
    ("--print-ir-tree-dir", ("--print-ir-before", "--print-ir-after", "--print-ir-before-all", "--print-ir-after-all",
                             "--print-ir-after-failure")),
    ("--remarks-format", ("--remarks", "--remarks-file")),
    ("--timing-display", ("--timing",)),
    ("--pass-statistics-display", ("--pass-statistics",)),
    ("--output-split-marker", ("--split-input-file",)),
    *((f"--check-semantics-{name}", ("--check-semantics",)) for name in ("seed", "inputs", "size", "steps", "output")),
)  # fmt: skip


OUTPUT_FLAGS = ("--remarks-file", "--log-rewrites", "--reproducer", "--explore", "--check-semantics-output")


def check_flags(options: argparse.Namespace, pass_names: Sequence[str], pipeline_names: Sequence[str]) -> None:
    """CommandLineError if flags do not fit together, or name passes that do not exist."""
    for flag, needed in NEEDS:
        if is_given(options, flag) and not any(is_given(options, one) for one in needed):
            several = f"one of {', '.join(needed)}" if len(needed) > 2 else " or ".join(needed)
            raise CommandLineError(f"{flag} needs {several}")
    for flag in ("--print-ir-before", "--print-ir-after"):
        for name in (name for names in _value(options, flag) for name in names):
            if name in pipeline_names:
                raise CommandLineError(f"{flag}: '{name}' is a pipeline; name its passes")
            if name not in pass_names:
                hint = nearest(name, pass_names)
                raise CommandLineError(f"{flag}: unknown pass '{name}'" + (f"; {hint}" if hint else ""))
    outputs = {flag: _value(options, flag) or None for flag in OUTPUT_FLAGS}
    refuse_same_files(options.input, outputs, options.output)
    refuse_unwritable({"-o": options.output, **outputs})
    if options.print_ir_tree_dir is not None:
        refuse_unwritable_folder("--print-ir-tree-dir", options.print_ir_tree_dir)


def _value(options: argparse.Namespace, flag: str) -> Any:
    return vars(options)[flag[2:].replace("-", "_")]


def is_given(options: argparse.Namespace, flag: str) -> bool:
    """Whether the flag stands on the command line."""
    return flag[2:].replace("-", "_") in options.given
