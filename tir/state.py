"""The state of executables: shared variables by name, of one executable or of several; and arrays that callers give."""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from tir.dialects.tir.build.core import told
from tir.ir.bfloat16 import bits_of, round_to_bf16, to_caller, widened
from tir.ir.errors import ExecutionError, nearest
from tir.ir.types import Dim
from tir.lazy import np

if TYPE_CHECKING:
    from tir.compile import Executable

__all__ = ["SHARED_LOCK", "Holder", "SharedState", "State", "as_array", "as_bf16", "check_shape"]

#: Numbers of a kind may become numbers of a kind with the same or a higher rank.
RANK_OF_KIND = {"b": 0, "i": 1, "u": 1, "f": 2}


class State(MutableMapping[str, Any]):
    """The shared variables of an executable by name: reading gives copies, setting checks dtype and shape."""

    def __init__(self, owner: Executable) -> None:
        self._owner = owner
        self._values: dict[str, Any] | None = None

    @property
    def of_bf16(self) -> frozenset[str]:
        """The variables that hold bf16 numbers, in whatever dtype a caller gets these."""
        return frozenset(self._owner._bf16_state)

    def values_in_use(self) -> dict[str, Any]:
        """The arrays themselves; only for who holds the executable's lock."""
        if self._values is None:
            self._values = self._owner._first_values()
        return self._values

    def commit(self, new: Mapping[str, Any]) -> None:
        """Takes new values over in one step, so that no interrupt can leave half of them behind."""
        self.values_in_use().update(new)

    def reset(self) -> None:
        """Gives all variables their first values again."""
        with self._owner._lock:
            self._values = None
            self._owner._machine.forget_state()

    def _get(self, name: str) -> Any:
        values = self.values_in_use()
        if name not in values:
            raise ExecutionError(f"there is no shared variable @{name}", hint=nearest(name, values))
        return values[name]

    def __getitem__(self, name: str) -> Any:
        with self._owner._lock:
            value = self._get(name)
            return np.array(to_caller(value) if name in self._owner._bf16_state else value)

    def __setitem__(self, name: str, value: Any) -> None:
        with self._owner._lock:
            old = self._get(name)
            if name in self._owner._bf16_state:
                numbers = as_bf16(f"shared variable @{name}", value)
                array = bits_of(numbers) if old.dtype == np.uint16 else numbers
            else:
                array = as_array(f"shared variable @{name}", value, old.dtype)
            check_shape(f"shared variable @{name}", array, old.shape)
            self.commit({name: np.array(array, dtype=old.dtype, order="C")})

    def __delitem__(self, name: str) -> None:
        raise ExecutionError(f"shared variable @{name} cannot be removed")

    def __iter__(self) -> Iterator[str]:
        with self._owner._lock:
            return iter(list(self.values_in_use()))

    def __len__(self) -> int:
        with self._owner._lock:
            return len(self.values_in_use())

    def __contains__(self, name: object) -> bool:
        with self._owner._lock:
            return name in self.values_in_use()


# --- state of several executables ------------------------------------------------------------------------------------

#: Held while a call uses the state that several executables share, and while a holder is read or set.
SHARED_LOCK = threading.RLock()


class Holder:
    """The place of one shared variable: its array, C-contiguous, in a list of one. bf16 is kept as uint16 bits."""

    __slots__ = ("place",)

    def __init__(self, array: Any) -> None:
        self.place = [array]

    @property
    def array(self) -> Any:
        return self.place[0]

    @array.setter
    def array(self, array: Any) -> None:
        self.place[0] = array


class SharedState(State):
    """State that lives in holders, which other executables may have too."""

    def __init__(self, owner: Executable, holders: Mapping[str, Holder]) -> None:
        super().__init__(owner)
        self._holders = holders

    def values_in_use(self) -> dict[str, Any]:
        return {name: holder.array for name, holder in self._holders.items()}

    def commit(self, new: Mapping[str, Any]) -> None:
        # One step: a deque takes everything up without Python code between, where an interrupt could come in.
        places = [self._holders[name].place for name in new]
        deque(map(operator.setitem, places, repeat(0), new.values()), maxlen=0)

    def reset(self) -> None:
        raise ExecutionError("the state of several executables has no first values to go back to")


# --- arrays ----------------------------------------------------------------------------------------------------------


def as_array(label: str, value: Any, dtype: Any) -> Any:
    """An array as it is, if it has the dtype (in any byte order); numbers and lists are converted, but not to integers
    if they are floats, nor to an integer type that they do not fit."""
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype != dtype and value.dtype.newbyteorder("=") != dtype:
            hint = f".astype('{dtype}') converts an array" if value.dtype.kind in RANK_OF_KIND else None
            raise ExecutionError(f"{label} must be {dtype}, got {value.dtype}", hint=hint)
        return np.asarray(value)
    try:
        plain = np.asarray(value)
        if plain.size and RANK_OF_KIND.get(plain.dtype.kind, 3) > RANK_OF_KIND[dtype.kind]:
            raise ExecutionError(f"{label} must be {dtype}, got {plain.dtype}")
        return np.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError):
        raise ExecutionError(f"{label} must be {dtype}, got {told(value)}") from None


def as_bf16(label: str, value: Any) -> Any:
    """An array of bf16 numbers as float32: arrays of ml_dtypes' bfloat16 and of float32, numbers and lists, rounded."""
    array = widened(value)
    if isinstance(array, (np.ndarray, np.generic)) and array.dtype.newbyteorder("=") != np.float32:
        raise ExecutionError(f"{label} must be bfloat16 or float32, got {array.dtype}")
    return np.asarray(round_to_bf16(as_array(label, array, np.dtype(np.float32))))


def check_shape(label: str, array: Any, shape: Sequence[Dim]) -> None:
    if array.ndim != len(shape):
        raise ExecutionError(f"{label} must have rank {len(shape)}, got {array.ndim}")
    for axis, (want, got) in enumerate(zip(shape, array.shape)):
        if isinstance(want, int) and want != got:
            raise ExecutionError(f"{label}: axis {axis} must have size {want}, got {got}")
