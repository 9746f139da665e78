"""tensor: each op against numpy, the checks at run time, and the verifier's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.dialects.programs import function, module, run_body, run_error, verify_error
from tir.dialects import tensor
from tir.ir.traits import is_pure

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)


def run_op(op: str, result: str, signature: str, *arguments: Any) -> Any:
    """The result of one op on the arguments of the function around it."""
    (got,) = run_body(f"({signature}) -> {result}", f"%r = {op}\nreturn %r : {result}", *arguments)
    return got


def message_of(op: str, signature: str = "", *arguments: Any) -> str:
    """What running the op says."""
    return run_error(function(f"({signature})", f"%r = {op}\nreturn"), *arguments).message


def rule_of(op: str, signature: str = "") -> str:
    """What the verifier says about the op."""
    return verify_error(function(f"({signature})", f"%r = {op}\nreturn"))


def same(got: Any, want: Any) -> None:
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


def test_empty_has_its_sizes_and_shows_that_it_is_unwritten() -> None:
    got = run_op("tensor.empty(%n) : tensor<2x?xf32>", "tensor<2x?xf32>", "%n: index", 3)
    assert got.shape == (2, 3) and np.isnan(got).all()
    got = run_op("tensor.empty() : tensor<2xi16>", "tensor<2xi16>", "")
    assert got.view(np.uint8).tolist() == [0xA5] * 4
    assert run_op("tensor.empty(%n) : tensor<?xi1>", "tensor<?xi1>", "%n: index", 0).shape == (0,)


def test_negative_size_is_an_error() -> None:
    message = message_of("tensor.empty(%n) : tensor<2x?xf32>", "%n: index", -1)
    assert message == "tensor.empty: axis 1 must have a size of at least 0, got -1"


def test_dim_is_the_size_at_run_time() -> None:
    op, signature = "tensor.dim %t, %i : tensor<?x4xf32>", "%t: tensor<?x4xf32>, %i: index"
    assert run_op(op, "index", signature, MATRIX, 0) == 3
    assert run_op(op, "index", signature, MATRIX, 1) == 4
    assert message_of(op, signature, MATRIX, 2) == "tensor.dim: index 2 is out of bounds for axis 0 with size 2"


def test_extract_reads_one_element_within_bounds() -> None:
    op, signature = "tensor.extract %t[%i, %j] : tensor<?x4xf32>", "%t: tensor<?x4xf32>, %i: index, %j: index"
    same(run_op(op, "f32", signature, MATRIX, 2, 1), np.float32(9))
    assert message_of(op, signature, MATRIX, 0, 4) == "tensor.extract: index 4 is out of bounds for axis 1 with size 4"
    message = message_of(op, signature, MATRIX, -1, 0)
    assert message == "tensor.extract: index -1 is out of bounds for axis 0 with size 3"
    same(run_op("tensor.extract %t[] : tensor<f32>", "f32", "%t: tensor<f32>", np.float32(5)), np.float32(5))


def test_extract_takes_index_arrays() -> None:
    text = function("(%t: tensor<?x4xf32>, %i: index)", "%r = tensor.extract %t[%i, %i] : tensor<?x4xf32>\nreturn")
    op = next(op for op in module(text).walk() if isinstance(op, tensor.Extract))
    rows, columns = np.arange(3).reshape(3, 1), np.array([[3, 0]])
    same(op.reference(MATRIX, rows, columns), MATRIX[:, [3, 0]])
    with pytest.raises(Exception, match="index 4 is out of bounds for axis 1 with size 4"):
        op.reference(MATRIX, rows, np.array([[0, 4]]))


def test_insert_leaves_the_operand_alone() -> None:
    op = "tensor.insert %x into %t[%i] : tensor<?xf32>"
    before = np.zeros(3, np.float32)
    same(run_op(op, "tensor<?xf32>", "%x: f32, %t: tensor<?xf32>, %i: index", np.float32(7), before, 1),
         np.array([0, 7, 0], np.float32))  # fmt: skip
    assert not before.any()
    message = message_of(op, "%x: f32, %t: tensor<?xf32>, %i: index", np.float32(7), before, 3)
    assert message == "tensor.insert: index 3 is out of bounds for axis 0 with size 3"


def test_from_elements_fills_in_row_major_order() -> None:
    got = run_op("tensor.from_elements %x, %y, %y, %x : tensor<2x2xf32>", "tensor<2x2xf32>", "%x: f32, %y: f32",
                 np.float32(1), np.float32(-0.0))  # fmt: skip
    same(got, np.array([[1, -0.0], [-0.0, 1]], np.float32))
    assert np.signbit(got[0, 1])
    assert run_op("tensor.from_elements : tensor<0xf32>", "tensor<0xf32>", "").shape == (0,)
    got = run_op("tensor.from_elements %x : tensor<f32>", "tensor<f32>", "%x: f32", np.float32(2))
    same(got, np.array(2, np.float32))


def test_splat_repeats() -> None:
    got = run_op("tensor.splat %x[%n] : tensor<?x2xf32>", "tensor<?x2xf32>", "%x: f32, %n: index", np.float32(3), 2)
    same(got, np.full((2, 2), 3, np.float32))


def test_generate_computes_each_element_from_its_indices() -> None:
    body = """
      %r = tensor.generate %n, %n {
      ^bb0(%i: index, %j: index):
        %k = arith.muli %i, %n : index
        %s = arith.addi %k, %j : index
        %x = arith.index_cast %s : index to i32
        tensor.yield %x : i32
      } : tensor<?x?xi32>
      return %r : tensor<?x?xi32>
    """
    (got,) = run_body("(%n: index) -> tensor<?x?xi32>", body, 3)
    same(got, np.arange(9, dtype=np.int32).reshape(3, 3))
    assert run_body("(%n: index) -> tensor<?x?xi32>", body, 0)[0].shape == (0, 0)


def test_generate_with_a_region_inside_runs_point_by_point() -> None:
    body = """
      %r = tensor.generate %n {
      ^bb0(%i: index):
        %even = arith.cmpi ult, %i, %n : index
        %x = scf.if %even -> (index) {
          scf.yield %i : index
        } else {
          scf.yield %n : index
        }
        tensor.yield %x : index
      } : tensor<?xindex>
      return %r : tensor<?xindex>
    """
    (got,) = run_body("(%n: index) -> tensor<?xindex>", body, 4)
    same(got, np.arange(4))


SLICE = "tensor.extract_slice %t[%i, 0] [2, %n] [1, 2] : tensor<?x4xf32> to tensor<2x?xf32>"
SLICE_SIGNATURE = "%t: tensor<?x4xf32>, %i: index, %n: index"


def test_extract_slice_takes_a_strided_part() -> None:
    same(run_op(SLICE, "tensor<2x?xf32>", SLICE_SIGNATURE, MATRIX, 1, 2), MATRIX[1:3, 0:4:2])
    assert run_op(SLICE, "tensor<2x?xf32>", SLICE_SIGNATURE, MATRIX, 1, 0).shape == (2, 0)


@pytest.mark.parametrize(
    ("start", "size", "message"),
    [
        (2, 1, "slice from 2 of 2 elements with stride 1 is out of bounds for axis 0 with size 3"),
        (-1, 1, "slice from -1 of 2 elements with stride 1 is out of bounds for axis 0 with size 3"),
        (0, 3, "slice from 0 of 3 elements with stride 2 is out of bounds for axis 1 with size 4"),
        (0, -1, "axis 1 needs a size from 0 on and a stride, got size -1, stride 2"),
    ],
)
def test_extract_slice_stays_inside(start: int, size: int, message: str) -> None:
    assert message_of(SLICE, SLICE_SIGNATURE, MATRIX, start, size) == f"tensor.extract_slice: {message}"


@pytest.mark.parametrize(
    ("start", "size", "step"), [(3, 4, -1), (2, 2, -2), (0, 1, -5), (3, 0, -1), (0, 2, 3), (4, 0, 1)]
)
def test_slices_may_run_backwards(start: int, size: int, step: int) -> None:
    op = "tensor.extract_slice %t[%i] [%n] [%s] : tensor<4xf32> to tensor<?xf32>"
    signature = "%t: tensor<4xf32>, %i: index, %n: index, %s: index"
    got = run_op(op, "tensor<?xf32>", signature, MATRIX[0], start, size, step)
    same(got, np.array([start + k * step for k in range(size)], np.float32))


@pytest.mark.parametrize(("start", "size", "step"), [(3, 5, -1), (4, 1, -1), (1, 2, -2), (5, 0, 1), (0, 1, 0)])
def test_slices_that_run_outside_backwards_are_found(start: int, size: int, step: int) -> None:
    op = "tensor.extract_slice %t[%i] [%n] [%s] : tensor<4xf32> to tensor<?xf32>"
    message = message_of(op, "%t: tensor<4xf32>, %i: index, %n: index, %s: index", MATRIX[0], start, size, step)
    assert message.startswith("tensor.extract_slice: ")


def test_extract_slice_leaves_out_axes_of_size_one() -> None:
    op = "tensor.extract_slice %t[%i, 1] [1, 3] [1, 1] : tensor<?x4xf32> to tensor<3xf32>"
    same(run_op(op, "tensor<3xf32>", "%t: tensor<?x4xf32>, %i: index", MATRIX, 2), MATRIX[2, 1:4])


def test_insert_slice_replaces_a_strided_part() -> None:
    op = "tensor.insert_slice %s into %t[%i, 1] [1, 2] [1, 2] : tensor<2xf32> into tensor<?x4xf32>"
    part = np.array([-1, -2], np.float32)
    want = MATRIX.copy()
    want[2, 1::2] = part
    signature = "%s: tensor<2xf32>, %t: tensor<?x4xf32>, %i: index"
    same(run_op(op, "tensor<?x4xf32>", signature, part, MATRIX, 2), want)
    assert "is out of bounds for axis 0 with size 3" in message_of(op, signature, part, MATRIX, 3)


def test_insert_slice_needs_a_source_of_the_size_of_the_slice() -> None:
    op = "tensor.insert_slice %s into %t[0] [%n] [1] : tensor<?xf32> into tensor<4xf32>"
    message = message_of(op, "%s: tensor<?xf32>, %t: tensor<4xf32>, %n: index", MATRIX[0, :3], MATRIX[0], 2)
    assert message == "tensor.insert_slice: the source must have the sizes of the slice [2], got [3]"


def test_concat_joins_along_an_axis() -> None:
    op = "tensor.concat dim(1) %a, %b : (tensor<?x4xf32>, tensor<3x?xf32>) -> tensor<3x?xf32>"
    signature = "%a: tensor<?x4xf32>, %b: tensor<3x?xf32>"
    same(run_op(op, "tensor<3x?xf32>", signature, MATRIX, MATRIX[:, :1]), np.hstack([MATRIX, MATRIX[:, :1]]))
    assert message_of(op, signature, MATRIX[:2], MATRIX).startswith("tensor.concat: all the input array dim")


def test_cast_checks_the_sizes_it_claims() -> None:
    op = "tensor.cast %t : tensor<?x?xf32> to tensor<3x?xf32>"
    same(run_op(op, "tensor<3x?xf32>", "%t: tensor<?x?xf32>", MATRIX), MATRIX)
    message = message_of(op, "%t: tensor<?x?xf32>", MATRIX[:2])
    assert message == "tensor.cast: the operand axis 0 must have size 3, got 2"


def test_collapse_and_expand_keep_the_order_of_the_elements() -> None:
    collapse = "tensor.collapse_shape %t [[0, 1], [2]] : tensor<?x2x2xf32> into tensor<?x2xf32>"
    got = run_op(collapse, "tensor<?x2xf32>", "%t: tensor<?x2x2xf32>", MATRIX.reshape(3, 2, 2))
    same(got, MATRIX.reshape(6, 2))
    expand = "tensor.expand_shape %t [[0, 1], [2]] output_shape [%n, 2, 4] : tensor<?x4xf32> into tensor<?x2x4xf32>"
    cube = np.arange(16, dtype=np.float32).reshape(4, 4)
    same(run_op(expand, "tensor<?x2x4xf32>", "%t: tensor<?x4xf32>, %n: index", cube, 2), cube.reshape(2, 2, 4))
    message = message_of(expand, "%t: tensor<?x4xf32>, %n: index", MATRIX, 2)
    assert message == "tensor.expand_shape: axis 0 has size 3, not the product of the sizes [2, 2] of its group"


def test_collapse_to_rank_zero() -> None:
    op = "tensor.collapse_shape %t [] : tensor<1x1xf32> into tensor<f32>"
    same(run_op(op, "tensor<f32>", "%t: tensor<1x1xf32>", np.ones((1, 1), np.float32)), np.array(1, np.float32))
    expand = "tensor.expand_shape %t [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>"
    same(run_op(expand, "tensor<1x1xf32>", "%t: tensor<f32>", np.array(2, np.float32)), np.full((1, 1), 2, np.float32))


def test_all_but_generate_with_effects_are_pure() -> None:
    text = function("(%t: tensor<?x4xf32>, %i: index, %n: index)", f"%r = {SLICE}\nreturn")
    assert is_pure(next(op for op in module(text).walk() if isinstance(op, tensor.ExtractSlice)))


def test_mixed_lists_name_the_operands() -> None:
    text = function("(%t: tensor<?x4xf32>, %i: index, %n: index)", f"%r = {SLICE}\nreturn")
    op = next(op for op in module(text).walk() if isinstance(op, tensor.ExtractSlice))
    assert op.mixed_offsets == [op.operand(1), 0] and op.mixed_sizes == [2, op.operand(2)]
    assert op.mixed_strides == [1, 2] and op.kept_axes == [0, 1]


@pytest.mark.parametrize(
    ("op", "message"),
    [
        ("tensor.empty() : tensor<?xf32>", "tensor.empty: tensor<?xf32> leaves 1 size open, got 0"),
        ("tensor.dim %z, %i : tensor<f32>", "tensor.dim: a tensor of rank 0 has no sizes"),
        ("tensor.extract %t[%i] : tensor<?x4xf32>", "tensor.extract: tensor<?x4xf32> needs 2 indices, got 1"),
        (
            "tensor.insert %k into %t[%i, %i] : tensor<?x4xf32>",
            "tensor.insert: an element of tensor<?x4xf32> must be of type f32, got i32",
        ),
        ("tensor.from_elements %x : tensor<2xf32>", "tensor.from_elements: tensor<2xf32> has 2 elements, got 1"),
        (
            "tensor.extract_slice %t[0, 0] [2, 2] [1, 1] : tensor<?x4xf32> to tensor<2x3xf32>",
            "tensor.extract_slice: the slice has sizes 2x2, which cannot be tensor<2x3xf32> (axes of size 1 may be "
            "left out)",
        ),
        (
            "tensor.extract_slice %t[0, 2] [1, 2] [1, 2] : tensor<?x4xf32> to tensor<1x2xf32>",
            "tensor.extract_slice: slice from 2 of 2 elements with stride 2 is out of bounds for axis 1 with size 4",
        ),
        (
            "tensor.extract_slice %t[0, 4] [1, %i] [1, 1] : tensor<?x4xf32> to tensor<1x?xf32>",
            "tensor.extract_slice: slice from 4 of 1 elements with stride 1 is out of bounds for axis 1 with size 4",
        ),
        (
            "tensor.extract_slice %t[-1, 0] [1, 1] [1, 1] : tensor<?x4xf32> to tensor<1x1xf32>",
            "tensor.extract_slice: offsets must be at least 0, got [-1, 0]",
        ),
        (
            "tensor.extract_slice %t[0] [2] [1] : tensor<?x4xf32> to tensor<2xf32>",
            "tensor.extract_slice: must have 2 offsets, got 1",
        ),
        (
            "tensor.insert_slice %t into %t[0, 0] [%i, 3] [1, 1] : tensor<?x4xf32> into tensor<?x4xf32>",
            "tensor.insert_slice: the slice has sizes ?x3, which cannot be tensor<?x4xf32> (axes of size 1 may be "
            "left out)",
        ),
        (
            "tensor.concat dim(2) %t, %t : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>",
            "tensor.concat: the axis must be 0 to 1, got 2",
        ),
        (
            "tensor.concat dim(1) %t, %t : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x9xf32>",
            "tensor.concat: axis 1 of the result must have size 8, got 9",
        ),
        (
            "tensor.cast %t : tensor<?x4xf32> to tensor<?x5xf32>",
            "tensor.cast: tensor<?x4xf32> cannot be cast to tensor<?x5xf32>: rank, element type and static sizes must "
            "agree",
        ),
        (
            "tensor.collapse_shape %t [[0]] : tensor<?x4xf32> into tensor<?xf32>",
            "tensor.collapse_shape: the groups must hold the dimensions 0 to 1 in order, got [[0]]",
        ),
        (
            "tensor.collapse_shape %t [[0, 1]] : tensor<?x4xf32> into tensor<8xf32>",
            "tensor.collapse_shape: collapsed dimension 0 of group [0, 1] must be ?, got 8",
        ),
        (
            "tensor.expand_shape %t [[0], [1, 2]] output_shape [%i, 2, 3] : tensor<?x4xf32> into tensor<?x2x3xf32>",
            "tensor.expand_shape: collapsed dimension 1 of group [1, 2] must be 6, got 4",
        ),
        (
            "tensor.expand_shape %t [[0], [1, 2]] output_shape [%i, 4, 1] : tensor<?x4xf32> into tensor<?x2x2xf32>",
            "tensor.expand_shape: axis 1 of tensor<?x2x2xf32> must have size 4, got 2",
        ),
    ],
)
def test_rules(op: str, message: str) -> None:
    assert rule_of(op, "%t: tensor<?x4xf32>, %z: tensor<f32>, %i: index, %x: f32, %k: i32") == message


def test_generate_must_yield_an_element() -> None:
    op = "tensor.generate %i {\n^bb0(%a: index):\ntensor.yield %k : i32\n} : tensor<?xf32>"
    assert rule_of(op, "%i: index, %k: i32") == (
        "tensor.generate: an element of tensor<?xf32> must be of type f32, got i32"
    )
    op = "tensor.generate %i {\n^bb0(%a: index, %b: index):\ntensor.yield %x : f32\n} : tensor<?xf32>"
    assert rule_of(op, "%i: index, %x: f32") == "tensor.generate: the body must take 1 index, got (index, index)"
