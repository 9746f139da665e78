"""Shared variables and gradients: `tir.shared`, `tir.read`, `tir.update`, `tir.leaf`, `tir.grad`.

A function sees one old and one new state: all reads give the value before the call, all updates are committed together
at its end. So the order of reads and updates in the text means nothing, and each may occur once a symbol in a function.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import fail
from tir.dialects.tir.batch import batch_size, in_front
from tir.dialects.tir.elements import ELEMENT_TENSOR, ELEMENTS, FLOAT_TENSOR
from tir.ir.attributes import DenseAttr
from tir.ir.define import attribute, operand, result
from tir.ir.errors import Location, VerifyError
from tir.ir.execution import Call, ExecutionError, Frame
from tir.ir.ir import BlockArgument, Op, UnregisteredOp, Value
from tir.ir.kinds import ELEMENTS as DENSE
from tir.ir.kinds import FLAT_SYMBOL, SYMBOL_NAME, TYPE, integer_enum
from tir.ir.symbols import SymbolTable
from tir.ir.traits import Effects, FunctionLike, Pure, ReadsMemory, Symbol, WritesMemory
from tir.ir.types import FunctionType, TensorType, Type

__all__ = ["OPS"]


class Shared(Op, Symbol):
    """A variable of the module, which lives between calls, and its first value: a constant, or what a function returns.

    `tir.shared @w : tensor<64x10xf32> = dense<0.0>`, `tir.shared @w : tensor<64x10xf32> init @f`.
    """

    name = "tir.shared"
    parent_ops = ("builtin.module",)
    sym_name = attribute(SYMBOL_NAME)
    type = attribute(TYPE)
    value = attribute(DENSE, optional=True)
    init = attribute(FLAT_SYMBOL, optional=True)
    format = "$sym_name `:` custom<SharedValue>($type, $value, $init) attr-dict"

    def verify(self) -> None:
        type = self.type
        if not (isinstance(type, TensorType) and type.is_static and ELEMENTS.accepts(type.element)):
            fail(self, f"the type must be a tensor of static sizes, got {type}")
        if (self.value is None) == (self.init is None):
            fail(self, f"@{self.sym_name} needs a value or an init function, and not both")
        if self.value is not None and self.value.type is not type:
            fail(self, f"the value must be of type {type}, got {self.value.type}")

    def initial_state(self, frame: Frame) -> Any:
        """The first value: an array, or a generator that calls the init function."""
        if self.init is not None:
            return _called(self.init, self.location)
        if not isinstance(self.value, DenseAttr):
            raise ExecutionError(f"{self.value} is not loaded", self.location)
        return self.value.numpy()

    def verify_symbols(self, symbols: SymbolTable) -> None:
        """VerifyError unless the init function is one of the right type that uses no state."""
        if self.init is None:
            return
        function = symbols.lookup(self.init)
        if not isinstance(function, FunctionLike):
            hint = symbols.hint(self.init, FunctionLike)
            raise VerifyError(f"{self.name}: there is no function @{self.init}", self.location, hint=hint)
        want = FunctionType((), (self.type,))
        if function.function_type is not want:
            fail(self, f"@{self.init} must have type {want}, got {function.function_type}")
        for op in function.walk():
            if isinstance(op, _State):
                message = f"{self.name}: @{self.init} gives a first value, so it may not use state"
                raise VerifyError(message, self.location, [("it does here", op.location)])


def _called(symbol: str, location: Location) -> Generator[Any, Any, Any]:
    """The only result of a function, for the interpreter to run."""
    (value,) = yield Call(symbol, [], location)
    return value


class _State(Op):
    """A read or an update of a shared variable: at the top level of a function, each once a symbol."""

    verify_looks_around = True
    symbol = attribute(FLAT_SYMBOL)
    does: ClassVar[str]

    def verify(self) -> None:
        function = self.parent_op
        if isinstance(function, UnregisteredOp):
            return
        if not isinstance(function, FunctionLike) or self.parent is not function.region.blocks[0]:
            fail(self, "must stand at the top level of a function, in its first block")
        if next(_state_ops(self.previous, forward=False), None) is None:
            self._check_twice()

    def _check_twice(self) -> None:
        """The first of the block looks at all the others, so that a function is looked through once."""
        seen: dict[tuple[type[Op], str], Op] = {}
        for op in _state_ops(self, forward=True):
            first = seen.setdefault((type(op), op.symbol), op)
            if first is not op:
                message = f"{op.name}: a function may {op.does} @{op.symbol} once"
                raise VerifyError(message, op.location, [("the first is here", first.location)])

    def value_type(self) -> Type:
        """The type of the value that is read or written."""
        raise AssertionError(self.name)

    def verify_symbols(self, symbols: SymbolTable) -> None:
        """VerifyError unless the symbol is a shared variable of the type of the value."""
        shared = symbols.lookup(self.symbol)
        if not isinstance(shared, Shared):
            hint = symbols.hint(self.symbol, Shared)
            raise VerifyError(f"{self.name}: there is no shared variable @{self.symbol}", self.location, hint=hint)
        if shared.type is not self.value_type():
            message = f"{self.name}: @{self.symbol} has type {shared.type}, got {self.value_type()}"
            raise VerifyError(message, self.location, [("defined here", shared.location)])


def _state_ops(start: Op | None, forward: bool) -> Iterator[_State]:
    op = start
    while op is not None:
        if isinstance(op, _State):
            yield op
        op = op.next if forward else op.previous


class Read(_State, ReadsMemory):
    """The value of a shared variable before this call: `%w = tir.read @w : tensor<64x10xf32>`."""

    name = "tir.read"
    does = "read"
    result = result(ELEMENT_TENSOR)
    format = "$symbol attr-dict `:` type($result)"

    def value_type(self) -> Type:
        return self.results[0].type

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        return (frame.state(self.symbol),)


class Update(_State, WritesMemory):
    """The value of a shared variable after this call: `tir.update @w, %new : tensor<64x10xf32>`."""

    name = "tir.update"
    does = "update"
    value = operand(ELEMENT_TENSOR)
    format = "$symbol `,` $value attr-dict `:` type($value)"

    def value_type(self) -> Type:
        return self.value.type

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        frame.update(self.symbol, frame[self.value])
        return ()


class Leaf(Op):
    """x itself, as a point that `tir.grad` differentiates by: only autodiff may fold, merge or look through it."""

    name = "tir.leaf"
    #: Like an allocation, it makes an identity of its own: it may be removed if unused, and is never merged or folded.
    effects: ClassVar[Effects] = Effects.ALLOCATE
    x = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$x attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        return in_front(b, self, operands, batch_size(b, operands, batched))

    def infer(self) -> Sequence[Type]:
        return [self.x.type]

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        return (frame[self.x],)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g]


class Derivative(Op, Pure):
    """What derivatives share: each of `wrt` is an argument of the block or the result of a `tir.leaf`, in the op's block."""

    verify_looks_around = True
    wrt: Any

    def check_wrt(self) -> None:
        """VerifyError unless `wrt` names values that one can differentiate by."""
        if not self.wrt:
            fail(self, "wrt must name a value")
        self.check_points("wrt", self.wrt)

    def check_points(self, what: str, values: Sequence[Value]) -> None:
        """VerifyError unless no rewrite can change what the values are: arguments of the block and results of tir.leaf."""
        for value in values:
            if value.block is not self.parent:
                fail(self, f"{what}{named(value)} must be defined in the block of this op", _leaf(value))
            is_unread = isinstance(value.op, UnregisteredOp) and not value.op.name
            if not isinstance(value, BlockArgument) and not isinstance(value.op, Leaf) and not is_unread:
                problem = f"{what}{named(value)} must be an argument of the block or the result of a tir.leaf"
                fail(self, problem, _leaf(value))

    def check_value(self, what: str, value: Value) -> None:
        """VerifyError unless the value stands in the block of the op."""
        if value.block is not self.parent:
            cure = f"put the {self.name} where the {what} is computed"
            fail(self, f"the {what}{named(value)} must be defined in the block of this op", cure)

    def check_pairs(self, name: str, first: Sequence[Value], second: Sequence[Value]) -> None:
        """VerifyError unless there are as many `second`, called `name`, as `first`, of the same types."""
        if len(first) != len(second):
            fail(self, f"needs as many {name} as values: {len(first)}, got {len(second)}")
        for one, other in zip(first, second):
            if one.type is not other.type:
                fail(self, f"the {name[:-1]} of{named(one)} must have type {one.type}, got {other.type}")

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        raise ExecutionError("cannot run before the pass autodiff has expanded it")


#: What to do about a `wrt` that nothing depends on: its gradient is 0, and that is fine, to be warned of, or an error.
DISCONNECTED = ("zero", "warning", "error")


class Grad(Derivative):
    """The gradients of a 0-d cost: `%da, %db = tir.grad %cost wrt (%a, %b) : tensor<4xf32>, tensor<f32>`.

    Each of `wrt` is an argument of the block or the result of a `tir.leaf`, in the block of the op, as is the cost.
    Where the cost does not depend on it, its gradient is 0; `disconnected warning` says so, `disconnected error` does not
    allow it. The pass `autodiff` expands the op.
    """

    name = "tir.grad"
    cost = operand(FLOAT_TENSOR)
    wrt = operand(FLOAT_TENSOR, variadic=True)
    gradients = result(FLOAT_TENSOR, variadic=True)
    disconnected = attribute(integer_enum(DISCONNECTED), optional=True)
    format = "$cost `wrt` ` ` `(` $wrt `)` (`disconnected` $disconnected^)? attr-dict `:` type($gradients)"

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.wrt]

    def verify(self) -> None:
        if self.wrt and len(self.wrt) != len(self.results):
            fail(self, f"needs a result for each value in wrt: {len(self.wrt)}, got {len(self.results)}")
        self.check_value("cost", self.cost)
        if self.cost.type.rank != 0:
            cure = "tir.sum or tir.mean makes it one number, tir.vjp takes an adjoint for each element"
            fail(self, f"the cost{named(self.cost)} must have rank 0, got {self.cost.type}; {cure}")
        self.check_wrt()


class Vjp(Derivative):
    """Adjoints from adjoints: `%dx = tir.vjp (%y, %z) with (%dy, %dz) wrt (%x) : tensor<4xf32>`, reverse mode.

    The sum over the values of the Jacobian by `wrt`, transposed, times the adjoint (the "cotangent"). Values and `wrt`
    stand in the block of the op; see `tir.grad`, which is this of one number with the adjoint 1, for `disconnected`.
    Nothing goes back through the definition of a value in `constant (%c)`, an argument or a leaf: it counts as given.
    """

    name = "tir.vjp"
    values = operand(FLOAT_TENSOR, variadic=True)
    cotangents = operand(FLOAT_TENSOR, variadic=True)
    wrt = operand(FLOAT_TENSOR, variadic=True)
    constants = operand(FLOAT_TENSOR, variadic=True)
    gradients = result(FLOAT_TENSOR, variadic=True)
    disconnected = attribute(integer_enum(DISCONNECTED), optional=True)
    format = (
        "` ` `(` $values `)` `with` ` ` `(` $cotangents `)` `wrt` ` ` `(` $wrt `)` "
        "(`constant` ` ` `(` $constants^ `)`)? (`disconnected` $disconnected^)? attr-dict `:` type($gradients)"
    )

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.wrt]

    def verify(self) -> None:
        if self.wrt and len(self.wrt) != len(self.results):
            fail(self, f"needs a result for each value in wrt: {len(self.wrt)}, got {len(self.results)}")
        self.check_pairs("cotangents", self.values, self.cotangents)
        for value in self.values:
            self.check_value("value", value)
        self.check_wrt()
        self.check_points("constant", self.constants)


class Jvp(Derivative):
    """Tangents from tangents: `%dy, %dz = tir.jvp (%y, %z) wrt (%x) with (%dx) : tensor<4xf32>, tensor<f32>`, forward mode.

    The Jacobian of each value by `wrt`, times the tangents of `wrt`. Values and `wrt` stand in the block of the op.
    """

    name = "tir.jvp"
    values = operand(FLOAT_TENSOR, variadic=True)
    wrt = operand(FLOAT_TENSOR, variadic=True)
    tangents = operand(FLOAT_TENSOR, variadic=True)
    derivatives = result(FLOAT_TENSOR, variadic=True)
    format = "` ` `(` $values `)` `wrt` ` ` `(` $wrt `)` `with` ` ` `(` $tangents `)` attr-dict `:` type($derivatives)"

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.values]

    def verify(self) -> None:
        if len(self.values) != len(self.results):
            fail(self, f"needs a result for each value: {len(self.values)}, got {len(self.results)}")
        self.check_pairs("tangents", self.wrt, self.tangents)
        for value in self.values:
            self.check_value("value", value)
        self.check_wrt()


def _leaf(value: Value) -> str:
    """How one differentiates by a value that is no point to differentiate by."""
    return f"%l = tir.leaf{named(value) or ' %x'} in this block makes one; use %l from there on"


def named(value: Value) -> str:
    """" %w", or nothing where the text gives a number."""
    return f" %{value.hint}" if value.hint else ""


#: The ops of the family, in the order of the documentation.
OPS = (Shared, Read, Update, Leaf, Grad, Vjp, Jvp)
