"""What an operand's type or an attribute may be: the vocabulary of op declarations.

A `TypeKind` is a sentence and a test. An `AttributeKind` also converts, so that `op.axes` is a tuple of ints in Python
and `array<i64: 0, 1>` in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.ir.affine import AffineMap
from tir.ir.attributes import (
    AffineMapAttr,
    ArrayAttr,
    Attribute,
    DenseArrayAttr,
    DenseAttr,
    DenseResourceAttr,
    DialectAttr,
    DictAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
    bool_attr,
)
from tir.ir.types import (
    F64,
    I1,
    I32,
    I64,
    INDEX,
    FloatType,
    FunctionType,
    IndexType,
    IntegerType,
    MemRefType,
    TensorType,
    Type,
    VectorType,
)

__all__ = [
    "AFFINE_MAP", "AFFINE_MAPS", "ANY", "ANY_ATTRIBUTE", "ANY_FLOAT", "ANY_INTEGER", "ANY_MEMREF", "ANY_TENSOR",
    "ANY_VECTOR", "ARRAY", "AttributeKind", "BOOL", "BOOL_LIKE", "DICTIONARY", "ELEMENTS", "F64_ATTR", "FLAT_SYMBOL",
    "FLOAT_LIKE", "FUNCTION_TYPE", "I32_ATTR", "I32_ARRAY", "I64_ARRAY", "I64_ARRAYS", "I64_ATTR", "INDEX_ATTR",
    "INDEX_KIND", "INTEGER_LIKE", "NUMBER_ATTR", "STRING", "SYMBOL", "SYMBOL_NAME", "TYPE", "TypeKind", "UNIT",
    "dialect_enum", "integer_enum", "exactly", "like", "memref_of", "one_of", "tensor_of", "vector_of",
]  # fmt: skip


@dataclass(frozen=True)
class TypeKind:
    """A set of types: `text` completes the sentence "must be ..."."""

    text: str
    test: Callable[[Type], bool] = field(compare=False)
    _known: dict[Type, bool] = field(default_factory=dict, compare=False, repr=False)

    def accepts(self, type: Type) -> bool:
        """`type` is in the set."""
        known = self._known.get(type)
        if known is None:
            known = self._known[type] = self.test(type)
        return known


def exactly(*types: Type) -> TypeKind:
    """One of these types."""
    return TypeKind(" or ".join(map(str, types)), lambda t: t in types)


def one_of(*kinds: TypeKind) -> TypeKind:
    """In one of the kinds."""
    return TypeKind(" or ".join(k.text for k in kinds), lambda t: any(k.accepts(t) for k in kinds))


def tensor_of(kind: TypeKind, rank: int | None = None) -> TypeKind:
    """A tensor with elements of the kind, and of this rank if it is given."""
    text = f"a tensor of {kind.text}" if rank is None else f"a tensor of rank {rank} of {kind.text}"
    return TypeKind(
        text, lambda t: isinstance(t, TensorType) and kind.accepts(t.element) and (rank is None or t.rank == rank)
    )


def memref_of(kind: TypeKind) -> TypeKind:
    """A memref with elements of the kind."""
    return TypeKind(f"a memref of {kind.text}", lambda t: isinstance(t, MemRefType) and kind.accepts(t.element))


def vector_of(kind: TypeKind) -> TypeKind:
    """A vector with elements of the kind."""
    return TypeKind(f"a vector of {kind.text}", lambda t: isinstance(t, VectorType) and kind.accepts(t.element))


def like(kind: TypeKind) -> TypeKind:
    """A scalar of the kind, or a vector or tensor of such scalars."""
    shaped = (VectorType, TensorType)
    return TypeKind(
        f"{kind.text}, or a vector or tensor of it",
        lambda t: kind.accepts(t) or (isinstance(t, shaped) and kind.accepts(t.element)),
    )


ANY = TypeKind("any type", lambda t: True)
ANY_FLOAT = TypeKind("a float", lambda t: isinstance(t, FloatType))
ANY_INTEGER = TypeKind("an integer", lambda t: isinstance(t, IntegerType))
SIGNLESS_INTEGER = TypeKind("a signless integer", lambda t: isinstance(t, IntegerType) and not t.signedness)
INDEX_KIND = TypeKind("index", lambda t: isinstance(t, IndexType))
FLOAT_LIKE = like(ANY_FLOAT)
INTEGER_LIKE = like(one_of(SIGNLESS_INTEGER, INDEX_KIND))
BOOL_LIKE = like(exactly(I1))
ANY_TENSOR = TypeKind("a tensor", lambda t: isinstance(t, TensorType))
ANY_MEMREF = TypeKind("a memref", lambda t: isinstance(t, MemRefType))
ANY_VECTOR = TypeKind("a vector", lambda t: isinstance(t, VectorType))


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class AttributeKind:
    """A set of attributes: the sentence "must be ...", the test, and how Python sees and makes one.

    bare: how the short form writes one, by the name of a text rule in `format.py`, with `type` where it is implied.
    """

    text: str
    test: Callable[[Attribute], bool]
    to_python: Callable[[Any], Any] = _same
    of_python: Callable[[Any], Attribute] = _same
    bare: str = "attribute"
    type: Type | None = None
    cases: tuple[str, ...] = ()
    enum: str = ""
    separator: str = ","

    def make(self, value: Any) -> Attribute:
        """The attribute for a Python value (an attribute is taken as it is)."""
        return value if isinstance(value, Attribute) else self.of_python(value)


def _is(cls: type) -> Callable[[Attribute], bool]:
    return lambda a: isinstance(a, cls)


def _integer(type: Type, text: str) -> AttributeKind:
    return AttributeKind(
        f"an integer of type {text}",
        lambda a: isinstance(a, IntegerAttr) and a.type is type,
        lambda a: a.value,
        lambda v: IntegerAttr(v, type),
        bare="integer",
        type=type,
    )


def _numbers(element: Type) -> AttributeKind:
    return AttributeKind(
        f"an array<{element}>",
        lambda a: isinstance(a, DenseArrayAttr) and a.element is element,
        lambda a: a.values,
        lambda v: DenseArrayAttr(element, tuple(v)),
        bare="numbers",
        type=element,
    )


def _value(a: Any) -> Any:
    return a.value


def _is_maps(a: Attribute) -> bool:
    return isinstance(a, ArrayAttr) and all(isinstance(i, AffineMapAttr) for i in a)


def _is_reassociation(a: Attribute) -> bool:
    return isinstance(a, ArrayAttr) and all(
        isinstance(group, ArrayAttr) and all(isinstance(i, IntegerAttr) for i in group) for group in a
    )


ANY_ATTRIBUTE = AttributeKind("an attribute", lambda a: True)
BOOL = AttributeKind("true or false", lambda a: isinstance(a, IntegerAttr) and a.type is I1,
                     lambda a: bool(a.value), bool_attr, bare="bool")  # fmt: skip
UNIT = AttributeKind("unit", _is(UnitAttr), lambda a: True, lambda v: UnitAttr(), bare="unit")
STRING = AttributeKind("a string", _is(StringAttr), _value, StringAttr, bare="string")
SYMBOL = AttributeKind("a symbol", _is(SymbolRefAttr), _same,
                       lambda v: v if isinstance(v, SymbolRefAttr) else SymbolRefAttr(v), bare="symbol")  # fmt: skip
SYMBOL_NAME = AttributeKind("a symbol's name", _is(StringAttr), _value, StringAttr, bare="symbol_name")
FLAT_SYMBOL = AttributeKind("a symbol without ::", lambda a: isinstance(a, SymbolRefAttr) and not a.nested,
                            lambda a: a.root, SymbolRefAttr, bare="symbol")  # fmt: skip
TYPE = AttributeKind("a type", _is(TypeAttr), lambda a: a.type, TypeAttr, bare="type")
FUNCTION_TYPE = AttributeKind("a function type", lambda a: isinstance(a, TypeAttr) and isinstance(a.type, FunctionType),
                              lambda a: a.type, TypeAttr, bare="type")  # fmt: skip
I64_ATTR, I32_ATTR, INDEX_ATTR = _integer(I64, "i64"), _integer(I32, "i32"), _integer(INDEX, "index")
I64_ARRAY, I32_ARRAY = _numbers(I64), _numbers(I32)
F64_ATTR = AttributeKind("a number of type f64", lambda a: isinstance(a, FloatAttr) and a.type is F64, _value,
                         lambda v: FloatAttr(float(v), F64))  # fmt: skip
NUMBER_ATTR = AttributeKind("a number", _is((IntegerAttr, FloatAttr)), _value, _same, "number")  # type: ignore[arg-type]
ELEMENTS = AttributeKind("a dense constant", _is((DenseAttr, DenseResourceAttr)))  # type: ignore[arg-type]
ARRAY = AttributeKind("an array", _is(ArrayAttr), lambda a: a.items, ArrayAttr)
DICTIONARY = AttributeKind("a dictionary", _is(DictAttr))
AFFINE_MAP = AttributeKind("an affine map", _is(AffineMapAttr), lambda a: a.map, AffineMapAttr)
AFFINE_MAPS = AttributeKind("an array of affine maps", _is_maps, lambda a: tuple(i.map for i in a),
                            lambda v: ArrayAttr(tuple(_map_attr(m) for m in v)))  # fmt: skip
I64_ARRAYS = AttributeKind(
    "an array of integer arrays", _is_reassociation,
    lambda a: tuple(tuple(i.value for i in group) for group in a),
    lambda v: ArrayAttr(tuple(ArrayAttr(tuple(IntegerAttr(i, I64) for i in group)) for group in v)), bare="integer_arrays",
)  # fmt: skip


def _map_attr(map: AffineMap | AffineMapAttr) -> AffineMapAttr:
    return map if isinstance(map, AffineMapAttr) else AffineMapAttr(map)


def integer_enum(cases: Sequence[str], type: Type = I64) -> AttributeKind:
    """A word in the short form and in Python; its number in the generic form: `arith.cmpi slt`, `predicate = 2 : i64`."""
    names = tuple(cases)
    return AttributeKind(
        f"one of {', '.join(names)}",
        lambda a: isinstance(a, IntegerAttr) and a.type is type and 0 <= a.value < len(names),
        lambda a: names[a.value],
        lambda v: IntegerAttr(names.index(v), type),
        bare="word",
        cases=names,
    )


def dialect_enum(name: str, cases: Sequence[str], flags: str = "") -> AttributeKind:
    """A dialect's enum: `#arith.fastmath<fast>`. flags: what upstream writes between several words, `,` or `, `."""
    names = tuple(cases)

    def fits(a: Attribute) -> bool:
        if not isinstance(a, DialectAttr) or a.name != name or a.body is None:
            return False
        words = [w.strip() for w in a.body.split(",")] if flags else [a.body]
        return all(w in names for w in words)

    return AttributeKind(
        f"#{name}<...> of {', '.join(names)}",
        fits,
        lambda a: a.body,
        lambda v: DialectAttr(name, v),
        bare="enum",
        cases=names,
        enum=name,
        separator=flags,
    )
