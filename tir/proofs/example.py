"""Examples of rules in Python: expressions of the methods of `TensorBuilder`, such as `slice(exp(x), [1], [0])`.

Where the language of rules has ops and attributes, an example has the builder's methods and arguments: lists of values
(`concat([x, y], 0)`), shapes (`reshape(x, [dim(x, 0), 1])`), element types (`cast(x, f32)`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tir.dialects.tir.builder import TensorBuilder
from tir.ir.types import F16, F32, F64, I1, I32, I64, IntegerType, Type
from tir.rewrites.expression import Call, Expression, List, Name, Number, names_of

__all__ = ["build_example", "values_of"]

#: Names that are no values.
ELEMENTS: dict[str, Type] = {
    "f16": F16, "f32": F32, "f64": F64, "i1": I1, "i8": IntegerType(8), "i32": I32, "i64": I64,
}  # fmt: skip
_METHODS = {"and": "and_", "or": "or_", "not": "not_"}


def values_of(example: Expression) -> tuple[str, ...]:
    """The names of its values."""
    return tuple(name for name in names_of(example) if name not in ELEMENTS)


def build_example(example: Expression, b: TensorBuilder, values: Mapping[str, Any]) -> Any:
    """What the methods give. Raises what they raise for arguments that do not fit."""
    match example:
        case Name(name):
            return ELEMENTS[name] if name in ELEMENTS else values[name]
        case Number(number):
            return number
        case List(items):
            return [build_example(item, b, values) for item in items]
        case Call(function, arguments, named):
            given = [build_example(one, b, values) for one in arguments]
            facts = {name: build_example(one, b, values) for name, one in named}
            if function == "cmp":
                given.insert(0, facts.pop("predicate"))
            return getattr(b, _METHODS.get(function, function))(*given, **facts)
    raise AssertionError(example)
