"""What holds for every test: one BLAS thread, fixed seeds, and a header that names what this machine cannot test."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import signal

import hypothesis

# Set before any test imports numpy: the pytest workers share the cores already, and one thread adds up in one order.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# A shell that runs the suite in the background has interrupts ignored, and all that tests start would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Derandomised: a failure on one machine is a failure on all. No deadline: the first example of a test may compile.
hypothesis.settings.register_profile("tir", derandomize=True, deadline=None, max_examples=50, print_blob=True)
hypothesis.settings.load_profile("tir")

CORE = ("numpy", "lark", "llvmlite")
# Some tests need these, and a user may not have them.
OPTIONAL = ("torch-mlir", "scipy", "scikit-learn", "matplotlib", "ml_dtypes", "pycuda", "nvidia-cuda-nvcc")


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def pytest_report_header() -> list[str]:
    core = ", ".join(f"{name} {_version(name) or 'MISSING'}" for name in CORE)
    absent = ", ".join(name for name in OPTIONAL if _version(name) is None)
    return [f"core packages: {core} on {platform.machine()}", f"optional packages not installed: {absent or 'none'}"]
