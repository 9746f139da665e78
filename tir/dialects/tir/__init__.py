"""The tensor dialect `tir`: what a program says before it is lowered. One class an op, in families (`base.py`)."""

from tir.dialects.tir import (
    activations,
    arithmetic,
    arrange,
    class_losses,
    composite,
    control,
    conv,
    create,
    distributions,
    effects,
    functions,
    gather,
    jacobian,
    linalg,
    logic,
    losses,
    markers,
    moving,
    norms,
    pooling,
    random,
    reduce,
    rejection,
    scan,
    scatter,
    shape,
    solve,
    sorting,
    special,
    state,
    statistics,
    triangular,
    window,
)
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.ir.registry import Dialect

__all__ = ["DIALECT", "Tensor", "TensorBuilder"]

FAMILIES = (
    create, arithmetic, functions, special, activations, logic, shape, arrange, moving, gather, scatter, reduce, scan,
    sorting, linalg, triangular, solve, window, pooling, conv, composite, statistics, norms, losses, class_losses,
    random, distributions, rejection, control, effects, state, jacobian, markers,
)  # fmt: skip

DIALECT = Dialect(
    "tir",
    "Tensors as immutable values: arithmetic, shapes, reductions, products, randomness, state and gradients.",
    tuple(op for family in FAMILIES for op in family.OPS),
)
