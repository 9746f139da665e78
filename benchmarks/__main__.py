"""`python -m benchmarks [NAME ..]`: runs the named benchmarks, or all; `scale` takes sizes."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported: tir runs on one thread too

from benchmarks import (  # noqa: E402
    blas,
    calls,
    canonicalize,
    conv,
    dot,
    gradients,
    lapack,
    ops,
    python_api,
    rng,
    scale,
    startup,
    step,
    threads,
    wrong_pass,
)

BENCHMARKS = {
    "blas": blas.run,
    "calls": calls.run,
    "canonicalize": canonicalize.run,
    "conv": conv.run,
    "dot": dot.run,
    "gradients": gradients.run,
    "lapack": lapack.run,
    "ops": ops.run,
    "python_api": python_api.run,
    "rng": rng.run,
    "scale": scale.run,
    "startup": startup.run,
    "step": step.run,
    "threads": threads.run,
    "wrong_pass": wrong_pass.run,
}


def main() -> int:
    names = [word for word in sys.argv[1:] if not word.isdigit()] or list(BENCHMARKS)
    sizes = [int(word) for word in sys.argv[1:] if word.isdigit()]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"benchmarks: there is no {unknown[0]!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names:
        BENCHMARKS[name](*(sizes if name == "scale" else ()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
