"""Whether a pass kept what a program computes on some inputs, element by element, by the numeric class of the pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tir.check import first_place
from tir.ir.ir import Op
from tir.ir.numerics import Numerics
from tir.lazy import np
from tir.semantics.gradients import put_stand_ins
from tir.semantics.outcome import Draw, Failure, Outcome, Program, Values, is_float
from tir.semantics.widen import ONE_WIDER, SAME, Rounding, Widening, wide_draw, widened

__all__ = ["Difference", "Judge", "Tally", "same_bits"]

NOISY_RUNS = 6
#: How much further than the furthest of the noisy runs a result may lie from the exact one.
NOISE_FACTOR = 6.0


@dataclass
class Tally:
    """Elements that were compared, and those that passed for want of a right answer."""

    compared: int = 0
    not_finite: int = 0
    undecided: int = 0

    def __str__(self) -> str:
        said = f"{self.compared} numbers compared" if self.compared else "nothing was changed, so nothing was compared"
        if self.not_finite:
            said += f", {self.not_finite} let pass where the program before the pass has numbers that are not finite"
        if self.undecided:
            said += f", {self.undecided} where roundings alone decide between values or whether it is finite"
        return said


@dataclass(frozen=True)
class Difference:
    """Where the program before a pass and behind it first differ. expected: text of the right value, "" if unknown."""

    draw: Draw
    what: str
    before: str
    after: str
    expected: str = ""

    def __str__(self) -> str:
        expected = f", expected {self.expected}" if self.expected else ""
        return f"@{self.draw.entry} computes: {self.what}: before {self.before}, after {self.after}{expected}"


@dataclass
class Judge:
    """The program before a pass, and what it computes. stand_ins: numbers for its gradients, see `gradients.py`.

    outcomes: what it gives without these, by the `id` of the draw. Numbers for gradients are for passes that are exact:
    the others are compared with the stand-ins that follow from the program.
    """

    before: Op
    numerics: Numerics
    max_steps: int | None = None
    tally: Tally = field(default_factory=Tally)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _programs: dict[str, tuple[Program, Rounding]] = field(default_factory=dict)

    def outcome(self, draw: Draw, stand_ins: Mapping[int, list[list[Any]]] | None = None) -> Outcome:
        """What the program before the pass gives; kept for the next time."""
        if stand_ins:
            return Program(put_stand_ins(self.before.clone(), stand_ins), self.max_steps).run(draw)
        found = self.outcomes.get(id(draw))
        if found is None:
            found = self.outcomes[id(draw)] = self.program("as it is", None)[0].run(draw)
        return found

    def program(self, name: str, types: Widening | None) -> tuple[Program, Rounding]:
        """The program before the pass, with other float types if these are given; made once."""
        found = self._programs.get(name)
        if found is None:
            copy, rounding = (self.before.clone(), Rounding()) if types is None else widened(self.before, types)
            program = Program(put_stand_ins(copy), self.max_steps, is_odd=types is not None)
            found = self._programs[name] = program, rounding
        return found

    def first_difference(
        self, after: Outcome, draw: Draw, stand_ins: Mapping[int, list[list[Any]]] | None = None
    ) -> Difference | None:
        """The first element that differs by more than the pass may; None if there is none.

        A run that failed before may do anything after.
        """
        before = self.outcome(draw, stand_ins)
        if isinstance(before, Failure):
            return None
        if isinstance(after, Failure):
            return None if after.out_of_steps else Difference(draw, "the call", "returns", f"fails: {after.message}")
        if (lost := _lost(before, after, draw)) is not None:
            return lost
        truth = _Truth(self, draw, before)
        for name, want in before.arrays.items():
            if name in after.arrays:
                found = self._first_of_array(name, want, after.arrays[name], truth, draw)
                if found is not None:
                    return found
        return None

    def _first_of_array(self, name: str, want: Any, got: Any, truth: _Truth, draw: Draw) -> Difference | None:
        want, got = np.asarray(want), np.asarray(got)
        if want.dtype != got.dtype or want.shape != got.shape:
            texts = [f"{x.dtype}{list(x.shape)}" for x in (want, got)]
            return Difference(draw, name, *texts)
        self.tally.compared += 0 if name.startswith("argument") else want.size
        wrong = ~same_bits(want, got)
        if wrong.any() and self.numerics.kind == "accurate":
            wrong = self._judged(name, want, got, wrong, truth)
        if not wrong.any():
            return None
        index, place = first_place(wrong)
        where = f" {place}" if place else ""
        more = f" and {int(wrong.sum()) - 1} more" if wrong.sum() > 1 else ""
        exact = truth.exact.get(name) if self.numerics.kind == "accurate" else None
        expected = "" if exact is None else f"{exact[index]} ({truth.precision}, {self.numerics.ulps:g} ulp an op)"
        return Difference(draw, f"{name}{where}{more}", _text(want[index]), _text(got[index]), expected)

    def _judged(self, name: str, want: Any, got: Any, wrong: Any, truth: _Truth) -> Any:
        """The elements of `wrong` that no rounding explains."""
        if is_float(want):
            excused = wrong & ~(np.isfinite(want) & (np.isfinite(got) | truth.is_finite))
            self.tally.not_finite += int(excused.sum())
            wrong = wrong & ~excused
        for spread in truth.spreads(name) if wrong.any() else ():
            undecided = wrong & spread.undecided
            self.tally.undecided += int(undecided.sum())
            wrong = wrong & ~undecided & ~spread.explains(got)
            if not wrong.any():
                break
        return wrong


def _lost(before: Values, after: Values, draw: Draw) -> Difference | None:
    """A result that is gone. A shared variable that no function uses may go."""
    if not after.arrays and before.arrays:
        return Difference(draw, "the function", "is there", "is gone")
    for name, value in before.arrays.items():
        if name in after.arrays:
            continue
        old = (draw.state or {}).get(name[1:]) if name.startswith("@") else None
        if not name.startswith("@") or (old is not None and not same_bits(value, old).all()):
            return Difference(draw, name, "is there", "is gone")
    for name in after.arrays:
        if name not in before.arrays and not name.startswith("@"):
            return Difference(draw, name, "is not there", "is there")
    return None


def same_bits(first: Any, second: Any) -> Any:
    """Which elements are equal to the bit; any nan equals any other. For arrays of one dtype and shape."""
    first, second = np.asarray(first), np.asarray(second)
    if first.dtype.kind != "f":
        return first == second
    same = (first == second) & (np.signbit(first) == np.signbit(second))
    return same | (np.isnan(first) & np.isnan(second))


def _text(number: Any) -> str:
    return str(number)


@dataclass(frozen=True)
class _Spread:
    """What some runs of the program before the pass gave for one array, one exact and the others with roundings.

    undecided: elements that are not the same kind of thing, or integer, in all of them.
    """

    exact: Any
    width: Any
    undecided: Any

    def explains(self, got: Any) -> Any:
        """The elements that lie within what roundings do."""
        if not is_float(got):
            return np.zeros(got.shape, bool)
        with np.errstate(all="ignore"):
            apart = np.abs(got.astype(self.exact.dtype) - self.exact)
            return np.isfinite(got) & (apart <= NOISE_FACTOR * self.width)


class _Truth:
    """The program before the pass, one precision wider where that works, with and without roundings."""

    def __init__(self, judge: Judge, draw: Draw, narrow: Values) -> None:
        self.judge, self.draw, self.narrow = judge, draw, narrow
        self.runs: list[Values] = []
        self.precision = ""

    @cached_property
    def is_finite(self) -> bool:
        """The program is given, and gives, finite numbers alone: of others some accurate rules say nothing."""
        arrays = [*self.draw.arguments, *(self.draw.state or {}).values(), *self.narrow.arrays.values()]
        return all(bool(np.isfinite(x).all()) for x in arrays if is_float(x))

    @property
    def exact(self) -> Mapping[str, Any]:
        return self.runs[0].arrays if self.runs else {}

    def _start(self) -> None:
        """The exact run, in a wider type if the program can be run in one."""
        for types, self.precision in ((ONE_WIDER, "one precision wider"), (SAME, "with roundings")):
            self.program, self.rounding = self.judge.program(self.precision, types)
            self.wide = wide_draw(self.draw, types)
            outcome = self.program.run(self.wide)
            if isinstance(outcome, Values) and _agrees(outcome, self.narrow):
                self.runs.append(outcome)
                return
        self.runs.append(self.narrow)

    def _run(self, number: int) -> Values | None:
        """One more run with roundings; kept for the other arrays."""
        if not self.runs:
            self._start()
        while len(self.runs) <= number:
            with self.rounding.of(self.judge.numerics.ulps, seed=len(self.runs)):
                outcome = self.program.run(self.wide)
            if isinstance(outcome, Failure):
                return None
            self.runs.append(outcome)
        return self.runs[number]

    def spreads(self, name: str) -> Iterator[_Spread]:
        """What is known about an array from more and more runs."""
        for number in range(1, NOISY_RUNS + 1):
            if self._run(number) is None:
                return
            arrays = [run.arrays[name] for run in self.runs[: number + 1]]
            yield _spread(arrays, np.asarray(self.narrow.arrays[name]), self.judge.numerics.ulps)


def _agrees(wide: Values, narrow: Values) -> bool:
    """The wide run is about the same program: it gives the same arrays, of the same shapes."""
    if wide.arrays.keys() != narrow.arrays.keys():
        return False
    return all(np.shape(wide.arrays[name]) == np.shape(x) for name, x in narrow.arrays.items())


def _spread(arrays: list[Any], narrow: Any, ulps: float) -> _Spread:
    exact = np.asarray(arrays[0])
    if not is_float(narrow):
        differ = np.logical_or.reduce([np.asarray(one) != narrow for one in arrays])
        return _Spread(exact, np.zeros(exact.shape), differ)
    with np.errstate(all="ignore"):
        finite = [np.isfinite(one.astype(narrow.dtype)) for one in map(np.asarray, arrays)]
        undecided = ~np.logical_and.reduce(finite) & np.isfinite(narrow)
        info = np.finfo(narrow.dtype)
        last_place = float(info.eps) * np.maximum(np.abs(exact), exact.dtype.type(info.tiny))
        width = np.max([np.abs(one - exact) for one in arrays], axis=0)
    return _Spread(exact, width + (1 + ulps) / NOISE_FACTOR * last_place, undecided)
