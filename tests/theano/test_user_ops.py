"""Ops in Python, as Theano's documentation shows them: `perform`, `grad`, `R_op`, `element`, `as_op`, `OpFromGraph`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T

X = np.random.RandomState(0).rand(5, 4)


class Double(tir.Op):
    __props__ = ()

    def make_node(self, x: Any) -> tir.Apply:
        x = T.as_tensor_variable(x)
        return tir.Apply(self, [x], [x.type()])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        (x,), (z,) = inputs, output_storage
        z[0] = x * 2

    def infer_shape(self, node: Any, shapes: Any) -> Any:
        return shapes

    def grad(self, inputs: Any, output_grads: Any) -> list[Any]:
        return [output_grads[0] * 2]

    def R_op(self, inputs: Any, eval_points: Any) -> Any:
        return None if eval_points[0] is None else self.grad(inputs, eval_points)


class ScaledCube(tir.Op):
    """k x^3 by its elements, with a gradient that is not its own, so that a test sees which one is used."""

    __props__ = ("k",)

    def __init__(self, k: float) -> None:
        self.k = k

    def make_node(self, x: Any) -> tir.Apply:
        x = T.as_tensor_variable(x)
        return tir.Apply(self, [x], [x.type()])

    def element(self, s: Any, x: Any) -> Any:
        return s.mul(s.pow(x, 3), self.k)


class WithGradient(ScaledCube):
    def grad(self, inputs: Any, output_grads: Any) -> list[Any]:
        return [output_grads[0] * 100 * inputs[0]]


class SumAndDifference(tir.Op):
    itypes, otypes = [T.dmatrix, T.dmatrix], [T.dmatrix, T.dmatrix]

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0], output_storage[1][0] = inputs[0] + inputs[1], inputs[0] - inputs[1]

    def L_op(self, inputs: Any, outputs: Any, output_grads: Any) -> list[Any]:
        return [output_grads[0] + output_grads[1], output_grads[0] - output_grads[1]]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "DebugMode"])
def test_perform_and_grad(mode: str) -> None:
    x = T.dmatrix("x")
    y = Double()(T.exp(x))
    value, slope, forward = tir.function([x], [y, T.grad(y.sum(), x), T.Rop(y, x, T.ones_like(x))], mode=mode)(X)
    np.testing.assert_allclose(value, 2 * np.exp(X), rtol=1e-15)
    np.testing.assert_allclose(slope, 2 * np.exp(X), rtol=1e-15)
    np.testing.assert_allclose(forward, 2 * np.exp(X), rtol=1e-15)


def test_state_beside_an_op_in_python() -> None:
    x, w = T.dmatrix("x"), tir.shared(np.ones((4, 2)), "w")
    cost = Double()(T.dot(x, w)).sum()
    f = tir.function([x], cost, updates=[(w, w - T.grad(cost, w))])
    np.testing.assert_allclose(f(X), 2 * (X @ np.ones((4, 2))).sum())
    np.testing.assert_allclose(w.get_value(), 1 - 2 * np.repeat(X.sum(0)[:, None], 2, 1))


def test_elements_are_compiled_and_differentiated() -> None:
    x = T.dmatrix("x")
    y = ScaledCube(2.0)(x)
    f = tir.function([x], [y, T.grad(y.sum(), x)])
    value, slope = f(X)
    np.testing.assert_allclose(value, 2 * X**3)
    np.testing.assert_allclose(slope, 6 * X**2)
    assert "call @ScaledCube" not in f.ir("loops")
    assert np.allclose(tir.function([x], T.grad(WithGradient(2.0)(x).sum(), x))(X), 100 * X)


def test_several_outputs_of_which_one_is_used() -> None:
    x, y = T.dmatrices("x", "y")
    both = SumAndDifference()(x, y)
    f = tir.function([x, y], [*both, *T.grad((both[1] * 3).sum(), [x, y])])
    total, difference, by_x, by_y = f(X, X * 2)
    np.testing.assert_allclose(total, 3 * X)
    np.testing.assert_allclose(difference, -X)
    assert (by_x == 3).all() and (by_y == -3).all()


def test_an_op_in_a_loop() -> None:
    x = T.dmatrix("x")
    h, _ = tir.scan(lambda row, before: Double()(row) + before, sequences=x, outputs_info=T.zeros_like(x[0]))
    np.testing.assert_allclose(tir.function([x], h)(X), np.cumsum(2 * X, axis=0))


def test_as_op() -> None:
    @tir.as_op(itypes=[T.dmatrix, T.dmatrix], otypes=[T.dmatrix])
    def numpy_dot(a: Any, b: Any) -> Any:
        return np.dot(a, b)

    a, b = T.dmatrices("a", "b")
    np.testing.assert_allclose(tir.function([a, b], numpy_dot(a, b) + 1)(X, X.T), X @ X.T + 1)


def test_graphs_as_ops() -> None:
    a, b, w = T.dscalars("a", "b", "w")
    s = tir.shared(10.0, "s")
    plain = tir.OpFromGraph([a, b], [a + b * s])
    own = tir.OpFromGraph([a, b], [a * b], grad_overrides=lambda inputs, g: [g[0] * 7, inputs[1]])
    f = tir.function([a, w], [plain(a, w), own(a, w), *T.grad(own(a, w), [a, w])])
    assert [float(x) for x in f(2, 3)] == [32, 6, 7, 3]


def test_equal_ops_are_one() -> None:
    assert ScaledCube(1.0) == ScaledCube(1.0) and ScaledCube(1.0) != ScaledCube(2.0)
    assert hash(ScaledCube(1.0)) == hash(ScaledCube(1.0)) and Double() == Double()
    assert str(ScaledCube(1.0)) == "ScaledCube{k=1.0}"


class NoPerform(tir.Op):
    itypes, otypes = [T.dmatrix], [T.dmatrix]


class GivesNothing(NoPerform):
    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        pass


class OfAnotherRank(NoPerform):
    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = np.zeros(3)


class TwoGradients(Double):
    def grad(self, inputs: Any, output_grads: Any) -> list[Any]:
        return [output_grads[0], output_grads[0]]


class WritesItsInput(NoPerform):
    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        inputs[0][:] = 5
        output_storage[0][0] = inputs[0] + 1


class SaysSo(WritesItsInput):
    destroy_map = {0: [0]}


class Exhausted(NoPerform):
    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = next(iter(()))


def test_an_op_that_writes_its_input_gets_a_copy() -> None:
    x, given = T.dmatrix("x"), X.copy()
    for mode in ("FAST_RUN", "DebugMode"):
        own, doubled = tir.function([x], [SaysSo()(x), x * 2], mode=mode)(given)
        np.testing.assert_array_equal(own, np.full_like(X, 6))
        np.testing.assert_array_equal(doubled, X * 2)
    np.testing.assert_array_equal(given, X)


WRONG = [
    (WritesItsInput, "read-only"),
    (Exhausted, "Exhausted: perform ended in StopIteration"),
    (NoPerform, "NoPerform: needs perform, or element"),
    (GivesNothing, "GivesNothing: perform gave nothing as output 0"),
    (OfAnotherRank, "OfAnotherRank: perform must give 2 axes as output 0, got an array of shape (3,)"),
]


@pytest.mark.parametrize(("op", "message"), WRONG, ids=[op.__name__ for op, _ in WRONG])
def test_wrong_ops(op: type[tir.Op], message: str) -> None:
    x = T.dmatrix("x")
    with pytest.raises(tir.TirError) as caught:
        tir.function([x], op()(x))(X)
    assert message in str(caught.value) and "test_user_ops.py" in str(caught.value)


def test_wrong_applications() -> None:
    x, v = T.dmatrix("x"), T.dvector("v")
    for program, message in [
        (lambda: NoPerform()(x, x), "NoPerform: takes 1 input, got 2"),
        (lambda: NoPerform()(v), "NoPerform: input 0 must have type tensor<?x?xf64>, got tensor<?xf64>"),
        (lambda: tir.Op()(x), "needs make_node, or itypes and otypes"),
        (lambda: tir.Apply(Double(), [X], [x]), "Apply: inputs and outputs are variables, got array("),
        (lambda: tir.function([x], T.grad(TwoGradients()(x).sum(), x))(X), "TwoGradients: grad must give 1 expression, got 2"),
        (lambda: tir.function([x], T.grad(GivesNothing()(x).sum(), x))(X), "has no body here"),
        (lambda: tir.OpFromGraph([x], [x])(x, x), "OpFromGraph: takes 1 input, got 2"),
    ]:
        with pytest.raises(tir.TirError) as caught:
            program()
        assert message in str(caught.value)
