"""Calls a tool inside this process, as its script does."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """What a tool did."""

    code: int
    out: str
    err: str
    data: bytes = b""

    @property
    def sentence(self) -> str:
        """The only line of the error; a traceback or a second line fails the test."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def call(main: Callable[[Sequence[str]], int], *arguments: object, stdin: str = "") -> Done:
    """Runs the main function of a tool on the arguments, with its standard streams replaced."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
    finally:
        sys.stdin = before
    data = out.buffer.getvalue()
    return Done(code, data.decode("utf-8", "replace"), err.buffer.getvalue().decode(), data)
