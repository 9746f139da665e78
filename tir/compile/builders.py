"""Theano's place of `OpFromGraph`."""

from tir.graph.user_ops import OpFromGraph

__all__ = ["OpFromGraph"]
