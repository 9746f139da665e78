"""Large constants are left out in print, wherever they stand, and the module stays what it is."""

from __future__ import annotations

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.elide import without_large_constants
from tir.ir.errors import TirErrors
from tir.ir.printer import print_op
from tir.parser.parse import parse_text

TEXT = """\
module attributes {a = {b = [dense<[1, 2, 3]> : tensor<3xi32>, {c = dense<[4, 5]> : vector<2xi8>}]}} {
  func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {
    %0 = tir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
    %1 = arith.constant dense<"0x0102"> : tensor<2xi8>
    %2 = tir.constant dense<7.0> : tensor<1000000x1000000xf32>
    %3 = tir.constant dense<> : tensor<0x5xf32>
    %4 = tir.add %x, %0 : tensor<3xf32>
    return %4 : tensor<3xf32>
  }
}
"""


def test_what_has_more_elements_is_left_out_and_nothing_else() -> None:
    module = parse_text(TEXT, REGISTRY)
    before = print_op(module)
    text = print_op(without_large_constants(module, 2))
    assert text == (
        before.replace("dense<[1, 2, 3]>", "dense_resource<__elided__>").replace("dense<[1.0, 2.0, 3.0]>", "dense_resource<__elided__>")
    )
    assert print_op(module) == before
    assert print_op(without_large_constants(module, 3)) == before
    assert print_op(without_large_constants(module, 0)).count("__elided__") == 4


def test_op_printed_alone_is_used_no_more_than_before() -> None:
    module = parse_text(TEXT, REGISTRY)
    add = next(op for op in module.walk() if op.name == "tir.add")
    uses = len(add.operands[0].uses)
    copy = without_large_constants(add, 0)
    assert print_op(copy) == print_op(add)
    copy.drop_uses()
    assert len(add.operands[0].uses) == uses


@pytest.mark.parametrize("generic", [False, True])
def test_elided_text_is_refused_at_the_key_of_each_constant(generic: bool) -> None:
    text = print_op(without_large_constants(parse_text(TEXT, REGISTRY), 2), generic=generic)
    with pytest.raises(TirErrors) as caught:
        parse_text(text, REGISTRY, file="x.tir")
    places = [error.location.file_location() for error in caught.value.errors]
    lines = text.split("\n")
    assert all(lines[at.line - 1][at.column - 1 :].startswith("__elided__>") for at in places)
    assert len(places) == text.count("__elided__") and "left out" in str(caught.value)


def test_deep_attributes_are_walked_without_recursion() -> None:
    deep = "[" * 200 + "dense<[1, 2, 3]> : tensor<3xi32>" + "]" * 200
    module = parse_text(f"module attributes {{a = {deep}}} {{\n}}\n", REGISTRY)
    assert "__elided__" in print_op(without_large_constants(module, 2))
