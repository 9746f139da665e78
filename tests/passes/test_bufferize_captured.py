"""Bodies that read any element of tensors from outside: on numpy, through fusion, on buffers and as machine code."""

import numpy as np
import pytest

from tests.levels import first_disagreement
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import ExecutionError, PassError
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.pipelines import PASSES, PIPELINES

ALL = {**PASSES, **PIPELINES}

# out[i] = 2 * t[i mod rows, k[i]], where rows is read inside the body.
GATHER = """
#id = affine_map<(d0) -> (d0)>
func.func @main(%t: tensor<?x?xf32>, %k: tensor<?xi32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %k, %c0 : tensor<?xi32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%k : tensor<?xi32>) outs(%e : tensor<?xf32>) {
  ^bb0(%x: i32, %o: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %x : i32 to index
    %rows = tensor.dim %t, %c0 : tensor<?x?xf32>
    %m = arith.remsi %i, %rows : index
    %v = tensor.extract %t[%m, %j] : tensor<?x?xf32>
    linalg.yield %v : f32
  } -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%0 : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%x: f32, %o: f32):
    %v = arith.addf %x, %x : f32
    linalg.yield %v : f32
  } -> tensor<?xf32>
  return %1 : tensor<?xf32>
}
"""


def lowered(text: str, pipeline: str = "bufferize"):
    module = parse_text(text, REGISTRY, file="t.tir")
    run_pipeline(parse_pipeline(pipeline, ALL), module)
    return module


def outs(level: str, count: int) -> list[np.ndarray]:
    """The result is an argument on buffers: it is as long as %k."""
    return [np.empty(count, np.float32)] if level.startswith("bufferize") else []


def gathered(table, keys):
    """What GATHER gives, by numpy."""
    rows = np.arange(keys.size) % max(1, table.shape[0])
    return 2 * table[rows, keys]


@pytest.mark.parametrize("rows, columns, count", [(3, 4, 10), (1, 1, 1), (5, 2, 0), (2, 3, 3_000)])
def test_gather_agrees_with_numpy_at_every_level(rows: int, columns: int, count: int) -> None:
    random = np.random.default_rng(0)
    table = random.standard_normal((rows, columns)).astype(np.float32)
    table.flat[0] = np.nan
    keys = random.integers(0, columns, count).astype(np.int32)
    (found,) = Executable(parse_text(GATHER, REGISTRY), "interpret").call("main", [table, keys])
    assert np.array_equal(found, gathered(table, keys), equal_nan=True)
    wrong = first_disagreement(GATHER, [table, keys])
    assert wrong is None, str(wrong)


def test_body_on_buffers_loads_from_the_captured_buffer() -> None:
    text = print_op(lowered(GATHER))
    assert "memref.load %t[%m, %j] : memref<?x?xf32>" in text
    assert "memref.dim %t, %c0 : memref<?x?xf32>" in text and "tensor" not in text


def test_gather_is_fused_into_its_consumer() -> None:
    text = print_op(lowered(GATHER, "fuse-structured"))
    assert text.count("linalg.generic") == 1


@pytest.mark.parametrize("target", ["interpret", "bufferized"])
@pytest.mark.parametrize("key", [-1, 3, 2_000_000_000])
def test_index_out_of_bounds_is_a_located_error_on_tensors_and_on_buffers(target: str, key: int) -> None:
    module = lowered(GATHER, "bufferize" if target == "bufferized" else "cse")
    name = "memref.load" if target == "bufferized" else "tensor.extract"
    with pytest.raises(ExecutionError, match=rf"{name}: index {key} is out of bounds for axis 1 with size 3") as caught:
        given = [np.ones((2, 3), np.float32), np.array([0, key, 1], np.int32)]
        Interpreter(module).run("main", [*given, *outs(target, 3)])
    assert caught.value.location is not None and ":13:" in str(caught.value.location)


def test_many_points_are_read_at_once() -> None:
    """100,000 points on the interpreter are three steps on whole arrays, on tensors and on buffers."""
    table, keys = np.ones((7, 5), np.float32), np.zeros(100_000, np.int32)
    for pipeline in ("cse", "bufferize"):
        interpreter = Interpreter(lowered(GATHER, pipeline), max_steps=50)
        interpreter.run("main", [table, keys, *outs(pipeline, 100_000)])


# --- what must not lie in one place ----------------------------------------------------------------------------------

# w[i] = w[n - 1 - i] + x[i]: the old values are read anywhere.
REVERSED_UPDATE = """
#id = affine_map<(d0) -> (d0)>
func.func private @w() -> tensor<4xf32> {
  %0 = arith.constant dense<0.0> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @main(%x: tensor<4xf32>, %w: tensor<4xf32> {bufferization.writable = true, tir.shared = @w}) -> (tensor<4xf32> {tir.update = @w}) {
  %c3 = arith.constant 3 : index
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(OUTS : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %i = linalg.index 0 : index
    %j = arith.subi %c3, %i : index
    %v = tensor.extract %w[%j] : tensor<4xf32>
    %s = arith.addf %v, %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
"""


@pytest.mark.parametrize("outs", ["%e", "%w"])
def test_output_does_not_lie_where_the_body_reads(outs: str) -> None:
    module = lowered(REVERSED_UPDATE.replace("OUTS", outs))
    w = np.array([1, 2, 3, 4], np.float32)
    Interpreter(module).run("main", [np.array([10, 20, 30, 40], np.float32), w])
    assert np.array_equal(w, [14, 23, 32, 41])
    assert len([op for op in module.walk() if op.name == "memref.alloc"]) == 1


def test_interpreter_goes_point_by_point_where_a_body_reads_what_it_writes() -> None:
    """Written by hand, on buffers: each point sees what the points before it wrote."""
    text = """
    #id = affine_map<(d0) -> (d0)>
    func.func @main(%w: memref<5xf32>) {
      %one = arith.constant 1 : index
      %zero = arith.constant 0 : index
      linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%w : memref<5xf32>) {
      ^bb0(%o: f32):
        %i = linalg.index 0 : index
        %h = arith.subi %i, %one : index
        %j = arith.maxsi %h, %zero : index
        %v = memref.load %w[%j] : memref<5xf32>
        %s = arith.addf %v, %o : f32
        linalg.yield %s : f32
      }
      return
    }
    """
    w = np.ones(5, np.float32)
    Interpreter(parse_text(text, REGISTRY)).run("main", [w])
    assert np.array_equal(w, [2, 3, 4, 5, 6])


def test_other_ops_on_tensors_in_a_body_are_refused() -> None:
    text = """
    #id = affine_map<(d0) -> (d0)>
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %c0 = arith.constant 0 : index
      %e = tensor.empty() : tensor<4xf32>
      %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
      ^bb0(%a: f32, %o: f32):
        %t = tensor.insert %a into %x[%c0] : tensor<4xf32>
        %v = tensor.extract %t[%c0] : tensor<4xf32>
        linalg.yield %v : f32
      } -> tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    """
    rule = "the body of linalg.generic may only read elements and sizes of tensors from outside, got tensor.insert"
    with pytest.raises(PassError, match=rule):
        lowered(text)


# --- fusion ----------------------------------------------------------------------------------------------------------


def two_ops(second_input: str, captured: str) -> str:
    """%0 = 2 x, and %1 of one input that also reads `captured` in reverse order."""
    return f"""
    #id = affine_map<(d0) -> (d0)>
    func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {{
      %c3 = arith.constant 3 : index
      %e = tensor.empty() : tensor<4xf32>
      %0 = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel"]}} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {{
      ^bb0(%a: f32, %o: f32):
        %v = arith.addf %a, %a : f32
        linalg.yield %v : f32
      }} -> tensor<4xf32>
      %1 = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel"]}} ins({second_input} : tensor<4xf32>) outs(%e : tensor<4xf32>) {{
      ^bb0(%a: f32, %o: f32):
        %i = linalg.index 0 : index
        %j = arith.subi %c3, %i : index
        %v = tensor.extract {captured}[%j] : tensor<4xf32>
        %s = arith.addf %v, %a : f32
        linalg.yield %s : f32
      }} -> tensor<4xf32>
      return %0, %1 : tensor<4xf32>, tensor<4xf32>
    }}
    """


@pytest.mark.parametrize("second_input", ["%x", "%0"])
@pytest.mark.parametrize("captured", ["%x", "%0"])
def test_siblings_merge_unless_one_captures_what_the_other_makes(second_input: str, captured: str) -> None:
    text = two_ops(second_input, captured)
    x = np.array([1, 2, 3, 4], np.float32)
    wrong = first_disagreement(text, [x])
    assert wrong is None, str(wrong)
    count = print_op(lowered(text, "fuse-structured")).count("linalg.generic")
    assert count == (2 if captured == "%0" else 1)
