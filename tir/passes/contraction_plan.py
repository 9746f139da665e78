"""Which structured ops are contractions, and the part that each of their dimensions plays; part of `lower-loops`.

A contraction is C[..] += A[..] * B[..], summed over the dimensions that C lacks: products of matrices, also batched or
transposed, and of tensors, and convolutions over windows. `plan_contraction` gives the plan, which says nothing about
loops; `tile_contraction.py` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import arith, linalg
from tir.ir.affine import AffineMap
from tir.ir.ir import Value
from tir.ir.types import F32, F64, MemRefType, Type

__all__ = ["Contraction", "plan_contraction"]

OUTPUT = 2  # the operand that is C
UNKNOWN_SIZE = 1 << 20  # a size of run time counts as a large one
MANY_ROWS = 16  # more are not better
FEW_ROWS = 8  # below, a packed panel is not read often enough
DEPTH_FOR_SUMS = 128  # below, adding up the lanes costs more than packing a panel


@dataclass(frozen=True)
class Contraction:
    """C[batch, row, column] += A[batch, row, sums, depth] * B[batch, sums, depth, column], axes in any order.

    left, right: the operands that are A and B. A tile is some of `row` by some of `column`, and runs through `depth`;
    around it stand loops over `batch` (parallel) and `sums` (in order). lanes:
    the dimension that vectors lie along, `column` or `depth`. element: the type in which sums are taken; A and B may have
    narrower ones.
    """

    op: linalg.Generic
    left: int
    right: int
    row: int
    column: int
    depth: int
    batch: tuple[int, ...]
    sums: tuple[int, ...]
    lanes: int

    @property
    def packs(self) -> bool:
        """Panels of B are copied to where columns are contiguous, because in B they are not.

        Where they are, a packed panel was slower or as fast at all but one of a dozen measured shapes, 64^3 to 1024^3; it
        gained 7 % at 256x2048x2048 (rows, columns, depth).
        """
        return self.lanes == self.column and not self.is_contiguous(self.right, self.column)

    @property
    def element(self) -> Type:
        return _type(self.op, OUTPUT).element

    def size(self, dim: int) -> int | None:
        """The size of a dimension if the types say it."""
        return _static_size(self.op, dim)

    def is_contiguous(self, operand: int, dim: int) -> bool:
        """Neighbours along `dim` are neighbours in memory, along the operand's last axis."""
        return _is_contiguous(self.op, operand, dim)


def plan_contraction(op: linalg.Generic) -> Contraction | None:
    """The plan of a contraction whose tiles pay; None for other ops.

    Tiles use what they loaded many times, so there must be rows, columns and sums: a product with a vector, or of vectors,
    is as fast as the memory without them.
    """
    sums = [d for d, kind in enumerate(op.iterator_types) if kind != linalg.PARALLEL]
    column = _column(op) if sums and _is_contraction(op) else None
    if column is None:
        return None
    left = int(_shows(op, 0, column))
    row = _row(op, left)
    found = None if row is None else _lanes(op, left, row, column, sums)
    if row is None or found is None:
        return None
    depth = found if found in sums else _depth(op, left, sums)
    batch = tuple(d for d in op.maps[OUTPUT].positions() if d not in (row, column))
    return Contraction(op, left, 1 - left, row, column, depth, batch, tuple(d for d in sums if d != depth), found)


def _lanes(op: linalg.Generic, left: int, row: int, column: int, sums: list[int]) -> int | None:
    """The dimension that vectors lie along: the columns, or a sum; None: no tiles."""
    can_store = _is_contiguous(op, OUTPUT, column)
    if can_store and _is_contiguous(op, 1 - left, column):
        return column
    along = next((d for d in sums if _is_contiguous(op, left, d) and _is_contiguous(op, 1 - left, d)), None)
    rows = _size(op, row)
    if along is not None and (rows < FEW_ROWS or not can_store or _size(op, along) >= DEPTH_FOR_SUMS):
        return along
    return column if can_store and rows >= FEW_ROWS else None


def _depth(op: linalg.Generic, left: int, sums: list[int]) -> int:
    """The sum that a tile runs through: along A's rows if there is one, then the longest."""
    return max(sums, key=lambda d: (_is_contiguous(op, left, d), _size(op, d), d))


def _row(op: linalg.Generic, left: int) -> int | None:
    """The dimension of C that only A has: large enough for some tiles, and then the nearest to the columns in memory."""
    rows = [d for d in op.maps[OUTPUT].positions() if _shows(op, left, d) and not _shows(op, 1 - left, d)]
    found = max(reversed(rows), key=lambda d: min(_size(op, d), MANY_ROWS), default=None)
    return found if found is not None and _size(op, found) > 1 else None


def _column(op: linalg.Generic) -> int | None:
    """C's last dimension, if only one input has it."""
    last = op.maps[OUTPUT].positions()[-1:]
    return last[0] if last and _size(op, last[0]) > 1 and _shows(op, 0, last[0]) != _shows(op, 1, last[0]) else None


# --- what is a contraction -------------------------------------------------------------------------------------------


def _is_contraction(op: linalg.Generic) -> bool:
    """`out + x * y` of buffers with strides, where C has all parallel dimensions and no other, and floats add up."""
    if len(op.inputs) != 2 or len(op.outputs) != 1 or not all(_is_strided(v) for v in op.operands):
        return False
    if not all(map.is_projected_permutation() for map in op.maps) or not _is_multiply_add(op):
        return False
    parallel = {d for d, kind in enumerate(op.iterator_types) if kind == linalg.PARALLEL}
    kinds = set(op.iterator_types) <= {linalg.PARALLEL, linalg.REDUCTION}
    return kinds and set(op.maps[OUTPUT].positions()) == parallel and _type(op, OUTPUT).element in (F32, F64)


def _is_strided(value: Value) -> bool:
    return isinstance(value.type, MemRefType) and not isinstance(value.type.layout, AffineMap)


def _is_multiply_add(op: linalg.Generic) -> bool:
    """The body is `out + x * y`, where x and y may first be widened."""
    x, y, out = op.body.arguments
    total = op.yielded[0].op
    if not isinstance(total, arith.AddF) or out not in total.operands:
        return False
    product = total.operand(1 - total.operands.index(out)).op
    if not isinstance(product, arith.MulF):
        return False
    casts = {factor.op for factor in product.operands if isinstance(factor.op, arith.ExtF)}
    sources = {factor.op.input if factor.op in casts else factor for factor in product.operands}
    return sources == {x, y} and len(op.body) == 3 + len(casts)


def _shows(op: linalg.Generic, operand: int, dim: int) -> bool:
    return dim in op.maps[operand].positions()


def _is_contiguous(op: linalg.Generic, operand: int, dim: int) -> bool:
    return op.maps[operand].positions()[-1:] == [dim] and _type(op, operand).strides_and_offset()[0][-1] == 1


def _type(op: linalg.Generic, operand: int) -> MemRefType:
    type = op.operand(operand).type
    assert isinstance(type, MemRefType)
    return type


def _size(op: linalg.Generic, dim: int) -> int:
    """The size of a dimension; one of run time counts as large."""
    size = _static_size(op, dim)
    return UNKNOWN_SIZE if size is None else size


def _static_size(op: linalg.Generic, dim: int) -> int | None:
    for operand, map in enumerate(op.maps):
        size = _type(op, operand).shape[map.positions().index(dim)] if _shows(op, operand, dim) else None
        if isinstance(size, int):
            return size
    return None
