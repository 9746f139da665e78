"""Theano's place of the classes of ops: `isinstance(node.op, T.elemwise.Elemwise)`."""

from tir.dialects.tir.base import Elementwise as Elemwise
from tir.dialects.tir.reduce import Prod, Sum

__all__ = ["Elemwise", "Prod", "Sum"]
