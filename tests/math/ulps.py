"""Units in the last place, at numbers of mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

__all__ = ["ulp"]


def ulp(number: Any, numpy_type: Any = np.float64) -> Any:
    """How far apart the numbers of the format are there."""
    info = np.finfo(numpy_type)
    return mpmath.ldexp(1, max(mpmath.frexp(number)[1] - info.nmant - 1, info.minexp - info.nmant))
