"""Functions such as exp become arithmetic: branch-free polynomials that loops can vectorize."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.math_expansions import EXPANSIONS
from tir.dialects.scalar import Scalar, ScalarBuilder
from tir.ir import actions
from tir.ir.builder import Builder
from tir.ir.ir import Op
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.types import F32, F64, element_type

__all__ = ["ExpandMath"]


@dataclass
class ExpandMath(Pass):
    """Expands the functions of `math` that no machine has: see `math_expansions.py` for bounds in ulp.

    f16 and bf16 are computed in f32 and rounded. Needs nothing; works on scalars and vectors. Leaves alone what each
    machine has: roots, rounding to whole numbers, signs, classes, fma, 1 / sqrt(x).

        %1 = math.exp %0 : f32    ->    about 20 ops: %n = round(x * log2(e)); 2**n * p(x - n * log(2))
    """

    name = "expand-math"
    numerics = accurate(4, "a polynomial in the place of a function; bounds are in math_expansions.py")
    statistics = {"expand": "math ops expanded"}

    def run(self, op: Op) -> None:
        for inner in list(op.walk()):
            expand = EXPANSIONS.get(inner.name.removeprefix("math.")) if inner.name.startswith("math.") else None
            if expand is not None and actions.begin("expand", inner):
                s = ScalarBuilder(Builder.before(inner))
                type = element_type(inner.result.type)
                computed = type if type in (F32, F64) else F32
                operands = [s.cast(Scalar(value, type), computed) for value in inner.operands]
                inner.replace_with([s.cast(expand(s, *operands), type).value])
                actions.end()
