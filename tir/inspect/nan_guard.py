"""Which op is the first to make a nan, an infinity or a number that is far too large: `check_nan`, and `NanGuard`.

    check_nan(b.module, "train", {"x": x, "y": y})

    model.py:12: tir.log makes nan, the first at [0, 3]; operand %h goes from -2.0 to 5.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.api import check_module, to_interpret
from tir.compile import Executable
from tir.ir.errors import ExecutionError, Location, NameLocation
from tir.ir.ir import Op, Value
from tir.ir.observing import Observer
from tir.ir.pass_manager import run_pipeline
from tir.ir.traits import ConstantLike
from tir.ir.types import FloatType, MemRefType, element_type
from tir.ir.verify import verify
from tir.lazy import np

__all__ = ["NanGuard", "NotFiniteError", "check_nan"]

#: What Theano's NanGuardMode calls big.
BIG = 1e10


class NotFiniteError(ExecutionError, AssertionError):
    """An op made a number that is not wanted. kind: "nan", "inf" or "big"; index: of the first such element."""

    kind: str = ""
    index: tuple[int, ...] = ()
    op: Op | None = None


@dataclass
class NanGuard(Observer):
    """Ends a run with NotFiniteError at the first op that makes what is an error here; for `Executable(.., observer=..)`.

    big_is_error: numbers beyond `big` in size are errors. Constants and what an op reads from memory are not looked at.
    """

    nan_is_error: bool = True
    inf_is_error: bool = True
    big_is_error: bool = True
    big: float = BIG

    def started(self, function: Op, arguments: Sequence[Any]) -> None:
        for argument, array in zip(function.regions[0].blocks[0].arguments, arguments):
            if not isinstance(argument.type, MemRefType) and (found := self._wrong(argument, array)) is not None:
                kind, index = found
                message = f"argument {_name(argument) or argument.index} has {self._told(kind, index)}"
                raise _error(message, function.location, kind, index, function)

    def ran(self, op: Op, operands: Sequence[Any], results: Sequence[Any], seconds: float) -> None:
        if isinstance(op, ConstantLike):
            return
        for value, array in zip(op.results, results):
            found = self._wrong(value, array)
            if found is not None:
                part = op.location.parts()[0]
                inside = f", in the {part.name}," if isinstance(part, NameLocation) else ""
                name = f" {_name(value)}" if value.hint else ""
                message = f"{op.name}{name}{inside} makes {self._told(*found)}{_ranges(op, operands)}"
                raise _error(message, op.location, *found, op)

    def _wrong(self, value: Value, array: Any) -> tuple[str, tuple[int, ...]] | None:
        """What is wrong with an array, and where first."""
        if not isinstance(element_type(value.type), FloatType) or isinstance(value.type, MemRefType):
            return None
        size = np.abs(np.asarray(array))
        for kind, is_error, wrong in (
            ("nan", self.nan_is_error, np.isnan),
            ("inf", self.inf_is_error, np.isinf),
            ("big", self.big_is_error, lambda x: np.isfinite(x) & (x > self.big)),
        ):
            if is_error and (places := wrong(size)).any():
                return kind, tuple(map(int, np.unravel_index(int(np.argmax(places)), places.shape)))
        return None

    def _told(self, kind: str, index: tuple[int, ...]) -> str:
        """`nan, the first at [0, 3]`."""
        what = f"a number beyond {self.big:g}" if kind == "big" else kind
        return f"{what}, the first at {list(index)}" if index else what


def check_nan(
    module: Op, entry: str, arguments: Mapping[str, Any] | Sequence[Any] = (), *, state: Mapping[str, Any] | None = None,
    nan_is_error: bool = True, inf_is_error: bool = True, big_is_error: bool = True,
) -> list[Any]:  # fmt: skip
    """The results of an entry, run op by op; NotFiniteError names the first op that makes a nan, inf or |x| > 1e10.

    The error has the user's line, and between which numbers the operands of the op lie. arguments, state: as
    `Executable.call` and `Executable.state` take them; the state that is missing has its first values.
    """
    check_module("check_nan", module)
    verify(module)
    guard = NanGuard(nan_is_error, inf_is_error, big_is_error)
    program = Executable(module, "interpret", lambda copy: run_pipeline(to_interpret(copy), copy), observer=guard)
    for name, value in (state or {}).items():
        program.state[name] = value
    return program.call(entry, arguments)


# --- the sentence ----------------------------------------------------------------------------------------------------


def _error(what: str, location: Location, kind: str, index: tuple[int, ...], op: Op) -> NotFiniteError:
    error = NotFiniteError(what, location)
    error.kind, error.index, error.op = kind, index, op
    return error


def _ranges(op: Op, operands: Sequence[Any]) -> str:
    """`; operand %h goes from -2.0 to 5.0`, for each that has numbers."""
    ranges = [_range(number, operand, array) for number, (operand, array) in enumerate(zip(op.operands, operands))]
    return "".join(f"; {text}" for text in ranges if text)


def _name(value: Value) -> str:
    return f"%{value.hint}" if value.hint else ""


def _range(number: int, operand: Value, array: Any) -> str:
    """Between which numbers the elements of an operand lie."""
    array = np.asarray(array)
    if array.dtype.kind not in "fiu" or not array.size:
        return ""
    what = f"operand {_name(operand) or number}"
    if array.ndim == 0:
        return f"{what} is {array[()]}"
    finite = array[np.isfinite(array)]
    missing = array.size - finite.size
    inner = f"goes from {finite.min()} to {finite.max()}" if finite.size else "has no finite number"
    return f"{what} {inner}" + (f" but for {missing} that are not finite" if missing and finite.size else "")
