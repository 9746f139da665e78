"""Writes tir/parser/grammar.json, the parser's tables, from grammar.lark. `--check` only says whether it is up to date.

    python tools/gen_grammar.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tir.parser.lalr import make_tables  # noqa: E402
from tir.parser.raw import GRAMMAR, STARTS, TABLES  # noqa: E402


def main() -> int:
    """Writes or checks the file; 1 if it is not up to date."""
    text = tables_text()
    if TABLES.exists() and TABLES.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{TABLES.relative_to(ROOT)} is not up to date: run `make docs`")
        return 1
    TABLES.write_text(text, encoding="utf-8")
    print(f"wrote {TABLES.relative_to(ROOT)}")
    return 0


def tables_text() -> str:
    """The tables as JSON: a line for each terminal, rule and state, so that a changed grammar is a small difference."""
    tables = make_tables(GRAMMAR.read_text(encoding="utf-8"), STARTS)
    parts = [f'"{name}": {json.dumps(tables[name])}' for name in ("grammar", "starts")]
    terminals = ",\n".join(f"{json.dumps(name)}: {json.dumps(text)}" for name, text in tables["terminals"].items())
    parts.append(f'"terminals": {{\n{terminals}\n}}')
    for name in ("rules", "rows"):
        lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in tables[name])
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
