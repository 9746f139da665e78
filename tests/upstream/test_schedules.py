"""Schedules beside upstream's: what tir prints upstream reads, and one schedule leaves the same ops in both.

Sizes divide, so that upstream, too, leaves ops that tir has; constants, and how an index is computed from them, are left
out of the comparison.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.lit_runner import LIT_ROOT
from tests.upstream.judge import installed_version, judge
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.traits import ConstantLike
from tir.parser.parse import parse_text
from tir.passes.transform_interpreter import TransformInterpreter

GROUP = pytest.mark.xdist_group("upstream")
IS_CI = os.environ.get("CI", "").lower() == "true"
ANY = "!transform.any_op"
ONE = f"({ANY}) -> {ANY}"
TWO = f"({ANY}) -> ({ANY}, {ANY})"
SCRIPT = """
import sys
from torch_mlir import ir, passmanager
with ir.Context():
    module = ir.Module.parse(sys.stdin.read())
    passmanager.PassManager.parse("builtin.module(transform-interpreter,affine-expand-index-ops,lower-affine)").run(module.operation)
    module.operation.print(print_generic_op_form=True)
"""
PRODUCT = """
  func.func @f(%a: tensor<8x6xf32>, %b: tensor<6x12xf32>, %o: tensor<8x12xf32>, %e: tensor<8x12xf32>) -> tensor<8x12xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%o : tensor<8x12xf32>) attrs = {fill} {
    ^bb0(%x: f32):
      linalg.yield %zero : f32
    } -> tensor<8x12xf32>
    %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>],
                    iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<8x6xf32>, tensor<6x12xf32>) outs(%0 : tensor<8x12xf32>) attrs = {product} {
    ^bb0(%x: f32, %y: f32, %z: f32):
      %3 = arith.mulf %x, %y : f32
      %4 = arith.addf %z, %3 : f32
      linalg.yield %4 : f32
    } -> tensor<8x12xf32>
    %2 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                    iterator_types = ["parallel", "parallel"]} ins(%1 : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) attrs = {relu} {
    ^bb0(%x: f32, %z: f32):
      %3 = arith.maximumf %x, %zero : f32
      linalg.yield %3 : f32
    } -> tensor<8x12xf32>
    return %2 : tensor<8x12xf32>
  }
"""
LOOPS = """
  func.func @f(%m: memref<40xf32>, %low: index, %high: index) -> f32 {
    %one = arith.constant 1 : index
    %two = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c17 = arith.constant 17 : index
    %c36 = arith.constant 36 : index
    %zero = arith.constant 0.0 : f32
    %0 = scf.for %i = %low to %high step %one iter_args(%s = %zero) -> (f32) {
      %1 = memref.load %m[%i] : memref<40xf32>
      %2 = arith.addf %s, %1 : f32
      scf.yield %2 : f32
    } {first}
    scf.for %i = %two to %c36 step %c3 {
      %1 = memref.load %m[%i] : memref<40xf32>
      %2 = arith.addf %0, %1 : f32
      memref.store %2, %m[%i] : memref<40xf32>
    } {second}
    scf.for %i = %one to %c17 step %one {
      scf.for %j = %two to %c3 step %one {
        %1 = memref.load %m[%j] : memref<40xf32>
        %2 = arith.addf %0, %1 : f32
        memref.store %2, %m[%i] : memref<40xf32>
      }
    } {third}
    return %0 : f32
  }
"""


@pytest.fixture(scope="module", autouse=True)
def upstream() -> None:
    if installed_version() is None:
        message = "upstream MLIR is not installed"
        pytest.fail(message) if IS_CI else pytest.skip(message)


def scheduled(payload: str, schedule: str) -> tuple[Op, Op]:
    """The program behind its schedule: by tir, and by upstream."""
    text = f"""module attributes {{transform.with_named_sequence}} {{
    {payload}
    transform.named_sequence @__transform_main(%root: {ANY} {{transform.readonly}}) {{
      {schedule}
      transform.yield
    }}
    }}"""
    module = parse_text(text, REGISTRY)
    generic = print_op(module, generic=True)
    TransformInterpreter().run(module)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=generic, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return module, parse_text(done.stdout, REGISTRY)


def shape_of(module: Op) -> list[str]:
    """The ops of the program but for constants, with their types, marks and how deep they stand."""
    found = []
    for op in module.walk():
        if isinstance(op, ConstantLike) or op.name.startswith("transform."):
            continue
        depth = sum(1 for _ in op.ancestors())
        facts = [str(value.type) for value in (*op.operands, *op.results)]
        facts += [f"{name} = {value}" for name, value in sorted({**op.properties, **op.attributes}.items())]
        found.append(f"{'  ' * depth}{op.name} {', '.join(facts)}")
    return found


MATCH = "".join(
    f"%{mark} = transform.structured.match attributes{{{mark}}} in %root : {ONE}\n" for mark in ("fill", "product", "relu")
)


@GROUP
@pytest.mark.parametrize("schedule", [
    f"%t, %l:3 = transform.structured.tile_using_for %product tile_sizes [4, 3, 2] : ({ANY}) -> ({ANY}, {ANY}, {ANY}, {ANY})",
    f"%t, %l:2 = transform.structured.tile_using_for %product tile_sizes [0, 3, 2] interchange = [2, 0, 1] : ({ANY}) -> ({ANY}, {ANY}, {ANY})",
    f"%t, %l = transform.structured.tile_using_forall %product tile_sizes [4, 3] : {TWO}",
    f"%i = transform.structured.interchange %product iterator_interchange = [1, 2, 0] : {ONE}",
    f"%i = transform.structured.interchange %product iterator_interchange = [2, 0, 1] : {ONE}\n"
    f"%t, %l:2 = transform.structured.tile_using_for %i tile_sizes [2, 4] : ({ANY}) -> ({ANY}, {ANY}, {ANY})",
    f"%t, %l = transform.structured.tile_using_forall %relu tile_sizes [4, 3] : {TWO}\n"
    f"%p, %m = transform.structured.fuse_into_containing_op %product into %l : ({ANY}, {ANY}) -> ({ANY}, {ANY})\n"
    f"%q, %n = transform.structured.fuse_into_containing_op %fill into %m : ({ANY}, {ANY}) -> ({ANY}, {ANY})",
    f"%t, %l:2 = transform.structured.fuse %relu tile_sizes [4, 3] interchange [1, 0] : ({ANY}) -> ({ANY}, {ANY}, {ANY})",
    f"%t, %l = transform.structured.fuse %relu tile_sizes [4, 3] {{use_forall}} : {TWO}",
    f"%all = transform.merge_handles %fill, %relu, %product : {ANY}\n%a, %b, %c = transform.split_handle %all : ({ANY}) -> ({ANY}, {ANY}, {ANY})\n"
    f'%f = transform.get_parent_op %b {{op_name = "func.func"}} : {ONE}\n%d = transform.get_producer_of_operand %b[0] : {ONE}\n'
    f'%u = transform.get_consumers_of_result %a[0] : {ONE}\ntransform.annotate %f "around" : {ANY}\n'
    f'transform.annotate %d "before" : {ANY}\ntransform.annotate %u "behind" : {ANY}\ntransform.annotate %c "third" : {ANY}',
    f"%p = transform.param.constant 4 : i64 -> !transform.param<i64>\n"
    f"%t, %l = transform.structured.tile_using_for %relu tile_sizes [%p] : ({ANY}, !transform.param<i64>) -> ({ANY}, {ANY})\n"
    f"%o = transform.get_parent_op %t {{nth_parent = 1}} : {ONE}\ntransform.annotate %o \"loop\" = %p : {ANY}, !transform.param<i64>",
    f"transform.foreach %relu : {ANY} {{\n^bb0(%x: {ANY}):\n%t, %l = transform.structured.tile_using_for %x tile_sizes [2] : {TWO}\n"
    f'transform.annotate %l "loop" : {ANY}\ntransform.yield\n}}',
])  # fmt: skip
def test_structured_ops_are_what_upstream_makes_of_them(schedule: str) -> None:
    ours, theirs = scheduled(PRODUCT, MATCH + schedule)
    original = parse_text(f"module {{\n{PRODUCT}\n}}", REGISTRY)
    assert shape_of(ours) != shape_of(original)
    if "forall" not in schedule:  # whose counters upstream numbers from 0 on in steps of 1
        assert shape_of(ours) == shape_of(theirs)
    rng = np.random.default_rng(0)
    given = [rng.integers(-9, 9, shape).astype(np.float32) for shape in ((8, 6), (6, 12), (8, 12), (8, 12))]
    want, *others = (Interpreter(module).run("f", given)[0] for module in (original, ours, theirs))
    for got in others:
        np.testing.assert_array_equal(got, want)


@GROUP
@pytest.mark.parametrize(("mark", "schedule"), [
    ("first", f"transform.loop.unroll %x {{factor = 4}} : {ANY}"),
    ("second", f"transform.loop.unroll %x {{factor = 5}} : {ANY}"),
    ("second", f'%y = transform.cast %x : {ANY} to !transform.op<"scf.for">\n'
     f'%a, %b = transform.loop.peel %y : (!transform.op<"scf.for">) -> ({ANY}, {ANY})\ntransform.annotate %b "rest" : {ANY}'),
    ("third", f"%c = transform.loop.coalesce %x : {ONE}"),
    ("third", f'%y = transform.cast %x : {ANY} to !transform.op<"scf.for">\n'
     f'%a, %b = transform.loop.peel %y {{peel_front = true}} : (!transform.op<"scf.for">) -> ({ANY}, {ANY})\n'
     f'transform.annotate %b "first_iteration" : {ANY}\ntransform.loop.promote_if_one_iteration %b : {ANY}'),
])  # fmt: skip
def test_loops_compute_what_upstreams_compute(mark: str, schedule: str) -> None:
    ours, theirs = scheduled(LOOPS, f"%x = transform.structured.match attributes{{{mark}}} in %root : {ONE}\n{schedule}")
    assert count_loops(ours) == count_loops(theirs)
    array = np.random.default_rng(0).normal(size=40).astype(np.float32)
    outcomes = []
    for module in (parse_text(f"module {{\n{LOOPS}\n}}", REGISTRY), ours, theirs):
        given = array.copy()
        (total,) = Interpreter(module).run("f", [given, 3, 30])
        outcomes.append((float(total), given.tobytes()))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def count_loops(module: Op) -> int:
    return sum(op.name == "scf.for" for op in module.walk())


@GROUP
def test_what_tir_prints_of_schedules_upstream_reads() -> None:
    text = (LIT_ROOT / "dialects" / "transform.tir").read_text(encoding="utf-8")
    (verdict,) = judge([text])
    assert not verdict.error


@GROUP
@pytest.mark.parametrize(("argument", "body"), [
    ("{transform.readonly}", f"transform.loop.unroll %root {{factor = 2}} : {ANY}"),
    ("{transform.readonly, transform.consumed}", ""),
    ("", f"%a, %b = transform.loop.peel %root : ({ANY}) -> ({ANY}, {ANY})"),
    ("", f"transform.loop.unroll %root {{factor = 0}} : {ANY}"),
    ("", f"transform.foreach %root : {ANY} {{\n^bb0(%x: !transform.any_value):\ntransform.yield\n}}"),
    ("", "%x = transform.merge_handles %root, %root : !transform.any_value"),
])  # fmt: skip
def test_wrong_schedules_are_wrong_upstream(argument: str, body: str) -> None:
    text = f"module attributes {{transform.with_named_sequence}} {{\ntransform.named_sequence @s(%root: {ANY} {argument}) {{\n{body}\ntransform.yield\n}}\n}}"
    with pytest.raises(Exception):  # noqa: B017, PT011  (a parse error or several)
        parse_text(text, REGISTRY)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=text, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode != 0
    assert "error" in done.stderr
