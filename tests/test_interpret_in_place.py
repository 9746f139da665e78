"""tensor.insert on the interpreter: in place when nobody else can see the array, on a copy otherwise."""

from collections.abc import Iterator

import numpy as np
import pytest

from tir.dialects import tensor
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.parser.parse import parse_text


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many elements were copied, by insertion."""
    made: list[int] = []
    original = tensor.is_unshared

    def noted(arguments, position):
        found = original(arguments, position)
        if not found:
            made.append(arguments[position].size)
        return found

    monkeypatch.setattr(tensor, "is_unshared", noted)
    yield made


def run(body: str, *arrays, inputs: str = "%x: tensor<?xf32>", results: str = "tensor<?xf32>"):
    """The results of a function with some constants."""
    text = f"""
    func.func @f({inputs}) -> ({results}) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %one = arith.constant 1.0 : f32
      %n = tensor.dim %x, %c0 : tensor<?xf32>
      {body}
    }}
    """
    return Interpreter(parse_text(text, REGISTRY)).run("f", list(arrays))


def test_ten_thousand_inserts_copy_the_tensor_once(copies: list[int]) -> None:
    body = """
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%o = %x) -> (tensor<?xf32>) {
        %v = tensor.extract %o[%i] : tensor<?xf32>
        %w = arith.addf %v, %one : f32
        %m = tensor.insert %w into %o[%i] : tensor<?xf32>
        scf.yield %m : tensor<?xf32>
      }
      return %r : tensor<?xf32>"""
    x = np.arange(10_000, dtype=np.float32)
    (found,) = run(body, x)
    assert np.array_equal(found, np.arange(1, 10_001)) and np.array_equal(x, np.arange(10_000))
    assert copies == [10_000]


def test_inserts_under_a_condition_in_nested_loops_copy_once(copies: list[int]) -> None:
    """A bubble sort."""
    body = """
      %l = arith.subi %n, %c1 : index
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%o = %x) -> (tensor<?xf32>) {
        %q = scf.for %j = %c0 to %l step %c1 iter_args(%p = %o) -> (tensor<?xf32>) {
          %k = arith.addi %j, %c1 : index
          %a = tensor.extract %p[%j] : tensor<?xf32>
          %b = tensor.extract %p[%k] : tensor<?xf32>
          %g = arith.cmpf ogt, %a, %b : f32
          %s = scf.if %g -> (tensor<?xf32>) {
            %t = tensor.insert %b into %p[%j] : tensor<?xf32>
            %u = tensor.insert %a into %t[%k] : tensor<?xf32>
            scf.yield %u : tensor<?xf32>
          } else {
            scf.yield %p : tensor<?xf32>
          }
          scf.yield %s : tensor<?xf32>
        }
        scf.yield %q : tensor<?xf32>
      }
      return %r : tensor<?xf32>"""
    x = np.random.default_rng(1).standard_normal(20).astype(np.float32)
    (found,) = run(body, x)
    assert np.array_equal(found, np.sort(x))
    assert copies == [20]


def test_inserts_in_a_while_loop_copy_once(copies: list[int]) -> None:
    body = """
      %r:2 = scf.while (%i = %c0, %o = %x) : (index, tensor<?xf32>) -> (index, tensor<?xf32>) {
        %g = arith.cmpi ult, %i, %n : index
        scf.condition(%g) %i, %o : index, tensor<?xf32>
      } do {
      ^bb0(%i: index, %o: tensor<?xf32>):
        %m = tensor.insert %one into %o[%i] : tensor<?xf32>
        %j = arith.addi %i, %c1 : index
        scf.yield %j, %m : index, tensor<?xf32>
      }
      return %r#1 : tensor<?xf32>"""
    (found,) = run(body, np.zeros(50, np.float32))
    assert np.array_equal(found, np.ones(50))
    assert copies == [50]


def test_rows_are_inserted_in_place(copies: list[int]) -> None:
    body = """
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%o = %m) -> (tensor<?x3xf32>) {
        %row = tensor.extract_slice %o[%i, 0] [1, 3] [1, 1] : tensor<?x3xf32> to tensor<3xf32>
        %new = tensor.insert %one into %row[%c1] : tensor<3xf32>
        %p = tensor.insert_slice %new into %o[%i, 0] [1, 3] [1, 1] : tensor<3xf32> into tensor<?x3xf32>
        scf.yield %p : tensor<?x3xf32>
      }
      return %r : tensor<?x3xf32>"""
    x, m = np.zeros(7, np.float32), np.zeros((7, 3), np.float32)
    inputs = "%x: tensor<?xf32>, %m: tensor<?x3xf32>"
    (found,) = run(body, x, m, inputs=inputs, results="tensor<?x3xf32>")
    assert np.array_equal(found, np.tile([0, 1, 0], (7, 1)))
    assert copies.count(21) == 1 and copies.count(3) == 7  # a row is a view of the matrix


# --- who sees the array ----------------------------------------------------------------------------------------------

# Each keeps another name for the array that %m is made of; the old elements must stay.
OTHERS = {
    "an argument": ("", "%x", "%x"),
    "a value that is used later": ("%e = tensor.insert %one into %x[%c1] : tensor<?xf32>", "%e", "%e"),
    "a view": (
        """%e = tensor.insert %one into %x[%c1] : tensor<?xf32>
        %w = tensor.extract_slice %e[0] [%n] [1] : tensor<?xf32> to tensor<?xf32>""", "%e", "%w",
    ),
    "a cast": (
        """%e = tensor.insert %one into %x[%c1] : tensor<?xf32>
        %w = tensor.cast %e : tensor<?xf32> to tensor<3xf32>
        %v = tensor.cast %w : tensor<3xf32> to tensor<?xf32>""", "%e", "%v",
    ),
    "the view itself is changed": (
        """%e = tensor.insert %one into %x[%c1] : tensor<?xf32>
        %w = tensor.extract_slice %e[0] [%n] [1] : tensor<?xf32> to tensor<?xf32>""", "%w", "%e",
    ),
    "two results of a loop": (
        """%r:2 = scf.for %i = %c0 to %c1 step %c1 iter_args(%a = %x, %b = %x) -> (tensor<?xf32>, tensor<?xf32>) {
          %e = tensor.insert %one into %a[%c1] : tensor<?xf32>
          scf.yield %e, %e : tensor<?xf32>, tensor<?xf32>
        }""", "%r#0", "%r#1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("changed, kept", [pytest.param(*v[1:], id=k) for k, v in OTHERS.items()])
def test_array_that_has_another_name_is_not_changed(changed: str, kept: str, request: pytest.FixtureRequest) -> None:
    setup = OTHERS[request.node.callspec.id][0]
    body = f"""
      {setup}
      %two = arith.constant 2.0 : f32
      %m = tensor.insert %two into {changed}[%c0] : tensor<?xf32>
      return %m, {kept} : tensor<?xf32>, tensor<?xf32>"""
    new, old = run(body, np.zeros(3, np.float32), results="tensor<?xf32>, tensor<?xf32>")
    assert new[0] == 2 and old[0] == 0


def test_tensor_from_outside_a_loop_is_the_same_in_each_iteration() -> None:
    body = """
      %e = tensor.insert %one into %x[%c1] : tensor<?xf32>
      %s = scf.for %i = %c0 to %n step %c1 iter_args(%a = %one) -> (f32) {
        %v = tensor.extract %e[%c0] : tensor<?xf32>
        %b = arith.addf %a, %v : f32
        %m = tensor.insert %b into %e[%c0] : tensor<?xf32>
        %w = tensor.extract %m[%c0] : tensor<?xf32>
        scf.yield %w : f32
      }
      return %s : f32"""
    (found,) = run(body, np.zeros(5, np.float32), results="f32")
    assert found == 1


def test_value_that_another_block_uses_is_kept() -> None:
    body = """
      %e = tensor.insert %one into %x[%c1] : tensor<?xf32>
      %m = tensor.insert %one into %e[%c0] : tensor<?xf32>
      cf.br ^bb1
    ^bb1:
      return %e : tensor<?xf32>"""
    (found,) = run(body, np.zeros(2, np.float32))
    assert np.array_equal(found, [0, 1])
