"""Text -> tokens: every name of a text with its place, also where the text is half typed.

The parser answers what a text means; this answers what stands where, comments included, and never gives up. What it
takes for a name is what the grammar takes for one (tests/lsp compare the two on every example).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tir.lsp.positions import Span

__all__ = ["SUFFIX", "Token", "tokens"]

#: The name of a value or block behind its sigil.
SUFFIX = r"(?:[0-9]+|[A-Za-z$._-][\w$.]*(?:-(?!>)[\w$.]*)*)"
_ALIAS = r"[A-Za-z_$.][\w$.]*(?:-(?!>)[\w$.]*)*"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<comment>//[^\n]*)
    | (?P<metadata>\{{-\#.*?(?:\#-\}}|\Z))
    | (?P<string>"[^"\\\n]*(?:\\.[^"\\\n]*)*"?)
    | (?P<value>%{SUFFIX}(?:\#[0-9]+)?)
    | (?P<block>\^{SUFFIX})
    | (?P<symbol>@(?:[\w$.]+|"[^"\\\n]*(?:\\.[^"\\\n]*)*"))
    | (?P<hash>\#{_ALIAS})
    | (?P<bang>!{_ALIAS})
    | (?P<shaped>(?:tensor|memref|vector)\s*<)
    | (?P<word>[A-Za-z_][\w$.]*)
    | (?P<number>-?(?:0x[0-9A-Fa-f]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?))
    | (?P<sigil>[%^@\#!])
    | (?P<punct>->|::|==|[^\s])
    )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_SIZES = re.compile(r"(?:(?:[0-9]+|\?|\*)\s*x\s*|\[(?P<affine>[^\]\n<>{}]*)(?:\]\s*x?\s*|\Z|(?=[\n<>{}])))", re.ASCII)
_DIM = re.compile(r"[A-Za-z_][\w$.]*", re.ASCII)
_AFFINE_WORDS = frozenset(("floordiv", "ceildiv", "mod"))


@dataclass(slots=True)
class Token:
    """A piece of text. kind: a group of the pattern above, or `dim`, a name in a size such as `[B - 2]`.

    fresh: nothing but blanks stands before it on its line. alone: a dim that is the whole size.
    """

    kind: str
    text: str
    start: int
    end: int
    fresh: bool
    alone: bool = False

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


def tokens(text: str) -> Iterator[Token]:
    """All tokens of a text, comments among them."""
    at = 0
    while (found := _TOKEN.match(text, at)) is not None:
        kind = found.lastgroup
        assert kind is not None
        start = found.start(kind)
        fresh = at == 0 or (start > at and text.find("\n", at, start) >= 0)
        at = found.end()
        yield Token(kind, text[start:at], start, at, fresh)
        if kind == "shaped":
            while (sizes := _SIZES.match(text, at)) is not None:
                yield from _dims(sizes)
                at = sizes.end()


def _dims(sizes: re.Match[str]) -> Iterator[Token]:
    """The names in one size of a shaped type."""
    affine = sizes["affine"]
    if affine is None:
        return
    for name in _DIM.finditer(affine):
        if name[0] not in _AFFINE_WORDS:
            start = sizes.start("affine") + name.start()
            yield Token("dim", name[0], start, start + len(name[0]), False, affine.strip() == name[0])
