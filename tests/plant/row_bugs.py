"""The bugs that `plant.py` plants in loops over rows: scf.forall, fuse-rows, and what puts them on buffers."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["ROW_BUGS"]

ROWS, AXES, FUSE = "tir/passes/rows.py", "tir/passes/axes.py", "tir/passes/fuse_rows.py"
SCF, CONTROL, PLACES = "tir/dialects/scf.py", "tir/passes/bufferize_control.py", "tir/passes/allocations.py"
FUSED = ("tests/passes/test_fuse_rows.py", "-m", "not slow")
FORALL = ("tests/dialects/test_scf_forall.py",)

ROW_BUGS = (
    Bug("a loop of two axes tied to both", AXES, "if any(loops.get(op, dim) != dim for op, dim in more.items()):", "if False:", FUSED),
    Bug("loops of one step counted as common", AXES, "if isinstance(expr, AffineDim) and _shape(value)[axis] != 1:", "if isinstance(expr, AffineDim):", FUSED),
    Bug("reductions counted as common loops", AXES, "for dim, kind in kinds if kind == linalg.PARALLEL)", "for dim, kind in kinds)", FUSED),
    Bug(
        "what is made in another iteration taken for that of this one", FUSE,
        "if is_inside and not self.axes.are_same_place(op, value, map, nest.band):", "if False:", FUSED,
    ),
    Bug("columns taken for rows", FUSE, "if self.axes.inner_axis_in(op, nest.band):", "if False:", FUSED),
    Bug(
        "an op between two others forgotten", FUSE, "                if not late.isdisjoint(self._needs(op)):\n                    return None\n",
        "", FUSED,
    ),
    Bug("what moves behind the loop left in front", FUSE, "                for one in moved:\n", "                for one in moved[:0]:\n", FUSED),
    Bug("short rows made loops", FUSE, ") < SHORTEST_ROW:", ") < 0:", FUSED),
    Bug("groups without a reduction made loops", FUSE, "            if not nest.is_worth_it:\n", "            if False:\n", FUSED),
    Bug("a result that is used elsewhere not handed out", ROWS, "return any(user not in self.members for user in result.users)", "return False", FUSED),
    Bug("slices from the first row", ROWS, "offsets = [self.counters.get(number, 0) for number in axes]", "offsets = [0 for number in axes]", FUSED),
    Bug("parts written to the first row", ROWS, "offsets = [self.counters.get(axis, 0) for axis in axes]", "offsets = [0 for axis in axes]", FUSED),
    Bug("a slice taken for another of the same tensor", ROWS, "key = value, tuple(axes)", "key = value, ()", FUSED),
    Bug("positions counted anew inside the loop", ROWS, "mapping[inner.result] = counter or ", "mapping[inner.result] = ", FUSED),
    Bug("the size of another loop of a row", ROWS, "self.axes.of_loop(op, expr.position) == axis:", "self.axes.of_loop(op, expr.position) in self.band:", FUSED),
    Bug("a loop that gives the first values themselves", SCF, "made = dict(zip(self.shared_outs, map(np.array, inits)))", "made = dict(zip(self.shared_outs, inits))", FORALL),
    Bug("what an iteration reads changed by another", CONTROL, "if is_read and f.buffers.get(init) is place.buffer:", "if False:", FORALL),
    Bug("parts computed aside", CONTROL, "    f.want(op.body, [(part.source, place.storage) for part, place in early.items()])\n", "", FORALL),
    Bug("a loop without its steps", CONTROL, "for numbers in zip(*op.mixed_bounds)]", "for numbers in zip(*[(a, b, 1) for a, b, _ in op.mixed_bounds])]", FORALL),
    Bug("rows of any size on the stack", PLACES, "and size_bytes <= left:", "and True:", FORALL),
)  # fmt: skip
