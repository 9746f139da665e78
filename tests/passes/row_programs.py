"""Random programs of rows: elementwise ops and reductions along some axes, whose results are used for whole rows again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["RowProgram", "row_program"]

UNARY = ("neg", "tanh", "abs", "sigmoid", "sin")
BINARY = ("add", "sub", "mul", "maximum")
REDUCTIONS = ("sum", "max", "mean", "min", "prod")


@dataclass
class RowProgram:
    """The text of a module with a function @main, and how to make its arguments."""

    seed: int
    text: str
    shape: tuple[int, ...]
    arguments: list[Any]


@dataclass
class _Writer:
    """A program that is being written. wholes, parts: the names of tensors of all axes, and of those that are kept."""

    pick: Any
    types: tuple[str, str]
    kept: list[int]
    over: list[int]
    lines: list[str] = field(default_factory=list)
    wholes: list[str] = field(default_factory=lambda: ["%x", "%y"])
    parts: list[str] = field(default_factory=list)

    def any_of(self, names: list[str]) -> str:
        """One of the names, rather a late one."""
        return names[-1 - min(int(self.pick.geometric(0.5)) - 1, len(names) - 1)]

    def add(self, names: list[str], text: str) -> None:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {text}")
        names.append(name)

    def step(self) -> None:
        """One more op: of whole tensors, a reduction, one of its results, or such a result for each element."""
        whole, part = self.types
        kind = self.pick.choice(["unary", "binary", "reduce", "part", "back"])
        if kind == "unary":
            self.add(self.wholes, f"tir.{self.pick.choice(UNARY)} {self.any_of(self.wholes)} : {whole}")
        elif kind == "binary":
            operands = f"{self.any_of(self.wholes)}, {self.any_of(self.wholes)}"
            self.add(self.wholes, f"tir.{self.pick.choice(BINARY)} {operands} : {whole}")
        elif kind == "reduce" or not self.parts:
            name = self.any_of(self.wholes)
            reduction = self.pick.choice(REDUCTIONS)
            if reduction == "prod":  # of numbers near 1, so that it stays finite
                self.add(self.wholes, f"tir.sigmoid {name} : {whole}")
                name = self.wholes[-1]
            self.add(self.parts, f"tir.{reduction} {name} over {self.over} : {part}")
        elif kind == "part":
            operands = f"{self.any_of(self.parts)}, {self.any_of(self.parts)}"
            self.add(self.parts, f"tir.{self.pick.choice(BINARY)} {operands} : {part}")
        else:
            self.add(self.wholes, f"tir.broadcast {self.any_of(self.parts)} along {self.kept} : {part} -> {whole}")


def row_program(seed: int) -> RowProgram:
    """A program of 6 to 20 ops on tensors of 2 or 3 axes, whose sizes it may leave open."""
    pick = np.random.default_rng(seed)
    rank = int(pick.integers(2, 4))
    shape = tuple(int(pick.choice([1, 2, 3, 7])) for _ in range(rank - 1)) + (int(pick.choice([1, 64, 65, 100, 130])),)
    kept = sorted(pick.permutation(rank)[: pick.integers(1, rank)].tolist())
    over = [axis for axis in range(rank) if axis not in kept]
    names = [f"[D{axis}]" if pick.random() < 0.4 else str(size) for axis, size in enumerate(shape)]
    whole = f"tensor<{'x'.join(names)}xf32>"
    part = f"tensor<{'x'.join(names[axis] for axis in kept)}xf32>"
    writer = _Writer(pick, (whole, part), kept, over)
    for _ in range(pick.integers(6, 21)):
        writer.step()
    results = [(name, whole) for name in writer.wholes[2:]] + [(name, part) for name in writer.parts]
    chosen = [results[i] for i in pick.permutation(len(results))[: pick.integers(1, 4)]]
    values, types = ", ".join(name for name, _ in chosen), ", ".join(type for _, type in chosen)
    text = f"func.func @main(%x: {whole}, %y: {whole}) -> ({types}) {{\n" + "\n".join(writer.lines)
    arguments = [pick.normal(size=shape).astype(np.float32) for _ in range(2)]
    return RowProgram(seed, f"{text}\n  return {values} : {types}\n}}\n", shape, arguments)
