"""Wrong programs with products, windows, convolutions and systems: one located sentence with the rule and the facts."""

from __future__ import annotations

import re

import pytest

from tir.dialects.all import REGISTRY
from tir.dialects.tir import TensorBuilder
from tir.ir.errors import TirError
from tir.ir.ir import Block
from tir.ir.types import F32, TensorType
from tir.parser.parse import parse_text

R = "tensor<f32>"
#: The op; the types of %a and %b; the message.
WRONG = [
    ("tir.dot_general %a, %b batch [0] x [] contract [1] x [0] : " + R, ("tensor<2x3xf32>", "tensor<3xf32>"),
     "batch and contract must have as many axes of lhs as of rhs, got batch [0] x [] contract [1] x [0]"),
    ("tir.dot_general %a, %b batch [0] x [0] contract [0] x [1] : " + R, ("tensor<2x3xf32>", "tensor<2x3xf32>"),
     "batch and contract of lhs must increase, got [0, 0]"),
    ("tir.dot_general %a, %b batch [] x [] contract [1] x [0] : " + R, ("tensor<2x3xf32>", "tensor<4xf32>"),
     "sizes must agree, got 3 (lhs axis 1) and 4 (rhs axis 0)"),
    ("tir.dot_general %a, %b batch [] x [] contract [] x [] : " + R, (f"tensor<{'1x' * 27}f32>", f"tensor<{'1x' * 27}f32>"),
     "lhs and rhs must have at most 52 axes together"),
    ('tir.einsum "ij;jk" %a, %b : ' + R, ("tensor<2x3xf32>", "tensor<3x4xf32>"),
     'the form is letters, a comma between operands, then -> and letters, got "ij;jk"'),
    ('tir.einsum "ij->i" %a, %b : ' + R, ("tensor<2x3xf32>", "tensor<3x4xf32>"), '"ij->i" is for 1 operand, got 2'),
    ('tir.einsum "ij,j->i" %a, %b : ' + R, ("tensor<2x3xf32>", "tensor<3x4xf32>"),
     '"ij,j->i" has 1 letter for operand 1, which has rank 2'),
    ('tir.einsum "ij,jk->iz" %a, %b : ' + R, ("tensor<2x3xf32>", "tensor<3x4xf32>"),
     "each letter of the result must be there once and in an operand, got 'z' in \"ij,jk->iz\""),
    ('tir.einsum "ij,jk->ik" %a, %b : ' + R, ("tensor<2x3xf32>", "tensor<5x4xf32>"),
     "sizes must agree, got 3 (operand 0 axis 1) and 5 (operand 1 axis 0)"),
    ("tir.windows %a window [2, 2, 2] : " + R, ("tensor<4x4xf32>", R), "the window has 3 axes, and x has rank 2"),
    ("tir.windows %a window [2] strides [1, 1] : " + R, ("tensor<4xf32>", R),
     "strides must have a number for each of the 1 axes of the window, got [1, 1]"),
    ("tir.windows %a window [2] dilations [0] : " + R, ("tensor<4xf32>", R), "dilations must be at least 1, got [0]"),
    ("tir.windows %a window [7] : " + R, ("tensor<4xf32>", R), "axis 0 of the result would have the size -2"),
    ("tir.windows %a window [2] with 1 : i32 : " + R, ("tensor<4xf32>", R), "the value must be of type f32, got 1 : i32"),
    ("tir.overlap_add %a window [2] : tensor<3x2xf32> -> tensor<4x4xf32>", ("tensor<3x2xf32>", R),
     "x must have an axis more for each of the window's than the result"),
    ("tir.overlap_add %a window [2] : tensor<3x2xf32> -> tensor<5xf32>", ("tensor<3x2xf32>", R),
     "sizes must agree, got 3 (x axis 0) and 4 (its windows axis 0)"),
    ("tir.max_pool %a window [2] low [2] : " + R, ("tensor<4xf32>", R),
     "low and high must be 0 or more and less than the window along axis 0 of it, got 2 and 0 for a window over 2 places"),
    ("tir.avg_pool %a window [2] : tensor<3xi32>", ("tensor<4xi32>", R),
     "a mean needs floats, got tensor<4xi32>; divisor one gives the sum"),
    ("tir.max_pool_grad %a, %b window [2] : tensor<2xf32> -> tensor<4xf32>", ("tensor<4xf32>", "tensor<2xf32>"),
     "sizes must agree, got 2 (g axis 0) and 3 (the pooled x axis 0)"),
    ("tir.conv %a, %b : " + R, ("tensor<4x4xf32>", "tensor<4x4xf32>"), "x and w must have one rank, of 3 or more"),
    ("tir.conv %a, %b : " + R, ("tensor<1x2x4xf32>", "tensor<1x2x2xf64>"), "element types must be equal"),
    ("tir.conv %a, %b : " + R, ("tensor<1x3x4xf32>", "tensor<1x2x2xf32>"),
     "the features of x must be the inputs of w times the groups, got 3 (x axis 1), 2 (w axis 1) and 1"),
    ("tir.conv %a, %b strides [1, 1] : " + R, ("tensor<1x2x4xf32>", "tensor<1x2x2xf32>"),
     "strides must have a number for each of the 1 spatial axes, got [1, 1]"),
    ("tir.conv %a, %b w_dilations [0] : " + R, ("tensor<1x2x4xf32>", "tensor<1x2x2xf32>"),
     "w_dilations must be at least 1, got [0]"),
    ("tir.conv %a, %b groups 0 : " + R, ("tensor<1x2x4xf32>", "tensor<1x2x2xf32>"), "groups must be at least 1, got 0"),
    ("tir.conv %a, %b groups 2 : " + R, ("tensor<1x4x4xf32>", "tensor<3x2x2xf32>"),
     "the outputs must be a multiple of the groups, got 3 (w axis 0) and 2 groups"),
    ("tir.conv %a, %b groups 2 : " + R, ("tensor<1x4x4xf32>", "tensor<?x2x2xf32>"),
     "groups need known numbers of inputs and outputs, got tensor<?x2x2xf32>"),
    ('tir.conv %a, %b layout "bf0_oi1->bf0" : ' + R, ("tensor<1x2x4xf32>", "tensor<1x2x2xf32>"),
     'layout must name each axis once, as "bf0_oi0->bf0" does, got "bf0_oi1->bf0"'),
    ("tir.conv %a, %b : " + R, ("tensor<1x2x4xf32>", "tensor<1x2x?xf32>"),
     "the window must have known sizes from 1 on, got ? (w axis 2)"),
    ("tir.conv_grad_input %b, %a : tensor<1x2x2xf32>, tensor<1x1x9xf32> -> tensor<1x2x4xf32>",
     ("tensor<1x1x9xf32>", "tensor<1x2x2xf32>"), "sizes must agree, got 9 (g axis 2) and 3 (the convolution axis 2)"),
    ("tir.cholesky %a : tensor<4xf32>", ("tensor<4xf32>", R), "a must be a matrix, got tensor<4xf32>"),
    ("tir.det %a : tensor<4x5xf32> -> tensor<f32>", ("tensor<4x5xf32>", R),
     "a must be square, got 4 (a axis 0) and 5 (a axis 1)"),
    ("tir.solve %a, %b : tensor<4x4xf32>, tensor<4xf32>", ("tensor<4x4xf32>", "tensor<4xf32>"),
     "b must have the rank of a, got tensor<4x4xf32> and tensor<4xf32>"),
    ("tir.solve %a, %b : tensor<4x4xf32>, tensor<3x1xf32>", ("tensor<4x4xf32>", "tensor<3x1xf32>"), "sizes must agree"),
    ("tir.triangular_solve %a, %b : tensor<4x4xf32>, tensor<4x1xf64>", ("tensor<4x4xf32>", "tensor<4x1xf64>"),
     "element types must be equal, got tensor<4x4xf32> and tensor<4x1xf64>; tir.cast converts"),
    ("tir.inv %a : tensor<4x4xf16>", ("tensor<4x4xf16>", R), "must be a tensor of f32 or f64"),
    ("tir.softmax_cross_entropy %a, %b weights %a : tensor<3xf32>", ("tensor<3x4xf32>", "tensor<3xi32>"),
     "weights must have shape [4] and the element type of the logits, got tensor<3x4xf32>"),
    ("tir.nll_loss %a, %b weights %a : tensor<f32>", ("tensor<4xf32>", "tensor<4xi32>"),
     "labels must have shape [], got tensor<4xi32> for scores tensor<4xf32>"),
    ("tir.nll_loss %b, %c weights %a : tensor<f32>", ("tensor<5xf32>", "tensor<4xf32>"),
     "weights must have shape [4] and the element type of the scores, got tensor<5xf32>"),
    ("tir.softmax_cross_entropy %a, %b ignore -100 : tensor<3xf32>", ("tensor<3x4xf32>", "tensor<3x4xf32>"),
     "ignore is for labels that are class numbers, got tensor<3x4xf32>"),
    ("tir.softmax_cross_entropy %a, %b smoothing(1.5 : f64) : tensor<3xf32>", ("tensor<3x4xf32>", "tensor<3xi32>"),
     "smoothing must be 0 to 1, got 1.5"),
    ("tir.softmax_cross_entropy %a, %b smoothing(0x7FF8000000000000 : f64) : tensor<3xf32>",
     ("tensor<3x4xf32>", "tensor<3xi32>"), "smoothing must be 0 to 1, got nan"),
    ("tir.polygamma %a order -1 : tensor<4xf32>", ("tensor<4xf32>", R), "order must be 0 to 100, got -1"),
    ("tir.polygamma %a order 101 : tensor<4xf32>", ("tensor<4xf32>", R), "order must be 0 to 100, got 101"),
    ("tir.polygamma %a order 1 : tensor<4xi32>", ("tensor<4xi32>", R), "must be a tensor of f16 or bf16 or f32 or f64"),
    ("tir.cumsum %a axis 1 : tensor<4xf32>", ("tensor<4xf32>", R), "axis must be 0 to 0, got 1"),
    ("tir.recurrence %a, %b axis 0 : tensor<4xf32>", ("tensor<4xf32>", "tensor<4xf64>"),
     "element types must be equal, got tensor<4xf32> and tensor<4xf64>; tir.cast converts"),
    ("tir.recurrence %a, %b axis 0 : tensor<4xf32>", ("tensor<4xf32>", "tensor<5xf32>"),
     "sizes must agree, got 4 (a axis 0) and 5 (b axis 0)"),
    ("tir.recurrence %a, %a axis 1 : tensor<4xf32>", ("tensor<4xf32>", R), "axis must be 0 to 0, got 1"),
    ("tir.reverse %a over [0, 0] : tensor<4xf32>", ("tensor<4xf32>", R), "axes must increase, got [0, 0]"),
    (f"tir.tile %a by [{1 << 62}] : tensor<?xf32>", ("tensor<?xf32>", R),
     "reps must lie between -2^31 and 2^31, got [4611686018427387904]"),
    (f"tir.repeat %a times {1 << 31} axis 0 : tensor<?xf32>", ("tensor<?xf32>", R),
     "times must lie between -2^31 and 2^31, got [2147483648]"),
    (f"tir.windows %a window [5] dilations [{1 << 62}] : tensor<?x5xf32>", ("tensor<?xf32>", R),
     "dilations must lie between -2^31 and 2^31, got [4611686018427387904]"),
    (f"tir.conv %a, %b low [{1 << 62}] high [{-1 << 62}] : tensor<1x1x?xf32>", ("tensor<1x1x?xf32>", "tensor<1x1x2xf32>"),
     "low must lie between -2^31 and 2^31, got [4611686018427387904]"),
]  # fmt: skip


@pytest.mark.parametrize(("op", "types", "message"), WRONG, ids=[f"{i}-{w[0].split()[0]}" for i, w in enumerate(WRONG)])
def test_a_wrong_op_is_refused_in_words_of_the_program(op: str, types: tuple[str, str], message: str) -> None:
    text = f"func.func @f(%a: {types[0]}, %b: {types[1]}, %c: tensor<i32>) {{\n  %r = {op}\n  return\n}}\n"
    with pytest.raises(TirError) as caught:
        parse_text(text, REGISTRY, file="wrong.tir")
    assert message in str(caught.value)
    assert "wrong.tir:2:" in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "ranks", "message"),
    [
        ("ij,jk->ik", (2,), 'einsum: "ij,jk->ik" is for 2 operands, got 1'),
        ("ij", (3,), 'einsum: "ij" does not fit operand 0, which has rank 3'),
        ("i!j", (2,), "einsum: the form is letters and '...', a comma between operands, then -> and letters, got \"i!j\""),
    ],
)
def test_builder_says_what_is_wrong_with_an_einsum(spec: str, ranks: tuple[int, ...], message: str) -> None:
    block = Block([TensorType((2,) * rank, F32) for rank in ranks])
    b = TensorBuilder(block)
    with pytest.raises(TirError, match=re.escape(message)):
        b.einsum(spec, *(b.tensor(argument) for argument in block.arguments))


def test_builder_says_that_matmul_needs_axes() -> None:
    block = Block([TensorType((), F32), TensorType((2,), F32)])
    b = TensorBuilder(block)
    with pytest.raises(TirError, match="matmul needs operands of rank 1 or more, got tensor<f32> and tensor<2xf32>"):
        b.matmul(*(b.tensor(argument) for argument in block.arguments))
