"""What torch says of ops that have a counterpart there: text of the op, inputs, and the same in torch's words.

Cases are in f64, so that nothing but a mistake makes a difference of more than a few roundings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Case", "cases"]


@dataclass(frozen=True)
class Case:
    """`op text` on the inputs, of which those in `wrt` are differentiated by, and `peer` of torch and its tensors.

    types: of the operands and the result at the end of the text, where it is not just that of the result.
    """

    op: str
    text: str
    inputs: tuple[np.ndarray, ...]
    peer: Callable[..., Any]
    wrt: tuple[int, ...] = (0,)
    types: str = "{r}"
    names: str = "%r"

    def __str__(self) -> str:
        return f"{self.op} {self.text}"


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def unit(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).uniform(0.1, 0.9, size=shape)


def cases(t: Any) -> Iterator[Case]:
    """All of them; t: torch."""
    for family in (functions, pairs, reductions, convolutions, pools, norms, losses, products, systems, orders, places):
        yield from family(t)


# --- elementwise -----------------------------------------------------------------------------------------------------


def functions(t: Any) -> Iterator[Case]:
    f, special = t.nn.functional, t.special
    everywhere = {
        "neg": t.neg, "abs": t.abs, "sign": t.sign, "square": t.square, "exp": t.exp, "exp2": t.exp2, "expm1": t.expm1,
        "sin": t.sin, "cos": t.cos, "tan": t.tan, "atan": t.atan, "sinh": t.sinh, "cosh": t.cosh, "tanh": t.tanh,
        "asinh": t.asinh, "erf": t.erf, "erfc": t.erfc, "sigmoid": t.sigmoid, "softplus": f.softplus, "relu": f.relu,
        "leaky_relu": f.leaky_relu, "elu": f.elu, "gelu": f.gelu, "silu": f.silu, "floor": t.floor, "ceil": t.ceil,
        "trunc": t.trunc, "round": t.round, "reciprocal": t.reciprocal,
    }  # fmt: skip
    inside = {
        "log": t.log, "log2": t.log2, "log10": t.log10, "log1p": t.log1p, "sqrt": t.sqrt, "rsqrt": t.rsqrt, "asin": t.asin,
        "acos": t.acos, "atanh": t.atanh, "lgamma": t.lgamma, "erfinv": t.erfinv,
    }  # fmt: skip
    for name, peer in everywhere.items():
        yield Case(f"tir.{name}", "%0", (3 * normal(4, 5),), peer)
    for name, peer in inside.items():
        yield Case(f"tir.{name}", "%0", (unit(4, 5),), peer)
    yield Case("tir.digamma", "%0", (unit(4, 5),), special.digamma)
    for order in range(4):
        yield Case("tir.polygamma", f"%0 order {order}", (unit(4, 5),), lambda x, n=order: special.polygamma(n, x))
    yield Case("tir.acosh", "%0", (1 + unit(4, 5),), t.acosh)
    yield Case("tir.log1mexp", "%0", (-unit(4, 5),), lambda x: t.log(-t.expm1(x)))
    yield Case("tir.cbrt", "%0", (normal(4, 5),), lambda x: t.sign(x) * t.abs(x) ** (1 / 3))
    yield Case("tir.gelu", "%0 approximate tanh", (3 * normal(4, 5),), lambda x: f.gelu(x, approximate="tanh"))


def pairs(t: Any) -> Iterator[Case]:
    both = {"add": t.add, "sub": t.sub, "mul": t.mul, "div": t.div, "maximum": t.maximum, "minimum": t.minimum,
            "atan2": t.atan2, "copysign": t.copysign, "rem": t.fmod, "mod": t.remainder}  # fmt: skip
    for name, peer in both.items():
        wrt = (0,) if name in ("rem", "mod") else (0, 1)  # torch has no gradient of the second operand of some
        yield Case(f"tir.{name}", "%0, %1", (normal(4, 5), normal(4, 5, seed=1)), peer, wrt)
    yield Case("tir.floordiv", "%0, %1", (3 * normal(9), normal(9, seed=1)), t.floor_divide, ())
    yield Case("tir.pow", "%0, %1", (unit(9), normal(9)), t.pow, (0, 1))
    clamped = (normal(9), unit(9) - 1, unit(9))
    yield Case("tir.clamp", "%0, %1, %2", clamped, lambda a, b, c: t.minimum(t.maximum(a, b), c), (0,))


# --- reductions ------------------------------------------------------------------------------------------------------


def reductions(t: Any) -> Iterator[Case]:
    x = normal(3, 4, 5)
    for axes in ([0], [1, 2], [0, 1, 2]):
        yield Case("tir.sum", f"%0 over {axes}", (x,), lambda x, a=axes: t.sum(x, a))
        yield Case("tir.mean", f"%0 over {axes}", (x,), lambda x, a=axes: t.mean(x, a))
        yield Case("tir.max", f"%0 over {axes}", (x,), lambda x, a=axes: t.amax(x, a))
        yield Case("tir.min", f"%0 over {axes}", (x,), lambda x, a=axes: t.amin(x, a))
        yield Case("tir.logsumexp", f"%0 over {axes}", (x,), lambda x, a=axes: t.logsumexp(x, a))
        for ddof in (0, 1):
            yield Case("tir.var", f"%0 over {axes} ddof {ddof}", (x,), lambda x, a=axes, d=ddof: t.var(x, a, correction=d))
            yield Case("tir.std", f"%0 over {axes} ddof {ddof}", (x,), lambda x, a=axes, d=ddof: t.std(x, a, correction=d))
        for order, number in (("l1", 1), ("l2", 2), ("max", np.inf)):
            yield Case("tir.norm", f"%0 {order} over {axes}", (x,),
                       lambda x, a=axes, n=number: t.linalg.vector_norm(x, n, a))  # fmt: skip
    yield Case("tir.prod", "%0 over [1]", (x,), lambda x: t.prod(x, 1))
    yield Case("tir.argmax", "%0 axis 1", (x,), lambda x: t.argmax(x, 1), ())
    yield Case("tir.argmin", "%0 axis 1", (x,), lambda x: t.argmin(x, 1), ())
    for axis in (0, 2):
        yield Case("tir.softmax", f"%0 over [{axis}]", (x,), lambda x, a=axis: t.softmax(x, a))
        yield Case("tir.log_softmax", f"%0 over [{axis}]", (x,), lambda x, a=axis: t.log_softmax(x, a))
        yield Case("tir.cumsum", f"%0 axis {axis}", (x,), lambda x, a=axis: t.cumsum(x, a))
        yield Case("tir.cumsum", f"%0 axis {axis} reverse", (x,), lambda x, a=axis: t.flip(t.cumsum(t.flip(x, [a]), a), [a]))
        yield Case("tir.cumprod", f"%0 axis {axis}", (x,), lambda x, a=axis: t.cumprod(x, a))
        yield Case("tir.cummax", f"%0 axis {axis}", (x,), lambda x, a=axis: t.cummax(x, a).values)
        yield Case("tir.cummin", f"%0 axis {axis}", (x,), lambda x, a=axis: t.cummin(x, a).values)


# --- windows ---------------------------------------------------------------------------------------------------------

#: rank, strides, padding at both ends, dilations of w, groups
CONVOLUTIONS = (
    (1, 1, 0, 1, 1), (1, 2, 1, 1, 2), (1, 3, 2, 2, 1), (2, 1, 1, 1, 1), (2, 2, 0, 2, 1), (2, 1, 2, 1, 2), (3, 1, 1, 1, 1),
    (3, 2, 1, 1, 2),
)  # fmt: skip


def convolutions(t: Any) -> Iterator[Case]:
    f = t.nn.functional
    for rank, stride, pad, dilation, groups in CONVOLUTIONS:
        function = (f.conv1d, f.conv2d, f.conv3d)[rank - 1]
        facts = dict(stride=stride, padding=pad, dilation=dilation, groups=groups)

        def conv(x: Any, w: Any, function: Any = function, facts: Any = facts) -> Any:
            return function(x, w, **facts)

        def flipped(x: Any, w: Any, conv: Any = conv, rank: int = rank) -> Any:
            return conv(x, t.flip(w, list(range(2, 2 + rank))))

        text = f"strides {[stride] * rank} low {[pad] * rank} high {[pad] * rank} w_dilations {[dilation] * rank}"
        text = f"%0, %1 {text} groups {groups}"
        inputs = normal(2, 4, *[7, 6, 5][:rank]), normal(6, 4 // groups, *[3, 2, 2][:rank])
        yield Case("tir.conv", text, inputs, conv, (0, 1))
        yield Case("tir.conv", f"{text} flip", inputs, flipped, (0, 1))
        x, w = (t.tensor(one, requires_grad=True) for one in inputs)
        g = normal(*conv(x, w).shape, seed=2)

        def by_x(w: Any, g: Any, x: Any = x, conv: Any = conv) -> Any:
            return t.autograd.grad((conv(x, w) * g).sum(), x, create_graph=True)[0]

        def by_w(x: Any, g: Any, w: Any = w, conv: Any = conv) -> Any:
            return t.autograd.grad((conv(x, w) * g).sum(), w, create_graph=True)[0]

        yield Case("tir.conv_grad_input", text, (inputs[1], g), by_x, (0, 1), types="{0}, {1} -> {r}")
        yield Case("tir.conv_grad_weight", text, (inputs[0], g), by_w, (0, 1), types="{0}, {1} -> {r}")


def pools(t: Any) -> Iterator[Case]:
    f = t.nn.functional
    for rank, size, stride, pad, ceil in ((1, 3, 2, 1, False), (1, 2, 2, 0, True), (2, 3, 2, 1, True), (2, 2, 1, 0, False),
                                          (3, 2, 2, 1, True)):  # fmt: skip
        x = normal(2, 3, *[8, 7, 5][:rank])
        text = f"%0 window {[size] * rank} strides {[stride] * rank} low {[pad] * rank} high {[pad] * rank}"
        text += " ceil_mode" * ceil
        largest, mean = ((f.max_pool1d, f.avg_pool1d), (f.max_pool2d, f.avg_pool2d), (f.max_pool3d, f.avg_pool3d))[rank - 1]
        yield Case("tir.max_pool", text, (x,), lambda x, p=largest, a=(size, stride, pad), c=ceil: p(x, *a, ceil_mode=c))
        for divisor, padded in (("padded", True), ("valid", False)):
            yield Case(
                "tir.avg_pool", f"{text} divisor {divisor}", (x,),
                lambda x, p=mean, a=(size, stride, pad), c=ceil, n=padded: p(x, *a, ceil_mode=c, count_include_pad=n),
            )  # fmt: skip


# --- normalisations and losses ---------------------------------------------------------------------------------------


def norms(t: Any) -> Iterator[Case]:
    f = t.nn.functional
    x, scale, offset = normal(4, 3, 5), normal(3), normal(3, seed=1)
    text = "axis 1 epsilon 1.0e-3 : f64"
    yield Case(
        "tir.batch_norm", f"%0, %1, %2 {text}", (x, scale, offset),
        lambda x, a, b: f.batch_norm(x, None, None, a, b, True, 0.1, 1e-3), (0, 1, 2),
        types="{r}, tensor<3xf64>, tensor<3xf64>", names="%r, %mean, %variance",
    )  # fmt: skip
    yield Case(
        "tir.batch_norm_inference", f"%0, %1, %2, %3, %4 {text}", (x, scale, offset, normal(3, seed=2), unit(3)),
        lambda x, a, b, m, v: f.batch_norm(x, m, v, a, b, False, 0.1, 1e-3), (0, 1, 2),
    )  # fmt: skip
    text = "over [1, 2] epsilon 1.0e-3 : f64"
    scale, offset = normal(3, 5), normal(3, 5, seed=1)
    yield Case("tir.normalize", f"%0 {text}", (x,), lambda x: f.layer_norm(x, (3, 5), None, None, 1e-3))
    yield Case("tir.layer_norm", f"%0, %1, %2 {text}", (x, scale, offset),
               lambda x, a, b: f.layer_norm(x, (3, 5), a, b, 1e-3), (0, 1, 2))  # fmt: skip
    yield Case("tir.rms_norm", f"%0, %1 {text}", (x, scale), lambda x, a: f.rms_norm(x, (3, 5), a, 1e-3), (0, 1))


def losses(t: Any) -> Iterator[Case]:
    f = t.nn.functional
    x, y, p = normal(4, 5), normal(4, 5, seed=1), unit(4, 5)
    labels = np.array([0, 4, 2, 2])
    share = p / p.sum(1, keepdims=True)
    yield Case("tir.softmax_cross_entropy", "%0, %1", (x, labels), lambda x, y: f.cross_entropy(x, y, reduction="none"))
    yield Case("tir.softmax_cross_entropy", "%0, %1", (x, share), lambda x, y: f.cross_entropy(x, y, reduction="none"))
    yield Case("tir.nll_loss", "%0, %1", (x, labels), lambda x, y: f.nll_loss(x, y, reduction="none"))
    facts: dict[str, Any] = {"ignore_index": 4, "label_smoothing": 0.25, "reduction": "none"}
    weights = unit(5, seed=2)
    yield Case("tir.softmax_cross_entropy", "%0, %1 weights %2 ignore 4 smoothing(0.25 : f64)", (x, labels, weights),
               lambda x, y, w: f.cross_entropy(x, y, w, **facts))  # fmt: skip
    yield Case("tir.softmax_cross_entropy", "%0, %1 weights %2 smoothing(0.25 : f64)", (x, share, weights),
               lambda x, y, w: f.cross_entropy(x, y, w, label_smoothing=0.25, reduction="none"), (0, 1))  # fmt: skip
    yield Case("tir.nll_loss", "%0, %1 weights %2 ignore 4", (x, labels, weights),
               lambda x, y, w: f.nll_loss(x, y, w, ignore_index=4, reduction="none"))  # fmt: skip
    with_logits = f.binary_cross_entropy_with_logits
    yield Case("tir.binary_cross_entropy_with_logits", "%0, %1", (x, p), lambda x, y: with_logits(x, y, reduction="none"))
    yield Case("tir.binary_cross_entropy", "%0, %1", (unit(4, 5, seed=3), p),
               lambda x, y: f.binary_cross_entropy(x, y, reduction="none"))  # fmt: skip
    yield Case("tir.huber", "%0, %1 delta 0.5 : f64", (x, y), lambda x, y: f.huber_loss(x, y, reduction="none", delta=0.5),
               (0, 1))  # fmt: skip
    yield Case("tir.kl_div", "%0, %1", (np.log(share), share[::-1].copy()), lambda x, y: f.kl_div(x, y, reduction="none"))


# --- matrices --------------------------------------------------------------------------------------------------------


def products(t: Any) -> Iterator[Case]:
    yield Case("tir.dot", "%0, %1", (normal(3, 4), normal(4, 5)), t.matmul, (0, 1))
    batched = (normal(2, 3, 4), normal(2, 5, 4))
    yield Case("tir.dot_general", "%0, %1 batch [0] x [0] contract [2] x [2]", batched,
               lambda a, b: t.einsum("bik,bjk->bij", a, b), (0, 1))  # fmt: skip
    specs: Sequence[tuple[str, Sequence[tuple[int, ...]]]] = (
        ("ij,jk->ik", [(2, 3), (3, 4)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("ii->i", [(3, 3)]), ("ij->", [(2, 3)]),
        ("i,j->ij", [(2,), (3,)]), ("ijk,jl,k->il", [(2, 3, 4), (3, 5), (4,)]), ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    )  # fmt: skip
    for spec, shapes in specs:
        inputs = tuple(normal(*shape, seed=i) for i, shape in enumerate(shapes))
        names = ", ".join(f"%{i}" for i in range(len(inputs)))
        wrt = tuple(range(len(inputs)))
        yield Case("tir.einsum", f'"{spec}" {names}', inputs, lambda *xs, s=spec: t.einsum(s, *xs), wrt)


def systems(t: Any) -> Iterator[Case]:
    a, b = normal(2, 4, 4) + 4 * np.eye(4), normal(2, 4, 3)
    solve = t.linalg.solve_triangular
    both = "{0}, {r}"
    yield Case("tir.triangular_solve", "%0, %1", (a, b), lambda a, b: solve(t.tril(a), b, upper=False), (0, 1), both)
    yield Case("tir.triangular_solve", "%0, %1 upper", (a, b), lambda a, b: solve(t.triu(a), b, upper=True), (0, 1), both)
    yield Case("tir.triangular_solve", "%0, %1 transpose", (a, b), lambda a, b: solve(t.tril(a).mT, b, upper=True), (0, 1), both)
    yield Case("tir.triangular_solve", "%0, %1 unit", (a, b),
               lambda a, b: solve(t.tril(a), b, upper=False, unitriangular=True), (0, 1), both)  # fmt: skip
    yield Case("tir.solve", "%0, %1", (a, b), t.linalg.solve, (0, 1), both)
    yield Case("tir.inv", "%0", (a,), t.linalg.inv)
    yield Case("tir.det", "%0", (a,), t.linalg.det, (0,), "{0} -> {r}")
    yield Case("tir.cholesky", "%0", (a @ a.transpose(0, 2, 1),), t.linalg.cholesky, ())
    square = normal(4, 5)
    for k in (-1, 0, 2):
        yield Case("tir.tril", f"%0 diagonal {k}", (square,), lambda x, k=k: t.tril(x, k))
        yield Case("tir.triu", f"%0 diagonal {k}", (square,), lambda x, k=k: t.triu(x, k))
        yield Case("tir.diag", f"%0 diagonal {k}", (normal(3),), lambda x, k=k: t.diag_embed(x, k))
        yield Case("tir.diag_part", f"%0 diagonal {k}", (square,), lambda x, k=k: t.diagonal(x, k))


# --- order and places ------------------------------------------------------------------------------------------------


def orders(t: Any) -> Iterator[Case]:
    x = normal(4, 5)
    for axis, descending in ((0, False), (1, True)):
        text = f"%0 axis {axis}{' descending' * descending}"
        yield Case("tir.sort", text, (x,), lambda x, a=axis, d=descending: t.sort(x, dim=a, descending=d, stable=True).values)
        yield Case("tir.argsort", text, (x,), lambda x, a=axis, d=descending: t.sort(x, dim=a, descending=d, stable=True).indices, ())
    yield Case("tir.top_k", "%0 axis 1 k 2", (x,), lambda x: t.topk(x, 2, 1).values, (0,), "{r}, tensor<4x2xi64>", "%r, %at")
    yield Case("tir.top_k", "%0 axis 0 k 3 smallest", (x,), lambda x: t.topk(x, 3, 0, False).values, (0,),
               "{r}, tensor<3x5xi64>", "%r, %at")  # fmt: skip
    yield Case("tir.reverse", "%0 over [0, 1]", (x,), lambda x: t.flip(x, [0, 1]))
    yield Case("tir.repeat", "%0 times 3 axis 1", (x,), lambda x: t.repeat_interleave(x, 3, 1))
    yield Case("tir.tile", "%0 by [2, 3]", (x,), lambda x: t.tile(x, (2, 3)))
    yield Case("tir.concat", "%0, %1 axis 0", (x, normal(2, 5)), lambda x, y: t.cat([x, y], 0), (0, 1))


def places(t: Any) -> Iterator[Case]:
    x, at = normal(4, 5), np.array([3, 0, 3, 1])
    along = np.array([[0, 3, 1, 1, 2], [2, 2, 0, 3, 1]])
    yield Case("tir.take", "%0 at %1 axis 1", (x, at), lambda x, i: t.index_select(x, 1, i))
    yield Case("tir.take_along_axis", "%0 at %1 axis 0", (x, along), lambda x, i: t.take_along_dim(x, i, 0))
    yield Case("tir.index_nd", "%0 at %1, %2", (x, at, at[::-1].copy()), lambda x, i, j: x[i, j])
    yield Case("tir.put", "add %0 at %1 with %2 axis 0", (x, at, normal(4, 5, seed=1)),
               lambda x, i, u: t.index_add(x, 0, i, u), (0, 2))  # fmt: skip
    reduces = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}
    for kind, reduce in reduces.items():
        yield Case("tir.put_along_axis", f"{kind} %0 at %1 with %2 axis 0", (x, along, normal(2, 5, seed=1)),
                   lambda x, i, u, r=reduce: t.scatter_reduce(x, 0, i, u, r), (0, 2))  # fmt: skip
    yield Case("tir.put_nd", "add %0 with %3 at %1, %2", (x, at, at[::-1].copy(), normal(4)),
               lambda x, i, j, u: t.index_put(x, (i, j), u, accumulate=True), (0, 3))  # fmt: skip
