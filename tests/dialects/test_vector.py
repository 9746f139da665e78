"""vector: each op against numpy, reductions in order, masks, and the verifier's rules."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import pytest

from tests.dialects.programs import function, run_body, run_error, verify_error

NAN, INF = float("nan"), float("inf")


def matrix() -> Any:
    return np.arange(32, dtype=np.float32).reshape(2, 16)


def run_op(op: str, result: str, signature: str, *arguments: Any) -> Any:
    """The result of one op on the arguments of the function around it."""
    (got,) = run_body(f"({signature}) -> {result}", f"%r = {op}\nreturn %r : {result}", *arguments)
    return got


def message_of(body: str, signature: str, *arguments: Any) -> str:
    """What running the body says."""
    return run_error(function(f"({signature})", f"{body}\nreturn"), *arguments).message


PLACE = "%m: memref<?x16xf32>, %i: index, %j: index"


def test_load_and_store_move_neighbouring_elements() -> None:
    array = matrix()
    got = run_op("vector.load %m[%i, %j] : memref<?x16xf32>, vector<4xf32>", "vector<4xf32>", PLACE, array, 1, 12)
    assert got.tolist() == [28, 29, 30, 31]
    body = "vector.store %v, %m[%i, %j] : memref<?x16xf32>, vector<2xf32>\nreturn"
    run_body(f"({PLACE}, %v: vector<2xf32>)", body, array, 0, 3, np.array([-1, -2], np.float32))
    assert array[0, 2:6].tolist() == [2, -1, -2, 5]
    assert got.tolist() == [28, 29, 30, 31]


def test_vector_of_higher_rank_covers_the_last_axes() -> None:
    op = "vector.load %m[%i, %j] : memref<?x16xf32>, vector<2x3xf32>"
    np.testing.assert_array_equal(run_op(op, "vector<2x3xf32>", PLACE, matrix(), 0, 5), matrix()[:, 5:8])


@pytest.mark.parametrize(("i", "j"), [(2, 0), (0, 13), (-1, 0)])
def test_load_stays_inside(i: int, j: int) -> None:
    body = "%r = vector.load %m[%i, %j] : memref<?x16xf32>, vector<4xf32>"
    assert "is out of bounds for axis" in message_of(body, PLACE, matrix(), i, j)


MASKED = f"{PLACE}, %k: vector<4xi1>, %v: vector<4xf32>"


def test_masked_load_reads_where_the_mask_is_true() -> None:
    op = (
        "vector.maskedload %m[%i, %j], %k, %v : memref<?x16xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>"
    )
    mask, other = np.array([True, False, True, False]), np.full(4, -1, np.float32)
    assert run_op(op, "vector<4xf32>", MASKED, matrix(), 1, 13, mask, other).tolist() == [29, -1, 31, -1]
    assert run_op(op, "vector<4xf32>", MASKED, matrix(), 0, 99, mask & False, other).tolist() == [-1] * 4
    message = message_of(f"%r = {op}", MASKED, matrix(), 1, 14, mask, other)
    assert message == "vector.maskedload: index 16 is out of bounds for axis 1 with size 16"


def test_masked_store_writes_where_the_mask_is_true() -> None:
    body = "vector.maskedstore %m[%i, %j], %k, %v : memref<?x16xf32>, vector<4xi1>, vector<4xf32>\nreturn"
    array = matrix()
    mask, value = np.array([False, True, True, False]), np.array([-1, -2, -3, -4], np.float32)
    run_body(f"({MASKED})", body, array, 1, 12, mask, value)
    assert array[1, 12:].tolist() == [28, -2, -3, 31]
    run_body(f"({MASKED})", body, array, 1, 13, mask, value)
    assert array[1, 12:].tolist() == [28, -2, -2, -3]


def test_create_mask_is_true_in_front() -> None:
    op = "vector.create_mask %n : vector<4xi1>"
    for n, want in ((-1, 0), (0, 0), (3, 3), (4, 4), (9, 4)):
        assert run_op(op, "vector<4xi1>", "%n: index", n).tolist() == [i < want for i in range(4)]
    got = run_op("vector.create_mask %a, %b : vector<2x3xi1>", "vector<2x3xi1>", "%a: index, %b: index", 1, 2)
    assert got.tolist() == [[True, True, False], [False, False, False]]


def test_broadcast_repeats_along_new_and_unit_axes() -> None:
    got = run_op("vector.broadcast %x : f32 to vector<2x3xf32>", "vector<2x3xf32>", "%x: f32", np.float32(4))
    np.testing.assert_array_equal(got, np.full((2, 3), 4, np.float32))
    column = np.array([[1], [2]], np.float32)
    op = "vector.broadcast %v : vector<2x1xf32> to vector<3x2x2xf32>"
    got = run_op(op, "vector<3x2x2xf32>", "%v: vector<2x1xf32>", column)
    np.testing.assert_array_equal(got, np.broadcast_to(column, (3, 2, 2)))


def test_fma_rounds_once() -> None:
    x, y, z = (np.array([v], np.float32) for v in (1 + 2**-12, 1 - 2**-12, -1.0))
    (got,) = run_op("vector.fma %a, %b, %c : vector<1xf32>", "vector<1xf32>",
                    "%a: vector<1xf32>, %b: vector<1xf32>, %c: vector<1xf32>", x, y, z)  # fmt: skip
    exact = Fraction(float(x[0])) * Fraction(float(y[0])) + Fraction(float(z[0]))
    assert Fraction(float(got)) == exact == Fraction(-1, 2**24)


def reduced(kind: str, element: str, values: Any, start: Any = None) -> Any:
    type = f"vector<{len(values)}x{element}>"
    if start is None:
        return run_op(f"vector.reduction <{kind}>, %v : {type} into {element}", element, f"%v: {type}", values)
    op = f"vector.reduction <{kind}>, %v, %s : {type} into {element}"
    return run_op(op, element, f"%v: {type}, %s: {element}", values, start)


def test_sum_and_product_run_in_order() -> None:
    values = np.random.default_rng(1).standard_normal(16).astype(np.float32)
    assert reduced("add", "f32", values) == reduce(np.add, values, np.float32(0))
    assert reduced("mul", "f32", values, np.float32(3)) == reduce(np.multiply, values, np.float32(3))
    ordered = np.array([1e8, 1, -1e8, 1], np.float32)
    assert reduced("add", "f32", ordered) == 1  # in pairs it would be 2
    assert not np.signbit(reduced("add", "f32", np.array([-0.0, -0.0], np.float32)))  # starts with 0.0


def test_integer_sum_wraps() -> None:
    assert reduced("add", "i8", np.array([100, 100], np.int8)) == -56
    assert reduced("mul", "i32", np.array([1 << 20, 1 << 20], np.int32), np.int32(1)) == 0
    assert reduced("add", "i1", np.array([True, True])) == False  # noqa: E712


@pytest.mark.parametrize(
    ("kind", "want"), [("minsi", -5), ("maxsi", 7), ("minui", 7), ("maxui", -1), ("and", 3), ("or", -1), ("xor", -7)]
)
def test_integer_kinds_read_signs_as_they_say(kind: str, want: int) -> None:
    values = np.array([7, -5, -1], np.int8)
    if kind in ("and", "or", "xor"):
        want = int(reduce({"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}[kind], values))
    assert reduced(kind, "i8", values) == want


@pytest.mark.parametrize(
    ("kind", "values", "want"),
    [
        ("maximumf", [1, NAN, 3], NAN), ("maxnumf", [1, NAN, 3], 3), ("minimumf", [NAN, 1], NAN),
        ("minnumf", [NAN, 1], 1),
        ("maximumf", [-0.0, 0.0], 0.0), ("maximumf", [0.0, -0.0], 0.0), ("minimumf", [0.0, -0.0], -0.0),
        ("minimumf", [INF, -INF], -INF), ("maxnumf", [NAN, NAN], NAN),
    ],
)  # fmt: skip
def test_float_extremes_treat_nan_and_zeros_as_they_say(kind: str, values: list[float], want: float) -> None:
    got = reduced(kind, "f32", np.array(values, np.float32))
    np.testing.assert_array_equal(got, np.float32(want))
    assert np.isnan(want) or np.signbit(got) == np.signbit(want)


def test_extract_gives_elements_and_parts() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    signature = "%v: vector<3x4xf32>, %i: index"
    assert run_op("vector.extract %v[2, %i] : f32 from vector<3x4xf32>", "f32", signature, values, 1) == 9
    got = run_op("vector.extract %v[%i] : vector<4xf32> from vector<3x4xf32>", "vector<4xf32>", signature, values, 1)
    assert got.tolist() == [4, 5, 6, 7]
    message = message_of("%r = vector.extract %v[0, %i] : f32 from vector<3x4xf32>", signature, values, 4)
    assert message == "vector.extract: index 4 is out of bounds for axis 1 with size 4"


def test_insert_leaves_the_operand_alone() -> None:
    values = np.zeros((2, 3), np.float32)
    signature = "%x: f32, %p: vector<3xf32>, %v: vector<2x3xf32>, %i: index"
    part = np.array([1, 2, 3], np.float32)
    op = "vector.insert %x, %v [%i, 2] : f32 into vector<2x3xf32>"
    got = run_op(op, "vector<2x3xf32>", signature, np.float32(7), part, values, 1)
    assert got.tolist() == [[0, 0, 0], [0, 0, 7]] and not values.any()
    op = "vector.insert %p, %v [%i] : vector<3xf32> into vector<2x3xf32>"
    assert run_op(op, "vector<2x3xf32>", signature, np.float32(7), part, values, 0).tolist() == [[1, 2, 3], [0, 0, 0]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "%r = vector.load %m[%i] : memref<?x16xf32>, vector<4xf32>",
            "vector.load: memref<?x16xf32> needs 2 indices, got 1",
        ),
        (
            "%r = vector.load %m[%i, %i] : memref<?x16xf32>, vector<4xf64>",
            "vector.load: a vector<4xf64> cannot be part of a memref<?x16xf32>",
        ),
        (
            "%r = vector.load %s[%i] : memref<?xf32, strided<[2]>>, vector<4xf32>",
            "vector.load: the last axis of memref<?xf32, strided<[2]>> must have stride 1",
        ),
        (
            "%r = vector.broadcast %v : vector<4xf32> to vector<2x3xf32>",
            "vector.broadcast: vector<4xf32> cannot be broadcast to vector<2x3xf32>",
        ),
        (
            "%r = vector.reduction <and>, %v : vector<4xf32> into f32",
            "vector.reduction: <and> is not for elements of type f32",
        ),
        (
            "%r = vector.reduction <maxnumf>, %w : vector<4xi32> into i32",
            "vector.reduction: <maxnumf> is not for elements of type i32",
        ),
        (
            "%r = vector.extract %v[4] : f32 from vector<4xf32>",
            "vector.extract: index 4 is out of bounds for axis 0 of vector<4xf32>",
        ),
        (
            "%r = vector.insert %v, %v [0] : vector<4xf32> into vector<4xf32>",
            "vector.insert: the value at such a position must be f32, got vector<4xf32>",
        ),
        (
            "%r = vector.create_mask %i, %i : vector<4xi1>",
            "vector.create_mask: vector<4xi1> needs 1 size, got 2",
        ),
        (
            "%r = vector.fma %v, %v, %x : vector<4xf32>",
            "vector.fma: operand 'acc' must be a vector of a float, got f32",
        ),
    ],
)
def test_rules(body: str, message: str) -> None:
    signature = "%m: memref<?x16xf32>, %s: memref<?xf32, strided<[2]>>, %v: vector<4xf32>, %w: vector<4xi32>, " \
                "%i: index, %x: f32"  # fmt: skip
    assert verify_error(function(f"({signature})", f"{body}\nreturn")) == message
