"""Short and generic forms of loops and branches: scf. See `upstream_forms_structure.py`."""

# ruff: noqa: E501

from __future__ import annotations

SCF: dict[str, tuple[str, str]] = {
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
  } {user.note}
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
    }) {user.note} : (index, index, index, f32, index) -> (f32, index)
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
  } {user.note}
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
    }) {user.note} : (i1) -> (f32, index)
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
  } attributes {user.note}
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
    }) {user.note} : (f32, index) -> (index, f32)
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
  } {user.note}
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
    }) {user.note} : (index, index, index) -> ()
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
    "forall": (
        """
func.func @f(%x: tensor<?x4xf32>, %n: index) -> tensor<?x4xf32> {
  %r = scf.forall (%i) in (%n) shared_outs(%o = %x) -> (tensor<?x4xf32>) {
    %s = tensor.extract_slice %x[%i, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %s into %o[%i, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<?x4xf32>
    }
  }
  return %r : tensor<?x4xf32>
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (tensor<?x4xf32>, index) -> tensor<?x4xf32>, sym_name = "f"}> ({
  ^bb0(%arg0: tensor<?x4xf32>, %arg1: index):
    %0 = "scf.forall"(%arg1, %arg0) <{operandSegmentSizes = array<i32: 0, 1, 0, 1>, staticLowerBound = array<i64: 0>, staticStep = array<i64: 1>, staticUpperBound = array<i64: -9223372036854775808>}> ({
    ^bb0(%arg2: index, %arg3: tensor<?x4xf32>):
      %1 = "tensor.extract_slice"(%arg0, %arg2) <{operandSegmentSizes = array<i32: 1, 1, 0, 0>, static_offsets = array<i64: -9223372036854775808, 0>, static_sizes = array<i64: 1, 4>, static_strides = array<i64: 1, 1>}> : (tensor<?x4xf32>, index) -> tensor<4xf32>
      "scf.forall.in_parallel"() ({
        "tensor.parallel_insert_slice"(%1, %arg3, %arg2) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>, static_offsets = array<i64: -9223372036854775808, 0>, static_sizes = array<i64: 1, 4>, static_strides = array<i64: 1, 1>}> : (tensor<4xf32>, tensor<?x4xf32>, index) -> ()
      }) : () -> ()
    }) : (index, tensor<?x4xf32>) -> tensor<?x4xf32>
    "func.return"(%0) : (tensor<?x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
    "forall_bounds": (
        """
func.func @f(%x: f32, %m: memref<?xf32>, %n: index) {
  scf.forall (%i, %j) = (%n, 0) to (8, %n) step (2, %n) {
    memref.store %x, %m[%i] : memref<?xf32>
  } {user.note}
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (f32, memref<?xf32>, index) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: f32, %arg1: memref<?xf32>, %arg2: index):
    "scf.forall"(%arg2, %arg2, %arg2) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>, staticLowerBound = array<i64: -9223372036854775808, 0>, staticStep = array<i64: 2, -9223372036854775808>, staticUpperBound = array<i64: 8, -9223372036854775808>}> ({
    ^bb0(%arg3: index, %arg4: index):
      "memref.store"(%arg0, %arg1, %arg3) : (f32, memref<?xf32>, index) -> ()
      "scf.forall.in_parallel"() ({
      ^bb0:
      }) : () -> ()
    }) {user.note} : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
""",
    ),
}
