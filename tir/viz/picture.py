"""Graphviz text -> a picture, SVG or PNG. The layout is Graphviz's, from the optional package pygraphviz."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from tir.ir.errors import LimitError, TirError

__all__ = ["MAX_NODES", "picture"]

MAX_NODES = 700
MAX_SECONDS = 120
_DOCTYPE = re.compile(rb"<!DOCTYPE[^>\[]*>\s*")  # names a file on the network, which nobody needs
_DRAW = Path(__file__).with_name("draw.py")


def picture(dot: str, format: str) -> bytes:
    """The picture of a graph; `format` is svg or png. TirError says what is missing or too large."""
    if importlib.util.find_spec("pygraphviz") is None:
        raise TirError("pictures need the package pygraphviz: pip install 'tir-compiler[viz]' (--to-dot works without)")
    nodes = sum(1 for line in dot.split("\n") if " [label=<" in line)
    if nodes > MAX_NODES:
        raise LimitError(f"the picture would have {nodes:,} nodes, more than {MAX_NODES}; {_SMALLER}")
    command = [sys.executable, str(_DRAW), format]
    try:
        done = subprocess.run(command, input=dot.encode("utf-8"), capture_output=True, check=False, timeout=MAX_SECONDS)
    except subprocess.TimeoutExpired:
        raise LimitError(f"the layout took more than {MAX_SECONDS} seconds; {_SMALLER}") from None
    if done.returncode != 0 or not done.stdout:
        lines = done.stderr.decode("utf-8", "replace").strip().split("\n")
        raise TirError(f"Graphviz failed: {lines[-1] or f'exit code {done.returncode}'}")
    return _DOCTYPE.sub(b"", done.stdout, count=1) if format == "svg" else done.stdout


_SMALLER = "choose one function by --function, or leave inner regions out by --depth"
