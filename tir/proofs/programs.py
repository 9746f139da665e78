"""Rules that no expression fits, about loops and branches: tried on programs as text, on inputs of all kinds."""

from __future__ import annotations

from tir.dialects.tir.builder import TensorBuilder
from tir.ir.ir import Op
from tir.ir.rewrite import Rewriter, Rule
from tir.ir.symbols import SymbolTable
from tir.ir.types import type_of_dtype
from tir.ir.verify import verify
from tir.lazy import np
from tir.proofs.prove import Report
from tir.semantics.judge import same_bits
from tir.semantics.outcome import Program, Values, draw_number

__all__ = ["prove_on"]

DRAWS = 6  # two of ordinary numbers, two of sizes 1, two of hard numbers


def prove_on(rule: Rule, modules: list[Op]) -> Report:
    """Tries an exact rule on the functions of the modules that it fits; none is a failure."""
    assert rule.kind == "exact", rule.name
    report = Report(rule)
    for module in modules:
        for name in Program(module).entries:
            report.failure = report.failure or _tried(rule, module, name, report)
    if not report.programs and not report.failure:
        report.failure = "it fits none of the programs"
    return report


def _tried(rule: Rule, module: Op, name: str, report: Report) -> str:
    """What is wrong with the rule in one function of the module; "" if nothing is, or it does not fit."""
    after = module.clone()
    rewriter = Rewriter([rule], builder=TensorBuilder, limit=100)
    rewriter.run(SymbolTable(after).get(name))
    if not rewriter.counts[rule.name]:
        return ""
    verify(after)
    report.programs += 1
    programs = Program(module), Program(after)
    for number in range(DRAWS):
        draw = draw_number(programs[0], name, 0, number, {})
        if isinstance(draw, str):
            continue  # it fails
        before, now = (program.run(draw) for program in programs)
        if not isinstance(before, Values) or not isinstance(now, Values):
            return f"@{name} with {draw}: {now}"
        for what, array in before.arrays.items():
            report.numbers += np.size(array)
            report.elements[str(type_of_dtype(np.asarray(array).dtype.name))] += 1
            if not np.all(same_bits(array, now.arrays[what])):
                return f"@{name} with {draw}: {what} is {array} before, {now.arrays[what]} after"
    return ""
