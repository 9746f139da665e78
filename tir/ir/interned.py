"""Immutable objects of which equal ones are the same object, so that comparing is `is`.

A subclass declares its fields by annotation, with defaults; its constructor takes them in order or by name:

    class IntegerType(Type):
        width: int
        signedness: str = ""

`prepare` may check and normalise the field values; `key` may tell apart values that Python calls equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Any:
        return lambda cls: cls


__all__ = ["Interned"]


def _rests(fields: Sequence[str], defaults: Mapping[str, Any]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """How many fields must be given, and more, each with the values that the others have then."""
    for count in range(len(fields), -1, -1):
        if not all(field in defaults for field in fields[count:]):
            return
        yield count, tuple(defaults[field] for field in fields[count:])


@dataclass_transform(frozen_default=True)
class _InternedMeta(type):
    """Gives each class slots for its annotated fields and one table of its live objects."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _InternedMeta:
        inherited = {f for base in bases for f in getattr(base, "_fields", ())}
        declared = [f for f, kind in body.get("__annotations__", {}).items() if not str(kind).startswith("ClassVar")]
        own = [f for f in declared if f not in inherited]
        defaults = {f: body.pop(f) for f in declared if f in body}
        body["__slots__"] = (*own, *body.get("__slots__", ()))
        cls = super().__new__(mcs, name, bases, body)
        cls._fields = (*getattr(cls, "_fields", ()), *own)  # type: ignore[attr-defined]
        cls._defaults = {**getattr(cls, "_defaults", {}), **defaults}  # type: ignore[attr-defined]
        cls._rests = dict(_rests(cls._fields, cls._defaults))  # type: ignore[attr-defined]
        has_own_key = any("key" in vars(base) for base in cls.__mro__[:-2])  # the last two are Interned and object
        cls._by_values = not has_own_key  # type: ignore[attr-defined]
        cls._live = WeakValueDictionary()  # type: ignore[attr-defined]
        return cls

    def __call__(cls, *args: Any, **named: Any) -> Any:
        fields: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]
        if named or len(args) != len(fields):
            rest = None if named else cls._rests.get(len(args))  # type: ignore[attr-defined]
            args = cls._bind(args, named) if rest is None else args + rest
        if cls._by_values and (found := cls._known(args)) is not None:  # type: ignore[attr-defined]
            return found
        args = cls.prepare(*args)  # type: ignore[attr-defined]
        key = cls.key(*args)  # type: ignore[attr-defined]
        live = cls._live  # type: ignore[attr-defined]
        found = live.get(key)
        if found is not None:
            return found
        made: Any = object.__new__(cls)  # type: ignore[arg-type]
        for field, value in zip(fields, args):
            object.__setattr__(made, field, value)
        made.finish()
        return live.setdefault(key, made)

    def _known(cls, args: tuple[Any, ...]) -> Any:
        """The live object with these very values, which need not be prepared again."""
        try:
            return cls._live.get(args)  # type: ignore[attr-defined]
        except TypeError:  # a list among them, which `prepare` makes a tuple
            return None

    def _bind(cls, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        fields: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]
        values = {**cls._defaults, **dict(zip(fields, args)), **named}  # type: ignore[attr-defined]
        if len(args) > len(fields) or set(values) != set(fields):
            raise TypeError(f"{cls.__name__} takes {', '.join(fields)}; got {len(args)} and {sorted(named)}")
        return tuple(values[f] for f in fields)


class Interned(metaclass=_InternedMeta):
    """Base of types, attributes and affine expressions."""

    __slots__ = ("__weakref__",)
    _fields: ClassVar[tuple[str, ...]]

    @classmethod
    def prepare(cls, *values: Any) -> tuple[Any, ...]:
        """The field values, checked and normalised. What it gave it would give again."""
        return values

    @classmethod
    def key(cls, *values: Any) -> Any:
        """What makes two objects the same one."""
        return values

    def finish(self) -> None:
        """Fills derived slots of a new object."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, f) for f in self._fields)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(repr(getattr(self, f)) for f in self._fields)})"
