"""Theano's place of `DebugMode`."""

from tir.graph.modes import DebugMode, DebugModeError

__all__ = ["DebugMode", "DebugModeError"]
