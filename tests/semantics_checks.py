"""What the tests of --check-semantics share: two programs, and a pass that does what a test wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tir.api import parse
from tir.dialects.tir.builder import TensorBuilder
from tir.ir import actions
from tir.ir.ir import Op
from tir.ir.numerics import EXACT, Numerics
from tir.ir.pass_manager import Pass, Pipeline, run_pipeline
from tir.semantics.instrument import CheckSemantics, WrongPass

__all__ = ["COUNTER", "TWO_SUBS", "By", "found_by", "wrong_of"]

TWO_SUBS = """
func.func @main(%x: tensor<[B]xf32>, %y: tensor<[B]xf32>) -> tensor<[B]xf32> {
  %0 = tir.exp %x : tensor<[B]xf32>
  %1 = tir.sub %0, %y : tensor<[B]xf32>
  %2 = tir.tanh %1 : tensor<[B]xf32>
  return %2 : tensor<[B]xf32>
}
"""
COUNTER = """
tir.shared @n : tensor<f32> = dense<1.5>
func.func @count(%x: tensor<f32>) -> tensor<f32> {
  %n = tir.read @n : tensor<f32>
  %0 = tir.add %n, %x : tensor<f32>
  tir.update @n, %0 : tensor<f32>
  return %n : tensor<f32>
}
"""


@dataclass
class By(Pass):
    """A pass that does what a function does, one change for each op of a class."""

    name = "by"
    cls: Any = None
    change: Any = None
    numbers: Any = EXACT

    @property
    def numerics(self) -> Numerics:  # type: ignore[override]
        return self.numbers

    def run(self, op: Op) -> None:
        for inner in [one for one in op.walk() if isinstance(one, self.cls)]:
            if actions.begin("change", inner):
                self.change(inner, TensorBuilder(inner.parent, inner, inner.location))
                actions.end()

    def __str__(self) -> str:
        return self.name


def found_by(text: str, *steps: Pass, **options: Any) -> tuple[WrongPass | None, list[str]]:
    """The wrong pass of a pipeline, and what is remarked."""
    said: list[str] = []
    checked = CheckSemantics(lambda sentence, location: said.append(sentence), **options)
    try:
        run_pipeline(Pipeline(list(steps)), parse(text), [checked])
    except WrongPass as wrong:
        return wrong, said
    return None, said


def wrong_of(text: str, *steps: Pass, **options: Any) -> WrongPass:
    wrong, said = found_by(text, *steps, **options)
    assert wrong is not None, said
    return wrong
