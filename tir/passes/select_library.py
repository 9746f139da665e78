"""`select-library`: matrix products become calls of BLAS."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tir.dialects import arith, func, linalg, tensor
from tir.ir import actions
from tir.ir.attributes import FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.externs import LIBRARY
from tir.ir.ir import Op, Value
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.symbols import SymbolTable
from tir.ir.types import F32, F64, I1, TensorType
from tir.passes.contraction_tiles import VECTOR_BYTES
from tir.passes.dce import Dce
from tir.passes.library_use import NEVER, UNKNOWN_SIZE, USES, always, check_use, declaration_of
from tir.passes.monomials import Coefficient, Monomials, Total, monomials

__all__ = ["SelectLibrary"]

# When a call is worthwhile: see Note [When BLAS is faster].
LEAST_PRODUCTS = 1 << 16
LEAST_PRODUCTS_OF_A_CALL = 1 << 9
LANES_USED = 0.5  # the share of a vector that must be used for own loops to keep up


@dataclass
class SelectLibrary(Pass):
    """Makes matrix products calls of BLAS: `func.call @tir_blas_sgemm(..)`.

    Needs the structured level (`lower-structured`; better behind `fuse-structured`). Leaves calls of private
    declarations with the attribute `tir.extern`, which `bufferize` makes calls on buffers: see
    `tir/dialects/library.py`. Products of f32 and f64, of two matrices (each may be transposed), of several pairs of
    matrices (along any number of first axes), of matrix and vector, and of two vectors added to a matrix. What is done
    with the product at once goes into the call: `alpha * a @ b + beta * c` is one, which writes over `c` where nobody
    else reads it; a step of training with weight decay, `w - rate * (x^T g + decay * w)`, has `1 - rate * decay` as beta.

    `use` says which: `always` all of them, `auto` those that are faster so (judged by their sizes alone), `never` none.
    The text does not depend on the machine: calls stand in it whether there is a BLAS or not. So the pipelines have this
    pass only where they are asked for it (`--default=library=auto`), as `tir.executable` and `tir-run --target cpu` do
    where scipy is installed. A module with calls needs scipy (extra `blas`) to run as machine code, in which no Python
    stands between; the interpreter runs it without, and an object file of `tir-translate` wants `sgemm_` and the like of
    any BLAS with 32-bit integers.

        %2 = linalg.generic {(i, k), (k, j) -> (i, j)} ins(%a, %b) outs(%zero) {.. mulf, addf ..} -> tensor<4x5xf32>
        %3 = linalg.generic {..} ins(%2, %c) {.. addf ..} -> tensor<4x5xf32>
        ->
        %3 = func.call @tir_blas_sgemm(%false, %false, %one, %a, %b, %one, %c) : (..) -> tensor<4x5xf32>
    """

    name = "select-library"
    numerics = accurate(4, "BLAS adds up the products in an order of its own, and scales the sum instead of its terms")
    needs_module = True
    statistics = {"select": "products made calls"}
    use: str = field(default="auto", metadata={"choices": USES})
    #: Asked before the first call is made; who compiles for this machine sets it.
    available: Callable[[], bool] = field(default_factory=lambda: always, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_use(self.name, "use", self.use)

    def run(self, op: Op) -> None:
        symbols, changed = SymbolTable(op), False
        for inner in [o for o in op.walk() if isinstance(o, linalg.Generic)] if self.use != NEVER else ():
            if inner.parent is None:
                continue  # it went into an earlier call
            found = _product_of(inner)
            if found is None or not (self.use == "always" or found.is_worthwhile()) or not self.available():
                continue
            if actions.begin("select", inner):
                _replace(found, symbols)
                actions.end()
                changed = True
        if changed:
            Dce().run(op)


# --- what is recognised ----------------------------------------------------------------------------------------------


@dataclass
class _Product:
    """c = alpha * a @ b + beta * c, made by `last` (which reads what `op` makes) from a and b.

    transposed: for each of the first operands whether it is turned. beta: None if c is not read. sizes: of the loops.
    """

    routine: str
    op: linalg.Generic
    last: linalg.Generic
    operands: tuple[Value, ...]
    transposed: tuple[bool, ...]
    alpha: tuple[_Scalars, ...]
    beta: tuple[_Scalars, ...] | None
    c: Value
    sizes: dict[str, int | None]

    def is_worthwhile(self) -> bool:
        """BLAS is faster than own loops, as far as the sizes are known: see Note [When BLAS is faster]."""
        if "k" not in self.sizes or "n" not in self.sizes:
            return False
        known = {name: UNKNOWN_SIZE if size is None else size for name, size in self.sizes.items()}
        products = math.prod(known.values())
        width = VECTOR_BYTES // (self.c.type.element.width // 8)  # type: ignore[attr-defined]
        columns = self.sizes["n"] or width
        is_narrow = self.routine.startswith("gemm") and columns < LANES_USED * width
        of_a_call = math.prod(size for name, size in known.items() if not name.startswith("batch"))
        is_large = products >= LEAST_PRODUCTS and of_a_call >= LEAST_PRODUCTS_OF_A_CALL
        return is_large and is_narrow


@dataclass(frozen=True)
class _Scalars:
    """A coefficient in the body of `op`; several make a product."""

    op: linalg.Generic
    coefficient: Coefficient


def _product_of(op: linalg.Generic) -> _Product | None:
    """The call that could stand for `op`, and for what is done with its result at once."""
    elements = {argument.type for argument in op.body.arguments}
    if len(op.outputs) != 1 or op.has_buffers or len(elements) != 1 or not elements <= {F32, F64}:
        return None
    terms = _terms(op)
    found = (_contraction(op, terms) or _outer_product(op, terms)) if terms is not None else None
    return _with_epilogue(_with_start(found)) if found is not None else None


def _terms(op: linalg.Generic) -> Monomials | None:
    """What the body yields, numbers and tensors of rank 0 being factors."""
    scalars = {argument for argument, value in zip(op.input_arguments, op.inputs) if _is_scalar(value)}
    return monomials(op.body, op.yielded[0], scalars)


def _is_scalar(value: Value) -> bool:
    return not isinstance(value.type, TensorType) or value.type.rank == 0


def _contraction(op: linalg.Generic, terms: Monomials) -> _Product | None:
    """out + alpha * x * y with one reduction, along axes that BLAS knows."""
    out = op.output_arguments[0]
    factors = [arguments for arguments in terms if arguments != (out,)]
    is_sum = len(terms) == 2 and terms.get((out,), Coefficient((out,))).is_one
    if not is_sum or len(factors[0]) != 2 or out in factors[0] or len(op.reduction_dims) != 1:
        return None
    maps = [op.maps[argument.index] for argument in factors[0]]
    if not all(m.is_projected_permutation() for m in (*maps, op.output_maps[0])):
        return None
    axes = [m.positions() for m in (*maps, op.output_maps[0])]
    place = _place_of(axes, op.reduction_dims[0], op.rank)
    if place is None:
        return None
    routine, swap, transposed, dims = place
    left, right = (op.operand(factors[0][i].index) for i in ((1, 0) if swap else (0, 1)))
    alpha = (_Scalars(op, terms[factors[0]]),)
    known = {name: _size(op, dim) for name, dim in dims.items()}
    return _Product(routine, op, op, (left, right), transposed, alpha, (), op.outputs[0], known)


_Place = tuple[str, bool, tuple[bool, ...], dict[str, int]]


def _place_of(axes: Sequence[Sequence[int]], k: int, rank: int) -> _Place | None:
    """routine, whether the operands change places, which are transposed, and the loops by their names in BLAS."""
    out = list(axes[2])
    for swap in (False, True):
        left, right = (list(axes[i]) for i in ((1, 0) if swap else (0, 1)))
        if len(out) == 1 and rank == 2 and right == [k] and sorted(left) == sorted([*out, k]):
            return "gemv", swap, (left[0] == k,), {"m": out[0], "k": k}
        batch = out[:-2]
        if rank != len(out) + 1 or len(out) < 2 or left[: len(batch)] != batch or right[: len(batch)] != batch:
            continue
        i, j = out[-2:]
        left, right = left[len(batch) :], right[len(batch) :]
        if sorted(left) == sorted([i, k]) and sorted(right) == sorted([k, j]):
            dims = {"m": i, "n": j, "k": k, **{f"batch {axis}": dim for axis, dim in enumerate(batch)}}
            return "gemm_batch" if batch else "gemm", swap, (left[0] == k, right[0] == j), dims
    return None


def _outer_product(op: linalg.Generic, terms: Monomials) -> _Product | None:
    """c + alpha * x * y with x along the rows and y along the columns."""
    if op.rank != 2 or not op.is_all_parallel or len(terms) != 2:
        return None
    pairs = [arguments for arguments in terms if len(arguments) == 2]
    singles = [arguments[0] for arguments in terms if len(arguments) == 1]
    if len(pairs) != 1 or len(singles) != 1 or not terms[(singles[0],)].is_one:
        return None
    maps = [op.maps[argument.index] for argument in (*pairs[0], singles[0])]
    if not all(m.is_projected_permutation() for m in maps) or op.output_maps[0].positions() != [0, 1]:
        return None
    axes = [m.positions() for m in maps]
    c = op.operand(singles[0].index)
    if sorted(axes[:2]) != [[0], [1]] or axes[2] != [0, 1] or c.type is not op.outputs[0].type:
        return None
    x, y = (op.operand(argument.index) for argument in (pairs[0] if axes[0] == [0] else pairs[0][::-1]))
    known = {"m": _size(op, 0), "n": _size(op, 1)}
    return _Product("ger", op, op, (x, y), (), (_Scalars(op, terms[pairs[0]]),), (), c, known)


def _size(op: linalg.Generic, dim: int) -> int | None:
    """How long a loop is, if a type says it."""
    for value, map in zip(op.operands, op.maps):
        for axis, position in enumerate(map.positions() if map.is_projected_permutation() else ()):
            size = value.type.shape[axis]  # type: ignore[attr-defined]
            if position == dim and isinstance(size, int):
                return size
    return None


def _with_start(found: _Product) -> _Product:
    """The product with what makes its first value: nothing is read of zeros, and a factor becomes beta."""
    start = found.c.op
    if found.routine == "ger" or not isinstance(start, linalg.Generic) or len(start.results) != 1:
        return found
    if not start.is_all_parallel or not _is_identity(start, len(start.inputs)):
        return found
    terms = _terms(start)
    if terms is None or len(terms) != 1:
        return found
    (arguments, coefficient), *_ = terms.items()
    if not arguments and [_number(value) for value in coefficient.factors] == [0.0]:
        return replace(found, beta=None, c=start.outputs[0])
    if len(arguments) != 1 or not start.results[0].has_one_use or not _is_identity(start, arguments[0].index):
        return found
    scaled = start.operand(arguments[0].index)
    return replace(found, beta=(_Scalars(start, coefficient),), c=scaled) if scaled.type is found.c.type else found


def _number(value: Value | Total) -> float | None:
    """The constant that a value is."""
    attribute = value.op.value if isinstance(value, Value) and isinstance(value.op, arith.Constant) else None
    return attribute.value if isinstance(attribute, FloatAttr) else None


def _is_identity(op: linalg.Generic, operand: int) -> bool:
    map = op.maps[operand]
    return map.is_projected_permutation() and map.positions() == list(range(op.rank))


def _with_epilogue(found: _Product) -> _Product:
    """The product with what scales it and adds it to another matrix of its shape, if that is all that uses it."""
    result = found.op.results[0]
    user = next(iter(result.users), None) if result.has_one_use else None
    if found.routine == "ger" or found.beta is not None or not isinstance(user, linalg.Generic):
        return found
    if user.parent is not found.op.parent or [r.type for r in user.results] != [result.type] or not user.is_all_parallel:
        return found
    terms = _terms(user)
    product = user.body.arguments[user.operands.index(result)]
    if terms is None or (product,) not in terms or not all(len(arguments) == 1 for arguments in terms):
        return found
    if not _is_identity(user, product.index) or not _is_identity(user, len(user.inputs)):
        return found
    scaled = replace(found, last=user, alpha=(*found.alpha, _Scalars(user, terms[(product,)])))
    others = [arguments[0] for arguments in terms if arguments != (product,)]
    if not others:
        return scaled
    added = user.operand(others[0].index)
    if len(others) > 1 or not _is_identity(user, others[0].index) or added.type is not result.type:
        return found
    return replace(scaled, beta=(_Scalars(user, terms[(others[0],)]),), c=added)


# --- what is written -------------------------------------------------------------------------------------------------


def _replace(found: _Product, symbols: SymbolTable) -> None:
    """Puts the call where the last of the ops stands."""
    b = Builder.before(found.last)
    element = found.c.type.element  # type: ignore[attr-defined]
    flags = [b.create(arith.Constant, value=IntegerAttr(int(turned), I1)) for turned in found.transposed]
    alpha = _scalar(b, element, found.alpha)
    if found.routine == "ger":
        operands = [alpha, *found.operands, found.c]
    else:
        beta = _number_at(b, element, 0.0) if found.beta is None else _scalar(b, element, found.beta)
        operands = [*flags, alpha, *found.operands, beta, found.c]
    function = LIBRARY[{F32: "s", F64: "d"}[element] + found.routine]
    callee = declaration_of(symbols, function, [operand.type for operand in operands])
    result = found.last.results[0]
    made = b.op(func.Call, operands, callee=callee, result_types=[found.c.type]).results[0]
    made.hint = result.hint
    result.replace_all_uses_with(made)
    found.last.erase()
    if found.op is not found.last:
        found.op.erase()


def _scalar(b: Builder, element: Any, parts: Sequence[_Scalars]) -> Value:
    """The product of the coefficients, as a value in front of the call."""
    factors = [_factor(b, element, part.op, factor) for part in parts for factor in part.coefficient.factors]
    is_negative = sum(part.coefficient.is_negative for part in parts) % 2 == 1
    known = _number(factors[0]) if len(factors) == 1 else None if factors else 1.0
    if known is not None:
        return _number_at(b, element, -known if is_negative else known)
    total = factors[0]
    for factor in factors[1:]:
        total = b.create(arith.MulF, total, factor)
    return b.create(arith.NegF, total) if is_negative else total


def _factor(b: Builder, element: Any, op: linalg.Generic, factor: Value | Total) -> Value:
    """A factor, as a value in front of the call."""
    if not isinstance(factor, Total):
        return _outside(b, op, factor)
    first, *others = (_scalar(b, element, (_Scalars(op, term),)) for term in factor.terms)
    for other in others:
        first = b.create(arith.AddF, first, other)
    return first


def _number_at(b: Builder, element: Any, number: float) -> Value:
    return b.create(arith.Constant, value=FloatAttr(number, element))


def _outside(b: Builder, op: linalg.Generic, value: Value) -> Value:
    """A factor in the body of `op`, as a value around it."""
    if value in op.body.arguments:
        operand = op.operand(value.index)
        return b.create(tensor.Extract, operand, []) if isinstance(operand.type, TensorType) else operand
    if isinstance(value.op, arith.Constant) and value.op.parent is op.body:
        return b.create(arith.Constant, value=value.op.value)
    return value


# Note [When BLAS is faster]
# Time of own loops over that of OpenBLAS 0.3.30 (as scipy 1.17 has it), both on one thread, f32, AVX-512, the best of 7
# runs; rows x columns x inner size. `python -m benchmarks blas` measures again.
#
#     256x256x256    0.95     1437x10x64               1.12
#     1024x1024x1024 0.97     100x100x100              1.17
#     2048x512x2048  1.10     4x256x256                1.00
#     512x2048x512   0.99     256x4x256                1.98
#                             500x60x784, b transposed 0.76
#
# Own tiles keep up, but where the columns fill less than half of a vector. Below 2^16 products both take less than the
# call of a compiled function; of several matrices each has to be worth a call of 50 ns (8x8x8 takes BLAS 90 ns).
# Products with a vector (1000x1000: 1.1 to 1.3, smaller: 1.0) and outer products are bound by memory, and have no call
# of their own by `auto`.
#
# A second thread is not counted on: on a machine with other work OpenBLAS's threads wait for each other, and one product
# of 256^3 was seen to take 20 ms instead of 0.3 ms.
