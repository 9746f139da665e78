"""`T.signal`: pooling."""

from tir.tensor.signal import downsample, pool

__all__ = ["downsample", "pool"]
