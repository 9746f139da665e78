"""The func dialect: functions, calls and returns.

What a pass or a runtime says about an argument or a result stands in its dictionary (`tir.name`): `argument_attribute`
and `result_attribute` read it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from tir.dialects.custom_derivative import check_derivatives, has_derivatives
from tir.dialects.library import EXTERN, check_declaration
from tir.ir.attributes import ArrayAttr, Attribute, DictAttr, SymbolRefAttr
from tir.ir.define import attribute, create, operand, region, result
from tir.ir.errors import UNKNOWN, Location, TirError
from tir.ir.execution import Call as CallRequest
from tir.ir.execution import Frame
from tir.ir.facts import check_facts
from tir.ir.ir import Block, BlockArgument, Op, Region
from tir.ir.kinds import ARRAY, FLAT_SYMBOL, FUNCTION_TYPE, STRING, SYMBOL_NAME, UNIT
from tir.ir.names import argument_bindings, check_names_bound
from tir.ir.registry import Dialect
from tir.ir.slips import conversion_hint
from tir.ir.symbols import SymbolTable
from tir.ir.traits import FunctionLike, ReturnLike
from tir.ir.types import FunctionType, Type, shape_names

__all__ = ["DIALECT", "Call", "Func", "Return"]


class Func(Op, FunctionLike):
    """`func.func @f(%x: f32) -> f32 { .. }`: a function. Without a body it is a declaration."""

    name = "func.func"
    sym_name = attribute(SYMBOL_NAME)
    function_type = attribute(FUNCTION_TYPE)
    sym_visibility = attribute(STRING, optional=True)
    arg_attrs = attribute(ARRAY, optional=True)
    res_attrs = attribute(ARRAY, optional=True)
    no_inline = attribute(UNIT, optional=True)
    body_region = region("func.return", "cf.br", "cf.cond_br", single_block=False, may_be_empty=True)
    format = (
        "custom<FunctionSignature>($sym_visibility, $sym_name, $function_type, $arg_attrs, $res_attrs) "
        "attr-dict-with-keyword custom<FunctionBody>($body_region)"
    )

    @classmethod
    def make(
        cls,
        sym_name: str,
        inputs: Sequence[Type],
        results: Sequence[Type],
        *,
        visibility: str | None = None,
        declaration: bool = False,
        location: Location = UNKNOWN,
    ) -> Func:
        """A function with an empty entry block, or a declaration."""
        region = Region() if declaration else Region([Block(inputs)])
        type = FunctionType(tuple(inputs), tuple(results))
        return create(
            cls, result_types=(), regions=[region], location=location,
            sym_name=sym_name, function_type=type, sym_visibility=visibility,
        )  # fmt: skip

    @property
    def is_declaration(self) -> bool:
        """There is no body here."""
        return not self.body_region.blocks

    @property
    def is_private(self) -> bool:
        """Only this module can call it."""
        return self.sym_visibility in ("private", "nested")

    @property
    def entry(self) -> Block:
        """The first block; only of a function with a body."""
        assert not self.is_declaration, self.sym_name
        return self.body_region.blocks[0]

    @property
    def arguments(self) -> list[BlockArgument]:
        """The arguments; only of a function with a body."""
        return self.entry.arguments

    def argument_attributes(self, index: int) -> dict[str, Attribute]:
        """What is said about argument `index`."""
        return _entries(self.arg_attrs, index)

    def result_attributes(self, index: int) -> dict[str, Attribute]:
        """What is said about result `index`."""
        return _entries(self.res_attrs, index)

    def argument_attribute(self, index: int, name: str) -> Attribute | None:
        """The attribute `name` of argument `index`, or None."""
        return self.argument_attributes(index).get(name)

    def result_attribute(self, index: int, name: str) -> Attribute | None:
        """The attribute `name` of result `index`, or None."""
        return self.result_attributes(index).get(name)

    def set_argument_attribute(self, index: int, name: str, value: Attribute | None) -> None:
        """Sets the attribute `name` of argument `index`, or removes it for None."""
        count = len(self.function_type.inputs)
        self.set_property("arg_attrs", _with_entry(self.arg_attrs, count, index, name, value))

    def set_result_attribute(self, index: int, name: str, value: Attribute | None) -> None:
        """Sets the attribute `name` of result `index`, or removes it for None."""
        count = len(self.function_type.results)
        self.set_property("res_attrs", _with_entry(self.res_attrs, count, index, name, value))

    def set_type(
        self,
        inputs: Sequence[Type],
        results: Sequence[Type],
        argument_attributes: Sequence[dict[str, Attribute]] | None = None,
        result_attributes: Sequence[dict[str, Attribute]] | None = None,
    ) -> None:
        """Changes the type, and what is said about arguments and results where given; not the block arguments."""
        self.set_property("function_type", FUNCTION_TYPE.make(FunctionType(tuple(inputs), tuple(results))))
        if argument_attributes is not None:
            self.set_property("arg_attrs", _dictionaries(argument_attributes))
        if result_attributes is not None:
            self.set_property("res_attrs", _dictionaries(result_attributes))

    def verify(self) -> None:
        type = self.function_type
        _check_dictionaries("argument", self.arg_attrs, len(type.inputs))
        _check_dictionaries("result", self.res_attrs, len(type.results))
        if self.arg_attrs is not None:
            check_facts("argument", type.inputs, [self.argument_attributes(i) for i in range(len(type.inputs))])
        if self.res_attrs is not None:
            check_facts("result", type.results, [self.result_attributes(i) for i in range(len(type.results))])
        if self.sym_visibility not in (None, "public", "private", "nested"):
            raise TirError(f"visibility must be public, private or nested, got {self.sym_visibility!r}")
        if EXTERN in self.attributes:
            check_declaration(self)
        if self.is_declaration:
            if not self.is_private:
                raise TirError(f"@{self.sym_name} has no body, so it must be private")
            return
        got = tuple(argument.type for argument in self.arguments)
        if got != type.inputs:
            raise TirError(
                f"the entry block of @{self.sym_name} must have arguments {_types(type.inputs)}, got {_types(got)}"
            )
        check_names_bound(self, [*type.inputs, *type.results])
        _check_state(self)

    def verify_symbols(self, symbols: SymbolTable) -> None:
        """VerifyError unless derivatives of its own are functions of the right types."""
        if has_derivatives(self):
            check_derivatives(self, symbols)


def _check_state(function: Func) -> None:
    """`tir.shared = @w` names one argument, and `tir.update = @w` one result for a variable that is an argument."""
    type = function.function_type
    shared = [function.argument_attribute(i, "tir.shared") for i in range(len(type.inputs))]
    updated = [function.result_attribute(i, "tir.update") for i in range(len(type.results))]
    for name, values in (("tir.shared", shared), ("tir.update", updated)):
        given = [value for value in values if value is not None]
        for i, value in enumerate(given):
            if not isinstance(value, SymbolRefAttr):
                raise TirError(f"@{function.sym_name}: {name} must be a symbol such as @w, got {value}")
            if value in given[:i]:
                raise TirError(f"@{function.sym_name}: {name} = {value} stands twice")
    for new in updated:
        if new is not None and new not in shared:
            raise TirError(f"@{function.sym_name}: a result is tir.update = {new}, and no argument is tir.shared = {new}")


class Return(Op, ReturnLike):
    """`return %a, %b : f32, i1`: ends a function with these results."""

    name = "func.return"
    parent_ops = ("func.func",)
    verify_looks_around = True
    operands = operand(variadic=True)
    format = "attr-dict ($operands^ `:` type($operands))?"

    def verify(self) -> None:
        function = self.parent_op
        want = getattr(function, "function_type", None)
        got = tuple(v.type for v in self.operands)
        if isinstance(want, FunctionType) and got != want.results:
            raise TirError(f"the function returns {_types(want.results)}, got {_types(got)}")


class Call(Op):
    """`func.call @f(%x) : (f32) -> f32`, or `call`: the results of a function of this module."""

    name = "func.call"
    operands = operand(variadic=True)
    values = result(variadic=True)
    callee = attribute(FLAT_SYMBOL)
    arg_attrs = attribute(ARRAY, optional=True)
    res_attrs = attribute(ARRAY, optional=True)
    no_inline = attribute(UNIT, optional=True)
    format = "$callee `(` $operands `)` attr-dict `:` functional-type(operands, results)"

    def verify_symbols(self, symbols: SymbolTable) -> None:
        """Raises TirError unless the callee is a function of the type of this call."""
        function = symbols.lookup(self.callee)
        if not isinstance(function, FunctionLike):
            hint = symbols.hint(self.callee, FunctionLike)
            raise TirError(f"{self.name}: there is no function @{self.callee}", self.location, hint=hint)
        want = function.function_type
        got = FunctionType(tuple(v.type for v in self.operands), tuple(r.type for r in self.results))
        if got is not want:
            raise TirError(
                f"{self.name}: @{self.callee} has type {want}, called as {got}", self.location,
                [("defined here", function.location)], self._cure(want, got),
            )  # fmt: skip

    def _cure(self, want: FunctionType, got: FunctionType) -> str | None:
        """What makes the first operand that is wrong right; what to write if all are right."""
        if got.inputs == want.inputs:
            return f"write {want}"
        pairs = zip(want.inputs, got.inputs) if len(want.inputs) == len(got.inputs) else ()
        for i, (type, given) in enumerate(pairs):
            if type is not given:
                bound = argument_bindings(self)
                names = [name for name in shape_names(getattr(type, "shape", ())) if name not in bound]
                cure = conversion_hint(type, given)
                if cure is not None and names and type.element is given.element:  # type: ignore[attr-defined]
                    cure = f"a size has one name in both functions: write [{min(map(str, names))}] for it here, too"
                return cure and f"operand {i}: {cure}"
        return None

    def interpret(self, frame: Frame) -> Generator[Any, Any, Any]:
        return (yield CallRequest(self.callee, [frame[v] for v in self.operands], self.location))


def _entries(attrs: Sequence[Attribute] | None, index: int) -> dict[str, Attribute]:
    return dict(attrs[index].entries) if attrs is not None else {}  # type: ignore[attr-defined]


def _with_entry(
    attrs: Sequence[Attribute] | None, count: int, index: int, name: str, value: Attribute | None
) -> Attribute | None:
    entries = [_entries(attrs, i) for i in range(count)]
    if value is None:
        entries[index].pop(name, None)
    else:
        entries[index][name] = value
    return _dictionaries(entries)


def _dictionaries(entries: Sequence[dict[str, Attribute]]) -> Attribute | None:
    """The array of dictionaries; None if all are empty."""
    return ArrayAttr(tuple(DictAttr.of(e) for e in entries)) if any(entries) else None


def _check_dictionaries(what: str, attrs: Sequence[Attribute] | None, count: int) -> None:
    if attrs is not None and not (len(attrs) == count and all(isinstance(a, DictAttr) for a in attrs)):
        raise TirError(f"must have a dictionary for each {what}, or none at all, got {len(attrs)} for {count}")


def _types(types: Sequence[Type]) -> str:
    return f"({', '.join(map(str, types))})"


DIALECT = Dialect("func", "Functions, calls and returns.", (Func, Call, Return))
