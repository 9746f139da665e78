"""Interned objects: equal ones are one object, however their values are given; what tells them apart does so."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tir.ir.attributes import DenseArrayAttr, FloatAttr, IntegerAttr, StringAttr
from tir.ir.errors import TirError
from tir.ir.interned import Interned
from tir.ir.types import F32, I1, I8, I64, MemRefType, TensorType

SAME = [
    (TensorType((2, 3), F32), lambda: TensorType([2, 3], F32)),
    (TensorType((2, 3), F32), lambda: TensorType((size for size in (2, 3)), F32, "")),
    (TensorType((2, 3), F32), lambda: TensorType(element=F32, shape=(2, 3))),
    (TensorType((2, 3), F32), lambda: TensorType((4,), F32).with_shape([2, 3])),
    (MemRefType((4,), F32), lambda: MemRefType((4,), F32, None, "")),
    (IntegerAttr(-1, I8), lambda: IntegerAttr(255, I8)),
    (IntegerAttr(1, I1), lambda: IntegerAttr(-1, I1)),
    (IntegerAttr(1, I64), lambda: IntegerAttr(True, I64)),
    (DenseArrayAttr(I8, (-1, 2)), lambda: DenseArrayAttr(I8, [255, 2])),
    (StringAttr("x"), lambda: StringAttr(value="x")),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME, ids=lambda x: str(x) if isinstance(x, Interned) else "")
def test_equal_values_give_one_object(one: Any, other: Any) -> None:
    assert other() is one


def test_values_that_python_calls_equal_stay_apart() -> None:
    assert FloatAttr(0.0, F32) is not FloatAttr(-0.0, F32)
    assert str(DenseArrayAttr(F32, (0.0, -0.0))) != str(DenseArrayAttr(F32, (-0.0, 0.0)))
    assert type(IntegerAttr(True, I64).value) is int and str(IntegerAttr(True, I64)) == "1 : i64"


def test_wrong_values_are_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(TirError, match="a size must be 0 to"):
            TensorType((-1,), F32)
        with pytest.raises(TirError, match="integer 256 does not fit i8"):
            DenseArrayAttr(I8, (256,))
        with pytest.raises(TypeError, match="TensorType takes shape, element, encoding; got 1"):
            TensorType((2,))  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="TensorType takes"):
            TensorType((2,), F32, "", 0)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="TensorType takes"):
            TensorType((2,), F32, size=0)  # type: ignore[call-arg]


def test_objects_that_nobody_holds_are_dropped() -> None:
    gc.collect()
    before = len(TensorType._live)  # type: ignore[attr-defined]
    found = [TensorType((12345, size), F32) for size in range(100)]
    assert len(TensorType._live) == before + len(found)  # type: ignore[attr-defined]
    del found
    gc.collect()
    assert len(TensorType._live) <= before  # type: ignore[attr-defined]
