"""`T.nnet`: activations, losses, convolutions of networks."""

from tir.tensor.nnet import conv
from tir.tensor.nnet.activations import (
    binary_crossentropy,
    categorical_crossentropy,
    crossentropy_softmax_1hot,
    crossentropy_softmax_1hot_with_bias,
    elu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    logsoftmax,
    relu,
    selu,
    sigmoid,
    sigmoid_binary_crossentropy,
    softmax,
    softmax_with_bias,
    softplus,
    softsign,
    ultra_fast_sigmoid,
)
from tir.tensor.nnet.convolution import conv2d, conv2d_transpose, conv3d, separable_conv2d

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "conv", "conv2d", "conv2d_transpose", "conv3d",
    "crossentropy_softmax_1hot", "crossentropy_softmax_1hot_with_bias", "elu", "hard_sigmoid", "leaky_relu", "log_softmax",
    "logsoftmax", "relu", "selu", "separable_conv2d", "sigmoid", "sigmoid_binary_crossentropy", "softmax",
    "softmax_with_bias", "softplus", "softsign", "ultra_fast_sigmoid",
]  # fmt: skip
