"""Matrices and their equations: rows, by scipy in f64 or by the equation itself, and smooth points."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.linalg

from tests.ops.samples.base import NAN, ULP, Sample, Smooth, array, random, row, smooth

BATCHES = ((3, 3), (1, 1), (0, 0), (2, 3, 3), (0, 2, 2), (2, 0, 0))


def definite(shape: tuple[int, ...], name: str) -> np.ndarray:
    """Symmetric matrices, positive definite."""
    x = random(shape, "f64")
    return (x @ np.swapaxes(x, -1, -2) + 2 * np.eye(shape[-1])).astype(random((1,), name).dtype)


def regular(shape: tuple[int, ...], name: str) -> np.ndarray:
    """Matrices that need their rows exchanged, far from singular."""
    x = random(shape, "f64") + 3 * np.roll(np.eye(shape[-1]), 1, 0)
    return x.astype(random((1,), name).dtype)


def each(function, *stacks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    found = np.zeros((*stacks[0].shape[:-2], *shape))
    for place in np.ndindex(*stacks[0].shape[:-2]):
        found[place] = function(*(x[place].astype("float64") for x in stacks)) if stacks[0][place].size else found[place]
    return found


def rows() -> list[Sample]:
    found = []
    for name, shape in itertools.product(("f32", "f64"), BATCHES):
        n, rtol = shape[-1], 256 * ULP[name]
        a, b = definite(shape, name), random((*shape[:-1], 2), name, seed=1)
        want = each(lambda m: scipy.linalg.cholesky(m, lower=True), a, shape=(n, n)).astype(a.dtype)
        found.append(row("tir.cholesky", "%0 : {r}", [a], want, rtol=rtol))
        for upper, transpose, unit in itertools.product((False, True), repeat=3):
            words = f"{'upper ' * upper}{'transpose ' * transpose}{'unit ' * unit}"

            def solved(m, v, u=upper, t=transpose, d=unit):
                return scipy.linalg.solve_triangular(m, v, lower=not u, trans=int(t), unit_diagonal=d)

            want = each(solved, a, b, shape=(n, 2)).astype(a.dtype)
            found.append(row("tir.triangular_solve", f"%0, %1 {words}: {{0}}, {{r}}", [a, b], want, rtol=rtol))
        a = regular(shape, name)
        want = each(scipy.linalg.solve, a, b, shape=(n, 2)).astype(a.dtype)
        found.append(row("tir.solve", "%0, %1 : {0}, {r}", [a, b], want, rtol=rtol))
        found.append(row("tir.inv", "%0 : {r}", [a], each(scipy.linalg.inv, a, shape=(n, n)).astype(a.dtype), rtol=rtol))
        dets = [scipy.linalg.det(a[place].astype("float64")) if n else 1.0 for place in np.ndindex(*shape[:-2])]
        found.append(row("tir.det", "%0 : {0} -> {r}", [a], np.array(dets, a.dtype).reshape(shape[:-2]), rtol=rtol))
    return found + edge_rows()


def edge_rows() -> list[Sample]:
    singular, ones = array([[1, 2], [2, 4]], "f64"), np.ones((2, 1))
    indefinite = array([[1, 2], [2, 1]], "f64")
    a, b = regular((3, 3), "f64"), random((3, 1), "f64")
    return [
        row("tir.cholesky", "%0 : {r}", [indefinite], array([[1, 0], [2, NAN]], "f64")),
        row("tir.cholesky", "%0 : {r}", [array([[4, 9], [2, 5]], "f64")], array([[2, 0], [1, 2]], "f64")),
        row("tir.solve", "%0, %1 : {0}, {r}", [singular, ones], np.full((2, 1), NAN)),
        row("tir.inv", "%0 : {r}", [singular], np.full((2, 2), NAN)),
        # 0.1348 * (1 / 0.1348) is not 1: who multiplies by the reciprocal of a pivot takes this matrix for regular.
        row("tir.inv", "%0 : {r}", [np.full((2, 2), 0.1348)], np.full((2, 2), NAN)),
        row("tir.det", "%0 : {0} -> {r}", [singular], np.array(0.0), rtol=1e-15),
        row("tir.det", "%0 : {0} -> {r}", [array([[0, 1], [1, 0]], "f64")], np.array(-1.0)),
        row("tir.solve", "%0, %1 : {0}, {r}", [a, b], np.linalg.solve(a, b), dims=[("[N]", "?"), ("[N]", "?")],
            result=("[N]", "?"), rtol=1e-13),
    ]  # fmt: skip


def points() -> list[Smooth]:
    a, s, b = definite((2, 3, 3), "f64"), regular((3, 3), "f64"), random((3, 2), "f64")
    return [
        smooth("tir.cholesky", "%0 : {r}", [a[0]], (3, 3)),
        smooth("tir.cholesky", "%0 : {r}", [a], (2, 3, 3), order=1),
        smooth("tir.triangular_solve", "%0, %1 : {0}, {r}", [s + 4 * np.eye(3), b], (3, 2), wrt=(0, 1)),
        smooth("tir.triangular_solve", "%0, %1 upper transpose unit : {0}, {r}", [s, b], (3, 2), wrt=(0, 1)),
        smooth("tir.solve", "%0, %1 : {0}, {r}", [s, b], (3, 2), wrt=(0, 1)),
        smooth("tir.inv", "%0 : {r}", [s], (3, 3)),
        smooth("tir.det", "%0 : {0} -> {r}", [s], ()),
        smooth("tir.det", "%0 : {0} -> {r}", [np.stack([s, 2 * s])], (2,), order=1),
    ]


#: Shapes of square matrices, and sizes as types have them.
SQUARES: tuple[tuple[tuple[int, ...], tuple[int | str, ...]], ...] = (
    ((1, 1), (1, 1)), ((2, 2), ("[N]", "[N]")), ((3, 3), ("?", "?")), ((4, 4), (4, 4)), ((5, 5), ("[N]", "[N]")),
    ((0, 0), ("[N]", "[N]")), ((1, 2, 2), (1, 2, 2)), ((3, 1, 1), ("[B]", 1, 1)), ((2, 3, 3), ("?", "[N]", "[N]")),
    ((0, 2, 2), ("[B]", 2, 2)), ((2, 1, 2, 2), (2, 1, 2, 2)), ((2, 0, 0), (2, 0, 0)),
)  # fmt: skip


def more_points() -> list[Smooth]:
    found = []
    for number, (shape, sizes) in enumerate(SQUARES):
        columns = number % 3 + 1
        a, s, b = definite(shape, "f64"), regular(shape, "f64"), random((*shape[:-1], columns), "f64", seed=1)
        right = (*sizes[:-1], columns)
        words = f"{'upper ' * (number % 2)}{'transpose ' * (number // 2 % 2)}{'unit ' * (number // 4 % 2)}"
        pair = {"wrt": (0, 1), "dims": {0: sizes, 1: right}}
        steep = s + 4 * np.eye(shape[-1])
        found += [
            smooth("tir.cholesky", "%0 : {r}", [a], sizes, dims={0: sizes}),
            smooth("tir.inv", "%0 : {r}", [s], sizes, dims={0: sizes}),
            smooth("tir.det", "%0 : {0} -> {r}", [s], sizes[:-2], dims={0: sizes}),
            smooth("tir.solve", "%0, %1 : {0}, {r}", [s, b], right, **pair),
            smooth("tir.triangular_solve", f"%0, %1 {words}: {{0}}, {{r}}", [steep, b], right, **pair),
        ]
    return found
