"""The steps of `scale` in upstream MLIR, through its Python bindings. Its parser verifies; its passes here do not."""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.passmanager import PassManager

from benchmarks.scale.stopwatch import Stopwatch, resident_bytes

__all__ = ["measure"]


def measure(text: str) -> dict[str, float]:
    """Times each step; passes get modules of their own."""
    context = ir.Context()
    context.load_all_available_dialects()
    context.enable_multithreading(False)  # its threads would be counted together
    watch = Stopwatch()
    with context:
        before = resident_bytes()
        module = watch("parse", lambda: ir.Module.parse(text))
        watch.found["resident bytes"] = resident_bytes() - before
        watch.found["ops"] = _count(module)
        watch("verify", module.operation.verify)
        watch("print", lambda: module.operation.get_asm(assume_verified=True))
        watch("print generic", lambda: module.operation.get_asm(print_generic_op_form=True, assume_verified=True))
        watch("walk", lambda: module.operation.walk(lambda op: ir.WalkResult.ADVANCE))
        for name in ("cse", "canonicalize"):
            fresh = ir.Module.parse(text)
            passes = PassManager.parse(f"builtin.module(func.func({name}))")
            passes.enable_verifier(False)
            watch(name, lambda p=passes, m=fresh: p.run(m.operation))  # type: ignore[misc]
            watch(f"{name}, nothing to do", lambda p=passes, m=fresh: p.run(m.operation))  # type: ignore[misc]
    return watch.found


def _count(module: ir.Module) -> int:
    seen: list[None] = []

    def see(op: ir.Operation) -> ir.WalkResult:
        seen.append(None)
        return ir.WalkResult.ADVANCE

    module.operation.walk(see)
    return len(seen)
