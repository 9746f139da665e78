"""The table as a picture: how many times as fast as the best peer tir is, a bar for each workload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.table import Row

__all__ = ["draw"]

_FASTER, _SLOWER = "#2a7f62", "#b5483a"


def draw(table: Sequence[Row], file: Path) -> None:
    """Writes the picture; its kind is that of the file's name. Needs matplotlib, of the extra `demo`."""
    import matplotlib  # noqa: PLC0415  (an optional package)

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    bars = [(row, speed) for row in table if (speed := row.speed()) is not None]
    figure, axes = pyplot.subplots(figsize=(8, 0.24 * len(bars) + 1.2))
    places = range(len(bars))
    axes.barh(places, [speed - 1 for _, speed in bars], left=1, color=[_SLOWER if s < 1 else _FASTER for _, s in bars])
    axes.set_yticks(places, [f"{row.id}  ({row.best()[0]})" for row, _ in bars], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("time of the best peer / time of tir")
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)
