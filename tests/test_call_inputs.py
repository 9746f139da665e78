"""What a caller may hand to a compiled program, and what it gets: awkward arrays, wrong ones, aliases, threads, asserts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tir.compile import Executable
from tir.ir.errors import ExecutionError

DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "i1": np.bool_, "i8": np.int8, "i32": np.int32,
          "i64": np.int64, "ui8": np.uint8, "ui16": np.uint16, "ui32": np.uint32, "ui64": np.uint64}  # fmt: skip
on_each = pytest.mark.parametrize("level", ("tensor", "loops", "cpu"))


def executable(text: str, level: str) -> Executable:
    passes, target = LEVELS[level]
    return Executable(module_at(text, passes()), target)


# --- arrays in any layout --------------------------------------------------------------------------------------------


class Subclass(np.ndarray):
    """An array of a class that numpy does not know."""


class WithProtocol:
    """An object that says that it is an array."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)


def layouts(x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """The numbers of `x` in every form that a caller may have them."""
    spread = np.zeros([2 * n + 1 for n in x.shape], x.dtype)[1::2, ::2][:, : x.shape[1]]
    spread[...] = x
    unaligned = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    records = np.zeros(x.shape, [("before", np.int8), ("x", x.dtype)])
    records["x"] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    big_endian = x.astype(x.dtype.newbyteorder(">"))
    yield from (
        ("dense", x), ("Fortran", np.asfortranarray(x)), ("transposed", x.T.copy().T),
        ("reversed", x[::-1, ::-1].copy()[::-1, ::-1]), ("spread", spread), ("unaligned", unaligned),
        ("of records", records["x"]), ("read-only", frozen), ("big-endian", big_endian),
        ("big-endian Fortran", np.asfortranarray(big_endian)), ("subclass", x.view(Subclass)),
        ("protocol", WithProtocol(x)), ("memoryview", memoryview(x)), ("list", x.tolist()),
    )  # fmt: skip


def rows_and_sum(name: str) -> str:
    """The array turned over, and its largest number of each column."""
    whole, columns = f"tensor<[N]x3x{name}>", f"tensor<3x{name}>"
    most = "any" if name == "i1" else "max"
    return f"""
      func.func @f(%x: {whole} {{tir.name = "x"}}) -> (tensor<3x[N]x{name}>, {columns}) {{
        %t = tir.transpose %x by [1, 0] : tensor<3x[N]x{name}>
        %m = tir.{most} %x over [0] : {columns}
        return %t, %m : tensor<3x[N]x{name}>, {columns}
      }}"""


@on_each
@pytest.mark.parametrize("name", DTYPES)
def test_an_array_is_read_in_any_layout_and_byte_order(name: str, level: str) -> None:
    program = executable(rows_and_sum(name), level)
    x = (np.arange(12).reshape(4, 3) % 7 * 5).astype(DTYPES[name])
    for label, given in layouts(x):
        turned, most = program.call("f", {"x": given})
        assert type(turned) is np.ndarray and turned.dtype == x.dtype and turned.flags.writeable, label
        assert turned.tolist() == x.T.tolist() and most.tolist() == x.max(0).tolist(), label


@on_each
@pytest.mark.parametrize("name", DTYPES)
def test_arrays_that_repeat_one_row_or_have_none(name: str, level: str) -> None:
    program = executable(rows_and_sum(name), level)
    row = np.array([1, 0, 1], DTYPES[name])
    turned, most = program.call("f", [np.broadcast_to(row, (5, 3))])
    assert turned.tolist() == np.tile(row, (5, 1)).T.tolist() and most.tolist() == row.tolist()
    for empty in (np.zeros((0, 3), row.dtype), np.zeros((3, 0), row.dtype).T, np.zeros((8, 3), row.dtype)[5:5]):
        turned, most = program.call("f", [empty])
        assert turned.shape == (3, 0) and most.shape == (3,)


@on_each
def test_a_bool_is_true_for_any_byte_but_zero(level: str) -> None:
    text = """
      func.func @f(%x: tensor<?xi1>, %y: tensor<?xi1>) -> (tensor<?xi64>, tensor<?xi1>, tensor<i1>) {
        %n = tir.cast %x : tensor<?xi1> -> tensor<?xi64>
        %e = tir.cmp eq %x, %y : tensor<?xi1>
        %a = tir.all %e over [0] : tensor<i1>
        return %n, %e, %a : tensor<?xi64>, tensor<?xi1>, tensor<i1>
      }"""
    x, y = (np.array(v, np.uint8).view(bool) for v in ([2, 0, 1, 255], [1, 0, 1, 1]))
    number, equal, every = executable(text, level).call("f", [x, y])
    assert number.tolist() == [1, 0, 1, 1] and equal.tolist() == [True] * 4 and every


WRONG: list[Any] = [
    np.zeros((4, 3), np.complex64), np.zeros((4, 3), object), np.zeros((4, 3), np.float64), np.zeros((4, 3), "S4"),
    np.zeros((4, 3), "M8[s]"), np.zeros((4, 3), np.int16), np.zeros(3, np.float32), np.zeros((4, 4), np.int32), None,
    "text", [["a", "b", "c"]], 3, [[1, 2, 3], [4]], object(), {}, [[1j, 2, 3]],
]  # fmt: skip


@on_each
@pytest.mark.parametrize("name", ["f32", "i32", "ui8"])
def test_what_is_no_such_array_is_an_error_that_names_the_argument(name: str, level: str) -> None:
    program = executable(rows_and_sum(name), level)
    for wrong in WRONG if name == "f32" else [*WRONG, [[10**30] * 3], [[1.0, 2.0, 3.0]]]:
        with pytest.raises(ExecutionError, match="argument 'x'"):
            program.call("f", [wrong])


# --- memory ----------------------------------------------------------------------------------------------------------

SAME = """
  func.func @f(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
    %c = tir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
    return %x, %x, %c, %c : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
  }"""


@on_each
def test_results_share_no_memory_with_arguments_constants_or_each_other(level: str) -> None:
    program, x = executable(SAME, level), np.ones(3, np.float32)
    results = program.call("f", [x])
    for i, result in enumerate(results):
        assert not any(np.may_share_memory(result, other) for other in (x, *results[:i]))
        result[...] = 99
    assert x.tolist() == [1, 1, 1]
    assert [one.tolist() for one in program.call("f", [x])] == [[1, 1, 1]] * 2 + [[1, 2, 3]] * 2


@on_each
def test_arguments_may_overlap(level: str) -> None:
    text = """
      func.func @f(%x: tensor<?xf32>, %y: tensor<?xf32>) -> (tensor<?xf32>, tensor<f32>) {
        %s = tir.sub %x, %y : tensor<?xf32>
        %d = tir.dot %x, %y : tensor<f32>
        return %s, %d : tensor<?xf32>, tensor<f32>
      }"""
    program, memory = executable(text, level), np.arange(40, dtype=np.float32)
    for x, y in ((memory, memory), (memory[:-1], memory[1:]), (memory, memory[::-1]), (memory[:20], memory[::2])):
        difference, product = program.call("f", [x, y])
        assert (difference == x - y).all() and product == np.dot(x, y)
    assert (memory == np.arange(40)).all()


STATE = """
  tir.shared @w : tensor<3xf32> = dense<1.0>
  func.func @swap(%x: tensor<[N]xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<[N]xf32>) {
    %w = tir.read @w : tensor<3xf32>
    tir.update @w, %y : tensor<3xf32>
    %three = tir.slice %x from [3] to [0] step [1] : tensor<[N - 3]xf32>
    %all = tir.pad %three with 0.0 : f32 from [3] to [0] step [1] : tensor<[N - 3]xf32> -> tensor<[N]xf32>
    return %w, %all : tensor<3xf32>, tensor<[N]xf32>
  }"""


@on_each
def test_state_is_the_programs_own_and_survives_a_call_that_fails(level: str) -> None:
    program, y = executable(STATE, level), np.full(3, 5, np.float32)
    old, _ = program.call("swap", [np.ones(4, np.float32), y])
    assert old.tolist() == [1, 1, 1]
    y[...] = old[...] = 7
    assert program.state["w"].tolist() == [5, 5, 5]
    for _ in range(3):
        with pytest.raises(ExecutionError):
            program.call("swap", [np.ones(2, np.float32), y])
    assert program.state["w"].tolist() == [5, 5, 5]
    value = np.array([1, 2, 3], ">f4")
    program.state["w"] = value
    value[...] = 0
    assert program.call("swap", [np.ones(3, np.float32), y])[0].tolist() == [1, 2, 3]
    for wrong in (np.ones(4, np.float32), np.ones((1, 3), np.float32), np.ones(3, np.int32), 1.0, None):
        with pytest.raises(ExecutionError, match="shared variable @w"):
            program.state["w"] = wrong
    assert program.state["w"].tolist() == [7, 7, 7]


# --- sizes that no memory has room for -------------------------------------------------------------------------------

CUBE = "tensor<[A]x[B]x[C]xf32>"
HUGE = f"""
  func.func @f(%a: tensor<[A]xf32>, %b: tensor<[B]xf32>, %c: tensor<[C]xf32>) -> %s {{
    %x = tir.broadcast %a along [0] : tensor<[A]xf32> -> {CUBE}
    %r
  }}"""
WHOLE = HUGE.replace("%s", CUBE).replace("%r", f"return %x : {CUBE}")
TEMPORARY = HUGE.replace("%s", "tensor<f32>").replace(
    "%r",
    f"""%s = tir.softmax %x over [0] : {CUBE}
    %t = tir.softmax %s over [1] : {CUBE}
    %m = tir.max %t over [0, 1, 2] : tensor<f32>
    return %m : tensor<f32>""",
)


@pytest.mark.parametrize("text", [WHOLE, TEMPORARY], ids=["result", "temporary"])
@pytest.mark.parametrize("size", [2**21, 2**22])  # 2^65 and 2^68 bytes: a product in 64 bits would be 2 or 0
def test_more_memory_than_there_can_be_is_a_memory_error(text: str, size: int) -> None:
    x = np.broadcast_to(np.float32(1), size)
    with pytest.raises(MemoryError):
        executable(text, "cpu").call("f", [x, x, x])


# --- threads ---------------------------------------------------------------------------------------------------------


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs work(0), work(1), .. at once; the first error of any is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def guarded(k: int) -> None:
        try:
            start.wait()
            work(k)
        except BaseException as error:  # all: it is raised below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("level", ("tensor", "cpu"))  # loops take seconds on the interpreter
def test_threads_that_call_one_function_do_not_mix_its_temporaries(level: str) -> None:
    text = """
      func.func @f(%x: tensor<[N]x40xf64>, %y: tensor<40x40xf64>) -> tensor<[N]x40xf64> {
        %d = tir.dot %x, %y : tensor<[N]x40xf64>
        %s = tir.softmax %d over [0] : tensor<[N]x40xf64>
        %r = tir.dot %s, %y : tensor<[N]x40xf64>
        return %r : tensor<[N]x40xf64>
      }"""
    program = executable(text, level)
    inputs = [np.random.default_rng(k).normal(size=(10 + k, 40)) for k in range(4)]
    y = np.random.default_rng(9).normal(size=(40, 40))
    want = [program.call("f", [x, y])[0] for x in inputs]

    def work(k: int) -> None:
        for _ in range(20):
            assert (program.call("f", [inputs[k], y])[0] == want[k]).all()

    in_threads(4, work)


@on_each
def test_threads_of_which_some_fail_leave_the_state_whole(level: str) -> None:
    program = executable(STATE, level)

    def work(k: int) -> None:
        for i in range(20):
            if k % 2:
                old, _ = program.call("swap", [np.ones(5, np.float32), np.full(3, i, np.float32)])
                assert (old == old[0]).all()
            else:
                with pytest.raises(ExecutionError):
                    program.call("swap", [np.ones(1, np.float32), np.full(3, -1, np.float32)])

    in_threads(4, work)
    assert program.state["w"].tolist() == [19, 19, 19]
