"""The transform dialect: schedules, which say in the program itself how it is transformed.

A handle is a value of a schedule that leads to ops of the program, which is called the payload; a parameter is one that is
known while the schedule runs. The pass `transform-interpreter` runs schedules.
"""

from tir.dialects.transform import core, loop, structured
from tir.ir.registry import Dialect

__all__ = ["DIALECT"]

DIALECT = Dialect(
    "transform",
    "Schedules: how a program is transformed, said by the program itself.",
    (*core.OPS, *loop.OPS, *structured.OPS),
)
