"""`T.signal`: pooling, and convolutions of single images."""

from typing import Any

from tir.tensor.missing import missing
from tir.tensor.signal import conv, downsample, pool

__all__ = ["conv", "downsample", "pool"]


def __getattr__(name: str) -> Any:
    raise missing(__name__, name, [*__all__, "pool.pool_2d", "pool.max_pool_2d"])
