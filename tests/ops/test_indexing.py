"""`x[index]` and the builder methods that move elements, against numpy, with static, named and unknown sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.ops.test_builder import built, check
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import ExecutionError, TirError
from tir.ir.types import F64, I32
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients

CUBE = np.random.default_rng(1).normal(size=(4, 5, 6)).astype(np.float32)
MATRIX = CUBE[0]
AT = np.array([[0, -1, 2], [3, -4, 1]], np.int32)
J = np.array([1, -2, 0], np.int32)


def at_all_sizes(function: Callable[..., Any], *arrays: np.ndarray) -> None:
    """numpy itself gives what is wanted: the function runs on arrays, too."""
    check(lambda b, *xs: function(*xs), function(*arrays), *arrays)


# --- slices ----------------------------------------------------------------------------------------------------------

BOUNDS = (None, 0, 1, 3, 4, 7, -1, -2, -4, -9)


@pytest.mark.parametrize("step", [1, 2, 3, -1, -2, -3])
def test_every_slice_of_a_known_size_is_that_of_numpy(step: int) -> None:
    x = np.arange(5, dtype=np.float32)
    for start in BOUNDS:
        for stop in BOUNDS:
            made = built(lambda b, a, i=slice(start, stop, step): a[i], "tensor<5xf32>")
            (got,) = Interpreter(made.module).run("f", [x])
            np.testing.assert_array_equal(got, x[start:stop:step])


BACKWARDS = [slice(None, None, -1), slice(None, None, -2), slice(3, None, -1), slice(3, 0, -2), slice(-2, None, -2),
             slice(None, -4, -2), slice(-2, -4, -1), slice(2, 1, -3)]  # fmt: skip


@pytest.mark.parametrize("index", BACKWARDS, ids=str)
def test_slice_with_a_negative_step_has_a_size_that_run_time_knows(index: slice) -> None:
    at_all_sizes(lambda x: x[:, index], MATRIX)


PLACES = [(-1,), (-4,), (slice(None), -2), (-1, -6 + 5), (0, -1), (-1, slice(None, None, -1)), (..., -3)]


@pytest.mark.parametrize("index", PLACES, ids=str)
def test_place_that_counts_from_an_end_that_run_time_knows(index: tuple[Any, ...]) -> None:
    at_all_sizes(lambda x: x[index], MATRIX[:4])


def test_place_that_counts_from_the_end_and_is_not_there_is_an_error_at_run_time() -> None:
    made = built(lambda b, a: a[-3], "tensor<[B]xf32>")
    with pytest.raises(ExecutionError, match="axis 0 of x must have at least the size"):
        Interpreter(made.module).run("f", [np.zeros(2, np.float32)])


# --- arrays ----------------------------------------------------------------------------------------------------------

ARRAYS = [
    lambda x: x[np.array([0, 3, 0])],
    lambda x: x[[[1], [2]]],
    lambda x: x[:, np.array([4, 0]), 1:3],
    lambda x: x[..., np.array([5, 0, 0])],
    lambda x: x[np.array([0, 1]), np.array([3, 0])],
    lambda x: x[:, np.array([[0], [1]]), np.array([3, 0, 2])],
    lambda x: x[np.array([0, 1]), :, np.array([3, 0])],
    lambda x: x[0, :, np.array([3, 0])],
    lambda x: x[:, 2, np.array([3, 0])],
    lambda x: x[np.array([0, 1]), None, np.array([3, 0])],
    lambda x: x[None, np.array([0, 1]), ::-2],
    lambda x: x[np.zeros((0,), np.int64)],
    lambda x: x[np.array([], np.int32), np.array([], np.int32)],
    lambda x: x[1, np.array([2, 0]), ::2],
    lambda x: x[-1, np.array([2, -1])],
    lambda x: x[np.array([-1, 0])],
]


@pytest.mark.parametrize("function", ARRAYS, ids=range(len(ARRAYS)))
def test_arrays_of_positions_are_read_as_numpy_reads_them(function: Callable[..., Any]) -> None:
    at_all_sizes(function, CUBE)


TENSORS = [
    lambda x, i, j: x[i],
    lambda x, i, j: x[:, i],
    lambda x, i, j: x[i, j],
    lambda x, i, j: x[j, :, i],
    lambda x, i, j: x[:, i, j],
    lambda x, i, j: x[i, 1],
    lambda x, i, j: x[i, ..., 2],
    lambda x, i, j: x[:, i, ..., j],
]


@pytest.mark.parametrize("function", TENSORS, ids=range(len(TENSORS)))
def test_tensors_of_positions_are_read_as_numpy_reads_them(function: Callable[..., Any]) -> None:
    """Negative ones count from the end, whatever the type."""
    at_all_sizes(function, CUBE, AT, J)


def test_random_indices_are_read_as_numpy_reads_them() -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        parts: list[Any] = []
        for size in CUBE.shape[: rng.integers(1, 4)]:
            kind = rng.integers(0, 5)
            array = rng.integers(-size, size, [(), (2,), (3, 1), (1, 2)][rng.integers(1, 4)])
            start, stop = rng.integers(-size, size, 2)
            step = int(rng.choice([-2, -1, 1, 2]))
            parts.append([int(array.flat[0]), slice(int(start), int(stop), step), array, array[:1], slice(None)][kind])
            if rng.random() < 0.15:
                parts.append(None)
        if rng.random() < 0.3:
            parts.insert(int(rng.integers(0, len(parts) + 1)), Ellipsis)
        index = tuple(parts)
        try:
            want = CUBE[index]
        except IndexError:
            continue
        made = built(lambda b, a, index=index: a[index], "tensor<4x5x6xf32>")
        (got,) = Interpreter(made.module).run("f", [CUBE])
        np.testing.assert_array_equal(got, want, err_msg=str(index))


@pytest.mark.parametrize("name", ["i8", "ui8", "i64", "ui64"])
def test_positions_of_a_narrow_type_reach_all_of_a_long_axis(name: str) -> None:
    x = np.arange(300, dtype=np.float32)
    dtype = np.dtype(name.replace("ui", "uint") if name[0] == "u" else name.replace("i", "int"))
    at = np.array([0, 1, 127] if name[0] == "u" else [0, -1, -128], dtype)
    made = built(lambda b, a, i: a[i], "tensor<300xf32>", f"tensor<3x{name}>")
    (got,) = Interpreter(made.module).run("f", [x, at])
    np.testing.assert_array_equal(got, x[at])


WRONG = [
    (lambda b, a: a[np.array([True, False])], "a mask chooses a number of elements that only run time knows; use select"),
    (lambda b, a: a[a > 0], "a mask chooses a number of elements"),
    (lambda b, a: a[True], "an index is an integer, a slice, `...`, None or an array of integers, got True"),
    (lambda b, a: a[a], "an index must have integers, got tensor<4xf32>"),
    (lambda b, a: a[np.array([1.0])], "an index must have integers, got tensor<1xf64>"),
    (lambda b, a: a[np.array([1, 4])], "index 4 is out of bounds for size 4"),
    (lambda b, a: a[[0, -5]], "index -5 is out of bounds for size 4"),
    (lambda b, a: a[::0], "a slice needs a step that is not 0"),
    (lambda b, a: a[b.tensor(1) :], "the bounds of a slice are integers, got <Tensor : tensor<i64>>; dynamic_slice takes"),
    (lambda b, a: b.expand_dims(a, [0, 0]), "each of the 3 axes of the result may be new once, got [0, 0]"),
    (lambda b, a: b.squeeze(a, 0), "an axis must have size 1, got axis 0 of tensor<4xf32>"),
    (lambda b, a: b.concat([]), "concat: needs at least one tensor"),
    (lambda b, a: b.split(a, 3)[0], "split: size 4 is not known to have 3 equal parts"),
    (lambda b, a: b.split(a, [1, 2])[0], "split: the sizes must add up to 4, got 3; the last may be None, the rest"),
    (lambda b, a: b.split(a, [None, 2])[0], "split: only the last size may be None"),
    (lambda b, a: b.split(a, [-1, None])[0], "split: needs sizes of at least 0, got [-1, None]"),
]


@pytest.mark.parametrize(("function", "message"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_index_is_refused_in_words_of_the_program(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(TirError) as caught:
        built(function, "tensor<4xf32>")
    assert message in str(caught.value)


def test_backwards_with_bounds_from_both_ends_needs_a_known_size() -> None:
    with pytest.raises(TirError, match=r"\[3:-1:-1\] of an axis of size \? must have both bounds from one end"):
        built(lambda b, a: a[3:-1:-1], "tensor<?xf32>")


# --- methods ---------------------------------------------------------------------------------------------------------

METHODS = [
    (lambda b, x: b.concat([x, x * 2, 1 - x], 1), lambda x: np.concatenate([x, x * 2, 1 - x], 1)),
    (lambda b, x: b.concat([x, b.cast(x, F64)], -1), lambda x: np.concatenate([x, x.astype(np.float64)], -1)),
    (lambda b, x: b.stack([x, -x], 1), lambda x: np.stack([x, -x], 1)),
    (lambda b, x: b.concat(b.split(x, [2, 0, None], 1), 1), lambda x: x),
    (lambda b, x: b.split(x, [0, 3, None], -1)[2], lambda x: x[:, 3:]),
    (lambda b, x: b.split(x, [0, 3, None], -1)[0], lambda x: x[:, :0]),
    (lambda b, x: b.tile(x, 2), lambda x: np.tile(x, 2)),
    (lambda b, x: b.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3))),
    (lambda b, x: b.repeat(x, 3, -1), lambda x: np.repeat(x, 3, -1)),
    (lambda b, x: b.expand_dims(x, (0, -1)), lambda x: np.expand_dims(x, (0, -1))),
    (lambda b, x: b.squeeze(b.expand_dims(x, (0, -1))), lambda x: x),
    (lambda b, x: b.squeeze(b.expand_dims(x, 1), -2), lambda x: x),
    (lambda b, x: b.tril(x, 1) + b.triu(x, 2), lambda x: x),
    (lambda b, x: b.diag(x, 1), lambda x: np.stack([np.diag(row, 1) for row in x])),
    (lambda b, x: b.diag_part(b.dot(b.transpose(x), x), -1), lambda x: np.diagonal(x.T @ x, -1)),
    (lambda b, x: b.eye(3, 5, 1, I32) + b.cast(b.sum(x) * 0, I32), lambda x: np.eye(3, 5, 1, np.int32)),
    (lambda b, x: b.take(x, [[0, 1], [2, 3]], -1), lambda x: np.take(x, [[0, 1], [2, 3]], -1)),
    (lambda b, x: b.dynamic_slice(x, [1, b.dim(x, 1)], (2, 3), "clamp"), lambda x: x[1:3, -3:]),
    (lambda b, x: b.update_slice(x, np.ones((1, 2), np.float32), [b.dim(x, 0), 0], "clamp"),
     lambda x: np.concatenate([x[:-1], np.concatenate([np.ones((1, 2), np.float32), x[-1:, 2:]], 1)])),
    (lambda b, x: b.put(x, [0, 0, 2], b.slice(x, [0, 0], [3, 0]), kind="max"), lambda x: np.concatenate([
        np.maximum(np.maximum(x[:1], x[1:2]), x[:1]), x[1:]])),
    (lambda b, x: b.numbered(x), lambda x: np.arange(x.size).reshape(x.shape)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "want"), METHODS, ids=range(len(METHODS)))
def test_method_gives_what_numpy_gives(function: Callable[..., Any], want: Callable[..., Any]) -> None:
    check(function, want(MATRIX), MATRIX)


def test_gradient_of_pairs_of_positions_adds_up() -> None:
    """Theano's x[arange(n), y]: what is read twice gets the sum."""
    text = """
    func.func @f(%x: tensor<[N]x3xf64>, %i: tensor<[K]xi32>, %j: tensor<[K]xi64>) -> tensor<[N]x3xf64> {
      %0 = tir.index_nd %x at %i, %j : tensor<[K]xf64>
      %1 = tir.square %0 : tensor<[K]xf64>
      %c = tir.sum %1 over [0] : tensor<f64>
      %g = tir.grad %c wrt (%x) : tensor<[N]x3xf64>
      return %g : tensor<[N]x3xf64>
    }
    """
    module = parse_text(text, REGISTRY)
    expand_gradients(module)
    x = np.arange(6.0).reshape(2, 3)
    (got,) = Interpreter(module).run("f", [x, np.array([1, 0, 1], np.int32), np.array([2, 0, 2])])
    want = np.zeros((2, 3))
    want[1, 2] = 2 * 2 * x[1, 2]
    np.testing.assert_array_equal(got, want)
