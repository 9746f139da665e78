"""`tir.vmap`: each op on a batch against the op on each element, and functions against a loop in Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from itertools import groupby
from typing import Any

import numpy as np
import pytest

import tir
from tests.ops.samples import SAMPLES, Sample
from tir.dialects.all import REGISTRY
from tir.dialects.func import Func, Return
from tir.dialects.tir import DIALECT
from tir.dialects.tir.base import TensorOp
from tir.dialects.tir.effects import Assert
from tir.dialects.tir.random import Keyed
from tir.ir.types import TensorType, Type
from tir.parser.parse import parse_text

X = np.random.default_rng(3).normal(size=(4, 3))
W = np.random.default_rng(4).normal(size=(3, 2))


# --- ops -------------------------------------------------------------------------------------------------------------

PER_OP = 4


@cache
def rows_of() -> dict[str, list[Sample]]:
    """A few rows of each op, of as many forms as there are: other ranks, words and types."""
    found = {}
    for op, group in groupby(sorted(SAMPLES, key=lambda row: row.op), key=lambda row: row.op):
        forms: dict[Any, Sample] = {}
        for row in group:
            words = row.text.rpartition(" : ")[0]
            forms.setdefault((tuple(x.ndim for x in row.inputs), words, any("[" in type for type in row.types)), row)
        rows = sorted((row for row in forms.values() if row.inputs), key=lambda row: -sum(x.size > 0 for x in row.inputs))
        step = max(len(rows) // PER_OP, 1)
        found[op] = rows[::step][:PER_OP]
    return {op: rows for op, rows in found.items() if rows and op not in ("tir.dim", "tir.to_index")}


def function_of(row: Sample) -> Any:
    module = parse_text(row.module(), REGISTRY)
    return module, next(op for op in module.body if isinstance(op, Func))


def other_inputs(row: Sample) -> list[np.ndarray]:
    """Inputs that are as good: half of each float."""
    return [x * x.dtype.type(0.5) if x.dtype.kind == "f" else x for x in row.inputs]


def with_batch(type: Type) -> Type:
    assert isinstance(type, TensorType)
    return type.with_shape((2, *type.shape))


def batched(row: Sample, in_axes: tuple[int | None, ...]) -> tir.Builder:
    """A module whose @g is `tir.vmap` of the row."""
    b = tir.Builder()
    _, function = function_of(row)
    types = [x.type if axis is None else with_batch(x.type) for x, axis in zip(function.arguments, in_axes)]

    def element(*xs: Any) -> Any:
        mapping = dict(zip(function.arguments, (x.value for x in xs)))
        for op in function.entry:
            if isinstance(op, Return):
                return [b.tensor(mapping.get(value, value)) for value in op.operands]
            b.insert(op.clone(mapping))
        raise AssertionError

    with b.function("g", **{f"x{i}": type for i, type in enumerate(types)}) as xs:
        b.returns(*tir.vmap(element, in_axes=in_axes)(*xs))
    return b


@pytest.mark.parametrize("op", rows_of())
def test_op_on_a_batch_is_the_op_on_each_element(op: str) -> None:
    for row in rows_of()[op]:
        module, _ = function_of(row)
        alone = tir.executable(module, "interpret")
        pairs = list(zip(row.inputs, other_inputs(row)))
        count = len(pairs)
        choices = {(0,) * count, *(tuple(0 if i == j else None for i in range(count)) for j in range(count))}
        for in_axes in sorted(choices, key=str):
            elements = [[pair[k if axis is not None else 0] for pair, axis in zip(pairs, in_axes)] for k in (0, 1)]
            wanted = [alone.call("f", inputs) for inputs in elements]
            given = [np.stack(pair) if axis is not None else pair[0] for pair, axis in zip(pairs, in_axes)]
            try:
                b = batched(row, in_axes)
            except tir.TirError as error:
                # Sizes without names cannot be stacked by the loop that stands in for what an op has no facet for.
                assert "?" in f"{row.types}{row.result}" and "must have sizes that are known before the loop" in str(error)
                continue
            found = tir.executable(b.module, "interpret").call("g", given)
            for y, *each in zip(found, *wanted):
                small = str(y.dtype) in ("float16", "bfloat16")
                rtol = 4e-3 if small else 1e-6  # the order of a sum, in the type that it adds up in
                y, each = y.astype(np.float32) if small else y, [z.astype(np.float32) if small else z for z in each]
                np.testing.assert_allclose(y, np.stack(each), rtol=rtol, atol=rtol, err_msg=f"{row}: {in_axes}\n{b.module_text()}")


#: Ops that run one after another along a batch, since no op is the same on all of it.
ONE_BY_ONE = {
    "tir.conv_grad_input", "tir.conv_grad_weight", "tir.batch_norm", "tir.batch_norm_inference", "tir.dynamic_slice",
    "tir.update_slice", "tir.while", "tir.to_index",
}  # fmt: skip


def test_ops_have_a_form_for_batches_but_for_those_that_are_listed() -> None:
    alone = {
        op.name for op in DIALECT.ops
        if issubclass(op, TensorOp) and op.of_batch is TensorOp.of_batch and op.batch_axes is None and op.definition.operands
        and not issubclass(op, Keyed)  # each key its numbers
    }  # fmt: skip
    assert alone - {"tir.full", "tir.iota"} == ONE_BY_ONE - {"tir.while"}


# --- functions -------------------------------------------------------------------------------------------------------


def looped(f: Callable[..., Any], *arguments: Any, in_axes: tuple[Any, ...]) -> Any:
    """What the function gives for each element, by a loop in Python."""
    size = next(x.shape[axis] for x, axis in zip(arguments, in_axes) if axis is not None)
    return np.stack([f(*(x if axis is None else np.take(x, i, axis) for x, axis in zip(arguments, in_axes))) for i in range(size)])


FUNCTIONS: list[tuple[Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]] = [
    (lambda x: x / np.linalg.norm(x), (X,), (0,)),
    (lambda x: np.sort(x)[::-1], (X,), (1,)),
    (lambda x, w: np.tanh(x @ w), (X, W), (0, None)),
    (lambda w, x: np.tanh(x @ w), (W, X), (None, 0)),
    (lambda x, y: np.outer(x, y), (X, X), (0, 0)),
    (lambda x: np.where(x > 0, x, 0).sum() * x.shape[0], (X,), (-1,)),
    (lambda x, i: x[i], (X, np.array([0, 2, 1, 0])), (0, 0)),
    (lambda x, i: x[i], (X, np.array([[0, 2], [1, 1], [3, 0]])), (None, 0)),
    (lambda x, i: np.take(x, i, 1), (np.stack([X, X + 1]), np.array([[0, 2], [1, 1]])), (0, 0)),
    (lambda x: np.concatenate([x, np.ones(2), x * 2]), (X,), (0,)),
    (lambda x: np.cumsum(x) + np.mean(x) + np.var(x), (X,), (0,)),
    (lambda a, c: np.linalg.solve(a @ a.T + np.eye(3), c), (np.stack([X[:3], X[1:]]), X[:2]), (0, 0)),
    (lambda x: np.einsum("i,j,ij->", x, x, np.outer(x, x)), (X,), (0,)),
    (lambda x: np.pad(x, 1).reshape(5, 1).T, (X,), (0,)),
    (lambda x: np.full_like(x, 2.0), (X,), (0,)),
    (lambda x: np.argmax(x), (X,), (0,)),
    (lambda x: np.median(x), (X,), (0,)),
    (lambda x, y: x * y, (X, 2.0), (0, None)),
]


@pytest.mark.parametrize(("f", "arguments", "in_axes"), FUNCTIONS, ids=range(len(FUNCTIONS)))
def test_function_of_a_batch_is_a_loop(f: Callable[..., Any], arguments: tuple[Any, ...], in_axes: tuple[Any, ...]) -> None:
    found = tir.jit(tir.vmap(f, in_axes=in_axes), target="interpret")(*arguments)
    wanted = looped(f, *arguments, in_axes=in_axes)
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-12)  # of a few steps in f64


#: Functions of a module of numpy's names and of arrays.
LIKE_JAX: list[tuple[Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]] = [
    (lambda m, x, w: m.sort(m.tanh(x) @ w), (X, W), (0, None)),
    (lambda m, x, a: m.linalg.solve(a @ a.T + 4 * m.eye(3), x), (X[:2], np.stack([X[:3], X[1:]])), (0, 0)),
    (lambda m, x, i: m.take(x, i, axis=1), (np.stack([X, X + 1]), np.array([[0, 2], [1, 1]])), (0, 0)),
    (lambda m, x: m.einsum("ij,kj->ik", x, x), (np.stack([X, X + 1]),), (2,)),
    (lambda m, x: m.where(x > 0, x, -1.0)[::-1].reshape(1, 3), (X,), (0,)),
    (lambda m, x, i: x.at[i].add(1.0).at[0].multiply(x[1]), (X, np.array([0, 2, 1, 1])), (0, 0)),
    (lambda m, x, y: m.convolve(x, y), (X, X), (0, 0)),
]


@pytest.mark.parametrize(("f", "arguments", "in_axes"), LIKE_JAX, ids=range(len(LIKE_JAX)))
def test_batches_and_their_gradients_are_those_of_jax(f: Callable[..., Any], arguments: tuple[Any, ...], in_axes: tuple[Any, ...]) -> None:
    jax = pytest.importorskip("jax", reason="JAX is not installed: batches are not compared with it")
    jax.config.update("jax_enable_x64", True)

    def of(package: Any, m: Any) -> list[Any]:
        batch = package.vmap(lambda *xs: f(m, *xs), in_axes=in_axes)
        each = package.vmap(package.grad(lambda *xs: m.sum(f(m, *xs) ** 2)), in_axes=in_axes)
        return [batch(*arguments), package.grad(lambda *xs: m.sum(batch(*xs) ** 2))(*arguments), each(*arguments)]

    for found, wanted in zip(of(tir, tir.numpy), of(jax, jax.numpy)):
        np.testing.assert_allclose(found, wanted, rtol=1e-10)  # of a solution and its gradient in f64


def test_it_nests_with_itself_and_with_derivatives() -> None:
    cube = lambda x: np.sum(x**3)  # noqa: E731
    pairs = tir.vmap(tir.vmap(lambda x, y: x * y, in_axes=(None, 0)), in_axes=(0, None))
    np.testing.assert_allclose(pairs(X[0], X[1]), np.outer(X[0], X[1]))
    np.testing.assert_allclose(tir.vmap(tir.grad(cube))(X), 3 * X**2, rtol=1e-12)
    np.testing.assert_allclose(tir.grad(lambda x: np.sum(tir.vmap(cube)(x)))(X), 3 * X**2, rtol=1e-12)
    np.testing.assert_allclose(tir.vmap(tir.hessian(cube))(X), 6 * X[:, :, None] * np.eye(3), rtol=1e-12)
    np.testing.assert_allclose(tir.vmap(lambda x, v: tir.jvp(np.sin, (x,), (v,))[1])(X, X), np.cos(X) * X, rtol=1e-12)
    np.testing.assert_allclose(tir.grad(lambda x: np.sum(tir.vmap(tir.grad(cube))(x)))(X), 6 * X, rtol=1e-12)
    np.testing.assert_allclose(tir.jacobian(tir.vmap(lambda x: x**2))(X[:2, 0]), np.diag(2 * X[:2, 0]), rtol=1e-12)


def test_gradients_of_each_example() -> None:
    def loss(w: Any, x: Any, y: Any) -> Any:
        return (np.tanh(x @ w["w"]) - y) ** 2

    y = np.arange(4.0)
    each = tir.vmap(tir.grad(loss), in_axes=(None, 0, 0))({"w": W[:, 0]}, X, y)["w"]
    t = np.tanh(X @ W[:, 0])
    np.testing.assert_allclose(each, (2 * (t - y) * (1 - t**2))[:, None] * X, rtol=1e-12)


def test_axes_of_trees_and_of_results() -> None:
    def f(p: Any, x: Any, *, scale: Any) -> Any:
        return {"sum": p["a"] + x, "one": p["b"]}, None, scale

    found = tir.vmap(f, in_axes=({"a": 1, "b": None}, 0), out_axes=({"sum": 1, "one": None}, 0, 0))(
        {"a": X.T, "b": W}, X, scale=np.arange(4.0)
    )
    np.testing.assert_array_equal(found[0]["sum"], (X + X).T)
    np.testing.assert_array_equal(found[0]["one"], W)
    np.testing.assert_array_equal(found[2], np.arange(4.0))
    assert found[1] is None


def test_keys_give_each_element_its_numbers() -> None:
    keys = tir.random.split(tir.random.key(0), 3)
    found = tir.vmap(lambda key: tir.random.normal(key, (2,)))(keys)
    np.testing.assert_allclose(found, [tir.random.normal(key, (2,)) for key in keys], rtol=1e-14)


def test_open_batches_have_one_program() -> None:
    f = tir.jit(tir.vmap(lambda x, w: np.sort(x @ w) * 2, in_axes=(0, None)), dynamic={0: {0: "B"}}, target="interpret")
    for size in (1, 4):
        np.testing.assert_allclose(f(X[:size], W), np.sort(X[:size] @ W, 1) * 2, rtol=1e-12)
    assert f.cache_size() == 1


def test_loops_and_branches_of_builders_go_along_a_batch() -> None:
    b = tir.Builder()

    def run(h: Any, xs: Any, steps: Any) -> Any:
        (last,), (all,) = b.scan(lambda h, x: ([b.tanh(h + x)], [h]), [h], [xs])
        (chosen,) = b.if_(last > 0, lambda: [last], lambda: [last * 2])
        _, n = b.while_loop(lambda i, n: i < steps, lambda i, n: [i + 1, n * 2], [b.constant(np.int64(0)), b.constant(1.0)])
        return [last, all, chosen, n, b.checkpoint(lambda: b.exp(h))]

    with b.function("f", h="tensor<4xf64>", xs="tensor<4x3xf64>", steps="tensor<4xi64>") as (h, xs, steps):
        b.returns(*tir.vmap(run)(h, xs, steps))
    h, steps = X[:, 0], np.array([0, 1, 3, 2])
    found = tir.executable(b.module, "interpret").call("f", [h, X, steps])
    states = [h]
    for x in X.T:
        states.append(np.tanh(states[-1] + x))
    wanted = [states[-1], np.stack(states[:-1], 1), np.where(states[-1] > 0, states[-1], states[-1] * 2), 2.0**steps, np.exp(h)]
    for y, z in zip(found, wanted):
        np.testing.assert_allclose(y, z, rtol=1e-12)


def test_loop_on_a_batch_is_one_loop() -> None:
    b = tir.Builder()

    def run(h: Any, xs: Any, w: Any, flag: Any) -> Any:
        (last,), (all,) = b.scan(lambda h, x: ([b.tanh(h * w + x)], [w * x]), [h], [xs], reverse=True)
        return [last, all, *b.if_(flag, lambda: [last, h], lambda: [h, h])]

    arguments = {"h": "tensor<f64>", "xs": "tensor<3xf64>", "w": "tensor<4xf64>", "flag": "tensor<i1>"}
    with b.function("f", **arguments) as (h, xs, w, flag):
        b.returns(*tir.vmap(run, in_axes=(None, None, 0, None))(h, xs, w, flag))
    text = b.module_text()
    assert (text.count("tir.scan"), text.count("tir.if")) == (1, 1)
    h, xs, w = np.float64(0.5), X[0], X[:, 0]
    last = np.full(4, h)
    for x in xs[::-1]:
        last = np.tanh(last * w + x)
    found = tir.executable(b.module, "interpret").call("f", [h, xs, w, np.True_])
    for y, z in zip(found, [last, w[:, None] * xs, last, np.full(4, h)]):
        np.testing.assert_allclose(y, z, rtol=1e-12)


def test_gradient_of_a_loop_on_a_batch_is_that_of_each_loop() -> None:
    b = tir.Builder()

    def run(h: Any, xs: Any) -> Any:
        (last,), (all,) = b.scan(lambda h, x: ([b.tanh(h + x)], [h * x]), [h], [xs])
        return b.sum(all) + last

    with b.function("f", h="tensor<4xf64>", xs="tensor<4x3xf64>") as (h, xs):
        of_all = tir.grad(lambda h, xs: b.sum(tir.vmap(run)(h, xs)), argnums=(0, 1))(h, xs)
        b.returns(*of_all, *tir.vmap(tir.grad(run, argnums=(0, 1)))(h, xs))
    found = tir.executable(b.module, "interpret").call("f", [X[:, 0], X])
    np.testing.assert_allclose(found[0], found[2], rtol=1e-12)
    np.testing.assert_allclose(found[1], found[3], rtol=1e-12)


def test_assert_holds_for_all_elements() -> None:
    b = tir.Builder()

    def run(x: Any) -> Any:
        b.op(Assert, (x > 0).value, msg="x must be positive")
        return b.sqrt(x)

    with b.function("f", x="tensor<3xf64>") as (x,):
        b.returns(tir.vmap(run)(x))
    exe = tir.executable(b.module, "interpret")
    assert exe.call("f", [np.array([1.0, 4.0, 9.0])])[0].tolist() == [1, 2, 3]
    with pytest.raises(tir.TirError, match="x must be positive"):
        exe.call("f", [np.array([1.0, -4.0, 9.0])])


def test_compiled_batch_is_the_interpreted_one() -> None:
    f = tir.vmap(lambda x, i: np.sort(x)[i] / np.linalg.norm(x), in_axes=(0, 0))
    i = np.array([0, 2, 1, 1])
    np.testing.assert_allclose(f(X, i), tir.jit(f, target="interpret")(X, i), rtol=1e-14)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: tir.vmap(3), "tir.vmap: takes a function, got 3"),
    (lambda: tir.vmap(np.sin, in_axes="x"), "tir.vmap: in_axes must be whole numbers or None, or trees of them, got 'x'"),
    (lambda: tir.vmap(np.sin, in_axes=None)(X), "tir.vmap: no argument has a batch: in_axes are None for all; call the function itself"),
    (lambda: tir.vmap(np.add)(X, X.T), r"tir.vmap: the batches must have one size, got 4 \(argument 0\) and 3 \(argument 1\)"),
    (lambda: tir.vmap(np.sin, in_axes=2)(X), "tir.vmap: argument 0 has no axis 2, it is tensor<4x3xf64>; in_axes=None"),
    (lambda: tir.vmap(np.multiply)(X, 2.0), "tir.vmap: argument 1 has no axis 0, it is tensor<f64>; in_axes=None hands it on as a whole"),
    (lambda: tir.vmap(lambda x, s: x)(X, "a"), "tir.vmap: argument 1 must be an array, got 'a'; in_axes=None hands it on as it is"),
    (lambda: tir.vmap(np.add, in_axes=(0,))(X, X), r"tir.vmap: in_axes must have one for each argument, got \(0,\) for argument 1"),
    (lambda: tir.vmap(lambda d: d["a"], in_axes=((0, 1),))({"a": X}), "tir.vmap: in_axes must have the form of what they are for"),
    (lambda: tir.vmap(lambda x: x, out_axes=None)(X), "tir.vmap: a result is not the same for all elements of the batch, .*; out_axes=0 stacks it"),
    (lambda: tir.vmap(lambda x: x, out_axes=3)(X), "tir.vmap: out_axes: a result has no axis 3, it is tensor<4x3xf64>"),
    (lambda: tir.vmap(lambda x: "a")(X), "tir.vmap: the function must give arrays or trees of them, got 'a'"),
    (lambda: tir.vmap(lambda x, y: x)(X), r"tir.vmap: <lambda>\(\) takes x, y: missing a required argument: 'y'"),
    (lambda: tir.vmap(lambda x: float(x[0]))(X), "a traced array has no number before it runs"),
])  # fmt: skip
def test_wrong_call_is_told_with_its_line(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(tir.TirError, match=message) as caught:
        call()
    place = caught.value.location.file_location()
    assert (place.file, place.line) == (__file__, call.__code__.co_firstlineno)


def test_state_and_sizes_do_not_differ_from_element_to_element() -> None:
    b = tir.Builder()
    b.shared("w", np.zeros(3))
    with b.function("f", x="tensor<2x3xf64>", n="tensor<2xi64>") as (x, n):
        with pytest.raises(tir.TirError, match="tir.vmap: a shared variable cannot get a value for each element of a batch"):
            tir.vmap(lambda x: [b.update("w", x), x][1])(x)
        with pytest.raises(tir.TirError, match="tir.vmap: a size would differ from element to element of the batch"):
            tir.vmap(lambda n: b.full(0, [b.to_index(n)]))(n)


def test_a_jitted_function_and_one_that_is_wrapped() -> None:
    total = tir.jit(lambda x: x.sum())

    @wraps(total)
    def tenfold(x: Any) -> Any:
        return total(x) * 10

    np.testing.assert_array_equal(tir.vmap(total)(X), X.sum(1))
    np.testing.assert_array_equal(tir.vmap(tir.vmap(total))(X[None]), X.sum(1)[None])
    np.testing.assert_array_equal(tir.vmap(tenfold)(X), 10 * X.sum(1))
    np.testing.assert_array_equal(tir.jit(tenfold)(X), 10 * X.sum())
    np.testing.assert_allclose(tir.vmap(tir.jit(tir.grad(np.sin)))(X[0]), np.cos(X[0]))


def test_what_a_function_uses_from_outside_is_as_it_is_at_the_call() -> None:
    weight = 1.0

    def cost(x: Any) -> Any:
        return (x * weight) ** 2

    kept = [tir.grad(cost), lambda x: tir.value_and_grad(cost)(x)[1], tir.vmap(tir.grad(cost)), tir.jit(tir.grad(cost))]
    first = [np.ravel(one(np.array([2.0]) if i == 2 else 2.0))[0] for i, one in enumerate(kept)]
    weight = 3.0
    second = [np.ravel(one(np.array([2.0]) if i == 2 else 2.0))[0] for i, one in enumerate(kept)]
    assert first == [4.0] * 4
    assert second == [36.0] * 3 + [4.0]  # jit traces once


def test_the_same_program_of_a_transform_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(tir.tracing, "executable", lambda module, *_, **__: made.append(module) or tir.executable(module))
    for number in range(5):
        _, tangent = tir.jvp(lambda x: x**3 + 0.12345, (1.0 + number,), (2.0,))
        assert tangent == pytest.approx(6 * (1.0 + number) ** 2)
    assert len(made) == 1
