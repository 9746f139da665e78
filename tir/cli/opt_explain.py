"""tir-opt --explain: the chain of rules and passes that made a value, in place of the module."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from tir.cli.common import CommandLineError
from tir.cli.opt_run import OptRun
from tir.ir.actions import Action
from tir.ir.errors import escape_controls, nearest
from tir.ir.ir import Op, Value
from tir.ir.pass_manager import Instrumentation, Pass
from tir.lazy import TYPE_CHECKING, LazyModule

if TYPE_CHECKING:
    from tir.ir import op_lines
    from tir.viz import history as histories
    from tir.viz import origins, steps
else:
    histories = LazyModule("tir.viz.history")
    op_lines = LazyModule("tir.ir.op_lines")
    origins = LazyModule("tir.viz.origins")
    steps = LazyModule("tir.viz.steps")

__all__ = ["EXPLAINED", "explain"]

#: A value as --explain names it: `%7` or `@f:%7`.
EXPLAINED = re.compile(r"(?:(?P<function>@[^%]+):)?(?P<value>%[\w$.-]+(?:#\d+)?)")


def explain(run: OptRun) -> Iterator[Instrumentation]:
    """--explain. It comes behind what looks at locations, and in front of --explore, which is made the same way."""
    if not run.options.explain:
        return
    if run.options.split_input_file is not None:
        raise CommandLineError("--explain is about one module; it cannot go with --split-input-file")
    explainer = _Explainer()
    run.before_output.append(lambda: _write(explainer, run))
    yield explainer


class _Explainer(Instrumentation):
    """Keeps the history of a module."""

    def __init__(self) -> None:
        self.history = histories.History()
        self.root: Op | None = None

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self.history.before(step, op, root)
        origins.number_ops(root)

    def allows(self, action: Action) -> bool:
        return self.history.allows(action)

    def changed(self, action: Action) -> None:
        self.history.changed(action)

    def after(self, step: Pass, op: Op, root: Op) -> None:
        self.history.finish(step, root, origins.read_origins(root))

    def failed(self, step: Pass, op: Op, root: Op, error: Exception) -> None:
        origins.read_origins(root)

    def finished(self, root: Op) -> None:
        self.root = root


def _write(explainer: _Explainer, run: OptRun) -> None:
    """The explanations of all values that are asked for, with an empty line between them."""
    root = explainer.root
    if root is None or run.errors:
        return
    lines = op_lines.OpLines(root)
    values = [value for name in run.options.explain for value in _named(name, root, lines)]
    explainer.history.refresh(list(root.walk()), lines)
    texts = ["\n".join(histories.explanation(explainer.history.origins[op])) for op in dict.fromkeys(values)]
    sys.stdout.write("\n\n".join("\n".join(map(escape_controls, text.split("\n"))) for text in texts) + "\n")


def _named(name: str, root: Op, lines: op_lines.OpLines) -> list[Op]:
    """The ops that make what is called so. CommandLineError if nothing is, or if several functions have such a value."""
    asked = EXPLAINED.fullmatch(name)
    assert asked is not None
    known = _values_of(root, lines)
    if (wanted := asked["function"]) is not None and wanted not in known:
        raise CommandLineError(_with_hint(f"--explain: there is no {wanted}", nearest(wanted, known)))
    places = {function: values for function, values in known.items() if wanted in (None, function)}
    having = [function for function, values in places.items() if asked["value"] in values]
    if not having:
        near = nearest(asked["value"], dict.fromkeys(one for values in places.values() for one in values))
        scope = f" in {wanted}" if wanted else ""
        raise CommandLineError(_with_hint(f"--explain: nothing is called {asked['value']} behind the passes{scope}", near))
    if len(having) > 1:
        several, value = " and ".join(having[:3]), asked["value"]
        raise CommandLineError(f"--explain: {several} have a {value}; say which, such as {having[0]}:{value}")
    found = [value.op for value in places[having[0]][asked["value"]] if value.op is not None]
    if not found:
        raise CommandLineError(f"--explain: {asked['value']} is an argument in {having[0]}, which no op makes")
    return found


def _values_of(root: Op, lines: op_lines.OpLines) -> dict[str, dict[str, list[Value]]]:
    """The values by function and name; one of several results is found by the name of them all, too."""
    found: dict[str, dict[str, list[Value]]] = {}
    for top in (op for region in root.regions for block in region.blocks for op in block):
        names = found.setdefault(steps.function_name(top), {})
        for op in top.walk():
            arguments = [a for region in op.regions for block in region.blocks for a in block.arguments]
            for value in (*op.results, *arguments):
                name = lines.name(value)
                for one in dict.fromkeys((name, name.partition("#")[0])):
                    names.setdefault(one, []).append(value)
    return found


def _with_hint(message: str, hint: str | None) -> str:
    return f"{message}; {hint}" if hint else message
