"""No text crashes, hangs or fills the memory: each is a module, or errors with places in words of the program."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import Hang, problems, problems_of_mutant, within
from tests.hostile_texts import TEXTS
from tests.mutants import mutants

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
HUGE = 10**12
needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="sizes of processes are read from /proc")

# --- the table of hostile texts --------------------------------------------------------------------------------------

# Each text is read, printed, read back, and goes through each pass, in a fork of one process. Reading and each pass
# have 2 s of CPU time on a machine that counts to 10,000,000 in half a second, and together 512 MiB more than the process began with.
READ_TEXTS = """
import os, resource, signal, sys, time
from tests.hostile import Hang, parsed, problem_behind, problems, problems_of_print, within
from tests.hostile_texts import TEXTS
from tir.passes.pipelines import ALL

def slowness():
    start = time.process_time()
    counted = 0
    for i in range(10_000_000):
        counted += i
    return (time.process_time() - start) / 0.5

def run(text):
    with within(LIMIT):
        module, found = parsed(text)
        found += problems_of_print(module) if module is not None else []
    for name in ALL if module is not None else ():
        with within(LIMIT):
            wrong = problem_behind(module.clone(), [name])
            found += [wrong] if wrong else []
    return found

sys.stderr = open(os.devnull, "w")  # of print-op-stats
assert not problems("func.func @f() {\\n  return\\n}")
[ALL[name] for name in ALL]
LIMIT = 2.0 * max(1.0, slowness())
size_bytes = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + (512 << 20)
failed = 0
for name in sys.argv[2:]:
    if (child := os.fork()) == 0:
        code = 1
        try:
            text = TEXTS[name]()
            if (len(text) > 500_000) != (sys.argv[1] == "large"):
                os._exit(0)
            resource.setrlimit(resource.RLIMIT_AS, (size_bytes + len(text), size_bytes + len(text)))
            found = run(text)
            print(name, str(found)[:1000], flush=True) if found else None
            code = len(found) > 0
        except BaseException as error:
            print(name, repr(error)[:300], flush=True)
        os._exit(code)
    if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        print("failed:", name, code, flush=True)
        failed += 1
sys.exit(failed > 0)
"""
GROUPS = 8
IN_TURN = [group if group % 2 else pytest.param(group, marks=pytest.mark.slow) for group in range(GROUPS)]


def _read_texts(group: int, size: str) -> None:
    names = list(TEXTS)[group::GROUPS]
    command = [sys.executable, "-c", READ_TEXTS, size, *names]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert len(names) > 30


@needs_proc
@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", IN_TURN)
def test_each_hostile_text_ends_within_2_seconds_and_512_mib(group: int) -> None:
    _read_texts(group, "small")


@needs_proc
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", range(GROUPS))
def test_each_large_hostile_text_ends_within_2_seconds_and_512_mib(group: int) -> None:
    _read_texts(group, "large")


def test_text_that_takes_too_long_is_noticed() -> None:
    with pytest.raises(Hang), within(0.05):
        while True:
            try:
                sum(range(1000))
            except Exception:
                pass


def test_every_truncation_is_read_or_refused_with_places() -> None:
    text = (ROOT / "examples" / "mlp.tir").read_text(encoding="utf-8")
    for end in range(0, len(text), 37):
        assert problems(text[:end]) == [], text[:end]


# --- mutants ---------------------------------------------------------------------------------------------------------


def _read_mutants(seed: int, count: int) -> None:
    rng = random.Random(seed)
    for text in mutants(seed, count):
        try:
            with within(10.0):  # a mutant takes 2 ms; one that loops takes for ever
                assert problems_of_mutant(text, rng) == [], text
        except (Exception, Hang) as error:
            raise AssertionError(f"{error!r} for the text\n{text}") from error


def test_mutants_are_the_same_for_the_same_seed() -> None:
    assert list(mutants(3, 50)) == list(mutants(3, 50)) != list(mutants(4, 50))


@pytest.mark.parametrize("seed", range(3))
def test_6_000_mutants_are_read_or_refused_with_places_and_passes_leave_them_right(seed: int) -> None:
    _read_mutants(seed, 2_000)


@pytest.mark.slow
@pytest.mark.timeout(3600)  # 2 minutes on a quiet machine; all of them half an hour on two workers
@pytest.mark.parametrize("seed", range(100, 120))
def test_1_000_000_mutants_are_read_or_refused_with_places_and_passes_leave_them_right(seed: int) -> None:
    _read_mutants(seed, 50_000)


# --- sizes that no machine has ---------------------------------------------------------------------------------------

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


@needs_proc
def test_constants_of_terabytes_stay_one_number_and_are_not_run(tmp_path: Path) -> None:
    path = tmp_path / "splats.tir"
    path.write_text(SPLATS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", TOOLS, path], capture_output=True, text=True, env=ENVIRONMENT, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "there is no memory for a result of shape" in done.stderr
    assert Path("/dev/null").is_char_device(), "writing to a device must not replace it"
