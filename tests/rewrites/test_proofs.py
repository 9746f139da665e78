"""Every rule from text is right on programs made from its own declaration, and wrong rules are found out."""

from __future__ import annotations

import pytest

from tir.ir.rewrite import Rule
from tir.ir.types import F32, F64, I1, IntegerType
from tir.proofs.prove import prove
from tir.rewrites.declared import read_rules
from tir.rewrites.families import FAMILIES, rules_of

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
