"""LLVM IR text to machine code in this process. The only file that knows llvmlite.

    compile_text(text, exports) -> Library     text, gate, LLVM, gate, linker: addresses to call
    emit_object(text) -> bytes                 the same up to the object file
    load_object(data, exports) -> Library      from the object file on
    emit_assembly(text) -> str
    check_text(text)                           the gate and LLVM's verifier alone

Everything goes through the gate (`tir/runtime/gate.py`), and every mistake in the text is a `CodegenError`. Code is
made for the machine it runs on. All functions may be called from any thread, before and after a fork.

In object files and assembly every name of the text has the prefix `tir.`: see Note [The prefix of names].
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from tir.configuration import config
from tir.ir.errors import FileLocation, nearest
from tir.ir.externs import EXTERN_BY_NAME
from tir.ir.native import RELEASE
from tir.lazy import llvm
from tir.runtime.elf import MACHINE_NUMBERS
from tir.runtime.gate import IR_FILE, CodegenError, check_declarations, check_module, check_object, check_source
from tir.runtime.library import library_address
from tir.runtime.pool import Pool
from tir.runtime.pool_text import EXPORTS, pool_text
from tir.runtime.targets import HOST, NAMED_TARGETS, Target

if TYPE_CHECKING:
    from llvmlite.binding import ModuleRef, ResourceTracker

__all__ = [
    "DEFAULT_GRANTS",
    "Library",
    "Passes",
    "Target",
    "check_text",
    "compile_text",
    "emit_assembly",
    "emit_object",
    "code_target",
    "host_target",
    "masks_here",
    "load_object",
    "pool",
]

#: The kinds of externs that code may call unless the caller says otherwise.
DEFAULT_GRANTS = ("memory",)

#: "all": LLVM's own pipeline, with its loop passes. "lines": what straight lines and loops over vectors need, in a fifth
#: of the time. "none": LLVM takes the instructions as they stand.
Passes = Literal["all", "lines", "none"]

_PREFIX = "tir."

# The time of the loop passes grows with the square of the number of loops: 400 loops in one function take 5 s to
# vectorise, 1.2 s without. A function of more blocks than this goes without, so that the largest takes some 20 s.
_VECTORISED_BLOCKS = 1000

_HALF = re.compile(r"(?<![\w.%@$-])(?:half|bfloat)(?![\w.$-])")  # the types, and no name
_LLVM_ERROR = re.compile(r"<string>:(\d+):(\d+): error: (.*)")

# LLVM is entered by one thread at a time. Held over a fork, so that no child starts with LLVM's own lock taken.
_LOCK = threading.RLock()


class Library:
    """Code in memory. It stays as long as this object does, so whoever keeps an address keeps the library."""

    __slots__ = ("__weakref__", "_addresses", "_engine", "_tracker")

    def __init__(self, engine: _Engine, tracker: ResourceTracker, exports: Sequence[str]) -> None:
        self._engine = engine
        self._tracker = tracker
        self._addresses = {name: int(tracker[_PREFIX + name]) for name in exports}
        if RELEASE in exports:  # runs before the code goes, which is with the last attribute
            release = ctypes.CFUNCTYPE(None)(self._addresses[RELEASE])
            weakref.finalize(self, release).atexit = False

    def address(self, name: str) -> int:
        """Where the exported function starts. Raises `CodegenError` for a name that was not exported."""
        if name not in self._addresses:
            raise CodegenError(f"the library exports no '{name}'", hint=nearest(name, self._addresses))
        return self._addresses[name]


def host_target() -> Target:
    """The machine this process runs on. Raises `CodegenError` where tir cannot make code (no ELF, unknown CPU)."""
    with _llvm():
        return _host_target()


def code_target() -> Target:
    """The machine that code in this process is made for: that of the flag `cpu`, or else this one.

    Raises `CodegenError` for one whose code does not run here.
    """
    name, host = config.cpu, host_target()
    if name == HOST:
        return host
    target = NAMED_TARGETS[name]
    if not target.runs_on(host):
        raise CodegenError(f"the flag cpu is {name!r}, and code for that does not run on this machine ({host.cpu})")
    return target


def masks_here() -> str:
    """Where loops over vectors may have masks on the machine that code is made for; "tails" where none can be made."""
    try:
        return code_target().masks
    except CodegenError:
        return "tails"


def check_text(text: str, grants: Sequence[str] = DEFAULT_GRANTS) -> None:
    """Raises `CodegenError` if the gate or LLVM's verifier refuses the text. Compiles nothing."""
    check_source(text)
    with _llvm(), _verified(text, grants, _generator(code_target())):
        pass


def emit_object(
    text: str, grants: Sequence[str] = DEFAULT_GRANTS, passes: Passes = "all", target: Target | None = None
) -> bytes:
    """The ELF object file. The same text gives the same bytes for the same target and LLVM.

    target: the machine that it is for; None is `code_target()`.
    """
    check_source(text)
    with _llvm(), _optimised(text, grants, passes, target) as (module, generator):
        data: bytes = generator.machine.emit_object(module)
    check_object(data, generator.elf_machine, grants)
    return data


def emit_assembly(
    text: str, grants: Sequence[str] = DEFAULT_GRANTS, passes: Passes = "all", target: Target | None = None
) -> str:
    """The optimised assembly text. target: as for `emit_object`."""
    check_source(text)
    with _llvm(), _optimised(text, grants, passes, target) as (module, generator):
        return str(generator.machine.emit_assembly(module))


def compile_text(
    text: str, exports: Sequence[str], grants: Sequence[str] = DEFAULT_GRANTS, passes: Passes = "all"
) -> Library:
    """Machine code for the LLVM IR `text`, with the addresses of the functions `exports`.

    grants: the kinds of externs the code may call (`tir.ir.externs.EXTERN_KINDS`). passes: which of LLVM's it needs.
    Raises `CodegenError` for everything that is wrong with the text; the process and the linker stay usable.
    """
    return load_object(emit_object(text, grants, passes), exports, grants)


def load_object(data: bytes, exports: Sequence[str], grants: Sequence[str] = DEFAULT_GRANTS) -> Library:
    """Links an object file of `emit_object`.

    The file's outside is checked, its code cannot be: bytes from a disk need a checksum before they come here.
    """
    with _llvm() as engine:
        found = check_object(data, MACHINE_NUMBERS[engine.target.processor], grants)
        for name in exports:
            if _PREFIX + name not in found.defined:
                names = [defined.removeprefix(_PREFIX) for defined in found.defined]
                raise CodegenError(f"the code defines no '{name}' to export", hint=nearest(name, names))
        builder = llvm.JITLibraryBuilder().add_object_img(data)
        for name in found.undefined:
            if name in EXTERN_BY_NAME:
                builder.import_symbol(name, _extern_address(name))
        for name in exports:
            builder.export_symbol(_PREFIX + name)
        # A name can never be used twice in one LLJIT, not even after its library is gone.
        tracker = builder.link(engine.linker, f"tir{next(engine.numbers)}")
        return Library(engine, tracker, exports)


# ------------------------------------------------------------------------------------------------------------- engine


class _Engine:
    """LLVM for this process: created once, never closed."""

    def __init__(self, target: Target) -> None:
        self.target = target
        # JITLink reports errors; the older linkers abort on them. It must not share a target machine of ours.
        self.linker = llvm.create_lljit_compiler(_target_machine(target), use_jit_link=True, suppress_errors=True)
        self.numbers = count()


class _Generator:
    """What makes code for one target."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.elf_machine = MACHINE_NUMBERS[target.processor]
        self.machine = _target_machine(target)
        self.data_layout = str(self.machine.target_data)


@cache
def _generator(target: Target) -> _Generator:
    if target.processor != _engine().target.processor:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    return _Generator(target)


@contextmanager
def _llvm() -> Iterator[_Engine]:
    """The engine, with no other thread inside LLVM, and LLVM's errors as `CodegenError`."""
    with _LOCK:
        try:
            yield _engine()
        except RuntimeError as error:
            raise _readable(error) from error


@cache
def _engine() -> _Engine:
    engine = _Engine(_host_target())
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)
    return engine


@cache
def _host_target() -> Target:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_process_triple()
    if triple.split("-")[0] not in MACHINE_NUMBERS or llvm.get_object_format(triple) != "ELF":
        raise CodegenError(f"tir makes no machine code for {triple}: it knows {', '.join(MACHINE_NUMBERS)} with ELF")
    return Target(triple, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


def _target_machine(target: Target) -> Any:
    # Position-independent code of the small model reaches its constants in one instruction; JITLink adds the stubs
    # that calls of far away externs need.
    options = {"opt": 2, "reloc": "pic", "codemodel": "small", "jit": True}
    return llvm.Target.from_triple(target.triple).create_target_machine(target.cpu, target.features, **options)


@contextmanager
def _verified(text: str, grants: Sequence[str], generator: _Generator) -> Iterator[tuple[ModuleRef, int]]:
    """The parsed module after the gate's checks, and the blocks of its largest function; gone after the `with`."""
    target = generator.target
    with llvm.create_context() as context, llvm.parse_assembly(text, context) as module:
        for what, mine, theirs in (
            ("triple", target.triple, module.triple),
            ("datalayout", generator.data_layout, module.data_layout),
        ):
            if theirs not in ("", mine):
                raise CodegenError(f'the text is for target {what} "{theirs}", this machine has "{mine}"')
        if not target.has_half and _HALF.search(text):
            raise CodegenError("half precision needs the CPU feature f16c, which this machine lacks")
        module.triple, module.data_layout = target.triple, generator.data_layout
        module.verify()
        signatures = {function.name: str(function.global_value_type) for function in module.functions}
        declared = {function.name for function in module.functions if function.is_declaration}
        check_declarations({name: signatures[name] for name in declared}, grants)
        blocks = check_module(str(module), signatures)
        yield module, blocks


@contextmanager
def _optimised(
    text: str, grants: Sequence[str], passes: Passes, target: Target | None
) -> Iterator[tuple[ModuleRef, _Generator]]:
    generator = _generator(target or code_target())
    with _verified(text, grants, generator) as (module, blocks):
        for value in (*module.functions, *module.global_variables):
            if not value.is_declaration:
                value.name = _PREFIX + value.name
        if passes != "none":
            _run_passes(module, generator, passes, loops=blocks <= _VECTORISED_BLOCKS)
        yield module, generator


def _run_passes(module: ModuleRef, generator: _Generator, passes: Passes, loops: bool) -> None:
    """loops: for "all", with the passes that vectorise and unroll."""
    # Levels 1 to 3 gave the same machine code and time on our loops; what counts are these flags.
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = loops
    builder = llvm.create_pass_builder(generator.machine, options)
    if passes == "all":
        builder.getModulePassManager().run(module, builder)
        return
    manager = llvm.create_new_module_pass_manager()
    manager.add_sroa_pass()
    manager.add_instruction_combine_pass()
    manager.add_simplify_cfg_pass()
    manager.add_global_dead_code_eliminate_pass()  # private functions that nothing calls
    manager.run(module, builder)


def pool() -> Pool:
    """The threads of this process; its code is made at the first call."""
    with _LOCK:  # `cache` alone lets two threads make two
        return _pool()


@cache
def _pool() -> Pool:
    text = pool_text(host_target().processor, sys.platform)
    return Pool(compile_text(text, EXPORTS, ("memory", "thread"), passes="none"))


@cache
def _extern_address(name: str) -> int:
    """Where an extern is in this process. Raises `CodegenError` where the platform lacks it."""
    extern = EXTERN_BY_NAME[name]
    if extern.kind == "library":
        return library_address(extern)
    if extern.kind == "pool":
        return pool().library.address(name)
    library = ctypes.pythonapi if extern.kind == "python" else ctypes.CDLL(None)
    try:
        function = getattr(library, name)
    except AttributeError as error:
        raise CodegenError(f"this process has no '{name}'") from error
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _readable(error: RuntimeError) -> CodegenError:
    """LLVM's message as one of ours, with the position in the text if it has one."""
    message = str(error).strip()
    if found := _LLVM_ERROR.search(message):
        return CodegenError(f"LLVM: {found[3]}", FileLocation(IR_FILE, int(found[1]), int(found[2])))
    first, *others = message.splitlines() or ["no reason given"]
    return CodegenError(f"LLVM: {first}", notes=[(line.strip(), None) for line in others[:4]])


# Note [The prefix of names]
# LLVM knows the C library by its function names, and believes in them even for a function that the module defines:
# with `define double @cos(double %x)` in the text, `cos(-x)` becomes `cos(x)` and `sin(0)` becomes 0, internal
# functions included. No C function has a name with a dot in it, so every definition is renamed before the first pass,
# and `Library.address` takes the name of the text.
