"""Runs `make test` on each Python version named on the command line, and says which of them this machine lacks.

    python tools/run_on_pythons.py 3.10 3.13

A version counts as installed if its interpreter runs and can make a virtual environment: a version manager may put a
`python3.10` on PATH that only says that 3.10 is not selected. A missing version is no failure; a failing suite is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def candidates(version: str) -> Iterator[Path]:
    """Where an interpreter of `version` may be: on PATH first, then in pyenv's folder."""
    name = f"python{version}"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if found := shutil.which(name, path=folder):
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted((pyenv / "versions").glob(f"{version}.*/bin/{name}"), reverse=True)


def runs(python: Path, version: str) -> bool:
    """Whether `python` starts, is of `version`, and has what a virtual environment needs."""
    try:
        done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def find(version: str) -> Path | None:
    return next((python for python in candidates(version) if runs(python, version)), None)


def main(versions: list[str]) -> int:
    """Runs the suite on each version; 1 if it failed on one of them."""
    results: dict[str, str] = {}
    for version in versions:
        python = find(version)
        if python is None:
            results[version] = "MISSING on this machine, not tested"
            continue
        print(f"== Python {version}: {python}", flush=True)
        command = ["make", "--no-print-directory", "-C", str(ROOT), "test", f"PYTHON={python}", f"VENV=.venv-{version}"]
        code = subprocess.run(command, check=False).returncode
        results[version] = "passed" if code == 0 else f"FAILED (make: exit code {code})"
    for version, result in results.items():
        print(f"Python {version}: {result}")
    return int(any(result.startswith("FAILED") for result in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
