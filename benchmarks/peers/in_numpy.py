"""numpy, as the programs are written."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.contestant import Call, Cannot, kept, listed
from benchmarks.peers.namespace import Namespace
from benchmarks.peers.workloads import Workload

__all__ = ["calls"]


def calls(workload: Workload, threads: int) -> list[Call]:
    if workload.compiles:
        raise Cannot("numpy compiles nothing")
    function, arguments = workload.program(Namespace(np)), workload.arguments()
    if workload.state:
        return [Call(kept(function, arguments[: workload.state]), arguments[workload.state :], listed)]
    found = [Call(function, arguments, listed)]
    if workload.output == "given":
        out = np.empty_like(arguments[0])
        found.append(Call(lambda a, out: np.add(a, 1.0, out=out), [arguments[0], out], listed, "out=", given=True))
    return found
