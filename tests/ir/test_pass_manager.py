"""Pipelines as text and as lists; instrumentations; options."""

import io
from dataclasses import dataclass

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError
from tir.ir.pass_manager import Pass, PassBug, Pipeline, PrintAfter, Timing, Verify, parse_pipeline, run_pipeline
from tir.parser.parse import parse_text
from tir.passes.cse import Cse
from tir.passes.pipelines import PASSES, PIPELINES

ALL = {**PASSES, **PIPELINES}
TEXT = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n  %0 = tir.neg %x : tensor<4xf32>\n  return %x : tensor<4xf32>\n}\n"


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("cse", "cse"),
        ("cse, dce", "cse,dce"),
        ("canonicalize{max-iterations=3}", "canonicalize{max-iterations=3}"),
        ("builtin.module(func.func(cse,canonicalize{max-iterations=3 fp-mode=strict}),symbol-dce)", None),
        ("any(dce)", "any(dce)"),
        ("", ""),
    ],
)
def test_pipelines_read_and_print(text, again):
    printed = str(parse_pipeline(text, ALL))
    assert str(parse_pipeline(printed, ALL)) == printed
    assert again is None or printed == again


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cze", "unknown pass 'cze'"),
        ("cse,,dce", "expected a pass at character 5"),
        ("cse dce", "expected ',' or '\\)'"),
        ("func.func(cse", "expected '\\)'"),
        ("cse)", "'\\)' without '\\('"),
        ("cse{a=1}", "pass cse has no option 'a'; it has none"),
        ("canonicalize{max-iterations=many}", "option 'max-iterations' must be an integer, got 'many'"),
        ("canonicalize{max-iteration=1}", "has no option 'max-iteration'"),
        ("cse,", "expected a pass"),
        ("!", "expected a pass"),
    ],
)
def test_wrong_pipelines_say_where(text, message):
    with pytest.raises(PassError, match=message):
        parse_pipeline(text, ALL)


def test_unknown_passes_get_a_hint():
    with pytest.raises(PassError) as caught:
        parse_pipeline("canonicalise", ALL)
    assert caught.value.hint == "did you mean 'canonicalize'?"


def test_nested_pipelines_run_on_the_ops_they_name():
    module = parse_text(TEXT, REGISTRY)
    run_pipeline(parse_pipeline("builtin.module(func.func(dce))", ALL), module)
    assert not any(op.name == "tir.neg" for op in module.walk())


def test_a_module_pass_refuses_a_function():
    module = parse_text(TEXT, REGISTRY)
    with pytest.raises(PassError, match="pass bufferize runs on the module, not on func.func"):
        run_pipeline(parse_pipeline("func.func(bufferize)", ALL), module)


@dataclass
class Breaks(Pass):
    """Leaves a module that does not verify."""

    name = "breaks"

    def run(self, op):
        next(o for o in op.walk() if o.name == "func.return").set_operands([])


def test_verification_names_the_pass_that_broke_the_module():
    module = parse_text(TEXT, REGISTRY)
    with pytest.raises(PassBug, match="wrong behind pass breaks: .*func.return"):
        run_pipeline(Pipeline([Breaks()]), module, [Verify()])


def test_the_end_of_a_pipeline_is_verified():
    module = parse_text(TEXT, REGISTRY)
    with pytest.raises(PassBug, match="wrong behind the pipeline cse,breaks"):
        run_pipeline(Pipeline([Cse(), Breaks()]), module)


def test_instrumentations_print_and_time():
    module = parse_text(TEXT, REGISTRY)
    stream, timing = io.StringIO(), Timing()
    run_pipeline(parse_pipeline("cse,dce", ALL), module, [PrintAfter(stream), timing])
    assert stream.getvalue().count("// -----// IR after") == 2 and list(timing.seconds) == ["cse", "dce"]


@pytest.mark.parametrize("name", PIPELINES)
def test_named_pipelines_can_be_printed_and_read(name):
    assert str(parse_pipeline(str(PIPELINES[name]()), ALL)) == str(PIPELINES[name]())
