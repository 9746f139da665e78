"""Ops, values, blocks: use lists, order, clones, and what the verifier finds."""

import pytest

from tir.dialects import arith, builtin, cf, func, scf
from tir.dialects.all import REGISTRY
from tir.ir.attributes import FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.errors import TirErrors
from tir.ir.ir import Block, Region
from tir.ir.printer import print_op
from tir.ir.types import F32, I1, I32, INDEX
from tir.ir.verify import check, verify
from tir.parser.parse import parse_text


def block_of(*types):
    block = Block(types)
    return block, Builder(block)


def test_uses_are_found_and_replaced():
    block, b = block_of(F32, F32)
    x, y = block.arguments
    total = b.create(arith.AddF, x, x)
    product = b.create(arith.MulF, total, x)
    assert len(x.uses) == 3 and set(x.users) == {total.op, product.op} and total.has_one_use
    x.replace_all_uses_with(y)
    assert not x.is_used and total.op.operands == (y, y) and product.op.operands == (total, y)
    product.op.set_operand(0, y)
    assert not total.is_used


def test_uses_of_one_value_can_be_replaced_in_any_order_at_scale():
    block, b = block_of(F32, F32)
    x, y = block.arguments
    ops = [b.op(arith.NegF, x) for _ in range(50_000)]
    for op in reversed(ops):
        op.set_operand(0, y)
    assert not x.is_used and len(y.uses) == 50_000


def test_erase_and_insert_keep_the_order():
    block, b = block_of(F32)
    ops = [b.op(arith.NegF, block.arguments[0]) for _ in range(5)]
    ops[2].erase()
    ops[0].erase()
    ops[4].move_before(ops[1])
    assert block.ops == [ops[4], ops[1], ops[3]] and len(block) == 3
    assert block.is_before(ops[4], ops[3]) and not block.is_before(ops[3], ops[1])
    assert list(block.reversed_ops()) == [ops[3], ops[1], ops[4]]


def test_replacing_moves_name_hints():
    block, b = block_of(F32)
    old = b.create(arith.NegF, block.arguments[0])
    old.hint = "loss"
    new = b.create(arith.NegF, block.arguments[0])
    old.op.replace_with([new])
    assert new.hint == "loss" and old.op.parent is None


def loop_in_a_function():
    function = func.Func.make("f", [F32, INDEX], [F32])
    b = Builder(function.entry)
    x, n = function.arguments
    zero = b.create(arith.Constant, value=IntegerAttr(0, INDEX))
    one = b.create(arith.Constant, value=IntegerAttr(1, INDEX))
    body = Block([INDEX, F32])
    inner = Builder(body)
    inner.op(scf.Yield, [inner.create(arith.AddF, body.arguments[1], x)], result_types=[])
    loop = b.op(scf.For, zero, n, one, [x], regions=[Region([body])])
    b.op(func.Return, loop.results, result_types=[])
    return function


def test_a_clone_is_equal_and_shares_nothing():
    function = loop_in_a_function()
    copy = function.clone()
    assert print_op(copy) == print_op(function)
    assert not {id(op) for op in copy.walk()} & {id(op) for op in function.walk()}
    for op in list(copy.walk()):
        assert all(v.op is None or v.op.is_inside(copy) for v in op.operands)


def test_walk_gives_each_op_before_what_it_holds():
    names = [op.name for op in loop_in_a_function().walk()]
    assert names[0] == "func.func" and names.index("scf.for") < names.index("arith.addf") < names.index("func.return")


def test_deep_nesting_needs_no_recursion():
    block, b = block_of(I1)
    condition = block.arguments[0]
    for _ in range(5000):
        inner = Block()
        b.op(scf.If, condition, result_types=[], regions=[Region([inner]), Region()])
        b.block = inner
    outer = block.first
    for op in list(outer.walk()):
        Builder(op.then_block).op(scf.Yield, [], result_types=[])
    verify(outer)
    assert len(print_op(outer.clone()).split("\n")) == 10_001


def errors_of(op):
    return [error.message for error in check(op)]


def module_with(build):
    function = func.Func.make("f", [F32, I32], [])
    b = Builder(function.entry)
    build(b, *function.arguments)
    b.op(func.Return, [], result_types=[])
    return create(builtin.Module, result_types=[], regions=[Region([_block(function)])])


def _block(*ops):
    block = Block()
    for op in ops:
        block.append(op)
    return block


def test_a_right_module_has_no_errors():
    verify(module_with(lambda b, x, i: b.create(arith.AddF, x, x)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda b, x, i: b.op(arith.AddF, x, i), "arith.addf: operand 'rhs' must be a float"),
        (lambda b, x, i: b.op(arith.AddF, x, x, result_types=[I32]), "arith.addf: the result must be a float"),
        (lambda b, x, i: b.insert(arith.AddF([x], [F32])), "arith.addf: needs 2 operands, got 1"),
        (lambda b, x, i: b.insert(arith.AddF([x, x], [])), "arith.addf: needs 1 result, got 0"),
        (lambda b, x, i: b.insert(arith.Constant([], [F32])), "arith.constant: attribute 'value' is missing"),
        (lambda b, x, i: b.op(arith.Constant, value=FloatAttr(1.0, F32), result_types=[I32]), "must have type f32, got i32"),
        (lambda b, x, i: b.op(scf.Yield, [], result_types=[]), "scf.yield: must"),
    ],
)
def test_what_the_verifier_finds(build, message):
    assert any(message in found for found in errors_of(module_with(build))), errors_of(module_with(build))


def test_a_use_before_its_definition_is_found():
    def build(b, x, i):
        late = b.create(arith.NegF, x)
        early = b.op(arith.NegF, late)
        early.move_before(late.op)

    (found,) = errors_of(module_with(build))
    assert "is defined behind its use" in found


def test_a_value_from_another_function_is_found():
    other = func.Func.make("g", [F32], [])
    Builder(other.entry).op(func.Return, [], result_types=[])
    module = module_with(lambda b, x, i: b.op(arith.NegF, other.arguments[0]))
    module.body.append(other)
    assert any("which sees only values from inside" in e or "another" in e for e in errors_of(module))


def test_dominance_between_blocks():
    function = func.Func.make("f", [I1], [])
    entry, (condition,) = function.entry, function.arguments
    left, right = (function.body_region.append(Block()) for _ in range(2))
    Builder(entry).op(cf.CondBranch, condition, [], [], successors=[left, right], result_types=[])
    value = Builder(left).create(arith.Constant, value=FloatAttr(1.0, F32))
    Builder(left).op(cf.Branch, [], successors=[right], result_types=[])
    Builder(right).op(arith.NegF, value)
    Builder(right).op(func.Return, [], result_types=[])
    module = create(builtin.Module, result_types=[], regions=[Region([_block(function)])])
    assert any("does not dominate" in e for e in errors_of(module))


def test_two_symbols_of_one_name_are_found_with_a_note():
    functions = [func.Func.make("f", [], []) for _ in range(2)]
    for function in functions:
        Builder(function.entry).op(func.Return, [], result_types=[])
    module = create(builtin.Module, result_types=[], regions=[Region([_block(*functions)])])
    with pytest.raises(TirErrors, match="@f"):
        verify(module)


def test_all_errors_are_found_at_once():
    def build(b, x, i):
        b.op(arith.AddF, x, i)
        b.op(arith.MulF, i, x)

    assert len(errors_of(module_with(build))) == 2


def test_locations_print_and_read_back():
    text = (
        'func.func @f(%x: f32 {a.b = 1 : i64} loc("m.py":3:4), %y: f32 loc(unknown)) -> f32 {\n'
        '  %0 = arith.addf %x, %y : f32 loc("z"("k.py":1:2))\n'
        '  cf.br ^bb1(%0 : f32) loc(fused["a.py":1:2, unknown])\n'
        '^bb1(%z: f32 loc(callsite("a.py":1:2 at "b.py":3:4))):\n'
        "  return %z : f32\n}\n"
    )
    printed = print_op(parse_text(text, REGISTRY), locations=True)
    for place in ("m.py", "z", "k.py", "fused", "callsite"):
        assert place in printed
    assert print_op(parse_text(printed, REGISTRY), locations=True) == printed
