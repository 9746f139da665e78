"""Programs with branches and loops for tests: their texts, how they are run, and the same by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.levels import LEVELS, first_disagreement
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients

__all__ = ["BRANCH", "arguments_of", "by_hand", "check", "function", "inputs", "recurrence", "run"]

def function(arguments: str, body: str, results: str) -> str:
    """A module with one function; results: `%a : t, %b : t`."""
    pairs = [part.split(" : ") for part in results.split("; ")]
    types = ", ".join(type for _, type in pairs)
    return (
        f"func.func @main({arguments}) -> ({types}) {{\n{body}\n"
        f"  return {', '.join(name for name, _ in pairs)} : {types}\n}}\n"
    )


def run(text: str, *arguments: Any) -> list[Any]:
    """The results at the tensor level, where the text also reads back; gradients are expanded."""
    module = parse_text(text, REGISTRY)
    verify(module)
    printed = print_op(module)
    assert print_op(parse_text(printed, REGISTRY)) == printed
    expand_gradients(module)
    verify(module)
    return Interpreter(module).run("main", [np.asarray(x) for x in arguments])


def check(text: str, want: Sequence[Any], *arguments: Any) -> None:
    """The program gives `want` at the tensor level, and the same at all others."""
    for got, expected in zip(run(text, *arguments), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    given = [np.asarray(x) for x in arguments]
    found = first_disagreement(text, given, levels=list(LEVELS), read_back=["loops"])
    assert found is None, found


BRANCH = function(
    "%c: tensor<i1>, %x: tensor<3xf64>, %y: tensor<3xf64>",
    """  %r:2 = tir.if %c -> (tensor<3xf64>, tensor<f64>) {
    %a = tir.mul %x, %y : tensor<3xf64>
    %s = tir.sum %a over [0] : tensor<f64>
    tir.yield %a, %s : tensor<3xf64>, tensor<f64>
  } else {
    %s = tir.sum %x over [0] : tensor<f64>
    tir.yield %y, %s : tensor<3xf64>, tensor<f64>
  }""".replace("else {\n    %s", "else {\n    %s2").replace("tir.yield %y, %s", "tir.yield %y, %s2"),
    "%r#0 : tensor<3xf64>; %r#1 : tensor<f64>",
)


def recurrence(size: str, flags: str) -> str:
    body = f"""  %last, %all, %sums = tir.scan (%h = %h0 : tensor<2x3xf64>) over (%x = %xs : tensor<{size}x3xf64>, %k = %ks : tensor<{size}xi32>) -> (tensor<{size}x2x3xf64>, tensor<{size}xf64>) {flags}{{
    %b = tir.broadcast %x along [1] : tensor<3xf64> -> tensor<2x3xf64>
    %kf = tir.cast %k : tensor<i32> -> tensor<f64>
    %kb = tir.broadcast %kf along [] : tensor<f64> -> tensor<2x3xf64>
    %hw = tir.dot %h, %w : tensor<2x3xf64>
    %s = tir.add %hw, %b : tensor<2x3xf64>
    %s2 = tir.add %s, %kb : tensor<2x3xf64>
    %t = tir.tanh %s2 : tensor<2x3xf64>
    %total = tir.sum %t over [0, 1] : tensor<f64>
    tir.yield %t, %h, %total : tensor<2x3xf64>, tensor<2x3xf64>, tensor<f64>
  }}"""
    return body


def arguments_of(size: str) -> str:
    return f"%xs: tensor<{size}x3xf64>, %ks: tensor<{size}xi32>, %h0: tensor<2x3xf64>, %w: tensor<3x3xf64>"


def inputs(steps: int, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(steps, 3)), rng.integers(-2, 3, steps).astype(np.int32), rng.normal(size=(2, 3)), rng.normal(size=(3, 3))]


def by_hand(xs: Any, ks: Any, h: Any, w: Any, reverse: bool) -> tuple[Any, Any, Any]:
    steps = len(xs)
    history, sums = np.zeros((steps, 2, 3)), np.zeros(steps)
    for i in reversed(range(steps)) if reverse else range(steps):
        history[i] = h
        h = np.tanh(h @ w + xs[i] + ks[i])
        sums[i] = h.sum()
    return h, history, sums
