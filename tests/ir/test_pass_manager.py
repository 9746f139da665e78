"""Pipelines run on the ops that they name; instrumentations see each pass, and what fails."""

from dataclasses import dataclass, field

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError
from tir.ir.instrumentations import Verify
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, PassBug, Pipeline, run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.parser.parse import parse_text
from tir.passes.cse import Cse
from tir.passes.pipelines import ALL

TEXT = """\
module {
  func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
    %0 = tir.neg %x : tensor<4xf32>
    return %x : tensor<4xf32>
  }
  module @inner {
    func.func @g() {
      return
    }
  }
}
"""


@dataclass
class Visit(Pass):
    """Writes down where it runs."""

    name = "visit"
    seen: list = field(default_factory=list)

    def run(self, op: Op) -> None:
        symbol = op.properties.get("sym_name")
        self.seen.append((op.name, symbol.value if symbol is not None else ""))


def visited(text: str) -> list[tuple[str, str]]:
    visit = Visit()
    run_pipeline(parse_pipeline(text, {"visit": lambda: visit}), parse_text(TEXT, REGISTRY))
    return visit.seen


OUTER, INNER = ("builtin.module", ""), ("builtin.module", "inner")


@pytest.mark.parametrize(("text", "where"), [
    ("visit", [OUTER]),
    ("builtin.module(visit)", [OUTER]),
    ("any(visit)", [OUTER]),  # as upstream: the outermost op of the text is the one given
    ("func.func(visit)", [("func.func", "f")]),  # the outermost op may be left out
    ("builtin.module(func.func(visit))", [("func.func", "f")]),
    ("builtin.module(any(visit))", [("func.func", "f"), INNER]),
    ("visit,any(visit)", [OUTER, ("func.func", "f"), INNER]),
    ("builtin.module(builtin.module(visit))", [INNER]),
    ("builtin.module(builtin.module(func.func(visit)))", [("func.func", "g")]),
    ("builtin.module(any(any(visit)))", [("func.func", "g")]),
    ("builtin.module(visit),builtin.module(visit)", [OUTER, OUTER]),
    ("func.func(func.func(visit))", []),
    ("scf.for(visit)", []),
])  # fmt: skip
def test_pipelines_run_directly_inside_the_ops_that_they_name(text: str, where: list) -> None:
    assert visited(text) == where


def test_all_passes_run_on_one_op_before_the_next() -> None:
    first, second = Visit(), Visit()
    second.seen = first.seen
    run_pipeline(Pipeline([Pipeline([first, second], "any")]), parse_text(TEXT, REGISTRY))
    run_pipeline(Pipeline([first, Pipeline([first, second], "any")]), parse_text(TEXT, REGISTRY))
    assert first.seen[2:] == [OUTER, ("func.func", "f"), ("func.func", "f"), INNER, INNER]


@dataclass
class EraseFunctions(Pass):
    """Erases all functions in the module around a function."""

    name = "erase-functions"

    def run(self, op: Op) -> None:
        for function in [one for one in op.parent_op.regions[0].blocks[0] if one.name == "func.func"]:
            function.erase()


def test_op_that_an_earlier_pass_erased_is_left_out() -> None:
    module = parse_text("func.func @f() { return }\nfunc.func @g() { return }", REGISTRY)
    visit = Visit()
    run_pipeline(Pipeline([Pipeline([EraseFunctions(), visit], "func.func")]), module)
    assert len(visit.seen) == 1 and not list(module.regions[0].blocks[0])


def test_nested_pipelines_run_on_the_ops_they_name() -> None:
    module = parse_text(TEXT, REGISTRY)
    run_pipeline(parse_pipeline("builtin.module(func.func(dce))", ALL), module)
    assert not any(op.name == "tir.neg" for op in module.walk())


def test_a_module_pass_refuses_a_function() -> None:
    module = parse_text(TEXT, REGISTRY)
    with pytest.raises(PassError, match="pass bufferize runs on the module, not on func.func"):
        run_pipeline(parse_pipeline("func.func(bufferize)", ALL), module)


@dataclass
class Breaks(Pass):
    """Leaves a module that does not verify."""

    name = "breaks"

    def run(self, op: Op) -> None:
        next(o for o in op.walk() if o.name == "func.return").set_operands([])


def test_verification_names_the_pass_that_broke_the_module() -> None:
    module = parse_text(TEXT, REGISTRY)
    with pytest.raises(PassBug, match="wrong behind pass breaks: .*func.return"):
        run_pipeline(Pipeline([Breaks()]), module, [Verify()])


def test_the_end_of_a_pipeline_is_verified() -> None:
    module = parse_text(TEXT, REGISTRY)
    with pytest.raises(PassBug, match="wrong behind the pipeline cse,breaks"):
        run_pipeline(Pipeline([Cse(), Breaks()]), module)


@dataclass
class Log(Instrumentation):
    """Writes down what it sees."""

    name: str
    lines: list[str]

    def enter(self, pipeline: Pipeline, op: Op) -> None:
        self.lines.append(f"{self.name} enter {pipeline.anchor}")

    def leave(self, pipeline: Pipeline, op: Op) -> None:
        self.lines.append(f"{self.name} leave {pipeline.anchor}")

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self.lines.append(f"{self.name} before {step.name}")

    def after(self, step: Pass, op: Op, root: Op) -> None:
        self.lines.append(f"{self.name} after {step.name}")

    def failed(self, step: Pass, op: Op, root: Op, error: Exception) -> None:
        self.lines.append(f"{self.name} failed {step.name}: {error}")

    def finished(self, root: Op) -> None:
        self.lines.append(f"{self.name} finished")


def test_instrumentations_nest_around_each_pass_and_each_pipeline() -> None:
    lines: list[str] = []
    pipeline = Pipeline([Pipeline([Cse()], "func.func")])
    run_pipeline(pipeline, parse_text(TEXT, REGISTRY), [Log("a", lines), Log("b", lines)])
    assert lines == [
        "a enter func.func", "b enter func.func", "a before cse", "b before cse", "b after cse", "a after cse",
        "b leave func.func", "a leave func.func", "b finished", "a finished",
    ]  # fmt: skip


@dataclass
class Fails(Pass):
    """Fails."""

    name = "fails"

    def run(self, op: Op) -> None:
        raise ZeroDivisionError("by plan")


def test_instrumentations_are_told_of_a_failure_and_the_error_goes_on() -> None:
    lines: list[str] = []
    with pytest.raises(ZeroDivisionError):
        run_pipeline(Pipeline([Fails()]), parse_text(TEXT, REGISTRY), [Log("a", lines), Log("b", lines)])
    assert lines == ["a before fails", "b before fails", "b failed fails: by plan", "a failed fails: by plan"]


def test_module_that_is_wrong_behind_a_pass_is_a_failure_of_the_pass() -> None:
    lines: list[str] = []
    with pytest.raises(PassBug):
        run_pipeline(Pipeline([Breaks()]), parse_text(TEXT, REGISTRY), [Log("a", lines), Verify()])
    assert lines[1].startswith("a failed breaks: the module is wrong")


def test_deep_pipelines_print_and_run_without_recursion() -> None:
    deep = Pipeline([Cse()], "any")
    for _ in range(20_000):
        deep = Pipeline([deep], "any")
    assert str(deep).count("(") == 20_001
    run_pipeline(Pipeline([deep]), parse_text(TEXT, REGISTRY))
