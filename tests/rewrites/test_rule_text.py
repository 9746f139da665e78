"""Rules as text: what is no rule is told at its place, with the cure; what cannot end is refused before it is tried."""

from __future__ import annotations

import random
import time

import pytest

from tests.rewrites.test_proofs import RULES
from tir.ir.errors import PassError, TirError
from tir.rewrites.declared import read_rules
from tir.rewrites.ends import check_ends
from tir.rewrites.expression import Call, parse_expression
from tir.rewrites.families import FAMILIES, rules_of
from tir.rewrites.pattern import attributes_of

GOOD = "a: log(x) => x\n  exact"
#: What is no rule, where, and what is said of it.
NO_RULES = [
    ("a: log(x) => foo(x)\n  exact", "1:14: there is no op tir.foo; did you mean 'floor'?"),
    ("a: log(x) => x", "1:1: a rule has one line with its class, exact, accurate, fast, got 0"),
    ("a: log(x) => x\n  exakt", "1:1: a rule has one line with its class, exact, accurate, fast, got 0; did you mean 'exact'?"),
    ("a: log(x) => x\nexact",
     "1:1: a rule has one line with its class, exact, accurate, fast, got 0; lines that go on with a rule begin with a blank"),
    ("a: log(x) => x\n  exact\n  exact", "1:1: a rule has one line with its class, exact, accurate, fast, got 2"),
    ("a: x => x\n  exact", "1:4: what a rule replaces is an op, not a name or a number"),
    ("a: number(c) => c\n  exact", "1:4: what a rule replaces is an op, not a name or a number"),
    ("a: log(x) => y\n  exact", "1:14: y stands for nothing on the left side"),
    ("a: log(xs) => x\n  exact", "1:15: x stands for nothing on the left side; did you mean 'xs'?"),
    ("a: log(x)\n   => exp(x) * y\n  exact", "2:16: y stands for nothing on the left side"),
    ("a: log(x) => cast(x, t)\n  exact", "1:22: t stands for nothing on the left side"),
    ("a: cast(x, f33) => x\n  exact", "1:4: the form is cast(x, t), where the name t stands for whatever type it is, got f33"),
    ("a: log(x) => cast(x, f16)\n  exact", "1:14: the form is cast(x, t), where the name t stands for whatever type it is"),
    ("a: cast(x, 3) => x\n  exact", "1:4: the form is cast(x, t), where the name t stands for whatever type it is"),
    ("a: log(x) => x  // shorter\n  exact",
     "1:20: shorter stands for nothing on the left side; a comment has a line of its own; in an expression // divides"),
    ("a: log(x) => x  // a shorter one\n  exact",
     "1:22: no expression: `shorter` does not fit there; a comment has a line of its own; in an expression // divides"),
    ("a: log(x) => x\n  exact\n  if flots(x)", "3:6: there is no condition flots; did you mean 'floats'?"),
    ("a: log(x) => x\n\texact\n\tif flots(x)", "3:5: there is no condition flots; did you mean 'floats'?"),
    ("a: log(x) => x\r\n  exact\r\n  if flots(x)\r\n", "3:6: there is no condition flots; did you mean 'floats'?"),
    ("a: log(x, 3) => x\n  exact", "1:4: tir.log has 1 operand, got 2 arguments"),
    ("a: x + y => add(x)\n  exact", "1:13: tir.add has 2 operands, got 1 argument"),
    ("a: argmax(x, y, z) => x\n  exact", "1:4: tir.argmax has 1 operand and then axis, got 3 arguments"),
    ("a: sum(x) => x\n  exact", "1:4: tir.sum needs its attribute axes"),
    ("a: sum(x, axs=1) => x\n  exact", "1:4: tir.sum has no attribute 'axs'; did you mean 'axes'?"),
    ("a: sum(x, [1], axes=[1]) => x\n  exact", "1:4: tir.sum has its attribute axes twice"),
    ("a: sum(x, 1) => x\n  exact", "1:4: tir.sum: axes must be an array<i64>, got 1"),
    ("a: sum(x, [1.5]) => x\n  exact", "1:4: a list has whole numbers and names, got 1.5"),
    ("a: sum(x, x) => x\n  exact", "1:8: x stands for a value and for an attribute"),
    ("a: log([x]) => x\n  exact", "1:4: a list stands only where an attribute does, behind the operands"),
    ("a: log('x') => x\n  exact", "1:9: 'x' is text, and text stands only where an attribute does"),
    ("a: log(x) => x\n  accurate", "2:3: an accurate rule says why its error is not larger: `accurate: ..`"),
    ("a: log(x) => x\n  exact within 3 ulp", "2:3: `within 3 ulp` is said of accurate rules alone"),
    ("a: log(x)\n  exact", "1:1: a rule is `before => after`"),
    ("a: log(x) -> x\n  exact", "1:1: a rule is `before => after`; the arrow is =>"),
    ("a: log(x) =>\n  exact", "1:1: a rule is `before => after`"),
    ("log(x) => x", "1:1: a rule begins with its name and a colon, got `log(x) => x`"),
    ("Log-exp: log(x) => x\n  exact",
     "1:1: a rule begins with its name and a colon, got `Log-exp: log(x) => x`; a name is of small letters, digits and _, "
     "such as log_exp"),
    (f"{GOOD}\n\na: exp(x) => x\n  exact", "4:1: there are two rules a"),
    ("a: log(x => x\n  exact", "1:7: no expression: this ( is not closed"),
    ("a: log(x)) => x\n  exact", "1:10: no expression: nothing is closed by this )"),
    ("a: log(x) + => x\n  exact", "1:12: no expression: it breaks off"),
    ("a: if => x\n  exact", "1:4: no expression: `if` does not fit there"),
    ("a: log(x)\0 => x\n  exact", "1:"),
    ("a: log(x) => x ** 1" + "0" * 1900 + "\n  exact", "1:19: a whole number has at most 64 bits"),
    ("a: log(*x) => x\n  exact", "1:8: a rule has names, numbers, lists, operators and calls of ops, got `*x`"),
    ("a: x if c else y => x\n  exact",
     "1:4: a rule has names, numbers, lists, operators and calls of ops, got `x if c else y`"),
    ("a: a.b.c(x) => x\n  exact", "1:4: the name of an op is `log` or `tir.log`, got `a.b.c`"),
    ("a: arith.addf(x, y) => x\n  exact", "1:4: a rule is about ops of the dialect tir, got arith.addf"),
    ("a: concat(x, y, 0) => x\n  exact", "1:4: tir.concat cannot stand in a rule: what stands there has one result, no "
     "regions, and a known number of operands"),
    ("a: scan(x) => x\n  exact", "1:4: tir.scan cannot stand in a rule: what stands there has one result"),
    ("a: optimization_barrier(x) => x\n  exact",
     "1:4: tir.optimization_barrier cannot stand in a rule: "),
    ("a: read() => x\n  exact", "1:4: tir.read cannot stand in a rule: the builder has no such op"),
    (f"{GOOD}\n  when x", "3:3: behind the class stand conditions, `if ..`, got `when x`"),
    (f"{GOOD}\n  iff floats(x)", "3:3: behind the class stand conditions, `if ..`, got `iff floats(x)`; did you mean 'if'?"),
    (f"{GOOD}\n  tried for finite", "3:3: behind the class stand conditions, `if ..`, got `tried for finite`; what a proof "
     "tries is limited by `tried up to 100`, or `tried for finite numbers`"),
    (f"{GOOD}\n  if x", "3:6: a condition is `floats(x)`, `c > 0`, or such with `not`, `and`, `or`, got `x`"),
    (f"{GOOD}\n  if x > 0", "3:6: a condition compares numbers and attributes, and x is a value; number(x) in the pattern "
     "makes it a number"),
    (f"{GOOD}\n  if floats(y)", "3:13: y stands for nothing on the left side"),
    (f"{GOOD}\n  if floats(x, x)", "3:6: the form is floats(x), got 2 arguments"),
    (f"{GOOD}\n  if floats(1)", "3:6: the condition floats is about a name of the rule"),
    (f"{GOOD}\n  if floats(x", "3:12: no expression: this ( is not closed"),
    ("a: x + number(c) => x\n  exact\n  if floats(c)", "3:6: the condition floats is about a value, and c is a number"),
    ("a: x + number(c) => x\n  exact\n  if c > '0'", "3:6: text has no order; compare it by == or !="),
    ("a: x + number(c) => x\n  exact\n  if c + 1 > 0", "3:6: a condition compares names and numbers alone"),
    ("a: x + number(c, d) => x\n  exact", "1:8: the form is number(c), got 2 arguments"),
    ("a: cast(x) => x\n  exact", "1:4: the form is cast(x, t), got 1 argument"),
    ("a: transpose(x, p) => transpose(x, compos(p, p))\n  exact",
     "1:36: there is no arithmetic compos of attributes; did you mean 'compose'?"),
    ("a: transpose(x, p) => transpose(x, compose(p))\n  exact", "1:36: the form is compose(first, second), got 1 argument"),
    ("a: " + "-" * 3000 + "x => x\n  exact", "1:4: an expression has at most 2000 characters, got 3001"),
    ("a: " + "-" * 1900 + "x => x\n  exact", "1:4: the expression is nested too deep"),
    ("a: " + "(" * 900 + "x" + ")" * 900 + " => x\n  exact", "1:4: the expression is nested too deep"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), NO_RULES, ids=[message for _, message in NO_RULES])
def test_what_is_no_rule_is_told_where(text: str, message: str) -> None:
    with pytest.raises(TirError) as caught:
        read_rules(text, "my.rules")
    assert str(caught.value).startswith(f"my.rules:{message}")


def test_there_is_a_limit_of_rules_and_many_do_not_take_for_ever() -> None:
    rules = [f"r{k}: exp(x) + {k} => x + {k + 0.5}\n  fast\n" for k in range(5001)]
    with pytest.raises(TirError, match="my.rules:10001:1: there are at most 5000 rules"):
        read_rules("".join(rules), "my.rules")
    start = time.process_time()
    check_ends(read_rules("".join(rules[:2000]), "my.rules"))
    assert time.process_time() - start < 30


def test_attributes_are_as_many_as_the_op_has() -> None:
    call = parse_expression("log(x, 3)")
    assert isinstance(call, Call)
    with pytest.raises(TirError, match="tir.log has 0 attributes, got 1"):
        attributes_of(call)


def test_broken_rules_give_errors_with_a_place_and_nothing_else() -> None:
    """Characters of good rules are taken out, doubled and exchanged."""
    chance = random.Random(0)
    texts = [f"{rule.name}: {rule.before} => {rule.after}\n  exact\n  if floats(x) or c > 0" for _, rule in RULES]
    refused = 0
    for _ in range(3000):
        text = list(chance.choice(texts))
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(text))
            text[place] = chance.choice(["", text[place] * 2, *"(),.[]+-*/=>~<#'\"0x\\\n\té"])
        try:
            check_ends(read_rules("".join(text), "my.rules"))
        except TirError as error:
            assert str(error).startswith("my.rules:")
            refused += 1
    assert refused > 1000


# --- rules that do not end -------------------------------------------------------------------------------------------

#: Rules that lead back to where they began, and what is said.
ENDLESS = [
    ("a: exp(x) => exp(x)\n  exact", "1:1: rewriting would not end: the rule a fits what it makes"),
    ("a: x + y => y + x\n  exact", "1:1: rewriting would not end: the rule a fits what it makes"),
    ("a: (x + y) + z => x + (y + z)\n  fast", "1:1: rewriting would not end: the rule a fits what it makes"),
    ("a: exp(x) => exp(x) * 1\n  exact", "1:1: rewriting would not end: the rule a fits what it makes"),
    ("a: abs(x) => -abs(-x)\n  exact", "1:1: rewriting would not end: the rule a fits what it makes"),
    ("a: x + y => y + x\n  exact\n  if floats(x) and not bools(y)", "1:1: rewriting would not end: the rule a fits what it"),
    ("a: x + -y => x - y\n  exact\n\nb: x - y => x + -y\n  exact", "1:1: rewriting would not end: the rules a and b undo"),
    ("a: abs(x) => relu(x)\n  exact\n\nb: relu(x) => exp(x)\n  exact\n\nc: exp(x) => abs(x)\n  exact\n  if floats(x)",
     "1:1: rewriting would not end: the rules a, b and c lead back to where they began"),
]  # fmt: skip
#: Rules that end, or of which that cannot be said without a program.
ENDING = [
    "a: x + -y => x - y\n  exact",
    "a: x * number(c) => x * x * (c - 1)\n  exact\n  if c > 0",
    "a: x / number(c) => x * (1 / c)\n  fast\n\nb: 1 / x => reciprocal(x)\n  exact\n\nc: x * reciprocal(y) => x / y\n  exact",
    "a: abs(x) => relu(x)\n  exact\n  if floats(x)\n\nb: relu(x) => abs(x)\n  exact\n  if integers(x)",
    "a: transpose(transpose(x, p), q) => transpose(x, compose(p, q))\n  exact",
    "a: x - 0.0 => x + -0.0\n  exact\n\nb: x + 0.0 => x - -0.0\n  exact",
    "a: x + y => y + x\n  exact\n  if used_once(x)",
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), ENDLESS, ids=[text.partition("\n")[0] for text, _ in ENDLESS])
def test_rules_that_do_not_end_are_told_before_they_are_tried(text: str, message: str) -> None:
    with pytest.raises(PassError) as caught:
        check_ends(read_rules(text, "my.rules"))
    assert str(caught.value).startswith(f"my.rules:{message}")
    assert all(str(place).startswith("my.rules:") for _, place in caught.value.notes)


@pytest.mark.parametrize("text", ENDING, ids=lambda text: text.partition("\n")[0])
def test_rules_that_end_are_taken(text: str) -> None:
    check_ends(read_rules(text))


def test_the_rules_of_tir_end_all_together() -> None:
    check_ends([rule for family in FAMILIES for rule in rules_of(family)])
