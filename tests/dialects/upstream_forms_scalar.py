"""What upstream MLIR makes of short forms of arith and math: (short form, generic form), on the values of ARGUMENTS.

Both are spelt as upstream prints them, but for floats, which are spelt shortest (`1.5`, not `1.500000e+00`). Results
are left out: `%r = ` goes in front, `%r:2 = ` before an op with two results. `test_upstream_forms_scalar.py` asks
upstream whether the table is right; tests of the text use it.
"""

from __future__ import annotations

ARGUMENTS = (
    "%a: f32, %b: f32, %d: f64, %h: f16, %v: vector<4xf32>, "
    "%i: i32, %j: i32, %n: i8, %x: index, %vi: vector<4xi32>, %p: i1, %vp: vector<4xi1>"
)

FORMS: tuple[tuple[str, str], ...] = tuple(
    (short, generic)
    for short, generic in (
        pair.splitlines()
        for pair in """\
arith.constant 1 : i32
"arith.constant"() <{value = 1 : i32}> : () -> i32

arith.constant -1 : i8
"arith.constant"() <{value = -1 : i8}> : () -> i8

arith.constant 7 : index
"arith.constant"() <{value = 7 : index}> : () -> index

arith.constant true
"arith.constant"() <{value = true}> : () -> i1

arith.constant false
"arith.constant"() <{value = false}> : () -> i1

arith.constant 1.5 : f32
"arith.constant"() <{value = 1.5 : f32}> : () -> f32

arith.constant -0.0 : f64
"arith.constant"() <{value = -0.0 : f64}> : () -> f64

arith.constant 0x7FC00000 : f32
"arith.constant"() <{value = 0x7FC00000 : f32}> : () -> f32

arith.constant 0xFF800000 : f32
"arith.constant"() <{value = 0xFF800000 : f32}> : () -> f32

arith.constant dense<1.5> : vector<4xf32>
"arith.constant"() <{value = dense<1.5> : vector<4xf32>}> : () -> vector<4xf32>

arith.constant dense<[1, 2]> : tensor<2xi32>
"arith.constant"() <{value = dense<[1, 2]> : tensor<2xi32>}> : () -> tensor<2xi32>

arith.constant dense<[true, false]> : vector<2xi1>
"arith.constant"() <{value = dense<[true, false]> : vector<2xi1>}> : () -> vector<2xi1>

arith.constant {user.x = 1 : i32} 7 : index
"arith.constant"() <{value = 7 : index}> {user.x = 1 : i32} : () -> index

arith.addi %i, %j : i32
"arith.addi"(%i, %j) <{overflowFlags = #arith.overflow<none>}> : (i32, i32) -> i32

arith.addi %i, %j overflow<nsw, nuw> : i32
"arith.addi"(%i, %j) <{overflowFlags = #arith.overflow<nsw, nuw>}> : (i32, i32) -> i32

arith.addi %i, %j overflow<nsw> {user.x} : i32
"arith.addi"(%i, %j) <{overflowFlags = #arith.overflow<nsw>}> {user.x} : (i32, i32) -> i32

arith.addi %x, %x : index
"arith.addi"(%x, %x) <{overflowFlags = #arith.overflow<none>}> : (index, index) -> index

arith.subi %i, %j overflow<nuw> : i32
"arith.subi"(%i, %j) <{overflowFlags = #arith.overflow<nuw>}> : (i32, i32) -> i32

arith.muli %vi, %vi : vector<4xi32>
"arith.muli"(%vi, %vi) <{overflowFlags = #arith.overflow<none>}> : (vector<4xi32>, vector<4xi32>) -> vector<4xi32>

arith.divsi %i, %j : i32
"arith.divsi"(%i, %j) : (i32, i32) -> i32

arith.divsi %i, %j exact : i32
"arith.divsi"(%i, %j) <{isExact}> : (i32, i32) -> i32

arith.divui %i, %j exact : i32
"arith.divui"(%i, %j) <{isExact}> : (i32, i32) -> i32

arith.ceildivsi %i, %j : i32
"arith.ceildivsi"(%i, %j) : (i32, i32) -> i32

arith.ceildivui %i, %j : i32
"arith.ceildivui"(%i, %j) : (i32, i32) -> i32

arith.floordivsi %i, %j : i32
"arith.floordivsi"(%i, %j) : (i32, i32) -> i32

arith.remsi %i, %j : i32
"arith.remsi"(%i, %j) : (i32, i32) -> i32

arith.remui %i, %j : i32
"arith.remui"(%i, %j) : (i32, i32) -> i32

arith.andi %p, %p : i1
"arith.andi"(%p, %p) : (i1, i1) -> i1

arith.ori %i, %j : i32
"arith.ori"(%i, %j) : (i32, i32) -> i32

arith.xori %i, %j : i32
"arith.xori"(%i, %j) : (i32, i32) -> i32

arith.shli %i, %j : i32
"arith.shli"(%i, %j) <{overflowFlags = #arith.overflow<none>}> : (i32, i32) -> i32

arith.shli %i, %j overflow<nsw> : i32
"arith.shli"(%i, %j) <{overflowFlags = #arith.overflow<nsw>}> : (i32, i32) -> i32

arith.shrsi %i, %j exact : i32
"arith.shrsi"(%i, %j) <{isExact}> : (i32, i32) -> i32

arith.shrui %i, %j : i32
"arith.shrui"(%i, %j) : (i32, i32) -> i32

arith.maxsi %i, %j : i32
"arith.maxsi"(%i, %j) : (i32, i32) -> i32

arith.maxui %i, %j : i32
"arith.maxui"(%i, %j) : (i32, i32) -> i32

arith.minsi %i, %j : i32
"arith.minsi"(%i, %j) : (i32, i32) -> i32

arith.minui %i, %j : i32
"arith.minui"(%i, %j) : (i32, i32) -> i32

arith.mului_extended %i, %j : i32
"arith.mului_extended"(%i, %j) : (i32, i32) -> (i32, i32)

arith.mulsi_extended %vi, %vi : vector<4xi32>
"arith.mulsi_extended"(%vi, %vi) : (vector<4xi32>, vector<4xi32>) -> (vector<4xi32>, vector<4xi32>)

arith.addui_extended %i, %j : i32, i1
"arith.addui_extended"(%i, %j) : (i32, i32) -> (i32, i1)

arith.addui_extended %vi, %vi : vector<4xi32>, vector<4xi1>
"arith.addui_extended"(%vi, %vi) : (vector<4xi32>, vector<4xi32>) -> (vector<4xi32>, vector<4xi1>)

arith.addf %a, %b : f32
"arith.addf"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

arith.addf %a, %b fastmath<fast> : f32
"arith.addf"(%a, %b) <{fastmath = #arith.fastmath<fast>}> : (f32, f32) -> f32

arith.addf %a, %b to_nearest_even : f32
"arith.addf"(%a, %b) <{fastmath = #arith.fastmath<none>, roundingmode = 0 : i32}> : (f32, f32) -> f32

arith.addf %v, %v to_nearest_even fastmath<contract> {user.x} : vector<4xf32>
"arith.addf"(%v, %v) <{fastmath = #arith.fastmath<contract>, roundingmode = 0 : i32}> {user.x} : (vector<4xf32>, vector<4xf32>) -> vector<4xf32>

arith.subf %a, %b : f32
"arith.subf"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

arith.mulf %a, %b : f32
"arith.mulf"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

arith.divf %a, %b fastmath<arcp> : f32
"arith.divf"(%a, %b) <{fastmath = #arith.fastmath<arcp>}> : (f32, f32) -> f32

arith.remf %a, %b : f32
"arith.remf"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

arith.negf %a : f32
"arith.negf"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

arith.negf %a fastmath<nsz> : f32
"arith.negf"(%a) <{fastmath = #arith.fastmath<nsz>}> : (f32) -> f32

arith.maximumf %a, %b : f32
"arith.maximumf"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

arith.minimumf %a, %b : f32
"arith.minimumf"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

arith.maxnumf %a, %b : f32
"arith.maxnumf"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

arith.minnumf %a, %b fastmath<nnan> : f32
"arith.minnumf"(%a, %b) <{fastmath = #arith.fastmath<nnan>}> : (f32, f32) -> f32

arith.cmpi eq, %i, %j : i32
"arith.cmpi"(%i, %j) <{predicate = 0 : i64}> : (i32, i32) -> i1

arith.cmpi slt, %x, %x : index
"arith.cmpi"(%x, %x) <{predicate = 2 : i64}> : (index, index) -> i1

arith.cmpi uge, %vi, %vi : vector<4xi32>
"arith.cmpi"(%vi, %vi) <{predicate = 9 : i64}> : (vector<4xi32>, vector<4xi32>) -> vector<4xi1>

arith.cmpf oeq, %a, %b : f32
"arith.cmpf"(%a, %b) <{fastmath = #arith.fastmath<none>, predicate = 1 : i64}> : (f32, f32) -> i1

arith.cmpf une, %a, %b fastmath<ninf> : f32
"arith.cmpf"(%a, %b) <{fastmath = #arith.fastmath<ninf>, predicate = 13 : i64}> : (f32, f32) -> i1

arith.cmpf true, %v, %v : vector<4xf32>
"arith.cmpf"(%v, %v) <{fastmath = #arith.fastmath<none>, predicate = 15 : i64}> : (vector<4xf32>, vector<4xf32>) -> vector<4xi1>

arith.select %p, %a, %b : f32
"arith.select"(%p, %a, %b) : (i1, f32, f32) -> f32

arith.select %p, %v, %v : vector<4xf32>
"arith.select"(%p, %v, %v) : (i1, vector<4xf32>, vector<4xf32>) -> vector<4xf32>

arith.select %vp, %v, %v : vector<4xi1>, vector<4xf32>
"arith.select"(%vp, %v, %v) : (vector<4xi1>, vector<4xf32>, vector<4xf32>) -> vector<4xf32>

arith.select %p, %p, %p {user.x} : i1
"arith.select"(%p, %p, %p) {user.x} : (i1, i1, i1) -> i1

arith.extf %a : f32 to f64
"arith.extf"(%a) : (f32) -> f64

arith.extf %a fastmath<fast> : f32 to f64
"arith.extf"(%a) <{fastmath = #arith.fastmath<fast>}> : (f32) -> f64

arith.truncf %d : f64 to f32
"arith.truncf"(%d) : (f64) -> f32

arith.truncf %d to_nearest_even fastmath<afn> : f64 to f16
"arith.truncf"(%d) <{fastmath = #arith.fastmath<afn>, roundingmode = 0 : i32}> : (f64) -> f16

arith.extsi %i : i32 to i64
"arith.extsi"(%i) : (i32) -> i64

arith.extui %p : i1 to i8
"arith.extui"(%p) : (i1) -> i8

arith.extui %i nneg : i32 to i64
"arith.extui"(%i) <{nonNeg}> : (i32) -> i64

arith.trunci %i : i32 to i8
"arith.trunci"(%i) <{overflowFlags = #arith.overflow<none>}> : (i32) -> i8

arith.trunci %i overflow<nsw, nuw> : i32 to i1
"arith.trunci"(%i) <{overflowFlags = #arith.overflow<nsw, nuw>}> : (i32) -> i1

arith.sitofp %i : i32 to f32
"arith.sitofp"(%i) : (i32) -> f32

arith.uitofp %n nneg : i8 to f64
"arith.uitofp"(%n) <{nonNeg}> : (i8) -> f64

arith.uitofp %n : i8 to f64
"arith.uitofp"(%n) : (i8) -> f64

arith.fptosi %v : vector<4xf32> to vector<4xi32>
"arith.fptosi"(%v) : (vector<4xf32>) -> vector<4xi32>

arith.fptoui %a : f32 to i8
"arith.fptoui"(%a) : (f32) -> i8

arith.index_cast %x : index to i32
"arith.index_cast"(%x) : (index) -> i32

arith.index_cast %vi : vector<4xi32> to vector<4xindex>
"arith.index_cast"(%vi) : (vector<4xi32>) -> vector<4xindex>

arith.index_castui %n : i8 to index
"arith.index_castui"(%n) : (i8) -> index

arith.index_castui %n nneg : i8 to index
"arith.index_castui"(%n) <{nonNeg}> : (i8) -> index

arith.bitcast %a : f32 to i32
"arith.bitcast"(%a) : (f32) -> i32

math.absf %a : f32
"math.absf"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.ceil %a : f32
"math.ceil"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.floor %a : f32
"math.floor"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.trunc %a : f32
"math.trunc"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.round %a : f32
"math.round"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.roundeven %a : f32
"math.roundeven"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.sqrt %a : f32
"math.sqrt"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.rsqrt %a : f32
"math.rsqrt"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.cbrt %a : f32
"math.cbrt"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.exp %a : f32
"math.exp"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.exp2 %a : f32
"math.exp2"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.expm1 %a : f32
"math.expm1"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.log %a : f32
"math.log"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.log2 %a : f32
"math.log2"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.log10 %a : f32
"math.log10"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.log1p %a : f32
"math.log1p"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.sin %a : f32
"math.sin"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.cos %a : f32
"math.cos"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.tan %a : f32
"math.tan"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.sinh %a : f32
"math.sinh"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.cosh %a : f32
"math.cosh"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.tanh %a : f32
"math.tanh"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.asin %a : f32
"math.asin"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.acos %a : f32
"math.acos"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.atan %a : f32
"math.atan"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.asinh %a : f32
"math.asinh"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.acosh %a : f32
"math.acosh"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.atanh %a : f32
"math.atanh"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.erf %a : f32
"math.erf"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.erfc %a : f32
"math.erfc"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32

math.exp %v fastmath<fast> {user.x} : vector<4xf32>
"math.exp"(%v) <{fastmath = #arith.fastmath<fast>}> {user.x} : (vector<4xf32>) -> vector<4xf32>

math.atan2 %a, %b : f32
"math.atan2"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

math.powf %a, %b fastmath<afn> : f32
"math.powf"(%a, %b) <{fastmath = #arith.fastmath<afn>}> : (f32, f32) -> f32

math.copysign %a, %b : f32
"math.copysign"(%a, %b) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32

math.fma %a, %b, %a : f32
"math.fma"(%a, %b, %a) <{fastmath = #arith.fastmath<none>}> : (f32, f32, f32) -> f32

math.fma %v, %v, %v fastmath<contract> : vector<4xf32>
"math.fma"(%v, %v, %v) <{fastmath = #arith.fastmath<contract>}> : (vector<4xf32>, vector<4xf32>, vector<4xf32>) -> vector<4xf32>

math.isnan %a : f32
"math.isnan"(%a) <{fastmath = #arith.fastmath<none>}> : (f32) -> i1

math.isnan %v : vector<4xf32>
"math.isnan"(%v) <{fastmath = #arith.fastmath<none>}> : (vector<4xf32>) -> vector<4xi1>

math.isinf %a {fastmath = #arith.fastmath<nsz>} : f32
"math.isinf"(%a) <{fastmath = #arith.fastmath<nsz>}> : (f32) -> i1

math.isfinite %h : f16
"math.isfinite"(%h) <{fastmath = #arith.fastmath<none>}> : (f16) -> i1

math.absi %i : i32
"math.absi"(%i) : (i32) -> i32

math.ctpop %i : i32
"math.ctpop"(%i) : (i32) -> i32

math.ctlz %n : i8
"math.ctlz"(%n) : (i8) -> i8

math.cttz %x : index
"math.cttz"(%x) : (index) -> index

math.ipowi %i, %j : i32
"math.ipowi"(%i, %j) : (i32, i32) -> i32
""".split("\n\n")  # noqa: E501
    )
)
