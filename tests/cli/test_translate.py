"""tir-translate: LLVM IR, assembly and object code from a module of any level."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import translate
from tir.cli.opt import main as tir_opt
from tir.runtime.jit import check_text, load_object

TENSOR = """\
func.func @shift(%x: tensor<[B]xf32> {tir.name = "x"}) -> tensor<[B]xf32> {
  %one = tir.full 1.0 : f32 -> tensor<4xf32>
  %0 = tir.exp %x : tensor<[B]xf32>
  return %0 : tensor<[B]xf32>
}
"""
LOOPS = """\
func.func @first(%x: memref<4xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<4xf32>
  return %v : f32
}
"""
ELF = b"\x7fELF"


def tir_translate(*arguments: object, stdin: str = "") -> Done:
    return call(translate.main, *arguments, stdin=stdin)


@pytest.mark.parametrize("text", [TENSOR, LOOPS], ids=["tensor", "loops"])
def test_llvm_text_of_any_level_passes_the_gate(text: str) -> None:
    done = tir_translate("--to-llvm", stdin=text)
    assert done.code == 0, done.err
    assert "define i32 @" in done.out
    check_text(done.out, ("memory", "pool"))


def test_module_that_tir_opt_has_lowered_gives_the_same_code() -> None:
    lowered = call(tir_opt, "--fuse", "--lower-cpu", stdin=TENSOR).out
    assert tir_translate("--to-obj", stdin=lowered).data == tir_translate("--to-obj", stdin=TENSOR).data


def test_object_that_needs_the_thread_pool_says_so() -> None:
    done = tir_translate("--to-obj", stdin=TENSOR)
    assert done.data.startswith(ELF)
    assert done.err == "tir-translate: note: the object calls tir_parallel_for: see docs/tools.md\n"
    assert b"tir_parallel_for" in done.data and b"tir_parallel_for" not in tir_translate("--to-obj", stdin=LOOPS).data


def test_assembly_has_the_function_as_a_label() -> None:
    done = tir_translate("--to-asm", stdin=LOOPS)
    assert done.code == 0, done.err
    assert "first:" in done.out


def test_object_file_is_the_same_on_each_run_and_can_be_linked(tmp_path: Path) -> None:
    (tmp_path / "m.tir").write_text(LOOPS, encoding="utf-8")
    for name in ("a.o", "b.o"):
        done = tir_translate(tmp_path / "m.tir", "--to-obj", "-o", tmp_path / name)
        assert (done.code, done.out, done.err) == (0, "", "")
    data = (tmp_path / "a.o").read_bytes()
    assert data.startswith(ELF) and data == (tmp_path / "b.o").read_bytes()
    assert load_object(data, ["first"]).address("first")


def test_object_code_goes_to_standard_output_that_is_no_terminal() -> None:
    assert tir_translate("--to-obj", stdin=LOOPS).data.startswith(ELF)


def test_object_code_does_not_go_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout.__class__, "isatty", lambda self: True, raising=False)
    monkeypatch.setattr(translate.sys.stdout, "isatty", lambda: True, raising=False)
    assert translate.main(["--to-obj", "m.tir"]) == 2


@pytest.mark.parametrize(("arguments", "sentence"), [
    ((), "what to make is missing: --to-llvm, --to-asm, --to-obj, --to-dot, --to-svg or --to-png"),
    (("--to-llvm", "--to-asm"), "argument --to-asm: not allowed with argument --to-llvm"),
    (("--to-lvm",), "unknown argument '--to-lvm'; did you mean '--to-llvm'?"),
    (("--to-llvm", "a.tir", "b.tir"), "unknown argument 'b.tir'"),
    (("--to-llvm", "-o"), "argument -o: expected one argument"),
])  # fmt: skip
def test_wrong_command_line_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...], sentence: str) -> None:
    done = tir_translate(*arguments)
    assert done.sentence.startswith(f"tir-translate: error: {sentence}"), done.err
    assert done.code == 2 and done.out == ""


def test_wrong_files_are_one_sentence(tmp_path: Path) -> None:
    missing = tir_translate("--to-llvm", tmp_path / "none.tir")
    assert missing.sentence == f"tir-translate: error: cannot read {tmp_path}/none.tir: No such file or directory"
    for flag in ("--to-llvm", "--to-obj"):
        done = tir_translate(flag, "-o", tmp_path / "no" / "m", stdin=LOOPS)
        where = f"-o: cannot write {tmp_path}/no/m: No such file or directory"
        assert (done.code, done.sentence) == (2, f"tir-translate: error: {where}; see `tir-translate --help`")
    assert missing.code == 1


def test_op_that_has_no_machine_code_is_a_located_error() -> None:
    done = tir_translate("--to-llvm", stdin="func.func private @g() -> f32\nfunc.func @f() -> f32 {\n"
                                            "  %0 = func.call @g() : () -> f32\n  return %0 : f32\n}\n")
    assert done.code == 1 and done.err.startswith("<stdin>:") and "error: " in done.err


@pytest.mark.parametrize(("cpu", "register"), [("x86-64", "xmm"), ("x86-64-v3", "ymm"), ("x86-64-v4", "zmm"), ("aarch64", "fmla")])
def test_code_for_other_machines(cpu: str, register: str) -> None:
    done = tir_translate("--to-asm", "--cpu", cpu, stdin=TENSOR)
    assert done.code == 0, done.err
    assert register in done.out


@pytest.mark.parametrize(("arguments", "message"), [
    (("--to-asm", "--cpu", "x86-64-v9"), "argument --cpu: must be host, x86-64, x86-64-v2, x86-64-v3, x86-64-v4 or aarch64"),
    (("--to-dot", "--cpu", "aarch64"), "--cpu is for machine code: --to-llvm, --to-asm or --to-obj"),
])  # fmt: skip
def test_wrong_machines(arguments: tuple[str, ...], message: str) -> None:
    done = tir_translate(*arguments, stdin=TENSOR)
    assert done.code == 2
    assert message in done.err
