"""Theano's module of loops: `from tir.scan_module import until`."""

from tir.graph.scan import foldl, foldr, map, reduce, scan, until

__all__ = ["foldl", "foldr", "map", "reduce", "scan", "until"]
