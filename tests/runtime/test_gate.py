"""The gate: what it refuses, that it refuses it with words, and that no text ends the process.

LLVM ends a process by abort and exit, which no `try` sees. So the table and the fuzzing run in child processes (this
file is their main program), and a death shows up here as a failed test that names the text.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tir.ir.externs import EXTERN_KINDS, EXTERNS
from tir.runtime import gate, jit
from tir.runtime.gate import CodegenError


def _function(body: str, result: str = "void", arguments: str = "", before: str = "") -> str:
    return f"{before}\ndefine {result} @f({arguments}) {{\n{body}\n}}\n"


def _loop(attachment: str, metadata: str) -> str:
    """A loop over an array, with metadata on its branch."""
    return (
        "define void @f(i64 %n, ptr %p) {\nentry:\n  br label %loop\nloop:\n"
        "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]\n"
        "  %a = getelementptr float, ptr %p, i64 %i\n  %v = load float, ptr %a\n"
        "  %w = fadd float %v, 1.0\n  store float %w, ptr %a\n"
        "  %next = add i64 %i, 1\n  %more = icmp slt i64 %next, %n\n"
        f"  br i1 %more, label %loop, label %done{attachment}\ndone:\n  ret void\n}}\n{metadata}"
    )


def _calls(name: str, type_text: str, argument_types: str, before: str = "") -> str:
    values = ", ".join(f"{kind} %a{number}" for number, kind in enumerate(argument_types.split(", ")))
    call = f"  %r = call {type_text} @{name}({values})\n  ret {type_text} %r"
    return _function(call, type_text, values, f"{before}declare {type_text} @{name}({argument_types})")


OK = None
LONG_BLOCK = "\n".join(f"  %x{i + 1} = add i32 %x{i}, %x{max(0, i - 7)}" for i in range(4000))

#: Ways to hurt LLVM: name, text, and what the refusal says (OK: it works). Most of them end a process that hands the
#: text to LLVM as it is; the others link wrongly, compile without end, or crash in the code that comes out.
TABLE: dict[str, tuple[str, str | None]] = {
    "syntax error": ("define void @f( {", "LLVM: expected type"),
    "ill-typed return": (_function("  ret i32 1"), "LLVM: "),
    "decimal that is no float": (_function("  ret float 0.1", "float"), "LLVM: floating point constant invalid"),
    "phi without predecessor": (
        _function("a:\n  br label %b\nb:\n  %x = phi i32 [ 1, %c ]\n  ret void\nc:\n  br label %c"),
        "LLVM: PHI node entries do not match predecessors",
    ),
    "use before definition": (
        _function("  %a = add i32 %b, 1\n  %b = add i32 1, 1\n  ret i32 %a", "i32"),
        "LLVM: Instruction does not dominate all uses",
    ),
    "function defined twice": (_function("  ret void") * 2, "LLVM: invalid redefinition"),
    "unknown function": (_calls("no_such_function", "i32", "i32"), "'no_such_function'.*not in the table"),
    "system": (_calls("system", "i32", "ptr"), "'system'.*not in the table"),
    "libm function": (_calls("sinf", "float", "float"), "'sinf' of the C math library"),
    "libm intrinsic": (_calls("llvm.exp.f32", "float", "float"), "C math library; run expand-math"),
    "unknown intrinsic": (_calls("llvm.erff.f32", "float", "float"), "not an intrinsic that the gate accepts"),
    "intrinsic of another target": (_calls("llvm.nvvm.ex2.approx.f", "float", "float"), "not an intrinsic"),
    "intrinsic of a missing feature": (_calls("llvm.x86.tdpbssd", "void", "i8, i8, i8"), "not an intrinsic|LLVM: "),
    "counter of cycles, which ends a process on aarch64": (
        _function("  %t = call i64 @llvm.readcyclecounter()\n  ret i64 %t", "i64", before="declare i64 @llvm.readcyclecounter()"),
        "not an intrinsic that the gate accepts",
    ),
    "trap": (_function("  call void @llvm.trap()\n  ret void", before="declare void @llvm.trap()"), "not an intrinsic"),
    "remainder through libm": (
        _function("  %r = frem float %x, %y\n  ret float %r", "float", "float %x, float %y"),
        "'frem'",
    ),
    "extern with a wrong type": (
        _calls("malloc", "ptr", "i32"),
        r"declared as 'ptr \(i32\)', its type is 'ptr \(i64\)'",
    ),
    "allocation with a wrong call": (
        _function(
            "  %p = call ptr @malloc()\n  %c = icmp eq ptr %p, null\n  ret i1 %c", "i1", "", "declare ptr @malloc(i64)"
        ),
        r"@malloc has type 'ptr \(i64\)' and is called as 'ptr \(\)'",
    ),
    "allocation through a pointer": (
        _function(
            "  %f = select i1 true, ptr @malloc, ptr null\n  %p = call ptr %f()\n"
            "  %c = icmp eq ptr %p, null\n  ret i1 %c",
            "i1",
            before="declare ptr @malloc(i64)",
        ),
        "@malloc is used as a value",
    ),
    "extern without grant": (
        _calls("sched_yield", "i32", "i32").replace("i32 %a0", "").replace("(i32)", "()"),
        "grant",
    ),
    "external global": (_function("  ret void", before="@environ = external global ptr"), "'external'"),
    "function without code": (_function("  unreachable"), "'tir.f' has no code"),
    "module asm": ('module asm ".globl x"', "'module'|string"),
    "inline asm": (_function('  call void asm "nonsense", ""()\n  ret void'), "string"),
    "128-bit division": (_function("  %r = udiv i128 %x, %x\n  ret i128 %r", "i128", "i128 %x"), "128-bit division"),
    "128-bit multiplication": (_function("  %r = mul i128 %x, %x\n  ret i128 %r", "i128", "i128 %x"), OK),
    "128-bit to float": (
        _function("  %r = sitofp i128 %x to float\n  ret float %r", "float", "i128 %x"),
        "__floattisf",
    ),
    "double to half": (
        _function("  %r = fptrunc double %x to half\n  ret half %r", "half", "double %x"),
        "__truncdfhf2",
    ),
    "quad precision": (_function("  ret fp128 %x", "fp128", "fp128 %x"), "'fp128'"),
    "odd integer": (
        _function("  %r = mul i8388607 %x, %x\n  ret i8388607 %r", "i8388607", "i8388607 %x"),
        "'i8388607'",
    ),
    "vector of 65536 lanes": (_function("  ret void", arguments="<65536 x float> %x"), "<65536 x float> is too wide"),
    "vector of 1024 bytes": (_function("  ret void", arguments="<128 x double> %x"), "<128 x double> is too wide"),
    "scalable vector": (_function("  ret void", arguments="<vscale x 4 x float> %x"), "'vscale'"),
    "bfloat vector of odd length": (
        _function("  ret void", arguments="<17 x bfloat> %x"),
        "<17 x bfloat> is not supported",
    ),
    "half and bfloat": (_function("  ret void", arguments="bfloat %x, half %y"), "half and bfloat in one module"),
    "packed bits in memory": (
        _function("  store <8 x i1> %x, ptr %p\n  ret void", arguments="<8 x i1> %x, ptr %p"),
        "a vector of i1 cannot be loaded or stored",
    ),
    "odd float vector": (
        _function("  %r = fadd <7 x float> %x, %x\n  ret <7 x float> %r", "<7 x float>", "<7 x float> %x"),
        OK,
    ),
    "vector of pointers to arrays": (
        _function("  ret void", arguments="<4 x [4 x i8]> %x"),
        "LLVM: invalid vector element type",
    ),
    "unknown cpu": (_function("  ret void", before="") + 'attributes #0 = { "target-cpu"="pdp11" }', "target-cpu"),
    "unknown feature": (_function("  ret void") + 'attributes #0 = { "target-features"="-64bit" }', "target-features"),
    "foreign triple": (
        'target triple = "riscv64-unknown-linux"' + _function("  ret void"),
        "the text is for target triple",
    ),
    "broken data layout": ('target datalayout = "e-x"' + _function("  ret void"), "LLVM: |the text is for"),
    "64 MiB alloca": (_function("  %p = alloca [67108864 x i8]\n  ret void"), "takes 67108864 bytes of stack"),
    "many small allocas": (
        _function("\n".join(f"  %p{i} = alloca [4096 x i32]" for i in range(8)) + "\n  ret void"),
        "takes 131072 bytes of stack",
    ),
    "alloca of many elements": (
        _function("  %p = alloca double, i64 100000\n  ret void"),
        "takes 800000 bytes of stack",
    ),
    "huge alignment": (_function("  %p = alloca i8, align 1073741824\n  ret void"), "alignment 1073741824 is over"),
    "alloca of run-time size": (_function("  %p = alloca i8, i64 %n\n  ret void", arguments="i64 %n"), "run-time size"),
    "alloca in a loop": (_function("  br label %l\nl:\n  %p = alloca i8\n  br label %l"), "outside the entry block"),
    "small alloca": (_function("  %p = alloca [64 x <16 x float>], align 64\n  ret void"), OK),
    "array loaded as a value": (
        _function(
            "  %v = load [65536 x i32], ptr %p\n  store [65536 x i32] %v, ptr %p\n  ret void", arguments="ptr %p"
        ),
        "an array value of 65536 elements",
    ),
    "array beyond the address space": (
        _function(
            "  %v = getelementptr [1099511627776 x [1099511627776 x i8]], ptr %p, i64 1\n  ret void", arguments="ptr %p"
        ),
        "an array type of",
    ),
    "array length of 30 digits": (_function(f"  ret void\n; x\n  %a = alloca [{'9' * 30} x i8]"), "an array of 9999"),
    "addressing a large array": (
        _function("  %v = getelementptr [65536 x i32], ptr %p, i64 1, i64 2\n  ret ptr %v", "ptr", "ptr %p"),
        OK,
    ),
    "1 GiB global": (
        _function("  ret void", before="@g = internal global [1073741824 x i8] zeroinitializer"),
        "globals take",
    ),
    "pointer difference in a global": (
        _function(
            "  ret void",
            before="@a = global i32 0\n"
            "@b = global i64 sub (i64 ptrtoint (ptr @a to i64), i64 ptrtoint (ptr @b to i64))",
        ),
        "arithmetic in the initial value",
    ),
    "constructor": (
        _function(
            "  ret void",
            before="@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] "
            "[{ i32, ptr, ptr } { i32 1, ptr @f, ptr null }]",
        ),
        "'appending'",
    ),
    "constructor in plain linkage": (
        _function("  ret void", before="@llvm.global_ctors = global i32 1"),
        "@llvm.global_ctors has a meaning|LLVM: ",
    ),
    "constructor by section": (
        _function("  ret void", before='@g = global ptr @f, section ".init_array"'),
        "string|section",
    ),
    "ifunc": ("@g = ifunc void (), ptr @f\n" + _function("  ret void"), "'ifunc'"),
    "alias": ("@g = alias void (), ptr @f\n" + _function("  ret void"), "'alias'"),
    "thread-local": ("@g = thread_local global i32 0\n" + _function("  ret void"), "'thread_local'"),
    "weak definition": (_function("  ret void").replace("define", "define weak"), "'weak'"),
    "indirect branch": (_function("a:\n  indirectbr ptr %p, [label %a]", arguments="ptr %p"), "'indirectbr'"),
    "must-tail call": (
        _function("  musttail call void @f(i32 %x)\n  ret void", arguments="i32 %x, i32 %y"),
        "'musttail'",
    ),
    "variable arguments": (_function("  %r = va_arg ptr %p, i32\n  ret void", arguments="ptr %p"), "'va_arg'"),
    "invoke": (_function("  invoke void @f() to label %a unwind label %a\na:\n  ret void"), "'invoke'|'unwind'"),
    "garbage collector": (_function("  ret void").replace("() {", '() gc "statepoint" {'), "'gc'|string"),
    "calling convention": (_function("  ret void").replace("void @f", "ghccc void @f"), "'ghccc'"),
    "address space": (_function("  %r = load i32, ptr addrspace(256) null\n  ret void"), "'addrspace'"),
    "named type": ("%t = type { %t2 }\n%t2 = type { i32 }\n" + _function("  ret void"), "'type'"),
    "debug metadata": (
        _function("  ret void") + "!llvm.dbg.cu = !{!0}\n!0 = !DICompileUnit()",
        "!llvm.dbg.cu|!DICompile",
    ),
    "loop metadata": (
        _loop(", !llvm.loop !0", '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.vectorize.width", i32 8}'),
        OK,
    ),
    "loop metadata without value": (
        _loop(", !llvm.loop !0", '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.unroll.count"}'),
        "metadata",
    ),
    "loop metadata of a million": (
        _loop(", !llvm.loop !0", '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.unroll.count", i32 1000000}'),
        "metadata",
    ),
    "vectorise by 65536": (
        _loop(", !llvm.loop !0", '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.vectorize.width", i32 65536}'),
        "metadata",
    ),
    "loop metadata that is no loop": (_loop(", !llvm.loop !0", "!0 = !{i32 1}"), "the form that !llvm.loop needs"),
    "parallel loop": (
        _loop(
            ", !llvm.loop !0", '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.parallel_accesses", !2}\n!2 = distinct !{}'
        )
        .replace("ptr %p, i64 %i", "ptr %p, i64 %i, !llvm.access.group !2")
        .replace("= load float, ptr %a", "= load float, ptr %a, !llvm.access.group !2"),
        OK,
    ),
    "access group with content": (
        _loop("", "!2 = !{i32 1}").replace("load float, ptr %a", "load float, ptr %a, !llvm.access.group !2"),
        "the form that !llvm.access.group needs",
    ),
    "parallel accesses without a group": (
        _loop(", !llvm.loop !0", '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.parallel_accesses", !0}'),
        "this metadata is not",
    ),
    "loop metadata of an empty node": (_loop(", !llvm.loop !0", "!0 = distinct !{}"), "the form that !llvm.loop needs"),
    "metadata written in place": (_loop(", !llvm.loop !{i32 1}", ""), "numbered nodes"),
    "scope list without scopes": (
        _loop("", "!0 = !{i32 1}").replace("float, ptr %a", "float, ptr %a, !noalias !0"),
        "the form that !noalias needs",
    ),
    "nontemporal without number": (
        _function("  store i32 0, ptr %p, !nontemporal !0\n  ret void", arguments="ptr %p") + "!0 = !{}",
        "the form that !nontemporal needs",
    ),
    "atomic of 128 bits": (
        _function("  %r = load atomic i128, ptr %p seq_cst, align 16\n  ret void", arguments="ptr %p"),
        "atomic",
    ),
    "atomic vector": (
        _function("  %r = atomicrmw fadd ptr %p, <2 x half> %x seq_cst\n  ret void", arguments="ptr %p, <2 x half> %x"),
        "atomic|LLVM",
    ),
    "atomic counter": (_function("  %r = atomicrmw add ptr %p, i64 1 seq_cst\n  ret i64 %r", "i64", "ptr %p"), OK),
    "type nested 20000 deep": (
        _function("  ret void", arguments="[1 x " * 20000 + "i8" + "]" * 20000),
        "nested deeper",
    ),
    "shuffled bfloat vector": (
        _function(
            "  %r = shufflevector <4 x bfloat> %x, <4 x bfloat> %x, <2 x i32> <i32 1, i32 0>\n  ret <2 x bfloat> %r",
            "<2 x bfloat>",
            "<4 x bfloat> %x",
        ),
        "copies of its first lane",
    ),
    "function of 4001 blocks": (
        _function("\n".join(f"  br label %l{i}\nl{i}:" for i in range(4001)) + "\n  ret void"),
        "4002 blocks, the limit is 4000; split the function",
    ),
    "block of 10001 instructions": (_function("  fence seq_cst\n" * 10000 + "  ret void"), "a block of 10001"),
    "function of 100001 instructions": (_function("  fence seq_cst\n" * 100001 + "  ret void"), "100002 instructions"),
    "block of 4000 instructions": (_function(LONG_BLOCK + "\n  ret i32 %x4000", "i32", "i32 %x0"), OK),
    "NUL character": (_function("  ret void") + "\0garbage", r"'\\x00' is not printable"),
    "name that is not ASCII": ('define void @"größe"() {\n  ret void\n}', "is not printable ASCII"),
    "name that needs quotes": ('define void @"a b"() {\n  ret void\n}', "string"),
    "name with a symbol version": ('define void @"f@@V1"() {\n  ret void\n}', "string"),
    "export that is missing": ("define void @other() {\n  ret void\n}", "defines no 'f' to export"),
    "export that is internal": (_function("  ret void").replace("define", "define internal"), "defines no 'f'"),
    "empty text": ("", "defines no 'f' to export"),
}


def _outcome(text: str) -> str | None:
    try:
        jit.compile_text(text, ["f"])
    except CodegenError as error:
        return str(error)
    return None


# ------------------------------------------------------------------------------------------- the child processes' side

SEEDS = [
    _loop(", !llvm.loop !0", '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.vectorize.width", i32 8}'),
    _loop(
        ", !llvm.loop !0",
        '!0 = distinct !{!0, !1, !3}\n!1 = !{!"llvm.loop.parallel_accesses", !2}\n!2 = distinct !{}\n'
        '!3 = !{!"llvm.loop.vectorize.enable", i1 true}\n!4 = distinct !{!4}\n!5 = distinct !{!5, !4}\n!6 = !{!5}',
    )
    .replace("load float, ptr %a", "load float, ptr %a, !llvm.access.group !2, !alias.scope !6, !invariant.load !2")
    .replace("store float %w, ptr %a", "store float %w, ptr %a, !llvm.access.group !2, !noalias !6"),
    _calls("llvm.fma.v16f32", "<16 x float>", "<16 x float>, <16 x float>, <16 x float>"),
    _calls("llvm.masked.load.v8f64.p0", "<8 x double>", "ptr, <8 x i1>, <8 x double>"),
    _calls("llvm.vector.reduce.fadd.v4f32", "float", "float, <4 x float>"),
    _calls("llvm.umul.with.overflow.i64", "{ i64, i1 }", "i64, i64"),
    _function(
        "entry:\n  %m = alloca { i64, [4 x float] }, align 64\n  %q = call ptr @malloc(i64 64)\n"
        "  %c = icmp eq ptr %q, null\n  br i1 %c, label %no, label %yes\nno:\n  ret i32 1\nyes:\n"
        "  %e = getelementptr inbounds { i64, [4 x float] }, ptr %m, i64 0, i32 1, i64 %i\n"
        "  store float 0x3FF0000000000000, ptr %e, align 4, !nontemporal !0\n  %v = load float, ptr %e\n"
        "  %w = fptosi float %v to i32\n  call void @free(ptr %q)\n"
        "  switch i32 %w, label %no [ i32 1, label %b\n    i32 2, label %no ]\nb:\n  ret i32 %w",
        "i32",
        "i64 %i",
        "declare ptr @malloc(i64)\ndeclare void @free(ptr)\n!0 = !{i32 1}\n"
        '@text = private constant [6 x i8] c"hello\\00"\n@pointer = internal global ptr @text',
    ),
    _function(
        "  %a = shufflevector <4 x i32> %x, <4 x i32> %x, <8 x i32> "
        "<i32 0, i32 1, i32 2, i32 3, i32 0, i32 1, i32 2, i32 3>\n"
        "  %b = insertelement <8 x i32> %a, i32 7, i64 %i\n  %c = icmp sgt <8 x i32> %b, %a\n"
        "  %d = select <8 x i1> %c, <8 x i32> %b, <8 x i32> %a\n  %e = sitofp <8 x i32> %d to <8 x half>\n"
        "  %g = bitcast <8 x i1> %c to i8\n  store <8 x half> %e, ptr %p, align 2\n  ret i8 %g",
        "i8",
        "<4 x i32> %x, i64 %i, ptr noalias %p",
    ),
]
#: Tokens that may stand in for one another: most mutants stay close enough to pass the parser.
CLASSES = [
    "i1 i8 i16 i32 i64 i128 half float double ptr".split(),
    "add sub mul udiv sdiv urem srem shl lshr ashr and or xor fadd fsub fmul fdiv".split(),
    "sitofp uitofp fptosi fptoui trunc zext sext fptrunc fpext bitcast ptrtoint inttoptr freeze".split(),
    "eq ne ugt sgt slt sle oeq ult une ord".split(),
    "0 1 2 3 4 7 8 16 17 31 32 63 64 65 255 -1 1.0 null undef poison zeroinitializer true".split(),
    "nuw nsw exact fast contract reassoc nnan inbounds noalias volatile tail distinct align".split(),
    "%x %i %a %b %c %d %e %m %q %v %w %n %p %a0 %a1 %a2 @f @text @pointer".split(),
    "!0 !1 !2 !3 !4 !5 !6".split(),
    sorted(gate._WORDS),
    [*"()[]{}<>,=*!:", "<3 x i1>", "[9 x i8]", "9223372036854775808", "0x7FF0000000000000", "0xH7C00", "align 8"],
]


def mutated(number: int) -> str:
    """A seed text with one to four tokens or lines replaced, dropped, doubled or swapped."""
    chance = random.Random(number)
    text = chance.choice(SEEDS)
    if chance.random() < 0.6:  # one word becomes another everywhere, so that types still agree
        alike = chance.choice(CLASSES[:6])
        present = [word for word in alike if re.search(rf"\b{word}\b", text)] or ["i32"]
        text = re.sub(rf"\b{chance.choice(present)}\b", chance.choice(alike), text)
    tokens = re.findall(r"[%@!#]?[-\w$.]+:?|\s+|.", text)
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        place = chance.choice([place for place, token in enumerate(tokens) if not token.isspace()])
        alike = [others for others in CLASSES if tokens[place] in others]
        kind = chance.randrange(10)
        if alike and kind < 7:
            tokens[place] = chance.choice(alike[0])
        elif kind < 7:
            tokens[place] = re.sub(r"\d+", lambda _: chance.choice(CLASSES[4]), tokens[place])
        elif kind == 7:
            tokens[place] = chance.choice(chance.choice(CLASSES))
        elif kind == 8:
            del tokens[place]
        else:
            tokens[place:place] = [chance.choice(chance.choice(SEEDS).splitlines(keepends=True))]
    return "".join(tokens)


def _child(first: int, last: int) -> None:
    """Prints one JSON line per text before and after it is compiled, so that the last line names a killer."""
    cases = TABLE if first == last else {str(number): (mutated(number), None) for number in range(first, last)}
    for name, (text, _) in cases.items():
        print(json.dumps([name]), flush=True)
        print(json.dumps([name, _outcome(text)]), flush=True)
    print(json.dumps(["alive", _outcome(SEEDS[0])]), flush=True)


def _run_child(first: int, last: int) -> dict[str, str | None]:
    """The outcomes by name; a name without one is what killed the child."""
    command = [sys.executable, str(Path(__file__).resolve()), str(first), str(last)]
    environment = {**os.environ, "PYTHONPATH": str(Path(jit.__file__).parents[2])}
    child = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    lines = [json.loads(line) for line in child.stdout.splitlines()]
    outcomes = {line[0]: line[1] for line in lines if len(line) == 2}
    assert lines and outcomes.get("alive", "dead") is None, f"died at {lines[-1:]}: {child.stderr[-2000:]}"
    return outcomes


# --------------------------------------------------------------------------------------------------------------- tests


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str | None]:
    return _run_child(0, 0)


@pytest.mark.parametrize("name", TABLE)
def test_hurtful_text_is_refused_with_words(name: str, outcomes: dict[str, str | None]) -> None:
    expected, outcome = TABLE[name][1], outcomes[name]
    assert expected is None if outcome is None else expected is not None and re.search(expected, outcome), outcome


def test_mutated_text_never_ends_the_process() -> None:
    outcomes = _run_child(0, 300)
    accepted = sum(outcome is None for outcome in outcomes.values())
    assert len(outcomes) == 301
    assert accepted > 15, "the mutations are too wild to get past the gate"


def test_error_points_into_the_text() -> None:
    with pytest.raises(CodegenError) as caught:
        gate.check_source("define void @f() {\n  ret void\n}\n\ndefine void @g() {\n  indirectbr ptr null, []\n}\n")
    location = caught.value.location
    assert location is not None and str(location) == "<llvm-ir>:6:3"
    assert caught.value.notes[0][0] == "in the line: indirectbr ptr null, []"


def test_misspelt_word_gets_the_nearest_one() -> None:
    with pytest.raises(CodegenError, match="did you mean 'getelementptr'"):
        gate.check_source("define void @f() {\n  %a = getelemntptr i8, ptr null, i64 0\n  ret void\n}\n")


def test_comment_and_string_contents_are_not_read_as_code() -> None:
    gate.check_source(
        '; module asm "x"\n@m = private constant [9 x i8] c"asm [9 x;\\00" ; <99999 x i8>\n'
        'define void @"plain.name"() #0 {\n  ret void\n}\nattributes #0 = { nounwind "prefer-vector-width"="512" }\n'
    )


def test_comment_does_not_hide_the_end_of_a_string() -> None:
    with pytest.raises(CodegenError, match="'ifunc'"):
        gate.check_source('@m = private constant [1 x i8] c";" ifunc\n')


def test_unfinished_string_is_refused() -> None:
    with pytest.raises(CodegenError, match="no meaning|not in the LLVM IR"):
        gate.check_source('define void @"f() {\n  ret void\n}\n')


def test_every_extern_kind_is_listed_and_no_libm_name_is_an_extern() -> None:
    assert {extern.kind for extern in EXTERNS} == set(EXTERN_KINDS)
    assert not {extern.name for extern in EXTERNS} & gate._LIBM


def test_declared_extern_types_parse_as_llvm_prints_them() -> None:
    lines = []
    for extern in EXTERNS:
        result, arguments = extern.llvm_type_text.split(" (", 1)
        lines.append(f"declare {result} @{extern.name}({arguments}")
    jit.check_text("\n".join(lines), EXTERN_KINDS)


if __name__ == "__main__":
    _child(int(sys.argv[1]), int(sys.argv[2]))
