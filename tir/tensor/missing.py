"""What is said of a name of Theano that is not there: why, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tir.ir.errors import nearest

__all__ = ["missing", "package_hint"]

COMPLEX = "there are no complex numbers; keep real and imaginary parts apart"
OPEN = "only run time knows how many elements it gives"
BESSEL = "there are no Bessel functions"
RULES = "rules of rewriting are written as text here: docs/add-a-rewrite.md"
OBJECTS = "a variable is a tensor; other objects are attributes of an Op"
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
    "register_canonicalize": RULES,
    "h_softmax": "write it with T.nnet.softmax and indexing", "confusion_matrix": OPEN,
    "sigmoid": "it is T.nnet.sigmoid", "softplus": "it is T.nnet.softplus", "softmax": "it is T.nnet.softmax",
    "relu": "it is T.nnet.relu", "conv2d": "it is T.nnet.conv2d", "conv3d": "it is T.nnet.conv3d",
    "max_pool_2d": "it is T.signal.pool.pool_2d", "pool_2d": "it is T.signal.pool.pool_2d",
    "log_softmax": "it is T.nnet.logsoftmax", "expit": "it is T.nnet.sigmoid",
    "categorical_crossentropy": "it is T.nnet.categorical_crossentropy",
    "binary_crossentropy": "it is T.nnet.binary_crossentropy",
    "cholesky": "it is T.slinalg.cholesky", "solve": "it is T.slinalg.solve", "kron": "it is T.slinalg.kron",
    "matrix_inverse": "it is T.nlinalg.matrix_inverse", "det": "it is T.nlinalg.det",
    "raw_random": "it is T.random, with keys, or T.shared_randomstreams", "NoneConst": "write None",
    "inplace": "nothing changes in place; write the function of T without it",
    "function": "it is tir.function", "scan": "it is tir.scan", "ifelse": "it is tir.ifelse",
    # Of theano.compile and theano.gof.
    **dict.fromkeys(
        ("Optimizer", "EquilibriumDB", "EquilibriumOptimizer", "LocalOptimizer", "SequenceDB", "TopoOptimizer",
         "local_optimizer", "optdb", "register_optimizer", "register_mode", "opt", "toolbox"), RULES,
    ),
    **dict.fromkeys(
        ("CLinker", "COp", "DualLinker", "EnumList", "OpWiseCLinker", "ExternalCOp", "OpenMPOp", "ParamsType",
         "PerformLinker", "cc", "link", "register_deep_copy_op_c_code", "vm"),
        "ops have no C code: `element` of an op is compiled, `perform` is Python",
    ),
    "WrapLinker": "tir.compile.MonitorMode shows each op", "WrapLinkerMany": "tir.compile.MonitorMode shows each op",
    "Generic": OBJECTS, "generic": OBJECTS, "Type": "there are tensors alone: T.TensorType",
    "FunctionGraph": "f.maker.fgraph is that of a function",
    "rebuild_collect_shared": "tir.clone_replace puts others in the place of variables",
    "ProfileStats": "tir.function(.., profile=True) counts and times, f.profile shows it",
    "profiling": "tir.function(.., profile=True) counts and times, f.profile shows it",
}  # fmt: skip


def missing(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """The AttributeError for a name that a module does not have."""
    reason = None if name.startswith("_") else package_hint(name, list(names))
    return AttributeError(f"module {module!r} has no attribute {name!r}" + (f"; {reason}" if reason else ""))


def package_hint(name: str, names: Sequence[str]) -> str | None:
    """Why a name is not there, or what is meant; a name that stands in another module may be misspelled, too."""
    if name in REASONS:
        return REASONS[name]
    moved = {one: reason for one, reason in REASONS.items() if reason.startswith("it is ") and one not in names}
    hint = nearest(name, [*names, *moved])
    meant = hint.split("'")[1] if hint is not None else ""
    return f"did you mean {moved[meant].removeprefix('it is ')!r}?" if meant in moved else hint
