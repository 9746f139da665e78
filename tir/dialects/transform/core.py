"""Schedules: sequences of transformations, and what they do with handles and parameters alone."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects.transform.base import (
    ANY_HANDLE,
    FAILURES,
    OP_HANDLE,
    PARAM,
    TYPED,
    VALUE_HANDLE,
    PatternOp,
    TransformOp,
    attribute_named,
    attributes_of_argument,
    check_arguments,
    is_consumed_inside,
)
from tir.ir.attributes import UnitAttr
from tir.ir.define import attribute, operand, region, result
from tir.ir.errors import TirError, VerifyError
from tir.ir.ir import Block, BlockArgument, Op, Value
from tir.ir.kinds import (
    ANY_ATTRIBUTE,
    ARRAY,
    BOOL,
    DICTIONARY,
    FLAT_SYMBOL,
    FUNCTION_TYPE,
    I64_ARRAY,
    I64_ATTR,
    STRING,
    SYMBOL_NAME,
    UNIT,
)
from tir.ir.symbols import SymbolTable
from tir.ir.traits import IsolatedFromAbove, PartOfParent, ReturnLike, Symbol
from tir.ir.types import FunctionType, Type

__all__ = ["OPS", "WITH_NAMED_SEQUENCE", "Include", "NamedSequence", "NestedSequence", "Yield"]

#: The attribute of a module in which named sequences stand.
WITH_NAMED_SEQUENCE = "transform.with_named_sequence"
READONLY, CONSUMED = "transform.readonly", "transform.consumed"
POSITIONS = "`[` custom<TransformMatchDims>($raw_position_list, $is_inverted, $is_all) `]`"

class Yield(Op, ReturnLike):
    """`transform.yield %h : !transform.any_op`: ends a sequence, and hands on handles and parameters."""

    name = "transform.yield"
    parent_ops = ("transform.named_sequence", "transform.sequence", "transform.foreach")
    operands = operand(ANY_HANDLE, variadic=True)
    format = "attr-dict ($operands^ `:` type($operands))?"


class NamedSequence(Op, Symbol, IsolatedFromAbove, PartOfParent):
    """`transform.named_sequence @s(%h: !transform.any_op {transform.readonly}) { .. }`: a schedule, or a part of one.

    `transform-interpreter` runs `@__transform_main`, with the module as its argument; others by `transform.include`. An
    argument is `{transform.consumed}` if something in the sequence ends its handle, else `{transform.readonly}`; where
    nothing includes the sequence, nothing need be said.
    """

    name = "transform.named_sequence"
    verify_looks_around = True
    sym_name = attribute(SYMBOL_NAME)
    function_type = attribute(FUNCTION_TYPE)
    sym_visibility = attribute(STRING, optional=True)
    arg_attrs = attribute(ARRAY, optional=True)
    res_attrs = attribute(ARRAY, optional=True)
    body_region = region("transform.yield")
    implicit_terminator = Yield
    format = (
        "custom<FunctionSignature>($sym_visibility, $sym_name, $function_type, $arg_attrs, $res_attrs) "
        "attr-dict-with-keyword custom<FunctionBody>($body_region)"
    )

    def verify(self) -> None:
        around = self.parent_op
        if around is not None and WITH_NAMED_SEQUENCE not in around.attributes:
            raise TirError(f"must stand in a module with the attribute {WITH_NAMED_SEQUENCE}")
        type: FunctionType = self.function_type
        check_arguments(self, [*type.inputs, *type.results])
        for i in range(len(type.inputs)):
            said = attributes_of_argument(self, i)
            for word in (READONLY, CONSUMED):
                if not isinstance(said.get(word, UnitAttr()), UnitAttr):
                    raise TirError(f"argument {i}: {word} must have no value, got {said[word]}")
            if READONLY in said and CONSUMED in said:
                raise TirError(f"argument {i} cannot be both readonly and consumed")
        self._verify_body(type)

    def _verify_body(self, type: FunctionType) -> None:
        block = self.body_region.block
        got = [argument.type for argument in block.arguments]
        if got != list(type.inputs):
            raise TirError(f"the body must take {_types(type.inputs)}, got {_types(got)}")
        handed_on = [value.type for value in block.terminator.operands]
        if handed_on != list(type.results):
            raise TirError(f"the sequence yields {_types(handed_on)}, and its type has {_types(type.results)}")
        for argument in block.arguments:
            if READONLY in attributes_of_argument(self, argument.index) and is_consumed_inside(argument):
                raise TirError(f"argument {argument.index} is consumed in the body but is not marked as such")


class NestedSequence(TransformOp):
    """`transform.sequence %root : !transform.any_op failures(propagate) { ^bb0(%h: !transform.any_op): .. }`.

    Runs what is inside on the ops of the handle. With `failures(suppress)` what can be left undone is, in silence.
    """

    name = "transform.sequence"
    root = operand(OP_HANDLE, optional=True)
    extra_bindings = operand(ANY_HANDLE, variadic=True)
    values = result(ANY_HANDLE, variadic=True)
    failure_propagation_mode = attribute(FAILURES)
    body_region = region("transform.yield")
    implicit_terminator = Yield
    format = (
        "($root^ (`,` $extra_bindings^)? `:` type($root) (`,` type($extra_bindings)^)?)? (`->` type($values)^)? "
        "`failures` `(` $failure_propagation_mode `)` attr-dict $body_region"
    )

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.results]

    def verify(self) -> None:
        if self.root is None:
            raise TirError("needs the handle that it runs on; a schedule by itself is a transform.named_sequence")
        _check_block(self.body, [value.type for value in self.operands], self)


class Include(TransformOp):
    """`transform.include @s failures(propagate) (%h) : (!transform.any_op) -> ()`: runs a named sequence."""

    name = "transform.include"
    inputs = operand(ANY_HANDLE, variadic=True)
    values = result(ANY_HANDLE, variadic=True)
    target = attribute(FLAT_SYMBOL)
    failure_propagation_mode = attribute(FAILURES)
    arg_attrs = attribute(ARRAY, optional=True)
    res_attrs = attribute(ARRAY, optional=True)
    format = "$target `failures` `(` $failure_propagation_mode `)` `(` $inputs `)` " + TYPED

    def verify_symbols(self, symbols: SymbolTable) -> None:
        """VerifyError unless the target is a sequence of this type, which says of its arguments whether it consumes them."""
        found = symbols.lookup(self.target)
        if not isinstance(found, NamedSequence):
            hint = symbols.hint(self.target, NamedSequence)
            raise VerifyError(f"{self.name}: there is no transform.named_sequence @{self.target}", self.location, hint=hint)
        got = FunctionType(tuple(v.type for v in self.inputs), tuple(r.type for r in self.results))
        if got is not found.function_type:
            notes = [("defined here", found.location)]
            message = f"{self.name}: @{self.target} has type {found.function_type}, included as {got}"
            raise VerifyError(message, self.location, notes)
        for i in range(len(self.inputs)):
            if not {READONLY, CONSUMED} & set(attributes_of_argument(found, i)):
                notes = [("included here", self.location)]
                message = f"{found.name}: argument {i} of an included sequence must be {READONLY} or {CONSUMED}"
                raise VerifyError(message, found.location, notes)
        for value in self.consumed_by(found):
            if not isinstance(value, BlockArgument):
                continue
            around = value.block.parent_op
            if isinstance(around, NamedSequence) and READONLY in attributes_of_argument(around, value.index):
                message = f"{around.name}: argument {value.index} is consumed in the body but is not marked as such"
                raise VerifyError(message, around.location, [("it is consumed here", self.location)])

    def consumed_by(self, sequence: NamedSequence) -> list[Value]:
        """The operands that the sequence consumes."""
        return [v for i, v in enumerate(self.inputs) if CONSUMED in attributes_of_argument(sequence, i)]


class Foreach(TransformOp):
    """`transform.foreach %h : !transform.any_op { ^bb0(%one: !transform.any_op): .. }`: once for each op of the handle.

    Of several handles the first ops go together, the second, and so on: they must have as many, unless `with_zip_shortest`.
    What each run yields is put together in the results.
    """

    name = "transform.foreach"
    targets = operand(ANY_HANDLE, variadic=True)
    values = result(ANY_HANDLE, variadic=True)
    with_zip_shortest = attribute(UNIT, optional=True)
    body_region = region("transform.yield")
    implicit_terminator = Yield
    format = (
        "$targets (`with_zip_shortest` $with_zip_shortest^)? `:` type($targets) (`->` type($values)^)? $body_region "
        "attr-dict"
    )

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.results]

    def verify(self) -> None:
        if not self.targets:
            raise TirError("needs a handle")
        _check_block(self.body, [value.type for value in self.targets], self)


def _check_block(block: Block, types: Sequence[Type], op: Op) -> None:
    got = [argument.type for argument in block.arguments]
    if got != list(types):
        raise TirError(f"the body must take {_types(types)}, got {_types(got)}")
    handed_on = [value.type for value in block.terminator.operands]
    if handed_on != [value.type for value in op.results]:
        raise TirError(f"the body yields {_types(handed_on)}, and the op has {_types([r.type for r in op.results])}")


def _types(types: Sequence[Type]) -> str:
    return f"({', '.join(map(str, types))})"


# --- handles ---------------------------------------------------------------------------------------------------------


class Cast(TransformOp):
    """`transform.cast %h : !transform.any_op to !transform.op<"scf.for">`: the same ops, which must have this name."""

    name = "transform.cast"
    input = operand(ANY_HANDLE)
    output = result(ANY_HANDLE)
    format = "$input attr-dict `:` type($input) `to` type($output)"


class GetParentOp(TransformOp):
    """`transform.get_parent_op %h {op_name = "scf.for"} : (..) -> ..`: of each op the nearest one around it.

    Only those called `op_name`, those that see no values from outside (`isolated_from_above`), the `nth_parent` of them.
    `deduplicate`: each once. An op without one is an error, unless `allow_empty_results`.
    """

    name = "transform.get_parent_op"
    target = operand(OP_HANDLE)
    parent_handle = result(OP_HANDLE)
    isolated_from_above = attribute(UNIT, optional=True)
    allow_empty_results = attribute(UNIT, optional=True)
    op_name = attribute(STRING, optional=True)
    deduplicate = attribute(UNIT, optional=True)
    nth_parent = attribute(I64_ATTR, default=1)
    format = "$target " + TYPED

    def verify(self) -> None:
        if self.nth_parent < 1:
            raise TirError(f"nth_parent must be 1 or more, got {self.nth_parent}")


class GetDefiningOp(TransformOp):
    """`transform.get_defining_op %v : (!transform.any_value) -> !transform.any_op`: the ops that make the values."""

    name = "transform.get_defining_op"
    target = operand(VALUE_HANDLE)
    value = result(OP_HANDLE)
    format = "$target " + TYPED


class GetProducerOfOperand(TransformOp):
    """`transform.get_producer_of_operand %h[0] : (..) -> ..`: of each op the one that makes this operand."""

    name = "transform.get_producer_of_operand"
    target = operand(OP_HANDLE)
    producer = result(OP_HANDLE)
    operand_number = attribute(I64_ATTR)
    format = "$target `[` $operand_number `]` " + TYPED


class GetConsumersOfResult(TransformOp):
    """`transform.get_consumers_of_result %h[0] : (..) -> ..`: the ops that use this result of the one op."""

    name = "transform.get_consumers_of_result"
    target = operand(OP_HANDLE)
    consumers = result(OP_HANDLE)
    result_number = attribute(I64_ATTR)
    format = "$target `[` $result_number `]` " + TYPED


class GetResult(TransformOp):
    """`transform.get_result %h[0] : (..) -> !transform.any_value`: results, by numbers, `all`, or all `except(0)`."""

    name = "transform.get_result"
    target = operand(OP_HANDLE)
    values = result(VALUE_HANDLE)
    raw_position_list = attribute(I64_ARRAY)
    is_inverted = attribute(UNIT, optional=True)
    is_all = attribute(UNIT, optional=True)
    format = f"$target {POSITIONS} " + TYPED

    def verify(self) -> None:
        _check_positions(self)


class GetOperand(TransformOp):
    """`transform.get_operand %h[0] : (..) -> !transform.any_value`: operands, by numbers, `all`, or all `except(0)`."""

    name = "transform.get_operand"
    target = operand(OP_HANDLE)
    values = result(VALUE_HANDLE)
    raw_position_list = attribute(I64_ARRAY)
    is_inverted = attribute(UNIT, optional=True)
    is_all = attribute(UNIT, optional=True)
    format = f"$target {POSITIONS} " + TYPED

    def verify(self) -> None:
        _check_positions(self)


def _check_positions(op: GetResult | GetOperand) -> None:
    numbers = op.raw_position_list
    if op.is_all and (numbers or op.is_inverted):
        raise TirError("all stands alone, without positions")
    if not op.is_all and not numbers:
        raise TirError("needs a position, or all")
    if len(set(numbers)) != len(numbers):
        raise TirError(f"each position stands there once, got {', '.join(map(str, numbers))}")


class MergeHandles(TransformOp):
    """`transform.merge_handles %a, %b : !transform.any_op`: the ops of all, in order; with `deduplicate` each once."""

    name = "transform.merge_handles"
    handles = operand(ANY_HANDLE, variadic=True)
    result = result(ANY_HANDLE)
    deduplicate = attribute(UNIT, optional=True)
    format = "(`deduplicate` $deduplicate^)? custom<OneType>($handles, type($result)) attr-dict"

    def verify(self) -> None:
        types = {value.type for value in (*self.operands, *self.results)}
        if not self.operands or len(types) != 1:
            raise TirError(f"needs handles of one type, got {_types([v.type for v in self.operands])}")


class SplitHandle(TransformOp):
    """`transform.split_handle %h : (!transform.any_op) -> (!transform.any_op, !transform.any_op)`: a handle for each op.

    There must be as many ops as results, unless `fail_on_payload_too_small = false` (the last handles are then empty) or
    `overflow_result = 1` says which result gets those that are too many.
    """

    name = "transform.split_handle"
    handle = operand(ANY_HANDLE)
    values = result(ANY_HANDLE, variadic=True)
    pass_through_empty_handle = attribute(BOOL, default=True)
    fail_on_payload_too_small = attribute(BOOL, default=True)
    overflow_result = attribute(I64_ATTR, optional=True)
    format = "$handle " + TYPED

    def verify(self) -> None:
        if self.overflow_result is not None and not 0 <= self.overflow_result < len(self.results):
            raise TirError(f"overflow_result must be 0 to {len(self.results) - 1}, got {self.overflow_result}")


class Replicate(TransformOp):
    """`transform.replicate num(%a) %h : !transform.any_op, !transform.any_op`: the one op, as often as `%a` has ops."""

    name = "transform.replicate"
    pattern = operand(ANY_HANDLE)
    handles = operand(ANY_HANDLE)
    replicated = result(ANY_HANDLE)
    format = "`num` `(` $pattern `)` $handles attr-dict `:` type($pattern) `,` type($handles)"

    def infer(self) -> Sequence[Type]:
        return [self.handles.type]


class Select(TransformOp):
    """`transform.select "scf.for" in %h : (!transform.any_op) -> !transform.any_op`: those of the ops that are called so."""

    name = "transform.select"
    target = operand(OP_HANDLE)
    result = result(OP_HANDLE)
    op_name = attribute(STRING)
    format = "$op_name `in` $target " + TYPED


class NumAssociations(TransformOp):
    """`transform.num_associations %h : (!transform.any_op) -> !transform.param<i64>`: how many ops a handle leads to."""

    name = "transform.num_associations"
    handle = operand(ANY_HANDLE)
    num = result(PARAM)
    format = "$handle " + TYPED


class ParamConstant(TransformOp):
    """`transform.param.constant 4 : i64 -> !transform.param<i64>`: a parameter with this value."""

    name = "transform.param.constant"
    value = attribute(ANY_ATTRIBUTE)
    param = result(PARAM)
    format = "$value attr-dict `->` type($param)"


# --- what is done to ops of any kind ---------------------------------------------------------------------------------


class Annotate(TransformOp):
    """`transform.annotate %h "my.mark" = %p : !transform.any_op, !transform.param<i64>`: gives the ops an attribute."""

    name = "transform.annotate"
    target = operand(OP_HANDLE)
    param = operand(PARAM, optional=True)
    attribute_name = attribute_named("name", STRING)
    format = "$target $name attr-dict (`=` $param^)? `:` type($target) (`,` type($param)^)?"


class ApplyPatterns(TransformOp):
    """`transform.apply_patterns to %h { transform.apply_patterns.canonicalization } : !transform.any_op`: rewrites inside.

    With `apply_cse`, equal ops become one, too. `max_iterations`: how often the ops are gone through; -1 for any number.
    """

    name = "transform.apply_patterns"
    target = operand(OP_HANDLE)
    apply_cse = attribute(UNIT, optional=True)
    max_iterations = attribute(I64_ATTR, default=-1)
    max_num_rewrites = attribute(I64_ATTR, default=-1)
    patterns = region()
    format = "`to` $target $patterns attr-dict `:` type($target)"

    def verify(self) -> None:
        for op in self.patterns.block:
            if not isinstance(op, PatternOp):
                raise TirError(f"takes rules such as transform.apply_patterns.canonicalization, got {op.name}")


class Canonicalization(PatternOp):
    """`transform.apply_patterns.canonicalization`: the rules of the pass `canonicalize`."""

    name = "transform.apply_patterns.canonicalization"
    format = "attr-dict"


class ApplyCse(TransformOp):
    """`transform.apply_cse to %h : !transform.any_op`: equal ops inside become one."""

    name = "transform.apply_cse"
    target = operand(OP_HANDLE)
    format = "`to` $target attr-dict `:` type($target)"


class ApplyDce(TransformOp):
    """`transform.apply_dce to %h : !transform.any_op`: ops inside that nobody needs are removed."""

    name = "transform.apply_dce"
    target = operand(OP_HANDLE)
    format = "`to` $target attr-dict `:` type($target)"


class ApplyRegisteredPass(TransformOp):
    """`transform.apply_registered_pass "canonicalize" with options = {"max-iterations" = 3} to %h : (..) -> ..`: a pass.

    It runs on each op of the handle, which ends; the result is a handle to the same ops.
    """

    name = "transform.apply_registered_pass"
    consumed = ("target",)
    target = operand(OP_HANDLE)
    result = result(OP_HANDLE)
    pass_name = attribute(STRING)
    options = attribute(DICTIONARY)
    format = "$pass_name custom<PassOptions>($options) `to` $target " + TYPED


class Verify(TransformOp):
    """`transform.verify %h : !transform.any_op`: the ops keep the rules of the IR, or the schedule ends with an error."""

    name = "transform.verify"
    target = operand(OP_HANDLE)
    format = "$target attr-dict `:` type($target)"


class Print(TransformOp):
    """`transform.print %h {name = "after tiling"} : !transform.any_op`: prints the ops, or the whole program, on stderr."""

    name = "transform.print"
    target = operand(OP_HANDLE, optional=True)
    label = attribute_named("name", STRING, optional=True)
    assume_verified = attribute(UNIT, optional=True)
    use_local_scope = attribute(UNIT, optional=True)
    skip_regions = attribute(UNIT, optional=True)
    format = "($target^)? attr-dict (`:` type($target)^)?"


class EmitRemarkAt(TransformOp):
    """`transform.debug.emit_remark_at %h, "here" : !transform.any_op`: a remark at each op, or where each value is made."""

    name = "transform.debug.emit_remark_at"
    at = operand(ANY_HANDLE)
    message = attribute(STRING)
    format = "$at `,` $message attr-dict `:` type($at)"


class EmitParamAsRemark(TransformOp):
    """`transform.debug.emit_param_as_remark %p, "size" at %h : ..`: a remark with the parameter, here or at each op."""

    name = "transform.debug.emit_param_as_remark"
    param = operand(PARAM)
    anchor = operand(OP_HANDLE, optional=True)
    message = attribute(STRING, optional=True)
    format = "$param (`,` $message^)? (`at` $anchor^)? attr-dict `:` type($param) (`,` type($anchor)^)?"


OPS = (
    NamedSequence, NestedSequence, Yield, Include, Foreach, Cast, GetParentOp, GetDefiningOp, GetProducerOfOperand,
    GetConsumersOfResult, GetResult, GetOperand, MergeHandles, SplitHandle, Replicate, Select, NumAssociations,
    ParamConstant, Annotate, ApplyPatterns, Canonicalization, ApplyCse, ApplyDce, ApplyRegisteredPass, Verify, Print,
    EmitRemarkAt, EmitParamAsRemark,
)  # fmt: skip
