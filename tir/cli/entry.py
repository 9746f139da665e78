"""Where the installed tools begin. `--version` alone is answered here, before anything else is imported."""

from __future__ import annotations

import gc
import sys

from tir.lazy import LazyModule
from tir.version import __version__

__all__ = ["lsp", "opt", "reduce", "run", "translate"]


def opt() -> int:
    """tir-opt; returns its exit code."""
    return _start("tir-opt", "tir.cli.opt")


def run() -> int:
    """tir-run; returns its exit code."""
    return _start("tir-run", "tir.cli.run")


def lsp() -> int:
    """tir-lsp; returns its exit code."""
    return _start("tir-lsp", "tir.cli.lsp")


def reduce() -> int:
    """tir-reduce; returns its exit code."""
    return _start("tir-reduce", "tir.cli.reduce")


def translate() -> int:
    """tir-translate; returns its exit code."""
    return _start("tir-translate", "tir.cli.translate")


def _start(tool: str, module: str) -> int:
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        try:
            print(f"{tool} {__version__}", flush=True)
        except OSError as error:
            print(f"{tool}: error: cannot read or write: {error.strerror}", file=sys.stderr)
            return 1
        return 0
    gc.disable()  # what importing makes stays until the end: looking for garbage in it is a tenth of the start
    main = LazyModule(module).main
    gc.freeze()
    gc.enable()
    return main()
