"""Buffers get places in a workspace: those that are needed at one time lie apart, and the workspace is hardly larger."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import tir
from tests.lower.native import compiled, lowered
from tir import tensor
from tir.compile import Executable
from tir.dialects import memref
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError, TirError
from tir.ir.ir import Op
from tir.ir.native import RELEASE
from tir.parser.parse import parse_text
from tir.passes.plan_memory import PlanMemory
from tir.runtime import jit

SIZE_BYTES = 4


def planned(text: str) -> tuple[Op, list[str]]:
    module, step = parse_text(text, REGISTRY), PlanMemory()
    step.run(module)
    return module, [sentence for _, sentence in step.remarks]


def buffers_of(module: Op) -> list[memref.Alloc]:
    return [op for op in module.walk() if type(op) is memref.Alloc]


def bytes_of(op: memref.Alloc, size: int) -> int:
    return int(np.prod([d if isinstance(d, int) else size for d in op.memref.type.shape], dtype=np.int64)) * SIZE_BYTES


# --- random lives ----------------------------------------------------------------------------------------------------


def random_lives(seed: int, open_sizes: bool) -> str:
    """A function that fills buffers with numbers of their own and adds up what is in them, each time that it reads them."""
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 12))
    shapes = [(str(random.integers(1, 40)), random.random() < (0.6 if open_sizes else 0.0)) for _ in range(count)]
    types = [f"memref<?x{size}xf32>" if is_open else f"memref<{size}xf32>" for size, is_open in shapes]
    lives = [sorted(random.integers(0, 20, 2)) for _ in range(count)]
    lines = [f"%b{k} = memref.alloc({'%n' if shapes[k][1] else ''}) : {types[k]}" for k in range(count)]
    for time in range(21):
        for k, (first, last) in enumerate(lives):
            place = "%c0, %c0" if shapes[k][1] else "%c0"
            ends = f"%i, %c{int(shapes[k][0]) - 1}" if shapes[k][1] else f"%c{int(shapes[k][0]) - 1}"
            if time == first:
                lines.append(
                    f"func.call @fill{'2' if shapes[k][1] else '1'}_{shapes[k][0]}(%b{k}, %k{k}) : ({types[k]}, f32) -> ()"
                )
            if first <= time <= last and (time == last or random.random() < 0.3):
                lines.append(f"%r{k}_{time} = memref.load %b{k}[{place}] : {types[k]}")
                lines.append(f"%e{k}_{time} = memref.load %b{k}[{ends}] : {types[k]}")
                lines.append(f"func.call @note(%out, %r{k}_{time}, %e{k}_{time}) : (memref<f32>, f32, f32) -> ()")
            if time == last and random.random() < 0.5:
                lines.append(f"memref.dealloc %b{k} : {types[k]}")
    constants = "\n".join(f"%k{k} = arith.constant {float(k + 1)} : f32" for k in range(count))
    indices = "\n".join(f"%c{k} = arith.constant {k} : index" for k in range(40))
    fills = "\n".join(
        FILL.format(rank=1 + o, size=s, type=t, axis=int(o), indices="%i, %j" if o else "%j")
        for (s, o), t in dict(zip(shapes, types)).items()
    )
    return f"""
    {fills}
    {NOTE}
    func.func @f(%n: index, %out: memref<f32>) {{
      {indices}
      %i = arith.subi %n, %c1 : index
      {constants}
      {chr(10).join(lines)}
      return
    }}
    """


FILL = """
func.func private @fill{rank}_{size}(%b: {type}, %x: f32) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %last = arith.constant {axis} : index
  %rows = memref.dim %b, %c0 : {type}
  %columns = memref.dim %b, %last : {type}
  scf.for %i = %c0 to %rows step %c1 {{
    scf.for %j = %c0 to %columns step %c1 {{
      memref.store %x, %b[{indices}] : {type}
    }}
  }}
  return
}}
"""
NOTE = """
func.func private @note(%out: memref<f32>, %a: f32, %b: f32) {
  %k = arith.constant 1.0625 : f32
  %0 = memref.load %out[] : memref<f32>
  %1 = arith.mulf %0, %k : f32
  %2 = arith.addf %1, %a : f32
  %3 = arith.mulf %2, %k : f32
  %4 = arith.addf %3, %b : f32
  memref.store %4, %out[] : memref<f32>
  return
}
"""


def lives_in(module: Op) -> dict[memref.Alloc, tuple[int, int]]:
    """When each buffer is used, by the numbers of the ops of its block."""
    found = {}
    for op in buffers_of(module):
        assert op.parent is not None
        numbers = {inner: number for number, top in enumerate(op.parent) for inner in top.walk()}
        real = [user for user in op.memref.users if not isinstance(user, (memref.Dealloc, memref.Dim))]
        used = [numbers[user] for user in real]
        found[op] = (min(used), max(used))
    return found


def check_lives(seed: int, open_sizes: bool) -> None:
    text = random_lives(seed, open_sizes)
    module, _ = planned(text)
    lives = lives_in(module)
    slots: dict[int, int] = {}
    for size in (1, 7):
        for op, (first, last) in lives.items():
            assert op.slot is not None
            start, end = op.offset, op.offset + bytes_of(op, size)
            slots[op.slot] = max(slots.get(op.slot, 0), end)
            for other, (begins, ends) in lives.items():
                if other is not op and other.slot == op.slot and first <= ends and begins <= last:
                    apart = end <= other.offset or other.offset + bytes_of(other, size) <= start
                    assert apart, f"seed {seed}, size {size}: {op} and {other}\n{text}"
    outcomes = []
    for run in (Interpreter(parse_text(text, REGISTRY)).run, Executable(module).call):
        out = np.zeros((), np.float32)
        run("f", [np.int64(7), out])
        outcomes.append(out)
    assert outcomes[0] == outcomes[1], f"seed {seed}\n{text}"


@pytest.mark.parametrize("open_sizes", [False, True])
def test_random_buffers_that_live_at_one_time_lie_apart(open_sizes: bool) -> None:
    for seed in range(25):
        check_lives(seed, open_sizes)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 1100, 100))
def test_many_random_buffers_that_live_at_one_time_lie_apart(first: int) -> None:
    for seed in range(first, first + 100):
        check_lives(seed, seed % 2 == 0)


def test_the_workspace_of_buffers_of_known_size_is_hardly_larger_than_what_lives_at_one_time() -> None:
    ratios = []
    for seed in range(100):
        module, _ = planned(random_lives(seed, open_sizes=False))
        lives = lives_in(module)
        rounded = {op: -(-bytes_of(op, 1) // 64) * 64 for op in lives}
        least = max(sum(rounded[op] for op, (a, b) in lives.items() if a <= time <= b) for time in range(200))
        ratios.append(max(op.offset + rounded[op] for op in lives) / least)
    assert min(ratios) >= 1
    assert np.mean(ratios) < 1.02
    assert max(ratios) < 1.3


# --- what is planned, and what is not --------------------------------------------------------------------------------


def function(body: str, arguments: str = "%n: index, %x: memref<?xf32>", results: str = "") -> str:
    return f"""
    func.func @f({arguments}){results} {{
      %c0 = arith.constant 0 : index
      %k = arith.constant 1.0 : f32
      {body}
    }}
    """


def slots(body: str, **options: str) -> list[int | None]:
    return [op.slot for op in buffers_of(planned(function(body, **options))[0])]


USE = "memref.store %k, {0}[%c0] : memref<?xf32>\n"
ALLOC = "{0} = memref.alloc(%n) : memref<?xf32>\n"


def test_buffers_one_after_the_other_share_a_slot() -> None:
    allocations = "".join(ALLOC.format(name) for name in ("%a", "%b"))
    assert slots(allocations + USE.format("%a") + USE.format("%b") + "return") == [0, 0]
    assert slots(allocations + USE.format("%a") + USE.format("%b") + USE.format("%a") + "return") == [0, 1]


def test_what_an_op_reads_is_apart_from_what_it_writes() -> None:
    body = "".join(ALLOC.format(name) for name in ("%a", "%b")) + USE.format("%a")
    assert slots(body + "memref.copy %a, %b : memref<?xf32> to memref<?xf32>\n" + "return") == [0, 1]


def test_a_buffer_is_needed_as_long_as_what_may_be_it() -> None:
    body = """
      %a = memref.alloc(%n) : memref<?xf32>
      %b = memref.alloc(%n) : memref<?xf32>
      %c = memref.alloc(%n) : memref<?xf32>
      %which = arith.cmpi eq, %n, %c0 : index
      memref.store %k, %a[%c0] : memref<?xf32>
      %either = scf.if %which -> (memref<?xf32>) {
        scf.yield %a : memref<?xf32>
      } else {
        scf.yield %x : memref<?xf32>
      }
      %view = memref.cast %either : memref<?xf32> to memref<4xf32>
      memref.store %k, %b[%c0] : memref<?xf32>
      %0 = memref.load %view[%c0] : memref<4xf32>
      memref.store %k, %c[%c0] : memref<?xf32>
      return
    """
    a, b, c = slots(body)
    assert a != b and c in (a, b)
    loop = """
      %a = memref.alloc(%n) : memref<?xf32>
      %b = memref.alloc(%n) : memref<?xf32>
      %c = memref.alloc(%n) : memref<?xf32>
      %one = arith.constant 1 : index
      memref.store %k, %a[%c0] : memref<?xf32>
      memref.store %k, %b[%c0] : memref<?xf32>
      %p, %q = scf.for %i = %c0 to %n step %one iter_args(%u = %a, %v = %b) -> (memref<?xf32>, memref<?xf32>) {
        scf.yield %v, %u : memref<?xf32>, memref<?xf32>
      }
      memref.store %k, %c[%c0] : memref<?xf32>
      %0 = memref.load %p[%c0] : memref<?xf32>
      return
    """
    assert len(set(slots(loop))) == 3


def test_sizes_that_differ_by_a_known_factor_may_share_a_slot_as_large_as_the_largest() -> None:
    body = """
      %a = memref.alloc(%n) : memref<?xf32>
      %b = memref.alloc(%n) : memref<3x?xf32>
      %c = memref.alloc(%m) : memref<?xf32>
      memref.store %k, %a[%c0] : memref<?xf32>
      memref.store %k, %b[%c0, %c0] : memref<3x?xf32>
      memref.store %k, %c[%c0] : memref<?xf32>
      return
    """
    a, b, c = slots(body, arguments="%n: index, %m: index")
    assert a == b != c


@pytest.mark.parametrize(("body", "options", "reason"), [
    (ALLOC.format("%a") + USE.format("%a") + "return %a : memref<?xf32>", {"results": " -> memref<?xf32>"},
     "the function returns the buffer"),
    (ALLOC.format("%a") + "return", {}, "nothing uses the buffer"),
    (ALLOC.format("%a") + USE.format("%a") + "cf.br ^end\n^end:\nreturn", {}, "the function has several blocks"),
    (ALLOC.format("%a") + USE.format("%a") + """%w = arith.cmpi eq, %n, %c0 : index
       scf.if %w {
         memref.dealloc %a : memref<?xf32>
       }
       return""", {}, "the buffer is freed in a branch or a loop, or by another name"),
])  # fmt: skip
def test_what_stays_as_it_is(body: str, options: dict[str, str], reason: str) -> None:
    module, remarks = planned(function(body, **options))
    assert [op.slot for op in buffers_of(module)] == [None]
    assert remarks == [f"memory not planned: {reason}"]


def test_what_is_allocated_behind_a_use_stays_as_it_is() -> None:
    body = ALLOC.format("%a") + USE.format("%a") + ALLOC.format("%b") + USE.format("%b") + "return"
    assert slots(body) == [0, None]
    body = ALLOC.format("%a") + "%d = memref.dim %a, %c0 : memref<?xf32>\n" + ALLOC.format("%b").replace("%n", "%d")
    assert slots(body + USE.format("%a") + USE.format("%b") + "return") == [0, None]


@pytest.mark.parametrize(("attributes", "message"), [
    ("tir.slot = -1 : i64", "tir.slot must be an i64 of 0 or more, got -1"),
    ("tir.slot = 1.0 : f32", "tir.slot must be an i64 of 0 or more, got 1.0"),
    ("tir.slot = 0 : i64, tir.offset = 65 : i64", "tir.offset must be an i64 that is a multiple of 64, got 65"),
    ("tir.offset = 64 : i64", "tir.offset is a place in a slot: it needs tir.slot"),
])  # fmt: skip
def test_wrong_places(attributes: str, message: str) -> None:
    with pytest.raises(TirError) as caught:
        planned(function(ALLOC.format("%a").replace(" : memref", f" {{{attributes}}} : memref") + "return"))
    assert message in str(caught.value)


INSIDE = """%one = arith.constant 1 : index
  scf.for %i = %c0 to %n step %one {
    %a = memref.alloc(%n) {tir.slot = 0 : i64} : memref<?xf32>
    memref.store %k, %a[%c0] : memref<?xf32>
  }
  return"""
TOO_LATE = """%a = memref.alloc() {tir.slot = 0 : i64} : memref<4xf32>
  memref.store %k, %a[%c0] : memref<4xf32>
  %m = arith.addi %n, %n : index
  %b = memref.alloc(%m) {tir.slot = 1 : i64} : memref<?xf32>
  memref.store %k, %b[%c0] : memref<?xf32>
  return"""


@pytest.mark.parametrize(("body", "message"), [
    (INSIDE, "a buffer with a slot must be made in the first block of its function, and in no other op"),
    (TOO_LATE, "the size of a buffer with a slot must be known in front of the first of them"),
])  # fmt: skip
def test_slots_that_have_no_machine_code(body: str, message: str) -> None:
    with pytest.raises(PassError) as caught:
        lowered(function(body))
    assert message in str(caught.value)


# --- machine code ----------------------------------------------------------------------------------------------------

#: The numbers 0 to n - 1, by way of a buffer for them and one for their negatives; gives where the buffers were.
COPY = """
func.func @f(%n: index, %out: memref<?xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc(%n) {tir.slot = 0 : i64} : memref<?xi64>
  %b = memref.alloc(%n) {tir.slot = 1 : i64} : memref<?x4096xi64>
  scf.for %i = %c0 to %n step %c1 {
    %0 = arith.index_cast %i : index to i64
    %1 = arith.subi %0, %0 : i64
    %2 = arith.subi %1, %0 : i64
    memref.store %2, %b[%i, %c0] : memref<?x4096xi64>
    memref.store %0, %a[%i] : memref<?xi64>
  }
  scf.for %i = %c0 to %n step %c1 {
    %0 = memref.load %a[%i] : memref<?xi64>
    %1 = memref.load %b[%i, %c0] : memref<?x4096xi64>
    %2 = arith.subi %0, %1 : i64
    memref.store %2, %out[%i] : memref<?xi64>
  }
  return
}
"""


class Calls(list[tuple[str, int]]):
    """(function, bytes or address). meanwhile: what happens while memory is allocated for the first time."""

    meanwhile: Callable[[], None] | None = None

    def note(self, name: str, number: int) -> None:
        self.append((name, number))
        if name == "aligned_alloc" and self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """What machine code that is made meanwhile allocates and frees."""
    libc = ctypes.CDLL(None)
    libc.aligned_alloc.restype, libc.aligned_alloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t] * 2
    libc.free.argtypes = [ctypes.c_void_p]
    noted = Calls()

    def aligned_alloc(alignment: int, size: int) -> int:
        noted.note("aligned_alloc", size)
        return 0 if size > 1 << 40 else libc.aligned_alloc(alignment, size)

    def free(address: int | None) -> None:
        if address:
            noted.note("free", address)
        libc.free(address)

    outside = {
        "aligned_alloc": ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)(aligned_alloc),
        "free": ctypes.CFUNCTYPE(None, ctypes.c_void_p)(free),
    }
    real = jit._extern_address
    monkeypatch.setattr(
        jit,
        "_extern_address",
        lambda name: ctypes.cast(outside[name], ctypes.c_void_p).value if name in outside else real(name),
    )
    yield noted
    assert outside


def run(f: Callable[..., Any], size: int) -> None:
    out = np.zeros(size, np.int64)
    f([np.int64(size), out])
    np.testing.assert_array_equal(out, 2 * np.arange(size))


def test_calls_of_one_size_allocate_once_and_all_is_freed_with_the_code(calls: Calls) -> None:
    f = compiled(COPY)
    for size in (5, 5, 4, 0, 5):
        run(f, size)
    bytes_of_five = 64 + 5 * 4096 * 8
    assert calls == [("aligned_alloc", 64 + bytes_of_five)]
    run(f, 6)
    assert [name for name, _ in calls] == ["aligned_alloc", "free", "aligned_alloc"]
    del f
    gc.collect()
    assert [name for name, _ in calls] == ["aligned_alloc", "free", "aligned_alloc", "free"]


def test_a_piece_that_is_much_too_large_goes(calls: Calls) -> None:
    f = compiled(COPY)
    run(f, 500)
    run(f, 400)
    assert [name for name, _ in calls] == ["aligned_alloc"]
    run(f, 3)
    run(f, 3)
    assert [name for name, _ in calls] == ["aligned_alloc", "free", "aligned_alloc"]


@pytest.mark.parametrize("size", [2**40, 2**47, 2**60, 2**62, 2**63 - 1])
def test_a_workspace_that_is_too_large_is_an_error(calls: list[tuple[str, int]], size: int) -> None:
    f = compiled(COPY)
    with pytest.raises((TirError, MemoryError)) as caught:
        f([np.int64(size), np.zeros(4, np.int64)])
    assert "memory" in str(caught.value)
    run(f, 4)


def test_a_size_below_zero_is_an_error() -> None:
    with pytest.raises(TirError) as caught:
        compiled(COPY)([np.int64(-1), np.zeros(4, np.int64)])
    assert "a size must be at least 0" in str(caught.value)


def test_few_bytes_are_on_the_stack(calls: Calls) -> None:
    text = function("""
      %a = memref.alloc() {tir.slot = 0 : i64} : memref<16xf32>
      %b = memref.alloc() {tir.slot = 0 : i64, tir.offset = 64 : i64} : memref<16xf32>
      memref.store %k, %a[%c0] : memref<16xf32>
      memref.store %k, %b[%c0] : memref<16xf32>
      %0 = memref.load %a[%c0] : memref<16xf32>
      memref.store %0, %x[%c0] : memref<?xf32>
      return""")
    x = np.zeros(3, np.float32)
    compiled(text)([np.int64(3), x])
    assert x[0] == 1
    assert RELEASE not in lowered(text).exports
    assert calls == []


FIVE = f"""
func.func @f(%n: index, %x: memref<1xi8>) {{
  %c0 = arith.constant 0 : index
  %k = arith.constant 1 : i8
  {"".join(f"%b{k} = memref.alloc(%n) {{tir.slot = {k} : i64}} : memref<?xi8>{chr(10)}" for k in range(5))}
  memref.store %k, %b0[%c0] : memref<?xi8>
  %0 = memref.load %b0[%c0] : memref<?xi8>
  memref.store %0, %x[%c0] : memref<1xi8>
  return
}}
"""


def test_slots_whose_sum_is_more_than_a_number_holds_are_an_error() -> None:
    f, x = compiled(FIVE), np.zeros(1, np.int8)
    with pytest.raises((TirError, MemoryError)):
        f([np.int64(2**62 - 100), x])
    f([np.int64(100), x])
    assert x[0] == 1


def wrong_in_four_threads(f: Callable[..., Any]) -> list[str]:
    wrong: list[str] = []

    def often() -> None:
        for size in (*range(1, 60), 7, 300):
            try:
                run(f, size)
            except AssertionError as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_calls_at_the_same_time_have_memory_of_their_own() -> None:
    assert wrong_in_four_threads(compiled(COPY)) == []


def test_of_two_pieces_that_come_back_one_is_kept(calls: Calls) -> None:
    f = compiled(COPY)
    calls.meanwhile = partial(run, f, 5)
    run(f, 6)
    assert [name for name, _ in calls] == ["aligned_alloc", "aligned_alloc", "free"]
    run(f, 6)
    assert len(calls) == 3
    del f
    gc.collect()
    assert [name for name, _ in calls].count("free") == 2


# --- whole programs --------------------------------------------------------------------------------------------------


def test_a_step_of_a_network_allocates_nothing_but_its_result(calls: Calls) -> None:
    random = np.random.default_rng(0)
    weights = [tir.shared(random.normal(size=shape).astype(np.float32)) for shape in ((64, 50), (50, 10))]
    x, y = tensor.fmatrix("x"), tensor.ivector("y")
    scores = tensor.dot(tensor.tanh(tensor.dot(x, weights[0])), weights[1])
    cost = tensor.nnet.categorical_crossentropy(tensor.nnet.softmax(scores), y).mean()
    updates = [(w, w - np.float32(0.1) * g) for w, g in zip(weights, tensor.grad(cost, weights))]
    step = tir.function([x, y], cost, updates=updates)
    batch = random.normal(size=(30, 64)).astype(np.float32), random.integers(0, 10, 30).astype(np.int32)
    costs = [float(step(*batch)) for _ in range(3)]
    seen = len(calls)
    costs += [float(step(*batch)) for _ in range(3)]
    assert calls[seen:] == []
    assert costs == sorted(costs, reverse=True)
