"""Convolution over any number of axes, and its two gradients, as products of windows.

All three have the same attributes, and mean the same by them: what a convolution makes of x and w, and how a change of
its result comes back to x or to w. Each is linear in each operand, so that each is what the others have as gradients.
They become one product for each image and group (im2col): weights [outputs, K] times windows [K, positions], where K
stands for inputs and window together.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.tir.base import Composite, Shaped, Sized, TensorOp, check_moderate, fail, merge_dims, merge_shapes
from tir.dialects.tir.elements import FLOAT_TENSOR
from tir.dialects.tir.reduce import contracted
from tir.dialects.tir.window import WindowAxis, fitting, folded, padded, position_dim, unfolded
from tir.ir.affine import AffineExpr, affine
from tir.ir.define import attribute, operand, result
from tir.ir.ir import Op
from tir.ir.kinds import I64_ARRAY, I64_ATTR, INDEX_KIND, STRING, UNIT
from tir.ir.size_rules import SizeRule
from tir.ir.types import DYNAMIC, Dim, TensorType, dim_text
from tir.lazy import np

__all__ = ["OPS", "facts_of"]

FACTS = ("strides", "low", "high", "x_dilations", "w_dilations", "groups", "flip", "layout")
CONV_FORMAT = (
    "(`strides` $strides^)? (`low` $low^)? (`high` $high^)? (`x_dilations` $x_dilations^)? "
    "(`w_dilations` $w_dilations^)? (`groups` $groups^)? (`flip` $flip^)? (`layout` $layout^)?"
)
_LAYOUT = re.compile(r"([bf0-9]+)_([oi0-9]+)->([bf0-9]+)")
_LETTERS = [letter for letter in string.ascii_letters if letter not in "bgo"]


#: How many positions a window has on an axis of some size.
Positions = Callable[[WindowAxis, Any], Any]


@dataclass(frozen=True)
class Layout:
    """Where the axes stand: batch and features (w: outputs and inputs), then the spatial ones."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    out: tuple[int, ...]

    @classmethod
    def parse(cls, text: str, spatial: int) -> Layout | None:
        """The layout that a text such as "b01f_01io->b01f" says; None if it says none."""
        match = _LAYOUT.fullmatch(text)
        digits = "".join(map(str, range(spatial)))
        orders = (f"bf{digits}", f"oi{digits}", f"bf{digits}")
        if match is None or any(sorted(part) != sorted(order) for part, order in zip(match.groups(), orders)):
            return None
        return cls(*(tuple(map(part.index, order)) for part, order in zip(match.groups(), orders)))

    @classmethod
    def usual(cls, spatial: int) -> str:
        """The layout where nothing else is said."""
        digits = "".join(map(str, range(spatial)))
        return f"bf{digits}_oi{digits}->bf{digits}"


def undone(order: Sequence[int]) -> list[int]:
    """The permutation that undoes this one."""
    return [order.index(axis) for axis in range(len(order))]


class _Convolution(TensorOp):
    """What a convolution and its gradients have in common."""

    strides = attribute(I64_ARRAY, optional=True)
    low = attribute(I64_ARRAY, optional=True)
    high = attribute(I64_ARRAY, optional=True)
    x_dilations = attribute(I64_ARRAY, optional=True)
    w_dilations = attribute(I64_ARRAY, optional=True)
    groups = attribute(I64_ATTR, optional=True)
    flip = attribute(UNIT, optional=True)
    layout = attribute(STRING, optional=True)

    def operand_types(self) -> tuple[TensorType, TensorType]:
        """The types of x and w of the convolution."""
        raise AssertionError(f"{self.name} has no types")

    @property
    def spatial(self) -> int:
        """How many axes the window slides over."""
        return self.operand_types()[0].rank - 2

    @property
    def parts(self) -> int:
        """How many groups there are."""
        return 1 if self.groups is None else self.groups

    @property
    def order(self) -> Layout:
        """Where the axes stand."""
        found = Layout.parse(self.layout or Layout.usual(self.spatial), self.spatial)
        assert found is not None, self.layout
        return found

    def axes(self) -> list[WindowAxis]:
        """How the window of w slides over each spatial axis of x."""
        n, w = self.spatial, self.operand_types()[1]
        ones, zeros = (1,) * n, (0,) * n
        sizes = [w.shape[axis] for axis in self.order.w[2:]]
        dilations = (self.w_dilations or ones, self.x_dilations or ones)
        lists = zip(sizes, self.strides or ones, *dilations, self.low or zeros, self.high or zeros)
        return [WindowAxis(*facts) for facts in lists]

    # --- checks ------------------------------------------------------------------------------------------------------

    def check_convolution(self) -> None:
        """VerifyError unless the types and attributes fit together."""
        x, w = self.operand_types()
        if x.rank < 3 or x.rank != w.rank:
            fail(self, f"x and w must have one rank, of 3 or more, got {x} and {w}")
        if x.element is not w.element:
            fail(self, f"element types must be equal, got {x} and {w}; tir.cast converts")
        for name in ("strides", "x_dilations", "w_dilations", "low", "high"):
            numbers = getattr(self, name)
            if numbers is not None and len(numbers) != self.spatial:
                fail(self, f"{name} must have a number for each of the {self.spatial} spatial axes, got {list(numbers)}")
            if numbers is not None and name not in ("low", "high") and min(numbers) < 1:
                fail(self, f"{name} must be at least 1, got {list(numbers)}")
            check_moderate(self, name, numbers or ())
        if self.layout is not None and Layout.parse(self.layout, self.spatial) is None:
            usual = Layout.usual(self.spatial)
            fail(self, f'layout must name each axis once, as "{usual}" does, got "{self.layout}"')
        for axis in self.order.w[2:]:
            if not isinstance(w.shape[axis], int) or w.shape[axis] == 0:
                fail(self, f"the window must have known sizes from 1 on, got {dim_text(w.shape[axis])} (w axis {axis})")
        self._check_features(x, w)

    def _check_features(self, x: TensorType, w: TensorType) -> None:
        parts, (f, i, o) = self.parts, (self.order.x[1], self.order.w[1], self.order.w[0])
        features, inputs, outputs = x.shape[f], w.shape[i], w.shape[o]
        if parts < 1:
            fail(self, f"groups must be at least 1, got {parts}")
        each: Dim = inputs * parts if isinstance(inputs, (int, AffineExpr)) else DYNAMIC
        if merge_dims(features, each) is None:
            got = f"{dim_text(features)} (x axis {f}), {dim_text(inputs)} (w axis {i}) and {parts}"
            fail(self, f"the features of x must be the inputs of w times the groups, got {got}")
        if parts > 1 and not (isinstance(inputs, int) and isinstance(outputs, int)):
            fail(self, f"groups need known numbers of inputs and outputs, got {w}")
        if isinstance(outputs, int) and outputs % parts != 0:
            fail(self, f"the outputs must be a multiple of the groups, got {outputs} (w axis {o}) and {parts} groups")

    def check_gradient(self, g: TensorType) -> None:
        """VerifyError unless g has the type of the convolution's result."""
        x, w = self.operand_types()
        if g.element is not x.element:
            fail(self, f"element types must be equal, got {x}, {w} and {g}")
        merge_shapes(self, ("g", g), ("the convolution", x.with_shape(self.convolved_dims())))

    def fits(self, x: Sequence[AffineExpr], w: Sequence[AffineExpr]) -> list[SizeRule]:
        """What must hold of the sizes of x and w."""
        features, inputs = x[self.order.x[1]], w[self.order.w[1]] * self.parts
        same = SizeRule(features, "eq", inputs, "the features of x must be the inputs of w times the groups")
        return [same, *fitting(self.axes(), self.order.x[2:], x)]

    def fits_gradient(
        self, x: Sequence[AffineExpr], w: Sequence[AffineExpr], g: Sequence[AffineExpr]
    ) -> list[SizeRule]:
        """The same, and that g has the sizes of the convolution."""
        same = [
            SizeRule(size, "eq", want, f"axis {axis} of g must have the size that the convolution has")
            for axis, (size, want) in enumerate(zip(g, self.convolved(x, w)))
        ]
        return [*self.fits(x, w), *same]

    def convolved(self, x: Sequence[Any], w: Sequence[Any], positions: Positions = WindowAxis.positions) -> list[Any]:
        """The sizes of the result of the convolution, from those of x and w."""
        order = self.order
        spatial = [positions(axis, x[place]) for axis, place in zip(self.axes(), order.x[2:])]
        sizes = [x[order.x[0]], w[order.w[0]], *spatial]
        return [sizes[axis] for axis in undone(order.out)]

    def convolved_dims(self) -> list[Dim]:
        """The same as dimensions of a type."""
        x, w = self.operand_types()
        return self.convolved(x.shape, w.shape, position_dim)

    # --- in numpy ----------------------------------------------------------------------------------------------------

    def numpy_windows(self, x: Any) -> Any:
        """x as [batch, group, inputs, positions .., window ..]."""
        return unfolded(self._numpy_grouped(np.transpose(x, self.order.x), 1), self.axes(), 0)

    def numpy_weights(self, w: Any) -> Any:
        """w as [group, outputs, inputs, window ..], to be multiplied with windows."""
        w = np.transpose(w, self.order.w)
        return self._numpy_grouped(np.flip(w, tuple(range(2, w.ndim))) if self.flip else w, 0)

    def numpy_gradient(self, g: Any) -> Any:
        """g, the gradient by the result, as [batch, group, outputs, positions ..]."""
        return self._numpy_grouped(np.transpose(g, self.order.out), 1)

    def _numpy_grouped(self, x: Any, axis: int) -> Any:
        return x.reshape(*x.shape[:axis], self.parts, x.shape[axis] // self.parts, *x.shape[axis + 1 :])

    def numpy_sum(self, spec: str, *arrays: Any) -> Any:
        """The sum of products, in f32 or f64; in `spec`, K stands for the axes of the window and P for the positions."""
        n = self.spatial
        window, positions = "".join(_LETTERS[1 : n + 1]), "".join(_LETTERS[n + 1 : 2 * n + 1])
        spec = spec.replace("c", _LETTERS[0]).replace("K", window).replace("P", positions)
        wide = np.promote_types(arrays[0].dtype, np.float32)
        return contracted(spec, *arrays, dtype=wide)

    # --- in other ops ------------------------------------------------------------------------------------------------

    def letters(self) -> dict[str, str]:
        """The letters of an einsum for inputs and window (K) and for the positions (P): one where all sizes are known."""
        n, w = self.spatial, self.operand_types()[1]
        dims = self.convolved_dims()
        positions_known = all(isinstance(dims[axis], int) for axis in self.order.out[2:])
        k = 1 if isinstance(w.shape[self.order.w[1]], int) else 1 + n
        return {"K": "".join(_LETTERS[:k]), "P": "".join(_LETTERS[k : k + (1 if positions_known else n)])}

    def product(self, b: Any, spec: str, *xs: Any) -> Any:
        """The sum of products; in `spec`, K stands for inputs and window and P for the positions."""
        for name, letters in self.letters().items():
            spec = spec.replace(name, letters)
        return b.einsum(spec, *xs)

    def flat(self, b: Any, x: Any, first: int, count: int, name: str) -> Any:
        """x with `count` axes merged, if `letters` has one letter for them."""
        shape = b.shape(x)
        if len(self.letters()[name]) == count:
            return x
        merged = int(np.prod(shape[first : first + count], dtype=np.int64))
        return b.reshape(x, [*shape[:first], merged, *shape[first + count :]])

    def apart(self, b: Any, x: Any, axis: int, sizes: Sequence[Any], name: str) -> Any:
        """Undoes `flat`."""
        shape = b.shape(x)
        if len(self.letters()[name]) == len(sizes):
            return x
        return b.reshape(x, [*shape[:axis], *sizes, *shape[axis + 1 :]])

    def grouped(self, b: Any, x: Any, axis: int) -> Any:
        """x with `axis` split into groups and what is in each."""
        shape = list(b.shape(x))
        if self.parts == 1:
            return b.broadcast(x, [i for i in range(len(shape) + 1) if i != axis], [*shape[:axis], 1, *shape[axis:]])
        return b.reshape(x, [*shape[:axis], self.parts, shape[axis] // self.parts, *shape[axis + 1 :]])

    def merged(self, b: Any, x: Any, axis: int) -> Any:
        """Undoes `grouped`."""
        shape = list(b.shape(x))
        size = shape[axis + 1] if self.parts == 1 else self.parts * shape[axis + 1]
        return b.reshape(x, [*shape[:axis], size, *shape[axis + 2 :]])

    def weights(self, b: Any, w: Any) -> Any:
        """w as [group, outputs, K]."""
        w = b.transpose(w, self.order.w)
        w = self.grouped(b, b.reverse(w, range(2, w.type.rank)) if self.flip else w, 0)
        return self.flat(b, w, 2, 1 + self.spatial, "K")

    def columns(self, b: Any, x: Any) -> Any:
        """The windows of x as [batch, group, K, P]."""
        axes, n = self.axes(), self.spatial
        x = b.transpose(x, self.order.x)
        features = b.shape(x)[1]
        inputs = self.operand_types()[1].shape[self.order.w[1]]
        if isinstance(inputs, int) and not isinstance(features, int):
            x = _with_size(b, x, 1, inputs * self.parts)
        x, axes = padded(b, x, axes)
        windows = b.windows(self.grouped(b, x, 1), axes)
        windows = b.transpose(windows, [0, 1, 2, *range(3 + n, 3 + 2 * n), *range(3, 3 + n)])
        return self.flat(b, self.flat(b, windows, 3 + n, n, "P"), 2, 1 + n, "K")

    def gradient(self, b: Any, g: Any) -> Any:
        """g, the gradient by the result, as [batch, group, outputs, P]."""
        for axis, dim in enumerate(self.convolved_dims()):
            if isinstance(dim, int) and not isinstance(b.shape(g)[axis], int):
                g = _with_size(b, g, axis, dim)
        g = self.grouped(b, b.transpose(g, self.order.out), 1)
        return self.flat(b, g, 3, self.spatial, "P")


def _with_size(b: Any, x: Any, axis: int, size: int) -> Any:
    """x, of which one axis is known to have this size."""
    shape = list(b.shape(x))
    shape[axis] = size
    return b.reshape(x, shape)


def facts_of(op: Op) -> dict[str, Any]:
    """The attributes that say how an op convolves."""
    return {name: getattr(op, name) for name in FACTS}


class Conv(_Convolution, Shaped, Composite):
    """x convolved with the weights w over one or more spatial axes; as networks have it, a correlation.

    x: tensor<batch x features x spatial..>; w: tensor<outputs x inputs x window..>, features = inputs * groups; result:
    tensor<batch x outputs x positions..>. `layout` puts the axes elsewhere: "b01f_01io->b01f" names those of x, of w
    and of the result, the spatial ones by their numbers. Group i of the features gives group i of the outputs.

    Position o of a window of size k covers o * stride + i * w_dilation - low, for i from 0 to k - 1, of x with
    x_dilation - 1 zeros between each two elements, `low` zeros in front and `high` behind (below 0 they cut off). Each
    is a list with a number for each spatial axis. With zeros between its elements a named size gives `?` positions: an
    axis without elements has none of them. `flip` turns the window round, which makes it a convolution in the sense of
    mathematics (Theano's filter_flip). Gradients: `tir.conv_grad_input` and `tir.conv_grad_weight`.
    """

    name = "tir.conv"
    x = operand(FLOAT_TENSOR)
    w = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = f"$x `,` $w {CONV_FORMAT} attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        x, w = operands
        layout = self.order
        if batched[1]:
            return None
        at, out = layout.x[0], layout.out[0]  # the batch of the op, beside which another stands
        sizes = b.shape(x)
        if not all(isinstance(size, int) for size in (sizes[0], sizes[at + 1])):
            return None
        wide = b.transpose(x, [*range(1, at + 1), 0, *range(at + 1, x.type.rank)])
        shape = list(b.shape(wide))
        shape[at : at + 2] = [sizes[0] * sizes[at + 1]]
        found = b.conv_with(self, b.reshape(wide, shape), w)
        apart = list(b.shape(found))
        apart[out : out + 1] = [sizes[0], sizes[at + 1]]
        found = b.reshape(found, apart)
        return [b.transpose(found, [out, *range(out), *range(out + 1, found.type.rank)])]

    def operand_types(self) -> tuple[TensorType, TensorType]:
        return self.x.type, self.w.type

    def check_operands(self) -> None:
        self.check_convolution()

    def result_shape(self, x: Sequence[AffineExpr], w: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return self.convolved(x, w)

    def result_dims(self) -> Sequence[Dim]:
        return self.convolved_dims()

    def letters(self) -> dict[str, str]:
        n = self.spatial
        if self.w.type.shape[self.order.w[0]] == self.parts:
            # One output for each group is no product of matrices: with loops of their own the windows need not exist.
            return {"K": "".join(_LETTERS[: 1 + n]), "P": "".join(_LETTERS[1 + n : 1 + 2 * n])}
        return super().letters()

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x, w = shapes
        return self.fits(x, w)

    def reference(self, x: Any, w: Any) -> Any:
        shape = [size.value for size in self.convolved([*map(affine, x.shape)], [*map(affine, w.shape)])]
        found = self.numpy_sum("bgcPK,gocK->bgoP", self.numpy_windows(x), self.numpy_weights(w))
        order = self.order.out
        return np.transpose(found.reshape([shape[axis] for axis in order]), undone(order))

    def decompose(self, b: Any, x: Any, w: Any) -> Any:
        found = self.product(b, "goK,bgKP->bgoP", self.weights(b, w), self.columns(b, x))
        found = self.apart(b, found, 3, [self.convolved_dims()[axis] for axis in self.order.out[2:]], "P")
        return b.transpose(self.merged(b, found, 1), undone(self.order.out))

    def grad(self, b: Any, g: Any, x: Any, w: Any) -> list[Any]:
        facts = facts_of(self)
        return [b.conv_grad_input(w, g, b.shape(x), **facts), b.conv_grad_weight(x, g, b.shape(w), **facts)]


class ConvGradInput(_Convolution, Sized, Composite):
    """The gradient of `tir.conv` by x: how g, the gradient by its result, comes back through the weights w.

    Also known as a transposed convolution. The attributes are those of the convolution, the result has the type of x. An
    element of it sums over the windows that it is in; where none covers it, it is 0, whatever w holds.
    Gradients: that of w is `tir.conv_grad_weight`, that of g `tir.conv`.
    """

    name = "tir.conv_grad_input"
    w = operand(FLOAT_TENSOR)
    g = operand(FLOAT_TENSOR)
    sizes = operand(INDEX_KIND, variadic=True)
    result = result(FLOAT_TENSOR)
    format = (
        f"$w `,` $g {CONV_FORMAT} (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($w) `,` type($g) `->` type($result)"
    )

    def operand_types(self) -> tuple[TensorType, TensorType]:
        return self.result_type, self.w.type

    def verify_shape(self) -> None:
        self.check_convolution()
        self.check_gradient(self.g.type)

    def compute(self, shape: tuple[int, ...], w: Any, g: Any) -> Any:
        windows = self.numpy_sum("gocK,bgoP->bgcPK", self.numpy_weights(w), self.numpy_gradient(g))
        sizes = [shape[axis] for axis in self.order.x]
        found = folded(windows, self.axes(), (*windows.shape[:3], *sizes[2:]))
        return np.transpose(found.reshape(sizes), undone(self.order.x)).astype(g.dtype)

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        w, g, x = shapes
        return self.fits_gradient(x, w, g)

    def decompose(self, b: Any, w: Any, g: Any, *sizes: Any) -> Any:
        shape = b.extents(self.result_type, sizes)
        if not self._has_few_columns:
            return self._as_windows(b, w, g, shape)
        # The zeros that the convolution puts between elements and around them are no part of g: 0 times inf is nan.
        is_finite = b.all(b.is_finite(w))
        return b.if_(
            is_finite, lambda: [self._as_convolution(b, w, g)], lambda: [self._as_windows(b, w, g, shape)]
        )[0]

    def _as_windows(self, b: Any, w: Any, g: Any, shape: Sequence[Any]) -> Any:
        """The windows that g and w make, added up where they overlap."""
        n, order, axes = self.spatial, self.order, self.axes()
        dims = self.convolved_dims()
        windows = self.product(b, "goK,bgoP->bgKP", self.weights(b, w), self.gradient(b, g))
        windows = self.apart(b, windows, 2, [b.shape(w)[order.w[1]], *(axis.size for axis in axes)], "K")
        windows = self.apart(b, windows, 3 + n, [dims[axis] for axis in order.out[2:]], "P")
        windows = b.transpose(windows, [0, 1, 2, *range(3 + n, 3 + 2 * n), *range(3, 3 + n)])
        lead = [shape[order.x[0]], *b.shape(windows)[1:3]]
        if self.parts == 1:
            lead[2] = shape[order.x[1]]
        found = b.overlap_add(windows, [*lead, *(shape[axis] for axis in order.x[2:])], axes)
        return b.transpose(self.merged(b, found, 1), undone(order.x))

    @property
    def _has_few_columns(self) -> bool:
        """All sizes are known, that of the batch by its name, and columns of g are not much larger than the windows of x.

        Windows are added up at some ten times the time that columns are copied in.
        """
        x, g = self._known_sizes()
        batch, other = self.result_type.shape[self.order.x[0]], self.g.type.shape[self.order.out[0]]
        known = all(isinstance(dim, int) and dim > 0 for dim in (*x, *g, *self.w.type.shape))
        if not known or batch is DYNAMIC or batch != other:
            return False
        return math.prod(x[1:]) * g[0] <= 16 * math.prod(g[1:]) * x[0]

    def _known_sizes(self) -> tuple[list[Any], list[Any]]:
        """The sizes of x and g without the batch: features, then spatial ones."""
        x, g, order = self.result_type.shape, self.g.type.shape, self.order
        return [x[axis] for axis in order.x[1:]], [g[axis] for axis in order.out[1:]]

    def _as_convolution(self, b: Any, w: Any, g: Any) -> Any:
        """g convolved with the window turned round, inputs and outputs exchanged: what was a stride lies between elements.

        Element i of x is at the places o of the window w for which o * stride + w * dilation - low = i.
        """
        order, axes, spatial = self.order, self.axes(), range(2, 2 + self.spatial)
        x_sizes, g_sizes = (sizes[1:] for sizes in self._known_sizes())
        w = self.grouped(b, b.transpose(w, order.w), 0)
        w = self.merged(b, b.transpose(w, [0, 2, 1, *(axis + 1 for axis in spatial)]), 0)
        g = b.transpose(g, order.out)
        low = [axis.reach - 1 - axis.low for axis in axes]
        # What is behind the last position, so that each element of x is a position now.
        wanted = [(size - 1) * axis.base_dilation for size, axis in zip(x_sizes, axes)]
        covered = [(count - 1) * axis.stride + front for count, axis, front in zip(g_sizes, axes, low)]
        high = [last + axis.reach - 1 - end for last, axis, end in zip(wanted, axes, covered)]
        found = b.conv(
            g, w, strides=[axis.base_dilation for axis in axes], low=low, high=high,
            x_dilations=[axis.stride for axis in axes], w_dilations=[axis.dilation for axis in axes], groups=self.parts,
            flip=not self.flip,
        )  # fmt: skip
        return b.transpose(found, undone(order.x))

    def grad(self, b: Any, h: Any, w: Any, g: Any, *sizes: Any) -> list[Any]:
        facts = facts_of(self)
        return [b.conv_grad_weight(h, g, b.shape(w), **facts), b.conv_with(self, h, w), *[None] * len(sizes)]


class ConvGradWeight(_Convolution, Sized, Composite):
    """The gradient of `tir.conv` by w: how g, the gradient by its result, comes back through x.

    The attributes are those of the convolution, the result has the type of w.
    Gradients: that of x is `tir.conv_grad_input`, that of g `tir.conv`.
    """

    name = "tir.conv_grad_weight"
    x = operand(FLOAT_TENSOR)
    g = operand(FLOAT_TENSOR)
    sizes = operand(INDEX_KIND, variadic=True)
    result = result(FLOAT_TENSOR)
    format = (
        f"$x `,` $g {CONV_FORMAT} (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($x) `,` type($g) `->` type($result)"
    )

    def operand_types(self) -> tuple[TensorType, TensorType]:
        return self.x.type, self.result_type

    def verify_shape(self) -> None:
        self.check_convolution()
        self.check_gradient(self.g.type)

    def compute(self, shape: tuple[int, ...], x: Any, g: Any) -> Any:
        found = self.numpy_sum("bgcPK,bgoP->gocK", self.numpy_windows(x), self.numpy_gradient(g))
        found = found.reshape([shape[axis] for axis in self.order.w])
        found = np.flip(found, tuple(range(2, found.ndim))) if self.flip else found
        return np.transpose(found, undone(self.order.w)).astype(g.dtype)

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x, g, w = shapes
        return self.fits_gradient(x, w, g)

    def decompose(self, b: Any, x: Any, g: Any, *sizes: Any) -> Any:
        order, shape = self.order, b.extents(self.result_type, sizes)
        found = self.product(b, "bgKP,bgoP->goK", self.columns(b, x), self.gradient(b, g))
        found = self.apart(b, found, 2, [shape[order.w[1]], *(axis.size for axis in self.axes())], "K")
        found = b.reshape(self.merged(b, found, 0), [shape[axis] for axis in order.w])  # of other sizes: an error
        found = b.reverse(found, range(2, found.type.rank)) if self.flip else found
        return b.transpose(found, undone(order.w))

    def grad(self, b: Any, h: Any, x: Any, g: Any, *sizes: Any) -> list[Any]:
        by_x = b.conv_grad_input(h, g, b.shape(x), **facts_of(self))
        return [by_x, b.conv_with(self, x, h), *[None] * len(sizes)]


#: The ops of the family, in the order of the documentation.
OPS = (Conv, ConvGradInput, ConvGradWeight)
