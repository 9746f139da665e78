"""The rewrite driver: rules apply until none fits, leave nothing behind, and cannot run for ever."""

import pytest

from tir.dialects.all import REGISTRY
from tir.dialects.tir.arithmetic import Add, Neg, Sub
from tir.ir.errors import PassError
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
    with pytest.raises(PassError, match="did not end after .* (add_of_neg and back_to_add|back_to_add and add_of_neg)"):
        rewrite(module(), [add_of_neg, back_to_add])


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

    with pytest.raises(AssertionError, match="docstring must be"):
        rule(Neg)(nameless)
