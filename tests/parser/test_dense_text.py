"""Constants: what `dense<..>` and `dense_resource<..>` mean, and what is refused."""

from __future__ import annotations

import math
import re
import struct

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.ir.affine import AffineName
from tir.ir.attributes import DenseAttr, DenseResourceAttr
from tir.ir.dense_text import dense_attribute, number
from tir.ir.errors import TirError
from tir.ir.types import (
    BF16,
    F16,
    F32,
    F64,
    I1,
    I8,
    I32,
    I64,
    INDEX,
    FunctionType,
    IntegerType,
    MemRefType,
    TensorType,
    Type,
    VectorType,
)
from tir.parser.parse import parse_text

UI8 = IntegerType(8, "u")


def dense(body: str, shape: tuple[int, ...], element: Type) -> DenseAttr:
    attribute = dense_attribute("dense", body, TensorType(shape, element))
    assert isinstance(attribute, DenseAttr)
    return attribute


@pytest.mark.parametrize(("body", "shape", "element", "want"), [
    ("[[1, 2], [3, 4]]", (2, 2), I32, [[1, 2], [3, 4]]),
    ("[ 1,\n 2 // two\n, 3 ]", (3,), I64, [1, 2, 3]),
    ("[255, -128, 0x7f]", (3,), I8, [-1, -128, 127]),
    ("[255, 0]", (2,), UI8, [255, 0]),
    ("[18446744073709551615, -9223372036854775808]", (2,), I64, [-1, -(1 << 63)]),
    ("[7, 8]", (2,), INDEX, [7, 8]),
    ("[true, false]", (2,), I1, [True, False]),
    ("[1, 0, -1]", (3,), I1, [True, False, True]),
    ("[1.5, -0.25e1, 1.]", (3,), F32, [1.5, -2.5, 1.0]),
    ("[0x3F800000, 2.0]", (2,), F32, [1.0, 2.0]),
    ("[[[1.0]]]", (1, 1, 1), F64, [[[1.0]]]),
    ("3", (), I32, 3),
    ("", (0,), F32, []),
    ("[]", (0,), I32, []),
    ("[[], []]", (2, 0), I32, [[], []]),
    ("5", (0,), I32, []),
    ("65504.0", (), F16, 65504.0),
])
def test_elements_are_those_of_numpy(body: str, shape: tuple[int, ...], element: Type, want: object) -> None:
    found = dense(body, shape, element).numpy()
    np.testing.assert_array_equal(found, np.array(want, dtype=found.dtype).reshape(shape))


def test_negative_zero_infinity_and_the_payload_of_a_nan_keep_their_bits() -> None:
    attribute = dense("[-0.0, 0x7F800000, 0xFF800000, 0x7FC12345]", (4,), F32)
    assert attribute.data == struct.pack("<4I", 0x80000000, 0x7F800000, 0xFF800000, 0x7FC12345)


def test_floats_are_rounded_to_nearest_even_in_their_type() -> None:
    assert dense("16777217.0", (), F32).splat_value == 16777216.0
    assert dense("[1.00390625, 1.01171875]", (2,), BF16).values() == [1.0, 1.015625]  # ties go to even
    assert dense("65519.99", (), F16).splat_value == 65504.0


def test_splat_stays_one_element_however_large_the_type_is() -> None:
    attribute = dense("1", (1 << 62,), I8)
    assert attribute.is_splat and attribute.data == b"\x01"


def test_equal_elements_become_a_splat() -> None:
    assert dense("[2.0, 2.0]", (2,), F32) is dense("2.0", (2,), F32)


@pytest.mark.parametrize(("body", "shape", "element", "want"), [
    ('"0x0100000002000000"', (2,), I32, [1, 2]),
    (' "0x0000803F" ', (3,), F32, [1.0, 1.0, 1.0]),
    ('"0x010001"', (3,), I1, [True, False, True]),  # one byte an element, as upstream has it now
    ('"0x05"', (3,), I1, [True, True, True]),
    ('"0x"', (0,), F32, []),
])
def test_hex_blob_is_little_endian_elements_or_one_for_a_splat(
    body: str, shape: tuple[int, ...], element: Type, want: list[object]
) -> None:
    assert dense(body, shape, element).numpy().tolist() == want


def test_constant_reads_back_from_its_own_text() -> None:
    values = np.arange(-50, 50, dtype=np.float32).reshape(10, 10) / 3
    attribute = DenseAttr.of(values, F32)
    body = str(attribute).removeprefix("dense<").rpartition(">")[0].rpartition("> :")[0]
    assert dense(body, (10, 10), F32) is attribute


def test_vector_constant() -> None:
    attribute = dense_attribute("dense", "[1, 2]", VectorType((2,), I32))
    assert str(attribute) == "dense<[1, 2]> : vector<2xi32>"


def test_resource_is_kept_by_its_key() -> None:
    attribute = dense_attribute("dense_resource", " w_1 ", TensorType((2,), F32))
    assert isinstance(attribute, DenseResourceAttr) and attribute.key_name == "w_1"
    assert dense_attribute("dense_resource", '"w 1"', TensorType((2,), F32)).key_name == "w 1"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("body", "shape", "element", "message"), [
    ("[[1, 2], [3]]", (2, 2), I32, "expected 2 elements in axis 1, got 1"),
    ("[1, 2]", (2, 1), I32, "expected 2 nested lists around '1', got 1"),
    ("[[1]]", (1,), I32, "expected 1 list, got more"),
    ("[1]", (), I32, "expected a number, got '['"),
    ("[1, 2", (2,), I32, "expected ']'"),
    ("1, 2]", (2,), I32, "expected 1 list around '1', got 0"),
    ("[1,, 2]", (2,), I32, "unexpected ','"),
    ("[1, ]", (1,), I32, "unexpected ']'"),
    ("[1 2]", (2,), I32, "expected ',' or ']' before '2'"),
    ("[]", (2, 0), I32, "expected 2 elements in axis 0, got 0"),
    ("[]", (1 << 40, 0), I32, "expected 1099511627776 elements in axis 0, got 0"),
    ("[1]", (1 << 62,), I8, "expected 4611686018427387904 elements in axis 0, got 1"),
    ("", (2,), I32, "expected elements"),
    ("256", (2,), I8, "integer 256 does not fit i8"),
    ("[256, 1]", (2,), I8, "integer 256 does not fit i8"),
    ("-1", (2,), UI8, "integer -1 does not fit ui8"),
    ("2", (2,), I1, "integer 2 does not fit i1"),
    ("true", (2,), I32, "expected an integer for i32, got 'true'"),
    ("1.0", (2,), I32, "expected an integer for i32, got '1.0'"),
    ("1", (2,), F32, "expected a float for f32, got the integer 1"),
    ("nan", (2,), F32, "expected a number for f32, got 'nan'"),
    ("0x1FFFFFFFF", (2,), F32, "0x1FFFFFFFF has more than the 32 bits of f32"),
    ("9" * 5000, (), I64, "integer 9999999999999999.. of 5000 characters does not fit i64"),
    ('"0x0102"', (3,), I32, "needs 12 bytes, or 4 for a splat, got 2"),
    ('"0x012"', (2,), I8, 'a string must be "0x" and two hex digits for each byte'),
    ('"abc"', (2,), I8, 'a string must be "0x" and two hex digits for each byte'),
    ("1", (2,), IntegerType(4), "element type i4"),
])
def test_what_does_not_fit_says_why(body: str, shape: tuple[int, ...], element: Type, message: str) -> None:
    with pytest.raises(TirError) as caught:
        dense(body, shape, element)
    assert message in str(caught.value)


@pytest.mark.parametrize("type", [
    I32, MemRefType((2,), I32), TensorType((AffineName("B"),), I32), FunctionType((), ()),
])
def test_type_must_be_a_tensor_or_vector_with_known_sizes(type: Type) -> None:
    with pytest.raises(TirError, match="must be a tensor or vector with known sizes"):
        dense_attribute("dense", "1", type)


def test_deep_lists_do_not_recurse() -> None:
    with pytest.raises(TirError, match="expected 1 list, got more"):
        dense("[" * 100_000 + "1" + "]" * 100_000, (1,), I32)


FLOATS = ["1e400", "-1.0e400", "1.8e308", "1.7976931348623157e308", "3.4028236e38", "3.4028235e38", "65519.99", "65520.0",
          "-65504.0", "1e-400", "0.0", "9" * 30 + ".0"]  # fmt: skip


@pytest.mark.parametrize("form", ["{x} : {t}", "dense<{x}> : tensor<2x{t}>", "dense<[1.0, {x}]> : tensor<2x{t}>", "array<{t}: {x}>"])
def test_literal_that_would_become_infinite_is_refused(form: str) -> None:
    for name, dtype in (("f16", np.float16), ("f32", np.float32), ("f64", np.float64)):
        for text in FLOATS:
            with np.errstate(over="ignore"):
                infinite = bool(np.isinf(dtype(float(text))))
            source = f'"test.x"() {{v = {form.format(x=text, t=name)}}} : () -> ()'
            if not infinite:
                parse_text(source, REGISTRY, allow_unregistered=True)
                continue
            with pytest.raises(TirError, match=re.escape(f"{text} is too large for {name}; infinity is 0x")):
                parse_text(source, REGISTRY, allow_unregistered=True)


def test_infinity_is_read_from_its_bits_as_the_message_says() -> None:
    with pytest.raises(TirError) as caught:
        number("-1e39", F32)
    assert number(caught.value.message.rpartition(" ")[2], F32) == -np.inf


def test_largest_bf16_is_what_rounds_to_it() -> None:
    # bfloat16 has 8 bits of precision: the numbers from 2^128 - 2^119 on round to 2^128, which it does not have.
    edge = 2.0**128 - 2.0**119
    assert number(repr(math.nextafter(edge, 0)), BF16) < edge
    with pytest.raises(TirError, match="is too large for bf16"):
        number(repr(edge), BF16)
