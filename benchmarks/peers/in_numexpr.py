"""numexpr, by the text of the expression."""

from __future__ import annotations

import re
from typing import Any

import numexpr
import numpy as np

from benchmarks.peers.contestant import Call, Cannot, listed
from benchmarks.peers.workloads import Workload, reference

__all__ = ["calls"]


def calls(workload: Workload, threads: int) -> list[Call]:
    if not workload.expression:
        raise Cannot("numexpr has no such expression")
    numexpr.set_num_threads(threads)
    arguments = workload.arguments()
    text, constants = _narrowed(workload.expression)
    shape = reference(workload, arguments)[0].shape
    names = [name for name in sorted(numexpr.NumExpr(text).input_names) if name not in constants]
    values = {**dict(zip(names, arguments)), **constants}
    numexpr.validate(text, local_dict=values)
    found = [Call(lambda *_: numexpr.re_evaluate(local_dict=values), arguments, listed, "re_evaluate")]
    if shape == arguments[0].shape:
        out = np.empty(shape, np.float32)
        given = Call(lambda *_: numexpr.evaluate(text, values, out=out), arguments, listed, "out=", True)
        found.append(given)
    return found


def _narrowed(text: str) -> tuple[str, dict[str, Any]]:
    """The text with names for its floats, which numexpr takes as float64, and their values in f32."""
    floats = dict.fromkeys(re.findall(r"\d+\.\d+", text))
    constants = {f"number{i}": np.float32(one) for i, one in enumerate(floats)}
    for name, one in zip(constants, floats):
        text = text.replace(one, name)
    return text, constants
