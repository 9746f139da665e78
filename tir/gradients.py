"""Derivatives in Python: of values, as Theano has them, and of functions, as JAX has them.

    gw, gb = tir.grad(cost, [w, b])             # tensors of a `tir.Builder`: one gives one, a list a list
    gw = tir.grad(loss)(w, x)                   # a function of tensors: one that gives the gradient by argument 0
    h = tir.hessian(loss)(w, x)                 # they nest
    hv = tir.hvp(cost, w, v)

Each asks for an op of the text (`tir.grad`, `tir.vjp`, `tir.jvp`, `tir.jacobian`), which the pass `autodiff` expands.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

from tir.api import caller_location
from tir.calls import for_users
from tir.dialects.tir.build.control import check_takes
from tir.dialects.tir.build.core import told
from tir.dialects.tir.builder import Tensor, TensorBuilder, TensorLike
from tir.dialects.tir.control_gradients import inputs_of
from tir.dialects.tir.jacobian import MODES
from tir.dialects.tir.markers import StopGradient
from tir.dialects.tir.state import Leaf
from tir.ir.errors import FileLocation, TirError, counted, nearest
from tir.ir.ir import Value
from tir.ir.types import F64, FloatType, element_type
from tir.numpy.arrays import Array, Tracer, as_array, builder_of, is_operand
from tir.tracing import Jitted
from tir.trees import flat, mapped

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "stop_gradient", "value_and_grad", "vjp"]

CHOICES = ("error", "warn", "zero")
STEPS = "whole numbers change in steps"
ZERO_INSTEAD = 'disconnected="zero" gives 0 for it'

# --- of values, and of functions -------------------------------------------------------------------------------------


@for_users
def grad(
    cost: Any, wrt: Any = None, *, argnums: int | Sequence[int] | None = None, has_aux: bool = False,
    known_cotangents: Mapping[Tensor, TensorLike] | None = None, consider_constant: Tensor | Sequence[Tensor] = (),
    disconnected: str | None = None,
) -> Any:  # fmt: skip
    """The gradients of a number by `wrt`; of a function that gives a number, the function that gives its gradient.

    cost: a 0-d tensor of floats, or a function of tensors. With has_aux the function gives a number and something more,
    and its gradient function the gradient and that.
    wrt: one tensor, or a list or tuple of them, which has a list or tuple of gradients. Of a function the numbers of
    the arguments, 0 without; also as `argnums`. An argument may be lists, tuples and dictionaries of tensors.
    known_cotangents: derivatives of the cost, or of what is not here, by values: instead of those that would be
    computed. With them the cost may be None.
    consider_constant: nothing goes through what these are computed from.
    disconnected: what a tensor of `wrt` gets that the cost does not depend on: an "error", the default; "warn" or
    "zero", the default of functions.
    """
    if callable(cost):
        _only_for_values("grad", known_cotangents=known_cotangents, consider_constant=consider_constant)
        numbers = wrt if argnums is None else argnums
        return _gradient_function("grad", cost, numbers, has_aux, disconnected, with_value=False)
    _only_for_functions("grad", argnums=argnums, has_aux=has_aux)
    constant = _tensors("grad", "consider_constant", consider_constant)
    return _gradients("grad", cost, wrt, known_cotangents or {}, constant, disconnected or "error")


@for_users
def value_and_grad(
    cost: Any, wrt: Any = None, *, argnums: int | Sequence[int] | None = None, has_aux: bool = False,
    disconnected: str | None = None,
) -> Any:  # fmt: skip
    """The number and its gradients, as `grad` gives them: a pair, or a function that gives one.

    With has_aux the first of the pair is one, too: the number and what the function gives beside it.
    """
    if callable(cost):
        numbers = wrt if argnums is None else argnums
        return _gradient_function("value_and_grad", cost, numbers, has_aux, disconnected, with_value=True)
    _only_for_functions("value_and_grad", argnums=argnums, has_aux=has_aux)
    return cost, _gradients("value_and_grad", cost, wrt, {}, (), disconnected or "error")


@for_users
def vjp(values: Any, *given: Any, has_aux: bool = False, disconnected: str | None = None) -> Any:
    """Adjoints from adjoints: `tir.vjp(values, cotangents, wrt)`, `y, pull = tir.vjp(f, *arguments)`.

    Values and their cotangents are one or several; what comes out is one or several as `wrt` is. `pull(cotangents)`
    gives a tuple: what each argument of f gets from cotangents of y. With has_aux, f gives y and something more, the
    third.
    """
    if callable(values):
        return _vjp_of_function(values, given, has_aux, disconnected or "zero")
    _only_for_functions("vjp", has_aux=has_aux)
    cotangents, wrt = _two("vjp", "values, cotangents, wrt", given)
    results = _tensors("vjp", "value", values)
    call = _Call("vjp", results, _tensors("vjp", "wrt", wrt), disconnected or "error")
    pairs = call.pairs("cotangent", results, _listed(cotangents))
    return _packed(wrt, call.adjoints(pairs))


@for_users
def jvp(values: Any, *given: Any, has_aux: bool = False) -> Any:
    """Tangents from tangents: `tir.jvp(values, wrt, tangents)`, `y, dy = tir.jvp(f, arguments, tangents)`.

    Values are one or several, and so is what comes out; `wrt` and its tangents likewise. Of a function, arguments and
    tangents are tuples; with has_aux, it gives y and something more, the third. 0 where nothing depends on `wrt`.
    """
    if callable(values):
        arguments, tangents = _two("jvp", "f, arguments, tangents", given)
        return _jvp_of_function(values, arguments, tangents, has_aux)
    _only_for_functions("jvp", has_aux=has_aux)
    wrt, tangents = _two("jvp", "values, wrt, tangents", given)
    by = _tensors("jvp", "wrt", wrt)
    call = _Call("jvp", _tensors("jvp", "value", values), by, "zero")
    pairs = call.pairs("tangent", by, _listed(tangents))
    return _packed(values, call.b.jvp(call.results, by, [tangent for _, tangent in pairs]))


@for_users
def jacobian(
    y: Any, wrt: Any = None, *, argnums: int | Sequence[int] | None = None, mode: str = "auto",
    disconnected: str | None = None,
) -> Any:  # fmt: skip
    """The derivatives of all elements of y by those of `wrt`: the axes of y, then those of `wrt`.

    y: a tensor, or a function of tensors. What y gives and `argnums` name may be lists, tuples and dictionaries; the
    result has for each tensor of y what the arguments are. mode: "reverse", "forward", or "auto", as costs less.
    """
    _checked_mode("jacobian", mode)
    if callable(y):
        return _jacobian_function("jacobian", y, wrt if argnums is None else argnums, mode, disconnected or "zero")
    _only_for_functions("jacobian", argnums=argnums)
    results = _one("jacobian", "y", y, "ask for the Jacobian of each")
    call = _Call("jacobian", results, _tensors("jacobian", "wrt", wrt), disconnected or "error")
    return _packed(wrt, call.jacobians(mode))


@for_users
def hessian(
    cost: Any, wrt: Any = None, *, argnums: int | Sequence[int] | None = None, mode: str = "auto",
    disconnected: str | None = None,
) -> Any:  # fmt: skip
    """The second derivatives of a number: for a tensor of `wrt` the axes of the tensor twice.

    Of several, one for each, as Theano has it. Of a function by several arguments the derivatives by each two of them,
    as JAX has it.
    """
    if callable(cost):
        numbers = wrt if argnums is None else argnums
        slope = grad(cost, argnums=numbers, disconnected=disconnected)
        return _jacobian_function("hessian", slope, numbers, _checked_mode("hessian", mode), "zero")
    _only_for_functions("hessian", argnums=argnums)
    points = _tensors("hessian", "wrt", wrt)
    slopes = _gradients("hessian", cost, points, {}, (), disconnected or "error")
    found = [jacobian(slope, point, mode=mode, disconnected="zero") for slope, point in zip(slopes, points)]
    return _packed(wrt, found)


@for_users
def hvp(cost: Any, wrt: Any, vectors: Any, *, disconnected: str | None = None) -> Any:
    """The Hessian of a number times vectors, without the Hessian: one gradient, and its derivative forward.

    `tir.hvp(cost, wrt, vectors)`, `tir.hvp(f, arguments, vectors)`: wrt, or the arguments, and vectors like them are
    one or several; what comes out is as they are. With several, the Hessian is that by all of them.
    """
    if callable(cost):
        arguments = tuple(_listed(wrt))
        slope = grad(cost, argnums=tuple(range(len(arguments))), disconnected=disconnected)
        return _packed(wrt, jvp(slope, arguments, tuple(_listed(vectors)))[1])
    points = _tensors("hvp", "wrt", wrt)
    slopes = _gradients("hvp", cost, points, {}, (), disconnected or "error")
    return _packed(wrt, jvp(slopes, points, _listed(vectors)))


def stop_gradient(x: Any) -> Any:
    """x, or all that is in a tree, as constants: no derivative goes through them. Arrays and numbers are some already."""
    return mapped(lambda one: one.builder.stop_gradient(one) if isinstance(one, Tensor) else one, x)


# --- values ----------------------------------------------------------------------------------------------------------


def _gradients(
    name: str, cost: Any, wrt: Any, known: Mapping[Tensor, TensorLike], constant: Sequence[Tensor], disconnected: str
) -> Any:
    """The gradients of a number by one or several tensors."""
    points = _tensors(name, "wrt", wrt)
    costs = [] if cost is None and known else _one(name, "the cost", cost, "add them up")
    call = _Call(name, [*costs, *known], points, disconnected)
    for one in costs:
        call.check_number(one)
    values = [Tensor(call.b, value.value) for value in known]
    return _packed(wrt, call.gradients(costs, call.pairs("cotangent", values, list(known.values())), constant))


class _Call:
    """One call for derivatives of results by values, checked: what is asked for can be built here."""

    def __init__(self, name: str, results: Sequence[Tensor], wrt: Sequence[Tensor], disconnected: str) -> None:
        self.name, self.disconnected = name, disconnected
        if disconnected not in CHOICES:
            hint = nearest(disconnected, CHOICES)
            raise self.error(f"disconnected must be one of {', '.join(CHOICES)}, got {disconnected!r}", hint)
        if not results or not wrt:
            raise self.error("needs a tensor to differentiate, and one to differentiate by")
        self.b: TensorBuilder = results[0].builder
        self.results, self.wrt = [self.b.tensor(x) for x in results], [self.b.tensor(x) for x in wrt]
        if self.b.block is None:
            raise self.error("stands in a function, and none is open", "ask for it inside of `with b.function(..)`")
        for x in self.results:
            what = f"what is differentiated{_named(x)}"
            if not _is_float(x.value):
                raise self.error(f"{what} must be of floats, got {x.type}", STEPS)
            self._check_place(what, x, "call this there, and hand the derivative on")
        for number, x in enumerate(self.wrt):
            if not _is_float(x.value):
                raise self.error(f"{self._by(number)} must be of floats, got {x.type}", STEPS)
            self._check_place(self._by(number), x, "take `b.leaf(x)` of it there, use that, and differentiate by that")

    def error(self, message: str, hint: str | None = None) -> TirError:
        """What is wrong, at the line of the user."""
        return TirError(f"tir.{self.name}: {message}", caller_location(), hint=hint)

    def _by(self, number: int) -> str:
        return f"wrt{_named(self.wrt[number])}" if len(self.wrt) == 1 else f"wrt {number}{_named(self.wrt[number])}"

    def _check_place(self, what: str, x: Tensor, cure: str) -> None:
        """TirError unless x stands in the block that is written now."""
        if x.value.block is self.b.block:
            return
        if (found := self.b.out_of_reach(x.value)) is not None:
            problem, cure = found
            raise self.error(f"{what} {problem}", cure)
        raise self.error(f"{what} is computed outside of the branch or loop that is written here", cure)

    def check_number(self, cost: Tensor) -> None:
        """TirError unless it is a number."""
        if cost.type.rank != 0:
            sums = ".sum() or .mean()" if isinstance(cost, Array) else "`b.sum` or `b.mean`"
            hint = f"take its {sums}, or ask for tir.jacobian"
            raise self.error(f"the cost{_named(cost)} must be a number, a tensor of rank 0, got {cost.type}", hint)

    def pairs(self, what: str, values: Sequence[Tensor], given: Sequence[TensorLike]) -> list[tuple[Tensor, Tensor]]:
        """Values with the cotangents or tangents that are given for them; numbers stand for tensors full of them."""
        if len(values) != len(given):
            raise self.error(f"needs a {what} for each value: {len(values)}, got {len(given)}")
        found = []
        for value, other in zip(values, given):
            is_number = isinstance(other, (int, float)) and not isinstance(other, bool)
            tensor = self.b.full_like(value, other) if is_number else self.b.tensor(other)
            if tensor.type is not value.type:
                of = f"of{_named(value) or ' a value'}"
                raise self.error(f"the {what} {of} must have type {value.type}, got {tensor.type}")
            found.append((value, tensor))
        return found

    # --- what is built -----------------------------------------------------------------------------------------------

    def gradients(
        self, costs: Sequence[Tensor], known: Sequence[tuple[Tensor, Tensor]], constant: Sequence[Tensor]
    ) -> list[Tensor]:
        """The gradients by `wrt`, where those by some values are known, and some are given."""
        if not known and not constant:
            return self._filled(self.results, (), lambda asked: self.b.grad(costs[0], asked))
        for x in constant:
            self._check_place(f"the constant{_named(x)}", x, "`b.stop_gradient` makes a constant there")
        b, given = self.b, {value.value: cotangent for value, cotangent in known}
        answers = {i: given[x.value] for i, x in enumerate(self.wrt) if x.value in given}
        # What is known of a value replaces what comes back to it: its leaf hands nothing on, what is behind gets this.
        places = {x: b.differentiable(x) for x in dict.fromkeys((*given, *(b.tensor(x).value for x in constant)))}
        ends = list(places.values())
        seeds = [(places.get(x.value, x), b.full_like(x, 1)) for x in costs]
        for value, cotangent in given.items():
            end = places[value]
            seeds.append((b.tensor(end.value.op.x if isinstance(end.value.op, Leaf) else end), cotangent))
        self.wrt = [places.get(x.value, x) for x in self.wrt]
        return self._filled([x for x, _ in seeds], ends, lambda asked: self._pulled(seeds, asked, ends), answers)

    def adjoints(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """The adjoints of `wrt` from those of the results."""
        return self._filled(self.results, (), lambda asked: self._pulled(pairs, asked, ()))

    def _pulled(self, pairs: Any, asked: Sequence[Tensor], ends: Sequence[Tensor]) -> list[Tensor]:
        return self.b.vjp([x for x, _ in pairs], [g for _, g in pairs], asked, ends)

    def jacobians(self, mode: str) -> list[Tensor]:
        """The Jacobians of the result by `wrt`."""
        (y,) = self.results
        shape = self.b.shape(y)

        def zeros(x: Tensor) -> Tensor:
            return self.b.full(0, (*shape, *self.b.shape(x)), x.type.element)

        return self._filled([y], (), lambda asked: self.b.jacobian(y, asked, mode), zeros=zeros)

    def _filled(
        self, results: Sequence[Tensor], ends: Sequence[Tensor], derivatives: Callable[[list[Tensor]], list[Tensor]],
        answers: Mapping[int, Tensor] | None = None, zeros: Callable[[Tensor], Tensor] | None = None,
    ) -> list[Tensor]:  # fmt: skip
        """The derivatives by all of `wrt`: those that are asked for by the connected ones, answers, and zeros."""
        answers = dict(answers or {})
        connected = self._connected([x.value for x in results], ends, by_floats=True)
        asked = []
        for i, x in enumerate(self.wrt):
            if i in answers:
                continue
            if x.value in connected:
                asked.append(i)
                continue
            self._tell(i, results, ends)
            answers[i] = self.b.full_like(x, 0) if zeros is None else zeros(x)
        made = derivatives([self.wrt[i] for i in asked]) if asked else []
        answers.update(zip(asked, made))
        return [answers[i] for i in range(len(self.wrt))]

    # --- what depends on what ----------------------------------------------------------------------------------------

    def _connected(self, results: Sequence[Value], ends: Sequence[Tensor], by_floats: bool) -> set[Value]:
        """The values that the results are computed from, here in this block."""
        assert self.b.block is not None
        needed = {value for value in results if not by_floats or _is_float(value)}
        last = {end.value.op for end in ends}
        op = self.b.block.last if self.b.anchor is None else self.b.anchor.previous
        while op is not None:
            if not needed.isdisjoint(op.results) and not isinstance(op, StopGradient) and op not in last:
                needed.update(value for value in inputs_of(op) if not by_floats or _is_float(value))
            op = op.previous
        return needed

    def _tell(self, number: int, results: Sequence[Tensor], ends: Sequence[Tensor]) -> None:
        """Raises or warns that nothing depends on one of `wrt`."""
        if self.disconnected == "zero":
            return
        what = "the cost does" if self.name not in ("vjp", "jacobian") else "what is differentiated does"
        problem = f"{what} not depend on {self._by(number)}"
        if self.wrt[number].value in self._connected([x.value for x in results], ends, by_floats=False):
            problem += " but by whole numbers and truth values, which have no gradient"
        if self.disconnected == "error":
            raise self.error(problem, ZERO_INSTEAD)
        place = caller_location()
        file, line = (place.file, place.line) if isinstance(place, FileLocation) else ("tir", 0)
        warnings.warn_explicit(f"tir.{self.name}: {problem}; it is 0", UserWarning, file, line)


def _is_float(value: Value) -> bool:
    return isinstance(element_type(value.type), FloatType)


def _named(x: Tensor) -> str:
    return f" %{x.value.hint.removesuffix('_leaf')}" if x.value.hint else ""


def _tensors(name: str, what: str, given: Any) -> list[Tensor]:
    """One tensor or several as a list; TirError for what is none."""
    found = _listed(given)
    for x in found:
        if not isinstance(x, Tensor):
            message = f"tir.{name}: {what} must be a tensor of the builder, or a list or tuple of them, got {x!r}"
            raise TirError(message, caller_location())
    return found


def _one(name: str, what: str, given: Any, cure: str) -> list[Tensor]:
    """One tensor, as a list; TirError for several."""
    found = _tensors(name, what, given)
    if isinstance(given, (list, tuple)):
        message = f"tir.{name}: {what} must be one tensor, got {len(given)} in a {type(given).__name__}"
        raise TirError(message, caller_location(), hint=cure)
    return found


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _packed(like: Any, found: Sequence[Any]) -> Any:
    """One for one, a list for a list, a tuple for a tuple."""
    return list(found) if isinstance(like, list) else tuple(found) if isinstance(like, tuple) else found[0]


def _two(name: str, form: str, given: Sequence[Any]) -> Sequence[Any]:
    if len(given) != 2:
        raise TirError(f"tir.{name}: takes {form}, got {len(given) + 1}", caller_location())
    return given


def _checked_mode(name: str, mode: str) -> str:
    if mode not in MODES:
        hint = nearest(mode, MODES) if isinstance(mode, str) else None
        raise TirError(f"tir.{name}: the mode must be one of {', '.join(MODES)}, got {mode!r}", caller_location(), hint=hint)
    return mode


def _only_for_values(name: str, **options: Any) -> None:
    for option, value in options.items():
        if value:
            hint = "in a function, `b.stop_gradient` makes a constant, and tir.vjp takes cotangents"
            raise TirError(f"tir.{name}: {option} is not for functions", caller_location(), hint=hint)


def _only_for_functions(name: str, **options: Any) -> None:
    for option, value in options.items():
        if value is not None and value is not False:
            raise TirError(f"tir.{name}: {option} is for functions, not for values", caller_location())


# --- functions -------------------------------------------------------------------------------------------------------


def _gradient_function(
    name: str, f: Callable[..., Any], argnums: Any, has_aux: bool, disconnected: str | None, with_value: bool
) -> Callable[..., Any]:
    """The function that gives the gradient of f, and its value too if that is asked for."""

    def gradient(*arguments: Any, **named: Any) -> Any:
        point = _Point(name, f, argnums, arguments)
        y = point.value(named, has_aux)
        call = _Call(name, point.results(y), point.leaves, disconnected or "zero")
        if len(call.results) != 1:
            raise call.error(f"the function must give one number, got {len(call.results)}", "or has_aux=True")
        call.check_number(call.results[0])
        found = point.packed(call.gradients(call.results, (), ()))
        if with_value:
            return ((y, point.aux) if has_aux else y), found
        return (found, point.aux) if has_aux else found

    return _also_on_arrays(name, gradient)


def _also_on_arrays(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which on arrays alone is compiled and run."""
    compiled = _on_arrays(name, function)

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if builder_of(arguments, named) is None:
            return compiled(*arguments, **named)
        return function(*arguments, **named)

    return call


def _on_arrays(name: str, function: Callable[..., Any]) -> Jitted:
    """The function compiled; what is no array or number is handed on as it is."""
    return Jitted(function, f"tir.{name}", is_transform=True)


def _vjp_on_arrays(f: Callable[..., Any], arguments: Sequence[Any], has_aux: bool, disconnected: str) -> Any:
    def value(*given: Any) -> Any:
        y, _, *aux = _vjp_of_function(f, given, has_aux, disconnected)
        return (y, *aux)

    def pulled(given: Any, cotangents: Any) -> Any:
        return _vjp_of_function(f, given, has_aux, disconnected)[1](cotangents)

    back = _on_arrays("vjp", pulled)
    y, *aux = _on_arrays("vjp", value)(*arguments)
    return (y, lambda cotangents: back(tuple(arguments), cotangents), *aux)


class _Point:
    """Arguments of a function with a leaf for each tensor to differentiate by; aux: what f gives besides y."""

    def __init__(self, name: str, f: Callable[..., Any], argnums: Any, arguments: Sequence[Any]) -> None:
        self.name, self.f = name, f
        self.b = builder_of(arguments)
        assert self.b is not None
        self.is_one = not isinstance(argnums, (list, tuple))
        self.numbers = [argnums or 0] if self.is_one else list(argnums)
        self.arguments = list(arguments)
        self.leaves: list[Tensor] = []
        self.aux: Any = None
        self.numbers = self._checked_numbers()
        for number in self.numbers:
            self.arguments[number] = mapped(self._leaf, arguments[number])

    def _checked_numbers(self) -> list[int]:
        """The numbers of the arguments to differentiate by, counted from the front."""
        count = len(self.arguments)
        found: list[int] = []
        for number in self.numbers:
            if not isinstance(number, int) or isinstance(number, bool) or not -count <= number < count:
                of = counted(count, "argument")
                message = f"tir.{self.name}: argnums must be {-count} to {count - 1} for a call with {of}, got {number!r}"
                raise TirError(message, caller_location())
            if number % count in found:
                message = f"tir.{self.name}: argnums must name an argument once, got {self.numbers}"
                raise TirError(message, caller_location())
            found.append(number % count)
        return found

    def _leaf(self, x: Any) -> Tensor:
        if not isinstance(x, (Tensor, int, float)) and not hasattr(x, "dtype"):
            message = f"tir.{self.name}: an argument to differentiate by is a tensor, a number or an array, got {x!r}"
            raise TirError(message, caller_location())
        tensor = self.b.tensor(float(x) if isinstance(x, int) else x)
        is_weak = isinstance(x, Array) and x.is_weak
        if is_weak and not _is_float(tensor.value):
            tensor = self.b.cast(tensor, F64)
        if not _is_float(tensor.value):
            message = f"tir.{self.name}: an argument to differentiate by must be of floats, got {tensor.type}"
            raise TirError(message, caller_location(), hint="argnums says by which arguments")
        leaf = self.b.leaf(tensor)
        leaf.value.hint = tensor.value.hint
        if is_weak or (isinstance(leaf, Array) and isinstance(x, (int, float))):
            leaf = Array(self.b, leaf.value, is_weak=True)
        self.leaves.append(leaf)
        return leaf

    def value(self, named: Mapping[str, Any], has_aux: bool) -> Any:
        """What the function gives."""
        check_takes(f"tir.{self.name}: the function", self.f, len(self.arguments), named, caller_location())
        y = self.f(*self.arguments, **named)
        if has_aux:
            if not isinstance(y, tuple) or len(y) != 2:
                message = f"tir.{self.name}: with has_aux the function gives a pair, got {y!r}"
                raise TirError(message, caller_location())
            y, self.aux = y
        return y

    def results(self, y: Any) -> list[Tensor]:
        """The tensors that the function gives; those from outside of the branch or loop that is written are taken in."""
        given = [self._array(x) for x in flat(y)] if isinstance(self.b, Tracer) else flat(y)
        found = _tensors(self.name, "what the function gives", given)
        return [x if x.value.block is self.b.block else self.b.leaf(x) for x in found]

    def _array(self, x: Any) -> Any:
        """What a function of arrays gives: a number or an array, on which nothing depends, is a constant."""
        if not is_operand(x):
            message = f"tir.{self.name}: the function must give arrays or numbers, got {told(x)}"
            raise TirError(message, caller_location())
        is_foreign = isinstance(x, Tensor) and x.builder is not self.b
        return x if is_foreign else as_array(self.b, x)  # a message says whose it is

    def packed(self, found: Iterable[Any]) -> Any:
        """What there is for each leaf, in the form of the arguments."""
        rest = iter(found)
        parts = [mapped(lambda _: next(rest), self.arguments[number]) for number in self.numbers]
        return parts[0] if self.is_one else tuple(parts)


def _vjp_of_function(f: Callable[..., Any], arguments: Sequence[Any], has_aux: bool, disconnected: str) -> Any:
    if builder_of(arguments) is None:
        return _vjp_on_arrays(f, arguments, has_aux, disconnected)
    point = _Point("vjp", f, tuple(range(len(arguments))), arguments)
    y = point.value({}, has_aux)
    results = point.results(y)

    def pull(cotangents: Any) -> Any:
        call = _Call("vjp", results, point.leaves, disconnected)
        return point.packed(call.adjoints(call.pairs("cotangent", results, flat(cotangents))))

    return (y, pull, point.aux) if has_aux else (y, pull)


def _jvp_of_function(f: Callable[..., Any], arguments: Any, tangents: Any, has_aux: bool) -> Any:
    if not isinstance(arguments, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        message = "tir.jvp: arguments and tangents of a function are tuples"
        raise TirError(message, caller_location(), hint="(x,) is a tuple of one")
    if builder_of(arguments, tangents) is None:
        return _on_arrays("jvp", lambda x, dx: _jvp_of_function(f, x, dx, has_aux))(tuple(arguments), tuple(tangents))
    point = _Point("jvp", f, tuple(range(len(arguments))), arguments)
    y = point.value({}, has_aux)
    call = _Call("jvp", point.results(y), point.leaves, "zero")
    pairs = call.pairs("tangent", point.leaves, [x for tangent in tangents for x in flat(tangent)])
    rest = iter(call.b.jvp(call.results, point.leaves, [tangent for _, tangent in pairs]))
    dy = mapped(lambda _: next(rest), y)
    return (y, dy, point.aux) if has_aux else (y, dy)


def _jacobian_function(
    name: str, f: Callable[..., Any], argnums: Any, mode: str, disconnected: str
) -> Callable[..., Any]:
    def derivative(*arguments: Any, **named: Any) -> Any:
        point = _Point(name, f, argnums, arguments)
        y = point.value(named, False)
        parts = [_Call(name, [x], point.leaves, disconnected).jacobians(mode) for x in point.results(y)]
        rest = iter(parts)
        return mapped(lambda _: point.packed(next(rest)), y)

    return _also_on_arrays(name, derivative)
