"""Theano's place of the class of shared variables."""

from tir.graph.shared import SharedVariable as TensorSharedVariable
from tir.graph.shared import shared

__all__ = ["TensorSharedVariable", "shared"]
