"""Windows, pooling and convolution: rows, by loops over the places of each window, and smooth points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.ops.samples.base import (
    INF,
    NAMES,
    NAN,
    ULP,
    Sample,
    Smooth,
    apart,
    array,
    exact_sum,
    random,
    row,
    smooth,
    wrap,
)


@dataclass(frozen=True)
class Slide:
    """How a window slides over the last axes; lists as the attributes have them."""

    window: tuple[int, ...]
    strides: tuple[int, ...] | None = None
    dilations: tuple[int, ...] | None = None
    bases: tuple[int, ...] | None = None
    low: tuple[int, ...] | None = None
    high: tuple[int, ...] | None = None
    ceil: bool = False

    def text(self) -> str:
        lists = {"window": self.window, "strides": self.strides, "dilations": self.dilations,
                 "base_dilations": self.bases, "low": self.low, "high": self.high}  # fmt: skip
        return " ".join(f"{name} {list(v)}" for name, v in lists.items() if v) + " ceil_mode" * self.ceil

    def of(self, name: str, i: int) -> int:
        return (getattr(self, name) or ((0 if name in ("low", "high") else 1,) * len(self.window)))[i]

    def count(self, i: int, size: int) -> int:
        """The positions along axis i, found by trying."""
        inside = (size - 1) * self.of("bases", i) + 1 if size else 0
        low, high, stride = self.of("low", i), self.of("high", i), self.of("strides", i)
        reach = (self.window[i] - 1) * self.of("dilations", i) + 1
        found = 0
        while found * stride + reach <= low + inside + high:
            found += 1
        if self.ceil and (found - 1) * stride + reach < low + inside + high and found * stride < low + inside:
            found += 1
        return found

    def place(self, i: int, position: int, w: int, size: int) -> int | None:
        """The element along axis i that place w of a position is; None outside."""
        at = position * self.of("strides", i) + w * self.of("dilations", i) - self.of("low", i)
        base = self.of("bases", i)
        return at // base if at % base == 0 and 0 <= at // base < size else None

    def walk(self, shape: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...] | None]]:
        """Each position, each place of its window, and the element there."""
        counts = [self.count(i, size) for i, size in enumerate(shape)]
        for position in itertools.product(*map(range, counts)):
            for w in itertools.product(*map(range, self.window)):
                at = [self.place(i, position[i], w[i], size) for i, size in enumerate(shape)]
                yield position, w, None if None in at else tuple(at)  # type: ignore[arg-type]


def split(x: np.ndarray, slide: Slide) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The leading sizes, those that the window slides over, and the positions."""
    lead = x.ndim - len(slide.window)
    spatial = x.shape[lead:]
    return x.shape[:lead], spatial, tuple(slide.count(i, size) for i, size in enumerate(spatial))


def windows_of(x: np.ndarray, slide: Slide, value: Any = 0) -> np.ndarray:
    lead, spatial, counts = split(x, slide)
    found = np.full((*lead, *counts, *slide.window), value, x.dtype)
    for position, w, at in slide.walk(spatial):
        if at is not None:
            found[(..., *position, *w)] = x[(..., *at)]
    return found


def added(windows: np.ndarray, slide: Slide, spatial: Sequence[int]) -> np.ndarray:
    lead = windows.shape[: windows.ndim - 2 * len(slide.window)]
    found = np.zeros((*lead, *spatial), np.float64 if windows.dtype.kind == "f" else windows.dtype)
    for position, w, at in slide.walk(spatial):
        if at is not None:
            found[(..., *at)] += windows[(..., *position, *w)]
    return found.astype(windows.dtype)


def pooled(x: np.ndarray, slide: Slide, function: Callable[[list[Any]], Any]) -> np.ndarray:
    """The function of the elements of each window."""
    lead, spatial, counts = split(x, slide)
    found = np.zeros((*lead, *counts), x.dtype)
    for place in np.ndindex(*lead):
        lists: dict[Any, list[Any]] = {p: [] for p in itertools.product(*map(range, counts))}
        for position, _, at in slide.walk(spatial):
            if at is not None:
                lists[position].append(x[(*place, *at)].item())
        for position, values in lists.items():
            number = function(values)
            found[(*place, *position)] = wrap(int(number), NAMES[x.dtype]) if x.dtype.kind in "iu" else number
    return found


SLIDES = (
    ((5,), Slide((3,))),
    ((2, 7), Slide((3,), strides=(2,))),
    ((2, 4, 5), Slide((2, 3), strides=(1, 2), dilations=(2, 1))),
    ((4, 5), Slide((2, 2), low=(1, 0), high=(0, 1))),
    ((6,), Slide((2,), bases=(3,), strides=(2,), low=(2,), high=(1,))),
    ((3, 3), Slide((3, 3), bases=(2, 1), low=(1, 1), high=(1, 1))),
    ((5, 5), Slide((2, 2), strides=(2, 2), ceil=True)),
    ((7,), Slide((3,), strides=(3,), low=(1,), high=(1,), ceil=True)),
    ((3,), Slide((2,), strides=(2,), low=(1,), high=(1,), ceil=True)),
    ((1, 1), Slide((1, 1))),
    ((0, 4), Slide((2,))),
    ((2,), Slide((3,))),
)  # fmt: skip
POOLS = [(shape, slide) for shape, slide in SLIDES if not slide.bases]


def rows() -> list[Sample]:
    found = []
    for name, (shape, slide) in itertools.product(("f32", "i8"), SLIDES):
        x = random(shape, name)
        windows = windows_of(x, slide)
        spatial = x.shape[x.ndim - len(slide.window) :]
        found.append(row("tir.windows", f"%0 {slide.text()} : {{r}}", [x], windows))
        given = random(windows.shape, name, seed=1)
        want = added(given, slide, spatial)
        found.append(row("tir.overlap_add", f"%0 {slide.text()} : {{0}} -> {{r}}", [given], want, rtol=16 * ULP.get(name, 0)))
    x = random((4, 5), "f64")
    slide = Slide((2, 2), low=(1, 0), high=(0, 1))
    found += [
        row("tir.windows", f"%0 {slide.text()} with -7.0 : f64 : {{r}}", [x], windows_of(x, slide, -7)),
        row("tir.windows", f"%0 {slide.text()} : {{r}}", [x], windows_of(x, slide), dims=[("[N]", "?")],
            result=("[N]", "?", 2, 2)),
        row("tir.windows", "%0 window [2, 2] : {r}", [x], windows_of(x, Slide((2, 2))), dims=[("[N]", "?")],
            result=("[N - 1]", "?", 2, 2)),
    ]  # fmt: skip
    given = random((4, 5, 2, 2), "f64")
    found.append(
        row("tir.overlap_add", f"%0 {slide.text()} : {{0}} -> {{r}}", [given], added(given, slide, (4, 5)),
            dims=[("[N]", 5, 2, 2)], result=("[N]", 5), rtol=1e-14)
    )  # fmt: skip
    return found + pool_rows() + conv_rows()


# --- pooling ---------------------------------------------------------------------------------------------------------


def spread(x: np.ndarray, g: np.ndarray, slide: Slide, ties: str) -> np.ndarray:
    """The gradient of a maximum over windows."""
    lead, spatial, _ = split(x, slide)
    found = np.zeros(x.shape, np.float64)
    for place in np.ndindex(*lead):
        best: dict[Any, list[Any]] = {}
        for position, _, at in slide.walk(spatial):
            if at is None:
                continue
            value = x[(*place, *at)].item()
            known = best.setdefault(position, [value, []])
            if value > known[0]:
                best[position] = [value, [at]]
            elif value == known[0]:
                known[1].append(at)
        for position, (_, ats) in best.items():
            for at in ats[:1] if ties == "first" else ats:
                found[(*place, *at)] += g[(*place, *position)]
    return found.astype(x.dtype)


def pool_rows() -> list[Sample]:
    found = []
    for name, (shape, slide) in itertools.product(("f32", "i8", "ui8"), POOLS):
        x, text = random(shape, name), slide.text()
        low = -INF if name in ULP else np.iinfo(x.dtype).min
        found.append(row("tir.max_pool", f"%0 {text} : {{r}}", [x], pooled(x, slide, lambda v, low=low: max(v, default=low))))
        if name == "ui8":
            continue
        total = pooled(x, slide, exact_sum)
        found.append(row("tir.avg_pool", f"%0 {text} divisor one : {{r}}", [x], total, rtol=16 * ULP.get(name, 0)))
        for ties in ("first", "all"):
            few = np.clip(x, -1, 1).astype(x.dtype).round() if name in ULP else (x // 8).astype(x.dtype)
            g = random(pooled(x, slide, len).shape, name, seed=3)
            want = spread(few, g, slide, ties)
            words = f"{text} ties all" if ties == "all" else text
            found.append(row("tir.max_pool_grad", f"%0, %1 {words} : {{1}} -> {{r}}", [few, g], want, rtol=16 * ULP.get(name, 0)))
    for shape, slide in POOLS:
        x, text = random(shape, "f64"), slide.text()
        inside = pooled(x, slide, lambda v: math.fsum(v) / len(v) if v else NAN)
        padded = padded_mean(x, slide)
        found += [
            row("tir.avg_pool", f"%0 {text} divisor valid : {{r}}", [x], inside, rtol=1e-14),
            row("tir.avg_pool", f"%0 {text} : {{r}}", [x], padded, rtol=1e-14),
        ]
    hard = array([[NAN, 1, 2, -INF], [-0.0, 0.0, INF, -INF], [3, NAN, -1, -2]], "f32")
    slide, n = Slide((1, 2), strides=(1, 2)), random((2, 6), "f32")
    found += [
        row("tir.max_pool", f"%0 {slide.text()} : {{r}}", [hard], array([[NAN, 2], [0, INF], [NAN, -1]], "f32")),
        row("tir.max_pool", "%0 window [2] strides [2] : {r}", [n], np.maximum(n[:, ::2], n[:, 1::2]),
            dims=[("[B]", "[N]")], result=("[B]", "[N floordiv 2]")),
        row("tir.avg_pool", "%0 window [2] strides [2] low [1] high [1] ceil_mode : {r}", [n],
            padded_mean(n, Slide((2,), (2,), low=(1,), high=(1,), ceil=True)), dims=[(2, "?")], result=(2, "?"), rtol=1e-6),
    ]  # fmt: skip
    return found


def padded_mean(x: np.ndarray, slide: Slide) -> np.ndarray:
    """The mean over the places that lie in the axis and its padding."""
    lead, spatial, counts = split(x, slide)
    total = pooled(x.astype("float64"), slide, math.fsum)
    number = np.ones(counts)
    for position in np.ndindex(*counts):
        for i, size in enumerate(spatial):
            places = [position[i] * slide.of("strides", i) + w * slide.of("dilations", i) for w in range(slide.window[i])]
            limit = slide.of("low", i) + size + slide.of("high", i)
            number[position] *= sum(place < limit for place in places)
    return (total / number).astype(x.dtype)


# --- convolution -----------------------------------------------------------------------------------------------------


def convolved(x: np.ndarray, w: np.ndarray, slide: Slide, groups: int = 1, flip: bool = False) -> np.ndarray:
    """Batch, features, spatial times outputs, inputs, window, by loops; exact sums."""
    inputs, each = w.shape[1], w.shape[0] // groups
    counts = [slide.count(i, size) for i, size in enumerate(x.shape[2:])]
    terms: dict[Any, list[float]] = {}
    for n, o in itertools.product(range(x.shape[0]), range(w.shape[0])):
        first = o // each * inputs
        for position, place, at in slide.walk(x.shape[2:]):
            spot = tuple(size - 1 - i for size, i in zip(slide.window, place)) if flip else place
            products = [float(x[(n, first + c, *at)]) * float(w[(o, c, *spot)]) for c in range(inputs)] if at is not None else []
            terms.setdefault((n, o, *position), []).extend(products)
    found = np.zeros((x.shape[0], w.shape[0], *counts))
    for position, products in terms.items():
        found[position] = math.fsum(products)
    return found.astype(x.dtype)


CONVS: tuple[tuple[Any, ...], ...] = (
    # x, w, slide, attributes, groups, flip
    ((1, 1, 4), (1, 1, 2), Slide((2,)), "", 1, False),
    ((2, 2, 5), (3, 2, 3), Slide((3,), strides=(2,), low=(1,), high=(2,)), "strides [2] low [1] high [2]", 1, True),
    ((2, 2, 4, 5), (3, 2, 2, 3), Slide((2, 3)), "", 1, False),
    ((2, 3, 4, 4), (2, 3, 2, 2), Slide((2, 2), strides=(1, 2), low=(1, 0), high=(0, 1)),
     "strides [1, 2] low [1, 0] high [0, 1]", 1, True),
    ((1, 4, 5, 4), (6, 2, 2, 2), Slide((2, 2), dilations=(2, 1)), "w_dilations [2, 1] groups 2", 2, False),
    ((2, 3, 3), (3, 1, 2), Slide((2,), bases=(2,), low=(1,), high=(1,)), "low [1] high [1] x_dilations [2] groups 3", 3, False),
    ((1, 1, 3, 3, 3), (2, 1, 2, 2, 1), Slide((2, 2, 1)), "", 1, False),
    ((0, 2, 3), (2, 2, 2), Slide((2,)), "", 1, False),
    ((1, 1, 5), (1, 1, 2), Slide((2,), low=(-1,), high=(-1,)), "low [-1] high [-1]", 1, False),
)


def conv_words(attributes: str, flip: bool) -> str:
    return " ".join(filter(None, (attributes, "flip" * flip)))


def conv_rows() -> list[Sample]:
    found = []
    for name, (left, right, slide, attributes, groups, flip) in itertools.product(("f32", "f64"), CONVS):
        x, w = random(left, name), random(right, name, seed=1)
        want, words = convolved(x, w, slide, groups, flip), conv_words(attributes, flip)
        rtol = 64 * ULP[name]
        found.append(row("tir.conv", f"%0, %1 {words} : {{r}}", [x, w], want, rtol=rtol))
        g = random(want.shape, name, seed=2)
        by_x, by_w = adjoints(x, w, g, slide, groups, flip)
        found += [
            row("tir.conv_grad_input", f"%0, %1 {words} : {{0}}, {{1}} -> {{r}}", [w, g], by_x, rtol=rtol),
            row("tir.conv_grad_weight", f"%0, %1 {words} : {{0}}, {{1}} -> {{r}}", [x, g], by_w, rtol=rtol),
        ]
    x, w = random((2, 2, 4, 5), "f32"), random((3, 2, 2, 3), "f32", seed=1)
    want = convolved(x, w, Slide((2, 3)))
    layout = 'layout "b01f_01io->b01f"'
    last = (0, 2, 3, 1)
    found += [
        row("tir.conv", f"%0, %1 {layout} : {{r}}", [x.transpose(last), w.transpose(2, 3, 1, 0)], want.transpose(last), rtol=1e-5),
        row("tir.conv", "%0, %1 : {r}", [x, w], want, dims=[("[N]", 2, "[H]", "?")], result=("[N]", 3, "[H - 1]", "?"), rtol=1e-5),
        row("tir.conv", "%0, %1 low [1, 1] high [1, 1] : {r}", [x, w], convolved(x, w, Slide((2, 3), low=(1, 1), high=(1, 1))),
            dims=[("[N]", "?", "[H]", "?")], result=("[N]", 3, "[H + 1]", "?"), rtol=1e-5),
        row("tir.conv", "%0, %1 low [1, 0] high [0, 0] : {r}", [x, w], convolved(x, w, Slide((2, 3), low=(1, 0))),
            dims=[("?", 2, 4, 5)], result=("?", 3, 4, 3), rtol=1e-5),
        row("tir.conv", "%0, %1 : {r}", [x, w], want, dims=[("?", "[C]", 4, 5), (3, "[C]", 2, 3)], result=("?", 3, 3, 3),
            rtol=1e-5),
    ]  # fmt: skip
    return found


def adjoints(
    x: np.ndarray, w: np.ndarray, g: np.ndarray, slide: Slide, groups: int, flip: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of sum(g * convolved(x, w)), each element from a convolution with that element alone."""
    found = []
    for value, other, first in ((x, w, True), (w, x, False)):
        slopes = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            unit = np.zeros(value.shape)
            unit[place] = 1
            pair = (unit, other.astype("float64")) if first else (other.astype("float64"), unit)
            slopes[place] = np.sum(g * convolved(*pair, slide, groups, flip))
        found.append(slopes.astype(x.dtype))
    return found[0], found[1]


# --- points ----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    found = []
    for shape, slide in SLIDES[1:8]:
        x, text = random(shape, "f64"), slide.text()
        windows = windows_of(x, slide)
        spatial = f"tensor<{'x'.join(map(str, x.shape))}xf64>"
        found.append(smooth("tir.windows", f"%0 {text} : {{r}}", [x], windows.shape))
        found.append(smooth("tir.overlap_add", f"%0 {text} : {{0}} -> {spatial}", [windows], x.shape))
        if not slide.bases:
            shape = pooled(x, slide, len).shape
            found.append(smooth("tir.max_pool", f"%0 {text} : {{r}}", [x], shape, order=2))
            found += [smooth("tir.avg_pool", f"%0 {text} divisor {c} : {{r}}", [x], shape) for c in ("padded", "valid", "one")]
            g = random(shape, "f64", seed=2)
            found.append(smooth("tir.max_pool_grad", f"%0, %1 {text} : {{1}} -> {{r}}", [x, g], x.shape, wrt=(1,)))
    for left, right, slide, attributes, groups, flip in CONVS[1:7]:
        x, w, words = random(left, "f64"), random(right, "f64", seed=1), conv_words(attributes, flip)
        shape = convolved(x, w, slide, groups, flip).shape
        g = random(shape, "f64", seed=2)
        found += [
            smooth("tir.conv", f"%0, %1 {words} : {{r}}", [x, w], shape, wrt=(0, 1)),
            smooth("tir.conv_grad_input", f"%0, %1 {words} : {{0}}, {{1}} -> {{r}}", [w, g], left, wrt=(0, 1)),
            smooth("tir.conv_grad_weight", f"%0, %1 {words} : {{0}}, {{1}} -> {{r}}", [x, g], right, wrt=(0, 1)),
        ]
    return found


#: Beside SLIDES, for gradients.
MORE_SLIDES = (
    ((4,), Slide((1,), strides=(2,))), ((2, 1, 4), Slide((2,))), ((9,), Slide((2,), strides=(3,), dilations=(2,))),
    ((2, 1, 3, 3), Slide((2, 2), low=(0, 1), high=(1, 0), strides=(1, 2))), ((3, 2, 2), Slide((2, 1, 2))),
)  # fmt: skip
MORE_CONVS = (
    ((1, 2, 3), (1, 2, 1), Slide((1,)), "", 1, False),
    ((3, 1, 2), (4, 1, 2), Slide((2,), low=(1,), high=(1,)), "low [1] high [1]", 1, True),
    ((1, 2, 5, 1), (2, 2, 3, 1), Slide((3, 1), strides=(2, 1)), "strides [2, 1]", 1, False),
)


def more_points() -> list[Smooth]:
    """Each also with sizes that only run time knows."""
    found = []
    for number, (shape, slide) in enumerate((*SLIDES, *MORE_SLIDES)):
        lead = len(shape) - len(slide.window)
        x, text, words = apart(shape), slide.text(), ("padded", "valid", "one")[number % 3]
        windows, inside = windows_of(x, slide), pooled(x, slide, len)
        g = random(inside.shape, "f64", seed=2)
        open_sizes: list[Sequence[int | str]] = [("[B]",) * lead + ("?",) * len(slide.window), shape]
        for sizes in open_sizes[number % 2 :]:
            counts = [size if size in ("?", "[B]") else n for size, n in zip(sizes, inside.shape)]
            facts = {"dims": {0: sizes, 1: counts}}
            found.append(smooth("tir.windows", f"%0 {text} : {{r}}", [x], (*counts, *slide.window), **facts))
            if slide.bases:
                continue
            found.append(smooth("tir.avg_pool", f"%0 {text} divisor {words} : {{r}}", [x], counts, **facts))
            if inside.min(initial=1) > 0:
                found += [
                    smooth("tir.max_pool", f"%0 {text} : {{r}}", [x], counts, **facts),
                    smooth("tir.max_pool_grad", f"%0, %1 {text} : {{1}} -> {{r}}", [x, g], sizes, wrt=(1,), **facts),
                ]
        spatial = f"tensor<{'x'.join(map(str, shape))}xf64>"
        found.append(smooth("tir.overlap_add", f"%0 {text} : {{0}} -> {spatial}", [windows], shape))
    return found + conv_points()


def conv_points() -> list[Smooth]:
    found = []
    for left, right, slide, attributes, groups, flip in (*CONVS, *MORE_CONVS):
        x, w, words = random(left, "f64"), random(right, "f64", seed=1), conv_words(attributes, flip)
        shape = convolved(x, w, slide, groups, flip).shape
        g = random(shape, "f64", seed=2)
        of_x, of_g = ("[N]", *left[1:]), ("[N]", *shape[1:])
        found += [
            smooth("tir.conv", f"%0, %1 {words} : {{r}}", [x, w], of_g, wrt=(0, 1), dims={0: of_x}),
            smooth("tir.conv_grad_input", f"%0, %1 {words} : {{0}}, {{1}} -> {{r}}", [w, g], of_x, wrt=(0, 1), dims={1: of_g}),
            smooth("tir.conv_grad_weight", f"%0, %1 {words} : {{0}}, {{1}} -> {{r}}", [x, g], right, wrt=(0, 1),
                   dims={0: of_x, 1: of_g}),
        ]  # fmt: skip
    x, w = random((2, 3, 4, 2), "f64"), random((2, 2, 2, 3), "f64", seed=1)
    channels_last = '%0, %1 layout "b01f_01io->b01f" : {r}'
    found.append(smooth("tir.conv", channels_last, [x, w], ("[N]", "?", "?", 3), wrt=(0, 1), dims={0: ("[N]", "?", "?", 2)}))
    return found
