"""All functions of variables: what `T` has beside its modules and the constructors (Theano's `tensor.basic`)."""

from __future__ import annotations

from tir.configuration import config
from tir.graph.creation import *  # noqa: F403  # each module lists its names
from tir.graph.creation import __all__ as _creation
from tir.graph.creation import diag
from tir.graph.elementwise import *  # noqa: F403
from tir.graph.elementwise import __all__ as _elementwise
from tir.graph.extra import *  # noqa: F403
from tir.graph.extra import __all__ as _extra
from tir.graph.gradients import (
    Lop,
    Rop,
    consider_constant,
    disconnected_grad,
    grad,
    grad_clip,
    grad_scale,
    hessian,
    jacobian,
    zero_grad,
)
from tir.graph.indexing import *  # noqa: F403
from tir.graph.indexing import __all__ as _indexing
from tir.graph.products import *  # noqa: F403
from tir.graph.products import __all__ as _products
from tir.graph.reductions import *  # noqa: F403
from tir.graph.reductions import __all__ as _reductions
from tir.graph.shape import *  # noqa: F403
from tir.graph.shape import NotScalarConstantError
from tir.graph.shape import __all__ as _shape
from tir.graph.shared import SharedVariable, shared
from tir.graph.sorting import *  # noqa: F403
from tir.graph.sorting import __all__ as _sorting
from tir.graph.variable import Constant, Variable
from tir.graph.verify_grad import numeric_grad, verify_grad
from tir.tensor.constructors import TensorType, tensor
from tir.tensor.elemwise import Elemwise

TensorVariable, TensorSharedVariable, TensorConstant = Variable, SharedVariable, Constant
extract_diag = alloc_diag = diag

#: Names of dtypes by kind.
int_dtypes, uint_dtypes = [f"int{n}" for n in (8, 16, 32, 64)], [f"uint{n}" for n in (8, 16, 32, 64)]
integer_dtypes = [*int_dtypes, *uint_dtypes]
discrete_dtypes = ["bool", *integer_dtypes]
float_dtypes = continuous_dtypes = ["float16", "float32", "float64"]
all_dtypes = [*discrete_dtypes, *float_dtypes]

__all__ = [
    *_creation, *_elementwise, *_extra, *_indexing, *_products, *_reductions, *_shape, *_sorting, "Constant", "Elemwise",
    "Lop", "NotScalarConstantError", "Rop", "SharedVariable", "TensorConstant", "TensorSharedVariable", "TensorType",
    "TensorVariable", "Variable", "all_dtypes", "alloc_diag", "config", "consider_constant", "continuous_dtypes",
    "disconnected_grad", "discrete_dtypes", "extract_diag", "float_dtypes", "grad", "grad_clip", "grad_scale",
    "hessian", "int_dtypes", "integer_dtypes", "jacobian", "numeric_grad", "shared", "tensor", "uint_dtypes",
    "verify_grad", "zero_grad",
]  # fmt: skip
