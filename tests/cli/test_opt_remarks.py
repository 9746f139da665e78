"""Remarks: which kinds there are, and YAML that a YAML parser reads back whatever names and files are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.tool import Done, call
from tir.cli import opt
from tir.cli.remarks import text_line, yaml_text
from tir.ir.errors import UNKNOWN, FileLocation, FusedLocation
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.ir.remarks import Remark
from tir.passes.pipelines import ALL

TEXT = """\
func.func @first(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @second(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.neg %x : tensor<4xf32>
  %1 = tir.neg %0 : tensor<4xf32>
  %2 = tir.exp %1 : tensor<4xf32>
  %3 = tir.exp %1 : tensor<4xf32>
  %4 = tir.add %2, %3 : tensor<4xf32>
  return %4 : tensor<4xf32>
}
"""


@dataclass
class Talk(Pass):
    """Has a remark of each kind."""

    name = "talk"

    def __post_init__(self) -> None:
        self.remarks: list[Any] = []

    def run(self, op: Op) -> None:
        exp = next(inner for inner in op.walk() if inner.name == "tir.exp")
        self.remarks[:] = [
            (exp.location, "not done: it's \"hard\""),
            (exp.location, "cost: 3", "analysis"),
            (UNKNOWN, "not done: nowhere"),
        ]


class Loader(yaml.SafeLoader):
    """Reads the documents of remarks; the tag becomes a key."""


def _remark(loader: Any, tag: str, node: Any) -> dict[str, Any]:
    return {"kind": tag, **loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _remark)


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(text, Loader=Loader))  # a subclass of SafeLoader


@pytest.fixture(autouse=True)
def _planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(opt, "ALL", {**{name: ALL[name] for name in ALL}, "talk": Talk})
    monkeypatch.chdir(tmp_path)
    Path("x.tir").write_text(TEXT)


def tir_opt(*arguments: object) -> Done:
    done = call(opt.main, "x.tir", *arguments)
    assert done.code == 0, done.err
    return done


@pytest.mark.parametrize(("kinds", "lines"), [
    ("", ["x.tir:7:3: remark: not done: it's \"hard\"", "remark: not done: nowhere"]),
    ("=missed", ["x.tir:7:3: remark: not done: it's \"hard\"", "remark: not done: nowhere"]),
    ("=analysis", ["x.tir:7:3: remark: cost: 3"]),
    ("=passed", ["x.tir:8:3: remark: tir.exp: merge"]),
    ("=analysis,passed", ["x.tir:7:3: remark: cost: 3", "x.tir:8:3: remark: tir.exp: merge"]),
])  # fmt: skip
def test_kinds_are_chosen(kinds: str, lines: list[str]) -> None:
    assert tir_opt("--talk", "--cse", f"--remarks{kinds}").err.splitlines() == lines


def test_all_kinds_are_all() -> None:
    assert len(tir_opt("--talk", "--cse", "--remarks=all").err.splitlines()) == 4


def test_rule_that_was_applied_says_its_fact() -> None:
    err = tir_opt("--canonicalize", "--remarks=passed").err
    assert "x.tir:6:3: remark: tir.neg: neg_of_neg: -(-x) -> x\n" in err


def test_yaml_has_what_llvm_has() -> None:
    found = documents(tir_opt("--talk", "--cse", "--remarks=all", "--remarks-format=yaml").err)
    place = {"File": "x.tir", "Line": 7, "Column": 3}
    assert found == [
        {"kind": "Missed", "Pass": "talk", "Name": "NotDone", "DebugLoc": place, "Function": "second",
         "Args": [{"String": "not done: it's \"hard\""}]},
        {"kind": "Analysis", "Pass": "talk", "Name": "Cost", "DebugLoc": place, "Function": "second",
         "Args": [{"String": "cost: 3"}]},
        {"kind": "Missed", "Pass": "talk", "Name": "NotDone", "Function": "", "Args": [{"String": "not done: nowhere"}]},
        {"kind": "Passed", "Pass": "cse", "Name": "Merge", "DebugLoc": {**place, "Line": 8}, "Function": "second",
         "Args": [{"String": "tir.exp: merge"}]},
    ]  # fmt: skip


def test_file_gets_all_kinds_as_yaml_and_nothing_is_printed() -> None:
    assert tir_opt("--talk", "--cse", "--remarks-file=out.yaml").err == ""
    assert len(documents(Path("out.yaml").read_text())) == 4
    assert tir_opt("--talk", "--remarks=analysis", "--remarks-file=out.txt", "--remarks-format=text").err == ""
    assert Path("out.txt").read_text() == "x.tir:7:3: remark: cost: 3\n"


def test_file_is_written_though_the_program_has_an_error() -> None:
    Path("bad.tir").write_text(TEXT + "// -----\nfunc.func @f( {")
    done = call(opt.main, "bad.tir", "--split-input-file", "--cse", "--remarks-file=out.yaml")
    assert done.code == 1 and len(documents(Path("out.yaml").read_text())) == 1


HOSTILE = st.text() | st.sampled_from([
    "true", "null", "~", "1.0", "- x", "a: b", "# no comment", "'", '"', "\\", "'''", "{", "]", "!x", "&a", "*a", "|", "> x", "%",
    "@", "`", "\n", "\r\n", "\x85", "\u2028", "\x00", "\x1b[31m", "\ufeff", "\U0001f600", " x ", "---", "...", "\t", "\x7f",
])  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, st.integers(1, 10**6))
def test_yaml_reads_back_whatever_the_names_are(file: str, function: str, text: str, line: int) -> None:
    remark = Remark("missed", "cse", "Name", text, FusedLocation((UNKNOWN, FileLocation(file, line, 1))), function)
    (found,) = documents(yaml_text(remark))
    place = {"File": file, "Line": line, "Column": 1}
    assert found == {
        "kind": "Missed", "Pass": "cse", "Name": "Name", "DebugLoc": place, "Function": function, "Args": [{"String": text}],
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(HOSTILE, HOSTILE)
def test_sentence_is_one_line_that_drives_no_terminal(file: str, text: str) -> None:
    line = text_line(Remark("missed", "cse", "Name", text, FileLocation(file, 1, 1), "f"))
    assert line.endswith("\n") and len(line.splitlines()) == 1 and all(c.isprintable() or c == "\t" for c in line[:-1])
