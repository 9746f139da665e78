"""References and gradients against torch, which is neither numpy nor what the samples were written from.

Slow, and only where torch is installed: `pip install torch`, then `pytest -m slow tests/ops/test_peers.py -rs`.
`test_against_jax.py` has the general gather and scatter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tests.ops.peers import Case, cases
from tests.ops.samples.base import type_of
from tir.compile import Executable

try:
    import torch
except ImportError:
    torch = None

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(torch is None, reason="torch is not installed: references of convolutions, pools, norms, losses, "
                       "reductions, linear algebra, sorts, gathers and scatters are compared with numpy and scipy only"),
]  # fmt: skip

CLOSE = 1e-9  # of f64: some hundred roundings, and what a badly scaled sum loses


def gradient_text(case: Case, result: np.ndarray) -> str:
    """A module whose @f gives the result, and the gradients of its sum weighted with %w."""
    types = [type_of(x) for x in case.inputs]
    made = type_of(result)
    lines, wrt = [], {f"%{i}": f"%leaf{i}" for i in case.wrt}
    lines += [f"{leaf} = tir.leaf {name} : {types[int(name[1:])]}" for name, leaf in wrt.items()]
    text = case.text
    for name, leaf in wrt.items():
        text = text.replace(name, leaf)
    lines.append(f"{case.names} = {case.op} {text} : {case.types.format(*types, r=made)}")
    returned = [("%r", made)]
    if wrt:
        axes = list(range(result.ndim))
        lines.append(f"%weighted = tir.mul %r, %w : {made}")
        lines.append(f"%cost = tir.sum %weighted over {axes} : tensor<f64>")
        grads = [(f"%g{i}", types[i]) for i in case.wrt]
        names, leaves = ", ".join(name for name, _ in grads), ", ".join(wrt.values())
        lines.append(f"{names} = tir.grad %cost wrt ({leaves}) : {', '.join(type for _, type in grads)}")
        returned += grads
    arguments = ", ".join([*(f"%{i}: {type}" for i, type in enumerate(types)), f"%w: {made}"])
    values, kinds = (", ".join(parts) for parts in zip(*returned))
    body = "".join(f"  {line}\n" for line in lines)
    return f"func.func @f({arguments}) -> ({kinds}) {{\n{body}  return {values} : {kinds}\n}}\n"


def outcome_of_torch(case: Case) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The result, weights for its elements, and the gradients of the weighted sum."""
    given = [torch.tensor(x, requires_grad=i in case.wrt) for i, x in enumerate(case.inputs)]
    result = case.peer(*given)
    weights = np.random.default_rng(5).normal(size=tuple(result.shape))
    if not case.wrt:
        return result.detach().numpy(), weights.astype(result.detach().numpy().dtype), []
    found = torch.autograd.grad((result * torch.tensor(weights)).sum(), [given[i] for i in case.wrt])
    return result.detach().numpy(), weights, [g.numpy() for g in found]


CASES = list(cases(torch)) if torch is not None else []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reference_and_gradient_are_those_of_torch(case: Case) -> None:
    result, weights, gradients = outcome_of_torch(case)
    program = Executable(module_at(gradient_text(case, result), LEVELS["tensor"][0]()), "interpret")
    got: list[Any] = program.call("f", [*case.inputs, weights])
    for name, ours, theirs in zip(("result", *(f"gradient by %{i}" for i in case.wrt)), got, (result, *gradients)):
        np.testing.assert_allclose(ours, theirs, rtol=CLOSE, atol=CLOSE, err_msg=f"{case}: {name}")
