"""tir-opt --rules and --check-rules: rules from files at their place among the passes, mistakes told, each proved."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.api import parse, transform
from tir.cli import opt
from tir.ir import source_files

TEXT = """\
func.func @f(%x: tensor<4xf32>, %i: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  %0 = tir.neg %x : tensor<4xf32>
  %1 = tir.neg %0 : tensor<4xf32>
  %2 = tir.abs %i : tensor<4xi32>
  return %1, %2 : tensor<4xf32>, tensor<4xi32>
}
"""
TWICE = "twice: -(-x) => x\n  exact\n"


def tir_opt(*arguments: object, stdin: str = TEXT) -> Done:
    return call(opt.main, *arguments, stdin=stdin)


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my.rules"
    path.write_text(TWICE, encoding="utf-8")
    return path


@pytest.mark.parametrize("arguments", [
    ("--rules", "my.rules"), ("--rules=my.rules",), ("--apply-rules=files=my.rules",), ("--rules=my.rules,other.rules",),
    ("--pass-pipeline=func.func(apply-rules{files=my.rules})",), ("--cse", "--rules", "my.rules", "--dce"),
])  # fmt: skip
def test_rules_are_applied(rules: Path, arguments: tuple[str, ...]) -> None:
    (rules.parent / "other.rules").write_text("abs_twice: abs(abs(x)) => abs(x)\n  exact\n", encoding="utf-8")
    done = tir_opt(*arguments)
    assert done.code == 0 and done.err == "" and "tir.neg" not in done.out and "tir.abs" in done.out


def test_rules_stand_at_their_place_among_the_passes(rules: Path) -> None:
    first = tir_opt("--rules", "my.rules", "--canonicalize", "--log-rewrites", "-o", "x.tir").err
    last = tir_opt("--canonicalize", "--rules", "my.rules", "--log-rewrites", "-o", "x.tir").err
    assert "apply-rules: twice" in first and "apply-rules" not in last


def test_dumped_pipeline_reads_back_with_any_file_name(rules: Path) -> None:
    odd = rules.rename("my 'own' {x}=1.rules")
    dumped = tir_opt("--rules", odd.name, "--dump-pass-pipeline", "-o", "x.tir").err
    again = tir_opt("--pass-pipeline", dumped, "--dump-pass-pipeline")
    assert (again.code, again.err) == (0, dumped) and "tir.neg" not in again.out


def test_rules_are_a_pass_of_python_too(rules: Path) -> None:
    module = parse(TEXT)
    transform(module, "apply-rules{files=my.rules}")
    assert not [op for op in module.walk() if op.name == "tir.neg"]


def test_a_file_may_begin_with_a_mark_and_have_any_line_ends(rules: Path) -> None:
    rules.write_bytes(b"\xef\xbb\xbf// mine\r\ntwice: -(-x) => x\r\n\texact\r\n")
    assert "tir.neg" not in tir_opt("--rules=my.rules").out


#: What stands in the file, and what is said.
WRONG_FILES: list[tuple[bytes, str]] = [
    (b"", "tir-opt: error: there is no rule in my.rules"),
    (b"// nothing\n\n", "tir-opt: error: there is no rule in my.rules"),
    (b"a: log(x) => \xff\n", "my.rules:1:14: error: the text must be UTF-8; byte 13, 0xff, is not"),
    (bytes(range(1, 256)), "my.rules:2:118: error: the text must be UTF-8; byte 127, 0x80, is not"),
    (b"a: log(x) => x\n  exakt", "my.rules:1:1: error: a rule has one line with its class"),
    (b"a: log(\x1b[31mx) => x\n  exact", "my.rules:1:14: error: no expression: nothing is closed by this )"),
    (b"a: -(-x) => x\n  exact\nb: x - y => y + x\n  exact\nc: x + y => y - x\n  exact",
     "my.rules:3:1: error: rewriting would not end: the rules b and c undo each other"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), WRONG_FILES, ids=[message for _, message in WRONG_FILES])
@pytest.mark.parametrize("flag", ["--rules", "--check-rules"])
def test_mistake_in_a_file_is_told(rules: Path, data: bytes, message: str, flag: str) -> None:
    rules.write_bytes(data)
    done = tir_opt(flag, "my.rules")
    assert done.code == 1 and message in done.err, done.err
    assert "\x1b" not in done.err and "Traceback" not in done.err


#: What is given, and what is said.
WRONG_ARGUMENTS: list[tuple[tuple[str, ...], int, str]] = [
    (("--rules", "missing.rules"), 1, "tir-opt: error: cannot read missing.rules: No such file or directory"),
    (("--check-rules", "missing.rules"), 1, "tir-opt: error: cannot read missing.rules: No such file or directory"),
    (("--rules", "."), 1, "tir-opt: error: cannot read .: Is a directory"),
    (("--rules",), 2, "argument --rules: expected one argument, FILE,.."),
    (("--rules=",), 2, "argument --rules: must be names with commas between, got ''"),
    (("--check-rules=",), 2, "argument --check-rules: must be names with commas between, got ''"),
    (("--apply-rules",), 2, "pass apply-rules: option 'files' must name a file with rules"),
    (("--apply-rules=file=my.rules",), 2, "pass apply-rules has no option 'file'; it has files, fp-mode; did you mean 'files'?"),
    (("--apply-rules=files=my.rules fp-mode=quick",), 2, "pass apply-rules: option 'fp-mode' must be one of strict, stable, fast"),
    (("--rules", "", "missing.tir"), 2, "argument --rules: must be names with commas between, got ''"),
    (("--check-rules=my.rules", "--cse"), 2, "--check-rules proves rules and runs nothing: give it without passes and"),
    (("--check-rules=my.rules", "a.tir"), 2, "--check-rules proves rules and runs nothing"),
    (("--rules=my.rules", "--pass-pipeline=cse"), 2, "give passes as flags, as --pass-pipeline or in a file"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG_ARGUMENTS, ids=[message for *_, message in WRONG_ARGUMENTS])
def test_mistake_on_the_command_line_is_told(rules: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = tir_opt(*arguments)
    assert done.code == code and message in done.sentence


def test_a_file_without_end_is_refused(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_files, "MAX_FILE_BYTES", 10)
    assert tir_opt("--check-rules=my.rules").sentence == (
        "tir-opt: error: my.rules: a file has at most 10 bytes, and this has more")  # fmt: skip


def test_two_rules_of_a_name_in_two_files_are_told(rules: Path) -> None:
    (rules.parent / "other.rules").write_text(TWICE, encoding="utf-8")
    done = tir_opt("--rules=my.rules,other.rules")
    assert done.err.splitlines() == [
        "other.rules:1:1: error: there are two rules twice", "  twice: -(-x) => x", "  ^",
        "my.rules:1:1: note: the other", "  twice: -(-x) => x", "  ^",
    ]  # fmt: skip


def test_a_rule_that_makes_what_is_wrong_is_told_at_the_op(rules: Path) -> None:
    text = TEXT.replace("tir.neg", "tir.abs")
    rules.write_text("bits: abs(x) => x & x\n  exact\n", encoding="utf-8")
    done = tir_opt("--rules=my.rules", stdin=text)
    assert done.code == 1
    assert done.err.splitlines()[0].startswith("<stdin>:2:3: error: what a rule makes of this op is wrong: tir.and: ")
    assert "my.rules:1:1: note: this rule" in done.err


def test_a_rule_whose_right_side_needs_another_attribute_is_told(rules: Path) -> None:
    rules.write_text("position: sum(x, a) => argmax(x, a)\n  exact\n", encoding="utf-8")
    text = "func.func @f(%x: tensor<4xf32>) -> tensor<f32> { %0 = tir.sum %x over [0] : tensor<f32> return %0 : tensor<f32> }"
    done = tir_opt("--rules=my.rules", stdin=text)
    assert done.code == 1
    assert "<stdin>:1:50: error: what a rule makes of this op needs other types or attributes" in done.err
    done = tir_opt("--check-rules=my.rules")
    assert done.code == 1 and "position: wrong: what a rule makes of this op needs other types or attributes" in done.out


def test_rules_that_undo_each_other_in_a_program_are_told_at_the_op(rules: Path) -> None:
    """Conditions on uses are not known before."""
    rules.write_text(
        "swap: x - y => x + -y\n  exact\n  if used_once(x)\n\nback: x + -y => x - y\n  exact\n", encoding="utf-8")  # fmt: skip
    text = """func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
      %0 = tir.sub %x, %y : tensor<4xf32>
      return %0 : tensor<4xf32>
    }"""
    done = tir_opt("--rules=my.rules", stdin=text)
    assert done.code == 1
    lines = done.err.splitlines()
    assert lines[0] == "<stdin>:2:7: error: rewriting would not end: the rules back and swap undo each other"
    assert "my.rules:1:1: note: swap: x - y -> x + -y" in lines and "my.rules:5:1: note: back: x + -y -> x - y" in lines


def test_fast_rules_are_left_out_with_a_warning(rules: Path) -> None:
    rules.write_text("a: abs(x) => relu(x)\n  fast\n", encoding="utf-8")
    done = tir_opt("--rules=my.rules")
    assert done.code == 0 and "tir.abs" in done.out
    assert "my.rules:1:1: warning: the rule a is fast, and is applied with fp-mode=fast alone" in done.err
    assert tir_opt("--apply-rules=files=my.rules fp-mode=fast").err == ""


# --- proofs ----------------------------------------------------------------------------------------------------------


def test_each_rule_is_proved_and_wrong_ones_are_shown(rules: Path) -> None:
    rules.write_text(TWICE + "\nroot: sqrt(square(x)) => x\n  accurate: a sign\n\nrelu: maximum(x, 0) => relu(x)\n  exact\n"
                     "  if floats(x)\n\nno_type: log(x) => x > 0\n  exact\n\nnever: log(x) => x\n  exact\n  if integers(x)\n",
                     encoding="utf-8")  # fmt: skip
    done = tir_opt("--check-rules", "my.rules")
    assert done.code == 1 and done.err == ""
    heads = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert [head.partition(" (")[0].partition(" with ")[0] for head in heads] == [
        "my.rules:1:1: twice: right", "my.rules:4:1: root: wrong: sqrt(square(x))",
        "my.rules:7:1: relu: right behind autodiff alone",
        "my.rules:11:1: no_type: wrong: log(x) in f32: what takes its place has another type",
        "my.rules:14:1: never: wrong: it does not fit what its own declaration says",
    ]  # fmt: skip
    assert "with x = -1.0 in f32: before 1.0, after -1.0" in done.out


def test_rule_that_a_proof_cannot_judge_is_told(rules: Path) -> None:
    rules.write_text(
        "rest: x - y * (x // y) => x % y\n  accurate: one rounding\n\nsign: abs(copysign(x, y)) => abs(x)\n  exact\n",
        encoding="utf-8",
    )  # fmt: skip
    done = tir_opt("--check-rules=my.rules")
    first, second = done.out.splitlines()
    assert done.code == 1
    assert first.startswith("my.rules:1:1: rest: not proved: a proof does not know what tir.floordiv is in real arithmetic")
    assert second.startswith("my.rules:4:1: sign: right (") and "but for its gradient: a proof does not know" in second


@pytest.mark.parametrize("axis", ["k", "0"])
def test_rule_about_sizes_is_applied(rules: Path, axis: str) -> None:
    rules.write_text(f"size: dim(tanh(x), {axis}) => dim(x, {axis})\n  exact\n", encoding="utf-8")
    done = tir_opt("--rules=my.rules", stdin="""func.func @f(%x: tensor<?xf32>) -> index {
      %0 = tir.tanh %x : tensor<?xf32>
      %1 = tir.dim %0 axis 0 : tensor<?xf32>
      return %1 : index
    }""")  # fmt: skip
    assert done.code == 0 and "tir.dim %x axis 0" in done.out and "tanh" not in done.out


def test_rule_does_not_fit_an_op_with_an_attribute_that_it_does_not_name(rules: Path) -> None:
    rules.write_text("negs: sum(-x, a) => -sum(x, a)\n  exact\n", encoding="utf-8")
    text = """func.func @f(%x: tensor<4xf32>) -> tensor<f32> {{
      %0 = tir.neg %x : tensor<4xf32>
      %1 = tir.sum %0 over [0]{} : tensor<f32>
      return %1 : tensor<f32>
    }}"""
    applied = [tir_opt("--rules=my.rules", "--log-rewrites", "-o", "x.tir", stdin=text.format(acc)).err for acc in ("", " acc f64")]
    assert "negs" in applied[0] and "negs" not in applied[1]


@pytest.mark.parametrize(
    ("size", "element", "is_applied"), [("[N]", "i32", True), ("?", "i32", False), ("[N]", "f32", False), ("3", "i1", True)],
)  # fmt: skip
def test_rule_fits_by_its_conditions_and_drops_no_size_that_must_be_checked(
    rules: Path, size: str, element: str, is_applied: bool
) -> None:
    rules.write_text("absorbs: x & (x | y) => x\n  exact\n  if integers(x) or bools(x)\n", encoding="utf-8")
    type = f"tensor<{size}x{element}>"
    ops = ("or", "and") if element != "f32" else ("maximum", "minimum")
    done = tir_opt("--rules=my.rules", "--log-rewrites", "-o", "x.tir", stdin=f"""func.func @f(%x: {type}, %y: {type}) -> {type} {{
      %0 = tir.{ops[0]} %x, %y : {type}
      %1 = tir.{ops[1]} %x, %0 : {type}
      return %1 : {type}
    }}""")  # fmt: skip
    assert done.code == 0 and ("absorbs" in done.err) == is_applied


def test_right_rules_give_exit_code_0(rules: Path) -> None:
    done = tir_opt("--check-rules=my.rules")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("my.rules:1:1: twice: right (") and "f64" in done.out


def test_without_mpmath_the_cure_is_told(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "mpmath" else find_spec(name, *rest))
    done = tir_opt("--check-rules=my.rules")
    assert done.code == 2
    assert "--check-rules needs the package mpmath: pip install 'tir-compiler[proofs]'" in done.sentence


def test_check_semantics_blames_a_wrong_rule_on_its_file(rules: Path) -> None:
    rules.write_text("// Not so.\nhalf: -(-x) => -x\n  exact\n", encoding="utf-8")
    done = tir_opt("--rules=my.rules", "--check-semantics")
    assert done.code == 1 and "bug in tir" not in done.err
    assert done.err.startswith("my.rules:2:1: error: pass apply-rules{files={my.rules}} changes what @f computes: result 0")
    assert "note: its first wrong change is 1 of" in done.err and Path("stdin.reduced.tir").exists()
