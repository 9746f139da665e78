"""Names by which programs ask for a GPU: `tir.sandbox.cuda.basic_ops.gpu_from_host`."""

from tir.sandbox.cuda import basic_ops

__all__ = ["basic_ops"]
