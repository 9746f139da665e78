"""Programs in Python that the tests look inside of, and the lines of this file that their ops come from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

import tir

HERE = Path(__file__)


@cache
def training() -> tir.Builder:
    """A softmax classifier with a step of training."""
    b = tir.Builder()
    b.shared("w", np.zeros((64, 10), np.float32))
    with b.function("train", x="tensor<[B]x64xf32>", y=b.argument("tensor<[B]xi32>", range=(0, 10))) as (x, y):
        w = b.read("w")
        scores = x @ w
        hidden = b.log(1 + b.exp(scores))
        cost = b.mean(b.softmax_cross_entropy(hidden, y))
        (gw,) = b.grad(cost, [w])
        b.update("w", w - 0.1 * gw)
        b.returns(cost)
    return b


@cache
def looping() -> tir.Builder:
    """A loop, a condition, a sort and an access by an index."""
    b = tir.Builder()
    with b.function("f", x="tensor<[T]x3xf64>", i="tensor<i64>") as (x, i):
        last, states = b.scan(lambda h, t: ([b.tanh(h + t)], [h * t]), [b.sum(x, [0])], [x])
        picked = b.take(states[0], i)
        b.returns(last[0], picked, b.sort(x, 0))
    return b


def line_of(function: Callable[..., object], text: str) -> int:
    """The number of the only line of a function with this text."""
    lines, start = inspect.getsourcelines(inspect.unwrap(function))
    (found,) = (start + i for i, line in enumerate(lines) if text in line)
    return found


def place_of(function: Callable[..., object], text: str) -> str:
    """`file:line` of the only line of a function of this file with the text."""
    return f"{HERE}:{line_of(function, text)}"


def shown_place(function: Callable[..., object], text: str) -> str:
    """The same as a reader gets it, without the current folder."""
    return place_of(function, text).removeprefix(f"{Path.cwd()}/")
