"""Random nests of loops as text, and random schedules for them: what transformations of loops are tried on.

Indices are counters times small numbers, moved so that they lie in the buffers whatever the bounds are.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

__all__ = ["Nest", "random_nest", "random_schedule"]

SIZE = 96
DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32}


@dataclass
class Nest:
    """A program @f, its arrays, and the bounds that it gets behind them."""

    text: str
    arrays: list[np.ndarray]
    bounds: list[int]


class _Writer:
    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.element = self.r.choice(list(DTYPES))
        self.depth = self.r.choice([1, 2, 2, 2, 3, 3])
        self.letter = "f" if self.element[0] == "f" else "i"
        self.bounds: list[int] = []
        self.head: list[str] = []
        self.lines: list[str] = []
        self.count = 0
        self.nest = "a"

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def constant(self, number: int) -> str:
        name = f"%c{number}" if number >= 0 else f"%m{-number}"
        line = f"{name} = arith.constant {number} : index"
        if line not in self.head:
            self.head.append(line)
        return name

    def bound(self, number: int) -> str:
        """A constant, or an argument with this number."""
        if self.r.random() < 0.5:
            return self.constant(number)
        self.bounds.append(number)
        return f"%n{len(self.bounds) - 1}"

    def index(self, counters: list[str]) -> str:
        """A counter times 1, -1 or 2, moved by a little; from 0 to `SIZE` for counters from -4 to 28."""
        counter, name = self.r.choice(counters), self.name()
        kind = self.r.choice([1, 1, 1, -1, 2])
        if kind == -1:
            self.lines.append(f"{name} = arith.subi {self.constant(40 + self.r.randint(0, 2))}, {counter} : index")
            return name
        if kind == 2:
            self.lines.append(f"{name}t = arith.muli {counter}, {self.constant(2)} : index")
            counter = f"{name}t"
        self.lines.append(f"{name} = arith.addi {counter}, {self.constant(10 + self.r.randint(0, 2))} : index")
        return name

    def place(self, counters: list[str]) -> str:
        """Indices of a place in one of the two buffers."""
        first = self.index(counters[:1] if self.r.random() < 0.6 else counters)
        second = self.index(counters[-1:] if self.r.random() < 0.6 else counters)
        buffer = self.r.choice(["%a", "%a", "%b"])
        return f"{buffer}[{first}, {second}] : memref<{SIZE}x{SIZE}x{self.element}>"

    def load(self, counters: list[str]) -> str:
        place, name = self.place(counters), self.name()
        self.lines.append(f"{name} = memref.load {place}")
        return name

    def compute(self, values: list[str]) -> str:
        name = self.name()
        op = self.r.choice(["add", "sub", "mul"])
        chosen = [self.r.choice(values) for _ in range(2)]
        self.lines.append(f"{name} = arith.{op}{self.letter} {', '.join(chosen)} : {self.element}")
        return name

    def body(self, counters: list[str], values: list[str]) -> str:
        """Loads, ops and stores; the last value."""
        values = values + [self.load(counters) for _ in range(self.r.randint(1, 2))]
        values.append(self.compute(values))
        if self.r.random() < 0.3:
            number = self.name()
            self.lines.append(f"{number}k = arith.index_cast {self.r.choice(counters)} : index to i32")
            cast = (
                f"arith.sitofp {number}k : i32 to {self.element}"
                if self.letter == "f"
                else f"arith.addi {number}k, {number}k : i32"
            )
            self.lines.append(f"{number} = {cast}")
            values.append(self.compute([number, *values]))
        if self.r.random() < 0.85:
            place = self.place(counters)
            self.lines.append(f"memref.store {values[-1]}, {place}")
        return values[-1]

    def loop(self, level: int, counters: list[str], carried: str | None) -> str | None:
        """A loop with the others inside; what it hands on."""
        low, step = self.r.choice([-3, -1, 0, 0, 1, 2]), self.r.choice([1, 1, 1, 2, 3])
        high = low + self.r.choice([-2, 0, 1, 2, 3, 4, 5, 7, 8, 11])
        bounds = f"{self.bound(low)} to {self.bound(high)} step {self.constant(step)}"
        counter, result = f"%i{self.nest}{level}", f"%r{self.nest}{level}"
        if carried is None:
            self.lines.append(f"scf.for {counter} = {bounds} {{")
        else:
            kept = f"%x{self.nest}{level}"
            self.lines.append(
                f"{result} = scf.for {counter} = {bounds} iter_args({kept} = {carried}) -> ({self.element}) {{"
            )
            carried = kept
        counters = [*counters, counter]
        if level + 1 < self.depth:
            inside = self.loop(level + 1, counters, carried)
        else:
            inside = self.body(counters, [] if carried is None else [carried])
        if carried is not None:
            self.lines.append(f"scf.yield {inside} : {self.element}")
        self.lines.append("}")
        return None if carried is None else result


def random_nest(seed: int) -> Nest:
    """One or two nests, one behind the other; some carry a number, which is stored behind them."""
    w = _Writer(seed)
    rng = np.random.default_rng(seed)
    buffer = f"memref<{SIZE}x{SIZE}x{w.element}>"
    for _ in range(w.r.choice([1, 1, 2])):
        if w.r.random() < 0.3:
            start = w.name()
            w.lines.append(f"{start} = memref.load %b[{w.constant(0)}, {w.constant(0)}] : {buffer}")
            result = w.loop(0, [], start)
            w.lines.append(f"memref.store {result}, %b[{w.constant(1)}, {w.constant(0)}] : {buffer}")
        else:
            w.loop(0, [], None)
        w.nest = "b"
    sizes = "".join(f", %n{i}: index" for i in range(len(w.bounds)))
    text = "\n  ".join([f"func.func @f(%a: {buffer}, %b: {buffer}{sizes}) {{", *w.head, *w.lines, "return"]) + "\n}\n"
    arrays = [rng.integers(-4, 5, (SIZE, SIZE)) * (0.37 if w.letter == "f" else 1) for _ in range(2)]
    return Nest(text, [array.astype(DTYPES[w.element]) for array in arrays], w.bounds)


def random_schedule(seed: int) -> str:
    """A pipeline of one to four transformations of loops, with sizes from 1 to more than any loop has."""
    r = random.Random(seed)

    def size() -> int:
        return r.choice([1, 2, 3, 4, 5, 7, 16])

    def one() -> str:
        sizes = ",".join(str(r.choice([0, size(), size()])) for _ in range(r.randint(1, 3)))
        order = list(range(r.choice([2, 2, 3])))
        r.shuffle(order)
        return r.choice([
            f"loop-tile{{tile-sizes={sizes}}}", f"loop-tile{{tile-sizes={sizes}}}",
            f"loop-interchange{{permutation={','.join(map(str, order))}}}", "loop-interchange",
            f"loop-unroll{{factor={size()}}}", "loop-unroll{full}",
            "scf-for-loop-peeling", "scf-for-loop-peeling{skip-partial=false}", "scf-for-loop-peeling{peel-front}",
        ])  # fmt: skip

    return ",".join(one() for _ in range(r.randint(1, 4)))
