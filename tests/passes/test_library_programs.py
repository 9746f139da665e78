"""lower-structured with calls of LAPACK: against numpy, the same as by own loops for every input, at every level."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, first_disagreement, module_at, modules_at, steps
from tests.library import HAS_SCIPY, MACHINES, calls, needs_scipy
from tests.semantics_checks import found_by, wrong_of
from tir.api import executable
from tir.compile import Executable
from tir.dialects import library as meanings
from tir.dialects.all import REGISTRY
from tir.dialects.tir.solve import Det
from tir.ir.errors import PassError
from tir.ir.pass_manager import Pass, Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.bufferize import Bufferize
from tir.passes.lower_structured import LowerStructured
from tir.passes.pipelines import default, fuse, lower_cpu, to_structured
from tir.runtime import library

DTYPES = {"f32": np.float32, "f64": np.float64}
SIDES = 3  # columns of b
A, B, D = "{a}", "{b}", "{d}"  # types: of the matrices, of the right-hand sides, of one number for each matrix

#: The ops by a name: the type of the result, the op, and what it calls.
OPS = {
    "cholesky": (A, "tir.cholesky %a : {a}", ["potrf"]),
    **{
        f"triangular_solve{words}": (B, f"tir.triangular_solve %a, %b{words} : {{a}}, {{b}}", ["trsm"])
        for words in ("", " upper", " transpose", " unit", " upper transpose", " upper transpose unit")
    },
    "solve": (B, "tir.solve %a, %b : {a}, {b}", ["getrf", "trsm", "trsm"]),
    "inv": (A, "tir.inv %a : {a}", ["getrf", "trsm", "trsm"]),
    "det": (D, "tir.det %a : {a} -> {d}", ["getrf"]),
}

#: The sizes in the types: of the axes in front, of the matrix, of the right-hand sides.
NAMED, OPEN = ("[B]", "[N]", "[K]"), ("?", "?", "?")


LIBRARY_LEVELS: dict[str, tuple[Callable[[], list[Pass]], str]] = {
    "structured, calls": (lambda: to_structured("always"), "interpret"),
    "fused, calls": (lambda: steps(fuse("always")), "interpret"),
    "bufferized, calls": (lambda: [*steps(fuse("always")), Bufferize()], "interpret"),
    "loops, calls": (lambda: steps(default("always")), "interpret"),
    **({"cpu, calls": (lambda: steps(default("always")), "cpu")} if HAS_SCIPY else {}),
}


def types(element: str, rank: int, sizes: tuple[Any, Any, Any]) -> dict[str, str]:
    """The types of matrices, right-hand sides and numbers; sizes: see `NAMED`."""
    batch, n, k = sizes
    fronts = [f"[{'BCDE'[i]}]" if batch == "[B]" else batch for i in range(rank - 2)]
    shapes = {"a": [*fronts, n, n], "b": [*fronts, n, k], "d": fronts}
    return {name: f"tensor<{''.join(f'{size}x' for size in shape)}{element}>" for name, shape in shapes.items()}


def program(op: str, element: str, rank: int, sizes: tuple[Any, Any, Any]) -> str:
    """@main(%a, %b) with the op."""
    result, body, _ = OPS[op]
    found = types(element, rank, sizes)
    return "func.func @main(%a: {a}, %b: {b}) -> R {{\n  %0 = {op}\n  return %0 : R\n}}\n".replace(
        "R", result
    ).replace("{op}", body).format(**found)  # fmt: skip


@cache
def compiled(machine: str, text: str, use: str = "always") -> Executable:
    pipeline = default(use) if machine == "cpu" else fuse(use)
    return Executable(parse_text(text, REGISTRY), machine, lambda module: run_pipeline(pipeline, module))


def result_of(machine: str, text: str, a: Any, b: Any, use: str = "always") -> np.ndarray:
    return np.array(compiled(machine, text, use).call("main", [a, b])[0])


# --- against numpy ---------------------------------------------------------------------------------------------------


def matrices(op: str, element: str, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Matrices that are far from singular, for Cholesky symmetric and positive definite, and right-hand sides."""
    rng, n = np.random.default_rng(3), shape[-1]
    x = rng.normal(size=shape)
    if op == "cholesky":
        a = x @ np.swapaxes(x, -1, -2) / max(n, 1) + np.eye(n)
    elif op.startswith("triangular"):
        a = x / (4 * max(n, 1)) + np.eye(n) * (1 + np.arange(n) % 3)
    else:
        a = x / max(n, 1) ** 0.5 + 3 * np.roll(np.eye(n), 1, 0)  # rows and columns must be exchanged
    return a.astype(DTYPES[element]), rng.normal(size=(*shape[:-1], SIDES)).astype(DTYPES[element])


def by_numpy(op: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The answer in f64, by numpy's LAPACK."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if op == "cholesky":
        return np.linalg.cholesky(a)
    if op.startswith("triangular"):
        a = np.triu(a) if "upper" in op else np.tril(a)
        a = a - a * np.eye(a.shape[-1]) + np.eye(a.shape[-1]) if "unit" in op else a
        return np.linalg.solve(np.swapaxes(a, -1, -2) if "transpose" in op else a, b)
    return np.linalg.solve(a, b) if op == "solve" else {"inv": np.linalg.inv, "det": np.linalg.det}[op](a)


SHAPES = {2: [(n, n) for n in (0, 1, 2, 7, 33, 100)], 3: [(0, 2, 2), (2, 0, 0), (3, 7, 7), (2, 33, 33)],
          4: [(2, 3, 1, 1), (2, 0, 2, 2), (1, 2, 7, 7)]}  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_what_is_called(op: str) -> None:
    for element, letter, rank, sizes in (("f32", "s", 2, NAMED), ("f64", "d", 3, OPEN)):
        module = module_at(program(op, element, rank, sizes), steps(fuse("always")))
        assert calls(module) == [letter + routine for routine in OPS[op][2]]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("rank", "element", "sizes"), [(2, "f32", NAMED), (2, "f64", OPEN), (3, "f32", OPEN), (4, "f64", NAMED)]
)
@pytest.mark.parametrize("op", OPS)
def test_answers_are_those_of_numpy(op: str, rank: int, element: str, sizes: Any, machine: str) -> None:
    text = program(op, element, rank, sizes)
    for shape in SHAPES[rank]:
        if machine == "interpret" and np.prod(shape) > 3 * 7 * 7:
            continue  # element by element in Python
        a, b = matrices(op, element, shape)
        got, want = result_of(machine, text, a, b), by_numpy(op, a, b)
        assert got.shape == want.shape and got.dtype == a.dtype
        scale = np.abs(want).max(initial=1.0) if op != "det" else np.abs(want)
        with np.errstate(all="ignore"):  # a determinant that is inf in f32
            want = want.astype(a.dtype)
            # 10 roundings of each of 100 terms; the conditions of these matrices are below 10
            near = (got == want) | (np.abs(got - want) <= 1000 * np.finfo(a.dtype).eps * scale)
        assert near.all(), shape


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("op", OPS)
def test_known_sizes(op: str, machine: str) -> None:
    for rank, n in itertools.product((2, 3), (0, 1, 5)):
        a, b = matrices(op, "f64", (2,) * (rank - 2) + (n, n))
        text = program(op, "f64", rank, (2, n, SIDES))
        np.testing.assert_allclose(result_of(machine, text, a, b), by_numpy(op, a, b), rtol=1e-12, atol=1e-13)


# --- what is out of the ordinary -------------------------------------------------------------------------------------


DECIDED_BY_ROUNDINGS = "semidefinite, not exactly"  # its last pivot is of the size of the roundings before it


def hard_inputs(dtype: Any) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Matrices and right-hand sides with something out of the ordinary."""
    rng = np.random.default_rng(5)
    tiny, huge = float(np.finfo(dtype).smallest_subnormal) * 8, float(np.finfo(dtype).max) / 4
    n = 3
    x = rng.normal(size=(n, n))
    plain, b = x @ x.T + np.eye(n), rng.normal(size=(n, SIDES))
    for number in (np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, huge, -huge):
        for place in itertools.product(range(n), repeat=2):
            a = plain.copy()
            a[place] = number
            yield f"{number} at {place}", a, b
        for row in range(n):
            sides = b.copy()
            sides[row, 1] = number
            yield f"{number} in row {row} of b", plain, sides
    with_zeros = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 4.0]])
    for number in (np.nan, np.inf):
        for place in itertools.product(range(n), repeat=2):
            a = with_zeros.copy()
            a[place] = number
            yield f"{number} beside zeros at {place}", a, np.zeros((n, SIDES))
    yield "zeros", np.zeros((n, n)), b
    yield "ones", np.ones((n, n)), b
    yield "1 to 9", np.arange(1.0, 10.0).reshape(3, 3), b
    yield "one number", np.full((n, n), 0.1348), b
    yield "a row twice", plain[[0, 1, 1]], b
    yield "a column twice", plain[:, [0, 1, 1]], b
    yield "not definite at the end", np.array([[4.0, 2.0, 2.0], [2.0, 5.0, 3.0], [2.0, 3.0, 1.0]]), b
    yield "semidefinite", np.outer([1.0, 3.0, 7.0], [1.0, 3.0, 7.0]), b
    yield DECIDED_BY_ROUNDINGS, np.outer([0.1, 0.3, 0.7], [0.1, 0.3, 0.7]), b
    yield "negative", -plain, b
    yield "small", plain * tiny * 4096, b * tiny * 4096
    yield "large", plain * (huge / 64), b * (huge / 64)
    yield "of all sizes", plain * np.outer([1e-12, 1.0, 1e12], [1e-12, 1.0, 1e12]), b


def same(got: np.ndarray, want: np.ndarray) -> bool:
    """nan and infinities at the same places; numbers up to 1e4 roundings of the largest of their column.

    The matrices that are neither singular nor refused have conditions below 1e4.
    """
    eps = np.finfo(want.dtype).eps
    finite = np.where(np.isfinite(want), np.abs(want), 0)
    scale = np.broadcast_to(finite.max(axis=-2, keepdims=True) if want.ndim > 1 else finite, want.shape)
    with np.errstate(all="ignore"):
        near = (got == want) | (np.abs(got - want) <= 1e4 * eps * scale)
    return bool((near | (np.isnan(got) & np.isnan(want))).all())


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", ["f64", pytest.param("f32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("op", OPS)
def test_own_loops_and_library_give_the_same_for_every_input(op: str, element: str, machine: str) -> None:
    text, several = program(op, element, 2, NAMED), program(op, element, 3, NAMED)
    reference = executable(parse_text(text, REGISTRY), "interpret")
    names, *inputs = zip(*hard_inputs(DTYPES[element]))
    with np.errstate(over="ignore"):
        stacks = [np.stack(arrays).astype(DTYPES[element]) for arrays in inputs]
    together = result_of(machine, several, *stacks)  # no problem changes another one
    for what, a, b, got_together in zip(names, *stacks, together):
        want, got = (result_of(machine, text, a, b, use) for use in ("never", "always"))
        assert same(got, want), f"{what}:\n{got}\ninstead of\n{want}"
        assert same(got_together, want), f"{what}, among others:\n{got_together}\ninstead of\n{want}"
        if what != DECIDED_BY_ROUNDINGS:
            (meaning,) = reference.call("main", [a, b])
            assert same(got, np.array(meaning)), f"{what}:\n{got}\ninstead of\n{meaning}"


@pytest.mark.parametrize("op", ["cholesky", "triangular_solve upper", "solve", "det"])
def test_every_input_at_every_level(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, level in LIBRARY_LEVELS.items():
        monkeypatch.setitem(LEVELS, name, level)
    text = program(op, "f64", 3, NAMED)
    names, *inputs = zip(*hard_inputs(np.float64))
    stacks = [np.stack([x for name, x in zip(names, arrays) if name != DECIDED_BY_ROUNDINGS]) for arrays in inputs]
    want = result_of("interpret", text, *stacks, "never")
    for name, module in modules_at(text, list(LIBRARY_LEVELS)):
        got = np.array(Executable(module, LIBRARY_LEVELS[name][1]).call("main", stacks)[0])
        assert all(map(same, got, want)), name


@needs_scipy
@pytest.mark.parametrize("element", DTYPES)
def test_large_matrices_out_of_the_ordinary(element: str) -> None:
    n, dtype = 70, DTYPES[element]
    a, b = matrices("solve", element, (n, n))
    definite, _ = matrices("cholesky", element, (n, n))
    singular = a.copy()
    singular[:, 41] = singular[:, 13]
    singular[41] = 0
    unknown = a.copy()
    unknown[20, 60] = np.nan
    indefinite = definite.copy()
    indefinite[50, 50] = -1
    found = {op: lambda a, op=op: result_of("cpu", program(op, element, 2, NAMED), a, b) for op in OPS}
    for op in ("solve", "inv"):
        assert np.isnan(found[op](singular)).all()
        assert np.isnan(found[op](unknown)).all()
    assert found["det"](singular) == 0
    assert np.isnan(found["det"](unknown))
    factor = found["cholesky"](indefinite)
    kept = np.linalg.cholesky(definite.astype(np.float64))  # the same up to the row that differs
    assert np.abs(factor[:50, :50] - kept[:50, :50]).max() < 100 * np.finfo(dtype).eps
    assert np.isfinite(factor[:, :50]).all()
    assert np.isnan(factor[50:, 50:][np.tril_indices(n - 50)]).all()
    assert (np.triu(factor, 1) == 0).all()


def test_what_the_library_refuses_goes_through_own_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meanings, "MEANINGS", {
        **meanings.MEANINGS, "potrf": lambda lower, a: (np.where(np.tri(len(a)) > 0, np.nan, a), np.int32(-1)),
        "getrf": lambda a, pivots: (a * 0, pivots * 0, np.int32(-1)),
    })  # fmt: skip
    for op in ("cholesky", "solve", "inv", "det"):
        a, b = matrices(op, "f64", (4, 4))
        got = result_of("interpret", program(op, "f64", 2, NAMED), a, b)
        np.testing.assert_allclose(got, by_numpy(op, a, b), rtol=1e-12, atol=1e-13)


# --- the semantics of the pass ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPS)
def test_calls_keep_what_the_program_computes(op: str) -> None:
    wrong, said = found_by(program(op, "f64", 2, ("[B]", 3, 2)), LowerStructured("always"))
    assert wrong is None, wrong
    assert said


def test_a_wrong_answer_of_a_library_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(self: Det, p: Any, a: Any) -> list[Any]:
        return [p.result(fill=1)]

    monkeypatch.setattr(Det, "library_program", one)
    assert wrong_of(program("det", "f64", 2, ("[B]", 3, 2)), LowerStructured("always"))


# --- gradients -------------------------------------------------------------------------------------------------------

GRADIENT = """
    func.func @main(%x: {a}, %y: {b}, %w: RESULT) -> (tensor<f64>, {a}, {b}) {{
      %a = tir.leaf %x : {a}
      %b = tir.leaf %y : {b}
      %0 = OP
      %1 = tir.mul %0, %w : RESULT
      %cost = tir.sum %1 over [AXES] : tensor<f64>
      %z = tir.sum %b over [BAXES] : tensor<f64>
      %both = tir.add %cost, %z : tensor<f64>
      %da, %db = tir.grad %both wrt (%a, %b) : {a}, {b}
      return %both, %da, %db : tensor<f64>, {a}, {b}
    }}
"""


SLOW = {op for op in OPS if op.startswith("triangular_solve ")}


@pytest.mark.parametrize(
    ("op", "rank"),
    [
        *(pytest.param(op, 2, marks=pytest.mark.slow) if op in SLOW else (op, 2) for op in OPS),
        ("cholesky", 3), ("solve", 3),
    ],
)
def test_gradients_at_every_level(op: str, rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, level in LIBRARY_LEVELS.items():
        monkeypatch.setitem(LEVELS, name, level)
    result, body, _ = OPS[op]
    result_rank = rank - 2 if result is D else rank
    text = GRADIENT.replace("RESULT", result).replace("OP", body).format(**types("f64", rank, NAMED))
    axes = [", ".join(map(str, range(count))) for count in (result_rank, rank)]
    text = text.replace("BAXES", axes[1]).replace("AXES", axes[0])
    a, b = matrices(op, "f64", (2,) * (rank - 2) + (4, 4))
    rng = np.random.default_rng(8)
    w = rng.normal(size=by_numpy(op, a, b).shape)
    disagreement = first_disagreement(text, [a, b, w], levels=["tensor", *LIBRARY_LEVELS], read_back={"fused, calls"})
    assert disagreement is None, disagreement
    loops = module_at(text, LEVELS["loops, calls"][0]())
    _, da, db = Executable(loops, "interpret").call("main", [a, b, w])
    step, (u, v) = 1e-6, (rng.normal(size=x.shape) for x in (a, b))
    u = np.tril(u) + np.swapaxes(np.tril(u, -1), -1, -2) if op == "cholesky" else u
    costs = [(by_numpy(op, a + h * u, b + h * v) * w).sum() + (b + h * v).sum() for h in (step, -step)]
    # cholesky reads the lower triangle alone, so that an element below the diagonal counts once
    along = (da * u).sum() + (db * v).sum()
    assert along == pytest.approx((costs[0] - costs[1]) / (2 * step), rel=1e-6, abs=1e-6)  # errors of h^2 and eps / h


# --- which ops become calls ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "chosen"), [(4, False), (63, False), (64, True), (300, True), ("?", True), ("[N]", True)]
)
def test_auto_goes_by_the_rows(rows: Any, chosen: bool) -> None:
    for op in OPS:
        module = module_at(program(op, "f32", 3, (2, rows, 1)), [LowerStructured("auto")])
        assert bool(calls(module)) == (chosen and not op.startswith("triangular"))  # for which own loops keep up


def test_nothing_is_called_unless_it_is_asked_for() -> None:
    for pipeline in (fuse(), lower_cpu(), default()):
        assert not calls(module_at(program("solve", "f32", 2, NAMED), steps(pipeline)))
    text = str(fuse())
    assert "library" not in text


def test_without_scipy_there_are_own_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_tables", list)
    library.has_library.cache_clear()
    try:
        a, b = matrices("solve", "f64", (70, 70))
        (got,) = executable(parse_text(program("solve", "f64", 2, NAMED), REGISTRY)).call("main", [a, b])
        np.testing.assert_allclose(got, by_numpy("solve", a, b), rtol=1e-11, atol=1e-12)
    finally:
        library.has_library.cache_clear()


def test_calls_need_the_module() -> None:
    module = parse_text(program("det", "f32", 2, NAMED), REGISTRY)
    nested = Pipeline([LowerStructured("always")], "func.func")
    with pytest.raises(PassError, match="with calls of a library runs on the module, not on func.func"):
        run_pipeline(Pipeline([nested]), module)


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(PassError, match="'library' must be one of auto, always, never, got 'maybe'"):
        LowerStructured("maybe")


# --- buffers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("op", OPS)
def test_the_library_works_in_place_or_in_scratch_memory_without_copies(op: str, rank: int) -> None:
    module = module_at(program(op, "f64", rank, NAMED), [*steps(fuse("always")), Bufferize()])
    text = print_op(module)
    # Of one problem each result is solved in its place; factors need room, and so do the right-hand sides of own loops.
    scratch = {"cholesky": rank - 2, "det": 2, "inv": 3, "solve": 3}.get(op, 2 * (rank - 2))
    scratch += op == "inv"  # the ones of its right-hand side
    assert text.count("memref.alloc(") == scratch
    assert "memref.copy" not in text
