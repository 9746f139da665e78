"""`T.nnet`: activations, losses, convolutions and normalization of networks."""

from typing import Any

from tir.tensor.missing import missing
from tir.tensor.nnet import abstract_conv, bn, conv, neighbours, nnet, sigm
from tir.tensor.nnet.abstract_conv import (
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_grad_wrt_weights,
    conv2d_transpose,
    conv3d,
    separable_conv2d,
)
from tir.tensor.nnet.activations import *  # noqa: F403
from tir.tensor.nnet.activations import __all__ as _activations
from tir.tensor.nnet.bn import batch_normalization

__all__ = [
    *_activations, "abstract_conv", "batch_normalization", "bn", "conv", "conv2d", "conv2d_grad_wrt_inputs",
    "conv2d_grad_wrt_weights", "conv2d_transpose", "conv3d", "neighbours", "nnet", "separable_conv2d", "sigm",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise missing(__name__, name, __all__)
