"""`tir.grad` and its kin in Python, on values and on functions, against formulas by hand and differences; their messages."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import tir
from tir.dialects.all import REGISTRY
from tir.dialects.tir.state import Derivative
from tir.interpret import Interpreter
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients

RNG = np.random.default_rng(0)
W, X, V = RNG.normal(size=(2, 3)), RNG.normal(size=3), RNG.normal(size=3)
NUMBER = np.array(0.7)


def types_of(arrays: Sequence[Any]) -> list[str]:
    return [f"tensor<{''.join(f'{d}x' for d in x.shape)}{'f64' if x.dtype.kind == 'f' else 'i64'}>" for x in arrays]


def module_of(make: Callable[..., Any], types: Sequence[str]) -> tuple[tir.Builder, int]:
    """A module whose @f returns what `make` gives; and how many results."""
    b = tir.Builder()
    with b.function("f", **dict(zip("abcd", types))) as arguments:
        found = make(b, *arguments)
        found = [found] if isinstance(found, tir.Tensor) else list(found)
        b.returns(*found)
    b.verify()
    return b, len(found)


def run(make: Callable[..., Any], *arrays: Any) -> list[Any]:
    """What @f computes, where its text reads back; gradients are expanded."""
    b, _ = module_of(make, types_of(arrays))
    text = b.module_text()
    assert print_op(parse_text(text, REGISTRY)) == text
    expand_gradients(b.module)
    verify(b.module)
    return Interpreter(b.module).run("f", list(arrays))


def check(make: Callable[..., Any], want: Sequence[Any], *arrays: Any) -> None:
    got = run(make, *arrays)
    for one, expected in zip(got, want, strict=True):
        assert one.shape == np.shape(expected)
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-14)


# --- values: Theano's way --------------------------------------------------------------------------------------------


def layer(b: Any, w: Any, x: Any) -> Any:
    return b.sum(b.square(b.tanh(w @ x)))


T = np.tanh(W @ X)
DW, DX = np.outer(2 * T * (1 - T**2), X), (2 * T * (1 - T**2)) @ W


def test_gradients_come_as_wrt_is_given() -> None:
    found: dict[str, Any] = {}

    def make(b: Any, w: Any, x: Any) -> Any:
        cost = layer(b, w, x)
        found["one"] = tir.grad(cost, w)
        found["list"] = tir.grad(cost, [w, x])
        found["tuple"] = tir.grad(cost=cost, wrt=(x,))
        found["with"] = tir.value_and_grad(cost, [x])
        assert found["with"][0] is cost
        return [found["one"], *found["list"], *found["tuple"], *found["with"][1]]

    check(make, [DW, DW, DX, DX, DX], W, X)
    assert [type(found[name]) for name in ("one", "list", "tuple", "with")] == [tir.Tensor, list, tuple, tuple]
    assert type(found["with"][1]) is list


def test_gradient_by_any_value_even_by_the_cost_itself() -> None:
    def make(b: Any, x: Any) -> Any:
        middle = x * 3
        cost = b.sum(b.square(middle))
        return tir.grad(cost, [middle, cost, x, middle])

    check(make, [6 * X, 1.0, 18 * X, 6 * X], X)


def test_gradient_of_a_gradient_by_values() -> None:
    def make(b: Any, x: Any) -> Any:
        y = x * 1.0
        slope = tir.grad(b.sum(b.sin(y)), y)
        return tir.grad(b.sum(b.square(slope)), y)

    check(make, [-2 * np.cos(X) * np.sin(X)], X)


def test_values_that_are_considered_constant_hand_nothing_on() -> None:
    def make(b: Any, x: Any) -> Any:
        e = b.exp(x)
        cost = b.sum(e * x)
        return [
            tir.grad(cost, x, consider_constant=[e]), *tir.grad(cost, [x, e], consider_constant=[e]), tir.grad(cost, x),
            tir.grad(cost, x, consider_constant=[x]),
        ]  # fmt: skip

    whole = np.exp(X) * (1 + X)
    check(make, [np.exp(X), np.exp(X), X, whole, whole], X)


def test_known_cotangents_take_the_place_of_what_would_be_computed() -> None:
    """As Theano's known_grads: the derivative by the value is what is given, whatever the cost says of it."""

    def make(b: Any, x: Any, g: Any) -> Any:
        s = b.sin(x)
        other = b.square(x)
        cost = b.sum(s * s) + b.sum(other)
        return [
            tir.grad(None, x, known_cotangents={s: g}), tir.grad(cost, x, known_cotangents={s: g}),
            *tir.grad(cost, [s, x], known_cotangents={s: g, other: 2.0}), tir.grad(None, x, known_cotangents={x: g}),
        ]  # fmt: skip

    check(make, [V * np.cos(X), V * np.cos(X) + 2 * X, V, V * np.cos(X) + 4 * X, V], X, V)


def test_known_cotangents_of_values_one_behind_the_other() -> None:
    def make(b: Any, x: Any, g: Any) -> Any:
        first = b.sin(x)
        second = b.exp(first)
        return tir.grad(b.sum(second), [x, first], known_cotangents={first: g, second: 3.0})

    check(make, [V * np.cos(X), V], X, V)


def test_a_value_may_be_named_twice() -> None:
    def make(b: Any, x: Any, g: Any) -> Any:
        e = b.exp(x)
        cost = b.sum(e * x)
        return [
            *tir.grad(cost, [x, e, e], consider_constant=[e, e]),
            *tir.grad(cost, [x, e], known_cotangents={e: g}, consider_constant=[e]),
        ]  # fmt: skip

    e = np.exp(X)
    check(make, [e, X, X, e + V * e, V], X, V)


def test_what_is_disconnected_is_an_error_a_warning_or_zero() -> None:
    def make(b: Any, x: Any, y: Any, **choice: Any) -> Any:
        return tir.grad(b.sum(b.exp(x)), [x, y], **choice)

    with pytest.raises(tir.TirError, match=r'tir.grad: the cost does not depend on wrt 1 %b; disconnected="zero" gives 0'):
        run(make, X, V)
    check(lambda b, x, y: make(b, x, y, disconnected="zero"), [np.exp(X), 0 * V], X, V)
    with pytest.warns(UserWarning, match="tir.grad: the cost does not depend on wrt 1 %b; it is 0") as caught:
        check(lambda b, x, y: make(b, x, y, disconnected="warn"), [np.exp(X), 0 * V], X, V)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(lambda b, x: [tir.grad(b.sum(x), x, disconnected="warn")], [np.ones(3)], X)


def test_what_depends_by_whole_numbers_alone_is_disconnected() -> None:
    def make(b: Any, x: Any, **choice: Any) -> Any:
        return tir.grad(b.sum(b.select(b.cast(b.round(x), tir.I64) > 0, 1.0, x * 0 if choice else 2.0)), x, **choice)

    with pytest.raises(tir.TirError, match="does not depend on wrt %a but by whole numbers and truth values"):
        run(make, X)

    def position(b: Any, x: Any) -> Any:
        return tir.grad(b.cast(b.argmax(x, 0), tir.F64), x, disconnected="zero")

    check(position, [np.zeros(3)], X)


def test_vjp_and_jvp_of_values() -> None:
    def make(b: Any, x: Any, v: Any) -> Any:
        s, e = b.sin(x), b.exp(x)
        (g,) = tir.vjp([s, e], [v, 2.0], [x])
        ds, de = tir.jvp((s, e), x, v)
        assert isinstance(tir.jvp(s, [x], [v]), tir.Tensor)
        return [g, ds, de, tir.vjp(s, v, x)]

    check(make, [V * np.cos(X) + 2 * np.exp(X), V * np.cos(X), V * np.exp(X), V * np.cos(X)], X, V)


HESSIAN = np.diag(-np.sin(X)) + 2 * np.ones((3, 3))


def test_jacobian_hessian_and_hvp_of_values() -> None:
    def make(b: Any, x: Any, v: Any) -> Any:
        cost = b.sum(b.sin(x)) + b.square(b.sum(x))
        (h,) = tir.hessian(cost, [x])
        (hv,) = tir.hvp(cost, (x,), (v,))
        return [tir.jacobian(b.exp(x), x), h, hv, tir.hvp(cost, x, v), tir.hessian(cost, x, mode="forward")]

    check(make, [np.diag(np.exp(X)), HESSIAN, HESSIAN @ V, HESSIAN @ V, HESSIAN], X, V)


def test_hessian_of_several_is_that_of_each() -> None:
    def make(b: Any, w: Any, x: Any) -> Any:
        cost = b.sum(b.square(w @ x))
        found = tir.hessian(cost, [w, x])
        assert isinstance(found, list)
        return found

    by_w = 2 * np.einsum("ik,j,l->ijkl", np.eye(2), X, X)
    check(make, [by_w, 2 * W.T @ W], W, X)


# --- functions: JAX's way --------------------------------------------------------------------------------------------


def test_gradient_of_a_function_is_a_function() -> None:
    def make(b: Any, w: Any, x: Any) -> Any:
        def loss(w: Any, x: Any) -> Any:
            return layer(b, w, x)

        by_both = tir.grad(loss, (0, 1))(w, x)
        assert isinstance(by_both, tuple)
        value, slope = tir.value_and_grad(loss, argnums=-1)(w, x)
        return [tir.grad(loss)(w, x), tir.grad(loss, argnums=1)(w, x), *by_both, value, slope]

    check(make, [DW, DX, DW, DX, (T**2).sum(), DX], W, X)


def test_gradient_of_a_function_is_by_the_argument_and_not_by_what_the_function_takes_from_outside() -> None:
    def make(b: Any, x: Any) -> Any:
        return tir.grad(lambda y: b.sum(y * x))(x)

    check(make, [X], X)


def test_gradients_nest() -> None:
    def make(b: Any, x: Any) -> Any:
        third = tir.grad(tir.grad(tir.grad(lambda y: b.sin(y))))
        perturbation = tir.grad(lambda y: y * tir.grad(lambda z: y + z)(b.constant(1.0)))
        return [third(x), tir.grad(tir.grad(lambda y: 3 * y))(x), perturbation(x)]

    check(make, [-np.cos(NUMBER), 0.0, 1.0], NUMBER)


def test_functions_may_give_something_more() -> None:
    def make(b: Any, x: Any) -> Any:
        def f(y: Any) -> Any:
            e = b.exp(y)
            return b.sum(e), {"e": e}

        slope, aux = tir.grad(f, has_aux=True)(x)
        (value, again), same = tir.value_and_grad(f, has_aux=True)(x)
        y, pull, third = tir.vjp(f, x, has_aux=True)
        z, dz, fourth = tir.jvp(f, (x,), (1.0,), has_aux=True)
        return [slope, aux["e"], value, again["e"], same, *pull(2.0), y, dz, third["e"], fourth["e"], z]

    e = np.exp(X)
    check(make, [e, e, e.sum(), e, e, 2 * e, e.sum(), e.sum(), e, e, e.sum()], X)


class Layer(NamedTuple):
    w: Any
    b: Any


def test_arguments_may_be_lists_tuples_and_dictionaries() -> None:
    def make(b: Any, w: Any, x: Any) -> Any:
        def loss(parameters: Any, x: Any) -> Any:
            layer, (scale, _) = parameters["layer"], parameters["rest"]
            return b.sum(b.square((layer.w @ x + layer.b) * scale))

        given = {"layer": Layer(w, b.constant(np.array([1.0, 2.0]))), "rest": [3.0, (x,)]}
        slopes = tir.grad(loss)(given, x)
        assert isinstance(slopes["layer"], Layer) and isinstance(slopes["rest"][1], tuple)
        return [slopes["layer"].w, slopes["layer"].b, slopes["rest"][0], slopes["rest"][1][0]]

    a = W @ X + [1.0, 2.0]
    check(make, [np.outer(18 * a, X), 18 * a, 6 * (a**2).sum(), 0 * X], W, X)


def test_vjp_and_jvp_of_functions() -> None:
    def make(b: Any, w: Any, x: Any, u: Any) -> Any:
        def f(w: Any, x: Any) -> Any:
            return {"y": w @ x, "s": b.sum(b.exp(x))}

        y, pull = tir.vjp(f, w, x)
        dw, dx = pull({"y": u, "s": 2.0})
        z, dz = tir.jvp(f, (w, x), (0.5, x))
        return [y["y"], dw, dx, z["s"], dz["y"], dz["s"]]

    u = np.array([0.3, -1.1])
    rows = np.full((2, 3), 0.5) @ X + W @ X
    want = [W @ X, np.outer(u, X), u @ W + 2 * np.exp(X), np.exp(X).sum(), rows, (np.exp(X) * X).sum()]
    check(make, want, W, X, u)


@pytest.mark.parametrize("mode", ["auto", "reverse", "forward"])
def test_jacobian_and_hessian_of_functions(mode: str) -> None:
    """The Hessian by two arguments has four parts, against differences of gradients."""

    def f(b: Any, w: Any, x: Any) -> Any:
        return b.sum(b.sin(w @ x) * x[0])

    def make(b: Any, w: Any, x: Any) -> Any:
        (ww, wx), (xw, xx) = tir.hessian(lambda w, x: f(b, w, x), argnums=(0, 1), mode=mode)(w, x)
        jw, (jx, jxx) = tir.jacobian(lambda x: (w @ x, [x, x * x]), mode=mode)(x)
        return [ww, wx, xw, xx, jw, jx, jxx]

    *hessian, jw, jx, jxx = run(make, W, X)
    np.testing.assert_allclose(jw, W)
    np.testing.assert_allclose(jx, np.eye(3))
    np.testing.assert_allclose(jxx, np.diag(2 * X))
    b, _ = module_of(lambda b, w, x: tir.grad(f(b, w, x), [w, x]), types_of([W, X]))
    expand_gradients(b.module)
    gradient = Interpreter(b.module)

    def slopes(step_w: Any, step_x: Any) -> list[Any]:
        return gradient.run("f", [W + step_w, X + step_x])

    for at, size in ((0, (2, 3)), (1, (3,))):
        for place in np.ndindex(size):
            step = np.zeros(size)
            step[place] = 1e-6
            zero = np.zeros((3,) if at == 0 else (2, 3))
            above, below = (slopes(s, zero) if at == 0 else slopes(zero, s) for s in (step, -step))
            for row, (up, down) in enumerate(zip(above, below)):
                got = hessian[2 * row + at][(..., *place)]
                np.testing.assert_allclose(got, (up - down) / 2e-6, rtol=1e-6, atol=1e-8)


def test_hvp_of_a_function_never_makes_the_hessian() -> None:
    def make(b: Any, w: Any, x: Any, v: Any) -> Any:
        def f(w: Any, x: Any) -> Any:
            return b.sum(b.square(w @ x))

        one = tir.hvp(lambda x: f(w, x), x, v)
        hw, hx = tir.hvp(f, (w, x), (w, v))
        return [one, hw, hx]

    a, da = W @ X, W @ X + W @ V
    want = [2 * W.T @ W @ V, 2 * (np.outer(da, X) + np.outer(a, V)), 2 * (W.T @ a + W.T @ da)]
    check(make, want, W, X, V)
    b, _ = module_of(make, types_of([W, X, V]))
    assert not {"tir.jacobian", "tir.scan"} & {op.name for op in b.module.walk()}


def test_gradient_inside_of_a_loop_trains() -> None:
    """Steps downhill on |w x - y|^2, each with a gradient of its own; the weights are carried."""

    def make(b: Any, w: Any, x: Any) -> Any:
        def step(w: Any, _: Any) -> Any:
            return [w - 0.05 * tir.grad(lambda w: b.sum(b.square(w @ x - 1.0)))(w)], []

        return b.scan(step, [w], [b.iota([300], 0)])[0]

    (w,) = run(make, W, X)
    np.testing.assert_allclose(w @ X, np.ones(2), rtol=1e-6)


def test_function_may_give_a_value_from_outside_of_the_loop() -> None:
    """It does not depend on the argument, so the gradient is 0, as it is outside of a loop."""

    def make(b: Any, x: Any) -> Any:
        total = b.sum(x)
        return [tir.grad(lambda _: total)(x), b.map(lambda e: tir.grad(lambda _: total)(e), x)]

    check(make, [np.zeros(3), np.zeros(3)], X)


def test_derivatives_run_on_the_cpu() -> None:
    def make(b: Any, x: Any, v: Any) -> Any:
        def f(y: Any) -> Any:
            return b.sum(b.sin(y)) + b.square(b.sum(y))

        return [tir.grad(f)(x), tir.hessian(f)(x), tir.hvp(f, x, v)]

    b, _ = module_of(make, types_of([X, V]))
    got = tir.executable(b.module).call("f", {"a": X, "b": V})
    for one, want in zip(got, [np.cos(X) + 2 * X.sum(), HESSIAN, HESSIAN @ V], strict=True):
        np.testing.assert_allclose(one, want, rtol=1e-12)


def test_derivative_is_located_at_the_line_that_asks_and_named_after_the_value() -> None:
    b, _ = module_of(lambda b, x: tir.grad(b.sum(b.sin(x)), x), ["tensor<3xf64>"])
    (op,) = (op for op in b.module.walk() if isinstance(op, Derivative))
    assert op.location.file_location().file == __file__
    assert op.results[0].hint == "d_a"


# --- messages --------------------------------------------------------------------------------------------------------


def other_function(b: Any) -> Any:
    """A tensor of a function that is closed."""
    with b.function("g", x="tensor<3xf64>") as (x,):
        y = b.exp(x).named("y")
    return y


def inside(b: Any, make: Callable[[Any], Any], x: Any) -> Any:
    """Calls `make` with the element of a loop, inside of it."""
    return b.scan(lambda e: ([], [make(e)]), [], [x])


def kept(b: Any, make: Callable[[], Any]) -> Any:
    """A tensor of a region, which is kept in a Python variable."""
    found: list[Any] = []
    b.checkpoint(lambda: found.append(make()) or 1.0)
    return found[0]


MISTAKES = [
    (lambda b, x, n: tir.grad(b.sin(x), x), r"tir.grad: the cost must be a number, a tensor of rank 0, got tensor<3xf64>; take its"),
    (lambda b, x, n: tir.grad(b.sum(n), x), "tir.grad: what is differentiated must be of floats, got tensor<i64>; whole numbers change in steps"),
    (lambda b, x, n: tir.grad(b.sum(x), [x, n]), "tir.grad: wrt 1 %b must be of floats, got tensor<3xi64>"),
    (lambda b, x, n: tir.grad([b.sum(x)], x), "tir.grad: the cost must be one tensor, got 1 in a list; add them up"),
    (lambda b, x, n: tir.grad(3.0, x), "tir.grad: the cost must be a tensor of the builder, or a list or tuple of them, got 3.0"),
    (lambda b, x, n: tir.grad(b.sum(x)), "tir.grad: wrt must be a tensor of the builder, or a list or tuple of them, got None"),
    (lambda b, x, n: tir.grad(b.sum(x), []), "tir.grad: needs a tensor to differentiate, and one to differentiate by"),
    (lambda b, x, n: tir.grad(b.sum(x), x, disconnected="zeros"),
     "tir.grad: disconnected must be one of error, warn, zero, got 'zeros'; did you mean 'zero'"),
    (lambda b, x, n: inside(b, lambda e: tir.grad(e, x), x), "tir.grad: wrt %a is computed outside of the branch or loop"),
    (lambda b, x, n: inside(b, lambda e: tir.grad(b.sum(x), e), x * 2),
     'tir.grad: the cost does not depend on wrt %e; disconnected="zero"'),
    (lambda b, x, n: (lambda c: inside(b, lambda e: tir.grad(c, e), x))(b.sum(x).named("c")),
     "tir.grad: what is differentiated %c is computed outside of the branch or loop that is written here; call this there"),
    (lambda b, x, n: tir.grad(b.sum(x), x, consider_constant=3), "consider_constant must be a tensor of the builder"),
    (lambda b, x, n: tir.grad(b.sum(x), x, known_cotangents={x: b.sum(x)}),
     "tir.grad: the cotangent of %a must have type tensor<3xf64>, got tensor<f64>"),
    (lambda b, x, n: tir.grad(b.sum(x), x, argnums=0), "tir.grad: argnums is for functions, not for values"),
    (lambda b, x, n: tir.grad(b.sum, consider_constant=[x]), "tir.grad: consider_constant is not for functions; in a function"),
    (lambda b, x, n: tir.vjp(x, x), "tir.vjp: takes values, cotangents, wrt, got 2"),
    (lambda b, x, n: tir.vjp([x, x], x, x), "tir.vjp: needs a cotangent for each value: 2, got 1"),
    (lambda b, x, n: tir.jvp(b.exp(x), x, b.sum(x)), "tir.jvp: the tangent of %a must have type tensor<3xf64>, got tensor<f64>"),
    (lambda b, x, n: tir.jvp(b.exp, x, x), "tir.jvp: arguments and tangents of a function are tuples; "),
    (lambda b, x, n: tir.jacobian([x], x), "tir.jacobian: y must be one tensor, got 1 in a list; ask for the Jacobian of each"),
    (lambda b, x, n: tir.jacobian(n, x), "tir.jacobian: what is differentiated %b must be of floats, got tensor<3xi64>"),
    (lambda b, x, n: tir.jacobian(x, x, mode="back"), "tir.jacobian: the mode must be one of auto, reverse, forward, got 'back'"),
    (lambda b, x, n: tir.jacobian(b.exp(b.cast(n, tir.F64)), x), "tir.jacobian: what is differentiated does not depend on wrt %a"),
    (lambda b, x, n: tir.grad(b.sum)(2.0), "tir.grad: what is differentiated .* belongs to another builder"),
    (lambda b, x, n: tir.grad(b.sum, 1)(x), "tir.grad: argnums must be -1 to 0 for a call with 1 argument, got 1"),
    (lambda b, x, n: tir.grad(lambda y, z: b.sum(y), argnums=7)(x, x), "tir.grad: argnums must be -2 to 1 for a call with 2 arguments, got 7"),
    (lambda b, x, n: tir.grad(b.sum, True)(x), "tir.grad: argnums must be -1 to 0 for a call with 1 argument, got True"),
    (lambda b, x, n: tir.hessian(b.sum, 2)(x), "tir.hessian: argnums must be -1 to 0 for a call with 1 argument, got 2"),
    (lambda b, x, n: tir.grad(lambda y, z: b.sum(y * z), (0, -2))(x, x), r"tir.grad: argnums must name an argument once, got \[0, -2\]"),
    (lambda b, x, n: tir.grad(lambda y, z: b.sum(y))(x), "tir.grad: the function must take 1 value, got a function of y, z"),
    (lambda b, x, n: tir.grad(lambda y: b.sum(y))(x, z=x), "tir.grad: the function must take 1 value and z, got a function of y"),
    (lambda b, x, n: tir.hessian(b.sum, mode="front")(x), "tir.hessian: the mode must be one of auto, reverse, forward, got 'front'"),
    (lambda b, x, n: tir.grad(b.sum(x), kept(b, lambda: x * 2)),
     "tir.grad: wrt is made inside of a region of tir.checkpoint, and not in reach outside; return it from the function"),
    (lambda b, x, n: tir.grad(b.sum)(n), "tir.grad: an argument to differentiate by must be of floats, got tensor<3xi64>; argnums"),
    (lambda b, x, n: tir.grad(lambda s, y: b.sum(y))("s", x), "an argument to differentiate by is a tensor, a number or an array, got 's'"),
    (lambda b, x, n: tir.grad(b.exp)(x), "tir.grad: the cost must be a number, a tensor of rank 0"),
    (lambda b, x, n: tir.grad(lambda y: (b.sum(y), y))(x), "tir.grad: the function must give one number, got 2; or has_aux=True"),
    (lambda b, x, n: tir.grad(lambda y: b.sum(y), has_aux=True)(x), "tir.grad: with has_aux the function gives a pair, got"),
    (lambda b, x, n: tir.grad(lambda y: 1.0)(x), "tir.grad: what the function gives must be a tensor of the builder"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), MISTAKES)
def test_mistake_is_told_with_its_line_and_its_cure(make: Callable[..., Any], message: str) -> None:
    with pytest.raises(tir.TirError, match=message) as caught:
        module_of(make, ["tensor<3xf64>", "tensor<3xi64>"])
    location = caught.value.location
    assert location is not None and location.file_location().file == __file__


def test_derivative_outside_of_a_function_is_told() -> None:
    b = tir.Builder()
    y = other_function(b)
    with pytest.raises(tir.TirError, match="tir.jacobian: stands in a function, and none is open; ask for it inside"):
        tir.jacobian(y, y)


def test_value_of_another_function_is_told() -> None:
    b = tir.Builder()
    y = other_function(b)
    message = "tir.grad: wrt %y is in another function, @g; hand it over as an argument or a result"
    with pytest.raises(tir.TirError, match=message), b.function("f", x="tensor<f64>") as (x,):
        tir.grad(x, y)
