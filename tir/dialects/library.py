"""Library functions (`tir/ir/externs.py`): which declarations name one, and what each computes, in numpy.

    func.func private @tir_blas_sgemm(i1, i1, f32, tensor<4x3xf32>, tensor<3x?xf32>, f32, tensor<4x?xf32>)
      -> tensor<4x?xf32> attributes {tir.extern = "sgemm"}

The sizes may be known or not. On tensors what is changed is a result; on buffers it is changed in place. Buffers of rank
2 and more have rows without gaps inside (the last stride is 1); rows, and elements of vectors, may lie apart.

Sizes that do not fit each other are an error here; machine code works on what they have in common. Where `beta` is 0 the
old elements of the result are not read, where `alpha` is 0 neither are the factors, so that no nan comes from there.

LAPACK counts columns where rows lie in memory: `getrf` gives the factors of the *transposed* matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.ir.attributes import StringAttr
from tir.ir.errors import TirError, nearest
from tir.ir.execution import ExecutionError
from tir.ir.externs import LIBRARY, PARAMETER_RANKS, LibraryFunction, Parameter
from tir.ir.ir import Op
from tir.ir.types import I1, I32, FloatType, FunctionType, MemRefType, TensorType, Type
from tir.lazy import np

__all__ = ["EXTERN", "MEANINGS", "check_declaration", "library_function", "run_library"]

#: The attribute of a declaration that says which function it is.
EXTERN = "tir.extern"


def library_function(function: Op | None) -> LibraryFunction | None:
    """The library function that a declaration stands for, or None."""
    word = function.attributes.get(EXTERN) if function is not None else None
    return LIBRARY.get(word.value) if isinstance(word, StringAttr) else None


# --- declarations ----------------------------------------------------------------------------------------------------


def check_declaration(function: Op) -> None:
    """TirError if `tir.extern` is not the word of a library function, or the declaration has no type of that function."""
    word = function.attributes[EXTERN]
    if function.regions[0].blocks:
        raise TirError(f"{EXTERN} is for declarations, and @{function.sym_name} has a body")  # type: ignore[attr-defined]
    found = library_function(function)
    if found is None:
        shown = word.value if isinstance(word, StringAttr) else str(word)
        raise TirError(f"{EXTERN} = '{shown}' is no library function", hint=nearest(shown, LIBRARY))
    _check_type(found, function.function_type)  # type: ignore[attr-defined]


def _check_type(function: LibraryFunction, type: FunctionType) -> None:
    if len(type.inputs) != len(function.parameters):
        names = ", ".join(parameter.name for parameter in function.parameters)
        raise TirError(f"{function.word} takes {len(function.parameters)} arguments ({names}), got {len(type.inputs)}")
    for parameter, given in zip(function.parameters, type.inputs):
        if not _fits(parameter, given, FloatType(function.element)):
            want = _wanted(parameter, function.element)
            raise TirError(f"{function.word}: argument '{parameter.name}' must be {want}, got {given}")
    ranks = [given.rank for p, given in zip(function.parameters, type.inputs) if p.kind == "matrices"]  # type: ignore
    if len(set(ranks)) > 1:
        raise TirError(f"{function.word}: the ranks of a, b and c must be equal, got {', '.join(map(str, ranks))}")
    if len({given.__class__ for given in type.inputs if isinstance(given, (TensorType, MemRefType))}) > 1:
        raise TirError(f"{function.word}: arguments must be tensors or memrefs, not both")
    results = [type.inputs[i] for i in function.written if isinstance(type.inputs[i], TensorType)]
    results += [I32] if function.has_info else []
    if type.results != tuple(results):
        want, got = (f"({', '.join(map(str, types))})" for types in (results, type.results))
        raise TirError(f"{function.word} gives {want}, got {got}")


def _fits(parameter: Parameter, type: Type, element: Type) -> bool:
    rank = PARAMETER_RANKS[parameter.kind]
    if rank is None:
        return type is (I1 if parameter.kind == "flag" else element)
    wanted = I32 if parameter.kind == "pivots" else element
    if not isinstance(type, (TensorType, MemRefType)) or type.element is not wanted:
        return False
    if type.rank < rank or (type.rank > rank and parameter.kind != "matrices"):
        return False
    return isinstance(type, TensorType) or _has_layout(type)


def _has_layout(type: MemRefType) -> bool:
    """Strided, in the default space, and of rank 2 and more with rows without gaps inside."""
    strided = not hasattr(type.layout, "results") and not type.space
    return strided and (type.rank < 2 or type.strides_and_offset()[0][-1] == 1)


def _wanted(parameter: Parameter, element: str) -> str:
    rank = PARAMETER_RANKS[parameter.kind]
    if rank is None:
        return "i1" if parameter.kind == "flag" else element
    held = "i32" if parameter.kind == "pivots" else element
    shape = f"rank {rank}{' or more' if parameter.kind == 'matrices' else ''} of {held}"
    return f"a tensor or strided memref of {shape}" + (", its last stride 1" if rank > 1 else "")


# --- meanings --------------------------------------------------------------------------------------------------------


def run_library(function: LibraryFunction, on_buffers: bool, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The results of a call: of one on buffers only what is not in place."""
    results = MEANINGS[function.routine](*arguments)
    if not on_buffers:
        return results
    for position, result in zip(function.written, results):
        arguments[position][...] = result
    return results[len(function.written) :]


def _turned(matrix: Any, transpose: Any) -> Any:
    return matrix.swapaxes(-1, -2) if transpose else matrix


def _check_equal(what: str, first: int, second: int) -> None:
    if first != second:
        raise ExecutionError(f"{what} must agree, got {first} and {second}")


def _scaled_sum(alpha: Any, make: Callable[[], Any], beta: Any, old: Any) -> Any:
    """alpha * make() + beta * old, of which nothing is read that is taken zero times."""
    total = alpha * make() if alpha != 0 else np.zeros_like(old)
    return (total if beta == 0 else total + beta * old).astype(old.dtype)


def _gemm(transpose_a: Any, transpose_b: Any, alpha: Any, a: Any, b: Any, beta: Any, c: Any) -> tuple[Any, ...]:
    """c = alpha * a @ b + beta * c, of one matrix or of each of several."""
    a, b = _turned(a, transpose_a), _turned(b, transpose_b)
    _check_equal("gemm: inner sizes", a.shape[-1], b.shape[-2])
    _check_equal("gemm: rows of a and c", a.shape[-2], c.shape[-2])
    _check_equal("gemm: columns of b and c", b.shape[-1], c.shape[-1])
    for other in (a, b):
        for axis, size in enumerate(c.shape[:-2]):
            _check_equal("gemm: numbers of matrices", other.shape[axis], size)
    return (_scaled_sum(alpha, lambda: a @ b, beta, c),)


def _gemv(transpose_a: Any, alpha: Any, a: Any, x: Any, beta: Any, y: Any) -> tuple[Any, ...]:
    """y = alpha * a @ x + beta * y."""
    a = _turned(a, transpose_a)
    _check_equal("gemv: columns of a and size of x", a.shape[1], x.shape[0])
    _check_equal("gemv: rows of a and size of y", a.shape[0], y.shape[0])
    return (_scaled_sum(alpha, lambda: a @ x, beta, y),)


def _ger(alpha: Any, x: Any, y: Any, a: Any) -> tuple[Any, ...]:
    """a = alpha * x * y^T + a."""
    _check_equal("ger: size of x and rows of a", x.shape[0], a.shape[0])
    _check_equal("ger: size of y and columns of a", y.shape[0], a.shape[1])
    return ((a + alpha * np.outer(x, y)).astype(a.dtype) if alpha != 0 else a,)


def _trsm(lower: Any, transpose_a: Any, unit_diagonal: Any, a: Any, b: Any) -> tuple[Any, ...]:
    """b becomes the solution x of a x = b (or a^T x = b), of a triangle of a."""
    _check_equal("trsm: size of a and rows of b", _square(a), b.shape[0])
    return (_substituted(_turned(a, transpose_a), bool(lower) != bool(transpose_a), unit_diagonal, b.T).T,)


def _square(a: Any) -> int:
    _check_equal("rows and columns", a.shape[0], a.shape[1])
    return int(a.shape[0])


def _potrf(lower: Any, a: Any) -> tuple[Any, ...]:
    """The Cholesky factor L of a = L L^T (or U of U^T U) in its triangle of a; the other triangle stays as it is.

    info k > 0: the leading minor of k rows is not positive, and the triangle holds no factor. A nan spreads; some
    libraries call it a minor that is not positive.
    """
    n = _square(a)
    factor = np.array(a if lower else a.T)
    for j in range(n):
        row = factor[j, :j]
        square = factor[j, j] - row @ row
        if square <= 0:
            return a, np.int32(j + 1)
        factor[j, j] = np.sqrt(square)
        factor[j + 1 :, j] = (factor[j + 1 :, j] - factor[j + 1 :, :j] @ row) / factor[j, j]
    return factor if lower else factor.T, np.int32(0)


def _substituted(a: Any, lower: bool, unit_diagonal: Any, b: Any) -> Any:
    """The solutions of a x = row for each row of b, one element after the other."""
    x, n = np.array(b), len(a)
    for j in range(n) if lower else range(n - 1, -1, -1):
        known = slice(0, j) if lower else slice(j + 1, n)
        x[:, j] -= x[:, known] @ a[j, known]
        if not unit_diagonal:
            x[:, j] /= a[j, j]
    return x


def _getrf(a: Any, pivots: Any) -> tuple[Any, ...]:
    """The factors of a^T = P L U: L^T (its diagonal, all ones, left out) above and U^T on and below the diagonal of a.

    pivots: for each column of a^T the row, counted from 1, that it was exchanged with. info k > 0: element k of U is 0.
    """
    factors, (columns, rows) = np.array(a.T), a.shape
    found, info = np.array(pivots), 0
    count = min(rows, columns)
    _check_equal("getrf: the shorter side of a and size of pivots", count, pivots.shape[0])
    for j in range(count):
        p = j + int(np.argmax(np.abs(factors[j:, j])))
        found[j] = p + 1
        if factors[p, j] == 0:
            info = info or j + 1
            continue
        factors[[j, p]] = factors[[p, j]]
        factors[j + 1 :, j] /= factors[j, j]
        factors[j + 1 :, j + 1 :] -= np.outer(factors[j + 1 :, j], factors[j, j + 1 :])
    return factors.T, found, np.int32(info)


#: routine -> its meaning: the arrays that it changes as new ones, then the info.
MEANINGS: Mapping[str, Callable[..., tuple[Any, ...]]] = {
    "gemm": _gemm, "gemm_batch": _gemm, "gemv": _gemv, "ger": _ger, "trsm": _trsm,
    "potrf": _potrf, "getrf": _getrf,
}  # fmt: skip
