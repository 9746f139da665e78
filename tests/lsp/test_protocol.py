"""tir-lsp as an editor meets it: a process that speaks the protocol on its standard input and output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.client import ROOT, WAIT_SECONDS, Client

pytest.importorskip("pygls", reason="pygls, which the extra [lsp] brings, is not installed")

URI = "file:///model.tir"
# Line 0 has characters of one, two and four bytes in front of a name.
TEXT = """func.func @f(%x: f32 {tir.name = "é😀"}, %y: f32) -> f32 {
  %sum = arith.addf %x, %y : f32 // 😀
  return %sum : f32
}
"""
BROKEN = TEXT.replace("%x, %y : f32 //", "%x, %z : f32 //").replace("return %sum", "return %total")


def span(line: int, start: int, end: int) -> dict[str, dict[str, int]]:
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def test_diagnostics_follow_the_text_and_go_when_it_is_closed() -> None:
    with Client() as client:
        found = client.open(BROKEN)
        assert [one["range"]["start"]["line"] for one in found] == [1, 2]
        assert found[0]["range"] == span(1, 24, 26) and found[0]["message"].startswith("%z is not defined here")
        assert all(one["severity"] == 1 and one["source"] == "tir" for one in found)
        client.change(TEXT, version=2)
        assert client.diagnostics(version=2) == []
        client.change(BROKEN, version=3)
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        assert len(client.diagnostics(version=3)) == 2
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        assert client.diagnostics() == []
        assert client.request("textDocument/hover", client.at(0, 3)) is None


def test_many_changes_at_once_give_the_diagnostics_of_the_last() -> None:
    with Client() as client:
        client.open(TEXT)
        for version in range(2, 50):
            client.change(BROKEN if version % 2 else TEXT, version)
        assert len(client.diagnostics(version=49)) == 2
        published = [one for one in client.notifications if one["method"] == "textDocument/publishDiagnostics"]
        assert len(published) < 10


def test_notes_are_related_information() -> None:
    with Client() as client:
        (one,) = client.open("func.func @f() {\n  return\n}\nfunc.func @f() {\n  return\n}\n")
        (note,) = one["relatedInformation"]
        assert note["location"] == {"uri": URI, "range": span(0, 0, 14)} and note["message"] == "it is defined here"


def test_definition_references_and_highlights() -> None:
    with Client() as client:
        client.open(TEXT)
        use = client.at(2, 10)
        assert client.request("textDocument/definition", use) == {"uri": URI, "range": span(1, 2, 6)}
        both = client.request("textDocument/references", {**use, "context": {"includeDeclaration": True}})
        assert [one["range"] for one in both] == [span(1, 2, 6), span(2, 9, 13)]
        one = client.request("textDocument/references", {**use, "context": {"includeDeclaration": False}})
        assert [place["range"] for place in one] == [span(2, 9, 13)]
        marks = client.request("textDocument/documentHighlight", use)
        assert [(mark["range"], mark["kind"]) for mark in marks] == [(span(1, 2, 6), 3), (span(2, 9, 13), 2)]
        assert client.request("textDocument/definition", client.at(3, 0)) is None


@pytest.mark.parametrize(("encodings", "chosen", "column"), [
    (None, "utf-16", 41), (["utf-8", "utf-16"], "utf-8", 44), (["utf-32"], "utf-32", 40), (["utf-7"], "utf-16", 41),
])  # fmt: skip
def test_positions_count_as_negotiated(encodings: list[str] | None, chosen: str, column: int) -> None:
    with Client(encodings) as client:
        assert client.initialized["capabilities"]["positionEncoding"] == chosen
        client.open(TEXT)
        found = client.request("textDocument/definition", client.at(1, 24))
        assert found["range"] == span(0, column, column + 2)


def test_hover_shows_types_and_documentation() -> None:
    with Client() as client:
        client.open(TEXT)
        value = client.request("textDocument/hover", client.at(2, 10))
        assert value["contents"]["kind"] == "markdown" and "%sum : f32" in value["contents"]["value"]
        assert value["range"] == span(2, 9, 13)
        op = client.request("textDocument/hover", client.at(1, 12))
        assert "arith.addf : (f32, f32) -> f32" in op["contents"]["value"] and "**arith.addf**" in op["contents"]["value"]


def test_completion_and_its_documentation() -> None:
    with Client() as client:
        client.open(TEXT.replace("arith.addf %x, %y : f32", "arith.ad"))
        found = client.request("textDocument/completion", client.at(1, 17))
        items = {one["label"]: one for one in found["items"]}
        assert items["arith.addf"]["textEdit"] == {"range": span(1, 9, 17), "newText": "arith.addf"}
        resolved = client.request("completionItem/resolve", items["arith.addf"])
        assert "**arith.addf**" in resolved["documentation"]["value"]


def test_rename_changes_all_places_or_says_why_not() -> None:
    with Client() as client:
        client.open(TEXT)
        assert client.request("textDocument/prepareRename", client.at(2, 10)) == span(2, 9, 13)
        changes = client.request("textDocument/rename", client.at(2, 10, newName="%total"))["changes"]
        assert changes == {URI: [
            {"range": span(1, 2, 6), "newText": "%total"}, {"range": span(2, 9, 13), "newText": "%total"},
        ]}  # fmt: skip
        refused = client.answer("textDocument/rename", client.at(2, 10, newName="x"))["error"]
        assert refused == {"code": -32803, "message": "%x is taken: line 1 defines it"}


def test_quick_fix_outline_and_folds() -> None:
    with Client() as client:
        client.open(TEXT.replace("arith.addf", "arith.adff"))
        everywhere = {"textDocument": {"uri": URI}, "range": span(1, 0, 30), "context": {"diagnostics": []}}
        (fix,) = client.request("textDocument/codeAction", everywhere)
        assert fix["title"] == "Change to arith.addf"
        assert fix["edit"]["changes"][URI] == [{"range": span(1, 9, 19), "newText": "arith.addf"}]
        (function,) = client.request("textDocument/documentSymbol", {"textDocument": {"uri": URI}})
        assert function["name"] == "@f" and function["range"]["end"] == {"line": 3, "character": 1}
        folds = client.request("textDocument/foldingRange", {"textDocument": {"uri": URI}})
        assert [(fold["startLine"], fold["endLine"]) for fold in folds] == [(0, 2)]


def test_unknown_requests_and_wrong_parameters_are_answered_with_an_error() -> None:
    with Client() as client:
        client.open(TEXT)
        assert client.answer("textDocument/nonsense", {})["error"]["code"] == -32601
        assert client.answer("textDocument/hover", {"no": "position"})["error"]["code"] == -32602
        assert client.answer("textDocument/hover", None)["error"]["code"] in (-32602, -32603)
        client.notify("$/nonsense", {"a": 1})
        client.notify("textDocument/didChange", {"a": 1})
        assert client.request("textDocument/hover", client.at(2, 10)) is not None
        assert client.request("textDocument/hover", client.at(9999, 9999)) is None


@pytest.mark.parametrize("data", [
    b"Content-Length: 10\r\n\r\n{not json}",
    b"Content-Length: 4\r\n\r\nnull",
    b"Content-Length: 2\r\n\r\n[]",
    b"Content-Length: 3\r\n\r\n" + json.dumps({"jsonrpc": "2.0", "method": "initialized", "params": {}}).encode(),
    b"Content-Length: 99999999999999999999\r\n\r\n{}",
    b"Content-Length: -5\r\n\r\n{}",
    b"Content-Length: many\r\n\r\n{}\r\n",
    b"\xff\xfe\x00 no header at all\r\n\r\n",
    b'Content-Length: 8\r\n\r\n"\xff\xfe\xfd"   ',
    b"Content-Length: 60000\r\n\r\n" + b"[" * 60000,
], ids=["json", "null", "list", "short", "huge", "negative", "word", "garbage", "utf-8", "deep"])  # fmt: skip
def test_message_that_is_none_is_passed_over(shared: Client, data: bytes) -> None:
    shared.send_bytes(data)
    assert shared.request("textDocument/hover", shared.at(2, 10)) is not None
    assert_no_traceback(shared)


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """One server for all that it has to pass over."""
    with Client() as client:
        client.open(TEXT)
        yield client


def test_text_that_no_file_can_hold_is_a_diagnostic() -> None:
    with Client() as client:
        assert client.open("func.func @f() {\x00\n  return\n}\n")
        assert client.open("\ud83d half a character", "file:///other.tir")
        assert client.open("{" * 100_000, "untitled:Untitled-1")
        assert_no_traceback(client)


def assert_no_traceback(client: Client) -> None:
    assert "raceback" not in json.dumps(client.notifications)


def test_requests_before_initialize_do_not_end_the_server() -> None:
    client = Client()
    answer = client.answer("textDocument/hover", client.at(0, 0))
    assert answer.get("result") is None and "raceback" not in json.dumps(answer)
    client.notify("textDocument/didOpen", {"textDocument": {"uri": URI, "languageId": "tir", "version": 1, "text": ""}})
    with client:
        client.open(TEXT)


@pytest.mark.parametrize("body", [b"", b'{"jsonrpc": "2.0", "method": "exit"}'], ids=["end of input", "exit"])
def test_end_without_shutdown_is_a_failure_without_a_word(body: bytes) -> None:
    done = run([], b"Content-Length: %d\r\n\r\n%b" % (len(body), body) if body else b"")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_wrong_flag_is_named() -> None:
    done = run(["--stdoi"], b"")
    assert done.returncode == 2
    assert done.stderr == b"tir-lsp: error: unknown argument '--stdoi'; did you mean '--stdio'? see `tir-lsp --help`\n"


def test_without_pygls_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError(\"No module named 'pygls'\", name='pygls')\n")
    done = run([], b"", str(tmp_path))
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.startswith(b"tir-lsp: error: pygls is not installed: pip install 'tir-compiler[lsp]'")
    assert done.stderr.count(b"\n") == 1


def run(arguments: list[str], data: bytes, *paths: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "tir-lsp"), *arguments], input=data, capture_output=True,
        timeout=WAIT_SECONDS, env={**os.environ, "PYTHONPATH": os.pathsep.join([*paths, str(ROOT)])},
    )  # fmt: skip
