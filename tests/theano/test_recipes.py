"""Nets and autoencoders as Theano's tutorials build them: each trains on small digits, and one number of it is checked.

Minibatches are chosen by an index out of shared data, labels are kept as floats and cast, parameters are lists of shared
variables.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import optimize, signal, special
from sklearn.datasets import load_digits

import tir
import tir.tensor as T
from tir.sandbox.rng_mrg import MRG_RandomStreams as RandomStreams
from tir.tensor.nnet import conv2d
from tir.tensor.signal import pool

BATCH = 100


def digits() -> tuple[Any, Any]:
    """8x8 pixels from 0 to 1 in rows, and the digits, in random order."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(pixels))
    return pixels[order] / 16, labels[order]


PIXELS, LABELS = digits()
TRAIN, VALID, TEST = slice(0, 1200), slice(1200, 1500), slice(1500, 1700)


def shared_data(part: slice) -> tuple[Any, Any]:
    """Shared pixels, and labels, which are kept as floats."""
    pixels = tir.shared(np.asarray(PIXELS[part], tir.config.floatX), borrow=True)
    return pixels, T.cast(tir.shared(np.asarray(LABELS[part], tir.config.floatX), borrow=True), "int32")


@pytest.fixture(params=["float64", "float32"])
def floatX(request: Any) -> Iterator[str]:
    with tir.config.change_flags(floatX=request.param):
        yield request.param


# --- layers ----------------------------------------------------------------------------------------------------------


class Softmax:
    """A layer of logistic regression."""

    def __init__(self, input: Any, inputs: int, outputs: int) -> None:
        self.W = tir.shared(np.zeros((inputs, outputs), tir.config.floatX), name="W", borrow=True)
        self.b = tir.shared(np.zeros(outputs, tir.config.floatX), name="b", borrow=True)
        self.p_y_given_x = T.nnet.softmax(T.dot(input, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]
        self.input = input

    def loss(self, y: Any) -> Any:
        """The mean of -log p of the digits."""
        return -T.mean(T.log(self.p_y_given_x)[T.arange(y.shape[0]), y])

    def errors(self, y: Any) -> Any:
        """The part of wrong predictions."""
        assert y.ndim == self.y_pred.ndim and y.dtype.startswith("int")
        return T.mean(T.neq(self.y_pred, y))


class Hidden:
    """A layer of sigmoids, or of another activation."""

    def __init__(self, random: Any, input: Any, inputs: int, outputs: int, activation: Callable[..., Any] = T.tanh) -> None:
        bound = np.sqrt(6.0 / (inputs + outputs)) * (4 if activation is T.nnet.sigmoid else 1)
        values = np.asarray(random.uniform(-bound, bound, (inputs, outputs)), tir.config.floatX)
        self.W = tir.shared(values, name="W", borrow=True)
        self.b = tir.shared(np.zeros(outputs, tir.config.floatX), name="b", borrow=True)
        self.output = activation(T.dot(input, self.W) + self.b)
        self.params = [self.W, self.b]


def descent(cost: Any, params: Sequence[Any], rate: Any) -> list[tuple[Any, Any]]:
    return [(param, param - rate * slope) for param, slope in zip(params, T.grad(cost, params))]


def batch_of(index: Any, x: Any, y: Any, data: tuple[Any, Any]) -> dict[Any, Any]:
    """What stands for x and y: the minibatch with this number."""
    return {variable: whole[index * BATCH : (index + 1) * BATCH] for variable, whole in zip((x, y), data)}


# --- classifiers -----------------------------------------------------------------------------------------------------


def test_step_of_logistic_regression_is_that_of_numpy(floatX: str) -> None:
    index, x, y = T.lscalar(), T.matrix("x"), T.ivector("y")
    layer = Softmax(x, 64, 10)
    train = tir.function(
        [index],
        layer.loss(y),
        updates=descent(layer.loss(y), layer.params, 0.5),
        givens=batch_of(index, x, y, shared_data(TRAIN)),
    )
    W, b = np.zeros((64, 10)), np.zeros(10)
    for number in (0, 3, 11):
        pixels, labels = (whole[TRAIN][number * BATCH : (number + 1) * BATCH] for whole in (PIXELS, LABELS))
        p = special.softmax(pixels @ W + b, axis=1)
        cost = train(number)
        assert cost.dtype == floatX
        np.testing.assert_allclose(cost, -np.log(p[np.arange(BATCH), labels]).mean(), rtol=1e-5)
        error = (p - np.eye(10)[labels]) / BATCH
        W, b = W - 0.5 * pixels.T @ error, b - 0.5 * error.sum(0)
    np.testing.assert_allclose(layer.W.get_value(), W, rtol=1e-3, atol=1e-6)  # sums of 100 products of f32
    np.testing.assert_allclose(layer.b.get_value(), b, rtol=1e-3, atol=1e-6)


def test_net_with_weight_decay_stops_early(floatX: str) -> None:
    """Patience grows as long as the error on digits that are not trained with falls."""
    index, x, y = T.lscalar(), T.matrix("x"), T.ivector("y")
    hidden = Hidden(np.random.RandomState(1), x, 64, 30)
    top = Softmax(hidden.output, 30, 10)
    params = hidden.params + top.params
    decay = 1e-5 * (abs(hidden.W).sum() + abs(top.W).sum()) + 1e-4 * ((hidden.W**2).sum() + (top.W**2).sum())
    cost = top.loss(y) + decay
    data = {name: shared_data(part) for name, part in (("train", TRAIN), ("valid", VALID), ("test", TEST))}
    test, validate = (
        tir.function([index], top.errors(y), givens=batch_of(index, x, y, data[name])) for name in ("test", "valid")
    )
    train = tir.function([index], cost, updates=descent(cost, params, 0.5), givens=batch_of(index, x, y, data["train"]))
    patience, best, score, step = 300, np.inf, np.inf, 0
    while step < patience and step < 2000:
        train(step % 12)
        step += 1
        if step % 12 == 0:
            error = np.mean([validate(i) for i in range(3)])
            if error < best:
                if error < 0.995 * best:
                    patience = max(patience, 2 * step)
                best, score = error, np.mean([test(i) for i in range(2)])
    assert step < 2000
    assert score < 0.06


def test_model_is_pickled_and_predicts() -> None:
    index, x, y = T.lscalar(), T.matrix("x"), T.ivector("y")
    model = Softmax(x, 64, 10)
    updates = descent(model.loss(y), model.params, 0.5)
    train = tir.function([index], [], updates=updates, givens=batch_of(index, x, y, shared_data(TRAIN)))
    for _ in range(5):
        for number in range(12):
            train(number)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301  # what stands in this line
    predict = tir.function(inputs=[again.input], outputs=again.y_pred)
    assert np.mean(predict(PIXELS[TEST]) == LABELS[TEST]) > 0.9
    np.testing.assert_array_equal(predict(PIXELS[TEST]), tir.function([x], model.y_pred)(PIXELS[TEST]))


def test_conjugate_gradients_of_one_vector_of_parameters() -> None:
    """All parameters are parts of one shared vector, which scipy's optimizer sets."""
    x, y = T.matrix("x"), T.ivector("y")
    theta = tir.shared(np.zeros(65 * 10), name="theta", borrow=True)
    W, b = theta[0 : 64 * 10].reshape((64, 10)), theta[64 * 10 : 65 * 10]
    p = T.nnet.softmax(T.dot(x, W) + b)
    cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y]) + 1e-3 * (W**2).sum()
    data, labels = shared_data(slice(0, 600))
    value, slope = (tir.function([], one, givens={x: data, y: labels}) for one in (cost, T.grad(cost, theta)))

    def at(function: Any) -> Callable[[Any], Any]:
        def called(vector: Any) -> Any:
            theta.set_value(vector, borrow=True)
            return function()

        return called

    theta.set_value(optimize.fmin_cg(at(value), np.zeros(650), at(slope), maxiter=40, disp=0))
    assert np.mean(tir.function([x], p.argmax(1))(PIXELS[TEST]) == LABELS[TEST]) > 0.93
    assert np.abs(slope()).max() < 0.01


# --- layers of images ------------------------------------------------------------------------------------------------


class Convolution:
    """A convolution, max pooling that leaves out partial windows, and a bias for each map of features."""

    def __init__(self, random: Any, input: Any, filter_shape: Any, image_shape: Any, poolsize: Any = (2, 2)) -> None:
        inputs, outputs = np.prod(filter_shape[1:]), filter_shape[0] * np.prod(filter_shape[2:]) // np.prod(poolsize)
        bound = np.sqrt(6.0 / (inputs + outputs))
        self.W = tir.shared(np.asarray(random.uniform(-bound, bound, filter_shape), tir.config.floatX), borrow=True)
        self.b = tir.shared(np.zeros((filter_shape[0],), tir.config.floatX), borrow=True)
        found = conv2d(input=input, filters=self.W, filter_shape=filter_shape, input_shape=image_shape)
        pooled = pool.pool_2d(input=found, ds=poolsize, ignore_border=True)
        self.output = T.tanh(pooled + self.b.dimshuffle("x", 0, "x", "x"))
        self.params = [self.W, self.b]


def test_layer_of_images_is_that_of_scipy() -> None:
    x = T.matrix("x")
    layer = Convolution(np.random.RandomState(2), x.reshape((5, 1, 8, 8)), (3, 1, 4, 4), (5, 1, 8, 8))
    layer.b.set_value(np.array([0.1, -0.2, 0.3]))
    found = tir.function([x], layer.output)(PIXELS[:5])
    assert found.shape == (5, 3, 2, 2)  # 8 - 4 + 1 = 5, of which the last row and column are left out
    for image, maps in zip(PIXELS[:5].reshape(5, 8, 8), found):
        for kernel, bias, got in zip(layer.W.get_value()[:, 0], layer.b.get_value(), maps):
            whole = signal.convolve2d(image, kernel, mode="valid")[:4, :4]
            np.testing.assert_allclose(got, np.tanh(whole.reshape(2, 2, 2, 2).max((1, 3)) + bias), rtol=1e-9)


def test_net_of_two_layers_of_images_learns() -> None:
    with tir.config.change_flags(floatX="float32"):
        random, index, x, y = np.random.RandomState(3), T.lscalar(), T.matrix("x"), T.ivector("y")
        first = Convolution(random, x.reshape((BATCH, 1, 8, 8)), (6, 1, 3, 3), (BATCH, 1, 8, 8))
        second = Convolution(random, first.output, (12, 6, 2, 2), (BATCH, 6, 3, 3), (1, 1))
        hidden = Hidden(random, second.output.flatten(2), 12 * 2 * 2, 30)
        top = Softmax(hidden.output, 30, 10)
        params = first.params + second.params + hidden.params + top.params
        updates = descent(top.loss(y), params, np.float32(0.5))
        train = tir.function([index], top.loss(y), updates=updates, givens=batch_of(index, x, y, shared_data(TRAIN)))
        test = tir.function([index], top.errors(y), givens=batch_of(index, x, y, shared_data(TEST)))
        for _ in range(15):
            for number in range(12):
                train(number)
        assert np.mean([test(i) for i in range(2)]) < 0.12


# --- autoencoders ----------------------------------------------------------------------------------------------------


class Autoencoder:
    """Takes corrupted pixels, or what the layer below gives, and gives them back clean; with tied weights."""

    def __init__(
        self, random: Any, stream: Any, input: Any, visible: int, hidden: int, W: Any = None, b: Any = None
    ) -> None:
        if not W:
            bound = 4 * np.sqrt(6.0 / (hidden + visible))
            W = tir.shared(np.asarray(random.uniform(-bound, bound, (visible, hidden)), tir.config.floatX), name="W")
        if not b:
            b = tir.shared(np.zeros(hidden, tir.config.floatX), name="b")
        self.W, self.b, self.b_prime = W, b, tir.shared(np.zeros(visible, tir.config.floatX))
        self.x, self.stream = input, stream
        self.params = [self.W, self.b, self.b_prime]

    def cost_and_updates(self, corruption: Any, rate: Any) -> tuple[Any, Any]:
        kept = self.stream.binomial(size=self.x.shape, n=1, p=1 - corruption, dtype=tir.config.floatX)
        y = T.nnet.sigmoid(T.dot(kept * self.x, self.W) + self.b)
        z = T.nnet.sigmoid(T.dot(y, self.W.T) + self.b_prime)
        cost = T.mean(-T.sum(self.x * T.log(z) + (1 - self.x) * T.log(1 - z), axis=1))
        return cost, descent(cost, self.params, rate)


def test_autoencoder_gives_back_what_was_corrupted(floatX: str) -> None:
    index, x = T.lscalar("index"), T.matrix("x")
    data, _ = shared_data(TRAIN)
    model = Autoencoder(np.random.RandomState(4), RandomStreams(5), x, 64, 40)
    cost, updates = model.cost_and_updates(0.3, 0.1)
    train = tir.function([index], cost, updates=updates, givens={x: data[index * 20 : (index + 1) * 20]})
    costs = [np.mean([train(i) for i in range(60)]) for _ in range(8)]
    assert costs[0] > 26 and costs[-1] < 22.5 and all(later < sooner for sooner, later in zip(costs, costs[1:]))


def test_cost_of_an_autoencoder_without_corruption_is_that_of_numpy() -> None:
    x = T.matrix("x")
    model = Autoencoder(np.random.RandomState(6), RandomStreams(7), x, 64, 20)
    cost, updates = model.cost_and_updates(0.0, 0.1)
    W = model.W.get_value()
    found = tir.function([x], cost, updates=updates)(PIXELS[:50])
    y = special.expit(PIXELS[:50] @ W)
    z = special.expit(y @ W.T)
    loss = -(PIXELS[:50] * np.log(z) + (1 - PIXELS[:50]) * np.log(1 - z)).sum(1).mean()
    np.testing.assert_allclose(found, loss, rtol=1e-9)
    down = (z - PIXELS[:50]) / 50
    up = (down @ W) * y * (1 - y)
    np.testing.assert_allclose(model.W.get_value(), W - 0.1 * (down.T @ y + PIXELS[:50].T @ up), rtol=1e-9)
    np.testing.assert_allclose(model.b_prime.get_value(), -0.1 * down.sum(0), rtol=1e-9)


def test_contractive_autoencoder_keeps_the_jacobian_small() -> None:
    """The Jacobian of sigmoid(x W + b) by x is (y (1 - y)) W, for each example of a batch."""
    x, row = T.matrix("x"), T.vector("row")
    found = []
    for weight in (0.0, 1.0):
        W = tir.shared(np.random.RandomState(8).uniform(-0.7, 0.7, (64, 10)), "W")
        b, b_prime = tir.shared(np.zeros(10)), tir.shared(np.zeros(64))
        y = T.nnet.sigmoid(T.dot(x, W) + b)
        z = T.nnet.sigmoid(T.dot(y, W.T) + b_prime)
        jacobian = T.reshape(y * (1 - y), (20, 1, 10)) * T.reshape(W, (1, 64, 10))
        contraction = T.sum(jacobian**2) / 20
        loss = T.mean(-T.sum(x * T.log(z) + (1 - x) * T.log(1 - z), axis=1))
        updates = descent(loss + weight * contraction, [W, b, b_prime], 0.05)
        train = tir.function([x], [loss, contraction], updates=updates)
        found.append(np.array([[train(PIXELS[i * 20 : i * 20 + 20]) for i in range(60)] for _ in range(2)]).mean(1))
    free, held = found
    assert held[1, 1] < 0.5 * free[1, 1]
    assert free[1, 0] < held[1, 0] < held[0, 0]
    by_row = tir.function([row], T.jacobian(T.nnet.sigmoid(T.dot(row, W) + b), row))
    whole = np.stack([by_row(pixels).T for pixels in PIXELS[:20]])
    np.testing.assert_allclose(tir.function([x], jacobian)(PIXELS[:20]), whole, rtol=1e-9)


def test_stack_of_autoencoders_is_trained_layer_by_layer_and_then_as_one() -> None:
    """Corruption and rate are inputs that have a value where a call gives none."""
    random, stream = np.random.RandomState(9), RandomStreams(10)
    x, y, index = T.matrix("x"), T.ivector("y"), T.lscalar("index")
    corruption, rate = T.scalar("corruption"), T.scalar("rate")
    data = shared_data(TRAIN)
    layers: list[Hidden] = []
    pretraining = []
    for inputs, outputs in ((64, 40), (40, 30)):
        below = layers[-1].output if layers else x
        layers.append(Hidden(random, below, inputs, outputs, T.nnet.sigmoid))
        auto = Autoencoder(random, stream, below, inputs, outputs, layers[-1].W, layers[-1].b)
        cost, updates = auto.cost_and_updates(corruption, rate)
        given = {x: data[0][index * BATCH : (index + 1) * BATCH]}
        arguments = [index, tir.In(corruption, value=0.2), tir.In(rate, value=0.1)]
        pretraining.append(tir.function(arguments, cost, updates=updates, givens=given))
    top = Softmax(layers[-1].output, 30, 10)
    params = [param for layer in (*layers, top) for param in layer.params]
    for level, train in zip((0.1, 0.2), pretraining):
        costs = [np.mean([train(index=i, corruption=level, rate=0.2) for i in range(12)]) for _ in range(10)]
        assert costs[-1] < costs[0]
    assert pretraining[0](0) < costs[0] * 3  # the values that stand for what is not given
    tune = tir.function([index], top.loss(y), updates=descent(top.loss(y), params, 0.5), givens=batch_of(index, x, y, data))
    test = tir.function([index], top.errors(y), givens=batch_of(index, x, y, shared_data(TEST)))
    for _ in range(30):
        for number in range(12):
            tune(number)
    assert np.mean([test(i) for i in range(2)]) < 0.1
