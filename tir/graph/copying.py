"""Copies of what values are computed by, with other values in the place of some.

    copier = Copier(builder, {x.value: argument})
    cost, = copier.copy([cost.value])

Where a new value has other sizes in its type than the old one, the types of what follows are inferred again. A value that
a derivative is taken by gets a `tir.leaf`, which everything uses from there on. What comes into a loop or a branch gets
names for its open sizes (`tir.name_size`), since a loop stacks only what has sizes that are known before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tir.dialects.tir.base import Sized, merge_dims
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.control import Control, If, Scan, Yield
from tir.dialects.tir.effects import NameSize
from tir.dialects.tir.jacobian import Jacobian
from tir.dialects.tir.logic import Bitcast, Cast
from tir.dialects.tir.shape import DimOp, ToIndex
from tir.dialects.tir.state import Derivative, Vjp
from tir.graph.graph import captured, makers_of
from tir.graph.shape import specified
from tir.ir.affine import AffineExpr, AffineName
from tir.ir.attributes import DenseAttr
from tir.ir.define import create
from tir.ir.errors import VerifyError
from tir.ir.fields import OPERAND_SEGMENTS
from tir.ir.ir import Block, BlockArgument, Op, Region, Value
from tir.ir.traits import ConstantLike
from tir.ir.types import DYNAMIC, Dim, TensorType

__all__ = ["Copier", "name_of", "points_of"]


class Copier:
    """Copies ops to where the builder inserts. mapping: old value -> new one, which copies are added to.

    everything: also what depends on nothing in the mapping; without, that is used as it is. names: open sizes that come
    into loops and branches get names.
    """

    def __init__(
        self, b: TensorBuilder, mapping: dict[Any, Any], everything: bool = True, names: bool = True
    ) -> None:  # fmt: skip
        self.b, self.mapping, self.everything = b, mapping, everything
        self.names = names and not b.names_sizes_later
        self._entry = b.block
        self._plain: dict[Value, Value] = {}  # of a value that has a leaf the value in front of it
        self._points: set[Value] = set()
        self._names: dict[tuple[Value, int] | Value, AffineName] = {}

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
        for old, new in zip(op.results, made.results):
            new.hint = name_of(old.hint)
            self._take(old, new)

    def _plainly(self, op: Op) -> Op:
        """A copy of an op outside of loops and branches."""
        if isinstance(op, Vjp) and op.constants:
            return _created(op, self.mapping, None, values=self._starts(op))
        return self._retyped(op) if self._is_changed(op) else op.clone(self._outer(op))

    def _starts(self, op: Vjp) -> list[Value]:
        """The values of a derivative with ends: it starts in front of the leaf that is one of them."""
        ends = set(op.constants)
        return [self._plain[value] if value in ends and value in self._plain else self._new(value) for value in op.values]

    def _is_changed(self, op: Op) -> bool:
        """An operand has another type, or is a size that is known now."""
        if any(self._new(value).type is not value.type for value in captured(op)):
            return True
        return isinstance(op, Sized) and any(_known_size(self._new(size)) is not None for size in op.sizes)

    def _new(self, value: Value) -> Value:
        return self.mapping.get(value, value)

    def _outer(self, op: Op) -> dict[Any, Any]:
        """The mapping for the operands of an op, and a copy of it for those of its regions."""
        return dict(self.mapping) if op.regions else self.mapping

    # --- other types -------------------------------------------------------------------------------------------------

    def _retyped(self, op: Op) -> Op:
        """A copy with the result types that the new operands give.

        Where names of sizes do not fit together, though the sizes may, operands forget them, the last one first.
        """
        mapping = self._outer(op)
        if not op.regions and (isinstance(op, (Sized, Cast, Bitcast)) or type(op).infer is not Op.infer):
            mapping = dict(mapping)
            named = [v for v in reversed(op.operands) if _has_names(mapping.get(v, v).type)]
            while True:
                try:
                    return self._inferred(op, mapping)
                except VerifyError:
                    if not named:
                        raise
                    value = named.pop(0)
                    mapping[value] = specified(self.b, mapping.get(value, value), _without_names(mapping[value].type)).value
        forgetful = dict(mapping)
        for value in dict.fromkeys(captured(op)):
            if (new := self._new(value)).type is not value.type:
                forgetful[value] = specified(self.b, new, value.type).value  # type: ignore[arg-type]
        return op.clone(forgetful)

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
                known = _known_size(size)
                if known is None:
                    kept.append(size)
                dim = DYNAMIC if known is None else known
            shape.append(dim)
        made = _created(op, mapping, [op.result_type.with_shape(shape)], sizes=kept)
        made.verify_shape()  # type: ignore[attr-defined]
        return made

    # --- loops and branches ------------------------------------------------------------------------------------------

    def _control(self, op: Op) -> Op:
        """A copy of an op with regions, whose inner types follow from what comes in."""
        for value in dict.fromkeys(captured(op)):
            new = self._new(value)
            if isinstance(new.type, TensorType) and DYNAMIC in new.type.shape:
                self.mapping[value] = self._named(new)
        operands = [self._new(value) for value in op.operands]
        regions, types = self._regions(op, operands)
        copy = object.__new__(type(op))
        Op.__init__(copy, operands, types, op.properties, op.attributes, regions, (), op.location)
        if isinstance(op, Scan):
            for stack in copy.results[len(op.inits) :]:
                if DYNAMIC in stack.type.shape[1:]:  # type: ignore[attr-defined]
                    message = f"{op.name}: what is stacked must have sizes that are known before the loop, got {stack.type}"
                    raise VerifyError(message, op.location, hint="T.specify_shape says them")
        return self.b.insert(copy)

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
        """The value with names for its open sizes; in a region as it is."""
        type: Any = value.type
        if self.b.block is not self._entry:
            return value
        shape = [self._name(value, axis) if dim is DYNAMIC else dim for axis, dim in enumerate(type.shape)]
        return specified(self.b, value, type.with_shape(shape)).value

    def _name(self, value: Value, axis: int) -> AffineName:
        """The name of a size, which values that have it from one place share."""
        source = _source(value, axis)
        found = self._names.get(source)
        if found is None:
            size = source if isinstance(source, Value) else self.b.create(DimOp, source[0], axis=source[1])
            hint = None if isinstance(source, Value) else name_of(source[0].hint)
            base = f"{hint}_{axis}" if hint else f"n{len(self._names)}"
            taken = {str(name) for name in self._names.values()}
            label = base if base not in taken else f"{base}_{len(self._names)}"
            found = self._names[source] = AffineName(label)
            self.b.op(NameSize, size, label=label, result_types=[])
        return found


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


def _has_names(type: Any) -> bool:
    return isinstance(type, TensorType) and any(isinstance(dim, AffineExpr) for dim in type.shape)


def _without_names(type: TensorType) -> TensorType:
    return type.with_shape([DYNAMIC if isinstance(dim, AffineExpr) else dim for dim in type.shape])


def _common_type(types: Sequence[Any]) -> Any:
    """The type that values of these types can all have."""
    first = types[0]
    if all(type is first for type in types):
        return first
    shapes = zip(*(type.shape for type in types))
    return first.with_shape([dims[0] if all(dim == dims[0] for dim in dims) else DYNAMIC for dims in shapes])


def _source(value: Value, axis: int) -> tuple[Value, int] | Value:
    """Where a size comes from: an axis of another value, or a value of type index."""
    while True:
        op = value.op
        if isinstance(op, Cast):
            value = op.x
            continue
        if not isinstance(op, Sized) or op.result_type.shape[axis] is not DYNAMIC:
            return value, axis
        size = op.sizes[sum(dim is DYNAMIC for dim in op.result_type.shape[:axis])]
        if not isinstance(size.op, DimOp):
            return size
        value, axis = size.op.x, size.op.axis


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


def name_of(hint: str | None) -> str | None:
    """A name of a variable as a name in a text, which has letters, digits and underscores."""
    if hint is None or (hint.isidentifier() and hint.isascii()):
        return hint
    found = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in hint)
    return f"_{found}" if not found or found[0].isdigit() else found
