"""The list of planted bugs fits the code, so that `make plant` can plant each."""

from __future__ import annotations

from tests.plant.plant import BUGS, ROOT, misplaced


def test_text_of_each_bug_stands_once() -> None:
    assert misplaced(BUGS) == []


def test_bugs_have_names_of_their_own_tests_and_change_something() -> None:
    names = [bug.name for bug in BUGS]
    assert len(set(names)) == len(names)
    for bug in BUGS:
        assert bug.old != bug.new, bug.name
        assert [path for path in bug.tests if path.endswith(".py") and not (ROOT / path).exists()] == [], bug.name
