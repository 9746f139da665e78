"""symbol-dce: what no public symbol needs goes; all else stays."""

from __future__ import annotations

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.symbols import SymbolTable
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.symbol_dce import SymbolDce


def names_left(text: str) -> list[str]:
    module = parse_text(text, REGISTRY)
    SymbolDce().run(module)
    verify(module)
    return SymbolTable(module).names()


LEAF = "func.func private @leaf() { return }\n"


def test_private_functions_that_nobody_calls_are_removed() -> None:
    assert names_left(LEAF + "func.func private @declared()\nfunc.func @main() { return }") == ["main"]


def test_what_a_public_function_calls_stays_through_other_calls() -> None:
    text = (
        LEAF
        + """
    func.func private @middle() { func.call @leaf() : () -> ()  return }
    func.func @main() { func.call @middle() : () -> ()  return }"""
    )
    assert names_left(text.replace("  return", "\n return")) == ["leaf", "middle", "main"]


def test_private_functions_that_only_call_each_other_are_removed() -> None:
    text = """
    func.func private @a() {
      func.call @b() : () -> ()
      return
    }
    func.func private @b() {
      func.call @a() : () -> ()
      return
    }"""
    assert names_left(text) == []


@pytest.mark.parametrize("attribute", ["tir.shared = @leaf", "deep.nested = [{x = [@leaf]}]"])
def test_a_name_in_an_attribute_of_an_argument_is_a_use(attribute: str) -> None:
    text = LEAF + f"func.func @main(%x: tensor<f32> {{{attribute}}}) {{ return }}"
    assert names_left(text) == ["leaf", "main"]


def test_shared_variables_and_their_initialisers_stay() -> None:
    text = """
    tir.shared @w : tensor<2xf32> init @start
    func.func private @start() -> tensor<2xf32> {
      %0 = tir.constant dense<1.0> : tensor<2xf32>
      return %0 : tensor<2xf32>
    }"""
    assert names_left(text) == ["w", "start"]
