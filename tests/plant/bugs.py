"""The bugs that `plant.py` plants in what programs mean (`tool_bugs.py` has the others).

Each says what is wrong, where, the text that is replaced, and the tests that must notice.
Each `old` must stand exactly once in its file; if a change of the code removes it, choose a bug of the same kind in the
new code. The tests are those of the part that the bug is planted in, as arguments for pytest.
"""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["PROGRAM_BUGS"]

OPS = ("tests/ops/test_ops.py", "-k")

PROGRAM_BUGS = (
    Bug(
        "gradient of tanh with the wrong sign",
        "tir/dialects/tir/functions.py",
        "return [g * (1 - b.square(b.tensor(self.result)))]",
        "return [g * (1 + b.square(b.tensor(self.result)))]",
        ("tests/passes/test_autodiff.py", *OPS, "tanh"),
    ),
    Bug(
        "gradient of a broadcast summed over the wrong axes",
        "tir/dialects/tir/shape.py",
        "summed = b.sum(g, [axis for axis in range(self.result_type.rank) if axis not in kept])",
        "summed = b.sum(g, [axis for axis in range(self.result_type.rank) if axis not in kept[1:]])",
        ("tests/passes/test_autodiff.py",),
    ),
    Bug(
        "transpose with the map of its inverse",
        "tir/dialects/tir/shape.py",
        "inputs = (AffineMap.of_dims(rank, self.inverse()),)",
        "inputs = (AffineMap.of_dims(rank, self.permutation),)",
        ("tests/passes/test_lower_structured.py", *OPS, "transpose"),
    ),
    Bug(
        "slice that starts one too late",
        "tir/passes/lower_structured.py",
        "static_offsets=op.starts, static_sizes=static",
        "static_offsets=[start + 1 for start in op.starts], static_sizes=static",
        ("tests/passes/test_lower_structured.py",),
    ),
    Bug(
        "shared variable written in place while it is still read",
        "tir/passes/bufferize_blocks.py",
        "if self.uses.is_needed_after(value, op):",
        "if storage.kind != \"shared\" and self.uses.is_needed_after(value, op):",
        ("tests/passes/test_bufferize.py", "tests/test_lit.py", "-k", "bufferize"),
    ),
    Bug(
        "shared variable written in place before an assert",
        "tir/passes/bufferize_blocks.py",
        'if storage.kind == "shared" and self.uses.can_fail_after(op):',
        'if storage.kind == "never" and self.uses.can_fail_after(op):',
        ("tests/passes/test_bufferize.py", "tests/test_compile.py"),
    ),
    Bug(
        "swap of two shared variables that overwrites the first",
        "tir/passes/bufferize_blocks.py",
        "return any(source.storage is written for source, _, _ in pending)",
        "return any(source.storage is written for source, _, _ in pending[:0])",
        ("tests/passes/test_bufferize.py", "tests/test_compile.py", "tests/test_lit.py", "-k", "bufferize or compile"),
    ),
    Bug(
        "tensor from outside a loop written in the loop",
        "tir/passes/storage.py",
        "            if is_loop(around):\n                return True",
        "            if is_loop(around) and block is outer:\n                return False",
        ("tests/passes/test_bufferize_loops.py",),
    ),
    Bug(
        "output computed where the body of a structured op reads any element",
        "tir/passes/bufferize_ops.py",
        "if any(f.storage.get(value) is place.storage for value in op.captured):",
        "if any(f.storage.get(value) is place.storage for value in op.captured[1:]):",
        ("tests/passes/test_bufferize_captured.py",),
    ),
    Bug(
        "structured op merged with one whose result it reads at any place",
        "tir/passes/fuse_siblings.py",
        "for value in (*second.outputs, *second.captured)",
        "for value in second.outputs",
        ("tests/passes/test_bufferize_captured.py",),
    ),
    Bug(
        "insert on the interpreter in place of an array that a view still shows",
        "tir/ir/last_uses.py",
        "_references(arguments, position) != _ONLY_IN_LIST",
        "_references(arguments, position) > _ONLY_IN_LIST + 1",
        ("tests/test_interpret_in_place.py",),
    ),
    Bug(
        "new values of shared variables in the order of the updates",
        "tir/passes/state_to_arguments.py",
        'attributes.append({"tir.update": SymbolRefAttr(update.symbol)})',
        'attributes.insert(0, {"tir.update": SymbolRefAttr(update.symbol)})',
        ("tests/passes/test_state_to_arguments.py", "tests/test_lit.py", "-k", "state"),
    ),
    Bug(
        "a matrix of BLAS with its rows taken for columns",
        "tir/lower/llvm_library.py",
        'width = self.most(matrix.columns, "1")',
        'width = self.most(matrix.rows, "1")',
        ("tests/runtime/test_externs.py",),
    ),
    Bug(
        "a product with nothing to add that leaves the old vector",
        "tir/lower/llvm_library.py",
        '*w.fits(m, k), w.compare(k, "sge", "1")])',
        "*w.fits(m, k)])",
        ("tests/runtime/test_externs.py", "-k", "gemv"),
    ),
    Bug(
        "a difference that select-library takes for a sum",
        "tir/passes/monomials.py",
        "return _sum(known[0], _negated(known[1])) if",
        "return _sum(known[0], known[1]) if",
        ("tests/passes/test_select_library.py",),
    ),
    Bug(
        "a product written over a matrix that it still reads",
        "tir/passes/library_calls.py",
        "return all(op.operands[i] is init for i in users) and len(users) <= 1",
        "return True",
        ("tests/passes/test_select_library.py",),
    ),
    Bug(
        "nan lost in a maximum",
        "tir/dialects/numeric.py",
        "return np.where((x == 0) & (y == 0), x + y, np.maximum(x, y))[()]",
        "return np.where((x == 0) & (y == 0), x + y, np.fmax(x, y))[()]",
        ("tests/dialects/test_arith.py", *OPS, "maxim"),
    ),
    Bug(
        "maximum of nothing is 0",
        "tir/dialects/tir/reduce.py",
        "def identity(self, element: Type) -> Any:\n        return lowest(element)",
        "def identity(self, element: Type) -> Any:\n        return 0",
        ("tests/passes/test_lower_structured.py", *OPS, "max"),
    ),
    Bug(
        "argmax that gives the last of several",
        "tir/dialects/tir/reduce.py",
        's.and_(equal, s.cmp("lt", here, place))',
        's.and_(equal, s.cmp("gt", here, place))',
        ("tests/passes/test_lower_structured.py", *OPS, "argmax"),
    ),
    Bug(
        "unsigned numbers cast to floats as signed ones",
        "tir/dialects/scalar.py",
        "arith.UIToFP if is_unsigned(x.type) else arith.SIToFP",
        "arith.SIToFP if is_unsigned(x.type) else arith.SIToFP",
        ("tests/dialects/test_scalar.py",),
    ),
    Bug(
        "random numbers of one round too few",
        "tir/dialects/tir/random.py",
        "ROUNDS = 10",
        "ROUNDS = 9",
        (*OPS, "rng or philox"),
    ),
    Bug(
        "cse that looks at no attributes",
        "tir/passes/cse.py",
        "tuple(sorted(op.properties.items(), key=_name)), ",
        "",
        ("tests/test_lit.py", "-k", "cse"),
    ),
    Bug(
        "dce that removes updates and stores",
        "tir/ir/traits.py",
        "not effects & (Effects.WRITE | Effects.UNKNOWN)",
        "not effects & Effects.UNKNOWN",
        ("tests/test_lit.py", "-k", "dce"),
    ),
    Bug(
        "x + 0.0 folded to x",
        "tir/passes/canonicalize_rules.py",
        "zero = -0.0 if _is_float(op.lhs) else 0",
        "zero = 0.0 if _is_float(op.lhs) else 0",
        ("tests/test_lit.py", "-k", "canonicalize"),
    ),
    Bug(
        "two broadcasts composed the wrong way round",
        "tir/passes/canonicalize_rules.py",
        "along = [op.along[axis] for axis in inner.along]",
        "along = [inner.along[axis] for axis in range(len(inner.along))]",
        ("tests/test_lit.py", "-k", "canonicalize"),
    ),
    Bug(
        "sum in registers that forgets what was there before",
        "tir/passes/lower_loops.py",
        "elements.update(zip(self.op.output_arguments, carried))",
        "elements.update(zip(self.op.output_arguments, [self.load(len(self.op.inputs) + k) for k in range(len(carried))]))",
        ("tests/passes/test_lower_loops.py", "tests/test_lit.py", "-k", "loops"),
    ),
    Bug(
        "logarithm of a negative number is finite",
        "tir/dialects/math_expansions_log.py",
        'result = s.select(s.cmp("lt", x, at), s.const(math.nan, x), result)',
        'result = s.select(s.cmp("lt", x, at), result, result)',
        ("tests/math", "-k", "log"),
    ),
    Bug(
        "tail of erfc that forgets what the square has lost",
        "tir/dialects/math_expansions_error.py",
        "r_low = s.sub(s.fma(n, s.const(-low, x), s.sub(reduced, r)), square_low)",
        "r_low = s.fma(n, s.const(-low, x), s.sub(reduced, r))",
        ("tests/math", "-k", "erfc"),
    ),
    Bug(
        "atan2 that takes -0.0 for a point on the right",
        "tir/dialects/math_expansions_inverse.py",
        'is_left = s.cmp("lt", s.copysign(one, x), zero)',
        'is_left = s.cmp("lt", x, zero)',
        ("tests/math", "-k", "atan2"),
    ),
    Bug(
        "reflection of lgamma with the wrong argument",
        "tir/dialects/math_special.py",
        "positive = _lgamma_positive(s, s.select(is_negative, s.add(size, one), size))",
        "positive = _lgamma_positive(s, size)",
        ("tests/math", "-k", "lgamma"),
    ),
    Bug(
        "operands of short forms read in reverse",
        "tir/parser/recipes.py",
        "return [hole for declared in cls.definition.operands for hole in by_name.get(declared.name, [])]",
        "return [hole for declared in cls.definition.operands[::-1] for hole in by_name.get(declared.name, [])]",
        ("tests/dialects/test_upstream_forms_scalar.py", "tests/dialects/test_upstream_forms_structure.py"),
    ),
    Bug(
        "floats printed with too few digits",
        "tir/ir/attributes.py",
        "for digits in range(1, 10):\n        text = f\"{value:.{digits}g}\"\n        if round_to_float(float(text), type) == value:",
        "for digits in range(1, 10):\n        text = f\"{value:.{digits}g}\"\n        if digits == 7 or round_to_float(float(text), type) == value:",
        ("tests/ir/test_types.py", "tests/test_roundtrip.py"),
    ),
    Bug(
        "names of values that do not dominate their uses accepted",
        "tir/ir/verify.py",
        "            if _dominates(defined, inner.parent):\n",
        "            if True:\n",
        ("tests/ir", "tests/test_lit.py", "-k", "errors or ir"),
    ),
)
