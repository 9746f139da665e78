"""Nothing is half there: every op, pass and dialect has its documentation, its meaning and its tests."""

from __future__ import annotations

import inspect
import re

import pytest

from tests.lit_runner import LIT_ROOT, run_lines
from tests.ops.samples import SAMPLES
from tests.ops.test_ops import MOVES
from tir.dialects.all import DIALECTS
from tir.dialects.tir.base import Composite, Reduction, Sequential, Structured
from tir.dialects.transform.base import PatternOp, TransformOp
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.ir.registry import Dialect
from tir.ir.traits import ReturnLike, Symbol, SymbolTable, Terminator
from tir.passes.pipelines import PASSES, PIPELINES
from tir.passes.schedule_run import CONTROL, HANDLERS

OPS = [op for dialect in DIALECTS.values() for op in dialect.ops]
TENSOR_OPS = DIALECTS["tir"].ops

#: Ops of the tensor level that are no function of tensors; they have tests of their own.
WITHOUT_SAMPLES = {"tir.shared", "tir.read", "tir.update", "tir.leaf", "tir.grad", "tir.assert", "tir.print", "tir.name_size"}
WITHOUT_SAMPLES |= {"tir.if", "tir.while", "tir.scan", "tir.checkpoint", "tir.yield", "tir.vjp", "tir.jvp", "tir.jacobian"}
#: Ops whose meaning stands with the op around them, which hands them their values.
PART_OF_ANOTHER = {"linalg.index": "linalg.generic", "tensor.parallel_insert_slice": "scf.forall"}


def ids(classes: list[type[Op]]) -> list[str]:
    return [cls.name for cls in classes]


@pytest.mark.parametrize("cls", OPS, ids=ids(OPS))
def test_op_has_a_docstring_of_its_own(cls: type[Op]) -> None:
    text = vars(cls).get("__doc__") or ""
    assert len(text.split()) >= 1 and text.strip().split("\n")[0].rstrip().endswith((".", ":", "`")), text


def has_meaning(cls: type[Op]) -> bool:
    """The op can be run: by itself, or as what ends a block or stands in a module."""
    runs = hasattr(cls, "reference") or hasattr(cls, "interpret")
    if issubclass(cls, TransformOp):  # transform-interpreter runs it
        return cls in HANDLERS or cls in CONTROL
    return runs or issubclass(cls, (ReturnLike, Symbol, SymbolTable, PatternOp)) or cls.name in PART_OF_ANOTHER


@pytest.mark.parametrize("cls", OPS, ids=ids(OPS))
def test_op_can_be_executed(cls: type[Op]) -> None:
    assert has_meaning(cls), f"{cls.name} has neither reference nor interpret"


def test_the_ops_that_others_run_are_there() -> None:
    names = {cls.name for cls in OPS}
    assert set(PART_OF_ANOTHER) | set(PART_OF_ANOTHER.values()) <= names


@pytest.mark.parametrize("cls", [c for c in TENSOR_OPS if c.name not in WITHOUT_SAMPLES], ids=lambda cls: cls.name)
def test_tensor_op_has_samples(cls: type[Op]) -> None:
    assert any(sample.op == cls.name for sample in SAMPLES)


@pytest.mark.parametrize("cls", TENSOR_OPS, ids=ids(list(TENSOR_OPS)))
def test_tensor_op_says_how_it_is_lowered(cls: type[Op]) -> None:
    """By a loop nest, by other ops, or by name in the one pass that handles it."""
    if issubclass(cls, Composite):
        assert cls.decompose is not Composite.decompose
    elif issubclass(cls, Sequential):
        assert cls.program is not Sequential.program
    elif issubclass(cls, Reduction):
        assert cls.structure is not Structured.structure
    elif issubclass(cls, Structured):
        assert cls.structure is not Structured.structure
        # Slice and pad are views in memory: lower-structured takes them by name.
        assert cls.element is not Structured.element
    elif issubclass(cls, Sequential):
        assert cls.program is not Sequential.program
    else:
        assert cls.name in MOVES | WITHOUT_SAMPLES


@pytest.mark.parametrize("cls", [c for c in TENSOR_OPS if c.name not in WITHOUT_SAMPLES], ids=lambda cls: cls.name)
def test_tensor_op_has_a_gradient_or_says_why_not(cls: type[Op]) -> None:
    assert hasattr(cls, "grad")


def test_what_a_region_ends_in_stands_in_such_ops() -> None:
    by_name = {op.name: op for op in OPS}
    ends = {(end, op.name) for op in OPS for region in op.definition.regions for end in region.ends_in}
    allowed = {(op.name, parent) for op in OPS if issubclass(op, Terminator) for parent in getattr(op, "parent_ops", ())}
    assert {pair for pair in ends if hasattr(by_name[pair[0]], "parent_ops")} == {pair for pair in allowed if pair[1] in by_name}


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_dialect_is_described_and_has_a_lit_file_with_each_of_its_ops(dialect: Dialect) -> None:
    assert dialect.summary.endswith(".")
    path = LIT_ROOT / "dialects" / f"{dialect.name}.tir"
    text = path.read_text(encoding="utf-8")
    spelt = {"func.return": "return", "builtin.module": "module"}
    missing = [op.name for op in dialect.ops if not re.search(rf"(?<![\w.]){re.escape(spelt.get(op.name, op.name))}(?![\w.])", text)]
    assert not missing, f"{path.name} has no {', '.join(missing)}"


@pytest.mark.parametrize("name", PASSES)
def test_pass_is_documented_with_an_example(name: str) -> None:
    text = inspect.getdoc(PASSES[name]) or ""
    first, _, rest = text.partition("\n")
    assert first.endswith("."), f"{name}: the first line must be a sentence"
    assert re.search(r"^    \S", rest, re.MULTILINE), f"{name}: no IR before and after"
    assert not _has_inherited_doc(PASSES[name])


def _has_inherited_doc(cls: type[Pass]) -> bool:
    return vars(cls).get("__doc__") == Pass.__doc__


@pytest.mark.parametrize("name", PASSES)
def test_pass_has_a_lit_file_that_runs_it(name: str) -> None:
    lines = run_lines(LIT_ROOT / "passes" / f"{name}.tir")
    assert any(re.search(rf"--{name}\b", line) for line in lines)


@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline_is_documented_and_has_a_lit_file_that_runs_it(name: str) -> None:
    assert (inspect.getdoc(PIPELINES[name]) or "").endswith(".")
    lines = [line for path in (LIT_ROOT / "lower").glob("*.tir") for line in run_lines(path)]
    assert any(re.search(rf"--{name}\b", line) for line in lines)


def test_passes_are_named_as_their_files() -> None:
    for name, cls in PASSES.items():
        assert cls.__module__ == f"tir.passes.{name.replace('-', '_')}"
