"""Names that Theano keeps in its sandbox: `tir.sandbox.rng_mrg`, `tir.sandbox.cuda`."""

from tir.sandbox import cuda, rng_mrg

__all__ = ["cuda", "rng_mrg"]
