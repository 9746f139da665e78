"""The loops level to LLVM IR text: a module of functions on buffers, with scf, cf, arith, math, memref and vector ops.

    lower_to_llvm(module) -> LoweredModule(text, functions, asserts)

Needs what `lower-loops`, `bufferize` and `expand-math` leave; an op that has no machine code is a located error, which
names the pass that should have removed it. The calling convention is that of `tir/ir/native.py`. The text is the same
on each run. `scf.parallel` becomes nested loops whose memory accesses are marked as independent, for LLVM's vectorizer;
one with `tir.threads` becomes a function that the thread pool calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tir.dialects.library import library_function
from tir.dialects.scf import SHORT, For, Parallel
from tir.ir.attributes import SymbolRefAttr
from tir.ir.errors import PassError
from tir.ir.externs import EXTERN_BY_NAME, PARALLEL_FOR, LibraryFunction
from tir.ir.flow import known_count
from tir.ir.ir import Block, Op, Value
from tir.ir.native import NUMBERS, RELEASE, TIMES, NativeAssert, NativeParameter, NativeSignature, NativeTimer
from tir.ir.steps import Steps, run_steps
from tir.ir.traits import PartOfParent
from tir.ir.types import F16, MemRefType, VectorType, element_type
from tir.lower import llvm_control, llvm_functions, llvm_memory, llvm_scalars, llvm_vectors, llvm_workspace
from tir.lower.buffers import origins, written_values
from tir.lower.call_depth import check_call_depth
from tir.lower.llvm_control import argument_type, check_no_half, from_argument, lower_block
from tir.lower.llvm_half import without_half
from tir.lower.llvm_plain import without_fma, without_rounding
from tir.lower.llvm_text import FunctionText, ModuleText, quoted
from tir.lower.llvm_types import component_types
from tir.lower.llvm_workspace import release_text

__all__ = ["LoweredModule", "lower_to_llvm", "written_parameters"]

#: A loop of no more steps in all is not worth LLVM's loop passes.
FEW_STEPS = 256

#: What a machine may lack: converting f16, multiplying and adding with one rounding, and rounding to whole numbers. Each
#: with what takes it out of the text.
LACKS = {"half": without_half, "fma": without_fma, "rounding": without_rounding}

RULES = {
    **llvm_scalars.RULES,
    **llvm_functions.RULES,
    **llvm_memory.RULES,
    **llvm_workspace.RULES,
    **llvm_vectors.RULES,
    **llvm_control.RULES,
}


@dataclass(frozen=True)
class LoweredModule:
    """LLVM IR text, and how to call its functions, by their names in the module; private ones cannot be called.

    Status k of a call stands for `asserts[k - 1]`. grants: the kinds of externs that it calls. timers: in the order of
    `TIMES`. passes: those that LLVM needs for good code, "all" or "lines": see `tir.runtime.jit.Passes`.
    """

    text: str
    functions: dict[str, NativeSignature]
    asserts: list[NativeAssert]
    grants: tuple[str, ...] = ("memory",)
    timers: Sequence[NativeTimer] = ()
    passes: Literal["all", "lines"] = "all"
    keeps_memory: bool = False  # from call to call, until the function RELEASE is called

    @property
    def exports(self) -> list[str]:
        """The symbols that the run time needs."""
        numbers = [NUMBERS] if any(one.numbers for one in self.asserts) else []
        times = [TIMES] if self.timers else []
        release = [RELEASE] if self.keeps_memory else []
        return [*(signature.symbol for signature in self.functions.values()), *numbers, *times, *release]


def lower_to_llvm(
    module: Op, vector_bits: int | None = None, lacks: Sequence[str] = (), *, locations: bool = False, clock: str = ""
) -> LoweredModule:
    """The LLVM IR of a module of the loops level. Raises PassError for what has no machine code.

    vector_bits: the width of vectors that LLVM should prefer (128, 256 or 512). lacks: what the machine cannot do, of
    `LACKS`.
    locations: comments say from which line of the program the instructions behind them come. clock: an intrinsic by which
    each loop nest and each call is timed that stands in a function of one block, inside of no other op.
    """
    if "half" in lacks:
        check_no_half(module)
    functions = [op for op in module.body if op.name == "func.func" and op.regions[0].blocks]
    check_call_depth(functions)
    written = written_parameters(functions)
    called = {op.callee for op in module.walk() if op.name == "func.call"}  # type: ignore[attr-defined]
    rounds_to_half = any(op.name == "arith.truncf" and element_type(op.results[0].type) is F16 for op in module.walk())
    text = ModuleText(
        library=_library(module), written=written, rounds_to_half=rounds_to_half, locations=locations, clock=clock
    )
    constants = _globals(text, module)
    for number, function in enumerate(functions):
        name = _name(function)
        text.signatures[name] = _signature(function, number, written[name], name in called)
    initialisers = _initialisers(functions)
    internal = {_name(f) for f in functions if f.is_private and _name(f) not in initialisers}  # type: ignore[attr-defined]
    bodies = []
    for function in functions:
        f = FunctionText(text, RULES)
        signature = text.signatures[_name(function)]
        no_alias = _no_alias(function, signature, written, called)
        bodies.append(_function(f, function, signature, no_alias, _name(function) in internal))
        if f.first_lasting_write is not None and f.last_failure >= f.first_lasting_write:
            text.signatures[_name(function)] = replace(signature, atomic=False)
    attributes = "attributes #0 = { nounwind" + (f' "prefer-vector-width"="{vector_bits}"' if vector_bits else "") + " }"
    if any(one.numbers for one in text.asserts) or PARALLEL_FOR in text.declarations:
        constants.append(f"{quoted(NUMBERS)} = global [2 x i64] zeroinitializer")
    if text.timers:
        constants.append(f"{quoted(TIMES)} = global [{2 * len(text.timers)} x i64] zeroinitializer")
    constants += release_text(text)
    parts = [*constants, *bodies, *text.functions.values(), *text.declarations.values(), attributes, *text.metadata]
    callable_ones = {name: text.signatures[name] for name in map(_name, functions) if name not in internal}
    needed = {"library": text.library, "pool": PARALLEL_FOR in text.declarations}
    grants = ("memory", *(kind for kind, found in needed.items() if found))
    whole = "\n\n".join(parts) + "\n"
    passes: Literal["all", "lines"] = "lines" if _is_on_lanes(module, text) else "all"
    for name in lacks:
        whole = LACKS[name](whole)
    return LoweredModule(whole, callable_ones, text.asserts, grants, text.timers, passes, bool(text.workspaces))


def _is_on_lanes(module: Op, text: ModuleText) -> bool:
    """No loop is left to LLVM's passes: each innermost one goes in vectors, or is short. Nor is a call to see through."""
    if not all(name.startswith(("threads.", "workspace.")) for name in text.functions):
        return False
    loops: set[Op] = set()
    insides: set[Op] = set()
    for op in module.walk():
        if op.name == "func.call" or op.name.startswith("cf.") and op.successors:
            return False
        if op.name in ("scf.for", "scf.parallel", "scf.while"):
            if SHORT in op.attributes or any(SHORT in around.attributes for around in _around(op)):
                continue
            loops.add(op)
            insides.update(around for around in _around(op) if around in loops)
    return all(any(_has_vector(inner) for inner in loop.walk()) or _runs_seldom(loop) for loop in loops - insides)


def _runs_seldom(loop: Op) -> bool:
    """All loops around this one and itself take few steps together, as their text says."""
    steps = 1
    for op in (loop, *_around(loop)):
        if op.name == "scf.while":
            return False
        if isinstance(op, (For, Parallel)):
            bounds = (op.lowerBound, op.upperBound, op.step)
            counts = [known_count(*bounds)] if isinstance(op, For) else [known_count(*bound) for bound in zip(*bounds)]
            if None in counts:
                return False
            steps *= math.prod(count or 0 for count in counts)
    return steps <= FEW_STEPS


def _around(op: Op) -> Iterator[Op]:
    while (parent := op.parent_op) is not None:
        yield parent
        op = parent


def _has_vector(op: Op) -> bool:
    return any(isinstance(value.type, VectorType) for value in (*op.operands, *op.results))


def _name(function: Any) -> str:
    return function.sym_name


def _library(module: Op) -> dict[str, LibraryFunction]:
    """The declarations of library functions, by name."""
    found = [(op, library_function(op)) for op in module.body if op.name == "func.func"]
    return {_name(op): function for op, function in found if function is not None}


def _initialisers(functions: list[Any]) -> set[str]:
    """The private functions that the run time calls: those that give shared variables their first value."""
    shared = [f.argument_attribute(i, "tir.shared") for f in functions for i in range(len(f.arguments))]
    return {attribute.root for attribute in shared if isinstance(attribute, SymbolRefAttr)}


def _globals(text: ModuleText, module: Op) -> list[str]:
    """The definitions of the constants; each memref.global gets a name that no function can have."""
    definitions = []
    for op in module.body:
        if op.name == "memref.global":
            name = f"global.{len(text.globals)}"
            text.globals[_name(op)] = name
            definitions.append(llvm_memory.global_text(op, name))
        elif op.name != "func.func" and not isinstance(op, PartOfParent):  # that is not run
            raise PassError(f"{op.name}: has no machine code at the top of a module", op.location)
    return definitions


# --- signatures ------------------------------------------------------------------------------------------------------


def written_parameters(functions: Sequence[Op]) -> dict[str, set[int]]:
    """function -> the positions of its memref parameters that it may write, itself or by a call."""
    module = functions[0].parent_op if functions else None
    library = _library(module) if module is not None else {}
    written = {name: set(function.written) for name, function in library.items()}
    written |= {_name(function): set() for function in functions}
    changed = True
    while changed:
        changed = False
        for function in functions:
            changed_values = _written_origins(function, written)
            arguments = function.regions[0].blocks[0].arguments
            found = {i for i, argument in enumerate(arguments) if argument in changed_values}
            if found != written[_name(function)]:
                written[_name(function)], changed = found, True
    return written


def _written_origins(function: Op, written: dict[str, set[int]]) -> set[Value]:
    return set().union(*(origins(value) for value in written_values(function.walk(), written)))


def _signature(function: Any, number: int, written: set[int], called: bool) -> NativeSignature:
    parameters = []
    for i, argument in enumerate(function.arguments):
        facts = function.argument_attributes(i)
        label = getattr(facts.get("tir.name"), "value", None) or argument.hint or str(i)
        exclusive = isinstance(argument.type, MemRefType) and not called and ("tir.out" in facts or "tir.shared" in facts)
        component_types(argument.type, function.location)
        parameters.append(NativeParameter(label, argument.type, i in written, exclusive))
    for type in function.function_type.results:
        component_types(type, function.location)
    return NativeSignature(_symbol(function, number), tuple(parameters), function.function_type.results)


def _symbol(function: Any, number: int) -> str:
    """The function's name, or a number where that has a meaning to LLVM or characters that LLVM's text has not."""
    name = _name(function)
    plain = name.isascii() and name.replace("_", "").isalnum() and name not in EXTERN_BY_NAME
    return name if plain else f"function.{number}"


def _no_alias(function: Any, signature: NativeSignature, written: dict[str, set[int]], called: set[str]) -> set[int]:
    """The positions of parameters whose memory is changed through no other pointer while the function runs."""
    exclusive = {i for i, parameter in enumerate(signature.parameters) if parameter.exclusive}
    if _name(function) in called:
        return set()
    arguments = set(function.arguments)
    changed = {v for v in _written_origins(function, written) if v in arguments}
    if not changed <= {function.arguments[i] for i in exclusive}:
        return exclusive
    return {i for i, argument in enumerate(function.arguments) if isinstance(argument.type, MemRefType)}


# --- functions -------------------------------------------------------------------------------------------------------


def _function(f: FunctionText, function: Any, signature: NativeSignature, no_alias: set[int], internal: bool) -> str:
    """The text of one function."""
    names: list[str] = []
    for i, argument in enumerate(function.arguments):
        kinds = component_types(argument.type)
        parts = [f.fresh(argument.hint or "argument") for _ in kinds]
        for kind, part in zip(kinds, parts):
            names.append(f"{argument_type(kind)}{_facts(signature.parameters[i], kind, i in no_alias)} {part}")
        parts = [from_argument(f, kind, part) for kind, part in zip(kinds, parts)]
        f.set(argument, f.of_components(argument.type, parts, function.location))
        if i in no_alias:
            f.exclusive.add(argument)
        if "tir.shared" in function.argument_attributes(i):
            f.lasting.add(argument)
    f.result_pointers = [f.fresh("result") for _ in signature.results]
    names += [f"ptr noalias {pointer}" for pointer in f.result_pointers]
    run_steps(_body(f, function))
    linkage = "internal " if internal else ""
    return f.text(f"define {linkage}i32 {quoted(signature.symbol)}({', '.join(names)}) #0")


def _facts(parameter: NativeParameter, component: str, no_alias: bool) -> str:
    if component != "ptr":
        return ""
    return f"{' noalias' if no_alias else ''} captures(none){'' if parameter.written else ' readonly'}"


def _body(f: FunctionText, function: Any) -> Steps:
    blocks = _reverse_post_order(function.entry)
    if len(blocks) == 1:
        yield lower_block(f, blocks[0], own=True)
        return
    f.cyclic = _cyclic(blocks)
    for block in blocks[1:]:  # all at once, since a branch needs those of blocks that stand behind it
        f.labels[block] = f.fresh_label(block.hint or "block")
        kinds = f.flat_types([argument.type for argument in block.arguments], function.location)
        f.block_phis[block] = [f.new_phi(kind) for kind in kinds]
    for block in blocks:
        if block is not blocks[0]:
            f.start(f.labels[block])
            f.place(f.block_phis[block])
            types = [argument.type for argument in block.arguments]
            for argument, machine in zip(block.arguments, f.of_phis(types, f.block_phis[block])):
                f.set(argument, machine)
        yield lower_block(f, block)


def _reverse_post_order(entry: Block) -> list[Block]:
    """The blocks that can be reached, each behind one that leads to it: values are defined before they are used."""
    order: list[Block] = []
    seen = {entry}
    path: list[tuple[Block, Iterator[Block]]] = [(entry, iter(entry.terminator.successors))]
    while path:
        block, successors = path[-1]
        following = next((b for b in successors if b not in seen), None)
        if following is None:
            order.append(block)
            path.pop()
        else:
            seen.add(following)
            path.append((following, iter(following.terminator.successors)))
    return order[::-1]


def _cyclic(order: list[Block]) -> set[Block]:
    """The blocks that may reach themselves: those between the ends of an edge that goes back in this order."""
    number = {block: i for i, block in enumerate(order)}
    found: set[Block] = set()
    for i, block in enumerate(order):
        first = min((number[successor] for successor in block.terminator.successors), default=i + 1)
        found.update(order[first : i + 1])
    return found
