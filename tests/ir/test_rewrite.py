"""The rewrite driver: rules apply until none fits, leave nothing behind, and cannot run for ever."""

from collections import Counter

import pytest

from tir.dialects.all import REGISTRY
from tir.dialects.tir.arithmetic import Add, Neg, Sub
from tir.ir.errors import PassError, TirError
from tir.ir.printer import print_op
from tir.ir.rewrite import Rewriter, rewrite, rule
from tir.parser.parse import parse_text

TEXT = """
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.neg %y : tensor<4xf32>
  %1 = tir.add %x, %0 : tensor<4xf32>
  %2 = tir.neg %1 : tensor<4xf32>
  %3 = tir.neg %2 : tensor<4xf32>
  return %3 : tensor<4xf32>
}
"""


@rule(Add)
def add_of_neg(op, b):
    """x + -y -> x - y   exact"""
    return b.create(Sub, op.lhs, op.rhs.op.x) if isinstance(op.rhs.op, Neg) else None


@rule(Neg)
def neg_twice(op, b):
    """-(-x) -> x   exact"""
    return op.x.op.x if isinstance(op.x.op, Neg) else None


@rule(Sub)
def back_to_add(op, b):
    """x - y -> x + -y   exact"""
    return b.create(Add, op.lhs, b.create(Neg, op.rhs))


@rule(Neg)
def gives_up_late(op, b):
    """-x -> nothing   accurate: it never does"""
    b.create(Neg, op.x)


def module():
    return parse_text(TEXT, REGISTRY)


def names(op):
    return [inner.name for inner in op.walk() if inner.name.startswith("tir.")]


def test_rules_apply_until_none_fits_and_dead_ops_go():
    m = module()
    assert rewrite(m, [add_of_neg, neg_twice])
    assert names(m) == ["tir.sub"]
    assert not rewrite(m, [add_of_neg, neg_twice])


def test_a_rule_that_gives_up_leaves_nothing_behind():
    m = module()
    before = print_op(m)
    assert not rewrite(m, [gives_up_late])
    assert print_op(m) == before


def test_rules_that_undo_each_other_are_named():
    counts = Counter()
    with pytest.raises(PassError) as caught:
        Rewriter([add_of_neg, back_to_add], counts=counts).run(module())
    assert str(caught.value) == (
        "<text>:4:3: rewriting would not end: the rules back_to_add and add_of_neg undo each other")  # fmt: skip
    assert [text for text, _ in caught.value.notes] == ["back_to_add: x - y -> x + -y", "add_of_neg: x + -y -> x - y"]
    assert counts.total() < 40  # not only when the limit is reached


@rule(Add)
def swap(op, b):
    """x + y -> y + x   exact"""
    return b.create(Add, op.rhs, op.lhs)


@rule(Neg)
def grow(op, b):
    """-x -> -x + x   exact"""
    return b.create(Add, b.create(Neg, op.x), op.x)


@rule(Sub)
def sub_to_sum(op, b):
    """x - y -> -(-x + y)   exact"""
    return b.create(Neg, b.create(Add, b.create(Neg, op.lhs), op.rhs))


@rule(Neg)
def neg_of_sum(op, b):
    """-(-x + y) -> -(y + -x)   exact"""
    inner = op.x.op
    fits = isinstance(inner, Add) and isinstance(inner.lhs.op, Neg)
    return b.create(Neg, b.create(Add, inner.rhs, inner.lhs)) if fits else None


@pytest.mark.parametrize(("rules", "message"), [
    ([swap], "rewriting would not end: the rule swap fits what it makes"),
    ([grow], "rewriting would not end: the rule grow fits what it makes"),
    ([add_of_neg, sub_to_sum, neg_of_sum],
     "rewriting would not end: the rules neg_of_sum, add_of_neg and sub_to_sum lead back to where they began"),
])  # fmt: skip
def test_rules_that_go_in_a_circle_are_named(rules, message):
    with pytest.raises(PassError, match=message):
        rewrite(module(), rules)


@rule(Neg)
def grow_outside(op, b):
    """-x -> -(x + x)   exact"""
    return b.create(Neg, b.create(Add, op.x, op.x))


def test_rules_that_go_on_growing_stop_at_the_limit():
    with pytest.raises(PassError, match="did not end after 100 rewrites; the last rules are grow_outside"):
        rewrite(module(), [grow_outside], limit=100)


def test_long_lines_of_rewrites_are_no_circle():
    """A rule moves an op through 200 others: each time it makes an op of the same kind, with another operand."""
    lines = [f"%{k + 1} = tir.add %{k}, %x : tensor<4xf32>" for k in range(200)]
    text = "\n".join(["%0 = tir.neg %x : tensor<4xf32>", *lines, "%201 = tir.neg %200 : tensor<4xf32>"])
    m = parse_text(f"func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {{\n{text}\nreturn %201 : tensor<4xf32>\n}}", REGISTRY)

    @rule(Neg)
    def neg_inwards(op, b):
        """-(x + y) -> -x - y   exact"""
        inner = op.x.op
        return b.create(Sub, b.create(Neg, inner.lhs), inner.rhs) if isinstance(inner, Add) else None

    rewriter = Rewriter([neg_inwards])
    rewriter.run(m)
    assert rewriter.counts["neg_inwards"] == 200


def test_the_mode_filters_by_class():
    m = module()
    assert not Rewriter([gives_up_late], fp_mode="strict").run(m)


def test_an_iteration_takes_each_op_once():
    m = module()
    before = print_op(m)
    assert not Rewriter([add_of_neg, neg_twice], max_iterations=0).run(m)
    assert print_op(m) == before
    once, more = module(), module()
    Rewriter([add_of_neg, neg_twice], max_iterations=1).run(once)
    rewriter = Rewriter([add_of_neg, neg_twice])
    rewriter.run(more)
    assert print_op(once) != print_op(more)
    Rewriter([add_of_neg, neg_twice], max_iterations=9).run(once)
    assert print_op(once) == print_op(more)
    assert rewriter.counts.total() > 1


def test_what_a_rule_states_is_read_from_its_docstring():
    assert (add_of_neg.name, add_of_neg.before, add_of_neg.after, add_of_neg.kind) == (
        "add_of_neg", "x + -y", "x - y", "exact",
    )  # fmt: skip
    assert gives_up_late.reason == "it never does"


def test_a_rule_without_class_is_refused():
    def nameless(op, b):
        """x -> x"""

    with pytest.raises(TirError, match="docstring must be"):
        rule(Neg)(nameless)
