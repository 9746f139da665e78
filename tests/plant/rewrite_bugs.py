"""The bugs that `plant.py` plants in the driver of rules, in their language, and in what proves them."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["REWRITE_BUGS"]

DRIVER, LINEAGE, ENDS = "tir/ir/rewrite.py", "tir/ir/lineage.py", "tir/rewrites/ends.py"
PATTERN, DECLARED, MEASURE = "tir/rewrites/pattern.py", "tir/rewrites/declared.py", "tir/rewrites/measure.py"
PROVE, REAL, DRAW = (f"tir/proofs/{name}.py" for name in ("prove", "real_functions", "draw"))
TWICE = ("tests/rewrites/test_idempotence.py",)
TEXT = ("tests/test_lit.py", "-k", "passes or opt")
PROOFS = ("tests/rewrites/test_proofs.py",)
RULES = ("tests/cli/test_opt_rules.py", "tests/rewrites/test_rule_text.py")

REWRITE_BUGS = (
    # --- the driver
    Bug(
        "an op around what a block hands on that is not looked at again",
        DRIVER,
        "        if isinstance(op, Terminator):\n            self.push(op.parent_op)\n",
        "",
        (*TEXT,),
    ),
    Bug(
        "makers of what an op with regions used inside not looked at again",
        DRIVER,
        "return [value for inner in gone for value in inner.operands if _maker(value) not in gone]",
        "return list(op.operands)",
        TWICE,
    ),
    Bug(
        "the last user of a value that is not looked at again",
        DRIVER,
        "for use in value.each_use() if value.has_one_use else ():",
        "for use in ():",
        TWICE,
    ),
    Bug(
        "what a rule made that gave up left behind",
        DRIVER,
        "    for new in reversed(_new_ops(op, last_before)):\n        new.erase()",
        "    return",
        ("tests/ir/test_rewrite.py",),
    ),
    Bug(
        "a rule of another class applied",
        DRIVER,
        "[r for r in rules if r.kind in kinds]",
        "list(rules)",
        (*TEXT,),
    ),
    Bug(
        "makers of operands compared in one order alone",
        PATTERN,
        "return (order, order[::-1]) if issubclass(op_class(call), Commutative) and order[0] != order[1] else (order,)",
        "return (order,)",
        (*TEXT,),
    ),
    Bug(
        "a circle of rules that is not seen",
        LINEAGE,
        "if not keys.isdisjoint(one.keys):",
        "if False:",
        RULES,
    ),
    Bug(
        "a circle in the texts of rules that is not seen",
        ENDS,
        "        if begins is not None:",
        "        if False:",
        RULES,
    ),
    # --- the language
    Bug(
        "operands of commutative ops matched in one order alone",
        PATTERN,
        "        orders.append(op.operands[::-1])\n",
        "        pass\n",
        (*TEXT,),
    ),
    Bug(
        "a name that may stand for two values",
        PATTERN,
        "            elif known is value or (",
        "            elif True or (",
        (*TEXT,),
    ),
    Bug(
        "an attribute that a rule does not name passed over",
        PATTERN,
        "        elif op.properties.get(name) != type(op).definition.defaults.get(name):\n            return None\n",
        "",
        RULES,
    ),
    Bug(
        "a rule about sizes that asks for a shape",
        DECLARED,
        "for one in values_in(self.after)",
        "for one in walk(self.after)",
        RULES,
    ),
    Bug(
        "`or` of conditions taken for `and`",
        DECLARED,
        "return any(_holds(part, found) for part in parts)",
        "return all(_holds(part, found) for part in parts)",
        RULES,
    ),
    Bug(
        "a fact about an operand whose size is open thrown away with it",
        DECLARED,
        "if not is_open and all(",
        "if all(",
        RULES,
    ),
    # --- proofs
    Bug(
        "a nan that is lost let pass",
        PROVE,
        "return bool(np.isnan(before) and np.any(np.isinf(given)) and not np.any(np.isnan(given)))",
        "return bool(np.isnan(before))",
        PROOFS,
    ),
    Bug(
        "an overflow that is new let pass",
        PROVE,
        "overflows = abs(exact) > float(info.max) * (1 - float(info.eps)) and (after > 0) == (exact > 0)",
        "overflows = True",
        PROOFS,
    ),
    Bug(
        "sums that never cancel",
        DRAW,
        'DRAWS = ("normal", "whole", "hard", "hard", "large")',
        'DRAWS = ("normal", "normal", "hard", "hard", "large")',
        PROOFS,
    ),
    Bug(
        "sums that never overflow",
        DRAW,
        'DRAWS = ("normal", "whole", "hard", "hard", "large")',
        'DRAWS = ("normal", "whole", "hard", "hard", "normal")',
        PROOFS,
    ),
    Bug(
        "a truth of another function",
        REAL,
        '"log1p": lambda x: _log(1 + x),',
        '"log1p": _log,',
        ("tests/rewrites/test_proofs.py", "tests/rewrites/test_mutants.py"),
    ),
    Bug(
        "a rule that makes nothing smaller let pass",
        MEASURE,
        "if new < old or (new.work <= most and not must_be_smaller) or _has_unknown_sizes(before):",
        "if True:",
        ("tests/rewrites/test_proofs.py", "tests/rewrites/test_measure.py"),
    ),
    Bug(
        "gradients that are not compared",
        PROVE,
        'return found or (wrong_gradient(claim, case, after, seed) if seed is not None else "")',
        "return found",
        ("tests/rewrites/test_proofs.py", *RULES),
    ),
    Bug(
        "the order of ops left out of the measure",
        MEASURE,
        "found += sum(_rank(op) < _rank(one) for one in needs[op])",
        "found += 0",
        ("tests/rewrites/test_measure.py", "tests/rewrites/test_proofs.py"),
    ),
    # --- what random programs and fresh eyes found
    Bug(
        "results moved one kind after the other",
        "tir/passes/bufferize.py",
        "        f.move([(v, Place(target.memref, target)) for v, target in targets if target is not None])\n",
        "        for v, target in targets:\n"
        "            f.move([(v, Place(target.memref, target))] if target is not None else [])\n",
        ("tests/passes/test_bufferize_aliases.py",),
    ),
    Bug(
        "what a branch hands on copied behind the moves",
        "tir/passes/bufferize_control.py",
        "        memory = [f.hand_over(block, block.terminator.operand(k)) for k in given]\n        f.move(placed)\n",
        "        f.move(placed)\n        memory = [f.hand_over(block, block.terminator.operand(k)) for k in given]\n",
        ("tests/passes/test_bufferize_aliases.py",),
    ),
    Bug(
        "a counter taken for a way of the derivative",
        "tir/passes/dependence.py",
        "if not isinstance(op, Control) or all(map(is_float, op.results)):",
        "if True:",
        ("tests/passes/test_dependence.py",),
    ),
    Bug(
        "what a scan stacks and reads not followed",
        "tir/passes/dependence.py",
        "        yield from zip(op.elements, op.sequences)\n",
        "",
        ("tests/passes/test_dependence.py",),
    ),
    Bug(
        "state that no code uses forgotten",
        "tir/compile/executable.py",
        "{} if self._machine.owns_state or shared is not None else _first_values_of(given, symbols)",
        "{}",
        ("tests/cli/test_run.py", "-k", "state_that_no_code"),
    ),
    Bug(
        "a producer put into a consumer by the inputs that it had before",
        "tir/passes/fuse_structured.py",
        "_shown(producer, now)",
        "_shown(producer, edge)",
        ("tests/passes/test_fuse_structured.py", "-k", "maps"),
    ),
    Bug(
        "the size of what a while hands on asked where only its condition knows it",
        "tir/passes/kept_sizes.py",
        "return isinstance(root, Value) and root.is_made_inside(loop)",
        "return False",
        ("tests/passes/test_bufferize_loops.py", "-k", "5051"),
    ),
)
