"""Rules in Python about labels, axes of size 1 and powers and products of matrices: each fires on its programs, changes no result, and spares others."""

from __future__ import annotations

from collections.abc import Callable
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
from tir.ir.types import F64, I64, TensorType
from tir.ir.verify import verify
from tir.passes.cse import Cse
from tir.rewrites.families import rules_of

Build = Callable[[Any, Any, Any], Any]
RULES = {rule.name: rule for family in ("shapes", "unit_axes", "labels", "powers", "products") for rule in rules_of(family)}


def _column(b: Any, x: Any) -> Any:
    return b.expand_dims(x, [1])


def _written(b: Any, y: Any, u: Any) -> Any:
    return b.put_nd(b.full(0.0, [4, 3], F64), [b.iota([4], 0), y], u, "add")


def _log_p(b: Any, z: Any) -> Any:
    return b.log_softmax(z, [1])


#: Of z, 4x3 floats, and y, 4 labels: where each rule fires. The others do not count.
FIRES: list[tuple[str, Build]] = [
    ("log_of_moved_softmax", lambda b, z, y: b.log(b.softmax(z, [1])[b.iota([4], 0), y])),
    ("log_of_moved_softmax", lambda b, z, y: b.log(b.squeeze(b.take_along_axis(b.softmax(z, [1]), _column(b, y), 1), [1]))),
    ("log_of_moved_softmax", lambda b, z, y: b.log(b.transpose(b.softmax(z, [1])[:, 1:]))),
    ("position_below_zero", lambda b, z, y: b.iota([4], 0) < 0),
    ("cross_entropy_of_labels", lambda b, z, y: b.index_nd(_log_p(b, z), [b.iota([4], 0), y])),
    ("cross_entropy_of_labels", lambda b, z, y: b.take_along_axis(_log_p(b, z), _column(b, y), 1)),
    ("cross_entropy_by_nll_loss", lambda b, z, y: b.nll_loss(_log_p(b, z), y)),
    ("cross_entropy_by_nll_loss", lambda b, z, y: b.nll_loss(_log_p(b, z), y, weights=np.array([1.0, 0.5, 2.0]), ignore=1)),
    ("cross_entropy_of_all_rows", lambda b, z, y: b.sum(b.exp(z) * _log_p(b, z), [0, 1])),
    ("written_neg", lambda b, z, y: _written(b, y, -z[:, 0])),
    ("quotients_at_labels_times_softmax", lambda b, z, y: _quotients(b, z, y) * b.softmax(z, [1])),
    ("sum_with_quotients_at_labels", lambda b, z, y: (z - _quotients(b, z, y)) * b.softmax(z, [1])),
    ("sum_with_quotients_at_labels", lambda b, z, y: b.softmax(z, [1]) * (_quotients(b, z, y) + z)),
    ("sum_with_quotients_at_labels", lambda b, z, y: b.exp(z) * (_quotients(b, z, y) / _sums(b, z) + z)),
    ("reshape_that_adds_axes", lambda b, z, y: b.reshape(z, [4, 1, 3, 1])),
    ("reshape_of_unit_axes", lambda b, z, y: b.reshape(b.expand_dims(z, [1]), [3, 4])),
    ("reshape_of_unit_axes", lambda b, z, y: b.reshape(b.expand_dims(z, [0, 2]), [4, 3])),
    ("broadcast_of_broadcast", lambda b, z, y: b.broadcast_to(b.expand_dims(z, [1]), [4, 5, 3])),
    ("broadcast_of_constant", lambda b, z, y: b.broadcast(b.full(2.0, [3], F64), [1], [4, 3])),
    ("elementwise_of_unit_axes", lambda b, z, y: b.log(b.expand_dims(b.exp(z), [1]))),
    ("elementwise_of_unit_axes", lambda b, z, y: b.expand_dims(z, [1]) * b.expand_dims(b.exp(z), [1]) + 2),
    ("reduction_of_unit_axes", lambda b, z, y: b.sum(b.expand_dims(z, [0, 3]), [0, 1])),
    ("reduction_of_unit_axes", lambda b, z, y: b.max(b.expand_dims(z, [1]), [1])),
    ("product_as_dot", lambda b, z, y: b.einsum("ij,kj->ik", z, z)),
    ("product_as_dot", lambda b, z, y: b.einsum("ij,jk->ki", z, b.transpose(z))),
    ("product_as_dot", lambda b, z, y: b.einsum("bij,bjk->bik", b.expand_dims(z, [0]), b.reshape(z, [1, 3, 4]))),
    ("product_as_dot", lambda b, z, y: b.dot_general(z, z[0], ([1], [0]))),
    ("product_of_transpose", lambda b, z, y: b.dot(b.transpose(z), z)),
    ("product_of_transpose", lambda b, z, y: b.dot(z, b.transpose(z))),
    ("product_of_transpose", lambda b, z, y: b.dot(b.transpose(z), b.transpose(b.reshape(z, [3, 4])))),
    ("product_of_transpose", lambda b, z, y: b.dot(b.transpose(z), z[:, 1])),
    ("product_of_transpose", lambda b, z, y: b.dot_general(_blocks(b, z, [2, 0, 1]), z, ([0], [1]))),
    ("transpose_of_product", lambda b, z, y: b.transpose(b.dot(z, b.reshape(z, [3, 4])))),
    ("sum_of_products", lambda b, z, y: b.sum(b.expand_dims(z, [2]) * b.reshape(z, [1, 3, 4]), [1])),
    ("sum_of_products", lambda b, z, y: b.sum(z * z[0], [1])),
    ("sum_of_products", lambda b, z, y: b.sum(z[0] * z[1], [0])),
    ("sum_of_products", lambda b, z, y: b.sum(b.broadcast(z, [0, 1], [4, 3, 2]) * b.full(2.0, [4, 3, 2], F64), [1])),
    ("dot_of_one_row", lambda b, z, y: b.dot(z[:1], b.reshape(z, [3, 4]))),
    ("dot_of_one_row", lambda b, z, y: b.dot(z, b.reshape(z[0], [3, 1]))),
    ("dot_of_one_product", lambda b, z, y: b.dot(z[:, :1], z[:1])),
    ("product_of_one_batch", lambda b, z, y: b.dot_general(z[:, None], z[:2, None], ([2], [2]), ([1], [1]))),
    ("power_by_squaring", lambda b, z, y: z**12),
    ("power_by_squaring", lambda b, z, y: z**-7),
    ("power_by_squaring", lambda b, z, y: b.exp(z * 1e-3) ** 512),
    ("product_with_zero", lambda b, z, y: b.dot(b.full(0, [2, 4], I64), y)),
    ("product_of_floats_with_zero", lambda b, z, y: b.dot(b.full(0.0, [2, 4], F64), z)),
]


def _blocks(b: Any, z: Any, order: list[int]) -> Any:
    return b.transpose(b.reshape(z, [2, 2, 3]), order)


def _quotients(b: Any, z: Any, y: Any) -> Any:
    """What autodiff makes of log(softmax(z)[arange(n), y])."""
    p = b.softmax(z, [1])
    return _written(b, y, 0.5 / b.index_nd(p, [b.iota([4], 0), y]))


def _sums(b: Any, z: Any) -> Any:
    return b.repeat_along(b.sum(b.exp(z), [1]), [1], z)


SPARED: list[tuple[str, Build]] = [
    ("log_of_moved_softmax", lambda b, z, y: b.log(b.take(b.softmax(z, [1]), y, 0, mode="drop"))),  # log(0) is -inf
    ("cross_entropy_of_labels", lambda b, z, y: b.index_nd(_log_p(b, z), [b.iota([3], 0), y[:3]])),  # not all rows
    ("cross_entropy_of_labels", lambda b, z, y: b.index_nd(_log_p(b, z), [y, y])),
    ("cross_entropy_of_labels", lambda b, z, y: b.index_nd(b.log_softmax(z, [0]), [b.iota([4], 0), y])),
    ("cross_entropy_of_labels", lambda b, z, y: b.index_nd(_log_p(b, z), [b.iota([4], 0), y], mode="clamp")),
    ("cross_entropy_of_all_rows", lambda b, z, y: b.sum(b.exp(z) * b.log_softmax(z, [0]), [0, 1])),
    ("cross_entropy_of_all_rows", lambda b, z, y: b.sum(_log_p(b, z), [0, 1])),
    ("quotients_at_labels_times_softmax", lambda b, z, y: _quotients(b, z, y) * b.softmax(z, [0])),
    ("quotients_at_labels_times_softmax", lambda b, z, y: _quotients(b, z, 2 - y) * z),
    ("position_below_zero", lambda b, z, y: y < 0),
    ("written_neg", lambda b, z, y: b.put_nd(z, [b.iota([4], 0), y], -z[:, 0], "add")),
    ("reshape_that_adds_axes", lambda b, z, y: b.reshape(z, [3, 4])),
    ("broadcast_of_broadcast", lambda b, z, y: b.broadcast(b.expand_dims(z[:, :1], [1]), [0, 1, 2], [4, 5, 3])),  # one of z
    ("elementwise_of_unit_axes", lambda b, z, y: b.expand_dims(z[0], [1]) + b.reshape(z[1], [3, 1]) * z[:3, :1]),
    ("elementwise_of_unit_axes", lambda b, z, y: -b.expand_dims(z, [1])),
    ("reduction_of_unit_axes", lambda b, z, y: b.sum(b.expand_dims(z, [1]), [0])),
    ("product_as_dot", lambda b, z, y: b.einsum("ii->i", b.dot(z, b.transpose(z)))),
    ("product_as_dot", lambda b, z, y: b.einsum("ij,ij->ij", z, z)),
    ("product_as_dot", lambda b, z, y: b.einsum("ij,kl->ik", z, z)),  # sums along one operand
    ("product_of_transpose", lambda b, z, y: b.dot_general(_blocks(b, z, [1, 0, 2]), z, ([2], [1]))),  # turned free axes
    ("transpose_of_product", lambda b, z, y: _used_twice(b, b.dot(z, b.transpose(z)))),
    ("sum_of_products", lambda b, z, y: b.sum(z * z, [1])),  # a dot of each pair of rows
    ("sum_of_products", lambda b, z, y: b.sum(z * z[0], [0])),  # sums along one operand
    ("sum_of_products", lambda b, z, y: b.sum(z[0] * b.full(2.0, [5, 3], F64), [0, 1])),
    ("power_by_squaring", lambda b, z, y: b.exp(z) ** 2.5),
    ("power_by_squaring", lambda b, z, y: z**513),
    ("power_by_squaring", lambda b, z, y: y**3),
    ("power_by_squaring", lambda b, z, y: z ** b.full(float("nan"), [4, 3], F64)),
    ("product_with_zero", lambda b, z, y: b.dot(b.full(0.0, [2, 4], F64), z)),  # 0 times inf is nan
]


@pytest.mark.parametrize(("name", "build"), FIRES, ids=[f"{i}-{name}" for i, (name, _) in enumerate(FIRES)])
def test_rule_fires_and_changes_no_result(name: str, build: Build) -> None:
    program = _program(build)
    after, count = _rewritten(program, name)
    assert count > 0
    random = np.random.default_rng(0)
    for _ in range(3):
        z, y = random.normal(0, 2, (4, 3)), random.integers(0, 3, 4)
        before, now = (Interpreter(module).run("f", [z, y])[0] for module in (program, after))
        np.testing.assert_allclose(now, before, rtol=1e-13)  # a few roundings in f64


@pytest.mark.parametrize(("name", "build"), SPARED, ids=[f"{i}-{name}" for i, (name, _) in enumerate(SPARED)])
def test_rule_spares_what_is_something_else(name: str, build: Build) -> None:
    assert _rewritten(_program(build), name)[1] == 0


def test_each_rule_has_a_program() -> None:
    own = {rule.name for rule in rules_of("unit_axes", "labels", "powers", "products")}
    assert own <= {name for name, _ in FIRES}


def test_label_that_is_no_class_is_an_error_behind_the_rule_too() -> None:
    program = _program(lambda b, z, y: b.index_nd(_log_p(b, z), [b.iota([4], 0), y]))
    after, _ = _rewritten(program, "cross_entropy_of_labels")
    for module in (program, after):
        with pytest.raises(TirError, match="an index of axis 1 of x must be at least 0 and leave room"):
            Interpreter(module).run("f", [np.zeros((4, 3)), np.array([0, 1, 2, 3])])


def test_cross_entropy_of_labels_needs_rows_that_are_known_to_be_as_many() -> None:
    def build(b: Any, z: Any, y: Any) -> Any:
        return b.index_nd(_log_p(b, z), [b.iota(b.shape(y), 0), y])

    for sizes, fires in ((("B", "B"), True), (("B", "C"), False)):
        types = [TensorType((AffineName(sizes[0]), 3), F64), TensorType((AffineName(sizes[1]),), I64)]
        assert (_rewritten(_program(build, types), "cross_entropy_of_labels")[1] > 0) is fires


def _used_twice(b: Any, x: Any) -> Any:
    return b.transpose(x) + b.exp(x)


TYPES = [TensorType((4, 3), F64), TensorType((4,), I64)]


def _program(build: Build, types: list[TensorType] = TYPES) -> Op:
    function = Func.make("f", types, [])
    module = create(Module, regions=[Region([Block()])])
    module.body.append(function)
    b = TensorBuilder(function.entry, None, function.location)
    made = build(b, *(b.tensor(argument) for argument in function.arguments))
    b.op(Return, [made.value])
    function.set_type(types, [made.type])
    Cse().run(module)  # rules that have a value twice see one
    verify(module)
    return module


def _rewritten(program: Op, name: str) -> tuple[Op, int]:
    module = program.clone()
    rewriter = Rewriter([RULES[name]], builder=TensorBuilder, fp_mode="fast", limit=50)
    rewriter.run(module)
    verify(module)
    return module, rewriter.counts[name]
