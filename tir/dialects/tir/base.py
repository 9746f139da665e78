"""Families of tensor ops: what their members share, and the facets that generic passes read.

A facet is a method (`define.py` has the fields, `execution.py` has `reference`):

    infer()                  result types from operands and attributes; the verifier compares
    reference(*arrays)       the meaning, in numpy
    grad(b, g, *operands)    the adjoint of each operand (None where it is zero), or a `NotDifferentiable` in its place;
                             of several results `g` is a list, with None for those that have no adjoint
    same_sizes()             axes of operands that have one size                } checked at run time, at all levels,
    size_rules(*shapes)      what else must hold of sizes                       } in the same words
    checked_numbers(b, *operands), number_rules(..)   the same of numbers that elements say, such as an index
    result_shape(*shapes)    the sizes of the result, in types and in lowered code     of a Shaped op
    structure()              the loops around one element, as index maps             } of a Structured op
    element(s, *scalars)     what one output element is, in scalar ops               }
    accumulators(), step()   how a reduction folds its terms                         } of a Reduction
    decompose(b, *operands)  the same in other ops of this dialect                     of a Composite
    of_batch(b, operands, batched)   the op on operands that have a batch as one more axis, see `batch.py`
    program(p, *operands)    the same in loops over elements                         } of a Sequential
    library_program(..)      the same with calls of a library, `library_routine`     }

`b` is a `TensorBuilder` and the operands are its `Tensor`s, so rules are written with operators; `s` is the scalar
builder (`tir/dialects/scalar.py`) and `p` one with loops (`tir/passes/loop_program.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

from tir.dialects.tir.batch import batch_size, behind, in_front, spread_all
from tir.dialects.tir.elements import FLOAT_TENSOR, INTEGERS, NUMBER_TENSOR, may_accumulate, wide_type
from tir.ir.affine import AffineConstant, AffineExpr, AffineMap, AffineSymbol, affine
from tir.ir.define import attribute, operand, result
from tir.ir.errors import TirError, VerifyError
from tir.ir.execution import ExecutionError, Frame
from tir.ir.ir import Op, Value
from tir.ir.kinds import I64_ARRAY, TYPE
from tir.ir.names import check_names_bound, evaluate_dim, size_bindings
from tir.ir.size_rules import SizeRule, check_rules
from tir.ir.traits import Pure
from tir.ir.types import DYNAMIC, Dim, TensorType, Type, dim_text, element_type, shape_names
from tir.lazy import np

__all__ = [
    "Accumulating", "AxisReduction", "Binary", "Composite", "Elementwise", "NotDifferentiable", "Place", "Reduction",
    "Sequential", "Shaped", "Sized", "Structure", "Structured", "TensorOp", "Unary", "check_axes", "check_moderate",
    "common_element", "drop_axes", "fail", "known_sizes", "merge_dims", "merge_shapes", "named_sizes", "negative_size",
    "reduced_type", "same_shapes",
]  # fmt: skip


@dataclass(frozen=True)
class NotDifferentiable:
    """Why an op has no gradient: stands in the place of its `grad`. Completes "tir.argmax has no gradient: "."""

    why: str


@dataclass(frozen=True)
class Structure:
    """An op as a loop nest.

    iterators: "parallel" or "reduction", from the outside in.
    input_maps: for each operand in `inputs()`, the element that it gives at a point of the nest.
    output_maps: for each accumulator (each result, where there is no reduction), the element that changes there.
    extents: the sizes of loops that no operand shows.
    """

    iterators: tuple[str, ...]
    input_maps: tuple[AffineMap, ...]
    output_maps: tuple[AffineMap, ...]
    extents: Mapping[int, int] = field(default_factory=dict)


# --- shapes ------------------------------------------------------------------------------------------------------


def merge_dims(first: Dim, second: Dim) -> Dim | None:
    """The size that both are, None if they cannot be proved equal: a `?` takes the size it meets."""
    if first is DYNAMIC:
        return second
    if second is DYNAMIC or first == second:
        return first
    return None


def merge_shapes(op: Op, *named: tuple[str, TensorType]) -> tuple[Dim, ...]:
    """The shape that all of these are. VerifyError names the operands that disagree."""
    first, type = named[0]
    shape = list(type.shape)
    for name, other in named[1:]:
        if other.rank != len(shape):
            fail(op, f"{first} has rank {len(shape)} and {name} rank {other.rank}; tir.broadcast makes them equal")
        for axis, dim in enumerate(other.shape):
            merged = merge_dims(shape[axis], dim)
            if merged is None:
                got = f"{dim_text(shape[axis])} ({first} axis {axis}) and {dim_text(dim)} ({name} axis {axis})"
                fail(op, f"sizes must agree, got {got}")
            shape[axis] = merged
    return tuple(shape)


def common_element(op: Op, *named: tuple[str, TensorType]) -> Type:
    """The element type of all of these. VerifyError names the operands that disagree."""
    first, type = named[0]
    for name, other in named[1:]:
        if other.element is not type.element:
            kinds = f"{type.element} of {first} and {other.element} of {name}"
            fail(op, f"element types must be equal, got {kinds}; tir.cast converts")
    return type.element


def known_sizes(*shapes: Sequence[AffineExpr]) -> list[AffineExpr]:
    """Of operands that have one shape the sizes: of each the first that a type knows."""
    return [next((size for size in sizes if not isinstance(size, AffineSymbol)), sizes[0]) for sizes in zip(*shapes)]


def fail(op: Op, message: str, hint: str | None = None) -> NoReturn:
    """Raises VerifyError at the op."""
    raise VerifyError(f"{op.name}: {message}", op.location, hint=hint)


def check_axes(op: Op, axes: Sequence[int], rank: int, what: str = "axes") -> None:
    """VerifyError unless the axes increase and lie in 0 to rank - 1."""
    for before, axis in zip((-1, *axes), axes):
        if not 0 <= axis < rank:
            wrong = f"{what} must be 0 to {rank - 1}" if rank else "a tensor of rank 0 has no axes"
            fail(op, f"{wrong}, got {axis}", f"write {axis + rank}" if -rank <= axis < 0 else None)
        if axis <= before:
            fail(op, f"{what} must increase, got {list(axes)}", f"write {sorted(set(axes))}" if what == "axes" else None)


def check_moderate(op: Op, name: str, numbers: Sequence[int]) -> None:
    """VerifyError unless the numbers lie within 2^31, so that what they make of a size does not wrap around."""
    if any(abs(number) >= 1 << 31 for number in numbers):
        fail(op, f"{name} must lie between -2^31 and 2^31, got {list(numbers)}")


def drop_axes(shape: Sequence[Dim], axes: Sequence[int]) -> tuple[Dim, ...]:
    """The sizes of the other axes."""
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)


# --- families ----------------------------------------------------------------------------------------------------


#: An axis of a tensor.
Place = tuple[Value, int]


class TensorOp(Op, Pure):
    """A pure op on tensors."""

    #: Attributes that are axes, or lists of them: what `of_batch` moves by one. None if it is not that simple.
    batch_axes: ClassVar[Sequence[str] | None] = None
    #: Attributes that have a number for each axis of an operand, with that of an axis in front.
    batch_entries: ClassVar[Mapping[str, int]] = {}

    def type_of(self, name: str) -> TensorType:
        """The type of the operand called `name`."""
        return getattr(self, name).type

    @property
    def result_type(self) -> TensorType:
        """The type of the only result."""
        return self.results[0].type  # type: ignore[return-value]

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        """The results where some operands have an axis in front, a batch; None if there is no better way than a loop."""
        if self.batch_axes is None:
            return None
        facts = {name: behind(getattr(self, name)) for name in self.batch_axes}
        facts |= {name: [first, *getattr(self, name)] for name, first in self.batch_entries.items()}
        return in_front(b, self, spread_all(b, operands, batched), batch_size(b, operands, batched), **facts)

    def tensors(self) -> list[Value]:
        """The operands that are tensors, without the sizes."""
        return [value for value in self.operands if isinstance(value.type, TensorType)]

    def may_fail(self) -> bool:
        """Some size is open, or `number_rules` looks at elements."""
        types = [value.type for value in (*self.tensors(), *self.results)]
        static = all(type.is_static for type in types if isinstance(type, TensorType))
        return not static or type(self).number_rules is not TensorOp.number_rules

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        """Axes of operands, each with one before it that has the same size."""
        return ()

    def open_sizes(self) -> list[tuple[Place, Place, str]]:
        """Those of `same_sizes` that the types do not prove, with the rule in words."""
        found = []
        for (value, axis), (other, at) in self.same_sizes():
            dim, size = value.type.shape[axis], other.type.shape[at]  # type: ignore[attr-defined]
            if dim != size or dim is DYNAMIC:
                places = f"axis {axis} of {self.operand_label(value)}", f"axis {at} of {self.operand_label(other)}"
                found.append(((value, axis), (other, at), "{} must have the size of {}".format(*places)))
        return found

    def operand_label(self, value: Value) -> str:
        """What messages call an operand: the name of its field, or its number among several of one name."""
        fields, number = self.definition.operands, self.operands.index(value)
        variadic = [place for place, field in enumerate(fields) if field.many == "*"]
        if not variadic or number < variadic[0]:
            return fields[number].name
        return f"operand {number}"

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        """What must hold of sizes besides `same_sizes`, from those of each tensor operand, behind them of a Sized result."""
        return ()

    def checked_numbers(self, b: Any, *operands: Any) -> Sequence[Any]:
        """Numbers that elements of operands say and that `number_rules` is about: 0-d integer tensors, or integers."""
        return ()

    def number_rules(self, numbers: Sequence[AffineExpr], *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        """What must hold of them. shapes: as of `size_rules`. What is above 2^63 - 1 counts as that."""
        return ()

    def rules(self, *shapes: Sequence[AffineExpr]) -> list[SizeRule]:
        """All that must hold of sizes, and that the types do not prove."""
        known = dict(zip(self.tensors(), shapes))
        same = [SizeRule(known[v][axis], "eq", known[w][at], text) for (v, axis), (w, at), text in self.open_sizes()]
        return [*same, *self.size_rules(*shapes)]

    def size_check(self) -> Callable[[Sequence[Any]], None] | None:
        """What raises ExecutionError for arrays whose sizes break a rule: numpy would stretch a size 1."""
        types = [value.type for value in self.operands]
        if all(isinstance(dim, int) for type in types if isinstance(type, TensorType) for dim in type.shape):
            return None
        return lambda arrays: check_rules(self.rules(*(_affine_shape(np.shape(array)) for array in arrays)))


class Shaped(TensorOp):
    """An op whose result sizes follow from those of its operands: `result_shape` says how, once for all levels.

    All results have this shape. A size is an affine expression; on the tensor level one that a type leaves open is a
    symbol, and what depends on it stays open; below, the sizes are computed.
    """

    def result_shape(self, *shapes: Any) -> Sequence[AffineExpr]:
        """The sizes of the result, from those of each tensor operand."""
        raise AssertionError(f"{self.name} has no shape rule")

    def result_elements(self) -> Sequence[Type]:
        """The element type of each result; here that of the first operand."""
        return [self.tensors()[0].type.element] * len(self.definition.results)  # type: ignore[attr-defined]

    def result_dims(self) -> Sequence[Dim]:
        """The same as types say it."""
        symbols = (AffineSymbol(i) for i in itertools.count())
        shapes = [
            [next(symbols) if dim is DYNAMIC else affine(dim) for dim in value.type.shape]  # type: ignore[attr-defined]
            for value in self.tensors()
        ]
        return [_dim_of(size) for size in self.result_shape(*shapes)]

    def infer(self) -> Sequence[Type]:
        self.check_operands()
        shape = tuple(self.result_dims())
        for axis, dim in enumerate(shape):
            if isinstance(dim, int) and dim < 0:
                fail(self, f"axis {axis} of the result would have the size {dim}")
        return [TensorType(shape, element) for element in self.result_elements()]

    def check_operands(self) -> None:
        """Raises VerifyError unless `result_shape` makes sense for the operands and attributes."""


def _affine_shape(shape: Sequence[int]) -> list[AffineExpr]:
    return [affine(size) for size in shape]


def _dim_of(size: AffineExpr | int) -> Dim:
    """The size as a dimension of a type: `?` if it depends on one that is open."""
    size = affine(size)
    if isinstance(size, AffineConstant):
        return size.value
    return DYNAMIC if any(isinstance(leaf, AffineSymbol) for leaf in size.leaves()) else size


class Structured(TensorOp):
    """An op that is a loop nest around one element: see `Structure`.

    An operand that is no input can be read anywhere: `s.extract(self.x, indices)`, with `s.size(self.x, axis)`.
    """

    def inputs(self) -> list[Value]:
        """The operands that `element` gets an element of, in the order of the input maps."""
        return self.tensors()

    def structure(self) -> Structure:
        """The loops and maps."""
        raise AssertionError(f"{self.name} has no structure")

    def zero_if_empty(self) -> Sequence[tuple[Value, int]]:
        """Axes of operands: where run time finds one empty, there is nothing to read and the result is 0 everywhere."""
        return ()

    def lengthened(self) -> tuple[Value | None, Sequence[int]]:
        """An operand, and axes of it that run time may find empty: `element` reads it with a place more along them.

        For an op that reads some place in any case, and throws away what it was not meant to read.
        """
        return None, ()

    def element(self, s: Any, *scalars: Any) -> Any:
        """One element: of the result, or the term that a reduction folds in."""
        hint = 'target="interpret" runs its reference'
        raise TirError(f"{self.name} has no element, of which machine code is made", self.location, hint=hint)

    def rounded_element(self, s: Any, *scalars: Any) -> Any:
        """`element` of an op that is no reduction, as lowerings emit it; where it takes several steps, rounded once."""
        return self._checked_element(s, *scalars)

    def _checked_element(self, s: Any, *scalars: Any) -> Any:
        """`element`, which dialects from outside define too; TirError if it gives nothing that the builder has made."""
        found = self.element(s, *scalars)
        if not hasattr(found, "value"):
            raise TirError(f"{self.name}: element must give what its builder makes, got {found!r}", self.location)
        return found


class Sized(TensorOp):
    """An op whose result type is written, not inferred. `sizes` has one index operand for each `?` in it.

    A subclass declares `sizes` (behind its other operands) and has `compute(shape, *arrays)` for its meaning.
    """

    sizes: Any

    def verify(self) -> None:
        unknown = sum(dim is DYNAMIC for dim in self.result_type.shape)
        if len(self.sizes) != unknown:
            given = f"which is {unknown}, got {len(self.sizes)}"
            fail(self, f"{self.result_type} needs one size operand for each ?, {given}")
        check_names_bound(self, [self.result_type])
        self.verify_shape()

    def verify_shape(self) -> None:
        """Raises VerifyError if operands and result type do not fit."""

    def size_check(self) -> None:
        """`_run` checks: the rules are about the sizes of the result too."""

    def compute(self, shape: tuple[int, ...], *arrays: Any) -> Any:
        """The result of this shape."""
        raise AssertionError(f"{self.name} has no meaning")

    def reference(self, *values: Any) -> Any:
        """For a result type without names; `interpret` is for all."""
        return self._run(values, _no_names)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        size_of = named_sizes(self, frame) if shape_names(self.result_type.shape) else _no_names
        return (self._run([frame[value] for value in self.operands], size_of),)

    def _run(self, values: Sequence[Any], size_of: Any) -> Any:
        count = len(self.tensors())
        sizes = iter(values[count:])
        shape = tuple(int(next(sizes)) if d is DYNAMIC else evaluate_dim(d, size_of) for d in self.result_type.shape)
        for axis, size in enumerate(shape):
            if size < 0:
                raise ExecutionError(f"{negative_size(axis)}, got {size}")
        check_rules(self.rules(*(_affine_shape(found) for found in (*map(np.shape, values[:count]), shape))))
        return self.compute(shape, *values[:count])


def named_sizes(op: Op, frame: Frame) -> Callable[[AffineExpr], int]:
    """What gives the number that a name in the function around the op stands for, in a call."""
    found = size_bindings(op)

    def size_of(name: AffineExpr) -> int:
        place = found[name]
        return int(frame[place]) if isinstance(place, Value) else frame[place[0]].shape[place[1]]

    return size_of


def negative_size(axis: int) -> str:
    """The message for a result that cannot be."""
    message = f"axis {axis} must not have a negative size"
    return message


def _no_names(name: AffineExpr) -> int:
    raise ExecutionError(f"the size [{name}] is known only inside a call")


class Elementwise(Structured):
    """Each element of the result comes from the elements at the same place; all shapes are equal.

    f16 and bf16 are computed in f32 and rounded once, by who runs the reference and by `rounded_element`.
    """

    batch_axes = ()

    computes_in_f32 = True

    def may_fail(self) -> bool:
        """Sizes that the types leave open may not agree."""
        return bool(self.open_sizes())

    #: Equal elements give equal results wherever they stand: what is computed for one of a splat holds for all.
    same_everywhere: ClassVar[bool] = True

    def infer(self) -> Sequence[Type]:
        first = self._uses[0].value.type
        if all(use.value.type is first for use in self._uses):
            return [first.with_element(self.result_element())]  # type: ignore[attr-defined]  # the usual case, fast
        return [TensorType(merge_shapes(self, *self._named()), self.result_element())]

    def result_element(self) -> Type:
        """The element type of the result; here that of the operands, which must agree."""
        return common_element(self, *self._named())

    def rounded_element(self, s: Any, *scalars: Any) -> Any:
        """`element`, of f16 and bf16 in f32."""
        element = self.result_type.element
        if wide_type(element) is element:
            return self._checked_element(s, *scalars)
        wide = [s.cast(x, wide_type(x.type)) for x in scalars]
        return s.cast(self._checked_element(s, *wide), element)

    def _named(self) -> list[tuple[str, TensorType]]:
        return [(field.name, value.type) for field, value in zip(self.definition.operands, self.operands)]  # type: ignore[misc]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return same_shapes(self.operands) if self.operands else ()

    def structure(self) -> Structure:
        rank = self.result_type.rank
        identity = AffineMap.identity(rank)
        return Structure(("parallel",) * rank, (identity,) * len(self.operands), (identity,))


class Unary(Elementwise):
    """An elementwise op on one float tensor."""

    x = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$x attr-dict `:` type($result)"


class Binary(Elementwise):
    """An elementwise op on two tensors of one element type. A subclass has `compute(lhs, rhs)`."""

    lhs = operand(NUMBER_TENSOR)
    rhs = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)
    format = "$lhs `,` $rhs attr-dict `:` type($result)"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return self.compute(lhs, rhs)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        """The result, for arrays of one shape."""
        raise AssertionError(f"{self.name} has no meaning")


def same_shapes(values: Sequence[Value]) -> list[tuple[Place, Place]]:
    """All axes of tensors of one shape, as `same_sizes` has them."""
    first, *others = values
    rank = first.type.rank  # type: ignore[attr-defined]
    return [((value, axis), (first, axis)) for value in others for axis in range(rank)]


class Reduction(Structured):
    """A structured op with reduction loops: it folds one term for each point of them into its accumulators.

    The fold starts with the initial number of each accumulator; its order is not promised. A subclass with one
    accumulator has `identity(element)` and `combine(s, accumulated, term)`; `element` gives the term, from elements that
    have been cast to the type of the accumulator.
    """

    #: The accumulators that are the op's results.
    kept_accumulators: ClassVar[tuple[int, ...]] = (0,)

    def accumulators(self) -> Sequence[tuple[Type, Any]]:
        """The element type and initial number of each accumulator."""
        element = self.accumulator_type()
        return [(element, self.identity(element))]

    def accumulator_type(self) -> Type:
        """The element type of the only accumulator; the result is cast back from it."""
        return self.result_type.element

    def step(self, s: Any, accumulated: Sequence[Any], scalars: Sequence[Any]) -> Sequence[Any]:
        """The accumulators after the elements `scalars` of the inputs."""
        terms = [s.cast(x, accumulated[0].type) for x in scalars]
        return [self.combine(s, accumulated[0], self.element(s, *terms))]

    def identity(self, element: Type) -> Any:
        """The number that changes nothing."""
        raise AssertionError(f"{self.name} has no identity")

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        """The accumulator with one more term."""
        raise AssertionError(f"{self.name} has no combine")


class Accumulating(Reduction):
    """A reduction that may accumulate in a wider type than that of its result: `acc_type`.

    Without it, f16 and bf16 accumulate in f32 and any other type in itself. Floats take f32 or f64, integers one of their
    sign with as many bits or more. The result is rounded, or loses its high bits, once, at the end.
    """

    acc_type = attribute(TYPE, optional=True)

    def accumulator_type(self) -> Type:
        return self.acc_type if self.acc_type is not None else wide_type(self.result_type.element)

    def verify(self) -> None:
        element = self.result_type.element
        if self.acc_type is not None and not may_accumulate(self.acc_type, element):
            fail(self, f"{element} accumulates in a float of 32 bits or more, or in an integer of its sign, that is not "
                       f"narrower, got acc {self.acc_type}")  # fmt: skip


class AxisReduction(Reduction):
    """A reduction of `x` over `axes`, which disappear. No axes: the result is x."""

    batch_axes = ("axes",)

    x = operand(NUMBER_TENSOR)
    axes = attribute(I64_ARRAY)
    result = result(NUMBER_TENSOR)
    format = "$x `over` $axes attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        return [reduced_type(self, self.x.type, self.axes)]

    def may_fail(self) -> bool:
        return False

    def structure(self) -> Structure:
        rank = self.x.type.rank
        kept = [axis for axis in range(rank) if axis not in self.axes]
        iterators = tuple("reduction" if axis in self.axes else "parallel" for axis in range(rank))
        outputs = (AffineMap.of_dims(rank, kept),) * len(self.accumulators())
        return Structure(iterators, (AffineMap.identity(rank),), outputs)

    def element(self, s: Any, x: Any) -> Any:
        return x


def reduced_type(op: Op, type: TensorType, axes: Sequence[int]) -> TensorType:
    """`type` without the axes; VerifyError if they are not axes of it."""
    check_axes(op, axes, type.rank)
    return type.with_shape(drop_axes(type.shape, axes))


class Sequential(TensorOp):
    """An op that is a program of loops over elements, because no element can be said by itself: sorting, scattering."""

    #: The routine that does the work of `library_program`; None if there is no such program.
    library_routine: ClassVar[str | None] = None

    def program(self, p: Any, *operands: Any) -> Sequence[Any]:
        """The buffers of `p` that are the results in the end."""
        raise AssertionError(f"{self.name} has no program")

    def library_program(self, p: Any, *operands: Any) -> Sequence[Any]:
        """The same with calls of library functions (`p.call`)."""
        raise AssertionError(f"{self.name} has no program that calls a library")

    def library_rows(self) -> Dim:
        """How many rows the matrices have that `library_program` hands on."""
        raise AssertionError(f"{self.name} has no program that calls a library")


class Composite(TensorOp):
    """An op that is a few others, kept whole until after autodiff because its own gradient is better than theirs.

    f16 and bf16 are computed in f32 and rounded once, by who runs the reference and by `rounded_decomposition`.
    """

    computes_in_f32 = True

    def may_fail(self) -> bool:
        """As what it is made of may, which reads at places that whole numbers say."""
        return super().may_fail() or any(INTEGERS.accepts(element_type(value.type)) for value in self.operands)

    def rounded_decomposition(self, b: Any, *operands: Any) -> list[Any]:
        """The results of `decompose`, of f16 and bf16 in f32."""
        wide = [b.cast(x, wide_type(x.type.element)) if isinstance(x.type, TensorType) else x for x in operands]
        made = self.decompose(b, *wide)
        parts = made if isinstance(made, list) else [made]
        return [b.cast(part, result.type.element) for part, result in zip(parts, self.results)]  # type: ignore[attr-defined]

    def decompose(self, b: Any, *operands: Any) -> Any:
        """The result, in other ops of this dialect; a list if there are several."""
        raise AssertionError(f"{self.name} has no decomposition")
