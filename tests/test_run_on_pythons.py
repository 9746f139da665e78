"""Which interpreters `make test-pythons` takes for a Python version."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.run_on_pythons import find, main, runs

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def put_on_path(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves `folder`, with one executable in it, as the only place where interpreters are looked for."""
    (folder / name).write_text(script, encoding="utf-8")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PYENV_ROOT", str(folder))


def test_this_interpreter_runs_as_its_own_version_and_as_no_other() -> None:
    assert runs(Path(sys.executable), THIS)
    assert not runs(Path(sys.executable), "2.7")


def test_name_on_path_that_does_not_run_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path, f"python{THIS}", "#!/bin/sh\nexit 127\n", monkeypatch)
    assert find(THIS) is None


def test_name_on_path_that_runs_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path, f"python{THIS}", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', monkeypatch)
    assert find(THIS) == tmp_path / f"python{THIS}"


def test_missing_version_is_named_and_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_on_path(tmp_path, "other", "", monkeypatch)
    assert main(["3.99"]) == 0
    assert "Python 3.99: MISSING on this machine, not tested" in capsys.readouterr().out
