"""Bugs in the tools, in what they say and in how they read text; see `bugs.py` for the others and for the rules."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["TOOL_BUGS"]

TOOL_BUGS = (
    Bug(
        "one rewrite more than --max-rewrites allows",
        "tir/ir/instrumentations.py",
        "return self.made < self.count",
        "return self.made <= self.count",
        ("tests/ir/test_instrumentations.py",),
    ),
    Bug(
        "a change is made although one of those who watch refused it",
        "tir/ir/actions.py",
        "        if not handler.allows(action):\n            return False\n",
        "        if not handler.allows(action):\n            break\n",
        ("tests/ir/test_actions.py",),
    ),
    Bug(
        "IR printed where it did not change",
        "tir/ir/instrumentations.py",
        "self.fingerprint(op) == self._seen",
        "self.fingerprint(op) != self._seen",
        ("tests/ir/test_instrumentations.py", "tests/test_lit.py", "-k", "print or instrumentations"),
    ),
    Bug(
        "pipelines printed in reverse",
        "tir/ir/pipeline_text.py",
        "for i, step in enumerate(reversed(inside)):",
        "for i, step in enumerate(inside):",
        ("tests/ir/test_pipeline_text.py",),
    ),
    Bug(
        "a crash behind all passes reproduced without verifying each",
        "tir/cli/reproducer.py",
        "verify_each=case.verify_each or at_end)",
        "verify_each=case.verify_each)",
        ("tests/cli/test_opt_reproducer.py",),
    ),
    Bug(
        "quotes in the YAML of remarks left as they are",
        "tir/cli/remarks.py",
        """return "'" + text.replace("'", "''") + "'\"""",
        """return "'" + text + "'\"""",
        ("tests/cli/test_opt_remarks.py",),
    ),
    Bug(
        "constants at the limit elided too",
        "tir/ir/elide.py",
        "attribute.type.count > limit:",
        "attribute.type.count >= limit:",
        ("tests/ir/test_elide.py",),
    ),
    Bug(
        "@above taken for @below",
        "tir/cli/verify_diagnostics.py",
        '"@above": last_plain, "@below": last,',
        '"@above": last, "@below": last_plain,',
        ("tests/cli/test_verify_diagnostics.py",),
    ),
    Bug(
        "a diagnostic of another kind taken for the expected one",
        "tir/cli/verify_diagnostics.py",
        "same_kind = [one for one in found if one.kind == diagnostic.kind]",
        "same_kind = found",
        ("tests/cli/test_verify_diagnostics.py",),
    ),
    Bug(
        "an op that comes from two shown as coming from the first",
        "tir/viz/origins.py",
        "return made, list(dict.fromkeys(numbers))",
        "return made, numbers[:1]",
        ("tests/viz/test_origins.py",),
    ),
    Bug(
        "names in pictures that are markup",
        "tir/viz/labels.py",
        '_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), ',
        '_ENTITIES = (("&", "&amp;"), ',
        ("tests/viz/test_dot.py",),
    ),
    Bug(
        "replaced lines counted as added ones",
        "tir/viz/difference.py",
        "at = change.at + change.removed",
        "at = change.at + len(change.added)",
        ("tests/viz/test_explore.py",),
    ),
    Bug(
        "a name that another value has given by renaming",
        "tir/lsp/rename.py",
        "        elif id(one.area) in scopes or any(",
        "        elif id(one.area) not in scopes and any(",
        ("tests/lsp/test_names.py", "-k", "taken or name"),
    ),
    Bug(
        "values from outside of a function proposed inside it",
        "tir/lsp/names.py",
        'if kind == "block" or (kind == "value" and one.is_isolated):',
        'if kind == "block":',
        ("tests/lsp/test_names.py",),
    ),
    Bug(
        "nan behind a pass taken for any number",
        "tir/semantics/judge.py",
        "return same | (np.isnan(first) & np.isnan(second))",
        "return same | np.isnan(first) | np.isnan(second)",
        ("tests/test_check_semantics.py",),
    ),
    Bug(
        "the sign of zero not compared",
        "tir/semantics/judge.py",
        "same = (first == second) & (np.signbit(first) == np.signbit(second))",
        "same = first == second",
        ("tests/test_check_semantics_numbers.py",),
    ),
    Bug(
        "the change behind the wrong one named",
        "tir/semantics/bisect.py",
        "            bad, worst = count, found\n",
        "            bad, worst = count + 1, found\n",
        ("tests/test_check_semantics.py",),
    ),
    Bug(
        "a reduced module that is larger kept",
        "tir/reducer/driver.py",
        "if text in self._seen or now >= self._cost:",
        "if text in self._seen:",
        ("tests/test_reduce.py",),
    ),
    Bug(
        "modules that break a rule tested by tir-reduce",
        "tir/reducer/driver.py",
        "        if check(candidate):\n            return False\n",
        "",
        ("tests/test_reduce.py",),
    ),
    Bug(
        "an edited grammar read by the tables of the old one",
        "tir/parser/lalr.py",
        'return tables if tables.get("grammar") == fingerprint(grammar) else make_tables(grammar, starts)',
        'return tables if "grammar" in tables else make_tables(grammar, starts)',
        ("tests/parser/test_grammar.py",),
    ),
    Bug(
        "ops with operands in another order printed in theirs",
        "tir/ir/print_templates.py",
        "self.order = order if order != tuple(range(operands)) else None",
        "self.order = None",
        ("tests/ir", "tests/test_roundtrip.py"),
    ),
    Bug(
        "colours although the output is no terminal",
        "tir/cli/common.py",
        'not in ("", "dumb") and stream.isatty()',
        'not in ("", "dumb")',
        ("tests/cli/test_colour.py",),
    ),
)
