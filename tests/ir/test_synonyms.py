"""The tables of names from elsewhere: what they name is there, and no name means two things."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

import pytest

import tir
from tir.dialects.all import REGISTRY
from tir.dialects.tir.build.core import Tensor
from tir.ir.synonyms import ATTRIBUTES, FUNCTIONS, METHODS, OPERATORS, OPS, WAYS, WORD_WAYS, WORDS, meant, plain

OP_NAMES = {name.removeprefix("tir.") for name in REGISTRY.op_names() if name.startswith("tir.")}
METHOD_NAMES = {name for name in dir(tir.Builder) if not name.startswith("_")}


@pytest.mark.parametrize("meaning", sorted({*OPS.values(), *OPERATORS.values()}))
def test_each_op_that_a_name_means_is_there_with_its_words(meaning: str) -> None:
    op, *words = meaning.split()
    cls = REGISTRY.op_class(f"tir.{op}")
    assert cls is not None
    known = {case for one in cls.definition.attributes.values() for case in one.kind.cases}
    assert all(f"`{word}`" in (cls.format or "") or word in known or word.isdigit() for word in words)


@pytest.mark.parametrize("sentence", sorted({*WAYS.values(), *WORD_WAYS.values()}))
def test_each_op_in_a_sentence_is_there_and_a_method_too(sentence: str) -> None:
    named = set(re.findall(r"tir\.(\w+)", sentence))
    assert named <= OP_NAMES & METHOD_NAMES


def known_words() -> set[str]:
    """The words of the forms of ops, and the arguments of methods."""
    classes = [REGISTRY.op_class(f"tir.{name}") for name in OP_NAMES]
    words = {word for cls in classes for word in re.findall(r"`(\w+)`", getattr(cls, "format", None) or "")}
    methods = [method for _, method in inspect.getmembers(tir.Builder, inspect.isfunction)]
    return words | {name for method in methods for name in inspect.signature(method).parameters} | {"over"}


def test_each_word_that_a_word_means_is_there() -> None:
    meant_words = {word for ways in WORDS.values() for way in ways.split("|") for word in way.split()}
    assert meant_words <= known_words()


def test_each_attribute_and_function_that_a_name_means_is_there() -> None:
    named = {name for sentence in ATTRIBUTES.values() for name in re.findall(r"\bb\.(\w+)", sentence)} - {"module"}
    assert named <= METHOD_NAMES and set(FUNCTIONS) <= set(tir.__all__)
    assert not set(ATTRIBUTES) & {name for name in dir(Tensor) if not name.startswith("_")}


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
