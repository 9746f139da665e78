"""Theano's place of the classes of variables."""

from tir.graph.shared import SharedVariable as TensorSharedVariable
from tir.graph.variable import Constant as TensorConstant
from tir.graph.variable import Variable as TensorVariable

__all__ = ["TensorConstant", "TensorSharedVariable", "TensorVariable"]
