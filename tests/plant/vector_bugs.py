"""Bugs in loops over vectors, to be planted one at a time."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["VECTOR_BUGS"]

PLAN, LOOPS, PASS = "tir/passes/vector_plan.py", "tir/passes/vector_loops.py", "tir/passes/vectorize.py"
LANES, COLUMNS = "tir/lower/llvm_vectors.py", "tir/passes/blocked_nests.py"
TESTS = ("tests/passes/test_vectorize.py", "-m", "not slow")
COLUMN_TESTS, TILE_TESTS = ("tests/passes/test_column_reductions.py",), ("tests/passes/test_tiled_nests.py",)

VECTOR_BUGS = (
    Bug(
        "a long loop whose vectors are all full goes under masks, too",
        PLAN,
        "        return self.count is None or (self.count > self.lanes and self.count % self.lanes > 0)\n",
        "        return self.count is None or self.count > self.lanes\n",
        TESTS,
    ),
    Bug(
        "loops whose rest goes one by one have no rest with one body",
        PLAN,
        "        if self.ops < MANY_OPS or self.inner or not self.is_masked:\n",
        "        if self.ops < MANY_OPS or self.inner:\n",
        TESTS,
    ),
    Bug(
        "a vector too many at the end of the loop over whole ones",
        LOOPS,
        "        rest = self.b.create(arith.RemUI, count, self.constant(self.lanes * self.plan.side_by_side))\n",
        "        rest = self.b.create(arith.RemUI, count, self.constant(self.lanes))\n",
        TESTS,
    ),
    Bug(
        "what is left over is not computed",
        LOOPS,
        "        found = self.across_all(self.masked_loop(whole, end, held), start)\n",
        "        found = self.across_all(held, start)\n",
        TESTS,
    ),
    Bug(
        "a mask of as many lanes as the whole loop has iterations",
        LOOPS,
        "        left = self.b.create(arith.SubI, high, at)\n",
        "        left = high\n",
        TESTS,
    ),
    Bug(
        "counts below zero are large ones",
        LOOPS,
        "        return self.b.create(arith.MaxSI, count, self.constant(0))\n",
        "        return count\n",
        TESTS,
    ),
    Bug(
        "lanes that the mask leaves out count in a reduction",
        LOOPS,
        "        if step.mask is None:\n            return ends\n",
        "        if step.mask is None or ends:\n            return ends\n",
        TESTS,
    ),
    Bug(
        "the number that a reduction began with is forgotten",
        LOOPS,
        "        return self.b.create(vector.Reduction, lanes, first, kind=kind, result_types=[first.type], **flags)\n",
        "        return self.b.create(vector.Reduction, lanes, None, kind=kind, result_types=[first.type], **flags)\n",
        TESTS,
    ),
    Bug(
        "all vectors side by side are the first one",
        LOOPS,
        "            made += self.step(_Step(self.plus(at, number * self.lanes), None, *shared), held)\n",
        "            made += self.step(_Step(at, None, *shared), held)\n",
        TESTS,
    ),
    Bug(
        "of vectors side by side only the first counts",
        LOOPS,
        "        for start in range(carried, len(state), carried or 1):\n",
        "        for start in range(carried, carried, carried or 1):\n",
        TESTS,
    ),
    Bug(
        "the counter is the same in all lanes",
        LOOPS,
        "            found = step.vectors[value] = self.b.create(arith.AddI, self.broadcast(self.scalar(step, value)), self.numbers())\n",
        "            found = step.vectors[value] = self.broadcast(self.scalar(step, value))\n",
        TESTS,
    ),
    Bug(
        "a number is read in front of a loop that may write it",
        PLAN,
        "                isinstance(other, memref.Store) and Aliases().may_overlap(base_of(op.memref), base_of(other.memref))\n",
        "                isinstance(other, memref.Store) and op.memref is other.memref\n",
        TESTS,
    ),
    Bug(
        "a place that may not exist is read in front of the loop",
        PLAN,
        "            return _is_surely_inside(op) and not any(\n",
        "            return not any(\n",
        TESTS,
    ),
    Bug(
        "a counter that falls is taken for one that grows",
        PLAN,
        "(counters == [False, True] and isinstance(op, arith.AddI))\n",
        "counters == [False, True]\n",
        TESTS,
    ),
    Bug(
        "twice a counter grows by one",
        PLAN,
        "    if not isinstance(op, (arith.AddI, arith.SubI)):\n",
        "    if not isinstance(op, (arith.AddI, arith.SubI, arith.MulI)):\n",
        TESTS,
    ),
    Bug(
        "a row that is not packed is read as if it were",
        PLAN,
        "    return type.strides_and_offset()[0][-1] == 1\n",
        "    return True\n",
        TESTS,
    ),
    Bug(
        "the diagonal is a row",
        PLAN,
        "    if len(places) > 1 or op.indices[-1] is not places[0]",
        "    if op.indices[-1] is not places[0]",
        TESTS,
    ),
    Bug(
        "sums are taken in another order without leave",
        PLAN,
        '        if isinstance(combining, _ROUNDED) and not {"reassoc", "fast"} & set(combining.fastmath.split(",")):\n',
        "        if False:\n",
        TESTS,
    ),
    Bug(
        "a loop that needs each step in order goes in vectors",
        PLAN,
        "        if combining is None or users != [combining]",
        "        if combining is None or combining not in users",
        TESTS,
    ),
    Bug(
        "the largest number is at least zero",
        PLAN,
        'arith.MaximumF: ("maximumf", -math.inf)',
        'arith.MaximumF: ("maximumf", 0.0)',
        TESTS,
    ),
    Bug(
        "the smallest signed number that a maximum begins with is zero",
        LOOPS,
        "    return type, -top if isinstance(op, arith.MaxSI) else top - 1\n",
        "    return type, 0 if isinstance(op, arith.MaxSI) else top - 1\n",
        TESTS,
    ),
    Bug(
        "half of the lanes are left out of a largest number",
        LANES,
        "        for start in (0, lanes):\n",
        "        for start in (0, 0):\n",
        TESTS,
    ),
    Bug(
        "each strip begins at the first column",
        COLUMNS,
        "opened.enter_context(self.parallel([first], [stop], [1]))",
        "opened.enter_context(self.parallel([self.constant(0)], [stop], [1]))",
        COLUMN_TESTS,
    ),
    Bug(
        "each block begins at the first row",
        COLUMNS,
        "enumerate(self.loop(begin, end, 1, [self.load(i) for i in outputs], row)):",
        "enumerate(self.loop(self.constant(0), end, 1, [self.load(i) for i in outputs], row)):",
        COLUMN_TESTS,
    ),
    Bug(
        "lanes go through a loop together that each would leave at another step",
        PLAN,
        "    if any(value in plan.linear or value in plan.varying for value in (loop.lowerBound, loop.upperBound, loop.step)):\n",
        "    if False:\n",
        TESTS,
    ),
    Bug(
        "the last tiles end where whole ones would",
        COLUMNS,
        "self.b.create(arith.MinSI, self.b.create(arith.AddI, start, self.constant(count)), self.sizes[d])",
        "self.b.create(arith.AddI, start, self.constant(count))",
        TILE_TESTS,
    ),
    Bug(
        "a tile is as long in one direction as it should be in the other",
        COLUMNS,
        "for d, start, count in zip(tiled, (first, second), TILE)",
        "for d, start, count in zip(tiled, (first, second), TILE[::-1])",
        TILE_TESTS,
    ),
)
