"""`apply-rules`: rewrite rules of one's own, from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tir.dialects.tir.builder import TensorBuilder
from tir.ir.errors import PassError, TirError, warn
from tir.ir.ir import Op
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.rewrite import FP_MODES, Rewriter, Rule, check_fp_mode
from tir.ir.source_files import read_source
from tir.ir.verify import verify
from tir.rewrites.declared import read_rules
from tir.rewrites.ends import check_ends

__all__ = ["ApplyRules", "rules_of_text"]


@dataclass
class ApplyRules(Pass):
    """Applies the rules in `files` until none fits; `tir-opt --rules FILE` is this pass.

    A file has rules in the language of tir's own (`docs/rules.md`): a name and `before => after`, a class, conditions. Rules
    that would not end are refused. `fp-mode` says which classes are applied: `strict` exact rules, `stable` also accurate
    ones, `fast` all. `tir-opt --check-rules FILE` proves them.

        // my.rules
        abs_of_product: abs(x) * abs(y) => abs(x * y)
          exact
          if floats(x)

        %0 = tir.abs %x : tensor<4xf32>
        %1 = tir.abs %y : tensor<4xf32>         %0 = tir.mul %x, %y : tensor<4xf32>
        %2 = tir.mul %0, %1 : tensor<4xf32>  -> %1 = tir.abs %0 : tensor<4xf32>
    """

    name = "apply-rules"
    statistics = {"erase": "ops erased that nobody uses"}
    numerics = accurate(4, "what the classes of its rules allow")
    obeys_user = True
    files: tuple[str, ...] = ()
    fp_mode: str = field(default="stable", metadata={"choices": tuple(FP_MODES)})
    _rules: list[Rule] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_fp_mode(self.name, self.fp_mode)

    def run(self, op: Op) -> None:
        Rewriter(self.rules(), builder=TensorBuilder, fp_mode=self.fp_mode).run(op)

    def rules(self) -> Sequence[Rule]:
        """The rules of the files, which are read once. Raises TirError for what is wrong with them."""
        if self._rules is None:
            self._rules = self._read()
        return self._rules

    def _read(self) -> list[Rule]:
        found: dict[str, Rule] = {}
        for file in self.files:
            for rule in rules_of_text(read_source(file), file):
                if rule.name in found:
                    raise TirError(f"there are two rules {rule.name}", rule.place, [("the other", found[rule.name].place)])
                found[rule.name] = rule
        kinds = FP_MODES[self.fp_mode]
        left_out = [rule for rule in found.values() if rule.kind not in kinds]
        for rule in left_out:
            mode = next(mode for mode in FP_MODES if rule.kind in FP_MODES[mode])
            warn(f"the rule {rule.name} is {rule.kind}, and is applied with fp-mode={mode} alone", rule.place)
        kept = [rule for rule in found.values() if rule.kind in kinds]
        check_ends(kept)
        return kept


def _checked(rule: Rule, op: Op, b: Any) -> Any:
    """What the rule makes of the op, which is verified: a wrong op is the rule's mistake, not one of tir."""
    last = op.previous
    note = ("this rule", rule.place)
    try:
        made = rule.apply(op, b)
        new = op.previous
        while made is not None and new is not None and new is not last:
            verify(new)
            new = new.previous
    except TirError as error:
        raise PassError(f"what a rule makes of this op is wrong: {error.message}", op.location, [note]) from None
    except (TypeError, ValueError, IndexError, OverflowError):
        raise PassError("what a rule makes of this op needs other types or attributes", op.location, [note]) from None
    return made


def rules_of_text(text: str, file: str) -> list[Rule]:
    """The rules in the text of a file, which check what they make; TirError if there are none."""
    rules = read_rules(text.removeprefix("\ufeff"), file)
    if not rules:
        raise TirError(f"there is no rule in {file}")
    return [replace(rule, apply=partial(_checked, rule)) for rule in rules]
