"""Programs of Theano's tutorials whose heart is a loop: Boltzmann machines, recurrent nets, Hamiltonian sampling."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import special
from sklearn.datasets import load_digits

import tir
import tir.tensor as T
from tir.sandbox.rng_mrg import MRG_RandomStreams as RandomStreams

INK = (load_digits(return_X_y=True)[0] > 7).astype("float64")  # 1797 images of 64 pixels, black or white


def descent(cost: Any, params: Sequence[Any], rate: Any, constant: Sequence[Any] = ()) -> OrderedDict[Any, Any]:
    slopes = T.grad(cost, list(params), consider_constant=list(constant))
    return OrderedDict((param, param - slope * T.cast(rate, tir.config.floatX)) for param, slope in zip(params, slopes))


# --- Boltzmann machines ----------------------------------------------------------------------------------------------


class Machine:
    """A restricted Boltzmann machine of binary units, trained by contrastive divergence."""

    def __init__(self, input: Any, visible: int, hidden: int, seed: int = 1) -> None:
        random = np.random.RandomState(seed)
        bound = 4 * np.sqrt(6.0 / (hidden + visible))
        floatX = tir.config.floatX
        self.W = tir.shared(np.asarray(random.uniform(-bound, bound, (visible, hidden)), floatX), name="W", borrow=True)
        self.hbias = tir.shared(np.zeros(hidden, floatX), name="hbias", borrow=True)
        self.vbias = tir.shared(np.zeros(visible, floatX), name="vbias", borrow=True)
        self.stream, self.input, self.visible = RandomStreams(random.randint(2**30)), input, visible
        self.params = [self.W, self.hbias, self.vbias]

    def free_energy(self, v: Any) -> Any:
        """-log of the sum of exp(-energy) over all hidden states."""
        return -T.sum(T.log(1 + T.exp(T.dot(v, self.W) + self.hbias)), axis=1) - T.dot(v, self.vbias)

    def up(self, v: Any) -> list[Any]:
        pre = T.dot(v, self.W) + self.hbias
        mean = T.nnet.sigmoid(pre)
        return [pre, mean, self.stream.binomial(size=mean.shape, n=1, p=mean, dtype=tir.config.floatX)]

    def down(self, h: Any) -> list[Any]:
        pre = T.dot(h, self.W.T) + self.vbias
        mean = T.nnet.sigmoid(pre)
        return [pre, mean, self.stream.binomial(size=mean.shape, n=1, p=mean, dtype=tir.config.floatX)]

    def hidden_to_hidden(self, h: Any) -> list[Any]:
        pre_v, mean_v, v = self.down(h)
        return [pre_v, mean_v, v, *self.up(v)]

    def visible_to_visible(self, v: Any) -> list[Any]:
        pre_h, mean_h, h = self.up(v)
        return [pre_h, mean_h, h, *self.down(h)]

    def learning(self, rate: float, persistent: Any = None, k: int = 1) -> tuple[Any, Any, Any]:
        """What is monitored, the updates, and where the chains end."""
        start = persistent if persistent else self.up(self.input)[2]
        (pre_v, _, v, _, _, h), updates = tir.scan(
            self.hidden_to_hidden, outputs_info=[None, None, None, None, None, start], n_steps=k, name="gibbs"
        )
        end = v[-1]
        cost = T.mean(self.free_energy(self.input)) - T.mean(self.free_energy(end))
        updates.update(descent(cost, self.params, rate, [end]))
        if persistent:
            updates[persistent] = h[-1]
            return self.pseudo_likelihood(updates), updates, end
        return self.reconstruction(pre_v[-1]), updates, end

    def pseudo_likelihood(self, updates: Any) -> Any:
        """The log likelihood of one pixel given the others, as if it were that of all; the next time the next pixel."""
        place = tir.shared(value=0, name="place")
        x = T.round(self.input)
        flipped = T.set_subtensor(x[:, place], 1 - x[:, place])
        gain = self.free_energy(flipped) - self.free_energy(x)
        updates[place] = (place + 1) % self.visible
        return T.mean(self.visible * T.log(T.nnet.sigmoid(gain)))

    def reconstruction(self, pre: Any) -> Any:
        p = T.nnet.sigmoid(pre)
        return T.mean(T.sum(self.input * T.log(p) + (1 - self.input) * T.log(1 - p), axis=1))


def free_energy(v: Any, W: Any, hbias: Any, vbias: Any) -> Any:
    return -np.logaddexp(0, v @ W + hbias).sum(1) - v @ vbias


@pytest.mark.parametrize("persistent", [False, True])
def test_step_of_contrastive_divergence_is_that_of_numpy(persistent: bool) -> None:
    """The slope of the free energy by the weights is -v sigmoid(W v + b): at the data less that at the end of the chain."""
    x = T.matrix("x")
    machine = Machine(x, 64, 12)
    chain = tir.shared(np.random.RandomState(3).randint(0, 2, (20, 12)).astype("float64")) if persistent else None
    monitored, updates, end = machine.learning(0.1, chain, k=3)
    before = [param.get_value() for param in machine.params]
    found, v = tir.function([x], [monitored, end], updates=updates)(INK[:20])
    W, hbias, vbias = before
    assert set(np.unique(v)) <= {0.0, 1.0}

    def slopes(v: Any) -> list[Any]:
        h = special.expit(v @ W + hbias)
        return [-v.T @ h / 20, -h.mean(0), -v.mean(0)]

    for param, old, data, model in zip(machine.params, before, slopes(INK[:20]), slopes(v)):
        np.testing.assert_allclose(param.get_value(), old - 0.1 * (data - model), rtol=1e-9, atol=1e-12)
    if chain is not None:
        flipped = INK[:20].copy()
        flipped[:, 0] = 1 - flipped[:, 0]
        gain = free_energy(flipped, *before) - free_energy(INK[:20], *before)
        np.testing.assert_allclose(found, np.mean(64 * np.log(special.expit(gain))), rtol=1e-9)
        assert set(np.unique(chain.get_value())) <= {0.0, 1.0}


@pytest.mark.parametrize(("persistent", "least", "k"), [(False, -15, 1), (True, -20, 3)])
def test_machine_learns_images(persistent: bool, least: float, k: int) -> None:
    with tir.config.change_flags(floatX="float32"):
        index, x = T.lscalar("index"), T.matrix("x")
        machine = Machine(x, 64, 40)
        chain = tir.shared(np.zeros((20, 40), tir.config.floatX), borrow=True) if persistent else None
        monitored, updates, _ = machine.learning(0.1, chain, k)
        data = tir.shared(INK.astype("float32"), borrow=True)
        train = tir.function([index], monitored, updates=updates, givens={x: data[index * 20 : (index + 1) * 20]})
        epochs = [np.mean([train(i) for i in range(80)]) for _ in range(5)]
        assert epochs[-1] > least > epochs[0]
        chains = tir.shared(INK[:5].astype("float32"))
        (*_, means, samples), updates = tir.scan(
            machine.visible_to_visible, outputs_info=[None, None, None, None, None, chains], n_steps=20
        )
        updates.update({chains: samples[-1]})
        drawn = tir.function([], [means[-1], samples[-1]], updates=updates)()
        assert drawn[0].shape == (5, 64) and 0 < drawn[0].mean() < 0.8
        np.testing.assert_array_equal(chains.get_value(), drawn[1])


def test_stack_of_machines_is_trained_from_below() -> None:
    """Greedy pretraining of a deep belief net: the second machine sees the means of the first."""
    x, index = T.matrix("x"), T.lscalar("index")
    first = Machine(x, 64, 30)
    second = Machine(first.up(x)[1], 30, 15, seed=2)
    data = tir.shared(INK)
    for machine in (first, second):
        monitored, updates, _ = machine.learning(0.1)
        train = tir.function([index], monitored, updates=updates, givens={x: data[index * 50 : (index + 1) * 50]})
        epochs = [np.mean([train(i) for i in range(30)]) for _ in range(6)]
        assert epochs[-1] > epochs[0]


def test_machine_whose_biases_a_recurrent_net_gives() -> None:
    """Training takes the biases of all times at once; drawing has a chain of Gibbs steps in each step of the net."""
    random, stream = np.random.RandomState(4), RandomStreams(5)
    W, Wuh, Wuv, Wvu, Wuu = (
        tir.shared(random.normal(scale=0.01, size=size)) for size in [(12, 10), (6, 10), (6, 12), (12, 6), (6, 6)]
    )
    bv, bh, bu = (tir.shared(np.zeros(size)) for size in (12, 10, 6))
    params = W, bv, bh, Wuh, Wuv, Wvu, Wuu, bu

    def machine(v: Any, bv: Any, bh: Any, k: int) -> tuple[Any, Any, Any, Any]:
        def gibbs(v: Any) -> tuple[Any, Any]:
            mean_h = T.nnet.sigmoid(T.dot(v, W) + bh)
            h = stream.binomial(size=mean_h.shape, n=1, p=mean_h, dtype=tir.config.floatX)
            mean_v = T.nnet.sigmoid(T.dot(h, W.T) + bv)
            return mean_v, stream.binomial(size=mean_v.shape, n=1, p=mean_v, dtype=tir.config.floatX)

        def energy(v: Any) -> Any:
            return -(v * bv).sum() - T.log(1 + T.exp(T.dot(v, W) + bh)).sum()

        chain, updates = tir.scan(lambda v: gibbs(v)[1], outputs_info=[v], n_steps=k)
        end = chain[-1]
        mean = gibbs(end)[0]
        monitor = (T.xlogx.xlogy0(v, mean) + T.xlogx.xlogy0(1 - v, 1 - mean)).sum() / v.shape[0]
        return end, (energy(v) - energy(end)) / v.shape[0], monitor, updates

    def recurrence(v: Any, u: Any) -> Any:
        bv_t, bh_t = bv + T.dot(u, Wuv), bh + T.dot(u, Wuh)
        updates = None
        if v is None:
            v, _, _, updates = machine(T.zeros((12,)), bv_t, bh_t, 10)
        u_next = T.tanh(bu + T.dot(v, Wvu) + T.dot(u, Wuu))
        return ([v, u_next], updates) if updates is not None else [u_next, bv_t, bh_t]

    v, u0 = T.matrix("v"), T.zeros((6,))
    (_, bv_t, bh_t), updates = tir.scan(lambda v, u, *_: recurrence(v, u), v, [u0, None, None], params)
    sample, cost, monitor, chain_updates = machine(v, bv_t[:], bh_t[:], 5)
    updates.update(chain_updates)
    updates.update(descent(cost, params, 0.1, [sample]))
    train = tir.function([v], monitor, updates=updates)
    (drawn, _), updates = tir.scan(lambda u, *_: recurrence(None, u), None, [None, u0], params, n_steps=25)
    draw = tir.function([], drawn, updates=updates)
    piece = (np.arange(12) % 4 == np.arange(30)[:, None] % 4).astype("float64")
    first = train(piece)
    for _ in range(150):
        last = train(piece)
    assert last > -5 > first
    roll = draw()
    assert roll.shape == (25, 12) and set(np.unique(roll)) == {0.0, 1.0}
    assert 0.15 < roll.mean() < 0.35  # a quarter of the piece is 1
    assert (roll != draw()).any()


# --- recurrent nets --------------------------------------------------------------------------------------------------


def test_net_of_words_in_their_windows_labels_each_of_them() -> None:
    """An Elman net with a table of word vectors, which are kept at length 1; a sentence is a minibatch."""
    random = np.random.RandomState(6)
    words, labels, hidden, size, window = 30, 5, 20, 8, 3

    def weights(*shape: int) -> Any:
        return tir.shared(0.2 * random.uniform(-1.0, 1.0, shape).astype(tir.config.floatX))

    table, wx, wh, w = (
        weights(words + 1, size),
        weights(size * window, hidden),
        weights(hidden, hidden),
        weights(hidden, labels),
    )
    bh, b, h0 = (tir.shared(np.zeros(n)) for n in (hidden, labels, hidden))
    params = [table, wx, wh, w, bh, b, h0]
    places, y, rate = T.imatrix(), T.ivector("y"), T.scalar("rate")
    x = table[places].reshape((places.shape[0], size * window))

    def recurrence(x: Any, h: Any) -> list[Any]:
        h = T.nnet.sigmoid(T.dot(x, wx) + T.dot(h, wh) + bh)
        return [h, T.nnet.softmax(T.dot(h, w) + b)]

    (h, s), _ = tir.scan(fn=recurrence, sequences=x, outputs_info=[h0, None], n_steps=x.shape[0])
    p = s[:, 0, :]
    loss = -T.mean(T.log(p)[T.arange(x.shape[0]), y])
    classify = tir.function(inputs=[places], outputs=T.argmax(p, axis=1))
    train = tir.function(inputs=[places, y, rate], outputs=loss, updates=descent(loss, params, rate))
    normalize = tir.function([], updates={table: table / T.sqrt((table**2).sum(axis=1)).dimshuffle(0, "x")})
    sentences = [random.randint(0, words, random.randint(3, 12)).astype("int32") for _ in range(120)]

    def windows(sentence: Any) -> Any:
        padded = np.concatenate([[-1], sentence, [-1]])
        return np.stack([padded[i : i + window] for i in range(len(sentence))]).astype("int32")

    for _ in range(8):
        for sentence in sentences[:100]:
            train(windows(sentence), (sentence % labels).astype("int32"), 0.5)
            normalize()
    np.testing.assert_allclose(np.linalg.norm(table.get_value(), axis=1), 1, rtol=1e-9)
    right = [classify(windows(sentence)) == sentence % labels for sentence in sentences[100:]]
    assert np.concatenate(right).mean() > 0.95


class Memory:
    """A layer of long short-term memory, with a mask of where sentences have ended."""

    def __init__(self, random: Any, size: int) -> None:
        def orthogonal() -> Any:
            return np.linalg.svd(random.randn(size, size))[0].astype(tir.config.floatX)

        self.size = size
        self.W, self.U = (tir.shared(np.concatenate([orthogonal() for _ in range(4)], axis=1)) for _ in range(2))
        self.b = tir.shared(np.zeros(4 * size, tir.config.floatX))
        self.params = [self.W, self.U, self.b]

    def output(self, x: Any, mask: Any) -> Any:
        size = self.size

        def part(x: Any, n: int) -> Any:
            return x[:, n * size : (n + 1) * size]

        def step(m: Any, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
            pre = T.dot(h, self.U) + x
            i, f, o = (T.nnet.sigmoid(part(pre, n)) for n in range(3))
            new = f * c + i * T.tanh(part(pre, 3))
            c = m[:, None] * new + (1.0 - m)[:, None] * c
            return m[:, None] * (o * T.tanh(c)) + (1.0 - m)[:, None] * h, c

        start = T.alloc(np.asarray(0.0, tir.config.floatX), x.shape[1], size)
        (h, _), _ = tir.scan(step, [mask, T.dot(x, self.W) + self.b], [start, start], n_steps=x.shape[0])
        return h


@pytest.mark.parametrize("floatX", ["float64", "float32"])
def test_memory_tells_sentences_apart_with_adadelta_and_dropout(floatX: str) -> None:
    with tir.config.change_flags(floatX=floatX):
        random, stream = np.random.RandomState(7), RandomStreams(8)
        x, mask, y = T.matrix("x", dtype="int64"), T.matrix("mask", dtype=floatX), T.vector("y", dtype="int64")
        noise = tir.shared(np.asarray(0.0, floatX))
        table = tir.shared((0.1 * random.randn(40, 12)).astype(floatX))
        layer, top = Memory(random, 12), tir.shared((0.1 * random.randn(12, 2)).astype(floatX))
        vectors = table[x.flatten()].reshape([x.shape[0], x.shape[1], 12])
        h = layer.output(vectors, mask)
        mean = (h * mask[:, :, None]).sum(axis=0) / mask.sum(axis=0)[:, None]
        dropped = T.switch(noise, mean * stream.binomial(mean.shape, p=0.5, n=1, dtype=mean.dtype), mean * 0.5)
        p = T.nnet.softmax(T.dot(dropped, top))
        predict = tir.function([x, mask], p.argmax(axis=1))
        cost = -T.log(p[T.arange(x.shape[1]), y] + 1e-8).mean()
        params = [table, top, *layer.params]
        updates = []
        for param, slope in zip(params, T.grad(cost, params)):
            squares, steps = (tir.shared(param.get_value() * np.asarray(0.0, floatX)) for _ in range(2))
            new_squares = 0.95 * squares + 0.05 * slope**2
            step = -T.sqrt(steps + 1e-4) / T.sqrt(new_squares + 1e-4) * slope
            updates += [(squares, new_squares), (steps, 0.95 * steps + 0.05 * step**2), (param, param + step)]
        train = tir.function([x, mask, y], cost, updates=updates)

        def batch(number: int) -> tuple[Any, Any, Any]:
            """Sentences of words below 30, with the word 30 or 31 somewhere: that is the class."""
            draw = np.random.RandomState(number)
            lengths, classes = draw.randint(3, 10, 20), draw.randint(0, 2, 20)
            sentences, there = np.zeros((9, 20), "int64"), np.zeros((9, 20), floatX)
            for i, (length, kind) in enumerate(zip(lengths, classes)):
                sentences[:length, i], there[:length, i] = draw.randint(0, 30, length), 1
                sentences[draw.randint(length), i] = 30 + kind
            return sentences, there, classes

        noise.set_value(np.asarray(1.0, floatX))
        for number in range(150):
            assert np.isfinite(train(*batch(number)))
        noise.set_value(np.asarray(0.0, floatX))
        right = [predict(*batch(number)[:2]) == batch(number)[2] for number in range(1000, 1010)]
        assert np.mean(right) > 0.9


# --- Hamiltonian sampling --------------------------------------------------------------------------------------------


def test_hamiltonian_sampler_draws_from_a_gaussian() -> None:
    """Leapfrog steps in a loop, whose number of steps is fixed and whose step size follows the rate of acceptance."""
    stream = T.shared_randomstreams.RandomStreams(9)
    mean, spread = np.array([3.0, -1.0]), np.array([[1.0, 0.6], [0.6, 2.0]])
    inverse = np.linalg.inv(spread)

    def energy(x: Any) -> Any:
        return 0.5 * (T.dot(x - mean, inverse) * (x - mean)).sum(axis=1)

    positions = tir.shared(np.random.RandomState(10).randn(50, 2))
    size, accepted = tir.shared(0.05, "size"), tir.shared(0.9, "accepted")
    kick = stream.normal(size=positions.shape)

    def leapfrog(x: Any, speed: Any, size: Any) -> tuple[Any, Any]:
        speed = speed - size * T.grad(energy(x).sum(), x)
        return x + size * speed, speed

    half = kick - 0.5 * size * T.grad(energy(positions).sum(), positions)
    (xs, speeds), updates = tir.scan(
        leapfrog, outputs_info=[positions + size * half, half], non_sequences=[size], n_steps=19
    )
    x = xs[-1]
    speed = speeds[-1] - 0.5 * size * T.grad(energy(x).sum(), x)
    assert not updates
    before, after = (energy(x) + 0.5 * (v**2).sum(axis=1) for x, v in ((positions, kick), (x, speed)))
    is_taken = T.exp(before - after) - stream.uniform(size=before.shape) >= 0
    mean_dtype = tir.scalar.upcast(is_taken.dtype, accepted.dtype)
    draw = tir.function(
        [],
        is_taken.mean(),
        updates=[
            (positions, T.switch(is_taken.dimshuffle(0, *(("x",) * (x.ndim - 1))), x, positions)),
            (size, T.clip(T.switch(accepted > 0.9, size * 1.02, size * 0.98), 0.001, 0.5)),
            (accepted, 0.9 * accepted + (1 - 0.9) * is_taken.mean(dtype=mean_dtype)),
        ],
    )
    for _ in range(200):
        draw()
    samples = []
    for _ in range(400):
        draw()
        samples.append(positions.get_value())
    drawn = np.concatenate(samples)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=0.1)  # 20000 samples, of which about one in ten is independent
    np.testing.assert_allclose(np.cov(drawn.T), spread, atol=0.2)
    assert abs(accepted.get_value() - 0.9) < 0.1
