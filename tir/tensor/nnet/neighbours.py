"""Patches of images as rows of a matrix: `T.nnet.neighbours.images2neibs`, and back."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor, told
from tir.dialects.tir.window import WindowAxis
from tir.graph import shape
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located

__all__ = ["images2neibs", "neibs2images"]

MODES = ("valid", "ignore_borders", "half", "full")


@located
def images2neibs(ten4: Any, neib_shape: Any, neib_step: Any = None, mode: str = "valid") -> Tensor:
    """A row for each patch of this shape: of each image and channel, and in it by rows.

    mode: "valid" (and "ignore_borders") takes the patches that lie inside; "half" and "full" those around each element
    or with one element inside, 0 outside of the image.
    """
    x = b.tensor(ten4)
    if x.type.rank != 4:
        raise GraphTypeError(f"needs images of 4 axes, got {x.type}")
    if mode not in MODES:
        raise GraphValueError(f"the mode must be one of {', '.join(MODES)}, got {mode!r}")
    sizes = _pair("neib_shape", neib_shape)
    steps = sizes if neib_step is None else _pair("neib_step", neib_step)
    pads = [size // 2 if mode == "half" else size - 1 if mode == "full" else 0 for size in sizes]
    axes = [WindowAxis(size, step, 1, 1, pad, pad) for size, step, pad in zip(sizes, steps, pads)]
    return shape.reshape(b.windows(x, axes), (-1, sizes[0] * sizes[1]))


@located
def neibs2images(neibs: Any, neib_shape: Any, original_shape: Any, mode: str = "valid") -> Tensor:
    """The images of this shape, from patches that lie side by side: undoes `images2neibs` with its default step."""
    if mode not in MODES[:2]:
        raise GraphValueError(f"the mode must be one of {', '.join(MODES[:2])}, got {mode!r}")
    rows, columns = _pair("neib_shape", neib_shape)
    batch, channels, height, width = shape.elements_of(_vector(original_shape))
    down, across = b.floordiv(height, rows), b.floordiv(width, columns)
    patches = shape.reshape(neibs, (batch, channels, down, across, rows, columns))
    inside = shape.reshape(patches.dimshuffle(0, 1, 2, 4, 3, 5), (batch, channels, down * rows, across * columns))  # type: ignore[attr-defined]
    canvas = b.full(0, shape.extents_of((batch, channels, height, width)), inside.type.element)
    return b.update_slice(canvas, inside, [0, 0, 0, 0])


def _vector(given: Any) -> Tensor:
    return given if isinstance(given, Tensor) else b.stack([b.tensor(size) for size in given])


def _pair(name: str, given: Any) -> list[int]:
    numbers = [shape.constant_of(one) if isinstance(one, Tensor) else one for one in _listed(given)]
    if len(numbers) != 2 or not all(hasattr(one, "__index__") and int(one) >= 1 for one in numbers):
        raise GraphValueError(f"{name} must be 2 whole numbers of at least 1, got {told(given)}")
    return [int(one) for one in numbers]


def _listed(given: Any) -> list[Any]:
    if isinstance(given, Tensor):
        return list(shape.elements_of(given))
    return list(given) if isinstance(given, (list, tuple)) else [given]
