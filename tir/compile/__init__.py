"""Programs that can be called, `executable.py`; the other modules say where Theano's `compile` has which name.

    from tir.compile.nanguardmode import NanGuardMode
    from tir.compile.ops import as_op
"""

from tir.compile.executable import TARGETS, Entry, Executable, Parameter, Result
from tir.lazy import lazy_exports

TYPE_CHECKING = False  # see tir/lazy.py
if TYPE_CHECKING:
    from tir.compile import builders, debugmode, function_module, io, mode, monitormode, nanguardmode, ops, sharedvalue
    from tir.graph.errors import UnusedInputError
    from tir.graph.function import Function, function
    from tir.graph.modes import FAST_COMPILE, FAST_RUN, DebugMode, Mode, NanGuardMode, get_default_mode, get_mode
    from tir.graph.monitoring import MonitorMode
    from tir.graph.program import In, Out
    from tir.graph.shared import SharedVariable, shared
    from tir.graph.user_ops import OpFromGraph, as_op

__all__ = [
    "TARGETS", "DebugMode", "Entry", "Executable", "FAST_COMPILE", "FAST_RUN", "Function", "In", "Mode", "MonitorMode",
    "NanGuardMode", "OpFromGraph", "Out", "Parameter", "Result", "SharedVariable", "UnusedInputError", "as_op", "builders",
    "debugmode", "function", "function_module", "get_default_mode", "get_mode", "io", "mode", "monitormode",
    "nanguardmode", "ops", "shared", "sharedvalue",
]  # fmt: skip

__getattr__ = lazy_exports(
    __name__,
    {
        **dict.fromkeys(("DebugMode", "FAST_COMPILE", "FAST_RUN", "Mode", "NanGuardMode"), "tir.graph.modes"),
        **dict.fromkeys(("get_default_mode", "get_mode"), "tir.graph.modes"),
        **dict.fromkeys(("Function", "function"), "tir.graph.function"),
        **dict.fromkeys(("In", "Out"), "tir.graph.program"),
        **dict.fromkeys(("SharedVariable", "shared"), "tir.graph.shared"),
        **dict.fromkeys(("OpFromGraph", "as_op"), "tir.graph.user_ops"),
        **{
            name: f"tir.compile.{name}"
            for name in (
                "builders", "debugmode", "function_module", "io", "mode", "monitormode", "nanguardmode", "ops",
                "sharedvalue",
            )
        },
        "MonitorMode": "tir.graph.monitoring",
        "UnusedInputError": "tir.graph.errors",
    },
    hints="tir.tensor.missing",
)


def __dir__() -> list[str]:
    return sorted(__all__)
