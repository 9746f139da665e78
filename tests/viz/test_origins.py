"""Where ops come from is found exactly, and nobody sees how."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.viz.programs import DIGITS, ROOT, SMALL, explored, module_of
from tir.ir.errors import MAX_LOCATIONS, UNKNOWN, CallSiteLocation, FileLocation, FusedLocation, Location, NameLocation
from tir.ir.pass_manager import Pass, run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.printer import location_text, print_op
from tir.passes.pipelines import ALL
from tir.viz.explore import Explorer
from tir.viz.origins import number_ops, read_origins

A, B = FileLocation("a.tir", 1, 1), FileLocation("b.tir", 2, 2)


def one_op_with(location_of: object, user: Location) -> tuple[list[list[int]], Location]:
    """What is read, and the location that is left, if a pass makes `location_of(location)` of an op's location."""
    module = module_of("func.func private @f()")
    function = next(iter(module.body))
    function.location = user
    number_ops(module)
    function.location = location_of(function.location)  # type: ignore[operator]
    return read_origins(module), function.location


def test_location_that_a_pass_keeps_leads_to_the_op() -> None:
    assert one_op_with(lambda location: location, A) == ([[0], [1]], A)


def test_location_inside_others_leads_to_the_op() -> None:
    def make(location: Location) -> Location:
        return NameLocation("gradient", CallSiteLocation(location, B))

    assert one_op_with(make, A) == ([[0], [1]], NameLocation("gradient", CallSiteLocation(A, B)))


def test_location_that_a_pass_makes_up_leads_nowhere() -> None:
    assert one_op_with(lambda location: UNKNOWN, A) == ([[0], []], UNKNOWN)


def test_locations_of_the_user_that_look_like_numbers_are_not_read() -> None:
    user = NameLocation("1", NameLocation("#7", FusedLocation((A, B))))
    origins, left = one_op_with(lambda location: location, user)
    assert origins == [[0], [1]] and left is user


def test_fused_locations_hold_no_location_twice() -> None:
    assert one_op_with(lambda location: FusedLocation((location, A)), A)[1] is A
    assert one_op_with(lambda location: FusedLocation((location, B)), A)[1] == FusedLocation((A, B))


def test_locations_of_block_arguments_are_restored() -> None:
    module = module_of("func.func @f(%x: f32) -> f32 { return %x : f32 }")
    function = next(iter(module.body))
    number_ops(module)
    function.body.arguments[0].location = function.location
    read_origins(module)
    assert location_text(function.body.arguments[0].location) == '"test.tir":1:1'


def test_module_and_its_locations_are_as_without_a_page() -> None:
    plain, watched = module_of(DIGITS), module_of(DIGITS)
    run_pipeline(parse_pipeline("default", ALL), plain)
    run_pipeline(parse_pipeline("default", ALL), watched, [Explorer()])
    assert print_op(watched, locations=True) == print_op(plain, locations=True)


def test_origins_are_those_that_printed_locations_show() -> None:
    """Another way to the same: each op gets a name as its location, and after the pass its text says which it holds."""
    explorer = explored(DIGITS, "default")
    module, level = module_of(DIGITS), 0
    for step in parse_pipeline("default", ALL).passes():
        before = print_op(module)
        for i, op in enumerate(module.walk()):
            op.location = NameLocation(f"op {i}")
        assert isinstance(step, Pass)
        step.run(module)
        found = [{int(n) for n in re.findall(r'"op (\d+)"', location_text(op.location))} for op in module.walk()]
        if print_op(module) != before:
            level += 1
            for origins, shown in zip(map(set, explorer.levels[level].origins), found, strict=True):
                # A location shows some of very many places; the page knows all ops that are behind them.
                assert origins == shown or (len(shown) == MAX_LOCATIONS and shown < origins), step
    assert level == len(explorer.levels) - 1 > 8
    assert any(len(one) > 1 for found in explorer.levels for one in found.origins)


def test_merged_op_became_the_one_that_is_used_instead() -> None:
    explorer = explored(SMALL, "canonicalize,cse")
    before, after = explorer.levels[1], explorer.levels[2]
    ops = [before.lines[line].strip().partition(" :")[0] for line in before.ops]
    assert ops[2:] == ["%0 = tir.exp %x", "%1 = tir.exp %x", "%2 = tir.add %0, %1", "return %2"]
    assert after.became == [(3, 2)]
    assert after.origins == [[0], [1], [2], [4], [5]]


def test_op_that_a_rule_replaces_by_an_older_value_became_the_op_of_that_value() -> None:
    text = """
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = tir.exp %x : tensor<4xf32>
      %1 = tir.transpose %0 by [0] : tensor<4xf32>
      return %1 : tensor<4xf32>
    }"""
    explorer = explored(text, "canonicalize")
    assert explorer.levels[1].became == [(3, 2)]


def test_deep_locations_and_regions_need_no_recursion() -> None:
    program = """
import sys
from tests.viz.programs import explored, module_of
from tir.ir.errors import UNKNOWN, CallSiteLocation, NameLocation
from tir.viz.dot import to_dot
from tir.viz.origins import number_ops, read_origins
depth = 240  # what the parser takes
text = "func.func @f(%c: i1) {\\n" + "scf.if %c {\\n" * depth + "}\\n" * depth + "return\\n}"
module = module_of(text)
sys.setrecursionlimit(200)
assert to_dot(module).count("subgraph") > depth
number_ops(module)
op = list(module.walk())[-1]
for i in range(100_000):
    op.location = CallSiteLocation(NameLocation("n", op.location), UNKNOWN)
assert read_origins(module)[-1] == [len(list(module.walk())) - 1]
assert len(explored(text, "canonicalize").levels) > 1
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
