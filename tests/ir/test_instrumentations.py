"""What is printed, counted, limited and timed while passes run."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.actions import begin, end
from tir.ir.attributes import StringAttr
from tir.ir.instrumentations import Limit, PrintIR, Statistics, Verify
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass, Pipeline, run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.printer import print_op
from tir.ir.timing import Timing
from tir.parser.parse import parse_text
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce
from tir.passes.pipelines import ALL

TEXT = """\
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.neg %x : tensor<4xf32>
  %1 = tir.neg %x : tensor<4xf32>
  %2 = tir.neg %x : tensor<4xf32>
  %3 = tir.add %0, %1 : tensor<4xf32>
  return %3 : tensor<4xf32>
}
"""


def module() -> Op:
    return parse_text(TEXT, REGISTRY)


@dataclass
class Breaks(Pass):
    """Fails half way, and leaves what cannot be printed in short form."""

    name = "breaks"
    note: str = ""

    def run(self, op: Op) -> None:
        function = next(inner for inner in op.walk() if inner.name == "func.func")
        function.set_property("function_type", StringAttr("none"))
        raise ZeroDivisionError


# --- printing --------------------------------------------------------------------------------------------------------


def dumps(pipeline: Pipeline, **options: object) -> list[str]:
    found: list[str] = []
    printing = PrintIR(lambda text, step, op: found.append(text), **options)  # type: ignore[arg-type]
    try:
        run_pipeline(pipeline, module(), [printing])
    except ZeroDivisionError:
        pass
    return found


def heads(found: list[str]) -> list[str]:
    return [text.split("\n")[0].removeprefix("// -----// IR Dump ").removesuffix(" //----- //") for text in found]


def always(step: Pass) -> bool:
    return True


def test_chosen_passes_are_dumped_before_and_behind() -> None:
    found = dumps(Pipeline([Cse(), Dce()]), before_pass=lambda step: step.name == "dce", after_pass=always)
    assert heads(found) == ["After Cse (cse)", "Before Dce (dce)", "After Dce (dce)"]
    assert found[0].endswith("\n}\n\n") and found[0].split("\n", 1)[1] == found[1].split("\n", 1)[1]


def test_options_stand_in_the_head_on_one_line() -> None:
    found = dumps(Pipeline([Canonicalize(max_iterations=1), Breaks(note="a\nb")]), after_pass=always)
    assert heads(found) == ["After Canonicalize (canonicalize{max-iterations=1})", "After Breaks Failed (breaks{note='a\\x0ab'})"]


def test_only_what_changed_is_dumped() -> None:
    found = dumps(Pipeline([Cse(), Cse(), Dce(), Dce()]), after_pass=always, only_changed=True)
    assert heads(found) == ["After Cse (cse)"]  # cse leaves nothing for dce here: the copies are gone


def test_change_that_only_locations_show_counts_if_locations_are_printed() -> None:
    @dataclass
    class Move(Pass):
        """Gives all ops one location."""

        name = "move"

        def run(self, op: Op) -> None:
            for inner in op.walk():
                inner.location = op.location

    def located(op: Op) -> str:
        return print_op(op, locations=True)

    assert not dumps(Pipeline([Move()]), after_pass=always, only_changed=True, text_of=located)
    assert dumps(Pipeline([Move()]), after_pass=always, only_changed=True, fingerprint=located)


def test_op_of_the_pass_or_the_whole_module_is_dumped() -> None:
    nested = Pipeline([Pipeline([Cse()], "func.func")])
    (function,) = dumps(nested, after_pass=always)
    assert function.split("\n")[1].startswith("func.func @f")
    (whole,) = dumps(nested, after_pass=always, module_scope=True)
    assert heads([whole]) == ["After Cse (cse) ('func.func' operation: @f)"]
    assert whole.split("\n")[1] == "module {"


def test_only_the_pass_that_fails_is_dumped_though_its_ir_is_broken() -> None:
    found = dumps(Pipeline([Cse(), Breaks(), Dce()]), on_failure=True)
    assert heads(found) == ["After Breaks Failed (breaks)"]
    assert 'function_type = "none"' in found[0] or "cannot be printed" in found[0]


# --- counting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(5))
def test_all_passes_together_stop_behind_the_limit(count: int) -> None:
    limit, root = Limit(count), module()
    run_pipeline(Pipeline([Cse(), Dce()]), root, [limit, Verify()])
    assert limit.made == min(count, 2) and sum(op.name == "tir.neg" for op in root.walk()) == 3 - limit.made


def statistics(text: str, display: str) -> list[str]:
    pipeline, counted = parse_pipeline(text, ALL), Statistics()
    run_pipeline(pipeline, module(), [counted])
    lines = counted.report(pipeline, display).split("\n")
    assert lines[1].strip() == "... Pass statistics report ..." and lines[-2:] == ["", ""]
    return lines[3:-2]


def test_statistics_are_nested_as_the_pipeline() -> None:
    assert statistics("func.func(cse),cse", "pipeline") == [
        "'func.func' Pipeline",
        "  Cse",
        "    (S) 2 merge - ops replaced by an equal one",
        "Cse",
        "  (S) 0 merge - ops replaced by an equal one",
    ]


def test_statistics_as_a_list_add_up_passes_of_a_name_and_are_sorted() -> None:
    lines = statistics("func.func(dce,cse),cse,symbol-dce,autodiff", "list")
    assert [line for line in lines if "(S)" not in line] == ["  Autodiff", "  Cse", "  Dce", "  SymbolDce"]
    assert "    (S) 1 merge - ops replaced by an equal one" in lines  # dce took one of the two before


def test_pipeline_that_ran_on_nothing_counts_nothing() -> None:
    for text in ("builtin.module(builtin.module(cse))", "dce,builtin.module(builtin.module(cse))"):
        assert statistics(text, "pipeline")[-3:] == [
            "'builtin.module' Pipeline", "  Cse", "    (S) 0 merge - ops replaced by an equal one",
        ]  # fmt: skip
        assert statistics(text, "list")[:2] == ["  Cse", "    (S) 0 merge - ops replaced by an equal one"]


@dataclass
class Announces(Pass):
    """Announces a change that it did not declare."""

    name = "announces"

    def run(self, op: Op) -> None:
        if begin("change", op):
            end()


def test_change_that_was_not_declared_is_counted_too() -> None:
    pipeline, counted = Pipeline([Announces(), Announces()]), Statistics()
    run_pipeline(pipeline, module(), [counted])
    assert counted.report(pipeline, "pipeline").count("(S) 1 change - changes") == 2
    assert counted.report(pipeline, "list").count("(S) 2 change - changes") == 1


@pytest.mark.parametrize("name", ALL)
def test_each_pass_declares_what_its_actions_count(name: str) -> None:
    made = ALL[name]()
    for step in made.passes() if isinstance(made, Pipeline) else [made]:
        assert step.statistics or step.name in ("bufferize", "lint-random", "print-op-stats"), step.name


# --- timing ----------------------------------------------------------------------------------------------------------


@dataclass
class Sleep(Pass):
    """Takes time."""

    name = "sleep"
    milliseconds: int = 5
    fails: bool = False

    def run(self, op: Op) -> None:
        time.sleep(self.milliseconds / 1000)
        if self.fails:
            raise ZeroDivisionError


ROW = re.compile(r"  ( *\d+\.\d{4}) \(( *\d+\.\d)%\)  ( *)(\S.*)\Z")


def rows(report: str) -> list[tuple[str, float, float]]:
    """Name with its indent, seconds, percent."""
    found = [ROW.match(line) for line in report.split("\n")]
    return [(match[3] + match[4], float(match[1]), float(match[2])) for match in found if match]


def test_times_are_nested_and_add_up() -> None:
    timing = Timing()
    nested = Pipeline([Sleep(20), Pipeline([Sleep(30), Sleep(10)], "func.func")])
    with timing.scope("Parser"):
        time.sleep(0.01)
    run_pipeline(nested, module(), [Verify(timing.scope), timing])
    found = rows(timing.report("tree"))
    assert [name for name, _, _ in found] == [
        "Parser", "Sleep", "Verify", "'func.func' Pipeline", "  Sleep", "  Verify", "  Sleep", "Rest", "Total",
    ]  # fmt: skip
    seconds = [time for _, time, _ in found]
    assert seconds[0] >= 0.01 and seconds[1] >= 0.02 and seconds[4] >= 0.03 and seconds[6] >= 0.01
    assert seconds[3] >= seconds[4] + seconds[5] + seconds[6] - 0.0002  # three numbers are rounded
    top = [entry for entry in found if not entry[0].startswith("  ")]
    assert sum(time for _, time, _ in top[:-1]) == pytest.approx(top[-1][1], abs=0.0004)
    assert sum(share for _, _, share in top[:-1]) == pytest.approx(100, abs=0.4) and top[-1][2] == 100.0


def test_times_as_a_list_are_one_line_a_name_the_longest_first() -> None:
    timing = Timing()
    run_pipeline(Pipeline([Sleep(5), Dce(), Sleep(25)]), module(), [timing])
    found = rows(timing.report("list"))
    assert [name for name, _, _ in found] == ["Sleep", "Dce", "Rest", "Total"]
    assert found[0][1] >= 0.03


def test_time_of_a_pass_that_fails_counts() -> None:
    timing = Timing()
    pipeline = Pipeline([Pipeline([Sleep(20, fails=True)], "func.func")])
    for _ in range(2):  # two modules of a file
        with timing.scope("Parser"):
            pass
        with pytest.raises(ZeroDivisionError):
            run_pipeline(pipeline, module(), [timing])
    found = rows(timing.report("tree"))
    assert [name for name, _, _ in found] == ["Parser", "'func.func' Pipeline", "  Sleep", "Rest", "Total"]
    assert found[2][1] >= 0.04 and found[1][1] >= found[2][1]
