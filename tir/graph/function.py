"""`tir.function`: from inputs, outputs, updates and givens to something that can be called.

    train = tir.function([x, y], cost, updates=[(w, w - 0.1 * gw)])
    train(images, labels)

What an output and a new value read of a shared variable is what it was before the call; all updates are made at the end,
together. The graph is checked when the function is made; it is compiled at the first call, for the sizes that the shared
variables have then, and again when these have changed.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from tir.configuration import config
from tir.graph.building import Built, build
from tir.graph.calling import Converter
from tir.graph.errors import GraphTypeError
from tir.graph.graph import located
from tir.graph.modes import mode_of
from tir.graph.program import Out, Program, program_of
from tir.graph.shared import SharedVariable
from tir.ir.errors import counted

__all__ = ["Function", "function"]


@located
def function(
    inputs: Any, outputs: Any = None, mode: Any = None, updates: Any = None, givens: Any = None,
    no_default_updates: Any = False, accept_inplace: bool = False, name: str | None = None,
    rebuild_strict: bool = True, allow_input_downcast: bool | None = None, profile: Any = None,
    on_unused_input: str | None = None, **wrong: Any,
) -> Function:  # fmt: skip
    """A function of variables.

    inputs: variables, or `In` of them. outputs: None, a variable, a list, or a dictionary by name: what a call returns has
    that form. updates: new values of shared variables: a dictionary, or pairs. givens: variables and the expressions that
    stand in their place. mode: a name such as "FAST_COMPILE", or a `Mode`. allow_input_downcast: of all inputs, see `In`.
    on_unused_input: "raise", "warn" or "ignore". profile: calls are counted and timed.
    """
    if wrong:
        name_given = next(iter(wrong))
        hint = "did you mean 'outputs'?" if name_given.startswith("output") else None
        raise GraphTypeError(f"function: there is no argument {name_given!r}", hint=hint)
    listed, form = _form_of(outputs)
    program = program_of(inputs, listed, updates, givens, name, no_default_updates, on_unused_input)
    for one in program.inputs:
        if one.allow_downcast is None:
            one.allow_downcast = allow_input_downcast
    return Function(program, form, mode_of(mode), profile if profile is not None else config.profile)


def _form_of(outputs: Any) -> tuple[list[Any], Any]:
    """The outputs as a list, and the form in which a call returns them: None, "one", "list" or the keys of a dictionary."""
    if outputs is None:
        return [], None
    if isinstance(outputs, dict):
        for key in outputs:
            if not isinstance(key, str):
                raise GraphTypeError(f"the keys of a dictionary of outputs must be strings, got {key!r}")
        return [_bare(x) for x in outputs.values()], tuple(outputs)
    if isinstance(outputs, (list, tuple)):
        return [_bare(x) for x in outputs], "list"
    return [_bare(outputs)], "one"


def _bare(output: Any) -> Any:
    return output.variable if isinstance(output, Out) else output


class Profile:
    """How often a function was called, and the seconds that this took; compiling apart."""

    def __init__(self) -> None:
        self.calls, self.call_time, self.compile_time = 0, 0.0, 0.0

    def summary(self, file: Any = None) -> None:
        """Prints the counts."""
        print(str(self), file=file or sys.stderr)

    def __str__(self) -> str:
        per_call = self.call_time / self.calls * 1e6 if self.calls else 0.0
        calls = f"{counted(self.calls, 'call')}, {self.call_time:.6f} s ({per_call:.1f} us each)"
        return f"{calls}; compiled in {self.compile_time:.3f} s"


class Function:
    """A compiled function. Call it with its inputs, by place or by name; shared variables are updated by the call."""

    def __init__(self, program: Program, form: Any, mode: Any, profile: Any = False) -> None:
        self.program, self.form, self.mode = program, form, mode
        self.name = program.name
        self.profile: Any = Profile() if profile is True else profile or None
        self._converters = [Converter(one, self.name) for one in program.inputs]
        self._by_name = {one.name: i for i, one in enumerate(program.inputs) if one.name}
        self._holders = [variable.holder for variable in program.shared]
        self._lock = threading.RLock()
        self._compiled: tuple[Any, Built, Any] | None = None

    def __call__(self, *given: Any, output_subset: Sequence[Any] | None = None, **named: Any) -> Any:
        started = time.perf_counter() if self.profile is not None else 0.0
        arguments = self._arguments(given, named)
        _, built, executable = self._ready()
        results = executable.call(built.entry, arguments)
        if self.profile is not None:
            self.profile.calls += 1
            self.profile.call_time += time.perf_counter() - started
        return self._formed(results, output_subset)

    def _arguments(self, given: Sequence[Any], named: dict[str, Any]) -> list[Any]:
        converters = self._converters
        if len(given) == len(converters) and not named:
            return [converter(value) for converter, value in zip(converters, given)]
        if len(given) > len(converters):
            raise GraphTypeError(f"{self.name}: takes {self._taken()}, got {len(given)}")
        found: list[Any] = [*given, *[_MISSING] * (len(converters) - len(given))]
        for name, value in named.items():
            place = self._by_name.get(name)
            if place is None:
                raise GraphTypeError(f"{self.name}: there is no input {name!r}; it takes {self._taken()}")
            if place < len(given):
                raise GraphTypeError(f"{self.name}: input {name!r} is given twice, by its place and by its name")
            found[place] = value
        return [c(value) if value is not _MISSING else c.default() for c, value in zip(converters, found)]

    def _taken(self) -> str:
        names = ", ".join(one.name or "one without a name" for one in self.program.inputs)
        return counted(len(self.program.inputs), "input") + (f" ({names})" if names else "")

    def _formed(self, results: list[Any], subset: Sequence[Any] | None) -> Any:
        """The results in the form of the outputs."""
        if isinstance(self.form, tuple):
            chosen = self.form if subset is None else subset
            return {key: results[self.form.index(key)] for key in chosen}
        if subset is not None:
            results = [results[i] for i in subset]
        return results[0] if self.form == "one" and len(results) == 1 else results

    # --- compiled ----------------------------------------------------------------------------------------------------

    def _ready(self) -> tuple[Any, Built, Any]:
        """What is compiled for the sizes of the shared variables."""
        key = [holder.array.shape for holder in self._holders]
        compiled = self._compiled
        if compiled is not None and compiled[0] == key:
            return compiled
        with self._lock:
            if self._compiled is None or self._compiled[0] != key:
                self._compiled = self._compile(key)
            return self._compiled

    def _compile(self, key: list[tuple[int, ...]]) -> tuple[Any, Built, Any]:
        started = time.perf_counter()
        built = build(self.program, key)
        holders = {symbol: variable.holder for symbol, variable in built.symbols.items()}
        executable = self.mode.compile(built.module, holders)
        if self.profile is not None:
            self.profile.compile_time += time.perf_counter() - started
        return key, built, executable

    @property
    def module(self) -> Any:
        """The module at the tensor level, for the sizes that the shared variables have."""
        return self._ready()[1].module

    def get_shared(self) -> list[SharedVariable]:
        """The shared variables that it reads or updates."""
        return list(self.program.shared)

    def __repr__(self) -> str:
        return f"<tir function {self.name} of {self._taken()}>"


_MISSING = object()
