"""`function` and shared variables: inputs, outputs, updates, givens, copies; and what is said of wrong ones."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tir.dialects.tir.arithmetic import Mul
from tir.dialects.tir.builder import TensorBuilder
from tir.graph.errors import GraphTypeError, MissingInputError, UnusedInputError
from tir.passes.push_down import PushDown


def normal(*shape: int) -> np.ndarray:
    return np.random.RandomState(sum(shape)).randn(*shape)


# --- outputs ---------------------------------------------------------------------------------------------------------


def test_results_have_the_form_of_the_outputs() -> None:
    x = T.dscalar("x")
    assert float(tir.function([x], x * 2)(3)) == 6
    assert [float(y) for y in tir.function([x], [x * 2])(3)] == [6]
    assert {k: float(v) for k, v in tir.function([x], {"a": x, "b": x + 1})(3).items()} == {"a": 3, "b": 4}
    assert tir.function([x], [], on_unused_input="ignore")(3) == []
    assert tir.function([], None)() == []
    assert float(tir.function([x], tir.Out(x + 1, borrow=True))(1)) == 2
    assert [float(y) for y in tir.function([x], [x, x + 1, x + 2])(0, output_subset=[0, 2])] == [0, 2]


def test_an_output_may_be_an_input_a_shared_variable_or_a_number() -> None:
    x, w = T.dvector("x"), tir.shared(np.arange(3.0), "w")
    given = np.ones(3)
    first, second, third = tir.function([x], [x, w, 7])(given)
    first[:], second[:] = 5, 5
    assert given.tolist() == [1, 1, 1] and w.get_value().tolist() == [0, 1, 2] and int(third) == 7


def test_outputs_are_arrays_of_their_own_at_each_call() -> None:
    x = T.dvector("x")
    f = tir.function([x], x + 1)
    first = f([1, 2])
    f([5, 6])
    assert first.tolist() == [2, 3]


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_inputs_by_name_and_with_values_of_their_own() -> None:
    x, y = T.dscalars("x", "y")
    f = tir.function([x, tir.In(y, value=10), tir.In(T.dscalar("z"), name="w", value=1)], x + y, on_unused_input="ignore")
    assert float(f(1)) == 11 and float(f(1, 2)) == 3 and float(f(x=1, y=5)) == 6
    f["y"] = 100
    assert float(f(1)) == 101 and f[y] == 100


def test_an_input_with_an_update_keeps_its_value() -> None:
    x, s = T.dscalars("x", "s")
    f = tir.function([x, tir.In(s, value=0.0, update=s + x)], s + x)
    assert [float(f(2)), float(f(3)), float(f["s"])] == [2, 5, 5]


def test_an_input_that_is_computed_elsewhere_is_taken_as_given() -> None:
    x, w = T.dvector("x"), tir.shared(2.0, "w")
    h = x * 3
    y = h * w + h
    np.testing.assert_array_equal(tir.function([h], y)([1, 2]), [3, 6])
    np.testing.assert_array_equal(tir.function([h, x], y + x)([1, 2], [10, 20]), [13, 26])
    np.testing.assert_array_equal(tir.function([tir.In(h, name="h")], T.grad(y.sum(), h))(h=[1, 2]), [3, 3])
    tir.function([h], [], updates={w: y.sum()})([1, 1])
    assert w.get_value() == 6


def test_a_shared_variable_as_the_value_of_an_input() -> None:
    x, w = T.dscalar("x"), tir.shared(4.0)
    f = tir.function([tir.In(x, value=w)], x * 2)
    assert float(f()) == 8
    w.set_value(np.asarray(5.0))
    assert float(f()) == 10 and float(f(1.0)) == 2


ARRAYS = {
    "int8": np.array([1, 2], np.int8), "int64": np.array([1, 2]), "float32": np.array([1, 2], np.float32),
    "float64": np.array([1, 2.5]), "bool": np.array([True, False]),
}  # fmt: skip
FITS = {
    "float64": {"int8", "int64", "float32", "float64", "bool"}, "float32": {"int8", "float32", "bool"},
    "int64": {"int8", "int64", "bool"}, "int8": {"int8", "bool"},
}  # fmt: skip


@pytest.mark.parametrize("given", ARRAYS)
@pytest.mark.parametrize("wanted", FITS)
def test_which_arrays_an_input_takes(wanted: str, given: str) -> None:
    x = T.tensor(wanted, shape=(None,))
    f, wide = tir.function([x], x + 0), tir.function([x], x + 0, allow_input_downcast=True)
    strict = tir.function([tir.In(x, strict=True)], x + 0)
    np.testing.assert_array_equal(wide(ARRAYS[given]), ARRAYS[given].astype(wanted))
    if given in FITS[wanted]:
        assert f(ARRAYS[given]).dtype == wanted
    else:
        with pytest.raises(GraphTypeError, match="which would lose digits"):
            f(ARRAYS[given])
    if given != wanted:
        with pytest.raises(GraphTypeError, match="is strict and must be"):
            strict(ARRAYS[given])


class OfAnotherLibrary:
    """An array that only DLPack knows."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def test_arrays_of_other_libraries_are_read_where_they_are() -> None:
    x = T.dvector("x")
    f = tir.function([x], [x, x * 2])
    given = np.arange(3.0)
    assert f(OfAnotherLibrary(given))[1].tolist() == [0, 2, 4]
    torch = pytest.importorskip("torch")
    tensor = torch.arange(3, dtype=torch.float64)
    assert f(tensor)[1].tolist() == [0, 2, 4]
    assert torch.from_dlpack(f(tensor)[1]).tolist() == [0, 2, 4]


def test_python_numbers_fit_if_they_do_not_change() -> None:
    with tir.config.change_flags(floatX="float32"):
        x, n = T.fscalar("x"), T.bscalar("n")
        f, g = tir.function([x], x + 0), tir.function([n], n + 0)
        assert f(0.1) == np.float32(0.1)  # a float is always right for floatX
        assert int(g(100)) == 100
        with pytest.raises(GraphTypeError, match="would lose digits"):
            g(300)
        with pytest.raises(GraphTypeError, match="would lose digits"):
            f([0.1])
        with pytest.raises(GraphTypeError, match="would lose digits"):
            tir.function([tir.In(x, allow_downcast=False)], x + 0)(0.1)


@pytest.mark.parametrize(
    "array",
    [normal(4, 6)[::2, ::3], normal(2, 2).T, normal(2, 2).astype(">f8"), np.zeros((0, 3)), np.zeros((1, 1))],
    ids=["strided", "transposed", "byte order", "empty", "size one"],
)
def test_arrays_of_any_layout(array: np.ndarray) -> None:
    x = T.dmatrix("x")
    np.testing.assert_array_equal(tir.function([x], [x * 2, x.T])(array)[1], array.T)
    read_only = array.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(tir.function([x], x * 2)(read_only), array * 2)


# --- updates and givens ----------------------------------------------------------------------------------------------


def test_all_updates_read_the_old_state() -> None:
    a, b = tir.shared(1.0, "a"), tir.shared(2.0, "b")
    f = tir.function([], [a, b], updates={a: b, b: a})
    assert [float(x) for x in f()] == [1, 2] and (a.get_value(), b.get_value()) == (2, 1)


@pytest.mark.parametrize("form", [dict, list, tuple, lambda pairs: [list(pair) for pair in pairs], iter])
def test_updates_in_each_form(form: Any) -> None:
    n = tir.shared(0, "n")
    tir.function([], [], updates=form([(n, n + 1)]))()
    assert n.get_value() == 1


def test_functions_share_their_variables() -> None:
    n, x = tir.shared(0, "n"), T.lscalar("x")
    up, down = tir.function([x], n, updates=[(n, n + x)]), tir.function([x], n, updates=[(n, n - x)])
    up(10)
    down(3)
    assert n.get_value() == 7


def test_a_call_that_fails_changes_nothing() -> None:
    w, i = tir.shared(np.arange(3.0), "w"), T.lscalar("i")
    f = tir.function([i], w[i], updates=[(w, w * 2)])
    with pytest.raises(tir.TirError, match="index"):
        f(7)
    assert w.get_value().tolist() == [0, 1, 2]
    assert float(f(-1)) == 2 and w.get_value().tolist() == [0, 2, 4]


def test_givens_are_put_in_all_at_once() -> None:
    y, x = T.dscalars("y", "x")
    data, index = tir.shared(np.arange(10.0), "data"), T.lscalar("index")
    z = T.dvector("z")
    g = tir.function([index], z.sum(), givens={z: data[index * 3 : (index + 1) * 3]})
    assert [float(g(i)) for i in range(4)] == [3, 12, 21, 9]
    h = tir.function([y], x + y, givens=[(x, y + 1)])
    assert float(h(1)) == 3
    n = tir.shared(0.0, "n")
    tir.function([], [], updates=[(n, n + x)], givens={x: 5.0})()
    assert n.get_value() == 5
    u, v = T.dscalars("u", "v")
    swapped = tir.function([u, v], x - y, givens={x: v, y: u})
    assert float(swapped(1, 5)) == 4


def test_what_is_given_for_a_variable_may_have_that_variable_in_it() -> None:
    w = tir.shared(3.0, "w")
    assert float(tir.function([], w * 2, givens={w: w + 1})()) == 8


def test_the_gradient_by_a_variable_that_is_replaced_is_that_by_the_variable_alone() -> None:
    x, y = T.dscalars("x", "y")
    cost = x * y
    slope = T.grad(cost, x)
    assert float(tir.function([y], slope, givens={x: y})(3.0)) == 3  # not 6: only through x


def test_default_updates() -> None:
    n = tir.shared(0, "n")
    n.default_update = n + 1
    f, g = tir.function([], n), tir.function([], n, no_default_updates=True)
    h = tir.function([], n, updates=[(n, n + 10)])
    k = tir.function([], n, no_default_updates=[n])
    assert [int(f()), int(g()), int(k()), int(h()), int(g())] == [0, 1, 1, 1, 11]


# --- shared variables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "dtype", "rank"),
    [(0.0, "float64", 0), (1, "int64", 0), (True, "bool", 0), (np.zeros(()), "float64", 0), (np.zeros(3, "float32"), "float32", 1),
     ([[1, 2]], "int64", 2), (np.float32(1), "float32", 0)],
)  # fmt: skip
def test_a_shared_variable_has_the_dtype_of_its_value(value: Any, dtype: str, rank: int) -> None:
    w = tir.shared(value)
    assert (w.dtype, w.ndim) == (dtype, rank)
    assert w.get_value().dtype == dtype


def test_values_are_copied_unless_borrowed() -> None:
    array = np.zeros(3)
    w, v = tir.shared(array), tir.shared(array, borrow=True)
    array[0] = 1
    assert w.get_value()[0] == 0 and v.get_value()[0] == 1
    w.get_value()[0] = 9
    assert w.get_value()[0] == 0
    w.get_value(borrow=True)[0] = 9
    assert w.get_value()[0] == 9 and w.value[0] == 9
    w.value = np.ones(3)
    assert w.get_value().tolist() == [1, 1, 1]
    w.zero()
    assert w.get_value().tolist() == [0, 0, 0]


def test_a_shared_variable_may_get_another_shape() -> None:
    w = tir.shared(np.ones((2, 3)), "w")
    f = tir.function([], [w.sum(), w.shape])
    assert f()[0] == 6
    w.set_value(np.ones((5, 4)))
    assert f()[0] == 20 and f()[1].tolist() == [5, 4]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "DebugMode"])
def test_an_update_may_change_the_shape(mode: str) -> None:
    w, n, x = tir.shared(np.zeros(1), "w"), tir.shared(0, "n"), T.dvector("x")
    f = tir.function([x], w.sum(), updates=[(w, T.concatenate([w, x])), (n, n + x.shape[0])], mode=mode)
    assert [float(f([1, 2])), float(f([3])), float(f([]))] == [0, 3, 6]
    assert w.get_value().tolist() == [0, 1, 2, 3] and n.get_value() == 3
    g = tir.function([], [], updates=[(w, w[1:])], mode=mode)
    g()
    pickle.loads(pickle.dumps(g))()  # noqa: S301
    assert w.get_value().tolist() == [1, 2, 3]


def test_an_update_that_keeps_the_shape_is_made_in_place() -> None:
    for value in (np.ones((3, 4)), np.ones(()), np.ones((1, 4))):
        w, x = tir.shared(value, "w"), T.dmatrix("x")
        cost = (T.dot(x, w.T) if w.ndim else x * w).sum()
        f = tir.function([x], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])
        assert not f._ready()[1].open or value.shape == (1, 4)


def test_an_axis_that_happens_to_have_size_one_does_not_stretch() -> None:
    w, x = tir.shared(np.ones((1, 3)), "w"), T.dmatrix("x")
    f = tir.function([x], x + w)
    assert f(np.ones((1, 3))).shape == (1, 3)
    with pytest.raises(tir.TirError, match="must have the size of"):
        f(np.ones((2, 3)))
    bias = tir.shared(np.ones(1), "bias")
    with pytest.raises(tir.TirError, match="must have the size of"):
        tir.function([x], x + bias)(np.ones((2, 3)))
    row = tir.shared(np.ones((1, 3)), broadcastable=(True, False))
    assert tir.function([x], x + row)(np.ones((2, 3))).shape == (2, 3)


def test_bf16_state() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    w = tir.shared(np.array([1.0, 2.0], ml_dtypes.bfloat16), "w")
    tir.function([], [], updates=[(w, w + w)])()
    assert w.get_value().astype(np.float64).tolist() == [2, 4]


# --- calls from several threads --------------------------------------------------------------------------------------


def test_calls_from_several_threads_lose_no_update() -> None:
    n = tir.shared(np.zeros(100), "n")
    f = tir.function([], [], updates=[(n, n + 1)])
    threads = [threading.Thread(target=lambda: [f() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (n.get_value() == 200).all()


# --- copies and pickles ----------------------------------------------------------------------------------------------


def trainer() -> tuple[Any, Any, Any, Any]:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    w = tir.shared(normal(5, 3), "w")
    p = T.nnet.softmax(T.dot(x, w))
    cost = T.mean(T.nnet.categorical_crossentropy(p, y))
    train = tir.function([x, y], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])
    return train, tir.function([x], p), w, (normal(4, 5), np.eye(3)[[0, 1, 2, 1]])


def test_pickled_functions_go_on_as_the_first_ones() -> None:
    train, predict, w, (x, y) = trainer()
    train(x, y)
    again, guess = pickle.loads(pickle.dumps((train, predict)))  # noqa: S301  # what stands in this line
    for _ in range(3):
        assert train(x, y) == again(x, y)
    np.testing.assert_array_equal(predict(x), guess(x))  # and both share the weights that were loaded
    again(x, y)
    assert not np.array_equal(predict(x), guess(x))


def test_a_pickle_has_no_code_in_it() -> None:
    train, _, _, _ = trainer()
    text = pickle.dumps(train, protocol=0).decode("latin1")
    assert "func.func @function" in text and "__main__" not in text and "lambda" not in text


def test_pickled_graphs_can_be_built_on() -> None:
    x, w = T.dmatrix("x"), tir.shared(normal(3, 2), "w")
    y = T.dot(x, w)
    hs, _ = tir.scan(lambda row, h: T.tanh(row + h), sequences=x, outputs_info=T.zeros_like(x[0]))
    x2, w2, y2, hs2, slope2 = pickle.loads(pickle.dumps((x, w, y, hs, T.grad(y.sum(), w))))  # noqa: S301
    given = normal(4, 3)
    outputs = tir.function([x2], [T.exp(y2), hs2, slope2])(given)
    for found, want in zip(outputs, tir.function([x], [T.exp(y), hs, T.grad(y.sum(), w)])(given)):
        np.testing.assert_allclose(found, want, rtol=1e-14)
    w2.set_value(np.zeros((3, 2)))
    assert (w.get_value() != 0).all()


def test_copies() -> None:
    train, predict, w, (x, y) = trainer()
    other = tir.shared(np.zeros((5, 3)))
    np.testing.assert_allclose(predict.copy(swap={w: other})(x), 1 / 3)
    before = w.get_value()
    train.copy(delete_updates=True)(x, y)
    copy.deepcopy(train)(x, y)
    np.testing.assert_array_equal(w.get_value(), before)
    copy.copy(train)(x, y)
    assert not np.array_equal(w.get_value(), before)


# --- modes, looking inside -------------------------------------------------------------------------------------------

MODES = ("FAST_RUN", "FAST_COMPILE", "DebugMode", "NanGuardMode")


@pytest.mark.parametrize("mode", MODES)
def test_all_modes_train_alike(mode: str) -> None:
    x, y = T.dmatrix("x"), T.dvector("y")
    w = tir.shared(np.zeros(4), "w")
    error = T.dot(x, w) - y
    cost = (error**2).mean()
    step = tir.function([x, y], cost, updates=[(w, w - 0.1 * T.grad(cost, w))], mode=mode)
    data = normal(8, 4)
    costs = [float(step(data, data @ np.arange(4.0))) for _ in range(5)]
    weights = np.zeros(4)
    for found in costs:
        difference = data @ weights - data @ np.arange(4.0)
        np.testing.assert_allclose(found, (difference**2).mean(), rtol=1e-12)
        weights -= 0.1 * 2 / 8 * data.T @ difference


def test_debug_mode_finds_a_pass_that_changes_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(step: PushDown, op: Any) -> None:
        for one in [one for one in op.walk() if isinstance(one, Mul)]:
            b = TensorBuilder(one.parent, one)
            one.replace_with([b.add(b.tensor(one.lhs), b.tensor(one.rhs)).value])

    monkeypatch.setattr(PushDown, "run", wrong)
    x = T.dvector("x")
    f = tir.function([x], x * T.exp(x), mode="DebugMode")
    with pytest.raises(tir.TirError, match=r"function: pass push-down, value 0 of results and new state differs: \[0\]: expected 2\.7"):
        f([1.0, 2.0])


def test_nan_guard_names_the_line_and_leaves_the_state() -> None:
    x, w = T.dvector("x"), tir.shared(np.ones(2), "w")
    f = tir.function([x], T.log(x), updates=[(w, w + 1)], mode="NanGuardMode")
    with pytest.raises(AssertionError, match=r"test_function\.py:\d+:1: tir\.log makes nan, the first at \[1\]") as caught:
        f([1.0, -1.0])
    assert isinstance(caught.value, tir.TirError)
    assert w.get_value().tolist() == [1, 1]
    assert f([1.0, 1.0]).tolist() == [0, 0]


def test_the_optimized_graph() -> None:
    x = T.dvector("x")
    f = tir.function([x], T.log(1 + x))
    nodes = f.maker.fgraph.toposort()
    assert "tir.log1p" in [node.op.name for node in nodes]
    assert any(isinstance(node.op, T.Elemwise) for node in nodes)
    assert len(f.maker.fgraph.inputs) == len(f.maker.fgraph.outputs) == 1


@pytest.mark.parametrize(("level", "word"), [("tensor", "tir.exp"), ("loops", "vector.store"), ("llvm", "define"), ("asm", "ret")])
def test_levels_as_text(level: str, word: str) -> None:
    x = T.dvector("x")
    assert word in tir.function([x], T.exp(x)).ir(level)


def test_profile_counts_calls() -> None:
    x = T.dvector("x")
    f = tir.function([x], T.exp(x), profile=True)
    for _ in range(3):
        f([1.0])
    assert "        3 " in f.profile.summary() and "test_function.py" in f.profile.summary()


# --- wrong ones ------------------------------------------------------------------------------------------------------


def _wrong() -> dict[str, tuple[Any, str]]:
    x, y, i = T.dmatrix("x"), T.dvector("y"), T.lscalar("i")
    w, n = tir.shared(np.zeros((3, 2)), "w"), tir.shared(0, "n")
    f = tir.function([x, y], [x.sum() + y.sum()], name="f")
    return {
        "output for outputs": (lambda: tir.function([x], output=x), "there is no argument 'output'; did you mean 'outputs'?"),
        "inputs without a list": (lambda: tir.function(x, x), "the inputs must be a list of variables, got one, x; [x] is a list of one"),
        "an array as an input": (lambda: tir.function([np.zeros(3)], x), "an input must be a variable, got array([0., 0., 0.])"),
        "a constant as an input": (lambda: tir.function([T.constant(1.0)], x), "an input must be a variable, got the constant TensorConstant{1.0}"),
        "a shared variable as an input": (lambda: tir.function([w], w), "shared variable w cannot be an input: functions read it as it is"),
        "missing input": (lambda: tir.function([x], x.sum() + y.sum()), "variable y, which the outputs or updates need, is no input"),
        "missing input of an update": (lambda: tir.function([], [], updates=[(n, n + i)]), "variable i, which the outputs or updates need"),
        "unused input": (lambda: tir.function([x, y], x), "input variable y is not used by the outputs and updates"),
        "input twice": (lambda: tir.function([x, x], x), "variable x is an input twice"),
        "update twice": (lambda: tir.function([], [], updates=[(n, n + 1), (n, n + 2)]), "shared variable n has two updates"),
        "update of a variable": (lambda: tir.function([x], [], updates=[(x, x + 1)]), "only shared variables can be updated, got x"),
        "update of another dtype": (lambda: tir.function([], [], updates=[(n, n * 0.5)]), "the update of shared variable n must have its dtype int64, got float64; T.cast(.., 'int64') makes it fit"),
        "update of another rank": (lambda: tir.function([], [], updates=[(w, w.sum(axis=0))]), "the update of shared variable w must have its 2 axes, got 1"),
        "updates that are no pairs": (lambda: tir.function([], [], updates=[n]), "updates must have pairs (variable, expression), got n"),
        "given input": (lambda: tir.function([x], x, givens={x: x * 2}), "variable x is replaced in givens, and cannot be an input too"),
        "given of another type": (lambda: tir.function([x], x + y, givens={y: x}), "what replaces y must have its type tensor<?xf64>, got tensor<?x?xf64>"),
        "given of another dtype": (lambda: tir.function([], y, givens={y: T.cast(w[0], "float32")}), "T.cast(.., 'float64') makes it fit"),
        "a method without an argument": (lambda: x.sum(axes=0), "sum: there is no argument 'axes'; did you mean 'axis'?"),
        "one argument of two": (lambda: T.dot(x), "dot: y is missing, it takes x, y"),
        "no inputs": (lambda: tir.function(), "function: inputs is missing, it takes inputs, outputs, mode"),
        "too many names": (lambda: T.matrix("x", None, None), "matrix: takes name, dtype, got 3 arguments"),
        "a step of 0": (lambda: tir.function([i], T.arange(0.0, 1.0, i))(0), "axis 0 must not have a negative size, got -1"),
        "given for no variable": (lambda: tir.function([x], x, givens={"y": x}), "givens: what is replaced must be a variable, got 'y'"),
        "unknown mode": (lambda: tir.function([x], x, mode="FAST_RUNN"), "there is no mode 'FAST_RUNN'; did you mean 'FAST_RUN'?"),
        "mode that is none": (lambda: tir.function([x], x, mode=3), "the mode must be a name or a Mode, got 3"),
        "on_unused_input": (lambda: tir.function([x], x, on_unused_input="no"), "on_unused_input must be one of raise, warn, ignore, off, got 'no'"),
        "keys of outputs": (lambda: tir.function([x], {1: x}), "the keys of a dictionary of outputs must be strings, got 1"),
        "too many arguments": (lambda: f(1, 2, 3), "f: takes 2 inputs (x, y), got 3"),
        "missing argument": (lambda: f(np.zeros((2, 2))), "f: input 'y' is missing, and a float64 array of 1 axis is needed"),
        "unknown argument": (lambda: f(z=1), "f: there is no input 'z'; it takes 2 inputs (x, y)"),
        "argument twice": (lambda: f(np.zeros((1, 1)), x=1), "f: input 'x' is given twice, by its place and by its name"),
        "rank of an argument": (lambda: f(np.zeros(3), np.zeros(3)), "f: input 'x' must have 2 axes, got an array of shape (3,)"),
        "ragged lists": (lambda: f([[1], [2, 3]], [1]), "f: input 'x' must be an array, got lists of several lengths"),
        "a word": (lambda: f("abc", [1]), "f: input 'x' must be numbers, got 'abc'"),
        "an array of words": (lambda: f(np.array([["a"]]), [1]), "f: input 'x' must be numbers, got an array of <U1"),
        "a variable as an argument": (lambda: f(x, [1]), "f: input 'x' must be numbers, got a variable, x"),
        "None": (lambda: f(None, [1]), "f: input 'x' is missing"),
        "size of an axis": (lambda: tir.function([T.row("r")], T.constant(1), on_unused_input="ignore")(np.zeros((2, 3))), "input 'r' must have size 1 along axis 0, got 2"),
        "shared of a variable": (lambda: tir.shared(x), "shared(x): needs numbers, got a variable, x"),
        "shared of words": (lambda: tir.shared("abc"), "shared('abc'): the value must be numbers, got 'abc'"),
        "value of another dtype": (lambda: n.set_value(np.array(0.5)), "shared variable n has dtype int64, which cannot take float64"),
        "value of another rank": (lambda: w.set_value(np.zeros(3)), "shared variable w has 2 axes, the value must too, got shape (3,)"),
        "value that is a variable": (lambda: w.set_value(x), "shared variable w: the value must be numbers, got a variable, x"),
        "swap of no shared": (lambda: f.copy(swap={x: y}), "swap takes shared variables of the function and others, got x"),
        "update without a value": (lambda: tir.In(x, update=x), "an update needs a value to start from"),
        "eval without the inputs": (lambda: (x + 1).eval(), "variable x, which the outputs or updates need, is no input"),
        "eval of names": (lambda: (x + 1).eval({"x": 1}), "eval: takes a dictionary from inputs to values, got 'x' in it"),
    }  # fmt: skip


@pytest.mark.parametrize("name", _wrong())
def test_a_wrong_program_is_told_in_one_sentence(name: str) -> None:
    program, message = _wrong()[name]
    with pytest.raises(tir.TirError) as caught:
        program()
    text = str(caught.value)
    assert message in text
    assert len(text.splitlines()) <= 12
    place = caught.value.location
    assert place is None or place.file_location().file == __file__


def test_mistakes_are_what_python_and_theano_call_them() -> None:
    x, y = T.dscalars("x", "y")
    with pytest.raises(UnusedInputError):
        tir.function([x, y], x)
    with pytest.raises(MissingInputError):
        tir.function([], x)
    with pytest.raises(TypeError):
        tir.function([x], x)("a")
    with pytest.raises(ValueError, match="has two updates"):
        n = tir.shared(0, "n")
        tir.function([], [], updates=[(n, n), (n, n)])
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        tir.function([x, y], x, on_unused_input="warn")
    assert "variable y is not used" in str(found[0].message) and found[0].filename == __file__
