"""Copies of what values are computed by, with other values in the place of some.

    copier = Copier(builder, {x.value: argument})
    cost, = copier.copy([cost.value])

Where a new value has other sizes in its type than the old one, the types of what follows are inferred again. A value that
a derivative is taken by gets a `tir.leaf`, which everything uses from there on. What comes into a loop or a branch gets
names for its open sizes (`tir.name_size`), since a loop stacks only what has sizes that are known before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from tir.dialects.func import Call
from tir.dialects.tir.base import Sized, merge_dims
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.control import Control, If, Scan, Yield
from tir.dialects.tir.jacobian import Jacobian
from tir.dialects.tir.logic import Bitcast, Cast
from tir.dialects.tir.shape import DimOp, ToIndex
from tir.dialects.tir.state import Derivative, Jvp, Vjp
from tir.graph.graph import captured, makers_of
from tir.graph.shape import specified
from tir.graph.size_names import SizeNames, name_of
from tir.ir.affine import AffineExpr
from tir.ir.attributes import DenseAttr
from tir.ir.define import create
from tir.ir.errors import VerifyError
from tir.ir.fields import OPERAND_SEGMENTS
from tir.ir.ir import Block, BlockArgument, Op, Region, Value
from tir.ir.traits import ConstantLike
from tir.ir.types import DYNAMIC, Dim, TensorType

__all__ = ["Copier", "points_of"]


class Copier:
    """Copies ops to where the builder inserts. mapping: old value -> new one, which copies are added to.

    everything: also what depends on nothing in the mapping; without, that is used as it is. names: open sizes that come
    into loops and branches get names.
    """

    #: Stand-ins for the operands and results of a call, and the results with the sizes that an op in Python says they
    #: have; `tir.graph.user_ops`, which stands on this module, puts its function here.
    sizes_of_call: ClassVar[Callable[[Call], tuple[list[Value], list[Value], list[Value]] | None]]

    def __init__(
        self, b: TensorBuilder, mapping: dict[Any, Any], everything: bool = True, names: bool = True
    ) -> None:  # fmt: skip
        self.b, self.mapping, self.everything = b, mapping, everything
        self.names = names and not b.names_sizes_later
        self._entry, self._sizes = b.block, SizeNames(b)
        self._plain: dict[Value, Value] = {}  # of a value that has a leaf the value in front of it
        self._points: set[Value] = set()

    def copy(self, values: Sequence[Value]) -> list[Value]:
        """The copies of values, with all that they need."""
        ops = makers_of(values, self.mapping.__contains__)
        ops = ops if self.everything else self._dependent(ops)
        self._points = points_of(ops)
        for value in [value for value in self.mapping if value in self._points]:
            self._take(value, self.mapping[value], is_copy=False)
        for op in ops:
            self._copy(op)
        return [self._new(value) for value in values]

    def _dependent(self, ops: Sequence[Op]) -> list[Op]:
        """Those that depend on what is replaced. A derivative among them takes in what it is taken by."""
        while True:
            moved = set(self.mapping)
            found = []
            for op in ops:
                if any(value in moved for value in captured(op)):
                    found.append(op)
                    moved.update(op.results)
            outside = points_of(found) - moved
            if not outside:
                return found
            for value in outside:
                self.mapping[value] = value

    def _take(self, old: Value, new: Value, is_copy: bool = True) -> None:
        """From now on `new`, or a leaf of it, stands for `old`."""
        self._plain[old] = self.mapping[old] = new
        if old not in self._points or (is_copy and self.b.block is None):
            return  # a copy that stands in no block will be copied again
        if not (isinstance(new, BlockArgument) and new.owner is self.b.block):
            leaf = self.b.leaf(new).value
            leaf.hint, self.mapping[old] = old.hint, leaf

    def _copy(self, op: Op) -> None:
        if isinstance(op, Control) and self.names and _has_open_sizes(op):
            made = self._control(op)
        else:
            made = self._plainly(op)
            self.b.insert(made)
        for old, new in zip(op.results, self._results(op, made)):
            new.hint = name_of(old.hint)
            self._take(old, new)

    def _results(self, op: Op, made: Op) -> Sequence[Value]:
        """What a copy gives; in a loop with the sizes that an op in Python says, for only those can be stacked."""
        if not isinstance(op, Call) or not self.names or self.b.block is self._entry:
            return made.results
        found = Copier.sizes_of_call(op)
        if found is None:
            return made.results
        operands, results, sized = found
        self.mapping.update(zip([*operands, *results], [*map(self._new, op.operands), *made.results]))
        for one in makers_of(sized, self.mapping.__contains__):
            self._copy(one)
        return [self._new(value) for value in sized]

    def _plainly(self, op: Op) -> Op:
        """A copy of an op outside of loops and branches."""
        if isinstance(op, Vjp):
            values = self._starts(op)
            return _created(op, self.mapping, None, values=values, cotangents=self._like(op.cotangents, values))
        if isinstance(op, Jvp):
            return _created(op, self.mapping, None, tangents=self._like(op.tangents, list(map(self._new, op.wrt))))
        return self._retyped(op) if self._is_changed(op) else op.clone(self._outer(op))

    def _starts(self, op: Vjp) -> list[Value]:
        """The values of a derivative with ends: it starts in front of the leaf that is one of them."""
        ends = set(op.constants)
        return [self._plain[value] if value in ends and value in self._plain else self._new(value) for value in op.values]

    def _like(self, values: Sequence[Value], others: Sequence[Value]) -> list[Value]:
        """Tangents or adjoints, with what is known of the sizes of the values that they belong to."""
        pairs = zip(map(self._new, values), others)
        return [value if value.type is x.type else specified(self.b, value, x.type).value for value, x in pairs]  # type: ignore[arg-type]

    def _is_changed(self, op: Op) -> bool:
        """An operand has another type, or is a size that is known now."""
        if any(self._new(value).type is not value.type for value in captured(op)):
            return True
        return isinstance(op, Sized) and any(self._known_size(self._new(size)) is not None for size in op.sizes)

    def _new(self, value: Value) -> Value:
        return self.mapping.get(value, value)

    def _outer(self, op: Op) -> dict[Any, Any]:
        """The mapping for the operands of an op, and a copy of it for those of its regions."""
        return dict(self.mapping) if op.regions else self.mapping

    # --- other types -------------------------------------------------------------------------------------------------

    def _retyped(self, op: Op) -> Op:
        """A copy with the result types that the new operands give.

        Where names of sizes do not fit together, though the sizes may, operands forget them: one name, if that is enough,
        of the last operand first.
        """
        mapping = self._outer(op)
        if not op.regions and (isinstance(op, (Sized, Cast, Bitcast)) or type(op).infer is not Op.infer):
            try:
                return self._inferred(op, mapping)
            except VerifyError:
                if (made := self._without_some_names(op, mapping)) is None:
                    raise
                return made
        forgetful = dict(mapping)
        for value in dict.fromkeys(captured(op)):
            if (new := self._new(value)).type is not value.type:
                forgetful[value] = specified(self.b, new, value.type).value  # type: ignore[arg-type]
        return op.clone(forgetful)

    def _without_some_names(self, op: Op, mapping: dict[Any, Any]) -> Op | None:
        """The copy with open sizes in the place of the fewest names."""
        kinds: tuple[Any, ...] = (AffineExpr,)
        if isinstance(op, Sized) and any(isinstance(self._known_size(self._new(size)), AffineExpr) for size in op.sizes):
            kinds = (AffineExpr, int)  # a number may be the size that a name stands for
        named = [(v, axis) for v in reversed(op.operands) for axis in _axes_of(mapping.get(v, v).type, kinds)]
        for few in [*([one] for one in named), *(named[:count] for count in range(2, len(named) + 1))]:
            forgetful = dict(mapping)
            for value in dict.fromkeys(value for value, _ in few):
                new = mapping.get(value, value)
                axes = [axis for other, axis in few if other is value]
                shape = [DYNAMIC if axis in axes else dim for axis, dim in enumerate(new.type.shape)]
                forgetful[value] = specified(self.b, new, new.type.with_shape(shape)).value
            try:
                return self._inferred(op, forgetful)
            except VerifyError:
                continue
        return None

    def _inferred(self, op: Op, mapping: dict[Any, Any]) -> Op:
        if isinstance(op, Sized):
            return self._sized(op, mapping)
        if isinstance(op, (Cast, Bitcast)):
            type = mapping[op.x].type
            return _created(op, mapping, [type.with_element(op.results[0].type.element)])  # type: ignore[attr-defined]
        return _created(op, mapping, None)

    def _sized(self, op: Sized, mapping: dict[Any, Any]) -> Op:
        """A copy with a written result type, in which sizes that are known now are numbers or names."""
        sizes = iter(op.sizes)
        kept: list[Value] = []
        shape: list[Dim] = []
        for dim in op.result_type.shape:
            if dim is DYNAMIC:
                size = mapping.get(value := next(sizes), value)
                known = self._known_size(size)
                if known is None:
                    kept.append(size)
                dim = DYNAMIC if known is None else known
            shape.append(dim)
        made = _created(op, mapping, [op.result_type.with_shape(shape)], sizes=kept)
        made.verify_shape()  # type: ignore[attr-defined]
        return made

    def _known_size(self, size: Value) -> Dim | None:
        """The number or name that an index value is; in a loop it gets one."""
        known = _known_size(size)
        if known is not None or self.b.block is self._entry or not self.names:
            return known
        dim = self._sizes.of(size)
        return None if dim is DYNAMIC else dim

    # --- loops and branches ------------------------------------------------------------------------------------------

    def _control(self, op: Op) -> Op:
        """A copy of an op with regions, whose inner types follow from what comes in."""
        points = {}
        for value in dict.fromkeys(captured(op)):
            new = self._new(value)
            if isinstance(new.type, TensorType) and DYNAMIC in new.type.shape:
                self.mapping[value] = self._named(new)
                if value in self._points:
                    points[value] = new
        operands = [self._new(value) for value in op.operands]
        if isinstance(op, Scan):
            self._give_one_length(operands, len(op.inits))
        regions, types = self._regions(op, operands)
        self.mapping.update(points)  # a derivative is taken by the value itself
        copy = object.__new__(type(op))
        Op.__init__(copy, operands, types, op.properties, op.attributes, regions, (), op.location)
        if isinstance(op, Scan):
            for stack in copy.results[len(op.inits) :]:
                if DYNAMIC in stack.type.shape[1:]:  # type: ignore[attr-defined]
                    message = f"{op.name}: what is stacked must have sizes that are known before the loop, got {stack.type}"
                    raise VerifyError(message, op.location, hint="T.specify_shape says them")
        return self.b.insert(copy)

    def _give_one_length(self, operands: list[Value], first: int) -> None:
        """Gives sequences whose sizes along axis 0 have several names that of the first one; run time compares them."""
        for i, value in enumerate(operands[first + 1 :], first + 1):
            length, type = operands[first].type.shape[0], value.type  # type: ignore[attr-defined]
            if merge_dims(length, type.shape[0]) is None:  # type: ignore[attr-defined]
                operands[i] = specified(self.b, value, type.with_shape((length, *type.shape[1:]))).value  # type: ignore[attr-defined]

    def _regions(self, op: Op, operands: Sequence[Value]) -> tuple[list[Region], list[Any]]:
        """Copies of the regions, and the types of the results."""
        carried = [] if isinstance(op, If) else [v.type for v in operands[: len(getattr(op, "inits", ()))]]
        elements = [v.type.with_shape(v.type.shape[1:]) for v in operands[len(carried) :]] if isinstance(op, Scan) else []  # type: ignore[attr-defined]
        blocks, yields = [], []
        for region in op.regions:
            old = region.block
            block = Block([*carried, *elements][: len(old.arguments)])
            for argument, copy in zip(old.arguments, block.arguments):
                copy.hint, self.mapping[argument] = argument.hint, copy
            with self._inside(block):
                inner = list(old)
                self._points |= points_of(inner)
                for one in inner[:-1]:
                    self._copy(one)
                yields.append([self._new(value) for value in inner[-1].operands])
            blocks.append((block, inner[-1]))
        return self._ended(op, blocks, yields, carried, operands)

    def _ended(
        self, op: Op, blocks: Sequence[tuple[Block, Op]], yields: Sequence[list[Value]], carried: Sequence[Any],
        operands: Sequence[Value],
    ) -> tuple[list[Region], list[Any]]:  # fmt: skip
        """The regions with their ends, and the types of the results."""
        wanted = list(carried)
        for i in range(len(carried), len(yields[-1])):
            wanted.append(_common_type([values[i].type for values in yields if len(values) > i]))
        for (block, end), values in zip(blocks, yields):
            types = wanted if len(values) == len(wanted) else [value.type for value in values]  # a condition is as it is
            with self._inside(block):
                fitted = [value if value.type is t else specified(self.b, value, t).value for value, t in zip(values, types)]
                self.b.op(Yield, fitted, result_types=[], location=end.location)
        if isinstance(op, Scan):
            length: Dim = DYNAMIC
            for value in operands[len(carried) :]:
                length = merge_dims(length, value.type.shape[0]) or length  # type: ignore[attr-defined]
            wanted = [*carried, *(t.with_shape((length, *t.shape)) for t in wanted[len(carried) :])]
        return [Region([block]) for block, _ in blocks], wanted

    @contextmanager
    def _inside(self, block: Block) -> Iterator[None]:
        with self.b.at(block):
            yield

    def _named(self, value: Value) -> Value:
        """The value with names for its open sizes."""
        type: Any = value.type
        shape = [self._sizes.of_axis(value, axis) if dim is DYNAMIC else dim for axis, dim in enumerate(type.shape)]
        named = type.with_shape(shape)
        return value if named is type else specified(self.b, value, named).value


def points_of(ops: Iterable[Op]) -> set[Value]:
    """The values that derivatives among the ops are taken by, or that end them."""
    found: set[Value] = set()
    for op in ops:
        if isinstance(op, (Derivative, Jacobian)):
            found.update(op.wrt)
        if isinstance(op, Vjp):
            found.update(op.constants)
    return found


def _has_open_sizes(op: Op) -> bool:
    values = [*captured(op), *op.results, *(a for region in op.regions for block in region.blocks for a in block.arguments)]
    return any(isinstance(value.type, TensorType) and DYNAMIC in value.type.shape for value in values)


def _axes_of(type: Any, kinds: tuple[Any, ...]) -> list[int]:
    """The axes whose sizes are of these kinds."""
    shape = type.shape if isinstance(type, TensorType) else ()
    return [axis for axis, dim in enumerate(shape) if isinstance(dim, kinds)]


def _common_type(types: Sequence[Any]) -> Any:
    """The type that values of these types can all have."""
    first = types[0]
    if all(type is first for type in types):
        return first
    shapes = zip(*(type.shape for type in types))
    return first.with_shape([dims[0] if all(dim == dims[0] for dim in dims) else DYNAMIC for dims in shapes])


def _created(op: Op, mapping: dict[Any, Any], types: Sequence[Any] | None, **groups: Any) -> Op:
    """The op on new operands. groups: operands by the name of their field instead of those mapped."""
    operands = []
    for field in op.definition.operands:
        given = getattr(op, field.name)
        if field.name in groups:
            operands.append(groups[field.name])
        elif given is None or isinstance(given, Value):
            operands.append(mapping.get(given, given))
        else:
            operands.append([mapping.get(value, value) for value in given])
    facts: dict[str, Any] = {name: value for name, value in op.properties.items() if name != OPERAND_SEGMENTS}
    return create(type(op), *operands, result_types=types, attributes=op.attributes, location=op.location, **facts)


def _known_size(value: Value) -> Dim | None:
    """The number or name that an index value is."""
    op = value.op
    if isinstance(op, DimOp):
        dim = op.x.type.shape[op.axis]
        return None if dim is DYNAMIC else dim
    if isinstance(op, ToIndex):
        return _known_number(op.x)
    return None


def _known_number(value: Value) -> Dim | None:
    op = value.op
    if isinstance(op, Op) and isinstance(op, ConstantLike) and isinstance(number := op.properties.get("value"), DenseAttr):
        return int(number.numpy().reshape(-1)[0])
    if isinstance(op, Cast):
        return _known_size(op.x) if not isinstance(op.x.type, TensorType) else _known_number(op.x)
    return None
