"""`tir.function`: from inputs, outputs, updates and givens to something that can be called.

    train = tir.function([x, y], cost, updates=[(w, w - 0.1 * gw)])
    train(images, labels)

What an output and a new value read of a shared variable is what it was before the call; all updates are made at the end,
together. The graph is checked when the function is made; it is compiled at the first call, for the sizes that the shared
variables have then, and again when these have changed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tir.configuration import config
from tir.dialects.tir.build.core import public_names
from tir.graph.building import Built, build
from tir.graph.calling import Converter
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH, located
from tir.graph.modes import mode_of
from tir.graph.optimized import FunctionGraph
from tir.graph.pickling import SavedProgram, load_placeholder
from tir.graph.program import In, Out, Program, program_of
from tir.graph.replacing import mapping_of, pairs_of, replaced
from tir.graph.shared import SharedVariable
from tir.graph.variable import Variable
from tir.inspect.explanations import Explanation, explain
from tir.inspect.levels import IRText, ir_at
from tir.inspect.pages import explore
from tir.inspect.profiles import Profile
from tir.ir.bfloat16 import to_caller
from tir.ir.errors import counted, nearest
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.state import SHARED_LOCK

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
    inputs = [one if isinstance(one, In) else In(one) for one in inputs] if isinstance(inputs, (list, tuple)) else inputs
    kept = [one.update for one in inputs if one.update is not None] if isinstance(inputs, list) else []
    program = program_of(inputs, [*listed, *kept], updates, givens, name, no_default_updates, on_unused_input)
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


class Function:
    """A compiled function. Call it with its inputs, by place or by name; shared variables are updated by the call."""

    def __init__(self, program: Program | SavedProgram, form: Any, mode: Any, profile: Any = False) -> None:
        self.program, self.form, self.mode = program, form, mode
        self.name = program.name
        self.profile: Profile | None = Profile() if profile is True else profile or None
        self._converters = [Converter(one, self.name) for one in program.inputs]
        self._by_name = {one.name: i for i, one in enumerate(program.inputs) if one.name}
        self._kept = [one for one in program.inputs if one.update is not None]
        self._holders = [variable.holder for variable in program.shared]
        self._lock = threading.RLock()
        self._compiled: tuple[Any, Built, Any] | None = None

    # --- calls -------------------------------------------------------------------------------------------------------

    def __call__(self, *given: Any, output_subset: Sequence[Any] | None = None, **named: Any) -> Any:
        arguments = self._arguments(given, named)
        _, built, executable = self._ready()
        if built.open:
            results = self._called_with_open(executable, built, arguments)
        elif self.profile is None:
            results = executable.call(built.entry, arguments)
        else:
            results = self._profiled(executable, built.entry, arguments)
        for one in self._kept[::-1]:
            one.value = results.pop()
        return self._formed(results, output_subset)

    def _called_with_open(self, executable: Any, built: Built, arguments: list[Any]) -> list[Any]:
        """A call with shared variables that are arguments; some of them may have another shape afterwards."""
        with SHARED_LOCK:
            held = [to_caller(v.holder.array) if v.dtype == "bfloat16" else v.holder.array for v in built.open]
            call = executable.call if self.profile is None else partial(self._profiled, executable)
            results = call(built.entry, [*arguments, *held])
            for variable in reversed(built.changed):
                variable.set_value(results.pop(), borrow=True)
            return results

    def _profiled(self, executable: Any, entry: str, arguments: list[Any]) -> list[Any]:
        assert self.profile is not None
        before: Sequence[Any] = getattr(executable, "nest_times", list)()
        with self.profile.call(self.name):
            results = executable.call(entry, arguments)
        self.profile.add_nests(before, getattr(executable, "nest_times", list)())
        return results

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

    def __getitem__(self, name: Any) -> Any:
        """The value that an input has where a call gives none."""
        return self._input(name).value

    def __setitem__(self, name: Any, value: Any) -> None:
        self._input(name).value = value

    def _input(self, name: Any) -> In:
        for one in self.program.inputs:
            if one.value is not None and name in (one.name, one.variable):
                return one
        raise GraphTypeError(f"{self.name}: there is no input {name!r} with a value of its own; it takes {self._taken()}")

    # --- compiled ----------------------------------------------------------------------------------------------------

    def _ready(self) -> tuple[Any, Built, Any]:
        """What is compiled for the sizes of the shared variables; those that calls may change do not count."""
        compiled = self._compiled
        if compiled is not None and compiled[0] == self._key(compiled[1]):
            return compiled
        with self._lock:
            if self._compiled is None or self._compiled[0] != self._key(self._compiled[1]):
                self._compiled = self._compile([holder.array.shape for holder in self._holders])
            return self._compiled

    def _key(self, built: Built) -> list[Any]:
        """The shapes that the module was built for."""
        if not built.open:
            return [holder.array.shape for holder in self._holders]
        return [None if v in built.open else v.holder.array.shape for v in self.program.shared]

    def _compile(self, key: list[tuple[int, ...]]) -> tuple[Any, Built, Any]:
        if self.profile is None:
            return self._made(key, False)
        with self.profile.compiling():
            return self._made(key, True)

    def _made(self, key: list[tuple[int, ...]], timed: bool) -> tuple[Any, Built, Any]:
        built = self.program.build(key) if isinstance(self.program, SavedProgram) else build(self.program, key)
        holders = {symbol: variable.holder for symbol, variable in built.symbols.items()}
        return self._key(built), built, self.mode.compile(built, holders, timed)

    def free(self) -> None:
        """Forgets what was compiled; the next call compiles again."""
        with self._lock:
            self._compiled = None

    # --- looking inside ----------------------------------------------------------------------------------------------

    @property
    def module(self) -> Op:
        """The module at the tensor level, for the sizes that the shared variables have."""
        if self._compiled is not None and self._compiled[0] == self._key(self._compiled[1]):
            return self._compiled[1].module
        key = [holder.array.shape for holder in self._holders]
        return (self.program.build(key) if isinstance(self.program, SavedProgram) else build(self.program, key)).module

    def ir(self, level: str = "tensor", *, locations: bool = False) -> IRText:
        """The text of the function at a level: tensor, optimized, structured, fused, buffers, loops, llvm or asm."""
        return ir_at(self.module, level, locations=locations)

    def explain(self, sizes: Mapping[str, int] | None = None) -> Explanation:
        """What was fused and what was not and why, which rules fired, where arrays lie, and what it costs."""
        return explain(self.module, sizes=sizes)

    def explore(self, path: Any = None, open_browser: bool = False) -> str:
        """Writes a page that shows the function at every level, with all rewrites; gives the path of the file."""
        return explore(self.module, path, open_browser, title=self.name)

    @property
    def maker(self) -> SimpleNamespace:
        """As in Theano: `maker.fgraph` is the optimized graph, `maker.inputs` and `maker.outputs` what was asked for."""
        outputs = [Out(x) for x in getattr(self.program, "outputs", ())]  # none of a function that was loaded
        return SimpleNamespace(
            fgraph=FunctionGraph(self.module, self.mode), mode=self.mode, function=self, inputs=list(self.program.inputs),
            outputs=outputs,
        )  # fmt: skip

    if not TYPE_CHECKING:  # a type checker knows the attributes

        def __getattr__(self, name: str) -> Any:
            hint = NOT_OF_THEANO.get(name) or (nearest(name, public_names(type(self))) if name[0] != "_" else None)
            raise AttributeError(f"a function has no {name!r}" + (f"; {hint}" if hint else ""))

    def get_shared(self) -> list[SharedVariable]:
        """The shared variables that it reads or updates."""
        return list(self.program.shared)

    @property
    def trust_input(self) -> bool:
        """Theano's switch that turns checks of inputs off; here it has no effect."""
        return False

    @trust_input.setter
    def trust_input(self, value: bool) -> None: ...

    # --- copies ------------------------------------------------------------------------------------------------------

    def copy(
        self, share_memory: bool = False, swap: Any = None, delete_updates: bool = False, name: str | None = None,
        profile: Any = None,
    ) -> Function:  # fmt: skip
        """A function of the same graph. swap: other shared variables in the place of some; delete_updates: none is made."""
        if not isinstance(self.program, Program):
            if swap or delete_updates:
                message = f"{self.name}: a function that was loaded has no graph, and is copied as it is"
                raise GraphTypeError(message)
            return Function(self.program, self.form, self.mode, profile)
        pairs = dict(pairs_of("swap", swap))
        for old, new in pairs.items():
            if not isinstance(old, SharedVariable) or not isinstance(new, SharedVariable) or old not in self.program.shared:
                raise GraphValueError(f"{self.name}: swap takes shared variables of the function and others, got {old!r}")
        mapping = mapping_of("swap", pairs)
        outputs = replaced(self.program.outputs, mapping)
        kept = {} if delete_updates else self.program.updates
        expressions = replaced(list(kept.values()), mapping)
        updates = {pairs.get(old, old): GRAPH.tensor(new) for old, new in zip(kept, expressions)}
        program = replace(
            self.program, name=name or self.name, inputs=[replace(one) for one in self.program.inputs], outputs=outputs,
            updates=updates,
        )  # fmt: skip
        program.gather(no_default_updates=True)
        return Function(program, self.form, self.mode, profile)

    def __copy__(self) -> Function:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Function:
        swap = {}
        for variable in self.program.shared:
            if id(variable) not in memo:
                memo[id(variable)] = variable.clone()
            swap[variable] = memo[id(variable)]
        return self.copy(swap=swap)

    def __reduce__(self) -> Any:
        """Text and arrays: the module, what calls may give, and the shared variables."""
        _, built, _ = self._ready()
        inputs = [
            (str(one.variable.type), one.name, one.value, one.strict, one.allow_downcast, one.update is not None)
            for one in self.program.inputs
        ]
        shapes = [holder.array.shape for holder in self._holders]
        facts = (print_op(built.module), built.entry, list(built.symbols.items()), built.open, built.changed, shapes)
        return _loaded, (self.name, inputs, list(self.program.shared), facts, self.form, self.mode)

    def __repr__(self) -> str:
        return f"<tir function {self.name} of {self._taken()}>"


def _loaded(
    name: str, inputs: Sequence[Any], shared: list[SharedVariable], facts: Any, form: Any, mode: Any
) -> Function:  # fmt: skip
    """The function that was pickled."""
    text, entry, symbols, open, changed, shapes = facts
    listed = []
    for type, label, value, strict, allow_downcast, updates in inputs:
        one = In(load_placeholder(type, label), label, value, strict=strict, allow_downcast=allow_downcast)
        one.update = True if updates else None
        listed.append(one)
    program = SavedProgram(name, listed, shared, text, entry, dict(symbols), open, changed, shapes)
    return Function(program, form, mode_of(mode))


def _evaluated(variable: Variable, values: Mapping[Any, Any] | None) -> Any:
    """The value of a variable; the function for the same inputs is kept with it."""
    values = dict(values or {})
    for x in values:
        if not isinstance(x, Variable):
            raise GraphTypeError(f"eval: takes a dictionary from inputs to values, got {x!r} in it", GRAPH.here())
    kept = variable.__dict__.setdefault("_functions", {})
    inputs = tuple(values)
    if inputs not in kept:
        kept[inputs] = function(list(inputs), variable, on_unused_input="ignore", name="eval")
    return kept[inputs](*values.values())


#: What a function of Theano's has, and where its like is here.
NOT_OF_THEANO = {
    **dict.fromkeys(("input_storage", "defaults", "finder"), "f[name] is the value of an input, f.get_shared() the rest"),
    **dict.fromkeys(("fn", "vm", "output_storage"), "it is one program: f.ir() is its text, f.maker.fgraph its graph"),
    "inputs": "f.maker.inputs has them", "outputs": "f.maker.outputs has them",
}  # fmt: skip
Variable.evaluator = staticmethod(_evaluated)

_MISSING = object()
