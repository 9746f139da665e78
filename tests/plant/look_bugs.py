"""Bugs in what looks inside of programs, to be planted one at a time."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["LOOK_BUGS"]

LOOK_BUGS = (
    Bug(
        "the time of a loop's body counted as that of the loop",
        "tir/ir/observing.py",
        "        seconds += time.perf_counter() - start\n",
        "",
        ("tests/inspect/test_profiles.py",),
    ),
    Bug(
        "the guard looking at numbers and not at their size",
        "tir/inspect/nan_guard.py",
        "size = np.abs(np.asarray(array))",
        "size = np.asarray(array)",
        ("tests/inspect/test_nan_guard.py",),
    ),
    Bug(
        "what is shared shown each time in a tree",
        "tir/inspect/trees.py",
        "if op is None or known or is_constant(op):",
        "if op is None or is_constant(op):",
        ("tests/inspect/test_trees.py", "-k", "once or order"),
    ),
    Bug(
        "a timer that stops before the loops inside have run",
        "tir/lower/llvm_control.py",
        "        steps = rule(f, op)\n        if isinstance(steps, Iterator):\n            yield steps\n        if start is not None:",
        "        steps = rule(f, op)\n        if start is not None:",
        ("tests/runtime/test_clock.py",),
    ),
    Bug(
        "operands of a product without the last of them",
        "tir/inspect/costs.py",
        "[*dict.fromkeys(read), *op.results]",
        "[*dict.fromkeys(read)]",
        ("tests/inspect/test_explanations.py",),
    ),
    Bug(
        "a level that ends one pass too early",
        "tir/inspect/levels.py",
        "return len(names) if end is None else names.index(end) if end else 0",
        "return len(names) if end is None else names.index(end) - 1 if end else 0",
        ("tests/inspect/test_levels.py",),
    ),
    Bug(
        "a rule's op that comes from one line",
        "tir/ir/rewrite.py",
        "    _keep_locations(used, new_ops)\n",
        "",
        ("tests/inspect/test_levels.py",),
    ),
    Bug(
        "lines of fused ops cut off behind the first",
        "tir/ir/errors.py",
        "pending += [(child, inside) for child in reversed(one.children())]",
        "pending += [(child, inside) for child in one.children()[:1]]",
        ("tests/inspect/test_levels.py",),
    ),
)
