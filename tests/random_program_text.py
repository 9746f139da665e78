"""What a random program is: its text, line by line, its inputs, and how it shrinks. `random_programs.py` writes them.

    program.text                # a module with the entry @main
    program.arguments(seed)     # numpy arrays by `tir.name`
    program.shaken()            # the same program with roundings made larger
    dropped(program)            # smaller programs, to shrink one that fails
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tir.ir.bfloat16 import round_to_bf16

__all__ = [
    "Argument", "Dim", "FLOATS", "INTEGERS", "NAMES", "Program", "Value", "dropped", "meet", "static", "tensor_type",
    "tidied",
]  # fmt: skip

FLOATS = ("f32", "f64", "f16", "bf16")
INTEGERS = ("i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64")
#: A call takes bf16 as numbers in float32.
DTYPES = {
    "f16": np.float16, "bf16": np.float32, "f32": np.float32, "f64": np.float64, "i1": np.bool_, "i8": np.int8,
    "i16": np.int16, "i32": np.int32, "i64": np.int64, "ui8": np.uint8, "ui16": np.uint16, "ui32": np.uint32,
    "ui64": np.uint64,
}  # fmt: skip
NAN, INF = float("nan"), float("inf")
HARD_FLOATS = (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e-30, 100.0)
#: Ops whose float results may differ in the last places, and those whose sums may be added up in another order.
FUNCTIONS = (
    "rsqrt", "cbrt", "exp2", "expm1", "log2", "log10", "log1mexp", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
    "asinh", "acosh", "atanh", "erf", "erfc", "softplus", "leaky_relu", "elu", "gelu", "silu",
)  # fmt: skip
_ROUNDED = {
    f"tir.{name}" for name in ("exp", "log", "log1p", "tanh", "sigmoid", "pow", "sqrt", "atan2", *FUNCTIONS)
}
_SUMMED = ("tir.sum", "tir.prod", "tir.mean", "tir.dot", "tir.softmax", "tir.log_softmax", "tir.softmax_cross_entropy")
#: SSA names in a line.
NAMES = re.compile(r"%\w+")
SIZE_NAMES = re.compile(r"\b[A-Z]\w*")


@dataclass(frozen=True)
class Dim:
    """A size: its text in a type ("3", "?", "[N]", "[N - 1]"), and what it is at run time."""

    text: str
    size: int

    @property
    def is_static(self) -> bool:
        return self.text.isdigit()


def static(size: int) -> Dim:
    return Dim(str(size), size)


@dataclass(frozen=True)
class Value:
    """A tensor of the program.

    exact: every level gives the same bits; rounded: its own op is why they may not. by_leaf: it depends on a leaf; barred: and that by an op without a gradient.
    """

    name: str
    element: str
    dims: tuple[Dim, ...]
    exact: bool = True
    by_leaf: bool = False
    barred: bool = False
    rounded: bool = False

    @property
    def type(self) -> str:
        return tensor_type(self.dims, self.element)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(dim.size for dim in self.dims)

    @property
    def is_float(self) -> bool:
        return self.element in FLOATS

    def can_meet(self, other: Value) -> bool:
        """An elementwise op may take both: equal sizes, which the types do not deny."""
        pairs = list(zip(self.dims, other.dims))
        return len(self.dims) == len(other.dims) and all(meet(a, b) is not None for a, b in pairs)


def tensor_type(dims: Sequence[Dim], element: str) -> str:
    return f"tensor<{''.join(f'{dim.text}x' for dim in dims)}{element}>"


def meet(first: Dim, second: Dim) -> Dim | None:
    """The size of an elementwise result: `?` takes the size it meets."""
    if first.size != second.size or (first.text != second.text and "?" not in (first.text, second.text)):
        return None
    return second if first.text == "?" else first


@dataclass(frozen=True)
class Argument:
    """An argument of @main. kind: what its numbers are like; "given" are those of the array."""

    value: Value
    kind: str
    numbers: np.ndarray | None = field(default=None, compare=False)

    def attributes(self) -> str:
        name = self.value.name.lstrip("%")
        low_high = {"unit": "[0.0, 1.0]", "normal": "[-2.0, 2.0]", "labels": "[0, 4]", "small": "[-9, 9]"}.get(self.kind)
        return f'{{tir.name = "{name}"{f", tir.range = {low_high}" if low_high else ""}}}'

    def array(self, rng: np.random.Generator) -> np.ndarray:
        """Numbers of this kind."""
        if self.numbers is not None:
            return self.numbers
        found = self._drawn(rng)
        return round_to_bf16(found) if self.value.element == "bf16" else found

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        shape, dtype = self.value.shape, DTYPES[self.value.element]
        if self.kind.startswith("noise"):
            terms = int(self.kind.split()[1])
            most, eps = {"f16": (32, 2.0**-10), "bf16": (4, 2.0**-7)}.get(self.value.element, (terms, np.finfo(dtype).eps))
            steps = 4 + min(terms, most)
            return (1 + rng.integers(-steps, steps, size=shape, endpoint=True) * eps).astype(dtype)
        if self.kind == "hard":
            return rng.choice(np.array(HARD_FLOATS), size=shape).astype(dtype)
        if self.kind == "bits":
            return rng.integers(0, 2, size=shape).astype(dtype)
        if self.kind == "any":
            info = np.iinfo(dtype)
            return rng.integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)
        low, high = {"unit": (0.0, 1.0), "normal": (-2.0, 2.0), "labels": (0, 4), "small": (-9, 9)}[self.kind]
        if self.value.is_float:
            return rng.uniform(low, high, size=shape).astype(dtype)
        return rng.integers(low, high, size=shape).astype(dtype)


@dataclass(frozen=True)
class Program:
    """A module: `head` (the shared variables), the arguments of @main, its ops, one a line, and what it returns.

    values: all that the lines define, by name.
    """

    seed: int
    head: tuple[str, ...]
    given: tuple[Argument, ...]
    lines: tuple[str, ...]
    results: tuple[Value, ...]
    values: Mapping[str, Value]

    @property
    def text(self) -> str:
        arguments = ", ".join(f"{a.value.name}: {a.value.type} {a.attributes()}" for a in self.given)
        types = ", ".join(value.type for value in self.results)
        names = ", ".join(value.name for value in self.results)
        body = [f"  {line}" for line in self.lines] + [f"  return {names} : {types}" if self.results else "  return"]
        return "\n".join([*self.head, f"func.func @main({arguments}) -> ({types}) {{", *body, "}", ""])

    def arguments(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Arrays by `tir.name`."""
        rng = np.random.default_rng([self.seed, seed])
        return {a.value.name.lstrip("%"): a.array(rng) for a in self.given}

    def shaken(self) -> Program:
        """The same program with more arguments, by which all that correct levels may round differently is multiplied.

        With arguments near 1 it shows what the program makes of roundings: the results of functions such as exp, and the
        terms of float sums, are each off by a few units in the last place.
        """
        lines: list[str] = []
        given = list(self.given)

        def noise(value: Value) -> str:
            name = f"%e{len(given)}"
            given.append(Argument(replace(value, name=name), f"noise {math.prod(value.shape)}"))
            return name

        for line in self.lines:
            defined, _, op = line.partition(" = ")
            name = op.partition(" ")[0]
            result = next((n for n in NAMES.findall(defined) if op and n in self.values), "")
            value = self.values.get(result)
            if value is None or not value.is_float:
                lines.append(line)
                continue
            known = {n: self.values[n] for n in NAMES.findall(op) if n in self.values}
            operands = [v for v in known.values() if v.is_float]
            if name in _ROUNDED or (value.rounded and not operands):
                lines.append(f"{result}r = {op}")
                lines.append(f"{result} = tir.mul {result}r, {noise(value)} : {value.type}")
            elif name in _SUMMED or value.rounded:
                for operand in operands:
                    lines.append(f"{result}{operand.name[1:]} = tir.mul {operand.name}, {noise(operand)} : {operand.type}")
                    op = re.sub(rf"{operand.name}\b", f"{result}{operand.name[1:]}", op)
                lines.append(f"{defined} = {op}")
            else:
                lines.append(line)
        return replace(self, given=tuple(given), lines=tuple(lines))


def dropped(program: Program) -> Iterator[Program]:
    """Smaller programs: without a result, an update or gradient and all that nothing uses then, or an argument."""
    for value in program.results:
        yield tidied(replace(program, results=tuple(v for v in program.results if v is not value)))
    for line in program.lines:
        if line.startswith(("tir.update", "tir.assert", "tir.print")):
            yield tidied(replace(program, lines=tuple(one for one in program.lines if one is not line)))
    for line in program.lines:
        if (cut := _cut(program, line)) is not None:
            yield cut


def _cut(program: Program, line: str) -> Program | None:
    """The program with the result of this line as an argument; None where its sizes only run time knows."""
    value = program.values.get(line.partition(" = ")[0])
    if value is None or "tir.leaf" in line or any(dim.text == "?" for dim in value.dims):
        return None
    kind = "normal" if value.is_float else "bits" if value.element == "i1" else "labels"
    lines = tuple(one for one in program.lines if one is not line)
    return tidied(replace(program, lines=lines, given=(*program.given, Argument(value, kind))))


def tidied(program: Program) -> Program:
    """Without the ops, arguments and shared variables that nothing uses."""
    needed = {value.name for value in program.results}
    kept: list[str] = []
    for line in reversed(program.lines):
        defined, equals, rest = line.partition(" = ")
        names = NAMES.findall(defined) if equals and defined.startswith("%") else []
        if names and not needed & set(names):
            continue
        needed |= set(NAMES.findall(rest if names else line))
        kept.append(line)
    lines = tuple(reversed(kept))
    used = " ".join(lines)
    sizes = used + " ".join(value.type for value in program.results)
    used_names = set(SIZE_NAMES.findall(sizes))
    given = tuple(a for a in program.given
                  if a.value.name in needed or used_names.intersection(SIZE_NAMES.findall(a.value.type)))
    symbols = set(re.findall(r"@\w+", used))
    head = tuple(h for h in program.head if any(re.search(rf"{s}\b", h) for s in symbols))
    return replace(program, lines=lines, given=given, head=head)
