"""Actions: each change of a pass is seen once, can be counted, and can be refused."""

from dataclasses import dataclass, field

import pytest

from tests.ir.test_rewrite import TEXT, add_of_neg, names, neg_twice
from tir.dialects.all import REGISTRY
from tir.ir import actions
from tir.ir.actions import watched_by
from tir.ir.pass_manager import Instrumentation, Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.rewrite import rewrite
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.canonicalize import Canonicalize


@dataclass
class Limit(Instrumentation):
    """Allows the first `count` changes and notes what it saw."""

    count: int = 1000
    made: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def allows(self, action):
        if len(self.made) < self.count:
            return True
        self.refused.append(action.name)
        return False

    def changed(self, action):
        self.made.append(action.name)


def test_each_rule_applied_and_each_op_erased_is_an_action_with_its_rule():
    seen = []

    class Watch(Limit):
        def allows(self, action):
            seen.append((action.name, action.op.name, action.rule))
            return True

    module = parse_text(TEXT, REGISTRY)
    with watched_by([Watch()]):
        rewrite(module, [add_of_neg, neg_twice])
    assert ("add_of_neg", "tir.add", add_of_neg) in seen
    assert ("neg_twice", "tir.neg", neg_twice) in seen
    assert {name for name, _, rule in seen if rule is None} == {"erase"}


@pytest.mark.parametrize("count", range(5))
def test_a_rewriter_stops_behind_any_number_of_actions_and_leaves_valid_ir(count):
    module = parse_text(TEXT, REGISTRY)
    limit = Limit(count)
    with watched_by([limit]):
        rewrite(module, [add_of_neg, neg_twice])
    assert len(limit.made) == min(count, 4)  # two rules, and two ops without use
    assert bool(limit.refused) == (count < 4)
    verify(module)
    if count == 0:
        assert print_op(module) == print_op(parse_text(TEXT, REGISTRY))
    if count == 4:
        assert names(module) == ["tir.sub"]


def test_a_pipeline_installs_the_instrumentations_that_watch_and_takes_them_out_again():
    module, limit = parse_text(TEXT, REGISTRY), Limit()
    run_pipeline(Pipeline([Canonicalize()]), module, [Instrumentation(), limit])
    assert "neg_twice" not in limit.made and limit.made  # the rules of canonicalize have other names
    before = len(limit.made)
    run_pipeline(Pipeline([Canonicalize()]), parse_text(TEXT, REGISTRY))
    assert len(limit.made) == before


def test_handlers_inside_replace_those_outside_and_come_back():
    outer, inner = Limit(), Limit()
    op = parse_text(TEXT, REGISTRY)
    with watched_by([outer]):
        with watched_by([inner]):
            assert actions.begin("a", op)
            actions.end()
        assert actions.begin("b", op)
        actions.end()
    assert (inner.made, outer.made) == (["a"], ["b"])
    assert actions.begin("nobody looks", op)
    actions.end()


def test_an_action_is_made_only_if_all_handlers_allow_it():
    first, second = Limit(), Limit(0)
    with watched_by([first, second]):
        assert not actions.begin("a", parse_text(TEXT, REGISTRY))
    assert (first.made, second.made, second.refused) == ([], [], ["a"])
