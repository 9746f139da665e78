"""tir-run: arguments in, results out, training, saved state, all levels; and one sentence for each mistake."""

from __future__ import annotations

import io
import pickle
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.tool import Done, call
from tir.cli import run
from tir.cli.arrays import parse_literal
from tir.cli.common import CommandLineError
from tir.cli.progress import Progress, duration_text
from tir.cli.train import shuffled

ADD = """\
func.func @add(%x: tensor<[B]x2xf32> {tir.name = "x"}, %s: f32 {tir.name = "s"}) -> (tensor<[B]x2xf32> {tir.name = "sum"}) {
  %0 = tir.full 1.0 : f32 -> tensor<[B]x2xf32>
  %1 = tir.add %x, %0 : tensor<[B]x2xf32>
  return %1 : tensor<[B]x2xf32>
}
"""
COUNT = """\
tir.shared @n : tensor<2xf32> = dense<0.0>
tir.shared @key : tensor<2xi32> = dense<[1, 2]>

func.func @train(%x: tensor<[B]x2xf32> {tir.name = "x"}, %rate: tensor<2xf32> {tir.name = "rate"}) -> (tensor<f32> {tir.name = "loss"}, tensor<[B]xf32>) {
  %n = tir.read @n : tensor<2xf32>
  %rows = tir.sum %x over [0] : tensor<2xf32>
  %step = tir.mul %rows, %rate : tensor<2xf32>
  %n1 = tir.add %n, %step : tensor<2xf32>
  tir.update @n, %n1 : tensor<2xf32>
  %loss = tir.mean %x over [0, 1] : tensor<f32>
  %each = tir.sum %x over [1] : tensor<[B]xf32>
  return %loss, %each : tensor<f32>, tensor<[B]xf32>
}
func.func @look() -> (tensor<2xf32> {tir.name = "n"}) {
  %n = tir.read @n : tensor<2xf32>
  return %n : tensor<2xf32>
}
func.func @see_key() -> tensor<2xi32> {
  %key = tir.read @key : tensor<2xi32>
  return %key : tensor<2xi32>
}
"""
LOOPS = """\
func.func @double(%x: memref<4xf32> {tir.name = "x"}, %y: memref<4xf32> {tir.name = "y"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %v = memref.load %x[%i] : memref<4xf32>
    %w = arith.addf %v, %v : f32
    memref.store %w, %y[%i] : memref<4xf32>
  }
  return
}
"""
POSITIVE = """\
func.func @half(%n: i32 {tir.name = "n"}) -> i32 {
  %c0 = arith.constant 0 : i32
  %c2 = arith.constant 2 : i32
  %ok = arith.cmpi sge, %n, %c0 : i32
  cf.assert %ok, "n must not be negative"
  %r = arith.divsi %n, %c2 : i32
  return %r : i32
}
"""
SOFT = """\
func.func @soft(%x: tensor<2xf32> {tir.name = "x"}) -> tensor<2xf32> {
  %one = tir.full 1.0 : f32 -> tensor<2xf32>
  %e = tir.exp %x : tensor<2xf32>
  %d = tir.add %one, %e : tensor<2xf32>
  %l = tir.log %d : tensor<2xf32>
  return %l : tensor<2xf32>
}
"""
TARGETS = pytest.mark.parametrize("target", ["interpret", "cpu"])


def tir_run(*arguments: object, stdin: str = "") -> Done:
    return call(run.main, *arguments, stdin=stdin)


def ran(*arguments: object, stdin: str = "") -> str:
    """The standard output of a run that succeeds."""
    done = tir_run(*arguments, stdin=stdin)
    assert done.code == 0, done.err
    return done.out


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the programs of this file, which the tests run in."""
    monkeypatch.chdir(tmp_path)
    programs = {"add": ADD, "count": COUNT, "loops": LOOPS, "half": POSITIVE, "soft": SOFT}
    for name, text in programs.items():
        (tmp_path / f"{name}.tir").write_text(text, encoding="utf-8")
    return tmp_path


def rows(count: int) -> np.ndarray:
    return np.arange(2 * count, dtype=np.float32).reshape(count, 2)


# --- arguments and results -------------------------------------------------------------------------------------------


@TARGETS
def test_arguments_are_literals_and_results_are_printed_by_name(target: str) -> None:
    assert ran("add.tir", "x=[[1, 2], [3.5, -inf]]", "s=0", "--target", target) == (
        "sum = [[ 2.   3. ]\n       [ 4.5 -inf]]\n"
    )


def test_flags_may_stand_anywhere_and_arguments_may_go_by_position() -> None:
    assert ran("0=[[1, 2]]", "--target", "interpret", "add.tir", "1=2") == "sum = [[2. 3.]]\n"


def test_module_comes_from_standard_input_without_a_file() -> None:
    assert ran("n=9", stdin=POSITIVE) == "result = 4\n"


def test_arguments_come_from_npy_and_npz_files(folder: Path) -> None:
    np.save(folder / "x.npy", rows(1))
    np.savez(folder / "d.npz", other=rows(2), s=np.float32(0))
    assert ran("add.tir", "x=x.npy", "s=d.npz") == "sum = [[1. 2.]]\n"
    assert ran("add.tir", "x=d.npz:other", "s=0") == "sum = [[1. 2.]\n       [3. 4.]]\n"


def test_data_file_gives_what_is_not_given_otherwise(folder: Path) -> None:
    np.savez(folder / "d.npz", x=rows(2), s=np.float32(0))
    assert ran("add.tir", "x=[[5, 5]]", "--data", "d.npz") == "sum = [[6. 6.]]\n"


def test_output_is_saved_by_name_and_not_printed(folder: Path) -> None:
    assert ran("count.tir", "--entry", "train", "x=[[1, 2]]", "rate=[1, 1]", "--output", "out.npz") == ""
    with np.load(folder / "out.npz", allow_pickle=False) as found:
        assert {name: found[name].tolist() for name in found} == {"loss": 1.5, "result1": [3.0]}


@TARGETS
def test_buffers_that_a_program_writes_are_shown(target: str) -> None:
    assert ran("loops.tir", "x=[1, 2, 3, 4]", "y=[0, 0, 0, 0]", "--target", target) == "y = [2. 4. 6. 8.]\n"


def test_zero_rows_are_a_batch_like_another(folder: Path) -> None:
    np.save(folder / "x.npy", rows(0))
    assert ran("add.tir", "x=x.npy", "s=0", "--output", "o.npz") == ""
    with np.load(folder / "o.npz", allow_pickle=False) as found:
        assert found["sum"].shape == (0, 2)


def test_generated_inputs_are_the_same_for_the_same_seed() -> None:
    flags = ("add.tir", "--size", "B=3", "--generate-inputs")
    assert ran(*flags, 1) == ran(*flags, 1) != ran(*flags, 2)


def test_entries_are_listed_with_their_types() -> None:
    assert ran("count.tir", "--list-entries").splitlines() == [
        "train(x: tensor<[B]x2xf32>, rate: tensor<2xf32>) -> (loss: tensor<f32>, tensor<[B]xf32>)",
        "look() -> (n: tensor<2xf32>)",
        "see_key() -> (tensor<2xi32>)",
    ]


@pytest.mark.parametrize(("text", "value"), [
    ("1", 1), ("-2.5e3", -2500.0), (".5", 0.5), ("true", True), ("[]", []), ("[[], []]", [[], []]), ("[1,2 , 3]", [1, 2, 3]),
    (" [ [ 1 ] ] ", [[1]]), ("-inf", -np.inf), ("+1", 1), ("[false]", [False]), ("9" * 30, int("9" * 30)),
])  # fmt: skip
def test_literal_is_read(text: str, value: Any) -> None:
    found = parse_literal(text, "x")
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("text", [
    "", "[", "]", "[1", "1]", "[1,]", "[,1]", "[1 2]", "1 2", "[1][2]", "x", "1x", "0x10", "None", "(1)", "{}", "[1,,2]",
    "'a'", "--1", "1e", "[" * 40 + "]" * 40, "__import__('os')", "9" * 5000, "\x1b[31m", "True", "1_000",
])  # fmt: skip
def test_text_that_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(CommandLineError):
        parse_literal(text, "argument 'x'")


def test_nan_and_half_precision_are_read_for_their_type() -> None:
    program = "func.func @f(%x: tensor<3xf16>) -> tensor<3xf16> { return %x : tensor<3xf16> }"
    assert ran("x=[nan, 0.1, 1e9]", stdin=program) == "result = [nan 0.1 inf]\n"


# --- state and training ----------------------------------------------------------------------------------------------


@pytest.fixture
def data(folder: Path) -> np.ndarray:
    """Seven rows in data.npz; no rate."""
    np.savez(folder / "data.npz", x=rows(7))
    return rows(7)


TRAIN = ("count.tir", "--entry", "train", "--data", "data.npz", "rate=[1, 10]", "--quiet")


@TARGETS
@pytest.mark.parametrize("batch", ["1", "3", "7", "100"])
def test_each_row_is_seen_once_an_epoch_the_last_partial_batch_included(data: np.ndarray, batch: str, target: str) -> None:
    out = ran(*TRAIN, "--epochs", 2, "--batch", batch, "--metrics", "look", "--target", target)
    assert (2 * data.sum(axis=0) * [1, 10]).tolist() == [84, 980]
    assert out == "loss = 6.5\nn = [ 84. 980.]\n"


def test_shuffling_changes_the_order_of_the_rows_and_nothing_else(data: np.ndarray, folder: Path) -> None:
    out = ran(*TRAIN, "--epochs", 1, "--batch", 2, "--shuffle", 5, "--metrics", "look")
    assert out == "loss = 6.5\nn = [ 42. 490.]\n"
    orders = [shuffled(7, seed, epoch).tolist() for seed, epoch in ((5, 1), (5, 1), (5, 2), (6, 1))]
    assert orders[0] == orders[1] and all(sorted(order) == list(range(7)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


def test_progress_goes_to_standard_error_as_plain_lines(data: np.ndarray) -> None:
    done = tir_run(*TRAIN[:-1], "--epochs", 2, "--batch", 4)
    first, second, last = done.err.splitlines()
    assert first.startswith("epoch 1/2  loss 6.5000  ") and first.endswith(" left")
    assert second.startswith("epoch 2/2  loss 6.5000") and last.startswith("4 steps in ")
    assert done.out == "loss = 6.5\n"


def test_metrics_run_behind_every_nth_epoch_on_standard_error(data: np.ndarray) -> None:
    done = tir_run(*TRAIN[:-1], "--epochs", 3, "--metrics", "look", "--metrics-every", 1)
    assert [line for line in done.err.splitlines() if line.startswith("n = ")] == ["n = [ 42. 490.]", "n = [ 84. 980.]"]
    assert done.out.splitlines()[-1] == "n = [ 126. 1470.]"


@TARGETS
def test_saved_state_is_loaded_again(data: np.ndarray, folder: Path, target: str) -> None:
    ran(*TRAIN, "--epochs", 1, "--save", "w.npz", "--target", target)
    with np.load(folder / "w.npz", allow_pickle=False) as found:
        assert {name: found[name].tolist() for name in found} == {"n": [42.0, 490.0], "key": [1, 2]}
    assert ran("count.tir", "--entry", "look", "--load", "w.npz", "--target", target) == "n = [ 42. 490.]\n"
    assert not [path for path in folder.iterdir() if path.name.endswith(".tmp")]


@pytest.mark.parametrize("loads", ["interpret", "cpu"])
@TARGETS
def test_state_that_no_code_uses_is_saved_and_loaded_like_any_other(folder: Path, target: str, loads: str) -> None:
    spare = "tir.shared @spare : tensor<f32> = dense<1.0>\ntir.shared @half : tensor<2xbf16> = dense<0.5>\n"
    (folder / "unused.tir").write_text(spare + COUNT, encoding="utf-8")
    ran("unused.tir", "--entry", "look", "--save", "w.npz", "--target", target)
    with np.load(folder / "w.npz", allow_pickle=False) as found:
        given = dict(found)
    assert given["spare"] == 1 and given["half"].tolist() == [0.5, 0.5]
    np.savez(folder / "new.npz", **given | {"spare": np.float32(3), "half": np.array([2, 4], np.float32)})
    ran("unused.tir", "--entry", "look", "--load", "new.npz", "--save", "again.npz", "--target", loads)
    with np.load(folder / "again.npz", allow_pickle=False) as found:
        assert found["spare"] == 3 and found["half"].tolist() == [2, 4]


def test_array_with_the_name_of_an_entry_is_no_state(folder: Path) -> None:
    ran("count.tir", "--entry", "look", "--save", "w.npz")
    with np.load(folder / "w.npz", allow_pickle=False) as found:
        np.savez(folder / "new.npz", **dict(found), look=np.float32(3))
    done = tir_run("count.tir", "--entry", "look", "--load", "new.npz")
    assert done.code == 1 and "new.npz: the module has no shared variable 'look'" in done.err


def test_the_same_training_saves_the_same_bytes(data: np.ndarray, folder: Path) -> None:
    for name in ("a.npz", "b.npz"):
        ran(*TRAIN, "--epochs", 3, "--batch", 2, "--shuffle", 1, "--target", "cpu", "--save", name)
    assert (folder / "a.npz").read_bytes() == (folder / "b.npz").read_bytes()


def test_failed_run_leaves_the_saved_file_alone(data: np.ndarray, folder: Path) -> None:
    (folder / "w.npz").write_text("precious")
    assert tir_run(*TRAIN[:-2], "rate=[1, 2, 3]", "--epochs", 1, "--save", "w.npz").code == 1
    assert (folder / "w.npz").read_text() == "precious"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_on_a_terminal_is_one_line_drawn_anew() -> None:
    stream = Terminal()
    bar = Progress(4, stream)
    for _ in range(4):
        bar.advance("epoch 1/1")
    bar.note("n = 1")
    bar.close("done")
    assert "\r[########################] 100% epoch 1/1  0.0s left" in stream.getvalue()
    assert stream.getvalue().endswith("\rn = 1\n\rdone\n")


def test_quiet_progress_writes_nothing() -> None:
    stream = Terminal()
    bar = Progress(1, stream, quiet=True)
    bar.advance("x")
    bar.milestone("x")
    bar.close("x")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("seconds", "text"), [(0, "0.0s"), (9.94, "9.9s"), (12.4, "12s"), (185, "3:05"), (7385, "2:03:05")])
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


# --- all levels ------------------------------------------------------------------------------------------------------


def levels(out: str) -> dict[str, str]:
    """level -> what the table says of it."""
    return {line[:13].strip(): line[13:].strip() for line in out.splitlines()}


def test_all_levels_agree_on_results_and_state() -> None:
    found = levels(ran("count.tir", "--entry", "train", "--check-levels", "--generate-inputs", 0))
    assert found == {"as given": "reference, 6 values"} | dict.fromkeys(
        ["structured", "fused", "loops", "fused loops", "cpu"], "ok"
    )


def test_program_that_starts_at_the_loops_level_is_checked_too() -> None:
    found = levels(ran("loops.tir", "--check-levels", "x=[1, 2, 3, 4]", "y=[0, 0, 0, 0]"))
    assert found["as given"] == "reference, 1 values" and set(found.values()) == {"reference, 1 values", "ok"}


def test_shared_variable_that_nothing_uses_is_no_difference() -> None:
    program = "tir.shared @unused : tensor<f32> = dense<1.0>\n" + ADD
    assert tir_run("--check-levels", "--generate-inputs", 0, stdin=program).code == 0


def test_level_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # The planted bug: the CPU gets a program in which every sum is a difference.
    broken = ADD.replace("tir.add", "tir.sub")
    original = run.check_levels.__globals__["executable"]

    def planted(module: Any, target: str, pipeline: Any = None) -> Any:
        chosen = run.Sources().parse(broken, "broken.tir") if target == "cpu" else module
        return original(chosen, target, pipeline)

    monkeypatch.setitem(run.check_levels.__globals__, "executable", planted)
    done = tir_run("add.tir", "--check-levels", "x=[[1, 2]]", "s=0")
    assert done.code == 1
    assert levels(done.out)["cpu"].startswith("sum[0, 0]: expected 2.0, got 0.0 (may differ by ")
    assert levels(done.out)["fused"] == "ok"


def test_failing_assert_is_the_error_of_the_reference() -> None:
    done = tir_run("half.tir", "n=-1", "--check-levels")
    assert done.code == 1 and "n must not be negative" in done.err


# --- mistakes --------------------------------------------------------------------------------------------------------

ADD_ROW = ("add.tir", "s=0")
@pytest.mark.parametrize(("mode", "result"), [("strict", "[inf  0.]"), ("stable", "[1.0000000e+03 1.9287499e-22]")])
def test_rewrites_may_do_to_numbers_what_the_mode_allows(mode: str, result: str) -> None:
    """log(1 + exp(x)) is softplus(x), where neither 1000 overflows nor -50 is lost."""
    assert ran("soft.tir", "--target", "cpu", "--fp-mode", mode, "x=[1000, -50]") == f"result = {result}\n"


LOOK = ("count.tir", "--entry", "look")
WRONG_COMMANDS: list[tuple[tuple[object, ...], str]] = [
    (("count.tir",), "the module has @train, @look, @see_key: choose one by --entry"),
    (("count.tir", "--entry", "trian"), "--entry: there is no entry @trian; did you mean 'train'?"),
    (("add.tir", "half.tir"), "one file can be run, got 'add.tir' and 'half.tir'; arguments are NAME=VALUE"),
    (("add.tir", "--epoch", "3"), "unknown argument '--epoch'; did you mean '--epochs'?"),
    (("add.tir", "--epochs", "0"), "argument --epochs: '0' is no number from 1 to 1099511627776"),
    (("add.tir", "--batch", "-5"), "argument --batch: '-5' is no number from 1 to 1099511627776"),
    (("add.tir", "--batch", "1e3"), "argument --batch: '1e3' is no number from 1 to 1099511627776"),
    (("add.tir", "--generate-inputs", "x"), "argument --generate-inputs: 'x' is no seed: a whole number from 0 to 4294967295"),
    (("add.tir", "--target", "gpu"), "argument --target: must be cpu or interpret, got 'gpu'"),
    (("soft.tir", "--fp-mode", "strict"), "--fp-mode is for --target cpu; the interpreter and --check-levels keep numbers"),
    (("soft.tir", "--fp-mode", "slow"), "argument --fp-mode: must be strict, stable or fast, got 'slow'"),
    (("add.tir", "--data"), "argument --data: expected one argument"),
    (("add.tir", "s=0"), "@add: argument 'x' (tensor<[B]x2xf32>) is missing; give x=VALUE, --data FILE.npz"),
    (("add.tir", "x=[[1, 2]]", "y=2"), "@add has no argument 'y'; it has 'x', 's'"),
    (("add.tir", "s=1", "s=2"), "argument 's' is given twice"),
    (("add.tir", "s="), "argument 's': a value is missing behind '='"),
    ((*ADD_ROW, "x=[[1, 2"), "argument 'x': '[[1, 2' ends inside a list"),
    ((*ADD_ROW, "x=abc"), "argument 'x': 'abc' is not a number, a list such as [1, 2], a .npy file or FILE.npz:NAME"),
    ((*ADD_ROW, "x=\x1b[31m"), "argument 'x': '\\x1b[31m' is not a number"),
    ((*ADD_ROW, "x=[[1, 2]]", "--shuffle", "1"), "--shuffle needs --epochs or --batch"),
    ((*ADD_ROW, "--metrics-every", "1"), "--metrics-every needs --metrics"),
    ((*ADD_ROW, "--metrics-data", "d.npz"), "--metrics-data needs --metrics"),
    ((*ADD_ROW, "--size", "B=2"), "--size needs --generate-inputs"),
    ((*ADD_ROW, "--generate-inputs", "0", "--size", "B=many"), "--size: 'B=many' is not NAME=N"),
    ((*ADD_ROW, "x=[[1, 2]]", "--check-levels", "--save", "w.npz"), "--check-levels runs the entry once"),
    ((*ADD_ROW, "x=[[1, 2]]", "--save", "w.npz"), "--save: the module has no shared variables"),
    ((*LOOK, "--save", "nowhere/w.npz"), "--save: cannot write nowhere/w.npz: No such file or directory"),
    ((*LOOK, "--epochs", "2"), "@look cannot be run on batches: no first size is open ([B] or ?): no arguments"),
    ((*ADD_ROW, "x=[[1, 2]]", "--epochs", "2", "--metrics", "ad"), "--metrics: there is no entry @ad; did you mean 'add'?"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_COMMANDS, ids=[text[:50] for _, text in WRONG_COMMANDS])
def test_wrong_command_line_is_one_sentence_and_exit_code_2(arguments: tuple[object, ...], sentence: str) -> None:
    done = tir_run(*arguments)
    assert done.sentence.startswith(f"tir-run: error: {sentence}"), done.err
    assert done.code == 2 and done.out == ""


def add_file(**arrays: Any) -> Callable[[Path], tuple[object, ...]]:
    """Runs add.tir on a data file with these arrays."""

    def make(path: Path) -> tuple[object, ...]:
        np.savez(path / "d.npz", **arrays)
        return ("add.tir", "--data", "d.npz")

    return make


def add_bytes(name: str, data: bytes) -> Callable[[Path], tuple[object, ...]]:
    """Runs add.tir with its x from a file of these bytes."""

    def make(path: Path) -> tuple[object, ...]:
        (path / name).write_bytes(data)
        return (*ADD_ROW, f"x={name}")

    return make


def load(**arrays: Any) -> Callable[[Path], tuple[object, ...]]:
    """Loads the state of count.tir from a file with these arrays."""

    def make(path: Path) -> tuple[object, ...]:
        np.savez(path / "w.npz", **arrays)
        return (*LOOK, "--load", "w.npz")

    return make


def command(*arguments: object) -> Callable[[Path], tuple[object, ...]]:
    return lambda path: arguments


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy_header(shape: str) -> bytes:
    """A .npy file that has a header alone."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header = header.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, data)
    return file.getvalue()


GOOD = npz(x=rows(500))
OBJECTS = np.array([{}], object)
KEY = np.array([1, 2], np.int32)
WRONG_INPUTS: list[tuple[Callable[[Path], tuple[object, ...]], str]] = [
    (command("none.tir"), "cannot read none.tir: No such file or directory"),
    (command("."), "cannot read .: Is a directory"),
    (command(*ADD_ROW, "x=[[1, 2], [3]]"), "argument 'x': the lists at depth 2 must have one length"),
    (command(*ADD_ROW, "x=[[1, 2], 3]"), "argument 'x': the lists at depth 2 must have one length"),
    (command(*ADD_ROW, "x=[[1, true]]"), "argument 'x': true is no f32"),
    (command("half.tir", "n=1.5"), "argument 'n': 1.5 is no i32"),
    (command("half.tir", "n=3000000000"), "argument 'n': 3000000000 is no i32"),
    (command("half.tir", "n=[1]"), "argument 'n' must have rank 0, got 1"),
    (command(*ADD_ROW, "x=[1, 2]"), "argument 'x' must have rank 2, got 1"),
    (command(*ADD_ROW, "x=[[1, 2, 3]]"), "argument 'x': axis 1 must have size 2, got 3"),
    (command(*ADD_ROW, "x=none.npy"), "cannot read none.npy: No such file or directory"),
    (command("add.tir", "--data", "none.npz"), "cannot read none.npz: No such file or directory"),
    (command("add.tir", "--data", "."), "cannot read .: it is no regular file"),
    (add_file(x=rows(3).astype(np.float64), s=np.float32(0)), "argument 'x' must be float32, got float64"),
    (add_file(x=rows(3)), "argument 's': d.npz has no array 's'; it has 'x'"),
    (add_file(), "argument 'x': d.npz has no array 'x'; it is empty"),
    (add_file(x=OBJECTS, s=np.float32(0)), "d.npz: array 'x' holds pickled Python objects, which are never read"),
    (add_file(x=rows(3)[:, :1], s=np.float32(0)), "argument 'x': axis 1 must have size 2, got 1"),
    (add_bytes("x.npy", npy(OBJECTS)), "x.npy holds pickled Python objects, which are never read"),
    (add_bytes("x.npy", pickle.dumps(rows(3))), "x.npy: this is a pickle, which is never read"),
    (add_bytes("x.npz", pickle.dumps(rows(3))), "x.npz: this is a pickle, which is never read"),
    (add_bytes("x.npy", b""), "x.npy: this is no .npy file"),
    (add_bytes("x.npy", GOOD), "x.npy: this is no .npy file"),
    (add_bytes("x.npz", npy(rows(3))), "x.npz: this is no .npz file"),
    (add_bytes("x.npy", npy(rows(500))[:1000]), "x.npy is damaged or cut off"),
    (add_bytes("x.npy", npy(rows(500))[:20]), "x.npy is damaged or cut off"),
    (add_bytes("x.npz", GOOD[: len(GOOD) // 2]), "x.npz is damaged or cut off"),
    (add_bytes("x.npz", GOOD[:2000] + b"\xff" + GOOD[2001:]), "x.npz: array 'x' is damaged or cut off"),
    (add_bytes("x.npz", zipped("x", b"hello")), "x.npz: 'x' is no array"),
    (add_bytes("x.npz", zipped("x.npy", b"hello")), "x.npz: 'x' is no array"),
    (add_bytes("x.npy", npy_header("(1 << 50,)")), "x.npy is damaged or cut off"),
    (add_bytes("x.npy", npy_header(f"({1 << 50},)")), "x.npy: there is not enough memory for it"),
    (add_bytes("x.npy", npy_header("__import__('os')")), "x.npy is damaged or cut off"),
    (load(n=np.zeros(2, np.float32)), "shared variable 'key': w.npz has no array 'key'; it has 'n'"),
    (load(n=np.zeros(3, np.float32), key=KEY), "w.npz: shared variable 'n': axis 0 must have size 2, got 3"),
    (load(n=np.zeros((2, 1), np.float32), key=KEY), "w.npz: shared variable 'n' must have rank 1, got 2"),
    (load(n=np.zeros(2, np.float64), key=KEY), "w.npz: shared variable 'n' must be float32, got float64"),
    (load(n=np.zeros(2, np.float32), key=KEY, m=KEY), "w.npz: the module has no shared variable 'm'"),
    (command("count.tir", "--entry", "train", "--epochs", "1", "rate=[1, 1]", "x=[]"), "argument 'x': there are no rows"),
    (command(*ADD_ROW, "--generate-inputs", "0", "--size", "C=2"), "there is no size named 'C'; named are: B"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sentence"), WRONG_INPUTS, ids=[text[:50] for _, text in WRONG_INPUTS])
def test_wrong_input_is_one_sentence_and_exit_code_1(
    make: Callable[[Path], tuple[object, ...]], sentence: str, folder: Path
) -> None:
    done = tir_run(*make(folder))
    assert done.sentence.startswith(f"tir-run: error: {sentence}"), done.err
    assert done.code == 1 and done.out == ""


def test_rows_that_do_not_go_together_are_named(folder: Path) -> None:
    program = "func.func @f(%x: tensor<[B]xf32>, %y: tensor<[B]xi32>) { return }"
    np.savez(folder / "d.npz", x=np.zeros(5, np.float32), y=np.zeros(4, np.int32))
    whole = tir_run("--data", "d.npz", stdin=program)
    assert whole.sentence == "tir-run: error: argument 'y': axis 0 must have size [B] = 5, got 4"
    batched = tir_run("--data", "d.npz", "--batch", "2", "--quiet", stdin=program)
    assert batched.sentence == "tir-run: error: argument 'y': axis 0 must have size 5, as 'x' has, got 4"


@TARGETS
def test_failing_assert_is_a_located_error(target: str) -> None:
    done = tir_run("half.tir", "n=-1", "--target", target)
    assert done.code == 1
    assert "half.tir:5:3: error: " in done.err and "n must not be negative" in done.err
    assert '  cf.assert %ok, "n must not be negative"' in done.err


def test_errors_of_the_text_are_located() -> None:
    done = tir_run(stdin="func.func @f() { %0 = tir.ad : f32 }")
    assert done.code == 1 and done.err.startswith("<stdin>:1:")


def test_variables_may_be_called_like_options_of_numpy(tmp_path: Path) -> None:
    names = ("file", "allow_pickle", "../x")
    shared = "".join(f'tir.shared @"{name}" : tensor<f32> = dense<1.0>\n' for name in names)
    text = shared + "func.func @f() -> tensor<f32> {\n%w = tir.read @file : tensor<f32>\nreturn %w : tensor<f32>\n}"
    assert tir_run("--save", tmp_path / "w.npz", stdin=text).code == 0
    assert tir_run("--load", tmp_path / "w.npz", stdin=text).out == "result = 1.0\n"
    assert np.load(tmp_path / "w.npz").files == list(names)


@pytest.mark.parametrize("target", ["cpu", "interpret"])
def test_interrupted_training_leaves_no_file(tmp_path: Path, target: str) -> None:
    np.savez(tmp_path / "d.npz", x=np.ones((100, 64), np.float32), y=np.zeros(100, np.int32))
    examples, before = Path(__file__).resolve().parent.parent.parent, sorted(tmp_path.iterdir())
    words = ["--entry", "train", "--data", "d.npz", "--epochs", "1000000000", "--target", target, "--save", "w.npz"]
    tool = [sys.executable, examples / "tools" / "tir-run", examples / "examples" / "digits.tir", *words]
    with subprocess.Popen(tool, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()  # the first epoch is done
        process.send_signal(signal.SIGINT)
        assert "tir-run: interrupted" in process.communicate(timeout=60)[1]
        assert process.returncode == 130
    assert sorted(tmp_path.iterdir()) == before


def test_state_that_cannot_be_written_is_one_sentence() -> None:
    done = tir_run(*LOOK, "--save", ".")
    assert (done.code, done.sentence) == (2, "tir-run: error: --save: cannot write .: it is a directory; see `tir-run --help`")


def test_module_without_a_public_function_has_nothing_to_run() -> None:
    assert tir_run(stdin="func.func private @f() -> f32").sentence == (
        "tir-run: error: the module has no public function to run"
    )
