"""What Python and numpy ask of a variable and only the running program has: each time one sentence, with a cure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from tir.dialects.tir.build.core import Tensor, public_names
from tir.dialects.tir.build.hints import NoSuchNameError
from tir.dialects.tir.logic import Cmp
from tir.graph import creation, elementwise, extra, indexing, products, reductions, shape, sorting
from tir.graph.errors import GraphTypeError
from tir.ir.errors import nearest
from tir.ir.ir import Value

__all__ = ["OF_NUMPY", "Refusing"]

#: What numpy calls functions that have another name here; its operators among them.
OF_NUMPY = {
    "absolute": "abs", "subtract": "sub", "multiply": "mul", "divide": "true_div", "floor_divide": "int_div",
    "remainder": "mod", "power": "pow", "float_power": "pow", "negative": "neg", "rint": "round", "equal": "eq",
    "not_equal": "neq", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "radians": "deg2rad",
    "degrees": "rad2deg", "bitwise_and": "and_", "bitwise_or": "or_", "bitwise_xor": "xor", "conjugate": "conj",
    "vstack": "vertical_stack", "hstack": "horizontal_stack", "amax": "max", "amin": "min",
}  # fmt: skip
FUNCTIONS = frozenset(
    name
    for module in (creation, elementwise, extra, indexing, products, reductions, shape, sorting)
    for name in module.__all__
)


class Refusing(Tensor):
    """The part of a variable that says no."""

    @property
    def _ir(self) -> Value:
        """The value in the IR; `value` of a shared variable is its array."""
        return self.builder.tensor(self).value

    def _unknown(self, what: str, cure: str) -> NoReturn:
        raise GraphTypeError(f"{self} has no {what} before the program runs", self.builder.here(), hint=cure)

    def _unknown_to_numpy(self, function: str, name: str) -> NoReturn:
        meant = OF_NUMPY.get(name, name)
        cure = f"T.{meant}(..) is it" if meant in FUNCTIONS else "functions of variables are those of tir.tensor"
        self._unknown(f"numbers for numpy.{function}", cure)

    if not TYPE_CHECKING:  # a type checker knows the attributes

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("__"):
                raise AttributeError(name)  # of Python's protocols
            hint = f"T.{name}(x) is it" if name in FUNCTIONS else nearest(name, public_names(type(self)))
            raise NoSuchNameError(f"a variable has no {name!r}", self.builder.here(), hint=hint)

    def __array__(self, *given: Any, **named: Any) -> NoReturn:
        self._unknown("array", "T.stack makes one variable of several, and calling a function of it gives an array")

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        message = f"{self} never changes"
        raise GraphTypeError(message, self.builder.here(), hint="x = T.set_subtensor(x[..], y) makes a changed one")

    def __format__(self, form: str) -> str:
        if form:
            self._unknown("digits", "the value that a function of it returns has them")
        return repr(self)

    def __bool__(self) -> bool:
        op = self._ir.op
        if isinstance(op, Cmp) and op.predicate in ("lt", "le", "gt", "ge"):
            left = self.builder.tensor(op.lhs)
            message = f"the comparison of {left} is neither true nor false before the program runs"
            hint = "T.switch chooses elements, tir.ifelse a branch; `a < b < c` is T.and_(a < b, b < c)"
            raise GraphTypeError(message, self.builder.here(), hint=hint)
        return True

    def __iter__(self) -> Iterator[Tensor]:  # type: ignore[override]
        count = self._ir.type.shape[0] if self._ir.type.rank else None  # type: ignore[attr-defined]
        if not isinstance(count, int):
            message = f"{self} cannot be iterated over: it is not known how many elements it has"
            raise GraphTypeError(message, self.builder.here(), hint="tir.scan goes along an axis; x[0] is one of several")
        return iter([self[i] for i in range(count)])

    def __len__(self) -> int:
        self._unknown("length", "x.shape[0] is the size of the first axis, as a variable")

    def __float__(self) -> float:
        self._unknown("number", "T.cast(x, 'floatX') is it as a float, and T has the functions of `math`")

    def __int__(self) -> int:
        self._unknown("number", "T.cast(x, 'int64') is it as a whole number")

    def __complex__(self) -> complex:
        self._unknown("number", "there are no complex numbers")

    def __index__(self) -> int:
        self._unknown("whole number", "T.arange(x) has as many elements, and tir.scan repeats")
