"""Which functions call which: an order in which callees come first, and circles."""

from __future__ import annotations

from collections.abc import Mapping

from tir.dialects.func import Call, Func
from tir.ir.symbols import SymbolTable

__all__ = ["callees_first", "circle_of"]


def circle_of(call: Call, symbols: SymbolTable) -> str | None:
    """`@f -> @g -> @f`, if the function that is called leads to a call of itself; the shortest such way."""
    start = call.callee
    came_from: dict[str, str] = {}
    pending = [start]
    while pending:
        name = pending.pop(0)
        function = symbols.lookup(name)
        for inner in function.walk() if isinstance(function, Func) else ():
            if not isinstance(inner, Call) or inner.callee in came_from:
                continue
            came_from[inner.callee] = name
            pending.append(inner.callee)
            if inner.callee == start:
                names = [start]
                while len(names) == 1 or names[-1] != start:
                    names.append(came_from[names[-1]])
                return " -> ".join(f"@{one}" for one in reversed(names))
    return None


def callees_first(edges: Mapping[Func, list[Func]]) -> list[list[Func]]:
    """The functions, grouped where they call each other, each group behind those that it calls (Tarjan's algorithm)."""
    groups: list[list[Func]] = []
    number: dict[Func, int] = {}
    lowest: dict[Func, int] = {}
    open_functions: list[Func] = []
    is_open: set[Func] = set()
    for root in edges:
        pending = [(root, iter(edges[root]))] if root not in number else []
        while pending:
            function, rest = pending[-1]
            if function not in number:
                number[function] = lowest[function] = len(number)
                open_functions.append(function)
                is_open.add(function)
            for callee in rest:
                if callee not in number:
                    pending.append((callee, iter(edges[callee])))
                    break
                if callee in is_open:
                    lowest[function] = min(lowest[function], number[callee])
            else:
                pending.pop()
                if pending:
                    lowest[pending[-1][0]] = min(lowest[pending[-1][0]], lowest[function])
                if lowest[function] == number[function]:
                    group: list[Func] = []
                    while not group or group[-1] is not function:
                        group.append(open_functions.pop())
                    is_open.difference_update(group)
                    groups.append(group)
    return groups
