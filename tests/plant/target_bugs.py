"""Bugs in the code for machines that lack something, to be planted one at a time."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["TARGET_BUGS"]

PLAIN, TABLE, PLAN = "tir/lower/llvm_plain.py", "tir/runtime/targets.py", "tir/passes/vector_plan.py"
TESTS = ("tests/runtime/test_targets.py",)

TARGET_BUGS = (
    Bug(
        "fma of f32 is rounded twice",
        PLAIN,
        "  %moves = and BOOL %inexact, %odd\n",
        "  %moves = and BOOL %inexact, {i1 false}\n",
        TESTS,
    ),
    Bug(
        "the last bit is moved the wrong way",
        PLAIN,
        "  %shrinks = xor BOOL %lost.up, %sum.up\n",
        "  %shrinks = icmp eq BOOL %lost.up, %sum.up\n",
        TESTS,
    ),
    Bug(
        "what is shifted out leaves no mark",
        PLAIN,
        "  %result = or i128 %down, %mark\n",
        "  %result = or i128 %down, 0\n",
        TESTS,
    ),
    Bug("ties go up", PLAIN, "  %tie.up = and i1 %tie, %cut.odd\n", "  %tie.up = and i1 %tie, true\n", TESTS),
    Bug(
        "subnormal results are cut off",
        PLAIN,
        "  %unit = call i64 @llvm.smax.i64(i64 %fine, i64 -1074)\n",
        "  %unit = call i64 @llvm.smax.i64(i64 %fine, i64 -1073)\n",
        TESTS,
    ),
    Bug(
        "subnormal operands have a first digit",
        PLAIN,
        "  %a.first = select i1 %a.small, i64 0, i64 4503599627370496\n",
        "  %a.first = select i1 %a.small, i64 4503599627370496, i64 4503599627370496\n",
        TESTS,
    ),
    Bug(
        "an infinite c counts for nothing if the product overflows",
        PLAIN,
        "  br i1 %c.special, label %is.c, label %look.again\n",
        "  br i1 false, label %is.c, label %look.again\n",
        TESTS,
    ),
    Bug(
        "the sign is always that of the product",
        PLAIN,
        "  %takes.c = and i1 %subtracts, %c.larger\n",
        "  %takes.c = and i1 %subtracts, false\n",
        TESTS,
    ),
    Bug(
        "results that are too large wrap",
        PLAIN,
        "  %finite = call i64 @llvm.umin.i64(i64 %packed, i64 9218868437227405312)\n",
        "  %finite = call i64 @llvm.umin.i64(i64 %packed, i64 9223372036854775807)\n",
        TESTS,
    ),
    Bug(
        "floor goes up",
        PLAIN,
        '_STEP.replace("COMPARED", "ogt FLOAT %even, %x")',
        '_STEP.replace("COMPARED", "olt FLOAT %even, %x")',
        TESTS,
    ),
    Bug(
        "zeros lose their sign",
        PLAIN,
        "  %signed = call FLOAT @llvm.copysign.SUFFIX(FLOAT %found, FLOAT %x)\n",
        "  %signed = fadd FLOAT %found, {SCALAR 0.0}\n",
        TESTS,
    ),
    Bug(
        "large numbers are rounded, too",
        PLAIN,
        "  %result = select BOOL %fraction, FLOAT %signed, FLOAT %x\n",
        "  %result = select BOOL {i1 true}, FLOAT %signed, FLOAT %x\n",
        TESTS,
    ),
    Bug(
        "the lanes of a vector are that of the first",
        PLAIN,
        '            lines.append(f"  %{side}.{lane} = extractelement {kind} %{side}, i64 {lane}")\n',
        '            lines.append(f"  %{side}.{lane} = extractelement {kind} %{side}, i64 0")\n',
        TESTS,
    ),
    Bug(
        "machines without FMA are thought to have it",
        TABLE,
        "        return self._has_one(_FMA)\n",
        "        return True\n",
        TESTS,
    ),
    Bug(
        "code for more than this machine has is let through",
        TABLE,
        "        return self.processor == other.processor and all(map(other.has, needed))\n",
        "        return self.processor == other.processor\n",
        TESTS,
    ),
    Bug("masks where the machine has none", PLAN, "        return self.masks and all(", "        return all(", TESTS),
)
