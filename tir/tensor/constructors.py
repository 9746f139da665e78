"""Variables for inputs: `T.matrix("x")`, `T.ivector()`, `T.dscalars("a", "b")`, `T.tensor("float32", shape=(None, 784))`.

A name is a prefix for the dtype (b, w, i, l: int8 to int64; f, d: float32, float64; none: `config.floatX` when it is
called), and scalar, vector, row, col, matrix, tensor3 to tensor7; row and col have an axis of size 1. The plural gives
several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir.build.core import told
from tir.graph.errors import GraphTypeError
from tir.graph.graph import located
from tir.graph.typing import element_of
from tir.graph.variable import Variable, placeholder
from tir.ir.types import DYNAMIC
from tir.ir.types import TensorType as Type

__all__ = ["CONSTRUCTORS", "TensorType", "tensor"]

#: Which axes have size 1.
KINDS = {
    "scalar": (), "vector": (False,), "row": (True, False), "col": (False, True), "matrix": (False, False),
    **{f"tensor{rank}": (False,) * rank for rank in range(3, 8)},
}  # fmt: skip
PREFIXES = {
    "": None, "b": "int8", "w": "int16", "i": "int32", "l": "int64", "f": "float32", "d": "float64",
    "c": "complex64", "z": "complex128",
}  # fmt: skip


class Types(type):
    """Makes the class of which types in the IR are instances too: `isinstance(x.type, T.TensorType)`."""

    def __instancecheck__(cls, given: Any) -> bool:
        return isinstance(given, Type) if cls is TensorType and type(given) is Type else super().__instancecheck__(given)


class TensorType(metaclass=Types):
    """A type of variables, which a call makes: `T.TensorType("float32", (False, True))("x")`.

    broadcastable: for each axis whether it has size 1. shape: instead, the sizes, None where they are open. `==` with the
    type of a variable asks for the same dtype and broadcastable axes, as in Theano; other sizes do not count.
    """

    def __init__(
        self, dtype: Any, broadcastable: Sequence[bool] | None = None, name: str | None = None,
        shape: Sequence[int | None] | None = None,
    ) -> None:  # fmt: skip
        if broadcastable is not None and shape is not None:
            raise GraphTypeError("a type has a shape or says what is broadcastable, not both")
        sizes = [1 if flag else None for flag in broadcastable or ()] if shape is None else list(shape)
        self.ir = Type(tuple(DYNAMIC if size is None else size for size in sizes), element_of(dtype))
        self.dtype, self.shape, self.name = str(dtype), tuple(sizes), name
        self.broadcastable = tuple(size == 1 for size in sizes)
        self.ndim = len(sizes)

    def __call__(self, name: str | None = None) -> Variable:
        return placeholder(self.ir, _checked(name))

    make_variable = __call__

    def __eq__(self, other: object) -> bool:
        if type(other) is Type:
            return other.element is self.ir.element and other.broadcastable == self.broadcastable
        return isinstance(other, TensorType) and other.ir is self.ir

    def __hash__(self) -> int:
        return hash(self.ir)

    def __repr__(self) -> str:
        return f"TensorType({self.ir.element}, {self.broadcastable})"


class Constructor(TensorType):
    """A type by its name in Theano, `T.dvector`: `T.dvector("x")` is a variable, `x.type == T.dvector`."""

    def __init__(self, label: str, dtype: str, broadcastable: Sequence[bool]) -> None:
        super().__init__(dtype, broadcastable)
        self._make = _constructor(label, dtype, broadcastable)
        self.__name__, self.__doc__ = label, self._make.__doc__

    def __call__(self, name: str | None = None, dtype: str | None = None) -> Variable:
        return self._make(name) if dtype is None else self._make(name, dtype)


def _checked(name: Any) -> str | None:
    if name is not None and not isinstance(name, str):
        raise GraphTypeError(f"the name of a variable must be a string, got {told(name)}")
    return name


@located
def tensor(
    dtype: Any = None, broadcastable: Sequence[bool] | None = None, name: str | None = None,
    shape: Sequence[int | None] | None = None,
) -> Variable:  # fmt: skip
    """A variable of any type, see `TensorType`."""
    return TensorType(dtype or "floatX", broadcastable, shape=shape)(name)


def _constructor(label: str, dtype: str | None, broadcastable: Sequence[bool]) -> Callable[..., Variable]:
    def one(name: str | None = None, dtype: str | None = dtype) -> Variable:
        return TensorType(dtype or "floatX", broadcastable)(name)

    one.__name__ = one.__qualname__ = label
    one.__doc__ = f"A variable: {dtype or 'floatX'}, {len(broadcastable)} axes."
    return located(one)


def _several(label: str, dtype: str | None, broadcastable: Sequence[bool]) -> Callable[..., Any]:
    def many(*names: Any, dtype: str | None = dtype) -> Any:
        if len(names) == 1 and isinstance(names[0], int):
            names = (None,) * names[0]
        elif len(names) == 1 and isinstance(names[0], str):
            names = tuple(names[0])  # x, y = T.vectors("xy")
        if not names:
            raise GraphTypeError(f"{label}: needs names, or a number of variables")
        found = [TensorType(dtype or "floatX", broadcastable)(name) for name in names]
        return found[0] if len(found) == 1 else found

    many.__name__ = many.__qualname__ = label
    many.__doc__ = f"Several variables: {dtype or 'floatX'}, {len(broadcastable)} axes."
    return located(many)


def _all() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for prefix, dtype in PREFIXES.items():
        for kind, broadcastable in KINDS.items():
            plural = "matrices" if kind == "matrix" else f"{kind}s"
            if dtype is None or dtype.startswith("complex"):  # what floatX says at each call, or an error then
                found[prefix + kind] = _constructor(prefix + kind, dtype, broadcastable)
            else:
                found[prefix + kind] = Constructor(prefix + kind, dtype, broadcastable)
            found[prefix + plural] = _several(prefix + plural, dtype, broadcastable)
    return found


#: All of them by name.
CONSTRUCTORS = _all()
