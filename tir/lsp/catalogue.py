"""What tir knows about ops, passes and facts, as Markdown for an editor."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from tir.ir.format import UNIFORM
from tir.ir.ir import Op
from tir.ir.pass_options import pass_options
from tir.ir.traits import Trait
from tir.passes.pipelines import ALL, PIPELINES

__all__ = ["FACTS", "attribute_text", "op_summary", "op_text", "pass_summary", "pass_text"]

_MANY = {"": "", "?": " (optional)", "*": " (any number)"}

# What is said of arguments and results of a function (docs/ir.md, "The calling convention").
FACTS = {
    "tir.name": "what callers call it",
    "tir.range": "the values that it may have: half-open for integers, closed for floats",
    "tir.dims": "its sizes where the type no longer names them",
    "tir.dtype": "the unsigned type that it had at the tensor level",
    "tir.shared": "the shared variable that this argument holds",
    "tir.update": "the shared variable that this result is the new value of",
    "tir.print": "the label with which this result is printed, instead of being returned",
    "tir.out": "the caller gives the memory for a result here",
}


def op_summary(cls: type[Op]) -> str:
    """The first sentence of an op's documentation."""
    return _documentation(cls).split("\n")[0]


def op_text(cls: type[Op]) -> str:
    """All that is declared about an op: what it computes, its form, operands, attributes and results."""
    lines = [f"**{cls.name}**", "", _documentation(cls), "", *_fields(cls)]
    traits = sorted({base.__name__ for base in cls.__mro__ if _is_trait(base)})
    if traits:
        lines += ["", f"Traits: {', '.join(traits)}"]
    form = getattr(cls, "format", None) or UNIFORM
    return "\n".join([*lines, "", "Form:", "", "```text", f"{cls.name} {form}", "```"])


def attribute_text(cls: type[Op], name: str) -> str | None:
    """What an attribute of an op may be; None if it declares none of this name."""
    declared = cls.definition.attributes.get(name)
    if declared is None:
        return None
    default = f"; `{declared.default}` if not given" if declared.default is not None else ""
    return f"attribute `{name}` of `{cls.name}`{_MANY[declared.many]}: {declared.kind.text}{default}"


def pass_summary(name: str) -> str:
    """The first sentence of a pass's documentation."""
    return inspect.cleandoc(ALL[name].__doc__ or "").split("\n")[0]


def pass_text(name: str) -> str:
    """The documentation of a pass or pipeline, with its options."""
    make = ALL[name]
    lines = [f"**--{name}**", "", inspect.cleandoc(make.__doc__ or "")]
    options = pass_options(make)
    if options:
        lines += ["", *(f"- option `{option}`, `{str(value).lower()}` if not given" for option, value in options.items())]
    if name in PIPELINES:
        lines += ["", f"`{make()}`"]
    return "\n".join(lines)


def _documentation(cls: type[Op]) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def _fields(cls: type[Op]) -> Iterator[str]:
    definition = cls.definition
    for one in definition.operands:
        yield f"- operand `{one.name}`{_MANY[one.many]}: {one.kind.text}"
    for name, declared in definition.attributes.items():
        default = f", `{declared.default}` if not given" if declared.default is not None else ""
        yield f"- attribute `{name}`{_MANY[declared.many]}: {declared.kind.text}{default}"
    for made in definition.results:
        yield f"- result `{made.name}`{_MANY[made.many]}: {made.kind.text}"


def _is_trait(base: type) -> bool:
    return issubclass(base, Trait) and base is not Trait and not issubclass(base, Op) and not base.__name__.startswith("_")
