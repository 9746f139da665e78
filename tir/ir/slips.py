"""What people write who come from elsewhere (Python, C, older MLIR), and what tir has for it. Only for hints in errors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tir.ir.attributes import ArrayAttr, Attribute, DenseArrayAttr, FloatAttr, IntegerAttr
from tir.ir.errors import nearest
from tir.ir.kinds import AttributeKind, TypeKind
from tir.ir.types import (
    DTYPES,
    DYNAMIC,
    F32,
    F64,
    I1,
    I32,
    I64,
    TYPE_NAMES,
    FloatType,
    FunctionType,
    IntegerType,
    ShapedType,
    TensorType,
    Type,
)
from tir.lazy import LazyModule

if TYPE_CHECKING:
    from tir.ir import synonyms
else:
    synonyms = LazyModule("tir.ir.synonyms")  # which only mistakes need

__all__ = [
    "CHARACTERS", "OP_WORDS", "attribute_hint", "conversion_hint", "kind_hint", "number_hint", "op_hint", "operator_hint",
    "synonyms", "type_hint",
]  # fmt: skip

_TYPES = {
    "float": "f32", "float16": "f16", "float32": "f32", "float64": "f64", "half": "f16", "double": "f64", "bfloat16": "bf16",
    "int": "i32", "long": "i64", "bool": "i1", "boolean": "i1", "char": "i8", "byte": "i8", "int8": "i8", "int16": "i16",
    "int32": "i32", "int64": "i64", "uint8": "ui8", "uint16": "ui16", "uint32": "ui32", "uint64": "ui64", "size_t": "index",
    "F16": "f16", "F32": "f32", "F64": "f64", "BF16": "bf16", "I1": "i1", "I8": "i8", "I32": "i32", "I64": "i64",
    "Tensor": "tensor<..>", "ndarray": "tensor<..>", "array": "tensor<..>",
}  # fmt: skip

#: Words that begin a line where an op should, without a dialect: they are read as the name of an op.
OP_WORDS = frozenset((
    "func", "for", "if", "while", "yield", "load", "store", "alloc", "dealloc", "copy", "constant", "br", "cond_br", "addf",
    "subf", "mulf", "divf", "addi", "subi", "muli", "cmpf", "cmpi", "select", "shared", "read", "update", "parallel",
    "generic", "def", "let", "var", "print", "assert",
))  # fmt: skip
_OPS = {
    "def": "a function is 'func.func @name(..) { .. }'",
    "let": "a value is defined by '%name = ' and an op",
    "var": "a value is defined by '%name = ' and an op",
    "print": "tir has no op that prints",
    "ret": "a function ends in 'return'",
    "func": "did you mean 'func.func'?",
    "for": "did you mean 'scf.for'?",
    "if": "did you mean 'scf.if'?",
    "while": "did you mean 'scf.while'?",
    "assert": "did you mean 'cf.assert'?",
    "constant": "did you mean 'tir.constant', or 'arith.constant' for a scalar?",
}
#: Dialects that were, or that others have, and where their ops are here.
_DIALECTS = {
    "std": ("arith", "math", "func", "memref", "cf", "tensor"),
    "standard": ("arith", "math", "func", "memref", "cf", "tensor"),
    "loop": ("scf",),
    "mhlo": ("tir",),
    "stablehlo": ("tir",),
    "tosa": ("tir",),
    "onnx": ("tir",),
    "theano": ("tir",),
    "torch": ("tir",),
    "np": ("tir",),
    "numpy": ("tir",),
}

CHARACTERS = {
    "“": "a string stands in straight quotes, \"",
    "”": "a string stands in straight quotes, \"",
    "‘": "a string stands in straight quotes, \"",
    "’": "a string stands in straight quotes, \"",
    "'": "a string stands in double quotes, \"",
    "`": "a string stands in double quotes, \"",
    ";": "an op ends without a mark",
    "−": "the minus sign is '-'",
    "–": "the minus sign is '-'",
    "—": "the minus sign is '-'",
    "→": "an arrow is '->'",
    "×": "sizes are separated by the letter x",
    "\u00a0": "this is a blank that does not break; write a common one",
    "\u200b": "this is a blank without a width; delete it",
    "\ufeff": "this is a byte order mark; delete it",
    "\\": "a line is not continued by a mark",
    "&": "there are no infix operators: each is an op, such as arith.andi",
    "~": "there are no infix operators: each is an op, such as arith.xori",
}  # fmt: skip


def type_hint(word: str, more: Iterable[str] = ()) -> str | None:
    """The type that a word probably means. more: names that are known besides those of the types."""
    meant = _TYPES.get(word)
    return f"did you mean {meant!r}?" if meant is not None else nearest(word, (*TYPE_NAMES, *more))


def conversion_hint(want: Type, got: Type) -> str | None:
    """What makes a tensor of one type one of the other, if they have one rank."""
    if not isinstance(want, TensorType) or not isinstance(got, TensorType) or want.rank != got.rank:
        return None
    if want.element is not got.element:
        return "tir.cast converts the elements" if want.element is not I1 else "tir.cmp gives truth values"
    known = [(a, b) for a, b in zip(want.shape, got.shape) if a != b and DYNAMIC not in (a, b)]
    if known:
        return None if all(isinstance(size, int) for size in known[0]) else "give sizes that are equal one name"
    return "tir.reshape states sizes that are the same"


def kind_hint(kind: TypeKind, got: Type, is_result: bool) -> str | None:
    """What makes a value fit that is of no type that an op of the tensor level takes, or gives."""
    if isinstance(got, FunctionType):
        return "the type of the result stands alone"
    if not isinstance(got, ShapedType):
        made = "" if is_result else ", such as tir.constant makes"
        return f"a number is a tensor<{got}> here{made}" if kind.accepts(TensorType((), got)) else None
    if not isinstance(got, TensorType) or got.element not in DTYPES:
        return None
    if any(kind.accepts(got.with_element(element)) for element in (F32, I32, I64)):
        return "tir.cast converts the elements"
    return "tir.cmp gives truth values" if kind.accepts(got.with_element(I1)) else None


def attribute_hint(kind: AttributeKind, got: Attribute) -> str | None:
    """How an attribute is written whose value is right and whose form is not."""
    meant: list[Attribute] = []
    if isinstance(got, (IntegerAttr, FloatAttr)):
        meant = [FloatAttr(float(got.value), F64), IntegerAttr(int(got.value), I64)] if abs(got.value) < 1 << 53 else []
    elif isinstance(got, ArrayAttr) and all(isinstance(item, IntegerAttr) for item in got.items):
        meant = [DenseArrayAttr(I64, tuple(item.value for item in got.items))]  # type: ignore[attr-defined]
    fitting = next((one for one in meant if kind.test(one)), None)
    return f"write {str(fitting).removesuffix(' : f64').removesuffix(' : i64')}" if fitting is not None else None


def number_hint(got: Attribute, element: Type) -> str | None:
    """How the number of an attribute is written that is of another type than the elements."""
    if not isinstance(got, (IntegerAttr, FloatAttr)) or abs(got.value) >= 1 << 31:
        return None
    if isinstance(element, FloatType):
        return f"write {FloatAttr(float(got.value), element)}"
    is_whole = isinstance(element, IntegerType) and element.width >= 32 and got.value == int(got.value)
    return f"write {IntegerAttr(int(got.value), element)}" if is_whole else None


_OPERATOR = re.compile(r"\s*(\*\*|//|[=<>!]=|&&|\|\||[-+*/%@<>&|^])(?=[\s%(0-9])")


def operator_hint(text: str, pos: int) -> str | None:
    """What is written for an operator of Python that stands in a text at `pos`, or behind blanks there."""
    found = _OPERATOR.match(text, pos)
    return f"there are no operators, write tir.{synonyms.OPERATORS[found[1]]} %x, %y" if found is not None else None


def op_hint(name: str, names: Iterable[str]) -> str | None:
    """The op that a name probably means: by another name, one of this name in another dialect, or the most similar."""
    if name in _OPS:
        return _OPS[name]
    dialect, _, rest = name.rpartition(".")
    names = list(names)
    near = nearest(name, [one for one in names if dialect and one.startswith(f"{dialect}.")])
    homes = _DIALECTS.get(dialect, ("tir", "arith", "scf") if not dialect else (dialect,))
    same = [one for one in names if one.partition(".")[2] == rest]
    for home in homes:
        if f"{home}.{rest}" in same:
            return f"did you mean '{home}.{rest}'?"
    if "tir" in homes and (elsewhere := _other_name(rest, names)) is not None:
        return elsewhere
    if near is not None:
        return near
    if not dialect and same:
        return f"did you mean '{same[0]}'?"
    return nearest(name, same) or nearest(name, names)


def _other_name(name: str, names: Iterable[str]) -> str | None:
    """The op of the tensor level that has another name elsewhere, or is written in another way."""
    for one in names:
        if one.startswith("tir.") and synonyms.plain(one[4:]) == synonyms.plain(name):
            return f"did you mean '{one}'?"
    op = synonyms.meant(name, synonyms.OPS)
    return f"did you mean 'tir.{op}'?" if op is not None else synonyms.meant(name, synonyms.WAYS)
