"""What a program costs: arithmetic and memory traffic of each loop nest and each call of a library, by the user's lines.

Counted at the level where loops are fused and libraries chosen. An addition, a product and a comparison of floats count
as one operation each, a function such as exp as one of `functions`; index arithmetic does not count. Bytes are those of
the operands, each read once, and of the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tir.dialects import arith, func, linalg, scf, tensor
from tir.dialects.library import library_function
from tir.inspect.sizes import Amount, Sizes, element_bytes, total, trips
from tir.ir.errors import Location
from tir.ir.externs import LibraryFunction
from tir.ir.ir import Op, Value
from tir.ir.symbols import SymbolTable, symbol_name
from tir.ir.traits import FunctionLike
from tir.ir.types import FloatType, TensorType
from tir.passes.fuse_siblings import is_contraction
from tir.passes.loop_sizes import LoopSizes

__all__ = ["Cost", "costs_of"]

PRODUCT, REDUCTION, ELEMENTWISE, FILL, LIBRARY = "product", "reduction", "elementwise", "fill", "library call"


@dataclass(frozen=True)
class Cost:
    """One loop nest or call. merged: how many ops of the program were fused into it. name: of the library function.

    flops, functions, bytes: of one call of the function; where a loop around it has no known length, a `?` stands for it.
    """

    function: str
    family: str
    location: Location
    merged: int
    flops: Amount
    functions: Amount
    bytes: Amount
    name: str = ""


def costs_of(module: Op, sizes: Sizes) -> list[Cost]:
    """The costs of a module of the level "fused", in the order of the text."""
    symbols = SymbolTable(module)
    found = []
    for function in (op for region in module.regions for block in region.blocks for op in block):
        if isinstance(function, FunctionLike) and not getattr(function, "is_private", False):
            found += list(_costs_in(function, symbols, sizes))
    return found


def _costs_in(function: Op, symbols: SymbolTable, sizes: Sizes) -> Iterator[Cost]:
    lengths, name = LoopSizes(), symbol_name(function)
    for op in function.walk():
        if isinstance(op, linalg.Generic):
            yield _of_nest(op, name, _runs(op, sizes), _Lengths(lengths, sizes))
        elif isinstance(op, func.Call) and (library := library_function(symbols.lookup(op.callee))) is not None:
            yield _of_call(op, name, library, _runs(op, sizes), _Lengths(lengths, sizes))


def _runs(op: Op, sizes: Sizes) -> Amount:
    """How often an op runs in a call of its function."""
    found = Amount.of(1)
    for around in op.ancestors():
        if isinstance(around, scf.For):
            found *= trips(around.operands[:3], sizes)
        elif isinstance(around, scf.ForAll):
            for bounds in around.mixed_bounds:
                found *= trips(bounds, sizes)
        elif isinstance(around, scf.While):
            found *= Amount.of("?")
    return found


@dataclass
class _Lengths:
    """How long axes and loops are."""

    traced: LoopSizes
    sizes: Sizes

    def of_axis(self, value: Value, axis: int) -> Amount:
        found = self.traced.of_axis(value, axis)
        if isinstance(found, int):
            return Amount.of(found)
        return self.sizes.of_axis(*found) if isinstance(found, tuple) else self.sizes.of_index(found)

    def of_loops(self, op: linalg.Generic) -> Amount:
        points = Amount.of(1)
        for known in self.traced.of_loops(op):
            amounts = [self.of_axis(*s) if isinstance(s, tuple) else Amount.of(s) if isinstance(s, int)
                       else self.sizes.of_index(s) for s in known]  # fmt: skip
            points *= min(amounts, key=_by_knowledge, default=Amount.of("?"))
        return points

    def bytes_of(self, value: Value) -> Amount:
        found = Amount.of(element_bytes(value.type))
        for axis in range(value.type.rank if isinstance(value.type, TensorType) else 0):
            found *= self.of_axis(value, axis)
        return found


def _by_knowledge(amount: Amount) -> tuple[bool, bool, str]:
    """Numbers first, then names, then what nothing says."""
    return amount.number is None, "?" in str(amount), str(amount)


def _of_nest(op: linalg.Generic, function: str, runs: Amount, lengths: _Lengths) -> Cost:
    points = lengths.of_loops(op) * runs
    plain = sum(_is_flop(inner) for inner in op.body)
    special = sum(inner.name.startswith("math.") and inner.name not in _CHEAP for inner in op.body)
    read = [value for value, argument in zip(op.inputs, op.input_arguments) if argument.is_used] + op.captured
    read += [value for value, argument in zip(op.outputs, op.output_arguments) if argument.is_used]
    through = [value for value in [*dict.fromkeys(read), *op.results] if not _stays_inside(value)]
    moved = total(lengths.bytes_of(value) for value in through)
    merged = len(op.location.parts())
    return Cost(function, _family(op), op.location, merged, points * plain, points * special, moved * runs)


def _stays_inside(value: Value) -> bool:
    """What an iteration of a loop over rows makes and nobody outside needs: it is in the cache."""
    block = value.op.parent if value.op is not None else None
    if block is None or not isinstance(block.parent_op, scf.ForAll) or isinstance(value.op, tensor.ExtractSlice):
        return False
    return not any(isinstance(user, tensor.ParallelInsertSlice) for user in value.users)


def _family(op: linalg.Generic) -> str:
    if not op.is_all_parallel:
        return PRODUCT if is_contraction(op) else REDUCTION
    reads = any(argument.is_used for argument in op.body.arguments) or op.captured
    return ELEMENTWISE if reads or any(isinstance(inner, linalg.Index) for inner in op.body) else FILL


#: Functions of the math dialect that a machine has an instruction for.
_CHEAP = frozenset(("math.absf", "math.copysign", "math.floor", "math.ceil", "math.fma", "math.round", "math.roundeven",
                    "math.trunc", "math.sqrt"))  # fmt: skip
_COMPARES = ("arith.cmpf",)
_MOVES = frozenset(("arith.constant", "arith.select", "arith.bitcast", "arith.extf", "arith.truncf"))


def _is_flop(op: Op) -> int:
    """How many operations on floats it is."""
    if op.name == "math.fma":
        return 2
    if op.name in _CHEAP or op.name in _COMPARES:
        return 1
    is_float = bool(op.results) and isinstance(op.results[0].type, FloatType)
    return int(is_float and op.name.startswith("arith.") and op.name not in _MOVES)


# --- calls -----------------------------------------------------------------------------------------------------------


def _of_call(op: func.Call, function: str, library: LibraryFunction, runs: Amount, lengths: _Lengths) -> Cost:
    shaped = [value for value in op.operands if isinstance(value.type, TensorType)]
    made = [value for value in op.results if isinstance(value.type, TensorType)]
    moved = total(lengths.bytes_of(value) for value in [*shaped, *made])
    flops = _flops_of_product(op, library, lengths) * runs
    return Cost(function, LIBRARY, op.location, 1, flops, Amount({}), moved * runs, library.word)


def _flops_of_product(op: Op, library: LibraryFunction, lengths: _Lengths) -> Amount:
    """Two for each product that is added up; `?` for what is no product."""
    by_name = {p.name: value for p, value in zip(library.parameters, op.operands)}
    if not library.routine.startswith(("gemm", "gemv", "ger")):
        return Amount.of("?")
    if library.routine.startswith("gemm") and {"a", "c"} <= by_name.keys():
        a, flag = by_name["a"], op.operand(0).op
        turned = isinstance(flag, arith.Constant) and bool(flag.value.value)
        inner = lengths.of_axis(a, a.type.rank - (2 if turned else 1))  # type: ignore[attr-defined]
        return _elements(by_name["c"], lengths) * inner * 2
    largest = max(op.operands, key=lambda value: value.type.rank if isinstance(value.type, TensorType) else -1)
    return _elements(largest, lengths) * 2


def _elements(value: Value, lengths: _Lengths) -> Amount:
    found = Amount.of(1)
    for axis in range(value.type.rank):  # type: ignore[attr-defined]
        found *= lengths.of_axis(value, axis)
    return found
