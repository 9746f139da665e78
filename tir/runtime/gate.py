"""Which LLVM IR may reach LLVM.

LLVM ends the process on many inputs: an assertion in its parser, "Cannot select" in its back end, a list of compiler
crashes on odd types, an endless compile of one wide vector. None of that can be caught. So the gate accepts a small
language inside LLVM IR, the one that our lowering writes, in three steps around LLVM's own:

    check_source        the text, before LLVM's parser sees it: size, nesting, words, types, strings
    (LLVM parses and verifies, and prints the module in its own fixed layout)
    check_module        one instruction a line: stack, aggregates, atomics, metadata
    check_declarations  every function that is only declared: a known intrinsic, or an extern that was granted
    (LLVM optimises and emits an object)
    check_object        the symbols that the object wants, those included that the back end invented

All is tables and text; this file does not know llvmlite. A refusal is a `CodegenError` that points into the IR text.
What the gate promises is that compiling is safe. Running the result is as safe as the code that was written: a wrong
pointer in it is a wrong pointer.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from tir.ir.errors import FileLocation, TirError, nearest
from tir.ir.externs import EXTERN_BY_NAME
from tir.runtime.elf import ElfError, ElfObject, read_elf

__all__ = [
    "CodegenError",
    "IR_FILE",
    "TooLargeError",
    "check_declarations",
    "check_module",
    "check_object",
    "check_source",
]

#: File names in the location of an error: a position in the given text, or in the text that LLVM printed for it.
IR_FILE, PRINTED_FILE = "<llvm-ir>", "<printed-llvm-ir>"

MAX_TEXT_BYTES = 32 << 20
MAX_NESTING = 64
MAX_INSTRUCTIONS, MAX_BLOCKS = 100_000, 4_000  # per function
MAX_BLOCK_INSTRUCTIONS = 10_000  # instruction selection takes time with their square
MAX_LANES, MAX_VECTOR_BYTES = 64, 512
MAX_STACK_BYTES = 64 << 10  # per function
MAX_GLOBAL_BYTES = 256 << 20  # per module
MAX_VALUE_ELEMENTS = 64  # of an array that is loaded, stored, passed or returned as one value
MAX_TYPE_ELEMENTS = 1 << 40  # of an array type that is only addressed
MAX_ALIGNMENT = 4096
MAX_LOOP_COUNT = 64  # vectorise width, interleave and unroll count


class CodegenError(TirError):
    """LLVM IR that the gate refuses, or that LLVM cannot compile or link."""


class TooLargeError(CodegenError):
    """A function of more code than LLVM compiles in reasonable time.

    function: its name; size: what it has too much of, in words that need no LLVM.
    """

    function = ""
    size = ""


# ---------------------------------------------------------------------------------------------------- the vocabulary

#: Bytes of the types that a vector may hold. These and `i128` and `void` are all scalar types there are.
_ELEMENT_BYTES = {
    **{"i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "ptr": 8},
    **{"half": 2, "bfloat": 2, "float": 4, "double": 8},
}

#: Every bare word that may stand in the text. What is missing is missing on purpose: `asm`, `indirectbr`, `callbr`,
#: `invoke` and the rest of exceptions, `va_arg`, `musttail`, `frem` (a libm call), `type` (named types), `ifunc`,
#: `alias`, `comdat`, `section`, `thread_local`, `addrspace`, `vscale`, `metadata`, `token`, `blockaddress`, `gc`,
#: every calling convention but two, every linkage but three, and the struct-passing attributes (`byval`, `sret`).
_WORDS = frozenset(
    """
    define declare source_filename target triple datalayout attributes global constant
    private internal dso_local dso_preemptable local_unnamed_addr unnamed_addr ccc fastcc
    void i128 x to true false null undef poison none zeroinitializer splat c distinct ...
    ret br switch unreachable label
    add sub mul udiv sdiv urem srem shl lshr ashr and or xor fadd fsub fmul fdiv fneg
    extractelement insertelement shufflevector extractvalue insertvalue
    alloca load store getelementptr fence cmpxchg atomicrmw atomic volatile
    trunc zext sext fptrunc fpext fptoui fptosi uitofp sitofp ptrtoint inttoptr bitcast
    icmp fcmp phi select freeze call tail notail
    eq ne ugt uge ult ule sgt sge slt sle oeq ogt oge olt ole one ord ueq une uno
    nuw nsw nusw exact disjoint nneg samesign inbounds fast nnan ninf nsz arcp contract afn reassoc
    xchg max min umax umin unordered monotonic acquire release acq_rel seq_cst
    align noalias nocapture captures readonly writeonly readnone nonnull noundef dereferenceable returned
    zeroext signext immarg writable range
    nounwind willreturn norecurse nofree nosync nocallback nocreateundeforpoison mustprogress speculatable memory
    alwaysinline noinline optnone inlinehint cold hot noreturn nobuiltin builtin read write readwrite
    argmem inaccessiblemem errnomem target_mem0 target_mem1 address provenance read_provenance ret_address
    """.split()
) | set(_ELEMENT_BYTES)

_HINTS = {
    "frem": "it would be a call of the C math library; write it with llvm.trunc and llvm.fma",
    "type": "write struct types out where they are used",
}

#: String attributes of functions and the values they may have.
_STRING_ATTRIBUTES = {
    "prefer-vector-width": re.compile("128|256|512"),
    "no-trapping-math": re.compile("true|false"),
    "frame-pointer": re.compile("all|none|non-leaf"),
    "no-builtins": re.compile(""),
}

_FORBIDDEN_CHARACTER = re.compile(r"[^\t\n\r -~]")
_STRING_OR_COMMENT = re.compile(
    r";[^\n]*"
    r"|(?P<target>\b(?:source_filename|target\s+triple|target\s+datalayout)\s*=\s*)?(?P<prefix>[@%!]|\bc)?"
    r'"(?P<text>[^"\n]*)"(?:\s*=\s*"(?P<value>[^"\n]*)")?'
)
_LINE_WITH_EITHER = re.compile(r"^[^\";\n]*[\";].*$", re.M)  # few lines: most of the text is not searched for strings
_STRAY_CHARACTER = re.compile(r"[^-\w$.+\s%@#!,=*()\[\]{}<>:\"]")
_TOKEN = re.compile(r"[%@#!]?[-\w$.+]+:?")
_NUMBER = re.compile(
    r"-?\d{1,40}|-?\d{1,400}\.\d{0,400}(?:[eE][-+]?\d{1,3})?|0x(?:[0-9a-fA-F]{1,16}|[HR][0-9a-fA-F]{4})"
)
_NAME = re.compile(r"[%@][-\w$.]{1,4096}|#\d{1,6}|!\d{1,9}|[-\w$.]{1,4096}:")
_QUOTED_NAME = re.compile(r"[-a-zA-Z$._][-\w$.]{,4095}")  # so LLVM prints it without the quotes
_BRACKET = re.compile(r"[][(){}<>]")
_DEPTH = {**dict.fromkeys("[({<", 1), **dict.fromkeys("])}>", -1)}
_VECTOR = re.compile(r"<\s*(\d+)\s+x\s+([\w.]+)")
_ARRAY = re.compile(r"\[\s*(\d+)\s+x\s")
_ALIGNMENT = re.compile(r"align\s*\(?\s*(\d+)")


def check_source(text: str) -> None:
    """Refuses text outside the gate's language, before LLVM's parser sees it. About 0.1 ms per 100 lines."""
    if len(text) > MAX_TEXT_BYTES:
        raise CodegenError(f"LLVM IR of {len(text)} bytes is over the limit of {MAX_TEXT_BYTES}")
    if bad := _FORBIDDEN_CHARACTER.search(text):
        raise _source_error(text, bad.start(), f"character {bad.group()!r} is not printable ASCII")
    # Strings and comments hold no newline, so line numbers stay those of the original text.
    bare = _LINE_WITH_EITHER.sub(lambda line: _bare(text, line), text)
    if bad := _STRAY_CHARACTER.search(bare):
        raise _source_error(bare, bad.start(), f"character {bad.group()!r} has no meaning outside a string")
    depths = accumulate(map(_DEPTH.__getitem__, _BRACKET.findall(bare)))
    if max(depths, default=0) > MAX_NESTING:
        raise CodegenError(f"brackets are nested deeper than {MAX_NESTING}")
    words = set(_TOKEN.findall(bare))
    for token in words:
        if not (token in _WORDS or _NAME.fullmatch(token) or _NUMBER.fullmatch(token) or token in _METADATA_WORDS):
            what = f"'{token[:60]}' is not in the LLVM IR that the gate accepts"
            raise _source_error(bare, bare.index(token), what, _HINTS.get(token) or nearest(token[:60], _WORDS))
    if "half" in words and "bfloat" in words:
        # LLVM crashes on a place in memory that is read as both, and it sees more such places than there are.
        raise CodegenError("half and bfloat in one module are not supported", hint="convert in two modules")
    _check_sizes(bare)
    _check_metadata(bare)


def _bare(text: str, line: re.Match[str]) -> str:
    """The line with what stands for its strings and comments."""
    return _STRING_OR_COMMENT.sub(lambda match: _check_string(text, match, line.start()), line.group())


def _check_string(text: str, match: re.Match[str], line_start: int) -> str:
    """What stands for a string or comment in the bare text: an empty string of its kind."""
    content, prefix, value = match["text"], match["prefix"], match["value"]
    if content is None:
        return ""
    if match["target"]:
        return f'{match["target"]}""' if value is None and not prefix else "?"
    if prefix in ("@", "%") and _QUOTED_NAME.fullmatch(content):
        return f"{prefix}_" + ('=""' if value is not None else "")
    if prefix == "c" and value is None:
        return 'c""'
    if prefix == "!" and value is None and content in _LOOP_OPTIONS:
        return f"!{content}"
    allowed = _STRING_ATTRIBUTES.get(content)
    if not prefix and allowed and allowed.fullmatch(value or ""):
        return '""'
    what = f'the string "{content[:60]}" is not in the LLVM IR that the gate accepts'
    raise _source_error(text, line_start + match.start("text"), what)


def _check_sizes(bare: str) -> None:
    for match in _VECTOR.finditer(bare):
        lanes, element = int(match[1][:20]), match[2]
        if element not in _ELEMENT_BYTES:
            raise _source_error(bare, match.start(), f"a vector of {element} is not supported")
        if not 1 <= lanes <= MAX_LANES or lanes * _ELEMENT_BYTES[element] > MAX_VECTOR_BYTES:
            limit = f"at most {MAX_LANES} lanes and {MAX_VECTOR_BYTES} bytes are supported"
            raise _source_error(bare, match.start(), f"<{lanes} x {element}> is too wide: {limit}")
        if element == "bfloat" and lanes & (lanes - 1):
            raise _source_error(bare, match.start(), f"<{lanes} x bfloat> is not supported, only powers of two are")
        if element == "i1" and lanes == 1:
            raise _source_error(bare, match.start(), "<1 x i1> is not supported", hint="use i1")
    for match in _ARRAY.finditer(bare):
        if len(match[1]) > 13 or int(match[1]) > MAX_TYPE_ELEMENTS:
            what = f"an array of {match[1][:20]} elements is over {MAX_TYPE_ELEMENTS}"
            raise _source_error(bare, match.start(), what)
    for match in _ALIGNMENT.finditer(bare):
        if len(match[1]) > 4 or int(match[1]) > MAX_ALIGNMENT:
            raise _source_error(bare, match.start(), f"alignment {match[1][:20]} is over {MAX_ALIGNMENT}")


# ---------------------------------------------------------------------------------------------------- the metadata

# LLVM takes metadata for what it should be and asserts that it is, some of it while parsing.

#: Options of a loop: what follows the name in its node. The last one names access groups.
_LOOP_OPTIONS = {
    f"llvm.loop.{name}": re.compile(value)
    for value, names in {
        "": "mustprogress unroll.disable unroll.runtime.disable disable_nonforced",
        r", i32 (?P<count>\d{1,2})": "unroll.count vectorize.width interleave.count isvectorized",
        ", i1 (?:true|false)": "vectorize.enable vectorize.predicate.enable distribute.enable",
        r"(?:, !\d+)+": "parallel_accesses",
    }.items()
    for name in names.split()
}

#: What may be attached to an instruction: the shape of its node, and of the nodes which that one refers to.
_ATTACHMENTS = {
    "llvm.loop": ("itself", "option"),
    "llvm.access.group": ("group list", "group"),
    "alias.scope": ("list", "itself"),
    "noalias": ("list", "itself"),
    "nontemporal": ("one", ""),
    "range": ("numbers one", ""),
    **dict.fromkeys(("invariant.load", "noundef", "nonnull", "unpredictable"), ("empty group", "")),
}
_METADATA_WORDS = {f"!{name}" for name in (*_LOOP_OPTIONS, *_ATTACHMENTS)}
_NODE = re.compile(r"^!(\d+) = ((?:distinct )?!\{.*\})[ \r]*$", re.M)
_ATTACHMENT = re.compile(rf", !({'|'.join(map(re.escape, _ATTACHMENTS))}) !(\d+)")
_OPTION = re.compile(r"!\{!(llvm\.loop\.[\w.]+)(.*)\}")
_REFERENCE = re.compile(r"!(\d+)")
_SHAPES = {
    "group": re.compile(r"distinct !\{\}"),
    "empty": re.compile(r"!\{\}"),
    "one": re.compile(r"!\{i32 1\}"),
    "numbers": re.compile(r"!\{i\d+ -?\d+(?:, i\d+ -?\d+)*\}"),
    "list": re.compile(r"!\{!\d+(?:, !\d+)*\}"),
}


def _check_metadata(bare: str) -> None:
    """Refuses metadata of another form than LLVM's passes take for granted; one node a line, as LLVM prints it."""
    nodes = {match[1]: match[2] for match in _NODE.finditer(bare)}
    shapes = {number: _shape(number, node) for number, node in nodes.items()}
    for match in _NODE.finditer(bare):
        shape, references = shapes[match[1]], _REFERENCE.findall(match[2])
        if not shape or shape == "option" and any(shapes.get(number) != "group" for number in references):
            raise _source_error(bare, match.start(), "this metadata is not in the LLVM IR that the gate accepts")
    for match in _ATTACHMENT.finditer(bare):
        kind, number = match[1], match[2]
        shape, inner = _ATTACHMENTS[kind]
        references = [reference for reference in _REFERENCE.findall(nodes.get(number, "")) if reference != number]
        if shapes.get(number) not in shape.split() or any(shapes.get(reference) != inner for reference in references):
            raise _source_error(bare, match.start(), f"!{number} does not have the form that !{kind} needs")
    # Blanks keep every position what it was.
    rest = _ATTACHMENT.sub(_blanks, _NODE.sub(_blanks, bare))
    if "!" in rest:
        raise _source_error(bare, rest.index("!"), "metadata is accepted as numbered nodes, attached to instructions")


def _blanks(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _shape(number: str, node: str) -> str:
    """A key of `_SHAPES`, or "option", or "itself" for a distinct node that starts with a reference to itself."""
    if option := _OPTION.fullmatch(node):
        value = _LOOP_OPTIONS[option[1]].fullmatch(option[2])
        return "option" if value and int(value.groupdict().get("count") or 0) <= MAX_LOOP_COUNT else ""
    if node.startswith((f"distinct !{{!{number},", f"distinct !{{!{number}}}")):
        return "itself"
    return next((name for name, shape in _SHAPES.items() if shape.fullmatch(node)), "")


# ------------------------------------------------------------------------------------------------- the parsed module

_QUOTED = re.compile(r'"[^"\n]*"')
_FUNCTION = re.compile(r"^define [^\n]*?(@[-\w$.]+)\(.*?^}$", re.M | re.S)
_CALL = re.compile(r"^  (?:\S+ = )?(?:tail |notail )?call (?P<result>[^@\n]*)@(?P<name>[-\w$.]+)\((?P<rest>.*)$", re.M)
_TERMINATOR = re.compile(r"^  (?:ret|br|switch|unreachable)\b", re.M)
_ALLOCA = re.compile(r"^  \S+ = alloca (.*)$", re.M)
_ALLOCA_COUNT = re.compile(r", i\d+ ([^\s,]+)")
_SCALAR = re.compile(r"(?<![\w.$%@-])(?:i\d+|ptr|half|bfloat|float|double)\b")
_COUNT = re.compile(r"[<\[](\d+) x ")
_ARRAY_LINE = re.compile(r"^(?:  |define|declare).*\[\d+ x .*$", re.M)
_ADDRESSED_TYPE = re.compile(r"getelementptr [a-z ]*\(?(?:\[\d+ x )+")
_DECLARATION = re.compile(r"^declare [^@\n]*@(?P<name>[-\w$.]+)", re.M)
_GLOBAL_NAME = re.compile(r"@([-\w$.]+)")
_LABEL = re.compile(r"^[-\w$.]+:", re.M)
_REFUSED_LINES = (
    (
        re.compile(r"^  \S+ = [us](?:div|rem) (?:exact )?i128 ", re.M),
        "128-bit division has no machine code and no run-time function",
        None,
    ),
    (
        re.compile(r"^  (?:\S+ = load|store) (?:volatile )?<\d+ x i1>", re.M),
        "a vector of i1 cannot be loaded or stored",
        "a truth value in memory is an i8",
    ),
    (
        re.compile(r"^  \S+ = shufflevector <\d+ x bfloat> .*, <\d+ x i32> (?!zeroinitializer)", re.M),
        "a vector of bfloat can only be shuffled to copies of its first lane",
        "bitcast it to i16",
    ),
    (
        re.compile(
            r"^  (?:\S+ = )?(?:(?:load|store) atomic|cmpxchg|atomicrmw) "
            r".*(?:(?<![\w.$%@-])(?:i1|i128|half|bfloat)\b|[<\[{])",
            re.M,
        ),
        "atomic access is for i8 to i64, float, double and ptr only",
        None,
    ),
)
_GLOBAL = re.compile(r"^@(?P<name>\S+) = .*?\b(?:global|constant) (?P<rest>.*)$", re.M)
_GLOBAL_ARITHMETIC = re.compile(r"(?<![\w.$%@-])(?:add|sub|xor|ptrtoint|inttoptr|trunc|bitcast)(?: nuw| nsw)* \(")


def check_module(printed: str, signatures: Mapping[str, str]) -> int:
    """Refuses a verified module by its printed form, which has one instruction a line and one layout.

    signatures: the type of every function by its name, as LLVM prints it.
    Gives the number of blocks in the largest function, on which LLVM's compile time depends with the square.
    """
    printed = _QUOTED.sub('""', printed)
    for pattern, what, hint in _REFUSED_LINES:
        if bad := pattern.search(printed):
            raise _module_error(printed, bad.start(), what, hint)
    for match in _ARRAY_LINE.finditer(printed):
        _check_array_line(printed, match)
    blocks = max((_check_function(printed, match) for match in _FUNCTION.finditer(printed)), default=0)
    _check_globals(printed)
    _check_calls(printed, signatures)
    return blocks


def _check_calls(printed: str, signatures: Mapping[str, str]) -> None:
    """Every call of a function by its name has that function's type, and externs are used in no other way.

    LLVM assumes so of `malloc` and its like without looking: `call ptr @malloc()` ends the process.
    """
    direct_calls: Counter[str] = Counter()
    for match in _CALL.finditer(printed):
        name, result = match["name"], match["result"].rstrip()
        expected = signatures[name]
        types = [_leading_type(argument)[0] for argument in _arguments(match["rest"])]
        # A function with variable arguments is called with its whole type written out.
        written = result if result.endswith(")") else f"{result} ({', '.join(types)})"
        if written != expected and not written.endswith(f" {expected}"):
            raise _module_error(printed, match.start(), f"@{name} has type '{expected}' and is called as '{written}'")
        direct_calls[name] += 1
    uses = Counter(_GLOBAL_NAME.findall(printed))
    for match in _DECLARATION.finditer(printed):
        if uses[match["name"]] != 1 + direct_calls[match["name"]]:
            raise _module_error(printed, match.start(), f"@{match['name']} is used as a value, it may only be called")


def _arguments(text: str) -> Iterator[str]:
    """The arguments of a call, from the text after the opening bracket."""
    depth, start = 0, 0
    for position, character in enumerate(text):
        if depth == 0 and character in ",)":
            yield text[start:position].lstrip()
            start = position + 1
            if character == ")":
                return
        depth += _DEPTH.get(character, 0)


def _check_array_line(printed: str, match: re.Match[str]) -> None:
    line = match.group()
    elements = _product(_COUNT.findall(line))
    if elements > MAX_TYPE_ELEMENTS:
        raise _module_error(printed, match.start(), f"an array type of {elements} elements is over {MAX_TYPE_ELEMENTS}")
    if _ALLOCA.match(line):
        return
    # An array that is only addressed costs nothing; one that is a value becomes an instruction per element.
    elements = _product(_COUNT.findall(_ADDRESSED_TYPE.sub("", line)))
    if elements > MAX_VALUE_ELEMENTS:
        what = f"an array value of {elements} elements is over {MAX_VALUE_ELEMENTS}"
        raise _module_error(printed, match.start(), what, hint="keep it in memory")


def _check_function(printed: str, match: re.Match[str]) -> int:
    """The number of the function's blocks; an entry with a label counts twice."""
    name, body = match[1], match.group()
    # Every instruction starts a line with two spaces; so does each case of a switch, which is welcome to count.
    instructions = body.count("\n  ")
    if instructions > MAX_INSTRUCTIONS:
        what = f"{name} has {instructions} instructions, the limit is {MAX_INSTRUCTIONS}"
        raise _too_large(printed, match, what, f"{instructions} instructions, the limit is {MAX_INSTRUCTIONS}")
    blocks = _LABEL.split(body)
    if len(blocks) > MAX_BLOCKS:
        what = f"{name} has {len(blocks)} blocks, the limit is {MAX_BLOCKS}"
        size = f"{len(blocks)} parts of loops and conditions (a loop has 3), the limit is {MAX_BLOCKS}"
        raise _too_large(printed, match, what, size, hint="split the function")
    longest = max(block.count("\n  ") for block in blocks)
    if longest > MAX_BLOCK_INSTRUCTIONS:
        what = f"{name} has a block of {longest} instructions, the limit is {MAX_BLOCK_INSTRUCTIONS}"
        size = f"{longest} instructions without a loop between them, the limit is {MAX_BLOCK_INSTRUCTIONS}"
        raise _too_large(printed, match, what, size, hint="use a loop")
    if "= alloca " in body:
        _check_stack(printed, match.start(), name, body)
    return len(blocks)


def _too_large(printed: str, match: re.Match[str], what: str, size: str, hint: str | None = None) -> TooLargeError:
    error = _module_error(printed, match.start(), what, hint)
    found = TooLargeError(error.message, error.location, hint=error.hint)
    found.function, found.size = match[1].lstrip("@"), size
    return found


def _check_stack(printed: str, start: int, name: str, body: str) -> None:
    end_of_entry = _TERMINATOR.search(body)
    stack_bytes = 0
    for alloca in _ALLOCA.finditer(body):
        if end_of_entry and alloca.start() > end_of_entry.start():
            raise _module_error(printed, start + alloca.start(), f"{name}: alloca outside the entry block")
        stack_bytes += _alloca_bytes(printed, start + alloca.start(), alloca[1])
    if stack_bytes > MAX_STACK_BYTES:
        what = f"{name} takes {stack_bytes} bytes of stack, the limit is {MAX_STACK_BYTES}"
        raise _module_error(printed, start, what, hint="use the heap for large buffers")


def _alloca_bytes(printed: str, position: int, alloca: str) -> int:
    """An upper bound of the stack bytes, padding included."""
    type_text, rest = _leading_type(alloca)
    count = _ALLOCA_COUNT.match(rest)
    if count and not count[1].isdigit():
        what = "alloca with a run-time size"
        raise _module_error(printed, position, what, hint="use the heap for buffers of unknown size")
    alignment = _ALIGNMENT.search(rest)
    size, step = _type_bytes(type_text) * int(count[1] if count else 1), int(alignment[1] if alignment else 1)
    return -(-size // step) * step


def _leading_type(text: str) -> tuple[str, str]:
    """The type at the start of the text, and what follows it."""
    depth = 0
    for position, character in enumerate(text):
        depth += _DEPTH.get(character, 0)
        if depth == 0 and character in " ,":
            return text[:position], text[position:]
    return text, ""


def _type_bytes(type_text: str) -> int:
    """An upper bound: all lengths times the number of scalars times the largest. Exact where there is no struct."""
    scalars = _SCALAR.findall(type_text)
    largest = max((_ELEMENT_BYTES.get(scalar, 16) for scalar in scalars), default=0)
    return _product(_COUNT.findall(type_text)) * len(scalars) * largest


def _product(counts: Iterable[str]) -> int:
    return math.prod(int(count) or 1 for count in counts)


def _check_globals(printed: str) -> None:
    total_bytes = 0
    for match in _GLOBAL.finditer(printed):
        if match["name"].startswith("llvm."):
            raise _module_error(printed, match.start(), f"@{match['name']} has a meaning of its own in LLVM")
        if _GLOBAL_ARITHMETIC.search(match["rest"]):
            raise _module_error(printed, match.start(), "arithmetic in the initial value of a global is not supported")
        total_bytes += _type_bytes(_leading_type(match["rest"])[0])
        if total_bytes > MAX_GLOBAL_BYTES:
            raise _module_error(printed, match.start(), f"globals take more than {MAX_GLOBAL_BYTES} bytes")


# ------------------------------------------------------------------------------------- what code may call by its name

_FLOAT = r"\.(?:v\d+)?(?:f16|bf16|f32|f64)"
_INT = r"\.(?:v\d+)?i(?:8|16|32|64)"
_ANY = rf"(?:{_FLOAT}|{_INT})"
_POINTER = r"\.p0"

#: Base names of the generic intrinsics that every target compiles to code of its own, by the types they take. What
#: needs libm on some target (`exp`, `sin`, `pow`, ...) is not here: `llvm.exp` would become a call of `expf`.
_INTRINSICS = {
    _FLOAT: "fma fmuladd sqrt fabs floor ceil trunc rint nearbyint round roundeven copysign "
    "minnum maxnum minimum maximum minimumnum maximumnum is.fpclass",
    r"\.(?:v\d+)?(?:f32|f64)": "arithmetic.fence",
    _INT: "abs smin smax umin umax ctpop bitreverse fshl fshr sadd.sat uadd.sat ssub.sat usub.sat "
    "sadd.with.overflow uadd.with.overflow ssub.with.overflow usub.with.overflow "
    "smul.with.overflow umul.with.overflow ctlz cttz",
    r"\.(?:v\d+)?i(?:16|32|64)": "bswap",
    _FLOAT + r"\.(?:v\d+)?i32": "ldexp",
    _INT + _FLOAT: "fptosi.sat fptoui.sat",
    r"\.v\d+(?:f16|bf16|f32|f64)": "vector.reduce.fadd vector.reduce.fmul vector.reduce.fmin vector.reduce.fmax "
    "vector.reduce.fminimum vector.reduce.fmaximum",
    r"\.v\d+i(?:1|8|16|32|64)": "vector.reduce.add vector.reduce.mul vector.reduce.and vector.reduce.or "
    "vector.reduce.xor vector.reduce.smin vector.reduce.smax vector.reduce.umin vector.reduce.umax",
    _ANY + _POINTER: "masked.load masked.store",
    _ANY + r"\.v\d+p0": "masked.gather masked.scatter",
    r"\.v\d+i1\.i(?:32|64)": "get.active.lane.mask",
    _POINTER + _POINTER + r"\.i(?:32|64)": "memcpy memmove",
    _POINTER + r"\.i(?:32|64)": "memset",
    _POINTER: "lifetime.start lifetime.end prefetch",
    r"\.i(?:1|8|16|32|64)": "expect",
    "": "assume x86.sse2.pause x86.rdtsc readsteadycounter",
}
_INTRINSIC_SUFFIXES = {
    f"llvm.{name}": re.compile(suffix) for suffix, names in _INTRINSICS.items() for name in names.split()
}
_TYPE_SUFFIX = re.compile(r"(?:\.(?:v\d+)?(?:i\d+|p0|f16|bf16|f32|f64))+$")
_LIBM = frozenset(
    "acos acosh asin asinh atan atan2 atanh cbrt cos cosh erf erfc exp exp10 exp2 expm1 fmod frexp hypot lgamma log "
    "log10 log1p log2 logb modf pow powi remainder sin sincos sinh tan tanh tgamma".split()
)


def check_declarations(signatures: Mapping[str, str], grants: Sequence[str]) -> None:
    """Refuses a declared function that code with these grants may not call, or that is declared with another type."""
    for name, type_text in signatures.items():
        if name.startswith("llvm."):
            _check_intrinsic(name)
            continue
        _check_granted([name], grants)
        expected = EXTERN_BY_NAME[name].llvm_type_text
        if type_text != expected:
            raise CodegenError(f"@{name} is declared as '{type_text}', its type is '{expected}'")


def check_object(data: bytes, machine: int, grants: Sequence[str]) -> ElfObject:
    """The object's symbols. Refuses an object of another machine, or one that wants what is not granted."""
    try:
        found = read_elf(data)
    except ElfError as error:
        raise CodegenError(f"the object file cannot be read: {error}") from error
    if found.machine != machine:
        raise CodegenError(f"the object file is for ELF machine {found.machine}, this machine is {machine}")
    if found.special:
        raise CodegenError(f"the object file has thread-local or indirect symbols: {', '.join(found.special)}")
    if found.empty:
        # The linker asserts on a file of nothing else, and a call would run into whatever code comes next.
        what = f"'{found.empty[0]}' has no code, since every way through it is undefined behaviour"
        raise CodegenError(what, hint="it ends in `unreachable`, in a division by zero, or in a loop without end")
    if constructors := [name for name in found.sections if name.startswith((".init_array", ".fini_array", ".ctors"))]:
        raise CodegenError(f"the object file has constructors: {', '.join(constructors)}")
    _check_granted((name for name in found.undefined if name != "_GLOBAL_OFFSET_TABLE_"), grants)
    return found


def _check_intrinsic(name: str) -> None:
    base = _TYPE_SUFFIX.sub("", name)
    suffix = _INTRINSIC_SUFFIXES.get(base)
    if suffix and suffix.fullmatch(name[len(base) :]):
        return
    if base.removeprefix("llvm.") in _LIBM:
        raise CodegenError(f"@{name} would be a call of the C math library", hint="run expand-math before this")
    if suffix:
        raise CodegenError(f"@{name}: the intrinsic '{base}' is not supported for these types")
    raise CodegenError(f"@{name} is not an intrinsic that the gate accepts", hint=nearest(base, _INTRINSIC_SUFFIXES))


def _check_granted(names: Iterable[str], grants: Sequence[str]) -> None:
    for name in names:
        extern = EXTERN_BY_NAME.get(name)
        if extern is None and name.rstrip("fl") in _LIBM | {"fma", "floor", "ceil", "trunc", "rint", "round"}:
            raise CodegenError(f"the code calls '{name}' of the C math library, which is never linked")
        if extern is None:
            raise CodegenError(f"the code calls '{name}', which is not in the table of externs")
        if extern.kind not in grants:
            raise CodegenError(f"the code calls '{name}', which needs the grant '{extern.kind}'")


# ----------------------------------------------------------------------------------------------------------- messages


def _source_error(text: str, position: int, message: str, hint: str | None = None) -> CodegenError:
    return _error(IR_FILE, text, position, message, hint)


def _module_error(printed: str, position: int, message: str, hint: str | None = None) -> CodegenError:
    return _error(PRINTED_FILE, printed, position, message, hint)


def _error(file: str, text: str, position: int, message: str, hint: str | None) -> CodegenError:
    start = text.rfind("\n", 0, position) + 1
    line = text[start:].split("\n", 1)[0].strip()
    location = FileLocation(file, text.count("\n", 0, position) + 1, position - start + 1)
    return CodegenError(message, location, [(f"in the line: {line[:160]}", None)], hint)
