"""Derivatives under the names of Theano's module: `from tir.gradient import DisconnectedInputError, verify_grad`."""

from tir.graph.errors import DisconnectedInputError
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

__all__ = [
    "DisconnectedInputError", "Lop", "Rop", "consider_constant", "disconnected_grad", "grad", "grad_clip", "grad_scale",
    "hessian", "hessian_vector_product", "jacobian", "subgraph_grad", "zero_grad",
]  # fmt: skip
