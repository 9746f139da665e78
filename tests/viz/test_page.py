"""The page: one file that needs nothing else, in which what a program says is text and nothing more."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import call
from tests.viz.programs import ATTACKS, DIGITS, SMALL, explored, hostile
from tir.cli.opt import main as tir_opt
from tir.viz.page import page, page_data

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
VOID = {"meta", "input", "br", "img", "link", "hr"}


class Elements(HTMLParser):
    """The elements of a page: name, attributes and all the text inside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element: tuple[str, dict[str, str | None], list[str]] = (tag, dict(attrs), [])
        self.found.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for _, _, texts in self.open:
            texts.append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, "".join(texts)) for name, attributes, texts in self.found if name == tag]

    def by_id(self, name: str) -> str:
        (text,) = ["".join(texts) for _, attributes, texts in self.found if attributes.get("id") == name]
        return text


def data_of(elements: Elements) -> dict[str, Any]:
    (text,) = [text for attributes, text in elements.all("script") if attributes.get("type") == "application/json"]
    return json.loads(text)


def digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# --- the chains of rules ---------------------------------------------------------------------------------------------


def test_each_op_has_the_chain_of_rules_that_explain_prints(tmp_path: Path) -> None:
    program = tmp_path / "program.tir"
    program.write_text("""
func.func @f(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = tir.exp %x : tensor<2x3xf32>
  %1 = tir.sum %0 over [1] : tensor<2xf32>
  %2 = tir.broadcast %1 along [0] : tensor<2xf32> -> tensor<2x3xf32>
  %3 = tir.div %0, %2 : tensor<2x3xf32>
  %4 = tir.log %3 : tensor<2x3xf32>
  return %4 : tensor<2x3xf32>
}""")
    explorer = explored(program.read_text(), "stabilize")
    data = page_data(explorer, "small", ["tir-opt"])
    level = data["levels"][-1]
    (op,) = [op for op, line in enumerate(level["ops"]) if "log_softmax" in data["lines"][level["lines"][line]]]
    rows, pending = [], [(level["made"][op], 0)]
    while pending:
        number, depth = pending.pop()
        made = data["made"][number]
        rows.append("    " * depth + ("from " if depth else "") + data["lines"][made["text"]])
        rows += ["    " * depth + f"  by {made['by']}"] if made["by"] else []
        pending += [(source, depth + 1) for source in reversed(made["of"])]
    printed = call(tir_opt, program, "--stabilize", "--explain=%0").out.splitlines()
    assert len(printed) == len(rows) == 9
    assert all(long.startswith(short) for long, short in zip(printed, rows))
    assert [number for number in data["levels"][0]["made"] if number != -1] == []  # all was given


# --- the file --------------------------------------------------------------------------------------------------------


def test_page_is_one_file_that_needs_nothing_else() -> None:
    text = page(explored(DIGITS, "fuse"), "digits.tir", ["tir-opt", "--fuse"])
    elements = Elements(text)
    assert not elements.open
    assert len(elements.all("style")) == 1 and len(elements.all("script")) == 2
    outside = {"src", "href", "srcset", "action", "style", "background", "poster", "data", "formaction"}
    for tag, attributes, _ in elements.found:
        assert not outside & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    (style,) = (text for _, text in elements.all("style"))
    assert "url(" not in style and "@import" not in style


def test_policy_of_the_page_allows_its_own_script_and_style_alone() -> None:
    elements = Elements(page(explored(SMALL, "cse"), "small.tir", []))
    (policy,) = [a["content"] for a, _ in elements.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in str(policy).split(";"))
    (script,) = [text for attributes, text in elements.all("script") if not attributes]
    (style,) = [text for _, text in elements.all("style")]
    assert rules == {
        "default-src": "'none'", "script-src": f"'{digest(script)}'", "style-src": f"'{digest(style)}'",
        "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip


def test_scripts_of_the_page_make_no_markup_of_text() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in (Path(page.__code__.co_filename).parent).glob("*.js"))
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setTimeout\(['\"]|srcdoc", scripts)


def test_data_of_the_page_is_what_was_recorded() -> None:
    explorer = explored(DIGITS, "fuse")
    command = ["tir-opt", "--fuse", "it's here.tir"]
    data = data_of(Elements(page(explorer, "digits.tir", command)))
    assert data == json.loads(json.dumps(page_data(explorer, "digits.tir", command)))
    assert data["command"] == """tir-opt --fuse 'it'"'"'s here.tir'"""
    for shown, level in zip(data["levels"], explorer.levels):
        assert [data["lines"][line] for line in shown["lines"]] == level.lines
        assert shown["ops"] == level.ops


@pytest.mark.parametrize("attack", ATTACKS)
def test_names_add_nothing_to_the_markup(attack: str) -> None:
    def count(text: str) -> Counter[str]:
        return Counter(tag for tag, _, _ in Elements(text).found)

    harmless = page(explored(hostile("harmless"), "canonicalize,cse"), "harmless", ["tir-opt"])
    text = page(explored(hostile(attack), "canonicalize,cse"), attack, ["tir-opt", attack])
    assert count(text) == count(harmless)
    elements = Elements(text)
    assert len(elements.all("script")) == 2 and attack not in elements.all("script")[1][1]
    data = data_of(elements)
    assert data["title"] == attack
    assert any(data["chains"][step["chain"]]["function"] == f"@f{attack}" for step in data["steps"])


# --- the tool --------------------------------------------------------------------------------------------------------


def test_tool_writes_the_page_and_says_so(tmp_path: Path) -> None:
    source, target = tmp_path / "small.tir", tmp_path / "page.html"
    source.write_text(SMALL, encoding="utf-8")
    done = call(tir_opt, "--explore", target, "--canonicalize", "--cse", source)
    assert (done.code, done.out, done.sentence) == (0, "", f"wrote {target}: 3 levels, 3 rewrites")
    assert data_of(Elements(target.read_text(encoding="utf-8")))["title"] == str(source)


def test_tool_prints_the_module_where_it_is_told(tmp_path: Path) -> None:
    source, target, printed = tmp_path / "small.tir", tmp_path / "page.html", tmp_path / "printed.tir"
    source.write_text(SMALL, encoding="utf-8")
    assert call(tir_opt, "--explore", target, "--cse", source, "-o", printed).code == 0
    assert printed.read_text(encoding="utf-8") == call(tir_opt, "--cse", source).out


def test_tool_shows_what_came_before_a_failure(tmp_path: Path) -> None:
    source, target = tmp_path / "digits.tir", tmp_path / "page.html"
    source.write_text(DIGITS, encoding="utf-8")
    done = call(tir_opt, "--explore", target, "--inline", "--state-to-arguments", source)
    assert done.code == 1 and "run the pass autodiff first" in done.err
    data = data_of(Elements(target.read_text(encoding="utf-8")))
    assert len(data["levels"]) == 2 and "run the pass autodiff first" in data["error"]


def test_tool_refuses_several_modules(tmp_path: Path) -> None:
    done = call(tir_opt, "--explore", tmp_path / "page.html", "--split-input-file", stdin=SMALL)
    assert (done.code, "--split-input-file" in done.sentence) == (2, True)


def test_tool_without_a_module_writes_no_page(tmp_path: Path) -> None:
    assert call(tir_opt, "--explore", tmp_path / "page.html", stdin="func.func @f(").code == 1
    assert not (tmp_path / "page.html").exists()


# --- in a browser ----------------------------------------------------------------------------------------------------

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--virtual-time-budget=10000")  # fmt: skip
in_a_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium, google-chrome or chromium-browser in PATH")


def browse(text: str, folder: Path, hash: str, *flags: str) -> bytes:
    """What the browser writes about the page at `#hash`."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(BROWSER), *FLAGS, f"--user-data-dir={profile}", *flags, f"file://{file}#{hash}"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=100, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]
    return done.stdout


def shown(text: str, folder: Path, hash: str) -> Elements:
    """The page as the browser has it once its script has run."""
    return Elements(browse(text, folder, hash, "--dump-dom").decode("utf-8"))


def lit_ops(elements: Elements, role: str) -> set[tuple[int, int]]:
    """Level and op of the lines that have the class `role`."""
    ids = [str(a.get("id")) for tag, a, _ in elements.found if tag == "div" and role in str(a.get("class")).split()]
    return {(int(level), int(op)) for level, op in re.findall(r"op-(\d+)-(\d+)", " ".join(ids))}


def family(data: dict[str, Any], level: int, op: int) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """What the op came from, and what it became: a second computation of what the page's script does."""
    up, down = {(level, op)}, {(level, op)}
    for at in range(level, 0, -1):
        lit = [one for place, one in up if place == at]
        up |= {(at - 1, source) for one in lit for source in data["levels"][at]["from"][one]}
    for at in range(level + 1, len(data["levels"])):
        sources = {one for place, one in down if place == at - 1}
        down |= {(at, i) for i, one in enumerate(data["levels"][at]["from"]) if sources & set(one)}
    return up - {(level, op)}, down - {(level, op)}


@in_a_browser
@pytest.mark.parametrize(("level", "op"), [(0, 13), (2, 20), (5, 100)])
def test_op_lights_up_what_it_came_from_and_what_it_became(level: int, op: int, tmp_path: Path) -> None:
    text = page(explored(DIGITS, "fuse"), "digits.tir", ["tir-opt"])
    data = data_of(Elements(text))
    columns = (0, level or 1, len(data["levels"]) - 1)
    elements = shown(text, tmp_path, f"levels={','.join(map(str, columns))}&op={level}.{op}")
    up, down = family(data, level, op)

    def visible(ops: set[tuple[int, int]]) -> set[tuple[int, int]]:
        return {(at, one) for at, one in ops if at in columns and data["levels"][at]["ops"][one] >= 0}

    assert lit_ops(elements, "self") == {(level, op)}
    assert lit_ops(elements, "from") == visible(up)
    assert lit_ops(elements, "became") == visible(down)
    assert visible(up) | visible(down)
    line = data["lines"][data["levels"][level]["lines"][data["levels"][level]["ops"][op]]].strip()
    assert elements.by_id("status").startswith(line[:67])


@in_a_browser
def test_step_shows_rule_sentence_class_and_change(tmp_path: Path) -> None:
    text = page(explored(DIGITS, "fuse"), "digits.tir", ["tir-opt"])
    data = data_of(Elements(text))
    number = next(i for i, step in enumerate(data["steps"]) if step["rule"] >= 0)
    rule, run = data["rules"][data["steps"][number]["rule"]], data["runs"][data["steps"][number]["run"]]
    elements = shown(text, tmp_path, f"step={number + 1}")
    card = elements.by_id("rule")
    for part in (rule["name"], f"{rule['before']} → {rule['after']}", f"{rule['class']}: ", f"pass {run['title']}", data["steps"][number]["place"]):
        assert part in card
    cells = [(str(a["class"]), t) for tag, a, texts in elements.found if tag == "div" and "cell" in str(a.get("class")) for t in ["".join(texts)]]
    at, removed, added = data["steps"][number]["changes"][0]
    base = data["chains"][data["steps"][number]["chain"]]["base"]
    assert [t for c, t in cells if "removed" in c] == [data["lines"][line] for line in base[at : at + removed]]
    assert [t for c, t in cells if "added" in c] == [data["lines"][line] for line in added]
    assert elements.by_id("step-number") == f"{number + 1} / {len(data['steps'])}"


@in_a_browser
@pytest.mark.parametrize("hash", ["levels=0,1,2&op=0.3", "step=1"])
def test_hostile_names_stay_text_in_a_browser(hash: str, tmp_path: Path) -> None:
    attack = "".join(ATTACKS)
    text = page(explored(hostile(attack), "canonicalize,cse"), attack, ["tir-opt", attack])
    elements = shown(text, tmp_path, hash)
    tags = Counter(tag for tag, _, _ in elements.found)
    assert tags["script"] == 2 and not {"img", "svg", "iframe", "object", "embed", "link", "base"} & set(tags)
    ((_, title),) = elements.all("title")
    assert title == f"{' '.join(attack.split())} · tir explore" or title.startswith("</script><script>")
    assert not [name for _, attributes, _ in elements.found for name in attributes if name.startswith("on")]
    assert {str(a.get("class")) for a, _ in elements.all("body")} == {"ready"}
    assert "<img src=x onerror=" in elements.by_id("title")


@in_a_browser
@pytest.mark.parametrize("size", ["1280,800", "390,844"])
def test_page_has_something_to_see(size: str, tmp_path: Path) -> None:
    text = page(explored(DIGITS, "fuse"), "digits.tir", ["tir-opt"])
    browse(text, tmp_path, "levels=0,2&op=0.13", f"--window-size={size}", f"--screenshot={tmp_path / 'page.png'}")
    picture = (tmp_path / "page.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 30_000  # an empty page of this size has 4 kB
