"""Ops that users write in Python: `Op` with `perform`, `grad` and `element`, `as_op`, and `OpFromGraph`.

    class Double(tir.Op):
        __props__ = ()
        def make_node(self, x):
            x = T.as_tensor_variable(x)
            return tir.Apply(self, [x], [x.type()])
        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inputs[0] * 2
        def grad(self, inputs, output_gradients):
            return [output_gradients[0] * 2]

In the IR an application is a call of a private function, whose derivatives are functions too. `perform` runs in Python, so a
function with such an op runs on the interpreter; with `element(self, s, *xs)`, the result element by element in terms of the
functions of `s` (which is `T`), it is compiled like any other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.api import caller_location
from tir.dialects.custom_derivative import JVP, VJP
from tir.dialects.func import Call, Func, Return
from tir.dialects.tir.build.core import Tensor, told
from tir.dialects.tir.builder import TensorBuilder
from tir.graph import elementwise
from tir.graph.copying import Copier
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH, located
from tir.graph.replacing import clone_replace
from tir.graph.shape import specified, specify_shape
from tir.graph.size_names import name_of
from tir.graph.variable import Variable, placeholder
from tir.ir.attributes import SymbolRefAttr
from tir.ir.errors import ExecutionError, Location, TirError, counted
from tir.ir.execution import NUMPY_ERRORS
from tir.ir.ir import Op as IROp
from tir.ir.ir import Value
from tir.ir.types import FloatType, TensorType, element_type
from tir.lazy import np

__all__ = ["Apply", "DisconnectedType", "Op", "OpFromGraph", "as_op", "define_calls"]


class DisconnectedType:
    """Stands in `grad` for an input that the op does not depend on: `DisconnectedType()()`."""

    def __call__(self) -> DisconnectedType:
        return self


class Apply:
    """An op applied to inputs. outputs: variables of the types that it gives."""

    def __init__(self, op: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        for x in (*inputs, *outputs):
            if not isinstance(x, Variable):
                hint = "T.as_tensor_variable makes one, and x.type() another of its type"
                raise GraphTypeError(f"Apply: inputs and outputs are variables, got {told(x)}", caller_location(), hint=hint)
        self.op, self.inputs, self.outputs = op, list(inputs), list(outputs)


class Op:
    """An op in Python. A subclass has `make_node`, or `itypes` and `otypes`; `perform` or `element`; `grad` if it has one.

    __props__: names of attributes by which two ops are equal. `grad(inputs, output_gradients)` gives the gradient by each
    input, `DisconnectedType()()` for one that nothing depends on; `L_op(inputs, outputs, output_gradients)` the same from
    the outputs too; `R_op(inputs, eval_points)` the derivative of each output forward. `infer_shape(node, shapes)` gives
    the sizes of each output, which a loop that stacks it needs to know.
    destroy_map: `{output: [input, ..]}`, the inputs that `perform` writes into: it gets copies of these, and the others
    read-only.
    """

    __props__: tuple[str, ...] = ()
    itypes: Sequence[Any] | None = None
    otypes: Sequence[Any] | None = None
    destroy_map: Mapping[int, Sequence[int]] = {}

    def make_node(self, *inputs: Any) -> Apply:
        """The application to inputs."""
        if self.itypes is None or self.otypes is None:
            raise GraphTypeError(f"{self}: needs make_node, or itypes and otypes")
        if len(inputs) != len(self.itypes):
            raise GraphTypeError(f"{self}: takes {counted(len(self.itypes), 'input')}, got {len(inputs)}")
        variables = [GRAPH.tensor(x) for x in inputs]
        wanted = [kind().type for kind in self.itypes]
        for number, (x, want) in enumerate(zip(variables, wanted)):
            if x.type.element is not want.element or x.type.rank != want.rank:
                raise GraphTypeError(f"{self}: input {number} must have type {want}, got {x.type}")
        return Apply(self, variables, [kind() for kind in self.otypes])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
        """Puts arrays into `output_storage[i][0]`."""
        raise GraphTypeError(f"{self}: needs perform, or element")

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> Sequence[Any]:
        """The gradients by the inputs."""
        raise GraphTypeError(f"{self} has no gradient: it needs grad, or L_op")

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> Sequence[Any]:
        """The gradients by the inputs."""
        return self.grad(inputs, output_gradients)

    @property
    def has_gradient(self) -> bool:
        """The class says what its gradient is."""
        return type(self).grad is not Op.grad or type(self).L_op is not Op.L_op

    @located
    def __call__(self, *inputs: Any, name: str | None = None, return_list: bool = False, **options: Any) -> Any:
        node = self.make_node(*inputs, **options)
        if not isinstance(node, Apply):
            raise GraphTypeError(f"{self}: make_node must give an Apply, got {told(node)}")
        found = _applied(_Definition(self, node, GRAPH.here()))
        if name is not None:
            found[0].named(name)
        return found if len(found) != 1 or return_list else found[0]

    def _facts(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__props__)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        has_props = "__props__" in {name for cls in type(self).__mro__[:-2] for name in vars(cls)}
        return has_props and type(self) is type(other) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash((type(self), *self._facts()))

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__props__)
        return type(self).__name__ + (f"{{{facts}}}" if facts else "")


# --- calls in the IR -------------------------------------------------------------------------------------------------


@dataclass
class _Definition:
    """What a call of a private function stands for. body: what it computes, if that is a graph."""

    op: Any
    node: Apply
    location: Location
    body: Callable[[list[Any]], Sequence[Any]] | None = None

    def __post_init__(self) -> None:
        element = getattr(self.op, "element", None)
        if self.body is None and element is not None:
            self.body = lambda xs: _listed(element(elementwise, *xs))

    @property
    def inputs(self) -> list[TensorType]:
        return [x.type for x in self.node.inputs]

    @property
    def results(self) -> list[TensorType]:
        return [x.type for x in self.node.outputs]

    def run(self, *arrays: Any) -> tuple[Any, ...]:
        """The results for arrays, by `perform`."""
        storage: list[list[Any]] = [[None] for _ in self.results]
        changed = {position for positions in self.op.destroy_map.values() for position in positions}
        given = [np.array(x) if i in changed else _read_only(x) for i, x in enumerate(arrays)]
        try:
            self.op.perform(self.node, given, storage)
        except TirError:
            raise
        except (*NUMPY_ERRORS, StopIteration) as error:  # the latter would end the interpreter's own loop
            raise ExecutionError(f"{self.op}: perform ended with {type(error).__name__}: {error}", self.location) from error
        found = []
        for number, (cell, variable) in enumerate(zip(storage, self.node.outputs)):
            if cell[0] is None:
                raise GraphValueError(f"{self.op}: perform gave nothing as output {number}")
            array = np.asarray(cell[0], variable.dtype)
            if array.ndim != variable.ndim:
                message = f"{self.op}: perform must give {counted(variable.ndim, 'axis', 'axes')} as output {number}"
                raise GraphValueError(f"{message}, got an array of shape {array.shape}")
            found.append(array)
        return tuple(found)


def _read_only(x: Any) -> Any:
    """A view that cannot be written: the memory may be the caller's."""
    view = np.asarray(x)[...]
    view.flags.writeable = False
    return view


_DEFINITIONS: dict[str, _Definition] = {}
_SYMBOLS: dict[Any, str] = {}
_numbers = itertools.count()


def _applied(definition: _Definition) -> list[Tensor]:
    """The results of a call."""
    key = (definition.op, tuple(definition.inputs), tuple(definition.results))
    symbol = _SYMBOLS.get(key)
    if symbol is None:
        symbol = f"{name_of(type(definition.op).__name__)}_{next(_numbers)}"
        _SYMBOLS[key], _DEFINITIONS[symbol] = symbol, definition
    values = [x.plain.value for x in definition.node.inputs]
    made = GRAPH.op(Call, values, callee=symbol, result_types=definition.results)
    return [GRAPH.tensor(value) for value in made.results]


def _sizes_of_call(call: Call) -> tuple[list[Value], list[Value], list[Value]] | None:
    """What `infer_shape` or the body say of the results of a call, as `Copier` wants it; None if nothing does."""
    definition = _DEFINITIONS.get(call.callee)
    infer = None if definition is None else getattr(definition.op, "infer_shape", None)
    if definition is None or (infer is None and definition.body is None):
        return None
    inputs, outputs = ([placeholder(type) for type in types] for types in (definition.inputs, definition.results))
    if infer is not None:
        shapes = infer(definition.node, [_sizes(x) for x in inputs])
    else:
        assert definition.body is not None
        shapes = [_sizes(GRAPH.tensor(y)) for y in definition.body(list(inputs))]
    for sizes in _checked(definition, "infer_shape", shapes, len(outputs)):
        if sizes is not None and not isinstance(sizes, (list, tuple)):
            message = f"{definition.op}: infer_shape must give a tuple of sizes for each output, got {told(sizes)}"
            raise GraphTypeError(message, definition.location)
    sized = [y if sizes is None else specify_shape(y, list(sizes)) for y, sizes in zip(outputs, shapes)]
    return [x.ir for x in inputs], [y.ir for y in outputs], [y.value for y in sized]


def _sizes(x: Any) -> tuple[Any, ...]:
    return tuple(x.shape[axis] for axis in range(x.ndim))


Copier.sizes_of_call = staticmethod(_sizes_of_call)


def define_calls(module: IROp) -> dict[str, Callable[..., Any]]:
    """Puts the functions that the module calls into it; the Python functions of those that have no body, by name."""
    defined = {op.sym_name for op in module.body if isinstance(op, Func)}
    externs: dict[str, Callable[..., Any]] = {}
    pending = [op for op in module.walk() if isinstance(op, Call)]
    while pending:
        symbol = pending.pop().callee
        if symbol in defined:
            continue
        defined.add(symbol)
        definition = _DEFINITIONS.get(symbol)
        if definition is None:
            message = f"@{symbol} is an op in Python, which was made by another program"
            raise GraphTypeError(message, hint="make the graph anew, with its op")
        made = _functions(symbol, definition)
        for function in made:
            defined.add(function.sym_name)
            module.body.append(function)
            pending += [op for op in function.walk() if isinstance(op, Call)]
        if definition.body is None:
            externs[symbol] = definition.run
    return externs


def _functions(symbol: str, definition: _Definition) -> list[Func]:
    """The function of this name, and those of its derivatives."""
    op, location = definition.op, definition.location
    function = Func.make(
        symbol, definition.inputs, definition.results, visibility="private", declaration=definition.body is None,
        location=location,
    )  # fmt: skip
    if definition.body is not None:
        arguments = [placeholder(type) for type in definition.inputs]
        _fill(function, arguments, definition.body(list(arguments)), definition.results, getattr(op, "effects", None))
    found = [function]
    if op.has_gradient:
        found.append(_derivative(function, definition, VJP))
    if getattr(op, "R_op", None) is not None:
        found.append(_derivative(function, definition, JVP))
    return found


def _derivative(function: Func, definition: _Definition, which: str) -> Func:
    """The function for a derivative, which the other names in its attribute."""
    op = definition.op
    inputs = [placeholder(type) for type in definition.inputs]
    floats = [x for x in inputs if _is_float(x.type)]
    if which == VJP:
        outputs = [placeholder(type) for type in definition.results]
        given = {x: placeholder(x.type) for x in outputs if _is_float(x.type)}
        arguments = [*inputs, *outputs, *given.values()]
        gradients = [given.get(x) if x in given else GRAPH.full_like(x, 0) for x in outputs]
        found = _checked(definition, "grad", op.L_op(list(inputs), list(outputs), gradients), len(inputs))
        results = [_gradient(definition, i, x, g) for i, (x, g) in enumerate(zip(inputs, found)) if _is_float(x.type)]
        types = [x.type for x in floats]
    else:
        tangents = {x: placeholder(x.type) for x in floats}
        arguments = [*inputs, *tangents.values()]
        found = _listed(op.R_op(list(inputs), [tangents.get(x) for x in inputs]))
        outputs = [placeholder(type) for type in definition.results]
        types = [type for type in definition.results if _is_float(type)]
        pairs = zip(outputs, _checked(definition, "R_op", found, len(outputs)))
        results = [GRAPH.full_like(x, 0) if t is None else t for x, t in pairs if _is_float(x.type)]
    name = f"{function.sym_name}_{which.removeprefix('tir.')}"
    made = Func.make(name, [x.type for x in arguments], types, visibility="private", location=function.location)
    _fill(made, arguments, results, types)
    function.set_attribute(which, SymbolRefAttr(name))
    return made


def _checked(definition: _Definition, method: str, found: Any, count: int) -> Sequence[Any]:
    """What a method of the op gave, which must be a list of as many."""
    rule = f"{definition.op}: {method} must give a list of {count}"
    if not isinstance(found, (list, tuple)):
        raise GraphTypeError(f"{rule}, got {told(found)}", definition.location)
    if len(found) != count:
        raise GraphValueError(f"{rule}, got {len(found)}", definition.location)
    return found


def _gradient(definition: _Definition, number: int, x: Variable, found: Any) -> Any:
    """The gradient by an input, which the op gave."""
    if isinstance(found, DisconnectedType):
        return GRAPH.full_like(x, 0)
    what = f"{definition.op}: grad must give an expression of {counted(x.ndim, 'axis', 'axes')} for input {number}"
    if found is None:
        raise GraphTypeError(f"{what}, got None", definition.location, hint="T.zeros_like(x) says that it is 0")
    value = GRAPH.tensor(found)
    if value.type.rank != x.ndim:
        raise GraphTypeError(f"{what}, got {value.type}", definition.location)
    return value


def without_gradient(callee: str) -> TirError | None:
    """What is wrong with a derivative through a call of this function: the op in Python that it is says none."""
    definition = _DEFINITIONS.get(callee)
    if definition is None or definition.body is not None or definition.op.has_gradient:
        return None
    note = ("it is applied here", definition.location)
    return GraphTypeError(f"{definition.op} has no gradient: it needs grad, or L_op", notes=[note])


def _fill(
    function: Func, arguments: Sequence[Variable], results: Sequence[Any], types: Sequence[TensorType],
    effects: Callable[..., None] | None = None,
) -> None:  # fmt: skip
    """Makes the results, of these types, the body of the function, after what it does besides."""
    b = TensorBuilder(function.entry, None, function.location)
    if effects is not None:
        effects(b, *[b.tensor(x) for x in function.arguments])
    mapping: dict[Value, Value] = dict(zip([x.ir for x in arguments], function.arguments))
    values = [GRAPH.cast(GRAPH.tensor(x), type.element).value for x, type in zip(results, types)]
    for value, type in zip(values, types):
        if value.type.rank != type.rank:  # type: ignore[attr-defined]
            raise GraphTypeError(f"@{function.sym_name}: a result must have type {type}, got {value.type}")
    found = Copier(b, mapping).copy(values)
    fitted = [v if v.type is type else specified(b, v, type).value for v, type in zip(found, types)]
    b.op(Return, fitted)


def _is_float(type: Any) -> bool:
    return isinstance(element_type(type), FloatType)


def _listed(found: Any) -> list[Any]:
    return list(found) if isinstance(found, (list, tuple)) else [found]


# --- ops of functions and graphs -------------------------------------------------------------------------------------


def as_op(itypes: Any, otypes: Any, infer_shape: Any = None) -> Callable[[Callable[..., Any]], Op]:
    """Makes an op of a function of arrays: `@as_op(itypes=[T.dmatrix, T.dmatrix], otypes=[T.dmatrix])`.

    infer_shape(node, shapes): the sizes of each output, of those of the inputs; a loop that stacks outputs needs it.
    """
    takes, gives = _listed(itypes), _listed(otypes)

    def made(function: Callable[..., Any]) -> Op:
        class FromFunctionOp(Op):
            itypes, otypes = takes, gives

            def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
                found = function(*inputs)
                for cell, value in zip(output_storage, found if len(gives) > 1 else [found]):
                    cell[0] = value

            def __str__(self) -> str:
                return f"FromFunctionOp{{{function.__name__}}}"

        made = FromFunctionOp()
        if infer_shape is not None:
            made.infer_shape = infer_shape  # type: ignore[attr-defined]
        return made

    return made


class OpFromGraph(Op):
    """A graph as an op: `OpFromGraph([x, y], [x + y * 2])(a, b)`. Shared variables in it are used as they are.

    grad_overrides(inputs, output_gradients): instead of the gradient of the graph.
    """

    @located
    def __init__(
        self, inputs: Sequence[Any], outputs: Sequence[Any], inline: bool = False, grad_overrides: Any = None,
        lop_overrides: Any = None, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.graph_inputs, self.graph_outputs = list(inputs), list(outputs)
        self.overrides, self.label = lop_overrides or grad_overrides, name
        self.takes_outputs = lop_overrides is not None

    @property
    def has_gradient(self) -> bool:
        return self.overrides is not None

    def body(self, xs: list[Any]) -> list[Any]:
        """The outputs for other inputs."""
        return clone_replace(self.graph_outputs, list(zip(self.graph_inputs, xs)))

    def L_op(self, inputs: Sequence[Any], outputs: Sequence[Any], output_gradients: Sequence[Any]) -> Sequence[Any]:
        given = (inputs, outputs, output_gradients) if self.takes_outputs else (inputs, output_gradients)
        if callable(self.overrides):
            return self.overrides(*given)
        return [one(*given) if callable(one) else one for one in self.overrides]

    @located
    def __call__(self, *inputs: Any, name: str | None = None, return_list: bool = False, **options: Any) -> Any:
        if len(inputs) != len(self.graph_inputs):
            raise GraphTypeError(f"OpFromGraph: takes {counted(len(self.graph_inputs), 'input')}, got {len(inputs)}")
        given = [GRAPH.tensor(x) for x in inputs]
        if not self.has_gradient:
            found = self.body(given)
        else:
            outputs = [placeholder(x.type) for x in self.body(given)]
            found = _applied(_Definition(self, Apply(self, given, outputs), GRAPH.here(), self.body))
        return found if len(found) != 1 or return_list else found[0]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)
