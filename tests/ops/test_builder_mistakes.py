"""Mistakes of users of `tir.Builder`: each is one error of tir with the line that makes it, the rule and the facts."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir
from tir.dialects.tir.build.arguments import KINDS
from tir.ir.builder import Builder as BaseBuilder
from tir.ir.errors import TirError
from tir.ir.types import IntegerType

ARGUMENTS = {
    "x": "tensor<3xf32>", "v": "tensor<f32>", "m": "tensor<4x3xf32>", "n": "tensor<3xi64>", "k": "tensor<2xi32>",
    "r": "tensor<[B]xf32>",
}  # fmt: skip


class Program:
    """A module that is being written: `p.b`, and the arguments of its function by their names."""

    def __init__(self, b: tir.Builder, arguments: Any) -> None:
        self.b = b
        self.x, self.v, self.m, self.n, self.k, self.r = arguments


def mistaken(make: Callable[[Program], Any]) -> TirError:
    """The error of what is made in a function of a module that has @double and @w, or of the module that comes out."""
    b = tir.Builder()
    b.shared("w", np.zeros(3, np.float32))
    with b.function("double", private=True, a="tensor<3xf32>") as (a,):
        b.returns(a * 2)
    with pytest.raises(TirError) as caught:
        with b.function("main", **ARGUMENTS) as arguments:
            make(Program(b, arguments))
        b.verify()
    return caught.value


def check(make: Callable[[Program], Any], message: str) -> None:
    error = mistaken(make)
    assert message in str(error)
    location = error.location
    assert location is not None and location.file_location().file == __file__


# --- arguments -------------------------------------------------------------------------------------------------------

SIZE = "must be a size, a whole number of at least 0, got"

KIND_MISTAKES = [
    (lambda p: p.b.scan(lambda h: ([h], []), [p.v], length=-3), f"scan: length {SIZE} -3"),
    (lambda p: p.b.full(1.0, [2, -3]), f"full: shape[1] {SIZE} -3"),
    (lambda p: p.b.rng_split(p.k, -2), "rng_split: count must be a size, a whole number of at least 0, or a list of sizes, got -2"),
    (lambda p: p.b.rng_uniform(p.k, 3), "rng_uniform: shape must be a list of sizes, got 3; [..] around it makes a list of one"),
    (lambda p: p.b.rng_permutation(p.k, -2), f"rng_permutation: size {SIZE} -2"),
    (lambda p: p.b.eye(2.0), f"eye: rows {SIZE} 2.0"),
    (lambda p: p.b.one_hot(p.n, -3), f"one_hot: depth {SIZE} -3"),
    (lambda p: p.b.reshape(p.m, [-1]), f"reshape: shape[0] {SIZE} -1; -1 does not stand for the rest"),
    (lambda p: p.b.reshape(p.m, [8 / 2, 3]), f"reshape: shape[0] {SIZE} 4.0"),
    (lambda p: p.b.full(1.0, [p.n]), f"full: shape[0] {SIZE} <Tensor n: tensor<3xi64>>; b.to_index makes a size"),
    (lambda p: p.b.full(1.0, "ab"), "full: shape must be a list of sizes, got 'ab'"),
    (lambda p: p.b.full(p.v, [3]), "full: value must be a number, got <Tensor v: tensor<f32>>"),
    (lambda p: p.b.full(1.0, [3], "f32"), "full: element must be an element type such as tir.F32, got 'f32'; write tir.F32"),
    (lambda p: p.b.cast(p.x, np.int32), "got <class 'numpy.int32'>; write tir.I32"),
    (lambda p: p.b.cast(p.x, "int33"), "cast: element must be an element type such as tir.F32, got 'int33'"),
    (lambda p: p.b.rng_key(1.5), "rng_key: seed must be a whole number, got 1.5"),
    (lambda p: p.b.rng_normal(3, [2]), "rng_normal: key must be a tensor<2xi32>, got 3; b.rng_key(3) makes one"),
    (lambda p: p.b.rng_split(p.x), "rng_split: key must be a tensor<2xi32>, got <Tensor x: tensor<3xf32>>; b.rng_key(seed) makes one"),
    (lambda p: p.b.rng_bits(p.b.rng_split(p.k), [2]), "rng_bits: key must be a tensor<2xi32>, got <Tensor : tensor<2x2xi32>>; one of several keys is keys[0]"),
    (lambda p: p.b.rng_uniform([0, 1], [2]), "rng_uniform: key must be a tensor<2xi32>, got [0, 1]; b.rng_key(seed) makes one"),
    (lambda p: p.b.rng_key(p.k), "rng_key: seed must be a whole number, got <Tensor k: tensor<2xi32>>"),
    (lambda p: p.b.repeat(p.x, 1.5, 0), "repeat: times must be a whole number, got 1.5"),
    (lambda p: p.b.top_k(p.x, 1.5), "top_k: k must be a whole number, got 1.5"),
    (lambda p: p.b.taps(p.x, -1), "taps: taps must be a list of whole numbers, got -1; [..] around it makes a list of one"),
    (lambda p: p.b.taps(p.x, [0, 1.5]), "taps: taps[1] must be a whole number, got 1.5"),
    (lambda p: p.b.pad(p.x, 1, 1), "pad: low must be a list of whole numbers, got 1; [..] around"),
    (lambda p: p.b.max_pool(p.m, 2), "max_pool: window_sizes must be a list of whole numbers, got 2"),
    (lambda p: p.b.conv(p.m, p.m, low="same"), "conv: low must be a list of whole numbers, got 'same'"),
    (lambda p: p.b.split(p.x, 1.5), "split: sizes must be a whole number, or a list of whole numbers, got 1.5"),
    (lambda p: p.b.sum(p.m, "a"), "sum: axes must be a whole number, or a list of whole numbers, got 'a'"),
    (lambda p: p.b.sum(p.m, [None]), "sum: axes[0] must be a whole number, got None"),
    (lambda p: p.b.sum(p.m, True), "sum: axes must be a whole number, or a list of whole numbers, got True"),
    (lambda p: p.b.sum(p.m, 0, "yes"), "sum: keepdims must be True or False, got 'yes'"),
    (lambda p: p.b.argmax(p.x, None), "argmax: axis must be a whole number, got None"),
    (lambda p: p.b.relu(p.x, at_zero="a"), "relu: at_zero must be a number, got 'a'"),
    (lambda p: p.b.einsum(p.m, p.m), "einsum: spec must be a string, got <Tensor m: tensor<4x3xf32>>"),
    (lambda p: p.b.read(3), "read: name must be a string, got 3"),
    (lambda p: p.x.named(3), "named: the name must be a string, got 3"),
    (lambda p: round(p.x, 2), "round: gives whole numbers, got 2 digits"),
    (lambda p: p.b.dot_general(p.m, p.m, ([0],)), "dot_general: contract must be a pair of lists of whole numbers, got ([0],)"),
    (lambda p: p.b.windows(p.x, [3]), "windows: axes[0] must be a WindowAxis, got 3"),
    (lambda p: p.b.concat(p.x), "concat: xs must be a list of tensors, numbers or arrays, got <Tensor x: tensor<3xf32>>"),
    (lambda p: p.b.concat([p.x, "a"]), "concat: xs[1] must be a tensor, a number or an array, got 'a'"),
    (lambda p: p.b.grad(p.b.sum(p.x), p.x), "grad: wrt must be a list of tensors, numbers or arrays, got <Tensor x"),
    (lambda p: p.b.while_loop(lambda y: y > 1, lambda y: [y], p.v), "while_loop: inits must be a list of tensors, numbers"),
    (lambda p: p.b.scan(lambda h, e: ([h], []), inits=p.v, sequences=[p.x]), "scan: inits must be a list of tensors, numbers, arrays or b.taps"),
    (lambda p: p.b.scan(lambda h, e: ([h], []), [p.v], p.x), "scan: sequences must be a list of tensors, numbers, arrays or b.taps"),
    (lambda p: p.b.map(lambda e: e, None), "map: sequences must be a tensor, a number, an array or b.taps of one, or a list of several, got None"),
    (lambda p: p.b.reduce(lambda s, e: s, [None], p.x), "reduce: init[0] must be a tensor, a number, an array or b.taps of one, got None"),
    (lambda p: p.b.if_(p.v > 0, p.v, p.v), "if_: then must be a function, got <Tensor v: tensor<f32>>; `lambda: ..` around it makes one"),
    (lambda p: p.b.map(None, p.x), "map: function must be a function, got None"),
    (lambda p: p.x + None, "add: y must be a tensor, a number or an array, got None"),
    (lambda p: "a" * p.x, "mul: x must be a tensor, a number or an array, got 'a'"),
    (lambda p: p.x + 1j, "add: y must be a tensor, a number or an array, got 1j"),
    (lambda p: p.b.exp({}), "exp: x must be a tensor, a number or an array, got {}"),
    (lambda p: p.b.tensor("a"), "expected a tensor, a number or an array, got 'a'"),
    (lambda p: p.b.exp("a" * 100), f"got '{'a' * 76}..."),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), KIND_MISTAKES)
def test_argument_of_the_wrong_kind_is_told(make: Callable[[Program], Any], message: str) -> None:
    check(make, message)


CALLS = [
    (lambda p: p.b.sum(p.x, axis=0), "sum: there is no argument 'axis'; did you mean 'axes'?"),
    (lambda p: p.b.add(p.x, p.x, out=p.x), "add: there is no argument 'out'; no op changes a value, each makes a new one"),
    (lambda p: p.b.select(p.x > 0, p.x), "select: y is missing, it takes condition, x, y"),
    (lambda p: p.b.sum(p.m, dim=0), "sum: there is no argument 'dim'; did you mean 'axes'?"),
    (lambda p: p.b.cumsum(p.x, dim=0), "cumsum: there is no argument 'dim'; did you mean 'axis'?"),
    (lambda p: p.b.max_pool(p.m, kernel_size=[2]), "there is no argument 'kernel_size'; did you mean 'window_sizes'?"),
    (lambda p: p.b.conv(p.m, p.m, padding=[1]), "conv: there is no argument 'padding'; did you mean 'low' and 'high'?"),
    (lambda p: p.b.layer_norm(p.m, p.x, p.x, eps=1e-5), "there is no argument 'eps'; did you mean 'epsilon'?"),
    (lambda p: p.b.leaky_relu(p.x, negative_slope=0.1), "did you mean 'alpha'?"),
    (lambda p: p.b.rng_uniform(seed=3, shape=[3]), "rng_uniform: there is no argument 'seed'; did you mean 'key'?"),
    (lambda p: p.b.one_hot(p.n, num_classes=3), "one_hot: there is no argument 'num_classes'; did you mean 'depth'?"),
    (lambda p: p.b.softmax_cross_entropy(p.m, p.n, reduction="mean"), "b.mean or b.sum makes it one number"),
    (lambda p: p.b.sum(p.m, 0, True, 1), "sum: takes x, axes, keepdims, got 4 arguments"),
    (lambda p: p.b.reshape(p.m, 3, 4), "reshape: takes x, shape, got 3 arguments; several stand in a list, [..]"),
    (lambda p: p.b.sum(p.m, 0, axes=1), "sum: axes is given twice, by its place and by its name"),
    (lambda p: p.b.cmp("==", p.x, p.x), "tir.cmp: predicate must be one of eq, ne, lt, le, gt, ge, got '=='"),
    (lambda p: p.b.take(p.x, p.n, mode="clip"), "tir.take: mode must be one of error, clamp, drop, got 'clip'; did you mean 'clamp'?"),
    (lambda p: p.b.jacobian(p.x, [p.x], mode="back"), "tir.jacobian: mode must be one of auto, reverse, forward, got 'back'"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), CALLS)
def test_call_that_a_method_does_not_take_is_told(make: Callable[[Program], Any], message: str) -> None:
    check(make, message)


#: Annotations of arguments that are not checked, since anything may be given, or since only tir gives them.
UNCHECKED = {"Any", "type[Op]", "TensorType", "Tensor", "Sequence[Tensor]", "Op", "Value"}


def test_each_annotation_of_a_method_names_a_kind() -> None:
    used = set()
    for name, method in inspect.getmembers(tir.Builder, inspect.isfunction):
        if not name.startswith("_") and not hasattr(BaseBuilder, name):
            used |= {p.annotation.removesuffix(" | None") for p in list(inspect.signature(method).parameters.values())[1:]}
    functions = {annotation for annotation in used if annotation.startswith("Callable[")}
    assert used - functions - UNCHECKED - {"Numbers"} == set(KINDS)


# --- arrays and numbers ----------------------------------------------------------------------------------------------

U8 = IntegerType(8, "u")

ARRAYS = [
    (lambda p: p.x + [[1, 2], [3]], "the lists of one depth must have one length, got [[1, 2], [3]]"),
    (lambda p: p.x + np.array([1, None, 2], dtype=object), "an array must be of numbers, got array([1, None, 2], dtype=object)"),
    (lambda p: p.x * ["a", "b", "c"], "an array must be of numbers, got ['a', 'b', 'c']"),
    (lambda p: p.b.sum([p.x, p.x]), "an array must be of numbers, got [<Tensor x: tensor<3xf32>>, <Tensor x: tensor<3xf32>>]; b.stack makes"),
    (lambda p: p.b.constant([[1.0, p.v]]), "an array must be of numbers, got [[1.0, <Tensor v: tensor<f32>>]]; b.stack makes one tensor"),
    (lambda p: p.b.constant(None), "an array must be of numbers, got None"),
    (lambda p: p.b.shared("s", [[1, 2], [3]]), "the lists of one depth must have one length"),
    (lambda p: p.b.constant(1.5, tir.I32), "the number 1.5 is no i32"),
    (lambda p: p.b.constant([0, 300], U8), "the number 300 is no ui8"),
    (lambda p: p.b.constant(np.array([-1]), U8), "the number -1 is no ui8"),
    (lambda p: p.b.constant([float("nan")], tir.I64), "the number nan is no i64"),
    (lambda p: p.b.constant([2.0**63], tir.I64), "the number 9.223372036854776e+18 is no i64"),
    (lambda p: p.b.constant(np.array([1.5], np.float16), tir.I64), "the number 1.5 is no i64"),
    (lambda p: p.b.constant([0, 2], tir.I1), "the number 2 is no i1"),
    (lambda p: p.b.constant(2**64), "the number 18446744073709551616 is no i64"),
    (lambda p: p.b.rng_randint(p.k, 0.5, 3), "the number 0.5 is no i64"),
    (lambda p: p.b.pad(p.n, [1], [1], value=1.5), "the number 1.5 is no i64"),
    (lambda p: p.x + 10**400, "is no f32"),
    (lambda p: p.n + 10**30, f"the number {10**30} is no i64"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), ARRAYS)
def test_what_is_no_array_of_numbers_of_the_type_is_told(make: Callable[[Program], Any], message: str) -> None:
    check(make, message)


def test_whole_floats_and_truth_values_are_numbers_of_other_types() -> None:
    b = tir.Builder()
    with b.function("main"):
        b.returns(b.constant([2.0, -1.0], tir.I32), b.constant([True, False], tir.F32), b.constant([0, 1], tir.I1))
    found = tir.executable(b.module, "interpret").call("main", {})
    assert [x.tolist() for x in found] == [[2, -1], [1.0, 0.0], [False, True]]


# --- axes and shapes -------------------------------------------------------------------------------------------------

SHAPES = [
    (lambda p: p.b.argmax(p.x, -3), "an axis of tensor<3xf32> must be -1 to 0, got -3"),
    (lambda p: p.b.split(p.x, 3, 4), "an axis of tensor<3xf32> must be -1 to 0, got 4"),
    (lambda p: p.b.rng_shuffle(p.k, p.x, 3), "an axis of tensor<3xf32> must be -1 to 0, got 3"),
    (lambda p: p.b.reverse(p.x, [3]), "an axis of tensor<3xf32> must be -1 to 0, got 3"),
    (lambda p: p.b.reverse(p.v, [0]), "tensor<f32> has no axes, got axis 0"),
    (lambda p: p.b.transpose(p.m, [0, 2]), "an axis of tensor<4x3xf32> must be -2 to 1, got 2"),
    (lambda p: p.b.transpose(p.m, [1, -1]), "by must hold each of the 2 axes of x once, got [1, 1]"),
    (lambda p: p.b.softmax(p.m, [0, -2]), "each axis of tensor<4x3xf32> may be named once, got [0, -2]"),
    (lambda p: p.b.broadcast_to(p.x, [4]), "sizes must agree or be 1 in x, got 3 (x axis 0) and 4 (result axis 0)"),
    (lambda p: p.b.broadcast_to(p.r, [4]), "sizes must agree or be 1 in x, got [B] (x axis 0) and 4 (result axis 0)"),
    (lambda p: p.b.broadcast_to(p.m, [3]), "broadcast_to: a shape for tensor<4x3xf32> must have 2 axes or more, got 1"),
    (lambda p: p.b.rng_bernoulli(p.k, [0.5, 0.5], [3]), "sizes must agree or be 1 in x, got 2 (x axis 0) and 3 (result axis 0)"),
    (lambda p: p.b.max_pool(p.m, [2], [1, 1]), "strides must have a number for each size of the window [2], got [1, 1]"),
    (lambda p: p.b.pad(p.m, [1], [1]), "pad: each list must have a number for each axis of tensor<4x3xf32>, got 1, 1 and 1"),
    (lambda p: p.b.pad(p.x, [-5], [0]), "pad: each number must be at least 0, got [-5], [0] and [0]; slice cuts off"),
    (lambda p: p.x[5], "index 5 is out of bounds for size 3"),
    (lambda p: p.x + [1, 2], "shapes do not fit together: tensor<3xf64> and tensor<2xf64>"),
    (lambda p: p.v @ p.v, "matmul needs operands of rank 1 or more"),
    (lambda p: p.b.concat([]), "concat: needs at least one tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), SHAPES)
def test_axis_or_shape_that_does_not_fit_is_told(make: Callable[[Program], Any], message: str) -> None:
    check(make, message)


# --- functions that make regions -------------------------------------------------------------------------------------

GIVEN_NOTHING = "must give a tensor or a list of them, got None; does it lack a `return`?"

REGIONS = [
    (lambda p: p.b.if_(p.v > 0, lambda: [p.v, p.v], lambda: [p.v]), "if_: otherwise must give 2 values, as then gives, got 1"),
    (lambda p: p.b.if_(p.v > 0, lambda: None, lambda: [p.v]), f"if_: then {GIVEN_NOTHING}"),
    (lambda p: p.b.if_(p.v > 0, lambda: [p.v], lambda: [p.x]),
     "if_: otherwise must give tensor<f32> as value 0, as then gives, got tensor<3xf32>; both give the same types"),
    (lambda p: p.b.if_(p.v > 0, lambda: [p.v], lambda: [True]), "as value 0, as then gives, got tensor<i1>; tir.cast converts"),
    (lambda p: p.b.if_(p.v > 0, lambda: [p.v], lambda: ["a"]),
     "if_: otherwise must give a tensor, a number or an array as value 0, got 'a'"),
    (lambda p: p.b.if_(p.v > 0, lambda q: [q], lambda: [p.v]), "if_: then must take 0 values, got a function of q"),
    (lambda p: p.b.while_loop(lambda y: y > 1, lambda y: [y, y], [p.v]), "while_loop: step must give 1 value, as inits has, got 2"),
    (lambda p: p.b.while_loop(lambda y: y > 1, lambda y: [p.x], [p.v]),
     "while_loop: step must give tensor<f32> as value 0, as inits has, got tensor<3xf32>; the type may not change"),
    (lambda p: p.b.while_loop(lambda y: None, lambda y: [y], [p.v]), f"while_loop: condition {GIVEN_NOTHING}"),
    (lambda p: p.b.while_loop(lambda y: p.x > 0, lambda y: [y], [p.v]),
     "while_loop: condition must give tensor<i1> as value 0, as a condition is, got tensor<3xi1>; b.all or b.any makes it one"),
    (lambda p: p.b.while_loop(lambda y, z: y > 1, lambda y: [y], [p.v]), "while_loop: condition must take 1 value, got a function of y, z"),
    (lambda p: p.b.scan(lambda h: ([h], []), [p.v], [p.x]), "scan: a step must take 2 values, got a function of h"),
    (lambda p: p.b.scan(lambda h, e: ([h], None), [p.v], [p.x]),
     "scan: what is stacked must be a tensor, a number or an array, got None; [] stands for nothing"),
    (lambda p: p.b.map(lambda e: None, p.x), f"map: function {GIVEN_NOTHING}"),
    (lambda p: p.b.map(lambda e: [], p.x), "map: function must give at least one value, got []"),
    (lambda p: p.b.checkpoint(lambda: None), f"checkpoint: body {GIVEN_NOTHING}"),
    (lambda p: p.b.checkpoint(lambda: []), "checkpoint: body must give at least one value, got []"),
    (lambda p: p.b.reduce(lambda s, e: None, 0.0, p.x), f"reduce: function {GIVEN_NOTHING}"),
    (lambda p: p.b.reduce(lambda s, e: s + e, False, p.x),
     "scan: a step must give tensor<i1> as carried value 0, got tensor<f32>; a truth value is no number: start from 0.0 or 1.0"),
    (lambda p: p.b.reduce(lambda s, e: s + e, 1.5, p.n), "the number 1.5 is no i64"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REGIONS)
def test_function_that_does_not_fit_its_region_is_told(make: Callable[[Program], Any], message: str) -> None:
    check(make, message)


def test_a_truth_value_is_carried_as_one() -> None:
    b = tir.Builder()
    with b.function("main", x="tensor<3xf32>") as (x,):
        b.returns(b.reduce(lambda so_far, e: so_far & (e > 0), True, x))
    run = tir.executable(b.module, "interpret")
    assert [bool(run.call("main", {"x": np.array(x, np.float32)})[0]) for x in ([1, 2, 3], [1, -2, 3])] == [True, False]


def test_values_of_a_region_are_named_after_the_parameters_of_methods_too() -> None:
    b = tir.Builder()
    with b.function("main", a="tensor<3xf32>") as (a,):
        b.returns(b.map(b.square, a))
    assert "(%x = %a : tensor<3xf32>)" in b.module_text()


# --- values that are out of reach ------------------------------------------------------------------------------------


def kept(make: Callable[[Callable[[Any], Any]], Any]) -> Any:
    """What is handed to `keep` in `make(keep)`, as one keeps it in a variable."""
    found: list[Any] = []
    make(lambda x: found.append(x) or x)
    return found[0]


def other_builder() -> Any:
    b = tir.Builder()
    with b.function("f", y="tensor<3xf32>") as (y,):
        b.returns(y)
    return y


def other_function(b: tir.Builder) -> None:
    """Writes a function that uses a value of one before it."""
    with b.function("f", y="tensor<3xf32>") as (y,):
        pass
    with b.function("g", z="tensor<3xf32>") as (z,):
        b.add(y, z)


def from_one_branch_to_the_other(p: Program) -> Any:
    found: list[Any] = []
    return p.b.if_(p.v > 0, lambda: found.append(p.v * 2) or [p.v], lambda: [found[0] + 1])


OUT_OF_REACH = [
    (lambda p: kept(lambda keep: p.b.if_(p.v > 0, lambda: [keep(p.v * 2)], lambda: [p.v])) + 1,
     "tir.add: operand 0 is made inside of a region of tir.if, and not in reach outside; "
     "return it from the function of the region, and use the result of tir.if"),
    (lambda p: p.b.returns(kept(lambda keep: p.b.while_loop(lambda y: y > 1, lambda y: [keep(y / 2)], [p.v]))),
     "func.return: operand 0 is made inside of a region of tir.while, and not in reach outside"),
    (lambda p: p.b.exp(kept(lambda keep: p.b.map(lambda e: keep(e), p.x))),
     "tir.exp: operand 0 %e is made inside of a region of tir.scan, and not in reach outside"),
    (lambda p: p.b.if_(p.v > 0, lambda: [kept(lambda keep: p.b.checkpoint(lambda: keep(p.v * 2)))], lambda: [p.v]),
     "tir.yield: operand 0 is made inside of a region of tir.checkpoint, and not in reach outside"),
    (from_one_branch_to_the_other,
     "tir.add: operand 0 is made in another region of an op that is not finished; make it before the op, or in each region"),
    (lambda p: p.x + other_builder(), "tir.add: operand 1 %y belongs to another builder; one builder makes all of a module"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), OUT_OF_REACH)
def test_value_that_is_out_of_reach_is_told_where_it_is_used(make: Callable[[Program], Any], message: str) -> None:
    check(make, message)


def test_value_of_another_function_is_told_where_it_is_used() -> None:
    with pytest.raises(TirError, match="tir.add: operand 0 %y is in another function, @f; hand it over") as caught:
        other_function(tir.Builder())
    assert caught.value.location.file_location().file == __file__  # type: ignore[union-attr]


# --- functions and modules -------------------------------------------------------------------------------------------


def returned_twice(p: Program) -> None:
    p.b.returns(p.x)
    p.b.returns(p.v)


def used_after_the_end(p: Program) -> None:
    p.b.returns(p.x)
    p.b.exp(p.x)


def returned_in_a_branch(p: Program) -> None:
    p.b.if_(p.v > 0, lambda: p.b.returns(p.v), lambda: [p.v])


def gradient_of_an_open_loop(p: Program) -> None:
    (y,) = p.b.while_loop(lambda y: y > 1, lambda y: [y / 2], [p.v])
    p.b.returns(tir.grad(y, p.v))
    tir.transform(p.b.module, "autodiff")


FUNCTIONS = [
    (lambda p: p.b.returns([p.x, p.x]), "returns: takes the results one by one, got a list of 2; returns(*results) takes a list apart"),
    (lambda p: p.b.returns(None), "returns: results[0] must be a tensor, a number or an array, got None"),
    (lambda p: p.b.returns(y="a"), "returns: y must be a tensor, a number or an array, got 'a'"),
    (returned_twice, "func.return: @main has returned already; returns takes several results at once, and comes last"),
    (used_after_the_end, "tir.exp: @main has returned already; returns takes"),
    (returned_in_a_branch, "returns: must stand at the end of the function, not inside of a branch or a loop"),
    (lambda p: p.b.call("doubel", p.x), "call: there is no function @doubel; did you mean 'double'?"),
    (lambda p: p.b.call("w", p.x), "call: there is no function @w; it must be defined before"),
    (lambda p: p.b.call("double", p.v), "func.call: @double has type (tensor<3xf32>) -> tensor<3xf32>, called as"),
    (lambda p: p.b.function("f", a=3), "function: a must be a type, the text of one or b.argument of one, got 3"),
    (lambda p: p.b.function("f", a="tensor<2xf32"), "function @f: @main is still open"),
    (lambda p: tir.executable(p.b.module, fp_mode="fst"), "executable: fp_mode must be one of strict, stable, fast, got 'fst'"),
    (lambda p: tir.executable(p.b), "executable: a module is needed, got <tir.api.Builder object"),
    (lambda p: tir.transform("module {}", "cse"), "transform: a module is needed, got 'module {}'; tir.parse makes one of text"),
    (lambda p: tir.parse(3), "parse: a text is needed, got 3"),
    (gradient_of_an_open_loop, "say how many steps there are at most: max_trips 100, in Python max_trips=100"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), FUNCTIONS)
def test_mistake_with_functions_and_modules_is_told(make: Callable[[Program], Any], message: str) -> None:
    check(make, message)


# --- what Python asks of a tensor ------------------------------------------------------------------------------------

UNKNOWN_YET = [
    (lambda p: 1 if p.v > 0 else 2, "a tensor has no truth value before it runs; b.select and b.if_ choose, & and | join conditions"),
    (lambda p: p.v > 0 and p.v < 1, "a tensor has no truth value before it runs"),
    (lambda p: max(p.v, p.v), "a tensor has no truth value before it runs"),
    (lambda p: list(p.x), "a tensor has no elements before it runs; use map or scan of the builder instead of for"),
    (lambda p: tuple(p.b.rng_split(p.k)), "a tensor has no elements before it runs; use map or scan of the builder instead of for; x[0] is one"),
    (lambda p: range(p.n[0]), "a tensor has no whole number before it runs; b.to_index makes a size of it, map and scan of the builder repeat"),
    (lambda p: [1, 2][p.n[0]], "a tensor has no whole number before it runs"),
    (lambda p: range(len(p.x)), "a tensor has no length before it runs; its sizes are in its shape"),
    (lambda p: float(p.v), "a tensor has no number before it runs; b.cast changes its element type"),
    (lambda p: int(p.v), "a tensor has no number before it runs; b.cast changes its element type, and b.to_index"),
    (lambda p: math.exp(p.v), "a tensor has no number before it runs; b.cast changes its element type, and functions of `math` are methods"),
    (lambda p: np.exp(p.x), "a tensor has no numbers for numpy.exp before it runs; write b.exp(..)"),
    (lambda p: np.sum(p.x), "a tensor has no numbers for numpy.sum before it runs; write b.sum(..)"),
    (lambda p: np.where(p.x > 0, p.x, 0), "a tensor has no numbers for numpy.where before it runs; write b.select(..)"),
    (lambda p: np.concatenate([p.x, p.x]), "a tensor has no numbers for numpy.concatenate before it runs; write b.concat(..)"),
    (lambda p: np.logical_or.reduce(p.x > 0), "a tensor has no numbers for numpy.logical_or.reduce before it runs; write b.or_(..)"),
    (lambda p: np.hypot(p.x, 1), "a tensor has no numbers for numpy.hypot before it runs; methods of the builder compute with tensors"),
    (lambda p: np.array([p.x, p.x]), "a tensor has no array before it runs; b.stack makes one tensor of several"),
    (lambda p: p.x.__setitem__(0, 1.0), "a tensor never changes; b.put, b.put_along_axis and b.update_slice make a changed one"),
    (lambda p: p.x.__delitem__(0), "a tensor never changes"),
    (lambda p: f"{p.v:.3f}", "a tensor has no digits before it runs; the text tir.print shows numbers while it runs"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), UNKNOWN_YET)
def test_what_only_the_run_knows_is_told(make: Callable[[Program], Any], message: str) -> None:
    assert isinstance(mistaken(make), TypeError)  # as Python's protocols want it
    check(make, message)


def test_operators_beside_arrays_and_rounding_are_those_of_tensors() -> None:
    b = tir.Builder()
    array = np.array([1.0, -2.5, 3.0], np.float32)
    with b.function("main", x="tensor<3xf32>") as (x,):
        b.returns(array * x, np.float32(2) - x, array < x, array == x, array @ x, array // x, round(x))
    given = np.array([2.0, 1.5, 3.0], np.float32)
    found = tir.executable(b.module, "interpret").call("main", {"x": given})
    want = [array * given, 2 - given, array < given, array == given, array @ given, array // given, np.round(given)]
    for got, expected in zip(found, want):
        np.testing.assert_array_equal(got, expected)


# --- names that there are not ----------------------------------------------------------------------------------------

METHODS = [
    (lambda p: p.b.where(p.x > 0, p.x, 0), "a builder has no 'where'; did you mean 'select'?"),
    (lambda p: p.b.concatenate([p.x, p.x]), "a builder has no 'concatenate'; did you mean 'concat'?"),
    (lambda p: p.b.less(p.x, 0), "a builder has no 'less'; did you mean 'cmp' with 'lt'?"),
    (lambda p: p.b.logical_and(p.x > 0, p.x < 1), "a builder has no 'logical_and'; did you mean 'and_'?"),
    (lambda p: p.b.zeros_like(p.x), "a builder has no 'zeros_like'; did you mean 'full_like'?"),
    (lambda p: p.b.unsqueeze(p.x, 0), "a builder has no 'unsqueeze'; did you mean 'expand_dims'?"),
    (lambda p: p.b.add_(p.x, 1), "a builder has no 'add_'; did you mean 'add'?"),
    (lambda p: p.b.Conv2d(p.x), "a builder has no 'Conv2d'; did you mean 'conv'?"),
    (lambda p: p.b.cond(p.v > 0), "a builder has no 'cond'; did you mean 'if_'?"),
    (lambda p: p.b.relu6(p.x), "a builder has no 'relu6'; b.clamp keeps x between 0 and 6"),
    (lambda p: p.b.hessian(p.v), "a builder has no 'hessian'; did you mean 'tir.hessian'?"),
    (lambda p: p.b.softmaxx(p.x), "a builder has no 'softmaxx'; did you mean 'softmax'?"),
    (lambda p: p.x.sum(), "a tensor has no 'sum'; write b.sum(x, ..)"),
    (lambda p: p.x.T, "a tensor has no 'T'; write b.transpose(x)"),
    (lambda p: p.x.lt(0), "a tensor has no 'lt'; write b.cmp('lt', x, ..)"),
    (lambda p: p.x.dtype, "a tensor has no 'dtype'; write x.type.element"),
    (lambda p: p.x.astype(float), "a tensor has no 'astype'; write b.cast(x, element)"),
    (lambda p: p.x.unsqueeze(0), "a tensor has no 'unsqueeze'; write b.expand_dims(x, ..)"),
    (lambda p: p.v.item(), "a tensor has no 'item'; it has no numbers before it runs; tir.executable(b.module).call(..) gives arrays"),
    (lambda p: p.v.backward(), "a tensor has no 'backward'; write tir.grad(cost, wrt)"),
    (lambda p: p.x.valu, "a tensor has no 'valu'; did you mean 'value'?"),
    (lambda p: p.x.flag, "a tensor has no 'flag'; it has builder, named, shape, type, value"),
]


@pytest.mark.parametrize(("make", "message"), METHODS)
def test_name_that_there_is_not_is_told_with_the_one_that_is(make: Callable[[Program], Any], message: str) -> None:
    assert isinstance(mistaken(make), AttributeError)  # as hasattr wants it
    check(make, message)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("float32", "did you mean 'tir.F32'?"), ("int64", "did you mean 'tir.I64'?"), ("bool", "did you mean 'tir.I1'?"),
     ("zeros", "b.full of a builder, b = tir.Builder(), is it"), ("matmul", "b.matmul of a builder, b = tir.Builder(), is it"),
     ("excutable", "did you mean 'executable'?")],
)  # fmt: skip
def test_name_that_the_package_does_not_have_is_told_with_what_it_has(name: str, hint: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(tir, name)
    assert str(caught.value) == f"module 'tir' has no attribute {name!r}; {hint}"


def test_what_protocols_of_python_ask_for_is_not_there_without_a_word() -> None:
    b = tir.Builder()
    with b.function("main", x="tensor<3xf32>") as (x,):
        assert not hasattr(x, "__array_interface__") and not hasattr(b, "_repr_html_") and not hasattr(x, "range")
        b.returns(x)


@pytest.mark.parametrize("first_is_number", [True, False])
def test_number_of_one_branch_takes_the_type_of_the_other(first_is_number: bool) -> None:
    b = tir.Builder()
    with b.function("main", v="tensor<f32>") as (v,):
        branches = (lambda: [0.5]), (lambda: [v * 2])
        (y,) = b.if_(v > 0, *branches if first_is_number else reversed(branches))
        b.returns(y)
    assert str(y.type) == "tensor<f32>"
    (got,) = tir.executable(b.module, "interpret").call("main", {"v": np.float32(3)})
    assert got == (0.5 if first_is_number else 6)


def test_builder_works_on_after_a_mistake() -> None:
    b = tir.Builder()
    with b.function("main", x="tensor<3xf32>") as (x,):
        with pytest.raises(TirError):
            b.if_(b.sum(x) > 0, lambda: [b.exp("a")], lambda: [x])
        with pytest.raises(TirError):
            b.sum(x, 4)
        b.returns(b.exp(x))
    b.verify()
