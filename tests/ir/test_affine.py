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
        ((D2 + 1).floordiv(3), "(d2 + 1) floordiv 3"),
        ((D2 + 2).floordiv(3), "d2 ceildiv 3"),
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


@pytest.mark.parametrize(
    ("expr", "same"),
    [
        ((B - 2).floordiv(2) + 1, B.floordiv(2)),
        ((B - 1).floordiv(2) + 1, B.ceildiv(2)),
        ((B + 1).floordiv(2), B.ceildiv(2)),
        ((B - 1).ceildiv(2), B.floordiv(2)),
        ((B * 4 + N + 7).floordiv(4), B + (N + 3).floordiv(4) + 1),
        ((B * 2).floordiv(4), B.floordiv(2)),
        ((B * 2 + 1).floordiv(4), B.floordiv(2)),
        ((B * 3).floordiv(2), B + B.floordiv(2)),
        ((-1 * B).floordiv(2), B.floordiv(2) - B),
        ((B * 5 - 6).mod(4), (B + 2).mod(4)),
        ((B * 6 + 9).mod(4), (B + 0).mod(2) * 2 + 1),
        ((B * 8 + 5).mod(4), AffineConstant(1)),
        ((B * 8 + 5).ceildiv(4), B * 2 + 2),
    ],
)
def test_equal_quotients_are_one_object(expr: AffineExpr, same: AffineExpr) -> None:
    assert expr is same


def test_quotients_of_random_sums_are_one_object_if_and_only_if_a_shift_says_so() -> None:
    """(x + k * r) and x: also where x, k and the factors are negative; and each text reads back as the same object."""
    rng = random.Random(3)
    for _ in range(500):
        x: AffineExpr = AffineConstant(rng.randint(-20, 20))
        for name in (B, N):
            x = x + name * rng.randint(-7, 7)
        divisor, times = rng.randint(1, 12), rng.randint(-5, 5)
        moved = x + (N * times - times) * divisor
        for made, other in (
            (moved.floordiv(divisor), x.floordiv(divisor) + N * times - times),
            (moved.ceildiv(divisor), x.ceildiv(divisor) + N * times - times),
            (moved.mod(divisor), x.mod(divisor)),
            (x.ceildiv(divisor), (x + divisor - 1).floordiv(divisor)),
            (x.floordiv(divisor), (x * 6).floordiv(divisor * 6)),
        ):
            assert made is other, (str(made), str(other))
            assert parse_affine(str(made)) is made
        for point in itertools.product((-13, -2, -1, 0, 1, 5, 12), repeat=2):
            known = dict(zip((B, N), point))
            number = x.evaluate(known.__getitem__)
            assert x.floordiv(divisor).evaluate(known.__getitem__) == number // divisor
            assert x.ceildiv(divisor).evaluate(known.__getitem__) == -(-number // divisor)
            assert x.mod(divisor).evaluate(known.__getitem__) == number % divisor


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


@pytest.mark.parametrize("text", ["B", "B - 2", "(B + 1) floordiv 3", "B * 2 + N - 3", "7", "B ceildiv 3"])
def test_sizes_read_back(text):
    assert str(parse_affine(text)) == text
