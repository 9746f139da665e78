"""Short forms of the structural dialects, and the generic form that upstream MLIR's parser makes of each.

Upstream numbers values and prints the arguments of blocks as it likes: compare up to names.
`test_upstream_forms_structure.py` asks upstream whether the pairs still hold. One file has those of one or two dialects.
"""

from __future__ import annotations

from tests.dialects.upstream_forms_func import FUNC
from tests.dialects.upstream_forms_memref import MEMREF
from tests.dialects.upstream_forms_scf import SCF
from tests.dialects.upstream_forms_tensor import TENSOR
from tests.dialects.upstream_forms_vector import VECTOR

__all__ = ["FORMS"]

#: name -> (short form, generic form)
FORMS: dict[str, tuple[str, str]] = {**FUNC, **SCF, **TENSOR, **MEMREF, **VECTOR}
