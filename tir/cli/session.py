"""A module that is being run: which entry, with which arguments, and what comes out, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.check import InputSpec, generate_inputs, input_ranges
from tir.cli.arrays import pick, read_argument, read_npz
from tir.cli.common import CommandLineError
from tir.compile import Entry, Executable
from tir.ir.bfloat16 import widened
from tir.ir.errors import TirError, nearest
from tir.ir.ir import Op
from tir.ir.symbols import SymbolTable
from tir.ir.types import MemRefType
from tir.lazy import np

__all__ = [
    "Arguments", "bind", "choose_entry", "function_of", "load_state", "named_results", "result_names",
    "run_entry", "value_text",
]  # fmt: skip

@dataclass
class Arguments:
    """What the command line says about arguments.

    words: NAME -> VALUE; data: a .npz file with arrays by name; seed: of the inputs to generate for what is not given;
    sizes: of named dimensions, for those.
    """

    words: dict[str, str] = field(default_factory=dict)
    data: str | None = None
    seed: int | None = None
    sizes: dict[str, int] = field(default_factory=dict)


def choose_entry(entries: Mapping[str, Entry], wanted: str | None, flag: str = "--entry") -> Entry:
    """The entry that is wanted; without a wish the only one, or @main."""
    names = ", ".join(f"@{name}" for name in entries)
    if wanted is None:
        if not entries:
            raise TirError("the module has no public function to run")
        if len(entries) > 1 and "main" not in entries:
            raise CommandLineError(f"the module has {names}: choose one by {flag}")
        wanted = "main" if "main" in entries else next(iter(entries))
    wanted = wanted.removeprefix("@")
    if wanted not in entries:
        hint = nearest(wanted, entries)
        raise CommandLineError(f"{flag}: there is no entry @{wanted}; {hint or f'the module has {names or None}'}")
    return entries[wanted]


def function_of(module: Op, entry: Entry) -> Any:
    """The function in the module as it was given."""
    return SymbolTable(module).get(entry.name)


# --- arguments -------------------------------------------------------------------------------------------------------


def bind(entry: Entry, function: Op, given: Arguments) -> dict[str, Any]:
    """An array or number for each argument, by name: from NAME=VALUE, else from the data file, else generated."""
    names = [parameter.name for parameter in entry.parameters]
    words = {_argument_name(word, entry, names): text for word, text in given.words.items()}
    types = {parameter.name: parameter.type for parameter in entry.parameters}
    bound = {name: read_argument(text, name, types[name]) for name, text in words.items()}
    rest = [name for name in names if name not in bound]
    if given.data is not None and rest:
        bound |= _from_data(given.data, rest, needs_all=given.seed is None)
    if given.seed is not None:
        made = _generated(entry, function, given)
        bound = {name: bound.get(name, made[name]) for name in names}
    if missing := [name for name in names if name not in bound]:
        hows = f"give {missing[0]}=VALUE, --data FILE.npz or --generate-inputs SEED"
        raise CommandLineError(f"@{entry.name}: argument '{missing[0]}' ({types[missing[0]]}) is missing; {hows}")
    return bound


def _argument_name(word: str, entry: Entry, names: Sequence[str]) -> str:
    """The argument that `word` names, or whose position it is."""
    if word in names:
        return word
    if word.isdecimal() and int(word) < len(names):
        return names[int(word)]
    has = f"it has {', '.join(repr(name) for name in names)}" if names else "it has none"
    raise CommandLineError(f"@{entry.name} has no argument '{word}'; {nearest(word, names) or has}")


def _from_data(path: str, names: list[str], needs_all: bool) -> dict[str, Any]:
    arrays = read_npz(path, names)
    wanted = names if needs_all else [name for name in names if name in arrays]
    return {name: pick(arrays, name, path, f"argument '{name}'") for name in wanted}


def _generated(entry: Entry, function: Op, given: Arguments) -> dict[str, Any]:
    ranges = input_ranges(function)
    specs = [InputSpec(p.name, p.type, limits) for p, limits in zip(entry.parameters, ranges)]
    assert given.seed is not None
    return generate_inputs(specs, given.seed, given.sizes)


# --- running ---------------------------------------------------------------------------------------------------------


def run_entry(exe: Executable, entry: Entry, function: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The results by name, and the buffers among the arguments that the call has written, by their names."""
    buffers = [i for i, p in enumerate(entry.parameters) if isinstance(_given_types(function)[i], MemRefType)]
    names = [entry.parameters[i].name for i in buffers]
    passed = {name: np.array(value) if name in names else value for name, value in arguments.items()}
    found = named_results(entry, exe.call(entry.name, passed))
    for name in names:
        if passed[name].tobytes() != np.asarray(arguments[name]).tobytes():
            found.setdefault(name, passed[name])
    return found


def _given_types(function: Any) -> list[Any]:
    """The types of the arguments that a caller gives."""
    types = function.function_type.inputs
    facts = [function.argument_attributes(i) for i in range(len(types))]
    return [type for type, one in zip(types, facts) if "tir.shared" not in one and "tir.out" not in one]


def result_names(entry: Entry) -> list[str]:
    """A name for each result: its own, else `result` or its number."""
    names: list[str] = []
    for i, result in enumerate(entry.results):
        free = result.name and result.name not in names
        names.append(result.name if free else "result" if len(entry.results) == 1 else f"result{i}")
    return names


def named_results(entry: Entry, values: Sequence[Any]) -> dict[str, Any]:
    """The results by name; bf16 numbers in float32, which every reader of a file knows."""
    return dict(zip(result_names(entry), map(widened, values)))


def value_text(name: str, value: Any) -> str:
    """`name = value`, arrays as numpy writes them, aligned; a Python float (a mean of results) with 6 digits."""
    head = f"{name} = "
    if isinstance(value, float) and not isinstance(value, np.floating):
        return f"{head}{value:.6g}"
    array = np.asarray(value)
    return head + (np.array2string(array, prefix=head) if array.ndim else str(array[()]))


# --- state -----------------------------------------------------------------------------------------------------------


def load_state(exe: Executable, module: Op, path: str) -> None:
    """Sets all shared variables from a .npz file: each must be there with its dtype and shape, and nothing else."""
    arrays = read_npz(path)
    for name in exe.state:
        pick(arrays, name, path, f"shared variable '{name}'")
    symbols = SymbolTable(module)
    for name in list(arrays):
        if symbols.lookup(name) is None or name in exe.entries:
            hint = nearest(name, exe.state)
            raise TirError(f"{path}: the module has no shared variable '{name}'", hint=hint)
        if name not in exe.state:
            del arrays[name]  # the first value of what no code uses, below the tensor level
    for name, array in arrays.items():
        wanted = exe.state[name]
        if name in exe.state.of_bf16:  # saved in float32
            array, wanted = widened(array), widened(wanted)
        _check_like(f"{path}: shared variable '{name}'", array, wanted)
    for name, array in arrays.items():
        exe.state[name] = array


def _check_like(label: str, array: Any, wanted: Any) -> None:
    if array.dtype.newbyteorder("=") != wanted.dtype:
        raise TirError(f"{label} must be {wanted.dtype}, got {array.dtype}")
    if array.ndim != wanted.ndim:
        raise TirError(f"{label} must have rank {wanted.ndim}, got {array.ndim}")
    for axis, (want, got) in enumerate(zip(wanted.shape, array.shape)):
        if want != got:
            raise TirError(f"{label}: axis {axis} must have size {want}, got {got}")
