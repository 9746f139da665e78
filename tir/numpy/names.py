"""Which of numpy's functions can be traced, where each stands, and what to write for those that cannot."""

from __future__ import annotations

from tir.lazy import LazyTable

__all__ = ["FUNCTIONS", "METHODS", "NAMES", "UNTRACEABLE"]

_ELEMENTS = """
    abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh
    bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor cbrt ceil conj conjugate copysign cos cosh deg2rad degrees divide equal exp exp2 expm1 fabs
    float_power floor floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot invert isfinite isinf
    isnan lcm ldexp left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not
    logical_or logical_xor maximum minimum mod multiply negative nextafter not_equal positive pow power rad2deg
    radians reciprocal remainder right_shift rint sign signbit sin sinh sqrt square subtract tan tanh true_divide
    trunc
"""
_OF_FUNCTIONS = """
    add.accumulate add.reduce logical_and.reduce logical_or.reduce maximum.accumulate maximum.reduce minimum.accumulate
    minimum.reduce multiply.accumulate multiply.reduce
"""
#: Functions by the module of this package that has them; `name=other` where it has another name there.
_HOMES = {
    "elementwise": "astype clip fix divmod=divmod_ i0 isclose modf nan_to_num round=round_ around=round_ sinc where",
    "reductions": """
        sum=sum_ prod max=max_ amax=max_ min=min_ amin=min_ any=any_ all=all_ argmax argmin mean var std average ptp
        count_nonzero nansum nanprod nanmax nanmin nanmean nanvar nanstd cumsum cumprod cumulative_sum cumulative_prod diff
        ediff1d trapezoid nancumsum nancumprod gradient unwrap cov corrcoef
    """,
    "quantiles": "quantile percentile median nanquantile nanpercentile nanmedian",
    "shapes": """
        reshape ravel transpose permute_dims matrix_transpose swapaxes moveaxis rollaxis expand_dims squeeze concatenate
        concat=concatenate stack vstack hstack dstack column_stack block append split array_split hsplit vsplit dsplit
        unstack broadcast_to broadcast_arrays atleast_1d atleast_2d atleast_3d shape ndim size array asarray
        asanyarray=asarray ascontiguousarray=asarray copy insert delete meshgrid zeros ones full empty=zeros zeros_like
        ones_like full_like empty_like=zeros_like arange linspace eye identity tri logspace iscomplexobj isrealobj
        real_if_close=copy real=copy
    """,
    "repeating": "tile repeat roll flip fliplr flipud rot90 pad",
    "indexing": """
        getitem changed take take_along_axis select choose diagonal trace diag diagflat tril triu sort argsort partition
        argpartition searchsorted digitize array_equal allclose compress isin interp lexsort
    """,
    "linear": """
        dot matmul vdot vecdot inner outer kron cross tensordot einsum vander polyval convolve correlate matvec vecmat
        linalg.norm=norm linalg.vector_norm=vector_norm linalg.matrix_norm=matrix_norm linalg.solve=solve linalg.inv=inv
        linalg.det=det linalg.slogdet=slogdet linalg.cholesky=cholesky linalg.matrix_power=matrix_power
        linalg.multi_dot=multi_dot linalg.matmul=matmul linalg.outer=linalg_outer linalg.tensordot=tensordot
        linalg.vecdot=vecdot linalg.cross=linalg_cross linalg.trace=linalg_trace linalg.diagonal=linalg_diagonal
        linalg.matrix_transpose=linalg_matrix_transpose add.outer=add_outer subtract.outer=subtract_outer
        multiply.outer=multiply_outer divide.outer=divide_outer
    """,
}


def _homes() -> dict[str, str]:
    found = {name: f"tir.numpy.elementwise:{name}" for name in _ELEMENTS.split()}
    for module, names in _HOMES.items():
        for name, _, other in (one.partition("=") for one in names.split()):
            found[name] = f"tir.numpy.{module}:{other or name}"
    found.update({name: f"tir.numpy.reductions:{name}" for name in _OF_FUNCTIONS.split()})
    return found


#: numpy's functions on traced arrays, those of its modules as `linalg.solve`.
FUNCTIONS = LazyTable(_homes())

#: Names of `tir.numpy` itself; those that begin small and have no dot are functions of the package.
NAMES = sorted(name for name in FUNCTIONS if "." not in name and name not in ("getitem", "changed"))

#: Functions that are methods of an array, too.
METHODS = frozenset("""
    all any argmax argmin argsort choose clip compress copy cumprod cumsum diagonal dot max mean min prod ptp
    ravel repeat round searchsorted squeeze std sum swapaxes take trace var
""".split())  # fmt: skip

#: What to write instead of a function that cannot be traced.
UNTRACEABLE = {
    **dict.fromkeys(
        (
            "argwhere", "extract", "flatnonzero", "intersect1d", "nonzero", "setdiff1d", "trim_zeros", "union1d", "unique",
            "unique_values",
        ),
        "how many there are, only run time knows: numpy.where(condition, x, y) keeps the shape",
    ),
    **dict.fromkeys(
        ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"), "x.at[index].set(y) makes a changed one"
    ),
    **dict.fromkeys(("add.at", "subtract.at"), "x.at[index].add(y) makes a changed one"),
    "apply_along_axis": "tir.vmap(f) goes along an axis",
    "vectorize": "tir.vmap(f) goes along an axis",
}  # fmt: skip
