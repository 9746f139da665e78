"""Training from text: an entry is run over mini-batches of the first axis, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tir.cli.common import CommandLineError
from tir.cli.progress import Progress, duration_text
from tir.cli.session import named_results
from tir.compile import Entry, Executable
from tir.dialects.tir.random import philox
from tir.ir.affine import AffineName
from tir.ir.errors import TirError
from tir.ir.types import DYNAMIC, Dim, ShapedType, Type
from tir.lazy import np

__all__ = ["Schedule", "batched_names", "shuffled", "train"]


@dataclass(frozen=True)
class Schedule:
    """How often and in which pieces the rows are seen.

    batch: rows a step (None: all at once; the last step of an epoch takes what is left). shuffle: a seed for another
    order of the rows in each epoch, the same on each run and machine; None keeps the order of the file.
    """

    epochs: int = 1
    batch: int | None = None
    shuffle: int | None = None


def train(
    exe: Executable, entry: Entry, arguments: Mapping[str, Any], schedule: Schedule,
    after_epoch: Callable[[int], str] | None = None, *, quiet: bool = False,
) -> dict[str, float]:  # fmt: skip
    """Runs the entry over all batches of all epochs; the means of its scalar results over the rows of the last epoch.

    Arguments that share the first open size of the entry (`[B]` or `?`) are cut into batches, others passed whole.
    after_epoch: says what to print behind an epoch. quiet: no progress on standard error.
    """
    names = batched_names(entry)
    rows = _row_count(names, arguments)
    batch = min(schedule.batch or rows, rows)
    bar = Progress(schedule.epochs * -(-rows // batch), quiet=quiet)
    means: dict[str, float] = {}
    for epoch in range(1, schedule.epochs + 1):
        sums: dict[str, float] = {}
        seen = 0
        for taken in _pieces(rows, batch, schedule.shuffle, epoch):
            given = {name: value[taken] if name in names else value for name, value in arguments.items()}
            results = named_results(entry, exe.call(entry.name, given))
            count = len(given[names[0]])
            seen += count
            for name, value in _scalars(results).items():
                sums[name] = sums.get(name, 0.0) + value * count
            means = {name: total / seen for name, total in sums.items()}
            bar.advance(_line(epoch, schedule.epochs, means))
        bar.milestone(_line(epoch, schedule.epochs, means))
        if after_epoch is not None and (text := after_epoch(epoch)):
            bar.note(text)
    bar.close(f"{bar.done} steps in {duration_text(bar.seconds)}, {1e6 * bar.seconds / bar.done:.0f} us a step")
    return means


def _pieces(rows: int, batch: int, shuffle: int | None, epoch: int) -> Iterator[Any]:
    """What to take of the rows for each step of an epoch: slices, or positions."""
    order = None if shuffle is None else shuffled(rows, shuffle, epoch)
    for start in range(0, rows, batch):
        taken = slice(start, start + batch)
        yield taken if order is None else order[taken]


def batched_names(entry: Entry) -> list[str]:
    """The arguments that are cut into batches: those whose first size is the first open one of the entry."""
    firsts = [(p.name, dim) for p in entry.parameters if (dim := _first_size(p.type)) is not None]
    if not firsts:
        types = ", ".join(f"{p.name}: {p.type}" for p in entry.parameters) or "no arguments"
        raise CommandLineError(f"@{entry.name} cannot be run on batches: no first size is open ([B] or ?): {types}")
    return [name for name, dim in firsts if dim == firsts[0][1]]


def _first_size(type: Type) -> Dim | None:
    """The first size, if run time decides it."""
    dim = type.shape[0] if isinstance(type, ShapedType) and type.rank else None
    return dim if dim is DYNAMIC or isinstance(dim, AffineName) else None


def _row_count(names: list[str], arguments: Mapping[str, Any]) -> int:
    for name in names:
        if not np.ndim(arguments[name]):
            raise TirError(f"argument '{name}' has no axis to take batches from")
    rows = {name: len(arguments[name]) for name in names}
    first = names[0]
    for name, count in rows.items():
        if count != rows[first]:
            raise TirError(f"argument '{name}': axis 0 must have size {rows[first]}, as '{first}' has, got {count}")
    if rows[first] == 0:
        raise TirError(f"argument '{first}': there are no rows to run on")
    return rows[first]


def shuffled(rows: int, seed: int, epoch: int) -> Any:
    """A permutation of 0 .. rows - 1, by sorting Philox bits: not numpy's, whose order may change with its version."""
    words = (np.asarray(word, np.uint64) for word in (seed & 0xFFFFFFFF, epoch & 0xFFFFFFFF))
    counter = np.arange(rows, dtype=np.uint64)
    zero = np.zeros_like(counter)
    bits = philox((counter, zero, zero, zero), tuple(words))  # type: ignore[arg-type]
    return np.argsort(bits[0] << np.uint64(32) | bits[1], kind="stable")


def _scalars(results: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in results.items() if np.ndim(value) == 0}


def _line(epoch: int, epochs: int, means: Mapping[str, float]) -> str:
    shown = "".join(f"  {name} {value:.4f}" for name, value in list(means.items())[:3])
    return f"epoch {epoch}/{epochs}{shown}"
