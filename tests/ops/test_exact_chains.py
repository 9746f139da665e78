"""Chains of exact ops keep every bit through canonicalization, fusion and machine code: what algebra would do is wrong.

x * y + z must round twice, x - x is nan at infinity, x + 0 loses the sign of -0.0, a cast there and back saturates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tests.ops.hard_samples import pairs
from tests.ops.samples.base import DTYPES
from tir.compile import Executable

Chain = tuple[str, Callable[..., Any]]

#: `{t}` is the type of %x and %y, `{e}` its element type; %0, %1, .. stand for themselves; the last line is the result.
FLOAT_CHAINS: list[Chain] = [
    ("%m = tir.mul %x, %y : {t}\n%r = tir.add %m, %x : {t}", lambda x, y, n: x * y + x),
    ("%m = tir.mul %x, %y : {t}\n%r = tir.sub %y, %m : {t}", lambda x, y, n: y - x * y),
    ("%r = tir.sub %x, %x : {t}", lambda x, y, n: x - x),
    ("%r = tir.div %x, %x : {t}", lambda x, y, n: x / x),
    ("%z = tir.full 0.0 : {e} -> {t}\n%r = tir.mul %x, %z : {t}", lambda x, y, n: x * n(0)),
    ("%z = tir.full 0.0 : {e} -> {t}\n%r = tir.add %x, %z : {t}", lambda x, y, n: x + n(0)),
    ("%z = tir.full -0.0 : {e} -> {t}\n%r = tir.add %x, %z : {t}", lambda x, y, n: x + n(-0.0)),
    ("%z = tir.full 0.0 : {e} -> {t}\n%r = tir.sub %z, %x : {t}", lambda x, y, n: n(0) - x),
    ("%z = tir.full 0.0 : {e} -> {t}\n%r = tir.sub %x, %z : {t}", lambda x, y, n: x - n(0)),
    ("%z = tir.full 0.0 : {e} -> {t}\n%r = tir.div %z, %x : {t}", lambda x, y, n: n(0) / x),
    ("%z = tir.full 1.0 : {e} -> {t}\n%r = tir.mul %z, %x : {t}", lambda x, y, n: x * n(1)),
    ("%z = tir.full -1.0 : {e} -> {t}\n%r = tir.div %x, %z : {t}", lambda x, y, n: x / n(-1)),
    ("%z = tir.full 3.0 : {e} -> {t}\n%r = tir.div %x, %z : {t}", lambda x, y, n: x / n(3)),
    ("%s = tir.add %x, %y : {t}\n%r = tir.sub %s, %y : {t}", lambda x, y, n: (x + y) - y),
    ("%s = tir.mul %x, %y : {t}\n%r = tir.div %s, %y : {t}", lambda x, y, n: (x * y) / y),
    ("%s = tir.neg %x : {t}\n%r = tir.neg %s : {t}", lambda x, y, n: x),
    ("%s = tir.sub %x, %y : {t}\n%r = tir.neg %s : {t}", lambda x, y, n: -(x - y)),
    ("%s = tir.sqrt %x : {t}\n%r = tir.square %s : {t}", lambda x, y, n: np.sqrt(x) * np.sqrt(x)),
    ("%s = tir.square %x : {t}\n%r = tir.sqrt %s : {t}", lambda x, y, n: np.sqrt(x * x)),
    ("%c = tir.cmp lt %x, %y : {t}\n%n = tir.not %c : {b}\n%r = tir.select %n, %x, %y : {t}",
     lambda x, y, n: np.where(~(x < y), x, y)),
    ("%c = tir.cmp gt %x, %y : {t}\n%r = tir.select %c, %x, %y : {t}", lambda x, y, n: np.where(x > y, x, y)),
    ("%i = tir.cast %x : {t} -> {i}\n%r = tir.cast %i : {i} -> {t}", lambda x, y, n: through_i8(x)),
    ("%h = tir.cast %x : {t} -> {h}\n%r = tir.cast %h : {h} -> {t}", lambda x, y, n: x.astype("f2").astype(x.dtype)),
    ("%c = tir.cast %x : {t} -> {b}\n%r = tir.cast %c : {b} -> {t}", lambda x, y, n: (x != 0).astype(x.dtype)),
]  # fmt: skip

INTEGER_CHAINS: list[Chain] = [
    ("%m = tir.mul %x, %y : {t}\n%r = tir.div %m, %y : {t}", lambda x, y, n: divided(x * y, y)),
    ("%m = tir.div %x, %y : {t}\n%r = tir.mul %m, %y : {t}", lambda x, y, n: divided(x, y) * y),
    ("%r = tir.div %x, %x : {t}", lambda x, y, n: (x != 0).astype(x.dtype)),
    ("%z = tir.full 7 : {e} -> {t}\n%r = tir.div %x, %z : {t}", lambda x, y, n: divided(x, np.full_like(x, 7))),
    ("%z = tir.full 8 : {e} -> {t}\n%r = tir.div %x, %z : {t}", lambda x, y, n: divided(x, np.full_like(x, 8))),
    ("%z = tir.full 0 : {e} -> {t}\n%r = tir.div %x, %z : {t}", lambda x, y, n: np.zeros_like(x)),
    ("%a = tir.abs %x : {t}\n%n = tir.neg %a : {t}\n%r = tir.abs %n : {t}", lambda x, y, n: np.abs(-np.abs(x))),
    ("%s = tir.add %x, %y : {t}\n%c = tir.cmp lt %s, %x : {t}\n%r = tir.cast %c : {b} -> {t}",
     lambda x, y, n: (x + y < x).astype(x.dtype)),
    ("%n = tir.not %x : {t}\n%o = tir.or %n, %y : {t}\n%r = tir.and %o, %x : {t}", lambda x, y, n: (~x | y) & x),
    ("%w = tir.cast %x : {t} -> {w}\n%q = tir.mul %w, %w : {w}\n%r = tir.cast %q : {w} -> {t}", lambda x, y, n: x * x),
    ("%w = tir.cast %x : {t} -> {i}\n%r = tir.cast %w : {i} -> {t}", lambda x, y, n: x.astype("i1").astype(x.dtype)),
]  # fmt: skip


def divided(x: Any, y: Any) -> Any:
    """x / y toward zero, 0 where y is, element by element in Python's integers."""
    found = []
    for a, b in zip(x.tolist(), y.tolist()):
        quotient = 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        found.append(quotient & (2**64 - 1))
    return np.array(found, np.uint64).astype(x.dtype)


def through_i8(x: Any) -> Any:
    """To i8 and back: saturated, toward zero, nan to 0."""
    return np.trunc(np.clip(np.nan_to_num(x, nan=0.0), -128, 127)).astype("i1").astype(x.dtype)


def module_of(chains: list[Chain], name: str) -> str:
    """Each chain as a function of two vectors of any size."""
    types = {"t": name, "b": "i1", "i": "i8", "h": "f16", "w": "i64"}
    typed = {key: f"tensor<[N]x{element}>" for key, element in types.items()}
    text = ""
    for i, (body, _) in enumerate(chains):
        body = body.format(**typed, e=name)
        t = typed["t"]
        text += f"func.func @f{i}(%x: {t}, %y: {t}) -> {t} {{\n{body}\nreturn %r : {t}\n}}\n"
    return text


@pytest.mark.parametrize("level", ["tensor", "loops", "cpu", *(pytest.param(x, marks=pytest.mark.slow) for x in ("fused", "cpu, not fused"))])
@pytest.mark.parametrize("name", ["f16", "f32", "f64", "i8", "i32", "i64", "ui8", "ui16", "ui64"])
def test_chain_keeps_every_bit(name: str, level: str) -> None:
    chains = FLOAT_CHAINS if name[0] == "f" else INTEGER_CHAINS
    passes, target = LEVELS[level]
    program = Executable(module_at(module_of(chains, name), passes()), target)
    x, y = pairs(name)
    for i, (body, function) in enumerate(chains):
        (got,) = program.call(f"f{i}", [x, y])
        with np.errstate(all="ignore"):
            want = np.asarray(function(x, y, np.dtype(DTYPES[name]).type))
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want, err_msg=body)
        if name[0] == "f":
            number = ~np.isnan(want)
            np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number], err_msg=body)
