"""One program on all levels: run on the same inputs and state, and compared with the level that was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tir.api import executable, for_this_machine
from tir.check import Tolerance, first_difference, generate_like
from tir.cli.session import result_names, run_entry
from tir.compile import Entry, Executable
from tir.dialects.tir.state import Read, Shared, Update
from tir.ir.bfloat16 import widened
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline
from tir.ir.types import BF16, element_type
from tir.lazy import np
from tir.passes.pipelines import default, fuse, lower_cpu, to_structured

__all__ = ["LEVELS", "LevelReport", "Level", "check_levels", "report_text"]


@dataclass(frozen=True)
class Level:
    """What to run a program as: the passes that lead there (None: what it cannot run without), and the target."""

    name: str
    target: str
    pipeline: Pipeline | None


SAME_NUMBERS = "strict"  # what only lessens errors would differ from what is given
#: The first is what the others are compared with.
LEVELS = (
    Level("as given", "interpret", None),
    Level("structured", "interpret", Pipeline([*to_structured(fp_mode=SAME_NUMBERS)])),
    Level("fused", "interpret", fuse(fp_mode=SAME_NUMBERS)),
    Level("loops", "interpret", lower_cpu(fp_mode=SAME_NUMBERS)),
    Level("fused loops", "interpret", default(fp_mode=SAME_NUMBERS)),
    Level("cpu", "cpu", for_this_machine(SAME_NUMBERS)),
)


@dataclass(frozen=True)
class LevelReport:
    """One level: the first difference from the reference, or None; how many values were compared."""

    level: str
    difference: str | None
    compared: int = 0


def check_levels(
    module: Op, entry: str, function: Op, arguments: Mapping[str, Any], *, state: Mapping[str, Any] | None = None,
    state_seed: int | None = None,
) -> list[LevelReport]:  # fmt: skip
    """A report for each level. Raises TirError if the first one, the reference, cannot run.

    arguments: by name. state: the shared variables before the call (None: their first values); state_seed: generate the
    floats among them. Results, buffers that are written, and the state behind the call are compared.
    """
    before = dict(state if state is not None else executable(module, "interpret").state)
    for name in _unused(module):
        before.pop(name, None)  # below the tensor level such a variable is gone
    if state is None and state_seed is not None:
        before = {name: generate_like(value, state_seed + i) for i, (name, value) in enumerate(sorted(before.items()))}
    wanted = _outcome(LEVELS[0], module, entry, function, arguments, before)
    usual = Tolerance.for_sizes([*arguments.values(), *before.values(), *wanted.values()])
    narrow = _names_of_bf16(executable(module, "interpret"), entry)
    tolerances = {name: usual.of_bf16() if name in narrow else usual for name in wanted}
    reports = [LevelReport(LEVELS[0].name, None, len(wanted))]
    for level in LEVELS[1:]:
        reports.append(_compare(level, module, entry, function, arguments, before, wanted, tolerances))
    return reports


def _names_of_bf16(exe: Executable, entry: str) -> set[str]:
    """What in an outcome is bf16: the numbers stand in float32 there, with or without the package ml_dtypes."""
    chosen = exe.entries[entry]
    types = [(p.name, p.type) for p in chosen.parameters]
    types += [(name, result.type) for name, result in zip(result_names(chosen), chosen.results)]
    found = {name for name, type in types if element_type(type) is BF16}
    return found | {f"{when}@{name}" for name in exe.state.of_bf16 for when in ("", "first ")}


def _unused(module: Op) -> set[str]:
    """The shared variables that no function reads or updates."""
    used = {op.symbol for op in module.walk() if isinstance(op, (Read, Update))}
    return {op.sym_name for op in module.walk() if isinstance(op, Shared)} - used


def _compare(
    level: Level, module: Op, entry: str, function: Op, arguments: Mapping[str, Any], state: Mapping[str, Any],
    wanted: Mapping[str, Any], tolerances: Mapping[str, Tolerance],
) -> LevelReport:  # fmt: skip
    try:
        got = _outcome(level, module, entry, function, arguments, state)
    except TirError as error:
        return LevelReport(level.name, f"fails: {error}")
    if got.keys() != wanted.keys():
        missing, extra = sorted(wanted.keys() - got.keys()), sorted(got.keys() - wanted.keys())
        return LevelReport(level.name, f"gives other results: {missing} are missing, {extra} are new")
    for name, want in wanted.items():
        difference = first_difference(want, got[name], tolerances[name])
        if difference is not None:
            return LevelReport(level.name, f"{name}{'' if difference.startswith('[') else ': '}{difference}")
    return LevelReport(level.name, None, len(wanted))


def _outcome(
    level: Level, module: Op, entry: str, function: Op, arguments: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """The results and, as `@name`, the shared variables behind one call; as `first @name` their first values."""
    exe = executable(module, level.target, level.pipeline)
    chosen: Entry = exe.entries[entry]
    used = [name for name in exe.state if name in state]
    found = {f"first @{name}": exe.state[name] for name in used}
    for name in used:
        exe.state[name] = state[name]
    found |= {name: np.array(value) for name, value in run_entry(exe, chosen, function, arguments).items()}
    found |= {f"@{name}": exe.state[name] for name in used}
    return {name: widened(value) for name, value in found.items()}


def report_text(reports: list[LevelReport]) -> str:
    """A table: a line for each level."""
    width = max(len(report.level) for report in reports)
    lines = []
    for i, report in enumerate(reports):
        found = report.difference or (f"reference, {report.compared} values" if i == 0 else "ok")
        lines.append(f"{report.level:{width}}  {found}")
    return "\n".join(lines)
