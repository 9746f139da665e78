"""Contractions for tests: einsum's words as text on the structured level, arguments, and what must come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Contraction"]

EPS = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23, "f64": 2.0**-52}


@dataclass(frozen=True)
class Contraction:
    """C += einsum(words, A, B), such as "bik,bkj->bij". dynamic: letters whose sizes the text leaves open.

    element: of A and B; wide: of C and of the sums. steps: the step along each axis with which A and B are views of larger
    tensors.
    """

    words: str
    sizes: Mapping[str, int]
    element: str = "f32"
    wide: str = "f32"
    dynamic: str = ""
    steps: int = 1

    @property
    def axes(self) -> tuple[str, str, str]:
        inputs, output = self.words.split("->")
        a, b = inputs.split(",")
        return a, b, output

    def type_of(self, axes: str, element: str, factor: int = 1) -> str:
        sizes = ["?" if axis in self.dynamic else str(factor * self.sizes[axis]) for axis in axes]
        return f"tensor<{'x'.join([*sizes, element])}>"

    def text(self) -> str:
        """A function `f` of A, B and C."""
        a, b, c = self.axes
        letters = sorted(set(a + b + c))
        dims = ", ".join(letters)
        maps = ", ".join(f"affine_map<({dims}) -> ({', '.join(axes)})>" for axes in (a, b, c))
        kinds = ", ".join('"parallel"' if letter in c else '"reduction"' for letter in letters)
        types = [self.type_of(a, self.element), self.type_of(b, self.element), self.type_of(c, self.wide)]
        wider = self.element != self.wide
        casts = [f"%{n}w = arith.extf %{n} : {self.element} to {self.wide}" for n in "xy" if wider]
        x, y = ("%xw", "%yw") if wider else ("%x", "%y")
        whole = [self.type_of(axes, self.element, self.steps) for axes in (a, b)]
        lines = [
            f"func.func @f(%a: {whole[0]}, %b: {whole[1]}, %c: {types[2]}) -> {types[2]} {{",
            *self.views("a", a, whole[0], types[0]),
            *self.views("b", b, whole[1], types[1]),
            f"%r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} "
            f"ins({self.view('a')}, {self.view('b')} : {types[0]}, {types[1]}) outs(%c : {types[2]}) {{",
            f"^bb0(%x: {self.element}, %y: {self.element}, %sum: {self.wide}):",
            *casts,
            f"%p = arith.mulf {x}, {y} : {self.wide}",
            f"%s = arith.addf %sum, %p : {self.wide}",
            f"linalg.yield %s : {self.wide}",
            f"}} -> {types[2]}",
            f"return %r : {types[2]}",
            "}",
        ]
        return "\n".join(lines)

    def view(self, name: str) -> str:
        return f"%{name}" if self.steps == 1 else f"%{name}v"

    def views(self, name: str, axes: str, whole: str, part: str) -> list[str]:
        if self.steps == 1:
            return []
        zeros, sizes = ", ".join("0" * len(axes)), ", ".join(str(self.sizes[axis]) for axis in axes)
        steps = ", ".join([str(self.steps)] * len(axes))
        return [f"%{name}v = tensor.extract_slice %{name}[{zeros}] [{sizes}] [{steps}] : {whole} to {part}"]

    def arguments(self, seed: int, dtypes: Mapping[str, Any]) -> list[Any]:
        """A, B and C, normal."""
        rng = np.random.default_rng(seed)
        a, b, c = self.axes
        shapes = [*(self.shape(axes, self.steps) for axes in (a, b)), self.shape(c)]
        kinds = (self.element, self.element, self.wide)
        return [rng.normal(size=shape).astype(dtypes[kind]) for shape, kind in zip(shapes, kinds)]

    def shape(self, axes: str, factor: int = 1) -> tuple[int, ...]:
        return tuple(factor * self.sizes[axis] for axis in axes)

    def check(self, found: Any, arguments: Sequence[Any]) -> None:
        """n * eps * sum|x|, where n counts the products and C itself."""
        a, b, c = (x.astype(np.float64) for x in arguments)
        if self.steps != 1:
            a, b = (x[tuple(slice(None, None, self.steps) for _ in range(x.ndim))] for x in (a, b))
        expected = np.einsum(self.words, a, b) + c
        size = np.einsum(self.words, np.abs(a), np.abs(b)) + np.abs(c)
        summed = [n for axis, n in self.sizes.items() if axis not in self.axes[2]]
        bound = (int(np.prod(summed)) + 1) * EPS[self.wide] * size + 1e-300
        assert found.shape == expected.shape and (np.abs(found - expected) <= bound).all(), self
