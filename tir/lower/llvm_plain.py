"""fma and rounding for machines without instructions for them, as functions in LLVM IR.

LLVM would call the C math library there, once for each lane. With these, code gives the same bits on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tir.lower.llvm_types import with_lanes

__all__ = ["without_fma", "without_rounding"]

#: a * b + c, rounded once: exact in f64 but for its last bit, which is set where the f64 is not exact.
_FMA_F32 = """
define internal FLOAT @NAME(FLOAT %a, FLOAT %b, FLOAT %c) #0 {
entry:
  %x = fpext FLOAT %a to DOUBLE
  %y = fpext FLOAT %b to DOUBLE
  %z = fpext FLOAT %c to DOUBLE
  %product = fmul DOUBLE %x, %y
  %sum = fadd DOUBLE %product, %z
  %part = fsub DOUBLE %sum, %product
  %other = fsub DOUBLE %sum, %part
  %lost.product = fsub DOUBLE %product, %other
  %lost.z = fsub DOUBLE %z, %part
  %lost = fadd DOUBLE %lost.product, %lost.z
  %bits = bitcast DOUBLE %sum to INT
  %last = trunc INT %bits to BOOL
  %inexact = fcmp one DOUBLE %lost, {double 0.0}
  %odd = xor BOOL %last, {i1 true}
  %moves = and BOOL %inexact, %odd
  %lost.up = fcmp ogt DOUBLE %lost, {double 0.0}
  %sum.up = fcmp ogt DOUBLE %sum, {double 0.0}
  %shrinks = xor BOOL %lost.up, %sum.up
  %step = select BOOL %shrinks, INT {i64 -1}, INT {i64 1}
  %moved = add INT %bits, %step
  %chosen = select BOOL %moves, INT %moved, INT %bits
  %wide = bitcast INT %chosen to DOUBLE
  %result = fptrunc DOUBLE %wide to FLOAT
  ret FLOAT %result
}
"""

#: a * b + c, rounded once: in whole numbers, the product of the significands and that of c side by side in 128 bits. What is
#: shifted out of them leaves its mark in the last bit.
_FMA_F64 = """
define internal double @tir.fma.f64(double %a, double %b, double %c) #0 {
entry:
  %a.bits = bitcast double %a to i64
  %b.bits = bitcast double %b to i64
  %c.bits = bitcast double %c to i64
  %a.shifted = lshr i64 %a.bits, 52
  %b.shifted = lshr i64 %b.bits, 52
  %c.shifted = lshr i64 %c.bits, 52
  %a.field = and i64 %a.shifted, 2047
  %b.field = and i64 %b.shifted, 2047
  %c.field = and i64 %c.shifted, 2047
  %product = fmul double %a, %b
  %a.special = icmp eq i64 %a.field, 2047
  %b.special = icmp eq i64 %b.field, 2047
  %a.zero = fcmp oeq double %a, 0.0
  %b.zero = fcmp oeq double %b, 0.0
  %special = or i1 %a.special, %b.special
  %zero = or i1 %a.zero, %b.zero
  %simple = or i1 %special, %zero
  br i1 %simple, label %apart, label %look
apart:
  %two.steps = fadd double %product, %c
  ret double %two.steps
look:
  %c.special = icmp eq i64 %c.field, 2047
  br i1 %c.special, label %is.c, label %look.again
is.c:
  %quiet = fadd double %c, %c
  ret double %quiet
look.again:
  %c.zero = fcmp oeq double %c, 0.0
  br i1 %c.zero, label %is.product, label %whole
is.product:
  ret double %product
whole:
  %a.small = icmp eq i64 %a.field, 0
  %b.small = icmp eq i64 %b.field, 0
  %c.small = icmp eq i64 %c.field, 0
  %a.first = select i1 %a.small, i64 0, i64 4503599627370496
  %b.first = select i1 %b.small, i64 0, i64 4503599627370496
  %c.first = select i1 %c.small, i64 0, i64 4503599627370496
  %a.rest = and i64 %a.bits, 4503599627370495
  %b.rest = and i64 %b.bits, 4503599627370495
  %c.rest = and i64 %c.bits, 4503599627370495
  %a.digits = or i64 %a.first, %a.rest
  %b.digits = or i64 %b.first, %b.rest
  %c.digits = or i64 %c.first, %c.rest
  %a.power = call i64 @llvm.umax.i64(i64 %a.field, i64 1)
  %b.power = call i64 @llvm.umax.i64(i64 %b.field, i64 1)
  %c.power = call i64 @llvm.umax.i64(i64 %c.field, i64 1)
  %both.powers = add i64 %a.power, %b.power
  %product.exponent = sub i64 %both.powers, 2150
  %c.exponent = sub i64 %c.power, 1075
  %a.wide = zext i64 %a.digits to i128
  %b.wide = zext i64 %b.digits to i128
  %c.wide = zext i64 %c.digits to i128
  %p = mul i128 %a.wide, %b.wide
  %d = sub i64 %c.exponent, %product.exponent
  %above = icmp sge i64 %d, 0
  %d.minus = sub i64 0, %d
  %c.up.most = call i64 @llvm.smin.i64(i64 %d, i64 70)
  %c.up = call i64 @llvm.smax.i64(i64 %c.up.most, i64 0)
  %p.up.most = call i64 @llvm.smin.i64(i64 %d.minus, i64 20)
  %p.up = call i64 @llvm.smax.i64(i64 %p.up.most, i64 0)
  %p.down.all = sub i64 %d, 70
  %p.down = call i64 @llvm.smax.i64(i64 %p.down.all, i64 0)
  %c.down.all = sub i64 %d.minus, 20
  %c.down = call i64 @llvm.smax.i64(i64 %c.down.all, i64 0)
  %c.up.wide = zext i64 %c.up to i128
  %p.up.wide = zext i64 %p.up to i128
  %c.high = shl i128 %c.wide, %c.up.wide
  %p.high = shl i128 %p, %p.up.wide
  %c.placed = call i128 @tir.fma.down(i128 %c.high, i64 %c.down)
  %p.placed = call i128 @tir.fma.down(i128 %p.high, i64 %p.down)
  %c.base = sub i64 %c.exponent, %c.up
  %p.base = sub i64 %product.exponent, %p.up
  %exponent = select i1 %above, i64 %c.base, i64 %p.base
  %sign.product = xor i64 %a.bits, %b.bits
  %sign.differs = xor i64 %sign.product, %c.bits
  %subtracts = icmp slt i64 %sign.differs, 0
  %sum = add i128 %p.placed, %c.placed
  %difference = sub i128 %p.placed, %c.placed
  %c.larger = icmp ult i128 %p.placed, %c.placed
  %turned = sub i128 0, %difference
  %apart.size = select i1 %c.larger, i128 %turned, i128 %difference
  %size = select i1 %subtracts, i128 %apart.size, i128 %sum
  %takes.c = and i1 %subtracts, %c.larger
  %sign.bits = select i1 %takes.c, i64 %c.bits, i64 %sign.product
  %sign = and i64 %sign.bits, -9223372036854775808
  %nothing = icmp eq i128 %size, 0
  br i1 %nothing, label %is.zero, label %round
is.zero:
  ret double 0.0
round:
  %upper.wide = lshr i128 %size, 64
  %upper = trunc i128 %upper.wide to i64
  %lower = trunc i128 %size to i64
  %upper.zeros = call i64 @llvm.ctlz.i64(i64 %upper, i1 false)
  %lower.zeros = call i64 @llvm.ctlz.i64(i64 %lower, i1 false)
  %upper.none = icmp eq i64 %upper, 0
  %more.zeros = add i64 %lower.zeros, 64
  %zeros = select i1 %upper.none, i64 %more.zeros, i64 %upper.zeros
  %top = sub i64 127, %zeros
  %top.exponent = add i64 %exponent, %top
  %fine = sub i64 %top.exponent, 52
  %unit = call i64 @llvm.smax.i64(i64 %fine, i64 -1074)
  %shift = sub i64 %unit, %exponent
  %gone = icmp sgt i64 %shift, 127
  %kept = select i1 %gone, i128 1, i128 %size
  %down.most = call i64 @llvm.smin.i64(i64 %shift, i64 127)
  %down = call i64 @llvm.smax.i64(i64 %down.most, i64 0)
  %up.all = sub i64 0, %shift
  %up = call i64 @llvm.smax.i64(i64 %up.all, i64 0)
  %down.wide = zext i64 %down to i128
  %up.wide = zext i64 %up to i128
  %cut = lshr i128 %kept, %down.wide
  %back = shl i128 %cut, %down.wide
  %rest = sub i128 %kept, %back
  %one = shl i128 1, %down.wide
  %middle = lshr i128 %one, 1
  %more = icmp ugt i128 %rest, %middle
  %tie = icmp eq i128 %rest, %middle
  %some = icmp ne i64 %down, 0
  %cut.odd = trunc i128 %cut to i1
  %tie.up = and i1 %tie, %cut.odd
  %wants.up = or i1 %more, %tie.up
  %rounds.up = and i1 %wants.up, %some
  %carry = zext i1 %rounds.up to i128
  %near = add i128 %cut, %carry
  %exact = shl i128 %near, %up.wide
  %digits = trunc i128 %exact to i64
  %field = add i64 %unit, 1074
  %field.placed = shl i64 %field, 52
  %packed = add i64 %field.placed, %digits
  %finite = call i64 @llvm.umin.i64(i64 %packed, i64 9218868437227405312)
  %signed = or i64 %finite, %sign
  %result = bitcast i64 %signed to double
  ret double %result
}

define internal i128 @tir.fma.down(i128 %x, i64 %count) #0 {
entry:
  %most = call i64 @llvm.umin.i64(i64 %count, i64 127)
  %wide = zext i64 %most to i128
  %down = lshr i128 %x, %wide
  %back = shl i128 %down, %wide
  %lost = icmp ne i128 %back, %x
  %mark = zext i1 %lost to i128
  %result = or i128 %down, %mark
  ret i128 %result
}

declare i64 @llvm.umax.i64(i64, i64)

declare i64 @llvm.umin.i64(i64, i64)

declare i64 @llvm.smax.i64(i64, i64)

declare i64 @llvm.smin.i64(i64, i64)

declare i64 @llvm.ctlz.i64(i64, i1)
"""

#: |x| + 2^52 - 2^52 is the nearest whole number, and the even one of two, below 2^52 (f32: 2^23). The others are one
#: step from there.
_ROUND = """
define internal FLOAT @NAME(FLOAT %x) #0 {
entry:
  %size = call FLOAT @llvm.fabs.SUFFIX(FLOAT %x)
  %up = fadd FLOAT %size, {SCALAR LARGE}
  %near.size = fsub FLOAT %up, {SCALAR LARGE}
  %fraction = fcmp olt FLOAT %size, {SCALAR LARGE}
  %even = call FLOAT @llvm.copysign.SUFFIX(FLOAT %near.size, FLOAT %x)
STEP
  %signed = call FLOAT @llvm.copysign.SUFFIX(FLOAT %found, FLOAT %x)
  %result = select BOOL %fraction, FLOAT %signed, FLOAT %x
  ret FLOAT %result
}

declare FLOAT @llvm.fabs.SUFFIX(FLOAT)

declare FLOAT @llvm.copysign.SUFFIX(FLOAT, FLOAT)
"""
_STEP = """
  %off = fcmp COMPARED
  %step = select BOOL %off, FLOAT {SCALAR 1.0}, FLOAT {SCALAR 0.0}
  %found = MOVED
"""
_KINDS = {
    "roundeven": "  %found = fadd FLOAT %even, {SCALAR -0.0}",
    "floor": _STEP.replace("COMPARED", "ogt FLOAT %even, %x").replace("MOVED", "fsub FLOAT %even, %step"),
    "ceil": _STEP.replace("COMPARED", "olt FLOAT %even, %x").replace("MOVED", "fadd FLOAT %even, %step"),
    "trunc": _STEP.replace("COMPARED", "ogt FLOAT %near.size, %size").replace("MOVED", "fsub FLOAT %near.size, %step"),
}

_CALL = re.compile(
    r"(?P<call>\bcall [^@\n]*?)@llvm\.(?P<name>fma|roundeven|floor|ceil|trunc)\.(?P<suffix>(?:v\d+)?f(?:32|64))\("
)


def without_fma(text: str) -> str:
    """The module with functions of its own instead of `llvm.fma` of f32 and f64."""
    return _replaced(text, ("fma",))


def without_rounding(text: str) -> str:
    """The module with functions of its own instead of `llvm.roundeven`, `floor`, `ceil` and `trunc`."""
    return _replaced(text, tuple(_KINDS))


def _replaced(text: str, names: tuple[str, ...]) -> str:
    functions: dict[str, str] = {}

    def called(match: re.Match[str]) -> str:
        name, suffix = match["name"], match["suffix"]
        if name not in names:
            return match[0]
        own = f"tir.{name}.{suffix}"
        _define(own, name, suffix, functions)
        return f"{match['call']}@{own}("

    changed = _CALL.sub(called, text)
    intrinsics = "|".join(names)
    changed = re.sub(rf"^declare [^@\n]*@llvm\.(?:{intrinsics})\.(?:v\d+)?f(?:32|64)\(.*\n\n?", "", changed, flags=re.M)
    declared = set(re.findall(r"^declare .*$", changed, re.M))
    parts = [part for one in functions.values() for part in one.strip().split("\n\n") if part not in declared]
    return "\n\n".join([changed.rstrip("\n"), *dict.fromkeys(parts)]) + "\n"


def _define(own: str, name: str, suffix: str, functions: dict[str, str]) -> None:
    """Adds the function for numbers or vectors of this type, and those that it calls."""
    lanes = int(suffix[1:].split("f")[0]) if suffix.startswith("v") else None
    if own in functions:
        return
    if name != "fma":
        functions[own] = _of_type(_ROUND.replace("STEP", _KINDS[name].strip("\n")), own, suffix, lanes)
    elif suffix.endswith("32"):
        functions[own] = _of_type(_FMA_F32, own, suffix, lanes)
    elif lanes is None:
        functions[own] = _FMA_F64
    else:
        _define("tir.fma.f64", name, "f64", functions)
        functions[own] = _lane_by_lane(own, lanes)


def _of_type(template: str, own: str, suffix: str, lanes: int | None) -> str:
    scalar, large = ("float", "8388608.0") if suffix.endswith("32") else ("double", "4503599627370496.0")
    text = template.replace("SCALAR", scalar).replace("LARGE", large).replace("NAME", own).replace("SUFFIX", suffix)
    types = {"FLOAT": scalar, "DOUBLE": "double", "INT": "i64", "BOOL": "i1"}
    text = re.sub("|".join(types), lambda word: with_lanes(types[word[0]], lanes), text)
    shape: Callable[[re.Match[str]], str] = lambda one: one[2] if lanes is None else f"splat ({one[1]} {one[2]})"  # noqa: E731
    return re.sub(r"\{(\w+) (\S+)\}", shape, text)


def _lane_by_lane(own: str, lanes: int) -> str:
    kind = f"<{lanes} x double>"
    lines = [f"define internal {kind} @{own}({kind} %a, {kind} %b, {kind} %c) #0 {{", "entry:"]
    held = "poison"
    for lane in range(lanes):
        for side in "abc":
            lines.append(f"  %{side}.{lane} = extractelement {kind} %{side}, i64 {lane}")
        operands = ", ".join(f"double %{side}.{lane}" for side in "abc")
        lines.append(f"  %r.{lane} = call double @tir.fma.f64({operands})")
        lines.append(f"  %all.{lane} = insertelement {kind} {held}, double %r.{lane}, i64 {lane}")
        held = f"%all.{lane}"
    return "\n".join([*lines, f"  ret {kind} {held}", "}"])
