"""`inline`: the bodies of functions in the place of calls."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.custom_derivative import has_derivatives
from tir.dialects.func import Call, Func
from tir.dialects.tir.state import Derivative, Read, Update
from tir.ir import actions
from tir.ir.errors import CallSiteLocation, LimitError
from tir.ir.ir import Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.passes.call_graph import callees_first

__all__ = ["Inline", "why_kept"]


@dataclass
class Inline(Pass):
    """Replaces calls by the body of the function that is called.

    Needs: any level. Leaves: calls of declarations, of recursive functions, of functions with more than one block, and
    those marked `no_inline`, at the call or at the function; and of functions with state where the caller may not have
    it: in a region, or if both update one variable. As long as autodiff has something to do, calls of functions with
    derivatives of their own (`tir.vjp`, `tir.jvp`) stay for it. Functions that are not called any more stay, for
    symbol-dce.
    LimitError if the module would get more than `max-ops` ops: calls of calls multiply.

        func.func private @twice(%x: f32) -> f32 { %0 = arith.addf %x, %x : f32  return %0 : f32 }
        func.func @main(%a: f32) -> f32 { %0 = call @twice(%a) : (f32) -> f32  return %0 : f32 }

    becomes

        func.func private @twice(%x: f32) -> f32 { %0 = arith.addf %x, %x : f32  return %0 : f32 }
        func.func @main(%a: f32) -> f32 { %0 = arith.addf %a, %a : f32  return %0 : f32 }
    """

    name = "inline"
    numerics = EXACT
    statistics = {"inline": "calls replaced by the body"}
    needs_module = True
    max_ops: int = 200_000

    def run(self, op: Op) -> None:
        functions = {f.sym_name: f for block in op.region.blocks for f in block if isinstance(f, Func)}
        calls = {f: [c for c in f.walk() if isinstance(c, Call)] for f in functions.values()}
        callees = {f: [functions[c.callee] for c in calls[f] if c.callee in functions] for f in calls}
        sizes = {f: sum(1 for _ in f.walk()) for f in calls}
        budget = self.max_ops - sum(sizes.values())
        recursive: set[Func] = set()
        waits = any(isinstance(one, Derivative) for one in op.walk())
        for group in callees_first(callees):
            if len(group) > 1 or group[0] in callees[group[0]]:
                recursive.update(group)
            for caller, call in [(f, c) for f in group for c in calls[f]]:
                callee = functions.get(call.callee)
                if callee is None or callee in recursive or why_kept(call, callee) is not None:
                    continue
                if waits and has_derivatives(callee):
                    continue
                added = sizes[callee] - 3  # without the function, its return and the call
                sizes[caller] += added
                budget -= added
                if budget < 0:
                    raise LimitError(f"inline: the module would get more than {self.max_ops} ops", call.location)
                if actions.begin("inline", call):
                    inline_call(call, callee)
                    actions.end()
            for caller in group:
                _merge_reads(caller)


def why_kept(call: Call, callee: Func) -> str | None:
    """Why the call stays a call, and what to do; None if the body can stand in its place."""
    if callee.is_declaration:
        return "has no body here; write it"
    if len(callee.body_region.blocks) != 1:
        return "has more than one block, so inline leaves it; tir.if, tir.while and tir.scan need no blocks"
    if call.no_inline or callee.no_inline:
        place = "call" if call.no_inline else "function"
        return f"is not inlined, since no_inline stands at the {place}; take that out"
    updated = {op.symbol for op in callee.entry if isinstance(op, Update)}
    if not updated and not any(isinstance(op, Read) for op in callee.entry):
        return None
    caller = call.parent_op
    if not isinstance(caller, Func) or call.parent is not caller.entry:
        return "uses state, so it is inlined at the top level of a function only; call it there"
    again = updated.intersection(op.symbol for op in caller.entry if isinstance(op, Update))
    return f"updates @{min(again)}, as its caller does, so inline leaves it; update it once" if again else None


def _merge_reads(function: Func) -> None:
    """All reads of a variable in a function see the same value, and one of them is enough."""
    first: dict[str, Read] = {}
    for op in () if function.is_declaration else function.entry:
        if isinstance(op, Read) and first.setdefault(op.symbol, op) is not op:
            op.replace_with(first[op.symbol].results)


def inline_call(call: Call, callee: Func) -> None:
    """Puts a copy of the body of `callee`, which is one block, in the place of `call`."""
    mapping: dict[Value, Value] = dict(zip(callee.arguments, call.operands))
    block = call.parent
    assert block is not None
    for op in callee.entry:
        if op is callee.entry.terminator:
            break
        copy = op.clone(mapping)
        for inner in copy.walk():
            inner.location = CallSiteLocation(inner.location, call.location)
        block.insert_before(call, copy)
    call.replace_with([mapping.get(value, value) for value in callee.entry.terminator.operands])
