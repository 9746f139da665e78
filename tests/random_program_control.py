"""Branches and loops for random programs: their regions hold ops of the same makers, on values from inside and outside.

An op with its regions is one entry of the program's lines, of several lines of text. What is carried and stacked keeps
its type, so its sizes are known; only how many elements a sequence has may be `?`. Regions hold branches and loops too, to
a depth of two. Loops are short, so that roundings stay small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.random_program_ops import MAKERS
from tests.random_program_text import NAMES, Dim, Value

if TYPE_CHECKING:
    from tests.random_programs import Writer

__all__ = ["CONTROL"]

INNER_OPS, DEPTH = 3, 2
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
    w.depth += 1
    makers += CONTROL if w.depth < DEPTH else ()
    for _ in range(INNER_OPS):
        w.random.choices([m for m, _ in makers], [weight for _, weight in makers])[0](w)
    w.depth -= 1
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


def _finish(w: Writer, text: str, results: Sequence[Value], used: Sequence[Value], barred: bool = False) -> None:
    """The op as an entry of the lines, and its results in the pool. barred: it has no gradient in reverse."""
    by_leaf = any(v.by_leaf for v in used)
    barred = (barred and by_leaf) or any(v.barred for v in used)
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


def checkpoint(w: Writer) -> None:
    likes = [v for v in (w.pick(_carriable) for _ in range(w.random.choice([1, 1, 2]))) if v is not None]
    found = region(w, [], likes) if likes else None
    if found is None:
        return
    lines, values = found
    part = (lines, [v.name for v in values], [v.type for v in values])
    text = _write(w, f"tir.checkpoint -> ({', '.join(v.type for v in likes)}) ", [part], [""])
    _finish(w, text, likes, [*_outside(w, [text]), *values])


def scan(w: Writer) -> None:
    """Of one or two sequences and up to two carried values, with as many stacks; one at least comes out."""
    first = w.pick(_is_sequence)
    if first is None:
        return
    other = w.pick(lambda v: _is_sequence(v) and v.dims[0] == first.dims[0]) if w.random.random() < 0.4 else None
    sequences = [first] if other is None else [first, other]
    starts = [v for v in (w.pick(_carriable) for _ in range(w.random.choice([0, 1, 1, 1, 2]))) if v is not None]
    carried = [_argument(w, start, start.dims) for start in starts]
    elements = [_argument(w, sequence, sequence.dims[1:]) for sequence in sequences]
    stacked = elements[: w.random.choice([0, 1, 1, len(elements)])] if starts else elements
    found = region(w, [*carried, *elements], [*starts, *stacked])
    if found is None:
        return
    lines, values = found
    stacks = [Value("", element.element, (first.dims[0], *element.dims)) for element in stacked]
    head = "tir.scan "
    if starts:
        head += f"({', '.join(f'{a.name} = {v.name} : {v.type}' for a, v in zip(carried, starts))}) "
    head += f"over ({', '.join(f'{a.name} = {v.name} : {v.type}' for a, v in zip(elements, sequences))}) "
    head += f"-> ({', '.join(stack.type for stack in stacks)}) " if stacks else ""
    head += _flags(w, first.dims[0].is_static)
    text = _write(w, head, [(lines, [v.name for v in values], [v.type for v in values])], [""])
    _finish(w, text, [*starts, *stacks], [*starts, *sequences, *_outside(w, [text]), *values])


def _is_sequence(value: Value) -> bool:
    return 0 < len(value.dims) and _carriable(replace(value, dims=value.dims[1:])) and value.dims[0].size <= 5


def _flags(w: Writer, is_static: bool) -> str:
    """Directions, and what a gradient keeps; of an unknown number of steps it keeps each or nothing."""
    reverse = w.random.choice(["", "", "reverse "])
    known = ["checkpoint 2 ", "checkpoint 3 ", "truncate 1 ", "truncate 2 "] if is_static else []
    return reverse + w.random.choice(["", "", "", "checkpoint 1 ", *known])


def loop(w: Writer) -> None:
    """Counts up to a number that only run time knows, for at most 4 steps; now and then to one that text tells."""
    starts = [v for v in (w.pick(_carriable) for _ in range(w.random.choice([1, 1, 2]))) if v is not None]
    counts = [v for v in w.pool if v.element == "i32" and not v.dims and v.exact]
    if not starts:
        return
    w.count += 1
    i, j, c = (f"%{letter}{w.count}" for letter in "ijc")
    is_limited = w.depth > 0 or w.random.random() < 0.8
    limit = w.random.choice(counts).name if counts and is_limited else None
    carried, again = ([_argument(w, start, start.dims) for start in starts] for _ in range(2))
    found = region(w, again, starts)
    if found is None:
        return
    lines, values = found
    zero, one = f"%z{w.count}", f"%o{w.count}"
    w.lines.append(f"{zero} = tir.constant dense<0> : tensor<i32>")
    w.lines.append(f"{one} = tir.constant dense<{w.random.choice([1, 1, 2])}> : tensor<i32>")
    if limit is None:
        limit = f"%n{w.count}x"
        w.lines.append(f"{limit} = tir.constant dense<{w.random.choice([0, 1, 3])}> : tensor<i32>")
    pairs = ", ".join(f"{a.name} = {v.name} : {v.type}" for a, v in zip(carried, starts))
    trips = f"max_trips {w.random.choice([4, 4, 4, 2, 0])} " if is_limited else ""
    head = f"tir.while ({pairs}, {i} = {zero} : tensor<i32>) {trips}"
    condition = [f"{c} = tir.cmp lt {i}, {limit} : tensor<i32>"]
    text = _write(w, head, [(condition, [c], ["tensor<i1>"])], [""])
    lines = [*lines, f"{j}y = tir.add {j}, {one} : tensor<i32>"]
    names = f"  ^bb0({', '.join(f'{a.name}: {a.type}' for a in again)}, {j}: tensor<i32>):\n"
    types = [*(v.type for v in values), "tensor<i32>"]
    text = _write(w, f"{text} do ", [(lines, [*(v.name for v in values), f"{j}y"], types)], [names])
    _finish(w, text, [*starts, Value("", "i32", ())], [*starts, *_outside(w, [text]), *values], barred=not is_limited)


def _argument(w: Writer, like: Value, dims: Sequence[Dim]) -> Value:
    """An argument of a region."""
    w.count += 1
    return Value(f"%b{w.count}", like.element, tuple(dims), False, like.by_leaf, like.barred)


CONTROL: tuple[tuple[Callable[[Writer], None], int], ...] = (
    (branch, 12), (scan, 12), (loop, 8), (checkpoint, 6),
)
