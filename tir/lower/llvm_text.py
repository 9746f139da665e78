"""The text of one LLVM module and of one function in it, while they are written.

`FunctionText` has the words that the lowering of every op uses: fresh names, instructions, blocks, phis, counted loops,
and the values that stand for tir's values. It knows no op.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from tir.ir.errors import Location, escape_controls, places_text
from tir.ir.externs import LibraryFunction
from tir.ir.ir import Block, Op, Value
from tir.ir.native import (
    NUMBERS,
    OUT_OF_MEMORY,
    TIMES,
    NativeAssert,
    NativeSignature,
    NativeTimer,
    open_sizes,
    open_strides,
)
from tir.ir.types import MemRefType, Type
from tir.lower.buffers import origins
from tir.lower.llvm_types import component_types, llvm_type, strides_of, suffix

__all__ = ["MOST_SLOTS_IN_REGISTERS", "FunctionText", "Loop", "Machine", "MemRef", "ModuleText", "Phi", "quoted"]

#: A function of more buffers leaves their slots in memory.
MOST_SLOTS_IN_REGISTERS = 32

_HINT = re.compile(r"[A-Za-z_][\w]{0,39}\Z", re.ASCII)
_PLAIN_NAME = re.compile(r"[-\w$.]+\Z", re.ASCII)


def quoted(name: str) -> str:
    """A global name as LLVM writes it."""
    return f"@{name}" if _PLAIN_NAME.match(name) else f'@"{name}"'


@dataclass(frozen=True)
class MemRef:
    """A memref value: a pointer to the first element; sizes and strides (in elements), each a number or a name."""

    type: MemRefType
    pointer: str
    sizes: tuple[str, ...]
    strides: tuple[str, ...]


Machine = Union[str, MemRef]  # noqa: UP007


@dataclass
class ModuleText:
    """What the functions of a module share."""

    signatures: dict[str, NativeSignature] = field(default_factory=dict)
    declarations: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)  # the text of functions that no one wrote in tir
    workspaces: list[str] = field(default_factory=list)  # the cells that keep the workspaces of functions
    globals: dict[str, str] = field(default_factory=dict)  # symbol of the memref.global -> name in the text
    asserts: list[NativeAssert] = field(default_factory=list)
    library: dict[str, LibraryFunction] = field(default_factory=dict)  # what declarations stand for
    written: dict[str, set[int]] = field(default_factory=dict)  # function -> positions of the buffers that it changes
    rounds_to_half: bool = False
    locations: bool = False  # comments say which lines of the program the instructions behind them come from
    clock: str = ""  # the intrinsic by which loop nests and calls are timed, if they are
    timers: list[NativeTimer] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    _group_lists: dict[str, str] = field(default_factory=dict)

    def declare(self, name: str, result: str, parameters: Sequence[str], attributes: str = "") -> None:
        """Makes sure that an outside function is declared."""
        returned = f"{attributes} {result}".strip()
        self.declarations.setdefault(name, f"declare {returned} @{name}({', '.join(parameters)})")

    def node(self, content: str, distinct: bool = False) -> str:
        """A new metadata node; `{self}` in the content is the node itself."""
        name = f"!{len(self.metadata)}"
        self.metadata.append(f"{name} = {'distinct ' if distinct else ''}!{{{content.replace('{self}', name)}}}")
        return name

    def group_list(self, groups: Sequence[str]) -> str:
        """The node that lists several access groups."""
        content = ", ".join(groups)
        found = self._group_lists.get(content)
        if found is None:
            found = self._group_lists[content] = self.node(content)
        return found


@dataclass
class Phi:
    """A phi whose incoming values are added as they become known."""

    name: str
    type: str
    incoming: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        pairs = ", ".join(f"[ {value}, %{label} ]" for value, label in self.incoming)
        return f"  {self.name} = phi {self.type} {pairs}"


@dataclass
class Loop:
    """A counted loop whose body is being written."""

    index: Phi
    carried: list[Phi]
    header: str
    done: str
    step: str
    is_unsigned: bool
    metadata: str

    @property
    def may_wrap(self) -> bool:
        """The counter may pass the largest number at its last step. One step of 1 ends at the bound at the latest, and an
        index would have to take 2^47 smaller ones."""
        if self.step == "1" or self.index.type == "i1":
            return False
        return self.index.type != "i64" or not self.step.isdigit() or int(self.step) >= 1 << 16


class FunctionText:
    """The body of one function: entry block, blocks, and one `cleanup` block at its end."""

    def __init__(self, module: ModuleText, rules: Mapping[str, Callable[[FunctionText, Any], Any]]) -> None:
        self.module = module
        self.rules = rules
        self.values: dict[Value, Machine] = {}
        self.label = "entry"
        self.stack_bytes = 0
        self.stack_buffers: set[Value] = set()
        self.slots: dict[Value, str] = {}  # value that is a new buffer -> the stack slot with its address
        self.labels: dict[Block, str] = {}
        self.block_phis: dict[Block, list[Phi]] = {}
        self.cyclic: set[Block] = set()  # blocks that can reach themselves
        self.result_pointers: list[str] = []
        self.exclusive: set[Value] = set()  # arguments whose memory is changed through nothing else
        self.numbers = quoted(NUMBERS)  # where the numbers of an assert that fails go
        self.lasting: set[Value] = set()  # arguments whose buffers outlive the call and must change all or not at all
        self.step = 0  # number of the op in the function's own block
        self.last_failure = -1  # step
        self.first_lasting_write: int | None = None  # step
        self._entry: list[str] = []
        self._lines: list[Any] = []  # str or Phi
        self._slot_names: list[str] = []
        self._kept: list[tuple[str, str]] = []  # slots, and what is called with the pointers in them at the end
        self._shared_slots: dict[str, str] = {}
        self._status = Phi("%status", "i32")
        self._said = ""  # the place that the last comment names
        self._groups: list[str] = []
        self._closure_bytes = 0
        self._apart: dict[Value, str] = {}  # what made a buffer -> what stands behind its accesses
        self._count = 0

    # --- names and instructions ------------------------------------------------------------------------------------

    def fresh(self, hint: str | None = None) -> str:
        """A name that nothing else has, with the `%`."""
        self._count += 1
        return f"%{hint if hint and _HINT.match(hint) else 'v'}.{self._count}"

    def fresh_label(self, hint: str) -> str:
        """The name of a block to come, without the `%`."""
        return self.fresh(hint)[1:]

    def emit(self, instruction: str) -> None:
        """An instruction without a result."""
        self._lines.append(f"  {instruction}")

    def assign(self, instruction: str, hint: str | None = None) -> str:
        """The name of the instruction's result."""
        name = self.fresh(hint)
        self._lines.append(f"  {name} = {instruction}")
        return name

    def call(self, name: str, result: str, arguments: Sequence[tuple[str, str]], flags: str = "") -> str:
        """The result of an intrinsic; arguments are (type, value)."""
        self.module.declare(name, result, [type for type, _ in arguments])
        text = ", ".join(f"{type} {value}" for type, value in arguments)
        return self.assign(f"call {flags}{result} @{name}({text})")

    def overloaded(self, name: str, type: str, arguments: Sequence[str], flags: str = "") -> str:
        """The result of an intrinsic whose arguments and result have one type, by which it is named."""
        return self.call(f"llvm.{name}.{suffix(type)}", type, [(type, argument) for argument in arguments], flags)

    def alloca(self, type: str, size_bytes: int, alignment: int, hint: str) -> str:
        """A pointer to stack memory that lasts until the function returns."""
        name = self.fresh(hint)
        self._entry.append(f"  {name} = alloca {type}, align {alignment}")
        self.stack_bytes += size_bytes + alignment
        return name

    def shared_slot(self, name: str, type: str) -> str:
        """Stack memory for a scalar that is used at once: one for all that ask by this name."""
        if name not in self._shared_slots:
            self._shared_slots[name] = self.alloca(type, 8, 8, "slot")
        return self._shared_slots[name]

    def come_to(self, location: Location) -> None:
        """What follows stands for an op from there: a comment says so, if that is wanted."""
        shown = places_text(location) if self.module.locations else ""
        if shown and shown != self._said:
            self._said = shown
            self._lines.append(f"  ; {escape_controls(shown)}")

    def start_timer(self) -> str:
        """Reads the clock; `stop_timer` takes what it gives."""
        return self.call(self.module.clock, "i64", [])

    def stop_timer(self, start: str, timer: NativeTimer) -> None:
        """Adds the time since then, and one run."""
        place = 2 * len(self.module.timers)
        self.module.timers.append(timer)
        ticks = self.assign(f"sub i64 {self.call(self.module.clock, 'i64', [])}, {start}")
        for i, more in enumerate((ticks, "1")):
            pointer = f"getelementptr (i64, ptr {quoted(TIMES)}, i64 {place + i})"
            total = self.assign(f"add i64 {self.assign(f'load i64, ptr {pointer}')}, {more}")
            self.emit(f"store i64 {total}, ptr {pointer}")

    # --- blocks ----------------------------------------------------------------------------------------------------

    def start(self, label: str) -> None:
        """Goes on in a new block."""
        self._lines.append(f"{label}:")
        self.label = label

    def branch(self, label: str) -> None:
        """Goes on with the block `label`."""
        self.emit(f"br label %{label}")

    def branch_if(self, condition: str, then: str, otherwise: str) -> None:
        """Goes on with one of two blocks."""
        self.emit(f"br i1 {condition}, label %{then}, label %{otherwise}")

    def new_phi(self, type: str, hint: str | None = None) -> Phi:
        """A phi that stands nowhere yet."""
        return Phi(self.fresh(hint), type)

    def place(self, phis: Sequence[Phi]) -> None:
        """Puts the phis at this place, the start of a block."""
        self._lines.extend(phis)

    def phi(self, type: str, hint: str | None = None) -> Phi:
        """A phi at this place."""
        phi = self.new_phi(type, hint)
        self.place([phi])
        return phi

    def leave(self, status: str) -> None:
        """Ends the function with this status."""
        self._status.incoming.append((status, self.label))
        self.branch("cleanup")

    def leave_unless(self, condition: str, status: int | str) -> None:
        """Ends the function with this status if the condition is false."""
        self.last_failure = self.step
        going_on = self.fresh_label("ok")
        self._status.incoming.append((str(status), self.label))
        self.branch_if(condition, going_on, "cleanup")
        self.start(going_on)

    def check(self, condition: str, message: str, location: Location, numbers: Sequence[str] = ()) -> None:
        """Ends the function with the status of this message if the condition is false.

        numbers: at most two i64 that the message is to say.
        """
        self.module.asserts.append(NativeAssert(message, location, len(numbers)))
        status = len(self.module.asserts)
        if not numbers:
            self.leave_unless(condition, status)
            return
        self.last_failure = self.step
        going_on, wrong = self.fresh_label("ok"), self.fresh_label("wrong")
        self.branch_if(condition, going_on, wrong)
        self.start(wrong)
        for place, number in enumerate(numbers):
            address = self.assign(f"getelementptr i64, ptr {self.numbers}, i64 {place}") if place else self.numbers
            self.emit(f"store i64 {number}, ptr {address}")
        self.leave(str(status))
        self.start(going_on)

    def slot(self, value: Value | None) -> str:
        """A new stack slot, null when the function starts; what it holds when the function ends is freed."""
        name = self.fresh("slot")
        self._entry += [f"  {name} = alloca ptr", f"  store ptr null, ptr {name}"]
        self._slot_names.append(name)
        if value is not None:
            self.slots[value] = name
        return name

    def keep_at_the_end(self, pointer: str, call: str) -> None:
        """The function ends with this call, whose place `{}` takes the pointer, or null if it ends before that is there."""
        slot = self.fresh("kept")
        self._entry += [f"  {slot} = alloca ptr", f"  store ptr null, ptr {slot}"]
        self.emit(f"store ptr {pointer}, ptr {slot}")
        self._kept.append((slot, call))

    # --- functions inside ------------------------------------------------------------------------------------------

    def function_inside(self) -> FunctionText:
        """A function for a part of this one: its parameter `%numbers` takes the numbers of an assert."""
        inside = FunctionText(self.module, self.rules)
        inside.numbers = "%numbers"
        inside.lasting, inside.exclusive, inside.step = self.lasting, self.exclusive, self.step
        inside.stack_buffers = set(self.stack_buffers)
        return inside

    def take_over(self, inside: FunctionText) -> None:
        """What this function does by the one that is a part of it."""
        if self.first_lasting_write is None:
            self.first_lasting_write = inside.first_lasting_write

    @property
    def can_fail(self) -> bool:
        """Something that has been written may end the function with a status."""
        return self.last_failure >= 0

    def room_for_closure(self, size_bytes: int) -> str:
        """Stack memory that is used until the next call: one for all."""
        self._closure_bytes = max(self._closure_bytes, size_bytes)
        return "%closure.room"

    # --- counted loops ---------------------------------------------------------------------------------------------

    def open_loop(
        self, lower: str, upper: str, step: str, carried: Sequence[tuple[str, str]] = (), type: str = "i64",
        relation: str = "slt", mark: str = "", hint: str | None = "i",
    ) -> Loop:  # fmt: skip
        """Opens `for i in range(lower, upper, step)`.

        carried: (type, first value) of what goes from trip to trip. mark: the metadata of a parallel loop.
        """
        before, header, body, done = self.label, *(self.fresh_label(w) for w in ("for", "body", "done"))
        self.branch(header)
        self.start(header)
        index = self.phi(type, hint)
        index.incoming.append((lower, before))
        phis = [self.phi(kind) for kind, _ in carried]
        for phi, (_, first) in zip(phis, carried):
            phi.incoming.append((first, before))
        more = self.assign(f"icmp {relation} {type} {index.name}, {upper}")
        self.branch_if(more, body, done)
        self.start(body)
        metadata = f", !llvm.loop {self.module.node(f'{{self}}, {mark}', distinct=True)}" if mark else ""
        return Loop(index, phis, header, done, step, relation == "ult", metadata)

    def close_loop(self, loop: Loop, carried: Sequence[str] = ()) -> None:
        """Ends the body with these values for the next trip, and goes on behind the loop."""
        type, index = loop.index.type, loop.index.name
        if loop.may_wrap:  # then it stays at the largest number, where no loop goes on
            following = self.overloaded(f"{'u' if loop.is_unsigned else 's'}add.sat", type, [index, loop.step])
        else:
            following = self.assign(f"add {'nuw' if loop.is_unsigned else 'nsw'} {type} {index}, {loop.step}")
        for phi, value in zip((loop.index, *loop.carried), (following, *carried)):
            phi.incoming.append((value, self.label))
        self.emit(f"br label %{loop.header}{loop.metadata}")
        self.start(loop.done)

    # --- numbers of type index -------------------------------------------------------------------------------------

    def add(self, a: str, b: str) -> str:
        """a + b, both index; nothing is emitted where a number will do."""
        if _is_number(a) and _is_number(b):
            return str(int(a) + int(b))
        if "0" in (a, b):
            return b if a == "0" else a
        return self.assign(f"add nsw i64 {a}, {b}")

    def multiply(self, a: str, b: str) -> str:
        """a * b, both index; nothing is emitted where a number will do."""
        if _is_number(a) and _is_number(b):
            return str(int(a) * int(b))
        if "0" in (a, b):
            return "0"
        if "1" in (a, b):
            return b if a == "1" else a
        return self.assign(f"mul nsw i64 {a}, {b}")

    def checked_product(self, a: str, b: str) -> str:
        """a * b, both unsigned; the function ends with OUT_OF_MEMORY if that is 2^64 or more."""
        pair, name = "{ i64, i1 }", "llvm.umul.with.overflow.i64"
        both = self.call(name, pair, [("i64", a), ("i64", b)])
        too_large = self.assign(f"extractvalue {pair} {both}, 1")
        self.leave_unless(self.assign(f"xor i1 {too_large}, true"), OUT_OF_MEMORY)
        return self.assign(f"extractvalue {pair} {both}, 0")

    # --- values ----------------------------------------------------------------------------------------------------

    def __getitem__(self, value: Value) -> str:
        """The name or constant that is a scalar or vector value."""
        found = self.values[value]
        assert isinstance(found, str), value
        return found

    def memref(self, value: Value) -> MemRef:
        """The pointer, sizes and strides that are a memref value."""
        found = self.values[value]
        assert isinstance(found, MemRef), value
        return found

    def typed(self, value: Value) -> str:
        """Type and name of a scalar or vector value."""
        return f"{llvm_type(value.type)} {self[value]}"

    def set(self, value: Value, machine: Machine) -> None:
        """From now on `machine` is the value."""
        self.values[value] = machine

    def give(self, op: Op, instruction: str) -> None:
        """The instruction computes the only result of the op."""
        self.values[op.results[0]] = self.assign(instruction, op.results[0].hint)

    def components(self, value: Value) -> list[str]:
        """The components of a value, for those of its type."""
        found = self.values[value]
        if isinstance(found, str):
            return [found]
        sizes = [found.sizes[axis] for axis in open_sizes(found.type)]
        return [found.pointer, *sizes, *(found.strides[axis] for axis in open_strides(found.type))]

    def of_components(self, type: Type, components: Sequence[str], location: Location | None = None) -> Machine:
        """The value that has these components; the opposite of `components`."""
        if not isinstance(type, MemRefType):
            return components[0]
        fixed = strides_of(type, location)
        rest = iter(components[1:])
        sizes = tuple(str(size) if isinstance(size, int) else next(rest) for size in type.shape)
        if type.layout is None:
            return MemRef(type, components[0], sizes, self.dense_strides(sizes))
        return MemRef(type, components[0], sizes, tuple(str(s) if isinstance(s, int) else next(rest) for s in fixed))

    def dense_strides(self, sizes: Sequence[str]) -> tuple[str, ...]:
        """The strides of a dense row-major buffer."""
        strides: list[str] = []
        stride = "1"
        for axis in reversed(range(len(sizes))):
            strides.append(stride)
            if axis:
                stride = self.multiply(stride, sizes[axis])
        return tuple(reversed(strides))

    def phis(self, type: Type, hint: str | None = None, location: Location | None = None) -> list[Phi]:
        """A phi for each component of a value of this type."""
        return [self.phi(kind, hint) for kind in component_types(type, location)]

    def of_phis(self, types: Sequence[Type], phis: Sequence[Phi], location: Location | None = None) -> list[Machine]:
        """The values of these types that the phis are, flat and in order; only behind the last phi of the block."""
        rest = iter(phis)
        return [
            self.of_components(type, [next(rest).name for _ in component_types(type, location)], location) for type in types
        ]

    def flat_types(self, types: Sequence[Type], location: Location | None = None) -> list[str]:
        """The component types of values of these types."""
        return [component for type in types for component in component_types(type, location)]

    def flat(self, values: Sequence[Value]) -> list[str]:
        """The components of these values."""
        return [component for value in values for component in self.components(value)]

    # --- parallel loops --------------------------------------------------------------------------------------------

    def open_group(self) -> str:
        """Memory accesses from here on are independent between the iterations of loops with the mark that it gives."""
        group = self.module.node("", distinct=True)
        self._groups.append(group)
        return self.module.node(f'!"llvm.loop.parallel_accesses", {group}')

    def close_group(self) -> None:
        """The opposite of `open_group`."""
        self._groups.pop()

    def keep_apart(self, groups: Sequence[Collection[Value]]) -> None:
        """Buffers that values of different groups made have no memory in common."""
        domain = self.module.node("{self}", distinct=True)
        scopes = [self.module.node(f"{{self}}, {domain}", distinct=True) for _ in groups]
        for scope, group in zip(scopes, groups):
            others = [other for other in scopes if other != scope]
            facts = f", !alias.scope {self.module.node(scope)}"
            facts += f", !noalias {self.module.node(', '.join(others))}" if others else ""
            self._apart.update(dict.fromkeys(group, facts))

    def access(self, memref: Value) -> str:
        """What stands behind a load or store of an element of `memref`."""
        return self._group_of(memref) + self._scope_of(memref)

    def _scope_of(self, memref: Value) -> str:
        facts = {self._apart.get(origin, "") for origin in origins(memref)} if self._apart else {""}
        return facts.pop() if len(facts) == 1 else ""

    def _group_of(self, memref: Value) -> str:
        # Stack buffers are one for all iterations, whatever the program says.
        if not self._groups or (self.stack_buffers and origins(memref) & self.stack_buffers):
            return ""
        node = self._groups[0] if len(self._groups) == 1 else self.module.group_list(self._groups)
        return f", !llvm.access.group {node}"

    # --- the end ---------------------------------------------------------------------------------------------------

    def text(self, header: str) -> str:
        """The whole function; `header` is all in front of the brace."""
        cleanup: list[Any] = ["cleanup:", self._status]
        # See Note [Slots that stay in memory].
        load = "load volatile" if len(self._slot_names) > MOST_SLOTS_IN_REGISTERS else "load"
        for slot in self._slot_names:
            pointer = f"{slot}.left"
            cleanup += [f"  {pointer} = {load} ptr, ptr {slot}", f"  call void @free(ptr {pointer})"]
        for slot, call in self._kept:
            cleanup += [f"  {slot}.left = load ptr, ptr {slot}", f"  {call.format(f'{slot}.left')}"]
        if not self._status.incoming:  # an endless loop
            cleanup = ["cleanup:", "  unreachable"]
        else:
            cleanup.append("  ret i32 %status")
        room = [f"  %closure.room = alloca [{self._closure_bytes} x i8], align 64"] if self._closure_bytes else []
        return "\n".join(map(str, [f"{header} {{", "entry:", *room, *self._entry, *self._lines, *cleanup, "}"]))


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


# Note [Slots that stay in memory]
# LLVM would keep the slots of buffers in registers: each is live up to the end of the function, from which every check
# that fails may come, and the time of its register allocator grows with slots times blocks, and worse. The third
# gradient of a loop of three ops with checkpoints has 307 buffers and 2500 blocks: 37 s of code generation, 0.7 s if one
# access to each slot is volatile, so that slots stay in memory. Freeing a buffer costs more than that anyway.
