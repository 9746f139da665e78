"""Theano's place of functions of parts: `from tir.tensor.subtensor import set_subtensor`."""

from tir.graph.indexing import inc_subtensor, set_subtensor, take

__all__ = ["inc_subtensor", "set_subtensor", "take"]
