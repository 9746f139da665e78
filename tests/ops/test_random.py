"""Random numbers as numbers: the distributions that they have, and that their streams have nothing to do with each other.

All keys are fixed, so no test fails by chance. Where a probability is asked for, a right generator would miss the bound
for about one key in a thousand; nine standard deviations are missed for none.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats

from tests.ops.samples.base import ULP
from tir.api import Builder
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.tir import distributions
from tir.dialects.tir.random import UI32, UI64
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.execution import ExecutionError
from tir.ir.pass_manager import run_pipeline
from tir.ir.types import F32, F64
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients
from tir.passes.pipelines import default

KEY = np.array([20250, -7], np.int32)
LEAST = 1e-3  # of a p-value
DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "ui32": np.uint32, "ui64": np.uint64}


def module_of(op: str, result: str, arguments: Sequence[str]) -> Any:
    given = ", ".join(f"%{i}: {type}" for i, type in enumerate(arguments))
    return parse_text(f"func.func @f({given}) -> {result} {{\n  %r = {op}\n  return %r : {result}\n}}\n", REGISTRY)


def drawn(op: str, shape: Sequence[int], element: str, key: np.ndarray = KEY) -> np.ndarray:
    """Numbers without parameters."""
    type = f"tensor<{''.join(f'{n}x' for n in shape)}{element}>"
    (x,) = Interpreter(module_of(f"tir.rng_{op} %0 : {type}", type, ["tensor<2xi32>"])).run("f", [key])
    return np.asarray(x)


def with_parameters(op: str, element: str, count: int, *parameters: Any, key: np.ndarray = KEY) -> np.ndarray:
    """Numbers with the same parameters everywhere."""
    types = [f"tensor<{count}x{element}>"] * len(parameters)
    form = ", ".join(f"%{i + 1}" for i in range(len(parameters)))
    module = module_of(f"tir.rng_{op} %0, {form} : {types[0]}", types[0], ["tensor<2xi32>", *types])
    (x,) = Interpreter(module).run("f", [key, *(np.full(count, p, DTYPES[element]) for p in parameters)])
    return np.asarray(x)


def built(function: Callable[[Builder, Any], Any], *inputs: Any) -> list[np.ndarray]:
    """What the builder's function of a key, and of other inputs, computes."""
    b = Builder()
    names = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
    types = [f"tensor<{''.join(f'{n}x' for n in x.shape)}{names[x.dtype]}>" for x in inputs]
    with b.function("f", **dict(zip("abcd", types))) as arguments:
        made = function(b, *arguments)
        b.returns(*made if isinstance(made, tuple) else [made])
    b.verify()
    expand_gradients(b.module)
    return [np.asarray(x) for x in Interpreter(b.module).run("f", list(inputs))]


def assert_follows(x: np.ndarray, distribution: Any) -> None:
    """Kolmogorov and Smirnov's test, which sees a shape; the ends are within what can occur."""
    assert np.isfinite(x).all()
    assert scipy.stats.kstest(x.astype(np.float64), distribution.cdf).pvalue > LEAST


def assert_counts(got: np.ndarray, want: np.ndarray) -> None:
    """Pearson's chi-square, of classes with at least 5 expected."""
    order = np.argsort(want)
    got, want = got[order], want[order]
    few = want < 5
    got, want = np.append(got[~few], got[few].sum()), np.append(want[~few], want[few].sum())
    keep = want >= 5
    assert got[~keep].sum() < 30, "something that hardly occurs has occurred"
    statistic = ((got - want)[keep] ** 2 / want[keep]).sum()
    assert scipy.stats.chi2.sf(statistic, keep.sum() - 1) > LEAST


# --- standard distributions ------------------------------------------------------------------------------------------

STANDARD = {
    "uniform": scipy.stats.uniform, "normal": scipy.stats.norm, "exponential": scipy.stats.expon,
    "gumbel": scipy.stats.gumbel_r, "laplace": scipy.stats.laplace, "cauchy": scipy.stats.cauchy,
}  # fmt: skip


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize("op", STANDARD)
def test_standard_numbers_have_their_distribution(op: str, element: str) -> None:
    x = drawn(op, (200_000,), element)
    assert x.dtype == DTYPES[element]
    assert_follows(x, STANDARD[op])
    if op == "cauchy":
        return
    mean, variance, kurtosis = (float(m) for m in STANDARD[op].stats(moments="mvk"))
    wide = x.astype(np.float64)
    assert abs(wide.mean() - mean) < 5 * math.sqrt(variance / x.size)
    assert abs(wide.var() - variance) < 5 * variance * math.sqrt((kurtosis + 2) / x.size)


def test_tails_of_normal_numbers_are_as_long_as_they_must_be() -> None:
    """A million numbers: counts beyond 1 to 4.5 deviations, on both sides."""
    x = drawn("normal", (1000, 1000), "f32").ravel()
    for bound in (1.0, 2.0, 3.0, 4.0, 4.5):
        want = x.size * scipy.special.ndtr(-bound)
        for count in ((x > bound).sum(), (x < -bound).sum()):
            assert abs(count - want) < 5 * math.sqrt(want)


@pytest.mark.parametrize("element", ["f32", "f64"])
def test_extreme_words_give_finite_numbers(element: str) -> None:
    """Of the words 0 and 2^32 - 1, which no test will meet: t is (n + 1/2) of the unit, and may be rounded to 1/2."""
    dtype, unit, bits = (np.float32, 2.0**-32, 31) if element == "f32" else (np.float64, 2.0**-63, 62)
    ends = np.array([0.5 * unit, (dtype(2**bits - 1) + dtype(0.5)) * dtype(unit)], dtype)
    for cls in (c for c in distributions.OPS if issubclass(c, distributions._Quantile)):
        for is_lower in (False, True):
            with np.errstate(all="ignore"):
                found = cls.quantiles(None, np.array([is_lower] * 2), ends)  # type: ignore[arg-type]
            assert np.isfinite(found).all(), cls.name


# --- distributions with parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.5, 0.01, 0.999])
def test_truth_values_are_true_as_often_as_they_must_be(p: float) -> None:
    count = 200_000
    types = ["tensor<2xi32>", f"tensor<{count}xf32>"]
    module = module_of(f"tir.rng_bernoulli %0, %1 : {types[1]} -> tensor<{count}xi1>", f"tensor<{count}xi1>", types)
    (x,) = Interpreter(module).run("f", [KEY, np.full(count, p, np.float32)])
    assert abs(np.sum(x) - count * p) < 5 * math.sqrt(count * p * (1 - p))


@pytest.mark.parametrize("element", ["i32", "i64"])
@pytest.mark.parametrize(("low", "high"), [(0, 2), (-3, 4), (5, 105), (-(2**31), 2**31 - 1)])
def test_whole_numbers_are_equally_likely(low: int, high: int, element: str) -> None:
    x = with_parameters("randint", element, 100_000, low, high)
    assert x.min() >= low and x.max() < high
    if high - low < 1000:
        assert_counts(np.bincount(x - low, minlength=high - low), np.full(high - low, x.size / (high - low)))
    else:
        assert_follows((x.astype(np.float64) - low) / (high - low), scipy.stats.uniform)


INF = math.inf


@pytest.mark.parametrize(("low", "high"), [(-1, 2), (-INF, 0.5), (3, 4), (-INF, -5), (8, INF), (36.9, INF), (-41, -40)])
def test_truncated_normal_numbers_have_their_distribution(low: float, high: float) -> None:
    x = with_parameters("truncated_normal", "f64", 20_000, low, high)
    assert (x >= low).all() and (x <= high).all()

    def cdf(z: Any) -> Any:
        """By logarithms of tails, which reach as far out."""
        z, a, b = (z, low, high) if low > 0 else (-z, -high, -low)
        of_z, of_a, of_b = (scipy.special.log_ndtr(-y) for y in (z, a, b))
        found = np.expm1(of_z - of_a) / np.expm1(of_b - of_a)
        return found if low > 0 else 1 - found

    assert scipy.stats.kstest(x, cdf).pvalue > LEAST


@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0, 3.5, 1000.0, 1e9])
def test_gamma_numbers_have_their_distribution(alpha: float) -> None:
    x = with_parameters("gamma", "f64", 50_000, alpha)
    assert scipy.stats.kstest(x, lambda z: scipy.special.gammainc(alpha, z)).pvalue > LEAST


@pytest.mark.parametrize(
    ("n", "p"),
    [(1, 0.3), (20, 0.3), (20, 0.51), (33, 0.31), (100, 0.5), (1000, 0.02), (10**6, 0.7), (10**9, 1e-9), (10**12, 0.25)],
)
def test_binomial_numbers_have_their_distribution(n: int, p: float) -> None:
    count, types = 50_000, ["tensor<50000xi64>", "tensor<50000xf64>"]
    module = module_of(f"tir.rng_binomial %0, %1, %2 : {', '.join(types)}", types[0], ["tensor<2xi32>", *types])
    (x,) = Interpreter(module).run("f", [KEY, np.full(count, n), np.full(count, p)])
    assert x.min() >= 0 and x.max() <= n
    deviation = math.sqrt(n * p * (1 - p))
    if deviation > 200:  # too many classes: the distribution as a whole
        assert scipy.stats.kstest(x + 0.5, scipy.stats.norm(n * p + 0.5, deviation).cdf).pvalue > LEAST
        return
    first = max(0, math.floor(n * p - 9 * deviation - 20))
    classes = np.arange(first, min(n, math.ceil(n * p + 9 * deviation + 20)) + 1)
    assert x.min() >= first and x.max() <= classes[-1]
    counts = np.bincount(x - first, minlength=classes.size)
    assert_counts(counts, count * scipy.stats.binom.pmf(classes, n, p))


def test_each_element_has_parameters_of_its_own() -> None:
    alpha = np.tile([0.5, 5.0, 50.0, np.nan], 10_000)
    types = ["tensor<2xi32>", "tensor<40000xf64>"]
    (x,) = Interpreter(module_of(f"tir.rng_gamma %0, %1 : {types[1]}", types[1], types)).run("f", [KEY, alpha])
    means = x.reshape(-1, 4).mean(0)
    for mean, a in zip(means[:3], (0.5, 5.0, 50.0)):
        assert abs(mean - a) < 5 * math.sqrt(a / 10_000)
    assert np.isnan(means[3])


def test_sizes_of_parameters_are_checked_when_they_are_known() -> None:
    """Before machine code reads what is not there."""
    types = ["tensor<2xi32>", "tensor<?xi32>", "tensor<?xf32>"]
    text = f"tir.rng_binomial %0, %1, %2 : {types[1]}, {types[2]}"
    inputs = [KEY, np.full(4, 5, np.int32), np.full(3, 0.5, np.float32)]
    with pytest.raises(ExecutionError, match="axis 0 of p must have the size of axis 0 of n, got 3 and 4"):
        Interpreter(module_of(text, types[1], types)).run("f", inputs)
    program = Executable(module_of(text, types[1], types), pipeline=lambda m: run_pipeline(default(), m))
    with pytest.raises(ExecutionError, match="axis 0 of p must have the size of axis 0 of n"):
        program.call("f", inputs)


@pytest.mark.parametrize(
    ("op", "why"),
    [
        ("tir.rng_bernoulli %key, %x : tensor<3xf64> -> tensor<3xi1>", "tir.rng_bernoulli has no gradient: a truth value jumps"),
        ("tir.rng_gamma %key, %x : tensor<3xf64>", "tir.rng_gamma has no gradient: the number moves with alpha"),
        ("tir.rng_binomial %key, %n, %x : tensor<3xi64>, tensor<3xf64>", "tir.rng_binomial has no gradient: whole numbers"),
    ],
)
def test_numbers_that_cannot_be_differentiated_say_why(op: str, why: str) -> None:
    type = "i1" if "i1" in op else "i64" if "i64" in op else "f64"
    body = [
        f"%r = {op}", *([f"%y = tir.cast %r : tensor<3x{type}> -> tensor<3xf64>"] if type != "f64" else []),
        f"%c = tir.sum %{'y' if type != 'f64' else 'r'} over [0] : tensor<f64>", "%g = tir.grad %c wrt (%x) : tensor<3xf64>",
        "return %g : tensor<3xf64>",
    ]  # fmt: skip
    text = "func.func @f(%key: tensor<2xi32>, %x: tensor<3xf64>, %n: tensor<3xi64>) -> tensor<3xf64> {\n" + "\n".join(body) + "\n}\n"
    with pytest.raises(PassError, match=why):
        expand_gradients(parse_text(text, REGISTRY))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_of_bounds_are_those_of_the_numbers(dtype: Any) -> None:
    """Where both tails are open, far out, and where the bounds are one number: against differences of the op itself."""
    low = np.array([-INF, 2.0, -INF, 40.0, -41.0, 1.0, 0.0], dtype)
    high = np.array([1.0, INF, INF, 41.0, -40.0, 1.0, 1e-3], dtype)

    def function(b: Builder, key: Any, low: Any, high: Any) -> Any:
        x = b.rng_truncated_normal(key, low, high)
        return (x, *b.grad(b.sum(x, [0]), [low, high]))

    _, by_low, by_high = built(function, KEY, low, high)
    assert by_low.dtype == dtype

    def numbers(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        (x,) = built(lambda b, key, low, high: b.rng_truncated_normal(key, low, high), KEY, low, high)
        return x

    h = 1e-4
    a, b = low.astype(np.float64), high.astype(np.float64)
    one = a == b
    with np.errstate(invalid="ignore"):
        want_low = (numbers(a + h, b) - numbers(a - h, b)) / (2 * h)
        want_high = (numbers(a, b + h) - numbers(a, b - h)) / (2 * h)
    np.testing.assert_allclose(by_low[~one], want_low[~one], rtol=2e-3, atol=1e-6)  # far out 1 / 40^2; h^2 elsewhere
    np.testing.assert_allclose(by_high[~one], want_high[~one], rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose((by_low + by_high)[one], 1, rtol=1e-6)  # both move: so does the number


# --- the same at every level -----------------------------------------------------------------------------------------

def test_machine_code_draws_what_the_interpreter_draws() -> None:
    """50,000 of each: whole numbers and trials exactly, others within their bounds."""
    count = 50_000
    rng = np.random.default_rng(4)
    p, n, m = rng.uniform(0, 1.05, count), rng.integers(-3, 500, count), rng.integers(-9, 2**40, count)
    types = ["tensor<2xi32>", f"tensor<{count}xf64>", f"tensor<{count}xi64>", f"tensor<{count}xi64>"]
    f64, i64, i1, f32 = (f"tensor<{count}x{e}>" for e in ("f64", "i64", "i1", "f32"))
    ops = [
        (f"bits %0 : tensor<{count}xui64>", f"tensor<{count}xui64>", 0.0), (f"uniform %0 : {f64}", f64, 0.0),
        (f"randint %0, %2, %3 : {i64}", i64, 0.0), (f"bernoulli %0, %1 : {f64} -> {i1}", i1, 0.0),
        (f"binomial %0, %2, %1 : {i64}, {f64}", i64, 0.0), (f"gamma %0, %1 : {f64}", f64, 1e-13),
        *((f"{op} %0 : {t}", t, 6 * ULP[t[-4:-1]]) for op, t in itertools.product(list(STANDARD)[1:], (f32, f64))),
        (f"truncated_normal %0, %1, %1 : {f64}", f64, 4 * ULP["f64"]),
    ]  # fmt: skip
    given = ", ".join(f"%{i}: {type}" for i, type in enumerate(types))
    text = "".join(
        f"func.func @f{i}({given}) -> {type} {{\n  %r = tir.rng_{op}\n  return %r : {type}\n}}\n" for i, (op, type, _) in enumerate(ops)
    )
    module = parse_text(text, REGISTRY)
    program = Executable(parse_text(text, REGISTRY), pipeline=lambda m: run_pipeline(default(), m))
    for i, (op, _, tolerance) in enumerate(ops):
        (want,) = Interpreter(module).run(f"f{i}", [KEY, p, n, m])
        (got,) = program.call(f"f{i}", [KEY, p, n, m])
        if tolerance == 0:
            np.testing.assert_array_equal(got, want, op)
        else:  # 0 is where logarithms meet: there the error is an absolute one
            np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, err_msg=op)


@pytest.mark.parametrize("element", ["f32", "f64"])
def test_normal_numbers_are_quantiles_to_the_last_digits(element: str) -> None:
    """Machine code against scipy's quantile of t in f64, whose own error is up to 4 ulp of f64."""
    type = f"tensor<100000x{element}>"
    text = f"func.func @f(%k: tensor<2xi32>) -> {type} {{\n  %r = tir.rng_normal %k : {type}\n  return %r : {type}\n}}\n"
    (got,) = Executable(parse_text(text, REGISTRY), pipeline=lambda m: run_pipeline(default(), m)).call("f", [KEY])
    bits = drawn("bits", (100_000,), "ui32" if element == "f32" else "ui64").astype(np.uint64)
    if element == "f32":
        t = ((bits & np.uint64(2**31 - 1)).astype(np.float32) + np.float32(0.5)) * np.float32(2**-32)
    else:
        t = (((bits >> np.uint64(1)) & np.uint64(2**62 - 1)).astype(np.float64) + 0.5) * 2.0**-63
    is_lower = bits >> np.uint64(31 if element == "f32" else 63) == 1
    want = np.where(is_lower, 1, -1) * scipy.special.ndtri(t.astype(np.float64))
    far = np.abs(want) > 1e-3
    assert np.max(np.abs(got / want - 1)[far]) < 4 * ULP[element] + 4 * ULP["f64"]
    assert np.max(np.abs(got - want)[~far]) < ULP[element]


# --- streams ---------------------------------------------------------------------------------------------------------


def streams() -> dict[str, list[np.ndarray]]:
    """Keys that are neighbours in one way or another."""
    split = drawn("split", (4, 2), "i32")
    module = module_of("tir.rng_fold_in %0, %1 : tensor<4xi32> -> tensor<4x2xi32>", "tensor<4x2xi32>", ["tensor<2xi32>", "tensor<4xi32>"])
    (folded,) = Interpreter(module).run("f", [KEY, np.arange(4, dtype=np.int32)])
    seeds = [np.array([seed, 0], np.int32) for seed in range(4)]
    high = [np.array([0, seed], np.int32) for seed in range(4)]
    again = drawn("split", (3, 2), "i32", split[0])
    return {
        "split": [KEY, *split], "folded in": [KEY, *folded], "seeds": seeds, "high words": high,
        "split and folded in": [split[0], folded[0], split[1], folded[1]], "split again": [split[0], *again],
    }  # fmt: skip


@pytest.mark.parametrize("which", ["split", "folded in", "seeds", "high words", "split and folded in", "split again"])
def test_neighbouring_streams_have_nothing_to_do_with_each_other(which: str) -> None:
    """Their bits agree as often as not, in each place; their numbers are uncorrelated, shifted by some places too."""
    keys = streams()[which]
    bits = [drawn("bits", (1 << 15,), "ui32", key) for key in keys]
    half = 0.5 * math.sqrt(bits[0].size)
    for x, y in itertools.combinations(bits, 2):
        same = ~(x ^ y)
        counts = np.unpackbits(same.view(np.uint8).reshape(-1, 4), axis=1).sum(0, dtype=np.int64)
        assert np.abs(counts - x.size / 2).max() < 5 * half
        for shift in (0, 1, 2, 3, 4):
            a, b = (z.astype(np.float64) / 2**32 - 0.5 for z in (x[shift:], y[: y.size - shift]))
            assert abs(np.sum(a * b)) * 12 < 5 * math.sqrt(a.size)


def test_numbers_of_one_stream_have_nothing_to_do_with_each_other() -> None:
    """Correlations with the next 64; pairs and triples fill squares and cubes evenly; each bit is set half the time."""
    x = drawn("uniform", (300_000,), "f64")
    for lag in range(1, 65):
        assert abs(np.sum((x[lag:] - 0.5) * (x[:-lag] - 0.5))) * 12 < 5 * math.sqrt(x.size)
    for size, sides in ((2, 50), (3, 16)):
        cells = np.floor(x.reshape(-1, size) * sides).astype(int) @ (sides ** np.arange(size))
        assert_counts(np.bincount(cells, minlength=sides**size), np.full(sides**size, x.size / size / sides**size))
    bits = np.unpackbits(drawn("bits", (100_000,), "ui32").view(np.uint8).reshape(-1, 4), axis=1).sum(0, dtype=np.int64)
    assert np.abs(bits - 50_000).max() < 5 * 0.5 * math.sqrt(100_000)


def test_keys_are_all_different() -> None:
    """Split keys, keys with a number folded in, and pairs of words of the bits themselves: blocks of different counters."""
    module = module_of("tir.rng_fold_in %0, %1 : tensor<50000xi64> -> tensor<50000x2xi32>", "tensor<50000x2xi32>", ["tensor<2xi32>", "tensor<50000xi64>"])
    (folded,) = Interpreter(module).run("f", [KEY, np.arange(-25_000, 25_000)])
    split = drawn("split", (50_000, 2), "i32")
    own = drawn("bits", (50_000, 4), "i32")[:, :2]
    everything = np.concatenate([folded, split, own]).view(np.int64)
    # 150,000 of 2^64: two that are equal by chance have a probability of 6e-10.
    assert np.unique(everything).size == 150_000


def test_split_keys_do_not_depend_on_how_many_there_are() -> None:
    np.testing.assert_array_equal(drawn("split", (2, 2), "i32"), drawn("split", (7, 2), "i32")[:2])
    np.testing.assert_array_equal(drawn("split", (2, 3, 2), "i32").reshape(6, 2), drawn("split", (6, 2), "i32"))


# --- the builder -----------------------------------------------------------------------------------------------------


def test_a_seed_has_64_bits() -> None:
    for seed, words in ((0, [0, 0]), (7, [7, 0]), (-1, [-1, -1]), (2**63 + 5, [5, -(2**31)]), (2**32, [0, 1])):
        (key,) = built(lambda b, seed=seed: b.rng_key(seed))
        assert key.tolist() == words and key.dtype == np.int32


def test_places_and_scales_move_numbers_and_have_gradients() -> None:
    def function(b: Builder, key: Any, mean: Any, stddev: Any) -> Any:
        x = b.rng_normal(key, (4, 5), F64, mean, stddev)
        cost = b.sum(x * x, [0, 1])
        return (x, *b.grad(cost, [mean, stddev]))

    mean, stddev = np.array(3.0), np.array(0.5)
    x, by_mean, by_stddev = built(function, KEY, mean, stddev)
    z = drawn("normal", (4, 5), "f64")
    np.testing.assert_allclose(x, 3 + 0.5 * z, rtol=1e-15)
    np.testing.assert_allclose(by_mean, np.sum(2 * x), rtol=1e-13)  # 20 terms of up to 9
    np.testing.assert_allclose(by_stddev, np.sum(2 * x * z), rtol=1e-13)


def test_uniform_numbers_lie_between_their_bounds() -> None:
    (x,) = built(lambda b, key: b.rng_uniform(key, (1000,), F32, -2, 3), KEY)
    assert x.dtype == np.float32 and -2 <= x.min() < -1.9 and 2.9 < x.max() <= 3
    low, high = np.array([[0.0], [5.0]]), np.array([1.0, 6.0, 7.0])
    (x,) = built(lambda b, key, low, high: b.rng_uniform(key, (2, 3), F64, low, high), KEY, low, high)
    np.testing.assert_allclose(x, low + (high - low) * drawn("uniform", (2, 3), "f64"), rtol=1e-15)


@pytest.mark.parametrize("method", ["exponential", "gumbel", "laplace", "cauchy"])
def test_builder_scales_the_others_too(method: str) -> None:
    (x,) = built(lambda b, key: getattr(b, f"rng_{method}")(key, (9,), F64, scale=2), KEY)
    np.testing.assert_allclose(x, 2 * drawn(method, (9,), "f64"), rtol=1e-15)


def test_parameters_broadcast() -> None:
    n, p = np.array([[3], [50]]), np.array([0.0, 0.5, 1.0])
    (x,) = built(lambda b, key, n, p: b.rng_binomial(key, n, p), KEY, n, p)
    assert x.shape == (2, 3) and x[:, 0].tolist() == [0, 0] and x[:, 2].tolist() == [3, 50]
    (x,) = built(lambda b, key: b.rng_bernoulli(key, 0.25, (4, 4)), KEY)
    np.testing.assert_array_equal(x, drawn("bits", (4, 4), "ui32") < 2**30)
    (x,) = built(lambda b, key: b.rng_randint(key, 3, 9, (20,)), KEY)
    assert x.dtype == np.int64 and set(x.tolist()) <= set(range(3, 9))
    (x,) = built(lambda b, key: b.rng_gamma(key, 2.0, (20,), scale=3), KEY)
    np.testing.assert_allclose(x, 3 * with_parameters("gamma", "f32", 20, 2.0), rtol=1e-6)  # 8 ulp


def test_truncated_normal_numbers_have_a_mean_and_a_deviation() -> None:
    (x,) = built(lambda b, key: b.rng_truncated_normal(key, -1, 2, (1000,), F64, mean=1, stddev=3), KEY)
    np.testing.assert_allclose(x, 1 + 3 * with_parameters("truncated_normal", "f64", 1000, -2 / 3, 1 / 3), rtol=1e-12)


def test_classes_are_drawn_with_the_probabilities_of_the_softmax() -> None:
    logits = np.array([0.0, 1.0, -INF, 2.0])

    def function(b: Builder, key: Any, logits: Any) -> Any:
        return b.rng_categorical(key, b.broadcast_to(logits, (40_000, 4)))

    (x,) = built(function, KEY, logits)
    counts = np.bincount(x, minlength=4)
    assert counts[2] == 0
    assert_counts(counts[[0, 1, 3]], 40_000 * scipy.special.softmax(logits)[[0, 1, 3]])
    (x,) = built(lambda b, key, logits: b.rng_categorical(key, b.broadcast(logits, [0], (4, 500)), axis=0), KEY, logits)
    assert x.shape == (500,) and 2 not in x


def test_permutations_are_equally_likely() -> None:
    """The argsort of 64 bits each: of 20,000 rows of 4 here, which the builder does for one."""
    orders = np.argsort(drawn("bits", (20_000, 4), "ui64"), axis=1) @ 4 ** np.arange(4)
    found, counts = np.unique(orders, return_counts=True)
    assert found.size == 24
    assert_counts(counts, np.full(24, 20_000 / 24))


def test_permutation_and_shuffle_keep_everything() -> None:
    (order,) = built(lambda b, key: b.rng_permutation(key, 1000), KEY)
    assert sorted(order.tolist()) == list(range(1000)) and order.tolist() != list(range(1000))
    np.testing.assert_array_equal(order, np.argsort(drawn("bits", (1000,), "ui64"), kind="stable"))
    x = np.arange(12.0).reshape(4, 3)
    for axis in (0, 1):
        (shuffled,) = built(lambda b, key, x, axis=axis: b.rng_shuffle(key, x, axis), KEY, x)
        assert sorted(map(tuple, np.moveaxis(shuffled, axis, 0).tolist())) == sorted(map(tuple, np.moveaxis(x, axis, 0).tolist()))
    (none,) = built(lambda b, key: b.rng_permutation(key, 0), KEY)
    assert none.shape == (0,)


def test_builder_splits_and_folds_in() -> None:
    def function(b: Builder, key: Any) -> Any:
        keys = b.rng_split(key, 3)
        return keys, keys[1], b.rng_fold_in(key, 5), b.rng_bits(keys[1], (3,), UI64), b.rng_bits(key, (2,), UI32)

    keys, second, folded, wide, _ = built(function, KEY)
    np.testing.assert_array_equal(keys, drawn("split", (3, 2), "i32"))
    np.testing.assert_array_equal(second, keys[1])
    np.testing.assert_array_equal(wide, drawn("bits", (3,), "ui64", keys[1]))
    assert folded.shape == (2,) and folded.tolist() != keys[0].tolist()
