"""`pydotprint`: values, a function or a module as a picture of nodes and edges, as Theano's function of this name.

The text in Graphviz's language needs nothing; SVG and PNG need the extra `viz`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from tir.api import caller_location
from tir.dialects.tir.build.core import told
from tir.inspect.graph import NameOf, graphs_of, module_behind, module_of
from tir.ir.errors import TirError, nearest
from tir.ir.ir import Op, Value
from tir.ir.traits import FunctionLike
from tir.viz.dot import to_dot
from tir.viz.picture import picture

__all__ = ["FORMATS", "Picture", "pydotprint"]

FORMATS = ("dot", "svg", "png")
#: What Theano's function takes besides and a picture here has no use for.
_OF_THEANO = (
    "compact", "with_ids", "high_contrast", "cond_highlight", "colorCodes", "max_label_size", "var_with_name_simple",
    "print_output_file", "assert_nb_all_strings", "return_image",
)  # fmt: skip


class Picture:
    """A picture, kept as `dot`, text in Graphviz's language; a notebook shows it, if the extra `viz` is installed."""

    def __init__(self, dot: str) -> None:
        self.dot = dot

    def draw(self, format: str) -> bytes:
        """The picture as a file of this format has it. TirError where the extra is missing, or there are too many nodes."""
        return self.dot.encode("utf-8") if format == "dot" else picture(self.dot, format)

    def __repr__(self) -> str:
        nodes = sum(1 for line in self.dot.split("\n") if " [label=<" in line)
        return f"<a picture of {nodes} nodes; .draw('svg') gives it as a file, .dot as text>"

    def _repr_svg_(self) -> str | None:
        """For notebooks: None, which lets them show the text, where it cannot be drawn."""
        try:
            return self.draw("svg").decode("utf-8")
        except TirError:
            return None


def pydotprint(
    shown: Any, outfile: Any = None, format: str | None = None, scan_graphs: bool = True, *, title: str = "",
    name_of: NameOf | None = None, **of_theano: Any,
) -> Picture:  # fmt: skip
    """The picture of a value, a list of values, a function or a module; written to `outfile`, if there is one.

    format: dot, svg or png; without it the ending of `outfile` says which, and without that it is png, or dot where the
    extra `viz` is missing and nobody asked for another. scan_graphs: with what is inside of loops and conditions.
    name_of: gives the name that a value has in a front end, or None. Other keywords of Theano's function are taken, and
    change nothing.
    """
    for name in of_theano:
        if name not in _OF_THEANO:
            known = ("outfile", "format", "scan_graphs", "title", "name_of", *_OF_THEANO)
            raise TirError(f"pydotprint: there is no keyword {name!r}", caller_location(), hint=nearest(name, known))
    depth = None if scan_graphs else 0
    shown = module_behind(shown)
    graphs = graphs_of("pydotprint", shown)
    if isinstance(shown, Op) and all(graph.title for graph in graphs):
        function = shown if isinstance(shown, FunctionLike) else None
        made = Picture(to_dot(shown if function is None else function.root, function=function, depth=depth, title=title))
    else:
        roots = [root for graph in graphs for root in graph.roots if isinstance(root, Value)]
        made = Picture(to_dot(module_of(roots, name_of), depth=depth, title=title))
    if outfile is not None:
        _write(made, Path(outfile), format)
    elif format is not None:
        _check_format(format)
    return made


def _write(made: Picture, path: Path, format: str | None) -> None:
    kind = format if format is not None else path.suffix[1:] or _usual_format()
    _check_format(kind)
    data = made.draw(kind)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise TirError(f"pydotprint: cannot write {path}: {error.strerror}", caller_location()) from None


def _usual_format() -> str:
    return "dot" if importlib.util.find_spec("pygraphviz") is None else "png"


def _check_format(format: Any) -> None:
    if format not in FORMATS:
        hint = nearest(str(format), FORMATS) or "the ending of outfile says it, too"
        message = f"pydotprint: format must be one of {', '.join(FORMATS)}, got {told(format)}"
        raise TirError(message, caller_location(), hint=hint)
