"""Resources and side files: the right bytes, and no way out of the module's folder."""

import os

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import TirErrors
from tir.ir.printer import print_op
from tir.parser.parse import parse_file, parse_text

TEXT = """
func.func @f() -> tensor<2x3xf32> {
  %%0 = tir.constant dense_resource<w> : tensor<2x3xf32>
  return %%0 : tensor<2x3xf32>
}
{-# external_resources: { tir: { w: "%s" } } #-}
"""
DATA = np.arange(6, dtype=np.float32).reshape(2, 3)


def module_in(folder, path):
    (folder / "m.tir").write_text(TEXT % path)
    return folder / "m.tir"


def value_of(file):
    return Interpreter(parse_file(file, REGISTRY), {}).run("f", [])[0]


@pytest.mark.parametrize("path", ["w.npy", "weights/w.npy", "weights/deep/w.bin"])
def test_side_files_are_read(tmp_path, path):
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    np.save(target, DATA) if path.endswith(".npy") else target.write_bytes(DATA.tobytes())
    assert np.array_equal(value_of(module_in(tmp_path, path)), DATA)


def test_a_module_reached_by_a_link_finds_its_side_files(tmp_path):
    (tmp_path / "real").mkdir()
    np.save(tmp_path / "real" / "w.npy", DATA)
    (tmp_path / "link.tir").symlink_to(module_in(tmp_path / "real", "w.npy"))
    assert np.array_equal(value_of(tmp_path / "link.tir"), DATA)


def link(folder, outside):
    (folder / "w.npy").symlink_to(outside)


def folder_link(folder, outside):
    (folder / "weights").symlink_to(outside.parent)


@pytest.mark.parametrize(
    ("path", "prepare", "message"),
    [
        ("../out.npy", None, "relative path inside"),
        ("a/../../out.npy", None, "relative path inside"),
        ("/etc/passwd", None, "relative path inside"),
        ("", None, "relative path inside"),
        ("nowhere.npy", None, "No such file"),
        ("w.npy", link, "links are not followed"),
        ("weights/out.npy", folder_link, "links are not followed"),
        ("w.npy", lambda folder, outside: os.link(outside, folder / "w.npy"), "regular file with one name"),
        ("w.npy", lambda folder, outside: os.mkfifo(folder / "w.npy"), "regular file with one name"),
        ("w.npy", lambda folder, outside: (folder / "w.npy").mkdir(), "regular file with one name"),
        ("w.npy", lambda folder, outside: np.save(folder / "w.npy", DATA.T), "of shape \\[3, 2\\]"),
        ("w.npy", lambda folder, outside: np.save(folder / "w.npy", DATA.astype(np.float64)), "float64"),
        ("w.npy", lambda folder, outside: np.save(folder / "w.npy", np.array([{}]), allow_pickle=True), "not an .npy file"),
        ("w.npy", lambda folder, outside: (folder / "w.npy").write_bytes(b"\x93NUMPY"), "not an .npy file"),
        ("w.bin", lambda folder, outside: (folder / "w.bin").write_bytes(b"12345"), "needs 24 bytes, the file has 5"),
        ("w.bin", lambda folder, outside: (folder / "w.bin").write_bytes(b"1" * 99), "at most 24 bytes are expected"),
    ],
)
def test_what_is_refused(tmp_path, path, prepare, message):
    outside = tmp_path / "out.npy"
    np.save(outside, DATA)
    folder = tmp_path / "model"
    folder.mkdir()
    if prepare is not None:
        prepare(folder, outside)
    with pytest.raises(TirErrors, match=message) as caught:
        parse_file(module_in(folder, path), REGISTRY)
    where = caught.value.errors[0].location
    assert (where.line, where.column) == (6, 37)


def test_a_module_from_standard_input_has_no_side_files():
    with pytest.raises(TirErrors, match="only a module in a file has side files"):
        parse_text(TEXT % "w.npy", REGISTRY)


def test_resources_in_the_text_become_constants():
    blob = "0x04000000" + DATA.tobytes().hex()
    text = TEXT.replace('external_resources: { tir: { w: "%s" } }', 'dialect_resources: { builtin: { w: "%s" } }') % blob
    module = parse_text(text, REGISTRY)
    assert np.array_equal(Interpreter(module, {}).run("f", [])[0], DATA)
    again = parse_text(print_op(module), REGISTRY)
    assert print_op(again) == print_op(module)


def test_a_resource_of_the_wrong_size_is_refused():
    text = TEXT.replace('external_resources: { tir: { w: "%s" } }', 'dialect_resources: { builtin: { w: "0x0400000001" } }')
    with pytest.raises(TirErrors, match="resource 'w': dense: .* needs 24 bytes, got 1"):
        parse_text(text.replace("%%", "%"), REGISTRY)


@pytest.mark.parametrize(("version", "message"), [("2 : i64", "has version 2"), ('"1"', "must be an integer")])
def test_texts_of_other_versions_are_refused(version, message):
    with pytest.raises(TirErrors, match=message):
        parse_text(f"module attributes {{tir.version = {version}}} {{\n}}\n", REGISTRY)


def test_the_current_version_is_read():
    parse_text("module attributes {tir.version = 1 : i64} {\n}\n", REGISTRY)
