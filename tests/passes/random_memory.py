"""Random programs on buffers: loads, stores, copies and views in nested loops and branches, whose results are exact.

    text = random_memory(seed)      # a module with @main(%a: memref<4xi32>, %b: memref<4xi32>, %n: index, %p: i1) -> i32

Every index is inside if %n is at most 2, and every buffer is written before it is read, so no program fails.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["random_memory"]

BUFFER, VIEW, PART = "memref<4xi32>", "memref<?xi32>", "memref<2xi32, strided<[1], offset: 1>>"
MAX_DEPTH = 3


def random_memory(seed: int, size: int = 30) -> str:
    """The program of this seed."""
    return _Writer(random.Random(seed)).program(size)


class _Writer:
    """buffers: the names that are in scope, with their types; values: those of i32."""

    def __init__(self, r: random.Random) -> None:
        self.r = r
        self.lines: list[str] = []
        self.indent = "  "
        self.count = 0
        self.depth = 0
        self.buffers = {"%a": BUFFER, "%b": BUFFER}
        self.values = ["%k1", "%k2", "%k3"]
        self.indices = ["%c0", "%c1"]

    def program(self, size: int) -> str:
        for number in range(4):
            self.say(f"%c{number} = arith.constant {number} : index")
            self.say(f"%k{number} = arith.constant {(3, 10, 200, 31)[number]} : i32")
        own = [self.buffer(kind) for kind in ("alloc", "alloca", "alloc")]
        for _ in range(size):
            self.op()
        total = self.late()
        for name in own:
            for number in range(4):
                total = self.value(f"arith.muli {total}, %k3 : i32")
                total = self.value(f"arith.addi {total}, {self.value(f'memref.load {name}[%c{number}] : {BUFFER}')} : i32")
        for name in (own[0], own[2]):
            self.say(f"memref.dealloc {name} : {BUFFER}")
        self.say(f"return {total} : i32")
        head = f"func.func @main(%a: {BUFFER}, %b: {BUFFER}, %n: index, %p: i1) -> i32 {{"
        callee = "func.func private @touch(%m: memref<4xi32>) {\n  %c1 = arith.constant 1 : index\n"
        callee += "  %0 = memref.load %m[%c1] : memref<4xi32>\n  %1 = arith.addi %0, %0 : i32\n"
        callee += "  memref.store %1, %m[%c1] : memref<4xi32>\n  return\n}\n"
        return callee + "\n".join([head, *self.lines, "}", ""])

    def say(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def value(self, text: str) -> str:
        name = self.name()
        self.say(f"{name} = {text}")
        self.values.append(name)
        return name

    def buffer(self, kind: str) -> str:
        """A new buffer, all of which is written."""
        name = self.name()
        self.say(f"{name} = memref.{kind}() : {BUFFER}")
        for number in range(4):
            self.say(f"memref.store %k{number}, {name}[%c{number}] : {BUFFER}")
        self.buffers[name] = BUFFER
        return name

    def pick(self) -> tuple[str, str]:
        return self.r.choice(list(self.buffers.items()))

    def index(self, type: str) -> str:
        """An index that is inside: of a part the first two are. %n is at most 2."""
        inside = ["%c0", "%c1", *self.indices] if type == PART else ["%c0", "%c1", "%c2", "%c3", "%n", "%n", *self.indices]
        return self.r.choice(inside)

    def late(self) -> str:
        return self.r.choice(self.values[-6:])

    @contextmanager
    def region(self) -> Iterator[None]:
        saved = dict(self.buffers), list(self.values), list(self.indices), self.indent
        self.indent, self.depth = self.indent + "  ", self.depth + 1
        yield
        self.buffers, self.values, self.indices, self.indent = saved
        self.depth -= 1

    def op(self) -> None:
        kinds = ["load"] * 6 + ["store"] * 6 + ["add", "copy", "view", "call", "check", "generic"]
        kinds += ["loop", "branch", "carry", "parallel"] * 2 if self.depth < MAX_DEPTH else []
        getattr(self, self.r.choice(kinds))()

    # --- ops ---------------------------------------------------------------------------------------------------------

    def load(self) -> None:
        name, type = self.pick()
        self.value(f"memref.load {name}[{self.index(type)}] : {type}")

    def store(self) -> None:
        name, type = self.pick()
        self.say(f"memref.store {self.late()}, {name}[{self.index(type)}] : {type}")

    def add(self) -> None:
        self.value(f"arith.addi {self.late()}, {self.late()} : i32")

    def copy(self) -> None:
        whole = [name for name, type in self.buffers.items() if type == BUFFER]
        self.say(f"memref.copy {self.r.choice(whole)}, {self.r.choice(whole)} : {BUFFER} to {BUFFER}")

    def view(self) -> None:
        whole, name = [name for name, type in self.buffers.items() if type == BUFFER], self.name()
        if self.r.random() < 0.5:
            self.say(f"{name} = memref.cast {self.r.choice(whole)} : {BUFFER} to {VIEW}")
            self.buffers[name] = VIEW
        else:
            self.say(f"{name} = memref.subview {self.r.choice(whole)}[1] [2] [1] : {BUFFER} to {PART}")
            self.buffers[name] = PART

    def call(self) -> None:
        if self.r.random() < 0.5:
            whole = [name for name, type in self.buffers.items() if type == BUFFER]
            self.say(f"func.call @touch({self.r.choice(whole)}) : ({BUFFER}) -> ()")

    def generic(self) -> None:
        whole = [name for name, type in self.buffers.items() if type == BUFFER]
        source, target, element = self.r.choice(whole), self.r.choice(whole), self.name()
        maps = "affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>"
        self.say(f'linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel"]}} '
                 f"ins({source} : {BUFFER}) outs({target} : {BUFFER}) {{")
        self.say(f"^bb0(%s{element[1:]}: i32, %t{element[1:]}: i32):")
        self.say(f"  {element} = arith.addi %s{element[1:]}, {self.late()} : i32")
        self.say(f"  linalg.yield {element} : i32")
        self.say("}")

    def branch(self) -> None:
        name, has_value = self.name(), self.r.random() < 0.5
        self.say(f"{name} = scf.if %p -> (i32) {{" if has_value else "scf.if %p {")
        for number in range(2):
            with self.region():
                for _ in range(self.r.randrange(1, 4)):
                    self.op()
                if has_value:
                    self.say(f"scf.yield {self.late()} : i32")
            self.say("} else {" if number == 0 else "}")
        if has_value:
            self.values.append(name)

    def loop(self) -> None:
        i = self.name()
        self.counted(f"scf.for {i} = %c0 to {self.r.choice(['%n', '%c2', '%c0'])} step %c1", i)

    def parallel(self) -> None:
        """One iteration, since they may run in any order."""
        i = self.name()
        self.counted(f"scf.parallel ({i}) = (%c0) to (%c1) step (%c1)", i)

    def counted(self, head: str, i: str) -> None:
        """A loop that counts; a part of a buffer has two elements, so the counter is below 2."""
        self.say(f"{head} {{")
        with self.region():
            self.indices.append(i)
            for _ in range(self.r.randrange(2, 5)):
                self.op()
        self.say("}")

    def carry(self) -> None:
        """A loop that hands on a value, and a buffer."""
        whole = [name for name, type in self.buffers.items() if type == BUFFER]
        name, i, value, buffer = self.name(), self.name(), self.name(), self.name()
        self.say(f"{name}:2 = scf.for {i} = %c0 to %n step %c1 "
                 f"iter_args({value} = {self.late()}, {buffer} = {self.r.choice(whole)}) -> (i32, {BUFFER}) {{")
        with self.region():
            self.indices.append(i)
            self.values.append(value)
            self.buffers[buffer] = BUFFER
            for _ in range(self.r.randrange(2, 5)):
                self.op()
            kept = [one for one, type in self.buffers.items() if type == BUFFER]
            self.say(f"scf.yield {self.late()}, {self.r.choice(kept)} : i32, {BUFFER}")
        self.say("}")
        self.values.append(f"{name}#0")
        self.buffers[f"{name}#1"] = BUFFER

    def check(self) -> None:
        known = self.name()
        self.say(f"{known} = arith.cmpi ne, %p, %p : i1")
        other = self.name()
        self.say(f"{other} = arith.cmpi eq, {known}, {known} : i1")
        self.say(f'cf.assert {other}, "must be so"')
