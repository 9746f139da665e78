"""Short forms of the structural dialects, and the generic form that upstream MLIR's parser makes of each.

Upstream numbers values and prints the arguments of blocks as it likes: compare up to names.
`test_upstream_forms_structure.py` asks upstream whether the pairs still hold.
"""

# ruff: noqa: E501

from __future__ import annotations

#: name -> (short form, generic form)
FORMS: dict[str, tuple[str, str]] = {
    "module": (
        """
module @m attributes {a.b = 1 : i32} {
}
""",
        """
"builtin.module"() <{sym_name = "m"}> ({
^bb0:
}) {a.b = 1 : i32} : () -> ()
""",
    ),
    "module_in_module": (
        """
module {
  module @inner {
  }
}
""",
        """
"builtin.module"() ({
  "builtin.module"() <{sym_name = "inner"}> ({
  ^bb0:
  }) : () -> ()
}) : () -> ()
""",
    ),
    "func_declaration": (
        """
func.func private @f(tensor<?xf32> {tir.name = "x"}, index) -> (f32, i1) attributes {tir.version = 1 : i32}
""",
        """
"builtin.module"() ({
  "func.func"() <{arg_attrs = [{tir.name = "x"}, {}], function_type = (tensor<?xf32>, index) -> (f32, i1), sym_name = "f", sym_visibility = "private"}> ({
  }) {tir.version = 1 : i32} : () -> ()
}) : () -> ()
""",
    ),
    "func_visibility": (
        """
func.func public @f() {
  return
}
func.func nested @g() {
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = () -> (), sym_name = "f", sym_visibility = "public"}> ({
    "func.return"() : () -> ()
  }) : () -> ()
  "func.func"() <{function_type = () -> (), sym_name = "g", sym_visibility = "nested"}> ({
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "func_result_attributes": (
        """
func.func @f(%x: f32 {tir.name = "x"}, %y: f32) -> (f32 {tir.name = "z"}) {
  return %x : f32
}
""",
        """
"builtin.module"() ({
  "func.func"() <{arg_attrs = [{tir.name = "x"}, {}], function_type = (f32, f32) -> f32, res_attrs = [{tir.name = "z"}], sym_name = "f"}> ({
  ^bb0(%arg0: f32, %arg1: f32):
    "func.return"(%arg0) : (f32) -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "func_no_results": (
        """
func.func @f(%x: f32) {
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (f32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: f32):
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "func_several_results": (
        """
func.func @f(%x: f32, %i: index) -> (index, f32) {
  return %i, %x : index, f32
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (f32, index) -> (index, f32), sym_name = "f"}> ({
  ^bb0(%arg0: f32, %arg1: index):
    "func.return"(%arg1, %arg0) : (index, f32) -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "call": (
        """
func.func @f(%i: index) -> index {
  %0 = func.call @f(%i) {tir.note} : (index) -> index
  return %0 : index
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index) -> index, sym_name = "f"}> ({
  ^bb0(%arg0: index):
    %0 = "func.call"(%arg0) <{callee = @f}> {tir.note} : (index) -> index
    "func.return"(%0) : (index) -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "call_without_results": (
        """
func.func @f() {
  func.call @f() : () -> ()
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = () -> (), sym_name = "f"}> ({
    "func.call"() <{callee = @f}> : () -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "assert": (
        """
func.func @f(%b: i1) {
  cf.assert %b, "rows must agree"
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (i1) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: i1):
    "cf.assert"(%arg0) <{msg = "rows must agree"}> : (i1) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "branches": (
        """
func.func @f(%a: index, %b: i1) -> index {
  cf.cond_br %b, ^bb1(%a : index), ^bb2
^bb1(%x: index):
  cf.br ^bb3(%x, %a : index, index)
^bb2:
  cf.br ^bb1(%a : index)
^bb3(%y: index, %z: index):
  return %y : index
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, i1) -> index, sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: i1):
    "cf.cond_br"(%arg1, %arg0)[^bb1, ^bb2] <{operandSegmentSizes = array<i32: 1, 1, 0>}> : (i1, index) -> ()
  ^bb1(%0: index):  // 2 preds: ^bb0, ^bb2
    "cf.br"(%0, %arg0)[^bb3] : (index, index) -> ()
  ^bb2:  // pred: ^bb0
    "cf.br"(%arg0)[^bb1] : (index) -> ()
  ^bb3(%1: index, %2: index):  // pred: ^bb1
    "func.return"(%1) : (index) -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "for": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.for %i = %l to %u step %s {
    memref.store %x, %m[%i] : memref<?xf32>
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.for"(%arg0, %arg1, %arg2) ({
    ^bb0(%arg7: index):
      "memref.store"(%arg3, %arg4, %arg7) : (f32, memref<?xf32>, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "for_iter_args": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  %r:2 = scf.for %i = %l to %u step %s iter_args(%p = %x, %q = %l) -> (f32, index) {
    scf.yield %p, %i : f32, index
  } {tir.note}
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    %0:2 = "scf.for"(%arg0, %arg1, %arg2, %arg3, %arg0) ({
    ^bb0(%arg7: index, %arg8: f32, %arg9: index):
      "scf.yield"(%arg8, %arg7) : (f32, index) -> ()
    }) {tir.note} : (index, index, index, f32, index) -> (f32, index)
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "for_i32": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  %r = scf.for %i = %k to %k step %k iter_args(%p = %x) -> (f32)  : i32 {
    scf.yield %p : f32
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    %0 = "scf.for"(%arg6, %arg6, %arg6, %arg3) ({
    ^bb0(%arg7: i32, %arg8: f32):
      "scf.yield"(%arg8) : (f32) -> ()
    }) : (i32, i32, i32, f32) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "for_i32_no_results": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.for %i = %k to %k step %k  : i32 {
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.for"(%arg6, %arg6, %arg6) ({
    ^bb0(%arg7: i32):
      "scf.yield"() : () -> ()
    }) : (i32, i32, i32) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "for_unsigned": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.for unsigned %i = %l to %u step %s {
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.for"(%arg0, %arg1, %arg2) <{unsignedCmp}> ({
    ^bb0(%arg7: index):
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "if": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.if %b {
    memref.store %x, %m[%l] : memref<?xf32>
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.if"(%arg5) ({
      "memref.store"(%arg3, %arg4, %arg0) : (f32, memref<?xf32>, index) -> ()
      "scf.yield"() : () -> ()
    }, {
    }) : (i1) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "if_else": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.if %b {
  } else {
    memref.store %x, %m[%l] : memref<?xf32>
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.if"(%arg5) ({
      "scf.yield"() : () -> ()
    }, {
      "memref.store"(%arg3, %arg4, %arg0) : (f32, memref<?xf32>, index) -> ()
      "scf.yield"() : () -> ()
    }) : (i1) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "if_results": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  %r:2 = scf.if %b -> (f32, index) {
    scf.yield %x, %l : f32, index
  } else {
    scf.yield %x, %u : f32, index
  } {tir.note}
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    %0:2 = "scf.if"(%arg5) ({
      "scf.yield"(%arg3, %arg0) : (f32, index) -> ()
    }, {
      "scf.yield"(%arg3, %arg1) : (f32, index) -> ()
    }) {tir.note} : (i1) -> (f32, index)
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "while": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  %r:2 = scf.while (%p = %x, %q = %l) : (f32, index) -> (index, f32) {
    scf.condition(%b) %q, %p : index, f32
  } do {
  ^bb0(%p: index, %q: f32):
    scf.yield %q, %p : f32, index
  } attributes {tir.note}
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    %0:2 = "scf.while"(%arg3, %arg0) ({
    ^bb0(%arg9: f32, %arg10: index):
      "scf.condition"(%arg5, %arg10, %arg9) : (i1, index, f32) -> ()
    }, {
    ^bb0(%arg7: index, %arg8: f32):
      "scf.yield"(%arg8, %arg7) : (f32, index) -> ()
    }) {tir.note} : (f32, index) -> (index, f32)
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "while_without_values": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.while : () -> () {
    scf.condition(%b)
  } do {
    scf.yield
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.while"() ({
      "scf.condition"(%arg5) : (i1) -> ()
    }, {
      "scf.yield"() : () -> ()
    }) : () -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "parallel": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.parallel (%i, %j) = (%l, %l) to (%u, %u) step (%s, %s) {
    memref.store %x, %m[%i] : memref<?xf32>
    scf.reduce
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.parallel"(%arg0, %arg0, %arg1, %arg1, %arg2, %arg2) <{operandSegmentSizes = array<i32: 2, 2, 2, 0>}> ({
    ^bb0(%arg7: index, %arg8: index):
      "memref.store"(%arg3, %arg4, %arg7) : (f32, memref<?xf32>, index) -> ()
      "scf.reduce"() : () -> ()
    }) : (index, index, index, index, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "parallel_implicit_end": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  scf.parallel (%i) = (%l) to (%u) step (%s) {
  } {tir.note}
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    "scf.parallel"(%arg0, %arg1, %arg2) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
    ^bb0(%arg7: index):
      "scf.reduce"() : () -> ()
    }) {tir.note} : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "parallel_reduce": (
        """
func.func @f(%l: index, %u: index, %s: index, %x: f32, %m: memref<?xf32>, %b: i1, %k: i32) {
  %r:2 = scf.parallel (%i) = (%l) to (%u) step (%s) init (%x, %l) -> (f32, index) {
    %v = memref.load %m[%i] : memref<?xf32>
    scf.reduce(%v, %i : f32, index) {
    ^bb0(%p: f32, %q: f32):
      %t = arith.addf %p, %q : f32
      scf.reduce.return %t : f32
    }, {
    ^bb0(%p: index, %q: index):
      scf.reduce.return %q : index
    }
  }
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, index, f32, memref<?xf32>, i1, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: index, %arg3: f32, %arg4: memref<?xf32>, %arg5: i1, %arg6: i32):
    %0:2 = "scf.parallel"(%arg0, %arg1, %arg2, %arg3, %arg0) <{operandSegmentSizes = array<i32: 1, 1, 1, 2>}> ({
    ^bb0(%arg7: index):
      %1 = "memref.load"(%arg4, %arg7) : (memref<?xf32>, index) -> f32
      "scf.reduce"(%1, %arg7) ({
      ^bb0(%arg10: f32, %arg11: f32):
        %2 = "arith.addf"(%arg10, %arg11) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
        "scf.reduce.return"(%2) : (f32) -> ()
      }, {
      ^bb0(%arg8: index, %arg9: index):
        "scf.reduce.return"(%arg9) : (index) -> ()
      }) : (f32, index) -> ()
    }) : (index, index, index, f32, index) -> (f32, index)
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "empty": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.empty(%i, %j) : tensor<?x4x?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.empty"(%arg0, %arg1) : (index, index) -> tensor<?x4x?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "empty_static": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.empty() : tensor<3xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.empty"() : () -> tensor<3xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_dim": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.dim %t, %i : tensor<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.dim"(%arg3, %arg0) : (tensor<?x4xf32>, index) -> index
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_extract": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.extract %t[%i, %j] : tensor<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.extract"(%arg3, %arg0, %arg1) : (tensor<?x4xf32>, index, index) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_insert": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.insert %x into %t[%i, %j] : tensor<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.insert"(%arg2, %arg3, %arg0, %arg1) : (f32, tensor<?x4xf32>, index, index) -> tensor<?x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "extract_slice": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.extract_slice %t[%i, 0] [2, %j] [1, 2] : tensor<?x4xf32> to tensor<2x?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.extract_slice"(%arg3, %arg0, %arg1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>, static_offsets = array<i64: -9223372036854775808, 0>, static_sizes = array<i64: 2, -9223372036854775808>, static_strides = array<i64: 1, 2>}> : (tensor<?x4xf32>, index, index) -> tensor<2x?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "extract_slice_reducing_rank": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.extract_slice %t[%i, 0] [1, %j] [1, 2] : tensor<?x4xf32> to tensor<?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.extract_slice"(%arg3, %arg0, %arg1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>, static_offsets = array<i64: -9223372036854775808, 0>, static_sizes = array<i64: 1, -9223372036854775808>, static_strides = array<i64: 1, 2>}> : (tensor<?x4xf32>, index, index) -> tensor<?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "insert_slice": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.insert_slice %u into %t[%i, 1] [2, 3] [1, 1] : tensor<2x3xf32> into tensor<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.insert_slice"(%arg4, %arg3, %arg0) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>, static_offsets = array<i64: -9223372036854775808, 1>, static_sizes = array<i64: 2, 3>, static_strides = array<i64: 1, 1>}> : (tensor<2x3xf32>, tensor<?x4xf32>, index) -> tensor<?x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_collapse_shape": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.collapse_shape %t [[0, 1]] : tensor<?x4xf32> into tensor<?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.collapse_shape"(%arg3) <{reassociation = [[0, 1]]}> : (tensor<?x4xf32>) -> tensor<?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_collapse_shape_to_rank_0": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.collapse_shape %z [] : tensor<1x1xf32> into tensor<f32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.collapse_shape"(%arg5) <{reassociation = []}> : (tensor<1x1xf32>) -> tensor<f32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_expand_shape": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.expand_shape %t [[0, 1], [2]] output_shape [%i, 2, 4] : tensor<?x4xf32> into tensor<?x2x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.expand_shape"(%arg3, %arg0) <{reassociation = [[0, 1], [2]], static_output_shape = array<i64: -9223372036854775808, 2, 4>}> : (tensor<?x4xf32>, index) -> tensor<?x2x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_cast": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.cast %t : tensor<?x4xf32> to tensor<5x?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.cast"(%arg3) : (tensor<?x4xf32>) -> tensor<5x?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "from_elements": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.from_elements %x, %x, %x, %x : tensor<2x2xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.from_elements"(%arg2, %arg2, %arg2, %arg2) : (f32, f32, f32, f32) -> tensor<2x2xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "from_no_elements": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.from_elements  : tensor<0xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.from_elements"() : () -> tensor<0xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_splat": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.splat %x : tensor<4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.splat"(%arg2) : (f32) -> tensor<4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "tensor_splat_dynamic": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.splat %x[%i] : tensor<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.splat"(%arg2, %arg0) : (f32, index) -> tensor<?x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "generate": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.generate %i {
  ^bb0(%p: index, %q: index):
    tensor.yield %x : f32
  } : tensor<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.generate"(%arg0) ({
    ^bb0(%arg6: index, %arg7: index):
      "tensor.yield"(%arg2) : (f32) -> ()
    }) : (index) -> tensor<?x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "concat": (
        """
func.func @f(%i: index, %j: index, %x: f32, %t: tensor<?x4xf32>, %u: tensor<2x3xf32>, %z: tensor<1x1xf32>) {
  %r = tensor.concat dim(0) %t, %t : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, tensor<?x4xf32>, tensor<2x3xf32>, tensor<1x1xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: tensor<?x4xf32>, %arg4: tensor<2x3xf32>, %arg5: tensor<1x1xf32>):
    %0 = "tensor.concat"(%arg3, %arg3) <{dim = 0 : i64}> : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "generic": (
        """
func.func @f(%x: f32, %t: tensor<?x4xf32>, %o: tensor<?xf32>, %z: tensor<f32>, %m: memref<?x4xf32>) {
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%t : tensor<?x4xf32>) outs(%o : tensor<?xf32>) {
  ^bb0(%p: f32, %q: f32):
    %k = linalg.index 1 : index
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return
}
""",
        """
#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0)>
"builtin.module"() ({
  "func.func"() <{function_type = (f32, tensor<?x4xf32>, tensor<?xf32>, tensor<f32>, memref<?x4xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: f32, %arg1: tensor<?x4xf32>, %arg2: tensor<?xf32>, %arg3: tensor<f32>, %arg4: memref<?x4xf32>):
    %0 = "linalg.generic"(%arg1, %arg2) <{indexing_maps = [#map, #map1], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg5: f32, %arg6: f32):
      %1 = "linalg.index"() <{dim = 1 : i64}> : () -> index
      %2 = "arith.addf"(%arg5, %arg6) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%2) : (f32) -> ()
    }) : (tensor<?x4xf32>, tensor<?xf32>) -> tensor<?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "generic_on_buffers": (
        """
func.func @f(%x: f32, %t: tensor<?x4xf32>, %o: tensor<?xf32>, %z: tensor<f32>, %m: memref<?x4xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%m : memref<?x4xf32>) attrs =  {tir.note = 1 : i32} {
  ^bb0(%p: f32):
    linalg.yield %p : f32
  }
  return
}
""",
        """
#map = affine_map<(d0, d1) -> (d0, d1)>
"builtin.module"() ({
  "func.func"() <{function_type = (f32, tensor<?x4xf32>, tensor<?xf32>, tensor<f32>, memref<?x4xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: f32, %arg1: tensor<?x4xf32>, %arg2: tensor<?xf32>, %arg3: tensor<f32>, %arg4: memref<?x4xf32>):
    "linalg.generic"(%arg4) <{indexing_maps = [#map], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 0, 1>}> ({
    ^bb0(%arg5: f32):
      "linalg.yield"(%arg5) : (f32) -> ()
    }) {tir.note = 1 : i32} : (memref<?x4xf32>) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "generic_several_results": (
        """
func.func @f(%x: f32, %t: tensor<?x4xf32>, %o: tensor<?xf32>, %z: tensor<f32>, %m: memref<?x4xf32>) {
  %r:2 = linalg.generic {doc = "d", indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = [], library_call = "lib"} ins(%x : f32) outs(%z, %z : tensor<f32>, tensor<f32>) {
  ^bb0(%p: f32, %q: f32, %s: f32):
    linalg.yield %q, %p : f32, f32
  } -> (tensor<f32>, tensor<f32>)
  return
}
""",
        """
#map = affine_map<() -> ()>
"builtin.module"() ({
  "func.func"() <{function_type = (f32, tensor<?x4xf32>, tensor<?xf32>, tensor<f32>, memref<?x4xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: f32, %arg1: tensor<?x4xf32>, %arg2: tensor<?xf32>, %arg3: tensor<f32>, %arg4: memref<?x4xf32>):
    %0:2 = "linalg.generic"(%arg0, %arg3, %arg3) <{doc = "d", indexing_maps = [#map, #map, #map], iterator_types = [], library_call = "lib", operandSegmentSizes = array<i32: 1, 2>}> ({
    ^bb0(%arg5: f32, %arg6: f32, %arg7: f32):
      "linalg.yield"(%arg6, %arg5) : (f32, f32) -> ()
    }) : (f32, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "global": (
        """
memref.global "private" constant @g : memref<2xf32> = dense<[1.0, 2.0]>
""",
        """
"builtin.module"() ({
  "memref.global"() <{constant, initial_value = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>, sym_name = "g", sym_visibility = "private", type = memref<2xf32>}> : () -> ()
}) : () -> ()
""",
    ),
    "global_uninitialized": (
        """
memref.global @g : memref<2xf32> = uninitialized
""",
        """
"builtin.module"() ({
  "memref.global"() <{initial_value, sym_name = "g", type = memref<2xf32>}> : () -> ()
}) : () -> ()
""",
    ),
    "global_external": (
        """
memref.global "private" @g : memref<2xf32> {alignment = 64 : i64}
""",
        """
"builtin.module"() ({
  "memref.global"() <{alignment = 64 : i64, sym_name = "g", sym_visibility = "private", type = memref<2xf32>}> : () -> ()
}) : () -> ()
""",
    ),
    "get_global": (
        """
memref.global @g : memref<2xf32> = dense<1.0>
func.func @f() {
  %r = memref.get_global @g : memref<2xf32>
  return
}
""",
        """
"builtin.module"() ({
  "memref.global"() <{initial_value = dense<1.000000e+00> : tensor<2xf32>, sym_name = "g", type = memref<2xf32>}> : () -> ()
  "func.func"() <{function_type = () -> (), sym_name = "f"}> ({
    %0 = "memref.get_global"() <{name = @g}> : () -> memref<2xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "alloc": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.alloc() : memref<4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.alloc"() <{operandSegmentSizes = array<i32: 0, 0>}> : () -> memref<4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "alloc_dynamic": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.alloc(%i) {alignment = 64 : i64} : memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.alloc"(%arg0) <{alignment = 64 : i64, operandSegmentSizes = array<i32: 1, 0>}> : (index) -> memref<?x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "alloc_symbols": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.alloc(%i)[%j] {tir.note} : memref<?x4xf32, strided<[?, 1]>>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.alloc"(%arg0, %arg1) <{operandSegmentSizes = array<i32: 1, 1>}> {tir.note} : (index, index) -> memref<?x4xf32, strided<[?, 1]>>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "alloc_space": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.alloc() : memref<4xf32, 3>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.alloc"() <{operandSegmentSizes = array<i32: 0, 0>}> : () -> memref<4xf32, 3>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "alloca": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.alloca(%i, %j) : memref<?x?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.alloca"(%arg0, %arg1) <{operandSegmentSizes = array<i32: 2, 0>}> : (index, index) -> memref<?x?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "dealloc": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  memref.dealloc %m : memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    "memref.dealloc"(%arg3) : (memref<?x4xf32>) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "load": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.load %m[%i, %j] : memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.load"(%arg3, %arg0, %arg1) : (memref<?x4xf32>, index, index) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "load_rank_0": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.load %z[] : memref<f32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.load"(%arg4) : (memref<f32>) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "load_nontemporal": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.load %m[%i, %j] {nontemporal = true} : memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.load"(%arg3, %arg0, %arg1) <{nontemporal = true}> : (memref<?x4xf32>, index, index) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "store": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  memref.store %x, %m[%i, %j] : memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    "memref.store"(%arg2, %arg3, %arg0, %arg1) : (f32, memref<?x4xf32>, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "memref_dim": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.dim %m, %i : memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.dim"(%arg3, %arg0) : (memref<?x4xf32>, index) -> index
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "copy": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  memref.copy %m, %m : memref<?x4xf32> to memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    "memref.copy"(%arg3, %arg3) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "subview": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.subview %m[%i, 1] [2, %j] [1, 2] : memref<?x4xf32> to memref<2x?xf32, strided<[4, 2], offset: ?>>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.subview"(%arg3, %arg0, %arg1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>, static_offsets = array<i64: -9223372036854775808, 1>, static_sizes = array<i64: 2, -9223372036854775808>, static_strides = array<i64: 1, 2>}> : (memref<?x4xf32>, index, index) -> memref<2x?xf32, strided<[4, 2], offset: ?>>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "subview_reducing_rank": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.subview %m[1, 1] [1, 2] [1, 2] : memref<?x4xf32> to memref<2xf32, strided<[2], offset: 5>>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.subview"(%arg3) <{operandSegmentSizes = array<i32: 1, 0, 0, 0>, static_offsets = array<i64: 1, 1>, static_sizes = array<i64: 1, 2>, static_strides = array<i64: 1, 2>}> : (memref<?x4xf32>) -> memref<2xf32, strided<[2], offset: 5>>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "memref_cast": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.cast %m : memref<?x4xf32> to memref<?x?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.cast"(%arg3) : (memref<?x4xf32>) -> memref<?x?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "memref_collapse_shape": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.collapse_shape %m [[0, 1]] : memref<?x4xf32> into memref<?xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.collapse_shape"(%arg3) <{reassociation = [[0, 1]]}> : (memref<?x4xf32>) -> memref<?xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "memref_expand_shape": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.expand_shape %d [[0, 1]] output_shape [%i, 4] : memref<?xf32> into memref<?x4xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.expand_shape"(%arg5, %arg0) <{reassociation = [[0, 1]], static_output_shape = array<i64: -9223372036854775808, 4>}> : (memref<?xf32>, index) -> memref<?x4xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "reinterpret_cast": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.reinterpret_cast %m to offset: [%i], sizes: [%j, 4], strides: [4, %i] : memref<?x4xf32> to memref<?x4xf32, strided<[4, ?], offset: ?>>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.reinterpret_cast"(%arg3, %arg0, %arg1, %arg0) <{operandSegmentSizes = array<i32: 1, 1, 1, 1>, static_offsets = array<i64: -9223372036854775808>, static_sizes = array<i64: -9223372036854775808, 4>, static_strides = array<i64: 4, -9223372036854775808>}> : (memref<?x4xf32>, index, index, index) -> memref<?x4xf32, strided<[4, ?], offset: ?>>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "reinterpret_cast_rank_0": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x4xf32>, %z: memref<f32>, %d: memref<?xf32>) {
  %r = memref.reinterpret_cast %m to offset: [0], sizes: [], strides: [] : memref<?x4xf32> to memref<f32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.reinterpret_cast"(%arg3) <{operandSegmentSizes = array<i32: 1, 0, 0, 0>, static_offsets = array<i64: 0>, static_sizes = array<i64>, static_strides = array<i64>}> : (memref<?x4xf32>) -> memref<f32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_load": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.load %m[%i, %j] : memref<?x16xf32>, vector<8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.load"(%arg3, %arg0, %arg1) : (memref<?x16xf32>, index, index) -> vector<8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_load_aligned": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.load %m[%i, %j] {alignment = 8 : i64, nontemporal = true} : memref<?x16xf32>, vector<8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.load"(%arg3, %arg0, %arg1) <{alignment = 8 : i64, nontemporal = true}> : (memref<?x16xf32>, index, index) -> vector<8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_store": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  vector.store %v, %m[%i, %j] : memref<?x16xf32>, vector<8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    "vector.store"(%arg4, %arg3, %arg0, %arg1) : (vector<8xf32>, memref<?x16xf32>, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "broadcast": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.broadcast %x : f32 to vector<4x8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.broadcast"(%arg2) : (f32) -> vector<4x8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_fma": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.fma %v, %v, %v : vector<8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.fma"(%arg4, %arg4, %arg4) : (vector<8xf32>, vector<8xf32>, vector<8xf32>) -> vector<8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "reduction": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.reduction <add>, %v : vector<8xf32> into f32
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.reduction"(%arg4) <{fastmath = #arith.fastmath<none>, kind = #vector.kind<add>}> : (vector<8xf32>) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "reduction_acc": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.reduction <minsi>, %w, %y : vector<8xi32> into i32
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.reduction"(%arg7, %arg8) <{fastmath = #arith.fastmath<none>, kind = #vector.kind<minsi>}> : (vector<8xi32>, i32) -> i32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "reduction_fastmath": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.reduction <maxnumf>, %v fastmath<reassoc,nnan> : vector<8xf32> into f32
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.reduction"(%arg4) <{fastmath = #arith.fastmath<reassoc,nnan>, kind = #vector.kind<maxnumf>}> : (vector<8xf32>) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_extract": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.extract %n[2] : vector<8xf32> from vector<4x8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.extract"(%arg5) <{static_position = array<i64: 2>}> : (vector<4x8xf32>) -> vector<8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_extract_element": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.extract %n[2, %i] : f32 from vector<4x8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.extract"(%arg5, %arg0) <{static_position = array<i64: 2, -9223372036854775808>}> : (vector<4x8xf32>, index) -> f32
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_insert": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.insert %x, %n [1, 3] : f32 into vector<4x8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.insert"(%arg2, %arg5) <{static_position = array<i64: 1, 3>}> : (f32, vector<4x8xf32>) -> vector<4x8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "vector_insert_dynamic": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.insert %v, %n [%i] : vector<8xf32> into vector<4x8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.insert"(%arg4, %arg5, %arg0) <{static_position = array<i64: -9223372036854775808>}> : (vector<8xf32>, vector<4x8xf32>, index) -> vector<4x8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "maskedload": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.maskedload %m[%i, %j], %k, %v : memref<?x16xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.maskedload"(%arg3, %arg0, %arg1, %arg6, %arg4) : (memref<?x16xf32>, index, index, vector<8xi1>, vector<8xf32>) -> vector<8xf32>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "maskedstore": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  vector.maskedstore %m[%i, %j], %k, %v : memref<?x16xf32>, vector<8xi1>, vector<8xf32>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    "vector.maskedstore"(%arg3, %arg0, %arg1, %arg6, %arg4) : (memref<?x16xf32>, index, index, vector<8xi1>, vector<8xf32>) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "create_mask": (
        """
func.func @f(%i: index, %j: index, %x: f32, %m: memref<?x16xf32>, %v: vector<8xf32>, %n: vector<4x8xf32>, %k: vector<8xi1>, %w: vector<8xi32>, %y: i32) {
  %r = vector.create_mask %i : vector<8xi1>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x16xf32>, vector<8xf32>, vector<4x8xf32>, vector<8xi1>, vector<8xi32>, i32) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x16xf32>, %arg4: vector<8xf32>, %arg5: vector<4x8xf32>, %arg6: vector<8xi1>, %arg7: vector<8xi32>, %arg8: i32):
    %0 = "vector.create_mask"(%arg0) : (index) -> vector<8xi1>
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
}
