"""The graph of a compiled function, as Theano programs look at it: `f.maker.fgraph.toposort()`."""

from __future__ import annotations

from typing import Any

from tir.dialects.func import Func, Return
from tir.dialects.tir.build.core import Tensor
from tir.graph.graph import GRAPH
from tir.graph.variable import Apply
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline

__all__ = ["FunctionGraph"]


class FunctionGraph:
    """The tensor level of a function behind all rewrites, with derivatives expanded."""

    def __init__(self, module: Op, mode: Any) -> None:
        self.module = module.clone()
        names = [step.name for step in mode.pipeline().passes()]
        steps = list(mode.pipeline().passes())[: names.index("state-to-arguments")]
        run_pipeline(Pipeline([*steps]), self.module)
        self.function = next(op for op in self.module.body if isinstance(op, Func) and not op.is_private)

    def toposort(self) -> list[Apply]:
        """What is computed, each behind what it needs."""
        return [Apply(op) for op in self.function.entry if not isinstance(op, Return)]

    @property
    def apply_nodes(self) -> set[Apply]:
        return set(self.toposort())

    @property
    def inputs(self) -> list[Tensor]:
        return [GRAPH.tensor(value) for value in self.function.arguments]

    @property
    def outputs(self) -> list[Tensor]:
        last = self.function.entry.last
        assert last is not None
        return [GRAPH.tensor(value) for value in last.operands]

    @property
    def variables(self) -> list[Tensor]:
        """The inputs and all that is computed."""
        return [*self.inputs, *(x for node in self.toposort() for x in node.outputs)]

    def __repr__(self) -> str:
        return f"<graph of {self.function.sym_name}>"
