"""Lines of a program as a reader wants them: files below the current folder without its name."""

from __future__ import annotations

import os

from tir.ir.errors import Location, places_text

__all__ = ["lines_of"]


def lines_of(location: Location) -> str:
    """`model.py:7, 9`, or `gradient of tir.log (model.py:7)`; "" where a location has none."""
    try:
        folder = os.path.join(os.getcwd(), "")
    except OSError:  # it has been removed
        folder = ""
    return places_text(location, folder)
