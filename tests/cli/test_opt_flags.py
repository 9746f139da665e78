"""The flags of tir-opt: values, what needs what, lists, files; each mistake is one sentence that names the flag."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import opt
from tir.cli.opt_flags import UPSTREAM_NAMES, opt_parser
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import Pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.passes.pipelines import ALL

TEXT = """\
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.exp %x : tensor<4xf32>
  %1 = tir.exp %x : tensor<4xf32>
  %2 = tir.add %0, %1 : tensor<4xf32>
  return %2 : tensor<4xf32>
}
"""

SCHEDULE = """\
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%m: !transform.any_op) {
    transform.yield
  }
}
"""


def tir_opt(*arguments: object, stdin: str = TEXT) -> Done:
    return call(opt.main, *arguments, stdin=stdin)


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("--timing-display=tre",), "argument --timing-display: must be tree or list, got 'tre'; did you mean 'tree'?"),
    (("--timing-display=list",), "--timing-display needs --timing"),
    (("--pass-statistics-display=list",), "--pass-statistics-display needs --pass-statistics"),
    (("--output-split-marker=// x",), "--output-split-marker needs --split-input-file"),
    (("--check-semantics-seed=0",), "--check-semantics-seed needs --check-semantics"),
    (("-o", "a", "-o", "b"), "-o is given twice, with 'a' and 'b'"),
    (("--remarks", "--remarks=passed,missed"), "--remarks is given twice, with 'missed' and 'passed,missed'"),
    (("--verify-each", "--verify-each=false"), "--verify-each is given twice, with 'true' and 'false'"),
    (("--max-rewrites=1", "--max-rewrites=0"), "--max-rewrites is given twice, with '1' and '0'"),
    (("--pass-pipeline=cse", "--pass-pipeline=dce"), "--pass-pipeline is given twice, with 'cse' and 'dce'"),
    (("--timing-display",), "argument --timing-display: expected one argument, tree|list"),
    (("-o",), "argument -o: expected one argument, FILE"),
    (("--timing=3",), "argument --timing: it takes no value, got '3'"),
    (("--color=alwys",), "argument --color: must be auto, always or never, got 'alwys'; did you mean 'always'?"),
    (("--pass-statistics-display=x",), "argument --pass-statistics-display: must be pipeline or list, got 'x'"),
    (("--elide-large-constants=many",), "argument --elide-large-constants: must be an integer, 0 or more, got 'many'"),
    (("--elide-large-constants=",), "argument --elide-large-constants: must be an integer, 0 or more, got ''"),
    (("--elide-large-constants=\u0663",), "argument --elide-large-constants: must be an integer, 0 or more, got '\u0663'"),
    (("--max-rewrites=-1",), "argument --max-rewrites: must be an integer, 0 or more, got '-1'"),
    (("--max-rewrites=" + "9" * 5000,), "argument --max-rewrites: must be an integer, 0 or more, got '99999"),
    (("--max-rewrites=1",), "--max-rewrites needs a pass"),
    (("--log-rewrites",), "--log-rewrites needs a pass"),
    (("--canonicalize=max-iterations=-5",), "pass canonicalize: option 'max-iterations' must be 0 or more, or -1 for no limit"),
    (("--vectorize=bytes=24",), "pass vectorize: option 'bytes' must be 16, 32, 64 or 128, got 24"),
    (("--vectorize=masks=all",), "pass vectorize: option 'masks' must be tails, loops, none or auto, got all"),
    (("--max-rewrites",), "argument --max-rewrites: expected one argument"),
    (("--check-semantics-inputs=0",), "argument --check-semantics-inputs: must be an integer, 1 to 999999, got '0'"),
    (("--cse", "-o", "x.out", "--remarks-file=./x.out"), "-o and --remarks-file name the same file, ./x.out"),
    (("--explore=p", "--remarks-file=p"), "--remarks-file and --explore name the same file, p"),
    (("--verify-each=yes",), "argument --verify-each: must be true or false, got 'yes'"),
    (("--split-input-file= ",), "argument --split-input-file: must be a line that is not empty, got ' '"),
    (("--output-split-marker=a\nb",), "argument --output-split-marker: must be a line that is not empty, got 'a\\x0ab'"),
    (("--remarks=mised",), "argument --remarks: must be of missed, passed, analysis, all, got 'mised'; did you mean 'missed'?"),
    (("--remarks=",), "argument --remarks: must be names with commas between, got ''"),
    (("--remarks", "--remarks-format=yml"), "argument --remarks-format: must be text or yaml, got 'yml'; did you mean 'yaml'?"),
    (("--remarks-format=yaml",), "--remarks-format needs --remarks or --remarks-file"),
    (("--print-ir-before=cse,,dce",), "argument --print-ir-before: must be names with commas between, got 'cse,,dce'"),
    (("--print-ir-before=cse,dze",), "--print-ir-before: unknown pass 'dze'; did you mean 'dce'?"),
    (("--print-ir-after=fuse",), "--print-ir-after: 'fuse' is a pipeline; name its passes"),
    (("--print-ir-after-change",), "--print-ir-after-change needs --print-ir-after or --print-ir-after-all"),
    (("--print-ir-after-change", "--print-ir-before-all"), "--print-ir-after-change needs"),
    (("--print-ir-tree-dir=x",), "--print-ir-tree-dir needs one of --print-ir-before, "),
    (("--print-ir-module-scope",), "--print-ir-module-scope needs one of --print-ir-before, "),
    (("--pass-pipeline=",), ""),
    (("--run-reproducer", "--cse"), "give passes as flags, as --pass-pipeline or in a file by --run-reproducer, not by two"),
    (("--mlir-print-debuginfo",), "unknown argument '--mlir-print-debuginfo'; here it is '--print-locations'; see"),
    (("--mlir-timing",), "unknown argument '--mlir-timing'; did you mean '--timing'?"),
    (("--print-ir-befor-all",), "unknown argument '--print-ir-befor-all'; did you mean '--print-ir-before-all'?"),
])  # fmt: skip
def test_wrong_value_is_one_sentence_that_names_the_flag(arguments: tuple[str, ...], sentence: str) -> None:
    done = tir_opt(*arguments)
    if not sentence:  # the empty pipeline is right: it changes nothing
        assert done.code == 0 and done.out.count("tir.exp") == 2
        return
    assert done.sentence.startswith(f"tir-opt: error: {sentence}"), done.err
    assert done.code == 2 and done.out == "" and len(done.sentence) < 300


def test_each_flag_has_a_sentence_and_a_topic_and_help_shows_all() -> None:
    parser = opt_parser()
    text = tir_opt("--help").out
    for action in parser._actions:
        assert action.help, action.option_strings
        for flag in action.option_strings:
            assert flag in text
    topics = [line[:-1] for line in text.split("\n") if line.endswith(":") and not line.startswith(" ")]
    known = ["input and output", "passes", "printing", "checking", "debugging", "measuring", "examples"]
    assert [topic for topic in topics if topic in known] == known


def test_examples_of_the_help_are_command_lines_that_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.tir").write_text(TEXT)
    Path("my.rules").write_text("twice: -(-x) => x\n  exact\n")
    Path("tir-opt-reproducer.tir").write_text(
        TEXT + '{-# external_resources: { mlir_reproducer: { pipeline: "builtin.module(cse)" } } #-}\n'
    )
    lines = [line.split("  ")[1] for line in tir_opt("--help").out.partition("\nexamples:\n")[2].split("\n") if line]
    assert len(lines) >= 8
    for line in lines:
        words = [word.replace("'", "") for word in line.split()]
        assert words[0] == "tir-opt" and tir_opt(*words[1:]).code == 0, line


def test_names_of_upstream_lead_to_flags_that_exist() -> None:
    flags = {flag for action in opt_parser()._actions for flag in action.option_strings}
    assert set(UPSTREAM_NAMES.values()) <= flags and not set(UPSTREAM_NAMES) & flags


def test_dialects_are_listed_one_a_line() -> None:
    assert tir_opt("--show-dialects").out.split() == sorted(dialect.name for dialect in REGISTRY.dialects)


@pytest.mark.parametrize("name", [name for name in ALL if name != "apply-rules"])  # it needs a file: test_opt_rules.py
def test_dumped_pipeline_reads_back_and_dumps_the_same(name: str) -> None:
    text = SCHEDULE if name == "transform-interpreter" else ""
    done = tir_opt(f"--{name}", "--dump-pass-pipeline", stdin=text)
    dumped = done.err[: done.err.index("\n)\n") + 3]
    again = tir_opt("--pass-pipeline", dumped, "--dump-pass-pipeline", stdin=text)
    assert (again.code, again.err) == (0, done.err)
    made = ALL[name]()
    steps = list(made.flattened()) if isinstance(made, Pipeline) else [made]
    assert parse_pipeline(dumped, ALL).steps == [Pipeline(steps, "builtin.module")]


def test_json_of_op_stats_is_json_whatever_the_names() -> None:
    hostile = '"x.y.z"() : () -> ()\n"a.\\22\\5C\\0A\\1B\\C3\\A9\\F0\\9F\\98\\80"() : () -> ()\n"nodialect"() : () -> ()\n'
    done = tir_opt("--allow-unregistered-dialect", "--print-op-stats=json", stdin=hostile)
    assert json.loads(done.err) == {'a."\\\n\x1b\u00e9\U0001f600': 1, "nodialect": 1, "builtin.module": 1, "x.y.z": 1}
    table = tir_opt("--allow-unregistered-dialect", "--print-op-stats", stdin=hostile).err
    assert "\x1b" not in table and len(table.split("\n")) == 7
    assert len({line.index(" , ") for line in table.split("\n")[2:6]}) == 1
    assert len({line.index(".") for line in table.split("\n")[2:6] if "." in line}) == 1


def test_module_printed_on_standard_output_is_not_mixed_with_reports() -> None:
    done = tir_opt("--cse", "--timing", "--pass-statistics", "--print-ir-after-all", "--dump-pass-pipeline", "--remarks")
    assert done.out == tir_opt("--cse").out
    order = [done.err.index(text) for text in ("builtin.module(", "IR Dump", "Pass statistics", "Execution time")]
    assert order == sorted(order)


def test_split_parts_are_timed_and_counted_together() -> None:
    done = tir_opt("--split-input-file", "--cse", "--timing", "--pass-statistics", stdin=f"{TEXT}// -----\n{TEXT}")
    assert done.err.count("  Cse\n") == 1 and "(S) 2 merge" in done.err and done.err.count("Parser") == 1


def test_marker_of_the_input_and_of_the_output_may_be_any_line() -> None:
    text = f"{TEXT}#### (next) ----\n{TEXT}"
    done = tir_opt("--split-input-file=#### (next)", "--output-split-marker=#### (next)", stdin=text)
    assert done.code == 0 and done.out.count("\n#### (next)\nmodule {\n") == 1
    assert tir_opt("--split-input-file=#### (next)", "--output-split-marker=#### (next)", stdin=done.out).out == done.out


def test_flag_with_an_optional_value_does_not_take_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.tir").write_text(TEXT)
    for flag in ("--split-input-file", "--verify-each", "--elide-large-constants", "--remarks"):
        assert tir_opt(flag, tmp_path / "x.tir", stdin="").out.count("tir.exp") == 2


# --- the tree of files -----------------------------------------------------------------------------------------------


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_dumps_of_ops_with_equal_names_do_not_overwrite_each_other(tmp_path: Path) -> None:
    text = "module {\n  module {\n  }\n  module {\n  }\n}\n"
    tree = ("--print-ir-after-all", f"--print-ir-tree-dir={tmp_path}", "--pass-pipeline=builtin.module(builtin.module(cse))")
    assert tir_opt(*tree, "--split-input-file", stdin=f"{text}// -----\n{text}").code == 0
    inner = "builtin_module_no-symbol-name/builtin_module_no-symbol-name"
    assert files_of(tmp_path) == [f"{inner}/0_0_cse{end}.tir" for end in ("-2", "-3", "-4", "")]


@pytest.mark.parametrize("name", ["..", "../../escape", "/etc/x", "a\\00b", "x" * 5000, "\\1B[31m", "CON", ".", "a b", "\\C3\\A9"])
def test_no_name_of_a_symbol_leads_out_of_the_tree(tmp_path: Path, name: str) -> None:
    tree = tmp_path / "tree"
    text = f'func.func @"{name}"() {{\n  return\n}}\nfunc.func @other() {{\n  return\n}}\n'
    done = tir_opt("--print-ir-after-all", f"--print-ir-tree-dir={tree}", "--pass-pipeline=func.func(cse)", stdin=text)
    if done.code:  # the parser has a limit for names, and refuses NUL
        assert len(name) > 4096 or "00" in name
        return
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]
    found = files_of(tree)
    assert len(found) == 2 and all(len(Path(path).parts) == 3 and path.isascii() and path.isprintable() for path in found)


def test_names_that_become_equal_when_they_are_made_safe_stay_apart(tmp_path: Path) -> None:
    text = "".join(f'func.func @"{name}"() {{\n  return\n}}\n' for name in ("a/b", "a b", "a_b"))
    tir_opt("--print-ir-after-all", f"--print-ir-tree-dir={tmp_path}", "--pass-pipeline=func.func(cse)", stdin=text)
    assert len({Path(path).parent for path in files_of(tmp_path)}) == 3


def test_tree_that_cannot_be_written_is_an_error_and_no_bug(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, why in [("file", "is not a directory"), ("file/x", "is not a directory"), ("x" * 300 + "/y", "File name too long")]:
        done = tir_opt("--cse", "--print-ir-after-all", f"--print-ir-tree-dir={tmp_path}/{folder}")
        assert done.code == 2 and done.out == ""
        head, _, tail = done.sentence.partition(f"{tmp_path}/{folder}: ")
        assert (head, why in tail) == ("tir-opt: error: --print-ir-tree-dir: cannot make the folder ", True)
    assert files_of(tmp_path) == ["file"]


def test_same_value_twice_and_another_colour_are_no_mistake() -> None:
    assert tir_opt("--cse", "--max-rewrites=1", "--max-rewrites=1", "--timing", "--timing").code == 0
    assert "\x1b" not in tir_opt("--color=always", "--color=never", "--cse", "--print-ir-after=dce").err


def test_pass_to_print_that_is_not_run_is_a_warning() -> None:
    done = tir_opt("--pass-pipeline=func.func(cse)", "--print-ir-after=dce,cse,dce", "--print-ir-before=cse")
    warning = "tir-opt: warning: --print-ir-after: the pass dce is not in the pipeline, so nothing is printed for it"
    assert done.code == 0 and done.err.splitlines()[0] == warning and done.err.count("warning") == 1
    assert tir_opt("--cse", "--print-ir-after=cse").err.count("warning") == 0


def test_change_of_what_is_left_out_in_print_is_a_change() -> None:
    text = (
        "func.func @f() -> tensor<3xf32> {\n  %0 = tir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>\n"
        "  %1 = tir.neg %0 : tensor<3xf32>\n  return %1 : tensor<3xf32>\n}\n"
    )
    done = tir_opt("--canonicalize", "--dce", "--print-ir-after-all", "--print-ir-after-change", "--elide-large-constants=0", stdin=text)
    assert done.err.count("IR Dump After") == 1 and "dense_resource<__elided__>" in done.err
