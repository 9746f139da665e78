"""--verify-diagnostics: what a file expects is compared with what it gives, as upstream's tools do.

Upstream (mlir/lib/IR/Diagnostics.cpp, SourceMgrDiagnosticVerifierHandler) says what the comments mean and what is printed.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import opt
from tir.cli.verify_diagnostics import DiagnosticVerifier
from tir.ir.errors import FileLocation, TirError

ERROR = "  %0 = tir.expp %x : tensor<4xf32>"
SAID = "unknown op 'tir.expp'; did you mean 'tir.exp'?"


def tir_opt(text: str, *arguments: str, mode: str = "--verify-diagnostics") -> Done:
    return call(opt.main, mode, *arguments, stdin=text)


def body(*lines: str) -> str:
    """A function with these lines, which begin at line 2."""
    return "\n".join(["func.func @f(%x: tensor<4xf32>) {", *lines, "  return", "}", ""])


def messages(done: Done) -> list[str]:
    return [line.removeprefix("<stdin>:") for line in done.err.splitlines() if line.startswith("<stdin>:")]


# --- what matches ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [
    (f"{ERROR} // expected-error {{{{{SAID}}}}}",),
    (f"{ERROR} // expected-error {{{{unknown op}}}}",),
    (f"{ERROR} // expected-error{{{{op 'tir.e}}}}  \r",),
    ("  // expected-error@+1 {{unknown op}}", ERROR),
    (ERROR, "  // expected-error@-1 {{unknown op}}"),
    ("  // expected-error@+3 {{unknown op}}", "", "", ERROR),
    ("  // expected-error@below {{unknown op}}", ERROR),
    (ERROR, "  // expected-error@above {{unknown op}}"),
    ("  // expected-error   @+1   {{unknown op}}", ERROR),
    (f"{ERROR} // expected-error-re {{{{op 'tir.{{{{[a-z]+}}}}'; did}}}}",),
    (f"{ERROR} // expected-error-re {{{{{{{{^}}}}unknown{{{{.*}}}}'tir.exp'?{{{{$}}}}}}}}",),
    (f"{ERROR} // expected-error-re {{{{'tir.expp'; {{{{(should|did) (you|[[:alpha:]]{{4}}) mean}}}}}}}}",),
    (f"{ERROR} // expected-error {{{{}}}}",),
])  # fmt: skip
def test_expected_error_is_no_error(lines: tuple[str, ...]) -> None:
    done = tir_opt(body(*lines))
    assert (done.code, done.out, done.err) == (0, "", "")


def test_below_and_above_pass_over_other_comments_of_their_kind() -> None:
    text = body("  // expected-error@below {{'tir.expp'}}", "  // expected-error@below {{did you mean}}", ERROR,
                "  // expected-error@above {{'tir.exp'?}}", "  // expected-error@above {{unknown}}")  # fmt: skip
    done = tir_opt(text)
    # One error, four comments: the first stands for it, the others were not produced. All of them mean line 4.
    assert [line.partition(": ")[0] for line in messages(done)] == ["3:6", "5:6", "6:6"]
    for number in (3, 5, 6):
        text = text.replace(text.splitlines()[number - 1], "// nothing")
    assert tir_opt(body("  // expected-error@below {{'tir.expp'}}", "", ERROR)).code == 1  # a line between them


def test_two_errors_on_one_line_want_two_comments_but_take_one() -> None:
    line = "  %0 = tir.add %y, %z : tensor<4xf32>"
    both = "// expected-error {{%y is not}} expected-error {{%z is not}}"
    assert tir_opt(body(f"{line} {both}")).code == 0
    assert tir_opt(body(f"{line} // expected-error {{{{is not defined here}}}}")).code == 0  # as upstream
    assert messages(tir_opt(body(f"{line} // expected-error {{{{%y}}}}"))) == [
        "2:20: error: unexpected error: %z is not defined here"
    ]


def test_equal_comments_are_for_equal_errors() -> None:
    line = "  %0 = tir.add %y, %z : tensor<4xf32>"
    twice = "// expected-error {{is not defined here}} expected-error {{is not defined here}}"
    assert tir_opt(body(f"{line} {twice}")).code == 0
    assert messages(tir_opt(body(f"{line} {twice} expected-error {{{{is not defined here}}}}"))) == [
        '2:120: error: expected error "is not defined here" was not produced'
    ]


@pytest.mark.parametrize("count", ["2", "1+", "0-3", "+", "12"])
def test_count_of_another_tool_is_an_error_and_not_prose(count: str) -> None:
    done = tir_opt(f"// expected-error@below {count} {{{{unknown op}}}}\ntir.none\n")
    assert done.code == 1
    assert messages(done)[0] == "1:25: error: expected-error: there is no count; a comment stands for all of its line that it fits"


def test_notes_are_expected_like_errors() -> None:
    text = "func.func @g() { return } // expected-note {{it is defined here}}\n// expected-error@below {{@g is taken}}\n"
    done = tir_opt(text + "func.func @g() { return }\n")
    assert (done.code, done.err) == (0, "")
    assert messages(tir_opt(text.partition("//")[0] + "\n// expected-error@+1 {{taken}}\nfunc.func @g() { return }")) == [
        "1:1: error: unexpected note: it is defined here"
    ]


def test_a_note_without_a_place_has_that_of_its_error() -> None:
    verifier = DiagnosticVerifier("x // expected-error {{one}} expected-note {{two}}", "f")
    verifier.error(TirError("one", FileLocation("f", 1, 1), notes=[("two", None)]))
    assert verifier.finish() == []


def test_error_without_a_place_is_expected_as_unknown() -> None:
    for designator, problems in (("@unknown", 0), ("", 2)):
        verifier = DiagnosticVerifier(f"\n// expected-error{designator} {{{{no place}}}}", "f")
        verifier.error(TirError("it has no place"))
        assert len(verifier.finish()) == problems


def test_a_module_without_errors_is_printed() -> None:
    done = tir_opt(body())
    assert done.code == 0 and done.out.startswith("module {") and done.err == ""


def test_errors_of_passes_are_expected_too() -> None:
    text = """\
func.func @f(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@below {{tir.grad is left over; run the pass autodiff first}}
  %g = tir.grad %x wrt (%x) : tensor<f32>
  return %g : tensor<f32>
}
"""
    assert tir_opt(text, "--lower-structured").code == 0
    assert tir_opt(text).code == 1


# --- remarks ---------------------------------------------------------------------------------------------------------

SMALL = (Path(__file__).resolve().parents[2] / "docs" / "examples" / "small.tir").read_text(encoding="utf-8")


def test_remarks_are_expected_and_count_only_if_they_are_asked_for() -> None:
    assert tir_opt(SMALL, "--fuse").code == 0
    done = tir_opt(SMALL, "--fuse", "--remarks")
    assert done.code == 1 and all("error: unexpected remark: not fused: " in line for line in messages(done))
    lines = SMALL.split("\n")
    for place in {line.partition(":")[0] for line in messages(done)}:
        lines[int(place) - 1] += " // expected-remark {{not fused}}"
    for arguments in (("--fuse",), ("--fuse", "--remarks")):
        done = tir_opt("\n".join(lines), *arguments)
        assert (done.code, done.err) == (0, "")


def test_expected_remark_that_does_not_come_is_an_error() -> None:
    assert messages(tir_opt("// expected-remark@below {{not fused}}\nfunc.func @g() { return }", "--fuse")) == [
        '1:4: error: expected remark "not fused" was not produced'
    ]


# --- what does not ---------------------------------------------------------------------------------------------------


def test_unexpected_error_is_shown_where_it_is() -> None:
    done = tir_opt(body(ERROR))
    assert done.code == 1 and done.out == ""
    assert done.err.splitlines() == [f"<stdin>:2:3: error: unexpected error: {SAID}", f"  {ERROR}", "    ^"]


def test_missing_error_is_shown_at_its_comment() -> None:
    done = tir_opt(body("  // expected-error@below {{bad}}"))
    assert done.code == 1
    assert done.err.splitlines() == [
        '<stdin>:2:6: error: expected error "bad" was not produced', "    // expected-error@below {{bad}}", "       ^",
    ]  # fmt: skip


def test_other_kind_is_named() -> None:
    assert messages(tir_opt(body(f"{ERROR} // expected-warning {{{{unknown op}}}}"))) == [
        "2:39: error: 'error' diagnostic emitted when expecting a 'warning'",
        '2:39: error: expected warning "unknown op" was not produced',
    ]


def test_other_line_is_shown() -> None:
    assert messages(tir_opt(body("  // expected-error@+2 {{unknown op}}", ERROR))) == [
        '2:6: error: expected error "unknown op" was not produced',
        "3:3: note: it was produced here",
        f"3:3: error: unexpected error: {SAID}",
    ]


def test_other_text_is_unexpected() -> None:
    assert messages(tir_opt(body(f"{ERROR} // expected-error {{{{Unknown op}}}}"))) == [
        f"2:3: error: unexpected error: {SAID}",
        '2:39: error: expected error "Unknown op" was not produced',
    ]


def test_error_in_another_file_matches_nothing_here() -> None:
    verifier = DiagnosticVerifier("// expected-error {{bad}}", "f")
    verifier.error(TirError("bad", FileLocation("g", 1, 1)))
    assert [problem.message for problem in verifier.finish()] == [
        "unexpected error: bad", 'expected error "bad" was not produced'
    ]  # fmt: skip


def test_only_expected_lets_others_pass() -> None:
    mode = "--verify-diagnostics=only-expected"
    assert tir_opt(body(ERROR), mode=mode).code == 0
    assert tir_opt(body(f"{ERROR} // expected-error {{{{op}}}}"), mode=mode).code == 0
    assert messages(tir_opt(body("  // expected-error@+1 {{bad}}", ERROR), mode=mode)) == [
        '2:6: error: expected error "bad" was not produced'
    ]


def test_parts_of_a_file_are_for_themselves_with_the_lines_of_the_file() -> None:
    good, bad = body(f"{ERROR} // expected-error {{{{op}}}}"), body(ERROR)
    done = tir_opt(f"{good}// -----\n{body()}// -----\n// expected-error@above {{{{op}}}}\n{bad}", "--split-input-file")
    assert done.code == 1 and done.out.count("func.func") == 1
    assert messages(done) == [
        '10:4: error: expected error "op" was not produced', "12:3: note: it was produced here",
        f"12:3: error: unexpected error: {SAID}",
    ]  # fmt: skip
    assert tir_opt(f"{good}// -----\n{good}", "--split-input-file").code == 0


def test_below_at_the_end_means_the_last_line() -> None:
    # Upstream: a dangling designator has the number of the last line.
    verifier = DiagnosticVerifier("a\n// expected-error@below {{bad}}", "f", first_line=10)
    verifier.error(TirError("bad", FileLocation("f", 11, 1)))
    assert verifier.finish() == []


# --- comments that are wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("comment", "column", "sentence"), [
    ("expected-error {{a", 19, "expected-error: '{{' without '}}' on the same line"),
    ("expected-error {a}", 19, "expected-error: '{{' and the message are missing"),
    ("expected-error: a", 18, "expected-error: '{{' and the message are missing"),
    ("expected-error@+1 a", 22, "expected-error: '{{' and the message are missing"),
    ("expected-eror {{a}}", 4, "there is no 'expected-eror'; it may be error, warning, note or remark, with -re behind it; "
                               "did you mean 'error'?"),
    ("expected-error-er {{a}}", 4, "there is no 'expected-error-er'; it may be error, warning, note or remark, with -re "
                                   "behind it; did you mean 'error-re'?"),
    ("expected-error@blow {{a}}", 18, "unknown designator '@blow'; there are @+N, @-N, @above, @below, @unknown; did you "
                                      "mean '@below'?"),
    ("expected-error@1 {{a}}", 18, "unknown designator '@1'; there are @+N, @-N, @above, @below, @unknown"),
    ("expected-error@+ {{a}}", 18, "unknown designator '@+'; there are @+N, @-N, @above, @below, @unknown"),
    ("expected-error@+12345678901 {{a}}", 18, "a designator has at most 9 digits, got 11"),
    ("expected-error-re {{a {{b}}", 26, "'{{' of a regular expression without '}}'"),
    ("expected-error-re {{a {{b(}}}}", 29, "regular expression: missing ), unterminated subpattern"),
    ("expected-error-re {{a {{*}}}}", 28, "regular expression: nothing to repeat"),
    ("expected-error-re {{ {{x}} {{[z-a]}}}}", 34, "regular expression: bad character range z-a"),
])  # fmt: skip
def test_wrong_comment_is_an_error_with_its_place(comment: str, column: int, sentence: str) -> None:
    done = tir_opt(f"// {comment}\n")
    assert messages(done) == [f"1:{column}: error: {sentence}"] and done.code == 1


@pytest.mark.parametrize("comment", [
    "an expected-error is written with braces", "expected-error messages are tested below", "see expected-error@: no",
    "expected-no-diagnostics", "the string {{x}} is expected", "expected-",
])  # fmt: skip
def test_prose_is_no_comment_of_this_kind(comment: str) -> None:
    done = tir_opt(f"// {comment}\n".replace("@:", ""))
    assert (done.code, done.err) == (0, "")


def test_a_string_is_no_comment() -> None:
    assert tir_opt('module attributes {a = "expected-error {{x}}"} {}').code == 0


# --- hostile comments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "%x = tir.foo // expected-error-re {{{{(o|oo|[a-z]*)*$}}!}}",
    "%x = tir.foo // " + " ".join(f"expected-error-re {{{{{{{{{regex}}}}}!}}}}" for regex in
                                  ("(.*)*", "(.+)+", "(.|.)*", "(.*.*)*", ".*.*.*.*.*.*.*", "(((.*)*)*)*") * 50),
    "%x = tir.foo // " + " ".join("expected-error-re {{{{(a{44}){44}}} }}" for _ in range(30_000)),
    "%x = tir.foo\n" + "\n".join(f"// expected-error@-{i + 1} {{{{unknown op{i}}}}}" for i in range(50_000)),
    "%x = tir.foo\n" + "\n".join(f"// expected-error-re@-{i + 1} {{{{op{{{{(x|y)+}}}}}}}}" for i in range(50_000)),
    "%x = tir.foo\n" + "\n".join(f"// expected-error-re @-{i + 1} {{{{op{{{{(x|y)+}}}}}}}}" for i in range(50_000)),
    "%x = tir.foo //" + "expected-error@" * 200_000,
    "%x = tir.foo //" + "expected-error {{" * 200_000,
    "%x = tir.foo //" + "expected-" + "a" * 5_000_000 + " {{",
    "%x = tir.foo // expected-error-re {{{{" + "(" * 1_000_000 + "}}}}",
    "%x = tir.foo // expected-error-re {{{{" + "a{1}" * 1_000_000 + "}}}}",
    "%x = tir.foo // expected-error-re {{" + "{{a}}" * 400_000 + "}}",
    "%x = tir.foo // expected-error {{" + "o" * 5_000_000 + "}}",
], ids=range(13))  # fmt: skip
def test_hostile_comments_are_answered_in_time(text: str) -> None:
    start = time.process_time()
    done = tir_opt(text)
    seconds = time.process_time() - start
    assert done.code == 1 and len(messages(done)) <= 102
    assert seconds < 4  # the goal is 2 s on a machine with nothing else to do
