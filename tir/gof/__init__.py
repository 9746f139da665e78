"""Theano's place of graphs: `tir.gof.Op`, `tir.gof.Apply`, `tir.gof.graph.inputs`."""

from tir.lazy import lazy_exports

TYPE_CHECKING = False  # see tir/lazy.py
if TYPE_CHECKING:
    from tir.gof import graph
    from tir.graph.optimized import FunctionGraph
    from tir.graph.user_ops import Apply, Op
    from tir.graph.variable import Constant, Variable

__all__ = ["Apply", "Constant", "FunctionGraph", "Op", "Variable", "graph"]

__getattr__ = lazy_exports(
    __name__,
    {
        **dict.fromkeys(("Apply", "Op"), "tir.graph.user_ops"),
        **dict.fromkeys(("Constant", "Variable"), "tir.graph.variable"),
        "FunctionGraph": "tir.graph.optimized",
        "graph": "tir.gof.graph",
    },
    hints="tir.tensor.missing",
)


def __dir__() -> list[str]:
    return sorted(__all__)
