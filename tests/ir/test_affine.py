"""Affine expressions and maps, against Python's own integer arithmetic."""

import itertools
import random

import pytest

from tir.ir.affine import AffineConstant, AffineDim, AffineExpr, AffineMap, AffineName, parse_affine
from tir.ir.errors import LimitError

D0, D1, D2 = (AffineDim(i) for i in range(3))
B, N = AffineName("B"), AffineName("N")


def value(expr: AffineExpr, dims: tuple[int, ...]) -> int:
    return expr.evaluate(lambda leaf: dims[leaf.position])


def test_equal_sums_are_one_object():
    assert D0 + D1 * 2 - 1 is -1 + D1 + D0 + D1
    assert B + N is N + B
    assert (B - 2) + 2 is B


def test_terms_that_cancel_disappear():
    assert D0 - D0 is AffineConstant(0)
    assert (D0 * 3 - D0 * 2) is D0


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (D0 + D1 * 2 - 1, "d0 + d1 * 2 - 1"),
        (5 - D0, "-d0 + 5"),
        ((D2 + 1).floordiv(2), "(d2 + 1) floordiv 2"),
        (B - 2, "B - 2"),
        (B.ceildiv(4) * 3, "(B ceildiv 4) * 3"),
        (D0 * -2, "d0 * -2"),
    ],
)
def test_text(expr, text):
    assert str(expr) == text


def test_random_expressions_compute_what_integers_compute():
    rng = random.Random(7)
    points = list(itertools.product((-3, 0, 2, 9), repeat=2))
    for _ in range(300):
        expr: AffineExpr = rng.choice([D0, D1, AffineConstant(rng.randint(-4, 4))])
        meaning = {p: value(expr, p) for p in points}
        for _ in range(rng.randint(1, 5)):
            kind, k = rng.choice(["add", "mul", "floordiv", "ceildiv", "mod"]), rng.randint(1, 5)
            if kind == "add":
                other = rng.choice([D0, D1, AffineConstant(k)])
                expr, meaning = expr + other, {p: m + value(other, p) for p, m in meaning.items()}
            elif kind == "mul":
                factor = rng.choice([-k, k, 0])
                expr, meaning = expr * factor, {p: m * factor for p, m in meaning.items()}
            elif kind == "floordiv":
                expr, meaning = expr.floordiv(k), {p: m // k for p, m in meaning.items()}
            elif kind == "ceildiv":
                expr, meaning = expr.ceildiv(k), {p: -(-m // k) for p, m in meaning.items()}
            else:
                expr, meaning = expr.mod(k), {p: m % k for p, m in meaning.items()}
        assert {p: value(expr, p) for p in points} == meaning, str(expr)


def test_composition_is_application_twice():
    outer = AffineMap(2, 0, (D0 * 2 + D1, D1.floordiv(2)))
    inner = AffineMap(1, 0, (D0 + 1, D0 * 3))
    for i in range(10):
        assert outer.compose(inner).evaluate([i]) == outer.evaluate([i + 1, i * 3])


def test_projected_permutation():
    assert AffineMap.of_dims(3, [2, 0]).is_projected_permutation()
    assert not AffineMap.of_dims(3, [0, 0]).is_projected_permutation()
    assert not AffineMap(1, 0, (D0 + 1,)).is_projected_permutation()


def test_nesting_has_a_limit():
    expr: AffineExpr = D0
    with pytest.raises(LimitError, match="at most 32 nested"):
        for i in range(100):
            expr = (expr + 1).floordiv(2 + i % 2)


@pytest.mark.parametrize("text", ["B", "B - 2", "(B + 1) floordiv 2", "B * 2 + N - 3", "7", "B ceildiv 3"])
def test_sizes_read_back(text):
    assert str(parse_affine(text)) == text
