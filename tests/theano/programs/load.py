"""The data of the programs: scikit-learn's digits, enlarged from 8x8 to 28x28 pixels, as the MNIST loader gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_digits

__all__ = ["mnist"]


def mnist(ntrain: int = 1437, ntest: int = 360, onehot: bool = True, copies: int = 5) -> tuple[Any, Any, Any, Any]:
    """trX, teX, trY, teY: pixels from 0 to 1, 784 in a row; digits, or rows with 1 at the digit.

    copies: how often each image for training is there, moved by up to a pixel; MNIST has many more of them.
    """
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(pixels))
    images = (pixels[order] / 16).reshape(-1, 8, 8)
    wide = _enlarged(images)
    labels = np.eye(10)[digits[order]] if onehot else digits[order]
    moves = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)][:copies]
    many = np.concatenate([np.roll(wide[:ntrain], move, axis=(1, 2)) for move in moves])
    mixed = np.random.RandomState(1).permutation(len(many))
    trX, teX = (x.reshape(-1, 784) for x in (many[mixed], wide[ntrain : ntrain + ntest]))
    return trX, teX, np.concatenate([labels[:ntrain]] * len(moves))[mixed], labels[ntrain : ntrain + ntest]


def _enlarged(images: Any) -> Any:
    """8x8 pixels as 24x24, each three times along both axes, with a border of 2."""
    wide = np.repeat(np.repeat(images, 3, axis=1), 3, axis=2)
    return np.pad(wide, ((0, 0), (2, 2), (2, 2)))
