"""Runs a module of any level on numpy arrays: the meaning of a program, against which everything else is checked.

Ops say what they mean (`reference`, `interpret`: see `tir/ir/execution.py`); the interpreter knows none by name. It
keeps its own stack, so that neither nested regions nor calls can exhaust Python's.

    Interpreter(module).run("main", [np.ones((2, 3), np.float32)])

Shared variables live in `state`: a run sees the values from before it, and all its updates are committed together when
it returns; a run that fails changes none. Buffers of the module (`Frame.storage`) live as long as the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from types import GeneratorType
from typing import Any

from tir.dialects.library import library_function, run_library
from tir.ir.affine import AffineExpr, AffineName
from tir.ir.errors import UNKNOWN, Location, TirError, counted
from tir.ir.execution import (
    NUMPY_ERRORS,
    Call,
    ExecutionError,
    Jump,
    Run,
    check_shape,
    located,
    meaning,
    numpy_dtype,
    rounded,
    show,
    value_of_type,
)
from tir.ir.ir import Block, Op, Value
from tir.ir.last_uses import arrays_last_used
from tir.ir.observing import Observer, observed, observed_interpretation
from tir.ir.symbols import SymbolTable, symbol_name
from tir.ir.traits import FunctionLike, ReturnLike
from tir.ir.types import BF16, MemRefType, ShapedType, TensorType, Type, element_type
from tir.lazy import np

__all__ = ["Interpreter"]

MAX_CALL_DEPTH = 10_000
MAX_CALL_NOTES = 8
UNLIMITED = 1 << 62

_PURE, _EFFECT, _HAND_ON, _CHANGE, _UNKNOWN = range(5)

# One op made ready to run: what to do, the op, its facet, the values that it takes and gives, and those arrays among
# the values of the function that nobody needs when it is done.
_Step = tuple[int, Op, Callable[..., Any], tuple[Value, ...], tuple[Value, ...], tuple[Value, ...]]


class Interpreter:
    """A module with its state.

    state: the shared variables by name, changed in place by updates; those that are missing get their initial values.
    max_steps: how many ops a run may execute (a `linalg.generic` on whole arrays counts as one).
    externs: Python functions for the declarations of the module, by name: they take and return arrays.
    observer: sees each op that runs.
    """

    def __init__(
        self,
        module: Op,
        state: dict[str, Any] | None = None,
        *,
        max_steps: int | None = None,
        externs: Mapping[str, Callable[..., Any]] | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.symbols = SymbolTable(module)
        self.state: dict[str, Any] = {} if state is None else state
        self.max_steps = max_steps
        self.externs = dict(externs or {})
        self.observer = observer
        self._storage: dict[Op, Any] = {}
        self._blocks: dict[Block, tuple[tuple[Value, ...], list[_Step]]] = {}
        self._updates: dict[str, Any] = {}
        self._shown: list[tuple[str, Any]] = []
        self._steps_left = UNLIMITED

    def run(self, entry: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """The results of the function `entry`.

        arguments: an array or number for each argument, of its dtype and sizes; memrefs are written in place. Raises
        ExecutionError with the op and its location when the program goes wrong.
        """
        function = self._function(entry)
        values = _checked_arguments(function, arguments)
        self._steps_left = UNLIMITED if self.max_steps is None else self.max_steps
        self._updates, self._shown = {}, []
        if self.observer is not None:
            self.observer.started(function, values)
        with np.errstate(all="ignore"):
            self._initialize()
            results = self._drive(_call(entry, values))
        self.state.update(self._updates)
        for label, value in self._shown:
            show(label, value)
        types = function.function_type.results  # type: ignore[attr-defined]
        return [np.array(x) if isinstance(type, TensorType) else x for x, type in zip(results, types)]

    @property
    def steps(self) -> int:
        """How many ops the last run has executed; one more than `max_steps` if that is why it ended."""
        return (UNLIMITED if self.max_steps is None else self.max_steps) - self._steps_left

    def initialize(self) -> None:
        """Gives the shared variables their initial values; otherwise the first run does."""
        with np.errstate(all="ignore"):
            self._initialize()

    def _initialize(self) -> None:
        """Gives each shared variable that has no value yet its initial one: that of the op's `initial_state` facet.

        `initial_state(frame)` returns the value, or is a generator that does, as `interpret` may be.
        """
        for name in self.symbols.names():
            op = self.symbols.get(name)
            if name not in self.state and hasattr(op, "initial_state"):
                found = op.initial_state(_Frame(self))
                self.state[name] = np.array(self._drive(found) if isinstance(found, GeneratorType) else found)

    def _function(self, name: str) -> Op:
        function = self.symbols.get(name)
        if not isinstance(function, FunctionLike):
            raise ExecutionError(f"@{name} is a {function.name}, not a function", function.location)
        return function

    # --- the stack -------------------------------------------------------------------------------------------------

    def _drive(self, first: Generator[Any, Any, Any]) -> Any:
        """What `first` returns. The stack holds generators, and blocks that are being run."""
        stack: list[_Cursor | Generator[Any, Any, Any]] = [first]
        answer: Any = None  # for the top of the stack: what it waits for
        while True:
            top = stack[-1]
            try:
                if isinstance(top, _Cursor):
                    if answer is not None:
                        top.bind(answer)
                    answer = outcome = None  # what a block holds by itself it may change in place
                    outcome = self._advance(top)
                    if isinstance(outcome, GeneratorType):
                        stack.append(outcome)
                        answer = None
                        continue
                else:
                    handed_over = [answer]
                    answer = outcome = None
                    request = top.send(handed_over.pop())
                    _release(stack)
                    stack.append(self._answer(request, stack))
                    request = None
                    continue
            except StopIteration as stop:
                outcome = stop.value
            except (TirError, *NUMPY_ERRORS) as error:
                found = _with_calls(error, stack)
                if found is error:
                    raise  # with the cause that it has
                raise found from error
            stack.pop()
            if not stack:
                return outcome
            answer = outcome

    def _answer(self, request: Run | Call, stack: Sequence[Any]) -> _Cursor | Generator[Any, Any, Any]:
        """What goes on the stack for a request of the generator on top."""
        if isinstance(request, Run):
            below = next(item for item in reversed(stack) if isinstance(item, _Cursor))
            return _Cursor(below.frame, *self._prepared(request.block), request.arguments, below.depth)
        function = self._function(request.symbol)
        depth = next((item.depth + 1 for item in reversed(stack) if isinstance(item, _Cursor)), 0)
        if depth > MAX_CALL_DEPTH:
            raise ExecutionError(f"calls are nested more than {MAX_CALL_DEPTH} deep")
        blocks = function.regions[0].blocks
        if not blocks:
            return self._call_extern(request, function)
        return _Cursor(_Frame(self), *self._prepared(blocks[0]), request.arguments, depth, request.location)

    def _call_extern(self, request: Call, function: Op) -> Generator[Any, Any, Any]:
        implementation = self.externs.get(request.symbol)
        library = library_function(function)
        if implementation is None and library is not None:
            on_buffers = not any(isinstance(t, TensorType) for t in function.function_type.inputs)  # type: ignore[attr-defined]
            return _given(run_library(library, on_buffers, request.arguments))
        if implementation is None:
            raise ExecutionError(f"@{request.symbol} has no body, and no Python function stands in for it")
        results = implementation(*request.arguments)
        return _given(results if isinstance(results, tuple) else () if results is None else (results,))

    def _advance(self, cursor: _Cursor) -> Any:
        """Runs the ops of a block: up to its end, which gives its outcome, or up to an op that wants something run."""
        frame = cursor.frame
        while True:
            kind, _, run, operands, results, last_used = cursor.steps[cursor.position]
            cursor.position += 1
            self._steps_left -= 1
            if self._steps_left < 0:
                raise ExecutionError(f"the run takes more than {self.max_steps} steps")
            if kind == _PURE:
                if len(results) == 1:
                    frame[results[0]] = run(*[frame[v] for v in operands])
                    for value in last_used:
                        frame.pop(value, None)
                    continue
                made = run(*[frame[v] for v in operands])
            elif kind == _HAND_ON:
                handed_on = tuple([frame[v] for v in operands])
                for value in last_used:
                    frame.pop(value, None)
                return handed_on
            elif kind == _CHANGE:
                frame[results[0]] = run(_taken(frame, operands, last_used))
                continue
            else:
                made = run(frame)
                if isinstance(made, Jump):
                    cursor.enter(*self._prepared(made.block), made.arguments)
                    continue
                if isinstance(made, GeneratorType):
                    return made
            for value, x in zip(results, made):
                frame[value] = x

    def _prepared(self, block: Block) -> tuple[tuple[Value, ...], list[_Step]]:
        """The arguments of a block, and its ops made ready to run."""
        found = self._blocks.get(block)
        if found is None:
            last_used = arrays_last_used(block)
            found = self._blocks[block] = (tuple(block.arguments), [_step(op, last_used, self.observer) for op in block])
        return found


class _Frame(dict[Value, Any]):
    """The values of one call of a function: the `Frame` that ops see."""

    __slots__ = ("interpreter",)

    def __init__(self, interpreter: Interpreter) -> None:
        super().__init__()
        self.interpreter = interpreter

    def symbol(self, name: str) -> Op:
        return self.interpreter.symbols.get(name)

    def storage(self, op: Op) -> Any:
        storage = self.interpreter._storage
        if op not in storage:
            storage[op] = op.make_storage()  # type: ignore[attr-defined]
        return storage[op]

    def state(self, name: str) -> Any:
        if name not in self.interpreter.state:
            raise ExecutionError(f"there is no shared variable @{name}")
        return self.interpreter.state[name]

    def update(self, name: str, value: Any) -> None:  # type: ignore[override]
        # A copy: the value may be a view of an argument, which its owner may change.
        self.interpreter._updates[name] = np.array(value)

    def show(self, label: str, value: Any) -> None:
        self.interpreter._shown.append((label, value))


class _Cursor:
    """A block that is being run. `location`: that of the call, if this is the body of a function."""

    __slots__ = ("frame", "steps", "position", "depth", "location")

    def __init__(
        self,
        frame: _Frame,
        arguments: Sequence[Value],
        steps: list[_Step],
        values: Sequence[Any],
        depth: int,
        location: Location | None = None,
    ) -> None:
        self.frame, self.depth, self.location = frame, depth, location
        self.enter(arguments, steps, values)

    def enter(self, arguments: Sequence[Value], steps: list[_Step], values: Sequence[Any]) -> None:
        """Goes to the start of a block."""
        self.steps, self.position = steps, 0
        dict.update(self.frame, zip(arguments, values))

    @property
    def op(self) -> Op:
        """The op that is being run."""
        return self.steps[self.position - 1][1]

    def bind(self, results: Sequence[Any]) -> None:
        """Sets the results of the op that was waiting."""
        dict.update(self.frame, zip(self.steps[self.position - 1][4], results))


def _step(op: Op, last_used: Mapping[Op, tuple[Value, ...]], observer: Observer | None) -> _Step:
    """How the op is run, by the facets that it has."""
    kind, run = _way_to_run(op)
    if observer is not None and kind == _EFFECT:
        run = observed_interpretation(op, run, observer)
    elif observer is not None and kind in (_CHANGE, _PURE):
        run = observed(op, run, observer, changes=kind == _CHANGE)
    return kind, op, run, op.operands, op.results, last_used.get(op, ())


def _way_to_run(op: Any) -> tuple[int, Callable[..., Any]]:
    if isinstance(op, ReturnLike):
        return _HAND_ON, _cannot
    if hasattr(op, "interpret"):
        return _EFFECT, _interpretation(op)
    if hasattr(op, "changed"):
        return _CHANGE, op.changed
    if hasattr(op, "reference"):
        return _PURE, meaning(op)
    return _UNKNOWN, _cannot


def _taken(frame: _Frame, operands: Sequence[Value], last_used: Sequence[Value]) -> list[Any]:
    """The operands; the frame holds those no more that nobody needs afterwards."""
    found = [frame[v] for v in operands]
    for value in last_used:
        frame.pop(value, None)
    return found


def _release(stack: Sequence[Any]) -> None:
    """What the op that waits for its generator has handed to it, and nobody needs afterwards, is the generator's."""
    below = stack[-2] if len(stack) > 1 else None
    if isinstance(below, _Cursor):
        for value in below.steps[below.position - 1][5]:
            below.frame.pop(value, None)


def _interpretation(op: Any) -> Callable[..., Any]:
    """The op's `interpret`, with bf16 results rounded; what a generator or a jump hands on has been rounded before."""
    types = [result.type for result in op.results]
    if not any(element_type(type) is BF16 for type in types):
        return op.interpret

    def run(frame: Any) -> Any:
        made = op.interpret(frame)
        return tuple(map(rounded, made, types)) if isinstance(made, tuple) else made

    return run


def _cannot(frame: _Frame) -> Any:
    raise ExecutionError("cannot be interpreted")


def _call(symbol: str, arguments: Sequence[Any]) -> Generator[Any, Any, Any]:
    return (yield Call(symbol, arguments, UNKNOWN))


def _given(results: tuple[Any, ...]) -> Generator[Any, Any, Any]:
    """A generator that asks for nothing."""
    yield from ()
    return results


def _with_calls(error: Exception, stack: Sequence[Any]) -> TirError:
    """The error with the op's name and location, and a note for each call that is under way."""
    cursors = [item for item in reversed(stack) if isinstance(item, _Cursor)]
    if not cursors:
        return error if isinstance(error, TirError) else ExecutionError(str(error))
    found = located(error, cursors[0].op)
    calls = [cursor.location for cursor in cursors if cursor.location not in (None, UNKNOWN)]
    found.notes = (*found.notes, *(("called from here", location) for location in calls[:MAX_CALL_NOTES]))
    return found


# --- arguments -------------------------------------------------------------------------------------------------------


def _checked_arguments(function: Op, given: Sequence[Any]) -> list[Any]:
    """The arguments as run-time values; ExecutionError names the one that does not fit."""
    types = function.function_type.inputs  # type: ignore[attr-defined]
    name = symbol_name(function)
    if len(given) != len(types):
        raise ExecutionError(f"@{name} takes {counted(len(types), 'argument')}, got {len(given)}", function.location)
    values = []
    for number, (value, type) in enumerate(zip(given, types)):
        try:
            values.append(_checked_argument(value, type))
        except (TirError, *NUMPY_ERRORS) as error:
            raise ExecutionError(f"@{name}: argument {number}: {error}", function.location) from error
    _check_named_sizes(function, values, types)
    return values


def _checked_argument(value: Any, type: Type) -> Any:
    dtype = numpy_dtype(type)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != dtype:
        raise ExecutionError(f"must have dtype {dtype}, got {value.dtype}")
    if not isinstance(type, MemRefType):
        return value_of_type(value, type)
    if not isinstance(value, np.ndarray):
        raise ExecutionError(f"a memref is a numpy array, got {value.__class__.__name__}")
    check_shape(value, type)
    _check_layout(value, type)
    return value


def _check_layout(array: Any, type: MemRefType) -> None:
    strides = type.strides_and_offset()[0] if not hasattr(type.layout, "results") else ()
    for axis, (want, stride) in enumerate(zip(strides, array.strides)):
        if isinstance(want, int) and want * array.itemsize != stride and array.shape[axis] > 1 and array.size:
            raise ExecutionError(f"axis {axis} must have stride {want} in elements, got {stride / array.itemsize:g}")


def _check_named_sizes(function: Op, values: Sequence[Any], types: Sequence[Type]) -> None:
    """Equal names are equal sizes, and expressions over them have the size that they say."""
    named = [
        (dim, size, f"argument {number} axis {axis}")
        for number, (value, type) in enumerate(zip(values, types))
        if isinstance(type, ShapedType)
        for axis, (dim, size) in enumerate(zip(type.shape, value.shape))
        if isinstance(dim, AffineExpr)
    ]
    known: dict[AffineExpr, int] = {}
    for dim, size, _ in named:
        if isinstance(dim, AffineName):
            known.setdefault(dim, size)
    for dim, size, where in named:
        want = dim.evaluate(known.__getitem__) if dim.leaves() <= set(known) else size
        if want != size:
            raise ExecutionError(
                f"@{symbol_name(function)}: {where} must have size [{dim}] = {want}, got {size}", function.location
            )
