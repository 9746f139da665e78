"""Shared variables: values that live between calls and that functions read and update.

    w = tir.shared(numpy.zeros((784, 10)), name="w")
    w.get_value(), w.set_value(numpy.ones((784, 10)))

The array is copied in and out unless `borrow=True`. In the type all sizes are open, since they may change with the value;
a function is compiled for the sizes at hand, and again when they change.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor, told
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH, Placeholder, located
from tir.graph.typing import element_of
from tir.graph.variable import Variable
from tir.ir.bfloat16 import bits_of, from_bits, to_caller, widened
from tir.ir.ir import Value
from tir.ir.types import BF16, DYNAMIC, TensorType, Type
from tir.lazy import np
from tir.state import SHARED_LOCK, Holder

__all__ = ["SharedVariable", "shared"]


class SharedVariable(Variable):
    """A variable with a value. default_update: what functions that use it update it with, unless told otherwise."""

    def __init__(self, array: Any, name: str | None = None, borrow: bool = False, element: Type | None = None) -> None:
        element = element or element_of(array.dtype.name)
        self._placeholder = Placeholder(TensorType((DYNAMIC,) * array.ndim, element), name)
        self._placeholder.variable = self
        self.builder = GRAPH
        self.default_update: Tensor | None = None
        fits = borrow and array.flags.c_contiguous and array.flags.writeable and array.dtype.isnative
        native = array if fits else np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        self.holder = Holder(bits_of(native.astype(np.float32)) if element is BF16 else native)

    def fix_ones(self, broadcastable: Any) -> None:
        """Says which axes have size 1 for good, so that they stretch."""
        shape = [1 if flag else DYNAMIC for flag in broadcastable]
        self.ir.type = TensorType(tuple(shape), self.type.element)

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """The value, as a copy; with borrow the array itself, which functions may change in place."""
        with SHARED_LOCK:
            array = self.holder.array
            if self.type.element is BF16:
                return to_caller(array)
            return array if borrow else np.array(array)

    @located
    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Another value of the same dtype and rank; with borrow the array itself is used where it fits."""
        array = self._checked(new_value)
        if not borrow or not array.flags.c_contiguous or not array.flags.writeable:
            array = np.array(array, order="C")
        with SHARED_LOCK:
            self.holder.array = array

    def _checked(self, given: Any) -> Any:
        """The array for a value; GraphTypeError if it is of another dtype or rank."""
        if isinstance(given, Tensor):
            raise GraphTypeError(f"{self._label}: the value must be numbers, got a variable, {given!r}")
        if self.type.element is BF16:
            return bits_of(np.asarray(widened(given)).astype(np.float32))
        dtype = np.dtype(self.dtype)
        array = np.asarray(given)
        if array.dtype != dtype:
            is_array = isinstance(given, (np.ndarray, np.generic))
            lossless = not is_array and np.can_cast(array.dtype, dtype, "same_kind")
            if not lossless and not (is_array and np.promote_types(array.dtype, dtype) == dtype):
                cure = f"value.astype('{dtype}') makes it fit"
                raise GraphTypeError(f"{self._label} has dtype {dtype}, which cannot take {array.dtype}", hint=cure)
            array = array.astype(dtype)
        if array.ndim != self.ndim:
            raise GraphTypeError(f"{self._label} has {self.ndim} axes, the value must too, got shape {array.shape}")
        return array

    @property
    def _label(self) -> str:
        return f"shared variable {self.name or ''}".strip()

    @property
    def value(self) -> Any:
        """The value, as `get_value` and `set_value` have it (Theano's old name for these)."""
        return self.get_value()

    @value.setter
    def value(self, new_value: Any) -> None:
        self.set_value(new_value)

    @property
    def ir(self) -> Value:
        return self._placeholder.arguments[0]

    @property
    def type(self) -> TensorType:
        return self._placeholder.arguments[0].type  # type: ignore[return-value]

    @property
    def plain(self) -> Tensor:
        return Variable(GRAPH, self.ir)  # `value` is the array here, and the builder wants that of the IR

    @property
    def container(self) -> Holder:
        """Where the array is."""
        return self.holder

    def clone(self, name: str | None = None) -> SharedVariable:
        """A variable of its own with a copy of the value."""
        return SharedVariable(self.get_value(), name or self.name)

    def zero(self, borrow: bool = False) -> None:
        """Sets all numbers to 0."""
        self.set_value(np.zeros_like(self.get_value(borrow=True)))

    def __repr__(self) -> str:
        return self.name or f"<shared {self.type}>"

    def __reduce__(self) -> Any:
        ones = [dim == 1 for dim in self.type.shape]
        facts = (type(self), self.holder.array, str(self.type.element), self.name, ones)
        return _loaded, facts, {"default_update": self.default_update}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.default_update = state["default_update"]

    def __deepcopy__(self, memo: Any) -> SharedVariable:
        return self.clone()


@located
def shared(
    value: Any, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None, borrow: bool = False,
    broadcastable: Any = None, **options: Any,
) -> SharedVariable:  # fmt: skip
    """A shared variable with this value: an array, or a number (float64, int64 or bool).

    It has the dtype of the array. The array is copied unless `borrow`. GraphTypeError for a variable, or no numbers.
    """
    if isinstance(value, Tensor):
        raise GraphTypeError(
            f"needs numbers, got a variable, {value!r}", hint="a shared variable starts from an array"
        )
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise GraphTypeError(f"the value must be numbers, got {told(value)}")
    found = SharedVariable(array, name, borrow)
    if broadcastable is not None:
        found.fix_ones(broadcastable)
    return found


def _loaded(cls: type[SharedVariable], array: Any, element: str, name: str | None, ones: list[bool]) -> SharedVariable:
    """The shared variable that was pickled."""
    is_bf16 = element == str(BF16)
    found = cls(from_bits(array) if is_bf16 else array, name, element=BF16 if is_bf16 else None)
    if any(ones):
        found.fix_ones(ones)
    return found
