"""Canonicalization: constants folded, and expressions that say little said with less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.dialects import arith
from tir.dialects.tir.base import Elementwise, TensorOp
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.control import Control
from tir.dialects.tir.create import Constant
from tir.ir.attributes import Attribute, DenseAttr, FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.errors import TirError
from tir.ir.execution import meaning, value_of_type
from tir.ir.ir import Op, Value
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.rewrite import FP_MODES, Rewriter, check_fp_mode
from tir.ir.traits import ConstantLike, Pure
from tir.ir.types import FloatType, ShapedType, TensorType, Type
from tir.lazy import LazyTable, np
from tir.rewrites.families import rules_of

__all__ = ["FAMILIES", "Canonicalize", "fold"]

MAX_FOLDED_ELEMENTS = 1024

#: Families of rules for the tensor level.
FAMILIES = ("shapes", "canonical")
#: Rules for branches and loops of the tensor level ("control") and for other dialects; imported where such ops are met.
MORE_RULES = LazyTable({
    "control": "tir.passes.canonicalize_control:RULES",
    "scf": "tir.passes.canonicalize_scf:RULES",
    "tensor": "tir.passes.canonicalize_tensor:RULES",
})


@dataclass
class Canonicalize(Pass):
    """Folds constants and applies the canonicalization rules until none fits; removes what is not used.

    Needs nothing, and may run at any level. A tensor constant of more than 1024 elements is not computed (a splat is, for
    it is one number). Rules are listed in `tir/rewrites/canonical.rules` and `shapes.py`, those for branches and loops
    in `canonicalize_control.py`, those for `scf` in `canonicalize_scf.py`, for `tensor` in `canonicalize_tensor.py`;
    `fp-mode` says which classes may be applied: `strict` (same bits), `stable` (also accurate ones), `fast`. With
    `max-iterations` the ops are gone through so often at most: all of them once, then those that a change has touched.

        %0 = tir.transpose %x by [1, 0] : tensor<3x2xf32>
        %1 = tir.transpose %0 by [1, 0] : tensor<2x3xf32>    ->   return %x : tensor<2x3xf32>
        return %1 : tensor<2x3xf32>
    """

    name = "canonicalize"
    numerics = accurate(2, "some rules give a result with a smaller error")
    statistics = {"fold": "ops computed", "erase": "ops erased that nobody uses"}
    fp_mode: str = field(default="stable", metadata={"choices": tuple(FP_MODES)})
    max_iterations: int = -1

    def __post_init__(self) -> None:
        check_fp_mode(self.name, self.fp_mode)

    def run(self, op: Op) -> None:
        iterations = None if self.max_iterations < 0 else self.max_iterations
        met = {"control" if isinstance(o, Control) else o.name.partition(".")[0] for o in op.walk()}
        rules = list(rules_of(*FAMILIES)) if "tir" in met else []
        rules += [rule for name in MORE_RULES if name in met for rule in MORE_RULES[name]]
        Rewriter(rules, fold=fold, builder=TensorBuilder, fp_mode=self.fp_mode, max_iterations=iterations).run(op)


def fold(op: Op, b: Builder) -> Sequence[Value] | None:
    """The results of `op` as constants, if its operands are constants: its `reference` computes them."""
    if not _can_fold(op):
        return None
    operands = [v.op.properties["value"] for v in op.operands]  # type: ignore[union-attr]
    splat = _is_same_everywhere(op) and all(isinstance(a, DenseAttr) and a.is_splat for a in operands)
    try:
        with np.errstate(all="ignore"):
            found = meaning(op)(*[_array(a, splat) for a in operands])
    except TirError:
        return None  # what goes wrong at run time is not hidden here
    results = found if isinstance(found, tuple) else (found,)
    return [_constant(op, b, value, r.type) for value, r in zip(results, op.results)]


def _can_fold(op: Op) -> bool:
    if not isinstance(op, Pure) or isinstance(op, ConstantLike) or op.regions or not op.results:
        return False
    operands = op.operands
    if not operands or not isinstance(operands[0].op, ConstantLike) or not hasattr(op, "reference"):
        return False
    return all(_is_constant(v) for v in operands) and all(_is_small(r.type, op) for r in op.results)


def _is_constant(value: Value) -> bool:
    op = value.op
    if not isinstance(op, ConstantLike):
        return False
    attr = op.properties.get("value")
    return isinstance(attr, (IntegerAttr, FloatAttr, DenseAttr))


def _is_small(type: Type, op: Op) -> bool:
    """The constant is small, or a splat of any size."""
    if not isinstance(type, ShapedType):
        return True
    if not type.is_static:
        return False
    splat = _is_same_everywhere(op) and all(v.op.properties["value"].is_splat for v in op.operands)  # type: ignore
    return type.count <= MAX_FOLDED_ELEMENTS or splat


def _is_same_everywhere(op: Op) -> bool:
    return isinstance(op, Elementwise) and op.same_everywhere


def _array(attr: Attribute, splat: bool) -> Any:
    """The constant as a run-time value; of a splat one element."""
    if not isinstance(attr, DenseAttr):
        return value_of_type(attr.value, attr.type)  # type: ignore[attr-defined]
    return attr.numpy().reshape(-1)[0] if splat and attr.type.count else attr.numpy()


def _constant(op: Op, b: Builder, value: Any, type: Type) -> Value:
    """A constant op of the level of `op`."""
    cls = Constant if isinstance(op, TensorOp) and isinstance(type, TensorType) else arith.Constant
    return b.create(cls, value=_attribute(value, type), result_types=[type])


def _attribute(value: Any, type: Type) -> Attribute:
    if isinstance(type, ShapedType):
        if np.ndim(value) == 0 and type.rank:
            return DenseAttr.splat(np.asarray(value).item(), type)
        return DenseAttr(type, DenseAttr.of(np.broadcast_to(value, type.static_shape), type.element).data)
    if isinstance(type, FloatType):
        return FloatAttr(float(value), type)
    return IntegerAttr(int(value), type)
