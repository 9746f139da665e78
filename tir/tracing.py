"""`tir.jit`: a function of arrays, traced into a program and compiled at its first call for each kind of arguments.

    @tir.jit
    def step(w, x, y, rate):
        error = x @ w - y
        return w - rate * (x.T @ error) / len(x), np.mean(error**2)

    w, cost = step(w, x, y, 0.1)

Tracing calls the function once with `Array`s, which look like numpy's arrays and put ops into a `tir.Builder`. What the
program is made for are the element types and shapes of the arguments and the values of static ones; another call with
the same finds it compiled. `TIR_LOG=recompiles` tells on standard error when there is a second program, and why.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any

from tir.api import Argument, caller_location, executable, raised_at
from tir.calls import for_users
from tir.compile import TARGETS, Executable
from tir.dialects.tir.build.core import Tensor, told
from tir.ir.affine import parse_affine
from tir.ir.attributes import StringAttr
from tir.ir.errors import FileLocation, TirError, counted, nearest
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.rewrite import FP_MODES
from tir.ir.types import BF16, DYNAMIC, F64, I64, Dim, TensorType, type_of_dtype
from tir.lazy import np
from tir.numpy.arrays import TRACED, Array, Tracer, active, as_array, builder_of, is_operand, tracing
from tir.runtime.callables import NativeCallable
from tir.runtime.wrapper import CallStyle
from tir.trees import flat, form, labelled, mapped

__all__ = ["Jitted", "array_of", "jit"]

MOST_KEPT = 256  # programs of transforms


@for_users
def jit(
    function: Callable[..., Any] | None = None, *, static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (), dynamic: Mapping[str | int, Mapping[int, str | None]] | None = None,
    fp_mode: str = "stable", target: str = "cpu",
) -> Any:  # fmt: skip
    """The function, compiled for the arguments that it is called with; also as `@tir.jit(target="interpret")`.

    Arguments and results are arrays, numbers, and lists, tuples, named tuples and dictionaries of them. A Python number
    is an argument of the program too; it takes the type of the array that it meets, as in numpy. Other arrays that the
    function uses are constants, as they were at its first call.

    static_argnums, static_argnames: arguments of any hashable kind, which the program is made for; the function gets
    them as they are.
    dynamic: axes that stay open, by the name or number of the argument: `{"x": {0: "B"}}`. Axes of one name have one
    size; None instead of a name says nothing of the size. The arrays of an argument that is a tree are all meant.
    A call may say in which arrays the results are to be: `step(w, x, out=y)`, with a tree of them if it gives several,
    unless the function has an argument of this name.
    fp_mode, target: as `tir.executable` has them.
    """
    options: dict[str, Any] = {
        "static_argnums": static_argnums, "static_argnames": static_argnames, "dynamic": dynamic or {}, "fp_mode": fp_mode,
        "target": target,
    }  # fmt: skip
    if function is None:
        return lambda function: Jitted(function, **options)
    return Jitted(function, **options)


@dataclass(frozen=True)
class Leaf:
    """An argument of the program, or a part of one: what it is called, and what the program is made for.

    kind: "array", or "int", "float" for Python numbers; "static" for what is part of the program.
    """

    label: str
    kind: str
    dtype: Any = None
    shape: tuple[Any, ...] = ()
    value: Any = None

    def key(self) -> Hashable:
        return self.kind, self.dtype, self.shape, type(self.value), self.value


@dataclass
class Program:
    """What one kind of arguments is compiled to. results: the tree of them, with numbers for what the program returns."""

    leaves: list[Leaf]
    module: Op
    results: Any
    executable: Executable | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Jitted(NativeCallable):
    """A function of arrays that is compiled when it is called; see `jit`. Code takes calls of arrays and numbers by place.

    called: what messages call it. is_transform: it is what `tir.grad` and its kin make of a function. That is called each
    time, as Python functions are, and what it uses from outside is as it is then; code that is the same as before is not
    compiled again. What is no array is static there.
    """

    def __init__(
        self, function: Callable[..., Any], called: str = "tir.jit", static_argnums: Any = (), static_argnames: Any = (),
        dynamic: Mapping[Any, Any] | None = None, fp_mode: str = "stable", target: str = "cpu",
        is_transform: bool = False,
    ) -> None:  # fmt: skip
        self.called = called
        if not callable(function):
            raise self._error(f"takes a function, got {told(function)}")
        self.function, self.fp_mode, self.target = function, fp_mode, target
        self.is_transform = is_transform
        self.name = getattr(function, "__name__", type(function).__name__)
        self.signature = _signature(function)
        self.static = self._static_names(static_argnums, static_argnames)
        self.dynamic = self._open_axes(dynamic or {})
        for what, given, choices in (("target", target, TARGETS), ("fp_mode", fp_mode, FP_MODES)):
            if given not in choices:
                hint = nearest(given, choices) if isinstance(given, str) else None
                raise self._error(f"{what} must be one of {', '.join(choices)}, got {told(given)}", hint)
        #: The function has no argument `out` of its own, so that a call may say where results go.
        self._gives_out = self.signature is not None and not any(
            p.name == "out" or p.kind is p.VAR_KEYWORD for p in self.signature.parameters.values()
        )
        self._programs: dict[Hashable, Program] = {}
        self._by_kinds: dict[Hashable, Program] = {}
        self._lock = threading.RLock()
        update_wrapper(self, function, updated=())  # attributes of a function are its own, among them those of a Jitted

    def __call__(self, *given: Any, **named: Any) -> Any:
        """What the function gives, computed by the program for these arguments. In a traced function, it is traced too."""
        out = flat(named.pop("out")) if "out" in named and self._gives_out else []
        if not named and not self.is_transform and active() is None and (kinds := self._kinds(given)) is not None:
            program = self._by_kinds.get(kinds)
            if program is None:
                program = self._by_kinds[kinds] = self._program(given, named)[0]
            self._use_code_of(program)
            return self._packed(program, self._run(program, given, out))
        values = flat((given, named))
        b = builder_of(values)
        if b is not None and out:
            raise self._error(f"{self.name}() is traced here, and writes to no array", hint="leave out=.. out")
        if b is not None:
            return self._inline(b, given, named)
        program, arguments = self._program(given, named)
        self._use_code_of(program)
        return self._packed(program, self._run(program, arguments, out))

    def _use_code_of(self, program: Program) -> None:
        """Code that has not taken the call will take the next like it."""
        code = program.executable.code if program.executable is not None else None
        if code is not None and code not in self.codes():
            self.use_first(code)

    def _kinds(self, given: Sequence[Any]) -> Hashable | None:
        """What decides about the program if the arguments are nothing but arrays and numbers: the usual case, fast."""
        if self.static or self.dynamic:
            return None
        kinds: list[Any] = []
        for x in given:
            kind = type(x)
            if kind is np.ndarray:
                kinds.append((x.dtype, x.shape))
            elif kind is float or kind is int:
                kinds.append(kind)
            else:
                return None
        return tuple(kinds)

    def _packed(self, program: Program, results: Sequence[Any]) -> Any:
        """The results in the form that the function gave them."""
        if isinstance(program.results, int):
            return results[program.results]
        return mapped(lambda place: None if place is None else results[place], program.results)

    def _inline(self, b: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """What the function gives inside of another one that is traced."""

        def known(x: Any) -> Any:
            return as_array(b, x) if isinstance(x, (Tensor, np.ndarray)) else x

        trees = [x if name in self.static else mapped(known, x) for _, name, x in self._by_name(given, named)]
        return self.function(*trees[: len(given)], **dict(zip(named, trees[len(given) :])))

    def lower(self, *given: Any, **named: Any) -> Op:
        """The module that is compiled for these arguments: print it, or hand it to `tir.transform`."""
        leaves, tree = self._leaves(given, named)
        return self._trace(leaves, *tree).module

    def cache_size(self) -> int:
        """How many programs there are."""
        return len(self._programs)

    def __repr__(self) -> str:
        return f"<{self.called} of {self.name}({', '.join(self._names())})>"

    def __copy__(self) -> Jitted:
        return self  # like a function: it has no state of its own

    def __deepcopy__(self, memo: Any) -> Jitted:
        return self

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else _Bound(self, instance)

    def _error(self, message: str, hint: str | None = None) -> TirError:
        return TirError(f"{self.called}: {message}", caller_location(), hint=hint)

    # --- options -----------------------------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        return list(self.signature.parameters) if self.signature is not None else []

    def _static_names(self, numbers: Any, names: Any) -> frozenset[str]:
        """The names of the static parameters."""
        found: list[str] = []
        for one in [names] if isinstance(names, str) else names:
            if one not in self._names():
                hint = nearest(str(one), self._names())
                raise self._error(f"static_argnames: {self.name}() has no argument {one!r}", hint)
            found.append(one)
        for number in [numbers] if isinstance(numbers, int) else numbers:
            found.append(self._parameter("static_argnums", number))
        return frozenset(found)

    def _parameter(self, what: str, number: Any) -> str:
        names = self._names()
        if not isinstance(number, int) or isinstance(number, bool) or not -len(names) <= number < len(names):
            has = ", ".join(names) or "of no names"
            raise self._error(f"{what}: {self.name}() has arguments {has}, got {told(number)}")
        return names[number]

    def _open_axes(self, dynamic: Mapping[Any, Any]) -> dict[str, dict[int, str | None]]:
        """The open axes by the names of parameters."""
        found: dict[str, dict[int, str | None]] = {}
        for argument, axes in dynamic.items():
            name = argument if isinstance(argument, str) else self._parameter("dynamic", argument)
            if name not in self._names():
                raise self._error(f"dynamic: {self.name}() has no argument {name!r}", nearest(name, self._names()))
            if not isinstance(axes, Mapping) or not all(_is_axis(*pair) for pair in axes.items()):
                raise self._error(f"dynamic[{argument!r}] must be names by axis, such as {{0: 'B'}}, got {told(axes)}")
            found[name] = dict(axes)
        return found

    # --- arguments ---------------------------------------------------------------------------------------------------

    def _program(self, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[Program, list[Any]]:
        """The program for these arguments, and what it takes of them."""
        leaves, tree = self._leaves(given, named)
        arguments = [value for leaf, value in leaves if leaf.kind != "static"]
        if self.is_transform:
            traced = self._trace(leaves, *tree)
            traced.executable = _COMPILED.get(traced.module)
            return traced, arguments
        key = form(tree), tuple(leaf.key() for leaf, _ in leaves)
        program = self._programs.get(key)
        if program is None:
            with self._lock:
                program = self._programs.get(key)
                if program is None:
                    program = self._trace(leaves, *tree)
                    style = self._style(program, tree)
                    program.executable = executable(program.module, self.target, fp_mode=self.fp_mode, style=style)
                    self._tell(program)
                    self._programs[key] = program
        return program, arguments

    def _style(self, program: Program, tree: Any) -> CallStyle | None:
        """How code takes calls: if all arguments are arrays and numbers, given by place, and results no trees of others."""
        places, leaves = form_of_results(program.results), program.leaves
        is_flat = tree == ((0,) * len(leaves), {}) and all(leaf.kind in TAKEN for leaf in leaves)
        if not is_flat or places is None:
            return None
        return CallStyle(places, [TAKEN[leaf.kind] for leaf in leaves], self._gives_out, [TRACED])

    def _leaves(self, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[list[tuple[Leaf, Any]], Any]:
        """What is in the arguments, and the trees that it is in."""
        leaves = []
        for label, name, tree in self._by_name(given, named):
            if name in self.static:
                leaves.append((self._static(label, tree), tree))
            else:
                leaves += [self._leaf(part, name, x) for part, x in labelled(label, tree)]
        cut = [mapped(lambda _: 0, x) if name not in self.static else 0 for _, name, x in self._by_name(given, named)]
        count = len(given)
        return leaves, (tuple(cut[:count]), dict(zip(named, cut[count:])))

    def _by_name(self, given: Sequence[Any], named: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
        """Each argument with what it is called and the name of its parameter."""
        names = self._names_by_place(len(given), named)
        for place, tree in enumerate(given):
            yield names[place][0], names[place][1], tree
        for name, tree in named.items():
            yield name, name, tree

    def _names_by_place(self, count: int, named: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The names of arguments that are given by place; TirError if the function does not take these."""
        if self.signature is None:
            return [(f"argument{i}", "") for i in range(count)]
        try:
            self.signature.bind(*range(count), **named)
        except TypeError as error:
            raise self._error(f"{self.name}() takes {_taken(self.signature)}: {error}") from None
        found: list[tuple[str, str]] = []
        for parameter in self.signature.parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                rest = range(count - len(found))
                found += [(f"{parameter.name}[{i}]", parameter.name) for i in rest]
            elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                found.append((parameter.name, parameter.name))
        return found[:count]

    def _static(self, label: str, value: Any) -> Leaf:
        try:
            hash(value)
        except TypeError:
            cure = "a tuple is, for a list" if isinstance(value, list) else "arrays are no static arguments"
            raise self._error(f"static argument '{label}' must be hashable, got {told(value)}", cure) from None
        return Leaf(label, "static", value=value)

    def _leaf(self, label: str, name: str, x: Any) -> tuple[Leaf, Any]:
        """An argument, or a part of one, and the array that the program gets."""
        if x is None:
            return Leaf(label, "static"), x
        if isinstance(x, (int, float)) and not isinstance(x, (bool, np.generic)):
            if isinstance(x, int) and not -(2**63) <= x < 2**63:
                message = f"argument '{label}' must be below 2^63, got {told(x)}"
                raise self._error(message, hint="static_argnames keeps it as it is")
            return Leaf(label, type(x).__name__ if type(x) in (int, float) else "float"), x
        try:
            array = array_of(x)
        except Exception as error:  # what another package says of its own arrays
            raise self._error(f"argument '{label}' cannot be read as an array: {error}") from None
        if array is None:
            if self.is_transform:
                return self._static(label, x), x
            raise self._error(f"argument '{label}' must be an array or a number, got {told(x)}", _cure(name, x))
        return Leaf(label, "array", array.dtype.newbyteorder("="), self._shape(label, name, array)), array

    def _shape(self, label: str, name: str, array: Any) -> tuple[Any, ...]:
        """The shape that the program is made for: names where axes are open."""
        axes = self.dynamic.get(name)
        if axes is None:
            return array.shape
        shape: list[Any] = list(array.shape)
        for axis, size_name in axes.items():
            if not -array.ndim <= axis < array.ndim:
                raise self._error(f"dynamic: argument '{label}' has no axis {axis}, its shape is {array.shape}")
            shape[axis] = size_name or "?"
        return tuple(shape)

    # --- tracing -----------------------------------------------------------------------------------------------------

    def _trace(self, leaves: Sequence[tuple[Leaf, Any]], given: Any, named: Any) -> Program:
        """The program that the function writes when it is called with traced arrays."""
        b = Tracer(self.name)
        types = {f"{i}": Argument(_type(leaf)) for i, (leaf, _) in enumerate(leaves) if leaf.kind != "static"}
        entry = re.sub(r"\W+", "_", self.name).strip("_") or "f"
        with tracing(b), b._function_of(entry, types) as arguments:
            rest = iter(arguments)
            values: list[Any] = []
            for leaf, value in leaves:
                values.append(value if leaf.kind == "static" else self._argument(b, next(rest), leaf))
            found = self._called(b, given, named, values)
            results, tree = self._results(b, found)
            b.returns(*results)
        self._name_arguments(b, [leaf for leaf, _ in leaves if leaf.kind != "static"])
        return Program([leaf for leaf, _ in leaves], b.module, tree)

    def _argument(self, b: Tracer, x: Tensor, leaf: Leaf) -> Array:
        return Array(b, x.value, is_weak=leaf.kind != "array")

    def _name_arguments(self, b: Tracer, leaves: Sequence[Leaf]) -> None:
        """Gives the arguments of the program their labels."""
        function: Any = b.module.body.last
        for i, leaf in enumerate(leaves):
            function.arguments[i].hint = re.sub(r"\W+", "_", leaf.label).strip("_")
            function.set_argument_attribute(i, "tir.name", StringAttr(leaf.label))

    def _called(self, b: Tracer, given: Any, named: Any, values: Sequence[Any]) -> Any:
        rest = iter(values)
        arguments, words = mapped(lambda _: next(rest), given), mapped(lambda _: next(rest), named)
        try:
            return self.function(*arguments, **words)
        except (TypeError, ValueError) as error:
            if not isinstance(error, TirError) and b.asked is not None and b.asked.location == raised_at(error):
                raise b.asked from None  # numpy has only said that it got no numbers
            if any(name in str(error) for name in ("'Affine", "'SizeOf'")):
                hint = "tir.numpy.asarray(n) makes an array of it, and tir.numpy has functions that take it as a size"
                raise TirError("a size that is dynamic is no number yet", raised_at(error), hint=hint) from None
            raise

    def _results(self, b: Tracer, found: Any) -> tuple[list[Tensor], Any]:
        """What the function gave as tensors, and the tree with their numbers."""
        results: list[Tensor] = []

        def place(x: Any) -> int | None:
            if x is None:
                return None
            if not is_operand(x):
                message = f"{self.name}() must give arrays, numbers or trees of them, got {told(x)}"
                raise TirError(message, self._place())
            results.append(as_array(b, x))
            return len(results) - 1

        tree = mapped(place, found)
        for x in results:
            try:
                value = x.value
            except TirError as error:  # what a mask chooses is no tensor yet
                error.location = self._place()
                raise
            if (problem := b.out_of_reach(value)) is not None:
                raise TirError(f"{self.name}() gives a traced array that {problem[0]}", self._place(), hint=problem[1])
        return results, tree

    def _place(self) -> FileLocation | None:
        """Where the function is written."""
        code = getattr(self.function, "__code__", None)
        return None if code is None else FileLocation(code.co_filename, code.co_firstlineno, 1)

    # --- running -----------------------------------------------------------------------------------------------------

    def _run(self, program: Program, arguments: Sequence[Any], out: Sequence[Any]) -> list[Any]:
        assert program.executable is not None
        (entry,) = program.executable.entries
        count = len(program.executable.entries[entry].results)
        if out and len(out) != count:
            raise self._error(f"{self.name}() gives {counted(count, 'array')}, out has {len(out)}")
        if self.target == "cpu":
            return program.executable.call(entry, arguments, out)
        with program.lock:  # an interpreter runs one call at a time
            return program.executable.call(entry, arguments, out)

    def _tell(self, program: Program) -> None:
        """Says on standard error why there is one more program, if that is asked for."""
        if not self._programs or "recompiles" not in os.environ.get("TIR_LOG", "").split(","):
            return
        found = [_differences(old.leaves, program.leaves) for old in reversed(self._programs.values())]
        reasons = min(found, key=lambda reasons: (len(reasons), reasons[0].startswith("the ")))
        place = self._place()
        where = f"{place.file}:{place.line}: " if place is not None else ""
        print(f"{where}{self.name}() is compiled again: {'; '.join(reasons)}", file=sys.stderr)


class _Compiled:
    """Programs that were compiled lately, by their text: a transform is traced at each call."""

    def __init__(self) -> None:
        self._found: dict[str, Executable] = {}  # the latest used last
        self._lock = threading.RLock()

    def get(self, module: Op) -> Executable:
        """The module, compiled; the same one for the same text at the same lines."""
        text = print_op(module, locations=True)
        with self._lock:
            found = self._found.pop(text, None) or executable(module)
            self._found[text] = found
            if len(self._found) > MOST_KEPT:
                del self._found[next(iter(self._found))]
        return found


_COMPILED = _Compiled()


class _Bound:
    """A jitted method of an object: the object is a static argument."""

    def __init__(self, jitted: Jitted, instance: Any) -> None:
        self.jitted, self.instance = jitted, instance

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self.jitted(self.instance, *given, **named)


def _cure(name: str, x: Any) -> str | None:
    """What to do about an argument that is no array of numbers."""
    if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
        return "there are no complex numbers; keep real and imaginary parts apart"
    if isinstance(x, (np.ndarray, np.generic)):
        return f"x.astype(float) converts it, if what has dtype {x.dtype} are numbers"
    return f"static_argnames={name!r} makes it part of the program" if name else None
#: What code takes for the kinds of leaves.
TAKEN = {"array": frozenset({"array", "scalar"}), "int": frozenset({"int"}), "float": frozenset({"float"})}


def form_of_results(tree: Any) -> Any:
    """The form of results that code makes, as `CallStyle` has it; None for one that it does not make."""
    if isinstance(tree, int):
        return tree
    kind = "list" if type(tree) is list else "tuple" if type(tree) is tuple else None
    return (kind, tree) if kind is not None and all(isinstance(part, int) for part in tree) else None


def array_of(x: Any) -> Any:
    """x as a numpy array without a copy where its memory allows; None if it is no array of numbers."""
    if isinstance(x, np.ndarray):
        array = x
    elif isinstance(x, (bool, np.generic)) or hasattr(x, "__array__"):
        array = np.asarray(x)
    elif hasattr(x, "__dlpack__"):
        array = np.from_dlpack(x)
    else:
        return None
    is_number = array.dtype.kind in "biuf" and array.dtype.itemsize <= 8
    return array if is_number or array.dtype.name == "bfloat16" else None


def _type(leaf: Leaf) -> TensorType:
    if leaf.kind != "array":
        return TensorType((), I64 if leaf.kind == "int" else F64)
    element = BF16 if leaf.dtype.name == "bfloat16" else type_of_dtype(leaf.dtype.name)
    return TensorType(tuple(map(_dim, leaf.shape)), element)


def _dim(size: Any) -> Dim:
    return size if isinstance(size, int) else DYNAMIC if size == "?" else parse_affine(size)


def _is_axis(axis: Any, name: Any) -> bool:
    is_name = name is None or (isinstance(name, str) and re.fullmatch(r"[A-Za-z]\w*", name) is not None)
    return isinstance(axis, int) and not isinstance(axis, bool) and is_name


def _differences(old: Sequence[Leaf], new: Sequence[Leaf]) -> list[str]:
    """What a program is made for that another is not."""
    if [leaf.label for leaf in old] != [leaf.label for leaf in new]:
        return ["the arguments are " + (", ".join(leaf.label for leaf in new) or "none")]
    found = []
    for before, after in zip(old, new):
        if "static" in (before.kind, after.kind):
            changed = (before.value, after.value) if before.key() != after.key() else None
            what = f"static argument '{after.label}': "
        else:
            what = f"argument '{after.label}': "
            name = next((name for name in ("kind", "dtype", "shape") if getattr(before, name) != getattr(after, name)), None)
            changed = None if name is None else (getattr(before, name), getattr(after, name))
            what += "" if name in ("kind", None) else f"{name} "
        if changed is not None:
            found.append(what + " -> ".join(map(str, changed)))
    return found or ["the forms of the arguments differ"]


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # some that are written in C do not say
        return None


def _taken(signature: inspect.Signature) -> str:
    return ", ".join(signature.parameters) or "no arguments"
