"""A module as a picture: text in Graphviz's language, which `draw.py` lays out.

A function, an op with regions and each of several blocks is a box around what it holds. An op is a node, a use an edge
that carries the type of the value; from one block to the next goes a thick one. Constants are drawn small, once for each
op that uses them; shared variables, their reads and their updates are drums. A dotted edge says which of two ops that
write memory comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tir.ir.ir import Block, BlockArgument, Op, Region, Value
from tir.ir.printer import print_op
from tir.ir.traits import ConstantLike, Effects, FunctionLike, Terminator, effects_of
from tir.viz.labels import MONO, STATE, colours_of, constant_text, cut, html, is_state, op_label, quoted, type_text

__all__ = ["to_dot"]

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
MAX_TOOLTIP = 300
_Item = tuple["Op | Region | Block", int]  # what is to be written, and how deep in its function it stands
_ENTERS = {"style": "dashed", "color": '"#c3cad4"', "arrowsize": "0.4"}  # from an op into its regions
_INPUT = ("#ffffff", "#5b6676")

_HEAD = f"""\
digraph tir {{
  graph [compound=true, rankdir=TB, nodesep=0.25, ranksep=0.38, pad=0.25, fontname="{FONT}", fontsize=11, labelloc=t,\
 labeljust=l, bgcolor="#ffffff", tooltip=" ", label=%s];
  node [shape=box, style="rounded,filled", fontname="{FONT}", fontsize=11, margin="0.11,0.05", height=0.3, width=0.3];
  edge [fontname="{MONO}", fontsize=8, color="#8a94a3", fontcolor="#4a5464", arrowsize=0.55];"""


def to_dot(module: Op, *, function: Op | None = None, depth: int | None = None, title: str = "") -> str:
    """The text. The same module always gives the same.

    function: draw this one alone; depth: how many regions deep ops of a function are drawn, None for all.
    """
    writer = _Writer(depth)
    writer.lines.append(_HEAD % (f'<<font point-size="15"><b>{html(title)}</b></font>>' if title else '""'))
    writer.run(module, function)
    return "\n".join([*writer.lines, *writer.edges, "}", ""])


@dataclass
class _Writer:
    """Writes boxes and nodes in the order of the text; then the edges between them.

    nodes: of each op that is drawn; boxes: of those with regions, and of blocks, the name of the box; first: of a block
    the node that comes first in it.
    """

    depth: int | None
    lines: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    nodes: dict[Op, str] = field(default_factory=dict)
    arguments: dict[BlockArgument, str] = field(default_factory=dict)
    boxes: dict[Op | Block, str] = field(default_factory=dict)
    first: dict[Block, str] = field(default_factory=dict)
    constants: dict[Op, list[tuple[str, Value]]] = field(default_factory=dict)  # user -> nodes beside it
    count: int = 0
    indent: int = 1

    def run(self, module: Op, function: Op | None) -> None:
        """The stack holds what is still to be written, the next on top; None closes a box."""
        stack: list[_Item | None] = [(function, 0)] if function is not None else [*_inside(module, 0)]
        while stack:
            item = stack.pop()
            if item is None:
                self.indent -= 1
                self.line("}")
            else:
                stack += reversed(self.item(*item))
        for op, node in self.nodes.items():
            self.edges_to(op, node)
        for block in self.first:
            self.order_of_writes(block)

    def item(self, one: Op | Region | Block, depth: int) -> list[_Item | None]:
        """Writes something; what of it is still to be written."""
        if isinstance(one, Op):
            return self.op(one, depth)
        return self.region(one, depth) if isinstance(one, Region) else self.block(one, depth)

    # --- boxes and nodes ---------------------------------------------------------------------------------------------

    def op(self, op: Op, depth: int) -> list[_Item | None]:
        """Writes an op; what of it is still to be written."""
        if isinstance(op, FunctionLike):
            name = f"@{op.properties['sym_name'].value}"  # type: ignore[attr-defined]
            label = f'<<b>{html(cut(name))}</b>  <font color="#5b6676" point-size="9">{html(op.name)}</font>>'
            self.boxes[op] = self.open_box(label, "#fafbfc", "#9aa5b4")
            if not any(region.blocks for region in op.regions):
                self.node(self.new("n"), "<i>declaration</i>", _INPUT, _first_line(op), shape="plain", style='""')
            return [*_inside(op, 0), None]
        if isinstance(op, ConstantLike) or _is_silent(op):
            return []  # a constant stands beside each of its users
        inside = _inside(op, depth + 1) if self.depth is None or depth < self.depth else []
        if inside:
            self.boxes[op] = self.open_box('""', "#ffffff" if depth % 2 else "#f6f8fa", colours_of(op)[1])
        self.op_node(op)
        return [*inside, None] if inside else []

    def region(self, region: Region, depth: int) -> list[_Item | None]:
        """One of several regions of an op: a box around its blocks."""
        self.open_box('""', "#ffffff", "#9aa5b4", "rounded,filled,dashed")
        return [*[(block, depth) for block in region.blocks], None]

    def block(self, block: Block, depth: int) -> list[_Item | None]:
        """Writes the arguments of a block; its ops are still to be written."""
        several = block.parent is not None and len(block.parent.blocks) > 1
        if several:
            number = block.parent.blocks.index(block)  # type: ignore[union-attr]
            self.boxes[block] = self.open_box(f"<^bb{number}>", "#ffffff", "#8249c4", "rounded,filled,dashed")
        self.first[block] = ""
        for argument in block.arguments:
            self.argument_node(argument)
        if several and (block.first is None or _is_silent(block.first)) and not block.arguments:
            self.first[block] = self.new("n")
            self.line(f"{self.first[block]} [shape=point, width=0.08];")
        ops: list[_Item | None] = [(op, depth) for op in block]
        return [*ops, None] if several else ops

    def open_box(self, label: str, fill: str, edge: str, style: str = "rounded,filled") -> str:
        """Begins a box; what follows until it is closed is in it."""
        name = self.new("cluster_")
        self.line(f"subgraph {name} {{")
        self.indent += 1
        self.line(f'graph [label={label}, tooltip=" ", style="{style}", fillcolor="{fill}", color="{edge}", margin=9];')
        return name

    def op_node(self, op: Op) -> None:
        """The node of an op, and those of the constants that it uses."""
        name = self.nodes[op] = self.new("n")
        self._note_first(op.parent, name)
        more = {"shape": "cylinder", "style": "filled"} if is_state(op) else {}
        self.node(name, op_label(op, op in self.boxes), colours_of(op), _first_line(op), **more)
        for value in dict.fromkeys(op.operands):
            if isinstance(value.op, ConstantLike):
                constant = self.new("c")
                label = f'<font color="#5b6676">{html(constant_text(value.op))}</font>'
                self.node(constant, label, _INPUT, _first_line(value.op), shape="plain", style='""', fontsize="9")
                self.constants.setdefault(op, []).append((constant, value))

    def argument_node(self, argument: BlockArgument) -> None:
        name = self.arguments[argument] = self.new("a")
        block = argument.owner
        self._note_first(block, name)
        around = block.parent_op
        facts = _argument_facts(around, argument)
        label = f"%{argument.hint}" if argument.hint else f"arg{argument.index}"
        label = f'<font face="{MONO}" point-size="10">{html(cut(label))}</font>'
        if state := facts.get("tir.shared"):
            label += f'<br/><font point-size="9">{html(cut(str(state)))}</font>'
            self.node(name, label, STATE, str(argument.type), shape="cylinder", style="filled")
        else:
            self.node(name, label, _INPUT, str(argument.type), shape="ellipse", style="filled", margin='"0.04,0.02"')
        if around in self.nodes:
            self.edge(self.nodes[around], name, **_ENTERS)

    def _note_first(self, block: Block | None, name: str) -> None:
        if block is not None and not self.first.get(block, ""):
            self.first[block] = name

    # --- edges -------------------------------------------------------------------------------------------------------

    def edges_to(self, op: Op, node: str) -> None:
        """An edge for each use by the op, and for what is left out inside it; and to the blocks that it goes to."""
        for value in _used_by(op, is_open=op in self.boxes):
            tail, box = self.source(value)
            if tail:
                self.edge(tail, node, ltail=box, label=quoted(f" {type_text(value.type)}"), tooltip=quoted(str(value.type)))
        for constant, value in self.constants.get(op, ()):
            self.edge(constant, node, color='"#c3cad4"', tooltip=quoted(str(value.type)))
        for region in op.regions if op in self.boxes else ():
            if region.blocks and not region.blocks[0].arguments and self.first[region.blocks[0]]:
                self.edge(node, self.first[region.blocks[0]], **_ENTERS)
        for block in op.successors:
            box = "" if block is op.parent else self.boxes.get(block, "")
            self.edge(node, self.first[block], lhead=box, penwidth="2", color='"#8249c4"')

    def source(self, value: Value) -> tuple[str, str]:
        """The node from which a value comes, and the box that it leaves."""
        if isinstance(value, BlockArgument):
            return self.arguments.get(value, ""), ""
        op = value.op
        if op is None or op not in self.nodes:
            return "", ""
        if op not in self.boxes:
            return self.nodes[op], ""
        last = op.regions[-1].blocks[-1].last if op.regions[-1].blocks else None
        return self.nodes.get(last, self.nodes[op]) if last is not None else self.nodes[op], self.boxes[op]

    def order_of_writes(self, block: Block) -> None:
        """From each op that writes memory to the next one."""
        before = None
        for op in block:
            if op not in self.nodes or is_state(op) or isinstance(op, Terminator):
                continue
            if effects_of(op) & (Effects.WRITE | Effects.UNKNOWN):
                if before is not None:
                    box = {"ltail": self.boxes.get(before, ""), "lhead": self.boxes.get(op, "")}
                    self.edge(self.nodes[before], self.nodes[op], **box, style="dotted", color='"#9aa5b4"')
                before = op

    def edge(self, tail: str, head: str, **facts: str) -> None:
        shown = ", ".join(f"{key}={value}" for key, value in facts.items() if value)
        self.edges.append(f"  {tail} -> {head} [{shown}];")

    # --- text --------------------------------------------------------------------------------------------------------

    def node(self, name: str, label: str, colours: tuple[str, str], tooltip: str, **facts: str) -> None:
        facts = {"fillcolor": f'"{colours[0]}"', "color": f'"{colours[1]}"', **facts}
        shown = ", ".join(f"{key}={value}" for key, value in facts.items())
        self.line(f"{name} [label=<{label}>, {shown}, tooltip={quoted(cut(tooltip, MAX_TOOLTIP))}];")

    def line(self, text: str) -> None:
        self.lines.append("  " * self.indent + text)

    def new(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"


def _inside(op: Op, depth: int) -> list[_Item]:
    """What is to be written of what the op holds: its blocks, or its regions if there are several."""
    regions = [region for region in op.regions if region.blocks]
    if len(regions) > 1:
        return [(region, depth) for region in regions]
    return [(block, depth) for region in regions for block in region.blocks]


def _is_silent(op: Op) -> bool:
    """A terminator that hands on nothing."""
    return isinstance(op, Terminator) and not op.operands and not op.successors


def _used_by(op: Op, is_open: bool) -> list[Value]:
    """What the op uses, constants aside; of an op that is drawn without its inside also what is used there."""
    if is_open or not op.regions:
        return [value for value in op.operands if not isinstance(value.op, ConstantLike)]
    inside = list(op.walk())
    blocks = {block for one in inside for region in one.regions for block in region.blocks}
    outer = [value for one in inside for value in one.operands if value.block not in blocks]
    return [value for value in dict.fromkeys(outer) if not isinstance(value.op, ConstantLike)]


def _argument_facts(function: Op | None, argument: BlockArgument) -> dict[str, object]:
    """The attributes of a function's argument."""
    if isinstance(function, FunctionLike) and hasattr(function, "argument_attributes"):
        return dict(function.argument_attributes(argument.index))
    return {}


def _first_line(op: Op) -> str:
    """The op as text has it, up to its regions."""
    return op.name if op.regions or op.successors else print_op(op).strip()
