"""`autodiff`: gradients against central differences in f64 to second order, ties, hard numbers, messages, tidy IR."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath
import numpy as np
import pytest

from tests.ops.samples import SMOOTH, Smooth
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients


def expanded(text: str) -> Op:
    """The module with its gradients expanded, verified, and printed and read again without a change."""
    module = parse_text(text, REGISTRY, file="model.tir")
    expand_gradients(module)
    verify(module)
    printed = print_op(module)
    assert print_op(parse_text(printed, REGISTRY)) == printed
    assert not {"tir.grad", "tir.leaf"} & {op.name for op in module.walk()}
    return module


class Point:
    """A smooth point as functions @value, @first and @second of its inputs, a weight of the result, and directions."""

    def __init__(self, point: Smooth) -> None:
        self.point = point
        wrt = [f"%{i}" for i in point.wrt]
        types = [point.types[i] for i in point.wrt]
        arguments = [f"%{i}: {type}" for i, type in enumerate(point.types)] + [f"%w: {point.result}"]
        body = f"  {point.names} = {point.op} {point.text}\n" + self.total("r", "w", point.result, "c")
        if point.op == "tir.leaf":
            body = body.replace("%r = tir.leaf %0", "%l = tir.leaf %0").replace("%r, %w", "%l, %w")
        gradients = ", ".join(f"%g{i}" for i in range(len(wrt)))
        grad = f"  {gradients} = tir.grad %c wrt ({', '.join(wrt)}) : {', '.join(types)}\n"
        parts = [self.total(f"g{i}", f"v{i}", type, f"d{i}") for i, type in enumerate(types)]
        parts += [
            f"  %e{i} = tir.add {'%d0' if i == 1 else f'%e{i - 1}'}, %d{i} : tensor<f64>\n" for i in range(1, len(wrt))
        ]
        last = f"%e{len(wrt) - 1}" if len(wrt) > 1 else "%d0"
        seconds = ", ".join(f"%h{i}" for i in range(len(wrt)))
        again = f"  {seconds} = tir.grad {last} wrt ({', '.join(wrt)}) : {', '.join(types)}\n"
        directions = [f"%v{i}: {type}" for i, type in enumerate(types)]
        text = self.function("value", arguments, body, "%c", ["tensor<f64>"])
        text += self.function("first", arguments, body + grad, gradients, types)
        if point.order > 1:
            every = [*arguments, *directions]
            text += self.function("second", every, body + grad + "".join(parts) + again, seconds, types)
        self.text = text
        self.run = Interpreter(expanded(text)).run

    @staticmethod
    def total(x: str, weight: str, type: str, name: str) -> str:
        """sum(x * weight)"""
        axes = list(range(type.count("x")))
        return (
            f"  %p_{name} = tir.mul %{x}, %{weight} : {type}\n  %{name} = tir.sum %p_{name} over {axes} : tensor<f64>\n"
        )

    @staticmethod
    def function(name: str, arguments: Sequence[str], body: str, results: str, types: Sequence[str]) -> str:
        joined = ", ".join(types)
        return f"func.func @{name}({', '.join(arguments)}) -> ({joined}) {{\n{body}  return {results} : {joined}\n}}\n"


def central_differences(function: Callable[..., np.ndarray], inputs: Sequence[np.ndarray], at: int) -> np.ndarray:
    """The derivative of a scalar function by each element of input `at`."""
    found = np.zeros(inputs[at].shape)
    for place in np.ndindex(found.shape):
        moved = [[x.copy() for x in inputs] for _ in range(2)]
        step = 1e-5 * max(1.0, abs(inputs[at][place]))
        moved[0][at][place] += step
        moved[1][at][place] -= step
        found[place] = (function(*moved[0]) - function(*moved[1])) / (2 * step)
    return found


@pytest.mark.parametrize("point", SMOOTH, ids=str)
def test_gradient_is_the_central_difference(point: Smooth) -> None:
    tested = Point(point)
    rng = np.random.default_rng(5)
    shape = result_shape(point)
    inputs = [*point.inputs, rng.uniform(-1, 1, shape)]
    first = tested.run("first", inputs)
    for i, got in zip(point.wrt, first):
        want = central_differences(lambda *xs: tested.run("value", xs)[0], inputs, i)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)  # step 1e-5: truncation 1e-10, rounding 1e-11
    if point.order == 1:
        return
    directions = [rng.uniform(-1, 1, point.inputs[i].shape) for i in point.wrt]

    def slope(*xs: np.ndarray) -> np.ndarray:
        return sum(np.sum(g * v) for g, v in zip(tested.run("first", xs), directions))

    for i, got in zip(point.wrt, tested.run("second", [*inputs, *directions])):
        np.testing.assert_allclose(got, central_differences(slope, inputs, i), rtol=1e-6, atol=1e-8)


def result_shape(point: Smooth) -> tuple[int, ...]:
    """The shape of the op's result at run time."""
    arguments = ", ".join(f"%{i}: {type}" for i, type in enumerate(point.types))
    body = f"  {point.names} = {point.op} {point.text}\n  return %r : {point.result}\n"
    text = f"func.func @f({arguments}) -> {point.result} {{\n{body}}}\n"
    (value,) = Interpreter(parse_text(text, REGISTRY)).run("f", list(point.inputs))
    return np.shape(value)


# --- where the derivative jumps --------------------------------------------------------------------------------------

X = np.array([-1.0, 0.0, 2.0, 2.0], np.float32)
Y = np.array([-1.0, 0.0, 1.0, 3.0], np.float32)
T = "tensor<4xf32>"
KINKS = [
    ("tir.maximum", f"tir.maximum %x, %y : {T}", [1, 1, 1, 0], [0, 0, 0, 1]),
    ("tir.minimum", f"tir.minimum %x, %y : {T}", [1, 1, 0, 1], [0, 0, 1, 0]),
    ("tir.relu", f"tir.relu %x : {T}", [0, 0, 1, 1], [0, 0, 0, 0]),
    ("tir.abs", f"tir.abs %x : {T}", [-1, 0, 1, 1], [0, 0, 0, 0]),
    ("tir.sign", f"tir.sign %x : {T}", [0, 0, 0, 0], [0, 0, 0, 0]),
]


@pytest.mark.parametrize(("op", "form", "by_x", "by_y"), KINKS, ids=[k[0] for k in KINKS])
def test_gradient_at_a_kink_is_the_documented_one(op: str, form: str, by_x: list, by_y: list) -> None:
    text = f"""
    func.func @f(%x: {T}, %y: {T}) -> ({T}, {T}) {{
      %r = {form}
      %c = tir.sum %r over [0] : tensor<f32>
      %gx, %gy = tir.grad %c wrt (%x, %y) : {T}, {T}
      return %gx, %gy : {T}, {T}
    }}"""
    gx, gy = Interpreter(expanded(text)).run("f", [X, Y])
    np.testing.assert_array_equal(gx, by_x)
    np.testing.assert_array_equal(gy, by_y)


def gradient_of(form: str, x: np.ndarray, cost_type: str = "tensor<f32>") -> np.ndarray:
    """The gradient of the cost that the lines `form` make of %x."""
    type = f"tensor<{''.join(f'{d}x' for d in x.shape)}f32>"
    text = (
        f"func.func @f(%x: {type}) -> {type} {{\n{form}\n  %g = tir.grad %c wrt (%x) : {type}\n  return %g : {type}\n}}"
    )
    return Interpreter(expanded(text)).run("f", [x])[0]


def test_each_of_tied_maxima_gets_the_whole_gradient() -> None:
    np.testing.assert_array_equal(gradient_of("  %c = tir.max %x over [0] : tensor<f32>", X), [0, 0, 1, 1])


def test_gradient_of_a_product_is_exact_where_factors_are_zero() -> None:
    form = "  %c = tir.prod %x over [0] : tensor<f32>"
    np.testing.assert_array_equal(gradient_of(form, np.array([2, 0, 3], np.float32)), [0, 6, 0])
    np.testing.assert_array_equal(gradient_of(form, np.array([0, 0, 3], np.float32)), [0, 0, 0])


def test_gradient_of_power_is_not_nan_at_zero() -> None:
    form = """  %e = tir.constant dense<[0.0, 2.0, 1.0]> : tensor<3xf32>
      %p = tir.pow %x, %e : tensor<3xf32>
      %c = tir.sum %p over [0] : tensor<f32>"""
    np.testing.assert_array_equal(gradient_of(form, np.zeros(3, np.float32)), [0, 0, 1])


def test_cross_entropy_gradient_is_finite_where_the_probability_underflows() -> None:
    form = """  %y = tir.constant dense<[0, 1]> : tensor<2xi32>
      %n = tir.softmax_cross_entropy %x, %y : tensor<2xf32>
      %c = tir.sum %n over [0] : tensor<f32>"""
    logits = np.array([[0, 1000], [0, 1000]], np.float32)
    np.testing.assert_array_equal(gradient_of(form, logits), [[-1, 1], [0, 0]])


def test_sigmoid_gradient_is_zero_and_not_nan_far_out() -> None:
    form = "  %s = tir.sigmoid %x : tensor<2xf32>\n  %c = tir.sum %s over [0] : tensor<f32>"
    np.testing.assert_array_equal(gradient_of(form, np.array([-1000, 1000], np.float32)), [0, 0])


def test_gradient_of_an_empty_sum_is_empty() -> None:
    assert gradient_of("  %c = tir.sum %x over [0, 1] : tensor<f32>", np.zeros((0, 3), np.float32)).shape == (0, 3)


# --- what the pass leaves ------------------------------------------------------------------------------------------


def test_expansion_is_what_the_docstring_shows() -> None:
    module = expanded("""
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %l = tir.leaf %x : tensor<4xf32>
      %y = tir.exp %l : tensor<4xf32>
      %cost = tir.sum %y over [0] : tensor<f32>
      %g = tir.grad %cost wrt (%l) : tensor<4xf32>
      return %g : tensor<4xf32>
    }""")
    assert (
        print_op(module)
        == """\
module {
  func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
    %y = tir.exp %x : tensor<4xf32>
    %cost = tir.sum %y over [0] : tensor<f32>
    %d_cost = tir.full 1.0 : f32 -> tensor<f32>
    %d_y = tir.broadcast %d_cost along [] : tensor<f32> -> tensor<4xf32>
    %g = tir.mul %d_y, %y : tensor<4xf32>
    return %g : tensor<4xf32>
  }
}
"""
    )


def body_of(text: str) -> list[str]:
    """The names of the ops of the expanded function."""
    module = expanded(text)
    function = next(op for op in module.walk() if op.name == "func.func")
    return [op.name for op in function.region.block]


def test_nothing_is_computed_that_no_gradient_needs() -> None:
    """The gradient of %x in the product is not asked for."""
    names = body_of("""
    func.func @f(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<3x4xf32> {
      %z = tir.dot %x, %w : tensor<2x4xf32>
      %c = tir.sum %z over [0, 1] : tensor<f32>
      %g = tir.grad %c wrt (%w) : tensor<3x4xf32>
      return %g : tensor<3x4xf32>
    }""")
    forward, backward = ["tir.dot", "tir.sum"], ["tir.full", "tir.broadcast", "tir.transpose", "tir.dot"]
    assert names == [*forward, *backward, "func.return"]


def test_value_used_twice_gets_the_sum_of_its_parts_once() -> None:
    text = """
    func.func @f(%x: tensor<f64>) -> tensor<f64> {
      %a = tir.exp %x : tensor<f64>
      %b = tir.mul %a, %a : tensor<f64>
      %c = tir.add %b, %a : tensor<f64>
      %g = tir.grad %c wrt (%x) : tensor<f64>
      return %g : tensor<f64>
    }"""
    assert body_of(text).count("tir.add") == 3  # that of the text, and two for the three uses of %a
    (got,) = Interpreter(expanded(text)).run("f", [np.float64(0.5)])
    np.testing.assert_allclose(got, 2 * np.exp(1.0) + np.exp(0.5), rtol=1e-14)


def test_cost_that_does_not_depend_on_wrt_has_gradient_zero() -> None:
    text = """
    func.func @f(%x: tensor<?x2xf32>, %c: tensor<f32>) -> tensor<?x2xf32> {
      %g = tir.grad %c wrt (%x) : tensor<?x2xf32>
      return %g : tensor<?x2xf32>
    }"""
    (got,) = Interpreter(expanded(text)).run("f", [np.ones((3, 2), np.float32), np.float32(1)])
    np.testing.assert_array_equal(got, np.zeros((3, 2)))


def test_gradient_of_the_cost_by_itself_is_one() -> None:
    text = """
    func.func @f(%c: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
      %g, %h = tir.grad %c wrt (%c, %c) : tensor<f32>, tensor<f32>
      return %g, %h : tensor<f32>, tensor<f32>
    }"""
    assert [float(x) for x in Interpreter(expanded(text)).run("f", [np.float32(7)])] == [1, 1]


def test_two_leaves_of_one_value_have_gradients_of_their_own() -> None:
    text = """
    func.func @f(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
      %a = tir.leaf %x : tensor<f32>
      %b = tir.leaf %x : tensor<f32>
      %s = tir.square %a : tensor<f32>
      %c = tir.mul %s, %b : tensor<f32>
      %gx, %ga, %gb = tir.grad %c wrt (%x, %a, %b) : tensor<f32>, tensor<f32>, tensor<f32>
      return %gx, %ga, %gb : tensor<f32>, tensor<f32>, tensor<f32>
    }"""
    assert [float(x) for x in Interpreter(expanded(text)).run("f", [np.float32(3)])] == [27, 18, 9]


def test_a_step_by_an_integer_or_a_comparison_hands_no_gradient_back() -> None:
    form = """  %i = tir.cast %x : tensor<4xf32> -> tensor<4xi32>
      %f = tir.cast %i : tensor<4xi32> -> tensor<4xf32>
      %b = tir.cmp gt %x, %f : tensor<4xf32>
      %m = tir.cast %b : tensor<4xi1> -> tensor<4xf32>
      %s = tir.add %x, %m : tensor<4xf32>
      %t = tir.add %s, %f : tensor<4xf32>
      %c = tir.sum %t over [0] : tensor<f32>"""
    np.testing.assert_array_equal(gradient_of(form, X), [1, 1, 1, 1])


def test_numbers_as_many_as_there_are_elements_do_not_depend_on_these() -> None:
    """A tir.dim of what is differentiated stands in front of an op that has no gradient."""
    text = """
    func.func @f(%key: tensor<2xi32>, %x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
      %y = tir.exp %x : tensor<?xf64>
      %n = tir.dim %y axis 0 : tensor<?xf64>
      %noise = tir.rng_normal %key sizes(%n) : tensor<?xf64>
      %p = tir.mul %y, %noise : tensor<?xf64>
      %c = tir.sum %p over [0] : tensor<f64>
      %g = tir.grad %c wrt (%x) : tensor<?xf64>
      return %p, %g : tensor<?xf64>, tensor<?xf64>
    }"""
    p, g = Interpreter(expanded(text)).run("f", [np.array([1, 2], np.int32), np.array([0.5, -1.0, 2.0])])
    np.testing.assert_array_equal(p, g)


def test_gradient_through_half_precision_is_cast_back() -> None:
    form = """  %h = tir.cast %x : tensor<4xf32> -> tensor<4xf64>
      %s = tir.square %h : tensor<4xf64>
      %r = tir.cast %s : tensor<4xf64> -> tensor<4xf32>
      %c = tir.sum %r over [0] : tensor<f32>"""
    np.testing.assert_array_equal(gradient_of(form, X), 2 * X)


def test_a_long_chain_is_expanded_without_recursion() -> None:
    lines = ["func.func @f(%x0: tensor<f64>) -> tensor<f64> {"]
    lines += [f"  %x{i + 1} = tir.neg %x{i} : tensor<f64>" for i in range(3000)]
    lines += ["  %g = tir.grad %x3000 wrt (%x0) : tensor<f64>", "  return %g : tensor<f64>", "}"]
    module = expanded("\n".join(lines))
    assert float(Interpreter(module).run("f", [np.float64(1)])[0]) == 1


# --- messages ------------------------------------------------------------------------------------------------------


def test_op_without_a_gradient_is_named_with_its_place() -> None:
    text = """func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {
  %i = tir.argmax %x axis 0 : tensor<i64>
  %c = tir.cast %i : tensor<i64> -> tensor<f32>
  %g = tir.grad %c wrt (%x) : tensor<3xf32>
  return %g : tensor<3xf32>
}"""
    with pytest.raises(PassError) as caught:
        expanded(text)
    assert str(caught.value).startswith("model.tir:2:")
    assert "tir.argmax has no gradient: a position is a whole number and changes in steps" in str(caught.value)
    note, place = caught.value.notes[0]
    assert note == "it lies on the way from wrt of this tir.grad: %x -> tir.argmax -> tir.cast -> %c"
    assert place.file_location().line == 4


def test_order_of_polygamma_ends_with_a_message() -> None:
    text = """func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %y = tir.polygamma %x order 100 : tensor<f64>
  %g = tir.grad %y wrt (%x) : tensor<f64>
  return %g : tensor<f64>
}"""
    with pytest.raises(PassError) as caught:
        expanded(text)
    assert "tir.polygamma has no gradient: the order of that would be 101, and the largest is 100" in str(caught.value)


def test_lgamma_has_gradients_of_any_order() -> None:
    lines = [f"  %y{n + 1} = tir.grad %y{n} wrt (%x) : tensor<f64>" for n in range(6)]
    text = "\n".join(["func.func @f(%x: tensor<f64>) -> tensor<f64> {", "  %y0 = tir.lgamma %x : tensor<f64>", *lines,
                      "  return %y6 : tensor<f64>", "}"])  # fmt: skip
    (found,) = Interpreter(expanded(text)).run("f", [np.float64(1.25)])
    np.testing.assert_allclose(found, float(mpmath.psi(5, 1.25)), rtol=1e-14)


def test_op_of_another_dialect_is_refused_by_name() -> None:
    text = """
    func.func private @h(%x: tensor<f32>) -> tensor<f32> {
      return %x : tensor<f32>
    }
    func.func @f(%x: tensor<f32>) -> tensor<f32> {
      %c = func.call @h(%x) : (tensor<f32>) -> tensor<f32>
      %g = tir.grad %c wrt (%x) : tensor<f32>
      return %g : tensor<f32>
    }"""
    with pytest.raises(PassError, match="func.call has no gradient: .*; run the pass inline first"):
        expanded(text)


WRONG = [
    (
        "%g = tir.grad %v wrt (%x) : tensor<4xf32>",
        "the cost %v must have rank 0, got tensor<4xf32>; tir.sum or tir.mean makes it one number",
    ),
    ("%g = tir.grad %i wrt (%x) : tensor<4xf32>", "'cost' must be a tensor of f16 or bf16 or f32 or f64, got tensor<i32>"),
    (
        "%g = tir.grad %c wrt (%v) : tensor<4xf32>",
        "wrt %v must be an argument of the block or the result of a tir.leaf",
    ),
    ("%g = tir.grad %c wrt (%i) : tensor<i32>", "'wrt' must be a tensor of f16"),
]


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_grad_that_means_nothing_is_refused(line: str, message: str) -> None:
    text = f"""func.func @f(%x: tensor<4xf32>, %c: tensor<f32>, %i: tensor<i32>) {{
      %v = tir.exp %x : tensor<4xf32>
      {line}
      return
    }}"""
    with pytest.raises(Exception) as caught:
        parse_text(text, REGISTRY)
    assert message in str(caught.value)


STATE = "tir.shared @w : tensor<2xf32> = dense<1.0>\n"
WRONG_STATE = [
    (STATE, "%a = tir.read @w : tensor<3xf32>", "@w has type tensor<2xf32>, got tensor<3xf32>"),
    (STATE, "%a = tir.read @v : tensor<2xf32>", "there is no shared variable @v"),
    (STATE, "%a = tir.read @w : tensor<2xf32>\n  %b = tir.read @w : tensor<2xf32>", "a function may read @w once"),
    (STATE, "tir.update @w, %x : tensor<2xf32>\n  tir.update @w, %x : tensor<2xf32>", "a function may update @w once"),
    ("tir.shared @w : tensor<?xf32> = dense<1.0>\n", "", "tensor"),
    ("tir.shared @w : tensor<2xf32> init @g\n", "", "there is no function @g"),
    ("tir.shared @w : tensor<2xf32> init @f\n", "", "@f must have type () -> tensor<2xf32>"),
]  # fmt: skip


@pytest.mark.parametrize(("shared", "lines", "message"), WRONG_STATE)
def test_wrong_use_of_state_is_refused(shared: str, lines: str, message: str) -> None:
    text = f"{shared}func.func @f(%x: tensor<2xf32>) {{\n  {lines}\n  return\n}}"
    with pytest.raises(Exception) as caught:
        parse_text(text, REGISTRY)
    assert message in str(caught.value)


def test_reads_see_the_old_state_and_updates_commit_together() -> None:
    """A swap."""
    text = """
    tir.shared @a : tensor<f32> = dense<1.0>
    tir.shared @b : tensor<f32> init @two
    func.func private @two() -> tensor<f32> {
      %r = tir.full 2.0 : f32 -> tensor<f32>
      return %r : tensor<f32>
    }
    func.func @swap() {
      %a = tir.read @a : tensor<f32>
      tir.update @b, %a : tensor<f32>
      %b = tir.read @b : tensor<f32>
      tir.update @a, %b : tensor<f32>
      return
    }"""
    interpreter = Interpreter(expanded(text))
    interpreter.run("swap")
    assert {name: float(x) for name, x in interpreter.state.items()} == {"a": 2, "b": 1}


def test_digits_step_is_the_formula() -> None:
    """The gradient of softmax regression is x^T (p - y) / n."""
    text = """
    tir.shared @w : tensor<5x3xf64> = dense<0.1>
    func.func @step(%x: tensor<[B]x5xf64>, %y: tensor<[B]xi32>) -> tensor<5x3xf64> {
      %w = tir.read @w : tensor<5x3xf64>
      %l = tir.leaf %w : tensor<5x3xf64>
      %z = tir.dot %x, %l : tensor<[B]x3xf64>
      %n = tir.softmax_cross_entropy %z, %y : tensor<[B]xf64>
      %c = tir.mean %n over [0] : tensor<f64>
      %g = tir.grad %c wrt (%l) : tensor<5x3xf64>
      return %g : tensor<5x3xf64>
    }"""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 5)), rng.integers(0, 3, 7).astype(np.int32)
    (got,) = Interpreter(expanded(text)).run("step", [x, y])
    np.testing.assert_allclose(got, x.T @ (1 / 3 - np.eye(3)[y]) / 7, rtol=1e-12, atol=1e-15)
