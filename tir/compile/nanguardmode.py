"""Theano's place of `NanGuardMode`."""

from tir.graph.modes import NanGuardMode

__all__ = ["NanGuardMode"]
