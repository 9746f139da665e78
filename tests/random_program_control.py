"""Branches and loops for random programs: their regions hold ops of the same makers, on values from inside and outside.

An op with its regions is one entry of the program's lines, of several lines of text. It has values of known sizes only:
what is carried and stacked keeps its type. Loops are short, so that roundings stay small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tests.random_program_ops import MAKERS
from tests.random_program_text import NAMES, Dim, Value

if TYPE_CHECKING:
    from tests.random_programs import Writer

__all__ = ["CONTROL"]

INNER_OPS = 3
NO_FUNCTION = ("argmax", "shown", "rng")  # what keeps a loop from having a gradient, and what stands at the top only


def _carriable(value: Value) -> bool:
    """Its sizes are known before a loop."""
    return all(dim.text != "?" for dim in value.dims) and value.element not in ("f16", "bf16")


def region(w: Writer, arguments: Sequence[Value], wanted: Sequence[Value]) -> tuple[list[str], list[Value]] | None:
    """The lines of a region that may use `arguments`, and values of the types of `wanted`; None where there are none.

    The values are of the region where it makes some of the type.
    """
    lines, pool = w.lines, w.pool
    w.lines, w.pool = [], [*pool, *arguments]
    start = len(w.pool)
    makers = [(maker, weight) for maker, weight in MAKERS if maker.__name__ not in NO_FUNCTION]
    for _ in range(INNER_OPS):
        w.random.choices([m for m, _ in makers], [weight for _, weight in makers])[0](w)
    for value in wanted:
        _reach(w, value)
    made, inside, every = w.lines, w.pool[start:], w.pool
    w.lines, w.pool = lines, pool
    found = []
    for value in wanted:
        own = [v for v in inside if v.type == value.type]
        fitting = own or [v for v in every if v.type == value.type]
        if not fitting:
            return None
        found.append(w.random.choice(fitting[-3:]))
    return made, found


def _reach(w: Writer, value: Value) -> None:
    """Now and then an op that makes a value of this type out of two that are there."""
    fitting = [v for v in w.pool if v.type == value.type]
    if len(fitting) > 1 and value.element != "i1":
        x, y = fitting[-1], w.random.choice(fitting)
        w.emit(f"tir.{w.random.choice(['add', 'sub', 'maximum'])} {x.name}, {y.name} : {x.type}", x.element, x.dims, [x, y])


def _write(w: Writer, head: str, parts: Sequence[tuple[list[str], Sequence[str], Sequence[str]]], between: Sequence[str]) -> str:
    """The text of an op: its head, and regions of lines that end in a yield of values and types."""
    text = head
    for (lines, names, types), join in zip(parts, between):
        body = "".join(f"    {line}\n" for line in lines)
        text += f"{{\n{join}{body}    tir.yield {', '.join(names)} : {', '.join(types)}\n  }}"
    return text


def _finish(w: Writer, text: str, results: Sequence[Value], used: Sequence[Value]) -> None:
    """The op as an entry of the lines, and its results in the pool."""
    by_leaf = any(v.by_leaf for v in used)
    barred = any(v.barred for v in used)
    made = []
    for value in results:
        rounded = value.is_float
        made.append(Value(f"%v{w.count}", value.element, value.dims, not rounded, by_leaf, barred, rounded=rounded))
        w.count += 1
    w.lines.append(f"{', '.join(v.name for v in made)} = {text}")
    w.pool += made


def _outside(w: Writer, texts: Sequence[str]) -> list[Value]:
    """The values of the program that the text uses."""
    names = {name for text in texts for name in NAMES.findall(text)}
    return [v for v in w.pool if v.name in names]


def branch(w: Writer) -> None:
    conditions = [v for v in w.pool if v.element == "i1" and not v.dims and v.exact]
    like = w.pick(_carriable)
    if like is None or not conditions:
        return
    condition = w.random.choice(conditions)
    regions = [region(w, [], [like]) for _ in range(2)]
    if regions[0] is None or regions[1] is None:
        return
    parts = [(lines, [v.name for v in values], [v.type for v in values]) for lines, values in regions if values]
    text = f"tir.if {condition.name} -> ({like.type}) "
    first = _write(w, text, parts[:1], [""])
    whole = _write(w, f"{first} else ", parts[1:], [""])
    _finish(w, whole, [like], [*_outside(w, [whole]), *regions[0][1], *regions[1][1]])


def scan(w: Writer) -> None:
    sequence = w.pick(lambda v: _carriable(v) and 0 < len(v.dims) and v.dims[0].size <= 5)
    start = w.pick(_carriable)
    if sequence is None or start is None:
        return
    carried = _argument(w, start, start.dims)
    element = _argument(w, sequence, sequence.dims[1:])
    found = region(w, [carried, element], [start, element])
    if found is None:
        return
    lines, values = found
    stack = Value("", element.element, (sequence.dims[0], *element.dims))
    flag = w.random.choice(["", "", "reverse ", "checkpoint 1 "])
    if sequence.dims[0].is_static:
        flag = w.random.choice([flag, flag, "checkpoint 2 ", "reverse checkpoint 2 "])
    head = (
        f"tir.scan ({carried.name} = {start.name} : {start.type}) over ({element.name} = {sequence.name} : {sequence.type})"
        f" -> ({stack.type}) {flag}"
    )
    text = _write(w, head, [(lines, [v.name for v in values], [v.type for v in values])], [""])
    _finish(w, text, [start, stack], [start, sequence, *_outside(w, [text]), *values])


def loop(w: Writer) -> None:
    """Counts up to a number that only run time knows, at most 4."""
    start = w.pick(_carriable)
    counts = [v for v in w.pool if v.element == "i32" and not v.dims and v.exact]
    if start is None:
        return
    w.count += 1
    i, j, c = (f"%{letter}{w.count}" for letter in "ijc")
    limit = w.random.choice(counts).name if counts else None
    carried, again = _argument(w, start, start.dims), _argument(w, start, start.dims)
    found = region(w, [again], [start])
    if found is None:
        return
    lines, values = found
    zero, one = f"%z{w.count}", f"%o{w.count}"
    w.lines.append(f"{zero} = tir.constant dense<0> : tensor<i32>")
    w.lines.append(f"{one} = tir.constant dense<{w.random.choice([1, 1, 2])}> : tensor<i32>")
    if limit is None:
        limit = f"%n{w.count}x"
        w.lines.append(f"{limit} = tir.constant dense<3> : tensor<i32>")
    head = f"tir.while ({carried.name} = {start.name} : {start.type}, {i} = {zero} : tensor<i32>) max_trips 4 "
    condition = [f"{c} = tir.cmp lt {i}, {limit} : tensor<i32>"]
    text = _write(w, head, [(condition, [c], ["tensor<i1>"])], [""])
    lines = [*lines, f"{j}y = tir.add {j}, {one} : tensor<i32>"]
    names = f"  ^bb0({again.name}: {start.type}, {j}: tensor<i32>):\n"
    text = _write(w, f"{text} do ", [(lines, [values[0].name, f"{j}y"], [start.type, "tensor<i32>"])], [names])
    _finish(w, text, [start, Value("", "i32", ())], [start, *_outside(w, [text]), *values])


def _argument(w: Writer, like: Value, dims: Sequence[Dim]) -> Value:
    """An argument of a region."""
    w.count += 1
    return Value(f"%b{w.count}", like.element, tuple(dims), False, like.by_leaf, like.barred)


CONTROL: tuple[tuple[Callable[[Writer], None], int], ...] = ((branch, 12), (scan, 12), (loop, 8))
