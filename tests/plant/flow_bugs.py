"""The bugs that `plant.py` plants in sccp, licm and read-through-write, and in what ops say to them."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["FLOW_BUGS"]

SCCP, LICM, STORES = "tir/passes/sccp.py", "tir/passes/licm.py", "tir/passes/forward_stores.py"
RULES, MEMORY, CONTROL = "tir/passes/read_through_write_rules.py", "tir/passes/memory.py", "tir/dialects/tir/control.py"
TEXT = ("tests/test_lit.py", "-k")
ON_BUFFERS = ("tests/passes/test_read_through_write.py", "-k", "buffers")
ON_TENSORS = ("tests/passes/test_read_through_write.py", "-k", "text_test")

FLOW_BUGS = (
    # --- sccp
    Bug(
        "a value that can be two constants taken for the second",
        SCCP,
        "self.known[value] = new if old is None else _ANYTHING",
        "self.known[value] = new",
        (*TEXT, "sccp"),
    ),
    Bug(
        "arguments of public functions taken for what the module calls them with",
        SCCP,
        "one.is_private and len(self.calls[one])",
        "self.calls[one] and len(self.calls[one])",
        (*TEXT, "sccp"),
    ),
    Bug(
        "a loop with a number of trips that only its condition ends",
        CONTROL,
        "        if self.max_trips is not None:\n            yield Edge(body, None, self.yielded(body))\n",
        "",
        (*TEXT, "sccp"),
    ),
    Bug(
        "what is carried into a second step of a scan forgotten",
        CONTROL,
        "            yield Edge(self.body, self.body, [*carried, *elements])\n",
        "",
        (*TEXT, "sccp or licm"),
    ),
    Bug(
        "points that are differentiated by replaced by constants",
        SCCP,
        "for value in op.operands if isinstance(op, Derivative) else ():",
        "for value in ():",
        (*TEXT, "sccp"),
    ),
    # --- licm
    Bug(
        "what can fail moved out of a loop that may not run",
        LICM,
        "if not surely and summary.can_fail:",
        "if not surely and summary.can_fail and inside in self.disturbed:",
        (*TEXT, "licm"),
    ),
    Bug(
        "what can fail moved in front of an assert",
        LICM,
        "if op.regions else inside not in self.disturbed",
        "if op.regions else True",
        (*TEXT, "licm"),
    ),
    Bug(
        "index that may be outside said not to fail",
        "tir/dialects/tir/places.py",
        'return self.mode == "error" or not all',
        'return self.mode == "drop" or not all',
        ("tests/passes/test_licm.py", "-k", "fail"),
    ),
    Bug(
        "loads moved out of a loop that writes a view of what they read",
        MEMORY,
        "    while is_view(value.op):\n",
        "    while isinstance(value.op, memref.Cast):\n",
        (*TEXT, "licm or read-through"),
    ),
    # --- read-through-write
    Bug(
        "two arguments taken for two buffers",
        MEMORY,
        "if isinstance(one.op, (memref.Alloc, memref.Alloca)) and (_is_distinct(other) or self.is_local(one)):",
        "if _is_distinct(one) and (_is_distinct(other) or self.is_local(one)):",
        (*TEXT, "licm or read-through"),
    ),
    Bug(
        "a buffer that is handed on taken for one that others cannot reach",
        MEMORY,
        "if isinstance(user, (Terminator, RecursiveEffects)) or buffers_of(user.results):",
        "if isinstance(user, Terminator) and not user.results:\n        return user.parent_op is None\n    if buffers_of(user.results):",
        (*TEXT, "read-through"),
    ),
    Bug(
        "what stood in a buffer before a loop known in it, whatever the loop writes",
        STORES,
        "        if not isinstance(op, scf.If):  # of another op any part may run behind another\n            self.forget_written(inside)\n",
        "",
        ON_BUFFERS,
    ),
    Bug(
        "what a branch stores known behind it",
        STORES,
        "            self.values.undo(mark)\n            self.forget_written(inside)\n",
        "            self.values.undo(mark)\n",
        ON_BUFFERS,
    ),
    Bug(
        "stores dropped that a branch reads",
        STORES,
        "            self.forget_written(inside)\n        self.forget_stores(inside)\n",
        "            self.forget_written(inside)\n",
        ON_BUFFERS,
    ),
    Bug(
        "stores with another index taken for stores beside",
        STORES,
        "if but is not None and _is_constant(but) and buffer is but[0]:",
        "if but is not None and buffer is but[0]:",
        ON_BUFFERS,
    ),
    Bug(
        "errors of a start outside lost with the update",
        RULES,
        "return not written.may_fail() or not written.results[0].has_one_use",
        "return True or not written.results[0].has_one_use",
        ON_TENSORS,
    ),
    Bug(
        "numbers that are added taken for all that is there",
        RULES,
        'same_kind = written.kind == "set" and op.mode == written.mode',
        "same_kind = op.mode == written.mode",
        ON_TENSORS,
    ),
    Bug(
        "a slice behind the first part of a concat at the place in the whole",
        RULES,
        "starts = [start - at if i == axis else one",
        "starts = [start if i == axis else one",
        (*TEXT, "read-through"),
    ),
)
