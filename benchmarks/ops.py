"""Single ops against numpy: reductions, orders, casts, moves, windows, scans and rows, on one thread.

For each op the best time of tir and of numpy, and how many times numpy's time tir takes; the largest ratios last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.ir.types import BF16, DTYPES, INDEX
from tir.parser.parse import parse_text
from tir.passes.pipelines import default

__all__ = ["Case", "cases", "run"]

#: The name in a type of each dtype.
_TYPES = {np.dtype(row.numpy): str(row.type) for row in reversed(DTYPES.values()) if row.type not in (INDEX, BF16)}


@dataclass(frozen=True)
class Case:
    """`text` on the inputs %0, %1, ..; peer: its first result in numpy.

    types: behind the colon, where `{r}` is the type of the result and `{0}` that of %0. names: of the results, %r first.
    """

    text: str
    inputs: tuple[np.ndarray, ...]
    peer: Callable[..., Any]
    types: str = "{r}"
    names: str = "%r"
    note: str = ""

    @property
    def title(self) -> str:
        sizes = " ".join("x".join(map(str, x.shape)) for x in self.inputs)
        return f"{self.text.removeprefix('tir.')}, {sizes} {self.note}"

    def compiled(self) -> Callable[[], Any]:
        """tir's function of no arguments."""
        types, made = [_type(x) for x in self.inputs], _type(self.expected())
        operands = ", ".join(f"%{i}: {type}" for i, type in enumerate(types))
        line = f"{self.names} = {self.text} : {self.types.format(*types, r=made)}"
        text = f"func.func @f({operands}) -> {made} {{\n  {line}\n  return %r : {made}\n}}"
        executable = Executable(parse_text(text, REGISTRY), pipeline=lambda module: run_pipeline(default(), module))
        return lambda: executable.call("f", list(self.inputs))[0]

    def expected(self) -> Any:
        """numpy's result."""
        return np.asarray(self.peer(*self.inputs))


def _type(x: np.ndarray) -> str:
    return "tensor<" + "".join(f"{size}x" for size in x.shape) + _TYPES[x.dtype] + ">"


def cases() -> Iterator[Case]:
    """All of them, by family."""
    for family in (positions, orders, casts, moves, windows, convolutions, scans, reductions, rows, norms):
        yield from family(np.random.default_rng(0))


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32)


def positions(rng: np.random.Generator) -> Iterator[Case]:
    x, y, z = normal(rng, 1000, 1000), normal(rng, 1000000), normal(rng, 100000, 10)
    yield Case("tir.argmax %0 axis 1", (x,), lambda x: np.argmax(x, 1))
    yield Case("tir.argmin %0 axis 1", (x,), lambda x: np.argmin(x, 1))
    yield Case("tir.argmax %0 axis 0", (x,), lambda x: np.argmax(x, 0))
    yield Case("tir.argmax %0 axis 0", (y,), lambda x: np.argmax(x, 0))
    yield Case("tir.argmax %0 axis 1", (z,), lambda x: np.argmax(x, 1))
    yield Case("tir.argmax %0 axis 1", (x.astype(np.float64),), lambda x: np.argmax(x, 1), note="f64")
    yield Case("tir.argmax %0 axis 1", ((x * 100).astype(np.int32),), lambda x: np.argmax(x, 1), note="i32")
    yield Case("tir.top_k %0 axis 1 k 1", (x,), lambda x: np.max(x, 1, keepdims=True), "{r}, tensor<1000x1xi64>", "%r, %p")


def orders(rng: np.random.Generator) -> Iterator[Case]:
    x, y = normal(rng, 100000), normal(rng, 1000, 100)
    stable: dict[str, Any] = {"kind": "stable"}
    yield Case("tir.sort %0 axis 0", (x,), lambda x: np.sort(x))
    yield Case("tir.sort %0 axis 1", (y,), lambda x: np.sort(x, 1))
    yield Case("tir.argsort %0 axis 0", (x,), lambda x: np.argsort(x, **stable))
    yield Case("tir.argsort %0 axis 1", (y,), lambda x: np.argsort(x, 1, **stable))
    yield Case(
        "tir.top_k %0 axis 1 k 5",
        (y,),
        lambda x: -np.sort(np.partition(-x, 5, 1)[:, :5]),
        "{r}, tensor<1000x5xi64>",
        "%r, %p",
    )


def casts(rng: np.random.Generator) -> Iterator[Case]:
    x = normal(rng, 1000000) * 50
    for source, targets in (("f4", "i1 u1 i2 i4 i8 f8 f2"), ("i4", "f4 i1 f8"), ("u1", "f4"), ("f8", "i8 f4"), ("f2", "f4")):
        for target in targets.split():
            operand = np.clip(x, 0, 127).astype(source)
            note = f"{_TYPES[operand.dtype]} to {_TYPES[np.dtype(target)]}"
            yield Case("tir.cast %0", (operand,), lambda x, t=target: x.astype(t), "{0} -> {r}", note=note)


def moves(rng: np.random.Generator) -> Iterator[Case]:
    x, small, square = normal(rng, 1000, 1000), normal(rng, 100, 100), normal(rng, 2048, 2048)
    yield Case("tir.tile %0 by [10, 10]", (small,), lambda x: np.tile(x, (10, 10)))
    yield Case("tir.tile %0 by [4, 1]", (x,), lambda x: np.tile(x, (4, 1)))
    yield Case("tir.repeat %0 times 3 axis 1", (x,), lambda x: np.repeat(x, 3, 1))
    yield Case("tir.repeat %0 times 3 axis 0", (x,), lambda x: np.repeat(x, 3, 0))
    yield Case("tir.concat %0, %1 axis 1", (x, x), lambda x, y: np.concatenate([x, y], 1))
    yield Case("tir.concat %0, %1 axis 0", (x, x), lambda x, y: np.concatenate([x, y], 0))
    yield Case(
        "tir.pad %0 with 0.0 : f32 from [1, 1] to [-1, -1] step [1, 1]",
        (x,),
        lambda x: np.pad(x, 1),
        "{0} -> {r}",
    )
    yield Case("tir.transpose %0 by [1, 0]", (square,), lambda x: np.ascontiguousarray(x.T))
    yield Case("tir.transpose %0 by [1, 0]", (normal(rng, 500, 300),), lambda x: np.ascontiguousarray(x.T))
    yield Case(
        "tir.transpose %0 by [0, 2, 1]", (normal(rng, 100, 100, 100),),
        lambda x: np.ascontiguousarray(x.transpose(0, 2, 1)),
    )  # fmt: skip
    yield Case("tir.reverse %0 over [1]", (x,), lambda x: np.ascontiguousarray(x[:, ::-1]))
    yield Case("tir.tril %0 diagonal 0", (x,), np.tril)


def windows(rng: np.random.Generator) -> Iterator[Case]:
    x = normal(rng, 256, 256)

    def pooled(fold: Any, size: int, stride: int = 1) -> Callable[[Any], Any]:
        def peer(x: Any) -> Any:
            rows = fold(sliding_window_view(x, size, 0)[::stride], -1)
            return fold(sliding_window_view(rows, size, 1)[:, ::stride], -1)

        return peer

    for size, stride in ((2, 2), (3, 1), (31, 1)):
        words = f"window [{size}, {size}] strides [{stride}, {stride}]"
        yield Case(f"tir.max_pool %0 {words}", (x,), pooled(np.max, size, stride))
        yield Case(f"tir.avg_pool %0 {words}", (x,), pooled(np.mean, size, stride))


def convolutions(rng: np.random.Generator) -> Iterator[Case]:
    x, w = normal(rng, 1, 1, 100000), normal(rng, 1, 1, 31)
    yield Case("tir.conv %0, %1", (x, w), lambda x, w: np.correlate(x[0, 0], w[0, 0])[None, None])
    for size in (3, 9):
        x, w = normal(rng, 1, 1, 256, 256), normal(rng, 1, 1, size, size)
        yield Case("tir.conv %0, %1", (x, w), _correlated)
    x, w = normal(rng, 8, 3, 64, 64), normal(rng, 1, 3, 3, 3)
    yield Case("tir.conv %0, %1", (x, w), _correlated)
    x, w = normal(rng, 1, 32, 64, 64), normal(rng, 32, 1, 3, 3)
    yield Case("tir.conv %0, %1 groups 32", (x, w), _depthwise)


def _correlated(x: Any, w: Any) -> Any:
    """The convolution of numpy: a sum over the places of the window."""
    height, width = (n - k + 1 for n, k in zip(x.shape[2:], w.shape[2:]))
    found = np.zeros((len(x), len(w), height, width), x.dtype)
    for o, c, i, j in np.ndindex(w.shape):
        found[:, o] += x[:, c, i : i + height, j : j + width] * w[o, c, i, j]
    return found


def _depthwise(x: Any, w: Any) -> Any:
    return np.concatenate([_correlated(x[:, i : i + 1], w[i : i + 1]) for i in range(len(w))], 1)


def scans(rng: np.random.Generator) -> Iterator[Case]:
    x = normal(rng, 1000, 1000)
    for axis in (0, 1):
        yield Case(f"tir.cumsum %0 axis {axis}", (x,), lambda x, a=axis: np.cumsum(x, a))
        yield Case(f"tir.cumprod %0 axis {axis}", (x,), lambda x, a=axis: np.cumprod(x, a))
        yield Case(f"tir.cummax %0 axis {axis}", (x,), lambda x, a=axis: np.maximum.accumulate(x, a))
    y = normal(rng, 100, 100, 100)
    yield Case("tir.cumsum %0 axis 1", (y,), lambda x: np.cumsum(x, 1))


def reductions(rng: np.random.Generator) -> Iterator[Case]:
    x, y = normal(rng, 1000, 1000), normal(rng, 100, 100, 100)
    for name, fold in (("sum", np.sum), ("max", np.max), ("prod", np.prod)):
        for axes in ([0], [1], [0, 1]):
            yield Case(f"tir.{name} %0 over {axes}", (x,), lambda x, f=fold, a=tuple(axes): f(x, axis=a))
    for axes in ([1], [0, 2], [0, 1]):
        yield Case(f"tir.sum %0 over {axes}", (y,), lambda x, a=tuple(axes): np.sum(x, axis=a))
    yield Case("tir.any %0 over [1]", (x > 5,), lambda x: np.any(x, 1))
    yield Case("tir.var %0 over [0]", (x,), lambda x: np.var(x, 0))
    yield Case("tir.var %0 over [1]", (x,), lambda x: np.var(x, 1))


def rows(rng: np.random.Generator) -> Iterator[Case]:
    x, index = normal(rng, 10000, 64), rng.integers(0, 10000, 20000)
    updates, numbers = normal(rng, 20000, 64), rng.integers(0, 10, 100000)
    yield Case("tir.take %0 at %1 axis 0", (x, index), lambda x, i: np.take(x, i, 0))
    yield Case("tir.take %0 at %1 axis 0", (x[:, 0].copy(), index), lambda x, i: np.take(x, i, 0))
    yield Case(
        "tir.take %0 at %1 axis 1", (normal(rng, 1000, 100), rng.integers(0, 100, 200)),
        lambda x, i: np.take(x, i, 1),
    )  # fmt: skip

    def added(x: Any, i: Any, u: Any) -> Any:
        x = x.copy()
        np.add.at(x, i, u)
        return x

    yield Case("tir.put add %0 at %1 with %2 axis 0", (x, index, updates), added)
    yield Case("tir.one_hot %0", (numbers,), lambda i: np.eye(10, dtype=np.float32)[i], "{0} -> {r}")


def norms(rng: np.random.Generator) -> Iterator[Case]:
    x = normal(rng, 1000, 1000)

    def softmax(x: Any, axis: int) -> Any:
        e = np.exp(x - np.max(x, axis, keepdims=True))
        return e / np.sum(e, axis, keepdims=True)

    def layer_norm(x: Any, g: Any, b: Any) -> Any:
        return (x - np.mean(x, 1, keepdims=True)) / np.sqrt(np.var(x, 1, keepdims=True) + np.float32(1e-5)) * g + b

    for axis in (0, 1):
        yield Case(f"tir.softmax %0 over [{axis}]", (x,), lambda x, a=axis: softmax(x, a))
    yield Case("tir.softmax %0 over [1]", (normal(rng, 64, 128, 49),), lambda x: softmax(x, 1))
    yield Case("tir.layer_norm %0, %1, %2 over [1] epsilon 1.0e-5 : f32", (x, x[0], x[1]), layer_norm)


# --- timing ----------------------------------------------------------------------------------------------------------


def best(call: Callable[[], Any], seconds: float = 0.15) -> float:
    """The least time of a call on this thread, in seconds; called for about `seconds`."""
    call()
    end, found = time.thread_time() + seconds, float("inf")
    while found == float("inf") or time.thread_time() < end:
        start = time.thread_time()
        call()
        found = min(found, time.thread_time() - start)
    return found


def run() -> None:
    found = []
    for case in cases():
        ours, want = case.compiled(), case.expected()
        difference = np.max(np.abs(ours().astype(np.float64) - want), initial=0)
        assert difference <= 1e-3 * np.max(np.abs(want), initial=1), case.title  # far above n * eps
        found.append((best(ours), best(partial(case.peer, *case.inputs)), case.title))
    for ours_s, numpy_s, title in sorted(found, key=lambda row: row[0] / row[1]):
        times = f"tir {ours_s * 1e6:10.1f} us   numpy {numpy_s * 1e6:10.1f} us"
        print(f"{title:76} {times} {ours_s / numpy_s:8.2f}x")
