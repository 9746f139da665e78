"""Times one tool on one generated module, in a process of its own; prints what it found as JSON. `scale` starts it.

    python -m benchmarks.scale.worker tir varied 10000

The tool warms up on a small module first, so that neither imports nor what a process makes once are in the times.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys

from benchmarks.scale import modules

TEXTS = {
    "straight line": modules.straight_line,
    "varied": modules.varied,
    "common": modules.common,
    "gradient of a chain": lambda n: modules.gradient(n, wide=False),
    "gradient of a wide sum": lambda n: modules.gradient(n, wide=True),
}
WARM_UP = 400


def main() -> int:
    tool, kind, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    make = TEXTS[kind]
    try:
        module = importlib.import_module(f"benchmarks.scale.in_{tool.removesuffix(' traced')}")
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return 0
    if tool.endswith(" traced"):
        module.traced_bytes(make(WARM_UP))
        print(json.dumps({"traced bytes": module.traced_bytes(make(n))}))
    else:
        module.measure(make(WARM_UP))
        rounds = [module.measure(make(n)) for _ in range(max(1, min(10, 20_000 // n)))]
        found = {step: statistics.median(one[step] for one in rounds) for step in rounds[0]}
        found["resident bytes"] = rounds[0]["resident bytes"]  # later rounds use the memory that this one took
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
