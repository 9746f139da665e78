"""Plants mistakes in valid programs: each on a line of its own, of a known kind, with what must be said about it.

    base = Base.of(text)
    planted = plant(base, random.Random(1), count=4)
    planted.text, planted.expected      # the lines, in order, at which exactly one error each must be

A mistake is chosen such that its line is the only place that can be blamed: a second definition, say, takes its uses
with it, and a wrong type is not planted where a value comes from another line with a mistake.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["HEAD_KINDS", "KINDS", "Base", "Mistake", "Planted", "plant"]

OP = re.compile(r"^\s*(?:(%[\w$.-]+) = )?([a-z_]+\.[\w.]+)(?= )")
NAMES = re.compile(r"%[\w$.-]+")
OPERAND = re.compile(r"(?<=[ (\[])%[\w$.-]+(?=[ ,:)\]])")
PAIRS = {")": "(", "]": "[", ">": "<", "}": "{"}


@dataclass(frozen=True)
class Base:
    """A valid program. plain: the numbers of the lines that are one op without a region each; heads: those that open one."""

    lines: tuple[str, ...]
    plain: tuple[int, ...]
    heads: tuple[int, ...] = ()

    @staticmethod
    def of(text: str) -> Base:
        """The program without its comments."""
        lines = [line.rstrip() for line in text.split("\n") if not line.lstrip().startswith("//")]
        while lines and not lines[-1]:
            lines.pop()
        plain = [i for i, line in enumerate(lines) if _is_plain(lines, i)]
        heads = [i for i, line in enumerate(lines) if _is_head(line)]
        return Base(tuple(lines), tuple(plain), tuple(heads))

    def has_room(self, kind: str) -> bool:
        """Some line of the program can have a mistake of this kind."""
        places = [(KINDS, self.plain), (HEAD_KINDS, self.heads)]
        return any(table[kind](self.lines[i], random.Random(0)) for table, lines in places if kind in table for i in lines)


def _is_plain(lines: Sequence[str], i: int) -> bool:
    line = lines[i]
    begins = OP.match(line) or line.strip().startswith("return")
    if line.lstrip().startswith("func.func"):
        return False
    before = next((one for one in reversed(lines[:i]) if one), "{")
    return bool(begins) and "//" not in line and "loc(" not in line and _balanced(line) and _balanced(before, ends=True)


def _is_head(line: str) -> bool:
    return bool(OP.match(line)) and line.endswith(" {") and "//" not in line and _balanced(line[:-1])


def _balanced(line: str, ends: bool = False) -> bool:
    """No bracket is open at the end of the line; with `ends`, but that of a region."""
    opened: list[str] = []
    for char in re.sub(r'"[^"]*"|->|[<>]=', "", line):
        if char in "([{<":
            opened.append(char)
        elif char in PAIRS and opened and opened[-1] == PAIRS[char]:
            opened.pop()
    if ends and line.endswith("{"):
        return True
    return not opened and not line.endswith((",", ":", "->", "="))


@dataclass(frozen=True)
class Mistake:
    """One planted mistake. line: counts from 1; says: a pattern that the message must have."""

    kind: str
    line: int
    says: str
    column: int | None = None


@dataclass
class Planted:
    """A program with mistakes."""

    lines: list[str]
    mistakes: list[Mistake] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def expected(self) -> list[Mistake]:
        return sorted(self.mistakes, key=lambda one: one.line)


Change = tuple[str, str, int | None]  # the new line, what must be said, the column from 1 (None: any)
Kind = Callable[[str, random.Random], "Change | None"]


def _misspelt_op(line: str, rng: random.Random) -> Change | None:
    found = OP.match(line)
    if found is None:
        return None
    return line[: found.end()] + "q" + line[found.end() :], "unknown op", len(line) - len(line.lstrip()) + 1


def _unknown_dialect(line: str, rng: random.Random) -> Change | None:
    found = OP.match(line)
    if found is None:
        return None
    return line[: found.start(2)] + "theano." + line[found.start(2) :].split(".", 1)[1], "no dialect 'theano'", None


def _undefined_value(line: str, rng: random.Random) -> Change | None:
    found = list(OPERAND.finditer(line, line.find("=") + 1))
    if not found:
        return None
    one = rng.choice(found)
    name = f"%nowhere{rng.randrange(10**6)}"
    return line[: one.start()] + name + line[one.end() :], f"{name} is not defined here", one.start() + 1


def _missing_comma(line: str, rng: random.Random) -> Change | None:
    found = list(re.finditer(r"(?<=[\w])(, )(?=%)", line))
    found = [one for one in found if one.start() > line.find("=")]
    if not found:
        return None
    one = rng.choice(found)
    return line[: one.start()] + " " + line[one.end() :], "expected .*, got %", one.start() + 2


def _missing_colon(line: str, rng: random.Random) -> Change | None:
    if line.count(" : ") != 1 or "{" in line:
        return None
    return line.replace(" : ", " "), "expected", None


def _missing_type(line: str, rng: random.Random) -> Change | None:
    found = re.search(r" : [^%]*$", line)
    return None if found is None else (line[: found.start()] + " :", "expected .*, got", None)


def _misspelt_type(line: str, rng: random.Random) -> Change | None:
    found = re.search(r"(?<![\w.])(tensor|memref|vector)(?=<)(?!.*=)", line)
    if found is None:
        return None
    wrong = {"tensor": "tensr", "memref": "memreff", "vector": "vectr"}[found[1]]
    return line[: found.start()] + wrong + line[found.end() :], "did you mean", None


def _wrong_element(line: str, rng: random.Random) -> Change | None:
    found = re.search(r"(?<=[x<])(f32|f64|i32|i64)(?=>)", line)
    if found is None:
        return None
    return line[: found.start()] + "float" + line[found.end() :], "got 'float'", found.start() + 1


def _comma_in_shape(line: str, rng: random.Random) -> Change | None:
    found = re.search(r"(?:tensor|memref)<\d+(x)\d+x", line)
    if found is None:
        return None
    return line[: found.start(1)] + "," + line[found.end(1) :], "expected", None


def _unclosed(line: str, rng: random.Random) -> Change | None:
    found = [i for i, char in enumerate(line) if char in ")]" and not line.startswith("->", i - 1)]
    if not found:
        return None
    i = rng.choice(found)
    return line[:i] + line[i + 1 :], "expected|got", None


def _stray_character(line: str, rng: random.Random) -> Change | None:
    found = [m.start() for m in re.finditer(r"(?<=\w) ", line) if m.start() > (OP.match(line) or m).end()]
    if not found or '"' in line:
        return None
    i = rng.choice(found)
    return f"{line[:i]} ${line[i:]}", r"unexpected character '\$'", i + 2


def _semicolon(line: str, rng: random.Random) -> Change | None:
    return line + ";", "unexpected character ';'", len(line) + 1


def _missing_equal(line: str, rng: random.Random) -> Change | None:
    found = OP.match(line)
    if found is None or found[1] is None:
        return None
    return line.replace(" = ", " ", 1), "expected", None


def _missing_percent(line: str, rng: random.Random) -> Change | None:
    found = [one for one in OPERAND.finditer(line, line.find("=") + 1) if one[0][1].isalpha() and "." not in one[0]]
    if not found or '"' in line:
        return None
    one = rng.choice(found)
    return line[: one.start()] + line[one.start() + 1 :], "expected .*, got", None


def _two_results(line: str, rng: random.Random) -> Change | None:
    found = OP.match(line)
    if found is None or found[1] is None or found[2].startswith(("tir.grad", "scf.", "linalg.", "func.call")):
        return None
    return line.replace(found[1], f"{found[1]}, %second{rng.randrange(10**6)}", 1), "the text names 2", None


def _axis_too_large(line: str, rng: random.Random) -> Change | None:
    found = re.search(r"(?<= over \[)\d+(?=\])", line)
    return None if found is None else (line[: found.start()] + "9" + line[found.end() :], "axes", None)


def _unknown_symbol(line: str, rng: random.Random) -> Change | None:
    found = re.search(r"(?:tir\.read|tir\.update|call) @(\w+)", line)
    return None if found is None else (line[: found.end()] + "_nowhere" + line[found.end() :], "there is no", None)


def _unclosed_string(line: str, rng: random.Random) -> Change | None:
    found = re.search(r'"\w*(")(?=[,}\])]|$)', line)
    return None if found is None else (line[: found.start(1)] + line[found.end(1) :], "the string is not closed", None)


def _word_behind(line: str, rng: random.Random) -> Change | None:
    return None if '"' in line else (line + " please", "expected .*, got 'please'", len(line) + 2)


def _number_for_value(line: str, rng: random.Random) -> Change | None:
    found = re.search(r"(?<=(?:\.add|\.sub|\.mul|addf|mulf|addi|subf|.exp|.neg) )%[\w]+", line)
    return None if found is None else (line[: found.start()] + "1.0" + line[found.end() :], "expected .*, got '1.0'", None)


_TYPED_BY_OPERANDS = re.compile(
    r"tir\.(add|sub|mul|exp|tanh|neg|sum|mean|dot) |arith\.(add|sub|mul|neg)f |memref\.(load|store) |return "
)


def _wrong_type(line: str, rng: random.Random) -> Change | None:
    if not _TYPED_BY_OPERANDS.search(line):
        return None
    found = re.search(r"(?<=[x< ])(f32|f64)(?=>?$)", line)
    return None if found is None else (line[: found.start()] + "bf16" + line[found.end() :], "has type|must|returns", None)


def _unopened_region(line: str, rng: random.Random) -> Change | None:
    return (line[:-2], "expected '{'", len(line) - 1) if line.startswith("func.func") and "(%" in line else None


#: The kinds of mistake in the head of an op with a region.
HEAD_KINDS: dict[str, Kind] = {
    "misspelt op": _misspelt_op,
    "unknown dialect": _unknown_dialect,
    "unclosed bracket": _unclosed,
    "misspelt type": _misspelt_type,
    "wrong element": _wrong_element,
    "no brace": _unopened_region,
}
#: The kinds of mistake, each a change of one line.
KINDS: dict[str, Kind] = {
    "misspelt op": _misspelt_op,
    "unknown dialect": _unknown_dialect,
    "undefined value": _undefined_value,
    "missing comma": _missing_comma,
    "missing colon": _missing_colon,
    "missing type": _missing_type,
    "misspelt type": _misspelt_type,
    "wrong element": _wrong_element,
    "comma in shape": _comma_in_shape,
    "unclosed bracket": _unclosed,
    "stray character": _stray_character,
    "semicolon": _semicolon,
    "missing equal": _missing_equal,
    "missing percent": _missing_percent,
    "two results": _two_results,
    "axis too large": _axis_too_large,
    "unknown symbol": _unknown_symbol,
    "unclosed string": _unclosed_string,
    "word behind": _word_behind,
    "number for value": _number_for_value,
    "wrong type": _wrong_type,
}
#: Found when types are compared, so not where an operand's definition has a mistake.
_NEEDS_OPERANDS = {"axis too large", "wrong type"}


def plant(base: Base, rng: random.Random, count: int, kinds: Sequence[str] = ()) -> Planted:
    """The program with `count` mistakes, or as many as it has room for; sometimes the last brace is missing too."""
    planted = Planted(list(base.lines))
    if not kinds and rng.random() < 0.3:
        _plant_second_definition(planted, base, rng)
    if base.heads and rng.random() < 0.3 and (not kinds or kinds[0] in HEAD_KINDS):
        _plant_one(planted, base, rng, kinds[0] if kinds else rng.choice(list(HEAD_KINDS)), base.heads)
    wanted = [kind for kind in kinds or KINDS if kind in KINDS]
    for _ in range(20 * count):
        if len(planted.mistakes) >= count or not wanted:
            break
        _plant_one(planted, base, rng, rng.choice(wanted), base.plain)
    if not kinds and rng.random() < 0.15 and planted.lines[-1] == "}" and len(base.lines) - 2 not in planted.touched:
        planted.lines.pop()
        planted.mistakes.append(Mistake("missing brace", len(planted.lines), "expected '}', got the end of the text"))
    return planted


def _plant_second_definition(planted: Planted, base: Base, rng: random.Random) -> None:
    """A value gets the name of the one that is defined on the line before; its uses follow it."""
    i = rng.choice(base.plain)
    first, second = (OP.match(base.lines[j]) for j in (i - 1, i))
    if i - 1 not in base.plain or first is None or second is None or None in (first[1], second[1]):
        return
    for j in range(i, len(base.lines)):
        if base.lines[j].startswith("}"):
            break
        planted.lines[j] = re.sub(rf"{re.escape(second[1])}(?![\w$.#-])", first[1], base.lines[j])
        planted.touched.add(j)
    planted.touched.add(i - 1)
    column = len(second[0]) - len(second[0].lstrip()) + 1
    planted.mistakes.append(Mistake("second definition", i + 1, f"{first[1]} is defined twice", column))


def _plant_one(planted: Planted, base: Base, rng: random.Random, kind: str, places: Sequence[int]) -> None:
    i = rng.choice(places)
    line = base.lines[i]
    changed = {**HEAD_KINDS, **KINDS}[kind](line, rng)
    if changed is None or i in planted.touched:
        return
    needs = [m.line - 1 for m in planted.mistakes if m.kind in _NEEDS_OPERANDS] + [i] * (kind in _NEEDS_OPERANDS)
    if any(_is_uncertain(base, j, planted.touched | {i}) for j in needs):
        return
    new, says, column = changed
    planted.lines[i] = new
    planted.touched.add(i)
    planted.mistakes.append(Mistake(kind, i + 1, says, column))


def _is_uncertain(base: Base, i: int, touched: set[int]) -> bool:
    """The operands of line `i` come, through other lines, from one that is touched, or stand under such a head."""
    names = set(NAMES.findall(base.lines[i]))
    for j in range(i - 1, -1, -1):
        line = base.lines[j]
        if names & set(NAMES.findall(line if j in base.heads else line.partition(" = ")[0])):
            if j in touched:
                return True
            names |= set(NAMES.findall(line))
        if not line.startswith(" ") and j in base.heads:
            return False
    return False
