"""`explain`: what fuses, what things cost and where arrays lie, told by lines of the program."""

from __future__ import annotations

import numpy as np
import pytest

import tir
from tests.inspect.programs import looping, place_of, shown_place, training
from tir.inspect.costs import costs_of
from tir.inspect.explanations import Explanation, explain
from tir.inspect.levels import ir_at
from tir.inspect.places import lines_of
from tir.inspect.sizes import Amount, Sizes, total
from tir.ir.errors import places_of


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explain(training().module)


def family(found: Explanation, name: str) -> list[str]:
    return [f"{lines_of(cost.location)}: {cost.flops}" for cost in found.costs if cost.family == name]


def test_products_cost_two_operations_for_each_pair(found: Explanation) -> None:
    scores = shown_place(training, "scores = ")
    assert family(found, "product") == [f"{scores}: 1,280*B", f"gradient of tir.dot ({scores}): 1,280*B"]  # 2 * 64 * 10
    forward = next(cost for cost in found.costs if cost.family == "product")
    assert str(forward.bytes) == "336*B + 2,560"  # x, the result read and written: (64 + 10 + 10) * 4; w: 640 * 4


def test_sizes_make_numbers_of_costs(found: Explanation) -> None:
    known = explain(training().module, sizes={"B": 500})
    for general, number in zip(found.costs, known.costs):
        assert str(Amount.of(500) * general.flops.terms.get(("B",), 0) + Amount.of(general.flops.terms.get((), 0)))
        assert number.flops.number == general.flops.terms.get(("B",), 0) * 500 + general.flops.terms.get((), 0)
    assert "640,000 flops" in str(known) and "*B" not in str(known)


def test_what_was_fused_names_all_its_lines(found: Explanation) -> None:
    update = next(cost for cost in found.fused if places_of(cost.location) == [place_of(training, "b.update")])
    assert update.merged == 3 and update.family == "elementwise" and str(update.flops) == "1,280"  # w - 0.1 * g
    assert any("gradient of tir.softplus" in lines_of(cost.location) for cost in found.fused)


def test_what_was_not_fused_says_why(found: Explanation) -> None:
    reasons = {(lines_of(remark.location), remark.text) for remark in found.not_fused}
    assert (shown_place(training, "b.update"), "not fused: the producer is a reduction") in reasons
    assert len(reasons) == len(found.not_fused)


def test_state_and_results_are_written_in_place_and_temporaries_have_lines(found: Explanation) -> None:
    (state,), (result,) = found.memory.state, found.memory.results
    assert (state.name, str(state.bytes), state.in_place) == ("@w", "2,560", True)
    assert (str(result.bytes), result.in_place) == ("4", True)
    assert str(found.memory.state_bytes) == "2,560"
    lines = {lines_of(buffer.location) for buffer in found.memory.temporaries}
    assert shown_place(training, "scores = ") in lines
    allocated = ir_at(training().module, "loops").count("memref.alloc(")
    assert len(found.memory.temporaries) == allocated


def test_result_that_must_be_copied_is_told() -> None:
    b = tir.Builder()
    b.shared("a", np.zeros(8, np.float32))
    b.shared("b", np.zeros(8, np.float32))
    with b.function("swap"):
        first, second = b.read("a"), b.read("b")
        b.update("a", second)
        b.update("b", first)
        b.returns()
    state = {buffer.name: buffer.in_place for buffer in explain(b.module).memory.state}
    assert not all(state.values())


def test_rewrites_are_counted_with_their_class(found: Explanation) -> None:
    rules = {one.name: one for one in found.rewrites}
    assert rules["softplus_by_log1p"].kind == "accurate" and rules["softplus_by_log1p"].count == 1
    assert "softplus_by_log1p" not in {one.name for one in explain(training().module, fp_mode="strict").rewrites}
    assert found.changes["fuse"] > 3


def test_library_calls_are_told_with_what_they_cost() -> None:
    pytest.importorskip("scipy", reason="the extra `blas` is not installed")
    b = tir.Builder()
    with b.function("f", x="tensor<512x512xf32>", y="tensor<512x4xf32>") as (x, y):
        b.returns(x @ y)
    (call,) = explain(b.module).library
    assert call.name == "sgemm" and call.flops.number == 2 * 512 * 512 * 4
    assert "sgemm: 2,097,152 flops" in str(explain(b.module))


@pytest.mark.parametrize(
    ("build", "flops", "functions"),
    [
        (lambda b, x: x + 1, "[6*N]", "[0]"),
        (lambda b, x: b.exp(x) * b.log(x), "[6*N]", "[12*N]"),
        (lambda b, x: b.sum(x), "[6*N]", "[0]"),
        (lambda b, x: b.transpose(x), "[0]", "[0]"),
    ],
)
def test_operations_are_those_of_the_formula(build: object, flops: str, functions: str) -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<[N]x6xf64>") as (x,):
        b.returns(build(b, x))  # type: ignore[operator]
    costs = [cost for cost in explain(b.module).costs if cost.family != "fill"]
    assert f"[{costs[-1].flops}]" == flops and f"[{costs[-1].functions}]" == functions


def test_loop_counts_its_body_as_often_as_it_runs() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<[T]x1000xf32>") as (x,):
        last, _ = b.scan(lambda h, t: ([b.tanh(h + t)], []), [b.sum(x, [0])], [x])
        b.returns(last[0])
    inside = [cost for cost in explain(b.module).costs if cost.functions.number != 0]
    assert [str(cost.functions) for cost in inside] == ["1,000*T"]
    assert [cost.functions.number for cost in explain(b.module, sizes={"T": 7}).costs if cost.functions.number] == [7000]


def test_text_has_all_sections_and_html_is_escaped(found: Explanation) -> None:
    text = str(found)
    titles = [line for line in text.split("\n") if not line.startswith(" ")]
    assert titles == ["What runs", "Not fused", "Memory", "Rewrites", "Other changes", "Remarks"]
    assert "-&gt;" in found._repr_html_() and repr(found) == text


def test_programs_of_any_level_are_explained() -> None:
    fused = tir.parse(ir_at(looping().module, "fused"))
    assert [str(c.bytes) for c in costs_of(fused, Sizes())] == [str(c.bytes) for c in explain(looping().module).costs]
    assert explain(fused).memory.temporaries


@pytest.mark.parametrize(
    ("amount", "want"),
    [
        (Amount.of(0), "0"), (Amount.of(1), "1"), (Amount.of("B"), "B"), (Amount.of("B") * 4 + Amount.of(12), "4*B + 12"),
        (Amount.of("B") * Amount.of("T") * 1000 + Amount.of("B"), "1,000*B*T + B"),
        (Amount.of("B") + Amount.of("B") * -1, "0"), (Sizes().named("B - 2"), "(B - 2)"), (Sizes({"B": 5}).named("B - 2"), "3"),
    ],
)  # fmt: skip
def test_amounts_are_written_as_sums_of_products(amount: Amount, want: str) -> None:
    assert str(amount) == want


def test_what_stays_in_the_cache_is_not_moved() -> None:
    type = "tensor<[N]x100xf32>"
    text = f"func.func @f(%x: {type}) -> {type} {{\n  %r = tir.softmax %x over [1] : {type}\n  return %r : {type}\n}}"
    found = explain(tir.parse(text))
    moved = str(total(cost.bytes for cost in found.costs))
    assert moved == "1,200*N"  # x is read for the maxima and for exp, the result is written
    assert str(total(cost.functions for cost in found.costs)) == "100*N"
    assert found.not_fused == []
