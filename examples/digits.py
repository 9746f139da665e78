"""The model of digits.tir, made in Python: operators on values give the same IR.

    python examples/digits.py > model.tir
    tir-run model.tir --entry train --data train.npz --epochs 60 --batch 50 --target cpu
"""

import numpy as np

import tir

RATE = 0.5


def build() -> tir.Builder:
    """Softmax regression on 8x8 digits: the functions train, predict and accuracy."""
    b = tir.Builder()
    b.shared("w", np.zeros((64, 10), np.float32))
    b.shared("b", np.zeros(10, np.float32))
    images = b.argument("tensor<[B]x64xf32>", range=(0.0, 1.0))
    labels = b.argument("tensor<[B]xi32>", range=(0, 10))

    with b.function("train", x=images, y=labels) as (x, y):
        w, bias = b.read("w"), b.read("b")
        loss = b.mean(b.softmax_cross_entropy(x @ w + bias, y))
        gw, gb = b.grad(loss, [w, bias])
        b.update("w", w - RATE * gw)
        b.update("b", bias - RATE * gb)
        b.returns(loss=loss)

    with b.function("predict", x=images) as (x,):
        w, bias = b.read("w"), b.read("b")
        b.returns(digit=b.argmax(x @ w + bias, axis=1))

    with b.function("accuracy", x=images, y=labels) as (x, y):
        (digit,) = b.call("predict", x)
        right = b.cmp("eq", digit, y)
        b.returns(accuracy=b.mean(b.cast(right, tir.F32)))

    b.verify()
    return b


if __name__ == "__main__":
    print(build().module_text(), end="")
