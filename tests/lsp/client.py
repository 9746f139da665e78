"""A client that speaks the language server protocol with tir-lsp over its standard input and output."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_SECONDS = 60  # for one message; generous, for machines under load


class Client:
    """A running server. `with Client() as client:` starts it, initializes it and ends it."""

    def __init__(self, encodings: list[str] | None = None) -> None:
        self.encodings = encodings
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tools" / "tir-lsp"), "--stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.notifications: list[dict[str, Any]] = []
        self.number = 0
        self.errors = b""
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
                while self.process.stdout.readline().strip():
                    pass
                self.messages.put(json.loads(self.process.stdout.read(size)))
        self.messages.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()

    def __enter__(self) -> Client:
        general = {"positionEncodings": self.encodings} if self.encodings is not None else {}
        self.initialized = self.request("initialize", {
            "processId": None, "rootUri": None, "capabilities": {"general": general},
        })  # fmt: skip
        self.notify("initialized", {})
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            assert self.request("shutdown", None) is None
            self.notify("exit", None)
            assert self.process.wait(WAIT_SECONDS) == 0
        self.process.kill()
        self.process.wait()

    # --- messages ------------------------------------------------------------------------------------------------

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def notify(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> Any:
        """The result; AssertionError for an error."""
        answer = self.answer(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def answer(self, method: str, params: Any) -> dict[str, Any]:
        """The whole answer to a request."""
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while (message := self.next()).get("id") != self.number:
            self.notifications.append(message)
        return message

    def next(self) -> dict[str, Any]:
        message = self.messages.get(timeout=WAIT_SECONDS)
        assert message is not None, f"the server ended: {self.errors.decode()}"
        return message

    # --- documents -----------------------------------------------------------------------------------------------

    def open(self, text: str, uri: str = "file:///model.tir") -> list[dict[str, Any]]:
        """Opens a document; its diagnostics."""
        self.notify("textDocument/didOpen", {
            "textDocument": {"uri": uri, "languageId": "tir", "version": 1, "text": text},
        })  # fmt: skip
        return self.diagnostics(uri)

    def change(self, text: str, version: int, uri: str = "file:///model.tir") -> None:
        self.notify("textDocument/didChange", {
            "textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}],
        })  # fmt: skip

    def diagnostics(self, uri: str = "file:///model.tir", version: int | None = None) -> list[dict[str, Any]]:
        """The next diagnostics of a document, of a version if it is given."""
        while True:
            message = self.next()
            self.notifications.append(message)
            params = message.get("params") or {}
            if message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri:
                if version is None or params.get("version") == version:
                    found: list[dict[str, Any]] = params["diagnostics"]
                    return found

    def at(self, line: int, character: int, uri: str = "file:///model.tir", **more: Any) -> dict[str, Any]:
        """The parameters of a request about a place."""
        return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}, **more}
