"""`tir.jit`: what functions take and give, what a program is made for, and what is said of what cannot be traced."""

from __future__ import annotations

import copy
import math
import threading
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tir
import tir.numpy as tnp
import tir.tensor as T

jit: Callable[..., Any] = partial(tir.jit, target="interpret")
X = np.arange(6, dtype=np.float32).reshape(2, 3)
LINES = Path(__file__).read_text(encoding="utf-8").splitlines()

# --- arguments and results -------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", "first second")


def test_compiled_function_computes_what_the_function_does() -> None:
    def step(w: Any, x: Any, y: Any, rate: Any) -> Any:
        error = x @ w - y
        return w - rate * (x.T @ error) / len(x), np.mean(error**2)

    w, x, y = np.zeros(3, np.float32), X, np.ones(2, np.float32)
    for found, wanted in zip(tir.jit(step)(w, x, y, 0.1), step(w, x, y, 0.1)):
        assert found.dtype == wanted.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-6)  # 8 ulp of f32


def test_arguments_and_results_are_trees() -> None:
    @jit
    def f(params: Any, pair: Any, *rest: Any, scale: Any = 1.0) -> Any:
        return {"sum": params["w"] + params["b"][0], "pair": Pair(pair.second, [pair.first * scale])}, None, sum(rest)

    found, nothing, total = f({"w": X, "b": [X, None]}, Pair(X, 2), X, X, scale=3.0)
    assert nothing is None and isinstance(found["pair"], Pair) and isinstance(found["pair"].second, list)
    np.testing.assert_array_equal(found["sum"], X + X)
    np.testing.assert_array_equal(found["pair"].second[0], X * 3)
    np.testing.assert_array_equal(total, X + X)
    assert found["pair"].first == 2


@pytest.mark.parametrize("x", [
    np.asfortranarray(np.arange(12.0).reshape(3, 4)), np.arange(24.0)[::2].reshape(3, 4)[:, ::-1], np.arange(5, dtype=">f4"), np.float32(2.5),
    np.array(7), np.zeros((0, 3), np.float32), np.array([True, False]), np.arange(3, dtype=np.uint8), 2.5, 7, True, np.float16(1.5),
], ids=repr)  # fmt: skip
@pytest.mark.parametrize("target", ["cpu", "interpret"])
def test_any_array_is_an_argument(x: Any, target: str) -> None:
    plain = np.array(x)
    found = tir.jit(lambda x: x + x, target=target)(x)
    np.testing.assert_array_equal(found, plain + plain)
    assert found.dtype == plain.dtype.newbyteorder("=")


def test_array_that_may_not_be_written_is_an_argument_and_stays() -> None:
    x = X.copy()
    x.flags.writeable = False
    found = tir.jit(lambda x: x)(x)
    found[0] = 9
    np.testing.assert_array_equal(x, X)


class Exporter:
    """What numpy takes an array from by a protocol alone."""

    def __init__(self, array: Any, protocol: str) -> None:
        self.array = array
        self.protocol = protocol

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class ByArray(Exporter):
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array


class ByDlpack(Exporter):
    def __dlpack__(self, **named: Any) -> Any:
        return self.array.__dlpack__(**named)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("kind", [ByArray, ByDlpack])
def test_array_of_another_package_is_an_argument(kind: Any) -> None:
    np.testing.assert_array_equal(jit(lambda x: x * 2)(kind(X, "")), X * 2)


def test_arrays_of_torch_go_in_and_out() -> None:
    torch = pytest.importorskip("torch")
    found = tir.jit(lambda x: x.sum(axis=0))(torch.from_numpy(X))
    assert torch.from_dlpack(found).tolist() == X.sum(0).tolist()


def test_bf16_goes_in_and_out() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = X.astype(ml_dtypes.bfloat16)
    found = jit(lambda x: (x + 1, x.dtype.itemsize * np.exp(x), np.where(x > 1, x, 0.5)))(x)
    assert {y.dtype for y in found} == {x.dtype}
    np.testing.assert_array_equal(found[0].astype(np.float32), X + 1)


def test_arrays_from_outside_are_constants() -> None:
    weights = np.arange(3, dtype=np.float32)
    f = jit(lambda x: x * weights)
    np.testing.assert_array_equal(f(X), X * weights)
    weights[:] = 9
    np.testing.assert_array_equal(f(X), X * [0, 1, 2])


def test_jitted_function_in_another_is_traced_with_it() -> None:
    inner = jit(lambda x, n: x * n, static_argnames="n")
    outer = jit(lambda x: inner(x, 3) + inner(np.ones(3, np.float32), n=2))
    np.testing.assert_array_equal(outer(X), X * 3 + 2)
    assert inner.cache_size() == 0 and str(outer.lower(X).body.first.sym_name) == "lambda"


def test_copy_of_what_holds_a_jitted_function_shares_it() -> None:
    f = jit(lambda x: x + 1)
    assert copy.deepcopy({"f": f})["f"] is f


def test_method_is_jitted_for_each_object() -> None:
    class Model:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        @tir.jit(target="interpret", static_argnums=0)
        def __call__(self, x: Any) -> Any:
            return x * self.scale

    np.testing.assert_array_equal(Model(2.0)(X) + Model(3.0)(X), X * 5)


# --- what a program is made for --------------------------------------------------------------------------------------


def test_same_kinds_of_arguments_have_one_program() -> None:
    traced = []

    @jit
    def f(x: Any, rate: Any) -> Any:
        traced.append(x.shape)
        return x * rate

    for rate in (0.5, 1.5, 2.5):
        np.testing.assert_array_equal(f(X, rate), X * np.float32(rate))
    f(X[0], 0.5)
    f(X.astype(np.float64), 0.5)
    f(X, 2)
    f(X[:], np.float32(2))
    assert len(traced) == f.cache_size() == 5


def test_static_arguments_are_part_of_the_program() -> None:
    @partial(jit, static_argnums=(1,), static_argnames=("mode",))
    def f(x: Any, n: int, *, mode: str = "sum") -> Any:
        return np.stack([getattr(x, mode)()] * n)

    assert f(X, 2).tolist() == [15, 15]
    assert f(X, 3, mode="max").tolist() == [5, 5, 5]
    f(X, 2, mode="sum")
    assert f.cache_size() == 3


def test_open_axes_have_one_program() -> None:
    @partial(jit, dynamic={"x": {0: "B"}, 1: {0: "B"}})
    def f(x: Any, y: Any) -> Any:
        return x - x.mean(0), x.sum(axis=0) / x.shape[0], x.reshape(-1), y * 2, np.zeros_like(x), tnp.arange(x.shape[0])

    for size in (2, 5):
        x, y = np.random.default_rng(0).normal(size=(size, 3)), np.ones(size)
        found = f(x, y)
        for one, wanted in zip(found, (x - x.mean(0), x.mean(0), x.reshape(-1), y * 2, x * 0, np.arange(size))):
            np.testing.assert_allclose(one, wanted, rtol=1e-14)  # the order of a sum
    assert f.cache_size() == 1
    with pytest.raises(tir.TirError, match="'y'.*B.* 5 .*4|'y'"):
        f(np.ones((5, 3)), np.ones(4))


def test_open_sizes_are_numbers_in_arrays() -> None:
    f = jit(lambda x: (1 / tnp.asarray(x.shape[0]), x * x.shape[0], x.shape[0] * 2 + x, tnp.zeros((x.shape[0], 2)), x.size + x), dynamic={0: {0: "B"}})
    for found, wanted in zip(f(X), (0.5, X * 2, X + 4, np.zeros((2, 2)), X + 6)):
        np.testing.assert_array_equal(found, wanted)


def test_lower_gives_the_module_with_names() -> None:
    text = tir.print_op(jit(lambda params, rate: params["w"] * rate).lower({"w": X}, 0.5))
    assert "func.func @lambda(%params_w: tensor<2x3xf32> {tir.name = \"params['w']\"}, %rate: tensor<f64> {tir.name = \"rate\"})" in text


def test_jitted_function_shows_itself() -> None:
    assert repr(jit(lambda params, rate: rate)) == "<tir.jit of <lambda>(params, rate)>"


def test_recompilation_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TIR_LOG", "recompiles")

    def step(x: Any, n: Any = 1) -> Any:
        return x * n

    f = jit(step, static_argnames="n")
    line = f"{step.__code__.co_filename}:{step.__code__.co_firstlineno}: step() is compiled again: "
    f(X[0])
    for arguments, reason in [
        ((X[0, :2],), "argument 'x': shape (3,) -> (2,)"),
        ((X[0].astype(np.float64),), "argument 'x': dtype float32 -> float64"),
        ((2.0,), "argument 'x': array -> float"),
        ((X[0], 2), "the arguments are x, n"),
        ((X[0], 3), "static argument 'n': 2 -> 3"),
    ]:
        f(*arguments)
        said = capsys.readouterr().err
        assert said.startswith(line) and said.count("\n") == 1
        assert reason in said, said
    f(X[0], 3)
    assert not capsys.readouterr().err


def test_threads_share_programs() -> None:
    traced, found = [], []

    @tir.jit
    def f(x: Any) -> Any:
        traced.append(1)
        return np.sum(x * 2)

    threads = [threading.Thread(target=lambda: found.extend(float(f(X)) for _ in range(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [30.0] * 80 and traced == [1]


def test_fp_mode_is_that_of_the_program() -> None:
    x = np.float32(1e-10)
    assert tir.jit(lambda x: np.log(1 + x), fp_mode="stable")(x) > 0 == tir.jit(lambda x: np.log(1 + x), fp_mode="strict")(x)


# --- derivatives -----------------------------------------------------------------------------------------------------


def test_derivatives_of_functions_work_on_arrays() -> None:
    x = np.array([0.5, -1.0, 2.0])
    cube = lambda x: np.sum(x**3)  # noqa: E731
    for found, wanted in [
        (tir.grad(cube)(x), 3 * x**2), (tir.value_and_grad(cube)(x)[0], cube(x)), (tir.hessian(cube)(x), np.diag(6 * x)),
        (tir.jacobian(lambda x: x**2)(x), np.diag(2 * x)), (tir.hvp(cube, x, x), 6 * x**2),
        (tir.jvp(np.sin, (x,), (x,))[1], np.cos(x) * x), (tir.vjp(np.sin, x)[1](x)[0], np.cos(x) * x),
        (tir.grad(lambda t: t**3)(2.0), 12), (tir.grad(lambda t: t**3)(2), 12), (tir.grad(tir.grad(lambda t: t**4))(3.0), 108),
        (tir.grad(lambda x, kind: np.sum(getattr(np, kind)(x)))(x, "sin"), np.cos(x)),
    ]:  # fmt: skip
        np.testing.assert_allclose(found, wanted, rtol=1e-12)  # of a few steps in f64


def test_derivatives_of_trees_come_as_trees() -> None:
    def loss(params: Any, x: Any) -> Any:
        return np.mean(np.tanh(x @ params["w"] + params["b"])), {"n": x}

    params = {"w": X.T.copy(), "b": np.float32(0.5)}
    (value, aux), gradient = tir.value_and_grad(loss, has_aux=True)(params, X)
    assert gradient.keys() == params.keys() and gradient["w"].shape == (3, 2) and gradient["b"].dtype == np.float32
    np.testing.assert_array_equal(aux["n"], X)
    inside = jit(lambda p, x: tir.grad(lambda q: loss(q, x)[0])(p))(params, X)
    np.testing.assert_allclose(inside["w"], gradient["w"], rtol=1e-5, atol=1e-7)  # strict against stable
    assert value.shape == ()


def test_derivative_of_what_depends_on_nothing_is_zero() -> None:
    assert tir.grad(lambda x: 3.0)(1.0) == 0 and tir.grad(lambda x: np.float32(2))(np.ones(2)).tolist() == [0, 0]
    assert [y.tolist() for y in tir.value_and_grad(lambda x: 3.0)(np.ones(2))] == [3, [0, 0]]


def test_no_derivative_goes_through_a_constant() -> None:
    f = lambda x: np.sum(x * tir.stop_gradient({"y": x**2})["y"])  # noqa: E731
    np.testing.assert_allclose(tir.grad(f)(np.array([2.0, 3.0])), [4, 9])
    assert tir.stop_gradient(2.0) == 2.0


def test_gradient_of_a_jitted_function_and_with_aux_of_vjp() -> None:
    square = jit(lambda x: x * x)
    assert tir.grad(lambda x: np.sum(square(x)))(np.ones(2)).tolist() == [2, 2]
    y, pull, aux = tir.vjp(lambda x: (x * 2, x + 1), np.ones(2), has_aux=True)
    assert (y.tolist(), aux.tolist(), pull(np.ones(2))[0].tolist()) == ([2, 2], [2, 2], [2, 2])


# --- random numbers --------------------------------------------------------------------------------------------------


def test_random_numbers_are_the_same_inside_and_outside() -> None:
    key = tir.random.key(3)

    def draw(key: Any, r: Any = tir.random) -> Any:
        one, two = r.split(key)
        return (
            r.normal(one, (2, 2)), r.uniform(two, (3,), "float32", -1.0, 1.0), r.randint(one, 0, 10, (4,)), r.bits(one, (2,)),
            r.bernoulli(one, 0.3, (3,)), r.categorical(one, np.zeros((2, 3))), r.permutation(one, np.arange(5)),
            r.choice(one, np.arange(4.0), (2,)), r.gamma(one, 2.0, (2,)), r.binomial(one, 9, 0.5, (2,)), r.fold_in(one, 7),
            r.truncated_normal(one, -1, 1, (2,)), r.gumbel(one, (2,)), r.laplace(one, (2,)), r.cauchy(one, (2,)), r.exponential(one, (2,)),
        )  # fmt: skip

    for inside, outside in zip(tir.jit(draw)(key), draw(key)):
        np.testing.assert_allclose(inside, outside, rtol=1e-13)  # a logarithm and a root of f64, in several programs
    traced_seed = jit(lambda seed: tir.random.key(seed))
    assert all((traced_seed(seed) == tir.random.key(seed)).all() for seed in (0, 5, 2**40 + 1, -1))


# --- mistakes --------------------------------------------------------------------------------------------------------

LEAKED: list[Any] = []
jit(LEAKED.append)(X)


def set_element(x: Any) -> Any:
    x[0] = 1
    return x


def add_in_place(x: Any) -> Any:
    a = np.zeros(3)
    a += x[0]
    return a


def fill_array(x: Any) -> Any:
    a = np.zeros((2, 3))
    a[0] = x[0]
    return a


def set_shape(x: Any) -> Any:
    x.shape = (3, 2)
    return x


def number_into_array(x: Any) -> Any:
    a = np.zeros(3)
    a[0] = x[0, 0]
    return a


def loop(x: Any) -> Any:
    return [x for _ in range(x[0, 0].astype(int))]


#: A function, and what is said of it when it is traced with X.
WRONG: list[tuple[Callable[..., Any], str]] = [
    (lambda x: float(x[0, 0]), "a traced array has no number before it runs; keep it an array, x.astype.* converts; or return it"),
    (lambda x: int(x[0, 0]), "a traced array has no number before it runs; keep it an array"),
    (lambda x: x[0, 0].item(), "a traced array has no number before it runs; keep it an array"),
    (lambda x: x.tolist(), "a traced array has no numbers before it runs; keep it an array"),
    (lambda x: math.exp(x[0, 0]), "a traced array has no number before it runs"),
    (lambda x: f"{x[0, 0]:.2f}", "a traced array has no digits before it runs"),
    (lambda x: 1 if x[0, 0] > 0 else 0, r"a traced array has no truth value before it runs; numpy.where\(condition, a, b\) chooses"),
    (lambda x: max(x[0, 0], x[0, 1]), "a traced array has no truth value before it runs"),
    (lambda x: x in [1, 2], "a traced array has no truth value before it runs"),
    (loop, "a traced array has no whole number before it runs; static_argnums makes an argument part of the program"),
    (lambda x: np.zeros(x[0, 0].astype(int)), "a traced array has no whole number before it runs; static_argnums"),
    (lambda x: tnp.zeros(x[0, 0].astype(int)), "numpy.zeros: a size must be known when the function is traced; static_argnums"),
    (lambda x: x.reshape(x[0, 0].astype(int), 2), "numpy.reshape: a size must be known when the function is traced"),
    (lambda x: x[: x[0, 0].astype(int)], r"x\[index\]: an end of a slice must be known when the function is traced"),
    (set_element, r"a traced array never changes; x = x.at\[0\].set\(value\) makes a changed one"),
    (add_in_place, "a traced array has no numbers to write into an array before it runs; write `a = a \\+ x` for `a \\+= x`"),
    (set_shape, r"a traced array never changes; x.reshape\(\(3, 2\)\) gives it another shape"),
    (number_into_array, "a traced array has no numbers? before it runs"),
    (fill_array, "a traced array has no numbers before it runs; what asks for an array cannot be traced"),
    (lambda x: x.sort(), r"a traced array never changes; numpy.sort\(x\) gives a sorted one"),
    (lambda x: x.fill(0), r"a traced array never changes; numpy.full_like\(x, value\) makes one"),
    (lambda x: np.asarray(x), "a traced array has no numbers before it runs; what asks for an array"),
    (lambda x: np.array([x[0, 0], x[0, 1]]), "a traced array has no numbers before it runs; what asks for an array"),
    (lambda x: np.vectorize(math.exp)(x), "a traced array has no numbers before it runs"),
    (lambda x: np.unique(x), "numpy.unique cannot be traced: it would need numbers before the program runs; how many there are"),
    (lambda x: np.linalg.svd(x), "numpy.linalg.svd cannot be traced: tir has no such function; compute it outside of the traced function"),
    (lambda x: np.spacing(x), "numpy.spacing cannot be traced: tir has no such function; compute it outside"),
    (lambda x: np.gradient(x, edge_order=2), "numpy.gradient: edge_order must be 1 for traced arrays, got 2"),
    (lambda x: np.gradient(x[:1]), "numpy.gradient: an axis must have at least 2 elements, got 1 along axis 0"),
    (lambda x: np.gradient(x, 1.0, 2.0, 3.0), "numpy.gradient: needs a distance for each axis: 2, got 3"),
    (lambda x: np.gradient(x, x[0], axis=0), "numpy.gradient: places must be one for each element of axis 0, got tensor<3xf32> for tensor<2x3xf32>"),
    (lambda x: np.block([[x], x]), "numpy.block: lists must all be nested equally deep, and have elements"),
    (lambda x: np.fft.fft(x), "numpy.fft.fft cannot be traced"),
    (lambda x: np.put(x, 0, 1), r"numpy.put cannot be traced: .*; x.at\[index\].set\(y\) makes a changed one"),
    (lambda x: np.add.at(x, 0, 1), r"numpy.add.at cannot be traced: .*; x.at\[index\].add\(y\) makes a changed one"),
    (lambda x: np.where(x > 0), r"numpy.where: without two arrays to choose from it cannot be traced: .*write numpy.where\(condition, x, y\)"),
    (lambda x: np.compress(x[0] > 0, x, 1), "numpy.compress: a condition that is traced chooses a number of elements that only run time knows"),
    (lambda x: np.choose(x.astype(int), [1, 2]), "numpy.choose: mode must be \"clip\" or \"wrap\" where the choice is traced, got 'raise'"),
    (lambda x: x[x > 0], r"test_jit.py:\d+:1: a mask chooses a number of elements that only run time knows; numpy.where\(mask, x, y\) keeps the shape"),
    (lambda x: x[x > 0] + 1, r"numpy.add: a mask chooses a number of elements that only run time knows; numpy.where\(mask, x, y\) keeps the shape"),
    (lambda x: np.var(x[x > 0]), "numpy.var: a mask chooses a number of elements that only run time knows"),
    (lambda x: x[x[:, 0] > 0].sum(1), "numpy.sum: a mask chooses a number of elements .*; a reduction over its axis 0 too has a shape"),
    (lambda x: x[0, x[0] > 0], "a mask chooses a number of elements .*; beside a mask an index has whole axes; x.i..mask. takes a part first"),
    (lambda x: x[x[:, :2] > 0], r"x\[index\]: a mask of type tensor<2x2xi1> does not fit tensor<2x3xf32> from axis 0 on"),
    (lambda x: x[..., x > 0, :], r"x\[index\]: a mask of type tensor<2x3xi1> does not fit tensor<2x3xf32>"),
    (lambda x: x[x.sum() > 0], r"x\[index\]: a truth value is no index; where\(condition, x, y\) keeps the shape"),
    (lambda x: len(x[x > 0]), r"a traced array has no length before it runs; x\[mask\]\.shape\[0\] counts, as an array"),
    (lambda x: x.at[x > 0].set(x), "what a mask chooses takes a number, or what has size 1 along axis 0 of it, got tensor<2x3xf32>; where.mask, y, x. takes y"),
    (lambda x: np.sum(x[x > 0], where=x > 0), "numpy.sum: where is not for traced arrays"),
    (lambda x: x[True], r"x\[index\]: a truth value is no index"),
    (lambda x: x[np.array([True])], r"x\[index\]: a mask of shape \(1,\) does not fit tensor<2x3xf32>"),
    (lambda x: x[5], r"x\[index\]: index 5 is out of bounds for size 2"),
    (lambda x: x.summ(), "a traced array has no 'summ'; did you mean 'sum'?"),
    (lambda x: x.exp(), r"a traced array has no 'exp'; write numpy.exp\(x\)"),
    (lambda x: x.zzzz, "a traced array has no 'zzzz'; tir.numpy has functions"),
    (lambda x: x.at.set(0), r"x.at: an index says which elements; x.at\[0\].set\(1\)"),
    (lambda x: (x > 0).at[0].add(True), r"x.at\[..\] of truth values can be set, not combined with others \(add\)"),
    (lambda x: len(x[0, 0]), "an array of rank 0 has no length"),
    (lambda x: np.add(x, {}), "numpy.add: a traced array, an array or a number is needed, got {}"),
    (lambda x: x + 1j, "there are no complex numbers in tir, got 1j"),
    (lambda x: x.astype("S1"), "numpy.astype: dtype bytes8 is not supported"),
    (lambda x: x.astype("float33"), "numpy.astype: 'float33' is no dtype"),
    (lambda x: x + LEAKED[0], "operand 1 %object was traced in another call; a traced array lives in its call; return it from the traced function"),
    (lambda x: LEAKED[0], r"<lambda>\(\) gives a traced array that was traced in another call; a traced array lives in its call"),
    (lambda x: (x > 0) - (x > 0), "numpy.subtract is not for bool and bool; x.astype"),
    (lambda x: x << 1, "numpy.left_shift is not for float32 and int"),
    (lambda x: x.astype(int) ** -1, "numpy.power: a whole number has no power -1 that is whole; write x \\*\\* -1.0"),
    (lambda x: x.astype("uint8") + 300, "numpy.add: the number 300 is no ui8; x.astype"),
    (lambda x: x + np.ones(4, np.float32), "numpy.add: shapes do not fit together: tensor<2x3xf32> and tensor<4xf32>"),
    (lambda x: x @ x, "tir.dot: inner sizes must agree, got 3"),
    (lambda x: np.add(x, x, out=np.zeros((2, 3))), "a traced array has no numbers to write into an array"),
    (lambda x: np.exp(x, where=x > 0), "numpy.exp: where is not for traced arrays, got .*; leave it away"),
    (lambda x: tnp.sum(x, axs=2), "numpy.sum: traced, it takes a, axis, dtype, out, keepdims, initial, where; got an unexpected keyword argument 'axs'"),
    (lambda x: np.sum(x, axis=2), "numpy.sum: axis must be -2 to 1, got 2"),
    (lambda x: np.sum(x, axis=(0, 0)), r"numpy.sum: axis must name each axis once, got \(0, 0\)"),
    (lambda x: np.sum(x[0, 0], axis=0), "numpy.sum: an array of rank 0 has no axes, got axis 0"),
    (lambda x: np.sum(x, axis=0.5), "numpy.sum: axis must be a whole number, got 0.5"),
    (lambda x: np.max(x[:0]), "numpy.max: an array without elements has no maximum; initial says what it is then"),
    (lambda x: np.max(x, where=x > 0), "numpy.max: with where, initial says what the result is where none is chosen"),
    (lambda x: np.argmax(x[:0]), "numpy.argmax: an array without elements has no argmax"),
    (lambda x: np.average(x, weights=np.ones(2)), "numpy.average: weights must have the shape of the array, or go along the axis"),
    (lambda x: np.quantile(x, 0.5, method="hazen"), "numpy.quantile: method must be linear, lower, higher, nearest or midpoint, got 'hazen'"),
    (lambda x: tnp.cumulative_sum(x), "numpy.cumulative_sum: of an array with several axes, axis must be given"),
    (lambda x: np.cov(x[None]), "numpy.cov: an array must have at most 2 axes, got tensor<1x2x3xf32>"),
    (lambda x: x.reshape(4, -1), "numpy.reshape: -1 cannot be told: 6 elements are not a multiple of 4"),
    (lambda x: x.reshape(-1, -1), r"numpy.reshape: a shape may have one -1, for the rest, got \(-1, -1\)"),
    (lambda x: x.reshape(3, 2, order="F"), "numpy.reshape: only row-major order can be traced"),
    (lambda x: x.transpose(0), r"numpy.transpose: axes must name all 2, got \(0,\)"),
    (lambda x: np.matrix_transpose(x[0]), "numpy.matrix_transpose: an array must have at least 2 axes, got tensor<3xf32>"),
    (lambda x: np.moveaxis(x, (0, 1), 0), "numpy.moveaxis: source and destination must name as many axes, got 2 and 1"),
    (lambda x: np.concatenate([x[0, 0], x[0, 1]]), "numpy.concatenate: arrays of rank 0 cannot be put behind each other; numpy.stack"),
    (lambda x: tnp.array([x, x[0]]), "numpy.array: the parts of one list must have one shape; numpy.concatenate"),
    (lambda x: np.split(x, 4), "numpy.split: 2 elements cannot be split into 4 equal parts; numpy.array_split"),
    (lambda x: np.array_split(x, 0), "numpy.array_split: the number of parts must be above 0, got 0"),
    (lambda x: np.insert(x, 9, 0, 0), "numpy.insert: a place to insert at must be -2 to 2, got 9"),
    (lambda x: np.pad(x, 1, mode="mean"), "numpy.pad: mode must be constant, edge, wrap, reflect or symmetric, got 'mean'"),
    (lambda x: np.take(x, [0], mode="jump"), "numpy.take: mode must be raise, clip or wrap, got 'jump'"),
    (lambda x: np.take_along_axis(x, x[0].astype(int), 1), "numpy.take_along_axis: indices must have as many axes as the array, 2, got 1"),
    (lambda x: np.select([x > 0], [x, x]), "numpy.select: needs a choice for each condition: 1, got 2"),
    (lambda x: np.diag(x[None]), "numpy.diag: an array must have 1 or 2 axes, got tensor<1x2x3xf32>"),
    (lambda x: np.searchsorted(x, 1), "numpy.searchsorted: the sorted array must have one axis, got tensor<2x3xf32>"),
    (lambda x: np.searchsorted(x[0], 1, "up"), "numpy.searchsorted: side must be left or right, got 'up'"),
    (lambda x: np.cross(x[:, :2], x[:, :2]), "numpy.cross: vectors must have 3 numbers, got 2 and 2"),
    (lambda x: np.tensordot(x, x, ([0, 1], [0])), "numpy.tensordot: axes must name as many of both arrays, got 2 and 1"),
    (lambda x: np.einsum(x, [0, 1], [1, 0]), "numpy.einsum: the first argument must be a string"),
    (lambda x: np.einsum("ij,jk", x), 'einsum: "ij,jk" is for 2 operands, got 1'),
    (lambda x: np.convolve(x[0], x[1], "half"), "numpy.convolve: mode must be full, same or valid, got 'half'"),
    (lambda x: np.convolve(x[0, :0], x[1, :0]), "numpy.convolve: an array must have elements"),
    (lambda x: np.linalg.inv(x), "numpy.inv: the last two axes must be square, got tensor<2x3xf32>"),
    (lambda x: np.linalg.inv(x[:, :2].astype(np.float16)), "numpy.inv: linear algebra has no float16; x.astype"),
    (lambda x: np.linalg.norm(x[None], axis=(0, 1, 2)), "numpy.norm: a norm goes along one axis or two, got 3"),
    (lambda x: np.linalg.norm(x[0], "fro", axis=0), "numpy.norm: ord of a vector must be a number, got 'fro'"),
    (lambda x: np.linalg.norm(x, 2), "numpy.norm: ord of a matrix must be 'fro', 1, -1, inf or -inf, got 2; tir has no singular values"),
    (lambda x: np.round(x.astype(int), -1), "numpy.round: whole numbers are not rounded to tens"),
    (lambda x: "a", r"<lambda>\(\) must give arrays, numbers or trees of them, got 'a'"),
]


@pytest.mark.parametrize(("f", "message"), WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_traced_is_told_with_its_line_and_its_cure(f: Callable[..., Any], message: str) -> None:
    with pytest.raises(tir.TirError, match=message) as caught:
        jit(f)(X)
    assert str(caught.value).count("\n") < 12
    place = caught.value.location.file_location()
    assert place.file == __file__
    first = f.__code__.co_firstlineno
    assert first <= place.line <= first + 3, LINES[place.line - 1]


class Refusing:
    """An array that does not let itself be read."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("it is on another device")


V, W = T.dmatrix("V"), tir.shared(np.ones(3), "W")

#: A call, and what is said of it.
WRONG_CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: jit(lambda x, n: x)(X, "a"), "tir.jit: argument 'n' must be an array or a number, got 'a'; static_argnames='n' makes it part"),
    (lambda: jit(lambda x: x)({"w": ["a"]}), r"tir.jit: argument 'x\['w'\]\[0\]' must be an array or a number, got 'a'"),
    (lambda: jit(lambda x: x)(np.array(["a"])), "tir.jit: argument 'x' must be an array or a number, got array"),
    (lambda: jit(lambda x: x)(np.ones(2, complex)), r"argument 'x' must be an array or a number, got array.*; there are no complex numbers; keep"),
    (lambda: jit(lambda x: x)(1j), "argument 'x' must be an array or a number, got 1j; there are no complex numbers; keep real and imaginary parts"),
    (lambda: jit(lambda x: x)(np.array([None])), r"must be an array or a number, got array.*; x.astype\(float\) converts it, if what has dtype object are"),
    (lambda: jit(lambda x: x)(np.ones(2, "M8[D]")), r"; x.astype\(float\) converts it, if what has dtype datetime64\[D\] are numbers"),
    (lambda: jit(lambda x: x * V)(X), "V is a symbolic variable, with which functions of arrays do not compute; x.eval"),
    (lambda: jit(lambda x: V * x)(X), "a variable or numbers are needed, got a tensor of another program, <Array .*; a traced function computes"),
    (lambda: jit(lambda x: V)(X), "V is a symbolic variable, with which functions of arrays do not compute"),
    (lambda: jit(lambda x: x * W)(X), r"W is a symbolic variable, with .* do not compute; x.eval\(..\) or w.get_value\(\) of a shared variable gives"),
    (lambda: jit(lambda x: x)(V), "V is a symbolic variable, with which functions of arrays do not compute"),
    (lambda: tir.grad(lambda x: x.sum())(V), "V is a symbolic variable, with which functions of arrays do not compute"),
    (lambda: tnp.exp(W), "W is a symbolic variable, with which functions of arrays do not compute"),
    (lambda: tir.jit(lambda x: x, static_argnum=1), "tir.jit: there is no argument 'static_argnum'; did you mean 'static_argnums'?"),
    (lambda: tir.jit(1, 2), "tir.jit: takes function, static_argnums, .*, got 2 arguments"),
    (lambda: tir.vmap(lambda x: x, axis=1), "tir.vmap: there is no argument 'axis'; did you mean 'in_axes'?|tir.vmap: there is no argument 'axis'"),
    (lambda: tir.vmap(), "tir.vmap: function is missing, it takes function, in_axes, out_axes"),
    (lambda: tir.vmap(abs, function=abs), "tir.vmap: function is given twice, by its place and by its name"),
    (lambda: tir.value_and_grad(abs, aux=True), "tir.value_and_grad: there is no argument 'aux'; did you mean 'has_aux'?"),
    (lambda: tir.random.key("a"), "tir.random.key: the seed must be a whole number, got 'a'"),
    (lambda: tir.random.normal((3,)), r"tir.random.normal: key must be a key, an array of two int32, got \(3,\); tir.random.key\(0\) makes one"),
    (lambda: tir.random.uniform(tir.random.key(0), shap=(3,)), "tir.random.uniform: there is no argument 'shap'; did you mean 'shape'?"),
    (lambda: tir.grad(lambda x: x * 2)(np.ones(2)), r"tir.grad: the cost must be a number, .*; take its .sum\(\) or .mean\(\), or ask for tir.jacobian"),
    (lambda: tir.grad(lambda x: None)(1.0), "tir.grad: the function must give arrays or numbers, got None"),
    (lambda: jit(lambda x: x)(Refusing()), "tir.jit: argument 'x' cannot be read as an array: it is on another device"),
    (lambda: jit(lambda x: x)(2**70), r"tir.jit: argument 'x' must be below 2\^63, got 1180591620717411303424; static_argnames keeps it"),
    (lambda: jit(lambda x, n: x, static_argnames="n")(X, [1]), r"tir.jit: static argument 'n' must be hashable, got \[1\]; a tuple is"),
    (lambda: jit(lambda x, n: x)(X), r"tir.jit: <lambda>\(\) takes x, n: missing a required argument: 'n'"),
    (lambda: jit(lambda x, n: x, static_argnames="m"), r"tir.jit: static_argnames: <lambda>\(\) has no argument 'm'"),
    (lambda: jit(lambda x, n: x, static_argnums=5), r"tir.jit: static_argnums: <lambda>\(\) has arguments x, n, got 5"),
    (lambda: jit(lambda x: x, dynamic={"y": {0: "B"}}), r"tir.jit: dynamic: <lambda>\(\) has no argument 'y'"),
    (lambda: jit(lambda x: x, dynamic={"x": 0}), r"tir.jit: dynamic\['x'\] must be names by axis, such as {0: 'B'}, got 0"),
    (lambda: jit(lambda x: x, dynamic={"x": {3: "B"}})(X), r"tir.jit: dynamic: argument 'x' has no axis 3, its shape is \(2, 3\)"),
    (lambda: jit(lambda x: [y for y in x], dynamic={"x": {0: "B"}})(X), "a traced array has no length before it runs; its axis 0 is `dynamic`"),
    (lambda: jit(lambda x: tnp.arange(2, x.shape[0]), dynamic={"x": {0: "B"}})(X), "numpy.arange: with an open size, arange goes from 0 in steps of 1"),
    (lambda: jit(lambda x: x.reshape(4, -1), dynamic={"x": {0: "B", 1: "C"}})(X), "tir.reshape: the number of elements must stay, got 6 and 4"),
    (lambda: jit(lambda x: tnp.linspace(0, 1, x.shape[0]), dynamic={"x": {0: "B"}})(X),
     "numpy.linspace: num must be known when the function is traced, and an axis that is `dynamic` has no size then; leave the axis out"),
    (lambda: jit(lambda x: np.eye(x.shape[0]) @ x, dynamic={"x": {0: "B"}})(X), r"a size that is dynamic is no number yet; tir.numpy.asarray\(n\)"),
    (lambda: jit(lambda x: x[::0], dynamic={"x": {0: "B"}})(X), r"x\[index\]: a slice needs a step that is not 0"),
    (lambda: jit(lambda x: x * (1 / x.shape[0]), dynamic={"x": {0: "B"}})(X), r"a size that is dynamic is no number yet; tir.numpy.asarray\(n\)"),
    (lambda: jit(lambda x: np.zeros(x.shape), dynamic={"x": {0: "B"}})(X), r"a size that is dynamic is no number yet; tir.numpy.asarray\(n\)"),
    (lambda: tir.jit(lambda x: x, target="gpu"), "tir.jit: target must be one of cpu, interpret, got 'gpu'"),
    (lambda: tir.jit(lambda x: x, fp_mode="quick"), "tir.jit: fp_mode must be one of strict, stable, fast, got 'quick'"),
    (lambda: tir.jit(3), "tir.jit: takes a function, got 3"),
    (lambda: LEAKED[0] + 1, r"a traced array is used behind the end of the call of append\(\) that it was traced in; return it"),
    (lambda: tnp.exp(LEAKED[0]), r"a traced array is used behind the end of the call of append\(\)"),
    (lambda: tir.grad(lambda x: x * 2)(np.ones(2)), "tir.grad: the cost must be a number, a tensor of rank 0, got tensor<2xf64>|the cost"),
    (lambda: tir.grad(lambda x: np.sum(x))(np.ones(2, int)), "tir.grad: an argument to differentiate by must be of floats, got tensor<2xi64>"),
    (lambda: tir.grad(lambda x: np.sum(x), argnums=1)(np.ones(2)), "tir.grad: argnums must be -1 to 0 for a call with 1 argument, got 1"),
]


@pytest.mark.parametrize(("call", "message"), WRONG_CALLS, ids=range(len(WRONG_CALLS)))
def test_wrong_call_is_told_with_its_line_and_its_cure(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(tir.TirError, match=message) as caught:
        call()
    place = caught.value.location.file_location()
    assert (place.file, place.line) == (__file__, call.__code__.co_firstlineno)


@pytest.mark.parametrize(("name", "message"), [
    ("unique", "module 'tir.numpy' has no attribute 'unique', which cannot be traced; how many there are, only run time knows"),
    ("loadtxt", "module 'tir.numpy' has no attribute 'loadtxt', which cannot be traced; numpy.loadtxt computes it of arrays"),
    ("summ", "module 'tir.numpy' has no attribute 'summ'; did you mean 'sum'"),
])
def test_name_that_there_is_not_is_told(name: str, message: str) -> None:
    with pytest.raises(AttributeError, match=message):
        getattr(tnp, name)
    with pytest.raises(AttributeError, match="module 'tir.numpy.linalg' has no attribute 'svd', which cannot be traced"):
        _ = tnp.linalg.svd


def test_another_shape_is_another_program_also_when_calls_are_fast() -> None:
    count = tir.jit(lambda x: x * x.shape[0])
    for size in (3, 3, 4, 3):
        assert count(np.ones(size)).tolist() == [size] * size


@pytest.mark.parametrize(("dtype", "number", "fits"), [
    ("uint8", -1, False), ("uint8", 255, True), ("uint8", 256, False), ("int8", 127, True), ("int8", -129, False),
    ("uint64", -1, False), ("uint32", 2**32 - 1, True), ("int64", -(2**63), True),
])  # fmt: skip
def test_a_whole_number_of_the_caller_fits_the_array_that_it_meets(dtype: str, number: int, fits: bool) -> None:
    x = np.array([1, 2], dtype)
    for function in (lambda x, n: x * n, lambda x, n: np.where(x > 1, x, n), lambda x, n: np.maximum(n, x)):
        if fits:
            with np.errstate(all="ignore"):
                np.testing.assert_array_equal(jit(function)(x, number), function(x, number))
        else:
            with pytest.raises(tir.TirError, match=f"a whole number that meets an array of {dtype} must be from "):
                jit(function)(x, number)


@pytest.mark.parametrize("number", [-1, 300, 2**40])
def test_a_whole_number_of_the_caller_is_compared_as_it_is(number: int) -> None:
    for dtype in ("uint8", "int16", "uint32"):
        x = np.array([1, 255], dtype)
        found = jit(lambda x, n: (x < n, n >= x, x == n))(x, number)
        for one, expected in zip(found, (x < number, number >= x, x == number)):
            np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize(("function", "what"), [
    (lambda x: x.max(), "maximum"), (lambda x: np.min(x, axis=(0, 1)), "minimum"), (lambda x: np.argmax(x), "argmax"),
    (lambda x: x.argmin(axis=0), "argmin"),
])  # fmt: skip
def test_open_sizes_of_0_have_no_extreme(function: Any, what: str) -> None:
    f = jit(function, dynamic={"x": {0: "A", 1: "B"}})
    np.testing.assert_array_equal(f(X), function(X))
    with pytest.raises(tir.TirError, match=f"an array without elements has no {what}: axis . has size 0"):
        f(np.zeros((0, 3)))
