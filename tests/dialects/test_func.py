"""func: signatures, attributes of arguments and results, calls."""

from __future__ import annotations

import numpy as np

from tests.dialects.programs import module, run, run_error, verify_error
from tir.dialects import func
from tir.ir.attributes import StringAttr, UnitAttr
from tir.ir.builder import Builder
from tir.ir.symbols import SymbolTable
from tir.ir.types import F32, I1, FunctionType
from tir.ir.verify import verify


def test_made_function_has_an_entry_block_with_the_inputs() -> None:
    made = func.Func.make("f", [F32, I1], [F32])
    Builder.at_end(made.entry).op(func.Return, [made.arguments[0]])
    verify(made)
    assert made.function_type is FunctionType((F32, I1), (F32,))
    assert not made.is_declaration and not made.is_private


def test_declaration_has_no_body() -> None:
    made = func.Func.make("f", [F32], [], visibility="private", declaration=True)
    verify(made)
    assert made.is_declaration and made.is_private


def test_argument_attributes_are_set_read_and_removed_one_by_one() -> None:
    made = func.Func.make("f", [F32, F32], [F32])
    assert made.argument_attribute(1, "tir.name") is None
    made.set_argument_attribute(1, "tir.name", StringAttr("y"))
    made.set_argument_attribute(1, "tir.out", UnitAttr())
    assert made.argument_attribute(1, "tir.name") == StringAttr("y")
    assert made.argument_attribute(0, "tir.name") is None
    assert str(made.properties["arg_attrs"]) == '[{}, {tir.name = "y", tir.out}]'
    made.set_argument_attribute(1, "tir.out", None)
    made.set_argument_attribute(1, "tir.name", None)
    assert "arg_attrs" not in made.properties


def test_result_attributes_are_their_own() -> None:
    made = func.Func.make("f", [F32], [F32, F32])
    made.set_result_attribute(0, "tir.name", StringAttr("z"))
    assert made.result_attribute(0, "tir.name") == StringAttr("z")
    assert made.result_attributes(1) == {} and made.argument_attributes(0) == {}


def test_set_type_replaces_type_and_attributes() -> None:
    made = func.Func.make("f", [F32], [F32])
    made.set_argument_attribute(0, "tir.name", StringAttr("x"))
    made.set_type([F32, I1], [], [{"tir.name": StringAttr("x")}, {}], [])
    assert made.function_type is FunctionType((F32, I1), ())
    assert str(made.properties["arg_attrs"]) == '[{tir.name = "x"}, {}]'


def test_call_hands_arguments_and_results_over() -> None:
    text = """
    func.func @f(%x: f32, %y: f32) -> (f32, f32) {
      %0:2 = func.call @swap(%x, %y) : (f32, f32) -> (f32, f32)
      return %0#0, %0#1 : f32, f32
    }
    func.func private @swap(%x: f32, %y: f32) -> (f32, f32) {
      return %y, %x : f32, f32
    }"""
    assert run(text, np.float32(1), np.float32(2)) == [2, 1]


def test_recursive_call_has_its_own_values() -> None:
    text = """
    func.func @f(%n: i64) -> i64 {
      %zero = arith.constant 0 : i64
      %one = arith.constant 1 : i64
      %done = arith.cmpi sle, %n, %zero : i64
      %r = scf.if %done -> (i64) {
        scf.yield %one : i64
      } else {
        %m = arith.subi %n, %one : i64
        %p = func.call @f(%m) : (i64) -> i64
        %q = arith.muli %p, %n : i64
        scf.yield %q : i64
      }
      return %r : i64
    }"""
    assert run(text, 10) == [3628800]


def test_call_of_a_declaration_without_stand_in_is_an_error() -> None:
    text = """
    func.func private @g(f32) -> f32
    func.func @f(%x: f32) -> f32 {
      %0 = func.call @g(%x) : (f32) -> f32
      return %0 : f32
    }"""
    error = run_error(text, np.float32(1))
    assert error.message == "func.call: @g has no body, and no Python function stands in for it"
    assert str(error.location) == "t.tir:4:7"
    assert run(text, np.float32(3), externs={"g": lambda x: x * x}) == [9]


def test_call_of_an_unknown_function_names_the_nearest() -> None:
    text = "func.func @main() {\n return\n}\nfunc.func @f() {\n func.call @mian() : () -> ()\n return\n}"
    assert verify_error(text) == "func.call: there is no function @mian"


def test_call_must_have_the_type_of_the_function() -> None:
    text = "func.func @g(%x: f32) {\n return\n}\nfunc.func @f() {\n func.call @g() : () -> ()\n return\n}"
    assert verify_error(text) == "func.call: @g has type (f32) -> (), called as () -> ()"


def test_return_must_give_the_results() -> None:
    text = "func.func @f(%x: i32) -> f32 {\n return %x : i32\n}"
    assert verify_error(text) == "func.return: the function returns (f32), got (i32)"


def test_public_declaration_is_refused() -> None:
    made = func.Func.make("f", [F32], [], declaration=True)
    assert _message(made) == "func.func: @f has no body, so it must be private"


def test_entry_block_must_take_the_inputs() -> None:
    made = func.Func.make("f", [F32], [])
    Builder.at_end(made.entry).op(func.Return)
    made.set_type([I1], [])
    assert _message(made) == "func.func: the entry block of @f must have arguments (i1), got (f32)"


def test_attributes_must_be_one_dictionary_each() -> None:
    made = func.Func.make("f", [F32], [])
    Builder.at_end(made.entry).op(func.Return)
    made.set_argument_attribute(0, "tir.name", StringAttr("x"))
    made.set_property("res_attrs", made.properties["arg_attrs"])
    assert _message(made) == "func.func: must have a dictionary for each result, or none at all, got 1 for 0"


def _message(op: func.Func) -> str:
    try:
        verify(op)
    except Exception as error:
        return str(error)
    raise AssertionError("it verifies")


def test_symbols_are_found_inserted_under_a_free_name_and_erased() -> None:
    symbols = SymbolTable(module("func.func @f() {\n return\n}"))
    assert symbols.lookup("g") is None
    copy = symbols.insert(symbols.get("f").clone())
    assert copy.sym_name == "f_0" and symbols.lookup("f_0") is copy
    assert symbols.unique("f") == "f_1" and symbols.names() == ["f", "f_0"]
    symbols.erase(copy)
    assert symbols.names() == ["f"] and len(symbols.owner.body.ops) == 1


def test_two_symbols_of_one_name_are_refused() -> None:
    text = "func.func @f() {\n return\n}\nfunc.func @f() {\n return\n}"
    assert verify_error(text) == "func.func: the name @f is taken"
