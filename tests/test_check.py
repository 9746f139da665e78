"""Comparing results, and making inputs, by rules that are written down."""

from __future__ import annotations

import numpy as np
import pytest

from tir.api import parse, type_from_text
from tir.check import InputSpec, Tolerance, first_difference, generate_inputs, generate_like, input_ranges
from tir.ir.errors import ExecutionError, TirErrors
from tir.ir.symbols import SymbolTable

EXACT = Tolerance(0)
FOUR_ULP = Tolerance(4)


def f32(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def specs(**types: str) -> list[InputSpec]:
    return [InputSpec(name, type_from_text(text)) for name, text in types.items()]


# --- comparing -------------------------------------------------------------------------------------------------------


def test_equal_arrays_do_not_differ() -> None:
    assert first_difference(f32(1, -0.0, np.inf, -np.inf, np.nan), f32(1, 0.0, np.inf, -np.inf, np.nan), EXACT) is None


def test_empty_arrays_do_not_differ() -> None:
    assert first_difference(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), FOUR_ULP) is None


def test_first_difference_is_named_with_its_position_and_the_number_of_others() -> None:
    want = np.zeros((2, 3), np.int32)
    got = np.array([[0, 0, 0], [0, 7, 8]], np.int32)
    assert first_difference(want, got, FOUR_ULP) == "[1, 1]: expected 0, got 7, and 1 more of 6"


def test_difference_of_a_scalar_has_no_position() -> None:
    assert first_difference(np.int64(3), np.int64(4), FOUR_ULP) == "expected 3, got 4"


@pytest.mark.parametrize(("ulps", "differs"), [(3, False), (4, False), (6, True)])
def test_floats_may_differ_by_the_ulps_of_the_tolerance(ulps: int, differs: bool) -> None:
    # 1 is the start of a binade, where eps * |want| is one ulp of the numbers above it.
    got = f32(1 + ulps * 2.0**-23)
    assert (first_difference(f32(1), got, FOUR_ULP) is not None) == differs


def test_by_array_the_largest_number_decides_for_all() -> None:
    want, got = f32(1000, 1), f32(1000, 1.0001)
    assert first_difference(want, got, Tolerance(4)) is not None
    assert first_difference(want, got, Tolerance(4, by_array=True)) is None


@pytest.mark.parametrize(("want", "got"), [(np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf), (np.inf, 3e38), (1.0, np.inf)])
def test_what_is_not_finite_must_be_the_same(want: float, got: float) -> None:
    assert first_difference(f32(want), f32(got), Tolerance(1e6, by_array=True)) is not None


def test_an_infinity_does_not_make_the_tolerance_of_its_array_infinite() -> None:
    assert first_difference(f32(np.inf, 1), f32(np.inf, 2), Tolerance(64, by_array=True)) is not None


def test_zero_may_differ_by_subnormal_numbers_alone() -> None:
    assert first_difference(f32(0), f32(4e-45), FOUR_ULP) is None
    assert first_difference(f32(0), f32(1e-37), FOUR_ULP) is not None


def test_integers_and_booleans_must_be_equal() -> None:
    assert first_difference(np.array([1, 2]), np.array([1, 3]), Tolerance(1e9, by_array=True)) is not None
    assert first_difference(np.array([True]), np.array([False]), Tolerance(1e9)) is not None


def test_other_dtypes_and_shapes_are_differences() -> None:
    assert first_difference(f32(1), np.array([1.0]), FOUR_ULP) == "expected float32[1], got float64[1]"
    assert first_difference(f32(1), f32(1, 1), FOUR_ULP) == "expected float32[1], got float32[2]"


def test_half_precision_is_judged_by_its_own_eps() -> None:
    half = np.array([1.0], np.float16)
    assert first_difference(half, half + np.float16(2 * 2.0**-10), FOUR_ULP) is None
    assert first_difference(half, half + np.float16(8 * 2.0**-10), FOUR_ULP) is not None


def test_tolerance_for_sizes_grows_with_the_longest_axis() -> None:
    assert Tolerance.for_sizes([np.zeros((3, 500)), np.float32(1)], slack=10).ulps == 510


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_inputs_have_the_types_dtypes_and_equal_named_sizes() -> None:
    made = generate_inputs(specs(x="tensor<[B]x4xf32>", y="tensor<[B]xi8>", m="tensor<2xi1>", s="f64", n="index"), seed=1)
    assert {name: str(np.asarray(value).dtype) for name, value in made.items()} == {
        "x": "float32", "y": "int8", "m": "bool", "s": "float64", "n": "int64",
    }  # fmt: skip
    assert made["x"].shape == (len(made["y"]), 4) and 1 <= len(made["y"]) <= 8
    assert np.ndim(made["s"]) == 0 and made["n"] >= 0


def test_the_same_seed_gives_the_same_inputs_and_another_gives_others() -> None:
    types = specs(x="tensor<[B]x64xf32>")
    first, again, other = (generate_inputs(types, seed, {"B": 3})["x"] for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_sizes_can_be_given_and_zero_is_one() -> None:
    assert generate_inputs(specs(x="tensor<[B]x[C]xf32>"), 0, {"B": 0, "C": 5})["x"].shape == (0, 5)


def test_all_unknown_sizes_are_one_number() -> None:
    made = generate_inputs(specs(x="tensor<?x?xf32>", y="tensor<?xf32>"), 0)
    assert len({*made["x"].shape, *made["y"].shape}) == 1
    assert generate_inputs(specs(x="tensor<?xf32>"), 0, {"?": 7})["x"].shape == (7,)


def test_sizes_are_drawn_until_expressions_over_them_are_sizes() -> None:
    made = generate_inputs(specs(x="tensor<[B]xf32>", y="tensor<[B - 20]xf32>"), 0)
    assert len(made["y"]) == len(made["x"]) - 20 >= 0


def test_sizes_that_cannot_be_are_an_error() -> None:
    with pytest.raises(ExecutionError, match=r"no sizes found for which all of \[B - 20\], \[B\] are at least 0"):
        generate_inputs(specs(x="tensor<[B]xf32>", y="tensor<[B - 20]xf32>"), 0, {"B": 3})


def test_a_size_with_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ExecutionError, match="no size named 'C'; named are: B"):
        generate_inputs(specs(x="tensor<[B]xf32>"), 0, {"C": 3})


def test_a_range_is_half_open_for_integers_and_closed_for_floats() -> None:
    i32, f16 = type_from_text("tensor<2000xi32>"), type_from_text("tensor<2000xf16>")
    made = generate_inputs([InputSpec("y", i32, (0, 3)), InputSpec("x", f16, (0.25, 0.5))], 0)
    assert set(made["y"].tolist()) == {0, 1, 2}
    assert made["x"].min() >= 0.25 and made["x"].max() <= 0.5


def test_a_range_that_the_type_holds_in_part_is_cut_to_the_type() -> None:
    made = generate_inputs([InputSpec("x", type_from_text("tensor<300xui8>"), (-9, 3))], 0)
    assert set(made["x"].tolist()) == {0, 1, 2}


def test_a_range_of_one_float_gives_that_float() -> None:
    (x,) = generate_inputs([InputSpec("x", type_from_text("tensor<3xf32>"), (2.0, 2.0))], 0).values()
    assert x.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(("text", "limits"), [("tensor<3xi32>", (5, 5)), ("tensor<3xi8>", (200, 1000))])
def test_an_integer_range_without_a_number_of_the_type_is_an_error(text: str, limits: tuple[int, int]) -> None:
    with pytest.raises(ExecutionError, match="argument 'x': no i(32|8) is in tir.range"):
        generate_inputs([InputSpec("x", type_from_text(text), limits)], 0)


def test_ranges_are_those_of_the_arguments_that_a_caller_gives() -> None:
    module = parse("""
        func.func @f(%x: f32 {tir.range = [0.0, 1.0]}, %n: i32, %w: memref<4xf32> {tir.shared = @w},
                     %y: i32 {tir.range = [0, 10]}, %out: memref<4xf32> {tir.out}) { return }
    """)
    assert input_ranges(SymbolTable(module).get("f")) == [(0.0, 1.0), None, (0, 10)]


@pytest.mark.parametrize("text", ["[1]", "[2, 1]", '"x"', "[1, 2, 3]", '["a", 2]'])
def test_a_malformed_range_is_a_located_error(text: str) -> None:
    with pytest.raises(TirErrors, match=r"f\.tir:1:1: .*tir.range must be two numbers, the smaller first"):
        parse(f"func.func @f(%x: i32 {{tir.range = {text}}}) {{ return }}", file="f.tir")


def test_generated_state_is_in_the_half_open_unit_half_and_integers_stay() -> None:
    made = generate_like(np.full((50,), -7, np.float32), seed=3)
    assert made.dtype == np.float32 and made.min() >= 0 and made.max() < 0.5
    key = np.array([1, 2], np.int32)
    assert generate_like(key, seed=3) is key
