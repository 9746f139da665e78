"""numpy's functions, for arrays and for traced arrays: `import tir.numpy as np`.

On arrays and numbers alone they are numpy's own. On what `tir.jit` and others trace they put ops into the program, with
numpy's signatures, element types and axes; arguments that would change an array in place are refused. numpy's own
functions do the same on traced arrays: a function that only ever gets some may as well `import numpy`.
"""

from tir.lazy import np as _np
from tir.numpy import linalg
from tir.numpy.calls import lookup as _lookup
from tir.numpy.names import NAMES as _NAMES

__all__ = [*_NAMES, "linalg"]  # noqa: PLE0605  # a list of names, from the table

#: What is the same for traced arrays: numbers, and the names of element types.
_SAME = """
    bool bool_ dtype e euler_gamma finfo float16 float32 float64 iinfo inf int16 int32 int64 int8 isdtype isscalar nan
    ndarray newaxis pi promote_types result_type s_ uint16 uint32 uint64 uint8
    triu_indices tril_indices indices ix_ mgrid ogrid broadcast_shapes can_cast set_printoptions
""".split()


def __getattr__(name: str) -> object:
    if name in _SAME:
        return getattr(_np, name)
    return _lookup(name, "")


def __dir__() -> list[str]:
    return sorted([*_NAMES, *_SAME, "linalg"])
