"""The tables of names from elsewhere: what they name is there, and no name means two things."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

import tir
from tir.dialects.all import REGISTRY
from tir.ir.synonyms import METHODS, OPS, WAYS, meant, plain

OP_NAMES = {name.removeprefix("tir.") for name in REGISTRY.op_names() if name.startswith("tir.")}
METHOD_NAMES = {name for name in dir(tir.Builder) if not name.startswith("_")}


@pytest.mark.parametrize("meaning", sorted(set(OPS.values())))
def test_each_op_that_a_name_means_is_there_with_its_words(meaning: str) -> None:
    op, *words = meaning.split()
    cls = REGISTRY.op_class(f"tir.{op}")
    assert cls is not None
    known = {case for one in cls.definition.attributes.values() for case in one.kind.cases}
    assert all(f"`{word}`" in (cls.format or "") or word in known or word.isdigit() for word in words)


@pytest.mark.parametrize("name", sorted(WAYS))
def test_each_op_in_a_sentence_is_there(name: str) -> None:
    named = re.findall(r"tir\.(\w+)", WAYS[name])
    assert all(op in OP_NAMES for op in named)


def test_each_method_that_a_name_means_is_there() -> None:
    assert set(METHODS.values()) <= METHOD_NAMES


@pytest.mark.parametrize(("table", "known"), [(OPS, OP_NAMES), (WAYS, OP_NAMES), (METHODS, METHOD_NAMES)])
def test_no_name_is_one_of_tir(table: Mapping[str, str], known: set[str]) -> None:
    assert not set(table) & known


@pytest.mark.parametrize("table", [{**OPS, **WAYS}, METHODS])
def test_no_name_stands_twice(table: Mapping[str, str]) -> None:
    names = [plain(name) for name in table]
    assert sorted(names) == sorted(set(names))
    assert not set(OPS) & set(WAYS)


@pytest.mark.parametrize("name", ["Conv2D", "conv2d", "convolution", "conv_3d"])
def test_capitals_underscores_and_dimensions_do_not_count(name: str) -> None:
    assert meant(name, {"convolution": "conv", "conv": "conv"}) == "conv"
