"""Programs that the tests of pictures and pages look at, and how they become a record."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import ALL
from tir.viz.explore import Explorer
from tir.viz.steps import Budget

ROOT = Path(__file__).resolve().parent.parent.parent
DIGITS = (ROOT / "examples" / "digits.tir").read_text(encoding="utf-8")

SMALL = """
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.transpose %x by [0] : tensor<4xf32>
  %1 = tir.exp %0 : tensor<4xf32>
  %2 = tir.exp %x : tensor<4xf32>
  %3 = tir.add %1, %2 : tensor<4xf32>
  %unused = tir.tanh %3 : tensor<4xf32>
  return %3 : tensor<4xf32>
}
"""

FLOW = """
func.func @count(%n: index, %x: f32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  cf.br ^loop(%c0, %x : index, f32)
^loop(%i: index, %s: f32):
  %more = arith.cmpi ult, %i, %n : index
  cf.cond_br %more, ^body, ^end(%s : f32)
^body:
  %t = arith.addf %s, %x : f32
  %j = arith.addi %i, %c1 : index
  cf.br ^loop(%j, %t : index, f32)
^end(%r: f32):
  return %r : f32
}
func.func @sum(%x: memref<?xf32>, %y: memref<f32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?xf32>
  %s = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z) -> (f32) {
    %v = memref.load %x[%i] : memref<?xf32>
    %p = arith.cmpf ogt, %v, %z : f32
    %w = scf.if %p -> (f32) {
      %e = math.exp %v : f32
      scf.yield %e : f32
    } else {
      scf.yield %z : f32
    }
    %b = arith.addf %a, %w : f32
    scf.yield %b : f32
  }
  memref.store %s, %y[] : memref<f32>
  memref.store %z, %y[] : memref<f32>
  return
}
"""

# Each of these would do something if it were taken for markup, for a script, or for Graphviz text.
ATTACKS = (
    "</script><script>document.title='pwned'</script>",
    '"><img src=x onerror=document.title="pwned">',
    "<svg onload=document.title='pwned'>",
    "'\\\"; }] -> x [label=<b>pwned</b>]; \\N \\G \\l",
    "&lt;script&gt;&#60;b&#62;&quot; <!-- --> ]]> %s {{x}} ${x}",
    "a\nb\tc\x00\x1b[31md\u202eE\u2028F\U0001f600",
)


def _text(attack: str) -> str:
    """The string as MLIR writes it between quotes."""
    plain = [chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:02X}" for b in attack.encode("utf-8")]
    return "".join(plain)


def hostile(attack: str) -> str:
    """A program that has the string wherever a string can stand."""
    name = _text(attack)
    return f"""
tir.shared @"{name}" : tensor<2xf32> = dense<0.0>
func.func @"f{name}"(%x: tensor<[B]x2xf32> {{tir.name = "{name}"}}) -> (tensor<[B]x2xf32> {{tir.name = "{name}"}}) {{
  %w = tir.read @"{name}" : tensor<2xf32> loc("{name}":3:4)
  %b = tir.broadcast %w along [1] {{a.note = "{name}"}} : tensor<2xf32> -> tensor<[B]x2xf32> loc("{name}"("x":1:1))
  %y = tir.add %x, %b : tensor<[B]x2xf32>
  %t = tir.transpose %y by [0, 1] : tensor<[B]x2xf32>
  %u = tir.transpose %y by [0, 1] : tensor<[B]x2xf32>
  %s = tir.add %t, %u : tensor<[B]x2xf32>
  "x.unknown"(%s) {{note = "{name}"}} : (tensor<[B]x2xf32>) -> () loc("{name}")
  tir.update @"{name}", %w : tensor<2xf32>
  return %s : tensor<[B]x2xf32>
}}
"""


def module_of(text: str) -> Op:
    """The verified module of a text."""
    return parse_text(text, REGISTRY, file="test.tir", allow_unregistered=True)


def transformed(text: str, passes: str) -> Op:
    """The module behind passes, which are given as pipeline text."""
    module = module_of(text)
    run_pipeline(parse_pipeline(passes, ALL), module)
    return module


@lru_cache(maxsize=4)
def explored(text: str, passes: str) -> Explorer:
    """The record of passes on a program; tests that want the same share it."""
    return explored_within(text, passes, Budget())


def explored_within(text: str, passes: str, budget: Budget, max_levels: int = 60) -> Explorer:
    """The record of passes on a program, within limits."""
    explorer = Explorer(budget, max_levels)
    run_pipeline(parse_pipeline(passes, ALL), module_of(text), [explorer])
    return explorer
