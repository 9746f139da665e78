"""Ops in Python, as Theano's documentation shows them: `perform`, `grad`, `R_op`, `element`, `as_op`, `OpFromGraph`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tir.gradient import DisconnectedType

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


class Repeated(Double):
    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        output_storage[0][0] = np.concatenate([inputs[0], inputs[0]])

    def infer_shape(self, node: Any, shapes: Any) -> Any:
        return [(2 * shapes[0][0],)]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_a_loop_stacks_what_an_op_says_the_sizes_of(mode: str) -> None:
    x = T.dmatrix("x")
    flipped = tir.as_op(itypes=[T.dvector], otypes=[T.dvector], infer_shape=lambda node, shapes: shapes)(lambda row: row[::-1])
    for step, expected in [
        (lambda row: Double()(row) + 1, 2 * X + 1), (lambda row: Repeated()(row), np.concatenate([X, X], axis=1)),
        (lambda row: ScaledCube(2.0)(row), 2 * X**3), (flipped, X[:, ::-1]), (lambda row: T.opt.Assert()(row, T.ge(row.sum(), 0)), X),
    ]:  # fmt: skip
        rows, _ = tir.scan(step, sequences=x)
        np.testing.assert_allclose(tir.function([x], rows, mode=mode)(X), expected)
    rows, _ = tir.scan(lambda row: Double()(row), sequences=x)
    np.testing.assert_array_equal(tir.function([x], T.grad(rows.sum(), x), mode=mode)(X), np.full_like(X, 2))


@pytest.mark.parametrize(("shapes", "message"), [
    ([(3,), (4,)], "Sized: infer_shape must give a list of 1, got 2"), (None, "Sized: infer_shape must give a list of 1, got None"),
    ([4], "Sized: infer_shape must give a tuple of sizes for each output, got 4"), ([(4, 3)], "needs 1 size for tensor<?xf64>, got 2"),
    ([(7,)], "axis 0 of x must have the size of axis 0 of the result, got 8 and 7|axis 0 of x must have size 7, got 8"),
])  # fmt: skip
def test_sizes_that_an_op_does_not_have_are_told(shapes: Any, message: str) -> None:
    class Sized(Repeated):
        def infer_shape(self, node: Any, given: Any) -> Any:
            return shapes

    x = T.dmatrix("x")
    with pytest.raises(tir.TirError) as caught:
        tir.function([x], tir.scan(lambda row: Sized()(row), sequences=x)[0])(X)
    assert any(one in str(caught.value) for one in message.split("|")) and "test_user_ops.py" in str(caught.value)


def test_variable_of_an_op_has_its_name() -> None:
    x = T.dmatrix("x")
    y = Double()(x)
    assert (str(y), repr(ScaledCube(2.0)(x)), repr(y.owner)) == ("Double.0", "ScaledCube.0", "Double(x)")


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


def raising(error: Exception) -> type[tir.Op]:
    class Raises(Double):
        def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
            raise error

    return Raises


class NoneAsGradient(Double):
    def grad(self, inputs: Any, output_grads: Any) -> list[Any]:
        return [None]


class GradientOfAnotherRank(Double):
    def grad(self, inputs: Any, output_grads: Any) -> list[Any]:
        return [output_grads[0].sum()]


class GradientAlone(Double):
    def grad(self, inputs: Any, output_grads: Any) -> Any:
        return output_grads[0]


WRONG = [
    (WritesItsInput, "WritesItsInput: perform ended with ValueError: assignment destination is read-only"),
    (Exhausted, "Exhausted: perform ended with StopIteration: "),
    (raising(ValueError("no such row")), "Raises: perform ended with ValueError: no such row"),
    (raising(ZeroDivisionError("division by zero")), "Raises: perform ended with ZeroDivisionError: division by zero"),
    (raising(np.linalg.LinAlgError("singular")), "Raises: perform ended with LinAlgError: singular"),
    (raising(IndexError("row 9")), "Raises: perform ended with IndexError: row 9"),
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
    cause = caught.value.__cause__
    assert cause is None or cause is not caught.value
    if "perform ended with" in message:
        assert f"{type(cause).__name__}: {cause}" in message


GRADIENTS = [
    (GivesNothing, "GivesNothing has no gradient: it needs grad, or L_op"),
    (TwoGradients, "TwoGradients: grad must give a list of 1, got 2"),
    (GradientAlone, "GradientAlone: grad must give a list of 1, got <tensor<?x?xf64>>"),
    (NoneAsGradient, "NoneAsGradient: grad must give an expression of 2 axes for input 0, got None; T.zeros_like(x) says that it is 0"),
    (GradientOfAnotherRank, "GradientOfAnotherRank: grad must give an expression of 2 axes for input 0, got tensor<f64>"),
]


@pytest.mark.parametrize(("op", "message"), GRADIENTS, ids=[op.__name__ for op, _ in GRADIENTS])
def test_wrong_gradients(op: type[tir.Op], message: str) -> None:
    x = T.dmatrix("x")
    with pytest.raises(tir.TirError) as caught:
        tir.function([x], T.grad(op()(x).sum(), x))(X)
    assert message in str(caught.value) and "test_user_ops.py" in str(caught.value)


def test_op_without_a_gradient_is_told_where_the_gradient_is_asked_for() -> None:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    rows, _ = tir.scan(lambda row: tir.as_op([T.dvector], [T.dscalar])(np.sum)(row), sequences=x)
    for cost, message in [(GivesNothing()(x).sum(), "GivesNothing has no"), (rows.sum(), "FromFunctionOp{sum} has no gradient")]:
        with pytest.raises(tir.TirError) as caught:
            T.grad(cost, x)
        assert message in str(caught.value) and "test_user_ops.py" in str(caught.value)
        T.grad(cost + (y**2).sum(), y)  # nothing of it depends on the op
        T.grad((x * cost).sum(), x, consider_constant=[cost])


class OfOneInput(SumAndDifference):
    def L_op(self, inputs: Any, outputs: Any, output_grads: Any) -> list[Any]:
        return [output_grads[0] * 5, DisconnectedType()()]


def test_input_that_the_result_does_not_depend_on() -> None:
    x, y = T.dmatrices("x", "y")
    by_x, by_y = tir.function([x, y], T.grad(OfOneInput()(x, y)[0].sum(), [x, y]))(X, X)
    assert (by_x == 5).all() and (by_y == 0).all()


def test_wrong_applications() -> None:
    x, v = T.dmatrix("x"), T.dvector("v")
    for program, message in [
        (lambda: NoPerform()(x, x), "NoPerform: takes 1 input, got 2"),
        (lambda: NoPerform()(v), "NoPerform: input 0 must have type tensor<?x?xf64>, got tensor<?xf64>"),
        (lambda: tir.Op()(x), "needs make_node, or itypes and otypes"),
        (lambda: tir.Apply(Double(), [X], [x]), "Apply: inputs and outputs are variables, got array("),
        (lambda: tir.OpFromGraph([x], [x])(x, x), "OpFromGraph: takes 1 input, got 2"),
    ]:
        with pytest.raises(tir.TirError) as caught:
            program()
        assert message in str(caught.value)
