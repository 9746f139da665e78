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
    from tir import extend, gradient, ifelse, inspect, numpy, printing, random, sandbox, tensor
    from tir.api import Argument, Builder, executable, parse, transform
    from tir.batching import vmap
    from tir.compile import Executable
    from tir.configuration import config
    from tir.dialects.tir.builder import Tensor
    from tir.extend import PassManager, rule
    from tir.gradients import hvp, jvp, stop_gradient, value_and_grad, vjp
    from tir.graph.function import function
    from tir.graph.gradients import grad, hessian, jacobian
    from tir.graph.program import In, Out
    from tir.graph.replacing import clone_replace
    from tir.graph.scan import foldl, foldr, map, reduce, scan
    from tir.graph.shared import shared
    from tir.graph.user_ops import Apply, Op, OpFromGraph, as_op
    from tir.ir.errors import TirError
    from tir.ir.printer import print_op
    from tir.ir.types import F32, F64, I1, I32, I64
    from tir.tracing import jit

__all__ = [
    "Apply", "Argument", "Builder", "Executable", "F32", "F64", "I1", "I32", "I64", "In", "Op", "OpFromGraph", "Out",
    "PassManager", "Tensor", "TirError", "__version__", "as_op", "clone_replace", "config", "executable", "extend", "foldl",
    "foldr", "function", "grad", "gradient", "hessian", "hvp", "ifelse", "inspect", "jacobian", "jit", "jvp", "map",
    "numpy", "parse", "print_op", "printing", "random", "reduce", "rule", "sandbox", "scan", "shared", "stop_gradient",
    "tensor", "transform", "value_and_grad", "vjp", "vmap",
]  # fmt: skip

__getattr__ = lazy_exports(
    __name__,
    {
        **dict.fromkeys(("Argument", "Builder", "executable", "parse", "transform"), "tir.api"),
        **dict.fromkeys(("hvp", "jvp", "stop_gradient", "value_and_grad", "vjp"), "tir.gradients"),
        **dict.fromkeys(("Lop", "Rop", "grad", "hessian", "jacobian", "subgraph_grad"), "tir.graph.gradients"),
        **dict.fromkeys(("F32", "F64", "I1", "I32", "I64"), "tir.ir.types"),
        **dict.fromkeys(("In", "Out"), "tir.graph.program"),
        **dict.fromkeys(("OrderedUpdates", "foldl", "foldr", "map", "reduce", "scan"), "tir.graph.scan"),
        **dict.fromkeys(("Constant", "Variable"), "tir.graph.variable"),
        **dict.fromkeys(("Apply", "Op", "OpFromGraph", "as_op"), "tir.graph.user_ops"),
        **dict.fromkeys(("PassManager", "rule"), "tir.extend"),
        # Modules of the package.
        **{
            name: f"tir.{name}"
            for name in (
                "compile", "extend", "gof", "gradient", "ifelse", "inspect", "numpy", "printing", "random", "sandbox",
                "scalar", "scan_module", "tensor", "updates",
            )
        },
        "Executable": "tir.compile.executable",
        "Mode": "tir.graph.modes",
        "Tensor": "tir.dialects.tir.builder",
        "TirError": "tir.ir.errors",
        "clone": "tir.graph.replacing",
        "clone_replace": "tir.graph.replacing",
        "config": "tir.configuration",
        "dot": "tir.graph.products",
        "function": "tir.graph.function",
        "jit": "tir.tracing",
        "pp": "tir.printing",
        "print_op": "tir.ir.printer",
        "SharedVariable": "tir.graph.shared",
        "shared": "tir.graph.shared",
        "vmap": "tir.batching",
    },
    hints="tir.api",
)


def __dir__() -> list[str]:
    return sorted(__all__)
