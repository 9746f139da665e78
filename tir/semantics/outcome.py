"""Inputs for the entries of a module, and what the module computes on them.

The calling convention (`tir.shared`, `tir.update`, `tir.out`) stands on the functions at every level, so that one draw
of inputs and state suits a module before and after any pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.check import InputSpec, generate_inputs, generate_like, input_ranges
from tir.compile import Entry, Executable
from tir.ir.attributes import Attribute
from tir.ir.bfloat16 import widened
from tir.ir.errors import TirError
from tir.ir.execution import NUMPY_ERRORS, numpy_dtype
from tir.ir.ir import Op
from tir.ir.symbols import SymbolTable
from tir.ir.types import MemRefType, ShapedType, Type, shape_names
from tir.lazy import np

__all__ = ["HARD", "Draw", "Failure", "Outcome", "Program", "Values", "draw_inputs", "draw_number", "is_float", "open_sizes"]

#: Numbers that rules about numbers are wrong for.
HARD_NUMBERS = (0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan"), 1e-30, 1e4)
SIZE_TRIES = 24
SEED_STEP = 1000  # between the seeds of two tries, so that they meet those of no other draw
#: The draws in turn: ordinary numbers, the size 1 wherever a size is open, and hard numbers.
ORDINARY, ONES, HARD = KINDS = ("ordinary numbers", "ordinary numbers and sizes 1", "hard numbers")


@dataclass(frozen=True)
class Draw:
    """One set of inputs of an entry. arguments: in order; state: of all shared variables, None for their first values.

    number: which draw it is; the same seed and number give the same draw for the same function.
    """

    entry: str
    number: int
    seed: int
    arguments: tuple[Any, ...]
    sizes: Mapping[str, int]
    kind: str
    state: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        sizes = "".join(f", {name} = {size}" for name, size in self.sizes.items())
        state = "" if self.state is None else ", generated state" if self.state else ""
        return f"seed {self.seed}{sizes}, {self.kind}{state}"


@dataclass(frozen=True)
class Failure:
    """The run went wrong."""

    message: str
    out_of_steps: bool = False


@dataclass(frozen=True)
class Values:
    """What a run gave: arrays by a name for people."""

    arrays: dict[str, Any]


Outcome = Values | Failure


@dataclass
class Program:
    """A module that can be run on draws. max_steps: how many ops a run may execute; steps: how many the last one did.

    is_odd: the module need not verify, so that a run may break down in any way.
    """

    module: Op
    max_steps: int | None = None
    is_odd: bool = False
    steps: int = 0
    _executable: Executable | None = field(default=None, repr=False)

    @property
    def executable(self) -> Executable:
        """The module on the interpreter. Raises TirError if there is something that cannot be run at all."""
        if self._executable is None:
            self._executable = Executable(self.module, "interpret", max_steps=self.max_steps)
        return self._executable

    def cannot_run(self) -> TirError | None:
        """Why no function of the module can be run."""
        try:
            self._executable = self.executable
        except TirError as error:
            return error
        return None

    @property
    def entries(self) -> dict[str, Entry]:
        return self.executable.entries

    def function(self, name: str) -> Any:
        return SymbolTable(self.module).get(name)

    def first_state(self) -> dict[str, Any]:
        """The shared variables before the first call."""
        return dict(self.executable.state.items())

    def run(self, draw: Draw) -> Outcome:
        """Calls the entry: results, arguments and shared variables as they are behind the call."""
        try:
            return self._run(draw)
        except Exception as error:
            if not (self.is_odd or isinstance(error, (TirError, *NUMPY_ERRORS))):
                raise
            return Failure(str(error), self._count_steps())
        finally:
            self._count_steps()

    def _count_steps(self) -> bool:
        """Notes the steps of the last run; tells whether it took more than it might."""
        self.steps = self._executable.steps if self._executable is not None else 0
        return self.max_steps is not None and self.steps > self.max_steps

    def _run(self, draw: Draw) -> Values:
        exe = self.executable
        if draw.entry not in exe.entries:
            return Values({})
        entry, function = exe.entries[draw.entry], self.function(draw.entry)
        exe.state.reset()
        if draw.state is not None:
            values = exe.state.values_in_use()
            for name in values.keys() & draw.state.keys():
                values[name] = np.array(_fitted(draw.state[name], values[name].dtype))
        buffers = buffer_arguments(function)
        types = [numpy_dtype(parameter.type) for parameter in entry.parameters]
        given = [np.array(x) if i in buffers else x for i, x in enumerate(map(_fitted, draw.arguments, types))]
        arrays = {_result_name(entry, i): widened(np.array(x)) for i, x in enumerate(exe.call(draw.entry, given))}
        # A level without buffers cannot change an argument, and one with buffers may not, unless the one before did.
        arrays |= {f"argument {p.name!r}": x for p, x in zip(entry.parameters, given) if isinstance(x, np.ndarray)}
        return Values(arrays | {f"@{name}": widened(value) for name, value in exe.state.items()})


def _fitted(value: Any, dtype: Any) -> Any:
    """Floats in this dtype: a draw that was widened by dtype has bf16, which is float32 there, one too wide."""
    found = np.asarray(value)
    return found.astype(dtype)[()] if found.dtype.kind == "f" and found.dtype != dtype else value


def buffer_arguments(function: Any) -> list[int]:
    """The arguments that a caller gives and the function may write to, by their number among those."""
    types = [type for type, facts in _given(function) if "tir.shared" not in facts and "tir.out" not in facts]
    return [i for i, type in enumerate(types) if isinstance(type, MemRefType)]


def _given(function: Any) -> list[tuple[Type, Mapping[str, Attribute]]]:
    types = function.function_type.inputs
    return [(type, function.argument_attributes(i)) for i, type in enumerate(types)]


def _result_name(entry: Entry, index: int) -> str:
    name = entry.results[index].name
    return f"result {name!r}" if name else f"result {index}"


def is_float(array: Any) -> bool:
    return np.asarray(array).dtype.kind == "f"


# --- draws -----------------------------------------------------------------------------------------------------------


def draw_inputs(program: Program, seed: int, count: int, sizes: Mapping[str, int]) -> tuple[list[Draw], list[str]]:
    """Draws for each entry on which it does not fail, and a sentence for each entry that has none.

    sizes: of named dimensions, where they are to be fixed. The first draw has ordinary numbers, the second the size 1
    wherever a size is open, the third hard numbers (infinities, nan, -0.0); then all begins again with other seeds.
    """
    draws: list[Draw] = []
    remarks: list[str] = []
    for name in program.entries:
        tried = [draw_number(program, name, seed, i, sizes) for i in range(count)]
        found = [draw for draw in tried if isinstance(draw, Draw)]
        draws += found
        if not found:
            remarks.append(f"@{name} is not checked: {next(why for why in tried)}")
    return sorted(draws, key=lambda draw: draw.number), remarks


def draw_number(program: Program, name: str, seed: int, number: int, sizes: Mapping[str, int]) -> Draw | str:
    """One draw on which the entry does not fail; why there is none. Other sizes are tried where they are open."""
    reason = ""
    for attempt in range(SIZE_TRIES):
        try:
            draw = _draw(program, name, seed + number + SEED_STEP * attempt, number, sizes)
        except (TirError, *NUMPY_ERRORS) as error:
            return reason or str(error)
        outcome = program.run(draw)
        if isinstance(outcome, Values):
            return draw
        reason = reason or outcome.message
        if outcome.out_of_steps or not _open_sizes(program, name, sizes) or KINDS[number % 3] == ONES:
            break
    return reason


def open_sizes(module: Op) -> set[str]:
    """The names of the sizes that inputs of the module choose, and "?"."""
    program = Program(module)
    return {size for name in program.entries for size in _open_sizes(program, name, {})}


def _open_sizes(program: Program, name: str, sizes: Mapping[str, int]) -> set[str]:
    """The names, and "?", of the sizes that are to be drawn."""
    types = [p.type for p in program.entries[name].parameters]
    dims = [dim for type in types if isinstance(type, ShapedType) for dim in type.shape if not isinstance(dim, int)]
    names = {str(one) for one in shape_names(dims)} | ({"?"} if any(str(dim) == "?" for dim in dims) else set())
    return names - set(sizes)


def _draw(program: Program, name: str, seed: int, number: int, sizes: Mapping[str, int]) -> Draw:
    entry, kind = program.entries[name], KINDS[number % 3]
    open_sizes = _open_sizes(program, name, sizes)
    known = dict(sizes)
    if kind == ONES:
        known |= dict.fromkeys(open_sizes, 1)
    specs = [
        InputSpec(parameter.name, parameter.type, limits)
        for parameter, limits in zip(entry.parameters, input_ranges(program.function(name)))
    ]
    named = {key: size for key, size in known.items() if key in _names(specs)}
    arrays = list(generate_inputs(specs, seed, named).values())
    if kind == HARD:
        random = np.random.default_rng(seed)
        arrays = [_harden(x, random) if spec.range is None else x for x, spec in zip(arrays, specs)]
    state = None
    if number > 0:
        first = program.first_state()
        state = {key: generate_like(value, seed + i) for i, (key, value) in enumerate(sorted(first.items()))}
    shown = {f"[{key}]" if key != "?" else key: size for key, size in _sizes_of(specs, arrays).items()}
    return Draw(name, number, seed, tuple(arrays), shown, kind, state)


def _names(specs: Sequence[InputSpec]) -> set[str]:
    dims = [dim for spec in specs if isinstance(spec.type, ShapedType) for dim in spec.type.shape]
    return {str(one) for one in shape_names([d for d in dims if not isinstance(d, int)])} | {"?"}


def _sizes_of(specs: Sequence[InputSpec], arrays: Sequence[Any]) -> dict[str, int]:
    """The sizes that the draw has chosen, by name."""
    found: dict[str, int] = {}
    for spec, array in zip(specs, arrays):
        if isinstance(spec.type, ShapedType):
            for dim, size in zip(spec.type.shape, np.shape(array)):
                if not isinstance(dim, int):
                    found.setdefault(str(dim), size)
    return found


def _harden(array: Any, random: Any) -> Any:
    """A float array with a quarter of its numbers replaced by hard ones."""
    if not is_float(array):
        return array
    hard = random.choice(np.array(HARD_NUMBERS), size=np.shape(array))
    with np.errstate(all="ignore"):
        mixed = np.where(random.random(np.shape(array)) < 0.25, hard, array).astype(array.dtype)
    return mixed if isinstance(array, np.ndarray) else mixed[()]
