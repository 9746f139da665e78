"""Theano's `printing`: what a program looks like, as text and as a picture.

    from tir.printing import debugprint, pp, pydotprint
"""

from tir.lazy import lazy_exports

TYPE_CHECKING = False  # see tir/lazy.py
if TYPE_CHECKING:
    from tir.inspect.expressions import pp
    from tir.inspect.pictures import pydotprint
    from tir.inspect.trees import debugprint

__all__ = ["debugprint", "pp", "pydotprint"]

__getattr__ = lazy_exports(
    __name__,
    {"debugprint": "tir.inspect.trees", "pp": "tir.inspect.expressions", "pydotprint": "tir.inspect.pictures"},
)


def __dir__() -> list[str]:
    return sorted(__all__)
