"""Reverse mode: adjoints of values from those of what is computed from them. Part of `autodiff`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from tir.dialects.func import Call
from tir.dialects.tir.base import NotDifferentiable
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control import Control
from tir.dialects.tir.control_gradients import backward, differentiable_form, inputs_of, is_float
from tir.dialects.tir.shape import DimOp
from tir.ir.errors import NameLocation, PassError
from tir.ir.ir import Block, Op, Value
from tir.ir.traits import is_removable
from tir.passes.custom_derivatives import Place, custom_derivative, why_not
from tir.passes.dependence import path_between, ways_in

__all__ = ["Reverse", "Steps", "check_differentiable", "drop_unused", "transposed", "value_name"]

#: What computes derivatives asks for those inside of regions by yielding more of its kind, so that nothing recurses.
Steps = Generator[Any, Any, "list[Tensor | None]"]


def drop_unused(first: Op | None, last: Op | None) -> None:
    """Erases the ops from `first` to `last` of a block that nothing uses."""
    while last is not None:
        op, last = last, None if last is first else last.previous
        if not op.is_used and is_removable(op):
            op.erase()


class Reverse:
    """Reverse mode in one block, up to the insertion point of `b`; regions are differentiated in turn.

    place: what asks. within: where `b` builds elsewhere than in the block that is differentiated,
    such as in a loop behind it: this block, and the op in front of which it counts.
    """

    def __init__(self, b: TensorBuilder, place: Place, within: tuple[Block, Op | None] | None = None) -> None:
        self.b, self.place = b, place
        self.within = within
        self.adjoints = _Adjoints(b)
        self._depends: set[Value] = set()

    def steps(self, seeds: Sequence[tuple[Value, Tensor]], wrt: Sequence[Value], constants: Sequence[Value] = ()) -> Steps:
        """The adjoints of `wrt`, None where it is 0, from those of other values of the block.

        constants: results of leaves whose operands get nothing from them.
        """
        needed = [value for value, _ in seeds]
        path = self._differentiable_path(needed, wrt, constants)
        check_differentiable(path, wrt, needed, self.place)
        for value, part in seeds:
            self.adjoints.add(value, self.b.tensor(part))
        for op in reversed(path):
            self.b.location = NameLocation(f"gradient of {op.name}", op.location)
            given = [self.adjoints.of(result) for result in op.results]
            if all(g is None for g in given):
                continue
            if isinstance(op, Control):
                parts = yield self._region_parts(op, given)
            elif isinstance(op, Call):
                parts = yield self._call_parts(op, given)
            else:
                parts = _parts(op, self.b, given)
            for value, part in parts:
                self.adjoints.add(value, part)
        self.b.location = self.place.op.location
        return [self.adjoints.of(value) for value in wrt]

    def _region_parts(self, op: Control, given: Sequence[Tensor | None]) -> Generator[Any, Any, Any]:
        """What an op with regions hands back; it asks for the adjoints inside its regions."""
        steps = backward(op, self, given)
        answer: Any = None
        while True:
            try:
                request = steps.send(answer)
            except StopIteration as done:
                return done.value
            answer = yield Reverse(self.builder(request.block), self.place).steps(request.seeds, request.wrt)

    def _call_parts(self, op: Call, given: Sequence[Tensor | None]) -> Generator[Any, Any, Any]:
        """What a function with a derivative of its own hands back."""
        custom = custom_derivative(op, self.place)
        assert custom is not None, op.callee
        if custom.vjp is not None:
            pairs = [(value, g) for value, g in zip(op.results, given) if value in custom.float_results]
            found = custom.adjoints(self.b, [self.b.full_like(v, 0) if g is None else g for v, g in pairs])
            return [(value, self.b.tensor(part)) for value, part in zip(custom.float_operands, found)]
        seeds = [given[value.index] for value in custom.float_results]  # type: ignore[attr-defined]
        place = self.place.transposed(custom)
        made = yield transposed(self.b, place, custom.float_operands, custom.tangents, seeds)
        return [(value, part) for value, part in zip(custom.float_operands, made) if part is not None]

    # --- what `backward` sees of the pass ----------------------------------------------------------------------------

    def depends(self, value: Value) -> bool:
        return value in self._depends and is_float(value)

    def builder(self, block: Block) -> TensorBuilder:
        return TensorBuilder(block, None, self.b.location)

    def drop_unused(self, block: Block) -> None:
        drop_unused(block.first, block.last)

    def note_repeated(self, block: Block) -> None:
        self.place.repeated.extend(result for op in block for result in op.results)

    # --- the ops that matter -----------------------------------------------------------------------------------------

    def _differentiable_path(self, needed: Sequence[Value], wrt: Sequence[Value], constants: Sequence[Value]) -> list[Op]:
        """The path to the values, of ops that have a gradient."""
        block, stop = self.within or (self.b.block, self.b.anchor)
        assert block is not None
        while True:
            path, self._depends = path_between(block, stop, wrt, needed, constants)
            replaced = False
            for op in path:
                try:
                    new = differentiable_form(op, TensorBuilder(op.parent, op, op.location))
                except PassError as error:
                    raise self.place.error(error, _way(op, path, wrt, needed)) from None
                if new is not None:
                    op.hand_over(new)  # type: ignore[arg-type]
                    replaced = True
            if not replaced:
                return path


# --- what has no gradient --------------------------------------------------------------------------------------------


def check_differentiable(path: Sequence[Op], wrt: Sequence[Value], needed: Sequence[Value], place: Place) -> None:
    """PassError if an op of the path from `wrt` to `needed` has no gradient. place: what asks."""
    for op in path:
        rule = getattr(op, "grad", NotDifferentiable("tir knows no rule for it"))
        if isinstance(rule, NotDifferentiable) and not isinstance(op, Control):
            hint = None
            if isinstance(op, Call):
                if custom_derivative(op, place) is not None:
                    continue
                hint = why_not(op, place.symbols)
            error = PassError(f"{op.name} has no gradient: {rule.why}", op.location, hint=hint)
            raise place.error(error, _way(op, path, wrt, needed))


MAX_SHOWN = 4  # ops of a way on each side of the one that it is about


def _way(op: Op, path: Sequence[Op], wrt: Sequence[Value], needed: Sequence[Value]) -> str:
    """`%x -> tir.exp -> tir.argmax -> tir.cast -> %c`: a way from `wrt` through the op to `needed`."""
    start, end, on_path = set(wrt), set(needed), set(path)
    makers = {result: one for one in path for result in one.results}
    before, after = [op], [op]
    while start.isdisjoint(ways_in(before[-1])):
        before.append(next(makers[value] for value in ways_in(before[-1]) if value in makers))
    while end.isdisjoint(after[-1].results):
        users = (_in_block(user, op.parent) for result in after[-1].results for user in result.users)
        after.append(next(user for user in users if user in on_path))
    first = next(value for value in ways_in(before[-1]) if value in start)
    last = next(value for value in after[-1].results if value in end)
    ops = [*_shortened(before)[::-1], *_shortened(after)[1:]]
    return " -> ".join([value_name(first, "wrt"), *ops, value_name(last, "the result")])


def _shortened(ops: Sequence[Op]) -> list[str]:
    names = [one.name for one in ops]
    return names if len(names) <= MAX_SHOWN else [*names[: MAX_SHOWN - 1], "..", names[-1]]


def _in_block(op: Op, block: Block | None) -> Op:
    """The op of the block that `op` is, or is inside of."""
    return op if op.parent is block else next(one for one in op.ancestors() if one.parent is block)


def value_name(value: Value, otherwise: str) -> str:
    """The name of the value, or what stands for it in a sentence if it has none."""
    return f"%{value.hint}" if value.hint else otherwise


def _parts(op: Op, b: TensorBuilder, given: Sequence[Tensor | None]) -> list[tuple[Value, Tensor]]:
    """What the op hands back from the adjoint of its result to those of its operands.

    An op with several results gets a list of adjoints, None for a result that the cost does not depend on. Parts for
    operands that do not depend on `wrt` are never asked for, and dropped in the end.
    """
    operands = op.operands
    g = given if len(given) > 1 else given[0]
    parts = op.grad(b, g, *(Tensor(b, value) for value in operands))  # type: ignore[attr-defined]
    if not isinstance(parts, (list, tuple)) or len(parts) != len(operands):
        got = len(parts) if isinstance(parts, (list, tuple)) else repr(parts)
        raise PassError(f"{op.name}: grad must give a list of {len(operands)}, one for each operand, got {got}", op.location)
    return [(value, part) for value, part in zip(operands, parts) if part is not None]


def transposed(
    b: TensorBuilder, place: Place, inputs: Sequence[Value],
    linear: Callable[[TensorBuilder, Sequence[Tensor]], Sequence[Value | None]], given: Sequence[Tensor | None],
) -> Steps:  # fmt: skip
    """The product of `given` with a linear function, from the other side: its adjoints at inputs like these.

    linear: builds the function of inputs of these types, at the builder that it gets; its results are as many as `given`.
    A function that is not linear has adjoints that depend on its inputs, which is a PassError.
    """
    scratch = Block([])
    inner = TensorBuilder(scratch, None, b.location)
    variables = [inner.full_like(value, 0) for value in inputs]
    values = linear(inner, variables)
    seeds = [(value, g) for value, g in zip(values, given) if value is not None and g is not None]
    last = TensorBuilder(scratch, None, b.location)
    found = yield Reverse(last, place).steps(seeds, [variable.value for variable in variables])
    kept = [None if part is None else part.value for part in found]
    if (op := _user_of([variable.value for variable in variables], kept)) is not None:
        raise place.not_linear(op)
    _move(scratch, kept, b)
    return [None if value is None else b.tensor(value) for value in kept]


def _user_of(variables: Sequence[Value], kept: Sequence[Value | None]) -> Op | None:
    """An op that takes one of the variables, beside its sizes, on the way to what is kept; None if there is none."""
    pending = [value.op for value in kept if value is not None and value.op is not None]
    seen = set(pending)
    while pending:
        op = pending.pop()
        if isinstance(op, DimOp):
            continue
        for value in inputs_of(op):
            if value in variables:
                return op
            if value.op is not None and value.op not in seen:
                seen.add(value.op)
                pending.append(value.op)
    return None


def _move(scratch: Block, kept: Sequence[Value | None], b: TensorBuilder) -> None:
    """Puts the ops of the block that make `kept` where the builder inserts."""
    needed = {value for value in kept if value is not None}
    for op in list(scratch.reversed_ops()):
        if needed.isdisjoint(op.results):
            op.erase()
        else:
            needed.update(inputs_of(op))
    for op in list(scratch):
        op.detach()
        b.insert(op)


class _Adjoints:
    """The derivative of the cost by each value, as the parts that its uses hand back."""

    def __init__(self, b: TensorBuilder) -> None:
        self.b = b
        self.parts: dict[Value, list[Tensor]] = {}

    def add(self, value: Value, part: Tensor) -> None:
        """One more part."""
        self.parts.setdefault(value, []).append(part)

    def of(self, value: Value) -> Tensor | None:
        """The sum of the parts, in the type of the value; None if there are none. Later parts are lost."""
        parts = self.parts.get(value)
        if parts is None:
            return None
        if any(part.type is not parts[0].type for part in parts):
            # A number in one of them, and a name in another, may be the same size.
            parts = [self._fitted(part, value) for part in parts]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        total = self._fitted(total, value)
        if total.value.hint is None and value.hint is not None:
            total.value.hint = f"d_{value.hint}"
        self.parts[value] = [total]
        return total

    def _fitted(self, part: Tensor, value: Value) -> Tensor:
        """A part in the type of the value, where a size is `?` in one of the two and known in the other."""
        return part if part.type is value.type else self.b.reshape(part, self.b.shape(value))
