"""tir: write, read, rewrite, check and run tensor programs as text.

    module = tir.parse(text)                     # or tir.Builder() to make one in Python
    tir.transform(module, "fuse,lower-cpu")      # passes as tir-opt has them
    program = tir.executable(module)             # machine code; target="interpret" for numpy
    program.call("train", {"x": x, "y": y})

Each name is imported at its first use, and so are numpy, llvmlite and lark: a tool pays only for what it needs.
"""

from tir.lazy import lazy_exports
from tir.version import __version__

TYPE_CHECKING = False  # see tir/lazy.py
if TYPE_CHECKING:
    from tir import inspect, numpy, printing, random
    from tir.api import Argument, Builder, executable, parse, transform
    from tir.batching import vmap
    from tir.compile import Executable
    from tir.dialects.tir.builder import Tensor
    from tir.gradients import grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp
    from tir.ir.errors import TirError
    from tir.ir.printer import print_op
    from tir.ir.types import F32, F64, I1, I32, I64
    from tir.tracing import jit

__all__ = [
    "Argument", "Builder", "Executable", "F32", "F64", "I1", "I32", "I64", "Tensor", "TirError", "__version__",
    "executable", "grad", "hessian", "hvp", "inspect", "jacobian", "jit", "jvp", "numpy", "parse", "print_op", "printing",
    "random", "stop_gradient", "transform", "value_and_grad", "vjp", "vmap",
]  # fmt: skip

__getattr__ = lazy_exports(
    __name__,
    {
        **dict.fromkeys(("Argument", "Builder", "executable", "parse", "transform"), "tir.api"),
        **dict.fromkeys(
            ("grad", "hessian", "hvp", "jacobian", "jvp", "stop_gradient", "value_and_grad", "vjp"), "tir.gradients"
        ),
        **dict.fromkeys(("F32", "F64", "I1", "I32", "I64"), "tir.ir.types"),
        "Executable": "tir.compile",
        **dict.fromkeys(("config",), "tir.configuration"),
        **dict.fromkeys(("clone_replace",), "tir.graph.replacing"),
        **dict.fromkeys(("In", "Out"), "tir.graph.program"),
        **dict.fromkeys(("foldl", "foldr", "map", "reduce", "scan"), "tir.graph.scan"),
        **{name: f"tir.{name}" for name in ("ifelse", "sandbox", "tensor")},
        **dict.fromkeys(("Apply", "Op", "OpFromGraph", "as_op"), "tir.graph.user_ops"),
        "function": "tir.graph.function",
        "shared": "tir.graph.shared",
        "Tensor": "tir.dialects.tir.builder",
        "TirError": "tir.ir.errors",
        "inspect": "tir.inspect",
        "jit": "tir.tracing",
        "vmap": "tir.batching",
        "numpy": "tir.numpy",
        "random": "tir.random",
        "print_op": "tir.ir.printer",
        "printing": "tir.printing",
    },
    hints="tir.api",
)


def __dir__() -> list[str]:
    return sorted(__all__)
