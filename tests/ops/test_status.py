"""docs/ops-status.json, from which docs/ops.md says at which levels an op is green: it covers what has samples."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.levels import LEVELS
from tests.ops.hard_samples import HARD
from tests.ops.samples import SAMPLES
from tools.gen_ops_table import STATUS, elements_text, table
from tools.ops_status import LEVELS as TESTED
from tools.ops_status import elements_of, status

RERUN = "run `make ops-status`"


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return json.loads(STATUS.read_text(encoding="utf-8"))


def test_it_covers_every_op_and_element_type_that_has_samples(found: dict[str, Any]) -> None:
    wanted = {(row.op, element) for row in (*SAMPLES, *HARD) for element in elements_of(row)}
    covered = {(op, element) for op, facts in found["ops"].items() for element in facts["rows"]}
    assert wanted - covered == set(), RERUN
    assert {op for op, _ in covered} <= {op for op, _ in wanted}, f"ops that are no more: {RERUN}"


def test_nothing_is_red_at_any_level(found: dict[str, Any]) -> None:
    assert found["levels"] == list(TESTED)
    assert set(TESTED) <= set(LEVELS)
    assert {op: facts["red"] for op, facts in found["ops"].items() if facts["red"]} == {}, RERUN


def test_a_wrong_row_makes_its_op_red_at_that_level() -> None:
    rows = [row for row in SAMPLES if row.op == "tir.add"]
    made = status(rows, [("cpu", rows[0], "wrong")], everything=False)["ops"]
    assert made["tir.add"]["red"] == {"cpu": sorted(elements_of(rows[0]))}


def test_the_table_has_a_line_for_each_op_and_names_whole_groups() -> None:
    assert any(line.startswith("| [add](#tiradd) |") for line in table())
    assert elements_text({"f16": 1, "bf16": 1, "f32": 1, "f64": 1, "i8": 1, "i1": 2}) == "all floats, i1, i8"
