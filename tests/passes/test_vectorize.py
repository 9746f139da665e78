"""Loops over vectors compute, bit for bit, what the loops did; sums of floats but for their roundings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.passes.loop_texts import DTYPES, FORMS, Kept, column_loop, elementwise_loop, reduction_loop
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.ir.printer import print_op
from tir.ir.types import VectorType
from tir.ir.verify import verify
from tir.machines import lowered_for
from tir.parser.parse import parse_text
from tir.passes.pipelines import default
from tir.passes.vectorize import Vectorize

QUICK, SLOW = range(120), [range(start, start + 400) for start in range(120, 8_120, 400)]


def vectorized(text: str, **options: Any) -> tuple[Op, list[str]]:
    """The module behind the pass, and why loops were left as they are."""
    module, step = parse_text(text, REGISTRY), Vectorize(**options)
    step.run(module)
    verify(module)
    return module, [sentence for _, sentence in step.remarks]


def has_vectors(module: Op) -> bool:
    return any(isinstance(result.type, VectorType) for op in module.walk() for result in op.results)


def outcomes(kept: Kept, **options: Any) -> tuple[list[list[np.ndarray]], Op]:
    """The arguments behind a run: of the loop, of the loop over vectors, and of that as machine code."""
    with np.errstate(all="ignore"):
        module, _ = vectorized(kept.text, **options)
        again = parse_text(print_op(module), REGISTRY)
        found = []
        for program in (Interpreter(parse_text(kept.text, REGISTRY)), Interpreter(module), Executable(again)):
            arrays = [array.copy() for array in kept.arrays]
            run = program.run if isinstance(program, Interpreter) else program.call
            run("f", [*arrays, kept.size])
            found.append(arrays)
    return found, module


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for the bits of a nan."""
    both = np.isnan(a) & np.isnan(b) if a.dtype.kind == "f" else np.zeros(a.shape, bool)
    return bool(np.all(both | (a.view(f"u{a.itemsize}") == b.view(f"u{b.itemsize}"))))


def check_bits(seed: int, kept: Kept, **options: Any) -> bool:
    """Whether the loop went in vectors."""
    (want, *others), module = outcomes(kept, **options)
    for name, got in zip(("vectors", "machine code"), others):
        assert all(map(same_bits, got, want)), f"seed {seed}, {name}:\n{kept.text}\n{print_op(module)}\n{got}\n{want}"
    return has_vectors(module)


def check_elementwise(seed: int, **options: Any) -> bool:
    return check_bits(seed, elementwise_loop(seed), **options)


def check_columns(seed: int) -> bool:
    return check_bits(seed, column_loop(seed))


def check_reduction(seed: int, form: str, kind: str, **options: Any) -> bool:
    kept = reduction_loop(seed, form, kind)
    (want, *others), module = outcomes(kept, **options)
    for name, got in zip(("vectors", "machine code"), others):
        what = f"seed {seed}, {name}:\n{kept.text}\n{print_op(module)}\n{got[2]}\n{want[2]}"
        if kind == "f" and "reassoc" in form:
            with np.errstate(all="ignore"):
                exact = kept.arrays[0].astype(np.longdouble)
                size = np.abs(exact).sum() if "add" in form else np.abs(want[2])
                apart = np.abs(got[2] - want[2])
                largest = np.prod(np.maximum(np.abs(exact), 1)) if "mul" in form else size
            # Where it overflows depends on the order.
            rough = ~np.isfinite(want[2]) | ~np.isfinite(size) | ~(largest <= np.finfo(want[2].dtype).max)
            close = apart <= 300 * np.finfo(want[2].dtype).eps * size + np.finfo(want[2].dtype).tiny * 300
            assert rough or close, what
        else:
            assert same_bits(got[2], want[2]), what
    return has_vectors(module)


@pytest.mark.parametrize("first", QUICK[::20])
def test_random_elementwise_loops_give_the_same_bits(first: int) -> None:
    assert sum(map(check_elementwise, range(first, first + 20))) > 10


@pytest.mark.parametrize("first", QUICK[:80:20])
def test_random_loops_over_columns_give_the_same_bits(first: int) -> None:
    assert sum(map(check_columns, range(first, first + 20))) > 10


def test_so_they_do_in_vectors_of_other_sizes() -> None:
    for size in (16, 32, 128):
        assert sum(check_elementwise(seed, bytes=size) for seed in range(15)) > 7


def test_so_they_do_with_one_body_under_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tir.passes.vector_plan.MANY_OPS", 1)
    assert sum(check_elementwise(seed, masks="loops") for seed in range(40)) > 20
    assert sum(check_reduction(seed, *FORMS[seed % len(FORMS)], masks="loops") for seed in range(40)) > 15


@pytest.mark.parametrize("count", ["%n", "%c40", "%c48", "%c5"])
@pytest.mark.parametrize("masks", ["tails", "loops"])
def test_long_loops_have_one_body_where_that_is_asked_for_and_something_is_left_over(masks: str, count: str) -> None:
    chain = "\n".join(f"%v{k + 1} = arith.addf %v{k}, %v0 : f32" for k in range(205))
    text = f"""
    func.func @f(%x: memref<64xf32>, %n: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c5 = arith.constant 5 : index
      %c40 = arith.constant 40 : index
      %c48 = arith.constant 48 : index
      scf.parallel (%i) = (%c0) to ({count}) step (%c1) {{
        %v0 = memref.load %x[%i] : memref<64xf32>
        {chain}
        memref.store %v205, %x[%i] : memref<64xf32>
      }}
      return
    }}
    """
    module, _ = vectorized(text, masks=masks)
    ops = [op.name for op in module.walk()]
    bodies = {"%n": 2, "%c40": 2, "%c48": 1, "%c5": 1}[count] if masks == "tails" else 1
    assert ops.count("arith.addf") == bodies * 205
    assert ops.count("vector.store") == (count == "%c48" or bodies - 1)
    for size in range(0, 60, 7):
        want, got, code = outcomes(Kept(text, [np.arange(64, dtype=np.float32)], size), masks=masks)[0]
        assert same_bits(got[0], want[0])
        assert same_bits(code[0], want[0])


def test_what_is_left_of_long_loops_of_narrow_elements_goes_one_by_one() -> None:
    chain = "\n".join(f"%v{k + 1} = arith.addi %v{k}, %v0 : i8" for k in range(205))
    body = f"%v0 = memref.load %x[%i] : memref<?xi8>\n{chain}\nmemref.store %v205, %x[%i] : memref<?xi8>"
    module, _ = vectorized(parallel(body, "%x: memref<?xi8>"), masks="loops")
    assert "vector.maskedload" not in names(module)
    assert "vector.load" in names(module)


@pytest.mark.parametrize(("form", "kind"), FORMS, ids=[form.split()[0] for form, _ in FORMS])
def test_random_reductions_give_the_same_number(form: str, kind: str) -> None:
    assert sum(check_reduction(seed, form, kind) for seed in range(12)) > 5


ALIKE = {"i": (-5, 3, 0), "f": (-5.0, 3.0, -0.0, -np.inf, np.inf, np.nan)}


@pytest.mark.parametrize(("form", "kind"), FORMS, ids=[form.split()[0] for form, _ in FORMS])
def test_what_lanes_begin_with_changes_no_reduction_of_numbers_that_are_all_alike(form: str, kind: str) -> None:
    element = f"{kind}32"
    text = f"""
    func.func @f(%a: memref<?x{element}>, %b: memref<?x{element}>, %s: memref<{element}>, %n: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %first = memref.load %s[] : memref<{element}>
      %all = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %first) -> ({element}) {{
        %0 = memref.load %a[%i] : memref<?x{element}>
        %new = {form.format("%acc", "%0").replace("T", element)}
        scf.yield %new : {element}
      }}
      memref.store %all, %s[] : memref<{element}>
      return
    }}
    """
    for number in ALIKE[kind]:
        for size in (1, 20, 70):
            arrays = [np.full(shape, number, DTYPES[element]) for shape in (size, size, ())]
            (want, *others), _ = outcomes(Kept(text, arrays, size))
            for got in others:
                np.testing.assert_allclose(got[2], want[2], rtol=1e-5)
                assert np.signbit(got[2]) == np.signbit(want[2]) or np.isnan(got[2])


@pytest.mark.slow
@pytest.mark.parametrize("seeds", SLOW, ids=str)
def test_many_random_loops_give_the_same(seeds: range) -> None:
    for seed in seeds:
        check_elementwise(seed)
        check_columns(seed)
        check_reduction(seed, *FORMS[seed % len(FORMS)])


# --- what a loop over vectors is -------------------------------------------------------------------------------------


def parallel(body: str, arguments: str = "%x: memref<?xf32>, %y: memref<?xf32>", bounds: str = "(%c0) to (%n) step (%c1)") -> str:
    return f"""
    func.func @f({arguments}, %n: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %k = arith.constant 2.0 : f32
      scf.parallel (%i) = {bounds} {{
        {body}
      }}
      return
    }}
    """


LOAD = "%0 = memref.load %x[%i] : memref<?xf32>\n"


def names(module: Op) -> list[str]:
    return [op.name for op in module.walk()]


def test_a_long_body_goes_in_one_vector_and_a_short_one_in_four() -> None:
    short, _ = vectorized(parallel(LOAD + "memref.store %0, %y[%i] : memref<?xf32>"))
    assert names(short).count("vector.load") == 4
    lines = [f"%{k + 1} = math.sqrt %{k} : f32" for k in range(20)]
    long, _ = vectorized(parallel("\n".join([LOAD, *lines, "memref.store %20, %y[%i] : memref<?xf32>"])))
    assert names(long).count("vector.load") == 1
    assert names(long).count("math.sqrt") == 40  # whole vectors, and the last one
    assert names(short).count("memref.load") == 1  # for a few iterations, one by one
    assert "memref.load" not in names(long)


def test_what_is_left_of_narrow_elements_goes_one_by_one() -> None:
    module, _ = vectorized(parallel("%0 = memref.load %x[%i] : memref<?xi8>\nmemref.store %0, %x[%i] : memref<?xi8>", "%x: memref<?xi8>"))
    assert "vector<64xi8>" in print_op(module)
    assert "tir.short" in print_op(module)
    assert "vector.maskedload" not in names(module)


def test_what_all_iterations_share_is_computed_once_in_front() -> None:
    body = """%0 = memref.load %x[%i] : memref<?xf32>
        %1 = math.sqrt %k : f32
        %2 = arith.addf %0, %1 : f32
        memref.store %2, %y[%i] : memref<?xf32>"""
    module, _ = vectorized(parallel(body))
    roots = [op for op in module.walk() if op.name == "math.sqrt"]
    assert len(roots) == 1
    assert roots[0].parent_op is not None and roots[0].parent_op.name == "func.func"


def test_a_number_that_the_loop_may_write_is_read_in_each_step() -> None:
    """%y may be %s."""
    body = """%0 = memref.load %s[] : memref<f32>
        %1 = memref.load %x[%i] : memref<?xf32>
        %2 = arith.addf %0, %1 : f32
        memref.store %2, %y[%i] : memref<?xf32>"""
    module, _ = vectorized(parallel(body, "%x: memref<?xf32>, %y: memref<?xf32>, %s: memref<f32>"))
    places = [op.parent_op.name for op in module.walk() if op.name == "memref.load" and op.parent_op is not None]
    assert places == ["scf.parallel"] * 4  # and its copy, for a few iterations


@pytest.mark.parametrize(("size", "vectors", "masked", "lanes"), [
    (4, 1, 0, 4), (8, 1, 0, 8), (20, 1, 1, 16), (16, 1, 0, 16), (17, 1, 1, 16), (64, 4, 0, 16), (70, 4, 1, 16), (100, 6, 1, 16),
])  # fmt: skip
def test_sizes_that_are_known_need_no_loop_over_what_is_left(size: int, vectors: int, masked: int, lanes: int) -> None:
    text = parallel(LOAD + "memref.store %0, %y[%i] : memref<?xf32>").replace(
        "%k =", f"%m = arith.constant {size} : index\n%k ="
    )
    module, _ = vectorized(text.replace("to (%n)", "to (%m)"))
    found = names(module)
    assert (found.count("vector.load"), found.count("vector.maskedload")) == (vectors, masked)
    assert f"vector<{lanes}xf32>" in print_op(module)


@pytest.mark.parametrize(("text", "why"), [
    (parallel(LOAD + "memref.store %0, %y[%i] : memref<?xf32>", bounds="(%c0) to (%n) step (%c2)"), "its step is not 1"),
    (parallel(LOAD + "memref.store %0, %y[%i] : memref<?xf32>", bounds="(%c0) to (%c2) step (%c1)"), "it has 2 iterations, too few for vectors"),
    (parallel("%0 = memref.load %x[%i, %c0] : memref<?x4xf32>\nmemref.store %0, %y[%i] : memref<?xf32>",
              "%x: memref<?x4xf32>, %y: memref<?xf32>"), "memref.load takes places that are not side by side"),
    (parallel("%0 = memref.load %x[%i] : memref<?xf32, strided<[2]>>\nmemref.store %0, %y[%i] : memref<?xf32>",
              "%x: memref<?xf32, strided<[2]>>, %y: memref<?xf32>"), "memref.load takes places that are not side by side"),
    (parallel("%0 = memref.load %x[%i, %i] : memref<?x?xf32>\nmemref.store %0, %y[%i] : memref<?xf32>",
              "%x: memref<?x?xf32>, %y: memref<?xf32>"), "memref.load takes places that are not side by side"),
    (parallel("%j = arith.muli %i, %c2 : index\n%0 = memref.load %x[%j] : memref<?xf32>\n"
              "memref.store %0, %y[%i] : memref<?xf32>"), "memref.load takes places that are not side by side"),
    (parallel("%j = arith.subi %n, %i : index\n%0 = memref.load %x[%j] : memref<?xf32>\n"
              "memref.store %0, %y[%i] : memref<?xf32>"), "memref.load takes places that are not side by side"),
    (parallel(LOAD + "memref.store %0, %y[%c0] : memref<?xf32>"), "memref.store takes one place in all iterations"),
    (parallel(LOAD + "%1 = arith.remf %0, %0 : f32\nmemref.store %1, %y[%i] : memref<?xf32>"), "arith.remf stands inside"),
    (parallel("""%1 = scf.for %j = %c0 to %i step %c1 iter_args(%s = %k) -> (f32) {
        %2 = memref.load %x[%j] : memref<?xf32>
        %3 = arith.subf %2, %s : f32
        scf.yield %3 : f32
      }
      memref.store %1, %y[%i] : memref<?xf32>"""), "a step needs what the one before it has made"),
    (parallel("""%1 = scf.for unsigned %j = %c0 to %n step %c1 iter_args(%s = %k) -> (f32) {
        %2 = memref.load %x[%i] : memref<?xf32>
        %3 = arith.subf %2, %s : f32
        scf.yield %3 : f32
      }
      memref.store %1, %y[%i] : memref<?xf32>"""), "its counter is unsigned"),
    (parallel('%p = arith.cmpi ult, %i, %c2 : index\ncf.assert %p, "no"'), "cf.assert stands inside"),
])  # fmt: skip
def test_a_loop_that_stays_as_it_is_says_why(text: str, why: str) -> None:
    module, remarks = vectorized(text)
    assert remarks == [f"not vectorized: {why}"]
    assert not has_vectors(module)
    assert print_op(module) == print_op(parse_text(text, REGISTRY))


def reduction(step: str, yielded: str = "%new") -> str:
    return f"""
    func.func @f(%x: memref<?xf32>, %n: index) -> f32 {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      %all = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (f32) {{
        %0 = memref.load %x[%i] : memref<?xf32>
        {step}
        scf.yield {yielded} : f32
      }}
      return %all : f32
    }}
    """


@pytest.mark.parametrize(("text", "why"), [
    (reduction("%new = arith.addf %acc, %0 : f32"), "its order is part of its result"),
    (reduction("%new = arith.subf %acc, %0 : f32"), "a step needs what the one before it has made"),
    (reduction("%new = arith.maximumf %acc, %acc : f32"), "a step needs what the one before it has made"),
    (reduction("%1 = arith.mulf %acc, %0 : f32\n%new = arith.maximumf %acc, %1 : f32"), "a step needs what the one before it has made"),
    (reduction("%new = arith.maximumf %acc, %0 : f32\nmemref.store %new, %x[%i] : memref<?xf32>"), "its iterations run in order"),
    (reduction("", "%0"), "a step needs what the one before it has made"),
    (reduction("", "%acc"), "a step needs what the one before it has made"),
])  # fmt: skip
def test_a_reduction_whose_order_counts_stays_as_it_is(text: str, why: str) -> None:
    module, remarks = vectorized(text)
    assert remarks == [f"not vectorized: {why}"]
    assert not has_vectors(module)


def test_a_place_that_a_loop_without_iterations_would_not_read_need_not_exist() -> None:
    text = reduction("%1 = memref.load %x[%c2] : memref<?xf32>\n%new = arith.maximumf %acc, %1 : f32")
    module, _ = vectorized(text.replace("%zero =", "%c2 = arith.constant 2 : index\n%zero ="))
    assert has_vectors(module)
    assert Interpreter(module).run("f", [np.zeros(0, np.float32), 0]) == [0.0]


def test_a_function_of_very_many_loops_keeps_them() -> None:
    loop = """scf.parallel (%i) = (%c0) to (%n) step (%c1) {{
        %0 = memref.load %x[%i] : memref<?xf32>
        memref.store %0, %y[%i] : memref<?xf32>
      }}"""
    text = parallel(LOAD + "memref.store %0, %y[%i] : memref<?xf32>")
    head, tail = text.rsplit("return", 1)
    few, _ = vectorized(head + "\n".join([loop.format()] * 98) + "return" + tail)
    assert has_vectors(few)
    many, remarks = vectorized(head + "\n".join([loop.format()] * 100) + "return" + tail)
    assert not has_vectors(many)
    assert remarks == ["not vectorized: the function has more than 100 loops"] * 101


def test_counts_below_zero_run_nothing() -> None:
    module, _ = vectorized(parallel(LOAD + "memref.store %0, %y[%i] : memref<?xf32>"))
    for program in (Interpreter(module).run, Executable(module).call):
        x, y = np.ones(8, np.float32), np.zeros(8, np.float32)
        program("f", [x, y, -5])
        np.testing.assert_array_equal(y, 0)


# --- machine code ----------------------------------------------------------------------------------------------------


def passes_of(text: str) -> str:
    module = parse_text(text, REGISTRY)
    run_pipeline(default(), module)
    return lowered_for(module).passes


def test_only_loops_that_are_left_need_all_passes_of_llvm() -> None:
    rows = "func.func @f(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {{\n  %0 = {} : tensor<?x?xf32>\n  return %0 : tensor<?x?xf32>\n}}"
    assert passes_of(rows.format("tir.softmax %x over [1]")) == "lines"
    assert passes_of(rows.format("tir.tanh %x")) == "lines"
    assert passes_of(rows.format("tir.transpose %x by [1, 0]")) == "all"
    assert passes_of("func.func @f(%x: tensor<f32>) -> tensor<f32> {\n  return %x : tensor<f32>\n}") == "lines"


def test_loops_of_few_steps_in_all_need_no_passes_of_llvm() -> None:
    turned = "func.func @f(%x: tensor<{0}x{1}xf32>) -> tensor<{1}x{0}xf32> {{\n  %0 = tir.transpose %x by [1, 0] : tensor<{1}x{0}xf32>\n  return %0 : tensor<{1}x{0}xf32>\n}}"
    assert passes_of(turned.format(5, 7)) == "lines"
    assert passes_of(turned.format(50, 70)) == "all"
