"""Pictures: valid Graphviz text that says what the module says, and SVG and PNG made of it."""

from __future__ import annotations

import importlib.util
import itertools
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.tool import call
from tests.viz.programs import ATTACKS, DIGITS, FLOW, ROOT, SMALL, hostile, module_of, transformed
from tir.cli.translate import main as tir_translate
from tir.ir.errors import LimitError, TirError, escape_controls
from tir.ir.ir import Op
from tir.ir.symbols import SymbolTable
from tir.ir.traits import ConstantLike
from tir.viz import picture as pictures
from tir.viz.dot import to_dot
from tir.viz.picture import picture

pygraphviz = pytest.importorskip("pygraphviz", reason="the extra `viz` is not installed")
SVG = "{http://www.w3.org/2000/svg}"


def graph_of(text: str) -> pygraphviz.AGraph:
    """The graph as Graphviz reads it."""
    return pygraphviz.AGraph(string=text)


def drawn(text: str, **options: object) -> pygraphviz.AGraph:
    return graph_of(to_dot(module_of(text), **options))  # type: ignore[arg-type]


def bold(label: str) -> str:
    """The name of the op in a label."""
    found = re.search(r"<b>(.*?)</b>", label)
    return found[1] if found else ""


def names(graph: pygraphviz.AGraph) -> list[str]:
    return [bold(node.attr["label"]) for node in graph.nodes() if str(node).startswith("n") and bold(node.attr["label"])]


# --- the text --------------------------------------------------------------------------------------------------------


def test_each_op_is_a_node_and_each_use_an_edge() -> None:
    graph = drawn(SMALL)
    assert names(graph) == ["tir.transpose", "tir.exp", "tir.exp", "tir.add", "tir.tanh", "func.return"]
    edges = [(edge[0].attr["label"], edge[1].attr["label"], edge.attr["label"]) for edge in graph.edges()]
    assert sorted((bold(a), bold(b), label.strip()) for a, b, label in edges) == [
        ("", "tir.exp", "4xf32"), ("", "tir.transpose", "4xf32"), ("tir.add", "func.return", "4xf32"),
        ("tir.add", "tir.tanh", "4xf32"), ("tir.exp", "tir.add", "4xf32"), ("tir.exp", "tir.add", "4xf32"),
        ("tir.transpose", "tir.exp", "4xf32"),
    ]  # fmt: skip


@pytest.mark.parametrize("passes", ["", "autodiff", "fuse", "fuse,lower-cpu"])
def test_every_use_at_every_level_is_an_edge(passes: str) -> None:
    """Counted from the module: uses of values, of which constants stand beside each user once."""
    module = transformed(DIGITS, passes) if passes else module_of(DIGITS)
    function = SymbolTable(module).get("train")
    ops = [op for op in function.walk() if op is not function and not isinstance(op, ConstantLike)]
    uses = sum(not isinstance(value.op, ConstantLike) for op in ops for value in op.operands)
    constants = len({(op, value) for op in ops for value in op.operands if isinstance(value.op, ConstantLike)})
    plain = [line for line in to_dot(module, function=function).split("\n") if " -> n" in line]
    kinds = [line for line in plain if "style=" not in line and "penwidth" not in line]
    assert len(kinds) == uses + constants


def test_blocks_are_boxes_with_control_flow_between_them() -> None:
    graph = drawn(FLOW)
    labels = [sub.graph_attr["label"] for sub in all_subgraphs(graph)]
    assert [label for label in labels if "^bb" in label] == ["^bb0", "^bb1", "^bb2", "^bb3"]
    flow = [edge for edge in graph.edges() if edge.attr["penwidth"] == "2"]
    assert [bold(edge[0].attr["label"]) for edge in flow] == ["cf.br", "cf.cond_br", "cf.cond_br", "cf.br"]
    assert all(edge.attr["lhead"].startswith("cluster_") for edge in flow)


def all_subgraphs(graph: pygraphviz.AGraph) -> list[pygraphviz.AGraph]:
    found, pending = [], [graph]
    while pending:
        one = pending.pop()
        found.append(one)
        pending += reversed(one.subgraphs())
    return found


def test_regions_are_boxes_that_their_results_leave() -> None:
    text = to_dot(module_of(FLOW))
    graph = graph_of(text)
    (edge,) = [e for e in graph.edges() if bold(e[1].attr["label"]) == "memref.store" and e.attr["ltail"] and e.attr["style"] != "dotted"]
    assert bold(edge[0].attr["label"]) == "scf.yield"
    assert len([e for e in graph.edges() if e.attr["style"] == "dotted"]) == 1  # one store behind the other


def test_shared_variables_are_marked_at_each_level() -> None:
    def drums(module: Op) -> int:
        return to_dot(module).count("shape=cylinder")

    assert drums(module_of(DIGITS)) == 2 + 4 + 2  # variables, reads, updates
    assert drums(transformed(DIGITS, "fuse")) == 2 * 3  # arguments of three functions


def test_picture_of_one_function_and_to_a_depth() -> None:
    module = module_of(FLOW)
    graph = graph_of(to_dot(module, function=SymbolTable(module).get("sum"), depth=0))
    assert names(graph) == ["memref.dim", "scf.for", "memref.store", "memref.store"]
    loop = next(node for node in graph.nodes() if bold(node.attr["label"]) == "scf.for")
    assert "load, cmpf, if, exp, addf" in loop.attr["label"]
    assert {edge[0].attr["tooltip"] for edge in graph.in_edges(loop)} >= {"memref<?xf32>"}  # used inside alone


def test_text_is_the_same_each_time() -> None:
    assert to_dot(transformed(DIGITS, "fuse")) == to_dot(transformed(DIGITS, "fuse"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_names_stay_names(attack: str) -> None:
    harmless, graph = drawn(hostile("harmless")), drawn(hostile(attack), title=attack)
    assert len(graph.nodes()) == len(harmless.nodes()) and len(graph.edges()) == len(harmless.edges())
    assert [str(node) for node in graph.nodes()] == [str(node) for node in harmless.nodes()]
    assert "pwned" not in [bold(node.attr["label"]) for node in graph.nodes()]


# --- pictures --------------------------------------------------------------------------------------------------------


def svg_of(module: Op, title: str = "") -> ET.Element:
    return ET.fromstring(picture(to_dot(module, title=title), "svg"))


def text_in(svg: ET.Element) -> str:
    return "\n".join("".join(one.itertext()) for one in svg.iter(f"{SVG}text"))


def boxes(svg: ET.Element, kind: str) -> list[tuple[float, float, float, float]]:
    """The frames of the shapes of nodes (or `edge`: of the labels of edges)."""
    found = []
    for group in svg.iter(f"{SVG}g"):
        if group.get("class") != kind:
            continue
        numbers: list[tuple[float, float]] = []
        for shape in group.iter():
            text = shape.get("points") or shape.get("d") or ""
            numbers += [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", text)]
            if shape.tag == f"{SVG}ellipse":
                cx, cy, rx, ry = (float(shape.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
                numbers += [(cx - rx, cy - ry), (cx + rx, cy + ry)]
        if numbers:
            xs, ys = zip(*numbers)
            found.append((min(xs), min(ys), max(xs), max(ys)))
    return found


@pytest.mark.parametrize("passes", ["inline", "autodiff", "fuse"])
def test_nodes_do_not_overlap(passes: str) -> None:
    nodes = boxes(svg_of(transformed(DIGITS, passes)), "node")
    assert len(nodes) > 30
    for (ax, ay, bx, by), (cx, cy, dx, dy) in itertools.combinations(nodes, 2):
        assert bx <= cx + 1 or dx <= ax + 1 or by <= cy + 1 or dy <= ay + 1


def test_svg_shows_title_ops_names_and_types() -> None:
    text = text_in(svg_of(module_of(DIGITS), "digits"))
    for part in ("digits", "@train", "tir.softmax_cross_entropy", "%nll", "over [0]", "[B]x10xf32", "@w"):
        assert part in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_svg_has_text_and_shapes_alone(attack: str) -> None:
    svg = svg_of(module_of(hostile(attack)), attack)
    assert {one.tag.removeprefix(SVG) for one in svg.iter()} <= {"svg", "g", "title", "text", "path", "polygon", "polyline", "ellipse", "a"}
    assert not [name for one in svg.iter() for name in one.attrib if name.startswith("on") or name.endswith("href")]
    assert " ".join(escape_controls(attack.replace("\t", " ")).split()) in " ".join(text_in(svg).replace("\xa0", " ").split())


def test_svg_names_nothing_on_the_network() -> None:
    text = picture(to_dot(module_of(SMALL)), "svg").decode("utf-8")
    assert "DOCTYPE" not in text
    assert set(re.findall(r"https?://[^\s\"]+", text)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_png_is_a_png() -> None:
    assert picture(to_dot(module_of(SMALL)), "png").startswith(b"\x89PNG\r\n")


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pygraphviz" else find(name))
    done = call(tir_translate, "--to-svg", "-o", tmp_path / "x.svg", stdin=SMALL)
    assert done.code == 1 and "pip install 'tir-compiler[viz]'" in done.sentence
    assert call(tir_translate, "--to-dot", stdin=SMALL).code == 0


def test_large_picture_is_refused_with_what_to_do() -> None:
    ops = "\n".join(f"  %v{i + 1} = tir.exp %v{i} : tensor<4xf32>" for i in range(pictures.MAX_NODES))
    text = f"func.func @f(%v0: tensor<4xf32>) -> tensor<4xf32> {{\n{ops}\n  return %v0 : tensor<4xf32>\n}}"
    with pytest.raises(LimitError, match="nodes, more than 700; choose one function by --function"):
        picture(to_dot(module_of(text)), "svg")


def test_layout_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*arguments: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("dot", 1)

    monkeypatch.setattr(subprocess, "run", slow)
    with pytest.raises(LimitError, match="more than 120 seconds"):
        picture(to_dot(module_of(SMALL)), "svg")


def test_failure_of_graphviz_is_one_sentence() -> None:
    with pytest.raises(TirError, match=r"\AGraphviz failed: "):
        picture("digraph { this is no graph", "svg")


# --- the tool --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["svg", "png"])
def test_tool_draws_the_examples(format: str, tmp_path: Path) -> None:
    target = tmp_path / f"picture.{format}"
    done = call(tir_translate, f"--to-{format}", ROOT / "examples" / "mlp.tir", "--function", "@train", "-o", target)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert len(target.read_bytes()) > 10_000


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--to-dot", "--function", "g"], 1, "there is no symbol @g"),
        (["--to-dot", "--depth", "-1"], 2, "argument --depth: "),
        (["--to-dot", "--depth", "one"], 2, "argument --depth: must be an integer, 0 or more, got 'one'"),
        (["--to-llvm", "--depth", "1"], 2, "--depth is for pictures: --to-dot, --to-svg or --to-png"),
        (["--to-asm", "--function", "f"], 2, "--function is for pictures: --to-dot, --to-svg or --to-png"),
        ([], 2, "what to make is missing: --to-llvm, --to-asm, --to-obj, --to-dot, --to-svg or --to-png"),
    ],
)
def test_wrong_flags_are_one_sentence(arguments: list[str], code: int, sentence: str) -> None:
    done = call(tir_translate, *arguments, stdin=SMALL)
    assert done.code == code and sentence in done.sentence


def test_function_must_be_a_function() -> None:
    done = call(tir_translate, "--to-dot", "--function", "w", stdin=DIGITS)
    assert done.code == 1 and "@w is no function, it is a tir.shared" in done.err
