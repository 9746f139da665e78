"""What runs the functions of a module: machine code, or the interpreter. `tir/compile/` gives them arguments and state."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.func import Func
from tir.interpret import Interpreter
from tir.ir.errors import ExecutionError, Location, TirError
from tir.ir.ir import Op
from tir.ir.native import TIMES, NativeSignature
from tir.ir.observing import Observer
from tir.ir.types import MemRefType, Type
from tir.lazy import np
from tir.lower.llvm import LACKS, LoweredModule, lower_to_llvm, written_parameters
from tir.lower.work import work_of
from tir.runtime.calls import NativeFunction
from tir.runtime.clock import clock_intrinsic, ticks_per_second
from tir.runtime.gate import TooLargeError
from tir.runtime.jit import code_target, compile_text
from tir.runtime.targets import Target
from tir.runtime.wrapper import Argument, CallStyle, Wrapper, wrapper_of

__all__ = ["CalledFromPython", "Machine", "NestTime", "NumpyMachine", "functions_of", "lowered_for"]


def functions_of(module: Op) -> dict[str, Func]:
    """The functions with a body, by name."""
    return {op.sym_name: op for op in module.body if isinstance(op, Func) and not op.is_declaration}


@dataclass(frozen=True)
class NestTime:
    """How often a loop nest or a call in machine code has run, and for how long in all."""

    function: str
    op_name: str
    location: Location
    calls: int
    seconds: float


def lowered_for(
    module: Op, target: Target | None = None, *, locations: bool = False, timed: bool = False
) -> LoweredModule:
    """The LLVM IR of a module of the loops level, for a machine; None is the one that code here is made for.

    locations: with the lines of the program in comments. timed: loop nests and calls measure their time.
    """
    target = target or code_target()
    clock = clock_intrinsic() if timed else ""
    lacks = [name for name in LACKS if not getattr(target, f"has_{name}")]
    return lower_to_llvm(module, target.vector_bytes * 8, lacks, locations=locations, clock=clock)


@dataclass(frozen=True)
class CalledFromPython:
    """One function, what its parameters and results are to the caller, and how it is called."""

    name: str
    arguments: Sequence[Argument]
    results: Sequence[Any]
    style: CallStyle

    def wrapper(self, module: Op, lowered: LoweredModule) -> Wrapper | None:
        """What CPython calls; None if that can only be Python."""
        work = work_of(functions_of(module)[self.name])
        return wrapper_of(lowered.functions[self.name], self.arguments, self.results, self.style, work, lowered.text)


class Machine:
    """The functions of a module as machine code. called: the one that is called from Python, and how."""

    owns_state = False

    def __init__(self, module: Op, timed: bool = False, called: CalledFromPython | None = None) -> None:
        lowered = lowered_for(module, timed=timed)
        wrapper = called.wrapper(module, lowered) if called is not None else None
        text, exports, grants = lowered.text, lowered.exports, lowered.grants
        if wrapper is not None:
            text, exports, grants = text + wrapper.text, [*exports, *wrapper.exports], (*grants, "python")
        try:
            library = compile_text(text, exports, grants, lowered.passes)
        except TooLargeError as error:
            raise _too_large(module, lowered.functions, error) from error
        #: What takes the usual calls from Python without a line of it.
        self.code = wrapper.linked(library) if wrapper is not None else None
        self.library, self.timers = library, lowered.timers
        self.functions = {
            name: NativeFunction(name, library, signature, lowered.asserts) for name, signature in lowered.functions.items()
        }

    def initial_state(self) -> dict[str, Any]:
        return {}

    def forget_state(self) -> None:
        """There is none here: the state belongs to the executable."""

    def times(self) -> list[NestTime]:
        """What the timers have measured up to now."""
        if not self.timers:
            return []
        counts = (ctypes.c_int64 * (2 * len(self.timers))).from_address(self.library.address(TIMES))
        return [
            NestTime(timer.function, timer.op_name, timer.location, counts[2 * i + 1], counts[2 * i] / ticks_per_second())
            for i, timer in enumerate(self.timers)
        ]

    def is_atomic(self, name: str) -> bool:
        """A call that fails leaves the shared buffers that it was given as they were."""
        return self.functions[name].signature.atomic

    def writes(self, name: str, argument: int) -> bool:
        """The function may write this argument."""
        return self.functions[name].signature.parameters[argument].written

    def run(self, name: str, arguments: Sequence[Any]) -> list[Any]:
        # What is exclusive is the state, of which the caller only has copies, and results in new memory.
        return self.functions[name](arguments, owned=True)


def _too_large(module: Op, functions: Mapping[str, NativeSignature], error: TooLargeError) -> TirError:
    """The error in words of the program: which function it is, and what helps."""
    name = next((name for name, signature in functions.items() if signature.symbol == error.function), error.function)
    location = next((op.location for op in module.body if isinstance(op, Func) and op.sym_name == name), None)
    hint = "run it in parts, each a function that is called from outside, or on the target interpret"
    return TirError(f"@{name} is too large for machine code: {error.size}", location, hint=hint)


class NumpyMachine:
    """The functions of a module on the interpreter, which keeps the state of a module with `tir.shared` itself."""

    def __init__(
        self, module: Op, max_steps: int | None = None, observer: Observer | None = None,
        externs: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:  # fmt: skip
        self.interpreter = Interpreter(module, max_steps=max_steps, externs=externs, observer=observer)
        self.owns_state = any(hasattr(op, "initial_state") for op in module.body)
        self.functions = functions_of(module)
        self.written = written_parameters(list(self.functions.values()))

    def initial_state(self) -> dict[str, Any]:
        """The state of the interpreter itself, which commits to it what an entry updates."""
        self.interpreter.initialize()
        return self.interpreter.state

    def forget_state(self) -> None:
        self.interpreter.state = {}

    def is_atomic(self, name: str) -> bool:
        return False

    def writes(self, name: str, argument: int) -> bool:
        return argument in self.written[name]

    def run(self, name: str, arguments: Sequence[Any]) -> list[Any]:
        types = self.functions[name].function_type.inputs
        ready = [
            self._ready(value, type, i in self.written[name])
            for i, (value, type) in enumerate(zip(arguments, types))
        ]  # fmt: skip
        return self.interpreter.run(name, ready)

    def _ready(self, value: Any, type: Type, written: bool) -> Any:
        """The array as compiled code would take it: native, and dense where the type says so."""
        dense = not isinstance(type, MemRefType) or type.layout is not None or value.flags.c_contiguous
        if dense and value.dtype.isnative:
            return value
        if written:
            raise ExecutionError("an array that is written must be contiguous and of native byte order")
        return np.array(value, dtype=value.dtype.newbyteorder("="), order="C")
