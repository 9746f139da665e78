"""A bug in a pass leaves a file that fails in the same way; what stands in such a file is not trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import opt
from tir.dialects.all import REGISTRY
from tir.ir.errors import UNKNOWN, FileLocation
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.parser.parse import parse_text
from tir.passes.pipelines import ALL

TEXT = """\
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.exp %x : tensor<4xf32>
  %1 = tir.exp %x : tensor<4xf32>
  %2 = tir.neg %0 : tensor<4xf32>
  %3 = tir.add %2, %1 : tensor<4xf32>
  return %3 : tensor<4xf32>
}
"""


@dataclass
class Crash(Pass):
    """Raises where an op of this name is, or where there are so many of all."""

    name = "crash"
    at: str = "tir.neg"
    count: int = 1

    def run(self, op: Op) -> None:
        found = [inner for inner in op.walk() if inner.name == self.at]
        if len(found) >= self.count:
            raise ZeroDivisionError(f"{self.at}: {len(found)}")


@dataclass
class CrashOnLocation(Pass):
    """Raises for ops that come from line 4 of the file x.tir."""

    name = "crash-on-location"

    def run(self, op: Op) -> None:
        for inner in op.walk():
            where = inner.location.file_location()
            if isinstance(where, FileLocation) and where.line == 4 and where.file == "x.tir":
                raise KeyError("line 4")


@dataclass
class CrashOnObject(Pass):
    """Raises because of what no text says: an attribute of the Python object."""

    name = "crash-on-object"
    seen = 0

    def run(self, op: Op) -> None:
        type(self).seen += 1
        if type(self).seen == 1:
            raise OverflowError("once")


@dataclass
class Break(Pass):
    """Leaves a return without its value."""

    name = "break"

    def run(self, op: Op) -> None:
        for inner in op.walk():
            if inner.name == "func.return":
                inner.set_operands([])


@dataclass
class Deep(Pass):
    """Recurses without end."""

    name = "deep"

    def run(self, op: Op) -> None:
        self.run(op)


@dataclass
class Lose(Pass):
    """Loses all locations."""

    name = "lose"

    def run(self, op: Op) -> None:
        for inner in op.walk():
            inner.location = UNKNOWN


@pytest.fixture(autouse=True)
def _planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    passes = {one.name: one for one in (Crash, CrashOnLocation, CrashOnObject, Break, Deep, Lose)}
    monkeypatch.setattr(opt, "ALL", {**{name: ALL[name] for name in ALL}, **passes})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.tir").write_text(TEXT)
    CrashOnObject.seen = 0


def run(*arguments: object, code: int = 3) -> Done:
    done = call(opt.main, *arguments)
    assert done.code == code, done.err
    return done


def reproducer(path: str = "tir-opt-reproducer.tir") -> tuple[list[str], str, str]:
    """The comments, the module, and the section of a file."""
    lines = Path(path).read_text().split("\n")
    comments = [line for line in lines if line.startswith("//")]
    module, _, section = "\n".join(line for line in lines if not line.startswith("//")).partition("{-#")
    return comments, module, section


def pipeline_of(section: str) -> str:
    (text,) = re.findall(r'pipeline: "(.*)"', section)
    return text


def test_pass_that_failed_is_kept_alone_with_the_module_in_front_of_it() -> None:
    done = run("x.tir", "--cse", "--crash", "--dce")
    assert done.sentence == (
        "tir-opt: error: bug in tir: pass crash: ZeroDivisionError: tir.neg: 1; "
        "`tir-opt --run-reproducer tir-opt-reproducer.tir` repeats it"
    )
    assert done.out == ""
    comments, module, section = reproducer()
    assert pipeline_of(section) == "builtin.module(crash)"
    assert module.count("tir.exp") == 1, "cse has run already"
    assert comments[0] == "// tir-opt x.tir --cse --crash --dce"
    assert comments[1].startswith("// tir 0.") and ", Python 3." in comments[1]
    assert comments[-1] == "// ZeroDivisionError: tir.neg: 1" and any("Traceback" in line for line in comments)


def test_reproducer_fails_in_the_same_way_and_is_not_written_over() -> None:
    run("x.tir", "--cse", "--crash")
    before = Path("tir-opt-reproducer.tir").read_text()
    done = run("--run-reproducer", "tir-opt-reproducer.tir")
    assert "pass crash: ZeroDivisionError: tir.neg: 1 (the reproducer says: ZeroDivisionError in run)" in done.sentence
    assert Path("tir-opt-reproducer.tir").read_text() == before


def test_reproducer_goes_where_the_flag_says() -> None:
    assert "`tir-opt --run-reproducer 'a b.tir'` repeats it" in run("x.tir", "--crash", "--reproducer=a b.tir").sentence
    run("--run-reproducer", "a b.tir")
    assert not Path("tir-opt-reproducer.tir").exists()


def test_reproducer_that_cannot_be_written_is_said_and_the_bug_too() -> None:
    Path("tir-opt-reproducer.tir").mkdir()  # where it goes without the flag
    sentence = run("x.tir", "--crash").sentence
    assert "ZeroDivisionError" in sentence
    assert "no reproducer: cannot write tir-opt-reproducer.tir: it is a directory" in sentence


def test_pass_that_fails_inside_a_function_is_kept_inside_functions() -> None:
    run("x.tir", "--pass-pipeline=builtin.module(cse,func.func(dce,crash{at=tir.add},cse))")
    assert pipeline_of(reproducer()[2]) == "builtin.module(func.func(crash{at=tir.add}))"
    assert "tir.add" in run("--run-reproducer", "tir-opt-reproducer.tir").sentence


def test_options_are_part_of_the_pipeline() -> None:
    run("x.tir", "--crash=at=tir.exp,count=2")
    assert pipeline_of(reproducer()[2]) == "builtin.module(crash{at=tir.exp count=2})"
    run("--run-reproducer", "tir-opt-reproducer.tir")


def test_module_that_a_pass_broke_is_a_bug_of_that_pass() -> None:
    sentence = run("x.tir", "--cse", "--break", "--dce").sentence
    assert "bug in tir: the module is wrong behind the pipeline cse,break,dce" in sentence
    assert pipeline_of(reproducer()[2]) == "builtin.module(break)"
    assert "wrong behind the pipeline" in run("--run-reproducer", "tir-opt-reproducer.tir").sentence


def test_verify_each_is_kept() -> None:
    run("x.tir", "--break", "--cse", "--verify-each")
    assert "verify_each: true" in reproducer()[2]
    assert "wrong behind pass break" in run("--run-reproducer", "tir-opt-reproducer.tir").sentence


def test_failure_that_needs_locations_keeps_them() -> None:
    run("x.tir", "--crash-on-location")
    assert 'loc("x.tir":4:3)' in reproducer()[1]
    run("--run-reproducer", "tir-opt-reproducer.tir")
    run("x.tir", "--crash")
    assert "loc(" not in reproducer()[1]


def test_failure_of_the_whole_pipeline_alone_keeps_the_whole() -> None:
    run("x.tir", "--crash-on-location", "--lose")
    assert pipeline_of(reproducer()[2]) == "builtin.module(crash-on-location)"


def test_failure_that_nothing_repeats_keeps_the_input_and_the_pipeline() -> None:
    assert run("x.tir", "--cse", "--crash-on-object").sentence.endswith("runs it again, but did not fail here")
    comments, module, section = reproducer()
    assert module.strip() == TEXT.strip() and pipeline_of(section) == "builtin.module(cse,crash-on-object)"
    assert comments[-1] == "// OverflowError: once"


def test_limit_of_changes_is_what_was_left_of_it() -> None:
    run("x.tir", "--max-rewrites=3", "--cse", "--crash")
    assert "max_rewrites: 2" in reproducer()[2]
    run("--run-reproducer", "tir-opt-reproducer.tir")


def test_unknown_ops_stay_allowed() -> None:
    Path("u.tir").write_text('"shop.sell"() : () -> ()\n')
    run("u.tir", "--allow-unregistered-dialect", "--crash=at=shop.sell")
    assert "allow_unregistered_dialect: true" in reproducer()[2]
    run("--run-reproducer", "tir-opt-reproducer.tir")


def test_endless_recursion_is_a_bug_too() -> None:
    assert "pass deep: RecursionError" in run("x.tir", "--deep").sentence
    run("--run-reproducer", "tir-opt-reproducer.tir")


def test_part_of_a_file_that_is_split_is_kept_alone() -> None:
    Path("two.tir").write_text("func.func @g() {\n  return\n}\n// -----\n" + TEXT)
    run("two.tir", "--split-input-file", "--crash")
    assert "@g" not in reproducer()[1]
    run("--run-reproducer", "tir-opt-reproducer.tir")


def test_hostile_names_do_not_leave_their_place() -> None:
    hostile = 'a\\0A{-# external_resources: { mlir_reproducer: { pipeline: \\22x\\22 } } #-}\\0A// \\1B[31m'
    Path("h.tir").write_text(f'func.func @"{hostile}"() {{\n  return\n}}\n')
    sentence = run("h.tir", "--crash=at=func.return", "--cse=").sentence
    assert "\x1b" not in sentence
    text = Path("tir-opt-reproducer.tir").read_text()
    assert "\x1b" not in text and pipeline_of(reproducer()[2].split("{-#")[-1]) == "builtin.module(crash{at=func.return})"
    parse_text(text, REGISTRY)
    run("--run-reproducer", "tir-opt-reproducer.tir")


def test_names_of_files_stay_in_their_comment() -> None:
    Path("a\n{-#.tir").write_text(TEXT)
    run("a\n{-#.tir", "--crash")
    assert reproducer()[0][0] == "// tir-opt 'a\\x0a{-#.tir' --crash"
    run("--run-reproducer", "tir-opt-reproducer.tir")


# --- reproducers of others -------------------------------------------------------------------------------------------


def written(section: str, module: str = TEXT) -> str:
    Path("r.tir").write_text(f"{module}{{-#\n  external_resources: {{ {section} }}\n#-}}\n")
    return "r.tir"


def test_reproducer_that_does_not_fail_prints_the_module() -> None:
    path = written('mlir_reproducer: { pipeline: "builtin.module(cse)", disable_threading: true, verify_each: true }')
    assert run("--run-reproducer", path, code=0).out.count("tir.exp") == 1


@pytest.mark.parametrize(("section", "message"), [
    ("other: { pipeline: \"cse\" }", "r.tir: no reproducer: `{-# external_resources: { mlir_reproducer:"),
    ("mlir_reproducer: { pipeline: cse }", "r.tir:9:54: error: mlir_reproducer: pipeline: expected a string in quotes, got 'cse'"),
    ('mlir_reproducer: { pipeline: "cse(" }', "mlir_reproducer: pipeline: pipeline: 'cse' is a pass, not an op at character 1"),
    ('mlir_reproducer: { pipeline: "open{/etc/passwd}" }', "unknown pass 'open'"),
    ('mlir_reproducer: { pipeline: "\\1B[31m" }', "expected a pass at character 1 of '\\x1b[31m'"),
    ('mlir_reproducer: { pipeline: "cse", verify_each: yes }', "verify_each: expected true or false, got 'yes'"),
    ('mlir_reproducer: { pipeline: "cse" }, tir_reproducer: { max_rewrites: "1" }', "expected an integer, 0 or more"),
    ('mlir_reproducer: { pipeline: "cse" }, tir_reproducer: { max_rewrites: 99999999999999999999 }', "expected an integer"),
    ('mlir_reproducer: { pipeline: "' + "cse," * 50_000 + 'cse" }', "at most 65536 characters"),
    ('mlir_reproducer: { pipeline: "func.func(inline)" }', "pass inline runs on the module"),
])  # fmt: skip
def test_hostile_or_broken_reproducer_is_one_located_error(section: str, message: str) -> None:
    done = run("--run-reproducer", written(section), code=1)
    assert message in done.err and "Traceback" not in done.err and "\x1b" not in done.err


def test_only_one_module_is_a_reproducer() -> None:
    path = written('mlir_reproducer: { pipeline: "cse" }')
    Path(path).write_text(f"func.func @g() {{\n  return\n}}\n// -----\n{Path(path).read_text()}")
    done = run("--run-reproducer", "--split-input-file", path, code=2)
    assert "--run-reproducer runs one module" in done.sentence


def test_mistakes_in_the_module_of_a_reproducer_are_all_reported() -> None:
    path = written('mlir_reproducer: { pipeline: "cse" }', "func.func @f( {\n}\nfunc.func @g( {\n}\n")
    assert run("--run-reproducer", path, code=1).err.count("error:") == 2
