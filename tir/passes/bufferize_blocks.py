"""Blocks on buffers: where each tensor of a function lies, and which memory an op may write.

The rules of ownership: memory belongs to the block that allocates it and is freed at that block's end. What a block
hands on is copied to memory of the op around it, unless it was computed there (`wanted`). Memory may be written when
no tensor in it is needed any more: not behind the op, and not by another iteration of a loop around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.dialects import arith, cf, func, linalg, memref, scf, tensor
from tir.dialects.library import library_function
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.errors import Location, PassError
from tir.ir.externs import LibraryFunction
from tir.ir.ir import Block, Op, Value
from tir.ir.steps import Steps
from tir.ir.symbols import SymbolTable
from tir.ir.types import DYNAMIC, INDEX, MemRefType, TensorType, Type
from tir.passes.kept_sizes import KeptSizes
from tir.passes.loop_sizes import Size
from tir.passes.storage import Storage, Uses, has_tensor_result, memref_type

__all__ = ["Blocks", "Globals", "Place", "called_library_function"]

def called_library_function(symbols: SymbolTable, op: Op) -> LibraryFunction | None:
    """The library function that `op` calls, or None."""
    return library_function(symbols.lookup(op.callee)) if isinstance(op, func.Call) else None


class Globals:
    """The constants of a module as `memref.global`s, each once."""

    def __init__(self, symbols: Any) -> None:
        self.symbols = symbols
        self.names: dict[Any, str] = {}

    def name_of(self, value: Any, type: MemRefType, location: Location) -> str:
        """The symbol of the global with this value, made at its first use, whose location it has."""
        found = self.names.get(value)
        if found is None:
            base = "constant_" + "x".join([*map(str, type.shape), str(type.element)])
            made = create(
                memref.Global, sym_name=base, sym_visibility="private", type=type, initial_value=value, constant=True,
                result_types=[], location=location,
            )  # fmt: skip
            first = self.symbols.owner.body.first
            self.symbols.insert(made, before=first)
            found = self.names[value] = made.properties["sym_name"].value
        return found


@dataclass
class Place:
    """Where a tensor lies: a buffer, which is the storage's memory or a view of it."""

    buffer: Value
    storage: Storage


@dataclass
class Blocks:
    """The bufferization of the blocks of one function.

    buffers: tensor value -> memref value. storage: tensor value -> the memory it lies in. wanted: tensor value -> the
    memory it should be written to, because it ends there. scalars: replaced index values and the like -> the new ones.
    owned: what each block has allocated and must free.
    """

    sizes: KeptSizes
    uses: Uses
    globals: Globals
    rules: Mapping[type[Op], Callable[[Blocks, Any], Steps | None]]
    buffers: dict[Value, Value] = field(default_factory=dict)
    storage: dict[Value, Storage] = field(default_factory=dict)
    wanted: dict[Value, Storage] = field(default_factory=dict)
    scalars: dict[Value, Value] = field(default_factory=dict)
    owned: dict[Block, list[Storage]] = field(default_factory=dict)
    dead: set[Op] = field(default_factory=set)
    b: Builder = field(default_factory=Builder)

    # --- blocks ----------------------------------------------------------------------------------------------------

    def convert(self, block: Block) -> Steps:
        """Puts the ops of the block, but for its terminator, on buffers; the old ones stay until `close`."""
        self.owned[block] = []
        for op in block.ops[:-1]:
            self.b = Builder(block, op, op.location)
            steps = self.convert_op(op)
            if steps is not None:
                yield steps

    def convert_op(self, op: Op) -> Steps | None:
        """Puts the op on buffers in front of `op`."""
        rule = self.rules.get(type(op))
        if rule is not None:
            return rule(self, op)
        if any(self.is_tensor(v) for inner in op.walk() for v in (*inner.operands, *inner.results)):
            hint = "run inline first" if isinstance(op, func.Call) else "run lower-structured first"
            raise PassError(f"bufferize: {op.name} on tensors has no form on buffers; {hint}", op.location)
        return None

    def at_end(self, block: Block) -> None:
        """Goes on in front of the terminator of the block."""
        self.b = Builder.before(block.terminator)

    def close(self, block: Block, handed_on: Sequence[Value]) -> None:
        """Frees what the block owns, lets its terminator hand on these values, and removes what is on tensors."""
        for storage in self.owned[block]:
            self.b.op(memref.Dealloc, storage.memref, result_types=[])
        block.terminator.set_operands(handed_on)
        for op in block.reversed_ops():
            if op in self.dead or has_tensor_result(op):
                op.erase()

    def rebuild(self, op: Op, operands: Sequence[Value], types: Sequence[Type]) -> Op:
        """A new op in place of `op` with its regions and attributes, and other operands and results."""
        regions = op.regions
        op.regions = ()
        for region in regions:
            region.parent = None
        self.dead.add(op)
        made = type(op)(operands, types, op.properties, op.attributes, regions, location=op.location)
        return self.b.insert(made)

    def replace(self, old: Value, new: Value) -> None:
        """A value that is no tensor is `new` from now on."""
        new.hint = old.hint
        old.replace_all_uses_with(new)
        self.scalars[old] = new
        if old.op is not None:
            self.dead.add(old.op)

    # --- memory ----------------------------------------------------------------------------------------------------

    def is_tensor(self, value: Value) -> bool:
        """The value is a tensor, or was one."""
        return value in self.buffers or isinstance(value.type, TensorType)

    def bind(self, value: Value, buffer: Value, storage: Storage) -> None:
        """The tensor lies in this buffer."""
        self.buffers[value], self.storage[value] = buffer, storage
        storage.values.append(value)

    def buffer(self, value: Value) -> Value:
        """The buffer of a tensor; one that nothing has written is allocated where it is made."""
        found = self.buffers.get(value)
        if found is None:
            op = value.op
            assert isinstance(op, tensor.Empty), op
            with self.b.at(op.parent, op):  # type: ignore[arg-type]
                storage = self.allocate(value.type, value)
            self.bind(value, storage.memref, storage)
            found = storage.memref
        return found

    def is_unset(self, value: Value) -> bool:
        """The elements of the tensor are unspecified."""
        return isinstance(value.op, tensor.Empty)

    def allocate(self, type: Type, like: Value) -> Storage:
        """New memory; `like` is a tensor of that shape, for the sizes that run time knows."""
        return self.allocate_of(memref_type(type), self.dynamic_sizes(memref_type(type), like))

    def allocate_of(self, type: MemRefType, sizes: Sequence[Value]) -> Storage:
        """New memory that the block at hand owns."""
        made = self.b.op(memref.Alloc, sizes, [], result_types=[type])
        return self.own(made.memref)

    def own(self, buffer: Value) -> Storage:
        """Memory that the block at hand frees at its end."""
        storage = Storage(buffer, "temporary")
        assert self.b.block is not None
        self.owned[self.b.block].append(storage)
        return storage

    def copy(self, source: Value, target: Value) -> None:
        """Writes the elements of one buffer into another."""
        self.b.op(memref.Copy, source, target, result_types=[])

    def dynamic_sizes(self, type: MemRefType, like: Value) -> list[Value]:
        """The sizes behind each `?` of the type, from the op that made the tensor, or from its buffer."""
        if isinstance(like.op, tensor.Empty):
            return list(like.op.dynamicSizes)
        axes = [axis for axis, dim in enumerate(type.shape) if dim is DYNAMIC]
        return [self.dim(self.buffer(like), axis) for axis in axes]

    def dim(self, buffer: Value, axis: int) -> Value:
        """The size of an axis of a buffer."""
        return self.b.create(memref.Dim, buffer, self.index(axis))

    def index(self, number: int) -> Value:
        """An index constant."""
        return self.b.create(arith.Constant, value=IntegerAttr(number, INDEX))

    # --- what may be written ---------------------------------------------------------------------------------------

    def may_write(self, op: Op, result: Value, storage: Storage) -> bool:
        """Writing this result of `op` into the memory destroys nothing that is needed when `op` has begun.

        That `op` itself may read the memory is the business of its rule.
        """
        if storage.kind in ("argument", "constant"):
            return False
        if storage.kind in ("shared", "out") and self.wanted.get(result) is not storage:
            return False
        if storage.kind == "shared" and self.uses.can_fail_after(op):
            return False
        block = self.uses.block_of[op]
        for value in list(storage.values):
            if self.uses.is_needed_after(value, op):
                return False
            if self.uses.home[value] is block and not isinstance(op, scf.If):
                storage.values.remove(value)  # nothing needs it any more: it is not asked about again
        return True

    def place_of(self, value: Value) -> Place | None:
        """Where the tensor lies, if it lies somewhere yet."""
        storage = self.storage.get(value)
        return Place(self.buffers[value], storage) if storage is not None else None

    def want(self, block: Block, ends: Iterable[tuple[Value, Storage]]) -> None:
        """These tensors, and what they are computed from in place in the block, should lie in these memories."""
        for value, storage in ends:
            if value.op is not None:
                self.wanted.setdefault(value, storage)
        for op in block.reversed_ops():
            for result, init in [*self.tied(op), *self._branch_starts(op)]:
                if result in self.wanted and init.op is not None and not self.uses.is_needed_after(init, op):
                    self.wanted.setdefault(init, self.wanted[result])

    def tied(self, op: Op) -> list[tuple[Value, Value]]:
        """The results of an op with the tensors that they start from, whose memory they may take over."""
        if isinstance(op, linalg.Generic):
            return list(zip(op.results, op.outputs))
        if isinstance(op, (tensor.Insert, tensor.InsertSlice)):
            return [(op.result, op.dest)]
        if isinstance(op, scf.ForAll):
            return list(zip(op.results, op.outputs))
        if isinstance(op, (scf.For, scf.While)):
            inits = op.initArgs if isinstance(op, scf.For) else op.inits
            return [(r, i) for r, i in zip(op.results, inits) if isinstance(r.type, TensorType) and r.type is i.type]
        library = called_library_function(self.globals.symbols, op)
        return [] if library is None else [(r, op.operands[i]) for r, i in zip(op.results, library.written)]

    def _branch_starts(self, op: Op) -> list[tuple[Value, Value]]:
        """The results of an scf.if with tensors from outside that a branch may change in place."""
        if not isinstance(op, scf.If):
            return []
        blocks = [block for block in (op.then_block, op.else_block) if block is not None]
        ends = [(result, self.start_of(end, op)) for b in blocks for result, end in zip(op.results, b.terminator.operands)]
        return [(result, start) for result, start in ends if not self.uses.is_inside(start, op)]

    def start_of(self, value: Value, op: Op) -> Value:
        """The tensor from which `op` computes the value inside, if each op on the way works in place."""
        while value.op is not None and self.uses.is_inside(value, op):
            init = next((init for result, init in self.tied(value.op) if result is value), None)
            if init is None:
                break
            value = init
        return value

    # --- what blocks hand on ---------------------------------------------------------------------------------------

    def move(self, moves: Iterable[tuple[Value, Place]]) -> None:
        """Copies tensors to their places, all at once: what a copy would overwrite is read before, or saved."""
        pending = [
            (self.place_of(value) or Place(self.buffer(value), self.storage[value]), target, value)
            for value, target in moves
            if not self.is_unset(value) and self.buffers.get(value) is not target.buffer
        ]
        while pending:
            ready = next((i for i, one in enumerate(pending) if not _is_read(one, pending)), None)
            if ready is None:
                source, target, value = pending[0]
                saved = self.allocate(value.type, value)
                self.copy(source.buffer, saved.memref)
                pending[0] = Place(saved.memref, saved), target, value
            else:
                source, target, _ = pending.pop(ready)
                self.copy(source.buffer, target.buffer)

    def hand_over(self, block: Block, value: Value) -> Value:
        """Memory with the elements of the tensor that the block does not free: its own, or a copy."""
        storage = self.storage.get(value)
        owned = self.owned[block]
        if storage is not None and storage in owned and self.buffers[value] is storage.memref:
            owned.remove(storage)
            return storage.memref
        fresh = self.allocate(value.type, value)
        if not self.is_unset(value):
            self.copy(self.buffer(value), fresh.memref)
        owned.remove(fresh)
        return fresh.memref

    def sizes_before(self, op: Op, value: Value) -> list[Value] | None:
        """The sizes behind each `?` of a tensor that `op` will make, computed in front of it; None if they cannot be."""
        type = memref_type(value.type)
        found = [self.sizes.of_axis(value, axis) for axis, dim in enumerate(type.shape) if dim is DYNAMIC]
        roots = [size[0] if isinstance(size, tuple) else size for size in found]
        if any(isinstance(root, Value) and (root.op is op or self.uses.is_inside(root, op)) for root in roots):
            return None
        return [self._size(size) for size in found]

    def _size(self, size: Size) -> Value:
        if isinstance(size, int):
            return self.index(size)
        if isinstance(size, tuple):
            return self.dim(self.buffer(size[0]), size[1])
        while size in self.scalars:
            size = self.scalars[size]
        return size

    def check_sizes(self, value: Value, carried: Value, buffer: Value) -> None:
        """Asserts what the program does not show: that a tensor has the sizes of the one that a loop carries."""
        for axis, dim in enumerate(memref_type(value.type).shape):
            if dim is DYNAMIC and self.sizes.of_axis(value, axis) != self.sizes.of_axis(carried, axis):
                sizes = self.dim(self.buffer(value), axis), self.dim(buffer, axis)
                same = self.b.create(arith.CmpI, *sizes, predicate="eq")
                message = f"bufferize: axis {axis} of a tensor that a loop carries must keep its size"
                self.b.op(cf.Assert, same, msg=message, result_types=[])


def _is_read(one: tuple[Place, Place, Value], pending: Sequence[tuple[Place, Place, Value]]) -> bool:
    """Memory that the copy writes is read by another one, or by itself at other places."""
    written = one[1].storage
    return any(source.storage is written for source, _, _ in pending)


