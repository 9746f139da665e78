"""`T.verify_grad`: right gradients pass, wrong ones are told with the worst element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tir.tensor as T
from tir.gradient import GradientError, numeric_grad, verify_grad

X = np.array([[0.3, -1.2], [2.1, 0.4]])


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_right_gradients_pass(dtype: str, mode: str) -> None:
    verify_grad(lambda x, y: T.dot(x, y) / 2, [X.astype(dtype), X[0].astype(dtype)], mode=mode)


def test_of_a_number_and_of_what_does_not_matter() -> None:
    T.verify_grad(lambda x, y: x**3 + 0 * y, [np.array(0.5), np.array([1.0, 2.0])], n_tests=1, mode="FAST_COMPILE")


@pytest.mark.parametrize(
    ("fun", "told"),
    [
        (lambda x: T.disconnected_grad(x) * x, r"the gradient by argument 0 at \[1, 0\] is .*, and differences give"),
        (lambda x: x * T.zero_grad(x), "4 of 4 are too far off, test 0"),
        (lambda x: T.grad_scale(x, 1.001).sum(), "the gradient by argument 0 at"),
    ],
)
def test_wrong_gradients_are_told(fun: Any, told: str) -> None:
    with pytest.raises(GradientError, match=told):
        verify_grad(fun, [X], mode="FAST_COMPILE")


def test_tolerances_can_be_given() -> None:
    verify_grad(lambda x: T.grad_scale(x, 1.001).sum(), [X], rel_tol=0.01, mode="FAST_COMPILE")
    with pytest.raises(GradientError):
        verify_grad(lambda x: T.exp(20 * x).sum(), [X], eps=0.1, mode="FAST_COMPILE")  # too coarse a step


def test_what_it_is_asked_of() -> None:
    with pytest.raises(TypeError, match="the points must be arrays of floats, got int64"):
        verify_grad(lambda x: x.sum(), [np.arange(3)])
    with pytest.raises(TypeError, match="the function must give one variable, got 3"):
        verify_grad(lambda x: 3, [X])


def test_slopes_of_a_python_function() -> None:
    found = numeric_grad(lambda x, y: (x**2).sum() * y, [X, np.array(2.0)])
    np.testing.assert_allclose(found.gf[0], 4 * X, rtol=1e-8)  # the error of a difference: 1e-16 / 1e-5
    np.testing.assert_allclose(found.gf[1], (X**2).sum(), rtol=1e-8)
    np.testing.assert_allclose(numeric_grad(lambda x: (x**2).sum(), X).gf, 2 * X, rtol=1e-8)
