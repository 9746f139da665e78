"""A pytest plugin: each test runs at a recursion limit of 200, the frames of pytest included.

    python -m pytest -p tests.low_recursion tests/parser

What is imported or built once is made before: imports nest ten frames a module, and that has nothing to do with input.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tir.dialects.all import REGISTRY
from tir.lazy import lark, llvm, np
from tir.parser.parse import parse_text
from tir.passes.pipelines import ALL

LIMIT = 200


def pytest_sessionstart() -> None:
    assert REGISTRY.op_names() and [ALL[name] for name in ALL]
    assert lark.Lark and llvm.create_context and np.arange(1).sum() == 0
    parse_text("func.func @warm() {\n  return\n}", REGISTRY)


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """Lowers the limit around the call of a test, not around its fixtures."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(LIMIT)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
