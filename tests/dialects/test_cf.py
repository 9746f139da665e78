"""cf: asserts and branches."""

from __future__ import annotations

import numpy as np

from tests.dialects.programs import function, run_body, run_error, verify_error

COUNT_DOWN = """
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  cf.br ^head(%n, %zero : i64, i64)
^head(%i: i64, %sum: i64):
  %more = arith.cmpi sgt, %i, %zero : i64
  cf.cond_br %more, ^body, ^end(%sum : i64)
^body:
  %next = arith.addi %sum, %i : i64
  %less = arith.subi %i, %one : i64
  cf.br ^head(%less, %next : i64, i64)
^end(%r: i64):
  return %r : i64
"""


def test_branches_loop_and_hand_values_over() -> None:
    assert run_body("(%n: i64) -> i64", COUNT_DOWN, 100) == [5050]
    assert run_body("(%n: i64) -> i64", COUNT_DOWN, 0) == [0]


def test_arguments_of_a_block_change_together() -> None:
    body = """
      cf.br ^loop(%x, %y, %n : f32, f32, i1)
    ^loop(%a: f32, %b: f32, %again: i1):
      %no = arith.constant false
      cf.cond_br %again, ^loop(%b, %a, %no : f32, f32, i1), ^end
    ^end:
      return %a, %b : f32, f32
    """
    got = run_body("(%x: f32, %y: f32, %n: i1) -> (f32, f32)", body, np.float32(1), np.float32(2), np.bool_(True))
    assert got == [2, 1]


def test_assert_passes_on_true_and_stops_on_false() -> None:
    text = function("(%ok: i1)", 'cf.assert %ok, "rows must agree"\nreturn')
    error = run_error(text, np.bool_(False))
    assert error.message == "rows must agree" and str(error.location) == "t.tir:2:1"
    run_body("(%ok: i1)", 'cf.assert %ok, "rows must agree"\nreturn', np.bool_(True))


def test_branch_must_give_the_block_its_arguments() -> None:
    text = function("(%x: f32)", "cf.br ^next(%x : f32)\n^next(%i: index):\nreturn")
    assert verify_error(text) == "cf.br: the block takes (index), got (f32)"
    text = function("(%c: i1)", "cf.cond_br %c, ^next, ^end\n^next(%i: index):\nreturn\n^end:\nreturn")
    assert verify_error(text) == "cf.cond_br: the block takes (index), got ()"
