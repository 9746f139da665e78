"""Theano's place of sigmoids: `from tir.tensor.nnet.sigm import hard_sigmoid`."""

from tir.tensor.nnet.activations import hard_sigmoid, sigmoid, softplus, ultra_fast_sigmoid

__all__ = ["hard_sigmoid", "sigmoid", "softplus", "ultra_fast_sigmoid"]
