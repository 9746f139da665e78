"""Ops that random programs take over from the rows of `tests/ops/samples`, among what they write themselves.

A row brings its text and numbers that suit the op. Its names of sizes become names of their own, and its inputs become
arguments of the program; floats are, as often, values that the program has computed, cut to the shape. So every op that
has rows takes part, in all its forms, without a word about it here.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from tests.ops.samples import SAMPLES, Sample
from tests.random_program_text import FLOATS, NAMES, Argument, Dim, Value, static, tensor_type
from tir.dialects.all import REGISTRY

if TYPE_CHECKING:
    from tests.random_programs import Writer

__all__ = ["guest", "guest_ops"]

MAX_ELEMENTS = 400  # of all inputs and the result of a row
TENSOR = re.compile(r"tensor<((?:(?:\[[^\]]*\]|\?|\d+)x)*)(\w+)>")
DIM = re.compile(r"(\[[^\]]*\]|\?|\d+)x")
SIZE_NAME = re.compile(r"\b(?!floordiv\b|ceildiv\b|mod\b)[A-Za-z_]\w*")
OPERAND = re.compile(r"%(\d+)\b")


@cache
def _rows() -> dict[str, list[Sample]]:
    """The rows by op: those that are all tensors, and small."""
    found: dict[str, list[Sample]] = {}
    for row in SAMPLES:
        elements = row.want.size + sum(np.size(x) for x in row.inputs)
        if elements <= MAX_ELEMENTS and all(TENSOR.fullmatch(type) for type in (*row.types, row.result)):
            found.setdefault(row.op, []).append(row)
    return found


def guest_ops() -> tuple[str, ...]:
    """The names of the ops that have such rows."""
    return tuple(sorted(_rows()))


@cache
def _is_exact(op: str) -> bool:
    """The rows of the op want equal bits."""
    return all(row.rtol == 0 for row in _rows()[op])


def guest(w: Writer, op: str) -> str:
    """Writes one of the rows of the op as a line of the program; the name of the result."""
    differentiable = callable(getattr(REGISTRY.op_class(op), "grad", None))
    rows = _rows()[op]
    smooth = [row for row in rows if _parts(row.result, row.want.shape)[0] in FLOATS] if differentiable else []
    row = w.random.choice(smooth if smooth and w.random.random() < 0.6 else rows)
    suffix = str(w.count)
    operands = [_operand(w, _renamed(type, suffix), array) for type, array in zip(row.types, row.inputs)]
    defined, _, text = row.module().splitlines()[1].strip().partition(" = ")
    text = OPERAND.sub(lambda match: operands[int(match[1])].name, _renamed(text, suffix))
    element, dims = _parts(_renamed(row.result, suffix), row.want.shape)
    is_exact = _is_exact(op) or element not in FLOATS
    others = [name for name in NAMES.findall(defined) if name != "%r"]
    value = w.emit(text, element, dims, operands, exact=is_exact, differentiable=differentiable)
    for name in others:  # results of the op that the row does not look at
        defined = defined.replace(name, f"%u{suffix}{name[1:]}")
    w.lines[-1] = f"{defined.replace('%r', value.name)} = {text}"
    return value.name


def _operand(w: Writer, type: str, array: np.ndarray) -> Value:
    element, dims = _parts(type, array.shape)
    value = None
    if element in FLOATS and all(dim.is_static for dim in dims) and array.size and w.random.random() < 0.6:
        value = _cut_to(w, element, array.shape)
    if value is None:
        value = Value(f"%a{len(w.given)}", element, dims)
        w.given.append(Argument(value, "given", array))
        w.pool.append(value)
    if value.is_float and w.random.random() < 0.6:
        return w.emit(f"tir.leaf {value.name} : {value.type}", element, dims, [value], is_leaf=True)
    return value


def _cut_to(w: Writer, element: str, shape: tuple[int, ...]) -> Value | None:
    """Some computed value in this form: cast, repeated, cut and reshaped; None if there is none that every level knows."""
    x = w.pick(lambda v: v.is_float and v.exact and math.prod(v.shape) > 0 and all(dim.is_static for dim in v.dims))
    if x is None:
        return None
    if x.element != element:
        x = w.emit(f"tir.cast {x.name} : {x.type} -> {tensor_type(x.dims, element)}", element, x.dims, [x])
    wanted, size = math.prod(shape), math.prod(x.shape)
    if size < wanted:
        rows = -(-wanted // size)
        x = _reshaped(w, x, (size,))
        type = tensor_type([static(rows), static(size)], element)
        text = f"tir.broadcast {x.name} along [1] : {x.type} -> {type}"
        x = w.emit(text, element, [static(rows), static(size)], [x])
        size *= rows
    if size != wanted:
        x = _reshaped(w, x, (size,))
        text = f"tir.slice {x.name} from [0] to [{wanted}] step [1] : {tensor_type([static(wanted)], element)}"
        x = w.emit(text, element, [static(wanted)], [x])
    return _reshaped(w, x, shape)


def _reshaped(w: Writer, x: Value, shape: tuple[int, ...]) -> Value:
    if x.shape == shape:
        return x
    dims = [static(size) for size in shape]
    return w.emit(f"tir.reshape {x.name} : {x.type} -> {tensor_type(dims, x.element)}", x.element, dims, [x])


def _parts(type: str, shape: tuple[int, ...]) -> tuple[str, tuple[Dim, ...]]:
    """The element type and the sizes, which are those of the shape at run time."""
    match = TENSOR.fullmatch(type)
    assert match is not None, type
    texts = DIM.findall(match[1])
    return match[2], tuple(Dim(text, size) for text, size in zip(texts, shape, strict=True))


def _renamed(text: str, suffix: str) -> str:
    """The text with a suffix at each name of a size in its types."""

    def renamed(match: re.Match[str]) -> str:
        dims = re.sub(r"\[[^\]]*\]", lambda dim: SIZE_NAME.sub(rf"\g<0>{suffix}", dim[0]), match[1])
        return f"tensor<{dims}{match[2]}>"

    return TENSOR.sub(renamed, text)
