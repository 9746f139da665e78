"""f16 on a CPU that lacks it: LLVM IR text in which a half is its bits in an i16.

LLVM itself would call functions of a run-time library that no process has. Between the conversions a half is only moved,
which an i16 does as well; the conversions become functions of integer arithmetic, exact and rounded to nearest even.
"""

from __future__ import annotations

import re

from tir.lower.llvm_types import with_lanes

__all__ = ["without_half"]

_WORD = re.compile(r"(?<![\w.%@$-])half(?![\w.$-])")
_BITS = re.compile(r"(?<![\w.%@$-])0xH([0-9A-F]{4})\b")
_CONVERSION = re.compile(
    r"(?P<what>fpext|fptrunc) (?P<source>half|float|double|<\d+ x (?:half|float|double)>) (?P<value>.+) "
    r"to (?P<target>half|float|double|<\d+ x (?:half|float|double)>)$",
    re.M,
)

# See the bits of a half, 1 of sign, 5 of exponent, 10 of fraction, as a number: `size` is without the sign. A subnormal
# is size * 2^-24, which f32 holds; infinity and nan have the largest exponent; any other gets the bias of f32.
_EXTEND = """
define internal FLOAT @EXTEND(HALF %x) #0 {
  %wide = zext HALF %x to INT
  %size = and INT %wide, {0x7FFF}
  %sign.low = and INT %wide, {0x8000}
  %sign = shl INT %sign.low, {16}
  %shifted = shl INT %size, {13}
  %normal = add INT %shifted, {0x38000000}
  %infinite = or INT %shifted, {0x7F800000}
  %quiet = or INT %infinite, {0x400000}
  %number = uitofp INT %size to FLOAT
  %small = fmul FLOAT %number, [0x3E70000000000000]
  %small.bits = bitcast FLOAT %small to INT
  %is.small = icmp ult INT %size, {0x400}
  %is.large = icmp uge INT %size, {0x7C00}
  %is.nan = icmp ugt INT %size, {0x7C00}
  %finite = select BOOL %is.small, INT %small.bits, INT %normal
  %special = select BOOL %is.nan, INT %quiet, INT %infinite
  %found = select BOOL %is.large, INT %special, INT %finite
  %signed = or INT %found, %sign
  %result = bitcast INT %signed to FLOAT
  ret FLOAT %result
}"""

# Below the smallest normal half 2^-14 a half is a multiple of 2^-24, which is an ulp of numbers from 1/2 to 1: adding 1/2
# rounds. From 65520 on, halfway above the largest half, a number is infinite.
_ROUND = """
define internal HALF @ROUND(FLOAT %x) #0 {
  %bits = bitcast FLOAT %x to INT
  %size = and INT %bits, {0x7FFFFFFF}
  %sign.high = lshr INT %bits, {16}
  %sign = and INT %sign.high, {0x8000}
  %upper = lshr INT %size, {13}
  %last = and INT %upper, {1}
  %half.ulp = add INT %last, {0xFFF}
  %nearest = add INT %size, %half.ulp
  %unbiased = sub INT %nearest, {0x38000000}
  %normal = lshr INT %unbiased, {13}
  %number = bitcast INT %size to FLOAT
  %moved = fadd FLOAT %number, [0x3FE0000000000000]
  %moved.bits = bitcast FLOAT %moved to INT
  %small = sub INT %moved.bits, {0x3F000000}
  %fraction = and INT %upper, {0x3FF}
  %nan = or INT %fraction, {0x7E00}
  %is.small = icmp ult INT %size, {0x38800000}
  %is.large = icmp uge INT %size, {0x477FF000}
  %is.nan = icmp ugt INT %size, {0x7F800000}
  %finite = select BOOL %is.small, INT %small, INT %normal
  %limited = select BOOL %is.large, INT {0x7C00}, INT %finite
  %found = select BOOL %is.nan, INT %nan, INT %limited
  %signed = or INT %found, %sign
  %result = trunc INT %signed to HALF
  ret HALF %result
}"""


def without_half(text: str) -> str:
    """The module with halves as bits. Its only operations on them are conversions to and from wider floats."""
    functions: dict[str, str] = {}
    lines = [_converted(line, functions) for line in text.split("\n")]
    return "\n\n".join(["\n".join(lines).rstrip("\n"), *functions.values()]) + "\n"


def _converted(line: str, functions: dict[str, str]) -> str:
    """One line; what it converts by goes to `functions`. Names in quotes stay as they are."""
    match = _CONVERSION.search(line)
    if match is not None and "half" in match["source"] + match["target"]:
        line = _call(line, match, functions)
    parts = line.split('"')
    for place in range(0, len(parts), 2):
        parts[place] = _BITS.sub(lambda bits: str(int(bits[1], 16)), _WORD.sub("i16", parts[place]))
    return '"'.join(parts)


def _call(line: str, match: re.Match[str], functions: dict[str, str]) -> str:
    """The conversion as a call of a function, which is made at its first use."""
    extends = match["what"] == "fpext"
    narrow, wide = (match["source"], match["target"]) if extends else (match["target"], match["source"])
    lanes = int(narrow[1:].split(" ")[0]) if narrow.startswith("<") else None
    single = with_lanes("float", lanes)
    name = f"tir.half.{'extend' if extends else 'round'}{lanes or ''}"
    functions[name] = _defined(_EXTEND if extends else _ROUND, name, lanes)
    if not extends:
        assert wide == single, "f64 is rounded to odd in f32 first"
        return f"{line[: match.start()]}call {narrow} @{name}({wide} {match['value']})"
    call = f"call {single} @{name}({narrow} {match['value']})"
    if wide == single:
        return line[: match.start()] + call
    result, _, _ = line.partition(" = ")
    return f"{result}.single = {call}\n{result} = fpext {single} {result.lstrip()}.single to {wide}"


def _defined(template: str, name: str, lanes: int | None) -> str:
    """The function for scalars, or for vectors of so many lanes."""
    types = {"FLOAT": "float", "HALF": "i16", "INT": "i32", "BOOL": "i1"}
    text = re.sub("|".join(types), lambda word: with_lanes(types[word[0]], lanes), template.strip())
    text = re.sub("EXTEND|ROUND", name, text)

    def number(kind: str, spelled: str) -> str:
        return spelled if lanes is None else f"splat ({kind} {spelled})"

    text = re.sub(r"\{(0x[0-9A-F]+|\d+)\}", lambda found: number("i32", str(int(found[1], 0))), text)
    return re.sub(r"\[(0x[0-9A-F]+)\]", lambda found: number("float", found[1]), text)
