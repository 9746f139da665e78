"""The table of upstream's forms is right, complete, and fits the declarations."""

from __future__ import annotations

import re

import pytest

from tests.dialects.upstream_forms_scalar import ARGUMENTS, FORMS
from tir.dialects import arith, builtin, func, math
from tir.ir.printer import print_op
from tir.ir.registry import Registry
from tir.parser.parse import parse_text

REGISTRY = Registry((builtin.DIALECT, func.DIALECT, arith.DIALECT, math.DIALECT))
SCALAR_OPS = {op.name for dialect in (arith.DIALECT, math.DIALECT) for op in dialect.ops}
NAMES = re.findall(r"%\w+", ARGUMENTS)


def name_of(short: str) -> str:
    return short.split()[0]


@pytest.mark.parametrize(("short", "generic"), FORMS)
def test_upstream_reads_and_prints_the_two_forms(short: str, generic: str) -> None:
    ir = pytest.importorskip("torch_mlir.ir", reason="upstream MLIR is not installed")

    def spelt(text: str) -> str:
        text = re.sub(r"%arg(\d+)", lambda m: NAMES[int(m[1])], text.split(" = ", 1)[1])
        return re.sub(r"-?\d+\.\d+e[+-]\d+", lambda m: repr(float(m[0])), text)

    with ir.Context() as context:
        context.load_all_available_dialects()
        for form in (short, generic):
            results = "%r:2" if "_extended" in form else "%r"
            module = ir.Module.parse(f"func.func @f({ARGUMENTS}) {{\n {results} = {form}\n return\n}}")
            module.operation.verify()
            op = module.body.operations[0].regions[0].blocks[0].operations[0].operation
            assert spelt(op.get_asm(use_local_scope=True)) == short
            assert spelt(op.get_asm(use_local_scope=True, print_generic_op_form=True)) == generic


@pytest.mark.parametrize(("short", "generic"), FORMS)
def test_tir_reads_and_prints_the_two_forms(short: str, generic: str) -> None:
    results = "%r:2" if "_extended" in short else "%r"
    for form in (short, generic):
        module = parse_text(f"func.func @f({ARGUMENTS}) {{\n  {results} = {form}\n  return\n}}\n", REGISTRY)
        assert f"  {results} = {short}\n" in print_op(module)
        assert f"  {results} = {generic}\n" in print_op(module, generic=True)


def test_every_op_has_a_form() -> None:
    missing = SCALAR_OPS - {name_of(short) for short, _ in FORMS}
    assert not missing


@pytest.mark.parametrize(("short", "generic"), FORMS)
def test_declarations_have_upstreams_operands_and_properties(short: str, generic: str) -> None:
    cls = REGISTRY.op_class(name_of(short))
    assert cls is not None
    definition = cls.definition
    properties = re.search(r"<\{(.*)\}>", generic)
    named = set(re.findall(r"(\w+) = |\b(isExact|nonNeg)\b", properties[1])) if properties else set()
    given = {a or b for a, b in named}
    needed = {n for n, field in definition.attributes.items() if field.many == ""}
    assert needed <= given <= set(definition.attributes)
    operands = re.search(r"\"\((.*?)\)", generic)
    assert operands is not None
    assert len(re.findall("%", operands[1])) == len(definition.operands)
