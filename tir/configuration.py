"""`tir.config`: what programs may choose from outside, by code, by environment variables and by a file.

    tir.config.floatX                                 # "float64"
    tir.config.floatX = "float32"
    with tir.config.change_flags(floatX="float32"): ...
    TIR_FLAGS=floatX=float32,mode=FAST_COMPILE python program.py

The first of these that says something counts: `TIR_NUM_THREADS` (of `num_threads` alone), `TIR_FLAGS`, `THEANO_FLAGS`,
the files named by `TIRRC` (by default `~/.tirrc`), those named by `THEANORC` (by default `~/.theanorc`). A file has
sections, `[global]` for names without a dot.
Flags of Theano that mean nothing here are accepted and have no effect; a flag that neither knows is an error.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tir.ir.errors import FileLocation, TirError, nearest

__all__ = ["MOST_THREADS", "Configuration", "config"]


@dataclass(frozen=True)
class Flag:
    """A flag, its default, what it may be (any string or number of the default's kind if there are no choices)."""

    name: str
    default: Any
    choices: tuple[str, ...] = ()
    doc: str = ""
    #: The least and the most, of a number that has such.
    between: tuple[int, int] | None = None

    def parse(self, given: Any, where: str) -> Any:
        """The value that is given, as a string or as it is; TirError if it is none of the flag."""
        if self.choices:
            return self._choice(given, where)
        if isinstance(self.default, bool):
            return self._switch(given, where)
        kind = type(self.default)
        try:
            found = kind(given)
        except (TypeError, ValueError):
            raise TirError(f"{where}: {self.name} must be a {_KINDS[kind]}, got {given!r}") from None
        if self.between and not self.between[0] <= found <= self.between[1]:
            least, most = self.between
            raise TirError(f"{where}: {self.name} must be from {least} to {most}, got {given!r}")
        return found

    def _choice(self, given: Any, where: str) -> str:
        if given in self.choices:
            return given
        hint = nearest(str(given), self.choices)
        raise TirError(f"{where}: {self.name} must be one of {', '.join(self.choices)}, got {given!r}", hint=hint)

    def _switch(self, given: Any, where: str) -> bool:
        found = given if isinstance(given, bool) else _SWITCHES.get(str(given).lower())
        if found is None:
            raise TirError(f"{where}: {self.name} must be True or False, got {given!r}")
        return found


_KINDS = {str: "string", int: "whole number", float: "number"}
_SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

FLOATS = ("float64", "float32", "float16")
MODES = ("FAST_RUN", "FAST_COMPILE", "DebugMode", "NanGuardMode", "Mode", "DEBUG_MODE")
OPTIMIZERS = ("fast_run", "fast_compile", "merge", "o1", "o2", "o3", "o4", "unsafe", "None")
CHOICES_OF_UNUSED = ("raise", "warn", "ignore", "off")

CPUS = ("host", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64")

MOST_THREADS = 256


def usable_cores() -> int:
    """How many cores this process may use, as far as the system says it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_THREADS)


#: What has an effect.
FLAGS = (
    Flag("floatX", "float64", FLOATS, "the dtype of `T.matrix()` and of Python floats beside f32 tensors"),
    Flag("mode", "FAST_RUN", MODES, "how `function` compiles where it is not told"),
    Flag("device", "cpu", (), "where functions run: cpu"),
    Flag("num_threads", usable_cores(), (), "how many threads may run a loop: all cores by default", (1, MOST_THREADS)),
    Flag("cpu", "host", CPUS, "the machine that code is made for, if not the one that it runs on"),
    Flag("on_unused_input", "raise", CHOICES_OF_UNUSED, "what `function` does about an input that nothing uses"),
    Flag("warn_float64", "ignore", ("ignore", "warn", "raise", "pdb"), "what is done when a variable of float64 is made"),
    Flag("int_division", "int", ("int", "raise", "floatX"), "kept for programs that set it; `/` is true division"),
    Flag("cast_policy", "custom", ("custom", "numpy+floatX"), "which dtype a Python number has beside tensors"),
    Flag("profile", False, (), "functions count their calls and time"),
    Flag("compute_test_value", "off", ("off", "ignore", "warn", "raise", "pdb"), "kept for programs that set it"),
    Flag("exception_verbosity", "low", ("low", "high"), "kept for programs that set it"),
    Flag("optimizer", "fast_run", OPTIMIZERS, "kept for programs that set it"),
    Flag("allow_gc", True, (), "kept for programs that set it"),
    Flag("openmp", False, (), "kept for programs that set it"),
    Flag("blas.ldflags", "", (), "kept for programs that set it"),
    Flag("NanGuardMode.nan_is_error", True, (), "NanGuardMode looks for nan"),
    Flag("NanGuardMode.inf_is_error", True, (), "NanGuardMode looks for infinities"),
    Flag("NanGuardMode.big_is_error", True, (), "NanGuardMode looks for numbers above 1e10"),
)  # fmt: skip

#: Sections of flags that Theano has and tir has no use for: anything in them is accepted, and kept.
FOREIGN_SECTIONS = ("nvcc", "gcc", "lib", "cuda", "dnn", "gpuarray", "gpuelemwise", "scan", "tensor", "warn", "DebugMode",
                    "traceback", "experimental", "compile", "optdb", "cmodule", "blas", "cxx", "profiling")  # fmt: skip
FOREIGN = (
    "base_compiledir", "compiledir", "compiledir_format", "cxx", "linker", "force_device", "init_gpu_device", "lib",
    "nvcc", "optimizer_verbose", "optimizer_excluding", "optimizer_including", "reoptimize_unpickled_function", "root",
    "print_active_device", "pycuda", "assert_no_cpu_op", "deterministic", "gpuarray", "conv", "numpy", "vm", "hostname",
    "profile_memory", "profile_optimizer", "print_test_value", "on_opt_error", "nocleanup", "unpickle_function",
    "ignore_bug_before", "floatX_gpu", "max_log", "metaopt", "openmp_elemwise_minsize", "pickle_test_value", "warn",
    "compute_test_value_opt",
    "sandbox", "check_input", "check_stack_trace", "mpi_timeout", "allow_downcast", "enable_initial_driver_test",
)  # fmt: skip


class Configuration:
    """The flags as attributes; those with a dot as attributes of attributes."""

    def __init__(self, given: Callable[[], Iterator[tuple[str, str, str]]] | None = None) -> None:
        object.__setattr__(self, "_flags", {flag.name: flag for flag in FLAGS})
        object.__setattr__(self, "_given", given)
        object.__setattr__(self, "_values", None)
        object.__setattr__(self, "_watched", {})

    @property
    def values(self) -> dict[str, Any]:
        """All flags by name; what stands outside is read at the first use."""
        if self._values is None:
            found = {flag.name: flag.default for flag in FLAGS}
            for name, value, where in self._given() if self._given is not None else ():
                if name in self._flags:
                    found[name] = self._flags[name].parse(value, where)
                elif not _is_foreign(name):
                    raise TirError(f"{where}: there is no flag {name!r}", hint=nearest(name, self._flags))
            object.__setattr__(self, "_values", found)
            for name in self._watched:
                self._tell(name)
        return self._values

    def watch(self, name: str, told: Callable[[Any], None]) -> None:
        """Calls a function with the value of a flag, once that is known and whenever it changes."""
        self._watched.setdefault(name, []).append(told)
        if self._values is not None:
            told(self._values[name])

    def _tell(self, name: str) -> None:
        for told in self._watched.get(name, ()):
            told(self.values[name])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        values = self.values
        if name in values:
            return values[name]
        if name in FOREIGN_SECTIONS or any(flag.startswith(f"{name}.") for flag in values):
            return _Section(self, name)
        raise AttributeError(self._no_flag(name))

    def __setattr__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def set(self, name: str, value: Any) -> None:
        """Gives a flag another value; AttributeError if there is none of this name."""
        if _is_foreign(name):
            self.values[name] = value
            return
        if name not in self._flags:
            raise AttributeError(self._no_flag(name))
        self.values[name] = self._flags[name].parse(value, "tir.config")
        self._tell(name)

    def _no_flag(self, name: str) -> str:
        hint = nearest(name, self._flags)
        return f"tir.config has no flag {name!r}" + (f"; {hint}" if hint else "")

    @contextmanager
    def change_flags(self, **flags: Any) -> Iterator[None]:
        """Other values for the length of a `with`; a dot in a name is written as two underscores."""
        wanted = {name.replace("__", "."): value for name, value in flags.items()}
        saved = {name: self.values[name] for name in wanted if name in self.values}
        try:
            for name, value in wanted.items():
                self.set(name, value)
            yield
        finally:
            self.values.update(saved)
            for name in saved:
                self._tell(name)

    def __dir__(self) -> list[str]:
        return sorted(self._flags)

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {value!r}" for name, value in self.values.items())


class _Section:
    """The flags whose names begin with a word and a dot."""

    def __init__(self, owner: Configuration, name: str) -> None:
        object.__setattr__(self, "_owner", owner)
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._owner, f"{self._name}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._owner.set(f"{self._name}.{name}", value)


def _is_foreign(name: str) -> bool:
    """A flag of Theano that has no meaning here."""
    section, dot, _ = name.partition(".")
    return section in FOREIGN_SECTIONS if dot else name in FOREIGN


# --- what stands outside ---------------------------------------------------------------------------------------------


def _outside() -> Iterator[tuple[str, str, str]]:
    """Name, value and place of what is set outside, the weakest first."""
    for variable, usual in (("THEANORC", "~/.theanorc"), ("TIRRC", "~/.tirrc")):
        for path in os.environ.get(variable, usual).split(os.pathsep):
            yield from _of_file(os.path.expanduser(path))
    for variable in ("THEANO_FLAGS", "TIR_FLAGS"):
        yield from _of_environment(variable)
    if threads := os.environ.get("TIR_NUM_THREADS"):
        yield "num_threads", threads, "TIR_NUM_THREADS"


def _of_file(path: str) -> Iterator[tuple[str, str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    try:
        parser.read(path)
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or 1
        problem = "this is no file of flags: sections in [..], and lines name = value"
        raise TirError(problem, FileLocation(path, line, 1)) from None
    except UnicodeDecodeError:
        raise TirError("a file of flags must be text in UTF-8", FileLocation(path, 1, 1)) from None
    for section in parser.sections():
        for name, value in parser.items(section):
            yield name if section == "global" else f"{section}.{name}", value, path


def _of_environment(variable: str) -> Iterator[tuple[str, str, str]]:
    for item in os.environ.get(variable, "").split(","):
        if not item.strip():
            continue
        name, equals, value = item.partition("=")
        if not equals:
            raise TirError(f"{variable}: flags are written name=value with commas between, got {item.strip()!r}")
        yield name.strip(), value.strip(), variable


#: The flags of this process.
config = Configuration(_outside)
