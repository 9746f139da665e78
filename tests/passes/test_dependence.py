"""Whole numbers that a loop or a branch hands on beside floats: in the way of a derivative only if they depend on it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import first_disagreement
from tir.api import executable, parse
from tir.ir.errors import PassError

LOOPS = {
    "scan": """%h, %n = tir.scan (%c = %x : tensor<f64>, %i = %zero : tensor<i32>) over (%e = %xs : tensor<3xf64>) {
      %j = tir.add %i, %one : tensor<i32>
      %d = tir.mul %c, %e : tensor<f64>
      tir.yield %d, %j : tensor<f64>, tensor<i32>
    }""",
    "while": """%h, %n = tir.while (%c = %x : tensor<f64>, %i = %zero : tensor<i32>) max_trips 4 {
      %more = tir.cmp lt %i, %three : tensor<i32>
      tir.yield %more : tensor<i1>
    } do {
    ^bb0(%c2: tensor<f64>, %i2: tensor<i32>):
      %j = tir.add %i2, %one : tensor<i32>
      %d = tir.mul %c2, %c2 : tensor<f64>
      tir.yield %d, %j : tensor<f64>, tensor<i32>
    }""",
    "branch": """%p = tir.cmp lt %zero, %one : tensor<i32>
    %h, %n = tir.if %p -> (tensor<f64>, tensor<i32>) {
      %d = tir.exp %x : tensor<f64>
      tir.yield %d, %one : tensor<f64>, tensor<i32>
    } else {
      tir.yield %x, %three : tensor<f64>, tensor<i32>
    }""",
    "scan in a scan": """%h, %n = tir.scan (%c = %x : tensor<f64>, %i = %zero : tensor<i32>) over (%e = %xs : tensor<3xf64>) {
      %d, %j = tir.scan (%a = %c : tensor<f64>, %b = %i : tensor<i32>) over (%f = %xs : tensor<3xf64>) {
        %g2 = tir.mul %a, %e : tensor<f64>
        %k2 = tir.add %b, %one : tensor<i32>
        tir.yield %g2, %k2 : tensor<f64>, tensor<i32>
      }
      tir.yield %d, %j : tensor<f64>, tensor<i32>
    }""",
    "checkpoint": """%h, %n = tir.checkpoint -> (tensor<f64>, tensor<i32>) {
      %d = tir.tanh %x : tensor<f64>
      %j = tir.add %one, %three : tensor<i32>
      tir.yield %d, %j : tensor<f64>, tensor<i32>
    }""",
}  # fmt: skip


def program(loop: str, use: str) -> str:
    return f"""func.func @main(%x: tensor<f64> {{tir.name = "x"}}, %key: tensor<2xi32> {{tir.name = "key"}})
        -> (tensor<f64>, tensor<f64>, tensor<f64>) {{
    %zero = tir.constant dense<0> : tensor<i32>
    %one = tir.constant dense<1> : tensor<i32>
    %three = tir.constant dense<3> : tensor<i32>
    %xs = tir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf64>
    {loop}
    {use}
    %y = tir.mul %h, %noise : tensor<f64>
    %g = tir.grad %y wrt (%x) : tensor<f64>
    %g1 = tir.grad %h wrt (%x) : tensor<f64>
    %want = tir.mul %g1, %noise : tensor<f64>
    return %y, %g, %want : tensor<f64>, tensor<f64>, tensor<f64>
    }}"""


DRAW = "%k = tir.rng_fold_in %key, %n : tensor<i32> -> tensor<2xi32>\n%noise = tir.rng_normal %k : tensor<f64>"


@pytest.mark.parametrize("loop", LOOPS)
def test_counter_beside_what_is_differentiated_may_become_a_key(loop: str) -> None:
    text = program(LOOPS[loop], DRAW)
    given = {"x": np.float64(0.7), "key": np.array([3, 4], np.int32)}
    _, got, want = executable(parse(text), "interpret").call("main", given)
    assert got == pytest.approx(want, rel=1e-14) and got != 0
    found = first_disagreement(text, given, read_back=())
    assert found is None, found


@pytest.mark.parametrize("loop", ["scan", "while", "branch", "scan in a scan", "elements of a scan"])
def test_number_that_does_depend_is_still_refused(loop: str) -> None:
    counts = "%r = tir.round {} : tensor<f64>\n%s = tir.cast %r : tensor<f64> -> tensor<i32>\n"
    changed = {
        "scan": ("%j = tir.add %i, %one", counts.format("%c") + "%j = tir.add %i, %s"),
        "elements of a scan": ("%j = tir.add %i, %one", counts.format("%e") + "%j = tir.add %i, %s"),
        "while": ("%j = tir.add %i2, %one", counts.format("%c2") + "%j = tir.add %i2, %s"),
        "branch": ("tir.yield %d, %one", counts.format("%d") + "tir.yield %d, %s"),
        "scan in a scan": ("%k2 = tir.add %b, %one", counts.format("%a") + "%k2 = tir.add %b, %s"),
    }[loop]
    text = LOOPS.get(loop, LOOPS["scan"])
    if loop not in LOOPS:
        repeated = "%every = tir.broadcast %x along [] : tensor<f64> -> tensor<3xf64>\n"
        text = repeated + text.replace("%e = %xs", "%e = %every")
    assert changed[0] in text
    with pytest.raises(PassError, match="tir.rng_fold_in has no gradient"):
        executable(parse(program(text.replace(*changed), DRAW)), "interpret")
