"""Where Theano's semantics decide whether a program runs unchanged: one test or more for each such behaviour.

The numbers t1, t2, .. are those of the list of traps that the first programs gave; each test states one of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy import signal, special

import tir
import tir.tensor as T
from tir.dialects.tir.class_losses import SoftmaxCrossEntropy
from tir.dialects.tir.composite import LogSoftmax, Softmax
from tir.dialects.tir.logic import Cast
from tir.dialects.tir.moving import DynamicSlice
from tir.gradient import DisconnectedInputError, subgraph_grad
from tir.sandbox.rng_mrg import MRG_RandomStreams
from tir.tensor.nnet import conv
from tir.tensor.signal import downsample, pool

TENSOR_LEVEL = (
    "inline,canonicalize,stabilize,autodiff,canonicalize,stabilize,specialize,push-down,simplify-shapes,cse,canonicalize"
)


@pytest.fixture
def float32() -> Iterator[None]:
    with tir.config.change_flags(floatX="float32"):
        yield


def run(outputs: Any, values: dict[Any, Any] | None = None, **options: Any) -> Any:
    """What a function of these variables gives for these values."""
    given = values or {}
    return tir.function(list(given), outputs, mode="FAST_COMPILE", **options)(*given.values())


def ops_of(function: Any) -> list[Any]:
    """The ops of a function behind the passes of the tensor level."""
    module = function.module
    tir.transform(module, TENSOR_LEVEL)
    return list(module.walk())


# --- t1 to t3: networks of images ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", [downsample.max_pool_2d, pool.max_pool_2d, pool.pool_2d])
def test_pooling_keeps_partial_windows_at_the_border(pooling: Callable[..., Any]) -> None:
    """t1: the sizes of the convolutional net of the slides come out only so."""
    x = T.ftensor4("x")
    first = pooling(T.nnet.conv2d(x, np.zeros((2, 1, 3, 3), np.float32), border_mode="full"), (2, 2))
    second = pooling(T.nnet.conv2d(first, np.zeros((4, 2, 3, 3), np.float32)), (2, 2))
    third = pooling(T.nnet.conv2d(second, np.zeros((8, 4, 3, 3), np.float32)), (2, 2))
    found = run(
        [first.shape, second.shape, third.shape, T.flatten(third, outdim=2).shape], {x: np.zeros((5, 1, 28, 28), "f")}
    )
    assert [list(shape) for shape in found] == [[5, 2, 15, 15], [5, 4, 7, 7], [5, 8, 3, 3], [5, 72]]


def test_pooling_of_a_partial_window_is_its_largest_element() -> None:
    x = T.dtensor4("x")
    values = np.arange(25.0).reshape(1, 1, 5, 5)
    kept, cut = run([pool.pool_2d(x, (2, 2)), pool.pool_2d(x, (2, 2), ignore_border=True)], {x: values})
    assert kept[0, 0].tolist() == [[6, 8, 9], [16, 18, 19], [21, 23, 24]]
    assert cut[0, 0].tolist() == [[6, 8], [16, 18]]


@pytest.mark.parametrize(
    ("border_mode", "expected"),
    [("valid", (4, 5)), ("full", (8, 7)), ("half", (6, 6)), (1, (6, 7)), ((2, 0), (8, 5))],
)
def test_conv2d_flips_the_kernel(border_mode: Any, expected: tuple[int, int]) -> None:
    """t2: a convolution, not a correlation; scipy's convolve2d judges it."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 6, 6)), rng.normal(size=(4, 3, 3, 2))
    found = run(T.nnet.conv2d(T.constant(x), T.constant(w), border_mode=border_mode))
    low = {"valid": (0, 0), "full": (2, 1), "half": (1, 1), 1: (1, 1), (2, 0): (2, 0)}[border_mode]
    padded = np.pad(x, [(0, 0), (0, 0), (low[0],) * 2, (low[1],) * 2])
    reference = [
        [sum(signal.convolve2d(padded[i, c], w[o, c], "valid") for c in range(3)) for o in range(4)] for i in range(2)
    ]
    assert found.shape[2:] == np.shape(reference)[2:]
    np.testing.assert_allclose(found, reference, rtol=1e-12)
    del expected


def test_conv2d_without_flip_is_a_correlation() -> None:
    x, w = np.arange(16.0).reshape(1, 1, 4, 4), np.arange(4.0).reshape(1, 1, 2, 2)
    found = run(T.nnet.conv2d(T.constant(x), T.constant(w), filter_flip=False))
    np.testing.assert_allclose(found[0, 0], signal.correlate2d(x[0, 0], w[0, 0], "valid"))


def test_shapes_given_to_conv2d_are_checked() -> None:
    """t3: `image_shape` is the old name of `input_shape`; None leaves a size open."""
    x, w = T.dtensor4("x"), tir.shared(np.ones((2, 3, 3, 3)), "w")
    y = conv.conv2d(input=x, filters=w, filter_shape=(2, 3, 3, 3), image_shape=(None, 3, 8, 8))
    assert y.broadcastable == (False,) * 4
    f = tir.function([x], y)
    assert f(np.ones((4, 3, 8, 8))).shape == (4, 2, 6, 6)
    with pytest.raises(tir.TirError, match="size"):
        f(np.ones((4, 3, 9, 8)))
    with pytest.raises(tir.TirError, match="the shape says size 4 for axis 0"):
        T.nnet.conv2d(x, T.constant(np.ones((2, 3, 3, 3))), filter_shape=(4, 3, 3, 3))


# --- t4, t5: variables in Python -------------------------------------------------------------------------------------


def test_a_variable_is_true_but_the_result_of_an_order_is_not() -> None:
    """t4: `if persistent:` asks whether there is a variable; `a < b < c` would drop a part."""
    x, y = T.scalar("x"), T.scalar("y")
    assert x and T.zeros((0,)) and not (not x) and T.eq(x, y) and tir.shared(0.0) and tir.shared([])
    for comparison in (x < y, x <= y, x > y, x >= y):
        with pytest.raises(TypeError, match="neither true nor false"):
            bool(comparison)
    with pytest.raises(TypeError, match=r"T\.and_"):
        x < y < 2  # noqa: B015


def test_equality_of_variables_is_identity() -> None:
    x, y = T.scalar("x"), T.scalar("y")
    w = tir.shared(1.0, "w")
    assert x == x and x != y and x != 1 and (x == y) is False  # noqa: PLR0124
    assert {w: 1, x: 2}[w] == 1 and x in [y, x] and len({x, y, x}) == 2
    assert run([T.eq(x, y), T.neq(x, y)], {x: 1.0, y: 1.0}) == [True, False]


def test_augmented_assignment_makes_a_new_variable() -> None:
    """t5: `X *= mask` binds the name anew, and the graph of the old variable is as it was."""
    x = T.vector("x")
    y = x
    y *= 2
    y /= 4
    y += 1
    y -= 3
    y **= 2
    assert y is not x
    found = run([x, y], {x: np.array([2.0, 4.0])})
    np.testing.assert_array_equal(found, [[2, 4], [1, 0]])


# --- t6 to t9: functions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        lambda a, b: {a: a + 1, b: b * 2},
        lambda a, b: ((a, a + 1), (b, b * 2)),
        lambda a, b: [[a, a + 1], [b, b * 2]],
        lambda a, b: [(a, a + 1), (b, b * 2)],
        lambda a, b: iter([(a, a + 1), [b, b * 2]]),
    ],
    ids=["dictionary", "tuple of pairs", "list of lists", "list of pairs", "iterator"],
)
def test_updates_come_in_many_forms(form: Any) -> None:
    """t6."""
    a, b = tir.shared(1.0, "a"), tir.shared(3.0, "b")
    tir.function([], [], updates=form(a, b), mode="FAST_COMPILE")()
    assert (a.get_value(), b.get_value()) == (2, 6)


def test_wrong_updates_are_refused() -> None:
    a, i = tir.shared(np.float32(1), "a"), tir.shared(np.zeros(3), "i")
    x = T.dscalar("x")
    with pytest.raises(ValueError, match="shared variable a has two updates"):
        tir.function([], [], updates=[(a, a + 1), (a, a + 2)])
    with pytest.raises(TypeError, match="only shared variables can be updated, got x"):
        tir.function([x], [], updates=[(x, x)])
    with pytest.raises(TypeError, match=r"its dtype float32, got float64; T.cast\(.., 'float32'\) makes it fit"):
        tir.function([x], [], updates=[(a, a + x)])
    with pytest.raises(TypeError, match="must have its 1 axes, got 0"):
        tir.function([], [], updates=[(i, i.sum())])


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_all_reads_are_of_the_old_state(mode: str) -> None:
    """t7: outputs and new values read what was there before; all writes are made together."""
    a, b = tir.shared(np.array([1.0, 2.0]), "a"), tir.shared(np.array([3.0, 4.0]), "b")
    swap = tir.function([], [a, b, a + b], updates=[(a, b), (b, a)], mode=mode)
    first = swap()
    np.testing.assert_array_equal(first, [[1, 2], [3, 4], [4, 6]])
    np.testing.assert_array_equal([a.get_value(), b.get_value()], [[3, 4], [1, 2]])
    second = swap()
    np.testing.assert_array_equal(first, [[1, 2], [3, 4], [4, 6]])  # outputs are no views of what is overwritten
    np.testing.assert_array_equal(second[:2], [[3, 4], [1, 2]])


def test_givens_are_put_in_all_at_once() -> None:
    """t8: what replaces a variable is not replaced itself; a replaced variable is no input."""
    x, y, index = T.vector("x"), T.vector("y"), T.lscalar("index")
    data = tir.shared(np.arange(6.0), "data")
    assert run([x - 2 * y], {}, givens={x: T.constant([1.0]), y: T.constant([2.0])})[0] == [-3]
    swapped = tir.function([x, y, index], [index], on_unused_input="ignore", mode="FAST_COMPILE")
    assert swapped([1.0], [2.0], 3) == [3]
    u, v = T.vector("u"), T.vector("v")
    both = tir.function([u, v], u - v, givens=[(x, v)], mode="FAST_COMPILE")
    assert both([1.0], [5.0]) == [-4]
    batch = tir.function([index], x * 10, givens={x: data[index * 2 : (index + 1) * 2]}, mode="FAST_COMPILE")
    np.testing.assert_array_equal(batch(1), [20, 30])
    with pytest.raises(tir.TirError, match="is replaced in givens, and cannot be an input too"):
        tir.function([x], x, givens={x: data})


def test_a_variable_and_its_replacement_may_both_stand_in_givens() -> None:
    x, y = T.vector("x"), T.vector("y")
    f = tir.function(
        [], x - 2 * y, givens={x: tir.shared(np.array([1.0])), y: tir.shared(np.array([3.0]))}, mode="FAST_COMPILE"
    )
    assert f() == [-5]
    a, b = tir.shared(np.array([1.0]), "a"), tir.shared(np.array([3.0]), "b")
    exchanged = tir.function([], a - 2 * b, givens={a: b, b: a}, mode="FAST_COMPILE")
    assert exchanged() == [1]


def test_a_slice_of_cast_data_sinks_under_the_cast(float32: None) -> None:
    """t9: labels are kept as floats; a step casts its batch, not the whole set."""
    labels = T.cast(tir.shared(np.arange(10, dtype="float32"), "labels"), "int32")
    y, index = T.ivector("y"), T.lscalar("index")
    f = tir.function([index], y * 2, givens={y: labels[index * 2 : (index + 1) * 2]})
    np.testing.assert_array_equal(f(3), [12, 14])
    ops = ops_of(f)
    cut = next(i for i, op in enumerate(ops) if isinstance(op, DynamicSlice))
    to_labels = [i for i, op in enumerate(ops) if isinstance(op, Cast) and "xi32" in str(op.results[0].type)]
    assert to_labels and all(i > cut for i in to_labels)


# --- t10, t11: what a call may give ----------------------------------------------------------------------------------

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")


@pytest.mark.parametrize("to", ("int8", "int32", "int64", "float32", "float64"))
def test_an_array_is_taken_where_its_dtype_fits_without_loss(to: str) -> None:
    """t10: numpy's promotion says whether; allow_input_downcast=True takes all, strict nothing else."""
    x = T.vector("x", dtype=to)
    plain = tir.function([x], x, mode="FAST_COMPILE")
    careful = tir.function([x], x, allow_input_downcast=False, mode="FAST_COMPILE")
    loose = tir.function([x], x, allow_input_downcast=True, mode="FAST_COMPILE")
    strict = tir.function([tir.In(x, strict=True)], x, mode="FAST_COMPILE")
    for dtype in DTYPES:
        value = np.ones(2, dtype)
        assert loose(value).dtype == to
        for f, fits in (
            (plain, np.promote_types(dtype, to) == to),
            (careful, np.promote_types(dtype, to) == to),
            (strict, dtype == to),
        ):
            if fits:
                assert f(value).dtype == to
            else:
                with pytest.raises(TypeError, match=f"must be {to}, got {dtype}"):
                    f(value)


@pytest.mark.parametrize(
    ("floatX", "dtype", "value", "allow", "fits"),
    [
        ("float64", "float64", [0, 1, 2], None, True),
        ("float64", "float32", [0, 1, 2], None, True),
        ("float64", "float32", [0.5, 1.5], None, True),
        ("float64", "float32", [0.1], None, False),  # a list is taken if no number changes
        ("float32", "float32", [0.1], None, False),
        ("float64", "float32", [0.1], True, True),
        ("float64", "int32", [1, 2], None, True),
        ("float64", "int32", [1.5], None, False),
        ("float64", "int8", [300], None, False),
        ("float64", "int8", [300], True, True),
    ],
)
def test_a_list_is_taken_where_no_number_changes(
    floatX: str, dtype: str, value: Any, allow: bool | None, fits: bool
) -> None:
    with tir.config.change_flags(floatX=floatX):
        x = T.vector("x", dtype=dtype)
        f = tir.function([x], x, allow_input_downcast=allow, mode="FAST_COMPILE")
        if fits:
            assert f(value).dtype == dtype
        else:
            with pytest.raises(TypeError, match="would lose digits"):
                f(value)


@pytest.mark.parametrize(
    ("floatX", "dtype", "allow", "fits"),
    [
        ("float32", "float32", None, True),  # a Python float always becomes a floatX
        ("float32", "float32", False, False),
        ("float32", "float32", True, True),
        ("float64", "float32", None, False),
        ("float64", "float64", False, True),
        ("float32", "int32", None, False),
        ("float32", "int32", True, True),
    ],
)
def test_a_python_float_is_taken_for_floatX(floatX: str, dtype: str, allow: bool | None, fits: bool) -> None:
    with tir.config.change_flags(floatX=floatX):
        x = T.scalar("x", dtype=dtype)
        f = tir.function([x], x, allow_input_downcast=allow, mode="FAST_COMPILE")
        if fits:
            assert f(0.1) == np.dtype(dtype).type(0.1)
        else:
            with pytest.raises(TypeError, match="would lose digits"):
                f(0.1)


def test_int64_data_fits_a_vector_of_float64_alone() -> None:
    """t11."""
    data = np.arange(3)
    x, z = T.dvector("x"), T.fvector("z")
    np.testing.assert_array_equal(tir.function([x], x, mode="FAST_COMPILE")(data), [0, 1, 2])
    with pytest.raises(TypeError, match="must be float32, got int64"):
        tir.function([z], z, mode="FAST_COMPILE")(data)
    assert tir.function([z], z, allow_input_downcast=True, mode="FAST_COMPILE")(data).dtype == "float32"


# --- t12 to t15: old programs, and shared variables ------------------------------------------------------------------


def test_argmax_without_axis_is_that_of_all_elements() -> None:
    """t12: int64, and a cost does not depend on it as far as derivatives go."""
    x = T.matrix("x")
    values = np.array([[0.0, 5.0, 1.0], [7.0, 2.0, 7.0]])
    found = run([T.argmax(x), T.argmax(x, axis=1), T.argmax(x, axis=-1), x.argmax(0)], {x: values})
    assert [np.asarray(one).tolist() for one in found] == [3, [1, 0], [1, 0], [1, 0, 1]]
    assert all(np.asarray(one).dtype == "int64" for one in found)
    with pytest.raises(DisconnectedInputError, match="which have no gradient"):
        T.grad(T.argmax(x).astype("float64"), x)


def test_value_of_a_shared_variable_can_be_read_and_set() -> None:
    """t13: `.value` of the first Theano."""
    w = tir.shared(np.zeros(2), "w")
    w.value = np.array([1.0, 2.0])
    assert w.value.tolist() == w.get_value().tolist() == [1, 2]
    w.value[0] = 9  # a copy
    assert w.value.tolist() == [1, 2]


def test_a_misspelt_keyword_of_function_names_the_right_one() -> None:
    """t14: figure 1 of the paper says `output`."""
    x = T.vector("x")
    with pytest.raises(TypeError, match="there is no argument 'output'; did you mean 'outputs'"):
        tir.function(inputs=[x], output=[x])


def test_the_program_of_figure_one_runs() -> None:
    """The logistic regression of the paper, with the bracket and the keyword in their right places."""
    rng = np.random.RandomState(0)
    x, y = T.matrix(), T.vector()
    w, b = tir.shared(rng.randn(100)), tir.shared(np.zeros(()))
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = tir.function(inputs=[x, y], outputs=[p_1 > 0.5, xent], updates={w: w - 0.1 * gw, b: b - 0.1 * gb})
    data = (rng.randn(40, 100), rng.randint(size=40, low=0, high=2))
    losses = [train(*data)[1].mean() for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("value", "dtype", "rank"),
    [
        (0.0, "float64", 0), (3, "int64", 0), (True, "bool", 0), (np.zeros(()), "float64", 0), (np.float32(1), "float32", 0),
        (np.zeros((1, 3), "int8"), "int8", 2), ([1.0, 2.0], "float64", 1), (np.random.RandomState(0).randn(100), "float64", 1),
    ],
)  # fmt: skip
def test_a_shared_variable_has_the_dtype_of_its_value(value: Any, dtype: str, rank: int, float32: None) -> None:
    """t15: also under floatX=float32; a size of 1 may change and does not stretch."""
    w = tir.shared(value)
    assert (w.dtype, w.ndim, w.broadcastable) == (dtype, rank, (False,) * rank)


def test_a_shared_variable_copies_its_value_unless_borrowed() -> None:
    value = np.zeros(3)
    copied, borrowed = tir.shared(value), tir.shared(value, borrow=True)
    value[0] = 7
    assert copied.get_value()[0] == 0 and borrowed.get_value()[0] == 7
    got = copied.get_value()
    got[1] = 5
    assert copied.get_value()[1] == 0
    assert borrowed.get_value(borrow=True) is value


def test_a_size_of_one_of_a_shared_variable_may_change() -> None:
    w = tir.shared(np.ones((1, 2)), "w")
    f = tir.function([], w.sum(0), mode="FAST_COMPILE")
    assert f().tolist() == [1, 1]
    w.set_value(np.ones((3, 2)))
    assert f().tolist() == [3, 3]


# --- t16, t17: gradients ---------------------------------------------------------------------------------------------


def test_grad_gives_the_form_of_wrt() -> None:
    """t16: one for one, a list for a list in its order, a tuple for a tuple."""
    x, y = T.scalar("x"), T.scalar("y")
    cost = x**2 * y
    one, several, pair = T.grad(cost, x), T.grad(cost=cost, wrt=[y, x]), T.grad(cost, (x, y))
    assert isinstance(several, list) and isinstance(pair, tuple)
    assert run([one, *several, *pair], {x: 3.0, y: 5.0}) == [30, 9, 30, 30, 9]


def test_grad_needs_a_float_of_no_axes() -> None:
    x, i = T.vector("x"), T.lscalar("i")
    with pytest.raises(TypeError, match="the cost must be a scalar, got x"):
        T.grad(x, x)
    with pytest.raises(TypeError, match="the cost must be of floats, got i of dtype int64"):
        T.grad(i, i)


def test_grad_by_what_the_cost_does_not_depend_on() -> None:
    x, y = T.vector("x"), T.vector("y")
    cost = x.sum()
    with pytest.raises(DisconnectedInputError, match="the cost does not depend on y"):
        T.grad(cost, y)
    with pytest.warns(UserWarning, match="does not depend on y") as told:
        T.grad(cost, y, disconnected_inputs="warn")
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        zeros = T.grad(cost, [y, x], disconnected_inputs="ignore")
    np.testing.assert_array_equal(run(zeros, {x: [1.0, 2.0], y: [3.0, 4.0]}), [[0, 0], [1, 1]])


def test_the_gradient_by_integers_is_of_floats(float32: None) -> None:
    i = T.ivector("i")
    assert T.grad((i * 0.5).sum(), i, disconnected_inputs="ignore").dtype == "float32"


def test_consider_constant_and_known_grads() -> None:
    x = T.scalar("x")
    a = x**2
    cost = a * x
    assert run(T.grad(cost, x, consider_constant=[a]), {x: 3.0}) == 9
    ten = T.constant(10.0)
    assert run(T.grad(None, x, known_grads={a: ten}), {x: 3.0}) == 60
    assert run(T.grad(cost, [x, a], known_grads={a: ten}), {x: 3.0}) == [60 + 9, 10]
    assert run(T.grad(cost, x, known_grads={cost: ten}), {x: 3.0}) == 270
    assert run(subgraph_grad([x], [a], cost=cost)[0], {x: 3.0}) == [9]


def test_gradients_at_ties() -> None:
    """t17: of equal operands the first gets all; relu splits; all largest elements and cells get the whole."""
    x, y, m = T.vector("x"), T.vector("y"), T.tensor4("m")
    asked = [
        *T.grad(T.maximum(x, y).sum(), [x, y]),
        *T.grad(T.minimum(x, y).sum(), [x, y]),
        T.grad(T.maximum(x, 0.0).sum(), x),
        T.grad(T.nnet.relu(x).sum(), x),
        T.grad(T.max(x), x),
        T.grad(T.min(x), x),
    ]
    found = run(asked, {x: [0.0, 0.0], y: [0.0, 0.0]})
    assert [list(g) for g in found] == [[1, 1], [0, 0], [1, 1], [0, 0], [1, 1], [0.5, 0.5], [1, 1], [1, 1]]
    pooled = run(T.grad(pool.pool_2d(m, (2, 2)).sum(), m), {m: np.ones((1, 1, 2, 2))})
    np.testing.assert_array_equal(pooled, np.ones((1, 1, 2, 2)))


# --- t18 to t20: numbers ---------------------------------------------------------------------------------------------


def test_categorical_crossentropy_of_both_kinds_of_truth() -> None:
    """t18: a number for each row, which the user averages."""
    p, classes, onehot = T.matrix("p"), T.ivector("y"), T.matrix("z")
    values = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    by_class, by_matrix = (
        T.nnet.categorical_crossentropy(p, classes), T.nnet.categorical_crossentropy(p, onehot),
    )  # fmt: skip
    assert by_class.ndim == by_matrix.ndim == 1
    found = run([by_class, by_matrix], {p: values, classes: np.array([1, 2], "int32"), onehot: np.eye(3)[[1, 2]]})
    np.testing.assert_allclose(found, [-np.log([0.7, 0.4])] * 2)


@pytest.mark.parametrize("as_matrix", [True, False], ids=["one-hot", "classes"])
@pytest.mark.parametrize("own_softmax", [True, False], ids=["written", "T.nnet.softmax"])
def test_cross_entropy_of_probabilities_that_underflow(as_matrix: bool, own_softmax: bool, float32: None) -> None:
    """t18: it becomes a log-softmax, and its gradient p - y, so that both are finite and right."""
    z = T.matrix("z")
    truth = T.constant(np.eye(3, dtype="float32")[[0, 2]]) if as_matrix else T.constant(np.array([0, 2], "int32"))
    e = T.exp(z - z.max(axis=1).dimshuffle(0, "x"))
    p = e / e.sum(axis=1).dimshuffle(0, "x") if own_softmax else T.nnet.softmax(z)
    cost = T.mean(T.nnet.categorical_crossentropy(p, truth))
    f = tir.function([z], [cost, T.grad(cost, z)])
    logits = np.array([[-1000, 0, 5], [1, 2, -500]], "float32")
    value, slope = f(logits)
    rows = special.log_softmax(logits.astype("float64"), axis=1)
    np.testing.assert_allclose(value, -(rows[0, 0] + rows[1, 2]) / 2, rtol=1e-6)  # f32 has 6e-8
    np.testing.assert_allclose(slope, (np.exp(rows) - np.eye(3)[[0, 2]]) / 2, atol=1e-7)
    ops = ops_of(f)
    assert any(isinstance(op, (LogSoftmax, SoftmaxCrossEntropy)) for op in ops)
    assert not any(op.name == "tir.log" for op in ops)


def test_indexing_by_pairs_of_vectors_adds_gradients_up() -> None:
    """t19: `[arange(n), y]` gives n elements; the gradient is a sum into zeros, twice where a pair comes twice."""
    x, y = T.matrix("x"), T.lvector("y")
    picked = x[T.arange(y.shape[0]), y]
    assert picked.ndim == 1
    twice = x[[0, 0, 1], [2, 2, 0]]
    values = np.arange(6.0).reshape(2, 3)
    found = run([picked, T.grad(picked.sum(), x), T.grad(twice.sum(), x)], {x: values, y: np.array([2, 0])})
    assert found[0].tolist() == [2, 3]
    np.testing.assert_array_equal(found[1], [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(found[2], [[0, 0, 2], [1, 0, 0]])


def test_log_softmax_picked_by_class_is_recognised(float32: None) -> None:
    """t19: the tutorial's negative log likelihood, finite where the probability is 0."""
    z, y = T.matrix("z"), T.ivector("y")
    cost = -T.mean(T.log(T.nnet.softmax(z))[T.arange(y.shape[0]), y])
    f = tir.function([z, y], [cost, T.grad(cost, z)])
    value, slope = f(np.array([[0, 1000]], "float32"), np.array([0], "int32"))
    assert value == 1000
    np.testing.assert_array_equal(slope, [[-1, 1]])
    ops = ops_of(f)
    assert any(isinstance(op, LogSoftmax) for op in ops) and any(isinstance(op, Softmax) for op in ops)


SUM_DTYPES = {
    "bool": "int64", "int8": "int64", "int16": "int64", "int32": "int64", "int64": "int64", "uint8": "uint64",
    "uint16": "uint64", "uint32": "uint64", "uint64": "uint64", "float16": "float16", "float32": "float32",
    "float64": "float64",
}  # fmt: skip


@pytest.mark.parametrize("dtype", SUM_DTYPES)
def test_dtypes_of_sums_and_means(dtype: str) -> None:
    """t20: integers add up in 64 bits, their mean is float64."""
    x = T.vector("x", dtype=dtype)
    mean = dtype if dtype.startswith("float") else "float64"
    assert [T.sum(x).dtype, T.prod(x).dtype, T.mean(x).dtype] == [SUM_DTYPES[dtype], SUM_DTYPES[dtype], mean]
    total, average = run([x.sum(), x.mean()], {x: np.ones(200, dtype)})
    assert (total, average) == (200, 1)


def test_mean_of_no_axes() -> None:
    x = T.scalar("x")
    assert run([x.mean(), T.mean(3.0), x.sum()], {x: 2.5}) == [2.5, 3, 2.5]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_a_sum_of_float32_adds_up_in_float64(mode: str) -> None:
    """t20: 2^24 + 1 + 1 + .. in float32 stays 2^24; the result is rounded once."""
    x = T.fvector("x")
    values = np.ones(1001, "float32")
    values[0] = 2**24
    total = tir.function([x], x.sum(), mode=mode)(values)
    assert total == np.float32(2**24 + 1000) and total.dtype == "float32"


# --- t21 to t26: functions of variables ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [((), ()), ((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((2,), (2, 3)), ((2, 3), (3, 4)), ((2, 4, 3), (3,)),
     ((2, 4, 3), (3, 5)), ((3,), (2, 3, 4)), ((5, 3), (2, 3, 4)), ((2, 4, 3), (5, 3, 2))],
)  # fmt: skip
def test_dot_is_that_of_numpy(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """t21."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=left), rng.normal(size=right)
    u, v = T.tensor("float64", (False,) * len(left)), T.tensor("float64", (False,) * len(right))
    found = run([T.dot(u, v), u.dot(v)], {u: x, v: y})
    for one in found:
        np.testing.assert_allclose(one, np.dot(x, y), rtol=1e-12)


def test_binomial_is_uniform_below_p_cast() -> None:
    """t22: one trial, int64 unless asked otherwise, a symbolic size."""
    srng, x = MRG_RandomStreams(), T.matrix("x")
    plain, floats = srng.binomial(x.shape, p=0.3), srng.binomial(size=x.shape, n=1, p=0.3, dtype="float32")
    assert (plain.dtype, floats.dtype, plain.ndim) == ("int64", "float32", 2)
    f = tir.function([x], [plain, floats])
    first, second = f(np.zeros((100, 200))), f(np.zeros((3, 4)))
    assert first[0].shape == (100, 200) and second[0].shape == (3, 4)
    assert set(np.unique(first[0])) == set(np.unique(first[1])) == {0, 1}
    for draw in first:
        assert abs(draw.mean() - 0.3) < 0.02  # 6 standard deviations of 20000 draws


def test_streams_are_determined_by_their_seed() -> None:
    draws = []
    for seed in (12345, None, 7):
        srng = MRG_RandomStreams() if seed is None else MRG_RandomStreams(seed)
        a, b = srng.uniform((4,)), srng.uniform((4,))
        f = tir.function([], [a, b], mode="FAST_COMPILE")
        draws.append(np.array([f(), f()]))
    np.testing.assert_array_equal(draws[0], draws[1])  # 12345 is the default
    assert not np.isclose(draws[0], draws[2]).any()
    assert len(np.unique(draws[0])) == 16  # each call of a method is a stream, each call of f advances it


def test_a_stream_stays_without_default_updates() -> None:
    a = MRG_RandomStreams(1).uniform((4,))
    f = tir.function([], a, no_default_updates=True, mode="FAST_COMPILE")
    np.testing.assert_array_equal(f(), f())


def test_the_probability_of_binomial_has_no_gradient() -> None:
    p = T.scalar("p")
    draw = MRG_RandomStreams().binomial((3,), p=p, dtype="float64")
    with pytest.raises(DisconnectedInputError):
        T.grad(draw.sum(), p)


def test_dimshuffle_and_symbolic_slices() -> None:
    """t23: 'x' adds an axis that stretches; axes are permuted; an axis is dropped if it has size 1."""
    b, m, r, t = T.vector("b"), T.matrix("m"), T.row("r"), T.tensor4("t")
    i = T.lscalar("i")
    bias, row, turned, dropped = (
        b.dimshuffle("x", 0, "x", "x"),
        b.dimshuffle(0, "x"),
        m.dimshuffle(1, "x", 0),
        r.dimshuffle(1),
    )
    assert bias.broadcastable == (True, False, True, True)
    assert (row.broadcastable, turned.broadcastable, dropped.ndim) == ((False, True), (False, True, False), 1)
    with pytest.raises(ValueError, match="only an axis of size 1 may be left out, got axis 0"):
        m.dimshuffle(1)
    values = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    found = run([t + bias, t[i * 1 : (i + 1) * 1], t[:, :, -1], t[i, ..., ::-1], turned], {
        b: np.array([10.0, 20.0, 30.0]), t: values, i: 1, m: np.ones((2, 3)), r: np.ones((1, 2)),
    }, on_unused_input="ignore")  # fmt: skip
    expected = [
        values + np.array([10.0, 20.0, 30.0])[None, :, None, None], values[1:2], values[:, :, -1], values[1, ..., ::-1],
        np.ones((3, 1, 2)),
    ]  # fmt: skip
    for one, wanted in zip(found, expected):
        np.testing.assert_array_equal(one, wanted)


def test_flatten_keeps_the_first_axes() -> None:
    """t24."""
    t = T.tensor4("t")
    values = np.arange(24.0).reshape(2, 3, 2, 2)
    found = run([t.flatten(), t.flatten(2), T.flatten(t, outdim=2), t.flatten(ndim=3), T.flatten(t)], {t: values})
    for one, shape in zip(found, [(24,), (2, 12), (2, 12), (2, 3, 4), (24,)]):
        np.testing.assert_array_equal(one, values.reshape(shape))


def test_two_graphs_share_their_weights() -> None:
    """t25: training with noise and prediction without read and write one array."""
    srng, x = MRG_RandomStreams(), T.matrix("x")
    w = tir.shared(np.ones((3, 2)), "w")

    def model(x: Any, p_drop: float) -> Any:
        if p_drop > 0:
            x = x * srng.binomial(x.shape, p=1 - p_drop, dtype="float64") / (1 - p_drop)
        return T.dot(x, w)

    train = tir.function([x], model(x, 0.5).sum(), updates={w: w + 1}, mode="FAST_COMPILE")
    predict = tir.function([x], model(x, 0.0), mode="FAST_COMPILE")
    assert predict(np.ones((1, 3))).tolist() == [[3, 3]]
    train(np.ones((1, 3)))
    assert predict(np.ones((1, 3))).tolist() == [[6, 6]]
    w.set_value(np.zeros((3, 2)))
    assert predict(np.ones((1, 3))).tolist() == [[0, 0]]


def test_round_is_half_to_even_and_flat() -> None:
    """t26."""
    x = T.vector("x")
    values = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999])
    found = run([T.round(x), x.round(), T.round(x, mode="half_away_from_zero"), T.grad(T.round(x).sum(), x)], {x: values})
    np.testing.assert_array_equal(found[0], np.round(values))
    np.testing.assert_array_equal(found[1], np.round(values))
    np.testing.assert_array_equal(found[2], [-3, -2, -1, 1, 2, 3, 2])
    np.testing.assert_array_equal(found[3], np.zeros(7))


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("own_softmax", [True, False])
def test_there_is_a_class_for_each_row(own_softmax: bool, mode: str) -> None:
    x, y = T.dmatrix("x"), T.ivector("y")
    cost = T.nnet.categorical_crossentropy(T.nnet.softmax(x) if own_softmax else x, y)
    f = tir.function([x, y], [cost, T.grad(cost.sum(), x)], mode=mode)
    given = np.full((4, 3), 1 / 3)
    np.testing.assert_allclose(f(given, np.array([0, 1, 2, 1], "int32"))[0], np.log(3))
    for count in (1, 2, 5):
        with pytest.raises(tir.TirError, match=f"must have one size, got 4 and {count}"):
            f(given, np.zeros(count, "int32"))
