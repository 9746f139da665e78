"""What holds for every module that verifies:

 1. each op has the operands, results, attributes, regions and successors it declares, of the declared kinds;
 2. result types are those that `infer` gives, where an op has it;
 3. a value is used only where its definition dominates the use, and inside isolated ops only values from inside;
 4. each block ends in a terminator if its region must (`ends_in` names those), and a terminator stands only there;
 5. an op that names its parents (`parent_ops`) stands in one of them;
 6. symbols of one table have different names, and an op that refers to symbols checks them (`verify_symbols`);
 7. each trait's rule (`verify_trait`) and each op's own rules (`verify`) hold;
 8. an attribute that begins with `tir.` is one that tir has for such an op.

All violations are collected; an op that breaks 1 is not asked for 2 and 7, nor are the ops inside it whose rules may
look at it: terminators and those that name their parents. An op that uses a result of a wrong op is not called wrong,
too. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tir.ir.attributes import DenseArrayAttr
from tir.ir.errors import TirError, TirErrors, VerifyError, counted
from tir.ir.facts import check_attributes
from tir.ir.fields import OPERAND_SEGMENTS, RESULT_SEGMENTS, OpDefinition
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op, OpResult, Region, UnregisteredOp, Value, signature
from tir.ir.slips import attribute_hint, conversion_hint, kind_hint
from tir.ir.symbols import SymbolTable as Symbols
from tir.ir.symbols import UnknownSymbol
from tir.ir.traits import IsolatedFromAbove, SymbolTable, Terminator, Trait
from tir.ir.types import element_type

__all__ = ["Gaps", "check", "check_inputs", "verify"]

MAX_ERRORS = 50


@dataclass
class Gaps:
    """What a module lacks if its text has mistakes. An op without a name stands for each op that could not be built.

    partial: the ops that directly hold such ops, which are not asked for rules of their own; blocks: those whose
    arguments are not known; symbols: the names that such ops may define.
    """

    partial: set[Op | None] = field(default_factory=set)
    blocks: set[Block] = field(default_factory=set)
    symbols: set[str] = field(default_factory=set)

    def leaves_out(self, op: Op) -> bool:
        """The rules of `op` may find nothing but what is missing."""
        return op in self.partial or any(block in self.blocks for block in op.successors)


def verify(root: Op) -> None:
    """Raises TirErrors with every violation inside `root`."""
    errors = check(root)
    if errors:
        raise TirErrors(errors)


def check(root: Op, gaps: Gaps | None = None, *, written: bool = False) -> list[TirError]:
    """Every violation inside `root`, in the order of the text; at most 50.

    written: the module is what a person wrote, so ops are also asked for `verify_written`: what is surely a mistake
    then, though passes may leave it behind. A loop with the constant step 0, say, may stand in code that never runs.
    """
    with collector_relaxed():
        return _check(root, gaps, written)


def _check(root: Op, gaps: Gaps | None, written: bool) -> list[TirError]:
    errors: list[TirError] = []
    malformed: set[Op | None] = set()
    wrong: set[Op | None] = set()
    right = _Right(written)
    for op in root.walk():
        if gaps is None and not errors and right.has(op):
            continue
        form_only = (malformed and op.parent_op in malformed and _looks_around(op)) or (gaps and gaps.leaves_out(op))
        found = _check_op(op, bool(form_only), gaps)
        if written and not found and hasattr(op, "verify_written"):
            found = _errors_of(op.verify_written, op)
        if not found and not form_only:
            right.add(op)
        if found:
            found = [] if _follows(op, wrong) else found
            wrong.add(op)
        if found and op.regions and not _is_well_formed(op):
            malformed.add(op)
        errors += found
        if len(errors) >= MAX_ERRORS:
            break
    return sorted(errors, key=_place)[:MAX_ERRORS]  # rules about symbols are checked at the module, first


def _place(error: TirError) -> tuple[str, int, int]:
    where = error.location.file_location() if error.location is not None else None
    return (where.file, where.line, where.column) if where is not None else ("", 0, 0)


def check_inputs(op: Op) -> None:
    """VerifyError if the operands or attributes are not those that the op declares: what `infer` may rely on."""
    definition = op.definition
    _check_operand_count(op, definition)
    _check_operand_kinds(op, definition)
    _check_properties(op, definition)


def _is_well_formed(op: Op) -> bool:
    """Rule 1 holds."""
    try:
        if not isinstance(op, UnregisteredOp):
            _check_form(op, op.definition)
    except VerifyError:
        return False
    return True


def _follows(op: Op, wrong: Set[Op | None]) -> bool:
    """The error of `op` follows from one of the op that makes its operand, or of the one around that it does not fit."""
    if any(use.value.op in wrong for use in op._uses):
        return True
    around = op.parent_op
    return around in wrong and around is not None and around.name not in getattr(op, "parent_ops", (around.name,))


def _looks_around(op: Op) -> bool:
    """The rules of `op` may look at the op around it."""
    return isinstance(op, Terminator) or hasattr(op, "parent_ops")


def _check_op(op: Op, form_only: bool, gaps: Gaps | None) -> list[TirError]:
    try:
        if not isinstance(op, UnregisteredOp):
            if form_only:
                _check_form(op, op.definition)
            else:
                _checks_of(type(op))(op)
        _check_uses(op)
        if op.attributes:
            check_attributes(op)
        if isinstance(op, SymbolTable):
            _check_symbols(op, gaps)
    except VerifyError as error:
        if error.location is None:
            error.location = op.location
        return [error]
    except TirErrors as several:
        return list(several.errors)
    except TirError as error:
        return [VerifyError(f"{op.name}: {error.message}", error.location or op.location, error.notes, error.hint)]
    return []


class _Right:
    """The signatures of ops that were found right, so that ops with equal ones are not asked again.

    A signature is all that the declaration of an op, `infer` and most rules look at. The rules that look around, and
    dominance, are checked for each op. This is for speed alone: where it does not say yes, all is checked.
    """

    def __init__(self, written: bool) -> None:
        self.written = written
        self.known: dict[type[Op], set[Any]] = {}
        self.rules: dict[type[Op], list[Callable[[Op], None]]] = {}

    def has(self, op: Op) -> bool:
        """The op is surely right."""
        known = self.known.get(op.__class__)
        if known is None or signature(op) not in known:
            return False
        try:
            for rule in self.rules[op.__class__]:
                rule(op)
            _check_uses(op)
        except TirError:
            return False  # checked again, so that the first error is the one that is reported
        return True

    def add(self, op: Op) -> None:
        """The op was found right. One with regions or successors is different from all others."""
        cls = op.__class__
        if op.regions or op.successors or isinstance(op, (UnregisteredOp, SymbolTable)):
            return
        if cls not in self.known:
            self.known[cls] = set()
            own = [cls.verify] if cls.verify_looks_around else []
            own += [cls.verify_written] if self.written and hasattr(cls, "verify_written") else []
            self.rules[cls] = [*_trait_rules(cls, looking_around=True), *own]
        self.known[cls].add(signature(op))


# --- 1, 2, 5, 7: one op --------------------------------------------------------------------------------------------

_CHECKS: dict[type[Op], Callable[[Op], None]] = {}


def _checks_of(cls: type[Op]) -> Callable[[Op], None]:
    """All checks of an op class as one function, put together once."""
    found = _CHECKS.get(cls)
    if found is None:
        found = _CHECKS[cls] = _put_together(cls)
    return found


def _put_together(cls: type[Op]) -> Callable[[Op], None]:
    definition = cls.definition
    steps = _trait_rules(cls)
    infers = cls.infer is not Op.infer
    own = cls.verify if cls.verify is not Op.verify else None

    def run(op: Op) -> None:
        _check_form(op, definition)
        for step in steps:
            step(op)
        if infers:
            _check_inferred(op)
        if own is not None:
            own(op)

    return run


def _trait_rules(cls: type[Op], *, looking_around: bool = False) -> list[Callable[[Op], None]]:
    """The rules of the traits of a class; looking_around: those only that look at more than the signature."""
    rules: list[Callable[[Op], None]] = []
    for trait in cls.__mro__:
        if issubclass(trait, Trait) and "verify_trait" in vars(trait) and trait is not Trait:
            if trait.rule_looks_around or not looking_around:
                rules.append(vars(trait)["verify_trait"])
    if "parent_ops" in dir(cls):
        rules.append(_check_parent)
    return rules


def _check_form(op: Op, definition: OpDefinition) -> None:
    """Rule 1, and of rule 4 what concerns the op's own regions: the rules of the op may rely on both."""
    _check_operand_count(op, definition)
    _check_other_counts(op, definition)
    _check_operand_kinds(op, definition)
    _check_result_kinds(op, definition)
    _check_properties(op, definition)
    for region in op.regions:
        _check_blocks(op, region)


def _check_operand_count(op: Op, definition: OpDefinition) -> None:
    if definition.simple_operands and len(op._uses) == len(definition.operands):
        return  # the usual case, fast
    _check_segments(op, OPERAND_SEGMENTS, definition.needs_operand_segments, len(definition.operands), len(op._uses))
    if definition.simple_operands and len(op._uses) != len(definition.operands):
        _fail_count(op, "operand", definition.operands, len(op._uses))
    _check_at_least(op, "operand", definition.operands, len(op._uses))


def _check_other_counts(op: Op, definition: OpDefinition) -> None:
    if not definition.simple_results or len(op.results) != len(definition.results):
        _check_result_count(op, definition)
    if len(op.regions) != len(definition.regions):
        _check_at_least(op, "region", definition.regions, len(op.regions))
    if len(op.successors) != len(definition.successors):
        _check_at_least(op, "successor", definition.successors, len(op.successors))


def _check_result_count(op: Op, definition: OpDefinition) -> None:
    _check_segments(op, RESULT_SEGMENTS, definition.needs_result_segments, len(definition.results), len(op.results))
    if definition.simple_results:
        _fail_count(op, "result", definition.results, len(op.results))
    _check_at_least(op, "result", definition.results, len(op.results))


def _check_at_least(op: Op, what: str, fields: Sequence[Any], count: int) -> None:
    needed = sum(f.many == "" for f in fields)
    most = None if any(f.many == "*" for f in fields) else len(fields)
    if count < needed or (most is not None and count > most):
        _fail_count(op, what, fields, count)


def _fail_count(op: Op, what: str, fields: Sequence[Any], count: int) -> None:
    needed = sum(f.many == "" for f in fields)
    rule = f"{needed}" if all(f.many == "" for f in fields) else f"at least {needed}"
    raise VerifyError(f"{op.name}: needs {rule} {what}{'s' if needed != 1 else ''}, got {count}")


def _check_segments(op: Op, name: str, needed: bool, groups: int, total: int) -> None:
    if not needed:
        return
    sizes = op.properties.get(name)
    fits = isinstance(sizes, DenseArrayAttr) and len(sizes.values) == groups and all(s >= 0 for s in sizes.values)
    if not fits or sum(sizes.values) != total:  # type: ignore[union-attr]
        wanted = f"{counted(groups, 'size')} with the sum {total}"
        raise VerifyError(f"{op.name}: {name} must give {wanted}, got {sizes or 'none'}")


def _check_operand_kinds(op: Op, definition: OpDefinition) -> None:
    if definition.simple_operands:
        for declared, use in zip(definition.operands, op._uses):
            if not declared.kind.accepts(use.value.type):
                _fail_kind(op, "operand", declared, use.value)
    else:
        for declared in definition.operands:
            start, stop = definition.operand_range(op, declared.index)
            for use in op._uses[start:stop]:
                if not declared.kind.accepts(use.value.type):
                    _fail_kind(op, "operand", declared, use.value)


def _check_result_kinds(op: Op, definition: OpDefinition) -> None:
    for declared_result in definition.results:
        start, stop = definition.result_range(op, declared_result.index)
        for value in op.results[start:stop]:
            if not declared_result.kind.accepts(value.type):
                _fail_kind(op, "result", declared_result, value)


def _fail_kind(op: Op, what: str, declared: Any, value: Value) -> None:
    which = f"the {what}" if declared.name == what else f"{what} {declared.name!r}"
    hint = kind_hint(declared.kind, value.type, what == "result") if op.name.startswith("tir.") else None
    raise VerifyError(f"{op.name}: {which} must be {declared.kind.text}, got {value.type}", hint=hint)


def _check_properties(op: Op, definition: OpDefinition) -> None:
    properties = op.properties
    for name, declared in definition.attributes.items():
        value = properties.get(name)
        if value is None:
            if declared.many == "":
                raise VerifyError(f"{op.name}: attribute {name!r} is missing; it must be {declared.kind.text}")
        elif not declared.kind.test(value):
            hint = attribute_hint(declared.kind, value)
            raise VerifyError(f"{op.name}: attribute {name!r} must be {declared.kind.text}, got {value}", hint=hint)
    if len(properties) > len(definition.attributes) or any(n not in definition.attributes for n in properties):
        unknown = [n for n in properties if n not in definition.property_names]
        if unknown:
            raise VerifyError(f"{op.name}: has no attribute {unknown[0]!r}")


def _check_inferred(op: Op) -> None:
    inferred = list(op.infer())
    for i, (want, result) in enumerate(zip(inferred, op.results)):
        if want is not result.type:
            which = "the result" if len(inferred) == 1 else f"result {i}"
            is_cast = op.name.startswith("tir.") and element_type(want) is not element_type(result.type)
            hint = conversion_hint(want, result.type) if is_cast else None
            raise VerifyError(f"{op.name}: {which} must have type {want}, got {result.type}", hint=hint)


def _check_parent(op: Op) -> None:
    parent, allowed = op.parent_op, op.parent_ops  # type: ignore[attr-defined]
    if parent is not None and parent.name and parent.name not in allowed:
        raise VerifyError(f"{op.name}: must stand in {' or '.join(allowed)}, got {parent.name}")


# --- 3: dominance ----------------------------------------------------------------------------------------------------


def _check_uses(op: Op) -> None:
    block = op.parent
    for use in op._uses:
        value = use.value
        is_result = value.__class__ is OpResult
        defined = value.owner.parent if is_result else value.owner  # type: ignore[attr-defined]
        if defined is block and block is not None:
            if is_result and not block.is_before(value.owner, op):  # type: ignore[attr-defined]
                _fail_use(op, use.index, value, "is defined behind its use")
        elif block is not None:
            _check_outer_use(op, use.index, value, defined)


def _check_outer_use(op: Op, index: int, value: Value, defined: Block | None) -> None:
    """The value comes from another block: around this one, or before it in the control flow."""
    if defined is None:
        _fail_use(op, index, value, "is defined by an op that stands nowhere")
    inner: Op = op
    while inner.parent is not None and inner.parent is not defined:
        if inner.parent.parent is not None and defined is not None and inner.parent.parent is defined.parent:
            if _dominates(defined, inner.parent):
                return
            _fail_use(op, index, value, "is defined in a block that does not dominate this one")
        outer = inner.parent_op
        if outer is None:
            _fail_use(op, index, value, "is defined in another region")
        if isinstance(outer, IsolatedFromAbove):
            _fail_use(op, index, value, f"is defined outside of {outer.name}, which sees only values from inside")
        inner = outer  # type: ignore[assignment]
    if inner.parent is not defined:
        _fail_use(op, index, value, "is defined in another region")
    if isinstance(value, OpResult) and not (value.owner is not inner and inner.parent.is_before(value.owner, inner)):  # type: ignore[union-attr]
        _fail_use(op, index, value, "is defined behind its use")


def _fail_use(op: Op, index: int, value: Value, problem: str) -> None:
    name = f" %{value.hint}" if value.hint else ""
    notes = [("it is defined here", value.owner.location)] if isinstance(value, OpResult) else []
    raise VerifyError(f"{op.name}: operand {index}{name} {problem}", op.location, notes)


def _dominates(first: Block, second: Block) -> bool:
    """Every way from the entry block to `second` passes `first`: `second` cannot be reached without it."""
    region = first.parent
    assert region is not None
    entry = region.blocks[0]
    if first is entry or first is second:
        return True
    reached, pending = {entry}, [entry]
    while pending:
        block = pending.pop()
        if block is second:
            return False
        for following in block.last.successors if block.last is not None else ():
            if following is not first and following not in reached:
                reached.add(following)
                pending.append(following)
    return True


# --- 4, 6: blocks and symbols ----------------------------------------------------------------------------------------


def _check_blocks(op: Op, region: Region) -> None:
    declared = None
    fields = op.definition.regions
    if fields:
        declared = fields[min(op.regions.index(region), len(fields) - 1)]
    if declared is None:
        return
    name = declared.name.removesuffix("_region")
    if declared.single_block and len(region.blocks) != 1 and not (declared.may_be_empty and not region.blocks):
        raise VerifyError(f"{op.name}: region {name!r} must have one block, got {len(region.blocks)}")
    for block in region.blocks:
        last = block.last
        if declared.ends_in and not isinstance(last, (Terminator, UnregisteredOp)):
            what = f"region {name!r}" if len(op.regions) > 1 else "the region" if declared.single_block else "each block"
            got, where = (last.name, last.location) if last is not None else ("an empty block", op.location)
            raise VerifyError(f"{op.name}: {what} must end in {' or '.join(declared.ends_in)}, got {got}", where)


def _check_symbols(op: Op, gaps: Gaps | None) -> None:
    """Different names, and the references of all ops inside that say how they refer."""
    symbols = Symbols(op, gaps.symbols if gaps is not None else ())
    errors: list[TirError] = list(symbols.duplicates())
    for inner in _of_this_table(op):
        check_symbols = getattr(inner, "verify_symbols", None)
        if check_symbols is not None:
            errors += _errors_of(partial(check_symbols, symbols), inner)
    if errors:
        raise TirErrors(errors)


def _of_this_table(op: Op) -> Iterator[Op]:
    """All ops inside, but for those in symbol tables of their own: names mean what the nearest table says."""
    for region in op.regions:
        for block in region.blocks:
            for child in block:
                if not isinstance(child, SymbolTable):
                    yield from child.walk()


def _errors_of(rule: Callable[[], None], op: Op) -> list[TirError]:
    try:
        rule()
    except UnknownSymbol:
        return []
    except TirError as error:
        error.location = error.location or op.location
        return [error]
    return []
