"""How long a process takes that starts a tool and ends: `tir-opt --version` at most 60 ms, 20 ops at most 200 ms.

Python itself and the tools of others, where they are installed, stand beside ours; all start in turns. CPU time is what
the process used, which a busy machine changes less than the time on the clock.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

__all__ = ["run"]

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15
TWENTY_OPS = "".join(
    f"  %a{i} = tir.add %x, %y : tensor<4xf32>\n  %b{i} = tir.mul %a{i}, %x : tensor<4xf32>\n" for i in range(10)
)
PROGRAM = f"""\
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {{
{TWENTY_OPS}  return %b9 : tensor<4xf32>
}}
"""


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "twenty.tir"
        path.write_text(PROGRAM, encoding="utf-8")
        # Byte code is kept as for an installed package, whatever the caller's settings are.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        print(report(measure(commands(path), environment)))


def commands(path: Path) -> dict[str, list[str]]:
    """What is started, by name."""
    python, folder = sys.executable, Path(sys.executable).parent
    tool = [python, str(ROOT / "tools" / "tir-opt")]
    found = {
        "python -c pass": [python, "-c", "pass"],
        "tir-opt --version": [*tool, "--version"],
        "tir-opt --canonicalize --cse, 20 ops": [*tool, "--canonicalize", "--cse", str(path)],
        "import tir": [python, "-c", "import tir"],
    }
    if (folder / "xdsl-opt").exists():
        found["xdsl-opt --version"] = [str(folder / "xdsl-opt"), "--version"]
    for package in ("numpy", "jax", "torch_mlir.ir", "theano", "pytensor"):
        command = [python, "-c", f"import {package}"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            found[f"import {package}"] = command
    return found


def measure(started: dict[str, list[str]], environment: dict[str, str]) -> dict[str, tuple[float, float]]:
    """The median seconds on the clock and of CPU time of each command."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in started}
    for round in range(ROUNDS + 1):
        for name, command in started.items():
            start = time.perf_counter()
            with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, command
            if round:  # the first compiles
                times[name].append((time.perf_counter() - start, usage.ru_utime + usage.ru_stime))
    return {name: tuple(statistics.median(column) for column in zip(*rows)) for name, rows in times.items()}  # type: ignore


def report(found: dict[str, tuple[float, float]]) -> str:
    base = found["python -c pass"]
    lines = [f"{'starting, medians':38} {'clock':>10} {'CPU':>10} {'CPU to python':>14}"]
    for name, (seconds, cpu) in found.items():
        lines.append(f"  {name:36} {seconds * 1e3:7.1f} ms {cpu * 1e3:7.1f} ms {cpu / base[1]:13.2f}x")
    return "\n".join(lines)
