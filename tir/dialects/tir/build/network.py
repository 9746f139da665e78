"""Builder methods for what networks are made of: windows, pooling, convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir import conv, pooling, reduce, window
from tir.dialects.tir.build.core import Extent, Tensor, TensorLike
from tir.dialects.tir.build.products import ProductBuilder
from tir.dialects.tir.window import WindowAxis
from tir.ir.errors import TirError
from tir.ir.ir import Op

__all__ = ["NetworkBuilder"]

Numbers = Sequence[int] | None


class NetworkBuilder(ProductBuilder):
    """Windows, pooling and convolution; lists have a number for each windowed axis, None stands for the default."""

    def sum_in_type(self, x: TensorLike, axes: Sequence[int]) -> Tensor:
        """The sum over the axes in the element type of x, integers too."""
        return self._reduce(reduce.Sum, self.tensor(x), axes, keepdims=False)

    # --- windows -----------------------------------------------------------------------------------------------------

    def windows(self, x: TensorLike, axes: Sequence[WindowAxis], value: int | float | bool = 0) -> Tensor:
        """The windows of the last axes: their positions, then the places of the window."""
        x = self.tensor(x)
        padding = None if value == 0 else self.number(value, x.type.element)
        return self.make(window.Windows, x, value=padding, **_window_facts(axes, with_bases=True))

    def overlap_add(self, x: TensorLike, shape: Sequence[Extent], axes: Sequence[WindowAxis]) -> Tensor:
        """The sum of overlapping windows, in this shape."""
        x = self.tensor(x)
        facts = _window_facts(axes, with_bases=True)
        return self._sized(window.OverlapAdd, x, shape=shape, element=x.type.element, **facts)

    def max_pool(
        self, x: TensorLike, window_sizes: Sequence[int], strides: Numbers = None, low: Numbers = None,
        high: Numbers = None, dilations: Numbers = None, ceil_mode: bool = False, ties: str = "first",
    ) -> Tensor:  # fmt: skip
        """The largest in each window of the last axes; strides are the window's sizes by default, high is low."""
        axes = _window_axes(window_sizes, strides or window_sizes, dilations, low, high, ceil_mode)
        return self.make(pooling.MaxPool, self.tensor(x), ties=None if ties == "first" else ties, **_window_facts(axes))

    def max_pool_grad(self, x: TensorLike, g: TensorLike, axes: Sequence[WindowAxis], ties: str = "first") -> Tensor:
        """What each place of x gets of g, the gradient by the pool's result."""
        given = None if ties == "first" else ties
        return self.make(pooling.MaxPoolGrad, self.tensor(x), self.tensor(g), ties=given, **_window_facts(axes))

    def avg_pool(
        self, x: TensorLike, window_sizes: Sequence[int], strides: Numbers = None, low: Numbers = None,
        high: Numbers = None, dilations: Numbers = None, ceil_mode: bool = False, divisor: str = "padded",
    ) -> Tensor:  # fmt: skip
        """The mean of each window of the last axes; divisor: padded, valid or one (the sum)."""
        axes = _window_axes(window_sizes, strides or window_sizes, dilations, low, high, ceil_mode)
        given = None if divisor == "padded" else divisor
        return self.make(pooling.AvgPool, self.tensor(x), divisor=given, **_window_facts(axes))

    # --- convolution -------------------------------------------------------------------------------------------------

    def conv(
        self, x: TensorLike, w: TensorLike, strides: Numbers = None, low: Numbers = None, high: Numbers = None,
        x_dilations: Numbers = None, w_dilations: Numbers = None, groups: int = 1, flip: bool = False,
        layout: str | None = None,
    ) -> Tensor:  # fmt: skip
        """x convolved with w: see `tir.conv`. high is low by default."""
        (x, w), _ = self._promote(self.tensor(x), self.tensor(w))
        facts = {"strides": strides, "low": low, "high": low if high is None else high, "x_dilations": x_dilations}
        return self.make(conv.Conv, x, w, w_dilations=w_dilations, layout=layout, **facts, **_switches(groups, flip))

    def conv_grad_input(self, w: TensorLike, g: TensorLike, shape: Sequence[Extent], **facts: Any) -> Tensor:
        """The gradient of a convolution by its input, of this shape; facts: its attributes."""
        g = self.tensor(g)
        return self._sized(conv.ConvGradInput, self.tensor(w), g, shape=shape, element=g.type.element, **facts)

    def conv_grad_weight(self, x: TensorLike, g: TensorLike, shape: Sequence[Extent], **facts: Any) -> Tensor:
        """The gradient of a convolution by its weights, of this shape; facts: its attributes."""
        g = self.tensor(g)
        return self._sized(conv.ConvGradWeight, self.tensor(x), g, shape=shape, element=g.type.element, **facts)

    def conv_with(self, op: Op, x: TensorLike, w: TensorLike) -> Tensor:
        """The convolution whose attributes are those of a convolution or of one of its gradients."""
        return self.make(conv.Conv, self.tensor(x), self.tensor(w), **conv.facts_of(op))


def _switches(groups: int, flip: bool) -> dict[str, Any]:
    return {"groups": None if groups == 1 else groups, "flip": flip or None}


def _window_axes(
    sizes: Sequence[int], strides: Numbers, dilations: Numbers, low: Numbers, high: Numbers, ceil_mode: bool
) -> list[WindowAxis]:
    ones, zeros = (1,) * len(sizes), (0,) * len(sizes)
    low = low or zeros
    lists = {"strides": strides or ones, "dilations": dilations or ones, "low": low, "high": low if high is None else high}
    for name, numbers in lists.items():
        if len(numbers) != len(sizes):
            raise TirError(f"{name} must have a number for each size of the window {list(sizes)}, got {list(numbers)}")
    rows = zip(sizes, *lists.values())
    return [WindowAxis(n, stride, dilation, 1, first, last, ceil_mode) for n, stride, dilation, first, last in rows]


def _window_facts(axes: Sequence[WindowAxis], with_bases: bool = False) -> dict[str, Any]:
    """The attributes that say this; those of default value are left out."""
    lists = {
        "strides": [axis.stride for axis in axes],
        "dilations": [axis.dilation for axis in axes],
        "low": [axis.low for axis in axes],
        "high": [axis.high for axis in axes],
    }
    if with_bases:
        lists["base_dilations"] = [axis.base_dilation for axis in axes]
    usual = {name: 0 if name in ("low", "high") else 1 for name in lists}
    facts: dict[str, Any] = {
        name: numbers if any(number != usual[name] for number in numbers) else None for name, numbers in lists.items()
    }
    ceil_mode = any(axis.ceil_mode for axis in axes) or None
    return {"window": [axis.size for axis in axes], "ceil_mode": ceil_mode, **facts}
