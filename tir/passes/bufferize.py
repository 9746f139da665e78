"""Tensors become buffers: who owns which memory, and what is written in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tir.dialects import arith, func, linalg, memref, tensor
from tir.dialects.library import library_function
from tir.ir import actions
from tir.ir.affine import AffineExpr
from tir.ir.attributes import ArrayAttr, DictAttr, IntegerAttr, StringAttr, SymbolRefAttr, UnitAttr
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.symbols import SymbolTable
from tir.ir.types import DYNAMIC, INDEX, MemRefType, TensorType, Type
from tir.passes.bufferize_ops import RULES, Globals
from tir.passes.library_calls import bufferize_call, called_library_function, erase_unused_declarations
from tir.passes.storage import Storage, Uses, has_tensor_result, hoist_allocations

__all__ = ["Bufferize"]

@dataclass
class Bufferize(Pass):
    """Makes tensors buffers, updates shared variables in place where that is safe, and frees what it allocates.

    Needs functions of one block with structured ops (`lower-structured`); calls on tensors must be inlined. Leaves
    memrefs: tensor arguments become memref arguments; a result whose sizes follow from those of the arguments becomes a
    trailing argument `{tir.out}`; the new value of a shared variable is written to its argument; any other result is a
    memref that the function allocates and the caller frees.

    In place means: the memory of the old value is not read later, no assert can fail later, and each element is read, if
    at all, at the place where it is written. Otherwise the new value is computed aside and copied at the end, all copies
    behind all computations, so that a failing assert changes nothing.

        func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
          %0 = tensor.empty() : tensor<4xf32>
          %1 = linalg.generic {..} ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) {..} -> tensor<4xf32>
          return %1 : tensor<4xf32>
        }
        ->
        func.func @f(%x: memref<4xf32>, %out: memref<4xf32> {tir.out}) {
          linalg.generic {..} ins(%x : memref<4xf32>) outs(%out : memref<4xf32>) {..}
          return
        }
    """

    name = "bufferize"
    numerics = EXACT
    needs_module = True
    statistics = {"bufferize": "functions made to work on buffers"}

    def run(self, op: Op) -> None:
        symbols = SymbolTable(op)
        constants = Globals(symbols)
        functions = [f for f in op.body if isinstance(f, func.Func) and library_function(f) is None]
        for function in functions:
            types = (*function.function_type.inputs, *function.function_type.results)
            if any(isinstance(t, TensorType) for t in types) or _has_tensors(function):
                _check_sizes(function, types)
                if actions.begin("bufferize", function):
                    _Function(function, constants).run()
                    actions.end()
        erase_unused_declarations(op, symbols)


def _check_sizes(function: func.Func, types: Sequence[Type]) -> None:
    """PassError for named sizes, which belong to the tensor level."""
    for type in types:
        if isinstance(type, TensorType) and any(isinstance(dim, AffineExpr) for dim in type.shape):
            message = f"bufferize: @{function.sym_name} has named sizes ({type}); run lower-structured first"
            raise PassError(message, function.location)


def _has_tensors(function: func.Func) -> bool:
    return any(isinstance(r.type, TensorType) for op in function.walk() for r in op.results)


@dataclass
class _Function:
    """The bufferization of one function.

    buffers: tensor value -> memref value. storage: tensor value -> the memory it lies in.
    wanted: tensor value -> the argument it should be written to, because it is returned there.
    """

    function: func.Func
    globals: Globals
    buffers: dict[Value, Value] = field(default_factory=dict)
    storage: dict[Value, Storage] = field(default_factory=dict)
    wanted: dict[Value, Storage] = field(default_factory=dict)
    allocated: list[Storage] = field(default_factory=list)
    b: Builder = field(default_factory=Builder)

    def run(self) -> None:
        """Rewrites the function."""
        function = self.function
        if function.is_declaration or len(function.body_region.blocks) != 1:
            what = "is a declaration" if function.is_declaration else "has several blocks"
            raise PassError(f"bufferize: @{function.sym_name} takes tensors and {what}", function.location)
        self.block = function.entry
        self.library = {op: called_library_function(self.globals.symbols, op) for op in self.block}
        self.uses = Uses(self.block, [op for op, function in self.library.items() if function is not None])
        self.returned = self.block.terminator
        self.old_results = list(self.returned.operands)
        self.change_arguments()
        self.make_out_arguments()
        self.plan_destinations()
        old = self.block.ops
        for op in old[:-1]:
            self.b = Builder(self.block, op, op.location)
            self.convert(op)
        self.b = Builder(self.block, self.returned, self.returned.location)
        self.finish()
        for op in reversed(old):
            if has_tensor_result(op) or op in self.dead:
                op.erase()
        hoist_allocations(self.block)

    # --- arguments and results -------------------------------------------------------------------------------------

    def change_arguments(self) -> None:
        """Tensor arguments become memrefs, each its own buffer."""
        self.dead: set[Op] = set()
        self.shared: dict[str, Storage] = {}
        for i, argument in enumerate(self.block.arguments):
            if not isinstance(argument.type, TensorType):
                continue
            argument.type = memref_type(argument.type)
            symbol = self.function.argument_attribute(i, "tir.shared")
            storage = Storage(argument, "shared" if symbol is not None else "argument")
            self.bind(argument, argument, storage)
            if isinstance(symbol, SymbolRefAttr):
                self.shared[symbol.root] = storage

    def make_out_arguments(self) -> None:
        """A destination for each result: the shared variable's memory, an argument, or None for memory of its own."""
        self.targets: list[Storage | None] = []
        self.out_attributes: list[DictAttr] = []
        self.out_arguments: list[Value] = []
        # A caller takes the out arguments as the first results, so behind one that is none no other may be.
        out_of_order = False
        for i, type in enumerate(self.function.function_type.results):
            target = None
            symbol = self.function.result_attribute(i, "tir.update")
            if isinstance(symbol, SymbolRefAttr):
                target = self.shared[symbol.root]
            elif out_of_order or not isinstance(type, TensorType) or not self.has_known_sizes(i, type):
                out_of_order = True
            else:
                target = self.add_out_argument(i, type)
            self.targets.append(target)

    def has_known_sizes(self, index: int, type: TensorType) -> bool:
        """The sizes of a result follow from those of the arguments."""
        dims = self.function.result_attribute(index, "tir.dims")
        return type.is_static or (isinstance(dims, ArrayAttr) and StringAttr("?") not in dims.items)

    def add_out_argument(self, index: int, type: TensorType) -> Storage:
        argument = self.block.add_argument(memref_type(type), f"out{index}" if len(self.old_results) > 1 else "out")
        entries = {"tir.out": UnitAttr(), **self.function.result_attributes(index)}
        self.out_attributes.append(DictAttr.of(entries))
        self.out_arguments.append(argument)
        return Storage(argument, "out")

    def plan_destinations(self) -> None:
        """A value that is returned, and the values that it is computed from in place, should lie where it ends up."""
        seen: set[Value] = set()
        for value, target in zip(self.old_results, self.targets):
            if target is not None and value.op is not None and value not in seen:
                self.wanted[value] = target
            seen.add(value)
        for op in self.block.reversed_ops():
            library = self.library[op]
            written = [op.operand(i) for i in library.written] if library is not None else ()
            if isinstance(op, linalg.Generic) or library is not None:
                for result, init in zip(op.results, op.outputs if isinstance(op, linalg.Generic) else written):
                    if result in self.wanted and init.has_one_use and init.op is not None:
                        self.wanted[init] = self.wanted[result]

    # --- ops -------------------------------------------------------------------------------------------------------

    def convert(self, op: Op) -> None:
        """Puts the op on buffers in front of `op`."""
        if isinstance(op, linalg.Generic):
            self.generic(op)
        elif (library := self.library[op]) is not None:
            bufferize_call(self, op, library)  # type: ignore[arg-type]
        elif type(op) in RULES:
            RULES[type(op)](self, op)
        elif any(self.is_tensor(v) for inner in op.walk() for v in (*inner.operands, *inner.results)):
            hint = "run inline first" if isinstance(op, func.Call) else "run lower-structured first"
            raise PassError(f"bufferize: {op.name} on tensors has no form on buffers; {hint}", op.location)

    def is_tensor(self, value: Value) -> bool:
        return value in self.buffers or isinstance(value.type, TensorType)

    def replace(self, op: Op, value: Value) -> None:
        """The only result of `op`, no tensor, is `value` from now on."""
        value.hint = op.result.hint
        op.result.replace_all_uses_with(value)
        self.dead.add(op)

    def generic(self, op: linalg.Generic) -> None:
        taken: list[Storage] = []
        outputs = []
        for k, (init, result) in enumerate(zip(op.outputs, op.results)):
            storage = self.destination(op, k, taken)
            taken.append(storage)
            if storage is not self.storage.get(init) and op.output_arguments[k].is_used:
                self.copy(self.buffer(init), storage.memref)
            self.bind(result, storage.memref, storage)
            outputs.append(storage.memref)
        inputs = [self.buffer(v) if self.is_tensor(v) else v for v in op.inputs]
        region = op.body_region
        op.regions = ()
        region.parent = None
        self.b.op(
            linalg.Generic, inputs, outputs, result_types=[], regions=[region],
            **{name: op.properties.get(name) for name in ("indexing_maps", "iterator_types", "doc", "library_call")},
        )  # fmt: skip
        self.dead.add(op)

    def destination(self, op: linalg.Generic, k: int, taken: list[Storage]) -> Storage:
        """The memory that output k is written to: that of its first value, where it is wanted, or new memory."""
        init, result = op.outputs[k], op.results[k]
        storage = self.storage.get(init)
        if storage is not None and storage not in taken and self.may_write(op, k, storage):
            return storage
        wanted = self.wanted.get(result)
        if wanted is not None and wanted not in taken and wanted is not storage and self.may_write(op, k, wanted):
            return wanted
        return self.allocate(result.type, init)

    def may_write(self, op: linalg.Generic, k: int, storage: Storage) -> bool:
        """Writing output k of `op` into `storage` destroys nothing that is still needed."""
        if storage.kind in ("argument", "constant"):
            return False
        if storage.kind in ("shared", "out") and self.wanted.get(op.results[k]) is not storage:
            return False
        if storage.kind == "shared" and self.uses.can_fail_after(op):
            return False
        if any(self.uses.is_used_after(value, op) for value in storage.values):
            return False
        reads = [m for v, m in zip(op.inputs, op.input_maps) if self.storage.get(v) is storage]
        others = [i for i, init in enumerate(op.outputs) if i != k and self.storage.get(init) is storage]
        same_place = op.is_all_parallel and all(m is op.output_maps[k] for m in reads)
        return not others and (not reads or (same_place and op.output_maps[k].is_projected_permutation()))

    def allocate(self, type: Type, like: Value) -> Storage:
        """New memory; `like` is a tensor of that shape, for the sizes that run time knows."""
        dense = memref_type(type)
        made = self.b.op(memref.Alloc, self.sizes(dense, like), [], result_types=[dense])
        return self.own(made)

    def own(self, made: memref.Alloc) -> Storage:
        """Notes an allocation, which is freed at the end unless it is a result."""
        storage = Storage(made.memref, "temporary")
        self.allocated.append(storage)
        return storage

    def copy(self, source: Value, target: Value) -> None:
        self.b.op(memref.Copy, source, target, result_types=[])

    def sizes(self, type: MemRefType, like: Value) -> list[Value]:
        """The sizes behind each `?` of the type, from the op that made the tensor, or from its buffer."""
        if isinstance(like.op, tensor.Empty):
            return list(like.op.dynamicSizes)
        axes = [axis for axis, dim in enumerate(type.shape) if dim is DYNAMIC]
        return [self.dim(self.buffer(like), axis) for axis in axes]

    def dim(self, buffer: Value, axis: int) -> Value:
        index = self.b.create(arith.Constant, value=IntegerAttr(axis, INDEX))
        return self.b.create(memref.Dim, buffer, index)

    def bind(self, value: Value, buffer: Value, storage: Storage) -> None:
        self.buffers[value], self.storage[value] = buffer, storage
        storage.values.append(value)

    def buffer(self, value: Value) -> Value:
        """The buffer of a tensor; one that nothing has written yet is allocated."""
        found = self.buffers.get(value)
        if found is None:
            assert isinstance(value.op, tensor.Empty), value.op
            storage = self.allocate(value.type, value)
            self.bind(value, storage.memref, storage)
            found = storage.memref
        return found

    def finish(self) -> None:
        """Results to where they belong: first those outside of shared variables, then those inside, then frees."""
        self.copy_out()
        # Read again: a scalar such as a size is another value by now.
        results = [self.result(v) for v, t in zip(self.returned.operands, self.targets) if t is None]
        self.commit()
        for storage in self.allocated:
            if storage not in self.given:
                self.b.op(memref.Dealloc, storage.memref, result_types=[])
        self.returned.set_operands([])
        self.b.op(func.Return, results, result_types=[])
        self.dead.add(self.returned)
        self.change_type(results)

    def result(self, value: Value) -> Value:
        """What the function returns for a result without a destination: memory that the caller may free."""
        if not self.is_tensor(value):
            return value
        storage = self.storage.get(value)
        whole = storage is not None and storage.kind == "temporary" and self.buffers[value] is storage.memref
        if whole and self.old_results.count(value) == 1 and storage not in self.given:
            self.given.append(storage)  # type: ignore[arg-type]
            return self.buffers[value]
        fresh = self.allocate(value.type, value)
        self.copy(self.buffer(value), fresh.memref)
        self.given.append(fresh)
        return fresh.memref

    def copy_out(self) -> None:
        self.given: list[Storage] = []
        for value, target in zip(self.old_results, self.targets):
            if target is not None and target.kind == "out" and self.buffer(value) is not target.memref:
                self.copy(self.buffer(value), target.memref)

    def commit(self) -> None:
        """The new values of shared variables, as one parallel move: what a copy would overwrite is saved before."""
        moves = []
        for value, target in zip(self.old_results, self.targets):
            if target is not None and target.kind == "shared" and self.buffer(value) is not target.memref:
                moves.append((value, target))
        written = [target for _, target in moves]
        sources = []
        for value, _ in moves:
            source = self.buffer(value)
            if self.storage.get(value) in written:
                fresh = self.allocate(value.type, value)
                self.copy(source, fresh.memref)
                source = fresh.memref
            sources.append(source)
        for source, (_, target) in zip(sources, moves):
            self.copy(source, target.memref)

    def change_type(self, results: list[Value]) -> None:
        function = self.function
        count = len(function.function_type.inputs)
        entries = [function.argument_attributes(i) for i in range(count)]
        for one in entries:
            one.pop("bufferization.writable", None)
        kept = [i for i, t in enumerate(self.targets) if t is None]
        result_entries = [function.result_attributes(i) for i in kept]
        function.set_type(
            [a.type for a in self.block.arguments], [r.type for r in results],
            [*entries, *(dict(d.entries) for d in self.out_attributes)], result_entries,
        )  # fmt: skip


def memref_type(type: Type) -> MemRefType:
    """The type of a dense, row-major buffer for the tensor (or for a copy of the buffer)."""
    assert isinstance(type, (TensorType, MemRefType))
    return MemRefType(type.shape, type.element)
