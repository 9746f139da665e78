"""Trains digit classifiers from text, prints their test accuracy, and draws what they learned: `make demo`.

The data are scikit-learn's 1797 digits of 8x8 pixels, shuffled with seed 0, four fifths for training. Everything goes
to examples/out/.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # before pyplot: a picture needs no screen

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

from tir.cli import run  # noqa: E402

EXAMPLES = Path(os.path.relpath(Path(__file__).resolve().parent))
OUT = EXAMPLES / "out"
#: The flags of training for each model, and the test accuracy that it must reach.
MODELS = {
    "digits": (["--epochs", "60", "--batch", "50"], 0.95),
    "mlp": (["--epochs", "40", "--batch", "50", "--shuffle", "0"], 0.97),
    "convnet": (["--epochs", "15", "--batch", "50", "--shuffle", "0"], 0.97),
    "rnn": (["--epochs", "40", "--batch", "50", "--shuffle", "0"], 0.97),
    "epoch": (["--epochs", "40"], 0.97),
}


def write_data(folder: Path) -> None:
    """train.npz and test.npz: `x`, f32 pixels from 0 to 1, and `y`, the i32 digits."""
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(pixels))  # RandomState's numbers never change, default_rng's may
    x, y = (pixels[order] / 16).astype(np.float32), digits[order].astype(np.int32)
    count = len(x) * 4 // 5
    np.savez(folder / "train.npz", x=x[:count], y=y[:count])
    np.savez(folder / "test.npz", x=x[count:], y=y[count:])


def tir_run(*arguments: str) -> None:
    """Runs the tool, and shows the command."""
    print(f"\n$ tir-run {shlex.join(arguments)}", flush=True)
    if code := run.main(arguments):
        sys.exit(code)


def train(model: str, folder: Path) -> float:
    """Trains a model on the CPU; its weights and predictions are in the folder. The accuracy on the test data."""
    flags, _ = MODELS[model]
    text, weights, predicted = (str(path) for path in (
        EXAMPLES / f"{model}.tir", folder / f"{model}.npz", folder / f"{model}-predicted.npz",
    ))  # fmt: skip
    train_data, test_data = str(folder / "train.npz"), str(folder / "test.npz")
    tir_run(
        text, "--entry", "train", "--data", train_data, *flags, "--target", "cpu",
        "--metrics", "accuracy", "--metrics-data", test_data, "--save", weights,
    )  # fmt: skip
    tir_run(
        text, "--entry", "predict", "--data", test_data, "--target", "cpu",
        "--load", weights, "--output", predicted,
    )  # fmt: skip
    with np.load(predicted, allow_pickle=False) as found, np.load(test_data, allow_pickle=False) as wanted:
        return float(np.mean(found["digit"] == wanted["y"]))


def draw(folder: Path) -> Path:
    """A picture: weights of the softmax regression, hidden units and windows of the networks, digits that mlp got wrong."""
    with np.load(folder / "digits.npz", allow_pickle=False) as weights:
        by_digit = weights["w"].T.reshape(10, 8, 8)
    with np.load(folder / "mlp.npz", allow_pickle=False) as weights:
        hidden = weights["w1"].T.reshape(64, 8, 8)[:20]
    with np.load(folder / "convnet.npz", allow_pickle=False) as weights:
        windows = weights["w1"][:10, 0]
    with np.load(folder / "test.npz", allow_pickle=False) as test:
        images, wanted = test["x"].reshape(-1, 8, 8), test["y"]
    with np.load(folder / "mlp-predicted.npz", allow_pickle=False) as found:
        predicted = found["digit"]
    wrong = np.flatnonzero(predicted != wanted)[:10]
    tiles = [(image, f"{i}", "coolwarm") for i, image in enumerate(by_digit)]
    tiles += [(image, "", "coolwarm") for image in (*hidden, *windows)]
    tiles += [(images[i], f"{wanted[i]}, not {predicted[i]}", "gray_r") for i in wrong]
    path = folder / "digits.png"
    draw_tiles(tiles, path)
    return path


def draw_tiles(tiles: list[tuple[Any, str, str]], path: Path) -> None:
    """Images in rows of ten: pixels, a title and a colour map each. Colour maps of weights are centred on 0."""
    rows = -(-len(tiles) // 10)
    figure, axes = plt.subplots(rows, 10, figsize=(10, 1.2 * rows + 0.4), layout="constrained")
    for axis in axes.flat:
        axis.axis("off")
    for axis, (image, title, colours) in zip(axes.flat, tiles):
        limit = float(np.abs(image).max())
        axis.imshow(image, cmap=colours, vmin=-limit if colours == "coolwarm" else 0, vmax=limit)
        axis.set_title(title, fontsize=8)
    title = "Softmax regression: weights. Networks: hidden units, windows of 3x3, and digits that the first got wrong."
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> int:
    """The demo; 0 if all models are as good as they should be."""
    start = time.monotonic()
    OUT.mkdir(exist_ok=True)
    write_data(OUT)
    accuracies = {model: train(model, OUT) for model in MODELS}
    picture = draw(OUT)
    print()
    for model, accuracy in accuracies.items():
        print(f"{model}.tir: {100 * accuracy:.1f} % of the test digits are right")
    print(f"the picture is {picture}; {time.monotonic() - start:.0f} s in all")
    poor = [model for model, accuracy in accuracies.items() if accuracy < MODELS[model][1]]
    for model in poor:
        print(f"{model}.tir should reach {100 * MODELS[model][1]:.0f} %", file=sys.stderr)
    return 1 if poor else 0


if __name__ == "__main__":
    sys.exit(main())
