"""What is looked for behind any text, good or hostile, and the limits that reading it must keep."""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError, TirError, TirErrors, render
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.verify import check
from tir.parser.parse import parse_text
from tir.passes.pipelines import ALL

__all__ = ["Hang", "parsed", "problem_behind", "problems", "problems_of_mutant", "within"]

_INNER = re.compile(r"Traceback|object at 0x|<class|NoneType|\w+Attr\(|\bdict\b|\btuple\(")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Hang(BaseException):
    """The time for one text is over. No `except Exception` can hide it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises Hang if what is inside takes more CPU time; only in the main thread."""

    def stop(*_: Any) -> None:
        raise Hang(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def parsed(text: str) -> tuple[Op | None, list[str]]:
    """The module or None, and what is wrong with the errors: a place outside of the text, words of our code."""
    try:
        return parse_text(text, REGISTRY, file="t"), []
    except TirError as error:
        shown = render(error, {"t": text})
        errors = error.errors if isinstance(error, TirErrors) else (error,)
        lines = text.split("\n")
        found = [problem for one in errors for problem in _bad_error(one, lines)]
        return None, [*found, "control characters"] if _CONTROL.search(shown) else found


def _bad_error(error: TirError, lines: list[str]) -> Iterator[str]:
    where = error.location.file_location() if error.location is not None else None
    if where is None:
        yield f"no place: {error.message}"
    elif where.file == "t" and not (1 <= where.line <= len(lines) and 1 <= where.column <= len(lines[where.line - 1]) + 1):
        yield f"outside of the text: {error}"
    if _INNER.search(error.message):
        yield f"not in words of the program: {error.message[:200]}"


def problems(text: str) -> list[str]:
    """What is wrong with how the text is read, or with how its module is printed and read back."""
    module, found = parsed(text)
    return found if module is None else problems_of_print(module)


def problems_of_print(module: Op) -> list[str]:
    """What is wrong with how a module is printed and read back."""
    printed = print_op(module)
    again, errors = parsed(printed)
    return [] if again is not None and print_op(again) == printed else [f"does not read back: {errors}"]


def problem_behind(module: Op, names: list[str]) -> str | None:
    """What is wrong behind the passes: a PassError with a place is nothing, a module that is wrong is something."""
    try:
        run_pipeline(Pipeline([ALL[name]() for name in names]), module, verify_end=False)
    except PassError as error:
        return None if error.location is not None else f"{names}: no place: {error.message}"
    wrong = check(module)
    return f"{names}: {wrong[0]}" if wrong else None


def problems_of_mutant(text: str, rng: random.Random) -> list[str]:
    """What is wrong with reading a text, and if it is a module, with printing it and with passes on it."""
    module, found = parsed(text)
    if module is None:
        return found
    found = problems_of_print(module)
    cheap = ["canonicalize", "cse", "dce"]
    for names in (cheap, ["fuse"] if rng.random() < 0.3 else rng.choices(list(ALL), k=rng.choice((1, 1, 2, 3)))):
        wrong = problem_behind(module.clone(), names)
        found += [wrong] if wrong else []
    return found
