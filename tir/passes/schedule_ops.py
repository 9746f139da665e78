"""What the ops of a schedule do with handles and parameters, and to ops of any kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.transform import core
from tir.dialects.transform.base import is_param
from tir.ir.attributes import Attribute, FloatAttr, IntegerAttr, StringAttr, UnitAttr
from tir.ir.errors import PassError, TirError, TirErrors
from tir.ir.ir import Op, Value
from tir.ir.pass_manager import Pass
from tir.ir.pipeline_text import make_pass
from tir.ir.printer import print_op
from tir.ir.traits import IsolatedFromAbove
from tir.ir.types import I64
from tir.ir.verify import verify
from tir.passes.pipelines import ALL, PASSES
from tir.passes.schedule_state import ScheduleError, ScheduleState, Undone, handle_text

__all__ = ["CORE_HANDLERS"]

INTERPRETER = "transform-interpreter"


# --- handles ---------------------------------------------------------------------------------------------------------


def _cast(state: ScheduleState, op: core.Cast) -> None:
    if is_param(op.input.type) != is_param(op.output.type):
        raise ScheduleError(f"{op.name}: a handle is no parameter, from {op.input.type} to {op.output.type}", op.location)
    state.set(op, op.output, state.items_of(op.input))


def _get_parent_op(state: ScheduleState, op: core.GetParentOp) -> None:
    found = []
    for payload in state.ops_of(op.target):
        around = [one for one in payload.ancestors() if one.is_inside(state.root) and _is_wanted(one, op)]
        if len(around) >= op.nth_parent:
            found.append(around[op.nth_parent - 1])
        elif not op.allow_empty_results:
            wanted = op.op_name or "an op"
            notes = [("of this op", payload.location)]
            raise Undone(f"{op.name}: there is no {wanted} of this kind around the op", op.location, notes)
    state.set(op, op.parent_handle, dict.fromkeys(found) if op.deduplicate else found)


def _is_wanted(one: Op, op: core.GetParentOp) -> bool:
    if op.isolated_from_above and not isinstance(one, IsolatedFromAbove):
        return False
    return op.op_name is None or one.name == op.op_name


def _get_defining_op(state: ScheduleState, op: core.GetDefiningOp) -> None:
    makers = []
    for value in state.items_of(op.target):
        if value.op is None:
            raise Undone(f"{op.name}: an argument of a block is made by no op", op.location)
        makers.append(value.op)
    state.set(op, op.value, makers)


def _get_producer(state: ScheduleState, op: core.GetProducerOfOperand) -> None:
    makers = []
    for payload in state.ops_of(op.target):
        (value,) = _chosen(op, payload, payload.operands, [op.operand_number], "operand")
        if value.op is None:
            notes = [("of this op", payload.location)]
            raise Undone(f"{op.name}: operand {op.operand_number} is made by no op", op.location, notes)
        makers.append(value.op)
    state.set(op, op.producer, makers)


def _get_consumers(state: ScheduleState, op: core.GetConsumersOfResult) -> None:
    if not state.ops_of(op.target):
        return
    payload = state.only_op(op, op.target)
    (value,) = _chosen(op, payload, payload.results, [op.result_number], "result")
    state.set(op, op.consumers, value.users[::-1])


def _get_result(state: ScheduleState, op: core.GetResult) -> None:
    found = [value for payload in state.ops_of(op.target) for value in _at(op, payload, payload.results, "result")]
    state.set(op, op.values, found)


def _get_operand(state: ScheduleState, op: core.GetOperand) -> None:
    found = [value for payload in state.ops_of(op.target) for value in _at(op, payload, payload.operands, "operand")]
    state.set(op, op.values, found)


def _at(op: core.GetResult | core.GetOperand, payload: Op, values: Sequence[Value], what: str) -> list[Value]:
    """The values at the positions that the op names."""
    if op.is_all:
        return list(values)
    chosen = _chosen(op, payload, values, op.raw_position_list, what)
    if op.is_inverted:
        left_out = {number % len(values) for number in op.raw_position_list}
        return [value for i, value in enumerate(values) if i not in left_out]
    return chosen


def _chosen(op: Op, payload: Op, values: Sequence[Value], numbers: Sequence[int], what: str) -> list[Value]:
    for number in numbers:
        if not -len(values) <= number < len(values):
            notes = [("of this op", payload.location)]
            raise Undone(f"{op.name}: there is no {what} {number}, the op has {len(values)}", op.location, notes)
    return [values[number] for number in numbers]


def _merge_handles(state: ScheduleState, op: core.MergeHandles) -> None:
    found = [item for handle in op.handles for item in state.items_of(handle)]
    state.set(op, op.result, dict.fromkeys(found) if op.deduplicate else found)


def _split_handle(state: ScheduleState, op: core.SplitHandle) -> None:
    items, count = state.items_of(op.handle), len(op.results)
    overflow = op.overflow_result
    if not items and op.pass_through_empty_handle:
        return
    if len(items) > count and overflow is None or len(items) < count and op.fail_on_payload_too_small:
        raise Undone(f"{op.name}: {handle_text(op.handle)} leads to {len(items)} ops, and is split in {count}", op.location)
    more = max(0, len(items) - count)
    at = 0
    for i, result in enumerate(op.results):
        taken = 1 + (more if i == overflow else 0)
        state.set(op, result, items[at : at + taken])
        at += taken


def _replicate(state: ScheduleState, op: core.Replicate) -> None:
    items, times = state.items_of(op.handles), len(state.items_of(op.pattern))
    if len(items) != 1:
        raise Undone(f"{op.name}: {handle_text(op.handles)} must lead to one op, and has {len(items)}", op.location)
    state.set(op, op.replicated, items * times)


def _select(state: ScheduleState, op: core.Select) -> None:
    state.set(op, op.result, [payload for payload in state.ops_of(op.target) if payload.name == op.op_name])


def _num_associations(state: ScheduleState, op: core.NumAssociations) -> None:
    state.set(op, op.num, [IntegerAttr(len(state.items_of(op.handle)), I64)])


def _param_constant(state: ScheduleState, op: core.ParamConstant) -> None:
    state.set(op, op.param, [op.value])


# --- what is done to ops of any kind ---------------------------------------------------------------------------------


def _annotate(state: ScheduleState, op: core.Annotate) -> None:
    given: Attribute = UnitAttr()
    if op.param is not None:
        params = state.params_of(op.param)
        if len(params) != 1:
            raise Undone(f"{op.name}: {handle_text(op.param)} must be one value, and is {len(params)}", op.location)
        given = params[0]
    for payload in state.ops_of(op.target):
        payload.set_attribute(op.attribute_name, given)


def _apply_patterns(state: ScheduleState, op: core.ApplyPatterns) -> None:
    for payload in state.ops_of(op.target):
        if any(isinstance(one, core.Canonicalization) for one in op.patterns.block):
            _run_on(op, PASSES["canonicalize"](max_iterations=op.max_iterations), payload)
        if op.apply_cse:
            _run_on(op, PASSES["cse"](), payload)


def _apply_cse(state: ScheduleState, op: core.ApplyCse) -> None:
    for payload in state.ops_of(op.target):
        _run_on(op, PASSES["cse"](), payload)


def _apply_dce(state: ScheduleState, op: core.ApplyDce) -> None:
    for payload in state.ops_of(op.target):
        _run_on(op, PASSES["dce"](), payload)


def _apply_registered_pass(state: ScheduleState, op: core.ApplyRegisteredPass) -> None:
    options = " ".join(f"{name}={_option(op, value)}" for name, value in op.options.entries)
    try:
        made = make_pass(op.pass_name, options, ALL)
    except PassError as error:
        raise ScheduleError(f"{op.name}: {error.message}", op.location, error.notes, error.hint) from None
    steps = [made] if isinstance(made, Pass) else list(made.passes())
    if any(step.name == INTERPRETER for step in steps):
        raise ScheduleError(f"{op.name}: a schedule is run by {INTERPRETER}, and runs no others by it", op.location)
    targets = state.ops_of(op.target)
    for payload in targets:
        for step in steps:
            _run_on(op, step, payload)
            state.remarks += getattr(step, "remarks", ())
    state.set(op, op.result, targets)


def _option(op: Op, value: Attribute) -> str:
    """The value of an option as text."""
    if isinstance(value, StringAttr):
        return value.value
    if isinstance(value, (IntegerAttr, FloatAttr)):
        return str(value.value).lower() if str(value) in ("true", "false") else str(value.value)
    raise ScheduleError(f"{op.name}: an option is a string, a number, true or false, got {value}", op.location)


def _run_on(op: Op, step: Pass, payload: Op) -> None:
    """Runs a pass on an op of the payload, which must use nothing from around it."""
    if not isinstance(payload, IsolatedFromAbove):
        notes = [("of this op", payload.location)]
        message = f"{op.name}: {payload.name} may use values from around it; passes run on functions and modules"
        raise ScheduleError(message, op.location, notes)
    if step.needs_module and payload.parent_op is not None:
        message = f"{op.name}: pass {step.name} runs on the module, not on {payload.name}"
        raise ScheduleError(message, op.location, [("of this op", payload.location)])
    try:
        step.run(payload)
    except TirError as error:
        if error.location is None:
            raise ScheduleError(f"{op.name}: {error.message}", op.location, error.notes, error.hint) from None
        error.notes = (*error.notes, ("the schedule runs the pass here", op.location))
        raise


def _verify(state: ScheduleState, op: core.Verify) -> None:
    for payload in state.ops_of(op.target):
        try:
            verify(payload)
        except TirErrors as errors:
            for error in errors.errors:
                error.notes = (*error.notes, ("the schedule verifies it here", op.location))
            raise


def _print(state: ScheduleState, op: core.Print) -> None:
    label = f" {op.label} " if op.label else " "
    if op.target is None:
        print(f"[[[ IR printer:{label}top-level ]]]", file=sys.stderr)
        print(print_op(state.root), file=sys.stderr)
        return
    print(f"[[[ IR printer:{label.rstrip()} ]]]", file=sys.stderr)
    for payload in state.ops_of(op.target):
        print(print_op(payload), file=sys.stderr)


def _emit_remark_at(state: ScheduleState, op: core.EmitRemarkAt) -> None:
    for item in state.items_of(op.at):
        if isinstance(item, Attribute):
            raise ScheduleError(f"{op.name}: a parameter stands nowhere; transform.debug.emit_param_as_remark", op.location)
        where = item if isinstance(item, Op) else item.op
        location = where.location if where is not None else item.location
        state.remarks.append((location, op.message, "analysis"))


def _emit_param(state: ScheduleState, op: core.EmitParamAsRemark) -> None:
    text = ", ".join(map(str, state.params_of(op.param)))
    text = f"{op.message} {text}" if op.message else text
    places = [op.location] if op.anchor is None else [payload.location for payload in state.ops_of(op.anchor)]
    state.remarks += [(place, text, "analysis") for place in places]


CORE_HANDLERS: dict[type[Op], Callable[[ScheduleState, Any], None]] = {
    core.Cast: _cast,
    core.GetParentOp: _get_parent_op,
    core.GetDefiningOp: _get_defining_op,
    core.GetProducerOfOperand: _get_producer,
    core.GetConsumersOfResult: _get_consumers,
    core.GetResult: _get_result,
    core.GetOperand: _get_operand,
    core.MergeHandles: _merge_handles,
    core.SplitHandle: _split_handle,
    core.Replicate: _replicate,
    core.Select: _select,
    core.NumAssociations: _num_associations,
    core.ParamConstant: _param_constant,
    core.Annotate: _annotate,
    core.ApplyPatterns: _apply_patterns,
    core.ApplyCse: _apply_cse,
    core.ApplyDce: _apply_dce,
    core.ApplyRegisteredPass: _apply_registered_pass,
    core.Verify: _verify,
    core.Print: _print,
    core.EmitRemarkAt: _emit_remark_at,
    core.EmitParamAsRemark: _emit_param,
}
