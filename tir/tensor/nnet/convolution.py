"""Convolutions, as Theano's `tensor.nnet` has them: the kernel is turned round unless `filter_flip=False`.

input: (batch, channels, rows, columns); filters: (outputs, channels, rows, columns). border_mode: "valid" (only where the
kernel fits), "full" (wherever it overlaps), "half" (half the kernel beyond each border), a number or a pair of padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.build.core import Tensor, told
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.present import type_at_present
from tir.graph.shape import constant_of, get_scalar_constant_value, specified
from tir.ir.errors import counted
from tir.ir.types import DYNAMIC

__all__ = ["conv2d", "conv2d_transpose", "conv3d", "numbers_of", "padding_of", "separable_conv2d"]


@located
def conv2d(
    input: Any, filters: Any, input_shape: Any = None, filter_shape: Any = None, border_mode: Any = "valid",
    subsample: Any = (1, 1), filter_flip: bool = True, image_shape: Any = None, filter_dilation: Any = (1, 1),
    num_groups: int = 1, unshared: bool = False, **options: Any,
) -> Tensor:  # fmt: skip
    """The convolution of images with filters; `input_shape` and `filter_shape` are checked, where they are not None."""
    if unshared:
        raise GraphTypeError("filters that differ from place to place are not there")
    shapes = input_shape if input_shape is not None else image_shape, filter_shape
    return _conv(2, input, filters, shapes, border_mode, subsample, filter_flip, filter_dilation, num_groups)


@located
def conv3d(
    input: Any, filters: Any, input_shape: Any = None, filter_shape: Any = None, border_mode: Any = "valid",
    subsample: Any = (1, 1, 1), filter_flip: bool = True, filter_dilation: Any = (1, 1, 1), num_groups: int = 1,
) -> Tensor:  # fmt: skip
    """The same in three dimensions."""
    shapes = input_shape, filter_shape
    return _conv(3, input, filters, shapes, border_mode, subsample, filter_flip, filter_dilation, num_groups)


def _conv(
    spatial: int, input: Any, filters: Any, shapes: tuple[Any, Any], border_mode: Any, strides: Any,
    flip: bool, dilations: Any, groups: int,
) -> Tensor:  # fmt: skip
    x, w = b.tensor(input), b.tensor(filters)
    for label, value in (("the input", x), ("the filters", w)):
        if value.type.rank != spatial + 2:
            hint = "x.reshape((batch, channels, rows, columns)) makes it fit" if spatial == 2 else None
            raise GraphTypeError(f"{label} must have {spatial + 2} axes, got {value.type}", hint=hint)
    x, w = (_with_shape(value, shape) for value, shape in zip((x, w), shapes))
    w = _with_kernel(w, groups)
    strides, dilations = (
        numbers_of(what, given, spatial) for what, given in (("subsample", strides), ("filter_dilation", dilations))
    )
    low, high = padding_of(border_mode, _kernel(w), dilations, spatial)
    return b.conv(x, w, strides, low, high, None, dilations, groups, flip=bool(flip))


def _with_shape(x: Tensor, shape: Any) -> Tensor:
    """x with the sizes that a hint says; run time checks those that are open."""
    if shape is None:
        return x
    sizes = [None if one is None else int(get_scalar_constant_value(one)) for one in shape]
    if len(sizes) != x.type.rank:
        raise GraphValueError(f"a shape must have {counted(x.type.rank, 'size')}, got {told(tuple(shape))}")
    for axis, (size, dim) in enumerate(zip(sizes, x.type.shape)):
        if isinstance(size, int) and isinstance(dim, int) and size != dim:
            raise GraphValueError(f"the shape says size {size} for axis {axis} of {x.type}")
    wanted = x.type.with_shape([dim if size is None else size for size, dim in zip(sizes, x.type.shape)])
    return x if wanted is x.type else specified(b, x.value, wanted)


def _with_kernel(w: Tensor, groups: int) -> Tensor:
    """Filters whose kernel has known sizes, in groups all of them: those that shared variables have now, for good."""
    first = 0 if groups != 1 else 2
    if DYNAMIC not in w.type.shape[first:]:
        return w
    sizes = type_at_present(w).shape[first:]
    if DYNAMIC in sizes:
        what = "the filters must have known sizes for groups" if first == 0 else "the kernel must have known sizes"
        message = f"{what}, got filters of {w.type}"
        raise GraphTypeError(message, hint="filter_shape=(outputs, channels, rows, columns) says them")
    return specified(b, w.value, w.type.with_shape((*w.type.shape[:first], *sizes)))


def _kernel(w: Tensor) -> list[int]:
    """The sizes of the kernel, which are known."""
    return [size for size in w.type.shape[2:] if isinstance(size, int)]


def numbers_of(what: str, given: Any, spatial: int) -> list[int]:
    """A number for each spatial axis."""
    numbers = list(given) if isinstance(given, (list, tuple)) else [given] * spatial
    known = [constant_of(one) if isinstance(one, Tensor) else one for one in numbers]
    if len(known) != spatial or not all(hasattr(one, "__index__") and int(one) >= 1 for one in known):
        raise GraphValueError(f"{what} must be {counted(spatial, 'whole number')} of at least 1, got {told(given)}")
    return [int(one) for one in known]


def padding_of(
    border_mode: Any, kernel: Sequence[int], dilations: Sequence[int], spatial: int
) -> tuple[list[int], list[int]]:
    """The padding in front of each spatial axis and behind it."""
    if border_mode == "valid":
        return [0] * spatial, [0] * spatial
    if border_mode in ("full", "half"):
        wide = [(size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations)]
        both = [size - 1 if border_mode == "full" else size // 2 for size in wide]
        return both, list(both)
    if isinstance(border_mode, int) and not isinstance(border_mode, bool):
        border_mode = (border_mode,) * spatial
    if not isinstance(border_mode, (list, tuple)) or len(border_mode) != spatial:
        message = f"border_mode must be valid, full, half, a number or {spatial} numbers, got {told(border_mode)}"
        raise GraphValueError(message)
    pairs = [(one, one) if not isinstance(one, (list, tuple)) else tuple(one) for one in border_mode]
    if not all(len(pair) == 2 and all(isinstance(n, int) and n >= 0 for n in pair) for pair in pairs):
        raise GraphValueError(f"padding must be whole numbers of at least 0, got {told(border_mode)}")
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@located
def conv2d_transpose(
    input: Any, filters: Any, output_shape: Any, filter_shape: Any = None, border_mode: Any = "valid",
    input_dilation: Any = (1, 1), filter_flip: bool = True, filter_dilation: Any = (1, 1), num_groups: int = 1,
    unshared: bool = False,
) -> Tensor:  # fmt: skip
    """The gradient of a conv2d by its input: upsamples. filters: as of that conv2d, (inputs, outputs, rows, columns)."""
    g, w = b.tensor(input), _with_shape(b.tensor(filters), filter_shape)
    w = _with_kernel(w, num_groups)
    strides = numbers_of("input_dilation", input_dilation, 2)
    dilations = numbers_of("filter_dilation", filter_dilation, 2)
    low, high = padding_of(border_mode, _kernel(w), dilations, 2)
    sizes = [b.shape(g)[0] if i == 0 and one is None else one for i, one in enumerate(output_shape)]
    groups = None if num_groups == 1 else num_groups
    facts = {"strides": strides, "low": low, "high": high, "w_dilations": dilations, "groups": groups}
    from_sizes = [one if not isinstance(one, Tensor) else b.to_index(one) for one in sizes]
    return b.conv_grad_input(w, g, from_sizes, flip=True if filter_flip else None, **facts)


@located
def separable_conv2d(
    input: Any, depthwise_filters: Any, pointwise_filters: Any, num_channels: int, input_shape: Any = None,
    depthwise_filter_shape: Any = None, pointwise_filter_shape: Any = None, border_mode: Any = "valid",
    subsample: Any = (1, 1), filter_flip: bool = True, filter_dilation: Any = (1, 1),
) -> Tensor:  # fmt: skip
    """A convolution of each channel by itself, then one of 1 x 1 that mixes them."""
    first = conv2d(
        input, depthwise_filters, input_shape, depthwise_filter_shape, border_mode, subsample, filter_flip,
        filter_dilation=filter_dilation, num_groups=num_channels,
    )  # fmt: skip
    return conv2d(first, pointwise_filters, None, pointwise_filter_shape, filter_flip=filter_flip)
