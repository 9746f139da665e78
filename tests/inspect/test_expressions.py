"""`pp`: the text means what the graph computes."""

from __future__ import annotations

import numpy as np
import pytest

import tir
from tests.inspect.programs import looping
from tir.dialects.all import DIALECTS
from tir.inspect import expressions
from tir.printing import pp

CASES = [
    (lambda b, x, y: x, "x"),
    (lambda b, x, y: x**2 + b.exp(y), "((x ** 2) + exp(y))"),
    (lambda b, x, y: (x - y) - (x - 1), "((x - y) - (x - 1))"),
    (lambda b, x, y: -(x**y), "(-(x ** y))"),
    (lambda b, x, y: (-x) ** y, "((-x) ** y)"),
    (lambda b, x, y: x / y % 2.5 // 0.5, "(((x / y) % 2.5) // 0.5)"),
    (lambda b, x, y: b.select(x <= y, x, 0 * y), "select((x <= y), x, (0 * y))"),
    (lambda b, x, y: ~(x < y) & (x != y), "((~(x < y)) & (x != y))"),
    (lambda b, x, y: b.sum(x, [0]), "sum{over [0]}(x)"),
    (lambda b, x, y: b.cast(x, tir.F64), "cast{f64}(x)"),
    (lambda b, x, y: x + b.sum(y), "(x + sum{over [0]}(y))"),
    (lambda b, x, y: b.stack([x, y], 0) @ x, "(concat{axis 0}(x, y) @ x)"),
    (lambda b, x, y: b.grad(b.sum(x * y), [x, y])[1], "grad(sum{over [0]}((x * y)), y)"),
    (lambda b, x, y: b.concat([x, y, x], 0), "concat{axis 0}(x, y, x)"),
    (lambda b, x, y: x + np.float32(np.inf), "(x + 0x7F800000)"),
]


@pytest.mark.parametrize(("build", "want"), CASES, ids=[want for _, want in CASES])
def test_value_is_written_as_an_expression(build: object, want: str) -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<3xf32>", y="tensor<3xf32>") as (x, y):
        value = build(b, x, y)  # type: ignore[operator]
        b.returns(value)
    assert pp(value) == want
    assert pp(b.module) == want


def test_brackets_give_the_value_that_the_graph_has() -> None:
    """Python reads the text as the program: the operators bind as the brackets say."""
    b = tir.Builder()
    with b.function("f", x="tensor<f64>", y="tensor<f64>") as (x, y):
        value = (x - (y - x * (y + 2) ** 2) / (x - y)) % (x - (2 - y)) - -(x // y)
        b.returns(value)
    (want,) = tir.executable(b.module, "interpret").call("f", [7.5, -2.25])
    got = eval(pp(value), {"x": np.float64(7.5), "y": np.float64(-2.25)})  # noqa: S307  a text of ours
    np.testing.assert_allclose(got, want, rtol=1e-15)


def test_signs_are_those_of_ops_that_there_are() -> None:
    names = {op.name for op in DIALECTS["tir"].ops}
    assert set(expressions._BETWEEN) | set(expressions._IN_FRONT) | expressions._UNSEEN <= names


def test_several_results_are_numbered_and_several_values_stand_below_each_other() -> None:
    lines = pp(looping().module).split("\n")
    assert len(lines) == 3
    assert lines[0].startswith("scan.0(sum{over [0]}(x), x") and lines[1].startswith("take{at axis 0}(scan.1(")


def test_names_of_a_front_end_come_first() -> None:
    b = tir.Builder()
    b.shared("w", np.zeros(3, np.float32))
    with b.function("f", x="tensor<3xf32>") as (x,):
        w = b.read("w")
        value = x * w
        b.returns(value)
    assert pp(value) == "(x * w)"
    assert pp(value, name_of={x.value: "image", w.value: "weights"}.get) == "(image * weights)"


def test_what_is_long_and_used_twice_is_written_once() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<f32>") as (x,):
        y = x
        for _ in range(9):
            y = b.tanh(y) + b.exp(y)
        b.returns(y)
    text = pp(y)
    assert text.split("\n")[:2] == ["(tanh(t8) + exp(t8))", "  where t8 = (tanh(t7) + exp(t7))"]
    assert text.endswith("t1 = (tanh(x) + exp(x))")
