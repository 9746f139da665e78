"""The text for LLVM: what it is vectorised to, that it is always the same, and what cannot become one."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.lower.native import lowered, run_both
from tests.lower.programs import f32, function
from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError
from tir.ir.ir import UnregisteredOp
from tir.lower.llvm import RULES, lower_to_llvm
from tir.parser.parse import parse_text
from tir.runtime.jit import emit_assembly, host_target

SAXPY = function(
    "(%a: f32, %x: memref<?xf32>, %y: memref<?xf32>)",
    """
    %n = memref.dim %x, %c0 : memref<?xf32>
    scf.for %i = %c0 to %n step %c1 {
      %0 = memref.load %x[%i] : memref<?xf32>
      %1 = memref.load %y[%i] : memref<?xf32>
      %2 = arith.mulf %a, %0 : f32
      %3 = arith.addf %2, %1 : f32
      memref.store %3, %y[%i] : memref<?xf32>
    }
    return""",
)

MATMUL = function(
    "(%a: memref<?x64xf32>, %b: memref<64x?xf32>, %c: memref<?x?xf32> {tir.out})",
    """
    %c64 = arith.constant 64 : index
    %m = memref.dim %a, %c0 : memref<?x64xf32>
    %n = memref.dim %b, %c1 : memref<64x?xf32>
    scf.parallel (%i) = (%c0) to (%m) step (%c1) {
      scf.for %k = %c0 to %c64 step %c1 {
        %x = memref.load %a[%i, %k] : memref<?x64xf32>
        scf.parallel (%j) = (%c0) to (%n) step (%c1) {
          %y = memref.load %b[%k, %j] : memref<64x?xf32>
          %p = arith.mulf %x, %y : f32
          %s = memref.load %c[%i, %j] : memref<?x?xf32>
          %t = arith.addf %s, %p : f32
          memref.store %t, %c[%i, %j] : memref<?x?xf32>
        }
      }
    }
    return""",
)


@pytest.mark.skipif(not host_target().triple.startswith("x86_64"), reason="reads x86 assembly")
@pytest.mark.parametrize("text", [SAXPY, MATMUL], ids=["saxpy", "matmul"])
def test_loops_over_contiguous_memory_are_vectorised(text: str) -> None:
    assembly = emit_assembly(lower_to_llvm(parse_text(text, REGISTRY), host_target().vector_bytes * 8).text)
    register = {64: "zmm", 32: "ymm", 16: "xmm"}[host_target().vector_bytes]
    assert any("mulps" in line and register in line for line in assembly.splitlines())


def test_saxpy_and_matmul_compute_what_numpy_does() -> None:
    x, y = f32(100), f32(100)
    np.testing.assert_array_equal(run_both(SAXPY, [np.float32(2), x, y])[2], np.float32(2) * x + y)
    a, b = f32(5, 64), f32(64, 7)
    # 64 products of numbers below 4: an error below 64 * 64 * 16 * 2^-24.
    np.testing.assert_allclose(run_both(MATMUL, [a, b, np.zeros((5, 7), np.float32)])[2], a @ b, atol=4e-3)


def test_the_same_module_gives_the_same_text() -> None:
    texts = {lowered(text).text for text in [MATMUL, MATMUL]}
    assert len(texts) == 1


def test_nesting_deeper_than_pythons_stack() -> None:
    leaf = "scf.if %c {\n" * 200 + "}\n" * 200
    module = parse_text(f"func.func @f(%c: i1) {{\n{leaf}return\n}}", REGISTRY)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        assert lower_to_llvm(module).text.count("br i1") == 200
    finally:
        sys.setrecursionlimit(limit)


def test_each_rule_is_of_an_op_that_exists() -> None:
    assert not [name for name in RULES if REGISTRY.op_class(name) is None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (function("(%x: i128)", "return"), "type i128 has no machine form"),
        (
            function("(%x: bf16)", "%0 = arith.addf %x, %x : bf16\nreturn"),
            "arith.addf: machine code has no arithmetic on bf16; run arith-emulate-unsupported-floats before this",
        ),
        (function("(%x: memref<4xf32, 3>)", "return"), "memory space 3 is not one of the CPU"),
        (function("(%x: tensor<4xf32>)", "return"), "type tensor<4xf32> has no machine form"),
        (function("(%x: vector<2x2xf32>)", "return"), "a vector must have one dimension"),
        (function("(%x: memref<2x2xf32, affine_map<(d0, d1) -> (d1, d0)>>)", "return"), "the layout must be strided"),
        (
            function("()", "%a = memref.alloc() : memref<2x2xf32, strided<[4, 1]>>\nreturn"),
            "memref.alloc: a new buffer must be dense",
        ),
        (
            function("(%x: memref<2xf32>)", "memref.dealloc %x : memref<2xf32>\nreturn"),
            "memref.dealloc: only a buffer that this function made can be freed",
        ),
        (
            function(
                "(%x: memref<2xf32>)",
                """
                %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%b = %x) -> (memref<2xf32>) {
                  %n = memref.alloc() : memref<2xf32>
                  scf.yield %n : memref<2xf32>
                }
                return""",
            ),
            "memref.alloc: a buffer that is made in a loop cannot go to the next iteration; make it outside",
        ),
        (
            "func.func private @g()\n" + function("()", "func.call @g() : () -> ()\nreturn"),
            "func.call: @g has no body in this module",
        ),
    ],
)
def test_what_has_no_machine_code_is_a_located_error(text: str, message: str) -> None:
    with pytest.raises(PassError) as error:
        lowered(text)
    assert message in str(error.value)
    assert error.value.location is not None and error.value.location.file_location() is not None


def test_an_op_that_a_pass_should_have_removed_names_the_pass() -> None:
    text = """
      func.func @f(%x: memref<4xf32>) {
        linalg.generic {
          indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]
        } outs(%x : memref<4xf32>) {
        ^bb0(%a: f32):
          linalg.yield %a : f32
        }
        return
      }"""
    with pytest.raises(PassError, match=r"linalg.generic: has no machine code; run lower-loops before this"):
        lowered(text)


def test_an_op_that_nobody_knows_is_refused() -> None:
    module = parse_text('func.func @f() {\n"other.op"() : () -> ()\nreturn\n}', REGISTRY, allow_unregistered=True)
    assert any(isinstance(op, UnregisteredOp) for op in module.walk())
    with pytest.raises(PassError, match="other.op: has no machine code"):
        lower_to_llvm(module)
