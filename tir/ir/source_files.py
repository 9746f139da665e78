"""Files of text: read whole, as UTF-8, and never for ever."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import BinaryIO

from tir.ir.errors import FileLocation, ParseError, TirError

__all__ = ["decode_source", "read_source"]

MAX_FILE_BYTES = 256 << 20
PIPE_SECONDS = 1.0


def read_source(path: str | Path) -> str:
    """The text of a file; TirError says why it cannot be read."""
    try:
        with open(path, "rb", opener=_open) as file:
            begun = _wait_for_writer(file) if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) else b""
            os.set_blocking(file.fileno(), True)
            return decode_source(file, str(path), begun)
    except OSError as error:
        raise TirError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise TirError(f"cannot read {str(path)!r}: a path has no NUL") from None


def _open(path: str, flags: int) -> int:
    """Opens a file; a named pipe without waiting for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _wait_for_writer(pipe: BinaryIO) -> bytes:
    """The first byte, if it is there when someone has opened the pipe to write; nobody is waited for for ever.

    Who has opened it may take any time to write.
    """
    until = time.monotonic() + PIPE_SECONDS
    while time.monotonic() < until:
        try:
            if first := os.read(pipe.fileno(), 1):
                return first
        except BlockingIOError:  # someone will write
            return b""
        time.sleep(0.01)
    raise TirError(f"cannot read {pipe.name}: nothing writes to this pipe")


def decode_source(file: BinaryIO, name: str, begun: bytes = b"") -> str:
    """The text in an open file, which may be a device or a pipe without end. begun: what was read of it before."""
    data = begun + file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TirError(f"{name}: a file has at most {MAX_FILE_BYTES} bytes, and this has more")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        begin = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[begin : error.start].decode("utf-8")) + 1
        where = FileLocation(name, data.count(b"\n", 0, begin) + 1, column)
        message = f"the text must be UTF-8; byte {error.start}, 0x{data[error.start]:02x}, is not"
        raise ParseError(message, where) from None
