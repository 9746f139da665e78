"""What the author of a dialect from outside gets wrong is told in one sentence, with the op and the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir
from tir import extend

TEXT = """\
func.func @f(%x: tensor<[N]xf64>) -> (tensor<f64>, tensor<[N]xf64>) {
  %0 = my.twice %x : tensor<[N]xf64>
  %1 = tir.sum %0 over [0] : tensor<f64>
  %2 = tir.grad %1 wrt (%x) : tensor<[N]xf64>
  return %1, %2 : tensor<f64>, tensor<[N]xf64>
}
"""


def op(**changed: Any) -> Any:
    """An op that doubles, with something else about it."""
    body: dict[str, Any] = {
        "name": "my.twice", "x": extend.operand(extend.FLOAT_TENSOR), "result": extend.result(extend.FLOAT_TENSOR),
        "format": "$x attr-dict `:` type($result)", "reference": lambda self, x: x * 2, "element": lambda self, s, x: s.add(x, x),
        "grad": lambda self, b, g, x: [g * 2],
    }  # fmt: skip
    body.update(changed)
    return type("Twice", (extend.Elementwise,), {name: value for name, value in body.items() if value is not None})


def dialect(*ops: Any, name: str = "my") -> extend.Dialect:
    return extend.Dialect(name, "An op of mine.", ops)


def run(dialects: list[Any]) -> Any:
    return tir.executable(tir.parse(TEXT, dialects=dialects)).call("f", [np.array([1.0, 2.0])])


def test_dialect_without_a_mistake() -> None:
    value, slope = run([dialect(op())])
    assert (value, slope.tolist()) == (6, [2, 2])


WRONG: list[tuple[Callable[[], list[Any]], str]] = [
    (lambda: [dialect(op(element=None))], "<text>:2:3: my.twice has no element, of which machine code is made; target=\"interpret\" runs its reference"),
    (lambda: [dialect(op(element=lambda self, s, x: None))], "<text>:2:3: my.twice: element must give what its builder makes, got None"),
    (lambda: [dialect(op(grad=lambda self, b, g, x: [g, g]))], "<text>:2:3: my.twice: grad must give a list of 1, one for each operand, got 2"),
    (lambda: [dialect(op(grad=lambda self, b, g, x: g))], "my.twice: grad must give a list of 1, one for each operand, got <Tensor"),
    (lambda: [dialect(op(format="$y `:` type($result)"))], "my.twice: its format names $y, which the op does not declare"),
    (lambda: [dialect(op(format="$x attr-dict `:` typ($result)"))], "my.twice: its format has no directive 'typ'; did you mean 'type'?"),
    (lambda: [dialect(op(format="$x ( `:` type($result)"))], "my.twice: its format lacks )"),
    (lambda: [dialect(op(format="$x ) `:` type($result)"))], "my.twice: its format has ')' where nothing like it may stand"),
    (lambda: [dialect(op()), dialect(op())], "parse: two of the dialects have the name 'my'; one Dialect has all ops of its name"),
    (lambda: [extend.Dialect("my", "An op of mine.", op())],
     "parse: the ops of dialect 'my' must be a tuple of classes, got <class 'tir.ir.ir.Twice'>; write (Twice,)"),
    (lambda: [dialect(3)], "parse: the ops of dialect 'my' must be classes of extend.Op, got 3"),
    (lambda: [dialect(op(name="your.twice"))], "parse: the name of an op of dialect 'my' must begin with 'my.', got 'your.twice'"),
    (lambda: [dialect(name="tir")], "parse: tir has a dialect 'tir' itself"),
    (lambda: [op()], "parse: dialects must be of class tir.extend.Dialect, got <class"),
]  # fmt: skip


@pytest.mark.parametrize(("dialects", "message"), WRONG, ids=range(len(WRONG)))
def test_mistake_is_told(dialects: Callable[[], list[Any]], message: str) -> None:
    with pytest.raises(tir.TirError) as caught:
        run(dialects())
    assert message in str(caught.value)
    place = caught.value.location.file_location() if caught.value.location is not None else None
    assert place is not None and place.file in ("<text>", __file__)
