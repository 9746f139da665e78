"""Loops over elements of tensors, for ops that no element says by itself: what `lower-structured` gives their programs.

    def program(self, p, x):                      # the sum of a vector so far, at each place
        out = p.result()
        zero = p.const(0, out.element)

        def step(i, total):
            total = p.add(total, p.load(x, [i]))
            p.store(out, [i], total)
            return [total]

        p.loop(0, p.size(x, 0), step, changes=[out], carry=[zero])
        return [out]

becomes `scf.for` with the tensors that it changes as carried values, `tensor.extract` and `tensor.insert`. In a program
that may call a library, `info = p.call("potrf", True, matrix)` becomes a `func.call` of a private declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects import arith, func, scf, tensor
from tir.dialects.scalar import Scalar, ScalarBuilder, ScalarLike, signless
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.externs import LIBRARY
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.symbols import SymbolTable
from tir.ir.types import DYNAMIC, F32, I1, I32, INDEX, TensorType, Type, element_type
from tir.passes.library_use import declaration_of
from tir.passes.loop_builder import counted_loop
from tir.passes.structured import SizeOf, filled, lowered_type

__all__ = ["Buffer", "LoopProgram"]

Carried = Sequence[Scalar]
Step = Callable[..., "Carried | None"]
Size = Scalar | int


class Buffer:
    """A tensor that a program changes: `value` is its present state. element: the type with its sign."""

    __slots__ = ("element", "value")

    def __init__(self, value: Value, element: Type) -> None:
        self.value, self.element = value, element


class LoopProgram(ScalarBuilder):
    """A scalar builder with loops and tensors that change.

    types, dynamic: of the results of `op`, and their open sizes. size_of, lowered: see `generic`. symbols: of the
    module, for a program that calls library functions.
    """

    def __init__(
        self, builder: Builder, op: Op, types: Sequence[TensorType], dynamic: Sequence[Value], size_of: SizeOf,
        lowered: dict[Value, Value], symbols: SymbolTable | None = None,
    ) -> None:  # fmt: skip
        super().__init__(builder, size_of=lambda value, axis: size_of(self.outside, value, axis))
        self.outside = Builder(builder.block, builder.anchor, builder.location)
        self.op, self.types, self.dynamic, self.lowered, self.symbols = op, types, dynamic, lowered, symbols

    # --- tensors -----------------------------------------------------------------------------------------------------

    def result(self, number: int = 0, fill: Any = None) -> Buffer:
        """A new tensor of the type of a result; fill: the number that is everywhere in it."""
        return self._buffer(self.types[number], self.dynamic, element_type(self.op.results[number].type), fill)

    def scratch(self, shape: Sequence[Size], element: Type, fill: Any = None) -> Buffer:
        """A new tensor for the program's own use."""
        dims = tuple(size if isinstance(size, int) else DYNAMIC for size in shape)
        dynamic = [size.value for size in shape if isinstance(size, Scalar)]
        return self._buffer(TensorType(dims, signless(element)), dynamic, element, fill)

    def _buffer(self, type: TensorType, dynamic: Sequence[Value], element: Type, fill: Any) -> Buffer:
        if fill is None:
            return Buffer(self.builder.create(tensor.Empty, list(dynamic), result_types=[type]), element)
        return Buffer(filled(self.builder, fill, element, type, dynamic), element)

    def copy(self, x: Value) -> Buffer:
        """A tensor that starts with the elements of an operand."""
        return Buffer(self.lowered.get(x, x), element_type(x.type))

    def load(self, x: Buffer | Value, indices: Sequence[ScalarLike]) -> Scalar:
        """An element; the indices must lie inside."""
        value, element = (x.value, x.element) if isinstance(x, Buffer) else (self.lowered.get(x, x), element_type(x.type))
        made = self.builder.create(tensor.Extract, value, self._places(indices), result_types=[signless(element)])
        return Scalar(made, element)

    def store(self, x: Buffer, indices: Sequence[ScalarLike], element: ScalarLike) -> None:
        """Changes an element; the indices must lie inside."""
        number = self.scalar(element, None) if isinstance(element, (Scalar, Value)) else self.const(element, x.element)
        assert signless(number.type) is signless(x.element), f"{number.type} into a tensor of {x.element}"
        made = [lowered_type(x.value.type)]
        x.value = self.builder.create(tensor.Insert, number.value, x.value, self._places(indices), result_types=made)

    def _places(self, indices: Sequence[ScalarLike]) -> list[Value]:
        return [self._place(i).value for i in indices]

    def _place(self, i: ScalarLike) -> Scalar:
        return self.const(i, INDEX) if isinstance(i, int) else self.cast(i, INDEX)

    def call(self, routine: str, *arguments: Buffer | bool) -> Scalar | None:
        """Calls a library function (`tir/dialects/library.py`), which changes some of the buffers; its info, if any."""
        assert self.symbols is not None, f"{self.op.name} may not call a library here"
        element = next(x.element for x in arguments if isinstance(x, Buffer))
        function = LIBRARY[("s" if element is F32 else "d") + routine]
        values = [x.value if isinstance(x, Buffer) else self._flag(x) for x in arguments]
        types = [lowered_type(value.type) for value in values]
        callee = declaration_of(self.symbols, function, types)
        results = [*(types[i] for i in function.written), *([I32] if function.has_info else [])]
        made = self.builder.op(func.Call, values, callee=callee, result_types=results)
        for position, result in zip(function.written, made.results):
            arguments[position].value = result  # type: ignore[union-attr]
        return Scalar(made.results[-1], I32) if function.has_info else None

    def _flag(self, x: bool) -> Value:
        return self.builder.create(arith.Constant, value=IntegerAttr(int(x), I1))

    # --- control -----------------------------------------------------------------------------------------------------

    def sum(self, start: ScalarLike, stop: ScalarLike, term: Callable[[Scalar], Scalar], element: Type) -> Scalar:
        """The sum of `term(i)` for i from start to stop, added in any order."""

        def step(i: Scalar, total: Scalar) -> list[Scalar]:
            found = term(i)
            before, self.fastmath = self.fastmath, "reassoc"
            total = self.add(total, found)
            self.fastmath = before
            return [total]

        return self.loop(start, stop, step, carry=[self.const(0, element)])[0]

    def loop(
        self, start: ScalarLike, stop: ScalarLike, step: Step, *, changes: Sequence[Buffer] = (), carry: Carried = (),
        by: ScalarLike = 1,
    ) -> list[Scalar]:  # fmt: skip
        """`step(i, *carried)` for i from start to stop; it gives the next carried numbers. Their last ones.

        changes: the buffers that it writes to.
        """
        low, high, stride = (self._place(x).value for x in (start, stop, by))
        types, initial = self._types(changes, carry), self._values(changes, carry)

        def body(index: Value, arguments: Sequence[Value]) -> list[Value]:
            carried = step(Scalar(index, INDEX), *self._enter(arguments, changes, carry))
            return self._values(changes, carried or ())

        return self._enter(counted_loop(self.builder, low, high, stride, initial, body, types), changes, carry)

    def nest(self, sizes: Sequence[ScalarLike], step: Step, *, changes: Sequence[Buffer] = ()) -> None:
        """`step(indices)` for each place in a box of these sizes, the last index fastest."""
        places: list[Scalar] = []

        def inner(axis: int) -> None:
            if axis == len(sizes):
                step(list(places))
                return

            def one(i: Scalar) -> None:
                places.append(i)
                inner(axis + 1)
                places.pop()

            self.loop(0, sizes[axis], one, changes=changes)

        inner(0)

    def when(
        self, condition: Scalar, then: Callable[[], Carried | None], otherwise: Callable[[], Carried | None] | None = None,
        *, changes: Sequence[Buffer] = (), like: Carried = (),
    ) -> list[Scalar]:  # fmt: skip
        """Runs one of the two, which give numbers of the types of `like`."""
        before = [buffer.value for buffer in changes]
        regions = []
        for branch in (then, otherwise or (lambda: None)):
            block = Block([])
            for buffer, value in zip(changes, before):
                buffer.value = value
            with self.builder.at(block, None):
                self._leave(changes, branch())
            regions.append(Region([block]))
        types = self._types(changes, like)
        for buffer, value in zip(changes, before):
            buffer.value = value
        made = self.builder.op(scf.If, condition.value, result_types=types, regions=regions)
        return self._enter(made.results, changes, like)

    def repeat(
        self, test: Callable[..., Scalar], step: Step, *, changes: Sequence[Buffer] = (), carry: Carried = ()
    ) -> list[Scalar]:
        """`step(*carried)` while `test(*carried)` holds, which is asked first and writes nothing."""
        types = self._types(changes, carry)
        before, after = Block(types), Block(types)
        initial = self._values(changes, carry)
        with self.builder.at(before, None):
            carried = self._enter(before.arguments, changes, carry)
            holds = test(*carried)
            self.builder.op(scf.Condition, holds.value, list(before.arguments), result_types=[])
        with self.builder.at(after, None):
            carried = self._enter(after.arguments, changes, carry)
            self._leave(changes, step(*carried))
        regions = [Region([before]), Region([after])]
        made = self.builder.op(scf.While, initial, result_types=types, regions=regions)
        return self._enter(made.results, changes, carry)

    def _types(self, changes: Sequence[Buffer], carry: Carried) -> list[Type]:
        """Their types below the tensor level: an argument of the function has still the one above."""
        return [lowered_type(value.type) for value in self._values(changes, carry)]

    def _values(self, changes: Sequence[Buffer], carry: Carried) -> list[Value]:
        return [*(buffer.value for buffer in changes), *(scalar.value for scalar in carry)]

    def _enter(self, values: Sequence[Value], changes: Sequence[Buffer], carry: Carried) -> list[Scalar]:
        """The buffers and carried numbers are these values from here on."""
        for buffer, value in zip(changes, values):
            buffer.value = value
        return [Scalar(value, scalar.type) for scalar, value in zip(carry, values[len(changes) :])]

    def _leave(self, changes: Sequence[Buffer], carried: Carried | None) -> None:
        self.builder.op(scf.Yield, self._values(changes, carried or ()), result_types=[])
