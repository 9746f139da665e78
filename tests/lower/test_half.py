"""f16 as machine code for a CPU without instructions for it, against numpy: every bit pattern, and every kind of rounding.

The machine that runs the tests may have them: what is compiled here has no half in its text, so that none are used.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tir import machines
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError
from tir.lower.llvm import lower_to_llvm
from tir.lower.llvm_half import without_half
from tir.parser.parse import parse_text
from tir.runtime.jit import host_target

EVERY = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


@pytest.fixture(autouse=True)
def machine_without_half(monkeypatch: pytest.MonkeyPatch) -> None:
    target = host_target()
    features = ",".join(word for word in target.features.split(",") if word != "+f16c")
    poor = dataclasses.replace(target, triple="x86_64-unknown-linux-gnu", features=features)
    assert not poor.has_half
    monkeypatch.setattr(machines, "code_target", lambda: poor)


def run(text: str, *arrays: np.ndarray) -> np.ndarray:
    return np.asarray(Executable(module_at(text, LEVELS["cpu"][0]()), "cpu").call("f", arrays)[0])


def cast(source: str, target: str) -> str:
    result = f"tensor<?x{target}>"
    return f"func.func @f(%x: tensor<?x{source}>) -> {result} {{\n  %r = tir.cast %x : tensor<?x{source}> -> {result}\n  return %r : {result}\n}}\n"


def assert_same(got: np.ndarray, want: np.ndarray) -> None:
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    numbers = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(want)[numbers])


@pytest.mark.parametrize("wide", ["f32", "f64"])
def test_every_half_is_extended_exactly_and_comes_back(wide: str) -> None:
    want = EVERY.astype({"f32": np.float32, "f64": np.float64}[wide])
    assert_same(run(cast("f16", wide), EVERY), want)
    assert_same(run(cast(wide, "f16"), want), EVERY)


@pytest.mark.parametrize("wide", ["f32", "f64"])
def test_numbers_between_two_halves_are_rounded_to_nearest_even(wide: str) -> None:
    dtype = {"f32": np.float32, "f64": np.float64}[wide]
    finite = np.unique(EVERY[np.isfinite(EVERY)].astype(dtype))
    middles = (finite[1:] + finite[:-1]) / 2
    above, below = np.nextafter(middles, dtype(np.inf)), np.nextafter(middles, dtype(-np.inf))
    edges = np.array([65519.99, 65520, 65536, 1e30, np.inf, np.nan, 2.0**-25, 2.0**-26, 1e-40, 0.0, -0.0], dtype)
    x = np.concatenate([middles, above, below, edges, -edges])
    with np.errstate(over="ignore"):
        assert_same(run(cast(wide, "f16"), x), x.astype(np.float16))


def test_a_program_on_halves() -> None:
    text = """
func.func @f(%x: tensor<?x5xf16>, %y: tensor<?x5xf16>) -> tensor<?xf16> {
  %c = tir.constant dense<1.5> : tensor<5xf16>
  %0 = tir.mul %x, %y : tensor<?x5xf16>
  %1 = tir.maximum %0, %x : tensor<?x5xf16>
  %2 = tir.neg %1 : tensor<?x5xf16>
  %3 = tir.sum %2 over [1] : tensor<?xf16>
  return %3 : tensor<?xf16>
}
"""
    x, y = (np.random.default_rng(seed).normal(size=(7, 5)).astype(np.float16) for seed in (0, 1))
    chosen = np.maximum((x.astype(np.float32) * y.astype(np.float32)).astype(np.float16), x)
    np.testing.assert_array_equal(run(text, x, y), -chosen.astype(np.float32).sum(1).astype(np.float16))


def test_text_of_vectors_and_constants_has_no_half_left() -> None:
    text = """
func.func @f(%x: memref<8xf16>, %y: memref<8xf64>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant dense<1.5> : vector<8xf16>
  %half = vector.load %x[%c0] : memref<8xf16>, vector<8xf16>
  %single = arith.extf %half : vector<8xf16> to vector<8xf32>
  %back = arith.truncf %single : vector<8xf32> to vector<8xf16>
  %fused = vector.fma %back, %one, %half : vector<8xf16>
  vector.store %fused, %x[%c0] : memref<8xf16>, vector<8xf16>
  %wide = arith.extf %fused : vector<8xf16> to vector<8xf64>
  vector.store %wide, %y[%c0] : memref<8xf64>, vector<8xf64>
  return
}
"""
    module = parse_text(text, REGISTRY)
    lowered = lower_to_llvm(module, lacks=["half"]).text
    assert re.search(r"(?<![\w.%$-])half(?![\w.$-])", lowered) is None and "%half" in lowered
    x, y = np.array([0, -0.0, 1, -2.5, 6e-8, 3e-5, 60000, np.inf], np.float16), np.zeros(8)
    with np.errstate(over="ignore"):
        want = (x.astype(np.float64) * 1.5 + x.astype(np.float64)).astype(np.float16)
    Executable(module, "cpu").call("f", [x, y])
    np.testing.assert_array_equal(x, want)
    np.testing.assert_array_equal(y, want.astype(np.float64))


def test_arithmetic_that_should_be_gone_is_named() -> None:
    module = parse_text("func.func @f(%x: f16) -> f16 {\n  %0 = arith.addf %x, %x : f16\n  return %0 : f16\n}\n", REGISTRY)
    with pytest.raises(PassError, match="arith.addf: this machine has no arithmetic on f16; run arith-emulate"):
        lower_to_llvm(module, lacks=["half"])


def test_names_in_quotes_stay() -> None:
    assert without_half('define half @"a half b"(half %half)').startswith('define i16 @"a half b"(i16 %half)')
