"""Builder methods for branches and loops with a condition: Python functions say what the regions compute.

    (y,) = b.if_(x > 0, lambda: [x], lambda: [-x])
    (y,) = b.while_loop(lambda y: y > 1, lambda y: [y / 2], [x])
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir import control
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.random import RandomBuilder
from tir.ir.errors import TirError
from tir.ir.ir import Block, Region, Value
from tir.ir.types import I1, TensorType, Type

__all__ = ["ControlBuilder", "Values", "name_after"]

Values = Sequence[TensorLike]


class ControlBuilder(RandomBuilder):
    """`if_`, `while_loop`, `checkpoint`. The functions run once, as the op is built, and may use any tensor from outside."""

    def if_(
        self, condition: TensorLike, then: Callable[[], Values], otherwise: Callable[[], Values]
    ) -> list[Tensor]:
        """What `then()` gives if the condition, a tensor<i1>, is true, else what `otherwise()` gives, of the same types."""
        regions, types = [], None
        for branch in (then, otherwise):
            block = Block([])
            values = self._region(block, branch, types)
            types = types or [value.type for value in values]
            regions.append(Region([block]))
        made = self.op(control.If, self.tensor(condition).value, result_types=types, regions=regions)
        return [self._own(value) for value in made.results]

    def checkpoint(self, body: Callable[[], Tensor | Values]) -> Any:
        """What `body()` gives, a tensor or a list; a gradient computes it again instead of keeping what is on the way."""
        block, is_one = Block([]), False

        def values() -> Any:
            nonlocal is_one
            found = body()
            is_one = isinstance(found, Tensor)
            return found

        types = [value.type for value in self._region(block, values, None)]
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
        self._region(asked, lambda: [condition(*map(self._own, asked.arguments))], [TensorType((), I1)])
        self._region(body, lambda: step(*map(self._own, body.arguments)), types)
        made = self.op(control.While, starts, regions=[Region([asked]), Region([body])], max_trips=max_trips)
        return [self._own(value) for value in made.results]

    def _region(self, block: Block, body: Callable[[], Values], types: Sequence[Type] | None) -> list[Tensor]:
        """Fills the block with what the function computes, and the tir.yield of it."""
        with self.at(block):
            found = self._as_types(body(), types)
            self.op(control.Yield, [x.value for x in found], result_types=[])
        return found

    def _as_types(self, values: Values, types: Sequence[Type] | None) -> list[Tensor]:
        """Tensors; Python numbers take the type that is wanted, and a tensor alone is the only value."""
        values = [values] if isinstance(values, Tensor) else values
        if types is not None and len(types) != len(values):
            raise TirError(f"a region must yield {len(types)} values, got {len(values)}")
        return [self._as_type(x, type) for x, type in zip(values, types or itertools.repeat(None))]

    def _as_type(self, x: TensorLike, type: Type | None) -> Tensor:
        if isinstance(x, (int, float)) and isinstance(type, TensorType) and type.rank == 0:
            return self.full(x, (), type.element)
        return self.tensor(x)


def name_after(function: Callable[..., Any], values: Sequence[Value]) -> None:
    """Gives values the names of the parameters that the function takes them by."""
    function = getattr(function, "__wrapped__", function)
    code = getattr(function, "__code__", None)
    if code is None:
        return
    own = 1 if hasattr(function, "__self__") else 0
    for name, value in zip(code.co_varnames[own : code.co_argcount], values):
        value.hint = name if name.strip("_") else value.hint
