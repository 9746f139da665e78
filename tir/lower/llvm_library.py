"""Calls of library functions (`tir/ir/externs.py`) as LLVM IR: BLAS and LAPACK, which think in columns and in 32 bits.

A row-major matrix is to them the transposed one, so that `c = a @ b` is asked for as `c^T = b^T @ a^T`. Everything is
passed by address, numbers through stack slots. What they cannot take (sizes above 2^31 - 1, rows or elements that do not
lie one behind the other at growing addresses) goes through plain loops here, LAPACK's functions give the info -1 then.
Nothing outside the given buffers is touched: sizes that disagree are cut to what they have in common.

Letters are passed by address alone, as scipy's wrappers take them, and BLAS libraries as well; a LAPACK that a Fortran
compiler made may want their lengths behind the other arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tir.ir.externs import EXTERN_BY_NAME, LibraryFunction
from tir.ir.types import MemRefType
from tir.lower.llvm_text import FunctionText, MemRef

__all__ = ["lower_library_call"]

LARGEST = 2**31 - 1  # BLAS counts in 32 bits
UNFIT = "-1"  # info of LAPACK's functions: nothing was done

_N, _T, _U, _L, _R = (str(ord(letter)) for letter in "NTULR")
_ONE = "0x3FF0000000000000"
_SLOT_TYPES = {"char": "i8", "int": "i32"}


def lower_library_call(f: FunctionText, op: Any, function: LibraryFunction) -> None:
    """Calls the function on the operands of `op`, which its declaration fits."""
    arguments = [f.memref(v) if isinstance(v.type, MemRefType) else f[v] for v in op.operands]
    info = _ROUTINES[function.routine](_Writer(f, function), *arguments)
    if function.has_info:
        f.set(op.results[0], info)


@dataclass(frozen=True)
class _Matrix:
    """Where a matrix lies; `stride` is from row to row. is_dense: it is the number of columns."""

    pointer: str
    rows: str
    columns: str
    stride: str
    is_dense: bool


def _matrix(memref: MemRef) -> _Matrix:
    """Of a buffer of rank 2, or the first of several matrices."""
    rows, columns = memref.sizes[-2:]
    return _Matrix(memref.pointer, rows, columns, memref.strides[-2], memref.type.layout is None)


@dataclass
class _Writer:
    """Instructions about index numbers, with what is known folded, and the call itself."""

    f: FunctionText
    function: LibraryFunction

    def __post_init__(self) -> None:
        self.number = {"f32": "float", "f64": "double"}[self.function.element]

    # --- numbers ---------------------------------------------------------------------------------------------------

    def choose(self, condition: str, one: str, other: str, type: str = "i64") -> str:
        """`one` if the condition is true."""
        if one == other or condition in ("true", "1", "-1"):
            return one
        if condition in ("false", "0"):
            return other
        return self.f.assign(f"select i1 {condition}, {type} {one}, {type} {other}")

    def compare(self, one: str, relation: str, other: str) -> str:
        """An i1; relation: "sle", "sge" or "eq"."""
        if _is_number(one) and _is_number(other):
            x, y = int(one), int(other)
            return "true" if {"sle": x <= y, "sge": x >= y, "eq": x == y}[relation] else "false"
        return "true" if one == other else self.f.assign(f"icmp {relation} i64 {one}, {other}")

    def is_zero(self, number: str) -> str:
        """An i1: the float is 0 or -0."""
        if number.startswith("0x"):
            return "false" if number[3:].strip("0") or number[2] not in "08" else "true"
        return self.f.assign(f"fcmp oeq {self.number} {number}, 0.0")

    def unless_zero(self, alpha: str, count: str) -> str:
        """`count`, or 0 if alpha is 0: the factors are not read then, of which not every library can be sure."""
        return self.choose(self.is_zero(alpha), "0", count)

    def least(self, *numbers: str) -> str:
        found = numbers[0]
        for number in numbers[1:]:
            found = self.choose(self.compare(found, "sle", number), found, number)
        return found

    def most(self, one: str, other: str) -> str:
        return self.choose(self.compare(one, "sge", other), one, other)

    def all_of(self, conditions: Sequence[str]) -> str:
        """All are true."""
        left = [condition for condition in dict.fromkeys(conditions) if condition != "true"]
        if not left or "false" in left:
            return "false" if left else "true"
        found = left[0]
        for condition in left[1:]:
            found = self.f.assign(f"and i1 {found}, {condition}")
        return found

    def fits(self, *numbers: str) -> list[str]:
        """Conditions: 32 bits hold them."""
        return [self.compare(number, "sle", str(LARGEST)) for number in numbers]

    # --- what BLAS is told about a buffer --------------------------------------------------------------------------

    def leading(self, matrix: _Matrix) -> tuple[str, list[str]]:
        """The leading dimension, and the conditions under which BLAS takes it."""
        width = self.most(matrix.columns, "1")
        if matrix.is_dense:
            return width, self.fits(width)
        # The stride of a single row says nothing.
        stride = self.choose(self.compare(matrix.rows, "sle", "1"), width, matrix.stride)
        return stride, [*self.fits(stride), self.compare(stride, "sge", width)]

    def step(self, vector: MemRef) -> tuple[str, list[str]]:
        """The step from element to element, and the conditions under which it means the same to BLAS."""
        step = self.choose(self.compare(vector.sizes[0], "sle", "1"), "1", vector.strides[0])
        return step, [*self.fits(step), self.compare(step, "sge", "1")]

    # --- calls -----------------------------------------------------------------------------------------------------

    def letter(self, condition: str, one: str, other: str) -> tuple[str, str]:
        return "char", self.choose(condition, one, other, "i8")

    def call(self, *arguments: tuple[str, str]) -> None:
        """Calls the symbol. arguments: (kind, value); "char", "int" and "number" go through slots, "address" as it is."""
        counts: dict[str, int] = {}
        addresses = []
        for kind, value in arguments:
            counts[kind] = counts.get(kind, 0) + 1
            addresses.append(value if kind == "address" else self.stored(kind, counts[kind], value))
        self.f.module.declare(self.function.symbol, "void", ["ptr"] * len(arguments))
        assert len(arguments) == EXTERN_BY_NAME[self.function.symbol].llvm_type_text.count("ptr")
        self.f.emit(f"call void @{self.function.symbol}({', '.join(f'ptr {address}' for address in addresses)})")

    def stored(self, kind: str, place: int, value: str) -> str:
        """The address of a slot with the value."""
        type = _SLOT_TYPES.get(kind, self.number)
        slot = self.f.shared_slot(f"{type}.{place}", type)
        if kind == "int" and not _is_number(value):
            value = self.f.assign(f"trunc i64 {value} to i32")
        self.f.emit(f"store {type} {value}, ptr {slot}")
        return slot

    def either(self, condition: str, first: Callable[[], None], second: Callable[[], None]) -> None:
        """One of two pieces of code."""
        if condition in ("true", "false"):
            (first if condition == "true" else second)()
            return
        f = self.f
        one, other, end = (f.fresh_label(word) for word in ("library", "own", "behind"))
        f.branch_if(condition, one, other)
        for label, body in ((one, first), (other, second)):
            f.start(label)
            body()
            f.branch(end)
        f.start(end)

    def with_info(self, condition: str, call: Callable[[str], None]) -> str:
        """The info of the call; that nothing was done where it cannot be made."""
        slot = self.f.shared_slot("info", "i32")
        self.f.emit(f"store i32 {UNFIT}, ptr {slot}")
        self.either(condition, lambda: call(slot), lambda: None)
        return self.f.assign(f"load i32, ptr {slot}", "info")

    # --- own loops -------------------------------------------------------------------------------------------------

    def loop(self, count: str, body: Callable[[str], None]) -> None:
        loop = self.f.open_loop("0", count, "1")
        body(loop.index.name)
        self.f.close_loop(loop)

    def summed(self, count: str, term: Callable[[str], str]) -> str:
        """The sum of a number for each k below `count`."""
        loop = self.f.open_loop("0", count, "1", [(self.number, "0.0")])
        total = self.f.assign(f"fadd {self.number} {loop.carried[0].name}, {term(loop.index.name)}")
        self.f.close_loop(loop, [total])
        return loop.carried[0].name

    def element(self, pointer: str, *places: tuple[str, str]) -> str:
        """The address of the element at the sum of index times stride."""
        offset = "0"
        for index, stride in places:
            offset = self.f.add(offset, self.f.multiply(index, stride))
        return self.f.assign(f"getelementptr inbounds {self.number}, ptr {pointer}, i64 {offset}")

    def load(self, address: str) -> str:
        return self.f.assign(f"load {self.number}, ptr {address}")

    def product(self, one: str, other: str) -> str:
        return self.f.assign(f"fmul {self.number} {one}, {other}")

    def entry(self, matrix: _Matrix, transpose: str, row: str, column: str) -> str:
        """An element of the matrix, or of the transposed one."""
        down, along = self.choose(transpose, column, row), self.choose(transpose, row, column)
        return self.load(self.element(matrix.pointer, (down, matrix.stride), (along, "1")))

    def scale_add(self, alpha: str, total: str, beta: str, place: str) -> None:
        """place = alpha * total + beta * place; what stands there does not matter if beta is 0."""
        number, new = self.number, self.product(alpha, total)
        both = self.f.assign(f"fadd {number} {new}, {self.product(beta, self.load(place))}")
        self.f.emit(f"store {number} {self.choose(self.is_zero(beta), new, both, number)}, ptr {place}")


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


# --- BLAS ------------------------------------------------------------------------------------------------------------


def _gemm(w: _Writer, ta: str, tb: str, alpha: str, a: MemRef, b: MemRef, beta: str, c: MemRef) -> None:
    _multiply(w, ta, tb, alpha, _matrix(a), _matrix(b), beta, _matrix(c))


def _gemm_batch(w: _Writer, ta: str, tb: str, alpha: str, a: MemRef, b: MemRef, beta: str, c: MemRef) -> None:
    def each(axis: int, pointers: Sequence[str]) -> None:
        """The products from these on, along the axis and those behind it."""
        if axis == c.type.rank - 2:
            x, y, z = (replace(_matrix(m), pointer=pointer) for m, pointer in zip((a, b, c), pointers))
            _multiply(w, ta, tb, alpha, x, y, beta, z)
            return

        def one(number: str) -> None:
            each(axis + 1, [w.element(p, (number, m.strides[axis])) for m, p in zip((a, b, c), pointers)])

        w.loop(w.least(*(m.sizes[axis] for m in (a, b, c))), one)

    each(0, [m.pointer for m in (a, b, c)])


def _multiply(w: _Writer, ta: str, tb: str, alpha: str, a: _Matrix, b: _Matrix, beta: str, c: _Matrix) -> None:
    """c = alpha * a @ b + beta * c."""
    m = w.least(w.choose(ta, a.columns, a.rows), c.rows)
    n = w.least(w.choose(tb, b.rows, b.columns), c.columns)
    k = w.unless_zero(alpha, w.least(w.choose(ta, a.rows, a.columns), w.choose(tb, b.columns, b.rows)))
    (lda, a_fits), (ldb, b_fits), (ldc, c_fits) = (w.leading(matrix) for matrix in (a, b, c))

    def call() -> None:
        w.call(
            w.letter(tb, _T, _N), w.letter(ta, _T, _N), ("int", n), ("int", m), ("int", k), ("number", alpha),
            ("address", b.pointer), ("int", ldb), ("address", a.pointer), ("int", lda), ("number", beta),
            ("address", c.pointer), ("int", ldc),
        )  # fmt: skip

    def own(i: str, j: str) -> None:
        total = w.summed(k, lambda p: w.product(w.entry(a, ta, i, p), w.entry(b, tb, p, j)))
        w.scale_add(alpha, total, beta, w.element(c.pointer, (i, c.stride), (j, "1")))

    fits = w.all_of([*a_fits, *b_fits, *c_fits, *w.fits(m, n, k)])
    w.either(fits, call, lambda: w.loop(m, lambda i: w.loop(n, lambda j: own(i, j))))


def _gemv(w: _Writer, ta: str, alpha: str, a: MemRef, x: MemRef, beta: str, y: MemRef) -> None:
    """y = alpha * a @ x + beta * y."""
    matrix = _matrix(a)
    m = w.least(w.choose(ta, matrix.columns, matrix.rows), y.sizes[0])
    k = w.unless_zero(alpha, w.least(w.choose(ta, matrix.rows, matrix.columns), x.sizes[0]))
    (lda, a_fits), (x_step, x_fits), (y_step, y_fits) = w.leading(matrix), w.step(x), w.step(y)

    def call() -> None:
        w.call(
            w.letter(ta, _N, _T), ("int", w.choose(ta, m, k)), ("int", w.choose(ta, k, m)), ("number", alpha),
            ("address", matrix.pointer), ("int", lda), ("address", x.pointer), ("int", x_step), ("number", beta),
            ("address", y.pointer), ("int", y_step),
        )  # fmt: skip

    def own(i: str) -> None:
        def term(p: str) -> str:
            return w.product(w.entry(matrix, ta, i, p), w.load(w.element(x.pointer, (p, x.strides[0]))))

        w.scale_add(alpha, w.summed(k, term), beta, w.element(y.pointer, (i, y.strides[0])))

    # BLAS leaves y as it is if there is nothing to add to it, whatever beta is.
    fits = w.all_of([*a_fits, *x_fits, *y_fits, *w.fits(m, k), w.compare(k, "sge", "1")])
    w.either(fits, call, lambda: w.loop(m, own))


def _ger(w: _Writer, alpha: str, x: MemRef, y: MemRef, a: MemRef) -> None:
    """a = alpha * x * y^T + a."""
    matrix = _matrix(a)
    m = w.unless_zero(alpha, w.least(x.sizes[0], matrix.rows))
    n = w.least(y.sizes[0], matrix.columns)
    (lda, a_fits), (x_step, x_fits), (y_step, y_fits) = w.leading(matrix), w.step(x), w.step(y)

    def call() -> None:
        w.call(
            ("int", n), ("int", m), ("number", alpha), ("address", y.pointer), ("int", y_step),
            ("address", x.pointer), ("int", x_step), ("address", matrix.pointer), ("int", lda),
        )  # fmt: skip

    def own(i: str, j: str) -> None:
        left, right = (w.load(w.element(v.pointer, (p, v.strides[0]))) for v, p in ((x, i), (y, j)))
        w.scale_add(alpha, w.product(left, right), _ONE, w.element(matrix.pointer, (i, matrix.stride), (j, "1")))

    fits = w.all_of([*a_fits, *x_fits, *y_fits, *w.fits(m, n)])
    w.either(fits, call, lambda: w.loop(m, lambda i: w.loop(n, lambda j: own(i, j))))


def _trsm(w: _Writer, lower: str, ta: str, unit_diagonal: str, a: MemRef, b: MemRef) -> None:
    """b = the solution x of a x = b."""
    left, right = _matrix(a), _matrix(b)
    n, sides = w.least(left.rows, left.columns, right.rows), right.columns
    (lda, a_fits), (ldb, b_fits) = w.leading(left), w.leading(right)

    def call() -> None:
        w.call(
            ("char", _R), w.letter(lower, _U, _L), w.letter(ta, _T, _N), w.letter(unit_diagonal, _U, _N),
            ("int", sides), ("int", n), ("number", _ONE), ("address", left.pointer), ("int", lda),
            ("address", right.pointer), ("int", ldb),
        )  # fmt: skip

    def own(step: str, column: str) -> None:
        """One unknown, from those that are found already."""
        is_forward = w.f.assign(f"icmp ne i1 {lower}, {ta}")

        def unknown(number: str) -> str:
            """The row of the unknown that is found as this one."""
            return w.choose(is_forward, number, w.f.assign(f"sub i64 {w.f.add(n, '-1')}, {number}"))

        def at(row: str) -> str:
            return w.element(right.pointer, (row, right.stride), (column, "1"))

        def term(k: str) -> str:
            return w.product(w.entry(left, ta, row, unknown(k)), w.load(at(unknown(k))))

        row = unknown(step)
        found = w.summed(step, term)
        rest = w.f.assign(f"fsub {w.number} {w.load(at(row))}, {found}")
        quotient = w.f.assign(f"fdiv {w.number} {rest}, {w.entry(left, ta, row, row)}")
        w.f.emit(f"store {w.number} {w.choose(unit_diagonal, rest, quotient, w.number)}, ptr {at(row)}")

    fits = w.all_of([*a_fits, *b_fits, *w.fits(n, sides)])
    w.either(fits, call, lambda: w.loop(n, lambda step: w.loop(sides, lambda c: own(step, c))))


# --- LAPACK ----------------------------------------------------------------------------------------------------------


def _potrf(w: _Writer, lower: str, a: MemRef) -> str:
    matrix = _matrix(a)
    n = w.least(matrix.rows, matrix.columns)
    lda, fits = w.leading(matrix)
    return w.with_info(
        w.all_of([*fits, *w.fits(n)]),
        lambda info: w.call(
            w.letter(lower, _U, _L), ("int", n), ("address", matrix.pointer), ("int", lda), ("address", info)
        ),
    )


def _getrf(w: _Writer, a: MemRef, pivots: MemRef) -> str:
    matrix = _matrix(a)
    lda, fits = w.leading(matrix)
    count = w.least(matrix.rows, matrix.columns)
    return w.with_info(
        w.all_of([*fits, *w.fits(matrix.rows), *_pivots_fit(w, pivots, count)]),
        lambda info: w.call(
            ("int", matrix.columns), ("int", matrix.rows), ("address", matrix.pointer), ("int", lda),
            ("address", pivots.pointer), ("address", info),
        ),
    )  # fmt: skip


def _pivots_fit(w: _Writer, pivots: MemRef, count: str) -> list[str]:
    """Conditions: there are enough, one behind the other."""
    step = w.choose(w.compare(pivots.sizes[0], "sle", "1"), "1", pivots.strides[0])
    return [w.compare(pivots.sizes[0], "sge", count), w.compare(step, "eq", "1")]


_ROUTINES: Mapping[str, Callable[..., Any]] = {
    "gemm": _gemm, "gemm_batch": _gemm_batch, "gemv": _gemv, "ger": _ger, "trsm": _trsm,
    "potrf": _potrf, "getrf": _getrf,
}  # fmt: skip
