"""Theano's place of modes."""

from tir.graph.modes import FAST_COMPILE, FAST_RUN, Mode, get_default_mode, get_mode

__all__ = ["FAST_COMPILE", "FAST_RUN", "Mode", "get_default_mode", "get_mode"]
