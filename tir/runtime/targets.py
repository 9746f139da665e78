"""The machines that code is made for: what each can do, from one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["HOST", "NAMED_TARGETS", "Target"]

#: The name of the machine that the process runs on.
HOST = "host"


class _Vectors(NamedTuple):
    """features: what a machine needs for this row. bytes: of its vectors. masks: `vectorize`'s option of this name."""

    features: tuple[str, ...]
    bytes: int
    masks: str


#: By the first part of LLVM's triple: the first row counts whose features a machine has. Without moves under masks LLVM
#: would take each lane by a branch of its own.
_VECTORS: dict[str, tuple[_Vectors, ...]] = {
    "x86_64": (
        _Vectors(("avx512f", "avx512bw", "avx512dq", "avx512vl"), 64, "loops"),
        _Vectors(("avx2",), 32, "tails"),
        _Vectors((), 16, "none"),
    ),
    "aarch64": (_Vectors((), 16, "none"),),
}
#: Instructions that other processors always have, by the feature that says it of this one.
_FMA, _ROUNDING, _HALF = {"x86_64": "fma"}, {"x86_64": "sse4.1"}, {"x86_64": "f16c"}


@dataclass(frozen=True)
class Target:
    """The machine that code is made for, in LLVM's words; `features` is a list such as `+avx2,-avx512f`."""

    triple: str
    cpu: str
    features: str

    @property
    def processor(self) -> str:
        """The first part of the triple."""
        return self.triple.split("-")[0]

    def has(self, feature: str) -> bool:
        """Whether the machine has a feature by LLVM's name: `fma`, `avx512f`, `f16c`, ..."""
        return f"+{feature}" in self.features.split(",")

    @property
    def vector_bytes(self) -> int:
        """The widest vector register, which lowering should write to `"prefer-vector-width"` (in bits)."""
        return self._vectors.bytes

    @property
    def masks(self) -> str:
        """Where loops over vectors may have masks: the option of `vectorize`."""
        return self._vectors.masks

    @property
    def has_half(self) -> bool:
        """Whether the machine converts half precision; LLVM's emulation crashes and calls what no process has."""
        return self._has_one(_HALF)

    @property
    def has_fma(self) -> bool:
        """Whether the machine multiplies and adds with one rounding; else that would be a call of the C math library."""
        return self._has_one(_FMA)

    @property
    def has_rounding(self) -> bool:
        """Whether the machine rounds to whole numbers; else that would be a call of the C math library."""
        return self._has_one(_ROUNDING)

    @property
    def _vectors(self) -> _Vectors:
        return next(row for row in _VECTORS[self.processor] if all(map(self.has, row.features)))

    def _has_one(self, features: dict[str, str]) -> bool:
        feature = features.get(self.processor)
        return feature is None or self.has(feature)

    def runs_on(self, other: Target) -> bool:
        """Whether code for this machine runs on another one."""
        needed = [feature[1:] for feature in self.features.split(",") if feature.startswith("+")]
        return self.processor == other.processor and all(map(other.has, needed))


def _x86(level: str, below: Sequence[str], *features: str) -> tuple[Target, list[str]]:
    """A level of the x86-64 psABI, and its features."""
    together = [*below, *features]
    listed = ",".join(f"+{feature}" for feature in together)
    return Target("x86_64-unknown-linux-gnu", level, listed), together


_V1, _FIRST = _x86("x86-64", (), "sse2")
_V2, _SECOND = _x86("x86-64-v2", _FIRST, "cx16", "popcnt", "sse3", "ssse3", "sse4.1", "sse4.2")
_V3, _THIRD = _x86("x86-64-v3", _SECOND, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_V4, _ = _x86("x86-64-v4", _THIRD, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")

#: Machines by name: the levels of x86-64, of which the first has no FMA and the last has AVX-512, and 64-bit Arm.
NAMED_TARGETS = {
    **{target.cpu: target for target in (_V1, _V2, _V3, _V4)},
    "aarch64": Target("aarch64-unknown-linux-gnu", "generic", "+neon"),
}
