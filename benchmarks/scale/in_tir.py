"""The steps of `scale` in tir."""

from __future__ import annotations

import gc
import tracemalloc

from benchmarks.scale.stopwatch import Stopwatch, resident_bytes
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce

__all__ = ["measure", "traced_bytes"]


class Walk(Pass):
    """Looks at each op and changes nothing."""

    name = "walk"

    def run(self, op: Op) -> None:
        for _ in op.walk():
            pass


def measure(text: str) -> dict[str, float]:
    """Parses without verifying, and times each step on the module; passes get modules of their own."""
    watch = Stopwatch()
    before = resident_bytes()
    module = watch("parse", lambda: parse_text(text, REGISTRY, verify=False))
    watch.found["resident bytes"] = resident_bytes() - before
    watch.found["ops"] = sum(1 for _ in module.walk())
    watch("verify", lambda: verify(module))
    watch("print", lambda: print_op(module))
    generic = watch("print generic", lambda: print_op(module, generic=True))
    watch("parse generic", lambda: parse_text(generic, REGISTRY, verify=False))
    watch("walk", lambda: Walk().run(module))
    for step in (Autodiff(),) if "tir.grad" in text else (Cse(), Canonicalize(), Dce()):
        fresh = parse_text(text, REGISTRY, verify=False)
        watch(step.name, lambda s=step, m=fresh: s.run(m))  # type: ignore[misc]
        if step.name != "autodiff":
            watch(f"{step.name}, nothing to do", lambda s=step, m=fresh: s.run(m))  # type: ignore[misc]
    return watch.found


def traced_bytes(text: str) -> int:
    """The bytes that Python's allocator holds for a module."""
    tracemalloc.start()
    module = parse_text(text, REGISTRY, verify=False)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert module.regions
    return held
