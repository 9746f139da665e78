"""Random tensor-level programs as text, with inputs that suit them.

    program = random_program(seed)
    program.text                # a module with the entry @main, which uses shared variables and gradients now and then
    program.arguments(seed)     # numpy arrays by `tir.name`

The generator has its own idea of every shape and element type, so that it also tests what the ops infer. It knows the
sizes behind `?` and `[N]`: every program runs without a failing check. Values that two correct levels may round
differently (`exact` is false) never reach an op whose result jumps, such as a comparison.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tests.random_program_text import (
    FLOATS,
    FUNCTIONS,
    INTEGERS,
    NAMES,
    Argument,
    Dim,
    Program,
    Value,
    meet,
    static,
    tensor_type,
    tidied,
)

__all__ = ["random_program"]

MAX_ELEMENTS = 700


def random_program(seed: int, size: int = 12, elementwise: bool = False) -> Program:
    """The program of this seed, of about `size` ops; elementwise: many of them the rarer elementwise ones."""
    makers = (*_MAKERS, *_ELEMENTWISE) if elementwise else _MAKERS
    return _Writer(random.Random(seed), makers).program(seed, size)


@dataclass
class _Writer:
    """Writes one program, op by op."""

    random: random.Random
    makers: Sequence[tuple[Callable[[_Writer], None], int]]
    lines: list[str] = field(default_factory=list)
    pool: list[Value] = field(default_factory=list)
    given: list[Argument] = field(default_factory=list)
    shared: list[Value] = field(default_factory=list)
    dims: list[Dim] = field(default_factory=list)
    count: int = 0

    def program(self, seed: int, size: int) -> Program:
        r = self.random
        odd = r.choice([0, 1, 3, 8, 17, 37]) if r.random() < 0.3 else r.choice([3, 4])
        self.dims = [static(r.choice([1, 2, 3, 4, 5, 7, 9])), static(odd)]
        self.dims.append(Dim("[N]", r.choice([1, 2, 3, 5, 6] + [0] * (r.random() < 0.2))))
        self.dims.append(Dim("?", r.choice([1, 2, 4])))
        head = self.open()
        tries = 0
        while len(self.lines) < size and tries < 20 * size:
            tries += 1
            maker = r.choices([m for m, _ in self.makers], [w for _, w in self.makers])[0]
            maker(self)
        if r.random() < 0.4:
            self.gradient()
        self.updates()
        made = [v for v in self.pool if not any(v is a.value for a in self.given)]
        used = set(NAMES.findall(" ".join(line.partition(" = ")[2] or line for line in self.lines)))
        results = [v for v in made if v.name not in used or r.random() < 0.1]
        values = {v.name: v for v in self.pool}
        found = Program(seed, tuple(head), tuple(self.given), tuple(self.lines), tuple(results or made[-1:]), values)
        return tidied(found)

    # --- arguments and state ---------------------------------------------------------------------------------------

    def open(self) -> list[str]:
        """The arguments, the shared variables with their reads, and leaves; the lines in front of @main."""
        r = self.random
        for i in range(r.choice([2, 3, 3, 4])):
            element = r.choice(["f32", "f32", "f32", "f32", "f64", "f16", "i32", "i64", "i8", "ui8", "ui32", "i1"])
            kinds = {"i1": ["bits"], "ui8": ["any", "labels"]}.get(element, ["any", "labels", "small", "small"])
            kind = r.choice(["normal", "normal", "normal", "unit", "hard"] if element in FLOATS else kinds)
            dims = (self.dims[2],) if i == 0 else self.some_shape()
            self.given.append(Argument(Value(f"%a{i}", element, dims), kind))
        if r.random() < 0.25:
            self.given.append(Argument(Value("%key", "i32", (static(2),)), "any"))
        self.pool = [a.value for a in self.given]
        head = self.declare_state() if r.random() < 0.35 else []
        if r.random() < 0.4:
            floats = [v for v in self.pool if v.is_float]
            for value in r.sample(floats, min(2, len(floats))):
                self.emit(f"tir.leaf {value.name} : {value.type}", value.element, value.dims, [value], is_leaf=True)
        return head

    def declare_state(self) -> list[str]:
        r, head = self.random, []
        element = r.choice(["f32", "f32", "f64", "i64"])
        dims = tuple(static(r.choice([1, 2, 3, 5])) for _ in range(r.choice([0, 1, 2])))
        for i in range(r.choice([1, 2, 2])):
            splat = {"f32": "0.5", "f64": "-1.25", "i64": "3"}[element] if i == 0 else {"i64": "-2"}.get(element, "1.5")
            type = tensor_type(dims, element)
            head.append(f"tir.shared @s{i} : {type} = dense<{splat}>")
            self.shared.append(self.emit(f"tir.read @s{i} : {type}", element, dims, []))
        return head

    def updates(self) -> None:
        """New values of the shared variables; two of one type are swapped now and then."""
        r = self.random
        if len(self.shared) == 2 and r.random() < 0.5:
            new = [self.shared[1], self.shared[0]]
        else:
            new = []
            for old in self.shared:
                fitting = [v for v in self.pool if v.type == old.type]
                new.append(r.choice(fitting))
        for i, value in enumerate(new):
            self.lines.append(f"tir.update @s{i}, {value.name} : {value.type}")

    def gradient(self) -> None:
        """The gradients of the mean of some value by the leaves."""
        leaves = [v for v in self.pool if any(line.startswith(f"{v.name} = tir.leaf") for line in self.lines)]
        costs = [v for v in self.pool if v.is_float and v.by_leaf and not v.barred and v not in leaves]
        if not leaves or not costs:
            return
        value = self.random.choice(costs)
        wrt = [leaf for leaf in leaves if leaf.element == value.element] or leaves
        cost = value
        if value.dims:
            name = self.random.choice(["sum", "mean"])
            axes = list(range(len(value.dims)))
            cost = self.emit(f"tir.{name} {value.name} over {axes} : tensor<{value.element}>", value.element, (), [value],
                             exact=False)
        names = [f"%g{i}" for i in range(len(wrt))]
        inputs, types = ", ".join(v.name for v in wrt), ", ".join(v.type for v in wrt)
        self.lines.append(f"{', '.join(names)} = tir.grad {cost.name} wrt ({inputs}) : {types}")
        self.pool += [replace(leaf, name=name, exact=False, by_leaf=False) for name, leaf in zip(names, wrt)]

    # --- what ops are made of --------------------------------------------------------------------------------------

    def some_shape(self) -> tuple[Dim, ...]:
        dims = tuple(self.random.choice(self.dims) for _ in range(self.random.choice([0, 1, 1, 2, 2, 2, 3])))
        return dims if math.prod(dim.size for dim in dims) <= MAX_ELEMENTS else dims[:1]

    def emit(
        self, text: str, element: str, dims: Sequence[Dim], operands: Sequence[Value], *,
        exact: bool = True, is_leaf: bool = False, differentiable: bool = True,
    ) -> Value:  # fmt: skip
        """Writes an op and puts its result into the pool."""
        by_leaf = any(v.by_leaf for v in operands)
        barred = by_leaf and (not differentiable or any(v.barred for v in operands))
        exact = exact and all(v.exact for v in operands)
        value = Value(f"%v{self.count}", element, tuple(dims), exact, by_leaf or is_leaf, barred)
        self.count += 1
        self.lines.append(f"{value.name} = {text}")
        self.pool.append(value)
        return value

    def pick(self, accept: Callable[[Value], bool]) -> Value | None:
        """A value of the pool; the later ones are more likely."""
        found = [v for v in self.pool if accept(v)]
        return self.random.choices(found, [1 + i for i in range(len(found))])[0] if found else None

    def partner(self, value: Value, accept: Callable[[Value], bool]) -> Value | None:
        """A value that goes together with this one elementwise, often another than itself."""
        found = [v for v in self.pool if accept(v) and v.can_meet(value)]
        others = [v for v in found if v is not value]
        return self.random.choice(others or found) if found else None

    def sizes(self, dims: Sequence[Dim]) -> str | None:
        """`sizes(%n)` for the `?` among the dims; None if no value has that size."""
        names = []
        for dim in dims:
            if dim.text != "?":
                continue
            places = [(v, i) for v in self.pool for i, d in enumerate(v.dims) if d == dim]
            if not places:
                return None
            value, axis = self.random.choice(places)
            name = f"%n{self.count}"
            self.count += 1
            self.lines.append(f"{name} = tir.dim {value.name} axis {axis} : {value.type}")
            names.append(name)
        return f" sizes({', '.join(names)})" if names else ""


# --- ops -----------------------------------------------------------------------------------------------------------


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


def unary(w: _Writer) -> None:
    x = w.pick(_is_number)
    if x is None:
        return
    names = (*EXACT_UNARY, *INEXACT_UNARY, *INEXACT_UNARY) if x.is_float else ("neg", "abs", "sign", "square")
    name = w.random.choice((*names, "sign") if x.exact else names)
    w.emit(f"tir.{name} {x.name} : {x.type}", x.element, x.dims, [x], exact=name not in INEXACT_UNARY)


def binary(w: _Writer) -> None:
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


def function(w: _Writer) -> None:
    """A function of a float; of a number that every level knows exactly, one that jumps too."""
    x = w.pick(lambda v: v.is_float)
    if x is None:
        return
    steps = ("floor", "ceil", "trunc", "round", "reciprocal", "is_nan", "is_inf", "is_finite") if x.exact else ()
    name = w.random.choice([*FUNCTIONS, *steps])
    element = "i1" if name.startswith("is_") else x.element
    w.emit(f"tir.{name} {x.name} : {x.type}", element, x.dims, [x], exact=name not in FUNCTIONS)


def quotient(w: _Writer) -> None:
    """What jumps with its operands, or takes integers and bits apart; a clamp."""
    x = w.pick(lambda v: _is_number(v) and v.exact)
    y = w.partner(x, lambda v: v.element == x.element and v.exact) if x else None
    z = w.partner(y, lambda v: v.element == x.element and v.can_meet(x)) if y else None
    if x is None or y is None or z is None:
        return
    more = ("copysign", "atan2") if x.is_float else ("pow", "shl", "shr", "xor")
    name = w.random.choice(["floordiv", "rem", "mod", "clamp", *more])
    operands = [x, y, z] if name == "clamp" else [x, y]
    dims = met(*operands)
    names = ", ".join(v.name for v in operands)
    w.emit(f"tir.{name} {names} : {tensor_type(dims, x.element)}", x.element, dims, operands, exact=name != "atan2")


def bits(w: _Writer) -> None:
    x = w.pick(lambda v: not v.is_float)
    y = w.partner(x, lambda v: v.element == x.element) if x else None
    if x is None or y is None:
        return
    name, dims = w.random.choice(["and", "or", "not"]), met(x, y)
    if name == "not":
        w.emit(f"tir.not {x.name} : {x.type}", x.element, x.dims, [x])
    else:
        w.emit(f"tir.{name} {x.name}, {y.name} : {tensor_type(dims, x.element)}", x.element, dims, [x, y])


def compare(w: _Writer) -> None:
    x = w.pick(lambda v: v.exact)
    y = w.partner(x, lambda v: v.element == x.element and v.exact) if x else None
    if x is None or y is None:
        return
    predicate, dims = w.random.choice(["eq", "ne", "lt", "le", "gt", "ge"]), met(x, y)
    # The text has the type of lhs; an unknown size of rhs is checked at run time.
    w.emit(f"tir.cmp {predicate} {x.name}, {y.name} : {x.type}", "i1", dims, [x, y])


def select(w: _Writer) -> None:
    condition = w.pick(lambda v: v.element == "i1")
    x = w.partner(condition, _any) if condition else None
    y = w.partner(x, lambda v: v.element == x.element and v.can_meet(condition)) if x else None
    if condition is None or x is None or y is None:
        return
    dims = met(condition, x, y)
    text = f"tir.select {condition.name}, {x.name}, {y.name} : {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [condition, x, y])


def cast(w: _Writer) -> None:
    x = w.pick(_any)
    target = w.random.choice(["f32", "f32", "f64", "f16", "i32", "i64", "i8", "ui8", "ui32", "i1"])
    if x is None or target == x.element or (not x.exact and target not in FLOATS):
        return
    w.emit(f"tir.cast {x.name} : {x.type} -> {tensor_type(x.dims, target)}", target, x.dims, [x])


def broadcast(w: _Writer) -> None:
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


def transpose(w: _Writer) -> None:
    x = w.pick(lambda v: len(v.dims) >= 2)
    if x is None:
        return
    order = w.random.sample(range(len(x.dims)), len(x.dims))
    dims = [x.dims[axis] for axis in order]
    w.emit(f"tir.transpose {x.name} by {order} : {tensor_type(dims, x.element)}", x.element, dims, [x])


def reshape(w: _Writer) -> None:
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


def cut(w: _Writer) -> None:
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


def pad(w: _Writer) -> None:
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


def reduction(w: _Writer) -> None:
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


def argmax(w: _Writer) -> None:
    x = w.pick(lambda v: v.exact and _is_number(v) and len(v.dims) > 0)
    if x is None:
        return
    axis = w.random.randrange(len(x.dims))
    dims = [dim for i, dim in enumerate(x.dims) if i != axis]
    w.emit(f"tir.argmax {x.name} axis {axis} : {tensor_type(dims, 'i64')}", "i64", dims, [x], differentiable=False)


def dot(w: _Writer) -> None:
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


def ordered(w: _Writer) -> None:
    """Sorts and running records, whose elements jump where rounding changes the order."""
    x = w.pick(lambda v: v.exact and _is_number(v) and len(v.dims) > 0)
    if x is None:
        return
    name, axis = w.random.choice(["sort", "argsort", "cummax", "cummin"]), w.random.randrange(len(x.dims))
    word = w.random.choice(["", " reverse" if name.startswith("cum") else " descending"])
    element = "i64" if name == "argsort" else x.element
    text = f"tir.{name} {x.name} axis {axis}{word} : {tensor_type(x.dims, element)}"
    w.emit(text, element, x.dims, [x], differentiable=name != "argsort")


def statistic(w: _Writer) -> None:
    x = w.pick(lambda v: v.is_float and len(v.dims) > 0)
    if x is None:
        return
    axes = sorted(w.random.sample(range(len(x.dims)), w.random.randint(1, len(x.dims))))
    name = w.random.choice(["var", "norm", "logsumexp"])
    order = f" {w.random.choice(['l1', 'l2', 'max'])}" if name == "norm" else ""
    dims = [dim for axis, dim in enumerate(x.dims) if axis not in axes]
    text = f"tir.{name} {x.name}{order} over {axes} : {tensor_type(dims, x.element)}"
    w.emit(text, x.element, dims, [x], exact=False)


def softmax(w: _Writer) -> None:
    x = w.pick(lambda v: v.is_float and len(v.dims) > 0)
    if x is None:
        return
    axes = sorted(w.random.sample(range(len(x.dims)), w.random.randint(1, len(x.dims))))
    name = w.random.choice(["softmax", "log_softmax"])
    w.emit(f"tir.{name} {x.name} over {axes} : {x.type}", x.element, x.dims, [x], exact=False)


def cross_entropy(w: _Writer) -> None:
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


def by_index(w: _Writer) -> None:
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


def arranged(w: _Writer) -> None:
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


def one_hot(w: _Writer) -> None:
    x = w.pick(lambda v: v.element in INTEGERS and len(v.dims) < 3)
    element, depth = w.random.choice(["f32", "f64", "i64", "i1"]), w.random.choice(w.dims)
    if x is None:
        return
    dims = [*x.dims, depth]
    if math.prod(d.size for d in dims) <= MAX_ELEMENTS and (sizes := w.sizes(dims)) is not None:
        w.emit(f"tir.one_hot {x.name}{sizes} : {x.type} -> {tensor_type(dims, element)}", element, dims, [x])


def creation(w: _Writer) -> None:
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


def rng(w: _Writer) -> None:
    key = w.pick(lambda v: v.type == "tensor<2xi32>")
    if key is None:
        return
    # Only the first size of a random tensor may be unknown before run time.
    dims = [dim for dim in w.some_shape() if dim.text != "?"]
    dims = [dim for i, dim in enumerate(dims) if i == 0 or dim.is_static]
    name, element = w.random.choice([("rng_uniform", "f32"), ("rng_uniform", "f64"), ("rng_bits", "i32"), ("rng_bits", "ui32")])
    w.emit(f"tir.{name} {key.name} : {tensor_type(dims, element)}", element, dims, [key], differentiable=False)


_MAKERS: tuple[tuple[Callable[[_Writer], None], int], ...] = (
    (unary, 12), (binary, 16), (bits, 2), (compare, 5), (select, 6), (cast, 5), (broadcast, 9), (transpose, 5),
    (reshape, 5), (cut, 5), (pad, 4), (reduction, 10), (argmax, 2), (dot, 7), (softmax, 5), (cross_entropy, 3),
    (one_hot, 3), (by_index, 4), (arranged, 4), (creation, 4), (rng, 4), (ordered, 3), (statistic, 3),
)  # fmt: skip
#: Beside these, where many kinds of elementwise ops are wanted.
_ELEMENTWISE: tuple[tuple[Callable[[_Writer], None], int], ...] = ((function, 66), (quotient, 40))
