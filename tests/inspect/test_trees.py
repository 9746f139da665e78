"""`debugprint`: trees as Theano prints them, of values in a function, in none, and of whole modules."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import tir
from tests.inspect.programs import looping, training
from tir import tensor
from tir.dialects.tir import arithmetic, reduce
from tir.inspect import ir_at
from tir.ir.define import create
from tir.ir.ir import Value
from tir.ir.types import F32, TensorType
from tir.printing import debugprint, pp, pydotprint


def shown(thing: object, **options: object) -> str:
    return debugprint(thing, file="str", **options)


def small() -> tuple[tir.Builder, list[tir.Tensor]]:
    b = tir.Builder()
    with b.function("f", x="tensor<3xf32>", y="tensor<3xf32>") as (x, y):
        z = (x**2 + b.exp(y)).named("z")
        c = b.sum(z * z)
        b.returns(c, z)
    return b, [x, y, z, c]


def test_tree_shows_each_op_once_with_an_id() -> None:
    _, (_, _, _, c) = small()
    assert shown(c) == textwrap.dedent("""\
        tir.sum{over [0]} [id A] ''
         |tir.mul [id B] ''
           |tir.add [id C] 'z'
           | |tir.square [id D] ''
           | | |x [id E]
           | |tir.exp [id F] ''
           |   |y [id G]
           |tir.add [id C] 'z'
    """)


def test_types_depth_and_names_of_a_front_end() -> None:
    _, (x, _, z, c) = small()
    names = {x.value: "image", c.value: "cost"}
    assert shown([z, c], depth=2, print_type=True, name_of=names.get) == textwrap.dedent("""\
        tir.add [id A] <tensor<3xf32>> 'z'
         |tir.square [id B] <tensor<3xf32>> ''
         |tir.exp [id C] <tensor<3xf32>> ''
        tir.sum{over [0]} [id D] <tensor<f32>> 'cost'
         |tir.mul [id E] <tensor<3xf32>> ''
    """)
    assert "|image [id C]" in shown(z, name_of=names.get)


def test_function_numbers_its_ops_in_the_order_of_computing() -> None:
    b, _ = small()
    want = textwrap.dedent("""\
        @f
        tir.sum{over [0]} [id A] ''   4
         |tir.mul [id B] ''   3
           |tir.add [id C] 'z'   2
           | |tir.square [id D] ''   0
           | | |x [id E]
           | |tir.exp [id F] ''   1
           |   |y [id G]
           |tir.add [id C] 'z'   2
        tir.add [id C] 'z'   2
    """)
    assert shown(b.module) == want
    assert shown(b.module.body.first) == want


def test_builder_and_compiled_function_stand_for_their_module() -> None:
    b, (_, _, z, _) = small()
    assert shown(b) == shown(b.module) and pp(b) == pp(b.module) and pydotprint(b).dot == pydotprint(b.module).dot
    assert shown([z]) == shown(z)


def test_variables_of_theano_are_values() -> None:
    x = tensor.dvector("x")
    w = tir.shared(np.zeros(3), name="w")
    cost = (tensor.exp(x) * w).sum()
    assert pp(cost) == "sum{over [0]}((exp(x) * w))" and pp(w) == "w"
    assert shown(w) == "w [id A]\n"
    assert pp(tensor.grad(cost, w)) == f"grad({pp(cost)}, w)"
    program = tir.function([x], cost, updates=[(w, w + x)])
    assert "tir.exp [id" in shown(program) and "tir.exp" in pydotprint(program).dot


def test_constants_states_and_updates_are_shown() -> None:
    text = shown(training().module)
    assert "constant{0.1}" in text and "tir.read{@w}" in text
    assert "\ntir.update{@w} [id " in text
    assert "\n |tir.sub [id " in text[text.index("tir.update") :]


def test_ops_in_regions_stand_behind_the_tree() -> None:
    text = shown(looping().module)
    outer, inner = text.split("\nInner graphs:\n")
    assert "tir.tanh" not in outer and " >tir.tanh [id " in inner and " > |h [id " in inner


def test_values_whose_ops_stand_in_no_block_are_shown() -> None:
    x = Value(TensorType((3,), F32), "x")
    squared = create(arithmetic.Mul, x, x)
    total = create(reduce.Sum, squared.result, axes=[0])
    assert total.parent is None
    assert shown(total.result) == textwrap.dedent("""\
        tir.sum{over [0]} [id A] ''
         |tir.mul [id B] ''
           |x [id C]
           |x [id C]
    """)
    assert pp(total.result) == "sum{over [0]}((x * x))"
    assert "tir.mul" in pydotprint(total.result).dot


def test_more_than_26_values_get_two_letters() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<f32>") as (x,):
        y = x
        for _ in range(30):
            y = b.tanh(y)
        b.returns(y)
    assert "x [id AE]" in shown(y)


def test_where_the_text_goes(capsys: pytest.CaptureFixture[str]) -> None:
    _, (_, _, z, _) = small()
    text = shown(z)
    assert debugprint(z) is None and capsys.readouterr().out == text
    file = io.StringIO()
    assert debugprint(z, file=file) is file and file.getvalue() == text


def test_numbers_of_values_are_no_names() -> None:
    text = "func.func @f(%0: f32) -> f32 {\n  %1 = math.exp %0 : f32\n  return %1 : f32\n}"
    assert shown(tir.parse(text)) == "@f\nmath.exp [id A] ''   0\n |arg0 [id B]\n"
    assert pp(tir.parse(text)) == "math.exp(arg0)"


def test_levels_below_the_tensors_are_shown_too() -> None:
    module = tir.parse(ir_at(looping().module, "loops"))
    text = shown(module)
    assert "memref.store [id " in text and "scf." in text


def test_names_cannot_drive_a_terminal() -> None:
    x = Value(TensorType((3,), F32), "a\x1b[2J")
    assert "\x1b" not in shown(x) and "\x1b" not in pp(x)


def test_large_constants_are_told_by_their_size() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<100xf32>") as (x,):
        y = x + np.arange(100, dtype=np.float32)
        b.returns(y)
    assert "constant{100 elements}" in shown(y)
    assert pp(y) == "(x + 100 elements)"


def test_long_and_shared_graphs_are_shown_without_recursion() -> None:
    program = """
        import sys
        import tir
        from tir.printing import debugprint, pp, pydotprint
        b = tir.Builder()
        with b.function("f", x="tensor<f32>") as (x,):
            y = b.tanh(x)
            for i in range(4000):
                y = y * y if i < 200 else b.tanh(y)
            b.returns(y)
        debugprint(x, file="str"), pp(x), pydotprint(x)
        sys.setrecursionlimit(200)
        tree, text = debugprint(y, file="str"), pp(y)
        assert tree.count("(below)") > 60 and tree.count("\\n") < 5_000 and len(tree) < 2_000_000
        assert text.startswith("tanh(" * 3800) and "where t200 = (t199 * t199)" in text
        assert pydotprint(y).dot.count("tir.tanh") > 3800
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
