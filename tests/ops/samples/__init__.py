"""One row or more for each op of the tensor dialect: text, inputs, and what an independent source says comes out.

Whoever tests a path (text, interpreter, a lowering, a back end) runs it on `SAMPLES`. `SMOOTH` has points at which the
ops are smooth, in f64: there a gradient is a limit of differences. `MORE_SMOOTH` has more of them, so that each op that
has a gradient is there in ten shapes. A new op needs its rows, and points if it has a gradient, in the file of its family.
"""

from tests.ops.samples import (
    activations,
    arithmetic,
    arrange,
    control,
    functions,
    indexing,
    logic,
    losses,
    markers,
    network,
    norms,
    products,
    reduce,
    rng,
    scan,
    shape,
    solve,
    sorting,
    special,
    statistics,
    window,
)
from tests.ops.samples.base import Sample, Smooth

__all__ = ["MORE_SMOOTH", "SAMPLES", "SMOOTH", "Sample", "Smooth"]

FAMILIES = (
    arithmetic, functions, special, activations, logic, shape, arrange, indexing, reduce, statistics, products, solve, scan,
    sorting, window, network, norms, losses, rng, markers, control,
)  # fmt: skip

SAMPLES: list[Sample] = [row for family in FAMILIES for row in family.rows()]
SMOOTH: list[Smooth] = [point for family in FAMILIES for point in family.points()]
MORE_SMOOTH: list[Smooth] = [point for family in FAMILIES for point in family.more_points()]
