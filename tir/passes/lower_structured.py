"""`lower-structured`: each op on tensors becomes index maps around a scalar body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.dialects import arith, cf, linalg, scf, tensor
from tir.dialects.custom_derivative import drop_derivatives
from tir.dialects.func import Func
from tir.dialects.scalar import ScalarBuilder, signless
from tir.dialects.tir.base import Composite, Reduction, Sequential, Shaped, Sized, Structure, Structured, TensorOp
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control import Checkpoint, Control, Yield
from tir.dialects.tir.control_gradients import dissolved
from tir.dialects.tir.create import Constant
from tir.dialects.tir.effects import Assert, NameSize, Print
from tir.dialects.tir.elements import highest
from tir.dialects.tir.logic import Cast
from tir.dialects.tir.places import saturated
from tir.dialects.tir.random import UI64
from tir.dialects.tir.shape import DimOp, Reshape, ToIndex
from tir.dialects.tir.state import Derivative, Leaf, Read, Shared, Update
from tir.ir import actions
from tir.ir.affine import AffineDim, AffineExpr, AffineMap, affine
from tir.ir.attributes import ArrayAttr, Attribute, DenseAttr, DenseResourceAttr, IntegerAttr, StringAttr
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.symbols import SymbolTable
from tir.ir.types import DYNAMIC, I1, I64, INDEX, IntegerType, TensorType, Type, element_type
from tir.passes.cse import Cse
from tir.passes.function_lowering import FunctionLowering
from tir.passes.library_use import NEVER, USES, always, calls_library, check_use
from tir.passes.loop_program import LoopProgram
from tir.passes.lower_control import CONTROL, ControlLowering
from tir.passes.lower_slices import SLICES, put_in
from tir.passes.regroup import reshape
from tir.passes.sizes import Size
from tir.passes.structured import Body, filled, generic, lowered_tensor_type, lowered_type

__all__ = ["LowerStructured"]

#: What must have run before, for ops that this pass meets and cannot take.
EARLIER_PASS = {
    Derivative: "autodiff", Leaf: "autodiff",
    Read: "state-to-arguments", Update: "state-to-arguments", Print: "state-to-arguments",
}  # fmt: skip


@dataclass
class LowerStructured(Pass):
    """Lowers the tensor level: each op becomes a `linalg.generic`, whose body says what one element is.

    Needs: no `tir.grad` and `tir.leaf` (autodiff expands them), no state (state-to-arguments). PassError otherwise.
    Leaves: `linalg.generic`, `tensor`, `arith`, `math`, `cf.assert` as upstream MLIR has them. Composites are
    decomposed, and what several of them have in common is computed once; broadcast and transpose are index maps; a
    reduction folds into a filled tensor. Named sizes become `?`: where names say that sizes are equal, an assert says
    it, for arguments at the entry of public functions (a private one is only called with sizes that its caller knows to
    agree), for sizes made inside where they are used. Arguments and results keep what the types no longer say:
    `tir.dims = ["B", 64]` and `tir.dtype = "ui8"`.

    `library` says which ops on matrices (`tir.cholesky`, `tir.triangular_solve`, `tir.solve`, `tir.inv`, `tir.det`)
    call BLAS and LAPACK: `auto` those that are faster so (judged by their sizes alone), `always` all of them, `never`
    none. What is called are private declarations, as `select-library` makes them; where the library has no answer that
    is sure, own loops behind the call give it.

        func.func @f(%x: tensor<[B]x4xf32>) -> tensor<[B]x4xf32> {
          %0 = tir.exp %x : tensor<[B]x4xf32>
          return %0 : tensor<[B]x4xf32>
        }

    becomes, with #map = affine_map<(d0, d1) -> (d0, d1)>,

        func.func @f(%x: tensor<?x4xf32> {tir.dims = ["B", 4]}) -> (tensor<?x4xf32> {tir.dims = ["B", 4]}) {
          %c0 = arith.constant 0 : index
          %dim = tensor.dim %x, %c0 : tensor<?x4xf32>
          %0 = tensor.empty(%dim) : tensor<?x4xf32>
          %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
              ins(%x : tensor<?x4xf32>) outs(%0 : tensor<?x4xf32>) {
          ^bb0(%in: f32, %out: f32):
            %2 = math.exp %in : f32
            linalg.yield %2 : f32
          } -> tensor<?x4xf32>
          return %1 : tensor<?x4xf32>
        }
    """

    name = "lower-structured"
    numerics = accurate(4, "composites are decomposed, and the order of a sum is not promised")
    statistics = {"decompose": "composite ops decomposed", "lower": "ops lowered"}
    library: str = field(default=NEVER, metadata={"choices": USES})
    #: Asked before the first call is made; who compiles for this machine sets it.
    available: Callable[[], bool] = field(default_factory=lambda: always, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_use(self.name, "library", self.library)

    def run(self, op: Op) -> None:
        symbols = self._symbols(op)
        for one in list(op.walk()):
            if isinstance(one, Shared):
                message = f"lower-structured: @{one.sym_name} is state; run the pass state-to-arguments first"
                raise PassError(message, one.location)
            if isinstance(one, Func):
                _Lowering(one, self._calls, symbols).run()

    def _symbols(self, op: Op) -> SymbolTable | None:
        """Where library functions are declared, if any may be called; PassError if that is not to be seen from `op`."""
        if self.library == NEVER:
            return None
        if op.parent is not None:
            message = f"pass {self.name} with calls of a library runs on the module, not on {op.name}"
            raise PassError(message, op.location)
        return SymbolTable(op)

    def _calls(self, op: Sequential) -> bool:
        """The op becomes calls of a library."""
        return calls_library(op, self.library) and self.available()


class _Lowering(FunctionLowering):
    """One function on its way.

    calls: whether an op becomes calls of a library; symbols: of the module, where they are declared. numbers: for each op
    those that its rules are about. decomposed: composites whose parts stand behind them, where they are checked.
    """

    def __init__(self, function: Func, calls: Callable[[Sequential], bool], symbols: SymbolTable | None) -> None:
        super().__init__(function)
        self.calls, self.symbols = calls, symbols
        self.numbers: dict[Op, Sequence[Tensor | int]] = {}
        self.decomposed: set[Op] = set()
        self.control = ControlLowering(self)

    def run(self) -> None:
        """Lowers the ops in the order of the text; the old ones go when all new ones stand."""
        kept: list[Op] = []
        done: list[Op] = []
        if not self.function.is_declaration and not self.function.is_private:
            self.sizes.check_arguments()
        for one in [op for op in self.function.walk() if isinstance(op, Checkpoint)][::-1]:
            dissolved(one, Builder.before(one))  # nothing is differentiated any more
        self._decompose()
        self._find_numbers()
        for op in [op for op in self.function.walk() if op is not self.function]:
            if isinstance(op, (TensorOp, Assert, NameSize, Control, Yield, *EARLIER_PASS)):
                self.lower(op)
                done.append(op)
            else:
                kept.append(op)
        self._finish(kept)
        for op in reversed(done):
            op.erase()

    def _decompose(self) -> None:
        """Replaces composites by simpler ops, and computes once what several of them have in common."""
        pending = [op for op in self.function.walk() if isinstance(op, Composite)]
        if not pending:
            return
        while pending:
            op = pending.pop()
            if actions.begin("decompose", op):
                parts = _decompose(op)
                self.decomposed.add(op)
                self.origins.update(dict.fromkeys(parts, self.name(op)))
                pending.extend(one for made in parts for one in made.walk() if isinstance(one, Composite))
                actions.end()
        Cse().run(self.function)

    def _find_numbers(self) -> None:
        """Puts in front of an op what computes the numbers that its rules are about."""
        for op in [op for op in self.function.walk() if isinstance(op, TensorOp)]:
            b = TensorBuilder(op.parent, op, op.location)
            self.numbers[op] = op.checked_numbers(b, *(Tensor(b, value) for value in op.operands))

    def _check(self, b: Builder, op: TensorOp) -> None:
        """Asserts the rules of the op."""
        shapes = [list(self.sizes.shape(value)) for value in op.tensors()]
        if isinstance(op, Sized):
            shapes.append(self.declared_shape(b, op))
        for rule in op.rules(*shapes):
            self.sizes.require_rule(b, rule, self.name(op))
        numbers = [self._of_number(b, number) for number in self.numbers.get(op, ())]
        for rule in op.number_rules(numbers, *shapes):
            self.sizes.require_rule(b, rule, self.name(op))

    def _of_number(self, b: Builder, number: Tensor | int) -> Size:
        if isinstance(number, int):
            return affine(number)
        return self.sizes.of_index(saturated(ScalarBuilder(b), self.number(b, number.value)).value)

    def _finish(self, kept: Sequence[Op]) -> None:
        """Gives the ops of other dialects, the blocks and the function the new operands and types."""
        for op in kept:
            op.set_operands([self.of(value) for value in op.operands])
            for result in op.results:
                result.type = lowered_type(result.type)
        for op in (self.function, *kept):
            for argument in (a for region in op.regions for block in region.blocks for a in block.arguments):
                argument.type = lowered_type(argument.type)
        lower_signature(self.function)

    def lower(self, op: Op) -> None:
        """Puts the new ops in front of `op` and remembers its results."""
        for cls, earlier in EARLIER_PASS.items():
            if isinstance(op, cls):
                message = f"lower-structured: {op.name} is left over; run the pass {earlier} first"
                raise PassError(message, op.location)
        b = Builder.before(op)
        if isinstance(op, TensorOp):
            self._check(b, op)
        if op in self.decomposed:
            return
        lower = next((method for cls, method in _METHODS if isinstance(op, cls)), None)
        around = next((method for cls, method in CONTROL if isinstance(op, cls)), None)
        if around is not None:  # no change by itself, which could be left out: the ops inside are
            made: Any = around(self.control, b, op)
        elif isinstance(op, Composite) or (lower is not None and not actions.begin("lower", op)):
            made = self.keep(b, op)  # somebody wants the change left out
        elif lower is None:
            raise PassError(f"lower-structured: {op.name} cannot be lowered", op.location)
        else:
            made = lower(self, b, op)
            actions.end()
        for old, new in zip(op.results, made if isinstance(made, list) else [made]):
            new.hint = new.hint or old.hint
            self.lowered[old] = new

    def keep(self, b: Builder, op: Op) -> list[Value]:
        """The same op on lowered values: sizes that had a name are operands, and signs are cast on and off around it."""
        given = op.tensors() if isinstance(op, Sized) else op.operands
        operands = [self.of(value) for value in given]
        # An argument still has its sign here, and loses it in the end.
        operands = [_cast(b, new, old.type) if _has_sign(old.type) else new for old, new in zip(given, operands)]
        kept = op.clone()
        if isinstance(op, Sized):
            shape = self.declared_shape(b, op)
            self.sizes.set_shape(op.results[0], shape)
            operands += self.dynamic_sizes(b, lowered_tensor_type(op.result_type), shape)
        kept.set_operands(operands)
        for result in kept.results:
            if isinstance(result.type, TensorType):
                result.type = lowered_tensor_type(result.type).with_element(result.type.element)
        made = b.insert(kept).results
        return [
            _cast(b, new, lowered_type(old.type)) if _has_sign(old.type) else new for old, new in zip(op.results, made)
        ]

    # --- loop nests --------------------------------------------------------------------------------------------------

    def structured(self, b: Builder, op: Structured) -> Value:
        """A `linalg.generic` for the op, and tensors for it to fill or to fold into."""
        structure, values = op.structure(), op.inputs()
        extents = self._extents(b, op, structure)
        kept = op.kept_accumulators[0] if isinstance(op, Reduction) else 0
        shape = [extents[dim] for dim in structure.output_maps[kept].positions()]
        self.sizes.set_shape(op.results[0], shape)
        inputs: list[tuple[Value, AffineMap, Type]] = [
            (self.of(value), map, element_type(value.type))
            for value, map in zip(values, structure.input_maps)
        ]
        inputs += self._shown_extents(b, structure)
        type = lowered_tensor_type(op.result_type)
        dynamic = self.dynamic_sizes(b, type, shape)

        def computed() -> Value:
            return self._computed(b, op, structure, inputs, dynamic)

        empty = self._is_empty(b, op)
        if empty is None:
            return computed()
        element = op.result_type.element
        return _chosen(b, empty, type, lambda: filled(b, 0, element, type, dynamic), computed)

    def _computed(
        self, b: Builder, op: Structured, structure: Structure, inputs: list[Any], dynamic: Sequence[Value]
    ) -> Value:
        """The nest of the op. inputs: as `generic` takes them, with those behind the op's own that show an extent."""
        type, count = lowered_tensor_type(op.result_type), len(structure.input_maps)
        lowered = self._lengthened(b, op)
        if isinstance(op, Reduction) and "reduction" in structure.iterators:
            accumulators = op.accumulators()
            inits = [filled(b, n, e, type.with_element(signless(e)), dynamic) for e, n in accumulators]
            outputs = [(v, map, e) for v, map, (e, _) in zip(inits, structure.output_maps, accumulators)]
            made = self._generic(b, inputs, outputs, structure, lambda s, xs, sums: op.step(s, sums, xs[:count]), lowered)
            if len(accumulators) == 1 and accumulators[0][0] is not op.result_type.element:
                return self._cast_back(b, made.results[0], accumulators[0][0], type, op.result_type.element, dynamic)
            return made.results[op.kept_accumulators[0]]
        empty = b.create(tensor.Empty, dynamic, result_types=[type])
        outputs = [(empty, structure.output_maps[0], op.result_type.element)]
        return self._generic(
            b, inputs, outputs, structure, lambda s, xs, _: [op.rounded_element(s, *xs[:count])], lowered
        ).results[0]

    def _is_empty(self, b: Builder, op: Structured) -> Value | None:
        """Whether there is nothing for the op to read; None if there always is something, or its element knows."""
        found: Value | None = None
        for value, axis in op.zero_if_empty():
            if not isinstance(value.type.shape[axis], int):  # type: ignore[attr-defined]
                size = self.sizes.emit(b, self.sizes.shape(value)[axis])
                here = b.create(arith.CmpI, size, self.sizes.emit(b, affine(0)), predicate="eq")
                found = here if found is None else b.create(arith.OrI, found, here)
        return found

    def _lengthened(self, b: Builder, op: Structured) -> dict[Value, Value]:
        """What stands for tensors that the element reads and that must not be empty: a copy with room behind it."""
        value, axes = op.lengthened()
        if value is None or not axes:
            return {}
        sizes = self.sizes.shape(value)
        longer = [size + 1 if axis in axes else size for axis, size in enumerate(sizes)]
        source = lowered_tensor_type(value.type)  # type: ignore[arg-type]
        type = source.with_shape(DYNAMIC if axis in axes else dim for axis, dim in enumerate(source.shape))
        room = b.create(tensor.Empty, self.dynamic_sizes(b, type, longer), result_types=[type])
        return {value: put_in(self, b, self.of(value), room, [0] * type.rank, sizes)}

    def _cast_back(
        self, b: Builder, value: Value, source: Type, type: TensorType, element: Type, dynamic: Sequence[Value]
    ) -> Value:
        """A result in its own type, from that of the accumulator. Both element types with their sign."""
        identity = AffineMap.identity(type.rank)
        empty = b.create(tensor.Empty, dynamic, result_types=[type])
        made = generic(
            b, [(value, identity, source)], [(empty, identity, element)], ["parallel"] * type.rank,
            lambda s, xs, _: [s.cast(xs[0], element)],
        )  # fmt: skip
        return made.results[0]

    def _shown_extents(self, b: Builder, structure: Structure) -> list[tuple[Value, AffineMap, Type]]:
        """An input that shows how long the loops of `extents` are, as upstream's pooling ops have one; nobody reads it."""
        if not structure.extents:
            return []
        shape = tuple(structure.extents.values())
        shown = b.create(tensor.Empty, [], result_types=[TensorType(shape, I1)])
        return [(shown, AffineMap.of_dims(len(structure.iterators), list(structure.extents)), I1)]

    def _generic(
        self, b: Builder, inputs: Sequence[Any], outputs: Sequence[Any], structure: Structure, body: Body,
        instead: Mapping[Value, Value],
    ) -> linalg.Generic:  # fmt: skip
        """A `linalg.generic` whose body may read any tensor of the function, of some others that stand for them."""
        return generic(
            b, inputs, outputs, structure.iterators, body,
            size_of=self.size_of, lowered=lambda value: instead.get(value) or self.of(value),
        )  # fmt: skip

    def sequential(self, b: Builder, op: Sequential) -> list[Value]:
        """The loops that the op's program says, or that with calls of a library."""
        shape = self.result_shape(b, op)
        for result in op.results:
            self.sizes.set_shape(result, shape)
        types = [lowered_tensor_type(result.type) for result in op.results]  # type: ignore[arg-type]
        dynamic = self.dynamic_sizes(b, types[0], shape)
        program = LoopProgram(b, op, types, dynamic, self.size_of, self.lowered, self.symbols)
        make = op.library_program if self.calls(op) else op.program
        return [buffer.value for buffer in make(program, *op.operands)]

    def assertion(self, b: Builder, op: Assert) -> list[Value]:
        """A `cf.assert` on the element."""
        condition = b.create(tensor.Extract, self.of(op.condition), [])
        b.op(cf.Assert, condition, msg=op.msg)
        return []

    def name_size(self, b: Builder, op: NameSize) -> list[Value]:
        """The name stands for the index from here on."""
        self.sizes.require_not_negative(b, self.sizes.of_index(op.size), f"{op.name}: a size must not be negative")
        self.sizes.set_name(op.bound_name(), op.size)
        return []

    def _extents(self, b: Builder, op: Structured, structure: Structure) -> dict[int, Size]:
        """The size of each loop; asserts that all operands agree on it."""
        places: dict[int, list[tuple[bool, str, Size]]] = {dim: [] for dim in range(len(structure.iterators))}
        if isinstance(op, (Sized, Shaped)):
            kept = op.kept_accumulators[0] if isinstance(op, Reduction) else 0
            for dim, size in zip(structure.output_maps[kept].positions(), self.result_shape(b, op)):
                places[dim].append((True, "the result", size))
        for value, map in zip(op.inputs(), structure.input_maps):
            for axis, expr in enumerate(map.results):
                if isinstance(expr, AffineDim):
                    known = value.type.shape[axis] is not DYNAMIC  # type: ignore[attr-defined]
                    label = f"axis {axis} of {op.operand_label(value)}"
                    places[expr.position].append((known, label, self.sizes.shape(value)[axis]))
        for dim, number in structure.extents.items():
            places[dim].append((True, "the window", affine(number)))
        extents = {}
        for dim, found in places.items():
            _, label, size = next((place for place in found if place[0]), found[0])
            for _, other_label, other in found:
                message = f"{self.name(op)}: {other_label} must have the size of {label}"
                self.sizes.require_equal(b, other, size, message)
            extents[dim] = size
        return extents

    # --- other ops ---------------------------------------------------------------------------------------------------

    def constant(self, b: Builder, op: Constant) -> Value:
        """The same elements, without a sign in their type."""
        value, type = op.value, lowered_tensor_type(op.result_type)
        made: Attribute = (
            DenseAttr(type, value.data) if isinstance(value, DenseAttr) else DenseResourceAttr(value.key_name, type)
        )
        return b.create(arith.Constant, value=made)

    def dim(self, b: Builder, op: DimOp) -> Value:
        """The size, which needs no op if it is known."""
        size = self.sizes.shape(op.x)[op.axis]
        self.sizes.set_index(op.results[0], size)
        return self.sizes.emit(b, size)

    def to_index(self, b: Builder, op: ToIndex) -> Value:
        """The number, taken out of its tensor."""
        s = ScalarBuilder(b)
        number = self.number(b, op.x)
        if op.x.type.element is UI64:
            most = s.const(highest(I64), number.type)
            self.sizes.require(b, "ule", number.value, most.value, f"{self.name(op)}: x must be below 2^63")
        return s.cast(number, INDEX).value

    def reshape(self, b: Builder, op: Reshape) -> Value:
        """Merged and split axes."""
        shape = self.declared_shape(b, op)
        self.sizes.set_shape(op.results[0], shape)
        source, type = self.of(op.x), lowered_tensor_type(op.result_type)
        return reshape(b, self.sizes, source, self.sizes.shape(op.x), type, shape, self.name(op))


_METHODS: list[tuple[type[Op], Any]] = [
    (Constant, _Lowering.constant),
    (DimOp, _Lowering.dim),
    (ToIndex, _Lowering.to_index),
    (Reshape, _Lowering.reshape),
    *SLICES,
    (Structured, _Lowering.structured),
    (Sequential, _Lowering.sequential),
    (Assert, _Lowering.assertion),
    (NameSize, _Lowering.name_size),
]


def _decompose(op: Composite) -> list[Op]:
    """Puts simpler ops behind the op, and their results in the place of its own; returns them."""
    behind, made = op.next, []
    assert behind is not None, "a terminator is no composite"
    b = TensorBuilder(op.parent, behind, op.location)
    for part, result in zip(op.rounded_decomposition(b, *(Tensor(b, value) for value in op.operands)), op.results):
        same = part.type is result.type
        made.append(part.value if same else b.create(tensor.Cast, part.value, result_types=[result.type]))
    for old, new in zip(op.results, made):
        new.hint = new.hint or old.hint
        old.replace_all_uses_with(new)
    return _between(op, behind)


def _between(before: Op | None, op: Op) -> list[Op]:
    """The ops behind the first and in front of the second of two ops of a block."""
    found = []
    while (op := op.previous) is not before and op is not None:  # type: ignore[assignment]
        found.append(op)
    return found[::-1]


def _chosen(
    b: Builder, condition: Value, type: TensorType, then: Callable[[], Value], otherwise: Callable[[], Value]
) -> Value:
    """An `scf.if` that gives what one of the two makes."""
    regions = []
    for branch in (then, otherwise):
        block = Block([])
        with b.at(block):
            b.op(scf.Yield, [branch()], result_types=[])
        regions.append(Region([block]))
    return b.op(scf.If, condition, result_types=[type], regions=regions).results[0]


def _has_sign(type: Type) -> bool:
    return signless(element_type(type)) is not element_type(type)


def _cast(b: Builder, value: Value, wanted: Type) -> Value:
    """The value with the elements of `wanted`: integers keep their bits."""
    assert isinstance(value.type, TensorType)
    return b.create(Cast, value, result_types=[lowered_tensor_type(value.type).with_element(element_type(wanted))])


def lower_signature(function: Func) -> None:
    """Gives the function the types below the tensor level; what they do not say goes to `tir.dims` and `tir.dtype`."""
    drop_derivatives(function)
    type = function.function_type
    arguments = [function.argument_attributes(i) | _said(t) for i, t in enumerate(type.inputs)]
    results = [function.result_attributes(i) | _said(t) for i, t in enumerate(type.results)]
    function.set_type([*map(lowered_type, type.inputs)], [*map(lowered_type, type.results)], arguments, results)


def _said(type: Type) -> dict[str, Attribute]:
    """What the type says and its lowered type does not."""
    said: dict[str, Attribute] = {}
    if isinstance(type, TensorType) and any(isinstance(dim, AffineExpr) for dim in type.shape):
        dims = [IntegerAttr(d) if isinstance(d, int) else StringAttr(str(d)) for d in type.shape]
        said["tir.dims"] = ArrayAttr(tuple(dims))
    element = element_type(type)
    if isinstance(element, IntegerType) and element.signedness:
        said["tir.dtype"] = StringAttr(str(element))
    return said
