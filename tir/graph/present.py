"""What a variable is at present, with the values that shared variables have now."""

from __future__ import annotations

from tir.dialects.tir.build.core import Tensor
from tir.graph.copying import Copier
from tir.graph.graph import GRAPH, makers_of, placeholders_of
from tir.graph.shared import SharedVariable
from tir.graph.variable import placeholder, public
from tir.ir.types import TensorType

__all__ = ["type_at_present"]


def type_at_present(x: Tensor) -> TensorType:
    """The type of x where shared variables have the sizes that they have now."""
    value = GRAPH.tensor(x).value
    variables = [public(one) for one in placeholders_of([value], makers_of([value]))]
    mapping = {
        v.ir: placeholder(v.type.with_shape(v.get_value(borrow=True).shape)).ir
        for v in variables if isinstance(v, SharedVariable)
    }  # fmt: skip
    (found,) = Copier(GRAPH, mapping).copy([value])
    return found.type  # type: ignore[return-value]
