"""How functions compile: the modes of Theano.

    FAST_RUN        all passes, machine code
    FAST_COMPILE    no rewrites, the interpreter on numpy
    DebugMode       FAST_RUN, and each call is compared with the interpreter, level by level and pass by pass
    NanGuardMode    FAST_RUN behind the interpreter, which looks for nan, infinities and numbers above 1e10 in every op

`tir.graph.monitoring` has MonitorMode, which shows each op to functions of the user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tir.api import for_this_machine, to_interpret
from tir.check import Tolerance, first_difference
from tir.compile import Executable
from tir.configuration import config
from tir.dialects.tir.build.core import told
from tir.graph.building import Built
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import located
from tir.inspect.nan_guard import NanGuard
from tir.ir.errors import TirError, nearest
from tir.ir.ir import Op
from tir.ir.observing import Observer
from tir.ir.pass_manager import Pass, Pipeline, run_pipeline
from tir.ir.verify import verify
from tir.lazy import np
from tir.passes.pipelines import PASSES, without_derivatives
from tir.state import SHARED_LOCK, Holder

__all__ = [
    "DebugMode", "DebugModeError", "FAST_COMPILE", "FAST_RUN", "Mode", "NanGuardMode", "get_default_mode", "get_mode",
    "mode_of",
]  # fmt: skip


#: What Theano's linkers come down to here: a program runs as machine code, or op by op on numpy.
LINKERS: dict[str | None, str] = {
    **dict.fromkeys(("cvm", "cvm_nogc", "vm", "vm_nogc", "c", "c|py", "c|py_nogc", "c&py", None), "cpu"), "py": "interpret",
}  # fmt: skip
#: Whether rules rewrite a program, by Theano's words for optimizers.
OPTIMIZERS: dict[str | None, bool] = {
    **dict.fromkeys(("default", "fast_run", "fast_run_stable", "o1", "o2", "o3", "o4", "unsafe"), True),
    **dict.fromkeys(("fast_compile", "merge", "None", None), False),
}  # fmt: skip


class Mode:
    """How a function becomes something that runs: `Mode(linker="py", optimizer="fast_run")`, in Theano's words.

    linker: "py" runs op by op on numpy; all others of Theano's are machine code. optimizer: "fast_run" and "o1" to "o4"
    mean all passes, "fast_compile", "merge" and None no rewrites; what is not rewritten runs on numpy.
    """

    @located
    def __init__(self, linker: Any = "cvm", optimizer: Any = "default") -> None:
        target = _meant("linker", linker, LINKERS)
        self.is_rewritten: bool = _meant("optimizer", optimizer, OPTIMIZERS)
        self.target = target if self.is_rewritten else "interpret"

    @property
    def name(self) -> str:
        """What it is called: one of `MODES`, but for what is rewritten and runs on numpy."""
        if not self.is_rewritten:
            return "FAST_COMPILE"
        return "FAST_RUN" if self.target == "cpu" else "Mode(linker='py')"

    def pipeline(self) -> Pipeline:
        """The passes."""
        if not self.is_rewritten:
            names = ("inline", "control-flow-sink", "widen-sums", "state-to-arguments")
            return Pipeline([*without_derivatives(fp_mode="strict"), *(PASSES[name]() for name in names)])
        return for_this_machine() if self.target == "cpu" else Pipeline([*_up_to_arguments(for_this_machine())])

    def compile(self, built: Built, holders: Mapping[str, Holder], timed: bool = False) -> Any:
        """What has the entries of the module as `call(entry, arguments)`, on the state in the holders.

        timed: loop nests of machine code measure their time. A module that calls Python runs on the interpreter.
        """
        return self.interpreted_or_compiled(built, holders, timed, "interpret" if built.externs else self.target)

    def interpreted_or_compiled(
        self, built: Built, holders: Mapping[str, Holder], timed: bool, target: str, observer: Observer | None = None
    ) -> Executable:
        """The same for a target. observer: sees each op that the interpreter runs."""
        verify(built.module)
        steps = self.pipeline()
        if target == "interpret":
            steps = Pipeline([*_up_to_arguments(steps)])
        return Executable(
            built.module, target, lambda copy: run_pipeline(steps, copy), observer=observer, shared=holders,
            timed=timed and target == "cpu", externs=built.externs,
        )  # fmt: skip

    @located
    def including(self, *tags: str) -> Mode:
        """Theano's choice of rewrites by tags, which these have not: GraphValueError says so."""
        raise GraphValueError(f"rules have no tags, got {', '.join(map(repr, tags))}", hint=OF_RULES)

    excluding = requiring = including

    def __repr__(self) -> str:
        return f"<mode {self.name}>"


OF_RULES = "Mode(optimizer=None) rewrites nothing, and f.explain() says which rules changed a function"


def _meant(what: str, word: Any, table: Mapping[Any, Any]) -> Any:
    """What one of Theano's words stands for; GraphValueError for another."""
    if not (word is None or isinstance(word, str)) or word not in table:
        words = ", ".join(map(repr, table))
        hint = nearest(word, [one for one in table if one]) if isinstance(word, str) else None
        raise GraphValueError(f"the {what} must be one of {words}, got {told(word)}", hint=hint)
    return table[word]


class DebugModeError(TirError):
    """A pass, or the code of the machine, gave other numbers than the program says."""


class DebugMode(Mode):
    """FAST_RUN, in which each call is also run by the interpreter behind each pass; DebugModeError names what differs."""

    name = "DebugMode"

    def compile(self, built: Built, holders: Mapping[str, Holder], timed: bool = False) -> Any:
        if built.externs:  # Python is what it would be compared with
            return super().compile(built, holders, timed)
        module = built.module
        verify(module)
        stages: list[tuple[str, Op]] = []
        copy = module.clone()
        run_pipeline(Pipeline([*without_derivatives(fp_mode="strict")]), copy)
        stages.append(("the program with its derivatives", copy))
        module = module.clone()
        for step in self.pipeline().passes():
            run_pipeline(Pipeline([step]), module)
            verify(module)
            stages.append((f"pass {step.name}", module.clone()))
        return Checked(Executable(module, "cpu", shared=holders), stages)


class Checked:
    """Compares each call of machine code with what the interpreter makes of the module behind each pass."""

    def __init__(self, executable: Executable, stages: Sequence[tuple[str, Op]]) -> None:
        self.executable = executable
        # What comes before derivatives are expanded cannot run; a module that a pass left as it was says nothing new.
        self.stages = [(name, Executable(module, "interpret")) for name, module in stages if not _has_derivatives(module)]

    def call(self, entry: str, arguments: Sequence[Any]) -> list[Any]:
        """The results of the machine code, which agree with those of each stage."""
        with SHARED_LOCK:
            before = dict(self.executable.state)
            results = self.executable.call(entry, arguments)
            after = dict(self.executable.state)
            want = None
            for name, program in self.stages:
                found = self._run(program, entry, arguments, before)
                if want is not None:
                    self._compare(name, entry, want, found)
                want = found
            assert want is not None
            self._compare("machine code", entry, want, [*results, *(after[name] for name in sorted(after))])
        return results

    def _run(self, program: Executable, entry: str, arguments: Sequence[Any], state: Mapping[str, Any]) -> list[Any]:
        """The results and the new state."""
        for name, value in state.items():
            program.state[name] = value
        results = program.call(entry, arguments)
        return [*results, *(program.state[name] for name in sorted(state))]

    def _compare(self, when: str, entry: str, want: Sequence[Any], got: Sequence[Any]) -> None:
        for number, (first, second) in enumerate(zip(want, got)):
            if first.shape == second.shape and first.dtype.kind == "f":
                second = np.where(np.isfinite(first), second, first)  # rules may make finite what was not
            difference = first_difference(first, second, Tolerance.for_sizes([first, second]))
            if difference is not None:
                raise DebugModeError(f"{entry}: {when}, value {number} of results and new state differs: {difference}")


def _up_to_arguments(pipeline: Pipeline) -> list[Pass]:
    """The passes up to the one behind which state is arguments, as functions need it."""
    steps = list(pipeline.passes())
    return steps[: [step.name for step in steps].index("state-to-arguments") + 1]


def _has_derivatives(module: Op) -> bool:
    names = ("tir.grad", "tir.vjp", "tir.jvp", "tir.jacobian")
    return any(op.definition.name in names for op in module.walk())


class NanGuardMode(Mode):
    """FAST_RUN behind the interpreter, which ends a call with NotFiniteError at the first op that makes what is an error.

    Without arguments, as `config.NanGuardMode` has it. The state is unchanged then.
    """

    name = "NanGuardMode"

    def __init__(
        self, nan_is_error: bool | None = None, inf_is_error: bool | None = None, big_is_error: bool | None = None,
        optimizer: Any = "default", linker: Any = "cvm",
    ) -> None:  # fmt: skip
        super().__init__(linker, optimizer)
        self.given = nan_is_error, inf_is_error, big_is_error

    def compile(self, built: Built, holders: Mapping[str, Holder], timed: bool = False) -> Any:
        usual = (getattr(config.NanGuardMode, f"{kind}_is_error") for kind in ("nan", "inf", "big"))
        flags = [flag if flag is not None else default for flag, default in zip(self.given, usual)]
        executable = super().compile(built, holders, timed)
        copy = built.module.clone()
        run_pipeline(to_interpret(copy), copy)
        return Guarded(executable, Executable(copy, "interpret", observer=NanGuard(*flags), externs=built.externs))


class Guarded:
    """Runs each call on the interpreter first, under a guard."""

    def __init__(self, executable: Executable, guard: Executable) -> None:
        self.executable, self.guard = executable, guard

    def call(self, entry: str, arguments: Sequence[Any]) -> list[Any]:
        """The results of the machine code."""
        with SHARED_LOCK:
            for name, value in self.executable.state.items():
                self.guard.state[name] = value
            self.guard.call(entry, arguments)
            return self.executable.call(entry, arguments)


FAST_RUN, FAST_COMPILE = Mode(), Mode(optimizer=None)
MODES: dict[str, Mode] = {mode.name: mode for mode in (FAST_RUN, FAST_COMPILE, DebugMode(), NanGuardMode())}
SYNONYMS = {"Mode": "FAST_RUN", "DEBUG_MODE": "DebugMode"}


def mode_of(given: Any) -> Mode:
    """The mode for a name, for None (as configured), or for a mode."""
    if isinstance(given, Mode):
        return given
    name = config.mode if given is None else given
    if not isinstance(name, str):
        raise GraphTypeError(f"the mode must be a name or a Mode, got {given!r}")
    name = SYNONYMS.get(name, name)
    if name not in MODES:
        raise GraphValueError(f"there is no mode {name!r}", hint=nearest(name, MODES))
    return MODES[name]


@located
def get_mode(string: Any) -> Mode:
    """The mode for a name, or for None the one that is configured."""
    return mode_of(string)


def get_default_mode() -> Mode:
    """The mode that is configured."""
    return mode_of(None)
