"""docs/rules-status.json, from which docs/rewrites.md says which rules are right: it covers all rules as they are."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from tir.ir.rewrite import Rule
from tir.proofs.programs import prove_on
from tir.rewrites.declared import read_rules
from tools.gen_rewrites import NOT_RUN, condition_text, proof
from tools.rules_status import BY_PROGRAMS, FILE, all_rules, digest, outdated, programs, status

RERUN = "run `make rules-status`"
REGIONS = [rule for rules in BY_PROGRAMS.values() for rule in rules]


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))["rules"]


def test_it_covers_every_rule_as_it_is(found: dict[str, Any]) -> None:
    assert [name for name, _, rule in all_rules() if outdated(found, name, rule)] == [], RERUN
    assert set(found) == {name for name, _, _ in all_rules()}, f"rules that are no more: {RERUN}"


def test_no_rule_is_wrong(found: dict[str, Any]) -> None:
    assert {name: facts["failure"] for name, facts in found.items() if "failure" in facts} == {}, RERUN


def test_names_of_rules_are_there_once() -> None:
    names = [name for name, _, _ in all_rules()]
    assert len(names) == len(set(names))
    assert len(names) >= 150


@pytest.mark.parametrize("rule", REGIONS, ids=lambda rule: rule.name)
def test_rule_about_regions_is_right_on_the_programs_of_text_tests(rule: Rule) -> None:
    report = prove_on(rule, programs())
    assert report.failure == "", str(report)


def test_wrong_rule_about_regions_is_found_out() -> None:
    (right,) = [rule for rule in REGIONS if rule.name == "loop_carries_what_does_not_change"]
    wrong = dataclasses.replace(right, apply=lambda op, b: list(op.initArgs))
    assert re.match(r"@\w+ with seed .*: .* before, .* after", prove_on(wrong, programs()).failure, re.S)
    never = dataclasses.replace(right, apply=lambda op, b: None)
    assert prove_on(never, programs()).failure == "it fits none of the programs"


def test_a_wrong_rule_is_red_and_a_changed_one_not_run() -> None:
    (wrong,) = read_rules("a: x + y => x\n  exact")
    (changed,) = read_rules("a: x + y => x\n  fast")
    known = {"a": status("canonical", wrong)}
    assert proof("a", wrong, known).startswith("**wrong**: `x + y with x = ")
    assert digest(changed) != digest(wrong) and proof("a", changed, known) == NOT_RUN


def test_conditions_are_told_as_they_are_written() -> None:
    text = "x ** number(c) => x\n  fast\n  if c > 2 and not floats(x) or used_once(x)"
    (rule,) = read_rules(f"a: {text}")
    assert condition_text(rule.declaration.conditions[0]) == "c > 2 and not floats(x) or used_once(x)"
