"""Bugs in what asserts say, in conditions that become scalars, and in what inf and the ends of ranges are to ops."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["SIZE_BUGS"]

CONV, CF, LOWER = "tir/dialects/tir/conv.py", "tir/dialects/cf.py", "tir/passes/lower_structured.py"
SIZES = "tir/passes/sizes.py"
TEXT, CALLS, TENSOR = "tir/lower/llvm_text.py", "tir/runtime/calls.py", "tir/passes/canonicalize_tensor.py"
SPECIAL, REVERSE = "tir/dialects/numeric_special.py", "tir/passes/reverse_mode.py"
WORDS, CONTROL = ("tests/ops/test_same_words.py",), ("tests/lower/test_llvm_control.py",)
CUSTOM, CONVOLUTIONS = ("tests/passes/test_custom_derivatives.py",), ("tests/ops/test_conv_not_finite.py",)

SIZE_BUGS = (
    Bug("inf weights are convolved", CONV, "is_finite = b.all(b.is_finite(w))", "is_finite = b.all(b.cmp(\"eq\", w, w))", CONVOLUTIONS),
    Bug("one finite weight is enough", CONV, "is_finite = b.all(b.is_finite(w))", "is_finite = b.any(b.is_finite(w))", CONVOLUTIONS),
    Bug("windows of any batch are convolved", CONV, "if not known or batch is DYNAMIC or batch != other:", "if not known:",
        CONVOLUTIONS),
    Bug("g of another size goes", CONV, "return [*self.fits(x, w), *same]", "return self.fits(x, w)", WORDS),
    Bug("composites in regions stay", LOWER, "for made in parts for one in made.walk()", "for made in parts for one in [made]",
        CONVOLUTIONS),
    Bug("composites are not checked", LOWER, "self.decomposed.add(op)\n", "op.erase()\n", WORDS),
    Bug("the largest index may be the size", SIZES, '"lt": "slt"', '"lt": "sle"', WORDS),
    Bug("a rule suffices only with its weaker form", SIZES, "b.create(arith.OrI, holds,", "b.create(arith.AndI, holds,",
        ("tests/ops/test_empty_axes.py", "-k", "position")),
    Bug("a view moves in front of its assert", "tir/passes/allocations.py", "is_open = isinstance(op.results[0].type, MemRefType)",
        "is_open = False", WORDS),
    Bug("zeros are said", CF, "[\"value\"].value == 0", "[\"value\"].value == 1", CONTROL),
    Bug("numbers that are no sizes are said", CF, " or made.operand(0).type is not INDEX", "", CONTROL),
    Bug("one number twice", TEXT, "for place, number in enumerate(numbers):", "for place, number in enumerate(numbers[:1] * 2):",
        CONTROL),
    Bug("numbers in one place", TEXT, 'i64 {place}") if place', 'i64 0") if place', CONTROL),
    Bug("numbers are not said", CALLS, "raise AssertError(with_numbers(found.message, numbers)",
        "raise AssertError(with_numbers(found.message, [])", CONTROL),
    Bug("a number that others read is computed twice", TENSOR, "or len(op.tensor.uses) != 1", "", ("tests/test_lit.py",)),
    Bug("any element is the first", TENSOR, "if any(map.results", "if False and any(map.results", ("tests/test_lit.py",)),
    Bug("sigmoid overflows", "tir/dialects/tir/activations.py", "small = s.const(1, x), s.exp(s.neg(s.abs(x)))",
        "small = s.const(1, x), s.exp(s.abs(x))", ("tests/ops/test_levels.py",)),
    Bug("lgamma loses its digits at 2", SPECIAL, "for zero in (1, 2):", "for zero in (1,):", ("tests/math/test_special.py",)),
    Bug("lgamma loses its digits at 1", SPECIAL, "of_series - np.log1p(t) if zero == 1 else of_series", "of_series",
        ("tests/math/test_special.py",)),
    Bug("digamma loses its digits", SPECIAL, "NEAR, TERMS = 0.125, 24", "NEAR, TERMS = 0.125, 9", ("tests/math/test_special.py",)),
    Bug("what is not linear is transposed", REVERSE, "if value in variables:\n", "if value in variables[1:]:\n", CUSTOM),
    Bug("sizes count as values", REVERSE, "if isinstance(op, DimOp):\n            continue", "if False:\n            continue",
        ("tests/passes/test_custom_derivatives.py", "tests/passes/test_jacobian.py")),
    Bug("sizes are said of the first test alone", "tir/lower/llvm.py", "if any(one.numbers for one in text.asserts) or",
        "if all(one.numbers for one in text.asserts) or", CONTROL),
)  # fmt: skip
