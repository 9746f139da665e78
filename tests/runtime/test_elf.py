"""The ELF reader: right about objects built by hand, and never surprised by broken ones."""

from __future__ import annotations

import random
import struct

import pytest

from tir.runtime import jit
from tir.runtime.elf import MACHINE_NUMBERS, ElfError, read_elf

STT_FUNC, STT_TLS, STT_IFUNC = 2, 6, 10


def build(symbols: list[tuple[str, int, int]], machine: int = 62, kind: int = 1, size: int = 8) -> bytes:
    """An object with one symbol table of (name, type, section index), laid out as the ELF specification says."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in symbols)
    table = struct.pack("<IBBHQQ", 0, 0, 0, 0, 0, 0)
    for name, symbol_type, index in symbols:
        table += struct.pack("<IBBHQQ", names.index(name.encode() + b"\0"), 16 | symbol_type, 0, index, 0, size)
    section_names = b"\0.symtab\0.strtab\0.shstrtab\0"
    start = 64
    offsets = [start, start + len(table), start + len(table) + len(names)]
    end = offsets[2] + len(section_names)
    sections = struct.pack("<IIQQQQIIQQ", *[0] * 10)
    sections += struct.pack("<IIQQQQIIQQ", 1, 2, 0, 0, offsets[0], len(table), 2, 1, 8, 24)
    sections += struct.pack("<IIQQQQIIQQ", 9, 3, 0, 0, offsets[1], len(names), 0, 0, 1, 0)
    sections += struct.pack("<IIQQQQIIQQ", 17, 3, 0, 0, offsets[2], len(section_names), 0, 0, 1, 0)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", kind, machine, 1, 0, 0, end, 0, 64, 0, 0, 64, 4, 3
    )
    return header + table + names + section_names + sections


def test_defined_and_undefined_symbols_are_told_apart() -> None:
    found = read_elf(build([("kernel", STT_FUNC, 1), ("malloc", 0, 0), ("table", 1, 2), ("free", 0, 0)]))
    assert found.defined == ("kernel", "table")
    assert found.undefined == ("free", "malloc")
    assert found.sections == (".symtab", ".strtab", ".shstrtab")
    assert found.machine == 62
    assert found.special == ()


def test_thread_local_and_indirect_symbols_are_special() -> None:
    assert read_elf(build([("t", STT_TLS, 1), ("i", STT_IFUNC, 1), ("f", STT_FUNC, 1)])).special == ("i", "t")


def test_function_without_code_is_empty() -> None:
    found = read_elf(build([("nothing", STT_FUNC, 1), ("wanted", STT_FUNC, 0), ("data", 1, 1)], size=0))
    assert found.empty == ("nothing",)
    assert read_elf(build([("kernel", STT_FUNC, 1)])).empty == ()


def test_object_without_symbols_is_read() -> None:
    assert read_elf(build([])).defined == ()


def test_object_of_the_compiler_has_the_symbols_of_its_text() -> None:
    text = "declare ptr @malloc(i64)\ndefine ptr @f(i64 %n) {\n  %p = call ptr @malloc(i64 %n)\n  ret ptr %p\n}\n"
    found = read_elf(jit.emit_object(text))
    assert "tir.f" in found.defined
    assert found.undefined == ("malloc",)
    assert found.machine == MACHINE_NUMBERS[jit.host_target().triple.split("-")[0]]


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"MZ" + bytes(100), b"\x7fELF\x01\x01\x01" + bytes(100)])
def test_what_is_no_elf64_file_is_an_error(data: bytes) -> None:
    with pytest.raises(ElfError):
        read_elf(data)


def test_shared_library_is_not_an_object() -> None:
    with pytest.raises(ElfError, match="expected a relocatable file"):
        read_elf(build([], kind=3))


def test_every_truncation_is_an_error() -> None:
    data = build([("kernel", STT_FUNC, 1), ("malloc", 0, 0)])
    for size in range(len(data)):
        with pytest.raises(ElfError):
            read_elf(data[:size])


def test_damaged_bytes_give_an_error_or_a_reading_and_nothing_else() -> None:
    chance = random.Random(1)
    data = build([("kernel", STT_FUNC, 1), ("malloc", 0, 0)])
    refused = 0
    for _ in range(5000):
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.choice([0, 1, 255, chance.randrange(256)])
        try:
            read_elf(bytes(damaged))
        except ElfError:
            refused += 1
    assert refused > 1000
