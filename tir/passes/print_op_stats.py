"""`print-op-stats`: how many ops of each name there are."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

from tir.ir.errors import escape_controls
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass

__all__ = ["PrintOpStats"]


@dataclass
class PrintOpStats(Pass):
    """Prints how many ops of each name there are, on standard error, by dialect; with `json` for other programs.

    Needs nothing and changes nothing. It counts where it stands in a pipeline.

        func.func @f(%x: f32) -> f32 {
          %0 = arith.negf %x : f32
          return %0 : f32
        }

    prints

        Operations encountered:
        -----------------------
            arith.negf   , 1
          builtin.module , 1
             func.func   , 1
             func.return , 1
    """

    name = "print-op-stats"
    numerics = EXACT
    json: bool = False

    def run(self, op: Op) -> None:
        counts = sorted(Counter(inner.name for inner in op.walk()).items())
        sys.stderr.write(_as_json(counts) if self.json else _as_table(counts))


def _as_table(counts: list[tuple[str, int]]) -> str:
    """The names are aligned at the dot behind the dialect."""
    rows = [(*_dialect_and_name(escape_controls(name)), count) for name, count in counts]
    dialects = max(len(dialect) for dialect, _, _ in rows)
    names = max(len(name) for _, name, _ in rows)
    lines = [f"  {dialect:>{dialects}}{'.' if dialect else ' '}{name:{names}} , {count}" for dialect, name, count in rows]
    return "\n".join(["Operations encountered:", "-----------------------", *lines, ""])


def _dialect_and_name(full: str) -> tuple[str, str]:
    dialect, dot, name = full.partition(".")
    return (dialect, name) if dot else ("", full)


def _as_json(counts: list[tuple[str, int]]) -> str:
    return "{\n" + ",\n".join(f"  {_json_text(name)} : {count}" for name, count in counts) + "\n}\n"


def _json_text(text: str) -> str:
    """A JSON string; what is not plain ASCII is escaped by its UTF-16 code units."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    plain = [chr(code) if 32 <= code < 127 and code not in b'"\\' else f"\\u{code:04x}" for code in codes]
    return f'"{"".join(plain)}"'
