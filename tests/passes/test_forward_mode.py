"""`tir.jvp` and `tir.vjp`: forward mode against reverse mode, whose gradients `test_autodiff.py` checks; loops; messages."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import first_disagreement
from tests.ops.samples import SMOOTH, Smooth
from tests.passes.test_autodiff import expanded, result_shape
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError, TirError
from tir.parser.parse import parse_text


def both_modes(point: Smooth) -> str:
    """@main gives the tangent of the result for tangents %t.. of the inputs, and the adjoints of these for one %w of it."""
    wrt = [f"%{i}" for i in point.wrt]
    types = [point.types[i] for i in point.wrt]
    arguments = [f"%{i}: {type}" for i, type in enumerate(point.types)]
    arguments += [f"%t{i}: {type}" for i, type in enumerate(types)] + [f"%w: {point.result}"]
    tangents, adjoints = ([f"%{letter}{i}" for i in range(len(wrt))] for letter in "ta")
    body = f"{point.names} = {point.op} {point.text}"
    if point.op == "tir.leaf":
        wrt, body = ["%l"], body.replace("%r = tir.leaf", "%l = tir.leaf")
    value = "%l" if point.op == "tir.leaf" else "%r"
    results = ", ".join([point.result, *types])
    return (
        f"func.func @main({', '.join(arguments)}) -> ({results}) {{\n  {body}\n"
        f"  %j = tir.jvp ({value}) wrt ({', '.join(wrt)}) with ({', '.join(tangents)}) : {point.result}\n"
        f"  {', '.join(adjoints)} = tir.vjp ({value}) with (%w) wrt ({', '.join(wrt)}) : {', '.join(types)}\n"
        f"  return {', '.join(['%j', *adjoints])} : {results}\n}}\n"
    )


@pytest.mark.parametrize("point", SMOOTH, ids=str)
def test_forward_and_reverse_mode_agree(point: Smooth) -> None:
    """w (J t) is (w J) t, for any tangents t and adjoints w."""
    rng = np.random.default_rng(5)
    tangents = [rng.normal(size=point.inputs[i].shape) for i in point.wrt]
    w = rng.normal(size=result_shape(point))
    found, *adjoints = Interpreter(expanded(both_modes(point))).run("main", [*point.inputs, *tangents, w])
    forward, reverse = np.sum(w * found), sum(np.sum(a * t) for a, t in zip(adjoints, tangents))
    scale = np.sum(np.abs(w * found)) + sum(np.sum(np.abs(a * t)) for a, t in zip(adjoints, tangents))
    assert abs(forward - reverse) <= 1e-12 * max(scale, 1.0), (forward, reverse)


LOOPS = """func.func @main(%x: tensor<3xf64>, %w: tensor<f64>, %n: tensor<i32>, %c: tensor<i1>, %xs: tensor<5x3xf64>,
                %dx: tensor<3xf64>, %dw: tensor<f64>, %dxs: tensor<5x3xf64>) -> (tensor<3xf64>, tensor<5xf64>) {
  %one = tir.constant dense<1> : tensor<i32>
  %zero = tir.constant dense<0> : tensor<i32>
  %r:2 = tir.while (%i = %zero : tensor<i32>, %y = %x : tensor<3xf64>) {
    %more = tir.cmp lt %i, %n : tensor<i32>
    tir.yield %more : tensor<i1>
  } do {
  ^bb0(%j: tensor<i32>, %z: tensor<3xf64>):
    %k = tir.add %j, %one : tensor<i32>
    %s = tir.sin %z : tensor<3xf64>
    %wide = tir.broadcast %w along [] : tensor<f64> -> tensor<3xf64>
    %v = tir.if %c -> (tensor<3xf64>) {
      %p = tir.mul %s, %wide : tensor<3xf64>
      tir.yield %p : tensor<3xf64>
    } else {
      tir.yield %z : tensor<3xf64>
    }
    tir.yield %k, %v : tensor<i32>, tensor<3xf64>
  }
  %last, %stack = tir.scan (%h = %r#1 : tensor<3xf64>) over (%e = %xs : tensor<5x3xf64>) -> (tensor<5xf64>) reverse {
    %a = tir.mul %h, %e : tensor<3xf64>
    %t = tir.tanh %a : tensor<3xf64>
    %m = tir.sum %t over [0] : tensor<f64>
    tir.yield %t, %m : tensor<3xf64>, tensor<f64>
  }
  %j:2 = tir.jvp (%last, %stack) wrt (%x, %w, %xs) with (%dx, %dw, %dxs) : tensor<3xf64>, tensor<5xf64>
  return %j#0, %j#1 : tensor<3xf64>, tensor<5xf64>
}
""".replace("%j:2 = tir.jvp", "%q:2 = tir.jvp").replace("return %j#0, %j#1", "return %q#0, %q#1")


@pytest.mark.parametrize("condition", [True, False])
@pytest.mark.parametrize("trips", [0, 1, 4])
def test_tangents_go_through_loops_and_branches(trips: int, condition: bool) -> None:
    """A `tir.while` needs no max_trips in forward mode."""
    rng = np.random.default_rng(trips)
    x, w, xs, dx, dw, dxs = (rng.normal(size=shape) for shape in ((3,), (), (5, 3), (3,), (), (5, 3)))

    def value(step: float) -> tuple[np.ndarray, np.ndarray]:
        h, weight = x + step * dx, w + step * dw
        for _ in range(trips if condition else 0):
            h = np.sin(h) * weight
        stack = np.zeros(5)
        for i in reversed(range(5)):
            h = np.tanh(h * (xs + step * dxs)[i])
            stack[i] = h.sum()
        return h, stack

    given = [x, w, np.int32(trips), np.bool_(condition), xs, dx, dw, dxs]
    found = Interpreter(expanded(LOOPS)).run("main", [np.asarray(one) for one in given])
    for got, above, below in zip(found, value(1e-6), value(-1e-6)):
        np.testing.assert_allclose(got, (above - below) / 2e-6, rtol=1e-7, atol=1e-9)
    difference = first_disagreement(LOOPS, [np.asarray(one) for one in given], read_back=[])
    assert difference is None, difference


def test_tangents_of_a_value_named_twice_add_up() -> None:
    text = """func.func @main(%x: tensor<2xf64>, %s: tensor<2xf64>, %t: tensor<2xf64>) -> tensor<2xf64> {
  %q = tir.square %x : tensor<2xf64>
  %j = tir.jvp (%q) wrt (%x, %x) with (%s, %t) : tensor<2xf64>
  return %j : tensor<2xf64>
}
"""
    x, s, t = np.array([3.0, -1.0]), np.array([1.0, 2.0]), np.array([10.0, 20.0])
    np.testing.assert_array_equal(Interpreter(expanded(text)).run("main", [x, s, t])[0], 2 * x * (s + t))


def test_tangent_of_a_leaf_adds_to_what_moves_it() -> None:
    """y = x^2, c = y^3: a change of x moves y, too, as in reverse mode the gradient by x is that through y."""
    text = """func.func @main(%x: tensor<f64>, %s: tensor<f64>, %t: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>) {
  %q = tir.square %x : tensor<f64>
  %y = tir.leaf %q : tensor<f64>
  %two = tir.square %y : tensor<f64>
  %c = tir.mul %two, %y : tensor<f64>
  %gx, %gy = tir.grad %c wrt (%x, %y) : tensor<f64>, tensor<f64>
  %j = tir.jvp (%c) wrt (%x, %y) with (%s, %t) : tensor<f64>
  return %gx, %gy, %j : tensor<f64>, tensor<f64>, tensor<f64>
}
"""
    found = Interpreter(expanded(text)).run("main", [np.float64(2), np.float64(10), np.float64(100)])
    assert found == [3 * 4**2 * 2 * 2, 3 * 4**2, 3 * 4**2 * (2 * 2 * 10 + 100)]


def test_a_captured_value_alone_moves_what_a_loop_carries() -> None:
    """x w^3, by w: 3 x w^2."""
    text = """func.func @main(%x: tensor<f64>, %w: tensor<f64>) -> tensor<f64> {
  %zero = tir.constant dense<0> : tensor<i32>
  %one = tir.constant dense<1> : tensor<i32>
  %three = tir.constant dense<3> : tensor<i32>
  %r:2 = tir.while (%y = %x : tensor<f64>, %i = %zero : tensor<i32>) {
    %more = tir.cmp lt %i, %three : tensor<i32>
    tir.yield %more : tensor<i1>
  } do {
  ^bb0(%z: tensor<f64>, %j: tensor<i32>):
    %p = tir.mul %z, %w : tensor<f64>
    %k = tir.add %j, %one : tensor<i32>
    tir.yield %p, %k : tensor<f64>, tensor<i32>
  }
  %slope = tir.jvp (%r#0) wrt (%w) with (%x) : tensor<f64>
  return %slope : tensor<f64>
}
"""
    (slope,) = Interpreter(expanded(text)).run("main", [np.float64(2), np.float64(5)])
    assert slope == 3 * 2 * 5**2 * 2


def test_what_a_region_uses_for_nothing_gives_no_tangent() -> None:
    """Not even one of 0, which times the infinite slope of the root would be nan."""
    text = """func.func @main(%c: tensor<i1>, %x: tensor<f64>, %y: tensor<f64>, %ys: tensor<2xf64>) -> (tensor<f64>, tensor<2xf64>) {
  %0 = tir.if %c -> (tensor<f64>) {
    %dead = tir.sin %x : tensor<f64>
    tir.yield %y : tensor<f64>
  } else {
    %1 = tir.exp %y : tensor<f64>
    tir.yield %1 : tensor<f64>
  }
  %root = tir.sqrt %0 : tensor<f64>
  %2 = tir.scan over (%e = %ys : tensor<2xf64>) -> (tensor<2xf64>) {
    %dead = tir.sin %x : tensor<f64>
    tir.yield %e : tensor<f64>
  }
  %roots = tir.sqrt %2 : tensor<2xf64>
  %j, %k = tir.jvp (%root, %roots) wrt (%x) with (%x) : tensor<f64>, tensor<2xf64>
  return %j, %k : tensor<f64>, tensor<2xf64>
}
"""
    j, k = Interpreter(expanded(text)).run("main", [np.bool_(True), np.float64(1), np.float64(0), np.zeros(2)])
    assert j == 0
    np.testing.assert_array_equal(k, [0, 0])


def test_what_does_not_depend_on_wrt_has_the_tangent_zero() -> None:
    text = """func.func @main(%x: tensor<2xf64>, %y: tensor<[N]xf64>, %t: tensor<2xf64>) -> (tensor<[N]xf64>, tensor<2xf64>) {
  %e = tir.exp %y : tensor<[N]xf64>
  %j, %same = tir.jvp (%e, %x) wrt (%x) with (%t) : tensor<[N]xf64>, tensor<2xf64>
  return %j, %same : tensor<[N]xf64>, tensor<2xf64>
}
"""
    found = Interpreter(expanded(text)).run("main", [np.ones(2), np.ones(3), np.array([3.0, 4.0])])
    np.testing.assert_array_equal(found[0], np.zeros(3))
    np.testing.assert_array_equal(found[1], [3.0, 4.0])


def test_hessian_times_vector_is_forward_over_reverse() -> None:
    """f(x) = sum(x^3) / 6 has the Hessian diag(x)."""
    text = """func.func @main(%x: tensor<3xf64>, %v: tensor<3xf64>) -> tensor<3xf64> {
  %q = tir.square %x : tensor<3xf64>
  %c = tir.mul %q, %x : tensor<3xf64>
  %s = tir.sum %c over [0] : tensor<f64>
  %g = tir.grad %s wrt (%x) : tensor<3xf64>
  %h = tir.jvp (%g) wrt (%x) with (%v) : tensor<3xf64>
  return %h : tensor<3xf64>
}
"""
    x, v = np.array([1.0, -2.0, 0.5]), np.array([1.0, 10.0, 100.0])
    np.testing.assert_allclose(Interpreter(expanded(text)).run("main", [x, v])[0], 6 * x * v, rtol=1e-14)


WRONG = [
    ("%r = tir.vjp (%y) with (%x, %x) wrt (%x) : tensor<2xf64>", "needs as many cotangents as values: 1, got 2"),
    ("%r = tir.vjp (%y) with (%z) wrt (%x) : tensor<2xf64>", "the cotangent of %y must have type tensor<2xf64>, got tensor<3xf64>"),
    ("%r = tir.jvp (%y) wrt (%x) with (%z) : tensor<2xf64>", "the tangent of %x must have type tensor<2xf64>, got tensor<3xf64>"),
    ("%r = tir.vjp (%y) with (%y) wrt (%y) : tensor<2xf64>", "wrt %y must be an argument of the block or the result of a tir.leaf"),
    ("%r:2 = tir.jvp (%y) wrt (%x) with (%x) : tensor<2xf64>, tensor<2xf64>", "needs a result for each value: 1, got 2"),
    ("%r = tir.jvp (%y) wrt () with () : tensor<2xf64>", "wrt must name a value"),
]


@pytest.mark.parametrize(("op", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_derivatives_are_told(op: str, message: str) -> None:
    text = f"""func.func @main(%x: tensor<2xf64>, %z: tensor<3xf64>) {{
  %y = tir.exp %x : tensor<2xf64>
  {op}
  return
}}
"""
    with pytest.raises(TirError) as found:
        parse_text(text, REGISTRY, file="model.tir")
    assert message in str(found.value)


def test_an_op_without_a_derivative_is_named() -> None:
    text = """func.func @main(%x: tensor<4xf64>, %t: tensor<4xf64>) -> tensor<f64> {
  %i = tir.argmax %x axis 0 : tensor<i64>
  %f = tir.cast %i : tensor<i64> -> tensor<f64>
  %j = tir.jvp (%f) wrt (%x) with (%t) : tensor<f64>
  return %j : tensor<f64>
}
"""
    with pytest.raises(PassError, match="tir.argmax has no gradient"):
        expanded(text)
