"""A smaller module for which a pass is wrong in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.ir.verify import check
from tir.reducer import reduce_module
from tir.semantics.check import PassCheck
from tir.semantics.gradients import put_stand_ins
from tir.semantics.judge import Difference
from tir.semantics.outcome import Draw, Program, draw_number

__all__ = ["shrink"]


@dataclass(frozen=True)
class _StillWrong:
    """Whether the pass is wrong for a module, on the draw of the same number: so does `tir-opt` see it, too."""

    step: Pass
    seed: int
    number: int
    sizes: Mapping[str, int]
    max_steps: int | None

    def __call__(self, module: Op) -> bool:
        try:
            return self.difference(module) is not None
        except Exception:  # any: a wrong pass may break down on a module that it has never seen
            return False

    def difference(self, module: Op) -> Difference | None:
        """The first difference that the pass makes of the module."""
        draws = self._draws(module)
        if not draws:
            return None
        pass_check = PassCheck(module, self.step, (), draws, self.max_steps)
        after = pass_check.run_again()
        return None if check(after.module) else pass_check.difference(after)

    def _draws(self, module: Op) -> list[Draw]:
        program = Program(put_stand_ins(module.clone()), self.max_steps)
        tried = [draw_number(program, name, self.seed, self.number, self.sizes) for name in program.entries]
        return [draw for draw in tried if isinstance(draw, Draw)]


def shrink(
    pass_check: PassCheck, draw: Draw, seed: int, sizes: Mapping[str, int], max_tests: int, seconds: float | None = None
) -> Op | None:
    """The smallest module that is found; None if the pass, run on the whole module, is right for it."""
    still_wrong = _StillWrong(pass_check.step, seed, draw.number, sizes, pass_check.max_steps)
    module = pass_check.before.clone()
    try:
        return reduce_module(module, still_wrong, max_tests=max_tests, seconds=seconds) if still_wrong(module) else None
    except TirError:
        return None
