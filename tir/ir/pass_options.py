"""The options of passes as values and as text: `{max-iterations=3 fp-mode=strict sizes=8,16}`.

Options stand between spaces; a comma also ends one. A switch needs no value. A value may be quoted, `'a b'` or `"a b"`,
or stand in braces, `{a b}`; quoted pieces that touch are one value. A list is written with commas.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tir.ir.errors import PassError, nearest

__all__ = ["OptionError", "closing_brace", "option_text", "option_values", "options_text", "pass_options"]

_NAME = re.compile(r"[^\s,={}'\"]+")
_PLAIN = re.compile(r"[^\s,={}'\"]+\Z")
_NEXT_OPTION = re.compile(r"\s*[^\s,={}'\"]+=")


class OptionError(PassError):
    """An option that a pass does not take. offset: where in the text of the options."""

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset


def pass_options(make: Callable[..., Any]) -> dict[str, Any]:
    """The options of a pass by name in the text, each with its default. A function takes its parameters as options."""
    if dataclasses.is_dataclass(make):
        return {_text_name(f.name): _default(f) for f in dataclasses.fields(make) if f.init}
    code = getattr(make, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code is not None else ()
    return {_text_name(name): value for name, value in zip(names, getattr(make, "__defaults__", None) or ())}


def _text_name(name: str) -> str:
    return name.replace("_", "-")


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if callable(field.default_factory) else field.default


# --- values to text --------------------------------------------------------------------------------------------------


def options_text(make: Any) -> str:
    """The options of a pass that are not the default, as `{a=1 b=x}`; "" if there are none."""
    given = ((name, getattr(make, name.replace("-", "_")), default) for name, default in pass_options(type(make)).items())
    changed = [f"{name}={option_text(value)}" for name, value, default in given if value != default]
    return f"{{{' '.join(changed)}}}" if changed else ""


def option_text(value: Any) -> str:
    """A value as an option's text, which reads back as the same value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return f"{{{','.join(map(option_text, value))}}}"
    if isinstance(value, (int, float)):
        return repr(value)
    return value if _PLAIN.match(value) else _quoted(value)


def _quoted(text: str) -> str:
    """`text` in quotes; where it has quotes itself, pieces in the other kind that touch."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    return "".join(f'"{piece}"' if piece[0] == "'" else f"'{piece}'" for piece in re.findall(r"'+|[^']+", text))


# --- text to values --------------------------------------------------------------------------------------------------


def option_values(pass_name: str, text: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """The options that `text` gives (without the braces around it), by the names of the fields.

    known: name in the text -> default, whose type is the option's. OptionError says what is wrong and where.
    """
    values: dict[str, Any] = {}
    for name, value, offset in _split(text, known):
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            hint = nearest(name, known)
            raise OptionError(f"pass {pass_name} has no option '{name}'", offset, f"{has}; {hint}" if hint else has)
        field = name.replace("-", "_")
        if field in values:
            raise OptionError(f"pass {pass_name}: option '{name}' is given twice", offset)
        try:
            values[field] = _value(value, known[name])
        except _WrongValue as wrong:
            raise OptionError(f"pass {pass_name}: option '{name}' must be {wrong}", offset) from None
    return values


def closing_brace(text: str, at: int) -> int:
    """Where the brace at `at` is closed; quoted text does not count. OptionError if it is not."""
    depth, i = 0, at
    while i < len(text):
        if text[i] in "'\"":
            i = _closing_quote(text, i)
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
        i += 1
    raise OptionError("'{' is not closed", at)


def _closing_quote(text: str, at: int) -> int:
    end = text.find(text[at], at + 1)
    if end < 0:
        raise OptionError(f"the quote {text[at]} is not closed", at)
    return end


def _split(text: str, known: Mapping[str, Any]) -> Iterator[tuple[str, str | None, int]]:
    """Each option: its name, its value as written (None without `=`), and where it starts."""
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] == ",":
            at += 1
            continue
        match = _NAME.match(text, at)
        if match is None:
            raise OptionError("expected an option", at)
        start, end = at, match.end()
        if text[end : end + 1] == "=":
            at = _end_of_value(text, end + 1, isinstance(known.get(match[0]), (tuple, list)))
            yield match[0], text[end + 1 : at], start
        else:
            at = end
            yield match[0], None, start


def _end_of_value(text: str, at: int, many: bool) -> int:
    """A space ends a value, and so does a comma; in a list only one with `name=` behind it."""
    while at < len(text) and not text[at].isspace():
        if text[at] == "," and not (many and not _NEXT_OPTION.match(text, at + 1)):
            break
        if text[at] in "'\"":
            at = _closing_quote(text, at)
        elif text[at] == "{":
            at = closing_brace(text, at)
        at += 1
    return at


class _WrongValue(Exception):
    """The text is what an option must be, and what was got."""


def _value(text: str | None, default: Any) -> Any:
    """`text` as a value of the type of the option's default; a switch needs none."""
    if isinstance(default, (tuple, list)):
        if text is None:
            raise _WrongValue("a list, got nothing")
        like = default[0] if default else ""
        return type(default)(_value(element, like) for element in _elements(text))
    plain = _unquoted(text) if text is not None else None
    try:
        if isinstance(default, bool):
            return {None: True, "true": True, "false": False, "1": True, "0": False}[plain]
        if plain is not None:
            return type(default)(plain)
    except (KeyError, ValueError):
        pass
    kind = {bool: "true or false", int: "an integer", float: "a number"}.get(type(default), "text")
    raise _WrongValue(f"{kind}, got '{plain[:40]}'" if plain is not None else f"{kind}, got nothing")


def _elements(text: str) -> list[str]:
    """The elements of a list as written: `1,2` or `{1,2}`; `{}` is the empty one."""
    if text.startswith("{") and closing_brace(text, 0) == len(text) - 1:
        text = text[1:-1]
    found, start = [], 0
    while start < len(text):
        end = _end_of_value(text, start, False)
        while end < len(text) and text[end] != ",":
            end = _end_of_value(text, end + 1, False)
        found.append(text[start:end].strip())
        start = end + 1
    return found + [""] * text.endswith(",")


def _unquoted(text: str) -> str:
    """What a value as written stands for."""
    if text.startswith("{") and closing_brace(text, 0) == len(text) - 1:
        return text[1:-1].strip()
    out, at = [], 0
    while at < len(text):
        end = at + 1
        if text[at] in "'\"":
            end = _closing_quote(text, at)
            out.append(text[at + 1 : end])
            end += 1
        else:
            out.append(text[at])
        at = end
    return "".join(out)
