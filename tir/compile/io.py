"""Theano's place of what inputs and outputs of functions are."""

from tir.graph.program import In, Out

__all__ = ["In", "Out"]
