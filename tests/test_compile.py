"""Executables: the same answers, state and errors on machine code and on the interpreter."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import tir
from tir.compile import TARGETS, Executable
from tir.dialects import arith, func, memref, scf
from tir.dialects.all import REGISTRY
from tir.dialects.builtin import Module
from tir.ir.attributes import FloatAttr, StringAttr, UnitAttr
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.errors import ExecutionError, TirError, TirErrors
from tir.ir.ir import Block, Region
from tir.ir.pass_manager import Pass, Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.types import DYNAMIC, F32, INDEX, MemRefType
from tir.parser.parse import parse_text
from tir.passes.pipelines import default


def executable(text: str, target: str) -> Executable:
    return Executable(parse_text(text, REGISTRY), target)


on_both = pytest.mark.parametrize("target", TARGETS)

# y = x[1:-1] * 2, and the sum of all x so far.
SMOOTH = """
  func.func private @total() -> memref<f32> {
    %0 = memref.alloc() : memref<f32>
    %v = arith.constant 10.0 : f32
    memref.store %v, %0[] : memref<f32>
    return %0 : memref<f32>
  }
  func.func @step(
    %x: memref<?xf32> {tir.name = "x", tir.dims = ["B"]},
    %ok: i1 {tir.name = "ok"},
    %total: memref<f32> {tir.shared = @total},
    %out: memref<?xf32> {tir.out, tir.name = "doubled", tir.dims = ["B - 2"]}
  ) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %m = memref.dim %out, %c0 : memref<?xf32>
    %two = arith.constant 2.0 : f32
    scf.for %i = %c0 to %m step %c1 {
      %j = arith.addi %i, %c1 : index
      %0 = memref.load %x[%j] : memref<?xf32>
      %1 = arith.mulf %0, %two : f32
      memref.store %1, %out[%i] : memref<?xf32>
    }
    scf.for %i = %c0 to %n step %c1 {
      %0 = memref.load %x[%i] : memref<?xf32>
      %1 = memref.load %total[] : memref<f32>
      %2 = arith.addf %0, %1 : f32
      memref.store %2, %total[] : memref<f32>
    }
    cf.assert %ok, "not ok"
    return
  }"""


@on_both
def test_a_step_returns_its_result_and_keeps_its_state(target: str) -> None:
    exe = executable(SMOOTH, target)
    assert exe.state["total"] == 10
    x = np.arange(5, dtype=np.float32)
    for k in range(1, 4):
        (out,) = exe.call("step", {"x": x, "ok": True})
        np.testing.assert_array_equal(out, [2, 4, 6])
        assert exe.state["total"] == 10 + 10 * k
    (out,) = exe.call("step", [np.ones(2, np.float32), np.bool_(True)])
    assert out.shape == (0,) and out.dtype == np.float32


REFUSED = [
    ("tir.slice %x from [2] to [0] step [1]", "tensor<?xf32>", "tir.slice: axis 0 of x must have at least the size"),
    ("tir.windows %x window [5]", "tensor<?x5xf32>", "tir.windows: the window must fit into axis 0 of x"),
]


@pytest.mark.parametrize(("op", "type", "message"), REFUSED, ids=["slice", "windows"])
def test_memory_that_is_allocated_first_leaves_the_words_to_the_assert(op: str, type: str, message: str) -> None:
    text = f"func.func @f(%x: tensor<?xf32>) -> {type} {{\n  %r = {op} : {type}\n  return %r : {type}\n}}\n"
    exe = Executable(parse_text(text, REGISTRY), "cpu", lambda module: run_pipeline(default(), module))
    with pytest.raises(ExecutionError, match=message):
        exe.call("f", [np.ones(1, np.float32)])
    assert exe.call("f", [np.ones(5, np.float32)])[0].shape[0] == (3 if "slice" in op else 1)


@on_both
def test_a_failed_assert_leaves_the_state_as_it_was(target: str) -> None:
    exe = executable(SMOOTH, target)
    exe.call("step", [np.ones(3, np.float32), True])
    with pytest.raises(ExecutionError, match="not ok"):
        exe.call("step", [np.ones(3, np.float32), False])
    assert exe.state["total"] == 13


@on_both
def test_the_state_can_be_read_as_copies_and_set_with_checks(target: str) -> None:
    exe = executable(SMOOTH, target)
    exe.state["total"][...] = 99
    assert exe.state["total"] == 10
    exe.state["total"] = 3
    exe.call("step", [np.ones(3, np.float32), True])
    assert dict(exe.state) == {"total": 6} and len(exe.state) == 1 and "total" in exe.state and "b" not in exe.state
    for value, message in (
        (np.float64(1), "shared variable @total must be float32, got float64"),
        ([1.0, 2.0], "shared variable @total must have rank 0, got 1"),
        ("text", "shared variable @total must be float32"),
    ):
        with pytest.raises(ExecutionError, match=message):
            exe.state["total"] = value
    with pytest.raises(ExecutionError, match="there is no shared variable @totla; did you mean 'total'?"):
        exe.state["totla"] = 1
    with pytest.raises(ExecutionError, match="cannot be removed"):
        del exe.state["total"]
    assert exe.state["total"] == 6


@on_both
def test_entries_say_what_they_take_and_return(target: str) -> None:
    entry = executable(SMOOTH, target).entries["step"]
    assert [(p.name, str(p.type)) for p in entry.parameters] == [("x", "tensor<[B]xf32>"), ("ok", "i1")]
    assert [(r.name, str(r.type)) for r in entry.results] == [("doubled", "tensor<[B - 2]xf32>")]
    assert list(executable(SMOOTH, target).entries) == ["step"]


@pytest.mark.parametrize("passes", [(), default().steps])
def test_a_result_may_have_the_name_of_an_argument(passes: Sequence[Pass | Pipeline]) -> None:
    text = """func.func @f(%w: tensor<[N]xf32> {tir.name = "w"}) -> (tensor<[N]xf32> {tir.name = "w"}) {
      %0 = tir.neg %w : tensor<[N]xf32>
      return %0 : tensor<[N]xf32>
    }"""
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline(list(passes)), module)
    program = Executable(parse_text(print_op(module), REGISTRY), "interpret")
    assert program.entries["f"].results[0].name == "w"
    assert program.call("f", {"w": np.float32([1, 2])})[0].tolist() == [-1, -2]


@on_both
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.ones(3, np.float32)}, "@step: argument 'ok' is missing"),
        ({"x": np.ones(3, np.float32), "ok": True, "okay": 1}, "@step has no argument 'okay'; did you mean 'ok'?"),
        ([np.ones(3, np.float32)], r"@step takes 2 arguments \(x, ok\), got 1"),
        ({"x": np.ones(3, np.float32), "ok": True, "w": 1}, "@step has no argument 'w'; it takes x, ok"),
        ([np.ones(3), True], r"argument 'x' must be float32, got float64; \.astype\('float32'\) converts an array"),
        ([np.ones((3, 1), np.float32), True], "argument 'x' must have rank 1, got 2"),
        ([np.ones(1, np.float32), True], r"8:3: @step: result 'doubled': axis 0 would have size \[B - 2\] = -1"),
        ([np.ones(3, np.float32), 1.5], "argument 'ok' must be bool, got float64"),
        ([["a"], True], r"argument 'x' must be float32, got <U1"),
        ([[[1.0], [1.0, 2.0]], True], r"argument 'x' must be float32, got \[\[1.0\], \[1.0, 2.0\]\]"),
    ],
)
def test_a_wrong_call_is_an_error_that_names_the_argument(target: str, arguments: Any, message: str) -> None:
    exe = executable(SMOOTH, target)
    with pytest.raises(ExecutionError, match=message):
        exe.call("step", arguments)
    assert exe.state["total"] == 10


@on_both
def test_an_entry_that_there_is_not_is_told_with_those_that_are(target: str) -> None:
    with pytest.raises(ExecutionError, match="there is no entry @main; there is @step"):
        executable(SMOOTH, target).call("main", [])


@on_both
def test_a_result_that_no_memory_has_room_for_is_told_in_words_of_tir(target: str) -> None:
    type = "tensor<1000000000000000xf32>"
    exe = tir.executable(tir.parse(f"func.func @f() -> {type} {{\n  %0 = tir.full 1.0 : f32 -> {type}\n  return %0 : {type}\n}}"), target)
    with pytest.raises((ExecutionError, MemoryError), match=r"there is no memory for a result of shape \[1000000000000000\]"):
        exe.call("f")


@on_both
def test_a_number_without_a_sign_that_is_no_size_is_told_without_one(target: str) -> None:
    text = """func.func @f(%n: tensor<ui64> {tir.name = "n"}) -> tensor<?xf32> {
      %0 = tir.to_index %n : tensor<ui64>
      %1 = tir.full 1.0 : f32 sizes (%0) -> tensor<?xf32>
      return %1 : tensor<?xf32>
    }"""
    exe = tir.executable(tir.parse(text), target)
    with pytest.raises(ExecutionError) as caught:
        exe.call("f", [np.uint64(2**64 - 2)])
    seen = "x must be below 2^63, got 18446744073709551614" if target == "interpret" else "x must be below 2^63"
    assert str(caught.value).endswith(f"tir.to_index: {seen}")
    assert exe.call("f", [np.uint64(3)])[0].shape == (3,)


@on_both
def test_lists_numbers_and_awkward_arrays_are_taken(target: str) -> None:
    exe = executable(SMOOTH, target)
    for x in (
        [1, 2, 3],
        [1.0, 2.0, 3.0],
        np.arange(1, 7, dtype=np.float32)[::2] / 2 + 0.5,
        np.float32([1, 2, 3]).astype(">f4"),
    ):
        (out,) = exe.call("step", {"x": x, "ok": True})
        assert out.tolist() == [4]


def test_an_unknown_entry_or_target_is_an_error_with_a_hint() -> None:
    with pytest.raises(ExecutionError, match="there is no entry @stpe; did you mean 'step'?"):
        executable(SMOOTH, "cpu").call("stpe")
    with pytest.raises(TirError, match="unknown target 'gpu'; did you mean"):
        executable(SMOOTH, "gpu")


NAMED = """
  func.func @f(
    %a: memref<?x?xf32> {tir.name = "a", tir.dims = ["M", "K"]},
    %b: memref<?x3xf32> {tir.name = "b", tir.dims = ["K", 3]},
    %c: memref<?xf32> {tir.name = "c", tir.dims = ["M floordiv 2 + 1"]}
  ) { return }"""


@on_both
def test_named_sizes_must_agree_between_arguments(target: str) -> None:
    exe = executable(NAMED, target)
    zeros = np.zeros
    exe.call("f", [zeros((5, 4), np.float32), zeros((4, 3), np.float32), zeros(3, np.float32)])
    with pytest.raises(ExecutionError, match=r"argument 'b': axis 0 must have size \[K\] = 4, got 5"):
        exe.call("f", [zeros((5, 4), np.float32), zeros((5, 3), np.float32), zeros(3, np.float32)])
    with pytest.raises(ExecutionError, match=r"argument 'c': axis 0 must have size \[M floordiv 2 \+ 1\] = 3, got 2"):
        exe.call("f", [zeros((5, 4), np.float32), zeros((4, 3), np.float32), zeros(2, np.float32)])
    with pytest.raises(ExecutionError, match="argument 'b': axis 1 must have size 3, got 2"):
        exe.call("f", [zeros((5, 4), np.float32), zeros((4, 2), np.float32), zeros(3, np.float32)])


UNSIGNED = """
  func.func private @seen() -> memref<256xi8> {
    %0 = memref.alloc() : memref<256xi8>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c256 = arith.constant 256 : index
    %zero = arith.constant 0 : i8
    scf.for %i = %c0 to %c256 step %c1 {
      memref.store %zero, %0[%i] : memref<256xi8>
    }
    return %0 : memref<256xi8>
  }
  func.func @f(
    %x: memref<?xi8> {tir.name = "x", tir.dims = ["B"], tir.dtype = "ui8"}, %k: i8 {tir.name = "k", tir.dtype = "ui8"},
    %seen: memref<256xi8> {tir.shared = @seen, tir.dtype = "ui8"},
    %out: memref<?xi8> {tir.out, tir.dims = ["B"], tir.dtype = "ui8"}
  ) -> (i8 {tir.dtype = "ui8"}) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = memref.dim %x, %c0 : memref<?xi8>
    scf.for %i = %c0 to %n step %c1 {
      %0 = memref.load %x[%i] : memref<?xi8>
      %1 = arith.maxui %0, %k : i8
      memref.store %1, %out[%i] : memref<?xi8>
      %2 = arith.index_castui %0 : i8 to index
      memref.store %0, %seen[%2] : memref<256xi8>
    }
    return %k : i8
  }"""


@on_both
def test_unsigned_numbers_go_in_and_out_as_such(target: str) -> None:
    exe = executable(UNSIGNED, target)
    out, k = exe.call("f", {"x": np.array([1, 127, 128, 255], np.uint8), "k": 130})
    assert out.dtype == k.dtype == np.uint8 and k == 130
    assert out.tolist() == [130, 130, 130, 255]
    seen = exe.state["seen"]
    assert seen.dtype == np.uint8 and seen.nonzero()[0].tolist() == [1, 127, 128, 255]
    with pytest.raises(ExecutionError, match="argument 'x' must be uint8, got int8"):
        exe.call("f", {"x": np.zeros(2, np.int8), "k": 1})
    with pytest.raises(ExecutionError, match="argument 'k' must be uint8"):
        exe.call("f", {"x": np.zeros(2, np.uint8), "k": 256})


SWAP = """
  func.func private @a() -> (memref<2xf32>) {
    %0 = memref.alloc() : memref<2xf32>
    %t = memref.get_global @first : memref<2xf32>
    memref.copy %t, %0 : memref<2xf32> to memref<2xf32>
    return %0 : memref<2xf32>
  }
  func.func private @b(%out: memref<2xf32> {tir.out}) {
    %t = memref.get_global @second : memref<2xf32>
    memref.copy %t, %out : memref<2xf32> to memref<2xf32>
    return
  }
  memref.global "private" constant @first : memref<2xf32> = dense<[1.0, 2.0]>
  memref.global "private" constant @second : memref<2xf32> = dense<[3.0, 4.0]>
  func.func @swap(%a: memref<2xf32> {tir.shared = @a}, %b: memref<2xf32> {tir.shared = @b}) {
    %t = memref.alloc() : memref<2xf32>
    memref.copy %a, %t : memref<2xf32> to memref<2xf32>
    memref.copy %b, %a : memref<2xf32> to memref<2xf32>
    memref.copy %t, %b : memref<2xf32> to memref<2xf32>
    return
  }
  func.func @first_of_both(%a: memref<2xf32> {tir.shared = @a}, %b: memref<2xf32> {tir.shared = @b}) -> (f32, f32) {
    %c0 = arith.constant 0 : index
    %0 = memref.load %a[%c0] : memref<2xf32>
    %1 = memref.load %b[%c0] : memref<2xf32>
    return %0, %1 : f32, f32
  }"""


@on_both
def test_several_entries_share_one_state(target: str) -> None:
    exe = executable(SWAP, target)
    assert exe.call("first_of_both") == [1, 3]
    exe.call("swap")
    assert exe.call("first_of_both") == [3, 1]
    exe.state["a"] = [7, 8]
    exe.call("swap")
    assert {name: value.tolist() for name, value in exe.state.items()} == {"a": [1, 2], "b": [7, 8]}


STRUCTURED_SWAP = """
  func.func private @a() -> tensor<2xf32> {
    %0 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
    return %0 : tensor<2xf32>
  }
  func.func private @b() -> tensor<2xf32> {
    %0 = arith.constant dense<3.0> : tensor<2xf32>
    return %0 : tensor<2xf32>
  }
  func.func @swap(%c: i1, %a: tensor<2xf32> {tir.shared = @a}, %b: tensor<2xf32> {tir.shared = @b})
      -> (tensor<2xf32> {tir.update = @a}, tensor<2xf32>, tensor<2xf32> {tir.update = @b}) {
    cf.assert %c, "no"
    %0 = arith.addf %a, %b : tensor<2xf32>
    return %b, %0, %a : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
  }"""


def test_updates_that_are_results_are_committed_together() -> None:
    exe = executable(STRUCTURED_SWAP, "interpret")
    (total,) = exe.call("swap", {"c": True})
    assert total.tolist() == [4, 5]
    assert {name: value.tolist() for name, value in exe.state.items()} == {"a": [3, 3], "b": [1, 2]}
    with pytest.raises(ExecutionError, match="no"):
        exe.call("swap", {"c": False})
    assert {name: value.tolist() for name, value in exe.state.items()} == {"a": [3, 3], "b": [1, 2]}
    total[:] = 0
    assert exe.state["a"].tolist() == [3, 3]


TENSOR_LEVEL = """
  tir.shared @n : tensor<f32> = dense<5.0>
  func.func @count(%x: tensor<[B]xf32> {tir.name = "x"}) -> (tensor<[B]xf32>, tensor<f32>) {
    %n = tir.read @n : tensor<f32>
    %0 = tir.add %n, %n : tensor<f32>
    tir.update @n, %0 : tensor<f32>
    return %x, %n : tensor<[B]xf32>, tensor<f32>
  }"""


def test_the_tensor_level_runs_on_the_interpreter_with_its_state() -> None:
    exe = executable(TENSOR_LEVEL, "interpret")
    assert exe.state["n"] == 5
    x = np.ones(3, np.float32)
    same, n = exe.call("count", [x])
    assert n == 5 and exe.state["n"] == 10 and same.tolist() == [1, 1, 1]
    exe.state["n"] = 1
    assert exe.call("count", [x])[1] == 1


@on_both
def test_functions_without_state_run_in_many_threads(target: str) -> None:
    text = """
      func.func @f(%x: memref<64xf32>, %out: memref<64xf32> {tir.out}) {
        memref.copy %x, %out : memref<64xf32> to memref<64xf32>
        return
      }"""
    exe = executable(text, target)
    wrong: list[int] = []

    def work(k: int) -> None:
        x = np.full(64, k, np.float32)
        for _ in range(50):
            if not (exe.call("f", [x])[0] == k).all():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@on_both
def test_calls_that_share_state_do_not_mix(target: str) -> None:
    exe = executable(SMOOTH, target)

    def work() -> None:
        for _ in range(20):
            exe.call("step", [np.ones(3, np.float32), True])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert exe.state["total"] == 10 + 4 * 20 * 3


@on_both
def test_a_pipeline_works_on_a_copy_of_the_module(target: str) -> None:
    module = parse_text(SMOOTH, REGISTRY)
    seen = []
    exe = Executable(module, target, pipeline=seen.append)
    assert len(seen) == 1 and seen[0] is not module
    assert list(exe.entries) == ["step"]


def relu_module() -> Module:
    """@relu(x, out) by the builder: out = max(x, 0) elementwise, for any shape of rank 2, with one argument strided."""
    type = MemRefType((DYNAMIC, 4), F32)
    function = func.Func.make("relu", [type, type], [])
    function.set_argument_attribute(0, "tir.name", StringAttr("x"))
    function.set_argument_attribute(1, "tir.out", UnitAttr())
    b = Builder.at_end(function.entry)
    x, out = function.arguments
    c0, c1, c4 = (b.create(arith.Constant, value=_index(i), result_types=[INDEX]) for i in (0, 1, 4))
    zero = b.create(arith.Constant, value=FloatAttr(0.0, F32), result_types=[F32])
    n = b.create(memref.Dim, x, c0)
    body = Block([INDEX, INDEX])
    b.op(scf.Parallel, [c0, c0], [n, c4], [c1, c1], [], regions=[Region([body])])
    b.op(func.Return, [], result_types=[])
    inner = Builder.at_end(body)
    loaded = inner.create(memref.Load, x, body.arguments)
    inner.op(memref.Store, inner.create(arith.MaximumF, loaded, zero), out, body.arguments, result_types=[])
    inner.op(scf.Reduce, [], result_types=[])
    module = create(Module, result_types=[], regions=[Region([Block()])])
    module.body.append(function)
    return module


def _index(value: int) -> Any:
    return parse_text(f"%0 = arith.constant {value} : index", REGISTRY).body.first.value


@on_both
def test_a_module_from_the_builder(target: str) -> None:
    module = relu_module()
    function = module.body.first
    function.set_argument_attribute(0, "tir.dims", parse_dims('["B", 4]'))
    function.set_argument_attribute(1, "tir.dims", parse_dims('["B", 4]'))
    exe = Executable(module, target)
    for x in (
        np.zeros((0, 4), np.float32),
        np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)[::2, 1::2],
    ):
        np.testing.assert_array_equal(exe.call("relu", {"x": x})[0], np.maximum(x, 0))
    assert exe.call("relu", {"x": np.full((1, 4), np.nan, np.float32)})[0].shape == (1, 4)
    assert [str(p.type) for p in exe.entries["relu"].parameters] == ["tensor<[B]x4xf32>"]


def parse_dims(text: str) -> Any:
    module = parse_text(f"func.func private @f(tensor<4xf32> {{tir.dims = {text}}})", REGISTRY, verify=False)
    return module.body.first.argument_attribute(0, "tir.dims")


@on_both
def test_a_result_whose_size_nothing_says_is_an_error(target: str) -> None:
    text = "func.func @f(%x: memref<?xf32>, %out: memref<?xf32> {tir.out}) {\nreturn\n}"
    with pytest.raises(ExecutionError, match="a result: no argument says what the size . of axis 0 is"):
        executable(text, target).call("f", [np.ones(3, np.float32)])


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ('tir.dims = ["B"]', r"argument 0: tir.dims must be a list of 2 sizes for memref<\?x4xf32>"),
        ('tir.dims = ["B +", 4]', r"argument 0: tir.dims must be sizes of .*: numbers, or expressions over names \(axis 0\)"),
        ("tir.dims = [true, 1.5]", r"argument 0: tir.dims must be sizes of .* \(axis 1\)"),
    ],
)
def test_attributes_that_make_no_sense_are_located_errors(facts: str, message: str) -> None:
    with pytest.raises(TirErrors, match=message) as error:
        executable(f"func.func @f(%x: memref<?x4xf32> {{{facts}}}) {{\nreturn\n}}", "interpret")
    assert error.value.location is not None


def _concat(count: int, dim: str, result: str) -> str:
    operands = ", ".join(["%x"] * count)
    types = f"(%x: tensor<{dim}xf32>) -> tensor<{result}xf32>"
    return f"func.func @join{types} {{\n  %r = tir.concat {operands} axis 0 : tensor<{result}xf32>\n  return %r : tensor<{result}xf32>\n}}\n"


def test_concat_of_very_many_small_operands_is_no_nest_for_each() -> None:
    program = tir.executable(tir.parse(_concat(2000, "2", "4000")))
    x = np.array([1, 2], np.float32)
    np.testing.assert_array_equal(program.call("join", [x])[0], np.tile(x, 2000))


def test_a_function_that_is_too_large_is_named_with_its_place() -> None:
    with pytest.raises(TirError) as caught:
        tir.executable(tir.parse(_concat(1000, "?", "?").replace("<?x", "<?x?x").replace("axis 0", "axis 1"), file="join.tir"))
    assert str(caught.value).startswith("join.tir:1:1: @join is too large for machine code: 6")
    assert "LLVM" not in str(caught.value) and "block" not in str(caught.value)
