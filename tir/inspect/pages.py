"""`explore`: the page of `tir-opt --explore` for a module in Python: every level and every rewrite, in a browser."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from tir.api import caller_location, check_fp_mode, check_module
from tir.dialects.tir.build.core import told
from tir.inspect.levels import advance
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.verify import verify
from tir.viz.explore import Explorer
from tir.viz.page import page

__all__ = ["explore"]


def explore(module: Op, path: Any = None, open_browser: bool = False, *, fp_mode: str = "stable", title: str = "") -> str:
    """Writes a page with the module at every level and all rewrites between them; gives the path of the file.

    path: without it a new file in the folder for temporary ones. open_browser: shows it. The passes are those of
    `tir.executable`; the module itself is not changed.
    """
    check_module("explore", module)
    check_fp_mode("explore", fp_mode)
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise TirError(f"explore: path must be the name of a file, got {told(path)}", caller_location())
    if path is not None and not Path(path).parent.is_dir():
        raise TirError(f"explore: there is no folder {Path(path).parent} for the page", caller_location())
    verify(module)
    explorer = Explorer()
    advance(module.clone(), "tensor", "loops", fp_mode, (explorer,))
    text = page(explorer, title or "a module", ["tir.inspect.explore"])
    file = Path(path) if path is not None else _new_file()
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TirError(f"explore: cannot write {file}: {error.strerror}", caller_location()) from None
    if open_browser:
        webbrowser.open(file.resolve().as_uri())
    return str(file)


def _new_file() -> Path:
    number, name = tempfile.mkstemp(prefix="tir-explore-", suffix=".html")
    os.close(number)
    return Path(name)
