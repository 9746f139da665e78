"""The page of `tir-opt --explore`: one HTML file with all it needs in it.

What comes from the program is data: JSON in a block that the browser does not run, without any `<`, and the script puts
it on the page as text alone. A policy in the page forbids every other script, style, picture and connection.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from tir.version import __version__
from tir.viz.explore import Explorer, Level
from tir.viz.history import Origin
from tir.viz.steps import Budget, Chain, Step

__all__ = ["page", "page_data"]

MAX_LEVEL_LINES = 5000
MAX_LINE_CHARACTERS = 1000
MAX_MADE = 20_000  # ops in the chains of rules that made others
MAX_TEXT_CHARACTERS = 8_000_000  # different lines of all levels and steps

_SCRIPTS = ("model.js", "code.js", "levels.js", "rewrites.js", "main.js")


def page(explorer: Explorer, title: str, command: Sequence[str]) -> str:
    """The HTML text. `title` says what was explored, `command` how."""
    data = _inert(json.dumps(page_data(explorer, title, command), ensure_ascii=True, separators=(",", ":")))
    style = _asset("page.css")
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    parts = {"policy": _policy(style, script), "style": style, "script": script, "data": data}
    text = _asset("page.html")
    for name, part in parts.items():
        before, _, after = text.partition(f"<!--{name}-->")
        text = before + part + after
    return text


def _asset(name: str) -> str:
    return (resources.files("tir.viz") / name).read_text(encoding="utf-8")


def _inert(text: str) -> str:
    """JSON that can stand between tags: no character of it begins one."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(style: str, script: str) -> str:
    sources = f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    return f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@dataclass
class _Lines:
    """Each different line once; texts are lists of their numbers."""

    numbers: dict[str, int] = field(default_factory=dict)
    characters: int = 0
    is_full: bool = False

    def add(self, lines: list[str]) -> list[int]:
        return [self._number(line) for line in lines]

    def _number(self, line: str) -> int:
        if len(line) > MAX_LINE_CHARACTERS:
            line = f"{line[:MAX_LINE_CHARACTERS]} ... {len(line) - MAX_LINE_CHARACTERS:,} more characters"
        known = self.numbers.get(line)
        if known is not None:
            return known
        if self.characters > MAX_TEXT_CHARACTERS:
            self.is_full = True
            return self.numbers.setdefault("... not shown: the page holds no more text", len(self.numbers))
        self.characters += len(line)
        return self.numbers.setdefault(line, len(self.numbers))


def page_data(explorer: Explorer, title: str, command: Sequence[str]) -> dict[str, Any]:
    """What the page shows, as JSON has it.

    Text is numbers of `lines`. A level says for each op its line (-1: not shown), and from which ops of the level before
    it comes (`from`), and by which chain of rules and passes it was made (`made`, a place in the list `made`, -1 if it was
    given). A step changes the text of its chain: `[at, removed, added lines]`; the chain's `base` is the first.
    """
    lines = _Lines()
    rules: dict[Any, int] = {}
    chain = _MadeOps(lines, rules)
    levels = [_level(level, lines, chain) for level in explorer.levels]
    chains: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    for run in explorer.runs:
        level = run.level - (1 if run.changed and run.level else 0)
        known: dict[int, int] = {}
        first = len(steps)
        for step in run.steps:
            if id(step.chain) not in known:
                known[id(step.chain)] = len(chains)
                chains.append(_chain(step.chain, lines))
            steps.append(_step(step, known[id(step.chain)], len(runs), rules, lines))
        runs.append({
            "title": run.title, "about": run.about, "where": run.where, "level": run.level, "before": level,
            "changed": run.changed, "first": first, "steps": len(run.steps),
        })  # fmt: skip
    return {
        "format": 1, "tir": __version__, "title": title, "command": shlex.join(command), "error": explorer.error,
        "notes": _notes(explorer, lines), "levels": levels, "runs": runs, "chains": chains, "steps": steps,
        "made": chain.found,
        "rules": [{"name": r.name, "before": r.before, "after": r.after, "class": r.kind, "why": r.reason} for r in rules],
        "lines": list(lines.numbers),
    }  # fmt: skip


class _MadeOps:
    """The ops of the chains that made others, each once, those that it was made of in front of it."""

    def __init__(self, lines: _Lines, rules: dict[Any, int]) -> None:
        self.lines, self.rules = lines, rules
        self.numbers: dict[Origin, int] = {}
        self.found: list[dict[str, Any]] = []

    def number(self, origin: Origin) -> int:
        """Its place in `found`; -1 if the page has no more room."""
        pending = [origin]
        while pending and len(self.found) < MAX_MADE:
            one = pending[-1]
            new = [source for source in _sources(one) if source not in self.numbers]
            if one in self.numbers or not new:
                pending.pop()
                if one not in self.numbers:
                    self._add(one)
            else:
                pending += new
        return self.numbers.get(origin, -1)

    def _add(self, origin: Origin) -> None:
        made, rule = origin.made, origin.made.rule if origin.made is not None else None
        self.numbers[origin] = len(self.found)
        self.found.append({
            "text": self.lines.add([origin.text])[0], "place": origin.place, "by": made.by if made is not None else "",
            "rule": self.rules.setdefault(rule, len(self.rules)) if rule is not None else -1,
            "of": [self.numbers[source] for source in _sources(origin)],
        })  # fmt: skip


def _sources(origin: Origin) -> Sequence[Origin]:
    return origin.made.sources if origin.made is not None else ()


def _level(level: Level, lines: _Lines, chain: _MadeOps) -> dict[str, Any]:
    shown = level.lines[:MAX_LEVEL_LINES]
    sources = [[*one] for one in level.origins]
    for old, new in level.became:
        if old not in sources[new]:
            sources[new].append(old)
    return {
        "title": level.title, "lines": lines.add(shown), "hidden": len(level.lines) - len(shown),
        "ops": [line if line < len(shown) else -1 for line in level.ops], "from": sources,
        "made": [chain.number(origin) if origin.made is not None else -1 for origin in level.made],
    }  # fmt: skip


def _chain(chain: Chain, lines: _Lines) -> dict[str, Any]:
    return {"function": chain.function, "base": lines.add(chain.base)}


def _step(step: Step, chain: int, run: int, rules: dict[Any, int], lines: _Lines) -> dict[str, Any]:
    rule = step.action.rule if step.action is not None else None
    changes = None
    if step.changes is not None:
        changes = [[change.at, change.removed, lines.add(change.added)] for change in step.changes]
    return {
        "run": run, "chain": chain, "name": step.action.name if step.action is not None else "",
        "rule": rules.setdefault(rule, len(rules)) if rule is not None else -1,
        "opName": step.op_name, "op": -1 if step.op is None else step.op, "place": step.place, "changes": changes,
    }  # fmt: skip


def _notes(explorer: Explorer, lines: _Lines) -> list[str]:
    """What the page leaves out, in sentences."""
    budget = explorer.budget
    notes = []
    if explorer.hidden_levels:
        notes.append(f"{explorer.hidden_levels} levels before the last are not shown: a page has {explorer.max_levels}.")
    if cut := [level.title for level in explorer.levels if len(level.lines) > MAX_LEVEL_LINES]:
        notes.append(f"{len(cut)} levels are cut after {MAX_LEVEL_LINES:,} lines.")
    if budget.steps > budget.max_steps:
        notes.append(f"Of {budget.steps:,} rewrites the first {budget.max_steps:,} are shown.")
    if any(step.changes is None for run in explorer.runs for step in run.steps):
        notes.append(f"Some rewrites have no text: {_why_no_text(budget)}.")
    if lines.is_full:
        notes.append(f"The page holds {MAX_TEXT_CHARACTERS:,} characters of text; lines beyond are not shown.")
    return notes


def _why_no_text(budget: Budget) -> str:
    if budget.printed_lines > budget.max_printed_lines:
        return f"all steps together have more than {budget.max_printed_lines:,} lines"
    return f"their function has more than {budget.max_function_lines:,} lines"
