"""The module of a program: `tir.shared` for each shared variable, and one function, with the sizes that they have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.base import merge_dims
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.state import Read, Shared, Update
from tir.graph.copying import Copier, name_of
from tir.graph.errors import GraphValueError
from tir.graph.graph import placeholders_of
from tir.graph.program import Program
from tir.graph.shape import specified
from tir.graph.shared import SharedVariable
from tir.graph.user_ops import define_calls
from tir.ir.affine import AffineExpr
from tir.ir.attributes import DenseAttr, StringAttr, UnitAttr
from tir.ir.define import create
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.types import DYNAMIC, TensorType
from tir.passes.widen_sums import ATTRIBUTE

__all__ = ["Built", "build"]


@dataclass(frozen=True)
class Built:
    """A module, its entry, the names of the shared variables in it, and the Python functions that it calls."""

    module: Op
    entry: str
    symbols: dict[str, SharedVariable]
    externs: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def build(program: Program, shapes: Sequence[tuple[int, ...]]) -> Built:
    """The module of the program for shared variables of these shapes."""
    return _Building(program, shapes).run()


class _Building:
    """A module while it is built."""

    def __init__(self, program: Program, shapes: Sequence[tuple[int, ...]]) -> None:
        self.program = program
        self.module: Op = create(Module, regions=[Region([Block()])])
        self.taken: set[str] = set()
        self.entry = self._name(program.name, "main")
        self.types = {v: v.type.with_shape(shape) for v, shape in zip(program.shared, shapes)}
        self.symbols = {self._name(v.name, "shared"): v for v in program.shared}

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
        inputs = [one.variable for one in program.inputs]
        function = Func.make(self.entry, [x.type for x in inputs], [], location=program.location)
        self.module.body.append(function)
        self.taken = set()
        for i, one in enumerate(program.inputs):
            name = self._name(one.name, "x")
            function.arguments[i].hint = name
            function.set_argument_attribute(i, "tir.name", StringAttr(name))
        function.set_attribute(ATTRIBUTE, UnitAttr())
        self._fill(function, [x.ir for x in inputs])
        return Built(self.module, self.entry, self.symbols, define_calls(self.module))

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
        for variable, value in zip(self.program.updates, found[count:]):
            b.op(Update, self._fitted(b, variable, b.tensor(value)).value, symbol=by_variable[variable])
        results = [self._without_names(b, value) for value in found[:count]]
        b.op(Return, results)
        function.set_type(function.function_type.inputs, [value.type for value in results])

    def _read(self, b: TensorBuilder, symbol: str, variable: SharedVariable) -> Tensor:
        """The value of a shared variable. An axis that happens to have size 1 does not stretch."""
        read = b.make(Read, symbol=symbol, result_types=[self.types[variable]]).named(symbol)
        shape = [
            DYNAMIC if dim == 1 and was is DYNAMIC else dim for dim, was in zip(read.type.shape, variable.type.shape)
        ]  # fmt: skip
        type = read.type.with_shape(shape)
        return read if type is read.type else specified(b, read.value, type).named(symbol)

    def _without_names(self, b: TensorBuilder, value: Value) -> Value:
        """A result whose type has no names, which only arguments may give to a function."""
        type: Any = value.type
        shape = [DYNAMIC if isinstance(dim, AffineExpr) else dim for dim in type.shape]
        return value if (bare := type.with_shape(shape)) is type else specified(b, value, bare).value

    def _fitted(self, b: TensorBuilder, variable: SharedVariable, value: Tensor) -> Tensor:
        """The new value with the type of the variable; run time checks sizes that are open."""
        type: TensorType = self.types[variable]
        if value.type is type:
            return value
        for axis, (want, got) in enumerate(zip(type.shape, value.type.shape)):
            if isinstance(got, int) and merge_dims(want, got) is None:
                message = f"the update of {variable} has size {got} along axis {axis}, and the variable {want}"
                raise self.program.error(GraphValueError, message, "an update keeps the shape of a shared variable")
        value = b.tensor(self._without_names(b, value.value))
        return value if value.type is type else specified(b, value.value, type)
