"""Comparing what programs compute, and making inputs for them: what the tests of levels and passes stand on.

    arrays = generate_inputs(input_specs(function), seed=0, sizes={"B": 5})
    difference = first_difference(want, got, Tolerance.for_sizes([want]))

Nothing here runs a program; whoever does (`tir-run --check-levels`) compares the outcomes by these rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.ir.attributes import ArrayAttr, Attribute, FloatAttr, IntegerAttr
from tir.ir.bfloat16 import is_bfloat16, widened
from tir.ir.errors import ExecutionError
from tir.ir.execution import numpy_dtype
from tir.ir.ir import Op
from tir.ir.names import evaluate_dim
from tir.ir.types import DYNAMIC, INDEX, Dim, ShapedType, Type, dim_text, element_type, shape_names
from tir.lazy import np

__all__ = [
    "InputSpec", "Tolerance", "first_difference", "first_place", "generate_inputs", "generate_like", "input_ranges",
]  # fmt: skip

#: The sizes that are tried first for a named or unknown dimension: 1 to this.
FIRST_MAX_SIZE = 8
SIZE_TRIES = 400
#: Integers without `tir.range`: small enough for sums to stay exact.
LARGEST_INTEGER = 8
#: bf16 is computed in f32 and rounded behind each op, at every level alike: sums differ by a flip of the last bit or two.
BF16_ULPS = 4.0


# --- comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tolerance:
    """How far two results of one program may lie apart.

    Integers and booleans must be equal, and so must what is not finite: nan is nan, inf is inf of the same sign. Finite
    floats a (wanted) and b may differ by `ulps` * eps * |a|; with `by_array` by `ulps` * eps * max|a| over the finite
    elements of the array, because a sum that cancels is as exact as its terms are, not as its result is.
    """

    ulps: float = 4.0
    by_array: bool = False

    @classmethod
    def for_sizes(cls, arrays: Iterable[Any], slack: float = 64.0) -> Tolerance:
        """For whole programs on these arrays: a sum of n terms may be wrong by n * eps * sum|x|, so n counts.

        n: the largest size of an axis; slack: the ulps for all that is not a sum.
        """
        longest = max((size for array in arrays for size in np.shape(array)), default=1)
        return cls(slack + longest, by_array=True)

    def of_bf16(self) -> Tolerance:
        """The same for bf16 numbers that stand in float32."""
        return Tolerance(min(self.ulps, BF16_ULPS) * 2.0**16, self.by_array)  # eps is 2^-7, not 2^-23

    def allowed(self, want: Any) -> Any:
        """The largest allowed difference for each element of a float array."""
        eps = float(np.finfo(want.dtype).eps)
        magnitude = np.abs(np.where(np.isfinite(want), want, 0)).astype(np.float64)
        if self.by_array:
            magnitude = np.full(want.shape, magnitude.max(initial=0.0))
        # Below the smallest normal number an ulp does not shrink any more.
        return self.ulps * eps * np.maximum(magnitude, float(np.finfo(want.dtype).tiny))


def first_difference(want: Any, got: Any, tolerance: Tolerance) -> str | None:
    """Where and how `got` first differs from `want` by more than is allowed, in row-major order; None if it does not."""
    want, got = np.asarray(want), np.asarray(got)
    if is_bfloat16(want) and is_bfloat16(got):
        want, got, tolerance = widened(want), widened(got), tolerance.of_bf16()
    if want.dtype != got.dtype or want.shape != got.shape:
        return f"expected {want.dtype}{list(want.shape)}, got {got.dtype}{list(got.shape)}"
    wrong = _differs(want, got, tolerance)
    if not wrong.any():
        return None
    index, place = first_place(wrong)
    where = f"{place}: " if place else ""
    text = f"{where}expected {want[index]}, got {got[index]}"
    if want.dtype.kind == "f" and np.isfinite(want[index]) and np.isfinite(got[index]):
        text += f" (may differ by {tolerance.allowed(want)[index]:.2g})"
    count = int(wrong.sum())
    return text if count == 1 else f"{text}, and {count - 1} more of {want.size}"


def first_place(wrong: Any) -> tuple[tuple[Any, ...], str]:
    """The index of the first element that is true, and its text: `[0, 2]`, of an array of rank 0 none."""
    index = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    return index, f"[{', '.join(map(str, map(int, index)))}]" if index else ""


def _differs(want: Any, got: Any, tolerance: Tolerance) -> Any:
    if want.dtype.kind != "f":
        return want != got
    both_finite = np.isfinite(want) & np.isfinite(got)
    same = (want == got) | (np.isnan(want) & np.isnan(got))
    with np.errstate(all="ignore"):
        apart = np.abs(want.astype(np.float64) - got.astype(np.float64))
    return ~same & ~(both_finite & (apart <= tolerance.allowed(want)))


# --- inputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InputSpec:
    """An argument for which a value is to be made.

    range: the smallest number and the end, which is outside for integers and inside for floats; None for no limits.
    """

    name: str
    type: Type
    range: tuple[float, float] | None = None


def input_ranges(function: Op) -> list[tuple[float, float] | None]:
    """`tir.range` of each argument that a caller gives: of all but shared variables and buffers for results."""
    count = len(function.function_type.inputs)  # type: ignore[attr-defined]
    facts = [function.argument_attributes(i) for i in range(count)]  # type: ignore[attr-defined]
    return [_range(one.get("tir.range"), function) for one in facts if "tir.shared" not in one and "tir.out" not in one]


def _range(attribute: Attribute | None, function: Op) -> tuple[float, float] | None:
    if attribute is None:
        return None
    items = attribute.items if isinstance(attribute, ArrayAttr) else ()
    numbers = [item.value for item in items if isinstance(item, (IntegerAttr, FloatAttr))]
    if len(numbers) != 2 or len(items) != 2 or not numbers[0] <= numbers[1]:
        raise ExecutionError(f"tir.range must be two numbers, the smaller first, got {attribute}", function.location)
    return numbers[0], numbers[1]


def generate_inputs(specs: Sequence[InputSpec], seed: int, sizes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """An array (a scalar for a scalar type) for each argument, by name; the same for the same seed.

    sizes: by name, without brackets; the others are drawn, and all `?` have one size. Raises ExecutionError if no sizes
    are found that make every size at least 0, for a range with nothing in it, and for an unknown name in `sizes`.
    """
    random = np.random.default_rng(seed)
    size_of = _draw_sizes([spec.type for spec in specs], random, dict(sizes or {}))
    return {spec.name: _generate(spec, random, size_of) for spec in specs}


def generate_like(array: Any, seed: int) -> Any:
    """A value for a shared variable: floats in [0, 1/2), which suits weights, sums and squares; others as they are."""
    if array.dtype.kind != "f":
        return array
    return np.random.default_rng(seed).uniform(0.0, 0.5, array.shape).astype(array.dtype)


def _draw_sizes(types: Sequence[Type], random: Any, given: dict[str, int]) -> dict[str, int]:
    """A size for each name, and for "?"."""
    dims = [dim for type in types if isinstance(type, ShapedType) for dim in type.shape if not isinstance(dim, int)]
    names = sorted({str(name) for name in shape_names(dims)}) + ["?"]
    unknown = sorted(set(given) - set(names))
    if unknown:
        known = ", ".join(names[:-1]) or "none"
        raise ExecutionError(f"there is no size named '{unknown[0]}'; named are: {known}")
    largest = FIRST_MAX_SIZE
    for attempt in range(SIZE_TRIES):
        found = {name: given.get(name, int(random.integers(1, largest + 1))) for name in names}
        if all(_size(dim, found) >= 0 for dim in dims):
            return found
        largest *= 2 if attempt % 40 == 39 else 1
    texts = ", ".join(sorted({dim_text(dim) for dim in dims}))
    raise ExecutionError(f"no sizes found for which all of {texts} are at least 0; give some by name")


def _size(dim: Dim, size_of: Mapping[str, int]) -> int:
    if dim is DYNAMIC:
        return size_of["?"]
    return evaluate_dim(dim, lambda name: size_of[str(name)])


def _generate(spec: InputSpec, random: Any, size_of: Mapping[str, int]) -> Any:
    shape = tuple(_size(dim, size_of) for dim in spec.type.shape) if isinstance(spec.type, ShapedType) else ()
    dtype = numpy_dtype(spec.type)
    if dtype.kind == "b":
        values = random.integers(0, 2, shape).astype(dtype)
    elif dtype.kind in "iu":
        low, end = _integer_range(spec, dtype)
        values = random.integers(low, end, shape, dtype=dtype)
    elif spec.range is None:
        values = random.standard_normal(shape).astype(dtype)
    else:
        values = np.clip(random.uniform(*spec.range, shape), *spec.range).astype(dtype)
    return np.asarray(values) if isinstance(spec.type, ShapedType) else dtype.type(values)


def _integer_range(spec: InputSpec, dtype: Any) -> tuple[int, int]:
    if spec.range is None:
        is_unsigned = dtype.kind == "u" or element_type(spec.type) is INDEX
        return (0 if is_unsigned else -LARGEST_INTEGER), LARGEST_INTEGER
    info = np.iinfo(dtype)
    # What the range and the type have in common: -9 to 9 is 0 to 9 for unsigned numbers.
    low, end = max(int(spec.range[0]), int(info.min)), min(int(spec.range[1]), int(info.max) + 1)
    if low >= end:
        limits = ", ".join(str(int(number)) for number in spec.range)
        raise ExecutionError(f"argument '{spec.name}': no {element_type(spec.type)} is in tir.range [{limits}]")
    return low, end
