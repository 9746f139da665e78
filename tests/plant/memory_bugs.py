"""Bugs in the plan of memory and in the workspace, to be planted one at a time."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["MEMORY_BUGS"]

PLAN, WORKSPACE, JIT = "tir/passes/plan_memory.py", "tir/lower/llvm_workspace.py", "tir/runtime/jit.py"
TESTS = ("tests/passes/test_plan_memory.py", "-m", "not slow")

MEMORY_BUGS = (
    Bug(
        "a buffer may take the place of one that the same op still reads",
        PLAN,
        "        return self.first <= other.last and other.first <= self.last\n",
        "        return self.first < other.last and other.first < self.last\n",
        TESTS,
    ),
    Bug(
        "a buffer is needed up to its first use alone",
        PLAN,
        "        return _Buffer(op, min(places), max(places)) if",
        "        return _Buffer(op, min(places), min(places)) if",
        TESTS,
    ),
    Bug(
        "what a branch or a loop hands on is no buffer",
        PLAN,
        "        makers.append(user.parent_op)\n",
        "        pass\n",
        TESTS,
    ),
    Bug(
        "what a loop carries is no buffer",
        PLAN,
        "        for other in (*maker.results, *inside):\n",
        "        for other in inside:\n",
        TESTS,
    ),
    Bug(
        "a hole counts as large enough if it ends a byte too early",
        PLAN,
        "            if start >= offset + buffer.known_bytes:\n",
        "            if start + 64 >= offset + buffer.known_bytes:\n",
        TESTS,
    ),
    Bug(
        "offsets are not rounded up to lines",
        PLAN,
        "            offset = max(offset, _aligned(start + other.known_bytes))\n",
        "            offset = max(offset, start + other.known_bytes)\n",
        TESTS,
    ),
    Bug(
        "sizes that have nothing to do with each other share slots",
        PLAN,
        "        classes.setdefault(buffer.open_sizes, []).append(buffer)\n",
        "        classes.setdefault(buffer.open_sizes and (1,), []).append(buffer)\n",
        TESTS,
    ),
    Bug(
        "the smallest go first",
        PLAN,
        "    for buffer in sorted(buffers, key=lambda one: (-one.known_bytes, one.first)):\n        offset = 0\n",
        "    for buffer in sorted(buffers, key=lambda one: (one.known_bytes, one.first)):\n        offset = 0\n",
        TESTS,
    ),
    Bug(
        "what the function returns gets a place",
        PLAN,
        '            return "the function returns the buffer"\n',
        "            pass\n",
        TESTS,
    ),
    Bug(
        "buffers behind a use get a place, too",
        PLAN,
        "        elif any(value.op in found for value in op.operands):  # a size or a view\n            break\n",
        "",
        TESTS,
    ),
    Bug(
        "a slot is as large as its first member",
        WORKSPACE,
        "        offset, largest = max(op.offset for op in ops), max(ops, key=lambda op: op.known_bytes)\n",
        "        offset, largest = max(op.offset for op in ops), ops[0]\n",
        TESTS,
    ),
    Bug(
        "slots begin at the same place",
        WORKSPACE,
        "        starts[slot] = total\n",
        '        starts[slot] = "0"\n',
        TESTS,
    ),
    Bug(
        "offsets in a slot do not count",
        WORKSPACE,
        "        start = f.add(starts[op.slot], str(op.offset))\n",
        "        start = starts[op.slot]\n",
        TESTS,
    ),
    Bug(
        "a piece that is too small is used again",
        WORKSPACE,
        "  %fits = and i1 %enough, %modest\n",
        "  %fits = or i1 %enough, %modest\n",
        TESTS,
    ),
    Bug(
        "a piece that is much too large stays",
        WORKSPACE,
        "  %quarter = lshr i64 %room, 2\n",
        "  %quarter = lshr i64 %room, 42\n",
        TESTS,
    ),
    Bug(
        "how large a piece is is not noted",
        WORKSPACE,
        "  store i64 %bytes, ptr %made\n",
        "  store i64 0, ptr %made\n",
        TESTS,
    ),
    Bug(
        "the piece does not come back",
        WORKSPACE,
        '    f.keep_at_the_end(piece, f"call void @workspace.keep(ptr @{cell}, ptr {{}})")\n',
        "",
        TESTS,
    ),
    Bug(
        "a piece that there is no room for is freed twice or lost",
        WORKSPACE,
        "  call void @free(ptr %other)\n",
        "",
        TESTS,
    ),
    Bug(
        "what the code keeps is not freed with it",
        JIT,
        "        if RELEASE in exports:",
        "        if RELEASE in exports and not exports:",
        TESTS,
    ),
    Bug(
        "sizes below zero are not looked for",
        "tir/lower/llvm_memory.py",
        "        if not f[size].isdigit() and f[size] not in known:\n",
        "        if f[size].isdigit() and f[size] not in known:\n",
        TESTS,
    ),
    Bug(
        "too many bytes are no error",
        WORKSPACE,
        '        f.leave_unless(f.assign(f"icmp ult i64 {total}, {MAX_BUFFER_BYTES}"), OUT_OF_MEMORY)\n',
        "        pass\n",
        TESTS,
    ),
)
