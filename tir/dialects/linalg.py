"""The linalg dialect: `linalg.generic`, a body of scalar ops over an iteration space."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from tir.ir.affine import AffineDim, AffineMap
from tir.ir.attributes import ArrayAttr, Attribute, DialectAttr
from tir.ir.define import attribute, operand, region, result
from tir.ir.errors import TirError, counted
from tir.ir.execution import Frame, Run
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.kinds import AFFINE_MAPS, ANY_MEMREF, ANY_TENSOR, I64_ATTR, INDEX_KIND, STRING, AttributeKind, one_of
from tir.ir.nest import Nest, extents
from tir.ir.registry import Dialect
from tir.ir.traits import Effects, Pure, RecursiveEffects, ReturnLike
from tir.ir.types import INDEX, MemRefType, ShapedType, TensorType, Type, element_type
from tir.lazy import np

__all__ = ["DIALECT", "Generic", "Index", "ITERATOR_TYPES", "PARALLEL", "REDUCTION", "Yield"]

PARALLEL, REDUCTION, WINDOW = "parallel", "reduction", "window"
_ITERATOR = "linalg.iterator_type"


def _is_iterators(attribute: Attribute) -> bool:
    return isinstance(attribute, ArrayAttr) and all(
        isinstance(item, DialectAttr) and item.name == _ITERATOR and item.body in (PARALLEL, REDUCTION, WINDOW)
        for item in attribute
    )


ITERATOR_TYPES = AttributeKind(
    f"an array of #{_ITERATOR}<parallel> and #{_ITERATOR}<reduction>",
    _is_iterators,
    lambda a: tuple(item.body for item in a),
    lambda words: ArrayAttr(tuple(DialectAttr(_ITERATOR, word) for word in words)),
)


class Yield(Op, ReturnLike):
    """`linalg.yield %a : f32`: an element for each output."""

    name = "linalg.yield"
    parent_ops = ("linalg.generic", "linalg.fill")
    values = operand(variadic=True)
    format = "attr-dict ($values^ `:` type($values))?"


class Index(Pure, Op):
    """`linalg.index 1 : index`: the position along dimension 1 of the iteration space."""

    name = "linalg.index"
    parent_ops = ("linalg.generic",)
    verify_looks_around = True
    dim = attribute(I64_ATTR)
    result = result(INDEX_KIND)
    format = "$dim attr-dict `:` type($result)"

    @property
    def position_axis(self) -> int:
        """Which part of the position this op gives: whoever runs the body sets the result."""
        return self.dim

    def infer(self) -> Sequence[Type]:
        return [INDEX]

    def verify(self) -> None:
        outer = self.parent_op
        if isinstance(outer, Generic) and not 0 <= self.dim < outer.rank:
            raise TirError(f"the dimension must be 0 to {outer.rank - 1}, got {self.dim}")

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        return (frame[self.result],)


class Generic(Op, RecursiveEffects):
    """`linalg.generic {indexing_maps = [..], iterator_types = [..]} ins(..) outs(..) { .. } -> tensor<..>`.

    For each point of the iteration space, the body gets the elements that the maps name, one for each operand, and
    yields an element for each output. Outputs are tensors, whose first elements are those of the operand (the results
    are the last), or memrefs, which are written in place. Sizes follow from the operands. Points of parallel dimensions
    are independent; along reductions they run in order, the last dimension fastest. The body may also read any element
    of tensors from outside, by `tensor.extract` (of memrefs, by `memref.load`).
    """

    name = "linalg.generic"
    inputs = operand(variadic=True)
    outputs = operand(one_of(ANY_TENSOR, ANY_MEMREF), variadic=True)
    result_tensors = result(ANY_TENSOR, variadic=True)
    indexing_maps = attribute(AFFINE_MAPS)
    iterator_types = attribute(ITERATOR_TYPES)
    doc = attribute(STRING, optional=True)
    library_call = attribute(STRING, optional=True)
    body_region = region("linalg.yield")
    format = (
        "custom<GenericOp>($inputs, $outputs, $result_tensors, $indexing_maps, $iterator_types, $doc, $library_call, "
        "$body_region)"
    )

    @property
    def maps(self) -> tuple[AffineMap, ...]:
        """The map of each operand, inputs first."""
        return self.indexing_maps

    @property
    def input_maps(self) -> tuple[AffineMap, ...]:
        """The map of each input."""
        return self.maps[: len(self.inputs)]

    @property
    def output_maps(self) -> tuple[AffineMap, ...]:
        """The map of each output."""
        return self.maps[len(self.inputs) :]

    @property
    def rank(self) -> int:
        """How many dimensions the iteration space has."""
        return len(self.iterator_types)

    @property
    def is_all_parallel(self) -> bool:
        """No dimension is a reduction."""
        return all(kind == PARALLEL for kind in self.iterator_types)

    @property
    def reduction_dims(self) -> list[int]:
        """The dimensions that are not parallel."""
        return [d for d, kind in enumerate(self.iterator_types) if kind != PARALLEL]

    @property
    def input_arguments(self) -> list[BlockArgument]:
        """The elements of the inputs, inside the body."""
        return self.body.arguments[: len(self.inputs)]

    @property
    def output_arguments(self) -> list[BlockArgument]:
        """The elements of the outputs, inside the body."""
        return self.body.arguments[len(self.inputs) :]

    @property
    def yielded(self) -> tuple[Value, ...]:
        """The new elements of the outputs, inside the body."""
        return self.body.terminator.operands

    @property
    def captured(self) -> list[Value]:
        """The tensors and memrefs from outside that the body uses by name, each once."""
        shaped = (TensorType, MemRefType)
        used = {v: None for op in self.body for inner in op.walk() for v in inner.operands if isinstance(v.type, shaped)}
        return [v for v in used if not v.is_made_inside(self)]

    @property
    def has_buffers(self) -> bool:
        """The outputs are memrefs, and there are no results."""
        return bool(self.outputs) and isinstance(self.outputs[0].type, MemRefType)

    @property
    def own_effects(self) -> Effects:  # type: ignore[override]
        """On buffers it reads and writes; on tensors it does neither."""
        touches = any(isinstance(value.type, MemRefType) for value in self.operands)
        return Effects.READ | Effects.WRITE if touches else Effects.NONE

    def may_fail(self) -> bool:
        """Sizes that the types leave open may not agree."""
        shaped = [value.type for value in self.operands if isinstance(value.type, ShapedType)]
        return not all(type.is_static for type in shaped)

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.outputs if isinstance(value.type, TensorType)]

    def verify(self) -> None:
        _check_operands(self)
        _check_maps(self)
        _check_body(self)
        _check_static_sizes(self)

    def interpret(self, frame: Frame) -> Generator[Any, Any, tuple[Any, ...]]:
        inputs = [frame[v] for v in self.inputs]
        outputs = [frame[v] if self.has_buffers else np.array(frame[v]) for v in self.outputs]
        sizes = extents(self.rank, self.maps, [np.shape(a) for a in (*inputs, *outputs)])
        parallel = [kind == PARALLEL for kind in self.iterator_types]
        nest = Nest(self.body, inputs, outputs, self.maps, parallel, sizes)
        if 0 not in sizes and nest.can_vectorize(frame):
            nest.run(frame)
        else:
            positions = [op for op in self.body if isinstance(op, Index)]
            for point in nest.points():
                for op in positions:
                    frame[op.result] = np.int64(point[op.dim])
                nest.write(point, (yield Run(self.body, nest.read(point))))
        return () if self.has_buffers else tuple(outputs)


def _check_operands(op: Generic) -> None:
    shaped = {type(value.type) for value in op.operands if isinstance(value.type, (TensorType, MemRefType))}
    if len(shaped) > 1:
        raise TirError("operands must be tensors or memrefs, not both")
    if not op.outputs:
        raise TirError("needs at least one output")
    if len(op.maps) != len(op.operands):
        raise TirError(f"needs a map for each of the {len(op.operands)} operands, got {len(op.maps)}")


def _check_maps(op: Generic) -> None:
    for number, (map, value) in enumerate(zip(op.maps, op.operands)):
        rank = value.type.rank if isinstance(value.type, (TensorType, MemRefType)) else 0
        if map.symbols or map.dims != op.rank:
            raise TirError(f"map {number} must have a dim for each of {op.rank} iterators and no symbols, got {map}")
        if len(map.results) != rank:
            raise TirError(f"map {number} must have {counted(rank, 'result')}, the rank of {value.type}, got {map}")
    bare = {expr.position for map in op.maps for expr in map.results if isinstance(expr, AffineDim)}
    for dim in range(op.rank):
        if dim not in bare:
            raise TirError(f"no map has d{dim} by itself as a result, so its size is not known")


def _check_body(op: Generic) -> None:
    want = [element_type(value.type) for value in op.operands]
    got = [argument.type for argument in op.body.arguments]
    if got != want:
        raise TirError(f"the body must take the elements of the operands {_types(want)}, got {_types(got)}")
    end = op.body.terminator
    if not isinstance(end, Yield):
        raise TirError(f"the body must end in linalg.yield, got {end.name}")
    want = [element_type(value.type) for value in op.outputs]
    got = [value.type for value in end.values]
    if got != want:
        raise TirError(f"the body must yield an element of each output {_types(want)}, got {_types(got)}")


def _check_static_sizes(op: Generic) -> None:
    """Sizes that the types know must agree; those of dims are compared, other expressions are bounded at the ends."""
    sizes: dict[int, int] = {}
    static = [
        (number, axis, expr, dim)
        for number, (map, value) in enumerate(zip(op.maps, op.operands))
        for axis, (expr, dim) in enumerate(zip(map.results, getattr(value.type, "shape", ())))
        if isinstance(dim, int)
    ]
    for number, axis, expr, dim in static:
        if isinstance(expr, AffineDim) and sizes.setdefault(expr.position, dim) != dim:
            raise TirError(f"axis {axis} of operand {number} must have size {sizes[expr.position]}, got {dim}")
    for number, axis, expr, dim in static:
        leaves = [leaf.position for leaf in expr.leaves()]  # type: ignore[attr-defined]
        if isinstance(expr, AffineDim) or not all(sizes.get(d, 0) > 0 for d in leaves):
            continue
        start = expr.evaluate(lambda leaf: 0)
        end = expr.evaluate(lambda leaf: sizes[leaf.position] - 1)  # type: ignore[attr-defined]
        if min(start, end) < 0 or max(start, end) >= dim:
            raise TirError(f"axis {axis} of operand {number} has size {dim}, but {expr} goes from {start} to {end}")


def _types(types: Sequence[Type]) -> str:
    return f"({', '.join(map(str, types))})"


DIALECT = Dialect("linalg", "Scalar bodies over iteration spaces.", (Generic, Index, Yield))
