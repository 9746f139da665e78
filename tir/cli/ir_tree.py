"""The IR before and behind passes as files: folders nested as the ops, and file names that number the passes.

    steps/builtin_module_no-symbol-name/0_cse.tir
    steps/builtin_module_no-symbol-name/func_func_main/0_0_canonicalize.tir

As mlir-opt's --mlir-print-ir-tree-dir: a name has the number of the dump of each op around, and of the op itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from tir.cli.common import replacing
from tir.ir.attributes import StringAttr
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.lazy import LazyModule

__all__ = ["IRTree"]

hashlib = LazyModule("hashlib")
_UNSAFE = re.compile(r"[^A-Za-z0-9_$.-]")
MAX_NAME = 100


class IRTree:
    """Writes dumps under `folder`, which is made if it is not there."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self._dumps: dict[Op, int] = {}
        self._written: set[Path] = set()

    def write(self, text: str, step: Pass, op: Op) -> None:
        """Writes the dump of a pass that runs on `op`; TirError if that cannot be done."""
        self._dumps[op] = self._dumps.get(op, -1) + 1
        around = [op, *op.ancestors()][::-1]
        numbers = "_".join(str(self._dumps.get(one, 0)) for one in around)
        folder = self.folder.joinpath(*map(_folder_name, around))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TirError(f"cannot make the folder {folder}: {error.strerror}") from None
        with replacing(str(self._new_file(folder, f"{numbers}_{step.name}"))) as file:
            file.write(text.encode("utf-8"))

    def _new_file(self, folder: Path, name: str) -> Path:
        """Ops without a symbol share a folder, and so do the modules of a file that is split: a second one is `name-2`."""
        found, i = folder / f"{name}.tir", 1
        while found in self._written:
            i += 1
            found = folder / f"{name}-{i}.tir"
        self._written.add(found)
        return found


def _folder_name(op: Op) -> str:
    """`func_func_main`. A symbol's name can be any text, and must lead nowhere else."""
    symbol = op.properties.get("sym_name")
    name = symbol.value if isinstance(symbol, StringAttr) else "no-symbol-name"
    full = f"{op.name.replace('.', '_')}_{name}"
    safe = _UNSAFE.sub("_", full)[:MAX_NAME]
    if safe == full:
        return safe
    digest = hashlib.sha256(full.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{safe}-{digest}"  # other names may become the same when they are made safe
