"""Runs the rows of the samples at each level and writes docs/ops-status.json, from which docs/ops.md says what is green.

    python tools/ops_status.py          # of all rows those that show each form, kind of shape and element type once
    python tools/ops_status.py --all    # all rows: an hour

The file holds, for each op, how many rows of each element type ran, what was wrong in them by level, and at how many
smooth points its gradient is compared with differences.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.ops.chosen import chosen, element_of  # noqa: E402
from tests.ops.hard_samples import HARD  # noqa: E402
from tests.ops.row_levels import batches, findings  # noqa: E402
from tests.ops.samples import SAMPLES, SMOOTH, Sample  # noqa: E402

FILE = ROOT / "docs" / "ops-status.json"
LEVELS = ("tensor", "structured", "fused", "bufferized", "loops", "cpu")


def main() -> int:
    """Runs and writes; 1 if something is wrong."""
    everything = "--all" in sys.argv[1:]
    rows = [*SAMPLES, *HARD] if everything else list(chosen([*SAMPLES, *HARD]))
    wrong = [one for batch in batches(rows).values() for one in found(batch)]
    for _, _, message in wrong:
        print(message)
    FILE.write_text(text_of(status(rows, wrong, everything)), encoding="utf-8")
    print(f"wrote docs/{FILE.name}: {len(rows)} rows at {len(LEVELS)} levels, {len(wrong)} wrong")
    return 1 if wrong else 0


def found(rows: Sequence[Sample]) -> Iterator[tuple[str, Sample, str]]:
    """What is wrong; rows that do not even compile together are run one by one."""
    try:
        yield from list(findings(rows, LEVELS, ()))
    except Exception as error:  # any: a crash of a pass is a finding like another
        if len(rows) > 1:
            for row in rows:
                yield from found([row])
        else:
            yield crash_level(rows[0]), rows[0], f"{rows[0]}: {type(error).__name__}: {error}"


def crash_level(row: Sample) -> str:
    """The first level at which the row fails."""
    for level in LEVELS:
        try:
            list(findings([row], [level], ()))
        except Exception:  # any, as above
            return level
    return LEVELS[-1]


def status(rows: Sequence[Sample], wrong: Sequence[tuple[str, Sample, str]], everything: bool) -> dict[str, Any]:
    """What the file says."""
    points = Counter(point.op for point in SMOOTH)
    ops: dict[str, dict[str, Any]] = {}
    for op in sorted({row.op for row in rows}):
        counts = Counter(element for row in rows if row.op == op for element in elements_of(row))
        red = {level: sorted({e for at, row, _ in wrong if at == level and row.op == op for e in elements_of(row)})
               for level in LEVELS}  # fmt: skip
        ops[op] = {
            "count": sum(row.op == op for row in rows),
            "rows": dict(sorted(counts.items())),
            "red": {level: found for level, found in red.items() if found},
            "smooth": points[op],
        }
    made = "tools/ops_status.py" + " --all" * everything
    return {"made by": made, "on": date.today().isoformat(), "rows": len(rows), "levels": LEVELS, "ops": ops}


def text_of(facts: dict[str, Any]) -> str:
    """The facts as JSON, with a line for each op."""
    head = json.dumps({name: value for name, value in facts.items() if name != "ops"})[1:-1]
    ops = ",\n".join(f"  {json.dumps(op)}: {json.dumps(found)}" for op, found in facts["ops"].items())
    return f'{{\n {head},\n "ops": {{\n{ops}\n }}\n}}\n'


def elements_of(row: Sample) -> set[str]:
    """The element types that take part, of operands and of the result."""
    return {element_of(type) for type in (*row.types, row.result)}


if __name__ == "__main__":
    sys.exit(main())
