"""Branches and loops: smooth points. Their rows are programs, in `tests/ops/test_control.py`."""

from __future__ import annotations

import numpy as np

from tests.ops.samples.base import Sample, Smooth, random

__all__ = ["more_points", "points", "rows"]

#: The shape of what is carried or chosen, and its sizes in the type.
CARRIED: tuple[tuple[tuple[int, ...], tuple[int | str, ...]], ...] = (
    ((), ()), ((1,), (1,)), ((0,), (0,)), ((5,), ("[N]",)), ((3, 1), (3, 1)), ((1, 4), ("[N]", 4)), ((2, 3), ("[N]", "[M]")),
    ((3, 0), ("[N]", 0)), ((2, 1, 3), (2, 1, 3)), ((1, 2, 2), (1, "[M]", 2)), ((2, 1, 2, 2), (2, 1, 2, 2)),
)  # fmt: skip
#: Of a scan with that shape: the number of steps, as a number and in types, and words.
STEPS: tuple[tuple[int, int | str, str], ...] = (
    (1, 1, ""), (4, "[T]", ""), (3, 3, "checkpoint 2 "), (5, "[T]", "reverse "), (0, 0, ""), (2, 2, "reverse checkpoint 1 "),
    (3, "[T]", "checkpoint 1 "), (0, "[T]", "reverse "), (4, 4, "checkpoint 9 "), (1, "[T]", "reverse "), (3, 3, "reverse "),
)  # fmt: skip


def rows() -> list[Sample]:
    return []


def points() -> list[Smooth]:
    return []


def more_points() -> list[Smooth]:
    found = []
    for number, ((shape, sizes), (steps, length, words)) in enumerate(zip(CARRIED, STEPS)):
        x, w = random(shape, "f64"), random(shape, "f64", 0.5, 1.5, seed=1)
        type = _type(sizes)
        found += [
            _branch(type, x, w, bool(number % 2)),
            _checkpoint(type, x, w),
            _while(type, x, w, number % 4),
            *_scans(type, _type((length, *sizes)), x, w, random((steps, *shape), "f64", seed=2), words),
        ]
    return found


def _type(sizes: tuple[int | str, ...]) -> str:
    return f"tensor<{''.join(f'{size}x' for size in sizes)}f64>"


def _checkpoint(type: str, x: np.ndarray, w: np.ndarray) -> Smooth:
    text = f"""-> ({type}) {{
    %s = tir.sin %0 : {type}
    %p = tir.mul %s, %1 : {type}
    tir.yield %p : {type}
  }}"""
    return Smooth("tir.checkpoint", text, (type, type), (x, w), type, wrt=(0, 1))


def _branch(type: str, x: np.ndarray, w: np.ndarray, condition: bool) -> Smooth:
    """One region squares, the other uses what it captures alone."""
    text = f"""%2 -> ({type}) {{
    %s = tir.square %0 : {type}
    %p = tir.mul %s, %1 : {type}
    tir.yield %p : {type}
  }} else {{
    %e = tir.exp %1 : {type}
    tir.yield %e : {type}
  }}"""
    return Smooth("tir.if", text, (type, type, "tensor<i1>"), (x, w, np.array(condition)), type, wrt=(0, 1))


def _while(type: str, x: np.ndarray, w: np.ndarray, trips: int) -> Smooth:
    """x = sin(x) w, as often as an argument says, at most thrice."""
    text = f"""(%i = %2 : tensor<i32>, %y = %0 : {type}) max_trips 3 {{
    %zero = tir.full 0 : i32 -> tensor<i32>
    %more = tir.cmp gt %i, %zero : tensor<i32>
    tir.yield %more : tensor<i1>
  }} do {{
  ^bb0(%j: tensor<i32>, %z: {type}):
    %one = tir.full 1 : i32 -> tensor<i32>
    %k = tir.sub %j, %one : tensor<i32>
    %s = tir.sin %z : {type}
    %v = tir.mul %s, %1 : {type}
    tir.yield %k, %v : tensor<i32>, {type}
  }}"""
    inputs = (x, w, np.array(trips, np.int32))
    return Smooth("tir.while", text, (type, type, "tensor<i32>"), inputs, type, wrt=(0, 1), names="%i_end, %r")


def _scans(type: str, sequence: str, x: np.ndarray, w: np.ndarray, xs: np.ndarray, words: str) -> list[Smooth]:
    """h = tanh(h w + x), from what is carried, a sequence and a captured value; by the last and by all."""
    text = f"""(%h = %0 : {type}) over (%x = %2 : {sequence}) -> ({sequence}) {words}{{
    %p = tir.mul %h, %1 : {type}
    %a = tir.add %p, %x : {type}
    %t = tir.tanh %a : {type}
    %q = tir.mul %t, %h : {type}
    tir.yield %t, %q : {type}, {type}
  }}"""
    inputs, types = (x, w, xs), (type, type, sequence)
    return [
        Smooth("tir.scan", text, types, inputs, type, wrt=(0, 1, 2), names="%r, %all"),
        Smooth("tir.scan", text, types, inputs, sequence, wrt=(0, 1, 2), names="%last, %r"),
    ]
