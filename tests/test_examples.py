"""The examples do what they say: the same on all levels, as accurate as promised, the same bits on each run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tir
from tests.cli.tool import call
from tests.scripts import load
from tests.steps_by_hand import CONVNET, RNN, convnet_step, digits_step, rnn_step
from tir.cli import opt, run

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
MODELS = ("digits", "mlp", "convnet", "rnn", "epoch")


def without_names(text: str) -> str:
    """The text of the module with numbers for the names of its values."""
    module = tir.parse(text)
    for op in module.walk():
        arguments = [argument for region in op.regions for block in region.blocks for argument in block.arguments]
        for value in (*op.results, *arguments):
            value.hint = None
    return tir.print_op(module)


def dialects(text: str) -> set[str]:
    """The dialects of the ops in a module's short form."""
    return set(re.findall(r"^ +(?:%[^=]* = )?(\w+)\.\w", text, re.MULTILINE))


def test_digits_in_python_gives_the_ir_of_digits_in_text() -> None:
    text = (EXAMPLES / "digits.tir").read_text(encoding="utf-8")
    assert without_names(load(EXAMPLES / "digits.py").build().module_text()) == without_names(text)


@pytest.mark.parametrize(("model", "entry"), [
    ("digits", "train"), ("digits", "predict"), ("digits", "accuracy"), ("mlp", "train"),
    *(pytest.param("mlp", entry, marks=pytest.mark.slow) for entry in ("predict", "accuracy")),
    *(pytest.param("convnet", entry, marks=pytest.mark.slow) for entry in ("train", "predict", "accuracy")),
    *(pytest.param("rnn", entry, marks=pytest.mark.slow) for entry in ("train", "predict")),
    pytest.param("epoch", "train", marks=pytest.mark.slow),
])  # fmt: skip
def test_all_levels_agree_on_every_entry(model: str, entry: str) -> None:
    # Two rows: the loops level is interpreted one element at a time.
    size = "N=101" if model == "epoch" else "B=2"
    flags = ("--check-levels", "--generate-inputs", 7, "--size", size)
    done = call(run.main, EXAMPLES / f"{model}.tir", "--entry", entry, *flags)
    assert done.code == 0, done.out + done.err
    assert done.out.count(" ok") == 5


@pytest.mark.parametrize("model", MODELS)
def test_examples_lower_to_fused_loops_on_buffers(model: str) -> None:
    done = call(opt.main, "--fuse", "--lower-cpu", EXAMPLES / f"{model}.tir")
    assert done.code == 0, done.err
    assert "scf.parallel" in done.out and "memref.store" in done.out
    assert dialects(done.out) <= {"func", "scf", "memref", "arith", "math", "vector", "cf"}, dialects(done.out)


@pytest.mark.parametrize("target", ["interpret", "cpu"])
def test_step_of_digits_is_the_one_written_by_hand(target: str) -> None:
    program = tir.executable(tir.parse((EXAMPLES / "digits.tir").read_text(encoding="utf-8")), target)
    random = np.random.default_rng(0)
    x, y = random.random((50, 64), np.float32), random.integers(0, 10, 50).astype(np.int32)
    w, b = np.zeros((64, 10)), np.zeros(10)
    for _ in range(5):
        (loss,) = program.call("train", {"x": x, "y": y})
        assert loss == pytest.approx(digits_step(w, b, x.astype(np.float64), y), rel=1e-5)  # f32 sums of 64 terms
    np.testing.assert_allclose(program.state["w"], w, atol=1e-6)
    np.testing.assert_allclose(program.state["b"], b, atol=1e-6)


@pytest.mark.parametrize("target", ["interpret", "cpu"])
@pytest.mark.parametrize(("model", "names", "step"), [("convnet", CONVNET, convnet_step), ("rnn", RNN, rnn_step)])
def test_step_of_a_network_is_the_one_written_by_hand(model: str, names: tuple, step: Callable, target: str) -> None:
    program = tir.executable(tir.parse((EXAMPLES / f"{model}.tir").read_text(encoding="utf-8")), target)
    random = np.random.default_rng(0)
    x, y = random.random((6, 64), np.float32), random.integers(0, 10, 6).astype(np.int32)
    parameters = {name: program.state[name].astype(np.float64) for name in names}
    velocities = {name: np.zeros_like(value) for name, value in parameters.items()}
    for _ in range(3):
        (loss,) = program.call("train", {"x": x, "y": y})
        want = step(parameters, velocities, x.astype(np.float64), y)
        assert loss == pytest.approx(want, rel=1e-5)  # f32 sums of up to 144 terms
    for name, value in parameters.items():
        np.testing.assert_allclose(program.state[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("target", ["interpret", "cpu"])
def test_an_epoch_in_one_call_is_that_of_the_steps_one_by_one(target: str) -> None:
    steps, epoch = (tir.executable(tir.parse((EXAMPLES / f"{name}.tir").read_text(encoding="utf-8")), target) for name in ("mlp", "epoch"))
    random = np.random.default_rng(0)
    x, y = random.random((170, 64), np.float32), random.integers(0, 10, 170).astype(np.int32)
    losses = [steps.call("train", {"x": x[i : i + 50], "y": y[i : i + 50]})[0] for i in (0, 50, 100)]  # 20 rows are left over
    (mean,) = epoch.call("train", {"x": x, "y": y})
    assert mean == pytest.approx(np.mean(losses), rel=1e-6)
    for name, value in steps.state.items():
        np.testing.assert_allclose(epoch.state[name], value, atol=1e-6, err_msg=name)


def test_initial_weights_of_the_network_are_glorots() -> None:
    program = tir.executable(tir.parse((EXAMPLES / "mlp.tir").read_text(encoding="utf-8")), "interpret")
    for name, inputs, outputs in (("w1", 64, 64), ("w2", 64, 10)):
        limit = np.sqrt(6 / (inputs + outputs))
        weights = program.state[name]
        assert weights.shape == (inputs, outputs) and np.abs(weights).max() <= limit * (1 + 1e-6)
        assert weights.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)  # 640 numbers: 3 % is one sigma
    assert np.abs(program.state["w1"][:, :10] - program.state["w2"]).min() > 0  # two keys, two sequences


@pytest.mark.slow  # `.ci/run` runs the demo itself, once
@pytest.mark.timeout(300)
def test_demo_reaches_its_accuracies_with_the_same_bits_on_each_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    demo = load(EXAMPLES / "demo.py")
    weights: dict[str, set[bytes]] = {model: set() for model in MODELS}
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        demo.write_data(folder)
        for model, (_, least) in demo.MODELS.items():
            assert demo.train(model, folder) >= least
            weights[model].add((folder / f"{model}.npz").read_bytes())
    assert all(len(found) == 1 for found in weights.values())
    assert {model: least for model, (_, least) in demo.MODELS.items()} == dict.fromkeys(MODELS, 0.97) | {"digits": 0.95}
    assert demo.draw(tmp_path / "first").read_bytes().startswith(b"\x89PNG")
    assert "accuracy = " in capsys.readouterr().out
