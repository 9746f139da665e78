"""What lies in memory that something else is about to be written to: it is read before."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import first_disagreement

VIEWS = {
    "slice": "%w = tir.slice %u from [0] to [2] step [1] : tensor<2xf64>",
    "dynamic slice": "%w = tir.dynamic_slice %u at %i : tensor<4xf64> -> tensor<2xf64>",
    "slice of a reshape": "%m = tir.reshape %u : tensor<4xf64> -> tensor<2x2xf64>\n"
                          "%w = tir.take %m at %i axis 0 : tensor<2xf64>",
}  # fmt: skip
CHANGES = {
    "update_slice": "%z = tir.update_slice %u with %n at %i : tensor<4xf64>",
    "put": "%k = tir.reshape %i : tensor<i64> -> tensor<1xi64>\n%z = tir.put set %u at %k with %n axis 0 : tensor<4xf64>",
    "scan": "%z = tir.scan (%c = %u : tensor<4xf64>) over (%e = %n : tensor<1xf64>) {\n"
            "  %d = tir.add %c, %c : tensor<4xf64>\n  tir.yield %d : tensor<4xf64>\n}",
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("results", ["%z", "%z, %w"])
def test_new_state_may_be_a_part_of_what_is_changed_in_place(view: str, change: str, results: str) -> None:
    types = ["tensor<4xf64>", "tensor<2xf64>"][: results.count("%")]
    text = f"""tir.shared @s : tensor<2xf64> = dense<0.0>
    func.func @main(%a: tensor<4xf64> {{tir.name = "a"}}, %n: tensor<1xf64> {{tir.name = "n"}}, %i: tensor<i64> {{tir.name = "i"}})
        -> ({", ".join(types)}) {{
      %u = tir.exp %a : tensor<4xf64>
      {VIEWS[view]}
      {CHANGES[change]}
      tir.update @s, %w : tensor<2xf64>
      return {results} : {", ".join(types)}
    }}"""
    found = first_disagreement(text, {"a": np.arange(4.0), "n": np.array([9.0]), "i": np.int64(1)}, read_back=())
    assert found is None, found


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("size", ["[N]", "?", "3"])
def test_branch_may_hand_on_a_value_beside_the_same_one_changed_in_place(size: str, flag: bool) -> None:
    matrix = f"tensor<{size}x{size}xf64>"
    text = f"""func.func @main(%x: {matrix} {{tir.name = "x"}}, %y: {matrix} {{tir.name = "y"}},
        %i: tensor<{size}xi64> {{tir.name = "i"}}, %p: tensor<i1> {{tir.name = "p"}}) -> {matrix} {{
      %v = tir.take %x at %i axis 1 : {matrix}
      %a, %b = tir.if %p -> ({matrix}, {matrix}) {{
        %e = tir.tril %x diagonal 1 : {matrix}
        tir.yield %e, %x : {matrix}, {matrix}
      }} else {{
        %n = tir.put set %v at %i with %y axis 1 : {matrix}
        tir.yield %n, %v : {matrix}, {matrix}
      }}
      %s = tir.sub %a, %b : {matrix}
      return %s : {matrix}
    }}"""
    rng = np.random.default_rng(0)
    given = {"x": rng.normal(size=(3, 3)), "y": rng.normal(size=(3, 3)), "i": np.array([2, 0, 1]), "p": np.bool_(flag)}
    found = first_disagreement(text, given, read_back=())
    assert found is None, found
