"""Where a program keeps its arrays: state, results, and temporaries with the lines of the program that need them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tir.dialects import memref
from tir.dialects.func import Func
from tir.inspect.sizes import Amount, Sizes, total
from tir.ir.attributes import StringAttr, SymbolRefAttr
from tir.ir.errors import Location
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.types import Type
from tir.lower.buffers import ALLOCATIONS, origins

__all__ = ["Buffer", "MemoryPlan", "copied_at_the_end", "plan_of"]


@dataclass(frozen=True)
class Buffer:
    """An array in memory. name: of a temporary, where it lies unless that is the heap. in_place: of state and results,
    what computes it writes there, and no copy follows. slot, offset: of a temporary, its place in the workspace."""

    function: str
    name: str
    type: Type
    bytes: Amount
    location: Location
    in_place: bool = True
    slot: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class MemoryPlan:
    """state: shared variables that a function reads or writes. temporaries: what lasts no longer than a call."""

    state: list[Buffer]
    results: list[Buffer]
    temporaries: list[Buffer]

    @property
    def state_bytes(self) -> Amount:
        """That of each shared variable, once."""
        return total({buffer.name: buffer.bytes for buffer in self.state}.values())

    def placed(self, function: str) -> list[Buffer]:
        """The temporaries of a function that have a place in its workspace."""
        return [one for one in self.temporaries if one.function == function and one.slot is not None]

    def apart(self, function: str) -> list[Buffer]:
        """The other temporaries of a function: each is there as long as the function runs, or an iteration of its loop."""
        return [one for one in self.temporaries if one.function == function and one.slot is None]

    def workspace_bytes(self, function: str) -> Amount:
        """How large the workspace of a function is: the sum of its slots, each as large as the largest in it needs."""
        slots: dict[int | None, list[Amount]] = {}
        for buffer in self.placed(function):
            slots.setdefault(buffer.slot, []).append(buffer.bytes + Amount.of(buffer.offset))
        return total(max(ends, key=lambda end: sum(end.terms.values())) for ends in slots.values())


def copied_at_the_end(module: Op) -> set[tuple[str, int]]:
    """The arguments, by function and number, into which a copy from another buffer goes: in a module of buffers whose
    copies are still ops."""
    found = set()
    for op in module.walk():
        if not isinstance(op, memref.Copy) or not any(_is_new(value) for value in origins(op.source)):
            continue
        for value in origins(op.target):
            function = value.owner.parent_op if isinstance(value, BlockArgument) else None
            if isinstance(function, Func):
                found.add((function.sym_name, value.index))  # type: ignore[attr-defined]
    return found


def _is_new(value: Value) -> bool:
    return value.op is not None and value.op.name in ALLOCATIONS


def plan_of(module: Op, copied: set[tuple[str, int]], sizes: Sizes) -> MemoryPlan:
    """The memory of a module of the level "loops". copied: what `copied_at_the_end` has found."""
    functions = [op for region in module.regions for block in region.blocks for op in block if isinstance(op, Func)]
    shown = [function for function in functions if function.regions[0].blocks and not function.is_private]
    buffers = [pair for function in shown for pair in _of_arguments(function, copied, sizes)]
    state = [buffer for kind, buffer in buffers if kind == "tir.shared"]
    results = [buffer for kind, buffer in buffers if kind == "tir.out"]
    return MemoryPlan(state, results, [one for function in shown for one in _temporaries(function, sizes)])


def _of_arguments(function: Func, copied: set[tuple[str, int]], sizes: Sizes) -> Iterator[tuple[str, Buffer]]:
    for i, argument in enumerate(function.arguments):
        facts = function.argument_attributes(i)
        kind = next((one for one in ("tir.shared", "tir.out") if one in facts), None)
        if kind is None:
            continue
        symbol, said = facts[kind], facts.get("tir.name")
        name = f"@{symbol.root}" if isinstance(symbol, SymbolRefAttr) else said.value if isinstance(said, StringAttr) else ""
        in_place = (function.sym_name, i) not in copied
        label = name or argument.hint or f"result {i}"
        yield kind, Buffer(
            function.sym_name, label, argument.type, sizes.bytes_of(argument), function.location, in_place
        )


def _temporaries(function: Func, sizes: Sizes) -> Iterator[Buffer]:
    for op in function.walk():
        if isinstance(op, memref.Alloc):
            place = "on the stack" if isinstance(op, memref.Alloca) else ""
            facts = function.sym_name, place, op.memref.type, sizes.bytes_of(op.memref), op.location
            yield Buffer(*facts, slot=op.slot, offset=op.offset)
