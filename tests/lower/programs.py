"""Small programs for tests of machine code."""

from __future__ import annotations

import numpy as np

__all__ = ["f32", "function"]

CONSTANTS = """
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
"""


def function(signature: str, body: str) -> str:
    """A function @f with these constants in front of its body."""
    return f"func.func @f{signature} {{{CONSTANTS}{body}\n}}"


def f32(*shape: int) -> np.ndarray:
    """Normal numbers, the same for each rank."""
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)
