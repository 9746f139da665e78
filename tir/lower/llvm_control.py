"""scf, cf and func to LLVM blocks.

Loops are written as a header that tests, a body, and a branch back: the form that LLVM's loop passes start from. An op
with regions yields the lowering of each region's block and goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tir.dialects.scf import SHORT, THREADS
from tir.ir.errors import PassError
from tir.ir.ir import Block, Op, Value
from tir.ir.native import NativeTimer
from tir.ir.steps import Steps
from tir.ir.symbols import symbol_name
from tir.ir.types import BF16, F16, MemRefType, Type, element_type
from tir.lower.buffers import is_whole, origins, written_values
from tir.lower.llvm_library import lower_library_call
from tir.lower.llvm_memory import allocate, copy_elements, from_memory, in_memory, own
from tir.lower.llvm_text import FunctionText, Loop, MemRef, Phi, quoted
from tir.lower.llvm_threads import lower_on_threads
from tir.lower.llvm_types import component_types, lane_count, llvm_type, memory_type, size_in_memory, unsupported

__all__ = ["RULES", "Rules", "argument_type", "check_no_half", "from_argument", "lower_block"]

Rule = Callable[[FunctionText, Any], Any]
Rules = Mapping[str, Rule]


def lower_block(f: FunctionText, block: Block, own: bool = False) -> Steps:
    """Lowers the ops of a block. What the terminator of an scf region means is the business of the op around it.

    own: the block is the only one of the function, whose ops are counted as steps.
    """
    for op in block:
        f.step += own
        if op.name in _HANDED_ON:
            return
        if f.lasting and f.first_lasting_write is None and _writes_lasting(f, op):
            f.first_lasting_write = f.step
        rule = f.rules.get(op.name)
        if rule is None:
            raise _no_rule(op)
        _check_bf16(op)
        f.come_to(op.location)
        start = f.start_timer() if own and f.module.clock and _is_timed(op) else None
        steps = rule(f, op)
        if isinstance(steps, Iterator):
            yield steps
        if start is not None:
            function = op.parent_op
            assert function is not None
            f.stop_timer(start, NativeTimer(symbol_name(function), op.name, op.location))


def _is_timed(op: Op) -> bool:
    return bool(op.regions) or op.name in ("func.call", "memref.copy")


def _writes_lasting(f: FunctionText, op: Op) -> bool:
    """The op changes a buffer that must change all or not at all."""
    return any(origins(value) & f.lasting for value in written_values([op], f.module.written))


_HANDED_ON = frozenset(("scf.yield", "scf.condition", "scf.reduce", "scf.reduce.return"))

#: What there is for bf16: it is stored, moved and converted.
_BF16_OPS = frozenset(("arith.constant", "arith.select", "arith.bitcast", "arith.extf", "arith.truncf"))


def _check_bf16(op: Op) -> None:
    if _computes_in(op, BF16):
        hint = "run arith-emulate-unsupported-floats before this"
        raise PassError(f"{op.name}: machine code has no arithmetic on bf16", op.location, hint=hint)


def check_no_half(module: Op) -> None:
    """PassError for arithmetic on f16, for a machine that lacks it; an fma is computed in f64 in any case."""
    for op in module.walk():
        if op.name not in ("math.fma", "vector.fma") and _computes_in(op, F16):
            hint = "run arith-emulate-unsupported-floats before this"
            raise PassError(f"{op.name}: this machine has no arithmetic on f16", op.location, hint=hint)


def _computes_in(op: Op, type: Type) -> bool:
    arithmetic = op.name.startswith(("arith.", "math.")) or op.name in ("vector.fma", "vector.reduction")
    if not arithmetic or op.name in _BF16_OPS:
        return False
    return any(element_type(value.type) is type for value in (*op.operands, *op.results))


#: Who should have removed an op, by its dialect or name.
_REMOVED_BY = {
    "math": "expand-math", "tir": "lower-structured", "linalg": "lower-loops", "tensor": "bufferize",
    "bufferization": "bufferize",
}  # fmt: skip


def _no_rule(op: Op) -> PassError:
    made_by = _REMOVED_BY.get(op.name.split(".")[0])
    hint = f"run {made_by} before this" if made_by else None
    return unsupported(op, "has no machine code", hint)


# --- scf -------------------------------------------------------------------------------------------------------------


def _set_all(f: FunctionText, values: Any, phis: list[Phi], op: Op) -> None:
    """The phis are the components of these values."""
    for value, machine in zip(values, f.of_phis([v.type for v in values], phis, op.location)):
        f.set(value, machine)


def _check_step(f: FunctionText, op: Op, value: Value, relation: str = "sgt") -> None:
    """A step that is not known to be positive is checked where the loop starts, as the interpreter does."""
    step = f[value]
    if not step.isdigit() or step == "0":
        positive = f.assign(f"icmp {relation} {llvm_type(value.type)} {step}, 0")
        f.check(positive, "the step must be at least 1", op.location)


def _for(f: FunctionText, op: Any) -> Steps:
    kinds = f.flat_types([v.type for v in op.initArgs], op.location)
    _check_step(f, op, op.step, "ugt" if op.unsignedCmp else "sgt")
    loop = f.open_loop(
        f[op.lowerBound], f[op.upperBound], f[op.step], list(zip(kinds, f.flat(op.initArgs))),
        type=llvm_type(op.step.type), relation="ult" if op.unsignedCmp else "slt",
        hint=op.induction_variable.hint or "i", mark=_left_alone(f) if SHORT in op.attributes else "",
    )  # fmt: skip
    f.set(op.induction_variable, loop.index.name)
    _set_all(f, op.iter_args, loop.carried, op)
    yield lower_block(f, op.body)
    f.close_loop(loop, f.flat(op.yielded))
    _set_all(f, op.results, loop.carried, op)


def _left_alone(f: FunctionText) -> str:
    """The metadata of a loop that is not worth LLVM's time."""
    options = ('!"llvm.loop.unroll.disable"', '!"llvm.loop.vectorize.enable", i1 false')
    return ", ".join(f.module.node(option) for option in options)


def _if(f: FunctionText, op: Any) -> Steps:
    then, end = f.fresh_label("then"), f.fresh_label("end")
    otherwise = f.fresh_label("else") if op.else_block is not None else end
    f.branch_if(f[op.condition], then, otherwise)
    incoming: list[tuple[list[str], str]] = []
    for label, block in ((then, op.then_block), (otherwise, op.else_block)):
        if block is None:
            continue
        f.start(label)
        yield lower_block(f, block)
        incoming.append((f.flat(block.terminator.operands), f.label))
        f.branch(end)
    f.start(end)
    phis = [phi for value in op.results for phi in f.phis(value.type, value.hint, op.location)]
    for values, label in incoming:
        for phi, value in zip(phis, values):
            phi.incoming.append((value, label))
    _set_all(f, op.results, phis, op)


def _while(f: FunctionText, op: Any) -> Steps:
    before, after = op.before.block, op.after.block
    header, body, done = (f.fresh_label(word) for word in ("while", "do", "done"))
    entered_from, first = f.label, f.flat(op.inits)
    f.branch(header)
    f.start(header)
    phis = [phi for value in before.arguments for phi in f.phis(value.type, value.hint, op.location)]
    for phi, value in zip(phis, first):
        phi.incoming.append((value, entered_from))
    _set_all(f, before.arguments, phis, op)
    yield lower_block(f, before)
    condition = before.terminator
    f.branch_if(f[condition.condition], body, done)
    f.start(body)
    for argument, value in zip((*after.arguments, *op.results), (*condition.args, *condition.args)):
        f.set(argument, f.values[value])
    yield lower_block(f, after)
    for phi, value in zip(phis, f.flat(after.terminator.operands)):
        phi.incoming.append((value, f.label))
    f.branch(header)
    f.start(done)


def _parallel(f: FunctionText, op: Any) -> Steps:
    """One loop for each dimension, the last one innermost; the combined values go through all of them."""
    for step in op.step:
        _check_step(f, op, step)
    if THREADS in op.attributes:
        yield lower_on_threads(f, op, lower_block)
        return
    kinds = f.flat_types([v.type for v in op.initVals], op.location)
    combined = f.flat(op.initVals)
    mark = f.open_group()
    if SHORT in op.attributes:
        mark += f", {_left_alone(f)}"
    loops: list[Loop] = []
    for variable, low, high, step in zip(op.induction_variables, op.lowerBound, op.upperBound, op.step):
        loop = f.open_loop(f[low], f[high], f[step], list(zip(kinds, combined)), hint=variable.hint or "i", mark=mark)
        f.set(variable, loop.index.name)
        combined = [phi.name for phi in loop.carried]
        loops.append(loop)
    yield lower_block(f, op.body)
    yield _combine(f, op.reduce, loops[-1], combined)
    for loop in reversed(loops):
        f.close_loop(loop, combined)
        combined = [phi.name for phi in loop.carried]
    f.close_group()
    _set_all(f, op.results, loops[0].carried, op)


def _combine(f: FunctionText, reduce: Any, loop: Loop, combined: list[str]) -> Steps:
    """Writes the regions of an scf.reduce in place; the new combined values replace those in the list."""
    before = f.of_phis([v.type for v in reduce.operands], loop.carried, reduce.location)
    found: list[str] = []
    for region, old, value in zip(reduce.regions, before, reduce.operands):
        block = region.block
        f.set(block.arguments[0], old)
        f.set(block.arguments[1], f.values[value])
        yield lower_block(f, block)
        found += f.components(block.terminator.operand(0))
    combined[:] = found


# --- cf --------------------------------------------------------------------------------------------------------------


def _assert(f: FunctionText, op: Any) -> None:
    f.check(f[op.arg], op.msg, op.location, [f[number] for number in op.compared])


def _branch(f: FunctionText, op: Any) -> None:
    _hand_over(f, op.dest, op.destOperands)
    f.branch(f.labels[op.dest])


def _branch_if(f: FunctionText, op: Any) -> None:
    then, otherwise = f.labels[op.trueDest], f.labels[op.falseDest]
    if op.trueDest is op.falseDest:  # a phi tells edges apart by the block they come from
        otherwise = f.fresh_label("else")
    _hand_over(f, op.trueDest, op.trueDestOperands)
    f.branch_if(f[op.condition], then, otherwise)
    if op.trueDest is op.falseDest:
        f.start(otherwise)
        f.branch(then)
    _hand_over(f, op.falseDest, op.falseDestOperands)


def _hand_over(f: FunctionText, block: Block, values: Any) -> None:
    for phi, value in zip(f.block_phis[block], f.flat(values)):
        phi.incoming.append((value, f.label))


# --- func ------------------------------------------------------------------------------------------------------------


def _return(f: FunctionText, op: Op) -> None:
    """Stores the results and leaves. The caller frees each buffer, so each must be one that this call made."""
    handed = [_handed_over(f, op, value) if isinstance(value.type, MemRefType) else None for value in op.operands]
    for value, buffer, pointer in zip(op.operands, handed, f.result_pointers):
        parts = f.components(value)
        if buffer is not None:
            parts[0] = buffer[0].pointer
        for position, (kind, part) in enumerate(zip(component_types(value.type), parts)):
            stored = part if buffer else in_memory(f, part, value.type)
            place = f.assign(f"getelementptr inbounds i8, ptr {pointer}, i64 {8 * position}") if position else pointer
            f.emit(f"store {memory_type(value.type) if not buffer else kind} {stored}, ptr {place}")
    for buffer in filter(None, handed):
        f.emit(f"store ptr null, ptr {buffer[1]}")
    f.leave("0")


def _handed_over(f: FunctionText, op: Op, value: Value) -> tuple[MemRef, str]:
    """The buffer to hand to the caller and its slot: the value's own, or a copy if something else may be in it too."""
    source = f.memref(value)
    if source.type.layout is not None:
        raise unsupported(op, f"a result must be dense, got {value.type}", "run bufferize before this")
    made_by = origins(value)
    slot = f.slots.get(next(iter(made_by))) if len(made_by) == 1 else None
    shared = sum(isinstance(v.type, MemRefType) and not made_by.isdisjoint(origins(v)) for v in op.operands) > 1
    if slot is not None and is_whole(value) and not shared:
        return source, slot
    copy = allocate(f, source.type, source.sizes)
    slot = own(f, op, copy.pointer, None)
    copy_elements(f, source, copy)
    return copy, slot


def _call(f: FunctionText, op: Any) -> None:
    if op.callee in f.module.library:
        lower_library_call(f, op, f.module.library[op.callee])
        return
    signature = f.module.signatures.get(op.callee)
    if signature is None:
        raise unsupported(op, f"@{op.callee} has no body in this module")
    arguments = [
        as_argument(f, kind, part)
        for value in op.operands
        for kind, part in zip(component_types(value.type, op.location), f.components(value))
    ]
    places = [_place_for(f, result) for result in op.results]
    text = ", ".join([*arguments, *(f"ptr {place}" for place in places)])
    status = f.assign(f"call i32 {quoted(signature.symbol)}({text})", "status")
    f.leave_unless(f.assign(f"icmp eq i32 {status}, 0"), status)
    for result, place in zip(op.results, places):
        _take_result(f, op, result, place)


def _place_for(f: FunctionText, result: Value) -> str:
    """Stack memory for the components of a result."""
    if isinstance(result.type, MemRefType):
        count = len(component_types(result.type))
        return f.alloca(f"[{count} x i64]", 8 * count, 8, "result")
    kind = memory_type(result.type)
    size_bytes = size_in_memory(result.type) * (lane_count(result.type) or 1)
    return f.alloca(kind, size_bytes, 64, "result")


def _take_result(f: FunctionText, op: Op, result: Value, place: str) -> None:
    if not isinstance(result.type, MemRefType):
        loaded = f.assign(f"load {memory_type(result.type)}, ptr {place}", result.hint)
        f.set(result, from_memory(f, loaded, result.type))
        return
    parts = []
    for position, kind in enumerate(component_types(result.type)):
        address = f.assign(f"getelementptr inbounds i8, ptr {place}, i64 {8 * position}") if position else place
        parts.append(f.assign(f"load {kind}, ptr {address}"))
    f.set(result, f.of_components(result.type, parts, op.location))
    own(f, op, parts[0], result)


def argument_type(component: str) -> str:
    """How a component is passed: the calling convention knows no i1 and no half."""
    return {"i1": "i8", "half": "i16"}.get(component, component)


def as_argument(f: FunctionText, component: str, value: str) -> str:
    """Type and value of a component that is passed."""
    if component == "i1":
        return f"i8 {f.assign(f'zext i1 {value} to i8')}"
    if component == "half":
        return f"i16 {f.assign(f'bitcast half {value} to i16')}"
    return f"{component} {value}"


def from_argument(f: FunctionText, component: str, name: str) -> str:
    """The component that was passed as `name`; the opposite of `as_argument`."""
    if component == "i1":
        return f.assign(f"icmp ne i8 {name}, 0")
    return f.assign(f"bitcast i16 {name} to half") if component == "half" else name


RULES: Rules = {
    "scf.for": _for,
    "scf.if": _if,
    "scf.while": _while,
    "scf.parallel": _parallel,
    "cf.assert": _assert,
    "cf.br": _branch,
    "cf.cond_br": _branch_if,
    "func.return": _return,
    "func.call": _call,
}
