"""Composites that normalise: layer, root-mean-square and batch norm. They stay whole until after autodiff.

Mean and variance are taken in two passes, first the mean and then the squares of the deviations, so that a large mean
with a small variance loses no digits. The gradients are closed forms in the normalised elements; a formula that is
differentiated step by step would cube the reciprocal root, which overflows first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Composite, Place, check_axes, fail, merge_dims
from tir.dialects.tir.batch import batch_size, behind, in_front
from tir.dialects.tir.elements import FLOAT_TENSOR, is_number_of
from tir.dialects.tir.statistics import deviations
from tir.ir.define import attribute, operand, result
from tir.ir.ir import Op
from tir.ir.kinds import I64_ARRAY, I64_ATTR, NUMBER_ATTR
from tir.ir.slips import number_hint
from tir.ir.types import Dim, Type, dim_text
from tir.lazy import np

__all__ = ["OPS"]


class _Norm(Composite):
    """An op that divides deviations of `x` by a root to which `epsilon` is added, and may scale and shift them."""

    x: Any
    epsilon: Any

    def batch_of_x(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        """`of_batch` where x alone has the axis."""
        if any(batched[1:]):
            return None
        return in_front(b, self, operands, batch_size(b, operands, batched), axes=behind(self.axes))  # type: ignore[attr-defined]

    def check_epsilon(self) -> None:
        """VerifyError unless epsilon is a number of the element type of x, and not negative."""
        attr, element = self.properties["epsilon"], self.x.type.element
        if not is_number_of(attr, element):
            fail(self, f"epsilon must be of type {element}, got {attr}", number_hint(attr, element))
        if not 0 <= self.epsilon < math.inf:
            fail(self, f"epsilon must be 0 or a positive number, got {self.epsilon}")

    def check_parts(self, axes: Sequence[int], *names: str) -> None:
        """VerifyError unless these operands have the shape of x along the axes, and its element type."""
        want = tuple(self.x.type.shape[axis] for axis in axes)
        for name in names:
            type = self.type_of(name)
            merged = [merge_dims(a, b) for a, b in zip(want, type.shape)]
            if len(want) != type.rank or None in merged or type.element is not self.x.type.element:
                fail(self, f"{name} must have shape {_sizes(want)} and the element type of x, got {type}")


    def same_sizes_along(self, axes: Sequence[int]) -> list[tuple[Place, Place]]:
        """All operands but x have the shape of x along the axes."""
        return [((part, i), (self.x, axis)) for part in self.operands[1:] for i, axis in enumerate(axes)]


def _sizes(shape: Sequence[Dim]) -> str:
    return f"[{', '.join(map(dim_text, shape))}]"


def spread(x: Any, axes: Sequence[int], part: Any) -> Any:
    """A numpy array with these axes of x, in a shape that broadcasts to that of x."""
    return np.reshape(part, [size if axis in axes else 1 for axis, size in enumerate(x.shape)])


def moments(x: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """Mean and mean square deviation over the axes, kept with size 1, in numpy."""
    count = x.dtype.type(np.prod([x.shape[axis] for axis in axes], dtype=np.int64))
    mean = np.sum(x, axis=tuple(axes), keepdims=True, dtype=x.dtype) / count
    return mean, np.sum(np.square(x - mean), axis=tuple(axes), keepdims=True, dtype=x.dtype) / count


def others(op: Op, axes: Sequence[int]) -> list[int]:
    """The axes of x that are not among these."""
    return [axis for axis in range(op.x.type.rank) if axis not in axes]  # type: ignore[attr-defined]


def reciprocal_root(b: Any, mean_square: Any, epsilon: float) -> Any:
    """1 / sqrt(mean_square + epsilon)."""
    return 1 / b.sqrt(mean_square + epsilon)


def scale_of(b: Any, x: Any, axes: Sequence[int], epsilon: float) -> Any:
    """What the deviations of x are multiplied by, in the shape of x."""
    return b.repeat_along(reciprocal_root(b, b.var(x, axes), epsilon), axes, x)


def adjoint_of_x(b: Any, g: Any, normalised: Any, scale: Any, axes: Sequence[int], centred: bool = True) -> Any:
    """What `g` by the normalised elements says about x.

    scale (g - mean(g) - normalised mean(g normalised)), where the mean of g is 0 if x was not centred. Ioffe and Szegedy
    2015, section 3, with the sums put together.
    """
    along = b.repeat_along(b.mean(g * normalised, axes), axes, g)
    rest = g - b.repeat_along(b.mean(g, axes), axes, g) if centred else g
    return scale * (rest - normalised * along)


class Normalize(_Norm):
    """(x - mean) / sqrt(var + epsilon) over `axes`: mean 0 and variance 1, but for epsilon.

    `tir.normalize %x over [1] epsilon 1.0e-05 : f32 : tensor<4x8xf32>`. Equal elements give 0 if epsilon is not 0, else
    nan. A mean or square that overflows gives nan or 0. Gradient: (g - mean(g) - y mean(g y)) / sqrt(var + epsilon).
    """

    batch_axes = ("axes",)

    name = "tir.normalize"
    x = operand(FLOAT_TENSOR)
    axes = attribute(I64_ARRAY)
    epsilon = attribute(NUMBER_ATTR)
    result = result(FLOAT_TENSOR)
    format = "$x `over` $axes `epsilon` $epsilon attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        check_axes(self, self.axes, self.x.type.rank)
        self.check_epsilon()
        return [self.x.type]

    def reference(self, x: Any) -> Any:
        mean, variance = moments(x, self.axes)
        return (x - mean) / np.sqrt(variance + x.dtype.type(self.epsilon))

    def decompose(self, b: Any, x: Any) -> Any:
        return deviations(b, x, self.axes) * scale_of(b, x, self.axes, self.epsilon)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        scale = scale_of(b, x, self.axes, self.epsilon)
        return [adjoint_of_x(b, g, b.tensor(self.result), scale, self.axes)]


class LayerNorm(_Norm):
    """tir.normalize over `axes`, times `scale` and plus `offset`, which have the shape of x along these axes.

    `tir.layer_norm %x, %scale, %offset over [1] epsilon 1.0e-05 : f32 : tensor<4x8xf32>`. Gradient of x: that of
    tir.normalize with g scale; of scale: g times the normalised x, of offset: g, summed over the other axes.
    """

    name = "tir.layer_norm"
    x = operand(FLOAT_TENSOR)
    scale = operand(FLOAT_TENSOR)
    offset = operand(FLOAT_TENSOR)
    axes = attribute(I64_ARRAY)
    epsilon = attribute(NUMBER_ATTR)
    result = result(FLOAT_TENSOR)
    format = "$x `,` $scale `,` $offset `over` $axes `epsilon` $epsilon attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        return self.batch_of_x(b, operands, batched)

    def infer(self) -> Sequence[Type]:
        check_axes(self, self.axes, self.x.type.rank)
        self.check_epsilon()
        self.check_parts(self.axes, "scale", "offset")
        return [self.x.type]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return self.same_sizes_along(self.axes)

    def reference(self, x: Any, scale: Any, offset: Any) -> Any:
        mean, variance = moments(x, self.axes)
        normal = (x - mean) / np.sqrt(variance + x.dtype.type(self.epsilon))
        return normal * spread(x, self.axes, scale) + spread(x, self.axes, offset)

    def decompose(self, b: Any, x: Any, scale: Any, offset: Any) -> Any:
        rest, normal = others(self, self.axes), b.normalize(x, self.axes, self.epsilon)
        return normal * b.repeat_along(scale, rest, x) + b.repeat_along(offset, rest, x)

    def grad(self, b: Any, g: Any, x: Any, scale: Any, offset: Any) -> list[Any]:
        rest, normal = others(self, self.axes), b.normalize(x, self.axes, self.epsilon)
        inner = g * b.repeat_along(scale, rest, x)
        by_x = adjoint_of_x(b, inner, normal, scale_of(b, x, self.axes, self.epsilon), self.axes)
        return [by_x, b.sum(g * normal, rest), b.sum(g, rest)]


class RmsNorm(_Norm):
    """x / sqrt(mean(x^2) + epsilon) over `axes`, times `scale`, which has the shape of x along these axes.

    `tir.rms_norm %x, %scale over [1] epsilon 1.0e-05 : f32 : tensor<4x8xf32>`. A square that overflows gives 0. Gradient
    of x: (h - y mean(h y)) / sqrt(mean(x^2) + epsilon) with h = g scale and y without scale; of scale: g y, summed over
    the other axes.
    """

    name = "tir.rms_norm"
    x = operand(FLOAT_TENSOR)
    scale = operand(FLOAT_TENSOR)
    axes = attribute(I64_ARRAY)
    epsilon = attribute(NUMBER_ATTR)
    result = result(FLOAT_TENSOR)
    format = "$x `,` $scale `over` $axes `epsilon` $epsilon attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        return self.batch_of_x(b, operands, batched)

    def infer(self) -> Sequence[Type]:
        check_axes(self, self.axes, self.x.type.rank)
        self.check_epsilon()
        self.check_parts(self.axes, "scale")
        return [self.x.type]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return self.same_sizes_along(self.axes)

    def reference(self, x: Any, scale: Any) -> Any:
        count = x.dtype.type(np.prod([x.shape[axis] for axis in self.axes], dtype=np.int64))
        square = np.sum(np.square(x), axis=tuple(self.axes), keepdims=True, dtype=x.dtype) / count
        return x / np.sqrt(square + x.dtype.type(self.epsilon)) * spread(x, self.axes, scale)

    def decompose(self, b: Any, x: Any, scale: Any) -> Any:
        return x * self._factor(b, x) * b.repeat_along(scale, others(self, self.axes), x)

    def _factor(self, b: Any, x: Any) -> Any:
        return b.repeat_along(reciprocal_root(b, b.mean(b.square(x), self.axes), self.epsilon), self.axes, x)

    def grad(self, b: Any, g: Any, x: Any, scale: Any) -> list[Any]:
        rest, factor = others(self, self.axes), self._factor(b, x)
        normal, inner = x * factor, g * b.repeat_along(scale, rest, x)
        by_x = adjoint_of_x(b, inner, normal, factor, self.axes, centred=False)
        return [by_x, b.sum(g * normal, rest)]


class BatchNorm(_Norm):
    """tir.normalize over all axes but `axis`, times `scale` and plus `offset`; also the mean and the variance.

    `%y, %mean, %variance = tir.batch_norm %x, %scale, %offset axis 1 epsilon 1.0e-05 : f32 : tensor<4x3xf32>, tensor<3xf32>,
    tensor<3xf32>`. All but x have the size of that axis. The variance divides by the number of elements. Gradient: as
    that of tir.layer_norm, and of mean and variance theirs.
    """

    name = "tir.batch_norm"
    x = operand(FLOAT_TENSOR)
    scale = operand(FLOAT_TENSOR)
    offset = operand(FLOAT_TENSOR)
    axis = attribute(I64_ATTR)
    epsilon = attribute(NUMBER_ATTR)
    y = result(FLOAT_TENSOR)
    mean = result(FLOAT_TENSOR)
    variance = result(FLOAT_TENSOR)
    format = (
        "$x `,` $scale `,` $offset `axis` $axis `epsilon` $epsilon attr-dict "
        "`:` type($y) `,` type($mean) `,` type($variance)"
    )

    def infer(self) -> Sequence[Type]:
        check_axes(self, [self.axis], self.x.type.rank, "axis")
        self.check_epsilon()
        self.check_parts([self.axis], "scale", "offset")
        part = self.x.type.with_shape((self.x.type.shape[self.axis],))
        return [self.x.type, part, part]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return self.same_sizes_along([self.axis])

    def reference(self, x: Any, scale: Any, offset: Any) -> Any:
        mean, variance = moments(x, others(self, [self.axis]))
        normal = (x - mean) / np.sqrt(variance + x.dtype.type(self.epsilon))
        y = normal * spread(x, [self.axis], scale) + spread(x, [self.axis], offset)
        return y, mean.reshape(-1), variance.reshape(-1)

    def decompose(self, b: Any, x: Any, scale: Any, offset: Any) -> Any:
        rest = others(self, [self.axis])
        normal = b.normalize(x, rest, self.epsilon)
        y = normal * b.repeat_along(scale, rest, x) + b.repeat_along(offset, rest, x)
        return [y, b.mean(x, rest), b.var(x, rest)]

    def grad(self, b: Any, gs: Any, x: Any, scale: Any, offset: Any) -> list[Any]:
        rest, (g, by_mean, by_variance) = others(self, [self.axis]), gs
        found: list[Any] = [None, None, None]
        if g is not None:
            normal, inner = b.normalize(x, rest, self.epsilon), g * b.repeat_along(scale, rest, x)
            by_x = adjoint_of_x(b, inner, normal, scale_of(b, x, rest, self.epsilon), rest)
            found = [by_x, b.sum(g * normal, rest), b.sum(g, rest)]
        count = b.count(x, rest)
        more = [] if by_mean is None else [b.repeat_along(by_mean / count, rest, x)]
        if by_variance is not None:
            more.append(b.repeat_along(by_variance * 2 / count, rest, x) * deviations(b, x, rest))
        for part in more:
            found[0] = part if found[0] is None else found[0] + part
        return found


class BatchNormInference(_Norm):
    """(x - mean) / sqrt(variance + epsilon) * scale + offset along `axis`, with mean and variance from elsewhere.

    `tir.batch_norm_inference %x, %scale, %offset, %mean, %variance axis 1 epsilon 1.0e-05 : f32 : tensor<4x3xf32>`. All
    but x have the size of that axis. Gradient: by all five.
    """

    name = "tir.batch_norm_inference"
    x = operand(FLOAT_TENSOR)
    scale = operand(FLOAT_TENSOR)
    offset = operand(FLOAT_TENSOR)
    mean = operand(FLOAT_TENSOR)
    variance = operand(FLOAT_TENSOR)
    axis = attribute(I64_ATTR)
    epsilon = attribute(NUMBER_ATTR)
    result = result(FLOAT_TENSOR)
    format = (
        "$x `,` $scale `,` $offset `,` $mean `,` $variance `axis` $axis `epsilon` $epsilon attr-dict `:` type($result)"
    )

    def infer(self) -> Sequence[Type]:
        check_axes(self, [self.axis], self.x.type.rank, "axis")
        self.check_epsilon()
        self.check_parts([self.axis], "scale", "offset", "mean", "variance")
        return [self.x.type]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return self.same_sizes_along([self.axis])

    def reference(self, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        root = np.sqrt(variance + x.dtype.type(self.epsilon))
        normal = (x - spread(x, [self.axis], mean)) / spread(x, [self.axis], root)
        return normal * spread(x, [self.axis], scale) + spread(x, [self.axis], offset)

    def decompose(self, b: Any, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        rest = others(self, [self.axis])
        factor = reciprocal_root(b, variance, self.epsilon) * scale
        return (x - b.repeat_along(mean, rest, x)) * b.repeat_along(factor, rest, x) + b.repeat_along(offset, rest, x)

    def grad(self, b: Any, g: Any, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> list[Any]:
        rest = others(self, [self.axis])
        reciprocal = reciprocal_root(b, variance, self.epsilon)
        total = b.sum(g, rest)
        by_scale = b.sum(g * (x - b.repeat_along(mean, rest, x)), rest) * reciprocal
        by_variance = -0.5 * by_scale * scale * reciprocal * reciprocal
        by_x = g * b.repeat_along(scale * reciprocal, rest, x)
        return [by_x, by_scale, total, -(total * scale * reciprocal), by_variance]


#: The ops of the family, in the order of the documentation.
OPS = (Normalize, LayerNorm, RmsNorm, BatchNorm, BatchNormInference)
