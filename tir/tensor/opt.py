"""What users take from Theano's `tensor.opt`: `T.opt.Assert`. Rules of rewriting are text here: docs/add-a-rewrite.md."""

from __future__ import annotations

from typing import NoReturn

from tir.graph.debugging import Assert, assert_op
from tir.tensor.missing import REASONS, missing

__all__ = ["Assert", "assert_op"]


def __getattr__(name: str) -> NoReturn:
    error = missing("tir.tensor.opt", name, __all__)
    raise error if name.startswith("_") else AttributeError(f"{error}; {REASONS['register_canonicalize']}")
