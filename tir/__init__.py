"""tir: write, read, rewrite, check and run tensor programs as text.

    module = tir.parse(text)                     # or tir.Builder() to make one in Python
    tir.transform(module, "fuse,lower-cpu")      # passes as tir-opt has them
    program = tir.executable(module)             # machine code; target="interpret" for numpy
    program.call("train", {"x": x, "y": y})

numpy, llvmlite and lark are imported at their first use, not with tir.
"""

from tir.api import Argument, Builder, executable, parse, transform
from tir.compile import Executable
from tir.dialects.tir.builder import Tensor
from tir.ir.errors import TirError
from tir.ir.printer import print_op
from tir.ir.types import F32, F64, I1, I32, I64
from tir.version import __version__

__all__ = [
    "Argument", "Builder", "Executable", "F32", "F64", "I1", "I32", "I64", "Tensor", "TirError", "__version__",
    "executable", "parse", "print_op", "transform",
]  # fmt: skip
