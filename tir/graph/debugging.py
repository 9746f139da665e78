"""Variables that say something when they are computed: `printing.Print("cost")(cost)`, `T.opt.Assert("x > 0")(x, x > 0)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.api import caller_location
from tir.dialects.tir.build.core import told
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.effects import Assert as AssertTrue
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH, located
from tir.graph.user_ops import Apply, Op
from tir.ir.errors import nearest
from tir.ir.types import I1

__all__ = ["Assert", "Print", "assert_op"]


def _show(op: Print, array: Any) -> None:
    """Prints the attributes of an array that an op asks for; what can be called is called first."""
    for name in op.attrs:
        if not hasattr(array, name):
            raise GraphValueError(f"{op}: arrays have no attribute {name!r}", hint=nearest(name, dir(array)))
        value = getattr(array, name)
        print(op.message, name, "=", value() if callable(value) else value)


class Print(Op):
    """`Print("hidden")(h)` is h, and prints `hidden __str__ = [..]` each time it is computed, in a loop too.

    attrs: attributes of the array to print, `("__str__", "shape", "min")`; methods are called. global_fn: takes the op
    and the array instead of printing. What it prints is Python's, so a function with it runs on the interpreter; the
    gradient passes through.
    """

    __props__ = ("message", "attrs", "global_fn")

    def __init__(
        self, message: str = "", attrs: Sequence[str] = ("__str__",), global_fn: Callable[[Any, Any], None] = _show
    ) -> None:
        self.message, self.global_fn = message, global_fn
        self.attrs = (attrs,) if isinstance(attrs, str) else tuple(attrs)

    def make_node(self, *inputs: Any) -> Apply:
        if len(inputs) != 1:
            raise GraphTypeError(f"Print: takes 1 variable, got {len(inputs)}")
        x = GRAPH.tensor(inputs[0])
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
        self.global_fn(self, inputs[0])
        output_storage[0][0] = inputs[0]

    def grad(self, inputs: Sequence[Any], output_gradients: Sequence[Any]) -> Sequence[Any]:
        return output_gradients

    def R_op(self, inputs: Sequence[Any], eval_points: Sequence[Any]) -> Sequence[Any]:
        return eval_points

    def __str__(self) -> str:
        return f"Print{{{self.message}}}"


class Assert(Op):
    """`Assert("x must be positive")(x, T.gt(x, 0))` is x; a call that finds a condition false ends with the message.

    A condition with several elements must be true in all of them. Nothing that the call updates is changed when it fails.
    Compiled like any op. The conditions are checked by a function with the variable in its graph, for both branches of an
    `ifelse`.
    """

    def __init__(self, msg: str = "a condition of Assert is false") -> None:
        if not isinstance(msg, str):
            raise GraphTypeError(f"Assert: the message must be a string, got {told(msg)}", caller_location())
        self.msg = msg

    def make_node(self, *inputs: Any) -> Apply:
        if not inputs:
            raise GraphTypeError("Assert: takes a variable and conditions, got nothing")
        x, *conditions = [GRAPH.tensor(x) for x in inputs]
        return Apply(
            self, [x, *[GRAPH.all(c if c.type.element is I1 else GRAPH.cmp("ne", c, 0)) for c in conditions]], [x.type()]
        )

    def __str__(self) -> str:
        return f"Assert{{msg={self.msg!r}}}"

    def element(self, s: Any, x: Any, *conditions: Any) -> Any:
        """The value itself."""
        return x

    def effects(self, b: TensorBuilder, x: Any, *conditions: Any) -> None:
        """What the op does in the function that it is in the IR."""
        for condition in conditions:
            b.op(AssertTrue, condition.value, result_types=[], msg=self.msg)


@located
def assert_op(value: Any, *conditions: Any) -> Any:
    """`Assert()(value, *conditions)`: value, if the conditions are true when it is computed."""
    return Assert()(value, *conditions)
