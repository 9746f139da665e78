"""What is said under the name of tir, mostly of arguments and results (docs/ir.md, "The calling convention"), checked.

A fact that cannot be understood must not be passed over in silence: it says how a caller has to call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tir.ir.affine import parse_affine
from tir.ir.attributes import ArrayAttr, Attribute, FloatAttr, IntegerAttr, StringAttr, SymbolRefAttr, UnitAttr
from tir.ir.errors import TirError, VerifyError, nearest
from tir.ir.ir import Op
from tir.ir.traits import Allocates, CountedLoop, FunctionLike, ParallelLoop, SymbolTable, Trait
from tir.ir.types import DYNAMIC, IntegerType, ShapedType, Type, element_type, parse_scalar_type

__all__ = ["check_attributes", "check_facts"]


def check_attributes(op: Op) -> None:
    """VerifyError if an attribute of the op begins with `tir.` and is none that tir has for such an op."""
    place = next((place for trait, place in _PLACES.items() if isinstance(op, trait)), "an op")
    for name in _unknown(op.attributes, place):
        raise VerifyError(f"{op.name}: has no attribute {name!r}", op.location, hint=_meant(name, place))


def check_facts(what: str, types: Sequence[Type], facts: Sequence[Mapping[str, Attribute]]) -> None:
    """TirError if a fact is not of its form or contradicts the type, or two have one name.

    what: "argument" or "result"; facts: those of each type, in order. A buffer for a result has the result's name, which
    may be that of an input, too.
    """
    names: set[tuple[str, bool]] = set()
    for i, (type, said) in enumerate(zip(types, facts)):
        for name in _unknown(said, _SIGNATURE):
            raise TirError(f"{what} {i}: has no attribute {name!r}", hint=_meant(name, _SIGNATURE))
        for name in said:
            if "." not in name:  # as upstream has it
                hint = nearest(f"tir.{name}", _FORMS) if f"tir.{name}" not in _FORMS else f"did you mean 'tir.{name}'?"
                raise TirError(f"{what} {i}: an attribute must have a prefix, as in 'tir.name', got {name!r}", hint=hint)
        for name, attribute in said.items():
            problem = _FORMS[name](attribute, type) if name in _FORMS else None
            if problem is not None:
                raise TirError(f"{what} {i}: {name} must be {problem}, got {attribute}")
        label = said.get("tir.name")
        if isinstance(label, StringAttr):
            named = (label.value, "tir.out" in said)
            if named in names:
                raise TirError(f"{what} {i}: the name {label} is taken by another {what}")
            names.add(named)


# Each check gives what the fact must be, or None if it is that.


def _name(attribute: Attribute, type: Type) -> str | None:
    return None if isinstance(attribute, StringAttr) and attribute.value else "a string that is not empty"


def _range(attribute: Attribute, type: Type) -> str | None:
    items = attribute.items if isinstance(attribute, ArrayAttr) else ()
    numbers = [item.value for item in items if isinstance(item, (IntegerAttr, FloatAttr))]
    is_range = len(items) == len(numbers) == 2 and numbers[0] <= numbers[1]
    return None if is_range else "two numbers, the smaller first"


def _dims(attribute: Attribute, type: Type) -> str | None:
    shape = type.shape if isinstance(type, ShapedType) else ()
    sizes = attribute.items if isinstance(attribute, ArrayAttr) else None
    if sizes is None or len(sizes) != len(shape):
        return f"a list of {len(shape)} sizes for {type}"
    for axis, (size, dim) in enumerate(zip(sizes, shape)):
        if isinstance(size, IntegerAttr) and (dim is DYNAMIC or size.value == dim):
            continue
        if not isinstance(size, StringAttr) or not _is_size(size.value):
            return f"sizes of {type}: numbers, or expressions over names (axis {axis})"
    return None


def _is_size(text: str) -> bool:
    try:
        parse_affine(text)
    except TirError:
        return text == "?"
    return True


def _dtype(attribute: Attribute, type: Type) -> str | None:
    stored = element_type(type)
    said = parse_scalar_type(attribute.value) if isinstance(attribute, StringAttr) else None
    if isinstance(stored, IntegerType) and isinstance(said, IntegerType) and said.width == stored.width:
        return None
    return f'an integer type of the width of {stored}, such as "ui{getattr(stored, "width", 8)}"'


def _symbol(attribute: Attribute, type: Type) -> str | None:
    return None if isinstance(attribute, SymbolRefAttr) else "the name of a shared variable, such as @w"


def _text(attribute: Attribute, type: Type) -> str | None:
    return None if isinstance(attribute, StringAttr) else "the label that is printed, as a string"


def _mark(attribute: Attribute, type: Type) -> str | None:
    return None if isinstance(attribute, UnitAttr) else "a mark without a value"


_FORMS: dict[str, Callable[[Attribute, Type], str | None]] = {
    "tir.name": _name,
    "tir.range": _range,
    "tir.dims": _dims,
    "tir.dtype": _dtype,
    "tir.shared": _symbol,
    "tir.update": _symbol,
    "tir.out": _mark,
    "tir.print": _text,
}

_SIGNATURE = "an argument or result"
_PLACES: dict[type[Trait], str] = {
    FunctionLike: "a function", SymbolTable: "a module", ParallelLoop: "a parallel loop", CountedLoop: "a loop",
    Allocates: "an allocation",
}  # fmt: skip
#: What may be said of what, in attributes that begin with `tir.`
_KNOWN = {
    "a module": ("tir.version",),
    "a function": ("tir.extern", "tir.jvp", "tir.vjp", "tir.wide_sums"),
    "a parallel loop": ("tir.threads", "tir.short"),
    "a loop": ("tir.short",),
    "an allocation": ("tir.slot", "tir.offset"),
    _SIGNATURE: tuple(_FORMS),
    "an op": (),
}


def _unknown(names: Iterable[str], place: str) -> list[str]:
    return [name for name in names if name.startswith("tir.") and name not in _KNOWN[place]]


def _meant(name: str, place: str) -> str:
    """What may be meant by a name that `place` does not have."""
    for other, known in _KNOWN.items():
        if name in known:
            return f"it is said of {other}"
    # Without the prefix, which makes any two names alike.
    is_near = nearest(name[4:], [known[4:] for known in _KNOWN[place]]) is not None
    near = nearest(name, _KNOWN[place]) if is_near else None
    return near or "one of your own has another prefix than tir."
