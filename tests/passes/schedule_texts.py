"""Structured programs, and random schedules for them."""

from __future__ import annotations

import random
import re

import numpy as np

from tir.dialects import linalg
from tir.dialects.all import REGISTRY
from tir.ir.attributes import IntegerAttr
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.types import I64
from tir.parser.parse import parse_text
from tir.passes.pipelines import to_structured

__all__ = ["PROGRAMS", "numbered", "random_arguments", "random_schedule_text", "with_schedule"]

#: Programs of two matrices; M, K, N are their sizes, T their elements.
PROGRAMS = {
    "product": "%0 = tir.dot %x, %y : tensor<MxNxT>\n%1 = tir.square %0 : tensor<MxNxT>\nreturn %1 : tensor<MxNxT>",
    "transpose": "%0 = tir.transpose %x by [1, 0] : tensor<KxMxT>\n%1 = tir.square %0 : tensor<KxMxT>\nreturn %1 : tensor<KxMxT>",
    "sums": "%0 = tir.sum %x over [1] : tensor<MxT>\n%1 = tir.square %0 : tensor<MxT>\nreturn %1 : tensor<MxT>",
    "sum of all": "%0 = tir.sum %x over [0, 1] : tensor<T>\nreturn %0 : tensor<T>",
    "columns": "%0 = tir.max %y over [0] : tensor<NxT>\n%1 = tir.broadcast %0 along [1] : tensor<NxT> -> tensor<KxNxT>\n"
    "%2 = tir.sub %y, %1 : tensor<KxNxT>\nreturn %2 : tensor<KxNxT>",
    "first largest": "%0 = tir.argmax %x axis 1 : tensor<Mxi64>\nreturn %0 : tensor<Mxi64>",
    "positions": "%0 = tir.iota axis 0 : tensor<KxT>\n%1 = tir.broadcast %0 along [1] : tensor<KxT> -> tensor<MxKxT>\n"
    "%2 = tir.mul %x, %1 : tensor<MxKxT>\nreturn %2 : tensor<MxKxT>",
}  # fmt: skip


def numbered(name: str, element: str, sizes: tuple[int, int, int], is_open: bool) -> tuple[str, int]:
    """The program on the structured level, with a number on each structured op, and how many there are."""
    is_open = is_open and name not in ("positions", "columns")  # of which sizes stand in the program
    known = {letter: "?" if is_open else str(size) for letter, size in zip("MKN", sizes)} | {"T": element}

    def type_of(found: re.Match[str]) -> str:
        return f"tensor<{'x'.join(known.get(part, part) for part in found[1].split('x'))}>"

    body = PROGRAMS[name]
    head = f"func.func @f(%x: tensor<MxKxT>, %y: tensor<KxNxT>) -> {body.rsplit(' : ', 1)[1]} {{\n"
    text = re.sub("tensor<([^>]*)>", type_of, head + body + "\n}")
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline(list(to_structured())), module)
    found = [op for op in module.walk() if isinstance(op, linalg.Generic)]
    for number, op in enumerate(found):
        op.set_attribute("n", IntegerAttr(number, I64))
    return print_op(module), len(found)


def random_arguments(seed: int, element: str, sizes: tuple[int, int, int]) -> list[np.ndarray]:
    """The two matrices, of whole numbers."""
    rng = np.random.default_rng(seed)
    m, k, n = sizes
    dtype = {"f32": np.float32, "i32": np.int32}[element]
    return [rng.integers(-9, 10, shape).astype(dtype) for shape in ((m, k), (k, n))]


def with_schedule(text: str, schedule: str) -> str:
    """The program with the schedule in its module."""
    head, _, body = text.partition("module {")
    assert not head
    return (
        "module attributes {transform.with_named_sequence} {" + body.rstrip()[:-1]
        + "transform.named_sequence @__transform_main(%root: !transform.any_op) {\n" + schedule + "\ntransform.yield\n}\n}\n"
    )  # fmt: skip


def random_schedule_text(seed: int, count: int) -> str:
    """Transformations of the structured ops with these numbers; what cannot be done is left out."""
    r = random.Random(seed)
    any_op = "!transform.any_op"
    lines = []
    for step in range(r.randint(1, 4)):
        number = r.randrange(count)
        sizes = ", ".join(str(r.choice([0, 1, 2, 3, 4, 8])) for _ in range(r.randint(1, 3)))
        order = list(range(r.choice([2, 2, 3])))
        r.shuffle(order)
        body = r.choice([
            f"%t, %l = transform.structured.tile_using_for %a tile_sizes [{sizes}] : ({any_op}) -> ({any_op}, {any_op})",
            f"%t, %l = transform.structured.tile_using_for %a tile_sizes [{sizes}] interchange = {order} : ({any_op}) -> ({any_op}, {any_op})",
            f"%t, %l = transform.structured.tile_using_forall %a tile_sizes [{sizes}] : ({any_op}) -> ({any_op}, {any_op})",
            f"%t, %l = transform.structured.tile_using_forall %a num_threads [{sizes}] : ({any_op}) -> ({any_op}, {any_op})",
            f"%t, %l = transform.structured.tile_using_forall %a tile_sizes [{sizes}] : ({any_op}) -> ({any_op}, {any_op})\n"
            f"%p = transform.get_producer_of_operand %t[0] : ({any_op}) -> {any_op}\n"
            f"%q = transform.get_producer_of_operand %p[0] : ({any_op}) -> {any_op}\n"
            f"%f, %g = transform.structured.fuse_into_containing_op %q into %l : ({any_op}, {any_op}) -> ({any_op}, {any_op})",
            f"%t, %l = transform.structured.fuse %a tile_sizes [{sizes}] : ({any_op}) -> ({any_op}, {any_op})",
            f"%t, %l = transform.structured.fuse %a tile_sizes [{sizes}] {{use_forall}} : ({any_op}) -> ({any_op}, {any_op})",
            f"%i = transform.structured.interchange %a iterator_interchange = {order} : ({any_op}) -> {any_op}",
            f"%l = transform.get_parent_op %a {{op_name = \"scf.forall\"}} : ({any_op}) -> {any_op}\n"
            f"%f = transform.loop.forall_to_for %l : ({any_op}) -> {any_op}",
            f"%l = transform.get_parent_op %a {{op_name = \"scf.for\"}} : ({any_op}) -> !transform.op<\"scf.for\">\n"
            f"%f, %g = transform.loop.peel %l : (!transform.op<\"scf.for\">) -> ({any_op}, {any_op})",
            f"%l = transform.get_parent_op %a {{op_name = \"scf.for\"}} : ({any_op}) -> {any_op}\n"
            f"transform.loop.unroll %l {{factor = {r.choice([2, 3, 4])} : i64}} : {any_op}",
        ])  # fmt: skip
        lines.append(
            f"%h{step} = transform.structured.match attributes{{n = {number} : i64}} in %root : ({any_op}) -> {any_op}\n"
            f"transform.foreach %h{step} : {any_op} {{\n^bb0(%one{step}: {any_op}):\n"
            f"transform.sequence %one{step} : {any_op} failures(suppress) {{\n^bb0(%a: {any_op}):\n{body}\ntransform.yield\n}}\n"
            "transform.yield\n}"
        )  # fmt: skip
    return "\n".join(lines)
