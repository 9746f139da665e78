"""The Python API: `import tir` at most 150 ms, a cold first gradient step at most 250 ms, 20,000 ops of a graph in a second.

The step is that of a logistic regression, written with Theano's names and with `tir.jit`; JAX stands beside it where it is
installed. Each first step is a process of its own. Then calls when everything is compiled.
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
ROUNDS = 7
CHAIN = 20_000  # ops

#: What each process prints: seconds of the import, of building, of the first call, and of a later one.
REPORT = """
print(after_import - start, built - after_import, first - built, later)
"""
CALLS = """
first = time.perf_counter()
times = []
for _ in range(200):
    begin = time.perf_counter()
    step(*data)
    times.append(time.perf_counter() - begin)
later = sorted(times)[100]
"""
DATA = "data = numpy.random.randn(4, 100), numpy.random.randint(size=4, low=0, high=2).astype(float)\n"
THEANO = f"""
import time
import numpy
start = time.perf_counter()
import tir
import tir.tensor as T
from tir import function, shared
after_import = time.perf_counter()
x, y = T.matrix(), T.vector()
w, b = shared(numpy.random.randn(100)), shared(numpy.zeros(()))
p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
cost = xent.mean() + 0.01 * (w ** 2).sum()
gw, gb = T.grad(cost, [w, b])
step = function([x, y], [p_1 > 0.5, xent], updates={{w: w - 0.1 * gw, b: b - 0.1 * gb}})
{DATA}
built = time.perf_counter()
step(*data)
{CALLS}{REPORT}"""
FUNCTION = """
def loss(w, b, x, y):
    p_1 = 1 / (1 + np.exp(-x @ w - b))
    return (-y * np.log(p_1) - (1 - y) * np.log(1 - p_1)).mean() + 0.01 * (w ** 2).sum()
"""
JIT = f"""
import time
import numpy
start = time.perf_counter()
import tir
import tir.numpy as np
after_import = time.perf_counter()
{FUNCTION}
{DATA}
data = numpy.random.randn(100), numpy.float64(0.0), *data
step = tir.jit(tir.value_and_grad(loss, argnums=(0, 1)))
built = time.perf_counter()
step(*data)
{CALLS}{REPORT}"""
JAX = f"""
import time
import numpy
start = time.perf_counter()
import jax
import jax.numpy as np
jax.config.update("jax_enable_x64", True)
after_import = time.perf_counter()
{FUNCTION}
{DATA}
data = numpy.random.randn(100), numpy.float64(0.0), *data
compiled = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
step = lambda *data: jax.block_until_ready(compiled(*data))
built = time.perf_counter()
step(*data)
{CALLS}{REPORT}"""


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        programs = {"tir.function": THEANO, "tir.jit": JIT}
        if subprocess.run([sys.executable, "-c", "import jax"], capture_output=True, check=False).returncode == 0:
            programs["jax.jit"] = JAX
        print(f"{'logistic regression, medians':32} {'import':>9} {'graph':>9} {'first call':>11} {'later call':>11}")
        for name, times in _measured(programs, environment).items():
            milliseconds = [f"{t * 1e3:6.0f} ms" for t in times[:2]]
            print(f"  {name:30} {milliseconds[0]} {milliseconds[1]} {times[2] * 1e3:8.0f} ms {times[3] * 1e6:8.1f} us")
        print(f"  import tir                     {_import_seconds(environment) * 1e3:6.0f} ms (less a bare Python)")
    print(f"  a graph grows by {CHAIN / _chain_seconds():.0f} ops a second")


def _measured(programs: dict[str, str], environment: dict[str, str]) -> dict[str, list[float]]:
    """The medians of what each program prints; they run in turns."""
    rows: dict[str, list[list[float]]] = {name: [] for name in programs}
    for round in range(ROUNDS + 1):
        for name, program in programs.items():
            command = [sys.executable, "-c", program]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            if round:  # the first writes byte code
                rows[name].append([float(word) for word in done.stdout.split()])
    return {name: [statistics.median(column) for column in zip(*found)] for name, found in rows.items()}


def _import_seconds(environment: dict[str, str]) -> float:
    def seconds(program: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
        return time.perf_counter() - start

    return statistics.median(seconds("import tir") - seconds("pass") for _ in range(ROUNDS))


def _chain_seconds() -> float:
    from tir import tensor as T  # noqa: PLC0415  # the other benchmarks need none of it

    x = T.matrix("x")

    def build() -> None:
        y = x
        for _ in range(CHAIN // 4):
            y = T.tanh(y * 0.5 + x) - y

    times = []
    for _ in range(5):
        start = time.perf_counter()
        build()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
