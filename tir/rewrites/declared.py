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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tir.dialects.tir.base import Elementwise
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.elements import is_unsigned
from tir.ir.errors import FileLocation, Location, TirError, nearest
from tir.ir.ir import Op, Value
from tir.ir.rewrite import CLASSES, Rule
from tir.ir.types import DYNAMIC, I1, FloatType, IntegerType, TensorType, element_type
from tir.rewrites.check_rule import RuleMistake, check_condition, check_sides, word_in
from tir.rewrites.expression import Call, Expression, ExpressionError, Name, Number, names_of, parse_expression, walk
from tir.rewrites.pattern import Found, build, makers_of, matches, op_class, values_in

__all__ = ["CONDITIONS", "Declaration", "read_rules"]

MAX_RULES = 5000
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
        if len(op.results) != 1:
            return None
        result = op.results[0]
        found = self.fits(result)
        like = None if found is None else _of_same_shape(op, b)
        if found is None or self.after is None or (like is None and self.needs_shape):
            return None
        made = build(self.after, b, found, like, element_type(result.type))
        return made if made.type is result.type else None

    @cached_property
    def needs_shape(self) -> bool:
        """It makes numbers or repeats, which take their shape from the op."""
        assert self.after is not None
        inside = [one for one in walk(self.before) if isinstance(one, Call) and one.function == "number"]
        numbers = {name for one in inside for name in names_of(one)}
        return any(
            isinstance(one, Number) or (isinstance(one, Name) and one.name in numbers)
            or (isinstance(one, Call) and one.function in ("repeat", "number")) for one in values_in(self.after)
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
    if not isinstance(op.results[0].type, TensorType):
        return None
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
            try:
                return _RELATIONS[str(relation)](_number(left, found), _number(right, found))
            except TypeError:
                return False  # a list of axes has no order with a number
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


@dataclass(frozen=True)
class _Line:
    """A line of a rule, without the blanks around it; its number, and the column of its first character."""

    number: int
    column: int
    text: str


def read_rules(text: str, file: str = "<rules>") -> list[Rule]:
    """The rules of a text. Raises TirError with the place of what is wrong."""
    found: dict[str, Rule] = {}
    paragraphs = list(_paragraphs(text))
    if len(paragraphs) > MAX_RULES:
        line = paragraphs[MAX_RULES][0]
        raise TirError(f"there are at most {MAX_RULES} rules", FileLocation(file, line.number, line.column))
    for lines, following in zip(paragraphs, [*paragraphs[1:], []]):
        with _placed(lines, file):
            one = _read(lines, file, following)
            if one.name in found:
                raise RuleMistake(f"there are two rules {one.name}", one.name)
        found[one.name] = one
    return list(found.values())


@contextmanager
def _placed(lines: Sequence[_Line], file: str, is_one_text: bool = False) -> Iterator[None]:
    """An error inside that has no place gets one in the lines.

    is_one_text: the offset of an error counts in all lines, with blanks between.
    """
    try:
        yield
    except TirError as error:
        if error.location is not None:
            raise
        place = FileLocation(file, *_position(error, lines, is_one_text))
        raise TirError(error.message, place, hint=error.hint) from None


def _position(error: TirError, lines: Sequence[_Line], is_one_text: bool) -> tuple[int, int]:
    """The line and the column of an error: at its offset, or at the word that it is about."""
    if isinstance(error, ExpressionError) and is_one_text:
        offset = error.offset
        for line in lines:
            if offset <= len(line.text):
                return line.number, line.column + offset
            offset -= len(line.text) + 1
    about = error.about if isinstance(error, RuleMistake) else ""
    for line in lines:
        at = word_in(line.text, about)
        if at >= 0:
            return line.number, line.column + at
    return lines[0].number, lines[0].column


def _paragraphs(text: str) -> Iterator[list[_Line]]:
    """The lines of each rule. One that begins with a blank goes on with the rule."""
    lines: list[_Line] = []
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip()
        if not content or content.startswith("//"):
            continue
        column = line.index(content) + 1
        if column == 1 and lines:
            yield lines
            lines = []
        lines.append(_Line(number, column, content))
    if lines:
        yield lines


def _read(lines: Sequence[_Line], file: str, following: Sequence[_Line]) -> Rule:
    head = _HEAD.fullmatch(lines[0].text)
    if head is None:
        shown = lines[0].text[:60]
        raise TirError(f"a rule begins with its name and a colon, got `{shown}`", hint=_name_hint(lines[0].text))
    places = [k for k, line in enumerate(lines) if _CLASS.fullmatch(line.text)]
    if len(places) != 1:
        message = f"a rule has one line with its class, {', '.join(CLASSES)}, got {len(places)}"
        raise TirError(message, hint=None if places else _class_hint(lines, following))
    stated = _CLASS.fullmatch(lines[places[0]].text)
    assert stated is not None
    _check_class(stated)
    first = _Line(lines[0].number, lines[0].column + head.start("rest"), head["rest"])
    texts = [first, *lines[1 : places[0]]]
    before, after = _sides(texts, file)
    old, new = (side.strip() for side in _joined(texts).split("=>"))
    with _placed(texts, file):
        try:
            roles = check_sides(before, after)
        except RuleMistake as mistake:
            mistake.hint = mistake.hint or (_comment_hint(new) if "stands for nothing" in mistake.message else None)
            raise
    rest = lines[places[0] + 1 :]
    tried = [found for line in rest if (found := _TRIED.fullmatch(line.text))]
    conditions = tuple(_condition(line, roles, file) for line in rest if not _TRIED.fullmatch(line.text))
    limits = min((float(one["most"] or math.inf) for one in tried), default=math.inf), any(not one["most"] for one in tried)
    location = FileLocation(file, lines[0].number, lines[0].column)
    made = Declaration(before, after, conditions, int(stated["ulps"] or 0), limits, location)
    root = op_class(before)  # type: ignore[arg-type]
    makers = makers_of(before)  # type: ignore[arg-type]
    return Rule(head["name"], (root,), made.apply, old, new, stated["kind"], stated["reason"] or "", made, makers)


def _name_hint(line: str) -> str | None:
    name, colon, _ = line.partition(":")
    if colon and re.fullmatch(r"[\w-]+", name):
        good = re.sub(r"^[^a-z]+|[^a-z0-9_]", "", name.lower().replace("-", "_"))
        return f"a name is of small letters, digits and _, such as {good or 'a'}"
    return "lines that go on with a rule begin with a blank" if line.startswith(("if ", *CLASSES)) else None


def _class_hint(lines: Sequence[_Line], following: Sequence[_Line]) -> str | None:
    """What may be meant by a line in the place of the class, or by one behind the rule."""
    if following and _CLASS.fullmatch(following[0].text):
        return "lines that go on with a rule begin with a blank"
    found = [nearest(line.text.partition(":")[0].split(" ")[0], CLASSES) for line in lines[1:]]
    return next((hint for hint in found if hint is not None), None)


def _check_class(stated: re.Match[str]) -> None:
    if stated["kind"] == "accurate" and not stated["reason"]:
        raise RuleMistake("an accurate rule says why its error is not larger: `accurate: ..`", "accurate")
    if stated["kind"] != "accurate" and stated["ulps"]:
        raise RuleMistake(f"`within {stated['ulps']} ulp` is said of accurate rules alone", stated["kind"])


def _joined(lines: Sequence[_Line]) -> str:
    return " ".join(line.text for line in lines)


def _sides(lines: Sequence[_Line], file: str) -> tuple[Expression, Expression]:
    """Both sides."""
    whole = _joined(lines)
    sides = whole.split("=>")
    if len(sides) != 2 or not all(side.strip() for side in sides):
        raise TirError("a rule is `before => after`", hint="the arrow is =>" if "->" in whole else None)
    made = []
    for place, side in enumerate(sides):
        with _placed(lines, file, is_one_text=True):
            try:
                made.append(parse_expression(side))
            except ExpressionError as error:
                error.offset += place * (len(sides[0]) + len("=>"))
                error.hint = _comment_hint(side)
                raise
    return made[0], made[1]


def _comment_hint(side: str) -> str | None:
    return "a comment has a line of its own; in an expression // divides" if "//" in side else None


def _condition(line: _Line, roles: Mapping[str, str], file: str) -> Expression:
    words = line.text.split(" ")
    if words[0] != "if":
        hint = nearest(words[0], ("if", "tried", *CLASSES))
        if words[0] == "tried":
            hint = "what a proof tries is limited by `tried up to 100`, or `tried for finite numbers`"
        raise RuleMistake(f"behind the class stand conditions, `if ..`, got `{line.text[:60]}`", words[0], hint)
    rest = _Line(line.number, line.column + 3, line.text[3:])
    with _placed([rest], file, is_one_text=True):
        condition = parse_expression(rest.text)
        check_condition(condition, roles, CONDITIONS)
    return condition
