"""Theano's `printing`: what a program looks like, as text and as a picture, and what its variables are while it runs.

    from tir.printing import Print, debugprint, pp, pydotprint
"""

from tir.lazy import lazy_exports

TYPE_CHECKING = False  # see tir/lazy.py
if TYPE_CHECKING:
    from tir.graph.debugging import Print
    from tir.inspect.expressions import pp, pprint
    from tir.inspect.pictures import pydotprint
    from tir.inspect.trees import debugprint

__all__ = ["Print", "debugprint", "pp", "pprint", "pydotprint"]

__getattr__ = lazy_exports(
    __name__,
    {
        "Print": "tir.graph.debugging",
        "debugprint": "tir.inspect.trees",
        "pp": "tir.inspect.expressions",
        "pprint": "tir.inspect.expressions",
        "pydotprint": "tir.inspect.pictures",
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
