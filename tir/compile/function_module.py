"""Theano's place of what a function is."""

from tir.graph.errors import UnusedInputError
from tir.graph.function import Function

__all__ = ["Function", "UnusedInputError"]
