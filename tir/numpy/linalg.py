"""numpy.linalg for arrays and for traced arrays: those of its functions that tir has ops for."""

from tir.numpy.calls import lookup as _lookup
from tir.numpy.names import FUNCTIONS as _FUNCTIONS

_NAMES = sorted(name.removeprefix("linalg.") for name in _FUNCTIONS if name.startswith("linalg."))
__all__ = _NAMES  # noqa: PLE0605  # a list of names, from the table


def __getattr__(name: str) -> object:
    return _lookup(name, "linalg.")


def __dir__() -> list[str]:
    return _NAMES
