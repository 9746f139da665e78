"""Theano's place of `RandomStreams`: `from tir.tensor.shared_randomstreams import RandomStreams`."""

from tir.tensor.random import RandomStreams

__all__ = ["RandomStreams"]
