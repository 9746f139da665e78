"""`T`: symbolic tensors with the names of Theano.

    import tir.tensor as T

    x = T.matrix("x")
    y = T.nnet.sigmoid(T.dot(x, w) + b)

Constructors of variables, functions of them, gradients; `T.nnet`, `T.signal`, `T.shared_randomstreams`. The names of a
function's module say what it is about: `tir/tensor/elementwise.py`, `reductions.py`, `shape.py` and so on.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.base import Elementwise as Elemwise
from tir.graph.creation import *  # noqa: F403  # each module lists its names
from tir.graph.elementwise import *  # noqa: F403
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
from tir.graph.products import *  # noqa: F403
from tir.graph.reductions import *  # noqa: F403
from tir.graph.shape import *  # noqa: F403
from tir.graph.shared import SharedVariable
from tir.graph.sorting import *  # noqa: F403
from tir.graph.variable import Variable
from tir.graph.variable import Variable as TensorVariable
from tir.tensor import nnet, random, shared_randomstreams, signal
from tir.tensor.constructors import CONSTRUCTORS, TensorType, tensor

__all__ = [
    "CONSTRUCTORS", "Elemwise", "Lop", "Rop", "SharedVariable", "TensorType", "TensorVariable", "Variable",
    "consider_constant", "disconnected_grad", "grad", "grad_clip", "grad_scale", "hessian", "jacobian", "nnet", "random",
    "shared_randomstreams", "signal", "tensor", "zero_grad",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in CONSTRUCTORS:
        return CONSTRUCTORS[name]
    raise AttributeError(f"module 'tir.tensor' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *CONSTRUCTORS})
