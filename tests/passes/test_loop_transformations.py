"""Nests of loops compute, bit for bit, what they did, whatever schedule of transformations they have been through."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.passes.loop_nest_texts import random_nest, random_schedule
from tir.compile import Executable
from tir.dialects import scf
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes import scf_for_loop_peeling
from tir.passes.loop_dependence import dependences
from tir.passes.loop_interchange import LoopInterchange
from tir.passes.loop_interchanging import interchange, interchange_parallel
from tir.passes.loop_numbers import Refusal, perfect_nest
from tir.passes.loop_tile import LoopTile
from tir.passes.loop_tiling import tile_nest
from tir.passes.pipelines import ALL
from tir.passes.scf_for_loop_peeling import ScfForLoopPeeling

QUICK, SLOW = range(60), [range(start, start + 500) for start in range(60, 6_060, 500)]


def scheduled(text: str, schedule: str) -> tuple[Op, str]:
    """The module behind the schedule, read back from its text, and that text."""
    module = parse_text(text, REGISTRY)
    run_pipeline(parse_pipeline(schedule, ALL), module)
    after = print_op(module)
    return parse_text(after, REGISTRY), after


def check(seed: int, with_machine_code: bool) -> bool:
    """Whether the schedule has changed the nest."""
    nest, schedule = random_nest(seed), random_schedule(seed)
    original = parse_text(nest.text, REGISTRY)
    before = print_op(original)
    module, after = scheduled(nest.text, schedule)
    with np.errstate(all="ignore"):
        want = [array.copy() for array in nest.arrays]
        Interpreter(original).run("f", [*want, *nest.bounds])
        runs = [Interpreter(module).run, *([Executable(module).call] if with_machine_code else [])]
        for run in runs:
            got = [array.copy() for array in nest.arrays]
            run("f", [*got, *nest.bounds])
            for one, other in zip(want, got):
                assert one.tobytes() == other.tobytes(), f"seed {seed}, {schedule}:\n{nest.text}\n{after}"
    return before != after


@pytest.mark.parametrize("first", QUICK[::20])
def test_random_schedules_of_random_nests_give_the_same_bits(first: int) -> None:
    assert sum(check(seed, seed % 5 == 0) for seed in range(first, first + 20)) > 10


@pytest.mark.slow
@pytest.mark.parametrize("seeds", SLOW, ids=str)
def test_many_random_schedules_give_the_same_bits(seeds: range) -> None:
    assert sum(check(seed, seed % 10 == 0) for seed in seeds) > len(seeds) // 2


def nest_of(body: str, bounds: str = "%c1 to %n") -> str:
    return f"""
    func.func @f(%a: memref<32x32xf32>, %b: memref<32x32xf32>, %n: index, %k: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %new = memref.alloc() : memref<32x32xf32>
      scf.for %i = {bounds} step %c1 {{
        scf.for %j = {bounds} step %c1 {{
          {body}
        }}
      }}
      memref.dealloc %new : memref<32x32xf32>
      return
    }}
    """


def signs_of(body: str) -> set[tuple[int, ...]]:
    """All directions of the dependences of the nest."""
    module = parse_text(nest_of(body), REGISTRY)
    loop = next(op for op in module.walk() if isinstance(op, scf.For))
    return {signs for one in dependences(perfect_nest(loop)) for signs in one.signs}


def shifted(source: tuple[int, int], target: tuple[int, int] = (0, 0)) -> str:
    """A step that reads at (i, j) + source and writes at (i, j) + target."""
    lines = []
    for name, counter, by in zip("pqrs", "ijij", (*source, *target)):
        op = "arith.addi" if by >= 0 else "arith.subi"
        lines += [f"%{name}k = arith.constant {abs(by)} : index", f"%{name} = {op} %{counter}, %{name}k : index"]
    lines.append("%x = memref.load %a[%p, %q] : memref<32x32xf32>")
    lines.append("memref.store %x, %a[%r, %s] : memref<32x32xf32>")
    return "\n".join(lines)


@pytest.mark.parametrize("source", list(itertools.product((-1, 0, 1), repeat=2)))
@pytest.mark.parametrize("target", [(0, 0), (1, 0), (0, -1)])
def test_distance_of_two_places_decides_about_interchange(source: tuple[int, int], target: tuple[int, int]) -> None:
    """The nest changes places if no place is written in one iteration and read in one that comes later along one loop, and
    earlier along the other: found out here by going through all pairs of iterations."""
    points = list(itertools.product(range(1, 6), repeat=2))
    turned = False
    for (i, j), (k, m) in itertools.product(points, points):
        if (i + target[0], j + target[1]) == (k + source[0], m + source[1]):
            turned |= ((i, j) < (k, m)) != ((j, i) < (m, k))
    step = LoopInterchange()
    step.run(parse_text(nest_of(shifted(source, target)), REGISTRY))
    assert bool(step.remarks) == turned


@pytest.mark.parametrize("source", list(itertools.product((-1, 0, 1), repeat=2)))
@pytest.mark.parametrize("sizes", [(2, 2), (0, 2), (1, 3)])
def test_distance_of_two_places_decides_about_tiles(source: tuple[int, int], sizes: tuple[int, int]) -> None:
    """The same for tiles: an iteration comes earlier if its tile does."""
    points = list(itertools.product(range(1, 8), repeat=2))

    def tiles(i: int, j: int) -> tuple[int, ...]:
        return *(((x - 1) // size) for x, size in zip((i, j), sizes) if size), i, j

    turned = False
    for one, other in itertools.product(points, points):
        if one == (other[0] + source[0], other[1] + source[1]):
            turned |= (one < other) != (tiles(*one) < tiles(*other))
    step = LoopTile(tile_sizes=sizes)
    step.run(parse_text(nest_of(shifted(source)), REGISTRY))
    assert bool(step.remarks) == turned


@pytest.mark.parametrize(("body", "signs"), [
    ("%x = memref.load %a[%i, %j] : memref<32x32xf32>\nmemref.store %x, %new[%i, %j] : memref<32x32xf32>", set()),
    ("%x = memref.load %a[%i, %j] : memref<32x32xf32>\nmemref.store %x, %a[%i, %j] : memref<32x32xf32>", set()),
    ("%x = memref.load %a[%i, %c0] : memref<32x32xf32>\nmemref.store %x, %a[%i, %c0] : memref<32x32xf32>", {(0, 1)}),
    ("%x = memref.load %a[%i, %c0] : memref<32x32xf32>\nmemref.store %x, %a[%i, %c1] : memref<32x32xf32>", {(0, 1)}),
    ("%x = memref.load %a[%c0, %k] : memref<32x32xf32>\nmemref.store %x, %new[%c0, %k] : memref<32x32xf32>",
     {(0, 1), (1, 0), (1, 1), (1, -1)}),
    ("%p = arith.addi %j, %c1 : index\n%x = memref.load %a[%c0, %j] : memref<32x32xf32>\n"
     "memref.store %x, %a[%c0, %p] : memref<32x32xf32>", {(0, 1), (1, 0), (1, 1), (1, -1)}),
    ("%x = memref.load %a[%i, %j] : memref<32x32xf32>\nmemref.store %x, %b[%i, %j] : memref<32x32xf32>",
     {(0, 1), (1, 0), (1, 1), (1, -1)}),
    ("%p = arith.muli %i, %c2 : index\n%q = arith.addi %p, %c1 : index\n%x = memref.load %a[%p, %j] : memref<32x32xf32>\n"
     "memref.store %x, %a[%q, %j] : memref<32x32xf32>", set()),
    ("%p = arith.addi %i, %k : index\n%x = memref.load %new[%p, %j] : memref<32x32xf32>\n"
     "memref.store %x, %new[%p, %j] : memref<32x32xf32>", set()),
    ("%p = arith.addi %i, %j : index\n%x = memref.load %a[%p, %j] : memref<32x32xf32>\n"
     "memref.store %x, %a[%p, %j] : memref<32x32xf32>", {(1, 0)}),
])  # fmt: skip
def test_directions_of_dependences(body: str, signs: set[tuple[int, ...]]) -> None:
    assert signs_of(body) == signs


PRODUCT = """
func.func @f(%a: memref<7x5xf32>, %b: memref<5x6xf32>, %c: memref<7x6xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  %c7 = arith.constant 7 : index
  %new = memref.alloc() : memref<7x6xf32>
  memref.copy %c, %new : memref<7x6xf32> to memref<7x6xf32>
  scf.for %i = %c0 to %c7 step %c1 {
    scf.for %j = %c0 to %c6 step %c1 {
      scf.for %k = %c0 to %c5 step %c1 {
        %0 = memref.load %a[%i, %k] : memref<7x5xf32>
        %1 = memref.load %b[%k, %j] : memref<5x6xf32>
        %2 = memref.load %new[%i, %j] : memref<7x6xf32>
        %3 = arith.mulf %0, %1 : f32
        %4 = arith.addf %2, %3 : f32
        memref.store %4, %new[%i, %j] : memref<7x6xf32>
      }
    }
  }
  memref.copy %new, %c : memref<7x6xf32> to memref<7x6xf32>
  memref.dealloc %new : memref<7x6xf32>
  return
}
"""


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
@pytest.mark.parametrize("sizes", ["3,2,2", "0,4,0", "1,1,1", "9,9,9"])
def test_product_of_matrices_goes_in_any_order_and_tiles(order: tuple[int, ...], sizes: str) -> None:
    schedule = f"loop-interchange{{permutation={','.join(map(str, order))}}},loop-tile{{tile-sizes={sizes}}},loop-unroll{{factor=3}}"
    pipeline = parse_pipeline(schedule, ALL)
    module = parse_text(PRODUCT, REGISTRY)
    run_pipeline(pipeline, module)
    assert not [one.remarks for one in pipeline.passes() if one.remarks and one.name != "loop-unroll"]  # type: ignore[attr-defined]
    rng = np.random.default_rng(1)
    a, b, c = (rng.normal(size=shape).astype(np.float32) for shape in ((7, 5), (5, 6), (7, 6)))
    want = c.copy()
    for k in range(5):  # each element adds up its terms in the order of k
        want = (want + (a[:, k, None] * b[None, k])).astype(np.float32)
    Interpreter(module).run("f", [a, b, c])
    np.testing.assert_array_equal(c, want)


@pytest.mark.parametrize("schedule", ["loop-tile{tile-sizes=4}", "loop-unroll", "scf-for-loop-peeling", "loop-unroll{full}"])
def test_counters_of_8_bits_do_not_wrap_around(schedule: str) -> None:
    text = """
    func.func @f(%m: memref<256xi8>) {
      %low = arith.constant -100 : i8
      %high = arith.constant 120 : i8
      %step = arith.constant 7 : i8
      %c128 = arith.constant 128 : index
      scf.for %i = %low to %high step %step : i8 {
        %k = arith.index_cast %i : i8 to index
        %j = arith.addi %k, %c128 : index
        memref.store %i, %m[%j] : memref<256xi8>
      }
      return
    }
    """
    module, _ = scheduled(text, schedule)
    want = np.zeros(256, np.int8)
    for i in range(-100, 120, 7):
        want[i + 128] = i
    for run in (Interpreter(module).run, Executable(module).call):
        got = np.zeros(256, np.int8)
        run("f", [got])
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("schedule", [
    "scf-parallel-loop-tiling{parallel-loop-tile-sizes=4,3}", "scf-parallel-loop-tiling{parallel-loop-tile-sizes=4,3 no-min-max-bounds}",
    "scf-parallel-loop-tiling{parallel-loop-tile-sizes=4},scf-parallel-loop-tiling{parallel-loop-tile-sizes=2,2}",
    "loop-interchange,scf-parallel-loop-tiling{parallel-loop-tile-sizes=100,1}", "scf-parallel-loop-tiling",
])  # fmt: skip
@pytest.mark.parametrize("bounds", [(-3, 9, 0, 7), (2, 2, 0, 5), (1, -5, 0, 3), (0, 1, 4, 30)], ids=str)
def test_parallel_loops_take_each_iteration_once(schedule: str, bounds: tuple[int, ...]) -> None:
    text = """
    func.func @f(%m: memref<40x40xi32>, %a: index, %b: index, %c: index, %d: index) {
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      %one = arith.constant 1 : i32
      scf.parallel (%i, %j) = (%a, %c) to (%b, %d) step (%c1, %c2) {
        %k = arith.addi %i, %c4 : index
        %x = memref.load %m[%k, %j] : memref<40x40xi32>
        %y = arith.addi %x, %one : i32
        memref.store %y, %m[%k, %j] : memref<40x40xi32>
      }
      return
    }
    """
    module, after = scheduled(text, schedule)
    want = np.zeros((40, 40), np.int32)
    for i, j in itertools.product(range(*bounds[:2]), range(bounds[2], bounds[3], 2)):
        want[i + 4, j] += 1
    for run in (Interpreter(module).run, Executable(module).call):
        got = np.zeros((40, 40), np.int32)
        run("f", [got, *bounds])
        np.testing.assert_array_equal(got, want, after)


def test_sizes_for_more_loops_than_there_are_are_refused() -> None:
    module = parse_text(
        nest_of("memref.store %one, %a[%i, %j] : memref<32x32xf32>").replace(
            "%c2 =", "%one = arith.constant 1.0 : f32\n%c2 ="
        ),
        REGISTRY,
    )
    loop = next(op for op in module.walk() if isinstance(op, scf.For))
    with pytest.raises(Refusal, match="the nest has 2 loops, and tile sizes are for 3"):
        tile_nest(loop, [0, 0, 2])
    with pytest.raises(Refusal, match="the nest has 2 loops, and the order is of 3"):
        interchange(loop, [2, 1, 0])
    parallel = "scf.parallel (%p) = (%c0) to (%n) step (%c1) { }"
    module = parse_text(nest_of(parallel), REGISTRY)
    with pytest.raises(Refusal, match="it has 1 dimension, and the order is of 2"):
        interchange_parallel(next(op for op in module.walk() if isinstance(op, scf.Parallel)), [1, 0])


def test_loop_of_one_iteration_has_no_first_to_peel() -> None:
    text = nest_of("memref.dealloc %a : memref<32x32xf32>", "%c1 to %c2")
    step = ScfForLoopPeeling(peel_front=True)
    step.run(parse_text(text, REGISTRY))
    assert [sentence for _, sentence in step.remarks] == ["not peeled: it has one iteration at most"] * 2


@pytest.mark.parametrize("count", range(10))
@pytest.mark.parametrize("is_open", [False, True])
def test_peeled_tiles_take_each_iteration_once(count: int, is_open: bool) -> None:
    text = f"""
    func.func @f(%m: memref<16xi32>, %n: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %high = arith.constant {count} : index
      %one = arith.constant 1 : i32
      scf.for %i = %c0 to {"%n" if is_open else "%high"} step %c1 {{
        %x = memref.load %m[%i] : memref<16xi32>
        %y = arith.addi %x, %one : i32
        memref.store %y, %m[%i] : memref<16xi32>
      }}
      return
    }}
    """
    module, _ = scheduled(text, "loop-tile{tile-sizes=4},scf-for-loop-peeling")
    got = np.zeros(16, np.int32)
    Interpreter(module).run("f", [got, count])
    np.testing.assert_array_equal(got, [1] * count + [0] * (16 - count))


def deep(depth: int) -> str:
    loops = "".join(f"scf.for %i{k} = %c0 to %n step %c2 {{\n" for k in range(depth))
    return f"""
    func.func @f(%m: memref<8xf32>, %n: index, %x: f32) {{
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      {loops} memref.store %x, %m[%c0] : memref<8xf32> {"}" * depth}
      return
    }}
    """


def test_nests_that_are_very_deep_take_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scf_for_loop_peeling, "MOST_OPS", 2000)
    for step in (ScfForLoopPeeling(skip_partial=False), ScfForLoopPeeling(peel_front=True)):
        step.run(parse_text(deep(40), REGISTRY))
        assert "not peeled: 2000 ops have been copied for others" in [sentence for _, sentence in step.remarks]
    order = LoopInterchange(permutation=tuple(range(40))[::-1])
    order.run(parse_text(deep(40), REGISTRY))
    assert [sentence for _, sentence in order.remarks] == ["not interchanged: it is a nest of 40 loops, and 8 are looked at"]


def test_very_many_accesses_are_not_compared() -> None:
    body = "memref.store %one, %a[%i, %j] : memref<32x32xf32>\n" * 501
    text = nest_of(body).replace("%c2 =", "%one = arith.constant 1.0 : f32\n%c2 =")
    step = LoopInterchange()
    step.run(parse_text(text, REGISTRY))
    assert [sentence for _, sentence in step.remarks] == [
        "not interchanged: it has 501 accesses to memory, and 500 are compared with each other"
    ]
