"""Contractions through tiles: random ones, every shape of tile, on the interpreter and as machine code."""

import random

import numpy as np
import pytest

from tests.contractions import Contraction
from tests.convolutions import Convolution
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.linalg import Generic
from tir.ir.execution import numpy_dtype
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.types import parse_scalar_type
from tir.parser.parse import parse_text
from tir.passes.contraction_plan import plan_contraction
from tir.passes.loop_nest import loop_order
from tir.passes.pipelines import ALL, lower_cpu

DTYPES = {name: numpy_dtype(parse_scalar_type(name)) for name in ("f16", "f32", "f64")}


def run(contraction: Contraction, target: str, seed: int = 0) -> None:
    arguments = contraction.arguments(seed, DTYPES)
    module = parse_text(contraction.text(), REGISTRY)
    run_pipeline(lower_cpu(), module)
    executable = Executable(module, target=target)
    (found,) = executable.call("f", arguments)
    contraction.check(found, arguments)


def plan_of(contraction: Contraction):
    module = parse_text(contraction.text(), REGISTRY)
    run_pipeline(parse_pipeline("bufferize", ALL), module)
    generics = [op for op in module.walk() if isinstance(op, Generic)]
    return plan_contraction(generics[-1])


def random_contraction(seed: int) -> Contraction:
    """Up to two dimensions of each kind, in any order of axes, with sizes 0, 1, odd and large."""
    rng = random.Random(seed)
    kinds = {"b": "abc", "i": "ac", "j": "bc", "k": "ab"}
    likely = {"b": 0.4, "B": 0.1, "i": 0.95, "I": 0.2, "j": 0.95, "J": 0.2, "k": 0.95, "K": 0.25}
    has = {letter: kinds[letter.lower()] for letter in likely if rng.random() < likely[letter]}
    axes = []
    for operand in "abc":
        letters = [letter for letter, where in has.items() if operand in where]
        if rng.random() < 0.6:
            rng.shuffle(letters)
        axes.append("".join(letters))
    few, many = (0, 1, 2, 3, 4), (0, 1, 5, 8, 9, 16, 17, 33, 40)
    sizes = {letter: rng.choice(many if letter in "ijk" and rng.random() < 0.9 else few) for letter in has}
    element, wide = rng.choice([("f32", "f32"), ("f32", "f32"), ("f64", "f64"), ("f16", "f32")])
    steps = rng.choice([1, 1, 1, 2])
    dynamic = "".join(letter for letter in has if rng.random() < 0.3) if steps == 1 else ""
    return Contraction(f"{axes[0]},{axes[1]}->{axes[2]}", sizes, element, wide, dynamic, steps)


@pytest.mark.parametrize("target", ["interpret", "cpu"])
@pytest.mark.parametrize("seed", range(20))
def test_random_contractions_are_einsum(seed, target):
    run(random_contraction(seed), target, seed)


PRODUCTS = ["ik,kj->ij", "ki,kj->ij", "ik,jk->ij", "ki,jk->ij", "kj,ik->ij", "bik,bkj->bij", "ik,bkj->bij", "bik,kj->bij"]


@pytest.mark.parametrize("target", ["interpret", "cpu"])
@pytest.mark.parametrize("words", PRODUCTS)
def test_rows_and_columns_that_do_not_fill_a_tile(words, target):
    for rows, columns in ((2, 130), (11, 10), (33, 49)):
        run(Contraction(words, {"b": 2, "i": rows, "j": columns, "k": 3}), target)


@pytest.mark.parametrize("dynamic", ["", "bijk"])
@pytest.mark.parametrize("words", PRODUCTS)
def test_deep_matrices(words, dynamic):
    """300 is more than a panel holds, and no multiple of it; the 65th column has a panel of its own."""
    contraction = Contraction(words, {"b": 2, "i": 40, "j": 65, "k": 300}, dynamic=dynamic)
    plan = plan_of(contraction)
    assert plan is not None
    run(contraction, "cpu")


def test_panels_on_the_interpreter():
    run(Contraction("ki,jk->ij", {"i": 9, "j": 40, "k": 75}), "interpret")
    run(Contraction("ki,jk->ij", {"i": 9, "j": 17, "k": 130}, dynamic="jk"), "interpret")


@pytest.mark.parametrize("words", ["ik,k->i", "k,kj->j", "i,j->ij", "k,k->", "bi,bi->bi", "i,->i", "ik,kb->b"])
def test_what_no_tile_would_speed_up_goes_the_plain_way(words):
    contraction = Contraction(words, {letter: 5 for letter in "bijk" if letter in words})
    if words != "ik,kb->b":  # i is summed, too: A's rows are no dimension of C
        assert plan_of(contraction) is None
    run(contraction, "cpu")


@pytest.mark.parametrize("types", [("f16", "f32"), ("f32", "f64"), ("f64", "f64")])
@pytest.mark.parametrize("words", ["ik,kj->ij", "ik,jk->ij", "ki,jk->ij"])
def test_narrow_elements_are_summed_in_wide_ones(words, types):
    contraction = Contraction(words, {"i": 34, "j": 21, "k": 530}, *types)
    assert plan_of(contraction) is not None
    run(contraction, "cpu")


def without_vectorize() -> Pipeline:
    """What comes in front of it: vectors are then those of tiles."""
    steps = list(lower_cpu().flattened())
    return Pipeline(steps[: [step.name for step in steps].index("vectorize")])


def test_integers_go_the_plain_way():
    text = Contraction("ik,kj->ij", {"i": 9, "j": 17, "k": 5}).text()
    text = text.replace("f32", "i32").replace("arith.mulf", "arith.muli").replace("arith.addf", "arith.addi")
    module = parse_text(text, REGISTRY)
    run_pipeline(without_vectorize(), module)
    assert not any(op.name.startswith("vector.") for op in module.walk())
    rng = np.random.default_rng(0)
    a, b, c = (rng.integers(-9, 9, shape, dtype=np.int32) for shape in ((9, 5), (5, 17), (9, 17)))
    assert np.array_equal(Executable(module).call("f", [a, b, c])[0], a @ b + c)


@pytest.mark.parametrize("body", ["arith.subf %sum, %p", "arith.addf %p, %p", "arith.mulf %sum, %p"])
def test_other_bodies_go_the_plain_way(body):
    text = Contraction("ik,kj->ij", {"i": 16, "j": 32, "k": 5}).text().replace("arith.addf %sum, %p", body)
    module = parse_text(text, REGISTRY)
    run_pipeline(without_vectorize(), module)
    assert not any(op.name.startswith("vector.") for op in module.walk())


@pytest.mark.parametrize("target", ["interpret", "cpu"])
@pytest.mark.parametrize("words", ["ik,kj->ij", "ik,jk->ij", "ki,jk->ij"])
def test_infinity_and_nan_stay_in_their_row_and_column(words, target):
    contraction = Contraction(words, {"i": 13, "j": 19, "k": 149})
    a, b, c = contraction.arguments(0, DTYPES)
    a[(4, 7) if words[0] == "i" else (7, 4)] = np.inf
    b[(7, 18) if words[3] == "k" else (18, 7)] = np.nan
    module = parse_text(contraction.text(), REGISTRY)
    run_pipeline(lower_cpu(), module)
    (found,) = Executable(module, target=target).call("f", [a, b, c])
    expected = np.einsum(words, a.astype(np.float64), b) + c
    assert np.array_equal(np.isnan(found), np.isnan(expected)) and np.array_equal(np.isinf(found), np.isinf(expected))
    assert np.isnan(found).sum() == 13 and np.isinf(found).sum() == 18


@pytest.mark.parametrize("words", ["ik,kj->ij", "ik,jk->ij", "ki,jk->ij"])
def test_sums_of_negative_zeros_are_negative_zeros(words):
    """Lanes that are masked add nothing that would change the sign."""
    contraction = Contraction(words, {"i": 9, "j": 17, "k": 133})
    a, b, c = (np.zeros_like(x) for x in contraction.arguments(0, DTYPES))
    module = parse_text(contraction.text(), REGISTRY)
    run_pipeline(lower_cpu(), module)
    for target in ("interpret", "cpu"):
        (found,) = Executable(module, target=target).call("f", [-a, b, -c])
        assert np.signbit(found).all()


# --- convolutions as products of weights and columns -----------------------------------------------------------------


CONVOLUTIONS = [
    Convolution(2, 3, 7, 5, 3),
    Convolution(1, 2, 9, 4, 2, stride=3),
    Convolution(2, 1, 8, 16, 3, dilation=2),
    Convolution(1, 1, 1, 1, 1),
]


def convolved(x, w, conv: Convolution):
    """The definition, in f64, and the same of absolute values."""
    out = np.zeros((conv.n, conv.o, conv.out, conv.out))
    kernels = w.reshape(conv.o, conv.c, conv.kernel, conv.kernel)
    for a in range(conv.kernel):
        for b in range(conv.kernel):
            rows, columns = (slice(i * conv.dilation, None, conv.stride) for i in (a, b))
            part = x[:, :, rows, columns][:, :, : conv.out, : conv.out]
            out += np.einsum("nchw,oc->nohw", part, kernels[:, :, a, b])
    return out


@pytest.mark.parametrize("target", ["interpret", "cpu"])
@pytest.mark.parametrize("conv", CONVOLUTIONS, ids=str)
def test_a_convolution_over_windows(conv, target):
    module = parse_text(conv.forward(), REGISTRY)
    run_pipeline(lower_cpu(), module)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(conv.n, conv.c, conv.height, conv.height)).astype(np.float32)
    w = rng.normal(size=(conv.o, conv.k)).astype(np.float32)
    executable = Executable(module, target=target)
    assert np.array_equal(executable.call("windows", [x])[0], conv.numpy_windows(x))
    (found,) = executable.call("forward", [x, w])
    bound = conv.k * 2.0**-23 * convolved(np.abs(x), np.abs(w), conv)  # n * eps * sum|x|
    assert (np.abs(found - convolved(x.astype(np.float64), w, conv)) <= bound).all()


@pytest.mark.parametrize("target", ["interpret", "cpu"])
@pytest.mark.parametrize("conv", CONVOLUTIONS, ids=str)
def test_the_gradients_of_a_convolution(conv, target):
    module = parse_text(conv.gradients(), REGISTRY)
    run_pipeline(lower_cpu(), module)
    rng = np.random.default_rng(2)
    g = rng.normal(size=(conv.n, conv.o, conv.p)).astype(np.float32)
    cols = rng.normal(size=(conv.n, conv.k, conv.p)).astype(np.float32)
    w = rng.normal(size=(conv.o, conv.k)).astype(np.float32)
    executable = Executable(module, target=target)
    for name, arguments, words in (("weights", [g, cols], "nop,nkp->ok"), ("columns", [w, g], "ok,nop->nkp")):
        (found,) = executable.call(name, arguments)
        a, b = (x.astype(np.float64) for x in arguments)
        bound = conv.n * conv.p * conv.o * 2.0**-23 * np.einsum(words, np.abs(a), np.abs(b))  # n * eps * sum|x|
        assert (np.abs(found - np.einsum(words, a, b)) <= bound).all()


def test_windows_run_along_the_rows_of_the_columns():
    module = parse_text(CONVOLUTIONS[0].forward(), REGISTRY)
    run_pipeline(parse_pipeline("bufferize", ALL), module)
    move = next(op for op in module.walk() if isinstance(op, Generic))
    assert loop_order(move) == [0, 1, 2, 3, 4, 5]


# --- plans -----------------------------------------------------------------------------------------------------------


def test_the_plan_of_a_convolution_over_columns():
    plan = plan_of(Contraction("ok,nkp->nop", {"n": 2, "o": 64, "k": 576, "p": 196}))
    name = dict(enumerate("knop")).get  # dimensions are in the order of the alphabet
    assert (name(plan.row), name(plan.column), name(plan.depth)) == ("o", "p", "k")
    assert [name(d) for d in plan.batch] == ["n"] and plan.sums == () and not plan.packs and plan.lanes == plan.column


def test_the_gradient_of_its_weights_sums_along_both_rows():
    plan = plan_of(Contraction("nop,nkp->ok", {"n": 2, "o": 64, "k": 576, "p": 196}))
    name = dict(enumerate("knop")).get
    assert (name(plan.row), name(plan.column), name(plan.depth)) == ("o", "k", "p")
    assert [name(d) for d in plan.sums] == ["n"] and not plan.packs and plan.lanes == plan.depth


def test_only_columns_with_gaps_are_packed():
    sizes = {"i": 64, "j": 640, "k": 64}
    assert not plan_of(Contraction("ik,kj->ij", sizes)).packs
    assert plan_of(Contraction("ik,jk->ij", sizes)).packs
    assert plan_of(Contraction("ik,kj->ij", sizes, steps=2)).packs


def test_rows_are_enough_and_near_the_columns():
    assert plan_of(Contraction("bik,kj->bij", {"b": 64, "i": 20, "j": 8, "k": 8})).row == 1
    assert plan_of(Contraction("bik,kj->bij", {"b": 64, "i": 3, "j": 8, "k": 8})).row == 0
