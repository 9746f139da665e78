"""Buffers: what is written in place, what must not be, and that a failing assert changes nothing."""

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError, TirError
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import PASSES, PIPELINES

ALL = {**PASSES, **PIPELINES}
IDENTITY = "affine_map<(d0) -> (d0)>"
SHARED = '{bufferization.writable = true, tir.shared = @%s}'


def lowered(text: str, pipeline: str = "bufferize"):
    module = parse_text(text, REGISTRY, file="t.tir")
    run_pipeline(parse_pipeline(pipeline, ALL), module)
    return module


def ops(module, name: str):
    """The ops of this name outside of the functions that give first values."""
    inits = [op for op in module.body if getattr(op, "sym_visibility", None) == "private" and op.regions]
    return [op for op in module.walk() if op.name == name and not any(op.is_inside(i) for i in inits)]


def run(module, *arrays):
    Interpreter(module, {}).run("f", list(arrays))


def two_shared(body: str, results: str) -> str:
    """A function of two shared variables @a and @b, as `state-to-arguments` and `lower-structured` leave one."""
    a, b = SHARED % "a", SHARED % "b"
    return f"""
    func.func private @a() -> tensor<4xf32> {{
      %0 = arith.constant dense<0.0> : tensor<4xf32>
      return %0 : tensor<4xf32>
    }}
    func.func private @b() -> tensor<4xf32> {{
      %0 = arith.constant dense<0.0> : tensor<4xf32>
      return %0 : tensor<4xf32>
    }}
    func.func @f(%a: tensor<4xf32> {a}, %b: tensor<4xf32> {b}) -> (tensor<4xf32> {{tir.update = @a}}, tensor<4xf32> {{tir.update = @b}}) {{
      {body}
      return {results} : tensor<4xf32>, tensor<4xf32>
    }}
    """


def generic(result: str, inputs: str, body: str) -> str:
    """An elementwise op on tensors of 4 floats."""
    count = inputs.count("%")
    maps = ", ".join([IDENTITY] * (count + 1))
    arguments = ", ".join(f"%x{i}: f32" for i in range(count + 1))
    types = ", ".join(["tensor<4xf32>"] * count)
    return f"""
      %e{result} = tensor.empty() : tensor<4xf32>
      %{result} = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel"]}} ins({inputs} : {types}) outs(%e{result} : tensor<4xf32>) {{
      ^bb0({arguments}):
        {body}
        linalg.yield %r : f32
      }} -> tensor<4xf32>"""


DOUBLE = "%r = arith.addf %x0, %x0 : f32"
ADD = "%r = arith.addf %x0, %x1 : f32"


def values():
    return np.array([1, 2, 3, 4], np.float32), np.array([10, 20, 30, 40], np.float32)


def test_a_swap_is_a_parallel_move():
    module = lowered(two_shared("", "%b, %a"))
    a, b = values()
    run(module, a, b)
    assert np.array_equal(a, values()[1]) and np.array_equal(b, values()[0])


def test_an_elementwise_update_is_written_in_place():
    module = lowered(two_shared(generic("n", "%a, %b", ADD), "%n, %b"))
    assert not ops(module, "memref.alloc") and not ops(module, "memref.copy")
    a, b = values()
    run(module, a, b)
    assert np.array_equal(a, [11, 22, 33, 44]) and np.array_equal(b, values()[1])


def test_an_old_value_that_is_read_later_is_not_overwritten():
    body = generic("n", "%a", DOUBLE) + generic("m", "%a, %b", ADD)
    module = lowered(two_shared(body, "%n, %m"))
    a, b = values()
    run(module, a, b)
    assert np.array_equal(a, [2, 4, 6, 8]) and np.array_equal(b, [11, 22, 33, 44])


def test_crossed_updates_read_the_old_values():
    body = generic("n", "%b", DOUBLE) + generic("m", "%a", DOUBLE)
    module = lowered(two_shared(body, "%n, %m"))
    a, b = values()
    run(module, a, b)
    assert np.array_equal(a, [20, 40, 60, 80]) and np.array_equal(b, [2, 4, 6, 8])


def test_one_value_for_two_variables():
    module = lowered(two_shared(generic("n", "%a, %b", ADD), "%n, %n"))
    a, b = values()
    run(module, a, b)
    assert np.array_equal(a, [11, 22, 33, 44]) and np.array_equal(b, [11, 22, 33, 44])


def test_a_reversed_read_is_not_in_place():
    text = """
    func.func private @w() -> tensor<4xf32> {
      %0 = arith.constant dense<0.0> : tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    func.func @f(%w: tensor<4xf32> {bufferization.writable = true, tir.shared = @w}) -> (tensor<4xf32> {tir.update = @w}) {
      %e = tensor.empty() : tensor<4xf32>
      %n = linalg.generic {indexing_maps = [affine_map<(d0) -> (-d0 + 3)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%w : tensor<4xf32>) outs(%e : tensor<4xf32>) {
      ^bb0(%x: f32, %o: f32):
        linalg.yield %x : f32
      } -> tensor<4xf32>
      return %n : tensor<4xf32>
    }
    """
    module = lowered(text)
    (w,) = values()[:1]
    run(module, w)
    assert np.array_equal(w, [4, 3, 2, 1])


def test_a_failing_assert_changes_nothing():
    body = generic("n", "%a", DOUBLE) + """
      %c0 = arith.constant 0 : index
      %x = tensor.extract %b[%c0] : tensor<4xf32>
      %zero = arith.constant 0.0 : f32
      %ok = arith.cmpf ogt, %x, %zero : f32
      cf.assert %ok, "b must be positive"
    """
    module = lowered(two_shared(body, "%n, %b"))
    a, b = values()
    with pytest.raises(TirError, match="b must be positive"):
        run(module, a, -b)
    assert np.array_equal(a, values()[0])
    run(module, a, b)
    assert np.array_equal(a, [2, 4, 6, 8])


def test_a_result_is_computed_where_it_is_returned():
    text = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {" + generic("n", "%x", DOUBLE) + "\nreturn %n : tensor<4xf32>\n}"
    module = lowered(text)
    assert not ops(module, "memref.alloc") and not ops(module, "memref.copy")
    x, out = values()[0], np.zeros(4, np.float32)
    run(module, x, out)
    assert np.array_equal(out, [2, 4, 6, 8]) and np.array_equal(x, values()[0])


def test_an_argument_that_is_returned_is_copied():
    module = lowered("func.func @f(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {\nreturn %x, %x : tensor<4xf32>, tensor<4xf32>\n}")
    x, first, second = values()[0], np.zeros(4, np.float32), np.zeros(4, np.float32)
    run(module, x, first, second)
    assert np.array_equal(first, x) and np.array_equal(second, x)


def test_a_result_of_unknown_size_is_memory_of_its_own():
    text = """
    func.func @f(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
      %0 = tensor.extract_slice %x[1] [%n] [1] : tensor<?xf32> to tensor<?xf32>
      return %0 : tensor<?xf32>
    }
    """
    module = lowered(text)
    (found,) = Interpreter(module, {}).run("f", [np.arange(5, dtype=np.float32), np.int64(3)])
    assert np.array_equal(found, [1, 2, 3])
    assert not ops(module, "memref.dealloc")


def test_inserting_into_a_constant_copies_it():
    text = """
    func.func @f(%x: tensor<2xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
      %c = arith.constant dense<[5.0, 6.0, 7.0, 8.0]> : tensor<4xf32>
      %0 = tensor.insert_slice %x into %c[1] [2] [1] : tensor<2xf32> into tensor<4xf32>
      return %0, %c : tensor<4xf32>, tensor<4xf32>
    }
    """
    first, second = np.zeros(4, np.float32), np.zeros(4, np.float32)
    run(lowered(text), np.array([1, 2], np.float32), first, second)
    assert np.array_equal(first, [5, 1, 2, 8]) and np.array_equal(second, [5, 6, 7, 8])


def test_equal_constants_are_one_global():
    text = """
    func.func @f() -> (tensor<2xf32>, tensor<2xf32>) {
      %a = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
      %b = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
      return %a, %b : tensor<2xf32>, tensor<2xf32>
    }
    """
    assert len(ops(lowered(text), "memref.global")) == 1


def test_allocations_stand_in_front_of_everything_that_writes():
    body = generic("n", "%a", DOUBLE) + generic("m", "%n, %b", ADD) + generic("o", "%m, %a", ADD)
    module = lowered(two_shared(body, "%o, %m"))
    entry = next(f for f in ops(module, "func.func") if f.sym_name == "f").entry
    kinds = [op.name for op in entry if op.name in ("memref.alloc", "linalg.generic", "memref.copy")]
    assert kinds == sorted(kinds, key=lambda name: name != "memref.alloc")
    a, b = values()
    run(module, a, b)
    assert np.array_equal(b, [12, 24, 36, 48]) and np.array_equal(a, [13, 26, 39, 52])


def test_everything_allocated_is_freed():
    body = generic("n", "%a", DOUBLE) + generic("m", "%n, %b", ADD) + generic("o", "%m, %a", ADD)
    module = lowered(two_shared(body, "%o, %m"))
    assert len(ops(module, "memref.alloc")) == len(ops(module, "memref.dealloc"))


def test_calls_on_tensors_are_refused_by_name():
    text = """
    func.func private @g(%x: tensor<4xf32>) -> tensor<4xf32> {
      return %x : tensor<4xf32>
    }
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = func.call @g(%x) : (tensor<4xf32>) -> tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    """
    with pytest.raises(PassError, match="func.call on tensors has no form on buffers; run inline first"):
        lowered(text)


def test_tensor_level_ops_are_refused_by_name():
    text = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n%0 = tir.neg %x : tensor<4xf32>\nreturn %0 : tensor<4xf32>\n}"
    with pytest.raises(PassError, match="tir.neg on tensors has no form on buffers; run lower-structured first"):
        lowered(text)


def test_named_sizes_are_left_to_lower_structured():
    with pytest.raises(PassError, match=r"@f has named sizes \(tensor<\[B\]x2xf32>\); run lower-structured first"):
        lowered("func.func @f(%x: tensor<[B]x2xf32>) -> tensor<[B]x2xf32> {\n  return %x : tensor<[B]x2xf32>\n}")
