"""Short and generic forms of modules, functions and blocks: builtin, func and cf. See `upstream_forms_structure.py`."""

# ruff: noqa: E501

from __future__ import annotations

FUNC: dict[str, tuple[str, str]] = {
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
func.func private @f(tensor<?xf32> {tir.name = "x"}, index) -> (f32, i1) attributes {user.version = 1 : i32}
""",
        """
"builtin.module"() ({
  "func.func"() <{arg_attrs = [{tir.name = "x"}, {}], function_type = (tensor<?xf32>, index) -> (f32, i1), sym_name = "f", sym_visibility = "private"}> ({
  }) {user.version = 1 : i32} : () -> ()
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
  %0 = func.call @f(%i) {user.note} : (index) -> index
  return %0 : index
}
""",
        """
"builtin.module"() ({
  "func.func"() <{function_type = (index) -> index, sym_name = "f"}> ({
  ^bb0(%arg0: index):
    %0 = "func.call"(%arg0) <{callee = @f}> {user.note} : (index) -> index
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
}
