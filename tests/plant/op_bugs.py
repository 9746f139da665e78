"""The bugs that `plant.py` plants in ops of the tensor dialect: what they compute, their gradients, their messages."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["OP_BUGS"]

OPS = ("tests/ops/test_ops.py", "-k")
GRADIENTS = ("tests/passes/test_autodiff.py", "-k")

OP_BUGS = (
    Bug(
        "gather that reads at the edge where it must give 0",
        "tir/dialects/tir/gather.py",
        "return found if inside is None else np.where(inside, found, x.dtype.type(0))",
        "return found",
        (*OPS, "gather or take"),
    ),
    Bug(
        "gradient of a product that is scattered, without what is special at 0",
        "tir/dialects/tir/scatter.py",
        "b.select(u_is_zero, at_zero, elsewhere)",
        "elsewhere",
        ("tests/ops/test_edge_gradients.py",),
    ),
    Bug(
        "backward sums that run forward",
        "tir/dialects/tir/scan.py",
        "(np.flip(x, self.axis) if self.reverse else x for x in wide)",
        "(np.array(x) for x in wide)",
        (*OPS, "cumsum or cumprod"),
    ),
    Bug(
        "gradient of a recurrence in its own direction",
        "tir/dialects/tir/scan.py",
        'back = {"exclusive": True, "reverse": not op.reverse}',
        'back = {"exclusive": True, "reverse": bool(op.reverse)}',
        ("tests/ops/test_edge_gradients.py",),
    ),
    Bug(
        "ignored labels that cost",
        "tir/dialects/tir/class_losses.py",
        "return b.select(b.repeat_along(ignored, gone, x), 0, x)",
        "return x",
        ("tests/ops/test_edge_gradients.py",),
    ),
    Bug(
        "reflection of polygamma with the sign of even orders",
        "tir/dialects/math_special.py",
        "s.sub(cotangent, total)",
        "s.add(cotangent, total)",
        ("tests/math/test_special.py", "-k", "polygamma"),
    ),
    Bug(
        "gradient of sums in their own direction",
        "tir/dialects/tir/scan.py",
        "return [b.cumsum(g, self.axis, exclusive=bool(self.exclusive), reverse=not self.reverse)]",
        "return [b.cumsum(g, self.axis, exclusive=bool(self.exclusive), reverse=bool(self.reverse))]",
        (*GRADIENTS, "cumsum"),
    ),
    Bug(
        "places in descending order counted from the wrong end",
        "tir/dialects/tir/sorting.py",
        "return np.flip(x.shape[self.axis] - 1 - turned, self.axis)",
        "return np.flip(turned, self.axis)",
        (*OPS, "sort or top_k"),
    ),
    Bug(
        "an answer of LAPACK that stands on a pivot of roundings",
        "tir/dialects/tir/lapack_answers.py",
        'p.cmp("gt", p.abs(p.load(matrix, [i, i])), least), start)',
        'p.cmp("ne", p.load(matrix, [i, i]), 0), start)',
        ("tests/passes/test_library_programs.py", "-k", "every_input and inv"),
    ),
    Bug(
        "an answer of LAPACK without the exchanges of rows",
        "tir/dialects/tir/solve.py",
        "p.loop(0, n, exchange, changes=[right])",
        "p.loop(0, 0, exchange, changes=[right])",
        ("tests/passes/test_library_programs.py", "-k", "numpy and solve"),
    ),
    Bug(
        "gradient of a triangular solve with the matrix as it was",
        "tir/dialects/tir/triangular.py",
        '"transpose": not self.transpose, "unit"',
        '"transpose": bool(self.transpose), "unit"',
        (*GRADIENTS, "triangular_solve"),
    ),
    Bug(
        "gradient of cholesky that keeps the wrong triangle",
        "tir/dialects/tir/triangular.py",
        'b.select(b.cmp("ge", rows, columns), g, 0)',
        'b.select(b.cmp("le", rows, columns), g, 0)',
        (*GRADIENTS, "cholesky"),
    ),
    Bug(
        "windows without their dilation",
        "tir/dialects/tir/window.py",
        "np.arange(self.size) * self.dilation - self.low",
        "np.arange(self.size) - self.low",
        (*OPS, "windows or pool"),
    ),
    Bug(
        "an empty axis that has places between its elements",
        "tir/dialects/tir/window.py",
        "size.ceildiv(LARGEST_SIZE) * (",
        "affine(1) * (",
        ("tests/ops/test_empty_axes.py",),
    ),
    Bug(
        "ceil mode that takes a window that begins behind the end",
        "tir/dialects/tir/window.py",
        "if self.stride + self.high > self.reach:",
        "if False:",
        (*OPS, "windows or pool"),
    ),
    Bug(
        "layout of a convolution undone in the same direction",
        "tir/dialects/tir/conv.py",
        "return [order.index(axis) for axis in range(len(order))]",
        "return list(order)",
        (*OPS, "conv"),
    ),
    Bug(
        "gradient of max_pool that goes to all ties",
        "tir/dialects/tir/pooling.py",
        'if (self.ties or TIES[0]) == "all":\n            best',
        "if True:\n            best",
        (*OPS, "max_pool"),
    ),
    Bug(
        "epsilon of a normalisation outside of the root",
        "tir/dialects/tir/norms.py",
        "return 1 / b.sqrt(mean_square + epsilon)",
        "return 1 / (b.sqrt(mean_square) + epsilon)",
        (*OPS, "norm"),
    ),
)
