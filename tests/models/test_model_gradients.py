"""The gradient of each model along a direction is the slope of its cost, in f64: what autodiff makes of whole programs.

The cost is a sum of all results that are floats, with weights of either sign; the slope is a central difference of the
cost itself, so that nothing of autodiff is in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.levels import module_at
from tests.models.test_models import MODELS, arguments, main_of, read
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.types import F64
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff

SEED = 3
STEP = 1e-6
#: Models without a gradient, and those that are not the same in f64.
LEFT_OUT = {
    "bf16_dense": "rounds to bf16",
    "mixed_precision_attention": "rounds to f16",
    "fast_inverse_sqrt": "reads the bits of a float",
    "bit_sets": "has no floats",
    "classifier_metrics": "counts what argmax finds",
    "cleaning": "divides by 0, and 0 times infinity is nan",
    "hash_bits": "has no floats",
    "histogram": "counts",
    "kmeans_step": "means of what argmax finds",
    "softmax_classifier": "counts what argmax finds",
    "voting": "counts what argmax finds",
}


def in_f64(name: str) -> str:
    """The text with f64 in the place of f32; the model is the same."""
    return read(name).replace("0xFF800000 : f32", "0xFFF0000000000000 : f64").replace("f32", "f64")


def with_gradients(module: Op) -> Op:
    """@main gives the cost and its gradients by all arguments that are floats, and no other results."""
    function = main_of(module)
    end = function.entry.last  # type: ignore[attr-defined]
    b = TensorBuilder.before(end)
    costs = [cost_of(b, Tensor(b, value)) for value in end.operands if value.type.element is F64]
    cost = costs[0]
    for other in costs[1:]:
        cost = cost + other
    wrt = [value for value in function.arguments if value.type.element is F64]  # type: ignore[attr-defined]
    results = [cost.value, *(g.value for g in b.grad(cost, [Tensor(b, value) for value in wrt]))]
    end.set_operands(results)
    types = [value.type for value in results]
    function.set_type(function.function_type.inputs, types, result_attributes=[{}] * len(types))  # type: ignore[attr-defined]
    return module


def cost_of(b: TensorBuilder, x: Tensor) -> Tensor:
    """The sum of the elements, with the cosines of their numbers as weights."""
    return b.sum(x * b.cos(b.cast(b.numbered(x), F64)))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in LEFT_OUT])
def test_gradient_is_the_slope_of_the_cost(name: str) -> None:
    module = with_gradients(parse_text(in_f64(name), REGISTRY))
    given = dict(arguments(main_of(module), name, SEED))
    program = Executable(module_at(print_op(module), [Autodiff()]), "interpret")
    floats = [label for label, array in given.items() if np.asarray(array).dtype == np.float64]
    random = np.random.default_rng(SEED)
    direction = {label: random.standard_normal(np.shape(given[label])) for label in floats}

    def at(step: float) -> Any:
        moved = {label: given[label] + step * direction[label] for label in floats}
        return program.call("main", given | moved)

    _, *gradients = at(0)
    got = sum(np.sum(g * direction[label]) for g, label in zip(gradients, floats, strict=True))
    terms = sum(np.sum(np.abs(g * direction[label])) for g, label in zip(gradients, floats))
    want = (float(at(STEP)[0]) - float(at(-STEP)[0])) / (2 * STEP)
    # A central difference in f64 has about 9 digits of the larger of slope and cost.
    assert got == pytest.approx(want, rel=1e-5, abs=1e-6 * (1 + terms))
