"""`TensorBuilder` and `tir.api.Builder`: what Python operators become, and that it computes what numpy computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tir.api import Builder, executable, type_from_text
from tir.dialects.all import REGISTRY
from tir.dialects.tir.random import UI32
from tir.interpret import Interpreter
from tir.ir.affine import AffineName
from tir.ir.errors import TirError
from tir.ir.printer import print_op
from tir.ir.types import BF16, DYNAMIC, F32, F64, I32, TensorType
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 3)).astype(np.float32)
V = RNG.normal(size=3).astype(np.float32)
C = RNG.normal(size=(4, 1)).astype(np.float32)
N = np.arange(12, dtype=np.int32).reshape(4, 3) - 5


def built(function: Callable[..., Any], *types: str) -> Builder:
    """A module with `function` as @f; arguments a, b, .. of these types."""
    b = Builder()
    with b.function("f", **dict(zip("abcd", types))) as arguments:
        b.returns(function(b, *arguments))
    b.verify()
    return b


def types_of(*arrays: np.ndarray, names: bool = False, unknown: bool = False) -> list[str]:
    from_dtype = {"float32": "f32", "float64": "f64", "int32": "i32", "bool": "i1"}
    found = []
    for x in arrays:
        dims = [f"[N{d}]" if names and d > 1 else "?" if unknown and d > 1 else str(d) for d in x.shape]
        found.append(f"tensor<{''.join(f'{d}x' for d in dims)}{from_dtype[str(x.dtype)]}>")
    return found


def check(function: Callable[..., Any], want: np.ndarray, *arrays: np.ndarray) -> None:
    """The same numbers with static, named and unknown sizes."""
    for types in (types_of(*arrays), types_of(*arrays, names=True), types_of(*arrays, unknown=True)):
        b = built(function, *types)
        text = b.module_text()
        assert print_op(parse_text(text, REGISTRY)) == text
        (got,) = Interpreter(b.module).run("f", list(arrays))
        assert got.dtype == want.dtype, text
        np.testing.assert_allclose(got, want, rtol=1e-6)


ARITHMETIC = [
    ("numbers", lambda b, a: 1 - 2 * a / 4 + (-a) ** 2, lambda a: 1 - 2 * a / 4 + (-a) ** 2, (A,)),
    ("row", lambda b, a, v: a * v, lambda a, v: a * v, (A, V)),
    ("column", lambda b, a, c: c - a, lambda a, c: c - a, (A, C)),
    ("outer", lambda b, v, c: v + c, lambda v, c: v + c, (V, C)),
    ("integer and float", lambda b, a, n: a + n, lambda a, n: a + n, (A, N)),
    ("integer and number", lambda b, n: n * 2 + 1, lambda n: n * 2 + 1, (N,)),
    ("integer and float number", lambda b, n: n + 0.5, lambda n: n + 0.5, (N,)),
    ("true division of integers", lambda b, n: n / 4, lambda n: n / 4, (N,)),
    ("comparison", lambda b, a, v: (a < v) & ~(a >= 0) | (a > 1), lambda a, v: (a < v) & ~(a >= 0) | (a > 1), (A, V)),
    ("select", lambda b, a: b.select(a > 0, a, 0), lambda a: np.where(a > 0, a, 0), (A,)),
    ("select of rows", lambda b, a, v: b.select(a > 0, v, -1.5), lambda a, v: np.where(a > 0, v, np.float32(-1.5)),
     (A, V)),
    ("array", lambda b, a: V[:1] + a, lambda a: V[:1] + a, (A,)),
    ("numpy scalar", lambda b, a: np.float32(2) * a, lambda a: np.float32(2) * a, (A,)),
    ("absolute", lambda b, n: abs(n), abs, (N,)),
    ("function of integers", lambda b, n: b.exp(n), lambda n: np.exp(n), (N,)),
    ("power", lambda b, a: 2.0 ** a, lambda a: np.float32(2) ** a, (A,)),
    ("power of integers", lambda b, n: n ** 3, lambda n: n ** 3, (N,)),
    ("root of integers", lambda b, n: abs(n) ** 0.5, lambda n: np.abs(n) ** 0.5, (N,)),
    ("floor division", lambda b, a, v: a // v + 7 // v + a // 2, lambda a, v: a // v + 7 // v + a // 2, (A, V)),
    ("rest", lambda b, n: n % 3 + 100 % (n + 50), lambda n: n % 3 + 100 % (n + 50), (N,)),
    ("fmod", lambda b, a: b.rem(a, 0.7), lambda a: np.fmod(a, np.float32(0.7)), (A,)),
    ("shifts", lambda b, n: (n << 3) ^ (n >> 1), lambda n: (n << 3) ^ (n >> 1), (N,)),
    ("clamp by numbers", lambda b, a: b.clamp(a, -0.5, 0.5), lambda a: np.clip(a, -0.5, 0.5), (A,)),
    ("clamp by tensors", lambda b, a, v, c: b.clamp(a, v, c), lambda a, v, c: np.minimum(np.maximum(a, v), c), (A, V, C)),
    ("clamp above", lambda b, n: b.clamp(n, high=1), lambda n: np.minimum(n, 1), (N,)),
    ("clamp below", lambda b, n: b.clamp(n, low=1), lambda n: np.maximum(n, 1), (N,)),
    ("rounding", lambda b, a: b.round(a * 3) + b.floor(a) - b.ceil(a) * b.trunc(a),
     lambda a: np.round(a * 3) + np.floor(a) - np.ceil(a) * np.trunc(a), (A,)),
    ("rounding of integers", lambda b, n: b.round(n), lambda n: n, (N,)),
    ("classes", lambda b, a: b.is_nan(a / 0) | b.is_inf(a / 0), lambda a: np.ones(a.shape, bool), (A,)),
    ("class of integers", lambda b, n: b.is_finite(n), lambda n: np.ones(n.shape, bool), (N,)),
    ("angle", lambda b, v, c: b.atan2(v, c), lambda v, c: np.arctan2(v, c), (V, C)),
    ("sign of another", lambda b, a: b.copysign(2.0, a), lambda a: np.copysign(np.float32(2), a), (A,)),
    ("bits", lambda b, a: b.bitcast(a, UI32) & 0xFF, lambda a: a.view("uint32") & 0xFF, (A,)),
    ("logical shift", lambda b, n: b.shr(n, 28, logical=True), lambda n: (n.view("uint32") >> 28).view("int32"), (N,)),
    ("hard sigmoid", lambda b, a: b.hard_sigmoid(9 * a), lambda a: np.clip(9 * a * 0.2 + 0.5, 0, 1), (A,)),
    ("selu", lambda b, a: b.selu(a), lambda a: np.float32(1.0507009873554805)
     * np.where(a > 0, a, np.float32(1.6732632423543772) * np.expm1(a)), (A,)),
    ("activations of integers", lambda b, n: b.relu(n) + b.leaky_relu(n, 0.5),
     lambda n: np.maximum(n, 0.0) + np.where(n > 0, n, 0.5 * n), (N,)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "want", "arrays"), [c[1:] for c in ARITHMETIC], ids=[c[0] for c in ARITHMETIC])
def test_operators_are_numpys(make: Callable, want: Callable, arrays: tuple) -> None:
    check(make, want(*arrays), *arrays)


def test_array_may_stand_left_of_a_product_of_matrices() -> None:
    b = built(lambda b, a: A.T @ a, *types_of(A))
    np.testing.assert_allclose(Interpreter(b.module).run("f", [A])[0], A.T @ A, rtol=1e-6)


REDUCTIONS = [
    ("sum", lambda b, a: b.sum(a), lambda a: a.sum()),
    ("sum of an axis", lambda b, a: b.sum(a, 1), lambda a: a.sum(1)),
    ("keepdims", lambda b, a: a - b.mean(a, -1, keepdims=True), lambda a: a - a.mean(-1, keepdims=True)),
    ("max", lambda b, a: b.max(a, [0], keepdims=True), lambda a: a.max(0, keepdims=True)),
    ("min and prod", lambda b, a: b.min(a, 0) * b.prod(a, 0), lambda a: a.min(0) * a.prod(0)),
    ("any and all", lambda b, a: b.any(a > 0, 0) & b.all(a < 2, 0), lambda a: (a > 0).any(0) & (a < 2).all(0)),
    ("argmax", lambda b, a: b.argmax(a, -1), lambda a: a.argmax(-1)),
    ("product with its transpose", lambda b, a: a @ b.transpose(a), lambda a: a @ a.T),
    ("standardised", lambda b, a: (a - b.mean(a, 0)) / b.sqrt(b.mean(b.square(a - b.mean(a, 0)), 0)),
     lambda a: (a - a.mean(0)) / a.std(0)),
    ("softmax over no axis", lambda b, a: b.softmax(a, []) + b.log_softmax(a, []), np.ones_like),
]  # fmt: skip


@pytest.mark.parametrize(("make", "want"), [c[1:] for c in REDUCTIONS], ids=[c[0] for c in REDUCTIONS])
def test_reductions_are_numpys(make: Callable, want: Callable) -> None:
    check(make, np.asarray(want(A)), A)


def test_integers_add_up_in_64_bits_and_their_mean_is_a_float() -> None:
    check(lambda b, n: b.sum(n, 0), N.sum(0), N)
    check(lambda b, n: b.mean(n, 0), N.mean(0), N)
    check(lambda b, n: b.sum(n > 0, 0), (N > 0).sum(0), N)


#: What takes sizes, axes or counts, which may be numpy's integers.
NUMBERS = [
    lambda b, x, n: b.reshape(x, [n(3), n(4)]),
    lambda b, x, n: b.broadcast_to(x, (n(2), n(4), n(3))),
    lambda b, x, n: b.pad(x, [n(0), n(1)], [n(2), n(0)]),
    lambda b, x, n: b.full(1.0, [n(2)]) * b.iota([n(2)], n(0)),
    lambda b, x, n: b.eye(n(3), n(3)),
    lambda b, x, n: b.dynamic_slice(x, [n(0), n(1)], [n(2), n(2)]),
    lambda b, x, n: x[n(0) : n(2), n(-1)],
    lambda b, x, n: b.sum(x, n(-1)) + b.var(x, n(1), ddof=n(1)) + b.norm(x, n(1)),
    lambda b, x, n: b.softmax(x, n(0)) + b.normalize(x, n(1)) + b.reverse(x, [n(1)]),
    lambda b, x, n: b.squeeze(b.stack([x, x], n(1))[:, n(0) : n(1)], n(1)) + b.split(b.tile(x, n(2)), n(2), n(1))[0],
    lambda b, x, n: b.max_pool(x, [n(2)], [n(1)], [n(1)], [n(0)]) + b.conv(x[None], b.full(1.0, [n(4), n(4), n(1)]))[0],
]


@pytest.mark.parametrize("make", NUMBERS, ids=range(len(NUMBERS)))
def test_integers_of_numpy_are_taken_as_those_of_python(make: Callable) -> None:
    with_numpys = built(lambda b, x: make(b, x, np.int64), *types_of(A))
    with_pythons = built(lambda b, x: make(b, x, int), *types_of(A))
    assert with_numpys.module_text() == with_pythons.module_text()
    (want,), (got,) = (Interpreter(b.module).run("f", [A]) for b in (with_pythons, with_numpys))
    np.testing.assert_array_equal(got, want)


INDICES = [
    (0,), (-1, 2), (slice(1, None),), (slice(None), slice(0, 2)), (slice(1, 3), 0), (slice(0, 4, 2),), (Ellipsis, 1),
    (None,), (slice(None), None), (2, None, slice(1, None)), (slice(3, 1),), (slice(0, 0),), (slice(None), -1, None),
    (slice(-3, -1),), (slice(0, 100),), (),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_index_is_numpys(index: tuple) -> None:
    b = built(lambda b, a: a[index], *types_of(A))
    np.testing.assert_array_equal(Interpreter(b.module).run("f", [A])[0], A[index])


@pytest.mark.parametrize(
    "index", [(slice(1, None),), (slice(1, -1), 0), (slice(0, 3, 2),), (1,), (slice(None, None, 3),)], ids=str
)
@pytest.mark.parametrize("size", ["[N]", "?"])
def test_index_of_an_axis_of_unknown_size_is_numpys(index: tuple, size: str) -> None:
    b = built(lambda b, a: a[index], f"tensor<{size}x3xf32>")
    np.testing.assert_array_equal(Interpreter(b.module).run("f", [A])[0], A[index])


@pytest.mark.parametrize("target", ["interpret", "cpu"])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_pads_of_sizes_that_run_time_knows_put_nothing_into_an_empty_axis(rows: int, target: str) -> None:
    b = Builder()
    with b.function("f", x="tensor<[N]x?xf32>") as (x,):
        b.returns(b.pad(x, [1, 2], [0, 1], [1, 0], 7.0), b.pad(x, [0, 0], [0, 0], [0, 2]))
    first, second = executable(b.module, target).call("f", [np.ones((rows, 2), np.float32)])
    want = np.full((1 + max(2 * rows - 1, 0), 5), 7, np.float32)
    want[1::2, 2:4] = 1
    np.testing.assert_array_equal(first, want)
    np.testing.assert_array_equal(second, np.tile(np.float32([1, 0, 0, 1]), (rows, 1)))


def test_comparisons_are_of_elements() -> None:
    b = Builder()
    with b.function("f", x="tensor<3xf32>") as (x,):
        b.returns(b.select(x == 0, b.full(7.0, (3,)), x), x != x, np.float32([2, 1, 2]) == x, 1 != x)
        assert {x: "a key"}[x] == "a key"
    replaced, *found = executable(b.module, "interpret").call("f", [np.float32([0, 1, 2])])
    np.testing.assert_array_equal(replaced, [7, 1, 2])
    np.testing.assert_array_equal(found, [[False] * 3, [False, True, True], [True, False, True]])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [np.float16(1.5), np.float32(1.5), np.float64(1.5), np.int8(3)])
def test_numbers_of_numpy_are_taken_without_a_warning(number: Any) -> None:
    b = Builder()
    with b.function("f", x="tensor<2xf32>") as (x,):
        b.returns(b.full(number, [2]), b.pad(x, [1], [0], value=number))
    full, padded = executable(b.module, "interpret").call("f", [np.zeros(2, np.float32)])
    np.testing.assert_array_equal(full, [number, number])
    np.testing.assert_array_equal(padded, [number, 0, 0])


def test_named_sizes_are_kept_through_slices() -> None:
    b = built(lambda b, a: a[1:-1] + a[2:], "tensor<[N]xf32>")
    assert "tensor<[N - 2]xf32>" in b.module_text()


WRONG = [
    (
        lambda b, a, v: a + v,
        ("tensor<4x3xf32>", "tensor<4xf32>"),
        "shapes do not fit together: tensor<4x3xf32> and tensor<4xf32>",
    ),
    (lambda b, a, v: a + v, ("tensor<[B]xf32>", "tensor<[C]xf32>"), "shapes do not fit together"),
    (lambda b, a, v: a @ v, ("tensor<4x3xf32>", "tensor<4xf32>"), "tir.dot: inner sizes must agree"),
    (lambda b, a, v: a[4], ("tensor<4xf32>", "tensor<f32>"), "index 4 is out of bounds for size 4"),
    (lambda b, a, v: a[0, 0], ("tensor<4xf32>", "tensor<f32>"), "rank 1 takes at most 1 index, got 2"),
    (lambda b, a, v: a[::0], ("tensor<4xf32>", "tensor<f32>"), "a slice needs a step that is not 0"),
    (lambda b, a, v: a["x"], ("tensor<4xf32>", "tensor<f32>"), "an index is an integer"),
    (lambda b, a, v: a + 300, ("tensor<4xi8>", "tensor<f32>"), "the number 300 is no i8"),
    (lambda b, a, v: b.sum(a, 3), ("tensor<4xf32>", "tensor<f32>"), "an axis of tensor<4xf32> must be -1 to 0, got 3"),
    (lambda b, a, v: b.read("w"), ("tensor<4xf32>", "tensor<f32>"), "there is no shared variable @w"),
]


@pytest.mark.parametrize(("make", "types", "message"), WRONG)
def test_mistake_is_told_where_it_is_made(make: Callable, types: tuple, message: str) -> None:
    with pytest.raises(TirError) as caught:
        built(make, *types)
    assert message in str(caught.value)


def test_op_is_located_at_the_line_that_made_it() -> None:
    b = Builder()
    with b.function("f", a="tensor<f32>") as (a,):
        line = a.builder.module.body  # a line of no op
        r = a + 1
        b.returns(r)
    location = r.value.op.location
    assert location.file == __file__ and "r = a + 1" in open(__file__).read().split("\n")[location.line - 1]
    assert line.first.location.file == __file__


def test_type_is_read_from_text() -> None:
    assert type_from_text("tensor<[B]x?x3xf32>") is TensorType((AffineName("B"), DYNAMIC, 3), F32)
    assert type_from_text("tensor<bf16>") is TensorType((), BF16)
    for wrong in ("tensor<3xf31>", "f32, f32", "", "tensor<2xf32>) -> (f32"):
        with pytest.raises(TirError, match="is no type"):
            type_from_text(wrong)


def test_builder_gives_the_same_module_as_text() -> None:
    b = Builder()
    b.shared("w", np.zeros((3, 2), np.float32))
    with b.function("train", x="tensor<[B]x3xf32>", y=b.argument("tensor<[B]xi32>", range=(0, 2))) as (x, y):
        w = b.read("w")
        cost = b.mean(b.softmax_cross_entropy(x @ w, y)).named("cost")
        (gw,) = b.grad(cost, [w])
        b.update("w", w - 0.5 * gw)
        b.returns(cost)
    b.verify()
    assert (
        b.module_text()
        == """\
module {
  tir.shared @w : tensor<3x2xf32> = dense<0.0>
  func.func @train(%x: tensor<[B]x3xf32> {tir.name = "x"}, \
%y: tensor<[B]xi32> {tir.name = "y", tir.range = [0, 2]}) -> tensor<f32> {
    %w = tir.read @w : tensor<3x2xf32>
    %w_leaf = tir.leaf %w : tensor<3x2xf32>
    %0 = tir.dot %x, %w_leaf : tensor<[B]x2xf32>
    %1 = tir.softmax_cross_entropy %0, %y : tensor<[B]xf32>
    %cost = tir.mean %1 over [0] : tensor<f32>
    %d_w = tir.grad %cost wrt (%w_leaf) : tensor<3x2xf32>
    %2 = tir.full 0.5 : f32 -> tensor<3x2xf32>
    %3 = tir.mul %2, %d_w : tensor<3x2xf32>
    %4 = tir.sub %w, %3 : tensor<3x2xf32>
    tir.update @w, %4 : tensor<3x2xf32>
    return %cost : tensor<f32>
  }
}
"""
    )  # noqa: E501


def test_training_by_the_builder_learns() -> None:
    b = Builder()
    with b.function("init", private=True) as ():
        b.returns(b.full(0.5, (2,), F64))
    b.shared("w", "tensor<2xf64>", init="init")
    with b.function("step", x="tensor<[B]x2xf64>", y="tensor<[B]xf64>") as (x, y):
        w = b.read("w")
        cost = b.mean(b.square(x @ w - y))
        b.update("w", w - 0.1 * b.grad(cost, [w])[0])
        b.returns(cost)
    b.verify()
    expand_gradients(b.module)
    b.verify()
    interpreter = Interpreter(b.module)
    x = RNG.normal(size=(50, 2))
    costs = [float(interpreter.run("step", [x, x @ [1.0, -2.0]])[0]) for _ in range(200)]
    assert costs[-1] < 1e-12 < costs[0]
    np.testing.assert_allclose(interpreter.state["w"], [1, -2], atol=1e-6)


def test_gradient_by_an_intermediate_value_goes_through_a_leaf() -> None:
    def make(b: Builder, a: Any) -> Any:
        middle = a * 3
        cost = b.sum(b.square(middle))
        return b.grad(cost, [middle])[0]

    b = built(make, "tensor<3xf32>")
    expand_gradients(b.module)
    np.testing.assert_allclose(Interpreter(b.module).run("f", [V])[0], 6 * V, rtol=1e-6)


def test_functions_call_each_other_and_may_not_overlap() -> None:
    b = Builder()
    with b.function("double", private=True, x="tensor<2xi32>") as (x,):
        b.returns(x + x)
    with b.function("f", x="tensor<2xi32>") as (x,):
        b.returns(*b.call("double", x))
        with pytest.raises(TirError, match="@f is still open"), b.function("g"):
            pass
    b.verify()
    (got,) = Interpreter(b.module).run("f", [np.array([1, 2], np.int32)])
    assert got.tolist() == [2, 4]
    with pytest.raises(TirError, match="the name @f is taken"), b.function("f"):
        pass
    with pytest.raises(TirError, match="stands in a function"):
        b.constant(1.0, I32)

