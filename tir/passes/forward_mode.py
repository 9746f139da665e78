"""Forward mode: tangents of values from those of what they are computed from. Part of `autodiff`.

The tangent of an elementwise op is what its gradient gives for the tangent of an operand in place of the adjoint, since
its Jacobian is diagonal. Of any other op it is the gradient of its gradient, which is linear in the adjoint: so there are
no rules for forward mode, and it is right wherever reverse mode is to second order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.func import Call
from tir.dialects.tir.base import Elementwise
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control import Checkpoint, Control, If, Scan, While, Yield
from tir.dialects.tir.control_gradients import captured, copied, derivative_hint, inputs_of, is_float
from tir.ir.errors import NameLocation
from tir.ir.ir import Block, Op, Region, Value
from tir.passes.custom_derivatives import Place, custom_derivative
from tir.passes.dependence import path_between
from tir.passes.reverse_mode import Steps, check_differentiable, drop_unused, transposed

__all__ = ["Forward"]

Tangents = Sequence[Tensor | None]


class Forward:
    """Forward mode in one block, at the insertion point of `b`. place, within: as for `Reverse`."""

    def __init__(self, b: TensorBuilder, place: Place, within: tuple[Block, Op | None] | None = None) -> None:
        self.b, self.place = b, place
        self.within = within
        self.tangents: dict[Value, Tensor] = {}

    def steps(self, values: Sequence[Value], wrt: Sequence[Value], tangents: Sequence[Tensor]) -> Steps:
        """The tangents of the values, None where it is 0, from those of `wrt`."""
        b = self.b
        block, stop = self.within or (b.block, b.anchor)
        assert block is not None
        for value, tangent in zip(wrt, tangents):
            self._add(value, b.tensor(tangent))
        path, _ = path_between(block, stop, wrt, values)
        check_differentiable(path, wrt, values, self.place)
        for op in path:
            b.location = NameLocation(f"derivative of {op.name}", op.location)
            given = [self.tangents.get(value) for value in op.operands]
            if isinstance(op, Control):
                found = yield self._of_regions(op)
            elif _is_pointwise(op):
                found = [self._pointwise(op, given)]
            elif all(tangent is None for tangent in given):
                continue
            elif isinstance(op, Call):
                found = yield self._called(op, given)
            else:
                found = yield self._derived(op, given)
            for result, tangent in zip(op.results, found):
                if tangent is not None:
                    self._add(result, self._of_type(tangent, result))
        b.location = self.place.op.location
        return [self.tangents.get(value) for value in values]

    def _add(self, value: Value, tangent: Tensor) -> None:
        """One more part of the tangent: a leaf has a given one and that of what it is made of."""
        known = self.tangents.get(value)
        self.tangents[value] = tangent if known is None else known + tangent

    def _of_type(self, tangent: Tensor, value: Value) -> Tensor:
        if tangent.type is not value.type:  # a size that is `?` in one of the two and known in the other
            tangent = self.b.reshape(tangent, self.b.shape(value))
        if tangent.value.hint is None and value.hint is not None:
            tangent.value.hint = f"d_{value.hint}"
        return tangent

    # --- ops without regions -----------------------------------------------------------------------------------------

    def _pointwise(self, op: Op, given: Tangents) -> Tensor | None:
        """The sum over the operands of what the gradient makes of their tangents."""
        b, total = self.b, None
        operands = [Tensor(b, value) for value in op.operands]
        for i, tangent in enumerate(given):
            part = op.grad(b, tangent, *operands)[i] if tangent is not None else None  # type: ignore[attr-defined]
            if part is not None:
                total = part if total is None else total + part
        return total

    def _derived(self, op: Op, given: Tangents) -> Steps:
        """The gradient, by the adjoint, of the product of the op's gradient with the tangents."""
        floats = [result for result in op.results if is_float(result)]

        def gradient(b: TensorBuilder, adjoints: Sequence[Tensor]) -> list[Value | None]:
            rest = iter(adjoints)
            each = [next(rest) if is_float(result) else None for result in op.results]
            g = each if len(each) > 1 else each[0]
            parts = op.grad(b, g, *(Tensor(b, value) for value in op.operands))  # type: ignore[attr-defined]
            return [None if part is None else part.value for part in parts]

        return self._of_floats(op, (yield transposed(self.b, self.place, floats, gradient, given)))

    def _called(self, op: Call, given: Tangents) -> Steps:
        """What a function with a derivative of its own says."""
        custom = custom_derivative(op, self.place)
        assert custom is not None, op.callee
        tangents = [self.tangents.get(value) for value in custom.float_operands]
        if custom.jvp is None:
            place = self.place.transposed(custom)
            found = yield transposed(self.b, place, custom.float_results, custom.adjoints, tangents)
        else:
            b = self.b
            pairs = zip(custom.float_operands, tangents)
            found = [b.tensor(t) for t in custom.tangents(b, [b.full_like(v, 0) if t is None else t for v, t in pairs])]
        return self._of_floats(op, found)

    def _of_floats(self, op: Op, found: Tangents) -> list[Tensor | None]:
        """One for each result, from those of the results of floats."""
        rest = iter(found)
        return [next(rest) if is_float(result) else None for result in op.results]

    # --- branches and loops ------------------------------------------------------------------------------------------

    def depends(self, value: Value) -> bool:
        return value in self.tangents and is_float(value)

    def _of_regions(self, op: Control) -> Steps:
        if isinstance(op, (If, Checkpoint)):
            return self._once(op)
        return self._scan(op) if isinstance(op, Scan) else self._while(op)  # type: ignore[arg-type]

    def _inside(self, block: Block, values: Sequence[Value], pairs: Sequence[tuple[Value, Value]]) -> Steps:
        """The tangents of values at the end of a region; pairs: what has a tangent there, and the tangent."""
        b = TensorBuilder(block, None, self.b.location)
        found = yield Forward(b, self.place).steps(values, [v for v, _ in pairs], [b.tensor(t) for _, t in pairs])
        return found

    def _end(self, block: Block, values: Sequence[Value]) -> None:
        TensorBuilder(block, None, self.b.location).op(Yield, list(values), result_types=[])
        drop_unused(block.first, block.last)

    def _zero_for(self, block: Block, tangent: Tensor | None, like: Value) -> Value:
        return (TensorBuilder(block, None, self.b.location).full_like(like, 0) if tangent is None else tangent).value

    def _once(self, op: If | Checkpoint) -> Steps:
        """The same branch, or region, of the tangents."""
        pairs = [(value, self.tangents[value].value) for value in captured(op, self.depends)]
        floats = [k for k, result in enumerate(op.results) if is_float(result)]
        found = []
        for block in (region.block for region in op.regions if region.blocks):
            copy = Block([])
            ends = copied(block, copy, {})
            given = yield from self._inside(copy, [ends[k] for k in floats], pairs)
            found.append((copy, ends, dict(zip(floats, given))))
        moved = [k for k in floats if any(tangents[k] is not None for _, _, tangents in found)]
        for copy, ends, tangents in found:
            self._end(copy, [self._zero_for(copy, tangents[k], ends[k]) for k in moved])
        types = [op.results[k].type for k in moved]
        regions = [Region([copy]) for copy, _, _ in found]
        made = self.b.op(type(op), *op.operands, result_types=types, regions=regions).results
        by_result = dict(zip(moved, map(self.b.tensor, made)))
        return [by_result.get(k) for k in range(len(op.results))]

    def _scan(self, op: Scan) -> Steps:
        """The same loop with the tangents of what it carries and reads."""
        count, b = len(op.inits), self.b
        outside = captured(op, self.depends)
        read = [j for j, value in enumerate(op.sequences) if self.depends(value)]
        start = [op.elements[j] for j in read]
        moving = _moving(op.body, op.carried, op.yielded(op.body)[:count], [*outside, *start], op.inits, self.depends)
        block, mapping = Block([]), {}
        for argument in op.carried:
            mapping[argument] = block.add_argument(argument.type, argument.hint)
        slopes = [block.add_argument(op.inits[k].type, derivative_hint(op.carried[k])) for k in moving]
        for argument in op.elements:
            mapping[argument] = block.add_argument(argument.type, argument.hint)
        rises = [block.add_argument(op.elements[j].type, derivative_hint(op.elements[j])) for j in read]
        ends = copied(op.body, block, mapping)
        pairs: list[tuple[Value, Value]] = [(mapping[op.carried[k]], t) for k, t in zip(moving, slopes)]
        pairs += [(mapping[op.elements[j]], t) for j, t in zip(read, rises)]
        pairs += [(value, self.tangents[value].value) for value in outside]
        stacks = [k for k in range(count, len(ends)) if is_float(ends[k])]
        found = yield from self._inside(block, [ends[k] for k in (*moving, *stacks)], pairs)
        slopes_of = dict(zip((*moving, *stacks), found))
        stacks = [k for k in stacks if slopes_of[k] is not None]
        self._end(block, [*ends[:count], *(self._zero_for(block, slopes_of[k], ends[k]) for k in (*moving, *stacks))])
        inits = [*op.inits, *(self._start(op.inits[k]) for k in moving)]
        sequences = [*op.sequences, *(self.tangents[op.sequences[j]].value for j in read)]
        made = b.op(
            Scan, inits, sequences, regions=[Region([block])], reverse=op.reverse, truncate=op.truncate,
            checkpoint=op.checkpoint, result_types=[*(v.type for v in inits), *(op.results[k].type for k in stacks)],
        ).results[count:]  # fmt: skip
        by_result = dict(zip((*moving, *stacks), map(b.tensor, made)))
        return [by_result.get(k) for k in range(len(op.results))]

    def _start(self, init: Value) -> Value:
        known = self.tangents.get(init)
        return (self.b.full_like(init, 0) if known is None else known).value

    def _while(self, op: While) -> Steps:
        """The same loop with the tangents of what it carries; its condition does not ask for them."""
        count, b = len(op.inits), self.b
        asked, body = op.condition_region.block, op.body_region.block
        outside = captured(op, self.depends)
        moving = _moving(body, body.arguments, op.yielded(body), outside, op.inits, self.depends)
        types = [*(value.type for value in op.inits), *(op.inits[k].type for k in moving)]
        condition, block = Block(types), Block(types)
        for old, new in ((asked, condition), (body, block)):
            for argument, same in zip(old.arguments, new.arguments):
                same.hint = argument.hint
        (holds,) = copied(asked, condition, dict(zip(asked.arguments, condition.arguments)))
        self._end(condition, [holds])
        mapping: dict[Any, Any] = dict(zip(body.arguments, block.arguments))
        ends = copied(body, block, mapping)
        pairs: list[tuple[Value, Value]] = [(mapping[body.arguments[k]], t) for k, t in zip(moving, block.arguments[count:])]
        pairs += [(value, self.tangents[value].value) for value in outside]
        found = yield from self._inside(block, [ends[k] for k in moving], pairs)
        self._end(block, [*ends, *(self._zero_for(block, t, ends[k]) for t, k in zip(found, moving))])
        inits = [*op.inits, *(self._start(op.inits[k]) for k in moving)]
        regions = [Region([condition]), Region([block])]
        made = b.op(While, inits, regions=regions, max_trips=op.max_trips).results[count:]
        by_result = dict(zip(moving, map(b.tensor, made)))
        return [by_result.get(k) for k in range(count)]


def _is_pointwise(op: Op) -> bool:
    """Elementwise, and from and to one element type: a cast is not."""
    if not isinstance(op, Elementwise):
        return False
    elements = {value.type.element for value in op.operands if is_float(value)}  # type: ignore[attr-defined]
    return elements == {op.result_type.element}


def _moving(
    body: Block, arguments: Sequence[Value], ends: Sequence[Value], start: Sequence[Value], inits: Sequence[Value],
    depends: Callable[[Value], bool],
) -> list[int]:  # fmt: skip
    """The carried values that have a tangent: at first, or from some step on."""
    known = {*start, *(argument for argument, init in zip(arguments, inits) if depends(init))}
    size = -1
    while size != len(known):
        size = len(known)
        for inner in body:
            if not known.isdisjoint(inputs_of(inner)):
                known.update(inner.results)
        known.update(argument for argument, end in zip(arguments, ends) if end in known and is_float(end))
    return [k for k, argument in enumerate(arguments) if argument in known and is_float(argument)]
