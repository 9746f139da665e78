"""Loops: the same numbers as the structured op, the order that is asked for, tiles with every rest."""

import itertools

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.dialects.linalg import Generic
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.parser.parse import parse_text
from tir.passes.loop_nest import loop_order
from tir.passes.pipelines import PASSES, PIPELINES

ALL = {**PASSES, **PIPELINES}


def loops(text: str, pipeline: str = "lower-cpu"):
    module = parse_text(text, REGISTRY)
    run_pipeline(parse_pipeline(pipeline, ALL), module)
    return module


def dot(m: object, n: object, k: object, dtype: str = "f32") -> str:
    a, b, c = f"tensor<{m}x{k}x{dtype}>", f"tensor<{k}x{n}x{dtype}>", f"tensor<{m}x{n}x{dtype}>"
    return f"func.func @f(%a: {a}, %b: {b}) -> {c} {{\n%0 = tir.dot %a, %b : {c}\nreturn %0 : {c}\n}}"


def product_of(module, m, n, k, dtype=np.float32):
    rng = np.random.default_rng(m * 100 + n * 10 + k)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    out = np.full((m, n), np.nan, dtype)
    Interpreter(module, {}).run("f", [a, b, out])
    bound = k * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b)) + np.finfo(dtype).tiny  # n * eps * sum|x|
    assert (np.abs(out - a.astype(np.float64) @ b.astype(np.float64)) <= bound).all()


@pytest.mark.parametrize(("m", "n"), list(itertools.product((1, 7, 8, 9), (1, 15, 16, 17, 32, 33, 49))))
def test_tiles_and_their_rests_make_the_whole_product(m, n):
    product_of(loops(dot(m, n, 3)), m, n, 3)


@pytest.mark.parametrize(("m", "n", "k"), [(0, 4, 4), (9, 0, 2), (9, 40, 0), (17, 50, 5)])
def test_sizes_of_run_time_and_empty_ones(m, n, k):
    product_of(loops(dot("[M]", "[N]", "[K]")), m, n, k)


def test_f64_tiles_have_half_as_many_elements():
    module = loops(dot(8, 20, 4, "f64"))
    assert any("vector<8xf64>" in str(r.type) for op in module.walk() for r in op.results)
    product_of(module, 8, 20, 4, np.float64)


def test_tiling_can_be_switched_off():
    module = loops(dot(8, 32, 4), "fuse,bufferize,lower-loops{tile=false}")
    assert not any(op.name.startswith("vector.") for op in module.walk())
    product_of(module, 8, 32, 4)


def order_of(maps: str, kinds: str, types: str) -> list[int]:
    operands = types.split(", ")
    arguments = ", ".join(f"%m{i}: {t}" for i, t in enumerate(operands))
    elements = ", ".join(f"%x{i}: f32" for i in range(len(operands)))
    inputs = ", ".join(f"%m{i}" for i in range(len(operands) - 1))
    text = f"""
    func.func @f({arguments}) {{
      linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} ins({inputs} : {", ".join(operands[:-1])}) outs(%m{len(operands) - 1} : {operands[-1]}) {{
      ^bb0({elements}):
        linalg.yield %x0 : f32
      }}
      return
    }}
    """
    module = parse_text(text, REGISTRY)
    return loop_order(next(op for op in module.walk() if isinstance(op, Generic)))


def test_a_matrix_product_runs_along_the_columns_innermost():
    maps = "affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>"
    order = order_of(maps, '"parallel", "parallel", "reduction"', "memref<4x5xf32>, memref<5x6xf32>, memref<4x6xf32>")
    assert order == [0, 2, 1]


def test_a_product_with_a_transposed_matrix_runs_along_the_sum_innermost():
    maps = "affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>"
    order = order_of(maps, '"parallel", "parallel", "reduction"', "memref<4x5xf32>, memref<6x5xf32>, memref<4x6xf32>")
    assert order == [0, 1, 2]


def test_a_column_sum_runs_along_the_columns_innermost():
    maps = "affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>"
    assert order_of(maps, '"reduction", "parallel"', "memref<4x5xf32>, memref<5xf32>") == [0, 1]


def test_a_row_sum_is_kept_in_a_register():
    text = "func.func @f(%x: tensor<4x5xf32>) -> tensor<4xf32> {\n%0 = tir.sum %x over [1] : tensor<4xf32>\nreturn %0 : tensor<4xf32>\n}"
    module = loops(text)
    loop = next(op for op in module.walk() if op.name == "scf.for")
    assert len(loop.results) == 1
    add = next(op for op in loop.walk() if op.name == "arith.addf")
    assert str(add.properties["fastmath"]) == "#arith.fastmath<reassoc>"


def test_tensors_are_refused_with_the_missing_pass():
    text = """
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %e = tensor.empty() : tensor<4xf32>
      %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%e : tensor<4xf32>) {
      ^bb0(%o: f32):
        %c = arith.constant 1.0 : f32
        linalg.yield %c : f32
      } -> tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    """
    with pytest.raises(PassError, match="run bufferize first"):
        loops(text, "lower-loops")


def test_index_maps_with_arithmetic():
    text = """
    func.func @f(%x: memref<9xf32>, %out: memref<4xf32>) {
      linalg.generic {indexing_maps = [affine_map<(d0) -> (d0 * -2 + 8)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : memref<9xf32>) outs(%out : memref<4xf32>) {
      ^bb0(%e: f32, %o: f32):
        %i = linalg.index 0 : index
        %n = arith.index_cast %i : index to i32
        %s = arith.sitofp %n : i32 to f32
        %r = arith.addf %e, %s : f32
        linalg.yield %r : f32
      }
      return
    }
    """
    out = np.zeros(4, np.float32)
    Interpreter(loops(text, "lower-loops"), {}).run("f", [np.arange(9, dtype=np.float32) * 10, out])
    assert np.array_equal(out, [80, 61, 42, 23])


def test_scalars_without_dimensions():
    text = "func.func @f(%x: tensor<f32>) -> tensor<f32> {\n%0 = tir.neg %x : tensor<f32>\nreturn %0 : tensor<f32>\n}"
    out = np.zeros((), np.float32)
    Interpreter(loops(text), {}).run("f", [np.array(3, np.float32), out])
    assert out == -3


@pytest.mark.parametrize(("length", "divisor"), [(40, 10), (37, 10), (9, 10), (20, 3), (0, 8)])
def test_rests_of_a_counter_are_a_loop_of_their_own(length: int, divisor: int) -> None:
    text = f"""
    func.func @f(%x: memref<{divisor}xf32>, %y: memref<2x?xf32>) {{
      linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}} outs(%y : memref<2x?xf32>) {{
      ^bb0(%out: f32):
        %j = linalg.index 1 : index
        %c = arith.constant {divisor} : index
        %0 = arith.remsi %j, %c : index
        %1 = memref.load %x[%0] : memref<{divisor}xf32>
        %2 = arith.index_cast %j : index to i32
        %3 = arith.sitofp %2 : i32 to f32
        %4 = arith.addf %1, %3 : f32
        linalg.yield %4 : f32
      }}
      return
    }}"""
    module = loops(text, "lower-loops")
    assert any(op.name == "arith.remsi" for op in module.walk()) == (divisor < 8)
    x, y = np.arange(divisor, dtype=np.float32) * 100, np.zeros((2, length), np.float32)
    Interpreter(module, {}).run("f", [x, y])
    want = np.arange(length) % divisor * 100 + np.arange(length)
    np.testing.assert_array_equal(y, [want, want])
