"""bf16 and f16 against ml_dtypes and numpy: every bit pattern, in numpy's hands and as machine code.

A scalar function of text runs on the interpreter and compiled, over a whole array at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tir.cli import levels
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir import bfloat16
from tir.ir.bfloat16 import bits_of, from_bits, is_bfloat16, outside_dtype, round_to_bf16
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import default

BF16 = np.dtype(ml_dtypes.bfloat16)
EVERY = np.arange(1 << 16, dtype=np.uint16)
DTYPES = {"bf16": BF16, "f16": np.dtype(np.float16), "f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}
TARGETS = ("interpret", "cpu")


def executable(text: str, target: str) -> Executable:
    """The program: as it is on the interpreter, whose ops take whole arrays, or compiled."""
    module = parse_text(text, REGISTRY)
    if target == "cpu":
        run_pipeline(default(), module)
    return Executable(module, target)


def elementwise(op: str, source: str, target: str, count: int = 1) -> str:
    """A function @f of tensors of [N] elements, with one op; `op` has {s} and {t} for the types."""
    s, t = f"tensor<[N]x{source}>", f"tensor<[N]x{target}>"
    arguments = ", ".join(f"%{i}: {s}" for i in range(count))
    return f"func.func @f({arguments}) -> {t} {{\n  %r = {op.format(s=s, t=t)}\n  return %r : {t}\n}}"


def assert_equal(got: Any, want: Any) -> None:
    """Equal numbers with equal signs, any nan for a nan; both in f64, which holds all."""
    assert got.dtype == want.dtype
    got, want = got.astype(np.float64), want.astype(np.float64)
    np.testing.assert_array_equal(got, want)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


# --- the numbers themselves ------------------------------------------------------------------------------------------


def near_ties(mantissa: int) -> np.ndarray:
    """f64 numbers at, just above and just below the middle between two bf16 numbers, subnormal ones too.

    mantissa: where the disturbance is, in bits behind the point: 30 is below the last bit of f32.
    """
    middles = (from_bits(EVERY[:0x7F80]).astype(np.float64) + from_bits(EVERY[1:0x7F81]).astype(np.float64)) / 2
    return np.concatenate([sign * middles * (1 + d) for sign in (1, -1) for d in (-(2.0**-mantissa), 0, 2.0**-mantissa)])


def nearest(x: np.ndarray) -> np.ndarray:
    """The bits of the nearest bf16 numbers to f64 numbers, by looking among all of them; ties go to even bits."""
    numbers = from_bits(EVERY[:0x7F80]).astype(np.float64)
    size = np.abs(x)
    above = np.clip(np.searchsorted(numbers, size), 1, 0x7F7F)
    low, high = size - numbers[above - 1], numbers[above] - size
    chosen = np.where((low < high) | ((low == high) & ((above - 1) % 2 == 0)), above - 1, above)
    chosen = np.where(size >= numbers[-1] + 2.0**119, 0x7F80, chosen)
    return (chosen | np.where(np.signbit(x), 0x8000, 0)).astype(np.uint16)


def test_every_bit_pattern_is_kept() -> None:
    np.testing.assert_array_equal(bits_of(from_bits(EVERY)), EVERY)
    assert_equal(from_bits(EVERY), EVERY.view(BF16).astype(np.float32))


def test_f32_is_rounded_as_ml_dtypes_does() -> None:
    bits = np.random.default_rng(0).integers(0, 1 << 32, 1 << 18, dtype=np.uint32)
    bits[: 1 << 17] = (bits[: 1 << 17] & 0xFFFF0000) | np.tile([0x7FFF, 0x8000, 0x8001, 0], 1 << 15).astype(np.uint32)
    x = bits.view(np.float32)
    assert_equal(round_to_bf16(x).astype(BF16), x.astype(BF16))


@pytest.mark.parametrize("mantissa", [20, 30, 50])
def test_f64_is_rounded_once(mantissa: int) -> None:
    x = near_ties(mantissa)
    np.testing.assert_array_equal(bits_of(x), nearest(x))


def test_shape_order_and_kind_are_kept() -> None:
    x = np.arange(12, dtype=">f4").reshape(3, 4)[::-1, ::2]
    assert bits_of(x).shape == (3, 2) and round_to_bf16(x).dtype == np.float32
    np.testing.assert_array_equal(round_to_bf16(x), x)
    assert isinstance(round_to_bf16(np.float32(1)), np.float32) and isinstance(round_to_bf16(np.zeros(())), np.ndarray)
    assert round_to_bf16(np.zeros((0, 3), np.float32)).shape == (0, 3)


# --- conversions and functions, at both ends -------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("narrow", ["bf16", "f16"])
def test_every_number_is_extended_and_every_one_comes_back(narrow: str, target: str) -> None:
    x = EVERY.view(DTYPES[narrow])
    for wide in ("f32", "f64"):
        (got,) = executable(elementwise("tir.cast %0 : {s} -> {t}", narrow, wide), target).call("f", [x])
        assert_equal(got, x.astype(DTYPES[wide]))
        (back,) = executable(elementwise("tir.cast %0 : {s} -> {t}", wide, narrow), target).call("f", [got])
        assert_equal(back, x)


@pytest.mark.parametrize("target", TARGETS)
def test_f64_to_bf16_is_rounded_once_by_programs_too(target: str) -> None:
    x = np.concatenate([near_ties(30), near_ties(50)])
    (got,) = executable(elementwise("tir.cast %0 : {s} -> {t}", "f64", "bf16"), target).call("f", [x])
    np.testing.assert_array_equal(got.view(np.uint16), nearest(x))


def integers(name: str) -> np.ndarray:
    """Numbers of every size next to a middle between two bf16 numbers, and the ends of the type."""
    dtype = np.dtype({"u": "uint"}.get(name[0], "int") + name.lstrip("ui"))
    info = np.iinfo(dtype)
    middles = [m << shift for m in range(0x101, 0x200, 2) for shift in range(info.bits)]
    near = {sign * m + d for m in (0, 1, *middles) for d in (-1, 0, 1) for sign in (1, -1)} | {info.min, info.max}
    return np.array(sorted(v for v in near if info.min <= v <= info.max), dtype)


def exact_to_bf16(x: np.ndarray) -> np.ndarray:
    """Integers to the bits of the nearest bf16, in Python's integers."""
    found = []
    for value in x.tolist():
        size, sign = abs(value), 0x8000 if value < 0 else 0
        drop = max(0, size.bit_length() - 8)
        kept, rest = size >> drop, size & ((1 << drop) - 1)
        half = (1 << drop) >> 1
        kept += drop > 0 and (rest > half or (rest == half and kept & 1))
        found.append(int(np.float32(float(kept << drop)).view(np.uint32)) >> 16 | sign)
    return np.array(found, np.uint16)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64"])
def test_integers_are_rounded_once(name: str, target: str) -> None:
    x = integers(name)
    (got,) = executable(elementwise("tir.cast %0 : {s} -> {t}", name, "bf16"), target).call("f", [x])
    np.testing.assert_array_equal(got.view(np.uint16), exact_to_bf16(x))
    (half,) = executable(elementwise("tir.cast %0 : {s} -> {t}", name, "f16"), target).call("f", [x])
    assert_equal(half, x.astype(np.float64).astype(np.float16) if name not in ("i64", "ui64") else x.astype(np.float16))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("narrow", ["bf16", "f16"])
@pytest.mark.parametrize("name", ["i8", "i32", "i64", "ui8", "ui64"])
def test_floats_out_of_an_integers_range_saturate(name: str, narrow: str, target: str) -> None:
    x = EVERY.view(DTYPES[narrow])
    (got,) = executable(elementwise("tir.cast %0 : {s} -> {t}", narrow, name), target).call("f", [x])
    info = np.iinfo(got.dtype)
    want = [0 if v != v else max(info.min, min(info.max, int(v) if abs(v) < 1e300 else int(np.sign(v)) << 70))
            for v in x.astype(np.float64).tolist()]  # fmt: skip
    np.testing.assert_array_equal(got, np.array(want, got.dtype))


UNARY = {"neg": np.negative, "abs": np.abs, "sqrt": np.sqrt, "square": np.square}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("narrow", ["bf16", "f16"])
@pytest.mark.parametrize("op", UNARY)
def test_exact_functions_of_every_number(op: str, narrow: str, target: str) -> None:
    x = EVERY.view(DTYPES[narrow])
    (got,) = executable(elementwise(f"tir.{op} %0 : {{t}}", narrow, narrow), target).call("f", [x])
    assert_equal(got, UNARY[op](x.astype(np.float64)).astype(np.float32).astype(DTYPES[narrow]))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("narrow", ["bf16", "f16"])
@pytest.mark.parametrize("op", ["exp", "log", "tanh", "log1p", "sigmoid"])
def test_functions_of_every_number_are_within_an_ulp(op: str, narrow: str, target: str) -> None:
    x = EVERY.view(DTYPES[narrow])
    function = {"sigmoid": lambda v: 1 / (1 + np.exp(-v))}.get(op) or getattr(np, op)
    (got,) = executable(elementwise(f"tir.{op} %0 : {{t}}", narrow, narrow), target).call("f", [x])
    want = function(x.astype(np.float64)).astype(np.float32).astype(DTYPES[narrow])
    low, high = (np.nextafter(want, DTYPES[narrow].type(end)).astype(np.float64) for end in (-np.inf, np.inf))
    found = got.astype(np.float64)
    # tir.sigmoid is 0, by its docstring, where exp(-x) overflows f32: below the smallest normal number.
    inside = ((found >= low) & (found <= high)) | (np.abs(found - want.astype(np.float64)) < 2.0**-126)
    assert (inside | (np.isnan(found) & np.isnan(want))).all()  # computed in f32, so half an ulp and a little


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div"])
def test_arithmetic_of_bf16_is_correctly_rounded(op: str, target: str) -> None:
    random = np.random.default_rng(0)
    x, y = (random.permutation(np.tile(EVERY, 4)).view(BF16) for _ in range(2))
    (got,) = executable(elementwise(f"tir.{op} %0, %1 : {{t}}", "bf16", "bf16", 2), target).call("f", [x, y])
    exact = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}[op]
    want = exact(x.astype(np.float64), y.astype(np.float64))
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got.view(np.uint16)[finite], nearest(want[finite]))
    assert_equal(got[~finite], want[~finite].astype(BF16))


FMA = """
func.func @f(%x: memref<?xbf16>, %y: memref<?xbf16>, %z: memref<?xbf16>, %r: memref<?xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?xbf16>
  scf.for %i = %c0 to %n step %c1 {
    %a = memref.load %x[%i] : memref<?xbf16>
    %b = memref.load %y[%i] : memref<?xbf16>
    %c = memref.load %z[%i] : memref<?xbf16>
    %d = math.fma %a, %b, %c : bf16
    memref.store %d, %r[%i] : memref<?xbf16>
  }
  return
}
"""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", [BF16, np.float32], ids=str)
def test_fma_is_rounded_once_and_buffers_are_written_in_place(dtype: Any, target: str) -> None:
    # 1.0078125 * 1.5 = 1.51171875 lies in the middle of two numbers, and z decides, however small it is.
    x = np.array([1.0078125, 1.0078125, 1.0078125, 3e38, np.inf, np.nan, 0.0], dtype)
    y = np.array([1.5, 1.5, 1.5, 3.0, 1.0, 1.0, -1.0], dtype)
    z = np.array([1e-30, -1e-30, 0.0, -np.inf, -np.inf, 0.0, 0.0], dtype)
    result = np.zeros(7, dtype)
    executable(FMA, target).call("f", [x, y, z, result])
    want = [1.515625, 1.5078125, float(from_bits(nearest(np.array([1.51171875])))[0]), -np.inf, np.nan, np.nan, 0.0]
    np.testing.assert_array_equal(result.astype(np.float64), want)


def test_sums_accumulate_in_f32() -> None:
    x = np.ones(5000, BF16)  # in bf16 the sum would stay at 256
    text = "func.func @f(%x: tensor<[N]xbf16>) -> tensor<bf16> {\n  %0 = tir.sum %x over [0] : tensor<bf16>\n  return %0 : tensor<bf16>\n}"
    for target in TARGETS:
        (got,) = executable(text, target).call("f", [x])
        assert float(got) == 4992.0


@pytest.mark.parametrize("target", TARGETS)
def test_accumulator_may_be_named(target: str) -> None:
    text = """
    func.func @f(%x: tensor<[N]xi8>, %y: tensor<[N]xf32>) -> (tensor<i8>, tensor<f32>, tensor<f32>) {
      %0 = tir.sum %x over [0] acc i64 : tensor<i8>
      %1 = tir.sum %y over [0] acc f64 : tensor<f32>
      %2 = tir.dot %y, %y acc f64 : tensor<f32>
      return %0, %1, %2 : tensor<i8>, tensor<f32>, tensor<f32>
    }"""
    y = np.array([1e8, 1.0, -1e8] * 50, np.float32)
    total, single, product = executable(text, target).call("f", [np.full(150, 100, np.int8), y])
    assert (int(total), float(single)) == (np.int64(15000).astype(np.int8), 50.0)
    assert float(product) == np.float32(1e18)


# --- what callers give and get ---------------------------------------------------------------------------------------

SHARED = """
tir.shared @w : tensor<3xbf16> = dense<[1.0, 2.0, 3.0]>
func.func @step(%x: tensor<3xbf16>) -> tensor<3xbf16> {
  %w = tir.read @w : tensor<3xbf16>
  %0 = tir.add %w, %x : tensor<3xbf16>
  tir.update @w, %0 : tensor<3xbf16>
  return %w : tensor<3xbf16>
}
"""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("package", [True, False], ids=["ml_dtypes", "without"])
def test_callers_get_bfloat16_or_float32(package: bool, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not package:
        monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
        monkeypatch.setattr(bfloat16, "ml_dtypes", bfloat16.LazyModule("ml_dtypes"))
    outside_dtype.cache_clear()
    try:
        wanted = BF16 if package else np.dtype(np.float32)
        exe = executable(SHARED, target)
        for x in (np.array([0.5, 0.25, 256.0], BF16), np.array([0.5, 0.25, 256.0], np.float32), [0.5, 0.25, 256.0]):
            exe.state.reset()
            (before,) = exe.call("step", [x])
            assert before.dtype == wanted and exe.state["w"].dtype == wanted
            np.testing.assert_array_equal(before.astype(np.float32), [1, 2, 3])
            np.testing.assert_array_equal(exe.state["w"].astype(np.float32), [1.5, 2.25, 260.0])
        exe.state["w"] = [1.01, 2, 3]
        np.testing.assert_array_equal(exe.state["w"].astype(np.float32), [1.0078125, 2, 3])
    finally:
        outside_dtype.cache_clear()


@pytest.mark.parametrize("target", TARGETS)
def test_other_floats_are_refused(target: str) -> None:
    with pytest.raises(Exception, match="argument 'x' must be bfloat16 or float32, got float64"):
        executable(SHARED, target).call("step", [np.zeros(3)])


def test_bytes_from_a_file_are_bf16() -> None:
    raw = np.array([1.5, -2.0], BF16).view("V2")  # what numpy.load gives
    assert is_bfloat16(raw) and not is_bfloat16(np.zeros(2, np.uint16))
    np.testing.assert_array_equal(bfloat16.widened(raw), np.array([1.5, -2.0], np.float32))


LEVELS_APART = """
tir.shared @m : tensor<64xbf16> = dense<0.0>

func.func @main(%x: tensor<64x300xbf16> {tir.name = "x"}) -> tensor<64xbf16> {
  %m = tir.read @m : tensor<64xbf16>
  %e = tir.exp %x : tensor<64x300xbf16>
  %s = tir.mean %e over [1] : tensor<64xbf16>
  %n = tir.add %m, %s : tensor<64xbf16>
  tir.update @m, %n : tensor<64xbf16>
  return %s : tensor<64xbf16>
}
"""


@pytest.mark.parametrize("package", [True, False], ids=["ml_dtypes", "without"])
def test_levels_may_differ_by_a_rounding_of_bf16(package: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tir-run --check-levels`: sums in another order round to the neighbour; a result that is wrong is still found."""
    if not package:
        monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
        monkeypatch.setattr(bfloat16, "ml_dtypes", bfloat16.LazyModule("ml_dtypes"))
    outside_dtype.cache_clear()
    factor = [1.0]
    outcome = levels._outcome

    def changed(level: levels.Level, *rest: Any) -> Any:
        found = outcome(level, *rest)
        if level.name == "cpu":
            found["result"] = found["result"] * np.float32(factor[0])
        return found

    monkeypatch.setattr(levels, "_outcome", changed)
    module = parse_text(LEVELS_APART, REGISTRY)
    function = next(op for op in module.body if op.name == "func.func")
    x = np.random.default_rng(0).normal(size=(64, 300)).astype(np.float32)
    try:
        for factor[0], wrong in ((1.0, []), (1 + 2.0**-7, []), (1.1, ["cpu"])):
            reports = levels.check_levels(module, "main", function, {"x": x})
            assert [report.level for report in reports if report.difference] == wrong
    finally:
        outside_dtype.cache_clear()
