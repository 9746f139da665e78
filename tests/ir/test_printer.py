"""Printing what no text gives: modules that break the rules are printed, too."""

from tir.dialects.all import REGISTRY
from tir.ir.printer import print_op
from tir.parser.parse import parse_text


def test_op_with_more_operands_than_its_form_names_is_printed() -> None:
    text = 'func.func @f(%x: f32) {\n  %0 = "arith.negf"(%x, %x) : (f32, f32) -> f32\n  return\n}\n'
    module = parse_text(text, REGISTRY, verify=False)
    assert "%0 = arith.negf %x" in print_op(module)
    assert '"arith.negf"(%x, %x)' in print_op(module, generic=True)
