"""What tir prints, it reads back as the same module: in short and generic form, from files and from Python.

Random programs are read back at every level by test_random_programs.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tir
from tests.levels import round_trip_difference
from tests.lit_runner import LIT_ROOT, discover
from tests.scripts import load
from tir.dialects.all import REGISTRY
from tir.ir.attributes import ArrayAttr, DictAttr, StringAttr, UnitAttr
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.parser.raw import split_file

ROOT = LIT_ROOT.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.tir"))
FILES = [*discover(), *EXAMPLES]


def modules_in(path: Path) -> list[Op]:
    """The modules of a file that can be read; the others test errors."""
    found = []
    for _, text in split_file(path.read_text(encoding="utf-8")):
        try:
            found.append(parse_text(text, REGISTRY, file=str(path), allow_unregistered=True))
        except TirError:
            assert path not in EXAMPLES
    return found


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_file_reads_back(path: Path) -> None:
    for module in modules_in(path):
        assert round_trip_difference(module, file=str(path), allow_unregistered=True) is None


def test_most_files_hold_a_module() -> None:
    assert sum(bool(modules_in(path)) for path in FILES) > len(FILES) / 2


# --- made in Python --------------------------------------------------------------------------------------------------


def test_example_made_in_python_reads_back() -> None:
    assert round_trip_difference(load(ROOT / "examples" / "digits.py").build().module) is None


def every_kind_of_op() -> tir.Builder:
    b = tir.Builder()
    b.shared("count", np.array(0, np.int64))
    b.shared("table", np.array([[0.1, -0.0, np.inf], [np.nan, 1e-45, 3.4e38]], np.float32))
    with b.function("main", x="tensor<[N]x?x3xf32>", flags="tensor<[N]xi1>", bytes="tensor<[N - 1]xui8>") as (x, flags, raw):
        table = b.read("table")
        y = b.softmax(x[1:, ..., ::2]) * 0.1 + table[0, :2]
        cost = b.mean(b.select(b.cmp("gt", y, 0), b.exp(y), y))
        (g,) = b.grad(cost, [x])
        b.update("count", b.read("count") + b.sum(b.cast(raw, tir.I64)))
        b.returns(g, b.not_(flags), b.pad(table, [1, 0], [0, 2], [1, 0], float("-inf")), b.maximum(raw, 7))
    return b


def test_module_made_in_python_reads_back() -> None:
    module = every_kind_of_op().module
    assert round_trip_difference(module) is None


def test_locations_of_a_module_made_in_python_read_back() -> None:
    text = print_op(every_kind_of_op().module, locations=True)
    assert "test_roundtrip.py" in text
    assert print_op(parse_text(text, REGISTRY), locations=True) == text


@pytest.mark.parametrize("hint", ["x", "0", "12x", "a b", "ü", "x.y$z-w", "", "arg0", "bb0", "true", "%", "f32", "c0"])
def test_any_name_hint_reads_back(hint: str) -> None:
    module = every_kind_of_op().module
    for op in module.walk():
        for result in op.results:
            result.hint = hint
    assert round_trip_difference(module) is None


@pytest.mark.parametrize("text", ["", "plain", 'quote " and \\ backslash', "line\nfeed\ttab\r\0", "é 漢 🦆", "\x7f\x1b[0m", "}>)] //"])
def test_any_string_reads_back_exactly(text: str) -> None:
    module = parse_text("func.func @f() {\n  return\n}", REGISTRY)
    function = next(iter(module.body))
    nested = ArrayAttr([StringAttr(text), DictAttr.of({"d.k": StringAttr(text), "d.u": UnitAttr()})])
    function.set_attribute("d.text", StringAttr(text))
    function.set_attribute("d.nested", nested)
    assert round_trip_difference(module) is None
    again = next(iter(parse_text(print_op(module), REGISTRY).body))
    assert again.attributes["d.text"].value == text
    assert again.attributes["d.nested"] is nested


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (2, 0, 3), (2, 3, 4)])
def test_constant_of_any_bits_reads_back_exactly(dtype: str, shape: tuple[int, ...]) -> None:
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    bits = np.random.default_rng(len(shape)).integers(0, 256, count, dtype=np.uint8)
    array = (bits % 2).astype(bool).reshape(shape) if dtype == "?" else bits.view(dtype).reshape(shape)
    b = tir.Builder()
    with b.function("f"):
        b.returns(b.constant(array))
    assert round_trip_difference(b.module) is None
    again = next(op for op in parse_text(b.module_text(), REGISTRY).walk() if op.name == "tir.constant")
    assert again.value.numpy().tobytes() == array.tobytes()
