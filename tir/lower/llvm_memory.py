"""memref to LLVM memory operations: buffers, their elements, views, copies and constants.

An element is addressed from the pointer to the first one by a sum of index times stride. A buffer from `memref.alloc`
has a stack slot with its address, cleared when the function starts, when the buffer is freed and when it is handed to
the caller; what the slots still hold is freed when the function ends, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tir.ir.attributes import DenseAttr, UnitAttr
from tir.ir.ir import Op, Value
from tir.ir.native import OUT_OF_MEMORY
from tir.ir.types import I1, MemRefType, StridedLayout, Type, element_type
from tir.lower.buffers import in_loop, leaves_iteration, origins
from tir.lower.llvm_text import FunctionText, MemRef
from tir.lower.llvm_types import llvm_type, memory_type, size_in_memory, strides_of, unsupported, zero_of

__all__ = [
    "ALIGNMENT",
    "RULES",
    "MAX_ALLOCA_BYTES",
    "MAX_BUFFER_BYTES",
    "MAX_STACK_BYTES",
    "allocate",
    "allocate_alone",
    "byte_count",
    "checked_sizes",
    "copy_elements",
    "dense_type",
    "element_address",
    "from_memory",
    "global_text",
    "in_memory",
    "own",
]

#: Bytes; of own buffers only. Others have the alignment of their elements.
ALIGNMENT = 64

MAX_ALLOCA_BYTES = 8 << 10
MAX_STACK_BYTES = 32 << 10  # of a function; the gate allows twice as much
MAX_BUFFER_BYTES = 1 << 62

Rule = Callable[[FunctionText, Any], None]


# --- elements --------------------------------------------------------------------------------------------------------


def element_address(f: FunctionText, memref: MemRef, indices: Sequence[str]) -> str:
    """A pointer to the element at these indices, which must be in bounds."""
    offset = "0"
    for index, stride in zip(indices, memref.strides):
        offset = f.add(offset, f.multiply(index, stride))
    return _advanced(f, memref, offset)


def _advanced(f: FunctionText, memref: MemRef, offset: str) -> str:
    """The pointer, moved by a number of elements."""
    if offset == "0":
        return memref.pointer
    return f.assign(f"getelementptr inbounds {memory_type(memref.type.element)}, ptr {memref.pointer}, i64 {offset}")


def from_memory(f: FunctionText, value: str, type: Type) -> str:
    """What was loaded, as it is in registers: any byte but 0 is true."""
    if element_type(type) is not I1:
        return value
    kind = memory_type(type)
    return f.assign(f"icmp ne {kind} {value}, {zero_of(kind)}")


def in_memory(f: FunctionText, value: str, type: Type) -> str:
    """What is to be stored, as it is in memory."""
    return f.assign(f"zext {llvm_type(type)} {value} to {memory_type(type)}") if element_type(type) is I1 else value


def _load(f: FunctionText, op: Any) -> None:
    type = op.result.type
    address = element_address(f, f.memref(op.memref), [f[v] for v in op.indices])
    loaded = f.assign(f"load {memory_type(type, op.location)}, ptr {address}{f.access(op.memref)}", op.result.hint)
    f.set(op.result, from_memory(f, loaded, type))


def _store(f: FunctionText, op: Any) -> None:
    type = op.value.type
    address = element_address(f, f.memref(op.memref), [f[v] for v in op.indices])
    value = in_memory(f, f[op.value], type)
    f.emit(f"store {memory_type(type, op.location)} {value}, ptr {address}{f.access(op.memref)}")


def _dim(f: FunctionText, op: Any) -> None:
    sizes, index = f.memref(op.source).sizes, f[op.index]
    if index.isdigit():
        if int(index) >= len(sizes):
            raise unsupported(op, f"{op.source.type} has no axis {index}")
        f.set(op.result, sizes[int(index)])
        return
    found = sizes[0]
    for axis, size in enumerate(sizes[1:], 1):
        here = f.assign(f"icmp eq i64 {index}, {axis}")
        found = f.assign(f"select i1 {here}, i64 {size}, i64 {found}")
    f.set(op.result, found)


# --- making and freeing buffers --------------------------------------------------------------------------------------


def allocate(f: FunctionText, type: MemRefType, sizes: Sequence[str], alignment: int = ALIGNMENT) -> MemRef:
    """A new dense buffer; the function ends with OUT_OF_MEMORY if there is none. The caller must `own` it."""
    wanted = byte_count(f, type, sizes)
    # A whole number of alignments, and never 0 bytes, for which a null pointer would be no failure.
    rounded = f.assign(f"and i64 {f.assign(f'add i64 {wanted}, {alignment}')}, {-alignment}")
    f.module.declare("aligned_alloc", "ptr", ["i64", "i64"], "noalias")
    call = f"call noalias align {alignment} ptr @aligned_alloc(i64 {alignment}, i64 {rounded})"
    pointer = f.assign(call, "buffer")
    f.leave_unless(f.assign(f"icmp ne ptr {pointer}, null"), OUT_OF_MEMORY)
    dense = MemRefType(type.shape, type.element)
    return MemRef(dense, pointer, tuple(sizes), f.dense_strides(sizes))


def byte_count(f: FunctionText, type: MemRefType, sizes: Sequence[str]) -> str:
    """The bytes of a dense buffer; too many are an allocation that fails."""
    total = str(size_in_memory(type))
    for size in sizes:
        known = size.isdigit() and total.isdigit()
        total = str(int(total) * int(size)) if known else f.checked_product(total, size)
    if total.isdigit() and int(total) >= MAX_BUFFER_BYTES:
        # Sizes that only became known after the types were made: 2^62 elements of f32 would wrap to 0 bytes.
        f.leave_unless("false", OUT_OF_MEMORY)
        return "0"
    if not total.isdigit():
        few = f.assign(f"icmp ult i64 {total}, {MAX_BUFFER_BYTES}")
        f.leave_unless(few, OUT_OF_MEMORY)
    return total


def own(f: FunctionText, op: Op, buffer: str, value: Value | None) -> str:
    """Gives a new buffer a slot, so that it is freed at the latest when the function ends; the slot is returned.

    In a loop, the buffer of the iteration before is freed first, so it must not be in use any more.
    """
    slot = f.slot(value)
    f.module.declare("free", "void", ["ptr"])
    if in_loop(op, f.cyclic):
        if value is not None and leaves_iteration(value):
            raise unsupported(op, "a buffer that is made in a loop cannot go to the next iteration", "make it outside")
        f.emit(f"call void @free(ptr {f.assign(f'load ptr, ptr {slot}')})")
    f.emit(f"store ptr {buffer}, ptr {slot}")
    return slot


def allocate_alone(f: FunctionText, op: Any) -> None:
    """`memref.alloc` of a buffer that has no slot of a workspace."""
    buffer = allocate(f, dense_type(op), checked_sizes(f, op), max(ALIGNMENT, op.alignment or 0))
    own(f, op, buffer.pointer, op.memref)
    f.set(op.memref, buffer)


def _alloca(f: FunctionText, op: Any) -> None:
    type = dense_type(op)
    size_bytes = type.count * size_in_memory(type) if type.is_static else MAX_STACK_BYTES
    if size_bytes > MAX_ALLOCA_BYTES or f.stack_bytes + size_bytes > MAX_STACK_BYTES:
        allocate_alone(f, op)
        return
    pointer = f.alloca(f"[{size_bytes} x i8]", size_bytes, ALIGNMENT, "stack")
    f.stack_buffers.add(op.memref)
    f.set(op.memref, f.of_components(type, [pointer]))


def dense_type(op: Any) -> MemRefType:
    """The type of a new buffer, which must be one that machine code can have."""
    type = op.memref.type
    strides_of(type, op.location)
    memory_type(type.element, op.location)
    if type.layout is not None or (op.alignment or 0) > 4096:
        raise unsupported(op, f"a new buffer must be dense and aligned to at most 4096 bytes, got {type}")
    return type


def checked_sizes(f: FunctionText, op: Any, known: Collection[str] = ()) -> list[str]:
    """The sizes of a new buffer. known: those that were checked before."""
    for size in op.dynamicSizes:
        if not f[size].isdigit() and f[size] not in known:
            positive = f.assign(f"icmp sge i64 {f[size]}, 0")
            f.check(positive, f"{op.name}: a size must be at least 0", op.location, [f[size]])
    rest = iter(op.dynamicSizes)
    return [str(size) if isinstance(size, int) else f[next(rest)] for size in op.memref.type.shape]


def _dealloc(f: FunctionText, op: Any) -> None:
    """Frees the buffer and clears its slot; of several possible slots, the one that holds its address.

    A buffer in the workspace stays there.
    """
    made_by = origins(op.memref)
    if all(getattr(origin.op, "slot", None) is not None for origin in made_by):
        return
    slots = [slot for origin, slot in f.slots.items() if origin in made_by]
    if len(slots) != len(made_by):
        raise unsupported(op, "only a buffer that this function made can be freed")
    pointer = f.memref(op.memref).pointer
    if len(slots) == 1:
        pointer = f.assign(f"load ptr, ptr {slots[0]}")
    f.emit(f"call void @free(ptr {pointer})")
    for slot in slots:
        held = f.assign(f"load ptr, ptr {slot}")
        left = f.assign(f"select i1 {f.assign(f'icmp eq ptr {held}, {pointer}')}, ptr null, ptr {held}")
        f.emit(f"store ptr {left}, ptr {slot}")


# --- copies ----------------------------------------------------------------------------------------------------------


def copy_elements(f: FunctionText, source: MemRef, target: MemRef) -> None:
    """Copies the elements of one memref to another of the same sizes."""
    kind = memory_type(source.type.element)
    if source.type.is_packed and target.type.is_packed:
        total = str(size_in_memory(source.type))
        for a, b in zip(source.sizes, target.sizes):
            total = f.multiply(total, a if a.isdigit() else b)
        name = "llvm.memmove.p0.p0.i64"
        f.module.declare(name, "void", ["ptr", "ptr", "i64", "i1"])
        f.emit(f"call void @{name}(ptr {target.pointer}, ptr {source.pointer}, i64 {total}, i1 false)")
        return
    loops = [f.open_loop("0", size, "1") for size in source.sizes]
    indices = [loop.index.name for loop in loops]
    value = f.assign(f"load {kind}, ptr {element_address(f, source, indices)}")
    f.emit(f"store {kind} {value}, ptr {element_address(f, target, indices)}")
    for loop in reversed(loops):
        f.close_loop(loop)


def _copy(f: FunctionText, op: Any) -> None:
    source, target = f.memref(op.source), f.memref(op.target)
    for axis, (a, b) in enumerate(zip(source.sizes, target.sizes)):
        _check_equal(f, op, a, b, f"both operands must have the same size on axis {axis}")
    copy_elements(f, source, target)


def _check_equal(f: FunctionText, op: Op, a: str, b: str, rule: str) -> None:
    """Ends the function unless two numbers, of which one may be known, are equal."""
    if a != b:
        f.check(f.assign(f"icmp eq i64 {a}, {b}"), f"{op.name}: {rule}", op.location, [a] if b.isdigit() else [a, b])


# --- views -----------------------------------------------------------------------------------------------------------


def _view(f: FunctionText, value: Value, pointer: str, sizes: Sequence[str], strides: Sequence[str]) -> None:
    """Sets a view; what its type fixes is taken from there."""
    type = value.type
    assert isinstance(type, MemRefType)
    fixed = strides_of(type)
    known_sizes = tuple(str(s) if isinstance(s, int) else size for s, size in zip(type.shape, sizes))
    known_strides = tuple(str(s) if isinstance(s, int) else stride for s, stride in zip(fixed, strides))
    f.set(value, MemRef(type, pointer, known_sizes, known_strides))


def _mixed(f: FunctionText, numbers: Sequence[Any]) -> list[str]:
    return [str(number) if isinstance(number, int) else f[number] for number in numbers]


def _subview(f: FunctionText, op: Any) -> None:
    source, kept = f.memref(op.source), op.kept_axes
    steps, sizes = _mixed(f, op.mixed_strides), _mixed(f, op.mixed_sizes)
    pointer = element_address(f, source, _mixed(f, op.mixed_offsets))
    strides = [f.multiply(stride, step) for stride, step in zip(source.strides, steps)]
    _view(f, op.result, pointer, [sizes[axis] for axis in kept], [strides[axis] for axis in kept])


def _cast(f: FunctionText, op: Any) -> None:
    source, type = f.memref(op.source), op.dest.type
    fixed = strides_of(type, op.location)
    for axis, (size, want) in enumerate(zip(source.sizes, type.shape)):
        if isinstance(want, int):
            _check_equal(f, op, size, str(want), f"axis {axis} of the operand must have size {want}")
    if isinstance(type.layout, StridedLayout):
        for axis, (stride, want) in enumerate(zip(source.strides, fixed)):
            if isinstance(want, int) and stride != str(want):
                equal = f.assign(f"icmp eq i64 {stride}, {want}")
                short = f.assign(f"icmp sle i64 {source.sizes[axis]}, 1")  # such an axis has any stride
                rule = f"{op.name}: axis {axis} of the operand must have stride {want}"
                f.check(f.assign(f"or i1 {equal}, {short}"), rule, op.location, [stride])
    _view(f, op.dest, source.pointer, source.sizes, source.strides)


def _collapse_shape(f: FunctionText, op: Any) -> None:
    source, sizes, strides = f.memref(op.src), [], []
    for group in op.reassociation:
        size = "1"
        for axis in group:
            size = f.multiply(size, source.sizes[axis])
        sizes.append(size)
        strides.append(_stride_of_group(f, source, group))
    _view(f, op.result, source.pointer, sizes, strides)


def _stride_of_group(f: FunctionText, source: MemRef, group: Sequence[int]) -> str:
    """The stride of the last axis with a size other than 1."""
    found = source.strides[group[0]]
    for axis in group[1:]:
        size, stride = source.sizes[axis], source.strides[axis]
        if size == "1" or found == stride:
            continue
        if size.isdigit() or source.type.layout is None:
            found = stride
        else:
            one = f.assign(f"icmp eq i64 {size}, 1")
            found = f.assign(f"select i1 {one}, i64 {found}, i64 {stride}")
    return found


def _expand_shape(f: FunctionText, op: Any) -> None:
    source, sizes = f.memref(op.src), _mixed(f, op.mixed_output_shape)
    strides = ["1"] * len(sizes)
    for group, stride, whole in zip(op.reassociation, source.strides, source.sizes):
        product = "1"
        for axis in reversed(group):
            strides[axis] = f.multiply(stride, product)
            product = f.multiply(product, sizes[axis])
        _check_equal(f, op, product, whole, "the sizes of a group must multiply to that of its axis")
    _view(f, op.result, source.pointer, sizes, strides)


def _reinterpret_cast(f: FunctionText, op: Any) -> None:
    """The op counts from the start of the buffer, but only the first element's address is at hand."""
    source, start = f.memref(op.source), op.source.type.strides_and_offset()[1]
    if not isinstance(start, int):
        raise unsupported(op, f"the offset of the operand must be known, got {op.source.type}")
    (offset,) = _mixed(f, op.mixed_offsets)
    pointer = _advanced(f, source, f.add(offset, str(-start)))
    _view(f, op.result, pointer, _mixed(f, op.mixed_sizes), _mixed(f, op.mixed_strides))


# --- globals ---------------------------------------------------------------------------------------------------------


def global_text(op: Any, name: str) -> str:
    """The definition of a memref.global."""
    type, value = op.type, op.initial_value
    strides_of(type, op.location)
    size_bytes = type.count * size_in_memory(type)
    if isinstance(value, UnitAttr):
        content = "zeroinitializer"
    elif isinstance(value, DenseAttr) and type.layout is None:
        content = _bytes_text(value, size_bytes)
    else:
        raise unsupported(op, f"@{op.sym_name} must have a dense layout and a value in this module")
    kind = "constant" if op.constant else "global"
    alignment = min(4096, max(ALIGNMENT, op.alignment or 0))
    return f"@{name} = private unnamed_addr {kind} [{size_bytes} x i8] {content}, align {alignment}"


def _bytes_text(value: DenseAttr, size_bytes: int) -> str:
    if not any(value.data):
        return "zeroinitializer"
    data = value.data if len(value.data) == size_bytes else value.data * (size_bytes // max(1, len(value.data)))
    return 'c"' + "".join(f"\\{byte:02X}" for byte in data) + '"'


def _get_global(f: FunctionText, op: Any) -> None:
    f.set(op.result, f.of_components(op.result.type, [f"@{f.module.globals[op.symbol]}"], op.location))


RULES: Mapping[str, Rule] = {
    "memref.alloca": _alloca,
    "memref.dealloc": _dealloc,
    "memref.load": _load,
    "memref.store": _store,
    "memref.dim": _dim,
    "memref.copy": _copy,
    "memref.subview": _subview,
    "memref.cast": _cast,
    "memref.collapse_shape": _collapse_shape,
    "memref.expand_shape": _expand_shape,
    "memref.reinterpret_cast": _reinterpret_cast,
    "memref.get_global": _get_global,
}
