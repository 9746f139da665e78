"""sccp and licm beside upstream's passes of the same names: the same ops are left in the same places, on the same constants.

Judged is what the text tests of both passes have in dialects that upstream knows, and what is listed here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.lit_runner import LIT_ROOT
from tests.upstream.judge import installed_version
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.traits import ConstantLike
from tir.parser.parse import parse_text
from tir.passes.pipelines import PASSES

GROUP = pytest.mark.xdist_group("upstream")
IS_CI = os.environ.get("CI", "").lower() == "true"
UPSTREAM = {"sccp": "sccp", "licm": "loop-invariant-code-motion"}
FUNCTION = re.compile(r"^func\.func [^\n]*?@(\w+)[^\n]*\{\n.*?^}\n", re.MULTILINE | re.DOTALL)
SCRIPT = """
import sys
from torch_mlir import ir, passmanager
with ir.Context():
    module = ir.Module.parse(sys.stdin.read())
    passmanager.PassManager.parse(sys.argv[1]).run(module.operation)
    module.operation.print(print_generic_op_form=True)
"""
#: Where the two differ on purpose.
APART = {
    "sccp": {
        "blocks": "of two edges from a block to the same other, upstream takes both where one runs",
        "calls_with_derivative": "the function is of tir's own",
    },
    "licm": {
        "load_of_what_is_not_written": "upstream moves no loads",
        "load_around_a_call": "upstream moves no loads",
    },
}


@pytest.fixture(scope="module", autouse=True)
def upstream() -> None:
    if installed_version() is None:
        message = "upstream MLIR is not installed"
        pytest.fail(message) if IS_CI else pytest.skip(message)


def functions(name: str) -> str:
    """Those of the text test that upstream can read, and that the two should treat alike."""
    text = re.sub(r"^ *//.*\n", "", (LIT_ROOT / "passes" / f"{name}.tir").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {match[1]: match[0] for match in FUNCTION.finditer(text)}
    kept = {one: body for one, body in found.items() if "tir." not in body and one not in APART[name]}
    declared = [line for line in text.splitlines() if line.startswith("func.func private") and not line.endswith("{")]
    body = "\n".join(kept.values())
    return "\n".join(line for line in declared if line.partition("(")[0].split()[-1] in body) + "\n" + body


def theirs(text: str, name: str) -> Op:
    generic = print_op(parse_text(text, REGISTRY), generic=True)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"builtin.module({UPSTREAM[name]})"], input=generic, capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return parse_text(done.stdout, REGISTRY)


def shape_of(module: Op) -> list[str]:
    """The ops but for constants, each with how deep it stands, and the constants among its operands."""
    found = []
    for op in module.walk():
        if isinstance(op, ConstantLike):
            continue
        depth = sum(1 for _ in op.ancestors())
        constants = [str(v.op.properties["value"]) if isinstance(v.op, ConstantLike) else "-" for v in op.operands]
        found.append(f"{'  ' * depth}{op.name} {' '.join(constants)}")
    return found


@GROUP
@pytest.mark.parametrize("name", UPSTREAM)
def test_upstream_leaves_the_same(name: str) -> None:
    text = functions(name)
    assert text.count("func.func") > 5
    module = parse_text(text, REGISTRY)
    before = shape_of(module)
    run_pipeline(Pipeline([PASSES[name]()]), module)
    want = shape_of(theirs(text, name))
    assert shape_of(module) == want
    assert want != before
