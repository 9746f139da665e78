"""Makes a module smaller as long as it stays interesting: delta debugging on the IR (`tir-reduce`, `--check-semantics`).

    small = reduce_module(module, lambda candidate: "tir.exp" in str_of(candidate))

    driver.py       tries edits in chunks, halves the chunks, keeps what is interesting and smaller
    ops.py          edits of ops, regions, blocks and operands
    functions.py    edits of symbols, arguments and results
    sizes.py        edits of shapes, constants, attributes and names
"""

from __future__ import annotations

from tir.reducer.driver import Progress, Reduction, reduce_module

__all__ = ["Progress", "Reduction", "reduce_module"]
