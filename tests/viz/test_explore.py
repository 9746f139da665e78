"""What is recorded of passes: levels, rewrites as changes of the text, and bounds that are said."""

from __future__ import annotations

import re
import time

import pytest

from tests.viz.programs import DIGITS, SMALL, explored, explored_within, hostile, module_of
from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.pipelines import ALL
from tir.viz.difference import apply_changes, differences
from tir.viz.explore import Explorer
from tir.viz.page import page, page_data
from tir.viz.steps import Budget


def canonical(lines: list[str]) -> str:
    """A function's text with values numbered anew."""
    return print_op(parse_text("\n".join(lines), REGISTRY, verify=False, allow_unregistered=True)) if lines else ""


def functions(lines: list[str]) -> dict[str, list[str]]:
    """The text of each op of a module, by its first line's symbol."""
    found: dict[str, list[str]] = {}
    for line in lines[1:-1]:
        if line.startswith("  ") and line[2] not in " }^":
            symbol = re.search(r'@(?:"[^"]*"|[\w$.-]+)', line)
            found[symbol[0] if symbol else line] = []
        found[list(found)[-1]].append(line)
    return found


def test_levels_are_what_the_passes_print() -> None:
    explorer = explored(SMALL, "canonicalize,cse,dce")
    module = module_of(SMALL)
    assert explorer.levels[0].lines == print_op(module).rstrip("\n").split("\n")
    run_pipeline(parse_pipeline("canonicalize", ALL), module)
    assert explorer.levels[1].lines == print_op(module).rstrip("\n").split("\n")
    assert [(run.title, run.changed, run.level) for run in explorer.runs] == [
        ("canonicalize", True, 1), ("cse", True, 2), ("dce", False, 2)]  # fmt: skip


def test_step_of_a_rule_has_the_rule_and_changes_its_lines_alone() -> None:
    explorer = explored(SMALL, "canonicalize")
    step = next(step for run in explorer.runs for step in run.steps if step.action and step.action.rule)
    assert step.action is not None
    assert (step.op_name, step.action.rule.kind, step.action.rule.before) == ("tir.transpose", "exact", step.action.rule.before)
    assert step.place == "test.tir:3:3"
    assert step.changes is not None
    removed = [line for change in step.changes for line in step.chain.base[change.at : change.at + change.removed]]
    added = [line for change in step.changes for line in change.added]
    assert [line.strip() for line in removed] == [
        "%0 = tir.transpose %x by [0] : tensor<4xf32>", "%1 = tir.exp %0 : tensor<4xf32>"]  # fmt: skip
    assert [line.strip() for line in added] == ["%1 = tir.exp %x : tensor<4xf32>"]


@pytest.mark.parametrize(
    ("program", "passes"),
    [
        (DIGITS, "default"), (SMALL, "canonicalize,cse,lower-structured"), (hostile("x"), "canonicalize,cse,state-to-arguments"),
    ],
    ids=["digits", "small", "hostile"],
)  # fmt: skip
def test_steps_lead_from_each_level_to_the_next(program: str, passes: str) -> None:
    """The steps of a pass, applied to the text before it one after the other, give the text behind it."""
    explorer = explored(program, passes)
    checked = 0
    for run in explorer.runs:
        texts = {}
        for step in run.steps:
            before = texts.get(step.chain.function, step.chain.base)
            assert step.changes is not None
            texts[step.chain.function] = apply_changes(before, step.changes)
        after = functions(explorer.levels[run.level].lines)
        for name, lines in texts.items():
            name = name if re.fullmatch(r"@[\w$.-]+", name) else f'@"{name[1:]}"'
            assert canonical(lines) == canonical(after.get(name, [])), (run.title, name)
            checked += 1
    assert checked > 2


def test_module_of_other_ops_than_functions_is_shown_whole() -> None:
    text = """
    %x = "x.make"() : () -> tensor<4xf32>
    %0 = tir.transpose %x by [0] : tensor<4xf32>
    %1 = tir.transpose %0 by [0] : tensor<4xf32>
    "x.use"(%1) : (tensor<4xf32>) -> ()
    """
    explorer = explored(text, "canonicalize")
    steps = explorer.runs[0].steps
    assert {step.chain.function for step in steps} == {"builtin.module"}
    assert steps[0].chain.base == explorer.levels[0].lines
    lines = steps[0].chain.base
    for step in steps:
        assert step.changes is not None
        lines = apply_changes(lines, step.changes)
    assert canonical(lines) == "\n".join([*explorer.levels[1].lines, ""])


def test_rule_names_classes_and_sentences_come_from_the_rules() -> None:
    data = page_data(explored(DIGITS, "default"), "digits.tir", [])
    rules = {rule["name"]: rule for rule in data["rules"]}
    assert rules["broadcast_of_broadcast"]["class"] == "exact"
    assert rules["broadcast_of_broadcast"]["before"] == "broadcast(broadcast(x, p), q)"
    assert {rule["class"] for rule in rules.values()} <= {"exact", "accurate", "fast"}
    used = {data["rules"][step["rule"]]["name"] for step in data["steps"] if step["rule"] >= 0}
    assert used == set(rules)


def test_pass_of_one_function_says_which() -> None:
    two = SMALL + SMALL.replace("@f", "@g")
    explorer = explored(two, "builtin.module(func.func(cse,dce))")
    assert [(run.title, run.where) for run in explorer.runs] == [("cse", "@f"), ("dce", "@f"), ("cse", "@g"), ("dce", "@g")]


def test_levels_beyond_the_limit_are_counted_and_links_go_through_them() -> None:
    full, short = explored(DIGITS, "fuse"), explored_within(DIGITS, "fuse", Budget(), max_levels=3)
    assert len(short.levels) == 3 and short.levels[-1].lines == full.levels[-1].lines
    assert short.hidden_levels == len(full.levels) - 3
    for op in range(0, len(short.levels[2].ops), 17):
        sources = {op}
        for level in reversed(full.levels[2:]):
            sources = {source for one in sources for source in level.origins[one]}
        assert set(short.levels[2].origins[op]) == sources
    assert "6 levels before the last are not shown" in page_data(short, "", [])["notes"][0]


def test_steps_beyond_the_limit_are_counted() -> None:
    explorer = explored_within(DIGITS, "fuse", Budget(max_steps=5))
    assert sum(len(run.steps) for run in explorer.runs) == 5 and explorer.budget.steps > 100
    assert any("the first 5 are shown" in note for note in page_data(explorer, "", [])["notes"])


def test_text_beyond_the_limits_is_left_out_and_said() -> None:
    for budget, reason in ((Budget(max_function_lines=20), "more than 20 lines"), (Budget(max_printed_lines=50), "more than 50 lines")):
        explorer = explored_within(DIGITS, "fuse", budget)
        steps = [step for run in explorer.runs for step in run.steps]
        assert any(step.changes is None for step in steps)
        assert any(reason in note for note in page_data(explorer, "", [])["notes"])


def test_long_lines_and_long_levels_are_cut_and_said() -> None:
    constant = "dense<[" + ", ".join(["1.5"] * 999 + ["2.5"]) + "]>"
    many = "\n".join(f"  %{i} = tir.exp %x : tensor<1000xf32>" for i in range(6000))
    text = f"func.func @f(%x: tensor<1000xf32>) {{\n%c = tir.constant {constant} : tensor<1000xf32>\n{many}\n  return\n}}"
    data = page_data(explored(text, "symbol-dce"), "", [])
    assert data["levels"][0]["hidden"] == 6006 - 5000
    assert max(map(len, data["lines"])) < 1100
    assert any("more characters" in line for line in data["lines"])
    assert data["notes"] == ["1 levels are cut after 5,000 lines."]
    assert max(data["levels"][0]["ops"]) == 4999 and -1 in data["levels"][0]["ops"]


def test_pass_that_fails_leaves_the_levels_before_it() -> None:
    explorer = Explorer()
    module = module_of(DIGITS)
    with pytest.raises(PassError):
        run_pipeline(parse_pipeline("inline,state-to-arguments", ALL), module, [explorer])
    data = page_data(explorer, "", [])
    assert [level["title"] for level in data["levels"]] == ["input", "inline"]
    assert data["error"].startswith("state-to-arguments failed: test.tir:15:3: ")
    assert "Numbered" not in print_op(module, locations=True)


def test_page_of_a_thousand_ops_and_twenty_passes_is_small_and_made_fast() -> None:
    ops = "\n".join(f"  %v{i + 1} = tir.{('exp', 'tanh', 'neg')[i % 3]} %v{i} : tensor<4xf32>" for i in range(1000))
    text = f"func.func @f(%v0: tensor<4xf32>) -> tensor<4xf32> {{\n{ops}\n  return %v1000 : tensor<4xf32>\n}}"
    start = time.process_time()
    explorer = explored(text, ",".join(["canonicalize", "cse", "dce", "symbol-dce", "inline"] * 4))
    size = len(page(explorer, "thousand.tir", ["tir-opt"]))
    assert len(explorer.runs) == 20
    assert size < 2_000_000
    assert time.process_time() - start < 8  # the goal is 2 s on a quiet machine


def test_thirty_thousand_ops_make_a_page_of_bounded_size() -> None:
    ops = "\n".join(f"  %v{i + 1} = tir.transpose %v{i} by [0] : tensor<4xf32>" for i in range(30_000))
    text = f"func.func @f(%v0: tensor<4xf32>) -> tensor<4xf32> {{\n{ops}\n  return %v30000 : tensor<4xf32>\n}}"
    explorer = explored(text, "canonicalize")
    assert explorer.budget.steps >= 15_000
    assert len(page(explorer, "", [])) < 20_000_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""), ("abc", "abc"), ("abc", ""), ("", "abc"), ("abcdef", "abxdef"), ("abcabc", "bcabca"), ("aXbXc", "XaXbX"),
    ],
)  # fmt: skip
def test_differences_make_the_new_text_of_the_old(old: str, new: str) -> None:
    changes = differences(old, new)
    assert apply_changes(old, changes) == list(new)
    assert bool(changes) == (old != new)


def test_differences_of_long_texts_are_one_change() -> None:
    old, new = [f"a{i}" for i in range(3000)], [f"b{i}" for i in range(3000)]
    assert len(differences(["x", *old, "y"], ["x", *new, "y"])) == 1
