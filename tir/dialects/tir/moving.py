"""Slices whose place only run time knows: `dynamic_slice` reads one, `update_slice` replaces one.

See Note [Indices out of range] in `places.py`; these two have the modes `error` and `clamp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Sized, TensorOp, fail
from tir.dialects.tir.elements import ELEMENT_TENSOR, INTEGERS
from tir.dialects.tir.places import LARGEST
from tir.ir.affine import AffineExpr, affine
from tir.ir.define import attribute, operand, result
from tir.ir.errors import counted
from tir.ir.ir import Op, Value
from tir.ir.kinds import INDEX_KIND, integer_enum, tensor_of
from tir.ir.size_rules import SizeRule, check_rules
from tir.ir.types import TensorType, Type
from tir.lazy import np

__all__ = ["OPS"]

START = tensor_of(INTEGERS, 0)
WINDOW_MODES = integer_enum(("error", "clamp"))


def _check_window(op: Op, part: TensorType, what: str) -> None:
    """VerifyError unless x has a slice of this type, and as many axes as there are starts."""
    x, starts = op.x.type, op.starts  # type: ignore[attr-defined]
    if len(starts) != x.rank or part.rank != x.rank or part.element is not x.element:
        got = f"{counted(len(starts), 'start')}, {x} and {part}"
        fail(op, f"needs a start for each axis of x, and {what} of its rank and element type, got {got}")
    for axis, (dim, size) in enumerate(zip(x.shape, part.shape)):
        if isinstance(dim, int) and isinstance(size, int) and size > dim:
            fail(op, f"axis {axis} of the slice must not be longer than that of x, got {size} and {dim}")


def _window(op: _Moving, shape: Sequence[int], part: Sequence[int], starts: Sequence[Any]) -> tuple[slice, ...]:
    """Where the slice lies in an array of this shape."""
    found = []
    for axis, (size, length, start) in enumerate(zip(shape, part, starts)):
        wanted = min(int(start), LARGEST)
        check_rules(op.start_rules(axis, affine(wanted), affine(size), affine(length)))
        first = min(max(wanted, 0), size - length)
        found.append(slice(first, first + length))
    return tuple(found)


class _Moving(TensorOp):
    """What reading and writing such a slice have in common."""

    starts: Any
    mode: Any

    def slice_rules(self, x: Sequence[AffineExpr], part: Sequence[AffineExpr]) -> list[SizeRule]:
        """What must hold of the sizes of x and of the slice."""
        return [
            SizeRule(length, "le", size, f"axis {axis} of the slice must not be longer than that of x")
            for axis, (size, length) in enumerate(zip(x, part))
        ]

    def start_rules(self, axis: int, start: AffineExpr, size: AffineExpr, length: AffineExpr) -> list[SizeRule]:
        """What must hold of a start in mode `error`."""
        if self.mode != "error":
            return []
        message = f"the start of axis {axis} must be at most the size of x less that of the slice"
        first = SizeRule(start, "ge", affine(0), f"the start of axis {axis} must be at least 0")
        return [first, SizeRule(start, "le", size - length, message)]


class DynamicSlice(_Moving, Sized):
    """The slice of x, of the size that the result type says, that begins at `starts`: 0-d integers, one for each axis.

    `tir.dynamic_slice %x at %i, %j : tensor<?x4xf32> -> tensor<2x4xf32>`. A start that leaves no room for the slice is
    an error at run time; `mode clamp` moves it to the nearest one that does, as in StableHLO. A negative start is no
    exception. Gradient: g at this place, 0 elsewhere.
    """

    name = "tir.dynamic_slice"
    x = operand(ELEMENT_TENSOR)
    starts = operand(START, variadic=True)
    sizes = operand(INDEX_KIND, variadic=True)
    mode = attribute(WINDOW_MODES, default="error")
    result = result(ELEMENT_TENSOR)
    format = (
        "$x (`at` $starts^)? (`mode` $mode^)? (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($x) `->` type($result)"
    )

    def tensors(self) -> list[Value]:
        return [self.x, *self.starts]

    def verify_shape(self) -> None:
        _check_window(self, self.result_type, "a result")

    def may_fail(self) -> bool:
        return self.mode == "error" or super().may_fail()

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        return self.slice_rules(shapes[0], shapes[-1])

    def compute(self, shape: tuple[int, ...], x: Any, *starts: Any) -> Any:
        return x[_window(self, np.shape(x), shape, starts)]

    def grad(self, b: Any, g: Any, x: Any, *others: Any) -> list[Any]:
        starts = others[: len(self.starts)]
        return [b.update_slice(b.full_like(x, 0), g, starts, self.mode), *[None] * len(others)]


class UpdateSlice(_Moving):
    """x with u in the place of the slice of its size that begins at `starts`: 0-d integers, one for each axis.

    `tir.update_slice %x with %u at %i, %j : tensor<?x4xf32>`. Starts and modes are those of tir.dynamic_slice.
    Gradient: of x g with 0 in this place, of u this slice of g.
    """

    name = "tir.update_slice"
    x = operand(ELEMENT_TENSOR)
    u = operand(ELEMENT_TENSOR)
    starts = operand(START, variadic=True)
    mode = attribute(WINDOW_MODES, default="error")
    result = result(ELEMENT_TENSOR)
    format = "$x `with` $u (`at` $starts^)? (`mode` $mode^)? attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        _check_window(self, self.u.type, "an update")
        return [self.x.type]

    def may_fail(self) -> bool:
        return self.mode == "error" or super().may_fail()

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        return self.slice_rules(shapes[0], shapes[1])

    def reference(self, x: Any, u: Any, *starts: Any) -> Any:
        found = np.array(x)
        found[_window(self, np.shape(x), np.shape(u), starts)] = u
        return found

    def grad(self, b: Any, g: Any, x: Any, u: Any, *starts: Any) -> list[Any]:
        whole = b.update_slice(g, b.full_like(u, 0), starts, self.mode)
        return [whole, b.dynamic_slice(g, starts, b.shape(u), self.mode), *[None] * len(starts)]


#: The ops of the family, in the order of the documentation.
OPS = (DynamicSlice, UpdateSlice)
