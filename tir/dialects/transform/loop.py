"""Transformations of loops."""

from __future__ import annotations

from tir.dialects.transform.base import FOR_HANDLE, OP_HANDLE, TYPED, TransformOp
from tir.ir.define import attribute, operand, result
from tir.ir.errors import TirError
from tir.ir.kinds import BOOL, I64_ATTR

__all__ = ["OPS"]


class Unroll(TransformOp):
    """`transform.loop.unroll %h {factor = 4} : !transform.any_op`: loops do several iterations in a step."""

    name = "transform.loop.unroll"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    factor = attribute(I64_ATTR)
    format = "$target attr-dict `:` type($target)"

    def verify(self) -> None:
        if self.factor < 1:
            raise TirError(f"the factor must be 1 or more, got {self.factor}")


class Peel(TransformOp):
    """`transform.loop.peel %h : (!transform.op<"scf.for">) -> (!transform.any_op, !transform.any_op)`: cuts loops in two.

    The results are the loop over whole steps and the one over what is left, which is empty where the step divides the
    length (with `fail_if_already_divisible` that is an error). With `peel_front = true` they are the loop over all
    iterations but the first, and that over the first.
    """

    name = "transform.loop.peel"
    consumed = ("target",)
    target = operand(FOR_HANDLE)
    peeled_loop = result(OP_HANDLE)
    remainder_loop = result(OP_HANDLE)
    peel_front = attribute(BOOL, default=False)
    fail_if_already_divisible = attribute(BOOL, default=False)
    format = "$target " + TYPED


class Coalesce(TransformOp):
    """`transform.loop.coalesce %h : (!transform.any_op) -> !transform.any_op`: a perfect nest becomes one loop."""

    name = "transform.loop.coalesce"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    transformed = result(OP_HANDLE)
    format = "$target " + TYPED


class PromoteIfOneIteration(TransformOp):
    """`transform.loop.promote_if_one_iteration %h : !transform.any_op`: what runs once needs no loop."""

    name = "transform.loop.promote_if_one_iteration"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    format = "$target attr-dict `:` type($target)"


class ForallToFor(TransformOp):
    """`transform.loop.forall_to_for %h : (!transform.any_op) -> !transform.any_op`: an scf.forall as loops in order.

    There is a result for each dimension, outermost first, or one for all of them.
    """

    name = "transform.loop.forall_to_for"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    transformed = result(OP_HANDLE, variadic=True)
    format = "$target " + TYPED


class ForallToParallel(TransformOp):
    """`transform.loop.forall_to_parallel %h : (..) -> ..`: an scf.forall without results as an scf.parallel."""

    name = "transform.loop.forall_to_parallel"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    transformed = result(OP_HANDLE, variadic=True)
    format = "$target " + TYPED


OPS = (Unroll, Peel, Coalesce, PromoteIfOneIteration, ForallToFor, ForallToParallel)
