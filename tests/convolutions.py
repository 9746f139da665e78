"""Convolutions as a person or a lowering writes them on the structured level: windows moved into columns, and products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Convolution"]


@dataclass(frozen=True)
class Convolution:
    """x[n, c, height, height] with kernels [o, c, kernel, kernel]; no padding."""

    n: int
    c: int
    height: int
    o: int
    kernel: int
    stride: int = 1
    dilation: int = 1

    @property
    def out(self) -> int:
        return (self.height - (self.kernel - 1) * self.dilation - 1) // self.stride + 1

    @property
    def k(self) -> int:
        return self.c * self.kernel**2

    @property
    def p(self) -> int:
        return self.out**2

    @property
    def flops(self) -> float:
        return 2.0 * self.n * self.o * self.k * self.p

    def windows(self, name: str) -> str:
        """A function from images to columns."""
        flat = f"tensor<{self.n}x{self.k}x{self.p}xf32>"
        return f"func.func @{name}(%x: {self.image}) -> {flat} {{\n{self.moves()}\nreturn %cols : {flat}\n}}"

    @property
    def image(self) -> str:
        return f"tensor<{self.n}x{self.c}x{self.height}x{self.height}xf32>"

    @property
    def window(self) -> str:
        return f"{self.n}x{self.c}x{self.kernel}x{self.kernel}x{self.out}x{self.out}"

    def moves(self) -> str:
        """%cols from %x: cols[n, (c, kh, kw), (oh, ow)] = x[n, c, oh * stride + kh * dilation, ..]."""
        six, s, d = f"tensor<{self.window}xf32>", self.stride, self.dilation
        source = f"affine_map<(n, c, a, b, h, w) -> (n, c, h * {s} + a * {d}, w * {s} + b * {d})>"
        target = "affine_map<(n, c, a, b, h, w) -> (n, c, a, b, h, w)>"
        return f"""
          %e = tensor.empty() : {six}
          %six = linalg.generic {{indexing_maps = [{source}, {target}], iterator_types = [{", ".join(['"parallel"'] * 6)}]}}
              ins(%x : {self.image}) outs(%e : {six}) {{
          ^bb0(%in: f32, %out: f32):
            linalg.yield %in : f32
          }} -> {six}
          %cols = tensor.collapse_shape %six [[0], [1, 2, 3], [4, 5]] : {six} into tensor<{self.n}x{self.k}x{self.p}xf32>"""

    def forward(self) -> str:
        """The function `forward` of images and weights, and `windows`, its first half."""
        w, flat = f"tensor<{self.o}x{self.k}xf32>", f"tensor<{self.n}x{self.o}x{self.p}xf32>"
        result = f"tensor<{self.n}x{self.o}x{self.out}x{self.out}xf32>"
        shape = f"[{self.n}, {self.o}, {self.out}, {self.out}]"
        product = _product("%w", "%cols", w, f"tensor<{self.n}x{self.k}x{self.p}xf32>", flat, ("o, k", "n, k, p", "n, o, p"))
        return f"""{self.windows("windows")}
        func.func @forward(%x: {self.image}, %w: {w}) -> {result} {{
          {self.moves()}
          {product}
          %o = tensor.expand_shape %r [[0], [1], [2, 3]] output_shape {shape} : {flat} into {result}
          return %o : {result}
        }}"""

    def gradients(self) -> str:
        """The functions `weights` and `columns`: the gradients of the product."""
        g, cols = f"tensor<{self.n}x{self.o}x{self.p}xf32>", f"tensor<{self.n}x{self.k}x{self.p}xf32>"
        w = f"tensor<{self.o}x{self.k}xf32>"
        return f"""
        func.func @weights(%g: {g}, %cols: {cols}) -> {w} {{
          {_product("%g", "%cols", g, cols, w, ("n, o, p", "n, k, p", "o, k"))}
          return %r : {w}
        }}
        func.func @columns(%w: {w}, %g: {g}) -> {cols} {{
          {_product("%w", "%g", w, g, cols, ("o, k", "n, o, p", "n, k, p"))}
          return %r : {cols}
        }}"""

    def numpy_windows(self, x: Any) -> Any:
        view = np.lib.stride_tricks.sliding_window_view(x, (self.kernel * self.dilation - self.dilation + 1,) * 2, (2, 3))
        view = view[:, :, :: self.stride, :: self.stride, :: self.dilation, :: self.dilation]
        return np.ascontiguousarray(view.transpose(0, 1, 4, 5, 2, 3)).reshape(self.n, self.k, self.p)


def _product(a: str, b: str, a_type: str, b_type: str, type: str, axes: tuple[str, str, str]) -> str:
    """%r, the sum of the products over the letters that the result lacks."""
    maps = ", ".join(f"affine_map<(n, o, k, p) -> ({one})>" for one in axes)
    kinds = ", ".join('"parallel"' if letter in axes[2] else '"reduction"' for letter in "nokp")
    spaces = type.removeprefix("tensor<").count("x")
    identity = f"affine_map<({', '.join('abc'[:spaces])}) -> ({', '.join('abc'[:spaces])})>"
    return f"""
      %empty = tensor.empty() : {type}
      %zeros = linalg.generic {{indexing_maps = [{identity}], iterator_types = [{", ".join(['"parallel"'] * spaces)}]}}
          outs(%empty : {type}) {{
      ^bb0(%before: f32):
        %zero = arith.constant 0.0 : f32
        linalg.yield %zero : f32
      }} -> {type}
      %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
          ins({a}, {b} : {a_type}, {b_type}) outs(%zeros : {type}) {{
      ^bb0(%left: f32, %right: f32, %sum: f32):
        %p = arith.mulf %left, %right : f32
        %s = arith.addf %sum, %p : f32
        linalg.yield %s : f32
      }} -> {type}"""
