"""Modes with Theano's words, and MonitorMode."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tir.compile import MonitorMode
from tir.compile.nanguardmode import NanGuardMode

X = np.array([[0.1, 0.2, -0.3], [0.4, 0.5, 0.25]])


@pytest.mark.parametrize(("mode", "name", "target"), [
    (tir.Mode(), "FAST_RUN", "cpu"), (tir.Mode("vm", "fast_run"), "FAST_RUN", "cpu"), (tir.Mode(linker=None, optimizer="o4"), "FAST_RUN", "cpu"),
    (tir.Mode(linker="py"), "Mode(linker='py')", "interpret"), (tir.Mode(linker="c|py", optimizer=None), "FAST_COMPILE", "interpret"),
    (tir.Mode(optimizer="fast_compile"), "FAST_COMPILE", "interpret"), (tir.compile.get_default_mode(), "FAST_RUN", "cpu"),
    (tir.compile.get_mode("FAST_COMPILE"), "FAST_COMPILE", "interpret"),
    (NanGuardMode(nan_is_error=True, inf_is_error=False, big_is_error=False), "NanGuardMode", "cpu"),
])  # fmt: skip
def test_mode_by_linker_and_optimizer_computes_the_same(mode: Any, name: str, target: str) -> None:
    x, w = T.dmatrix("x"), tir.shared(np.ones((3, 2)), "w")
    cost = T.tanh(T.dot(x, w)).sum()
    f = tir.function([x], [cost, T.grad(cost, x)], mode=mode)
    value, slope = f(X)
    # A few roundings in f64.
    np.testing.assert_allclose(value, np.tanh(X @ np.ones((3, 2))).sum(), rtol=1e-14)
    np.testing.assert_allclose(slope, np.repeat(2 / np.cosh(X.sum(1, keepdims=True)) ** 2, 3, 1), rtol=1e-14)
    again = pickle.loads(pickle.dumps(f))  # noqa: S301  # what stands in the line above
    assert (mode.name, mode.target) == (again.mode.name, again.mode.target) == (name, target)
    assert [one.variable for one in f.maker.inputs] == [x] and len(f.maker.outputs) == 2 and f.maker.mode is mode


def test_nan_guard_keeps_its_switches_when_it_is_pickled() -> None:
    x = T.dvector("x")
    f = tir.function([x], T.log(x), mode=NanGuardMode(nan_is_error=False, inf_is_error=False, big_is_error=False))
    assert np.isnan(pickle.loads(pickle.dumps(f))([-1.0])).all()  # noqa: S301  # what stands in the line above


def test_monitor_sees_each_op_before_and_behind() -> None:
    seen: list[Any] = []

    def before(i: int, node: Any, fn: Any) -> None:
        seen.append((i, node.op.name, [x[0].tolist() for x in fn.inputs], fn.outputs))

    def behind(i: int, node: Any, fn: Any) -> None:
        seen.append((i, node.op.name, [x[0].tolist() for x in fn.inputs], [x[0].tolist() for x in fn.outputs]))

    x = T.dvector("x")
    assert tir.function([x], T.exp(x * x), mode=MonitorMode(pre_func=before, post_func=behind))([0.0, 1.0]).tolist() == [1, np.e]
    (first, *_), (second, *_) = seen[0], seen[2]
    assert seen == [
        (first, "tir.square", [[0.0, 1.0]], [[None]]), (first, "tir.square", [[0.0, 1.0]], [[0.0, 1.0]]),
        (second, "tir.exp", [[0.0, 1.0]], [[None]]), (second, "tir.exp", [[0.0, 1.0]], [[1.0, np.e]]),
    ]  # fmt: skip


def test_monitor_sees_the_ops_of_a_loop_each_time_and_what_they_took_before_it_was_changed() -> None:
    sums: list[Any] = []

    def behind(i: int, node: Any, fn: Any) -> None:
        if node.op.name in ("tir.add", "tir.update_slice"):
            sums.append((node.op.name, [np.sum(x[0]) for x in fn.inputs[:2]], float(np.sum(fn.outputs[0][0]))))

    x = T.dvector("x")
    steps, _ = tir.scan(lambda one, before: one + before, sequences=x, outputs_info=T.constant(0.0))
    mode = MonitorMode(post_func=behind, optimizer=None)
    tir.function([x], T.set_subtensor((x * 1)[0], steps[-1]), mode=mode)([1.0, 2.0, 3.0])
    assert [row for row in sums if row[0] == "tir.add"] == [
        ("tir.add", [1, 0], 1), ("tir.add", [2, 1], 3), ("tir.add", [3, 3], 6),
    ]  # fmt: skip
    assert [row for row in sums if row[0] != "tir.add"] == [("tir.update_slice", [6, 6], 11)]


def test_node_of_a_monitor_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.dvector("x")
    show = lambda i, node, fn: tir.printing.debugprint(node)  # noqa: E731
    tir.function([x], T.exp(x), mode=MonitorMode(post_func=show))([0.0])
    assert capsys.readouterr().out == "tir.exp [id A] ''\n |x [id B]\n"


@pytest.mark.parametrize(("call", "message"), [
    (lambda: tir.Mode(linker="pyy"), r"Mode\(linker='pyy'\): the linker must be one of 'cvm', .*, got 'pyy'; did you mean 'py'"),
    (lambda: tir.Mode(linker=3), "the linker must be one of 'cvm', .*, got 3"),
    (lambda: tir.Mode(optimizer="fast_runn"), "the optimizer must be one of 'default', .*, got 'fast_runn'; did you mean 'fast_run'"),
    (lambda: tir.Mode().excluding("fusion"), "rules have no tags, got 'fusion'; Mode\\(optimizer=None\\) rewrites nothing"),
    (lambda: MonitorMode(3), r"MonitorMode\(3\): pre_func must be a function, got 3"),
    (lambda: MonitorMode(post_func="x"), "post_func must be a function, got 'x'"),
])  # fmt: skip
def test_words_that_no_mode_has_are_told(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(tir.TirError, match=message) as caught:
        call()
    place = caught.value.location.file_location()
    assert (place.file, place.line) == (__file__, call.__code__.co_firstlineno)
