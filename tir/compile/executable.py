"""Programs that can be called: a module of any level, on machine code or on the interpreter, with its state.

    exe = Executable(module, pipeline=lower_cpu)            # or target="interpret"
    loss, = exe.call("train", {"x": x, "y": y})
    exe.state["w"]                                          # the shared variables, as copies; may be set

What the arguments mean stands on the functions, at every level in the same words: `tir.name`, `tir.dtype` (the numbers
are unsigned, though the types do not say so), `tir.dims` (named sizes), `tir.shared` (a buffer that lives between
calls), `tir.out` (a buffer for a result), and on results `tir.update` (the new value of a shared variable). A call
either changes all shared variables that it should or none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.func import Func
from tir.dialects.tir.state import Shared
from tir.interpret import Interpreter
from tir.ir.affine import AffineExpr, parse_affine
from tir.ir.attributes import ArrayAttr, Attribute, IntegerAttr, StringAttr, SymbolRefAttr
from tir.ir.bfloat16 import bits_of, from_bits, round_to_bf16, to_caller, widened
from tir.ir.errors import ExecutionError, TirError, counted, nearest
from tir.ir.execution import numpy_dtype, show
from tir.ir.ir import Op
from tir.ir.names import bind_sizes, bindings, evaluate_dim
from tir.ir.observing import Observer
from tir.ir.types import (
    BF16,
    DYNAMIC,
    Dim,
    MemRefType,
    ShapedType,
    TensorType,
    Type,
    dim_text,
    element_type,
    parse_scalar_type,
)
from tir.lazy import np
from tir.machines import Machine, NestTime, NumpyMachine, functions_of
from tir.state import SHARED_LOCK, Holder, SharedState, State, as_array, as_bf16, check_shape

__all__ = ["TARGETS", "Entry", "Executable", "Parameter", "Result", "State"]

TARGETS = ("cpu", "interpret")

@dataclass(frozen=True)
class Parameter:
    """An argument that the caller gives. type: a scalar or tensor type, with named sizes and unsigned elements."""

    name: str
    type: Type


@dataclass(frozen=True)
class Result:
    """A value that a call returns. name: "" where the program gives none."""

    name: str
    type: Type


@dataclass(frozen=True)
class Entry:
    """A function that can be called: what it takes and what it returns."""

    name: str
    parameters: tuple[Parameter, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True)
class _Slot:
    """One argument or result of the function itself. kind: "input", "shared", "out", "result" or "update".

    type, dtype: as the caller sees it. storage: the type in the module; storage_dtype: that of the arrays inside.
    State is kept as it is inside, but for the sign of integers. bf16 is uint16 bits in compiled code and float32 numbers
    on the interpreter; `dtype` is the latter, and callers get what `tir.ir.bfloat16` says.
    """

    kind: str
    name: str
    type: Type
    storage: Type
    symbol: str
    dtype: Any
    storage_dtype: Any
    #: The label of a result that is printed and not returned.
    label: str | None = None

    @property
    def shape(self) -> Sequence[Dim]:
        """The sizes; none for a scalar."""
        return self.type.shape if isinstance(self.type, ShapedType) else ()

    def inside(self, value: Any) -> Any:
        """A value as the function takes it: unsigned numbers are passed as signless ones."""
        if self.dtype is self.storage_dtype or value.dtype is self.storage_dtype:
            return value
        if self.is_bf16:
            return bits_of(value)
        return value.view(self.storage_dtype.newbyteorder(value.dtype.byteorder))

    def outside(self, value: Any) -> Any:
        """A value as the caller gets it."""
        if self.is_bf16:
            return to_caller(value)
        return value if self.dtype is self.storage_dtype else value.view(self.dtype)

    def take_back(self, numbers: Any, buffer: Any) -> None:
        """Writes into an input what the function left in the buffer that `inside` made of it."""
        if buffer is not numbers:
            numbers[...] = from_bits(buffer)

    def kept(self, value: Any) -> Any:
        """A value that a call returned, as the state keeps it."""
        return np.array(value if self.is_bf16 else self.outside(value), order="C")

    def first(self, value: Any) -> Any:
        """The value of a caller, as the state keeps it."""
        if self.is_bf16:
            return np.array(self.inside(round_to_bf16(widened(value))), order="C")
        return np.array(value, dtype=self.dtype, order="C")

    @property
    def is_bf16(self) -> bool:
        """The elements are bf16."""
        return element_type(self.type) is BF16

    def fresh(self, sizes: Mapping[AffineExpr, int]) -> Any:
        """New memory for a result, as the function takes it; none where `negative_size` finds one."""
        shape = [dim if isinstance(dim, int) else max(self._size(dim, sizes), 0) for dim in self.shape]
        try:
            return np.empty(shape, self.storage_dtype)
        except (ValueError, MemoryError):  # numpy's; the first for what has 2^63 bytes or more
            raise MemoryError(f"there is no memory for a result of shape {shape}") from None

    def negative_size(self, sizes: Mapping[AffineExpr, int]) -> str | None:
        """Which size of the result would be negative, in words."""
        for axis, dim in enumerate(self.shape):
            if not isinstance(dim, int) and (size := self._size(dim, sizes)) < 0:
                message = f"{self._label}: axis {axis} would have size {dim_text(dim)} = {size}"
                return message
        return None

    def _size(self, dim: Dim, sizes: Mapping[AffineExpr, int]) -> int:
        axis = list(self.shape).index(dim)
        if not isinstance(dim, AffineExpr) or not dim.leaves() <= sizes.keys():
            raise ExecutionError(f"{self._label}: no argument says what the size {dim_text(dim)} of axis {axis} is")
        return evaluate_dim(dim, sizes.__getitem__)

    @property
    def _label(self) -> str:
        return f"result {self.name!r}" if self.name else "a result"


class _Function:
    """What one function takes and gives, sorted once for all calls."""

    def __init__(self, function: Func, native: bool) -> None:
        slots = _slots(function, native)
        self.name: str = function.sym_name
        self.location = function.location
        self.slots = slots
        self.arguments = [slot for slot in slots if slot.kind in ("input", "shared", "out")]
        self.returned = [slot for slot in slots if slot.kind in ("out", "result", "update")]
        self.inputs = [slot for slot in slots if slot.kind == "input"]
        self.uses_state = any(slot.symbol for slot in slots)
        #: Inputs that are buffers of bf16: the function gets a copy in another form, from which the caller's is written.
        self.bf16_buffers = [
            i for i, slot in enumerate(self.inputs) if slot.is_bf16 and isinstance(slot.storage, MemRefType)
        ]  # fmt: skip
        self._bindings = bindings([slot.type for slot in self.inputs])
        named = [(i, axis, dim) for i, slot in enumerate(self.inputs) for axis, dim in enumerate(slot.shape)
                 if isinstance(dim, AffineExpr)]  # fmt: skip
        self._checks = [
            place for place in named
            if self._bindings.get(place[2]) != place[:2] and place[2].leaves() <= self._bindings.keys()
        ]  # fmt: skip

    def impossible(self, sizes: Mapping[AffineExpr, int]) -> ExecutionError | None:
        """What is wrong with the first result that would have a negative size."""
        found = (slot.negative_size(sizes) for slot in self.slots if slot.kind == "out")
        message = next((one for one in found if one is not None), None)
        return None if message is None else ExecutionError(f"@{self.name}: {message}", self.location)

    def entry(self) -> Entry:
        """What the caller is told."""
        parameters = tuple(Parameter(slot.name, slot.type) for slot in self.inputs)
        results = tuple(Result(s.name, s.type) for s in self.returned if s.kind != "update" and s.label is None)
        return Entry(self.name, parameters, results)

    def sizes(self, inputs: Sequence[Any]) -> Mapping[AffineExpr, int]:
        """The named sizes; ExecutionError names the argument and axis of one that disagrees with another."""
        found = {name: inputs[i].shape[axis] for name, (i, axis) in self._bindings.items()}
        for i, axis, dim in self._checks:
            if evaluate_dim(dim, found.__getitem__) != inputs[i].shape[axis]:
                shapes = [getattr(value, "shape", None) for value in inputs]
                labels = {k: f"argument '{slot.name}'" for k, slot in enumerate(self.inputs)}
                bind_sizes([slot.type for slot in self.inputs], shapes, labels)
        return found


class Executable:
    """The entries of a module, ready to be called.

    target: "cpu" compiles; "interpret" runs the ops on numpy. pipeline: the passes that are still to run, applied to a
    copy of the module; for "cpu" they must end at the loops level. max_steps: how many ops a call may execute on the
    interpreter; None for no limit. observer: sees each op that the interpreter runs. shared: where the state lives, if
    several executables share it; the module has it as arguments then, at the latest behind the pipeline. timed: machine
    code measures the time of its loop nests, for `nest_times`. externs: Python functions for declarations of the module, by
    name, which the interpreter calls.
    """

    def __init__(
        self, module: Op, target: str = "cpu", pipeline: Callable[[Op], object] | None = None, *,
        max_steps: int | None = None, observer: Observer | None = None, shared: Mapping[str, Holder] | None = None,
        timed: bool = False, externs: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:  # fmt: skip
        if target not in TARGETS:
            raise TirError(f"unknown target {target!r}", hint=nearest(target, TARGETS))
        given = module
        if pipeline is not None:
            module = module.clone()
            pipeline(module)
        functions = functions_of(module)
        native = target == "cpu"
        self._functions = {name: _Function(f, native) for name, f in functions.items() if not f.is_private}
        self.entries: dict[str, Entry] = {name: f.entry() for name, f in self._functions.items()}
        symbols = {slot.symbol for f in self._functions.values() for slot in f.slots if slot.symbol}
        self._functions |= {name: _Function(functions[name], native) for name in sorted(symbols & functions.keys())}
        self._machine: Machine | NumpyMachine
        self._machine = Machine(module, timed) if target == "cpu" else NumpyMachine(module, max_steps, observer, externs)
        self._idle_state = {} if self._machine.owns_state or shared is not None else _first_values_of(given, symbols)
        self._bf16_state = {
            *(slot.symbol for f in self._functions.values() for slot in f.slots if slot.symbol and slot.is_bf16),
            *(op.sym_name for op in given.body if isinstance(op, Shared) and element_type(op.type) is BF16),
        }  # fmt: skip
        self._lock = threading.RLock() if shared is None else SHARED_LOCK
        self.state = State(self) if shared is None else SharedState(self, shared)

    def call(self, entry: str, arguments: Mapping[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """The results of an entry, in order; arrays for tensors, numpy scalars for scalars.

        arguments: by `tir.name`, or in order. Arrays must have the right dtype; numbers and lists are converted.
        Raises ExecutionError that names the argument and axis, or the assert that failed; the state is unchanged then.
        """
        if entry not in self.entries:
            hint = nearest(entry, self.entries) or f"there is {', '.join(f'@{name}' for name in self.entries) or 'none'}"
            raise ExecutionError(f"there is no entry @{entry}", hint=hint)
        function = self._functions[entry]
        given = _ordered(function, arguments)
        inputs = [_input(slot, value) for slot, value in zip(function.inputs, given)]
        results = self._run(function, inputs)
        for i in function.bf16_buffers:
            if self._machine.writes(entry, function.arguments.index(function.inputs[i])):
                given[i][...] = inputs[i]
        return results

    @property
    def steps(self) -> int:
        """How many ops the last call has executed on the interpreter; one more than `max_steps` if that is why it ended."""
        return self._machine.interpreter.steps if isinstance(self._machine, NumpyMachine) else 0

    def nest_times(self) -> list[NestTime]:
        """The times of the loop nests and calls in machine code since it was made, if it is `timed`."""
        return self._machine.times() if isinstance(self._machine, Machine) else []

    # --- inside ----------------------------------------------------------------------------------------------------

    def _run(self, function: _Function, inputs: Sequence[Any]) -> list[Any]:
        """Calls an entry, or a private function that gives a first value."""
        if not (function.uses_state or self._machine.owns_state):
            return self._shown(function, self._run_with(function, inputs, {})[0])
        with self._lock:
            state = self.state.values_in_use()
            results, new = self._run_with(function, inputs, state)
            self.state.commit(new)
        return self._shown(function, results)

    def _shown(self, function: _Function, results: Sequence[Any]) -> list[Any]:
        """Prints the results that are there to be printed; the others."""
        slots = [slot for slot in function.returned if slot.kind != "update"]
        for slot, value in zip(slots, results):
            if slot.label is not None:
                show(slot.label, value)
        return [value for slot, value in zip(slots, results) if slot.label is None]

    def _run_with(
        self, function: _Function, inputs: Sequence[Any], state: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The results, and the new values of shared variables."""
        sizes = function.sizes(inputs)
        impossible = function.impossible(sizes)
        in_place = impossible is None and self._machine.is_atomic(function.name)
        given, outs, new, arguments = iter(inputs), [], {}, []
        for slot in function.arguments:
            if slot.kind == "input":
                arguments.append(slot.inside(next(given)))
            elif slot.kind == "shared":
                value = new[slot.symbol] = state[slot.symbol] if in_place else np.array(state[slot.symbol])
                arguments.append(slot.inside(value))
            else:
                outs.append(slot.fresh(sizes))
                arguments.append(outs[-1])
        returned, written, results = iter(self._machine.run(function.name, arguments)), iter(outs), []
        if impossible is not None:  # the assert that names the op comes first, where there is one
            raise impossible
        for i in function.bf16_buffers:
            function.inputs[i].take_back(inputs[i], arguments[function.arguments.index(function.inputs[i])])
        for slot in function.returned:
            value = next(written if slot.kind == "out" else returned)
            if slot.kind == "update":
                new[slot.symbol] = slot.kept(value)
            else:
                results.append(slot.outside(value))
        return results, new

    def _first_values(self) -> dict[str, Any]:
        """The state before the first call."""
        values = self._machine.initial_state()
        values.update({name: np.array(value) for name, value in self._idle_state.items()})
        for slot in [slot for function in self._functions.values() for slot in function.slots]:
            if not slot.symbol or slot.symbol in values:
                continue
            if slot.symbol not in self._functions:
                raise ExecutionError(f"there is no function @{slot.symbol} for the first value of {slot.symbol!r}")
            (value,), _ = self._run_with(self._functions[slot.symbol], [], {})
            values[slot.symbol] = slot.first(value)
        return values


def _first_values_of(module: Op, used: Collection[str]) -> dict[str, Any]:
    """Those of the shared variables of a module that no code uses. They are kept, and may be read, set, saved and loaded."""
    idle = [op.sym_name for op in module.body if isinstance(op, Shared) and op.sym_name not in used]
    if not idle:
        return {}
    interpreter = Interpreter(module)
    interpreter.initialize()
    return {name: interpreter.state[name] for name in idle}


# --- functions to entries --------------------------------------------------------------------------------------------


def _slots(function: Func, native: bool) -> list[_Slot]:
    """The arguments, then the results of a function."""
    slots = []
    for i, argument in enumerate(function.arguments):
        facts = function.argument_attributes(i)
        kind = "shared" if "tir.shared" in facts else "out" if "tir.out" in facts else "input"
        slots.append(_slot(function, kind, facts, argument.type, argument.hint or f"argument{i}", native))
    for i, type in enumerate(function.function_type.results):
        facts = function.result_attributes(i)
        slots.append(_slot(function, "update" if "tir.update" in facts else "result", facts, type, "", native))
    return slots


def _slot(function: Any, kind: str, facts: Mapping[str, Attribute], storage: Type, label: str, native: bool) -> _Slot:
    try:
        type = _public_type(storage, facts)
        dtype, storage_dtype = numpy_dtype(type), numpy_dtype(storage)
        if native and element_type(storage) is BF16:
            storage_dtype = np.dtype(np.uint16)
    except TirError as error:
        raise ExecutionError(f"@{function.sym_name}: {error.message}", function.location) from error
    name, symbol = facts.get("tir.name"), facts.get("tir.shared", facts.get("tir.update"))
    shown = name.value if isinstance(name, StringAttr) else "" if kind == "out" else label
    root = symbol.root if isinstance(symbol, SymbolRefAttr) else ""
    label_fact = facts.get("tir.print")
    printed = label_fact.value if isinstance(label_fact, StringAttr) else None
    return _Slot(kind, shown, type, storage, root, dtype, storage_dtype, printed)


def _public_type(storage: Type, facts: Mapping[str, Attribute]) -> Type:
    """The type with what the attributes say: named sizes, and unsigned elements."""
    dtype, dims = facts.get("tir.dtype"), facts.get("tir.dims")
    element = element_type(storage)
    if isinstance(dtype, StringAttr):
        element = parse_scalar_type(dtype.value) or element
    if not isinstance(storage, ShapedType):
        return element
    shape: Sequence[Dim] = [_dim(item) for item in dims] if isinstance(dims, ArrayAttr) else storage.shape
    if len(shape) != storage.rank:
        raise TirError(f"tir.dims must have {counted(storage.rank, 'size')}, got {len(shape)}")
    return TensorType(tuple(shape), element)


def _dim(item: Attribute) -> Dim:
    if isinstance(item, IntegerAttr):
        return item.value
    if isinstance(item, StringAttr):
        return DYNAMIC if item.value == "?" else parse_affine(item.value)
    raise TirError(f"tir.dims: a size is an integer or an expression over names, got {item}")


# --- arrays ----------------------------------------------------------------------------------------------------------


def _ordered(function: _Function, arguments: Mapping[str, Any] | Sequence[Any]) -> Sequence[Any]:
    """The arguments in order, one for each that the function takes."""
    names = [slot.name for slot in function.inputs]
    if isinstance(arguments, Mapping):
        for name in arguments:
            if name not in names:
                hint = nearest(name, names) or f"it takes {', '.join(names) or 'none'}"
                raise ExecutionError(f"@{function.name} has no argument {name!r}", hint=hint)
        if missing := [name for name in names if name not in arguments]:
            raise ExecutionError(f"@{function.name}: argument {missing[0]!r} is missing")
        arguments = [arguments[name] for name in names]
    if len(arguments) != len(names):
        takes = f"takes {counted(len(names), 'argument')} ({', '.join(names)})" if names else "takes no arguments"
        raise ExecutionError(f"@{function.name} {takes}, got {len(arguments)}")
    return arguments


def _input(slot: _Slot, value: Any) -> Any:
    """An argument as an array (a scalar for a scalar type) of its dtype, rank and fixed sizes."""
    label = f"argument '{slot.name}'"
    if slot.is_bf16:
        array = as_bf16(label, value)
        check_shape(label, array, slot.shape)
        return array if isinstance(slot.type, ShapedType) else array[()]
    array = value if value.__class__ is np.ndarray and value.dtype is slot.dtype else as_array(label, value, slot.dtype)
    check_shape(label, array, slot.shape)
    return array if isinstance(slot.type, ShapedType) else array[()]
