"""Reading the items of an op: words, SSA names, types and attributes, in order, with located errors.

The format engine and the directives read through this; none of them sees a parser.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tir.ir.attributes import (
    ArrayAttr,
    Attribute,
    DenseArrayAttr,
    DictAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
    bool_attr,
    unpack,
)
from tir.ir.dense_text import dense_attribute, float_number, mistake_offset
from tir.ir.errors import FileLocation, Location, ParseError, TirError, nearest
from tir.ir.slips import type_hint
from tir.ir.syntax import (
    AttributeItem,
    Braces,
    Brackets,
    DenseItem,
    FloatLiteral,
    IntegerLiteral,
    Item,
    LocationItem,
    Punct,
    StringLiteral,
    SuccessorItem,
    SymbolItem,
    TypeItem,
    Use,
    Word,
)
from tir.ir.types import F64, I1, I64, FloatType, FunctionType, IndexType, IntegerType, ShapedType, Type

__all__ = ["CLOSING", "Reader", "item_text", "value_hint"]

Locate = Callable[[int], FileLocation]
CLOSING = {"(": ")", "[": "]", "<": ">"}


class Form(Protocol):
    """What hints say of the form of an op."""

    def word_hint(self, word: str, expected: str) -> str | None: ...
    def written(self, said: Collection[str] = ()) -> str | None: ...


@dataclass
class Reader:
    """A position in a list of items. `end` is the offset behind the last item, for errors there.

    closing: the bracket that ends the items; none for those of the op itself.
    uses: every SSA name read so far through `use`, shared with readers of inner brackets: the holes of the op's text.
    looked_for: words that the form allows, and the place of the word that stands where each was last looked for.
    form: that of the op whose own items these are.
    """

    items: Sequence[Item]
    locate: Locate
    end: int
    uses: list[Use] = field(default_factory=list)
    at: int = 0
    closing: str = ""
    looked_for: dict[str, int] = field(default_factory=dict)
    form: Form | None = None

    def inner(self, brackets: Brackets | Braces) -> Reader:
        """A reader of what is inside brackets."""
        closing = CLOSING[brackets.open] if isinstance(brackets, Brackets) else "}"
        return Reader(brackets.items, self.locate, brackets.end - 1, self.uses, closing=closing)

    # --- looking ---------------------------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> Item | None:
        """The item at hand, or None at the end."""
        return self.items[self.at + ahead] if self.at + ahead < len(self.items) else None

    @property
    def done(self) -> bool:
        return self.at >= len(self.items)

    def is_punct(self, text: str) -> bool:
        item = self.peek()
        return isinstance(item, Punct) and item.text == text

    def is_punct_behind(self, text: str) -> bool:
        """The item behind the one at hand is this punctuation."""
        item = self.peek(1)
        return isinstance(item, Punct) and item.text == text

    def is_behind(self, text: str) -> bool:
        """The item that was taken last is this punctuation."""
        item = self.items[self.at - 1] if self.at else None
        return isinstance(item, Punct) and item.text == text

    def is_word(self, *texts: str) -> bool:
        item = self.peek()
        if not isinstance(item, Word):
            return False
        if not texts or item.text in texts:
            return True
        self.looked_for.update(dict.fromkeys(texts, self.at))
        return False

    def is_brackets(self, open: str) -> bool:
        item = self.peek()
        return isinstance(item, Brackets) and item.open == open

    def pos(self) -> int:
        item = self.peek()
        return item.pos if item is not None else self.end

    def location(self) -> Location:
        return self.locate(self.pos())

    def error(self, message: str, pos: int | None = None) -> ParseError:
        """The error to raise, at the item at hand or at `pos`."""
        return ParseError(message, self.locate(self.pos() if pos is None else pos))

    def expected(self, what: str, hint: str | None = None) -> ParseError:
        """`expected X, got Y`, at the item at hand. hint: unless the word at hand is like one that the form allows.

        Without a hint, the form of the op is shown.
        """
        item = self.peek()
        end = f"'{self.closing}'" if self.closing else "the end of the op"
        got = end if item is None else item_text(item)
        hint = self._allowed_word(what) or hint
        if hint is None and self.form is not None:
            hint = self.form.written({one.text for one in self.items if isinstance(one, Word)})
        return ParseError(f"expected {what}, got {got}", self.locate(self.pos()), hint=hint)

    def _allowed_word(self, expected: str) -> str | None:
        """Where the word at hand belongs, or which one it may stand for, if that is not what is expected anyway."""
        item = self.peek()
        if not isinstance(item, Word):
            return None
        place = self.looked_for.get(item.text)
        if place is not None:
            return f"it stands in front of {item_text(self.items[place])}"
        if self.form is not None and (meant := self.form.word_hint(item.text, expected)) is not None:
            return meant
        words = [word for word, place in self.looked_for.items() if place == self.at]
        return nearest(item.text, [word for word in words if f"'{word}'" not in expected])

    # --- taking ----------------------------------------------------------------------------------------------------

    def next(self) -> Item:
        item = self.peek()
        assert item is not None
        self.at += 1
        return item

    def take_punct(self, text: str) -> bool:
        """Takes this punctuation if it is next."""
        if self.is_punct(text):
            self.at += 1
            return True
        return False

    def take_word(self, text: str) -> bool:
        """Takes this word if it is next."""
        if self.is_word(text):
            self.at += 1
            return True
        return False

    def punct(self, text: str, hint: str | None = None) -> None:
        """This punctuation. hint: what to say if it is not there."""
        if self.take_punct(text):
            return
        if not self.done:
            is_operand = self.at > 0 and isinstance(self.items[self.at - 1], Use)
            if text == ":" and is_operand and self.is_punct(",") and isinstance(self.peek(1), Use):
                hint = f"{item_text(self.peek(1))} is an operand too many"
            elif text == ":" and self.is_punct(",") and isinstance(self.peek(1), Word):
                hint = f"what begins with {item_text(self.peek(1))} stands without ','"
            elif text == "," and isinstance(self.peek(), Use):
                hint = None  # the comma is all that is missing
        elif hint is None:
            one = "type stands" if self.closing else "types stand"
            hint = {":": f"the {one} behind it", "->": "the type of the result stands behind it"}.get(text)
        raise self.expected(f"'{text}'", hint)

    def word(self, *texts: str) -> str:
        """A word; one of `texts` if given."""
        if not self.is_word(*texts):
            raise self.expected(" or ".join(f"'{t}'" for t in texts) if texts else "a word")
        return self.next().text  # type: ignore[union-attr]

    def use(self) -> int:
        """An SSA name; its number among the names of the op."""
        item = self.peek()
        if not isinstance(item, Use):
            raise self.expected("a value such as %x", value_hint(item))
        self.at += 1
        self.uses.append(item)
        return len(self.uses) - 1

    def use_list(self) -> list[int]:
        """SSA names separated by commas; none if no name is next."""
        found: list[int] = []
        if isinstance(self.peek(), Use):
            found.append(self.use())
            while self.is_punct(",") and isinstance(self.peek(1), Use):
                self.at += 1
                found.append(self.use())
        return found

    def brackets(self, open: str) -> Reader:
        """The inside of brackets that open with this character."""
        if not self.is_brackets(open):
            item = self.peek()
            is_inside = isinstance(item, Use) if open == "(" else isinstance(item, IntegerLiteral) and open == "["
            inside = item_text(item).strip("'")
            raise self.expected(f"'{open}'", f"write {open}{inside}{CLOSING[open]}" if is_inside else None)
        inner = self.inner(self.next())  # type: ignore[arg-type]
        inner.form = self.form if open == "(" else None
        return inner

    def symbol(self) -> SymbolRefAttr:
        item = self.peek()
        if not isinstance(item, SymbolItem):
            raise self.expected("a symbol such as @f", f"write @{item.text}" if isinstance(item, Word) else None)
        self.at += 1
        return SymbolRefAttr(item.path[0], item.path[1:])

    def successor(self) -> str:
        item = self.peek()
        if not isinstance(item, SuccessorItem):
            raise self.expected("a block such as ^bb1")
        self.at += 1
        return item.name

    def string(self) -> str:
        item = self.peek()
        if not isinstance(item, StringLiteral):
            raise self.expected("a string")
        self.at += 1
        return item.value

    def integer(self) -> int:
        item = self.peek()
        if not isinstance(item, IntegerLiteral):
            is_wrapped = self.is_punct("=") or isinstance(item, Brackets)
            raise self.expected("an integer", "the number stands alone, without '=' or brackets" if is_wrapped else None)
        self.at += 1
        return self.integer_value(item)

    def integer_value(self, item: IntegerLiteral) -> int:
        return int(item.text, 0) if "0x" in item.text else int(item.text)

    def take_location(self) -> Location | None:
        """`loc(..)` of an argument, if it is next."""
        item = self.peek()
        if not isinstance(item, LocationItem):
            return None
        self.at += 1
        return item.location

    def finish(self, what: str = "the end of the op", hint: str | None = None) -> None:
        """Raises unless all items are taken."""
        if not self.done:
            before = self.items[self.at - 1] if self.at else None
            is_list = self.is_punct(":") and isinstance(before, Brackets)
            if isinstance(before, TypeItem) and isinstance(self.peek(), TypeItem):
                hint = "types are separated by ','"
            if isinstance(before, TypeItem) and self.is_brackets("["):
                hint = "the sizes stand inside of the type, as in tensor<4x8xf32>"
            if isinstance(before, Use) and self.is_punct(":"):
                hint = "types stand behind all operands"
            if not self.at and (isinstance(self.peek(), Word) or self.is_brackets("(")):
                hint = value_hint(self.peek())
            raise self.expected(what, "the elements of a tensor stand in dense<..>" if is_list else hint)

    def region(self) -> Braces:
        """`{ .. }` with ops inside."""
        item = self.peek()
        if not isinstance(item, Braces):
            raise self.expected("'{'", _region_hint(item))
        if item.items and not item.blocks and item.region is None:
            raise self.expected("ops in braces", _braces_hint(item))
        self.at += 1
        return item

    # --- types -----------------------------------------------------------------------------------------------------

    def type(self) -> Type:
        """A type; function types are read here."""
        if self.is_brackets("("):
            return self.function_type("several types stand without parentheses")
        item = self.peek()
        if not isinstance(item, TypeItem):
            raise self.expected("a type", type_hint(item.text) if isinstance(item, Word) else None)
        self.at += 1
        return item.type

    def type_list(self) -> list[Type]:
        """Types separated by commas, at least one."""
        types = [self.type()]
        while self.take_punct(","):
            types.append(self.type())
        return types

    def function_type(self, hint: str = "the types of the results stand behind it") -> FunctionType:
        """`(types) -> type` or `(types) -> (types)`; results to the right may be function types in brackets.

        hint: what to say if it ends in front of the arrow.
        """
        if isinstance(self.peek(), TypeItem):
            raise self.expected("'('", "the types of what comes in stand in parentheses")
        inner = self.brackets("(")
        inputs = [] if inner.done else inner.type_list()
        inner.finish("')'")
        self.punct("->", hint)
        return FunctionType(tuple(inputs), tuple(self.results()))

    def results(self) -> list[Type]:
        """The results of a function type: one type, or several in brackets."""
        if not self.is_brackets("("):
            return [self.type()]
        inner = self.brackets("(")
        types = [] if inner.done else inner.type_list()
        inner.finish("')'")
        return types

    # --- attributes ------------------------------------------------------------------------------------------------

    def attribute(self, implied: Type | None = None) -> Attribute:
        """An attribute of any kind. `implied`: the type of a number that states none."""
        stack: list[_Container] = []
        reader = self
        while True:
            value = reader._open_or_scalar(implied if not stack else None, stack)
            if value is None:
                reader = stack[-1].reader
                if not reader.done and stack[-1].wants_value():
                    continue
                value = stack.pop().close()
            while stack:
                stack[-1].add(value)
                reader = stack[-1].reader
                if not reader.take_punct(","):
                    reader.finish("',' or the closing bracket")
                elif stack[-1].wants_value():
                    break
                value = stack.pop().close()
            else:
                return value

    def _open_or_scalar(self, implied: Type | None, stack: list[_Container]) -> Attribute | None:
        """A scalar attribute, or None after an array or dictionary was opened on the stack."""
        item = self.peek()
        if isinstance(item, Brackets) and item.open == "[":
            self.at += 1
            stack.append(_Container(self.inner(item), item, None))
            return None
        if isinstance(item, Braces):
            if not item.items and (item.blocks or item.region is not None):
                raise self.expected("attributes in braces", "an attribute is its name, '=' and its value")
            self.at += 1
            stack.append(_Container(self.inner(item), item, {}))
            return None
        return self._scalar(implied)

    def _scalar(self, implied: Type | None) -> Attribute:
        item = self.peek()
        pos = self.pos()
        try:
            if isinstance(item, (IntegerLiteral, FloatLiteral)):
                self.at += 1
                return self._number(item, self.type() if self.take_punct(":") else implied)
            if isinstance(item, DenseItem):
                self.at += 1
                return self._dense(item, self._type_behind(implied))
        except ParseError:
            raise
        except TirError as error:
            raise ParseError(error.message, self.locate(pos), error.notes, error.hint) from None
        return self._simple(item)

    def _dense(self, item: DenseItem, type: Type) -> Attribute:
        try:
            return dense_attribute(item.kind, item.body, type)
        except TirError as error:
            offset = mistake_offset(item.body, type)
            place = self.locate(item.pos if offset is None else item.body_pos + offset)
            raise ParseError(error.message, place, error.notes, error.hint) from None

    def _type_behind(self, implied: Type | None) -> Type:
        """`: type`, which may be left out if it is implied."""
        if implied is not None and not self.is_punct(":"):
            return implied
        self.punct(":")
        return self.type()

    def _simple(self, item: Item | None) -> Attribute:
        if isinstance(item, StringLiteral):
            self.at += 1
            return StringAttr(item.value)
        if isinstance(item, SymbolItem):
            return self.symbol()
        if isinstance(item, AttributeItem):
            self.at += 1
            return item.attribute
        if isinstance(item, TypeItem) or self.is_brackets("("):
            return TypeAttr(self.type())
        if self.is_word("true", "false"):
            return bool_attr(self.word() == "true")
        if self.take_word("unit"):
            return UnitAttr()
        hint = f'a string stands in quotes, "{item.text}", and a symbol is @{item.text}' if isinstance(item, Word) else None
        hint = "the value stands without '='" if self.is_punct("=") else hint
        raise self.expected("an attribute", hint)

    def _number(self, item: IntegerLiteral | FloatLiteral, type: Type | None) -> Attribute:
        if isinstance(item, FloatLiteral):
            type = F64 if type is None else type
            if not isinstance(type, FloatType):
                raise _not_of_type(self, item, type)
            return FloatAttr(float_number(item.text, type), type)
        if isinstance(type, FloatType):
            return FloatAttr(self._float_of_integer(item, type), type)
        if type is not None and not isinstance(type, (IntegerType, IndexType)):
            raise _not_of_type(self, item, type)
        return IntegerAttr(self.integer_value(item), I64 if type is None else type)

    def _float_of_integer(self, item: IntegerLiteral, type: FloatType) -> float:
        """A hex literal spells the bits of a float; a decimal one needs a dot."""
        if not item.text.startswith("0x"):
            raise self.error(f"{item.text} is an integer, and the type is {type}: write {item.text}.0", item.pos)
        size = type.width // 8
        value = self.integer_value(item)
        if value >= 1 << (8 * size):
            raise self.error(f"{item.text} has more than the {8 * size} bits of {type}", item.pos)
        return unpack(value.to_bytes(size, "little"), type)[0]

    def dictionary(self) -> dict[str, Attribute]:
        """`{name = attribute, flag}`."""
        if not isinstance(self.peek(), Braces):
            raise self.expected("'{'")
        value = self.attribute()
        assert isinstance(value, DictAttr)
        return dict(value.entries)

    def number_list(self, element: Type) -> DenseArrayAttr:
        """`[1, 2]` as numbers of one type."""
        inner = self.brackets("[")
        values: list[int | float | bool] = []
        while not inner.done:
            values.append(inner._bare_number(element))
            if not inner.take_punct(","):
                inner.finish("',' or ']'")
        try:
            return DenseArrayAttr(element, tuple(values))
        except TirError as error:
            raise self.error(error.message) from None

    def _bare_number(self, element: Type) -> int | float | bool:
        if element is I1:
            return self.word("true", "false") == "true"
        value = self.attribute(element)
        if not isinstance(value, (IntegerAttr, FloatAttr)):
            raise self.expected("a number")
        return value.value


@dataclass
class _Container:
    """An array (`entries` is None) or dictionary that is being read."""

    reader: Reader
    source: Brackets | Braces
    entries: dict[str, Attribute] | None
    items: list[Attribute] = field(default_factory=list)
    key: str = ""

    def wants_value(self) -> bool:
        """Takes `name =`; False if the dictionary ends with names that have no value (units)."""
        while self.entries is not None:
            pos = self.reader.pos()
            self.key = self._name()
            if self.key in self.entries:
                raise self.reader.error(f"attribute {self.key!r} is given twice", pos)
            if self.reader.take_punct("="):
                return True
            self.entries[self.key] = UnitAttr()
            if not self.reader.take_punct(","):
                self.reader.finish("',' or '}'")
                return False
        return True

    def _name(self) -> str:
        item = self.reader.peek()
        if isinstance(item, StringLiteral):
            return self.reader.string()
        if isinstance(item, TypeItem) and str(item.type).isidentifier():
            self.reader.at += 1
            return str(item.type)
        if not isinstance(item, Word):
            is_number = isinstance(item, (IntegerLiteral, FloatLiteral))
            hint = "several values stand in brackets, [0, 1]" if is_number else None
            raise self.reader.expected("the name of an attribute", hint)
        return self.reader.word()

    def add(self, value: Attribute) -> None:
        if self.entries is None:
            self.items.append(value)
        else:
            self.entries[self.key] = value

    def close(self) -> Attribute:
        return ArrayAttr(tuple(self.items)) if self.entries is None else DictAttr.of(self.entries)


def _not_of_type(reader: Reader, item: IntegerLiteral | FloatLiteral, type: Type) -> ParseError:
    hint = f"write dense<{item.text}>" if isinstance(type, ShapedType) else None
    return ParseError(f"{item.text} is not of type {type}", reader.locate(item.pos), hint=hint)


def _braces_hint(braces: Braces) -> str:
    """What may be meant by a dictionary that stands where a region must."""
    name, value = braces.items[0], braces.items[2] if len(braces.items) > 2 else None
    if isinstance(name, Word) and len(braces.items) > 1 and isinstance(braces.items[1], Use):
        return "the name of an op has a dot, as in tir.yield"
    if isinstance(name, Word) and isinstance(value, Word) and "." in value.text:
        return f"a value has a name with '%': write %{name.text}"
    return "attributes of a function or module stand behind the word 'attributes'"


def _region_hint(item: Item | None) -> str | None:
    """What may be meant by an item that stands where a region must."""
    if isinstance(item, Brackets) and item.open == "(" and len(item.items) > 1 and isinstance(item.items[0], Use):
        if isinstance(item.items[1], Punct) and item.items[1].text == "=":
            return None
        return "the arguments of a region stand in a label inside of it, as in ^bb0(%x: f32):"
    mark = item.text if isinstance(item, Punct) else item.open if isinstance(item, Brackets) else ""
    if isinstance(item, TypeItem) or mark in (":", "("):
        return "the types of the results stand behind '->'"
    marks = {",": "several results stand in parentheses", "=": "the word in front of it has no value"}
    return marks.get(mark)


def value_hint(item: Item | None) -> str | None:
    """What may be meant by an item that stands where a value must."""
    if isinstance(item, Word):
        return f"write %{item.text}"
    if isinstance(item, (IntegerLiteral, FloatLiteral)):
        return "a number becomes a value by an op, such as arith.constant or tir.full"
    if isinstance(item, SymbolItem):
        return "a symbol is no value; tir.read gives that of a shared variable"
    if isinstance(item, Brackets) and item.open == "(":
        return "operands stand without parentheses, but for the generic form, \"d.op\"(..)"
    return None


def item_text(item: Item | None) -> str:
    """How an item is named in an error message."""
    if isinstance(item, Use):
        return f"%{item.name}"
    if isinstance(item, (Word, Punct, IntegerLiteral, FloatLiteral)):
        return f"'{item.text}'"
    if isinstance(item, Brackets):
        return f"'{item.open}'"
    if isinstance(item, Braces):
        return "'{'"
    if isinstance(item, SymbolItem):
        return "::".join(f"@{name}" for name in item.path)
    if isinstance(item, SuccessorItem):
        return f"^{item.name}"
    if isinstance(item, TypeItem):
        return f"type {item.type}"
    if isinstance(item, StringLiteral):
        return "a string"
    return "an attribute"

