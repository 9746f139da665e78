"""Writing a module in Python: `tir.Builder`, functions and shared variables around operators on values.

    b = tir.Builder()
    b.shared("w", np.zeros((64, 10), np.float32))
    with b.function("train", x="tensor<[B]x64xf32>", y=b.argument("tensor<[B]xi32>", range=(0, 10))) as (x, y):
        w = b.read("w")
        cost = b.mean(b.softmax_cross_entropy(x @ w, y))
        (gw,) = b.grad(cost, [w])
        b.update("w", w - 0.1 * gw)
        b.returns(cost)
    print(b.module_text())

The IR is the one that the same program in text gives. The location of each op is the Python line that made it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.builtin import Module
from tir.dialects.custom_derivative import JVP, VJP
from tir.dialects.func import Call, Func, Return
from tir.dialects.tir.build.arguments import Checked
from tir.dialects.tir.build.core import dense, public_names, told
from tir.dialects.tir.build.hints import method_meant
from tir.dialects.tir.builder import Tensor, TensorBuilder, TensorLike
from tir.dialects.tir.state import Derivative, Read, Shared, Update
from tir.ir.attributes import ArrayAttr, Attribute, FloatAttr, IntegerAttr, StringAttr, SymbolRefAttr
from tir.ir.define import create
from tir.ir.errors import UNKNOWN, FileLocation, Location, TirError, nearest
from tir.ir.ir import Block, Op, OpResult, Region, Value
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.printer import print_op
from tir.ir.registry import Dialect
from tir.ir.rewrite import FP_MODES
from tir.ir.slips import type_hint
from tir.ir.symbols import SymbolTable
from tir.ir.traits import FunctionLike
from tir.ir.types import FunctionType, TensorType, Type
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.lower_structured import LowerStructured
from tir.passes.pipelines import ALL, default, without_derivatives
from tir.passes.select_library import SelectLibrary
from tir.passes.vectorize import Vectorize
from tir.runtime.jit import masks_here
from tir.runtime.library import has_library
from tir.runtime.wrapper import CallStyle

__all__ = [
    "Argument", "Builder", "caller_location", "check_fp_mode", "check_module", "executable", "for_this_machine", "parse",
    "raised_at", "to_interpret", "transform", "type_from_text",
]  # fmt: skip

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


@dataclass(frozen=True)
class Argument:
    """An argument of a function: its type, and the range of the numbers that are sensible for it.

    range: (low, high), half-open for integers, closed for floats; checks and test inputs keep to it.
    """

    type: Type | str
    range: tuple[float, float] | None = None


class Builder(TensorBuilder, metaclass=Checked):
    """Makes a module. Its methods for ops work inside `with b.function(..)`."""

    argument = Argument

    def __init__(self) -> None:
        super().__init__()
        self.module: Module = create(Module, regions=[Region([Block()])])
        self._function: Func | None = None
        self._open_blocks: list[Block] = []
        self.is_in_method = False
        self._reads: dict[str, Tensor] = {}

    def op(self, cls: type[Any], *operands: Any, **facts: Any) -> Any:
        """A new op, located where the user's code is."""
        if self.block is None:
            raise TirError(f"{cls.name}: an op stands in a function; open one by `with b.function(..)`")
        facts.setdefault("location", caller_location())
        return super().op(cls, *operands, **facts)

    def here(self) -> Location:
        """The line of the user's code that is building."""
        return caller_location()

    @contextmanager
    def at(self, block: Block, anchor: Op | None = None) -> Iterator[None]:
        """Inserts elsewhere for the length of a `with`; values of the blocks around are still in reach."""
        was_in_method, self.is_in_method = self.is_in_method, False
        self._open_blocks.append(block)
        try:
            with super().at(block, anchor):
                yield
        finally:
            self._open_blocks.pop()
            self.is_in_method = was_in_method

    def insert(self, op: Any) -> Any:
        """Puts an op at the insertion point; TirError behind the end of a function, and for a value out of reach."""
        if self._function is not None and self.anchor is None and isinstance(self.block.last, Return):  # type: ignore[union-attr]
            message = f"{op.name}: @{self._function.sym_name} has returned already"
            raise TirError(message, op.location, hint="returns takes several results at once, and comes last")
        for number, value in enumerate(op.operands):
            if (found := self.out_of_reach(value)) is not None:
                problem, hint = found
                name = f" %{value.hint}" if value.hint else ""
                made = [("it is made here", value.op.location)] if isinstance(value, OpResult) else []
                raise TirError(f"{op.name}: operand {number}{name} {problem}", op.location, made, hint)
        return super().insert(op)

    def out_of_reach(self, value: Value) -> tuple[str, str] | None:
        """Why a value cannot be used where the builder inserts, and a cure."""
        if value.block is self.block or value.block in self._open_blocks:
            return None
        owner = value.block.parent_op if value.block is not None else None
        function = owner
        while function is not None and not isinstance(function, FunctionLike):
            function = function.parent_op
        if isinstance(function, Func) and function is not self._function:
            if function.parent is not self.module.body:
                problem = "belongs to another builder"
                return problem, "one builder makes all of a module"
            problem = f"is in another function, @{function.sym_name}"
            return problem, "hand it over as an argument or a result"
        if owner is None:
            problem = "is made in another region of an op that is not finished"
            return problem, "make it before the op, or in each region"
        problem = f"is made inside of a region of {owner.name}, and not in reach outside"
        return problem, f"return it from the function of the region, and use the result of {owner.name}"

    # --- the module --------------------------------------------------------------------------------------------------

    def verify(self) -> None:
        """Raises TirErrors with all that is wrong in the module."""
        verify(self.module)

    def module_text(self) -> str:
        """The text of the module."""
        return print_op(self.module)

    def shared(self, name: str, value: Any, init: str | None = None) -> None:
        """A shared variable: an array, its first value; or a type, and the function that returns the first value."""
        given = type_from_text(value) if isinstance(value, str) else value
        if (init is not None) != isinstance(given, Type):
            raise TirError(f"shared @{name}: give an array, or a type and the name of an init function")
        facts: dict[str, Any] = {"init": init} if init is not None else {"value": dense(given)}
        type = given if isinstance(given, Type) else facts["value"].type
        self._define(create(Shared, sym_name=name, type=type, location=caller_location(), **facts), name)

    def _define(self, op: Op, name: str) -> None:
        if SymbolTable(self.module).lookup(name) is not None:
            raise TirError(f"the name @{name} is taken", self.here())
        self.module.body.append(op)

    def function(
        self, name: str, /, *, private: bool = False, vjp: str | None = None, jvp: str | None = None,
        **arguments: Argument | Type | str,
    ) -> AbstractContextManager[Any]:  # fmt: skip
        """A function with these arguments: a tuple of Tensors. It ends in `returns`, or returns nothing.

        vjp, jvp: the names of functions, defined before or behind it, that compute its derivative in reverse and in
        forward mode. The first takes the arguments, the results and an adjoint of each result of floats, and returns an
        adjoint of each argument of floats; the second takes the arguments and a tangent of each argument of floats, and
        returns a tangent of each result of floats.
        """
        return self._function_of(name, arguments, private=private, vjp=vjp, jvp=jvp)

    def _function_of(
        self, name: str, arguments: Mapping[str, Argument | Type | str], *, private: bool = False, vjp: str | None = None,
        jvp: str | None = None,
    ) -> AbstractContextManager[Any]:  # fmt: skip
        """`function` with arguments whose names may be any texts."""
        if self._function is not None:
            raise TirError(f"function @{name}: @{self._function.sym_name} is still open")
        declared = [a if isinstance(a, Argument) else Argument(a) for a in arguments.values()]
        types = [type_from_text(a.type) if isinstance(a.type, str) else a.type for a in declared]
        visibility = "private" if private else None
        function = Func.make(name, types, [], visibility=visibility, location=caller_location())
        self._define(function, name)
        for attribute, symbol in ((VJP, vjp), (JVP, jvp)):
            function.set_attribute(attribute, SymbolRefAttr(symbol) if symbol is not None else None)
        for i, (label, argument) in enumerate(zip(arguments, declared)):
            function.arguments[i].hint = label
            function.set_argument_attribute(i, "tir.name", StringAttr(label))
            if argument.range is not None:
                function.set_argument_attribute(i, "tir.range", _range(argument.range))
        return self._filling(function)

    @contextmanager
    def _filling(self, function: Func) -> Iterator[tuple[Tensor, ...]]:
        """Meanwhile the function is open."""
        self._function, self._reads = function, {}
        try:
            with self.at(function.entry):
                yield tuple(self._own(argument) for argument in function.arguments)
                if not isinstance(function.entry.last, Return):
                    self.returns()
        finally:
            self._function = None

    def _open(self, what: str) -> Func:
        if self._function is None:
            raise TirError(f"{what} stands in a function; open one by `with b.function(..)`")
        return self._function

    def returns(self, *results: TensorLike, **named: TensorLike) -> None:
        """Ends the function with these results; those behind the others have a `tir.name`."""
        function = self._open("returns")
        if self.block is not function.entry:
            raise TirError("returns: must stand at the end of the function, not inside of a branch or a loop")
        for x in (*results, *named.values()):
            if isinstance(x, (list, tuple)) and any(isinstance(part, Tensor) for part in x):
                message = f"returns: takes the results one by one, got a list of {len(x)}"
                raise TirError(message, hint="returns(*results) takes a list apart")
        values = [self.tensor(x).value for x in (*results, *named.values())]
        self.op(Return, values)
        function.set_type(function.function_type.inputs, [value.type for value in values])
        for i, name in enumerate(named, len(results)):
            function.set_result_attribute(i, "tir.name", StringAttr(name))

    def call(self, name: str, *arguments: TensorLike) -> list[Tensor]:
        """The results of another function of the module, which is defined before."""
        symbols = SymbolTable(self.module)
        function = symbols.lookup(name)
        if not isinstance(function, FunctionLike):
            names = [other for other in symbols.names() if isinstance(symbols.lookup(other), FunctionLike)]
            raise TirError(f"call: there is no function @{name}", hint=nearest(name, names) or "it must be defined before")
        type: FunctionType = function.function_type
        values = [self.tensor(x).value for x in arguments]
        made = self.create_many(Call, values, callee=name, result_types=list(type.results))
        return [self._own(value) for value in made]

    # --- state -------------------------------------------------------------------------------------------------------

    def _shared_type(self, name: str) -> TensorType:
        symbols = SymbolTable(self.module)
        found = symbols.lookup(name)
        if not isinstance(found, Shared):
            names = [other for other in symbols.names() if isinstance(symbols.lookup(other), Shared)]
            raise TirError(f"there is no shared variable @{name}", hint=nearest(name, names))
        return found.type

    def read(self, name: str) -> Tensor:
        """The value of a shared variable before this call; the same Tensor each time in a function."""
        self._open("read")
        if name not in self._reads:
            found = self.make(Read, symbol=name, result_types=[self._shared_type(name)])
            self._reads[name] = found.named(name)
        return self._reads[name]

    def update(self, name: str, value: TensorLike) -> None:
        """The value of a shared variable after this call."""
        self._open("update")
        type, new = self._shared_type(name), self.tensor(value)
        if new.type is not type:
            raise TirError(f"update @{name}: the value must have type {type}, got {new.type}")
        self.op(Update, new.value, symbol=name)


def _range(bounds: tuple[float, float]) -> Attribute:
    """`[0, 10]`."""
    return ArrayAttr(tuple(FloatAttr(x) if isinstance(x, float) else IntegerAttr(x) for x in bounds))


#: What Theano has and tir has not, and what to write instead.
NOT_OF_THEANO = {
    "sparse": "there are no sparse tensors; T.switch and T.dot compute with dense ones",
    "generic": "a variable is a tensor; other objects are attributes of an Op",
    "d3viz": "tir.printing.pydotprint draws, and f.explore() of a function writes a page",
    "typed_list": "there are no variables of lists; T.stack makes one tensor of several of one shape",
    "scan_checkpoints": "tir.scan keeps all steps; shorter sequences need less memory",
    "function_dump": "f.ir() of a function is its text, tir.print_op(f.module) all of it",
    "shared_randomstreams": "it is tir.tensor.shared_randomstreams",
    **dict.fromkeys(("gpuarray", "gpu"), "functions run on the CPU"),
    **dict.fromkeys(("misc", "tests", "test"), "it holds what Theano needs for itself"),
}


def package_hint(name: str, names: Sequence[str]) -> str | None:
    """What is written for a name that the package does not have: Theano's, a type, or a method of a builder."""
    if name in NOT_OF_THEANO:
        return NOT_OF_THEANO[name]
    found = type_hint(name)
    element = re.fullmatch(r"did you mean '(\w+)'\?", found or "")
    if element is not None and element[1].upper() in names:
        return f"did you mean 'tir.{element[1].upper()}'?"
    method = method_meant(name, public_names(Builder))
    return f"b.{method[0]} of a builder, b = tir.Builder(), is it" if method is not None else nearest(name, names)


# --- modules ---------------------------------------------------------------------------------------------------------


def parse(text: str, file: str = "<text>", dialects: Iterable[Dialect] = ()) -> Op:
    """The verified module that `text` spells; TirErrors has all that is wrong with it.

    dialects: those from outside of tir that it may use, see `tir.extend`.
    """
    if not isinstance(text, str):
        raise TirError(f"parse: a text is needed, got {told(text)}", caller_location())
    more = list(dialects)
    for number, one in enumerate(more):
        _check_dialect(one, [other.name for other in more[:number]])
    return parse_text(text, REGISTRY.with_dialects(more) if more else REGISTRY, file=file)


def _check_dialect(one: Any, others: Sequence[str]) -> None:
    """TirError for what the author of a dialect has done wrong."""
    if not isinstance(one, Dialect):
        raise TirError(f"parse: dialects must be of class tir.extend.Dialect, got {told(one)}", caller_location())
    if REGISTRY.has_dialect(one.name):
        raise TirError(f"parse: tir has a dialect '{one.name}' itself", caller_location())
    if one.name in others:
        hint = "one Dialect has all ops of its name"
        raise TirError(f"parse: two of the dialects have the name '{one.name}'", caller_location(), hint=hint)
    if not isinstance(one.ops, (tuple, list)):
        hint = f"write ({one.ops.__name__},)" if isinstance(one.ops, type) else None
        message = f"parse: the ops of dialect '{one.name}' must be a tuple of classes, got {told(one.ops)}"
        raise TirError(message, caller_location(), hint=hint)
    for op in one.ops:
        if not isinstance(op, type) or not issubclass(op, Op):
            message = f"parse: the ops of dialect '{one.name}' must be classes of extend.Op, got {told(op)}"
            raise TirError(message, caller_location())
        name = getattr(op, "name", "")
        if not name.startswith(f"{one.name}."):
            message = f"parse: the name of an op of dialect '{one.name}' must begin with '{one.name}.', got {name!r}"
            raise TirError(message, caller_location())


def transform(module: Op, pipeline: str) -> None:
    """Runs passes on a module, in place: "fuse,lower-cpu" or "builtin.module(func.func(cse))"."""
    check_module("transform", module)
    verify(module)
    run_pipeline(parse_pipeline(pipeline, ALL, REGISTRY), module)


def executable(
    module: Op, target: str = "cpu", pipeline: Pipeline | None = None, fp_mode: str = "stable",
    style: CallStyle | None = None,
) -> Executable:  # fmt: skip
    """A module of any level, ready to run; the module itself is not changed.

    pipeline: what is to run first. Without it: the default pipeline for "cpu", with calls of BLAS and LAPACK where
    scipy is installed and they are faster; what expands `tir.grad` for "interpret". fp_mode: of that for "cpu": which
    rules may change numbers, `strict` none, `stable` those that lessen errors, `fast` all. style: how Python calls the only
    entry, if code may take its calls.
    """
    check_module("executable", module)
    check_fp_mode("executable", fp_mode)
    verify(module)
    steps = pipeline or (for_this_machine(fp_mode) if target == "cpu" else to_interpret(module))
    return Executable(module, target, lambda copy: run_pipeline(steps, copy), style=style)


def check_module(what: str, module: Any) -> None:
    """TirError for what is no op, such as a builder. what: who asks."""
    if not isinstance(module, Op):
        hint = "b.module is the module of a builder" if isinstance(module, Builder) else "tir.parse makes one of text"
        raise TirError(f"{what}: a module is needed, got {told(module)}", caller_location(), hint=hint)


def check_fp_mode(what: str, fp_mode: Any) -> None:
    """TirError unless it is one of `FP_MODES`. what: who asks."""
    if fp_mode not in FP_MODES:
        raise TirError(f"{what}: fp_mode must be one of {', '.join(FP_MODES)}, got {told(fp_mode)}", caller_location())


def for_this_machine(fp_mode: str = "stable") -> Pipeline:
    """The default pipeline, with calls of BLAS and LAPACK where those are faster, and none where there is no scipy.

    Long loops go under masks where the machine has registers for them.

    fp_mode: which rules may change numbers: `strict` none, `stable` those that lessen errors, `fast` all.
    """
    pipeline = default("auto", fp_mode)
    for step in pipeline.passes():
        if isinstance(step, (LowerStructured, SelectLibrary)):
            step.available = has_library
        elif isinstance(step, Vectorize):
            step.masks, step.asked = "auto", masks_here
    return pipeline


def to_interpret(module: Op) -> Pipeline:
    """The passes that the interpreter cannot do without: those that expand derivatives, where there are any."""
    has_derivative = any(isinstance(op, Derivative) for op in module.walk())
    return Pipeline([*without_derivatives(fp_mode="strict")] if has_derivative else [])


def type_from_text(text: str) -> Type:
    """The type that `text` spells: "tensor<[B]x64xf32>"."""
    try:
        module = parse_text(f"func.func private @f({text})", REGISTRY, file="type")
    except TirError as error:
        raise TirError(f"{text!r} is no type: {error.message}") from None
    functions = [op for op in module.regions[0].block if isinstance(op, Func)]
    type = functions[0].function_type if len(functions) == 1 else FunctionType((), ())
    if len(type.inputs) != 1 or type.results:
        raise TirError(f"{text!r} is no type")
    return type.inputs[0]


def caller_location() -> Location:
    """The file and line of the nearest frame outside of tir, and of numpy, which calls it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        is_inner = _INNER.get(file)
        if is_inner is None or file == GENERATED:
            is_inner = _INNER[file] = _is_inner(file, frame.f_globals.get("__name__", ""))
        if not is_inner:
            return FileLocation(file, frame.f_lineno, 1)  # of each op its own: what is merged counts them
        frame = frame.f_back
    return UNKNOWN


def raised_at(error: BaseException) -> FileLocation | None:
    """The last line outside of tir and numpy that an error has come through."""
    found, trace = None, error.__traceback__
    while trace is not None:
        code, module = trace.tb_frame.f_code, trace.tb_frame.f_globals.get("__name__", "")
        if not _is_inner(code.co_filename, module):
            found = FileLocation(code.co_filename, trace.tb_lineno, 1)
        trace = trace.tb_next
    return found


_INNER: dict[str, bool] = {}  # whether a file is of tir, or of numpy: each op that is built asks for several


def _is_inner(file: str, module: str) -> bool:
    if file == GENERATED:
        return module.startswith("tir.")
    return file.startswith(PACKAGE) or file == CONTEXTLIB or module.startswith("numpy.")


GENERATED = "<string>"  # the methods that dataclasses write, and what a user runs from a string
CONTEXTLIB = contextmanager.__code__.co_filename  # `with b.function(..)` runs its first half from there
