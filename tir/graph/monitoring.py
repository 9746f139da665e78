"""MonitorMode: functions of the user see each op of a call, as in Theano.

    def show(i, node, fn):
        print(i, node, [x[0] for x in fn.inputs], [x[0] for x in fn.outputs])

    f = tir.function([x], y, mode=tir.compile.MonitorMode(post_func=show))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from tir.dialects.tir.build.core import told
from tir.graph.building import Built
from tir.graph.errors import GraphTypeError
from tir.graph.graph import located
from tir.graph.modes import Mode
from tir.graph.variable import Apply
from tir.ir.ir import Op
from tir.ir.observing import Observer
from tir.ir.traits import ConstantLike
from tir.lazy import np
from tir.state import Holder

__all__ = ["MonitorMode"]

Watcher = Callable[[int, Apply, Any], Any]


class MonitorMode(Mode):
    """Runs functions on numpy, and calls `pre_func(i, node, fn)` before each op and `post_func(i, node, fn)` behind it.

    i: the place of the op in the program; an op in a loop is seen each time. node: the op with its variables. fn.inputs,
    fn.outputs: an array for each, as `[array]`; before the op has run an output is `[None]`. They are copies.
    """

    name = "MonitorMode"

    @located
    def __init__(
        self, pre_func: Watcher | None = None, post_func: Watcher | None = None, optimizer: Any = "default",
        linker: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(linker, optimizer)
        for name, given in (("pre_func", pre_func), ("post_func", post_func)):
            if given is not None and not callable(given):
                raise GraphTypeError(f"{name} must be a function, got {told(given)}")
        self.pre_func, self.post_func = pre_func, post_func
        self.target = "interpret"

    def compile(self, built: Built, holders: Mapping[str, Holder], timed: bool = False) -> Any:
        return self.interpreted_or_compiled(built, holders, timed, "interpret", _Monitor(self.pre_func, self.post_func))


class _Monitor(Observer):
    """Hands the ops of a run on to the functions of the user."""

    def __init__(self, before: Watcher | None, behind: Watcher | None) -> None:
        self.before, self.behind = before, behind
        self.places: dict[Op, int] = {}
        self.taken: dict[Op, list[list[Any]]] = {}

    def started(self, function: Op, arguments: Sequence[Any]) -> None:
        module = function.parent_op
        assert module is not None
        self.places = {op: i for i, op in enumerate(op for op in module.walk() if op.results)}

    def starts(self, op: Op, operands: Sequence[Any]) -> None:
        if not op.results or isinstance(op, ConstantLike):
            return
        self.taken[op] = [[np.array(x)] for x in operands]  # the op may change them
        if self.before is not None:
            fn = SimpleNamespace(inputs=self.taken[op], outputs=[[None] for _ in op.results])
            self.before(self.places[op], Apply(op), fn)

    def ran(self, op: Op, operands: Sequence[Any], results: Sequence[Any], seconds: float) -> None:
        inputs = self.taken.pop(op, None)
        if inputs is not None and self.behind is not None:
            fn = SimpleNamespace(inputs=inputs, outputs=[[np.array(x)] for x in results])
            self.behind(self.places[op], Apply(op), fn)
