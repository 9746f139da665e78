"""tir-opt beside upstream's driver: the same pipelines run on the same ops, and the same reports say the same."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tests.upstream.judge import installed_version
from tir.cli import opt
from tir.ir.pipeline_text import parse_pipeline
from tir.passes.pipelines import ALL

GROUP = pytest.mark.xdist_group("upstream")
IS_CI = os.environ.get("CI", "").lower() == "true"
TEXT = """\
module {
  func.func @f(%x: f32) -> f32 {
    %0 = arith.addf %x, %x : f32
    %1 = arith.addf %x, %x : f32
    %2 = arith.mulf %0, %1 : f32
    return %2 : f32
  }
  func.func private @declared()
  module @inner {
    func.func @g(%x: f32) -> f32 {
      return %x : f32
    }
  }
  func.func @h(%n: index, %x: f32) {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    scf.for %i = %zero to %n step %one {
      %0 = arith.addf %x, %x : f32
    }
    return
  }
}
"""


@pytest.fixture(scope="module")
def upstream() -> str:
    """The path of upstream's driver."""
    if installed_version() is None:
        message = "upstream MLIR is not installed"
        pytest.fail(message) if IS_CI else pytest.skip(message)
    spec = importlib.util.find_spec("torch_mlir")
    assert spec is not None and spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "_mlir_libs" / "torch-mlir-opt"
    if not path.exists():
        pytest.skip("this wheel has no driver")
    return str(path)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("x.mlir").write_text(TEXT)
    return "x.mlir"


def theirs(upstream: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([upstream, "--mlir-disable-threading", *arguments], capture_output=True, text=True, check=False)


def ours(*arguments: str) -> Done:
    return call(opt.main, *arguments)


HEAD = re.compile(r"^// -----// IR Dump (Before|After) [^\n]*?(?:: |\()([\w-]+)[^\n]*\('([\w.]+)' operation(?:: @(\w+))?\)", re.MULTILINE)

PIPELINES = [
    "builtin.module(cse)",
    "any(cse)",
    "any(cse,any(canonicalize))",
    "builtin.module(func.func(cse,canonicalize),symbol-dce)",
    "builtin.module(any(cse,canonicalize))",
    "builtin.module(builtin.module(cse,func.func(cse)),func.func(canonicalize))",
    "builtin.module(any(any(cse)))",
    "builtin.module(func.func(func.func(cse)))",
    "builtin.module(cse,builtin.module(builtin.module(cse)))",
    "builtin.module(func.func(canonicalize{max-iterations=3}))",
]


@GROUP
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_pipelines_run_on_the_ops_that_upstream_runs_them_on(upstream: str, file: str, pipeline: str) -> None:
    their = theirs(upstream, file, f"--pass-pipeline={pipeline}", "--mlir-print-ir-before-all", "--mlir-print-ir-module-scope")
    our = ours(file, f"--pass-pipeline={pipeline}", "--print-ir-before-all", "--print-ir-module-scope")
    assert their.returncode == our.code == 0, their.stderr + our.err
    ran = HEAD.findall(our.err), HEAD.findall(their.stderr)
    # Upstream runs pipelines that stand side by side in one sweep over the ops; the ops are independent of each other.
    assert ran[0] == ran[1] or ("),func.func(" in pipeline and sorted(ran[0]) == sorted(ran[1]))


@GROUP
@pytest.mark.parametrize("pipeline", [
    "builtin.module(func.func(nope))", "builtin.module(func.func(cse)", "builtin.module(cse))", "builtin.module(cse,,cse)",
    "builtin.module(cse{", "builtin.module(cse{x=1})", "builtin.module(canonicalize{max-iterations=x})", "builtin.module(cse cse)",
])  # fmt: skip
def test_wrong_pipelines_are_wrong_upstream(upstream: str, file: str, pipeline: str) -> None:
    assert theirs(upstream, file, f"--pass-pipeline={pipeline}").returncode != 0
    assert ours(file, f"--pass-pipeline={pipeline}").code == 2


@GROUP
def test_upstream_refuses_to_run_on_ops_that_use_values_from_around_them_too(upstream: str, file: str) -> None:
    pipeline = "--pass-pipeline=builtin.module(func.func(scf.for(cse)))"
    assert "IsolatedFromAbove" in theirs(upstream, file, pipeline).stderr
    assert "passes cannot run on 'scf.for' alone" in ours(file, pipeline).err


@GROUP
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_either_dumps_the_other_reads(upstream: str, file: str, pipeline: str) -> None:
    flags = (file, f"--pass-pipeline={pipeline}", "--dump-pass-pipeline", "-o", "out.mlir")
    our = ours(*flags).err
    assert theirs(upstream, file, f"--pass-pipeline={our}").returncode == 0
    their = theirs(upstream, *flags).stderr.partition("\n")[2]  # without `Pass Manager with 2 passes:`
    known = re.sub(r"(?<=canonicalize)\{[^}]*?(max-iterations=\d+)[^}]*\}", r"{\1}", their)  # options that we do not have
    ten = known.replace("{max-iterations=10}", "")  # upstream's default, which it prints
    assert parse_pipeline(ten, ALL) == parse_pipeline(our, ALL)


@GROUP
@pytest.mark.parametrize("form", ["", "=json"])
def test_op_stats_are_printed_as_upstream_prints_them(upstream: str, file: str, form: str) -> None:
    assert ours(file, f"--print-op-stats{form}").err == theirs(upstream, file, f"--print-op-stats{form}").stderr


@GROUP
def test_tree_of_files_is_the_same(upstream: str, file: str) -> None:
    pipeline = "--pass-pipeline=builtin.module(cse,func.func(canonicalize,cse),builtin.module(func.func(cse)),symbol-dce)"
    assert theirs(upstream, file, pipeline, "--mlir-print-ir-after-all", "--mlir-print-ir-tree-dir=theirs").returncode == 0
    assert ours(file, pipeline, "--print-ir-after-all", "--print-ir-tree-dir=ours").code == 0
    trees = [sorted(str(path.relative_to(root).with_suffix("")) for path in Path(root).rglob("*.*")) for root in ("ours", "theirs")]
    assert trees[0] == trees[1] and len(trees[0]) > 5


@GROUP
def test_ir_is_printed_after_changes_where_upstream_does(upstream: str, file: str) -> None:
    pipeline = "--pass-pipeline=builtin.module(func.func(canonicalize,cse,cse),symbol-dce,canonicalize)"
    changes = "--mlir-print-ir-after-all", "--mlir-print-ir-after-change", "--mlir-print-ir-module-scope"
    their = theirs(upstream, file, pipeline, *changes).stderr
    our = ours(file, pipeline, *(flag.replace("mlir-", "") for flag in changes)).err
    assert HEAD.findall(our) == HEAD.findall(their)


@GROUP
def test_timing_has_the_lines_that_upstream_has(upstream: str, file: str) -> None:
    pipeline = "--pass-pipeline=builtin.module(func.func(cse,canonicalize),any(cse),symbol-dce)"
    theirs_, ours_ = theirs(upstream, file, pipeline, "--mlir-timing").stderr, ours(file, pipeline, "--timing").err

    def shape(report: str) -> list[str]:
        """The lines without numbers, analyses, what verifying takes, and the ends of class names."""
        lines = re.sub(r"\d+\.\d+", "N", report).split("\n")
        names = [re.sub(r" *\( *N%\)", " (N%)", line) for line in lines if "(A)" not in line and not line.endswith("  Verify")]
        spelt = {"CSEPass": "Cse", "CanonicalizerPass": "Canonicalize", "SymbolDCEPass": "SymbolDce"}
        return [re.sub("|".join(spelt), lambda match: spelt[match[0]], re.sub(r"^ +N", "N", line)) for line in names]

    assert shape(ours_) == shape(theirs_)


@GROUP
@pytest.mark.parametrize("flag", ["--split-input-file", "--split-input-file=// ====="])
def test_parts_of_a_file_are_split_as_upstream_splits_them(upstream: str, file: str, flag: str) -> None:
    marker = flag.partition("=")[2] or "// -----"
    Path(file).write_text(f"func.func private @a()\n{marker}\nfunc.func private @b()\n\n{marker}\nfunc.func private @c()\n")
    their, our = theirs(upstream, file, flag, "--output-split-marker=// next").stdout, ours(file, flag, "--output-split-marker=// next").out
    assert [part.split() for part in our.split("// next\n")] == [part.split() for part in their.split("// next\n")]
    assert our.count("// next\n") == 2


@GROUP
def test_reproducer_of_ours_runs_upstream(upstream: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: object, op: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(ALL["cse"], "run", crash)
        assert ours(file, "--pass-pipeline=func.func(canonicalize{max-iterations=2},cse)", "--reproducer=r.mlir").code == 3
    done = theirs(upstream, "--run-reproducer", "r.mlir", "--mlir-print-ir-after-all")
    assert done.returncode == 0 and HEAD.sub("", done.stderr).count("func.func @f") >= 1
    assert done.stdout.count("arith.addf") < TEXT.count("arith.addf")
    assert ours("--run-reproducer", "r.mlir").code == 0
