"""What the rules of grammar.lark make: ops, items, types, affine maps, locations.

Each method is one alias of the grammar and gets the values of the rule's symbols, tokens included. It runs inside the
LALR parser, so nothing here recurses. A token carries the `Reading` of its text; there is no other state, so one
parser serves all threads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tir.ir.affine import AffineConstant, AffineDim, AffineExpr, AffineMap, AffineName, AffineSum, AffineSymbol
from tir.ir.attributes import AffineMapAttr, Attribute, DialectAttr, StridedLayoutAttr
from tir.ir.errors import UNKNOWN, CallSiteLocation, FileLocation, FusedLocation, Location, NameLocation, TirError
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
    RawBlock,
    RawOp,
    StringLiteral,
    SuccessorItem,
    SymbolItem,
    TypeItem,
    Use,
    Word,
)
from tir.ir.types import FunctionType, MemRefType, OpaqueType, TensorType, TupleType, VectorType, parse_scalar_type
from tir.parser import literals
from tir.parser.lines import LineCallbacks
from tir.parser.locations import AliasLocation, has_alias
from tir.parser.reading import Reading
from tir.parser.resources import read_metadata
from tir.parser.tokens import Token

__all__ = ["Callbacks"]

Values = list[Any]

_VALUE_OR_COMMA = re.compile(r",|%([\w$.-]+)(?:#([0-9]+))?", re.ASCII)
_COMMENT = re.compile(r"//[^\n]*")
_ONE_WORD = re.compile(r"\{\s*([A-Za-z_][\w$.]*)\s*\}\Z", re.ASCII)


class Callbacks(LineCallbacks):
    """The actions of the grammar."""

    # --- lists -------------------------------------------------------------------------------------------------

    def new(self, values: Values) -> list[Any]:
        return []

    def first(self, values: Values) -> list[Any]:
        return [values[0]]

    def second(self, values: Values) -> Any:
        return values[1]

    def append(self, values: Values) -> list[Any]:
        values[0].append(values[1])
        return values[0]

    def append_behind_comma(self, values: Values) -> list[Any]:
        values[0].append(values[2])
        return values[0]

    def module(self, values: Values) -> list[RawOp]:
        return values[0]

    # --- statements --------------------------------------------------------------------------------------------

    def attribute_alias(self, values: Values) -> list[RawOp]:
        statements, token, items = values
        name, reading = _defined_name(token), token.reading
        if len(items) == 1 and isinstance(items[0], LocationItem):
            if name in reading.location_aliases:
                raise reading.error(f"#{name} is already defined", token.pos)
            reading.location_aliases[name] = (items[0].location, token.pos)
        elif not items:
            raise reading.error(f"expected an attribute behind '#{name} ='", token.end)
        else:
            reading.define(reading.attribute_aliases, "#", name, items, token.pos)
        return statements

    def type_alias(self, values: Values) -> list[RawOp]:
        statements, token, type = values
        token.reading.define(token.reading.type_aliases, "!", _defined_name(token), [type], token.pos)
        return statements

    def metadata(self, values: Values) -> list[RawOp]:
        read_metadata(values[1].text, values[1].pos, values[1].reading)
        return values[0]

    # --- ops and blocks ----------------------------------------------------------------------------------------

    def op(self, values: Values) -> RawOp:
        name, items = values
        return self._op([], name, name.pos, items)

    def op_with_results(self, values: Values) -> RawOp:
        results, name, items = values
        return self._op(literals.result_list(results.text), name, results.pos, items)

    def _op(self, results: list[tuple[str, int]], name: Token, pos: int, items: list[Item]) -> RawOp:
        location = None
        last = items[-1] if items else None
        if isinstance(last, LocationItem):
            items.pop()
            location = last.location
        is_generic = name.type == "GENERIC"
        text = _unescaped(name) if is_generic else name.text
        op = RawOp(text, results, items, is_generic, pos, name.reading.end, location)
        if location is not None and has_alias(location):
            name.reading.unresolved.append(op)
        return op

    def region(self, values: Values) -> Braces:
        opening, ops, blocks, closing = values
        if ops:
            blocks = [RawBlock(None, [], ops, ops[0].pos), *blocks]
        return Braces([], blocks, opening.pos, closing.pos + 1)

    def block(self, values: Values) -> RawBlock:
        values[0].ops = values[1]
        return values[0]

    def label(self, values: Values) -> RawBlock:
        token, arguments = values[0], values[2] if len(values) > 2 else []
        block = RawBlock(token.text[1:], arguments, [], token.pos)
        if any(location is not None and has_alias(location) for *_, location in arguments):
            token.reading.unresolved.append(block)
        return block

    def argument(self, values: Values) -> tuple[Any, ...]:
        token, type = values[0], values[2].type
        if "#" in token.text:
            raise token.reading.error(f"{token.text} cannot name an argument: it has a '#'", token.pos)
        return token.text[1:], type, token.pos, values[3].location if len(values) > 3 else None

    # --- items -------------------------------------------------------------------------------------------------

    def use(self, values: Values) -> list[Item]:
        items, token = values
        name, _, number = token.text[1:].partition("#")
        items.append(Use(name, _result_number(token, number, token.pos), token.pos))
        return items

    def uses(self, values: Values) -> list[Item]:
        """`%a, %b, %c`: a run of names is one token, for speed."""
        items, token = values
        for found in _VALUE_OR_COMMA.finditer(_without_comments(token.text)):
            pos = token.pos + found.start()
            if found[1] is None:
                items.append(Punct(",", pos))
            else:
                items.append(Use(found[1], _result_number(token, found[2], pos), pos))
        return items

    def word(self, values: Values) -> list[Item]:
        values[0].append(Word(values[1].text, values[1].pos))
        return values[0]

    def punct(self, values: Values) -> list[Item]:
        values[0].append(Punct(values[1].text, values[1].pos))
        return values[0]

    def integer(self, values: Values) -> list[Item]:
        values[0].append(IntegerLiteral(values[1].text, values[1].pos))
        return values[0]

    def float_literal(self, values: Values) -> list[Item]:
        values[0].append(FloatLiteral(values[1].text, values[1].pos))
        return values[0]

    def string(self, values: Values) -> list[Item]:
        values[0].append(StringLiteral(_unescaped(values[1]), values[1].pos))
        return values[0]

    def symbol(self, values: Values) -> list[Item]:
        items, token = values
        items.append(SymbolItem(token.reading.located(token.pos, literals.symbol_path, token.text), token.pos))
        return items

    def successor(self, values: Values) -> list[Item]:
        values[0].append(SuccessorItem(values[1].text[1:], values[1].pos))
        return values[0]

    def attribute(self, values: Values) -> list[Item]:
        items, token = values
        items.append(AttributeItem(token.reading.located(token.pos, _ATTRIBUTES[token.type], token.text), token.pos))
        return items

    def attribute_alias_use(self, values: Values) -> list[Item]:
        items, token = values
        meant = token.reading.expand(token.reading.attribute_aliases, "#", token.text[1:], token.pos)
        if len(meant) == 1 and isinstance(meant[0], AttributeItem):
            meant = [AttributeItem(meant[0].attribute, token.pos)]
        items.extend(meant)
        return items

    def dense(self, values: Values) -> list[Item]:
        items, token = values
        kind, _, _ = _without_comments(token.text).partition("<")
        begin = len(kind) + 1
        items.append(DenseItem(kind.rstrip(), token.text[begin:-1], token.pos, token.pos + begin))
        return items

    def brackets(self, values: Values) -> list[Item]:
        items, opening, inside, closing = values
        items.append(Brackets(opening.text, inside, opening.pos, closing.pos + 1))
        return items

    def dictionary(self, values: Values) -> list[Item]:
        items, opening, entries, closing = values
        word = entries[0] if len(entries) == 1 else None
        blocks = []
        if isinstance(word, Word) and ("." in word.text or word.text == "return"):
            op = RawOp(word.text, [], [], False, word.pos, word.pos + len(word.text))
            blocks = [RawBlock(None, [], [op], word.pos)]
        items.append(Braces(entries, blocks, opening.pos, closing.pos + 1))
        return items

    def read_region(self, values: Values) -> list[Item]:
        """A region that was read by lines, the number of which is in the order of the text."""
        items, token = values
        # A region of one bare word may be a dictionary of one entry: see `dictionary`.
        single = _ONE_WORD.match(token.text)
        words: list[Item] = [Word(single[1], token.pos + single.start(1))] if single is not None else []
        items.append(Braces(words, [], token.pos, token.end, token.reading.next_region))
        token.reading.next_region += 1
        return items

    # --- types -------------------------------------------------------------------------------------------------

    def scalar(self, values: Values) -> TypeItem:
        token = values[0]
        type = token.reading.located(token.pos, parse_scalar_type, token.text)
        if type is None:
            raise token.reading.error(f"integer type {token.text[:20]}.. is too wide", token.pos)
        return TypeItem(type, token.pos)

    def shaped(self, values: Values) -> TypeItem:
        token, dims, element = values[:3]
        extras = _extras(values[4], values[5].pos, token.reading) if len(values) > 4 else []
        make = _SHAPED[_without_comments(token.text)[:-1].rstrip()]
        return TypeItem(token.reading.located(token.pos, make, tuple(dims), element.type, extras), token.pos)

    def tuple_type(self, values: Values) -> TypeItem:
        types = values[1] if len(values) > 2 else ()
        return TypeItem(TupleType(tuple(item.type for item in types)), values[0].pos)

    def opaque_type(self, values: Values) -> TypeItem:
        return TypeItem(OpaqueType(*_name_and_body(values[0].text)), values[0].pos)

    def type_alias_use(self, values: Values) -> TypeItem:
        token = values[0]
        (item,) = token.reading.expand(token.reading.type_aliases, "!", token.text[1:], token.pos)
        assert isinstance(item, TypeItem)
        return TypeItem(item.type, token.pos)

    def function_type(self, values: Values) -> TypeItem:
        results = [values[4]] if len(values) == 5 else values[5]
        inputs = tuple(item.type for item in values[1])
        return TypeItem(FunctionType(inputs, tuple(item.type for item in results)), values[0].pos)

    def dims(self, values: Values) -> list[Any]:
        dims, token = values
        dims.extend(token.reading.located(token.pos, literals.sizes, token.text))
        return dims

    def named_dim(self, values: Values) -> list[Any]:
        values[0].append(values[2])
        return values[0]

    # --- affine maps -------------------------------------------------------------------------------------------

    def affine_names(self, values: Values) -> tuple[int, int]:
        """Enters the names of dims and symbols; gives how many there are of each."""
        dims, symbols = values[1], values[4] if len(values) > 3 else []
        names: dict[str, AffineExpr] = {}
        for make, ids in ((AffineDim, dims), (AffineSymbol, symbols)):
            for i, token in enumerate(ids):
                if token.text in names:
                    raise token.reading.error(f"affine map: '{token.text}' is named twice", token.pos)
                names[token.text] = make(i)
        values[0].reading.affine_names = names
        return len(dims), len(symbols)

    def affine_map(self, values: Values) -> AttributeItem:
        opening, (dims, symbols), _, _, results, _, _ = values
        opening.reading.affine_names = None
        return AttributeItem(AffineMapAttr(AffineMap(dims, symbols, tuple(results))), opening.pos)

    def affine_id(self, values: Values) -> AffineExpr:
        token = values[0]
        names = token.reading.affine_names
        if names is None:
            return AffineName(token.text)
        if token.text not in names:
            known = ", ".join(names) or "none"
            raise token.reading.error(f"affine map: '{token.text}' is not one of its names, {known}", token.pos)
        return names[token.text]

    def affine_constant(self, values: Values) -> AffineExpr:
        token = values[0]
        return _checked(AffineConstant(int(token.text)), token)

    def affine_negative(self, values: Values) -> AffineExpr:
        return _checked(values[1] * -1, values[0])

    def affine_binary(self, values: Values) -> AffineExpr:
        lhs, token, rhs = values
        if token.text in ("+", "-"):
            return _checked(lhs + rhs if token.text == "+" else lhs - rhs, token)
        if token.text == "*" and isinstance(lhs, AffineConstant):
            lhs, rhs = rhs, lhs
        if not isinstance(rhs, AffineConstant):
            message = f"affine expression: the right side of '{token.text}' must be an integer"
            raise token.reading.error(message, token.pos)
        if token.text == "*":
            return _checked(lhs * rhs.value, token)
        if rhs.value <= 0:
            raise token.reading.error(f"affine expression: '{token.text}' needs a positive divisor", token.pos)
        return _checked(token.reading.located(token.pos, _DIVISIONS[token.text], lhs, rhs.value), token)

    # --- locations ---------------------------------------------------------------------------------------------

    def location(self, values: Values) -> LocationItem:
        item = LocationItem(values[1], values[0].pos)
        if has_alias(item.location):
            values[0].reading.unresolved.append(item)
        return item

    def unknown_location(self, values: Values) -> Location:
        return UNKNOWN

    def location_alias(self, values: Values) -> Location:
        return AliasLocation(values[0].text[1:], values[0].pos)

    def name_location(self, values: Values) -> Location:
        name = _unescaped(values[0])
        return NameLocation(name, values[2]) if len(values) > 1 else NameLocation(name)

    def file_location(self, values: Values) -> Location:
        numbers = [values[2], values[4]]
        for token in numbers:
            if not token.text.isdigit() or len(token.text) > 9:
                raise token.reading.error(f"expected a line or column number, got {token.text[:20]}", token.pos)
        return FileLocation(_unescaped(values[0]), int(numbers[0].text), int(numbers[1].text))

    def call_site(self, values: Values) -> Location:
        return CallSiteLocation(values[2], values[4])

    def fused(self, values: Values) -> Location:
        return FusedLocation(tuple(values[-2]))


def _result_number(token: Token, digits: str | None, pos: int) -> int:
    """The 1 of `%r#1`."""
    if digits and len(digits) > 6:
        raise token.reading.error(f"the number of a result must have at most 6 digits, got #{digits[:20]}", pos)
    return int(digits) if digits else 0


def alias_of(token: Token) -> str:
    """`#name` or `!name` of a definition."""
    return _without_comments(token.text)[:-1].rstrip()


def _defined_name(token: Token) -> str:
    return alias_of(token)[1:]


def _unescaped(token: Token) -> str:
    return token.reading.located(token.pos, literals.unescape, token.text)


def _name_and_body(text: str) -> tuple[str, str | None]:
    """`d.t` and the body of `!d.t<body>`."""
    name, less, body = text[1:].partition("<")
    return name, body[:-1] if less else None


def _dialect_attribute(text: str) -> Attribute:
    return DialectAttr(*_name_and_body(text))


_ATTRIBUTES: dict[str, Callable[[str], Attribute]] = {
    "ARRAY": literals.array_attribute,
    "STRIDED": literals.strided_layout,
    "OPAQUE_ATTRIBUTE": _dialect_attribute,
}


def _without_comments(text: str) -> str:
    """The text with blanks in the place of comments: what is left stays where it was."""
    return text if "//" not in text else _COMMENT.sub(lambda found: " " * len(found[0]), text)


# --- shaped types ------------------------------------------------------------------------------------------------


def _extras(items: list[Item], end: int, reading: Reading) -> list[tuple[Item, str]]:
    """What stands behind the element type: for each piece its first item and its text."""
    pieces: list[list[Item]] = [[]]
    ends = []
    for item in items:
        if isinstance(item, Punct) and item.text == ",":
            ends.append(item.pos)
            pieces.append([])
        else:
            pieces[-1].append(item)
    found = []
    for piece, stop in zip(pieces, [*ends, end]):
        if not piece:
            raise reading.error("expected an attribute of the type", stop)
        first = piece[0]
        is_whole = len(piece) == 1 and isinstance(first, AttributeItem)
        # The text of an alias would mean nothing outside of this file.
        text = str(first.attribute) if is_whole else reading.text[first.pos : stop].rstrip()  # type: ignore[union-attr]
        found.append((first, text))
    return found


def _tensor(dims: tuple[Any, ...], element: Any, extras: list[tuple[Item, str]]) -> TensorType:
    if len(extras) > 1:
        raise TirError("a tensor type has at most one attribute behind its element type")
    return TensorType(dims, element, extras[0][1] if extras else "")


def _vector(dims: tuple[Any, ...], element: Any, extras: list[tuple[Item, str]]) -> VectorType:
    if extras:
        raise TirError("a vector type has nothing behind its element type")
    if any(isinstance(dim, AffineExpr) for dim in dims):
        raise TirError("scalable and named sizes of vectors are not supported")
    return VectorType(dims, element)


def _memref(dims: tuple[Any, ...], element: Any, extras: list[tuple[Item, str]]) -> MemRefType:
    if any(isinstance(dim, AffineExpr) for dim in dims):
        raise TirError("only sizes of tensors have names; one of a memref is a number or ?")
    layout = None
    if extras and isinstance(extras[0][0], AttributeItem):
        attribute = extras[0][0].attribute
        if isinstance(attribute, (StridedLayoutAttr, AffineMapAttr)):
            layout = attribute.layout if isinstance(attribute, StridedLayoutAttr) else attribute.map
            extras = extras[1:]
    if len(extras) > 1:
        raise TirError("a memref type has a layout and a memory space behind its element type, nothing more")
    return MemRefType(dims, element, layout, extras[0][1] if extras else "")


_SHAPED: dict[str, Callable[..., TensorType | VectorType | MemRefType]] = {
    "tensor": _tensor,
    "vector": _vector,
    "memref": _memref,
}


# --- affine expressions ------------------------------------------------------------------------------------------

_DIVISIONS: dict[str, Callable[[AffineExpr, int], AffineExpr]] = {
    "floordiv": AffineExpr.floordiv,
    "ceildiv": AffineExpr.ceildiv,
    "mod": AffineExpr.mod,
}


def _checked(expr: AffineExpr, token: Token) -> AffineExpr:
    """`expr`, if its numbers fit 64 bits."""
    numbers = [expr.value] if isinstance(expr, AffineConstant) else []
    if isinstance(expr, AffineSum):
        numbers = [expr.constant, *(factor for _, factor in expr.terms)]
    if not all(-(1 << 63) <= number < 1 << 63 for number in numbers):
        raise token.reading.error("affine expression: a number does not fit 64 bits", token.pos)
    return expr
