"""Random innermost loops as text: elementwise ones and reductions, over buffers of many kinds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["FORMS", "Kept", "SIZES", "elementwise_loop", "column_loop", "reduction_loop"]

SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 130, 257)
DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "i8": np.int8, "i16": np.int16}

#: Ops by the elements they are for; `{}` stands for an operand.
_FLOAT_OPS = (
    "arith.addf {}, {} : T", "arith.subf {}, {} : T", "arith.mulf {}, {} : T", "arith.divf {}, {} : T", "arith.negf {} : T",
    "arith.maximumf {}, {} : T", "arith.minnumf {}, {} : T", "math.absf {} : T", "math.sqrt {} : T", "math.floor {} : T",
    "math.copysign {}, {} : T", "math.fma {}, {}, {} : T",
)  # fmt: skip
_INTEGER_OPS = (
    "arith.addi {}, {} : T", "arith.subi {}, {} : T", "arith.muli {}, {} : T", "arith.andi {}, {} : T", "arith.xori {}, {} : T",
    "arith.maxsi {}, {} : T", "arith.minui {}, {} : T", "arith.shrsi {}, {} : T", "arith.shli {}, {} : T", "math.absi {} : T",
    "arith.divsi {}, {} : T", "arith.remui {}, {} : T", "math.ctpop {} : T",
)  # fmt: skip
#: Reductions: the op, the elements that it is for, and whether its order is free without any flag.
FORMS = (
    ("arith.addf {}, {} fastmath<reassoc> : T", "f"), ("arith.mulf {}, {} fastmath<reassoc> : T", "f"),
    ("arith.maximumf {}, {} : T", "f"), ("arith.minimumf {}, {} : T", "f"),
    ("arith.maxnumf {}, {} : T", "f"), ("arith.minnumf {}, {} : T", "f"),
    ("arith.addi {}, {} : T", "i"), ("arith.muli {}, {} : T", "i"), ("arith.andi {}, {} : T", "i"),
    ("arith.ori {}, {} : T", "i"), ("arith.xori {}, {} : T", "i"), ("arith.maxsi {}, {} : T", "i"),
    ("arith.minsi {}, {} : T", "i"), ("arith.maxui {}, {} : T", "i"), ("arith.minui {}, {} : T", "i"),
)  # fmt: skip
HARD = {
    "f": [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e-40, 3e38, -2.75, 0.1],
    "i": [0, 1, -1, 2, 31, 64, -(2**31), 2**31 - 1, 12345, -7],
}


@dataclass
class Kept:
    """A program @f, and its arguments but for sizes. size: of the last axis."""

    text: str
    arrays: list[np.ndarray]
    size: int


class _Body:
    """Lines of a loop's body. values: the names of what there is to compute with."""

    def __init__(self, r: random.Random, element: str, letter: str = "v") -> None:
        self.r, self.element, self.letter = r, element, letter
        self.lines: list[str] = []
        self.values: list[str] = []

    def add(self, text: str) -> str:
        name = f"%{self.letter}{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def compute(self, count: int) -> None:
        ops = _FLOAT_OPS if self.element[0] == "f" else _INTEGER_OPS
        for _ in range(count):
            if self.r.random() < 0.2:
                self.values.append(self.chosen())
                continue
            op = self.r.choice(ops)
            operands = [self.r.choice(self.values) for _ in range(op.count("{}"))]
            self.values.append(self.add(op.format(*operands).replace("T", self.element)))

    def chosen(self) -> str:
        a, b = (self.r.choice(self.values) for _ in range(2))
        form = "arith.cmpf olt" if self.element[0] == "f" else "arith.cmpi ult"
        condition = self.add(f"{form}, {a}, {b} : {self.element}")
        return self.add(f"arith.select {condition}, {b}, {a} : {self.element}")


def _numbers(r: random.Random, element: str, shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    dtype = DTYPES[element]
    count = int(np.prod(shape))
    hard = np.array([r.choice(HARD[element[0]]) for _ in range(count)], np.int64 if element[0] == "i" else dtype).astype(dtype)
    plain = rng.uniform(-9, 9, count).astype(dtype)
    return np.where(rng.random(count) < 0.3, hard, plain).reshape(shape).astype(dtype)


def elementwise_loop(seed: int) -> Kept:
    """A parallel loop over one or two axes: loads in several ways, ops, one or two stores."""
    r, rng = random.Random(seed), np.random.default_rng(seed)
    element, size, rows = r.choice(list(DTYPES)), r.choice(SIZES), r.choice([1, 3])
    is_open, two = r.random() < 0.6, r.random() < 0.5
    offset = r.choice([0, 0, 1, 5])  # of the counter, and where the buffers begin to be used
    dim = "?" if is_open else size
    wide = "?" if is_open else size + 5
    row, whole = f"memref<{wide}x{element}>", f"memref<{rows}x{wide}x{element}>"
    counters = "%j, %i" if two else "%i"
    here, moved = ("%j, %i", "%j, %moved") if two else ("%r0, %i", "%r0, %moved")
    body = _Body(r, element)
    body.lines.append(f"%moved = arith.addi %i, %c{offset} : index")
    loads = [f"memref.load %a[{here}] : {whole}", f"memref.load %a[{moved}] : {whole}", f"memref.load %b[%i] : {row}",
             f"memref.load %b[%moved] : {row}", f"memref.load %s[] : memref<{element}>",
             f"memref.load %t[%r0] : memref<3x{element}>"]  # fmt: skip
    body.values = [body.add(text) for text in r.sample(loads, r.randint(1, 4))] + ["%k"]
    if r.random() < 0.4:
        name = body.add(f"arith.index_cast %i : index to i{element[1:]}")
        body.values.append(name if element[0] == "i" else body.add(f"arith.sitofp {name} : i{element[1:]} to {element}"))
    body.compute(r.randint(0, 9))
    stores = [f"memref.store {body.values[-1]}, %out[{here}] : {whole}"]
    if r.random() < 0.3:
        stores.append(f"memref.store {r.choice(body.values)}, %out2[{moved}] : {whole}")
    flags = f"memref<{rows}x{wide}xi1>"
    if r.random() < 0.3:
        a, b = r.choice(body.values), r.choice(body.values)
        condition = body.add(f"{'arith.cmpf ule' if element[0] == 'f' else 'arith.cmpi slt'}, {a}, {b} : {element}")
        stores.append(f"memref.store {condition}, %flags[{here}] : {flags}")
    low, high, step = ("%r0, %c0", "%rows, %n", "%c1, %c1") if two else ("%c0", "%n", "%c1")
    number = "1.25" if element[0] == "f" else "3"
    lines = "\n".join([*body.lines, *stores])
    size_line = "" if is_open else f"%n = arith.constant {dim} : index"
    text = f"""
    func.func @f(%a: {whole}, %b: {row}, %s: memref<{element}>, %t: memref<3x{element}>, %out: {whole}, %out2: {whole},
                 %flags: {flags}, {'%n' if is_open else '%unused'}: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c5 = arith.constant 5 : index
      %r0 = arith.constant 0 : index
      %rows = arith.constant {rows} : index
      %k = arith.constant {number} : {element}
      {size_line}
      scf.parallel ({counters}) = ({low}) to ({high}) step ({step}) {{
        {lines}
      }}
      return
    }}
    """
    shapes = [(rows, size + 5), (size + 5,), (), (3,), (rows, size + 5), (rows, size + 5)]
    arrays = [_numbers(r, element, shape, rng) for shape in shapes]
    return Kept(text, [*arrays, rng.random((rows, size + 5)) < 0.5], size)


def reduction_loop(seed: int, form: str, kind: str) -> Kept:
    """A loop in order that combines, in the way of `form`, one number that a step computes with what it carries."""
    r, rng = random.Random(seed), np.random.default_rng(seed)
    element = r.choice([name for name in DTYPES if name[0] == kind])
    size, is_open = r.choice(SIZES), r.random() < 0.6
    buffer = f"memref<{'?' if is_open else size}x{element}>"
    body = _Body(r, element)
    body.values = [body.add(f"memref.load %a[%i] : {buffer}")]
    if "add" not in form and "mul" not in form:  # with these roundings would grow
        body.values += [body.add(f"memref.load %b[%i] : {buffer}"), "%k"]
        body.compute(r.randint(0, 3))
    operands = ["%acc", body.values[-1]]
    r.shuffle(operands)
    combined = form.format(*operands).replace("T", element)
    lines = "\n".join(body.lines)
    text = f"""
    func.func @f(%a: {buffer}, %b: {buffer}, %s: memref<{element}>, {'%n' if is_open else '%unused'}: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %k = arith.constant {'1.25' if kind == 'f' else '3'} : {element}
      {'' if is_open else f'%n = arith.constant {size} : index'}
      %first = memref.load %s[] : memref<{element}>
      %all = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %first) -> ({element}) {{
        {lines}
        %new = {combined}
        scf.yield %new : {element}
      }}
      memref.store %all, %s[] : memref<{element}>
      return
    }}
    """
    return Kept(text, [_numbers(r, element, shape, rng) for shape in ((size,), (size,), ())], size)


def column_loop(seed: int) -> Kept:
    """A parallel loop over columns, each with a loop over its rows that carries one or two numbers in an order that counts."""
    r, rng = random.Random(seed), np.random.default_rng(seed)
    element, size, rows = r.choice(list(DTYPES)), r.choice(SIZES), r.choice([0, 1, 2, 5, 9])
    is_open, two = r.random() < 0.6, r.random() < 0.4
    wide = "?" if is_open else size + 5
    row, whole, column = f"memref<{wide}x{element}>", f"memref<9x{wide}x{element}>", f"memref<9x{element}>"
    outside, inside = _Body(r, element), _Body(r, element, "w")
    outside.values = [outside.add(f"memref.load %b[%j] : {row}"), "%k"]
    outside.compute(r.randint(0, 2))
    loads = [f"memref.load %a[%i, %j] : {whole}", f"memref.load %t[%i] : {column}", f"memref.load %out[%i, %j] : {whole}"]
    inside.values = [inside.add(text) for text in r.sample(loads, r.randint(1, 3))]
    inside.values += [*outside.values, "%p", *(["%q"] if two else [])]
    inside.compute(r.randint(1, 6))
    first = outside.values[-1]
    carried = f"%p = {first}, %q = %k" if two else f"%p = {first}"
    types = f"{element}, {element}" if two else element
    yields = f"{inside.values[-1]}, {r.choice(inside.values)}" if two else inside.values[-1]
    stored = "%all#1" if two and r.random() < 0.5 else "%all#0" if two else "%all"
    text = f"""
    func.func @f(%a: {whole}, %b: {row}, %t: {column}, %out: {whole}, {'%n' if is_open else '%unused'}: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %rows = arith.constant {rows} : index
      %k = arith.constant {'1.25' if element[0] == 'f' else '3'} : {element}
      {'' if is_open else f'%n = arith.constant {size} : index'}
      scf.parallel (%j) = (%c0) to (%n) step (%c1) {{
        {chr(10).join(outside.lines)}
        %all{':2' if two else ''} = scf.for %i = %c0 to %rows step %c1 iter_args({carried}) -> ({types}) {{
          {chr(10).join(inside.lines)}
          scf.yield {yields} : {types}
        }}
        memref.store {stored}, %out[%c0, %j] : {whole}
      }}
      return
    }}
    """
    shapes = [(9, size + 5), (size + 5,), (9,), (9, size + 5)]
    return Kept(text, [_numbers(r, element, shape, rng) for shape in shapes], size)
