"""`fuse-structured`: structured ops that share loops become one."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import arith, linalg, scf, tensor
from tir.ir import actions
from tir.ir.affine import AffineDim, AffineMap
from tir.ir.attributes import DenseAttr
from tir.ir.builder import Builder
from tir.ir.errors import Location
from tir.ir.ir import Block, Op, OpResult, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import is_pure
from tir.ir.types import I1, Dim, TensorType
from tir.passes.cse import Cse
from tir.passes.dce import Dce
from tir.passes.fuse_siblings import Siblings, is_contraction, reuses_all_inputs
from tir.passes.generic_edit import (
    absorb_constant,
    bare_dims,
    can_move_indices,
    drop_inputs,
    drop_outputs,
    inline_producer,
    inputs_of,
    loop_map,
)
from tir.passes.loop_sizes import LoopSizes
from tir.passes.op_weights import weight

__all__ = ["FuseStructured", "is_fusable"]

LOAD_WEIGHT = 1
#: The most that is computed again for each point of a loop that the value does not depend on.
REPEATED_COST = 4


@dataclass
class FuseStructured(Pass):
    """Fuses `linalg.generic` ops: producers into consumers, and siblings with each other.

    Needs: the structured level (lower-structured); ops on buffers are left alone. Leaves: the same results, in fewer
    ops.

    - An elementwise producer is computed in the body of its consumer (elementwise or a reduction), index maps composed.
      If there are several consumers it goes into each, provided that this costs at most `max-cost` (a load or an
      addition is 1, a division 8, exp 12, log 18, tanh 26); if the consumer would compute it again for each point of a
      loop that it does not depend on, at most 4. Into a contraction go only moves, such as broadcast and transpose, and
      into a product of matrices no windows, whose places are no axes.
    - Ops with the same loops that share an input, or of which one reads what the other makes at the same point, become
      one op with several outputs.
    - Constants of one number become numbers in bodies; unused and equal inputs and outputs go.

    What is not done: an elementwise consumer of a reduction stays apart. Each producer that was not fused into its
    consumer is a remark: `remarks` has (location, "not fused: ...").

        %1 = linalg.generic .. ins(%x) {.. math.exp ..}
        %2 = linalg.generic .. ins(%1) {.. arith.negf ..}

    becomes

        %2 = linalg.generic .. ins(%x) {.. math.exp, arith.negf ..}
    """

    name = "fuse-structured"
    numerics = EXACT
    statistics = {
        "fuse": "producers fused into a consumer",
        "fuse siblings": "ops merged into one",
        "absorb": "constants moved in",
    }
    max_cost: int = 16

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str]] = []

    def run(self, op: Op) -> None:
        self.remarks.clear()
        blocks = dict.fromkeys(one.parent for one in op.walk() if isinstance(one, linalg.Generic))
        for block in blocks:
            if block is not None:
                _Fusion(block, self.max_cost, self.remarks).run()
        Dce().run(op)
        by_text = {(str(where.file_location()), text): (where, text) for where, text in self.remarks}
        self.remarks[:] = by_text.values()


@dataclass(frozen=True)
class _Edge:
    """A consumer that reads results of a producer by one map. reads: input of the consumer -> result."""

    consumer: linalg.Generic
    loops: AffineMap | None
    reads: dict[int, int]


class _Fusion:
    """The ops of one block. cost: of the body of each op that may be fused."""

    def __init__(self, block: Block, max_cost: int, remarks: list[tuple[Location, str]]) -> None:
        self.block = block
        # What is handed on inside a loop over rows is in the cache, and costs no more to read than to add.
        is_row = isinstance(block.parent_op, scf.ForAll)
        self.max_cost = min(max_cost, REPEATED_COST) if is_row else max_cost
        self.remarks = [] if is_row else remarks
        self.cost: dict[Op, int] = {}
        self.positions: dict[Op, int] = {}
        self.sizes = LoopSizes()

    def run(self) -> None:
        """Constants, producers, siblings; then what is left to clean up and to say."""
        for op in self.block:
            if isinstance(op, linalg.Generic) and is_fusable(op):
                self.cost[op] = sum(map(weight, op.body))
                _absorb_constants(op)
        self._number()
        self._fuse_producers()
        for op in [op for op in self.block if op in self.cost]:
            Cse().run(op)  # before siblings meet, so that equal inputs are seen to be equal
        Siblings(self.block, self.cost, self.sizes, self.remarks).merge()
        for op in [op for op in self.block if op in self.cost]:
            Cse().run(op)
            Dce().run(op)
            drop_inputs(op)  # type: ignore[arg-type]
            self.cost[drop_outputs(op)] = self.cost[op]  # type: ignore[arg-type]
        self._number()
        for op in self.block:
            if isinstance(op, linalg.Generic) and op in self.cost:
                self._remark(op)

    def _number(self) -> None:
        self.positions = {op: i for i, op in enumerate(self.block)}

    def _fuse_producers(self) -> None:
        """From the first to the last, so that what a producer has taken in goes on with it."""
        for op in [op for op in self.block if op in self.cost]:
            assert isinstance(op, linalg.Generic)
            if op.is_all_parallel:
                self._fuse_into_users(op)
            if not op.is_used:
                op.erase()

    def _fuse_into_users(self, producer: linalg.Generic) -> None:
        edges = self._edges(producer)
        taken = [edge for edge, reason in zip(edges, self._reasons(producer, edges)) if reason is None]
        is_free = sum(len(edge.reads) for edge in taken) == sum(len(result.uses) for result in producer.results)
        for i, edge in enumerate(taken):
            assert edge.loops is not None
            if not actions.begin("fuse", edge.consumer):
                is_free = False  # the producer is still needed here
                continue
            self.cost[edge.consumer] += self.cost[producer]
            # An earlier edge into the same consumer has changed the numbers of its inputs.
            now = next(e for e in self._edges_into(edge.consumer, producer) if e.loops == edge.loops)
            shown, is_last = _shown(producer, now), i == len(taken) - 1
            inline_producer(edge.consumer, producer, edge.loops, now.reads, shown, move=is_free and is_last)
            actions.end()

    def _edges(self, producer: linalg.Generic) -> list[_Edge]:
        """Who reads the results as inputs, in the order of the text."""
        users = {use.owner for result in producer.results for use in result.uses}
        consumers = sorted(
            (u for u in users if u.parent is self.block and u in self.cost), key=self.positions.__getitem__
        )
        return [edge for consumer in consumers for edge in self._edges_into(consumer, producer)]

    def _edges_into(self, consumer: Op, producer: linalg.Generic) -> list[_Edge]:
        """How one consumer reads the results as inputs: an edge for each map."""
        assert isinstance(consumer, linalg.Generic)
        found: dict[AffineMap | None, dict[int, int]] = {}
        for i, (value, map) in enumerate(inputs_of(consumer)):
            if isinstance(value, OpResult) and value.op is producer:
                found.setdefault(loop_map(producer, value.index, map), {})[i] = value.index
        return [_Edge(consumer, loops, reads) for loops, reads in found.items()]

    # --- what is fused -----------------------------------------------------------------------------------------------

    def _reasons(self, producer: linalg.Generic, edges: list[_Edge]) -> list[str | None]:
        """For each edge why the producer is not fused along it; None if it is."""
        if not producer.is_all_parallel:
            return ["the producer is a reduction"] * len(edges)
        reasons = [_obstacle(producer, edge) or self._waste(producer, edge) for edge in edges]
        if self.cost[producer] == 0:  # a move: reading the source instead costs nothing
            return reasons
        is_stored = sum(len(edge.reads) for edge in edges) < sum(len(result.uses) for result in producer.results)
        if is_stored or any(reasons):
            return [reason or "the producer's result is stored anyway, for another use" for reason in reasons]
        cost = self.cost[producer] + LOAD_WEIGHT * len(producer.inputs)
        if len(edges) > 1 and cost > self.max_cost:
            return [
                f"the producer costs {cost} and would be computed {len(edges)} times; max-cost is {self.max_cost}"
            ] * len(edges)
        return reasons

    def _waste(self, producer: linalg.Generic, edge: _Edge) -> str | None:
        """Why it would cost too much to compute the producer where the consumer needs its elements."""
        assert edge.loops is not None
        cost = self.cost[producer]
        if cost and is_contraction(edge.consumer):
            return "the consumer is a contraction, into which only moves are fused"
        dims = {leaf for expr in edge.loops.results for leaf in expr.leaves()}
        total = cost + LOAD_WEIGHT * len(producer.inputs)
        if cost and len(dims) < edge.consumer.rank and total > REPEATED_COST:
            return (
                f"the producer costs {total} and would be computed again for each point of a loop that it does not need"
            )
        return None

    def _remark(self, consumer: linalg.Generic) -> None:
        """Says why producers that the consumer reads are still apart."""
        producers = dict.fromkeys(value.op for value in consumer.inputs if value.op in self.cost)
        for producer in producers:
            assert isinstance(producer, linalg.Generic)
            edges = self._edges(producer)
            for edge, reason in zip(edges, self._reasons(producer, edges)):
                if edge.consumer is consumer:
                    self.remarks.append((consumer.location, f"not fused: {reason or 'they met too late'}"))


def is_fusable(op: linalg.Generic) -> bool:
    """The op is on tensors, and its body only computes scalars."""
    kinds = set(op.iterator_types) <= {linalg.PARALLEL, linalg.REDUCTION}
    return kinds and op.library_call is None and is_pure(op) and not any(inner.regions for inner in op.body)


def _absorb_constants(op: linalg.Generic) -> None:
    for i, value in enumerate(op.inputs):
        constant = value.op
        is_constant = isinstance(constant, arith.Constant) and isinstance(constant.value, DenseAttr)
        if is_constant and constant.value.is_splat and actions.begin("absorb", op):
            absorb_constant(op, i, constant)
            actions.end()
    drop_inputs(op)


def _obstacle(producer: linalg.Generic, edge: _Edge) -> str | None:
    """Why the body of the producer cannot be put into that of the consumer."""
    if edge.loops is None:
        return "the producer does not make each element at one point of its loops"
    if not can_move_indices(producer.body, edge.loops):
        return "the producer needs its position, which is not a loop of the consumer"
    hidden = _hidden_loops(producer, edge)
    maps = [map.compose(edge.loops) for map in producer.input_maps]
    if (hidden or not all(map.is_projected_permutation() for map in maps)) and reuses_all_inputs(edge.consumer):
        return "the consumer is a product of matrices, whose loops must be axes of its operands"
    if not all(isinstance(dim, int) for dim in hidden.values()):
        return "without the producer's result nothing says how long a loop of the consumer is"
    return None


def _hidden_loops(producer: linalg.Generic, edge: _Edge) -> dict[int, Dim]:
    """The loops of the consumer whose length only the producer's result shows, as the size of an axis; with that size."""
    assert edge.loops is not None
    maps = [map for value, map in inputs_of(edge.consumer) if value.op is not producer]
    maps += [map.compose(edge.loops) for map in producer.input_maps]
    shown = bare_dims([*maps, *edge.consumer.output_maps])
    found: dict[int, Dim] = {}
    for position in edge.reads:
        value, map = inputs_of(edge.consumer)[position]
        for expr, dim in zip(map.results, value.type.shape):  # type: ignore[attr-defined]
            if isinstance(expr, AffineDim) and expr.position not in shown:
                found[expr.position] = dim
    return found


def _shown(producer: linalg.Generic, edge: _Edge) -> list[tuple[Value, AffineMap]]:
    """An input that shows how long the hidden loops are, as lower-structured gives pooling ops one; nobody reads it."""
    hidden = _hidden_loops(producer, edge)
    if not hidden:
        return []
    type = TensorType(tuple(hidden.values()), I1)
    shown = Builder.before(edge.consumer).create(tensor.Empty, [], result_types=[type])
    return [(shown, AffineMap.of_dims(edge.consumer.rank, list(hidden)))]
