"""The errors of symbolic programs: each is a `TirError`, and what Python or Theano calls that mistake."""

from __future__ import annotations

from tir.ir.errors import TirError

__all__ = [
    "DisconnectedInputError", "GradientError", "GraphTypeError", "GraphValueError", "MissingInputError", "UnusedInputError",
]  # fmt: skip


class GraphTypeError(TirError, TypeError):
    """Something is of the wrong kind: a variable of another type, or no variable at all."""


class GraphValueError(TirError, ValueError):
    """Something of the right kind that does not fit."""


class UnusedInputError(TirError, ValueError):
    """An input of a function that nothing uses."""


class MissingInputError(TirError, ValueError):
    """An output depends on a variable that is no input."""


class DisconnectedInputError(TirError, ValueError):
    """A gradient by something that the cost does not depend on."""


class GradientError(TirError):
    """A gradient that differences contradict."""
