"""Names that Theano keeps in its sandbox: `tir.sandbox.rng_mrg`."""
