"""Theano's place of activations and losses: `from tir.tensor.nnet.nnet import softmax`."""

from tir.tensor.nnet.activations import *  # noqa: F403
from tir.tensor.nnet.activations import __all__ as __all__
