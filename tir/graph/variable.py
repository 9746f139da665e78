"""A symbolic variable: a value with Theano's operators and methods.

`==` asks whether two are the same variable, so that variables can be keys; `T.eq` compares elements. A variable is true,
but the result of `<`, `<=`, `>` or `>=` is neither true nor false, so that `a < b < c` is not taken for something else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from tir.dialects.func import Call
from tir.dialects.tir.build.chosen import Choice, unknown_number
from tir.dialects.tir.build.core import Tensor
from tir.graph import creation, elementwise, extra, indexing, products, reductions, shape, sorting
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH, Graph, Located, Placeholder
from tir.graph.refused import OF_NUMPY, Refusing
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.types import TensorType, dtype_of

__all__ = ["Apply", "Constant", "Variable", "placeholder", "public"]


class Scratchpad:
    """Attributes that a program keeps with a variable, `x.tag.name`."""

    def __repr__(self) -> str:
        return f"scratchpad{vars(self)}"


class Apply:
    """How a variable is computed: the op, and its operands and results as variables."""

    def __init__(self, op: Op) -> None:
        self.op = op

    @property
    def inputs(self) -> list[Tensor]:
        return [public(value) for value in self.op.operands]

    @property
    def outputs(self) -> list[Tensor]:
        return [GRAPH.tensor(value) for value in self.op.results]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Apply) and other.op is self.op

    def __hash__(self) -> int:
        return hash(self.op)

    def __repr__(self) -> str:
        return f"{_label(self.op) if isinstance(self.op, Call) else self.op.name}({', '.join(map(str, self.inputs))})"


def _label(op: Op) -> str:
    """What an op is called in front of its results; a call has the name of the op in Python that it is, and a number."""
    return op.callee.rpartition("_")[0] if isinstance(op, Call) else op.name.removeprefix("tir.")


def _method(name: str) -> Any:
    """The function of this name as a method."""

    def method(self: Any) -> Tensor:
        return getattr(elementwise, name)(self)

    method.__name__ = method.__qualname__ = name
    return method


class Variable(Refusing, metaclass=Located):
    """A symbolic tensor. It has no numbers until a function that computes it is called."""

    #: What pickles a variable, and what computes it; `tir.graph.pickling` and `function`, which stand on this module, put
    #: their functions here.
    saver: Callable[[Variable], Any]
    evaluator: Callable[[Variable, Any], Any]

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def ir(self) -> Value:
        """The value in the IR."""
        return self.value

    @property
    def plain(self) -> Tensor:
        """The variable as the builder takes it."""
        return self

    @property
    def type(self) -> TensorType:
        return self.value.type  # type: ignore[return-value]

    @property
    def name(self) -> str | None:
        """The name that messages and texts use."""
        return self.ir.hint

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise GraphTypeError(f"the name of a variable must be a string or None, got {name!r}", self.builder.here())
        self.ir.hint = name

    @property
    def owner(self) -> Apply | None:
        """How it is computed; None for inputs, shared variables and constants."""
        op = self.ir.op
        return None if op is None or op.definition.name == "tir.constant" else Apply(op)

    @property
    def tag(self) -> Scratchpad:
        return self.__dict__.setdefault("_tag", Scratchpad())

    @property
    def ndim(self) -> int:
        return self.type.rank

    @property
    def dtype(self) -> str:
        return dtype_of(self.type.element).numpy or str(self.type.element)

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """Which axes are known to have size 1."""
        return tuple(dim == 1 for dim in self.type.shape)

    @property
    def static_shape(self) -> tuple[int | None, ...]:
        """The sizes that are known before it runs."""
        return tuple(dim if isinstance(dim, int) else None for dim in self.type.shape)

    def get_parents(self) -> list[Apply]:
        return [] if self.owner is None else [self.owner]

    def eval(self, inputs_to_values: Any = None) -> Any:
        """Its value, for values of the inputs that it depends on: `z.eval({x: 1, y: 2})`."""
        return self.evaluator(self, inputs_to_values)

    def clone(self, name: str | None = None) -> Variable:
        """A new variable of the same type that nothing computes."""
        return placeholder(self.type, name or self.name)

    def get_scalar_constant_value(self) -> Any:
        """The number that it is known to be."""
        return shape.get_scalar_constant_value(self)

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return isinstance(other, Variable) and other.ir is self.ir

    def __ne__(self, other: object) -> bool:  # type: ignore[override]
        return not self == other

    def __hash__(self) -> int:
        return hash(self.ir)

    def __repr__(self) -> str:
        return self.name or self._spelled()

    def _spelled(self) -> str:
        if (part := self.__dict__.get("part_of")) is not None:
            return f"{part[0]}[..]"
        owner = self.owner
        if owner is None:
            known = shape.constant_of(self)
            return f"<{self.type}>" if known is None else f"TensorConstant{{{known}}}"
        return f"{_label(owner.op)}.{self.ir.index}"  # type: ignore[attr-defined]

    def __getitem__(self, given: Any) -> Tensor:
        return indexing.index(self, given)

    def __divmod__(self, other: Any) -> list[Tensor]:
        return elementwise.divmod(self, other)

    def __rdivmod__(self, other: Any) -> list[Tensor]:
        return elementwise.divmod(other, self)

    def __round__(self, digits: int | None = None) -> Tensor:
        return elementwise.round(self)

    def __floor__(self) -> Tensor:
        return elementwise.floor(self)

    def __ceil__(self) -> Tensor:
        return elementwise.ceil(self)

    def __trunc__(self) -> Tensor:
        return elementwise.trunc(self)

    def __reduce__(self) -> Any:
        return self.saver(self)

    def __deepcopy__(self, memo: Any) -> Variable:
        return self  # a graph never changes

    # --- sizes and axes ----------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Tensor:  # type: ignore[override]
        """The sizes, a vector of int64."""
        return shape.shape(self)

    @property
    def size(self) -> Tensor:
        """The number of elements."""
        return shape.size(self)

    @property
    def T(self) -> Tensor:
        """The axes in reversed order."""
        return shape.transpose(self)

    def transpose(self, *axes: Any) -> Tensor:
        is_one = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (list, tuple)))
        return shape.transpose(self, (axes[0] if is_one else axes) or None)

    def reshape(self, newshape: Any, *more: Any, ndim: int | None = None) -> Tensor:
        return shape.reshape(self, (newshape, *more) if more else newshape, ndim)

    def dimshuffle(self, *pattern: Any) -> Tensor:
        return shape.dimshuffle(self, *pattern)

    def flatten(self, ndim: int = 1) -> Tensor:
        return shape.flatten(self, ndim)

    def ravel(self) -> Tensor:
        return shape.ravel(self)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return shape.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Tensor:
        return shape.squeeze(self, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        return shape.repeat(self, repeats, axis)

    # --- elements ----------------------------------------------------------------------------------------------------

    def astype(self, dtype: Any) -> Tensor:
        return elementwise.cast(self, dtype)

    def clip(self, a_min: Any, a_max: Any) -> Tensor:
        return elementwise.clip(self, a_min, a_max)

    def round(self, mode: str = "half_to_even") -> Tensor:
        return elementwise.round(self, mode)

    def copy(self, name: str | None = None) -> Tensor:
        """The same numbers as another variable."""
        found = shape.specified(GRAPH, self.ir, self.type)
        return found if name is None else found.named(name)

    def conj(self) -> Tensor:
        return self

    real = property(lambda self: elementwise.real(self))
    imag = property(lambda self: elementwise.imag(self))

    def fill(self, value: Any) -> Tensor:
        return elementwise.fill(self, value)

    def zeros_like(self, dtype: Any = None) -> Tensor:
        return creation.zeros_like(self, dtype)

    def ones_like(self, dtype: Any = None) -> Tensor:
        return creation.ones_like(self, dtype)

    def take(self, indices: Any, axis: int | None = None, mode: str = "raise") -> Tensor:
        return indexing.take(self, indices, axis, mode)

    def choose(self, choices: Any, out: None = None, mode: str = "raise") -> Tensor:
        return indexing.choose(self, choices, out, mode)

    def compress(self, a: Any, axis: int | None = None) -> Tensor:
        return extra.compress(self, a, axis)

    def transfer(self, target: Any) -> Tensor:
        """The variable itself: where it is kept is not its matter."""
        return self

    def set(self, y: Any) -> Tensor:
        """`x[..].set(y)`: x with y in the place of this part."""
        return indexing.set_subtensor(self, y)

    def inc(self, y: Any) -> Tensor:
        """`x[..].inc(y)`: x with y added to this part."""
        return indexing.inc_subtensor(self, y)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return creation.diagonal(self, offset, axis1, axis2)

    def trace(self) -> Tensor:
        return creation.trace(self)

    def sort(self, axis: int | None = -1, kind: str = "quicksort", order: None = None) -> Tensor:
        return sorting.sort(self, axis)

    def argsort(self, axis: int | None = -1, kind: str = "quicksort", order: None = None) -> Tensor:
        return sorting.argsort(self, axis)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
        return sorting.searchsorted(self, v, side, sorter)

    def nonzero(self, return_matrix: bool = False) -> Any:
        return extra.nonzero(self, return_matrix)

    def nonzero_values(self) -> Any:
        return extra.nonzero_values(self)

    # --- functions that numpy has, `numpy.exp(x)` and `x.exp()` -----------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Tensor:
        """What numpy's function of this name is here."""
        name = OF_NUMPY.get(ufunc.__name__, ufunc.__name__)
        if method == "__call__" and not named and name in elementwise.__all__:
            return getattr(elementwise, name)(*inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **named)

    arccos, arccosh, arcsin, arcsinh = (_method(name) for name in ("arccos", "arccosh", "arcsin", "arcsinh"))
    arctan, arctanh, ceil, cos, cosh = (_method(name) for name in ("arctan", "arctanh", "ceil", "cos", "cosh"))
    deg2rad, exp, exp2, expm1, floor = (_method(name) for name in ("deg2rad", "exp", "exp2", "expm1", "floor"))
    log, log10, log1p, log2, rad2deg = (_method(name) for name in ("log", "log10", "log1p", "log2", "rad2deg"))
    sin, sinh, sqrt, tan, tanh, trunc = (_method(name) for name in ("sin", "sinh", "sqrt", "tan", "tanh", "trunc"))

    # --- over axes ---------------------------------------------------------------------------------------------------

    def dot(self, right: Any) -> Tensor:
        return products.dot(self, right)

    __dot__ = dot

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Tensor:
        return reductions.sum(self, axis, dtype, keepdims, acc_dtype)

    def prod(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Tensor:
        return reductions.prod(self, axis, dtype, keepdims, acc_dtype)

    def mean(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Tensor:
        return reductions.mean(self, axis, dtype, keepdims=keepdims, acc_dtype=acc_dtype)

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False) -> Tensor:
        return reductions.var(self, axis, ddof, keepdims)

    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False) -> Tensor:
        return reductions.std(self, axis, ddof, keepdims)

    def norm(self, L: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reductions.norm(self, L, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reductions.max(self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reductions.min(self, axis, keepdims)

    def argmax(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reductions.argmax(self, axis, keepdims)

    def argmin(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reductions.argmin(self, axis, keepdims)

    def ptp(self, axis: Any = None) -> Tensor:
        return reductions.ptp(self, axis)

    def all(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reductions.all(self, axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reductions.any(self, axis, keepdims)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return reductions.cumsum(self, axis)

    def cumprod(self, axis: int | None = None) -> Tensor:
        return reductions.cumprod(self, axis)


class Chosen(Variable):
    """The part of a variable that a mask chooses, `x[x > 0]`, which has a number of elements that only run time knows.

    What has a shape all the same is computed of it: sums, means and extremes, sizes, and the variable with others in the
    place of the part. place_of: its elements are positions along this axis of the mask, as `nonzero` gives them.
    """

    def __init__(self, choice: Choice, place_of: int | None = None) -> None:
        self.builder, self.choice, self.place_of = GRAPH, choice, place_of

    @property
    def type(self) -> TensorType:
        return self.choice.type

    @property
    def value(self) -> NoReturn:  # type: ignore[override]
        hint = "T.switch(mask, x, y) keeps the shape; sum, mean, max, min, prod, any, all, size, set and inc have one too"
        raise unknown_number(hint, GraphTypeError)

    plain = value

    def __bool__(self) -> bool:
        return True

    @property
    def shape(self) -> Tensor:  # type: ignore[override]
        return shape.stacked(self.choice.sizes())

    @property
    def size(self) -> Tensor:
        return self.choice.count(range(self.choice.x.type.rank))

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"{self.choice.x}[{', '.join([*[':'] * self.choice.axis, repr(self.choice.mask)])}]"


Graph.variable_class, Graph.chosen_class = Variable, Chosen


class _Constants(type):
    def __instancecheck__(cls, given: Any) -> bool:
        return isinstance(given, Variable) and given.owner is None and given.ir.op is not None


class Constant(metaclass=_Constants):
    """Theano's class of the variables whose numbers are known: `isinstance(x, T.Constant)`; `T.constant` makes one."""


def public(value: Value) -> Tensor:
    """The variable that users have for a value."""
    if isinstance(value, BlockArgument) and isinstance(value.owner, Placeholder):
        return value.owner.variable
    return GRAPH.tensor(value)


def placeholder(type: TensorType, name: str | None = None) -> Variable:
    """A variable that nothing computes."""
    block = Placeholder(type, name)
    block.variable = Variable(GRAPH, block.arguments[0])
    return block.variable


TensorType.maker = staticmethod(placeholder)
