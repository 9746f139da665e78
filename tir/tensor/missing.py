"""What is said of a name of Theano that is not there: why, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable

from tir.ir.errors import nearest

__all__ = ["missing"]

COMPLEX = "there are no complex numbers; keep real and imaginary parts apart"
OPEN = "only run time knows how many elements it gives"
BESSEL = "there are no Bessel functions"
FACTORS = "there is Cholesky alone of the factorisations: T.slinalg.cholesky, T.slinalg.solve"

#: Why a name is not there, and a cure.
REASONS = {
    "complex": COMPLEX, "complex_from_polar": COMPLEX, "fft": COMPLEX, "imag_part": COMPLEX, "eig": COMPLEX,
    "unique": f"{OPEN}; sort the elements with T.sort, and compare neighbours with T.diff",
    "Unique": f"{OPEN}; sort the elements with T.sort, and compare neighbours with T.diff",
    "i0": BESSEL, "i1": BESSEL, "iv": BESSEL, "j0": BESSEL, "j1": BESSEL, "jv": BESSEL,
    "erfcinv": "write T.erfinv(1 - x)", "chi2sf": "there is no chi-squared distribution",
    "qr": FACTORS, "svd": FACTORS, "eigh": FACTORS, "eigvalsh": FACTORS, "lstsq": FACTORS, "pinv": FACTORS, "lu": FACTORS,
    "expm": "there is no exponential of matrices", "tensorinv": "reshape to a matrix, and T.nlinalg.matrix_inverse it",
    "tensorsolve": "reshape to a matrix, and T.slinalg.solve it",
    "slogdet": "T.log(T.nlinalg.det(a)), or of a Cholesky factor 2 * T.log(T.diag(c)).sum()",
    "register_canonicalize": "rules of rewriting are written as text here: docs/add-a-rewrite.md",
    "h_softmax": "write it with T.nnet.softmax and indexing", "confusion_matrix": OPEN,
    "sigmoid": "it is T.nnet.sigmoid", "softplus": "it is T.nnet.softplus", "softmax": "it is T.nnet.softmax",
    "relu": "it is T.nnet.relu", "conv2d": "it is T.nnet.conv2d", "conv3d": "it is T.nnet.conv3d",
    "max_pool_2d": "it is T.signal.pool.pool_2d", "pool_2d": "it is T.signal.pool.pool_2d",
    "log_softmax": "it is T.nnet.logsoftmax", "expit": "it is T.nnet.sigmoid",
    "categorical_crossentropy": "it is T.nnet.categorical_crossentropy",
    "binary_crossentropy": "it is T.nnet.binary_crossentropy",
    "cholesky": "it is T.slinalg.cholesky", "solve": "it is T.slinalg.solve", "kron": "it is T.slinalg.kron",
    "matrix_inverse": "it is T.nlinalg.matrix_inverse", "det": "it is T.nlinalg.det",
    "function": "it is tir.function", "scan": "it is tir.scan", "ifelse": "it is tir.ifelse",
}  # fmt: skip


def missing(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """The AttributeError for a name that a module does not have."""
    reason = None if name.startswith("_") else REASONS.get(name) or nearest(name, list(names))
    return AttributeError(f"module {module!r} has no attribute {name!r}" + (f"; {reason}" if reason else ""))
