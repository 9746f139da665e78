"""Work on nested things in steps, so that no nesting can exhaust Python's stack.

Where a function would call itself on what is inside, a generator yields that work, and goes on when it is done:

    def lower(block):
        for op in block:
            for inner in op.blocks:
                yield lower(inner)
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["Steps", "run_steps"]

#: Work that yields other work, which is done before it goes on.
Steps = Iterator["Steps"]


def run_steps(first: Steps) -> None:
    """Does the work with all that it yields, on a stack of our own."""
    stack = [first]
    while stack:
        inner = next(stack[-1], None)
        if inner is None:
            stack.pop()
        else:
            stack.append(inner)
