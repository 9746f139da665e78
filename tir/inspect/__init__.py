"""Looking inside of a program: its text at every level, what the passes did and why, pictures, times, and nan.

    from tir import inspect
    print(inspect.ir_at(module, "fused"))
    print(inspect.explain(module))

All of it works on modules and on IR values; a front end hands over its own (docs/looking-inside.md).
"""

from tir.lazy import lazy_exports

TYPE_CHECKING = False  # see tir/lazy.py
if TYPE_CHECKING:
    from tir.inspect.explanations import Explanation, explain
    from tir.inspect.expressions import pp
    from tir.inspect.levels import LEVELS, IRText, ir_at
    from tir.inspect.nan_guard import NanGuard, NotFiniteError, check_nan
    from tir.inspect.pages import explore
    from tir.inspect.pictures import Picture, pydotprint
    from tir.inspect.profiles import Profile, profile
    from tir.inspect.trees import debugprint

__all__ = [
    "Explanation", "IRText", "LEVELS", "NanGuard", "NotFiniteError", "Picture", "Profile",
    "check_nan", "debugprint", "explain", "explore", "ir_at", "pp", "profile", "pydotprint",
]  # fmt: skip

__getattr__ = lazy_exports(
    __name__,
    {
        **dict.fromkeys(("Explanation", "explain"), "tir.inspect.explanations"),
        "pp": "tir.inspect.expressions",
        **dict.fromkeys(("LEVELS", "IRText", "ir_at"), "tir.inspect.levels"),
        **dict.fromkeys(("NanGuard", "NotFiniteError", "check_nan"), "tir.inspect.nan_guard"),
        "explore": "tir.inspect.pages",
        **dict.fromkeys(("Picture", "pydotprint"), "tir.inspect.pictures"),
        **dict.fromkeys(("Profile", "profile"), "tir.inspect.profiles"),
        "debugprint": "tir.inspect.trees",
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
