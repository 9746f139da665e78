"""Every op of the tensor dialect on every path that its class says by itself, from the rows in `samples.py`."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from tests.ops.chosen import chosen
from tests.ops.element_runner import run_by_element
from tests.ops.row_levels import assert_close, check
from tests.ops.samples import SAMPLES, SMOOTH, Sample
from tests.ops.samples.rng import philox_block
from tir.dialects.all import REGISTRY
from tir.dialects.tir import DIALECT
from tir.dialects.tir.base import Composite, NotDifferentiable, Reduction, Sequential, Sized, Structured
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.random import philox
from tir.interpret import Interpreter
from tir.ir.ir import Op
from tir.ir.verify import verify
from tir.parser.parse import parse_text

CHOSEN = list(chosen(SAMPLES))
STATE = {"tir.shared", "tir.read", "tir.update", "tir.leaf", "tir.grad", "tir.assert", "tir.print", "tir.name_size"}  # no function of tensors
STATE |= {"tir.if", "tir.while", "tir.scan", "tir.checkpoint", "tir.yield", "tir.vjp", "tir.jvp", "tir.jacobian"}
# No loop around one element: lowerings list them by name.
MOVES = {"tir.constant", "tir.dim", "tir.to_index", "tir.reshape", "tir.pad", "tir.concat", "tir.dynamic_slice",
         "tir.update_slice", "tir.optimization_barrier"}  # fmt: skip


def sampled_op(sample: Sample) -> Op:
    """The op of the sample in its function."""
    module = parse_text(sample.module(), REGISTRY)
    return next(op for op in module.walk() if op.name == sample.op)


@pytest.mark.parametrize("op", sorted({sample.op for sample in SAMPLES}))
def test_reference_gives_what_an_independent_source_says_and_the_text_reads_back(op: str) -> None:
    check([sample for sample in SAMPLES if sample.op == op], ["tensor"], ["tensor"])


@pytest.mark.parametrize("sample", [s for s in CHOSEN if issubclass(REGISTRY.op_class(s.op), Structured)], ids=str)
def test_element_and_index_maps_give_the_reference(sample: Sample) -> None:
    op = sampled_op(sample)
    assert isinstance(op, Structured)
    with np.errstate(all="ignore"):
        got = run_by_element(op, dict(zip(op.operands, sample.inputs)), sample.want.shape)
    if got.dtype != sample.want.dtype:
        got = got.view(sample.want.dtype)  # an unsigned number, as bits
    assert_close(got, sample)


@pytest.mark.parametrize("sample", [s for s in CHOSEN if issubclass(REGISTRY.op_class(s.op), Composite)], ids=str)
def test_decomposition_gives_the_reference(sample: Sample) -> None:
    module = parse_text(sample.module(), REGISTRY)
    (op,) = (op for op in module.walk() if isinstance(op, Composite))
    while op is not None:
        b = TensorBuilder.before(op)
        op.replace_with([part.value for part in op.rounded_decomposition(b, *(Tensor(b, v) for v in op.operands))])
        op = next((op for op in module.walk() if isinstance(op, Composite)), None)
    verify(module)
    (got,) = Interpreter(module).run("f", list(sample.inputs))
    assert_close(np.asarray(got), sample)


# --- Philox --------------------------------------------------------------------------------------------------------

# kat_vectors of the Random123 distribution, philox4x32 with 10 rounds: counter, key, block.
KNOWN_ANSWERS = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter: tuple, key: tuple, block: tuple) -> None:
    words = philox(tuple(np.uint64(c) for c in counter), tuple(np.uint64(k) for k in key))
    assert tuple(int(w) for w in words) == block
    assert tuple(philox_block(counter, key)) == block


def test_uniform_numbers_are_spread_evenly() -> None:
    text = "func.func @f(%k: tensor<2xi32>) -> tensor<100000xf32> {\n  %r = tir.rng_uniform %k : tensor<100000xf32>\n"
    module = parse_text(text + "  return %r : tensor<100000xf32>\n}\n", REGISTRY)
    (x,) = Interpreter(module).run("f", [np.array([1, 2], np.int32)])
    assert 0 <= x.min() and x.max() < 1
    counts = np.histogram(x, 10, (0, 1))[0]
    assert np.abs(counts - 10000).max() < 500  # 5 standard deviations


# --- messages ------------------------------------------------------------------------------------------------------

WRONG = [
    (
        "tir.add %a, %b : tensor<4xf32>",
        "tensor<4xf32>, tensor<5xf32>",
        "tir.add: sizes must agree, got 4 (lhs axis 0) and 5 (rhs axis 0)",
    ),
    (
        "tir.add %a, %b : tensor<[B]xf32>",
        "tensor<[B]xf32>, tensor<[C]xf32>",
        "sizes must agree, got [B] (lhs axis 0) and [C] (rhs axis 0)",
    ),
    (
        "tir.add %a, %b : tensor<[B]xf32>",
        "tensor<[B]xf32>, tensor<4xf32>",
        "sizes must agree, got [B] (lhs axis 0) and 4 (rhs axis 0)",
    ),
    (
        "tir.add %a, %b : tensor<4xf32>",
        "tensor<4xf32>, tensor<f32>",
        "lhs has rank 1 and rhs rank 0; tir.broadcast makes them equal",
    ),
    (
        "tir.add %a, %b : tensor<4xf32>",
        "tensor<4xf32>, tensor<4xf64>",
        "element types must be equal, got f32 of lhs and f64 of rhs",
    ),
    (
        "tir.add %a, %b : tensor<4xf32>",
        "tensor<?xf32>, tensor<?xf32>",
        "tir.add: the result must have type tensor<?xf32>",
    ),
    ("tir.exp %a : tensor<4xi32>", "tensor<4xi32>, f32", "operand 'x' must be a tensor of f16 or bf16 or f32 or f64"),
    (
        "tir.dot %a, %b : tensor<3x6xf32>",
        "tensor<3x4xf32>, tensor<5x6xf32>",
        "tir.dot: inner sizes must agree, got 4 (lhs axis 1) and 5 (rhs axis 0)",
    ),
    ("tir.dot %a, %b : tensor<3xf32>", "tensor<3x4x5xf32>, tensor<5xf32>", "rank 1 or 2, got 3 and 1"),
    ("tir.sum %a over [1] : tensor<4xf32>", "tensor<4xf32>, f32", "tir.sum: axes must be 0 to 0, got 1"),
    ("tir.sum %a over [1, 0] : tensor<f32>", "tensor<4x4xf32>, f32", "axes must increase, got [1, 0]"),
    ("tir.sum %a over [0] : tensor<f32>", "tensor<f32>, f32", "a tensor of rank 0 has no axes, got 0"),
    (
        "tir.transpose %a by [0, 0] : tensor<4x4xf32>",
        "tensor<4x4xf32>, f32",
        "by must hold each of the 2 axes of x once",
    ),
    (
        "tir.broadcast %a along [0] : tensor<3xf32> -> tensor<4x3xf32>",
        "tensor<3xf32>, f32",
        "got 3 (x axis 0) and 4 (result axis 0)",
    ),
    (
        "tir.broadcast %a along [0] : tensor<f32> -> tensor<4xf32>",
        "tensor<f32>, f32",
        "along needs an axis of the result for each of x",
    ),
    (
        "tir.broadcast %a along [] : tensor<f32> -> tensor<[Z]xf32>",
        "tensor<f32>, f32",
        "size [Z] is not bound: no argument of the function has [Z] as a size",
    ),
    (
        "tir.broadcast %a along [] : tensor<f32> -> tensor<?xf32>",
        "tensor<f32>, f32",
        "needs one size operand for each ?, which is 1, got 0",
    ),
    (
        "tir.reshape %a : tensor<4xf32> -> tensor<5xf32>",
        "tensor<4xf32>, f32",
        "the number of elements must stay, got 4 (tensor<4xf32>) and 5",
    ),
    (
        "tir.reshape %a : tensor<[B]x4xf32> -> tensor<[B]xf32>",
        "tensor<[B]x4xf32>, f32",
        "number of elements must stay, got B * 4",
    ),
    (
        "tir.slice %a from [0] to [5] step [1] : tensor<5xf32>",
        "tensor<4xf32>, f32",
        "from 0 to 5 step 1 does not fit axis 0 of x, of size 4",
    ),
    (
        "tir.slice %a from [0] to [4] step [0] : tensor<4xf32>",
        "tensor<4xf32>, f32",
        "from 0 to 4 step 0 does not fit axis 0",
    ),
    (
        "tir.slice %a from [0] to [4, 4] step [1] : tensor<4xf32>",
        "tensor<4xf32>, f32",
        "a number for each of the 1 axes of x",
    ),
    (
        "tir.pad %a with 0.0 : f32 from [1] to [0] step [1] : tensor<4xf32> -> tensor<4xf32>",
        "tensor<4xf32>, f32",
        "the slice of the result is tensor<3xf32>, and x is tensor<4xf32>",
    ),
    ("tir.full 1 : i32 -> tensor<4xf32>", "f32, f32", "the value must be of type f32, got 1 : i32"),
    ("tir.iota axis 1 : tensor<4xi32>", "f32, f32", "axis must be 0 to 0, got 1"),
    ("tir.one_hot %a : tensor<4xi32> -> tensor<5x3xf32>", "tensor<4xi32>, f32", "the shape of x and one axis more"),
    ("tir.argmax %a axis 2 : tensor<4xi64>", "tensor<4x2xf32>, f32", "axis must be 0 to 1, got 2"),
    ("tir.argmin %a axis 2 : tensor<4xi64>", "tensor<4x2xf32>, f32", "axis must be 0 to 1, got 2"),
    ("tir.reduce_and %a over [0] : tensor<f32>", "tensor<4xf32>, f32", "operand 'x' must be a tensor of an integer"),
    ("tir.var %a over [0] ddof -1 : tensor<f32>", "tensor<4xf32>, f32", "ddof must not be negative, got -1"),
    ("tir.norm %a l2 over [1] : tensor<4xf32>", "tensor<4xf32>, f32", "axes must be 0 to 0, got 1"),
    ("tir.cummax %a axis 1 : tensor<4xf32>", "tensor<4xf32>, f32", "axis must be 0 to 0, got 1"),
    (
        "tir.normalize %a over [0] epsilon 0.1 : f64 : tensor<4xf32>",
        "tensor<4xf32>, f32",
        "epsilon must be of type f32, got 0.1 : f64",
    ),
    (
        "tir.normalize %a over [0] epsilon -0.5 : f32 : tensor<4xf32>",
        "tensor<4xf32>, f32",
        "epsilon must be 0 or a positive number, got -0.5",
    ),
    (
        "tir.rms_norm %a, %b over [1] epsilon 0.5 : f32 : tensor<4x3xf32>",
        "tensor<4x3xf32>, tensor<4xf32>",
        "scale must have shape [3] and the element type of x, got tensor<4xf32>",
    ),
    (
        "tir.layer_norm %a, %b, %b over [0] epsilon 0.5 : f32 : tensor<[N]xf32>",
        "tensor<[N]xf32>, tensor<[N]xf64>",
        "scale must have shape [[N]] and the element type of x, got tensor<[N]xf64>",
    ),
    (
        "tir.huber %a, %b delta 0.5 : f64 : tensor<4xf32>",
        "tensor<4xf32>, tensor<4xf32>",
        "delta must be of type f32, got 0.5 : f64",
    ),
    (
        "tir.huber %a, %b delta 0.0 : f32 : tensor<4xf32>",
        "tensor<4xf32>, tensor<4xf32>",
        "delta must be a positive number, got 0.0",
    ),
    ("tir.kl_div %a, %b : tensor<4xf32>", "tensor<4xf32>, tensor<4xf64>", "got f32 of log_q and f64 of p"),
    ("tir.nll_loss %a, %b : tensor<f32>", "tensor<f32>, tensor<i32>", "scores need an axis of classes, got rank 0"),
    (
        "tir.nll_loss %a, %b : tensor<4xf32>",
        "tensor<4x3xf32>, tensor<5xi32>",
        "labels must have shape [4], got tensor<5xi32> for scores tensor<4x3xf32>",
    ),
    ("tir.sort %a axis 0 : tensor<f32>", "tensor<f32>, f32", "a tensor of rank 0 has no axes, got 0"),
    (
        "tir.top_k %a axis 0 k 5 : tensor<5xf32>, tensor<5xi64>",
        "tensor<4xf32>, f32",
        "axis 0 must have 5 elements or more, got 4",
    ),
    ("tir.top_k %a axis 0 k -1 : tensor<4xf32>, tensor<4xi64>", "tensor<4xf32>, f32", "k must not be negative, got -1"),
    ("tir.cast %a : tensor<4xf32> -> tensor<5xi32>", "tensor<4xf32>, f32", "the shape must stay"),
    ("tir.bitcast %a : tensor<4xf32> -> tensor<5xi32>", "tensor<4xf32>, f32", "the shape must stay"),
    (
        "tir.bitcast %a : tensor<4xf32> -> tensor<4xi64>",
        "tensor<4xf32>, f32",
        "the number of bits must stay, got 32 (tensor<4xf32>) and 64 (tensor<4xi64>)",
    ),
    ("tir.bitcast %a : index -> tensor<i64>", "index, f32", "operand 'x' must be a tensor of i1, an integer of 8 to 64"),
    ("tir.shl %a, %b : tensor<4xf32>", "tensor<4xf32>, tensor<4xf32>", "operand 'lhs' must be a tensor of an integer"),
    ("tir.shr %a, %b : tensor<4xi32>", "tensor<4xi32>, tensor<4xi8>", "got i32 of lhs and i8 of rhs; tir.cast converts"),
    ("tir.is_nan %a : tensor<4xi32>", "tensor<4xi32>, f32", "operand 'x' must be a tensor of f16 or bf16 or f32 or f64"),
    ("tir.floor %a : tensor<4xi32>", "tensor<4xi32>, f32", "operand 'x' must be a tensor of f16 or bf16 or f32 or f64"),
    (
        "tir.clamp %a, %b, %b : tensor<4xf32>",
        "tensor<4xf32>, tensor<5xf32>",
        "tir.clamp: sizes must agree, got 4 (x axis 0) and 5 (low axis 0)",
    ),
    (
        "tir.maximum %a, %b tie both : tensor<4xf32>",
        "tensor<4xf32>, tensor<4xf32>",
        "tie must be one of first, second, split, got 'both'",
    ),
    ("tir.round %a half up : tensor<4xf32>", "tensor<4xf32>, f32", "half must be one of even, away, got 'up'"),
    (
        "tir.gelu %a approximate fast : tensor<4xf32>",
        "tensor<4xf32>, f32",
        "approximate must be one of erf, tanh, got 'fast'",
    ),
    (
        "tir.relu %a at_zero(1) : tensor<4xf32>",
        "tensor<4xf32>, f32",
        "tir.relu: attribute 'at_zero' must be a number of type f64, got 1 : i64",
    ),
    (
        "tir.softmax_cross_entropy %a, %b : tensor<4xf32>",
        "tensor<4x3xf32>, tensor<5xi32>",
        "labels must have shape [4]",
    ),
    ("tir.rng_bits %a : tensor<4x?xi32>", "tensor<2xi32>, f32", "needs one size operand for each ?"),
    ("tir.rng_bits %a : tensor<4xi32>", "tensor<2xi64>, f32", "operand 'key' must be tensor<2xi32>"),
    ("tir.dim %a axis 1 : tensor<4xf32>", "tensor<4xf32>, f32", "axis must be 0 to 0, got 1"),
    ("tir.concat %a, %b axis 0 : tensor<9xf32>", "tensor<4xf32>, tensor<5xf64>", "must have one rank and element type"),
    ("tir.concat %a, %b axis 1 : tensor<4xf32>", "tensor<4xf32>, tensor<4xf32>", "axis must be 0 to 0, got 1"),
    (
        "tir.concat %a, %b axis 0 : tensor<2x4xf32>",
        "tensor<1x4xf32>, tensor<1x5xf32>",
        "tir.concat: sizes of axis 1 must agree, got 4 (operand 0) and 5 (operand 1)",
    ),
    ("tir.tile %a by [2] : tensor<4xf32>", "tensor<2x1xf32>, f32", "a count of at least 0 for each of the 2 axes of x, got [2]"),
    ("tir.tile %a by [-1] : tensor<4xf32>", "tensor<4xf32>, f32", "a count of at least 0 for each of the 1 axes of x, got [-1]"),
    ("tir.repeat %a times -1 axis 0 : tensor<4xf32>", "tensor<4xf32>, f32", "times must be at least 0, got -1"),
    ("tir.repeat %a times 2 axis 1 : tensor<4xf32>", "tensor<4xf32>, f32", "axis must be 0 to 0, got 1"),
    ("tir.tril %a diagonal 0 : tensor<4xf32>", "tensor<4xf32>, f32", "x must have rank 2 or more, got tensor<4xf32>"),
    ("tir.diag %a diagonal 0 : tensor<f32>", "tensor<f32>, f32", "x must have rank 1 or more, got tensor<f32>"),
    ("tir.diag_part %a diagonal 0 : tensor<f32>", "tensor<4xf32>, f32", "x must have rank 2 or more, got tensor<4xf32>"),
    (
        "tir.diag_part %a diagonal 0 : tensor<[N]xf32>",
        "tensor<[N]x[M]xf32>, f32",
        "the last two sizes of x must be numbers or equal, got [N] and [M]",
    ),
    (
        "tir.dynamic_slice %a at %b : tensor<4x4xf32> -> tensor<2x2xf32>",
        "tensor<4x4xf32>, tensor<i32>",
        "needs a start for each axis of x, and a result of its rank and element type, got 1 start",
    ),
    (
        "tir.dynamic_slice %a at %b : tensor<4xf32> -> tensor<5xf32>",
        "tensor<4xf32>, tensor<i32>",
        "axis 0 of the slice must not be longer than that of x, got 5 and 4",
    ),
    ("tir.dynamic_slice %a at %b : tensor<4xf32> -> tensor<2xf32>", "tensor<4xf32>, tensor<1xi32>", "tensor of rank 0 of"),
    (
        "tir.update_slice %a with %a at %b, %b : tensor<4xf32>",
        "tensor<4xf32>, tensor<i32>",
        "a start for each axis of x, and an update of its rank and element type, got 2 starts",
    ),
    ("tir.take %a at %b axis 1 : tensor<2xf32>", "tensor<4xf32>, tensor<2xi32>", "tir.take: axis must be 0 to 0, got 1"),
    ("tir.take %a at %b axis 0 : tensor<2xf32>", "tensor<4xf32>, tensor<2xf32>", "operand 'index' must be a tensor of an int"),
    ("tir.take %a at %b axis 0 : tensor<3xf32>", "tensor<4xf32>, tensor<2xi32>", "the result must have type tensor<2xf32>"),
    ("tir.take %a at %b axis 0 mode wrap : tensor<2xf32>", "tensor<4xf32>, tensor<2xi32>", "error, clamp, drop"),
    (
        "tir.take_along_axis %a at %b axis 0 : tensor<2xf32>",
        "tensor<4x3xf32>, tensor<2xi32>",
        "x and index must have one rank, got tensor<4x3xf32> and tensor<2xi32>",
    ),
    (
        "tir.take_along_axis %a at %b axis 0 : tensor<2x2xf32>",
        "tensor<4x3xf32>, tensor<2x2xi32>",
        "sizes must agree, got 3 (x axis 1) and 2 (index axis 1)",
    ),
    ("tir.index_nd %a at %b, %b : tensor<2xf32>", "tensor<4xf32>, tensor<2xi32>", "for each of its first axes, 1 to 1, got 2"),
    ("tir.index_nd %a at %b, %a : tensor<2xi32>", "tensor<4x4xi32>, tensor<2xi32>", "indices must have one shape, got tensor<2xi32>"),
    ("tir.put add %a at %b with %a axis 0 : tensor<4xf32>", "tensor<4xf32>, tensor<2xi32>", "and 2 (index axis 0)"),
    (
        "tir.put add %a at %b with %a axis 0 : tensor<4xi1>",
        "tensor<4xi1>, tensor<4xi32>",
        "tir.put: kind add needs numbers, got tensor<4xi1>",
    ),
    (
        "tir.put set %a at %b with %b axis 0 : tensor<4xf32>",
        "tensor<4xf32>, tensor<4xi32>",
        "x and u must have one element type, got tensor<4xf32> and tensor<4xi32>",
    ),
    (
        "tir.put set %a at %b with %a axis 0 : tensor<4x2xf32>",
        "tensor<4x2xf32>, tensor<4x1xi32>",
        "u needs the shape of what is read at these indices, of rank 3, got tensor<4x2xf32>",
    ),
    (
        "tir.gather %a at %b window [1] collapsed [0] map [0] vector 1 sizes [1, 4] : tensor<2x4xf32>",
        "tensor<4x3xf32>, tensor<2x1xi32>",
        "a window must fit into x, got size 4 and 3 (x axis 1)",
    ),
    (
        "tir.gather %a at %b window [1] collapsed [0] map [0] vector 1 sizes [2, 3] : tensor<2x3xf32>",
        "tensor<4x3xf32>, tensor<2x1xi32>",
        "sizes must be 1 along collapsed and batching axes, got 2 along axis 0",
    ),
    (
        "tir.gather %a at %b window [1] map [0] vector 1 sizes [1, 3] : tensor<2x3xf32>",
        "tensor<4x3xf32>, tensor<2x1xi32>",
        "window needs 2 axes, those of x that are neither collapsed nor batching, got [1]",
    ),
    (
        "tir.gather %a at %b window [1] collapsed [0] map [0, 1] vector 1 sizes [1, 3] : tensor<2x3xf32>",
        "tensor<4x3xf32>, tensor<2x1xi32>",
        "map needs an axis of x for each of the 1 numbers of a vector, got [0, 1]",
    ),
    (
        "tir.gather %a at %b window [1] collapsed [0] map [0] vector 3 sizes [1, 3] : tensor<2x3xf32>",
        "tensor<4x3xf32>, tensor<2x1xi32>",
        "vector must be an axis of the index, or its rank 2, got 3",
    ),
    (
        "tir.gather %a at %b window [1] collapsed [0] batching [0] of [0] map [1] vector 1 sizes [1, 1] : tensor<4x3xf32>",
        "tensor<4x3xf32>, tensor<4x1xi32>",
        "no axis is both collapsed and batching, got [0] and [0]",
    ),
    (
        "tir.gather %a at %b window [1] batching [0] of [0] map [0] vector 1 sizes [1, 3] : tensor<4x3xf32>",
        "tensor<4x3xf32>, tensor<4x1xi32>",
        "no axis is both in map and batching, got [0] and [0]",
    ),
    (
        "tir.gather %a at %b window [1] batching [0] of [1] map [1] vector 1 sizes [1, 3] : tensor<4x3xf32>",
        "tensor<4x3xf32>, tensor<4x1xi32>",
        "each batching axis of x needs one of the index, not that of its vectors, got [0] and [1]",
    ),
    (
        "tir.gather %a at %b window [1] batching [0] of [0] map [1] vector 1 sizes [1, 3] : tensor<2x3xf32>",
        "tensor<4x3xf32>, tensor<2x1xi32>",
        "sizes must agree, got 4 (x axis 0) and 2 (index axis 0)",
    ),
    (
        "tir.gather %a at %b window [1] collapsed [0] map [0] vector 1 sizes [1] : tensor<2x3xf32>",
        "tensor<4x3xf32>, tensor<2x1xi32>",
        "sizes needs a number for each of the 2 axes of x, -1 for all of it, got [1]",
    ),
    (
        "tir.scatter add %a at %b with %a window [1] collapsed [0] map [0] vector 2 : tensor<4x3xf32>",
        "tensor<4x3xf32>, tensor<4x1xi32>",
        "u needs 3 axes, of the windows and the index, got tensor<4x3xf32>",
    ),
]


@pytest.mark.parametrize(("op", "types", "message"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_op_is_refused_in_words_of_the_program(op: str, types: str, message: str) -> None:
    a, b = types.split(", ")
    results = ", ".join(f"%{name}" for name in "rst"[: op.rpartition(" : ")[2].count(", ") + 1])
    text = f"func.func @f(%a: {a}, %b: {b}) {{\n  {results} = {op}\n  return\n}}\n"
    with pytest.raises(Exception) as caught:
        parse_text(text, REGISTRY, file="wrong.tir")
    assert message in str(caught.value)
    assert "wrong.tir:2:" in str(caught.value)


# --- completeness --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", DIALECT.ops, ids=lambda op: op.name)
def test_op_has_every_facet(op: type[Op]) -> None:
    assert inspect.getdoc(op), f"{op.name} has no docstring"
    assert getattr(op, "format", None), f"{op.name} has no format"
    assert op.name in STATE or hasattr(op, "reference"), f"{op.name} has no reference"
    assert op.name in STATE - {"tir.leaf"} or hasattr(op, "grad"), f"{op.name} has no grad"
    rule = getattr(op, "grad", None)
    assert rule is None or callable(rule) or isinstance(rule, (NotDifferentiable, property))
    written = {"tir.cast", "tir.bitcast", "tir.read", "tir.if", "tir.scan", "tir.checkpoint"}
    assert not op.definition.results or op.infer is not Op.infer or issubclass(op, Sized) or op.name in written
    if issubclass(op, Structured):
        assert op.structure is not Structured.structure, f"{op.name} has no structure"
        own_step = issubclass(op, Reduction) and op.step is not Reduction.step
        assert own_step or op.element is not Structured.element, f"{op.name} has no element"
    elif issubclass(op, Sequential):
        assert op.program is not Sequential.program, f"{op.name} has no program"
    elif issubclass(op, Composite):
        assert op.decompose is not Composite.decompose, f"{op.name} has no decomposition"
    else:
        assert op.name in STATE | MOVES, f"{op.name} has neither an element nor a decomposition"


def test_every_op_has_its_rows() -> None:
    sampled = {sample.op for sample in SAMPLES}
    missing = [op.name for op in DIALECT.ops if op.name not in sampled | STATE]
    assert not missing, f"these ops have no row in samples.py: {missing}"


def test_every_differentiable_op_has_a_smooth_point() -> None:
    tested = {point.op for point in SMOOTH}
    none = {"tir.constant", "tir.full", "tir.iota", "tir.one_hot", "tir.dim", "tir.to_index", "tir.cast", "tir.cmp", "tir.and",
            "tir.or", "tir.xor", "tir.not", "tir.all", "tir.any", "tir.shl", "tir.shr", "tir.bitcast", "tir.is_nan",
            "tir.is_inf", "tir.is_finite", "tir.reduce_and", "tir.reduce_or", "tir.reduce_xor", "tir.argsort",
            "tir.stop_gradient", "tir.grad_scale", "tir.grad_clip"}  # fmt: skip
    with_rule = {op.name for op in DIALECT.ops if callable(getattr(op, "grad", None))}
    assert with_rule - none - tested == set()
