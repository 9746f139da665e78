"""Traced arrays: values of a program that is being written, which look like numpy's arrays.

    with Tracer("f").function(..) as (x,): np.exp(x) + 1       # what `tir.jit` does

Operators, methods and numpy's own functions on them put ops where the builder inserts, with numpy's rules for element
types and shapes. `FUNCTIONS` says what each of numpy's functions does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from tir.api import Builder
from tir.dialects.tir.build.chosen import Choice, unknown_number
from tir.dialects.tir.build.core import SizeOf, Tensor, told
from tir.dialects.tir.build.hints import NoSuchNameError, UnknownYetError
from tir.graph.graph import Graph
from tir.ir.affine import AffineExpr
from tir.ir.bfloat16 import outside_dtype
from tir.ir.errors import TirError, nearest
from tir.ir.ir import Value
from tir.ir.types import BF16, I1, I64, TensorType, dtype_of
from tir.lazy import np
from tir.numpy.names import FUNCTIONS, METHODS, UNTRACEABLE
from tir.trees import flat

__all__ = ["TRACED", "Array", "Tracer", "active", "as_array", "builder_of"]


def _operator(name: str, swapped: bool = False) -> Any:
    def operator(self: Array, other: Any) -> Any:
        if isinstance(other, (complex, np.complexfloating)):
            raise TirError(f"there are no complex numbers in tir, got {told(other)}", self.builder.here())
        if not is_operand(other):
            return NotImplemented
        return FUNCTIONS[name](other, self) if swapped else FUNCTIONS[name](self, other)

    return operator


def is_operand(x: Any) -> bool:
    """x may stand beside a traced array."""
    if isinstance(x, (Tensor, int, float, list, tuple, AffineExpr, SizeOf)):
        return True
    return hasattr(x, "__array__") or hasattr(x, "__dlpack__")


def _both(name: str) -> tuple[Any, Any]:
    """The operator, and the one for an array on its right."""
    return _operator(name), _operator(name, swapped=True)


def _of_one(name: str) -> Any:
    return lambda self: FUNCTIONS[name](self)


class Array(Tensor):
    """A traced array. is_weak: it stands for a Python number, which takes the type of what it meets."""

    __slots__ = ("is_weak",)

    def __init__(self, builder: Any, value: Value, is_weak: bool = False) -> None:
        super().__init__(builder, value)
        self.is_weak = is_weak

    # --- what numpy's arrays have ------------------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return self.type.rank

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes: an int where it is known, else what other sizes can be computed from."""
        return self.builder.shape(self)

    @shape.setter
    def shape(self, sizes: Any) -> None:
        self._never_changes(f"x.reshape({told(sizes)}) gives it another shape")

    @property
    def dtype(self) -> Any:
        element = self.type.element
        return np.dtype(outside_dtype() if element is BF16 else dtype_of(element).numpy)

    @property
    def size(self) -> Any:
        """The number of elements: an int where the sizes are known."""
        return self.builder.count(self, range(self.ndim), I64)

    @property
    def itemsize(self) -> int:
        return dtype_of(self.type.element).size_bytes

    @property
    def T(self) -> Array:  # noqa: N802  # numpy's name
        return FUNCTIONS["transpose"](self)

    @property
    def mT(self) -> Array:  # noqa: N802  # numpy's name
        return FUNCTIONS["matrix_transpose"](self)

    @property
    def real(self) -> Array:
        return self

    @property
    def at(self) -> Places:
        """`x.at[index].set(y)`: x with some elements changed; also add, multiply, min, max, get."""
        return Places(self)

    def reshape(self, *shape: Any, order: str = "C") -> Array:
        return FUNCTIONS["reshape"](self, shape[0] if len(shape) == 1 else shape, order)

    def transpose(self, *axes: Any) -> Array:
        is_one = len(axes) == 1 and not isinstance(axes[0], int)
        return FUNCTIONS["transpose"](self, None if not axes else axes[0] if is_one else axes)

    def flatten(self, order: str = "C") -> Array:
        return FUNCTIONS["ravel"](self, order)

    def astype(self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True) -> Array:
        return FUNCTIONS["astype"](self, dtype)

    def sort(self, axis: int = -1, **named: Any) -> NoReturn:
        self._never_changes("numpy.sort(x) gives a sorted one")

    def fill(self, value: Any) -> NoReturn:
        self._never_changes("numpy.full_like(x, value) makes one")

    def item(self, *index: int) -> NoReturn:
        self._unknown("number", KEEP)

    def tolist(self) -> NoReturn:
        self._unknown("numbers", KEEP)

    # --- what numpy asks ---------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        """numpy's function of elements, or what its methods `reduce`, `accumulate` and `outer` make of it."""
        if any(isinstance(x, np.ndarray) for x in named.get("out", ())):
            self._unknown("numbers to write into an array", "write `a = a + x` for `a += x`, and leave `out` away")
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return self._traced(name, inputs, named)

    def __array_function__(self, function: Any, types: Any, arguments: Any, named: Any) -> Any:
        module = function.__module__.removeprefix("numpy").removeprefix(".")
        return self._traced(f"{module}.{function.__name__}".removeprefix("."), arguments, named)

    def _traced(self, name: str, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        if name not in FUNCTIONS:
            if name in UNTRACEABLE:
                message = f"numpy.{name} cannot be traced: it would need numbers before the program runs"
                raise UnknownYetError(message, self.builder.here(), hint=UNTRACEABLE[name])
            cure = "compute it outside of the traced function, and hand the result over"
            raise UnknownYetError(f"numpy.{name} cannot be traced: tir has no such function", self.builder.here(), hint=cure)
        return FUNCTIONS[name](*arguments, **named)

    def __array__(self, *given: Any, **named: Any) -> NoReturn:
        self._unknown("numbers", "what asks for an array cannot be traced; tir.numpy and numpy's functions can")

    # --- what Python asks --------------------------------------------------------------------------------------------

    def _unknown(self, what: str, cure: str) -> NoReturn:
        message = f"a traced array has no {what} before it runs"
        error = UnknownYetError(message, self.builder.here(), hint=cure)
        if isinstance(self.builder, Tracer):
            self.builder.asked = error
        raise error

    def _never_changes(self, cure: str) -> NoReturn:
        raise UnknownYetError("a traced array never changes", self.builder.here(), hint=cure)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return Method(name, self)
        if name.startswith("__"):
            raise AttributeError(name)  # of Python's protocols
        if name in FUNCTIONS:
            hint = f"write numpy.{name}(x)"
        else:
            hint = nearest(name, [*METHODS, *(one for one in dir(Array) if one[0] != "_")]) or "tir.numpy has functions"
        raise NoSuchNameError(f"a traced array has no {name!r}", self.builder.here(), hint=hint)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        where = index if isinstance(index, (int, str)) else ".."
        self._never_changes(f"x = x.at[{where}].set(value) makes a changed one")

    def __bool__(self) -> bool:
        self._unknown("truth value", "numpy.where(condition, a, b) chooses by element, & and | join conditions")

    def __iter__(self) -> Iterator[Array]:  # type: ignore[override]
        return iter([self[i] for i in range(len(self))])

    def __len__(self) -> int:
        if self.ndim == 0:
            raise UnknownYetError("an array of rank 0 has no length", self.builder.here())
        size = self.type.shape[0]
        if not isinstance(size, int):
            self._unknown("length", "its axis 0 is `dynamic`; x.shape[0] is its size, tir.vmap goes along it")
        return size

    def __float__(self) -> float:
        self._unknown("number", KEEP)

    def __int__(self) -> int:
        self._unknown("number", KEEP)

    def __complex__(self) -> complex:
        self._unknown("number", KEEP)

    def __index__(self) -> int:
        self._unknown("whole number", "static_argnums makes an argument part of the program; numpy.arange counts")

    def __repr__(self) -> str:
        return f"<Array {self.value.hint or ''}: {self.type}>"

    def __format__(self, form: str) -> str:
        if form:
            self._unknown("digits", KEEP)
        return repr(self)

    def __round__(self, digits: int | None = None) -> Array:
        rounded = FUNCTIONS["round"](self, digits or 0)
        return rounded if digits is not None else FUNCTIONS["astype"](rounded, int)

    def __getitem__(self, index: Any) -> Array:
        return FUNCTIONS["getitem"](self, index)

    # --- operators ---------------------------------------------------------------------------------------------------

    __add__, __radd__ = _both("add")
    __sub__, __rsub__ = _both("subtract")
    __mul__, __rmul__ = _both("multiply")
    __truediv__, __rtruediv__ = _both("divide")
    __floordiv__, __rfloordiv__ = _both("floor_divide")
    __mod__, __rmod__ = _both("remainder")
    __pow__, __rpow__ = _both("power")
    __matmul__, __rmatmul__ = _both("matmul")
    __and__, __rand__ = _both("bitwise_and")
    __or__, __ror__ = _both("bitwise_or")
    __xor__, __rxor__ = _both("bitwise_xor")
    __lshift__, __rlshift__ = _both("left_shift")
    __rshift__, __rrshift__ = _both("right_shift")
    __eq__, __ne__ = _operator("equal"), _operator("not_equal")
    __lt__, __le__ = _operator("less"), _operator("less_equal")
    __gt__, __ge__ = _operator("greater"), _operator("greater_equal")
    __neg__, __abs__, __invert__ = _of_one("negative"), _of_one("absolute"), _of_one("invert")
    __hash__ = Tensor.__hash__

    def __pos__(self) -> Array:
        return self

    def __divmod__(self, other: Any) -> tuple[Array, Array]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Array, Array]:
        return other // self, other % self


class Chosen(Array):
    """The part of a traced array that a mask chooses, `x[x > 0]`, which has a number of elements that only run time knows.

    What has a shape all the same is computed of it: sums, means and extremes, and its sizes.
    """

    __slots__ = ("choice",)

    def __init__(self, choice: Choice) -> None:
        self.builder, self.choice, self.is_weak = choice.x.builder, choice, False

    @property
    def type(self) -> TensorType:
        return self.choice.type

    @property
    def value(self) -> NoReturn:  # type: ignore[override]
        hint = "numpy.where(mask, x, y) keeps the shape; sum, mean, max, min, prod, any, all and size have one too"
        raise unknown_number(hint, UnknownYetError)

    @Array.shape.getter  # type: ignore[attr-defined]  # a property
    def shape(self) -> tuple[Any, ...]:
        return tuple(as_array(self.builder, one) if isinstance(one, Tensor) else one for one in self.choice.sizes())

    @property
    def size(self) -> Array:
        return as_array(self.builder, self.choice.count(range(self.choice.x.type.rank)))

    def __len__(self) -> int:
        self._unknown("length", "x[mask].shape[0] counts, as an array")

    def __repr__(self) -> str:
        return f"<Array {self.choice.x.value.hint or ''}[mask]: {self.type}>"


KEEP = "keep it an array, x.astype(..) converts; or return it, and ask outside of the traced function"


class Method:
    """A method that is a function of numpy, with the array as its first argument."""

    def __init__(self, name: str, array: Array) -> None:
        self.name, self.array = name, array

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return FUNCTIONS[self.name](self.array, *arguments, **named)


class Places:
    """`x.at`, and `x.at[index]`."""

    def __init__(self, array: Array, index: Any = None, is_chosen: bool = False) -> None:
        self.array, self.index, self.is_chosen = array, index, is_chosen

    def __getitem__(self, index: Any) -> Places:
        return Places(self.array, index, True)

    def _changed(self, kind: str, values: Any) -> Array:
        if not self.is_chosen:
            raise TirError("x.at: an index says which elements", self.array.builder.here(), hint="x.at[0].set(1)")
        return FUNCTIONS["changed"](self.array, self.index, values, kind)

    def set(self, values: Any) -> Array:
        """The array with these elements; of an index that is there twice, the last counts."""
        return self._changed("set", values)

    def add(self, values: Any) -> Array:
        """The array with these added; an index that is there twice counts twice."""
        return self._changed("add", values)

    def subtract(self, values: Any) -> Array:
        return self._changed("add", -values)

    def multiply(self, values: Any) -> Array:
        return self._changed("mul", values)

    def max(self, values: Any) -> Array:
        return self._changed("max", values)

    def min(self, values: Any) -> Array:
        return self._changed("min", values)

    def get(self) -> Array:
        """The elements."""
        return self.array[self.index]


# --- builders --------------------------------------------------------------------------------------------------------


class Tracer(Builder):
    """A builder whose values are traced arrays. name: of the function that is traced."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.is_over = name, False
        #: The last error about what is not known yet: numpy may have put its own in the place of it.
        self.asked: UnknownYetError | None = None

    def _own(self, value: Value) -> Array:
        return Array(self, value)

    def op(self, cls: type[Any], *operands: Any, **facts: Any) -> Any:
        if self.is_over:
            raise self._leaked()
        return super().op(cls, *operands, **facts)

    def out_of_reach(self, value: Value) -> tuple[str, str] | None:
        found = super().out_of_reach(value)
        if found is not None and found[0] == "belongs to another builder":
            return "was traced in another call", f"a traced array lives in its call; {RETURN_IT}"
        return found

    def _leaked(self) -> TirError:
        message = f"a traced array is used behind the end of the call of {self.name}() that it was traced in"
        return UnknownYetError(message, self.here(), hint=RETURN_IT)


RETURN_IT = "return it from the traced function, and take it as an argument elsewhere"

_TRACES = threading.local()
#: The builders of what is being traced by any thread. Code looks whether there are some.
TRACED: list[Tracer] = []


def active() -> Tracer | None:
    """The builder of what is being traced by this thread."""
    found = getattr(_TRACES, "found", None)
    return found[-1] if found else None


@contextmanager
def tracing(b: Tracer) -> Iterator[Tracer]:
    """Meanwhile this builder is the active one."""
    _TRACES.found = [*getattr(_TRACES, "found", ()), b]
    TRACED.append(b)
    try:
        yield b
    finally:
        TRACED.remove(b)
        _TRACES.found = _TRACES.found[:-1]
        b.is_over = True


def builder_of(*given: Any) -> Any:
    """The builder of the first tensor in trees, or the active one; None if there is none."""
    first = next((x for x in flat(given) if isinstance(x, Tensor)), None)
    if first is not None and isinstance(first.builder, Graph):
        raise _symbolic(first)
    return active() if first is None else first.builder


def _symbolic(x: Tensor) -> TirError:
    message = f"{x!r} is a symbolic variable, with which functions of arrays do not compute"
    return TirError(message, x.builder.here(), hint="x.eval(..) or w.get_value() of a shared variable gives an array")


def as_array(b: Any, x: Any) -> Array:
    """x as a traced array of the builder; Python numbers become weak ones."""
    if isinstance(x, Array):
        return x if x.builder is b else Array(b, x.value, x.is_weak)
    if isinstance(x, Tensor):
        if isinstance(x.builder, Graph):
            raise _symbolic(x)
        return Array(b, x.value)
    if isinstance(x, (AffineExpr, SizeOf)):
        count = b.extent_count(x)
        return Array(b, b.tensor(count).value, is_weak=True)
    if isinstance(x, (list, tuple)):
        return FUNCTIONS["array"](x)
    if not is_operand(x):
        raise TirError(f"a traced array, an array or a number is needed, got {told(x)}")
    is_number = isinstance(x, (int, float)) and not isinstance(x, (bool, np.generic))
    plain = x if isinstance(x, (int, float, np.ndarray, np.generic)) else np.asarray(x)
    return Array(b, b.tensor(plain).value, is_number)


def is_bool(x: Array) -> bool:
    """Its elements are truth values."""
    return x.type.element is I1
