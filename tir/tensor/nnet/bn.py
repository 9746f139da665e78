"""Batch normalization: `T.nnet.bn.batch_normalization_train`.

Parameters have the axes of the inputs, size 1 along those that are normalized over, or do without these. axes:
"per-activation" (the first), "spatial" (all but the second), or numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.build.core import Tensor, told
from tir.graph import elementwise, reductions, shape
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.ir.errors import counted
from tir.ir.types import FloatType

__all__ = ["batch_normalization", "batch_normalization_test", "batch_normalization_train"]


@located
def batch_normalization(inputs: Any, gamma: Any, beta: Any, mean: Any, std: Any, mode: str = "low_mem") -> Tensor:
    """gamma (inputs - mean) / std + beta."""
    scaled = elementwise.mul(elementwise.sub(inputs, mean), elementwise.true_div(gamma, std))
    return elementwise.add(scaled, beta)


@located
def batch_normalization_train(
    inputs: Any, gamma: Any, beta: Any, axes: Any = "per-activation", epsilon: float = 1e-4,
    running_average_factor: float = 0.1, running_mean: Any = None, running_var: Any = None,
) -> list[Tensor]:  # fmt: skip
    """The normalized inputs, their mean, and 1 / sqrt(variance + epsilon); with running averages their next values too."""
    x, axes = _inputs(inputs, axes)
    scale, offset = (_parameter(x, one, axes) for one in (gamma, beta))
    mean, variance = reductions.mean(x, axes, keepdims=True), reductions.var(x, axes, keepdims=True)
    inverse = elementwise.inv(elementwise.sqrt(elementwise.add(variance, float(epsilon))))
    normal = elementwise.mul(elementwise.sub(x, mean), elementwise.mul(inverse, scale))
    found = [elementwise.add(normal, offset), mean, inverse]
    count = b.count(x, axes, x.type.element)
    unbiased = elementwise.mul(variance, elementwise.true_div(count, elementwise.sub(count, 1)))
    for running, new in ((running_mean, mean), (running_var, unbiased)):
        if running is not None:
            old = b.tensor(running)
            now = new if old.type.rank == x.type.rank else b.squeeze(new, axes)
            factor = float(running_average_factor)
            blend = elementwise.add(elementwise.mul(old, 1.0 - factor), elementwise.mul(now, factor))
            found.append(b.cast(blend, old.type.element))
    return found


@located
def batch_normalization_test(
    inputs: Any, gamma: Any, beta: Any, mean: Any, var: Any, axes: Any = "per-activation", epsilon: float = 1e-4
) -> Tensor:
    """The inputs, normalized by a mean and a variance that are given."""
    x, axes = _inputs(inputs, axes)
    given = (_parameter(x, one, axes) for one in (gamma, beta, mean, var))
    scale, offset, mean, var = given
    return batch_normalization(x, scale, offset, mean, elementwise.sqrt(elementwise.add(var, float(epsilon))))


def _inputs(inputs: Any, axes: Any) -> tuple[Tensor, list[int]]:
    """The inputs, and the axes that are normalized over."""
    x = b.tensor(inputs)
    if not isinstance(x.type.element, FloatType):
        raise GraphTypeError(f"the inputs must be floats, got {x.type}")
    if axes == "per-activation":
        return x, b.axes_of(x, [0])
    if axes == "spatial":
        return x, b.axes_of(x, [0, *range(2, x.type.rank)])
    if isinstance(axes, str) or axes is None:
        raise GraphValueError(f"axes must be per-activation, spatial or numbers, got {told(axes)}")
    return x, b.axes_of(x, axes)


def _parameter(x: Tensor, given: Any, axes: Sequence[int]) -> Tensor:
    """A parameter with the axes of the inputs, which stretches along those that are normalized over."""
    found = b.tensor(given)
    if found.type.rank == x.type.rank - len(axes):
        return b.expand_dims(found, axes)
    if found.type.rank == x.type.rank:
        return shape.addbroadcast(found, *axes)
    ranks = f"{x.type.rank} or {counted(x.type.rank - len(axes), 'axis', 'axes')}"
    raise GraphTypeError(f"a parameter for inputs of type {x.type} must have {ranks}, got {found.type}")
