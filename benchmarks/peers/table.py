"""The table of cells as text: times, tir's ratio to the best peer, its distance to the limit, means of families, notes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.contestant import LIMITS
from benchmarks.peers.workloads import FAMILIES, workloads

__all__ = ["Row", "families", "read_cells", "rows", "text"]


@dataclass
class Row:
    """A workload and its cells by peer."""

    id: str
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)

    def seconds(self, peer: str) -> float | None:
        """None where there is no right result."""
        cell = self.cells.get(peer, {})
        return cell["seconds"] if cell.get("status") == "ok" else None

    def best(self) -> tuple[str, float] | None:
        """The fastest peer that is right, and its time."""
        times = {peer: self.seconds(peer) for peer in self.cells if peer != "tir" and peer not in LIMITS}
        right = {peer: seconds for peer, seconds in times.items() if seconds is not None}
        return min(right.items(), key=lambda item: item[1]) if right else None

    def speed(self) -> float | None:
        """How many times as fast as the best peer tir is."""
        own, best = self.seconds("tir"), self.best()
        return None if own is None or best is None else best[1] / own

    def distance(self) -> tuple[str, float] | None:
        """The nearest limit, and how many times its time tir takes."""
        own = self.seconds("tir")
        limits = {name: seconds for name in LIMITS if (seconds := self.seconds(name)) is not None}
        if own is None or not limits:
            return None
        name = max(limits, key=lambda name: limits[name])
        return name, own / limits[name]


def read_cells(file: Path) -> list[dict[str, Any]]:
    """The cells of a file of JSON lines."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def rows(cells: Iterable[dict[str, Any]]) -> list[Row]:
    """The cells by workload, in the order of `workloads`; of two of one workload and peer the later one counts."""
    found = {id: Row(id) for id in workloads()}
    for cell in cells:
        found[cell["workload"]].cells[cell["peer"]] = cell
    return [row for row in found.values() if row.cells]


def families(table: Sequence[Row]) -> dict[str, float]:
    """The geometric mean of tir's speeds in each family that has some."""
    found = {}
    for letter in FAMILIES:
        speeds = [speed for row in table if row.id[0] == letter and (speed := row.speed()) is not None]
        if speeds:
            found[letter] = math.exp(sum(map(math.log, speeds)) / len(speeds))
    return found


def text(table: Sequence[Row]) -> str:
    """The whole table, with a note on each cell that has no time."""
    peers = list(dict.fromkeys(peer for row in table for peer in row.cells if peer not in LIMITS))
    lines = [_line("", "", peers, "best/tir", "over limit")]
    notes: dict[str, list[str]] = {}
    for row in table:
        cells = [_time(row.cells.get(peer)) for peer in peers]
        lines.append(_line(row.id, workloads()[row.id].title, cells, _speed(row), _distance(row)))
        for peer, cell in row.cells.items():
            if note := cell.get("note"):
                notes.setdefault(f"{peer}: {note}", []).append(row.id)
    lines += ["", "geometric means of best/tir:"]
    lines += [f"  {FAMILIES[letter]:24} {mean:6.2f}x" for letter, mean in families(table).items()]
    if notes:
        lines += ["", "notes:", *(f"  {note} ({', '.join(ids)})" for note, ids in notes.items())]
    return "\n".join(lines)


def _line(id: str, title: str, cells: Sequence[str], speed: str, distance: str) -> str:
    return f"{id:16} {title[:38]:38} " + " ".join(f"{cell:>11}" for cell in cells) + f" {speed:>20} {distance:>12}"


def _time(cell: dict[str, Any] | None) -> str:
    """The time with three digits; `~` marks a spread of over 30 %."""
    if cell is None or cell["status"] in ("no", "failed"):
        return "-"
    if cell["status"] == "wrong":
        return "wrong"
    return ("~" if cell["spread"] > 0.3 else "") + time_text(cell["seconds"])


def time_text(seconds: float) -> str:
    """Such as `1.23 ms`."""
    unit, scale = next((pair for pair in (("s", 1), ("ms", 1e3), ("us", 1e6)) if seconds * pair[1] >= 1), ("ns", 1e9))
    return f"{seconds * scale:.3g} {unit}"


def _speed(row: Row) -> str:
    best, speed = row.best(), row.speed()
    return "-" if best is None or speed is None else f"{speed:.2f}x {best[0]}"


def _distance(row: Row) -> str:
    found = row.distance()
    return "-" if found is None else f"{found[1]:.2f}x {found[0]}"
