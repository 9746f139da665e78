"""What fuzzing has found stays found; and the fuzzer itself runs, where it is installed."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import problems_of_mutant

ROOT = Path(__file__).resolve().parent.parent

#: What the text does -> the text, as small as it can be.
REGRESSIONS: dict[str, str] = {
    "alias in an alias, deeper than text may nest": "\n".join(
        ["#t0 = 1", *(f"#t{i} = [#t{i - 1}]" for i in range(1, 300)), "module attributes {x = #t299} {\n}"]
    ),
    "alias whose definition ends with a mistake": "#a = [1, 2]\n@\nmodule attributes {x = #a} {\n}",
    "another mistake in an op whose location is not defined": "func.func @f() {\n  return loc(#l)\n  return\n}",
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_text_that_was_a_problem_is_none(name: str) -> None:
    assert problems_of_mutant(REGRESSIONS[name], random.Random(0)) == []


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed (extra `fuzz`)")
def test_fuzzer_runs_and_finds_nothing_in_half_a_minute(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "tests" / "fuzz" / "fuzz_parse.py", tmp_path / "corpus", "-max_total_time=30", "-seed=1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr and len(list((tmp_path / "corpus").iterdir())) > 100
