"""Theano's place of `as_op`."""

from tir.graph.user_ops import as_op

__all__ = ["as_op"]
