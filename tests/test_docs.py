"""The documentation says what is: every example runs, every name in it exists, and what must be said is said."""

from __future__ import annotations

import difflib
import importlib
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.lit_runner import run_line
from tir.cli import opt
from tir.cli.reference import TOOLS, parser_of, pass_flags, topics
from tir.dialects.all import DIALECTS, REGISTRY
from tir.ir import verify
from tir.ir.directives import DIRECTIVES
from tir.ir.errors import TirError
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tools import doc_examples, gen_docs
from tools.doc_examples import Block, blocks_of, change_file, check_fragment, matches, merged, pages, run_page

ROOT = Path(__file__).resolve().parent.parent
PAGES = pages()
TEXTS = [*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"))]
GENERATED = {"ops.md", "passes.md", "rewrites.md", "cli.md"}


def ids(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


# --- the pages -------------------------------------------------------------------------------------------------------


#: Pages whose examples run parts of the test suite.
LONG = ("add-an-op.md", "add-a-rewrite.md")
EXAMPLE_PAGES = [pytest.param(path, marks=pytest.mark.slow) if path.name in LONG else path for path in PAGES]


@pytest.mark.parametrize("path", EXAMPLE_PAGES, ids=ids(PAGES))
def test_every_example_of_the_page_does_what_it_says(path: Path) -> None:
    page = run_page(path)
    said = path.read_text(encoding="utf-8")
    difference = "".join(difflib.unified_diff(said.splitlines(True), page.text.splitlines(True), "page", "now", n=1))
    assert not page.problems, "\n".join(page.problems)
    assert page.text == said, f"run `make docs` and read what has changed in {path.name}:\n{difference}"


def test_generated_pages_are_up_to_date(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["gen_docs.py", "--check"])
    assert gen_docs.main() == 0, capsys.readouterr().out


@pytest.mark.parametrize("dialect", DIALECTS)
def test_page_of_the_ops_shows_each_op_in_a_text_that_tir_reads(dialect: str) -> None:
    page = (ROOT / "docs" / "ops.md").read_text(encoding="utf-8")
    path = gen_docs.EXAMPLES / f"{dialect}.tir"
    shown = gen_docs.examples(dialect)
    assert set(shown) >= {op.name for op in DIALECTS[dialect].ops}
    for op in DIALECTS[dialect].ops:
        section = page[page.index(f"\n### {op.name}\n") :].partition("\n### ")[2].partition("\n### ")[0]
        assert "\n".join(f"    {line}" for line in shown[op.name]) in section
    printed = print_op(parse_text(path.read_text(encoding="utf-8"), REGISTRY))
    assert gen_docs.examples(dialect, printed) == shown  # what was shown is what was read


def prose(path: Path) -> str:
    """The text of a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """What `#name` may follow a link to the page: its headings as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=ids(TEXTS))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        to = (path.parent / name).resolve() if name else path
        assert to.exists(), f"{path.name} links to {target}, which is not there"
        assert not anchor or anchor in anchors(to), f"{path.name} links to {target}; {to.name} has no such heading"


FILE_NAME = re.compile(r"(?<![\w/.])((?:tir|tests|tools|docs|examples)/[\w./-]*[\w/])")
MADE_BY_TOOLS = {"examples/out"}  # `make demo` writes there


@pytest.mark.parametrize("path", TEXTS, ids=ids(TEXTS))
def test_files_that_are_named_exist(path: Path) -> None:
    made = {block.option("new") for block in blocks_of(path.read_text(encoding="utf-8"))}
    for name in set(FILE_NAME.findall(prose(path))) - made:
        assert (ROOT / name).exists() or any(name.startswith(folder) for folder in MADE_BY_TOOLS), f"{path.name}: {name}"


def test_every_program_of_the_docs_is_in_a_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    programs = sorted((ROOT / "docs" / "examples").iterdir())
    assert programs and not [path.name for path in programs if f"docs/examples/{path.name}" not in text]


@pytest.mark.parametrize("path", [p for p in TEXTS if p.name not in GENERATED], ids=lambda path: path.name)
def test_prose_keeps_to_120_columns(path: Path) -> None:
    long = [line for line in prose(path).split("\n") if len(line) > 120 and not line.startswith(("|", "    "))]
    assert not long


def test_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("out"))
    (tmp_path / "examples" / "out").mkdir()
    x, y = np.zeros((100, 64), np.float32), np.zeros(100, np.int32)
    np.savez(tmp_path / "examples" / "out" / "train.npz", x=x, y=y)
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    \.venv/bin/(tir-.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) > 3
    for command in commands:
        outcome = run_line(command.partition("#")[0])
        assert outcome.ok, outcome


# --- what must be said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_page_of_the_tools_names_flags_that_exist(tool: str) -> None:
    text = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    section = text[text.index(f"\n## {tool}\n") :]
    section = section[: section.index("\n## ", 5)]
    flags = {name for topic in topics(parser_of(tool)) for flag in topic.flags for name in flag.names}
    flags |= {name for flag in pass_flags() for name in flag.names}
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", re.sub(r"```.*?```", "", section, flags=re.DOTALL)))
    assert not named - flags


def test_page_of_the_ir_lists_what_the_verifier_guarantees() -> None:
    text = (ROOT / "docs" / "ir.md").read_text(encoding="utf-8")
    guarantees = re.findall(r"^ (\d\. .*)$", verify.__doc__ or "", re.MULTILINE)
    assert len(guarantees) == 8
    assert not [line for line in guarantees if line not in text]


def test_page_of_the_ir_names_every_directive() -> None:
    text = (ROOT / "docs" / "ir.md").read_text(encoding="utf-8")
    assert not [name for name in DIRECTIVES if f"`{name}`" not in text]


def test_limits_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "ir.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|.*\| (\d+) \| `(\S+)\.py`: `(\w+)` \|$", text, re.MULTILINE)
    assert len(rows) >= 10
    for value, module, name in rows:
        assert vars(importlib.import_module(module.replace("/", ".")))[name] == int(value), name


# --- the runner itself -----------------------------------------------------------------------------------------------


def test_blocks_have_their_line_kind_and_options() -> None:
    (block,) = blocks_of('text\n\n```python into=a.py above="# --- x"\ncode\n```\n')
    assert (block.line, block.kind, block.option("above"), block.text) == (3, "python", "# --- x", "code\n")
    assert block.changes_files and block.option("new") is None


@pytest.mark.parametrize(
    ("expected", "wanted"),
    [
        (["a", "b"], True), (["a", "..."], True), (["..."], True), (["a", "b", "..."], True), (["a", "..."[:2]], False),
        (["b"], False), (["a"], False), (["a...", "b"], True), (["a", "c"], False), ([], False),
    ],
)  # fmt: skip
def test_expected_lines_match_with_parts_left_out(expected: list[str], wanted: bool) -> None:
    assert matches(expected, ["a", "b"]) is wanted


def test_update_keeps_what_is_left_out() -> None:
    printed = ["module {", "  new", "  func {", "    %1 = add", "    end", "  }", "}"]
    assert merged(["module {", "...", "  func {", "    %0 = mul", "    end", "...", "}"], printed) == [
        "module {", "...", "  func {", "    %1 = add", "    end", "...", "}"]  # fmt: skip


def test_update_finds_a_part_whose_numbers_have_changed() -> None:
    printed = ["a", "  %7 = load %3", "  %8 = mul %7, %7", "z"]
    assert merged(["a", "...", "  %4 = load %3", "  %5 = mul %4, %4", "..."], printed)[2:4] == printed[1:3]


def test_update_leaves_nothing_out_where_nothing_is_alike() -> None:
    assert merged(["a", "...", "b", "...", "c"], ["x", "y"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("```console\n$ tir-opt --frobnicate\nnothing\n```\n", ""),
        ("```mlir\nfunc.func @f() -> f32 { return }\n```\n", "returns"),
        ("```mlir fragment\n%0 = tir.nonsense %x : f32\n```\n", "no op tir.nonsense"),
        ("```python\nraise SystemExit(2)\n```\n", "ends with an error"),
        ("```ruby\nputs 1\n```\n", "is not run"),
        ("```diff\n--- pyproject.toml\n-there is no such line\n```\n", "0 times"),
    ],
)
def test_wrong_example_is_found(body: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(body, encoding="utf-8")
    page = run_page(path)
    assert page.text != body if not message else message in "\n".join(page.problems)


def test_traceback_in_a_tool_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(argv: list[str]) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr(opt, "main", broken)
    path = tmp_path / "page.md"
    path.write_text("```console\n$ tir-opt x.tir\n```\n", encoding="utf-8")
    assert "traceback" in run_page(path).problems[0]


def test_changes_are_made_where_the_page_says(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import b\n\n\ndef end(): ...\n", encoding="utf-8")
    for fence, body in (
        ('python into=a.py above="def end"', ["def f(): ..."]),
        ("diff", ["--- a.py", "+import a", " import b"]),
        ("python end=a.py", ["f()"]),
        ("python new=c/d.py", ["1"]),
    ):
        kind, *words = shlex.split(fence)
        change_file(Block(1, kind, words, body), tmp_path)
    assert file.read_text(encoding="utf-8") == "import a\nimport b\n\n\ndef f(): ...\n\n\ndef end(): ...\n\nf()\n"
    assert (tmp_path / "c" / "d.py").read_text(encoding="utf-8") == "1\n"
    with pytest.raises(LookupError, match="there already"):
        change_file(Block(1, "python", ["new=c/d.py"], []), tmp_path)


def test_fragment_may_use_values_from_elsewhere() -> None:
    check_fragment("%1 = tir.exp %0 : tensor<4xf32>\nreturn %1 : tensor<4xf32>\n")
    with pytest.raises(TirError):
        check_fragment("%1 = = tir.exp\n")


def test_command_says_what_is_wrong_and_updates_only_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(6 * 7)\n```\n\n```text\n41\n```\n", encoding="utf-8")
    monkeypatch.setattr(doc_examples, "pages", lambda: [page])
    assert doc_examples.main([]) == 1
    assert "not up to date" in capsys.readouterr().out
    assert doc_examples.main(["--update"]) == 0
    assert "```text\n42\n```" in page.read_text(encoding="utf-8")
    assert doc_examples.main([]) == 0
