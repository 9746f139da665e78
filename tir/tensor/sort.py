"""Theano's place of sorting: `from tir.tensor.sort import argsort`."""

from tir.graph.sorting import argsort, argtopk, sort, topk, topk_and_argtopk

__all__ = ["argsort", "argtopk", "sort", "topk", "topk_and_argtopk"]
