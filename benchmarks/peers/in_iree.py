"""IREE: StableHLO that JAX lowers, compiled for the processor of this machine."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from iree import compiler, runtime

from benchmarks.peers.contestant import Call, kept, listed
from benchmarks.peers.in_jax import InJax
from benchmarks.peers.workloads import Workload

__all__ = ["calls"]


def calls(workload: Workload, threads: int) -> list[Call]:
    arguments = workload.arguments()
    traced = jax.jit(workload.program(InJax(jnp)), keep_unused=True)  # the offset of a norm is unused in its gradient
    text = traced.lower(*arguments).as_text("stablehlo")
    options = ["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"]
    code = compiler.compile_str(text, target_backends=["llvm-cpu"], input_type="stablehlo", extra_args=options)
    config = runtime.Config("local-sync" if threads == 1 else "local-task")
    module = runtime.load_vm_module(runtime.VmModule.copy_buffer(config.vm_instance, code), config)
    given = [runtime.asdevicearray(config.device, jnp.asarray(x).__array__()) for x in arguments]
    if workload.state:
        state, rest = given[: workload.state], given[workload.state :]
        return [Call(kept(module.main, state), rest, listed)]
    return [Call(module.main, given, listed)]
