"""Short and generic forms of vectors: vector. See `upstream_forms_structure.py`."""

# ruff: noqa: E501

from __future__ import annotations

VECTOR: dict[str, tuple[str, str]] = {
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
