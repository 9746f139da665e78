"""The table of upstream's forms is right and complete, and tir reads and prints the same forms."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.dialects.programs import STRUCTURE, module
from tests.dialects.upstream_forms_structure import FORMS
from tir.ir.printer import print_op


@pytest.fixture(scope="module")
def upstream() -> Any:
    """What upstream MLIR makes of a text: it parses, verifies and prints the generic form."""
    ir = pytest.importorskip("torch_mlir.ir", reason="upstream MLIR is not installed")
    context = ir.Context()
    context.load_all_available_dialects()

    def generic(text: str) -> str:
        with context, ir.Location.unknown():
            return str(ir.Module.parse(text).operation.get_asm(print_generic_op_form=True))

    return generic


def without_names(text: str) -> str:
    """The text with values and blocks numbered in the order in which they occur, and without comments."""
    numbers: dict[str, int] = {}
    text = re.sub(r" *//.*", "", text).strip()
    return re.sub(r"[%^][\w$.]+", lambda m: f"{m[0][0]}{numbers.setdefault(m[0], len(numbers))}", text)


@pytest.mark.parametrize("name", FORMS)
def test_upstream_makes_the_generic_form_of_the_short_one(name: str, upstream: Any) -> None:
    short, generic = FORMS[name]
    assert upstream(short).strip() == generic.strip()


@pytest.mark.parametrize("name", FORMS)
def test_both_forms_are_one_module(name: str) -> None:
    short, generic = (print_op(module(text), generic=True) for text in FORMS[name])
    assert without_names(short) == without_names(generic)


@pytest.mark.parametrize("name", FORMS)
def test_upstream_reads_what_tir_prints(name: str, upstream: Any) -> None:
    short, generic = FORMS[name]
    parsed = module(short)
    assert without_names(upstream(print_op(parsed))) == without_names(generic)
    assert without_names(upstream(print_op(parsed, generic=True))) == without_names(generic)


@pytest.mark.parametrize("name", FORMS)
def test_printed_form_is_read_back(name: str) -> None:
    text = print_op(module(FORMS[name][0]))
    assert print_op(module(text)) == text


def test_every_op_has_a_form() -> None:
    words = {word for _, generic in FORMS.values() for word in re.findall(r'"([\w.]+)"[(]', generic)}
    missing = {op.name for dialect in STRUCTURE for op in dialect.DIALECT.ops} - words
    assert not missing
