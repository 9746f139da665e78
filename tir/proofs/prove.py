"""Both sides of a rule on the same inputs, compared by the class of the rule; and their gradients.

    report = prove(rule)      report.failure says what is wrong, if anything

exact: the same bits. accurate: each element is as near to the truth as before the rule, or within some ulp of it. fast:
near the truth where what is computed on the way is finite, and no overflow is added. A rule must also fit what its own
declaration says, what it makes must be what the declaration says, and smaller by `tir.rewrites.measure`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.dialects.tir.builder import TensorBuilder
from tir.interpret import Interpreter
from tir.ir.errors import PassError, TirError
from tir.ir.execution import ExecutionError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.rewrite import Rewriter, Rule
from tir.ir.types import DYNAMIC, INDEX, Type
from tir.ir.verify import verify
from tir.lazy import mpmath, np
from tir.proofs.draw import ELEMENTS, Case, cases, is_elementwise, roles_of
from tir.proofs.example import read_example
from tir.proofs.slopes import wrong_gradient
from tir.proofs.truth import DIGITS, MANY_DIGITS, NoTruth, truth
from tir.rewrites.declared import Declaration
from tir.rewrites.expression import Call, Expression, walk
from tir.rewrites.measure import not_smaller
from tir.semantics.judge import same_bits
from tir.semantics.widen import SAME, widened

__all__ = ["Report", "prove"]

ULPS_AN_OP = 2.0
MOST_TRUTHS = 400  # numbers of one case that are computed with many digits,
MOST_DOUBTS = 20  # and with very many
NOISY_RUNS, NOISE_FACTOR = 8, 4.0  # runs with other roundings; so many of the largest change are allowed
ALMOST = 1.05  # an error of the same size
FAST_FACTOR = 100.0  # so much larger may the error of a fast rule be, of numbers that overflow nowhere


@dataclass
class Report:
    """What was tried. failure: what is wrong, "" if nothing. is_open: that is only that a proof cannot tell."""

    rule: Rule
    programs: int = 0
    numbers: int = 0
    elements: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    is_open: bool = False

    def __str__(self) -> str:
        return self.failure or f"{self.programs} programs, {self.numbers} numbers, {', '.join(self.elements)}"


def prove(rule: Rule, seed: int = 0, gradients: bool = True, elements: Sequence[Type] = ELEMENTS) -> Report:
    """Tries a rule on programs made from its declaration, or its examples. gradients: it may run before autodiff."""
    report = Report(rule)
    try:
        _prove(rule, report, seed, gradients, elements)
    except NoTruth as unknown:
        report.failure, report.is_open = str(unknown), True
    return report


def _prove(rule: Rule, report: Report, seed: int, gradients: bool, elements: Sequence[Type]) -> None:
    if rule.declaration is None and not rule.examples:
        report.failure = "it has neither a declaration nor examples"
        return
    for text, claim in _claims(rule):
        known = report.programs
        for case in cases(claim, seed, rule.kind == "fast", elements):
            report.failure = _tried(rule, claim, case, report, seed if gradients else None)
            if report.failure:
                return
        if report.programs == known:
            report.failure = f"it does not fit {text}"
            return
    report.failure = next(_fits_too_much(rule, seed, elements), "")


def _claims(rule: Rule) -> list[tuple[str, Declaration]]:
    """The declaration of a rule from text; of one in Python its examples. And what messages call them."""
    if rule.declaration is not None:
        return [("what its own declaration says", rule.declaration)]
    examples = [(one, *read_example(one)) for one in rule.examples]
    return [(f"its example {text}", Declaration(one, None)) for text, one, fits in examples if fits]


def _fits_too_much(rule: Rule, seed: int, elements: Sequence[Type]) -> Iterator[str]:
    """Sentences about examples that the rule must not fit."""
    for text in rule.examples:
        example, fits = read_example(text)
        programs = [] if fits else list(cases(Declaration(example, None), seed, elements=elements))
        if not fits and not programs:
            yield f"nothing is the example that it must not fit: {text}"
        if any(_rewritten(rule, case) is not None for case in programs):
            yield f"it fits what it must not: {text}"


def _tried(rule: Rule, claim: Declaration, case: Case, report: Report, seed: int | None) -> str:
    """What is wrong with the rule in one program; "" if nothing is, or it does not fit. seed: None without gradients."""
    try:
        after = _rewritten(rule, case)
    except PassError as error:
        return error.message
    except TirError as error:
        return f"what it makes is wrong: {error}"
    if after is None:
        # Of an open size, a rule may not know how to make as many numbers.
        if claim.after is None or DYNAMIC in getattr(case.value.type, "shape", ()) or claim.fits(case.value) is None:
            return ""
        return f"{rule.before} in {case.element}: what takes its place has another type\n{print_op(case.module)}"
    report.programs += 1
    report.elements[str(case.element)] += 1
    try:
        verify(after)
        found = not_smaller(rule, case.module, after) or next(_wrong(rule, claim, case, after, report), "")
        return found or (wrong_gradient(claim, case, after, seed) if seed is not None else "")
    except TirError as error:
        return f"what it makes is wrong: {error}"


def _rewritten(rule: Rule, case: Case) -> Op | None:
    """The program after the rule; None if it did not fit."""
    module = case.module.clone()
    rewriter = Rewriter([rule], builder=TensorBuilder, fp_mode="fast", limit=50)
    rewriter.run(module)
    return module if rewriter.counts[rule.name] else None


def _wrong(rule: Rule, claim: Declaration, case: Case, after: Op, report: Report) -> Iterator[str]:
    """Sentences that say how both sides differ."""
    runs = [Interpreter(case.module), Interpreter(after)]
    with np.errstate(all="ignore"):
        for inputs in case.inputs:
            (before, error), (now, new_error) = (_run(run, inputs) for run in runs)
            # What is computed for its size alone is not computed then, and its mistakes are not found, as those of what
            # nobody needs.
            if bool(error) != bool(new_error) and not (error and case.value.type is INDEX):
                yield f"{rule.before} in {case.element}: before {error or 'no error'}, after {new_error or 'none'}"
            if error or new_error:
                continue
            report.numbers += np.size(before)
            wrong = _differ(rule, claim, case, inputs, np.asarray(before), np.asarray(now))
            if wrong is not None:
                place, expected = wrong
                given = ", ".join(f"{name} = {_at(x, place, before)}" for name, x in inputs.items())
                extra = "".join(f", {name} = {value}" for name, value in case.attributes.items())
                got = f"before {np.asarray(before)[place]}, after {np.asarray(now)[place]}{expected}"
                yield f"{rule.before} with {given}{extra} in {case.element}: {got}\n{print_op(after)}"


def _run(run: Interpreter, inputs: Mapping[str, Any]) -> tuple[Any, str]:
    """The result, or the error."""
    try:
        return run.run("f", list(inputs.values()))[0], ""
    except ExecutionError as error:
        return None, error.message


def _at(array: Any, place: tuple[int, ...], like: Any) -> Any:
    return array[place] if np.shape(array) == np.shape(like) else array.tolist()


def _differ(
    rule: Rule, claim: Declaration, case: Case, inputs: Mapping[str, Any], before: Any, after: Any
) -> tuple[tuple[int, ...], str] | None:  # fmt: skip
    """The first place that the class of the rule does not allow, and what is right there."""
    if before.shape != after.shape or before.dtype != after.dtype:
        return (), f", of another type: {after.dtype}{list(after.shape)}"
    suspects = [tuple(one) for one in np.argwhere(~same_bits(before, after))]
    if not suspects:
        return None
    if rule.kind == "exact":
        return suspects[0], ""
    if len(suspects) > MOST_TRUTHS:
        suspects = [suspects[k] for k in np.linspace(0, len(suspects) - 1, MOST_TRUTHS).astype(int)]
    slack = claim.ulps or ULPS_AN_OP * (_ops(claim.before) + _ops(claim.after or claim.before))
    allowed = _Allowed(rule, slack * (FAST_FACTOR if rule.kind == "fast" else 1))
    noise = _noise(case, inputs, before)
    for digits in (DIGITS, MANY_DIGITS):
        right = _truths(claim, case, inputs, suspects, before.shape, digits)
        wrong = [
            (place, exact) for place, exact in zip(suspects, right)
            if not allowed(before[place], after[place], exact, _given(inputs, place, before.shape), noise[place])
        ]  # fmt: skip
        if not wrong:
            return None
        suspects = [place for place, _ in wrong[:MOST_DOUBTS]]
    place, exact = wrong[0]
    return place, f", exactly {exact}"


def _noise(case: Case, inputs: Mapping[str, Any], before: Any) -> Any:
    """How far the result before the rule moves if each op of it rounds a little otherwise; 0 where that is not finite."""
    program, rounding = widened(case.module, SAME)
    run, most = Interpreter(program), np.zeros(before.shape)
    for seed in range(NOISY_RUNS):
        with rounding.of(ulps=1.0, seed=seed):
            moved = np.abs(np.asarray(run.run("f", list(inputs.values()))[0], np.float64) - before)
        most = np.maximum(most, np.where(np.isfinite(moved), moved, 0))
    return most


def _given(inputs: Mapping[str, Any], place: tuple[int, ...], shape: tuple[int, ...]) -> list[Any]:
    """The numbers that an element may depend on."""
    return [number for x in inputs.values() for number in ([x[place]] if np.shape(x) == shape else np.ravel(x))]


def _ops(expression: Expression) -> int:
    return sum(isinstance(one, Call) for one in walk(expression))


def _truths(
    declaration: Declaration, case: Case, inputs: Mapping[str, Any], places: Sequence[tuple[int, ...]],
    shape: tuple[int, ...], digits: int,
) -> list[Any]:  # fmt: skip
    """What is right at these places; where the names are vectors of one size, from their elements there alone."""
    given: dict[str, Any] = dict(inputs)
    is_flat = len(shape) == 1 and all(np.shape(x) == shape for x in inputs.values()) and is_elementwise(declaration)
    if is_flat:
        given = {name: x[[place[0] for place in places]] for name, x in inputs.items()}
    numbers = roles_of(declaration).numbers
    given |= {name: np.asarray(value, np.float64) if name in numbers else value for name, value in case.attributes.items()}
    exact = np.broadcast_to(truth(declaration.before, given, digits), (len(places),) if is_flat else shape)
    return list(exact) if is_flat else [exact[place] for place in places]


@dataclass(frozen=True)
class _Allowed:
    """Which changes of an element a rule that is not exact may make. slack: ulp of the truth that an error may be."""

    rule: Rule
    slack: float

    def __call__(self, before: Any, after: Any, exact: Any, given: Sequence[Any], noise: Any) -> bool:
        """noise: how far what was computed before may lie beside itself."""
        if before.dtype.kind != "f":
            return bool(after == exact or after == before)
        info = np.finfo(before.dtype)
        if mpmath.isnan(exact) and self.rule.kind == "fast":
            return True
        if mpmath.isnan(exact):  # of finite numbers: outside of the domain of a function
            if np.isnan(after) or after == before:
                return True
            return bool(np.isnan(before) and np.any(np.isinf(given)) and not np.any(np.isnan(given)))
        if np.isnan(before) or (np.isinf(before) and not mpmath.isinf(exact)):
            return True
        if not np.isfinite(after) or np.isinf(before):
            overflows = abs(exact) > float(info.max) * (1 - float(info.eps)) and (after > 0) == (exact > 0)
            return bool(after == exact or (np.isinf(after) and overflows))
        error, old = abs(mpmath.mpf(float(after)) - exact), abs(mpmath.mpf(float(before)) - exact)
        size = min(abs(exact), mpmath.mpf(float(info.max)))
        unit = max(float(info.eps) * size, mpmath.mpf(float(info.smallest_subnormal)))
        return bool(error <= max(old * ALMOST, self.slack * unit, NOISE_FACTOR * float(noise)))
