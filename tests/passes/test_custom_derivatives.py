"""Functions with derivatives of their own: `tir.vjp` and `tir.jvp` in both modes, to second order, at every level."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import first_disagreement
from tir import Builder, TirError
from tir.dialects.all import REGISTRY
from tir.dialects.func import Func
from tir.dialects.tir.state import Grad
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.symbols import SymbolTable
from tir.parser.parse import parse_text
from tir.passes import autodiff
from tir.passes.autodiff import Autodiff
from tir.passes.inline import Inline
from tir.passes.pipelines import default

VECTOR = "tensor<3xf64>"
X, Z, T = np.array([0.5, -1.0, 2.0]), np.array([3.0, 0.1, -0.7]), np.array([1.0, -2.0, 0.25])


def program(form: str) -> str:
    """f(x, z) = x * z * factor, whose own derivative is 10 times the true one, so that one sees who computed it.

    form: which of the two are given. @main gives f's gradient by x and z, its tangent, and a Hessian times a vector.
    """
    attributes = ", ".join(f"tir.{name} = @{name}" for name in form.split())
    return f"""
func.func private @f(%x: {VECTOR}, %k: tensor<i32>, %z: {VECTOR}) -> (tensor<i32>, {VECTOR}) attributes {{{attributes}}} {{
  %y = tir.mul %x, %z : {VECTOR}
  return %k, %y : tensor<i32>, {VECTOR}
}}
func.func private @vjp(%x: {VECTOR}, %k: tensor<i32>, %z: {VECTOR}, %j: tensor<i32>, %y: {VECTOR}, %dy: {VECTOR}) -> ({VECTOR}, {VECTOR}) {{
  %ten = tir.full 10.0 : f64 -> {VECTOR}
  %d = tir.mul %ten, %dy : {VECTOR}
  %dx = tir.mul %d, %z : {VECTOR}
  %dz = tir.mul %d, %x : {VECTOR}
  return %dx, %dz : {VECTOR}, {VECTOR}
}}
func.func private @jvp(%x: {VECTOR}, %k: tensor<i32>, %z: {VECTOR}, %dx: {VECTOR}, %dz: {VECTOR}) -> {VECTOR} {{
  %ten = tir.full 10.0 : f64 -> {VECTOR}
  %a = tir.mul %dx, %z : {VECTOR}
  %b = tir.mul %x, %dz : {VECTOR}
  %s = tir.add %a, %b : {VECTOR}
  %dy = tir.mul %ten, %s : {VECTOR}
  return %dy : {VECTOR}
}}
func.func @main(%x: {VECTOR}, %z: {VECTOR}, %t: {VECTOR}, %k: tensor<i32>) -> ({VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}) {{
  %e = tir.square %x : {VECTOR}
  %j, %y = call @f(%e, %k, %z) : ({VECTOR}, tensor<i32>, {VECTOR}) -> (tensor<i32>, {VECTOR})
  %c = tir.sum %y over [0] : tensor<f64>
  %gx, %gz = tir.grad %c wrt (%x, %z) : {VECTOR}, {VECTOR}
  %dy = tir.jvp (%y) wrt (%x, %z) with (%t, %z) : {VECTOR}
  %h = tir.jvp (%gx) wrt (%x) with (%t) : {VECTOR}
  return %gx, %gz, %dy, %h : {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}
}}
"""


def expanded(text: str) -> Op:
    module = parse_text(text, REGISTRY)
    Inline().run(module)
    Autodiff().run(module)
    return module


@pytest.mark.parametrize("form", ["vjp", "jvp", "vjp jvp"])
def test_both_modes_and_second_order_use_the_given_derivative(form: str) -> None:
    given = [X, Z, T, np.asarray(np.int32(4))]
    gx, gz, dy, h = Interpreter(expanded(program(form))).run("main", given)
    np.testing.assert_allclose(gx, 10 * 2 * X * Z, rtol=1e-15)
    np.testing.assert_allclose(gz, 10 * X**2, rtol=1e-15)
    np.testing.assert_allclose(dy, 10 * (2 * X * T * Z + X**2 * Z), rtol=1e-15)
    np.testing.assert_allclose(h, 10 * 2 * Z * T, rtol=1e-15)


@pytest.mark.parametrize("form", ["vjp", "jvp"])
def test_every_level_agrees(form: str) -> None:
    found = first_disagreement(program(form), [X, Z, T, np.asarray(np.int32(4))], read_back=[])
    assert found is None, found


def test_each_mode_uses_its_own() -> None:
    """Where both are there, neither is transposed."""
    text = program("vjp jvp").replace("%a = tir.mul %dx, %z", "%a = tir.mul %dx, %x")
    given = [X, Z, T, np.asarray(np.int32(4))]
    gx, _, dy, _ = Interpreter(expanded(text)).run("main", given)
    np.testing.assert_allclose(gx, 10 * 2 * X * Z, rtol=1e-15)
    np.testing.assert_allclose(dy, 10 * (2 * X * T * X**2 + X**2 * Z), rtol=1e-15)


def test_the_call_is_gone_behind_the_pipeline() -> None:
    module = parse_text(program("vjp"), REGISTRY)
    run_pipeline(default(), module)
    assert not any(op.name == "func.call" for op in module.walk())


def test_without_a_derivative_to_compute_the_function_is_inlined() -> None:
    text = program("vjp").split("  %gx, %gz = ")[0] + f"  return %y, %y, %y, %y : {', '.join([VECTOR] * 4)}\n}}\n"
    module = parse_text(text, REGISTRY)
    Inline().run(module)
    assert not any(op.name == "func.call" for op in module.walk())


LOOP = """
func.func private @clipped(%h: tensor<2xf64>) -> tensor<2xf64> attributes {tir.vjp = @back} {
  %y = tir.tanh %h : tensor<2xf64>
  return %y : tensor<2xf64>
}
func.func private @back(%h: tensor<2xf64>, %y: tensor<2xf64>, %dy: tensor<2xf64>) -> tensor<2xf64> {
  return %dy : tensor<2xf64>
}
func.func @main(%x: tensor<2xf64>, %w: tensor<f64>) -> (tensor<2xf64>, tensor<f64>) {
  %n = tir.iota axis 0 : tensor<3xi32>
  %last = tir.scan (%h = %x : tensor<2xf64>) over (%i = %n : tensor<3xi32>) {
    %b = tir.broadcast %w along [] : tensor<f64> -> tensor<2xf64>
    %m = tir.mul %h, %b : tensor<2xf64>
    %y = func.call @clipped(%m) : (tensor<2xf64>) -> tensor<2xf64>
    tir.yield %y : tensor<2xf64>
  }
  %c = tir.sum %last over [0] : tensor<f64>
  %gx, %gw = tir.grad %c wrt (%x, %w) : tensor<2xf64>, tensor<f64>
  return %gx, %gw : tensor<2xf64>, tensor<f64>
}
"""


CLIPPED = """
func.func private @f(%x: tensor<3xf64>) -> tensor<3xf64> attributes {{tir.{has} = @own}} {{
  return %x : tensor<3xf64>
}}
func.func private @own({arguments}%g: tensor<3xf64>) -> tensor<3xf64> {{
  {body}
  return %r : tensor<3xf64>
}}
func.func @main(%x: tensor<3xf64>, %t: tensor<3xf64>) -> tensor<3xf64> {{
  %y = call @f(%x) : (tensor<3xf64>) -> tensor<3xf64>
  %r = tir.{op}
  return %r : tensor<3xf64>
}}
"""
ARGUMENTS = {"vjp": "%x: tensor<3xf64>, %y: tensor<3xf64>, ", "jvp": "%x: tensor<3xf64>, "}
ASKED = {"jvp": "jvp (%y) wrt (%x) with (%t) : tensor<3xf64>", "vjp": "vjp (%y) with (%t) wrt (%x) : tensor<3xf64>"}
ONE = "%one = tir.full 1.0 : f64 -> tensor<3xf64>\n  "


@pytest.mark.parametrize("has", ["vjp", "jvp"])
@pytest.mark.parametrize(
    "body",
    [ONE + "%r = tir.minimum %g, %one : tensor<3xf64>", "%r = tir.mul %g, %g : tensor<3xf64>",
     "%a = tir.abs %g : tensor<3xf64>\n  %r = tir.mul %a, %x : tensor<3xf64>"],
)  # fmt: skip
def test_what_is_not_linear_has_no_transpose(has: str, body: str) -> None:
    lacks, what = ("jvp", "adjoints") if has == "vjp" else ("vjp", "tangents")
    text = CLIPPED.format(has=has, arguments=ARGUMENTS[has], body=body, op=ASKED[lacks])
    with pytest.raises(PassError) as caught:
        Autodiff().run(parse_text(text, REGISTRY))
    assert caught.value.message == f"@own is the tir.{has} of @f and is not linear in the {what}"
    assert caught.value.hint == f"give @f a tir.{lacks}, too"
    Autodiff().run(parse_text(text.replace(ASKED[lacks], ASKED[has]), REGISTRY))  # no transpose is needed


@pytest.mark.parametrize("has", ["vjp", "jvp"])
def test_what_takes_only_sizes_and_factors_from_elsewhere_has_a_transpose(has: str) -> None:
    lacks = "jvp" if has == "vjp" else "vjp"
    body = "%s = tir.sum %g over [0] : tensor<f64>\n  %b = tir.broadcast %s along [] : tensor<f64> -> tensor<3xf64>\n  " \
        "%e = tir.exp %x : tensor<3xf64>\n  %r = tir.mul %b, %e : tensor<3xf64>"
    module = parse_text(CLIPPED.format(has=has, arguments=ARGUMENTS[has], body=body, op=ASKED[lacks]), REGISTRY)
    Autodiff().run(module)
    x, t = np.array([0.5, -1.0, 2.0]), np.array([1.0, 3.0, -2.0])
    np.testing.assert_allclose(Interpreter(module).run("main", [x, t])[0], np.full(3, np.exp(x) @ t), rtol=1e-14)


def test_in_a_loop() -> None:
    """A straight-through estimator: the tanh of each step counts as the identity on the way back."""
    x, w = np.array([0.4, -0.9]), 1.5
    gx, gw = Interpreter(expanded(LOOP)).run("main", [x, np.asarray(w)])
    h, slope = x, np.zeros(2)
    for _ in range(3):
        slope, h = slope * w + h, np.tanh(h * w)
    np.testing.assert_allclose(gx, [w**3, w**3], rtol=1e-14)
    np.testing.assert_allclose(gw, slope.sum(), rtol=1e-14)
    found = first_disagreement(LOOP, [x, np.asarray(w)], read_back=[])
    assert found is None, found


def test_a_derivative_may_have_a_derivative_of_its_own() -> None:
    """The second gradient of @f is what @second says."""
    text = """
func.func private @f(%x: tensor<f64>) -> tensor<f64> attributes {tir.vjp = @first} {
  return %x : tensor<f64>
}
func.func private @first(%x: tensor<f64>, %y: tensor<f64>, %dy: tensor<f64>) -> tensor<f64> attributes {tir.vjp = @second} {
  return %dy : tensor<f64>
}
func.func private @second(%x: tensor<f64>, %y: tensor<f64>, %dy: tensor<f64>, %r: tensor<f64>, %dr: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>) {
  %c = tir.full 7.0 : f64 -> tensor<f64>
  %dx = tir.mul %c, %dr : tensor<f64>
  %zero = tir.full 0.0 : f64 -> tensor<f64>
  return %dx, %zero, %zero : tensor<f64>, tensor<f64>, tensor<f64>
}
func.func @main(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
  %g = tir.grad %y wrt (%x) : tensor<f64>
  %h = tir.grad %g wrt (%x) : tensor<f64>
  return %g, %h : tensor<f64>, tensor<f64>
}
"""
    found = Interpreter(expanded(text)).run("main", [np.asarray(3.0)])
    assert [float(one) for one in found] == [1.0, 7.0]


def test_the_builder_says_it() -> None:
    b = Builder()
    with b.function("f", private=True, vjp="back", x="tensor<[N]xf64>") as (x,):
        b.returns(b.round(x))
    with b.function("back", private=True, x="tensor<[N]xf64>", y="tensor<[N]xf64>", dy="tensor<[N]xf64>") as (x, y, dy):
        b.returns(dy)
    with b.function("main", x="tensor<[N]xf64>") as (x,):
        (y,) = b.call("f", x)
        (g,) = b.grad(b.sum(y * x), [x])
        b.returns(g)
    b.verify()
    (found,) = Interpreter(expanded(b.module_text())).run("main", [np.array([0.4, 1.6])])
    np.testing.assert_allclose(found, np.array([0.0, 2.0]) + [0.4, 1.6])


# --- what is refused -------------------------------------------------------------------------------------------------

HEAD = "func.func private @f(%x: tensor<2xf32>, %n: tensor<i32>) -> tensor<f32> attributes {tir.vjp = @g} {"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("func.func private @f(tensor<2xf32>) -> tensor<f32> attributes {tir.vjp = 3 : i64}",
         "func.func: tir.vjp of @f must be a symbol such as @f, got 3 : i64"),
        ("func.func private @f(tensor<2xf32>) -> tensor<f32> attributes {tir.vjp = @gg}\nfunc.func private @g()",
         "func.func: tir.vjp of @f is @gg, and there is no such function; did you mean 'g'?"),
        ("func.func private @f(tensor<2xf32>, tensor<i32>) -> tensor<f32> attributes {tir.vjp = @g}\n"
         "func.func private @g(tensor<2xf32>) -> tensor<2xf32>",
         "func.func: tir.vjp of @f: @g must have type (tensor<2xf32>, tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<2xf32> "
         "(from the arguments, the results and adjoints of the results of floats to adjoints of the arguments of floats), "
         "got (tensor<2xf32>) -> tensor<2xf32>"),
        ("func.func private @f(tensor<2xf32>, tensor<i32>) -> tensor<f32> attributes {tir.jvp = @g}\n"
         "func.func private @g(tensor<2xf32>) -> tensor<2xf32>",
         "func.func: tir.jvp of @f: @g must have type (tensor<2xf32>, tensor<i32>, tensor<2xf32>) -> tensor<f32> "
         "(from the arguments and tangents of the arguments of floats to tangents of the results of floats), "
         "got (tensor<2xf32>) -> tensor<2xf32>"),
    ],
)  # fmt: skip
def test_wrong_derivatives(text: str, message: str) -> None:
    with pytest.raises(TirError) as caught:
        parse_text(text, REGISTRY)
    assert message in str(caught.value)


def test_a_derivative_may_not_use_state() -> None:
    text = """
tir.shared @s : tensor<f64> = dense<1.0>
func.func private @f(%x: tensor<f64>) -> tensor<f64> attributes {tir.jvp = @t} {
  return %x : tensor<f64>
}
func.func private @t(%x: tensor<f64>, %dx: tensor<f64>) -> tensor<f64> {
  %s = tir.read @s : tensor<f64>
  return %s : tensor<f64>
}
func.func @main(%x: tensor<f64>) -> tensor<f64> {
  %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
  %g = tir.grad %y wrt (%x) : tensor<f64>
  return %g : tensor<f64>
}
"""
    with pytest.raises(PassError, match="@t computes a derivative of @f, so it may not use state"):
        expanded(text)


ASKS = """
func.func @main(%x: tensor<f64>) -> tensor<f64> {{
  %y = func.call @q(%x) : (tensor<f64>) -> tensor<f64>
  %g = tir.grad %y wrt (%x) : tensor<f64>
  return %g : tensor<f64>
}}
func.func private @q(%x: tensor<f64>) -> tensor<f64> attributes {{tir.vjp = @v}} {{
  %y = tir.exp %x : tensor<f64>
  return %y : tensor<f64>
}}
func.func private @v(%x: tensor<f64>, %y: tensor<f64>, %dy: tensor<f64>) -> tensor<f64> {{
  %z = {} : {}
  %g = tir.grad %z wrt (%x) : tensor<f64>
  %r = tir.mul %g, %dy : tensor<f64>
  return %r : tensor<f64>
}}
"""


def test_a_derivative_that_asks_for_itself_is_refused() -> None:
    message = "@v computes a derivative of @q, and asks for one that needs it"
    with pytest.raises(PassError, match=message):
        expanded(ASKS.format("func.call @q(%x)", "(tensor<f64>) -> tensor<f64>"))


def test_a_derivative_may_use_another_that_is_expanded_first() -> None:
    """Wherever the function stands in the text."""
    (found,) = Interpreter(expanded(ASKS.format("tir.sin %x", "tensor<f64>"))).run("main", [np.asarray(0.3)])
    np.testing.assert_allclose(found, np.cos(0.3), rtol=1e-15)


RECURSIVE = """
func.func private @f(%x: tensor<f64>) -> tensor<f64> {
  %y = func.call @g(%x) : (tensor<f64>) -> tensor<f64>
  return %y : tensor<f64>
}
func.func private @g(%x: tensor<f64>) -> tensor<f64> {
  %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
  return %y : tensor<f64>
}
func.func @main(%x: tensor<f64>) -> tensor<f64> {
  %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
  return %y : tensor<f64>
}
"""


def test_recursion_is_refused() -> None:
    module = parse_text(RECURSIVE, REGISTRY)
    with pytest.raises(PassError, match=r"func.call: @\w is recursive \(@\w -> @\w -> @\w\), which has no form on buffers; tir.while"):
        run_pipeline(default(), module)
    gradient = "  %d = tir.grad %y wrt (%x) : tensor<f64>\n  return %d : tensor<f64>\n}\n"
    text = RECURSIVE[: RECURSIVE.rindex("  return")] + gradient
    with pytest.raises(PassError, match=r"no rule for it; @f is recursive \(@f -> @g -> @f\); tir.while and tir.scan repeat"):
        expanded(text)


WHILE = """
func.func private @f(%x: tensor<f64>) -> tensor<f64> attributes {{tir.{form} = @rule}} {{
  return %x : tensor<f64>
}}
func.func private @rule({arguments}) -> tensor<f64> {{
  %q = tir.while (%a = %d : tensor<f64>) {{
    %p = tir.cmp lt %a, %x : tensor<f64>
    tir.yield %p : tensor<i1>
  }} do {{
  ^bb0(%b: tensor<f64>):
    %c = tir.mul %b, %x : tensor<f64>
    tir.yield %c : tensor<f64>
  }}
  return %q : tensor<f64>
}}
func.func @main(%x: tensor<f64>) -> tensor<f64> {{
  %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
  %g = {derivative} : tensor<f64>
  return %g : tensor<f64>
}}
"""


@pytest.mark.parametrize(("form", "arguments", "derivative", "note"), [
    ("vjp", "%x: tensor<f64>, %y: tensor<f64>, %d: tensor<f64>", "tir.jvp (%y) wrt (%x) with (%x)",
     "@f has no tir.jvp, so the derivative of its tir.vjp is taken, for this tir.jvp"),
    ("jvp", "%x: tensor<f64>, %d: tensor<f64>", "tir.grad %y wrt (%x)",
     "@f has no tir.vjp, so the derivative of its tir.jvp is taken, for this tir.grad"),
])  # fmt: skip
def test_what_has_no_gradient_in_the_other_mode_is_told_with_the_reason(
    form: str, arguments: str, derivative: str, note: str
) -> None:
    with pytest.raises(PassError, match="tir.while has no gradient without max_trips.*: max_trips 100") as found:
        expanded(WHILE.format(form=form, arguments=arguments, derivative=derivative))
    assert [text for text, _ in found.value.notes] == [note]


#: @main differentiates through @f, whose derivative @f_back does through @g, whose derivative @g_back does through @h.
CHAIN = """
func.func @main(%x: tensor<f64>) -> tensor<f64> {
  %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
  %d = tir.grad %y wrt (%x) : tensor<f64>
  return %d : tensor<f64>
}
func.func private @f(%x: tensor<f64>) -> tensor<f64> attributes {tir.vjp = @f_back} {
  %y = func.call @g(%x) : (tensor<f64>) -> tensor<f64>
  return %y : tensor<f64>
}
func.func private @f_back(%x: tensor<f64>, %y: tensor<f64>, %dy: tensor<f64>) -> tensor<f64> {
  %z = func.call @g(%x) : (tensor<f64>) -> tensor<f64>
  %d = tir.grad %z wrt (%x) : tensor<f64>
  %r = tir.mul %d, %dy : tensor<f64>
  return %r : tensor<f64>
}
func.func private @g(%x: tensor<f64>) -> tensor<f64> attributes {tir.vjp = @g_back} {
  %y = func.call @h(%x) : (tensor<f64>) -> tensor<f64>
  return %y : tensor<f64>
}
func.func private @g_back(%x: tensor<f64>, %y: tensor<f64>, %dy: tensor<f64>) -> tensor<f64> {
  %z = func.call @h(%x) : (tensor<f64>) -> tensor<f64>
  %d = tir.grad %z wrt (%x) : tensor<f64>
  %r = tir.mul %d, %dy : tensor<f64>
  return %r : tensor<f64>
}
func.func private @h(%x: tensor<f64>) -> tensor<f64> attributes {tir.vjp = @h_back} {
  %y = tir.sin %x : tensor<f64>
  return %y : tensor<f64>
}
func.func private @h_back(%x: tensor<f64>, %y: tensor<f64>, %dy: tensor<f64>) -> tensor<f64> {
  %z = tir.sin %x : tensor<f64>
  %d = tir.grad %z wrt (%x) : tensor<f64>
  %r = tir.mul %d, %dy : tensor<f64>
  return %r : tensor<f64>
}
"""


@pytest.mark.parametrize("turned", [False, True])
def test_derivatives_that_use_others_are_expanded_behind_those(turned: bool) -> None:
    """In whatever order the functions stand in the text."""
    functions = CHAIN.strip().split("\nfunc.func ")
    text = "\nfunc.func ".join([functions[0], *(reversed(functions[1:]) if turned else functions[1:])])
    (found,) = Interpreter(expanded(text)).run("main", [np.asarray(0.3)])
    np.testing.assert_allclose(found, np.cos(0.3), rtol=1e-15)


@pytest.mark.parametrize("turned", [False, True])
def test_a_pass_over_each_function_sees_the_derivatives_that_stand_in_others(turned: bool) -> None:
    """In front of it, where they are expanded, or behind it, where they stay as they are until their turn comes."""
    functions = CHAIN.strip().removeprefix("func.func ").split("\nfunc.func ")
    module = parse_text("\n".join(f"func.func {one}" for one in (reversed(functions) if turned else functions)), REGISTRY)
    run_pipeline(Pipeline((Autodiff(),), "func.func"), module)
    (found,) = Interpreter(module).run("main", [np.asarray(0.3)])
    np.testing.assert_allclose(found, np.cos(0.3), rtol=1e-15)


def test_a_pass_over_one_function_leaves_the_others_alone() -> None:
    module = parse_text(CHAIN, REGISTRY)
    before, main = print_op(module), next(op for op in module.walk() if isinstance(op, Func))
    Autodiff().run(main)
    assert [op for op in main.walk() if isinstance(op, Grad)] == []
    assert print_op(module).partition("private")[2] == before.partition("private")[2]


def test_the_symbols_of_a_module_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(SymbolTable):
        def __init__(self, owner: Op) -> None:
            made.append(owner)
            super().__init__(owner)

    module = parse_text(CHAIN, REGISTRY)
    monkeypatch.setattr(autodiff, "SymbolTable", Counted)
    autodiff.expand_gradients(module)
    assert made == [module]


CALLS = """
tir.shared @w : tensor<f64> = dense<0.0>
func.func private @f{}
func.func @main(%x: tensor<f64>, %p: tensor<i1>) -> tensor<f64> {{
  %y = tir.if %p -> (tensor<f64>) {{
    %z = func.call @f(%x){} : (tensor<f64>) -> tensor<f64>
    tir.yield %z : tensor<f64>
  }} else {{
    tir.yield %x : tensor<f64>
  }}
  %g = tir.grad %y wrt (%x) : tensor<f64>
  return %g : tensor<f64>
}}
"""
HEAD = "(%x: tensor<f64>) -> tensor<f64>"
OWN = ", or give it a derivative of its own (tir.vjp, tir.jvp)"


@pytest.mark.parametrize(("function", "call", "hint"), [
    ("(tensor<f64>) -> tensor<f64>", "", "@f has no body here; write it"),
    (f"{HEAD} attributes {{no_inline}} {{\n  return %x : tensor<f64>\n}}", "",
     "@f is not inlined, since no_inline stands at the function; take that out"),
    (f"{HEAD} {{\n  return %x : tensor<f64>\n}}", " {no_inline}",
     "@f is not inlined, since no_inline stands at the call; take that out"),
    (f"{HEAD} {{\n  cf.br ^end\n^end:\n  return %x : tensor<f64>\n}}", "",
     "@f has more than one block, so inline leaves it; tir.if, tir.while and tir.scan need no blocks"),
    (f"{HEAD} {{\n  %w = tir.read @w : tensor<f64>\n  %y = tir.mul %x, %w : tensor<f64>\n  return %y : tensor<f64>\n}}", "",
     "@f uses state, so it is inlined at the top level of a function only; call it there"),
])  # fmt: skip
def test_a_call_that_is_never_inlined_is_told_with_what_can_be_done(function: str, call: str, hint: str) -> None:
    module = parse_text(CALLS.format(function, call), REGISTRY)
    Inline().run(module)
    with pytest.raises(PassError, match="func.call has no gradient: tir knows no rule for it") as found:
        autodiff.expand_gradients(module)
    assert found.value.hint == hint + OWN
