"""Vectors as machine code do what the interpreter does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lower.native import run_both
from tests.lower.programs import f32, function


def test_vectors_from_and_to_memory() -> None:
    text = function(
        "(%x: memref<?x8xf32>, %y: memref<?x8xf32>, %m: memref<4x8xi1>, %n: index, %a: f32)",
        """
        %v = vector.load %x[%c1, %c2] : memref<?x8xf32>, vector<4xf32>
        %b = vector.broadcast %a : f32 to vector<4xf32>
        %w = vector.fma %v, %b, %v : vector<4xf32>
        %u = arith.mulf %w, %b : vector<4xf32>
        vector.store %u, %y[%c0, %c1] : memref<?x8xf32>, vector<4xf32>
        %mask = vector.create_mask %n : vector<4xi1>
        %l = vector.maskedload %x[%c2, %c0], %mask, %u : memref<?x8xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
        vector.maskedstore %y[%c1, %c3], %mask, %l : memref<?x8xf32>, vector<4xi1>, vector<4xf32>
        vector.store %l, %y[%c2, %c0] : memref<?x8xf32>, vector<4xf32>
        vector.store %mask, %m[%c1, %c2] : memref<4x8xi1>, vector<4xi1>
        %k = vector.load %m[%c1, %c1] : memref<4x8xi1>, vector<4xi1>
        vector.store %k, %m[%c2, %c0] : memref<4x8xi1>, vector<4xi1>
        %z = vector.extract %u[2] : f32 from vector<4xf32>
        %p = vector.extract %u[%c1] : f32 from vector<4xf32>
        %q = vector.insert %z, %l[%c0] : f32 into vector<4xf32>
        %r = vector.insert %p, %q[3] : f32 into vector<4xf32>
        vector.store %r, %y[%c2, %c3] : memref<?x8xf32>, vector<4xf32>
        return""",
    )
    for n in (-1, 0, 1, 3, 4, 9):
        run_both(text, [f32(3, 8), f32(3, 8), np.zeros((4, 8), np.bool_), np.int64(n), np.float32(1.1)])


@pytest.mark.parametrize("kind", "add mul minimumf maximumf minnumf maxnumf".split())
def test_reductions_of_floats_are_in_order(kind: str) -> None:
    for acc in ("", ", %a"):
        text = f"""
          func.func @f(%x: memref<4xf32>, %a: f32) -> f32 {{
            %c0 = arith.constant 0 : index
            %v = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
            %0 = vector.reduction <{kind}>, %v{acc} : vector<4xf32> into f32
            return %0 : f32
          }}"""
        for values in ([1e8, 1, -1e8, 1], [-0.0, 0.0, -0.0, -0.0], [np.nan, 1, 2, 3], [0.0, -0.0, 0.0, np.nan]):
            for a in (0.5, -0.0, np.nan):
                run_both(text, [np.array(values, np.float32), np.float32(a)])


@pytest.mark.parametrize("kind", "add mul and or xor minsi maxsi minui maxui".split())
def test_reductions_of_integers(kind: str) -> None:
    for acc in ("", ", %a"):
        text = f"""
          func.func @f(%x: memref<4xi8>, %a: i8) -> i8 {{
            %c0 = arith.constant 0 : index
            %v = vector.load %x[%c0] : memref<4xi8>, vector<4xi8>
            %0 = vector.reduction <{kind}>, %v{acc} : vector<4xi8> into i8
            return %0 : i8
          }}"""
        for values in ([1, 2, 3, 4], [-1, 127, -128, 5], [100, 100, 100, 100]):
            run_both(text, [np.array(values, np.int8), np.int8(-7)])
