"""Schedules are run: what a program says about how it is transformed is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tir.dialects.transform.core import NamedSequence
from tir.ir.attributes import StringAttr
from tir.ir.errors import Location, PassError
from tir.ir.ir import Op
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.symbols import SymbolTable
from tir.ir.traits import SymbolTable as HoldsSymbols
from tir.passes.schedule_run import Run

__all__ = ["TransformInterpreter"]

TAG = "transform.target_tag"


@dataclass
class TransformInterpreter(Pass):
    """Runs the schedule that stands in the module: the named sequence `entry-point`, with the module as its argument.

    Needs: a `transform.named_sequence` of this name. Leaves: the module as the schedule transforms it, and the schedule,
    which is not run otherwise, and has no machine code; where it is `private`, `symbol-dce` removes it. A transformation
    that cannot be done, and a handle that has ended, are errors at the op of the schedule, with a note where the op of the
    program stands. `debug-payload-root-tag`: the argument is the op with the attribute `transform.target_tag` that is this
    string. `docs/schedules.md` has more.

        transform.named_sequence @__transform_main(%m: !transform.any_op {transform.readonly}) {
          %loop = transform.structured.match ops{["scf.for"]} in %m : (!transform.any_op) -> !transform.any_op
          transform.loop.unroll %loop {factor = 4 : i64} : !transform.any_op
          transform.yield
        }
    """

    name = "transform-interpreter"
    numerics = accurate(2, "a schedule may run any pass, and take sums in another order")
    obeys_user = True
    statistics = {"apply": "transformations of schedules"}
    debug_payload_root_tag: str = ""
    entry_point: str = "__transform_main"

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Any, ...]] = []

    def run(self, op: Op) -> None:
        self.remarks.clear()
        if not isinstance(op, HoldsSymbols):
            raise PassError(f"pass {self.name} runs on a module, which holds a schedule, not on {op.name}", op.location)
        symbols = SymbolTable(op)
        entry = symbols.lookup(self.entry_point)
        if not isinstance(entry, NamedSequence):
            hint = symbols.hint(self.entry_point, NamedSequence)
            message = f"pass {self.name}: there is no transform.named_sequence @{self.entry_point}"
            raise PassError(message, op.location, hint=hint)
        if len(entry.function_type.inputs) != 1 or entry.function_type.results:
            message = f"{entry.name}: a schedule that is run takes one handle and gives nothing, got {entry.function_type}"
            raise PassError(message, entry.location)
        # Copies: the schedule may transform the module in which it stands.
        found = {name: symbols.get(name) for name in symbols.names()}
        library = {name: one.clone() for name, one in found.items() if isinstance(one, NamedSequence)}
        run = Run(library, self.root_of(op))  # type: ignore[arg-type]
        run.state.remarks = self.remarks
        run.start(library[self.entry_point])  # type: ignore[arg-type]

    def root_of(self, op: Op) -> Op:
        """The payload: the module, or the op in it with the tag."""
        if not self.debug_payload_root_tag:
            return op
        wanted = StringAttr(self.debug_payload_root_tag)
        found = [one for one in op.walk() if one.attributes.get(TAG) == wanted]
        if len(found) != 1:
            where: Location = op.location
            raise PassError(f"pass {self.name}: {len(found)} ops have {TAG} = {wanted}, and one is needed", where)
        return found[0]
