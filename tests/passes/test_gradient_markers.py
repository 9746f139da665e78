"""`tir.stop_gradient`, `tir.grad_scale`, `tir.grad_clip`: x forward, and their own way back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import first_disagreement
from tests.passes.test_autodiff import expanded
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import TirError
from tir.parser.parse import parse_text

X = np.array([0.5, -2.0, 3.0])
PROGRAM = """func.func @main(%x: tensor<3xf64>) -> (tensor<f64>, tensor<3xf64>) {{
  %m = {marker} : tensor<3xf64>
  %q = tir.square %m : tensor<3xf64>
  %p = tir.mul %q, %x : tensor<3xf64>
  %c = tir.sum %p over [0] : tensor<f64>
  %g = tir.grad %c wrt (%x) : tensor<3xf64>
  return %c, %g : tensor<f64>, tensor<3xf64>
}}
"""
CASES = {
    "tir.stop_gradient %x": X**2,
    "tir.grad_scale %x factor(-0.5)": X**2 - 0.5 * 2 * X**2,
    "tir.grad_clip %x low(1.0) high(4.0)": X**2 + np.clip(2 * X**2, 1, 4),
}


@pytest.mark.parametrize("marker", CASES)
def test_marker_changes_the_gradient_alone(marker: str) -> None:
    text = PROGRAM.format(marker=marker)
    module = expanded(text)
    assert marker.split()[0] not in {op.name for op in module.walk()}
    cost, gradient = Interpreter(module).run("main", [X])
    np.testing.assert_allclose(cost, np.sum(X**3), rtol=1e-15)
    np.testing.assert_allclose(gradient, CASES[marker], rtol=1e-15)
    found = first_disagreement(text, [X], read_back=[])
    assert found is None, found


def test_what_a_stopped_value_is_computed_from_needs_no_gradient() -> None:
    text = """func.func @main(%x: tensor<3xf64>) -> tensor<3xf64> {
  %i = tir.argmax %x axis 0 : tensor<i64>
  %f = tir.cast %i : tensor<i64> -> tensor<f64>
  %s = tir.stop_gradient %f : tensor<f64>
  %m = tir.max %x over [0] : tensor<f64>
  %c = tir.mul %m, %s : tensor<f64>
  %g = tir.grad %c wrt (%x) : tensor<3xf64>
  return %g : tensor<3xf64>
}
"""
    # argmax lies between wrt and the cost, but behind it all is given.
    module = expanded(text)
    np.testing.assert_array_equal(Interpreter(module).run("main", [X])[0], [0.0, 0.0, 2.0])


def test_an_empty_range_is_an_error() -> None:
    with pytest.raises(TirError, match="tir.grad_clip: the range must not be empty, got 1.0 to -1.0"):
        parse_text(PROGRAM.format(marker="tir.grad_clip %x low(1.0) high(-1.0)"), REGISTRY)
