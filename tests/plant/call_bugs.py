"""Bugs in calls that run no Python, to be planted one at a time."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["CALL_BUGS"]

WRITER, CALLABLES = "tir/runtime/wrapper_writer.py", "tir/runtime/callables.py"
CALLS = ("tests/runtime/test_native_calls.py",)
# Of a bug that may end the process.
APART = ("tests/runtime/test_native_calls_apart.py",)

CALL_BUGS = (
    Bug("arrays whose dtype nobody looks at", WRITER,
        "        self.need_equal(\"ptr\", self.load(\"ptr\", given, at.dtype), self.object(argument.dtype))\n", "", APART),
    Bug("arrays whose rank nobody looks at", WRITER,
        "        self.need_equal(\"i32\", self.load(\"i32\", given, at.rank), len(argument.shape))\n", "", APART),
    Bug("strided arrays taken for dense ones", WRITER,
        "return self._array(given, argument, _C_CONTIGUOUS | _ALIGNED)\n        kind",
        "return self._array(given, argument, _ALIGNED)\n        kind", APART),
    Bug("arrays of any class", WRITER,
        "        self.need_equal(\"ptr\", self.load(\"ptr\", given, self.python.type), self.object(np.ndarray))\n", "", CALLS),
    Bug("a read-only array for a result", WRITER,
        "self._array(given, argument, _C_CONTIGUOUS | _ALIGNED | _WRITEABLE)\n        for size, wanted",
        "self._array(given, argument, _C_CONTIGUOUS | _ALIGNED)\n        for size, wanted", CALLS),
    Bug("any number of arguments", WRITER, "self.need_equal(\"i64\", \"%count\", len(inputs))", "pass", APART),
    Bug("sizes that are computed with added factors", WRITER,
        "return self._made(\"mul\", other)", "return self._made(\"add\", other)", CALLS),
    Bug("an array for a result that is too short", WRITER,
        "            self.need_equal(\"i64\", size, wanted)\n", "            pass\n", APART),
    Bug("arrays that overlap by less than all", WRITER,
        "before = self.assign(f\"icmp ule i64 {one[1]}, {other[0]}\")",
        "before = self.assign(f\"icmp ult i64 {one[0]}, {other[0]}\")", CALLS),
    Bug("a number that is rounded in silence", WRITER,
        "            self.need(self.assign(f\"fcmp ueq double {wide}, {value}\"))", "            self.assign(f\"fcmp ueq double {wide}, {value}\")",
        CALLS),
    Bug("an integer cut off", WRITER,
        "        self.need_equal(\"i64\", wide, whole)\n", "", CALLS),
    Bug("-1 for an integer that is too large", WRITER,
        "self.branch(self.assign(f\"icmp eq ptr {error}, null\"), join, \"miss\")", "self.go(join)", CALLS),
    Bug("a dtype that loses a reference with each array", WRITER,
        "        self.put(f\"call void @Py_IncRef(ptr {descr})\")  # which numpy takes over\n", "", APART),
    Bug("results that are never given up", WRITER,
        "                self.give(item)\n                self.put(f\"call void @Py_DecRef(ptr {item})\")\n",
        "                self.give(item)\n", CALLS),
    Bug("memory of the code that nobody frees", WRITER,
        "{self.load('i32', made, self.numpy.flags)}, {_OWNS_DATA}", "{self.load('i32', made, self.numpy.flags)}, 0", CALLS),
    Bug("state used while another holds the lock", WRITER,
        "        self.need_equal(\"i64\", self.load(\"i64\", self.object(self.style.lock), offset), 0)\n", "", CALLS),
    Bug("a lock that is not given back", WRITER,
        "        self._release()\n        self.need_equal(\"i32\", status, 0)\n", "        self.need_equal(\"i32\", status, 0)\n", CALLS),
    Bug("long calls that keep all others waiting", "tir/lower/work.py",
        "        found[power + more_power] += count * more\n", "        found[0] += more\n", CALLS),
    Bug("a call that failed taken for one that went well", WRITER,
        "        self.need_equal(\"i32\", status, 0)\n", "", CALLS),
    Bug("a shared variable's sizes as they were once", WRITER,
        "            self.need_equal(\"i64\", size, dim)\n        return array", "            pass\n        return array", CALLS),
    Bug("names of arguments that nobody looks at", WRITER,
        "self.need_equal(\"ptr\", self.load(\"ptr\", \"%names\", self.python.items), self.object(\"out\"))", "pass", CALLS),
    Bug("code that runs while others trace", "tir/tracing.py", "self._gives_out, [TRACED])", "self._gives_out, [])", CALLS),
    Bug("code that is not held while it runs", CALLABLES,
        "  call void @Py_IncRef(ptr %first)\n  %wanted", "  %wanted", APART),
    Bug("anything taken for code", CALLABLES,
        "br i1 %is.code, label %ask, label %pass.on", "br i1 %is.code, label %ask, label %ask", APART),
    Bug("codes that hide those behind them", CALLABLES,
        "            code._code = codes[0]\n", "", CALLS),
    Bug("rounding that goes on when floatX has changed", "tir/graph/function.py",
        "idle = [OTHER_FLOAT_X] if any(", "idle = [] if any(", CALLS),
    Bug("an argument read while a shared variable is written there", "tir/compile/executable.py",
        "if any(start < last and first < end for first, last in taken)", "if False", CALLS),
)  # fmt: skip
