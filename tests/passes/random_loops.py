"""Random structured programs of nested loops and conditions on tensors of integers, whose results are exact.

    text = random_loops(seed)      # a module with @main(%x: tensor<?xi32>, %y: tensor<?xi32>, %z: tensor<4xi32>)

`%x` and `%y` have one size, from 1 on. Every index is taken modulo the size, so no program fails.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["random_loops"]

DYNAMIC, STATIC = "tensor<?xi32>", "tensor<4xi32>"
MAP = "affine_map<(d0) -> (d0)>"
MAX_DEPTH = 3


def random_loops(seed: int, size: int = 14) -> str:
    """The program of this seed."""
    return _Writer(random.Random(seed)).program(size)


class _Writer:
    """tensors, numbers: what is in scope, the latest last."""

    def __init__(self, r: random.Random) -> None:
        self.r = r
        self.lines: list[str] = []
        self.indent = "  "
        self.count = 0
        self.depth = 0
        self.tensors: dict[str, list[str]] = {DYNAMIC: ["%x", "%y"], STATIC: ["%z"]}
        self.numbers = ["%c3"]
        self.indices = ["%c0", "%c1", "%c2"]

    def program(self, size: int) -> str:
        for number in range(6):
            self.say(f"%c{number}i = arith.constant {number} : i32")
            self.say(f"%c{number}x = arith.constant {number} : index")
        self.numbers, self.indices = ["%c3i", "%c5i"], ["%c0x", "%c1x", "%c2x"]
        self.say(f"%n = tensor.dim %x, %c0x : {DYNAMIC}")
        for _ in range(size):
            self.op()
        results = [self.tensor(DYNAMIC), self.tensor(STATIC), self.tensor(DYNAMIC)]
        kinds = [DYNAMIC, STATIC, DYNAMIC]
        self.say(f"return {', '.join(results)} : {', '.join(kinds)}")
        head = f"func.func @main(%x: {DYNAMIC}, %y: {DYNAMIC}, %z: {STATIC}) -> ({', '.join(kinds)}) {{"
        return "\n".join([head, *self.lines, "}", ""])

    # --- pieces ------------------------------------------------------------------------------------------------------

    def say(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def kind(self) -> str:
        return self.r.choice([DYNAMIC, DYNAMIC, STATIC])

    def tensor(self, kind: str) -> str:
        """One of the tensors in scope, mostly a late one."""
        known = self.tensors[kind]
        return known[-1] if self.r.random() < 0.5 else self.r.choice(known)

    def make(self, kind: str, text: str) -> str:
        name = self.name()
        self.say(f"{name} = {text}")
        self.tensors[kind].append(name)
        return name

    def size(self, kind: str) -> str:
        return "%n" if kind == DYNAMIC else "%c4x"

    def index(self, kind: str) -> str:
        """An index in bounds."""
        name = self.name()
        self.say(f"{name} = arith.remui {self.r.choice(self.indices)}, {self.size(kind)} : index")
        return name

    @contextmanager
    def inside(self) -> Iterator[None]:
        """A region: what is made there is not in scope behind it."""
        saved = {k: list(v) for k, v in self.tensors.items()}, list(self.numbers), list(self.indices)
        self.depth += 1
        self.indent += "  "
        yield
        self.depth -= 1
        self.indent = self.indent[2:]
        self.tensors, self.numbers, self.indices = saved

    # --- ops ---------------------------------------------------------------------------------------------------------

    def op(self) -> None:
        makers = [self.extract, self.insert, self.insert, self.generic, self.generic, self.slice]
        if self.depth < MAX_DEPTH:
            makers += [self.loop, self.loop, self.branch, self.branch, self.repeat]
        self.r.choice(makers)()

    def extract(self) -> None:
        kind = self.kind()
        index, name = self.index(kind), self.name()
        self.say(f"{name} = tensor.extract {self.tensor(kind)}[{index}] : {kind}")
        other = self.name()
        self.say(f"{other} = arith.addi {name}, {self.r.choice(self.numbers)} : i32")
        self.numbers += [name, other]

    def insert(self) -> None:
        kind = self.kind()
        index = self.index(kind)
        self.make(kind, f"tensor.insert {self.r.choice(self.numbers)} into {self.tensor(kind)}[{index}] : {kind}")

    def slice(self) -> None:
        """The first elements of one tensor over the last of another, or of the same."""
        count, start = self.r.randint(1, 2), self.r.randint(0, 2)
        source, target, part = self.tensor(STATIC), self.tensor(STATIC), self.name()
        self.say(f"{part} = tensor.extract_slice {source}[{self.r.randint(0, 2)}] [{count}] [1] : {STATIC} to tensor<{count}xi32>")
        if self.r.random() < 0.3:
            changed = self.name()
            self.say(f"{changed} = tensor.insert {self.r.choice(self.numbers)} into {part}[%c0x] : tensor<{count}xi32>")
            part = changed
        self.make(
            STATIC, f"tensor.insert_slice {part} into {target}[{start}] [{count}] [1] : tensor<{count}xi32> into {STATIC}"
        )

    def generic(self) -> None:
        kind = self.kind()
        source, captured = self.tensor(kind), self.tensor(kind)
        init = self.tensor(kind)
        reads_init = self.r.random() < 0.4
        if not reads_init and self.r.random() < 0.7:
            init = self.name()
            sizes = "%n" if kind == DYNAMIC else ""
            self.say(f"{init} = tensor.empty({sizes}) : {kind}")
        number = self.r.choice(self.numbers)
        name, s, t, i, j, k = [self.name() for _ in range(6)]
        lines = [f"{s} = arith.addi %a, {number} : i32"]
        if reads_init:
            lines += [f"{t} = arith.xori {s}, %o : i32"]
            s = t
        if self.r.random() < 0.4:
            u, w = self.name(), self.name()
            lines += [
                f"{i} = linalg.index 0 : index", f"{j} = arith.addi {i}, %c1x : index",
                f"{k} = arith.remui {j}, {self.size(kind)} : index", f"{u} = tensor.extract {captured}[{k}] : {kind}",
                f"{w} = arith.subi {u}, {s} : i32",
            ]  # fmt: skip
            s = w
        self.say(
            f'{name} = linalg.generic {{indexing_maps = [{MAP}, {MAP}], iterator_types = ["parallel"]}} '
            f"ins({source} : {kind}) outs({init} : {kind}) {{"
        )
        self.say("^bb0(%a: i32, %o: i32):")
        for line in lines:
            self.say(f"  {line}")
        self.say(f"  linalg.yield {s} : i32")
        self.say(f"}} -> {kind}")
        self.tensors[kind].append(name)

    # --- control -----------------------------------------------------------------------------------------------------

    def carried(self) -> tuple[list[str], list[str], list[str]]:
        """Kinds, first values and names of what a loop carries."""
        kinds = [self.kind() for _ in range(self.r.randint(1, 3))]
        inits = []
        for kind in kinds:
            inits.append(self.tensor(kind))
            if self.r.random() < 0.15:
                inits[-1] = self.name()
                self.say(f"{inits[-1]} = tensor.splat %c2i{'[%n]' if kind == DYNAMIC else ''} : {kind}")
        return kinds, inits, [self.name() for _ in kinds]

    def body(self, kinds: list[str], names: list[str], steps: int) -> list[str]:
        """Ops, and what is handed on."""
        for kind, name in zip(kinds, names):
            self.tensors[kind].append(name)
        for _ in range(steps):
            self.op()
        return [self.tensor(kind) for kind in kinds]

    def results(self, name: str, kinds: list[str]) -> None:
        for number, kind in enumerate(kinds):
            self.tensors[kind].append(f"{name}#{number}" if len(kinds) > 1 else name)

    def many(self, name: str, kinds: list[str]) -> str:
        return f"{name}:{len(kinds)}" if len(kinds) > 1 else name

    def loop(self) -> None:
        kinds, inits, names = self.carried()
        name, counter = self.name(), self.name()
        args = ", ".join(f"{a} = {b}" for a, b in zip(names, inits))
        stop = self.r.choice(["%n", "%c0x", "%c2x", "%c3x"])
        self.say(f"{self.many(name, kinds)} = scf.for {counter} = %c0x to {stop} step %c1x iter_args({args}) -> ({', '.join(kinds)}) {{")
        with self.inside():
            self.indices.append(counter)
            ends = self.body(kinds, names, self.r.randint(1, 4))
            self.say(f"scf.yield {', '.join(ends)} : {', '.join(kinds)}")
        self.say("}")
        self.results(name, kinds)

    def branch(self) -> None:
        kinds = [self.kind() for _ in range(self.r.randint(1, 2))]
        name, condition = self.name(), self.name()
        left, right = self.r.choice(self.numbers), self.r.choice(self.numbers)
        self.say(f"{condition} = arith.cmpi {self.r.choice(['slt', 'sge', 'ne'])}, {left}, {right} : i32")
        self.say(f"{self.many(name, kinds)} = scf.if {condition} -> ({', '.join(kinds)}) {{")
        for word in ("} else {", "}"):
            with self.inside():
                ends = self.body([], [], self.r.randint(0, 3)) or [self.tensor(kind) for kind in kinds]
                self.say(f"scf.yield {', '.join(ends)} : {', '.join(kinds)}")
            self.say(word)
        self.results(name, kinds)

    def repeat(self) -> None:
        """scf.while with a counter, which hands on the carried tensors, sometimes in another order."""
        kinds, inits, names = self.carried()
        name, counter, again, more = [self.name() for _ in range(4)]
        args = ", ".join(f"{a} = {b}" for a, b in zip([counter, *names], ["%c0x", *inits]))
        types = ", ".join(["index", *kinds])
        self.say(f"{name}:{len(kinds) + 1} = scf.while ({args}) : ({types}) -> ({types}) {{")
        with self.inside():
            ends = self.body(kinds, names, self.r.randint(0, 2))
            self.say(f"{more} = arith.cmpi ult, {counter}, %c{self.r.randint(0, 3)}x : index")
            self.say(f"scf.condition({more}) {', '.join([counter, *ends])} : {types}")
        self.say("} do {")
        inner, inner_names = self.name(), [self.name() for _ in kinds]
        self.say(f"^bb0({', '.join(f'{a}: {t}' for a, t in zip([inner, *inner_names], ['index', *kinds]))}):")
        with self.inside():
            self.indices.append(inner)
            ends = self.body(kinds, inner_names, self.r.randint(1, 3))
            self.say(f"{again} = arith.addi {inner}, %c1x : index")
            self.say(f"scf.yield {', '.join([again, *ends])} : {types}")
        self.say("}")
        for number, kind in enumerate(kinds, 1):
            self.tensors[kind].append(f"{name}#{number}")
