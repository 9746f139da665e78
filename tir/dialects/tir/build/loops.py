"""Builder methods for loops along sequences: `scan`, and `map`, `reduce`, `foldl` and `foldr` in terms of it.

    last, all = b.scan(lambda h, x: ([b.tanh(h @ w + x)], [h]), [h0], [xs])
    squares = b.map(b.square, xs)
    total = b.reduce(lambda sum, x: sum + x, 0.0, xs)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from tir.dialects.tir import control
from tir.dialects.tir.base import merge_dims
from tir.dialects.tir.build.control import (
    ControlBuilder,
    Values,
    check_gives_some,
    check_takes,
    name_after,
    values_of,
)
from tir.dialects.tir.build.core import Extent, Tensor, TensorLike, is_tensor_like, listed, told
from tir.ir.errors import TirError, counted
from tir.ir.ir import Block, BlockArgument, Region, Value
from tir.ir.types import DYNAMIC, I1, I64, Dim, TensorType, Type, dim_text
from tir.lazy import np

__all__ = ["LoopBuilder", "Taps"]


@dataclass(frozen=True)
class Taps:
    """A tensor of which a step sees several elements along axis 0: those at these distances from the step at hand.

    Of a sequence, [-1, 0] are the element before and the one at hand; the steps go where all of them are, and 0 counts
    as if it were among them. Of first carried values, [-3, -1] are what the third step before and the last one made;
    the tensor has the 3 values in front of the first step, the oldest first.
    """

    value: TensorLike
    taps: Sequence[int]


Step = Callable[..., Any]
Several = Any  # one of TensorLike | Taps, or a list or tuple of them


class LoopBuilder(ControlBuilder):
    """Loops along sequences. The functions run once, when the loop is built, and may use any tensor from outside."""

    def taps(self, value: TensorLike, taps: Sequence[int]) -> Taps:
        """Several elements of a tensor at each step: see `Taps`."""
        return Taps(value, taps)

    def scan(
        self, step: Step, inits: Sequence[TensorLike | Taps] = (), sequences: Sequence[TensorLike | Taps] = (),
        non_sequences: Values = (), *, length: Extent | None = None, reverse: bool = False, go_backwards: bool = False,
        truncate: int | None = None, checkpoint: int | None = None,
    ) -> tuple[list[Tensor], list[Tensor]]:  # fmt: skip
        """The last carried values, and stacks along a new axis 0.

        `step(*carried, *elements, *non_sequences)` gives the next carried values and what is stacked, for the elements
        along axis 0 of the sequences; `Taps` hand over several of them, or several of the values carried before, in
        their order. What such values are at last has the form of the first ones.

        A step may give a third thing, a tensor<i1>: the loop ends behind the first step where it is true, and the
        stacks have a place for each step that ran. There is a gradient in reverse if the most steps are known, by
        `length` or the type of a sequence. It ends where the shortest of the sequences does.

        length: how many steps there are, or are at most; without sequences it must be given. reverse: from the last
        element to the first, where the stacks keep the places of the elements; go_backwards: the same, but the stacks
        are in the order of the steps. truncate, checkpoint: see `tir.scan`.
        """
        if reverse and go_backwards:
            raise TirError("scan: reverse and go_backwards exclude each other", self.here())
        carried = [_Carried(self, number, given) for number, given in enumerate(inits)]
        whole = [part for number, given in enumerate(sequences) for part in _tapped(self, number, given)]
        counts = not whole
        if counts:
            whole, length = [_counter(self, length)], None
        loop = _Loop(self, step, carried, counts, [self.tensor(x) for x in non_sequences])
        loop.trace(whole)
        if loop.stop is not None:
            if reverse or truncate is not None or checkpoint is not None:
                message = "scan: a step that says when to stop goes without reverse, truncate and checkpoint"
                raise TirError(message, self.here(), hint="go_backwards goes from the last element to the first")
            return loop.until([self.reverse(x, [0]) for x in whole] if go_backwards else whole, length)
        if length is not None:
            whole = [_first(self, x, length, reverse or go_backwards) for x in whole]
        _check_equal(self, whole)
        facts = {"reverse": reverse or go_backwards, "truncate": truncate, "checkpoint": checkpoint}
        last, stacks = loop.scan(whole, facts)
        return last, [self.reverse(x, [0]) for x in stacks] if go_backwards else stacks

    def map(
        self, function: Callable[..., Any], sequences: Several, non_sequences: Values = (), *, go_backwards: bool = False
    ) -> Any:
        """What the function gives for each element along axis 0 of one or several sequences, stacked.

        One tensor, or a list where the function gives several.
        """
        gives_one = False

        @wraps(function)
        def step(*given: Tensor) -> Any:
            nonlocal gives_one
            found = function(*given)
            gives_one = not isinstance(found, (list, tuple))
            check_gives_some("map: function", found)
            return [], values_of("map: function", found)

        _, stacks = self.scan(step, [], _several(sequences), non_sequences, go_backwards=go_backwards)
        return stacks[0] if gives_one else stacks

    def reduce(
        self, function: Callable[..., Any], init: Several, sequences: Several, non_sequences: Values = (), *,
        reverse: bool = False,
    ) -> Any:  # fmt: skip
        """What is left of `init` when `function(so_far, *elements)` was asked for each element along axis 0.

        init: one value, or a list of several, which the function takes and gives; so is what comes out. A number takes
        the element type of the first sequence, but a truth value is a tensor<i1>. reverse: from the last element to the
        first.
        """
        sequences = _several(sequences)
        first = [self._as_element(x, sequences) for x in _several(init)]

        @wraps(function)
        def step(*given: Tensor) -> Any:
            return values_of("reduce: function", function(*given)), []

        last, _ = self.scan(step, first, sequences, non_sequences, reverse=reverse)
        return last if isinstance(init, (list, tuple)) else last[0]

    def foldl(self, function: Callable[..., Any], init: Several, sequences: Several, non_sequences: Values = ()) -> Any:
        """`reduce` from the first element to the last."""
        return self.reduce(function, init, sequences, non_sequences)

    def foldr(self, function: Callable[..., Any], init: Several, sequences: Several, non_sequences: Values = ()) -> Any:
        """`reduce` from the last element to the first; what is so far comes first in the function, too."""
        return self.reduce(function, init, sequences, non_sequences, reverse=True)

    def _as_element(self, x: TensorLike | Taps, sequences: Sequence[Any]) -> Any:
        """A number in the element type of the first sequence; anything else, truth values too, as it is."""
        if not isinstance(x, (int, float)) or isinstance(x, bool) or not sequences:
            return x
        first = sequences[0].value if isinstance(sequences[0], Taps) else sequences[0]
        return self.full(x, (), self.tensor(first).type.element)


def _several(given: Any) -> list[Any]:
    """One value or several as a list."""
    return list(given) if isinstance(given, (list, tuple)) else [given]


# --- what a step takes -----------------------------------------------------------------------------------------------


class _Carried:
    """A carried value, or the last few of one: `starts`, the oldest first. A step sees those at `seen`."""

    def __init__(self, b: LoopBuilder, number: int, given: TensorLike | Taps) -> None:
        self.b, self.number = b, number
        self.is_tapped = isinstance(given, Taps)
        if not isinstance(given, Taps):
            self.starts, self.seen = [b.tensor(given)], [0]
            return
        taps = _taps(b, given)
        if max(taps) >= 0:
            message = f"scan: taps of first values {number} must be below 0, since they count back, got {taps}"
            raise TirError(message, b.here())
        first, back = b.tensor(given.value), -min(taps)
        sizes = first.type.shape[:1]
        if not sizes or sizes[0] not in (back, DYNAMIC):
            got = f"{back} along axis 0, got {first.type}"
            raise TirError(f"scan: first values {number} with taps {taps} must have size {got}", b.here())
        self.starts = [first[i] for i in range(back)]
        self.seen = [back + tap for tap in taps]

    @property
    def type(self) -> TensorType:
        """The type of one value."""
        return self.starts[0].type

    def last(self, values: Sequence[Tensor]) -> Tensor:
        """The last values in the form of the first ones."""
        return self.b.stack(values) if self.is_tapped else values[0]


def _taps(b: LoopBuilder, given: Taps) -> list[int]:
    taps = listed(given.taps)
    if not taps:
        raise TirError("scan: taps must have at least one number, got []", b.here())
    return taps


def _counter(b: LoopBuilder, length: Extent | None) -> Tensor:
    """What a loop without sequences goes along."""
    if length is None:
        raise TirError("scan: needs a sequence, or a length", b.here())
    return b.iota([length], 0)


def _check_equal(b: LoopBuilder, sequences: Sequence[Tensor]) -> None:
    """TirError unless the sequences may be of one length."""
    size: Dim = DYNAMIC
    for number, x in enumerate(sequences):
        both = merge_dims(size, x.type.shape[0])
        if both is None:
            sizes = f"{dim_text(size)} and {dim_text(x.type.shape[0])} (sequence {number})"
            message = f"scan: sequences must have one size along axis 0, got {sizes}"
            raise TirError(message, b.here(), hint="length takes the first elements of each")
        size = both


def _tapped(b: LoopBuilder, number: int, given: TensorLike | Taps) -> list[Tensor]:
    """The parts of a sequence that go along with each other."""
    x = b.tensor(given.value if isinstance(given, Taps) else given)
    if x.type.rank == 0:
        raise TirError(f"scan: a sequence must have an axis to go along, got {x.type}", b.here())
    if not isinstance(given, Taps):
        return [x]
    taps = _taps(b, given)
    low, high = min(0, *taps), max(0, *taps)
    size, rest = x.type.shape[0], [0] * (x.type.rank - 1)
    if isinstance(size, int) and size < high - low:
        least = counted(high - low, "element")
        raise TirError(f"scan: sequence {number} with taps {taps} must have at least {least}, got {x.type}", b.here())
    return [b.slice(x, [tap - low, *rest], [tap - high, *rest]) if high > low else x for tap in taps]


def _first(b: LoopBuilder, x: Tensor, length: Extent, backwards: bool) -> Tensor:
    """The first elements on the way."""
    size, rest, count = x.type.shape[0], [0] * (x.type.rank - 1), _known_length(b, x, length)
    if size == count:
        return x
    if backwards:
        return b.reverse(_first(b, b.reverse(x, [0]), count, False), [0])
    if count == 0 and not isinstance(size, int):
        raise TirError(f"scan: the length to take of {x.type} must be a number above 0, got {count}", b.here())
    return b.slice(x, [0 if count else size, *rest], [count, *rest])  # type: ignore[list-item]


def _known_length(b: LoopBuilder, x: Tensor, length: Extent) -> int:
    """The length as a number; TirError if it is none, or more than x has."""
    if not isinstance(length, (int, np.integer)):
        raise TirError(f"scan: the length to take of {x.type} must be a number above 0, got {length}", b.here())
    size = x.type.shape[0]
    if isinstance(size, int) and size < length:
        raise TirError(f"scan: there are no {length} elements along axis 0 of {x.type}", b.here())
    return int(length)


# --- loops on their way ----------------------------------------------------------------------------------------------


class _Loop:
    """A loop while it is built. block: its region, which takes the carried values and an element of each sequence."""

    def __init__(
        self, b: LoopBuilder, step: Step, carried: Sequence[_Carried], counts: bool, others: Sequence[Tensor]
    ) -> None:
        self.b, self.step, self.carried, self.counts, self.others = b, step, carried, counts, others
        self.starts = [x.value for one in carried for x in one.starts]
        self.ends: list[Tensor] = []
        self.stacked: list[Tensor] = []
        self.stop: Tensor | None = None

    def trace(self, whole: Sequence[Tensor]) -> None:
        """Runs the step once."""
        b = self.b
        self.block = Block([*(x.type for x in self.starts), *(x.type.with_shape(x.type.shape[1:]) for x in whole)])
        given = [b.tensor(argument) for argument in self.block.arguments]
        values, elements = given[: len(self.starts)], given[len(self.starts) :]
        groups = self._grouped(values)
        seen = [group[place] for one, group in zip(self.carried, groups) for place in one.seen]
        taken = [*seen, *([] if self.counts else elements)]
        check_takes("scan: a step", self.step, len(taken) + len(self.others))
        name_after(self.step, [x.value for x in taken])
        with b.at(self.block):
            found = self.step(*taken, *self.others)
            next_values, self.stacked, self.stop = self._checked(found)
        self.ends = [x for group, new in zip(groups, next_values) for x in (*group[1:], new)]

    def _grouped(self, values: Sequence[Tensor]) -> list[list[Tensor]]:
        """The values of each of `carried`."""
        rest = iter(values)
        return [[next(rest) for _ in one.starts] for one in self.carried]

    def _checked(self, found: Any) -> tuple[list[Tensor], list[Tensor], Tensor | None]:
        """What a step gave: the next carried values, what is stacked, and the condition to stop."""
        b, here = self.b, self.b.here()
        if not isinstance(found, (list, tuple)) or len(found) not in (2, 3):
            form = "a list of carried values, a list of what is stacked, and when to stop, if need be"
            raise TirError(f"scan: a step gives {form}, got {told(found)}", here)
        carried, to_stack = _several(found[0]), _several(found[1])
        for what, x in [*(("is carried", x) for x in carried), *(("is stacked", x) for x in to_stack)]:
            if not is_tensor_like(x):
                message = f"scan: what {what} must be a tensor, a number or an array, got {told(x)}"
                raise TirError(message, here, hint="[] stands for nothing")
        stacked = [b.tensor(x) for x in to_stack]
        if len(carried) != len(self.carried):
            want = counted(len(self.carried), "carried value")
            raise TirError(f"scan: a step must give {want}, as many as there are at first, got {len(carried)}", here)
        values = []
        for one, given in zip(self.carried, carried):
            value = b._as_type(given, one.type)
            if value.type is not one.type:
                message = f"scan: a step must give {one.type} as carried value {one.number}, got {value.type}"
                is_truth = one.type.element is I1 and value.type.element is not I1
                hint = "a truth value is no number: start from 0.0 or 1.0" if is_truth else None
                raise TirError(message, here, hint=hint or control.Scan.cure(one.type, value.type))
            values.append(value)
        for number, x in enumerate(stacked):
            if DYNAMIC in x.type.shape and not b.names_sizes_later:
                message = f"scan: stack {number} must have sizes that are known before the loop, got {x.type}"
                raise TirError(message, here, hint="give the sizes names")
        stop = b.tensor(found[2]) if len(found) == 3 and found[2] is not None else None
        if stop is not None and stop.type is not TensorType((), I1):
            raise TirError(f"scan: when to stop is a tensor<i1>, got {stop.type}", here)
        return values, stacked, stop

    def _end(self, values: Sequence[Tensor]) -> None:
        with self.b.at(self.block):
            self.b.op(control.Yield, [x.value for x in values], result_types=[])

    def _length(self, whole: Sequence[Tensor]) -> Dim:
        """The number of steps at most, as far as the types say it."""
        sizes = [x.type.shape[0] for x in whole]
        return next((size for size in sizes if size is not DYNAMIC), DYNAMIC)

    def _last(self, results: Sequence[Value]) -> list[Tensor]:
        groups = self._grouped([self.b.tensor(x) for x in results[: len(self.starts)]])
        return [one.last(group) for one, group in zip(self.carried, groups)]

    def scan(self, whole: Sequence[Tensor], facts: dict[str, Any]) -> tuple[list[Tensor], list[Tensor]]:
        """As a `tir.scan`."""
        self._end([*self.ends, *self.stacked])
        length = self._length(whole)
        types: list[Type] = [x.type for x in self.starts]
        types += [x.type.with_shape((length, *x.type.shape)) for x in self.stacked]
        sequences = [x.value for x in whole]
        made = self.b.op(
            control.Scan, self.starts, sequences, result_types=types, regions=[Region([self.block])], **facts
        ).results
        return self._last(made), [self.b.tensor(x) for x in made[len(self.starts) :]]

    # --- with an end of its own ----------------------------------------------------------------------------------

    def until(self, whole: Sequence[Tensor], length: Extent | None) -> tuple[list[Tensor], list[Tensor]]:
        """As a `tir.while` that counts its steps, and puts what is stacked into tensors with room for all of them."""
        b, count, most = self.b, len(self.starts), self._most_steps(whole, length)
        rooms = [b.full(0, (most, *b.shape(x)), x.type.element) for x in self.stacked]
        steps = self.block.add_argument(TensorType((), I64), "steps")
        self.block.add_argument(TensorType((), I1), "goes_on")
        self._take_elements(whole, steps)
        places = [self.block.add_argument(room.type) for room in rooms]
        with b.at(self.block):
            stored = [b.put(place, steps, x, mode="drop", unique=True) for place, x in zip(places, self.stacked)]
            after, goes = b.tensor(steps) + 1, b.not_(self.stop)
        self._end([*self.ends, after, goes, *stored])
        starts = [*self.starts, b.constant(0, I64).value, b.constant(True).value, *(room.value for room in rooms)]
        asked = Block([x.type for x in starts])
        with b.at(asked):
            holds: Tensor = b.tensor(asked.arguments[count + 1])
            for x in self._open_sequences(whole):
                holds = holds & (b.tensor(asked.arguments[count]) < b.count(x, [0], I64))
            b.op(control.Yield, [holds.value], result_types=[])
        regions = [Region([asked]), Region([self.block])]
        made = b.op(
            control.While, starts, regions=regions, max_trips=most if isinstance(most, int) else None
        ).results
        ran = b.to_index(made[count])
        stacks = [b.tensor(x) for x in made[count + 2 :]]
        cut = [b.dynamic_slice(x, [0] * x.type.rank, (ran, *b.shape(x)[1:]), mode="clamp") for x in stacks]
        return self._last(made), cut

    def _most_steps(self, whole: Sequence[Tensor], length: Extent | None) -> Extent:
        """For how many steps there must be room."""
        if length is not None:
            return min(_known_length(self.b, x, length) for x in whole)
        _check_equal(self.b, whole)
        size = self._length(whole)
        return next(self.b.shape(x)[0] for x in whole if x.type.shape[0] == size)

    def _open_sequences(self, whole: Sequence[Tensor]) -> list[Tensor]:
        """Sequences of which only run time knows where they end, each size once."""
        sizes = [x.type.shape[0] for x in whole]
        return [
            x for i, (x, size) in enumerate(zip(whole, sizes))
            if not isinstance(size, int) and (size is DYNAMIC or size not in sizes[:i])
        ]  # fmt: skip

    def _take_elements(self, whole: Sequence[Tensor], steps: Value) -> None:
        """Has the region take the elements out of the sequences itself, by the number of the step."""
        b, block, count = self.b, self.block, len(self.starts)
        taken: dict[BlockArgument, Value] = {}
        with b.at(block, block.first):
            for x, element in zip(whole, block.arguments[count:]):
                taken[element] = steps if self.counts else b.take(x, steps, 0, mode="clamp").value
        for element, value in taken.items():
            value.hint = value.hint or element.hint
            element.replace_all_uses_with(value)
            block.erase_argument(count)
        self.ends, self.stacked = (
            [b.tensor(taken.get(x.value, x.value)) for x in xs]  # type: ignore[call-overload]
            for xs in (self.ends, self.stacked)
        )
        assert self.stop is not None
        self.stop = b.tensor(taken.get(self.stop.value, self.stop.value))  # type: ignore[call-overload]
