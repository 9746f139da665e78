"""tir-run: run an entry of a module of any level, train with it, or compare all levels."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.api import executable
from tir.cli.arrays import write_npz
from tir.cli.common import OK, WRONG_INPUT, CommandLineError, Sources, ToolParser, read_input, refuse_unwritable, run_tool
from tir.cli.levels import check_levels, report_text
from tir.cli.session import (
    Arguments,
    bind,
    choose_entry,
    function_of,
    load_state,
    named_results,
    run_entry,
    value_text,
)
from tir.cli.train import Schedule, train
from tir.compile import TARGETS, Entry, Executable
from tir.ir.bfloat16 import widened
from tir.ir.errors import escape_controls
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline
from tir.ir.rewrite import FP_MODES

__all__ = ["main"]

ASSIGNMENT = re.compile(r"([\w.$-]+)=(.*)", re.DOTALL)
MAX_SIZE = 1 << 40
EPILOG = """\
Arguments are given by their tir.name (or position), as NAME=VALUE; VALUE is a number, a list, or a file:

  tir-run add.tir 'x=[1, 2, 3]' y=2.5
  tir-run model.tir --entry predict x=images.npy --load weights.npz --target cpu
  tir-run model.tir --entry predict x=test.npz:x --output digits.npz

Training: the entry runs over mini-batches of the first axis; the shared variables are what it learns.

  tir-run examples/digits.tir --entry train --data train.npz --epochs 30 --batch 50 --target cpu \\
      --metrics accuracy --metrics-data test.npz --save weights.npz

All levels, from the module as given to machine code, on the same inputs:

  tir-run examples/digits.tir --entry train --check-levels --generate-inputs 0 --size B=5
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The tool; returns its exit code."""
    return run_tool("tir-run", sys.argv[1:] if argv is None else argv, _run)


def _run(argv: Sequence[str], sources: Sources) -> int:
    options = _parser().parse(argv)
    path, words = _split_words(options.words)
    given = Arguments(words, options.data, options.generate_inputs, _sizes(options.size))
    _check_flags(options)
    text = read_input(path)
    module = sources.parse(text, "<stdin>" if path == "-" else path)
    if options.list_entries:
        print(_entries_text(executable(module, "interpret", Pipeline()).entries))
        return OK
    if options.check_levels:
        return _check_levels(module, options, given)
    exe = executable(module, options.target, fp_mode=options.fp_mode or "stable")
    entry = choose_entry(exe.entries, options.entry)
    function = function_of(module, entry)
    if options.save is not None and not exe.state:
        raise CommandLineError("--save: the module has no shared variables")
    if options.load is not None:
        load_state(exe, module, options.load)
    arguments = bind(entry, function, given)
    if options.epochs is None and options.batch is None:
        metrics = _metrics(exe, module, options, given)
        _finish(run_entry(exe, entry, function, arguments), options.output)
        _finish(metrics())
    else:
        _train(exe, module, entry, arguments, options, given)
    if options.save is not None:
        write_npz(options.save, {name: widened(exe.state[name]) for name in exe.state})
    return OK


def _texts(results: Mapping[str, Any]) -> list[str]:
    return [value_text(escape_controls(name), value) for name, value in results.items()]


def _finish(results: Mapping[str, Any], output: str | None = None) -> None:
    """Saves the results where that is wanted, else prints them."""
    if output is not None:
        write_npz(output, results)
        return
    for text in _texts(results):
        print(text)


def _train(
    exe: Executable, module: Op, entry: Entry, arguments: Mapping[str, Any], options: argparse.Namespace,
    given: Arguments,
) -> None:  # fmt: skip
    schedule = Schedule(options.epochs or 1, options.batch, options.shuffle)
    metrics = _metrics(exe, module, options, given)
    every = options.metrics_every or schedule.epochs

    def after_epoch(epoch: int) -> str:
        return "  ".join(_texts(metrics())) if epoch % every == 0 and epoch < schedule.epochs else ""

    _finish(train(exe, entry, arguments, schedule, after_epoch, quiet=options.quiet), options.output)
    _finish(metrics())


def _metrics(
    exe: Executable, module: Op, options: argparse.Namespace, given: Arguments
) -> Callable[[], dict[str, Any]]:
    """What runs the entry of --metrics on its data and gives its results; they are checked and read now."""
    if options.metrics is None:
        return dict
    entry = choose_entry(exe.entries, options.metrics, "--metrics")
    data = Arguments({}, options.metrics_data or given.data, given.seed, given.sizes)
    arguments = bind(entry, function_of(module, entry), data)
    return lambda: named_results(entry, exe.call(entry.name, arguments))


def _check_levels(module: Op, options: argparse.Namespace, given: Arguments) -> int:
    """Compares all levels and prints a table."""
    exe = executable(module, "interpret")
    entry = choose_entry(exe.entries, options.entry)
    function = function_of(module, entry)
    if options.load is not None:
        load_state(exe, module, options.load)
    arguments = bind(entry, function, given)
    state = {name: exe.state[name] for name in exe.state} if options.load is not None else None
    reports = check_levels(module, entry.name, function, arguments, state=state, state_seed=given.seed)
    print(escape_controls_but_lines(report_text(reports)))
    return OK if all(report.difference is None for report in reports) else WRONG_INPUT


def escape_controls_but_lines(text: str) -> str:
    """`escape_controls`, line by line."""
    return "\n".join(escape_controls(line) for line in text.split("\n"))


def _entries_text(entries: Mapping[str, Entry]) -> str:
    return "\n".join(escape_controls(_entry_text(entry)) for entry in entries.values())


def _entry_text(entry: Entry) -> str:
    """`train(x: tensor<[B]x64xf32>) -> (loss: tensor<f32>)`."""
    inputs = ", ".join(f"{p.name}: {p.type}" for p in entry.parameters)
    results = ", ".join(f"{r.name}: {r.type}" if r.name else str(r.type) for r in entry.results)
    return f"{entry.name}({inputs}) -> ({results})"


# --- the command line ------------------------------------------------------------------------------------------------


class _Parser(ToolParser):
    """Flags may stand between the file and the arguments."""

    def parse(self, argv: Sequence[str], more_flags: Sequence[str] = ()) -> argparse.Namespace:
        flags, words = self._split(argv)
        options = super().parse(flags, more_flags)
        options.words = words
        return options

    def _split(self, argv: Sequence[str]) -> tuple[list[str], list[str]]:
        """Flags with their values, and all other words."""
        takes_value = {flag for action in self._actions if action.nargs is None for flag in action.option_strings}
        flags: list[str] = []
        words: list[str] = []
        wants_value = False
        for argument in argv:
            is_flag = argument.startswith("-") and argument != "-" and not wants_value
            (flags if is_flag or wants_value else words).append(argument)
            wants_value = is_flag and argument in takes_value
        return flags, words


def _parser() -> _Parser:
    parser = _Parser("tir-run", "Runs an entry of a module, trains with it, or compares all levels.", EPILOG)
    parser.usage = "tir-run [options] [FILE.tir] [NAME=VALUE ...]"
    add = parser.add_argument
    add("--entry", metavar="NAME", help="the function to run; needed if there are several and no @main")
    add("--target", choices=TARGETS, default="interpret", help="machine code, or numpy (the default)")
    add(
        "--fp-mode", choices=FP_MODES,
        help="what rewrites for --target cpu may do to numbers: nothing (strict), lessen errors (stable), or more; stable",
    )  # fmt: skip
    add("--list-entries", action="store_true", help="print the functions that can be run, and end")
    data = parser.add_argument_group("arguments and results")
    data.add_argument("--data", metavar="FILE.npz", help="arrays for the arguments that are not given, by name")
    data.add_argument("--generate-inputs", type=_seed, metavar="SEED", help="make up what is not given")
    data.add_argument("--size", action="append", default=[], metavar="NAME=N", help="a named size for generated inputs")
    data.add_argument("--output", metavar="FILE.npz", help="save the results there by name instead of printing them")
    data.add_argument("--load", metavar="FILE.npz", help="set all shared variables from this file first")
    data.add_argument("--save", metavar="FILE.npz", help="save all shared variables there at the end")
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=_positive, metavar="N", help="run over all rows that often")
    training.add_argument("--batch", type=_positive, metavar="N", help="rows a step; the last may have fewer")
    training.add_argument("--shuffle", type=_seed, metavar="SEED", help="take the rows in another order in each epoch")
    training.add_argument("--metrics", metavar="ENTRY", help="run this function at the end and print its results")
    training.add_argument("--metrics-data", metavar="FILE.npz", help="its arguments, by name; --data without it")
    training.add_argument("--metrics-every", type=_positive, metavar="N", help="run it behind every Nth epoch, too")
    training.add_argument("--quiet", action="store_true", help="no progress on standard error")
    checks = parser.add_argument_group("checks")
    checks.add_argument("--check-levels", action="store_true", help="run on all levels and compare (exit code 1: differ)")
    return parser


def _split_words(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The file, and the arguments by name."""
    files: list[str] = []
    arguments: dict[str, str] = {}
    for word in words:
        match = ASSIGNMENT.fullmatch(word)
        if match is None:
            files.append(word)
        elif match[1] in arguments:
            raise CommandLineError(f"argument '{match[1]}' is given twice")
        else:
            arguments[match[1]] = match[2]
    if len(files) > 1:
        raise CommandLineError(f"one file can be run, got '{files[0]}' and '{files[1]}'; arguments are NAME=VALUE")
    return (files[0] if files else "-"), arguments


def _sizes(texts: Sequence[str]) -> dict[str, int]:
    sizes = {}
    for text in texts:
        name, equals, number = text.partition("=")
        if not (name and equals and _is_number(number) and int(number) <= MAX_SIZE):
            raise CommandLineError(f"--size: '{text}' is not NAME=N with N from 0 to {MAX_SIZE}")
        sizes[name.strip("[]")] = int(number)
    return sizes


def _check_flags(options: argparse.Namespace) -> None:
    """CommandLineError for flags that do not go together."""
    training = options.epochs is not None or options.batch is not None
    needs = [
        ("--shuffle", options.shuffle is not None, "--epochs or --batch", training),
        ("--metrics-every", options.metrics_every is not None, "--metrics", options.metrics is not None),
        ("--metrics-data", options.metrics_data is not None, "--metrics", options.metrics is not None),
        ("--size", bool(options.size), "--generate-inputs", options.generate_inputs is not None),
    ]
    for flag, is_given, other, is_met in needs:
        if is_given and not is_met:
            raise CommandLineError(f"{flag} needs {other}")
    refuse_unwritable({"--save": options.save, "--output": options.output})
    if options.fp_mode is not None and (options.check_levels or options.target != "cpu"):
        raise CommandLineError("--fp-mode is for --target cpu; the interpreter and --check-levels keep numbers")
    if options.check_levels:
        for flag in ("epochs", "batch", "metrics", "save", "output"):
            if getattr(options, flag) is not None:
                raise CommandLineError(f"--check-levels runs the entry once; it does not go with --{flag}")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 20


def _positive(text: str) -> int:
    if not _is_number(text) or not 0 < int(text) <= MAX_SIZE:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 to {MAX_SIZE}")
    return int(text)


def _seed(text: str) -> int:
    if not _is_number(text) or int(text) >= 1 << 32:
        raise argparse.ArgumentTypeError(f"'{text}' is no seed: a whole number from 0 to {(1 << 32) - 1}")
    return int(text)
