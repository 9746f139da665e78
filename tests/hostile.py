"""Texts that want to do harm, and mutants of good ones: what the tests of hostile text feed to the parser and passes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

from tir.dialects.all import REGISTRY
from tir.ir.errors import PassError, TirError, TirErrors, render
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.ir.verify import check
from tir.parser.parse import parse_text
from tir.parser.raw import split_file
from tir.passes.pipelines import PASSES, PIPELINES

__all__ = ["TEXTS", "corpus", "mutant", "parsed", "problem_behind_passes", "problems"]

ROOT = Path(__file__).resolve().parent.parent
MANY = 100_000
HEAD, TAIL = "func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {\n", "  return %x : tensor<3xf32>\n}\n"
NEG = "tir.neg %x : tensor<3xf32>"


def _body(lines: str) -> str:
    return f"{HEAD}  {lines}\n{TAIL}"


def _of_type(type: str) -> str:
    return f"func.func @f(%x: {type}) {{\n  return\n}}\n"


def _doubling(kind: str, first: str, twice: str, use: str) -> str:
    """Aliases, each of which stands for two of the one before."""
    lines = [f"{kind}0 = {first}"] + [f"{kind}{i} = " + twice.replace("A", f"{kind}{i - 1}") for i in range(1, 64)]
    return "\n".join([*lines, use.replace("A", f"{kind}63")])


#: name -> text. Each must end in errors with places, or be a module.
TEXTS: dict[str, str] = {
    "empty": "", "only a comment": "// x", "byte order marks": "\ufeff\ufeff" + HEAD + TAIL, "nul": _body("\0"),
    "carriage returns": (HEAD + TAIL).replace("\n", "\r"), "surrogate": _body("\ud800"),
    "deep generic ops": '"a.b"() ({\n' * MANY, "deep dictionaries": "a.b {a=" * MANY, "deep lists": "a.b " + "[" * MANY,
    "deep types": "a.b " + "tuple<" * MANY, "deep affine": "a.b affine_map<(d0) -> (" + "(" * MANY,
    "deep locations": "a.b loc(" + "fused[" * MANY, "deep function type": "a.b " + "() -> " * 20_000 + "i32",
    "deep constant": _body("%c = tir.constant dense<" + "[" * MANY + "]" * MANY + "> : tensor<1xf32>"),
    "deep modules": "module {\n" * MANY + "}\n" * MANY,
    "many operands": _body('%r = "tir.add"(' + "%x, " * MANY + "%x) : () -> ()"),
    "many results": _body(f"%r:1000000 = {NEG}"), "too many results": _body(f"%r:99999999999999999999 = {NEG}"),
    "many named results": _body(", ".join(f"%r{i}" for i in range(MANY)) + f" = {NEG}"), "no result": _body(f"%r:0 = {NEG}"),
    "many digits": _body("%r = tir.full 1" + "0" * 10**6 + " : f32 -> tensor<3xf32>"),
    "digits within the limit": _body("%r = tir.full 1" + "0" * 4000 + " : f32 -> tensor<3xf32>"),
    "exponent": _body("%r = tir.full 1e999999999999 : f32 -> tensor<3xf32>"),
    "terminal escape": _body('cf.assert %x, "\x1b[31mred"'), "right to left": _body(f"%\u202eabc = {NEG}"),
    "escaped escape": 'func.func @"\\1B[31m"() -> i32 {\n  return\n}', "bytes in a name": 'func.func @"\\ff"() {\n return\n}',
    "open string": 'func.func @"abc\n', "equal keys": "module attributes {a = 1 : i32, a = 2 : i32} {\n}",
    "equal symbols": (HEAD + TAIL) * 2, "equal values": _body(f"%y = {NEG}\n  %y = {NEG}"),
    "equal labels": "func.func @f() {\n^a:\n  cf.br ^a\n^a:\n  cf.br ^a\n}", "equal arguments": "func.func @f(%x: f32, %x: f32)",
    "alias of itself": "!a = tuple<!a>\n" + _of_type("!a"), "aliases of each other": "!a = tuple<!b>\n!b = tuple<!a>\n",
    "attribute of itself": "#a = [#a]\nmodule attributes {x = #a} {\n}", "location of itself": "#l = loc(fused[#l])\nmodule {\n} loc(#l)",
    "doubling types": _doubling("!t", "tuple<i32>", "tuple<A, A>", _of_type("A")),
    "doubling attributes": _doubling("#t", "[1]", "[A, A]", "module attributes {x = A} {\n}"),
    "doubling dictionaries": _doubling("#t", "{a = 1}", "{a = A, b = A}", "module attributes {x = A} {\n}"),
    "doubling functions": _doubling("!t", "(i32) -> i32", "(A, A) -> A", _of_type("A")),
    "use before definition": _body(f"%y = tir.neg %z : tensor<3xf32>\n  %z = {NEG}"),
    "use of itself": _body("%y = tir.neg %y : tensor<3xf32>"), "no such block": "func.func @f() {\n  cf.br ^z\n}",
    "size 2^62": _of_type("tensor<4611686018427387904xf32>"), "size 2^63": _of_type("tensor<9223372036854775808xi8>"),
    "sizes that overflow": _of_type("tensor<4294967296x4294967296xf32>"), "size of 4000 digits": _of_type(f"tensor<1{'0' * 4000}xf32>"),
    "nothing of much": _of_type("tensor<0x4611686018427387904x4611686018427387904xf32>"), "negative size": _of_type("tensor<-1xf32>"),
    "rank": _of_type("tensor<" + "1x" * MANY + "f32>"), "long size": _of_type("tensor<[" + "B+" * MANY + "B]xf32>"),
    "size by nothing": _of_type("tensor<[B floordiv 0]xf32>"), "wide integer": _of_type("i99999999999"), "no bits": _of_type("i0"),
    "long vector": _of_type("vector<4611686018427387904xf32>"),
    "strides": _of_type("memref<4xf32, strided<[9223372036854775807], offset: 9223372036854775807>>"),
    "5 MB symbol": "func.func @" + "x" * 5_000_000 + "() {\n  return\n}", "5 MB string": f'module attributes {{x = "{"y" * 5_000_000}"}} {{\n}}',
    "5 MB value": _body("%" + "y" * 5_000_000 + f" = {NEG}"), "5 MB comment": "//" + "y" * 5_000_000 + "\n" + HEAD + TAIL,
    "constant that does not fit": _body("%c = tir.constant dense<[1.0, 2.0]> : tensor<3xf32>"), "half a byte": _body('%c = tir.constant dense<"0x123"> : tensor<3xf32>'),
    "no such resource": _body("%c = tir.constant dense_resource<w> : tensor<3xf32>"), "open resources": HEAD + TAIL + "{-# dialect_resources: ",
    "version": "module attributes {tir.version = 99 : i64} {\n}", "version in words": 'module attributes {tir.version = "x"} {\n}',
    "initial value of itself": "tir.shared @w : tensor<f32> init @w\n", "no initial value": "tir.shared @w : tensor<f32> init @nope\n",
    "function in a function": "func.func @f() {\n  func.func @g() {\n    return\n  }\n  return\n}", "return in a module": "return\n",
    "value from outside": _of_type("f32") + "func.func @g() -> f32 {\n  return %x : f32\n}",
    "state that is no symbol": "func.func @f(%x: tensor<3xf32> {tir.shared = 3}) {\n  return\n}",
    "update of nothing": HEAD.replace("-> tensor<3xf32>", "-> (tensor<3xf32> {tir.update = @nope})") + TAIL,
    "empty body": _body("%g = tensor.generate {\n  ^bb0(%i: index):\n  } : tensor<3xf32>"),
    "two blocks": _body('%i = arith.constant 0 : index\n  "scf.for"(%i, %i, %i) ({\n  ^a(%j: index):\n    scf.yield\n  ^b:\n    scf.yield\n  }) : (index, index, index) -> ()'),
    "constant of no kind": "func.func @f() {\n  %0 = arith.constant {}\n  return\n}",
    "index in a broken op": '"linalg.generic"() ({\n  %0 = linalg.index 0 : index\n  linalg.yield\n}) : () -> ()',
    "unknown op": "foo.bar", "words of Python": '"tir.__class__"() : () -> ()', "far away": " " * MANY + "@@@",
    "map of many dimensions": "module attributes {x = affine_map<(" + ", ".join(f"d{i}" for i in range(MANY)) + ") -> ()>} {\n}",
}  # fmt: skip

_TOKEN = re.compile(r'[%@#!^][\w$.-]+|[A-Za-z_][\w$.]*|\d+(?:\.\d+)?|->|"[^"\n]*"|[^\s\w]|\s+')
_SPICE = """0 -1 9223372036854775808 1e999 nan ? [B] [B-2] f32 i1 index ui8 bf16 i0 none {} [] () dense<> dense<0.0> " \\ \0 } {
> < loc( affine_map<(d0)->(d0)> tensor<f32> tensor<0xf32> memref<?xf32> vector<4xf32> complex<f32> true @f %x !a #a -> : = ,
0x 4294967296 -0.0 *""".split()
_INNER = re.compile(r"Traceback|object at 0x|<class|NoneType|\w+Attr\(|\bdict\b|\btuple\(")


def corpus() -> list[str]:
    """The examples and the lit tests, part by part, not longer than 6000 characters."""
    files = sorted([*ROOT.glob("examples/*.tir"), *ROOT.glob("docs/examples/*.tir"), *ROOT.glob("tests/lit/**/*.tir")])
    parts = [part for file in files for _, part in split_file(file.read_text(encoding="utf-8"))]
    return [part[:6000] for part in parts if part.strip()]


def mutant(text: str, rng: random.Random) -> str:
    """The text with one to four changes: a character, a line or a token gone, doubled, swapped or made up."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        kind, lines, tokens = rng.randrange(8), text.split("\n"), list(_TOKEN.finditer(text))
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        if not tokens:
            return text
        if kind == 0:
            at = rng.randrange(len(text))
            text = text[:at] + chr(rng.choice((rng.randrange(256), 0x202E, 0xD800))) + text[at + 1 :]
        elif kind == 1:
            text = "\n".join(lines[:i] + lines[i + 1 :])
        elif kind == 2:
            lines[i], lines[j] = lines[j], lines[i]
            text = "\n".join(lines)
        elif kind == 3:
            text = text[: rng.randrange(len(text))]
        else:
            token = rng.choice(tokens)
            new = ("", rng.choice(_SPICE), rng.choice(tokens).group(), token.group() * 2)[kind - 4]
            text = text[: token.start()] + new + text[token.end() :]
    return text


def parsed(text: str) -> tuple[Op | None, list[str]]:
    """The module or None, and what is wrong with the errors: a place outside of the text, words of our code."""
    try:
        return parse_text(text, REGISTRY, file="t"), []
    except TirError as error:
        render(error, {"t": text})
        errors = error.errors if isinstance(error, TirErrors) else (error,)
        lines = text.split("\n")
        return None, [found for one in errors for found in _bad_error(one, lines)]


def _bad_error(error: TirError, lines: list[str]) -> Iterator[str]:
    where = error.location.file_location() if error.location is not None else None
    if where is None:
        yield f"no place: {error.message}"
    elif where.file == "t" and not (1 <= where.line <= len(lines) and 1 <= where.column <= len(lines[where.line - 1]) + 1):
        yield f"outside of the text: {error}"
    if _INNER.search(error.message):
        yield f"not in words of the program: {error.message[:200]}"


def problems(text: str) -> list[str]:
    """What is wrong with how the text is read, or with how its module is printed and read back."""
    module, found = parsed(text)
    if module is not None:
        printed = print_op(module)
        again, errors = parsed(printed)
        if again is None or print_op(again) != printed:
            found.append(f"does not read back: {errors}")
    return found


def problem_behind_passes(text: str, rng: random.Random) -> str | None:
    """What is wrong behind some passes, if the text is a module: a PassError is none, a module that is wrong is."""
    module, _ = parsed(text)
    if module is None:
        return None
    names = rng.choices([*PASSES, *PIPELINES], k=rng.choice((1, 1, 2, 3)))
    try:
        run_pipeline(Pipeline([({**PASSES, **PIPELINES})[name]() for name in names]), module, verify_end=False)
    except PassError as error:
        return None if error.location is not None else f"{names}: no place: {error.message}"
    wrong = check(module)
    return f"{names}: {wrong[0]}" if wrong else None
