"""Numbers that get the sign of another one on their way to f16: LLVM must call no function of a library for the sign.

It moves a rounding into a copysign in front of it, and looks for the sign in what it was rounded from, back to f64.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.lower.native import run_both

HALVES = np.array([0.274, -0.75, 0.0, -0.0, 1.0, np.inf, -np.inf, 6e-8, -65504.0], np.float16)
HEAD = "func.func @f(%size: f64, %sign: f64, %half: f16) -> f16 {\n"

BODIES = {
    "rounded behind it": """
      %0 = math.copysign %size, %sign : f64
      %1 = arith.truncf %0 : f64 to f32
      %r = arith.truncf %1 : f32 to f16""",
    "a sign that was rounded twice": """
      %0 = arith.truncf %sign : f64 to f32
      %1 = arith.truncf %0 : f32 to f16
      %2 = arith.extf %1 : f16 to f32
      %3 = arith.truncf %size : f64 to f32
      %4 = math.copysign %3, %2 : f32
      %r = arith.truncf %4 : f32 to f16""",
    "chosen behind it": """
      %0 = arith.truncf %sign : f64 to f32
      %1 = arith.truncf %0 : f32 to f16
      %2 = arith.extf %1 : f16 to f32
      %3 = arith.truncf %size : f64 to f32
      %4 = math.copysign %3, %2 : f32
      %5 = arith.cmpf olt, %size, %sign : f64
      %6 = arith.select %5, %2, %4 : f32
      %r = arith.truncf %6 : f32 to f16""",
    "of f16": """
      %0 = arith.truncf %sign : f64 to f32
      %1 = arith.truncf %0 : f32 to f16
      %r = math.copysign %half, %1 : f16""",
    "rounded to a whole number": """
      %0 = math.round %sign : f64
      %1 = arith.truncf %0 : f64 to f32
      %r = arith.truncf %1 : f32 to f16""",
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("half", HALVES, ids=str)
def test_no_function_is_called_for_the_sign(body: str, half: np.float16) -> None:
    text = f"{HEAD}{BODIES[body]}\n  return %r : f16\n}}\n"
    for sign in (half, -half):
        run_both(text, [np.float64(np.abs(half)), np.float64(sign), half])
