"""The builtin dialect: the module, which holds functions and globals."""

from __future__ import annotations

from tir.ir.define import attribute, region
from tir.ir.ir import Block, Op
from tir.ir.kinds import STRING, SYMBOL_NAME
from tir.ir.registry import Dialect
from tir.ir.traits import IsolatedFromAbove, SymbolTable

__all__ = ["DIALECT", "Module"]


class Module(Op, IsolatedFromAbove, SymbolTable):
    """`module @name { .. }`: a list of symbols. Order means nothing."""

    name = "builtin.module"
    sym_name = attribute(SYMBOL_NAME, optional=True)
    sym_visibility = attribute(STRING, optional=True)
    body_region = region()
    format = "($sym_name^)? attr-dict-with-keyword $body_region"

    @property
    def body(self) -> Block:
        """The block with the symbols."""
        return self.body_region.block


DIALECT = Dialect("builtin", "Modules: files full of functions and globals.", (Module,))
