"""Imports in tir/ point one way. The tables say which way; the tests read every import, wherever it stands.

`ir <- dialects <- passes` and `dialects <- lower`, with the user's side on top. Imports inside functions and under
`if TYPE_CHECKING` count as much as those at the top of a file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

BELOW_THE_USER = ("tir.ir", "tir.dialects", "tir.parser", "tir.rewrites", "tir.passes", "tir.lower", "tir.runtime", "tir.interpret",
                  "tir.check", "tir.viz", "tir.version", "tir.machines")
USER = ("tir", "tir.tensor", "tir.graph", "tir.sandbox", "tir.scalar", "tir.scan_module", "tir.updates", "tir.api", "tir.calls", "tir.gradients", "tir.compile", "tir.state", "tir.configuration",
        "tir.gof", "tir.gradient", "tir.inspect", "tir.printing", "tir.batching", "tir.numpy", "tir.random", "tir.tracing", "tir.trees", "tir.extend", "tir.ifelse")

# layer -> what its modules may import besides their own layer and tir.lazy. The longest matching prefix decides, on
# both sides. A module of no layer fails the test: a new layer is a line here.
LAYERS: dict[str, tuple[str, ...]] = {
    "tir.lazy": (),
    "tir.version": (),
    "tir.ir": (),
    "tir.dialects": ("tir.ir",),
    "tir.parser": ("tir.ir",),
    "tir.rewrites": ("tir.ir", "tir.dialects"),
    "tir.passes": ("tir.ir", "tir.dialects", "tir.rewrites"),
    "tir.lower": ("tir.ir", "tir.dialects"),
    "tir.runtime": (
        "tir.ir.types", "tir.ir.affine", "tir.ir.errors", "tir.ir.externs", "tir.ir.native", "tir.configuration",
    ),
    "tir.interpret": ("tir.ir", "tir.dialects"),
    "tir.check": ("tir.ir", "tir.dialects", "tir.interpret"),
    "tir.machines": ("tir.ir", "tir.dialects", "tir.interpret", "tir.lower", "tir.runtime"),
    "tir.viz": ("tir.ir", "tir.dialects", "tir.version"),
    "tir.tensor": BELOW_THE_USER + USER,
    "tir.calls": BELOW_THE_USER + USER,
    "tir.api": BELOW_THE_USER + USER,
    "tir.gof": BELOW_THE_USER + USER,
    "tir.gradient": BELOW_THE_USER + USER,
    "tir.gradients": BELOW_THE_USER + USER,
    "tir.compile": BELOW_THE_USER + USER,
    "tir.state": BELOW_THE_USER + USER,
    "tir.configuration": ("tir.ir",),
    "tir.graph": BELOW_THE_USER + USER,
    "tir.sandbox": BELOW_THE_USER + USER,
    "tir.ifelse": BELOW_THE_USER + USER,
    "tir.extend": BELOW_THE_USER + USER,
    "tir.scalar": BELOW_THE_USER + USER,
    "tir.scan_module": BELOW_THE_USER + USER,
    "tir.updates": BELOW_THE_USER + USER,
    "tir.inspect": BELOW_THE_USER + ("tir.api", "tir.compile"),
    "tir.printing": ("tir.graph", "tir.inspect"),
    "tir.batching": BELOW_THE_USER + USER,
    "tir.numpy": BELOW_THE_USER + USER,
    "tir.random": BELOW_THE_USER + USER,
    "tir.tracing": BELOW_THE_USER + USER,
    "tir.trees": (),
    "tir": BELOW_THE_USER + USER,  # tir/__init__.py alone: what `import tir` offers
    "tir.lsp": BELOW_THE_USER,
    "tir.reducer": ("tir.ir", "tir.dialects", "tir.passes"),
    "tir.proofs": ("tir.ir", "tir.dialects", "tir.rewrites", "tir.passes", "tir.interpret", "tir.semantics"),
    "tir.semantics": ("tir.ir", "tir.dialects", "tir.passes", "tir.check", "tir.compile", "tir.reducer"),
    "tir.cli": BELOW_THE_USER + USER + ("tir.lsp", "tir.proofs", "tir.reducer", "tir.semantics"),
}
EVERYONE_MAY_IMPORT = "tir.lazy"

# Between dialects: each may import those of the rows above its own, and itself. `arith, math <- linalg <- tir`.
# A dialect that is in no row stands in the empty row: it may import those above alone.
DIALECT_ROWS: tuple[tuple[str, ...], ...] = (
    ("numeric",),
    ("arith_base",),
    ("arith_casts",),
    ("builtin", "arith", "math", "library", "custom_derivative", "tensor"),
    ("math_expansions_base",),
    (
        "math_expansions_error", "math_expansions_inverse", "math_expansions_log", "math_expansions_pow",
        "math_expansions_root", "math_expansions_trig", "math_special",
    ),
    ("math_expansions_hyperbolic",),
    (),
    ("scalar",),
    ("linalg",),
    ("tir",),
)
OTHER_DIALECTS_ROW = 7

# The core packages: reached through tir.lazy alone, so that importing tir imports none of them.
LAZY = ("numpy", "lark", "llvmlite")

# What one place alone may import; tir.lazy may import anything.
ONLY_HERE = {
    **{package: "tir.lazy" for package in LAZY},
    "tir.lazy.llvmlite": "tir.runtime.jit",
    "tir.lazy.llvm": "tir.runtime.jit",
    "tir.lazy.lark": "tir.parser",
}

# The only modules that may be imported inside a function: packages that a user may not have.
OPTIONAL = {"scipy", "pycuda", "ml_dtypes", "pygraphviz", "matplotlib", "sklearn", "torch_mlir"}


class Import(NamedTuple):
    """`importer` (a module) imports `target` (a module, or a name in one) on `line`."""

    importer: str
    target: str
    line: int
    in_function: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line}: imports {self.target}"


def modules() -> dict[str, Path]:
    """The modules of tir, by name."""
    found = {}
    for path in sorted((ROOT / "tir").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, source: str, is_package: bool = False) -> Iterator[Import]:
    """Every import in the module `name`. `from a import b` gives `a.b`, whether b is a module or a name in a.

    A lazy package that is imported for type hints alone counts as reached through tir.lazy.
    """
    tree = ast.parse(source, filename=name)
    functions = _inside(node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    hints = _inside(node for node in ast.walk(tree)
                    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("LazyModule", "LazyTable", "lazy_exports"):
            targets = [text.value.partition(":")[0] for text in ast.walk(node)
                       if isinstance(text, ast.Constant) and str(text.value).startswith("tir.")]
            yield from (Import(name, target, node.lineno, False) for target in targets)
            continue
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(name, node, is_package)
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            lazy = id(node) in hints and target.split(".")[0] in LAZY
            yield Import(name, f"tir.lazy.{target}" if lazy else target, node.lineno, id(node) in functions)


def _inside(nodes: Iterable[ast.AST]) -> set[int]:
    """The identities of `nodes` and of everything in them."""
    return {id(inner) for node in nodes for inner in ast.walk(node)}


def _absolute(name: str, node: ast.ImportFrom, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    package = name.split(".")
    up = node.level - 1 if is_package else node.level
    parts = package[: len(package) - up]
    return ".".join([*parts, node.module] if node.module else parts)


def starts_with(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def layer_of(name: str) -> str:
    """The layer of a module, or of a name in one. What no other layer holds is `tir` itself, the package's front."""
    return max((layer for layer in LAYERS if starts_with(name, layer)), key=len)


def layer_violation(found: Import) -> str | None:
    if not starts_with(found.target, "tir") or starts_with(found.target, EVERYONE_MAY_IMPORT):
        return None
    layer = layer_of(found.importer)
    allowed = (layer, *LAYERS[layer])
    if layer_of(found.target) == "tir":
        return None if "tir" in allowed else f"{found}; {layer} may import {allowed}"
    if any(starts_with(found.target, prefix) for prefix in allowed if prefix != "tir"):
        return None
    return f"{found}; {layer} may import {allowed}"


def dialect_violation(found: Import) -> str | None:
    importer, target = _dialect(found.importer), _dialect(found.target)
    if importer is None or target is None or importer == target or _row(target) < _row(importer):
        return None
    return f"{found}; between dialects imports point one way: {DIALECT_ROWS}"


def _dialect(name: str) -> str | None:
    """The dialect that a module belongs to; None for tir.dialects itself and for tir.dialects.all, which lists them."""
    parts = name.split(".")
    return parts[2] if parts[:2] == ["tir", "dialects"] and len(parts) > 2 and parts[2] != "all" else None


def _row(dialect: str) -> int:
    return next((row for row, names in enumerate(DIALECT_ROWS) if dialect in names), OTHER_DIALECTS_ROW)


def place_violation(found: Import) -> str | None:
    if found.importer == EVERYONE_MAY_IMPORT:
        return None
    for target, home in ONLY_HERE.items():
        if starts_with(found.target, target) and not starts_with(found.importer, home):
            return f"{found}, which only {home} may"
    if found.in_function and found.target.split(".")[0] not in OPTIONAL:
        return f"{found} inside a function: imports stand at the top of the file"
    return None


def violations(found: Import) -> list[str]:
    """What is wrong with one import: nothing, or one sentence for each rule that it breaks."""
    rules = (layer_violation, dialect_violation, place_violation)
    return [sentence for rule in rules if (sentence := rule(found))]


def test_imports_point_one_way() -> None:
    broken = [sentence for name, path in modules().items()
              for found in imports(name, path.read_text(encoding="utf-8"), path.name == "__init__.py")
              for sentence in violations(found)]
    assert not broken, "\n".join(broken)


def test_every_module_has_a_layer() -> None:
    lost = [name for name in modules() if layer_of(name) == "tir" and name != "tir"]
    assert not lost, f"these modules are in no layer: {lost}"


@pytest.mark.parametrize(("module", "source"), [
    ("tir.ir.types", "from tir.dialects import arith"),
    ("tir.ir.types", "import tir.passes.cse"),
    ("tir.ir.types", "import tir"),
    ("tir.ir.types", "from tir import parse"),
    ("tir.ir.types", "def f():\n    from tir.dialects.arith import AddF"),
    ("tir.ir.types", "def f():\n    from tir.ir import affine"),
    ("tir.ir.types", "if TYPE_CHECKING:\n    from tir.dialects import arith"),
    ("tir.ir.types", "from ..dialects import arith"),
    ("tir.ir.types", "import numpy as np"),
    ("tir.ir.types", "arith = LazyModule('tir.dialects.arith')"),
    ("tir.dialects.arith", "TABLE = LazyTable({'cse': 'tir.passes.cse:Cse'})"),
    ("tir.ir.types", "def f():\n    import json"),
    ("tir.runtime.jit", "from llvmlite.binding import ModuleRef"),
    ("tir.runtime.buffers", "if TYPE_CHECKING:\n    from llvmlite.binding import ModuleRef"),
    ("tir.dialects.arith", "from tir.passes import cse"),
    ("tir.dialects.arith", "from tir.dialects import linalg"),
    ("tir.dialects.linalg", "from tir.dialects.tir.nn import Softmax"),
    ("tir.dialects.linalg", "from .tir import nn"),
    ("tir.dialects.scf", "from tir.dialects.memref import Load"),
    ("tir.dialects.memref", "from tir.dialects.tir import nn"),
    ("tir.parser.parse", "from tir.dialects import arith"),
    ("tir.passes.cse", "from tir.lower import llvm"),
    ("tir.passes.cse", "from tir.parser import parse"),
    ("tir.lower.llvm", "from tir.passes import cse"),
    ("tir.lower.llvm", "from tir.lazy import llvmlite"),
    ("tir.runtime.jit", "from tir.ir.verify import verify"),
    ("tir.runtime.jit", "from tir.lower import llvm"),
    ("tir.runtime.buffers", "from tir.lazy import llvmlite as jit"),
    ("tir.runtime.buffers", "from tir.lazy import llvm"),
    ("tir.interpret", "from tir.runtime import jit"),
    ("tir.interpret", "from tir.api import function"),
    ("tir.api", "from tir.cli.opt import main"),
    ("tir.check", "import tir.cli"),
    ("tir", "from tir import cli"),
])
def test_import_that_points_the_wrong_way_is_found(module: str, source: str) -> None:
    assert [sentence for found in imports(module, source) for sentence in violations(found)]


@pytest.mark.parametrize(("module", "source"), [
    ("tir.ir.types", "from tir.ir import affine\nfrom tir.lazy import np\nfrom . import errors\nimport json"),
    ("tir.dialects.tir.nn", "from tir.dialects.linalg import Generic\nfrom tir.dialects import arith"),
    ("tir.dialects.tir.nn", "from .elementwise import Exp"),
    ("tir.dialects.linalg", "from tir.dialects.arith import AddF"),
    ("tir.dialects.scf", "from tir.dialects.arith import AddI"),
    ("tir.parser.parse", "from tir.lazy import lark"),
    ("tir.passes.pipelines", "TABLE = LazyTable({'cse': 'tir.passes.cse:Cse'})"),
    ("tir.passes.cse", "from tir.dialects import tir\nfrom tir.ir.rewrite import rule"),
    ("tir.runtime.jit", "from tir.lazy import llvmlite\nfrom tir.ir.errors import TirError"),
    ("tir.runtime.jit", "if TYPE_CHECKING:\n    from llvmlite.binding import ModuleRef"),
    ("tir.ir.types", "if TYPE_CHECKING:\n    import numpy as np"),
    ("tir.runtime.cuda", "def f():\n    import pycuda.driver"),
    ("tir.check", "from tir.interpret import run"),
    ("tir.api", "from tir.passes import PASSES\nfrom tir.compile import compile\nfrom tir.runtime import jit"),
    ("tir.cli.opt", "from tir.api import parse\nimport tir\nfrom tir import version"),
    ("tir", "from tir.api import function"),
])
def test_import_that_points_the_right_way_is_allowed(module: str, source: str) -> None:
    assert not [sentence for found in imports(module, source) for sentence in violations(found)]
