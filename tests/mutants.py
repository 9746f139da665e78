"""Mutants of good texts, by a seed: bytes, tokens and lines that are gone, doubled, swapped or made up, and splices."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tir.parser.raw import split_file

__all__ = ["corpus", "mutant", "mutants"]

ROOT = Path(__file__).resolve().parent.parent
MAX_LENGTH = 6000
_TOKEN = re.compile(r'[%@#!^][\w$.-]+|[A-Za-z_][\w$.]*|\d+(?:\.\d+)?|->|"[^"\n]*"|[^\s\w]|\s+')
_SPICE = """0 -1 9223372036854775808 1e999 nan ? [B] [B-2] f32 i1 index ui8 bf16 i0 none {} [] () dense<> dense<0.0> " \\ \0 } {
> < loc( affine_map<(d0)->(d0)> tensor<f32> tensor<0xf32> memref<?xf32> vector<4xf32> complex<f32> true @f %x !a #a -> : = ,
0x 4294967296 -0.0 *""".split()
_CHARACTERS = (0x202E, 0xD800, 0xFEFF, 0x85, 0x2028, 0x10FFFF)


@cache
def corpus() -> tuple[str, ...]:
    """The examples and the lit tests, part by part, not longer than MAX_LENGTH characters."""
    folders = ("examples/*.tir", "docs/examples/*.tir", "tests/lit/**/*.tir")
    files = sorted(file for pattern in folders for file in ROOT.glob(pattern))
    parts = [part for file in files for _, part in split_file(file.read_text(encoding="utf-8"))]
    return tuple(part[:MAX_LENGTH] for part in parts if part.strip())


def mutants(seed: int, count: int) -> Iterator[str]:
    """`count` mutants of the corpus, the same for the same seed and corpus."""
    rng = random.Random(seed)
    for _ in range(count):
        yield mutant(rng.choice(corpus()), rng)


def mutant(text: str, rng: random.Random) -> str:
    """The text with one to four changes."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        text = rng.choice(_CHANGES)(text, rng) if text else rng.choice(_SPICE)
    return text


def _byte(text: str, rng: random.Random) -> str:
    """Another byte in the place of one; what is then no UTF-8 becomes single characters."""
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    data[rng.randrange(len(data))] = rng.randrange(256)
    return data.decode("utf-8", "surrogateescape")


def _character(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return text[:at] + chr(rng.choice((rng.randrange(256), *_CHARACTERS))) + text[at + rng.randrange(2) :]


def _end(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text))]


def _lines(text: str, rng: random.Random) -> str:
    """A line is gone, doubled, or changes places with another."""
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(3)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(j, lines[i])
    else:
        lines[i], lines[j] = lines[j], lines[i]
    return "\n".join(lines)


def _token(text: str, rng: random.Random) -> str:
    """A token is gone, doubled, made up, or another of the text."""
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return text
    token = rng.choice(tokens)
    new = ("", rng.choice(_SPICE), rng.choice(tokens)[0], token[0] * 2)[rng.randrange(4)]
    return text[: token.start()] + new + text[token.end() :]


def _number(text: str, rng: random.Random) -> str:
    """A number or a name becomes another that is nearly the same: most of such texts are still modules."""
    tokens = [token for token in _TOKEN.finditer(text) if token[0][0] in "0123456789%@"]
    if not tokens:
        return text
    token = rng.choice(tokens)
    same = [other[0] for other in tokens if other[0][0] == token[0][0]]
    new = str(rng.choice((0, 1, 2, 3, 7, 64, -1))) if token[0][0].isdigit() else rng.choice(same)
    return text[: token.start()] + new + text[token.end() :]


def _splice(text: str, rng: random.Random) -> str:
    """The beginning of the text and the end of another, cut between lines."""
    lines, others = text.split("\n"), rng.choice(corpus()).split("\n")
    return "\n".join([*lines[: rng.randrange(len(lines) + 1)], *others[rng.randrange(len(others)) :]])[:MAX_LENGTH]


def _line_of_another(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(rng.choice(corpus()).split("\n")))
    return "\n".join(lines)


_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    _byte, _character, _end, _lines, _lines, _token, _token, _token, _number, _number, _splice, _line_of_another,
)  # fmt: skip
