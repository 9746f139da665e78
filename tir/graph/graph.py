"""The builder of symbolic expressions. Its ops stand in no block; `function` copies what it needs into one.

An op that stands nowhere is numbered when it is made, so that the order of a program is that in which it was written. A
placeholder, such as an input or a shared variable, is the argument of a block of its own.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import Any, TypeVar

from tir.api import caller_location
from tir.calls import is_wrong_call, wrong_call
from tir.dialects.tir.arithmetic import Add, Maximum, Minimum, Mul
from tir.dialects.tir.build.core import Extent, Tensor, TensorLike, told
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.logic import And, Or
from tir.graph.calls import tell_call
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.typing import autocast, float_x, promoted, upgraded
from tir.ir.errors import Location, TirError
from tir.ir.ir import Block, BlockArgument, Op, Value
from tir.ir.types import I1, I8, FloatType, IntegerType, Type, type_of_dtype
from tir.lazy import np

__all__ = [
    "GRAPH",
    "Graph",
    "Placeholder",
    "as_array",
    "captured",
    "located",
    "Located",
    "with_type",
    "makers_of",
    "placeholders_of",
]

Called = TypeVar("Called", bound=Callable[..., Any])


class Placeholder(Block):
    """The block whose only argument is a variable that no op makes. variable: that variable."""

    __slots__ = ("variable",)

    def __init__(self, type: Type, name: str | None = None) -> None:
        super().__init__([type])
        self.arguments[0].hint = name
        self.variable: Any = None


#: What stands for an op of numbers where both are truth values.
OF_TRUTH: dict[type[Op], type[Op]] = {Add: Or, Maximum: Or, Mul: And, Minimum: And}


class Graph(TensorBuilder):
    """Makes ops that stand in no block, and gives variables; numbers and types are those of Theano (`typing.py`)."""

    names_sizes_later = True
    _numbers = itertools.count(1)
    #: What values are wrapped in; `tir.graph.variable` puts its class here, which stands on this module.
    variable_class: type[Tensor] = Tensor
    #: What stands for a part that a mask chooses; its class too.
    chosen_class: type[Any] = Tensor

    def op(self, cls: type[Any], *operands: Any, **facts: Any) -> Any:
        """A new op, located where the user's code is."""
        facts.setdefault("location", caller_location())
        return super().op(cls, *operands, **facts)

    def insert(self, op: Any) -> Any:
        """The op, which stands nowhere; its number says when it was made."""
        if self.block is not None:
            return super().insert(op)
        op._order = next(self._numbers)
        return op

    def make(self, cls: type[Op], *operands: Any, **facts: Any) -> Tensor:
        """The only result of a new op. Truth values add up as `or` and multiply as `and`, as numpy has it."""
        if cls in OF_TRUTH and operands[0].type.element is I1:
            return super().make(OF_TRUTH[cls], *operands)
        return super().make(cls, *operands, **facts)

    def here(self) -> Location:
        """The line of the user's code that is building."""
        return caller_location()

    def differentiable(self, x: TensorLike) -> Tensor:
        """x itself: copies get the leaf."""
        return self.tensor(x) if self.block is None else super().differentiable(x)

    def tensor(self, x: Any) -> Tensor:
        """x as a variable; a number or array becomes a constant, a list of variables a tensor of one axis more."""
        if x.__class__ is self.variable_class:
            return x  # the usual case, fast
        if isinstance(x, self.variable_class):
            return x.plain  # type: ignore[attr-defined]
        if isinstance(x, (list, tuple)) and any(isinstance(part, (Tensor, list, tuple)) for part in x) and _has_tensor(x):
            return self.stack([self.tensor(part) for part in x])
        if isinstance(x, Tensor):
            hint = "a traced function computes with numpy's functions, and with arrays alone"
            raise GraphTypeError(f"a variable or numbers are needed, got a tensor of another program, {x!r}", hint=hint)
        if isinstance(x, complex) or isinstance(x, np.ndarray) and x.dtype.kind == "c":
            hint = "keep real and imaginary parts apart"
            raise GraphTypeError(f"there are no complex numbers, got {told(x)}", hint=hint)
        return super().tensor(x)

    def constant(self, array: Any, element: Type | None = None) -> Tensor:
        """A constant; a Python number has the smallest type that holds it."""
        return super().constant(autocast(array) if element is None and type(array) in (bool, int, float) else array, element)

    def _own(self, value: Value) -> Tensor:
        return self.variable_class(self, value)

    def axis_of(self, x: Tensor, axis: Any) -> int:
        """The axis, counted from the front, which must be known."""
        if not hasattr(axis, "__index__") or isinstance(axis, Tensor):
            raise GraphTypeError(f"an axis must be a whole number that is known, got {told(axis)}")
        return super().axis_of(x, axis)

    def axes_of(self, x: Tensor, axes: Any) -> list[int]:
        """The axes in order, counted from the front."""
        given = axes if isinstance(axes, (list, tuple, range)) else [axes]
        return super().axes_of(x, [self.axis_of(x, axis) for axis in given])

    def _common_shape(self, xs: Sequence[Tensor]) -> list[Extent]:
        """The shape that numpy's rules give."""
        try:
            return super()._common_shape(xs)
        except TirError:
            raise GraphValueError(f"shapes do not fit together: {' and '.join(map(with_type, xs))}") from None

    def true_div(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y; integers give a floatX."""
        (x, y), element = self._promote(x, y)
        if isinstance(element, IntegerType):
            return super().true_div(*(one if isinstance(one, (int, float)) else self.cast(one, float_x()) for one in (x, y)))
        return super().true_div(x, y)

    def pow(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x to the power of y; a float as exponent makes a float of an integer."""
        if isinstance(x, Tensor) and x.type.element is I1:
            x = self.cast(x, I8)
        if isinstance(y, float):
            (x, _), element = self._promote(x, y)
            x = self.cast(x, element) if isinstance(x, Tensor) else x
        return super().pow(x, y)

    def square(self, x: TensorLike) -> Tensor:
        """x times itself."""
        x = self.tensor(x)
        return x if x.type.element is I1 else super().square(x)

    def neg(self, x: TensorLike) -> Tensor:
        """-x."""
        x = self.tensor(x)
        if x.type.element is I1:
            hint = "~x is the other truth value, T.cast(x, 'int8') a number"
            raise GraphTypeError(f"truth values have no negative, got {with_type(x)}", hint=hint)
        return super().neg(x)

    def sub(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x - y."""
        (first, second), element = self._promote(x, y)
        if element is I1:
            hint = "T.xor(x, y) says where they differ, T.cast(.., 'int8') makes numbers"
            raise GraphTypeError("truth values have no difference", hint=hint)
        return super().sub(first, second)

    def _bits(self, *xs: TensorLike) -> list[Tensor]:
        """Tensors of integers or truth values."""
        found = [self.tensor(x) for x in xs]
        for x in found:
            if isinstance(x.type.element, FloatType):
                hint = "T.cast(.., 'int64') makes integers, x > 0 truth values"
                raise GraphTypeError(f"bits are those of integers and truth values, got {with_type(x)}", hint=hint)
        return found

    def and_(self, x: TensorLike, y: TensorLike) -> Tensor:
        """Both, bit by bit."""
        return super().and_(*self._bits(x, y))

    def or_(self, x: TensorLike, y: TensorLike) -> Tensor:
        """One or both, bit by bit."""
        return super().or_(*self._bits(x, y))

    def xor(self, x: TensorLike, y: TensorLike) -> Tensor:
        """One but not both, bit by bit."""
        return super().xor(*self._bits(x, y))

    def not_(self, x: TensorLike) -> Tensor:
        """The other bits."""
        return super().not_(*self._bits(x))

    def shl(self, x: TensorLike, y: TensorLike) -> Tensor:
        """The bits moved up."""
        return super().shl(*self._bits(x, y))

    def shr(self, x: TensorLike, y: TensorLike, logical: bool = False) -> Tensor:
        """The bits moved down."""
        x, y = self._bits(x, y)
        return super().shr(x, y, logical)

    def _promote(self, *xs: TensorLike, floats: bool = False) -> tuple[list[Tensor | int | float], Type]:
        """Tensors of the element type that Theano gives them together, and that type; numbers are left as they are."""
        kept = [x if type(x) in (bool, int, float) else self.tensor(x) for x in xs]
        if not any(isinstance(x, Tensor) for x in kept):
            kept = [self.constant(autocast(x)) for x in kept]
        elements = [
            x.value.type.element if isinstance(x, Tensor) else type_of_dtype(autocast(x).dtype.name) for x in kept  # type: ignore[attr-defined]
        ]  # fmt: skip
        element = promoted(elements)
        if floats and not isinstance(element, FloatType):
            element = promoted([upgraded(one) for one in elements])
        return [self.cast(x, element) if isinstance(x, Tensor) else x for x in kept], element


GRAPH = Graph()


def with_type(x: Tensor) -> str:
    """A variable in a message: its name, if it has one, and its type."""
    return f"{x.value.hint} of type {x.type}" if x.value.hint else str(x.type)


def located(function: Called) -> Called:
    """The function with a place, the line of the user, for each error that has none, and with the call told in it."""
    is_method = "." in function.__qualname__.rpartition("<locals>.")[2]

    @wraps(function)
    def with_place(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except TirError as error:
            tell_call(error, function.__name__, is_method, given, named)
            if error.location is None:
                error.location = caller_location()
            raise
        except TypeError as error:
            if not is_wrong_call(error):
                raise
            raise wrong_call(function.__name__, function, given, named, is_method) from None

    return with_place  # type: ignore[return-value]


class Located(type):
    """Makes a class in which each error of a method has a place, inherited operators too; subclasses add what they like."""

    def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> Any:
        if any(isinstance(base, cls) for base in bases):
            return super().__new__(cls, name, bases, members)
        methods = {label: method for base in bases for label, method in inspect.getmembers(base)} | members
        placed = {
            label: located(method)
            for label, method in methods.items()
            if inspect.isfunction(method) and label not in _OF_PYTHON
        }
        return super().__new__(cls, name, bases, members | placed)


_OF_PYTHON = ("__init__", "__getattr__", "__eq__", "__hash__", "__repr__", "__bool__", "__reduce__", "__new__", "__dir__")


def _has_tensor(parts: Any) -> bool:
    return any(isinstance(one, Tensor) or (isinstance(one, (list, tuple)) and _has_tensor(one)) for one in parts)


# --- what depends on what --------------------------------------------------------------------------------------------


def captured(op: Op) -> Iterator[Value]:
    """All values that an op uses: its operands, and what its regions use from outside of it."""
    if not op.regions:
        yield from op.operands
        return
    for inner in op.walk():
        for value in inner.operands:
            around = value.block.parent_op if value.block is not None else None
            if around is None or not around.is_inside(op):
                yield value


def makers_of(values: Iterable[Value], known: Callable[[Value], bool] = lambda value: False) -> list[Op]:
    """The ops in no block that values are made by, in the order in which they were made, up to those that are known."""
    found: set[Op] = set()
    pending = [value for value in values if not known(value)]
    while pending:
        op = pending.pop().op
        if op is None or op in found or op.parent is not None:
            continue
        found.add(op)
        pending.extend(value for value in captured(op) if not known(value))
    return sorted(found, key=lambda op: op._order)


def placeholders_of(values: Sequence[Value], ops: Sequence[Op]) -> list[BlockArgument]:
    """The placeholders among the values and what the ops use, each once, in the order of use."""
    used = itertools.chain.from_iterable(captured(op) for op in ops)
    found = (v for v in itertools.chain(used, values) if isinstance(v, BlockArgument) and isinstance(v.owner, Placeholder))
    return list(dict.fromkeys(found))


def as_array(given: Any) -> Any:
    """What a constant is made of: a Python number has the type that it counts as."""
    if type(given) in (bool, int, float):
        return autocast(given)
    return np.asarray(given)
