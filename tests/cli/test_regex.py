"""The regular expressions of expected- comments: Python's, with POSIX's classes, in bounded time."""

from __future__ import annotations

import re
import signal
import threading
import time
import warnings

import pytest

from tir.cli.regex import MAX_LENGTH, Clock, Pattern, RegexError, TooSlowError


def search(regex: str, text: str, seconds: float = 5.0) -> bool:
    pattern = Pattern()
    pattern.add_regex(regex)
    return pattern.search(text, Clock(seconds))


@pytest.mark.parametrize(("regex", "fits", "does_not"), [
    ("^[[:alpha:]_][[:alnum:]_]*$", "a_1", "1a"), ("[]x]", "]", "a"), ("[^]x]", "a", "]"), ("[a-c-]", "-", "d"),
    (r"\d+\.\d", "12.5", "12,5"), (r"^\w+$", "a_ü", "a b"), (r"[\s]", "\t", "a"), ("[[:xdigit:]]{4}", "beef", "be f"),
    ("a.c", "a\nc", "ac"), ("x|yz", "yz", "y"), ("^[[:punct:]]$", "]", "a"), ("^[^[:digit:]]$", "a", "1"),
    (r"(a|b)\1", "bb", "ab"), ("^[[:blank:]]+$", " \t", "\n"), ("[[:cntrl:]]", "\x01", " "), ("[[:upper:]]", "A", "a"),
])  # fmt: skip
def test_expressions_mean_what_python_and_posix_say(regex: str, fits: str, does_not: str) -> None:
    assert search(regex, fits) and not search(regex, does_not)


@pytest.mark.parametrize(("regex", "at", "message"), [
    ("a**", 2, "multiple repeat"), ("(a(b)", 0, "missing ), unterminated subpattern"), ("a)", 1, "unbalanced parenthesis"),
    ("x[]", 1, "unterminated character set"), ("[[:word:]]", 1, "there is no class '[:word:]'"), ("\\", 0, "bad escape"),
    ("a{3,2}", 2, "min repeat greater than max repeat"), ("a{99999999999999999999}", 0, "repeats or nests too much"),
    ("[z-a]", 1, "bad character range"), ("(" * 1900, 0, "repeats or nests too much"),
    ("a" * (MAX_LENGTH + 1), 0, f"of at most {MAX_LENGTH}"),
])  # fmt: skip
def test_mistakes_are_named_with_their_place(regex: str, at: int, message: str) -> None:
    with pytest.raises(RegexError, match=re.escape(message)) as caught:
        search(regex, "")
    assert caught.value.at == at


@pytest.mark.parametrize("regex", ["(a*)*b", "(a|a)*b", "((a+)+)+b", "(a|aa)+$b", ".*.*.*.*.*.*.*.*=.*"])
def test_a_search_that_backtracks_is_stopped(regex: str) -> None:
    start = time.process_time()
    with pytest.raises(TooSlowError):
        search(regex, "a" * 5000, seconds=0.2)
    assert time.process_time() - start < 2


def test_text_between_expressions_is_taken_as_it_is() -> None:
    pattern = Pattern()
    pattern.add_text("a.c (")
    pattern.add_regex("1|2")
    pattern.add_text(")*")
    assert pattern.search("_a.c (2)*_", Clock()) and not pattern.search("abc (2)*", Clock())


def test_time_is_shared_by_searches_and_ends() -> None:
    clock = Clock(0.1)
    with pytest.raises(TooSlowError):
        for _ in range(10**9):
            pattern = Pattern()
            pattern.add_regex("a+b")
            pattern.search("a" * 500, clock)
    assert clock.seconds <= 0
    with pytest.raises(TooSlowError):
        pattern.search("", clock)


def test_timer_and_handler_from_outside_are_there_again() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    assert search("a", "a")
    assert signal.getsignal(signal.SIGVTALRM) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_it_works_in_any_thread_and_warns_of_nothing() -> None:
    found: list[bool] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thread = threading.Thread(target=lambda: found.append(search("[[a]&&b]|x", "x")))
        thread.start()
        thread.join()
    assert found == [True]
