"""Sparse conditional constant propagation: constants through branches, loops and calls.

The analysis is that of Wegman and Zadeck, "Constant Propagation with Conditional Branches" (1991): it begins with the
belief that nothing runs and that each value is one constant, and gives up what it must.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tir.dialects.custom_derivative import has_derivatives
from tir.dialects.func import Call, Func
from tir.dialects.tir.create import Full
from tir.dialects.tir.state import Derivative
from tir.ir import actions
from tir.ir.attributes import Attribute, DenseAttr
from tir.ir.builder import Builder
from tir.ir.flow import Edge, edges_of
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, BlockArgument, Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import ConstantLike, FunctionLike, ReturnLike, SymbolTable, is_removable
from tir.passes.folding import can_fold, constant_class, constant_of, folded
from tir.passes.symbol_dce import symbol_references

__all__ = ["Sccp"]


@dataclass
class Sccp(Pass):
    """Replaces values that are one constant whenever they are computed, as far as branches, loops and calls show it.

    Needs: any level. What a branch yields that cannot run does not count, nor what a loop carries before it has changed;
    arguments of a private function are what all its calls hand over. Leaves: constants in the place of such values, and
    branches and blocks that cannot run, for `canonicalize` and `dce`. A function that a symbol names outside of a call,
    or that has derivatives of its own, may get and give anything; so may a block argument that something is
    differentiated by. A constant of more than 1024 elements is not computed, unless it is one number.

        %c = arith.constant true                              %c = arith.constant true
        %0 = scf.if %c -> (i32) {                             %0 = scf.if %c -> (i32) { .. }
          scf.yield %two : i32                                %1 = arith.constant 4 : i32
        } else {                                        ->    return %1 : i32
          scf.yield %n : i32
        }
        %1 = arith.muli %0, %two : i32
        return %1 : i32
    """

    name = "sccp"
    numerics = EXACT
    statistics = {"replace": "ops whose results are constants", "replace arguments": "blocks whose arguments are constants"}

    def run(self, op: Op) -> None:
        with collector_relaxed():
            analysis = _Analysis(op)
            analysis.run()
            _replace(op, analysis)


class _Known(NamedTuple):
    """What a value is known to be: a constant, made by the op of this class where one is needed; or one of several."""

    constant: Attribute | None = None
    cls: type[Op] | None = None


_ANYTHING = _Known()


class _Analysis:
    """What runs and what values are. `known` has no entry for a value that nothing has been found to compute yet."""

    def __init__(self, root: Op) -> None:
        self.root = root
        self.known: dict[Value, _Known] = {}
        self.running: set[Block] = set()
        self.pending: deque[Op] = deque()
        self.waiting: set[Op] = set()  # those that are pending
        self.readers: dict[Value, dict[Op, None]] = {}  # that hand on values which are no operands of theirs
        self.functions = _functions(root)
        self.calls: dict[Op, list[Call]] = {one: [] for one in self.functions.values()}
        for op in root.walk():
            if isinstance(op, Call) and op.callee in self.functions:
                self.calls[self.functions[op.callee]].append(op)
        named = Counter(symbol_references(root)) if self.functions else Counter()
        #: Private functions that nothing else than these calls can reach.
        self.closed: set[Op] = {
            one for one in self.functions.values() if one.is_private and len(self.calls[one]) == named[one.sym_name]
        }

    def run(self) -> None:
        for op in self.root.walk():
            for value in op.operands if isinstance(op, Derivative) else ():
                if isinstance(value, BlockArgument):
                    self.find(value, _ANYTHING)
        for region in self.root.regions:
            self.enter_unknown(region.blocks[:1])
        while self.pending:
            op = self.pending.popleft()
            self.waiting.discard(op)
            if op.parent in self.running:
                self.visit(op)

    # --- what is known -----------------------------------------------------------------------------------------------

    def find(self, value: Value, new: _Known) -> None:
        """The value can be `new`, too."""
        old = self.known.get(value)
        if old is _ANYTHING or (old is not None and old.constant is new.constant):
            return
        self.known[value] = new if old is None else _ANYTHING
        self.push(value.users)
        self.push(self.readers.get(value, ()))

    def hand_over(self, targets: Sequence[Value], values: Sequence[Value | None]) -> None:
        """Each target can be what its value is."""
        for target, value in zip(targets, values):
            found = _ANYTHING if value is None else self.known.get(value)
            if found is not None:
                self.find(target, found)

    def truth(self, condition: Value) -> bool | None:
        """What a condition is if that is known; None if it can be both. KeyError if nothing has been computed yet."""
        constant = self.known[condition].constant
        if constant is None:
            return None
        return bool(constant.numpy().item() if isinstance(constant, DenseAttr) else constant.value)  # type: ignore[attr-defined]

    # --- what runs ---------------------------------------------------------------------------------------------------

    def push(self, ops: Any) -> None:
        for op in ops:
            if op not in self.waiting and op.parent in self.running:
                self.waiting.add(op)
                self.pending.append(op)

    def enter(self, block: Block) -> None:
        """The block can run."""
        if block not in self.running:
            self.running.add(block)
            self.push(block)

    def enter_unknown(self, blocks: Sequence[Block]) -> None:
        """The blocks can run, with any arguments."""
        for block in blocks:
            for argument in block.arguments:
                self.find(argument, _ANYTHING)
            self.enter(block)

    def visit(self, op: Op) -> None:
        """Finds what the op computes and where control goes from it."""
        if isinstance(op, FunctionLike):
            if op not in self.closed:
                self.enter_unknown([block for region in op.regions for block in region.blocks[:1]])
        elif isinstance(op, Call):
            self.visit_call(op)
        elif (edges := edges_of(op)) is not None:
            self.follow(op, [edge for edge in edges if edge.source is None])
        elif isinstance(op, ReturnLike):
            self.visit_end(op)
        else:
            self.enter_unknown([block for region in op.regions for block in region.blocks[:1]])
            self.compute(op)

    def visit_call(self, op: Call) -> None:
        function = self.functions.get(op.callee)
        if function is None:
            self.hand_over(op.results, [None] * len(op.results))
            return
        self.hand_over(function.arguments, op.operands)
        self.enter(function.entry)
        self.push(block.last for block in function.body_region.blocks)  # what they return is for this call, too

    def visit_end(self, op: Op) -> None:
        """The end of a block hands over what it has."""
        around = op.parent_op
        if around in self.calls:
            for call in self.calls[around]:
                self.hand_over(call.results, op.operands)
            return
        edges = edges_of(around) if around is not None else None
        if edges is not None and around is not self.root:
            assert around is not None
            self.follow(op, [edge for edge in edges if edge.source is op.parent], around)
        for region in op.regions:
            self.enter_unknown(region.blocks[:1])

    def follow(self, op: Op, edges: Sequence[Edge], around: Op | None = None) -> None:
        """Goes the ways that begin at `op`, as far as they can be taken. around: the op whose results they may give."""
        operands = op.operands
        for edge in edges:
            for value in (*edge.values, edge.condition):
                if value is not None and value not in operands:
                    self.readers.setdefault(value, {})[op] = None
            if edge.condition is not None and not self.can_be(edge.condition, edge.truth):
                continue
            targets: Sequence[Value] = (around or op).results if edge.target is None else edge.target.arguments
            self.hand_over(targets, edge.values)
            if edge.target is not None:
                self.enter(edge.target)

    def can_be(self, condition: Value, truth: bool) -> bool:
        """The condition has been found to be able to have this value."""
        return condition in self.known and self.truth(condition) in (None, truth)

    def compute(self, op: Op) -> None:
        """Finds the results of an op without branches."""
        if op.results and (constant := _own_constant(op)) is not None:
            self.find(op.results[0], _Known(constant, constant_class(op, op.results[0].type)))
            return
        found: list[Attribute] | None = None
        if can_fold(op) and op.operands:
            operands = [self.known.get(value) for value in op.operands]
            if None in operands:
                return  # it is looked at again when all are known
            constants = [one.constant for one in operands if one is not None and one.constant is not None]
            found = folded(op, constants) if len(constants) == len(operands) else None
        for i, result in enumerate(op.results):
            self.find(result, _ANYTHING if found is None else _Known(found[i], constant_class(op, result.type)))


def _own_constant(op: Op) -> Attribute | None:
    """The constant that the op is by itself."""
    if isinstance(op, Full) and op.result_type.is_static:
        return DenseAttr.splat(op.value, op.result_type)
    return constant_of(op.results[0]) if isinstance(op, ConstantLike) else None


def _functions(root: Op) -> dict[str, Func]:
    """The functions of a module that compute what their calls give."""
    if not isinstance(root, SymbolTable):
        return {}
    return {
        one.sym_name: one for region in root.regions for block in region.blocks for one in block
        if isinstance(one, Func) and not one.is_declaration and not has_derivatives(one)
    }  # fmt: skip


# --- replacing -------------------------------------------------------------------------------------------------------


def _replace(root: Op, analysis: _Analysis) -> None:
    """Puts constants in the place of values that are known; users first, so that none is made for what goes, too."""
    for op in reversed(list(root.walk())):
        if op is not root and op.parent not in analysis.running:
            continue
        for region in op.regions:
            for block in region.blocks:
                if block in analysis.running:
                    _replace_arguments(block, op, analysis.known)
        if op.results and _own_constant(op) is None:
            _replace_results(op, analysis.known)


def _replace_arguments(block: Block, op: Op, known: dict[Value, _Known]) -> None:
    found = [value for value in block.arguments if value.is_used and known.get(value, _ANYTHING).constant is not None]
    if found and actions.begin("replace arguments", op):
        for value in found:
            _materialize(value, known[value], Builder.at_start(block, op.location))
        actions.end()


def _replace_results(op: Op, known: dict[Value, _Known]) -> None:
    found = [value for value in op.results if known.get(value, _ANYTHING).constant is not None]
    if found and (op.is_used or is_removable(op)) and actions.begin("replace", op):
        for value in found:
            if value.is_used:
                _materialize(value, known[value], Builder.after(op))
        if not op.is_used and is_removable(op):
            op.erase()
        actions.end()


def _materialize(value: Value, known: _Known, b: Builder) -> None:
    """Puts a constant in the place of the value."""
    assert known.cls is not None
    new = b.create(known.cls, value=known.constant, result_types=[value.type])
    new.hint = value.hint
    value.replace_all_uses_with(new)
