"""The bugs that `plant.py` plants in transformations of loops and structured ops, and in what runs schedules."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["SCHEDULE_BUGS"]

PASSES = "tir/passes/"
DEPENDENCE, NUMBERS, TILING = PASSES + "loop_dependence.py", PASSES + "loop_numbers.py", PASSES + "loop_tiling.py"
UNROLLING, PEELING, INTERCHANGING = (
    PASSES + "loop_unrolling.py",
    PASSES + "loop_peeling.py",
    PASSES + "loop_interchanging.py",
)
COALESCING, FORALL = PASSES + "loop_coalescing.py", PASSES + "forall_loops.py"
TILE, TILES, FUSING = PASSES + "generic_tile.py", PASSES + "generic_tiling.py", PASSES + "generic_fusing.py"
STATE, RUN, OPS = PASSES + "schedule_state.py", PASSES + "schedule_run.py", PASSES + "schedule_ops.py"
LOOPS = ("tests/passes/test_loop_transformations.py",)
SCHEDULES = ("tests/passes/test_schedules.py",)

SCHEDULE_BUGS = (
    # --- dependences
    Bug("dependences of stores on stores forgotten", DEPENDENCE, "if not (one.writes or other.writes):", "if one.writes is other.writes:", LOOPS),
    Bug("a dependence that goes backwards taken for none", DEPENDENCE, "    if backward:\n", "    if not forward:\n", LOOPS),
    Bug("counters that count down in an index taken for the same", DEPENDENCE, "(term.op.rhs, -factor)", "(term.op.rhs, factor)", LOOPS),
    Bug("an index twice the counter taken for the counter", DEPENDENCE, "pending.append((times[0], factor * times[1]))", "pending.append((times[0], factor))", LOOPS),
    Bug("buffers that may be one taken for two", DEPENDENCE, "one.buffer is not other.buffer:\n        return unknown", "one.buffer is not other.buffer:\n        return None", LOOPS),
    Bug("tiles that turn dependences around", DEPENDENCE, "if size and sign < 0:", "if not size and sign < 0:", LOOPS),
    Bug("nests that carry values interchanged", DEPENDENCE, "        if loop.initArgs:\n", "        if len(loop.initArgs) > 1:\n", LOOPS),
    # --- loops
    Bug("a first number of the rest that is one step early", UNROLLING, "step * copy", "step * (copy - 1)", LOOPS),
    Bug("remainders of loops that do not run", NUMBERS, "self.b.create(arith.RemSI, x", "self.b.create(arith.RemUI, x", LOOPS),
    Bug("the rest of a loop that begins with what the loop began with", NUMBERS, "rest.set_operands([*bounds, *loop.results])", "rest.set_operands([*bounds, *loop.initArgs])", LOOPS),
    Bug("a whole step in the last iteration", PEELING, "    _settle(rest, end, whole=False)\n", "    _settle(rest, end, whole=True)\n", LOOPS),
    Bug("a first iteration that always runs", PEELING, "second if known else numbers.minimum(second, loop.upperBound)", "second", LOOPS),
    Bug("last tiles as long as the others", TILING, "return numbers.add(start, numbers.minimum(outer.step, left))", "return numbers.add(start, outer.step)", LOOPS),
    Bug("counters that change places without their bounds", INTERCHANGING, "        loop.set_operands(self.bounds)\n", "", LOOPS),
    Bug("tiles of parallel loops from their start on", TILING, "inside.create(arith.AddI, counter, start)", "inside.create(arith.AddI, counter, counter)", LOOPS),
    Bug("coalesced loops of which two run a negative number of times", COALESCING, "numbers.maximum(count, numbers.constant(0))", "count", SCHEDULES),
    Bug("coalesced loops from the inside out", COALESCING, "in reversed(list(zip(loops, counts, uses)))", "in list(zip(loops, counts, uses))", SCHEDULES),
    Bug("an iteration of scf.forall that sees what another has written", FORALL, "dict(zip(loop.shared_outs, loop.outputs))", "{}", SCHEDULES),
    # --- structured ops
    Bug("positions inside of a tile", TILE, "                        use.set(moved)\n", "                        pass\n", SCHEDULES),
    Bug("windows of a tile without their overlap", TILE, "self.sizes.subtract(self.length(dim), 1) if len(factors) > 1", "self.length(dim) if len(factors) > 1", SCHEDULES),
    Bug("a constant of an index counted twice", TILE, "    return expr - terms[1]\n", "    return expr\n", SCHEDULES),
    Bug("tiles of reductions in any order", TILES, "changed and changed != reductions[:1] and not is_order_free(op)", "changed and changed != reductions[:1] and not op.outputs", SCHEDULES),
    Bug("dimensions that change places the other way round", TILES, "AffineDim(old): AffineDim(new) for new, old in", "AffineDim(new): AffineDim(old) for new, old in", SCHEDULES),
    Bug("tiles behind the last element", TILES, "first = inside.minimum(first, length)", "pass", SCHEDULES),
    Bug("slices with steps fused", FUSING, "if any(stride != 1 for stride in slice.mixed_strides) or", "if", SCHEDULES),
    # --- schedules
    Bug("handles into what was transformed kept", STATE, "if any(one.is_inside(payload) for one in ops):", "if payload in ops:", SCHEDULES),
    Bug("a handle used twice", RUN, "        self.state.consume(op, op.consumed_operands())\n        try:", "        try:", SCHEDULES),
    Bug("handles to ops that are gone", RUN, "            self.state.drop_lost(op)\n", "", SCHEDULES),
    Bug("a failure passed over although it was to end the schedule", RUN, 'if failures == "propagate":', 'if failures == "suppress":', SCHEDULES),
    Bug("results of the runs of foreach in the order of the results", RUN, "                found += more\n", "                found[:] = more\n", SCHEDULES),
    Bug("types of handles that nobody looks at", STATE, "wanted is not None and one.name != wanted), None)", "wanted is None), None)", SCHEDULES),
    Bug("a parent that is the op itself", OPS, "for one in payload.ancestors() if", "for one in [payload, *payload.ancestors()] if", SCHEDULES),
)  # fmt: skip
