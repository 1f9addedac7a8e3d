"""Writes values as one flat JSON array in which everything refers to its parts by their place.

That is how pages since 2026 carry their state; equal texts and numbers, and the same objects, are written once.
"""

import json
from dataclasses import dataclass
from typing import Any

UNDEFINED = object()
UNDEFINED_PLACE = -1
# As in a script: no end tag, and no line separator that is one in JavaScript only.
ESCAPES = str.maketrans({"<": "\\u003C", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@dataclass(frozen=True, eq=False)
class Wrapped:
    """A value in one of the page's own wrappers: `Reactive`, `Ref`, `EmptyRef`, `Set` …"""  # noqa: D400 - more of them

    kind: str
    value: Any


def flattened(value: object) -> str:
    """Write a value."""
    return json.dumps(Flattener().flat(value), ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


class Flattener:
    """Gives each value a place, in the order of meeting."""

    def __init__(self) -> None:
        self.rows: list[object] = []
        self.places: dict[object, int] = {}

    def flat(self, value: object) -> list[object]:
        """Give all rows; the value itself is in the first."""
        self.place(value)
        return self.rows

    def place(self, value: object) -> int:
        """Tell a value's place, which is made where it is new."""
        if value is UNDEFINED:
            return UNDEFINED_PLACE
        key = (type(value), value) if isinstance(value, str | int | float | None) else id(value)
        if key not in self.places:
            self.places[key] = len(self.rows)
            self.rows.append(None)
            self.rows[self.places[key]] = self.row(value)
        return self.places[key]

    def row(self, value: object) -> object:
        """Write one value, its parts as places."""
        if isinstance(value, dict):
            return {name: self.place(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.place(part) for part in value]
        if isinstance(value, Wrapped):
            parts = value.value if value.kind == "Set" else [value.value]
            return [value.kind, *map(self.place, parts)]
        return value
