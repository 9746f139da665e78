"""numba: programs of elements in a loop, row kernels and reductions by axis as loops; parallel, fastmath."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

import numba
import numpy as np

from benchmarks.peers import numba_loops
from benchmarks.peers.contestant import Call, Cannot, listed
from benchmarks.peers.workloads import Workload

__all__ = ["calls"]


def calls(workload: Workload, threads: int) -> list[Call]:
    numba.set_num_threads(threads)
    arguments = workload.arguments()
    if workload.state:
        return [_in_place(workload, arguments)]
    loops = numba_loops.LOOPS.get(workload.id.rpartition(".")[0] or workload.id)
    if loops is not None:
        return [Call(loops, arguments, listed)]
    if workload.id[0] == "R":
        return [Call(one, arguments, listed, name) for name, one in _variants(workload.program(np), workload).items()]
    if workload.id[0] not in "EC" or len(arguments) > 2:
        raise Cannot("numba has no such operation, and no loops are written here")
    out = np.empty_like(arguments[0])
    fresh, given = _loops(numba.njit(fastmath=True)(in_f32(workload.program(np))), len(arguments))
    found = [Call(one, arguments, listed, name) for name, one in _variants(fresh, workload).items()]
    if not workload.compiles:
        variants = _variants(given, workload).items()
        found += [Call(one, [*arguments, out], lambda _: [out], f"out=, {name}", True) for name, one in variants]
    return found


def _variants(function: Any, workload: Workload) -> dict[str, Any]:
    """A serial loop is faster for few elements, and enough for the workloads of calls."""
    serial = {"serial": numba.njit(fastmath=True)(function)}
    return serial if workload.id[0] == "C" else {**serial, "parallel": numba.njit(parallel=True, fastmath=True)(function)}


def _loops(element: Any, operands: int) -> tuple[Any, Any]:
    """Loops that compute each element by the function, into a new array and into a given one."""
    # ruff: noqa: ANN001, ANN202  # numba finds the types
    if operands == 1:
        def given(a, out):
            for i in numba.prange(a.size):
                out[i] = element(a[i])

        def fresh(a):
            out = np.empty_like(a)
            for i in numba.prange(a.size):
                out[i] = element(a[i])
            return out
    else:
        def given(a, b, out):
            for i in numba.prange(a.size):
                out[i] = element(a[i], b[i])

        def fresh(a, b):
            out = np.empty_like(a)
            for i in numba.prange(a.size):
                out[i] = element(a[i], b[i])
            return out
    return fresh, given


def in_f32(program: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its floats as f32: numba computes a Python float times f32 in float64."""

    def narrow(value: Any) -> Any:
        return np.float32(value) if isinstance(value, float) else value

    code = program.__code__
    cells = tuple(CellType(narrow(cell.cell_contents)) for cell in program.__closure__ or ())
    constants = tuple(narrow(value) for value in code.co_consts)
    return FunctionType(code.replace(co_consts=constants), program.__globals__, program.__name__, None, cells)


def _in_place(workload: Workload, arguments: list[np.ndarray]) -> Call:
    """A step that writes its new state over the old one."""
    step = numba_loops.STEPS.get(workload.id)
    if step is None:
        raise Cannot("no loops are written here for numba")
    state = [x.reshape(-1) for x in arguments[: workload.state]]
    rest = [x.reshape(-1) if x.ndim else x[()] for x in arguments[workload.state :]]
    return Call(step, [*state, *rest], lambda _: [x.reshape(y.shape) for x, y in zip(state, arguments)])


