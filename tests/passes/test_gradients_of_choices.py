"""Gradients of `tir.select` and `tir.if` where the slope of what is not chosen is infinite: 0 times it would be nan."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.levels import first_disagreement
from tests.ops.control_programs import function, run
from tir.api import executable, parse

ROOT = """  %root = tir.sqrt %x : tensor<3xf64>
"""
#: Conditions for each element, and for all of them: constants.
KNOWN = {
    "constant": """  %all = tir.constant dense<true> : tensor<i1>
  %c = tir.constant dense<true> : tensor<3xi1>
""",
    "broadcast": """  %all = tir.full true -> tensor<i1>
  %c = tir.broadcast %all along [] : tensor<i1> -> tensor<3xi1>
""",
}
FOLDED = """  %one = tir.constant dense<1> : tensor<i32>
  %two = tir.constant dense<2> : tensor<i32>
  %all = tir.cmp lt %one, %two : tensor<i32>
  %c = tir.broadcast %all along [] : tensor<i1> -> tensor<3xi1>
"""
CHOICES = {
    "select": "  %y = tir.select %c, %x, %root : tensor<3xf64>\n",
    "select of the negation": "  %y = tir.select %no, %root, %x : tensor<3xf64>\n",
    "if": """  %y = tir.if %all -> (tensor<3xf64>) {
    %t = tir.mul %x, %x : tensor<3xf64>
    %u = tir.sub %t, %t : tensor<3xf64>
    %v = tir.add %u, %x : tensor<3xf64>
    tir.yield %v : tensor<3xf64>
  } else {
    tir.yield %root : tensor<3xf64>
  }
""",
}
NEGATION = "  %no = tir.full false -> tensor<3xi1>\n"
COST = """  %s = tir.sum %y over [0] : tensor<f64>
  %g = tir.grad %s wrt (%x) : tensor<3xf64>"""


def of_choice(condition: str, choice: str) -> str:
    return function("%x: tensor<3xf64>", condition + NEGATION + ROOT + CHOICES[choice] + COST, "%g : tensor<3xf64>")


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("condition", KNOWN)
def test_what_a_constant_never_chooses_has_no_part_in_the_gradient(condition: str, choice: str) -> None:
    text, x = of_choice(KNOWN[condition], choice), np.array([0.0, 0.25, 4.0])
    np.testing.assert_array_equal(run(text, x)[0], [1, 1, 1])
    found = first_disagreement(text, [x])
    assert found is None, found


@pytest.mark.parametrize("choice", CHOICES)
def test_interpreter_and_machine_code_agree_on_a_condition_that_folds(choice: str) -> None:
    module, x = parse(of_choice(FOLDED, choice)), np.array([0.0, 0.25, 4.0])
    for target in ("interpret", "cpu"):
        np.testing.assert_array_equal(executable(module, target).call("main", [x])[0], [1, 1, 1])


def test_an_operand_that_run_time_does_not_choose_gets_zero_times_its_slope() -> None:
    """As in JAX: nan at an infinite slope, at every level, unless the operand is chosen first."""
    condition = "  %z = tir.sub %x, %x : tensor<3xf64>\n  %c = tir.cmp le %x, %z : tensor<3xf64>\n"
    x = np.array([0.0, 0.25, 4.0])
    trap = condition + ROOT + CHOICES["select"] + COST
    safe = condition + """  %one = tir.full 1.0 : f64 -> tensor<3xf64>
  %inside = tir.select %c, %one, %x : tensor<3xf64>
  %root = tir.sqrt %inside : tensor<3xf64>
""" + CHOICES["select"] + COST
    for body, want in ((trap, [math.nan, 1, 0.25]), (safe, [1, 1, 0.25])):
        text = function("%x: tensor<3xf64>", body, "%g : tensor<3xf64>")
        np.testing.assert_array_equal(run(text, x)[0], want)
        found = first_disagreement(text, [x])
        assert found is None, found


ROOT_IF = """  %y = tir.if %c -> (tensor<f64>) {
    %r = tir.sqrt %x : tensor<f64>
    %t = tir.mul %r, %w : tensor<f64>
    tir.yield %t : tensor<f64>
  } else {
    %t = tir.mul %x, %w : tensor<f64>
    tir.yield %t : tensor<f64>
  }
"""
#: Programs of %x: where it is 0 the region does not run that has the slope infinity there.
RUN_TIME = {
    "if": "  %c = tir.cmp gt %x, %z : tensor<f64>\n" + ROOT_IF,
    "if in a scan": "  %y = tir.scan (%h = %z : tensor<f64>) over (%e = %es : tensor<3xf64>) {\n"
    "  %c = tir.cmp gt %x, %e : tensor<f64>\n" + ROOT_IF.replace("%y", "%i") +
    "  %s = tir.add %h, %i : tensor<f64>\n  tir.yield %s : tensor<f64>\n}\n",
    "while": """  %y, %k = tir.while (%h = %w : tensor<f64>, %a = %x : tensor<f64>) max_trips 4 {
    %c = tir.cmp gt %a, %z : tensor<f64>
    tir.yield %c : tensor<i1>
  } do {
  ^bb0(%h1: tensor<f64>, %a1: tensor<f64>):
    %r = tir.sqrt %a1 : tensor<f64>
    %t = tir.mul %r, %h1 : tensor<f64>
    %b = tir.sub %a1, %w : tensor<f64>
    tir.yield %t, %b : tensor<f64>, tensor<f64>
  }
""",
}
#: The gradients by x and w, and the second one by x, for x = 0 and w = 2.
SLOPES = {"if": (2.0, 0.0, 0.0), "if in a scan": (6.0, 0.0, 0.0), "while": (0.0, 1.0, 0.0)}


@pytest.mark.parametrize("program", RUN_TIME)
def test_a_region_that_did_not_run_gives_no_nan(program: str) -> None:
    body = "  %z = tir.constant dense<0.0> : tensor<f64>\n" + RUN_TIME[program] + """
  %gx, %gw = tir.grad %y wrt (%x, %w) : tensor<f64>, tensor<f64>
  %gxx = tir.grad %gx wrt (%x) : tensor<f64>"""
    arguments = "%x: tensor<f64>, %w: tensor<f64>, %es: tensor<3xf64>"
    text = function(arguments, body, "%gx : tensor<f64>; %gw : tensor<f64>; %gxx : tensor<f64>")
    given = [np.array(0.0), np.array(2.0), np.zeros(3)]
    np.testing.assert_array_equal(run(text, *given), SLOPES[program])
    found = first_disagreement(text, given)
    assert found is None, found
