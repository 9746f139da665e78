"""The bugs that `plant.py` plants in derivatives, in branches and loops, and in random numbers."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["GRADIENT_BUGS"]

AUTODIFF = ("tests/passes/test_autodiff.py", "-k")
FORWARD = ("tests/passes/test_forward_mode.py", "-k")
LOOPS = ("tests/ops/test_control_gradients.py", "-k")
CONTROL = ("tests/ops/test_control.py", "-k")
RANDOM = ("tests/ops/test_random.py", "-k")

GRADIENT_BUGS = (
    # --- autodiff
    Bug(
        "adjoint of a value that is used twice taken from one use",
        "tir/passes/reverse_mode.py",
        "            total = total + part\n",
        "            total = part\n",
        (*AUTODIFF, "used_twice"),
    ),
    Bug(
        "numbers that depend on how many there are of others",
        "tir/passes/reverse_mode.py",
        "if not isinstance(op, (StopGradient, DimOp)) and",
        "if not isinstance(op, StopGradient) and",
        (*AUTODIFF, "as_many"),
    ),
    Bug(
        "what is in front of a stopped gradient asked for one",
        "tir/passes/reverse_mode.py",
        "if not isinstance(op, (StopGradient, DimOp)) and",
        "if not isinstance(op, DimOp) and",
        ("tests/passes/test_gradient_markers.py",),
    ),
    Bug(
        "ops that nothing uses left behind by autodiff",
        "tir/passes/autodiff.py",
        "    drop_unused(mark, block.last if end is None else end.previous)\n",
        "",
        (*AUTODIFF, "docstring or needs"),
    ),
    Bug(
        "gradient that is clipped on one side alone",
        "tir/dialects/tir/markers.py",
        "return [b.clamp(g, self.low, self.high)]",
        "return [b.clamp(g, -self.high, self.high)]",
        ("tests/passes/test_gradient_markers.py",),
    ),
    Bug(
        "gradient that is scaled twice",
        "tir/dialects/tir/markers.py",
        "return [g * self.factor]",
        "return [g * self.factor * self.factor]",
        ("tests/passes/test_gradient_markers.py",),
    ),
    # --- forward mode
    Bug(
        "tangent of an elementwise op by its last operand alone",
        "tir/passes/forward_mode.py",
        "total = part if total is None else total + part",
        "total = part",
        (*FORWARD, "agree and (mul or atan2)"),
    ),
    Bug(
        "tangents of two values that are one, the last alone",
        "tir/passes/forward_mode.py",
        "self.tangents[value] = tangent if known is None else known + tangent",
        "self.tangents[value] = tangent",
        (*FORWARD, "twice"),
    ),
    Bug(
        "tangent that starts at 0 in a loop",
        "tir/passes/forward_mode.py",
        "        known = self.tangents.get(init)\n",
        "        known = self.tangents.get(init) if init is self else None\n",
        (*FORWARD, "loops"),
    ),
    Bug(
        "tangents of a reversed loop from front to back",
        "tir/passes/forward_mode.py",
        "regions=[Region([block])], reverse=op.reverse, truncate",
        "regions=[Region([block])], truncate",
        (*FORWARD, "loops"),
    ),
    Bug(
        "tangent of a loop that only its captured values move, lost",
        "tir/passes/forward_mode.py",
        "op.yielded(body), outside, op.inits, self.depends)",
        "op.yielded(body), [], op.inits, self.depends)",
        (*FORWARD, "loops or captured"),
    ),
    Bug(
        "tangents of regions that have none, as 0",
        "tir/passes/forward_mode.py",
        "        stacks = [k for k in stacks if slopes_of[k] is not None]\n",
        "",
        (*FORWARD, "for_nothing"),
    ),
    # --- gradients of branches and loops
    Bug(
        "gradient of a loop in its own direction",
        "tir/dialects/tir/control_gradients.py",
        "reverse=not op.reverse, checkpoint=op.checkpoint,",
        "reverse=op.reverse, checkpoint=op.checkpoint,",
        (*LOOPS, "gradient_of_a_scan"),
    ),
    Bug(
        "gradient of a captured value by the first step alone",
        "tir/dialects/tir/control_gradients.py",
        "ended += [(b.tensor(s) + part).value for _, s, part in added]",
        "ended += [part.value for _, s, part in added]",
        (*LOOPS, "gradient_of_a_scan"),
    ),
    Bug(
        "gradient of a branch that only one of the regions has, lost",
        "tir/dialects/tir/control_gradients.py",
        "if any(parts[i] is not None for _, parts in found)]",
        "if all(parts[i] is not None for _, parts in found)]",
        (*LOOPS, "one_region"),
    ),
    Bug(
        "gradient of the first steps in place of the last",
        "tir/dialects/tir/control_gradients.py",
        "(0, left_out) if op.reverse else (left_out, 0)",
        "(left_out, 0) if op.reverse else (0, left_out)",
        (*LOOPS, "truncated"),
    ),
    Bug(
        "truncated gradient that reaches what the loop starts from",
        "tir/dialects/tir/control_gradients.py",
        "starts = [] if cut.is_cut else [op.inits[k] for k in self.carried]",
        "starts = [op.inits[k] for k in self.carried]",
        (*LOOPS, "truncated"),
    ),
    Bug(
        "segments of a reversed loop counted from the front",
        "tir/dialects/tir/control_gradients.py",
        "first = rest if op.reverse else 0",
        "first = 0",
        (*LOOPS, "keep_their_places"),
    ),
    Bug(
        "stacks of the rest of a reversed loop behind those of its segments",
        "tir/dialects/tir/control_gradients.py",
        "found.insert(0 if op.reverse else len(found), b.tensor(stack))",
        "found.append(b.tensor(stack))",
        (*LOOPS, "keep_their_places"),
    ),
    Bug(
        "a loop with checkpoints that keeps each step",
        "tir/dialects/tir/control_gradients.py",
        "if isinstance(op, Scan) and (op.checkpoint or 1) > 1 and",
        "if isinstance(op, Scan) and (op.checkpoint or 1) > 99 and",
        (*LOOPS, "checkpoints"),
    ),
    Bug(
        "products done once more on the way back",
        "tir/dialects/tir/control_gradients.py",
        "heavy = isinstance(op, (Reduction, Sequential, Composite, Control))",
        "heavy = isinstance(op, (Sequential, Control))",
        (*LOOPS, "twice"),
    ),
    Bug(
        "gradient of the steps that a while did not make",
        "tir/dialects/tir/control_gradients.py",
        "regions=[Region([then]), Region([rest])])",
        "regions=[Region([rest]), Region([then])])",
        (*LOOPS, "while"),
    ),
    Bug(
        "checks of a loop done again on the way back",
        "tir/dialects/tir/control_gradients.py",
        "        if not op.results:\n            op.erase()\n",
        "        if not op.results:\n            pass\n",
        (*LOOPS, "not_checked"),
    ),
    # --- branches and loops
    Bug(
        "a while that makes one trip more than max_trips",
        "tir/dialects/tir/control.py",
        "while self.max_trips is None or trips < self.max_trips:",
        "while self.max_trips is None or trips <= self.max_trips:",
        (*CONTROL, "while"),
    ),
    Bug(
        "a while that always asks about its first values",
        "tir/dialects/tir/control.py",
        "(goes_on,) = yield Run(self.condition_region.block, list(carried))",
        "(goes_on,) = yield Run(self.condition_region.block, [frame[value] for value in self.inits])",
        (*CONTROL, "while"),
    ),
    Bug(
        "a reversed loop that stacks in the order of its steps",
        "tir/passes/lower_control.py",
        "values.append(self._placed(b, self._of(value), stack, loop.position, shape[1:]))",
        "values.append(self._placed(b, self._of(value), stack, stack.block.arguments[0], shape[1:]))",
        (*CONTROL, "scan_carries"),
    ),
    Bug(
        "lengths of sequences not compared below the tensor level",
        "tir/passes/lower_control.py",
        "            self.sizes.require_equal(b, self.sizes.shape(value)[0], length, f\"{op.name}: {message}\")\n",
        "",
        (*CONTROL, "lengths"),
    ),
    Bug(
        "the condition of a while asked behind its last trip",
        "tir/passes/lower_control.py",
        'self._number(b, op.max_trips), predicate="slt")',
        'self._number(b, op.max_trips), predicate="sle")',
        (*CONTROL, "behind_the_last or while"),
    ),
    Bug(
        "a loop that drops a sequence which alone says its length",
        "tir/passes/canonicalize_control.py",
        "sizes[j] is not DYNAMIC and sizes[j] in others:",
        "others:",
        (*CONTROL, "nobody"),
    ),
    Bug(
        "what two branches yield taken for one value",
        "tir/passes/canonicalize_control.py",
        "if one is other and not is_made_inside(one, op)}",
        "if one.type is other.type and not is_made_inside(one, op)}",
        (*CONTROL, "hand_on"),
    ),
    Bug(
        "results of a branch in the memory of what is still read",
        "tir/passes/bufferize_control.py",
        "        if f.may_write(op, result, place.storage):\n            return place\n    wanted",
        "        return place\n    wanted",
        ("tests/passes/test_bufferize_loops.py",),
    ),
    # --- random numbers
    Bug(
        "keys that are split alike at both places of a block",
        "tir/dialects/tir/random.py",
        "return _key_word(s, s.and_(position, one), first, second)",
        "return _key_word(s, s.and_(position, s.const(0, position)), first, second)",
        ("tests/ops/test_ops.py", "-k", "element and rng_split"),
    ),
    Bug(
        "numbers of one key and another fold alike",
        "tir/dialects/tir/random.py",
        "first, second, *_ = block(s, (k0, k1), s.cast(number, I64), FOLD_IN)",
        "first, second, *_ = block(s, (k0, k0), s.cast(number, I64), FOLD_IN)",
        ("tests/ops/test_ops.py", "-k", "element and rng_fold_in"),
    ),
    Bug(
        "truth values with a probability of nan",
        "tir/dialects/tir/distributions.py",
        "return word < np.asarray(p).astype(np.float64) * 2.0**32",
        "return ~(word >= np.asarray(p).astype(np.float64) * 2.0**32)",
        ("tests/ops/test_ops.py", "-k", "bernoulli"),
    ),
    Bug(
        "Laplace numbers of one sign",
        "tir/dialects/tir/distributions.py",
        "return np.where(is_lower, np.log(t + t), -np.log(t + t))",
        "return -np.log(t + t)",
        (*RANDOM, "distribution and laplace"),
    ),
    Bug(
        "whole numbers of 64 bits from half of their bits",
        "tir/dialects/tir/distributions.py",
        "found = found + (low_product + _high_product(numbers[1], span) < low_product)",
        "found = found + 0",
        ("tests/ops/test_ops.py", "-k", "randint"),
    ),
    Bug(
        "gradient of a truncated normal number by its bounds exchanged",
        "tir/dialects/tir/distributions.py",
        "for part in (by_low, by_high))]",
        "for part in (by_high, by_low))]",
        (*RANDOM, "bounds"),
    ),
    Bug(
        "classes drawn without regard to the axis",
        "tir/dialects/tir/build/random.py",
        "return self.argmax(self.cast(logits, wide_type(element)) + noise, axis)",
        "return self.argmax(self.cast(logits, wide_type(element)) + noise, -1)",
        (*RANDOM, "classes"),
    ),
    Bug(
        "a key from outside of a loop that no step changes, unsaid",
        "tir/passes/lint_random.py",
        "        if region in fixed or isinstance(around, FunctionLike):\n            return None\n",
        "        if region in fixed or around is not None:\n            return None\n",
        ("tests/test_lit.py", "-k", "lint-random"),
    ),
)
