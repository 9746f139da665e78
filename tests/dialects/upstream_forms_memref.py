"""Short and generic forms of buffers: memref. See `upstream_forms_structure.py`."""

# ruff: noqa: E501

from __future__ import annotations

MEMREF: dict[str, tuple[str, str]] = {
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
  %r = memref.alloc(%i)[%j] {user.note} : memref<?x4xf32, strided<[?, 1]>>
  return
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index, index, f32, memref<?x4xf32>, memref<f32>, memref<?xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: index, %arg1: index, %arg2: f32, %arg3: memref<?x4xf32>, %arg4: memref<f32>, %arg5: memref<?xf32>):
    %0 = "memref.alloc"(%arg0, %arg1) <{operandSegmentSizes = array<i32: 1, 1>}> {user.note} : (index, index) -> memref<?x4xf32, strided<[?, 1]>>
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
}
