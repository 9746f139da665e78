"""The ops that `random_programs.py` writes itself: each maker adds one of a kind, if the values that are there allow it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.random_program_text import FLOATS, FUNCTIONS, INTEGERS, Dim, Value, meet, static, tensor_type

if TYPE_CHECKING:
    from tests.random_programs import Writer

__all__ = ["MAKERS", "WIDE"]

MAX_ELEMENTS = 700  # of one value


def _is_float(value: Value) -> bool:
    return value.is_float


def _is_number(value: Value) -> bool:
    return value.element != "i1"


def _any(value: Value) -> bool:
    return True


def met(*values: Value) -> tuple[Dim, ...]:
    """The sizes of an elementwise result."""
    dims = values[0].dims
    for value in values[1:]:
        dims = tuple(m for a, b in zip(dims, value.dims) if (m := meet(a, b)) is not None)
    return dims


EXACT_UNARY = ("neg", "abs", "square", "sqrt", "relu")
INEXACT_UNARY = ("exp", "log", "log1p", "tanh", "sigmoid")


def unary(w: Writer) -> None:
    x = w.pick(_is_number)
    if x is None:
        return
    names = (*EXACT_UNARY, *INEXACT_UNARY, *INEXACT_UNARY) if x.is_float else ("neg", "abs", "sign", "square")
    name = w.random.choice((*names, "sign") if x.exact else names)
    w.emit(f"tir.{name} {x.name} : {x.type}", x.element, x.dims, [x], exact=name not in INEXACT_UNARY)


def binary(w: Writer) -> None:
    x = w.pick(_is_number)
    y = w.partner(x, lambda v: v.element == x.element) if x else None
    if x is None or y is None:
        return
    names = ["add", "sub", "mul", "mul", "div", "maximum", "minimum"] + ["pow"] * (x.is_float and y.exact)
    name = w.random.choice(names)
    dims = met(x, y)
    if name == "div" and not (x.exact and y.exact) and w.random.random() < 0.7:
        name = "add"  # few quotients of rounded numbers: small divisors make anything of a rounding
    w.emit(f"tir.{name} {x.name}, {y.name} : {tensor_type(dims, x.element)}", x.element, dims, [x, y], exact=name != "pow")


def function(w: Writer) -> None:
    """A function of a float; of a number that every level knows exactly, one that jumps too."""
    x = w.pick(lambda v: v.is_float)
    if x is None:
        return
    steps = ("floor", "ceil", "trunc", "round", "reciprocal", "is_nan", "is_inf", "is_finite") if x.exact else ()
    name = w.random.choice([*FUNCTIONS, *steps])
    element = "i1" if name.startswith("is_") else x.element
    w.emit(f"tir.{name} {x.name} : {x.type}", element, x.dims, [x], exact=name not in FUNCTIONS)


def quotient(w: Writer) -> None:
    """What jumps with its operands, or takes integers and bits apart; a clamp."""
    x = w.pick(lambda v: _is_number(v) and v.exact)
    y = w.partner(x, lambda v: v.element == x.element and v.exact) if x else None
    z = w.partner(y, lambda v: v.element == x.element and v.can_meet(x)) if y else None
    if x is None or y is None or z is None:
        return
    more = ("copysign", "atan2") if x.is_float else ("pow", "shl", "shr", "xor")
    name = w.random.choice(["floordiv", "rem", "mod", "clamp", *more])
    if name == "copysign" and not y.name.startswith("%a"):
        name = "atan2"  # a nan that was computed may have either sign
    operands = [x, y, z] if name == "clamp" else [x, y]
    dims = met(*operands)
    names = ", ".join(v.name for v in operands)
    w.emit(f"tir.{name} {names} : {tensor_type(dims, x.element)}", x.element, dims, operands, exact=name != "atan2")


def bits(w: Writer) -> None:
    x = w.pick(lambda v: not v.is_float)
    y = w.partner(x, lambda v: v.element == x.element) if x else None
    if x is None or y is None:
        return
    name, dims = w.random.choice(["and", "or", "not"]), met(x, y)
    if name == "not":
        w.emit(f"tir.not {x.name} : {x.type}", x.element, x.dims, [x])
    else:
        w.emit(f"tir.{name} {x.name}, {y.name} : {tensor_type(dims, x.element)}", x.element, dims, [x, y])


def compare(w: Writer) -> None:
    x = w.pick(lambda v: v.exact)
    y = w.partner(x, lambda v: v.element == x.element and v.exact) if x else None
    if x is None or y is None:
        return
    predicate, dims = w.random.choice(["eq", "ne", "lt", "le", "gt", "ge"]), met(x, y)
    # The text has the type of lhs; an unknown size of rhs is checked at run time.
    w.emit(f"tir.cmp {predicate} {x.name}, {y.name} : {x.type}", "i1", dims, [x, y])


def select(w: Writer) -> None:
    condition = w.pick(lambda v: v.element == "i1")
    x = w.partner(condition, _any) if condition else None
    y = w.partner(x, lambda v: v.element == x.element and v.can_meet(condition)) if x else None
    if condition is None or x is None or y is None:
        return
    dims = met(condition, x, y)
    text = f"tir.select {condition.name}, {x.name}, {y.name} : {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [condition, x, y])


def cast(w: Writer) -> None:
    x = w.pick(_any)
    target = w.random.choice(w.elements[1 + (not w.guests) :])
    if x is None or target == x.element or (not x.exact and target not in FLOATS):
        return
    w.emit(f"tir.cast {x.name} : {x.type} -> {tensor_type(x.dims, target)}", target, x.dims, [x])


def broadcast(w: Writer) -> None:
    x = w.pick(lambda v: len(v.dims) < 3)
    if x is None:
        return
    rank = w.random.choice(range(max(len(x.dims), 1), 4))
    along = sorted(w.random.sample(range(rank), len(x.dims)))
    dims = [w.random.choice(w.dims) for _ in range(rank)]
    for dim, axis in zip(x.dims, along):
        stretch = dim == static(1) and w.random.random() < 0.6
        dims[axis] = dims[axis] if stretch else dim
    if math.prod(d.size for d in dims) > MAX_ELEMENTS or (sizes := w.sizes(dims)) is None:
        return
    text = f"tir.broadcast {x.name} along {along}{sizes} : {x.type} -> {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [x])


def transpose(w: Writer) -> None:
    x = w.pick(lambda v: len(v.dims) >= 2)
    if x is None:
        return
    order = w.random.sample(range(len(x.dims)), len(x.dims))
    dims = [x.dims[axis] for axis in order]
    w.emit(f"tir.transpose {x.name} by {order} : {tensor_type(dims, x.element)}", x.element, dims, [x])


def reshape(w: Writer) -> None:
    x = w.pick(_any)
    if x is None:
        return
    total = math.prod(x.shape)
    named = [dim for dim in x.dims if dim.text.startswith("[")]
    rest = [dim for dim in x.dims if not dim.text.startswith("[")]
    count = math.prod(dim.size for dim in rest)
    unknown = any(not dim.is_static for dim in rest) or len(named) > 1
    if named and not unknown and count > 0:  # the named size stays, the others are regrouped
        dims = [static(size) for size in _factors(w.random, count)]
        dims.insert(w.random.randint(0, len(dims)), named[0])
    elif not named and not unknown:
        dims = [static(size) for size in _factors(w.random, total)]
    elif named or any(dim.text == "?" for dim in rest):
        dims = list(w.random.sample(x.dims, len(x.dims)))  # the same sizes in another order
    else:
        return
    if (sizes := w.sizes(dims)) is not None:
        w.emit(f"tir.reshape {x.name}{sizes} : {x.type} -> {tensor_type(dims, x.element)}", x.element, dims, [x])


def _factors(r: random.Random, count: int) -> list[int]:
    """Sizes with this product."""
    if count == 0:
        return r.choice([[0], [0, 2], [3, 0]])
    found = []
    while count > 1 and len(found) < 3:
        factor = r.choice([f for f in range(1, count + 1) if count % f == 0])
        found.append(factor)
        count //= factor
    return [*found, count] if count > 1 or r.random() < 0.2 else found


def cut(w: Writer) -> None:
    """A slice."""
    x = w.pick(lambda v: len(v.dims) > 0)
    if x is None:
        return
    starts, limits, strides, dims = [], [], [], []
    for dim in x.dims:
        start, limit, stride, made = _range_of(w.random, dim)
        starts.append(start)
        limits.append(limit)
        strides.append(stride)
        dims.append(made)
    text = f"tir.slice {x.name} from {starts} to {limits} step {strides} : {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [x])


def _range_of(r: random.Random, dim: Dim) -> tuple[int, int, int, Dim]:
    """start, limit and stride on an axis of this size, and the size that is left."""
    if dim.size == 0 or r.random() < 0.3:
        return 0, 0, 1, dim
    start = r.randint(0, dim.size - 1)
    stop = r.randint(start + 1, dim.size)
    stride = r.choice([1, 1, 2, 3])
    size = -(-(stop - start) // stride)
    from_end = r.random() < 0.5
    limit = stop - dim.size if from_end else stop
    if dim.is_static or not from_end:
        return start, limit, stride, static(size)
    if dim.text == "?":
        return start, limit, stride, Dim("?", size)
    if dim.text != "[N]":
        return 0, 0, 1, dim
    change = limit - start
    if stride > 1 and change:
        return start, stop, stride, static(size)
    inner = f"N {'-' if change < 0 else '+'} {abs(change)}" if change else "N" if stride == 1 else f"N ceildiv {stride}"
    return start, limit, stride, Dim(f"[{inner}]", size)


def pad(w: Writer) -> None:
    x = w.pick(lambda v: len(v.dims) > 0 and all(dim.is_static and dim.size > 0 for dim in v.dims))
    if x is None:
        return
    lows = [w.random.randint(0, 2) for _ in x.dims]
    highs = [w.random.randint(0, 2) for _ in x.dims]
    strides = [w.random.choice([1, 1, 2]) for _ in x.dims]
    dims = [static(low + (d.size - 1) * s + 1 + high) for d, low, high, s in zip(x.dims, lows, highs, strides)]
    if math.prod(d.size for d in dims) > MAX_ELEMENTS:
        return
    value = {"i1": "true"}.get(x.element) or (f"1.5 : {x.element}" if x.is_float else f"7 : {x.element}")
    limits = [-high for high in highs]
    text = f"tir.pad {x.name} with {value} from {lows} to {limits} step {strides}"
    w.emit(f"{text} : {x.type} -> {tensor_type(dims, x.element)}", x.element, dims, [x])


def reduction(w: Writer) -> None:
    x = w.pick(_any)
    if x is None:
        return
    rank = len(x.dims)
    axes = sorted(w.random.sample(range(rank), w.random.randint(0 if w.random.random() < 0.1 else min(1, rank), rank)))
    names = ["all", "any"] if x.element == "i1" else ["sum", "sum", "max", "min", "prod"] + ["mean"] * x.is_float
    name = w.random.choice(names)
    dims = [dim for axis, dim in enumerate(x.dims) if axis not in axes]
    exact = not x.is_float or name in ("max", "min")
    w.emit(f"tir.{name} {x.name} over {axes} : {tensor_type(dims, x.element)}", x.element, dims, [x], exact=exact)


def argmax(w: Writer) -> None:
    x = w.pick(lambda v: v.exact and _is_number(v) and len(v.dims) > 0)
    if x is None:
        return
    axis = w.random.randrange(len(x.dims))
    dims = [dim for i, dim in enumerate(x.dims) if i != axis]
    w.emit(f"tir.argmax {x.name} axis {axis} : {tensor_type(dims, 'i64')}", "i64", dims, [x], differentiable=False)


def dot(w: Writer) -> None:
    x = w.pick(lambda v: _is_number(v) and len(v.dims) in (1, 2))
    if x is None:
        return
    ys = [v for v in w.pool if v.element == x.element and len(v.dims) in (1, 2) and meet(v.dims[0], x.dims[-1])]
    if not ys:
        return
    y = w.random.choice(ys)
    dims = [*x.dims[:-1], *y.dims[1:]]
    text = f"tir.dot {x.name}, {y.name} : {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [x, y], exact=not x.is_float)


def ordered(w: Writer) -> None:
    """Sorts and running records, whose elements jump where rounding changes the order."""
    x = w.pick(lambda v: v.exact and _is_number(v) and len(v.dims) > 0)
    if x is None:
        return
    name, axis = w.random.choice(["sort", "argsort", "cummax", "cummin"]), w.random.randrange(len(x.dims))
    word = w.random.choice(["", " reverse" if name.startswith("cum") else " descending"])
    element = "i64" if name == "argsort" else x.element
    text = f"tir.{name} {x.name} axis {axis}{word} : {tensor_type(x.dims, element)}"
    w.emit(text, element, x.dims, [x], differentiable=name != "argsort")


def statistic(w: Writer) -> None:
    x = w.pick(lambda v: v.is_float and len(v.dims) > 0)
    if x is None:
        return
    axes = sorted(w.random.sample(range(len(x.dims)), w.random.randint(1, len(x.dims))))
    name = w.random.choice(["var", "norm", "logsumexp"])
    order = f" {w.random.choice(['l1', 'l2', 'max'])}" if name == "norm" else ""
    dims = [dim for axis, dim in enumerate(x.dims) if axis not in axes]
    text = f"tir.{name} {x.name}{order} over {axes} : {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [x], exact=False)


def softmax(w: Writer) -> None:
    x = w.pick(lambda v: v.is_float and len(v.dims) > 0)
    if x is None:
        return
    axes = sorted(w.random.sample(range(len(x.dims)), w.random.randint(1, len(x.dims))))
    name = w.random.choice(["softmax", "log_softmax"])
    w.emit(f"tir.{name} {x.name} over {axes} : {x.type}", x.element, x.dims, [x], exact=False)


def cross_entropy(w: Writer) -> None:
    x = w.pick(lambda v: v.is_float and len(v.dims) > 0)
    if x is None:
        return
    rows = replace(x, dims=x.dims[:-1])
    labels = [v for v in w.pool if v.element in INTEGERS and v.can_meet(rows)]
    labels += [v for v in w.pool if v.element == x.element and v.can_meet(x) and v is not x]
    if not labels:
        return
    y = w.random.choice(labels)
    dims = [meet(a, b) for a, b in zip(x.dims[:-1], y.dims)]
    text = f"tir.softmax_cross_entropy {x.name}, {y.name} : {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [x, y], exact=False)


def by_index(w: Writer) -> None:
    """take or put at positions of which some are outside."""
    x = w.pick(lambda v: len(v.dims) > 0 and min(v.shape) > 0)
    index = w.pick(lambda v: v.element in INTEGERS and v.exact and len(v.dims) < 2)
    if x is None or index is None:
        return
    axis, mode = w.random.randrange(len(x.dims)), w.random.choice(["clamp", "drop"])
    dims = [*x.dims[:axis], *index.dims, *x.dims[axis + 1 :]]
    if math.prod(d.size for d in dims) > MAX_ELEMENTS:
        return
    words = f"axis {axis} mode {mode}"
    read = w.emit(f"tir.take {x.name} at {index.name} {words} : {tensor_type(dims, x.element)}", x.element, dims, [x, index])
    if w.random.random() < 0.5:
        kind = "set" if x.element == "i1" else w.random.choice(["set", "add", "max", "min"])
        text = f"tir.put {kind} {x.name} at {index.name} with {read.name} {words} : {x.type}"
        w.emit(text, x.element, x.dims, [x, index, read], exact=kind != "add")


def arranged(w: Writer) -> None:
    """concat, repeat or a triangle."""
    x = w.pick(lambda v: len(v.dims) > 0 and v.dims[0].is_static and math.prod(v.shape) * 2 <= MAX_ELEMENTS)
    if x is None:
        return
    dims = [static(2 * x.dims[0].size), *x.dims[1:]]
    kind = w.random.choice(["concat", "repeat", "tril"])
    if kind == "tril" and len(x.dims) > 1:
        w.emit(f"tir.tril {x.name} diagonal {w.random.randint(-1, 2)} : {x.type}", x.element, x.dims, [x])
    elif kind == "concat":
        w.emit(f"tir.concat {x.name}, {x.name} axis 0 : {tensor_type(dims, x.element)}", x.element, dims, [x])
    else:
        w.emit(f"tir.repeat {x.name} times 2 axis 0 : {tensor_type(dims, x.element)}", x.element, dims, [x])


def one_hot(w: Writer) -> None:
    x = w.pick(lambda v: v.element in INTEGERS and len(v.dims) < 3)
    element, depth = w.random.choice(["f32", "f64", "i64", "i1"]), w.random.choice(w.dims)
    if x is None:
        return
    dims = [*x.dims, depth]
    if math.prod(d.size for d in dims) <= MAX_ELEMENTS and (sizes := w.sizes(dims)) is not None:
        w.emit(f"tir.one_hot {x.name}{sizes} : {x.type} -> {tensor_type(dims, element)}", element, dims, [x])


def promise(w: Writer) -> None:
    """A check that holds, of all elements of a value."""
    x = w.pick(lambda v: v.exact and v.element in INTEGERS)
    if x is None:
        return
    axes = list(range(len(x.dims)))
    holds = w.emit(f"tir.cmp le {x.name}, {x.name} : {x.type}", "i1", x.dims, [x])
    all_hold = w.emit(f"tir.all {holds.name} over {axes} : tensor<i1>", "i1", (), [holds])
    w.lines.append(f'tir.assert {all_hold.name}, "{x.name[1:]} is what it is" : {all_hold.type}')


def shown(w: Writer) -> None:
    x = w.pick(lambda v: math.prod(v.shape) <= 4)
    if x is not None:
        w.lines.append(f'tir.print "{x.name[1:]}" {x.name} : {x.type}')


def creation(w: Writer) -> None:
    """iota, full or constant."""
    dims = w.some_shape()
    element = w.random.choice(["f32", "f32", "f64", "i32", "i64", "ui8"])
    kind = w.random.choice(["iota", "full", "constant"])
    if kind == "constant":
        dims = tuple(dim for dim in dims if dim.is_static)
        text = f"tir.constant dense<{_literal(w.random, [d.size for d in dims], element)}> : {tensor_type(dims, element)}"
        w.emit(text, element, dims, [])
    elif (kind == "full" or dims) and (sizes := w.sizes(dims)) is not None:
        number = "0.75" if element in FLOATS else "3"
        axis = w.random.randrange(len(dims)) if dims else 0
        text = f"tir.iota axis {axis}{sizes} :" if kind == "iota" else f"tir.full {number} : {element}{sizes} ->"
        w.emit(f"{text} {tensor_type(dims, element)}", element, dims, [])


def _literal(r: random.Random, shape: Sequence[int], element: str) -> str:
    """Nested lists of numbers, or one number for all."""
    def number() -> str:
        return f"{r.uniform(-2, 2):.3f}" if element in FLOATS else str(r.randint(0, 9))

    if not all(shape):
        return ""
    if not shape or math.prod(shape) > 12 or r.random() < 0.2:
        return number()
    texts = [number() for _ in range(math.prod(shape))]
    for size in reversed(shape):
        texts = [f"[{', '.join(texts[i : i + size])}]" for i in range(0, len(texts), size)]
    return texts[0]


def rng(w: Writer) -> None:
    key = w.pick(lambda v: v.type == "tensor<2xi32>")
    if key is None:
        return
    # Only the first size of a random tensor may be unknown before run time.
    dims = [dim for dim in w.some_shape() if dim.text != "?"]
    dims = [dim for i, dim in enumerate(dims) if i == 0 or dim.is_static]
    name, element = w.random.choice([("rng_uniform", "f32"), ("rng_uniform", "f64"), ("rng_bits", "i32"), ("rng_bits", "ui32")])
    w.emit(f"tir.{name} {key.name} : {tensor_type(dims, element)}", element, dims, [key], differentiable=False)


def distribution(w: Writer) -> None:
    """Numbers of a standard distribution, which are not exact; or other keys."""
    key = w.pick(lambda v: v.type == "tensor<2xi32>")
    if key is None:
        return
    dims = [dim for dim in w.some_shape() if dim.text != "?"]
    name = w.random.choice(["split", "normal", "exponential", "gumbel", "laplace"])
    element = w.random.choice(FLOATS[:2]) if name != "split" else "i32"
    dims += [static(2)] * (name == "split")
    text = f"tir.rng_{name} {key.name} : {tensor_type(dims, element)}"
    w.emit(text, element, dims, [key], differentiable=False, exact=name == "split")


def parameters(w: Writer) -> None:
    """Numbers with parameters that all levels know exactly: what is drawn may jump with them."""
    key = w.pick(lambda v: v.type == "tensor<2xi32>")
    x = w.pick(lambda v: v.exact and _is_number(v)) if key else None
    if key is None or x is None:
        return
    if x.is_float:
        name = w.random.choice(["bernoulli", "gamma", "truncated_normal"])
        if name == "bernoulli":
            text = f"tir.rng_bernoulli {key.name}, {x.name} : {x.type} -> {tensor_type(x.dims, 'i1')}"
            w.emit(text, "i1", x.dims, [key, x], differentiable=False)
            return
        operands = ", ".join([key.name] + [x.name] * (1 + (name == "truncated_normal")))
        text = f"tir.rng_{name} {operands} : {x.type}"
        w.emit(text, x.element, x.dims, [key, x], differentiable=False, exact=False)
        return
    y = w.partner(x, lambda v: v.element == x.element and v.exact)
    if w.random.random() < 0.3:
        dims = [*x.dims, static(2)]
        w.emit(f"tir.rng_fold_in {key.name}, {x.name} : {x.type} -> {tensor_type(dims, 'i32')}", "i32", dims, [key, x])
    elif y is not None:
        dims = met(x, y)
        text = f"tir.rng_randint {key.name}, {x.name}, {y.name} : {tensor_type(dims, x.element)}"
        w.emit(text, x.element, dims, [key, x, y], differentiable=False)


MAKERS: tuple[tuple[Callable[[Writer], None], int], ...] = (
    (unary, 12), (binary, 16), (bits, 2), (compare, 5), (select, 6), (cast, 5), (broadcast, 9), (transpose, 5),
    (reshape, 5), (cut, 5), (pad, 4), (reduction, 10), (argmax, 2), (dot, 7), (softmax, 5), (cross_entropy, 3),
    (one_hot, 3), (by_index, 4), (arranged, 4), (creation, 4), (rng, 4), (ordered, 3), (statistic, 3),
)  # fmt: skip
#: Beside these, in a wide program.
WIDE: tuple[tuple[Callable[[Writer], None], int], ...] = ((function, 12), (quotient, 8), (promise, 2), (shown, 1), (distribution, 2), (parameters, 2))
