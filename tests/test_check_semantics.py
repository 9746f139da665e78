"""--check-semantics: wrong passes are found, named, bisected and shown in a small module; right ones are let pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Done, call
from tests.random_programs import random_program
from tests.semantics_checks import COUNTER, TWO_SUBS, By, found_by, wrong_of
from tests.wrong_passes import PLANTS, CanonicalizeWithRule, CseBlindToAttributes, Plant, minus_swapped, ten_passes
from tir.api import parse
from tir.cli import opt
from tir.dialects.tir.arithmetic import Add, Sub
from tir.dialects.tir.functions import Exp
from tir.dialects.tir.state import Update
from tir.ir.attributes import StringAttr
from tir.ir.ir import Op
from tir.ir.numerics import EXACT, Numerics, accurate
from tir.ir.pass_manager import Pass, PassBug, Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce
from tir.passes.lower_structured import LowerStructured
from tir.passes.pipelines import PASSES, default, to_structured
from tir.semantics.bisect import bisect
from tir.semantics.check import PassCheck, numerics_of, path_of
from tir.semantics.instrument import CheckSemantics, WrongPass
from tir.semantics.outcome import Program, draw_inputs

# --- right passes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 24))])
def test_the_passes_of_tir_keep_what_random_programs_compute(seed: int) -> None:
    module, said = parse(random_program(seed).text), []
    run_pipeline(default(), module, [CheckSemantics(lambda sentence, location: said.append(sentence))])
    assert any("passes keep what the program computes" in sentence for sentence in said)


@pytest.mark.parametrize("name", sorted(PASSES))
def test_a_pass_says_what_it_may_do_to_numbers(name: str) -> None:
    assert isinstance(vars(PASSES[name]).get("numerics"), Numerics)
    assert PASSES[name].numerics.kind == "exact" or PASSES[name].numerics.reason


def test_under_strict_rules_canonicalize_must_keep_every_bit() -> None:
    assert numerics_of(Canonicalize()).kind == "accurate"
    assert numerics_of(Canonicalize(fp_mode="strict")) == EXACT


def test_a_pass_that_declares_nothing_must_keep_every_bit() -> None:
    @dataclass
    class Silent(Pass):
        name = "silent"

    assert numerics_of(Silent()) == EXACT


def test_a_pipeline_nested_in_functions_is_checked() -> None:
    said: list[str] = []
    nested = Pipeline([Pipeline([Cse(), Dce()], "func.func")])
    run_pipeline(nested, parse(TWO_SUBS), [CheckSemantics(lambda sentence, location: said.append(sentence))])
    assert said == ["check-semantics: 2 passes keep what the program computes; nothing was changed, so nothing was compared"]


def test_a_wrong_pass_in_a_nested_pipeline_is_found() -> None:
    wrong = By(Sub, lambda op, b: op.set_operands(op.operands[::-1]))
    with pytest.raises(WrongPass) as info:
        run_pipeline(Pipeline([Pipeline([wrong], "func.func")]), parse(TWO_SUBS), [CheckSemantics(print)])
    assert info.value.culprit is not None and info.value.culprit.number == 1


# --- wrong passes ------------------------------------------------------------------------------------------------------


def programs_for(plant: Plant) -> list[int]:
    """Seeds whose programs show the bug, known from the benchmark."""
    return {"cse that looks at no attributes": [2], "dce that drops updates": [0],
            "operands swapped in lower-structured": [1], "fusion that drops an op": [1], "loops that end early": [0],
            "maximum that starts at 0": [2], "updates of zeros": [0], "rule x * y -> x": [11],
            "rule relu(x) -> x": [0], "autodiff with a wrong sign": [30],
            "functions off by a thousandth": [4]}.get(plant.name, [])  # fmt: skip


@pytest.mark.parametrize(
    ("plant", "seed"), [(p, seed) for p in PLANTS for seed in programs_for(p)], ids=lambda x: getattr(x, "name", str(x))
)
def test_a_planted_bug_is_named_bisected_and_reduced(plant: Plant, seed: int) -> None:
    with pytest.raises(WrongPass) as info:
        run_pipeline(plant.pipeline(), parse(random_program(seed).text), [CheckSemantics(print)])
    wrong = info.value
    assert wrong.step.name == plant.at
    assert wrong.culprit is not None and wrong.culprit.name == plant.change
    assert wrong.is_reduced and wrong.ops <= 10, print_op(wrong.reduced)


def test_the_report_names_pass_rule_op_place_and_inputs() -> None:
    wrong = wrong_of(TWO_SUBS, Cse(), CanonicalizeWithRule(minus_swapped), Dce(), seed=3)
    assert str(wrong).startswith("pass canonicalize changes what @main computes: result 0 [0] and ")
    (inputs, _), (change, location) = wrong.notes()
    assert inputs.startswith("the inputs are: seed 3, [B] = ")
    assert change.startswith("its first wrong change is 1 of ")
    assert "minus_swapped: x - y -> y - x   exact, of %1 = tir.sub" in change or "x - y -> y - x   exact" in change
    assert location is not None and str(location).endswith(":4:3")


def test_the_first_of_several_wrong_passes_is_named() -> None:
    swap = By(Sub, lambda op, b: op.set_operands(op.operands[::-1]))
    assert wrong_of(TWO_SUBS, Cse(), CanonicalizeWithRule(minus_swapped), swap).step.name == "canonicalize"


def test_a_lost_update_is_found() -> None:
    wrong = wrong_of(COUNTER, By(Update, lambda op, b: op.erase()))
    assert wrong.difference.what == "@n"


def test_a_swap_of_updates_that_first_values_hide_is_found_by_generated_state() -> None:
    text = """
        tir.shared @a : tensor<f32> = dense<0.0>
        tir.shared @b : tensor<f32> = dense<0.0>
        func.func @main() {
          %a = tir.read @a : tensor<f32>
          %b = tir.read @b : tensor<f32>
          tir.update @a, %b : tensor<f32>
          tir.update @b, %a : tensor<f32>
          return
        }
    """

    def keep(op: Any, b: Any) -> None:
        op.set_operand(0, next(r.result for r in op.parent if r.name == "tir.read" and r.symbol == op.symbol))

    assert wrong_of(text, By(Update, keep)).difference.draw.state is not None


def test_a_program_that_fails_only_behind_the_pass_is_a_difference() -> None:
    text = """
        func.func @main(%x: tensor<[B]xf32>) -> tensor<[B]xf32> {
          %t = arith.constant true
          cf.assert %t, "never"
          return %x : tensor<[B]xf32>
        }
    """
    constant = type(parse(text).body.first.entry.first)

    def fail(op: Any, b: Any) -> None:
        op.set_property("value", parse("func.func @f() -> i1 { %0 = arith.constant false return %0 : i1 }")
                        .body.first.entry.first.properties["value"])

    wrong = wrong_of(text, By(constant, fail))
    assert wrong.difference.what == "the call" and "never" in wrong.difference.after


def test_a_pass_that_removes_a_result_or_the_function_is_found() -> None:
    def drop(op: Any, b: Any) -> None:
        op.set_property("sym_name", StringAttr("other"))

    func = type(parse(TWO_SUBS).body.first)
    assert "is gone" in str(wrong_of(TWO_SUBS, By(func, drop)))


def test_a_bug_in_one_of_several_functions_is_found() -> None:
    text = TWO_SUBS.replace("@main", "@first").replace("tir.sub", "tir.add") + TWO_SUBS.replace("@main", "@second")
    wrong = wrong_of(text, By(Sub, lambda op, b: op.set_operands(op.operands[::-1])))
    assert wrong.difference.draw.entry == "second"


def test_a_rule_that_is_wrong_for_nan_alone_is_found() -> None:
    text = """
        func.func @main(%x: tensor<[B]x4xf32>) -> tensor<[B]x4xf32> {
          %0 = tir.sub %x, %x : tensor<[B]x4xf32>
          return %0 : tensor<[B]x4xf32>
        }
    """
    zero = By(Sub, lambda op, b: op.replace_with([b.full_like(b.tensor(op.lhs), 0).value]))
    assert "hard numbers" in str(wrong_of(text, zero).difference.draw)
    accurate_zero = By(Sub, zero.change, accurate(1, "nan and inf are let pass"))
    found, said = found_by(text, accurate_zero)
    assert found is None and "let pass where the program before the pass has numbers that are not finite" in said[-1]


def test_what_is_not_well_formed_is_a_bug_that_names_the_pass() -> None:
    bad = By(Exp, lambda op, b: setattr_type(op))
    with pytest.raises(PassBug, match="the module is wrong behind pass by"):
        found_by(TWO_SUBS, bad)


def setattr_type(op: Any) -> None:
    op.result.type = parse("func.func private @f(tensor<3xi8>)").body.first.function_type.inputs[0]


# --- what cannot be checked is said ------------------------------------------------------------------------------------


def test_a_module_without_functions_is_remarked() -> None:
    assert found_by("tir.shared @w : tensor<f32> = dense<0.0>", Cse())[1] == [
        "check-semantics: nothing is checked: the module has no public function with a body"
    ]


def test_a_function_that_always_fails_is_remarked() -> None:
    text = 'func.func @main() { %f = arith.constant false cf.assert %f, "always" return }'
    (said,) = found_by(text, Cse())[1]
    assert said.startswith("check-semantics: @main is not checked: ") and "always" in said


def test_a_function_that_takes_too_many_steps_is_remarked() -> None:
    _, said = found_by(TWO_SUBS, LowerStructured(), max_steps=5)
    assert any("takes more than 5" in sentence or "more than 5 ops" in sentence for sentence in said), said


# --- bisection ---------------------------------------------------------------------------------------------------------

MANY = """
func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
%LINES
  return %v20 : tensor<2xf32>
}
"""


def many_ops(cls: str = "tir.add") -> str:
    names = ["%x", *(f"%v{i}" for i in range(1, 21))]
    lines = [f"  {names[i + 1]} = {cls} {names[i]}, %y : tensor<2xf32>" for i in range(20)]
    return MANY.replace("%LINES", "\n".join(lines))


def check_of(text: str, step: Pass) -> PassCheck:
    module = parse(text)
    draws, _ = draw_inputs(Program(module), 0, 2, {})
    return PassCheck(module, step, (), draws)


@pytest.mark.parametrize("number", [1, 2, 7, 13, 19, 20])
def test_bisection_finds_the_change_among_many(number: int) -> None:
    def wrong_once(op: Any, b: Any) -> None:
        if op.results[0].hint == f"v{number}":
            op.set_operand(0, op.operand(1))

    check = check_of(many_ops(), By(Add, wrong_once))
    found = bisect(check, 20)
    assert found is not None and (found.number, found.total) == (number, 20)
    assert found.location is not None and str(found.location).endswith(f":{number + 2}:3")
    good, bad = check.run_again(number - 1), check.run_again(number)
    assert check.difference(good) is None and check.difference(bad) is not None


def test_bisection_skips_what_cannot_be_judged() -> None:
    """With 1 to 12 changes the module does not verify; the 13th repairs that, and is where the wrong result begins."""
    def wrong_late(op: Any, b: Any) -> None:
        number = int(op.results[0].hint[1:])
        if number == 1:
            op.set_attribute("broken", StringAttr("yes"))
        if number == 13:
            op.set_operand(0, op.operand(1))

    @dataclass
    class Fragile(By):
        def run(self, op: Op) -> None:
            super().run(op)
            first = next(one for one in op.walk() if isinstance(one, Add))
            last = [one for one in op.walk() if isinstance(one, Add)][12]
            assert "broken" not in first.attributes or last.operand(0) is last.operand(1)

    found = bisect(check_of(many_ops(), Fragile(Add, wrong_late)), 20)
    assert found is not None and found.number == 13


def test_a_pass_that_is_wrong_without_its_changes_is_said_to_be() -> None:
    @dataclass
    class Sneaky(By):
        def run(self, op: Op) -> None:
            next(one for one in op.walk() if isinstance(one, Sub)).set_operand(0, op.body.first.entry.arguments[0])
            super().run(op)

    wrong = wrong_of(TWO_SUBS, Sneaky(Exp, lambda op, b: None))
    assert wrong.culprit is not None and wrong.culprit.number == 0
    assert wrong.notes()[1][0] == "it is wrong even without the 1 changes that it announces"


def test_a_pass_that_is_wrong_once_is_said_to_depend_on_more() -> None:
    runs: list[int] = []

    def first_time(op: Any, b: Any) -> None:
        runs.append(1)
        if len(runs) == 1:
            op.set_operands(op.operands[::-1])

    wrong = wrong_of(TWO_SUBS, By(Sub, first_time))
    assert wrong.culprit is None and not wrong.is_reduced and "run again" in wrong.notes()[1][0]


def test_max_rewrites_bounds_what_is_bisected() -> None:
    module = parse(many_ops())
    draws, _ = draw_inputs(Program(module), 0, 1, {})
    check = PassCheck(module, By(Add, lambda op, b: op.set_operand(0, op.operand(1))), (), draws)
    assert check.run_again(0).changes == 0 and check.run_again(3).changes == 3 and check.run_again().changes == 20


def test_the_path_to_an_op_leads_to_the_same_op_in_a_copy() -> None:
    module = parse(TWO_SUBS)
    for op in module.walk():
        copy = module.clone()
        for region, block, place in path_of(op, module):
            copy = copy.regions[region].blocks[block].ops[place]
        assert print_op(copy) == print_op(op)


# --- the tool ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def wrong_cse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """tir-opt with a wrong --cse, in an empty folder; a model for which it is wrong."""
    monkeypatch.setitem(opt.ALL._homes, "cse", f"{CseBlindToAttributes.__module__}:{CseBlindToAttributes.__name__}")
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "model.tir"
    model.write_text("""\
func.func @main(%x: tensor<[B]x3xf32>) -> (tensor<[B]xf32>, tensor<[B]x3xf32>) {
  %0 = tir.exp %x : tensor<[B]x3xf32>
  %a = tir.slice %0 from [0, 0] to [0, 1] step [1, 1] : tensor<[B]x1xf32>
  %b = tir.slice %0 from [0, 1] to [0, 2] step [1, 1] : tensor<[B]x1xf32>
  %c = tir.sub %a, %b : tensor<[B]x1xf32>
  %d = tir.sum %c over [1] : tensor<[B]xf32>
  return %d, %0 : tensor<[B]xf32>, tensor<[B]x3xf32>
}
""")
    return model


def tir_opt(*arguments: object, stdin: str = "") -> Done:
    return call(opt.main, *arguments, stdin=stdin)


def test_the_tool_explains_a_wrong_pass_and_writes_a_file_that_shows_it(wrong_cse: Path) -> None:
    done = tir_opt("--canonicalize", "--cse", "--check-semantics", "model.tir")
    lines = done.err.splitlines()
    assert done.code == 3 and done.out == ""
    assert lines[0].startswith("tir-opt: error: bug in tir: pass cse changes what @main computes: result 0 [0]")
    assert lines[1].startswith("note: the inputs are: seed ")
    assert lines[2].startswith("model.tir:4:3: note: its first wrong change is 1 of 1, merge, of %b = tir.slice")
    assert lines[3:5] == ["  " + wrong_cse.read_text().splitlines()[3], "    ^"]
    command = "tir-opt --cse --check-semantics model.reduced.tir"
    assert lines[5].startswith(f"note: `{command}` shows it, in ")
    again = tir_opt(*command.split()[1:], "--check-semantics-output", "again.tir")
    assert again.code == 3 and "pass cse changes what @main computes" in again.err
    assert Path("model.reduced.tir").read_text().count("tir.slice") == 2


def test_the_reduced_file_and_the_inputs_are_as_the_flags_say(wrong_cse: Path) -> None:
    done = tir_opt(
        "--cse", "--check-semantics", "--check-semantics-seed=7", "--check-semantics-size=B=5",
        "--check-semantics-inputs=1", "--check-semantics-output=here.tir", "model.tir",
    )  # fmt: skip
    assert done.code == 3 and "the inputs are: seed 7, [B] = 5, ordinary numbers" in done.err
    assert Path("here.tir").exists() and not Path("model.reduced.tir").exists()
    assert "--check-semantics-seed=7" in done.err


def test_a_pipeline_without_wrong_passes_ends_as_ever(wrong_cse: Path) -> None:
    done = tir_opt("--canonicalize", "--check-semantics", "model.tir")
    assert done.code == 0 and "tir.slice" in done.out
    assert done.err.startswith("remark: check-semantics: 1 pass keeps what the program computes; ")


def test_each_part_of_a_split_file_is_checked(wrong_cse: Path) -> None:
    text = wrong_cse.read_text()
    done = tir_opt("--canonicalize", "--check-semantics", "--split-input-file", stdin=f"{text}// -----\n{text}")
    assert done.err.count("1 pass keeps what the program computes") == 2


@pytest.mark.parametrize("flag", ["--check-semantics-size=B", "--check-semantics-size=B=x", "--check-semantics-seed=-1"])
def test_a_wrong_value_is_one_sentence(flag: str) -> None:
    done = tir_opt("--cse", "--check-semantics", flag, stdin=TWO_SUBS)
    assert done.code == 2 and done.sentence.startswith("tir-opt: error: ")


@pytest.mark.parametrize(("size", "problem"), [
    ("C=3", "no function has an argument with a size named 'C'"),
    ("?=3", "no function has an argument with a size named '?'"),
    ("Bb=3", "no function has an argument with a size named 'Bb'; did you mean 'B'?"),
    ("B=4", "B is given twice, with 3 and 4"),
])  # fmt: skip
def test_an_unknown_size_is_a_mistake_of_the_command_line(size: str, problem: str) -> None:
    done = tir_opt("--cse", "--check-semantics", "--check-semantics-size=B=3", f"--check-semantics-size={size}", stdin=TWO_SUBS)
    assert (done.code, done.out) == (2, "")
    assert f"tir-opt: error: --check-semantics-size: {problem}" in done.err


def test_a_size_may_be_one_of_another_part() -> None:
    flags = ("--cse", "--check-semantics", "--split-input-file", "--check-semantics-size=B=3")
    empty = "func.func @f() {\n  return\n}\n"
    assert tir_opt(*flags, stdin=f"{empty}// -----\n{TWO_SUBS}").code == 0
    assert tir_opt(*flags, stdin=f"{empty}// -----\n{empty}").code == 2
    assert "unknown op" in tir_opt(*flags, stdin="tir.none").err


def test_a_pipeline_of_ten_is_ten() -> None:
    assert len(ten_passes()) == 10 and len(to_structured()) > 10
