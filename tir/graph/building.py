"""The module of a program: `tir.shared` for each shared variable, and one function, with the sizes that they have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.state import Read, Shared, Update
from tir.graph.copying import Copier
from tir.graph.graph import placeholders_of
from tir.graph.program import Program
from tir.graph.shape import specified
from tir.graph.shared import SharedVariable
from tir.graph.size_names import name_of
from tir.graph.user_ops import define_calls
from tir.ir.affine import AffineExpr
from tir.ir.attributes import DenseAttr, StringAttr, UnitAttr
from tir.ir.define import create
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.types import DYNAMIC
from tir.passes.widen_sums import ATTRIBUTE

__all__ = ["Built", "build"]


@dataclass(frozen=True)
class Built:
    """A module, its entry, the names of the shared variables in it, and the Python functions that it calls.

    open: shared variables that are arguments behind the inputs, since a call may give them another shape, or an axis of size
    1 of theirs might be taken for one that stretches. changed: those of them with new values, which are results behind the
    outputs.
    """

    module: Op
    entry: str
    symbols: dict[str, SharedVariable]
    open: list[SharedVariable] = field(default_factory=list)
    changed: list[SharedVariable] = field(default_factory=list)
    externs: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def build(program: Program, shapes: Sequence[tuple[int, ...]]) -> Built:
    """The module of the program for shared variables of these shapes."""
    open = [v for v, shape in zip(program.shared, shapes) if _has_open_one(v, shape)]
    while True:
        building = _Building(program, shapes, open)
        built = building.run()
        if not building.resized:
            return built
        open = [*open, *building.resized]


def _has_open_one(variable: SharedVariable, shape: Sequence[int]) -> bool:
    """An axis happens to have size 1."""
    return any(size == 1 and dim is DYNAMIC for size, dim in zip(shape, variable.type.shape))


class _Building:
    """A module while it is built."""

    def __init__(self, program: Program, shapes: Sequence[tuple[int, ...]], open: list[SharedVariable]) -> None:
        self.program, self.open = program, open
        self.resized: list[SharedVariable] = []  # whose update is not known to keep the shape
        self.module: Op = create(Module, regions=[Region([Block()])])
        self.taken: set[str] = set()
        self.entry = self._name(program.name, "main")
        self.types = {v: v.type.with_shape(shape) for v, shape in zip(program.shared, shapes)}
        self.symbols = {self._name(v.name, "shared"): v for v in program.shared if v not in open}

    def _name(self, wanted: str | None, usual: str) -> str:
        """A name that nothing has yet."""
        base = name_of(wanted) or usual
        found, number = base, 1
        while found in self.taken:
            found, number = f"{base}_{number}", number + 1
        self.taken.add(found)
        return found

    def run(self) -> Built:
        for symbol, variable in self.symbols.items():
            type = self.types[variable]
            # The numbers live in the variable. A splat, since the text of a module is not to have all of them.
            self.module.body.append(create(Shared, sym_name=symbol, type=type, value=DenseAttr.splat(0, type)))
        program = self.program
        inputs = [*(one.variable for one in program.inputs), *self.open]
        function = Func.make(self.entry, [x.type for x in inputs], [], location=program.location)
        self.module.body.append(function)
        self.taken = set()
        for i, label in enumerate([*(one.name for one in program.inputs), *(v.name for v in self.open)]):
            name = self._name(label, "x")
            function.arguments[i].hint = name
            function.set_argument_attribute(i, "tir.name", StringAttr(name))
        function.set_attribute(ATTRIBUTE, UnitAttr())
        self._fill(function, [x.ir for x in inputs])
        externs = {} if self.resized else define_calls(self.module)
        changed = [v for v in self.open if v in program.updates]
        return Built(self.module, self.entry, self.symbols, self.open, changed, externs)

    def _fill(self, function: Func, inputs: Sequence[Any]) -> None:
        """Copies the program into the function."""
        b = TensorBuilder(function.entry, None, self.program.location)
        mapping = dict(zip(inputs, function.arguments))
        results = [x.value for x in self.program.results]
        used = set(placeholders_of(results, self.program.ops))
        for symbol, variable in self.symbols.items():
            if variable.ir in used:
                mapping[variable.ir] = self._read(b, symbol, variable).value
        found = Copier(b, mapping).copy(results)
        count = len(self.program.outputs)
        by_variable = {variable: symbol for symbol, variable in self.symbols.items()}
        new = dict(zip(self.program.updates, found[count:]))
        self.resized = [v for v, x in new.items() if v not in self.open and not self._keeps_shape(v, x)]
        for variable, value in new.items():
            if variable in by_variable and variable not in self.resized:
                b.op(Update, value, symbol=by_variable[variable])
        left = [new[variable] for variable in self.open if variable in new]
        results = [self._without_names(b, value) for value in (*found[:count], *left)]
        b.op(Return, results)
        function.set_type(function.function_type.inputs, [value.type for value in results])

    def _read(self, b: TensorBuilder, symbol: str, variable: SharedVariable) -> Tensor:
        """The value of a shared variable."""
        return b.make(Read, symbol=symbol, result_types=[self.types[variable]]).named(symbol)

    def _without_names(self, b: TensorBuilder, value: Value) -> Value:
        """A result whose type has no names, which only arguments may give to a function."""
        type: Any = value.type
        shape = [DYNAMIC if isinstance(dim, AffineExpr) else dim for dim in type.shape]
        return value if (bare := type.with_shape(shape)) is type else specified(b, value, bare).value

    def _keeps_shape(self, variable: SharedVariable, value: Value) -> bool:
        """The types say that the new value has the shape of the old one."""
        return value.type is self.types[variable]
