"""`tir.vmap`: a function of one element as one of a batch of them.

    rows = tir.vmap(lambda x: x / np.linalg.norm(x))(matrix)
    each = tir.vmap(tir.grad(loss), in_axes=(None, 0, 0))(w, x, y)

The function is traced once, with an element of each argument; then each of its ops is replaced by one on the batch, as
its facet `of_batch` says. An op that has none runs in a loop along the batch, with what is inside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from tir.api import Builder, caller_location
from tir.calls import for_users
from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.build.control import check_takes
from tir.dialects.tir.build.core import Tensor, is_tensor_like, told
from tir.dialects.tir.control import Checkpoint, If, Scan
from tir.dialects.tir.state import Derivative, Update
from tir.ir.define import create
from tir.ir.errors import TirError
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.types import DYNAMIC, TensorType, dim_text
from tir.numpy.arrays import builder_of
from tir.passes.autodiff import expand_gradients
from tir.tracing import Jitted
from tir.trees import flat, labelled, mapped

__all__ = ["vmap"]


@for_users
def vmap(function: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """The function, for a batch of arguments: what it gives for each element of the batch, stacked.

    in_axes: along which axis of each argument the batch is; None for one that is the same for all. One for all
    arguments, or a tuple with one for each, which for an argument that is a tree may be a tree, too. Arguments by name
    have the batch along axis 0. out_axes: along which axis of the results it is; None where all are the same.

    It works on arrays, where it is compiled, in traced functions and on tensors of a `tir.Builder`; it nests with
    itself, `tir.grad` and the others, and `tir.jit`.
    """
    if not callable(function):
        raise _error(f"takes a function, got {told(function)}")
    for what, axes in (("in_axes", in_axes), ("out_axes", out_axes)):
        for axis in flat(axes):
            if axis is not None and (not isinstance(axis, int) or isinstance(axis, bool)):
                raise _error(f"{what} must be whole numbers or None, or trees of them, got {told(axes)}")

    @wraps(function)
    def of_batch(*arguments: Any, **named: Any) -> Any:
        b = builder_of(arguments, named)
        if b is None:
            return compiled(*arguments, **named)
        return _Mapped(b, function, in_axes, out_axes).call(arguments, named)

    compiled = Jitted(of_batch, "tir.vmap", is_transform=True)
    return of_batch


def _error(message: str, hint: str | None = None) -> TirError:
    return TirError(f"tir.vmap: {message}", caller_location(), hint=hint)


class _Mapped:
    """One call of a function for a batch."""

    def __init__(self, b: Any, function: Callable[..., Any], in_axes: Any, out_axes: Any) -> None:
        self.b, self.function, self.in_axes, self.out_axes = b, function, in_axes, out_axes
        self.size: Any = None
        self.size_of = ""

    def call(self, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """The results for the batch."""
        whole = [self._batches(number, argument) for number, argument in enumerate(arguments)]
        words = {name: self._moved(name, tree, 0) for name, tree in named.items()}
        if self.size is None:
            raise _error("no argument has a batch: in_axes are None for all", "call the function itself")
        batches = [x for x in flat((whole, words)) if isinstance(x, _Batch)]
        block = Block([batch.element_type for batch in batches])
        found = self._traced(block, batches, whole, words)
        results = _Ops(self.b, self.size).run(block, [batch.tensor for batch in batches], self._tensors(block, found))
        rest = iter(results)
        axes = _spread("out_axes", self.out_axes, found)
        turned = iter([self._placed(next(rest), axis) if x is not None else None for x, axis in zip(flat(found), axes)])
        return mapped(lambda _: next(turned), found)

    # --- arguments ---------------------------------------------------------------------------------------------------

    def _batches(self, number: int, tree: Any) -> Any:
        axes = self.in_axes
        if isinstance(axes, (list, tuple)):
            if number >= len(axes):
                raise _error(f"in_axes must have one for each argument, got {told(axes)} for argument {number}")
            axes = axes[number]
        return self._moved(f"argument {number}", tree, axes)

    def _moved(self, label: str, tree: Any, axes: Any) -> Any:
        """The tree with a `_Batch` for each tensor that has one."""
        rest = iter(_spread("in_axes", axes, tree))
        parts = iter([self._batch(name, x, next(rest)) for name, x in labelled(label, tree)])
        return mapped(lambda _: next(parts), tree)

    def _batch(self, label: str, x: Any, axis: int | None) -> Any:
        if axis is None or x is None:
            return x
        if not is_tensor_like(x):
            raise _error(f"{label} must be an array, got {told(x)}", "in_axes=None hands it on as it is")
        tensor = self.b.tensor(x)
        rank = tensor.type.rank
        if not -rank <= axis < rank:
            raise _error(f"{label} has no axis {axis}, it is {tensor.type}", "in_axes=None hands it on as a whole")
        axis %= rank
        tensor = self.b.transpose(tensor, [axis, *(i for i in range(rank) if i != axis)])
        self._check_size(label, tensor)
        return _Batch(tensor)

    def _check_size(self, label: str, x: Tensor) -> None:
        """TirError unless all batches may have one size; a size that is known counts for all."""
        dim, have = x.type.shape[0], self.size
        if have is None or (not isinstance(have, int) and isinstance(dim, int)):
            self.size, self.size_of = self.b.shape(x)[0], self.size_of or label
        elif dim is not DYNAMIC and not hasattr(have, "axis") and have != dim:
            got = f"{dim_text(have)} ({self.size_of}) and {dim_text(dim)} ({label})"
            raise _error(f"the batches must have one size, got {got}")

    # --- results -----------------------------------------------------------------------------------------------------

    def _traced(self, block: Block, batches: Sequence[_Batch], whole: Sequence[Any], words: dict[str, Any]) -> Any:
        """What the function gives for an element, whose ops stand in the block."""
        elements = dict(zip(map(id, batches), block.arguments))

        def element(x: Any) -> Any:
            return self.b.tensor(elements[id(x)]) if isinstance(x, _Batch) else x

        arguments, named = mapped(element, list(whole)), mapped(element, words)
        check_takes("tir.vmap: the function", self.function, len(arguments), named, caller_location())
        with self.b.at(block):
            return self.function(*arguments, **named)

    def _tensors(self, block: Block, found: Any) -> list[Tensor]:
        results = []
        with self.b.at(block):
            for x in flat(found):
                if x is not None and not is_tensor_like(x):
                    raise _error(f"the function must give arrays or trees of them, got {told(x)}")
                if x is not None:
                    results.append(self.b.tensor(x))
        return results

    def _placed(self, found: tuple[Tensor, bool], axis: int | None) -> Any:
        """A result with the batch where it is wanted."""
        x, is_batched = found
        if axis is None:
            if is_batched:
                message = f"a result is not the same for all elements of the batch, it is {x.type}"
                raise _error(message, hint="out_axes=0 stacks it")
            return x
        x = x if is_batched else self.b.broadcast(x, range(1, x.type.rank + 1), [self.size, *self.b.shape(x)])
        rank = x.type.rank
        if not -rank <= axis < rank:
            raise _error(f"out_axes: a result has no axis {axis}, it is {x.type}")
        order = list(range(1, rank))
        order.insert(axis % rank, 0)
        return self.b.transpose(x, order)


class _Batch:
    """An argument with the batch in front."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    @property
    def element_type(self) -> TensorType:
        """The type of one element."""
        return self.tensor.type.with_shape(self.tensor.type.shape[1:])


def _spread(what: str, axes: Any, tree: Any) -> list[Any]:
    """An axis for each that is in a tree: those of trees in front of it count for all that is behind."""
    if axes is None or isinstance(axes, int):
        return [axes] * len(flat(tree))
    parts = list(tree.values()) if isinstance(tree, dict) else tree
    given = [axes.get(name) for name in tree] if isinstance(tree, dict) and isinstance(axes, dict) else axes
    if not isinstance(parts, (list, tuple)) or isinstance(given, dict) or len(given) != len(parts):
        raise _error(f"{what} must have the form of what they are for, got {told(axes)}")
    return [axis for one, part in zip(given, parts) for axis in _spread(what, one, part)]


# --- ops -------------------------------------------------------------------------------------------------------------


class _Ops:
    """The ops of a block, one after another, as ops on a batch. known: what has become of a value, if it has a batch."""

    def __init__(self, b: Any, size: Any) -> None:
        self.b, self.size = b, size
        self.known: dict[Value, tuple[Tensor, bool]] = {}

    def run(self, block: Block, batches: Sequence[Tensor], results: Sequence[Tensor]) -> list[tuple[Tensor, bool]]:
        """The results of the block, in the block that the builder writes. The block is not to be used behind this."""
        values = [x.value for x in results]
        ops, arguments = block.ops, list(block.arguments)
        if any(isinstance(op, Derivative) for op in _walk(ops)):
            module, arguments, ops, values = self._expanded(block, values)
        self.known.update((argument, (x, True)) for argument, x in zip(arguments, batches))
        for op in ops:
            self._run(op)
        found = [self._value(value) for value in values]
        for op in ops:
            op.drop_uses()
        return found

    def _expanded(self, block: Block, values: Sequence[Value]) -> tuple[Module, list[Any], list[Op], list[Value]]:
        """The same in a module of its own, without derivatives."""
        used = dict.fromkeys([*(value for op in block for value in _from_outside(op)), *values])
        outside = [value for value in used if value.block is not block]
        module: Module = create(Module, regions=[Region([Block()])])
        for other in self.b.module.body:
            if isinstance(other, Func) and other.entry is not self._outermost():
                module.body.append(other.clone())
        inputs = [*block.arguments, *outside]
        function = Func.make("vmap", [x.type for x in inputs], [x.type for x in values])
        mapping: dict[Any, Any] = dict(zip(inputs, function.arguments))
        for op in block:
            function.entry.append(op.clone(mapping))
        function.entry.append(create(Return, [mapping[x] for x in values]))
        module.body.append(function)
        for op in block.ops:
            op.drop_uses()
        expand_gradients(module)
        count = len(block.arguments)
        self.known.update((new, (self.b.tensor(old), False)) for old, new in zip(outside, function.arguments[count:]))
        last = function.entry.terminator
        return module, list(function.arguments[:count]), [op for op in function.entry if op is not last], list(last.operands)

    def _outermost(self) -> Block | None:
        """The first block of the function that is being written."""
        return self.b._function.entry if isinstance(self.b, Builder) and self.b._function is not None else None

    def _value(self, value: Value) -> tuple[Tensor, bool]:
        return self.known.get(value) or (self.b.tensor(value), False)

    def _run(self, op: Op) -> None:
        """Builds what the op becomes, and keeps its results."""
        given = [self._value(value) for value in op.operands]
        inside = {value: self._value(value) for value in _from_outside(op) if value not in op.operands}
        if not any(is_batched for _, is_batched in (*given, *inside.values())):
            self._copy(op)
            return
        found = self._by_facet(op, given)
        if found is None and not all(isinstance(result.type, TensorType) for result in op.results):
            raise TirError("tir.vmap: a size would differ from element to element of the batch", op.location)
        if found is None:
            found = self._one_by_one(op, dict(zip(op.operands, given)) | inside)
        for result, x in zip(op.results, found):
            self.known[result] = (x, isinstance(x.value.type, TensorType))

    def _by_facet(self, op: Op, given: Sequence[tuple[Tensor, bool]]) -> Sequence[Tensor] | None:
        """The results of the op on the batch; None if there is no such form of it."""
        if isinstance(op, (If, Scan, Checkpoint)):
            return self._with_regions(op, given)
        batch = getattr(op, "of_batch", None)
        return None if batch is None else batch(self.b, [x for x, _ in given], [is_batched for _, is_batched in given])

    def _with_regions(self, op: If | Scan | Checkpoint, given: Sequence[tuple[Tensor, bool]]) -> Sequence[Tensor] | None:
        """An op whose regions run on the whole batch. Not an `if` that goes one way for some and the other for others."""
        if isinstance(op, Scan):
            return self._scan(op, given)
        if isinstance(op, Checkpoint):
            return self.b.checkpoint(lambda: self._region(op.body, ()))
        if given[0][1] or not all(region.blocks for region in op.regions):
            return None
        then, otherwise = (region.block for region in op.regions)
        return self.b.if_(given[0][0], lambda: self._region(then, ()), lambda: self._region(otherwise, ()))

    def _scan(self, op: Scan, given: Sequence[tuple[Tensor, bool]]) -> list[Tensor]:
        """The loop with the batch in each carried value, and behind axis 0 of the sequences that have one."""
        count = len(op.inits)
        inits = [self._spread(*pair) for pair in given[:count]]
        sequences = [
            self.b.transpose(x, [1, 0, *range(2, x.type.rank)]) if is_batched else x for x, is_batched in given[count:]
        ]  # fmt: skip
        are_batched = [*[True] * count, *(is_batched for _, is_batched in given[count:])]

        def step(*values: Tensor) -> Any:
            found = self._region(op.body, list(zip(values, are_batched)))
            return found[:count], found[count:]

        facts = {"reverse": bool(op.reverse), "truncate": op.truncate, "checkpoint": op.checkpoint}
        last, stacks = self.b.scan(step, inits, sequences, **facts)
        return [*last, *(self.b.transpose(x, [1, 0, *range(2, x.type.rank)]) for x in stacks)]

    def _region(self, block: Block, arguments: Sequence[tuple[Tensor, bool]]) -> list[Tensor]:
        """What a block yields, all of it with a batch, built where the builder stands."""
        inner = _Ops(self.b, self.size)
        inner.known = self.known | dict(zip(block.arguments, arguments))
        last = block.terminator
        for op in block:
            if op is not last:
                inner._run(op)
        return [self._spread(*inner._value(value)) for value in last.operands]

    def _spread(self, x: Tensor, is_batched: bool) -> Tensor:
        """x with a batch, whether it has one or not."""
        return x if is_batched else self.b.broadcast(x, range(1, x.type.rank + 1), [self.size, *self.b.shape(x)])

    def _copy(self, op: Op) -> None:
        mapping = {value: x.value for value, (x, _) in self.known.items()}
        copy = self.b.insert(op.clone(mapping))
        self.known.update((old, (self.b.tensor(new), False)) for old, new in zip(op.results, copy.results))

    def _one_by_one(self, op: Op, values: dict[Value, tuple[Tensor, bool]]) -> list[Tensor]:
        """The op in a loop along the batch."""
        if isinstance(op, Update):
            raise TirError("tir.vmap: a shared variable cannot get a value for each element of a batch", op.location)
        batched = [value for value, (_, is_batched) in values.items() if is_batched]
        fixed = {value: x.value for value, (x, is_batched) in values.items() if not is_batched}

        def step(*elements: Tensor) -> Any:
            mapping = {**fixed, **{value: x.value for value, x in zip(batched, elements)}}
            copy = self.b.insert(op.clone(mapping))
            return [], [self.b.tensor(result) for result in copy.results]

        _, stacks = self.b.scan(step, [], [values[value][0] for value in batched])
        return stacks


def _walk(ops: Sequence[Op]) -> Any:
    """The ops, and all inside of them."""
    for op in ops:
        yield from op.walk()


def _from_outside(op: Op) -> list[Value]:
    """What the op and those inside of it use and do not make."""
    inner = list(op.walk())
    made: set[Value] = {result for one in inner for result in one.results}
    made |= {argument for one in inner for region in one.regions for part in region.blocks for argument in part.arguments}
    return list(dict.fromkeys(value for one in inner for value in one.operands if value not in made))


