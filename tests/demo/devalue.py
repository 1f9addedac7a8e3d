"""Reads the flat array that pages since 2026 carry; for tests, trusting and simple."""

import json


def unflattened(text):
    """Give the value, without its wrappers; what is undefined is ``None``."""
    rows, made = json.loads(text), {}

    def value(place):
        if place < 0:
            return None
        if place not in made:
            row = rows[place]
            if isinstance(row, dict):
                made[place] = {}
                made[place].update({key: value(part) for key, part in row.items()})
            elif isinstance(row, list) and row and isinstance(row[0], str):
                kind, *parts = row
                values = [value(part) for part in parts]
                made[place] = values if kind == "Set" else json.loads(values[0]) if kind == "EmptyRef" else values[0]
            elif isinstance(row, list):
                made[place] = [value(part) for part in row]
            else:
                made[place] = row
        return made[place]

    return value(0)
