"""Coverage-guided fuzzing of the parser, the verifier, the printer and the cheap passes, with atheris (extra `fuzz`).

    python tests/fuzz/fuzz_parse.py CORPUS -max_total_time=300

CORPUS is a folder that is made with the examples and lit tests as a start, and that libFuzzer fills; all its flags
work. A text for which something is wrong ends the run and is kept as crash-*; put it into REGRESSIONS of
tests/test_fuzz.py, as small as it can be (-minimize_crash=1).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

with atheris.instrument_imports(include=["tir"]):
    from tests.hostile import parsed, problem_behind, problems_of_print, within
    from tests.mutants import corpus
    from tir.passes.pipelines import PASSES

    CHEAP = [name for name in ("canonicalize", "cse", "dce", "symbol-dce", "inline") if PASSES[name]]

SECONDS = 10.0


def one_input(data: bytes) -> None:
    """Raises if anything is wrong with how the bytes are read."""
    text = data.decode("utf-8", "surrogateescape")
    with within(SECONDS):
        module, found = parsed(text)
        if module is not None:
            found = problems_of_print(module)
            wrong = problem_behind(module.clone(), CHEAP)
            found += [wrong] if wrong else []
    if found:
        raise AssertionError(found)


def main() -> None:
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if folders and not Path(folders[0]).is_file():
        Path(folders[0]).mkdir(parents=True, exist_ok=True)
        if not os.listdir(folders[0]):
            for i, text in enumerate(corpus()):
                (Path(folders[0]) / f"start-{i:04}").write_text(text, encoding="utf-8")
    atheris.Setup([*sys.argv, "-max_len=4096", "-timeout=60"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
