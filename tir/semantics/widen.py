"""The same program one precision wider, and with roundings made visible.

    wide, rounding = widened(module)
    with rounding.of(ulps=4, seed=1): Program(wide).run(...)

A copy of the module with f16 and bf16 as f32, f32 as f64, and f64 as numpy's longdouble (64 bits of mantissa on x86, 113
on most other machines; where it is no wider than f64, the roundings alone say what is right). Behind each op that makes
floats stands a `_Round`, which is the identity, or changes each number by some ulp of the type that the number has in the
program as it was: that shows what the program makes of a rounding (Monte Carlo arithmetic; Parker, 1997). The terms
of a reduction are changed in front of it, by as many ulp more as there are terms: so much may another order do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tir.dialects import linalg
from tir.dialects.tir.base import Composite, Reduction, Sequential
from tir.dialects.tir.linalg import Dot
from tir.ir.attributes import TypeAttr
from tir.ir.execution import F80, numpy_dtype
from tir.ir.ir import Op, Value
from tir.ir.traits import FunctionLike, Pure
from tir.ir.types import (
    BF16,
    F16,
    F32,
    F64,
    FloatType,
    FunctionType,
    MemRefType,
    ShapedType,
    TensorType,
    Type,
    VectorType,
    element_type,
)
from tir.lazy import np
from tir.semantics.outcome import Draw

__all__ = ["F64_ONLY", "ONE_WIDER", "SAME", "Rounding", "wide_draw", "widened"]

#: What becomes of the float types.
Widening = Mapping[Type, Type]
ONE_WIDER: Widening = {F16: F32, BF16: F32, F32: F64, F64: F80}
F64_ONLY: Widening = {F16: F64, BF16: F64, F32: F64, F64: F64}
SAME: Widening = {F16: F16, BF16: BF16, F32: F32, F64: F64}

#: The relative distance of neighbouring numbers.
EPSILON: dict[Type, float] = {F16: 2.0**-10, BF16: 2.0**-7, F32: 2.0**-23, F64: 2.0**-52}
MOST_TERMS = 2.0**-4  # of 1: a term is never changed by more


@dataclass
class Rounding:
    """How the `_Round` ops of one module behave: not at all while `ulps` is 0."""

    ulps: float = 0.0
    random: Any = None

    @contextmanager
    def of(self, ulps: float, seed: int) -> Iterator[None]:
        """Inside the `with`, numbers are changed by up to `ulps`."""
        self.ulps, self.random = ulps, np.random.default_rng(seed)
        try:
            yield
        finally:
            self.ulps = 0.0

    def change(self, x: Any, epsilon: float, terms: int) -> Any:
        """x, each number of it changed."""
        if not self.ulps or not epsilon or not np.size(x):
            return x
        most = min((self.ulps + terms) * epsilon, max(MOST_TERMS, self.ulps * epsilon))
        factor = 1 + self.random.uniform(-most, most, np.shape(x))
        return (x * factor).astype(x.dtype)


@dataclass(frozen=True)
class _Amount:
    """By how much a value is changed: as `rounding` says, in units of `epsilon`, as a term of a sum or not."""

    rounding: Rounding
    epsilon: float
    is_term: bool = False


class _Round(Op, Pure):
    """The numbers in the wide type, changed as the roundings of the module say."""

    name = "check.round"
    __slots__ = ("amount",)
    amount: _Amount

    def reference(self, x: Any) -> Any:
        wide = np.asarray(x).astype(numpy_dtype(self.results[0].type))[()]
        terms = max(np.shape(x), default=1) if self.amount.is_term else 0
        return self.amount.rounding.change(wide, self.amount.epsilon, terms)


def widened(module: Op, types: Widening = ONE_WIDER) -> tuple[Op, Rounding]:
    """The copy, and what its roundings do. The copy is for the interpreter alone: it does not verify."""
    copy, rounding = module.clone(), Rounding()
    ops = [(op, _elements(op.operands), _elements(op.results), _is_exact(op)) for op in copy.walk()]
    for op, _, _, is_exact in ops:
        # What makes floats out of none (a constant, a random number) would make others of a wider type.
        _widen_types(op, types, results=not (is_exact and isinstance(op, Pure)))
    for op, operands, results, is_exact in ops:
        for result, element in zip(op.results, results):
            if element in types and not isinstance(result.type, MemRefType):
                _round_result(result, _Amount(rounding, 0.0 if is_exact else EPSILON[element]), types)
        if _is_sum(op):
            _round_terms(op, operands, rounding)
    return copy, rounding


def _elements(values: Iterable[Value]) -> list[Type]:
    return [element_type(value.type) for value in values]


def _is_exact(op: Op) -> bool:
    """The op rounds nothing: it takes no floats."""
    return not op.regions and not any(isinstance(element, FloatType) for element in _elements(op.operands))


def _is_sum(op: Op) -> bool:
    """The op folds several numbers into one, perhaps in the order of a library."""
    if isinstance(op, linalg.Generic):
        return not op.is_all_parallel
    if isinstance(op, Sequential):
        return op.library_routine is not None
    return isinstance(op, (Reduction, Composite, Dot))


def _wide(type: Type, types: Widening) -> Type:
    """The type with wider floats."""
    element = types.get(element_type(type), element_type(type))
    if isinstance(type, TensorType):
        return type.with_element(element)
    if isinstance(type, MemRefType):
        return MemRefType(type.shape, element, type.layout, type.space)
    if isinstance(type, VectorType):
        return VectorType(type.shape, element)
    return type if isinstance(type, ShapedType) else types.get(type, type)


def _widen_types(op: Op, types: Widening, *, results: bool) -> None:
    """Widens the results, the block arguments and the signature."""
    for result in op.results if results else ():
        result.type = _wide(result.type, types)
    for block in (block for region in op.regions for block in region.blocks):
        for argument in block.arguments:
            argument.type = _wide(argument.type, types)
    if isinstance(op, FunctionLike):
        old = op.function_type  # type: ignore[attr-defined]
        inputs, outputs = ([_wide(type, types) for type in part] for part in (old.inputs, old.results))
        op.set_property("function_type", TypeAttr(FunctionType(tuple(inputs), tuple(outputs))))


def _round_result(value: Value, amount: _Amount, types: Widening) -> None:
    """All users of the value get it rounded."""
    op = value.op
    assert op is not None and op.parent is not None
    round = _rounded(value, _wide(value.type, types), amount)
    op.parent.insert_before(op.next, round)
    value.replace_uses_if(round.results[0], lambda use: use.owner is not round)


def _round_terms(op: Op, elements: Sequence[Type], rounding: Rounding) -> None:
    """The op gets the inputs that it folds rounded."""
    accumulators = set(op.outputs) if isinstance(op, linalg.Generic) else set()
    for index, (value, element) in enumerate(zip(op.operands, elements)):
        if element in EPSILON and value not in accumulators and isinstance(value.type, TensorType):
            assert op.parent is not None
            round = _rounded(value, value.type, _Amount(rounding, EPSILON[element], is_term=True))
            op.parent.insert_before(op, round)
            op.set_operand(index, round.results[0])


def _rounded(value: Value, type: Type, amount: _Amount) -> _Round:
    round = _Round([value], [type])
    round.amount = amount
    return round


def wide_draw(draw: Draw, types: Widening) -> Draw:
    """The same numbers for a widened module."""
    dtypes = {numpy_dtype(old): numpy_dtype(new) for old, new in types.items() if old is not BF16}

    def wide(x: Any) -> Any:
        return np.asarray(x).astype(dtypes.get(np.asarray(x).dtype, np.asarray(x).dtype))

    state = None if draw.state is None else {name: wide(x) for name, x in draw.state.items()}
    return replace(draw, arguments=tuple(map(wide, draw.arguments)), state=state)
