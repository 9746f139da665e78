"""Writes the function of a wrapper (`wrapper.py`): guards, memory for results, the call, and the results in their form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tir.ir.affine import AffineExpr, AffineName
from tir.ir.native import NativeSignature, open_sizes
from tir.ir.types import Dim, MemRefType, Type
from tir.lazy import np
from tir.runtime.structs import NumpyStructs, PythonStructs, lock_count_offset
from tir.runtime.wrapper_text import FunctionWriter

__all__ = ["NUMBERS", "Argument", "CallStyle", "Unsupported", "WrapperWriter"]

_C_CONTIGUOUS, _OWNS_DATA, _ALIGNED, _WRITEABLE = 0x1, 0x4, 0x100, 0x400  # of arrays, as in numpy's C API

#: Above this many operations, which take about 20 us, other threads of Python run meanwhile. Letting them costs 40 ns.
LONG_WORK = 100_000

#: Names of sizes that are computed with are below this, so that nothing exceeds 64 bits.
_LARGEST_SIZE = 1 << 31
_LARGEST_FACTOR = 1 << 16

#: The dtypes of which numbers of Python and numpy are taken.
NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")


@dataclass(frozen=True)
class Argument:
    """One parameter of the native function, as the caller of the wrapper sees it.

    kind: "input" is given; "shared" is the item of the list `place`; "out" is made, or given as `out`.
    shape, dtype: of the array. takes: what an input of rank 0 may be: "array"; "scalar", numpy's of this dtype; "float" and
    "int" of Python, of which the dtype must have the very number, but a float is rounded if "rounded" is among them.
    """

    kind: str
    dtype: Any
    shape: Sequence[Dim] = ()
    takes: frozenset[str] = frozenset({"array"})
    place: list[Any] | None = None


@dataclass(frozen=True)
class CallStyle:
    """How a program is called from Python.

    form: the number of the result that is given, or ("list", numbers), ("tuple", numbers), ("dict", names, numbers) of all;
    "list" is a list in their order. takes: of each input, see
    `Argument`. out: the arrays for results may be given by this name. idle: lists that must be empty. lock: held by whoever
    uses the shared variables.
    """

    form: Any
    takes: Sequence[frozenset[str]]
    out: bool = False
    idle: Sequence[list[Any]] = ()
    lock: Any = None


class Unsupported(Exception):
    """Only Python can call it."""


@dataclass
class _Array:
    """An array in the text: the object (none for what is only a number), its first element, and its sizes."""

    data: str
    sizes: list[str]
    dtype: Any
    object: str = ""


class _Size:
    """A size in the text, with the arithmetic of `AffineExpr.evaluate`."""

    def __init__(self, writer: WrapperWriter, value: str) -> None:
        self.writer, self.value = writer, value

    def _made(self, op: str, other: Any) -> _Size:
        if isinstance(other, int) and abs(other) >= _LARGEST_FACTOR:
            raise Unsupported
        operand = other.value if isinstance(other, _Size) else str(other)
        return _Size(self.writer, self.writer.assign(f"{op} i64 {self.value}, {operand}"))

    def __add__(self, other: Any) -> _Size:
        return self._made("add", other)

    def __mul__(self, other: Any) -> _Size:
        return self._made("mul", other)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> _Size:
        return self * -1

    def __mod__(self, divisor: int) -> _Size:
        rest = self._made("srem", divisor)
        # The rest of a negative number is negative in LLVM.
        return (rest + divisor)._made("srem", divisor)

    def __floordiv__(self, divisor: int) -> _Size:
        return (self + (self % divisor) * -1)._made("sdiv", divisor)


class WrapperWriter(FunctionWriter):
    """Writes the function of one wrapper. What is wrong with an argument leads to the block `miss`."""

    def __init__(
        self, python: PythonStructs, numpy: NumpyStructs, signature: NativeSignature, arguments: Sequence[Argument],
        results: Sequence[Any], style: CallStyle,
    ) -> None:  # fmt: skip
        super().__init__()
        self.python, self.numpy, self.signature, self.style = python, numpy, signature, style
        self.arguments, self.result_dtypes = arguments, results
        self.sizes: dict[AffineExpr, _Size] = {}
        #: References that are given up when the call is not taken, and their places on the stack.
        self.owned: dict[str, str] = {}
        #: Where on the stack it says that the lock was taken.
        self.locked: str | None = None

    # --- the whole ---------------------------------------------------------------------------------------------------

    def write(self, work: Sequence[float]) -> list[str]:
        inputs = [argument for argument in self.arguments if argument.kind == "input"]
        self.need_equal("i64", "%count", len(inputs))
        given_out = self._given_out(len(inputs))
        self._check_idle()
        arrays = {i: self._input(number, self.arguments[i]) for number, i in enumerate(self._places("input"))}
        self._check_sizes(inputs, list(arrays.values()))
        outs = self._places("out")
        if self.signature.results and given_out:
            self.need_equal("ptr", given_out, "null")
        for number, i in enumerate(outs):
            arrays[i] = self._out(number, self.arguments[i], given_out, len(outs))
        words = [self.stack(f"[{1 + len(open_sizes(type))} x i64]") for type in self.signature.results]  # type: ignore[arg-type]
        objects = [arrays[i].object for i in outs]
        packed = self._packed(objects) if not words else None
        is_long = self._is_long(arrays, work)
        # From here on nothing is made, which could run Python and with it other threads.
        if self._uses_state:
            self._hold_state(is_long)
            arrays |= {i: self._shared(i, self.arguments[i]) for i in self._places("shared")}
        self._check_overlap(arrays, given_out)
        self._run([arrays[i] for i in range(len(arrays))], words, is_long)
        if packed is None:
            objects += [self._adopted(*three) for three in zip(words, self.signature.results, self.result_dtypes)]
            packed = self._packed(objects)
        self.put(f"ret ptr {packed}")
        self._miss()
        first = [*(f"  store ptr null, ptr {place}" for place in self.owned.values())]
        if self.locked is not None:
            first.append(f"  store i64 0, ptr {self.locked}")
        return ["entry:", *self.allocas, *first, *self.lines]

    def _places(self, kind: str) -> list[int]:
        return [i for i, argument in enumerate(self.arguments) if argument.kind == kind]

    def _miss(self) -> None:
        """Gives up what the call has made up to here."""
        self.start("miss")
        for place in self.owned.values():
            self.put(f"call void @Py_DecRef(ptr {self.load('ptr', place)})")  # of nothing it does nothing
        self._release()
        self.put("call void @PyErr_Clear()")
        self.put("ret ptr null")

    def own(self, object: str) -> None:
        """A reference that is given up if the call is not taken."""
        place = self.owned[object] = self.stack("ptr")
        self.put(f"store ptr {object}, ptr {place}")

    def give(self, object: str) -> None:
        """The reference belongs to another object now."""
        self.put(f"store ptr null, ptr {self.owned[object]}")

    def _given_out(self, count: int) -> str | None:
        """What is given as `out`, null if nothing is; None where that cannot be."""
        if not self.style.out:
            self.need_equal("ptr", "%names", "null")
            return None
        named, join, before = self.new_label("named"), self.new_label("inputs"), self.label
        self.branch(self.assign("icmp eq ptr %names, null"), join, named)
        self.start(named)
        self.need_equal("i64", self.load("i64", "%names", self.python.size), 1)
        self.need_equal("ptr", self.load("ptr", "%names", self.python.items), self.object("out"))
        given, end = self.load("ptr", "%given", 8 * count), self.label
        self.go(join)
        self.start(join)
        return self.assign(f"phi ptr [ null, %{before} ], [ {given}, %{end} ]")

    def _check_idle(self) -> None:
        for one in self.style.idle:
            self.need_equal("i64", self.load("i64", self.object(one), self.python.size), 0)

    # --- arguments ---------------------------------------------------------------------------------------------------

    def _input(self, number: int, argument: Argument) -> _Array:
        given = self.load("ptr", "%given", 8 * number)
        if argument.shape or argument.takes == {"array"}:
            return self._array(given, argument, _C_CONTIGUOUS | _ALIGNED)
        kind, join, places = self.load("ptr", given, self.python.type), self.new_label("have"), []
        for rule in sorted(argument.takes - {"rounded"}):
            matches, next_rule = self.new_label(rule), self.new_label("other")
            cls = {"array": np.ndarray, "float": float, "int": int, "scalar": argument.dtype.type}[rule]
            self.branch(self.assign(f"icmp eq ptr {kind}, {self.object(cls)}"), matches, next_rule)
            self.start(matches)
            places.append((self._number(rule, given, argument), self.label))
            self.go(join)
            self.start(next_rule)
        self.go("miss")
        self.start(join)
        data = self.assign("phi ptr " + ", ".join(f"[ {value}, %{label} ]" for value, label in places))
        return _Array(data, [], argument.dtype)

    def _array(self, given: str, argument: Argument, flags: int) -> _Array:
        """An array that the code can use as it is; its sizes are not looked at."""
        at = self.numpy
        self.need_equal("ptr", self.load("ptr", given, self.python.type), self.object(np.ndarray))
        self.need_equal("ptr", self.load("ptr", given, at.dtype), self.object(argument.dtype))
        self.need_equal("i32", self.load("i32", given, at.rank), len(argument.shape))
        self.need_equal("i32", self.assign(f"and i32 {self.load('i32', given, at.flags)}, {flags}"), flags)
        sizes = self.load("ptr", given, at.sizes) if argument.shape else ""
        return _Array(
            self.load("ptr", given, at.data), [self.load("i64", sizes, 8 * axis) for axis in range(len(argument.shape))],
            argument.dtype, given,
        )  # fmt: skip

    def _number(self, rule: str, given: str, argument: Argument) -> str:
        """Where the number lies that is given for an array of rank 0."""
        if rule == "array":
            return self._array(given, argument, _C_CONTIGUOUS | _ALIGNED).data
        if rule == "scalar":
            return self.at(given, self.numpy.scalar)
        kind, bits = _llvm_number(argument.dtype)
        if rule == "float":
            value = self.load("double", given, self.python.number)
            if kind == "float":
                value = self._rounded(value, "rounded" in argument.takes)
        else:
            whole = self.assign(f"call i64 @PyLong_AsLongLong(ptr {given})")
            self._check_long(whole)
            value = self._of_whole(whole, kind, bits, argument.dtype)
        place = self.stack(kind)
        self.put(f"store {kind} {value}, ptr {place}")
        return place

    def _rounded(self, value: str, always: bool) -> str:
        """A float in single precision, which must be the same unless it may be rounded."""
        narrow = self.assign(f"fptrunc double {value} to float")
        if not always:
            wide = self.assign(f"fpext float {narrow} to double")
            self.need(self.assign(f"fcmp ueq double {wide}, {value}"))  # nan is as good as nan
        return narrow

    def _check_long(self, whole: str) -> None:
        """-1 may stand for an error: an integer above 64 bits."""
        doubtful, join = self.new_label("doubt"), self.new_label("whole")
        self.branch(self.assign(f"icmp eq i64 {whole}, -1"), doubtful, join)
        self.start(doubtful)
        error = self.assign("call ptr @PyErr_Occurred()")
        self.branch(self.assign(f"icmp eq ptr {error}, null"), join, "miss")
        self.start(join)

    def _of_whole(self, whole: str, kind: str, bits: int, dtype: Any) -> str:
        """An integer of Python in the number's type, which must hold it."""
        if kind in ("float", "double"):
            limit = 1 << (24 if kind == "float" else 53)
            above = self.assign(f"add i64 {whole}, {limit}")
            self.need(self.assign(f"icmp ule i64 {above}, {2 * limit}"))
            return self.assign(f"sitofp i64 {whole} to {kind}")
        if bits == 64:
            if dtype.kind == "u":
                self.need(self.assign(f"icmp sge i64 {whole}, 0"))
            return whole
        narrow = self.assign(f"trunc i64 {whole} to {kind}")
        wide = self.assign(f"{'zext' if dtype.kind == 'u' else 'sext'} {kind} {narrow} to i64")
        self.need_equal("i64", wide, whole)
        return narrow

    def _check_sizes(self, inputs: Sequence[Argument], arrays: Sequence[_Array]) -> None:
        """Sizes are as the types say. A name is the first size where it stands alone."""
        later: list[tuple[AffineExpr, str]] = []
        for argument, array in zip(inputs, arrays):
            for dim, size in zip(argument.shape, array.sizes):
                if isinstance(dim, int):
                    self.need_equal("i64", size, dim)
                elif isinstance(dim, AffineName) and dim not in self.sizes:
                    self.sizes[dim] = _Size(self, size)
                elif isinstance(dim, AffineExpr):
                    later.append((dim, size))
        for expression, size in later:
            self.need_equal("i64", size, self._size(expression))

    def _size(self, dim: Dim) -> str:
        """What a size of a type is in this call."""
        if isinstance(dim, int):
            return str(dim)
        if not isinstance(dim, AffineExpr) or not dim.leaves() <= self.sizes.keys():
            raise Unsupported
        if isinstance(dim, AffineName):
            return self.sizes[dim].value
        for name in sorted(dim.leaves(), key=str):
            self.need(self.assign(f"icmp ult i64 {self.sizes[name].value}, {_LARGEST_SIZE}"))
        found = dim.evaluate(lambda name: self.sizes[name])
        return found.value if isinstance(found, _Size) else str(found)

    def _shared(self, number: int, argument: Argument) -> _Array:
        """The array that a shared variable has now."""
        place = self.load("ptr", self.load("ptr", self.object(argument.place), self.python.list_items))
        written = self.signature.parameters[number].written
        array = self._array(place, argument, _C_CONTIGUOUS | _ALIGNED | (_WRITEABLE if written else 0))
        for dim, size in zip(argument.shape, array.sizes):
            if not isinstance(dim, int):
                raise Unsupported
            self.need_equal("i64", size, dim)
        return array

    # --- memory ------------------------------------------------------------------------------------------------------

    def _span(self, array: _Array) -> tuple[str, str]:
        """The first byte of an array, and the one behind its last."""
        start = self.assign(f"ptrtoint ptr {array.data} to i64")
        size = str(array.dtype.itemsize)
        for one in array.sizes:
            size = self.assign(f"mul i64 {size}, {one}")
        return start, self.assign(f"add i64 {start}, {size}")

    def _check_overlap(self, arrays: Mapping[int, _Array], given_out: str | None) -> None:
        """The code relies on it that what it writes overlaps nothing else; new arrays do not."""
        spans: dict[int, tuple[str, str]] = {}
        outs, parameters = set(self._places("out")), self.signature.parameters
        alone = outs | {i for i, parameter in enumerate(parameters) if parameter.exclusive}
        for i, j in combinations(sorted(arrays.keys() - (outs if given_out is None else set())), 2):
            if (i in alone or j in alone) and (parameters[i].written or parameters[j].written):
                for number in (i, j):
                    if number not in spans:
                        spans[number] = self._span(arrays[number])
                self._need_apart(spans[i], spans[j])

    def _need_apart(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        before = self.assign(f"icmp ule i64 {one[1]}, {other[0]}")
        behind = self.assign(f"icmp ule i64 {other[1]}, {one[0]}")
        self.need(self.assign(f"or i1 {before}, {behind}"))

    def _out(
        self, number: int, argument: Argument, given_out: str | None, count: int
    ) -> _Array:  # fmt: skip
        """The array for a result: a new one, or the one that is given for it."""
        sizes = [self._size(dim) for dim in argument.shape]
        for size, dim in zip(sizes, argument.shape):
            if not isinstance(dim, (int, AffineName)):
                self.need(self.assign(f"icmp sge i64 {size}, 0"))
        if given_out is None:
            found = self._empty(sizes, argument.dtype)
        else:
            fresh, given, join = self.new_label("fresh"), self.new_label("given"), self.new_label("out")
            self.branch(self.assign(f"icmp eq ptr {given_out}, null"), fresh, given)
            self.start(fresh)
            made, made_at = self._empty(sizes, argument.dtype), self.label
            self.go(join)
            self.start(given)
            taken = self._taken(given_out, number, count, argument, sizes)
            taken_at = self.label
            self.go(join)
            self.start(join)
            found = self.assign(f"phi ptr [ {made}, %{made_at} ], [ {taken}, %{taken_at} ]")
        self.own(found)
        return _Array(self.load("ptr", found, self.numpy.data), sizes, argument.dtype, found)

    def _empty(self, sizes: Sequence[str], dtype: Any) -> str:
        """A new array."""
        place = self._sizes_on_stack(sizes)
        descr = self.object(dtype)
        self.put(f"call void @Py_IncRef(ptr {descr})")  # which numpy takes over
        function = self.address(self.numpy.empty)
        made = self.assign(f"call ptr {function}(i32 {len(sizes)}, ptr {place}, ptr {descr}, i32 0)")
        self.need(self.assign(f"icmp ne ptr {made}, null"))
        return made

    def _sizes_on_stack(self, sizes: Sequence[str]) -> str:
        place = self.stack(f"[{max(len(sizes), 1)} x i64]")
        for axis, size in enumerate(sizes):
            self.put(f"store i64 {size}, ptr {self.at(place, 8 * axis)}")
        return place

    def _taken(
        self, given_out: str, number: int, count: int, argument: Argument, sizes: Sequence[str]
    ) -> str:  # fmt: skip
        """An array that is given for a result."""
        given = given_out
        if count != 1:
            self.need_equal("ptr", self.load("ptr", given_out, self.python.type), self.object(tuple))
            self.need_equal("i64", self.load("i64", given_out, self.python.size), count)
            given = self.load("ptr", given_out, self.python.items + 8 * number)
        array = self._array(given, argument, _C_CONTIGUOUS | _ALIGNED | _WRITEABLE)
        for size, wanted in zip(array.sizes, sizes):
            self.need_equal("i64", size, wanted)
        self.put(f"call void @Py_IncRef(ptr {given})")
        return given

    # --- the call ----------------------------------------------------------------------------------------------------

    def _run(self, arrays: Sequence[_Array], words: Sequence[str], is_long: str | None) -> None:
        """Calls the function, and leaves with a miss if it fails."""
        components = []
        for array, parameter in zip(arrays, self.signature.parameters):
            assert isinstance(parameter.type, MemRefType)
            components += [f"ptr {array.data}", *(f"i64 {array.sizes[axis]}" for axis in open_sizes(parameter.type))]
        components += [f"ptr {place}" for place in words]
        thread = self._let_others_run(is_long) if is_long is not None else None
        # Not inlined: LLVM would optimise its loops twice, for a nanosecond.
        status = self.assign(f"call i32 @{self.signature.symbol}({', '.join(components)}) noinline")
        if thread is not None:
            self._come_back(thread)
        self._release()
        self.need_equal("i32", status, 0)

    def _is_long(self, arrays: Mapping[int, _Array], work: Sequence[float]) -> str | None:
        """Whether a call takes long, as the text of a condition; None for no."""
        types = {i: self.signature.parameters[i].type for i in arrays}
        sizes = [arrays[i].sizes[axis] for i, type in types.items() for axis in open_sizes(type)]  # type: ignore[arg-type]
        if len(work) == 1 or not sizes:
            return "true" if sum(work) > LONG_WORK else None
        largest = sizes[0]
        for size in sizes[1:]:
            larger = self.assign(f"icmp sgt i64 {size}, {largest}")
            largest = self.assign(f"select i1 {larger}, i64 {size}, i64 {largest}")
        number = self.assign(f"sitofp i64 {largest} to double")
        total = _double(work[-1])
        for factor in reversed(work[:-1]):
            total = self.assign(f"fmul double {total}, {number}")
            total = self.assign(f"fadd double {total}, {_double(factor)}")
        return self.assign(f"fcmp ogt double {total}, {_double(LONG_WORK)}")

    # --- state and other threads -------------------------------------------------------------------------------------

    @property
    def _uses_state(self) -> bool:
        return any(argument.kind == "shared" for argument in self.arguments)

    def _hold_state(self, is_long: str | None) -> None:
        """Sees that nobody else uses the shared variables while the code does.

        A short call keeps the GIL, and needs that nobody holds the lock. One that waits for it may have it already, and has
        done nothing yet. A long call takes it, if it is free.
        """
        if is_long is None:
            self._check_free()
            return
        short, take, held = self.new_label("short"), self.new_label("take"), self.new_label("held")
        self.locked = self.stack("i64")
        self.branch(is_long, take, short)
        self.start(short)
        self._check_free()
        self.go(held)
        self.start(take)
        place, acquire, no = self.stack("ptr"), self.object(self.style.lock.acquire), self.object(False)
        self.put(f"store ptr {no}, ptr {place}")  # it does not wait
        found = self.assign(f"call ptr @PyObject_VectorcallDict(ptr {acquire}, ptr {place}, i64 1, ptr null)")
        self.put(f"call void @Py_DecRef(ptr {found})")  # True and False stay, and of nothing it does nothing
        self.need_equal("ptr", found, self.object(True))
        self.put(f"store i64 1, ptr {self.locked}")
        self.go(held)
        self.start(held)

    def _check_free(self) -> None:
        offset = lock_count_offset()
        assert offset is not None
        self.need_equal("i64", self.load("i64", self.object(self.style.lock), offset), 0)

    def _release(self) -> None:
        """Gives the lock back if it was taken."""
        if self.locked is None:
            return
        release, done = self.new_label("release"), self.new_label("released")
        self.branch(self.assign(f"icmp eq i64 {self.load('i64', self.locked)}, 0"), done, release)
        self.start(release)
        function = self.object(self.style.lock.release)
        found = self.assign(f"call ptr @PyObject_VectorcallDict(ptr {function}, ptr null, i64 0, ptr null)")
        self.put(f"call void @Py_DecRef(ptr {found})")
        self.put(f"store i64 0, ptr {self.locked}")
        self.go(done)
        self.start(done)

    def _let_others_run(self, is_long: str) -> str:
        """Gives up the GIL for a long call: what brings it back, null for a short one."""
        give_up, run, before = self.new_label("long"), self.new_label("run"), self.label
        self.branch(is_long, give_up, run)
        self.start(give_up)
        saved, end = self.assign("call ptr @PyEval_SaveThread()"), self.label
        self.go(run)
        self.start(run)
        return self.assign(f"phi ptr [ null, %{before} ], [ {saved}, %{end} ]")

    def _come_back(self, thread: str) -> None:
        restore, done = self.new_label("restore"), self.new_label("done")
        self.branch(self.assign(f"icmp eq ptr {thread}, null"), done, restore)
        self.start(restore)
        self.put(f"call void @PyEval_RestoreThread(ptr {thread})")
        self.go(done)
        self.start(done)

    # --- results -----------------------------------------------------------------------------------------------------

    def _adopted(self, words: str, type: Type, dtype: Any) -> str:
        """An array on memory that the function has made, which goes with it."""
        assert isinstance(type, MemRefType)
        data, rest = self.load("ptr", words), iter(range(1, 1 + len(open_sizes(type))))
        sizes = [str(dim) if isinstance(dim, int) else self.load("i64", words, 8 * next(rest)) for dim in type.shape]
        place, descr, array = self._sizes_on_stack(sizes), self.object(dtype), self.object(np.ndarray)
        self.put(f"call void @Py_IncRef(ptr {descr})")
        function, flags = self.address(self.numpy.from_descr), _C_CONTIGUOUS | _ALIGNED | _WRITEABLE
        made = self.assign(
            f"call ptr {function}(ptr {array}, ptr {descr}, i32 {len(sizes)}, ptr {place}, ptr null, ptr {data}, "
            f"i32 {flags}, ptr null)"
        )
        lost, done = self.new_label("lost"), self.new_label("adopted")
        self.branch(self.assign(f"icmp eq ptr {made}, null"), lost, done)
        self.start(lost)
        self.put(f"call void @free(ptr {data})")
        self.go("miss")
        self.start(done)
        owner = self.assign(f"or i32 {self.load('i32', made, self.numpy.flags)}, {_OWNS_DATA}")
        self.put(f"store i32 {owner}, ptr {self.at(made, self.numpy.flags)}")
        self.own(made)
        return made

    def _packed(self, objects: Sequence[str]) -> str:
        """The results in their form. What is put into a list belongs to the list."""
        form = self.style.form
        if isinstance(form, int):
            return objects[form]
        kind, *names, places = (form, range(len(objects))) if form == "list" else form
        if kind == "dict":
            made = self._new("call ptr @PyDict_New()")
            for name, place in zip(names[0], places):
                item, key = objects[place], self.object(name)
                self.need_equal("i32", self.assign(f"call i32 @PyDict_SetItem(ptr {made}, ptr {key}, ptr {item})"), 0)
                self.give(item)
                self.put(f"call void @Py_DecRef(ptr {item})")
            return made
        word = {"list": "List", "tuple": "Tuple"}[kind]
        made = self._new(f"call ptr @Py{word}_New(i64 {len(places)})")
        for number, place in enumerate(places):
            self.give(objects[place])
            self.assign(f"call i32 @Py{word}_SetItem(ptr {made}, i64 {number}, ptr {objects[place]})")
        return made

    def _new(self, call: str) -> str:
        """A new object."""
        made = self.assign(call)
        self.need(self.assign(f"icmp ne ptr {made}, null"))
        self.own(made)
        return made


def _double(number: float) -> str:
    """The text of a double that is exact."""
    return f"0x{np.float64(number).view(np.uint64):016X}"


def _llvm_number(dtype: Any) -> tuple[str, int]:
    bits = 8 * dtype.itemsize
    return ({32: "float", 64: "double"}[bits], bits) if dtype.kind == "f" else (f"i{bits}", bits)
