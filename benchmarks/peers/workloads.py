"""The workloads by family: elementwise (E), reductions (R), rows (S), nets (N), calls and compile time (C).

An id is a name and where there are several a size: `E5.1e7`. Arguments are f32 from a seed, and labels int64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.peers import programs
from benchmarks.peers.namespace import Namespace
from benchmarks.peers.programs import Program

__all__ = ["FAMILIES", "Workload", "chosen", "reference", "smallest", "workloads"]

FAMILIES = {"E": "elementwise", "R": "reductions", "S": "rows", "N": "nets", "C": "calls and compile time"}
SIZES = {"1e3": 1000, "1e5": 100_000, "1e7": 10_000_000}
AXIS_SHAPES = {"1e3": (10, 100), "1e5": (1000, 100), "1e7": (10_000, 1000)}

#: Errors are relative to the largest element. Of a few f32 operations, and of functions that differ by some ulp.
CLOSE = 1e-5
#: A running sum of 1e7 numbers in f32 loses about 1e-4; one that goes on losing is wrong.
SUMMED = 1e-3
#: Of a change of weights, behind products of some hundred terms.
TRAINED = 1e-3


@dataclass(frozen=True)
class Workload:
    """What is computed, of what, and when it is right.

    make: the arguments, from a generator. state: how many of the first arguments are replaced by the first results; a peer
    keeps them as its own variables if it has such. expression: the program as numexpr's text. output: "given" if a result
    must be written into an array of the caller's, "fresh" if it must not, "" if the best of both counts. compiles: the
    time is that from a new program to its first result. flops: of products; the other work is bound by memory.
    """

    id: str
    title: str
    program: Program
    make: Callable[[np.random.Generator], Sequence[np.ndarray]]
    bound: float = CLOSE
    state: int = 0
    expression: str = ""
    output: str = ""
    compiles: bool = False
    flops: int = 0

    def arguments(self) -> list[np.ndarray]:
        """The same at each call."""
        return list(self.make(np.random.default_rng(0)))

    def bytes(self, results: Sequence[np.ndarray]) -> int:
        """The least that moves between memory and the processor: each argument once, and each result in f32."""
        return sum(x.nbytes for x in self.arguments()) + sum(4 * np.size(r) for r in results)


class _Double(Namespace):
    """numpy in float64."""


def reference(workload: Workload, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results in float64, by numpy."""
    wide = [x.astype(np.float64) if x.dtype == np.float32 else x for x in arguments]
    results = workload.program(_Double(np))(*wide)
    return [np.asarray(x) for x in (results if isinstance(results, (tuple, list)) else [results])]


@cache
def workloads() -> dict[str, Workload]:
    """All of them by id."""
    families = (_elementwise, _reductions, _rows, _gradients, _updates, _nets, _calls)
    return {workload.id: workload for family in families for workload in family()}


def chosen(patterns: Sequence[str]) -> list[Workload]:
    """Those whose id, or its part before the first dot, is like one of the patterns; ValueError names one like none."""
    table = workloads()

    def like(one: Workload, pattern: str) -> bool:
        return fnmatch(one.id, pattern) or fnmatch(one.id.partition(".")[0], pattern)

    for pattern in patterns:
        if not any(like(one, pattern) for one in table.values()):
            names = sorted({id.partition(".")[0] for id in table})
            raise ValueError(f"no workload is like {pattern!r}; there are {', '.join(names)}")
    return [one for one in table.values() if any(like(one, pattern) for pattern in patterns)]


def smallest() -> list[Workload]:
    """One workload of each name and kind, the one with the fewest elements."""
    found: dict[str, Workload] = {}
    for one in workloads().values():
        key = one.id.rpartition(".")[0] or one.id
        if key not in found or _elements(one) < _elements(found[key]):
            found[key] = one
    return list(found.values())


def _elements(workload: Workload) -> int:
    size = SIZES.get(workload.id.rpartition(".")[2])
    return size if size is not None else sum(x.size for x in workload.arguments())


# --- arguments -------------------------------------------------------------------------------------------------------


def _uniform(*shapes: Any) -> Callable[[np.random.Generator], list[np.ndarray]]:
    return lambda rng: [np.asarray(rng.random(shape, dtype=np.float32)) for shape in shapes]


def _normal(*shapes: Any) -> Callable[[np.random.Generator], list[np.ndarray]]:
    return lambda rng: [np.asarray(rng.standard_normal(shape), np.float32) for shape in shapes]


def _scores(rows: int, columns: int) -> Callable[[np.random.Generator], list[np.ndarray]]:
    def make(rng: np.random.Generator) -> list[np.ndarray]:
        return [rng.standard_normal((rows, columns), dtype=np.float32), rng.integers(0, columns, rows)]

    return make


def _weights(rng: np.random.Generator, sizes: Sequence[int]) -> list[np.ndarray]:
    """Of layers of these sizes: the matrix and the bias of each."""
    pairs = zip(sizes, sizes[1:])
    return [x for m, n in pairs for x in (rng.normal(0, m**-0.5, (m, n)).astype(np.float32), np.zeros(n, np.float32))]


# --- families --------------------------------------------------------------------------------------------------------


def _elementwise() -> Iterator[Workload]:
    table = (
        ("E1", "a + a**10", programs.power, _uniform, 1),
        ("E2", "2*a + 3*b", programs.linear, _uniform, 2),
        ("E3", "a**2 + b**2 + 2*a*b", programs.square_of_sum, _uniform, 2),
        ("E4", "2*a + b**10", programs.linear_and_power, _uniform, 2),
        ("E5", "exp(-x*x)*sin(y) + log1p(x*x)*tanh(y)", programs.chain, _normal, 2),
        ("E6", "1 / (1 + exp(-x))", programs.sigmoid_chain, _normal, 1),
        ("E7", "exp(x)", programs.exponential, _normal, 1),
        ("E8", "tanh(1.5*x + 0.5) * exp(-y*y)", programs.bell, _normal, 2),
    )
    for name, expression, program, make, count in table:
        for size, n in SIZES.items():
            yield Workload(f"{name}.{size}", expression, program, make(*[n] * count), expression=expression)


def _reductions() -> Iterator[Workload]:
    for name, function in (("R1", "sum"), ("R2", "mean"), ("R3", "max")):
        for place, axis in (("all", None), ("axis0", 0), ("axis1", 1)):
            along = "" if axis is None else f", axis={axis}"
            expression = f"{function}(x{along})" if function != "mean" else ""
            for size in SIZES:
                shape = SIZES[size] if axis is None else AXIS_SHAPES[size]
                id, program = f"{name}.{place}.{size}", programs.reduction(function, axis)
                yield Workload(id, f"{function}(x{along})", program, _uniform(shape), SUMMED, expression=expression)


def _rows() -> Iterator[Workload]:
    softmax, norm = programs.rows("softmax"), programs.rows("layer_norm")
    for m, n in ((4096, 1000), (60_000, 10), (64, 10)):
        yield Workload(f"S1.{m}x{n}", f"softmax {m}x{n}", softmax, _normal((m, n)))
    for name, function in (("S2", "log_softmax"), ("S3", "logsumexp")):
        for m, n in ((4096, 1000), (64, 10)):
            yield Workload(f"{name}.{m}x{n}", f"{function} {m}x{n}", programs.rows(function), _normal((m, n)))
    for m, n in ((8192, 768), (128, 128)):
        yield Workload(f"S4.{m}x{n}", f"layer norm {m}x{n}", norm, _normal((m, n), n, n))
    yield Workload("S5", "batch norm 784x625", programs.rows("batch_norm"), _normal((784, 625), 625, 625))
    for m, n in ((4096, 1000), (64, 10)):
        yield Workload(f"S6.{m}x{n}", f"cross-entropy {m}x{n}", programs.rows("cross_entropy"), _scores(m, n))


def _updates() -> Iterator[Workload]:
    shape, bound = (784, 625), TRAINED
    for name, title, program, count in (("S7", "RMSprop", programs.rmsprop, 2), ("S8", "Adam", programs.adam, 3)):
        yield Workload(name, f"{title} 784x625", program, _uniform(*[shape] * (count + 1)), bound, state=count)


def _gradients() -> Iterator[Workload]:
    for m, n in ((4096, 1000), (64, 10)):
        title = f"gradient of softmax {m}x{n}"
        yield Workload(f"S9.{m}x{n}", title, programs.softmax_gradient, _normal((m, n), (m, n)))
    for m, n in ((8192, 768), (128, 128)):
        make = _normal((m, n), n, n, (m, n))
        yield Workload(f"S10.{m}x{n}", f"gradient of layer norm {m}x{n}", programs.layer_norm_gradient, make, TRAINED)
    for m, n in ((4096, 1000), (64, 10)):
        title = f"gradient of cross-entropy {m}x{n}"
        yield Workload(f"S11.{m}x{n}", title, programs.cross_entropy_gradient, _scores(m, n))


def _nets() -> Iterator[Workload]:
    def perceptron(rng: np.random.Generator) -> list[np.ndarray]:
        batch = rng.random((60, 784), dtype=np.float32), rng.integers(0, 10, 60)
        return [*_weights(rng, (784, 500, 10)), *batch]

    def dropout(rng: np.random.Generator) -> list[np.ndarray]:
        weights = _weights(rng, (784, 625, 625, 10))
        means = [np.full(w.shape, 0.01, np.float32) for w in weights]
        x, *kept = [rng.random((128, n), dtype=np.float32) for n in (784, 625, 625)]
        return [*weights, *means, x, *kept, rng.integers(0, 10, 128)]

    def recurrent(rng: np.random.Generator) -> list[np.ndarray]:
        matrices = [rng.normal(0, 64**-0.5, (64, 64)) for _ in range(2)]
        found = [rng.normal(size=(1000, 16, 64)), *matrices, rng.normal(0, 0.1, 64)]
        return [x.astype(np.float32) for x in found]

    # Products of the forward pass; the backward pass has two for each, but none by the input.
    first, second = 2 * 60 * 784 * 500, 2 * 60 * 500 * 10
    yield Workload(
        "N1", "MLP 60x784-500-10, step", programs.perceptron, perceptron, TRAINED, 4, flops=2 * first + 3 * second
    )
    first, second, third = 2 * 128 * 784 * 625, 2 * 128 * 625 * 625, 2 * 128 * 625 * 10
    flops = 2 * first + 3 * (second + third)
    yield Workload(
        "N2", "MLP 128x784-625-625-10, dropout, RMSprop step", programs.dropout_perceptron, dropout, TRAINED, 12, flops=flops
    )
    product = 2 * 1000 * 16 * 64 * 64
    yield Workload("N3", "RNN, 1000 steps", programs.recurrent, recurrent, TRAINED, flops=2 * product)
    yield Workload("N4", "RNN, gradient", programs.recurrent_gradient, recurrent, TRAINED, flops=5 * product)


def _calls() -> Iterator[Workload]:
    yield Workload("C1", "f(a) = a + 1, 8 elements", programs.add_one, _normal(8), expression="a + 1", output="fresh")
    yield Workload("C2", "f(a, out) the same", programs.add_one, _normal(8), expression="a + 1", output="given")
    yield Workload("C3", "linear regression, scalar step", programs.regression, _normal((), (), ()), TRAINED, 1)
    one = partial(programs.chain_with, number=2.0)
    yield Workload("C4", "compile one kernel", one, _normal(1000, 1000), compiles=True)
    sizes = range(64, 164)
    yield Workload("C5", "compile 100 kernels", partial(programs.kernels_with, number=2.0), _normal(*sizes), compiles=True)
