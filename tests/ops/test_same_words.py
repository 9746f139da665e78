"""What is wrong with sizes and indices that only run time knows is said in the same words at every level.

The message names the op of the program and the rule, and behind the rule the numbers that break it: `, got 3 and 2`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, modules_at
from tir.compile import Executable
from tir.ir.errors import ExecutionError

#: The op; the sizes of the operands and of the result in their types, f32 where no type stands; the sizes, or the
#: elements, of the operands of a call; what is said.
WRONG: list[tuple[str, list[str], str, list[Any], str]] = [
    # --- one shape
    ("tir.add %0, %1", ["?", "?"], "?", [(2,), (1,)], "axis 0 of rhs must have the size of axis 0 of lhs, got 1 and 2"),
    ("tir.add %0, %1", ["3", "?"], "3", [(3,), (0,)], "axis 0 of rhs must have the size of axis 0 of lhs, got 0 and 3"),
    ("tir.add %1, %0", ["?", "0"], "0", [(2,), (0,)], "axis 0 of rhs must have the size of axis 0 of lhs, got 2 and 0"),
    ("tir.add %1, %0", ["?x?", "?x?"], "?x?", [(2, 3), (2, 1)],
     "axis 1 of rhs must have the size of axis 1 of lhs, got 3 and 1"),
    ("tir.clamp %0, %0, %1", ["?", "?"], "?", [(1,), (2,)], "axis 0 of high must have the size of axis 0 of x, got 2 and 1"),
    ("tir.select %2, %0, %1", ["?", "?", "?xi1"], "?", [(3,), (3,), (2,)],
     "axis 0 of lhs must have the size of axis 0 of condition, got 3 and 2"),
    ("tir.sort %0, %1 axis 0 : R, tensor<?xf32>", ["?", "?"], "?", [(3,), (2,)],
     "axis 0 of operand 1 must have the size of axis 0 of x, got 2 and 3"),
    ("tir.recurrence %0, %1 axis 0", ["?", "?"], "?", [(3,), (2,)],
     "axis 0 of b must have the size of axis 0 of a, got 2 and 3"),
    ("tir.rng_randint %0, %1, %2", ["2xi32", "?xi32", "?xi32"], "?xi32", [(2,), (2,), (3,)],
     "axis 0 of high must have the size of axis 0 of low, got 3 and 2"),
    ("tir.rng_truncated_normal %0, %1, %2", ["2xi32", "?", "?"], "?", [(2,), (2,), (3,)],
     "axis 0 of high must have the size of axis 0 of low, got 3 and 2"),
    # --- products
    ("tir.dot %0, %1", ["?x?", "?x?"], "?x?", [(2, 4), (3, 4)], "axis 0 of rhs must have the size of axis 1 of lhs, got 3 and 4"),
    ("tir.dot_general %0, %1 batch [] x [] contract [1] x [0]", ["?x?", "?x?"], "?x?", [(2, 4), (3, 4)],
     "axis 0 of rhs must have the size of axis 1 of lhs, got 3 and 4"),
    ('tir.einsum "ij,jk->ik" %0, %1', ["?x?", "?x?"], "?x?", [(2, 4), (1, 4)],
     "axis 0 of operand 1 must have the size of axis 1 of operand 0, got 1 and 4"),
    # --- moving elements
    ("tir.broadcast %0 along [1] : tensor<?xf32> -> R", ["?"], "2x5", [(2,)],
     "axis 0 of x must have the size of axis 1 of the result, got 2 and 5"),
    ("tir.broadcast %0 along [0] sizes (%n) : tensor<?xf32> -> R", ["?", "i32"], "?", [(1,), 3],
     "axis 0 of x must have the size of axis 0 of the result, got 1 and 3"),
    ("tir.reshape %0 : tensor<?x?xf32> -> R", ["?x?"], "5x2", [(2, 3)], "the number of elements must stay, got 6 and 10"),
    ("tir.reshape %0 sizes (%n) : tensor<?xf32> -> R", ["?", "i32"], "?", [(2,), -1], "axis 0 must not have a negative size, got -1"),
    ("tir.slice %0 from [2] to [-1] step [1]", ["?"], "?", [(2,)],
     "axis 0 of x must have at least the size that from 2 to -1 needs, got 2 and 3"),
    ("tir.slice %0 from [0, 1] to [0, 4] step [1, 1]", ["?x?"], "?x3", [(1, 2)],
     "axis 1 of x must have at least the size that from 1 to 4 needs, got 2 and 4"),
    ("tir.slice %0 from [0] to [-4] step [1]", ["[N]"], "[N - 4]", [(3,)],
     "axis 0 of x must have at least the size that from 0 to -4 needs, got 3 and 4"),
    ("tir.pad %0 with 0.0 : f32 from [1] to [-1] step [1] : tensor<?xf32> -> R", ["?"], "5", [(1,)],
     "axis 0 of x must have the size of its place in the result, got 1 and 3"),
    ("tir.pad %0 with 0.0 : f32 from [2] to [-1] step [1] sizes (%n) : tensor<?xf32> -> R", ["?", "i32"], "?", [(2,), 2],
     "axis 0 of the result must have at least the size that from 2 to -1 needs, got 2 and 3"),
    ("tir.concat %0, %1 axis 0", ["?x?", "?x?"], "?x?", [(2, 3), (1, 4)],
     "axis 1 of operand 1 must have the size of axis 1 of operand 0, got 4 and 3"),
    ("tir.concat %0, %1, %2 axis 0", ["?x?", "?x?", "?x3"], "?x3", [(2, 4), (1, 3), (1, 3)],
     "axis 1 of operand 1 must have the size of axis 1 of operand 0, got 3 and 4"),
    ("tir.diag_part %0 diagonal 0", ["?x?"], "?", [(2, 3)], "the last two sizes of x must be equal, got 2 and 3"),
    ("tir.diag_part %0 diagonal -3", ["?x?x?"], "?x?", [(1, 2, 2)],
     "axis 1 of x must have at least the size that diagonal -3 needs, got 2 and 3"),
    ("tir.dynamic_slice %0 at %1 : tensor<?xf32> -> R", ["?", "i32"], "2", [(3,), 2],
     "the start of axis 0 must be at most the size of x less that of the slice, got 2 and 1"),
    ("tir.dynamic_slice %0 at %1 : tensor<?xf32> -> R", ["?", "i8"], "2", [(3,), -1], "the start of axis 0 must be at least 0, got -1"),
    ("tir.dynamic_slice %0 at %1 : tensor<3xf32> -> R", ["3", "ui64"], "2", [(3,), 2**64 - 1],
     f"the start of axis 0 must be at most the size of x less that of the slice, got {2**63 - 1} and 1"),
    ("tir.dynamic_slice %0 at %1 mode clamp : tensor<?xf32> -> R", ["?", "i32"], "2", [(1,), 0],
     "axis 0 of the slice must not be longer than that of x, got 2 and 1"),
    ("tir.dynamic_slice %0 at %1 sizes (%n) : tensor<?xf32> -> R", ["?", "i32"], "?", [(2,), -1],
     "axis 0 must not have a negative size, got -1"),
    ("tir.update_slice %0 with %1 at %2", ["?", "?", "i32"], "?", [(3,), (2,), 2],
     "the start of axis 0 must be at most the size of x less that of the slice, got 2 and 1"),
    ("tir.update_slice %0 with %1 at %2 mode clamp", ["?", "?", "i32"], "?", [(3,), (4,), 0],
     "axis 0 of the slice must not be longer than that of x, got 4 and 3"),
    # --- making tensors
    ("tir.full 1.0 : f32 sizes (%n) -> R", ["f32", "i32"], "?", [(), -1], "axis 0 must not have a negative size, got -1"),
    ("tir.full 1.0 : f32 -> R", ["[N]"], "[N - 4]x[N - 5]", [(3,)], "axis 0 must not have a negative size, got -1"),
    ("tir.iota axis 1 sizes (%n)", ["f32", "i32"], "2x?", [(), -3], "axis 1 must not have a negative size, got -3"),
    ("tir.one_hot %0 : tensor<?xi32> -> R", ["?xi32"], "2x3", [(4,)],
     "axis 0 of x must have the size of axis 0 of the result, got 4 and 2"),
    # --- indices
    ("tir.take %0 at %1 axis 0", ["?", "?xi32"], "?", [(3,), [0, 7, 5]],
     "an index of axis 0 of x must be less than the size of the axis, got 7 and 3"),
    ("tir.take %0 at %1 axis 1", ["?x?", "?xi64"], "?x?", [(5, 2), [7, -2, -1]], "an index of axis 1 of x must be at least 0, got -2"),
    ("tir.take %0 at %1 axis 0", ["3", "ui8"], "f32", [(3,), 255],
     "an index of axis 0 of x must be less than the size of the axis, got 255 and 3"),
    ("tir.take %0 at %1 axis 0", ["?", "?xui64"], "?", [(3,), [2**64 - 1]],
     f"an index of axis 0 of x must be less than the size of the axis, got {2**63 - 1} and 3"),
    ("tir.take %0 at %1 axis 0 mode clamp", ["?", "?xi32"], "?", [(0,), [0]], "axis 0 of x must not be shorter than the slice, got 0 and 1"),
    ("tir.take_along_axis %0 at %1 axis 1", ["?x?", "?x?xi32"], "?x?", [(2, 3), (3, 1)],
     "x axis 0 and index axis 0 must have one size, got 2 and 3"),
    ("tir.take_along_axis %0 at %1 axis 1", ["?x?", "?x?xi32"], "?x?", [(1, 3), [[3]]],
     "an index of axis 1 of x must be less than the size of the axis, got 3 and 3"),
    ("tir.index_nd %0 at %1, %2", ["?x?", "?xi32", "?xi32"], "?", [(2, 3), (2,), (1,)],
     "index 0 axis 0 and index 1 axis 0 must have one size, got 2 and 1"),
    ("tir.index_nd %0 at %1, %2", ["?x?", "?xi32", "?xi32"], "?", [(2, 3), [1], [4]],
     "an index of axis 1 of x must be less than the size of the axis, got 4 and 3"),
    ("tir.gather %0 at %1 window [1] map [0] vector 1 sizes [2]", ["?", "?x1xi32"], "?x2", [(3,), [[2]]],
     "an index of axis 0 of x must be at most the size of the axis less that of the slice, got 2 and 1"),
    ("tir.gather %0 at %1 window [1] map [0] vector 1 sizes [2] mode clamp", ["?", "?x1xi32"], "?x2", [(1,), [[0]]],
     "axis 0 of x must not be shorter than the slice, got 1 and 2"),
    ("tir.gather %0 at %1 window [1, 2] map [0] vector 1 sizes [1, 2]", ["?x?", "?x1xi32"], "?x1x2", [(3, 1), [[0]]],
     "axis 1 of x must not be shorter than the slice, got 1 and 2"),
    ("tir.gather %0 at %1 window [1] batching [0] of [0] map [1] vector 1 sizes [1, 2]", ["?x?", "?x1xi32"], "?x2",
     [(2, 3), [[0]]], "x axis 0 and index axis 0 must have one size, got 2 and 1"),
    ("tir.put add %0 at %1 with %2 axis 0", ["?", "?xi32", "?"], "?", [(3,), [0, 3], (2,)],
     "an index of axis 0 of x must be less than the size of the axis, got 3 and 3"),
    ("tir.put add %0 at %1 with %2 axis 0", ["?x?", "?xi32", "?x?"], "?x?", [(3, 2), [0], (1, 3)],
     "u axis 1 and x axis 1 must have one size, got 3 and 2"),
    ("tir.put add %0 at %1 with %2 axis 0 mode clamp", ["?x?", "?xi32", "?x?"], "?x?", [(0, 3), [0], (1, 3)],
     "axis 0 of x must not be shorter than the slice, got 0 and 1"),
    ("tir.put set %0 at %1 with %2 axis 0 mode drop", ["?x?", "?xi32", "?x?"], "?x?", [(4, 3), [0, 4], (4, 3)],
     "u axis 0 and index axis 0 must have one size, got 4 and 2"),
    ("tir.put_along_axis add %0 at %1 with %2 axis 0", ["?x?", "?x?xi32", "?x?"], "?x?", [(3, 2), (1, 2), (1, 3)],
     "u axis 1 and index axis 1 must have one size, got 3 and 2"),
    ("tir.put_nd add %0 with %2 at %1", ["?", "?xi32", "?"], "?", [(3,), [0, 2], (1,)],
     "u axis 0 and index 0 axis 0 must have one size, got 1 and 2"),
    ("tir.scatter add %0 at %1 with %2 window [1] map [0] vector 1", ["?", "?x1xi32", "?x2"], "?", [(3,), [[2]], (1, 2)],
     "an index of axis 0 of x must be at most the size of the axis less that of the slice, got 2 and 1"),
    ("tir.scatter add %0 at %1 with %2 window [1] map [0] vector 1", ["?", "?x1xi32", "?x?"], "?", [(3,), [[0]], (1, 2)],
     "u axis 1 and x axis 0 must have one size, got 2 and 3"),
    ("tir.top_k %0 axis 0 k 3 : R, tensor<3xi64>", ["?"], "3", [(2,)], "axis 0 of x must have k elements or more, got 2 and 3"),
    # --- systems
    ("tir.cholesky %0", ["?x?"], "?x?", [(3, 2)], "a must be square, got 3 and 2"),
    ("tir.cholesky %0", ["?x?x?"], "?x?x?", [(2, 3, 3000)], "a must be square, got 3 and 3000"),
    ("tir.inv %0", ["?x?"], "?x?", [(3, 2)], "a must be square, got 3 and 2"),
    ("tir.det %0 : tensor<?x?xf32> -> R", ["?x?"], "f32", [(3, 2)], "a must be square, got 3 and 2"),
    ("tir.solve %0, %1 : tensor<?x?xf32>, R", ["?x?", "?x?"], "?x?", [(2, 3), (2, 1)], "a must be square, got 2 and 3"),
    ("tir.solve %0, %1 : tensor<?x?xf32>, R", ["?x?", "?x?"], "?x?", [(2, 2), (3, 1)],
     "axis 0 of b must have the size of axis 0 of a, got 3 and 2"),
    ("tir.triangular_solve %0, %1 : tensor<?x?xf32>, R", ["?x?", "?x?"], "?x?", [(2, 2), (3, 1)],
     "axis 0 of b must have the size of axis 0 of a, got 3 and 2"),
    # --- windows
    ("tir.windows %0 window [3] base_dilations [2] low [1]", ["?"], "?x3", [(0,)],
     "the window must fit into axis 0 of x with its padding, got 3 and 1"),
    ("tir.overlap_add %0 window [2] : tensor<?x?xf32> -> R", ["?x?"], "3", [(2, 3)],
     "axis 1 of x must have the size that the windows of the result have, got 3 and 2"),
    ("tir.overlap_add %0 window [2] : tensor<?x2xf32> -> R", ["?x2"], "3", [(3, 2)],
     "axis 0 of x must have the size that the windows of the result have, got 3 and 2"),
    ("tir.overlap_add %0 window [2] : tensor<?x?x2xf32> -> R", ["?x?x2"], "2x4", [(1, 3, 2)],
     "axis 0 of x must have the size that the windows of the result have, got 1 and 2"),
    ("tir.max_pool %0 window [3]", ["?"], "?", [(1,)], "the window must fit into axis 0 of x with its padding, got 3 and 1"),
    ("tir.max_pool %0 window [9] strides [2] dilations [2] low [1] high [1]", ["2x?"], "2x?", [(2, 3)],
     "the window must fit into axis 1 of x with its padding, got 17 and 5"),
    ("tir.avg_pool %0 window [5] strides [2] ceil_mode divisor valid", ["?"], "?", [(1,)],
     "the window must fit into axis 0 of x with its padding, got 5 and 1"),
    ("tir.max_pool_grad %0, %1 window [2] : tensor<?xf32> -> R", ["?", "?"], "?", [(4,), (2,)],
     "axis 0 of g must have the size of the pooled x, got 2 and 3"),
    ("tir.conv %0, %1", ["?x?x?", "?x?x2"], "?x?x?", [(1, 2, 4), (1, 1, 2)],
     "the features of x must be the inputs of w times the groups, got 2 and 1"),
    ("tir.conv %0, %1 groups 2", ["?x?x?", "2x3x2"], "?x2x?", [(1, 4, 4), (2, 3, 2)],
     "the features of x must be the inputs of w times the groups, got 4 and 6"),
    ("tir.conv %0, %1", ["?x3x?", "?x?x2"], "?x?x?", [(1, 3, 4), (1, 2, 2)],
     "the features of x must be the inputs of w times the groups, got 3 and 2"),
    ("tir.conv %0, %1 low [1] high [1]", ["?x?x?", "?x?x9"], "?x?x?", [(1, 1, 4), (1, 1, 9)],
     "the window must fit into axis 2 of x with its padding, got 9 and 6"),
    ("tir.conv_grad_input %0, %1 : tensor<?x?x2xf32>, tensor<?x?x?xf32> -> R", ["?x?x2", "?x?x?"], "1x1x4",
     [(1, 1, 2), (1, 1, 4)], "axis 2 of g must have the size that the convolution has, got 4 and 3"),
    ("tir.conv_grad_input %0, %1 : tensor<?x?x2xf32>, tensor<?x?x?xf32> -> R", ["?x?x2", "?x?x?"], "1x1x4",
     [(1, 2, 2), (1, 1, 3)], "the features of x must be the inputs of w times the groups, got 1 and 2"),
    ("tir.conv_grad_weight %0, %1 : tensor<?x?x?xf32>, tensor<?x?x?xf32> -> R", ["?x?x?", "?x?x?"], "1x1x9",
     [(1, 1, 4), (1, 1, 3)], "the window must fit into axis 2 of x with its padding, got 9 and 4"),
    ("tir.conv_grad_weight %0, %1 : tensor<?x?x?xf32>, tensor<?x?x?xf32> -> R", ["?x?x?", "?x?x?"], "1x1x2",
     [(2, 1, 4), (1, 1, 3)], "axis 0 of g must have the size that the convolution has, got 1 and 2"),
    # --- losses and norms
    ("tir.nll_loss %0, %1", ["?x?", "?xi32"], "?", [(3, 4), (2,)],
     "axis 0 of labels must have the size of axis 0 of scores, got 2 and 3"),
    ("tir.nll_loss %0, %1 weights %2", ["?", "i32", "?"], "f32", [(4,), 0, (5,)],
     "axis 0 of weights must have the size of axis 0 of scores, got 5 and 4"),
    ("tir.softmax_cross_entropy %0, %1 weights %2", ["?x?", "?xi32", "?"], "?", [(3, 4), (3,), (2,)],
     "axis 0 of weights must have the size of axis 1 of logits, got 2 and 4"),
    ("tir.huber %0, %1 delta 0.5 : f32", ["?", "?"], "?", [(2,), (1,)], "axis 0 of y must have the size of axis 0 of x, got 1 and 2"),
    ("tir.kl_div %0, %1", ["?", "?"], "?", [(2,), (1,)], "axis 0 of p must have the size of axis 0 of log_q, got 1 and 2"),
    ("tir.binary_cross_entropy %0, %1", ["?", "?"], "?", [(2,), (3,)], "axis 0 of t must have the size of axis 0 of p, got 3 and 2"),
    ("tir.rms_norm %0, %1 over [1] epsilon 0.5 : f32", ["?x?", "?"], "?x?", [(2, 3), (1,)],
     "axis 0 of scale must have the size of axis 1 of x, got 1 and 3"),
    ("tir.layer_norm %0, %1, %1 over [1] epsilon 0.5 : f32", ["?x?", "?"], "?x?", [(2, 3), (1,)],
     "axis 0 of scale must have the size of axis 1 of x, got 1 and 3"),
    ("tir.batch_norm_inference %0, %1, %1, %1, %1 axis 1 epsilon 0.5 : f32", ["?x3", "?"], "?x3", [(2, 3), (1,)],
     "axis 0 of scale must have the size of axis 1 of x, got 1 and 3"),
    # --- loops
    ("tir.scan (%c = %2 : tensor<f32>) over (%i = %0 : tensor<?xf32>, %j = %1 : tensor<?xf32>) -> (R) {",
     ["?", "?", "f32"], "?", [(2,), (3,), ()], "axis 0 of sequence 1 must have the size of axis 0 of sequence 0, got 3 and 2"),
    ("tir.scan (%c = %1 : tensor<f32>) over (%i = %0 : tensor<?xf32>) -> (R) {", ["?", "f32"], "3", [(2,), ()], "axis 0 of sequence 0 must have the size of axis 0 of result 1, got 2 and 3"),
]  # fmt: skip
SAID_AT = ("tensor", "structured", "fused", "loops", "cpu")
SCAN_BODY = "\n    %s = tir.add %c, %i : tensor<f32>\n    tir.yield %s, %s : tensor<f32>, tensor<f32>\n  }"
DTYPES = {"i1": np.bool_, "i8": np.int8, "i32": np.int32, "i64": np.int64, "ui8": np.uint8, "ui64": np.uint64}


def type_of(dims: str) -> str:
    return f"tensor<{dims}>" if dims.split("x")[-1] in (*DTYPES, "f32") else f"tensor<{dims}xf32>"


def program(op: str, operands: list[str], result: str) -> str:
    """A function that gives a result of the op, of the type R; %n is its last argument as a size."""
    type = type_of(result)
    body = re.sub(r"\bR\b", type, op) if re.search(r"\bR\b", op) else f"{op} : {type}"
    names = "%r, %other" if "R, tensor" in op else "%r"
    if op.startswith("tir.scan"):
        body, names = body + SCAN_BODY, "%last, %r"
    size = f"%n = tir.to_index %{len(operands) - 1} : tensor<i32>" if "%n" in op else "// the op:"
    arguments = ", ".join(f"%{i}: {type_of(dims)}" for i, dims in enumerate(operands))
    return f"func.func @f({arguments}) -> {type} {{\n  {size}\n  {names} = {body}\n  return %r : {type}\n}}\n"


def array(dims: str, value: Any) -> Any:
    """Ones, of sizes that are given as a tuple; or these elements."""
    dtype = DTYPES.get(dims.split("x")[-1], np.float32)
    return np.ones(value, dtype) if isinstance(value, tuple) else np.array(value, dtype)


@pytest.mark.parametrize(("op", "operands", "result", "given", "message"), WRONG, ids=[row[0].split()[0] for row in WRONG])
def test_what_is_wrong_at_run_time_is_told_in_the_same_words(
    op: str, operands: list[str], result: str, given: list[Any], message: str
) -> None:
    arrays = [array(dims, value) for dims, value in zip(operands, given)]
    want = f"<text>:3:3: {op.split()[0]}: {message}"
    for level, module in modules_at(program(op, operands, result), SAID_AT):
        with pytest.raises(ExecutionError) as caught:
            Executable(module, LEVELS[level][1]).call("f", arrays)
        assert str(caught.value) == want, level


def test_an_assert_of_the_program_says_what_it_was_given_and_no_more() -> None:
    body = '  %c = tir.cmp lt %x, %y : tensor<i64>\n  tir.assert %c, "x must be less" : tensor<i1>\n  return\n'
    text = f"func.func @f(%x: tensor<i64>, %y: tensor<i64>) {{\n{body}}}\n"
    for level, module in modules_at(text, SAID_AT):
        with pytest.raises(ExecutionError, match=r"^<text>:3:3: x must be less$"):
            Executable(module, LEVELS[level][1]).call("f", [np.int64(3), np.int64(2)])
