"""Theano's place of convolutions and their gradients: `conv2d_grad_wrt_inputs`, `conv2d_grad_wrt_weights`."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph import shape
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.tensor.nnet.convolution import conv2d, conv2d_transpose, conv3d, numbers_of, padding_of, separable_conv2d

__all__ = [
    "conv2d", "conv2d_grad_wrt_inputs", "conv2d_grad_wrt_weights", "conv2d_transpose", "conv3d", "separable_conv2d",
]  # fmt: skip


@located
def conv2d_grad_wrt_inputs(
    output_grad: Any, filters: Any, input_shape: Any, filter_shape: Any = None, border_mode: Any = "valid",
    subsample: Any = (1, 1), filter_flip: bool = True, filter_dilation: Any = (1, 1), num_groups: int = 1,
    unshared: bool = False,
) -> Tensor:  # fmt: skip
    """The gradient of a conv2d by its input of this shape, from that by its result."""
    return conv2d_transpose(
        output_grad, filters, input_shape, filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups
    )


@located
def conv2d_grad_wrt_weights(
    input: Any, output_grad: Any, filter_shape: Any, input_shape: Any = None, border_mode: Any = "valid",
    subsample: Any = (1, 1), filter_flip: bool = True, filter_dilation: Any = (1, 1), num_groups: int = 1,
    unshared: bool = False,
) -> Tensor:  # fmt: skip
    """The gradient of a conv2d by its filters of this shape, from that by its result."""
    x, g = b.tensor(input), b.tensor(output_grad)
    for label, value in (("the input", x), ("output_grad", g)):
        if value.type.rank != 4:
            raise GraphTypeError(f"{label} must have 4 axes, got {value.type}")
    sizes = shape.extents_of(list(filter_shape))
    kernel = numbers_of("the kernel", list(filter_shape)[2:], 2)
    strides = numbers_of("subsample", subsample, 2)
    dilations = numbers_of("filter_dilation", filter_dilation, 2)
    low, high = padding_of(border_mode, kernel, dilations, 2)
    facts = {"strides": strides, "low": low, "high": high, "w_dilations": dilations}
    groups = None if num_groups == 1 else num_groups
    return b.conv_grad_weight(x, g, sizes, flip=True if filter_flip else None, groups=groups, **facts)
