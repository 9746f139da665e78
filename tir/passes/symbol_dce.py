"""`symbol-dce`: functions and globals that nobody can reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tir.ir import actions
from tir.ir.attributes import ArrayAttr, Attribute, DictAttr, SymbolRefAttr
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.symbols import SymbolTable
from tir.ir.traits import Symbol

__all__ = ["SymbolDce", "symbol_references"]


@dataclass
class SymbolDce(Pass):
    """Removes the private symbols that no public one needs, directly or through others.

    Needs: any module. Leaves: each public symbol, and the private ones that it refers to in an op (a call) or in an
    attribute (`tir.shared = @w`). Two private functions that only call each other are both removed.

        func.func private @unused() { return }
        func.func @main() { return }

    becomes

        func.func @main() { return }
    """

    name = "symbol-dce"
    numerics = EXACT
    statistics = {"erase": "groups of symbols erased"}
    needs_module = True

    def run(self, op: Op) -> None:
        symbols = SymbolTable(op)
        removable = {one for block in op.region.blocks for one in block if _is_private(one)}
        pending = [one for block in op.region.blocks for one in block if one not in removable]
        while pending:
            for name in symbol_references(pending.pop()):
                found = symbols.lookup(name)
                if found in removable:
                    removable.discard(found)
                    pending.append(found)
        for group in _users_first([one for block in op.region.blocks for one in block if one in removable], symbols):
            if not actions.begin("erase", group[0]):
                break  # those that follow may be needed by this one
            for one in group:
                one.erase()
            actions.end()


def _is_private(op: Op) -> bool:
    visibility = op.properties.get("sym_visibility")
    return isinstance(op, Symbol) and getattr(visibility, "value", None) in ("private", "nested")


def _users_first(ops: list[Op], symbols: SymbolTable) -> Iterator[list[Op]]:
    """The ops one by one, each behind those that refer to it; those that refer to each other in a circle together."""
    refers = {op: {symbols.lookup(name) for name in symbol_references(op)} - {op} for op in ops}
    count = Counter(target for targets in refers.values() for target in targets)
    left = dict.fromkeys(ops)
    ready = [op for op in ops if not count[op]]
    while ready:
        op = ready.pop()
        yield [op]
        del left[op]
        for target in refers[op]:
            count[target] -= 1
            if target in left and not count[target]:
                ready.append(target)
    if left:
        yield list(left)


def symbol_references(op: Op) -> Iterator[str]:
    """The names that `op` and the ops inside it refer to, in the order of the text; a name may come more than once."""
    for inner in op.walk():
        pending: list[Attribute] = [*inner.attributes.values(), *inner.properties.values()][::-1]
        while pending:
            attribute = pending.pop()
            if isinstance(attribute, SymbolRefAttr):
                yield attribute.root
            elif isinstance(attribute, ArrayAttr):
                pending.extend(reversed(attribute.items))
            elif isinstance(attribute, DictAttr):
                pending.extend(value for _, value in reversed(attribute.entries))
