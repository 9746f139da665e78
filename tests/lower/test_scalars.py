"""Every op of arith and math that has machine code computes what its reference says, on all pairs of hard inputs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.lower.native import assert_same, compiled, lowered, run_both
from tir.dialects import arith, math
from tir.dialects.math_expansions import EXPANSIONS
from tir.ir.errors import PassError
from tir.lower.llvm import RULES

INTEGERS = {"i1": np.bool_, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64, "index": np.int64}
FLOATS = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
DTYPES = {**INTEGERS, **FLOATS}

SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 3.0, 0.1, 100.75, -127.6, 255.5, 65504.0, 1e-5, -1e30, 1e300,
           2.0**31, -(2.0**31), 2.0**63, -(2.0**63), 5e-324, np.inf, -np.inf, np.nan]  # fmt: skip


def hard(type: str) -> np.ndarray:
    """Values of a type at the edges of what it can hold."""
    if type == "i1":
        return np.array([False, True])
    if type in FLOATS:
        with np.errstate(over="ignore"):
            return np.array(SPECIAL, np.float64).astype(FLOATS[type])
    limits = np.iinfo(INTEGERS[type])
    near = [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 63, 64, 100, -1, -2, -3, -7, limits.max, limits.min]
    return np.array([*near, limits.max - 1, limits.min + 1, limits.max // 3, limits.min // 3]).astype(INTEGERS[type])


def elementwise(op: str, operands: list[str], results: list[str], tail: str) -> str:
    """A function that applies `op` to each element of its arguments; `tail` stands behind the operands."""
    names = [f"%x{i}" for i in range(len(operands))]
    arguments = [f"{name}s: memref<?x{type}>" for name, type in zip(names, operands)]
    arguments += [f"%y{i}s: memref<?x{type}>" for i, type in enumerate(results)]
    loads = [f"{name} = memref.load {name}s[%i] : memref<?x{type}>" for name, type in zip(names, operands)]
    stores = [f"memref.store %y{i}, %y{i}s[%i] : memref<?x{type}>" for i, type in enumerate(results)]
    made = ", ".join(f"%y{i}" for i in range(len(results)))
    return f"""
      func.func @f({", ".join(arguments)}) {{
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %n = memref.dim %x0s, %c0 : memref<?x{operands[0]}>
        scf.for %i = %c0 to %n step %c1 {{
          {chr(10).join(loads)}
          {made} = {op} {", ".join(names)}{tail}
          {chr(10).join(stores)}
        }}
        return
      }}"""


def check(op: str, operands: list[str], results: list[str], tail: str) -> None:
    """Native code and interpreter agree on all combinations of hard inputs."""
    points = list(itertools.product(*(hard(type) for type in operands)))
    inputs = [np.array(column, DTYPES[type]) for column, type in zip(zip(*points), operands)]
    outputs = [np.zeros(len(points), DTYPES[type]) for type in results]
    run_both(elementwise(op, operands, results, tail), [*inputs, *outputs])


INTEGER_BINARY = (
    "addi subi muli divsi divui ceildivsi ceildivui floordivsi remsi remui andi ori xori shli shrsi shrui "
    "maxsi maxui minsi minui"
).split()
FLOAT_BINARY = "addf subf mulf divf remf maximumf minimumf maxnumf minnumf".split()
FLOAT_UNARY = "absf ceil floor trunc round roundeven sqrt rsqrt".split()


@pytest.mark.parametrize("type", INTEGERS)
@pytest.mark.parametrize("op", INTEGER_BINARY)
def test_integer_op(op: str, type: str) -> None:
    check(f"arith.{op}", [type, type], [type], f" : {type}")


@pytest.mark.parametrize("type", FLOATS)
@pytest.mark.parametrize("op", FLOAT_BINARY)
def test_float_op(op: str, type: str) -> None:
    check(f"arith.{op}", [type, type], [type], f" : {type}")


@pytest.mark.parametrize("type", FLOATS)
@pytest.mark.parametrize("op", FLOAT_UNARY)
def test_float_function(op: str, type: str) -> None:
    check(f"math.{op}", [type], [type], f" : {type}")


@pytest.mark.parametrize("type", FLOATS)
def test_negf_copysign_and_classes(type: str) -> None:
    check("arith.negf", [type], [type], f" : {type}")
    check("math.copysign", [type, type], [type], f" : {type}")
    for op in ("isnan", "isinf", "isfinite"):
        check(f"math.{op}", [type], ["i1"], f" : {type}")


@pytest.mark.parametrize("type", FLOATS)
def test_fma_rounds_once(type: str) -> None:
    check("math.fma", [type, type, type], [type], f" : {type}")


@pytest.mark.parametrize("type", ["i1", "i8", "i32", "i64"])
def test_ipowi(type: str) -> None:
    check("math.ipowi", [type, type], [type], f" : {type}")


@pytest.mark.parametrize("type", ["f32", "f64"])
def test_remf_is_exact_for_numbers_far_apart(type: str) -> None:
    unsigned = {"f32": np.uint32, "f64": np.uint64}[type]
    bits = np.random.default_rng(0).integers(0, np.iinfo(unsigned).max, (2, 5000), dtype=unsigned)
    inputs = list(bits.view(FLOATS[type]))
    run_both(elementwise("arith.remf", [type, type], [type], f" : {type}"), [*inputs, np.zeros(5000, FLOATS[type])])


@pytest.mark.parametrize("op", ["arith.remf", "arith.addf", "arith.maxnumf", "math.ipowi", "arith.divsi", "arith.shli"])
def test_vectors_are_computed_lane_by_lane(op: str) -> None:
    type = "i32" if op in ("math.ipowi", "arith.divsi", "arith.shli") else "f32"
    text = f"""
      func.func @f(%x: memref<8x{type}>, %y: memref<8x{type}>, %z: memref<8x{type}>) {{
        %c0 = arith.constant 0 : index
        %0 = vector.load %x[%c0] : memref<8x{type}>, vector<8x{type}>
        %1 = vector.load %y[%c0] : memref<8x{type}>, vector<8x{type}>
        %2 = {op} %0, %1 : vector<8x{type}>
        vector.store %2, %z[%c0] : memref<8x{type}>, vector<8x{type}>
        return
      }}"""
    x, y = hard(type)[-8:], hard(type)[:8]
    run_both(text, [x, y, np.zeros_like(x)])
    run_both(text, [y, x, np.zeros_like(x)])


def test_constants_of_vectors() -> None:
    text = """
      func.func @f(%z: memref<4xf32>, %k: memref<4xi1>) {
        %c0 = arith.constant 0 : index
        %0 = arith.constant dense<[1.0, -0.0, 0x7FC00000, 0.1]> : vector<4xf32>
        %1 = arith.constant dense<0.3> : vector<4xf32>
        %2 = arith.addf %0, %1 : vector<4xf32>
        %3 = arith.cmpf ogt, %2, %1 : vector<4xf32>
        %4 = arith.constant dense<[true, false, true, false]> : vector<4xi1>
        %5 = arith.constant dense<true> : vector<4xi1>
        %6 = arith.select %4, %3, %5 : vector<4xi1>, vector<4xi1>
        vector.store %2, %z[%c0] : memref<4xf32>, vector<4xf32>
        vector.store %6, %k[%c0] : memref<4xi1>, vector<4xi1>
        return
      }"""
    run_both(text, [np.zeros(4, np.float32), np.zeros(4, np.bool_)])


def test_fma_of_f16_rounds_once_on_random_bits() -> None:
    bits = np.random.default_rng(0).integers(0, 1 << 16, (3, 20000), dtype=np.uint16)
    inputs = list(bits.view(np.float16))
    run_both(elementwise("math.fma", ["f16"] * 3, ["f16"], " : f16"), [*inputs, np.zeros(20000, np.float16)])


@pytest.mark.parametrize("type", INTEGERS)
def test_integer_function(type: str) -> None:
    for op in ("absi", "ctpop", "ctlz", "cttz"):
        check(f"math.{op}", [type], [type], f" : {type}")


@pytest.mark.parametrize("type", INTEGERS)
def test_extended_ops(type: str) -> None:
    for op in ("mului_extended", "mulsi_extended"):
        check(f"arith.{op}", [type, type], [type, type], f" : {type}")
    check("arith.addui_extended", [type, type], [type, "i1"], f" : {type}, i1")


@pytest.mark.parametrize("type", INTEGERS)
def test_cmpi(type: str) -> None:
    for predicate in "eq ne slt sle sgt sge ult ule ugt uge".split():
        check(f"arith.cmpi {predicate},", [type, type], ["i1"], f" : {type}")


@pytest.mark.parametrize("type", FLOATS)
def test_cmpf(type: str) -> None:
    for predicate in "false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true".split():
        check(f"arith.cmpf {predicate},", [type, type], ["i1"], f" : {type}")


@pytest.mark.parametrize("type", ["i1", "i32", "f32"])
def test_select(type: str) -> None:
    check("arith.select", ["i1", type, type], [type], f" : {type}")


@pytest.mark.parametrize("type", FLOATS)
@pytest.mark.parametrize("op", ["maximumf", "minimumf", "maxnumf", "minnumf"])
def test_extremes_of_operands_that_are_known_to_be_no_nan(op: str, type: str) -> None:
    """LLVM's scalar code for `minimumnum` gives the nan if the other operand is known to be none."""
    text = f"""
    func.func @f(%x: {type}, %y: {type}, %ys: memref<5x{type}>) {{
      %k = arith.constant 1.25 : {type}
      %positive = arith.cmpf ogt, %x, %k : {type}
      %whole = arith.uitofp %positive : i1 to {type}
      %size = math.absf %x : {type}
      %near = arith.minnumf %size, %k : {type}
"""
    pairs = ["%whole, %y", "%y, %whole", "%near, %y", "%y, %near", "%near, %whole"]
    for number, pair in enumerate(pairs):
        text += f"      %i{number} = arith.constant {number} : index\n      %r{number} = arith.{op} {pair} : {type}\n"
        text += f"      memref.store %r{number}, %ys[%i{number}] : memref<5x{type}>\n"
    text += "      return\n    }\n"
    values = [np.nan, 0.1, 2.0, -1.0, 0.0, -0.0, np.inf, -np.inf]
    for x, y in itertools.product(values, values):
        run_both(text, [DTYPES[type](x), DTYPES[type](y), np.zeros(5, DTYPES[type])])


@pytest.mark.parametrize("type", FLOATS)
def test_the_larger_of_the_larger_keeps_its_nan(type: str) -> None:
    """All ways to choose between x and 1.25, and then between that and 1.25: LLVM merges two that answer nan differently."""
    orders = ["{0}, %k", "%k, {0}"]
    ways = list(itertools.product(["olt", "oge", "ult", "uge", "ogt"], orders, orders))
    pairs, body = list(itertools.product(ways, ways)), []
    for number, way in enumerate(pairs):
        value = "%x"
        for step, (predicate, compared, chosen) in enumerate(way):
            name = f"%r{number}_{step}"
            body.append(f"{name}c = arith.cmpf {predicate}, {compared.format(value)} : {type}")
            body.append(f"{name} = arith.select {name}c, {chosen.format(value)} : {type}")
            value = name
        body += [
            f"%n{number} = arith.constant {number} : index",
            f"memref.store {value}, %ys[%n{number}] : memref<?x{type}>",
        ]
    text = f"func.func @f(%x: {type}, %ys: memref<?x{type}>) {{\n  %k = arith.constant 1.25 : {type}\n"
    text += "\n".join(body) + "\n  return\n}"
    for x in (np.nan, 1.0, 1.25, 2.0, -np.inf):
        run_both(text, [DTYPES[type](x), np.zeros(len(pairs), DTYPES[type])])


@pytest.mark.parametrize(("source", "target"), [*itertools.product(FLOATS, [i for i in INTEGERS if i != "index"])])
def test_casts_between_floats_and_integers(source: str, target: str) -> None:
    for op in ("fptosi", "fptoui"):
        check(f"arith.{op}", [source], [target], f" : {source} to {target}")
    for op in ("sitofp", "uitofp"):
        check(f"arith.{op}", [target], [source], f" : {target} to {source}")


@pytest.mark.parametrize(("source", "bits"), [("f16", np.uint16), ("f32", np.uint32), ("f64", np.uint64)])
@pytest.mark.parametrize("target", ["i8", "i32", "i64"])
def test_floats_of_random_bits_saturate_in_vectors(source: str, bits: type, target: str) -> None:
    random = np.random.default_rng(0).integers(0, np.iinfo(bits).max, 5000, dtype=bits, endpoint=True)
    # Around the ends of each range too, where the next float is far away.
    with np.errstate(over="ignore"):
        ends = np.array([sign * 2.0**k for k in range(6, 65) for sign in (1, -1)]).astype(FLOATS[source])
        x = np.concatenate([random.view(FLOATS[source]), ends, np.nextafter(ends, 0), np.nextafter(ends, 2 * ends)])
    for op in ("arith.fptosi", "arith.fptoui"):
        run_both(elementwise(op, [source], [target], f" : {source} to {target}"), [x, np.zeros(len(x), INTEGERS[target])])


def test_casts_between_widths() -> None:
    plain = [i for i in INTEGERS if i != "index"]
    for narrow, wide in itertools.combinations(plain, 2):
        check("arith.extsi", [narrow], [wide], f" : {narrow} to {wide}")
        check("arith.extui", [narrow], [wide], f" : {narrow} to {wide}")
        check("arith.trunci", [wide], [narrow], f" : {wide} to {narrow}")
    for narrow, wide in itertools.combinations(FLOATS, 2):
        check("arith.extf", [narrow], [wide], f" : {narrow} to {wide}")
        check("arith.truncf", [wide], [narrow], f" : {wide} to {narrow}")


def test_truncf_to_f16_rounds_once_on_ties() -> None:
    halves = np.arange(0, 1 << 15, dtype=np.uint16).view(np.float16)[:0x7BFF].astype(np.float64)
    ties = (halves[1:] + halves[:-1]) / 2
    x = np.concatenate([ties, ties * (1 + 2.0**-50), ties * (1 - 2.0**-50), -ties])
    text = elementwise("arith.truncf", ["f64"], ["f16"], " : f64 to f16")
    y = np.zeros(len(x), np.float16)
    compiled(text)([x, y])
    assert_same(y, x.astype(np.float16))


def test_index_casts_and_bitcasts() -> None:
    for type in ("i1", "i8", "i16", "i32", "i64"):
        for op in ("index_cast", "index_castui"):
            check(f"arith.{op}", [type], ["index"], f" : {type} to index")
            check(f"arith.{op}", ["index"], [type], f" : index to {type}")
    for a, b in (("i16", "f16"), ("i32", "f32"), ("i64", "f64"), ("f32", "f32"), ("i32", "i32")):
        check("arith.bitcast", [a], [b], f" : {a} to {b}")
        check("arith.bitcast", [b], [a], f" : {b} to {a}")


@pytest.mark.parametrize("count", [-9, -1, 0, 1, 31, 32, 33])
def test_shifts_and_divisions_by_constants(count: int) -> None:
    for op in "shli shrsi shrui divsi divui remsi remui floordivsi ceildivsi ceildivui".split():
        text = f"""
          func.func @f(%xs: memref<24xi32>, %ys: memref<24xi32>) {{
            %c0 = arith.constant 0 : index
            %c1 = arith.constant 1 : index
            %c24 = arith.constant 24 : index
            %c = arith.constant {count} : i32
            scf.for %i = %c0 to %c24 step %c1 {{
              %x = memref.load %xs[%i] : memref<24xi32>
              %y = arith.{op} %x, %c : i32
              memref.store %y, %ys[%i] : memref<24xi32>
            }}
            return
          }}"""
        run_both(text, [hard("i32"), np.zeros(24, np.int32)])


@pytest.mark.parametrize("type", DTYPES)
def test_constants_are_exact(type: str) -> None:
    for value in hard(type):
        bits = f"0x{int(value.view(f'u{value.itemsize}')):0{value.itemsize * 2}X}" if type in FLOATS else ""
        literal = str(value).lower() if type == "i1" else f"{bits or value} : {type}"
        text = f"func.func @f() -> {type} {{\n%0 = arith.constant {literal}\nreturn %0 : {type}\n}}"
        (got,) = compiled(text)([])
        assert_same(got, value)


def test_fast_math_flags_stand_on_their_op_alone() -> None:
    text = lowered("""
      func.func @f(%x: f32, %y: f32) -> f32 {
        %0 = arith.addf %x, %y fastmath<nnan,contract> : f32
        %1 = arith.mulf %0, %y : f32
        return %1 : f32
      }""").text
    assert "fadd nnan contract float" in text
    assert "fmul float" in text
    assert "fast" not in text


def test_each_op_without_machine_code_is_one_that_expand_math_removes() -> None:
    ops = [op.name for dialect in (arith.DIALECT, math.DIALECT) for op in dialect.ops]
    assert {name for name in ops if name not in RULES} == {f"math.{name}" for name in EXPANSIONS}


def test_what_expand_math_removes_is_refused_with_its_name() -> None:
    with pytest.raises(PassError, match=r"math.exp: has no machine code; run expand-math before this"):
        lowered("func.func @f(%x: f32) -> f32 {\n%0 = math.exp %x : f32\nreturn %0 : f32\n}")
