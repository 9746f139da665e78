"""No code path from text to code: the calls below occur nowhere in tir/ and tools/.

This is the lint half of SECURITY.md. It reads syntax trees, so a comment or a string may name what it bans.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

BANNED_IMPORTS = {
    "pickle": "reading a pickle runs code",
    "_pickle": "reading a pickle runs code",
    "cPickle": "reading a pickle runs code",
    "cloudpickle": "reading a pickle runs code",
    "dill": "reading a pickle runs code",
    "joblib": "its files are pickles",
    "marshal": "crashes on hostile bytes",
    "shelve": "a shelf is a pickle",
    "code": "runs text as code",
    "codeop": "compiles text",
    "runpy": "runs files as code",
}

# Called by bare name or as an attribute of `builtins`.
BANNED_BUILTINS = {"eval", "exec", "compile", "__import__"}

# module.function
BANNED_FUNCTIONS = {
    "os.system": "runs a shell",
    "os.popen": "runs a shell",
    "subprocess.getoutput": "runs a shell",
    "subprocess.getstatusoutput": "runs a shell",
    "yaml.load": "builds any object",
    "yaml.unsafe_load": "builds any object",
    "yaml.full_load": "builds any object",
    "tempfile.mktemp": "another process can take the name first",
    "ast.literal_eval": "recurses on input depth",
}

# keyword -> the only value that it may be given
PINNED_KEYWORDS = {"shell": False, "allow_pickle": False, "cache": False}
# `cache` is pinned in calls of these alone: lark's cache=True unpickles a file in the shared temporary folder.
CACHE_CALLEES = {"Lark", "open_from_package"}

# The lazy modules import numpy, lark and llvmlite, by names written in that file.
MAY_IMPORT_BY_NAME = {"tir/lazy.py"}

# The names come from the fields that a class declares, never from text.
MAY_SET_BY_NAME = {"tir/ir/interned.py", "tir/ir/fields.py"}


def sources() -> list[Path]:
    """Every Python file of tir/ and tools/, scripts without a suffix included."""
    files = [path for folder in ("tir", "tools") for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix == ".py" or (not path.suffix and _is_python_script(path))]


def _is_python_script(path: Path) -> bool:
    with open(path, "rb") as file:
        first = file.readline(200)
    return first.startswith(b"#!") and b"python" in first


def violations(source: str, name: str) -> Iterator[str]:
    """One sentence for each banned thing in `source`, which stands in the file `name` (relative to the root)."""
    tree = ast.parse(source, filename=name)
    own = _names_bound_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found = _import_violation(node)
        elif isinstance(node, ast.Call):
            found = _call_violation(node, own, name)
        else:
            found = None
        if found:
            yield f"{name}:{node.lineno}: {found}"


def _names_bound_in(tree: ast.AST) -> set[str]:
    """Functions defined and names imported in the file: a `compile` among them is not the built-in."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.module != "builtins":
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def _import_violation(node: ast.Import | ast.ImportFrom) -> str | None:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        modules = [] if node.level else [node.module or ""]
        for alias in node.names:
            if (full := f"{node.module}.{alias.name}") in BANNED_FUNCTIONS:
                return f"{full}: {BANNED_FUNCTIONS[full]}"
            if node.module == "builtins" and alias.name in BANNED_BUILTINS:
                return f"builtins.{alias.name}: text must not become code"
            if node.module in ("numpy", "lark") and alias.name == "load":
                return "numpy.load by a bare name escapes this test; call np.load"
    for module in modules:
        if (top := module.split(".")[0]) in BANNED_IMPORTS:
            return f"import {top}: {BANNED_IMPORTS[top]}"
    return None


def _call_violation(node: ast.Call, own: set[str], name: str) -> str | None:
    callee = ast.unparse(node.func)
    last = callee.rpartition(".")[2]
    if callee.removeprefix("builtins.") in BANNED_BUILTINS and callee not in own:
        return f"{callee}(): text must not become code"
    if callee in BANNED_FUNCTIONS:
        return f"{callee}(): {BANNED_FUNCTIONS[callee]}"
    sets = last in ("setattr", "__setattr__", "delattr", "__delattr__") and name not in MAY_SET_BY_NAME
    if sets and not _names_a_literal(node, last, callee):
        return f"{callee}(): the attribute's name must be a literal, never text from a file"
    if last in ("import_module", "spec_from_file_location") and name not in MAY_IMPORT_BY_NAME:
        return f"{callee}(): modules are imported by import statements"
    if callee in ("np.load", "numpy.load") and "allow_pickle" not in {keyword.arg for keyword in node.keywords}:
        return f"{callee}() without allow_pickle=False"
    return _keyword_violation(node, last)


def _names_a_literal(node: ast.Call, last: str, callee: str) -> bool:
    """Whether the attribute's name in setattr(x, name, v), object.__setattr__(x, name, v) or super().. is a literal."""
    bound = last.startswith("__") and callee.startswith("super()")
    position = 0 if bound else 1
    return len(node.args) > position and isinstance(node.args[position], ast.Constant)


def _keyword_violation(node: ast.Call, last: str) -> str | None:
    for keyword in node.keywords:
        if keyword.arg not in PINNED_KEYWORDS or (keyword.arg == "cache" and last not in CACHE_CALLEES):
            continue
        wanted = PINNED_KEYWORDS[keyword.arg]
        if not (isinstance(keyword.value, ast.Constant) and keyword.value.value is wanted):
            return f"{keyword.arg}={ast.unparse(keyword.value)}: only {wanted} is allowed"
    return None


def test_no_banned_call_in_tir_and_tools() -> None:
    found = [sentence for path in sources()
             for sentence in violations(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())]
    assert not found, "\n".join(found)


def test_scripts_without_suffix_are_read_too() -> None:
    assert {path.name for path in sources()} >= {"tir-opt", "tir-run", "tir-translate", "version.py"}


@pytest.mark.parametrize("source", [
    "import pickle",
    "import numpy, pickle",
    "from pickle import loads",
    "import dill as safe",
    "import joblib.numpy_pickle",
    "def f():\n    import marshal",
    "eval('1')",
    "exec(text)",
    "compile(text, 'f', 'exec')",
    "builtins.eval('1')",
    "from builtins import eval",
    "__import__(name)",
    "importlib.import_module(name)",
    "setattr(op, key, value)",
    "object.__setattr__(self, key, value)",
    "super().__setattr__(key, value)",
    "delattr(op, key)",
    "yaml.load(text)",
    "from yaml import load",
    "np.load(path)",
    "numpy.load(path, mmap_mode='r')",
    "np.load(path, allow_pickle=True)",
    "np.load(path, allow_pickle=flag)",
    "from numpy import load",
    "np.lib.format.read_array(file, allow_pickle=True)",
    "subprocess.run(command, shell=True)",
    "subprocess.run(command, shell=flag)",
    "os.system('ls')",
    "from os import system",
    "os.popen('ls')",
    "subprocess.getoutput('ls')",
    "lark.Lark(grammar, cache=True)",
    "Lark.open('grammar.lark', rel_to=__file__); Lark(grammar, cache='file')",
    "tempfile.mktemp()",
    "ast.literal_eval(text)",
])
def test_each_banned_thing_is_found(source: str) -> None:
    assert list(violations(source, "tir/example.py"))


@pytest.mark.parametrize("source", [
    "# eval(text) and pickle are banned\nx = 'exec(1)'",
    "re.compile('a')",
    "from tir.compile import compile\ncompile(module)",
    "def compile(module): ...\ncompile(module)",
    "setattr(op, 'name', value)",
    "object.__setattr__(self, 'name', value)",
    "super().__setattr__('name', value)",
    "np.load(path, allow_pickle=False)",
    "subprocess.run(['ls'], shell=False)",
    "lark.Lark(grammar, cache=False)",
    "function(cache=True)",
    "json.load(file)",
])
def test_what_only_looks_like_it_is_allowed(source: str) -> None:
    assert not list(violations(source, "tir/example.py"))
