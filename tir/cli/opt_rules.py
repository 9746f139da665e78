"""tir-opt --rules and --check-rules: rewrite rules from files, applied and proved."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

from tir.cli.common import OK, WRONG_INPUT, CommandLineError, Sources
from tir.ir.errors import escape_controls
from tir.ir.rewrite import Rule
from tir.ir.source_files import read_source
from tir.lazy import TYPE_CHECKING, LazyModule
from tir.passes.apply_rules import rules_of_text
from tir.rewrites.ends import check_ends

if TYPE_CHECKING:
    from tir.proofs import prove
else:
    prove = LazyModule("tir.proofs.prove")

__all__ = ["check_rules", "read_rules_of"]


def read_rules_of(step: Any, sources: Sources) -> None:
    """Reads the rules of an `apply-rules`, whose files are shown by messages from now on."""
    if not step.files:
        raise CommandLineError("pass apply-rules: option 'files' must name a file with rules")
    for file in step.files:
        sources.texts[file] = read_source(file)
    step.rules()


def check_rules(files: Sequence[str], sources: Sources) -> int:
    """Proves each rule of the files and prints what was found; the exit code."""
    if importlib.util.find_spec("mpmath") is None:
        raise CommandLineError("--check-rules needs the package mpmath: pip install 'tir-compiler[proofs]'")
    rules: list[Rule] = []
    for file in files:
        sources.texts[file] = read_source(file)
        rules += rules_of_text(sources.texts[file], file)
    wrong = 0
    for rule in rules:
        sentence, is_right = _verdict(rule)
        lines = f"{rule.place}: {rule.name}: {sentence.rstrip()}".split("\n")
        print("\n    ".join(map(escape_controls, lines)))
        wrong += not is_right
    check_ends(rules)
    return WRONG_INPUT if wrong else OK


def _verdict(rule: Rule) -> tuple[str, bool]:
    """What a proof says of the rule, and whether it is right. One that changes gradients alone is right behind autodiff."""
    report = prove.prove(rule)
    if not report.failure:
        return f"right ({report})", True
    values = prove.prove(rule, gradients=False)
    if report.is_open and not values.failure:
        return f"right ({values}), but for its gradient: {report.failure}", True
    if not values.failure:
        return f"right behind autodiff alone ({values}): {report.failure}", True
    return f"{'not proved' if values.is_open else 'wrong'}: {values.failure}", False
