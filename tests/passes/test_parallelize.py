"""Loops on threads: each iteration once, the same bits and the same error for any number of threads.

Most tests make chunks so small that tiny loops are cut.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir
from tests.cli.tool import call
from tests.levels import LEVELS, bits, module_at
from tests.random_programs import random_program
from tests.test_random_programs import FEW, disagreement
from tir.cli.run import main as tir_run
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.scf import THREADS
from tir.interpret import Interpreter
from tir.ir.errors import ExecutionError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.verify import verify
from tir.machines import lowered_for
from tir.parser.parse import parse_text
from tir.passes import parallelize
from tir.passes.parallelize import Parallelize
from tir.passes.pipelines import default
from tir.runtime.jit import emit_object, pool

NUMBERS_OF_THREADS = (1, 2, 3, 5)
QUICK, SLOW = range(30), [range(start, start + 100) for start in range(30, 1_030, 100)]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallelize, "CHUNK_WORK", 8)
    monkeypatch.setattr(parallelize, "LINE_ELEMENTS", 2)


def on_threads(call: Callable[[], Any]) -> list[Any]:
    """What the call gives for each number of threads."""
    found = []
    for number in NUMBERS_OF_THREADS:
        with tir.config.change_flags(num_threads=number):
            found.append(call())
    return found


def cut_loops(module: Op) -> list[Op]:
    return [op for op in module.walk() if THREADS in op.attributes]


def compiled(text: str) -> tuple[Executable, Op]:
    module = parse_text(text, REGISTRY)
    run_pipeline(default(), module)
    return Executable(module), module


# --- random programs -------------------------------------------------------------------------------------------------


def check_program(seed: int) -> int:
    """The number of loops that were cut."""
    text = random_program(seed).text
    module = module_at(text, LEVELS["cpu"][0]())
    program = Executable(module)
    first = {name: np.array(value) for name, value in program.state.items()}

    def call() -> list[bytes]:
        for name, value in first.items():
            program.state[name] = value
        results = program.call("main", random_program(seed).arguments())
        return [bits(array) for array in (*results, *program.state.values())]

    outcomes = on_threads(call)
    assert all(outcome == outcomes[0] for outcome in outcomes), seed
    return len(cut_loops(module))


def test_random_programs_give_the_same_bits_for_any_number_of_threads(small_chunks: None) -> None:
    assert sum(map(check_program, QUICK)) > len(QUICK) // 2


@pytest.mark.slow
@pytest.mark.parametrize("seeds", SLOW, ids=str)
def test_more_random_programs_give_the_same_bits(small_chunks: None, seeds: range) -> None:
    assert sum(map(check_program, seeds)) > len(seeds) // 2


def test_random_programs_in_chunks_compute_what_they_say(small_chunks: None) -> None:
    for seed in range(15):
        assert (found := disagreement(random_program(seed), FEW)) is None, f"seed {seed}: {found}"


# --- loops by hand ---------------------------------------------------------------------------------------------------


def loop_text(r: random.Random) -> tuple[str, list[int]]:
    """Parallel loops of some dimensions, with bounds and steps that are constants or arguments, that count their visits.

    And with an inner loop, whose count is the last argument.
    """
    rank = r.choice([1, 1, 2, 2, 3])
    numbers = [(r.choice([0, 0, 1, 3]), r.choice([0, 1, 2, 3, 5, 8, 13, 30]), r.choice([1, 1, 2, 3])) for _ in range(rank)]
    lines, names, arguments = [], [], []
    for number in itertools.chain(*zip(*numbers)):
        name = f"%v{len(names)}"
        names.append(name)
        if r.random() < 0.5:
            lines.append(f"{name} = arith.constant {number} : index")
        else:
            arguments.append((name, number))
    lows, highs, steps = names[:rank], names[rank : 2 * rank], names[2 * rank :]
    counters = [f"%i{axis}" for axis in range(rank)]
    buffer = f"memref<{'x'.join(['40'] * rank)}xf32>"
    place = f"%m[{', '.join(counters)}] : {buffer}"
    parameters = ", ".join([f"%m: {buffer}", *(f"{name}: index" for name, _ in arguments), "%inner: index"])
    text = f"""
    func.func @f({parameters}) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %one = arith.constant 1.0 : f32
      {chr(10).join(lines)}
      scf.parallel ({', '.join(counters)}) = ({', '.join(lows)}) to ({', '.join(highs)}) step ({', '.join(steps)}) {{
        %old = memref.load {place}
        %new = scf.for %k = %c0 to %inner step %c1 iter_args(%sum = %old) -> (f32) {{
          %more = arith.addf %sum, %one : f32
          scf.yield %more : f32
        }}
        memref.store %new, {place}
      }}
      return
    }}
    """
    return text, [rank, *(number for _, number in arguments)]


def test_each_iteration_of_random_loops_runs_once(small_chunks: None) -> None:
    cut = 0
    for seed in range(120):
        r = random.Random(seed)
        text, (rank, *arguments) = loop_text(r)
        module = parse_text(text, REGISTRY)
        inner = r.choice([0, 1, 2, 7])
        want = np.zeros([40] * rank, np.float32)
        Interpreter(module).run("f", [want, *arguments, inner])
        Parallelize().run(module)
        cut += len(cut_loops(module))
        interpreted = np.zeros_like(want)
        Interpreter(module).run("f", [interpreted, *arguments, inner])
        np.testing.assert_array_equal(interpreted, want, str(seed))
        program = Executable(module)

        def call(program: Executable = program, want: Any = want, rest: Any = (*arguments, inner)) -> Any:
            got = np.zeros_like(want)
            program.call("f", [got, *rest])
            return got

        for got in on_threads(call):
            np.testing.assert_array_equal(got, want, str(seed))
    assert cut > 80


def test_buffers_made_in_an_iteration_are_its_own(small_chunks: None) -> None:
    text = """
    func.func @f(%out: memref<500xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c500 = arith.constant 500 : index
      %zero = arith.constant 0.0 : f32
      scf.parallel (%i) = (%c0) to (%c500) step (%c1) {
        %heap = memref.alloc(%n) : memref<?xf32>
        %stack = memref.alloca() : memref<32xf32>
        %0 = arith.index_cast %i : index to i32
        %1 = arith.sitofp %0 : i32 to f32
        scf.for %k = %c0 to %n step %c1 {
          memref.store %1, %heap[%k] : memref<?xf32>
          memref.store %1, %stack[%k] : memref<32xf32>
        }
        %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (f32) {
          %2 = memref.load %heap[%k] : memref<?xf32>
          %3 = memref.load %stack[%k] : memref<32xf32>
          %4 = arith.addf %s, %2 : f32
          %5 = arith.addf %4, %3 : f32
          scf.yield %5 : f32
        }
        memref.store %sum, %out[%i] : memref<500xf32>
      }
      return
    }
    """
    module = parse_text(text, REGISTRY)
    Parallelize().run(module)
    assert len(cut_loops(module)) == 1
    program = Executable(module)
    for number in NUMBERS_OF_THREADS:
        with tir.config.change_flags(num_threads=number):
            out = np.zeros(500, np.float32)
            program.call("f", [out, 32])
            np.testing.assert_array_equal(out, np.arange(500, dtype=np.float32) * 64)
            with pytest.raises(MemoryError, match="@f: the memory for a buffer could not be had"):
                program.call("f", [out, 1 << 59])


def test_inner_loops_may_count_in_other_types() -> None:
    text = """
    func.func @f(%m: memref<?xf32>, %n: index, %k: i32) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0 : i32
      %one = arith.constant 1 : i32
      scf.parallel (%i) = (%c0) to (%n) step (%c1) {
        scf.for %j = %zero to %k step %one : i32 {
          %0 = memref.load %m[%i] : memref<?xf32>
          %1 = math.tanh %0 : f32
          memref.store %1, %m[%i] : memref<?xf32>
        }
      }
      return
    }
    """
    module = parse_text(text, REGISTRY)
    Parallelize().run(module)
    verify(module)
    assert len(cut_loops(module)) == 1


def test_values_of_all_kinds_reach_the_iterations() -> None:
    """Truth values, halves, numbers of 8 bits, vectors of truth values and of floats, made outside of the loop."""
    text = """
    func.func @f(%out: memref<?x8xf32>, %n: index, %flag: i1, %half: f16, %byte: i8, %count: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %mask = vector.create_mask %count : vector<8xi1>
      %wide = arith.extf %half : f16 to f32
      %lanes = vector.broadcast %wide : f32 to vector<8xf32>
      scf.parallel (%i) = (%c0) to (%n) step (%c1) {
        %0 = arith.sitofp %byte : i8 to f32
        %1 = arith.extf %half : f16 to f32
        %2 = arith.addf %0, %1 : f32
        %3 = arith.select %flag, %2, %0 : f32
        memref.store %3, %out[%i, %c0] : memref<?x8xf32>
        vector.maskedstore %out[%i, %c0], %mask, %lanes : memref<?x8xf32>, vector<8xi1>, vector<8xf32>
      } {tir.threads}
      return
    }
    """
    program = Executable(parse_text(text, REGISTRY))
    for count, flag in itertools.product((0, 1, 5), (False, True)):
        for number in NUMBERS_OF_THREADS:
            out = np.zeros((9, 8), np.float32)
            with tir.config.change_flags(num_threads=number):
                program.call("f", [out, 9, flag, np.float16(2.5), -3, count])
            want = np.zeros((9, 8), np.float32)
            want[:, 0] = -3 + 2.5 * flag
            want[:, :count] = 2.5
            np.testing.assert_array_equal(out, want)


# --- errors ----------------------------------------------------------------------------------------------------------

CHECKED = """
func.func @f(%x: memref<?xf32>, %limits: memref<?xindex>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %0 = memref.load %limits[%i] : memref<?xindex>
    %1 = arith.cmpi slt, %0, %n : index
    cf.assert %1, "too large"
    %2 = memref.load %x[%i] : memref<?xf32>
    %3 = math.absf %2 : f32
    memref.store %3, %x[%i] : memref<?xf32>
  }
  return
}
"""
UPDATE = """
func.func @f(%w: memref<1000xf32> {tir.shared = @w}, %limits: memref<1000xindex> {tir.name = "limits"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 1000 : index
  %one = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %0 = memref.load %limits[%i] : memref<1000xindex>
    %1 = arith.cmpi slt, %0, %n : index
    cf.assert %1, "too large"
    %2 = memref.load %w[%i] : memref<1000xf32>
    %3 = arith.addf %2, %one : f32
    memref.store %3, %w[%i] : memref<1000xf32>
  }
  return
}
func.func private @w() -> memref<1000xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 1000 : index
  %zero = arith.constant 0.0 : f32
  %w = memref.alloc() : memref<1000xf32>
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %zero, %w[%i] : memref<1000xf32>
  }
  return %w : memref<1000xf32>
}
"""


def in_chunks(text: str) -> Executable:
    module = parse_text(text, REGISTRY)
    Parallelize().run(module)
    assert cut_loops(module)
    return Executable(module)


def error_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ExecutionError) as caught:
        call()
    return str(caught.value)


def test_error_is_that_of_the_first_iteration_that_fails(small_chunks: None) -> None:
    program, x, limits = in_chunks(CHECKED), -np.ones(5000, np.float32), np.zeros(5000, np.int64)
    limits[[700, 1200, 3001, 4999]] = [5701, 5702, 5703, 5704]
    for _ in range(50):
        messages = on_threads(lambda: error_of(lambda: program.call("f", [x, limits, 5000])))
        assert messages == ["<text>:8:5: too large, got 5701 and 5000"] * len(NUMBERS_OF_THREADS)
    limits[:] = 0
    program.call("f", [x, limits, 5000])
    assert (x == 1).all()


def test_call_that_fails_changes_no_shared_variable(small_chunks: None) -> None:
    program, limits = in_chunks(UPDATE), np.zeros(1000, np.int64)
    for number in NUMBERS_OF_THREADS:
        with tir.config.change_flags(num_threads=number):
            limits[900] = 0
            before = np.array(program.state["w"])
            program.call("f", [limits])
            np.testing.assert_array_equal(program.state["w"], before + 1)
            limits[900] = 1000
            assert "too large" in error_of(lambda: program.call("f", [limits]))
            np.testing.assert_array_equal(program.state["w"], before + 1)


# --- what it says and leaves -----------------------------------------------------------------------------------------

ROWS = """
func.func @f(%x: tensor<[N]x[M]xf32> {tir.name = "x"}) -> tensor<[N]xf32> {
  %0 = tir.tanh %x : tensor<[N]x[M]xf32>
  %1 = tir.sum %0 over [1] : tensor<[N]xf32>
  return %1 : tensor<[N]xf32>
}
"""


def started_by(call: Callable[[], Any]) -> int:
    pool().stop()
    with tir.config.change_flags(num_threads=2):
        call()
    return pool().started


def test_little_work_stays_on_one_thread_and_much_does_not() -> None:
    program, _ = compiled(ROWS)
    for shape, starts in (((10, 10), 0), ((1, 20_000), 0), ((20_000, 1), 0), ((4000, 40), 1), ((4, 100_000), 1), ((1, 10**6), 0)):
        x = np.ones(shape, np.float32)
        assert started_by(lambda x=x: program.call("f", [x])) == starts, shape  # type: ignore[misc]


def test_named_sizes_of_zero_and_one_are_fine() -> None:
    program, _ = compiled(ROWS)
    for shape in itertools.product((0, 1, 2), (0, 1, 2)):
        x = np.full(shape, 0.5, np.float32)
        for (got,) in on_threads(lambda x=x: program.call("f", [x])):  # type: ignore[misc]
            np.testing.assert_allclose(got, np.tanh(x).sum(axis=1), rtol=1e-6)  # 8 ulp in f32


def test_lowering_gives_the_same_text_each_time_and_lines_of_the_program_inside() -> None:
    _, module = compiled(ROWS)
    text = lowered_for(module).text
    assert text == lowered_for(module).text and "define internal i32 @threads.0(" in text
    assert emit_object(text, ("memory", "pool")) == emit_object(text, ("memory", "pool"))
    inside = lowered_for(module, locations=True).text.split("define internal i32 @threads.0(")[1].split("\n}")[0]
    assert "; <text>:3" in inside


def test_timed_code_counts_a_loop_on_threads_once_a_call() -> None:
    module = parse_text(ROWS, REGISTRY)
    run_pipeline(default(), module)
    program = Executable(module, timed=True)
    x = np.ones((4000, 40), np.float32)
    for _ in range(3):
        program.call("f", [x])
    assert {one.calls for one in program.nest_times()} == {3} and any(one.seconds > 0 for one in program.nest_times())


def test_tir_run_prints_the_same_for_any_number_of_threads() -> None:
    words = ["--target", "cpu", "--generate-inputs", "0", "--size", "N=20000", "--size", "M=64"]
    outputs = on_threads(lambda: call(tir_run, *words, stdin=ROWS))
    assert {done.out for done in outputs} == {outputs[0].out} and outputs[0].code == 0


def test_loops_that_stay_say_why() -> None:
    module = parse_text(ROWS.replace("[N]x[M]", "3x4").replace("[N]", "3"), REGISTRY)
    passes = LEVELS["loops"][0]()
    run_pipeline(Pipeline([one for one in passes if one.name != "parallelize"]), module)
    step = Parallelize()
    step.run(module)
    assert {text for _, text in step.remarks} == {"not parallelized: too little work"}
