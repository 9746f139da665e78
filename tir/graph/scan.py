"""Loops over axes: Theano's `scan`, `map`, `reduce`, `foldl`, `foldr`.

    h, updates = tir.scan(lambda x, h: T.tanh(T.dot(x, W) + T.dot(h, U)), sequences=[xs], outputs_info=[h0])

The function runs once, with variables for one step; what it makes is the body of a `tir.scan` (or of a `tir.while`, if it
says when to stop). Shared variables that the steps update, such as the state of random streams, are carried along, and come
out as updates that are to be handed to `function`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.dialects.tir.build.control import check_takes
from tir.dialects.tir.build.core import Tensor, told
from tir.dialects.tir.build.loops import Taps
from tir.graph.copying import Copier
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH, Graph, located, makers_of, placeholders_of
from tir.graph.replacing import pairs_of
from tir.graph.shape import extent_of, specified
from tir.graph.shared import SharedVariable
from tir.graph.variable import Variable, placeholder, public
from tir.ir.errors import counted
from tir.ir.ir import Value
from tir.ir.types import DYNAMIC, I1, I64, IntegerType, TensorType, dtype_of
from tir.lazy import np

__all__ = ["OrderedUpdates", "Until", "foldl", "foldr", "map", "reduce", "scan", "until"]

ALL_OR_ANY = "T.all and T.any make one truth value of many"


class OrderedUpdates(dict[Any, Any]):
    """Shared variables and their new values, in order; two can be added up."""

    def __add__(self, other: Any) -> OrderedUpdates:
        return OrderedUpdates({**self, **dict(pairs_of("updates", other))})

    def __radd__(self, other: Any) -> OrderedUpdates:
        return OrderedUpdates({**dict(pairs_of("updates", other)), **self})


@dataclass
class Until:
    """The condition on which a loop ends behind a step."""

    condition: Any


def until(condition: Any) -> Until:
    """What a step returns behind its outputs, to end the loop when the condition is true."""
    return Until(condition)


@dataclass
class _Sequence:
    """What a step sees elements of. low, high: the taps, 0 among them."""

    variable: Tensor
    taps: list[int] = field(default_factory=lambda: [0])


@dataclass
class _Output:
    """An output of the step: its first value, if it comes back in the next step, and which of the last ones do."""

    initial: Tensor | None = None
    taps: list[int] = field(default_factory=list)


@located
def scan(
    fn: Callable[..., Any], sequences: Any = None, outputs_info: Any = None, non_sequences: Any = None, n_steps: Any = None,
    truncate_gradient: int = -1, go_backwards: bool = False, mode: Any = None, name: str | None = None,
    profile: Any = False, allow_gc: bool | None = None, strict: bool = False, return_list: bool = False,
) -> tuple[Any, OrderedUpdates]:  # fmt: skip
    """Calls `fn` once for each step along axis 0 of the sequences; the outputs, stacked, and updates.

    fn takes the elements of the sequences (in the order of their taps), then what came out of the last steps, then
    non_sequences. It returns outputs, or outputs and updates (a dictionary or pairs), or these and `until(condition)`.
    sequences: variables, or dict(input=x, taps=[-1, 0]). outputs_info: for each output its first value, a dictionary
    dict(initial=x, taps=[-2, -1]), or None if it does not come back. n_steps: how many steps, needed without sequences;
    each sequence has elements for them. go_backwards: from the last element to the first. truncate_gradient: a
    gradient goes back through so many steps only.
    """
    if not callable(fn):
        raise GraphTypeError(f"scan: needs a function of one step, got {told(fn)}")
    loop = _Loop(
        fn, _sequences(sequences), _outputs(outputs_info), _listed(non_sequences), _steps(n_steps), bool(go_backwards),
        _truncation(truncate_gradient), strict,
    )  # fmt: skip
    outputs, updates = loop.run()
    if len(outputs) == 1 and not return_list and loop.gives_one:
        return outputs[0], updates
    return (outputs or None) if not return_list else outputs, updates


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _taps(given: Any) -> list[int]:
    """The taps, each a whole number, and there once."""
    taps = _listed(given)
    if not all(isinstance(tap, (int, np.integer)) for tap in taps):
        raise GraphTypeError(f"scan: taps must be whole numbers, got {told(given)}")
    taps = [int(tap) for tap in taps]
    if len(set(taps)) < len(taps):
        raise GraphValueError(f"scan: each tap may be named once, got {taps}")
    return taps


def _check_keys(what: str, facts: Mapping[str, Any], known: tuple[str, ...], others: tuple[str, ...] = ()) -> None:
    for name in facts:
        if name not in (*known, *others):
            raise GraphValueError(f"scan: {what} has {known[0]!r} and {known[1]!r}, got {name!r}")


def _sequences(given: Any) -> list[_Sequence]:
    found = []
    for one in _listed(given):
        if isinstance(one, Mapping):
            _check_keys("a sequence", one, ("input", "taps"))
            if one.get("input") is None:
                raise GraphValueError("scan: a sequence with taps needs 'input', the variable")
            found.append(_Sequence(GRAPH.tensor(one["input"]), _taps(one.get("taps")) or [0]))
        else:
            found.append(_Sequence(GRAPH.tensor(one)))
        if found[-1].variable.type.rank == 0:
            raise GraphTypeError(f"scan: a sequence must have an axis to go along, got {one!r} of rank 0")
    return found


def _outputs(given: Any) -> list[_Output]:
    found = []
    for one in _listed(given):
        if one is None:
            found.append(_Output())
        elif isinstance(one, Mapping):
            found.append(_output_of(one))
        else:
            found.append(_Output(GRAPH.tensor(one), [-1]))
    return found


def _output_of(facts: Mapping[str, Any]) -> _Output:
    """dict(initial=.., taps=..)."""
    _check_keys("outputs_info", facts, ("initial", "taps"), ("return_steps", "inplace", "store_steps"))
    initial, taps = facts.get("initial"), _taps(facts.get("taps"))
    if initial is None:
        if taps:
            raise GraphValueError(f"scan: taps {taps} need an initial value")
        return _Output()
    taps = taps or [-1]
    if max(taps) >= 0:
        raise GraphValueError(f"scan: taps of outputs must be below 0, since they count back, got {taps}")
    return _Output(GRAPH.tensor(initial), taps)


def _steps(given: Any) -> Any:
    """n_steps: a number, or a 0-d variable of whole numbers."""
    if given is None or isinstance(given, Tensor):
        if given is not None and (given.type.rank or not isinstance(given.type.element, IntegerType)):
            raise GraphTypeError(f"scan: n_steps must be a 0-d variable of whole numbers, got one of {given.type}")
        return given
    if not isinstance(given, (int, np.integer, np.ndarray)) or np.asarray(given).dtype.kind not in "iu" or np.ndim(given):
        raise GraphTypeError(f"scan: n_steps must be a whole number, got {told(given)}")
    if given < 0:
        raise GraphValueError(f"scan: n_steps must be at least 0, got {given}")
    return int(given)


def _truncation(given: Any) -> int | None:
    """truncate_gradient, None for all steps."""
    if given is None or given == -1:
        return None
    if not isinstance(given, (int, np.integer)) or given < 1:
        raise GraphValueError(f"scan: truncate_gradient must be -1, for all steps, or at least 1, got {told(given)}")
    return int(given)


@dataclass
class _Loop:
    """A call of `scan`."""

    fn: Callable[..., Any]
    sequences: list[_Sequence]
    outputs: list[_Output]
    non_sequences: list[Any]
    n_steps: Any
    go_backwards: bool
    truncate: int | None
    strict: bool
    gives_one: bool = False

    def run(self) -> tuple[list[Tensor], OrderedUpdates]:
        """The stacked outputs and the updates."""
        while True:
            elements = [self._elements(one) for one in self.sequences]
            states = [self._states(one) for one in self.outputs]
            given = [x for xs in (*elements, *states) for x in xs]
            results, explicit, stop = self._called([*given, *self.non_sequences])
            if not self.outputs:
                self.outputs = [_Output() for _ in results]
            if len(results) != len(self.outputs):
                wanted = f"{counted(len(self.outputs), 'output')}, as outputs_info has them"
                raise GraphValueError(f"scan: the function must give {wanted}, got {len(results)}")
            if not any([self._widened(*pair) for pair in enumerate(zip(self.outputs, results))]):
                break  # else a step takes values of other dtypes, and is asked once more
        carried = self._carried_shared(results, explicit, stop)
        return self._built(elements, states, results, carried, stop)

    # --- one step ----------------------------------------------------------------------------------------------------

    def _elements(self, sequence: _Sequence) -> list[Variable]:
        """Variables for what a step sees of a sequence."""
        type = sequence.variable.type
        name = sequence.variable.value.hint
        return [placeholder(type.with_shape(type.shape[1:]), f"{name}_t" if name else None) for _ in sequence.taps]

    def _states(self, output: _Output) -> list[Variable]:
        """Variables for what a step sees of the last outputs."""
        if output.initial is None:
            return []
        type = output.initial.type
        if output.taps != [-1]:
            if type.rank == 0:
                raise GraphTypeError(f"scan: taps {output.taps} need initial values along an axis, got {type}")
            type = type.with_shape(type.shape[1:])
        # An axis of size 1 stretches in the first step alone.
        open_type = type.with_shape([DYNAMIC if dim == 1 else dim for dim in type.shape])
        name = output.initial.value.hint
        return [placeholder(open_type, f"{name}_tm" if name else None) for _ in output.taps]

    def _called(self, given: Sequence[Any]) -> tuple[list[Tensor], list[tuple[Any, Any]], Tensor | None]:
        """What the function gives: outputs, updates, and when to stop."""
        check_takes("scan: the function", self.fn, len(given))
        found = self.fn(*given)
        outputs: Any = []
        updates: list[tuple[Any, Any]] = []
        stop = None
        parts = [found]
        if isinstance(found, tuple) and any(isinstance(part, (dict, Until)) or _is_pairs(part) for part in found):
            parts = list(found)
        elif isinstance(found, list) and found and any(isinstance(part, (dict, Until)) for part in found):
            parts = list(found)
        for part in parts:
            if isinstance(part, Until):
                stop = GRAPH.tensor(part.condition)
                if stop.type.rank:
                    raise GraphTypeError(f"scan: the condition of until must be a scalar, got {stop.type}", hint=ALL_OR_ANY)
            elif isinstance(part, dict) or _is_pairs(part):
                updates = pairs_of("scan: updates", part)
            elif part is not None:
                outputs = [*outputs, *_listed(part)] if isinstance(outputs, list) else outputs
                self.gives_one = self.gives_one or not isinstance(part, (list, tuple)) or len(_listed(part)) == 1
        for one in outputs:
            if one is None or isinstance(one, str):
                raise GraphTypeError(f"scan: the function must give variables, got {told(found)}")
        return [GRAPH.tensor(x) for x in outputs], updates, stop

    def _carried_shared(
        self, results: list[Tensor], explicit: list[tuple[Any, Any]], stop: Tensor | None
    ) -> dict[SharedVariable, Tensor]:
        """The shared variables that the steps update, and their values behind a step."""
        found: dict[SharedVariable, Tensor] = {}
        for variable, value in explicit:
            if not isinstance(variable, SharedVariable):
                raise GraphTypeError(f"scan: only shared variables can be updated, got {told(variable)}")
            found[variable] = GRAPH.cast(GRAPH.tensor(value), variable.type.element)
        while True:
            values = [x.value for x in (*results, *found.values(), *([stop] if stop is not None else []))]
            used = [public(value) for value in placeholders_of(values, makers_of(values))]
            if self.strict:
                self._check_strict(used)
            more = [v for v in used if isinstance(v, SharedVariable) and v.default_update is not None and v not in found]
            if not more:
                return found
            found.update({v: GRAPH.tensor(v.default_update) for v in more})

    def _check_strict(self, used: Sequence[Tensor]) -> None:
        known = [one for one in self.non_sequences if isinstance(one, SharedVariable)]
        for variable in used:
            if isinstance(variable, SharedVariable) and variable not in known and variable.default_update is None:
                message = f"scan: strict, and {variable!r} is used and not among non_sequences"
                raise GraphValueError(message, hint="the function must take all that it uses as an argument")

    # --- the loop ----------------------------------------------------------------------------------------------------

    def _built(
        self, elements: list[list[Variable]], states: list[list[Variable]], results: list[Tensor],
        shared: dict[SharedVariable, Tensor], stop: Tensor | None,
    ) -> tuple[list[Tensor], OrderedUpdates]:  # fmt: skip
        b = Graph()
        back = [i for i, output in enumerate(self.outputs) if output.initial is not None]
        inits: list[Any] = [self._first(self.outputs[i]) for i in back]
        inits += [variable.plain for variable in shared]
        inner = [x.ir for i in back for x in states[i]] + [variable.ir for variable in shared]
        inner_elements = [x.ir for xs in elements for x in xs]
        types = [x.value.type if isinstance(x, Taps) else x.type for x in inits]

        ends = [*(results[i] for i in back), *shared.values()]

        def ends_of(given: Sequence[Tensor], more: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            """The next carried values of a step, and more of it."""
            mapping: dict[Any, Any] = {old: new.value for old, new in zip([*inner, *inner_elements], given)}
            values = [x.value for x in (*ends, *more)]
            found = [b.tensor(value) for value in Copier(b, mapping, everything=False).copy(values)]
            fitted = [self._fitted(b, x, inits[i], types[i], i) for i, x in enumerate(found[: len(ends)])]
            return fitted, found[len(ends) :]

        def counting(count: Tensor, *given: Tensor) -> Any:
            next_values, (stop_now,) = ends_of(given, [stop])  # type: ignore[list-item]
            return [b.add(count, 1), *next_values], [], self._truth(b, stop_now)

        whole, length = self._lengths()
        if stop is not None:  # see Note [Until]
            (count, *_), _ = b.scan(
                counting, [b.constant(0, I64), *inits], whole, length=length, go_backwards=self.go_backwards
            )
            whole, length = self._lengths(GRAPH.tensor(count.value))
        facts: dict[str, Any] = {"go_backwards": self.go_backwards, "truncate": self.truncate}
        last, stacks = b.scan(lambda *given: ends_of(given, results), inits, whole, length=length, **facts)
        found = [GRAPH.tensor(x.value) for x in stacks]
        new_shared = [GRAPH.tensor(x.value) for x in last[len(back) :]]
        return found, OrderedUpdates(zip(shared, new_shared))

    def _first(self, output: _Output) -> Any:
        """The first value of an output, or the first few."""
        assert output.initial is not None
        return output.initial if output.taps == [-1] else Taps(output.initial, output.taps)

    def _widened(self, number: int, pair: tuple[_Output, Tensor]) -> bool:
        """Whether the first value of an output had to get the dtype of what the step gives."""
        output, result = pair
        if output.initial is None or output.initial.type.element is result.type.element:
            return False
        element, found = output.initial.type.element, result.type.element
        if GRAPH._promote(output.initial, result)[1] is not found:
            dtypes = [dtype_of(one).numpy or str(one) for one in (found, element)]
            message = f"scan: output {number} of a step has dtype {dtypes[0]}, and its first value {dtypes[1]}"
            raise GraphTypeError(message, hint=f"T.cast(.., '{dtypes[1]}') makes it fit")
        output.initial = GRAPH.cast(output.initial, found)
        return True

    def _fitted(self, b: Graph, x: Tensor, init: Any, type: TensorType, number: int) -> Tensor:
        """The next carried value with the rank and type of the first one."""
        want = type.with_shape(type.shape[1:]) if isinstance(init, Taps) else type
        if x.type.rank != want.rank:
            got = f"{counted(x.type.rank, 'axis', 'axes')}, and its first value {want.rank}"
            raise GraphTypeError(f"scan: output {number} of a step has {got}")
        return x if x.type is want else b.tensor(specified(b, x.value, want).value)

    def _truth(self, b: Graph, x: Tensor) -> Tensor:
        return x if x.type.element is I1 else b.cmp("ne", x, 0)

    def _lengths(self, count: Tensor | None = None) -> tuple[list[Any], Any]:
        """The sequences, cut to the number of steps, and the number where there are none. count: instead of n_steps."""
        n_steps = self.n_steps if count is None else count
        if not self.sequences:
            if n_steps is None:
                raise GraphValueError("scan: needs sequences, or n_steps")
            return [], extent_of(n_steps)
        parts = []
        for one in self.sequences:
            low, high = min(0, *one.taps), max(0, *one.taps)
            parts.append((one, high - low))
        if n_steps is None and (len(parts) == 1 or self._have_one_length()):
            return [self._whole(one) for one, _ in parts], None
        counts = [GRAPH.sub(_size(one.variable), span) if span else _size(one.variable) for one, span in parts]
        steps = counts[0]
        for count in counts[1:]:
            steps = GRAPH.minimum(steps, count)
        if n_steps is not None:
            given = n_steps if isinstance(n_steps, Tensor) else GRAPH.constant(n_steps, I64)
            steps = GRAPH.cast(GRAPH.tensor(given), I64)  # a sequence that has not so many is an error of the slice
        sizes = {span: GRAPH.to_index(GRAPH.add(steps, span) if span else steps) for _, span in parts}
        return [self._whole(_Sequence(self._cut(one.variable, sizes[span]), one.taps)) for one, span in parts], None

    def _cut(self, x: Tensor, size: Value) -> Tensor:
        """The first elements on the way; values of one size share it, so that it is known to be one."""
        start = GRAPH.sub(_size(x), GRAPH.extent_count(size)) if self.go_backwards else 0
        starts = [start, *[0] * (x.type.rank - 1)]
        return GRAPH.dynamic_slice(x, starts, [size, *GRAPH.shape(x)[1:]], mode="clamp")

    def _have_one_length(self) -> bool:
        """All sequences are known to have the same number of elements, and the same taps."""
        first = self.sequences[0]
        same_taps = all(one.taps == first.taps for one in self.sequences)
        sizes = {one.variable.type.shape[0] for one in self.sequences}
        return same_taps and len(sizes) == 1 and DYNAMIC not in sizes

    def _whole(self, one: _Sequence) -> Any:
        return one.variable if one.taps == [0] else Taps(one.variable, one.taps)


def _size(x: Tensor) -> Tensor:
    """The number of elements along axis 0."""
    found = GRAPH.extent_count(GRAPH.shape(x)[0])
    return found if isinstance(found, Tensor) else GRAPH.constant(found, I64)


def _is_pairs(part: Any) -> bool:
    """A list of pairs of a shared variable and its new value."""
    if not isinstance(part, (list, tuple)) or not part:
        return False
    return all(isinstance(one, (list, tuple)) and len(one) == 2 and isinstance(one[0], SharedVariable) for one in part)


# --- in terms of it --------------------------------------------------------------------------------------------------


@located
def map(
    fn: Callable[..., Any], sequences: Any, non_sequences: Any = None, truncate_gradient: int = -1,
    go_backwards: bool = False, mode: Any = None, name: str | None = None, return_list: bool = False,
) -> tuple[Any, OrderedUpdates]:  # fmt: skip
    """What `fn` gives for each element, stacked, and updates."""
    return scan(fn, sequences, [], non_sequences, None, truncate_gradient, go_backwards, return_list=return_list)


@located
def reduce(
    fn: Callable[..., Any], sequences: Any, outputs_info: Any, non_sequences: Any = None, go_backwards: bool = False,
    mode: Any = None, name: str | None = None, return_list: bool = False,
) -> tuple[Any, OrderedUpdates]:  # fmt: skip
    """What the last step gave, and updates. fn takes the elements, then what came out of the step before."""
    if outputs_info is None:
        raise GraphValueError("reduce: needs a first value, outputs_info")
    found, updates = scan(fn, sequences, outputs_info, non_sequences, None, -1, go_backwards, return_list=return_list)
    if isinstance(found, list):
        return [x[-1] for x in found], updates
    return found[-1], updates


@located
def foldl(
    fn: Callable[..., Any], sequences: Any, outputs_info: Any, non_sequences: Any = None, mode: Any = None,
    name: str | None = None, return_list: bool = False,
) -> tuple[Any, OrderedUpdates]:  # fmt: skip
    """`reduce` from the first element to the last."""
    return reduce(fn, sequences, outputs_info, non_sequences, False, return_list=return_list)


@located
def foldr(
    fn: Callable[..., Any], sequences: Any, outputs_info: Any, non_sequences: Any = None, mode: Any = None,
    name: str | None = None, return_list: bool = False,
) -> tuple[Any, OrderedUpdates]:  # fmt: skip
    """`reduce` from the last element to the first."""
    return reduce(fn, sequences, outputs_info, non_sequences, True, return_list=return_list)


# Note [Until]
# A loop that says when to stop runs twice: once to count its steps, which are then known before it, and once for that many.
# So it has a gradient, for which all steps are kept, and `truncate_gradient`; the second loop is one like any other.
