"""Location aliases: `loc(#loc3)` may stand above the line that defines `#loc3`, so they are resolved at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tir.ir.errors import UNKNOWN, LimitError, Location, TirError
from tir.ir.syntax import RawBlock, RawOp
from tir.parser.reading import MAX_ERRORS, MAX_NESTING, Placed, Reading, Reported

__all__ = ["AliasLocation", "has_alias", "resolve_locations"]

MAX_SIZE = 1 << 16


@dataclass(frozen=True, slots=True)
class AliasLocation(Location):
    """`#name` in a location, until it is resolved."""

    name: str
    pos: int


def has_alias(location: Location) -> bool:
    """`location` holds an alias that is not resolved."""
    pending = [location]
    while pending:
        one = pending.pop()
        if isinstance(one, AliasLocation):
            return True
        pending.extend(one.children())
    return False


def resolve_locations(reading: Reading) -> list[TirError]:
    """Replaces the aliases in the locations of all ops and arguments; gives the errors, one for each bad alias."""
    resolver = _Resolver(reading)
    errors: list[TirError] = []
    for placed in reading.unresolved:
        try:
            if isinstance(placed, RawBlock):
                placed.arguments[:] = [
                    (*argument[:3], argument[3] and resolver.resolve(argument[3])) for argument in placed.arguments
                ]
            elif placed.location is not None:
                placed.location = resolver.resolve(placed.location)
        except Reported:
            _forget(placed)
        except TirError as error:
            _forget(placed)
            errors.append(error)
            if isinstance(error, LimitError):
                break
    reading.unresolved.clear()
    return errors[:MAX_ERRORS]


def _forget(placed: Placed) -> None:
    """What has a location that means nothing is where its text is: other errors are shown there."""
    if isinstance(placed, RawBlock):
        placed.arguments[:] = [(*argument[:3], None) for argument in placed.arguments]
    else:
        placed.location = None if isinstance(placed, RawOp) else UNKNOWN


class _Resolver:
    """Locations without aliases; each alias is resolved once."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.known: dict[str, Location] = {}
        self.depth: dict[str, int] = {}  # by alias: how many aliases nest in it
        self.size: dict[str, int] = {}  # by alias: how many locations it is when written out

    def resolve(self, location: Location) -> Location:
        """Resolves the aliases that `location` needs, the innermost first."""
        pending: list[tuple[AliasLocation | None, Iterator[AliasLocation]]] = [(None, iter(_aliases(location)))]
        open_names: set[str] = set()
        while pending:
            alias, inner = pending[-1]
            missing = next((one for one in inner if one.name not in self.known), None)
            if missing is not None:
                if missing.name in open_names:
                    self.reading.broken.update(f"#{name}" for name in open_names)
                    raise self.reading.error(f"#{missing.name} stands for itself", missing.pos)
                open_names.add(missing.name)
                pending.append((missing, iter(_aliases(self._definition(missing)))))
                continue
            pending.pop()
            if alias is not None:
                open_names.discard(alias.name)
                self._finish(alias)
        return self._substitute(location)

    def _definition(self, alias: AliasLocation) -> Location:
        found = self.reading.location_aliases.get(alias.name)
        if f"#{alias.name}" in self.reading.broken:
            raise Reported
        if found is None:
            self.reading.broken.add(f"#{alias.name}")
            hint = self.reading.nearest(alias.name, self.reading.location_aliases)
            raise self.reading.error(f"#{alias.name} is not defined as a location", alias.pos, hint)
        return found[0]

    def _finish(self, alias: AliasLocation) -> None:
        definition = self._definition(alias)
        inner = [one.name for one in _aliases(definition)]
        self.depth[alias.name] = 1 + max((self.depth[name] for name in inner), default=0)
        self.size[alias.name] = 1 + sum(self.size[name] for name in inner)
        if self.depth[alias.name] > MAX_NESTING or self.size[alias.name] > MAX_SIZE:
            self.reading.broken.add(f"#{alias.name}")
            most = f"{MAX_NESTING} deep and {MAX_SIZE} in number"
            raise self.reading.limit(f"#{alias.name}: the locations in a location are at most {most}", alias.pos)
        self.known[alias.name] = self._substitute(definition)

    def _substitute(self, location: Location) -> Location:
        """`location` with its aliases, all resolved, replaced; children first."""
        done: list[Location] = []
        pending: list[tuple[Location, bool]] = [(location, False)]
        while pending:
            one, children_done = pending.pop()
            children = one.children()
            if isinstance(one, AliasLocation):
                done.append(self.known[one.name])
            elif children_done:
                parts = [done.pop() for _ in children][::-1]
                done.append(one.with_children(parts))
            elif not children:
                done.append(one)
            else:
                pending.append((one, True))
                pending.extend((child, False) for child in reversed(children))
        return done[0]


def _aliases(location: Location) -> list[AliasLocation]:
    found, pending = [], [location]
    while pending:
        one = pending.pop()
        if isinstance(one, AliasLocation):
            found.append(one)
        pending.extend(one.children())
    return found
