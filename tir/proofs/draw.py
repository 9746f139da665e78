"""Programs that an expression fits, and inputs for them.

Names get types: one element type and mostly one shape for all of them, which is what most rules need, and else whatever
lets the program be built. All numbers that break rules are among the inputs, in all combinations where a rule is
elementwise; integers of 8 bits and truth values take every value.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.base import Elementwise, drop_axes
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.create import Full
from tir.dialects.tir.elements import number_attribute
from tir.dialects.tir.logic import Cast
from tir.ir.affine import AffineName
from tir.ir.define import create
from tir.ir.errors import TirError
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.types import DYNAMIC, F16, F32, F64, I1, Dim, FloatType, IntegerType, TensorType, Type, dtype_of
from tir.ir.verify import check
from tir.lazy import np
from tir.proofs.example import build_example, values_of
from tir.rewrites.declared import Declaration
from tir.rewrites.expression import Call, Expression, List, Name, names_of, walk
from tir.rewrites.pattern import attributes_of, build, op_class

__all__ = ["ELEMENTS", "Case", "Roles", "cases", "is_elementwise", "program", "roles_of"]

HARD_FLOATS = (
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, 3.0, -7.25, 1e-3, -1e-9, 1e-20, -1e-30, 20.0, -40.0, 100.0, -100.0,
    1000.0, -1000.0, 1e18, 1e30, -1e30, -3e38, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
#: Numbers that `number(c)` may be.
FLOAT_NUMBERS = (0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, 10.0, 1e30, float("inf"), float("nan"))
INTEGER_NUMBERS = (0, 1, -1, 2, 3, 7, 100, -128, 127, 255)
#: With equal sizes, so that wrong axes do not show in types alone, and with other ones.
SHAPES: tuple[tuple[Dim, ...], ...] = (
    (3,), (2, 3), (), (3, 3), (2, 2, 2), (2, 3, 4), (1,), (0, 2), (2, 1, 3), (DYNAMIC,), (AffineName("N"),),
    (DYNAMIC, 3), (AffineName("M"), AffineName("N")), (2, AffineName("N")),
)  # fmt: skip
#: What run time finds where types leave sizes open, one row for each set of inputs.
OPEN_SIZES = ((4, 3, 2), (2, 2, 2), (3, 1, 4), (0, 3, 1), (3, 2, 4))
#: Of what the elements of each set are drawn: sums of "whole" ones are often 0, those of "large" ones overflow in any order.
DRAWS = ("normal", "whole", "hard", "hard", "large")
ELEMENTS = (F32, F64, F16, IntegerType(8, "s"), IntegerType(8, "u"), I1, IntegerType(8))
MOST_POINTS = 70_000
MORE_POINTS = (0, 300, 30, 4)  # random numbers for each of so many values
ATTRIBUTE_DRAWS = 5
TAME = 30.0


@dataclass(frozen=True)
class Roles:
    """What the names of an expression are: values, numbers, and attributes with the op and the attribute each is of.

    repeated: the values that lack axes, with the name of these.
    """

    values: tuple[str, ...]
    numbers: tuple[str, ...]
    attributes: Mapping[str, tuple[str, str]]
    repeated: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """A module with @f, which computes the expression; what its names are; arrays for the values, several sets.

    types: of the values, which are the arguments. attributes: numbers and attributes.
    """

    module: Op
    element: Type
    types: Mapping[str, TensorType]
    attributes: Mapping[str, Any]
    inputs: tuple[Mapping[str, Any], ...]

    @property
    def function(self) -> Any:
        """@f."""
        return self.module.regions[0].block.first

    @property
    def value(self) -> Value:
        """What @f computes."""
        return self.function.entry.terminator.operand(0)


def roles_of(declaration: Declaration) -> Roles:
    """The names by what they are."""
    expression = declaration.before
    if declaration.after is None:
        return Roles(values_of(expression), (), {}, {})
    numbers: list[str] = []
    attributes: dict[str, tuple[str, str]] = {}
    repeated: dict[str, str] = {}
    for one in walk(expression):
        if not isinstance(one, Call):
            continue
        if one.function == "number":
            numbers += names_of(one)
        elif one.function in ("repeat", "cast"):
            what = "axes" if one.function == "repeat" else "element"
            attributes.update((name, (one.function, what)) for name in names_of(one.arguments[1]))
            if one.function == "repeat" and isinstance(one.arguments[1], Name):
                repeated.update((name, one.arguments[1].name) for name in _beside(one.arguments[0]))
        else:
            for attribute, value in attributes_of(one).items():
                what = "item" if isinstance(value, List) else attribute
                attributes.update((name, (one.function, what)) for name in names_of(value))
    values = [name for name in names_of(expression) if name not in numbers and name not in attributes]
    return Roles(tuple(values), tuple(numbers), attributes, repeated)


def _beside(expression: Expression) -> Iterator[str]:
    """The names of values that have the shape of the expression, if only because ops of elements stand in between."""
    match expression:
        case Name(name):
            yield name
        case Call(function, arguments) if function not in ("number", "repeat"):
            for one in arguments if issubclass(op_class(expression), Elementwise) else ():
                yield from _beside(one)


# --- programs --------------------------------------------------------------------------------------------------------


def cases(
    declaration: Declaration, seed: int = 0, tame: bool = False, elements: Sequence[Type] = ELEMENTS
) -> Iterator[Case]:
    """Programs that a declaration fits, of each of the element types that it allows, with all their inputs.

    tame: numbers that overflow nowhere.
    """
    expression, limits = declaration.before, declaration.limits
    roles, elementwise = roles_of(declaration), is_elementwise(declaration)
    make = build_example if declaration.after is None else build
    random = np.random.default_rng(seed)
    for element in elements:
        for numbers in itertools.product(*(_numbers(element, tame) for _ in roles.numbers)):
            given = dict(zip(roles.numbers, numbers))
            for whole, types, attributes in _typings(roles, element, elementwise, random):
                module = program(expression, types, {**given, **attributes}, make, whole)
                if module is not None:
                    pools = {name: _pool(type.element, len(types), numbers, random) for name, type in types.items()}
                    pools = {name: _limited(pool, limits, tame) for name, pool in pools.items()}
                    inputs = tuple(_inputs(types, pools, elementwise, random))
                    yield Case(module, element, types, {**given, **attributes}, inputs)


def _numbers(element: Type, tame: bool) -> Sequence[float | int | bool]:
    if element is I1:
        return (False, True)
    if isinstance(element, FloatType):
        return [number for number in FLOAT_NUMBERS if not tame or 1 / TAME <= abs(number) <= TAME]
    info = np.iinfo(np.dtype(dtype_of(element).numpy))
    return [number for number in INTEGER_NUMBERS if info.min <= number <= info.max]


def is_elementwise(declaration: Declaration) -> bool:
    """Each element of what it says depends on the same element of each name alone."""
    if declaration.after is None:
        return False
    calls = [one for one in walk(declaration.before) if isinstance(one, Call) and one.function != "number"]
    return all(one.function not in ("repeat", "cast") and _is_each_element(op_class(one)) for one in calls)


def _is_each_element(cls: type[Op]) -> bool:
    return issubclass(cls, Elementwise) and cls.same_everywhere


def _typings(
    roles: Roles, element: Type, elementwise: bool, random: Any
) -> Iterator[tuple[TensorType, dict[str, TensorType], dict[str, Any]]]:
    """The type that most values have, types for all, and attributes that may let the program be built."""
    for shape in [(AffineName("N"),)] if elementwise else SHAPES:
        tried: list[dict[str, Any]] = []
        for _ in range(ATTRIBUTE_DRAWS if roles.attributes and len(shape) > 1 else 1):
            attributes = {name: _attribute(what, len(shape), random) for name, (_, what) in roles.attributes.items()}
            if attributes in tried:
                continue
            tried.append(attributes)
            for truths in _some(roles.values):
                kinds = {name: I1 if name in truths else element for name in roles.values}
                gone = {name: attributes.get(roles.repeated.get(name, ""), ()) for name in roles.values}
                whole = TensorType(shape, element)
                types = {name: TensorType(drop_axes(shape, gone[name]), kind) for name, kind in kinds.items()}
                yield whole, types, attributes


def _some(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for count in range(max(len(names), 1)):
        yield from itertools.combinations(names, count)


def _attribute(what: str, rank: int, random: Any) -> Any:
    """An attribute of this name, for a tensor of this rank."""
    if what in ("axes", "over"):
        return sorted(random.permutation(rank)[: random.integers(0, rank + 1)].tolist())
    if what == "permutation":
        return random.permutation(rank).tolist()
    if what == "element":
        return ELEMENTS[random.integers(len(ELEMENTS))]
    return int(random.integers(0, max(rank, 1)))


def program(
    expression: Expression, types: Mapping[str, TensorType], given: Mapping[str, Any], make: Callable[..., Any] = build,
    whole: TensorType | None = None,
) -> Op | None:  # fmt: skip
    """The module with @f, of arguments with these types; None if the expression does not fit them without casts.

    whole: the type of what something is repeated to.
    """
    function = Func.make("f", list(types.values()), [])
    module = create(Module, regions=[Region([Block()])])
    module.body.append(function)
    b = TensorBuilder(function.entry, None, function.location)
    found = dict(given) | {name: b.tensor(argument) for name, argument in zip(types, function.arguments)}
    called = {one.function for one in walk(expression) if isinstance(one, Call)}
    try:
        made = make(expression, b, found, *_like(b, whole, called))
    except (TirError, TypeError, IndexError, ValueError):
        return None
    if make is build and "cast" not in called and any(isinstance(op, Cast) for op in function.entry):
        return None
    value = made.value if isinstance(made, Tensor) else made
    b.op(Return, [value])
    function.set_type(list(types.values()), [value.type])
    return module if not check(module) else None


def _like(b: TensorBuilder, whole: TensorType | None, called: Collection[str]) -> list[Tensor]:
    """A tensor of the type, if an expression with these calls takes its shape from one."""
    if whole is None or "repeat" not in called or DYNAMIC in whole.shape:
        return []
    return [b.make(Full, [], value=number_attribute(0, whole.element), result_types=[whole])]


# --- inputs ----------------------------------------------------------------------------------------------------------


def _inputs(
    types: Mapping[str, TensorType], pools: Mapping[str, Any], elementwise: bool, random: Any
) -> Iterator[dict[str, Any]]:
    """Sets of arrays: for an elementwise program all combinations of hard numbers, in vectors; else draws of them.

    Where types leave sizes open, they are other ones for each value in the last set.
    """
    if elementwise and types:
        grid = np.meshgrid(*pools.values(), indexing="ij")
        yield {name: np.ascontiguousarray(one.ravel()[:MOST_POINTS]) for name, one in zip(pools, grid)}
        return
    for kind, sizes in zip(DRAWS, OPEN_SIZES):
        yield {name: _drawn(type, sizes, pools[name], kind, random) for name, type in types.items()}
    if len(types) > 1 and any(DYNAMIC in type.shape for type in types.values()):
        for_each = enumerate(types.items())
        yield {name: _drawn(type, OPEN_SIZES[0], pools[name], "normal", random, k) for k, (name, type) in for_each}


def _pool(element: Type, count: int, numbers: Sequence[Any], random: Any) -> Any:
    """What the elements of one of `count` values may be: hard numbers, those near the numbers of the rule, and others."""
    dtype = np.dtype(dtype_of(element).numpy)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind == "f":
        near = [0.9 * np.finfo(dtype).max, *(sign * number for number in numbers for sign in (1, -1))]
        others = random.normal(0, 2, MORE_POINTS[min(count, 3)]) * 10.0 ** random.integers(-6, 4, MORE_POINTS[min(count, 3)])
        with np.errstate(over="ignore", under="ignore"):
            return np.concatenate([HARD_FLOATS, near, others]).astype(dtype)
    info = np.iinfo(dtype)
    every = np.arange(info.min, info.max + 1).astype(dtype)
    return every if count <= 2 else every[:: 7 if count == 3 else 29]


def _limited(pool: Any, limits: tuple[float, bool], tame: bool) -> Any:
    """The numbers within the limits."""
    if pool.dtype.kind != "f":
        return pool
    size, (most, finite) = np.abs(pool), limits
    if tame:
        return pool[(size <= TAME) & (size >= 1 / TAME)]
    return pool[(size <= most) & np.isfinite(pool)] if finite else pool[(size <= most) | ~np.isfinite(pool)]


def _drawn(type: TensorType, sizes: Sequence[int], pool: Any, kind: str, random: Any, more: int = 0) -> Any:
    """An array. sizes: of the axes that are open; of those without a name so many more. kind: see DRAWS."""
    known = [size + more if dim is DYNAMIC else size for dim, size in zip(type.shape, sizes)]
    shape = tuple(dim if isinstance(dim, int) else size for dim, size in zip(type.shape, known))
    if kind == "normal" and pool.dtype.kind == "f":
        return random.normal(0, 3, size=shape).astype(pool.dtype)
    if kind == "whole" and pool.dtype.kind == "f":
        pool = np.array((-2, -1, 1, 2), pool.dtype)
    elif kind == "large" and pool.dtype.kind == "f":
        largest = np.max(pool, initial=1, where=np.isfinite(pool))
        pool = np.concatenate([np.array((1, 0.6, 0.3)) * largest, (0.5, -0.25)]).astype(pool.dtype)
    return random.choice(pool, size=shape)
