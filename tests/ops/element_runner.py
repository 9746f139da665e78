"""Runs a structured op by its facets alone: index maps, `element`, `step`; scalar ops on whole numpy arrays.

The order of a reduction is that of the text; parallel loops are one array each. No lowering is involved.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tir.dialects import tensor
from tir.dialects.scalar import Scalar, ScalarBuilder, signless
from tir.dialects.tir.base import Accumulating, Reduction, Structured
from tir.dialects.tir.logic import Cast
from tir.ir.affine import AffineDim
from tir.ir.builder import Builder
from tir.ir.execution import evaluate, numpy_dtype
from tir.ir.ir import Block, Value
from tir.ir.types import INDEX, TensorType, Type, element_type
from tir.passes.structured import lowered_type


def run_by_element(op: Structured, values: dict[Value, Any], result_shape: tuple[int, ...]) -> Any:
    """The result of the op for these run-time values of its operands."""
    structure = op.structure()
    inputs = [np.asarray(values[v]) for v in op.inputs()]
    extents = _extents(structure, inputs, result_shape)
    is_reduction = [kind == "reduction" for kind in structure.iterators]
    grid = np.indices([1 if reduced else size for size, reduced in zip(extents, is_reduction)], np.int64)
    types = [element_type(v.type) for v in op.inputs()]
    accumulated = _initial(op, grid.shape[1:]) if isinstance(op, Reduction) else []
    body = _Body(op, types, values, result_shape)
    for place in itertools.product(*(range(n if reduced else 1) for n, reduced in zip(extents, is_reduction))):
        at = [index + offset for index, offset in zip(grid, place)]
        scalars = [_element(x, map, at) for x, map in zip(inputs, structure.input_maps)]
        made = body.run(at, scalars, accumulated)
        accumulated = [np.broadcast_to(x, grid.shape[1:]) for x in made]
    kept = op.kept_accumulators if isinstance(op, Reduction) else (0,)
    found = accumulated[kept[0]].reshape(result_shape)
    if isinstance(op, Accumulating) and op.accumulator_type() is not op.result_type.element:
        return evaluate(_cast_back(op), [found])
    return found


def _cast_back(op: Accumulating) -> Cast:
    """The op that casts an accumulator to the result."""
    shape = op.result_type.shape
    source = Block([TensorType(shape, op.accumulator_type())]).arguments[0]
    made = Builder.at_end(Block([])).op(Cast, source, result_types=[TensorType(shape, op.result_type.element)])
    assert isinstance(made, Cast)
    return made


def _extents(structure: Any, inputs: list[Any], result_shape: tuple[int, ...]) -> list[int]:
    """The size of each loop: that of an axis which the loop walks."""
    found: dict[int, int] = dict(structure.extents)
    walked = [*zip(structure.input_maps, (x.shape for x in inputs)), (structure.output_maps[0], result_shape)]
    for map, shape in walked:
        for place, size in zip(map.results, shape):
            if isinstance(place, AffineDim):
                found[place.position] = size
    return [found[i] for i in range(len(structure.iterators))]


def _element(x: Any, map: Any, at: list[Any]) -> Any:
    indices = map.evaluate(at)
    if x.size == 0 and any(np.size(i) == 0 for i in at):
        return _signless(np.zeros(np.broadcast_shapes(*(np.shape(i) for i in at)), x.dtype))
    return _signless(x[tuple(indices)] if x.ndim else x)


def _lowered(type: Type) -> Type:
    return lowered_type(type) if isinstance(type, TensorType) else type


def _signless(x: Any) -> Any:
    """Below the tensor level integers have no sign: their bits as numpy's signed integers."""
    return x.view(f"i{x.dtype.itemsize}") if x.dtype.kind == "u" else x


def _initial(op: Reduction, shape: tuple[int, ...]) -> list[Any]:
    found = []
    for type, number in op.accumulators():
        found.append(_signless(np.full(shape, number, numpy_dtype(type))))
    return found


class _Body:
    """The scalar ops of an element (or a step), made once."""

    def __init__(self, op: Structured, types: list[Any], tensors: dict[Value, Any], shape: tuple[int, ...]) -> None:
        accumulators = [type for type, _ in op.accumulators()] if isinstance(op, Reduction) else []
        rank = len(op.structure().iterators)
        self.block = Block([INDEX] * rank + [signless(t) for t in (*types, *accumulators)])
        scalars = [Scalar(a, t) for a, t in zip(self.block.arguments[rank:], (*types, *accumulators))]
        b = Builder.at_end(self.block)
        # Tensors that the body reads anywhere are arguments of a block that nothing runs.
        self.read = Block([_lowered(v.type) for v in op.operands])
        proxies = dict(zip(op.operands, self.read.arguments))
        self.tensors = {proxies[v]: _signless(np.asarray(x)) for v, x in tensors.items()}
        s = ScalarBuilder(
            b,
            index_of=lambda dim: self.block.arguments[dim],
            extract_of=lambda value, indices: b.create(tensor.Extract, proxies[value], indices),
            size_of=lambda value, axis: (np.shape(tensors[value]) if value in tensors else shape)[axis],
        )
        made: Any = (
            op.step(s, scalars[len(types) :], scalars[: len(types)])
            if isinstance(op, Reduction)
            else [op.rounded_element(s, *scalars)]
        )
        self.results = [(scalar.value, scalar.type) for scalar in made]
        wanted = accumulators or [op.result_type.element]
        assert [type for _, type in self.results] == wanted, f"{op.name}: {self.results} are not {wanted}"

    def run(self, at: list[Any], scalars: list[Any], accumulated: list[Any]) -> list[Any]:
        values = dict(self.tensors)
        values.update(zip(self.block.arguments, (*at, *scalars, *accumulated)))
        for op in self.block:
            made = evaluate(op, [values[v] for v in op.operands])
            values.update(zip(op.results, made if len(op.results) > 1 else [made]))
        return [np.asarray(values[value]) for value, _ in self.results]
