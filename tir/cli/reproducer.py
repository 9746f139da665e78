"""Reproducers: when a pass fails by a bug in tir, a file that holds the IR and the pipeline that fails on it.

The form is mlir-opt's: the module, and behind it

    {-#
      external_resources: {
        mlir_reproducer: { pipeline: "builtin.module(cse)", disable_threading: true, verify_each: false },
        tir_reproducer: { version: "0.1.0", failure: "AssertionError in _merge" }
      }
    #-}

`tir-opt --run-reproducer FILE` runs exactly that. The smallest form that fails in the same way is chosen: the pass that
failed on the module as it was in front of it, else the whole pipeline on the input.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tir.cli.common import BugReported, CommandLineError, Sources, write_output
from tir.cli.opt_run import OptRun, Part
from tir.dialects.all import REGISTRY
from tir.dialects.builtin import Module
from tir.ir.attributes import quote
from tir.ir.errors import ParseError, PassError, TirError, TirErrors, escape_controls
from tir.ir.instrumentations import Limit, Verify
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, PassBug, Pipeline, run_pipeline
from tir.ir.pipeline_text import Lookup, parse_pipeline
from tir.ir.printer import print_op
from tir.lazy import LazyModule
from tir.parser.literals import unescape
from tir.parser.raw import RawText, read_text
from tir.version import __version__

__all__ = ["DEFAULT_FILE", "reported", "stated_pipeline"]

platform = LazyModule("platform")
DEFAULT_FILE = "tir-opt-reproducer.tir"
UPSTREAM, OURS = ("external_resources", "mlir_reproducer"), ("external_resources", "tir_reproducer")


# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """Something to run that may fail: a text, the pipeline, and the flags that matter."""

    text: str
    file: str
    pipeline: Pipeline
    verify_each: bool
    allow_unregistered: bool
    max_rewrites: int | None
    first_line: int = 1


def reported(error: Exception, step: Pass | None, part: Part, run: OptRun) -> BugReported:
    """Writes a reproducer of a bug; the sentence for the user. step: the pass that failed; None if it came behind all."""
    return BugReported(_report(error, step, part, run))


def _report(error: Exception, step: Pass | None, part: Part, run: OptRun) -> str:
    options = run.options
    where = f"pass {step.name}: " if step is not None else ""
    what = f"bug in tir: {error}" if isinstance(error, PassBug) else f"bug in tir: {where}{type(error).__name__}: {error}"
    path = options.reproducer
    if options.run_reproducer and path is None:
        return f"{what} (the reproducer says: {options.recorded_failure or 'nothing about it'})"
    path = path or DEFAULT_FILE
    case = _Case(part.text, part.file, run.pipeline, options.verify_each, options.allow_unregistered_dialect,
                 options.max_rewrites, part.first_line)  # fmt: skip
    text, repeats = _smallest(case, step is None, error, run, path)
    try:
        write_output(text, path)
    except TirError as wrong:
        return f"{what}; no reproducer: {wrong.message}"
    again = f"`tir-opt --run-reproducer {shlex.quote(path)}`"
    return f"{what}; {again} repeats it" if repeats else f"{what}; {again} runs it again, but did not fail here"


def _text(case: _Case, error: Exception, run: OptRun) -> str:
    """The file: what led to it as comments, the module, and the pipeline."""
    about = [
        f"tir-opt {shlex.join(run.argv)}",
        f"tir {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        *"".join(traceback.format_exception(error)).rstrip().split("\n"),
    ]
    pipeline = str(case.pipeline.anchored(Module.name))
    upstream = {"pipeline": quote(pipeline), "disable_threading": "true", "verify_each": _bool(case.verify_each)}
    ours = {"version": quote(__version__), "failure": quote(_kind(error))}
    if case.allow_unregistered:
        ours["allow_unregistered_dialect"] = "true"
    if case.max_rewrites is not None:
        ours["max_rewrites"] = str(case.max_rewrites)
    lines = [f"// {escape_controls(line)}" for line in about]
    lines += [case.text.rstrip("\n"), "", "{-#", f"  {UPSTREAM[0]}: {{"]
    lines += [*_section(UPSTREAM[1], upstream, ","), *_section(OURS[1], ours, ""), "  }", "#-}", ""]
    return "\n".join(lines)


def _section(name: str, entries: dict[str, str], behind: str) -> list[str]:
    inside = [f"      {key}: {value}" for key, value in entries.items()]
    return [f"    {name}: {{", ",\n".join(inside), f"    }}{behind}"]


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _kind(error: Exception) -> str:
    """The exception and the function that raised it: what makes two failures the same one."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or isinstance(error, RecursionError):  # which function is the last of too many is chance
        return type(error).__name__
    return f"{type(error).__name__} in {frames[-1].name}"


# --- the smallest case -----------------------------------------------------------------------------------------------


@dataclass
class _Before(Instrumentation):
    """Counts the passes, and keeps what stands in front of the pass with number `wanted`, the first being 0."""

    limit: Limit | None
    wanted: int = -1
    begun: int = 0
    texts: tuple[str, ...] = ()
    pipeline: Pipeline | None = None
    max_rewrites: int | None = None

    def before(self, step: Pass, op: Op, root: Op) -> None:
        if self.begun == self.wanted:
            self.texts = (print_op(root), print_op(root, locations=True))
            self.pipeline = _nested(step, op, root)
            self.max_rewrites = self.limit.count - self.limit.made if self.limit is not None else None
        self.begun += 1


def _nested(step: Pass, op: Op, root: Op) -> Pipeline:
    """The pass alone, on all ops that stand as `op` does."""
    pipeline = Pipeline([step])
    for around in (op, *op.ancestors()):
        if around is not root:
            pipeline = Pipeline([Pipeline(pipeline.steps, around.name)])
    return pipeline


def _smallest(case: _Case, at_end: bool, error: Exception, run: OptRun, path: str) -> tuple[str, bool]:
    """The text of the first of these that fails in the same way: the pass alone, the whole pipeline, all as it was.

    Whether one does, too. The failure is repeated for that: nothing need be kept while passes run. at_end: it came
    behind all passes.
    """
    wanted = _kind(error)
    for smaller in _smaller(case, at_end):
        text = _text(smaller, error, run)
        if _failure(replace(smaller, text=text, file=path, first_line=1)) == wanted:
            return text, True
    return _text(case, error, run), False


def _smaller(case: _Case, at_end: bool) -> Iterator[_Case]:
    # A module that is found to be wrong at the end is wrong behind some pass.
    precise = replace(case, verify_each=case.verify_each or at_end)
    counted = _Before(None)
    _failure(precise, counted)
    found = _Before(None, counted.begun - 1)
    _failure(precise, found)
    if found.pipeline is not None:
        for text in found.texts:
            yield replace(case, text=text, pipeline=found.pipeline, max_rewrites=found.max_rewrites)
    start = _Before(None, 0)
    _failure(precise, start)
    for text in (*start.texts, case.text):
        yield replace(case, text=text)


def _failure(case: _Case, before: _Before | None = None) -> str | None:
    """How the case fails; None if it does not."""
    watchers: list[Instrumentation] = [Verify()] * case.verify_each
    if case.max_rewrites is not None:
        watchers.append(limit := Limit(case.max_rewrites))
        if before is not None:
            before.limit = limit
    if before is not None:
        watchers.append(before)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            module = Sources().parse(case.text, case.file, case.first_line, case.allow_unregistered)
            run_pipeline(case.pipeline, module, watchers)
    except Exception as error:
        return _kind(error)
    return None


# --- reading ---------------------------------------------------------------------------------------------------------


def stated_pipeline(parts: Sequence[Part], run: OptRun, passes: Lookup) -> Pipeline:
    """The pipeline that stands in the file, whose other facts become flags. TirError if the file is no reproducer."""
    if len(parts) != 1:
        raise CommandLineError("--run-reproducer runs one module: leave out --split-input-file")
    raw = read_text(parts[0].text, parts[0].file, first_line=parts[0].first_line)
    if raw.errors:
        raise TirErrors(raw.errors)
    stated = _Stated(raw)
    text = stated.string(*UPSTREAM, "pipeline")
    if text is None:
        form = "{-# external_resources: { mlir_reproducer: { pipeline: \"..\" } } #-}"
        raise TirError(f"{parts[0].file}: no reproducer: `{form}` is missing")
    options = run.options
    options.verify_each |= stated.switch(*UPSTREAM, "verify_each")
    options.allow_unregistered_dialect |= stated.switch(*OURS, "allow_unregistered_dialect")
    options.max_rewrites = stated.count(*OURS, "max_rewrites", options.max_rewrites)
    options.recorded_failure = stated.string(*OURS, "failure")
    try:
        return parse_pipeline(text, passes, REGISTRY)
    except PassError as error:
        raise stated.error(error.message, *UPSTREAM, "pipeline", hint=error.hint) from None


@dataclass
class _Stated:
    """What the metadata of a file states."""

    raw: RawText

    def string(self, *path: str) -> str | None:
        token = self._token(path)
        if token is None:
            return None
        if token[0] != '"':
            raise self.error(f"expected a string in quotes, got '{token[:40]}'", *path)
        return unescape(token)

    def switch(self, *path: str) -> bool:
        token = self._token(path)
        if token not in (None, "true", "false"):
            raise self.error(f"expected true or false, got '{token[:40]}'", *path)
        return token == "true"

    def count(self, section: str, owner: str, key: str, default: int | None) -> int | None:
        token = self._token((section, owner, key))
        if token is None:
            return default
        if not (token.isascii() and token.isdigit() and len(token) < 19):
            raise self.error(f"expected an integer, 0 or more, got '{token[:40]}'", section, owner, key)
        return int(token)

    def _token(self, path: tuple[str, ...]) -> str | None:
        found = self.raw.reading.other_metadata.get(path)
        return found[0] if found is not None else None

    def error(self, message: str, *path: str, hint: str | None = None) -> ParseError:
        _, pos = self.raw.reading.other_metadata[path]
        return ParseError(f"{path[-2]}: {path[-1]}: {message}", self.raw.location(pos), hint=hint)
