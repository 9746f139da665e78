"""Upstream MLIR as the judge of tir's text: what it accepts, what it reads out of it, and what it computes from it.

The judge is the wheel `torch-mlir`, which carries upstream MLIR; pyproject.toml says which version (extra `upstream`).
All work is done by `worker.py` in other processes, many modules in one.

    verdicts = judge([text, ..])                       # one for each text
    outcomes = execute([Program(text, "main", arrays), ..])
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tir.dialects.all import REGISTRY
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.parser.parse import parse_text

__all__ = ["Program", "Verdict", "execute", "installed_version", "judge", "nameless", "wanted_version"]

ROOT = Path(__file__).resolve().parent.parent.parent
WORKER = Path(__file__).with_name("worker.py")
WHEEL = "torch-mlir"
TIMEOUT_S = 100


def wanted_version() -> str:
    """The version in pyproject.toml."""
    versions = set(re.findall(rf'"{WHEEL}==([0-9.]+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    assert len(versions) == 1, f"pyproject.toml names {len(versions)} versions of {WHEEL}"
    return versions.pop()


def installed_version() -> str | None:
    """The version on this machine, None without one."""
    try:
        return importlib.metadata.version(WHEEL)
    except importlib.metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Verdict:
    """What upstream said about a module. error: why it, or its print, is wrong; "" if all is well. text: its print."""

    error: str
    text: str = ""


@dataclass(frozen=True)
class Program:
    """A module on tensors, the function to call and its arguments in order."""

    text: str
    entry: str
    arguments: Sequence[Any] = field(default_factory=list)


def judge(modules: Sequence[str]) -> list[Verdict]:
    """For each text: upstream parses and verifies its generic form, and prints what tir reads as the same module."""
    with TemporaryDirectory() as name:
        ours = [parse_text(text, REGISTRY) for text in modules]
        answers = _run(Path(name), [{"text": print_op(module, generic=True)} for module in ours])
    return [_verdict(module, answer) for module, answer in zip(ours, answers, strict=True)]


def _verdict(module: Op, answer: dict[str, Any]) -> Verdict:
    if "error" in answer:
        return Verdict(f"upstream refuses it: {answer['error']}")
    try:
        again = nameless(parse_text(answer["text"], REGISTRY))
    except TirError as error:
        return Verdict(f"tir cannot read upstream's print: {error}", answer["text"])
    ours = nameless(module)
    if again == ours:
        return Verdict("", answer["text"])
    pairs = zip(ours.splitlines(), again.splitlines())
    first = next(((a, b) for a, b in pairs if a != b), ("the shorter text ends", ""))
    return Verdict(f"upstream's print is another module:\n  tir:      {first[0]}\n  upstream: {first[1]}", answer["text"])


def nameless(module: Op) -> str:
    """The generic text of a module with all values and blocks numbered."""
    copy = module.clone()
    for op in copy.walk():
        for result in op.results:
            result.hint = None
        for block in (block for region in op.regions for block in region.blocks):
            block.hint = None
            for argument in block.arguments:
                argument.hint = None
    return print_op(copy, generic=True)


def execute(programs: Sequence[Program]) -> list[list[Any] | str]:
    """The results of each program as upstream's own passes compile it, or why there are none."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        jobs = []
        for number, program in enumerate(programs):
            np.savez(folder / f"in{number}.npz", **{f"a{i}": array for i, array in enumerate(program.arguments)})
            text = print_op(parse_text(program.text, REGISTRY), generic=True)
            jobs.append({"text": text, "entry": program.entry, "arguments": f"in{number}.npz"})
        answers = _run(folder, jobs)
        return [_results(folder / f"{number}.npz", answer) for number, answer in enumerate(answers)]


def _results(path: Path, answer: dict[str, Any]) -> list[Any] | str:
    if "error" in answer:
        return answer["error"]
    with np.load(path, allow_pickle=False) as file:
        return [file[f"r{i}"] for i in range(answer["count"])]


def _run(folder: Path, jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of the worker; a job that ends the process has that as its answer, and the rest go on in a new one."""
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    paths = [folder / f"{number}.json" for number in range(len(jobs))]
    while missing := [path for path in paths if not path.exists()]:
        done = subprocess.run(
            [sys.executable, str(WORKER), str(folder)], capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
        if done.returncode == 0:
            continue
        assert "ModuleNotFoundError" not in done.stderr, done.stderr
        first = next((path for path in missing if not path.exists()), None)
        if first is not None:
            why = f"upstream ended with code {done.returncode}: {done.stderr[-500:]}"
            first.write_text(json.dumps({"error": why}), encoding="utf-8")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]
