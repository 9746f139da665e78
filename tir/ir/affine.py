"""Affine expressions and maps: `affine_map<(d0, d1)[s0] -> (d0 + s0, d1 floordiv 2)>`.

The same expressions, over names instead of `d0` and `s0`, are the sizes of named dimensions: `[B - 2]`.
Sums are kept in one canonical form (terms sorted, like terms merged), so equal linear expressions are one object.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from tir.ir.errors import LimitError, ParseError
from tir.ir.interned import Interned

__all__ = [
    "AffineConstant", "AffineDim", "AffineExpr", "AffineMap", "AffineName", "AffineOp",
    "AffineSum", "AffineSymbol", "parse_affine",
]  # fmt: skip

MAX_DEPTH = 32  # nesting of floordiv, ceildiv and mod; deeper input is refused, so walks here may recurse


class AffineExpr(Interned):
    """An integer expression; build with `+ - *`, `floordiv`, `ceildiv`, `mod`."""

    __slots__ = ()
    depth: ClassVar[int] = 0

    def __add__(self, other: AffineLike) -> AffineExpr:
        if not isinstance(other, (int, AffineExpr)):
            return NotImplemented  # a traced array beside a size
        terms, constant = _linear(self)
        for term, factor in (more := _linear(affine(other)))[0].items():
            terms[term] = terms.get(term, 0) + factor
        return _sum(terms, constant + more[1])

    def __mul__(self, factor: int) -> AffineExpr:
        if not isinstance(factor, int):
            return NotImplemented
        terms, constant = _linear(self)
        return _sum({term: f * factor for term, f in terms.items()}, constant * factor)

    def __sub__(self, other: AffineLike) -> AffineExpr:
        if not isinstance(other, (int, AffineExpr)):
            return NotImplemented
        return self + affine(other) * -1

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: AffineLike) -> AffineExpr:
        return affine(other) - self

    def floordiv(self, divisor: int) -> AffineExpr:
        """self / divisor, rounded down; divisor > 0."""
        return _divide("floordiv", self, divisor)

    def ceildiv(self, divisor: int) -> AffineExpr:
        """self / divisor, rounded up; divisor > 0."""
        return _divide("ceildiv", self, divisor)

    def mod(self, divisor: int) -> AffineExpr:
        """self - divisor * (self floordiv divisor); divisor > 0."""
        return _divide("mod", self, divisor)

    def evaluate(self, leaf: Callable[[AffineExpr], Any]) -> Any:
        """The value with `leaf(expr)` for each dim, symbol and name (integers or integer arrays)."""
        terms, constant = _linear(self)
        value: Any = constant
        for term, factor in terms.items():
            value = value + factor * _evaluate_term(term, leaf)
        return value

    def substitute(self, leaf: Callable[[AffineExpr], AffineExpr]) -> AffineExpr:
        """The expression with each dim, symbol and name replaced by `leaf` of it."""
        return affine(self.evaluate(leaf))

    def leaves(self) -> set[AffineExpr]:
        """The dims, symbols and names that occur."""
        found: set[AffineExpr] = set()

        def note(leaf: AffineExpr) -> int:
            found.add(leaf)
            return 1

        self.evaluate(note)
        return found

    def sort_key(self) -> tuple[int, str]:
        return (9, str(self))


class AffineConstant(AffineExpr):
    value: int

    def __str__(self) -> str:
        return str(self.value)


class AffineDim(AffineExpr):
    position: int

    def __str__(self) -> str:
        return f"d{self.position}"

    def sort_key(self) -> tuple[int, str]:
        return (1, f"{self.position:09d}")


class AffineSymbol(AffineExpr):
    position: int

    def __str__(self) -> str:
        return f"s{self.position}"

    def sort_key(self) -> tuple[int, str]:
        return (2, f"{self.position:09d}")


class AffineName(AffineExpr):
    """A named dimension such as `B`."""

    name: str

    def __str__(self) -> str:
        return self.name

    def sort_key(self) -> tuple[int, str]:
        return (3, self.name)


class AffineOp(AffineExpr):
    """`lhs floordiv rhs`, `lhs ceildiv rhs` or `lhs mod rhs`; rhs is a positive integer."""

    kind: str
    lhs: AffineExpr
    rhs: int
    __slots__ = ("depth", "text")
    text: ClassVar[str]  # made with the expression, so that `str` of a deep one does not recurse

    def finish(self) -> None:
        object.__setattr__(self, "depth", self.lhs.depth + 1)
        object.__setattr__(self, "text", f"{_factor_text(self.lhs)} {self.kind} {self.rhs}")

    def __str__(self) -> str:
        return self.text


class AffineSum(AffineExpr):
    """constant + sum of factor * term; terms sorted; made by `+` and `*` only."""

    terms: tuple[tuple[AffineExpr, int], ...]
    constant: int
    __slots__ = ("depth", "text")
    text: ClassVar[str]

    def finish(self) -> None:
        object.__setattr__(self, "depth", max((t.depth for t, _ in self.terms), default=0))
        object.__setattr__(self, "text", self._spell())

    def __str__(self) -> str:
        return self.text

    def _spell(self) -> str:
        text = ""
        for term, factor in self.terms:
            size = _factor_text(term) if abs(factor) != 1 else str(term)
            piece = size if abs(factor) == 1 else f"{size} * {abs(factor)}"
            text += f" {'-' if factor < 0 else '+'} {piece}" if text else (piece if factor > 0 else _negated(term, factor))
        if self.constant:
            text += f" {'-' if self.constant < 0 else '+'} {abs(self.constant)}"
        return text


AffineLike = AffineExpr | int


def affine(value: AffineLike) -> AffineExpr:
    """`value` as an expression."""
    return AffineConstant(int(value)) if isinstance(value, int) else value


def _negated(term: AffineExpr, factor: int) -> str:
    return f"-{_factor_text(term)}" if factor == -1 else f"{_factor_text(term)} * {factor}"


def _factor_text(expr: AffineExpr) -> str:
    return f"({expr})" if isinstance(expr, (AffineOp, AffineSum)) else str(expr)


def _linear(expr: AffineExpr) -> tuple[dict[AffineExpr, int], int]:
    """terms and constant of the sum that `expr` is."""
    if isinstance(expr, AffineConstant):
        return {}, expr.value
    if isinstance(expr, AffineSum):
        return dict(expr.terms), expr.constant
    return {expr: 1}, 0


def _sum(terms: Mapping[AffineExpr, int], constant: int) -> AffineExpr:
    kept = sorted(((t, f) for t, f in terms.items() if f), key=lambda item: item[0].sort_key())
    if not kept:
        return AffineConstant(constant)
    if len(kept) == 1 and kept[0][1] == 1 and constant == 0:
        return kept[0][0]
    return AffineSum(tuple(kept), constant)


_EVALUATE: dict[str, Callable[[Any, int], Any]] = {
    "floordiv": operator.floordiv,
    "ceildiv": lambda a, b: -(-a // b),
    "mod": operator.mod,
}


def _divide(kind: str, lhs: AffineExpr, rhs: int) -> AffineExpr:
    """The quotient or rest in its one form. See Note [Quotients]."""
    assert rhs > 0, f"{kind} needs a positive divisor"
    terms, constant = _linear(lhs)
    constant += rhs - 1 if kind == "ceildiv" else 0
    outside = AffineConstant(0) if kind == "mod" else _sum({t: f // rhs for t, f in terms.items()}, constant // rhs)
    inside, constant = {t: f % rhs for t, f in terms.items() if f % rhs}, constant % rhs
    common = math.gcd(rhs, *inside.values())
    rest, divisor = _sum({t: f // common for t, f in inside.items()}, 0), rhs // common
    if not inside:
        return AffineConstant(constant) if kind == "mod" else outside
    if rest.depth >= MAX_DEPTH:
        raise LimitError(f"affine expression: at most {MAX_DEPTH} nested floordiv, ceildiv and mod")
    if kind == "mod":
        return AffineOp("mod", rest + constant // common, divisor) * common + constant % common
    if constant // common == divisor - 1:
        return outside + AffineOp("ceildiv", rest, divisor)
    return outside + AffineOp("floordiv", rest + constant // common, divisor)


# Note [Quotients]
#
# Equal sizes are to be one object, however they came about: `(H - 2) floordiv 2 + 1` of one op is the `H floordiv 2` of
# another. These hold for all integers, also below 0:
#
#     x ceildiv r             = (x + r - 1) floordiv r
#     (x + r * k) floordiv r  = x floordiv r + k            (x + r * k) mod r = x mod r
#     (x * g + c) floordiv (r * g) = (x + c floordiv g) floordiv r
#     (x * g + c) mod (r * g)      = ((x + c floordiv g) mod r) * g + c mod g
#
# So a divisor of r leaves factors and a constant from 0 to r - 1 inside that have nothing in common with it. A constant
# of r - 1 is the sign of a ceildiv, and is written as one: `B ceildiv 2`, never `(B + 1) floordiv 2`.


def _evaluate_term(term: AffineExpr, leaf: Callable[[AffineExpr], Any]) -> Any:
    if not isinstance(term, AffineOp):
        return leaf(term)
    value = term.lhs.evaluate(leaf)
    if isinstance(value, AffineExpr):
        return _divide(term.kind, value, term.rhs)
    return _EVALUATE[term.kind](value, term.rhs)


class AffineMap(Interned):
    """(d0, ..)[s0, ..] -> (results)."""

    dims: int
    symbols: int
    results: tuple[AffineExpr, ...]

    @classmethod
    def identity(cls, rank: int) -> AffineMap:
        """(d0, .., dn) -> (d0, .., dn)."""
        return cls(rank, 0, tuple(AffineDim(i) for i in range(rank)))

    @classmethod
    def of_dims(cls, rank: int, positions: Sequence[int]) -> AffineMap:
        """(d0, .., dn) -> the dims at `positions`."""
        return cls(rank, 0, tuple(AffineDim(i) for i in positions))

    def evaluate(self, dims: Sequence[Any], symbols: Sequence[Any] = ()) -> list[Any]:
        """The results for these dim and symbol values (integers or integer arrays)."""

        def leaf(expr: AffineExpr) -> Any:
            return dims[expr.position] if isinstance(expr, AffineDim) else symbols[expr.position]  # type: ignore[attr-defined]

        return [result.evaluate(leaf) for result in self.results]

    def compose(self, inner: AffineMap) -> AffineMap:
        """self(inner(dims)); neither has symbols."""
        assert not self.symbols and not inner.symbols and len(inner.results) == self.dims
        results = tuple(r.substitute(lambda leaf: inner.results[leaf.position]) for r in self.results)  # type: ignore[attr-defined]
        return AffineMap(inner.dims, 0, results)

    def is_projected_permutation(self) -> bool:
        """Each result is a dim, and none occurs twice."""
        return all(isinstance(r, AffineDim) for r in self.results) and len(set(self.results)) == len(self.results)

    def positions(self) -> list[int]:
        """The positions of the result dims; only for a map whose results are dims."""
        assert all(isinstance(r, AffineDim) for r in self.results)
        return [r.position for r in self.results]  # type: ignore[attr-defined]

    def __str__(self) -> str:
        dims = ", ".join(f"d{i}" for i in range(self.dims))
        symbols = ", ".join(f"s{i}" for i in range(self.symbols))
        results = ", ".join(str(r) for r in self.results)
        return f"({dims}){f'[{symbols}]' if symbols else ''} -> ({results})"


# --- expressions from text -------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\s*([0-9]{1,18}(?!\w)|[A-Za-z_][\w$.]*|[-+*()]|\S)", re.ASCII)
_WORDS = ("floordiv", "ceildiv", "mod")


def parse_affine(text: str) -> AffineExpr:
    """The expression over names that `text` spells, as `str` writes one: `B - 2`, `(B + 1) floordiv 3`.

    Raises ParseError for anything else.
    """
    tokens = _TOKEN.findall(text)
    tokens.reverse()
    text = text if len(text) <= 60 else f"{text[:57]}..."
    found = _read_sum(text, tokens, 0)
    if tokens:
        raise _unexpected(text, tokens)
    return found


def _read_sum(text: str, tokens: list[str], depth: int) -> AffineExpr:
    if depth > MAX_DEPTH:
        raise LimitError(f"affine expression {text!r}: at most {MAX_DEPTH} nested brackets and signs")
    found = _read_product(text, tokens, depth)
    while tokens and tokens[-1] in ("+", "-"):
        sign = 1 if tokens.pop() == "+" else -1
        found = found + _read_product(text, tokens, depth) * sign
    return found


def _read_product(text: str, tokens: list[str], depth: int) -> AffineExpr:
    found = _read_factor(text, tokens, depth)
    while tokens and tokens[-1] in ("*", *_WORDS):
        kind, other = tokens.pop(), _read_factor(text, tokens, depth)
        if kind == "*" and isinstance(found, AffineConstant):
            found, other = other, found
        if not isinstance(other, AffineConstant) or (kind != "*" and other.value < 1):
            needs = "an integer on one side" if kind == "*" else "a positive integer on its right"
            raise ParseError(f"affine expression {text!r}: '{kind}' needs {needs}")
        found = found * other.value if kind == "*" else _divide(kind, found, other.value)
    return found


def _read_factor(text: str, tokens: list[str], depth: int) -> AffineExpr:
    token = tokens.pop() if tokens else ""
    if token == "-":
        if depth >= MAX_DEPTH:
            raise LimitError(f"affine expression {text!r}: at most {MAX_DEPTH} nested brackets and signs")
        return _read_factor(text, tokens, depth + 1) * -1
    if token == "(":
        found = _read_sum(text, tokens, depth + 1)
        if not tokens or tokens.pop() != ")":
            raise ParseError(f"affine expression {text!r}: a '(' is not closed")
        return found
    if token.isdigit():
        return AffineConstant(int(token))
    if (token[:1].isalpha() or token[:1] == "_") and token not in _WORDS:
        return AffineName(token)
    raise _unexpected(text, [*tokens, *([token] if token else [])])


def _unexpected(text: str, tokens: list[str]) -> ParseError:
    where = f"unexpected {tokens[-1]!r}" if tokens else "it ends too early"
    return ParseError(f"affine expression {text!r}: {where}")
