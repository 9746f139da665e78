"""The version of tir, which the distribution, the cache and `--version` read. It imports nothing."""

__version__ = "0.1.0"
