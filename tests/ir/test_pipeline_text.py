"""Pipelines as text: what is written reads back, and mistakes are located."""

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError
from tir.ir.pass_manager import Pass, Pipeline
from tir.ir.pass_options import OptionError, option_values, options_text, pass_options
from tir.ir.pipeline_text import make_pass, parse_pipeline, pretty_pipeline
from tir.passes.pipelines import ALL, PASSES, PIPELINES


@dataclass
class Options(Pass):
    """Has an option of each kind."""

    name = "options"
    text: str = "plain"
    count: int = 3
    share: float = 1.5
    switch: bool = False
    sizes: tuple[int, ...] = (1, 2)
    names: tuple[str, ...] = ("x",)
    none: tuple[str, ...] = ()


PLANTED = {**{name: ALL[name] for name in ALL}, "options": Options}


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("cse", "cse"),
        (" cse , dce ", "cse,dce"),
        ("canonicalize{max-iterations=3}", "canonicalize{max-iterations=3}"),
        ("canonicalize { max-iterations=3 , fp-mode=strict }", None),
        ("canonicalize{}", "canonicalize"),
        ("builtin.module( func.func(cse,canonicalize{max-iterations=3 fp-mode=strict}), symbol-dce )", None),
        ("any(dce)", "any(dce)"),
        ("builtin.module(any(cse),func.func())", "builtin.module(any(cse),func.func())"),
        ("builtin.module()", "builtin.module()"),
        ("", ""),
        ("options{text='a b'}", "options{text='a b'}"),
        ("options{switch}", "options{switch=true}"),
        ("options{switch,count=4}", "options{count=4 switch=true}"),
        ("options{sizes=8,16,32 count=1}", "options{count=1 sizes={8,16,32}}"),
        ("options{sizes={8,16} names=a,'b c'}", "options{sizes={8,16} names={a,'b c'}}"),
        ("options{sizes=8,16,count=1}", "options{count=1 sizes={8,16}}"),
        ("options{sizes={}}", "options{sizes={}}"),
        ("options{text={a {b} c}}", "options{text='a {b} c'}"),
        ("options{text=\"it's\"}", "options{text=\"it's\"}"),
        ("options{share=-inf}", "options{share=-inf}"),
    ],
)
def test_pipelines_read_and_print(text: str, again: str | None) -> None:
    printed = str(parse_pipeline(text, PLANTED, REGISTRY))
    assert str(parse_pipeline(printed, PLANTED, REGISTRY)) == printed
    assert again is None or printed == again


@pytest.mark.parametrize("name", ALL)
def test_each_pass_and_pipeline_reads_back_from_what_is_dumped(name: str) -> None:
    made = make_pass(name, "", ALL)
    pipeline = Pipeline([made]).anchored("builtin.module")
    for text in (str(pipeline), pretty_pipeline(pipeline)):
        assert parse_pipeline(text, ALL, REGISTRY) == Pipeline([pipeline])


def other_value(make: type, option: str) -> object:
    """A value that is not the default: of those that the field lists, if it does."""
    default = pass_options(make)[option]
    (field,) = (f for f in dataclasses.fields(make) if f.name == option.replace("-", "_"))
    if others := [choice for choice in field.metadata.get("choices", ()) if choice != default]:
        return others[0]
    if isinstance(default, tuple):
        if default and isinstance(default[0], int):
            return (*default, len(default))
        return default[:1] if len(default) > 1 else ("fast",)
    return not default if isinstance(default, bool) else default + 1 if isinstance(default, (int, float)) else "fast"


@pytest.mark.parametrize(("name", "option"), [(name, option) for name in PASSES for option in pass_options(PASSES[name])])
def test_each_option_reads_back_from_what_is_dumped(name: str, option: str) -> None:
    cls = PASSES[name]
    made = cls(**{option.replace("-", "_"): other_value(cls, option)})
    assert option in str(made)
    assert parse_pipeline(str(made), ALL).steps == [made]


ANY_OPTIONS = st.builds(
    Options, text=st.text(), count=st.integers(), share=st.floats(allow_nan=False), switch=st.booleans(),
    sizes=st.lists(st.integers()).map(tuple), names=st.lists(st.text()).map(tuple), none=st.lists(st.text()).map(tuple),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_OPTIONS, min_size=1, max_size=3))
def test_options_with_any_text_read_back(passes: list[Options]) -> None:
    pipeline = Pipeline([Pipeline([Pipeline(list(passes), "func.func")], "builtin.module")])
    for text in (str(pipeline), pretty_pipeline(pipeline.steps[0])):
        assert parse_pipeline(text, PLANTED) == pipeline


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="cseany.{}()[]'\"=, \n\\-1func", max_size=40))
def test_any_text_is_a_pipeline_or_a_located_error(text: str) -> None:
    try:
        pipeline = parse_pipeline(text, PLANTED, REGISTRY)
    except PassError as error:
        assert " at character " in error.message
    else:
        assert str(parse_pipeline(str(pipeline), PLANTED, REGISTRY)) == str(pipeline)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cze", "unknown pass 'cze' at character 1 "),
        ("builtin.module(cse,cze)", "unknown pass 'cze' at character 20 "),
        ("cse,,dce", "expected a pass at character 5 of 'cse,,dce'"),
        ("cse dce", "expected ',' or ')' at character 5 "),
        ("func.func(cse", "expected ')' to close 'func.func(' of character 1 at character 14 "),
        ("cse)", "')' without '(' at character 4 "),
        ("cse{a=1}", "pass cse has no option 'a' at character 5 "),
        ("dce,cse{", "'{' is not closed at character 8 "),
        ("options{text='a}", "the quote ' is not closed at character 14 "),
        ("canonicalize{max-iterations=many}", "option 'max-iterations' must be an integer, got 'many' at character 14 "),
        ("canonicalize{max-iteration=1}", "has no option 'max-iteration' at character 14 "),
        ("canonicalize{fp-mode=strict fp-mode=fast}", "option 'fp-mode' is given twice at character 29 "),
        ("canonicalize{fp-mode=loose}", "must be one of strict, stable, fast, got 'loose' at character 1 "),
        ("options{sizes=1,x}", "option 'sizes' must be an integer, got 'x' at character 9 "),
        ("options{sizes}", "option 'sizes' must be a list, got nothing at character 9 "),
        ("options{=1}", "expected an option at character 9 "),
        ("cse,", "expected a pass at character 5 "),
        ("!", "expected a pass at character 1 "),
        ("(cse)", "expected a pass at character 1 "),
        ("cse{}{}", "expected ',' or ')' at character 6 "),
        ("cse(dce)", "'cse' is a pass, not an op at character 1 "),
        ("builtin.module(func.fun(cse))", "unknown op 'func.fun' at character 16 "),
        ("builtin.module(func.func(scf.for(cse)))", "passes cannot run on 'scf.for' alone at character 26 "),
        ("builtin.module(func.func(inline))", "pass inline runs on the module, not on func.func in builtin.module at character 26"),
        ("func.func(fuse)", "pass inline runs on the module, not on func.func at character 11 "),
        ("builtin.module(builtin.module(symbol-dce))", "not on builtin.module in builtin.module at character 31 "),
    ],
)
def test_wrong_pipelines_say_where(text: str, message: str) -> None:
    with pytest.raises(PassError) as caught:
        parse_pipeline(text, PLANTED, REGISTRY)
    assert message in caught.value.message


def test_unknown_passes_ops_and_options_get_a_hint() -> None:
    for text, hint in [
        ("canonicalise", "did you mean 'canonicalize'?"),
        ("func.fun(cse)", "did you mean 'func.func'?"),
        ("canonicalize{fpmode=x}", "it has fp-mode, max-iterations; did you mean 'fp-mode'?"),
        ("cse{a}", "it has none"),
    ]:
        with pytest.raises(PassError) as caught:
            parse_pipeline(text, ALL, REGISTRY)
        assert caught.value.hint == hint


def test_of_a_long_text_the_part_with_the_mistake_is_shown() -> None:
    with pytest.raises(PassError) as caught:
        parse_pipeline(",".join(["cse"] * 1000) + ",cze," + ",".join(["dce"] * 1000), ALL)
    assert len(caught.value.message) < 200 and ",cze,dce," in caught.value.message and "4001" in caught.value.message


def test_text_without_end_is_refused() -> None:
    with pytest.raises(PassError, match="at most 65536 characters"):
        parse_pipeline("cse," * 100_000, ALL)


def test_deep_nesting_is_refused() -> None:
    parse_pipeline("any(" * 256 + "cse" + ")" * 256, ALL, REGISTRY)
    with pytest.raises(PassError, match="pipelines nest at most 256 deep at character 1025 "):
        parse_pipeline("any(" * 10_000 + "cse" + ")" * 10_000, ALL, REGISTRY)


def test_passes_may_be_functions_with_options() -> None:
    def pipeline(rounds: int = 1) -> Pipeline:
        return Pipeline([PASSES["cse"]() for _ in range(rounds)])

    assert str(parse_pipeline("rounds{rounds=3}", MappingProxyType({"rounds": pipeline}))) == "cse,cse,cse"


@pytest.mark.parametrize("name", PIPELINES)
def test_named_pipelines_can_be_printed_and_read(name: str) -> None:
    assert str(parse_pipeline(str(PIPELINES[name]()), ALL)) == str(PIPELINES[name]())


def test_option_errors_know_their_place_in_the_text() -> None:
    with pytest.raises(OptionError) as caught:
        option_values("options", "count=1 wrong=2", pass_options(Options))
    assert caught.value.offset == 8
    assert options_text(Options()) == ""
