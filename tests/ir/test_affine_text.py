"""Affine expressions from text: what `str` writes reads back, and anything else is an error with its reason."""

from __future__ import annotations

import pytest

from tir.ir.affine import AffineExpr, AffineName, parse_affine
from tir.ir.errors import LimitError, ParseError

B, N = AffineName("B"), AffineName("N")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("7", B - B + 7),
        ("B", B),
        ("B - 2", B - 2),
        (" 2*B+ N ", B * 2 + N),
        ("-B + 4", 4 - B),
        ("-(B - 1) * 3", (B - 1) * -3),
        ("B floordiv 2", B.floordiv(2)),
        ("(B + 1) ceildiv 2 - 1", (B + 1).ceildiv(2) - 1),
        ("B mod 4 * 2", B.mod(4) * 2),
        ("B - N - 1", B - N - 1),
    ],
)
def test_an_expression_reads_as_it_is_meant(text: str, want: AffineExpr) -> None:
    assert parse_affine(text) is want
    assert parse_affine(str(want)) is want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it ends too early"),
        ("B -", "it ends too early"),
        ("B N", "unexpected 'N'"),
        ("B * N", "'[*]' needs an integer on one side"),
        ("B floordiv 0", "'floordiv' needs a positive integer on its right"),
        ("B mod -1", "'mod' needs a positive integer on its right"),
        ("4 floordiv B", "'floordiv' needs a positive integer on its right"),
        ("(B", r"a '\(' is not closed"),
        ("B)", r"unexpected '\)'"),
        ("1x", "unexpected 'x'"),
        ("B / 2", "unexpected '/'"),
        ("mod", "unexpected 'mod'"),
        ("B\x00", "unexpected"),
        ("9" * 5000, "unexpected"),
    ],
)
def test_anything_else_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        parse_affine(text)


@pytest.mark.parametrize("text", ["(" * 100_000, "-" * 100_000 + "B"])
def test_nesting_has_a_limit(text: str) -> None:
    with pytest.raises(LimitError, match="at most 32 nested"):
        parse_affine(text)
