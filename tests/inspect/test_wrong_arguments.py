"""Wrong arguments of `tir.inspect` and `tir.printing`: one sentence, located where the user wrote it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tir
from tests.inspect.programs import training
from tir.inspect import check_nan, explain, explore, ir_at, profile
from tir.ir.errors import TirError
from tir.printing import debugprint, pp, pydotprint

M = training().module
MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: ir_at(training(), "loops"), "; b.module is the module of a builder"),
    (lambda: ir_at(M, "ptx"), "ir_at: level must be one of tensor, optimized, structured, fused, buffers, loops, llvm, asm, got 'ptx'"),
    (lambda: ir_at(M, "fuse"), "got 'fuse'; did you mean 'fused'?"),
    (lambda: ir_at(M, 3), "llvm, asm, got 3"),
    (lambda: ir_at(M, "loops", fp_mode="fst"), "ir_at: fp_mode must be one of strict, stable, fast, got 'fst'"),
    (lambda: ir_at(M, "asm", locations=True), 'ir_at: assembly has no lines of the program; level="llvm" has them'),
    (lambda: explain("f"), "explain: a module is needed, got 'f'; tir.parse makes one of text"),
    (lambda: explain(M, sizes=500), 'explain: sizes must be numbers by name, such as {"B": 500}, got 500'),
    (lambda: explain(M, sizes={"B": -1}), "explain: size B must be a number from 0 on, got -1"),
    (lambda: explain(M, sizes={"B": 2.5}), "explain: size B must be a number from 0 on, got 2.5"),
    (lambda: explain(M, fp_mode=""), "explain: fp_mode must be one of strict, stable, fast, got ''"),
    (lambda: explore(None), "explore: a module is needed, got None"),
    (lambda: explore(M, 3), "explore: path must be the name of a file, got 3"),
    (lambda: explore(M, "/nowhere/page.html"), "explore: there is no folder /nowhere for the page"),
    (lambda: explore(tir.parse(""), "/"), "explore: cannot write /: Is a directory"),
    (lambda: profile(M, "train", [], repeat=0), "profile: repeat must be a number from 1 on, got 0"),
    (lambda: profile(M, "train", [], target="gpu"), "profile: target must be one of cpu, interpret, got 'gpu'; did you mean 'cpu'?"),
    (lambda: profile(3, "train"), "profile: a module is needed, got 3"),
    (lambda: check_nan(training(), "train"), "check_nan: a module is needed, got "),
    (lambda: debugprint(np.ones(3)), "debugprint: values, a function or a module are needed, got array([1., 1., 1.])"),
    (lambda: debugprint({}), "got {}; a tensor of a builder is a value, b.module its module"),
    (lambda: debugprint(M, depth=-2), "debugprint: depth must be -1 or a number of levels, got -2"),
    (lambda: debugprint(M, depth=True), "debugprint: depth must be -1 or a number of levels, got True"),
    (lambda: debugprint(M, file="out.txt"), "debugprint: file must be 'str' or a file, got 'out.txt'"),
    (lambda: pp([1]), "pp: values, a function or a module are needed, got 1"),
    (lambda: pydotprint(3), "pydotprint: values, a function or a module are needed, got 3"),
    (lambda: pydotprint(M, fromat="svg"), "pydotprint: there is no keyword 'fromat'; did you mean 'format'?"),
    (lambda: pydotprint(M, format="pdf"), "pydotprint: format must be one of dot, svg, png, got 'pdf'"),
    (lambda: pydotprint(M, "a.gif"), "pydotprint: format must be one of dot, svg, png, got 'gif'; the ending of outfile says it, too"),
    (lambda: pydotprint(M, "/nowhere/a.dot"), "pydotprint: cannot write /nowhere/a.dot: No such file or directory"),
]


@pytest.mark.parametrize(("mistake", "said"), MISTAKES, ids=[said[:60] for _, said in MISTAKES])
def test_mistake_is_told_where_it_was_made(mistake: Callable[[], Any], said: str) -> None:
    with pytest.raises(TirError) as caught:
        mistake()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{Path(__file__)}:{inspect.getsourcelines(mistake)[1]}:1: ")


@pytest.mark.parametrize("name", ["entry", "argument"])
def test_mistakes_in_a_call_are_those_of_an_executable(name: str) -> None:
    arguments = {"entry": ("trian", []), "argument": ("train", [1, 2, 3])}[name]
    with pytest.raises(TirError, match=r"no entry @trian|takes 2 arguments \(x, y\), got 3"):
        check_nan(M, *arguments)
    with pytest.raises(TirError, match=r"no entry @trian|takes 2 arguments \(x, y\), got 3"):
        profile(M, *arguments)


def test_module_that_breaks_a_rule_is_refused() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<4xf32>") as (x,):
        y = b.exp(x)
        b.returns(y)
    y.value.type = tir.parse("func.func private @g(tensor<5xf32>)").body.first.function_type.inputs[0]  # type: ignore
    for look in (lambda m: ir_at(m, "loops"), explain, explore, lambda m: profile(m, "f", [1]), lambda m: check_nan(m, "f", [1])):
        with pytest.raises(TirError, match="tir.exp"):
            look(b.module)  # type: ignore[operator]
