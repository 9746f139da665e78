"""Runs a body of scalar ops for each point of an iteration space: on whole arrays where that gives the same bits.

The meaning is sequential: the points in order, the last dimension fastest; at each point the body gets the elements
that the maps name, and what it yields is written to the outputs. `Nest.run` does this for all points of the parallel
dimensions at once, and loops over the others only, so that each output element sees its updates in the same order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.ir.affine import AffineConstant, AffineDim, AffineExpr, AffineMap
from tir.ir.execution import ExecutionError, Frame, evaluate
from tir.ir.ir import Block, Op, Value
from tir.ir.traits import Effects, ReturnLike, effects_of
from tir.ir.types import MemRefType, ShapedType
from tir.lazy import np

__all__ = ["Nest", "extents", "index_grid", "run_vectorized", "vectorizable"]

CHUNK_ELEMENTS = 1 << 16  # computed ahead of a sequential loop at once


# --- bodies ----------------------------------------------------------------------------------------------------------


def vectorizable(block: Block) -> bool:
    """Each op computes scalars and does at most read, so its reference may be given arrays in place of scalars.

    An op with a `position_axis` gives the position in the iteration space along that axis. An element of an array from
    outside may be read at any place (`tensor.extract`, `memref.load`): indices that are arrays give an array.
    """
    return isinstance(block.last, ReturnLike) and all(
        _is_scalar_op(op) for op in block if op is not block.last
    ) and not any(isinstance(argument.type, ShapedType) for argument in block.arguments)  # fmt: skip


def _is_scalar_op(op: Op) -> bool:
    computes = hasattr(op, "reference") or hasattr(op, "position_axis")
    shaped = any(isinstance(result.type, ShapedType) for result in op.results)
    return computes and not shaped and not op.regions and not effects_of(op) & ~Effects.READ


def index_grid(shape: Sequence[int]) -> list[Any]:
    """For each axis its indices, shaped to broadcast along the others."""
    return [_along(np.arange(size), axis, len(shape)) for axis, size in enumerate(shape)]


def _along(indices: Any, axis: int, rank: int) -> Any:
    return indices.reshape([-1 if i == axis else 1 for i in range(rank)])


def run_vectorized(block: Block, arguments: Sequence[Any], frame: Frame) -> list[Any]:
    """What the terminator of a `vectorizable` block hands on, when these arrays are its arguments."""
    values: dict[Value, Any] = dict(zip(block.arguments, arguments))
    _run_ops([op for op in block if op is not block.last], values, frame, ())
    return [_value(v, values, frame) for v in block.terminator.operands]


def _run_ops(ops: Sequence[Op], values: dict[Value, Any], frame: Frame, positions: Sequence[Any]) -> None:
    for op in ops:
        if hasattr(op, "position_axis"):
            values[op.result] = positions[op.position_axis]
            continue
        made = evaluate(op, [_value(v, values, frame) for v in op.operands])
        values.update(zip(op.results, made if len(op.results) > 1 else (made,)))


def _value(value: Value, values: dict[Value, Any], frame: Frame) -> Any:
    return values[value] if value in values else frame[value]


# --- sizes -----------------------------------------------------------------------------------------------------------


def extents(rank: int, maps: Sequence[AffineMap], shapes: Sequence[Sequence[int]]) -> list[int]:
    """The size of each dimension of the space, from the operands' shapes; ExecutionError if they do not agree.

    Each dimension must be the result of some map by itself.
    """
    found: dict[int, tuple[int, int, int]] = {}
    for number, (map, shape) in enumerate(zip(maps, shapes)):
        for axis, (expr, size) in enumerate(zip(map.results, shape)):
            if isinstance(expr, AffineDim):
                other, other_axis, known = found.setdefault(expr.position, (number, axis, size))
                if known != size:
                    raise ExecutionError(
                        f"axis {axis} of operand {number} must have size {known}, as axis {other_axis} of operand "
                        f"{other} has, got {size}"
                    )
    sizes = [found[d][2] for d in range(rank)]
    if 0 not in sizes:
        _check_bounds(sizes, maps, shapes)
    return sizes


def _check_bounds(sizes: Sequence[int], maps: Sequence[AffineMap], shapes: Sequence[Sequence[int]]) -> None:
    for number, (map, shape) in enumerate(zip(maps, shapes)):
        for axis, (expr, size) in enumerate(zip(map.results, shape)):
            low, high = (0, size - 1) if isinstance(expr, AffineDim) else _bounds(expr, sizes, size)
            if low < 0 or high >= size:
                raise ExecutionError(
                    f"axis {axis} of operand {number} is read from {low} to {high}, but has size {size}"
                )


def _bounds(expr: AffineExpr, sizes: Sequence[int], size: int) -> tuple[int, int]:
    """The least and the largest value of an expression over the space."""
    found = expr.evaluate(lambda leaf: _Range(0, sizes[leaf.position] - 1))  # type: ignore[attr-defined]
    if isinstance(found, int):
        return found, found
    if found.low >= 0 and found.high < size:
        return found.low, found.high
    # A range is exact for sums of different dims; where `mod` or a repeated dim makes it too wide, the grid decides.
    grid = index_grid(sizes)
    exact = expr.evaluate(lambda leaf: grid[leaf.position])  # type: ignore[attr-defined]
    return int(exact.min()), int(exact.max())


@dataclass(frozen=True)
class _Range:
    """The numbers from low to high: arithmetic gives a range that holds all results."""

    low: int
    high: int

    def __add__(self, other: int | _Range) -> _Range:
        low, high = (other, other) if isinstance(other, int) else (other.low, other.high)
        return _Range(self.low + low, self.high + high)

    __radd__ = __add__

    def __rmul__(self, factor: int) -> _Range:
        ends = sorted((factor * self.low, factor * self.high))
        return _Range(*ends)

    def __neg__(self) -> _Range:
        return _Range(-self.high, -self.low)

    def __floordiv__(self, divisor: int) -> _Range:
        return _Range(self.low // divisor, self.high // divisor)

    def __mod__(self, divisor: int) -> _Range:
        return _Range(0, divisor - 1)


# --- operands --------------------------------------------------------------------------------------------------------


class _Access:
    """An operand seen from the space: `lanes` are dimensions taken as slices, all others are at one position.

    A map of plain dimensions and constants is a view of the array, any other is an index array for each axis.
    """

    def __init__(self, array: Any, map: AffineMap, lanes: Sequence[int]) -> None:
        self.map, self.lanes = map, lanes
        self.is_scalar = not isinstance(array, np.ndarray)
        dims = [expr for expr in map.results if isinstance(expr, AffineDim)]
        plain = all(isinstance(expr, (AffineDim, AffineConstant)) for expr in map.results)
        self.is_view = plain and len(set(dims)) == len(dims)
        if self.is_view and not self.is_scalar:
            fixed = tuple(e.value if isinstance(e, AffineConstant) else slice(None) for e in map.results)
            used = [e.position for e in dims]
            self.loops = [d for d in used if d not in lanes]
            self.used_lanes = [d for d in lanes if d in used]
            self.array = array[(*fixed, ...)].transpose([used.index(d) for d in (*self.loops, *self.used_lanes)])
        else:
            self.array = array

    def index(self, at: Sequence[Any]) -> tuple[Any, ...]:
        """The index of the elements: `at` has an integer for each dimension, a slice for a lane."""
        if self.is_view:
            return (*(at[d] for d in self.loops), *(at[d] if d in self.used_lanes else None for d in self.lanes))
        rank = len(self.lanes)
        places = list(at)
        for i, lane in enumerate(self.lanes):
            places[lane] = _along(np.arange(at[lane].start, at[lane].stop), i, rank)
        return tuple(self.map.evaluate(places))

    def read(self, at: Sequence[Any]) -> Any:
        return self.array if self.is_scalar else self.array[self.index(at)]

    def write(self, at: Sequence[Any], value: Any) -> None:
        self.array[self.index(at)] = value

    def depends_on(self, dim: int) -> bool:
        """Different positions along `dim` are different elements."""
        return any(AffineDim(dim) in expr.leaves() for expr in self.map.results)


# --- the nest --------------------------------------------------------------------------------------------------------


@dataclass
class Nest:
    """A body, its operands (inputs, then outputs, which are written in place), a map for each, and the space.

    parallel: for each dimension, whether its points are independent.
    """

    body: Block
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    maps: Sequence[AffineMap]
    parallel: Sequence[bool]
    sizes: Sequence[int]
    lanes: list[int] = field(init=False)
    loops: list[int] = field(init=False)
    shared: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        # Two points that write one element depend on each other, whatever the program says.
        fixed = [{e.position for e in map.results if isinstance(e, AffineDim)} for map in self.output_maps]
        self.lanes = [d for d, is_free in enumerate(self.parallel) if is_free and all(d in dims for dims in fixed)]
        self.loops = [d for d in range(len(self.sizes)) if d not in self.lanes]

    @property
    def input_maps(self) -> Sequence[AffineMap]:
        return self.maps[: len(self.inputs)]

    @property
    def output_maps(self) -> Sequence[AffineMap]:
        return self.maps[len(self.inputs) :]

    def can_vectorize(self, frame: Frame) -> bool:
        """`run` gives what point after point gives."""
        return vectorizable(self.body) and not self._reads_outputs(frame) and not self._interferes()

    def _reads_outputs(self, frame: Frame) -> bool:
        """The body reads, at any place, a buffer from outside that a point writes."""
        captured = {v for op in self.body for v in op.operands if isinstance(v.type, MemRefType)}
        return any(_share_memory(frame[v], output) for v in captured for output in self.outputs)

    def _interferes(self) -> bool:
        """A point may read what another one wrote through another operand. Notes whether operands share elements."""
        operands = [*zip(self.inputs, self.input_maps), *zip(self.outputs, self.output_maps)]
        for number, (output, output_map) in enumerate(operands[len(self.inputs) :]):
            for array, map in operands[: len(self.inputs) + number]:
                if _share_memory(array, output):
                    if not _same_view(array, output) or map is not output_map:
                        return True
                    self.shared = True
        return False

    # --- point after point ---------------------------------------------------------------------------------------

    def points(self) -> Iterator[tuple[int, ...]]:
        """The points in order."""
        return itertools.product(*map(range, self.sizes))

    def read(self, point: Sequence[int]) -> list[Any]:
        """The arguments of the body at a point."""
        operands = zip((*self.inputs, *self.outputs), self.maps)
        return [a[tuple(m.evaluate(point))] if isinstance(a, np.ndarray) else a for a, m in operands]

    def write(self, point: Sequence[int], values: Sequence[Any]) -> None:
        """Writes what the body yields at a point."""
        for output, map, value in zip(self.outputs, self.output_maps, values):
            output[tuple(map.evaluate(point))] = value

    # --- whole arrays --------------------------------------------------------------------------------------------

    def run(self, frame: Frame) -> None:
        """Runs all points. What does not need the outputs is computed for many steps of the innermost loop at once."""
        early, late = self._split()
        last = self.loops[-1] if self.loops else None
        ahead = _Stage(self, early, [last, *self.lanes] if last is not None else self.lanes, frame)
        step = _Stage(self, late, self.lanes, frame)
        outputs = [_Access(array, map, self.lanes) for array, map in zip(self.outputs, self.output_maps)]
        at: list[Any] = [slice(0, size) for size in self.sizes]
        for outer in itertools.product(*(range(self.sizes[d]) for d in self.loops[:-1])):
            for dim, i in zip(self.loops, outer):
                at[dim] = i
            for chunk in self._chunks(last):
                if last is not None:
                    at[last] = chunk
                values = ahead.start(at)
                ahead.run(values, at)
                _run_steps(step, outputs, values, at, last)

    def _split(self) -> tuple[list[Op], list[Op]]:
        """The ops that do not need the outputs, and those that do."""
        needs: set[Value] = set(self.body.arguments[len(self.inputs) :])
        early: list[Op] = []
        late: list[Op] = []
        for op in self.body:
            if op is self.body.last:
                break
            if needs.isdisjoint(op.operands):
                early.append(op)
            else:
                late.append(op)
                needs.update(op.results)
        return early, late

    def _chunks(self, last: int | None) -> Iterator[slice]:
        """The innermost loop in pieces; one step at a time where a step may read what the one before it wrote."""
        if last is None:
            yield slice(0, 1)
            return
        lanes = 1
        for dim in self.lanes:
            lanes *= self.sizes[dim]
        length = 1 if self.shared else max(1, CHUNK_ELEMENTS // max(1, lanes))
        for start in range(0, self.sizes[last], length):
            yield slice(start, min(start + length, self.sizes[last]))


class _Stage:
    """Ops of the body that run together, on arrays with these lanes."""

    def __init__(self, nest: Nest, ops: list[Op], lanes: Sequence[int], frame: Frame) -> None:
        self.nest, self.ops, self.lanes, self.frame = nest, ops, lanes, frame
        self.inputs = [_Access(array, map, lanes) for array, map in zip(nest.inputs, nest.input_maps)]
        self.output_arguments = nest.body.arguments[len(nest.inputs) :]
        self.yielded = nest.body.terminator.operands
        self.used = {v for op in (*ops, nest.body.terminator) for v in op.operands}

    def start(self, at: Sequence[Any]) -> dict[Value, Any]:
        """The values of the input arguments."""
        return {argument: access.read(at) for argument, access in zip(self.nest.body.arguments, self.inputs)}

    def run(self, values: dict[Value, Any], at: Sequence[Any]) -> None:
        """Runs the ops; their results join the values."""
        positions = [np.int64(i) if not isinstance(i, slice) else i for i in at]
        for i, lane in enumerate(self.lanes):
            positions[lane] = _along(np.arange(at[lane].start, at[lane].stop), i, len(self.lanes))
        _run_ops(self.ops, values, self.frame, positions)

    def results(self, values: dict[Value, Any]) -> list[Any]:
        """What the body yields; copies where writing one output could change what another one gets."""
        found = [_value(v, values, self.frame) for v in self.yielded]
        return [np.array(x) for x in found] if len(found) > 1 else found


def _run_steps(
    stage: _Stage, outputs: Sequence[_Access], ahead: dict[Value, Any], at: list[Any], last: int | None
) -> None:
    """The steps of a chunk in order. Outputs that do not move along with it are written behind the last step."""
    if last is None:
        values = ahead | {a: o.read(at) for a, o in zip(stage.output_arguments, outputs)}
        _run_ops(stage.ops, values, stage.frame, ())
        for output, result in zip(outputs, stage.results(values)):
            output.write(at, result)
        return
    chunk: slice = at[last]
    moving = [output.depends_on(last) for output in outputs]
    at[last] = chunk.start
    carried = [output.read(at) for output in outputs]
    needed = {v: x for v, x in ahead.items() if v in stage.used}
    for i in range(chunk.stop - chunk.start):
        at[last] = chunk.start + i
        values = {v: _step(x, i) for v, x in needed.items()}
        for k, output in enumerate(outputs):
            values[stage.output_arguments[k]] = output.read(at) if moving[k] else carried[k]
        _run_ops(stage.ops, values, stage.frame, ())
        carried = stage.results(values)
        for k, output in enumerate(outputs):
            if moving[k] or i == chunk.stop - chunk.start - 1:
                output.write(at, carried[k])
    at[last] = chunk


def _step(value: Any, i: int) -> Any:
    """Step `i` of a value that was computed for a chunk; a scalar is the same in all steps."""
    if getattr(value, "ndim", 0) == 0:
        return value
    return value[i if value.shape[0] > 1 else 0]


def _share_memory(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not np.may_share_memory(a, b):
        return False
    try:
        return bool(np.shares_memory(a, b, max_work=1000))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _same_view(a: Any, b: Any) -> bool:
    same_start = a.__array_interface__["data"] == b.__array_interface__["data"]
    return same_start and a.shape == b.shape and a.strides == b.strides
