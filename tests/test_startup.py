"""What starting a tool imports: nothing that the run does not need. Counted, not timed; `benchmarks/startup.py` times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tir.dialects.all import DIALECTS, REGISTRY
from tir.lazy import LazyTable
from tir.passes.pipelines import ALL, PASSES, PIPELINES

ROOT = Path(__file__).resolve().parent.parent
CORE = {"numpy", "lark", "llvmlite"}
START = {"tir", "tir.lazy", "tir.version"}
TENSOR_LEVEL = """\
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = tir.neg %x : tensor<4xf32>
  %b = tir.neg %a : tensor<4xf32>
  %c = tir.add %b, %x : tensor<4xf32>
  %d = tir.add %b, %x : tensor<4xf32>
  %e = tir.mul %c, %d : tensor<4xf32>
  return %e : tensor<4xf32>
}
"""


def imported_by(program: str, text: str = "") -> set[str]:
    """The modules that are there at the end of a program which was given `text`, in a process of its own."""
    program = f"{program}\nimport sys\nprint(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def imported_by_tool(tool: str, *arguments: str, text: str = "") -> set[str]:
    program = f"import sys\nsys.argv = {[f'tir-{tool}', *arguments]}\nfrom tir.cli.entry import {tool}\nassert {tool}() == 0"
    return imported_by(program, text)


def of_tir(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "tir"}


@pytest.mark.parametrize("tool", ["opt", "run", "translate"])
def test_version_imports_next_to_nothing(tool: str) -> None:
    modules = imported_by_tool(tool, "--version")
    assert of_tir(modules) == {*START, "tir.cli", "tir.cli.entry"}
    assert not modules & {*CORE, "argparse", "dataclasses", "inspect", "re", "typing"}


@pytest.mark.parametrize("tool", ["opt", "run", "translate"])
def test_version_and_help_of_the_whole_tool_are_the_same_and_import_no_core_package(tool: str) -> None:
    whole = f"from tir.cli import {tool}\nassert {tool}.main(['--version']) == 0 == {tool}.main(['--help'])"
    assert not imported_by(whole) & CORE
    short, long = (
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for program in (
            f"import sys\nsys.argv[1:] = ['--version']\nfrom tir.cli.entry import {tool}\n{tool}()",
            f"from tir.cli import {tool}\n{tool}.main(['--version'])",
        )
    )
    assert short == long


def test_package_imports_next_to_nothing() -> None:
    modules = imported_by("import tir\nassert tir.__version__")
    assert of_tir(modules) == START
    assert not modules & CORE


def test_canonicalize_and_cse_of_a_tensor_level_file_import_no_other_level() -> None:
    modules = imported_by_tool("opt", "--canonicalize", "--cse", text=TENSOR_LEVEL)
    assert not modules & {*CORE, "asyncio", "hashlib", "html", "logging", "platform", "unittest"}
    dialects = {name.split(".")[2] for name in modules if name.startswith("tir.dialects.")} & set(DIALECTS)
    assert dialects == {"builtin", "func", "tir", "arith"}  # canonicalize makes constants of arith
    passes = {name for name in modules if name.startswith("tir.passes.")} - {"tir.passes.pipelines"}
    assert passes == {"tir.passes.canonicalize", "tir.passes.cse", "tir.passes.folding"}
    others = ("lower", "runtime", "interpret", "check", "compile", "api", "viz", "lsp", "reduce", "tensor")
    assert not {name for name in modules if name.startswith(tuple(f"tir.{other}" for other in others))}
    assert len(of_tir(modules)) <= 170  # a module for each family of tensor ops among them


def test_numbers_are_folded_with_numpy_alone() -> None:
    text = TENSOR_LEVEL.replace("tir.neg %x :", "tir.constant dense<1.0> :")
    assert imported_by_tool("opt", "--canonicalize", text=text) & CORE == {"numpy"}


# --- the tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PASSES)
def test_pass_has_the_name_of_its_row(name: str) -> None:
    assert PASSES[name].name == name


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_has_the_name_of_its_row_and_so_have_its_ops(name: str) -> None:
    assert DIALECTS[name].name == name
    assert {op.name.partition(".")[0] for op in DIALECTS[name].ops} == {name}


def test_op_is_found_by_its_name_alone() -> None:
    program = "from tir.dialects.all import REGISTRY\nassert REGISTRY.op_class('cf.br') and not REGISTRY.op_class('cf.no')"
    dialects = {name for name in imported_by(program) if name.startswith("tir.dialects.")}
    assert dialects == {"tir.dialects.all", "tir.dialects.cf"}
    assert REGISTRY.op_class("no.such") is None and not REGISTRY.has_dialect("no")


def test_table_knows_its_names_and_imports_its_values_later() -> None:
    table = LazyTable({"a": "no.such.module:x", "path": "os:path"})
    assert list(table) == ["a", "path"] and len(table) == 2 and "a" in table and "b" not in table
    assert table["path"].basename("x/y") == "y"
    with pytest.raises(ModuleNotFoundError):
        table["a"]
    with pytest.raises(KeyError):
        table["b"]
    assert set(ALL) == {*PASSES, *PIPELINES}
