"""What is handed to the methods of a builder, checked by their annotations: a mistake is told where it is made.

`Checked` wraps the methods of the builder that users write programs with. The kind of an argument is the text
of its annotation, which `KINDS` says in words and tests. An error from inside a method that has no place, such as one
about shapes, gets the place of the call. The builders of passes are not checked: what they are given is tir's own.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from tir.dialects.tir.build.core import SizeOf, Tensor, is_tensor_like, told
from tir.dialects.tir.build.hints import in_python
from tir.dialects.tir.build.loops import Taps
from tir.dialects.tir.window import WindowAxis
from tir.ir.affine import AffineExpr
from tir.ir.builder import Builder
from tir.ir.errors import TirError, nearest
from tir.ir.ir import Value
from tir.ir.slips import synonyms
from tir.ir.types import I32, ShapedType, TensorType, Type, type_of_dtype
from tir.lazy import np

__all__ = ["KINDS", "Checked"]

# --- kinds of arguments ----------------------------------------------------------------------------------------------


def _no_cure(given: Any) -> str | None:
    return None


@dataclass(frozen=True)
class Kind:
    """What an argument must be, in words, and the test. cure: a hint for what is often given instead."""

    words: str
    accepts: Callable[[Any], bool]
    cure: Callable[[Any], str | None] = _no_cure

    def check(self, what: str, given: Any) -> None:
        """TirError unless it is one."""
        if not self.accepts(given):
            raise TirError(f"{what} must be {self.words}, got {told(given)}", hint=self.cure(given))


@dataclass(frozen=True)
class ListOf:
    """A list, a tuple or anything else that has a length, of one kind. alone: what may stand for a list of one."""

    plural: str
    item: Kind
    alone: Kind | None = None

    def check(self, what: str, given: Any) -> None:
        """TirError unless it is a list of this kind."""
        if self.alone is not None and self.alone.accepts(given):
            return
        if not _is_list(given):
            words = f"a list of {self.plural}" if self.alone is None else f"{self.alone.words}, or a list of {self.plural}"
            hint = "[..] around it makes a list of one" if self.item.accepts(given) else None
            raise TirError(f"{what} must be {words}, got {told(given)}", hint=hint)
        for number, one in enumerate(given):
            if not self.item.accepts(one):
                self.item.check(f"{what}[{number}]", one)


def _is_list(given: Any) -> bool:
    if isinstance(given, (list, tuple)):
        return True
    if isinstance(given, (str, bytes, Mapping, Tensor)) or (isinstance(given, np.ndarray) and given.ndim == 0):
        return False
    return hasattr(given, "__len__") and hasattr(given, "__iter__")


def _is_whole(given: Any) -> bool:
    if type(given) is int:
        return True
    try:
        operator.index(given)
    except TypeError:
        return False
    return not isinstance(given, (bool, np.bool_))


def _is_number(given: Any) -> bool:
    if isinstance(given, (int, float)):
        return True
    return isinstance(given, (np.generic, np.ndarray)) and given.ndim == 0 and given.dtype.kind in "biuf"


def _is_size(given: Any) -> bool:
    if isinstance(given, (AffineExpr, Value, SizeOf)):
        return True
    return _is_whole(given) and operator.index(given) >= 0


def _cure_of_size(given: Any) -> str | None:
    return "b.to_index makes a size of a tensor<i64>" if isinstance(given, Tensor) else None


def _cure_of_size_in_shape(given: Any) -> str | None:
    return "-1 does not stand for the rest" if _is_whole(given) and given == -1 else _cure_of_size(given)


def _is_key(given: Any) -> bool:
    if isinstance(given, (Tensor, Value)):
        return given.type is TensorType((2,), I32)
    return isinstance(given, np.ndarray) and given.shape == (2,) and given.dtype == np.int32


def _cure_of_key(given: Any) -> str:
    if _is_whole(given):
        return f"b.rng_key({given}) makes one"
    if isinstance(given, Tensor) and given.type.element is I32 and given.type.rank > 1:
        return "one of several keys is keys[0]"
    return "b.rng_key(seed) makes one"


def _is_pair(given: Any) -> bool:
    return _is_list(given) and len(given) == 2 and all(_is_list(part) and all(map(_is_whole, part)) for part in given)


def _is_element(given: Any) -> bool:
    return isinstance(given, Type) and not isinstance(given, ShapedType)


def _is_argument(given: Any) -> bool:
    return isinstance(given, (Type, str)) or (hasattr(given, "range") and hasattr(given, "type"))


def _cure_of_element(given: Any) -> str | None:
    """`tir.F32` for "f32", "float32" and numpy.float32."""
    try:
        name = given if isinstance(given, str) and given in NAMED_ELEMENTS else str(type_of_dtype(np.dtype(given).name))
    except (TypeError, ValueError, TirError):
        return None
    return f"write tir.{name.upper()}" if given is not None and name in NAMED_ELEMENTS else None


NAMED_ELEMENTS = ("f32", "f64", "i1", "i32", "i64")  #: what is to be had as `tir.F32`, `tir.F64`, ..

TENSOR = Kind("a tensor, a number or an array", is_tensor_like)
TENSOR_OR_TAPS = Kind("a tensor, a number, an array or b.taps of one", lambda x: isinstance(x, Taps) or is_tensor_like(x))
ONE_SEQUENCE = Kind(TENSOR_OR_TAPS.words, lambda x: TENSOR_OR_TAPS.accepts(x) and not isinstance(x, (list, tuple)))
WHOLE = Kind("a whole number", _is_whole)
WHOLE_OR_NONE = Kind("a whole number or None", lambda given: given is None or _is_whole(given))
NUMBER = Kind("a number", _is_number)
SIZE = Kind("a size, a whole number of at least 0", _is_size, _cure_of_size)
SWITCH = Kind("True or False", lambda given: isinstance(given, (bool, np.bool_)))
KEY = Kind("a tensor<2xi32>", _is_key, _cure_of_key)
WORD = Kind("a string", lambda given: isinstance(given, str))
ELEMENT = Kind("an element type such as tir.F32", _is_element, _cure_of_element)
FUNCTION = Kind("a function", callable, lambda given: "`lambda: ..` around it makes one" if is_tensor_like(given) else None)

WHOLES, TENSORS = ListOf("whole numbers", WHOLE), ListOf("tensors, numbers or arrays", TENSOR)
SIZES = ListOf("sizes", Kind(SIZE.words, _is_size, _cure_of_size_in_shape))

#: By the text of an annotation; one that ends in `| None` may be None, too.
KINDS: dict[str, Kind | ListOf] = {
    "TensorLike": TENSOR,
    "Key": KEY,
    "Sequence[TensorLike]": TENSORS,
    "Values": TENSORS,
    "Sequence[TensorLike | Taps]": ListOf("tensors, numbers, arrays or b.taps of them", TENSOR_OR_TAPS),
    "Several": ListOf("several", TENSOR_OR_TAPS, ONE_SEQUENCE),
    "bool": SWITCH,
    "int": WHOLE,
    "float": NUMBER,
    "int | float": NUMBER,
    "int | float | bool": NUMBER,
    "Sequence[int]": WHOLES,
    "Sequence[int] | int": ListOf("whole numbers", WHOLE, WHOLE),
    "tuple[Sequence[int], Sequence[int]]": Kind("a pair of lists of whole numbers", _is_pair),
    "Sequence[int | None] | int": ListOf("whole numbers", WHOLE_OR_NONE, WHOLE),
    "Extent": SIZE,
    "Sequence[Extent]": SIZES,
    "Shape": SIZES,
    "Extent | Shape": ListOf("sizes", SIZE, SIZE),
    "str": WORD,
    "Type": ELEMENT,
    "Sequence[WindowAxis]": ListOf("window axes", Kind("a WindowAxis", lambda given: isinstance(given, WindowAxis))),
    "Argument | Type | str": Kind("a type, the text of one or b.argument of one", _is_argument),
    "Step": FUNCTION,
}
_MAY_BE_NONE = " | None"


def _kind_of(annotation: str) -> Kind | ListOf | None:
    """The kind that an annotation names; None if anything may be given."""
    annotation = annotation.removesuffix(_MAY_BE_NONE)
    annotation = {"Numbers": "Sequence[int]"}.get(annotation, annotation)
    return FUNCTION if annotation.startswith("Callable[") else KINDS.get(annotation)


# --- methods ---------------------------------------------------------------------------------------------------------


class Checked(type):
    """Makes a class whose public methods, inherited ones too, check what users give them; subclasses add what they like.

    Those of `Builder` of tir.ir are for tir itself. The class must have the attribute is_in_method: such a method is
    running, and no function of the user inside of it.
    """

    def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> Any:
        if any(isinstance(base, cls) for base in bases):
            return super().__new__(cls, name, bases, members)
        methods = {label: method for base in bases for label, method in inspect.getmembers(base)} | members
        checked = {label: _checked(label, method) for label, method in methods.items() if _is_for_users(label, method)}
        return super().__new__(cls, name, bases, members | checked)


def _is_for_users(name: str, method: Any) -> bool:
    return not name.startswith("_") and inspect.isfunction(method) and not hasattr(Builder, name)


def _checked(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method with its arguments checked, and a place for each error."""
    signature = inspect.signature(method)
    arguments = _Arguments(name, list(signature.parameters.values())[1:])

    @wraps(method)
    def checked(self: Any, *given: Any, **named: Any) -> Any:
        if self.is_in_method:  # what tir hands on itself
            return method(self, *given, **named)
        self.is_in_method = True
        try:
            arguments.check(given, named)
            return method(self, *given, **named)
        except TirError as error:
            if error.location is None:
                error.location = self.here()
            raise
        finally:
            self.is_in_method = False

    return checked


class _Arguments:
    """The arguments of a method."""

    def __init__(self, method: str, parameters: Sequence[inspect.Parameter]) -> None:
        self.method = method
        by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.by_place = [self._checks(p) for p in by_place]
        self.by_name = {p.name: self._checks(p) for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        self.more = next((self._checks(p) for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.more_named = next((self._checks(p) for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self.names = [p.name for p in by_place]
        self.needed = [p.name for p in by_place if p.default is p.empty]

    def _checks(self, parameter: inspect.Parameter) -> tuple[str, Kind | ListOf | None, bool]:
        """What messages call the parameter, its kind, and whether it may be None."""
        may_be_none = parameter.annotation.endswith(_MAY_BE_NONE) or parameter.annotation == "Numbers"
        return f"{self.method}: {parameter.name}", _kind_of(parameter.annotation), may_be_none

    def check(self, given: Sequence[Any], named: Mapping[str, Any]) -> None:
        """TirError unless the method takes this."""
        self._check_names(given, named)
        for number, x in enumerate(given):
            if number < len(self.by_place):
                what, kind, may_be_none = self.by_place[number]
            else:
                assert self.more is not None
                what, kind, may_be_none = self.more
                what = f"{what}[{number - len(self.by_place)}]"
            if kind is not None and not (x is None and may_be_none):
                kind.check(what, x)
        for name, x in named.items():
            what, kind, may_be_none = self.by_name.get(name) or (f"{self.method}: {name}", *self.more_named[1:])  # type: ignore[index]
            if kind is not None and not (x is None and may_be_none):
                kind.check(what, x)

    def _check_names(self, given: Sequence[Any], named: Mapping[str, Any]) -> None:
        """TirError if there are too many or too few arguments, or some that the method does not know."""
        if self.more is None and len(given) > len(self.by_place):
            most = ", ".join(self.names)
            takes_list = any(isinstance(kind, ListOf) for _, kind, _ in self.by_place)
            hint = "several stand in a list, [..]" if takes_list else None
            raise TirError(f"{self.method}: takes {most}, got {len(given)} arguments", hint=hint)
        for name in named:
            if name not in self.by_name and self.more_named is None:
                other = in_python(synonyms.word_hint(name, self.by_name))
                hint = other or nearest(name, self.by_name) or f"it has {', '.join(self.by_name)}"
                raise TirError(f"{self.method}: there is no argument '{name}'", hint=hint)
            if name in self.names[: len(given)]:
                raise TirError(f"{self.method}: {name} is given twice, by its place and by its name")
        for name in self.needed[len(given) :]:
            if name not in named:
                raise TirError(f"{self.method}: {name} is missing, it takes {', '.join(self.names)}")
