"""Random tensor-level programs as text, with inputs that suit them.

    program = random_program(seed)
    program.text                # a module with the entry @main, which uses shared variables and gradients now and then
    random_program(seed, wide=True)     # with all element types, and with two ops of the dialect in turn (see `guest`)
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

from tests.random_program_control import CONTROL
from tests.random_program_guests import guest, guest_ops
from tests.random_program_ops import MAKERS, MAX_ELEMENTS, WIDE
from tests.random_program_text import (
    FLOATS,
    INTEGERS,
    NAMES,
    Argument,
    Dim,
    Program,
    Value,
    static,
    tensor_type,
    tidied,
)

__all__ = ["Writer", "random_program"]

GUESTS = 2  # in a wide program
ELEMENTS = ("f32", "f32", "f32", "f32", "f64", "f16", "i32", "i64", "i8", "ui8", "ui32", "i1")
CONTROL_ELEMENTS = ("f32", "f64", "f32", "f64", "f32", "i32", "i1")
WIDE_ELEMENTS = ("f32", "f32", "f32", "f64", "f16", "bf16", *INTEGERS, "i1")


def random_program(seed: int, size: int = 12, wide: bool = False, control: bool = False) -> Program:
    """The program of this seed, of about `size` ops. control: with branches and loops, whose regions count as one op."""
    if control:
        makers = (*MAKERS, *CONTROL)
        return Writer(random.Random(seed), makers, elements=CONTROL_ELEMENTS, has_regions=True).program(seed, size)
    if not wide:
        return Writer(random.Random(seed), MAKERS).program(seed, size)
    ops = guest_ops()
    guests = [ops[(GUESTS * seed + i) % len(ops)] for i in range(GUESTS)]
    return Writer(random.Random(seed), (*MAKERS, *WIDE), guests, WIDE_ELEMENTS).program(seed, size)


@dataclass
class Writer:
    """Writes one program, op by op."""

    random: random.Random
    makers: Sequence[tuple[Callable[[Writer], None], int]]
    guests: Sequence[str] = ()
    elements: Sequence[str] = ELEMENTS
    has_regions: bool = False  # of them most have gradients, and a condition to ask
    lines: list[str] = field(default_factory=list)
    pool: list[Value] = field(default_factory=list)
    given: list[Argument] = field(default_factory=list)
    shared: list[Value] = field(default_factory=list)
    dims: list[Dim] = field(default_factory=list)
    guest_results: set[str] = field(default_factory=set)
    count: int = 0
    depth: int = 0  # of the regions around what is being written

    def program(self, seed: int, size: int) -> Program:
        r = self.random
        odd = r.choice([0, 1, 3, 8, 17, 37]) if r.random() < 0.3 else r.choice([3, 4])
        self.dims = [static(r.choice([1, 2, 3, 4, 5, 7, 9])), static(odd)]
        self.dims.append(Dim("[N]", r.choice([1, 2, 3, 5, 6] + [0] * (r.random() < 0.2))))
        self.dims.append(Dim("?", r.choice([1, 2, 4])))
        head = self.open()
        tries = 0
        at = {size * (i + 1) // (len(self.guests) + 1): op for i, op in enumerate(self.guests)}
        while (len(self.lines) < size and tries < 20 * size) or at:
            tries += 1
            if at and (len(self.lines) >= min(at) or tries >= 20 * size):
                self.guest_results.add(guest(self, at.pop(min(at))))
                continue
            maker = r.choices([m for m, _ in self.makers], [w for _, w in self.makers])[0]
            maker(self)
        if r.random() < (0.8 if self.guests or self.has_regions else 0.4):
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
            element = r.choice(self.elements)
            kinds = {"i1": ["bits"], "ui8": ["any", "labels"]}.get(element, ["any", "labels", "small", "small"])
            kind = r.choice(["normal", "normal", "normal", "unit", "hard"] if element in FLOATS else kinds)
            dims = (self.dims[2],) if i == 0 else self.some_shape()
            self.given.append(Argument(Value(f"%a{i}", element, dims), kind))
        if r.random() < 0.25:
            self.given.append(Argument(Value("%key", "i32", (static(2),)), "any"))
        if self.has_regions:
            self.given.append(Argument(Value("%flag", "i1", ()), "bits"))
        self.pool = [a.value for a in self.given]
        head = self.declare_state() if r.random() < 0.35 else []
        if r.random() < (0.9 if self.has_regions else 0.4):
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
        by_guests = [v for v in costs if v.name in self.guest_results]
        value = self.random.choice(by_guests or costs)
        if self.has_regions and self.random.random() < 0.4:
            self.other_derivative(value, leaves)
            return
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
        made = [replace(leaf, name=name, exact=False, by_leaf=False) for name, leaf in zip(names, wrt)]
        self.pool += made
        if self.has_regions and self.random.random() < 0.4:
            self.second_derivative(made, wrt)

    def second_derivative(self, gradients: Sequence[Value], leaves: Sequence[Value]) -> None:
        """The gradients of a sum of sines of a gradient, or the Hessian times the leaves, forward over reverse."""
        gradient = self.random.choice(gradients)
        inputs, types = ", ".join(v.name for v in leaves), ", ".join(v.type for v in leaves)
        if self.random.random() < 0.5:
            self.pool.append(replace(gradient, name="%tangent", rounded=False))
            self.lines.append(f"%tangent = tir.jvp ({gradient.name}) wrt ({inputs}) with ({inputs}) : {gradient.type}")
            return
        bent = self.emit(f"tir.sin {gradient.name} : {gradient.type}", gradient.element, gradient.dims, [gradient], exact=False)
        axes = list(range(len(bent.dims)))
        cost = self.emit(f"tir.sum {bent.name} over {axes} : tensor<{bent.element}>", bent.element, (), [bent], exact=False)
        made = [replace(leaf, name=f"%h{i}", exact=False, by_leaf=False) for i, leaf in enumerate(leaves)]
        self.lines.append(f"{', '.join(v.name for v in made)} = tir.grad {cost.name} wrt ({inputs}) : {types}")
        self.pool += made

    def other_derivative(self, value: Value, leaves: Sequence[Value]) -> None:
        """The adjoints of the leaves from the value as its own adjoint, or its tangent from the leaves as theirs."""
        inputs, types = ", ".join(v.name for v in leaves), ", ".join(v.type for v in leaves)
        if self.random.random() < 0.5:
            made = [replace(leaf, name=f"%g{i}", exact=False, by_leaf=False) for i, leaf in enumerate(leaves)]
            op = f"tir.vjp ({value.name}) with ({value.name}) wrt ({inputs}) : {types}"
        else:
            made = [replace(value, name="%tangent", exact=False, by_leaf=False, rounded=False)]
            op = f"tir.jvp ({value.name}) wrt ({inputs}) with ({inputs}) : {value.type}"
        self.lines.append(f"{', '.join(v.name for v in made)} = {op}")
        self.pool += made

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
        name, known = f"%v{self.count}", exact and all(v.exact for v in operands)
        value = Value(name, element, tuple(dims), known, by_leaf or is_leaf, barred, rounded=not exact)
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
