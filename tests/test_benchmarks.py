"""The benchmarks beside peers: programs and references agree, wrong input is told, tables say what the cells say.

Nothing here looks at how long something takes.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.peers import contestant, in_tir, runner, worker
from benchmarks.peers.contestant import Call, Cannot, Peer, kept
from benchmarks.peers.table import families, rows, text
from benchmarks.peers.workloads import chosen, smallest, workloads

# --- workloads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workload", smallest(), ids=lambda workload: workload.id)
def test_tir_computes_what_the_reference_does(workload) -> None:
    call = in_tir.calls(workload, threads=1)[0]
    results = call.read(call.function(*call.arguments))
    assert worker.error_of(workload, results) <= workload.bound


def test_numbers_that_are_not_finite_are_wrong() -> None:
    workload = workloads()["E1.1e3"]
    assert worker.error_of(workload, [np.full(1000, np.nan)]) == float("inf")


def test_results_of_another_shape_or_count_are_wrong() -> None:
    workload = workloads()["E1.1e3"]
    assert worker.error_of(workload, [np.zeros((1000, 1))]) == worker.error_of(workload, []) == float("inf")


def test_error_of_state_is_relative_to_its_change() -> None:
    workload = workloads()["S7"]
    w, mean, _ = workload.arguments()
    assert worker.error_of(workload, [w, mean]) > 0.9  # nothing was updated


def test_kept_state_is_what_the_last_call_returned() -> None:
    step = kept(lambda w, x: w + x, [1])
    step(10)
    assert step(100) == [111]


def test_patterns_choose_by_id_and_by_name() -> None:
    ids = [workload.id for workload in chosen(["E5", "S1.64*", "C3"])]
    assert ids == ["E5.1e3", "E5.1e5", "E5.1e7", "S1.64x10", "C3"]


def test_least_bytes_are_those_of_arguments_and_results() -> None:
    workload = workloads()["E5.1e3"]
    assert workload.bytes([np.zeros(1000)]) == 3 * 4000


# --- cells -----------------------------------------------------------------------------------------------------------


def test_cell_of_a_wrong_result_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    give_calls(monkeypatch, Call(lambda a: a, workloads()["E1.1e3"].arguments(), lambda found: [found]))
    assert worker.cell(workloads()["E1.1e3"], "numpy", 1, 0.001)["status"] == "wrong"


def test_right_variant_counts_where_a_faster_one_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = workloads()["E1.1e3"].arguments()
    wrong = Call(lambda a: a, arguments, lambda found: [found], "wrong")
    right = Call(lambda a: a + a**10, arguments, lambda found: [found], "right")
    broken = Call(lambda a: 1 / 0, arguments, lambda found: [found], "broken")
    give_calls(monkeypatch, wrong, broken, right)
    found = worker.cell(workloads()["E1.1e3"], "numpy", 1, 0.001)
    assert (found["status"], found["variant"]) == ("ok", "right")


def test_cell_says_why_a_peer_cannot() -> None:
    assert worker.cell(workloads()["C4"], "numpy", 1, 0.001)["note"] == "numpy compiles nothing"


def test_cell_says_what_a_peer_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    give_calls(monkeypatch, Call(lambda: 1 / 0, [], list))
    found = worker.cell(workloads()["E1.1e3"], "numpy", 1, 0.001)
    assert (found["status"], found["note"]) == ("failed", "ZeroDivisionError: division by zero")


def give_calls(monkeypatch: pytest.MonkeyPatch, *calls: Call) -> None:
    monkeypatch.setattr(contestant, "calls", lambda *_: list(calls))


def test_only_given_results_count_where_they_are_asked_for() -> None:
    call = contestant.calls("numpy", workloads()["C2"], 1)
    assert [one.given for one in call] == [True]


def test_limit_of_memory_copies_as_many_bytes() -> None:
    target, source = contestant.calls("copy", workloads()["E5.1e3"], 1)[0].arguments
    assert target.nbytes + source.nbytes == 3 * 4000


def test_limit_of_arithmetic_is_of_products_only() -> None:
    with pytest.raises(Cannot, match="no products"):
        contestant.calls("fma", workloads()["E5.1e3"], 1)
    assert worker.cell(workloads()["N3"], "fma", 1, 0.001)["status"] == "ok"


def test_process_of_a_cell_has_the_threads_and_prints_a_line(tmp_path: Path) -> None:
    lines = tmp_path / "peers.jsonl"
    found = runner.run(chosen(["E1.1e3"]), ["numpy"], 1, 0.001, "processor", lines)
    assert [cell["peer"] for cell in found] == ["tir", "numpy", "copy"]
    assert {cell["status"] for cell in found} == {"ok"}
    assert [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()] == found


def test_cell_that_ends_its_process_has_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runner, "environment", lambda threads: {"PYTHONPATH": str(tmp_path)})
    (tmp_path / "sitecustomize.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    found = runner.run(chosen(["C3"]), [], 1, 0.001, "wall", tmp_path / "lines")
    assert [cell.get("note") for cell in found] == ["ends with status 3"] * 2


def test_all_libraries_are_told_the_threads() -> None:
    found = runner.environment(2)
    assert {found[name] for name in ("TIR_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")} == {"2"}


# --- the command -----------------------------------------------------------------------------------------------------

WRONG = (
    (["ops_"], "there is no benchmark 'ops_'; did you mean 'ops'?"),
    (["--peers", "numpy,jaxx"], "there is no peer 'jaxx'; did you mean 'jax'?"),
    (["--only", "E1,Z9"], "no workload is like 'Z9'; there are C1, C2, "),
    (["--threads", "0"], "argument --threads: must be a positive number, got '0'"),
    (["--seconds", "-1"], "argument --seconds: must be a positive number, got '-1'"),
    (["--seconds", "nan"], "argument --seconds: must be a positive number, got 'nan'"),
    (["--clock", "sun"], "argument --clock: invalid choice: 'sun'"),
    (["--table", "none.jsonl"], "--table: none.jsonl holds no results: "),
)


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong_words_are_one_clear_error(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    error = capsys.readouterr().err
    assert (end.value.code, error.count("\n")) == (2, 1)
    assert error.startswith(f"benchmarks: error: {message}")


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m benchmarks --peers numpy,jax --only 'E5,S*' --threads 1" in capsys.readouterr().out


def test_missing_peer_is_skipped_and_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(contestant.PEERS, "numba", Peer("in_numba", ("no_such_package",)))
    monkeypatch.setitem(contestant.PEERS, "iree", Peer("in_iree", ("no_such_package.compiler",)))
    assert runner.present(["numpy", "numba", "iree"]) == ["numpy"]
    said = capsys.readouterr().out
    assert said == (
        "skipped: numba, since no_such_package is not installed\n"
        "skipped: iree, since no_such_package.compiler is not installed\n"
    )


# --- tables ----------------------------------------------------------------------------------------------------------


def cell(workload: str, peer: str, seconds: float, **facts: object) -> dict:
    return {"workload": workload, "peer": peer, "status": "ok", "seconds": seconds, "spread": 0.0, **facts}


CELLS = [
    cell("E1.1e3", "tir", 2e-6),
    cell("E1.1e3", "numpy", 8e-6, spread=0.5),
    cell("E1.1e3", "jax", 1e-9, status="wrong"),
    cell("E1.1e3", "copy", 1e-6),
    cell("E2.1e3", "tir", 4e-3),
    cell("E2.1e3", "numpy", 1e-3),
    {"workload": "E2.1e3", "peer": "jax", "status": "no", "note": "it is Sunday"},
    cell("N1", "tir", 3.0),
    cell("N1", "numpy", 6.0),
    cell("N1", "copy", 1.0),
    cell("N1", "fma", 1.5),
]
TABLE = """\
                                                                tir       numpy         jax             best/tir   over limit
E1.1e3           a + a**10                                     2 us       ~8 us       wrong          4.00x numpy   2.00x copy
E2.1e3           2*a + 3*b                                     4 ms        1 ms           -          0.25x numpy            -
N1               MLP 60x784-500-10, step                        3 s         6 s           -          2.00x numpy    2.00x fma

geometric means of best/tir:
  elementwise                1.00x
  nets                       2.00x

notes:
  jax: it is Sunday (E2.1e3)"""


def test_table_of_given_cells() -> None:
    assert text(rows(CELLS)) == TABLE


def test_later_lines_count_and_rows_stand_in_the_order_of_the_workloads() -> None:
    found = rows([cell("N1", "tir", 1.0), cell("E1.1e3", "tir", 1.0), cell("N1", "tir", 2.0)])
    assert [(row.id, row.seconds("tir")) for row in found] == [("E1.1e3", 1.0), ("N1", 2.0)]


def test_wrong_results_are_no_best_peer() -> None:
    assert rows(CELLS)[0].best() == ("numpy", 8e-6)


def test_means_are_geometric() -> None:
    assert families(rows(CELLS)) == pytest.approx({"E": 1.0, "N": 2.0})


def test_command_shows_the_table_of_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "found.jsonl"
    lines.write_text("".join(json.dumps(cell) + "\n" for cell in CELLS), encoding="utf-8")
    assert main(["--table", str(lines)]) == 0
    assert capsys.readouterr().out == f"{TABLE}\nthe ratios as a picture: {tmp_path / 'found.png'}\n"
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")
