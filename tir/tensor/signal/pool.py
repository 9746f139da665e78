"""`T.signal.pool`: pooling over the last two or three axes.

ignore_border: True leaves out windows that reach beyond the border; without it they are kept (Theano's default). Of equal
largest elements all get the whole gradient. mode: "max", "sum", "average_inc_pad" or "average_exc_pad".
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor, told
from tir.dialects.tir.window import WindowAxis
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.ir.errors import counted, nearest

__all__ = ["max_pool_2d", "max_pool_2d_same_size", "max_pool_3d", "pool_2d", "pool_3d"]

MODES = {"sum": "one", "average_inc_pad": "padded", "average_exc_pad": "valid"}


@located
def pool_2d(
    input: Any, ws: Any = None, ignore_border: bool | None = None, stride: Any = None, pad: Any = (0, 0),
    mode: str = "max", ds: Any = None, st: Any = None, padding: Any = None,
) -> Tensor:  # fmt: skip
    """Pooling of the last two axes. ws: the window; stride: that of the window by default; ds, st, padding: old names."""
    return _pool(2, input, ws, ignore_border, stride, pad, mode, (ds, st, padding))


@located
def pool_3d(
    input: Any, ws: Any = None, ignore_border: bool | None = None, stride: Any = None, pad: Any = (0, 0, 0),
    mode: str = "max", ds: Any = None, st: Any = None, padding: Any = None,
) -> Tensor:  # fmt: skip
    """Pooling of the last three axes."""
    return _pool(3, input, ws, ignore_border, stride, pad, mode, (ds, st, padding))


def _pool(
    spatial: int, input: Any, ws: Any, ignore_border: bool | None, stride: Any, pad: Any, mode: str,
    old: tuple[Any, Any, Any],
) -> Tensor:  # fmt: skip
    x = b.tensor(input)
    window = _numbers("the window", ws if ws is not None else old[0], spatial, 1)
    given = stride if stride is not None else old[1]
    strides = window if given is None else _numbers("stride", given, spatial, 1)
    padding = _numbers("pad", old[2] if old[2] is not None else pad, spatial, 0)
    if x.type.rank < spatial:
        raise GraphTypeError(f"needs {counted(spatial, 'axis', 'axes')} or more, got {x.type}")
    if mode != "max" and mode not in MODES:
        hint = nearest(str(mode), ["max", *MODES])
        raise GraphValueError(f"mode must be one of max, {', '.join(MODES)}, got {mode!r}", hint=hint)
    if any(padding) and not ignore_border:
        raise GraphValueError(f"padding {tuple(padding)} needs ignore_border=True")
    if any(p >= k for p, k in zip(padding, window)):
        raise GraphValueError(f"padding {tuple(padding)} must be smaller than the window {tuple(window)}")
    facts: dict[str, Any] = {"low": padding, "high": padding, "ceil_mode": not ignore_border}
    if mode == "max":
        return b.max_pool(x, window, strides, ties="all", **facts)
    return b.avg_pool(x, window, strides, divisor=MODES[mode], **facts)


def _numbers(what: str, given: Any, spatial: int, least: int) -> list[int]:
    numbers = list(given) if isinstance(given, (list, tuple)) else [given] * spatial
    if len(numbers) != spatial or not all(hasattr(one, "__index__") and int(one) >= least for one in numbers):
        wanted = f"{counted(spatial, 'whole number')} of at least {least}"
        raise GraphValueError(f"{what} must be {wanted}, got {told(given)}")
    return [int(one) for one in numbers]


@located
def max_pool_2d(
    input: Any, ds: Any, ignore_border: bool | None = None, st: Any = None, padding: Any = (0, 0), mode: str = "max"
) -> Tensor:
    """`pool_2d` under its first name."""
    return pool_2d(input, ds, ignore_border, st, padding, mode)


@located
def max_pool_3d(input: Any, ds: Any, ignore_border: bool = False) -> Tensor:
    """The largest in windows of the last three axes."""
    return pool_3d(input, ds, ignore_border)


@located
def max_pool_2d_same_size(input: Any, patch_size: Any) -> Tensor:
    """x where it is the largest of its patch, 0 elsewhere."""
    from_x = b.tensor(input)
    pooled = pool_2d(from_x, patch_size, True)
    return b.max_pool_grad(from_x, pooled, _axes(patch_size))


def _axes(patch_size: Any) -> list[WindowAxis]:
    return [WindowAxis(int(n), int(n), 1, 1, 0, 0, False) for n in patch_size]
