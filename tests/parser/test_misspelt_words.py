"""Words of other frameworks, and each word in the form of an op without its last letter: the error names what is meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.directives import DIRECTIVES
from tir.ir.errors import TirErrors
from tir.ir.format import format_of
from tir.ir.syntax import Braces, Brackets, Item, RawOp, Word
from tir.parser.parse import parse_text
from tir.parser.raw import RawText, read_text, split_file

ROOT = Path(__file__).resolve().parent.parent.parent


def items_of(raw: RawText, op: RawOp) -> Iterator[Item]:
    """The items of an op's own text, and those inside brackets."""
    pending: list[Item] = list(raw.items(op))
    for item in pending:  # grows while it is read
        yield item
        if isinstance(item, Brackets):
            pending.extend(item.items)


def ops_of(raw: RawText) -> Iterator[RawOp]:
    pending = list(raw.ops)
    for op in pending:  # grows while it is read
        yield op
        inside = [blocks for item in items_of(raw, op) if isinstance(item, Braces) for blocks in [item.blocks]]
        pending.extend(inner for blocks in [*(op.regions or ()), *inside] for block in blocks for inner in block.ops)


@cache
def words() -> dict[tuple[str, str], tuple[str, int]]:
    """A program and a place in it for each word of at least four letters of each op among the programs of the tests."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for path in sorted(path for folder in ("dialects", "passes") for path in (ROOT / "tests" / "lit" / folder).glob("*.tir")):
        for _, text in split_file(path.read_text(encoding="utf-8")):
            raw = read_text(text, path.name)
            if raw.errors or said(text):
                continue
            for op in ops_of(raw):
                if not op.generic:
                    for word in items_of(raw, op):
                        if isinstance(word, Word) and len(word.text) >= 4:
                            found.setdefault((op.name, word.text), (text, word.pos))
    return found


def said(text: str) -> str:
    try:
        parse_text(text, REGISTRY)
    except TirErrors as errors:
        return "\n".join(str(error) for error in errors.errors)
    return ""


def test_there_are_words_of_many_ops() -> None:
    assert {("tir.scan", "checkpoint"), ("scf.for", "iter_args"), ("tir.grad", "disconnected"), ("func.func", "private")} <= words().keys()
    assert len(words()) > 100


@pytest.mark.parametrize("key", sorted(words()), ids=" ".join)
def test_word_without_its_last_letter_is_told_with_the_whole_word(key: tuple[str, str]) -> None:
    text, pos = words()[key]
    end = pos + len(key[1])
    assert text[pos:end] == key[1]
    message = said(text[: end - 1] + text[end:])
    assert "\n" not in message and f"'{key[1]}'" in message, message


@pytest.mark.parametrize("name", ["tir.Relu", "tir.RELU", "TIR.relu"])
def test_name_in_other_letters_is_told_with_the_right_ones(name: str) -> None:
    text = f"func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {{\n  %r = {name} %x : tensor<4xf32>\n  return %r : tensor<4xf32>\n}}"
    assert said(text).startswith(f"<text>:2:3: unknown op '{name}'")
    assert said(text).endswith("did you mean 'tir.relu'?")


# --- names of other frameworks ---------------------------------------------------------------------------------------

ELSEWHERE = [
    ("tir.matmul", "did you mean 'tir.dot'?"),
    ("tir.where", "did you mean 'tir.select'?"),
    ("tir.less", "did you mean 'tir.cmp lt'?"),
    ("tir.concatenate", "did you mean 'tir.concat'?"),
    ("tir.logical_and", "did you mean 'tir.and'?"),
    ("tir.zeros", "did you mean 'tir.full'?"),
    ("tir.arg_max", "did you mean 'tir.argmax'?"),
    ("tir.Conv2D", "did you mean 'tir.conv'?"),
    ("tir.scatter_nd", "did you mean 'tir.put_nd set'?"),
    ("matmul", "did you mean 'tir.dot'?"),
    ("stablehlo.multiply", "did you mean 'tir.mul'?"),
    ("onnx.MatMul", "did you mean 'tir.dot'?"),
    ("torch.relu", "did you mean 'tir.relu'?"),
    ("tir.relu6", "tir.clamp keeps x between 0 and 6"),
    ("tir.hessian", "write tir.jacobian of what tir.grad gives"),
    ("tir.rng_key", "a key is a tensor<2xi32>, an argument or a tir.constant of two words"),
    ("tir.call", "func.call calls a function"),
    ("arith.add", "did you mean 'arith.addi'?"),
]


@pytest.mark.parametrize(("name", "hint"), ELSEWHERE)
def test_name_of_another_framework_is_told_with_the_op(name: str, hint: str) -> None:
    message = said(f"func.func @f(%x: tensor<4xf32>) {{\n  %r = {name} %x : tensor<4xf32>\n  return\n}}")
    assert message.startswith(f"<text>:2:3: unknown op '{name}'") and message.endswith(f"; {hint}"), message


ARGUMENTS = (
    "%x: tensor<4x3xf32>, %y: tensor<4x3xf32>, %s: tensor<3xf32>, %v: tensor<f32>, %n: tensor<4xi32>, %k: tensor<2xi32>, "
    "%p: tensor<4x3xi1>, %c: tensor<i1>, %f: f32, %i: tensor<2x3x8x8xf32>, %w: tensor<6x3x3x3xf32>"
)

OPS = [
    # words of other frameworks
    ("tir.max_pool %i window [2, 2] pads [1, 1] : tensor<2x3x8x8xf32>", "expected ':', got 'pads'; did you mean 'low' and 'high'?"),
    ("tir.max_pool %i kernel [2, 2] : tensor<2x3x8x8xf32>", "expected 'window', got 'kernel'; the form is `tir.max_pool %x window [..] : type`"),
    ("tir.conv %i, %w stride [2, 2] : tensor<2x6x3x3xf32>", "expected ':', got 'stride'; did you mean 'strides'?"),
    ("tir.conv %i, %w dilation [2, 2] : tensor<2x6x4x4xf32>", "did you mean 'w_dilations'?"),
    ("tir.softmax %x axis 1 : tensor<4x3xf32>", "expected 'over', got 'axis'; the form is `tir.softmax %x over [..] : type`"),
    ("tir.cumsum %x over [1] : tensor<4x3xf32>", "expected 'axis', got 'over'; the form is `tir.cumsum %x axis 1 : type`"),
    ("tir.layer_norm %x, %s, %s over [1] eps 1.0e-5 : tensor<4x3xf32>", "over [..] epsilon 1.0 : f32 : type`"),
    ("tir.sum %x over [1] keepdims : tensor<4x1xf32>", "expected ':', got 'keepdims'; the axes are gone from the result; tir.reshape"),
    ("tir.sort %x axis 1 ascending : tensor<4x3xf32>", "got 'ascending'; ascending is what comes without a word"),
    ("tir.leaky_relu %x slope (0.1) : tensor<4x3xf32>", "did you mean 'alpha'?"),
    ("tir.softmax_cross_entropy %x, %n reduction mean : tensor<4xf32>", "tir.mean or tir.sum makes it one number"),
    ("tir.rng_uniform seed 3 : tensor<4xf32>", "got 'seed'; a key, tensor<2xi32>, says which numbers come"),
    ("tir.dot %x, %x transpose_b : tensor<4x4xf32>", "got 'transpose_b'; tir.transpose comes before"),
    # what belongs to the form and is missing, or stands elsewhere
    ("tir.leaky_relu %x alpha 0.1 : tensor<4x3xf32>", "expected '(', got '0.1'; the form is `tir.leaky_relu %x alpha (1.0) : type`"),
    ("tir.top_k %x k 2 axis 1 : tensor<4x2xf32>, tensor<4x2xi64>", "`%values, %positions = tir.top_k %x axis 1 k 1 : type, type`, with smallest if need be"),
    ("tir.top_k %x axis 1 k 2 : tensor<4x2xf32>, tensor<4x2xi64>", "has 2 results, but the text names 1; the form is `%values, %positions = tir.top_k"),
    ("tir.transpose %x : tensor<3x4xf32>", "expected 'by', got ':'; the form is `tir.transpose %x by [..] : type`"),
    ("tir.scan (%h = %s : tensor<3xf32>) (%e = %x : tensor<4x3xf32>) { tir.yield %h : tensor<3xf32> }",
     "the form is `tir.scan (%a = %init : type) over (%x = %xs : type) -> (types) {..}`, with reverse, truncate 1, checkpoint 1 if need be"),
    ("tir.scan over (%e = %x : tensor<4x3xf32>) (%h = %s : tensor<3xf32>) { tir.yield %h : tensor<3xf32> }", "expected '{', got '('; the form is `tir.scan (%a"),
    ("tir.scan (%e in %x : tensor<4x3xf32>) { tir.yield %e : tensor<3xf32> }", "expected '=', got 'in'; the form is `tir.scan (%a = %init : type)"),
    ("tir.if %c { tir.yield %v : tensor<f32> }", "has 0 results, but the text names 1; the form is `tir.if %condition -> (types) {..} else {..}`"),
    ("tir.while %v : tensor<f32> { tir.yield %c : tensor<i1> }", "the form is `tir.while (%a = %init : type) {..} do {..}`"),
    # operators
    ("tir.cmp < %x, %y : tensor<4x3xf32>", "there are no operators, write tir.cmp lt %x, %y"),
    ("tir.cmp > %x, %y : tensor<4x3xf32>", "'>' closes nothing; there are no operators, write tir.cmp gt %x, %y"),
    ("tir.cmp == %x, %y : tensor<4x3xf32>", "got '=='; did you mean 'eq'?"),
    ("tir.cmp != %x, %y : tensor<4x3xf32>", "there are no operators, write tir.cmp ne %x, %y"),
    ('tir.cmp "<" %x, %y : tensor<4x3xf32>', "got a string; did you mean 'lt'?"),
    ("tir.cmp less %x, %y : tensor<4x3xf32>", "got 'less'; did you mean 'lt'?"),
    ("%x * 2.0 : tensor<4x3xf32>", "there are no operators, write tir.mul %x, %y"),
    ("%x @ %y : tensor<4x3xf32>", "there are no operators, write tir.dot %x, %y"),
    ("-%x : tensor<4x3xf32>", "there are no operators, write tir.neg %x"),
    # types and numbers
    ("tir.sort %x axis -1 : tensor<4x3xf32>", "axis must be 0 to 1, got -1; write 1"),
    ("tir.max %x over [1, 0] : tensor<f32>", "axes must increase, got [1, 0]; write [0, 1]"),
    ("tir.nll_loss %x, %s : tensor<4xf32>", "got tensor<3xf32>; tir.cast converts the elements"),
    ("tir.softmax_cross_entropy %x, %s : tensor<4xf32>", "for logits tensor<4x3xf32>; class numbers are integers, which tir.cast makes of floats"),
    ("tir.select %x, %x, %y : tensor<4x3xf32>", "got tensor<4x3xf32>; tir.cmp gives truth values"),
    ("tir.exp %x : tensor<4x3xf64>", "must have type tensor<4x3xf32>, got tensor<4x3xf64>; tir.cast converts the elements"),
    ("tir.add %x, %y : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>", "; the type of the result stands alone"),
    ("tir.constant 1.0 : f32", "got f32; a number is a tensor<f32> here"),
    ("tir.exp %f : tensor<f32>", "got f32; a number is a tensor<f32> here, such as tir.constant makes"),
    ("tir.layer_norm %x, %s, %s over [1] epsilon 1.0e-5 : f64 : tensor<4x3xf32>", "got 1.0e-05 : f64; write 1.0e-05 : f32"),
    ("tir.huber %x, %y delta 1 : i32 : tensor<4x3xf32>", "got 1 : i32; write 1.0 : f32"),
    ("tir.huber %x, %y delta = 1.0 : f32 : tensor<4x3xf32>", "got '='; the value stands without '='"),
    ("tir.conv %i, %w low [1, 1], high [1, 1] : tensor<2x6x8x8xf32>", "what begins with 'high' stands without ','"),
    ("tir.while (%a = %v : tensor<f32>) { tir.yield %s : tensor<3xf32> } do { tir.yield %v : tensor<f32> }", "tir.cmp gives truth values"),
    ("tir.if %c -> (tensor<f32>) { yield %v : tensor<f32> } else { tir.yield %v : tensor<f32> }", "the name of an op has a dot, as in tir.yield"),
    ("tir.full 1.0 -> tensor<4xf32>", "must be of type f32, got 1.0 : f64; write 1.0 : f32"),
    ("tir.elu %x alpha (1) : tensor<4x3xf32>", "got 1 : i64; write 1.0"),
    ("tir.conv %i, %w {strides = [2, 2]} : tensor<2x6x3x3xf32>", "got [2, 2]; write array<i64: 2, 2>"),
    ("tir.exp %x : f32[4, 3]", "the sizes stand inside of the type, as in tensor<4x8xf32>"),
]  # fmt: skip


@pytest.mark.parametrize(("op", "hint"), OPS)
def test_mistake_in_an_op_is_told_with_its_cure(op: str, hint: str) -> None:
    message = said(f"func.func @f({ARGUMENTS}) {{\n  %r = {op}\n  return\n}}")
    assert message.startswith("<text>:2:") and hint in message, message


LINES = [
    ("%r := tir.exp %x : tensor<4x3xf32>", "a value is defined by '%name = ' and an op"),
    ("%r : tensor<4x3xf32> = tir.exp %x", "a value is defined by '%name = ' and an op"),
    ("r = tir.exp %x : tensor<4x3xf32>", "a value has a name with '%': write %r"),
    ("return (%x) : tensor<4x3xf32>", "operands stand without parentheses"),
    ("/* nothing */", "a comment begins with //"),
]


@pytest.mark.parametrize(("line", "hint"), LINES)
def test_line_that_is_no_op_is_told_with_its_cure(line: str, hint: str) -> None:
    assert hint in said(f"func.func @f({ARGUMENTS}) {{\n  {line}\n  return\n}}")


def test_argument_of_another_region_is_told_with_a_label() -> None:
    text = f"""func.func @f({ARGUMENTS}) {{
  %r = tir.while (%a = %v : tensor<f32>) {{
    tir.yield %c : tensor<i1>
  }} do {{
    tir.yield %a : tensor<f32>
  }}
  return
}}"""
    with pytest.raises(TirErrors, match="%a is not defined here") as caught:
        parse_text(text, REGISTRY)
    (note,) = caught.value.errors[0].notes
    assert note[0].endswith("this one names its own, in a label such as ^bb0(%a: type):")


# --- the form of an op, as hints show it -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in REGISTRY.op_names() if name.startswith("tir.")])
def test_each_op_of_the_tensor_level_has_an_example_of_its_form(name: str) -> None:
    cls = REGISTRY.op_class(name)
    assert cls is not None
    shown = format_of(cls, DIRECTIVES).written()
    assert shown is not None and name in shown
