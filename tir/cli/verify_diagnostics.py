"""`--verify-diagnostics`: the comments of a file say which errors, warnings, notes and remarks it must give.

    // expected-error@below {{inner sizes must agree}}
    %0 = tir.dot %a, %b : tensor<3x6xf32>   // expected-note-re {{axis {{[0-9]+}}}}

As upstream's: the text is a part of the message; with `-re`, what stands in `{{..}}` inside it is a regular expression.
The line is that of the comment, or `@+1`, `@-2`, `@above` and `@below` (the next line that holds no such comment), or
`@unknown` for what has no place. Beyond upstream, a line may hold several, and a comment that is spelled wrong is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NoReturn

from tir.cli.regex import Clock, Pattern, RegexError, TooSlowError
from tir.ir.errors import FileLocation, Location, TirError, TirErrors, escape_controls, nearest

__all__ = ["Diagnostic", "DiagnosticVerifier"]

KINDS = ("error", "warning", "note", "remark")
NAMES = (*KINDS, *(f"{kind}-re" for kind in KINDS))
DESIGNATORS = ("@+N", "@-N", "@above", "@below", "@unknown")
MAX_REPORTED = 100
MAX_SHOWN = 400
_DIGITS = 9

# A comment that means to expect something: with `{{`, or with a kind and then a designator or another bracket or quote.
# The count is clang's, which MLIR does not have.
_START = re.compile(
    r"expected-(?P<name>[a-z][a-z-]{0,30})[ \t]*(?P<at>@[^\s{]{0,40})?[ \t]*"
    r"(?:(?P<count>[0-9][0-9+-]{0,20}|\+)[ \t]*(?=\{\{))?(?P<open>\{\{|(?=[\"'{(:])|$)?"
)


@dataclass(frozen=True)
class Diagnostic:
    """What a tool would print: an error, a warning, a note or a remark."""

    kind: str
    message: str
    location: Location | None

    @property
    def place(self) -> FileLocation | None:
        return self.location.file_location() if self.location is not None else None


@dataclass
class Expectation:
    """One comment. line: where the diagnostic must be; None is nowhere (`@unknown`)."""

    kind: str
    text: str
    where: FileLocation
    line: int | None
    pattern: Pattern | None = None
    matched: bool = False

    def fits(self, message: str, clock: Clock) -> bool:
        """Whether the message is the one expected; TooSlowError if that takes too long to find out."""
        if self.pattern is not None:
            return self.pattern.search(message, clock)
        return self.text in message


@dataclass
class DiagnosticVerifier:
    """Compares what one text (or one part of a split file) expects with what it gives.

    first_line: of the text in its file. only_expected: what nobody expects is no error. remarks: nor is a remark, if False.
    """

    text: str
    file: str
    first_line: int = 1
    only_expected: bool = False
    remarks: bool = True
    problems: list[TirError] = field(default_factory=list)
    unexpected: list[Diagnostic] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        scanner = _Scanner(self.file, self.first_line, self.clock)
        self.expectations = scanner.scan(self.text)
        self.problems += scanner.problems
        self._by_line: dict[int | None, list[Expectation]] = {}
        for one in self.expectations:
            self._by_line.setdefault(one.line, []).append(one)

    def error(self, error: TirError) -> None:
        """An error, or several, with their notes. A note without a place has that of its error."""
        for one in error.errors if isinstance(error, TirErrors) else (error,):
            self._process(Diagnostic("error", f"{one.message}; {one.hint}" if one.hint else one.message, one.location))
            for message, location in one.notes:
                self._process(Diagnostic("note", message, location if location is not None else one.location))

    def remark(self, location: Location | None, message: str) -> None:
        """What a pass did or did not do."""
        self._process(Diagnostic("remark", message, location))

    def warning(self, location: Location | None, message: str) -> None:
        """What is allowed and probably not meant."""
        self._process(Diagnostic("warning", message, location))

    def finish(self) -> list[TirError]:
        """All that is not as expected, in the order of the file; what was not produced included."""
        missing = islice((one for one in self.expectations if not one.matched), MAX_REPORTED + 1)
        problems = sorted([*self.problems, *map(self._not_produced, missing)], key=_line)
        if len(problems) > MAX_REPORTED:
            problems[MAX_REPORTED:] = [TirError(f"more is not as expected; the first {MAX_REPORTED} are shown")]
        return problems

    def _process(self, diagnostic: Diagnostic) -> None:
        diagnostic = replace(diagnostic, message=escape_controls(diagnostic.message))  # as it would be printed
        try:
            found = self._matching(diagnostic)
        except TooSlowError:
            self.problems.append(_too_slow(diagnostic.place))
            return
        same_kind = [one for one in found if one.kind == diagnostic.kind]
        if same_kind:
            # A second comment of the same text is for the second diagnostic; one comment may stand for several.
            next((one for one in same_kind if not one.matched), same_kind[0]).matched = True
        elif not self.only_expected and (self.remarks or diagnostic.kind != "remark"):
            self._report(diagnostic, found)
        else:
            self.unexpected.append(diagnostic)

    def _matching(self, diagnostic: Diagnostic) -> list[Expectation]:
        """The comments that the message fits, of any kind."""
        place = diagnostic.place
        if place is not None and place.file != self.file:
            return []
        candidates = self._by_line.get(place.line if place is not None else None, ())
        return [one for one in candidates if one.fits(diagnostic.message, self.clock)]

    def _report(self, diagnostic: Diagnostic, of_other_kind: list[Expectation]) -> None:
        if of_other_kind:
            wanted = of_other_kind[-1]
            message = f"'{diagnostic.kind}' diagnostic emitted when expecting a '{wanted.kind}'"
            self.problems.append(TirError(message, wanted.where))
            return
        self.unexpected.append(diagnostic)
        self.problems.append(TirError(f"unexpected {diagnostic.kind}: {diagnostic.message}", diagnostic.location))

    def _not_produced(self, one: Expectation) -> TirError:
        elsewhere = self._produced_elsewhere(one)
        notes = []
        if elsewhere is not None:
            where = "here" if elsewhere.place is not None else "without a place"
            notes.append((f"it was produced {where}", elsewhere.location))
        text = one.text if len(one.text) <= MAX_SHOWN else f"{one.text[:MAX_SHOWN]}..."
        return TirError(f'expected {one.kind} "{text}" was not produced', one.where, notes)

    def _produced_elsewhere(self, wanted: Expectation) -> Diagnostic | None:
        """The unexpected diagnostic that would have been the one wanted, on another line."""
        try:
            for one in self.unexpected:
                if one.kind == wanted.kind and wanted.fits(one.message, self.clock):
                    return one
        except TooSlowError:
            pass
        return None


def _line(problem: TirError) -> int:
    place = problem.location.file_location() if problem.location is not None else None
    return place.line if place is not None else 0


def _too_slow(where: FileLocation | None) -> TirError:
    return TirError("the regular expressions of the expected- comments take too long to match", where)


class _Scanner:
    """Finds the comments of a text."""

    def __init__(self, file: str, first_line: int, clock: Clock) -> None:
        self.file = file
        self.first_line = first_line
        self.clock = clock
        self.problems: list[TirError] = []

    def scan(self, text: str) -> list[Expectation]:
        """The expectations in the order of the text. `@above` and `@below` skip lines that hold expectations."""
        found: list[Expectation] = []
        for_next: list[Expectation] = []
        lines = text.split("\n")
        last_plain = self.first_line
        for number, line in enumerate(lines, self.first_line):
            starts = self._starts(line) if "expected-" in line else []
            if not starts:
                for one in for_next:
                    one.line = number
                for_next, last_plain = [], number
            for designator, one in self._expectations(starts, line, number):
                one.line = self._designated(designator, number, last_plain, self.first_line + len(lines) - 1)
                if designator == "@below":
                    for_next.append(one)
                found.append(one)
        return found

    def _starts(self, line: str) -> list[re.Match[str]]:
        """Where the expectations of a line start."""
        comment = line.find("//")
        if comment < 0:
            return []
        first = len(line) - len(line[comment:].lstrip("/ \t"))
        return [match for match in _START.finditer(line, comment) if self._is_meant(match, first)]

    def _expectations(self, starts: list[re.Match[str]], line: str, number: int) -> Iterator[tuple[str, Expectation]]:
        """The expectations of one line, each with its designator; those that are wrong become problems."""
        for match, end in zip(starts, [*(match.start() for match in starts[1:]), len(line)]):
            if len(self.problems) > MAX_REPORTED:
                return
            try:
                yield match["at"] or "", self._read(match, line, end, number)
            except TirError as error:
                self.problems.append(error)

    def _is_meant(self, match: re.Match[str], first: int) -> bool:
        """Prose may speak of expected-error; `// expected-error: ..` is a mistake. `first`: where the comment's text is."""
        if match["open"] == "{{":
            return True
        looks_like_it = match["at"] is not None or (match.start() == first and match["open"] is not None)
        return match["name"] in NAMES and looks_like_it

    def _read(self, match: re.Match[str], line: str, end: int, number: int) -> Expectation:
        """The expectation; TirError says what is wrong with it."""
        name = match["name"]
        if name not in NAMES:
            hint = nearest(name, NAMES)
            self._fail(f"there is no 'expected-{name}'; it may be error, warning, note or remark, with -re behind it",
                       number, match.start(), hint)  # fmt: skip
        self._check_designator(match, number)
        if match["count"] is not None:
            self._fail(f"expected-{name}: there is no count; a comment stands for all of its line that it fits",
                       number, match.start("count"))  # fmt: skip
        if match["open"] != "{{":
            self._fail(f"expected-{name}: '{{{{' and the message are missing", number, match.end())
        close = line.rfind("}}", match.end(), end)
        if close < 0:
            self._fail(f"expected-{name}: '{{{{' without '}}}}' on the same line", number, match.end() - 2)
        text = line[match.end() : close]
        pattern = self._pattern(text, number, match.end()) if name.endswith("-re") else None
        where = FileLocation(self.file, number, match.start() + 1)
        return Expectation(name.removesuffix("-re"), text, where, None, pattern)

    def _fail(self, message: str, number: int, offset: int, hint: str | None = None) -> NoReturn:
        raise TirError(message, FileLocation(self.file, number, offset + 1), hint=hint)

    def _check_designator(self, match: re.Match[str], number: int) -> None:
        designator = match["at"]
        if designator is None or designator in DESIGNATORS[2:]:
            return
        digits = designator[2:]
        if designator[1:2] not in ("+", "-") or not (digits.isascii() and digits.isdecimal()):
            self._fail(f"unknown designator '{designator}'; there are {', '.join(DESIGNATORS)}", number, match.start("at"),
                       nearest(designator, DESIGNATORS[2:]))  # fmt: skip
        if len(digits) > _DIGITS:
            self._fail(f"a designator has at most {_DIGITS} digits, got {len(digits)}", number, match.start("at"))

    def _designated(self, designator: str, number: int, last_plain: int, last: int) -> int | None:
        """The line that is meant; for `@below` the last one, until a line is found."""
        lines = {"": number, "@above": last_plain, "@below": last, "@unknown": None}
        return lines[designator] if designator in lines else number + int(designator[1:])

    def _pattern(self, text: str, number: int, offset: int) -> Pattern:
        """The pattern of an `-re` message; `offset` is where it starts on its line."""
        pattern = Pattern()
        at = block = 0
        try:
            with self.clock.running():
                while (start := text.find("{{", at)) >= 0:
                    block = start + 2
                    end = text.find("}}", block)
                    if end < 0:
                        self._fail("'{{' of a regular expression without '}}'", number, offset + start)
                    pattern.add_text(text[at:start])
                    pattern.add_regex(text[block:end])
                    at = end + 2
                pattern.add_text(text[at:])
        except RegexError as error:
            self._fail(f"regular expression: {error.message}", number, offset + block + error.at)
        except TooSlowError:
            raise _too_slow(FileLocation(self.file, number, offset + 1)) from None
        return pattern

