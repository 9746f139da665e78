"""Theano's place of what `scan` gives beside its outputs."""

from tir.graph.scan import OrderedUpdates

__all__ = ["OrderedUpdates"]
