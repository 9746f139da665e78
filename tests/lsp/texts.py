"""The texts that the tests of the language server read: examples, lit tests, and what the pipelines print of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.lit_runner import LIT_ROOT, discover
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.ir.printer import print_op
from tir.lsp.document import Document, Part
from tir.parser.parse import parse_text, read_module
from tir.passes.pipelines import PIPELINES

ROOT = LIT_ROOT.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.tir"))


class Text(NamedTuple):
    """A text, and what to call it when a test fails."""

    name: str
    text: str

    @property
    def document(self) -> Document:
        return _document(self)


@cache
def _document(text: Text) -> Document:
    return Document(text.text, Path(text.name))


@cache
def files() -> tuple[Text, ...]:
    """All examples and lit tests, right and wrong."""
    return tuple(Text(str(path.relative_to(ROOT)), _read(path)) for path in (*EXAMPLES, *discover()))


@cache
def printed() -> tuple[Text, ...]:
    """An example at each level, in short form, in generic form, and with locations."""
    found = []
    path = ROOT / "examples" / "digits.tir"
    for level, names in {"tensors": (), "fused": ("fuse",), "loops": ("fuse", "lower-cpu")}.items():
        module = parse_text(_read(path), REGISTRY, file=path.name)
        for name in names:
            run_pipeline(PIPELINES[name](), module)
        name = f"{path.name} as {level}"
        found.append(Text(name, print_op(module)))
        if level != "loops":  # long, and of the same forms
            found.append(Text(f"{name}, generic", print_op(module, generic=True)))
            found.append(Text(f"{name}, with locations", print_op(module, locations=True)))
    return tuple(found)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def parts(text: Text) -> tuple[Part, ...]:
    """The parts of a text whose form is right."""
    return tuple(place.part for place in text.document.places if not place.part.errors or not reads(place.part)[1])


def right_parts(text: Text) -> list[Part]:
    """The parts of a text without any mistake."""
    return [part for part in parts(text) if not part.errors]


def reads(part: Part) -> tuple[Op, list[object]]:
    """The module of a part as the parser reads it, and the errors of its form."""
    module, errors = read_module(part.text, REGISTRY, allow_unregistered=part.allow_unregistered)
    return module, list(errors)


def without_names(module: Op) -> str:
    """The module as text with the names of all values and blocks left out, so that only their places tell them apart."""
    for op in module.walk():
        for result in op.results:
            result.hint = None
        for region in op.regions:
            for block in region.blocks:
                block.hint = None
                for argument in block.arguments:
                    argument.hint = None
    return print_op(module)
