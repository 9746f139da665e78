"""What each model of this folder gives, by its name: a function of its arguments in numpy, written independently."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.models import expected_images, expected_numerics, expected_sequences

__all__ = ["EXPECTED"]


def _models(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that a module defines, helpers left out."""
    found = {name: value for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    return {name: value for name, value in found.items() if callable(value) and value not in module.HELPERS}


#: The function for each model.
EXPECTED = _models(expected_images) | _models(expected_sequences) | _models(expected_numerics)
