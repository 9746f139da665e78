"""`printing.Print` and `T.opt.Assert`: what a variable is while the program runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tir.printing import Print, pp, pprint

LOWERED = ["FAST_RUN", "FAST_COMPILE", "DebugMode"]


def written(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_print_shows_the_value_and_gives_it(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.dvector("x")
    f = tir.function([x], Print("half")(x / 2) * 2)
    assert written(capsys) == []
    assert f([1.0, -np.inf]).tolist() == [1.0, -np.inf]
    assert written(capsys) == ["half __str__ = [ 0.5 -inf]"]


def test_print_shows_what_attrs_names(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.imatrix("x")
    tir.function([x], Print("x", attrs=("shape", "sum"))(x))(np.eye(2, 3, dtype="int32"))
    assert written(capsys) == ["x shape = (2, 3)", "x sum = 2"]
    tir.function([x], Print("x", attrs="ndim")(x))(np.zeros((0, 3), "int32"))
    assert written(capsys) == ["x ndim = 2"]


def test_print_in_a_loop_and_under_a_gradient(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.dvector("x")
    steps, _ = tir.scan(lambda v: Print("v")(v) ** 2, sequences=[x])
    assert tir.function([x], steps)([1, 2]).tolist() == [1, 4]
    assert written(capsys) == ["v __str__ = 1.0", "v __str__ = 2.0"]
    cost = (Print("x")(x) ** 2).sum()
    assert tir.function([x], T.grad(cost, x))([1, 2]).tolist() == [2, 4]
    assert tir.function([x], T.Rop(cost, x, x))([1, 2]) == 10


def test_print_with_a_function_of_ones_own() -> None:
    seen: list[Any] = []
    x = T.dscalar("x")
    tir.function([x], Print("x", global_fn=lambda op, array: seen.append((op.message, array + 1)))(x))(2)
    assert seen == [("x", 3)]


@pytest.mark.parametrize("mode", LOWERED)
def test_assert_gives_the_value_or_ends_the_call(mode: str) -> None:
    x = T.dvector("x")
    kept = tir.shared(np.zeros(2), "kept")
    y = T.opt.Assert("x must be between 0 and 5")(x, x > 0, T.all(x < 5))
    f = tir.function([x], y * 2, updates=[(kept, kept + y)], mode=mode)
    assert f([1, 2]).tolist() == [2, 4]
    for wrong in ([-1, 2], [1, 9], [np.nan, 1]):
        with pytest.raises(AssertionError, match="x must be between 0 and 5") as caught:
            f(wrong)
        assert isinstance(caught.value, tir.TirError)
    assert kept.get_value().tolist() == [1, 2]
    kept.set_value(np.zeros(0))
    assert f(np.zeros(0)).shape == (0,)  # all of no elements


def test_an_assert_tells_its_own_line() -> None:
    x = T.dscalar("x")
    first = T.opt.Assert("wrong")(x, x > 0)
    second = T.opt.Assert("wrong")(x, x < 5)
    f = tir.function([x], first + second)
    line = test_an_assert_tells_its_own_line.__code__.co_firstlineno + 2
    for wrong, where in [(-1, line), (9, line + 1)]:
        with pytest.raises(tir.TirError, match=rf"test_debugging.py:{where}:1: wrong"):
            f(wrong)


def test_assert_in_a_loop_under_a_gradient_and_with_numbers_as_conditions() -> None:
    x = T.dvector("x")
    steps, _ = tir.scan(lambda v: T.opt.Assert("v must not be 0")(v, v) ** 2, sequences=[x])
    for result in (steps, T.grad(steps.sum(), x)):
        f = tir.function([x], result)
        assert f([1, 2]).tolist() == ([1, 4] if result is steps else [2, 4])
        with pytest.raises(tir.TirError, match="v must not be 0"):
            f([1, 0])
    assert tir.function([x], T.opt.assert_op(x, True, x.shape[0]))([3]).tolist() == [3]
    with pytest.raises(tir.TirError, match="a condition of Assert is false"):
        tir.function([x], T.opt.assert_op(x, np.array([1, 0])))([3])


def test_an_assert_is_compiled() -> None:
    x = T.dvector("x")
    assert "cf.assert" in tir.function([x], T.opt.Assert("x")(x, x > 0)).ir("loops")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: T.opt.Assert("a")(), "Assert: takes a variable and conditions, got nothing"),
        (lambda x: T.opt.Assert(3)(x, x), "Assert: the message must be a string, got 3"),  # type: ignore[arg-type]
        (lambda x: T.opt.Assert("a")(x, "no"), "expected a tensor, a number or an array, got 'no'"),
        (lambda x: Print("a")(x, x), "Print: takes 1 variable, got 2"),
        (lambda x: Print("a")(), "Print: takes 1 variable, got 0"),
        (lambda x: tir.function([x], Print("a", ["shap"])(x))([1]), "Print{a}: arrays have no attribute 'shap'"),
        (lambda x: T.opt.MergeOptimizer, "rules of rewriting are written as text here: docs/add-a-rewrite.md"),
    ],
)
def test_wrong_uses_are_told(build: Any, message: str) -> None:
    with pytest.raises((tir.TirError, AttributeError)) as caught:
        build(T.dvector("x"))
    assert message in str(caught.value)


def test_pprint_is_pp() -> None:
    x = T.dvector("x")
    assert pprint(T.exp(x)) == pp(T.exp(x)) == "exp(x)"


def test_a_number_is_shown_as_one_whatever_size_it_is_stretched_to(capsys: pytest.CaptureFixture[str]) -> None:
    v, x = T.dvector("v"), T.dmatrix("x")
    assert pp(v * 2 + 1) == "((v * 2) + 1)"
    assert pp(1 / (1 + T.exp(-x))) == "(1 / (1 + exp((-x))))"
    assert pp(T.zeros((3, 4)) + x) == "(0 + x)" and pp(T.switch(v > 0, v, 0.5)) == "select((v > 0), v, 0.5)"
    tir.printing.debugprint(v * 2 + 1)
    assert written(capsys) == [
        "tir.add [id A] ''", " |tir.mul [id B] ''", " | |v [id C]", " | |constant{2} [id D]", " |constant{1} [id E]",
    ]  # fmt: skip
