"""Contractions through tiles: random ones, every shape of tile, on the interpreter and as machine code."""

import random

import numpy as np
import pytest

from tests.contractions import Contraction
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.linalg import Generic
from tir.ir.execution import numpy_dtype
from tir.ir.pass_manager import run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.types import parse_scalar_type
from tir.parser.parse import parse_text
from tir.passes.contraction_plan import plan_contraction
from tir.passes.pipelines import ALL, lower_cpu

DTYPES = {name: numpy_dtype(parse_scalar_type(name)) for name in ("f16", "f32", "f64")}


def run(contraction: Contraction, target: str, seed: int = 0) -> None:
    arguments = contraction.arguments(seed, DTYPES)
    module = parse_text(contraction.text(), REGISTRY)
    run_pipeline(lower_cpu(), module)
    executable = Executable(module, target=target)
    (found,) = executable.call("f", arguments)
    contraction.check(found, arguments)


def plan_of(contraction: Contraction):
    module = parse_text(contraction.text(), REGISTRY)
    run_pipeline(parse_pipeline("bufferize", ALL), module)
    generics = [op for op in module.walk() if isinstance(op, Generic)]
    return plan_contraction(generics[-1])


def random_contraction(seed: int) -> Contraction:
    """Up to two dimensions of each kind, in any order of axes, with sizes 0, 1, odd and large."""
    rng = random.Random(seed)
    kinds = {"b": "abc", "i": "ac", "j": "bc", "k": "ab"}
    letters = {f: kinds[k] for k in kinds for f in (k, k.upper()) if rng.random() < (0.8 if f == k else 0.2)}
    letters = letters or {"i": "ac"}
    axes = []
    for operand in "abc":
        has = [letter for letter, where in letters.items() if operand in where]
        if rng.random() < 0.6:
            rng.shuffle(has)
        axes.append("".join(has))
    sizes = {letter: rng.choice([0, 1, 2, 3, 5, 8, 9, 16, 17, 33]) if rng.random() < 0.9 else 70 for letter in letters}
    sizes = {letter: size or rng.choice([0, 4]) for letter, size in sizes.items()}
    element, wide = rng.choice([("f32", "f32"), ("f32", "f32"), ("f64", "f64"), ("f16", "f32")])
    steps = rng.choice([1, 1, 1, 2])
    dynamic = "".join(letter for letter in letters if rng.random() < 0.3) if steps == 1 else ""
    return Contraction(f"{axes[0]},{axes[1]}->{axes[2]}", sizes, element, wide, dynamic, steps)
