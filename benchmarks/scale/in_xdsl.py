"""The steps of `scale` in xDSL; its parser does not verify."""

from __future__ import annotations

from io import StringIO

from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination

from benchmarks.scale.stopwatch import Stopwatch, resident_bytes

__all__ = ["measure"]


def measure(text: str) -> dict[str, float]:
    """Times each step; passes get modules of their own."""
    context = Context()
    for name, dialect in get_all_dialects().items():
        context.register_dialect(name, dialect)
    watch = Stopwatch()
    before = resident_bytes()
    module = watch("parse", lambda: Parser(context, text).parse_module())
    watch.found["resident bytes"] = resident_bytes() - before
    watch.found["ops"] = sum(1 for _ in module.walk())
    watch("verify", module.verify)
    watch("print", lambda: Printer(StringIO()).print_op(module))
    watch("print generic", lambda: Printer(StringIO(), print_generic_format=True).print_op(module))
    watch("walk", lambda: sum(1 for _ in module.walk()))
    for name, step in (("cse", CommonSubexpressionElimination()), ("canonicalize", CanonicalizePass())):
        fresh = Parser(context, text).parse_module()
        watch(name, lambda s=step, m=fresh: s.apply(context, m))  # type: ignore[misc]
        watch(f"{name}, nothing to do", lambda s=step, m=fresh: s.apply(context, m))  # type: ignore[misc]
    return watch.found
