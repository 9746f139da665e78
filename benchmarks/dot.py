"""Contractions in f32 on one thread: at least 20 GFLOP/s at each of these shapes. numpy's BLAS beside ours.

The rates of `tir` have the call from Python in them, about 12 us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import medians, table
from tests.contractions import Contraction
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import default

#: einsum's words -> what numpy does best, and the sizes.
PRODUCTS: tuple[tuple[str, Callable[[Any, Any], Any], tuple[dict[str, int], ...]], ...] = (
    (
        "ik,kj->ij", lambda a, b: a @ b,
        (
            {"i": 128, "j": 625, "k": 784}, {"i": 64, "j": 64, "k": 64}, {"i": 256, "j": 256, "k": 256},
            {"i": 60, "j": 500, "k": 784}, {"i": 1437, "j": 10, "k": 64}, {"i": 1437, "j": 1, "k": 64},
            {"i": 4, "j": 512, "k": 512},
        ),
    ),
    ("ki,kj->ij", lambda a, b: a.T @ b, ({"i": 128, "j": 625, "k": 784}, {"i": 784, "j": 625, "k": 128})),
    ("ik,jk->ij", lambda a, b: a @ b.T, ({"i": 128, "j": 625, "k": 784}, {"i": 128, "j": 784, "k": 625})),
    (
        "bik,bkj->bij", lambda a, b: a @ b,
        (
            {"b": 64, "i": 32, "j": 32, "k": 32}, {"b": 8, "i": 128, "j": 128, "k": 64},
            {"b": 8, "i": 128, "j": 64, "k": 128},
        ),
    ),
    ("bik,bjk->bij", lambda a, b: a @ b.swapaxes(1, 2), ({"b": 8, "i": 128, "j": 128, "k": 64},)),
    (
        "ok,nkp->nop", lambda a, b: a @ b,
        ({"n": 2, "o": 64, "k": 576, "p": 196}, {"n": 64, "o": 16, "k": 9, "p": 36}),
    ),
    ("ik,k->i", lambda a, b: a @ b, ({"i": 1024, "k": 1024},)),
    ("k,kj->j", lambda a, b: a @ b, ({"j": 1024, "k": 1024},)),
    ("k,k->", lambda a, b: a @ b, ({"k": 100_000},)),
    ("i,j->ij", np.outer, ({"i": 1024, "j": 1024},)),
)  # fmt: skip


def run() -> None:
    for words, numpy, shapes in PRODUCTS:
        for sizes in shapes:
            compare(Contraction(words, sizes), numpy)


def compare(contraction: Contraction, numpy: Callable[[Any, Any], Any]) -> None:
    """Prints the times of one product; tir's starts with C, which numpy's makes."""
    module = parse_text(contraction.text(), REGISTRY)
    executable = Executable(module, pipeline=lambda module: run_pipeline(default(), module))
    arguments = contraction.arguments(0, {"f32": np.float32})
    contraction.check(executable.call("f", arguments)[0], arguments)
    a, b, _ = arguments
    times = medians({"tir": lambda: executable.call("f", arguments), "numpy": lambda: numpy(a, b)}, 1.0)
    sizes = " ".join(f"{name}={size}" for name, size in contraction.sizes.items())
    print(table(f"{contraction.words} {sizes} f32", times, "tir", 2.0 * float(np.prod(list(contraction.sizes.values())))))
