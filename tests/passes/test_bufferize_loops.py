"""Loops and conditions on tensors: where what they carry lies, how often it is copied, and what they compute."""

from collections import Counter

import numpy as np
import pytest

from tests.levels import first_disagreement
from tests.passes.random_loops import random_loops
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError, TirError
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import PASSES, PIPELINES

ALL = {**PASSES, **PIPELINES}
LEVELS = ("tensor", "bufferized", "loops, not fused", "cpu")
WRITABLE = "{bufferization.writable = true, tir.shared = @w}"


def function(body: str, inputs: str = "%x: tensor<?xf32>", results: str = "tensor<?xf32>") -> str:
    """@main with some constants; of a dynamic result the size is that of %x."""
    return f"""
    #id = affine_map<(d0) -> (d0)>
    func.func private @w() -> tensor<4xf32> {{
      %0 = arith.constant dense<0.0> : tensor<4xf32>
      return %0 : tensor<4xf32>
    }}
    func.func @main({inputs}) -> ({results}) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      %one = arith.constant 1.0 : f32
      {body}
    }}
    """


SIZE = "%n = tensor.dim %x, %c0 : tensor<?xf32>"
SAME_SIZE = 'tensor<?xf32> {tir.dims = ["N"]}'


def lowered(text: str, pipeline: str = "bufferize"):
    module = parse_text(text, REGISTRY, file="t.tir")
    run_pipeline(parse_pipeline(pipeline, ALL), module)
    return module


def counts(module) -> Counter:
    """How often each op stands in @main, and those in loops as `NAME in a loop`."""
    main = next(op for op in module.body if getattr(op, "sym_name", "") == "main")
    loops = ("scf.for", "scf.while")
    found = Counter()
    for op in main.walk():
        found[op.name] += 1
        found[f"{op.name} in a loop"] += any(around.name in loops for around in op.ancestors())
    return found


def agree(text: str, *arrays) -> list:
    """The results, which are the same on tensors, on buffers and as machine code."""
    wrong = first_disagreement(text, list(arrays), levels=LEVELS)
    assert wrong is None, str(wrong)
    return Executable(parse_text(text, REGISTRY), "interpret").call("main", list(arrays))


def numbers(count: int):
    return np.arange(1, count + 1, dtype=np.float32)


# --- one place for what a loop carries -------------------------------------------------------------------------------

SCATTER = function(
    f"""{SIZE}
      %k = tensor.dim %i, %c0 : tensor<?xindex>
      %r = scf.for %j = %c0 to %k step %c1 iter_args(%o = %x) -> (tensor<?xf32>) {{
        %p = tensor.extract %i[%j] : tensor<?xindex>
        %v = tensor.extract %o[%p] : tensor<?xf32>
        %s = arith.addf %v, %one : f32
        %m = tensor.insert %s into %o[%p] : tensor<?xf32>
        scf.yield %m : tensor<?xf32>
      }}
      return %r : tensor<?xf32>""",
    'tensor<?xf32>'.join(["%x: ", " {tir.dims = [\"N\"]}, %i: tensor<?xindex>"]), SAME_SIZE,
)  # fmt: skip


def test_scatter_is_loads_and_stores_in_the_result() -> None:
    module = lowered(SCATTER)
    found = counts(module)
    assert found["memref.alloc"] == 0 and found["memref.copy"] == 1 and found["memref.copy in a loop"] == 0
    assert found["memref.store in a loop"] == 1 and found["memref.load in a loop"] == 2
    x, places, out = numbers(4), np.array([1, 3, 1]), np.zeros(4, np.float32)
    Interpreter(module).run("main", [x, places, out])
    assert np.array_equal(out, [1, 4, 3, 5]) and np.array_equal(x, numbers(4))


def test_loop_takes_over_memory_that_nobody_else_needs() -> None:
    body = f"""{SIZE}
      %e = tensor.splat %one[%n] : tensor<?xf32>
      %r = scf.for %j = %c0 to %n step %c1 iter_args(%o = %e) -> (tensor<?xf32>) {{
        %v = tensor.extract %x[%j] : tensor<?xf32>
        %m = tensor.insert %v into %o[%j] : tensor<?xf32>
        scf.yield %m : tensor<?xf32>
      }}
      %s = tensor.extract %r[%c0] : tensor<?xf32>
      return %s : f32"""
    text = function(body, results="f32")
    found = counts(lowered(text))
    assert found["memref.alloc"] == 1 and found["memref.copy"] == 0
    assert agree(text, numbers(3)) == [1]


@pytest.mark.parametrize("where", ["behind the loop", "in the loop", "in the same iteration"])
def test_first_value_that_is_needed_is_copied_before(where: str) -> None:
    outer, inner, last = "%s = arith.addf %one, %one : f32", "%v = arith.addf %one, %one : f32", "%m"
    if where == "behind the loop":
        outer = "%s = tensor.extract %e[%c0] : tensor<?xf32>"
    elif where == "in the loop":
        inner = "%v = tensor.extract %e[%c0] : tensor<?xf32>"
    else:
        last = "%o"
    body = f"""{SIZE}
      %e = tensor.splat %one[%n] : tensor<?xf32>
      %r = scf.for %j = %c0 to %n step %c1 iter_args(%o = %e) -> (tensor<?xf32>) {{
        {inner}
        %w = arith.addf %v, %one : f32
        %m = tensor.insert %w into %o[%c0] : tensor<?xf32>
        %q = tensor.extract {last}[%c0] : tensor<?xf32>
        %p = tensor.insert %q into %m[%c1] : tensor<?xf32>
        scf.yield %p : tensor<?xf32>
      }}
      {outer}
      %t = tensor.insert %s into %r[%c2] : tensor<?xf32>
      return %t : tensor<?xf32>"""
    text = function(body)
    found = counts(lowered(text))
    assert found["memref.copy in a loop"] == (2 if where == "in the same iteration" else 0)
    agree(text, numbers(3))


def test_swapped_tensors_are_a_parallel_move() -> None:
    body = """%r:2 = scf.for %i = %c0 to %k step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xf32>, tensor<4xf32>) {
        scf.yield %b, %a : tensor<4xf32>, tensor<4xf32>
      }
      return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>"""
    text = function(body, "%x: tensor<4xf32>, %y: tensor<4xf32>, %k: index", "tensor<4xf32>, tensor<4xf32>")
    x, y = numbers(4), -numbers(4)
    for count in range(4):
        first, second = agree(text, x, y, np.int64(count))
        want = (y, x) if count % 2 else (x, y)
        assert np.array_equal(first, want[0]) and np.array_equal(second, want[1])
    found = counts(lowered(text))
    assert found["memref.alloc"] == 1 and found["memref.alloc in a loop"] == 0 and found["memref.copy in a loop"] == 3


def test_three_tensors_in_a_ring() -> None:
    kinds = "tensor<4xf32>, tensor<4xf32>, tensor<4xf32>"
    body = f"""%r:3 = scf.for %i = %c0 to %k step %c1 iter_args(%a = %x, %b = %y, %c = %z) -> ({kinds}) {{
        %m = tensor.insert %one into %b[%c0] : tensor<4xf32>
        scf.yield %m, %c, %a : {kinds}
      }}
      return %r#0, %r#1, %r#2 : {kinds}"""
    text = function(body, "%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>, %k: index", kinds)
    a, b, c = numbers(4), 10 * numbers(4), 100 * numbers(4)
    found = agree(text, a, b, c, np.int64(5))
    for _ in range(5):
        m = b.copy()
        m[0] = 1
        a, b, c = m, c, a
    assert all(np.array_equal(one, other) for one, other in zip(found, (a, b, c)))


def test_one_tensor_carried_twice_has_two_places() -> None:
    body = """%r:2 = scf.for %i = %c0 to %c2 step %c1 iter_args(%a = %x, %b = %x) -> (tensor<4xf32>, tensor<4xf32>) {
        %m = tensor.insert %one into %a[%i] : tensor<4xf32>
        scf.yield %m, %b : tensor<4xf32>, tensor<4xf32>
      }
      return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>"""
    text = function(body, "%x: tensor<4xf32>", "tensor<4xf32>, tensor<4xf32>")
    first, second = agree(text, 5 * numbers(4))
    assert np.array_equal(first, [1, 1, 15, 20]) and np.array_equal(second, 5 * numbers(4))


def elementwise(result: str, source: str, init: str, body: str) -> str:
    return f"""%{result} = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel"]}} ins({source} : tensor<?xf32>) outs({init} : tensor<?xf32>) {{
        ^bb0(%p: f32, %q: f32):
          {body}
          linalg.yield %t : f32
        }} -> tensor<?xf32>"""


def test_elementwise_step_is_in_place_and_one_that_reads_anywhere_is_not() -> None:
    reversed_read = "%u = linalg.index 0 : index\n%w = arith.subi %l, %u : index\n%h = tensor.extract %o[%w] : tensor<?xf32>\n%t = arith.addf %h, %p : f32"
    for step, copies in (("%t = arith.addf %p, %p : f32", 0), (reversed_read, 1)):
        body = f"""{SIZE}
          %l = arith.subi %n, %c1 : index
          %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%o = %x) -> (tensor<?xf32>) {{
            %e = tensor.empty(%n) : tensor<?xf32>
            {elementwise("m", "%o", "%e", step)}
            scf.yield %m : tensor<?xf32>
          }}
          return %r : tensor<?xf32>"""
        text = function(body, '%x: tensor<?xf32> {tir.dims = ["N"]}', SAME_SIZE)
        found = counts(lowered(text))
        assert found["memref.copy in a loop"] == found["memref.alloc"] == copies
        assert found["memref.alloc in a loop"] == 0
        agree(text, numbers(5))


def test_captured_tensor_is_never_written_in_a_loop() -> None:
    body = f"""{SIZE}
      %e = tensor.splat %one[%n] : tensor<?xf32>
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %one) -> (f32) {{
        %v = tensor.extract %e[%i] : tensor<?xf32>
        %w = arith.addf %s, %v : f32
        %m = tensor.insert %w into %e[%i] : tensor<?xf32>
        %u = tensor.extract %m[%i] : tensor<?xf32>
        scf.yield %u : f32
      }}
      return %r : f32"""
    text = function(body, results="f32")
    assert agree(text, numbers(4)) == [5]
    found = counts(lowered(text))
    assert found["memref.copy in a loop"] == 1 and found["memref.alloc in a loop"] == 0


# --- conditions ------------------------------------------------------------------------------------------------------

BUBBLE = function(f"""{SIZE}
      %l = arith.subi %n, %c1 : index
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%o = %x) -> (tensor<?xf32>) {{
        %q = scf.for %j = %c0 to %l step %c1 iter_args(%p = %o) -> (tensor<?xf32>) {{
          %k = arith.addi %j, %c1 : index
          %a = tensor.extract %p[%j] : tensor<?xf32>
          %b = tensor.extract %p[%k] : tensor<?xf32>
          %g = arith.cmpf ogt, %a, %b : f32
          %s = scf.if %g -> (tensor<?xf32>) {{
            %t = tensor.insert %b into %p[%j] : tensor<?xf32>
            %u = tensor.insert %a into %t[%k] : tensor<?xf32>
            scf.yield %u : tensor<?xf32>
          }} else {{
            scf.yield %p : tensor<?xf32>
          }}
          scf.yield %s : tensor<?xf32>
        }}
        scf.yield %q : tensor<?xf32>
      }}
      return %r : tensor<?xf32>""")


@pytest.mark.parametrize("count", [1, 2, 30])
def test_bubble_sort_is_stores_under_a_condition(count: int) -> None:
    found = counts(lowered(BUBBLE))
    assert found["memref.copy"] == 1 and found["memref.alloc"] == found["memref.copy in a loop"] == 0  # in the result
    x = np.random.default_rng(3).standard_normal(count).astype(np.float32)
    assert np.array_equal(agree(BUBBLE, x)[0], np.sort(x))


@pytest.mark.parametrize("flag", [0, 1])
def test_branches_of_different_tensors_write_to_one_place(flag: int) -> None:
    body = """%t = scf.if %c -> (tensor<4xf32>) {
        scf.yield %x : tensor<4xf32>
      } else {
        scf.yield %y : tensor<4xf32>
      }
      %r = tensor.insert %one into %t[%c2] : tensor<4xf32>
      return %r : tensor<4xf32>"""
    text = function(body, "%x: tensor<4xf32>, %y: tensor<4xf32>, %c: i1", "tensor<4xf32>")
    found = counts(lowered(text))
    assert found["memref.copy"] == 2 and found["memref.alloc"] == 0
    (r,) = agree(text, numbers(4), -numbers(4), np.bool_(flag))
    assert np.array_equal(r, [1, 2, 1, 4] if flag else [-1, -2, 1, -4])


@pytest.mark.parametrize("flag", [0, 1])
def test_branches_of_different_sizes_hand_over_memory(flag: int) -> None:
    body = """%t = scf.if %c -> (tensor<?xf32>) {
        %m = tensor.concat dim(0) %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
        scf.yield %m : tensor<?xf32>
      } else {
        scf.yield %y : tensor<?xf32>
      }
      %r = tensor.insert %one into %t[%c0] : tensor<?xf32>
      return %r : tensor<?xf32>"""
    text = function(body, "%x: tensor<?xf32>, %y: tensor<?xf32>, %c: i1")
    x, y = numbers(3), -numbers(2)
    (r,) = agree(text, x, y, np.bool_(flag))
    assert np.array_equal(r, [1, 2, 3, -1, -2] if flag else [1, -2])


# --- while -----------------------------------------------------------------------------------------------------------


def test_both_regions_of_a_while_share_a_place() -> None:
    body = f"""{SIZE}
      %r:2 = scf.while (%i = %c0, %o = %x) : (index, tensor<?xf32>) -> (tensor<?xf32>, index) {{
        %g = arith.cmpi ult, %i, %n : index
        scf.condition(%g) %o, %i : tensor<?xf32>, index
      }} do {{
      ^bb0(%o: tensor<?xf32>, %i: index):
        %m = tensor.insert %one into %o[%i] : tensor<?xf32>
        %j = arith.addi %i, %c1 : index
        scf.yield %j, %m : index, tensor<?xf32>
      }}
      return %r#0 : tensor<?xf32>"""
    text = function(body, '%x: tensor<?xf32> {tir.dims = ["N"]}', SAME_SIZE)
    found = counts(lowered(text))
    assert found["memref.copy"] == 1 and found["memref.copy in a loop"] == found["memref.alloc"] == 0
    assert np.array_equal(agree(text, numbers(3))[0], [1, 1, 1])


def test_while_hands_on_in_another_order() -> None:
    kinds = "tensor<4xf32>, tensor<4xf32>"
    body = f"""%r:3 = scf.while (%i = %c0, %a = %x, %b = %y) : (index, {kinds}) -> (index, {kinds}) {{
        %g = arith.cmpi ult, %i, %k : index
        scf.condition(%g) %i, %b, %a : index, {kinds}
      }} do {{
      ^bb0(%i: index, %b: tensor<4xf32>, %a: tensor<4xf32>):
        %m = tensor.insert %one into %a[%i] : tensor<4xf32>
        %j = arith.addi %i, %c1 : index
        scf.yield %j, %b, %m : index, {kinds}
      }}
      return %r#1, %r#2 : {kinds}"""
    text = function(body, "%x: tensor<4xf32>, %y: tensor<4xf32>, %k: index", kinds)
    a, b = 10 * numbers(4), -numbers(4)
    found = agree(text, a, b, np.int64(3))
    for i in range(3):
        m = a.copy()
        m[i] = 1
        a, b = b, m
    assert np.array_equal(found[0], b) and np.array_equal(found[1], a)


# --- sizes -----------------------------------------------------------------------------------------------------------


def test_loop_that_changes_the_size_of_what_it_carries_is_an_error() -> None:
    body = """%r = scf.for %i = %c0 to %k step %c1 iter_args(%o = %x) -> (tensor<?xf32>) {
        %m = tensor.concat dim(0) %o, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
        scf.yield %m : tensor<?xf32>
      }
      return %r : tensor<?xf32>"""
    text = function(body, "%x: tensor<?xf32>, %k: index")
    message = "axis 0 of a tensor that a loop carries must keep its size"
    for target in ("interpret", "cpu"):
        program = Executable(lowered(text, "bufferize" if target == "interpret" else "default"), target)
        assert np.array_equal(program.call("main", [numbers(2), np.int64(0)])[0], numbers(2))
        with pytest.raises(TirError, match=message):
            program.call("main", [numbers(2), np.int64(1)])


def test_result_of_a_while_whose_size_is_not_known_before_is_refused() -> None:
    body = """%r:2 = scf.while (%i = %c0) : (index) -> (index, tensor<?xf32>) {
        %e = tensor.splat %one[%i] : tensor<?xf32>
        %g = arith.cmpi ult, %i, %c2 : index
        scf.condition(%g) %i, %e : index, tensor<?xf32>
      } do {
      ^bb0(%i: index, %e: tensor<?xf32>):
        %j = arith.addi %i, %c1 : index
        scf.yield %j : index
      }
      return %r#1 : tensor<?xf32>"""
    rule = "the sizes of each result must be known before the loop, unless it carries them, got tensor<\\?xf32>"
    with pytest.raises(PassError, match=rule):
        lowered(function(body))


def test_allocation_whose_size_may_be_negative_stays_in_the_loop() -> None:
    body = """%r = scf.for %i = %c0 to %k step %c1 iter_args(%s = %one) -> (f32) {
        %e = tensor.splat %s[%size] : tensor<?xf32>
        %v = tensor.extract %e[%c0] : tensor<?xf32>
        scf.yield %v : f32
      }
      return %r : f32"""
    text = function(body, "%size: index, %k: index", "f32")
    found = counts(lowered(text))
    assert found["memref.alloc in a loop"] == found["memref.dealloc in a loop"] == 1
    assert agree(text, np.int64(-3), np.int64(0)) == [1] and agree(text, np.int64(3), np.int64(2)) == [1]


# --- shared variables ------------------------------------------------------------------------------------------------


def update(inner: str = "", behind: str = "") -> str:
    """A loop over the elements of @w, which may fail inside or behind it."""
    body = f"""%r = scf.for %i = %c0 to %c4 step %c1 iter_args(%o = %w) -> (tensor<4xf32>) {{
        %v = tensor.extract %x[%i] : tensor<4xf32>
        %m = tensor.insert %v into %o[%i] : tensor<4xf32>
        {inner}
        scf.yield %m : tensor<4xf32>
      }}
      {behind}
      return %r : tensor<4xf32>"""
    return function(body, f"%x: tensor<4xf32>, %w: tensor<4xf32> {WRITABLE}", "tensor<4xf32> {tir.update = @w}")


def test_loop_over_a_shared_variable_is_in_place() -> None:
    module = lowered(update())
    assert counts(module)["memref.copy"] == 0
    w = np.zeros(4, np.float32)
    Interpreter(module).run("main", [numbers(4), w])
    assert np.array_equal(w, numbers(4))


FAILS = """%ok = arith.cmpf one, %v, %three : f32
        cf.assert %ok, "no threes" """


@pytest.mark.parametrize("place", ["inside", "behind"])
def test_failing_assert_in_or_behind_a_loop_changes_nothing(place: str) -> None:
    three = "%three = arith.constant 3.0 : f32\n"
    if place == "inside":
        text = update(three + FAILS)
    else:
        text = update(behind=three + "%v = tensor.extract %x[%c2] : tensor<4xf32>\n" + FAILS)
    for pipeline, target in (("bufferize", "interpret"), ("default", "cpu")):
        program = Executable(lowered(text, pipeline), target)
        with pytest.raises(TirError, match="no threes"):
            program.call("main", [numbers(4)])
        assert np.array_equal(program.state["w"], np.zeros(4))
        program.call("main", [10 * numbers(4)])
        assert np.array_equal(program.state["w"], 10 * numbers(4))


# --- any program -----------------------------------------------------------------------------------------------------


# 5051: a size that only the condition of an scf.while knows.
@pytest.mark.parametrize("seed", [*range(6), 5051])
def test_random_loops_compute_the_same_at_every_level(seed: int) -> None:
    text = random_loops(seed)
    lowered(text)
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 6))
    arrays = [random.integers(-9, 9, size).astype(np.int32) for size in (n, n, 4)]
    agree(text, *arrays)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_many_random_loops_compute_the_same_on_buffers(seed: int) -> None:
    text = random_loops(seed, 20)
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 6))
    arrays = [random.integers(-9, 9, size).astype(np.int32) for size in (n, n, 4)]
    want = Executable(parse_text(text, REGISTRY), "interpret").call("main", arrays)
    for pipeline in ("bufferize", "canonicalize,cse,dce,bufferize", "fuse,bufferize"):
        found = Executable(lowered(text, pipeline), "interpret").call("main", arrays)
        assert all(np.array_equal(a, b) for a, b in zip(want, found)), pipeline
