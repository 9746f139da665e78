"""Cross-entropies by class numbers: what the examples of the rules in `labels.py` do not show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.builder import TensorBuilder
from tir.interpret import Interpreter
from tir.ir.affine import AffineName
from tir.ir.define import create
from tir.ir.errors import TirError
from tir.ir.ir import Block, Op, Region
from tir.ir.rewrite import Rewriter
from tir.ir.types import DYNAMIC, F64, I64, Dim, TensorType
from tir.ir.verify import verify
from tir.rewrites.labels import cross_entropy_of_labels


@pytest.mark.parametrize(("rows", "labels", "fires"), [
    (4, 4, True), (AffineName("B"), AffineName("B"), True), (AffineName("B"), AffineName("C"), False),
    (4, 3, False), (DYNAMIC, DYNAMIC, False),
])  # fmt: skip
def test_there_must_be_a_label_for_each_row(rows: Dim, labels: Dim, fires: bool) -> None:
    _, count = _rewritten(_log_probabilities_of_labels(rows, labels))
    assert (count > 0) is fires


def test_label_that_is_no_class_is_an_error_behind_the_rule_too() -> None:
    program = _log_probabilities_of_labels(4, 4)
    for module in (program, _rewritten(program)[0]):
        with pytest.raises(TirError, match="an index of axis 1 of x must be"):
            Interpreter(module).run("f", [np.zeros((4, 3)), np.array([0, 1, 2, 3])])


def _log_probabilities_of_labels(rows: Dim, labels: Dim) -> Op:
    types = [TensorType((rows, 3), F64), TensorType((labels,), I64)]
    function = Func.make("f", types, [])
    module = create(Module, regions=[Region([Block()])])
    module.body.append(function)
    b = TensorBuilder(function.entry, None, function.location)
    z, y = (b.tensor(argument) for argument in function.arguments)
    made = b.index_nd(b.log_softmax(z, [1]), [b.iota(b.shape(y), 0), y])
    b.op(Return, [made.value])
    function.set_type(types, [made.type])
    return module


def _rewritten(program: Op) -> tuple[Any, int]:
    module = program.clone()
    rewriter = Rewriter([cross_entropy_of_labels], builder=TensorBuilder, limit=50)
    rewriter.run(module)
    verify(module)
    return module, rewriter.counts.total()
