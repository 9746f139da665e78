"""linalg.generic: whole arrays give the bits of point after point, sizes are checked, and the verifier's rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.dialects.programs import function, module, run, run_body, run_error, verify_error
from tir.dialects import linalg
from tir.ir import nest
from tir.ir.traits import Effects, effects_of, is_pure

RANDOM = np.random.default_rng(7)
MULTIPLY_ADD = "%p = arith.mulf %a, %b : f32\n%s = arith.addf %p, %c : f32\nlinalg.yield %s : f32"


def floats(*shape: int) -> Any:
    return RANDOM.standard_normal(shape).astype(np.float32)


def generic(
    maps: Sequence[str], iterators: str, inputs: Sequence[str], outputs: Sequence[str], arguments: str, body: str
) -> str:
    """A function `@f` that is one linalg.generic on its arguments; iterators: a letter each, `p` or `r`."""
    values = [f"%v{i}" for i in range(len(inputs) + len(outputs))]
    kinds = ", ".join({"p": '"parallel"', "r": '"reduction"'}[letter] for letter in iterators)
    dims = ", ".join(f"d{i}" for i in range(len(iterators)))
    listed = ", ".join(f"affine_map<({dims}) -> ({result})>" for result in maps)
    ins = f"ins({', '.join(values[: len(inputs)])} : {', '.join(inputs)})" if inputs else ""
    outs = f"outs({', '.join(values[len(inputs) :])} : {', '.join(outputs)})"
    tensors = [type for type in outputs if type.startswith("tensor")]
    results = f" -> ({', '.join(tensors)})" if tensors else ""
    names = [f"%r#{i}" for i in range(len(tensors))]
    signature = ", ".join(f"{v}: {t}" for v, t in zip(values, [*inputs, *outputs]))
    return function(
        f"({signature}){results}",
        f"""{f"%r:{len(tensors)} = " if tensors else ""}linalg.generic {{indexing_maps = [{listed}],
          iterator_types = [{kinds}]}} {ins} {outs} {{
        ^bb0({arguments}):
          {body}
        }}{results}
        return {", ".join(names)}{" : " if names else ""}{", ".join(tensors)}""",
    )


def point_after_point(
    sizes: Sequence[int], accesses: Sequence[Callable[..., tuple[int, ...]]], arrays: Sequence[Any], outputs: int,
    body: Callable[..., tuple[Any, ...]],
) -> list[Any]:  # fmt: skip
    """What the loops give: `accesses` are the maps as Python functions, the last `outputs` arrays are written."""
    arrays = [*arrays[: len(arrays) - outputs], *(np.array(a) for a in arrays[len(arrays) - outputs :])]
    with np.errstate(all="ignore"):
        for point in itertools.product(*map(range, sizes)):
            places = [access(*point) for access in accesses]
            values = body(point, *(a[p] for a, p in zip(arrays, places)))
            for array, place, value in zip(arrays[-outputs:], places[-outputs:], values):
                array[place] = value
    return arrays[-outputs:]


def assert_same_bits(got: Any, want: Any) -> None:
    assert got.dtype == want.dtype and got.shape == want.shape
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    np.testing.assert_array_equal(np.where(np.isnan(got), 0, got).view(f"i{got.itemsize}"),
                                  np.where(np.isnan(want), 0, want).view(f"i{want.itemsize}"))  # fmt: skip


@pytest.mark.parametrize(("m", "k", "n"), [(3, 5, 4), (1, 1, 1), (0, 3, 2), (2, 0, 3), (2, 300, 1)])
@pytest.mark.parametrize("order", ["mnk", "kmn", "mkn"])
def test_matrix_product_adds_in_order(m: int, k: int, n: int, order: str) -> None:
    d = {letter: f"d{order.index(letter)}" for letter in "mnk"}
    iterators = "".join("r" if letter == "k" else "p" for letter in order)
    maps = [f"{d['m']}, {d['k']}", f"{d['k']}, {d['n']}", f"{d['m']}, {d['n']}"]
    text = generic(maps, iterators, ["tensor<?x?xf32>"] * 2, ["tensor<?x?xf32>"], "%a: f32, %b: f32, %c: f32",
                   MULTIPLY_ADD)  # fmt: skip
    a, b, c = floats(m, k), floats(k, n), floats(m, n)
    want = c.copy()
    for i in range(k):
        want = a[:, i, None] * b[i] + want
    (got,) = run(text, a, b, c)
    assert_same_bits(got, want)


SUM = "%s = arith.addf %a, %c : f32\nlinalg.yield %s : f32"
UNARY = "%a: f32, %c: f32"

CASES = {
    "transposed": (["d1, d0", "d0, d1"], "pp", [(3, 2)], [(2, 3)], lambda i, j: (j, i), lambda i, j: (i, j)),
    "broadcast": (["d1", "d0, d1"], "pp", [(3,)], [(2, 3)], lambda i, j: (j,), lambda i, j: (i, j)),
    "constant index": (["0, d1", "d0, d1"], "pp", [(1, 3)], [(2, 3)], lambda i, j: (0, j), lambda i, j: (i, j)),
    "strided": (["d0 * 2 + 1", "d0"], "p", [(6,)], [(3,)], lambda i: (2 * i + 1,), lambda i: (i,)),
    "reversed": (["-d0 + 3", "d0"], "p", [(4,)], [(4,)], lambda i: (3 - i,), lambda i: (i,)),
    "window": (["d0 * 2 + d1", "d0"], "pr", [(7,), (3,)], [(3,)], lambda i, j: (2 * i + j,), lambda i, j: (i,)),
    "diagonal": (["d0, d0", "d0"], "p", [(3, 3)], [(3,)], lambda i: (i, i), lambda i: (i,)),
    "floordiv and mod": (["d0 floordiv 2, d0 mod 2", "d0"], "p", [(3, 2)], [(6,)], lambda i: (i // 2, i % 2),
                         lambda i: (i,)),
    "reduction outside": (["d0, d1", "d1"], "rp", [(4, 3)], [(3,)], lambda i, j: (i, j), lambda i, j: (j,)),
    "two reductions": (["d0, d1, d2", "d1"], "rpr", [(2, 3, 4)], [(3,)], lambda i, j, k: (i, j, k),
                       lambda i, j, k: (j,)),
    "into a scalar": (["d0, d1", ""], "rr", [(2, 3)], [()], lambda i, j: (i, j), lambda i, j: ()),
    "running": (["d0", "d0 * 0 + d1 * 0"], "rr", [(3,), (2,)], [(1,)], lambda i, j: (i,), lambda i, j: (0,)),
    "parallel that collides": (["d0, d1", "d0"], "pp", [(2, 3)], [(2,)], lambda i, j: (i, j), lambda i, j: (i,)),
    "scan": (["d0", "d0 + d1"], "rr", [(3,), (2,)], [(4,)], lambda i, j: (i,), lambda i, j: (i + j,)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("chunk", [1, 5, 1 << 16])
def test_maps_give_what_loops_give(case: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nest, "CHUNK_ELEMENTS", chunk)
    maps, iterators, in_shapes, out_shapes, read, write = CASES[case]
    # A second input, where there is one, only says how long a dimension is.
    extra = [", ".join(["d1"])] if len(in_shapes) > 1 else []
    types = ["tensor<" + "?x" * len(s) + "f32>" for s in in_shapes]
    out_types = ["tensor<" + "?x" * len(s) + "f32>" for s in out_shapes]
    arguments = UNARY if len(in_shapes) == 1 else "%a: f32, %b: f32, %c: f32"
    text = generic([maps[0], *extra, maps[1]], iterators, types, out_types, arguments, SUM)
    arrays = [floats(*s) for s in (*in_shapes, *out_shapes)]
    sizes = [0] * len(iterators)
    for map, array in zip([maps[0], *extra, maps[1]], arrays):
        for expr, size in zip(map.split(", "), array.shape):
            if expr.startswith("d") and expr[1:].isdigit():
                sizes[int(expr[1:])] = size
    (want,) = point_after_point(sizes, [read, write], [arrays[0], arrays[-1]], 1, lambda point, a, c: (a + c,))
    (got,) = run(text, *arrays)
    assert_same_bits(got, want)


def test_sum_of_large_and_small_is_not_reordered() -> None:
    text = generic(["d0", ""], "r", ["tensor<?xf32>"], ["tensor<f32>"], UNARY, SUM)
    values = np.array([1e8, 1, -1e8, 1] * 50, np.float32)
    (got,) = run(text, values, np.array(0, np.float32))
    want = np.float32(0)
    for value in values:
        want = value + want
    assert got == want != values.astype(np.float64).sum()


def test_special_values_pass_through() -> None:
    text = generic(["d0", "d0"], "p", ["tensor<?xf32>"], ["tensor<?xf32>"], UNARY, SUM)
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45], np.float32)
    other = np.array([1, -np.inf, -np.inf, -0.0, -0.0, -1e-45], np.float32)
    with np.errstate(all="ignore"):
        assert_same_bits(run(text, values, other)[0], values + other)


def test_index_gives_the_position_in_parallel_and_reduction_dims() -> None:
    body = """
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %ten = arith.constant 10 : index
      %t = arith.muli %i, %ten : index
      %u = arith.addi %t, %j : index
      %s = arith.addi %u, %c : index
      linalg.yield %s : index
    """
    text = generic(["d0, d1", "d0"], "pr", ["tensor<?x?xf32>"], ["tensor<?xindex>"], "%a: f32, %c: index", body)
    (got,) = run(text, floats(2, 3), np.zeros(2, np.int64))
    assert got.tolist() == [0 + 1 + 2, 10 + 11 + 12]


ARGMAX = """
  %i = linalg.index 0 : index
  %more = arith.cmpf ogt, %a, %best : f32
  %x = arith.select %more, %a, %best : f32
  %n = arith.select %more, %i, %at : index
  linalg.yield %x, %n : f32, index
"""


def test_several_outputs_are_carried_together() -> None:
    text = generic(["d0", "", ""], "r", ["tensor<?xf32>"], ["tensor<f32>", "tensor<index>"],
                   "%a: f32, %best: f32, %at: index", ARGMAX)  # fmt: skip
    values = np.array([3, 9, 9, np.nan, 4], np.float32)
    best, at = run(text, values, np.array(-np.inf, np.float32), np.array(-1))
    assert best == 9 and at == 1  # the first of equals


def test_outputs_may_swap() -> None:
    text = generic(["d0", "d0"], "p", [], ["tensor<?xf32>"] * 2, "%a: f32, %b: f32", "linalg.yield %b, %a : f32, f32")
    x, y = floats(3), floats(3)
    got = run(text, x, y)
    np.testing.assert_array_equal(got, [y, x])
    text = generic(["d0", "", ""], "r", ["tensor<?xf32>"], ["tensor<f32>"] * 2, "%n: f32, %a: f32, %b: f32",
                   "linalg.yield %b, %a : f32, f32")  # fmt: skip
    assert run(text, floats(3), np.array(1, np.float32), np.array(2, np.float32)) == [2, 1]


def test_buffers_are_written_in_place() -> None:
    text = generic(["d0", "d1", "d0, d1"], "pp", ["memref<?xf32>"] * 2, ["memref<?x?xf32>"],
                   "%a: f32, %b: f32, %c: f32", MULTIPLY_ADD)  # fmt: skip
    a, b, c = floats(2), floats(3), floats(2, 3)
    want = a[:, None] * b + c
    assert run(text, a, b, c) == []
    assert_same_bits(c, want)


def test_in_place_update_of_the_same_buffer() -> None:
    text = function("(%m: memref<?xf32>)", """
      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
        iterator_types = ["parallel"]} ins(%m : memref<?xf32>) outs(%m : memref<?xf32>) {
      ^bb0(%a: f32, %c: f32):
        %s = arith.addf %a, %c : f32
        linalg.yield %s : f32
      }
      return""")  # fmt: skip
    array = floats(5)
    want = array + array
    run(text, array)
    assert_same_bits(array, want)


def test_points_that_read_what_others_wrote_run_in_order() -> None:
    text = function("(%m: memref<?xf32>, %n: index)", """
      %one = arith.constant 1 : index
      %a = memref.subview %m[0] [%n] [1] : memref<?xf32> to memref<?xf32, strided<[1]>>
      %b = memref.subview %m[1] [%n] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: 1>>
      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
        iterator_types = ["parallel"]} ins(%a : memref<?xf32, strided<[1]>>)
        outs(%b : memref<?xf32, strided<[1], offset: 1>>) {
      ^bb0(%x: f32, %y: f32):
        %s = arith.addf %x, %y : f32
        linalg.yield %s : f32
      }
      return""")  # fmt: skip
    array = np.ones(6, np.float32)
    run(text, array, 5)
    assert array.tolist() == [1, 2, 3, 4, 5, 6]  # a running sum, not pairs


def test_reduction_that_reads_its_own_output_sees_each_step() -> None:
    text = function("(%m: memref<1xf32>, %v: memref<?xf32>)", """
      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (0)>, affine_map<(d0) -> (0)>],
        iterator_types = ["reduction"]} ins(%v, %m : memref<?xf32>, memref<1xf32>) outs(%m : memref<1xf32>) {
      ^bb0(%x: f32, %y: f32, %z: f32):
        %s = arith.addf %y, %z : f32
        linalg.yield %s : f32
      }
      return""")  # fmt: skip
    array = np.ones(1, np.float32)
    run(text, array, np.zeros(4, np.float32))
    assert array == 16


def test_scalar_inputs_and_values_from_outside() -> None:
    text = function("(%x: f32, %y: f32, %t: tensor<?xf32>) -> tensor<?xf32>", """
      %r = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, affine_map<(d0) -> (d0)>],
        iterator_types = ["parallel"]} ins(%x : f32) outs(%t : tensor<?xf32>) {
      ^bb0(%a: f32, %c: f32):
        %s = arith.mulf %a, %c : f32
        %u = arith.subf %s, %y : f32
        linalg.yield %u : f32
      } -> tensor<?xf32>
      return %r : tensor<?xf32>""")  # fmt: skip
    t = floats(4)
    (got,) = run(text, np.float32(3), np.float32(2), t)
    assert_same_bits(got, np.float32(3) * t - np.float32(2))


GATHER = """
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>],
    iterator_types = ["parallel", "parallel"]} ins(%i : tensor<?xindex>) outs(%o : tensor<?x?xf32>) {
  ^bb0(%k: index, %c: f32):
    %j = linalg.index 1 : index
    %x = tensor.extract %t[%k, %j] : tensor<?x?xf32>
    linalg.yield %x : f32
  } -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>"""


def test_extract_inside_gathers_and_checks_bounds() -> None:
    signature = "(%t: tensor<?x?xf32>, %i: tensor<?xindex>, %o: tensor<?x?xf32>) -> tensor<?x?xf32>"
    table, rows = floats(5, 3), np.array([4, 0, 4])
    (got,) = run_body(signature, GATHER, table, rows, floats(3, 3))
    assert_same_bits(got, table[rows])
    error = run_error(function(signature, GATHER), table, np.array([0, 5, 1]), floats(3, 3))
    assert error.message == "tensor.extract: index 5 is out of bounds for axis 0 with size 5"
    assert str(error.location) == "t.tir:7:5"


def test_body_with_control_flow_runs_point_by_point() -> None:
    body = """
      %i = linalg.index 0 : index
      %zero = arith.constant 0.0 : f32
      %positive = arith.cmpf ogt, %a, %zero : f32
      cf.assert %positive, "must be positive"
      %x = scf.if %positive -> (f32) {
        %s = arith.addf %a, %c : f32
        scf.yield %s : f32
      } else {
        scf.yield %c : f32
      }
      linalg.yield %x : f32
    """
    text = generic(["d0", "d0"], "p", ["tensor<?xf32>"], ["tensor<?xf32>"], UNARY, body)
    a, c = np.abs(floats(4)) + 1, floats(4)
    assert_same_bits(run(text, a, c)[0], a + c)
    assert run_error(text, -a, c).message == "must be positive"


def test_tensor_operands_are_not_changed() -> None:
    text = generic(["d0", "d0"], "p", ["tensor<?xf32>"], ["tensor<?xf32>"], UNARY, SUM)
    a, c = floats(3), np.zeros(3, np.float32)
    run(text, a, c)
    assert not c.any()


def test_sizes_that_disagree_name_operand_and_axis() -> None:
    text = generic(["d0, d1", "d1", "d0"], "pr", ["tensor<?x?xf32>", "tensor<?xf32>"], ["tensor<?xf32>"],
                   "%a: f32, %b: f32, %c: f32", MULTIPLY_ADD)  # fmt: skip
    error = run_error(text, floats(2, 3), floats(4), floats(2))
    assert error.message == (
        "linalg.generic: axis 0 of operand 1 must have size 3, as axis 1 of operand 0 has, got 4"
    )
    assert str(error.location) == "t.tir:2:1"


@pytest.mark.parametrize(
    ("expr", "size", "reach"),
    [
        ("d0 + 2", 5, "2 to 5"), ("d0 * 2", 6, "0 to 6"), ("-d0 + 2", 9, "-1 to 2"), ("d0 mod 3", 2, "0 to 2"),
        ("7", 7, "7 to 7"),
    ],
)  # fmt: skip
def test_maps_that_reach_outside_are_found(expr: str, size: int, reach: str) -> None:
    text = generic([expr, "d0"], "p", ["tensor<?xf32>"], ["tensor<?xf32>"], UNARY, SUM)
    message = run_error(text, floats(size), floats(4)).message
    assert message == f"linalg.generic: axis 0 of operand 0 is read from {reach}, but has size {size}"
    assert run(text, floats(size), floats(0))[0].shape == (0,)


def test_mod_that_stays_inside_is_accepted() -> None:
    text = generic(["d0 mod 8", "d0"], "p", ["tensor<?xf32>"], ["tensor<?xf32>"], UNARY, SUM)
    a, c = floats(3), floats(3)
    assert_same_bits(run(text, a, c)[0], a + c)


def find(text: str) -> linalg.Generic:
    return next(op for op in module(text).walk() if isinstance(op, linalg.Generic))


def test_accessors() -> None:
    op = find(generic(["d0, d1", "d1", "d0"], "pr", ["tensor<?x?xf32>", "tensor<?xf32>"], ["tensor<?xf32>"],
                      "%a: f32, %b: f32, %c: f32", MULTIPLY_ADD))  # fmt: skip
    assert op.rank == 2 and op.reduction_dims == [1] and not op.is_all_parallel and not op.has_buffers
    assert op.iterator_types == ("parallel", "reduction")
    assert [str(m) for m in op.input_maps] == ["(d0, d1) -> (d0, d1)", "(d0, d1) -> (d1)"]
    assert [str(m) for m in op.output_maps] == ["(d0, d1) -> (d0)"]
    assert op.input_arguments == op.body.arguments[:2] and op.output_arguments == op.body.arguments[2:]
    assert op.yielded == op.body.terminator.operands


def test_effects_are_those_of_its_operands_and_body() -> None:
    assert is_pure(find(generic(["d0", "d0"], "p", ["tensor<?xf32>"], ["tensor<?xf32>"], UNARY, SUM)))
    on_buffers = find(generic(["d0", "d0"], "p", ["memref<?xf32>"], ["memref<?xf32>"], UNARY, SUM))
    assert effects_of(on_buffers) == Effects.READ | Effects.WRITE


T, V = "tensor<?x4xf32>", "tensor<4xf32>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            generic(["d0", "d1"], "pp", [T], [V], UNARY, SUM),
            "map 0 must have 2 results, the rank of tensor<?x4xf32>, got (d0, d1) -> (d0)",
        ),
        (
            generic(["d0, d1", "d2 + d1"], "ppp", [T], [V], UNARY, SUM),
            "no map has d2 by itself as a result, so its size is not known",
        ),
        (
            generic(["d0, d1"], "pp", [T], [V], UNARY, SUM),
            "needs a map for each of the 2 operands, got 1",
        ),
        (
            generic(["d0, d1", "d1"], "pp", [T], ["tensor<5xf32>"], UNARY, SUM),
            "axis 0 of operand 1 must have size 4, got 5",
        ),
        (
            generic(["d0 + 1", "d0"], "p", [V], [V], UNARY, SUM),
            "axis 0 of operand 0 has size 4, but d0 + 1 goes from 1 to 4",
        ),
        (
            generic(["d0, d1", "d1"], "pp", [T], ["memref<4xf32>"], UNARY, SUM),
            "operands must be tensors or memrefs, not both",
        ),
        (
            generic(["d0", "d0"], "p", [V], [V], "%a: f32, %c: i32", "linalg.yield %a : f32"),
            "the body must take the elements of the operands (f32, f32), got (f32, i32)",
        ),
        (
            generic(["d0", "d0"], "p", [V], [V], UNARY, "linalg.yield %a, %c : f32, f32"),
            "the body must yield an element of each output (f32), got (f32, f32)",
        ),
    ],
)
def test_rules(text: str, message: str) -> None:
    assert verify_error(text) == f"linalg.generic: {message}"


def test_index_must_be_a_dim_of_the_space() -> None:
    body = "%i = linalg.index 1 : index\nlinalg.yield %a : f32"
    assert verify_error(generic(["d0", "d0"], "p", [V], [V], UNARY, body)) == (
        "linalg.index: the dimension must be 0 to 0, got 1"
    )
