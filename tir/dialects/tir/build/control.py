"""Builder methods for branches and loops with a condition: Python functions say what the regions compute.

    (y,) = b.if_(x > 0, lambda: [x], lambda: [-x])
    (y,) = b.while_loop(lambda y: y > 1, lambda y: [y / 2], [x])
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, NamedTuple

from tir.dialects.tir import control
from tir.dialects.tir.build.core import Tensor, TensorLike, is_tensor_like, told
from tir.dialects.tir.build.random import RandomBuilder
from tir.ir.errors import Location, TirError, counted
from tir.ir.ir import Block, Region, Value
from tir.ir.types import I1, TensorType, Type

__all__ = ["ControlBuilder", "Values", "check_gives_some", "check_takes", "name_after", "values_of"]

Values = Sequence[TensorLike]


class Wanted(NamedTuple):
    """The types of what a function must give, who says so, and what to do about a value of another rank."""

    types: Sequence[Type]
    said_by: str
    of_other_rank: str


class ControlBuilder(RandomBuilder):
    """`if_`, `while_loop`, `checkpoint`. The functions run once, as the op is built, and may use any tensor from outside."""

    def if_(
        self, condition: TensorLike, then: Callable[[], Values], otherwise: Callable[[], Values]
    ) -> list[Tensor]:
        """What `then()` gives if the condition, a tensor<i1>, is true, else what `otherwise()` gives, of the same types."""
        blocks = Block([]), Block([])
        first, second = self._given(blocks[0], "if_: then", then), self._given(blocks[1], "if_: otherwise", otherwise)
        with self.at(blocks[0]):  # a number takes the type that the other function gives
            others = [x.value.type if isinstance(x, Tensor) else None for x in second] + [None] * len(first)
            firsts = [self._as_type(x, type) for x, type in zip(first, others)]
        types = [x.value.type for x in firsts]
        self._yield(blocks[0], "if_: then", firsts)
        self._yield(blocks[1], "if_: otherwise", second, Wanted(types, "then gives", "both give the same types"))
        regions = [Region([block]) for block in blocks]
        made = self.op(control.If, self.tensor(condition).value, result_types=types, regions=regions)
        return [self._own(value) for value in made.results]

    def checkpoint(self, body: Callable[[], Tensor | Values]) -> Any:
        """What `body()` gives, a tensor or a list; a gradient computes it again instead of keeping what is on the way."""
        block, is_one = Block([]), False

        @wraps(body)
        def values() -> Any:
            nonlocal is_one
            found = body()
            is_one = not isinstance(found, (list, tuple))
            check_gives_some("checkpoint: body", found)
            return found

        types = [value.type for value in self._region(block, "checkpoint: body", values)]
        made = self.op(control.Checkpoint, result_types=types, regions=[Region([block])])
        results = [self._own(value) for value in made.results]
        return results[0] if is_one else results

    def while_loop(
        self, condition: Callable[..., TensorLike], step: Callable[..., Values], inits: Values,
        max_trips: int | None = None,
    ) -> list[Tensor]:  # fmt: skip
        """The last of the values that `step(*values)` makes of `inits` while `condition(*values)`, a tensor<i1>, is true."""
        starts = [self.tensor(x).value for x in inits]
        types: list[Type] = [value.type for value in starts]
        asked, body = Block(types), Block(types)
        name_after(condition, asked.arguments)
        name_after(step, body.arguments)
        is_true = Wanted([TensorType((), I1)], "a condition is", "b.all or b.any makes it one")
        self._region(asked, "while_loop: condition", condition, is_true)
        self._region(body, "while_loop: step", step, Wanted(types, "inits has", control.While.of_other_rank))
        made = self.op(control.While, starts, regions=[Region([asked]), Region([body])], max_trips=max_trips)
        return [self._own(value) for value in made.results]

    def _region(self, block: Block, what: str, body: Callable[..., Any], wanted: Wanted | None = None) -> list[Tensor]:
        """Fills the block with what the function makes of its arguments, and the tir.yield of it."""
        return self._yield(block, what, self._given(block, what, body), wanted)

    def _given(self, block: Block, what: str, body: Callable[..., Any]) -> list[TensorLike]:
        """What the function makes of the arguments of the block, inside of it."""
        arguments = [self._own(argument) for argument in block.arguments]
        check_takes(what, body, len(arguments))
        with self.at(block):
            return values_of(what, body(*arguments))

    def _yield(self, block: Block, what: str, values: Sequence[TensorLike], wanted: Wanted | None = None) -> list[Tensor]:
        """Ends the block with the tir.yield of the values."""
        with self.at(block):
            found = self._as_wanted(what, values, wanted)
            self.op(control.Yield, [x.value for x in found], result_types=[])
        return found

    def _as_wanted(self, what: str, values: Sequence[TensorLike], wanted: Wanted | None) -> list[Tensor]:
        """Tensors; Python numbers take the type that is wanted."""
        if wanted is None:
            return [self.tensor(x) for x in values]
        if len(wanted.types) != len(values):
            count = counted(len(wanted.types), "value")
            raise TirError(f"{what} must give {count}, as {wanted.said_by}, got {len(values)}")
        tensors = [self._as_type(x, type) for x, type in zip(values, wanted.types)]
        for number, (type, x) in enumerate(zip(wanted.types, tensors)):
            if x.type is not type:
                hint = wanted.of_other_rank if _rank(type) != _rank(x.type) else control.Control.cure(type, x.type)
                raise TirError(f"{what} must give {type} as value {number}, as {wanted.said_by}, got {x.type}", hint=hint)
        return tensors

    def _as_type(self, x: TensorLike, type: Type | None) -> Tensor:
        """A tensor; a number of rank 0 takes the type that is wanted, but a truth value is no number."""
        is_number = isinstance(x, (int, float)) and not isinstance(x, bool)
        if is_number and isinstance(type, TensorType) and type.rank == 0:
            return self.full(x, (), type.element)
        return self.tensor(x)


def _rank(type: Type) -> int:
    return type.rank if isinstance(type, TensorType) else 0


# --- functions that make regions -------------------------------------------------------------------------------------


def check_takes(
    what: str, function: Callable[..., Any], count: int, named: Iterable[str] = (), location: Location | None = None
) -> None:
    """TirError unless the function takes so many values, and those with names."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some that are written in C do not say
        return
    try:
        signature.bind(*range(count), **dict.fromkeys(named))
    except TypeError:
        names = "".join(f" and {name}" for name in named)
        bare = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
        taken = ", ".join(map(str, bare)) or "none"
        message = f"{what} must take {counted(count, 'value')}{names}, got a function of {taken}"
        raise TirError(message, location) from None


def values_of(what: str, found: Any) -> list[Any]:
    """What a function gave, a value or a list of some, as a list; TirError if it gave what is no tensor."""
    if found is None:
        raise TirError(f"{what} must give a tensor or a list of them, got None", hint="does it lack a `return`?")
    values = list(found) if isinstance(found, (list, tuple)) else [found]
    for number, x in enumerate(values):
        if not is_tensor_like(x):
            raise TirError(f"{what} must give a tensor, a number or an array as value {number}, got {told(x)}")
    return values


def check_gives_some(what: str, found: Any) -> None:
    """TirError if a function whose values are all that it is for gave an empty list."""
    if isinstance(found, (list, tuple)) and not found:
        raise TirError(f"{what} must give at least one value, got {found}")


def name_after(function: Callable[..., Any], values: Sequence[Value]) -> None:
    """Gives values the names of the parameters that the function takes them by."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some that are written in C do not say
        return
    by_place = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for name, value in zip(by_place, values):
        value.hint = name if name.strip("_") else value.hint
