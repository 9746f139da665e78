"""Code for other machines: the same bits where it runs here, and nothing that the machine does not have."""

from __future__ import annotations

import ctypes
import itertools
import re
from fractions import Fraction

import numpy as np
import pytest

import tir
from tests.passes.loop_texts import FORMS, elementwise_loop
from tests.passes.test_vectorize import check_elementwise, check_reduction, vectorized
from tir.api import for_this_machine
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.lower.llvm_plain import without_fma, without_rounding
from tir.machines import lowered_for
from tir.parser.parse import parse_text
from tir.passes.pipelines import default
from tir.passes.vectorize import Vectorize
from tir.runtime.elf import read_elf
from tir.runtime.gate import CodegenError
from tir.runtime.jit import compile_text, emit_assembly, emit_object, host_target
from tir.runtime.targets import NAMED_TARGETS, Target

RUNS_HERE = [name for name, target in NAMED_TARGETS.items() if target.runs_on(host_target())]
WITHOUT_FMA = ("x86-64", "x86-64-v2")

PROGRAM = """
func.func @f(%x: tensor<?x37xf32>, %w: tensor<37x21xf32>, %h: tensor<?x37xf16>)
    -> (tensor<?x21xf32>, tensor<?x37xf64>, tensor<37xf32>, tensor<?x37xf16>, tensor<?x37xf32>) {
  %0 = tir.exp %x : tensor<?x37xf32>
  %1 = tir.floor %x : tensor<?x37xf32>
  %2 = tir.add %0, %1 : tensor<?x37xf32>
  %3 = tir.dot %2, %w : tensor<?x21xf32>
  %4 = tir.cast %2 : tensor<?x37xf32> -> tensor<?x37xf64>
  %5 = tir.sin %4 : tensor<?x37xf64>
  %6 = tir.sum %2 over [0] : tensor<37xf32>
  %7 = tir.sqrt %h : tensor<?x37xf16>
  %8 = tir.softmax %x over [1] : tensor<?x37xf32>
  return %3, %5, %6, %7, %8 : tensor<?x21xf32>, tensor<?x37xf64>, tensor<37xf32>, tensor<?x37xf16>, tensor<?x37xf32>
}
"""


def test_what_each_machine_has() -> None:
    facts = {name: (t.vector_bytes, t.masks, t.has_fma, t.has_rounding, t.has_half) for name, t in NAMED_TARGETS.items()}
    assert facts == {
        "x86-64": (16, "none", False, False, False),
        "x86-64-v2": (16, "none", False, True, False),
        "x86-64-v3": (32, "tails", True, True, True),
        "x86-64-v4": (64, "loops", True, True, True),
        "aarch64": (16, "none", True, True, True),
    }


def test_code_runs_on_machines_that_have_as_much() -> None:
    levels = [NAMED_TARGETS[name] for name in ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")]
    for (i, one), (j, other) in itertools.product(enumerate(levels), repeat=2):
        assert one.runs_on(other) == (i <= j)
        assert not one.runs_on(NAMED_TARGETS["aarch64"])


def results_of(arrays: list[np.ndarray]) -> list[np.ndarray]:
    module = parse_text(PROGRAM, REGISTRY)
    run_pipeline(for_this_machine(), module)
    return list(Executable(module).call("f", arrays))


@pytest.mark.parametrize("name", RUNS_HERE)
def test_programs_give_the_same_bits_on_every_machine(name: str) -> None:
    """But for sums whose order is free: lanes under a mask are added with the others, and one by one where there is none."""
    random = np.random.default_rng(3)
    x = random.normal(0, 20, (19, 37)).astype(np.float32)
    x.flat[:6] = [np.nan, np.inf, -np.inf, -0.0, 1e-40, 3e38]
    arrays = [x, random.normal(size=(37, 21)).astype(np.float32), random.uniform(0, 4, (19, 37)).astype(np.float16)]
    want = results_of(arrays)
    with tir.config.change_flags(cpu=name):
        got = results_of(arrays)
    for one, other in zip(got[:-1], want[:-1]):
        assert one.dtype == other.dtype
        assert_same(one, other)
    np.testing.assert_allclose(got[-1], want[-1], rtol=1e-6)


def test_a_machine_that_this_one_is_not_is_an_error() -> None:
    other = "aarch64" if host_target().processor == "x86_64" else "x86-64"
    with tir.config.change_flags(cpu=other), pytest.raises(CodegenError) as caught:
        tir.jit(lambda x: x + 1)(np.ones(3))
    assert f"the flag cpu is '{other}', and code for that does not run on this machine" in str(caught.value)


def made_for(target: Target) -> tuple[str, bytes]:
    """The assembly and the object file of the program."""
    module, pipeline = parse_text(PROGRAM, REGISTRY), default()
    for step in pipeline.passes():
        if isinstance(step, Vectorize):
            step.masks = target.masks
    run_pipeline(pipeline, module)
    lowered = lowered_for(module, target)
    facts = lowered.text, lowered.grants, lowered.passes, target
    return emit_assembly(*facts), emit_object(*facts)


@pytest.mark.parametrize("name", NAMED_TARGETS)
def test_machine_code_has_what_the_machine_has(name: str) -> None:
    assembly, data = made_for(NAMED_TARGETS[name])
    found = read_elf(data)
    assert found.machine == {"x86_64": 62, "aarch64": 183}[NAMED_TARGETS[name].processor]
    outside = {"tir_parallel_for", "aligned_alloc", "free", "memset", "memmove", "memcpy"}
    assert set(found.undefined) <= outside
    registers = {"zmm": "x86-64-v4", "ymm": "x86-64-v3", "vfmadd": "x86-64-v3", "fmla\t": "aarch64"}
    levels = list(NAMED_TARGETS)
    for word, first in registers.items():
        may_have = (
            name == "aarch64" if first == "aarch64" else name != "aarch64" and levels.index(name) >= levels.index(first)
        )
        assert (word in assembly) == may_have, word
    if name == "aarch64":
        assert re.search(r"fmla\tv\d+\.4s", assembly)
        assert re.search(r"fmla\tv\d+\.2d", assembly)


def test_loops_without_masks_give_the_same() -> None:
    assert sum(check_elementwise(seed, masks="none") for seed in range(40)) > 20
    assert sum(check_reduction(seed, *FORMS[seed % len(FORMS)], masks="none") for seed in range(20)) > 8
    for seed in range(20):
        module, _ = vectorized(elementwise_loop(seed).text, masks="none")
        assert not any("mask" in op.name for op in module.walk())


# --- fma and rounding without instructions for them ------------------------------------------------------------------

TYPES = {"float": ("f32", np.float32, np.uint32), "double": ("f64", np.float64, np.uint64)}


def kernel(name: str, scalar: str, lanes: int, count: int) -> str:
    """@f, which applies an intrinsic to the elements of `count` arrays."""
    kind = scalar if lanes == 1 else f"<{lanes} x {scalar}>"
    suffix = ("" if lanes == 1 else f"v{lanes}") + TYPES[scalar][0]
    loads = [
        f"  %q{i} = getelementptr {scalar}, ptr %p{i}, i64 %i\n  %v{i} = load {kind}, ptr %q{i}, align 4"
        for i in range(count)
    ]
    call = ", ".join(f"{kind} %v{i}" for i in range(count))
    pointers = "".join(f", ptr %p{i}" for i in range(count))
    return f"""define void @f(i64 %n, ptr %out{pointers}) #0 {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{chr(10).join(loads)}
  %r = call {kind} @llvm.{name}.{suffix}({call})
  %s = getelementptr {scalar}, ptr %out, i64 %i
  store {kind} %r, ptr %s, align 4
  %next = add i64 %i, {lanes}
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}

declare {kind} @llvm.{name}.{suffix}({", ".join([kind] * count)})

attributes #0 = {{ nounwind }}
"""


def run(text: str, arrays: list[np.ndarray]) -> np.ndarray:
    library = compile_text(text, ["f"])
    parameters = [ctypes.c_int64, *[ctypes.c_void_p] * (1 + len(arrays))]
    out = np.zeros_like(arrays[0])
    ctypes.CFUNCTYPE(None, *parameters)(library.address("f"))(len(out), out.ctypes.data, *(x.ctypes.data for x in arrays))
    return out


def hard_numbers(scalar: str, count: int, size: int) -> list[np.ndarray]:
    """Random bits, numbers near 1, and edges; for three of them also sums that nearly cancel."""
    _, dtype, bits = TYPES[scalar]
    random, facts = np.random.default_rng(5), np.finfo(dtype)
    edges = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1.0, -1.0, np.inf, -np.inf, np.nan, facts.max, -facts.max, facts.tiny,
             facts.smallest_subnormal, -facts.smallest_subnormal, 1 + facts.eps, 2.0**22 + 0.5, 2.0**52 - 0.5, 2.0**53]  # fmt: skip
    found = []
    with np.errstate(all="ignore"):
        for _ in range(count):
            ways = [random.integers(0, np.iinfo(bits).max, size, bits, endpoint=True).view(dtype), random.normal(size=size),
                    random.choice(np.array(edges, dtype), size), random.normal(size=size) * facts.tiny * 8]  # fmt: skip
            found.append(np.choose(random.integers(0, len(ways), size), ways).astype(dtype))
        if count == 3:
            near = -(found[0] * found[1]) * (1 + random.integers(-2, 3, size) * facts.eps)
            found[2] = np.where(random.random(size) < 0.3, near, found[2]).astype(dtype)
    return found


def exact_fma(a: float, b: float, c: float, dtype: type) -> float:
    """a * b + c in fractions, rounded once."""
    if not np.isfinite(a) or not np.isfinite(b) or a == 0 or b == 0:
        return a * b + c
    if not np.isfinite(c):
        return c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return rounded(exact, dtype) if exact else 0.0


def rounded(exact: Fraction, dtype: type) -> float:
    """The nearest number of the format, the even one of two."""
    facts = np.finfo(dtype)
    size, lowest = abs(exact), facts.minexp - facts.nmant
    power = max(size.numerator.bit_length() - size.denominator.bit_length() - 1, facts.minexp)
    if Fraction(2) ** (power + 1) <= size:
        power += 1
    unit = Fraction(2) ** max(power - facts.nmant, lowest)
    whole = round(size / unit)  # ties to even
    found = whole * unit
    result = float("inf") if found > Fraction(float(facts.max)) else float(found)
    return result if exact > 0 else -result


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("scalar", TYPES)
def test_fma_rounds_once(scalar: str, lanes: int) -> None:
    dtype = TYPES[scalar][1]
    arrays = hard_numbers(scalar, 3, 6000)
    got = run(without_fma(kernel("fma", scalar, lanes, 3)), arrays)
    for one, (a, b, c) in zip(got, zip(*arrays)):
        a, b, c = float(a), float(b), float(c)
        want = exact_fma(a, b, c, dtype)
        same = (np.isnan(one) and np.isnan(want)) or (float(one) == want and np.signbit(one) == np.signbit(want))
        assert same, f"fma({a.hex()}, {b.hex()}, {c.hex()}): got {float(one).hex()}, want {float(want).hex()}"


@pytest.mark.skipif(not host_target().has_fma, reason="nothing to compare with")
@pytest.mark.parametrize("lanes", [1, 4, 8])
@pytest.mark.parametrize("scalar", TYPES)
def test_fma_is_that_of_the_machine(scalar: str, lanes: int) -> None:
    arrays, text = hard_numbers(scalar, 3, 1 << 17), kernel("fma", scalar, lanes, 3)
    assert_same(run(without_fma(text), arrays), run(text, arrays))


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("scalar", TYPES)
@pytest.mark.parametrize(("name", "reference"), [
    ("floor", np.floor), ("ceil", np.ceil), ("trunc", np.trunc), ("roundeven", np.rint),
])  # fmt: skip
def test_rounding_is_that_of_numpy(name: str, reference: np.ufunc, scalar: str, lanes: int) -> None:
    arrays = hard_numbers(scalar, 1, 1 << 16)
    with np.errstate(all="ignore"):
        assert_same(run(without_rounding(kernel(name, scalar, lanes, 1)), arrays), reference(arrays[0]))


def assert_same(got: np.ndarray, want: np.ndarray) -> None:
    numbers = ~np.isnan(want)
    assert np.array_equal(np.isnan(got), ~numbers)
    assert got[numbers].tobytes() == want[numbers].tobytes()


@pytest.mark.parametrize("name", WITHOUT_FMA)
def test_their_text_calls_nothing_that_the_machine_lacks(name: str) -> None:
    text = lowered_for(parse_text("""
      func.func @f(%x: f64, %y: vector<4xf32>) -> (f64, f64, vector<4xf32>) {
        %0 = math.fma %x, %x, %x : f64
        %1 = math.floor %0 : f64
        %2 = math.fma %y, %y, %y : vector<4xf32>
        return %0, %1, %2 : f64, f64, vector<4xf32>
      }""", REGISTRY), NAMED_TARGETS[name]).text  # fmt: skip
    assert "@llvm.fma" not in text
    assert ("@llvm.floor" in text) == (name != "x86-64")
