"""Theano's old place of `conv2d`: `tensor.nnet.conv.conv2d(input, filters, image_shape=.., filter_shape=..)`."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.graph import located
from tir.tensor.nnet import convolution

__all__ = ["conv2d"]


@located
def conv2d(
    input: Any, filters: Any, image_shape: Any = None, filter_shape: Any = None, border_mode: Any = "valid",
    subsample: Any = (1, 1), **options: Any,
) -> Tensor:  # fmt: skip
    """As `tensor.nnet.conv2d`, with the keywords that it had in 2010."""
    return convolution.conv2d(input, filters, image_shape, filter_shape, border_mode, subsample)
