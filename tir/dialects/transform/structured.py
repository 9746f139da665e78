"""Transformations of structured ops."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects.transform.base import OP_HANDLE, PARAM, TYPED, TransformOp
from tir.ir.attributes import ArrayAttr, Attribute, DenseArrayAttr, StringAttr
from tir.ir.define import attribute, operand, result
from tir.ir.errors import TirError
from tir.ir.ir import Value
from tir.ir.kinds import DICTIONARY, I64_ARRAY, TYPE, UNIT, AttributeKind, integer_enum
from tir.ir.types import I1, I32
from tir.ir.views import DYNAMIC_INDEX, mixed, verify_mixed

__all__ = ["INTERFACES", "OPS", "Match", "TileUsingFor", "TileUsingForall"]

INTERFACES = integer_enum(("LinalgOp", "TilingInterface", "LoopLikeInterface"), I32)


def _is_names(attribute: Attribute) -> bool:
    return isinstance(attribute, ArrayAttr) and all(isinstance(item, StringAttr) for item in attribute)


NAMES = AttributeKind(
    "an array of names of ops", _is_names, lambda a: tuple(item.value for item in a),
    lambda names: ArrayAttr(tuple(map(StringAttr, names))),
)  # fmt: skip
FLAGS = AttributeKind(
    "an array<i1>", lambda a: isinstance(a, DenseArrayAttr) and a.element is I1, lambda a: a.values,
    lambda flags: DenseArrayAttr(I1, tuple(flags)),
)  # fmt: skip


class Match(TransformOp):
    """`transform.structured.match ops{["linalg.generic"]} in %h : (..) -> !transform.any_op`: ops inside, in order.

    Also by `interface{LinalgOp}`, by attributes that they have, `attributes{my.mark}`, and by the type of their only
    result; what is said must all hold. The ops of the handle count, too.
    """

    name = "transform.structured.match"
    target = operand(OP_HANDLE)
    found = result(OP_HANDLE)
    ops = attribute(NAMES, optional=True)
    interface = attribute(INTERFACES, optional=True)
    op_attrs = attribute(DICTIONARY, optional=True)
    filter_result_type = attribute(TYPE, optional=True)
    format = "custom<MatchHeader>($ops, $interface, $op_attrs, $filter_result_type) `in` $target " + TYPED


class TileUsingFor(TransformOp):
    """`transform.structured.tile_using_for %h tile_sizes [4, %n] interchange = [1, 0] : (..) -> (..)`: tiles structured ops.

    A size is for a dimension of the op; 0 is for one that is not tiled. The results are the op on a tile, and the loops
    around it, the outermost first, or one handle for all of them. With an interchange, place p has the loop of dimension
    `interchange[p]`. The last tile is smaller where a size does not divide.
    """

    name = "transform.structured.tile_using_for"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    dynamic_sizes = operand(PARAM, variadic=True)
    tiled_linalg_op = result(OP_HANDLE)
    loops = result(OP_HANDLE, variadic=True)
    static_sizes = attribute(I64_ARRAY, default=())
    interchange = attribute(I64_ARRAY, default=())
    scalable_sizes = attribute(FLAGS, default=())
    format = (
        "$target `tile_sizes` custom<TileSizes>($dynamic_sizes, $static_sizes, $scalable_sizes) "
        "(`interchange` `=` $interchange^)? " + TYPED
    )

    @property
    def sizes(self) -> list[int | Value]:
        """The sizes, in order."""
        return mixed(self.static_sizes, self.dynamic_sizes)

    def verify(self) -> None:
        verify_mixed("tile sizes", self.static_sizes, self.dynamic_sizes, len(self.static_sizes))
        _check_sizes("a tile size", self.static_sizes, 0)
        if any(self.scalable_sizes):
            raise TirError("sizes that the machine scales, [4], are not supported")
        _check_loops(self.loops, sum(size != 0 for size in self.static_sizes))


class TileUsingForall(TransformOp):
    """`transform.structured.tile_using_forall %h tile_sizes [4, 8] : (..) -> (..)`: tiles in an scf.forall.

    With `num_threads [4, 2]` there are so many tiles of one size along the dimensions. The results are the op on a tile
    and the loop.
    """

    name = "transform.structured.tile_using_forall"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    num_threads = operand(PARAM, variadic=True)
    tile_sizes = operand(PARAM, variadic=True)
    packed_num_threads = operand(PARAM, optional=True)
    packed_tile_sizes = operand(PARAM, optional=True)
    tiled_op = result(OP_HANDLE)
    forall_op = result(OP_HANDLE)
    static_num_threads = attribute(I64_ARRAY, optional=True)
    static_tile_sizes = attribute(I64_ARRAY, optional=True)
    format = "$target custom<ForallTiles>($num_threads, $static_num_threads, $tile_sizes, $static_tile_sizes) " + TYPED

    @property
    def threads(self) -> list[int | Value]:
        """How many tiles there are along the dimensions; empty if the sizes are given."""
        return mixed(self.static_num_threads or (), self.num_threads)

    @property
    def sizes(self) -> list[int | Value]:
        """The sizes of tiles; empty if their numbers are given."""
        return mixed(self.static_tile_sizes or (), self.tile_sizes)

    def verify(self) -> None:
        threads, sizes = self.static_num_threads or (), self.static_tile_sizes or ()
        if self.packed_num_threads is not None or self.packed_tile_sizes is not None:
            raise TirError("sizes in one parameter, *(%sizes), are not supported")
        verify_mixed("num_threads", threads, self.num_threads, len(threads))
        verify_mixed("tile_sizes", sizes, self.tile_sizes, len(sizes))
        if not threads and not sizes:
            raise TirError("needs num_threads or tile_sizes")
        if threads and sizes:
            raise TirError("takes num_threads or tile_sizes, not both")
        _check_sizes("a tile size", sizes, 0)
        _check_sizes("a number of threads", threads, 0)


def _check_sizes(what: str, sizes: Sequence[int], least: int) -> None:
    wrong = [size for size in sizes if size != DYNAMIC_INDEX and size < least]
    if wrong:
        raise TirError(f"{what} must be {least} or more, got {wrong[0]}")


class FuseIntoContainingOp(TransformOp):
    """`transform.structured.fuse_into_containing_op %producer into %loop : (..) -> (..)`: computes where it is used.

    The producer is a structured op of which the loop reads slices; for each the part of the producer is computed inside
    the loop. The results are these parts and the loop. Where nobody else uses it the producer goes.
    """

    name = "transform.structured.fuse_into_containing_op"
    consumed = ("producer_op",)
    producer_op = operand(OP_HANDLE)
    containing_op = operand(OP_HANDLE)
    fused_op = result(OP_HANDLE)
    new_containing_op = result(OP_HANDLE)
    format = "$producer_op `into` $containing_op " + TYPED


class Fuse(TransformOp):
    """`transform.structured.fuse %h tile_sizes [4, 8] interchange [1, 0] : (..) -> (..)`: tiles, and fuses what is read.

    As `tile_using_for`, or with `use_forall` `tile_using_forall`; then each structured op of whose results the loops take
    slices is computed there, part by part, and so are those that it reads. The results are the op on a tile and the loops.
    """

    name = "transform.structured.fuse"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    tile_sizes = operand(PARAM, variadic=True)
    tile_interchange = operand(PARAM, variadic=True)
    inner_tile_alignments = operand(PARAM, optional=True)
    transformed = result(OP_HANDLE)
    loops = result(OP_HANDLE, variadic=True)
    static_tile_sizes = attribute(I64_ARRAY, optional=True)
    static_tile_interchange = attribute(I64_ARRAY, optional=True)
    use_forall = attribute(UNIT, optional=True)
    format = (
        "$target custom<FuseTiles>($tile_sizes, $static_tile_sizes, $tile_interchange, $static_tile_interchange) " + TYPED
    )

    @property
    def sizes(self) -> list[int | Value]:
        """The sizes, in order."""
        return mixed(self.static_tile_sizes or (), self.tile_sizes)

    @property
    def order(self) -> list[int | Value]:
        """The dimensions of the loops, in order."""
        return mixed(self.static_tile_interchange or (), self.tile_interchange)

    def verify(self) -> None:
        sizes, order = self.static_tile_sizes or (), self.static_tile_interchange or ()
        if self.inner_tile_alignments is not None:
            raise TirError("inner_tile_alignments are not supported")
        verify_mixed("tile sizes", sizes, self.tile_sizes, len(sizes))
        verify_mixed("dimensions", order, self.tile_interchange, len(order))
        _check_sizes("a tile size", sizes, 0)
        if self.use_forall and order:
            raise TirError("the loops of an scf.forall have no order, so that there is no interchange")
        _check_loops(self.loops, 1 if self.use_forall else sum(size != 0 for size in sizes))


def _check_loops(handles: Sequence[Value], count: int) -> None:
    if len(handles) not in (0, 1, count):
        raise TirError(f"has {count} loops, and so as many handles, or one for all, got {len(handles)}")


class Interchange(TransformOp):
    """`transform.structured.interchange %h iterator_interchange = [1, 0] : (..) -> ..`: dimensions in another order.

    Dimension p of the result is dimension `iterator_interchange[p]` of the op.
    """

    name = "transform.structured.interchange"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    transformed = result(OP_HANDLE)
    iterator_interchange = attribute(I64_ARRAY, default=())
    format = "$target (`iterator_interchange` `=` $iterator_interchange^)? " + TYPED

    def verify(self) -> None:
        order = self.iterator_interchange
        if sorted(order) != list(range(len(order))):
            raise TirError(f"iterator_interchange must have each number from 0 on once, got {list(order)}")


class Generalize(TransformOp):
    """`transform.structured.generalize %h : (!transform.any_op) -> !transform.any_op`: as linalg.generic, as all are."""

    name = "transform.structured.generalize"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    transformed = result(OP_HANDLE)
    format = "$target " + TYPED


class ConvertToLoops(TransformOp):
    """`transform.structured.convert_to_loops %h : (..) -> ..`: a structured op on buffers as a nest of scf.for."""

    name = "transform.structured.convert_to_loops"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    loops = result(OP_HANDLE)
    format = "$target " + TYPED


OPS = (Match, TileUsingFor, TileUsingForall, Fuse, FuseIntoContainingOp, Interchange, Generalize, ConvertToLoops)
