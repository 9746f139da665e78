"""Rows of samples run at several levels: many in one module, because compiling each alone takes several times as long."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from tests.levels import LEVELS, modules_at
from tests.ops.samples import Sample
from tests.ops.samples.base import widened
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.tir.base import Elementwise
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.parser.parse import parse_text

__all__ = ["assert_close", "batches", "check", "findings"]

BATCH = 60  # rows in one module
SHOWN = 5


def batches(rows: Sequence[Sample]) -> dict[str, Sequence[Sample]]:
    """The rows in pieces of a size that compiles in a moment, by names that hold their ops: `-k softmax` finds them."""
    pieces = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    return {f"{i}: {' '.join(dict.fromkeys(row.op for row in piece))}": piece for i, piece in enumerate(pieces)}


def findings(rows: Sequence[Sample], levels: Sequence[str], read: Collection[str]) -> Iterator[tuple[str, Sample, str]]:
    """Each row that is wrong at a level, and how. read: the levels whose module is read back from its own text before."""
    for level, module in modules_at(_module_of(rows), levels):
        program = Executable(_read_back(module) if level in read else module, LEVELS[level][1])
        for i, row in enumerate(rows):
            (got,) = program.call(f"f{i}", row.inputs)
            try:
                numbers = widened(np.asarray(got))
                assert_close(numbers, row)
                _assert_signs(numbers, row)
            except AssertionError as error:
                yield level, row, f"{level}: {row}: {row.op} {row.text}{error}"


def check(rows: Sequence[Sample], levels: Sequence[str], read: Collection[str]) -> None:
    """Fails with the rows that are wrong."""
    wrong = [message for _, _, message in findings(rows, levels, read)]
    assert not wrong, f"{len(wrong)} wrong in {len(rows)} rows:\n" + "\n".join(wrong[:SHOWN])


def assert_close(got: np.ndarray, sample: Sample) -> None:
    """Equal bits, any nan for a nan; or within the tolerance of the sample."""
    want = sample.want
    assert got.dtype == want.dtype, f"dtype {got.dtype}, wanted {want.dtype}"
    assert got.shape == want.shape, f"shape {got.shape}, wanted {want.shape}"
    if sample.rtol == 0:
        np.testing.assert_array_equal(got, want)
        if got.dtype.kind == "f":
            numbers = ~np.isnan(want)
            np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(want)[numbers])
        return
    np.testing.assert_allclose(got, want, rtol=sample.rtol, atol=sample.atol)


def _assert_signs(got: np.ndarray, sample: Sample) -> None:
    """An element alone keeps the sign of zero, rounded or not; a sum need not."""
    if got.dtype.kind == "f" and issubclass(REGISTRY.op_class(sample.op), Elementwise):
        zeros = (got == 0) & (sample.want == 0)
        np.testing.assert_array_equal(np.signbit(got)[zeros], np.signbit(sample.want)[zeros])


def _module_of(samples: Sequence[Sample]) -> str:
    """A module with each row as a function: @f0, @f1, .."""
    return "".join(sample.module().replace("@f(", f"@f{i}(", 1) for i, sample in enumerate(samples))


def _read_back(module: Op) -> Op:
    """The module from its own text, which the generic form says too."""
    text = print_op(module)
    assert print_op(parse_text(print_op(module, generic=True), REGISTRY)) == text
    again = parse_text(text, REGISTRY)
    assert print_op(again) == text
    return again
