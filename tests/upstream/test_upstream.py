"""Upstream MLIR accepts every module that tir prints below the tensor level, reads the same in it, and computes the same.

Judged are the examples, what the RUN lines under tests/lit print, and random programs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, Outcome, compare, module_at, spread
from tests.lit_runner import LIT_ROOT, LitError, discover, run_file
from tests.random_programs import random_program
from tests.upstream.judge import Program, Verdict, execute, installed_version, judge, wanted_version
from tir.check import InputSpec, generate_inputs, input_ranges
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.ir import Op, UnregisteredOp
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.parser.raw import split_file

EXAMPLES = sorted((LIT_ROOT.parent.parent / "examples").glob("*.tir"))
MODELS = sorted((LIT_ROOT.parent / "models").glob("*.tir"))
BELOW_TENSOR = [name for name in LEVELS if name != "tensor" and not name.startswith("cpu")]
JUDGED_SEEDS = range(6)
EXECUTED_SEEDS = range(200, 210)
NAMED_SIZE = re.compile(r"[<x]\[[A-Za-z]")  # tensor<4x[N]xf32>
GROUP = pytest.mark.xdist_group("upstream")  # one worker runs upstream: it wants much memory
IS_CI = os.environ.get("CI", "").lower() == "true"


@pytest.fixture(scope="module", autouse=True)
def upstream() -> None:
    """Skips the tests of this file without the wheel; on CI that fails."""
    if installed_version() is None:
        message = f"upstream MLIR is not installed: pip install torch-mlir=={wanted_version()}"
        pytest.fail(message) if IS_CI else pytest.skip(message)


@GROUP
def test_installed_version_is_the_tested_one() -> None:
    assert installed_version() == wanted_version()


def assert_accepted(texts: Mapping[str, str]) -> None:
    """Upstream accepts all of them; none at all is a failure."""
    assert texts, "there is nothing to judge"
    verdicts = dict(zip(texts, judge(list(texts.values())), strict=True))
    wrong = [f"{name}: {verdict.error}" for name, verdict in verdicts.items() if verdict.error]
    assert not wrong, f"{len(wrong)} of {len(texts)}:\n" + "\n".join(wrong)


def at_every_level(path: Path) -> dict[str, str]:
    """The program of a file at every level below the tensor level."""
    text = path.read_text(encoding="utf-8")
    return {f"{path.name} at {name}": print_op(module_at(text, LEVELS[name][0]())) for name in BELOW_TENSOR}


@GROUP
@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=[pytest.mark.slow] if path.stem in ("convnet", "rnn") else [], id=path.stem) for path in EXAMPLES],
)  # fmt: skip
def test_upstream_accepts_every_example_at_every_level(path: Path) -> None:
    assert_accepted(at_every_level(path))


@GROUP
@pytest.mark.slow
@pytest.mark.parametrize("start", range(10))
def test_upstream_accepts_every_model_at_every_level(start: int) -> None:
    assert_accepted({name: text for path in MODELS[start::10] for name, text in at_every_level(path).items()})


@GROUP
def test_upstream_accepts_random_programs_at_every_level() -> None:
    texts = {
        f"seed {seed} at {name}": print_op(module_at(random_program(seed).text, LEVELS[name][0]()))
        for seed in JUDGED_SEEDS
        for name in BELOW_TENSOR
    }
    assert_accepted(texts)


@GROUP
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in (1, 2))])
def test_upstream_accepts_what_the_run_lines_print(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_accepted(dict(_printed_by_lit(tmp_path, part)))


def _printed_by_lit(folder: Path, part: int) -> Iterator[tuple[str, str]]:
    """The modules below the tensor level that a `tir-opt` of a RUN line prints, by file and number; each third file."""
    for path in list(discover())[part::3]:
        printed: set[str] = set()
        try:
            outcomes = list(run_file(path, folder))
        except LitError:
            continue  # test_lit.py says what is wrong with it
        for outcome in outcomes:
            for step in outcome.steps:
                if step.args[0] == "tir-opt" and step.code == 0:
                    printed.update(part for _, part in split_file(step.stdout.decode("utf-8")))
        for number, text in enumerate(sorted(printed)):
            if _is_below_tensor_level(text):
                yield f"{path.relative_to(LIT_ROOT)} {number}", text


def _is_below_tensor_level(text: str) -> bool:
    """The text is a module with ops, none of the tensor level and none that tir does not know, and without named sizes."""
    if not text.lstrip().startswith(("module", '"builtin.module"')) or NAMED_SIZE.search(text):
        return False  # a list of passes, for example
    if "__elided__" in text:
        return False  # printed to be looked at
    ops = list(parse_text(text, REGISTRY, allow_unregistered=True).walk())
    return len(ops) > 1 and not any(op.name.startswith("tir.") or isinstance(op, UnregisteredOp) for op in ops)


# --- upstream's own pipeline -----------------------------------------------------------------------------------------


@GROUP
def test_upstream_computes_the_same_numbers_from_random_programs() -> None:
    """From the structured level, which is where upstream's own passes start."""
    programs: dict[str, Program] = {}
    uncertain: dict[str, Mapping[str, Any]] = {}
    for seed in EXECUTED_SEEDS:
        program = random_program(seed)
        arguments, shaken = program.arguments(), program.shaken()
        state = Executable(parse_text(program.text, REGISTRY), "interpret").state
        module = module_at(program.text, LEVELS["structured"][0]())
        name = f"seed {seed}"
        programs[name] = _program(module, "main", [*arguments.values(), *_used(module, "main", state)])
        uncertain[name] = spread(shaken.text, [{**shaken.arguments(run), **arguments} for run in range(3)])
    assert_same_numbers(programs, uncertain)


@GROUP
@pytest.mark.parametrize(
    "path",
    # Upstream compiles these training steps for 10 seconds and more.
    [pytest.param(path, marks=pytest.mark.slow) if path.stem in ("convnet", "rnn") else path for path in EXAMPLES],
    ids=[path.stem for path in EXAMPLES],
)
def test_upstream_computes_the_same_numbers_from_the_examples(path: Path) -> None:
    programs: dict[str, Program] = {}
    text = path.read_text(encoding="utf-8")
    given = parse_text(text, REGISTRY)
    state = Executable(given, "interpret").state
    module = module_at(text, LEVELS["structured"][0]())
    for function in (op for op in given.body if op.name == "func.func" and not op.is_private):
        name = function.sym_name
        arrays = [*_generated(function), *_used(module, name, state)]
        programs[f"{path.name} @{name}"] = _program(module, name, arrays)
    assert programs
    assert_same_numbers(programs)


def _generated(function: Op) -> list[Any]:
    """Arguments for a function of the tensor level."""
    pairs = enumerate(zip(function.arguments, input_ranges(function)))
    specs = [InputSpec(str(i), argument.type, limits) for i, (argument, limits) in pairs]
    return list(generate_inputs(specs, seed=1).values())


def _function(module: Op, name: str) -> Op:
    return next(op for op in module.body if op.name == "func.func" and op.sym_name == name)


def _used(module: Op, entry: str, state: Mapping[str, Any]) -> list[Any]:
    """The values of the shared variables that a function takes, in order."""
    function = _function(module, entry)
    symbols = [function.argument_attribute(i, "tir.shared") for i in range(len(function.arguments))]
    return [state[symbol.root] for symbol in symbols if symbol is not None]


def _program(module: Op, entry: str, arrays: Sequence[Any]) -> Program:
    """Unsigned numbers are given as the signless ones that stand for them below the tensor level."""
    signless = [array.view(array.dtype.str.replace("u", "i")) if array.dtype.kind == "u" else array for array in arrays]
    return Program(print_op(module), entry, signless)


def assert_same_numbers(programs: Mapping[str, Program], uncertain: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """uncertain: for each program the spread of its outcomes, see `tests/levels.py`."""
    wrong = []
    for (name, program), got in zip(programs.items(), execute(list(programs.values())), strict=True):
        if isinstance(got, str):
            wrong.append(f"{name}: {got}")
            continue
        module = parse_text(program.text, REGISTRY)
        want = Interpreter(module).run(program.entry, program.arguments)
        labels = _labels(_function(module, program.entry))
        ours, theirs = (Outcome(dict(zip(labels, arrays, strict=True))) for arrays in (want, got))
        if (difference := compare(ours, theirs, (uncertain or {}).get(name, {}))) is not None:
            wrong.append(f"{name}: {difference}")
    assert not wrong, "\n".join(wrong)


def _labels(function: Op) -> list[str]:
    """What the outcome of a run calls the results of the first call, and the new values of shared variables."""
    symbols = [function.result_attribute(i, "tir.update") for i in range(len(function.function_type.results))]
    return [f"result {i} of call 0" if symbol is None else f"@{symbol.root}" for i, symbol in enumerate(symbols)]


# --- the judge itself --------------------------------------------------------------------------------------------------


def judged(body: str) -> Verdict:
    return judge([f"func.func @f(%x: f32) -> f32 {{\n{body}\n}}"])[0]


@GROUP
def test_judge_refuses_what_upstream_does_not_know() -> None:
    text = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n  %0 = tir.exp %x : tensor<4xf32>\n  return %0 : tensor<4xf32>\n}"
    assert "upstream refuses it" in judge([text])[0].error


@GROUP
def test_judge_accepts_a_function_whatever_its_values_are_called() -> None:
    assert judged("  %apples = arith.addf %x, %x : f32\n  return %apples : f32").error == ""


@GROUP
def test_program_that_ends_the_process_does_not_take_the_others_with_it() -> None:
    def program(condition: str) -> Program:
        text = (
            "func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
            f'  %c = arith.constant {condition}\n  cf.assert %c, "fails"\n  return %x : tensor<2xf32>\n}}'
        )
        return Program(text, "f", [np.ones(2, np.float32)])

    first, second, third = execute([program("true"), program("false"), program("true")])
    assert isinstance(second, str) and "ended with code" in second
    for good in (first, third):
        np.testing.assert_array_equal(good[0], np.ones(2, np.float32))
