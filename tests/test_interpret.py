"""The interpreter itself: its stack, its state, its limits, its arguments and its errors."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

from tests.dialects.programs import function, module, run, run_body, run_error
from tir.interpret import Interpreter
from tir.ir.attributes import FloatAttr
from tir.ir.builder import Builder
from tir.ir.define import attribute, operand, result
from tir.ir.errors import TirError
from tir.ir.execution import Call, ExecutionError, Frame
from tir.ir.ir import Op
from tir.ir.kinds import FLAT_SYMBOL, NUMBER_ATTR, SYMBOL_NAME
from tir.ir.traits import Symbol
from tir.ir.types import F32

LOOP = """
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  scf.for %i = %zero to %n step %one {
    memref.store %x, %m[%i] : memref<?xf32>
  }
  return
"""


class Shared(Op, Symbol):
    """A shared variable that starts as `start`, or as the result of the function `init`."""

    name = "test.shared"
    sym_name = attribute(SYMBOL_NAME)
    start = attribute(NUMBER_ATTR, optional=True)
    init = attribute(FLAT_SYMBOL, optional=True)

    def initial_state(self, frame: Frame) -> Any:
        return np.float32(self.start) if self.init is None else self.called()

    def called(self) -> Any:
        (value,) = yield Call(self.init, [])
        return value


class Read(Op):
    """The value of a shared variable before the run."""

    name = "test.read"
    symbol = attribute(FLAT_SYMBOL)
    value = result()

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        return (frame.state(self.symbol),)


class Update(Op):
    """The value of a shared variable after the run."""

    name = "test.update"
    value = operand()
    symbol = attribute(FLAT_SYMBOL)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        frame.update(self.symbol, frame[self.value])
        return ()


class Mystery(Op):
    """An op that nothing can run."""

    name = "test.mystery"


def swapping(fail: bool = False) -> Op:
    """A module whose `@f` swaps two shared variables, reads the first again, and may then fail."""
    text = "func.func @f() -> f32 {\n return\n}\nfunc.func private @start() -> f32 {\n return\n}"
    found = module(text.replace("return\n", "%x = arith.constant 5.0 : f32\n return %x : f32\n"))
    f, start = found.body.ops
    at_start = Builder.at_start(found.body)
    at_start.op(Shared, sym_name="a", start=FloatAttr(1.0, F32), result_types=())
    at_start.op(Shared, sym_name="b", init="start", result_types=())
    b = Builder.before(f.entry.terminator)
    x = b.create(Read, symbol="a", result_types=[F32])
    y = b.create(Read, symbol="b", result_types=[F32])
    b.op(Update, y, symbol="a", result_types=())
    b.op(Update, x, symbol="b", result_types=())
    again = b.create(Read, symbol="a", result_types=[F32])
    if fail:
        b.op(Mystery, result_types=())
    f.entry.terminator.set_operands([again])
    return found


def test_reads_see_the_old_state_and_updates_are_committed_together() -> None:
    interpreter = Interpreter(swapping())
    assert interpreter.run("f") == [1]
    assert interpreter.state == {"a": 5, "b": 1}
    assert interpreter.run("f") == [5]
    assert interpreter.state == {"a": 1, "b": 5}


def test_failed_run_changes_no_state() -> None:
    interpreter = Interpreter(swapping(fail=True))
    with pytest.raises(ExecutionError, match=r"test\.mystery: cannot be interpreted"):
        interpreter.run("f")
    assert interpreter.state == {"a": 1, "b": 5}


def test_given_state_is_used_and_changed_in_place() -> None:
    state = {"a": np.float32(7), "b": np.float32(8)}
    assert Interpreter(swapping(), state).run("f") == [7]
    assert state == {"a": 8, "b": 7}


def test_unknown_shared_variable_is_an_error() -> None:
    found = swapping()
    found.body.ops[0].erase()
    with pytest.raises(ExecutionError, match="test.read: there is no shared variable @a"):
        Interpreter(found).run("f")


def test_committed_value_is_not_the_callers_array() -> None:
    found = module(function("(%x: tensor<2xf32>)", "return"))
    f = found.body.ops[0]
    Builder.at_start(found.body).op(Shared, sym_name="a", start=FloatAttr(0.0, F32), result_types=())
    Builder.at_start(f.entry).op(Update, f.arguments[0], symbol="a", result_types=())
    interpreter, array = Interpreter(found), np.ones(2, np.float32)
    interpreter.run("f", [array])
    array[:] = 9
    assert interpreter.state["a"].tolist() == [1, 1]


def test_result_is_not_the_callers_array() -> None:
    array = np.ones(2, np.float32)
    (got,) = run_body("(%x: tensor<2xf32>) -> tensor<2xf32>", "return %x : tensor<2xf32>", array)
    got[:] = 5
    assert array.tolist() == [1, 1]


def test_steps_can_be_limited() -> None:
    found = module(function("(%n: index, %x: f32, %m: memref<?xf32>)", LOOP))
    arguments = [10, np.float32(1), np.zeros(10, np.float32)]
    Interpreter(found, max_steps=30).run("f", arguments)
    with pytest.raises(ExecutionError, match="the run takes more than 20 steps"):
        Interpreter(found, max_steps=20).run("f", arguments)


def test_endless_recursion_ends_in_an_error() -> None:
    text = "func.func @f() {\n func.call @f() : () -> ()\n return\n}"
    error = run_error(text)
    assert error.message == "func.call: calls are nested more than 10000 deep"
    assert error.notes[0][0] == "called from here"


def test_error_names_op_place_and_calls() -> None:
    text = """
    func.func @f(%m: memref<?xf32>) {
      func.call @g(%m) : (memref<?xf32>) -> ()
      return
    }
    func.func private @g(%m: memref<?xf32>) {
      %i = arith.constant 3 : index
      %x = memref.load %m[%i] : memref<?xf32>
      return
    }"""
    error = run_error(text, np.zeros(3, np.float32))
    assert str(error) == "t.tir:8:7: memref.load: index 3 is out of bounds for axis 0 with size 3"
    assert [(note, str(where)) for note, where in error.notes] == [("called from here", "t.tir:3:7")]


def test_nothing_recurses() -> None:
    """500 nested regions and 500 nested calls run at a recursion limit of 200."""
    program = """
        import sys
        import numpy as np
        from tests.dialects.programs import REGISTRY
        from tir.dialects import arith, builtin, func, scf
        from tir.interpret import Interpreter
        from tir.ir.builder import Builder
        from tir.ir.define import create
        from tir.ir.ir import Block, Region
        from tir.ir.types import I1, I64
        sys.setrecursionlimit(200)
        module = create(builtin.Module, result_types=(), regions=[Region([Block()])])
        f = func.Func.make("f", [I1, I64], [I64])
        module.body.append(f)
        condition, value = f.arguments
        block, tops = f.entry, []
        for _ in range(500):
            op = create(scf.If, condition, result_types=[I64], regions=[Region([Block()]), Region([Block()])])
            Builder.at_end(op.else_block).op(scf.Yield, [value])
            block.append(op)
            tops.append((block, op))
            block = op.then_block
        Builder.at_end(block).op(scf.Yield, [value])
        for block, op in tops[1:]:
            Builder.at_end(block).op(scf.Yield, op.results)
        Builder.at_end(f.entry).op(func.Return, tops[0][1].results)
        for i in range(500):
            g = func.Func.make(f"g{i}", [I1, I64], [I64])
            module.body.append(g)
            b = Builder.at_end(g.entry)
            callee = f"g{i - 1}" if i else "f"
            b.op(func.Return, b.op(func.Call, g.arguments, callee=callee, result_types=[I64]).results)
        print(Interpreter(module).run("g499", [np.bool_(True), np.int64(42)]))
    """
    got = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "42" in got.stdout


@pytest.mark.parametrize(
    ("type", "value", "message"),
    [
        ("tensor<2xf32>", np.zeros(3, np.float32), "axis 0 must have size 2, got 3"),
        ("tensor<2xf32>", np.zeros((2, 1), np.float32), "must have rank 1, got 2"),
        ("tensor<?xf32>", np.zeros(3), "must have dtype float32, got float64"),
        ("memref<?xf32>", [1.0], "a memref is a numpy array, got list"),
        ("memref<?xf32>", np.zeros(8, np.float32)[::2], "axis 0 must have stride 1 in elements, got 2"),
        ("f32", np.float64(1), "must have dtype float32, got float64"),
        ("i8", 300, "Python integer 300 out of bounds for int8"),
    ],
)
def test_wrong_argument_is_named(type: str, value: Any, message: str) -> None:
    error = run_error(function(f"(%k: i1, %x: {type})", "return"), True, value)
    assert error.message == f"@f: argument 1: {message}"


def test_number_of_arguments_is_checked() -> None:
    assert run_error(function("(%x: f32)", "return")).message == "@f takes 1 argument, got 0"


def test_strided_memrefs_take_strided_arrays() -> None:
    type = "memref<?xf32, strided<[?], offset: ?>>"
    body = f"memref.store %x, %m[%i] : {type}\nreturn"
    array = np.zeros(8, np.float32)
    run_body(f"(%m: {type}, %i: index, %x: f32)", body, array[1::2], 2, np.float32(1))
    assert array.tolist() == [0, 0, 0, 0, 0, 1, 0, 0]


def test_named_sizes_must_agree() -> None:
    text = function("(%x: tensor<[B]x2xf32>, %y: tensor<[B]xf32>, %z: tensor<[B - 1]xf32>)", "return")
    ones = np.ones((3, 2), np.float32)
    run(text, ones, ones[:, 0], ones[1:, 0])
    error = run_error(text, ones, ones[:2, 0], ones[1:, 0])
    assert error.message == "@f: argument 1 axis 0 must have size [B] = 3, got 2"
    error = run_error(text, ones, ones[:, 0], ones[:, 0])
    assert error.message == "@f: argument 2 axis 0 must have size [B - 1] = 2, got 3"


def test_unknown_entry_names_the_nearest() -> None:
    with pytest.raises(TirError, match="there is no symbol @g; did you mean"):
        Interpreter(module("func.func @gg() {\n return\n}")).run("g")


def test_symbol_that_is_no_function_cannot_be_run() -> None:
    with pytest.raises(ExecutionError, match="@g is a memref.global, not a function"):
        Interpreter(module("memref.global @g : memref<f32> = uninitialized")).run("g")


def test_numpy_does_not_warn() -> None:
    with np.errstate(all="raise"):
        got = run_body("(%x: f32, %y: f32) -> f32", "%r = arith.divf %x, %y : f32\nreturn %r : f32",
                       np.float32(1), np.float32(0))  # fmt: skip
    assert got == [np.inf]


def test_unregistered_op_cannot_be_run() -> None:
    found = module(function("()", "return"))
    Builder.at_start(found.body.ops[0].entry).op(Mystery, result_types=())
    with pytest.raises(ExecutionError, match=r"test\.mystery: cannot be interpreted"):
        Interpreter(found).run("f")


def test_scalars_come_back_in_their_dtypes() -> None:
    (got,) = run_body("(%x: i8) -> i8", "%r = arith.addi %x, %x : i8\nreturn %r : i8", 100)
    assert got == -56 and got.dtype == np.int8
