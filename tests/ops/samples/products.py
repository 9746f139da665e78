"""Products of vectors, matrices and tensors: rows and smooth points."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tests.ops.samples.base import NAMES, SMALL, ULP, Sample, Smooth, random, row, smooth, widened, wrap


def by_loops(spec: str, *xs: np.ndarray) -> np.ndarray:
    """An einsum by its definition: a loop for each letter, exact sums of the products, rounded once."""
    left, out = spec.split("->")
    operands = left.split(",")
    sizes = {letter: size for axes, x in zip(operands, xs) for letter, size in zip(axes, x.shape)}
    summed = [letter for letter in sizes if letter not in out]
    found, wide = np.zeros([sizes[letter] for letter in out], xs[0].dtype), [widened(x) for x in xs]
    for place in np.ndindex(found.shape):
        at = dict(zip(out, place))
        terms = []
        for inner in itertools.product(*(range(sizes[letter]) for letter in summed)):
            at.update(zip(summed, inner))
            terms.append(math.prod(x[tuple(at[letter] for letter in axes)].item() for axes, x in zip(operands, wide)))
        exact = found.dtype.kind in "iu"
        found[place] = wrap(sum(terms), NAMES[found.dtype]) if exact else math.fsum(terms)
    return found


DOTS = (((2, 3), (3, 4)), ((2, 3), (3,)), ((3,), (3, 4)), ((3,), (3,)), ((1, 1), (1, 1)), ((2, 0), (0, 3)), ((0,), (0,)),
        ((0, 3), (3, 2)))  # fmt: skip

#: The lists of `tir.dot_general`, the same as an einsum, and shapes.
GENERAL = (
    ("batch [0] x [0] contract [2] x [1]", "bik,bkj->bij", (2, 3, 4), (2, 4, 5)),
    ("batch [0] x [0] contract [2] x [2]", "bik,bjk->bij", (2, 3, 4), (2, 5, 4)),
    ("batch [1, 0] x [0, 1] contract [2] x [3]", "abk,bajk->baj", (2, 3, 4), (3, 2, 5, 4)),
    ("batch [] x [] contract [0, 2] x [1, 0]", "kil,lkj->ij", (2, 3, 4), (4, 2, 5)),
    ("batch [] x [] contract [] x []", "i,jk->ijk", (2,), (3, 2)),
    ("batch [0] x [1] contract [] x []", "b,jb->bj", (3,), (2, 3)),
    ("batch [] x [] contract [0] x [0]", "k,k->", (3,), (3,)),
    ("batch [0] x [0] contract [1] x [1]", "bk,bk->b", (2, 0), (2, 0)),
    ("batch [0] x [0] contract [2] x [1]", "bik,bkj->bij", (0, 3, 4), (0, 4, 5)),
)
EINSUMS = (
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,kj->ki", (2, 3), (4, 3)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("gok,ngkp->ngop", (2, 3, 2), (2, 2, 2, 3)),
    ("ii->i", (3, 3)),
    ("ii->", (3, 3)),
    ("iij->ji", (2, 2, 3)),
    ("ij->", (2, 3)),
    ("->", ()),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("ab,bc,cd->ad", (2, 3), (3, 2), (2, 4)),
    ("i,j->ji", (2,), (3,)),
    ("ij,j->i", (2, 0), (0,)),
)  # fmt: skip
NAMES_TESTED = ("f32", "f64", *SMALL, "i32", "ui8")


def rows() -> list[Sample]:
    found = []
    for name in NAMES_TESTED:
        rtol = (0.51 if name in SMALL else 16) * ULP.get(name, 0)  # small types accumulate in f32
        for left, right in DOTS:
            x, y = random(left, name), random(right, name, seed=1)
            spec = f"{'ik'[2 - len(left) :]},{'kj'[: len(right)]}->{'i' * (len(left) - 1)}{'j' * (len(right) - 1)}"
            found.append(row("tir.dot", "%0, %1 : {r}", [x, y], by_loops(spec, x, y), rtol=rtol))
        for lists, spec, *shapes in GENERAL:
            xs = [random(shape, name, seed=i) for i, shape in enumerate(shapes)]
            found.append(row("tir.dot_general", f"%0, %1 {lists} : {{r}}", xs, by_loops(spec, *xs), rtol=rtol))
        for spec, *shapes in EINSUMS:
            xs = [random(shape, name, seed=i) for i, shape in enumerate(shapes)]
            names = ", ".join(f"%{i}" for i in range(len(xs)))
            found.append(row("tir.einsum", f'"{spec}" {names} : {{r}}', xs, by_loops(spec, *xs), rtol=2 * rtol))
    return found + sized_rows()


def sized_rows() -> list[Sample]:
    """Sizes that only run time knows."""
    x, y = random((2, 3), "f64"), random((3, 4), "f64", seed=1)
    p, q = random((2, 3, 4), "f32"), random((2, 4, 5), "f32", seed=1)
    product = by_loops("bik,bkj->bij", p, q)
    lists = "batch [0] x [0] contract [2] x [1]"
    return [
        row("tir.dot", "%0, %1 : {r}", [x, y], by_loops("ik,kj->ij", x, y), dims=[("[N]", "?"), (3, 4)],
            result=("[N]", 4), rtol=1e-15),
        row("tir.dot_general", f"%0, %1 {lists} : {{r}}", [p, q], product, dims=[("[B]", "?", 4), ("[B]", 4, "[N]")],
            result=("[B]", "?", "[N]"), rtol=1e-6),
        row("tir.einsum", '"bik,bkj->bij" %0, %1 : {r}', [p, q], product, dims=[("?", 3, "?"), ("[B]", 4, "?")],
            result=("[B]", 3, "?"), rtol=1e-6),
        row("tir.einsum", '"ii->i" %0 : {r}', [x[:, :2]], np.diag(x[:, :2]), dims=[("[N]", "?")], result=("[N]",)),
    ]  # fmt: skip


def points() -> list[Smooth]:
    x, y = random((2, 3), "f64"), random((2, 3), "f64", seed=1)
    found = [
        smooth("tir.dot", "%0, %1 : {r}", [x, random((3, 4), "f64")], (2, 4), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x, y[0]], (2,), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x[:, 0], y], (3,), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x[0], y[0]], (), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x, y[0]], ("[N]",), dims={0: ("[N]", "?")}, wrt=(0, 1)),
    ]
    for lists, spec, *shapes in GENERAL[:6]:
        xs = [random(shape, "f64", seed=i) for i, shape in enumerate(shapes)]
        shape = by_loops(spec, *xs).shape
        found.append(smooth("tir.dot_general", f"%0, %1 {lists} : {{r}}", xs, shape, wrt=(0, 1)))
    for spec, *shapes in EINSUMS[:-1]:
        xs = [random(shape, "f64", seed=i) for i, shape in enumerate(shapes)]
        names = ", ".join(f"%{i}" for i in range(len(xs)))
        shape, wrt = by_loops(spec, *xs).shape, tuple(range(len(xs)))
        found.append(smooth("tir.einsum", f'"{spec}" {names} : {{r}}', xs, shape, wrt=wrt))
    return found


#: Products of matrices and vectors: shapes, and sizes as types have them.
SIZED_DOTS: tuple[tuple[Any, ...], ...] = (
    ((2, 3), ("[M]", 3), (3, 1), (3, "?")), ((1, 3), (1, "?"), (3, 2), (3, "[N]")), ((4,), ("[K]",), (4,), ("[K]",)),
    ((5, 2), ("?", 2), (2,), ("?",)), ((2,), ("[K]",), (2, 5), ("[K]", 5)), ((0, 3), ("[M]", 3), (3, 2), (3, 2)),
)  # fmt: skip
#: The sizes of the types of products whose lists and shapes are those of GENERAL.
SIZED_GENERAL = ((0, ("[B]", 3, "?"), ("[B]", 4, "[N]")), (3, ("?", 3, "[L]"), ("[L]", "?", 5)))
MORE_GENERAL = (
    ("batch [] x [] contract [1] x [0]", "ik,kj->ij", (1, 1), (1, 1)),
    ("batch [0, 1] x [0, 1] contract [2] x [2]", "abk,abk->ab", (2, 1, 3), (2, 1, 3)),
)


def more_points() -> list[Smooth]:
    found = []
    for left, right in DOTS:
        x, y = random(left, "f64"), random(right, "f64", seed=1)
        found.append(smooth("tir.dot", "%0, %1 : {r}", [x, y], (*left[:-1], *right[1:]), wrt=(0, 1)))
    for left, left_sizes, right, right_sizes in SIZED_DOTS:
        x, y, dims = random(left, "f64"), random(right, "f64", seed=1), {0: left_sizes, 1: right_sizes}
        found.append(smooth("tir.dot", "%0, %1 : {r}", [x, y], (*left_sizes[:-1], *right_sizes[1:]), wrt=(0, 1), dims=dims))
    for lists, spec, *shapes in (*GENERAL, *MORE_GENERAL):
        xs = [random(shape, "f64", seed=i) for i, shape in enumerate(shapes)]
        found.append(smooth("tir.dot_general", f"%0, %1 {lists} : {{r}}", xs, by_loops(spec, *xs).shape, wrt=(0, 1)))
    for number, *types in SIZED_GENERAL:
        lists, spec, *shapes = GENERAL[number]
        xs = [random(shape, "f64", seed=i) for i, shape in enumerate(shapes)]
        sizes = dict(zip(spec.replace(",", "").split("->")[0], [size for type in types for size in type]))
        result = [sizes[letter] for letter in spec.split("->")[1]]
        found.append(smooth("tir.dot_general", f"%0, %1 {lists} : {{r}}", xs, result, wrt=(0, 1), dims=dict(enumerate(types))))
    x, y = random((2, 0), "f64"), random((3, 3), "f64")
    return found + [
        smooth("tir.einsum", '"ij,j->i" %0, %1 : {r}', [x, x[0]], (2,), wrt=(0, 1)),
        smooth("tir.einsum", '"ii->i" %0 : {r}', [y], ("[N]",), dims={0: ("[N]", "?")}),
        smooth("tir.einsum", '"ij,kj->ki" %0, %1 : {r}', [y, y[:2]], ("?", "[N]"), dims={0: ("[N]", 3), 1: ("?", 3)}, wrt=(0, 1)),
    ]
