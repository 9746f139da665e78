"""What rules about shapes ask of values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tir.api import parse
from tir.ir.ir import Op, Use, Value
from tir.rewrites.shaped import is_each_element, needed_once

TEXT = """
func.func @f(%x: tensor<4xf32>, %y: tensor<?xf32>, %z: tensor<?xf32>) -> (tensor<4xf32>, tensor<2x2xf32>, tensor<?xf32>) {
  %0 = tir.exp %x : tensor<4xf32>
  %1 = tir.neg %0 : tensor<4xf32>
  %unused = tir.abs %0 : tensor<4xf32>
  %2 = tir.reshape %x : tensor<4xf32> -> tensor<2x2xf32>
  %3 = tir.tril %2 diagonal 0 : tensor<2x2xf32>
  %4 = tir.add %y, %z : tensor<?xf32>
  return %1, %3, %4 : tensor<4xf32>, tensor<2x2xf32>, tensor<?xf32>
}
"""


def ops() -> list[Op]:
    return [op for op in parse(TEXT).walk() if op.name.startswith("tir.")]


def test_a_use_that_nobody_needs_does_not_count() -> None:
    exp, neg, unused, *_ = ops()
    assert needed_once(exp.results[0])  # by neg
    assert needed_once(neg.results[0])  # by return
    assert not needed_once(unused.results[0])


def test_of_many_uses_two_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = [f"%{k + 1} = tir.add %{k}, %x : tensor<4xf32>" for k in range(100)]
    text = ["func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {", "%0 = tir.exp %x : tensor<4xf32>", *sums]
    module, seen = parse("\n".join([*text, "return %100 : tensor<4xf32>", "}"])), []
    (x,) = next(op for op in module.walk() if op.name == "tir.exp").operands
    monkeypatch.setattr(Value, "uses", property(lambda self: pytest.fail("all uses are looked at")))
    monkeypatch.setattr(Value, "each_use", lambda self: counted(self, seen))
    assert not needed_once(x)
    assert len(seen) == 2


def counted(value: Value, seen: list[Any]) -> Iterator[Use]:
    use = value._first_use
    while use is not None:
        seen.append(use)
        yield use
        use = use._next


def test_ops_of_elements_are_those_of_which_each_place_is_alike_and_sizes_are_known() -> None:
    assert [op.name for op in ops() if is_each_element(op)] == ["tir.exp", "tir.neg", "tir.abs"]
