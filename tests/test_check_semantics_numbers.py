"""--check-semantics: the inputs that programs are run on, how numbers are compared, and how gradients are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.semantics_checks import COUNTER, TWO_SUBS, By, found_by, wrong_of
from tir.api import parse
from tir.dialects.tir.arithmetic import Mul, Sub
from tir.dialects.tir.functions import Exp
from tir.dialects.tir.state import Leaf
from tir.ir.numerics import EXACT, Numerics, accurate
from tir.ir.printer import print_op
from tir.passes.autodiff import Autodiff
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce
from tir.passes.inline import Inline
from tir.semantics.gradients import put_stand_ins, slopes
from tir.semantics.judge import Judge, same_bits
from tir.semantics.outcome import Draw, Failure, Program, Values, draw_inputs
from tir.semantics.widen import F64_ONLY, ONE_WIDER, wide_draw, widened


def f32(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


# --- inputs ------------------------------------------------------------------------------------------------------------


def drawn(text: str, count: int = 6, **options: Any) -> list[Draw]:
    found, remarks = draw_inputs(Program(parse(text)), options.get("seed", 0), count, options.get("sizes", {}))
    assert not remarks
    return found


def test_sizes_on_which_the_program_fails_are_drawn_again() -> None:
    text = """
        func.func @main(%x: tensor<?xf32>) -> tensor<3xf32> {
          %0 = tir.reshape %x : tensor<?xf32> -> tensor<3xf32>
          return %0 : tensor<3xf32>
        }
    """
    draws = drawn(text)
    assert draws and {len(draw.arguments[0]) for draw in draws} == {3}


def test_hard_numbers_are_among_the_inputs_but_not_where_there_is_a_range() -> None:
    text = """
        func.func @main(%x: tensor<40xf32>, %y: tensor<40xf32> {tir.range = [0.0, 1.0]}, %i: tensor<40xi32> {tir.range = [0, 3]}) {
          return
        }
    """
    (hard,) = [draw for draw in drawn(text, 3) if draw.kind == "hard numbers"]
    x, y, i = hard.arguments
    assert np.isnan(x).any() and np.isinf(x).any() and (np.signbit(x) & (x == 0)).any()
    assert y.min() >= 0 and y.max() <= 1 and set(i.tolist()) == {0, 1, 2}


def test_given_sizes_and_seeds_are_kept() -> None:
    draws = drawn(TWO_SUBS, sizes={"B": 5}, seed=11)
    assert {draw.sizes["[B]"] for draw in draws} == {5} and [draw.seed for draw in draws] == [11, 12, 13, 14, 15, 16]
    again = drawn(TWO_SUBS, sizes={"B": 5}, seed=11)
    assert all(a.arguments[0].tobytes() == b.arguments[0].tobytes() for a, b in zip(draws, again))


def test_state_starts_from_its_first_value_and_then_from_others() -> None:
    first, *others = drawn(COUNTER)
    assert first.state is None
    values = [float(draw.state["n"]) for draw in others if draw.state is not None]
    assert len(set(values)) == len(others) and 1.5 not in values


def test_a_buffer_that_a_pass_writes_to_is_a_difference() -> None:
    text = """
        func.func @main(%x: memref<4xf32>, %i: index {tir.range = [0, 4]}) -> f32 {
          %0 = memref.load %x[%i] : memref<4xf32>
          %1 = math.exp %0 : f32
          return %1 : f32
        }
    """

    def store(op: Any, b: Any) -> None:
        stored = parse("func.func @f(%x: memref<4xf32>, %i: index, %v: f32) { memref.store %v, %x[%i] : memref<4xf32> return }")
        load, end = op.operand(0).op, op.next
        copy = stored.body.first.entry.first.clone()
        copy.set_operands([op.results[0], *load.operands])
        op.parent.insert_before(end, copy)

    exp = next(op for op in parse(text).walk() if op.name == "math.exp")
    wrong = wrong_of(text, By(type(exp), store))
    assert wrong.difference.what.startswith("argument")


def test_each_entry_is_run_in_turn() -> None:
    text = TWO_SUBS.replace("@main", "@first") + TWO_SUBS.replace("@main", "@second")
    assert [draw.entry for draw in drawn(text, 2)] == ["first", "second", "first", "second"]


def test_a_size_of_one_is_among_the_inputs() -> None:
    draws, _ = draw_inputs(Program(parse(TWO_SUBS)), 0, 6, {})
    assert [draw.sizes["[B]"] == 1 for draw in draws].count(True) >= 2
    assert len({draw.sizes["[B]"] for draw in draws}) > 2


# --- numbers -----------------------------------------------------------------------------------------------------------


def test_bits_are_equal_for_any_two_nans_and_not_for_zeros_of_other_signs() -> None:
    other_nan = np.array([0x7FC00001, 0xFFC00000], np.uint32).view(np.float32)
    assert same_bits(f32(np.nan, np.nan), other_nan).all()
    assert same_bits(f32(0.0, -0.0, 1.0, np.inf), f32(-0.0, -0.0, 1.0000001, np.inf)).tolist() == [False, True, False, True]


def judged(text: str, change: Callable[[Any], Any], numerics: Numerics, name: str = "result 0", kind: int = 0) -> str | None:
    """The difference, if a pass of this class changes one result of the program by `change`."""
    module = parse(text)
    draws, _ = draw_inputs(Program(module), 0, kind + 1, {})
    judge = Judge(module, numerics)
    outcome = judge.outcome(draws[kind])
    assert isinstance(outcome, Values)
    found = judge.first_difference(Values({**outcome.arrays, name: change(outcome.arrays[name])}), draws[kind])
    return None if found is None else str(found)


def times(factor: float) -> Callable[[Any], Any]:
    return lambda x: (x * np.asarray(1 + factor, x.dtype)).astype(x.dtype)


ACCURATE = accurate(4, "test")
EXP = TWO_SUBS.replace("tir.tanh %1", "tir.exp %1")


@pytest.mark.parametrize("element", ["f16", "f32", "f64"])
def test_an_accurate_pass_may_be_off_by_some_ulp_and_not_by_many(element: str) -> None:
    text = EXP.replace("f32", element)
    eps = {"f16": 2.0**-10, "f32": 2.0**-23, "f64": 2.0**-52}[element]
    assert judged(text, times(2 * eps), ACCURATE) is None
    assert judged(text, times(2 * eps), EXACT) is not None
    # 500 ulp: exp(exp(x) - y) multiplies what its operand is off by no more than about 20 times here.
    assert judged(text, times(500 * eps), ACCURATE) is not None


def test_a_sum_may_be_taken_in_another_order() -> None:
    text = """
        func.func @main(%x: tensor<500xf32>) -> tensor<f32> {
          %0 = tir.sum %x over [0] : tensor<f32>
          return %0 : tensor<f32>
        }
    """
    module = parse(text)
    (draw, *_), _ = draw_inputs(Program(module), 0, 1, {})
    orders = [draw.arguments[0][::-1], np.sort(draw.arguments[0])]
    for order in orders:
        total = np.float32(0)
        for x in order:
            total += x
        assert judged(text, lambda _, total=total: np.array(total, np.float32), ACCURATE) is None
    assert judged(text, lambda x: x + np.float32(0.01), ACCURATE) is not None


def test_an_integer_must_be_equal_unless_roundings_decide() -> None:
    text = """
        func.func @main(%x: tensor<4xf32> {tir.range = [RANGE]}) -> tensor<4xi32> {
          %e = tir.exp %x : tensor<4xf32>
          %l = tir.log %e : tensor<4xf32>
          %0 = tir.cast %l : tensor<4xf32> -> tensor<4xi32>
          return %0 : tensor<4xi32>
        }
    """
    sure, on_edge = text.replace("RANGE", "1.2, 1.8"), text.replace("RANGE", "2.0, 2.0")
    assert judged(sure, lambda x: x + np.int32(1), ACCURATE) is not None
    assert judged(on_edge, lambda x: 3 - x, ACCURATE) is None  # 1 and 2 are what a rounding makes of 2
    assert judged(on_edge, lambda x: 3 - x, EXACT) is not None


def test_what_was_finite_must_stay_finite() -> None:
    assert judged(EXP, lambda x: np.full_like(x, np.nan), ACCURATE) is not None
    assert judged(EXP, lambda x: np.full_like(x, np.inf), ACCURATE) is not None


def test_other_shapes_and_dtypes_are_differences() -> None:
    assert judged(EXP, lambda x: x.astype(np.float64), ACCURATE) is not None
    assert judged(EXP, lambda x: x[:1], ACCURATE) is not None


def test_the_expected_number_is_the_one_of_the_wider_type() -> None:
    said = judged(EXP, times(0.5), ACCURATE)
    assert said is not None and "one precision wider" in said


def test_the_wide_module_computes_in_the_wider_type() -> None:
    module = parse(EXP)
    (draw,), _ = draw_inputs(Program(module), 0, 1, {})
    wide, _ = widened(module, ONE_WIDER)
    outcome = Program(wide).run(wide_draw(draw, ONE_WIDER))
    assert isinstance(outcome, Values)
    x, y = (a.astype(np.float64) for a in draw.arguments)
    np.testing.assert_allclose(outcome.arrays["result 0"], np.exp(np.exp(x) - y), rtol=1e-14)  # a few ulp of f64


def test_a_constant_and_a_random_number_stay_what_they_are_in_the_wide_module() -> None:
    text = """
        func.func @main(%key: tensor<2xi32>) -> (tensor<3xf32>, tensor<3xf32>) {
          %0 = tir.rng_uniform %key : tensor<3xf32>
          %1 = tir.constant dense<[0.1, 0.2, 0.3]> : tensor<3xf32>
          return %0, %1 : tensor<3xf32>, tensor<3xf32>
        }
    """
    module = parse(text)
    (draw,), _ = draw_inputs(Program(module), 0, 1, {})
    want, got = Program(module).run(draw), Program(widened(module)[0]).run(wide_draw(draw, ONE_WIDER))
    assert isinstance(want, Values) and isinstance(got, Values)
    for name in ("result 0", "result 1"):
        assert got.arrays[name].dtype == np.float64
        assert (got.arrays[name] == want.arrays[name]).all()


def test_roundings_change_results_by_the_ulps_that_are_asked_for() -> None:
    module = parse(EXP)
    (draw,), _ = draw_inputs(Program(module), 0, 1, {})
    wide, rounding = widened(module, F64_ONLY)
    program, inputs = Program(wide), wide_draw(draw, F64_ONLY)
    exact = program.run(inputs).arrays["result 0"]  # type: ignore[union-attr]
    with rounding.of(4, seed=1):
        noisy = program.run(inputs).arrays["result 0"]  # type: ignore[union-attr]
    off = np.abs(noisy - exact) / exact
    assert (off > 0).all() and (off < 4 * 2.0**-23 * 40).all()  # the operand of exp is below 20
    assert (program.run(inputs).arrays["result 0"] == exact).all()  # type: ignore[union-attr]


def test_a_run_that_failed_before_may_do_anything_after() -> None:
    module = parse('func.func @main() { %f = arith.constant false cf.assert %f, "x" return }')
    draw = Draw("main", 0, 0, (), {}, "ordinary numbers")
    assert Judge(module, EXACT).first_difference(Values({"result 0": f32(1)}), draw) is None
    assert Judge(module, EXACT).first_difference(Failure("other"), draw) is None


# --- gradients ---------------------------------------------------------------------------------------------------------

COST = """
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %l = tir.leaf %x : tensor<4xf32>
  %0 = tir.mul %l, %y : tensor<4xf32>
  %1 = tir.tanh %0 : tensor<4xf32>
  %cost = tir.sum %1 over [0] : tensor<f32>
  %g = tir.grad %cost wrt (%l) : tensor<4xf32>
  return %g : tensor<4xf32>
}
"""


def test_autodiff_is_checked_by_central_differences() -> None:
    assert found_by(COST, Autodiff())[0] is None


def test_a_wrong_gradient_rule_is_found_at_its_tir_grad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mul, "grad", lambda self, b, g, x, y: [g * y * 1.01, g * x])
    wrong = wrong_of(COST, Autodiff())
    assert "the slope of the cost is" in wrong.difference.before and "the tir.grad at" in wrong.difference.what
    assert wrong.culprit is not None and (wrong.culprit.number, wrong.culprit.name) == (1, "expand")
    assert "tir.mul" in print_op(wrong.reduced)


def test_a_gradient_in_the_last_of_several_functions_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(TWO_SUBS.replace("@main", f"@other{i}") for i in range(3)) + COST.replace("@main", "@zlast")
    (said,) = found_by(text, Autodiff())[1]  # and no word about a gradient that is not checked
    assert said.startswith("check-semantics: 1 pass keeps what the program computes; ")
    monkeypatch.setattr(Mul, "grad", lambda self, b, g, x, y: [g * x, g * y])
    assert wrong_of(text, Autodiff()).difference.draw.entry == "zlast"


def test_a_gradient_in_a_private_function_is_remarked() -> None:
    text = COST.replace("@main", "private @inside") + """
        func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
          %0 = call @inside(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
          return %0 : tensor<4xf32>
        }
    """
    assert any("is in no function that was run" in sentence for sentence in found_by(text, Autodiff())[1])


def test_the_second_of_two_gradients_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Exp, "grad", lambda self, b, g, x: [g])
    text = COST.replace("return %g", """
      %2 = tir.exp %0 : tensor<4xf32>
      %cost2 = tir.sum %2 over [0] : tensor<f32>
      %h = tir.grad %cost2 wrt (%l) : tensor<4xf32>
      %gh = tir.add %g, %h : tensor<4xf32>
      return %gh""")
    wrong = wrong_of(text, Autodiff())
    assert wrong.culprit is not None and (wrong.culprit.number, wrong.culprit.total) == (2, 2)


def second_order(op: str) -> str:
    return f"""
        func.func @main(%x: tensor<3xf64> {{tir.range = [0.5, 1.5]}}) -> tensor<3xf64> {{
          %l = tir.leaf %x : tensor<3xf64>
          %0 = tir.{op} %l : tensor<3xf64>
          %cost = tir.sum %0 over [0] : tensor<f64>
          %g = tir.grad %cost wrt (%l) : tensor<3xf64>
          %s = tir.square %g : tensor<3xf64>
          %cost2 = tir.sum %s over [0] : tensor<f64>
          %h = tir.grad %cost2 wrt (%l) : tensor<3xf64>
          return %h : tensor<3xf64>
        }}
    """


def test_a_gradient_of_a_gradient_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_by(second_order("tanh"), Autodiff()) == (
        None, ["check-semantics: 1 pass keeps what the program computes; 18 numbers compared"])
    # exp'(x) = exp(x) is right in the first gradient, and the second one is built wrong.
    monkeypatch.setattr(Mul, "grad", lambda self, b, g, x, y: [g * y, g * y])
    assert wrong_of(second_order("tanh"), Autodiff()).culprit.number == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("marker", ["tir.stop_gradient %0 :", "tir.grad_scale %0 factor(2.0) :"])
def test_a_gradient_that_is_no_slope_on_purpose_is_not_checked(marker: str) -> None:
    text = second_order("exp").replace("%cost = tir.sum %0", f"""%m = {marker} tensor<3xf64>
          %p = tir.mul %m, %0 : tensor<3xf64>
          %cost = tir.sum %p""")
    found, said = found_by(text, Autodiff())
    assert found is None
    assert sum(f"{marker.split()[0]} gives it another gradient than the slope of the cost" in one for one in said) == 2


def test_a_gradient_through_a_function_with_its_own_derivative_is_not_checked() -> None:
    text = """
        func.func private @f(%x: tensor<f64>) -> tensor<f64> attributes {tir.vjp = @back} {
          %y = tir.exp %x : tensor<f64>
          return %y : tensor<f64>
        }
        func.func private @back(%x: tensor<f64>, %y: tensor<f64>, %dy: tensor<f64>) -> tensor<f64> {
          return %dy : tensor<f64>
        }
        func.func @main(%x: tensor<f64>) -> tensor<f64> {
          %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
          %g = tir.grad %y wrt (%x) : tensor<f64>
          return %g : tensor<f64>
        }
    """
    found, said = found_by(text, Inline(), Autodiff())
    assert found is None
    assert any("the derivative of its own that @f has gives it another gradient than the slope" in one for one in said)


def test_what_a_pass_does_with_a_gradient_is_checked() -> None:
    text = COST.replace("return %g", "%n = tir.sub %g, %x : tensor<4xf32>\n  return %n")
    swap = By(Sub, lambda op, b: op.set_operands(op.operands[::-1]))
    assert found_by(text, Cse(), Canonicalize())[0] is None
    assert wrong_of(text, swap).step.name == "by"


def test_a_pass_that_looks_through_a_leaf_is_found() -> None:
    around = By(Mul, lambda op, b: op.set_operand(0, op.lhs.op.x) if isinstance(op.lhs.op, Leaf) else None)
    wrong = wrong_of(COST, around)
    assert wrong.difference.what.startswith("the slope of the cost of the tir.grad at")


def test_a_pass_that_looks_through_the_leaf_of_a_second_gradient_alone_is_found() -> None:
    text = second_order("tanh").replace("%cost2 = tir.sum %s", """%m = tir.mul %l, %x : tensor<3xf64>
          %t = tir.add %s, %m : tensor<3xf64>
          %cost2 = tir.sum %t""")
    around = By(Mul, lambda op, b: op.set_operand(0, op.lhs.op.x))
    wrong = wrong_of(text, around)
    assert wrong.difference.what.startswith("the slope of the cost of the tir.grad at <text>:11:")


def test_a_gradient_at_a_kink_is_left_out_and_remarked() -> None:
    text = COST.replace("tir.mul %l, %y", "tir.sub %l, %x").replace("tir.tanh %0", "tir.abs %0")
    _, said = found_by(text, Autodiff())
    assert any("is not checked: the cost has a kink there" in sentence for sentence in said), said


def test_slopes_of_a_smooth_cost_are_those_of_calculus() -> None:
    module = parse(COST)
    (draw,), _ = draw_inputs(Program(put_stand_ins(module.clone())), 0, 1, {})
    x, y = (a.astype(np.float64) for a in draw.arguments)
    found, _ = slopes(module, 0, draw, None)
    assert len(found) == 4
    for slope in found:
        assert slope is not None
        want = float(np.sum(y / np.cosh(x * y) ** 2 * slope.weights[0]))
        assert abs(slope.value - want) <= slope.error + 1e-8 * abs(want)


def test_equal_gradients_may_be_merged_and_unused_ones_dropped() -> None:
    twice = COST.replace("return %g", "%g2 = tir.grad %cost wrt (%l) : tensor<4xf32>\n  %s = tir.add %g, %g2 : tensor<4xf32>\n"
                         "  %g3 = tir.grad %cost wrt (%l) : tensor<4xf32>\n  return %s")
    assert found_by(twice, Cse(), Dce(), Autodiff())[0] is None


# --- other derivatives -------------------------------------------------------------------------------------------------

#: How each kind asks for derivatives of %y by %l, and the type of what it gives.
ASKED = {
    "tir.vjp": ("tir.vjp (%y) with (%v) wrt (%l)", "tensor<3xf64>"),
    "tir.vjp, a given value": ("tir.vjp (%y) with (%v) wrt (%l) constant (%k)", "tensor<3xf64>"),
    "tir.vjp, of itself": ("tir.vjp (%y) with (%y) wrt (%l)", "tensor<3xf64>"),
    "tir.jvp": ("tir.jvp (%y) wrt (%l) with (%v)", "tensor<3xf64>"),
    "tir.jacobian": ("tir.jacobian %y wrt (%l)", "tensor<3x3xf64>"),
    "tir.jacobian, forward": ("tir.jacobian %y wrt (%l) mode forward", "tensor<3x3xf64>"),
}


def asking(kind: str) -> str:
    form, type = ASKED[kind]
    return f"""
        func.func @main(%x: tensor<3xf64>, %v: tensor<3xf64>) -> {type} {{
          %l = tir.leaf %x : tensor<3xf64>
          %t = tir.tanh %l : tensor<3xf64>
          %k = tir.leaf %t : tensor<3xf64>
          %s = tir.cumsum %k axis 0 : tensor<3xf64>
          %y = tir.mul %s, %l : tensor<3xf64>
          %d = {form} : {type}
          return %d : {type}
        }}
    """


@pytest.mark.parametrize("kind", ASKED)
def test_each_kind_of_derivative_is_checked_by_central_differences(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = found_by(asking(kind), Autodiff())
    assert found is None and len(said) == 1, said  # and no word about a derivative that is not checked
    monkeypatch.setattr(Mul, "grad", lambda self, b, g, x, y: [g * y, g * x * 1.01])
    wrong = wrong_of(asking(kind), Autodiff())
    assert wrong.difference.what.startswith(f"the {kind.partition(',')[0]} at <text>:8:")
    assert "the slope of what is differentiated is" in wrong.difference.before
    assert "the derivative says" in wrong.difference.after


@pytest.mark.parametrize("kind", ASKED)
def test_a_pass_that_changes_what_a_derivative_takes_is_found(kind: str) -> None:
    swap = By(Mul, lambda op, b: op.set_operands([op.lhs, op.lhs]))
    assert found_by(asking(kind), Cse(), Canonicalize())[0] is None
    assert wrong_of(asking(kind), swap).step.name == "by"


@pytest.mark.parametrize("kind", ASKED)
def test_a_pass_that_looks_through_the_leaf_of_a_derivative_is_found(kind: str) -> None:
    around = By(Mul, lambda op, b: op.set_operand(1, op.rhs.op.x) if isinstance(op.rhs.op, Leaf) else None)
    wrong = wrong_of(asking(kind), around)
    assert wrong.difference.what.startswith("the slope of what is differentiated of the tir.")


def test_a_hessian_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    text = second_order("tanh").partition("%s =")[0] + "%h = tir.jacobian %g wrt (%l) : tensor<3x3xf64>\n return %h : tensor<3x3xf64>\n}"
    text = text.replace("-> tensor<3xf64>", "-> tensor<3x3xf64>")
    found, said = found_by(text, Autodiff())
    assert found is None and len(said) == 1, said
    monkeypatch.setattr(Mul, "grad", lambda self, b, g, x, y: [g * y, g * y])
    assert wrong_of(text, Autodiff()).culprit.number == 2  # type: ignore[union-attr]
