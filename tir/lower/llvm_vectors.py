"""vector to LLVM: vectors of one dimension, whole or masked, from and to memory whose last axis is contiguous."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tir.ir.ir import Op, Value
from tir.ir.types import I32, VectorType
from tir.lower.llvm_memory import element_address, from_memory, in_memory
from tir.lower.llvm_scalars import extreme_float, fast_math_flags, fma
from tir.lower.llvm_text import FunctionText
from tir.lower.llvm_types import (
    constant,
    is_float,
    lane_count,
    llvm_type,
    memory_type,
    size_in_memory,
    suffix,
    unsupported,
    with_lanes,
)

__all__ = ["RULES"]

Rule = Callable[[FunctionText, Any], None]


def _place(f: FunctionText, op: Op, base: Value, indices: Any) -> str:
    """The pointer to the first lane."""
    memref = f.memref(base)
    if not memref.strides or memref.strides[-1] != "1":
        raise unsupported(op, f"the last axis must have stride 1, got {base.type}")
    return element_address(f, memref, [f[index] for index in indices])


def _load(f: FunctionText, op: Any) -> None:
    type = op.result.type
    place, kind = _place(f, op, op.base, op.indices), memory_type(type, op.location)
    loaded = f.assign(f"load {kind}, ptr {place}, align {size_in_memory(type)}{f.access(op.base)}", op.result.hint)
    f.set(op.result, from_memory(f, loaded, type))


def _store(f: FunctionText, op: Any) -> None:
    value, base = op.valueToStore, op.base
    place, stored = _place(f, op, base, op.indices), in_memory(f, f[value], value.type)
    f.emit(f"store {memory_type(value.type)} {stored}, ptr {place}, align {size_in_memory(value.type)}{f.access(base)}")


def _masked_load(f: FunctionText, op: Any) -> None:
    type = op.result.type
    place, kind = _place(f, op, op.base, op.indices), memory_type(type, op.location)
    arguments = [
        ("ptr", place), ("i32", str(size_in_memory(type))), (llvm_type(op.mask.type), f[op.mask]),
        (kind, in_memory(f, f[op.pass_thru], type)),
    ]  # fmt: skip
    loaded = f.call(f"llvm.masked.load.{suffix(kind)}.p0", kind, arguments)
    f.set(op.result, from_memory(f, loaded, type))


def _masked_store(f: FunctionText, op: Any) -> None:
    value, kind = op.valueToStore, memory_type(op.valueToStore.type, op.location)
    place, stored = _place(f, op, op.base, op.indices), in_memory(f, f[value], value.type)
    name, mask = f"llvm.masked.store.{suffix(kind)}.p0", llvm_type(op.mask.type)
    f.module.declare(name, "void", [kind, "ptr", "i32", mask])
    f.emit(f"call void @{name}({kind} {stored}, ptr {place}, i32 {size_in_memory(value.type)}, {mask} {f[op.mask]})")


def _splat(f: FunctionText, scalar: str, type: VectorType) -> str:
    """A vector with the scalar in each lane."""
    kind, lanes = llvm_type(type), lane_count(type)
    first = f.assign(f"insertelement {kind} poison, {llvm_type(type.element)} {scalar}, i64 0")
    return f.assign(f"shufflevector {kind} {first}, {kind} poison, <{lanes} x i32> zeroinitializer")


def _broadcast(f: FunctionText, op: Any) -> None:
    source, type = op.source, op.vector.type
    llvm_type(type, op.location)
    if isinstance(source.type, VectorType):
        if source.type is type:
            f.set(op.vector, f[source])
            return
        scalar = f.assign(f"extractelement {f.typed(source)}, i64 0")
    else:
        scalar = f[source]
    f.set(op.vector, _splat(f, scalar, type))


def _create_mask(f: FunctionText, op: Any) -> None:
    """True in the first lanes, as many as the operand says; in 32 bits, which take half of the registers."""
    type = op.result.type
    lanes = lane_count(type, op.location)
    assert lanes is not None
    numbers = VectorType(type.shape, I32)
    count = f.overloaded("smax", "i64", [f.overloaded("smin", "i64", [f[op.operand(0)], str(lanes)]), "0"])
    limit = _splat(f, f.assign(f"trunc i64 {count} to i32"), numbers)
    first = constant(range(lanes), numbers) if lanes > 1 else "zeroinitializer"
    f.give(op, f"icmp slt <{lanes} x i32> {first}, {limit}")


def _position(f: FunctionText, op: Any) -> str:
    """The lane that an extract or insert is about."""
    dynamic = list(op.dynamic_position)
    return f[dynamic[0]] if dynamic else str(op.static_position[0])


def _extract(f: FunctionText, op: Any) -> None:
    f.give(op, f"extractelement {f.typed(op.source)}, i64 {_position(f, op)}")


def _insert(f: FunctionText, op: Any) -> None:
    f.give(op, f"insertelement {f.typed(op.dest)}, {f.typed(op.valueToStore)}, i64 {_position(f, op)}")


# --- reductions ------------------------------------------------------------------------------------------------------

#: Upstream's kinds -> the intrinsic that reduces, and the instruction that combines the result with `acc`.
_INTEGER_KINDS = {
    "add": ("add", "add"), "mul": ("mul", "mul"), "and": ("and", "and"), "or": ("or", "or"), "xor": ("xor", "xor"),
    "minsi": ("smin", "slt"), "maxsi": ("smax", "sgt"), "minui": ("umin", "ult"), "maxui": ("umax", "ugt"),
}  # fmt: skip


def _reduction(f: FunctionText, op: Any) -> None:
    kind = op.kind
    if is_float(op.vector.type) and kind in ("add", "mul"):
        found = _sum_or_product(f, op, kind)
    elif is_float(op.vector.type):
        found = _float_extreme(f, op)
    else:
        found = _integer_reduction(f, op, kind)
    f.set(op.dest, found)


def _sum_or_product(f: FunctionText, op: Any, kind: str) -> str:
    """In order from lane 0, unless the op allows reassociation."""
    scalar, vector = llvm_type(op.dest.type), llvm_type(op.vector.type, op.location)
    start = f[op.acc] if op.acc is not None else constant([0.0 if kind == "add" else 1.0], op.dest.type)
    name = f"llvm.vector.reduce.f{kind}.{suffix(vector)}"
    return f.call(name, scalar, [(scalar, start), (vector, f[op.vector])], fast_math_flags(op))


def _float_extreme(f: FunctionText, op: Any) -> str:
    """By halves, then lane by lane: LLVM's reductions do not say which zero they give."""
    scalar, vector, flags = llvm_type(op.dest.type), f[op.vector], fast_math_flags(op)
    lanes = lane_count(op.vector.type, op.location)
    assert lanes is not None
    while lanes > 2 and lanes % 2 == 0:
        whole, lanes = with_lanes(scalar, lanes), lanes // 2
        halves = []
        for start in (0, lanes):
            numbers = constant(range(start, start + lanes), VectorType((lanes,), I32))
            chosen = f"shufflevector {whole} {vector}, {whole} poison, <{lanes} x i32> {numbers}"
            halves.append(f.assign(chosen))
        vector = extreme_float(f, op.kind, with_lanes(scalar, lanes), halves[0], halves[1], flags)
    found = f[op.acc] if op.acc is not None else None
    for lane in range(lanes):
        value = f.assign(f"extractelement {with_lanes(scalar, lanes)} {vector}, i64 {lane}")
        found = value if found is None else extreme_float(f, op.kind, scalar, found, value, flags)
    assert found is not None
    return found


def _integer_reduction(f: FunctionText, op: Any, kind: str) -> str:
    reduce, combine = _INTEGER_KINDS[kind]
    scalar, vector = llvm_type(op.dest.type), llvm_type(op.vector.type, op.location)
    found = f.call(f"llvm.vector.reduce.{reduce}.{suffix(vector)}", scalar, [(vector, f[op.vector])])
    if op.acc is None:
        return found
    if reduce == combine:
        return f.assign(f"{combine} {scalar} {found}, {f[op.acc]}")
    first = f.assign(f"icmp {combine} {scalar} {found}, {f[op.acc]}")
    return f.assign(f"select i1 {first}, {scalar} {found}, {scalar} {f[op.acc]}")


RULES: Mapping[str, Rule] = {
    "vector.load": _load,
    "vector.store": _store,
    "vector.maskedload": _masked_load,
    "vector.maskedstore": _masked_store,
    "vector.broadcast": _broadcast,
    "vector.create_mask": _create_mask,
    "vector.extract": _extract,
    "vector.insert": _insert,
    "vector.fma": fma,
    "vector.reduction": _reduction,
}
