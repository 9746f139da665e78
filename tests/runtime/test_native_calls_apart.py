"""Calls that run no Python never touch memory outside of what they are given, nor what is no array: in a process of its own.

Arrays lie against pages that may not be touched, in front and behind.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import tir
from tests.native_calls import in_python, outcome, ran_python, same
from tests.runtime.test_guard_pages import KEPT, guarded, in_process_of_its_own
from tests.runtime.test_native_calls import NUMBERS, OUTS, VECTORS, WRONG
from tests.runtime.test_native_calls import test_calls_leave_the_references_as_they_were as run_references
from tir import tensor as T
from tir.runtime.callables import NativeCallable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pages are protected by mprotect")


def run_sizes() -> None:
    """Every size up to two vectors of the machine and some above, at both ends of the memory."""
    x, y, m = T.dvector("x"), T.dvector("y"), T.dmatrix("m")
    w = tir.shared(np.zeros(3), "w")
    add, traced = tir.function([x, y], x * y + 1), tir.jit(lambda x: x * 2)
    turned, both = tir.function([m], m.T.sum(axis=0)), tir.function([x], T.concatenate([x, x]))
    for size in (*range(20), 63, 64, 65):
        for at_end in (False, True):
            a, b, out = (guarded(np.arange(float(size)), at_end) for _ in range(3))
            matrix = guarded(np.ones((size, 3)), at_end)
            for call, given in ((add, (a, b)), (traced, (a,)), (turned, (matrix,)), (both, (a,))):
                call(*given)
                assert not ran_python(call, *given) and same(call(*given), in_python(call)(*given))
            for call, given in ((add, (a, b)), (traced, (a,))):
                assert not ran_python(call, *given, out=out) and same(call(*given, out=out), in_python(call)(*given))
            w.set_value(guarded(np.zeros(size), at_end), borrow=True)
            step = tir.function([x], updates=[(w, w + x)])
            step(a)
            # An axis of size 1 might be one that stretches, so the variable is an argument, and Python gives it.
            assert ran_python(step, a) is (size == 1) and w.get_value().tolist() == (2 * np.arange(float(size))).tolist()
            KEPT.clear()


def run_wrong_calls() -> None:
    """What no call takes, and what only Python takes."""
    x, y, s = T.dvector("x"), T.dvector("y"), T.dscalar("s")
    f, number = tir.function([x], x * 2), tir.function([s], s * 2)
    f(np.ones(3))
    number(1.0)
    for given in (*WRONG.values(), *((array,) for array, _ in VECTORS.values())):
        assert same(outcome(f, *given), outcome(in_python(f), *given)), given
    for given in NUMBERS:
        assert same(outcome(number, given), outcome(in_python(number), given)), given
    for out, _ in OUTS.values():
        assert same(outcome(f, np.arange(5.0), out=out), outcome(in_python(f), np.arange(5.0), out=out)), out
    names = tir.jit(lambda x, y: x * y, dynamic={"x": {0: "N"}, "y": {0: "N"}})
    names(np.ones(2), np.ones(2))
    for sizes in ((2, 3), (3, 2), (1, 1000), (0, 5), (100_000, 1)):
        given = tuple(guarded(np.ones(size), True) for size in sizes)
        assert same(outcome(names, *given), outcome(in_python(names), *given)), sizes
    add = tir.function([x, y], x + y)
    add(np.ones(2), np.ones(2))
    for given in ((), (np.ones(2),), (np.ones(2),) * 3, (np.ones(2), None), (None, None), (3, np.ones(2)), (np.ones(2), np.ones(3))):
        assert same(outcome(add, *given), outcome(in_python(add), *given)), given


def run_odd_codes() -> None:
    """What is no code is not run, and a code may go while it is asked."""
    x = T.dvector("x")
    f = tir.function([x], x * 2)
    f(np.ones(1))
    for one in ("no code", f, 3, [f], np.ones(3), type):
        f._code = one
        assert f(np.ones(1)).tolist() == [2]
    f.free()

    class Fickle(NativeCallable):
        def __call__(self, *given: Any) -> Any:
            self.use(None)
            return given

    g = tir.jit(lambda x: x * 2)
    g(np.ones(2))
    (code,) = g.codes()
    for _ in range(2000):
        fickle = Fickle()
        fickle.use(code)
        assert fickle(np.ones(2)).tolist() == [2, 2] and fickle(None) == (None,) and fickle(1, 2) == (1, 2)
        assert fickle.codes() == [] and fickle(np.ones(2))[0].tolist() == [1, 1]
    del g, fickle
    assert sys.getrefcount(code) <= 3


assert callable(run_references)  # of too few references comes a crash


@pytest.mark.parametrize("what", ["run_sizes", "run_wrong_calls", "run_odd_codes", "run_references"])
def test_calls_without_python_touch_nothing_else(what: str) -> None:
    code = f"from tests.runtime.test_native_calls_apart import {what}; {what}(); print('all calls are right')"
    found = in_process_of_its_own(code)
    assert found.returncode == 0 and found.stdout.endswith("all calls are right\n"), found.stderr[-2000:]
