"""Programs with derivatives, branches, loops and keys that mean nothing: each gives one message, at its place, with a cure.

`@@` in a program stands where the message points; it is no part of the text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import TirError, TirErrors
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients
from tir.passes.lint_random import LintRandom

ARGUMENTS = (
    "%x: tensor<4xf64>, %y: tensor<f64>, %p: tensor<i1>, %n: tensor<i32>, %key: tensor<2xi32>, %m: tensor<4x4xf64>, "
    "%u: tensor<?xf64>, %v: tensor<[N]xf64>, %w: tensor<5xf64>, %ps: tensor<2xi1>, %z: tensor<f32>, %big: tensor<4000000000xf64>"
)


def program(body: str) -> tuple[str, tuple[int, int]]:
    """The text, and the line and column of its mark."""
    text = f"func.func @f({ARGUMENTS}) {{\n{body}\n  return\n}}\n"
    before = text.partition("@@")[0]
    return text.replace("@@", ""), (before.count("\n") + 1, len(before) - before.rfind("\n"))


def scan(flags: str = "", over: str = "%a = %x : tensor<4xf64>", out: str = "", body: str = "", after: str = "") -> str:
    """A loop that carries %h; where it has no body, that multiplies by %y."""
    body = body or "    %s = tir.mul %h, %y : tensor<f64>\n    tir.yield %s : tensor<f64>"
    results = "%r, %q" if out else "%r"
    return f"  @@{results} = tir.scan (%h = %y : tensor<f64>) over ({over}) {out}{flags}{{\n{body}\n  }}{after}"


def loop(limit: str = "", more: str = "    tir.yield %p : tensor<i1>", body: str = "    tir.yield %g : tensor<f64>", after: str = "") -> str:
    head = f"  @@%r = tir.while (%h = %y : tensor<f64>) {limit}{{\n{more}\n  }} do {{\n  ^bb0(%g: tensor<f64>):\n"
    return f"{head}{body}\n  }}{after}"


def branch(first: str = "    tir.yield %y : tensor<f64>", second: str = "    tir.yield %y : tensor<f64>", condition: str = "%p") -> str:
    return f"  @@%r = tir.if {condition} -> (tensor<f64>) {{\n{first}\n  }} else {{\n{second}\n  }}"


BY_Y = "\n  %slope = tir.grad %r wrt (%y) : tensor<f64>"
NARROW = "    %s = tir.cast %h : tensor<f64> -> tensor<f32>\n    tir.yield %s : tensor<f32>"
WHOLE = """    %i = @@tir.argmax %a axis 0 : tensor<i64>
    %e = tir.cast %i : tensor<i64> -> tensor<f64>
    %s = tir.add %h, %e : tensor<f64>
    tir.yield %s : tensor<f64>"""
ROWS = "%a = %m : tensor<4x4xf64>"
EXP = "  %e = tir.exp %x : tensor<4xf64>\n"

#: What it is, the program, the message.
WRONG: tuple[tuple[str, str, str], ...] = (
    # --- what is differentiated, and by what
    ("vector for a cost", "  @@%g = tir.grad %x wrt (%x) : tensor<4xf64>",
     "tir.grad: the cost %x must have rank 0, got tensor<4xf64>; tir.sum or tir.mean makes it one number, "
     "tir.vjp takes an adjoint for each element"),
    ("one element for a cost", "  %e = tir.reshape %y : tensor<f64> -> tensor<1xf64>\n  @@%g = tir.grad %e wrt (%y) : tensor<f64>",
     "tir.grad: the cost %e must have rank 0, got tensor<1xf64>; tir.sum or tir.mean makes it one number, "
     "tir.vjp takes an adjoint for each element"),
    ("integer for a cost", "  @@%g = tir.grad %n wrt (%x) : tensor<4xf64>",
     "tir.grad: operand 'cost' must be a tensor of f16 or bf16 or f32 or f64, got tensor<i32>; tir.cast converts the elements"),
    ("by an integer", "  @@%g = tir.grad %y wrt (%n) : tensor<i32>",
     "tir.grad: operand 'wrt' must be a tensor of f16 or bf16 or f32 or f64, got tensor<i32>; tir.cast converts the elements"),
    ("by a value in between", "  %e = tir.exp %y : tensor<f64>\n  @@%g = tir.grad %e wrt (%e) : tensor<f64>",
     "tir.grad: wrt %e must be an argument of the block or the result of a tir.leaf; %l = tir.leaf %e in this block makes one; "
     "use %l from there on"),
    ("a gradient too few", "  @@%g = tir.grad %y wrt (%y, %x) : tensor<f64>",
     "tir.grad: needs a result for each value in wrt: 2, got 1"),
    ("gradient of another type", "  @@%g = tir.grad %y wrt (%y) : tensor<4xf64>",
     "tir.grad: the result must have type tensor<f64>, got tensor<4xf64>"),
    ("by what is outside of the region", branch("    %e = tir.exp %y : tensor<f64>\n    @@%g = tir.grad %e wrt (%y) : tensor<f64>\n"
     "    tir.yield %g : tensor<f64>").replace("@@", "", 1), "tir.grad: wrt %y must be defined in the block of this op; "
     "%l = tir.leaf %y in this block makes one; use %l from there on"),
    ("cost outside of the region", EXP.replace("%x : tensor<4xf64>", "%y : tensor<f64>")
     + scan(body="    @@%g = tir.grad %e wrt (%h) : tensor<f64>\n    tir.yield %g : tensor<f64>").replace("@@", "", 1),
     "tir.grad: the cost %e must be defined in the block of this op; put the tir.grad where the cost is computed"),
    ("cost behind its gradient", "  %g = tir.grad @@%e wrt (%y) : tensor<f64>\n  %e = tir.exp %y : tensor<f64>",
     "%e is not defined here"),
    ("a cotangent too few", EXP + "  @@%g = tir.vjp (%e) with () wrt (%x) : tensor<4xf64>",
     "tir.vjp: needs as many cotangents as values: 1, got 0"),
    ("cotangent of another type", EXP + "  @@%g = tir.vjp (%e) with (%y) wrt (%x) : tensor<4xf64>",
     "tir.vjp: the cotangent of %e must have type tensor<4xf64>, got tensor<f64>"),
    ("tangent of another type", EXP + "  @@%g = tir.jvp (%e) wrt (%x) with (%y) : tensor<4xf64>",
     "tir.jvp: the tangent of %x must have type tensor<4xf64>, got tensor<f64>"),
    ("empty range of a clip", "  @@%g = tir.grad_clip %x low(1.0) high(-1.0) : tensor<4xf64>",
     "tir.grad_clip: the range must not be empty, got 1.0 to -1.0"),
    # --- what has no gradient
    ("no gradient", "  @@%i = tir.argmax %x axis 0 : tensor<i64>\n  %e = tir.cast %i : tensor<i64> -> tensor<f64>\n"
     "  %g = tir.grad %e wrt (%x) : tensor<4xf64>", "tir.argmax has no gradient: a position is a whole number and changes in steps"),
    ("no gradient of an order", "  @@%i = tir.argsort %x axis 0 : tensor<4xi64>\n  %j = tir.cast %i : tensor<4xi64> -> tensor<4xf64>\n"
     "  %e = tir.sum %j over [0] : tensor<f64>\n  %g = tir.grad %e wrt (%x) : tensor<4xf64>",
     "tir.argsort has no gradient: a position is a whole number and changes in steps"),
    ("no gradient in a loop", scan(over=ROWS, body=WHOLE.replace("%i = @@", "@@%i = "), after="\n  %g = tir.grad %r wrt (%m) : tensor<4x4xf64>").replace("@@", "", 1),
     "tir.argmax has no gradient: a position is a whole number and changes in steps"),
    ("no limit", loop(after=BY_Y), "tir.while has no gradient without max_trips: its steps must be kept; "
     "say how many steps there are at most: max_trips 100, in Python max_trips=100"),
    ("checkpoints of an unknown number", scan("checkpoint 2 ", "%a = %u : tensor<?xf64>", after=BY_Y),
     "tir.scan: checkpoint 2 needs a known number of steps; give axis 0 of a sequence a number in its type"),
    ("more than memory has", "  @@%r = tir.scan (%h = %big : tensor<4000000000xf64>) over (%a = %big : tensor<4000000000xf64>) {\n"
     "    %s = tir.sin %h : tensor<4000000000xf64>\n    tir.yield %s : tensor<4000000000xf64>\n  }\n"
     "  %c = tir.sum %r over [0] : tensor<f64>\n  %g = tir.grad %c wrt (%big) : tensor<4000000000xf64>",
     "tir.scan: what the gradient needs of a step is stacked: a value has less than 2^63 bytes, got "
     "4000000000x4000000000xf64; checkpoint keeps the state of few steps"),
    # --- numbers of steps
    ("negative number of trips", loop("max_trips -1 "), "tir.while: max_trips must be from 0 to 2147483647, got -1"),
    ("more trips than can be counted", loop("max_trips 2147483648 "), "tir.while: max_trips must be from 0 to 2147483647, got 2147483648"),
    ("a number that is none", loop("max_trips 99999999999999999999 ").replace("@@", "").replace("999", "@@999", 1),
     "integer 99999999999999999999 does not fit i64"),
    ("half a trip", loop("max_trips 2.5 ").replace("@@", "").replace("2.5", "@@2.5"),
     "expected an integer, got '2.5'; the form is `tir.while (%a = %init : type) max_trips 1 {..} do {..}`"),
    ("no step between checkpoints", scan("checkpoint 0 "), "tir.scan: checkpoint must be at least 1, got 0"),
    ("negative checkpoint", scan("checkpoint -3 "), "tir.scan: checkpoint must be at least 1, got -3"),
    ("no last step", scan("truncate 0 "), "tir.scan: truncate must be at least 1, got 0"),
    ("both", scan("truncate 2 checkpoint 2 "), "tir.scan: truncate and checkpoint exclude each other"),
    ("misspelt word", scan("chekpoint 2 ").replace("@@", "").replace("chekpoint", "@@chekpoint"),
     "expected '{', got 'chekpoint'; did you mean 'checkpoint'?"),
    ("words in another order", scan("checkpoint 2 reverse ").replace("@@", "").replace("reverse", "@@reverse"),
     "expected '{', got 'reverse'; it stands in front of 'checkpoint'"),
    ("misspelt word of a gradient", "  %g = tir.grad %y wrt (%y) @@disconnect zero : tensor<f64>",
     "expected ':', got 'disconnect'; did you mean 'disconnected'?"),
    ("misspelt else", "  tir.if %p {\n  } @@esle {\n  }", "expected the end of the op, got 'esle'; did you mean 'else'?"),
    ("unknown word", scan("backwards ").replace("@@", "").replace("backwards", "@@backwards"),
     "expected '{', got 'backwards'; did you mean 'reverse'?"),
    # --- sequences
    ("ragged sequences", scan(over="%a = %x : tensor<4xf64>, %b = %w : tensor<5xf64>"),
     "tir.scan: sequences must have one size along axis 0, got 4 (sequence 0) and 5 (sequence 1)"),
    ("a name against a number", scan(over="%a = %x : tensor<4xf64>, %b = %v : tensor<[N]xf64>"),
     "tir.scan: sequences must have one size along axis 0, got 4 (sequence 0) and [N] (sequence 1)"),
    ("no sequence", scan(over=""), "tir.scan: needs a sequence; one that only counts is a tir.iota"),
    ("a number for a sequence", scan(over="%a = %y : tensor<f64>").replace("@@", "").replace("= %y : tensor<f64>) {", "= %y : @@tensor<f64>) {"),
     "a sequence must be a tensor with an axis to go along, got tensor<f64>"),
    ("stack of another length", scan(out="-> (tensor<5xf64>) ", body="    tir.yield %h, %a : tensor<f64>, tensor<f64>"),
     "tir.scan: a stack has one place for each of 4 steps along axis 0, got tensor<5xf64>"),
    ("stack of another element", scan(out="-> (tensor<4xf32>) ", body="    tir.yield %h, %a : tensor<f64>, tensor<f64>"),
     "tir.scan: the region must yield tensor<f32> as value 1, got tensor<f64>; tir.cast converts the elements"),
    ("stack of unknown sizes", scan(out="-> (tensor<4x?xf64>) ", body="    tir.yield %h, %u : tensor<f64>, tensor<?xf64>"),
     "tir.scan: the sizes of a stack must be known before the loop, as numbers or names, got tensor<4x?xf64>"),
    # --- what is carried and yielded
    ("carried as another element", scan(body=NARROW),
     "tir.scan: the region must yield tensor<f64> as value 0, got tensor<f32>; tir.cast converts the elements"),
    ("carried in another rank", scan(body="    tir.yield %x : tensor<4xf64>"),
     "tir.scan: the region must yield tensor<f64> as value 0, got tensor<4xf64>; the type may not change from step to step"),
    ("yields too few", scan(body="    tir.yield"), "tir.scan: the region must yield (tensor<f64>), got ()"),
    ("no yield", scan(body="    @@%s = tir.mul %h, %y : tensor<f64>").replace("@@", "", 1),
     "tir.scan: the region must end in tir.yield, got tir.mul"),
    ("nothing in a body", "  @@%r = tir.checkpoint -> (tensor<f64>) {\n  }",
     "tir.checkpoint: the region must end in tir.yield, got an empty block"),
    ("no yield in a branch with results", branch(second="    @@%s = tir.mul %y, %y : tensor<f64>").replace("@@", "", 1),
     "tir.if: region 'else' must end in tir.yield, got tir.mul"),
    ("no yield in a loop", loop(body="    @@%s = tir.mul %g, %y : tensor<f64>").replace("@@", "", 1),
     "tir.while: region 'body' must end in tir.yield, got tir.mul"),
    ("return in place of yield", scan(body="    return %h : tensor<f64>"), "tir.scan: the region must end in tir.yield, got func.return"),
    ("value of a region used outside", scan(after="\n  %e = tir.exp @@%s : tensor<f64>").replace("@@", "", 1), "%s is not defined here"),
    ("print in a loop", scan(body='    @@tir.print "h" %h : tensor<f64>\n    tir.yield %h : tensor<f64>').replace("@@", "", 1),
     "tir.print: must stand at the top level of a function, in its first block"),
    ("regions of two ranks", branch(second="    tir.yield %x : tensor<4xf64>"),
     "tir.if: the else region must yield tensor<f64> as value 0, got tensor<4xf64>; behind -> stand the types that both regions yield"),
    ("regions of two elements", branch(first="    tir.yield %z : tensor<f32>"),
     "tir.if: the first region must yield tensor<f64> as value 0, got tensor<f32>; tir.cast converts the elements"),
    ("many conditions", branch(condition="%ps"), "tir.if: the condition must have rank 0, got tensor<2xi1>; tir.all makes it so"),
    ("a number for a condition", branch(condition="%y"),
     "tir.if: operand 'condition' must be a tensor of i1, got tensor<f64>; tir.cmp gives truth values"),
    ("results without an else", "  @@%r = tir.if %p -> (tensor<f64>) {\n    tir.yield %y : tensor<f64>\n  }",
     "tir.if: with results, both regions must be there"),
    ("many conditions of a loop", loop(more="    tir.yield %ps : tensor<2xi1>"),
     "tir.while: the condition must yield tensor<i1> as value 0, got tensor<2xi1>; tir.all or tir.any makes it one"),
    ("a loop that never asks", loop(more="    tir.yield"), "tir.while: the condition must yield (tensor<i1>), got ()"),
    ("a loop that changes its type", loop(body="    tir.yield %z : tensor<f32>"),
     "tir.while: the body must yield tensor<f64> as value 0, got tensor<f32>; tir.cast converts the elements"),
    # --- keys
    ("three numbers for a key", "  %k = tir.constant dense<[1, 2, 3]> : tensor<3xi32>\n  @@%d = tir.rng_uniform %k : tensor<4xf64>",
     "tir.rng_uniform: operand 'key' must be tensor<2xi32>, got tensor<3xi32>"),
    ("keys of three numbers", "  @@%d = tir.rng_split %key : tensor<4x3xi32>",
     "tir.rng_split: the last axis of the result is a key and must have size 2, got tensor<4x3xi32>"),
    ("uniform integers", "  @@%d = tir.rng_uniform %key : tensor<4xi32>",
     "tir.rng_uniform: the result must be a tensor of f32 or f64, got tensor<4xi32>; tir.cast converts the elements"),
)  # fmt: skip


def told(text: str, *passes: Any) -> list[TirError]:
    """The errors of reading the text, or of the first pass that has one."""
    try:
        module = parse_text(text, REGISTRY, file="model.tir")
        for run in passes:
            run(module)
    except TirError as error:
        return list(error.errors) if isinstance(error, TirErrors) else [error]
    return []


@pytest.mark.parametrize(("body", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_wrong_program_has_one_message_at_its_place(body: str, message: str) -> None:
    text, place = program(body)
    errors = told(text, expand_gradients)
    assert len(errors) == 1, errors
    (error,) = errors
    where = error.location.file_location() if error.location is not None else None
    assert where is not None and (where.line, where.column) == place, error
    assert str(error).partition(": ")[2] == message


def test_sequences_that_run_time_finds_ragged_are_told_at_the_loop() -> None:
    text = """func.func @f(%a: tensor<?xf64>, %b: tensor<?xf64>, %y: tensor<f64>) -> tensor<f64> {
  %r = tir.scan (%h = %y : tensor<f64>) over (%p = %a : tensor<?xf64>, %q = %b : tensor<?xf64>) {
    %s = tir.add %h, %p : tensor<f64>
    tir.yield %s : tensor<f64>
  }
  return %r : tensor<f64>
}
"""
    module = parse_text(text, REGISTRY, file="model.tir")
    with pytest.raises(TirError) as found:
        Interpreter(module).run("f", [np.ones(3), np.ones(2), np.float64(0)])
    assert str(found.value).startswith("model.tir:2:3: tir.scan: axis 0 of sequence 1 must have the size of axis 0 of sequence 0")


KEYS = (
    ("two draws", "  %d = tir.rng_normal %key : tensor<4xf64>\n  @@%e = tir.rng_uniform %key : tensor<4xf64>",
     "key used twice: tir.rng_normal in line 2 takes its numbers from the same key; give each a key of its own (tir.rng_split, tir.rng_fold_in)"),
    ("each step", scan(body="    @@%d = tir.rng_uniform %key : tensor<f64>\n    tir.yield %d : tensor<f64>").replace("@@", "", 1),
     "key used in each step: it is from outside of tir.scan, so all steps take the same numbers; give each a key of its own (tir.rng_split, tir.rng_fold_in)"),
)  # fmt: skip


@pytest.mark.parametrize(("body", "message"), [case[1:] for case in KEYS], ids=[case[0] for case in KEYS])
def test_key_from_which_numbers_are_taken_twice_is_one_remark_at_its_place(body: str, message: str) -> None:
    text, place = program(body)
    lint = LintRandom()
    lint.run(parse_text(text, REGISTRY, file="model.tir"))
    ((location, said, _),) = lint.remarks
    where = location.file_location()
    assert where is not None and (where.line, where.column) == place
    assert said == message
