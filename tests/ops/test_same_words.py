"""What is wrong with sizes that only run time knows is said in the same words at every level, and names the op of the program.

The sizes follow, `, got 3 and 2`: from the fused level on by the comparison that an assert is made of.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.levels import LEVELS, modules_at
from tir.compile import Executable
from tir.ir.errors import ExecutionError

#: The op; the types of its operands and result; the sizes of a call; the sentence.
WRONG = [
    ("tir.add %0, %1", "?", "?", ((2,), (1,)), "axis 0 of rhs must have the size of axis 0 of lhs"),
    ("tir.add %1, %0", "?x?", "?x?", ((2, 3), (2, 1)), "axis 1 of rhs must have the size of axis 1 of lhs"),
    ("tir.clamp %0, %0, %1", "?", "?", ((1,), (2,)), "axis 0 of high must have the size of axis 0 of x"),
    ("tir.dot %0, %1", "?x?", "?x?", ((2, 4), (3, 4)), "axis 0 of rhs must have the size of axis 1 of lhs"),
    ('tir.einsum "ij,jk->ik" %0, %1', "?x?", "?x?", ((2, 4), (1, 4)),
     "axis 0 of operand 1 must have the size of axis 1 of operand 0"),
    ("tir.slice %0 from [2] to [-1] step [1]", "?", "?", ((2,), (1,)), "from 2 to -1 must fit axis 0 of x"),
    ("tir.inv %0", "?x?", "?x?", ((3, 2), (1, 1)), "a must be square"),
    ("tir.max_pool %0 window [3]", "?", "?", ((1,), (1,)), "the window must fit into axis 0 of x"),
    ("tir.avg_pool %0 window [3] divisor valid", "?", "?", ((1,), (1,)), "the window must fit into axis 0 of x"),
    ("tir.max_pool_grad %0, %1 window [2] : tensor<?xf32> -> tensor<?xf32>", "?", "?", ((4,), (2,)),
     "axis 0 of g must have the size of the pooled x"),
    ("tir.conv %0, %1", "?x?x?", "?x?x2", ((1, 2, 4), (1, 1, 2)), "the features of x must be the inputs of w times the groups"),
    ("tir.conv %0, %1", "?x?x?", "?x?x9", ((1, 1, 4), (1, 1, 9)), "the window does not fit into x"),
    ("tir.nll_loss %0, %1", "?x?", "?xi32", ((3, 4), (2,)), "axis 0 of labels must have the size of axis 0 of scores"),
    ("tir.softmax_cross_entropy %0, %1", "?x?", "?xi32", ((3, 4), (2,)),
     "axis 0 of labels must have the size of axis 0 of logits"),
    ("tir.huber %0, %1 delta 0.5 : f32", "?", "?", ((2,), (1,)), "axis 0 of y must have the size of axis 0 of x"),
    ("tir.kl_div %0, %1", "?", "?", ((2,), (1,)), "axis 0 of p must have the size of axis 0 of log_q"),
    ("tir.rms_norm %0, %1 over [1] epsilon 0.5 : f32", "?x?", "?", ((2, 3), (1,)),
     "axis 0 of scale must have the size of axis 1 of x"),
    ("tir.layer_norm %0, %1, %1 over [1] epsilon 0.5 : f32", "?x?", "?", ((2, 3), (1,)),
     "axis 0 of scale must have the size of axis 1 of x"),
    ("tir.batch_norm_inference %0, %1, %1, %1, %1 axis 1 epsilon 0.5 : f32", "?x3", "?", ((2, 3), (1,)),
     "axis 0 of scale must have the size of axis 1 of x"),
]  # fmt: skip
RESULTS = {"tir.nll_loss": "?", "tir.softmax_cross_entropy": "?", "tir.batch_norm_inference": "?x3"}


def type_of(dims: str) -> str:
    return f"tensor<{dims}>" if dims.endswith("i32") else f"tensor<{dims}xf32>"


@pytest.mark.parametrize(("op", "first", "second", "sizes", "rule"), WRONG, ids=[row[0].split()[0] for row in WRONG])
def test_sizes_that_disagree_are_told_in_the_same_words(
    op: str, first: str, second: str, sizes: tuple[tuple[int, ...], ...], rule: str
) -> None:
    name = op.split()[0]
    result = type_of("?x?x?" if name == "tir.conv" else RESULTS.get(name, first))
    types = type_of(first), type_of(second)
    body = op if " -> " in op else f"{op} : {result}"
    text = f"func.func @f(%0: {types[0]}, %1: {types[1]}) -> {result} {{\n  %r = {body}\n  return %r : {result}\n}}\n"
    arrays = [np.ones(size, np.int32 if "i32" in type else np.float32) for size, type in zip(sizes, types)]
    for level, module in modules_at(text, ("tensor", "structured", "fused", "cpu")):
        with pytest.raises(ExecutionError) as caught:
            Executable(module, LEVELS[level][1]).call("f", arrays)
        said = str(caught.value)
        assert said.startswith(f"<text>:2:3: {name}: {rule}"), (level, said)
        if level in ("fused", "cpu"):
            assert re.fullmatch(r", got -?\d+( and -?\d+)?", said.partition(rule)[2]), (level, said)
