"""Running a program at every level, and comparing what comes out.

    found = first_disagreement(text, arguments)      # None, or which level differs from the first and how

At each level the text of the module must also read back as the same module. The levels are snapshots of the pipeline
that `tir-run --target cpu` runs, each on the interpreter, and its end on the CPU. The comparison is that of
`tir/check.py`; what it allows grows with how much the program itself makes of a rounding, which `spread` measures. A
level that is the one before it and more passes starts from its module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tir.check import Tolerance, first_difference
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.bfloat16 import is_bfloat16, widened
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass, Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff
from tir.passes.bufferize import Bufferize
from tir.passes.expand_math import ExpandMath
from tir.passes.lower_loops import LowerLoops
from tir.passes.lower_structured import LowerStructured
from tir.passes.pipelines import default, fuse, lower_cpu

__all__ = [
    "Disagreement", "LEVELS", "Outcome", "bits", "compare", "first_disagreement", "module_at", "modules_at", "round_trip_difference", "run",
    "spread", "steps",
]  # fmt: skip

BF16_ULPS = 8.0  # of a program: 6% of the largest element, as for f16; an ulp of bf16 is 2^16 of f32
CALLS = 2  # each entry is called twice, so that the second call sees the new state


def steps(pipeline: Pipeline) -> list[Pass]:
    """The passes in order; only for pipelines that do not nest by op."""
    found: list[Pass] = []
    for step in pipeline.steps:
        found += steps(step) if isinstance(step, Pipeline) else [step]
    return found


def _up_to(pipeline: Pipeline, last: type[Pass] | None) -> list[Pass]:
    """The passes up to the last one of this class, and with None all."""
    passes = steps(pipeline)
    if last is None:
        return passes
    return passes[: max(i for i, one in enumerate(passes) if isinstance(one, last)) + 1]


SAME_NUMBERS = "strict"  # rules that only lessen errors are proved one by one: tests/rewrites
#: The levels by name: the passes that lead there, and what runs them.
LEVELS: dict[str, tuple[Callable[[], list[Pass]], str]] = {
    "tensor": (lambda: [Autodiff()], "interpret"),
    "structured": (lambda: _up_to(lower_cpu(fp_mode=SAME_NUMBERS), LowerStructured), "interpret"),
    "fused": (lambda: steps(fuse(fp_mode=SAME_NUMBERS)), "interpret"),
    "bufferized": (lambda: _up_to(default(fp_mode=SAME_NUMBERS), Bufferize), "interpret"),
    "loops": (lambda: _up_to(default(fp_mode=SAME_NUMBERS), LowerLoops), "interpret"),
    "expanded": (lambda: _up_to(default(fp_mode=SAME_NUMBERS), ExpandMath), "interpret"),
    "cpu": (lambda: _up_to(default(fp_mode=SAME_NUMBERS), None), "cpu"),
    "loops, not fused": (lambda: _up_to(lower_cpu(fp_mode=SAME_NUMBERS), None), "interpret"),
    "cpu, not fused": (lambda: _up_to(lower_cpu(fp_mode=SAME_NUMBERS), None), "cpu"),
}


def module_at(text: str, passes: Sequence[Pass]) -> Op:
    """The module of the text behind the passes, verified."""
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline(list(passes)), module)
    return module


def modules_at(text: str, levels: Sequence[str]) -> Iterator[tuple[str, Op]]:
    """The levels, each with its module, which must be left as it is: the next ones may be made of it."""
    module, done = parse_text(text, REGISTRY), []
    for level in levels:
        passes = LEVELS[level][0]()
        wanted = [str(step) for step in passes]
        if wanted[: len(done)] != done:
            module, done = parse_text(text, REGISTRY), []
        run_pipeline(Pipeline(passes[len(done) :]), module)
        done = wanted
        yield level, module


@dataclass(frozen=True)
class Outcome:
    """What some calls of an entry gave: all results, and the state afterwards, by a name that says what each is."""

    arrays: dict[str, Any]


def bits(array: Any) -> bytes:
    """The bits of an array; one nan is as good as another."""
    x = np.asarray(array)
    return (np.where(np.isnan(x), np.array(np.nan, x.dtype), x) if x.dtype.kind == "f" else x).tobytes()


def round_trip_difference(module: Op, **options: Any) -> str | None:
    """How the module changes when its text is read back, None if it does not: short form, generic form, and between."""
    short, generic = print_op(module), print_op(module, generic=True)
    for form, text in (("short", short), ("generic", generic)):
        again = parse_text(text, REGISTRY, **options)
        for name, before, after in (("short", short, print_op(again)), ("generic", generic, print_op(again, generic=True))):
            if before != after:
                lines = zip(before.splitlines(), after.splitlines())
                first = next(((a, b) for a, b in lines if a != b), ("", "the number of lines"))
                return f"{form} form read and printed in {name} form:\n  before: {first[0]}\n  after:  {first[1]}"
    return None


def run(module: Op, target: str, entry: str, arguments: Mapping[str, Any] | Sequence[Any]) -> Outcome:
    """Calls the entry `CALLS` times."""
    program = Executable(module, target)
    arrays: dict[str, Any] = {}
    for call in range(CALLS):
        for i, result in enumerate(program.call(entry, arguments)):
            arrays[f"result {i} of call {call}"] = np.array(result)
    arrays.update({f"@{name}": value for name, value in program.state.items()})
    return Outcome(arrays)


@dataclass(frozen=True)
class Disagreement:
    """The first level (or pass) whose outcome differs, and how; `error` if it failed instead."""

    level: str
    what: str
    error: Exception | None = None

    def __str__(self) -> str:
        return f"level '{self.level}': {self.what}"


def compare(want: Outcome, got: Outcome, uncertain: Mapping[str, Any]) -> str | None:
    """How `got` differs from `want`, None if it does not.

    uncertain: for float arrays, the difference that roundings alone may make; nan where they decide what is finite.
    """
    if want.arrays.keys() != got.arrays.keys():
        return f"expected {', '.join(want.arrays)}, got {', '.join(got.arrays)}"
    for name, array in want.arrays.items():
        other, spread = got.arrays[name], uncertain.get(name)
        tolerance = Tolerance.for_sizes([array])
        if is_bfloat16(array) and is_bfloat16(other):
            array, other = widened(array), widened(other)
            tolerance = Tolerance(BF16_ULPS * 2.0**16, by_array=True)
        if spread is not None and spread.shape == other.shape:
            # Where a rounding decides between finite and not, or between two integers, anything goes.
            other = np.where(np.isfinite(spread), other, array)
            tolerance = _wider(tolerance, array, spread)
        if (difference := first_difference(array, other, tolerance)) is not None:
            return f"{name}{'' if difference.startswith('[') else ': '}{difference}"
    return None


def _wider(tolerance: Tolerance, array: Any, spread: Any) -> Tolerance:
    """The tolerance with room for the spread."""
    if array.dtype.kind != "f" or not array.size:
        return tolerance
    finite = np.isfinite(array) & np.isfinite(spread)
    magnitude = np.abs(np.where(np.isfinite(array), array, 0)).max(initial=0.0).astype(np.float64)
    unit = float(np.finfo(array.dtype).eps) * max(magnitude, float(np.finfo(array.dtype).tiny))
    return Tolerance(tolerance.ulps + float(np.max(spread, initial=0.0, where=finite)) / unit, tolerance.by_array)


def spread(text: str, arguments: Sequence[Mapping[str, Any]], entry: str = "main") -> dict[str, Any]:
    """How far the outcomes lie apart, for each array, when the tensor level runs with each of these arguments.

    inf where only some are finite, or where integers differ.
    """
    module = module_at(text, LEVELS["tensor"][0]())
    outcomes = [run(module, "interpret", entry, one).arrays for one in arguments]
    return {name: _apart([outcome[name] for outcome in outcomes]) for name in outcomes[0]}


def _apart(arrays: Sequence[Any]) -> Any:
    arrays = [widened(one) if is_bfloat16(one) else one for one in arrays]
    first = arrays[0]
    if first.dtype.kind != "f":
        same = np.logical_and.reduce([one == first for one in arrays])
        return np.where(same, 0.0, np.inf)
    with np.errstate(all="ignore"):
        stack = np.stack([one.astype(np.float64) for one in arrays])
        width = np.where(np.isnan(stack).all(axis=0) | (stack == stack[0]).all(axis=0), 0.0, np.ptp(stack, axis=0))
        return np.where(np.isnan(width), np.inf, width)


def first_disagreement(
    text: str, arguments: Mapping[str, Any] | Sequence[Any], uncertain: Mapping[str, Any] | None = None, entry: str = "main",
    levels: Sequence[str] = tuple(LEVELS), read_back: Collection[str] | None = None,
) -> Disagreement | None:  # fmt: skip
    """The first of the levels that computes something else than the first of them, or fails.

    read_back: the levels at which the text is read back, too, which takes longer than all else; None for all of them.
    """
    want: Outcome | None = None
    modules = modules_at(text, levels)
    for name in levels:
        try:
            _, module = next(modules)
            if read_back is None or name in read_back:
                if (changed := round_trip_difference(module)) is not None:
                    return Disagreement(name, changed)
            got = run(module, LEVELS[name][1], entry, arguments)
        except Exception as error:  # any: a crash of a pass is a finding like another
            return Disagreement(name, f"{type(error).__name__}: {error}", error)
        if want is None:
            want = got
        elif (difference := compare(want, got, uncertain or {})) is not None:
            return Disagreement(name, difference)
    return None
