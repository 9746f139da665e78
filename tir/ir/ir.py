"""Values, ops, blocks and regions: the structure that every level shares.

An op uses values, makes values and may hold regions; a region is a list of blocks; a block is a list of ops that ends in
a terminator. Uses are linked to their value and ops to their neighbours, so insertion, erasure and replacement of one
thing cost O(1). Nothing here knows an op by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tir.ir.attributes import Attribute
from tir.ir.errors import UNKNOWN, Location
from tir.ir.fields import OpDefinition, define
from tir.ir.types import Type

__all__ = ["Block", "BlockArgument", "Op", "OpResult", "Region", "UnregisteredOp", "Use", "Value", "clone_into", "signature"]

_NO_ATTRIBUTES: Mapping[str, Attribute] = {}


class Use:
    """One operand slot: `owner.operands[index]` is `value`."""

    __slots__ = ("value", "owner", "index", "_next", "_previous")

    def __init__(self, value: Value, owner: Op, index: int) -> None:
        # A hot path: `_link` in place.
        self.value, self.owner, self.index = value, owner, index
        self._previous: Use | None = None
        self._next = following = value._first_use
        if following is not None:
            following._previous = self
        value._first_use = self

    def _link(self, value: Value) -> None:
        self.value = value
        self._previous = None
        self._next = value._first_use
        if self._next is not None:
            self._next._previous = self
        value._first_use = self

    def unlink(self) -> None:
        """Takes the use out of its value's list."""
        if self._previous is None:
            self.value._first_use = self._next
        else:
            self._previous._next = self._next
        if self._next is not None:
            self._next._previous = self._previous

    def set(self, value: Value) -> None:
        """Uses `value` from now on."""
        self.unlink()
        self._link(value)


class Value:
    """What an op computes or a block receives. `hint` is the name it had in the text."""

    __slots__ = ("type", "hint", "_first_use")

    def __init__(self, type: Type, hint: str | None = None) -> None:
        self.type = type
        self.hint = hint
        self._first_use: Use | None = None

    @property
    def uses(self) -> list[Use]:
        """The uses, the newest first."""
        found, use = [], self._first_use
        while use is not None:
            found.append(use)
            use = use._next
        return found

    def each_use(self) -> Iterator[Use]:
        """The same one by one, for who wants to know of a few: a value may have very many."""
        use = self._first_use
        while use is not None:
            yield use
            use = use._next

    @property
    def users(self) -> list[Op]:
        """The ops that use the value, each once, in no promised order."""
        return list(dict.fromkeys(use.owner for use in self.uses))

    @property
    def is_used(self) -> bool:
        return self._first_use is not None

    @property
    def has_one_use(self) -> bool:
        return self._first_use is not None and self._first_use._next is None

    @property
    def op(self) -> Op | None:
        """The op that makes the value; None for a block argument."""
        return None

    @property
    def block(self) -> Block | None:
        """The block in which the value is defined."""
        raise AssertionError

    def is_made_inside(self, op: Op) -> bool:
        """The value comes from a region of the op."""
        around = self.block.parent_op if self.block is not None else None
        return around is not None and around.is_inside(op)

    def replace_all_uses_with(self, other: Value) -> None:
        """Each use of this value becomes a use of `other`."""
        assert other is not self
        while self._first_use is not None:
            self._first_use.set(other)

    def replace_uses_if(self, other: Value, condition: Callable[[Use], bool]) -> None:
        """The uses for which `condition` holds become uses of `other`."""
        for use in self.uses:
            if condition(use):
                use.set(other)


class OpResult(Value):
    """Result number `index` of `owner`."""

    __slots__ = ("owner", "index")

    def __init__(self, type: Type, owner: Op, index: int, hint: str | None = None) -> None:
        # A hot path: `Value.__init__` in place.
        self.type, self.hint, self._first_use = type, hint, None
        self.owner, self.index = owner, index

    @property
    def op(self) -> Op:
        return self.owner

    @property
    def block(self) -> Block | None:
        return self.owner.parent


class BlockArgument(Value):
    """Argument number `index` of block `owner`."""

    __slots__ = ("owner", "index", "location")

    def __init__(self, type: Type, owner: Block, index: int, hint: str | None = None) -> None:
        super().__init__(type, hint)
        self.owner, self.index = owner, index
        self.location: Location = UNKNOWN

    @property
    def block(self) -> Block:
        return self.owner


class _OpType(type):
    """Gives each op class its definition, and no instance dictionary."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _OpType:
        body.setdefault("__slots__", ())
        cls = super().__new__(mcs, name, bases, body)
        cls.definition = define(cls)  # type: ignore[attr-defined, arg-type]
        return cls


class Op(metaclass=_OpType):
    """An operation. Subclasses declare operands, results, attributes and regions (`define.py`).

    properties: the declared (inherent) attributes; attributes: any others, with dotted names (`tir.name`).
    """

    __slots__ = (
        "_uses", "results", "_properties", "_attributes", "regions", "successors",
        "parent", "previous", "next", "location", "_order",
    )  # fmt: skip

    name: ClassVar[str] = ""
    definition: ClassVar[OpDefinition]
    verify_looks_around: ClassVar[bool] = False  # `verify` looks at more than types, attributes and the op's regions

    def __init__(
        self,
        operands: Sequence[Value] = (),
        result_types: Sequence[Type] = (),
        properties: Mapping[str, Attribute] | None = None,
        attributes: Mapping[str, Attribute] | None = None,
        regions: Sequence[Region] = (),
        successors: Sequence[Block] = (),
        location: Location = UNKNOWN,
    ) -> None:
        self._uses = [Use(value, self, i) for i, value in enumerate(operands)]
        self.results = tuple([OpResult(type, self, i) for i, type in enumerate(result_types)])
        self._properties: Mapping[str, Attribute] = properties or _NO_ATTRIBUTES
        self._attributes: Mapping[str, Attribute] = attributes or _NO_ATTRIBUTES
        self.regions = tuple(regions) if regions else ()
        for region in self.regions:
            assert region.parent is None, "the region belongs to another op"
            region.parent = self
        self.successors = tuple(successors) if successors else ()
        self.parent: Block | None = None
        self.previous: Op | None = None
        self.next: Op | None = None
        self.location = location
        self._order = 0

    # --- facts -----------------------------------------------------------------------------------------------------

    @property
    def operands(self) -> tuple[Value, ...]:
        return tuple([use.value for use in self._uses])

    def operand(self, index: int) -> Value:
        """Operand number `index`."""
        return self._uses[index].value

    @property
    def properties(self) -> Mapping[str, Attribute]:
        """Inherent attributes; read only, shared with other ops: change by `set_property`."""
        return self._properties

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """Discardable attributes; read only: change by `set_attribute`."""
        return self._attributes

    @property
    def result(self) -> OpResult:
        """The only result."""
        assert len(self.results) == 1, f"{self.name} has {len(self.results)} results"
        return self.results[0]

    @property
    def region(self) -> Region:
        """The only region."""
        assert len(self.regions) == 1, f"{self.name} has {len(self.regions)} regions"
        return self.regions[0]

    @property
    def body(self) -> Block:
        """The only block of the only region."""
        return self.region.block

    @property
    def parent_op(self) -> Op | None:
        """The op that holds the region in which this op stands."""
        region = self.parent.parent if self.parent is not None else None
        return region.parent if region is not None else None

    @property
    def is_used(self) -> bool:
        """Some result has a use."""
        for result in self.results:
            if result._first_use is not None:
                return True
        return False

    def ancestors(self) -> Iterator[Op]:
        """The ops around this one, the nearest first."""
        op = self.parent_op
        while op is not None:
            yield op
            op = op.parent_op

    @property
    def root(self) -> Op:
        """The outermost op around this one, or the op itself: the module, as a rule."""
        return [self, *self.ancestors()][-1]

    def is_inside(self, other: Op) -> bool:
        """`other` is this op or one around it."""
        return other is self or any(op is other for op in self.ancestors())

    # --- change ----------------------------------------------------------------------------------------------------

    def set_operand(self, index: int, value: Value) -> None:
        self._uses[index].set(value)

    def set_operands(self, values: Sequence[Value]) -> None:
        """Uses these operands instead."""
        for use in self._uses:
            use.unlink()
        self._uses = [Use(value, self, i) for i, value in enumerate(values)]

    def set_property(self, name: str, value: Attribute | None) -> None:
        """Sets the inherent attribute, or removes it for None."""
        self._properties = _with_entry(self._properties, name, value)

    def set_attribute(self, name: str, value: Attribute | None) -> None:
        """Sets the discardable attribute, or removes it for None."""
        self._attributes = _with_entry(self._attributes, name, value)

    def set_results(self, types: Sequence[Type]) -> None:
        """Gives an op without results its results; for builders that infer the types from the op."""
        assert not self.results
        self.results = tuple([OpResult(type, self, i) for i, type in enumerate(types)])

    def detach(self) -> None:
        """Takes the op out of its block; its operands stay used."""
        block = self.parent
        if block is None:
            return
        if self.previous is None:
            block.first = self.next
        else:
            self.previous.next = self.next
        if self.next is None:
            block.last = self.previous
        else:
            self.next.previous = self.previous
        self.parent = self.previous = self.next = None

    def erase(self) -> None:
        """Takes the op out and drops it with all that is inside; its results must not be used."""
        assert not self.is_used, f"{self.name} is still used"
        self.detach()
        self.drop_uses()

    def drop_uses(self) -> None:
        """The op and those inside it use nothing any more."""
        for op in self.walk():
            for use in op._uses:
                use.unlink()
            op._uses = []
            op.successors = ()

    def replace_with(self, values: Sequence[Value]) -> None:
        """Uses of the results become uses of `values`, and the op is erased. Name hints move on."""
        assert len(values) == len(self.results)
        for old, new in zip(self.results, values):
            if new.hint is None:
                new.hint = old.hint
            old.replace_all_uses_with(new)
        self.erase()

    def hand_over(self, values: Sequence[OpResult]) -> None:
        """The ops that make `values`, of the same types, make this op's results from now on, and the op is erased.

        The results stay the objects that they are, for those who hold them; `values` are no more.
        """
        assert len(values) == len(self.results)
        for old, new in zip(self.results, values):
            assert new.type is old.type
            new.replace_all_uses_with(old)
            maker, index = new.owner, new.index
            maker.results = (*maker.results[:index], old, *maker.results[index + 1 :])
            old.owner, old.index, old.hint = maker, index, old.hint or new.hint
        self.results = ()
        self.erase()

    def move_before(self, other: Op) -> None:
        """Moves the op in front of `other`."""
        self.detach()
        assert other.parent is not None
        other.parent.insert_before(other, self)

    # --- walks -----------------------------------------------------------------------------------------------------

    def walk(self) -> Iterator[Op]:
        """This op and all inside it, each before what it holds, in the order of the text.

        The op at hand may be erased or replaced by the caller; the rest of the structure must stay.
        """
        pending: list[Op] = [self]
        while pending:
            op = pending.pop()
            for region in reversed(op.regions):
                for block in reversed(region.blocks):
                    pending.extend(block.reversed_ops())
            yield op

    def clone(self, mapping: dict[Any, Any] | None = None) -> Op:
        """A copy with all inside it. `mapping` gives new values for old ones, and is filled with those of the copy."""
        return clone_into(self, {} if mapping is None else mapping)

    # --- what subclasses may say -----------------------------------------------------------------------------------

    def infer(self) -> Sequence[Type]:
        """The result types, from the types of the operands and the attributes. The builder and the verifier use it."""
        if not self.definition.results:
            return ()
        raise TypeError(f"{self.name}: the result types must be given")

    def verify(self) -> None:
        """Raises VerifyError for what the declaration cannot say. See `verify_looks_around`."""

    def __repr__(self) -> str:
        return f"<{self.name} at {self.location}>"


class UnregisteredOp(Op):
    """An op that no dialect knows, in generic form."""

    __slots__ = ("op_name",)
    op_name: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.op_name


class Block:
    """Arguments, ops and the region it stands in."""

    __slots__ = ("arguments", "first", "last", "parent", "hint", "_ordered")

    def __init__(self, argument_types: Iterable[Type] = (), hint: str | None = None) -> None:
        self.arguments: list[BlockArgument] = [BlockArgument(t, self, i) for i, t in enumerate(argument_types)]
        self.first: Op | None = None
        self.last: Op | None = None
        self.parent: Region | None = None
        self.hint = hint
        self._ordered = True

    def __iter__(self) -> Iterator[Op]:
        """The ops in order; the op at hand may be erased."""
        op = self.first
        while op is not None:
            following = op.next
            yield op
            op = following

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def ops(self) -> list[Op]:
        """The ops as a list."""
        return list(self)

    def reversed_ops(self) -> Iterator[Op]:
        """The ops from the last to the first; the op at hand may be erased."""
        op = self.last
        while op is not None:
            before = op.previous
            yield op
            op = before

    @property
    def terminator(self) -> Op:
        """The last op."""
        assert self.last is not None, "the block is empty"
        return self.last

    @property
    def parent_op(self) -> Op | None:
        return self.parent.parent if self.parent is not None else None

    def append(self, op: Op) -> Op:
        """Puts the op at the end."""
        assert op.parent is None
        op.parent = self
        op.previous = last = self.last
        if last is None:
            self.first = op
            op._order = 0
        else:
            last.next = op
            op._order = last._order + 1
        self.last = op
        return op

    def insert_before(self, anchor: Op | None, op: Op) -> Op:
        """Puts the op in front of `anchor`; at the end for None."""
        if anchor is None:
            return self.append(op)
        assert op.parent is None and anchor.parent is self
        op.parent, op.next, op.previous = self, anchor, anchor.previous
        if anchor.previous is None:
            self.first = op
        else:
            anchor.previous.next = op
        anchor.previous = op
        self._ordered = False
        return op

    def add_argument(self, type: Type, hint: str | None = None) -> BlockArgument:
        """A new last argument."""
        argument = BlockArgument(type, self, len(self.arguments), hint)
        self.arguments.append(argument)
        return argument

    def erase_argument(self, index: int) -> None:
        """Removes an argument that is not used."""
        assert not self.arguments[index].is_used
        del self.arguments[index]
        for i, argument in enumerate(self.arguments):
            argument.index = i

    def is_before(self, first: Op, second: Op) -> bool:
        """`first` stands before `second`; both stand in this block."""
        if not self._ordered:
            for i, op in enumerate(self):
                op._order = i
            self._ordered = True
        return first._order < second._order


class Region:
    """A list of blocks; the first is the entry."""

    __slots__ = ("blocks", "parent")

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self.blocks: list[Block] = []
        self.parent: Op | None = None
        for block in blocks:
            self.append(block)

    @property
    def block(self) -> Block:
        """The only block."""
        assert len(self.blocks) == 1, f"the region has {len(self.blocks)} blocks"
        return self.blocks[0]

    def append(self, block: Block) -> Block:
        """Puts the block at the end."""
        assert block.parent is None
        block.parent = self
        self.blocks.append(block)
        return block

    def take_blocks(self) -> list[Block]:
        """The blocks, taken out of the region."""
        blocks, self.blocks = self.blocks, []
        for block in blocks:
            block.parent = None
        return blocks


def signature(op: Op) -> tuple[Any, ...]:
    """The types and attributes of an op, for a table by class: of ops with equal signatures most facts are the same."""
    uses, results, properties, attributes = op._uses, op.results, op._properties, op._attributes
    count = len(uses)
    types: Any
    if count == 2:  # a hot path: most ops have one or two operands and one result
        types = uses[0].value.type, uses[1].value.type
    elif count == 1:
        types = uses[0].value.type
    else:
        types = tuple([use.value.type for use in uses])
    return (
        types,
        results[0].type if len(results) == 1 else tuple([result.type for result in results]),
        tuple(properties.items()) if properties else None,
        tuple(attributes.items()) if attributes else None,
    )


def _with_entry(entries: Mapping[str, Attribute], name: str, value: Attribute | None) -> Mapping[str, Attribute]:
    changed = dict(entries)
    if value is None:
        changed.pop(name, None)
    else:
        changed[name] = value
    return changed


def clone_into(root: Op, mapping: dict[Any, Any]) -> Op:
    """A copy of `root` and all inside it.

    mapping: old value or block -> new one; values from outside that are missing in it are used as they are.
    """
    forward: list[tuple[Op, int, Value]] = []  # operands that are copied later (only in graph-like or cfg regions)
    copy = _shallow_clone(root, mapping, forward)
    pending = [(root, copy)]
    while pending:
        old, new = pending.pop()
        for old_region, new_region in zip(old.regions, new.regions):
            for old_block, new_block in zip(old_region.blocks, new_region.blocks):
                for op in old_block:
                    inner = _shallow_clone(op, mapping, forward)
                    new_block.append(inner)
                    if op.regions:
                        pending.append((op, inner))
    for op, index, value in forward:
        if value in mapping:
            op.set_operand(index, mapping[value])
    return copy


def _shallow_clone(op: Op, mapping: dict[Any, Any], forward: list[tuple[Op, int, Value]]) -> Op:
    """A copy of the op with empty copies of its blocks."""
    regions = [Region(_empty_clone(block, mapping) for block in region.blocks) for region in op.regions]
    operands = [mapping.get(value, value) for value in op.operands]
    successors = [mapping.get(block, block) for block in op.successors]
    copy = object.__new__(type(op))
    Op.__init__(
        copy, operands, [r.type for r in op.results], op.properties, op.attributes, regions, successors, op.location
    )
    if isinstance(op, UnregisteredOp):
        copy.op_name = op.op_name  # type: ignore[attr-defined]
    for old, new in zip(op.results, copy.results):
        new.hint = old.hint
        mapping[old] = new
    forward.extend((copy, i, value) for i, value in enumerate(op.operands) if value not in mapping)
    return copy


def _empty_clone(block: Block, mapping: dict[Any, Any]) -> Block:
    copy = Block([a.type for a in block.arguments], block.hint)
    mapping[block] = copy
    for old, new in zip(block.arguments, copy.arguments):
        new.hint, new.location = old.hint, old.location
        mapping[old] = new
    return copy
