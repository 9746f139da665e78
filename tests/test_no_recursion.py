"""Nothing recurses on the size or depth of a program: all of it works at a recursion limit of 200.

Each test is a script that runs in a process of its own; it imports what it needs first and then sets the limit.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from benchmarks.gradient_programs import CHAINS

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 200

HEADER = f"""
import sys
import numpy as np
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.ir import Block, Region
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.pipelines import PASSES, default, lower_cpu

def chain(length, op=lambda i: ("mul", "add")[i % 2]):
    lines = ["func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {{", "  %v0 = tir.leaf %x : tensor<3xf32>"]
    for i in range(length):
        lines.append(f"  %v{{i + 1}} = tir.{{op(i)}} %v{{i}}, %x : tensor<3xf32>")
    lines += [f"  %c = tir.sum %v{{length}} over [0] : tensor<f32>",
              "  %g = tir.grad %c wrt (%v0) : tensor<3xf32>", "  return %g : tensor<3xf32>", "}}"]
    return "\\n".join(lines) + "\\n"

def run(module, *names):
    for name in names:
        run_pipeline(Pipeline([PASSES[name]()]), module)

parse_text("func.func @warm() {{\\n  return\\n}}", REGISTRY)
sys.setrecursionlimit({LIMIT})
"""


def run(script: str) -> None:
    """Runs the script behind the header; it must end with code 0."""
    program = HEADER + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_long_program_is_parsed_verified_and_printed_in_both_forms() -> None:
    run("""
        module = parse_text(chain(10_000), REGISTRY)
        short, generic = print_op(module), print_op(module, generic=True)
        assert print_op(parse_text(short, REGISTRY)) == short
        assert print_op(parse_text(generic, REGISTRY)) == short
        assert print_op(module.clone()) == short
    """)


def test_long_program_goes_through_the_passes_of_the_tensor_level() -> None:
    run("""
        module = parse_text(chain(10_000), REGISTRY)
        run(module, "canonicalize", "cse", "dce", "autodiff", "canonicalize", "cse", "dce", "lower-structured")
        assert print_op(module).count("linalg.generic") > 4_000
    """)


def test_chain_without_users_is_removed_whole() -> None:
    run("""
        text = chain(10_000).replace("return %g", "return %x")
        module = parse_text(text, REGISTRY)
        run(module, "dce")
        assert "tir." not in print_op(module)
    """)


def test_equal_chains_are_merged_whole() -> None:
    run("""
        lines = ["func.func @f(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {"]
        for name in "ab":
            lines.append(f"  %{name}0 = tir.exp %x : tensor<f32>")
            lines += [f"  %{name}{i + 1} = tir.exp %{name}{i} : tensor<f32>" for i in range(5_000)]
        lines += ["  return %a5000, %b5000 : tensor<f32>, tensor<f32>", "}"]
        module = parse_text("\\n".join(lines), REGISTRY)
        run(module, "cse")
        assert print_op(module).count("tir.exp") == 5_001
    """)


def test_chain_of_folds_is_folded_whole() -> None:
    run("""
        lines = ["func.func @f(%x: tensor<f32>) -> tensor<f32> {", "  %v0 = tir.neg %x : tensor<f32>"]
        lines += [f"  %v{i + 1} = tir.neg %v{i} : tensor<f32>" for i in range(9_999)]
        lines += ["  return %v9999 : tensor<f32>", "}"]
        module = parse_text("\\n".join(lines), REGISTRY)
        run(module, "canonicalize", "dce")
        assert "tir." not in print_op(module)
    """)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("length", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", CHAINS)
def test_chain_that_is_built_is_differentiated(kind: str, length: int) -> None:
    run(f"""
        sys.setrecursionlimit(1000)
        from benchmarks.gradient_programs import chain
        sys.setrecursionlimit({LIMIT})
        builder = chain("{kind}", {length})
        builder.verify()
        run(builder.module, "autodiff")
        builder.verify()
        assert sum(1 for _ in builder.module.walk()) > 2 * {length}
    """)


def test_long_program_is_interpreted() -> None:
    run("""
        module = parse_text(chain(10_000, lambda i: "maximum"), REGISTRY)
        run(module, "autodiff")
        (result,) = Interpreter(module).run("f", [np.array([1, 2, 3], np.float32)])
        np.testing.assert_array_equal(result, [1, 1, 1])
    """)


def test_loops_and_conditions_on_a_tensor_nest_deep() -> None:
    """Down to the loops level, where the tensor lies in one place."""
    run("""
        head = ["func.func @f(%t0: tensor<?xf32>, %c: i1) -> tensor<?xf32> {", "%z = arith.constant 0 : index",
                "%o = arith.constant 1 : index", "%one = arith.constant 1.0 : f32"]
        ends = ["return %r0 : tensor<?xf32>", "}"]
        for i in range(240):
            if i % 3 == 0:
                head.append(f"%r{i} = scf.for %i{i} = %z to %o step %o iter_args(%t{i + 1} = %t{i}) -> (tensor<?xf32>) {{")
                ends[:0] = [f"scf.yield %r{i + 1} : tensor<?xf32>", "}"]
            elif i % 3 == 1:
                head += [f"%r{i} = scf.if %c -> (tensor<?xf32>) {{",
                         f"%t{i + 1} = tensor.insert %one into %t{i}[%z] : tensor<?xf32>"]
                ends[:0] = [f"scf.yield %r{i + 1} : tensor<?xf32>", "} else {", f"scf.yield %t{i} : tensor<?xf32>", "}"]
            else:
                head.append(f"%r{i} = scf.while (%t{i + 1} = %t{i}) : (tensor<?xf32>) -> tensor<?xf32> {{")
                ends[:0] = [f"%v{i} = tensor.extract %r{i + 1}[%z] : tensor<?xf32>",
                            f"%g{i} = arith.cmpf olt, %v{i}, %one : f32",
                            f"scf.condition(%g{i}) %r{i + 1} : tensor<?xf32>", "} do {",
                            f"^bb0(%w{i}: tensor<?xf32>):", f"scf.yield %w{i} : tensor<?xf32>", "}"]
        head.append("%r240 = tensor.insert %one into %t240[%o] : tensor<?xf32>")
        module = parse_text("\\n".join([*head, *ends]), REGISTRY)
        arguments = [np.zeros(2, np.float32), np.bool_(True)]
        np.testing.assert_array_equal(Interpreter(module).run("f", arguments)[0], [1, 1])
        run(module, "canonicalize", "cse", "dce", "fuse-structured", "bufferize")
        assert print_op(module).count("memref.copy") == 1
        found = np.zeros(2, np.float32)  # the result is as long as %t0, so the caller makes it
        Interpreter(module).run("f", [*arguments, found])
        np.testing.assert_array_equal(found, [1, 1])
        run_pipeline(lower_cpu(), module)
        from tir.lower.llvm import lower_to_llvm
        lower_to_llvm(module)
    """)


@pytest.mark.timeout(300)
def test_long_program_goes_down_to_loops() -> None:
    run("""
        from tir.lower.llvm import lower_to_llvm
        module = parse_text(chain(1_500), REGISTRY)
        run_pipeline(default(), module)
        assert "tensor" not in print_op(module)
        lower_to_llvm(module, 256)
        module = parse_text(chain(1_500), REGISTRY)
        run_pipeline(lower_cpu(), module)
        parse_text(print_op(module), REGISTRY)
    """)


@pytest.mark.parametrize("depth", [1_000])
def test_deep_regions_are_verified_printed_copied_rewritten_and_interpreted(depth: int) -> None:
    run(f"""
        from tir.dialects import builtin, func, scf
        from tir.ir.types import I1, I64

        def yielding(values):
            block = Block()
            Builder.at_end(block).op(scf.Yield, values)
            return block

        function = func.Func.make("f", [I1, I64], [I64])
        condition, x = function.entry.arguments
        block = yielding([x])
        for _ in range({depth}):
            branch = create(scf.If, condition, regions=[Region([block]), Region([yielding([x])])], result_types=[I64])
            block = Block()
            block.append(branch)
            Builder.at_end(block).op(scf.Yield, branch.results)
        branch.detach()
        function.entry.append(branch)
        Builder.at_end(function.entry).op(func.Return, branch.results)
        module = create(builtin.Module, regions=[Region([Block()])], result_types=())
        module.body.append(function)
        verify(module)
        assert print_op(module).count("scf.if") == {depth}
        assert print_op(module, generic=True) == print_op(module.clone(), generic=True)
        assert Interpreter(module).run("f", [True, 7]) == [7]
        run(module, "canonicalize", "cse", "dce", "expand-math", "symbol-dce", "inline")
        verify(module)
    """)


def test_text_that_is_too_deep_is_refused_with_a_sentence() -> None:
    run("""
        from tir.ir.errors import TirErrors
        for text in ("func.func @f() {\\n" + "scf.execute_region {\\n" * 5_000, "(" * 100_000, '"a.b"() ({' * 20_000):
            try:
                parse_text(text, REGISTRY, allow_unregistered=True)
            except TirErrors as errors:
                assert len(str(errors)) < 5_000, len(str(errors))
            else:
                raise AssertionError(text[:50])
    """)


def test_deep_affine_expression_is_read_and_printed() -> None:
    run("""
        text = "affine_map<(d0) -> (d0" + " + d0 floordiv 2" * 600 + ")>"
        module = parse_text(f'"a.b"() {{m = {text}}} : () -> ()', REGISTRY, allow_unregistered=True)
        printed = print_op(module)
        assert print_op(parse_text(printed, REGISTRY, allow_unregistered=True)) == printed
    """)


def test_chain_of_calls_is_inlined() -> None:
    run("""
        lines = ["func.func private @f0(%x: tensor<f32>) -> tensor<f32> {\\n  return %x : tensor<f32>\\n}"]
        for i in range(300):
            private = "" if i == 299 else "private "
            lines.append(f"func.func {private}@f{i + 1}(%x: tensor<f32>) -> tensor<f32> {{")
            lines.append(f"  %0 = func.call @f{i}(%x) : (tensor<f32>) -> tensor<f32>")
            lines.append("  %1 = tir.exp %0 : tensor<f32>\\n  return %1 : tensor<f32>\\n}")
        module = parse_text("\\n".join(lines), REGISTRY)
        Interpreter(module).run("f300", [np.float32(0)])
        run(module, "inline", "symbol-dce")
        assert print_op(module).count("func.func") == 1
    """)


@pytest.mark.parametrize("length", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_chain_of_constants_is_propagated_whole(length: int) -> None:
    run(f"""
        lines = ["func.func @f() -> i32 {{", "  %v0 = arith.constant 1 : i32"]
        lines += [f"  %v{{i + 1}} = arith.addi %v{{i}}, %v0 : i32" for i in range({length})]
        module = parse_text("\\n".join([*lines, "  return %v{length} : i32", "}}"]), REGISTRY)
        run(module, "sccp")
        text = print_op(module)
        assert "arith.constant {length + 1} : i32" in text and text.count("arith.") == 2
    """)


def test_constants_are_propagated_through_deep_branches_and_chains_of_calls() -> None:
    run("""
        from tir.dialects import arith, func, scf
        from tir.ir.attributes import IntegerAttr
        from tir.ir.types import I1, I32
        f = func.Func.make("f", [I32], [I32])
        b = Builder.at_end(f.entry)
        t, v = (b.create(arith.Constant, value=IntegerAttr(1, type), result_types=[type]) for type in (I1, I32))
        for i in range(1_000):
            then, other = Block(), Block()
            Builder.at_end(other).op(scf.Yield, [f.arguments[0]], result_types=[])
            op = b.op(scf.If, t, result_types=[I32], regions=[Region([then]), Region([other])])
            b.op(scf.Yield if i else func.Return, [op.result], result_types=[])
            b = Builder.at_end(then)
        b.op(scf.Yield, [b.create(arith.AddI, v, v)], result_types=[])
        verify(f)
        PASSES["sccp"]().run(f)
        assert "scf.if" not in print_op(f) and "arith.constant 2" in print_op(f)

        def function(name, arguments, first, result):
            return f"func.func {name}({arguments}) -> i32 {{\\n  {first}\\n  return {result} : i32\\n}}"

        texts = [
            function(f"private @f{i}", "%x: i32", f"%0 = func.call @f{i + 1}(%x) : (i32) -> i32", "%0") for i in range(1_000)
        ]
        texts.append(function("private @f1000", "%x: i32", "", "%x"))
        texts.append(function("@main", "", "%c = arith.constant 7 : i32\\n  %0 = func.call @f0(%c) : (i32) -> i32", "%0"))
        module = parse_text("\\n".join(texts), REGISTRY)
        run(module, "sccp")
        assert print_op(module).count("arith.constant 7") == 2 * 1_001 + 1
    """)


@pytest.mark.parametrize("length", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_ops_leave_deep_loops_in_one_go_and_long_chains_whole(length: int) -> None:
    run(f"""
        from tir.dialects import arith, func, scf
        from tir.ir.types import I32, INDEX
        f = func.Func.make("f", [I32, INDEX], [I32])
        x, n = f.arguments
        b = Builder.at_end(f.entry)
        for i in range(1_000):
            body = Block([INDEX, I32])
            op = b.op(scf.For, n, n, n, [x], result_types=[I32], regions=[Region([body])])
            b.op(scf.Yield if i else func.Return, [op.result], result_types=[])
            b = Builder.at_end(body)
        value = x
        for i in range({length}):
            value = b.create(arith.AddI, value, x)
        b.op(scf.Yield, [value], result_types=[])
        verify(f)
        PASSES["licm"]().run(f)
        verify(f)
        assert sum(isinstance(op, arith.AddI) for op in f.entry) == {length}
    """)


def test_stores_are_read_through_in_deep_branches_and_long_blocks() -> None:
    run("""
        from tir.dialects import func, memref, scf
        from tir.ir.types import I1, I32, INDEX, MemRefType
        buffer = MemRefType((4,), I32)
        f = func.Func.make("f", [I32, INDEX, I1, buffer], [])
        x, i, p, m = f.arguments
        b = Builder.at_end(f.entry)
        for k in range(400):
            b.op(memref.Store, x, m, [i], result_types=[])
            inner = Block()
            op = b.op(scf.If, p, result_types=[], regions=[Region([inner]), Region()])
            b.op(memref.Store, b.create(memref.Load, m, [i], result_types=[I32]), m, [i], result_types=[])
            b.op(scf.Yield if k else func.Return, [], result_types=[])
            b = Builder.at_end(inner)
        for k in range(5_000):
            x = b.create(memref.Load, m, [i], result_types=[I32])
            b.op(memref.Store, x, m, [i], result_types=[])
        b.op(scf.Yield, [], result_types=[])
        verify(f)
        PASSES["read-through-write"]().run(f)
        verify(f)
        assert sum(isinstance(op, memref.Store) for op in f.walk()) == 1
    """)


# The suites of the parser, the IR (verifier and printer), the passes and the ops, each once at the limit.
SUITES = [
    pytest.param("tests/ir", 200, marks=pytest.mark.slow),
    pytest.param("tests/parser", 400, marks=pytest.mark.slow),
    pytest.param("tests/passes", 100, marks=pytest.mark.slow),
    pytest.param("tests/dialects", 1000, marks=pytest.mark.slow),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("folder", "at_least"), SUITES)
def test_suite_passes_at_a_recursion_limit_of_200(folder: str, at_least: int) -> None:
    options = ["-q", "-p", "tests.low_recursion", "-p", "no:xdist", "-p", "no:cacheprovider", "-m", "not slow"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed[1]) >= at_least, done.stdout[-500:]


def test_limit_is_low_while_a_test_runs(tmp_path: Path) -> None:
    """A suite that passes at the limit says something only if a test that recurses does not."""
    (tmp_path / "test_deep.py").write_text(
        "import sys\ndef down(n):\n    return n and down(n - 1)\n"
        "def test_shallow():\n    assert sys.getrecursionlimit() == 200 and down(100) == 0\n"
        "def test_deep():\n    down(200)\n"
    )
    options = ["-q", "-p", "tests.low_recursion", "-p", "no:xdist", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path / "test_deep.py"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 failed, 1 passed" in done.stdout and "RecursionError" in done.stdout, done.stdout
