"""Positions count what the editor counts: UTF-16 units, bytes or characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tir.lsp.positions import Lines

TEXT = "a😀é\n\r\nß\rx"


@pytest.mark.parametrize(("encoding", "widths"), [
    ("utf-8", [0, 1, 5, 7]), ("utf-16", [0, 1, 3, 4]), ("utf-32", [0, 1, 2, 3]),
])  # fmt: skip
def test_characters_are_as_wide_as_the_encoding_says(encoding: str, widths: list[int]) -> None:
    lines = Lines(TEXT, encoding)
    assert [lines.position(offset) for offset in range(4)] == [(0, width) for width in widths]
    assert [lines.offset(0, width) for width in widths] == [0, 1, 2, 3]


def test_lines_end_as_the_protocol_says() -> None:
    lines = Lines(TEXT)
    assert lines.position(TEXT.index("ß")) == (2, 0) and lines.position(TEXT.index("x")) == (3, 0)
    # What str.splitlines takes for line ends is none here.
    assert Lines("a\u2028b\x0bc").position(4) == (0, 4)


def test_position_outside_is_taken_into_the_text() -> None:
    lines = Lines("ab\ncd")
    assert [lines.offset(0, 99), lines.offset(9, 0), lines.offset(-1, 3), lines.offset(1, -5)] == [2, 5, 0, 3]
    assert lines.position(-4) == (0, 0) and lines.position(99) == (1, 2)


def test_position_inside_a_character_is_in_front_of_it() -> None:
    assert Lines("😀x").offset(0, 1) == 0


@given(st.text(alphabet="a%é😀\n\r \u2028", max_size=40), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_offset_survives_there_and_back(text: str, encoding: str) -> None:
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        there = lines.offset(*lines.position(offset))
        assert there == offset or text[offset - 1 : offset] == "\r"  # behind the \r of \r\n is no place of its own
