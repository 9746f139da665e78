"""Tensors become buffers: who owns which memory, and what is written in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects import func
from tir.dialects.library import library_function
from tir.ir import actions
from tir.ir.affine import AffineExpr
from tir.ir.attributes import ArrayAttr, DictAttr, StringAttr, SymbolRefAttr, UnitAttr
from tir.ir.errors import PassError
from tir.ir.ir import Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.steps import run_steps
from tir.ir.symbols import SymbolTable
from tir.ir.types import TensorType, Type
from tir.passes.allocations import hoist_allocations, hoist_out_of_loops
from tir.passes.bufferize_blocks import Blocks, Globals, Place
from tir.passes.bufferize_control import RULES as CONTROL
from tir.passes.bufferize_ops import RULES as STRUCTURED
from tir.passes.kept_sizes import KeptSizes
from tir.passes.library_calls import bufferize_call, called_library_function, erase_unused_declarations
from tir.passes.result_sizes import name_result_sizes
from tir.passes.storage import Storage, Uses, memref_type

__all__ = ["Bufferize"]

@dataclass
class Bufferize(Pass):
    """Makes tensors buffers, updates shared variables in place where that is safe, and frees what it allocates.

    Needs functions of one block with structured ops (`lower-structured`), in loops and conditions (scf.for, scf.if,
    scf.while) to any depth; calls on tensors must be inlined. Leaves memrefs: tensor arguments become memref arguments;
    a result whose sizes are named, or are those of arguments, which get names then (`tir.dims`), becomes a trailing argument
    `{tir.out}`; the new value of a shared variable is written to its argument; any other result is a memref that the
    function allocates and the caller frees.

    A tensor that a loop carries lies in one place for the whole loop: where its first value lies, if nobody else needs
    that, or where its result is wanted; both branches of an scf.if write to one place. What a block hands on and lies
    elsewhere is copied there, all tensors at once. Memory belongs to the block that allocates it and is freed at its end;
    where its size allows it is allocated in front of the loops. A loop that carries a tensor must keep its sizes.

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
    """The bufferization of one function: what becomes of its arguments and results."""

    function: func.Func
    globals: Globals

    def run(self) -> None:
        """Rewrites the function."""
        function = self.function
        if function.is_declaration or len(function.body_region.blocks) != 1:
            what = "is a declaration" if function.is_declaration else "has several blocks"
            raise PassError(f"bufferize: @{function.sym_name} takes tensors and {what}", function.location)
        self.block = function.entry
        self.old_results = self.block.terminator.operands
        symbols = self.globals.symbols
        calls = {op: called for op in function.walk() if (called := called_library_function(symbols, op)) is not None}
        sizes = KeptSizes(function, {op: called.written for op, called in calls.items()})
        rules: dict[type[Op], Any] = {**STRUCTURED, **CONTROL, func.Call: bufferize_call}
        self.blocks = Blocks(sizes, Uses(function, sizes.changing, safe=calls), self.globals, rules)
        name_result_sizes(function, sizes)
        self.change_arguments()
        self.make_out_arguments()
        targets = zip(self.old_results, self.targets)
        self.blocks.want(self.block, [(value, target) for value, target in targets if target is not None])
        run_steps(self.blocks.convert(self.block))
        self.finish()
        hoist_out_of_loops(function)
        hoist_allocations(self.block)

    # --- arguments and results -------------------------------------------------------------------------------------

    def change_arguments(self) -> None:
        """Tensor arguments become memrefs, each its own buffer."""
        self.shared: dict[str, Storage] = {}
        for i, argument in enumerate(self.block.arguments):
            if not isinstance(argument.type, TensorType):
                continue
            argument.type = memref_type(argument.type)
            symbol = self.function.argument_attribute(i, "tir.shared")
            storage = Storage(argument, "shared" if symbol is not None else "argument")
            self.blocks.bind(argument, argument, storage)
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

    # --- the end ---------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Results to where they belong: first those in memory of their own, then all others at once; then frees."""
        f = self.blocks
        f.at_end(self.block)
        # Read again: a scalar such as a size is another value by now.
        ends = zip(self.block.terminator.operands, self.targets)
        results = [f.hand_over(self.block, v) if f.is_tensor(v) else v for v, target in ends if target is None]
        targets = zip(self.old_results, self.targets)
        f.move([(v, Place(target.memref, target)) for v, target in targets if target is not None])
        f.close(self.block, results)
        self.change_type(results)

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
