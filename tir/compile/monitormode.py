"""Theano's place of `MonitorMode`."""

from tir.graph.monitoring import MonitorMode

__all__ = ["MonitorMode"]
