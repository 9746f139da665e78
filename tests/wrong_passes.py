"""Passes with a planted bug, each of another kind, for what must find and explain them.

    for plant in PLANTS: run_pipeline(plant.pipeline(), module, [CheckSemantics(..)])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tir.dialects import arith, linalg
from tir.dialects.tir.activations import Relu, Sigmoid
from tir.dialects.tir.arithmetic import Add, Div, Maximum, Mul, Neg, Square, Sub
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.composite import Mean
from tir.dialects.tir.create import Full
from tir.dialects.tir.elements import number_attribute
from tir.dialects.tir.functions import Exp, Tanh
from tir.dialects.tir.logic import Select
from tir.dialects.tir.reduce import Max, Sum
from tir.dialects.tir.shape import Broadcast, Transpose
from tir.dialects.tir.state import Update
from tir.ir import actions
from tir.ir.attributes import UnitAttr
from tir.ir.ir import Op, Value
from tir.ir.numerics import EXACT, accurate
from tir.ir.pass_manager import Pass, Pipeline
from tir.ir.rewrite import Rewriter, Rule, rule
from tir.passes import cse, expand_math, fuse_structured, loop_nest, lower_structured
from tir.passes.autodiff import Autodiff
from tir.passes.bufferize import Bufferize
from tir.passes.canonicalize import FAMILIES, Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce
from tir.passes.expand_math import ExpandMath
from tir.passes.folding import fold
from tir.passes.fuse_structured import FuseStructured
from tir.passes.lower_loops import LowerLoops
from tir.passes.lower_structured import LowerStructured
from tir.passes.state_to_arguments import StateToArguments
from tir.rewrites.families import rules_of

__all__ = ["PLANTS", "Plant", "ten_passes"]


def ten_passes() -> list[Pass]:
    """A pipeline from the tensor level to loops."""
    return [
        Canonicalize(), Autodiff(), Cse(), Dce(), StateToArguments(), LowerStructured(), FuseStructured(), Bufferize(),
        LowerLoops(), ExpandMath(),
    ]  # fmt: skip


@dataclass(frozen=True)
class Plant:
    """A bug. wrong: makes the pass that has it, which takes the place of the pass called `at` among the ten.

    change: what its wrong changes are called; needs: ops of which a program must have one for the bug to show.
    """

    name: str
    at: str
    wrong: Callable[[], Pass]
    change: str
    needs: tuple[str, ...] = ()

    def may_show(self, text: str) -> bool:
        """The program has what the bug needs."""
        return not self.needs or any(f"{op} " in text for op in self.needs)

    def pipeline(self) -> Pipeline:
        return Pipeline([self.wrong() if one.name == self.at else one for one in ten_passes()])


# --- canonicalize: wrong rules -----------------------------------------------------------------------------------------


@rule(Sub)
def minus_swapped(op: Sub, b: Any) -> Value | None:
    """x - y -> y - x   exact"""
    if "test.swapped" in op.attributes:
        return None
    value = b.create(Sub, op.rhs, op.lhs)
    value.op.set_attribute("test.swapped", UnitAttr())
    return value


@rule(Transpose)
def transposes_in_the_wrong_order(op: Transpose, b: Any) -> Value | None:
    """transpose(transpose(x, p), q) -> transpose(x, q[p])   exact"""
    inner = op.x.op
    if not isinstance(inner, Transpose):
        return None
    found = b.create(Transpose, inner.x, permutation=[op.permutation[axis] for axis in inner.permutation])
    return found if found.type is op.result.type else None


@rule(Mul)
def product_of_first(op: Mul, b: Any) -> Value | None:
    """x * y -> x   exact"""
    return op.lhs if op.lhs.type is op.result.type else None


@rule(Maximum)
def maximum_of_first(op: Maximum, b: Any) -> Value | None:
    """max(x, y) -> x   exact"""
    return op.lhs if op.lhs.type is op.result.type else None


@rule(Select)
def select_of_first(op: Select, b: Any) -> Value | None:
    """select(c, x, y) -> x   exact"""
    return op.lhs if op.lhs.type is op.result.type else None


@rule(Relu)
def relu_of_nothing(op: Relu, b: Any) -> Value | None:
    """relu(x) -> x   exact"""
    return op.x


@dataclass
class CanonicalizeWithRule(Pass):
    """Canonicalization with one more rule."""

    name = "canonicalize"
    numerics = accurate(2, "as canonicalize")

    added: Any = None

    def run(self, op: Op) -> None:
        Rewriter((self.added, *rules_of(*FAMILIES)), fold=fold, builder=TensorBuilder).run(op)

    def __str__(self) -> str:
        return self.name


def _rule_plant(added: Rule) -> Plant:
    title, needs = f"rule {added.before} -> {added.after}", tuple(root.name for root in added.roots)
    return Plant(title, "canonicalize", lambda: CanonicalizeWithRule(added), added.name, needs)


# --- other passes: with a part of them exchanged -----------------------------------------------------------------------


@dataclass
class CseBlindToAttributes(Cse):
    numerics = EXACT

    def run(self, op: Op) -> None:
        def key(op: Op) -> Any:
            return type(op), op.name, op.operands, tuple(r.type for r in op.results)

        with mock.patch.object(cse, "_key", key):
            super().run(op)


@dataclass
class DceThatDropsUpdates(Dce):
    def run(self, op: Op) -> None:
        for update in [inner for inner in op.walk() if isinstance(inner, Update)]:
            if actions.begin("erase", update):
                update.erase()
                actions.end()
        super().run(op)


@contextmanager
def _lowering(cls: type[Op], method: Callable[..., Any]) -> Iterator[None]:
    with mock.patch.object(lower_structured, "_METHODS", [(cls, method), *lower_structured._METHODS]):
        yield


@dataclass
class LowerWithOperandsSwapped(LowerStructured):
    def run(self, op: Op) -> None:
        def swapped(self: Any, b: Any, op: Op) -> Value:
            op.set_operands(op.operands[::-1])
            return lower_structured._Lowering.structured(self, b, op)

        with _lowering(Sub, swapped), _lowering(Div, swapped):
            super().run(op)


@dataclass
class _LowerWithWrongMap(LowerStructured):
    def run(self, op: Op) -> None:
        # Of a square matrix, so that the sizes still agree.
        with mock.patch.object(Transpose, "inverse", lambda self: list(range(len(self.permutation)))):
            super().run(op)


@dataclass
class _LowerWithWrongStart(LowerStructured):
    """A maximum that starts at 0."""

    def run(self, op: Op) -> None:
        with mock.patch.object(Max, "identity", lambda self, element: 0):
            super().run(op)


@dataclass
class _FuseThatDropsAnOp(FuseStructured):
    def run(self, op: Op) -> None:
        fuse = fuse_structured.inline_producer

        def wrong(consumer: linalg.Generic, *arguments: Any, **options: Any) -> None:
            fuse(consumer, *arguments, **options)
            for inner in consumer.body:
                if isinstance(inner, (arith.AddF, arith.MulF, arith.SubF, arith.AddI, arith.MulI)):
                    inner.replace_with([inner.operand(0)])
                    return

        with mock.patch.object(fuse_structured, "inline_producer", wrong):
            super().run(op)


@dataclass
class AutodiffWithWrongSign(Autodiff):
    """Of the gradient of a sum and of a mean."""

    def run(self, op: Op) -> None:
        grads = {cls: cls.grad for cls in (Sum, Mean)}

        def wrong(cls: type[Op]) -> Callable[..., list[Any]]:
            return lambda self, b, g, x: [-grads[cls](self, b, g, x)[0]]

        with mock.patch.object(Sum, "grad", wrong(Sum)), mock.patch.object(Mean, "grad", wrong(Mean)):
            super().run(op)


@dataclass
class _AutodiffWithWrongFactor(Autodiff):
    def run(self, op: Op) -> None:
        grads = {cls: cls.grad for cls in (Square, Tanh, Exp, Mul, Broadcast, Add, Neg, Sigmoid)}

        def wrong(cls: type[Op]) -> Callable[..., list[Any]]:
            return lambda self, b, g, *operands: [p if p is None else p + p for p in grads[cls](self, b, g, *operands)]

        patches = [mock.patch.object(cls, "grad", wrong(cls)) for cls in grads]
        for patch in patches:
            patch.start()
        try:
            super().run(op)
        finally:
            for patch in patches:
                patch.stop()


@dataclass
class LoopsThatEndEarly(LowerLoops):
    """The outermost loop leaves out the last step."""

    tile: bool = False

    def run(self, op: Op) -> None:
        size = loop_nest.Nest.size

        def shorter(self: Any, dim: int) -> Value:
            full = size(self, dim)
            return self.b.create(arith.SubI, full, self.constant(1)) if dim == 0 else full

        with mock.patch.object(loop_nest.Nest, "size", shorter):
            super().run(op)


@dataclass
class ExpandWithWrongNumber(ExpandMath):
    """Functions that are off by a thousandth."""

    def run(self, op: Op) -> None:
        def off(expand: Callable[..., Any]) -> Callable[..., Any]:
            def found(s: Any, *operands: Any) -> Any:
                value = expand(s, *operands)
                return s.mul(value, s.const(1.001, operands[0]))

            return found

        table = {name: off(expand) for name, expand in expand_math.EXPANSIONS.items()}
        with mock.patch.object(expand_math, "EXPANSIONS", table):
            super().run(op)


@dataclass
class _StateFromConstants(StateToArguments):
    """Reads become zeros before they are converted."""

    def run(self, op: Op) -> None:
        for update in [inner for inner in op.walk() if isinstance(inner, Update)]:
            if actions.begin("zero", update):
                b = TensorBuilder(update.parent, update, update.location)
                type = update.value.type
                zero = b.create(Full, [], value=number_attribute(0, type.element), result_types=[type])
                update.set_operand(0, zero)
                actions.end()
        super().run(op)


PLANTS: tuple[Plant, ...] = (
    _rule_plant(minus_swapped),
    Plant("autodiff with a wrong sign", "autodiff", AutodiffWithWrongSign, "expand", ("tir.grad",)),
    Plant("cse that looks at no attributes", "cse", CseBlindToAttributes, "merge", ("tir.slice", "tir.cmp", "tir.sum", "tir.transpose")),
    Plant("dce that drops updates", "dce", DceThatDropsUpdates, "erase", ("tir.update",)),
    Plant("operands swapped in lower-structured", "lower-structured", LowerWithOperandsSwapped, "lower", ("tir.sub", "tir.div")),
    Plant("fusion that drops an op", "fuse-structured", _FuseThatDropsAnOp, "fuse"),
    Plant("loops that end early", "lower-loops", LoopsThatEndEarly, "lower"),
    Plant("functions off by a thousandth", "expand-math", ExpandWithWrongNumber, "expand"),
    _rule_plant(select_of_first),
    Plant("autodiff with a wrong factor", "autodiff", _AutodiffWithWrongFactor, "expand", ("tir.grad",)),
    Plant("updates of zeros", "state-to-arguments", _StateFromConstants, "zero", ("tir.update",)),
    Plant("transpose with a wrong map in lower-structured", "lower-structured", _LowerWithWrongMap, "lower", ("tir.transpose",)),
    Plant("maximum that starts at 0", "lower-structured", _LowerWithWrongStart, "lower", ("tir.max", "tir.softmax", "tir.log_softmax")),
    _rule_plant(product_of_first),
    _rule_plant(maximum_of_first),
    _rule_plant(relu_of_nothing),
    _rule_plant(transposes_in_the_wrong_order),
)
