"""Examples of rules in Python: expressions of the methods of `TensorBuilder`, such as `slice(exp(x), [1], [0])`.

Where the language of rules has ops and attributes, an example has the builder's methods and arguments: lists of values
(`concat([x, y], 0)`), shapes (`reshape(x, [dim(x, 0), 1])`), element types (`cast(x, f32)`). Equal parts are one value. What
a rule must not fit stands behind `not`. `opened(x)` is x with sizes of which types tell nothing, and `first(..)` the first
of several results. `op('cast', x, like=x)` is an op that no method makes so, of the type of x.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tir.dialects.tir import DIALECT
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.ir.types import BF16, F16, F32, F64, I1, I32, I64, IntegerType, Type
from tir.rewrites.expression import Call, Expression, List, Name, Number, names_of, parse_expression

__all__ = ["build_example", "read_example", "values_of"]

#: Names that are no values.
ELEMENTS: dict[str, Type] = {
    "bf16": BF16, "f16": F16, "f32": F32, "f64": F64, "i1": I1, "i8": IntegerType(8), "i32": I32, "i64": I64,
}  # fmt: skip
_CLASSES = {op.name: op for op in DIALECT.ops}
_METHODS = {"and": "and_", "or": "or_", "not": "not_"}


def _op(b: TensorBuilder, name: str, *operands: Any, like: Tensor | None = None, **facts: Any) -> Tensor:
    types = None if like is None else [like.type]
    return b.make(_CLASSES[f"tir.{name}"], *operands, result_types=types, **facts)


#: Calls that are no methods.
_FORMS: dict[str, Callable[..., Any]] = {
    "first": lambda b, several: several[0],
    "op": _op,
    "opened": lambda b, x: b.reshape(x, [b.dim(x, axis) for axis in range(x.type.rank)]),
}


def read_example(text: str) -> tuple[Expression, bool]:
    """The expression, and whether a rule must fit it, or must not. Raises TirError where it is none."""
    expression = text.removeprefix("not ")
    return parse_expression(expression), expression == text


def values_of(example: Expression) -> tuple[str, ...]:
    """The names of its values."""
    return tuple(name for name in names_of(example) if name not in ELEMENTS)


def build_example(example: Expression, b: TensorBuilder, values: Mapping[str, Any]) -> Any:
    """What the methods give. Raises what they raise for arguments that do not fit."""
    known: dict[str, Any] = {}

    def built(one: Expression) -> Any:
        key = repr(one)  # True and 1 are equal
        if key not in known:
            known[key] = _built(one, b, values, built)
        return known[key]

    return built(example)


def _built(example: Expression, b: TensorBuilder, values: Mapping[str, Any], part: Callable[[Expression], Any]) -> Any:
    match example:
        case Name(name):
            return ELEMENTS[name] if name in ELEMENTS else values[name]
        case Number(number):
            return number
        case List(items):
            return [part(item) for item in items]
        case Call(function, arguments, named):
            given = [part(one) for one in arguments]
            facts = {name: part(one) for name, one in named}
            if function == "cmp":
                given.insert(0, facts.pop("predicate"))
            if function in _FORMS:
                return _FORMS[function](b, *given, **facts)
            return getattr(b, _METHODS.get(function, function))(*given, **facts)
    raise AssertionError(example)
