"""The line level: a text of one op per line is read twenty times faster than by the full grammar, with one result.

A line is cut at its SSA names; what is left is its key. What the line is (an op, the start or end of a region, a block
label) is found out once for each key; keys that differ in their literals only (`shapes.py`) have one answer. The full
grammar reads the items of the first op of each. The lines are terminals of an outer LALR grammar (`lines` in
grammar.lark).

What is not understood here, and every text with a mistake, is left to the full grammar (`NotByLines`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tir.ir.errors import UNKNOWN, FileLocation, Location, TirError
from tir.ir.syntax import Braces, Brackets, Item, RawBlock, RawOp, Use
from tir.ir.types import Type
from tir.parser import literals
from tir.parser.lalr import Machine, UnexpectedToken
from tir.parser.locations import AliasLocation, has_alias
from tir.parser.reading import MAX_BLOCKS, MAX_IDENTIFIER, MAX_NESTING, MAX_OP_TOKENS, MAX_TOKENS, Reading
from tir.parser.shapes import ID, Form, Literal, cut, form_of
from tir.parser.tokens import BARE_NAMES, METADATA

__all__ = ["LineCallbacks", "LineReader", "NotByLines"]

Key = tuple[str, ...]
Grammar = Callable[..., Any]

_NAME = re.compile(rf"%({ID})", re.ASCII)
_NAME_OR_TEXT = re.compile(rf'%({ID})|"[^"\\]*(?:\\.[^"\\]*)*"|//', re.ASCII)
_PIECE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|//|->|["(){}\[\]<>]')
_OP = re.compile(
    rf'(%{ID}(?::[0-9]+)?(?:\s*,\s*%{ID}(?::[0-9]+)?)*\s*=\s*)?(?:([A-Za-z_][\w$.]*)|("[^"\\]*(?:\\.[^"\\]*)*")\s*\()',
    re.ASCII,
)
_ENTRY = re.compile(r"\s*[=,]")
_LABEL = re.compile(rf"\^({ID})\s*(\(.*\))?\s*:\Z", re.ASCII)
_DEFINITION = re.compile(rf"[#!]{ID}\s*=", re.ASCII)
_LOCATION = re.compile(rf'\s+loc\((?:(unknown)|#({ID})|"([^"\\]*)":([0-9]{{1,9}}):([0-9]{{1,9}}))\)\s*\Z', re.ASCII)
_LONG_NAME = re.compile(rf"(?<![\w$.-])[\w$.-]{{{MAX_IDENTIFIER + 1}}}")  # once for each word
_PAIRS = {")": "(", "]": "[", ">": "<", "}": "{"}


class NotByLines(Exception):
    """The text must be read by the full grammar; or, with a LimitError, by nothing."""


@dataclass(slots=True, eq=False)
class Template:
    """What all lines of one key are. kind: a terminal of the outer grammar, or one of the words below.

    OP: an op without regions; SINGLE: an op with a region on its line, read by the grammar each time; BLANK;
    MARKED: strings or comments hide some of the names, so the line must be cut with care; DEFINITION; METADATA.
    indent, trail: blanks before and behind; tokens: how many tokens the full grammar sees.
    form, literals: for an op, what `shapes.py` knows of its items; shape: the key with its literals cut out; recipe: what
    `recipes.py` makes of it, kept here so that it goes when the last of its ops has been built.
    An op whose regions are on lines of their own has such a template too, for all of its own text.
    """

    kind: str
    indent: int = 0
    trail: int = 0
    name: str = ""
    counts: tuple[int, ...] = ()
    generic: bool = False
    tokens: int = 1
    types: tuple[Type, ...] | None = None
    in_parentheses: bool = False
    shape: str = ""
    form: Form | None = None
    literals: tuple[Literal, ...] = ()
    recipe: Any = None

    def op(self, names: list[str], start: int, end: int) -> RawOp:
        """The op of a line from `start` to `end`, blanks included."""
        counts = self.counts
        results = [(names[0], 1)] if counts == (1,) else list(zip(names, counts)) if counts else []
        return RawOp(self.name, results, None, self.generic, start + self.indent, end - self.trail, None, self, names)

    def with_literals(self, found: tuple[Literal, ...]) -> Template:
        """The template of a key that differs from this one's in its literals only."""
        return Template(
            self.kind, self.indent, self.trail, self.name, self.counts, self.generic, self.tokens, self.types,
            self.in_parentheses, self.shape, self.form, found,
        )  # fmt: skip


@dataclass(slots=True)
class LineToken:
    """A terminal of the outer grammar."""

    type: str
    reader: LineReader
    pos: int = 0
    end: int = 0
    template: Template | None = None
    names: list[str] | None = None
    location: Location | None = None
    ops: list[RawOp] | None = None
    block: RawBlock | None = None


class LineReader:
    """Reads one text by lines. grammar(start, pos, end, regions): the full grammar over a part of the text."""

    def __init__(self, reading: Reading, grammar: Grammar) -> None:
        self.reading = reading
        self.grammar = grammar
        self.known: dict[Key, Template] = {}
        self.known_with_regions: dict[Any, Template] = {}
        self.fixed: dict[str, tuple[int, ...]] = {}  # by shape: which literals belong to what is known of it
        self.by_shape: dict[Any, Template] = {}  # by shape and the texts of those literals
        self.count = 0
        self.depth = 0  # how many regions are open
        self.blocks = [0]  # how many labels each has, and the whole text
        self._metadata_end = 0

    def read(self, machine: Machine) -> list[RawOp]:
        """The statements of the text. Raises NotByLines."""
        run = machine.begin("lines")
        try:
            for token in self._tokens():
                self.depth += (token.type == "LINE_OPEN") - (token.type == "LINE_CLOSE")
                if self.depth > MAX_NESTING:
                    raise NotByLines
                self._count_blocks(token)
                run.feed(token)
            return run.feed(LineToken("$END", self))
        except (UnexpectedToken, TirError):
            raise NotByLines from None

    def _count_blocks(self, token: LineToken) -> None:
        if token.type == "LINE_OPEN":
            self.blocks.append(0)
        elif token.type == "LINE_CLOSE" and len(self.blocks) > 1:
            self.blocks.pop()
        elif token.type == "LINE_LABEL":
            self.blocks[-1] += 1
            if self.blocks[-1] > MAX_BLOCKS:  # no need to read all of it again
                raise NotByLines(self.reading.limit(f"a region has more than {MAX_BLOCKS} blocks", token.pos))

    def _tokens(self) -> Iterator[LineToken]:
        """The lines; a run of lines that are ops without regions is one token."""
        known, split = self.known, _NAME.split
        run: list[RawOp] = []
        pos = 0
        for line in self.reading.text.split("\n"):
            start = pos
            pos += len(line) + 1
            if not line:
                continue
            if len(line) > MAX_IDENTIFIER:
                _check_names(line)
            end, location = pos - 1, None
            if " loc(" in line:
                end = start + len(line.rstrip())
                line, location = self._cut_location(line, start)
            parts = split(line)
            key = tuple(parts[::2])
            template = known.get(key)
            if template is not None and template.kind == "OP" and location is None:
                run.append(template.op(parts[1::2], start, pos - 1))
                self.count += template.tokens
                continue
            if start < self._metadata_end:
                continue
            made = self._line(line, start, end, key, parts[1::2], location)
            if isinstance(made, RawOp):
                run.append(made)
            elif made is not None:
                if run:
                    yield LineToken("OPS", self, ops=run)
                    run = []
                yield made
        if run:
            yield LineToken("OPS", self, ops=run)
        if self.count > MAX_TOKENS:
            raise NotByLines

    def _line(
        self, line: str, start: int, end: int, key: Key, names: list[str], location: Location | None
    ) -> RawOp | LineToken | None:
        """A line whose key is new, that has a location or is no plain op; None for one that makes nothing.

        line: without its location, behind which `end` is.
        """
        template = self.known.get(key)
        if (template is None or template.kind == "MARKED") and ('"' in line or "//" in line):
            line, careful, names = _cut_with_care(line)
            if careful != key:
                self.known[key] = Template("MARKED")
            key, template = careful, self.known.get(careful)
        end = end if location is not None else start + len(line.rstrip())
        if template is None:
            template = self.known[key] = self._template(line, start, end, names)
        self.count += template.tokens
        made = self._made(template, start, end, names)
        if location is not None and made is not None:
            self.place(made, location)
        return made

    def place(self, made: RawOp | LineToken, location: Location) -> None:
        made.location = location
        if isinstance(made, RawOp) and has_alias(location):
            self.reading.unresolved.append(made)

    def _made(self, template: Template, start: int, end: int, names: list[str]) -> RawOp | LineToken | None:
        kind, pos = template.kind, start + template.indent
        if kind == "OP":
            return template.op(names, start, end + template.trail)
        if kind == "SINGLE":
            return self.grammar("op", pos, end)
        if kind == "BLANK":
            return None
        if kind in ("DEFINITION", "METADATA") and self.depth:
            raise NotByLines
        if kind == "DEFINITION":
            self.grammar("module", pos, end)
            return None
        if kind == "METADATA":
            self._metadata_end = self._metadata(pos)
            return None
        token = LineToken(kind, self, pos, end, template, names)
        if kind == "LINE_LABEL":
            token.block = self._block(template, pos, end, names)
        return token

    def _metadata(self, pos: int) -> int:
        """Reads `{-# .. #-}`; the offset behind it, which must end its line."""
        text = self.reading.text
        found = METADATA.match(text, pos)
        if found is None or (behind := text[found.end() :].split("\n", 1)[0].strip()) and not behind.startswith("//"):
            raise NotByLines
        self.grammar("module", pos, found.end())
        return found.end()

    def _block(self, template: Template, pos: int, end: int, names: list[str]) -> RawBlock:
        """The block of a label. One whose arguments have locations is read by the grammar each time."""
        if template.types is None:
            return self.grammar("label", pos, end)
        places = [found.start() for found in _NAME.finditer(self.reading.text, pos, end)]
        arguments = [(name, type, at, None) for name, type, at in zip(names, template.types, places)]
        return RawBlock(template.name, arguments, [], pos)  # type: ignore[arg-type]

    def _cut_location(self, line: str, start: int) -> tuple[str, Location | None]:
        """The line without a simple `loc(..)` at its end, which would make every key a new one."""
        found = _LOCATION.search(line) if " loc(" in line and "//" not in line else None
        if found is None:
            return line, None
        unknown, alias, file, row, column = found.groups()
        if unknown:
            return line[: found.start()], UNKNOWN
        if alias:
            return line[: found.start()], AliasLocation(alias, start + found.start(2) - 1)
        return line[: found.start()], FileLocation(file, int(row), int(column))

    # --- a new key ---------------------------------------------------------------------------------------------

    def _template(self, line: str, start: int, end: int, names: list[str]) -> Template:
        """What a line with a new key is."""
        shape, found = cut(line, start)
        known = self._of_shape(shape, found)
        if known is not None:
            return known.with_literals(found)
        template, items = self._learn(line, start, end, names)
        template.shape, template.literals = shape, found
        if items is not None and template.kind == "OP":
            template.form = form_of(items, found)
        self._remember(template)
        return template

    def _of_shape(self, shape: str, found: tuple[Literal, ...]) -> Template | None:
        """What is known of a shape with such literals."""
        fixed = self.fixed.get(shape)
        return None if fixed is None else self.by_shape.get((shape, *[found[i].text for i in fixed]))

    def _remember(self, template: Template) -> None:
        # Without a form all literals count: those in the types of a label are part of what is known of it.
        fixed = template.form.fixed if template.form is not None else tuple(range(len(template.literals)))
        self.fixed[template.shape] = fixed
        self.by_shape[(template.shape, *[template.literals[i].text for i in fixed])] = template

    def _learn(self, line: str, start: int, end: int, names: list[str]) -> tuple[Template, list[Item] | None]:
        """What a line is, and its items if it is an op. Raises NotByLines if that cannot be told from the line."""
        text = line.strip()
        indent, trail = len(line) - len(line.lstrip()), len(line) - len(line.rstrip())
        if not text:
            return Template("BLANK"), None
        pos = start + indent
        if text.startswith("{-#"):
            return Template("METADATA", indent, trail), None
        if text.endswith(","):
            raise NotByLines
        if text[0] == "}":
            return _close(text, indent, trail), None
        opened = _unclosed(text)
        if text[0] == "^" and not opened:
            return self._learn_label(text, pos, end, indent, trail), None
        if text[0] in "#!" and not opened and _DEFINITION.match(text):
            return Template("DEFINITION", indent, trail), None
        template = _head(text, indent, trail)
        if opened:
            if opened[-1] != "{" or opened[:-1] not in ([], ["("]) or text[-1] != "{":
                raise NotByLines
            template.kind, template.in_parentheses = "LINE_OPEN", len(opened) == 2
            return template, None
        return self._learn_op(template, text, pos, end, names)

    def _learn_op(
        self, template: Template, text: str, pos: int, end: int, names: list[str]
    ) -> tuple[Template, list[Item] | None]:
        op = self.grammar("op", pos, end)
        template.tokens = self.reading.tokens
        if op.location is not None and "loc(" in text or not _names_agree(op, names) or _may_hold_ops(op):
            template.kind = "SINGLE"
        return template, op.items

    def _learn_label(self, text: str, pos: int, end: int, indent: int, trail: int) -> Template:
        found = _LABEL.match(text)
        if found is None:
            raise NotByLines
        block = self.grammar("label", pos, end)
        is_plain = all(location is None for *_, location in block.arguments)
        types = tuple(argument[1] for argument in block.arguments) if is_plain else None
        return Template("LINE_LABEL", indent, trail, found[1], tokens=self.reading.tokens, types=types)

    def complete(self, op: RawOp, lines: list[Template]) -> None:
        """Gives an op with regions its key. lines: those of its own text. Raises NotByLines if its names do not agree."""
        shape = "\0".join([line.shape for line in lines])
        found = tuple([literal for line in lines for literal in line.literals])
        exact = (shape, *[literal.text for literal in found])
        template = self.known_with_regions.get(exact)
        if template is None:
            known = self._of_shape(shape, found)
            template = known.with_literals(found) if known is not None else self._learn_regions(op, shape)
            if "loc(" in lines[-1].shape:  # the location at the end of this one
                return
            self.known_with_regions[exact] = template
        op.key = template

    def _learn_regions(self, op: RawOp, shape: str) -> Template:
        assert op.names is not None
        read = self.grammar("op", op.pos, op.end, op.cuts)
        if not _names_agree(read, op.names):
            raise NotByLines
        if read.location is not None:
            op.items = read.items
            self.place(op, read.location)
            return Template("OP")
        template = Template("OP", shape=shape)
        edges = [op.pos, *op.cuts, op.end]
        template.literals = tuple(
            one for start, end in zip(edges[::2], edges[1::2]) for one in cut(self.reading.text[start:end], start)[1]
        )
        template.form = form_of(read.items, template.literals)
        self._remember(template)
        return template


class LineCallbacks:
    """What the rules of the outer grammar make; see `Callbacks` in items.py."""

    def extend(self, values: list[Any]) -> list[RawOp]:
        values[0].extend(values[1].ops)
        return values[0]

    def lines(self, values: list[Any]) -> list[RawOp]:
        return values[0]

    def line_op(self, values: list[Any]) -> RawOp:
        opening, region, more, closing = values
        head, reader = opening.template, opening.reader
        if head.in_parentheses != closing.template.in_parentheses:
            raise NotByLines
        names, regions, cuts = opening.names, [region], [opening.end - 1]
        for line, blocks in more:
            names = names + line.names
            regions.append(blocks)
            cuts += (line.pos + 1, line.end - 1)
        cuts.append(closing.pos + 1)
        op = head.op(names + closing.names, opening.pos - head.indent, closing.end + head.trail)
        op.regions, op.cuts = regions, tuple(cuts)
        reader.complete(op, [head, *[line.template for line, _ in more], closing.template])
        if closing.location is not None:
            reader.place(op, closing.location)
        return op

    def next_line_region(self, values: list[Any]) -> list[Any]:
        values[0].append((values[1], values[2]))
        return values[0]

    def line_region(self, values: list[Any]) -> list[RawBlock]:
        ops, blocks = values
        return [RawBlock(None, [], ops, ops[0].pos), *blocks] if ops else blocks

    def line_block(self, values: list[Any]) -> RawBlock:
        values[0].block.ops = values[1]
        return values[0].block


def _check_names(line: str) -> None:
    if _LONG_NAME.search(line) or line.count("%") > MAX_OP_TOKENS // 2:
        raise NotByLines


def _cut_with_care(line: str) -> tuple[str, Key, list[str]]:
    """The line without its comment, its key and its names; strings are left whole."""
    pieces, names = [], []
    at = 0
    for found in _NAME_OR_TEXT.finditer(line):
        if found[1] is not None:
            pieces.append(line[at : found.start()])
            names.append(found[1])
            at = found.end()
        elif found[0] == "//":
            line = line[: found.start()]
            break
    return line, (*pieces, line[at:]), names


def _unclosed(text: str, pos: int = 0) -> list[str]:
    """The brackets that are open at the end of `text`."""
    opened: list[str] = []
    for found in _PIECE.finditer(text, pos):
        piece = found[0]
        if piece in "([{<":
            opened.append(piece)
        elif piece in _PAIRS and (not opened or opened.pop() != _PAIRS[piece]):
            raise NotByLines
        elif piece == '"':
            raise NotByLines
    return opened


def _close(text: str, indent: int, trail: int) -> Template:
    """A line that begins with `}`: the end of an op, or of one of its regions before the next."""
    behind = text[1:].lstrip()
    in_parentheses = behind.startswith(")")
    opened = _unclosed(behind, 1 if in_parentheses else 0)
    if not opened:
        return Template("LINE_CLOSE", indent, trail, in_parentheses=in_parentheses)
    if opened != ["{"] or text[-1] != "{" or in_parentheses:
        raise NotByLines
    return Template("LINE_NEXT", indent, trail)


def _head(text: str, indent: int, trail: int) -> Template:
    """A line that begins with the results and the name of an op."""
    found = _OP.match(text)
    if found is None or (found[2] and _ENTRY.match(text, found.end())):
        raise NotByLines
    if found[2] and not found[1] and "." not in found[2] and found[2] not in BARE_NAMES:
        raise NotByLines
    counts = tuple(count for _, count in literals.result_list(found[1])) if found[1] else ()
    name = found[2] or literals.unescape(found[3])
    return Template("OP", indent, trail, name, counts, found[3] is not None)


def _may_hold_ops(op: RawOp) -> bool:
    """The line has `{return}` or the like, which may be a region: its blocks are for one op only."""
    pending = list(op.items or ())
    for item in pending:  # grows while it is read
        if isinstance(item, Braces) and item.blocks:
            return True
        if isinstance(item, (Brackets, Braces)):
            pending.extend(item.items)
    return False


def _names_agree(op: RawOp, names: list[str]) -> bool:
    """The grammar found the same names in the text of the op, in the same order, and no op inside."""
    found = [name for name, _ in op.results]
    assert op.items is not None
    pending: list[Iterator[Item]] = [iter(op.items)]
    while pending:
        for item in pending[-1]:
            if isinstance(item, Use):
                found.append(item.name)
            elif isinstance(item, (Brackets, Braces)):
                if isinstance(item, Braces) and item.blocks and not item.items:
                    return False
                pending.append(iter(item.items))
                break
        else:
            pending.pop()
    return found == names
