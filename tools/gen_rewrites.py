"""docs/rewrites.md: a table of all rules, with what each says, its class, and its proof out of a test run."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tir.ir.rewrite import CLASSES, Rule
from tir.passes.canonicalize import FAMILIES as CANONICAL
from tir.passes.pipelines import PASSES
from tir.passes.rule_pass import RulePass
from tir.rewrites.expression import Call, Expression
from tir.rewrites.families import FAMILIES, LATE
from tools.rules_status import FILE, all_rules, outdated

__all__ = ["rewrites_page"]

#: Families without examples, in the words of FAMILIES.
OTHER_LEVELS = {
    "control": "branches and loops of the tensor level: what is carried or stacked for nothing goes",
    "math": "functions of scalars: magnitudes",
    "scf": "loops and branches below: what is carried or handed on for nothing goes",
    "tensor": "the structured level: a number that is read needs no tensor around it",
    "read-through-write": "what is read where something was just written is what was written",
}
NOT_RUN = "not run: `make rules-status`"
INTRODUCTION = """\
Every rule of the passes that rewrite, one algebraic fact each. Its class says what happens to numbers:

- **exact**: the same bits, of nan, infinities and -0.0, too;
- **accurate**: other bits, but never a larger error, for the reason that the rule gives. What nan makes nan stays so; what
  an infinity makes nan may become the limit. A rule *for finite numbers*, or for those *up to* a size, says nothing of
  others: there, what was finite may be nan or infinite, and a nan may go;
- **fast**: the error may be larger; only with `fp-mode=fast`.

Each rule is tried on programs that are made from what it says: with all values of small integers, and of floats all those
that break rules, at sizes that types know, name, or leave open. Both sides are run, and compared by the class: by bits, or
with arithmetic of many digits (mpmath). Where a rule may run before `autodiff`, so are gradients. Rules in Python have
examples for it (two are shown, and one that they must not fit); rules about loops, branches and writes are tried on the
programs of the text tests of their passes. What is tried, and how much of it was right, is in the last column.
[add-a-rewrite.md](add-a-rewrite.md) shows how to write a rule, and `tir-opt --rules` reads them from a file.
"""


def rewrites_page(note: str) -> str:
    """The text of the page."""
    file = json.loads(FILE.read_text(encoding="utf-8"))
    rules: dict[str, list[tuple[str, Rule]]] = {family: [] for family in (*FAMILIES, *OTHER_LEVELS)}
    for name, family, rule in all_rules():
        rules[family].append((name, rule))
    lines = ["# Rewrites", "", note, INTRODUCTION]
    lines += [*totals(rules, file), ""]
    for family, members in rules.items():
        lines += [f"## {family}", "", family_text(family), ""]
        lines += ["| rule | before | after | numbers | fits | tried |", "|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(cells(name, rule, file['rules']))} |" for name, rule in members]
        lines.append("")
    return "\n".join(lines)


def totals(rules: Mapping[str, Sequence[tuple[str, Rule]]], file: Mapping[str, Any]) -> Iterator[str]:
    """How many rules there are, and how many are proved."""
    all_of_them = [pair for members in rules.values() for pair in members]
    kinds = Counter(rule.kind for _, rule in all_of_them)
    green = [name for name, rule in all_of_them if is_green(name, rule, file["rules"])]
    numbers = sum(file["rules"][name]["numbers"] for name in green)
    by_class = ", ".join(f"{kinds[kind]} {kind}" for kind in CLASSES)
    yield f"There are {len(all_of_them)} rules: {by_class}. `{file['made by']}` tried"
    yield f"them on {file['on']}: {len(green)} are right, in {numbers:,} numbers."


def is_green(name: str, rule: Rule, known: Mapping[str, Any]) -> bool:
    return not outdated(known, name, rule) and "failure" not in known[name]


def family_text(family: str) -> str:
    """What the family is, and the passes that have it."""
    if family in OTHER_LEVELS:
        return f"{OTHER_LEVELS[family].capitalize()}. In `{family if family in PASSES else 'canonicalize'}`."
    passes = ["canonicalize"] if family in CANONICAL else []
    for name in PASSES:
        made = PASSES[name]
        passes += [name] if isinstance(made, type) and issubclass(made, RulePass) and family in made.families else []
    late = "" if family not in LATE else " No gradients are compared, since they run behind `autodiff`."
    text = FAMILIES[family].partition(";")[0]
    return f"{text[0].upper()}{text[1:]}. In {', '.join(f'`{name}`' for name in passes) or 'no pass'}.{late}"


def cells(name: str, rule: Rule, known: Mapping[str, Any]) -> list[str]:
    numbers = f"{rule.kind}: {rule.reason}" if rule.reason else rule.kind
    says = [rule.name, code(rule.before), code(rule.after), numbers.replace("|", "\\|")]
    return [*says, fits_text(rule), proof(name, rule, known)]


def fits_text(rule: Rule) -> str:
    """Conditions of a rule from text, and which numbers it is about; of one in Python examples, one that it must not fit."""
    if rule.declaration is not None:
        most, are_finite = rule.declaration.limits
        limits = ["for finite numbers"] * are_finite + [f"up to {most:g}"] * (most < math.inf)
        return "; ".join([*(f"if {condition_text(one)}" for one in rule.declaration.conditions), *limits])
    fits = [one for one in rule.examples if not one.startswith("not ")][:2]
    others = [one.removeprefix("not ") for one in rule.examples if one.startswith("not ")][:1]
    return "; ".join([*map(code, fits), *(f"not {code(one)}" for one in others)])


SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def condition_text(condition: Expression) -> str:
    """The condition as rules from text have it."""
    match condition:
        case Call("and" | "or" as word, (left, right)):
            return f"{condition_text(left)} {word} {condition_text(right)}"
        case Call("not", (part,)):
            return f"not {condition_text(part)}"
        case Call("cmp", (left, right), (("predicate", sign),)):
            return f"{condition_text(left)} {SIGNS[str(sign.value)]} {condition_text(right)}"  # type: ignore[union-attr]
        case Call(function, arguments):
            return f"{function}({', '.join(map(condition_text, arguments))})"
    return str(condition)


def proof(name: str, rule: Rule, known: Mapping[str, Any]) -> str:
    if outdated(known, name, rule):
        return NOT_RUN
    facts = known[name]
    if "failure" in facts:
        return f"**wrong**: {code(facts['failure'])}"
    programs = "program" if facts["programs"] == 1 else "programs"
    return f"ok: {facts['programs']:,} {programs}, {facts['numbers']:,} numbers, {', '.join(facts['elements'])}"


def code(text: str) -> str:
    """The text as code in a table."""
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`"
