"""Calls that run no Python: the same results and errors as in Python, whatever is given; no leak and no crash."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tir
from tests.native_calls import in_python, outcome, ran_python, same
from tir import tensor as T
from tir.ir.errors import ExecutionError, TirError
from tir.ir.printer import print_op
from tir.runtime import structs, wrapper
from tir.runtime.callables import NativeCallable
from tir.state import SHARED_LOCK

MODULE = "func.func @f(%x: tensor<2xf64>) -> tensor<2xf64> {\n  return %x : tensor<2xf64>\n}"
VECTOR, MATRIX = T.vector("x"), T.matrix("m")
FLOATS = np.array([1.5, -0.0, np.nan, np.inf, 5e-324, -3.0, 7.0, 8.0])


def vector_function(**options: Any) -> Any:
    f = tir.function([VECTOR], VECTOR * 2 + 1, **options)
    f(np.zeros(3))
    return f


@pytest.fixture(name="f")
def _f() -> Any:
    return vector_function()


class Sub(np.ndarray):
    """An array of another class."""


def unaligned(array: Any) -> Any:
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
    memory[:] = array.view(np.uint8)
    return memory.view(array.dtype)


def read_only(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


#: name -> the array, and whether code takes it.
VECTORS: dict[str, tuple[Any, bool]] = {
    "whole": (FLOATS, True),
    "one": (FLOATS[:1], True),
    "part": (np.arange(20.0)[3:9], True),
    "read-only": (read_only(FLOATS), True),
    "empty": (np.zeros(0), True),
    "empty and strided": (np.zeros((0, 4))[:, 1], True),
    "one and strided": (np.ones((1, 4))[:, 1], True),
    "turned": (FLOATS[::-1], False),
    "strided": (np.arange(20.0)[::3], False),
    "column": (np.arange(12.0).reshape(3, 4)[:, 1], False),
    "stretched": (np.broadcast_to(np.float64(3), 5), False),
    "unaligned": (unaligned(np.arange(5.0)), False),
    "swapped": (np.arange(5.0).astype(">f8"), False),
    "of a class": (np.arange(5.0).view(Sub), False),
    "with metadata": (np.arange(5.0).astype(np.dtype("f8", metadata={"unit": "m"})), False),
    "memory map": (np.arange(5.0).view(np.memmap), False),
    "float32": (np.arange(5, dtype=np.float32), False),
    "int64": (np.arange(5), False),
    "bool": (np.array([True, False]), False),
    "a list": ([1.0, 2], False),
}


@pytest.mark.parametrize("name", VECTORS)
def test_hard_arrays_give_what_they_give_in_python(f: Any, name: str) -> None:
    array, is_taken = VECTORS[name]
    before = np.array(array)
    assert ran_python(f, array) is not is_taken
    assert same(f(array), in_python(f)(array))
    assert np.array(array).tobytes() == before.tobytes()


#: What no call takes; each raises.
WRONG: dict[str, tuple[Any, ...]] = {
    "nothing": (),
    "None": (None,),
    "a text": ("abc",),
    "a class": (np.ndarray,),
    "the function": (len,),
    "a dictionary": ({},),
    "complex": (np.ones(3, complex),),
    "objects": (np.array([None]),),
    "texts": (np.array(["a"]),),
    "times": (np.zeros(2, "M8[s]"),),
    "a rank too much": (np.ones((2, 3)),),
    "a rank too few": (np.float64(3),),
    "a 0-d array": (np.zeros(()),),
    "a matrix without rows": (np.ones((0, 3)),),
    "two": (np.ones(3), np.ones(3)),
    "twenty": (np.ones(3),) * 20,
    "an int": (3,),
    "huge": (10**400,),
    "a variable": (VECTOR,),
    "lists of several lengths": ([[1.0], [1.0, 2.0]],),
    "a longer float": (np.ones(2, np.longdouble),),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_calls_are_the_errors_of_python(f: Any, name: str) -> None:
    given = WRONG[name]
    found = outcome(f, *given)
    assert isinstance(found, tuple) and issubclass(found[0], TirError)
    assert found == outcome(in_python(f), *given)
    assert not ran_python(f, np.ones(3)) and f(np.ones(3)).tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    "named", [{"x": FLOATS}, {"y": np.zeros(8)}, {"output_subset": [0]}, {"x": FLOATS, "y": 1}, {"out": None}]
)  # fmt: skip
def test_calls_by_name_are_those_of_python(f: Any, named: dict[str, Any]) -> None:
    assert same(outcome(f, **named), outcome(in_python(f), **named))
    assert same(outcome(f, FLOATS, **named), outcome(in_python(f), FLOATS, **named))


def test_the_code_takes_what_the_first_call_has_compiled(f: Any) -> None:
    assert not ran_python(f, np.ones(3)) and not ran_python(f, np.ones(300))
    assert ran_python(f, x=np.ones(3)) and ran_python(f, [1.0])


# --- numbers ---------------------------------------------------------------------------------------------------------

NUMBERS = (
    0.1, -0.0, 1.5, float("nan"), float("inf"), 1e300, 5e-324, 0, -1, 1, 7, -(2**31), 2**31 - 1, 2**31, 2**24, 2**24 + 1,
    2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30, True, 255, 256, -128, -129,
    np.float64(0.1), np.float32(0.1), np.float16(2), np.int64(-1), np.int32(5), np.int8(-7), np.uint8(200), np.uint64(2**64 - 1),
    np.bool_(True), np.longdouble(3), np.array(0.25), np.array(0.25, np.float32), np.array(3), np.array(-3, np.int8),
    np.array(7, ">f8"), np.ones(1), None, "1", 1j, [1.0], np.array(1.0).view(Sub),
)  # fmt: skip
DTYPES = ("float64", "float32", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool", "float16")


@pytest.mark.parametrize("downcast", [None, True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_give_what_they_give_in_python(dtype: str, downcast: bool | None) -> None:
    x = T.scalar("x", dtype=dtype)
    f = tir.function([x], T.stack([x, x]), allow_input_downcast=downcast)
    f(np.zeros((), dtype))
    for number in NUMBERS:
        with np.errstate(all="ignore"):
            assert same(outcome(f, number), outcome(in_python(f), number)), number


@pytest.mark.parametrize(
    ("dtype", "number"),
    [
        ("float64", 0.1), ("float64", 3), ("float64", np.float64(0.1)), ("float64", np.array(0.1)), ("float32", 0.5),
        ("float32", float("nan")), ("float32", np.float32(0.1)), ("float32", 2**24), ("int64", 2**63 - 1), ("int64", -1),
        ("int8", -128), ("uint8", 255), ("int32", np.int32(3)), ("uint64", 2**63 - 1),
    ],
)  # fmt: skip
def test_numbers_that_the_dtype_has_need_no_python(dtype: str, number: Any) -> None:
    x = T.scalar("x", dtype=dtype)
    f = tir.function([x], x + x)
    f(np.zeros((), dtype))
    assert not ran_python(f, number)


def test_floats_are_rounded_as_long_as_float_x_says_so() -> None:
    x = T.scalar("x", dtype="float32")
    with tir.config.change_flags(floatX="float32"):
        f = tir.function([x], x * 1)
        assert f(0.1) == np.float32(0.1) and not ran_python(f, 0.1)
    with pytest.raises(TirError, match=r"0\.1 would lose digits"):
        f(0.1)
    with tir.config.change_flags(floatX="float32"):
        assert not ran_python(f, 0.1)
    f(0.5)
    assert ran_python(f, 0.5)


def test_a_strict_input_takes_no_numbers() -> None:
    x = T.dscalar("x")
    f = tir.function([tir.In(x, strict=True)], x * 2)
    f(np.zeros(()))
    assert not ran_python(f, np.ones(()))
    assert outcome(f, 1.0) == outcome(in_python(f), 1.0) != 2


def test_a_result_of_rank_0_is_an_array() -> None:
    f = tir.function([VECTOR], VECTOR.sum())
    f(np.ones(3))
    found = f(np.ones(3))
    assert type(found) is np.ndarray and found.shape == () and found.flags.owndata


# --- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outputs",
    [
        None, [], [VECTOR], VECTOR, [VECTOR + 1, VECTOR.sum()], (VECTOR * 2, VECTOR, VECTOR * 3), {"a": VECTOR, "b": VECTOR * 2},
        {"z": VECTOR.sum(), "a": VECTOR}, T.concatenate([VECTOR, VECTOR]), [T.concatenate([VECTOR, VECTOR]), VECTOR.sum()],
        {"n": VECTOR[1:], "m": VECTOR[:-1]}, VECTOR[::2],
    ],
)  # fmt: skip
def test_results_have_the_form_of_the_outputs(outputs: Any) -> None:
    f = tir.function([VECTOR], outputs, on_unused_input="ignore")
    f(np.arange(3.0))
    for size in (3, 1, 1000):
        array = np.arange(float(size))
        assert not ran_python(f, array)
        assert same(f(array), in_python(f)(array))


def test_each_call_gives_new_arrays(f: Any) -> None:
    first, second = f(np.ones(3)), f(np.ones(3))
    first[:] = 7
    assert second.tolist() == [3, 3, 3] and not np.shares_memory(first, second)


def test_results_in_memory_of_the_code_are_freed() -> None:
    f = tir.function([VECTOR], T.concatenate([VECTOR, VECTOR]))
    array = np.ones(1 << 17)
    f(array)
    kept = f(array)
    with open("/proc/self/statm", encoding="ascii") as file:
        before = int(file.read().split()[1])
    for _ in range(1000):  # 2 MiB each
        f(array)
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1]) - before
    assert pages * os.sysconf("SC_PAGE_SIZE") < 100 << 20
    assert kept.sum() == 2 << 17


# --- out -------------------------------------------------------------------------------------------------------------


def test_a_result_is_written_to_the_array_that_is_given(f: Any) -> None:
    array, out = np.arange(5.0), np.zeros(5)
    assert f(array, out=out) is out and out.tolist() == [1, 3, 5, 7, 9]
    assert not ran_python(f, array, out=out)


OUTS: dict[str, tuple[Any, bool]] = {
    "part": (np.zeros(20)[3:8], True),
    "strided": (np.zeros(10)[::2], False),
    "turned": (np.zeros(5)[::-1], False),
    "unaligned": (unaligned(np.zeros(5)), False),
    "of a class": (np.zeros(5).view(Sub), False),
    "swapped": (np.zeros(5, ">f8"), False),
    "short": (np.zeros(4), False),
    "long": (np.zeros(6), False),
    "a rank more": (np.zeros((1, 5)), False),
    "float32": (np.zeros(5, np.float32), False),
    "int64": (np.zeros(5, np.int64), False),
    "read-only": (read_only(np.zeros(5)), False),
    "a list": ([0.0] * 5, False),
    "a tuple of one": ((np.zeros(5),), False),
    "None": (None, False),
    "a number": (3, False),
}


@pytest.mark.parametrize("name", OUTS)
def test_arrays_for_results_do_what_they_do_in_python(f: Any, name: str) -> None:
    out, is_taken = OUTS[name]
    array = np.arange(5.0)
    assert ran_python(f, array, out=out) is not is_taken
    first, second = outcome(f, array, out=out), outcome(in_python(f), array, out=out)
    assert same(first, second) and (out is None or not isinstance(first, np.ndarray) or first is out)


def test_an_array_for_a_result_may_be_an_argument_or_overlap_one(f: Any) -> None:
    memory = np.arange(8.0)
    assert f(memory, out=memory) is memory and memory.tolist() == [1, 3, 5, 7, 9, 11, 13, 15]
    assert f(memory[:6], out=memory[2:]).tolist() == [3, 7, 11, 15, 19, 23]
    assert not ran_python(f, memory[:4], out=memory[4:])  # side by side
    assert ran_python(f, memory[:4], out=memory[3:7]) and ran_python(f, memory[1:5], out=memory[0:4])


def test_several_results_are_written_to_a_tuple_of_arrays() -> None:
    f = tir.function([VECTOR], [VECTOR + 1, VECTOR.sum()])
    array, outs = np.arange(3.0), (np.zeros(3), np.zeros(()))
    f(array)
    assert not ran_python(f, array, out=outs)
    found = f(array, out=outs)
    assert type(found) is list and found[0] is outs[0] and found[1] is outs[1] and found[1] == 3
    assert ran_python(f, array, out=list(outs))
    for wrong in (outs[:1], (*outs, outs[0]), outs[0], outs[::-1], (outs[0], 3), ()):
        assert same(outcome(f, array, out=wrong), outcome(in_python(f), array, out=wrong))
    same_twice = (np.zeros(3), np.zeros(3))
    g = tir.function([VECTOR], [VECTOR + 1, VECTOR + 2])
    g(array)
    assert not ran_python(g, array, out=same_twice) and ran_python(g, array, out=(same_twice[0], same_twice[0]))


def test_a_result_in_memory_of_the_code_is_copied_to_the_array_that_is_given() -> None:
    f = tir.function([VECTOR], T.concatenate([VECTOR, VECTOR]))
    out = np.zeros(4)
    assert f(np.arange(2.0), out=out) is out and out.tolist() == [0, 1, 0, 1]
    with pytest.raises(ExecutionError, match=r"out must have shape \(6,\), got \(4,\)"):
        f(np.arange(3.0), out=out)


def test_an_executable_writes_its_first_results_to_arrays() -> None:
    exe = tir.executable(tir.parse(MODULE))
    out = np.zeros(2)
    assert exe.call("f", [np.ones(2)], [out])[0] is out and out.tolist() == [1, 1]
    with pytest.raises(ExecutionError, match="@f returns 1 result, got 2 arrays for them"):
        exe.call("f", [np.ones(2)], [out, out])
    interpreted = tir.executable(tir.parse(MODULE), "interpret")
    assert interpreted.call("f", [np.arange(2.0)], [out])[0] is out and out.tolist() == [0, 1]


def test_an_input_may_be_called_out() -> None:
    x = T.dvector("out")
    f = tir.function([x], x * 2)
    assert f(out=np.ones(2)).tolist() == [2, 2] and f(np.ones(2)).tolist() == [2, 2]
    with pytest.raises(TirError, match="is given twice"):
        f(np.ones(2), out=np.ones(2))


def test_without_results_there_is_nothing_to_write() -> None:
    w = tir.shared(np.zeros(2))
    f = tir.function([], updates=[(w, w + 1)])
    with pytest.raises(TirError, match="function: out must be a list of 0 arrays, got array"):
        f(out=np.ones(2))
    assert w.get_value().tolist() == [0, 0]


# --- state -----------------------------------------------------------------------------------------------------------


def stepping(shape: tuple[int, ...] = (3,), **options: Any) -> tuple[Any, Any]:
    w = tir.shared(np.zeros(shape), "w", **options)
    x = T.dscalar("x")
    f = tir.function([x], (w * x).sum(), updates=[(w, w + x)])
    f(0.0)
    return f, w


def test_updates_are_made_without_python() -> None:
    f, w = stepping()
    assert not ran_python(f, 1.0)
    assert f(2.0) == 6 and w.get_value().tolist() == [3, 3, 3]


def test_a_value_that_is_set_is_what_the_next_call_reads() -> None:
    f, w = stepping()
    w.set_value(np.array([1.0, 2, 3]))
    assert not ran_python(f, 0.0) and f(1.0) == 6
    mine = np.full(3, 5.0)
    w.set_value(mine, borrow=True)
    assert f(1.0) == 15 and mine.tolist() == [6, 6, 6]
    w.set_value(np.full(4, 2.0))
    assert ran_python(f, 0.0) and not ran_python(f, 0.0) and f(1.0) == 8


def test_an_old_value_is_not_touched() -> None:
    f, w = stepping()
    old = w.get_value(borrow=True)
    w.set_value(np.ones(3))
    f(1.0)
    assert old.tolist() == [0, 0, 0]


@pytest.mark.parametrize("start", [0, 1, 100, 299, 300])
def test_an_argument_may_lie_where_a_shared_variable_does(start: int) -> None:
    memory, x = np.arange(600.0), T.dvector("x")
    w = tir.shared(memory[:300], "w", borrow=True)
    f = tir.function([x], updates=[(w, w + 2 * x[::-1])])
    f(np.zeros(300))
    given = memory[start : start + 300]
    want = memory[:300] + 2 * given[::-1]
    f(given)
    assert w.get_value().tolist() == want.tolist()
    assert ran_python(f, given) is (start < 300)


def test_a_read_only_value_is_not_written() -> None:
    f, w = stepping()
    w.holder.array = read_only(np.ones(3))
    first, second = outcome(f, 1.0), outcome(in_python(f), 1.0)
    assert first == second and w.get_value().tolist() == [1, 1, 1]


def test_a_call_that_fails_changes_nothing() -> None:
    w, i = tir.shared(np.arange(3.0), "w"), T.lscalar("i")
    f = tir.function([i], w[i], updates=[(w, w + 1)])
    f(0)
    assert not ran_python(f, 1)
    before = w.get_value()
    first, second = outcome(f, 3), outcome(in_python(f), 3)
    assert first == second and issubclass(first[0], ExecutionError) and w.get_value().tolist() == before.tolist()
    out = np.zeros(2)
    assert outcome(f, 0, out=out)[0] is ExecutionError and w.get_value().tolist() == before.tolist()


def test_a_call_waits_for_who_holds_the_state() -> None:
    f, w = stepping()
    entered = threading.Event()

    def call() -> None:
        entered.set()
        f(1.0)

    with SHARED_LOCK:
        assert ran_python(f, 0.0)
        thread = threading.Thread(target=call)
        thread.start()
        entered.wait()
        time.sleep(0.05)
        assert w.get_value(borrow=True).tolist() == [0, 0, 0] and thread.is_alive()
    thread.join()
    assert w.get_value().tolist() == [1, 1, 1] and not ran_python(f, 0.0)


def test_a_variable_that_may_change_its_shape_is_pythons() -> None:
    w = tir.shared(np.zeros(2), "w")
    f = tir.function([], updates=[(w, T.concatenate([w, w]))])
    f()
    f()
    assert f.codes() == [] and w.get_value().shape == (8,)


def test_functions_that_need_python_have_no_code() -> None:
    x = T.dscalar("x")
    for options in ({"mode": "DebugMode"}, {"mode": "NanGuardMode"}, {"mode": "FAST_COMPILE"}, {"profile": True}):
        f = tir.function([x], x * 2, **options)
        assert f(3.0) == 6 and f.codes() == [], options
    kept = tir.function([tir.In(x, value=1.0, update=x + 1)], x)
    assert [float(kept()) for _ in range(3)] == [1, 2, 3] and kept.codes() == []
    with tir.config.change_flags(profile=True):
        assert tir.function([x], x)(1.0) == 1


# --- long calls ------------------------------------------------------------------------------------------------------


def other_thread_ran(call: Any) -> bool:
    """Whether another thread of Python ran while the call did."""
    start, ran = threading.Lock(), threading.Event()
    start.acquire()

    def work() -> None:
        start.acquire()
        ran.set()

    thread = threading.Thread(target=work)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)  # nobody is made to let others run
    try:
        time.sleep(0.05)  # until the other waits for the lock
        start.release()
        call()
        return ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()


@pytest.mark.parametrize("shared", [False, True])
def test_long_calls_let_others_run_and_short_ones_do_not(shared: bool) -> None:
    w = tir.shared(np.zeros(2), "w")
    f = tir.function([VECTOR], T.exp(VECTOR).sum(), updates=[(w, w + 1)] if shared else [])
    small, large = np.ones(4), np.ones(12_000_000)
    f(small)
    assert not ran_python(f, large) and f.codes()
    # The system may be slow to wake the other thread up.
    assert any(other_thread_ran(lambda: f(large)) for _ in range(20))
    assert not any(other_thread_ran(lambda: f(small)) for _ in range(3))
    assert not ran_python(f, small)  # nobody holds the lock


def test_state_is_kept_apart_while_a_long_call_runs() -> None:
    x, w = T.dscalar("x"), tir.shared(np.zeros(1 << 20), "w")
    f = tir.function([x], updates=[(w, w + x)])
    f(0.0)
    assert not ran_python(f, 0.0)
    seen: list[bool] = []

    def look() -> None:
        for _ in range(60):
            value = w.get_value()
            seen.append(bool(value.min() == value.max()))

    def step() -> None:
        for _ in range(100):
            f(1.0)

    threads = [threading.Thread(target=work) for work in (step, step, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen) and set(w.get_value().tolist()) == {200.0}


def test_many_threads_call_one_function() -> None:
    f, w = stepping((5,))
    wrong: list[Any] = []

    def work() -> None:
        for i in range(3000):
            f(1.0)
            if i % 500 == 0:
                wrong.extend(value for value in set(w.get_value().tolist()) if value != int(value))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.get_value().tolist() == [12000.0] * 5 and not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_calls_what_its_parent_has_compiled() -> None:
    code = """
import os, numpy as np, tir
from tir import tensor as T
x = T.dvector("x")
w = tir.shared(np.zeros(2))
f = tir.function([x], x.sum() + w.sum(), updates=[(w, w + 1)])
f(np.ones(3))
child = os.fork()
for _ in range(5):
    found = f(np.ones(3))
assert found == 3 + 2 * 5, found
if child == 0:
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout == "0\n", done.stderr


# --- objects ---------------------------------------------------------------------------------------------------------


def test_calls_leave_the_references_as_they_were() -> None:
    w = tir.shared(np.zeros(4), "w")
    x, s = T.dvector("x"), T.dscalar("s")
    outputs = {"a": x + s, "b": x.sum(), "c": w.sum()}
    f = tir.function([x, s], outputs, updates=[(w, w + s)])
    g = tir.function([x, s], [x * s, T.concatenate([x, x])])
    array, out = np.ones(3), (np.zeros(3), np.zeros(()), np.zeros(()))
    for call in (f, g):
        call(array, 1.0)
    watched = [
        np.dtype("f8"), array, out, out[0], f, g, f.codes()[0], w.holder.place, w.holder.array, np.ndarray, "out", "a", None,
        SHARED_LOCK, float,
    ]  # fmt: skip
    gc.collect()
    before = [sys.getrefcount(one) for one in watched]
    for i in range(2000):
        f(array, 1.0)
        g(array, 2.0)
        f(array, 1.0, out=out)
        if i % 10 == 0:
            outcome(f, array)
            outcome(f, array, "no")
            outcome(f, array, 1.0, out=out[:2])
            f(array, 1)
    gc.collect()
    after = [sys.getrefcount(one) for one in watched]
    changed = [(one, b, a) for one, b, a in zip(watched, before, after) if abs(b - a) > 50]
    assert not changed


def test_the_code_goes_with_its_function() -> None:
    f = vector_function()
    (code,) = f.codes()
    code, library = weakref.ref(code), weakref.ref(code.library)
    array = f(np.ones(3))
    del f
    gc.collect()
    assert code() is None and library() is None
    assert array.tolist() == [3, 3, 3]
    del array


def test_code_may_be_replaced_while_it_runs() -> None:
    w = tir.shared(np.zeros((300, 300)), "w")
    f = tir.function([MATRIX], T.dot(MATRIX, w).sum())
    array = np.ones((300, 300))
    f(array)
    stop = threading.Event()

    def resize() -> None:
        while not stop.is_set():
            w.set_value(np.zeros((300, 300)))
            f.free()

    thread = threading.Thread(target=resize)
    thread.start()
    try:
        assert all(f(array) == 0 for _ in range(40))
    finally:
        stop.set()
        thread.join()


def test_functions_are_what_they_were_otherwise(f: Any) -> None:
    assert repr(f) == "<tir function function of 1 input (x)>" and callable(f)
    loaded = pickle.loads(pickle.dumps(f))  # noqa: S301
    assert loaded.codes() == [] and same(loaded(FLOATS), f(FLOATS)) and not ran_python(loaded, FLOATS)
    copied = f.copy()
    assert copied.codes() == [] and same(copied(FLOATS), f(FLOATS))
    f.free()
    assert f.codes() == [] and f(np.ones(1)).tolist() == [3]
    f.note = "attributes can be set"
    assert weakref.ref(f)() is f and f.__call__(np.ones(1)).tolist() == [3]


def test_what_is_no_code_is_not_run(f: Any) -> None:
    f._code = "no code"
    assert f(np.ones(1)).tolist() == [3]
    f._code = f
    assert f(np.ones(1)).tolist() == [3]
    del f._code
    assert f(np.ones(1)).tolist() == [3]


@pytest.mark.parametrize("missing", ["python_structs", "numpy_structs", "lock_count_offset"])
def test_where_objects_look_otherwise_calls_are_pythons(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapper, missing, lambda: None)
    f, w = stepping()
    assert f.codes() == [] and f(1.0) == 0 and w.get_value().tolist() == [1, 1, 1]


def test_the_structs_are_found_here() -> None:
    python, numpy = structs.python_structs(), structs.numpy_structs()
    assert python is not None and numpy is not None and structs.lock_count_offset() is not None
    assert (python.head, numpy.data) == (object.__basicsize__, object.__basicsize__)


# --- traced functions ------------------------------------------------------------------------------------------------


@pytest.fixture(name="g")
def _g() -> Iterator[Any]:
    yield tir.jit(lambda x, y: x * 2 + y)


def test_each_kind_of_arguments_finds_its_program(g: Any) -> None:
    kinds = [np.ones(3), np.ones(4), np.ones(3, np.float32), np.ones((2, 2)), np.ones(5), np.ones(6, int), np.ones(7)]
    for x in [*kinds, *kinds]:
        assert same(g(x, 1), in_python(g)(x, 1)) and not ran_python(g, x, 1)
    assert g.cache_size() == len(kinds) and len(g.codes()) == 4


def test_python_numbers_are_not_arrays_of_rank_0(g: Any) -> None:
    x = np.ones(3, np.float32)
    for y in (2.0, np.float64(2.0), np.array(2.0), np.float32(2), 2, np.int64(2), True, 2.0, 2):
        assert same(g(x, y), in_python(g)(x, y)), y
    assert g(x, 2.0).dtype == np.float32 and g(x, np.float64(2)).dtype == np.float64


def test_a_traced_function_is_part_of_one_that_is_traced_later(g: Any) -> None:
    x = np.ones(3)
    g(x, 1.0)
    outer = tir.jit(lambda z: g(x, 1.0) + z)
    assert outer(x).tolist() == [4, 4, 4]
    assert "tir.mul" in print_op(outer.lower(x))
    assert not ran_python(g, x, 1.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x, x.sum()), lambda x: [x + 1, x], lambda x: {"a": x, "b": [x, (x,)]}, lambda x: (x, None), lambda x: x[1:],
        lambda x: x.sum(), lambda x: (x,), lambda x: [],
    ],
)  # fmt: skip
def test_results_of_traced_functions_have_their_form(function: Any) -> None:
    g, x = tir.jit(function), np.arange(4.0)
    g(x)
    assert same(g(x), in_python(g)(x))


def test_results_of_traced_functions_are_written_to_arrays() -> None:
    g, two, x = tir.jit(lambda x: x + 1), tir.jit(lambda x: (x, x.sum())), np.arange(3.0)
    out, outs = np.zeros(3), (np.zeros(3), np.zeros(()))
    assert g(x, out=out) is out and out.tolist() == [1, 2, 3] and not ran_python(g, x, out=out)
    found = two(x, out=outs)
    assert found[0] is outs[0] and found[1] == 3 and not ran_python(two, x, out=outs)
    with pytest.raises(TirError, match=r"gives 2 arrays, out has 1"):
        two(x, out=out)
    with pytest.raises(TirError, match=r"out must be float64, got float32"):
        g(x, out=out.astype(np.float32))
    with pytest.raises(TirError, match=r"out must have shape \(3,\), got \(4,\)"):
        g(x, out=np.zeros(4))
    with pytest.raises(TirError, match=r"is traced here, and writes to no array"):
        tir.jit(lambda x: g(x, out=out))(x)
    own = tir.jit(lambda x, out: x + out)
    assert own(x, out=np.ones(3)).tolist() == [1, 2, 3]


def test_open_axes_of_one_name_have_one_size() -> None:
    g = tir.jit(lambda x, y: x @ y, dynamic={"x": {0: "N", 1: "K"}, "y": {0: "K"}})
    g(np.ones((2, 3)), np.ones((3, 4)))
    for n, k in ((5, 3), (1, 1), (0, 3), (7, 2)):
        x, y = np.ones((n, k)), np.ones((k, 4))
        assert not ran_python(g, x, y) and same(g(x, y), in_python(g)(x, y))
    wrong = np.ones((2, 3)), np.ones((4, 4))
    assert outcome(g, *wrong) == outcome(in_python(g), *wrong)


def test_sizes_that_are_computed_are_those_of_python() -> None:
    text = """
      func.func @f(%x: tensor<[N]xf64>, %y: tensor<[2 * N + 1]xf64>, %z: tensor<[N floordiv 3]xf64>, %w: tensor<[N mod 4 + 1]xf64>)
          -> tensor<[3 * N + 1]xf64> {
        %0 = tir.concat %x, %y axis 0 : tensor<[3 * N + 1]xf64>
        return %0 : tensor<[3 * N + 1]xf64>
      }"""
    style = wrapper.CallStyle(0, [frozenset({"array"})] * 4, out=True)
    exe = tir.executable(tir.parse(text), style=style)
    assert exe.code is not None

    class Program(NativeCallable):
        def __call__(self, *given: Any) -> Any:
            return exe.call("f", given)[0]

    f = Program()
    f.use(exe.code)
    for n in (0, 1, 2, 3, 4, 7, 12):
        given = [np.arange(float(size)) for size in (n, 2 * n + 1, n // 3, n % 4 + 1)]
        assert not ran_python(f, *given) and f(*given).tolist() == [*given[0], *given[1]]
        for i in (1, 2, 3):
            wrong = [*given]
            wrong[i] = np.zeros(len(given[i]) + 1)
            assert outcome(f, *wrong)[0] is ExecutionError
