"""`debugprint`: a graph as an indented tree, each op below what uses it, as Theano prints one.

    tir.add [id A] ''
     |tir.square [id B] ''
     | |x [id C]
     |tir.exp [id D] ''
       |y [id E]

What is used several times is shown once; later its id says where. Regions follow behind the trees, their lines marked
by `>`. Below MAX_LEVELS of indentation a tree ends, and goes on as another one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tir.api import caller_location
from tir.dialects.tir.build.core import told
from tir.inspect.graph import (
    Graph,
    NameOf,
    Node,
    details_text,
    graphs_of,
    is_constant,
    name_of_value,
    number_text,
    ops_behind,
    roots_of_block,
    uses_of,
)
from tir.ir.errors import TirError, escape_controls
from tir.ir.ir import BlockArgument, Op, Value

__all__ = ["debugprint"]

MAX_LEVELS = 60


def debugprint(
    shown: Any, depth: int = -1, print_type: bool = False, file: Any = None, *, name_of: NameOf | None = None
) -> Any:  # fmt: skip
    """Prints a value, a list of values, a function or a module as a tree of what each is computed from.

    depth: how many levels are shown, -1 for all. print_type: with the type of each value. file: where to print instead
    of to standard output; "str" returns the text. name_of: gives the name that a value has in a front end, or None.
    Of a function, the number behind each op is its place in the order of computing.
    """
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < -1:
        raise TirError(f"debugprint: depth must be -1 or a number of levels, got {told(depth)}", caller_location())
    if file is not None and file != "str" and not hasattr(file, "write"):
        raise TirError(f"debugprint: file must be 'str' or a file, got {told(file)}", caller_location())
    printer = _Printer(depth, print_type, name_of)
    for graph in graphs_of("debugprint", shown):
        printer.graph(graph)
    text = "\n".join(printer.lines) + "\n"
    if file == "str":
        return text
    out = sys.stdout if file is None else file
    out.write(text)
    return file


class _Branch(NamedTuple):
    """A node that is still to be printed: what stands in front of it, and in front of what is below it."""

    node: Node
    before: str
    below: str
    level: int


@dataclass
class _Printer:
    depth: int
    with_types: bool
    name_of: NameOf | None
    lines: list[str] = field(default_factory=list)
    ids: dict[Node, str] = field(default_factory=dict)
    places: dict[Op, int] = field(default_factory=dict)
    printed: set[Op] = field(default_factory=set)
    with_regions: dict[Op, None] = field(default_factory=dict)

    def graph(self, graph: Graph) -> None:
        """The tree of each root, and then the regions of the ops in them."""
        if graph.title:
            self.lines += ["", graph.title] if self.lines else [graph.title]
            self.places = {op: i for i, op in enumerate(ops_behind(graph.roots))}
        self.with_regions = {}
        self.trees(graph.roots, "")
        if self.with_regions:
            self.lines += ["", "Inner graphs:"]
        shown: set[Op] = set()
        while inner := [op for op in self.with_regions if op not in shown]:
            for op in inner:
                shown.add(op)
                self.lines += ["", self.text(op.results[0] if op.results else op)]
                for region in op.regions:
                    for block in region.blocks:
                        self.trees(roots_of_block(block), " >")

    def trees(self, roots: Sequence[Node], mark: str) -> None:
        """One tree for each root, and for what is too deep in them. mark: stands in front of each line."""
        pending = [_Branch(root, mark, mark, 0) for root in reversed(roots)]
        later: list[_Branch] = []
        while pending or later:
            branch = pending.pop() if pending else later.pop(0)
            op = branch.node if isinstance(branch.node, Op) else branch.node.op
            known = op in self.printed
            if branch.level and branch.level % MAX_LEVELS == 0 and branch.before != mark:
                is_cut = op is not None and not known and not is_constant(op) and bool(uses_of(op))
                self.lines.append(branch.before + self.text(branch.node) + (" (below)" if is_cut else ""))
                later += [branch._replace(before=mark, below=mark)] if is_cut else []
                continue
            self.lines.append(branch.before + self.text(branch.node))
            if op is None or known or is_constant(op):
                continue
            if self.depth < 0 or branch.level + 1 < self.depth:
                self.printed.add(op)
                pending += self.branches(op, branch)[::-1]

    def branches(self, op: Op, branch: _Branch) -> list[_Branch]:
        """What the op uses."""
        if op.regions:
            self.with_regions[op] = None
        used = uses_of(op)
        ends = [" |"] * (len(used) - 1) + ["  "]
        return [_Branch(v, f"{branch.below} |", branch.below + end, branch.level + 1) for v, end in zip(used, ends)]

    def text(self, node: Node) -> str:
        """`tir.sum{over [0]} [id B] 'cost'`; of what no op makes, its name."""
        op = node if isinstance(node, Op) else node.op
        label = self.id_of(op if op is not None else node)
        type = f" <{node.type}>" if self.with_types and isinstance(node, Value) else ""
        name = name_of_value(node, self.name_of) if isinstance(node, Value) else ""
        if op is None:
            return escape_controls(f"{name or _place(node)} {label}{type}")
        if is_constant(op):
            return escape_controls(f"constant{{{number_text(op)}}} {label}{type}")
        details = details_text(op)
        number = f".{node.index}" if isinstance(node, Value) and len(op.results) > 1 else ""  # type: ignore[attr-defined]
        place = f"   {self.places[op]}" if op in self.places else ""
        head = f"{op.name}{{{details}}}" if details else op.name
        return escape_controls(f"{head}{number} {label}{type} '{name}'{place}")

    def id_of(self, node: Node) -> str:
        """`[id A]`, `[id B]`, ... `[id AA]`, in the order of the lines."""
        if node not in self.ids:
            number, letters = len(self.ids) + 1, ""
            while number:
                number, rest = divmod(number - 1, 26)
                letters = chr(ord("A") + rest) + letters
            self.ids[node] = f"[id {letters}]"
        return self.ids[node]


def _place(value: Node) -> str:
    return f"arg{value.index}" if isinstance(value, BlockArgument) else "value"

