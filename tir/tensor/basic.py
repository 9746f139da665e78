"""All functions of variables: what `T` has beside its modules and the constructors (Theano's `tensor.basic`)."""

from __future__ import annotations

from tir.graph.creation import *  # noqa: F403  # each module lists its names
from tir.graph.creation import diag
from tir.graph.elementwise import *  # noqa: F403
from tir.graph.extra import *  # noqa: F403
from tir.graph.indexing import *  # noqa: F403
from tir.graph.products import *  # noqa: F403
from tir.graph.reductions import *  # noqa: F403
from tir.graph.shape import *  # noqa: F403
from tir.graph.shared import SharedVariable
from tir.graph.sorting import *  # noqa: F403

extract_diag = alloc_diag = diag
TensorSharedVariable = SharedVariable

#: Names of dtypes by kind.
int_dtypes, uint_dtypes = [f"int{n}" for n in (8, 16, 32, 64)], [f"uint{n}" for n in (8, 16, 32, 64)]
integer_dtypes = int_dtypes + uint_dtypes
discrete_dtypes = ["bool", *integer_dtypes]
float_dtypes = continuous_dtypes = ["float16", "float32", "float64"]
all_dtypes = [*discrete_dtypes, *float_dtypes]

__all__ = [name for name in globals() if not name.startswith("_") and name != "annotations"]
