"""The measure of programs, which no rule raises."""

from __future__ import annotations

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.types import F32
from tir.parser.parse import parse_text
from tir.proofs.prove import prove
from tir.rewrites.declared import read_rules
from tir.rewrites.measure import Measure, measure

SUM_ONE = "%z = tir.add %x, %y : tensor<2x3xf32>"


def measured(*lines: str, sizes: str = "2x3") -> Measure:
    """The measure of a function that returns %z."""
    text = "\n".join(lines).replace("2x3", sizes)
    head = f"func.func @f(%x: tensor<{sizes}xf32>, %y: tensor<{sizes}xf32>) -> tensor<{sizes}xf32>"
    return measure(parse_text(f"{head} {{\n{text}\nreturn %z : tensor<{sizes}xf32>\n}}", REGISTRY))


@pytest.mark.parametrize(("lines", "expected"), [
    ([SUM_ONE], Measure(6, 0, 3)),
    (["%z = tir.exp %x : tensor<2x3xf32>"], Measure(24, 0, 2)),
    (["%z = tir.neg %x : tensor<2x3xf32>"], Measure(0, 0, 2)),
    (["%unused = tir.exp %x : tensor<2x3xf32>", SUM_ONE], Measure(6, 0, 3)),
    (["%0 = tir.neg %x : tensor<2x3xf32>", "%z = tir.floor %0 : tensor<2x3xf32>"], Measure(6, 1, 4)),
    (["%0 = tir.floor %x : tensor<2x3xf32>", "%z = tir.neg %0 : tensor<2x3xf32>"], Measure(6, 0, 4)),
    (["%0 = tir.sum %x over [1] : tensor<2xf32>", "%z = tir.broadcast %0 along [0] : tensor<2xf32> -> tensor<2x3xf32>"],
     Measure(6, 0, 4)),
    (["%t = tir.transpose %y by [1, 0] : tensor<3x2xf32>", "%0 = tir.dot %x, %t : tensor<2x2xf32>",
      "%z = tir.dot %0, %x : tensor<2x3xf32>"], Measure(12 + 12, 2, 8)),
])  # fmt: skip
def test_measure_of_a_program(lines: list[str], expected: Measure) -> None:
    assert measured(*lines) == expected


def test_sizes_that_are_no_numbers_stand_for_large_ones() -> None:
    assert measured(SUM_ONE, sizes="[N]x3") == (3000, 0, 3)
    assert measured(SUM_ONE, sizes="?x3") == (3000, 0, 3)


#: Rules that are right, and make nothing smaller, or are accurate and take more than twice the work.
USELESS = [
    "a: x - y => x + -y\n  exact\n  if floats(x)",
    "a: square(x) => x * x\n  exact",
    "a: -floor(x) => ceil(-x)\n  exact",
    "a: expm1(x) * y => y * expm1(x)\n  exact\n  if floats(x)",
    "a: reciprocal(x) => x ** -1\n  accurate: as it is",
]  # fmt: skip


@pytest.mark.parametrize("text", USELESS, ids=lambda text: text.splitlines()[0])
def test_rule_that_makes_nothing_smaller_is_found_out(text: str) -> None:
    (rule,) = read_rules(text)
    assert prove(rule, elements=(F32,)).failure.startswith(("it makes nothing smaller: work ", "rewriting would not end: "))


def test_accurate_rule_may_take_up_to_twice_the_work() -> None:
    (rule,) = read_rules("a: log(square(x)) => 2 * log(abs(x))\n  accurate: the square overflows and underflows")
    assert prove(rule, elements=(F32,)).failure == ""
