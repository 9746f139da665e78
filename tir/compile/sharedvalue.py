"""Theano's place of shared variables."""

from tir.graph.shared import SharedVariable, shared

__all__ = ["SharedVariable", "shared"]
