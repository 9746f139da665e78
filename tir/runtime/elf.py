"""What an ELF64 object file defines and what it wants from outside.

The back end invents calls (`memset` for a loop, `fmodf` for a remainder), so what an object needs is known only from
the object. Any bytes end in an `ElfObject` or an `ElfError`: every offset is checked before it is read. Relocatable
files of 64-bit little-endian machines only; no relocation is looked at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["ElfError", "ElfObject", "MACHINE_NUMBERS", "read_elf"]

#: e_machine of the processors that the run time knows, by the first part of LLVM's target triple.
MACHINE_NUMBERS = {"x86_64": 62, "aarch64": 183}

_IDENT = b"\x7fELF\x02\x01\x01"  # ELF, 64 bit, little endian, version 1
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_TYPE_RELOCATABLE, _SECTION_SYMTAB, _SECTION_STRTAB = 1, 2, 3
_UNDEFINED_INDEX, _SYMBOL_FUNCTION, _SYMBOL_TLS, _SYMBOL_IFUNC = 0, 2, 6, 10


class ElfError(ValueError):
    """The bytes are not a readable relocatable ELF64 file; the message says what is wrong."""


@dataclass(frozen=True)
class ElfObject:
    """The outside of an object file: names sorted, unnamed symbols left out.

    `special` names symbols that an ordinary linker step does not serve: thread-local ones and ifuncs. `empty` names
    functions without a byte of code.
    """

    machine: int
    sections: tuple[str, ...]
    defined: tuple[str, ...]
    undefined: tuple[str, ...]
    special: tuple[str, ...]
    empty: tuple[str, ...]


def read_elf(data: bytes) -> ElfObject:
    """The sections and symbols of a relocatable file. Raises `ElfError` for anything else, truncated files included."""
    if len(data) < _HEADER.size or not data.startswith(_IDENT):
        raise ElfError("not a 64-bit little-endian ELF file")
    _, file_type, machine, _, _, _, table_offset, _, _, _, _, entry_size, count, names_index = _HEADER.unpack_from(data)
    if file_type != _TYPE_RELOCATABLE:
        raise ElfError(f"ELF type is {file_type}, expected a relocatable file (1)")
    if entry_size != _SECTION.size or names_index >= count:
        raise ElfError("the section table is malformed")
    table = _slice(data, table_offset, count * entry_size, "section table")
    sections = list(_SECTION.iter_unpack(table))
    names = _strings(data, sections, names_index)
    section_names = tuple(_name(names, section[0]) for section in sections if section[0])
    defined, undefined, special, empty = set[str](), set[str](), set[str](), set[str]()
    for section in sections:
        if section[1] != _SECTION_SYMTAB:
            continue
        for name, kind, index, size in _symbols(data, sections, section):
            (undefined if index == _UNDEFINED_INDEX else defined).add(name)
            if kind in (_SYMBOL_TLS, _SYMBOL_IFUNC):
                special.add(name)
            if kind == _SYMBOL_FUNCTION and index != _UNDEFINED_INDEX and size == 0:
                empty.add(name)
    return ElfObject(machine, section_names, *(tuple(sorted(group)) for group in (defined, undefined, special, empty)))


def _symbols(data: bytes, sections: list[tuple[int, ...]], section: tuple[int, ...]) -> list[tuple[str, int, int, int]]:
    """(name, kind, section index, size) of every named symbol of one symbol table."""
    _, _, _, _, offset, size, link, _, _, entry_size = section
    if entry_size != _SYMBOL.size or size % entry_size:
        raise ElfError("the symbol table is malformed")
    names = _strings(data, sections, link)
    entries = _SYMBOL.iter_unpack(_slice(data, offset, size, "symbol table"))
    return [(_name(names, name), info & 15, index, size) for name, info, _, index, _, size in entries if name]


def _strings(data: bytes, sections: list[tuple[int, ...]], index: int) -> bytes:
    """The content of the string table in section `index`."""
    if index >= len(sections) or sections[index][1] != _SECTION_STRTAB:
        raise ElfError(f"section {index} is not a string table")
    return _slice(data, sections[index][4], sections[index][5], "string table")


def _slice(data: bytes, offset: int, size: int, what: str) -> bytes:
    if offset + size > len(data):
        raise ElfError(f"the {what} ends at byte {offset + size}, the file at {len(data)}")
    return data[offset : offset + size]


def _name(names: bytes, offset: int) -> str:
    end = names.find(b"\0", offset)
    if end < 0:
        raise ElfError(f"no name at offset {offset} of the string table")
    return names[offset:end].decode("utf-8", "replace")
