"""Theano's old place of pooling: `tensor.signal.downsample.max_pool_2d`."""

from tir.tensor.signal.pool import max_pool_2d, max_pool_2d_same_size

__all__ = ["max_pool_2d", "max_pool_2d_same_size"]
