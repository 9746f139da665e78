"""What `tir.function` is asked for, checked: inputs, results, and the shared variables with their new values."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tir.api import caller_location
from tir.configuration import CHOICES_OF_UNUSED, config
from tir.dialects.tir.build.core import Tensor, told
from tir.graph.errors import GraphTypeError, GraphValueError, MissingInputError, UnusedInputError
from tir.graph.graph import GRAPH, captured, makers_of, placeholders_of
from tir.graph.replacing import mapping_of, pairs_of, replaced
from tir.graph.shared import SharedVariable
from tir.graph.variable import Variable, placeholder, public
from tir.ir.errors import FileLocation, Location, TirError, nearest
from tir.ir.ir import Op

__all__ = ["In", "Out", "Program", "program_of"]


@dataclass(eq=False)
class In:
    """An input: its variable, and what a call may give for it. What computes the variable elsewhere is left out here.

    value: what it is when a call gives nothing; of a shared variable its value then. update: what that value becomes.
    strict: nothing is converted. allow_downcast: True converts whatever is given, False only without loss, None a Python
    float too. mutable, borrow: the function may change the array; accepted, it never does.
    """

    variable: Any
    name: str | None = None
    value: Any = None
    update: Any = None
    mutable: bool | None = None
    strict: bool = False
    allow_downcast: bool | None = None
    autoname: bool = True
    implicit: bool | None = None
    borrow: bool | None = None
    shared: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.variable, Variable):
            raise GraphTypeError(f"an input must be a variable, got {told(self.variable)}", caller_location())
        if isinstance(self.variable, SharedVariable):
            message = f"shared variable {self.variable} cannot be an input: functions read it as it is"
            raise GraphTypeError(message, caller_location(), hint="givens={variable: expression} replaces it")
        if self.variable.owner is None and self.variable.ir.op is not None:
            raise GraphTypeError(f"an input must be a variable, got the constant {self.variable}", caller_location())
        if self.update is not None and self.value is None:
            raise GraphTypeError(f"the input {self.variable}: an update needs a value to start from", caller_location())
        self.name = self.name or self.variable.name


@dataclass(eq=False)
class Out:
    """An output. borrow: the array may be one that the function uses again; accepted, it never is."""

    variable: Any
    borrow: bool = False


@dataclass
class Program:
    """outputs and updates are expressions in which `givens` have been put already."""

    name: str
    inputs: list[In]
    outputs: list[Tensor]
    updates: dict[SharedVariable, Tensor]
    location: Location
    ops: list[Op] = field(default_factory=list)
    shared: list[SharedVariable] = field(default_factory=list)

    @property
    def results(self) -> list[Tensor]:
        """The outputs and the new values."""
        return [*self.outputs, *self.updates.values()]

    def error(self, kind: type[TirError], message: str, hint: str | None = None) -> TirError:
        """What is wrong, at the line where the function is made."""
        return kind(f"{self.name}: {message}", self.location, hint=hint)

    # --- updates -----------------------------------------------------------------------------------------------------

    def new_value(self, variable: Any, given: Any) -> Tensor:
        """The expression for an update, of the type of the variable."""
        if not isinstance(variable, SharedVariable):
            hint = "tir.shared makes one" if isinstance(variable, Variable) else None
            raise self.error(GraphTypeError, f"only shared variables can be updated, got {told(variable)}", hint)
        value = GRAPH.tensor(given)
        if value.type.element is not variable.type.element and not isinstance(given, Tensor):
            value = GRAPH.cast(value, variable.type.element)  # a number that counts as another type
        if value.type.element is not variable.type.element:
            found, dtype = value.dtype, variable.dtype  # type: ignore[attr-defined]
            message = f"the update of {_named(variable)} must have its dtype {dtype}, got {found}"
            raise self.error(GraphTypeError, message, f"T.cast(.., '{dtype}') makes it fit")
        if value.type.rank != variable.ndim:
            ranks = f"its {variable.ndim} axes, got {value.type.rank}"
            raise self.error(GraphTypeError, f"the update of {_named(variable)} must have {ranks}")
        return value

    def take_updates(self, pairs: Sequence[tuple[Any, Any]]) -> None:
        """Adds updates; GraphValueError for a variable that has one."""
        for variable, given in pairs:
            value = self.new_value(variable, given)
            if variable in self.updates:
                raise self.error(GraphValueError, f"{_named(variable)} has two updates")
            self.updates[variable] = value

    def gather(self, no_default_updates: Any) -> None:
        """Finds the ops and the shared variables, and takes up the default updates of these."""
        while True:
            values = [x.value for x in self.results]
            self.ops = makers_of(values)
            used = [public(value) for value in placeholders_of(values, self.ops)]
            self.shared = list(dict.fromkeys([*(v for v in used if isinstance(v, SharedVariable)), *self.updates]))
            more = [
                (v, v.default_update) for v in self.shared
                if v.default_update is not None and v not in self.updates and _wanted(v, no_default_updates)
            ]  # fmt: skip
            if not more:
                return
            self.take_updates(more)

    # --- inputs ------------------------------------------------------------------------------------------------------

    def check_inputs(self, on_unused: str, spare: set[Any]) -> None:
        """MissingInputError for a variable that is no input; what is asked for unused inputs, which may be spare."""
        used = [public(value) for value in placeholders_of([x.value for x in self.results], self.ops)]
        inputs = [one.variable for one in self.inputs]
        for number, variable in enumerate(inputs):
            if variable in inputs[:number]:
                raise self.error(GraphValueError, f"{_named(variable)} is an input twice")
        for variable in used:
            if variable not in inputs and not isinstance(variable, SharedVariable):
                raise self._missing(variable)
        for variable in inputs:
            if variable not in used and variable not in spare and on_unused not in ("ignore", "off"):
                self._unused(variable, on_unused)

    def _missing(self, variable: Any) -> TirError:
        user = next((op for op in self.ops if variable.ir in captured(op)), None)
        error = self.error(
            MissingInputError, f"{_named(variable)}, which the outputs or updates need, is no input",
            "add it to the inputs, or say in givens what it is",
        )  # fmt: skip
        if user is not None:
            error.notes = (*error.notes, ("it is used here", user.location))
        return error

    def _unused(self, variable: Any, what: str) -> None:
        message = f"input {_named(variable)} is not used by the outputs and updates"
        error = self.error(UnusedInputError, message, 'on_unused_input="ignore" allows it')
        if what == "raise":
            raise error
        file, line = (self.location.file, self.location.line) if isinstance(self.location, FileLocation) else ("tir", 0)
        warnings.warn_explicit(f"{error.message}; {error.hint}", UserWarning, file, line)


def program_of(
    inputs: Any, outputs: Sequence[Any], updates: Any, givens: Any, name: str | None, no_default_updates: Any,
    on_unused_input: str | None,
) -> Program:  # fmt: skip
    """The program that `function` is asked for; TirError for what is wrong with it."""
    on_unused = on_unused_input or config.on_unused_input
    program = Program(name or "function", [], [], {}, caller_location())
    if on_unused not in CHOICES_OF_UNUSED:
        hint = nearest(str(on_unused), CHOICES_OF_UNUSED)
        message = f"on_unused_input must be one of {', '.join(CHOICES_OF_UNUSED)}, got {on_unused!r}"
        raise program.error(GraphValueError, message, hint)
    if isinstance(inputs, Variable):
        raise program.error(
            GraphTypeError, f"the inputs must be a list of variables, got one, {inputs}", "[x] is a list of one"
        )
    if not isinstance(inputs, (list, tuple)):
        raise program.error(GraphTypeError, f"the inputs must be a list of variables, got {told(inputs)}")
    program.inputs = [one if isinstance(one, In) else In(one) for one in inputs]
    mapping = mapping_of("givens", givens)
    for one in program.inputs:
        if one.variable.ir in mapping:
            message = f"{_named(one.variable)} is replaced in givens, and cannot be an input too"
            raise program.error(GraphValueError, message)
    mapping |= _stand_ins(program)
    program.outputs = replaced([GRAPH.tensor(x) for x in outputs], mapping)
    program.take_updates(pairs_of("updates", updates))
    program.gather(no_default_updates)
    if mapping:
        expressions = replaced(list(program.updates.values()), mapping)
        program.updates = dict(zip(program.updates, expressions))
        program.gather(no_default_updates)
    program.check_inputs(on_unused, {one.variable for one in program.inputs if one.update is not None})
    return program


def _stand_ins(program: Program) -> dict[Any, Any]:
    """What stands for inputs that are computed from others: the function takes them as given."""
    found = {}
    for i, one in enumerate(program.inputs):
        if one.variable.owner is not None:
            variable = placeholder(one.variable.type, one.name)
            found[one.variable.ir] = variable.ir
            program.inputs[i] = replace(one, variable=variable)
    return found


def _wanted(variable: SharedVariable, none: Any) -> bool:
    """Its default update is to be made."""
    return variable not in none if isinstance(none, (list, tuple, set)) else not none


def _named(variable: Any) -> str:
    """What messages call a variable."""
    kind = "shared variable" if isinstance(variable, SharedVariable) else "variable"
    return f"{kind} {variable.name}" if variable.name else f"a {kind} of type {variable.type}"
