"""Texts of any number of ops for `scale.py`, made anew each time from their parts: no two functions are equal.

`straight_line`: one function, one chain over a few ops and types, as a traced program is.
`varied`: functions of the tensor level and of the levels below: many kinds of ops, constants with distinct values,
attributes, several types and shapes, named sizes, ops with several results, ops with regions, some with locations.
`common`: ops of func, arith, math, scf and tensor that xDSL and upstream MLIR know too, in their generic form.
`gradient`: a chain of the tensor level, or a wide sum of short ones, and its gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["common", "gradient", "straight_line", "varied"]


def straight_line(n: int) -> str:
    """About `n` ops in one function of the tensor level."""
    kinds = ("tir.add", "tir.mul", "tir.sub", "tir.tanh", "tir.maximum", "tir.exp", "tir.neg", "tir.add")
    lines = ["func.func @f(%x: tensor<[B]x8xf32>, %y: tensor<[B]x8xf32>) -> tensor<[B]x8xf32> {"]
    earlier, latest = "y", "x"
    for i in range(n - 3):
        kind = kinds[i % len(kinds)]
        unary = kind in ("tir.tanh", "tir.exp", "tir.neg")
        uses = f"%{latest}" if unary else f"%{latest}, %{earlier}"
        lines.append(f"  %v{i} = {kind} {uses} : tensor<[B]x8xf32>")
        if i % 3 == 0:
            earlier = latest
        latest = f"v{i}"
    return "\n".join([*lines, f"  return %{latest} : tensor<[B]x8xf32>", "}", ""])


def varied(n: int) -> str:
    """About `n` ops in functions of some 100 ops, in turn at the tensor level and below."""
    pieces = []
    for i in range(max(1, n // 192)):
        pieces += [_tensor_function(i, 4 * (i % 5) + 8), _loop_function(i, 4 * (i % 3) + 4)]
    return "\n".join(pieces)


REPEATS = 4  # of the body in each function


def _tensor_function(i: int, size: int) -> str:
    """About 100 ops; `size` is a dimension of its types."""
    x, w = f"tensor<[B]x{size}xf32>", f"tensor<{size}x{size}xf32>"
    head = f'func.func @tensor_{i}(%x0: {x} {{tir.name = "x", tir.range = [0.0, 1.0]}}, %w: {w}) -> ({x}, tensor<f32>) {{'
    bodies = "\n".join(_tensor_body(i * REPEATS + k, size, k, k + 1) for k in range(REPEATS))
    return f"{head}\n{bodies}\n  return %x{REPEATS}, %total{REPEATS - 1} : {x}, tensor<f32>\n}}"


def _tensor_body(number: int, size: int, k: int, following: int) -> str:
    """24 ops, with work for `cse` and `canonicalize`, and dead code; `number` is in their constants."""
    x, w, row = f"tensor<[B]x{size}xf32>", f"tensor<{size}x{size}xf32>", f"tensor<{size}xf32>"
    back, small = f"tensor<{size}x[B]xf32>", f"tensor<{size // 4}x4xf32>"
    return f"""  %scale{k} = tir.full {number}.5 : f32 -> {x}
  %bias{k} = tir.constant dense<{number}.25> : {row}
  %table{k} = tir.constant dense<[{number}, {k}, 7]> : tensor<3xi64>
  %xw{k} = tir.dot %x{k}, %w {{user.note = "layer {number}"}} : {x}
  %wide{k} = tir.broadcast %bias{k} along [1] : {row} -> {x}
  %sum{k} = tir.add %xw{k}, %wide{k} : {x}
  %hidden{k} = tir.tanh %sum{k} : {x}
  %scaled{k} = tir.mul %hidden{k}, %scale{k} : {x}
  %turned{k} = tir.transpose %scaled{k} by [1, 0] : {back}
  %again{k} = tir.transpose %turned{k} by [1, 0] : {x}
  %small{k} = tir.reshape %bias{k} : {row} -> {small}
  %sums{k} = tir.sum %small{k} over [1] : tensor<{size // 4}xf32>
  %total{k} = tir.sum %sums{k} over [0] : tensor<f32>
  %zero{k} = tir.full 0.0 : f32 -> {x}
  %is_large{k} = tir.cmp gt %again{k}, %zero{k} : {x}
  %chosen{k} = tir.select %is_large{k}, %again{k}, %x{k} : {x}
  %soft{k} = tir.softmax %chosen{k} over [1] : {x}
  %same{k} = tir.softmax %chosen{k} over [1] : {x}
  %both{k} = tir.add %soft{k}, %same{k} : {x}
  %unused{k} = tir.exp %both{k} : {x}
  %key{k} = tir.constant dense<[{k}, 7]> : tensor<2xi32>
  %noise{k} = tir.rng_uniform %key{k} : {w}
  %noisy{k} = tir.dot %both{k}, %noise{k} : {x}
  %x{following} = tir.sub %noisy{k}, %zero{k} : {x}"""


def _loop_function(i: int, size: int) -> str:
    """About 100 ops below the tensor level, every third function with locations."""
    tensor, buffer = f"tensor<?x{size}xf32>", f"memref<?x{size}xf32>"
    head = f"func.func private @loops_{i}(%t0: {tensor}, %m: {buffer}, %s0: f32, %n: index, %k: i32) -> ({tensor}, f32) {{"
    constants = "  %c0 = arith.constant 0 : index\n  %c1 = arith.constant 1 : index"
    bodies = "\n".join(_loop_body(i * REPEATS + k, size, k, k + 1, i % 3 == 0) for k in range(REPEATS))
    return f"{head}\n{constants}\n{bodies}\n  return %t{REPEATS}, %s{REPEATS} : {tensor}, f32\n}}"


def _loop_body(number: int, size: int, k: int, following: int, located: bool) -> str:
    """22 ops: scalars, a structured op, a loop over a buffer, a choice."""
    tensor, buffer = f"tensor<?x{size}xf32>", f"memref<?x{size}xf32>"
    at = [f' loc("model.py":{number % 1000 + line}:{line + 3})' if located else "" for line in range(18)]
    identity = "affine_map<(d0, d1) -> (d0, d1)>"
    traits = f'{{indexing_maps = [{identity}, {identity}], iterator_types = ["parallel", "parallel"]}}'
    return f"""  %number{k} = arith.constant {number} : i32{at[0]}
  %half{k} = arith.constant {number}.5 : f32{at[1]}
  %low{k}, %high{k} = arith.mulsi_extended %k, %number{k} : i32{at[2]}
  %masked{k} = arith.andi %low{k}, %high{k} : i32{at[3]}
  %is_less{k} = arith.cmpi slt, %masked{k}, %k : i32{at[4]}
  %rows{k} = tensor.dim %t{k}, %c0 : {tensor}{at[5]}
  %empty{k} = tensor.empty(%rows{k}) : {tensor}{at[6]}
  %t{following} = linalg.generic {traits} ins(%t{k} : {tensor}) outs(%empty{k} : {tensor}) {{
  ^bb0(%in: f32, %out: f32):
    %e = math.exp %in : f32{at[7]}
    %scaled = arith.mulf %e, %half{k} fastmath<contract> : f32{at[8]}
    linalg.yield %scaled : f32{at[9]}
  }} -> {tensor}
  %loop{k} = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %s{k}) -> (f32) {{
    %v = memref.load %m[%i, %c1] : {buffer}{at[10]}
    %next = arith.addf %acc, %v : f32{at[11]}
    memref.store %next, %m[%i, %c0] : {buffer}{at[12]}
    scf.yield %next : f32{at[13]}
  }}
  %choice{k}:2 = scf.if %is_less{k} -> (f32, i32) {{
    %twice = arith.addf %loop{k}, %loop{k} : f32{at[14]}
    scf.yield %twice, %low{k} : f32, i32{at[15]}
  }} else {{
    scf.yield %half{k}, %high{k} : f32, i32{at[16]}
  }}
  %s{following} = arith.subf %choice{k}#0, %s{k} : f32{at[17]}"""


def common(n: int) -> str:
    """About `n` ops in functions of 20 ops, in the generic form that each of the three tools reads."""
    functions = "\n".join(_common_function(i) for i in range(max(1, n // 20)))
    return f'"builtin.module"() ({{\n{functions}\n}}) : () -> ()\n'


def _common_function(i: int) -> str:
    """20 ops with work for `cse`, `canonicalize` and dead code elimination."""
    t = "tensor<?x8xf32>"
    fast = "<{fastmath = #arith.fastmath<none>}>"
    return f"""  "func.func"() <{{function_type = ({t}, f32, i32, index) -> (f32, i32, {t}), sym_name = "f{i}"}}> ({{
  ^bb0(%t: {t}, %x: f32, %k: i32, %n: index):
    %0 = "arith.constant"() <{{value = {i} : i32}}> : () -> i32
    %1 = "arith.constant"() <{{value = {i}.500000e+00 : f32}}> : () -> f32
    %2 = "arith.constant"() <{{value = 0 : i32}}> : () -> i32
    %3 = "arith.addf"(%x, %1) {fast} : (f32, f32) -> f32
    %4 = "arith.mulf"(%3, %x) {fast} : (f32, f32) -> f32
    %5 = "math.exp"(%4) {fast} : (f32) -> f32
    %6 = "math.exp"(%4) {fast} : (f32) -> f32
    %7 = "arith.subf"(%5, %6) {fast} : (f32, f32) -> f32
    %8 = "arith.addi"(%k, %2) <{{overflowFlags = #arith.overflow<none>}}> : (i32, i32) -> i32
    %9 = "arith.muli"(%8, %0) <{{overflowFlags = #arith.overflow<none>}}> : (i32, i32) -> i32
    %10 = "arith.cmpi"(%9, %k) <{{predicate = 2 : i64}}> : (i32, i32) -> i1
    %11 = "scf.if"(%10) ({{
      %15 = "arith.negf"(%7) {fast} : (f32) -> f32
      "scf.yield"(%15) : (f32) -> ()
    }}, {{
      "scf.yield"(%7) : (f32) -> ()
    }}) : (i1) -> f32
    %12 = "tensor.dim"(%t, %n) : ({t}, index) -> index
    %13 = "tensor.empty"(%12) : (index) -> {t}
    "func.return"(%11, %9, %13) : (f32, i32, {t}) -> ()
  }}) : () -> ()"""


def gradient(n: int, wide: bool) -> str:
    """A cost of about `n` ops and its gradient. wide: a sum of `n // 4` short chains, else one long chain."""
    lines = ["func.func @f(%x: tensor<8xf32>) -> tensor<8xf32> {", "  %l = tir.leaf %x : tensor<8xf32>"]
    lines += _wide(n) if wide else _chain(n)
    lines += ["  %cost = tir.sum %end over [0] : tensor<f32>", "  %g = tir.grad %cost wrt (%l) : tensor<8xf32>"]
    return "\n".join([*lines, "  return %g : tensor<8xf32>", "}", ""])


def _chain(n: int) -> Iterator[str]:
    latest = "l"
    for i in range(n - 1):
        op = ("tir.tanh %{0}", "tir.mul %{0}, %l", "tir.add %{0}, %{0}")[i % 3].format(latest)
        yield f"  %v{i} = {op} : tensor<8xf32>"
        latest = f"v{i}"
    yield f"  %end = tir.neg %{latest} : tensor<8xf32>"


def _wide(n: int) -> Iterator[str]:
    latest = "l"
    for i in range(n // 4):
        yield f"  %a{i} = tir.tanh %l : tensor<8xf32>"
        yield f"  %b{i} = tir.mul %a{i}, %l : tensor<8xf32>"
        yield f"  %c{i} = tir.exp %b{i} : tensor<8xf32>"
        yield f"  %v{i} = tir.add %{latest}, %c{i} : tensor<8xf32>"
        latest = f"v{i}"
    yield f"  %end = tir.neg %{latest} : tensor<8xf32>"
