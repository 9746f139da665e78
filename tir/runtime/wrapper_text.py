"""Functions in LLVM IR text, written line by line: what `tir/runtime/wrapper_writer.py` is made of."""

from __future__ import annotations

from typing import Any

__all__ = ["TABLE", "FunctionWriter"]

#: The global of addresses, which whoever links the text fills.
TABLE = "call.table"


class FunctionWriter:
    """Writes the blocks of one function. Its block `miss` is where it goes when something is not as it needs it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.allocas: list[str] = []
        self.addresses: list[int] = []
        self.kept: list[Any] = []
        self.count = 0
        self.label = "entry"

    def fresh(self) -> str:
        self.count += 1
        return f"%v.{self.count}"

    def put(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def assign(self, expression: str) -> str:
        name = self.fresh()
        self.put(f"{name} = {expression}")
        return name

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.label = label

    def new_label(self, what: str) -> str:
        self.count += 1
        return f"{what}.{self.count}"

    def go(self, label: str) -> None:
        self.put(f"br label %{label}")

    def branch(self, condition: str, yes: str, no: str) -> None:
        self.put(f"br i1 {condition}, label %{yes}, label %{no}")

    def need(self, condition: str) -> None:
        """The call is Python's unless this holds."""
        label = self.new_label("ok")
        self.branch(condition, label, "miss")
        self.start(label)

    def need_equal(self, kind: str, lhs: str, rhs: str | int) -> None:
        self.need(self.assign(f"icmp eq {kind} {lhs}, {rhs}"))

    def stack(self, kind: str) -> str:
        self.count += 1
        name = f"%place.{self.count}"
        self.allocas.append(f"  {name} = alloca {kind}, align 8")
        return name

    def load(self, kind: str, pointer: str, offset: int = 0) -> str:
        return self.assign(f"load {kind}, ptr {self.at(pointer, offset)}")

    def at(self, pointer: str, offset: int) -> str:
        return self.assign(f"getelementptr i8, ptr {pointer}, i64 {offset}") if offset else pointer

    def address(self, address: int, kept: Any = None) -> str:
        """An address from the table."""
        if address not in self.addresses:
            self.addresses.append(address)
        self.kept.append(kept)
        return self.load("ptr", f"@{TABLE}", 8 * self.addresses.index(address))

    def object(self, kept: Any) -> str:
        return self.address(id(kept), kept)
