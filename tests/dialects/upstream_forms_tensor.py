"""Short and generic forms of tensors and of ops on them: tensor and linalg. See `upstream_forms_structure.py`."""

# ruff: noqa: E501

from __future__ import annotations

TENSOR: dict[str, tuple[str, str]] = {
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
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%m : memref<?x4xf32>) attrs =  {user.note = 1 : i32} {
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
    }) {user.note = 1 : i32} : (memref<?x4xf32>) -> ()
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
}
