"""The limit of arithmetic: as many fused multiply-adds as the products of a workload have, on registers alone."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor

from benchmarks.peers.contestant import Call, Cannot
from benchmarks.peers.workloads import Workload, reference
from tir.runtime.jit import compile_text, host_target

__all__ = ["calls"]

CHAINS = 16  # at once: more than latency times units


def calls(workload: Workload, threads: int) -> list[Call]:
    if not workload.flops:
        raise Cannot("no products")
    target = host_target()
    lanes = target.vector_bytes // 4
    library = compile_text(_text(lanes, 8 * target.vector_bytes), ["fma"])
    kernel = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_int64)(library.address("fma"))
    rounds = workload.flops // (2 * lanes * CHAINS * threads)
    results = reference(workload, workload.arguments())
    pool = ThreadPoolExecutor(threads)

    def function(rounds: int) -> None:
        if threads == 1:
            kernel(rounds)
        else:
            list(pool.map(kernel, [rounds] * threads))

    function.library = library  # keeps the code in memory
    return [Call(function, [rounds], lambda _: results)]


def _text(lanes: int, width_bits: int) -> str:
    """A function that does `CHAINS` independent multiply-adds of vectors in each round."""
    vector = f"<{lanes} x float>"
    fma = f"@llvm.fma.v{lanes}f32"
    # None starts at the fixed point, 2.0: LLVM would leave that chain out.
    phis = [f"  %a{i} = phi {vector} [ splat (float {i}.5), %entry ], [ %b{i}, %loop ]" for i in range(CHAINS)]
    adds = [
        f"  %b{i} = call {vector} {fma}({vector} %a{i}, {vector} splat (float 0.5), {vector} splat (float 1.0))"
        for i in range(CHAINS)
    ]
    sums = [f"  %s{i} = fadd {vector} %{f's{i - 1}' if i > 1 else 'b0'}, %b{i}" for i in range(1, CHAINS)]
    lines = [
        "define float @fma(i64 %rounds) #0 {", "entry:", "  br label %loop", "loop:",
        "  %n = phi i64 [ 0, %entry ], [ %next, %loop ]", *phis, *adds, "  %next = add i64 %n, 1",
        "  %more = icmp slt i64 %next, %rounds", "  br i1 %more, label %loop, label %done", "done:", *sums,
        f"  %r = extractelement {vector} %s{CHAINS - 1}, i64 0", "  ret float %r", "}",
        f"declare {vector} {fma}({vector}, {vector}, {vector})",
        f'attributes #0 = {{ nounwind "prefer-vector-width"="{width_bits}" }}',
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
