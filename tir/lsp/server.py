"""The server itself, on pygls: documents, requests, and what is sent by its own accord (diagnostics).

A request that meets a bug in tir is answered with nothing and logged: an editor goes on, and never sees a traceback.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from lsprotocol import types as lsp
from pygls.exceptions import FeatureRequestError, JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter
from pygls.uris import to_fs_path

from tir.dialects.all import REGISTRY
from tir.ir.errors import TirError
from tir.lsp import protocol
from tir.lsp.catalogue import op_text, pass_text
from tir.lsp.document import Document
from tir.passes.pipelines import ALL
from tir.version import __version__

__all__ = ["Server", "serve"]

REQUEST_FAILED = -32803
WAIT_SECONDS = 0.15  # while someone types, mistakes are looked for when the typing pauses this long
MAX_MESSAGE_BYTES = 1 << 28
_TRIGGERS = ["%", "@", "^", "!", "#", ".", ":", "-", "[", "="]


class Server(LanguageServer):
    """The state between requests: the open documents, and which of them wait for diagnostics."""

    def __init__(self) -> None:
        super().__init__(
            "tir-lsp", __version__, lsp.TextDocumentSyncKind.Full, protocol_cls=_Protocol,
            converter_factory=default_converter,
        )  # fmt: skip
        self.documents: dict[str, Document] = {}
        self.waiting: dict[str, asyncio.TimerHandle] = {}
        self.is_shut_down = False

    def report_server_error(self, error: Exception, source: Any) -> None:
        """A message that could not be read: logged, and never shown over someone's work."""
        if source is not FeatureRequestError:  # whose sender has been answered
            self.log(f"a message was not understood: {type(error).__name__}: {error}")

    def log(self, text: str) -> None:
        self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Error, text))

    # --- documents ---------------------------------------------------------------------------------------------

    def open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        path = to_fs_path(item.uri) if item.uri.startswith("file:") else None
        encoding = getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding)
        self.documents[item.uri] = Document(
            item.text, Path(path).resolve() if path is not None else None, str(encoding or "utf-16"), item.version
        )
        self.publish(item.uri)

    def change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        document = self.documents.get(uri)
        if document is None:
            return
        document.update(self.workspace.get_text_document(uri).source, params.text_document.version)
        self.cancel(uri)
        self.waiting[uri] = asyncio.get_running_loop().call_later(WAIT_SECONDS, self.publish, uri)

    def save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        """What stands in side files may have changed too."""
        document = self.documents.get(params.text_document.uri)
        if document is not None:
            document.forget()
            self.publish(params.text_document.uri)

    def close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        self.cancel(uri)
        if self.documents.pop(uri, None) is not None:
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    def cancel(self, uri: str) -> None:
        """No diagnostics are waited for any more."""
        timer = self.waiting.pop(uri, None)
        if timer is not None:
            timer.cancel()

    def publish(self, uri: str) -> None:
        """Sends all mistakes of a document."""
        self.cancel(uri)
        document = self.documents.get(uri)
        if document is None:
            return
        try:
            found = protocol.diagnostics(document, uri)
        except Exception as error:
            self.log_bug("diagnostics", error)
            return
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, document.version))

    def shut_down(self, params: Any) -> None:
        """The client says that it will end the server."""
        self.is_shut_down = True

    # --- requests ----------------------------------------------------------------------------------------------

    def log_bug(self, what: str, error: Exception) -> None:
        self.log(f"bug in tir-lsp, {what}: {type(error).__name__}: {error}")

    def answer(self, what: str, make: Callable[[Document, Any], Any]) -> Callable[[Any], Any]:
        """A handler that gives `make(document, params)`; nothing for a document that is not open."""

        def handler(params: Any) -> Any:
            document = self.documents.get(params.text_document.uri)
            if document is None:
                return None
            try:
                return make(document, params)
            except TirError as error:
                raise JsonRpcException(str(error), REQUEST_FAILED) from None
            except Exception as error:
                self.log_bug(what, error)
                return None

        return handler

    def resolve(self, item: lsp.CompletionItem) -> lsp.CompletionItem:
        """The item with its documentation."""
        cls = REGISTRY.op_class(item.label.partition(" ")[0]) if item.kind == lsp.CompletionItemKind.Method else None
        if cls is not None:
            item.documentation = lsp.MarkupContent(lsp.MarkupKind.Markdown, op_text(cls))
        elif item.kind == lsp.CompletionItemKind.Function and item.label in ALL:
            item.documentation = lsp.MarkupContent(lsp.MarkupKind.Markdown, pass_text(item.label))
        return item


class _Protocol(LanguageServerProtocol):
    """The protocol without tracebacks, and with an answer to a request whose parameters are wrong."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" in data and isinstance(data.get("id"), (int, str)):
                self._send_response(data["id"], None, error.to_response_error())
            raise

    def _send_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        if error is not None:
            error.data = None
        super()._send_response(msg_id, result, error)


def _answers() -> dict[str, Callable[[Document, Any], Any]]:
    """The requests about one document, each with what answers it."""
    return {
        lsp.TEXT_DOCUMENT_DEFINITION: lambda d, p: protocol.definition(d, p.text_document.uri, p.position),
        lsp.TEXT_DOCUMENT_REFERENCES: lambda d, p: protocol.references(
            d, p.text_document.uri, p.position, p.context.include_declaration
        ),
        lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: lambda d, p: protocol.highlights(d, p.position),
        lsp.TEXT_DOCUMENT_HOVER: lambda d, p: protocol.hover_text(d, p.position),
        lsp.TEXT_DOCUMENT_PREPARE_RENAME: lambda d, p: protocol.prepared_rename(d, p.position),
        lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: lambda d, p: protocol.symbols(d),
        lsp.TEXT_DOCUMENT_FOLDING_RANGE: lambda d, p: protocol.folding_ranges(d),
    }


def make_server() -> Server:
    """A server with all of its features."""
    server = Server()
    handlers: dict[str, tuple[Callable[[Any], Any], Any]] = {
        lsp.TEXT_DOCUMENT_DID_OPEN: (server.open, None),
        lsp.TEXT_DOCUMENT_DID_CHANGE: (server.change, None),
        lsp.TEXT_DOCUMENT_DID_SAVE: (server.save, None),
        lsp.TEXT_DOCUMENT_DID_CLOSE: (server.close, None),
        lsp.SHUTDOWN: (server.shut_down, None),
        lsp.COMPLETION_ITEM_RESOLVE: (server.resolve, None),
        **{name: (server.answer(name, make), None) for name, make in _answers().items()},
        lsp.TEXT_DOCUMENT_COMPLETION: (
            server.answer("completion", lambda d, p: protocol.completions(d, p.position)),
            lsp.CompletionOptions(trigger_characters=_TRIGGERS, resolve_provider=True),
        ),
        lsp.TEXT_DOCUMENT_RENAME: (
            server.answer("rename", lambda d, p: protocol.renamed(d, p.text_document.uri, p.position, p.new_name)),
            lsp.RenameOptions(prepare_provider=True),
        ),
        lsp.TEXT_DOCUMENT_CODE_ACTION: (
            server.answer("quick fixes", lambda d, p: protocol.code_actions(d, p.text_document.uri, p)),
            lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
        ),
    }
    for name, (handler, options) in handlers.items():
        server.feature(name, options)(_function(handler))
    return server


def _function(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A plain function, for pygls puts marks on what it is given."""
    return lambda params: handler(params)


class _Input:
    """Standard input that finds the next message behind one with a wrong length."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def readline(self) -> bytes:
        line = self.stream.readline(MAX_MESSAGE_BYTES)
        header = line.rfind(b"Content-Length:")
        return line[header:] if header > 0 else line

    def read(self, size: int) -> bytes:
        """What cannot be the length of a message is read as an empty one."""
        return self.stream.read(size) if size <= MAX_MESSAGE_BYTES else b" "


def serve() -> bool:
    """Speaks the protocol on standard input and output until the client ends it; False if it ended without a word."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)  # what goes wrong is told the client, in a sentence
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing else may come between the messages
    server = make_server()
    server.start_io(_Input(sys.stdin.buffer), output)  # type: ignore[arg-type]
    return server.is_shut_down
