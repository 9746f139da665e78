"""`T.signal.conv.conv2d`: convolutions of images and filters without channels."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.tensor.nnet import convolution

__all__ = ["conv2d"]


@located
def conv2d(
    input: Any, filters: Any, image_shape: Any = None, filter_shape: Any = None, border_mode: Any = "valid",
    subsample: Any = (1, 1), **options: Any,
) -> Tensor:  # fmt: skip
    """The convolution of an image, or of each of several, with a filter, or with each of several."""
    x, w = b.tensor(input), b.tensor(filters)
    for label, value in (("the images", x), ("the filters", w)):
        if value.type.rank not in (2, 3):
            raise GraphTypeError(f"{label} must have 2 or 3 axes, got {value.type}")
    single = [axis for axis, value in enumerate((x, w)) if value.type.rank == 2]
    images, kernels = (b.expand_dims(value, [1] if value.type.rank == 3 else [0, 1]) for value in (x, w))
    of_images, of_kernels = _with_channel(image_shape), _with_channel(filter_shape)
    found = convolution.conv2d(images, kernels, of_images, of_kernels, border_mode, subsample)
    return b.squeeze(found, single) if single else found


def _with_channel(given: Any) -> Any:
    """The shape hint of images or filters, with the axis of channels."""
    if given is None:
        return None
    sizes = list(given)
    return [*(sizes[:-2] or [1]), 1, *sizes[-2:]]
