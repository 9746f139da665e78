"""Windows, pools, convolutions, gathers and scatters on an axis that is empty, known before or only at run time.

What a window or an index finds there is only what lies around: the padding, or nothing. All levels give what numpy says
of the padded array.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, modules_at
from tir.compile import Executable
from tir.ir.errors import ExecutionError

QUICK = ("tensor", "structured", "fused", "loops", "cpu")


def program(op: str, types: Sequence[str], result: str) -> str:
    arguments = ", ".join(f"%{'abc'[i]}: {type}" for i, type in enumerate(types))
    return f"func.func @f({arguments}) -> {result} {{\n  %r = {op} : {result}\n  return %r : {result}\n}}\n"


def typed(text: str) -> str:
    """The program of an op whose format ends in the type of the result, which `program` adds."""
    return re.sub(r"-> (\S+) : \1", r"-> \1", text)


def outcomes(text: str, arrays: Sequence[np.ndarray]) -> Iterator[tuple[str, Any]]:
    for level, module in modules_at(text, QUICK):
        yield level, Executable(module, LEVELS[level][1]).call("f", arrays)[0]


def check(text: str, arrays: Sequence[np.ndarray], want: np.ndarray) -> None:
    for level, got in outcomes(text, arrays):
        np.testing.assert_array_equal(got, want, err_msg=level)


def spread_out(x: np.ndarray, between: int, low: int, high: int, value: float) -> np.ndarray:
    """A vector with its padding, by StableHLO's rule: `(n - 1) * between + 1` places, none if n is 0."""
    size = (len(x) - 1) * between + 1 if len(x) else 0
    found = np.full(low + size + high, value, x.dtype)
    found[low : low + len(x) * between : between] = x
    return found


def windows_in_stablehlo(size: int, window: int, stride: int, between: int, around: int) -> int:
    """The size of an axis of reduce_window's result (the constraints in StableHLO's specification)."""
    dilated = 0 if size == 0 else (size - 1) * between + 1
    padded = dilated + around
    return 0 if padded == 0 or window > padded else (padded - window) // stride + 1


@pytest.mark.parametrize(("stride", "window", "size"), list(itertools.product((1, 2, 3), (1, 2, 5), (0, 1, 4))))
@pytest.mark.parametrize("between", [1, 2, 4])
def test_positions_on_a_dilated_axis_are_those_of_stablehlo(stride: int, window: int, size: int, between: int) -> None:
    x = np.arange(1, size + 1, dtype=np.float32)
    count = windows_in_stablehlo(size, window, stride, between, 5)
    want = np.lib.stride_tricks.sliding_window_view(spread_out(x, between, 2, 3, -1), window)[::stride]
    assert len(want) == count
    facts = f"window [{window}] strides [{stride}] base_dilations [{between}] low [2] high [3]"
    op = f"tir.windows %a {facts} with -1.0 : f32"
    (_, got), *_ = outcomes(program(op, ["tensor<?xf32>"], f"tensor<?x{window}xf32>"), [x])
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("between", "size"), list(itertools.product((1, 2, 3), (0, 1, 2))))
def test_windows_of_a_padded_axis_are_those_of_the_padded_array(between: int, size: int) -> None:
    x = np.arange(1, size + 1, dtype=np.float32)
    padded = spread_out(x, between, 3, 2, -1)
    want = np.lib.stride_tricks.sliding_window_view(padded, 2)
    base = f"base_dilations [{between}] " if between > 1 else ""
    op = f"tir.windows %a window [2] {base}low [3] high [2] with -1.0 : f32"
    check(program(op, ["tensor<?xf32>"], "tensor<?x2xf32>"), [x], want)
    check(program(op, [f"tensor<{size}xf32>"], f"tensor<{len(want)}x2xf32>"), [x], want)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 3)])
def test_pools_of_empty_axes(shape: tuple[int, int]) -> None:
    x = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    for op, outside, fold in (
        ("max_pool", -np.inf, lambda w: w.max((2, 3))),
        ("avg_pool", 0.0, lambda w: w.mean((2, 3), dtype=np.float32)),
    ):
        padded = np.pad(x, 1, constant_values=outside)
        want = fold(np.lib.stride_tricks.sliding_window_view(padded, (2, 2)))
        text = f"tir.{op} %a window [2, 2] low [1, 1] high [1, 1]"
        check(program(text, ["tensor<?x?xf32>"], "tensor<?x?xf32>"), [x], want)


def test_gradient_of_a_pool_with_windows_in_the_padding_alone() -> None:
    op = "tir.max_pool_grad %a, %b window [2] low [1] high [1] : tensor<?xf32> -> tensor<?xf32>"
    text = program(op, ["tensor<?xf32>", "tensor<?xf32>"], "tensor<?xf32>")
    check(typed(text), [np.zeros(0, np.float32), np.ones(1, np.float32)], np.zeros(0, np.float32))


@pytest.mark.parametrize("dims", ["?", "N", "0"])
@pytest.mark.parametrize("x_dilation", [1, 2])
def test_convolution_of_an_empty_axis_is_that_of_its_padding(dims: str, x_dilation: int) -> None:
    facts = "low [2] high [1]" + (f" x_dilations [{x_dilation}]" if x_dilation > 1 else "")
    x_type = f"tensor<1x1x{'[N]' if dims == 'N' else dims}xf32>"
    # Places between elements, of which there are some only if there are elements, make no affine size.
    number = {"?": "?", "0": "2", "N": "[N + 2]" if x_dilation == 1 else "?"}[dims]
    w_type, g_type = "tensor<1x1x2xf32>", f"tensor<1x1x{number}xf32>"
    x, w, g = np.zeros((1, 1, 0), np.float32), np.ones((1, 1, 2), np.float32), np.ones((1, 1, 2), np.float32)
    check(program(f"tir.conv %a, %b {facts}", [x_type, w_type], g_type), [x, w], np.zeros_like(g))
    by_w = f"tir.conv_grad_weight %a, %b {facts} : {x_type}, {g_type} -> {w_type}"
    check(typed(program(by_w, [x_type, g_type], w_type)), [x, g], np.zeros_like(w))
    if dims == "0":
        by_x = f"tir.conv_grad_input %a, %b {facts} : {w_type}, {g_type} -> {x_type}"
        check(typed(program(by_x, [w_type, g_type], x_type)), [w, g], x)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_gradients_of_dilated_windows_and_convolutions_of_run_time(size: int) -> None:
    """Of a sum of products the gradient by one factor is what the other adds up to."""
    text = """
        func.func @f(%x: tensor<1x1x[N]xf64>, %w: tensor<1x1x2xf64>) -> (tensor<1x1x[N]xf64>, tensor<1x1x2xf64>) {
          %xl = tir.leaf %x : tensor<1x1x[N]xf64>
          %wl = tir.leaf %w : tensor<1x1x2xf64>
          %y = tir.conv %xl, %wl low [2] high [1] x_dilations [3] : tensor<1x1x?xf64>
          %v = tir.windows %xl window [2] base_dilations [3] low [1] high [1] with 1.0 : f64 : tensor<1x1x?x2xf64>
          %a = tir.sum %y over [0, 1, 2] : tensor<f64>
          %b = tir.sum %v over [0, 1, 2, 3] : tensor<f64>
          %c = tir.add %a, %b : tensor<f64>
          %gx, %gw = tir.grad %c wrt (%xl, %wl) : tensor<1x1x[N]xf64>, tensor<1x1x2xf64>
          return %gx, %gw : tensor<1x1x[N]xf64>, tensor<1x1x2xf64>
        }"""
    x, w = np.arange(1.0, size + 1).reshape(1, 1, size), np.array([[[2.0, 5.0]]])
    for level, module in modules_at(text, QUICK):
        by_x, by_w = Executable(module, LEVELS[level][1]).call("f", [x, w])
        # Each element meets each weight once, and lies in both places of the windows.
        np.testing.assert_array_equal(by_x, np.full(x.shape, 7.0 + 2.0), err_msg=level)
        np.testing.assert_array_equal(by_w, np.full(w.shape, x.sum()), err_msg=level)


def test_windows_that_are_not_there_add_nothing() -> None:
    text = program("tir.overlap_add %a window [2] : tensor<?x2xf16> -> tensor<1xf16>", ["tensor<?x2xf16>"], "tensor<1xf16>")
    check(typed(text), [np.zeros((0, 2), np.float16)], np.zeros(1, np.float16))


def test_a_window_that_does_not_fit_an_axis_of_run_time_is_an_error_at_every_level() -> None:
    """In front of the allocation that would have a negative size."""
    text = program("tir.max_pool %a window [3] strides [2]", ["tensor<?x?xf32>"], "tensor<?x?xf32>")
    for level, module in modules_at(text, QUICK):
        with pytest.raises(ExecutionError, match="the window must fit into axis 1 of x"):
            Executable(module, LEVELS[level][1]).call("f", [np.ones((2, 0), np.float32)])


def test_an_axis_one_stride_too_short_for_a_window_has_no_position() -> None:
    text = program("tir.max_pool %a window [3] strides [2]", ["tensor<?x?xf32>"], "tensor<?x?xf32>")
    for level, module in modules_at(text, QUICK):
        (got,) = Executable(module, LEVELS[level][1]).call("f", [np.ones((2, 1), np.float32)])
        assert got.shape == (2, 0), level


# --- mode drop: an index into an empty x is outside, like any other ----------------------------------------------

AT = np.array([0, 2, -1], np.int32)
DROPPED = [
    ("tir.take %a at %b axis 0 mode drop", "tensor<0x3xf32>", "tensor<3xi32>", "tensor<3x3xf32>"),
    ("tir.take %a at %b axis 1 mode drop", "tensor<2x0xf64>", "tensor<3xi32>", "tensor<2x3xf64>"),
    ("tir.take %a at %b axis 0 mode drop", "tensor<0xui8>", "tensor<3xi32>", "tensor<3xui8>"),
    ("tir.index_nd %a at %b, %b mode drop", "tensor<4x0xi32>", "tensor<3xi32>", "tensor<3xi32>"),
    ("tir.take_along_axis %a at %b axis 0 mode drop", "tensor<0xf16>", "tensor<3xi32>", "tensor<3xf16>"),
    ("tir.gather %a at %b window [1] map [0] vector 1 sizes [2] mode drop", "tensor<0xf32>", "tensor<3xi32>", "tensor<3x2xf32>"),
]  # fmt: skip
DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "i32": np.int32, "ui8": np.uint8}


def empty_of(type: str) -> np.ndarray:
    *sizes, element = type[len("tensor<") : -1].split("x")
    return np.zeros([int(size) for size in sizes], DTYPES[element])


@pytest.mark.parametrize(("op", "x", "index", "result"), DROPPED)
def test_gather_drop_from_an_empty_tensor_reads_0(op: str, x: str, index: str, result: str) -> None:
    for type in (x, x.replace("<0x", "<?x").replace("x0x", "x?x")):
        check(program(op, [type, index], result), [empty_of(x), AT], empty_of(result))


@pytest.mark.parametrize("kind", ["set", "add", "max"])
@pytest.mark.parametrize("x", ["tensor<0x2xf32>", "tensor<?x2xf32>"])
def test_scatter_drop_into_an_empty_tensor_changes_nothing(kind: str, x: str) -> None:
    text = program(f"tir.put {kind} %a at %b with %c axis 0 mode drop", [x, "tensor<3xi32>", "tensor<3x2xf32>"], x)
    check(text, [np.zeros((0, 2), np.float32), AT, np.ones((3, 2), np.float32)], np.zeros((0, 2), np.float32))


@pytest.mark.parametrize("mode", ["error", "clamp"])
def test_other_modes_find_no_place_in_an_empty_tensor(mode: str) -> None:
    text = program(f"tir.take %a at %b axis 0 mode {mode}", ["tensor<?xf32>", "tensor<?xi32>"], "tensor<?xf32>")
    for level, module in modules_at(text, QUICK):
        run = Executable(module, LEVELS[level][1])
        assert run.call("f", [np.zeros(0, np.float32), AT[:0]])[0].shape == (0,)
        with pytest.raises(ExecutionError, match="axis 0 of x must"):
            run.call("f", [np.zeros(0, np.float32), AT])
