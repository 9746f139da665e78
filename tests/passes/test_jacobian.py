"""`tir.jacobian`: both modes against central differences, Hessians against differences of gradients, sizes, tidy IR."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.levels import first_disagreement
from tests.ops.control_programs import function, run
from tests.ops.samples import SMOOTH, Smooth
from tests.passes.test_autodiff import expanded, result_shape
from tir.dialects.tir.control import Scan
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce

MODES = ["", " mode reverse", " mode forward"]


def differences(value: Any, inputs: list[Any], at: int) -> Any:
    """The Jacobian of an array by input `at`, by central differences."""
    columns = []
    for place in np.ndindex(np.shape(inputs[at])):
        step = 1e-6
        moved = [[np.array(x) for x in inputs] for _ in range(2)]
        moved[0][at][place] += step
        moved[1][at][place] -= step
        columns.append((value(*moved[0]) - value(*moved[1])) / (2 * step))
    shape = np.shape(value(*inputs))
    return np.stack(columns, -1).reshape(*shape, *np.shape(inputs[at])) if columns else np.zeros((*shape, *np.shape(inputs[at])))


def layer(m: str, n: str, mode: str) -> str:
    """The Jacobian of a layer of m units on n numbers, squared and turned round, by all that it is made of."""
    open_sizes = [name for name, size in (("%dm", m), ("%dn", n)) if size == "?"]
    sizes = f" sizes({', '.join(open_sizes)})" if open_sizes else ""
    body = f"""  %dm = tir.dim %w axis 0 : tensor<{m}x{n}xf64>
  %dn = tir.dim %w axis 1 : tensor<{m}x{n}xf64>
  %xs = tir.broadcast %x along [1]{sizes} : tensor<{n}xf64> -> tensor<{m}x{n}xf64>
  %a = tir.mul %w, %xs : tensor<{m}x{n}xf64>
  %bs = tir.broadcast %b along []{sizes} : tensor<f64> -> tensor<{m}x{n}xf64>
  %s = tir.add %a, %bs : tensor<{m}x{n}xf64>
  %t = tir.tanh %s : tensor<{m}x{n}xf64>
  %y = tir.transpose %t by [1, 0] : tensor<{n}x{m}xf64>
  %jw, %jx, %jb = tir.jacobian %y wrt (%w, %x, %b){mode} : tensor<{n}x{m}x{m}x{n}xf64>, tensor<{n}x{m}x{n}xf64>, tensor<{n}x{m}xf64>"""
    results = f"%jw : tensor<{n}x{m}x{m}x{n}xf64>; %jx : tensor<{n}x{m}x{n}xf64>; %jb : tensor<{n}x{m}xf64>"
    return function(f"%w: tensor<{m}x{n}xf64>, %x: tensor<{n}xf64>, %b: tensor<f64>", body, results)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("m", "n", "sizes"),
    [("2", "3", (2, 3)), ("1", "3", (1, 3)), ("0", "3", (0, 3)), ("[M]", "[N]", (2, 3)), ("[M]", "[N]", (0, 3)), ("[M]", "2", (3, 2)),
     ("?", "3", (2, 3)), ("2", "?", (2, 3)), ("?", "[N]", (2, 2)), ("?", "2", (0, 2))],
)  # fmt: skip
def test_jacobian_is_the_central_difference(m: str, n: str, sizes: tuple[int, int], mode: str) -> None:
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=sizes), rng.normal(size=sizes[1]), rng.normal(size=())]
    found = run(layer(m, n, mode), *inputs)
    for at, got in enumerate(found):
        want = differences(lambda w, x, b: np.tanh(w * x + b).T, inputs, at)
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)  # step 1e-6: truncation 1e-12, rounding 1e-10


@pytest.mark.parametrize(("m", "n", "mode"), [("?", "[N]", MODES[1]), ("2", "3", MODES[2])])
def test_jacobian_is_the_same_below(m: str, n: str, mode: str) -> None:
    rng = np.random.default_rng(1)
    inputs = [rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=())]
    found = first_disagreement(layer(m, n, mode), inputs, levels=["tensor", "fused", "loops", "cpu"], read_back=[])
    assert found is None, found


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize(("m", "n"), [("2", "3"), ("[M]", "[N]"), ("?", "[N]")])
def test_jacobian_is_the_same_at_every_level(m: str, n: str, mode: str) -> None:
    rng = np.random.default_rng(1)
    found = first_disagreement(layer(m, n, mode), [rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=())])
    assert found is None, found


def test_jacobian_of_a_number_is_its_gradient_without_a_loop() -> None:
    body = """  %s = tir.sin %x : tensor<4xf64>
  %c = tir.sum %s over [0] : tensor<f64>
  %j = tir.jacobian %c wrt (%x) : tensor<4xf64>"""
    text = function("%x: tensor<4xf64>", body, "%j : tensor<4xf64>")
    x = np.array([0.1, -0.0, 2.0, -3.0])
    np.testing.assert_allclose(run(text, x)[0], np.cos(x), rtol=1e-15)
    assert not [op for op in expanded(text).walk() if isinstance(op, Scan)]


def test_what_y_does_not_depend_on_has_the_jacobian_zero() -> None:
    body = """  %y = tir.exp %x : tensor<2xf64>
  %s = tir.stop_gradient %x : tensor<2xf64>
  %j, %k = tir.jacobian %y wrt (%x, %z) : tensor<2x2xf64>, tensor<2x[N]xf32>
  %l = tir.jacobian %s wrt (%x) : tensor<2x2xf64>"""
    text = function("%x: tensor<2xf64>, %z: tensor<[N]xf32>", body, "%j : tensor<2x2xf64>; %k : tensor<2x[N]xf32>; %l : tensor<2x2xf64>")
    x = np.array([0.5, -1.0])
    first, second, third = run(text, x, np.ones(3, np.float32))
    np.testing.assert_allclose(first, np.diag(np.exp(x)), rtol=1e-15)
    assert second.shape == (2, 3) and second.dtype == np.float32 and not second.any()
    assert not third.any()


@pytest.mark.parametrize("mode", MODES[1:])
def test_jacobian_has_the_element_type_of_what_it_is_by(mode: str) -> None:
    body = f"""  %y = tir.cast %x : tensor<3xf32> -> tensor<3xf64>
  %s = tir.square %y : tensor<3xf64>
  %j = tir.jacobian %s wrt (%x){mode} : tensor<3x3xf32>"""
    x = np.array([1.5, -2.0, 0.0], np.float32)
    (got,) = run(function("%x: tensor<3xf32>", body, "%j : tensor<3x3xf32>"), x)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.diag(2 * x))


def jacobians_of(point: Smooth) -> str:
    """@main gives the Jacobians of an op in both modes, and the adjoints for one %w of the result."""
    wrt = [f"%{i}" for i in point.wrt]
    types = [point.types[i] for i in point.wrt]
    both = [f"tensor<{dims(point.result)}{dims(type)}f64>" for type in types]
    arguments = [f"%{i}: {type}" for i, type in enumerate(point.types)] + [f"%w: {point.result}"]
    body, value = f"  {point.names} = {point.op} {point.text}\n", "%r"
    if point.op == "tir.leaf":
        wrt, body, value = ["%l"], body.replace("%r = tir.leaf", "%l = tir.leaf"), "%l"
    names = {letter: [f"%{letter}{i}" for i in range(len(wrt))] for letter in "bfa"}
    by = f"wrt ({', '.join(wrt)})"
    body += f"  {', '.join(names['b'])} = tir.jacobian {value} {by} mode reverse : {', '.join(both)}\n"
    body += f"  {', '.join(names['f'])} = tir.jacobian {value} {by} mode forward : {', '.join(both)}\n"
    body += f"  {', '.join(names['a'])} = tir.vjp ({value}) with (%w) {by} : {', '.join(types)}\n"
    results = ", ".join([*both, *both, *types])
    returned = ", ".join([*names["b"], *names["f"], *names["a"]])
    return f"func.func @main({', '.join(arguments)}) -> ({results}) {{\n{body}  return {returned} : {results}\n}}\n"


def dims(type: str) -> str:
    return type.removeprefix("tensor<").removesuffix("f64>")


SMALL = [point for point in SMOOTH if point.result.endswith("f64>") and all(point.types[i].endswith("f64>") for i in point.wrt)]


@pytest.mark.slow
@pytest.mark.parametrize("point", SMALL, ids=str)
def test_jacobian_of_each_op_holds_what_a_cotangent_gives(point: Smooth) -> None:
    """w J is the adjoint for w, and the two modes agree: of each op that has a gradient."""
    w = np.random.default_rng(5).normal(size=result_shape(point))
    found = Interpreter(expanded(jacobians_of(point))).run("main", [*point.inputs, w])
    count = len(point.wrt)
    for reverse, forward, adjoint in zip(found[:count], found[count : 2 * count], found[2 * count :], strict=True):
        scale = max(1.0, np.abs(reverse).max(initial=0))
        np.testing.assert_allclose(np.tensordot(w, reverse, w.ndim), adjoint, rtol=1e-11, atol=1e-11 * scale)
        np.testing.assert_allclose(forward, reverse, rtol=1e-10, atol=1e-11 * scale)


# --- Hessians --------------------------------------------------------------------------------------------------------

COST = """  %p = tir.mul %x, %x : tensor<SIZExf64>
  %e = tir.sin %p : tensor<SIZExf64>
  %q = tir.cumsum %e axis 0 : tensor<SIZExf64>
  %r = tir.mul %q, %x : tensor<SIZExf64>
  %c = tir.sum %r over [0] : tensor<f64>
  %g = tir.grad %c wrt (%x) : tensor<SIZExf64>"""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", ["4", "[N]", "?"])
def test_jacobian_of_a_gradient_is_the_hessian(size: str, mode: str) -> None:
    body = COST + f"\n  %h = tir.jacobian %g wrt (%x){mode} : tensor<SIZExSIZExf64>"
    text = function("%x: tensor<SIZExf64>", body, "%h : tensor<SIZExSIZExf64>").replace("SIZE", size)
    gradient = function("%x: tensor<SIZExf64>", COST, "%g : tensor<SIZExf64>").replace("SIZE", size)
    x = np.random.default_rng(2).normal(size=4)
    module = Interpreter(expanded(gradient))
    (got,) = run(text, x)
    np.testing.assert_allclose(got, differences(lambda x: module.run("main", [x])[0], [x], 0), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(got, got.T, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("size", ["3", "?"])
def test_jacobian_has_a_jacobian(size: str) -> None:
    """Of exp(x_i) x_j x_j, summed over j: third derivatives by hand."""
    body = """  %e = tir.exp %x : tensor<SIZExf64>
  %h = tir.jacobian %e wrt (%x) mode FIRST : tensor<SIZExSIZExf64>
  %t = tir.jacobian %h wrt (%x) mode SECOND : tensor<SIZExSIZExSIZExf64>"""
    x = np.array([0.5, -1.0, 2.0])
    want = np.zeros((3, 3, 3))
    for i in range(3):
        want[i, i, i] = np.exp(x[i])
    for first in ("reverse", "forward"):
        for second in ("reverse", "forward"):
            text = function("%x: tensor<SIZExf64>", body, "%t : tensor<SIZExSIZExSIZExf64>").replace("SIZE", size)
            (got,) = run(text.replace("FIRST", first).replace("SECOND", second), x)
            np.testing.assert_allclose(got, want, rtol=1e-14)


# --- branches and loops ----------------------------------------------------------------------------------------------

CONTROL = """  %zero = tir.full 0.0 : f64 -> tensor<f64>
  %last, %all = tir.scan (%h = %x : tensor<3xf64>) over (%e = %xs : tensor<TIMESx3xf64>) -> (tensor<TIMESx3xf64>) FLAGS{
    %hw = tir.dot %w, %h : tensor<3xf64>
    %a = tir.add %hw, %e : tensor<3xf64>
    %n = tir.tanh %a : tensor<3xf64>
    tir.yield %n, %h : tensor<3xf64>, tensor<3xf64>
  }
  %y = tir.if %p -> (tensor<TIMESx3xf64>) {
    %b = tir.broadcast %last along [1] : tensor<3xf64> -> tensor<TIMESx3xf64>
    %m = tir.mul %b, %all : tensor<TIMESx3xf64>
    tir.yield %m : tensor<TIMESx3xf64>
  } else {
    %d = tir.dot %all, %w : tensor<TIMESx3xf64>
    tir.yield %d : tensor<TIMESx3xf64>
  }
  %jx, %jw, %js = tir.jacobian %y wrt (%x, %w, %xs)MODE : tensor<TIMESx3x3xf64>, tensor<TIMESx3x3x3xf64>, tensor<TIMESx3xTIMESx3xf64>"""


def control(times: str, mode: str, flags: str = "") -> str:
    text = function(
        "%p: tensor<i1>, %x: tensor<3xf64>, %w: tensor<3x3xf64>, %xs: tensor<TIMESx3xf64>", CONTROL,
        "%jx : tensor<TIMESx3x3xf64>; %jw : tensor<TIMESx3x3x3xf64>; %js : tensor<TIMESx3xTIMESx3xf64>",
    )  # fmt: skip
    return text.replace("TIMES", times).replace("MODE", mode).replace("FLAGS", flags)


def control_by_hand(p: bool, x: Any, w: Any, xs: Any) -> Any:
    h, every = x, []
    for e in xs:
        every.append(h)
        h = np.tanh(w @ h + e)
    return np.array(every) * h if p else np.array(every) @ w


@pytest.mark.parametrize("condition", [True, False])
@pytest.mark.parametrize(("times", "mode", "flags"), [("2", MODES[1], ""), ("2", MODES[2], ""), ("[T]", MODES[1], ""), ("3", MODES[1], "checkpoint 2 ")])
def test_jacobian_goes_through_loops_and_branches(condition: bool, times: str, mode: str, flags: str) -> None:
    rng = np.random.default_rng(3)
    inputs = [rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=(3 if flags else 2, 3))]
    text = control(times, mode, flags)
    found = run(text, np.bool_(condition), *inputs)
    for at, got in enumerate(found):
        want = differences(lambda *given: control_by_hand(condition, *given), inputs, at)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)
    if (mode, condition) == (MODES[1], True):
        difference = first_disagreement(text, [np.bool_(condition), *inputs], levels=["tensor", "fused", "cpu"], read_back=[])
        assert difference is None, difference


def test_a_loop_without_an_end_has_a_jacobian_forward() -> None:
    body = """  %r = tir.while (%y = %x : tensor<2xf64>) {
    %s = tir.sum %y over [0] : tensor<f64>
    %small = tir.cmp lt %s, %limit : tensor<f64>
    tir.yield %small : tensor<i1>
  } do {
  ^bb0(%z: tensor<2xf64>):
    %d = tir.add %z, %z : tensor<2xf64>
    tir.yield %d : tensor<2xf64>
  }
  %j = tir.jacobian %r wrt (%x)MODE : tensor<2x2xf64>"""
    text = function("%x: tensor<2xf64>, %limit: tensor<f64>", body, "%j : tensor<2x2xf64>")
    (got,) = run(text.replace("MODE", " mode forward"), np.array([1.0, 2.0]), np.float64(20))
    np.testing.assert_array_equal(got, 8 * np.eye(2))
    with pytest.raises(PassError, match="tir.while has no gradient without max_trips"):
        run(text.replace("MODE", " mode reverse"), np.array([1.0, 2.0]), np.float64(20))


def test_jacobian_inside_of_a_loop_is_by_what_the_loop_carries() -> None:
    """Newton's method for x * x = c, each element by itself, with the whole Jacobian."""
    body = """  %root = tir.scan (%x = %c : tensor<2xf64>) over (%i = %is : tensor<20xi64>) {
    %s = tir.square %x : tensor<2xf64>
    %f = tir.sub %s, %c : tensor<2xf64>
    %j = tir.jacobian %f wrt (%x) : tensor<2x2xf64>
    %column = tir.reshape %f : tensor<2xf64> -> tensor<2x1xf64>
    %q = tir.solve %j, %column : tensor<2x2xf64>, tensor<2x1xf64>
    %d = tir.reshape %q : tensor<2x1xf64> -> tensor<2xf64>
    %n = tir.sub %x, %d : tensor<2xf64>
    tir.yield %n : tensor<2xf64>
  }"""
    text = function("%c: tensor<2xf64>, %is: tensor<20xi64>", body, "%root : tensor<2xf64>")
    c = np.array([2.0, 9.0])
    np.testing.assert_allclose(run(text, c, np.arange(20))[0], np.sqrt(c), rtol=1e-14)


CUSTOM = """func.func private @f(%x: tensor<2xf64>) -> tensor<2xf64> attributes {ATTRIBUTE} {
  %0 = tir.round %x : tensor<2xf64>
  return %0 : tensor<2xf64>
}
func.func private @back(%x: tensor<2xf64>, %y: tensor<2xf64>, %dy: tensor<2xf64>) -> tensor<2xf64> {
  %0 = tir.mul %x, %dy : tensor<2xf64>
  return %0 : tensor<2xf64>
}
func.func private @on(%x: tensor<2xf64>, %t: tensor<2xf64>) -> tensor<2xf64> {
  %0 = tir.mul %x, %t : tensor<2xf64>
  return %0 : tensor<2xf64>
}
func.func @main(%x: tensor<2xf64>) -> tensor<2x2xf64> {
  %y = func.call @f(%x) : (tensor<2xf64>) -> tensor<2xf64>
  %z = tir.square %y : tensor<2xf64>
  %j = tir.jacobian %z wrt (%x)MODE : tensor<2x2xf64>
  return %j : tensor<2x2xf64>
}
"""


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("own", ["tir.vjp = @back", "tir.jvp = @on"])
def test_jacobian_goes_through_functions_that_say_their_derivative(own: str, mode: str) -> None:
    x = np.array([1.4, -2.6])
    (got,) = Interpreter(expanded(CUSTOM.replace("ATTRIBUTE", own).replace("MODE", mode))).run("main", [x])
    np.testing.assert_allclose(got, np.diag(2 * np.round(x) * x), rtol=1e-15)


# --- what is built ---------------------------------------------------------------------------------------------------


def tidy(text: str) -> Op:
    module = expanded(text)
    run_pipeline(Pipeline([Canonicalize(), Cse(), Dce()]), module)
    return module


def names_inside(module: Op) -> list[str]:
    """The ops in the region of the last loop."""
    *_, loop = (op for op in module.walk() if isinstance(op, Scan))
    return [op.name for op in loop.body]


def test_forward_pass_is_not_computed_again_in_the_loop() -> None:
    body = """  %a = tir.dot %w, %x : tensor<3xf64>
  %t = tir.tanh %a : tensor<3xf64>
  %y = tir.dot %v, %t : tensor<2xf64>
  %j = tir.jacobian %y wrt (%x) : tensor<2x5xf64>"""
    text = function("%x: tensor<5xf64>, %w: tensor<3x5xf64>, %v: tensor<2x3xf64>", body, "%j : tensor<2x5xf64>")
    module = tidy(text)
    assert names_inside(module) == ["tir.one_hot", "tir.dot", "tir.mul", "tir.dot", "tir.yield"]
    assert sum(op.name == "tir.tanh" for op in module.walk()) == 1


def test_loop_forward_is_not_run_again_in_the_way_back() -> None:
    """The only product inside is that of an adjoint with the weights."""
    module = tidy(control("4", " mode reverse"))
    loops = [op for op in module.walk() if isinstance(op, Scan)]
    back = [op for op in loops if op.reverse]
    assert len(back) == 1
    names = [op.name for op in back[0].body]
    assert (names.count("tir.tanh"), names.count("tir.dot")) == (0, 1)


@pytest.mark.parametrize(
    ("wrt", "y", "loops"), [("2", "5", 2), ("5", "2", 2), ("5", "5", 5), ("[N]", "5", 5), ("2", "[N]", "[N]"), ("0", "5", 0)]
)
def test_without_a_mode_the_loop_is_over_what_is_smaller(wrt: str, y: str, loops: Any) -> None:
    body = f"""  %y = tir.dot %w, %x : tensor<{y}xf64>
  %s = tir.sin %y : tensor<{y}xf64>
  %j = tir.jacobian %s wrt (%x) : tensor<{y}x{wrt}xf64>"""
    text = function(f"%x: tensor<{wrt}xf64>, %w: tensor<{y}x{wrt}xf64>", body, f"%j : tensor<{y}x{wrt}xf64>")
    (loop,) = (op for op in expanded(text).walk() if isinstance(op, Scan))
    assert str(loop.length) == str(loops).strip("[]")


def test_nothing_goes_back_through_what_makes_a_constant() -> None:
    """The leaf itself has its adjoint; what it is made of has only what goes around it."""
    body = """  %e = tir.exp %x : tensor<2xf64>
  %l = tir.leaf %e : tensor<2xf64>
  %p = tir.mul %l, %x : tensor<2xf64>
  %gx, %gl = tir.vjp (%p) with (%d) wrt (%x, %l) constant (%l) : tensor<2xf64>, tensor<2xf64>
  %all = tir.vjp (%p) with (%d) wrt (%x) : tensor<2xf64>"""
    text = function("%x: tensor<2xf64>, %d: tensor<2xf64>", body, "%gx : tensor<2xf64>; %gl : tensor<2xf64>; %all : tensor<2xf64>")
    x, d = np.array([0.5, -1.0]), np.array([2.0, 3.0])
    for got, want in zip(run(text, x, d), (d * np.exp(x), d * x, d * np.exp(x) * (1 + x)), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-15)
