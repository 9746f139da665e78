"""Theano's place of `MRG_RandomStreams`: `from tir.sandbox.rng_mrg import MRG_RandomStreams`."""

from tir.tensor.random import MRG_RandomStreams

__all__ = ["MRG_RandomStreams"]
