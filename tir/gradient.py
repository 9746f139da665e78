"""Derivatives under the names of Theano's module: `from tir.gradient import DisconnectedInputError, verify_grad`."""

from tir.graph.errors import DisconnectedInputError, GradientError
from tir.graph.gradients import (
    Lop,
    Rop,
    consider_constant,
    disconnected_grad,
    grad,
    grad_clip,
    grad_scale,
    hessian,
    hessian_vector_product,
    jacobian,
    subgraph_grad,
    zero_grad,
)
from tir.graph.user_ops import DisconnectedType
from tir.graph.verify_grad import numeric_grad, verify_grad

__all__ = [
    "DisconnectedInputError", "DisconnectedType", "GradientError", "Lop", "Rop", "consider_constant",
    "disconnected_grad", "grad", "grad_clip", "grad_scale", "hessian", "hessian_vector_product", "jacobian",
    "numeric_grad", "subgraph_grad", "verify_grad", "zero_grad",
]  # fmt: skip
