"""What tests of BLAS and LAPACK share: whether they are here, and the calls of a module."""

from __future__ import annotations

import pytest

from tir.dialects.func import Call
from tir.ir.ir import Op
from tir.runtime import library

__all__ = ["HAS_SCIPY", "MACHINES", "calls", "needs_scipy"]

HAS_SCIPY = library.has_library()
needs_scipy = pytest.mark.skipif(not HAS_SCIPY, reason="needs scipy")
#: The interpreter has its own meanings of library functions; machine code calls scipy's.
MACHINES = ["interpret", pytest.param("cpu", marks=needs_scipy)]


def calls(module: Op) -> list[str]:
    """The words of the functions that are called, in the order of the text."""
    declared = {op.sym_name: op.attributes["tir.extern"].value for op in module.body if "tir.extern" in op.attributes}
    return [declared[op.callee] for op in module.walk() if isinstance(op, Call)]
