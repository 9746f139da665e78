"""An expression as a pattern of ops, and as a recipe to build them.

    for found in matches(expression, value): ...     what each name stands for
    build(expression, b, found)                      the value that the expression says

A name stands for one value, or for one attribute where an attribute stands. Four calls are no ops:

- `number(c)`: c is one number everywhere, and stands for this number;
- `repeat(y, axes)`: y along new axes of the result, which is what undoes the shape of a reduction; in what is matched
  axes of size 1 may come in between;
- `cast(x, t)`: t is the element type of the result;
- in what is built, arithmetic on attributes: `compose(p, q)`, `without(axes, ..)` and what else `FUNCTIONS` has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from tir.dialects.tir import DIALECT
from tir.dialects.tir.arithmetic import Neg, Sub
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.create import Constant, Full
from tir.dialects.tir.shape import Broadcast, Reshape, is_number, number_of
from tir.ir.errors import TirError, nearest
from tir.ir.execution import value_of_type
from tir.ir.ir import Op, Value
from tir.ir.rewrite import Makers
from tir.ir.traits import Commutative
from tir.ir.types import DYNAMIC, Type, element_type
from tir.lazy import np
from tir.rewrites.expression import Call, Expression, List, Name, Number, walk

__all__ = [
    "FUNCTIONS", "Found", "attributes_of", "build", "kept_axes", "makers_of", "matches", "op_class", "operands_of",
    "repeated", "values_in",
]  # fmt: skip

#: What the names of a rule stand for: values, or attributes as Python values, or element types.
Found = Mapping[str, Any]

_CLASSES = {op.name.removeprefix("tir."): op for op in DIALECT.ops}
#: What may be one number everywhere.
_NUMBERS = (Constant, Full, Broadcast, Reshape)
#: Builder methods that are not called as the op is.
_METHODS = {"and": "and_", "or": "or_", "not": "not_"}


def compose(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """The permutation that is `first`, then `second`."""
    return [first[axis] for axis in second]


#: Arithmetic on attributes.
FUNCTIONS: dict[str, Callable[..., Any]] = {"compose": compose}


def op_class(call: Call) -> type[Op]:
    """The op that a call means. Raises TirError for a name that no op has."""
    name = {"repeat": "broadcast"}.get(call.function, call.function)
    if name not in _CLASSES:
        raise TirError(f"there is no op tir.{name[:60]}", hint=nearest(name, _CLASSES))
    return _CLASSES[name]


def operands_of(call: Call) -> tuple[Expression, ...]:
    """The arguments that are values."""
    fixed = [field for field in op_class(call).definition.operands if field.many != "*"]
    return call.arguments[: len(fixed)]


def values_in(expression: Expression) -> Iterator[Expression]:
    """The parts of the expression that are values, not attributes, itself first; a `number` is one by itself."""
    pending = [expression]
    while pending:
        one = pending.pop()
        yield one
        if isinstance(one, Call) and one.function != "number":
            pending += operands_of(one)


def attributes_of(call: Call) -> dict[str, Expression]:
    """The arguments that are attributes, by name. Raises TirError for one that the op has not."""
    if call.function in ("repeat", "cast"):
        return {}
    declared = op_class(call).definition.attributes
    rest = call.arguments[len(operands_of(call)) :]
    if len(rest) > len(declared):
        raise TirError(f"tir.{call.function} has {len(declared)} attributes, got {len(rest)}")
    found = dict(zip(declared, rest)) | dict(call.named)
    for name in found:
        if name not in declared:
            raise TirError(f"tir.{call.function} has no attribute {name!r}", hint=nearest(name, declared))
    return found


def makers_of(call: Call) -> tuple[Makers, ...]:
    """What can make the operands of an op that the call matches, in each order of them."""
    names = [one.name for one in walk(call) if isinstance(one, Name)]
    often = {name for name in names if names.count(name) > 1}
    order = tuple(None if call.function == "repeat" else _makers_of_one(one, often) for one in operands_of(call))
    return (order, order[::-1]) if issubclass(op_class(call), Commutative) and order[0] != order[1] else (order,)


def _makers_of_one(expression: Expression, often: Collection[str]) -> tuple[type[Op], ...] | None:
    """often: the names that stand in the call more than once."""
    match expression:
        case Name():
            return None
        case Call("neg", (Name(name),)) if name in often:
            return None  # see _is_negative
        case Number() | Call("number"):
            return _NUMBERS
        case Call():
            return (op_class(expression),)
    raise AssertionError(expression)


# --- matching --------------------------------------------------------------------------------------------------------


def matches(expression: Expression, value: Value, found: Found | None = None) -> Iterator[Found]:
    """What the names can stand for so that the expression is this value; `found` is what some stand for already."""
    found = {} if found is None else found
    match expression:
        case Name(name):
            known = found.get(name)
            if known is None:
                yield {**found, name: value}
            elif known is value or (not isinstance(known, Value) and is_number(value, known)) or _same_number(known, value):
                yield found
        case Number(number):
            if is_number(value, number):
                yield found
        case Call("number", (Name(name),)):
            number = number_of(value)
            if number is not None and (name not in found or is_number(value, found[name])):
                yield {**found, name: number}
        case Call("neg", (Name(name),)) if isinstance(found.get(name), Value):
            if _is_negative(value, found[name]):
                yield found
        case Call():
            yield from _matches_call(expression, value.op, found)


def _is_negative(first: Value, second: Value) -> bool:
    """Each of two values is the other one with another sign, as the text says it: x and -x, x - y and y - x."""
    op, other = first.op, second.op
    if isinstance(op, Sub) and isinstance(other, Sub):
        return op.lhs is other.rhs and op.rhs is other.lhs
    return (isinstance(op, Neg) and op.x is second) or (isinstance(other, Neg) and other.x is first)


def _same_number(first: Any, second: Value) -> bool:
    """Two values are one number everywhere, the same one."""
    number = number_of(first) if isinstance(first, Value) and first.type is second.type else None
    return number is not None and is_number(second, number)


def _matches_call(call: Call, op: Op | None, found: Found) -> Iterator[Found]:
    if call.function == "repeat":
        yield from _matches_repeat(call, op, found)
        return
    cls = op_class(call)
    if type(op) is not cls:
        return
    operands = operands_of(call)
    if len(operands) != len(op.operands):
        return  # one that may be left out, such as weights
    orders = [op.operands]
    if isinstance(op, Commutative) and operands[0] != operands[1]:
        orders.append(op.operands[::-1])
    for values in orders:
        for inside in _matches_all(operands, values, found):
            with_attributes = _match_attributes(call, op, inside)
            if with_attributes is not None:
                yield with_attributes


def _matches_repeat(call: Call, op: Op | None, found: Found) -> Iterator[Found]:
    for value, axes in repeated(op) if isinstance(op, Broadcast) else ():
        inside = _bind(call.arguments[1], axes, found)
        if inside is not None:
            yield from matches(call.arguments[0], value, inside)


def repeated(op: Op | None) -> Iterator[tuple[Value, list[int]]]:
    """The values that the op repeats along axes of its result, with these, the nearest first."""
    rank = op.result_type.rank if isinstance(op, (Broadcast, Reshape)) else 0
    places, stretched = list(range(rank)), [False] * rank  # of each axis of the value, in the result
    while isinstance(op, (Broadcast, Reshape)):
        kept = kept_axes(op)
        if kept is None:
            return
        own = op.stretched() if isinstance(op, Broadcast) else ()
        if any(axis not in own and op.x.type.shape[axis] != op.result_type.shape[to] for axis, to in enumerate(kept)):
            return  # sizes of which only run time knows that they are equal
        places = [places[to] for to in kept]
        stretched = [stretched[to] or axis in own for axis, to in enumerate(kept)]
        if not any(stretched):
            yield op.x, [axis for axis in range(rank) if axis not in places]
        op = op.x.op


def kept_axes(op: Broadcast | Reshape) -> Sequence[int] | None:
    """The axes of the result that those of x are; None of a reshape that does more than to add axes of size 1."""
    if isinstance(op, Broadcast):
        return op.along
    before, after = list(op.x.type.shape), list(op.result_type.shape)
    if before.count(DYNAMIC) > 1:
        return None  # which is which, only run time knows
    kept: list[int] = []
    for axis, dim in enumerate(after):
        if len(kept) < len(before) and before[len(kept)] == dim:
            kept.append(axis)
        elif dim != 1:
            return None
    return kept if len(kept) == len(before) else None


def _matches_all(expressions: Sequence[Expression], values: Sequence[Value], found: Found) -> Iterator[Found]:
    if not expressions:
        yield found
        return
    for inside in matches(expressions[0], values[0], found):
        yield from _matches_all(expressions[1:], values[1:], inside)


def _match_attributes(call: Call, op: Any, found: Found) -> Found | None:
    """The same with the names of attributes; None if they are others. What the call does not name must not be there."""
    if call.function == "cast":
        return _bind(call.arguments[1], element_type(op.result.type), found)
    wanted = attributes_of(call)
    for name in type(op).definition.attributes:
        value = getattr(op, name)
        if name in wanted:
            bound = _bind(wanted[name], _plain(value), found)
            if bound is None:
                return None
            found = bound
        elif op.properties.get(name) != type(op).definition.defaults.get(name):
            return None
    return found


def _plain(value: Any) -> Any:
    """An attribute's value as one to compare."""
    return list(value) if isinstance(value, (list, tuple)) else value


def _bind(expression: Expression, value: Any, found: Found) -> Found | None:
    match expression:
        case Name(name):
            known = found.get(name)
            return {**found, name: value} if known is None else found if known == value else None
        case Number(number):
            return found if value == number and isinstance(value, bool) == isinstance(number, bool) else None
        case List(items):
            return _bind_all(items, value, found) if isinstance(value, list) and len(value) == len(items) else None
        case _:
            try:
                return found if value == _attribute(expression, found) else None
            except KeyError:
                return None


def _bind_all(expressions: Sequence[Expression], values: Sequence[Any], found: Found) -> Found | None:
    inside: Found | None = found
    for expression, value in zip(expressions, values):
        inside = None if inside is None else _bind(expression, value, inside)
    return inside


# --- building --------------------------------------------------------------------------------------------------------


def build(
    expression: Expression, b: TensorBuilder, found: Found, like: Tensor | None = None, element: Type | None = None
) -> Value:
    """The value of the expression: a tensor, or the size that `dim` says.

    like: has the shape of the result, which a number or a `repeat` by itself takes. element: of a number by itself; that
    of `like` without it.
    """
    made = _built(expression, b, found, like)
    if isinstance(made, Value):
        return made
    if not isinstance(made, Tensor):
        assert like is not None, expression
        made = b.full(made, b.shape(like), element or like.type.element)
    return made.value


def _built(expression: Expression, b: TensorBuilder, found: Found, like: Tensor | None) -> Any:
    """The same; a number that stands alone is left as it is."""
    match expression:
        case Name(name):
            value = found[name]
            return value if isinstance(value, (bool, int, float)) else b.tensor(value)
        case Number(number):
            return number
        case Call("number", (inner,)):
            return _built(inner, b, found, like)
        case Call("cast", (inner, Name(type_name))):
            return b.cast(_built(inner, b, found, like), found[type_name])
        case Call("repeat", (inner, axes)):
            return b.repeat_along(_built(inner, b, found, None), _attribute(axes, found), like)
        case Call():
            return _built_call(expression, b, found, like)
    raise AssertionError(expression)


def _built_call(call: Call, b: TensorBuilder, found: Found, like: Tensor | None) -> Any:
    operands: list[Any] = [None] * len(operands_of(call))
    repeated = []
    for place, one in enumerate(operands_of(call)):
        if isinstance(one, Call) and one.function == "repeat":
            repeated.append(place)
        else:
            operands[place] = _built(one, b, found, like)
    beside = next((x for x in operands if isinstance(x, Tensor)), like)
    if operands and like is not None and not any(one is None or isinstance(one, Tensor) for one in operands):
        return _computed(call, operands, like.type.element)
    for place in repeated:
        operands[place] = _built(operands_of(call)[place], b, found, beside)
    facts = {name: _attribute(value, found) for name, value in attributes_of(call).items()}
    if call.function == "cmp":
        return b.cmp(facts["predicate"], *operands)
    if call.function == "pow":
        pair = [one if isinstance(one, Tensor) else b.full_like(beside, one) for one in operands]
        return b.make(op_class(call), *pair)  # as it stands: the builder knows squares
    method = getattr(b, _METHODS.get(call.function, call.function))
    return method(*operands, *facts.values())


def _computed(call: Call, numbers: Sequence[Any], element: Type) -> Any:
    """The op of numbers alone, in the arithmetic of the element type."""
    scalars = [value_of_type(number, element) for number in numbers]
    with np.errstate(all="ignore"):
        cls: Any = op_class(call)
        return cls.reference(object.__new__(cls), *scalars).item()


def _attribute(expression: Expression, found: Found) -> Any:
    """What an attribute is. Raises KeyError for a name that stands for nothing."""
    match expression:
        case Name(name):
            return found[name]
        case Number(number):
            return number
        case List(items):
            return [_attribute(item, found) for item in items]
        case Call(function, arguments):
            return FUNCTIONS[function](*(_attribute(one, found) for one in arguments))
    raise AssertionError(expression)
