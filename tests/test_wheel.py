"""The wheel, installed into an empty environment, works from another folder with the three core packages alone.

Nothing is fetched: the wheel is built by the setuptools of this environment, and the core packages of this environment
are linked into the new one. `pip check` there compares them with what the wheel says that it needs.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tir.cli.reference import TOOLS
from tir.version import __version__
from tools import gen_man

ROOT = Path(__file__).resolve().parent.parent
CORE = ("numpy", "lark", "llvmlite")
PROGRAM = """\
func.func @double(%x: f32) -> f32 {
  %y = arith.addf %x, %x : f32
  return %y : f32
}
"""
LIST_WHAT_VERSION_IMPORTS = """
import sys
from tir.cli.opt import main
try:
    main(["--version"])
except SystemExit:
    pass
print(sorted({"numpy", "lark", "llvmlite"} & set(sys.modules)))
"""

pytestmark = [
    pytest.mark.timeout(300),  # a wheel build and an environment, on a busy machine
    pytest.mark.xdist_group("wheel"),  # one build for all workers
]


def run(*command: str | Path, cwd: Path) -> str:
    """The standard output of a command that knows nothing of this checkout and must succeed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=clean, text=True, capture_output=True,
                          check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build folder left by an earlier build would be taken into it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "tir", source / "tir", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    gen_man.main([str(source / "build" / "man")])
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, source,
        cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel and the core packages, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", symlinks=True, with_pip=False)
    python = folder / "venv" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    (site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for name in CORE:
        link_distribution(name, site_packages)
    run(sys.executable, "-m", "pip", "--python", python, "check", cwd=folder)
    return python.parent


def link_distribution(name: str, site_packages: Path) -> None:
    """Links the folders and files of an installed distribution, its metadata included, into `site_packages`."""
    distribution = importlib.metadata.distribution(name)
    for top in sorted({file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}):
        (site_packages / top).symlink_to(Path(str(distribution.locate_file(top))))


def test_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = (path for path in (ROOT / "tir").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    expected = {path.relative_to(ROOT).as_posix() for path in files}
    manual = {f"tir_compiler-{__version__}.data/data/share/man/man1/{tool}.1" for tool in TOOLS}
    assert names == expected | manual
    assert "tir/py.typed" in names


def test_wheel_needs_the_core_packages_alone(wheel: Path) -> None:
    (metadata,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".dist-info/METADATA"))
    lines = zipfile.ZipFile(wheel).read(metadata).decode("utf-8").splitlines()
    needed = [line.split()[1] for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert [name.split(">")[0] for name in needed] == list(CORE)
    assert wheel.name == f"tir_compiler-{__version__}-py3-none-any.whl"


@pytest.mark.parametrize("tool", ["tir-opt", "tir-reduce", "tir-run", "tir-translate"])
def test_installed_tool_says_its_version(installed: Path, tool: str, tmp_path: Path) -> None:
    assert __version__ in run(installed / tool, "--version", cwd=tmp_path)


def test_installed_manual_is_where_man_looks_for_it(installed: Path) -> None:
    assert {path.name for path in (installed.parent / "share" / "man" / "man1").iterdir()} == {f"{tool}.1" for tool in TOOLS}


def test_saying_the_version_imports_no_big_package(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "python", "-c", LIST_WHAT_VERSION_IMPORTS, cwd=tmp_path).splitlines()[-1] == "[]"


def test_installed_tool_reads_and_prints_a_file(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "double.tir").write_text(PROGRAM, encoding="utf-8")
    assert "arith.addf" in run(installed / "tir-opt", "double.tir", cwd=tmp_path)


def test_installed_package_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    path = run(installed / "python", "-c", "import tir; print(tir.__file__)", cwd=tmp_path).strip()
    assert Path(path).is_relative_to(installed.parent)
