"""Reading, checking and running small programs, for tests of the structural dialects."""

from __future__ import annotations

from typing import Any

from tir.dialects import arith, builtin, cf, func, linalg, math, memref, scf, tensor, vector
from tir.interpret import Interpreter
from tir.ir.errors import TirErrors
from tir.ir.execution import ExecutionError
from tir.ir.ir import Op
from tir.ir.registry import Registry
from tir.parser.parse import parse_text

STRUCTURE = (builtin, func, cf, scf, tensor, linalg, memref, vector)
REGISTRY = Registry(dialect.DIALECT for dialect in (*STRUCTURE, arith, math))


def module(text: str) -> Op:
    """The verified module that `text` spells."""
    return parse_text(text, REGISTRY, file="t.tir")


def function(signature: str, body: str) -> str:
    """A function `@f` as text."""
    return f"func.func @f{signature} {{\n{body}\n}}"


def run(text: str, *arguments: Any, **options: Any) -> list[Any]:
    """The results of `@f`."""
    return Interpreter(module(text), **options).run("f", arguments)


def run_body(signature: str, body: str, *arguments: Any) -> list[Any]:
    """The results of a function with this signature and body."""
    return run(function(signature, body), *arguments)


def verify_error(text: str) -> str:
    """The only message of the verifier about a text of good form."""
    try:
        module(text)
    except TirErrors as found:
        assert len(found.errors) == 1, str(found)
        assert found.errors[0].location is not None
        return found.errors[0].message
    raise AssertionError("the module verifies")


def run_error(text: str, *arguments: Any) -> ExecutionError:
    """The error of running `@f`."""
    try:
        run(text, *arguments)
    except ExecutionError as error:
        return error
    raise AssertionError("the program runs")
