"""The tensor dialect `tir`: what a program says before it is lowered. One class an op, in families (`base.py`)."""

from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.composite import LogSoftmax, Mean, Softmax, SoftmaxCrossEntropy
from tir.dialects.tir.create import Constant, Full, Iota, OneHot
from tir.dialects.tir.elementwise import (
    Abs,
    Add,
    And,
    Cast,
    Cmp,
    Div,
    Exp,
    Log,
    Log1p,
    Maximum,
    Minimum,
    Mul,
    Neg,
    Not,
    Or,
    Pow,
    Relu,
    Select,
    Sigmoid,
    Sign,
    Sqrt,
    Square,
    Sub,
    Tanh,
)
from tir.dialects.tir.linalg import Dot
from tir.dialects.tir.random import RngBits, RngUniform
from tir.dialects.tir.reduce import All, AnyOp, Argmax, Max, Min, Prod, Sum
from tir.dialects.tir.shape import Broadcast, DimOp, Pad, Reshape, Slice, Transpose
from tir.dialects.tir.state import Grad, Leaf, Read, Shared, Update
from tir.ir.registry import Dialect

__all__ = ["DIALECT", "Tensor", "TensorBuilder"]

DIALECT = Dialect(
    "tir",
    "Tensors as immutable values: arithmetic, shapes, reductions, products, randomness, state and gradients.",
    (
        Constant, Full, Iota, OneHot,
        Cast, Add, Sub, Mul, Div, Pow, Maximum, Minimum,
        Neg, Abs, Sign, Square, Sqrt, Exp, Log, Log1p, Tanh, Sigmoid, Relu,
        Cmp, Select, And, Or, Not,
        Broadcast, Transpose, Reshape, Slice, Pad, DimOp,
        Sum, Prod, Max, Min, All, AnyOp, Argmax, Dot,
        Mean, Softmax, LogSoftmax, SoftmaxCrossEntropy,
        RngBits, RngUniform,
        Shared, Read, Update, Leaf, Grad,
    ),
)  # fmt: skip
