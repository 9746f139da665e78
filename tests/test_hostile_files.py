"""Files that want to do harm: pipes, devices, bytes that are no text, side files with false headers; and what runs when
a text is read. The tools have 512 MiB in all, and 2 s unless a device gives 256 MiB first.
"""

from __future__ import annotations

import io
import os
import random
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.mutants import mutants
from tir.dialects.all import REGISTRY
from tir.ir.errors import TirError
from tir.parser.parse import parse_file

ROOT = Path(__file__).resolve().parent.parent
LIMIT_BYTES = 512 << 20
GOOD = "func.func @f() {\n  return\n}\n"


def tool(name: str, *arguments: object, text: bytes | None = None, seconds: float = 20.0) -> subprocess.CompletedProcess[bytes]:
    """Runs a tool with 512 MiB of address space; the time limit has room for a busy machine."""
    command = [sys.executable, ROOT / "tools" / name, *map(str, arguments)]
    return subprocess.run(
        command, input=text if text is not None else b"", capture_output=True, check=False, timeout=seconds,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES)),
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip


def says(done: subprocess.CompletedProcess[bytes], sentence: str) -> None:
    error = done.stderr.decode("utf-8")
    assert (done.returncode, done.stdout) == (1, b""), error
    assert sentence in error and "Traceback" not in error and error.count("\n") <= 12, error


TOOLS = [("tir-opt",), ("tir-run",), ("tir-translate", "--to-llvm")]


@pytest.mark.parametrize("arguments", TOOLS, ids=lambda arguments: arguments[0])
def test_pipe_without_a_writer_is_no_hang(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    os.mkfifo(tmp_path / "pipe.tir")
    says(tool(*arguments, tmp_path / "pipe.tir"), "nothing writes to this pipe")


def test_pipe_with_a_slow_writer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe.tir"
    os.mkfifo(path)

    def write() -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(GOOD[:10])
            file.flush()
            time.sleep(1.5)
            file.write(GOOD[10:])

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    done = tool("tir-opt", path)
    writer.join(5)
    assert done.returncode == 0 and b"func.func @f() {" in done.stdout, done.stderr


@pytest.mark.parametrize("arguments", TOOLS, ids=lambda arguments: arguments[0])
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/full"])
def test_device_without_end_is_refused(arguments: tuple[str, ...], device: str) -> None:
    if not Path(device).exists():
        pytest.skip(f"there is no {device}")
    says(tool(*arguments, device, seconds=60), device)


def test_wrong_paths_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop.tir").symlink_to(tmp_path / "loop.tir")
    for path in (tmp_path, tmp_path / "none.tir", tmp_path / "loop.tir", "x" * 5000, "/proc/self/mem", "/dev/null/x"):
        says(tool("tir-opt", path), "cannot read ")
    assert tool("tir-opt", "/dev/null").returncode == 0


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\xff", "1:1"), (b"// caf\xe9", "1:7"), (b"func.func @f() {\n\xc3\x28\n}", "2:1"), (b"\xed\xa0\x80", "1:1"),
        ("// é".encode() + b"\x80", "1:5"), (b"\xfe\xff\0a", "1:1"), (b"\n\n  \xf8", "3:3"), (b"ab\xc3", "1:3"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_utf_8_have_a_place(tmp_path: Path, data: bytes, place: str) -> None:
    path = tmp_path / "m.tir"
    path.write_bytes(data)
    says(tool("tir-opt", path), f"{path}:{place}: error: the text must be UTF-8")
    says(tool("tir-opt", text=data), f"<stdin>:{place}: error: the text must be UTF-8")


# --- side files ------------------------------------------------------------------------------------------------------

SIDE = """
func.func @f() -> tensor<2x3xf32> {
  %0 = tir.constant dense_resource<w> : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
{-# external_resources: { tir: { w: "w.npy" } } #-}
"""


def npy(header: str, data: bytes = b"\0" * 24, version: bytes = b"\1\0") -> bytes:
    """An .npy file with any header."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2 if version == b"\1\0" else 4, "little") + text + data


HEADERS = {
    "huge": "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }",
    "larger than memory": "{'descr': '<f4', 'fortran_order': False, 'shape': (100000000, 10000), }",
    "negative": "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }",
    "overflow": f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**62}, {2**62}), }}",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }",
    "records": "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }",
    "code": "__import__('os').abort()",
    "deep": "(" * 5000 + ")" * 5000,
    "deep list": "[" * 90 + "]" * 90,
    "no dictionary": "7",
    "no keys": "{}",
    "other keys": "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
    "descr of no type": "{'descr': 'zzz', 'fortran_order': False, 'shape': (2, 3), }",
    "descr of a number": "{'descr': 7, 'fortran_order': False, 'shape': (2, 3), }",
    "shape of no tuple": "{'descr': '<f4', 'fortran_order': False, 'shape': 6, }",
    "digits": f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'9' * 5000},), }}",
}


@pytest.mark.parametrize("name", HEADERS)
def test_side_file_with_a_false_header_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.tir").write_text(SIDE)
    (tmp_path / "w.npy").write_bytes(npy(HEADERS[name]))
    with pytest.raises(TirError, match=r"m\.tir:6:.*side file 'w\.npy'"):
        parse_file(tmp_path / "m.tir", REGISTRY)


def test_mutated_side_files_are_read_or_refused(tmp_path: Path) -> None:
    rng = random.Random(1)
    buffer = io.BytesIO()
    np.save(buffer, np.arange(6, dtype=np.float32).reshape(2, 3))
    (tmp_path / "m.tir").write_text(SIDE)
    read = 0
    for _ in range(500):
        data = bytearray(buffer.getvalue())
        for _ in range(rng.choice((1, 1, 2, 8))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "w.npy").write_bytes(data[: rng.choice((len(data), rng.randrange(len(data))))])
        try:
            parse_file(tmp_path / "m.tir", REGISTRY)
            read += 1
        except TirError as error:
            assert "side file 'w.npy'" in str(error)
    assert 10 < read < 490


# --- nothing runs ----------------------------------------------------------------------------------------------------

WATCHED = """
import sys
from tests.mutants import mutants
from tests.hostile import parsed, problems_of_mutant
from tir.passes.canonicalize import MORE_RULES
from tir.passes.pipelines import ALL
from tir.rewrites.families import FAMILIES, rules_of
import numpy, random
texts = list(mutants(5, 300))
[table[name] for table in (ALL, MORE_RULES) for name in table]
[rules_of(family) for family in FAMILIES]
rng = random.Random(5)
for text in texts[:100]:  # what is imported at its first use
    problems_of_mutant(text, rng)
seen = []
WORDS = ("exec", "compile", "import", "pickle", "subprocess", "os.system", "os.exec", "os.fork", "os.posix_spawn", "open",
         "socket", "ctypes", "marshal")
sys.addaudithook(lambda event, args: seen.append((event, str(args)[:200])) if event.startswith(WORDS) else None)
for text in texts[100:]:
    problems_of_mutant(text, rng)
print(seen[:5])
"""


def test_reading_a_text_and_passes_on_it_run_no_code_and_open_no_file() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stdout + done.stderr[-2000:]


def test_audit_hook_would_see_code_that_runs() -> None:
    program = WATCHED.replace("for text in texts[100:]:", "exec('1')\nfor text in []:")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "exec" in done.stdout


def test_messages_of_tools_hold_no_control_characters(tmp_path: Path) -> None:
    text = 'func.func @"\\1B[31mx"(%a: i32) -> i32 {\n  %0 = func.call @"\\1B]0;y\\07"() : () -> i32\n  return %a : f32\n}\n'
    (tmp_path / "m.tir").write_text(text)
    for name in ("tir-opt", "tir-run", "tir-translate"):
        done = tool(name, *(["--to-llvm"] if name == "tir-translate" else []), tmp_path / "m.tir")
        assert done.returncode == 1
        assert not [byte for byte in done.stderr + done.stdout if byte < 32 and byte not in b"\n\t"]


def test_tools_end_with_a_sentence_for_mutants_too(tmp_path: Path) -> None:
    for i, text in enumerate(mutants(6, 3)):
        path = tmp_path / f"{i}.tir"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        for arguments in TOOLS:
            done = tool(*arguments, path)
            assert done.returncode in (0, 1, 2) and b"Traceback" not in done.stderr, done.stderr  # 2: arguments to run it
