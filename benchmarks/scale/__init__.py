"""Modules of 1,000, 10,000 and 100,000 ops through parser, verifier, printer and passes: op/s, and memory by op.

    python -m benchmarks scale            all three sizes
    python -m benchmarks scale 10000      one

tir alone on its own modules, with the targets beside it; then tir, xDSL and upstream MLIR (its Python bindings) in turns
on one text in generic form, of ops that all three know. Each measurement is a process of its own; medians of several.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

__all__ = ["run"]

SIZES = (1_000, 10_000, 100_000)
OWN = ("straight line", "varied", "gradient of a chain", "gradient of a wide sum")
TARGETS = {  # op/s
    "parse": 50_000, "parse generic": 50_000, "verify": 100_000, "print": 300_000, "print generic": 300_000,
    "walk": 200_000, "cse": 20_000, "cse, nothing to do": 200_000, "canonicalize": 20_000,
}  # fmt: skip
MOST_BYTES = 1000  # by op
ENOUGH = 10_000  # ops, for the memory of the process to say something
PEERS = {"xdsl": "xDSL", "upstream": "upstream"}
LARGEST = {"xdsl": 10_000}  # at 100,000 it would take some ten minutes
NUMBERS = ("ops", "resident bytes", "traced bytes", "parse and verify")

Found = dict[str, Any]


def run(*sizes: int) -> None:
    for n in sizes or SIZES:
        for kind in OWN:
            print(_own(kind, n), flush=True)
        print(_beside_peers(n), flush=True)


def _own(kind: str, n: int) -> str:
    """The table of tir's own numbers."""
    found = _medians([_measured("tir", kind, n) for _ in range(_rounds(n))])
    traced = _measured("tir traced", kind, n)["traced bytes"]
    ops = found["ops"]
    lines = [f"{kind}, {ops:,.0f} ops"]
    for step, seconds in found.items():
        if step not in NUMBERS:
            target = f"   target {TARGETS[step]:,}" if step in TARGETS else ""
            lines.append(f"  {step:32} {ops / seconds:12,.0f} op/s{target}")
    lines.append(f"  {'memory, traced':32} {traced / ops:12,.0f} bytes an op   target at most {MOST_BYTES:,}")
    if n >= ENOUGH:
        lines.append(f"  {'memory, resident':32} {found['resident bytes'] / ops:12,.0f} bytes an op")
    return "\n".join(lines)


def _beside_peers(n: int) -> str:
    """The table of the three tools on one text."""
    tools = ["tir", *(tool for tool in PEERS if n <= LARGEST.get(tool, n))]
    rounds: dict[str, list[Found]] = {tool: [] for tool in tools}
    for _ in range(_rounds(n)):  # in turns, so that a busy machine is unfair to none
        for tool in tools:
            rounds[tool].append(_measured(tool, "common", n))
    notes = [f"  {PEERS[tool]} is not run at this size: it would take minutes" for tool in PEERS if tool not in tools]
    missing = {tool: found[0]["missing"] for tool, found in rounds.items() if "missing" in found[0]}
    notes += [f"  {PEERS[tool]} is not installed: {why}" for tool, why in missing.items()]
    medians = {tool: _medians(found) for tool, found in rounds.items() if tool not in missing}
    ops = medians["tir"]["ops"]
    lines = [f"one text in generic form for all, {ops:,.0f} ops; in brackets how many times as fast tir is", *notes]
    for step in medians["tir"]:
        if step not in ("ops", "resident bytes", "parse generic"):
            cells = [_cell(step, tool, found, medians["tir"]) for tool, found in medians.items()]
            lines.append(f"  {step:32} {''.join(cells)}")
    by_tool = ", ".join(f"{PEERS.get(t, t)} {found['resident bytes'] / ops:,.0f}" for t, found in medians.items())
    return "\n".join([*lines, f"  memory, resident, bytes an op: {by_tool}" if n >= ENOUGH else ""])


def _cell(step: str, tool: str, found: Found, ours: Found) -> str:
    # Upstream's parser verifies as it goes.
    seconds = found.get("parse" if tool == "upstream" and step == "parse and verify" else step)
    if seconds is None:
        return f"{PEERS[tool]:>10} -"
    ratio = f" ({seconds / ours[step]:,.2f}x)" if tool != "tir" else ""
    return f"{PEERS.get(tool, tool):>10} {ours['ops'] / seconds:10,.0f} op/s{ratio}"


def _medians(rounds: list[Found]) -> Found:
    found = {step: statistics.median(one[step] for one in rounds) for step in rounds[0]}
    if "verify" in found:
        found["parse and verify"] = found["parse"] + found["verify"]
    return found


def _rounds(n: int) -> int:
    return 3 if n <= 10_000 else 2


def _measured(tool: str, kind: str, n: int) -> Found:
    command = [sys.executable, "-m", "benchmarks.scale.worker", tool, kind, str(n)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
