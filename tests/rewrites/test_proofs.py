"""Every rule from text is right on programs made from its own declaration, and wrong rules are found out."""

from __future__ import annotations

import pytest

from tir.ir.errors import TirError
from tir.ir.rewrite import Rule
from tir.ir.types import F32, F64, I1, IntegerType
from tir.proofs.prove import prove
from tir.rewrites.declared import read_rules
from tir.rewrites.families import FAMILIES, rules_of

#: Those in Python are tried in test_rules_in_python.py.
RULES = [(family, rule) for family in FAMILIES for rule in rules_of(family) if rule.declaration is not None]
NAMES = [f"{family}-{rule.name}" for family, rule in RULES]
#: Families that run behind autodiff alone.
LATE = ("special",)
QUICK = (F32, F64, IntegerType(8, "s"), I1)


@pytest.mark.parametrize(("family", "rule"), RULES, ids=NAMES)
def test_rule_is_right_on_programs_of_its_own_declaration(family: str, rule: Rule) -> None:
    report = prove(rule, gradients=family not in LATE, elements=QUICK)
    assert report.failure == "", str(report)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "rule"), RULES, ids=NAMES)
def test_rule_is_right_for_every_element_type(family: str, rule: Rule) -> None:
    report = prove(rule, gradients=family not in LATE)
    assert report.failure == "", str(report)


#: Rules that are wrong, each in another way.
WRONG = [
    "a: log(1 + x) => log1p(-x)\n  accurate: a sign",
    "a: x + 0 => x\n  exact",
    "a: (x + number(c)) + number(d) => x + (c + d)\n  accurate: the order",
    "a: transpose(transpose(x, p), q) => transpose(x, compose(q, p))\n  exact",
    "a: maximum(x, 0) => relu(x)\n  exact\n  if floats(x)",
    "a: exp(log(x)) => x\n  accurate: the domain",
    "a: abs(-x) => abs(x)\n  exact",
    "a: sqrt(square(x)) => x\n  accurate: a sign",
    "a: x - x => 0\n  exact",
    "a: select(c, x, y) => select(c, y, x)\n  exact",
    "a: x < y => x <= y\n  exact",
    "a: ~(x & y) => ~x & ~y\n  exact",
    "a: max(-x, a) => -max(x, a)\n  exact\n  if floats(x)",
    "a: max(exp(x), a) => exp(max(x, a))\n  accurate: empty axes",
    "a: log1p(x) => log(1 + x)\n  accurate: small numbers",
    "a: sigmoid(x) => 1 - sigmoid(x)\n  accurate: a sign",
    "a: exp(x) * exp(y) => exp(x + y)\n  accurate: the error grows",
    "a: square(x) * x => x ** 2\n  accurate: a power",
    "a: floor(-x) => -floor(x)\n  exact",
    "a: x // 1 => x\n  exact",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text.splitlines()[0])
def test_wrong_rule_is_found_out(text: str) -> None:
    (rule,) = read_rules(text)
    assert prove(rule).failure


#: What is no rule, and what is said of it.
NO_RULES = [
    ("a: log(x) => foo(x)\n  exact", "there is no op tir.foo; did you mean 'floor'?"),
    ("a: log(x) => x", "a rule has one line with its class, exact, accurate, fast, got 0"),
    ("a: x => x\n  exact", "what a rule replaces is an op, not a name or a number"),
    ("a: log(x) => y\n  exact", "y stands on the right side alone"),
    ("a: log(x) => x\n  exact\n  if last(x)", "the condition last is about 2 names, got 1"),
    ("a: log(x) => x\n  exact\n  if floats(3)", "the condition floats is about 1 name, got 1"),
    ("a: log(x) => x\n  exact\n  if flots(x)", "there is no condition flots; did you mean 'floats'?"),
    ("a: log(x, 3) => x\n  exact", "tir.log has 0 attributes, got 1"),
    ("a: sum(x, axs=1) => x\n  exact", "tir.sum has no attribute 'axs'; did you mean 'axes'?"),
    ("a: log(x) => x\n  accurate", "an accurate rule says why its error is not larger: `accurate: ..`"),
    ("a: log(x)\n  exact", "a rule is `before => after`"),
    ("log(x) => x", "a rule begins with its name and a colon, got `log(x) => x`"),
    ("a: log(x) => x\n  exact\n\na: exp(x) => x\n  exact", "there are two rules a"),
    ("a: log(x => x\n  exact", "no expression: '(' was never closed"),
    ("a: log(*x) => x\n  exact", "a rule has names, numbers, lists, operators and calls of ops, got `*x`"),
    ("a: a.b.c(x) => x\n  exact", "the name of an op is `log` or `arith.addi`, got `a.b.c`"),
    ("a: log(x) => x\n  exact\n  when x", "behind the class stand conditions, `if ..`, got `when x`"),
    ("a: " + "-" * 3000 + "x => x\n  exact", "an expression has at most 2000 characters, got 3001"),
    ("a: " + "-" * 1900 + "x => x\n  exact", "the expression is nested too deep"),
    ("a: " + "(" * 900 + "x" + ")" * 900 + " => x\n  exact", "no expression: "),
]


@pytest.mark.parametrize(("text", "message"), NO_RULES, ids=[message for _, message in NO_RULES])
def test_what_is_no_rule_is_told_where(text: str, message: str) -> None:
    with pytest.raises(TirError) as caught:
        read_rules(text, "my.rules")
    assert str(caught.value).startswith("my.rules:") and message in str(caught.value)
