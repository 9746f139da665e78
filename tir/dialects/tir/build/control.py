"""Builder methods for branches and loops: Python functions say what the regions compute.

    last, all = b.scan(lambda h, x: ([b.tanh(h @ w + x)], [h]), [h0], [xs])
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir import control
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.random import RandomBuilder
from tir.ir.errors import TirError
from tir.ir.ir import Block, Region
from tir.ir.types import I1, TensorType, Type

__all__ = ["ControlBuilder"]

Values = Sequence[TensorLike]


class ControlBuilder(RandomBuilder):
    """`if_`, `while_loop`, `scan`, `checkpoint`.

    The functions run once, when the op is built, and may use any tensor from outside.
    """

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

    def checkpoint(self, body: Callable[[], Values]) -> list[Tensor]:
        """What `body()` gives; a gradient computes it again instead of keeping what is computed on the way."""
        block = Block([])
        types = [value.type for value in self._region(block, body, None)]
        made = self.op(control.Checkpoint, result_types=types, regions=[Region([block])])
        return [self._own(value) for value in made.results]

    def while_loop(
        self, condition: Callable[..., TensorLike], step: Callable[..., Values], inits: Values,
        max_trips: int | None = None,
    ) -> list[Tensor]:  # fmt: skip
        """The last of the values that `step(*values)` makes of `inits` while `condition(*values)`, a tensor<i1>, is true."""
        starts = [self.tensor(x).value for x in inits]
        types: list[Type] = [value.type for value in starts]
        asked, body = Block(types), Block(types)
        self._region(asked, lambda: [condition(*map(self._own, asked.arguments))], [TensorType((), I1)])
        self._region(body, lambda: step(*map(self._own, body.arguments)), types)
        made = self.op(control.While, starts, regions=[Region([asked]), Region([body])], max_trips=max_trips)
        return [self._own(value) for value in made.results]

    def scan(
        self, step: Callable[..., tuple[Values, Values]], inits: Values, sequences: Values, *,
        reverse: bool = False, truncate: int | None = None, checkpoint: int | None = None,
    ) -> tuple[list[Tensor], list[Tensor]]:  # fmt: skip
        """The last carried values, and stacks along a new axis 0.

        `step(*carried, *elements)` gives the next carried values and what is stacked, for the elements along axis 0 of
        the sequences. For taps, an element and those around it, pass slices of a sequence as several sequences; for
        older carried values, carry them too.
        """
        starts, whole = ([self.tensor(x).value for x in xs] for xs in (inits, sequences))
        if not whole:
            raise TirError("scan: needs a sequence; one that only counts is an iota")
        for x in whole:
            if x.type.rank == 0:  # type: ignore[attr-defined]
                raise TirError(f"scan: a sequence must have an axis to go along, got {x.type}")
        types: list[Any] = [value.type for value in starts]
        block = Block([*types, *(x.type.with_shape(x.type.shape[1:]) for x in whole)])  # type: ignore[attr-defined]
        stacked: list[Tensor] = []

        def body() -> Values:
            carried, more = step(*map(self._own, block.arguments))
            stacked.extend(self.tensor(x) for x in more)
            return [*self._as_types(carried, types), *stacked]

        self._region(block, body, None)
        length = whole[0].type.shape[0]  # type: ignore[attr-defined]
        types += [x.type.with_shape((length, *x.type.shape)) for x in stacked]
        made = self.op(
            control.Scan, starts, whole, result_types=types, regions=[Region([block])], reverse=reverse,
            truncate=truncate, checkpoint=checkpoint,
        )  # fmt: skip
        results = [self._own(value) for value in made.results]
        return results[: len(starts)], results[len(starts) :]

    def _region(self, block: Block, body: Callable[[], Values], types: Sequence[Type] | None) -> list[Tensor]:
        """Fills the block with what the function computes, and the tir.yield of it."""
        with self.at(block):
            found = self._as_types(body(), types)
            self.op(control.Yield, [x.value for x in found], result_types=[])
        return found

    def _as_types(self, values: Values, types: Sequence[Type] | None) -> list[Tensor]:
        """Tensors; Python numbers take the type that is wanted."""
        if types is not None and len(types) != len(values):
            raise TirError(f"a region must yield {len(types)} values, got {len(values)}")
        return [self._as_type(x, type) for x, type in zip(values, types or itertools.repeat(None))]

    def _as_type(self, x: TensorLike, type: Type | None) -> Tensor:
        if isinstance(x, (int, float)) and isinstance(type, TensorType) and type.rank == 0:
            return self.full(x, (), type.element)
        return self.tensor(x)


