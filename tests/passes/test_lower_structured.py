"""lower-structured: the lowered program computes what the tensor program did, and checks the sizes it relies on."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError, TirError
from tir.ir.execution import ExecutionError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.lower_structured import LowerStructured

INF, NAN = float("inf"), float("nan")


def lowered(text: str) -> Op:
    module = parse_text(text, REGISTRY)
    LowerStructured().run(module)
    verify(module)
    again = parse_text(print_op(module), REGISTRY)
    assert print_op(again) == print_op(module)
    return module


def both(text: str, *arguments: Any) -> tuple[list[Any], list[Any]]:
    """What @f gives before and after the pass; ui8 and the like are passed and returned as the bits of i8."""
    before = Interpreter(parse_text(text, REGISTRY)).run("f", arguments)
    after = Interpreter(lowered(text)).run("f", [_signed(a) for a in arguments])
    return [_signed(a) for a in before], after


def _signed(array: Any) -> Any:
    array = np.asarray(array)
    return array.view(array.dtype.str.replace("u", "i")) if array.dtype.kind == "u" else array


def assert_same(text: str, *arguments: Any, rtol: float = 0) -> None:
    for before, after in zip(*both(text, *arguments), strict=True):
        assert before.shape == after.shape and before.dtype == after.dtype
        np.testing.assert_allclose(after, before, rtol=rtol, atol=0)
        if not rtol and before.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(before), np.signbit(after))


def numbers(dtype: str, *shape: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if dtype.startswith("f"):
        return rng.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)


def function(body: str, *, arguments: str, result: str) -> str:
    return f"func.func @f({arguments}) -> {result} {{\n{body}\n  return %r : {result}\n}}"


HARD = np.array([0.0, -0.0, 1.0, -1.5, INF, -INF, NAN, 1e-40, 3e38], np.float32)


@pytest.mark.parametrize(
    "name", ["neg", "abs", "sign", "square", "sqrt", "exp", "log", "log1p", "tanh", "sigmoid", "relu"]
)
def test_unary_ops_give_the_same_bits_on_hard_numbers(name: str) -> None:
    text = function(f"  %r = tir.{name} %x : tensor<9xf32>", arguments="%x: tensor<9xf32>", result="tensor<9xf32>")
    assert_same(text, HARD)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "minimum"])
@pytest.mark.parametrize(
    ("element", "dtype"), [("i8", "i1"), ("ui8", "u1"), ("i64", "i8"), ("ui32", "u4"), ("f64", "f8")]
)
def test_binary_ops_give_the_same_bits_for_every_kind_of_number(name: str, element: str, dtype: str) -> None:
    type = f"tensor<?x[N]x{element}>"
    text = function(f"  %r = tir.{name} %x, %y : {type}", arguments=f"%x: {type}, %y: {type}", result=type)
    x, y = numbers(dtype, 64, 3), numbers(dtype, 64, 3, seed=1)
    y[::5] = 0
    if dtype[0] == "i":
        x[1], y[1] = np.iinfo(dtype).min, -1
    assert_same(text, x, y)
    assert_same(text, x[:0], y[:0])
    assert_same(text, x[:1], y[:1])


def test_unsigned_numbers_keep_their_order_and_their_name() -> None:
    text = function(
        "  %0 = tir.cmp gt %x, %y : tensor<2xui8>\n  %r = tir.cast %0 : tensor<2xi1> -> tensor<2xui16>",
        arguments="%x: tensor<2xui8>, %y: tensor<2xui8>", result="tensor<2xui16>",
    )  # fmt: skip
    assert_same(text, np.array([200, 3], np.uint8), np.array([100, 4], np.uint8))
    assert '%x: tensor<2xi8> {tir.dtype = "ui8"}' in print_op(lowered(text))
    assert '-> (tensor<2xi16> {tir.dtype = "ui16"})' in print_op(lowered(text))


@pytest.mark.parametrize("axes", [[], [0], [1], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean"])
def test_reductions_agree_over_any_axes(name: str, axes: list[int]) -> None:
    dims = [dim for axis, dim in enumerate("[A]x4x?x".split("x")[:3]) if axis not in axes]
    kept = "".join(f"{dim}x" for dim in dims)
    text = function(
        f"  %r = tir.{name} %x over {axes} : tensor<{kept}f32>",
        arguments="%x: tensor<[A]x4x?xf32>", result=f"tensor<{kept}f32>",
    )  # fmt: skip
    for shape in ((3, 4, 5), (1, 4, 1), (0, 4, 2), (2, 4, 0)):
        assert_same(text, numbers("f4", *shape), rtol=1e-5)  # 20 numbers added in another order


def test_argmax_takes_the_first_largest_and_the_first_nan() -> None:
    text = function(
        "  %r = tir.argmax %x axis 1 : tensor<?xi64>", arguments="%x: tensor<?x4xf32>", result="tensor<?xi64>"
    )
    rows = [[1, 3, 3, 2], [NAN, 5, NAN, INF], [-INF, -INF, -INF, -INF], [1, NAN, 2, NAN]]
    _, (after,) = both(text, np.array(rows, np.float32))
    assert after.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("lhs", "rhs", "out"), [("[M]x3", "3x?", "[M]x?"), ("3", "3x[M]", "[M]"), ("[M]x3", "?", "[M]"), ("3", "?", "")]
)
def test_dot_agrees_for_every_rank(lhs: str, rhs: str, out: str) -> None:
    types = [f"tensor<{s}xf64>" if s else "tensor<f64>" for s in (lhs, rhs, out)]
    text = function(f"  %r = tir.dot %x, %y : {types[2]}", arguments=f"%x: {types[0]}, %y: {types[1]}", result=types[2])
    sizes = {"[M]": 4, "?": 3 if rhs == "?" else 5, "3": 3}
    x = numbers("f8", *(sizes[d] for d in lhs.split("x")))
    y = numbers("f8", *(sizes[d] for d in rhs.split("x")))
    assert_same(text, x, y, rtol=1e-14)  # three products


SHAPES = [
    ("tir.broadcast %x along [1] : tensor<3xf32> -> tensor<2x3x4xf32>", "3", "2x3x4"),
    ("tir.broadcast %x along [0, 1] : tensor<1x3xf32> -> tensor<2x3xf32>", "1x3", "2x3"),
    ("tir.transpose %x by [2, 0, 1] : tensor<4x2x3xf32>", "2x3x4", "4x2x3"),
    ("tir.reshape %x : tensor<2x6xf32> -> tensor<12xf32>", "2x6", "12"),
    ("tir.reshape %x : tensor<12xf32> -> tensor<1x3x4x1xf32>", "12", "1x3x4x1"),
    ("tir.reshape %x : tensor<4x3xf32> -> tensor<6x2xf32>", "4x3", "6x2"),
    ("tir.reshape %x : tensor<1x1xf32> -> tensor<f32>", "1x1", ""),
    ("tir.reshape %x : tensor<f32> -> tensor<1x1xf32>", "", "1x1"),
    ("tir.reshape %x : tensor<0x3xf32> -> tensor<5x0xf32>", "0x3", "5x0"),
    ("tir.slice %x from [1, 0] to [-1, 3] step [2, 1] : tensor<2x3xf32>", "5x4", "2x3"),
    ("tir.slice %x from [2] to [2] step [1] : tensor<0xf32>", "5", "0"),
    (
        "tir.pad %x with -1.0 : f32 from [1, 0] to [-2, 0] step [1, 2] : tensor<2x2xf32> -> tensor<5x4xf32>",
        "2x2",
        "5x4",
    ),
    ("tir.one_hot %i : tensor<2xi8> -> tensor<2x3xf32>", "2", "2x3"),
    ("tir.iota axis 1 : tensor<2x3xf32>", "1", "2x3"),
    ("tir.full 0x7FC00000 : f32 -> tensor<2x0xf32>", "1", "2x0"),
    ("tir.constant dense<[1.0, -0.0]> : tensor<2xf32>", "1", "2"),
]


@pytest.mark.parametrize(("op", "shape", "result"), SHAPES)
def test_ops_that_move_elements_agree(op: str, shape: str, result: str) -> None:
    out = f"tensor<{result}xf32>" if result else "tensor<f32>"
    into = f"tensor<{shape}xf32>" if shape else "tensor<f32>"
    text = function(f"  %r = {op}", arguments=f"%x: {into}, %i: tensor<2xi8>", result=out)
    assert_same(text, numbers("f4", *(int(d) for d in shape.split("x") if d)), np.array([2, -1], np.int8))


DYNAMIC = [
    ("tir.reshape %x sizes(%d) : tensor<[B]x?xf32> -> tensor<?x[B]xf32>", "?x[B]"),
    ("tir.reshape %x : tensor<[B]x?xf32> -> tensor<12xf32>", "12"),
    ("tir.reshape %x : tensor<[B]x?xf32> -> tensor<2x6xf32>", "2x6"),
    ("tir.slice %x from [1, 0] to [0, -1] step [2, 1] : tensor<[(B - 1) ceildiv 2]x?xf32>", "[B floordiv 2]x?"),
    ("tir.broadcast %x along [0, 2] sizes(%d) : tensor<[B]x?xf32> -> tensor<[B]x2x?xf32>", "[B]x2x?"),
    ("tir.iota axis 0 : tensor<[B + 1]xf32>", "[B + 1]"),
    ("tir.pad %x with 0.0 : f32 from [1, 0] to [0, 0] step [1, 1] sizes(%d) "
     ": tensor<[B]x?xf32> -> tensor<[B + 1]x?xf32>",
     "[B + 1]x?"),
    ("tir.transpose %x by [1, 0] : tensor<?x[B]xf32>", "?x[B]"),
    ("tir.softmax %x over [1] : tensor<[B]x?xf32>", "[B]x?"),
]  # fmt: skip


@pytest.mark.parametrize(("op", "result"), DYNAMIC)
def test_sizes_known_at_run_time_agree(op: str, result: str) -> None:
    body = f"  %d = tir.dim %x axis 1 : tensor<[B]x?xf32>\n  %r = {op}"
    text = function(body, arguments="%x: tensor<[B]x?xf32>", result=f"tensor<{result}xf32>")
    assert_same(text, numbers("f4", 3, 4), rtol=1e-6)  # softmax adds 4 numbers
    assert_same(text, numbers("f4", 12, 1), rtol=1e-6)


def test_named_sizes_stay_as_attributes_of_arguments_and_results() -> None:
    text = function(
        "  %r = tir.slice %x from [2, 0] to [0, 0] step [1, 1] : tensor<[B - 2]x64xf32>",
        arguments='%x: tensor<[B]x64xf32> {tir.name = "x", tir.range = [0.0, 1.0]}', result="tensor<[B - 2]x64xf32>",
    )  # fmt: skip
    module = print_op(lowered(text))
    assert 'tir.dims = ["B", 64], tir.name = "x", tir.range = [' in module
    assert '(tensor<?x64xf32> {tir.dims = ["B - 2", 64]})' in module


def test_arguments_with_one_name_must_have_one_size() -> None:
    text = function(
        "  %r = tir.add %x, %y : tensor<[B]xf32>",
        arguments='%x: tensor<[B]xf32> {tir.name = "x"}, %y: tensor<[B]xf32> {tir.name = "y"}',
        result="tensor<[B]xf32>",
    )  # fmt: skip
    module = lowered(text)
    assert print_op(module).count("cf.assert") == 1
    with pytest.raises(
        ExecutionError, match=r"argument 'y': axis 0 must have size \[B\], as axis 0 of argument 'x' has"
    ):
        Interpreter(module).run("f", [np.zeros(3, np.float32), np.zeros(1, np.float32)])


def test_argument_sizes_that_follow_from_a_name_are_checked() -> None:
    text = function(
        "  %r = tir.neg %y : tensor<[B - 2]xf32>", arguments="%x: tensor<[B]xf32>, %y: tensor<[B - 2]xf32>",
        result="tensor<[B - 2]xf32>",
    )  # fmt: skip
    assert_same(text, np.zeros(5, np.float32), np.ones(3, np.float32))
    with pytest.raises(
        ExecutionError, match=r"argument 1: axis 0 must have size \[B - 2\], where \[B\] is axis 0 of argument 0"
    ):
        Interpreter(lowered(text)).run("f", [np.zeros(3, np.float32), np.zeros(2, np.float32)])


def test_unknown_sizes_of_two_operands_are_compared_once() -> None:
    lines = ["tir.add %x, %y", "tir.mul %0, %y", "tir.exp %1"]
    body = "\n".join(f"  %{name} = {line} : tensor<?xf32>" for name, line in zip("01r", lines))
    text = function(body, arguments="%x: tensor<?xf32>, %y: tensor<?xf32>", result="tensor<?xf32>")
    module = lowered(text)
    assert print_op(module).count("cf.assert") == 1
    with pytest.raises(ExecutionError, match="tir.add: axis 0 of rhs must have the size of axis 0 of lhs"):
        Interpreter(module).run("f", [np.zeros(3, np.float32), np.zeros(1, np.float32)])


@pytest.mark.parametrize(("op", "result", "message"), [
    ("tir.slice %x from [2] to [0] step [1] : tensor<[B - 2]xf32>", "[B - 2]", "axis 0 of x must have at least the size that from 2 to 0 needs, got 1 and 2"),
    ("tir.slice %x from [0] to [3] step [1] : tensor<3xf32>", "3", "axis 0 of x must have at least the size that from 0 to 3 needs, got 1 and 3"),
    ("tir.iota axis 0 : tensor<[B - 2]xf32>", "[B - 2]", "axis 0 must not have a negative size"),
    ("tir.reshape %y : tensor<?xf32> -> tensor<2xf32>", "2", "the number of elements must stay"),
])  # fmt: skip
def test_sizes_made_inside_are_checked_where_they_are_used(op: str, result: str, message: str) -> None:
    arguments = "%x: tensor<[B]xf32>, %y: tensor<?xf32>"
    text = function(f"  %r = {op}", arguments=arguments, result=f"tensor<{result}xf32>")
    ones = [np.ones(1, np.float32), np.ones(1, np.float32)]
    with pytest.raises(TirError):
        Interpreter(parse_text(text, REGISTRY)).run("f", ones)
    with pytest.raises(ExecutionError, match=message):
        Interpreter(lowered(text)).run("f", ones)


def test_what_two_composites_share_is_computed_once() -> None:
    body = """
      %0 = tir.softmax %x over [1] : tensor<?x4xf32>
      %1 = tir.log_softmax %x over [1] : tensor<?x4xf32>
      %r = tir.add %0, %1 : tensor<?x4xf32>"""
    text = function(body, arguments="%x: tensor<?x4xf32>", result="tensor<?x4xf32>")
    assert_same(text, numbers("f4", 3, 4), rtol=1e-6)  # sums of 4 numbers
    assert print_op(lowered(text)).count("math.exp") == 1


def test_private_functions_are_lowered_with_their_calls() -> None:
    text = """
    func.func private @half(%x: tensor<[B]xf32>) -> tensor<[B]xf32> {
      %0 = tir.full 0.5 : f32 -> tensor<[B]xf32>
      %1 = tir.mul %x, %0 : tensor<[B]xf32>
      return %1 : tensor<[B]xf32>
    }
    func.func @f(%x: tensor<[B]xf32>, %y: tensor<[B]xf32>) -> tensor<[B]xf32> {
      %0 = tir.add %x, %y : tensor<[B]xf32>
      %1 = func.call @half(%0) : (tensor<[B]xf32>) -> tensor<[B]xf32>
      %2 = tir.add %1, %x : tensor<[B]xf32>
      return %2 : tensor<[B]xf32>
    }"""
    assert_same(text, numbers("f4", 5), numbers("f4", 5, seed=1))
    assert print_op(lowered(text)).count("cf.assert") == 1


def test_ops_of_other_dialects_around_tensor_ops_get_the_new_types() -> None:
    text = """
    func.func @f(%x: tensor<[B]xui8>, %n: index) -> tensor<[B]xui8> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%y = %x) -> (tensor<[B]xui8>) {
        %0 = tir.full 3 : ui8 -> tensor<[B]xui8>
        %1 = tir.mul %y, %0 : tensor<[B]xui8>
        scf.yield %1 : tensor<[B]xui8>
      }
      return %r : tensor<[B]xui8>
    }"""
    assert_same(text, numbers("u1", 5), 4)


def test_what_was_checked_in_a_branch_is_not_known_behind_it() -> None:
    text = """
    func.func @f(%x: tensor<?xf32>, %y: tensor<?xf32>, %c: i1) -> tensor<?xf32> {
      %0 = scf.if %c -> (tensor<?xf32>) {
        %1 = tir.add %x, %y : tensor<?xf32>
        scf.yield %1 : tensor<?xf32>
      } else {
        scf.yield %x : tensor<?xf32>
      }
      %2 = tir.mul %x, %y : tensor<?xf32>
      return %2 : tensor<?xf32>
    }"""
    assert print_op(lowered(text)).count("cf.assert") == 2


@pytest.mark.parametrize(("op", "earlier"), [
    ("%r = tir.leaf %x : tensor<f32>", "autodiff"),
    ("%r = tir.grad %x wrt (%x) : tensor<f32>", "autodiff"),
    ("%r = tir.read @w : tensor<f32>", "state-to-arguments"),
])  # fmt: skip
def test_ops_of_an_earlier_pass_are_refused_with_its_name(op: str, earlier: str) -> None:
    text = function(f"  {op}", arguments="%x: tensor<f32>", result="tensor<f32>")
    module = parse_text(text + "\ntir.shared @w : tensor<f32> = dense<0.0>", REGISTRY, file="m.tir")
    with pytest.raises(PassError, match=f"m.tir:2:3: .*run the pass {earlier} first"):
        LowerStructured().run(module)


def test_a_program_without_tensor_ops_stays_as_it_is() -> None:
    text = function("  %r = arith.addf %x, %x : f32", arguments="%x: f32", result="f32")
    before = print_op(parse_text(text, REGISTRY))
    assert print_op(lowered(text)) == before


def test_long_programs_do_not_exhaust_the_stack() -> None:
    lines = ["  %0 = tir.neg %x : tensor<?xf32>"]
    lines += [f"  %{i} = tir.softmax %{i - 1} over [0] : tensor<?xf32>" for i in range(1, 100)]
    text = function("\n".join([*lines, "  %r = tir.neg %99 : tensor<?xf32>"]), arguments="%x: tensor<?xf32>",
                    result="tensor<?xf32>")  # fmt: skip
    module = parse_text(text, REGISTRY)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        LowerStructured().run(module)
    finally:
        sys.setrecursionlimit(limit)
    verify(module)
