"""`profile`: each op by its line, each function, and what the interpreter's observer sees."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import tir
from tests.inspect.programs import looping, shown_place, training
from tir.compile import Executable
from tir.inspect.profiles import Profile, Row, profile
from tir.interpret import Interpreter
from tir.ir import observing
from tir.ir.errors import ExecutionError, FileLocation
from tir.ir.observing import Observer

X, Y = np.ones((4, 64), np.float32), np.zeros(4, np.int32)
STEPS = np.ones((5, 3)), 1


def test_interpreter_tells_each_op_by_its_line() -> None:
    found = profile(training().module, "train", [X, Y], repeat=3)
    product = found.ops["tir.dot", shown_place(training, "scores = ")]
    assert product.calls == 3 and product.seconds > 0
    assert ("tir.softmax", f"gradient of tir.softmax_cross_entropy ({shown_place(training, 'cost = ')})") in found.ops
    assert found.functions["train"].calls == 3
    assert 0 < sum(row.seconds for row in found.ops.values()) < found.seconds


def test_ops_of_a_loop_count_each_step_and_the_loop_itself_only_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(perf_counter=iter(range(10_000)).__next__)  # each look at it is a second
    monkeypatch.setattr(observing, "time", clock)
    found = profile(looping().module, "f", STEPS)
    where = shown_place(looping, "b.scan")
    assert found.ops["tir.tanh", where].calls == 5 and found.ops["tir.tanh", where].seconds == 5
    assert found.ops["tir.scan", where].calls == 1
    assert found.ops["tir.scan", where].seconds == 6  # in front of each of 5 steps, and behind the last


def test_machine_code_tells_each_call_and_each_loop_nest() -> None:
    found = profile(training().module, "train", [X, Y], repeat=2, target="cpu")
    assert found.functions["train"].calls == 2 and found.compile_seconds > 0
    update = found.ops["scf.parallel", shown_place(training, "b.update")]
    assert update.calls == 2 and 0 < update.seconds < found.seconds
    program = tir.executable(training().module)
    found = profile(program, "train", {"x": X, "y": Y})
    assert found.functions["train"].calls == 1 and not found.ops


def test_call_that_fails_is_counted() -> None:
    found = Profile()
    with pytest.raises(ValueError, match="^no$"), found.call("f"):
        raise ValueError("no")
    assert found.functions["f"].calls == 1


def test_summary_is_a_table_with_the_slowest_first() -> None:
    found = Profile(compile_seconds=0.25)
    found.functions["f"] = Row("f", None, 2, 0.5)
    for i, name in enumerate(("tir.add", "tir.dot", "tir.exp")):
        found.ops[name, ""] = Row(name, FileLocation("m.py", i, 1), 2, (0.1, 0.25, 0.05)[i])
    assert found.summary(2).split("\n") == [
        "2 calls, 0.500000 s; 0.250 s to compile",
        "   seconds    calls        each  function",
        "  0.500000        2    0.250000  @f",
        "",
        "   seconds   share    calls  op                        line",
        "  0.250000   62.5%        2  tir.dot                   m.py:1",
        "  0.100000   25.0%        2  tir.add                   m.py:0",
        "  0.050000   12.5%           1 more",
    ]
    assert "m.py:2" in str(found) and "<pre>" in found._repr_html_()


# --- the observer ----------------------------------------------------------------------------------------------------


class Log(Observer):
    """Keeps what an observer is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[object], list[object]]] = []

    def started(self, function: object, arguments: object) -> None:
        self.seen.append(("started", list(arguments), []))  # type: ignore[call-overload]

    def ran(self, op: object, operands: object, results: object, seconds: float) -> None:
        self.seen.append((op.name, list(operands), list(results)))  # type: ignore[attr-defined, call-overload]


BRANCHES = """
func.func @f(%x: f32, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  cf.br ^loop(%c0, %x : index, f32)
^loop(%i: index, %s: f32):
  %more = arith.cmpi ult, %i, %n : index
  cf.cond_br %more, ^body, ^end
^body:
  %c1 = arith.constant 1 : index
  %t = arith.addf %s, %s : f32
  %next = arith.addi %i, %c1 : index
  cf.br ^loop(%next, %t : index, f32)
^end:
  return %s : f32
}
"""


def test_observer_sees_values_of_calls_branches_and_loops() -> None:
    log = Log()
    (result,) = Interpreter(tir.parse(BRANCHES), observer=log).run("f", [np.float32(3), np.int64(2)])
    assert result == 12
    assert log.seen[0] == ("started", [3, 2], [])
    assert [(operands, results) for name, operands, results in log.seen if name == "arith.addf"] == [
        ([3, 3], [6]), ([6, 6], [12])]  # fmt: skip
    assert [name for name, _, _ in log.seen].count("cf.cond_br") == 3


def test_observed_run_gives_what_the_run_gives_and_changes_in_place_as_it_does() -> None:
    text = """
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      %two = arith.constant 2.0 : f32
      %y = scf.for %i = %c0 to %c4 step %c1 iter_args(%t = %x) -> (tensor<4xf32>) {
        %e = tensor.extract %t[%i] : tensor<4xf32>
        %d = arith.mulf %e, %two : f32
        %n = tensor.insert %d into %t[%i] : tensor<4xf32>
        scf.yield %n : tensor<4xf32>
      }
      return %y : tensor<4xf32>
    }
    """
    class Places(Observer):
        """Where arrays lie; it holds none of them, for then they would be seen."""

        found: list[int] = []

        def ran(self, op: object, operands: object, results: object, seconds: float) -> None:
            if op.name == "tensor.insert":  # type: ignore[attr-defined]
                self.found.append(results[0].ctypes.data)  # type: ignore[index]

    places, x = Places(), np.arange(4, dtype=np.float32)
    (got,) = Interpreter(tir.parse(text), observer=places).run("f", [x])
    np.testing.assert_array_equal(got, 2 * np.arange(4))
    np.testing.assert_array_equal(x, np.arange(4))
    assert len(places.found) == 4 and len(set(places.found)) == 1  # a copy of the argument, which then is changed


def test_observer_that_raises_ends_the_run_and_leaves_the_state() -> None:
    class Stop(Observer):
        def ran(self, op: object, operands: object, results: object, seconds: float) -> None:
            if op.name == "tir.update":  # type: ignore[attr-defined]
                raise ExecutionError("stop")

    b = tir.Builder()
    b.shared("n", np.zeros((), np.float32))
    with b.function("f"):
        b.update("n", b.read("n") + 1)
        b.returns()
    program = Executable(b.module, "interpret", observer=Stop())
    with pytest.raises(ExecutionError, match="tir.update: stop"):
        program.call("f")
    assert program.state["n"] == 0
