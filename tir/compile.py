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
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.interpret import Interpreter
from tir.ir.affine import AffineExpr, parse_affine
from tir.ir.attributes import ArrayAttr, Attribute, IntegerAttr, StringAttr, SymbolRefAttr
from tir.ir.errors import ExecutionError, TirError, nearest
from tir.ir.execution import numpy_dtype
from tir.ir.ir import Op
from tir.ir.names import bind_sizes, evaluate_dim
from tir.ir.types import Dim, ShapedType, TensorType, Type, dtype_of, element_type, parse_scalar_type
from tir.lazy import np
from tir.lower.llvm import LoweredModule, lower_to_llvm
from tir.runtime.calls import NativeFunction
from tir.runtime.jit import compile_text, host_target

__all__ = ["Entry", "Executable", "Parameter", "Result", "TARGETS"]

TARGETS = ("cpu", "interpret")

#: What runs one function: all its arguments in order -> its results.
_Run = Callable[[Sequence[Any]], list[Any]]


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

    type: as in `Parameter`. storage: the type in the module, whose dtype the arrays have inside.
    """

    kind: str
    name: str
    type: Type
    storage: Type
    symbol: str = ""


class Executable:
    """The entries of a module, ready to be called.

    target: "cpu" compiles; "interpret" runs the ops on numpy. pipeline: the passes that are still to run, applied to a
    copy of the module; for "cpu" they must end at the loops level.
    """

    def __init__(self, module: Op, target: str = "cpu", pipeline: Callable[[Op], object] | None = None) -> None:
        if target not in TARGETS:
            raise TirError(f"unknown target {target!r}", hint=nearest(target, TARGETS))
        if pipeline is not None:
            module = module.clone()
            pipeline(module)
        self._functions = {f.sym_name: f for f in _functions(module)}
        self._slots = {name: _slots(function) for name, function in self._functions.items()}
        self.entries: dict[str, Entry] = {
            name: _entry(name, self._slots[name]) for name, f in self._functions.items() if not f.is_private
        }
        machine = _Machine(module) if target == "cpu" else _NumpyMachine(module)
        self._machine: _Machine | _NumpyMachine = machine
        self._lock = threading.RLock()
        self._state = State(self)

    @property
    def state(self) -> State:
        """The shared variables by name."""
        return self._state

    def call(self, entry: str, arguments: Mapping[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """The results of an entry, in order; arrays for tensors, numpy scalars for scalars.

        arguments: by `tir.name`, or in order. Arrays must have the right dtype; numbers and lists are converted.
        Raises ExecutionError that names the argument and axis, or the assert that failed; the state is unchanged then.
        """
        if entry not in self.entries:
            raise ExecutionError(f"there is no entry @{entry}", hint=nearest(entry, self.entries))
        inputs = _inputs(self.entries[entry], arguments)
        return self._run(entry, inputs)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _run(self, name: str, inputs: Sequence[Any]) -> list[Any]:
        """Calls any function of the module, private ones too."""
        slots = self._slots[name]
        sizes = _sizes(self.entries.get(name), inputs)
        touches_state = any(slot.kind in ("shared", "update") for slot in slots) or self._machine.owns_state
        if not touches_state:
            results, _ = self._run_with(name, inputs, sizes, {})
            return results
        with self._lock:
            old = self._values()
            results, new = self._run_with(name, inputs, sizes, old)
            # One step, so that no interrupt can leave half of it behind.
            old.update(new)
            return results

    def _run_with(
        self, name: str, inputs: Sequence[Any], sizes: Mapping[AffineExpr, int], state: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The results, and the new values of shared variables."""
        in_place = self._machine.is_atomic(name)
        rest, arguments, outs = iter(inputs), [], []
        new: dict[str, Any] = {}
        for slot in self._slots[name]:
            if slot.kind == "input":
                arguments.append(_to_storage(next(rest), slot))
            elif slot.kind == "shared":
                new[slot.symbol] = state[slot.symbol] if in_place else np.array(state[slot.symbol])
                arguments.append(_to_storage(new[slot.symbol], slot))
            elif slot.kind == "out":
                outs.append(_fresh(slot, sizes))
                arguments.append(outs[-1])
        returned = iter(self._machine.run(name, arguments))
        results, made = [], iter(outs)
        for slot in self._slots[name]:
            if slot.kind == "out":
                results.append(_from_storage(next(made), slot))
            elif slot.kind in ("result", "update"):
                value = _from_storage(next(returned), slot)
                if slot.kind == "update":
                    new[slot.symbol] = value
                else:
                    results.append(value)
        return results, new

    def _values(self) -> dict[str, Any]:
        """The arrays that are the state, made at the first use."""
        values = self._machine.state
        if not self._machine.initialized:
            for slots in self._slots.values():
                for slot in slots:
                    if slot.kind in ("shared", "update") and slot.symbol not in values:
                        values[slot.symbol] = self._initial_value(slot)
            self._machine.initialize()
        return values

    def _initial_value(self, slot: _Slot) -> Any:
        if slot.symbol not in self._slots:
            raise ExecutionError(f"there is no function @{slot.symbol} that gives the first value of a shared variable")
        (value,) = self._run(slot.symbol, [])
        return np.array(value, dtype=_public_dtype(slot), order="C")


class State(MutableMapping[str, Any]):
    """The shared variables of an executable: reading gives copies, setting checks dtype and shape."""

    def __init__(self, owner: Executable) -> None:
        self._owner = owner

    def _values(self) -> dict[str, Any]:
        return self._owner._values()

    def _get(self, name: str) -> Any:
        values = self._values()
        if name not in values:
            raise ExecutionError(f"there is no shared variable @{name}", hint=nearest(name, values))
        return values[name]

    def __getitem__(self, name: str) -> Any:
        with self._owner._lock:
            return np.array(self._get(name))

    def __setitem__(self, name: str, value: Any) -> None:
        with self._owner._lock:
            old = self._get(name)
            array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else np.asarray(value, old.dtype)
            _check_array(f"shared variable @{name}", array, TensorType(old.shape, _element_of(old)), old.dtype)
            self._values()[name] = np.array(array, dtype=old.dtype, order="C")

    def __delitem__(self, name: str) -> None:
        raise ExecutionError(f"shared variable @{name} cannot be removed")

    def __iter__(self) -> Iterator[str]:
        with self._owner._lock:
            return iter(list(self._values()))

    def __len__(self) -> int:
        with self._owner._lock:
            return len(self._values())

    def __contains__(self, name: object) -> bool:
        with self._owner._lock:
            return name in self._values()


# --- what runs functions ---------------------------------------------------------------------------------------------


class _Machine:
    """The functions of a module as machine code."""

    owns_state = False

    def __init__(self, module: Op) -> None:
        self.state: dict[str, Any] = {}
        self.initialized = False
        lowered = lower_to_llvm(module, host_target().vector_bytes * 8)
        self.functions = _load(lowered)

    def initialize(self) -> None:
        self.initialized = True

    def is_atomic(self, name: str) -> bool:
        """A call that fails leaves the shared buffers that it was given as they were."""
        return self.functions[name].signature.atomic

    def run(self, name: str, arguments: Sequence[Any]) -> list[Any]:
        return self.functions[name](arguments)


def _load(lowered: LoweredModule) -> dict[str, NativeFunction]:
    exported = {name: lowered.functions[name] for name in lowered.exported}
    library = compile_text(lowered.text, [signature.symbol for signature in exported.values()])
    return {name: NativeFunction(name, library, signature, lowered.asserts) for name, signature in exported.items()}


class _NumpyMachine:
    """The functions of a module on the interpreter, which keeps the state of modules with `tir.shared` itself."""

    def __init__(self, module: Op) -> None:
        self.state: dict[str, Any] = {}
        self.initialized = False
        self.interpreter = Interpreter(module, self.state)
        self.owns_state = any(hasattr(op, "initial_state") for op in module.body)

    def initialize(self) -> None:
        self.interpreter.initialize()
        self.initialized = True

    def is_atomic(self, name: str) -> bool:
        return False

    def run(self, name: str, arguments: Sequence[Any]) -> list[Any]:
        return self.interpreter.run(name, arguments)


# --- functions to entries --------------------------------------------------------------------------------------------


def _functions(module: Op) -> list[Any]:
    return [op for op in module.body if op.name == "func.func" and op.regions[0].blocks]


def _entry(name: str, slots: Sequence[_Slot]) -> Entry:
    parameters = tuple(Parameter(slot.name, slot.type) for slot in slots if slot.kind == "input")
    results = tuple(Result(slot.name, slot.type) for slot in slots if slot.kind in ("out", "result"))
    return Entry(name, parameters, results)


def _slots(function: Any) -> list[_Slot]:
    """The arguments, then the results of a function."""
    slots = []
    for i, argument in enumerate(function.arguments):
        facts = function.argument_attributes(i)
        kind = "shared" if "tir.shared" in facts else "out" if "tir.out" in facts else "input"
        label = argument.hint or f"argument {i}"
        slots.append(_slot(function, kind, facts, argument.type, "tir.shared", "" if kind == "out" else label))
    for i, type in enumerate(function.function_type.results):
        facts = function.result_attributes(i)
        slots.append(_slot(function, "update" if "tir.update" in facts else "result", facts, type, "tir.update", ""))
    return slots


def _slot(
    function: Any, kind: str, facts: Mapping[str, Attribute], storage: Type, symbol_name: str, label: str
) -> _Slot:
    try:
        type = _public_type(storage, facts)
        dtype_of(element_type(type))
    except TirError as error:
        raise ExecutionError(f"@{function.sym_name}: {error.message}", function.location) from error
    name, symbol = facts.get("tir.name"), facts.get(symbol_name)
    return _Slot(
        kind, name.value if isinstance(name, StringAttr) else label, type, storage,
        symbol.root if isinstance(symbol, SymbolRefAttr) else "",
    )  # fmt: skip


def _public_type(storage: Type, facts: Mapping[str, Attribute]) -> Type:
    """The type with what the attributes say: named sizes, and unsigned elements."""
    dtype, dims = facts.get("tir.dtype"), facts.get("tir.dims")
    element = element_type(storage)
    if isinstance(dtype, StringAttr):
        element = parse_scalar_type(dtype.value) or element
    if not isinstance(storage, ShapedType):
        return element
    shape: Sequence[Dim] = storage.shape
    if isinstance(dims, ArrayAttr):
        shape = [_dim(item) for item in dims]
    if len(shape) != storage.rank:
        raise TirError(f"tir.dims must have {storage.rank} sizes, got {len(shape)}")
    return TensorType(tuple(shape), element)


def _dim(item: Attribute) -> Dim:
    if isinstance(item, IntegerAttr):
        return item.value
    if isinstance(item, StringAttr) and item.value != "?":
        return parse_affine(item.value)
    raise TirError(f"tir.dims: a size is an integer or an expression over names, got {item}")


# --- arrays ----------------------------------------------------------------------------------------------------------


def _public_dtype(slot: _Slot) -> Any:
    return numpy_dtype(slot.type)


def _element_of(array: Any) -> Type:
    return next(type for type, row in ((t, dtype_of(t)) for t in _ELEMENTS) if row.numpy == str(array.dtype))
