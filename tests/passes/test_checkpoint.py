"""`tir.checkpoint`: the same numbers at every level with and without, to second order, and less that is kept."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.levels import first_disagreement
from tir import Builder
from tir.dialects.all import REGISTRY
from tir.dialects.tir.markers import OptimizationBarrier
from tir.interpret import Interpreter
from tir.ir.ir import Op
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce

LAYERS, WIDTH = 6, 5


def network(checkpointed: bool, layers: int = LAYERS) -> Builder:
    """A chain of layers: the cost, its gradient by all weights, a Hessian times a vector, and a tangent."""
    b = Builder()
    type = f"tensor<{layers}x{WIDTH}x{WIDTH}xf64>"
    with b.function("main", x=f"tensor<[B]x{WIDTH}xf64>", w=type, v=type) as (x, w, v):
        h = x
        for layer in range(layers):
            wi = b.reshape(b.slice(w, [layer, 0, 0], [layer + 1, WIDTH, WIDTH]), [WIDTH, WIDTH])

            def block(h=h, wi=wi):  # noqa: ANN001, ANN202
                return [b.tanh(b.sin(b.tanh(h @ wi))) + h]

            (h,) = b.checkpoint(block) if checkpointed else block()
        cost = b.mean(b.square(h))
        (g,) = b.grad(cost, [w])
        (hv,) = b.jvp([g], [w], [v])
        (t,) = b.jvp([cost], [w], [v])
        b.returns(cost, g, hv, t)
    b.verify()
    return b


def arguments(layers: int = LAYERS) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    shape = (layers, WIDTH, WIDTH)
    return [rng.normal(size=(4, WIDTH)), rng.normal(size=shape), rng.normal(size=shape)]


def run(module: Op) -> list[np.ndarray]:
    Autodiff().run(module)
    return Interpreter(module).run("main", arguments())


def test_the_numbers_are_those_without_it() -> None:
    for found, want in zip(run(network(True).module), run(network(False).module)):
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-14)


def test_levels_agree() -> None:
    found = first_disagreement(network(True, layers=1).module_text(), arguments(layers=1), read_back=[])
    assert found is None, found


def test_a_tensor_alone_comes_back_alone() -> None:
    b = Builder()
    with b.function("main", x="tensor<3xf64>", c="tensor<i1>") as (x, c):
        (y,) = b.if_(c, lambda: b.exp(x), lambda: x)
        b.returns(b.checkpoint(lambda: b.sin(y)), *b.checkpoint(lambda: [b.cos(y)]))
    b.verify()
    found = Interpreter(b.module).run("main", [np.zeros(3), np.asarray(True)])
    np.testing.assert_allclose(found, [np.sin(np.ones(3)), np.cos(np.ones(3))])


def kept(checkpointed: bool) -> int:
    """How many values the gradient keeps, as its remark says."""
    step = Autodiff()
    step.run(network(checkpointed).module)
    texts = [text for _, text, _ in step.remarks if "tir.grad keeps" in text]
    assert len(texts) == 1
    return int(re.search(r"keeps (\d+) values", texts[0])[1])


def test_a_layer_keeps_what_comes_into_it_alone() -> None:
    """Its input and its weights; without, the results of tanh, sin and tanh as well."""
    assert kept(True) <= 2 * LAYERS + 1
    assert kept(False) >= 4 * LAYERS


def test_cse_does_not_undo_it() -> None:
    module = network(True).module
    Autodiff().run(module)
    Cse().run(module)
    names = [op.name for op in module.walk()]
    assert names.count("tir.tanh") == 2 * 2 * LAYERS  # in the forward pass and once more
    assert any(isinstance(op, OptimizationBarrier) for op in module.walk())


def test_barriers_are_neither_merged_nor_folded() -> None:
    text = """func.func @main(%x: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xf64>) {
  %a = tir.optimization_barrier %x : tensor<3xf64>
  %b = tir.optimization_barrier %x : tensor<3xf64>
  %c = tir.optimization_barrier %b : tensor<3xf64>
  %unused = tir.optimization_barrier %x : tensor<3xf64>
  %d = tir.exp %a : tensor<3xf64>
  %e = tir.exp %c : tensor<3xf64>
  return %d, %e : tensor<3xf64>, tensor<3xf64>
}
"""
    module = parse_text(text, REGISTRY)
    for step in (Cse(), Canonicalize(), Dce()):
        step.run(module)
    assert [op.name for op in module.walk()].count("tir.optimization_barrier") == 3


def test_without_a_gradient_the_region_is_part_of_the_program() -> None:
    text = """func.func @main(%x: tensor<3xf64>) -> tensor<3xf64> {
  %y:2 = tir.checkpoint -> (tensor<3xf64>, tensor<3xi1>) {
    %i = tir.checkpoint -> (tensor<3xf64>) {
      %e = tir.exp %x : tensor<3xf64>
      tir.yield %e : tensor<3xf64>
    }
    %n = tir.is_nan %i : tensor<3xf64>
    tir.yield %i, %n : tensor<3xf64>, tensor<3xi1>
  }
  return %y#0 : tensor<3xf64>
}
"""
    module = parse_text(text, REGISTRY)
    Autodiff().run(module)
    assert [op.name for op in module.walk()][2:] == ["tir.exp", "tir.is_nan", "func.return"]
    found = first_disagreement(text, [np.array([0.5, np.nan, -np.inf])])
    assert found is None, found


LOOP = """func.func @main(%x: tensor<4xf64>, %w: tensor<f64>, %k: tensor<i32>) -> (tensor<f64>, tensor<f64>, tensor<4xf64>) {
  %n = tir.iota axis 0 : tensor<6xi32>
  %last = tir.scan (%h = %x : tensor<4xf64>) over (%i = %n : tensor<6xi32>) {
    %p = tir.cmp lt %i, %k : tensor<i32>
    %y = tir.checkpoint -> (tensor<4xf64>) {
      %z = tir.if %p -> (tensor<4xf64>) {
        %b = tir.broadcast %w along [] : tensor<f64> -> tensor<4xf64>
        %m = tir.mul %h, %b : tensor<4xf64>
        %s = tir.sin %m : tensor<4xf64>
        tir.yield %s : tensor<4xf64>
      } else {
        %t = tir.tanh %h : tensor<4xf64>
        tir.yield %t : tensor<4xf64>
      }
      tir.yield %z : tensor<4xf64>
    }
    tir.yield %y : tensor<4xf64>
  }
  %q = tir.square %last : tensor<4xf64>
  %cost = tir.sum %q over [0] : tensor<f64>
  %gw, %gx = tir.grad %cost wrt (%w, %x) : tensor<f64>, tensor<4xf64>
  return %cost, %gw, %gx : tensor<f64>, tensor<f64>, tensor<4xf64>
}
"""


@pytest.mark.parametrize("k", [0, 3, 6])
def test_inside_of_a_loop_around_a_branch(k: int) -> None:
    x, w = np.array([0.3, -1.0, 2.0, 0.1]), 1.3

    def cost(x: np.ndarray, w: float) -> float:
        h = x
        for i in range(6):
            h = np.sin(h * w) if i < k else np.tanh(h)
        return float(np.sum(h * h))

    given = [x, np.float64(w), np.int32(k)]
    module = parse_text(LOOP, REGISTRY)
    Autodiff().run(module)
    value, gw, gx = Interpreter(module).run("main", [np.asarray(one) for one in given])
    step = 1e-6
    np.testing.assert_allclose(value, cost(x, w), rtol=1e-14)
    np.testing.assert_allclose(gw, (cost(x, w + step) - cost(x, w - step)) / (2 * step), rtol=1e-7, atol=1e-9)
    for j in range(4):
        e = step * np.eye(4)[j]
        np.testing.assert_allclose(gx[j], (cost(x + e, w) - cost(x - e, w)) / (2 * step), rtol=1e-7, atol=1e-9)
    found = first_disagreement(LOOP, [np.asarray(one) for one in given], read_back=[])
    assert found is None, found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tir.yield %x : tensor<3xf64>", "tir.checkpoint: the region must yield tensor<f64> as value 0, got tensor<3xf64>"),
        ("tir.yield", "tir.checkpoint: the region must yield (tensor<f64>), got ()"),
    ],
)
def test_wrong_regions(line: str, message: str) -> None:
    text = f"""func.func @f(%x: tensor<3xf64>) {{
  %y = tir.checkpoint -> (tensor<f64>) {{
    {line}
  }}
  return
}}
"""
    with pytest.raises(Exception) as caught:
        parse_text(text, REGISTRY)
    assert message in str(caught.value)
