"""No text crashes, hangs or fills the memory: each is a module, or errors with places in words of the program."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import TEXTS, corpus, mutant, problem_behind_passes, problems

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
HUGE = 10**12

# Each text is read in a fork of one process, which has 512 MiB more than it began with, and 20 s: a slow machine with
# all its cores busy is no hang, and what grows with the square takes minutes.
ALL_TEXTS = """
import os, resource, signal, sys
from tests.hostile import TEXTS, problems
problems("func.func @f() {\\n  return\\n}")
size_bytes = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + (512 << 20)
failed = []
for name, text in TEXTS.items():
    if (child := os.fork()) == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))
            signal.alarm(20)
            found = problems(text)
            print(name, found, flush=True) if found else None
            code = len(found) > 0
        except BaseException as error:
            print(name, repr(error)[:300], flush=True)
        os._exit(code)
    if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        failed.append((name, code))
sys.exit(f"failed: {failed}" if failed else 0)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process is read from Linux's /proc")
def test_each_hostile_text_ends_within_bounds() -> None:
    done = subprocess.run([sys.executable, "-c", ALL_TEXTS], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert len(TEXTS) > 60


def test_every_truncation_is_read_or_refused_with_places() -> None:
    text = (ROOT / "examples" / "mlp.tir").read_text(encoding="utf-8")
    for end in range(0, len(text), 37):
        assert problems(text[:end]) == [], text[:end]


def _mutants(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    texts = corpus()
    return [mutant(rng.choice(texts), rng) for _ in range(count)]


@pytest.mark.parametrize("seed", range(4))
def test_mutants_are_read_or_refused_with_places(seed: int) -> None:
    for text in _mutants(seed, 500):
        assert problems(text) == [], text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_mutants_are_read_or_refused_with_places() -> None:
    for text in _mutants(100, 20_000):
        assert problems(text) == [], text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_passes_leave_right_modules_of_mutants() -> None:
    rng = random.Random(7)
    for text in _mutants(101, 5_000):
        assert problem_behind_passes(text, rng) is None, text


SPLATS = f"""
func.func @f() -> tensor<i64> {{
  %a = tir.constant dense<1> : tensor<1000000x1000000xi64>
  %t = tir.transpose %a by [1, 0] : tensor<1000000x1000000xi64>
  %p = tir.mul %t, %a : tensor<1000000x1000000xi64>
  %n = tir.neg %p : tensor<1000000x1000000xi64>
  %i = tir.full 2 : i64 -> tensor<{HUGE}xi64>
  %s = tir.sum %n over [0, 1] : tensor<i64>
  %r = tir.sum %i over [0] : tensor<i64>
  %u = tir.add %s, %r : tensor<i64>
  return %u : tensor<i64>
}}
"""

TOOLS = """
import resource, sys
from tir.cli import opt, run, translate
size_bytes = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + (2 << 30)
resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))
path = sys.argv[1]
passes = ["--canonicalize", "--cse", "--lower-structured", "--fuse", "--lower-cpu", "--default"]
codes = [opt.main([name, path, "-o", "/dev/null"]) for name in passes]
codes.append(translate.main(["--to-llvm", path, "-o", "/dev/null"]))
codes.append(run.main([path]))
assert codes == [0] * 7 + [1], codes
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process is read from Linux's /proc")
def test_constants_of_terabytes_stay_one_number_and_are_not_run(tmp_path: Path) -> None:
    path = tmp_path / "splats.tir"
    path.write_text(SPLATS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", TOOLS, path], capture_output=True, text=True, env=ENVIRONMENT, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Unable to allocate" in done.stderr
    assert Path("/dev/null").is_char_device(), "writing to a device must not replace it"
