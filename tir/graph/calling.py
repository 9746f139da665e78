"""What a call gives for an input, as an array of the input's dtype and rank: Theano's rules for what is converted.

An array is taken if its dtype becomes that of the input without loss (int64 is fine for float64, not for float32); Python
numbers and lists if no number changes, but a Python float always for floatX. With allow_downcast=True anything is
converted, with strict=True nothing.
"""

from __future__ import annotations

from typing import Any

from tir.configuration import config
from tir.dialects.tir.build.core import Tensor, told
from tir.graph.errors import GraphTypeError
from tir.graph.program import In
from tir.graph.shared import SharedVariable
from tir.ir.bfloat16 import widened
from tir.ir.errors import counted
from tir.ir.types import BF16, dtype_of
from tir.lazy import np
from tir.runtime.wrapper import NUMBERS

__all__ = ["OTHER_FLOAT_X", "Converter"]

#: Empty while floatX is float32, for code that relies on it.
OTHER_FLOAT_X: list[str] = []


def _note(float_x: str) -> None:
    OTHER_FLOAT_X[:] = [] if float_x == "float32" else [float_x]


config.watch("floatX", _note)


class Converter:
    """Converts what calls give for one input."""

    def __init__(self, spec: In, function: str) -> None:
        self.spec, self.function = spec, function
        type = spec.variable.type
        self.is_bf16 = type.element is BF16
        self.dtype = np.dtype(np.float32) if self.is_bf16 else np.dtype(dtype_of(type.element).numpy)
        self.rank, self.shape = type.rank, type.shape
        self.is_plain = not any(isinstance(dim, int) for dim in self.shape)

    def __call__(self, value: Any) -> Any:
        if value.__class__ is np.ndarray and value.dtype is self.dtype and value.ndim == self.rank and self.is_plain:
            return value
        if value is None:
            raise self.error(f"is missing, and a {self._wanted} is needed")
        array = self._array(value)
        if array.ndim != self.rank:
            raise self.error(f"must have {counted(self.rank, 'axis', 'axes')}, got an array of shape {array.shape}")
        for axis, dim in enumerate(self.shape):
            if isinstance(dim, int) and array.shape[axis] != dim:
                raise self.error(f"must have size {dim} along axis {axis}, got {array.shape[axis]}")
        return array

    @property
    def takes(self) -> frozenset[str]:
        """What code can read of what is taken for an array of rank 0: see `tir.runtime.wrapper.Argument`."""
        if self.rank or self.spec.strict or self.dtype.name not in NUMBERS:
            return frozenset({"array"})
        floats = {"float", "rounded"} if self.spec.allow_downcast or self.follows_float_x else {"float"}
        return frozenset({"array", "scalar", "int"} | (floats if self.dtype.kind == "f" else set()))

    @property
    def follows_float_x(self) -> bool:
        """It rounds floats of Python because floatX is its dtype now, and has to do so only as long as that is so."""
        return self.spec.allow_downcast is None and self.dtype.name == "float32" == config.floatX

    def default(self) -> Any:
        """The value for a call that gives none."""
        value = self.spec.value
        if value is None:
            raise self.error(f"is missing, and a {self._wanted} is needed")
        return self(value.get_value() if isinstance(value, SharedVariable) else value)

    def error(self, problem: str, hint: str | None = None) -> GraphTypeError:
        """What is wrong with the value."""
        name = self.spec.name
        label = f"input {name!r}" if name else "an input without a name"
        return GraphTypeError(f"{self.function}: {label} {problem}", hint=hint)

    @property
    def _wanted(self) -> str:
        return f"{self.spec.variable.dtype} array of {counted(self.rank, 'axis', 'axes')}"

    def _array(self, value: Any) -> Any:
        """The value as an array of the dtype."""
        if isinstance(value, Tensor):
            raise self.error(f"must be numbers, got a variable, {value!r}", "a call takes arrays; givens takes variables")
        if self.is_bf16:
            return np.asarray(widened(value), np.float32)
        if isinstance(value, np.ndarray):
            return value if value.dtype == self.dtype else self._of_array(value)
        if not isinstance(value, np.generic) and (hasattr(value, "__array__") or hasattr(value, "__dlpack__")):
            # A frame, or a tensor of another library, whose memory is read where it is.
            array = np.asarray(value) if hasattr(value, "__array__") else np.from_dlpack(value)
            return array if array.dtype == self.dtype else self._of_array(array)
        return self._of_python(value)

    def _of_array(self, array: Any) -> Any:
        dtype = self.dtype
        if self.spec.strict:
            raise self.error(f"is strict and must be {dtype}, got {array.dtype}")
        if array.dtype.kind not in "biuf":
            raise self.error(f"must be numbers, got an array of {array.dtype}")
        if self.spec.allow_downcast or np.promote_types(array.dtype, dtype) == dtype:
            return array.astype(dtype)
        cure = f"give value.astype('{dtype}'), or make the function with allow_input_downcast=True"
        raise self.error(f"must be {dtype}, got {array.dtype}, which would lose digits", cure)

    def _of_python(self, value: Any) -> Any:
        dtype = self.dtype
        if self.spec.strict:
            raise self.error(f"is strict and must be an array of {dtype}, got {told(value)}")
        try:
            given = np.asarray(value)
        except ValueError:
            raise self.error(f"must be an array, got lists of several lengths, {told(value)}") from None
        if given.dtype.kind not in "biuf" and given.size:
            raise self.error(f"must be numbers, got {told(value)}")
        is_float_x = type(value) is float and dtype.name == config.floatX and self.spec.allow_downcast is None
        with np.errstate(all="ignore"):
            array = given.astype(dtype)
            same = bool(np.all((array == given) | (array != array) & (given != given)))
        if self.spec.allow_downcast or is_float_x or same or not given.size:
            return array
        cure = f"numpy.asarray(.., '{dtype}') rounds, and so does a function with allow_input_downcast=True"
        raise self.error(f"must be {dtype}, and {told(value)} would lose digits", cure)
