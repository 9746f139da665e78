"""What each name of a text means: values, blocks, symbols, aliases and sizes, with their definition and all uses.

Scopes are those of the IR: a value is known in its region and the regions inside, up to an op that is isolated from
above; a block in its region; a symbol in its module; an alias in the whole text; a size in its function.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tir.ir.traits import FunctionLike, Symbol
from tir.lsp.positions import Span
from tir.lsp.scan import Token
from tir.lsp.structure import Area, Statement, Structure

__all__ = ["Definition", "Names", "Occurrence", "outwards", "read_names", "unquoted"]


_MAX_DIGITS = 9  # of the number in `%r#1`; with more it means no result anyway


@dataclass(eq=False)
class Definition:
    """One named thing. kind: "value", "block", "symbol", "alias" or "size".

    name: with its sigil (a size has none). span: where it is defined, by its name. area: where it is known; for a size
    the area around its function. statement: the op, label or alias line that defines it.
    result: which result of the op it names first, or None for an argument of a block. count: how many it names.
    """

    kind: str
    name: str
    span: Span
    statement: Statement
    area: Area
    uses: list[Span] = field(default_factory=list)
    result: int | None = None
    count: int = 1

    @property
    def spans(self) -> list[Span]:
        """All places of the name, the definition among them, in the order of the text."""
        return sorted({self.span, *self.uses})


@dataclass(slots=True)
class Occurrence:
    """A name in the text. number: the `1` of `%r#1`."""

    definition: Definition
    span: Span
    number: int = 0

    @property
    def is_definition(self) -> bool:
        return self.span == self.definition.span


@dataclass
class Names:
    """All definitions, and the occurrences by the offset where they start. undefined: uses that mean nothing."""

    definitions: list[Definition] = field(default_factory=list)
    occurrences: dict[int, Occurrence] = field(default_factory=dict)
    undefined: list[Token] = field(default_factory=list)

    def at(self, offset: int) -> Occurrence | None:
        """The name that `offset` is in, or directly behind."""
        for start in range(offset, max(offset - 4097, -1), -1):
            found = self.occurrences.get(start)
            if found is not None:
                return found if offset <= found.span.end else None
        return None

    def visible(self, area: Area, kind: str) -> dict[str, Definition]:
        """What is known in an area, by name; the innermost of one name."""
        found: dict[str, Definition] = {}
        areas = {id(one): i for i, one in enumerate(_holding(area, kind))}
        for definition in self.definitions:
            if definition.kind == kind and id(definition.area) in areas:
                known = found.get(definition.name)
                if known is None or areas[id(definition.area)] < areas[id(known.area)]:
                    found[definition.name] = definition
        return found


def read_names(structure: Structure) -> Names:
    """The meaning of all names of a text."""
    return _Resolver(structure).read()


def unquoted(symbol: str) -> str:
    """`@f` for `@"f"` too."""
    return f"@{symbol[2:-1]}" if symbol.startswith('@"') else symbol


def outwards(area: Area, kind: str) -> Iterator[Area]:
    """The area, and those around it whose names of a kind are known in it."""
    one: Area | None = area
    while one is not None:
        yield one
        if kind == "block" or (kind == "value" and one.is_isolated):
            return
        one = one.parent


def _holding(area: Area, kind: str) -> Iterator[Area]:
    """Those of them that hold names of the kind."""
    return (one for one in outwards(area, kind) if kind != "symbol" or one.holds_symbols)


@dataclass(slots=True)
class _Chain:
    """The names of a region, and behind them those of the regions around it; regions without any are left out."""

    table: dict[str, Definition]
    outer: _Chain | None


class _Resolver:
    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.names = Names()
        self.tables: dict[tuple[int, str], dict[str, Definition]] = {}  # by area (or function, for sizes) and kind
        self.chains: dict[tuple[int, str], _Chain | None] = {}  # by area and kind: the tables known there
        self.defining: set[int] = set()  # offsets of tokens that define

    def read(self) -> Names:
        for statement in self.structure.statements:
            self.define_all(statement)
        for statement in self.structure.statements:
            self.use_all(statement)
        self.names.definitions.sort(key=lambda one: one.span)
        return self.names

    # --- definitions -------------------------------------------------------------------------------------------

    def define(self, kind: str, name: str, span: Span, statement: Statement, area: Area) -> Definition:
        """Enters a definition. A second one of a name is a mistake; its place is taken for a use of the first."""
        table = self.tables.setdefault((id(area), kind), {})
        known = table.get(name)
        if known is None:
            known = table[name] = Definition(kind, name, span, statement, area)
            self.names.definitions.append(known)
        else:
            known.uses.append(span)
        self.names.occurrences[span.start] = Occurrence(known, span)
        self.defining.add(span.start)
        return known

    def define_all(self, statement: Statement) -> None:
        if statement.kind == "alias":
            assert statement.name_span is not None
            self.define("alias", statement.name, statement.name_span, statement, self.structure.top)
        elif statement.kind == "label":
            assert statement.name_span is not None
            self.define("block", statement.name, statement.name_span, statement, statement.parent)
            for token in _behind_colon(statement.own):
                self.define("value", token.text, token.span, statement, statement.parent)
        else:
            self.define_results(statement)
            inside = statement.areas[0] if statement.areas else Area(statement.end, statement)
            for token in header_arguments(statement):
                self.define("value", token.text, token.span, statement, inside)
            self.define_symbol(statement)
        self.define_sizes(statement)

    def define_results(self, statement: Statement) -> None:
        first = 0
        for token, count in statement.results:
            made = self.define("value", token.text, token.span, statement, statement.parent)
            if made.span == token.span:
                made.result, made.count = first, count
            first += count

    def define_symbol(self, statement: Statement) -> None:
        table = next(_holding(statement.parent, "symbol"))
        own = statement.own
        for i, token in enumerate(own):
            if token.kind == "string" and i >= 2 and own[i - 2].text == "sym_name" and own[i - 1].text == "=":
                span = Span(token.start + 1, token.end - 1)
                self.define("symbol", f"@{token.text[1:-1]}", span, statement, table)
                return
        if statement.has(Symbol) or statement.name == "builtin.module":
            first = next((token for token in own if token.kind in ("symbol", "punct")), None)
            if first is not None and first.kind == "symbol":
                self.define("symbol", unquoted(first.text), first.span, statement, table)

    def define_sizes(self, statement: Statement) -> None:
        """A size is defined where it stands alone as a size of an argument of its function."""
        if statement.has(FunctionLike):
            for token in statement.own:
                if token.kind == "dim" and token.alone and token.text not in self.sizes(statement):
                    self.enter_size(statement, token)

    def sizes(self, owner: Statement) -> dict[str, Definition]:
        """The sizes of a function."""
        return self.tables.setdefault((id(owner), "size"), {})

    def enter_size(self, owner: Statement, token: Token) -> None:
        made = Definition("size", token.text, token.span, owner, owner.parent)
        self.sizes(owner)[token.text] = made
        self.names.definitions.append(made)
        self.names.occurrences[token.start] = Occurrence(made, token.span)
        self.defining.add(token.start)

    # --- uses --------------------------------------------------------------------------------------------------

    def use_all(self, statement: Statement) -> None:
        for i, token in enumerate(statement.own):
            if token.start in self.defining:
                continue
            if token.kind == "value":
                self.use(token, self.find(statement.parent, "value", token.text.partition("#")[0]))
            elif token.kind == "block":
                self.use(token, self.find(statement.parent, "block", token.text))
            elif token.kind in ("hash", "bang") and "." not in token.text:
                self.use(token, self.find(self.structure.top, "alias", token.text))
            elif token.kind == "symbol":
                self.use(token, self.find_symbol(statement, i))
            elif token.kind == "dim":
                self.use_size(token, statement)

    def use(self, token: Token, definition: Definition | None) -> None:
        if definition is None:
            self.names.undefined.append(token)
            return
        name, _, number = token.text.partition("#") if token.kind == "value" else (token.text, "", "")
        span = Span(token.start, token.start + len(name))
        definition.uses.append(span)
        self.names.occurrences[token.start] = Occurrence(definition, span, int(number[:_MAX_DIGITS] or 0))

    def find(self, area: Area, kind: str, name: str) -> Definition | None:
        chain = self.chain(area, kind)
        while chain is not None:
            if name in chain.table:
                return chain.table[name]
            chain = chain.outer
        return None

    def chain(self, area: Area, kind: str) -> _Chain | None:
        """The tables of the names that are known in an area, the innermost first."""
        pending, outer = [], None
        for one in _holding(area, kind):
            if (id(one), kind) in self.chains:
                outer = self.chains[id(one), kind]
                break
            pending.append(one)
        for one in reversed(pending):
            table = self.tables.get((id(one), kind))
            outer = self.chains[id(one), kind] = _Chain(table, outer) if table else outer
        return outer

    def find_symbol(self, statement: Statement, index: int) -> Definition | None:
        """What the symbol means; behind `@m::` it is looked up in the module @m."""
        token = statement.own[index]
        if index >= 2 and statement.own[index - 1].text == "::" and statement.own[index - 2].kind == "symbol":
            outer = self.names.occurrences.get(statement.own[index - 2].start)
            if outer is None or not outer.definition.statement.areas:
                return None
            return self.tables.get((id(outer.definition.statement.areas[0]), "symbol"), {}).get(unquoted(token.text))
        return self.find(statement.parent, "symbol", unquoted(token.text))

    def use_size(self, token: Token, statement: Statement) -> None:
        owner = self.structure.function_of(statement) or statement
        known = self.sizes(owner).get(token.text)
        if known is None:
            self.enter_size(owner, token)  # no argument binds it, which is an error that others report
        else:
            self.use(token, known)


def header_arguments(statement: Statement) -> list[Token]:
    """The values that the text of an op defines for its first region.

    `%x: f32` in the signature of a function, `%i = %low`, `(%i, %j) = (..)`, and `(%x, %y) in (..)`.
    """
    own = statement.own
    if not statement.areas and not (statement.op_class is not None and statement.op_class.definition.regions):
        return []
    found = []
    for i, token in enumerate(own[:-1]):
        if token.kind == "value":
            typed = own[i + 1].text == ":" and own[i - 1].text in ("(", ",")
            if own[i + 1].text == "=" or (typed and _has_signature(statement)):
                found.append(token)
        elif token.text == "(":
            found += _defined_list(own, i)
    return found


def _has_signature(statement: Statement) -> bool:
    """The op is a function, or says its arguments as a function does."""
    return statement.op_class is not None and "function_type" in statement.op_class.definition.attributes


def _defined_list(own: list[Token], opening: int) -> list[Token]:
    """The values in `(%a, %b)` if `=` or `in` stands behind."""
    at = opening + 1
    while at < len(own) and (own[at].kind == "value" or own[at].text == ","):
        at += 1
    if at + 1 >= len(own) or own[at].text != ")" or own[at + 1].text not in ("=", "in"):
        return []
    return [token for token in own[opening + 1 : at] if token.kind == "value"]


def _behind_colon(own: list[Token]) -> list[Token]:
    """The arguments of a label: each value with a colon behind."""
    return [token for i, token in enumerate(own[:-1]) if token.kind == "value" and own[i + 1].text == ":"]
