"""Proves the rules and writes docs/rules-status.json, from which docs/rewrites.md says what is green.

    python tools/rules_status.py          # those that are new or have changed
    python tools/rules_status.py --all    # all rules: some minutes

The file holds, for each rule, a digest of what it says and what its proof has tried, or what is wrong. Rules from text are
tried on programs of their own declaration, those in Python on their examples, those about loops and branches on the
programs of the text tests of `canonicalize`.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tir.dialects.all import REGISTRY  # noqa: E402
from tir.ir.ir import Op  # noqa: E402
from tir.ir.rewrite import Rule  # noqa: E402
from tir.parser.parse import parse_text  # noqa: E402
from tir.passes.canonicalize import MORE_RULES  # noqa: E402
from tir.proofs.programs import prove_on  # noqa: E402
from tir.proofs.prove import Report, prove  # noqa: E402
from tir.rewrites.families import FAMILIES, LATE, rules_of  # noqa: E402

__all__ = ["FILE", "all_rules", "digest", "outdated", "programs"]

FILE = ROOT / "docs" / "rules-status.json"


def main() -> int:
    """Proves and writes; 1 if a rule is wrong."""
    known = {} if "--all" in sys.argv[1:] or not FILE.exists() else json.loads(FILE.read_text(encoding="utf-8"))["rules"]
    found = {}
    for name, family, rule in all_rules():
        found[name] = known[name] if name in known and not outdated(known, name, rule) else status(family, rule)
        if failure := found[name].get("failure"):
            print(f"{name}: {failure}")
    FILE.write_text(text_of(found), encoding="utf-8")
    wrong = sum("failure" in facts for facts in found.values())
    print(f"wrote docs/{FILE.name}: {len(found)} rules, {wrong} wrong")
    return 1 if wrong else 0


def all_rules() -> Iterator[tuple[str, str, Rule]]:
    """All rules of tir: a name that is there once, the family, and the rule."""
    for family in FAMILIES:
        for rule in rules_of(family):
            yield f"{family}.{rule.name}", family, rule
    for family in MORE_RULES:
        for rule in MORE_RULES[family]:
            yield f"{family}.{rule.name}", family, rule


def digest(rule: Rule) -> str:
    """Another one whenever a rule says something else."""
    declared = rule.declaration
    says = inspect.getsource(rule.apply) if declared is None else str((declared.conditions, declared.ulps, declared.limits))
    parts = [rule.before, rule.after, rule.kind, rule.reason, says, *rule.examples]
    return sha256("\n".join(parts).encode()).hexdigest()[:12]


def outdated(known: Mapping[str, Any], name: str, rule: Rule) -> bool:
    """The file says nothing about the rule as it is."""
    return name not in known or known[name]["digest"] != digest(rule)


def status(family: str, rule: Rule) -> dict[str, Any]:
    """What the file says of a rule."""
    report = proved(family, rule)
    if report.failure:
        return {"digest": digest(rule), "failure": report.failure.splitlines()[0][:300]}
    elements = sorted(report.elements)
    return {"digest": digest(rule), "programs": report.programs, "numbers": report.numbers, "elements": elements}


def proved(family: str, rule: Rule) -> Report:
    if family in MORE_RULES:
        return prove_on(rule, programs())
    return prove(rule, gradients=family not in LATE)


def programs() -> list[Op]:
    """Those of the text tests of `canonicalize`."""
    files = sorted((ROOT / "tests" / "lit" / "passes").glob("canonicalize*.tir"))
    return [parse_text(file.read_text(encoding="utf-8"), REGISTRY, file=file.name) for file in files]


def text_of(rules: Mapping[str, Any]) -> str:
    """The facts as JSON, with a line for each rule."""
    head = json.dumps({"made by": "tools/rules_status.py", "on": date.today().isoformat()})[1:-1]
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(facts)}" for name, facts in rules.items())
    return f'{{\n {head},\n "rules": {{\n{lines}\n }}\n}}\n'


if __name__ == "__main__":
    sys.exit(main())
