"""The bugs that `plant.py` plants in Jacobians, in gradients of Python and in the loops of the builder."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["DERIVATIVE_BUGS"]

JACOBIANS = ("tests/passes/test_jacobian.py", "-k", "not level and not branches")
GRADIENTS = ("tests/test_gradients.py", "-k", "not mistake")
LOOPS = ("tests/ops/test_build_loops.py", "-k", "not gradient and not early and not says_so")
EARLY = ("tests/ops/test_build_loops.py", "-k", "ends_early")

DERIVATIVE_BUGS = (
    Bug(
        "jacobian forward whose axes stay as the loop stacks them",
        "tir/passes/jacobians.py",
        "[*range(by, by + rank), *range(by)]",
        "[*range(by + rank)]",
        JACOBIANS,
    ),
    Bug(
        "jacobian whose loops carry the parts into each other's places",
        "tir/passes/jacobians.py",
        "[*self.places, *[0] * part.type.rank]",
        "[*self.places[:1], *[0] * (part.type.rank + len(ones) - 1)]",
        JACOBIANS,
    ),
    Bug(
        "jacobian that moves out of the loop what follows from its place",
        "tir/passes/jacobians.py",
        "                varying.update(op.results)\n",
        "                pass\n",
        JACOBIANS,
    ),
    Bug(
        "jacobian that goes over what is larger",
        "tir/dialects/tir/jacobian.py",
        "return sum(by) < elements",
        "return sum(by) > elements",
        JACOBIANS,
    ),
    Bug(
        "adjoints that go through what makes a constant",
        "tir/passes/dependence.py",
        "if op not in ends and _takes(op, depends):",
        "if _takes(op, depends):",
        ("tests/passes/test_jacobian.py", "-k", "constant"),
    ),
    Bug(
        "known cotangents that are given to the leaf, which hands nothing on",
        "tir/gradients.py",
        "b.tensor(end.value.op.x if isinstance(end.value.op, Leaf) else end)",
        "end",
        GRADIENTS,
    ),
    Bug(
        "known cotangents beside what comes back",
        "tir/gradients.py",
        "self._pulled(seeds, asked, ends)",
        "self._pulled(seeds, asked, ())",
        GRADIENTS,
    ),
    Bug(
        "whole numbers that connect",
        "tir/gradients.py",
        "needed.update(value for value in inputs_of(op) if not by_floats or _is_float(value))",
        "needed.update(inputs_of(op))",
        GRADIENTS,
    ),
    Bug(
        "function that is differentiated by what it takes from outside, too",
        "tir/gradients.py",
        "leaf = self.b.leaf(tensor)",
        "leaf = self.b.differentiable(tensor)",
        GRADIENTS,
    ),
    Bug(
        "gradient of a value by itself that is 0",
        "tir/dialects/tir/builder.py",
        "[by_value.get(value, value) for value in given]",
        "given",
        GRADIENTS,
    ),
    Bug(
        "taps of a sequence that are cut at the wrong end",
        "tir/dialects/tir/build/loops.py",
        "b.slice(x, [tap - low, *rest], [tap - high, *rest])",
        "b.slice(x, [high - tap, *rest], [low - tap, *rest])",
        LOOPS,
    ),
    Bug(
        "carried values that are handed over newest first",
        "tir/dialects/tir/build/loops.py",
        "for x in (*group[1:], new)]",
        "for x in (new, *group[:-1])]",
        LOOPS,
    ),
    Bug(
        "loop backwards that takes the first elements in the text",
        "tir/dialects/tir/build/loops.py",
        "    if backwards:\n",
        "    if backwards and count == 0:\n",
        LOOPS,
    ),
    Bug(
        "stacks of a loop backwards in the places of the elements",
        "tir/dialects/tir/build/loops.py",
        "[self.reverse(x, [0]) for x in stacks] if go_backwards else stacks",
        "stacks",
        LOOPS,
    ),
    Bug(
        "loop that may end early and always begins at the front",
        "tir/dialects/tir/build/loops.py",
        "loop.until([self.reverse(x, [0]) for x in whole] if go_backwards else whole, length)",
        "loop.until(whole, length)",
        EARLY,
    ),
    Bug(
        "loop that may end early and goes on for one step behind the end",
        "tir/dialects/tir/build/loops.py",
        "(b.tensor(asked.arguments[count]) < b.count(x, [0], I64))",
        "(b.tensor(asked.arguments[count]) <= b.count(x, [0], I64))",
        EARLY,
    ),
    Bug(
        "size from an unsigned number with its highest bit as a sign",
        "tir/passes/function_lowering.py",
        "[], result_types=[signless(element)]), element)",
        "[], result_types=[signless(element)]), signless(element))",
        ("tests/ops/test_build_loops.py", "-k", "whole_type"),
    ),
)
