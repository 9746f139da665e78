"""`T`: symbolic tensors with the names of Theano.

    import tir.tensor as T

    x = T.matrix("x")
    y = T.nnet.sigmoid(T.dot(x, w) + b)

Constructors of variables, functions of them, gradients; `T.nnet`, `T.opt`, `T.signal`, `T.nlinalg`, `T.slinalg`,
`T.extra_ops`, `T.shared_randomstreams`. What a function is about says the module that it stands in:
`tir/graph/elementwise.py`, `reductions.py`, `shape.py` and so on.
"""

from __future__ import annotations

from typing import Any

from tir.tensor import (
    basic,
    elemwise,
    extra_ops,
    nlinalg,
    nnet,
    opt,
    random,
    shared_randomstreams,
    sharedvar,
    signal,
    slinalg,
    subtensor,
    xlogx,
)

# Modules whose names functions have here, `T.sort` and `T.var`: imported first, so that nothing puts them there later.
from tir.tensor import sort as _sort  # noqa: F401
from tir.tensor import var as _var  # noqa: F401
from tir.tensor.basic import *  # noqa: F403
from tir.tensor.basic import __all__ as _functions
from tir.tensor.constructors import CONSTRUCTORS
from tir.tensor.missing import missing

__all__ = [
    *_functions, "basic", "elemwise", "extra_ops", "nlinalg", "nnet", "opt", "random", "shared_randomstreams", "sharedvar",
    "signal", "slinalg", "subtensor", "xlogx",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in CONSTRUCTORS:
        return CONSTRUCTORS[name]
    raise missing("tir.tensor", name, __dir__())


def __dir__() -> list[str]:
    return sorted({*__all__, *CONSTRUCTORS})
