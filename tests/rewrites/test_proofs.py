"""Every rule is right on programs made from its own declaration or examples, and wrong rules are found out."""

from __future__ import annotations

from typing import Any

import pytest

from tir.dialects.tir.arithmetic import Add
from tir.dialects.tir.functions import Exp
from tir.dialects.tir.shape import Slice
from tir.ir.ir import Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import F32, I1, IntegerType
from tir.proofs.prove import prove
from tir.rewrites.declared import read_rules
from tir.rewrites.families import FAMILIES, LATE, rules_of

RULES = [(family, rule) for family in FAMILIES for rule in rules_of(family)]
NAMES = [f"{family}-{rule.name}" for family, rule in RULES]
QUICK = (F32, IntegerType(8, "s"), I1)


#: Rules of five names take seconds each; `rules-status.json` has their proof, and the slow suite proves them again.
QUICKLY = [pytest.param(*pair, marks=[pytest.mark.slow] * (pair[0] == "quotients")) for pair in RULES]


@pytest.mark.parametrize(("family", "rule"), QUICKLY, ids=NAMES)
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
    "a: cumsum(-x, a) => -cumsum(x, a)\n  exact",
    "a: mean(-x, a) => -mean(x, a)\n  exact",
    "a: sum(x * repeat(y, a), a) => sum(x, a) * y\n  accurate: fewer products\n  if nonempty(x)",
    "a: x - x => 0\n  accurate: nothing\n  if floats(x)",
    "a: (x / y) * y => x\n  accurate: one rounding\n  tried for finite numbers",
    "a: (x * 0.5) * y => (x * y) * 0.5\n  accurate: the order",
    "a: x ** 0.5 => sqrt(x)\n  accurate: -inf",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text.splitlines()[0])
def test_wrong_rule_is_found_out(text: str) -> None:
    (rule,) = read_rules(text)
    assert prove(rule).failure


@pytest.mark.parametrize("text", [
    "a: square(std(x, a)) => var(x, a)\n  accurate: no root",
    "a: -(-gelu(x)) => gelu(x)\n  accurate: signs",
    "a: lgamma(-(-x)) => lgamma(x)\n  accurate: signs",
    "a: elu(leaky_relu(x)) => elu(leaky_relu(x) + 0)\n  accurate: wrong only in what it makes larger",
    "a: dim(exp(x), 0) => dim(x, 0)\n  exact",
    "a: x - x => 0\n  accurate: nothing\n  if floats(x)\n  tried for finite numbers",
])  # fmt: skip
def test_rule_about_less_common_functions_and_sizes_is_tried(text: str) -> None:
    (rule,) = read_rules(text)
    report = prove(rule, gradients=False)
    assert report.numbers and not report.is_open
    assert not report.failure or "makes nothing smaller" in report.failure


def test_rule_with_a_function_that_no_truth_knows_stays_open() -> None:
    (rule,) = read_rules("a: x - y * (x // y) => x % y\n  accurate: one rounding")
    report = prove(rule)
    assert report.is_open
    assert report.failure == "a proof does not know what tir.floordiv is in real arithmetic, so only exact rules may have it"


@rule(Slice, examples=["slice(exp(x), [1], [0])"])
def slices_the_front(op: Slice, b: Any) -> Value | None:
    """slice(f(x)) -> f(slice(x, from 0))   exact"""
    made = op.x.op
    if not isinstance(made, Exp):
        return None
    return b.exp(b.slice(made.x, [0] * op.x.type.rank, [limit - 1 for limit in op.limits])).value


@rule(Slice, examples=["slice(x + y, [0], [2])"])
def forgets_sizes(op: Slice, b: Any) -> Value | None:
    """slice(x + y) -> slice(x) + slice(y)   exact"""
    made = op.x.op
    if not isinstance(made, Add):
        return None
    return (b.slice(made.lhs, op.starts, op.limits) + b.slice(made.rhs, op.starts, op.limits)).value


@rule(Slice, examples=["slice(x, [0], [2])", "slice(reverse(x, [0]), [0], [2])"])
def fits_one_example(op: Slice, b: Any) -> Value | None:
    """slice(x) -> x   exact"""
    return op.x.op.x if isinstance(op.x.op, Slice) else None


@rule(Add)
def has_no_example(op: Add, b: Any) -> Value | None:
    """x + y -> y   exact"""
    return op.rhs


#: Wrong rules in Python, and what is found out.
WRONG_IN_PYTHON = [
    (slices_the_front, "slice(f(x)) with x = ["),
    (forgets_sizes, "slice(x + y) in f32: before tir.add: axis 0 of rhs must have the size of axis 0 of lhs, got"),
    (fits_one_example, "it does not fit its example slice(x, [0], [2])"),
    (has_no_example, "it has neither a declaration nor examples"),
]


@pytest.mark.parametrize(("wrong", "finding"), WRONG_IN_PYTHON, ids=lambda one: getattr(one, "name", None))
def test_wrong_rule_in_python_is_found_out(wrong: Rule, finding: str) -> None:
    assert finding in prove(wrong).failure
