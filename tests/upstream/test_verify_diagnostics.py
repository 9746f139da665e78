"""--verify-diagnostics beside upstream's: on the same comments both find the same fault, or none."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.tool import call
from tests.upstream.judge import installed_version
from tir.cli import opt

pytestmark = pytest.mark.xdist_group("upstream")
IS_CI = os.environ.get("CI", "").lower() == "true"

# Each name is defined twice: an error at the second definition and a note at the first, in both tools. All messages have
# an e; none has three q.
FITS = ("{{e}}", "-re {{{{[a-z]+}}}}", "-re {{e{{.*$}}}}", "{{}}")
FITS_NOT = ("{{qqq}}", "-re {{{{(q|[0-9]+ ){3}!|^x}}}}", "-re {{[a-z]}}")
DESIGNATORS = ("", "@+1", "@-1", "@above", "@below", " @below", "@+2", "@unknown", "@+900", "@-900")
FAULT = re.compile(r"^(?:<stdin>:(\d+):\d+|<unknown>:0): error: (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def upstream() -> Path:
    """Upstream's mlir-opt, as torch-mlir brings it."""
    spec = importlib.util.find_spec("torch_mlir") if installed_version() is not None else None
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    found = [path for folder in folders for path in Path(folder).rglob("torch-mlir-opt") if os.access(path, os.X_OK)]
    if not found and IS_CI:
        pytest.fail("torch-mlir-opt is not there, and CI must not go without it")
    if not found:
        pytest.skip("torch-mlir-opt is not installed")
    return found[0]


def comment(generator: random.Random) -> str:
    """A comment that may or may not be right."""
    kind = generator.choice(("error", "note", "error", "note", "warning", "remark"))
    text = generator.choice(FITS if generator.random() < 0.7 else FITS_NOT)
    suffix, _, rest = text.partition(" ") if text.startswith("-re") else ("", "", text)
    return f"// expected-{kind}{suffix}{generator.choice(DESIGNATORS)} {rest}"


def module_text(generator: random.Random) -> str:
    """Definitions, comments and empty lines in any order; at times in two parts."""
    lines: list[str] = []
    for part in range(generator.randint(1, 2)):
        lines += ["// -----"] * bool(part)
        names = sorted(["a", "b", "c", generator.choice("abcd")])  # at most one twice: upstream stops at the first
        for name in names:
            for _ in range(generator.choice((0, 0, 1, 2))):
                lines.append(generator.choice(("", comment(generator), "  " + comment(generator) + " ", "// no comment")))
            lines.append(f"func.func private @{name}()" + (f" {comment(generator)}" if generator.random() < 0.3 else ""))
        lines.append(comment(generator) if generator.random() < 0.3 else "")
    return "\n".join(lines) + "\n"


def right_text(generator: random.Random) -> str:
    """A definition too many, and comments that say so."""
    note, error = (generator.choice(FITS) for _ in range(2))
    note, error = (f"{text.partition(' ')[0]}@AT {text.partition(' ')[2]}" if text[0] == "-" else f"@AT {text}"
                   for text in (note, error))  # fmt: skip
    return "\n".join([
        f"// expected-note{note}".replace("@AT", generator.choice(("@+1", "@below"))), "func.func private @a()", "",
        f"func.func private @a() // expected-error{error}".replace("@AT", ""),
    ])  # fmt: skip


def faults(errors: str, text: str) -> set[tuple[str, str]]:
    """The line and the sentence of each fault. Upstream shows @unknown comments without a place (and twice)."""
    unknown = {str(number) for number, line in enumerate(text.split("\n"), 1) if "@unknown" in line}
    found = ((line, re.sub(r"^(unexpected \w+): .*", r"\1", message)) for line, message in FAULT.findall(errors))
    return {("" if line in unknown and "was not produced" in message else line, message) for line, message in found}


def test_same_comments_have_the_same_faults(upstream: Path) -> None:
    generator = random.Random(7)
    faultless = 0
    for number in range(60):
        text = right_text(generator) if number % 6 == 0 else module_text(generator)
        arguments = ["--verify-diagnostics", "--split-input-file"]
        theirs = subprocess.run([upstream, *arguments, "--mlir-print-op-on-diagnostic=false"], input=text, text=True,
                                capture_output=True, check=False)  # fmt: skip
        ours = call(opt.main, *arguments, stdin=text)
        assert (ours.code, faults(ours.err, text)) == (theirs.returncode, faults(theirs.stderr, text)), text
        faultless += theirs.returncode == 0
    assert faultless >= 10
