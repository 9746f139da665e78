"""tir-opt: passes as flags in order, pipelines as text, and one sentence for each mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import opt
from tir.passes.pipelines import PASSES, PIPELINES

ROOT = Path(__file__).resolve().parent.parent.parent
TWICE = """\
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.exp %x : tensor<4xf32>
  %1 = tir.exp %x : tensor<4xf32>
  %2 = tir.add %0, %1 : tensor<4xf32>
  return %2 : tensor<4xf32>
}
"""
BAD = "func.func @f(%x: f32) { %0 = arith.adf %x, %x : f32 return }"


def tir_opt(*arguments: object, stdin: str = TWICE) -> Done:
    return call(opt.main, *arguments, stdin=stdin)


def test_without_passes_the_module_is_printed_and_reads_back_the_same() -> None:
    once = tir_opt()
    assert once.code == 0 and once.out.startswith("module {\n") and once.out.count("tir.exp") == 2
    assert tir_opt(stdin=once.out).out == once.out


def test_passes_run_in_the_order_of_their_flags() -> None:
    assert tir_opt("--cse").out.count("tir.exp") == 1
    done = tir_opt("--cse", "--print-ir-after-all", "--dce")
    assert [line for line in done.err.splitlines() if "IR Dump" in line] == [
        "// -----// IR Dump After Cse (cse) //----- //", "// -----// IR Dump After Dce (dce) //----- //",
    ]  # fmt: skip


def test_pipeline_as_text_is_the_same_as_flags() -> None:
    assert tir_opt("--pass-pipeline", "cse,dce").out == tir_opt("--cse", "--dce").out
    assert tir_opt("--pass-pipeline=builtin.module(func.func(cse))").out == tir_opt("--cse").out


def test_generic_form_reads_back_the_same() -> None:
    generic = tir_opt("--print-generic").out
    assert '"tir.exp"(' in generic
    assert tir_opt(stdin=generic).out == tir_opt().out


def test_output_goes_to_a_file_whole(tmp_path: Path) -> None:
    assert tir_opt("-o", tmp_path / "out.tir").out == ""
    assert (tmp_path / "out.tir").read_text(encoding="utf-8") == tir_opt().out
    assert [path.name for path in tmp_path.iterdir()] == ["out.tir"]


def test_all_passes_and_pipelines_are_listed_with_what_they_do() -> None:
    lines = tir_opt("--list-passes").out.splitlines()
    for name in (*PASSES, *PIPELINES):
        (line,) = [line for line in lines if line.split()[0] == f"--{name}"]
        assert len(line.split()) > 3, f"{name} has no summary"


def test_parts_between_dashes_are_modules_of_their_own_and_all_errors_are_shown() -> None:
    done = tir_opt("--split-input-file", stdin=f"{TWICE}// -----\n{BAD}\n// -----\n{TWICE}// -----\n\n{BAD}")
    assert done.code == 1
    assert done.out.count("// -----") == 3 and done.out.count("func.func @f") == 2  # a part with errors is empty
    assert "<stdin>:8:" in done.err and "<stdin>:18:" in done.err


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("--fold",), "unknown argument '--fold'"),
    (("--csee",), "unknown argument '--csee'; did you mean '--cse'?"),
    (("--cse=depth=3",), "pass cse has no option 'depth'"),
    (("--pass-pipeline=cse,",), "pipeline: expected a pass at character 5 of 'cse,'"),
    (("--pass-pipeline=func.func(cse",), "pipeline: expected ')'"),
    (("--pass-pipeline=fold",), "pipeline: unknown pass 'fold' at character 1 of 'fold'"),
    (("--pass-pipeline=cse", "--dce"), "give passes as flags, as --pass-pipeline or in a file by --run-reproducer, not by two of these"),
    (("-o",), "argument -o: expected one argument"),
    (("a.tir", "b.tir"), "unknown argument 'b.tir'"),
])  # fmt: skip
def test_wrong_command_line_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...], sentence: str) -> None:
    done = tir_opt(*arguments)
    assert done.sentence.startswith(f"tir-opt: error: {sentence}"), done.err
    assert done.code == 2 and done.out == ""


def test_wrong_files_are_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "latin.tir").write_bytes(b"// caf\xe9")
    for arguments, sentence in [
        ((tmp_path / "none.tir",), f"cannot read {tmp_path}/none.tir: No such file or directory"),
        ((tmp_path,), f"cannot read {tmp_path}: Is a directory"),
    ]:
        done = tir_opt(*arguments)
        assert done.sentence == f"tir-opt: error: {sentence}"
        assert done.code == 1
    done = tir_opt(tmp_path / "latin.tir")
    assert (done.code, done.sentence) == (1, f"{tmp_path}/latin.tir:1:7: error: the text must be UTF-8; byte 6, 0xe9, is not")


def test_input_without_end_is_refused_at_the_limit() -> None:
    assert tir_opt("/dev/zero").sentence.startswith("tir-opt: error: /dev/zero: a file has at most ")


def test_file_is_left_as_it_was_where_a_part_has_errors(tmp_path: Path) -> None:
    out = tmp_path / "out.tir"
    for text in (BAD, f"{TWICE}// -----\n{BAD}\n// -----\n{TWICE}"):
        assert (tir_opt("--split-input-file", "-o", out, stdin=text).code, out.exists()) == (1, False)
    out.write_text("old")
    assert (tir_opt("--split-input-file", "-o", out, stdin=text).code, out.read_text()) == (1, "old")
    assert tir_opt("--split-input-file", "-o", out, stdin=f"{TWICE}// -----\n{TWICE}").code == 0
    assert out.read_text().count("func.func @f") == 2


@pytest.mark.parametrize("flag", ["-o", "--remarks-file", "--reproducer", "--explore", "--check-semantics-output"])
def test_output_that_cannot_be_written_is_found_before_the_work(tmp_path: Path, flag: str) -> None:
    (tmp_path / "file").write_text("")
    for path, why in [
        (tmp_path, "it is a directory"),
        (tmp_path / "no" / "x", "No such file or directory"),
        (tmp_path / "file" / "x", "Not a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ]:
        done = tir_opt("--cse", "--check-semantics", "--print-ir-after-all", flag, path)
        assert (done.code, done.out) == (2, "")
        assert done.sentence == f"tir-opt: error: {flag}: cannot write {path}: {why}; see `tir-opt --help`"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_output_follows_links_and_leaves_pipes_and_devices_what_they_are(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "x.tir", tmp_path / "link.tir", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for path in (link, pipe, Path("/dev/null")):
        assert tir_opt("-o", path, stdin="module {\n}\n").code == 0
    assert os.read(reader, 100) == b"module {\n}\n" == target.read_bytes()
    os.close(reader)
    assert link.is_symlink() and pipe.is_fifo() and Path("/dev/null").is_char_device()


def test_wrong_text_is_located_with_its_line_and_a_caret() -> None:
    done = tir_opt(stdin=BAD)
    first, line, caret = done.err.splitlines()
    assert done.code == 1 and first.startswith("<stdin>:1:") and "did you mean" in first
    assert line.strip() == BAD and caret.strip() == "^"


def test_pass_that_meets_what_it_cannot_take_names_the_missing_pass() -> None:
    shared = "tir.shared @w : tensor<f32> = dense<0.0>"
    done = tir_opt("--lower-structured", stdin=shared)
    assert done.code == 1
    assert done.err.startswith("<stdin>:1:1: error: lower-structured: ") and "state-to-arguments" in done.err


def test_version_and_help_end_well() -> None:
    assert tir_opt("--version").out.startswith("tir-opt ")
    assert "tir-opt --fuse --lower-cpu model.tir" in tir_opt("--help").out


def test_version_imports_neither_numpy_nor_llvmlite_nor_lark() -> None:
    program = (
        "import sys, tir\nfrom tir.cli import opt, run, translate\n"
        "assert [tool.main(['--version']) for tool in (opt, run, translate)] == [0, 0, 0]\n"
        "print(sorted({'numpy', 'llvmlite', 'lark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} {ROOT / 'tools' / 'tir-opt'} --list-passes"
    with subprocess.Popen(command.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
