"""Rules from text: `name: before => after`, their class, their conditions.

    // 1 + x keeps no digit of a small x.
    log_of_one_plus: log(1 + x) => log1p(x)
      accurate: 1 + x rounds x away

    product_of_powers: x ** number(c) * x ** number(d) => x ** (c + d)
      fast
      if c > 0 and d > 0

`expression.py` has the language of both sides and `pattern.py` what it means. Conditions are expressions of the words in
`CONDITIONS` and of comparisons of numbers and attributes.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tir.dialects.tir.base import Elementwise, is_unsigned
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.ir.errors import FileLocation, Location, TirError, counted, nearest
from tir.ir.ir import Op, Value
from tir.ir.rewrite import CLASSES, Rule
from tir.ir.types import DYNAMIC, I1, FloatType, IntegerType, element_type
from tir.rewrites.expression import Call, Expression, Name, Number, names_of, parse_expression, walk
from tir.rewrites.pattern import FUNCTIONS, Found, attributes_of, build, makers_of, matches, op_class

__all__ = ["CONDITIONS", "Declaration", "read_rules"]

_HEAD = re.compile(r"(?P<name>[a-z][a-z0-9_]*):\s*(?P<rest>.*)")
_CLASS = re.compile(rf"(?P<kind>{'|'.join(CLASSES)})(?: within (?P<ulps>\d+) ulp)?(?:: (?P<reason>.+))?")
_TRIED = re.compile(r"tried (?:up to (?P<most>\d+)|for finite numbers)")


def _is_integer(x: Value) -> bool:
    return isinstance(element_type(x.type), IntegerType) and element_type(x.type) is not I1


#: What a condition may ask of a value, and of an attribute beside it.
CONDITIONS: dict[str, Callable[..., bool]] = {
    "floats": lambda x: isinstance(element_type(x.type), FloatType),
    "integers": _is_integer,
    "signed": lambda x: _is_integer(x) and not is_unsigned(element_type(x.type)),
    "unsigned": lambda x: is_unsigned(element_type(x.type)),
    "bools": lambda x: element_type(x.type) is I1,
    "used_once": lambda x: len(x.uses) == 1,
    "last": lambda x, axes: list(axes) == [x.type.rank - 1],
    "nonempty": lambda x: all(isinstance(dim, int) and dim > 0 for dim in x.type.shape),
}
_OF_TWO = ("last",)
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Declaration:
    """What a rule says, to be matched, built, proved and printed.

    after: None for an example of a rule in Python, which alone knows what comes of it. ulps: how far an accurate rule may
    lie beside the truth, 0 for what its ops make likely. limits: the largest number that a proof tries, where arithmetic
    with many digits cannot tell what is right of larger ones, and whether it leaves out what is not finite, of which the
    rule says nothing.
    """

    before: Expression
    after: Expression | None
    conditions: tuple[Expression, ...] = ()
    ulps: int = 0
    limits: tuple[float, bool] = (math.inf, False)
    location: Location = field(default_factory=lambda: FileLocation("<rules>", 1, 1))

    def apply(self, op: Op, b: TensorBuilder) -> Value | None:
        """The value that replaces the result of the op, None if the rule does not fit."""
        (result,) = op.results
        found = self.fits(result)
        like = None if found is None else _of_same_shape(op, b)
        if found is None or self.after is None or (like is None and self.needs_shape):
            return None
        made = build(self.after, b, found, like, element_type(result.type)).value
        return made if made.type is result.type else None

    @cached_property
    def needs_shape(self) -> bool:
        """It makes numbers or repeats, which take their shape from the op."""
        assert self.after is not None
        inside = [one for one in walk(self.before) if isinstance(one, Call) and one.function == "number"]
        numbers = {name for one in inside for name in names_of(one)}
        return any(
            isinstance(one, Number) or (isinstance(one, Name) and one.name in numbers)
            or (isinstance(one, Call) and one.function == "repeat") for one in walk(self.after)
        )  # fmt: skip

    def fits(self, value: Value) -> Found | None:
        """What the names stand for, if the rule is about this value."""
        for found in matches(self.before, value):
            is_open = any(_is_open(found[name]) for name in self.dropped)
            if not is_open and all(_holds(one, found) for one in self.conditions):
                return found
        return None

    @cached_property
    def dropped(self) -> tuple[str, ...]:
        """The names that are not needed any more beside others: that their sizes agree must be known."""
        kept = [] if self.after is None else names_of(self.after)
        names = names_of(self.before)
        return () if self.after is None or len(names) == 1 else tuple(name for name in names if name not in kept)


def _of_same_shape(op: Op, b: TensorBuilder) -> Tensor | None:
    """What has the shape of the op's result, whose own sizes nothing in front of the op may ask."""
    result = b.tensor(op.results[0])
    if DYNAMIC not in result.type.shape:
        return result
    operands = map(b.tensor, op.operands) if isinstance(op, Elementwise) else ()
    return next((x for x in operands if x.type.shape == result.type.shape), None)


def _is_open(found: Any) -> bool:
    """It is a value with a size that only run time knows."""
    return isinstance(found, Value) and DYNAMIC in getattr(found.type, "shape", ())


def _holds(condition: Expression, found: Found) -> bool:
    match condition:
        case Call("and", parts):
            return all(_holds(part, found) for part in parts)
        case Call("or", parts):
            return any(_holds(part, found) for part in parts)
        case Call("not", (part,)):
            return not _holds(part, found)
        case Call("cmp", (left, right), (("predicate", Number(relation)),)):
            return _RELATIONS[str(relation)](_number(left, found), _number(right, found))
        case Call(function, names):
            return CONDITIONS[function](*(found[one.name] for one in names if isinstance(one, Name)))
    raise AssertionError(condition)


def _number(expression: Expression, found: Found) -> Any:
    match expression:
        case Number(number):
            return number
        case Name(name):
            return found[name]
    raise AssertionError(expression)


# --- from text -------------------------------------------------------------------------------------------------------


def read_rules(text: str, file: str = "<rules>") -> list[Rule]:
    """The rules of a text. Raises TirError with the place of what is wrong."""
    found: dict[str, Rule] = {}
    for line, paragraph in _paragraphs(text):
        location = FileLocation(file, line, 1)
        try:
            one = _read(paragraph, location)
            if one.name in found:
                raise TirError(f"there are two rules {one.name}")
        except TirError as error:
            raise TirError(error.message, location, hint=error.hint) from None
        found[one.name] = one
    return list(found.values())


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of each rule, with the number of the first."""
    start = 0
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.rstrip()
        if not content or content.lstrip().startswith("//"):
            continue
        if content[0] != " " and lines:
            yield start, lines
            lines = []
        if not lines:
            start = number
        lines.append(content.strip())
    if lines:
        yield start, lines


def _read(lines: Sequence[str], location: Location) -> Rule:
    head = _HEAD.fullmatch(lines[0])
    if head is None:
        raise TirError(f"a rule begins with its name and a colon, got `{lines[0][:60]}`")
    places = [k for k, line in enumerate(lines) if _CLASS.fullmatch(line)]
    if len(places) != 1:
        raise TirError(f"a rule has one line with its class, {', '.join(CLASSES)}, got {len(places)}")
    sides = " ".join([head["rest"], *lines[1 : places[0]]]).split("=>")
    if len(sides) != 2:
        raise TirError("a rule is `before => after`")
    stated = _CLASS.fullmatch(lines[places[0]])
    assert stated is not None
    if stated["kind"] == "accurate" and not stated["reason"]:
        raise TirError("an accurate rule says why its error is not larger: `accurate: ..`")
    before, after = map(parse_expression, sides)
    rest = lines[places[0] + 1 :]
    tried = [found for line in rest if (found := _TRIED.fullmatch(line))]
    conditions = [_condition(line) for line in rest if not _TRIED.fullmatch(line)]
    limits = min((float(one["most"] or math.inf) for one in tried), default=math.inf), any(not one["most"] for one in tried)
    made = Declaration(before, after, tuple(conditions), int(stated["ulps"] or 0), limits, location)
    _check(made)
    root = op_class(before)  # type: ignore[arg-type]
    texts = (sides[0].strip(), sides[1].strip())
    makers = makers_of(before)  # type: ignore[arg-type]
    return Rule(head["name"], (root,), made.apply, *texts, stated["kind"], stated["reason"] or "", made, makers)


def _condition(line: str) -> Expression:
    if not line.startswith("if "):
        raise TirError(f"behind the class stand conditions, `if ..`, got `{line[:60]}`")
    return parse_expression(line[3:].replace(" and ", " & ").replace(" or ", " | ").replace("not ", "~"))


def _check(declaration: Declaration) -> None:
    before, after = declaration.before, declaration.after
    assert after is not None
    if not isinstance(before, Call) or before.function == "number":
        raise TirError("what a rule replaces is an op, not a name or a number")
    for side in (before, after):
        for one in walk(side):
            if isinstance(one, Call) and one.function not in ("number", *FUNCTIONS):
                attributes_of(one)
    known = names_of(before)
    for name in names_of(after) + [name for one in declaration.conditions for name in names_of(one)]:
        if name not in known:
            raise TirError(f"{name} stands on the right side alone", hint=nearest(name, known))
    for condition in declaration.conditions:
        for one in walk(condition):
            if isinstance(one, Call) and one.function not in ("and", "or", "not", "cmp"):
                _check_condition(one)


def _check_condition(call: Call) -> None:
    if call.function not in CONDITIONS:
        raise TirError(f"there is no condition {call.function}", hint=nearest(call.function, CONDITIONS))
    wanted = 2 if call.function in _OF_TWO else 1
    if len(call.arguments) != wanted or not all(isinstance(one, Name) for one in call.arguments):
        raise TirError(f"the condition {call.function} is about {counted(wanted, 'name')}, got {len(call.arguments)}")
